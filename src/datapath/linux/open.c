/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The life of a Linux datapath.
 *
 * What it takes is found out by trying, on a VRF device that is there for a moment (PROBE): drivers are
 * modules that the kernel loads when they are asked for, and version numbers say nothing about either.
 */
#include "datapath/linux/linux.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <linux/seg6_local.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "datapath/linux/filter.h"

#define PROBE SR_KVRF_PART
#define PROBE_TABLE 0xfffffff0U

static struct sr_linux *alloc(uint32_t max_vrfs, uint32_t max_hops)
{
	struct sr_linux *dp = calloc(1, sizeof(*dp));

	if (!dp)
		return NULL;
	dp->lock_fd = -1;
	dp->max_vrfs = max_vrfs;
	dp->max_hops = max_hops;
	dp->vrfs = calloc((size_t)max_vrfs + 1, sizeof(*dp->vrfs));
	dp->hops = calloc((size_t)max_hops + 1, sizeof(*dp->hops));
	return dp;
}

static void linux_close(struct sr_dp *base)
{
	struct sr_linux *dp = sr_linux(base);

	if (!dp)
		return;
	sr_rtnl_batch_fini(&dp->batch);
	sr_rtnl_close(&dp->nl);
	sr_saved_fini(&dp->saved);
	sr_table_fini(&dp->table);
	free(dp->vrfs);
	free(dp->hops);
	free(dp->ports);
	free(dp->sids);
	free(dp->used_tables);
	if (dp->lock_fd >= 0)
		close(dp->lock_fd); /* last: whoever gets the lock finds nothing of this process at work */
	free(dp);
}

/* ---- what this kernel has */

static int probe_behavior(struct sr_linux *dp, uint32_t ifindex, enum sr_sid_behavior behavior)
{
	struct sr_kroute route = {
		.dst = {IN6ADDR_LOOPBACK_INIT, 128},
		.table = PROBE_TABLE,
		.type = RTN_UNICAST,
		.protocol = RTPROT_BOOT,
		.metric = SR_METRIC6,
		.oif = ifindex,
		.encap = SR_KENCAP_SEG6_LOCAL,
		.action = sr_linux_action(behavior),
	};

	if (behavior == SR_SID_END_DX4)
		route.nh4 = htonl(0xa9fe0001); /* 169.254.0.1 */
	else
		route.vrftable = PROBE_TABLE;
	return sr_linux_route_set(dp, &route, true);
}

static const char *behavior_name(enum sr_sid_behavior behavior)
{
	static const char *const names[] = {"?", "End", "End.DT4", "End.DT6", "End.DT46", "End.DX4"};

	return names[behavior];
}

/* The best there is, where it is not said: End.DT46 takes both families, End.DX4 is the oldest. */
static int choose_behavior(struct sr_linux *dp, uint32_t ifindex, enum sr_sid_behavior wanted, const struct sr_err *err)
{
	static const enum sr_sid_behavior order[] = {SR_SID_END_DT46, SR_SID_END_DT4, SR_SID_END_DX4};
	int r = -EOPNOTSUPP;

	if (wanted) {
		r = probe_behavior(dp, ifindex, wanted);
		dp->behavior = wanted;
		return r < 0 ? sr_dp_fail(err, -EOPNOTSUPP, "this kernel does not take %s%s: %s", behavior_name(wanted),
					  wanted == SR_SID_END_DX4 ? "" : " with a VRF's table",
					  dp->nl.text[0] ? dp->nl.text : strerror(-r))
			     : 0;
	}
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]) && r < 0; i++) {
		dp->behavior = order[i];
		r = probe_behavior(dp, ifindex, order[i]);
	}
	return r < 0 ? sr_dp_fail(
			       err, -EOPNOTSUPP,
			       "this kernel has none of End.DT46, End.DT4 and End.DX4 (CONFIG_IPV6_SEG6_LWTUNNEL): %s",
			       strerror(-r))
		     : 0;
}

static int probe_filters(struct sr_linux *dp, uint32_t ifindex, const struct sr_err *err)
{
	int r = sr_filter_clsact(&dp->nl, ifindex);

	if (r == 0)
		r = sr_filter_tap(&dp->nl, ifindex, dp->domains, dp->n_domains);
	if (r == 0)
		r = sr_filter_ttl(&dp->nl, ifindex, 0, &in6addr_any);
	if (r == 0)
		r = sr_filter_down(&dp->nl, ifindex, true);
	return r < 0 ? sr_dp_fail(err, -EOPNOTSUPP,
				  "this kernel cannot do at taps what routes cannot: it takes the modules sch_ingress, "
				  "cls_flower, cls_matchall, act_gact, act_pedit and act_csum: %s",
				  strerror(-r))
		     : 0;
}

static int probe(struct sr_linux *dp, enum sr_sid_behavior behavior, const struct sr_err *err)
{
	unsigned int left = if_nametoindex(PROBE); /* by one that was killed */
	uint32_t ifindex = 0;
	int r = left ? sr_klink_del(&dp->nl, left) : 0;

	if (r == 0)
		r = sr_kvrf_add(&dp->nl, PROBE, PROBE_TABLE, "srfabric's, for a moment", &ifindex);
	if (r == -EOPNOTSUPP)
		return sr_dp_fail(
			err, r,
			"this kernel has no VRF driver (CONFIG_NET_VRF, module vrf), which datapath linux takes; "
			"set [datapath] kind = ebpf, or run a kernel that has it");
	if (r < 0)
		return sr_dp_fail(err, r == -EACCES ? -EPERM : r, "make a VRF device: %s%s", strerror(-r),
				  r == -EPERM ? "; it takes root" : "");
	/* Without it the kernel takes no table as that of a VRF. What stands in its way: two VRF devices on one. */
	r = sr_sysctl_set(&dp->saved, "1", "net/vrf/strict_mode");
	if (r < 0 && behavior != SR_SID_END_DX4)
		r = sr_dp_fail(err, r, "set net.vrf.strict_mode: %s%s", strerror(-r),
			       r == -EBUSY ? "; two VRF devices share a table" : "");
	else
		r = choose_behavior(dp, ifindex, behavior, err);
	if (r == 0)
		r = probe_filters(dp, ifindex, err);
	sr_klink_del(&dp->nl, ifindex);
	return r;
}

/* ---- what is set for the whole node */

/*
 * Each interface's own: turning it on for all sets it on each, and turning it off for all would turn off those that
 * had it on before.
 */
static int save_each(struct sr_linux *dp, const char *family)
{
	char dir[64], path[SR_SAVED_WORD], was[64];
	struct dirent *entry;
	int r = 0;
	DIR *d;

	snprintf(dir, sizeof(dir), "/proc/sys/net/%s/conf", family);
	d = opendir(dir);
	if (!d)
		return -errno;
	while (r == 0 && (entry = readdir(d))) {
		if (entry->d_name[0] == '.' || strcmp(entry->d_name, "all") == 0)
			continue;
		snprintf(path, sizeof(path), "net/%s/conf/%.64s/forwarding", family, entry->d_name);
		if (sr_sysctl_read(path, was, sizeof(was)) == 0 && strcmp(was, "1") == 0)
			r = sr_saved_add(&dp->saved, "sysctl", path, was);
	}
	closedir(d);
	return r;
}

static int forward(struct sr_linux *dp, const char *family)
{
	char path[64], was[64];
	int r;

	snprintf(path, sizeof(path), "net/%s/conf/all/forwarding", family);
	r = sr_sysctl_read(path, was, sizeof(was));
	if (r < 0 || strcmp(was, "1") == 0)
		return r;
	r = save_each(dp, family);
	return r < 0 ? r : sr_sysctl_set(&dp->saved, "1", "%s", path);
}

static int set_sysctls(struct sr_linux *dp, const struct sr_err *err)
{
	static const char *const settings[][2] = {
		{"net/ipv4/conf/all/rp_filter", "0"},	 {"net/ipv4/conf/default/rp_filter", "0"},
		{"net/ipv6/conf/all/seg6_enabled", "1"}, {"net/ipv6/conf/default/seg6_enabled", "1"},
		{"net/ipv6/seg6_flowlabel", "1"}, /* RFC 6438: the outer flow label from the inner flow */
	};
	int r = forward(dp, "ipv4");

	if (r == 0)
		r = forward(dp, "ipv6");
	if (r < 0)
		return sr_dp_fail(err, r, "turn on forwarding: %s", strerror(-r));
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		r = sr_sysctl_set(&dp->saved, settings[i][1], "%s", settings[i][0]);
		if (r < 0)
			return sr_dp_fail(err, r, "set %s to %s: %s", settings[i][0], settings[i][1], strerror(-r));
	}
	return 0;
}

/* Table local is to come after the VRFs' own tables, or VMs reach the node's addresses. The new rule first. */
static int move_local(struct sr_linux *dp, int family)
{
	const char *name = family == AF_INET ? "4" : "6";
	bool first;
	int r = sr_krule_local(&dp->nl, family, 0, &first);

	if (r == 0)
		r = sr_krule_set(&dp->nl, family, SR_RULE_LOCAL, NULL, RT_TABLE_LOCAL, true);
	if (r < 0 || !first)
		return r;
	r = sr_saved_add(&dp->saved, "local", name, "");
	return r < 0 ? r : sr_krule_set(&dp->nl, family, 0, NULL, RT_TABLE_LOCAL, false);
}

static int move_local_back(struct sr_linux *dp, int family)
{
	const char *name = family == AF_INET ? "4" : "6";
	int r;

	if (!sr_saved_find(&dp->saved, "local", name))
		return 0;
	r = sr_krule_set(&dp->nl, family, 0, NULL, RT_TABLE_LOCAL, true);
	if (r == 0)
		r = sr_krule_set(&dp->nl, family, SR_RULE_LOCAL, NULL, RT_TABLE_LOCAL, false);
	return r < 0 ? r : sr_saved_del(&dp->saved, "local", name);
}

static int domain_rules(struct sr_linux *dp, bool there)
{
	int r = 0;

	for (size_t i = 0; i < dp->n_domains && r == 0; i++) {
		r = sr_krule_set(&dp->nl, AF_INET6, SR_RULE_DOMAIN_LOCAL, &dp->domains[i], RT_TABLE_LOCAL, there);
		if (r == 0)
			r = sr_krule_set(&dp->nl, AF_INET6, SR_RULE_DOMAIN_MAIN, &dp->domains[i], RT_TABLE_MAIN, there);
	}
	return r;
}

static int set_rules(struct sr_linux *dp, const struct sr_err *err)
{
	int r = domain_rules(dp, true);

	if (r == 0) /* of a SID space that was another */
		r = sr_krule_sweep(&dp->nl, SR_RULE_DOMAIN_LOCAL, RT_TABLE_LOCAL, dp->domains, dp->n_domains);
	if (r == 0)
		r = sr_krule_sweep(&dp->nl, SR_RULE_DOMAIN_MAIN, RT_TABLE_MAIN, dp->domains, dp->n_domains);
	if (r == 0)
		r = move_local(dp, AF_INET6);
	if (r == 0)
		r = move_local(dp, AF_INET);
	return r < 0 ? sr_dp_fail(err, r, "set policy rules: %s", strerror(-r)) : 0;
}

/* The kernel would take an address of the VRF device, and sends nothing at all, silently, where there is none. */
static int set_tunsrc(struct sr_linux *dp, const struct sr_err *err)
{
	struct in6_addr was;
	char text[INET6_ADDRSTRLEN];
	int r = sr_ktunsrc_get(&was);

	if (r == 0 && !IN6_ARE_ADDR_EQUAL(&was, &dp->source)) {
		r = sr_saved_add(&dp->saved, "tunsrc", sr_sid_format(&(struct sr_sid){was}, text), "");
		if (r == 0)
			r = sr_ktunsrc_set(&dp->source);
	}
	return r < 0 ? sr_dp_fail(err, r, "set the outer source of seg6 (CONFIG_IPV6_SEG6_LWTUNNEL): %s", strerror(-r))
		     : 0;
}

/* Those that the record knows, but `keep`, go. */
static int remove_ends(struct sr_linux *dp, const char *keep)
{
	int r = 0;

	for (size_t i = dp->saved.n; i-- > 0 && r == 0;) {
		struct sr_linux_sid end = {.action = SEG6_LOCAL_ACTION_END};
		char text[SR_SID_STRLEN];
		struct sr_kroute route;

		if (strcmp(dp->saved.entries[i].kind, "end") != 0 || strcmp(dp->saved.entries[i].what, keep) == 0)
			continue;
		snprintf(text, sizeof(text), "%.45s", dp->saved.entries[i].what);
		if (sr_sid_parse(text, &end.sid) == 0) {
			sr_linux_sid_route(&end, &route);
			r = sr_linux_route_set(dp, &route, false);
		}
		if (r == 0)
			r = sr_saved_del(&dp->saved, "end", text);
	}
	return r;
}

/* The node's End SID. The kernel asks for an interface and does not use it: lo, which is there whatever uplinks do. */
static int set_end(struct sr_linux *dp, const struct sr_err *err)
{
	struct sr_linux_sid end = {
		.sid = sr_sid_make(&dp->locators[0], dp->end_function),
		.oif = if_nametoindex("lo"),
		.action = SEG6_LOCAL_ACTION_END,
	};
	char text[SR_SID_STRLEN] = "";
	struct sr_kroute route;
	int r;

	if (dp->end_function.v)
		sr_sid_format(&end.sid, text);
	r = remove_ends(dp, text);
	if (r == 0 && text[0]) {
		sr_linux_sid_route(&end, &route);
		r = sr_saved_add(&dp->saved, "end", text, "");
		if (r == 0)
			r = sr_linux_route_set(dp, &route, true);
	}
	return r < 0 ? sr_dp_fail(err, r, "set the node's End SID through lo: %s", strerror(-r)) : 0;
}

/* ---- destroy */

static int remove_routes(struct sr_linux *dp)
{
	size_t done;
	int r = 0;

	while (dp->table.n > 0 && r == 0) {
		const struct sr_table_route *last = &dp->table.routes[dp->table.n - 1];
		const struct sr_dp_route gone = {.vrf = last->vrf, .dst = last->dst};

		r = sr_linux_routes(&dp->dp, &gone, 1, &done);
	}
	return r;
}

static int remove_ports(struct sr_linux *dp)
{
	int r = 0;

	while (dp->n_ports > 0 && r == 0)
		r = sr_linux_port_del(&dp->dp, dp->ports[0].port.ifindex);
	return r;
}

static int remove_uplinks(struct sr_linux *dp)
{
	char name[SR_IFNAME_MAX];
	int r = 0;

	for (size_t i = dp->saved.n; i-- > 0 && r == 0;) {
		if (strcmp(dp->saved.entries[i].kind, "uplink") != 0)
			continue;
		snprintf(name, sizeof(name), "%.15s", dp->saved.entries[i].what);
		r = sr_linux_uplink_release(dp, name);
		i = dp->saved.n;
	}
	return r;
}

static int remove_end(struct sr_linux *dp)
{
	return remove_ends(dp, "");
}

static int restore_node(struct sr_linux *dp)
{
	const struct sr_saved_entry *entry = NULL;
	struct sr_sid was;
	int r;

	for (size_t i = 0; i < dp->saved.n && !entry; i++)
		if (strcmp(dp->saved.entries[i].kind, "tunsrc") == 0)
			entry = &dp->saved.entries[i];
	r = entry && inet_pton(AF_INET6, entry->what, &was.a) == 1 ? sr_ktunsrc_set(&was.a) : 0;
	if (r == 0)
		r = move_local_back(dp, AF_INET);
	if (r == 0)
		r = move_local_back(dp, AF_INET6);
	if (r == 0)
		r = domain_rules(dp, false);
	return r < 0 ? r : sr_sysctl_restore(&dp->saved, NULL);
}

/* Goes on past errors and returns the first; the record of what is to be given back stays then. */
static int linux_destroy(struct sr_dp *base)
{
	struct sr_linux *dp = sr_linux(base);
	int (*const steps[])(struct sr_linux *) = {remove_routes, remove_ports, remove_uplinks, remove_end};
	int first = 0, r;

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		r = steps[i](dp);
		first = first ? first : r;
	}
	for (uint32_t id = 1; id <= dp->max_vrfs; id++) {
		r = sr_linux_vrf_del(base, id);
		first = first ? first : r;
	}
	r = restore_node(dp);
	first = first ? first : r;
	if (first == 0)
		unlink(dp->saved.path);
	linux_close(base);
	return first;
}

/* ---- open */

/* Outer packets' sizes are the kernel's business, on its way out: see docs/datapath.md for what it does not do. */
static int linux_mtu_set(struct sr_dp *base, uint32_t mtu)
{
	(void)base;
	return mtu < 1280 ? -EINVAL : 0;
}

static const struct sr_dp_ops linux_ops = {
	.name = "linux",
	.close = linux_close,
	.destroy = linux_destroy,
	.uplink_set = sr_linux_uplink_set,
	.uplink_del = sr_linux_uplink_del,
	.mtu_set = linux_mtu_set,
	.vrf_set = sr_linux_vrf_set,
	.vrf_del = sr_linux_vrf_del,
	.port_set = sr_linux_port_set,
	.port_del = sr_linux_port_del,
	.nexthop_set = sr_linux_nexthop_set,
	.nexthop_del = sr_linux_nexthop_del,
	.routes = sr_linux_routes,
	.dump = sr_linux_dump,
	.counters = sr_linux_counters,
};

static const struct sr_dp_ops readonly_ops = SR_DP_READONLY("linux", linux_close, sr_linux_dump, sr_linux_counters);

static int check(const struct sr_dp_config *c, const struct sr_err *err)
{
	if (!c->state_dir || c->state_dir[0] != '/')
		return sr_dp_fail(err, -EINVAL, "state_dir must be an absolute path");
	if (c->dscp_mode != SR_DSCP_COPY || c->hop_limit != 64)
		return sr_dp_fail(
			err, -EINVAL,
			"the kernel's seg6 has no setting for the outer DSCP and hop limit: leave [fabric] dscp and "
			"hop_limit at copy and 64, or set [datapath] kind = ebpf");
	if (c->vrf_behavior && (c->vrf_behavior < SR_SID_END_DT4 || c->vrf_behavior > SR_SID_END_DX4))
		return sr_dp_fail(err, -EINVAL, "vrf_behavior must be End.DT4, End.DT6, End.DT46 or End.DX4");
	return sr_dp_check(c, err);
}

static int open_parts(struct sr_linux *dp, const struct sr_err *err)
{
	int r = dp->vrfs && dp->hops ? 0 : -ENOMEM;

	if (r == 0)
		r = sr_rtnl_open(&dp->nl, NETLINK_ROUTE);
	if (r == 0)
		r = sr_rtnl_batch_init(&dp->batch, &dp->nl);
	return r < 0 ? sr_dp_fail(err, r, "rtnetlink: %s", strerror(-r)) : 0;
}

static int learn(struct sr_linux *dp, const struct sr_err *err)
{
	int r = sr_linux_learn(dp);

	if (r == -ENOSPC)
		return sr_dp_fail(err, r,
				  "there are more VRFs or next hops in the kernel than max_vrfs or max_nexthops");
	return r < 0 ? sr_dp_fail(err, r, "read the kernel's routes: %s", strerror(-r)) : 0;
}

static int open_locked(struct sr_linux *dp, const struct sr_dp_config *config, const struct sr_err *err)
{
	int r = open_parts(dp, err);

	if (r == 0)
		r = sr_saved_open(&dp->saved, config->state_dir);
	if (r == 0)
		r = sr_saved_forget(&dp->saved, NULL);
	if (r == 0)
		r = probe(dp, config->vrf_behavior, err);
	if (r == 0)
		r = set_sysctls(dp, err);
	if (r == 0)
		r = set_tunsrc(dp, err);
	if (r == 0)
		r = set_rules(dp, err);
	if (r == 0)
		r = set_end(dp, err);
	if (r == 0)
		r = learn(dp, err);
	if (r < 0)
		return r;
	r = sr_linux_vrfs_follow(dp);
	return r < 0 ? sr_dp_fail(err, r, "bring the SIDs in table local up to date: %s", strerror(-r)) : 0;
}

/* mkdir -p of what the lock's directory lies in. */
static void make_parent(const char *dir)
{
	char *path = strdup(dir), *slash = path ? strrchr(path, '/') : NULL;

	if (slash && slash != path) {
		*slash = '\0';
		mkdir(path, 0755); /* if it fails, so does what comes next, and says why */
	}
	free(path);
}

int sr_dp_linux_open(const struct sr_dp_config *config, struct sr_dp **ret, char *buf, size_t len)
{
	const struct sr_err err = {buf, buf ? len : 0};
	struct sr_linux *dp;
	int r = check(config, &err);

	if (r < 0)
		return r;
	dp = alloc(config->max_vrfs, config->max_nexthops);
	if (!dp)
		return sr_dp_fail(&err, -ENOMEM, "no memory");
	dp->dp.ops = &linux_ops;
	memcpy(dp->locators, config->locators, sizeof(dp->locators));
	memcpy(dp->domains, config->domains, sizeof(dp->domains));
	dp->n_locators = config->n_locators;
	dp->n_domains = config->n_domains;
	dp->source = config->source;
	dp->end_function = config->end_function;
	dp->reduced = config->encap_mode == SR_ENCAP_REDUCED;
	dp->next_table = config->first_table ? config->first_table : SR_FIRST_TABLE;
	make_parent(config->state_dir);
	r = sr_dp_lock(config->state_dir, "state_dir", &dp->lock_fd, &err);
	if (r == 0)
		r = open_locked(dp, config, &err);
	if (r < 0) {
		linux_close(&dp->dp);
		return r;
	}
	*ret = &dp->dp;
	return 0;
}

int sr_dp_linux_open_readonly(const char *state_dir, struct sr_dp **ret, char *buf, size_t len)
{
	const struct sr_err err = {buf, buf ? len : 0};
	struct sr_linux *dp;
	struct stat st;
	int r;

	if (stat(state_dir, &st))
		return sr_dp_fail(&err, -errno, "%s: %s; is the agent's `state_dir` there?", state_dir,
				  strerror(errno));
	dp = alloc(1 << 16, 1 << 18); /* any that are there fit */
	if (!dp)
		return sr_dp_fail(&err, -ENOMEM, "no memory");
	dp->dp.ops = &readonly_ops;
	r = open_parts(dp, &err);
	if (r == 0)
		r = sr_saved_open(&dp->saved, state_dir);
	if (r == 0)
		r = learn(dp, &err);
	if (r < 0) {
		linux_close(&dp->dp);
		return r;
	}
	*ret = &dp->dp;
	return 0;
}
