// SPDX-License-Identifier: GPL-2.0-only
/*
 * From a tap: whose packet it is, what is refused, and where the VRF's routes send the rest. The domain's edge towards
 * VMs: RFC 8754 5.1, RFC 8402 8.2.
 */
#include "harness.h"

#include <string.h>

static struct packet from_vm1(const char *src, const char *dst)
{
	if (strchr(dst, ':'))
		return PACKET(ETH(mac_vm1, mac_gateway), IP6(src ? src : VM1_6, dst), UDP(7, 8), DATA(10));
	return PACKET(ETH(mac_vm1, mac_gateway), IP4(src ? src : VM1, dst), UDP(7, 8), DATA(10));
}

/* The packet goes out towards this SID. */
static void assert_goes_to(struct node *node, enum port_name port, const struct packet *in, const char *sid)
{
	struct in6_addr want = ip6(sid);
	struct packet out;

	node_expect_sent(node, port, in, &out);
	assert_memory_equal(out.data + 14 + 24, &want, 16);
}

/* Ports */

static void test_unknown_port(void **state)
{
	struct packet in = from_vm1(NULL, VM_B), out;

	node_forget_port(*state, TAP0);
	assert_int_equal(node_run(*state, TAP0, &in, &out), TC_ACT_SHOT);
	node_assert_counted(*state, SR_DIR_FROM_TAP, SR_DROP_NO_PORT);
}

static void test_port_down(void **state)
{
	struct packet in = PACKET(ETH(mac_vm4, mac_gateway), IP4("10.0.0.4", VM_B), UDP(7, 8));
	struct packet arp = PACKET(ETH(mac_vm4, mac_broadcast), ARP(1, mac_vm4, "10.0.0.4", NULL, GATEWAY4));

	node_expect_drop(*state, TAP3, &in, SR_DROP_PORT_DOWN);
	node_expect_drop(*state, TAP3, &arp, SR_DROP_PORT_DOWN);
}

static void test_vrf_not_there(void **state)
{
	struct packet in = from_vm1(NULL, VM_B);

	node_vrf(*state, BLUE, 0, 0);
	node_expect_drop(*state, TAP0, &in, SR_DROP_NO_VRF);
}

/* What is refused */

static void test_not_ip(void **state)
{
	static const uint16_t types[] = {0x0001, 0x05dc, 0x8100, 0x8847, 0x88a8, 0x88cc, 0x8864, 0xffff};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		struct packet in = PACKET(ETH(mac_vm1, mac_gateway, types[i]), DATA(46));

		sr_case("ethertype %04x", types[i]);
		node_expect_drop(*state, TAP0, &in, SR_DROP_NOT_IP);
	}
}

static void test_multicast_and_broadcast(void **state)
{
	static const uint8_t mac_group4[6] = {0x01, 0, 0x5e, 0, 0, 5}, mac_group6[6] = {0x33, 0x33, 0, 0, 0, 0x16};
	const struct packet packets[] = {
		PACKET(ETH(mac_vm1, mac_broadcast), IP4(VM1, "255.255.255.255"), UDP(68, 67)),
		PACKET(ETH(mac_vm1, mac_broadcast), IP4(VM1, VM_B), UDP(7, 8)),
		PACKET(ETH(mac_vm1, mac_group4), IP4(VM1, "224.0.0.5"), UDP(7, 8)),
		PACKET(ETH(mac_vm1, mac_gateway), IP4(VM1, "224.0.0.5"), UDP(7, 8)),
		PACKET(ETH(mac_vm1, mac_gateway), IP4(VM1, "239.255.255.255"), UDP(7, 8)),
		PACKET(ETH(mac_vm1, mac_gateway), IP4(VM1, "255.255.255.255"), UDP(7, 8)),
		PACKET(ETH(mac_vm1, mac_group6), IP6(VM1_6, "ff02::16"), ICMP6(143)),
		PACKET(ETH(mac_vm1, mac_group6), IP6("fe80::1", "ff02::2", .hlim = 255), ICMP6(133)),
		PACKET(ETH(mac_vm1, mac_group6), IP6("::", "ff02::16"), HBH(0, 5), ICMP6(143)),
		PACKET(ETH(mac_vm1, mac_gateway), IP6(VM1_6, "ff0e::1"), UDP(7, 8)),
	};

	/* Even with a route for everything. */
	node_lpm4(*state, BLUE, "0.0.0.0", 0, NH_B);
	node_lpm6(*state, BLUE, "::", 0, NH_B);
	for (size_t i = 0; i < ARRAY_SIZE(packets); i++) {
		sr_case("row %zu", i);
		node_expect_drop(*state, TAP0, &packets[i], SR_DROP_MULTICAST);
	}
}

/* RFC 1812 5.3.7, RFC 4291 2.5: addresses that no router forwards. */
static void test_martians(void **state)
{
	static const char *const pairs[][2] = {
		{"0.0.0.0", VM_B},	   {"0.1.2.3", VM_B},	{"127.0.0.1", VM_B}, {"224.0.0.1", VM_B},
		{"255.255.255.255", VM_B}, {VM1, "0.0.0.0"},	{VM1, "127.0.0.1"},  {"::", VM_B_6},
		{"::1", VM_B_6},	   {"ff02::1", VM_B_6}, {VM1_6, "::"},	     {VM1_6, "::1"},
	};

	node_lpm4(*state, BLUE, "0.0.0.0", 0, NH_B);
	node_lpm6(*state, BLUE, "::", 0, NH_B);
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		struct packet in = from_vm1(pairs[i][0], pairs[i][1]);

		sr_case("from %s to %s", pairs[i][0], pairs[i][1]);
		node_expect_drop(*state, TAP0, &in, SR_DROP_MARTIAN);
	}
}

static void test_link_local_stays_on_the_link(void **state)
{
	struct packet from = from_vm1("fe80::1", VM_B_6), to = from_vm1(VM1_6, "fe80::1"),
		      last = from_vm1(VM1_6, "febf::1");
	struct packet beyond = from_vm1(VM1_6, "fec0::1");

	node_lpm6(*state, BLUE, "::", 0, NH_B);
	node_expect_drop(*state, TAP0, &from, SR_DROP_LINK_LOCAL);
	node_expect_drop(*state, TAP0, &to, SR_DROP_LINK_LOCAL);
	node_expect_drop(*state, TAP0, &last, SR_DROP_LINK_LOCAL);
	assert_goes_to(*state, TAP0, &beyond, SID_B_BLUE);
}

/* The domain is 2400:dcc0::/30 and fd00:5::/48: the first and last address of each, and their neighbours outside. */
static const struct {
	const char *addr;
	bool inside;
} edges[] = {
	{"2400:dcc0::", true},	{"2400:dcc3:ffff:ffff:ffff:ffff:ffff:ffff", true},
	{SID_BLUE, true},	{SID_B_BLUE, true},
	{SOURCE, true},		{"2400:dcbf:ffff:ffff:ffff:ffff:ffff:ffff", false},
	{"2400:dcc4::", false}, {"fd00:5::", true},
	{"fd00:5::1", true},	{"fd00:5:0:ffff:ffff:ffff:ffff:ffff", true},
	{"fd00:5:1::", false},	{"fd00:4:ffff:ffff:ffff:ffff:ffff:ffff", false},
};

static void test_destination_in_sid_space(void **state)
{
	node_lpm6(*state, BLUE, "::", 0, NH_B);
	for (size_t i = 0; i < ARRAY_SIZE(edges); i++) {
		struct packet in = from_vm1(VM1_6, edges[i].addr);

		sr_case("to %s", edges[i].addr);
		if (edges[i].inside)
			node_expect_drop(*state, TAP0, &in, SR_DROP_SID_SPACE);
		else
			assert_goes_to(*state, TAP0, &in, SID_B_BLUE);
	}
}

static void test_source_in_sid_space(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(edges); i++) {
		struct packet in = from_vm1(edges[i].addr, VM_B_6), local = from_vm1(edges[i].addr, VM2_6);

		sr_case("from %s", edges[i].addr);
		if (edges[i].inside) {
			node_expect_drop(*state, TAP0, &in, SR_DROP_SID_SPACE);
			node_expect_drop(*state, TAP0, &local, SR_DROP_SID_SPACE);
		} else {
			assert_goes_to(*state, TAP0, &in, SID_B_BLUE);
		}
	}
}

/* Lengths in either half of the address, and their borders: the last address inside, the first outside. */
static void test_domain_of_every_length(void **state)
{
	static const struct {
		const char *prefix;
		uint32_t len;
		const char *inside, *outside;
	} rows[] = {
		{"8000::", 1, "f000::1", "7fff::1"},
		{"fd00::", 8, "fdff:ffff::1", "fc00::1"},
		{"fd00:9:9:9::", 63, "fd00:9:9:9:ffff::1", "fd00:9:9:a::"},
		{"fd00:9:9:9::", 64, "fd00:9:9:9:ffff:ffff:ffff:ffff", "fd00:9:9:a::"},
		{"fd00:9:9:9::", 65, "fd00:9:9:9:7fff:ffff:ffff:ffff", "fd00:9:9:9:8000::"},
		{"fd00:9:9:9:9::", 96, "fd00:9:9:9:9:0:ffff:ffff", "fd00:9:9:9:9:1::"},
		{"fd00:9:9:9:9:9:9:8", 127, "fd00:9:9:9:9:9:9:9", "fd00:9:9:9:9:9:9:a"},
		{"fd00:9:9:9:9:9:9:9", 128, "fd00:9:9:9:9:9:9:9", "fd00:9:9:9:9:9:9:8"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct packet inside = from_vm1("2001:db8::5", rows[i].inside);
		struct packet outside = from_vm1("2001:db8::5", rows[i].outside);
		struct sr_bpf_config config = config_default();
		struct node *node;

		sr_case("%s/%u", rows[i].prefix, rows[i].len);
		config.domains[1] = (struct sr_bpf_prefix){ip6(rows[i].prefix), rows[i].len};
		node = node_new(&config);
		node_lpm6(node, BLUE, "::", 0, NH_B);
		node_expect_drop(node, TAP0, &inside, SR_DROP_SID_SPACE);
		assert_goes_to(node, TAP0, &outside, SID_B_BLUE);
		node_free(node);
	}
}

/* A VM that builds its own SRv6 packet: stopped by its outer destination, and no routing header helps it. */
static void test_vms_own_srv6(void **state)
{
	struct packet direct =
		PACKET(ETH(mac_vm1, mac_gateway), IP6(VM1_6, SID_BLUE), SRH(0, {SID_BLUE}), IP4(VM1, VM2), UDP(7, 8));
	struct packet through = PACKET(ETH(mac_vm1, mac_gateway), IP6(VM1_6, SID_END), SRH(1, {SID_END, SID_RED}),
				       IP4(VM1, VM1), UDP(7, 8));

	node_expect_drop(*state, TAP0, &direct, SR_DROP_SID_SPACE);
	node_expect_drop(*state, TAP0, &through, SR_DROP_SID_SPACE);
}

/* Routes */

static void test_no_route(void **state)
{
	struct packet p4 = from_vm1(NULL, "192.0.2.1"), p6 = from_vm1(NULL, "2001:db8::1");

	node_expect_drop(*state, TAP0, &p4, SR_DROP_NO_ROUTE);
	node_expect_drop(*state, TAP0, &p6, SR_DROP_NO_ROUTE);
}

static void test_next_hop_not_known_yet(void **state)
{
	struct packet p4 = from_vm1(NULL, "10.0.1.6"), p6 = from_vm1(NULL, "fd00:10::1:6");

	node_expect_drop(*state, TAP0, &p4, SR_DROP_NO_NEXTHOP);
	node_expect_drop(*state, TAP0, &p6, SR_DROP_NO_NEXTHOP);
}

static void test_longest_prefix(void **state)
{
	static const struct {
		const char *dst, *sid;
	} rows[] = {
		{"10.3.0.0", SID_C_BLUE},	    {"10.3.2.255", SID_C_BLUE},
		{"10.3.255.255", SID_C_BLUE},	    {"10.3.3.0", SID_B_BLUE},
		{"10.3.3.127", SID_B_BLUE},	    {"10.3.3.128", SID_C_BLUE},
		{"10.3.3.255", SID_C_BLUE},	    {"10.3.4.0", SID_C_BLUE},
		{"fd00:10:3::", SID_C_BLUE},	    {"fd00:10:3:2::1", SID_C_BLUE},
		{"fd00:10:3:3::1", SID_B_BLUE},	    {"fd00:10:3:3:7fff::", SID_B_BLUE},
		{"fd00:10:3:3:8000::", SID_C_BLUE}, {"fd00:10:3:ffff::", SID_C_BLUE},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct packet in = from_vm1(NULL, rows[i].dst);

		sr_case("%s", rows[i].dst);
		assert_goes_to(*state, TAP0, &in, rows[i].sid);
	}
}

static void test_default_route(void **state)
{
	struct packet p4 = from_vm1(NULL, "192.0.2.1"), p6 = from_vm1(NULL, "2001:db8::1");

	node_lpm4(*state, BLUE, "0.0.0.0", 0, NH_C);
	node_lpm6(*state, BLUE, "::", 0, NH_C);
	assert_goes_to(*state, TAP0, &p4, SID_C_BLUE);
	assert_goes_to(*state, TAP0, &p6, SID_C_BLUE);
}

/* An exact match wins over every prefix, a /32 or /128 in the trie included, which wins over all shorter ones. */
static void test_host_before_prefix(void **state)
{
	struct packet p4 = from_vm1(NULL, "10.3.3.200"), p6 = from_vm1(NULL, "fd00:10:3:3:8000::1");

	node_lpm4(*state, BLUE, "10.3.3.200", 32, NH_E);
	node_lpm6(*state, BLUE, "fd00:10:3:3:8000::1", 128, NH_E);
	assert_goes_to(*state, TAP0, &p4, SID_E_BLUE);
	assert_goes_to(*state, TAP0, &p6, SID_E_BLUE);
	node_host4(*state, BLUE, "10.3.3.200", NH_B);
	node_host6(*state, BLUE, "fd00:10:3:3:8000::1", NH_B);
	assert_goes_to(*state, TAP0, &p4, SID_B_BLUE);
	assert_goes_to(*state, TAP0, &p6, SID_B_BLUE);
}

/* Without its flag a VRF has no prefixes and the trie is not walked: a miss among the hosts is final. */
static void test_no_prefixes_without_the_flag(void **state)
{
	struct packet p4 = from_vm1(NULL, "10.3.3.1"), p6 = from_vm1(NULL, "fd00:10:3:3::1");

	node_vrf(*state, BLUE, SR_VRF_F_ACTIVE | SR_VRF_F_LPM6, 0);
	node_expect_drop(*state, TAP0, &p4, SR_DROP_NO_ROUTE);
	assert_goes_to(*state, TAP0, &p6, SID_B_BLUE);
	node_vrf(*state, BLUE, SR_VRF_F_ACTIVE | SR_VRF_F_LPM4, 0);
	node_expect_drop(*state, TAP0, &p6, SR_DROP_NO_ROUTE);
	assert_goes_to(*state, TAP0, &p4, SID_B_BLUE);
}

/* Blue and red have the same addresses; red must never see blue's, also where it has no route itself. */
static void test_tenants_are_apart(void **state)
{
	struct node *node = *state;
	struct packet blue = from_vm1(NULL, VM_B), blue6 = from_vm1(NULL, VM_B_6), red, red6, out;

	assert_goes_to(node, TAP0, &blue, SID_B_BLUE);
	assert_goes_to(node, TAP0, &blue6, SID_B_BLUE);
	assert_goes_to(node, TAP2, &blue, SID_C_RED);
	assert_goes_to(node, TAP2, &blue6, SID_C_RED);
	red = PACKET(ETH(mac_vm3, mac_gateway), IP4(VM1, VM2), UDP(7, 8));
	red6 = PACKET(ETH(mac_vm3, mac_gateway), IP6(VM1_6, VM2_6), UDP(7, 8));
	node_expect_drop(node, TAP2, &red, SR_DROP_NO_ROUTE);
	node_expect_drop(node, TAP2, &red6, SR_DROP_NO_ROUTE);
	node_vrf(node, RED, SR_VRF_F_ACTIVE | SR_VRF_F_LPM4 | SR_VRF_F_LPM6, 0);
	red = from_vm1(NULL, "10.3.3.1");
	node_expect_drop(node, TAP2, &red, SR_DROP_NO_ROUTE);
	assert_int_equal(node_run(node, TAP0, &red, &out), TC_ACT_REDIRECT);
}

/* To a tap of this node */

static void test_local_delivery4(void **state)
{
	struct packet in = PACKET(ETH(mac_vm1, mac_gateway), IP4(VM1, VM2, .tos = 0xb9, .id = 3), TCP(1, 2), DATA(100)),
		      out;
	struct packet want =
		PACKET(ETH(mac_gateway, mac_vm2), IP4(VM1, VM2, .ttl = 63, .tos = 0xb9, .id = 3), TCP(1, 2), DATA(100));

	node_expect_sent(*state, TAP0, &in, &out);
	packet_assert_equal(&out, &want);
}

static void test_local_delivery6(void **state)
{
	struct packet in = PACKET(ETH(mac_vm1, mac_gateway), IP6(VM1_6, VM2_6, .tc = 0xb9, .flow = 3), TCP(1, 2),
				  DATA(100)),
		      out;
	struct packet want = PACKET(ETH(mac_gateway, mac_vm2), IP6(VM1_6, VM2_6, .hlim = 63, .tc = 0xb9, .flow = 3),
				    TCP(1, 2), DATA(100));

	node_expect_sent(*state, TAP0, &in, &out);
	packet_assert_equal(&out, &want);
}

/* The fabric's MTU is no matter between two taps of a node. */
static void test_local_delivery_is_not_bound_by_the_fabrics_mtu(void **state)
{
	struct packet in = PACKET(ETH(mac_vm1, mac_gateway), IP4(VM1, VM2, .frag = 0x4000), UDP(1, 2), DATA(1472)), out;

	node_expect_sent(*state, TAP0, &in, &out);
	assert_int_equal(out.len, in.len);
}

static void test_to_itself(void **state)
{
	struct packet p4 = from_vm1(NULL, VM1), p6 = from_vm1(NULL, VM1_6), other = from_vm1("10.0.0.77", VM1);

	node_expect_drop(*state, TAP0, &p4, SR_DROP_SELF);
	node_expect_drop(*state, TAP0, &p6, SR_DROP_SELF);
	node_expect_drop(*state, TAP0, &other, SR_DROP_SELF);
}

static const struct CMUnitTest tests[] = {
	node_test(test_unknown_port),
	node_test(test_port_down),
	node_test(test_vrf_not_there),
	node_test(test_not_ip),
	node_test(test_multicast_and_broadcast),
	node_test(test_martians),
	node_test(test_link_local_stays_on_the_link),
	node_test(test_destination_in_sid_space),
	node_test(test_source_in_sid_space),
	cmocka_unit_test(test_domain_of_every_length),
	node_test(test_vms_own_srv6),
	node_test(test_no_route),
	node_test(test_next_hop_not_known_yet),
	node_test(test_longest_prefix),
	node_test(test_default_route),
	node_test(test_host_before_prefix),
	node_test(test_no_prefixes_without_the_flag),
	node_test(test_tenants_are_apart),
	node_test(test_local_delivery4),
	node_test(test_local_delivery6),
	node_test(test_local_delivery_is_not_bound_by_the_fabrics_mtu),
	node_test(test_to_itself),
};

HARNESS_MAIN("tap_route", tests)
