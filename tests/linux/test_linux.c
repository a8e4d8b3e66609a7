/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Each operation of the Linux datapath against the real kernel: what was set is what dump() gives back, what another
 * process reads from the kernel, and what ip and tc show.
 */
#include "lx.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SID_A "sid " LX_LOC "a9fe:101 a 4\n"
#define SID_B "sid " LX_LOC "a9fe:102 b 4\n"
#define VRF_A "vrf a 169.254.1.1\n"
#define VRF_B "vrf b 169.254.1.2\n"

/* ---- VRFs */

static void test_vrf(void **state)
{
	struct sr_dp *dp = *state;
	const char *link;

	lx_expect(dp, "");
	for (int twice = 0; twice < 2; twice++) {
		lx_vrf(dp, 3, "vrf5c0594737b87", "169.254.1.8");
		lx_expect(dp, "sid " LX_LOC "a9fe:108 vrf5c0594737b87 4\nvrf vrf5c0594737b87 169.254.1.8\n");
		assert_string_equal(lx_run("ip route show table 1000 | grep -v ^local"),
				    "unreachable default metric 4278198272\n");
		assert_string_equal(lx_run("ip -6 route show table 1000"),
				    "unreachable default dev lo metric 4278198272 pref medium\n");
		link = lx_run("ip -d addr show dev vrf5c0594737b87");
		lx_in(link, "UP");
		lx_in(link, "vrf table 1000");
		lx_in(link, "alias srfabric 169.254.1.8");
		lx_in(link, "inet 169.254.1.8/32 ");
		lx_in(lx_run("ip -6 route show table local"),
		      LX_LOC "a9fe:108  encap seg6local action End.DT46 vrftable 1000 ");
	}
	for (int twice = 0; twice < 2; twice++) {
		assert_int_equal(dp->ops->vrf_del(dp, 3), 0);
		lx_expect(dp, "");
		assert_string_equal(lx_run("ip route show table 1000; ip -6 route show table 1000"), "");
		assert_string_equal(lx_run("ip -d link show type vrf"), "");
		lx_not_in(lx_run("ip -6 route show table local"), "seg6local");
	}
}

static void test_vrf_function_changes(void **state)
{
	struct sr_dp *dp = *state;
	const char *addr;

	lx_vrf(dp, 1, "a", "169.254.1.9");
	lx_node(dp, 1, "2400:dcc0::b");
	lx_hop(dp, 2,
	       &(struct sr_dp_nexthop){
		       .cookie = 2, .kind = SR_NH_SIDS, .n_segs = 1, .segs = {lx_sid("2400:dcc0::c:a9fe:909")}});
	lx_hop(dp, 3, &(struct sr_dp_nexthop){.cookie = 3, .kind = SR_NH_NONE});
	lx_route(dp, 1, "10.0.0.1", 1);
	lx_route(dp, 1, "2001:db8::/64", 1);
	lx_route(dp, 1, "0.0.0.0/0", 2);
	lx_route(dp, 1, "10.9.0.0/16", 3);
	lx_vrf(dp, 1, "a", "169.254.1.1");
	lx_expect(dp, "route a 0.0.0.0/0 sids 2400:dcc0::c:a9fe:909\nroute a 10.0.0.1 node 2400:dcc0::b\n"
		      "route a 10.9.0.0/16 none\nroute a 2001:db8::/64 node 2400:dcc0::b\n" SID_A VRF_A);
	addr = lx_run("ip addr show dev a");
	lx_in(addr, "inet 169.254.1.1/32 ");
	lx_not_in(addr, "169.254.1.9");
	assert_string_equal(lx_run("ip route show table 1000 | grep -v ^local"),
			    "default  encap seg6 mode encap segs 1 [ 2400:dcc0::c:a9fe:909 ] dev a scope link\n"
			    "unreachable default metric 4278198272\n"
			    "10.0.0.1  encap seg6 mode encap segs 1 [ 2400:dcc0::b:a9fe:101 ] dev a scope link\n"
			    "blackhole 10.9.0.0/16\n");
}

static void test_vrf_errors(void **state)
{
	struct sr_dp_vrf a = {.name = "a"}, b = {.name = "b"}, taken = {.name = "other"};
	static const char look[] = "ip -o -4 addr; ip route show table 1000; ip route show table 1001; ip -br link;"
				   "ip -6 route show table local | grep seg6";
	struct sr_dp *dp = *state;
	const char *before;

	a.function.v = htonl(0xa9fe0101);
	b.function.v = htonl(0xa9fe0102);
	taken.function.v = htonl(0xa9fe0103);
	lx_ip("link add other type vrf table 77\n");
	assert_int_equal(dp->ops->vrf_set(dp, 0, &a), -EINVAL);
	assert_int_equal(dp->ops->vrf_set(dp, 17, &a), -ENOSPC);
	assert_int_equal(dp->ops->vrf_set(dp, 16, &a), 0);
	assert_int_equal(dp->ops->vrf_set(dp, 1, &b), 0);
	before = lx_run("%s", look);
	assert_int_equal(dp->ops->vrf_set(dp, 1, &a), -EEXIST);
	assert_int_equal(dp->ops->vrf_set(dp, 2, &a), -EEXIST);
	assert_int_equal(dp->ops->vrf_set(dp, 2, &taken), -EEXIST); /* somebody else's device */
	taken = b;
	memcpy(taken.name, "c", 2);
	assert_int_equal(dp->ops->vrf_set(dp, 1, &taken), -EINVAL); /* another name is another VRF */
	assert_int_equal(dp->ops->vrf_del(dp, 0), 0);
	assert_int_equal(dp->ops->vrf_del(dp, 2), 0);
	assert_int_equal(dp->ops->vrf_del(dp, 17), 0);
	lx_expect(dp, SID_A SID_B VRF_A VRF_B);
	assert_string_equal(lx_run("%s", look), before);
}

/* Tables in use are passed over; one that is asked for is taken, unless another VRF has it. */
static void test_tables(void **state)
{
	struct sr_dp_vrf asked = {.name = "asked", .table = 4000, .function.v = htonl(0xa9fe0109)};
	struct sr_dp *dp;

	lx_ip("link add other type vrf table 1000\nroute add blackhole 10.0.0.0/8 table 1001\n"
	      "route add blackhole 2001:db8::/32 table 1002\n");
	dp = lx_reopen(state, NULL);
	lx_vrf(dp, 1, "a", "169.254.1.1");
	lx_in(lx_run("ip -d link show dev a"), "vrf table 1003");
	assert_int_equal(dp->ops->vrf_set(dp, 2, &asked), 0);
	lx_in(lx_run("ip -d link show dev asked"), "vrf table 4000");
	asked = (struct sr_dp_vrf){.name = "again", .table = 4000, .function.v = htonl(0xa9fe0110)};
	assert_true(dp->ops->vrf_set(dp, 3, &asked) < 0);
	assert_string_equal(lx_run("ip link show dev again 2>/dev/null"), "");
	lx_expect(dp, SID_A "sid " LX_LOC "a9fe:109 asked 4\n" VRF_A "vrf asked 169.254.1.9\n");
	assert_string_equal(lx_run("ip route show table 1001"), "blackhole 10.0.0.0/8\n");
}

/* ---- next hops */

static void test_nexthop_errors(void **state)
{
	const struct sr_dp_nexthop node = {.cookie = 1, .kind = SR_NH_NODE};
	const struct sr_dp_nexthop none = {.cookie = 1, .kind = SR_NH_SIDS},
				   many = {.cookie = 1, .kind = SR_NH_SIDS, .n_segs = SR_SEGS_MAX + 1};
	const struct sr_dp_nexthop strange = {.cookie = 1, .kind = 9};
	struct sr_dp *dp = *state;

	assert_int_equal(dp->ops->nexthop_set(dp, 0, &node), -EINVAL);
	assert_int_equal(dp->ops->nexthop_set(dp, 33, &node), -ENOSPC);
	assert_int_equal(dp->ops->nexthop_set(dp, 1, &none), -EINVAL);
	assert_int_equal(dp->ops->nexthop_set(dp, 1, &many), -EINVAL);
	assert_int_equal(dp->ops->nexthop_set(dp, 1, &strange), -EINVAL);
	assert_int_equal(dp->ops->nexthop_del(dp, 0), 0);
	assert_int_equal(dp->ops->nexthop_del(dp, 1), 0);
	assert_int_equal(dp->ops->nexthop_del(dp, 33), 0);
	lx_vrf(dp, 1, "a", "169.254.1.1");
	lx_node(dp, 32, "2400:dcc0::b");
	lx_route(dp, 1, "10.0.0.1", 32);
	assert_int_equal(dp->ops->nexthop_del(dp, 32), -EBUSY);
	lx_route(dp, 1, "10.0.0.1", 0);
	assert_int_equal(dp->ops->nexthop_del(dp, 32), 0);
	lx_expect(dp, SID_A VRF_A);
}

/* One write moves every route behind a next hop, through each kind that there is. */
static void test_nexthop_moves(void **state)
{
	struct sr_dp_nexthop sids = {.cookie = 1, .kind = SR_NH_SIDS, .n_segs = SR_SEGS_MAX};
	const struct sr_dp_nexthop none = {.cookie = 1, .kind = SR_NH_NONE};
	struct sr_dp_route routes[900];
	struct sr_dp *dp = *state;
	size_t done;

	for (size_t i = 0; i < SR_SEGS_MAX; i++) {
		sids.segs[i] = lx_sid("2400:dcc0::c:a9fe:100");
		sids.segs[i].a.s6_addr[15] = (uint8_t)i;
	}
	lx_vrf(dp, 1, "a", "169.254.1.1");
	lx_vrf(dp, 2, "b", "169.254.1.2");
	lx_node(dp, 1, "2400:dcc0::b");
	lx_node(dp, 2, "2400:dcc0::b");
	for (uint32_t i = 0; i < 900; i++)
		routes[i] = (struct sr_dp_route){1 + i % 2, 1, sr_prefix_v4(htonl(0x0a000000 + i / 2), 32)};
	assert_int_equal(dp->ops->routes(dp, routes, 900, &done), 0);
	lx_route(dp, 1, "10.9.0.0/16", 2);
	lx_route(dp, 1, "2001:db8::/64", 1);
	lx_node(dp, 1, "2400:dcc0::d");
	assert_int_equal(atoi(lx_run("ip route show table 1000 | grep -c 'segs 1 \\[ 2400:dcc0::d:a9fe:101 \\]'")),
			 450);
	assert_int_equal(atoi(lx_run("ip route show table 1001 | grep -c 'segs 1 \\[ 2400:dcc0::d:a9fe:102 \\]'")),
			 450);
	assert_int_equal(atoi(lx_run("ip route show table all | grep -c 'segs 1 \\[ 2400:dcc0::b:'")), 1);
	lx_hop(dp, 1, &sids);
	assert_int_equal(atoi(lx_run("ip route show table all | grep -c 'segs 8 \\[ 2400:dcc0::c:a9fe:100 '")), 901);
	lx_hop(dp, 1, &none);
	assert_int_equal(atoi(lx_run("ip route show table all | grep -c '^blackhole'")), 901);
	lx_node(dp, 1, "2400:dcc0::b");
	assert_int_equal(atoi(lx_run("ip route show table all | grep -c 'segs 1 \\[ 2400:dcc0::b:'")), 902);
	assert_int_equal(atoi(lx_run("ip -6 route show table 1000 | grep -c 'segs 1 \\[ 2400:dcc0::b:'")), 1);
}

/* ---- routes */

static const char *const destinations[] = {"10.0.0.1",	    "10.0.0.2", "10.0.0.0/24",	  "0.0.0.0/0",	"2001:db8::1",
					   "2001:db8::/64", "::/0",	"2001:db8::/127", "10.0.0.0/31"};
#define N_DESTINATIONS (sizeof(destinations) / sizeof(destinations[0]))

static void routes_of(struct sr_dp_route routes[static N_DESTINATIONS], uint32_t vrf, uint32_t nexthop)
{
	for (size_t i = 0; i < N_DESTINATIONS; i++)
		routes[i] = (struct sr_dp_route){vrf, nexthop, lx_prefix(destinations[i])};
}

static void test_routes(void **state)
{
	struct sr_dp_route routes[N_DESTINATIONS];
	struct sr_dp *dp = *state;
	size_t done;

	lx_vrf(dp, 1, "a", "169.254.1.1");
	lx_vrf(dp, 2, "b", "169.254.1.2");
	lx_node(dp, 1, "2400:dcc0::b");
	lx_node(dp, 2, "2400:dcc0::c");
	for (uint32_t vrf = 1; vrf <= 2; vrf++) { /* the same addresses in both */
		routes_of(routes, vrf, 2);
		assert_int_equal(dp->ops->routes(dp, routes, N_DESTINATIONS, &done), 0);
		assert_int_equal(done, N_DESTINATIONS);
	}
	routes_of(routes, 1, 1); /* replaced in one */
	assert_int_equal(dp->ops->routes(dp, routes, N_DESTINATIONS, &done), 0);
	lx_expect(dp, "route a 0.0.0.0/0 node 2400:dcc0::b\nroute a 10.0.0.0/24 node 2400:dcc0::b\n"
		      "route a 10.0.0.0/31 node 2400:dcc0::b\nroute a 10.0.0.1 node 2400:dcc0::b\n"
		      "route a 10.0.0.2 node 2400:dcc0::b\nroute a 2001:db8::/127 node 2400:dcc0::b\n"
		      "route a 2001:db8::/64 node 2400:dcc0::b\nroute a 2001:db8::1 node 2400:dcc0::b\n"
		      "route a ::/0 node 2400:dcc0::b\n"
		      "route b 0.0.0.0/0 node 2400:dcc0::c\nroute b 10.0.0.0/24 node 2400:dcc0::c\n"
		      "route b 10.0.0.0/31 node 2400:dcc0::c\nroute b 10.0.0.1 node 2400:dcc0::c\n"
		      "route b 10.0.0.2 node 2400:dcc0::c\nroute b 2001:db8::/127 node 2400:dcc0::c\n"
		      "route b 2001:db8::/64 node 2400:dcc0::c\nroute b 2001:db8::1 node 2400:dcc0::c\n"
		      "route b ::/0 node 2400:dcc0::c\n" SID_A SID_B VRF_A VRF_B);
	for (uint32_t vrf = 1; vrf <= 2; vrf++) {
		routes_of(routes, vrf, 0);
		for (int twice = 0; twice < 2; twice++) {
			assert_int_equal(dp->ops->routes(dp, routes, N_DESTINATIONS, &done), 0);
			assert_int_equal(done, N_DESTINATIONS);
		}
	}
	lx_expect(dp, SID_A SID_B VRF_A VRF_B);
	assert_string_equal(lx_run("ip route show table 1000 | grep -v ^local"),
			    "unreachable default metric 4278198272\n");
}

/* Every kind of route turns into every other, and goes away. */
static void test_route_kinds(void **state)
{
	static const char *const ends[] = {"", " node 2400:dcc0::b\n", " sids 2400:dcc0::c:1:1 2400:dcc0::d:1:1\n",
					   " none\n", " port tap1\n"};
	const struct sr_dp_nexthop sids = {.cookie = 2,
					   .kind = SR_NH_SIDS,
					   .n_segs = 2,
					   .segs = {lx_sid("2400:dcc0::c:1:1"), lx_sid("2400:dcc0::d:1:1")}};
	static const char *const dsts[] = {"10.0.0.1", "2001:db8::1"};
	struct sr_dp *dp = *state;

	lx_vrf(dp, 1, "a", "169.254.1.1");
	lx_node(dp, 1, "2400:dcc0::b");
	lx_hop(dp, 2, &sids);
	lx_hop(dp, 3, &(struct sr_dp_nexthop){.cookie = 3, .kind = SR_NH_NONE});
	lx_port(dp, "tap1", 1, 4, NULL, NULL);
	for (uint32_t from = 0; from <= 4; from++)
		for (uint32_t to = 0; to <= 4; to++) {
			char expected[512] = "port tap1 a\n";

			for (size_t i = 0; i < 2; i++) {
				lx_route(dp, 1, dsts[i], from);
				lx_route(dp, 1, dsts[i], to);
				if (to)
					snprintf(expected + strlen(expected), sizeof(expected) - strlen(expected),
						 "route a %s%s", dsts[i], ends[to]);
			}
			snprintf(expected + strlen(expected), sizeof(expected) - strlen(expected), SID_A VRF_A);
			lx_expect(dp, expected);
		}
}

/* Later writes to one destination win, sets and removals mixed. */
static void test_route_order(void **state)
{
	const struct sr_prefix a = lx_prefix("10.0.0.1"), b = lx_prefix("10.0.0.2"), c = lx_prefix("2001:db8::/64");
	const struct sr_dp_route routes[] = {
		{1, 1, a}, {1, 2, a}, {1, 1, b}, {1, 0, b}, {1, 1, c}, {1, 0, c}, {1, 0, a}, {1, 3, a}, {1, 2, c},
	};
	struct sr_dp *dp = *state;
	size_t done;

	lx_vrf(dp, 1, "a", "169.254.1.1");
	lx_node(dp, 1, "2400:dcc0::b");
	lx_node(dp, 2, "2400:dcc0::c");
	lx_node(dp, 3, "2400:dcc0::d");
	assert_int_equal(dp->ops->routes(dp, routes, 9, &done), 0);
	assert_int_equal(done, 9);
	lx_expect(dp, "route a 10.0.0.1 node 2400:dcc0::d\nroute a 2001:db8::/64 node 2400:dcc0::c\n" SID_A VRF_A);
}

static void test_route_errors(void **state)
{
	const struct sr_prefix host = lx_prefix("10.0.0.1");
	const struct sr_dp_route bad[] = {{0, 1, host}, {2, 1, host}, {17, 1, host}, {1, 2, host}, {1, 33, host}};
	struct sr_dp *dp = *state;

	lx_vrf(dp, 1, "a", "169.254.1.1");
	lx_node(dp, 1, "2400:dcc0::b");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const struct sr_dp_route routes[] = {{1, 1, lx_prefix("10.1.0.1")},
						     {1, 1, lx_prefix("::/0")},
						     bad[i],
						     {1, 1, lx_prefix("10.1.0.3")}};
		size_t done = 99;

		assert_int_equal(dp->ops->routes(dp, routes, 4, &done), -ENOENT);
		assert_int_equal(done, 2);
	}
	lx_expect(dp, "route a 10.1.0.1 node 2400:dcc0::b\nroute a ::/0 node 2400:dcc0::b\n" SID_A VRF_A);
}

/* What somebody else has put where a route is to go stays, whatever it is, and does not stop others for good. */
static void test_foreign_in_the_way(void **state)
{
	static const char foreign[] = "10.0.0.1 dev tap2 proto static scope link\n"
				      "10.0.0.3 dev tap2 scope link mtu 1300\n"
				      "blackhole 10.0.0.5 proto bird\n"
				      "prohibit 10.0.0.7\n";
	struct sr_dp_route routes[8];
	struct sr_dp *dp = *state;
	size_t done, at = 0;
	int refused = 0;

	lx_vrf(dp, 1, "a", "169.254.1.1");
	lx_node(dp, 1, "2400:dcc0::b");
	lx_ip("link set tap2 up\nroute add 10.0.0.1 dev tap2 proto static table 1000\n"
	      "route add 10.0.0.3 dev tap2 mtu 1300 table 1000\nroute add blackhole 10.0.0.5 proto bird table 1000\n"
	      "route add prohibit 10.0.0.7 table 1000\n");
	for (uint32_t i = 0; i < 8; i++)
		routes[i] = (struct sr_dp_route){1, 1, sr_prefix_v4(htonl(0x0a000000 + i), 32)};
	while (at < 8) { /* as the engine does: past the one that is refused */
		int r = dp->ops->routes(dp, routes + at, 8 - at, &done);

		if (r == 0)
			break;
		assert_int_equal(r, -EEXIST);
		assert_int_equal(at + done, 1 + 2 * refused);
		refused++;
		at += done + 1;
	}
	assert_int_equal(refused, 4);
	lx_expect(dp, "route a 10.0.0.0 node 2400:dcc0::b\nroute a 10.0.0.2 node 2400:dcc0::b\n"
		      "route a 10.0.0.4 node 2400:dcc0::b\nroute a 10.0.0.6 node 2400:dcc0::b\n" SID_A VRF_A);
	assert_string_equal(lx_run("ip route show table 1000 | grep -v -e seg6 -e unreach -e local"), foreign);
	for (uint32_t i = 0; i < 8; i++)
		routes[i].nexthop = 0;
	assert_int_equal(dp->ops->routes(dp, routes, 8, &done), 0);
	assert_string_equal(lx_run("ip route show table 1000 | grep -v -e unreach -e local"), foreign);
	assert_int_equal(dp->ops->destroy(dp), 0);
	*state = NULL;
	assert_string_equal(lx_run("ip route show table 1000"), foreign);
}

/* A destination that is written twice in one call: what is in the way stays all the same. */
static void test_foreign_in_the_way_twice(void **state)
{
	const struct sr_prefix a = lx_prefix("10.0.0.1");
	const struct sr_dp_route routes[] = {{1, 1, a}, {1, 2, a}};
	struct sr_dp *dp = *state;
	size_t done = 99;

	lx_vrf(dp, 1, "a", "169.254.1.1");
	lx_node(dp, 1, "2400:dcc0::b");
	lx_node(dp, 2, "2400:dcc0::c");
	lx_ip("route add blackhole 10.0.0.1 proto static table 1000\n");
	assert_int_equal(dp->ops->routes(dp, routes, 2, &done), -EEXIST);
	assert_int_equal(done, 0);
	assert_string_equal(lx_run("ip route show table 1000 10.0.0.1"), "blackhole 10.0.0.1 proto static\n");
	lx_expect(dp, SID_A VRF_A);
}

/* More answers than a socket's buffer holds by the size of a batch: each is heard, and the first is told. */
static void test_failing_batches(void **state)
{
	enum { N = 1300 };
	static struct sr_dp_route routes[N];
	static char batch[N * 64];
	static const uint32_t firsts[] = {0, 399, 400, 777, N - 1, N};
	struct sr_dp *dp = *state;
	char *end = batch;
	size_t done;

	lx_vrf(dp, 1, "a", "169.254.1.1");
	lx_node(dp, 1, "2400:dcc0::b");
	for (uint32_t i = 0; i < N; i++) {
		routes[i] = (struct sr_dp_route){1, 1, sr_prefix_v4(htonl(0x0a000000 + i), 32)};
		end += sprintf(end, "route add blackhole 10.0.%u.%u proto static table 1000\n", i / 256, i % 256);
	}
	lx_ip("%s", batch);
	for (size_t k = 0; k < sizeof(firsts) / sizeof(firsts[0]); k++) {
		end = batch;
		for (uint32_t i = k ? firsts[k - 1] : 0; i < firsts[k]; i++)
			end += sprintf(end, "route del 10.0.%u.%u table 1000 proto static\n", i / 256, i % 256);
		if (k)
			lx_ip("%s", batch);
		assert_int_equal(dp->ops->routes(dp, routes, N, &done), firsts[k] < N ? -EEXIST : 0);
		assert_int_equal(done, firsts[k]);
	}
	assert_int_equal(atoi(lx_run("ip route show table 1000 | grep -c seg6")), N);
}

struct tally {
	size_t n;
};

static int count_routes(void *ctx, const struct sr_dp_route *routes, size_t n)
{
	(void)routes;
	((struct tally *)ctx)->n += n;
	return 0;
}

static double seconds_since(const struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - start->tv_sec) + 1e-9 * (double)(now.tv_nsec - start->tv_nsec);
}

static void test_many_routes(void **state)
{
	enum { N = 100000 };
	static struct sr_dp_route routes[N];
	const struct sr_dp_dump cb = {.routes = count_routes};
	struct sr_dp_config config = lx_config();
	struct sr_dp *dp;
	struct tally tally = {0};
	struct timespec start;
	size_t done;

	config.max_routes = N;
	dp = lx_reopen(state, &config);
	lx_vrf(dp, 1, "a", "169.254.1.1");
	for (uint32_t i = 1; i <= 8; i++)
		lx_node(dp, i, "2400:dcc0::b");
	for (uint32_t i = 0; i < N; i++) {
		const struct in6_addr v6 = {.s6_addr32 = {htonl(0x20010db8), htonl(i)}};

		routes[i] = (struct sr_dp_route){1, 1 + i % 8, sr_prefix_v4(htonl(0x0a000000 + i), 32)};
		if (i % 4 == 3)
			routes[i].dst = sr_prefix_v6(&v6, 64);
	}
	clock_gettime(CLOCK_MONOTONIC, &start);
	assert_int_equal(dp->ops->routes(dp, routes, N, &done), 0);
	assert_int_equal(done, N);
	print_message("%d routes written in %.2f s,", N, seconds_since(&start));
	clock_gettime(CLOCK_MONOTONIC, &start);
	dp = lx_reopen(state, &config);
	print_message(" read at open in %.2f s,", seconds_since(&start));
	assert_int_equal(dp->ops->dump(dp, &cb, &tally), 0);
	assert_int_equal(tally.n, N);
	clock_gettime(CLOCK_MONOTONIC, &start);
	assert_int_equal(dp->ops->destroy(dp), 0);
	*state = NULL;
	print_message(" removed in %.2f s\n", seconds_since(&start));
	assert_string_equal(lx_run("ip route show table 1000; ip -6 route show table 1000"), "");
}

/* ---- ports */

static const char *const tap_sysctls[][2] = {
	{"net/ipv4/conf/tap1/rp_filter", "0"},		 {"net/ipv4/conf/tap1/proxy_arp", "1"},
	{"net/ipv4/neigh/tap1/proxy_delay", "0"},	 {"net/ipv4/conf/tap1/send_redirects", "0"},
	{"net/ipv6/conf/tap1/accept_ra", "0"},		 {"net/ipv6/conf/tap1/seg6_enabled", "0"},
	{"net/ipv4/conf/tap1/accept_source_route", "0"},
};
#define N_TAP_SYSCTLS (sizeof(tap_sysctls) / sizeof(tap_sysctls[0]))

static void test_port(void **state)
{
	struct sr_dp_port port;
	struct sr_dp *dp = *state;
	char was[N_TAP_SYSCTLS][64];
	const char *link;

	for (size_t i = 0; i < N_TAP_SYSCTLS; i++)
		snprintf(was[i], sizeof(was[i]), "%s", lx_sysctl(tap_sysctls[i][0]));
	lx_vrf(dp, 1, "a", "169.254.1.1");
	lx_port(dp, "tap1", 1, 1, "10.0.0.254", "2001:db8::fe");
	lx_route(dp, 1, "10.0.0.1", 1);
	lx_route(dp, 1, "2001:db8::1", 1);
	lx_route(dp, 1, "10.2.0.0/24", 1);
	for (int twice = 0; twice < 2; twice++) {
		lx_expect(dp, "port tap1 a 10.0.0.254 2001:db8::fe\nroute a 10.0.0.1 port tap1\n"
			      "route a 10.2.0.0/24 port tap1\nroute a 2001:db8::1 port tap1\n" SID_A VRF_A);
		link = lx_run("ip addr show dev tap1");
		lx_in(link, "master a ");
		lx_in(link, ",UP");
		lx_in(link, "link/ether 02:73:72:76:36:01");
		lx_in(link, "inet 10.0.0.254/32 ");
		lx_in(link, "inet6 2001:db8::fe/128 ");
		link = lx_run("ip neigh show dev tap1 nud permanent; ip -6 neigh show dev tap1 nud permanent");
		lx_in(link, "10.0.0.1 lladdr 02:00:00:00:00:07 PERMANENT\n");
		lx_in(link, "2001:db8::1 lladdr 02:00:00:00:00:07 PERMANENT\n");
		for (size_t i = 0; i < N_TAP_SYSCTLS; i++)
			assert_string_equal(lx_sysctl(tap_sysctls[i][0]), tap_sysctls[i][1]);
		lx_port(dp, "tap1", 1, 1, "10.0.0.254", "2001:db8::fe");
	}
	lx_not_in(lx_run("tc filter show dev tap1 ingress"), "matchall");
	port = (struct sr_dp_port){.ifindex = lx_ifindex("tap1"), .vrf = 1, .nexthop = 1}; /* down, no gateways */
	for (int twice = 0; twice < 2; twice++) {
		assert_int_equal(dp->ops->port_set(dp, &port), 0);
		link = lx_run("tc filter show dev tap1 ingress");
		lx_in(link, "pref 29550 matchall");
		lx_in(link, "dst_ip 2400:dcc0::/32");
		lx_in(link, "src_ip 2400:dcc0::/32");
	}
	link = lx_run("ip addr show dev tap1");
	lx_not_in(link, "10.0.0.254");
	lx_not_in(link, "2001:db8::fe");
	port.up = true;
	assert_int_equal(dp->ops->port_set(dp, &port), 0);
	lx_not_in(lx_run("tc filter show dev tap1 ingress"), "matchall");
	for (int twice = 0; twice < 2; twice++) {
		for (size_t i = 0; i < 3; i++)
			lx_route(dp, 1, ((const char *const[]){"10.0.0.1", "2001:db8::1", "10.2.0.0/24"})[i], 0);
		assert_int_equal(dp->ops->port_del(dp, port.ifindex), 0);
		lx_expect(dp, SID_A VRF_A);
	}
	lx_not_in(lx_run("ip addr show dev tap1"), "master");
	assert_string_equal(lx_run("tc qdisc show dev tap1 | grep clsact"), "");
	assert_string_equal(lx_run("ip neigh show dev tap1 nud permanent"), "");
	for (size_t i = 0; i < N_TAP_SYSCTLS; i++)
		assert_string_equal(lx_sysctl(tap_sysctls[i][0]), was[i]);
	assert_string_equal(lx_run("grep tap1 %s/saved", lx_dir()), "");
}

/* The gateway changes; the VM gets another MAC; the port another VRF. */
/* A route to it makes a tap a member of the VRF, before anybody has said that its port is up. */
static void test_shut_until_a_port(void **state)
{
	struct sr_dp_nexthop nh = {.cookie = 1, .kind = SR_NH_PORT, .ifindex = lx_ifindex("tap1"), .mac = {2, [5] = 9}};
	struct sr_dp *dp = *state;

	lx_vrf(dp, 1, "a", "169.254.1.1");
	lx_hop(dp, 1, &nh);
	lx_route(dp, 1, "10.0.0.1", 1);
	lx_in(lx_run("ip addr show dev tap1"), "master a ");
	lx_in(lx_run("tc filter show dev tap1 ingress"), "matchall");
	lx_port(dp, "tap1", 1, 1, "10.0.0.254", NULL);
	lx_not_in(lx_run("tc filter show dev tap1 ingress"), "matchall");
	lx_route(dp, 1, "10.0.0.1", 1);
	lx_not_in(lx_run("tc filter show dev tap1 ingress"), "matchall");
}

static void test_port_changes(void **state)
{
	struct sr_dp_nexthop nh = {.cookie = 1, .kind = SR_NH_PORT, .ifindex = lx_ifindex("tap1"), .mac = {2, [5] = 9}};
	struct sr_dp *dp = *state;
	const char *link;

	lx_vrf(dp, 1, "a", "169.254.1.1");
	lx_vrf(dp, 2, "b", "169.254.1.2");
	lx_port(dp, "tap1", 1, 1, "10.0.0.254", "2001:db8::fe");
	lx_route(dp, 1, "10.0.0.1", 1);
	lx_port(dp, "tap1", 1, 1, "10.0.0.253", "2001:db8::fd");
	lx_expect(dp, "port tap1 a 10.0.0.253 2001:db8::fd\nroute a 10.0.0.1 port tap1\n" SID_A SID_B VRF_A VRF_B);
	link = lx_run("ip addr show dev tap1");
	lx_not_in(link, "10.0.0.254");
	lx_not_in(link, "2001:db8::fe/");
	lx_hop(dp, 1, &nh);
	assert_string_equal(lx_run("ip neigh show dev tap1 nud permanent"),
			    "10.0.0.1 lladdr 02:00:00:00:00:09 PERMANENT\n");
	lx_route(dp, 1, "10.0.0.1", 0);
	lx_port(dp, "tap1", 2, 1, "10.0.0.253", "2001:db8::fd");
	lx_route(dp, 2, "10.0.0.1", 1);
	lx_expect(dp, "port tap1 b 10.0.0.253 2001:db8::fd\nroute b 10.0.0.1 port tap1\n" SID_A SID_B VRF_A VRF_B);
}

static void test_port_errors(void **state)
{
	struct sr_dp_port port = {.ifindex = lx_ifindex("tap1"), .vrf = 1, .nexthop = 1, .up = true};
	struct sr_dp *dp = *state;

	assert_int_equal(dp->ops->port_set(dp, &port), -ENOENT); /* no VRF */
	lx_vrf(dp, 1, "a", "169.254.1.1");
	assert_int_equal(dp->ops->port_set(dp, &port), -ENOENT); /* no next hop */
	lx_port_hop(dp, 1, "tap1");
	port.nexthop = 33;
	assert_int_equal(dp->ops->port_set(dp, &port), -ENOENT);
	port.nexthop = 1;
	port.vrf = 17;
	assert_int_equal(dp->ops->port_set(dp, &port), -ENOENT);
	port.vrf = 1;
	port.ifindex = 9999;
	assert_int_equal(dp->ops->port_set(dp, &port), -ENODEV);
	assert_int_equal(dp->ops->port_del(dp, 9999), 0);
	port.ifindex = lx_ifindex("up1");
	assert_int_equal(dp->ops->uplink_set(dp, port.ifindex), 0);
	assert_int_equal(dp->ops->port_set(dp, &port), -EBUSY);
	port.ifindex = lx_ifindex("tap1");
	assert_int_equal(dp->ops->port_set(dp, &port), 0);
	assert_int_equal(dp->ops->uplink_set(dp, port.ifindex), -EBUSY);
	lx_expect(dp, "port tap1 a\n" SID_A "uplink up1\n" VRF_A);
}

/* A tap that is gone: its routes become blackholes where they are written anew; one plugged again is another. */
static void test_port_vanishes(void **state)
{
	struct sr_dp *dp = *state;
	uint32_t old;

	lx_vrf(dp, 1, "a", "169.254.1.1");
	lx_port(dp, "tap1", 1, 1, "10.0.0.254", "2001:db8::fe");
	lx_route(dp, 1, "10.0.0.1", 1);
	old = lx_ifindex("tap1");
	lx_ip("link del tap1\n");
	assert_string_equal(lx_kernel(), SID_A VRF_A); /* the kernel has dropped it all */
	lx_route(dp, 1, "10.0.0.2", 1);
	assert_string_equal(lx_kernel(), "route a 10.0.0.2 none\n" SID_A VRF_A);
	lx_ip("link add tap1 type veth peer name tap1p\n");
	assert_int_not_equal(lx_ifindex("tap1"), old);
	assert_int_equal(dp->ops->port_del(dp, old), 0);
	assert_string_equal(lx_run("grep tap1 %s/saved", lx_dir()), ""); /* nothing is known of one of that name */
	lx_port(dp, "tap1", 1, 1, "10.0.0.254", NULL);
	lx_expect(dp, "port tap1 a 10.0.0.254\nroute a 10.0.0.1 port tap1\nroute a 10.0.0.2 port tap1\n" SID_A VRF_A);
	old = lx_ifindex("tap1");
	lx_ip("link del tap1\n");
	lx_node(dp, 1, "2400:dcc0::b"); /* the VM is elsewhere now */
	assert_int_equal(dp->ops->port_del(dp, old), 0);
	lx_expect(dp, "route a 10.0.0.1 node 2400:dcc0::b\nroute a 10.0.0.2 node 2400:dcc0::b\n" SID_A VRF_A);
	lx_route(dp, 1, "10.0.0.1", 0);
	lx_route(dp, 1, "10.0.0.2", 0);
	lx_expect(dp, SID_A VRF_A);
}

/* What the kernel drops when a tap goes down comes back when the port is set again. */
static void test_port_flaps(void **state)
{
	static const char whole[] = "port tap1 a 10.0.0.254 2001:db8::fe\nroute a 10.0.0.1 port tap1\n"
				    "route a 2001:db8::/64 port tap1\nroute a 2001:db8::1 port tap1\n" SID_A VRF_A;
	struct sr_dp *dp = *state;

	lx_vrf(dp, 1, "a", "169.254.1.1");
	lx_port(dp, "tap1", 1, 1, "10.0.0.254", "2001:db8::fe");
	lx_route(dp, 1, "10.0.0.1", 1);
	lx_route(dp, 1, "2001:db8::/64", 1);
	lx_route(dp, 1, "2001:db8::1", 1);
	lx_ip("link set tap1 down\n");
	assert_string_equal(lx_run("ip route show table 1000 10.0.0.1"), "");
	lx_port(dp, "tap1", 1, 1, "10.0.0.254", "2001:db8::fe");
	lx_expect(dp, whole);
	lx_in(lx_run("ip -6 neigh show dev tap1 nud permanent"), "2001:db8::1 lladdr 02:00:00:00:00:07 PERMANENT\n");
	lx_ip("link set tap1 nomaster\n"); /* somebody takes it out of its VRF */
	lx_port(dp, "tap1", 1, 1, "10.0.0.254", "2001:db8::fe");
	lx_expect(dp, whole);
	dp = lx_reopen(state, NULL); /* and just after a start, before it is first set */
	lx_ip("link set tap1 down\nlink set tap1 up\n");
	lx_vrf(dp, 1, "a", "169.254.1.1");
	for (uint32_t hop = 1; hop <= 3; hop++)
		lx_port_hop(dp, hop, "tap1");
	lx_port(dp, "tap1", 1, 1, "10.0.0.254", "2001:db8::fe");
	lx_expect(dp, whole);
}

/* ---- uplinks */

static void test_uplink(void **state)
{
	struct sr_dp_config config = lx_config();
	struct sr_dp *dp;
	const char *filters;
	uint32_t up1;

	config.end_function.v = htonl(1);
	dp = lx_reopen(state, &config);
	up1 = lx_ifindex("up1");
	assert_int_equal(dp->ops->uplink_set(dp, 9999), -ENODEV);
	assert_int_equal(dp->ops->uplink_del(dp, 9999), 0);
	for (int twice = 0; twice < 2; twice++) {
		assert_int_equal(dp->ops->uplink_set(dp, up1), 0);
		lx_expect(dp, "uplink up1\n");
		assert_string_equal(lx_sysctl("net/ipv6/conf/up1/seg6_enabled"), "1");
		filters = lx_run("tc filter show dev up1 ingress");
		lx_in(filters, "dst_ip " LX_LOC "0:0/96");
		lx_in(filters, "src_ip 2400:dcc0::/32");
		lx_in(lx_run("ip -6 route show table local"), LX_LOC "0:1  encap seg6local action End ");
	}
	for (int twice = 0; twice < 2; twice++) {
		assert_int_equal(dp->ops->uplink_del(dp, up1), 0);
		lx_expect(dp, "");
		assert_string_equal(lx_run("tc qdisc show dev up1 | grep clsact"), "");
		assert_string_equal(lx_run("grep up1 %s/saved", lx_dir()), "");
	}
}

/* The node's End SID does not depend on one of its uplinks. */
static void test_uplink_goes_down(void **state)
{
	struct sr_dp_config config = lx_config();
	struct sr_dp *dp;

	config.end_function.v = htonl(1);
	dp = lx_reopen(state, &config);
	lx_ip("link set tap1 up\nlink set up1 up\n");
	assert_int_equal(dp->ops->uplink_set(dp, lx_ifindex("up1")), 0);
	assert_int_equal(dp->ops->uplink_set(dp, lx_ifindex("tap1")), 0);
	lx_ip("link set tap1 down\n");
	lx_in(lx_run("ip -6 route show table local"), LX_LOC "0:1  encap seg6local action End ");
	lx_ip("link del up1\n");
	lx_in(lx_run("ip -6 route show table local"), LX_LOC "0:1  encap seg6local action End ");
}

static void test_uplink_vanishes(void **state)
{
	struct sr_dp *dp = *state;
	uint32_t old = lx_ifindex("up1");

	assert_int_equal(dp->ops->uplink_set(dp, old), 0);
	lx_ip("link del up1\n");
	lx_expect(dp, "");
	assert_int_equal(dp->ops->uplink_del(dp, old), 0);
	assert_string_equal(lx_run("grep up1 %s/saved", lx_dir()), "");
	lx_ip("link add up1 type veth peer name up1p\n"); /* one of the same name is another */
	lx_expect(dp, "");
}

static void test_mtu(void **state)
{
	struct sr_dp *dp = *state;

	assert_int_equal(dp->ops->mtu_set(dp, 1280), 0);
	assert_int_equal(dp->ops->mtu_set(dp, 1279), -EINVAL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, lx_setup, lx_teardown)

/* Arguments: the cases to run, as a pattern. */
int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		TEST(test_vrf),
		TEST(test_vrf_function_changes),
		TEST(test_vrf_errors),
		TEST(test_tables),
		TEST(test_nexthop_errors),
		TEST(test_nexthop_moves),
		TEST(test_routes),
		TEST(test_route_kinds),
		TEST(test_route_order),
		TEST(test_route_errors),
		TEST(test_foreign_in_the_way),
		TEST(test_foreign_in_the_way_twice),
		TEST(test_failing_batches),
		TEST(test_many_routes),
		TEST(test_port),
		TEST(test_shut_until_a_port),
		TEST(test_port_changes),
		TEST(test_port_errors),
		TEST(test_port_vanishes),
		TEST(test_port_flaps),
		TEST(test_uplink),
		TEST(test_uplink_goes_down),
		TEST(test_uplink_vanishes),
		TEST(test_mtu),
	};
	int r = lx_isolate();

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return r ? r : cmocka_run_group_tests(tests, NULL, NULL);
}
