/* SPDX-License-Identifier: GPL-2.0-only */
#include "lx.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOUNT "/mnt" /* in a mount namespace of our own */
#define TEXT_MAX 65536
#define LINES_MAX 2048

/* ---- the namespace and what is in it */

int lx_isolate(void)
{
	if (geteuid() || unshare(CLONE_NEWNET | CLONE_NEWNS)) {
		printf("skipped: network namespaces take root\n");
		return LX_SKIP;
	}
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) || mount("none", MOUNT, "tmpfs", 0, NULL)) {
		printf("cannot mount a file system: %s\n", strerror(errno));
		return 1;
	}
	if (system("ip link set lo up && ip link add v type vrf table 1 2>/dev/null")) { /* NOLINT(cert-env33-c) */
		printf("skipped: this kernel has no VRF driver\n");
		return LX_SKIP;
	}
	lx_ip("link del v");
	return 0;
}

/* Of this test: one that failed may hold the last one's lock. */
static char state_dir[32];

const char *lx_dir(void)
{
	return state_dir;
}

void lx_ip(const char *fmt, ...)
{
	va_list args;
	FILE *pipe = popen("ip -batch -", "w"); /* NOLINT(cert-env33-c) */

	assert_non_null(pipe);
	va_start(args, fmt);
	vfprintf(pipe, fmt, args);
	va_end(args);
	assert_int_equal(pclose(pipe), 0);
}

const char *lx_run(const char *fmt, ...)
{
	static char bufs[2][TEXT_MAX];
	static unsigned int turn;
	char command[1024], *out = bufs[turn++ % 2], *end = out;
	va_list args;
	size_t len;
	FILE *pipe;

	va_start(args, fmt);
	vsnprintf(command, sizeof(command), fmt, args);
	va_end(args);
	pipe = popen(command, "r"); /* NOLINT(cert-env33-c) */
	assert_non_null(pipe);
	len = fread(out, 1, TEXT_MAX - 1, pipe);
	pclose(pipe);
	for (size_t i = 0; i < len; i++) {
		while (out[i] == '\n' && end > out && end[-1] == ' ')
			end--;
		*end++ = out[i];
	}
	*end = '\0';
	return out;
}

void lx_in(const char *whole, const char *part)
{
	if (!strstr(whole, part))
		fail_msg("no \"%s\" in:\n%s", part, whole);
}

void lx_not_in(const char *whole, const char *part)
{
	if (strstr(whole, part))
		fail_msg("\"%s\" in:\n%s", part, whole);
}

uint32_t lx_ifindex(const char *name)
{
	return if_nametoindex(name);
}

const char *lx_sysctl(const char *path)
{
	static char value[64];
	char full[256];
	FILE *file;

	snprintf(full, sizeof(full), "/proc/sys/%s", path);
	file = fopen(full, "r");
	if (!file || fscanf(file, "%63s", value) != 1)
		value[0] = '\0';
	if (file)
		fclose(file);
	return value;
}

struct sr_prefix lx_prefix(const char *text)
{
	struct sr_prefix p;

	assert_int_equal(sr_prefix_parse(text, &p), 0);
	return p;
}

struct sr_locator lx_locator(const char *text)
{
	struct sr_locator loc;

	assert_int_equal(sr_locator_parse(text, &loc), 0);
	return loc;
}

struct sr_sid lx_sid(const char *text)
{
	struct sr_sid sid;

	assert_int_equal(sr_sid_parse(text, &sid), 0);
	return sid;
}

/* ---- the datapath */

struct sr_dp_config lx_config(void)
{
	struct sr_dp_config c = {
		.n_locators = 1,
		.n_domains = 1,
		.hop_limit = 64,
		.icmp_rate = 10,
		.max_vrfs = 16,
		.max_nexthops = 32,
		.max_routes = 64,
		.state_dir = state_dir,
	};

	c.locators[0] = lx_locator("2400:dcc0::a7a:4d8e");
	c.domains[0] = lx_prefix("2400:dcc0::/32");
	c.source = lx_prefix("2400:dcc0::1").addr;
	return c;
}

struct sr_dp *lx_open(const struct sr_dp_config *config)
{
	const struct sr_dp_config plain = lx_config();
	struct sr_dp *dp = NULL;
	char err[512] = "";
	int r = sr_dp_linux_open(config ? config : &plain, &dp, err, sizeof(err));

	if (r)
		fail_msg("open: %d %s", r, err);
	return dp;
}

struct sr_dp *lx_reopen(void **state, const struct sr_dp_config *config)
{
	struct sr_dp *dp = *state;

	*state = NULL;
	dp->ops->close(dp);
	return *state = lx_open(config);
}

/* Whatever state a failed test left things in: a new namespace is clean. */
int lx_setup(void **state)
{
	static unsigned int turn;

	*state = NULL;
	snprintf(state_dir, sizeof(state_dir), MOUNT "/%u", turn++);
	if (unshare(CLONE_NEWNET))
		return -1;
	lx_ip("link set lo up\nlink add tap1 type veth peer name tap1p\nlink add tap2 type veth peer name tap2p\n"
	      "link add up1 type veth peer name up1p\nlink set tap1p up\nlink set tap2p up\nlink set up1p up\n"
	      "link set up1 up\n");
	*state = lx_open(NULL);
	return 0;
}

int lx_teardown(void **state)
{
	struct sr_dp *dp = *state;

	return dp ? dp->ops->destroy(dp) : 0;
}

void lx_vrf(struct sr_dp *dp, uint32_t id, const char *name, const char *function)
{
	struct sr_dp_vrf vrf = {};

	snprintf(vrf.name, sizeof(vrf.name), "%s", name);
	assert_int_equal(sr_function_parse(function, &vrf.function), 0);
	assert_int_equal(dp->ops->vrf_set(dp, id, &vrf), 0);
}

void lx_hop(struct sr_dp *dp, uint32_t id, const struct sr_dp_nexthop *nh)
{
	assert_int_equal(dp->ops->nexthop_set(dp, id, nh), 0);
}

void lx_node(struct sr_dp *dp, uint32_t id, const char *locator)
{
	lx_hop(dp, id, &(struct sr_dp_nexthop){.cookie = id, .kind = SR_NH_NODE, .locator = lx_locator(locator)});
}

void lx_port_hop(struct sr_dp *dp, uint32_t id, const char *tap)
{
	lx_hop(dp, id,
	       &(struct sr_dp_nexthop){
		       .cookie = id, .kind = SR_NH_PORT, .ifindex = lx_ifindex(tap), .mac = {2, 0, 0, 0, 0, 7}});
}

void lx_port(struct sr_dp *dp, const char *tap, uint32_t vrf, uint32_t hop, const char *gateway4, const char *gateway6)
{
	struct sr_dp_port port = {.ifindex = lx_ifindex(tap), .vrf = vrf, .nexthop = hop, .up = true};

	if (gateway4)
		port.gateway4 = sr_prefix_addr4(&(struct sr_prefix){lx_prefix(gateway4).addr, 128});
	if (gateway6)
		port.gateway6 = lx_prefix(gateway6).addr;
	lx_port_hop(dp, hop, tap);
	assert_int_equal(dp->ops->port_set(dp, &port), 0);
}

void lx_route(struct sr_dp *dp, uint32_t vrf, const char *dst, uint32_t hop)
{
	const struct sr_dp_route route = {vrf, hop, lx_prefix(dst)};
	size_t done = 99;

	assert_int_equal(dp->ops->routes(dp, &route, 1, &done), 0);
	assert_int_equal(done, 1);
}

/* ---- as text */

struct text {
	char *lines[LINES_MAX];
	size_t n;
	char vrfs[32][SR_IFNAME_MAX]; /* by id */
	char hops[64][600];
};

static struct text text;

__attribute__((format(printf, 1, 2))) static void add_line(const char *fmt, ...)
{
	va_list args;

	assert_true(text.n < LINES_MAX);
	va_start(args, fmt);
	assert_true(vasprintf(&text.lines[text.n++], fmt, args) >= 0);
	va_end(args);
}

static const char *ifname(uint32_t ifindex)
{
	static char name[IF_NAMESIZE];

	return if_indextoname(ifindex, name) ? name : "?";
}

static int on_uplink(void *ctx, uint32_t ifindex)
{
	(void)ctx;
	add_line("uplink %s", ifname(ifindex));
	return 0;
}

static int on_vrf(void *ctx, uint32_t id, const struct sr_dp_vrf *vrf)
{
	char function[INET_ADDRSTRLEN];

	(void)ctx;
	assert_true(id < 32);
	memcpy(text.vrfs[id], vrf->name, SR_IFNAME_MAX);
	add_line("vrf %s %s", vrf->name, sr_function_format(vrf->function, function));
	return 0;
}

static int on_port(void *ctx, const struct sr_dp_port *port)
{
	char v4[INET_ADDRSTRLEN + 1] = " ", v6[INET6_ADDRSTRLEN + 1] = " ";

	(void)ctx;
	if (port->gateway4)
		inet_ntop(AF_INET, &port->gateway4, v4 + 1, sizeof(v4) - 1);
	if (!IN6_IS_ADDR_UNSPECIFIED(&port->gateway6))
		inet_ntop(AF_INET6, &port->gateway6, v6 + 1, sizeof(v6) - 1);
	add_line("port %s %s%s%s", ifname(port->ifindex), text.vrfs[port->vrf], v4[1] ? v4 : "", v6[1] ? v6 : "");
	return 0;
}

static int on_nexthop(void *ctx, uint32_t id, const struct sr_dp_nexthop *nh)
{
	char part[SR_LOCATOR_STRLEN + SR_SID_STRLEN], *to;

	(void)ctx;
	assert_true(id < 64);
	to = text.hops[id];
	switch (nh->kind) {
	case SR_NH_NONE:
		snprintf(to, sizeof(text.hops[0]), "none");
		break;
	case SR_NH_NODE:
		snprintf(to, sizeof(text.hops[0]), "node %s", sr_locator_format(&nh->locator, part));
		break;
	case SR_NH_PORT:
		snprintf(to, sizeof(text.hops[0]), "port %s", ifname(nh->ifindex));
		break;
	case SR_NH_SIDS:
		to += snprintf(to, sizeof(text.hops[0]), "sids");
		for (size_t i = 0; i < nh->n_segs; i++)
			to += sprintf(to, " %s", sr_sid_format(&nh->segs[i], part));
		break;
	}
	return 0;
}

static int on_routes(void *ctx, const struct sr_dp_route *routes, size_t n)
{
	char dst[SR_PREFIX_STRLEN];

	(void)ctx;
	for (size_t i = 0; i < n; i++) {
		assert_true(routes[i].vrf < 32 && routes[i].nexthop < 64);
		add_line("route %s %s %s", text.vrfs[routes[i].vrf], sr_prefix_format(&routes[i].dst, dst),
			 text.hops[routes[i].nexthop]);
	}
	return 0;
}

static int on_sid(void *ctx, const struct sr_sid *sid, const struct sr_bpf_sid *what, const struct sr_bpf_counter *c)
{
	char buf[SR_SID_STRLEN];

	(void)ctx;
	(void)c;
	add_line("sid %s %s %d", sr_sid_format(sid, buf), text.vrfs[what->vrf], what->behavior);
	return 0;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

const char *lx_state(struct sr_dp *dp)
{
	static const struct sr_dp_dump cb = {on_uplink, on_vrf, on_port, on_nexthop, on_routes};
	static const struct sr_dp_counters counters = {.sid = on_sid};
	static char bufs[2][TEXT_MAX];
	static unsigned int turn;
	char *out = bufs[turn++ % 2], *end = out;

	memset(&text, 0, sizeof(text));
	assert_int_equal(dp->ops->dump(dp, &cb, NULL), 0);
	assert_int_equal(dp->ops->counters(dp, &counters, NULL), 0);
	qsort(text.lines, text.n, sizeof(text.lines[0]), by_text);
	*end = '\0';
	for (size_t i = 0; i < text.n; i++) {
		end += snprintf(end, TEXT_MAX - (size_t)(end - out), "%s\n", text.lines[i]);
		assert_true(end < out + TEXT_MAX);
		free(text.lines[i]);
	}
	return out;
}

const char *lx_kernel(void)
{
	struct sr_dp *dp = NULL;
	char err[512] = "";
	const char *state;

	if (sr_dp_linux_open_readonly(state_dir, &dp, err, sizeof(err)))
		fail_msg("open read-only: %s", err);
	state = lx_state(dp);
	dp->ops->close(dp);
	return state;
}

void lx_expect(struct sr_dp *dp, const char *expected)
{
	assert_string_equal(lx_state(dp), expected);
	assert_string_equal(lx_kernel(), expected);
}

/* ---- the kernel's notices */

int lx_listen(void)
{
	const struct sockaddr_nl addr = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

unsigned int lx_heard(int fd)
{
	unsigned int n = 0;
	char buf[8192];

	while (recv(fd, buf, sizeof(buf), 0) > 0)
		n++;
	assert_int_equal(errno, EAGAIN);
	return n;
}
