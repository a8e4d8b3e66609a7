// SPDX-License-Identifier: GPL-2.0-only
/*
 * From an uplink: what is not ours, the domain's edge (RFC 8754 5.1, RFC 8402 8.2), what is for the kernel (RFC 9259,
 * RFC 8754 4.3.2), and what the fabric says about its MTU (RFC 8201, RFC 8754 5.4).
 */
#include "harness.h"

#include <string.h>

#define ETH_IN ETH(mac_leaf0, mac_up0)
#define INNER4 IP4(VM_B, VM1, .ttl = 63), UDP(5, 6), DATA(40)
#define ROUTER "fd00:5::1"

/* Not ours */

static void test_not_ours_is_left_alone(void **state)
{
	const struct packet packets[] = {
		PACKET(ETH_IN, IP6(PEER, SID_B_BLUE), SRH(0, {SID_B_BLUE}), INNER4),
		PACKET(ETH_IN, IP6(PEER, SID_HOP_1), SRH(1, {SID_HOP_1, SID_BLUE}), INNER4),
		PACKET(ETH_IN, IP6(OUTSIDE, SID_B_BLUE), INNER4),
		PACKET(ETH_IN, IP6(OUTSIDE, "2001:db8::2"), TCP(1, 179)),
		PACKET(ETH_IN, IP6(PEER, PEER), UDP(1, 2)),
		PACKET(ETH_IN, IP6("fe80::1", "fe80::2"), TCP(1, 179)),
		PACKET(ETH_IN, IP6("fe80::1", "ff02::1", .hlim = 255), ICMP6(134), DATA(8)),
		PACKET(ETH_IN, IP6("fe80::1", "ff02::1:ff00:2", .hlim = 255), NS("fe80::2", mac_leaf0)),
		PACKET(ETH_IN, IP4("192.0.2.1", "192.0.2.2"), TCP(1, 2)),
		PACKET(ETH_IN, IP4(VM_B, VM1), UDP(5, 6)),
		PACKET(ETH(mac_leaf0, mac_broadcast), ARP(1, mac_leaf0, "192.0.2.1", NULL, "192.0.2.2")),
		PACKET(ETH(mac_leaf0, mac_up0, 0x88cc), DATA(46)),
	};

	for (size_t i = 0; i < ARRAY_SIZE(packets); i++) {
		sr_case("row %zu", i);
		node_expect_kernel(*state, UP0, &packets[i]);
	}
}

/* The edge */

static void test_from_outside_the_domain(void **state)
{
	static const char *const sources[] = {
		OUTSIDE, "2400:dcbf:ffff::1", "2400:dcc4::", "fd00:4::1", "fd00:5:1::", VM1_6, "::1", "::"};
	static const char *const sids[] = {SID_BLUE, SID_DT4, SID_END, SID_UNKNOWN};

	for (size_t i = 0; i < ARRAY_SIZE(sources) * ARRAY_SIZE(sids); i++) {
		const char *src = sources[i / ARRAY_SIZE(sids)], *sid = sids[i % ARRAY_SIZE(sids)];
		struct packet plain = PACKET(ETH_IN, IP6(src, sid), INNER4);
		struct packet with_srh = PACKET(ETH_IN, IP6(src, sid), SRH(1, {sid, SID_B_BLUE}), INNER4);
		struct packet ping = PACKET(ETH_IN, IP6(src, sid), ICMP6(128, 0, 1), DATA(8));
		struct packet udp = PACKET(ETH_IN, IP6(src, sid), UDP(1, 33434));

		sr_case("from %s to %s", src, sid);
		node_expect_drop(*state, UP0, &plain, SR_DROP_NOT_DOMAIN);
		node_expect_drop(*state, UP0, &with_srh, SR_DROP_NOT_DOMAIN);
		node_expect_drop(*state, UP0, &ping, SR_DROP_NOT_DOMAIN);
		node_expect_drop(*state, UP0, &udp, SR_DROP_NOT_DOMAIN);
	}
}

static void test_from_inside_the_domain(void **state)
{
	static const char *const sources[] = {PEER, "2400:dcc0::", "2400:dcc3:ffff:ffff:ffff:ffff:ffff:ffff",
					      "fd00:5::", "fd00:5:0:ffff:ffff:ffff:ffff:ffff"};

	for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
		struct packet in = PACKET(ETH_IN, IP6(sources[i], SID_BLUE), INNER4), out;

		sr_case("from %s", sources[i]);
		node_expect_sent(*state, UP0, &in, &out);
	}
}

/* RFC 8986 9: a tenant's packet to what is no SID, or no more. Never to the kernel, which would unpack it. */
static void test_unknown_function(void **state)
{
	struct packet four = PACKET(ETH_IN, IP6(PEER, SID_UNKNOWN), INNER4);
	struct packet four_srh = PACKET(ETH_IN, IP6(PEER, SID_UNKNOWN), SRH(0, {SID_UNKNOWN}), INNER4);
	struct packet six = PACKET(ETH_IN, IP6(PEER, SID_UNKNOWN), IP6(VM_B_6, VM1_6), UDP(5, 6));

	node_expect_drop(*state, UP0, &four, SR_DROP_NO_SID);
	node_expect_drop(*state, UP0, &four_srh, SR_DROP_NO_SID);
	node_expect_drop(*state, UP0, &six, SR_DROP_NO_SID);
}

/* The kernel's */

static void test_ping_to_a_sid(void **state)
{
	static const char *const sids[] = {SID_BLUE, SID_DT4, SID_END, SID_UNKNOWN, SOURCE};

	for (size_t i = 0; i < ARRAY_SIZE(sids); i++) {
		struct packet ping = PACKET(ETH_IN, IP6(PEER, sids[i]), ICMP6(128, 0, 1), DATA(56));
		struct packet trace = PACKET(ETH_IN, IP6(PEER, sids[i], .hlim = 1), UDP(4000, 33434), DATA(32));

		sr_case("%s", sids[i]);
		node_expect_kernel(*state, UP0, &ping);
		node_expect_kernel(*state, UP0, &trace);
	}
}

static void expect_stripped(struct node *node, const struct packet *in, const struct packet *want)
{
	struct packet out;

	assert_int_equal(node_run(node, UP0, in, &out), TC_ACT_OK);
	node_assert_counted(node, SR_DIR_FROM_UPLINK, SR_DROP_MAX);
	packet_assert_equal(&out, want);
}

/* RFC 9259 3.1, 3.2: through segments to a SID. The kernel takes no SRH, so it goes without. */
static void test_ping_to_a_sid_with_srh(void **state)
{
	static const char *const sids[] = {SID_BLUE, SID_DT4, SID_END, SID_UNKNOWN, SOURCE};

	for (size_t i = 0; i < ARRAY_SIZE(sids); i++) {
		struct packet ping = PACKET(ETH_IN, IP6(PEER, sids[i], .tc = 4, .flow = 7),
					    SRH(0, {SID_HOP_1, sids[i]}), ICMP6(128, 0, 1), DATA(56));
		struct packet want = PACKET(ETH_IN, IP6(PEER, sids[i], .tc = 4, .flow = 7), ICMP6(128, 0, 1), DATA(56));
		struct packet trace = PACKET(ETH_IN, IP6(PEER, sids[i]), SRH(0, {sids[i]}), UDP(4000, 33434), DATA(32));
		struct packet trace_want = PACKET(ETH_IN, IP6(PEER, sids[i]), UDP(4000, 33434), DATA(32));

		sr_case("%s", sids[i]);
		expect_stripped(*state, &ping, &want);
		expect_stripped(*state, &trace, &trace_want);
	}
}

/* RFC 8754 4.3.2: no segments left at an address that is no SID: the header is ignored. */
static void test_local_but_no_sid(void **state)
{
	struct packet in = PACKET(ETH_IN, IP6(PEER, SOURCE), SRH(0, {SOURCE}), TCP(1, 2379), DATA(100));
	struct packet want = PACKET(ETH_IN, IP6(PEER, SOURCE), TCP(1, 2379), DATA(100));

	expect_stripped(*state, &in, &want);
}

/* Path MTU */

#define QUOTED(dst) IP6(SOURCE, dst, .hlim = 60), SRH(0, {dst}), IP4(VM1, VM_B, .ttl = 63), UDP(7, 8), DATA(1000)

static struct packet too_big(const char *from, const char *to, uint32_t mtu, const struct packet *quoted, size_t len)
{
	return PACKET(ETH_IN, IP6(from, to), ICMP6(2, 0, mtu), DATA(len, quoted->data));
}

/* What a VM is told from now on, by a packet that the fabric's own MTU lets through; 0: nothing. */
static uint32_t told(struct node *node)
{
	struct packet in = PACKET(ETH(mac_vm1, mac_gateway), IP4(VM1, VM_B, .frag = 0x4000), UDP(7, 8),
				  DATA(1436 - 28)),
		      out;

	node_run(node, TAP0, &in, &out);
	return out.data[12] == 8 && out.data[14 + 20] == 3 && out.data[14 + 21] == 4
		       ? (uint32_t)(out.data[14 + 26] << 8 | out.data[14 + 27])
		       : 0;
}

static void test_packet_too_big_is_learnt(void **state)
{
	struct packet quoted = PACKET(QUOTED(SID_B_BLUE)), in = too_big(ROUTER, SOURCE, 1400, &quoted, 1000);
	int64_t left = 0;

	assert_int_equal(told(*state), 0);
	node_expect_kernel(*state, UP0, &in);
	assert_int_equal(node_pmtu(*state, SID_B_BLUE, &left), 1400);
	assert_in_range(left, 1, 600);
	assert_int_equal(node_pmtu(*state, SID_C_BLUE, NULL), 0);
	assert_int_equal(told(*state), 1400 - 64);
}

static void test_packet_too_big_from_a_sids_own_path(void **state)
{
	struct packet quoted =
		PACKET(IP6(SOURCE, SID_B_BLUE, .hlim = 60), IP6(VM1_6, VM_B_6, .hlim = 63), UDP(7, 8), DATA(900));
	struct packet in = too_big(PEER, SOURCE, 1280, &quoted, 100);

	node_expect_kernel(*state, UP0, &in);
	assert_int_equal(node_pmtu(*state, SID_B_BLUE, NULL), 1280);
}

/* RFC 8201 section 4: never below 1280; and what is not about a packet of ours is nobody's word. */
static void test_packet_too_big_ignored(void **state)
{
	struct packet ours = PACKET(QUOTED(SID_B_BLUE));
	struct packet others = PACKET(IP6(PEER, SID_B_BLUE), SRH(0, {SID_B_BLUE}), INNER4);
	struct packet nowhere = PACKET(IP6(SOURCE, OUTSIDE), TCP(1, 2), DATA(1000));
	const struct {
		const char *name;
		struct packet in;
	} rows[] = {
		{"less than 1280", too_big(ROUTER, SOURCE, 1279, &ours, 1000)},
		{"none at all", too_big(ROUTER, SOURCE, 0, &ours, 1000)},
		{"quotes another node's packet", too_big(ROUTER, SOURCE, 1400, &others, 108)},
		{"quotes a packet to outside", too_big(ROUTER, SOURCE, 1400, &nowhere, 1000)},
		{"to a SID", too_big(ROUTER, SID_BLUE, 1400, &others, 108)},
		{"from outside", too_big(OUTSIDE, SOURCE, 1400, &ours, 1000)},
		{"another code's type", PACKET(ETH_IN, IP6(ROUTER, SOURCE), ICMP6(1, 0, 1400), DATA(1000, ours.data))},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct packet out;

		sr_case("%s", rows[i].name);
		node_run(*state, UP0, &rows[i].in, &out);
		assert_int_equal(node_pmtu(*state, SID_B_BLUE, NULL), 0);
		assert_int_equal(node_pmtu(*state, OUTSIDE, NULL), 0);
	}
}

static void test_packet_too_big_truncated(void **state)
{
	struct packet ours = PACKET(QUOTED(SID_B_BLUE));

	for (size_t len = 0; len < 40; len++) {
		struct packet in = too_big(ROUTER, SOURCE, 1400, &ours, len), out;

		sr_case("%zu bytes quoted", len);
		node_run(*state, UP0, &in, &out);
		assert_int_equal(node_pmtu(*state, SID_B_BLUE, NULL), 0);
	}
}

static const struct CMUnitTest tests[] = {
	node_test(test_not_ours_is_left_alone),
	node_test(test_from_outside_the_domain),
	node_test(test_from_inside_the_domain),
	node_test(test_unknown_function),
	node_test(test_ping_to_a_sid),
	node_test(test_ping_to_a_sid_with_srh),
	node_test(test_local_but_no_sid),
	node_test(test_packet_too_big_is_learnt),
	node_test(test_packet_too_big_from_a_sids_own_path),
	node_test(test_packet_too_big_ignored),
	node_test(test_packet_too_big_truncated),
};

HARNESS_MAIN("uplink_edge", tests)
