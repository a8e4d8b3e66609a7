/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What outlives a process of the eBPF datapath, and what another then finds: restart, kill -9 anywhere, another
 * configuration, the lock, the end of it all.
 */
#include "dp_fixture.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LOC "2400:dcc0::a7a:4d8e:"
#define LOC_GW "2400:dcc0::c1:"

/* One of each: VRF 1 with a host route and a prefix, a next hop, a port on tap1, an uplink up1. */
static void populate(struct sr_dp *dp)
{
	const struct sr_dp_vrf vrf = dp_vrf("vrf1", "169.254.1.8");
	const struct sr_dp_nexthop nh = {.kind = SR_NH_NODE, .cookie = 7, .locator = dp_locator("2400:dcc0::b")};
	const struct sr_dp_port port = {.ifindex = dp_ifindex("tap1"), .vrf = 1, .nexthop = 2, .up = true};
	const struct sr_dp_route routes[] = {{1, 1, dp_prefix("10.0.0.1")}, {1, 1, dp_prefix("0.0.0.0/0")}};
	size_t done;

	assert_int_equal(dp->ops->vrf_set(dp, 1, &vrf), 0);
	assert_int_equal(dp->ops->nexthop_set(dp, 1, &nh), 0);
	assert_int_equal(dp->ops->routes(dp, routes, 2, &done), 0);
	assert_int_equal(dp->ops->port_set(dp, &port), 0);
	assert_int_equal(dp->ops->uplink_set(dp, dp_ifindex("up1")), 0);
}

static void check_populated(struct sr_dp *dp)
{
	const struct dp_dump *d = dp_dump(dp);

	assert_int_equal(d->n_vrfs, 1);
	assert_string_equal(d->vrfs[0].vrf.name, "vrf1");
	assert_int_equal(d->n_nexthops, 1);
	assert_int_equal(d->nexthops[0].nh.cookie, 7);
	assert_int_equal(d->n_routes, 2);
	assert_int_equal(dp_dump_route(d, 1, "0.0.0.0/0"), 1);
	assert_int_equal(d->n_ports, 1);
	assert_int_equal(d->ports[0].vrf, 1);
	assert_int_equal(d->n_uplinks, 1);
	assert_non_null(dp_dump_sid(d, LOC "a9fe:108"));
}

static int links_add(void **state)
{
	(void)state;
	dp_link_add("tap1");
	dp_link_add("up1");
	return 0;
}

static int links_del(void **state)
{
	(void)state;
	dp_link_del("tap1");
	dp_link_del("up1");
	return 0;
}

static void test_restart(void **state)
{
	struct sr_dp *dp = dp_open(NULL);
	uint32_t tap, up;

	(void)state;
	populate(dp);
	tap = dp_attached("tap1", "sr_from_tap");
	up = dp_attached("up1", "sr_from_uplink");
	dp->ops->close(dp);
	assert_int_equal(dp_attached("tap1", "sr_from_tap"), tap);
	dp = dp_open(NULL);
	check_populated(dp);
	assert_int_equal(dp_attached("tap1", "sr_from_tap"), tap); /* open changes nothing on interfaces, */
	assert_int_equal(dp_attached("up1", "sr_from_uplink"), up);
	populate(dp); /* the next set does */
	check_populated(dp);
	assert_int_not_equal(dp_attached("tap1", "sr_from_tap"), tap);
	assert_int_not_equal(dp_attached("up1", "sr_from_uplink"), up);
	dp->ops->close(dp);
	dp = dp_open(NULL);
	check_populated(dp);
	dp->ops->close(dp);
}

/* The maps are made anew, and until the new programs are in, the old ones go on with the old maps. */
static void check_rebuilt(const struct sr_dp_config *config)
{
	struct sr_dp *dp = dp_open(config);
	const struct dp_dump *d = dp_dump(dp);
	uint32_t tap = dp_attached("tap1", "sr_from_tap");

	assert_true(tap);
	assert_int_equal(d->n_vrfs + d->n_nexthops + d->n_routes + d->n_sids, 0);
	assert_int_equal(d->n_ports, 1);
	assert_int_equal(d->ports[0].ifindex, dp_ifindex("tap1"));
	assert_int_equal(d->ports[0].vrf, 0);
	assert_int_equal(d->n_uplinks, 1);
	populate(dp);
	check_populated(dp);
	assert_int_not_equal(dp_attached("tap1", "sr_from_tap"), tap);
	dp->ops->close(dp);
}

static void test_other_limits(void **state)
{
	struct sr_dp_config more_vrfs = dp_config(), more_nexthops = dp_config(), more_routes = dp_config();
	struct sr_dp *dp = dp_open(NULL);

	(void)state;
	more_vrfs.max_vrfs++;
	more_nexthops.max_nexthops++;
	more_routes.max_routes++;
	populate(dp);
	dp->ops->close(dp);
	check_rebuilt(&more_vrfs);
	check_rebuilt(&more_nexthops);
	check_rebuilt(&more_routes);
	check_rebuilt(NULL);
}

static void test_stray_port(void **state)
{
	struct sr_dp_config config = dp_config();
	struct sr_dp *dp = dp_open(NULL);

	(void)state;
	populate(dp);
	dp->ops->close(dp);
	config.max_routes++;
	dp = dp_open(&config);
	assert_int_equal(dp->ops->port_del(dp, dp_dump(dp)->ports[0].ifindex), 0);
	assert_int_equal(dp_attached("tap1", "sr_from_tap"), 0);
	assert_int_equal(dp_dump(dp)->n_ports, 0);
	dp->ops->close(dp);
}

static void test_half_pinned(void **state)
{
	static const char *const maps[] = {"sr_ports", "sr_vrfs", "sr_host6", "sr_drops"};
	struct sr_dp *dp = dp_open(NULL);

	(void)state;
	populate(dp);
	dp->ops->close(dp);
	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
		assert_int_equal(unlink(dp_pin(maps[i])), 0);
		check_rebuilt(NULL);
	}
}

/* A half-made set beside a whole one, and a set of another version of the ABI. */
static void test_other_sets(void **state)
{
	struct sr_dp_config config = dp_config();
	struct sr_dp *dp = dp_open(NULL);
	char path[128];

	(void)state;
	populate(dp);
	snprintf(path, sizeof(path), "%s/new", dp_dir());
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/new/sr_vrfs", dp_dir());
	assert_int_equal(bpf_obj_pin(bpf_obj_get(dp_pin("sr_vrfs")), path), 0);
	snprintf(path, sizeof(path), "%s/v0", dp_dir());
	assert_int_equal(mkdir(path, 0700), 0);
	dp->ops->close(dp);
	dp = dp_open(NULL);
	check_populated(dp);
	dp->ops->close(dp);
	config.max_vrfs++;
	check_rebuilt(&config);
	assert_int_equal(access(path, F_OK), -1);
}

static void test_locators_change(void **state)
{
	struct sr_dp_config config = dp_config();
	struct sr_dp *dp = dp_open(&config);
	const struct dp_dump *d;

	(void)state;
	populate(dp);
	dp->ops->close(dp);

	config.locators[config.n_locators++] = dp_locator("2400:dcc0::c1"); /* one more */
	dp = dp_open(&config);
	check_populated(dp);
	d = dp_dump(dp);
	assert_int_equal(d->n_sids, 2);
	assert_int_equal(dp_dump_sid(d, LOC_GW "a9fe:108")->vrf, 1);
	assert_int_not_equal(dp_dump_sid(d, LOC_GW "a9fe:108")->stats, dp_dump_sid(d, LOC "a9fe:108")->stats);
	dp->ops->close(dp);

	config.locators[0] = config.locators[1]; /* the first one goes, and what is to be done changes */
	config.n_locators = 1;
	config.vrf_behavior = SR_SID_END_DT4;
	dp = dp_open(&config);
	d = dp_dump(dp);
	assert_int_equal(d->n_vrfs, 1);
	assert_int_equal(d->n_sids, 1);
	assert_int_equal(dp_dump_sid(d, LOC_GW "a9fe:108")->behavior, SR_SID_END_DT4);
	dp->ops->close(dp);
}

static void test_end(void **state)
{
	struct sr_dp_config config = dp_config();
	struct sr_dp_vrf vrf = dp_vrf("vrf2", "169.254.0.1");
	struct sr_dp *dp, *none = NULL;
	char err[256] = "";

	(void)state;
	config.end_function = vrf.function;
	dp = dp_open(&config);
	assert_int_equal(dp_dump(dp)->n_sids, 1);
	assert_int_equal(dp_dump_sid(dp_dump(dp), LOC "a9fe:1")->behavior, SR_SID_END);
	assert_int_equal(dp_dump_sid(dp_dump(dp), LOC "a9fe:1")->vrf, 0);
	assert_int_equal(dp->ops->vrf_set(dp, 2, &vrf), -EEXIST);
	dp->ops->close(dp);

	config.end_function.v = 0;
	dp = dp_open(&config);
	assert_int_equal(dp_dump(dp)->n_sids, 0);
	assert_int_equal(dp->ops->vrf_set(dp, 2, &vrf), 0);
	dp->ops->close(dp);

	config.end_function = vrf.function;
	assert_int_equal(sr_dp_ebpf_open(&config, &none, err, sizeof(err)), -EEXIST);
	assert_non_null(strstr(err, "end_function"));
	assert_null(none);
}

static void test_lock(void **state)
{
	struct sr_dp_config config = dp_config(), elsewhere = dp_config();
	struct sr_dp *dp = dp_open(NULL), *second = NULL;
	char err[256] = "";

	(void)state;
	assert_int_equal(sr_dp_ebpf_open(&config, &second, err, sizeof(err)), -EBUSY);
	assert_non_null(strstr(err, dp_dir()));
	assert_null(second);
	assert_int_equal(sr_dp_ebpf_open(&config, &second, NULL, 0), -EBUSY);
	elsewhere.bpffs = "/mnt/other";
	assert_int_equal(sr_dp_ebpf_open(&elsewhere, &second, NULL, 0), 0);
	assert_int_equal(second->ops->destroy(second), 0);
	dp->ops->close(dp);
	dp = dp_open(NULL);
	dp->ops->close(dp);
}

/* Starts a process that ends with this one, or sooner by kill_it(): 0 in it. */
static pid_t victim(void)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

static void kill_it(pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status)); /* it had not given up before */
}

static bool is_alive(pid_t pid)
{
	return waitpid(pid, NULL, WNOHANG) == 0;
}

/* What a victim tells how far it is in. */
static volatile uint32_t *progress(void)
{
	void *shared = mmap(NULL, sizeof(uint32_t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(shared, MAP_FAILED);
	return shared;
}

/* Sets and deletes VRFs and a port for ever, and counts. */
static void change(struct sr_dp *dp, volatile uint32_t *done)
{
	for (uint32_t n = 0;; n++) {
		struct sr_dp_vrf vrf = {.name = "vrf"};
		struct sr_dp_port port = {.ifindex = dp_ifindex("tap1"), .vrf = 1 + n % 8, .nexthop = 1};

		vrf.function.v = htonl(0xa9fe0100 + n % 24);
		if (dp->ops->vrf_set(dp, 1 + n % 8, &vrf) || dp->ops->port_set(dp, &port) ||
		    dp->ops->port_del(dp, port.ifindex) || (n % 3 == 0 && dp->ops->vrf_del(dp, 1 + n % 8)))
			_exit(1);
		*done = n;
	}
}

/* Each VRF has its SID on each locator, and there are no others. */
static void check_consistent(struct sr_dp *dp, const struct sr_dp_config *config)
{
	const struct dp_dump *d = dp_dump(dp);

	assert_int_equal(d->n_sids, d->n_vrfs * config->n_locators);
	for (size_t i = 0; i < d->n_vrfs; i++)
		for (size_t l = 0; l < config->n_locators; l++) {
			struct sr_sid sid = sr_sid_make(&config->locators[l], d->vrfs[i].vrf.function);
			char text[SR_SID_STRLEN];

			assert_int_equal(dp_dump_sid(d, sr_sid_format(&sid, text))->vrf, d->vrfs[i].id);
		}
}

/* Killed wherever it is after so many changes; the next to open finds order, or makes it. */
static void test_kill_in_changes(void **state)
{
	volatile uint32_t *done = progress();
	struct sr_dp_config config = dp_config();
	struct sr_dp *dp;

	(void)state;
	config.locators[config.n_locators++] = dp_locator("2400:dcc0::c1");
	dp = dp_open(&config);
	for (uint32_t round = 0; round < 8; round++) {
		pid_t pid;

		*done = 0;
		pid = victim();
		if (!pid)
			change(dp, done);
		dp->ops->close(dp); /* the victim has it now, and its lock */
		while (*done < 3 + round && is_alive(pid))
			usleep(round * 37);
		kill_it(pid);
		dp = dp_open(&config);
		check_consistent(dp, &config);
	}
	dp->ops->close(dp);
	munmap((void *)done, sizeof(*done));
}

static void open_and_stay(const struct sr_dp_config *config, volatile uint32_t *opened)
{
	struct sr_dp *dp;

	if (sr_dp_ebpf_open(config, &dp, NULL, 0))
		_exit(1);
	*opened = 1;
	for (;;)
		pause();
}

/* While it makes the maps anew: when it begins to pin them, or after some time. */
static void test_kill_in_open(void **state)
{
	volatile uint32_t *opened = progress();
	struct sr_dp_config config = dp_config();
	struct sr_dp *dp = dp_open(&config);
	char pinning[128];

	(void)state;
	snprintf(pinning, sizeof(pinning), "%s/new", dp_dir());
	populate(dp);
	dp->ops->close(dp);
	for (uint32_t round = 0; round < 6; round++) {
		pid_t pid;

		config.max_routes++;
		*opened = 0;
		pid = victim();
		if (!pid)
			open_and_stay(&config, opened);
		if (round % 2)
			usleep(round * 2000);
		while (round % 2 == 0 && access(pinning, F_OK) && !*opened)
			assert_true(is_alive(pid));
		kill_it(pid);
		dp = dp_open(&config);
		check_consistent(dp, &config);
		dp->ops->close(dp);
	}
	munmap((void *)opened, sizeof(*opened));
}

/*
 * No frame passes beside the program while one replaces another: the port is down, so each is dropped; a socket for
 * their type hears those that no filter stopped.
 *
 * The sender sleeps after each frame. One that does not can keep a CPU of an emulated machine in softirqs, and then the
 * grace periods of RCU, which all else waits for, take minutes.
 */
static pid_t send_frames(void)
{
	static const uint8_t frame[64] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0xb5};
	struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = (int)dp_ifindex("tap1p")};
	const struct timespec pause = {.tv_nsec = 20000};
	pid_t pid = victim();
	int fd;

	if (pid)
		return pid;
	prctl(PR_SET_TIMERSLACK, 1);
	fd = socket(AF_PACKET, SOCK_RAW, 0);
	while (sendto(fd, frame, sizeof(frame), 0, (struct sockaddr *)&to, sizeof(to)) == sizeof(frame))
		nanosleep(&pause, NULL);
	_exit(1);
}

static int hear_frames(void)
{
	const struct sockaddr_ll at = {
		.sll_family = AF_PACKET, .sll_protocol = htons(0x88b5), .sll_ifindex = (int)dp_ifindex("tap1")};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, htons(0x88b5));

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

static int add_drop(void *ctx, enum sr_direction dir, enum sr_drop_reason reason, const struct sr_bpf_counter *c)
{
	uint64_t *sum = ctx;

	if (dir == SR_DIR_FROM_TAP && reason == SR_DROP_PORT_DOWN)
		*sum += c->packets;
	return 0;
}

static uint64_t dropped(struct sr_dp *dp)
{
	static const struct sr_dp_counters cb = {.drop = add_drop};
	uint64_t sum = 0;

	assert_int_equal(dp->ops->counters(dp, &cb, &sum), 0);
	return sum;
}

/* Two datapaths that take the port from each other, until enough frames have met either on the way. */
static void test_replace_under_traffic(void **state)
{
	const struct sr_dp_port port = {.ifindex = dp_ifindex("tap1"), .vrf = 1};
	pid_t sender = send_frames(); /* before there is a lock to inherit */
	struct sr_dp_config elsewhere = dp_config();
	struct sr_dp *dps[2];
	char buf[64];
	int fd;

	(void)state;
	elsewhere.bpffs = "/mnt/other";
	dps[0] = dp_open(NULL);
	dps[1] = dp_open(&elsewhere);
	for (int i = 0; i < 2; i++) {
		populate(dps[i]);
		assert_int_equal(dps[i]->ops->port_set(dps[i], &port), 0);
	}
	fd = hear_frames();
	while (dropped(dps[0]) < 1000 || dropped(dps[1]) < 1000) {
		for (int i = 0; i < 2; i++)
			assert_int_equal(dps[i]->ops->port_set(dps[i], &port), 0);
		assert_int_equal(recv(fd, buf, sizeof(buf), 0), -1);
		assert_true(is_alive(sender));
	}
	assert_int_equal(dps[1]->ops->port_del(dps[1], port.ifindex), 0);
	while (recv(fd, buf, sizeof(buf), 0) < 0) /* the frames were there all the time */
		assert_true(is_alive(sender));
	kill_it(sender);
	close(fd);
	assert_int_equal(dps[1]->ops->destroy(dps[1]), 0);
	dps[0]->ops->close(dps[0]);
}

static void test_destroy(void **state)
{
	struct sr_dp *dp = dp_open(NULL);

	(void)state;
	populate(dp);
	assert_int_equal(dp->ops->destroy(dp), 0);
	assert_int_equal(access(dp_dir(), F_OK), -1);
	assert_int_equal(dp_attached("tap1", "sr_from_tap"), 0);
	assert_int_equal(dp_attached("up1", "sr_from_uplink"), 0);
	dp = dp_open(NULL);
	assert_int_equal(dp_dump(dp)->n_vrfs, 0);
	dp->ops->close(dp);
}

static void test_readonly(void **state)
{
	const struct sr_dp_vrf vrf = dp_vrf("vrf1", "169.254.1.8");
	struct sr_dp *dp, *ro = NULL;
	char err[256] = "";
	size_t done = 1;

	(void)state;
	assert_int_equal(sr_dp_ebpf_open_readonly(dp_dir(), &ro, err, sizeof(err)), -ENOENT);
	assert_non_null(strstr(err, dp_dir()));
	assert_null(ro);
	dp = dp_open(NULL);
	populate(dp);
	assert_int_equal(sr_dp_ebpf_open_readonly(dp_dir(), &ro, err, sizeof(err)), 0);
	check_populated(ro);
	assert_int_equal(ro->ops->vrf_set(ro, 1, &vrf), -EROFS);
	assert_int_equal(ro->ops->vrf_del(ro, 1), -EROFS);
	assert_int_equal(ro->ops->port_set(ro, &(struct sr_dp_port){.ifindex = 1}), -EROFS);
	assert_int_equal(ro->ops->port_del(ro, 1), -EROFS);
	assert_int_equal(ro->ops->nexthop_set(ro, 1, &(struct sr_dp_nexthop){.kind = SR_NH_NODE}), -EROFS);
	assert_int_equal(ro->ops->nexthop_del(ro, 1), -EROFS);
	assert_int_equal(ro->ops->uplink_set(ro, 1), -EROFS);
	assert_int_equal(ro->ops->uplink_del(ro, 1), -EROFS);
	assert_int_equal(ro->ops->mtu_set(ro, 1500), -EROFS);
	assert_int_equal(ro->ops->routes(ro, &(struct sr_dp_route){.vrf = 1}, 1, &done), -EROFS);
	assert_int_equal(done, 0);
	ro->ops->close(ro);
	assert_int_equal(sr_dp_ebpf_open_readonly(dp_dir(), &ro, NULL, 0), 0);
	assert_int_equal(ro->ops->destroy(ro), -EROFS);
	check_populated(dp);
	dp->ops->close(NULL);
	dp->ops->close(dp);
}

static void test_bad_config(void **state)
{
	struct sr_dp_config c[11];
	static const char *const words[11] = {"locators",   "locators",	  "domains",	 "max_vrfs",
					      "max_routes", "bpffs",	  "bpffs",	 "hop_limit",
					      "dscp must",  "encap_mode", "vrf_behavior"};
	char err[256];

	(void)state;
	for (size_t i = 0; i < 11; i++)
		c[i] = dp_config();
	c[0].n_locators = 0;
	c[1].n_locators = SR_BPF_LOCATORS_MAX + 1;
	c[2].n_domains = SR_BPF_DOMAINS_MAX + 1;
	c[3].max_vrfs = 0;
	c[4].max_routes = UINT32_MAX;
	c[5].bpffs = NULL;
	c[6].bpffs = "mnt/x";
	c[7].hop_limit = 0;
	c[8].dscp = 64;
	c[9].encap_mode = 2;
	c[10].vrf_behavior = SR_SID_END;
	for (size_t i = 0; i < 11; i++) {
		struct sr_dp *dp = NULL;

		err[0] = '\0';
		assert_int_equal(sr_dp_ebpf_open(&c[i], &dp, err, sizeof(err)), -EINVAL);
		assert_non_null(strstr(err, words[i]));
		assert_null(dp);
	}
}

/* Where there is no bpf file system: mounted over an empty directory, refused elsewhere. */
static void test_no_bpffs(void **state)
{
	struct sr_dp_config config = dp_config();
	struct sr_dp *dp = NULL;
	char err[256] = "";

	(void)state;
	assert_int_equal(mount("tmpfs", "/srv", "tmpfs", 0, NULL), 0);
	config.bpffs = "/srv/missing/node";
	assert_int_equal(sr_dp_ebpf_open(&config, &dp, err, sizeof(err)), -ENOENT);
	assert_non_null(strstr(err, "/srv/missing"));
	assert_int_equal(mkdir("/srv/full", 0700), 0);
	assert_int_equal(mkdir("/srv/full/of", 0700), 0);
	config.bpffs = "/srv/full/node";
	assert_int_equal(sr_dp_ebpf_open(&config, &dp, err, sizeof(err)), -EINVAL);
	assert_non_null(strstr(err, "mount -t bpf"));
	assert_int_equal(mkdir("/srv/empty", 0700), 0);
	config.bpffs = "/srv/empty/no.de"; /* dots are not for names there */
	assert_int_equal(sr_dp_ebpf_open(&config, &dp, err, sizeof(err)), -EPERM);
	assert_non_null(strstr(err, "dots"));
	config.bpffs = "/srv/empty/node";
	dp = dp_open(&config);
	assert_int_equal(dp->ops->destroy(dp), 0);
	assert_int_equal(umount("/srv/empty"), 0);
	assert_int_equal(umount("/srv"), 0);
}

/* In a child, as root without capabilities or as nobody: its exit status says what was not as it should be. */
static void try_open(bool root)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	const struct __user_cap_data_struct nothing[2] = {0};
	const struct sr_dp_config config = dp_config();
	struct sr_dp *dp = NULL;
	char err[256] = "";

	if (root ? syscall(SYS_capset, &header, nothing) : (setgid(65534) || setuid(65534)))
		_exit(1);
	if (sr_dp_ebpf_open(&config, &dp, err, sizeof(err)) != -EPERM || !strstr(err, "root"))
		_exit(2);
	if (root) /* looking is for the owner of the files, as the kernel's settings may have it */
		_exit(0);
	err[0] = '\0';
	if (sr_dp_ebpf_open_readonly(dp_dir(), &dp, err, sizeof(err)) != -EPERM || !strstr(err, "root"))
		_exit(3);
	_exit(0);
}

static void test_unprivileged(void **state)
{
	struct sr_dp *dp = dp_open(NULL);
	int status;

	(void)state;
	dp->ops->close(dp);
	for (int root = 0; root < 2; root++) {
		pid_t pid = fork();

		if (!pid)
			try_open(root);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
	}
}

#define TEST(name) cmocka_unit_test_teardown(name, dp_clear)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_restart),
		TEST(test_other_limits),
		TEST(test_stray_port),
		TEST(test_half_pinned),
		TEST(test_other_sets),
		TEST(test_locators_change),
		TEST(test_end),
		TEST(test_lock),
		TEST(test_kill_in_changes),
		TEST(test_kill_in_open),
		TEST(test_replace_under_traffic),
		TEST(test_destroy),
		TEST(test_readonly),
		TEST(test_bad_config),
		TEST(test_no_bpffs),
		TEST(test_unprivileged),
	};
	int r = dp_isolate();

	return r ? r : cmocka_run_group_tests(tests, links_add, links_del);
}
