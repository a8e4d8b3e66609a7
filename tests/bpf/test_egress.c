// SPDX-License-Identifier: GPL-2.0-only
/* Programs attached, packets sent for real: what leaves where, with which Ethernet header. */
#include "wire.h"

#include <arpa/inet.h>
#include <string.h>

#define FLOWS 256

struct wires {
	struct node *node;
	int vm1, vm2, vm3, leaf0, leaf1;
};

static int setup(void **state)
{
	static struct wires w;

	w.node = node_new(NULL);
	wire_attach(w.node);
	w.vm1 = wire_open("vm1");
	w.vm2 = wire_open("vm2");
	w.vm3 = wire_open("vm3");
	w.leaf0 = wire_open("leaf0");
	w.leaf1 = wire_open("leaf1");
	*state = &w;
	return 0;
}

static int teardown(void **state)
{
	struct wires *w = *state;

	wire_close(w->vm1);
	wire_close(w->vm2);
	wire_close(w->vm3);
	wire_close(w->leaf0);
	wire_close(w->leaf1);
	node_free(w->node);
	return 0;
}

/* `want` arrives at `at`, and nothing at any other end. */
static void assert_arrives(struct wires *w, int at, const struct packet *want)
{
	const int ends[] = {w->vm1, w->vm2, w->vm3, w->leaf0, w->leaf1};
	struct packet got;

	if (!wire_recv(at, &got, WIRE_WAIT_MS)) {
		packet_print("want", want);
		fail_msg("nothing arrived");
	}
	packet_assert_equal(&got, want);
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		if (!wire_recv(ends[i], &got, i ? 0 : WIRE_QUIET_MS))
			continue;
		packet_print("unexpected", &got);
		fail_msg("arrived at end %zu too", i);
	}
}

/* The first thing that arrives at `at`; its whole packet is tested elsewhere. */
static struct packet arrives(int at)
{
	struct packet got;

	if (!wire_recv(at, &got, WIRE_WAIT_MS))
		fail_msg("nothing arrived");
	return got;
}

static void test_into_the_fabric(void **state)
{
	struct packet in = PACKET(ETH(mac_vm1, mac_gateway), IP4(VM1, VM_B), UDP(5, 6), DATA(50)), out, want;
	struct wires *w = *state;

	node_expect_sent(w->node, TAP0, &in, &out);
	want = PACKET(ETH(mac_up0, mac_leaf0),
		      IP6(SOURCE, SID_B_BLUE, .hlim = HOP_LIMIT, .flow = ip6_flow(out.data + 14)), SRH(0, {SID_B_BLUE}),
		      IP4(VM1, VM_B, .ttl = 63), UDP(5, 6), DATA(50));
	wire_send(w->vm1, &in);
	assert_arrives(w, w->leaf0, &want);
}

static void test_to_a_tap_of_this_node(void **state)
{
	struct packet in = PACKET(ETH(mac_vm1, mac_gateway), IP4(VM1, VM2), UDP(5, 6), DATA(50));
	struct packet want = PACKET(ETH(mac_gateway, mac_vm2), IP4(VM1, VM2, .ttl = 63), UDP(5, 6), DATA(50));
	struct wires *w = *state;

	wire_send(w->vm1, &in);
	assert_arrives(w, w->vm2, &want);
}

static void test_out_of_the_fabric(void **state)
{
	struct packet blue = PACKET(ETH(mac_leaf0, mac_up0), IP6(PEER, SID_BLUE), SRH(0, {SID_BLUE}), IP4(VM_B, VM1),
				    UDP(5, 6), DATA(50));
	struct packet red = PACKET(ETH(mac_leaf1, mac_up1), IP6(PEER, SID_RED), IP4(VM_B, VM1), UDP(5, 6), DATA(50));
	struct packet want = PACKET(ETH(mac_gateway, mac_vm1), IP4(VM_B, VM1), UDP(5, 6), DATA(50));
	struct packet want_red = PACKET(ETH(mac_gateway, mac_vm3), IP4(VM_B, VM1), UDP(5, 6), DATA(50));
	struct wires *w = *state;

	wire_send(w->leaf0, &blue);
	assert_arrives(w, w->vm1, &want);
	wire_send(w->leaf1, &red);
	assert_arrives(w, w->vm3, &want_red);
}

static void test_arp_answer(void **state)
{
	struct packet in = PACKET(ETH(mac_vm1, mac_broadcast), ARP(1, mac_vm1, VM1, NULL, GATEWAY4));
	struct packet want = PACKET(ETH(mac_gateway, mac_vm1), ARP(2, mac_gateway, GATEWAY4, mac_vm1, VM1));
	struct wires *w = *state;

	wire_send(w->vm1, &in);
	assert_arrives(w, w->vm1, &want);
}

static void test_neighbour_answer(void **state)
{
	struct packet in = PACKET(ETH(mac_vm1, mac_gateway), IP6(VM1_6, GATEWAY6, .hlim = 255), NS(GATEWAY6, mac_vm1)),
		      want;
	struct wires *w = *state;

	node_expect_answer(w->node, TAP0, &in, SR_DROP_MAX, &want);
	wire_send(w->vm1, &in);
	assert_arrives(w, w->vm1, &want);
}

static void test_icmp_error_to_a_vm(void **state)
{
	struct packet in = PACKET(ETH(mac_vm1, mac_gateway), IP4(VM1, VM_B, .ttl = 1), UDP(5, 6), DATA(50)), want;
	struct wires *w = *state;

	node_expect_answer(w->node, TAP0, &in, SR_DROP_TTL, &want);
	wire_send(w->vm1, &in);
	assert_arrives(w, w->vm1, &want);
}

/* Back into the fabric, by its routes: to the leaf that is next, not to whoever the packet came from. */
static void test_icmp_error_to_a_source_node(void **state)
{
	struct packet in = PACKET(ETH(mac_leaf1, mac_up1), IP6(PEER, SID_BLUE), SRH(1, {SID_BLUE, SID_B_BLUE}),
				  IP4(VM_B, VM1), UDP(5, 6));
	struct wires *w = *state;
	struct packet want;

	node_expect_answer(w->node, UP1, &in, SR_DROP_SEGMENTS_LEFT, &want);
	memcpy(want.data, mac_leaf0, 6);
	memcpy(want.data + 6, mac_up0, 6);
	wire_send(w->leaf1, &in);
	assert_arrives(w, w->leaf0, &want);
}

static void test_end_sends_on(void **state)
{
	struct packet in = PACKET(ETH(mac_leaf1, mac_up1), IP6(PEER, SID_END), SRH(1, {SID_END, SID_B_BLUE}),
				  IP4(VM_B, VM1), UDP(5, 6));
	struct packet want = PACKET(ETH(mac_up0, mac_leaf0), IP6(PEER, SID_B_BLUE, .hlim = 63),
				    SRH(0, {SID_END, SID_B_BLUE}), IP4(VM_B, VM1), UDP(5, 6));
	struct wires *w = *state;

	wire_send(w->leaf1, &in);
	assert_arrives(w, w->leaf0, &want);
}

/* Counts what has come out of each uplink; waits for so long where there is nothing. */
static void count(const struct wires *w, unsigned int counts[2], int ms)
{
	struct packet got;

	while (wire_recv(w->leaf0, &got, 0))
		counts[0]++;
	while (wire_recv(w->leaf1, &got, ms))
		counts[1]++;
}

/* Waits until all are counted. */
static void count_all(const struct wires *w, unsigned int counts[2], unsigned int all)
{
	for (int ms = 0; counts[0] + counts[1] < all && ms < WIRE_WAIT_MS; ms += 10)
		count(w, counts, 10);
	assert_int_equal(counts[0] + counts[1], all);
}

/* Flows of one pair of VMs over both uplinks, whichever way the kernel's ECMP hashes. */
static unsigned int over_leaf0(struct wires *w)
{
	unsigned int counts[2] = {0, 0};

	for (unsigned int i = 0; i < FLOWS; i++) {
		struct packet p =
			PACKET(ETH(mac_vm1, mac_gateway), IP4(VM1, "10.0.1.3"), TCP((uint16_t)(32768 + i), 443));

		wire_send(w->vm1, &p);
		count(w, counts, 0);
	}
	count_all(w, counts, FLOWS);
	return counts[0];
}

static void test_both_uplinks_are_used(void **state)
{
	static const char *const policies[] = {"0", "1"};

	for (size_t i = 0; i < ARRAY_SIZE(policies); i++) {
		unsigned int n;

		assert_true(harness_sysctl("net/ipv6/fib_multipath_hash_policy", policies[i]));
		n = over_leaf0(*state);
		sr_case("policy %s: %u of %d flows over up0", policies[i], n, FLOWS);
		assert_in_range(n, FLOWS / 2 - 48, FLOWS / 2 + 48); /* six sigma */
	}
}

/* One flow stays on one uplink. */
static void test_a_flow_uses_one_uplink(void **state)
{
	unsigned int counts[2] = {0, 0};
	struct wires *w = *state;

	for (uint32_t i = 0; i < 32; i++) {
		struct packet p = PACKET(ETH(mac_vm1, mac_gateway), IP4(VM1, "10.0.1.3", .id = (uint16_t)i),
					 TCP(5000, 443, .seq = i * 100), DATA((size_t)i * 10));

		wire_send(w->vm1, &p);
	}
	count_all(w, counts, 32);
	sr_case("%u of 32 packets over up0", counts[0]);
	assert_true(counts[0] == 0 || counts[0] == 32);
}

/* From cold: the kernel asks for the neighbour, and the packet that made it ask is not lost. */
static void test_neighbour_resolution_from_cold(void **state)
{
	static const uint8_t mac_cold[6] = {2, 0, 0, 0, 0xc, 0};
	struct packet in = PACKET(ETH(mac_vm1, mac_gateway), IP4(VM1, "10.0.1.4"), UDP(5, 6), DATA(50)), got, answer;
	struct in6_addr asked = ip6("fe80::2"), want = ip6(SID_N_BLUE);
	struct wires *w = *state;
	char asker[INET6_ADDRSTRLEN];

	wire_send(w->vm1, &in);
	got = arrives(w->leaf0);
	assert_int_equal(got.data[54], 135);
	assert_memory_equal(got.data + 62, &asked, 16);
	inet_ntop(AF_INET6, got.data + 14 + 8, asker, sizeof(asker));
	answer =
		PACKET(ETH(mac_cold, mac_up0), IP6("fe80::2", asker, .hlim = 255), NA("fe80::2", mac_cold, 0x60000000));
	wire_send(w->leaf0, &answer);
	got = arrives(w->leaf0);
	assert_memory_equal(got.data, mac_cold, 6);
	assert_memory_equal(got.data + 6, mac_up0, 6);
	assert_memory_equal(got.data + 14 + 24, &want, 16);
	wire_send(w->vm1, &in);
	got = arrives(w->leaf0);
	assert_memory_equal(got.data, mac_cold, 6);
}

/* RFC 9259: a SID answers pings, through an SRH too; the node has its locator as a local route, as the agent makes it.
 */
static void test_ping_to_a_sid(void **state)
{
	struct packet plain = PACKET(ETH(mac_leaf0, mac_up0), IP6(PEER, SID_BLUE), ICMP6(128, 0, 7), DATA(20));
	struct packet with_srh = PACKET(ETH(mac_leaf0, mac_up0), IP6(PEER, SID_BLUE), SRH(0, {SID_HOP_1, SID_BLUE}),
					ICMP6(128, 0, 7), DATA(20));
	struct wires *w = *state;
	struct packet got, want;

	assert_true(harness_ip("route replace local 2400:dcc0::a7a:4d8e:0:0/96 dev lo\n"));
	for (int i = 0; i < 2; i++) {
		wire_send(w->leaf0, i ? &with_srh : &plain);
		got = arrives(w->leaf0);
		want = PACKET(ETH(mac_up0, mac_leaf0),
			      IP6(SID_BLUE, PEER, .hlim = got.data[21], .flow = ip6_flow(got.data + 14)),
			      ICMP6(129, 0, 7), DATA(20));
		packet_assert_equal(&got, &want);
	}
}

/* Frames of every length, those included that BPF_PROG_TEST_RUN does not take: none gets anywhere but into the count.
 */
static void expect_cut_dropped(struct wires *w, int from, enum sr_direction dir, const struct packet *whole,
			       size_t last)
{
	uint64_t before = node_drops(w->node, dir, SR_DROP_MALFORMED).packets;
	uint64_t want = last - (dir == SR_DIR_FROM_TAP ? 14 : 54), dropped = 0;
	struct packet got;

	for (size_t len = 14; len < last; len++) {
		struct packet cut = *whole;

		cut.len = len;
		wire_send(from, &cut);
	}
	for (int ms = 0; dropped < want && ms < WIRE_WAIT_MS; ms += 10) {
		assert_false(wire_recv(w->leaf0, &got, 10));
		dropped = node_drops(w->node, dir, SR_DROP_MALFORMED).packets - before;
	}
	assert_false(wire_recv(w->leaf0, &got, WIRE_QUIET_MS));
	assert_false(wire_recv(w->vm1, &got, 0));
	assert_false(wire_recv(w->vm2, &got, 0));
	assert_int_equal(node_drops(w->node, dir, SR_DROP_MALFORMED).packets - before, want);
}

static void test_short_frames(void **state)
{
	struct packet four = PACKET(ETH(mac_vm1, mac_gateway), IP4(VM1, VM_B), UDP(5, 6), DATA(5));
	struct packet six = PACKET(ETH(mac_vm1, mac_gateway), IP6(VM1_6, VM2_6), UDP(5, 6), DATA(5));
	struct packet arp = PACKET(ETH(mac_vm1, mac_broadcast), ARP(1, mac_vm1, VM1, NULL, VM2));
	struct packet outer =
		PACKET(ETH(mac_leaf0, mac_up0), IP6(PEER, SID_BLUE), SRH(0, {SID_BLUE}), IP4(VM_B, VM1), UDP(5, 6));
	struct wires *w = *state;

	expect_cut_dropped(w, w->vm1, SR_DIR_FROM_TAP, &four, four.len);
	expect_cut_dropped(w, w->vm1, SR_DIR_FROM_TAP, &six, six.len);
	expect_cut_dropped(w, w->vm1, SR_DIR_FROM_TAP, &arp, arp.len);
	expect_cut_dropped(w, w->leaf0, SR_DIR_FROM_UPLINK, &outer,
			   outer.len); /* without an IPv6 header: the kernel's */
}

#define wire_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static const struct CMUnitTest tests[] = {
	wire_test(test_into_the_fabric),
	wire_test(test_to_a_tap_of_this_node),
	wire_test(test_out_of_the_fabric),
	wire_test(test_arp_answer),
	wire_test(test_neighbour_answer),
	wire_test(test_icmp_error_to_a_vm),
	wire_test(test_icmp_error_to_a_source_node),
	wire_test(test_end_sends_on),
	wire_test(test_both_uplinks_are_used),
	wire_test(test_a_flow_uses_one_uplink),
	wire_test(test_neighbour_resolution_from_cold),
	wire_test(test_ping_to_a_sid),
	wire_test(test_short_frames),
};

HARNESS_MAIN("egress", tests)
