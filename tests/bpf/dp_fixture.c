/* SPDX-License-Identifier: GPL-2.0-only */
#include "dp_fixture.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <ftw.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#define BPFFS "/mnt" /* in a mount namespace of our own */
#define DIR BPFFS "/node"

__attribute__((format(printf, 1, 2))) static int run(const char *fmt, ...)
{
	char cmd[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(cmd, sizeof(cmd), fmt, ap);
	va_end(ap);
	return system(cmd); /* NOLINT(cert-env33-c) */
}

int dp_isolate(void)
{
	if (geteuid() || unshare(CLONE_NEWNET | CLONE_NEWNS)) {
		printf("skipped: eBPF and network namespaces take root\n");
		return DP_SKIP;
	}
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) || mount("bpf", BPFFS, "bpf", 0, NULL)) {
		printf("cannot mount a bpf file system: %s\n", strerror(errno));
		return 1;
	}
	return run("ip link set lo up");
}

const char *dp_bpffs(void)
{
	return BPFFS;
}

const char *dp_dir(void)
{
	return DIR;
}

const char *dp_pin(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), DIR "/v%d/%s", SR_ABI_VERSION, name);
	return path;
}

struct sr_locator dp_locator(const char *text)
{
	struct sr_locator loc;

	assert_int_equal(sr_locator_parse(text, &loc), 0);
	return loc;
}

struct sr_prefix dp_prefix(const char *text)
{
	struct sr_prefix p;

	assert_int_equal(sr_prefix_parse(text, &p), 0);
	return p;
}

struct sr_dp_vrf dp_vrf(const char *name, const char *function)
{
	struct sr_dp_vrf vrf = {.mtu = 1400};

	snprintf(vrf.name, sizeof(vrf.name), "%s", name);
	assert_int_equal(sr_function_parse(function, &vrf.function), 0);
	return vrf;
}

struct sr_dp_config dp_config(void)
{
	struct sr_dp_config c = {
		.n_locators = 1,
		.n_domains = 1,
		.hop_limit = 64,
		.icmp_rate = 10,
		.vrf_behavior = SR_SID_END_DT46,
		.max_vrfs = 16,
		.max_nexthops = 32,
		.max_routes = 64,
		.bpffs = DIR,
	};

	c.locators[0] = dp_locator("2400:dcc0::a7a:4d8e");
	c.domains[0] = dp_prefix("2400:dcc0::/32");
	c.source = dp_prefix("2400:dcc0::1").addr;
	return c;
}

struct sr_dp *dp_open(const struct sr_dp_config *config)
{
	const struct sr_dp_config plain = dp_config();
	struct sr_dp *dp = NULL;
	char err[512] = "";

	if (sr_dp_ebpf_open(config ? config : &plain, &dp, err, sizeof(err)))
		fail_msg("open: %s", err);
	return dp;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

int dp_clear(void **state)
{
	struct if_nameindex *list = if_nameindex();
	int r;

	(void)state;
	assert_non_null(list);
	for (const struct if_nameindex *i = list; i->if_index; i++) {
		LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)i->if_index,
			    .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);

		r = bpf_tc_hook_destroy(&hook);
		assert_true(!r || r == -ENOENT || r == -EINVAL);
	}
	if_freenameindex(list);
	return access(DIR, F_OK) ? 0 : nftw(DIR, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

void dp_link_add(const char *name)
{
	FILE *ip = popen("ip -batch -", "w"); /* NOLINT(cert-env33-c) */

	assert_non_null(ip);
	fprintf(ip, "link add %s type veth peer name %sp\nlink set %s up\nlink set %sp up\n", name, name, name, name);
	assert_int_equal(pclose(ip), 0);
}

void dp_link_del(const char *name)
{
	assert_int_equal(run("ip link del %s", name), 0);
}

uint32_t dp_ifindex(const char *name)
{
	return if_nametoindex(name);
}

/* Asks tc, not the code under test. */
uint32_t dp_attached(const char *ifname, const char *program)
{
	char cmd[128], line[512];
	uint32_t id = 0;
	FILE *f;

	snprintf(cmd, sizeof(cmd), "tc filter show dev %s ingress", ifname);
	f = popen(cmd, "r"); /* NOLINT(cert-env33-c) */
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		const char *at = strstr(line, program);

		at = at ? strstr(at, " id ") : NULL;
		if (at)
			id = (uint32_t)strtoul(at + 4, NULL, 10);
	}
	pclose(f);
	return id;
}

#define TAKE(list, n) (assert_true((n) < DP_LIST_MAX), &(list)[(n)++])

static int take_uplink(void *ctx, uint32_t ifindex)
{
	struct dp_dump *d = ctx;

	*TAKE(d->uplinks, d->n_uplinks) = ifindex;
	return 0;
}

static int take_vrf(void *ctx, uint32_t id, const struct sr_dp_vrf *vrf)
{
	struct dp_dump *d = ctx;

	d->vrfs[d->n_vrfs].id = id;
	TAKE(d->vrfs, d->n_vrfs)->vrf = *vrf;
	return 0;
}

static int take_port(void *ctx, const struct sr_dp_port *port)
{
	struct dp_dump *d = ctx;

	*TAKE(d->ports, d->n_ports) = *port;
	return 0;
}

static int take_nexthop(void *ctx, uint32_t id, const struct sr_dp_nexthop *nh)
{
	struct dp_dump *d = ctx;

	d->nexthops[d->n_nexthops].id = id;
	TAKE(d->nexthops, d->n_nexthops)->nh = *nh;
	return 0;
}

static int take_routes(void *ctx, const struct sr_dp_route *routes, size_t n)
{
	struct dp_dump *d = ctx;

	for (size_t i = 0; i < n; i++)
		*TAKE(d->routes, d->n_routes) = routes[i];
	return 0;
}

static int take_sid(void *ctx, const struct sr_sid *sid, const struct sr_bpf_sid *what, const struct sr_bpf_counter *c)
{
	struct dp_dump *d = ctx;

	(void)c;
	d->sids[d->n_sids].sid = *sid;
	TAKE(d->sids, d->n_sids)->what = *what;
	return 0;
}

const struct dp_dump *dp_dump(struct sr_dp *dp)
{
	static const struct sr_dp_dump cb = {take_uplink, take_vrf, take_port, take_nexthop, take_routes};
	static const struct sr_dp_counters counters = {.sid = take_sid};
	static struct dp_dump dump;

	memset(&dump, 0, sizeof(dump));
	assert_int_equal(dp->ops->dump(dp, &cb, &dump), 0);
	assert_int_equal(dp->ops->counters(dp, &counters, &dump), 0);
	return &dump;
}

uint32_t dp_dump_route(const struct dp_dump *dump, uint32_t vrf, const char *dst)
{
	const struct sr_prefix p = dp_prefix(dst);

	for (size_t i = 0; i < dump->n_routes; i++)
		if (dump->routes[i].vrf == vrf && sr_prefix_equal(&dump->routes[i].dst, &p))
			return dump->routes[i].nexthop;
	return 0;
}

const struct sr_bpf_sid *dp_dump_sid(const struct dp_dump *dump, const char *text)
{
	struct sr_sid sid;

	assert_int_equal(sr_sid_parse(text, &sid), 0);
	for (size_t i = 0; i < dump->n_sids; i++)
		if (!memcmp(&dump->sids[i].sid, &sid, sizeof(sid)))
			return &dump->sids[i].what;
	return NULL;
}
