/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What outlives a process of the Linux datapath, and what another then finds: restart, kill -9 anywhere, another
 * configuration, what others have in the kernel, the lock, the end of it all.
 */
#include "lx.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- what is wanted, and how a caller gets there from whatever is there */

enum { NODE = 1, SIDS, NONE, PORT, N_HOPS = PORT };

static const struct {
	const char *name, *function;
	uint32_t table;
} vrfs[] = {{"a", "169.254.1.1", 2001}, {"b", "169.254.1.2", 2002}};

static const struct {
	const char *vrf, *dst;
	uint32_t hop;
} wanted[] = {
	{"a", "0.0.0.0/0", SIDS},   {"a", "10.0.0.1", PORT},	  {"a", "10.0.0.2", NODE},
	{"a", "10.9.0.0/16", NONE}, {"a", "2001:db8::/64", NODE}, {"b", "10.0.0.1", NODE},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define THINGS "port tap1 a 10.0.0.254 2001:db8::fe\n"
#define ROUTES                                                                                                         \
	"route a 0.0.0.0/0 sids 2400:dcc0::c:1:1 2400:dcc0::d:1:1\nroute a 10.0.0.1 port tap1\n"                       \
	"route a 10.0.0.2 node 2400:dcc0::b\nroute a 10.9.0.0/16 none\nroute a 2001:db8::/64 node 2400:dcc0::b\n"      \
	"route b 10.0.0.1 node 2400:dcc0::b\n"
#define SIDS_AT(locator, behavior) "sid " locator "a9fe:101 a " behavior "\nsid " locator "a9fe:102 b " behavior "\n"
#define VRFS "uplink up1\nvrf a 169.254.1.1\nvrf b 169.254.1.2\n"
#define WHOLE THINGS ROUTES SIDS_AT(LX_LOC, "4") VRFS

enum { MAX = 256 };

struct there {
	uint32_t vrf_ids[MAX], hop_ids[MAX];
	struct sr_dp_vrf vrfs[MAX];
	struct sr_dp_port ports[MAX];
	struct sr_dp_route routes[MAX];
	size_t n_vrfs, n_hops, n_ports, n_routes;
};

static int see_vrf(void *ctx, uint32_t id, const struct sr_dp_vrf *vrf)
{
	struct there *t = ctx;

	assert_true(t->n_vrfs < MAX);
	t->vrf_ids[t->n_vrfs] = id;
	t->vrfs[t->n_vrfs++] = *vrf;
	return 0;
}

static int see_port(void *ctx, const struct sr_dp_port *port)
{
	struct there *t = ctx;

	assert_true(t->n_ports < MAX);
	t->ports[t->n_ports++] = *port;
	return 0;
}

static int see_hop(void *ctx, uint32_t id, const struct sr_dp_nexthop *nh)
{
	struct there *t = ctx;

	(void)nh;
	assert_true(t->n_hops < MAX);
	t->hop_ids[t->n_hops++] = id;
	return 0;
}

static int see_routes(void *ctx, const struct sr_dp_route *routes, size_t n)
{
	struct there *t = ctx;

	for (size_t i = 0; i < n; i++) {
		assert_true(t->n_routes < MAX);
		t->routes[t->n_routes++] = routes[i];
	}
	return 0;
}

static void look(struct sr_dp *dp, struct there *t)
{
	static const struct sr_dp_dump cb = {
		.vrf = see_vrf, .port = see_port, .nexthop = see_hop, .routes = see_routes};

	memset(t, 0, sizeof(*t));
	assert_int_equal(dp->ops->dump(dp, &cb, t), 0);
}

static bool vrf_wanted(const char *name)
{
	for (size_t i = 0; i < COUNT(vrfs); i++)
		if (!strcmp(name, vrfs[i].name))
			return true;
	return false;
}

static const char *vrf_name(const struct there *t, uint32_t id)
{
	for (size_t i = 0; i < t->n_vrfs; i++)
		if (t->vrf_ids[i] == id)
			return t->vrfs[i].name;
	return "?";
}

static bool route_wanted(const char *vrf, const struct sr_prefix *dst)
{
	for (size_t i = 0; i < COUNT(wanted); i++) {
		const struct sr_prefix p = lx_prefix(wanted[i].dst);

		if (!strcmp(vrf, wanted[i].vrf) && sr_prefix_equal(&p, dst))
			return true;
	}
	return false;
}

/* Its id where it is there, else a free one. */
static uint32_t vrf_id(const struct there *t, const char *name)
{
	uint32_t free_id = 1;

	for (size_t i = 0; i < t->n_vrfs; i++)
		if (!strcmp(t->vrfs[i].name, name))
			return t->vrf_ids[i];
	for (size_t i = 0; i < t->n_vrfs; i++)
		if (t->vrf_ids[i] == free_id) {
			free_id++;
			i = (size_t)-1;
		}
	return free_id;
}

/* What is not wanted goes, in the order that datapath.h asks for. */
static void clear(struct sr_dp *dp)
{
	struct there t;
	size_t done;

	look(dp, &t);
	for (size_t i = 0; i < t.n_routes; i++) {
		t.routes[i].nexthop = 0;
		if (!route_wanted(vrf_name(&t, t.routes[i].vrf), &t.routes[i].dst))
			assert_int_equal(dp->ops->routes(dp, &t.routes[i], 1, &done), 0);
	}
	for (size_t i = 0; i < t.n_ports; i++)
		if (t.ports[i].ifindex != lx_ifindex("tap1"))
			assert_int_equal(dp->ops->port_del(dp, t.ports[i].ifindex), 0);
	for (size_t i = 0; i < t.n_vrfs; i++)
		if (!vrf_wanted(t.vrfs[i].name))
			assert_int_equal(dp->ops->vrf_del(dp, t.vrf_ids[i]), 0);
}

static void set_hops(struct sr_dp *dp, uint32_t base)
{
	const struct sr_dp_nexthop sids = {.cookie = 2,
					   .kind = SR_NH_SIDS,
					   .n_segs = 2,
					   .segs = {lx_sid("2400:dcc0::c:1:1"), lx_sid("2400:dcc0::d:1:1")}};

	lx_node(dp, base + NODE, "2400:dcc0::b");
	lx_hop(dp, base + SIDS, &sids);
	lx_hop(dp, base + NONE, &(struct sr_dp_nexthop){.cookie = 3, .kind = SR_NH_NONE});
	lx_port_hop(dp, base + PORT, "tap1");
}

/* Sets all that is wanted with next hops of its own, and takes away the rest, as the engine does after a start. */
static void converge(struct sr_dp *dp)
{
	struct sr_dp_route routes[COUNT(wanted)];
	uint32_t base = 0;
	struct there t;
	size_t done;

	clear(dp);
	look(dp, &t);
	for (size_t i = 0; i < t.n_hops; i++)
		base = t.hop_ids[i] > base ? t.hop_ids[i] : base;
	for (size_t i = 0; i < COUNT(vrfs); i++) {
		struct sr_dp_vrf vrf = {.table = vrfs[i].table};

		snprintf(vrf.name, sizeof(vrf.name), "%s", vrfs[i].name);
		assert_int_equal(sr_function_parse(vrfs[i].function, &vrf.function), 0);
		assert_int_equal(dp->ops->vrf_set(dp, vrf_id(&t, vrf.name), &vrf), 0);
		look(dp, &t);
	}
	set_hops(dp, base);
	for (size_t i = 0; i < COUNT(wanted); i++)
		routes[i] =
			(struct sr_dp_route){vrf_id(&t, wanted[i].vrf), base + wanted[i].hop, lx_prefix(wanted[i].dst)};
	assert_int_equal(dp->ops->routes(dp, routes, COUNT(wanted), &done), 0);
	lx_port(dp, "tap1", vrf_id(&t, "a"), base + PORT, "10.0.0.254", "2001:db8::fe");
	assert_int_equal(dp->ops->uplink_set(dp, lx_ifindex("up1")), 0);
	for (size_t i = 0; i < t.n_hops; i++)
		assert_int_equal(dp->ops->nexthop_del(dp, t.hop_ids[i]), 0);
}

static char *keep(const char *text)
{
	char *copy = strdup(text);

	assert_non_null(copy);
	return copy;
}

/* ---- tests */

static void test_restart(void **state)
{
	struct sr_dp *dp = *state;
	unsigned int heard;
	char *before;
	int fd;

	converge(dp);
	lx_expect(dp, WHOLE);
	before = lx_facts();
	fd = lx_listen();
	dp = lx_reopen(state, NULL);
	lx_expect(dp, WHOLE);
	lx_same(lx_facts(), before); /* open changes nothing, */
	lx_heard(fd);		     /* but on its probe */
	converge(dp);
	lx_expect(dp, WHOLE);
	lx_same(lx_facts(), before);
	heard = lx_heard(fd);
	assert_in_range(heard, 1, 6); /* the route to the tap, which says its neighbour; the VRFs' ends */
	close(fd);
	free(before);
}

/* A gateway's address that was there beside the new one when a process was killed. */
static void test_gateway_change_cut_off(void **state)
{
	struct sr_dp *dp = *state;
	char *before;

	converge(dp);
	before = lx_facts();
	for (int twice = 0; twice < 2; twice++) {
		lx_ip("addr add %s dev tap1 noprefixroute\naddr add %s dev tap1 noprefixroute nodad\n",
		      twice ? "10.0.0.1/32" : "10.0.0.255/32", twice ? "2001:db8::1/128" : "2001:db8::ffff/128");
		dp = lx_reopen(state, NULL);
		converge(dp);
		lx_expect(dp, WHOLE);
		lx_same(lx_facts(), before);
	}
	free(before);
}

/* Routes written for the other mode are written anew; one that is no longer wanted goes all the same. */
static void test_encap_mode_changes(void **state)
{
	struct sr_dp_config config = lx_config();
	struct sr_dp *dp = *state;

	for (int reduced = 1; reduced >= 0; reduced--) {
		converge(dp);
		lx_node(dp, 30, "2400:dcc0::b");
		lx_route(dp, 1, "10.7.0.0/16", 30);
		config.encap_mode = reduced ? SR_ENCAP_REDUCED : SR_ENCAP_SRH;
		dp = lx_reopen(state, &config);
		assert_int_equal(
			atoi(lx_run("ip route show table 2001 | grep -c 'mode encap%s '", reduced ? "" : ".red")), 3);
		converge(dp);
		lx_expect(dp, WHOLE);
		assert_string_equal(lx_run("ip route show table 2001 10.7.0.0/16"), "");
		assert_int_equal(atoi(lx_run("ip route show table all | grep -c 'mode encap '")), reduced ? 0 : 4);
		assert_int_equal(atoi(lx_run("ip route show table all | grep -c 'mode encap.red '")), reduced ? 4 : 0);
	}
}

static void test_locators_change(void **state)
{
	struct sr_dp_config config = lx_config();
	struct sr_dp *dp;

	config.end_function.v = htonl(1);
	dp = lx_reopen(state, &config);
	converge(dp);
	config.locators[config.n_locators++] = lx_locator("2400:dcc0::c1"); /* one more */
	dp = lx_reopen(state, &config);
	converge(dp);
	lx_expect(dp, THINGS ROUTES SIDS_AT(LX_LOC, "4") SIDS_AT("2400:dcc0::c1:", "4") VRFS);
	config.locators[0] = config.locators[1]; /* the first one goes */
	config.n_locators = 1;
	dp = lx_reopen(state, &config);
	converge(dp);
	lx_expect(dp, THINGS ROUTES SIDS_AT("2400:dcc0::c1:", "4") VRFS);
	assert_string_equal(lx_run("ip -6 route show table local | grep -o '^.*action End '"),
			    "local 2400:dcc0::c1:0:1  encap seg6local action End\n");
	assert_string_equal(lx_run("tc filter show dev up1 ingress | grep " LX_LOC), "");
	config.end_function.v = htonl(2);
	dp = lx_reopen(state, &config);
	converge(dp);
	assert_string_equal(lx_run("ip -6 route show table local | grep -o '^.*action End '"),
			    "local 2400:dcc0::c1:0:2  encap seg6local action End\n");
	config.end_function.v = 0;
	dp = lx_reopen(state, &config);
	converge(dp);
	assert_string_equal(lx_run("ip -6 route show table local | grep -o '^.*action End '"), "");
}

/* How often a text has `word` and then `prefix`. */
static size_t count(const char *whole, const char *word, const char *prefix)
{
	char part[64];
	size_t n = 0;

	snprintf(part, sizeof(part), "%s%s", word, prefix);
	for (; (whole = strstr(whole, part)); whole++)
		n++;
	return n;
}

/* SID space is another: no filter and no rule is about the old one. */
static void test_domains_change(void **state)
{
	static const char *const prefixes[] = {"2400:dcc0::/32", "2001:db8:1::/48", "2001:db8:2::/48"};
	static const char *const orders[] = {"01", "10", "201", "2", "02"};
	static char rules[8192], tap[16384], uplink[16384];
	struct sr_dp *dp;

	for (size_t i = 0; i < COUNT(orders); i++) {
		struct sr_dp_config config = lx_config();

		config.n_domains = strlen(orders[i]);
		for (size_t d = 0; d < config.n_domains; d++)
			config.domains[d] = lx_prefix(prefixes[orders[i][d] - '0']);
		dp = lx_reopen(state, &config);
		converge(dp);
		snprintf(rules, sizeof(rules), "%s", lx_run("ip -6 rule"));
		snprintf(tap, sizeof(tap), "%s", lx_run("tc filter show dev tap1 ingress"));
		snprintf(uplink, sizeof(uplink), "%s", lx_run("tc filter show dev up1 ingress"));
		for (int d = 0; d < 3; d++) {
			size_t there = strchr(orders[i], '0' + d) != NULL;

			print_message("  domains %s: %s\n", orders[i], prefixes[d]);
			assert_int_equal(count(rules, "to ", prefixes[d]), 2 * there);
			assert_int_equal(count(tap, "_ip ", prefixes[d]), 2 * there);
			assert_int_equal(count(uplink, "_ip ", prefixes[d]), there);
		}
	}
}

static void test_behavior_changes(void **state)
{
	static const struct {
		enum sr_sid_behavior behavior;
		const char *expected, *in_main;
	} rows[] = {
		{SR_SID_END_DX4, THINGS ROUTES SIDS_AT(LX_LOC, "5") VRFS,
		 "169.254.1.1 dev a scope link\n169.254.1.2 dev b scope link\n"},
		{SR_SID_END_DT4, THINGS ROUTES SIDS_AT(LX_LOC, "2") VRFS, ""},
		{SR_SID_END_DT6, THINGS ROUTES SIDS_AT(LX_LOC, "3") VRFS, ""},
		{SR_SID_END_DT46, WHOLE, ""},
	};
	struct sr_dp *dp;

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct sr_dp_config config = lx_config();

		config.vrf_behavior = rows[i].behavior;
		dp = lx_reopen(state, &config);
		if (i) /* VRFs that are there follow before they are set again */
			lx_expect(dp, rows[i].expected);
		converge(dp);
		lx_expect(dp, rows[i].expected);
		assert_string_equal(lx_run("ip route show table main"), rows[i].in_main);
	}
}

/* The same configuration as that of the reference asks for, word for word. */
static void test_reference(void **state)
{
	struct sr_dp_config config = lx_config();
	struct sr_dp_vrf vrf = {.name = "vrf5c0594737b87", .table = 12, .function.v = htonl(0xa9fe0108)};
	struct sr_dp *dp;

	config.vrf_behavior = SR_SID_END_DX4;
	dp = lx_reopen(state, &config);
	assert_int_equal(dp->ops->vrf_set(dp, 1, &vrf), 0);
	lx_node(dp, 1, "2400:dcc0::a7a:4d90");
	lx_route(dp, 1, "10.122.12.113", 1);
	assert_string_equal(lx_run("ip route show table 12 | grep seg6"),
			    "10.122.12.113  encap seg6 mode encap segs 1 [ 2400:dcc0::a7a:4d90:a9fe:108 ] "
			    "dev vrf5c0594737b87 scope link\n");
	assert_string_equal(lx_run("ip route show table main"), "169.254.1.8 dev vrf5c0594737b87 scope link\n");
	assert_string_equal(lx_run("ip -6 route show table local | grep -o '^.*nh4 169.254.1.8 dev vrf5c0594737b87'"),
			    "local " LX_LOC
			    "a9fe:108  encap seg6local action End.DX4 nh4 169.254.1.8 dev vrf5c0594737b87\n");
}

/* What others have beside ours, in the same tables, on the same interfaces, in the same lists of rules. */
#define FOREIGN                                                                                                        \
	"{ ip rule show pref 500; ip -6 rule show pref 997; ip route show table 77; ip -d -o link show other | "       \
	"grep -o 'vrf table 77'; ip route show table main proto static; ip route show table all proto bird; "          \
	"tc filter show dev up1 ingress pref 1; tc filter show dev tap1 egress pref 1; "                               \
	"ip -o link show master other | grep -o tap2; ip -6 route show table local dev tap2 proto static; } 2>&1"

static void test_foreign(void **state)
{
	struct sr_dp *dp = *state;
	char *before;

	lx_ip("link add other type vrf table 77\nlink set other up\nlink set tap2 master other\nlink set tap2 up\n"
	      "route add 10.0.0.0/8 dev tap2 table 77\nroute add blackhole 10.3.0.0/16 proto static\n"
	      "route add local 2400:dcc0::a7a:4d8e:0:99 dev tap2 table local proto static\n"
	      "rule add pref 500 from 10.4.0.0/16 lookup 88\n");
	lx_run("ip -6 rule add pref 997 from 2001:db8::/32 lookup 88; tc qdisc add dev up1 clsact; tc filter add dev "
	       "up1 ingress pref 1 protocol ip matchall action ok");
	converge(dp);
	lx_run("tc filter add dev tap1 egress pref 1 protocol ip matchall action ok"); /* on a qdisc that we made */
	lx_ip("route add blackhole 10.5.0.0/16 table 2001 proto bird\nroute add 10.6.0.0/16 dev tap1 table 2001 proto "
	      "bird\n"
	      "route add 10.6.0.1 via 10.0.0.9 dev tap1 onlink table 2001 proto bird\n");
	before = keep(lx_run(FOREIGN));
	assert_int_equal(atoi(lx_run("echo '%s' | wc -l", before)) > 10, 1);
	lx_expect(dp, WHOLE);
	dp = lx_reopen(state, NULL);
	converge(dp);
	lx_expect(dp, WHOLE);
	lx_same(keep(lx_run(FOREIGN)), before);
	*state = NULL;
	assert_int_equal(dp->ops->destroy(dp), 0);
	lx_ip("route add 10.6.0.0/16 dev tap1 table 2001 proto bird\n" /* which went with the tap leaving its VRF */
	      "route add 10.6.0.1 via 10.0.0.9 dev tap1 onlink table 2001 proto bird\n");
	lx_same(keep(lx_run(FOREIGN)), before);
	free(before);
}

static void test_destroy(void **state)
{
	struct sr_dp *dp = *state;
	char *was, *sysctls;

	*state = NULL;
	assert_int_equal(dp->ops->destroy(dp), 0);
	lx_ip("link set tap1 up\nlink set tap2 up\n");
	was = lx_facts();
	sysctls = lx_sysctls();
	for (int twice = 0; twice < 2; twice++) {
		dp = lx_open(NULL);
		converge(dp);
		if (twice) { /* by another process, with the tap gone for a while and back */
			dp->ops->close(dp);
			dp = lx_open(NULL);
		}
		assert_int_equal(dp->ops->destroy(dp), 0);
		lx_same(lx_sysctls(), sysctls);
		lx_same(lx_facts(), was);
		assert_int_not_equal(access(lx_run("printf %%s %s/saved", lx_dir()), F_OK), 0);
	}
	free(was);
	free(sysctls);
}

/* What the node had on already stays on. */
static void test_destroy_where_forwarding_was(void **state)
{
	struct sr_dp *dp = *state;
	char *sysctls, *facts;

	*state = NULL;
	assert_int_equal(dp->ops->destroy(dp), 0);
	lx_ip("link set tap1 up\nlink set tap2 up\n");
	lx_run("cd /proc/sys/net; echo 1 > ipv4/conf/up1/forwarding; echo 1 > ipv6/conf/tap2/forwarding;"
	       "echo 1 > ipv6/seg6_flowlabel; echo 2 > ipv4/conf/all/rp_filter; ip sr tunsrc set 2001:db8::77;"
	       "ip rule add pref 32765 lookup local; ip rule del pref 0");
	sysctls = lx_sysctls();
	facts = lx_facts();
	dp = lx_open(NULL);
	converge(dp);
	assert_int_equal(dp->ops->destroy(dp), 0);
	lx_same(lx_sysctls(), sysctls);
	lx_same(lx_facts(), facts);
	free(sysctls);
	free(facts);
}

static void test_lock(void **state)
{
	struct sr_dp_config config = lx_config();
	struct sr_dp *second = NULL;
	char err[256] = "";

	assert_int_equal(sr_dp_linux_open(&config, &second, err, sizeof(err)), -EBUSY);
	assert_non_null(strstr(err, lx_dir()));
	assert_null(second);
	assert_int_equal(sr_dp_linux_open(&config, &second, NULL, 0), -EBUSY);
	lx_reopen(state, NULL);
}

static void test_refused_configurations(void **state)
{
	struct sr_dp_config config;
	struct sr_dp *dp = NULL;
	char err[256];

#define REFUSED(change, word)                                                                                          \
	do {                                                                                                           \
		config = lx_config();                                                                                  \
		config.state_dir = "/mnt/refused";                                                                     \
		change;                                                                                                \
		assert_int_equal(sr_dp_linux_open(&config, &dp, err, sizeof(err)), -EINVAL);                           \
		assert_non_null(strstr(err, word));                                                                    \
		assert_null(dp);                                                                                       \
	} while (0)
	(void)state;
	REFUSED(config.dscp_mode = SR_DSCP_FIXED, "dscp");
	REFUSED(config.hop_limit = 63, "hop_limit");
	REFUSED(config.state_dir = "relative", "state_dir");
	REFUSED(config.state_dir = NULL, "state_dir");
	REFUSED(config.n_locators = 0, "locators");
	REFUSED(config.max_vrfs = 0, "max_vrfs");
	REFUSED(config.vrf_behavior = SR_SID_END, "vrf_behavior");
	assert_int_not_equal(access("/mnt/refused", F_OK), 0);
}

/* More is in the kernel than the configuration takes: said, and left alone. */
static void test_limits_shrink(void **state)
{
	struct sr_dp_config config = lx_config();
	struct sr_dp *dp = *state, *none = NULL;
	char err[256] = "";

	converge(dp);
	*state = NULL;
	dp->ops->close(dp);
	config.max_vrfs = 1;
	assert_int_equal(sr_dp_linux_open(&config, &none, err, sizeof(err)), -ENOSPC);
	assert_non_null(strstr(err, "max_vrfs"));
	config.max_vrfs = 2;
	config.max_nexthops = 2;
	assert_int_equal(sr_dp_linux_open(&config, &none, err, sizeof(err)), -ENOSPC);
	*state = dp = lx_open(NULL);
	lx_expect(dp, WHOLE);
}

static void test_readonly(void **state)
{
	const struct sr_dp_route route = {1, 0, lx_prefix("10.0.0.1")};
	struct sr_dp_vrf vrf = {.name = "c"};
	struct sr_dp *dp = *state, *ro = NULL;
	size_t done = 0;

	converge(dp);
	assert_int_equal(sr_dp_linux_open_readonly("/mnt/nonexistent", &ro, NULL, 0), -ENOENT);
	assert_int_equal(sr_dp_linux_open_readonly(lx_dir(), &ro, NULL, 0), 0);
	assert_int_equal(ro->ops->vrf_set(ro, 1, &vrf), -EROFS);
	assert_int_equal(ro->ops->vrf_del(ro, 1), -EROFS);
	assert_int_equal(ro->ops->routes(ro, &route, 1, &done), -EROFS);
	assert_int_equal(ro->ops->destroy(ro), -EROFS);
	lx_expect(dp, WHOLE);
}

/* ---- kill -9 */

static uint32_t dice(uint32_t *seed, uint32_t sides)
{
	*seed = *seed * 1664525 + 1013904223;
	return (*seed >> 12) % sides;
}

static void change_vrf(struct sr_dp *dp, uint32_t *seed)
{
	static const char *const names[] = {"a", "b", "c", "d"};
	uint32_t id = 1 + dice(seed, 4);
	struct sr_dp_vrf vrf = {.table = 2000 + id};

	snprintf(vrf.name, sizeof(vrf.name), "%s", names[id - 1]);
	vrf.function.v = htonl(0xa9fe0100 + id + 4 * dice(seed, 3));
	dp->ops->vrf_set(dp, id, &vrf);
}

static void change_port(struct sr_dp *dp, uint32_t *seed)
{
	uint32_t tap = dice(seed, 2);
	struct sr_dp_port port = {.ifindex = lx_ifindex(tap ? "tap2" : "tap1"),
				  .vrf = 1 + dice(seed, 4),
				  .nexthop = 7 + tap,
				  .up = dice(seed, 2),
				  .gateway4 = dice(seed, 3) ? htonl(0x0a0000f0 + dice(seed, 15)) : 0};

	if (dice(seed, 2)) {
		port.gateway6 = lx_prefix("2001:db8::").addr;
		port.gateway6.s6_addr[15] = (uint8_t)(1 + dice(seed, 9));
	}
	if (dice(seed, 4))
		dp->ops->port_set(dp, &port);
	else
		dp->ops->port_del(dp, port.ifindex);
}

static void change_routes(struct sr_dp *dp, uint32_t *seed)
{
	struct sr_dp_route routes[30];
	size_t done;

	for (size_t i = 0; i < COUNT(routes); i++)
		routes[i] = (struct sr_dp_route){1 + dice(seed, 4), dice(seed, 9),
						 sr_prefix_v4(htonl(0x0a000000 + dice(seed, 40)), 32)};
	dp->ops->routes(dp, routes, COUNT(routes), &done);
}

/* Anything, for ever; that some of it is refused is part of it. */
static void victim(uint32_t seed, volatile uint32_t *changes)
{
	struct sr_dp_config config = lx_config();
	struct sr_dp *dp;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (sr_dp_linux_open(&config, &dp, NULL, 0))
		_exit(1);
	for (uint32_t id = 1; id <= 4; id++)
		change_vrf(dp, &seed);
	for (uint32_t id = 1; id <= 6; id++)
		lx_node(dp, id, "2400:dcc0::b");
	for (;; ++*changes) {
		struct sr_dp_nexthop nh = {.cookie = 1, .kind = SR_NH_NODE, .locator = lx_locator("2400:dcc0::d")};

		lx_port_hop(dp, 7, "tap1");
		lx_port_hop(dp, 8, "tap2");
		switch (dice(&seed, 5)) {
		case 0:
			change_vrf(dp, &seed);
			break;
		case 1:
			change_port(dp, &seed);
			break;
		case 2:
			nh.locator.b[11] = (uint8_t)dice(&seed, 200);
			dp->ops->nexthop_set(dp, 1 + dice(&seed, 6), &nh);
			break;
		case 3:
			dp->ops->uplink_set(dp, lx_ifindex("up1"));
			break;
		default:
			change_routes(dp, &seed);
		}
	}
}

/* What another process makes of it is what one makes that begins with nothing; and its end is that of all. */
static void test_kill(void **state)
{
	volatile uint32_t *changes =
		mmap(NULL, sizeof(*changes), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct sr_dp *dp = *state;
	char *sysctls, *fresh, *clean;

	assert_ptr_not_equal(changes, MAP_FAILED);
	*state = NULL;
	assert_int_equal(dp->ops->destroy(dp), 0);
	lx_ip("link set tap1 up\nlink set tap2 up\n");
	clean = lx_facts();
	sysctls = lx_sysctls();
	dp = lx_open(NULL);
	converge(dp);
	fresh = lx_facts();
	for (uint32_t round = 0; round < 8; round++) {
		pid_t pid;
		int status;

		dp->ops->close(dp);
		*changes = 0;
		pid = fork();
		if (!pid)
			victim(round, changes);
		while (round % 4 && *changes < 5 * (round % 4) && !waitpid(pid, &status, WNOHANG))
			usleep(1000);
		usleep(round * 7919 % 40000);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		dp = lx_open(NULL);
		print_message("  round %u: %u changes\n", round, *changes);
		if (round == 7)
			break;
		converge(dp);
		lx_expect(dp, WHOLE);
		lx_same(lx_facts(), fresh);
	}
	assert_int_equal(dp->ops->destroy(dp), 0);
	lx_same(lx_sysctls(), sysctls);
	lx_same(lx_facts(), clean);
	munmap((void *)changes, sizeof(*changes));
	free(sysctls);
	free(fresh);
	free(clean);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, lx_setup, lx_teardown)

/* Arguments: the cases to run, as a pattern. */
int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		TEST(test_restart),
		TEST(test_gateway_change_cut_off),
		TEST(test_encap_mode_changes),
		TEST(test_locators_change),
		TEST(test_domains_change),
		TEST(test_behavior_changes),
		TEST(test_reference),
		TEST(test_foreign),
		TEST(test_destroy),
		TEST(test_destroy_where_forwarding_was),
		TEST(test_lock),
		TEST(test_refused_configurations),
		TEST(test_limits_shrink),
		TEST(test_readonly),
		TEST(test_kill),
	};
	int r = lx_isolate();

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return r ? r : cmocka_run_group_tests(tests, NULL, NULL);
}
