// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is counted: each packet once, where it belongs, with the bytes of the tenant's packet. RFC 8986 section 6.1: a
 * SID's counters leave out what was dropped or answered. That each drop has its own reason is part of every other test.
 */
#include "harness.h"

#include <string.h>

#define ETH_VM1 ETH(mac_vm1, mac_gateway)
#define ETH_IN ETH(mac_leaf0, mac_up0)
#define LEN4 (20 + 8 + 40) /* of the packets below, from the IP header on */
#define LEN6 (40 + 8 + 40)

enum what { ENCAP, DECAP, LOCAL, VRF_DROP, SID, END, COUNTERS };

static const char *const names[COUNTERS] = {"encap", "decap", "local", "drop", "SID", "End"};

/* Of blue; SID: that of blue's End.DT46. */
static void read_counters(struct node *node, struct sr_bpf_counter c[COUNTERS])
{
	struct sr_bpf_vrf_stats stats = node_vrf_stats(node, BLUE);

	c[ENCAP] = stats.encap;
	c[DECAP] = stats.decap;
	c[LOCAL] = stats.local;
	c[VRF_DROP] = stats.drop;
	c[SID] = node_sid_stats(node, STATS_BLUE);
	c[END] = node_sid_stats(node, STATS_END);
}

/* Nothing of blue's is red's. */
static void assert_red_untouched(struct node *node)
{
	struct sr_bpf_vrf_stats red = node_vrf_stats(node, RED), none = {0};

	assert_memory_equal(&red, &none, sizeof(red));
	assert_int_equal(node_sid_stats(node, STATS_RED).packets, 0);
}

static void assert_counted(struct node *node, enum port_name port, const struct packet *in, uint64_t bytes,
			   unsigned int where)
{
	struct sr_bpf_counter before[COUNTERS], after[COUNTERS];
	struct packet out;

	read_counters(node, before);
	node_run(node, port, in, &out);
	read_counters(node, after);
	for (int i = 0; i < COUNTERS; i++) {
		sr_case("%s", names[i]);
		assert_int_equal(after[i].packets - before[i].packets, where >> i & 1);
		assert_int_equal(after[i].bytes - before[i].bytes, where >> i & 1 ? bytes : 0);
	}
	assert_red_untouched(node);
}

static void test_encap(void **state)
{
	struct packet p4 = PACKET(ETH_VM1, IP4(VM1, VM_B), UDP(5, 6), DATA(40));
	struct packet p6 = PACKET(ETH_VM1, IP6(VM1_6, VM_B_6), UDP(5, 6), DATA(40));
	struct packet padded = PACKET(ETH_VM1, IP4(VM1, VM_B), UDP(5, 6));

	assert_counted(*state, TAP0, &p4, LEN4, 1 << ENCAP);
	assert_counted(*state, TAP0, &p6, LEN6, 1 << ENCAP);
	padded.len += 18;
	assert_counted(*state, TAP0, &padded, 28, 1 << ENCAP);
}

static void test_local(void **state)
{
	struct packet p4 = PACKET(ETH_VM1, IP4(VM1, VM2), UDP(5, 6), DATA(40));
	struct packet p6 = PACKET(ETH_VM1, IP6(VM1_6, VM2_6), UDP(5, 6), DATA(40));

	assert_counted(*state, TAP0, &p4, LEN4, 1 << LOCAL);
	assert_counted(*state, TAP0, &p6, LEN6, 1 << LOCAL);
}

static void test_decap(void **state)
{
	struct packet p4 = PACKET(ETH_IN, IP6(PEER, SID_BLUE), SRH(0, {SID_BLUE}), IP4(VM_B, VM1), UDP(5, 6), DATA(40));
	struct packet p6 = PACKET(ETH_IN, IP6(PEER, SID_BLUE), IP6(VM_B_6, VM1_6), UDP(5, 6), DATA(40));

	assert_counted(*state, UP0, &p4, LEN4, 1 << DECAP | 1 << SID);
	assert_counted(*state, UP0, &p6, LEN6, 1 << DECAP | 1 << SID);
}

/* A packet that follows its VM comes out of a tunnel and goes into another: at the SID it was well received. */
static void test_followed(void **state)
{
	struct packet in = PACKET(ETH_IN, IP6(PEER, SID_BLUE), IP4(VM_B, "10.0.1.2"), UDP(5, 6), DATA(40));

	assert_counted(*state, UP0, &in, LEN4, 1 << ENCAP | 1 << SID);
}

static void test_each_vrf_and_sid_by_itself(void **state)
{
	struct packet in = PACKET(ETH_IN, IP6(PEER, SID_RED), IP4(VM_B, VM1), UDP(5, 6), DATA(40)), out;

	node_expect_sent(*state, UP0, &in, &out);
	assert_int_equal(node_vrf_stats(*state, RED).decap.packets, 1);
	assert_int_equal(node_vrf_stats(*state, RED).decap.bytes, LEN4);
	assert_int_equal(node_sid_stats(*state, STATS_RED).packets, 1);
	assert_int_equal(node_vrf_stats(*state, BLUE).decap.packets, 0);
	assert_int_equal(node_sid_stats(*state, STATS_BLUE).packets, 0);
	assert_int_equal(node_sid_stats(*state, STATS_DT4).packets, 0);
}

/* Dropped or answered: the VRF's drops, and no SID's. */
static void test_dropped_from_a_tap(void **state)
{
	const struct packet packets[] = {
		PACKET(ETH_VM1, IP4(VM1, "192.0.2.1"), UDP(5, 6), DATA(40)),
		PACKET(ETH_VM1, IP4(VM1, "10.0.1.5"), UDP(5, 6), DATA(40)),
		PACKET(ETH_VM1, IP4(VM1, "10.0.1.6"), UDP(5, 6), DATA(40)),
		PACKET(ETH_VM1, IP4(VM1, VM1), UDP(5, 6), DATA(40)),
		PACKET(ETH_VM1, IP4(VM1, VM_B, .ttl = 1), UDP(5, 6), DATA(40)),
		PACKET(ETH_VM1, IP4(VM1, "224.0.0.1"), UDP(5, 6), DATA(40)),
	};

	for (size_t i = 0; i < ARRAY_SIZE(packets); i++) {
		sr_case("row %zu", i);
		assert_counted(*state, TAP0, &packets[i], LEN4, 1 << VRF_DROP);
	}
}

static void test_dropped_from_an_uplink(void **state)
{
	const struct packet packets[] = {
		PACKET(ETH_IN, IP6(PEER, SID_BLUE), IP4(VM_B, "192.0.2.1"), UDP(5, 6), DATA(40)),
		PACKET(ETH_IN, IP6(PEER, SID_BLUE), IP4(VM_B, "10.0.1.6"), UDP(5, 6), DATA(40)),
		PACKET(ETH_IN, IP6(PEER, SID_BLUE, .tc = 3), IP4(VM_B, VM1), UDP(5, 6), DATA(40)),
		PACKET(ETH_IN, IP6(PEER, SID_BLUE), IP4(VM_B, "10.0.1.2", .ttl = 1), UDP(5, 6), DATA(40)),
	};

	for (size_t i = 0; i < ARRAY_SIZE(packets); i++) {
		sr_case("row %zu", i);
		assert_counted(*state, UP0, &packets[i], LEN4, 1 << VRF_DROP);
	}
}

/* Refused before it is known whose packet it is, or answered from where it came: nobody's. */
static void test_refused_at_the_sid(void **state)
{
	const struct packet packets[] = {
		PACKET(ETH_IN, IP6(PEER, SID_BLUE), SRH(1, {SID_BLUE, SID_B_BLUE}), IP4(VM_B, VM1), UDP(5, 6)),
		PACKET(ETH_IN, IP6(PEER, SID_BLUE), TCP(1, 2)),
		PACKET(ETH_IN, IP6(OUTSIDE, SID_BLUE), IP4(VM_B, VM1), UDP(5, 6)),
		PACKET(ETH_IN, IP6(PEER, SID_UNKNOWN), IP4(VM_B, VM1), UDP(5, 6)),
		PACKET(ETH_IN, IP6(PEER, SID_END, .hlim = 1), SRH(1, {SID_END, SID_B_BLUE}), IP4(VM_B, VM1), UDP(5, 6)),
		PACKET(ETH_IN, IP6(PEER, SID_END), SRH(1, {SID_END, "2400:dcc3::9"}), IP4(VM_B, VM1), UDP(5, 6)),
	};

	for (size_t i = 0; i < ARRAY_SIZE(packets); i++) {
		sr_case("row %zu", i);
		assert_counted(*state, UP0, &packets[i], 0, 0);
	}
}

static void test_end(void **state)
{
	struct packet in = PACKET(ETH_IN, IP6(PEER, SID_END), SRH(1, {SID_END, SID_B_BLUE}), IP4(VM_B, VM1), UDP(5, 6));

	assert_counted(*state, UP0, &in, in.len - 14, 1 << END);
}

/* Answered, or the kernel's: neither traffic nor drop. */
static void test_what_is_not_counted(void **state)
{
	const struct packet from_vm[] = {
		PACKET(ETH(mac_vm1, mac_broadcast), ARP(1, mac_vm1, VM1, NULL, VM2)),
		PACKET(ETH_VM1, IP6(VM1_6, VM2_6, .hlim = 255), NS(VM2_6, mac_vm1)),
		PACKET(ETH_VM1, IP4(VM1, GATEWAY4), ICMP(8, 0, 1)),
		PACKET(ETH_VM1, IP6(VM1_6, GATEWAY6), ICMP6(128, 0, 1)),
	};
	const struct packet from_fabric[] = {
		PACKET(ETH_IN, IP6(PEER, SID_BLUE), ICMP6(128, 0, 1)),
		PACKET(ETH_IN, IP6(PEER, SID_BLUE), SRH(0, {SID_BLUE}), UDP(1, 33434)),
		PACKET(ETH_IN, IP6(PEER, SID_B_BLUE), IP4(VM_B, VM1), UDP(5, 6)),
	};

	for (size_t i = 0; i < ARRAY_SIZE(from_vm); i++) {
		sr_case("from a tap, row %zu", i);
		assert_counted(*state, TAP0, &from_vm[i], 0, 0);
		node_assert_counted(*state, SR_DIR_FROM_TAP, SR_DROP_MAX);
	}
	for (size_t i = 0; i < ARRAY_SIZE(from_fabric); i++) {
		sr_case("from an uplink, row %zu", i);
		assert_counted(*state, UP0, &from_fabric[i], 0, 0);
		node_assert_counted(*state, SR_DIR_FROM_UPLINK, SR_DROP_MAX);
	}
}

static void test_bytes_of_drops(void **state)
{
	struct packet in = PACKET(ETH_VM1, IP4(VM1, "192.0.2.1"), UDP(5, 6), DATA(40));

	node_expect_drop(*state, TAP0, &in, SR_DROP_NO_ROUTE);
	node_expect_drop(*state, TAP0, &in, SR_DROP_NO_ROUTE);
	assert_int_equal(node_drops(*state, SR_DIR_FROM_TAP, SR_DROP_NO_ROUTE).packets, 2);
	assert_int_equal(node_drops(*state, SR_DIR_FROM_TAP, SR_DROP_NO_ROUTE).bytes, 2 * LEN4);
}

static const struct CMUnitTest tests[] = {
	node_test(test_encap),
	node_test(test_local),
	node_test(test_decap),
	node_test(test_followed),
	node_test(test_each_vrf_and_sid_by_itself),
	node_test(test_dropped_from_a_tap),
	node_test(test_dropped_from_an_uplink),
	node_test(test_refused_at_the_sid),
	node_test(test_end),
	node_test(test_what_is_not_counted),
	node_test(test_bytes_of_drops),
};

HARNESS_MAIN("counters", tests)
