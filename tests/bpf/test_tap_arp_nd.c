// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VM's neighbours: the gateway's MAC stands for every address but its own (RFC 826, RFC 1027 proxy ARP; RFC 4861,
 * RFC 4389). Its own, and questions that look for a duplicate (RFC 5227, RFC 4862 5.4), must stay without an answer, or
 * the VM takes its address for taken.
 */
#include "harness.h"

#include <string.h>

static const uint8_t mac_solicited[6] = {0x33, 0x33, 0xff, 0, 0, 2};

/* No answer: whatever it is counted as, nothing is sent and nothing reaches the kernel. */
static void assert_silent(struct node *node, const struct packet *in)
{
	struct packet out;

	assert_int_equal(node_run(node, TAP0, in, &out), TC_ACT_SHOT);
}

static void answered4(struct node *node, const char *target, const uint8_t *eth_dst, const uint8_t *target_mac)
{
	struct packet in = PACKET(ETH(mac_vm1, eth_dst), ARP(1, mac_vm1, VM1, target_mac, target));
	struct packet want = PACKET(ETH(mac_gateway, mac_vm1), ARP(2, mac_gateway, target, mac_vm1, VM1)), out;

	sr_case("who has %s", target);
	node_expect_answer(node, TAP0, &in, SR_DROP_MAX, &out);
	packet_assert_equal(&out, &want);
}

static void test_arp_answered_for_any_address(void **state)
{
	static const char *const targets[] = {GATEWAY4, VM2, VM_B, "10.0.99.99", "192.0.2.1", "169.254.169.254"};

	for (size_t i = 0; i < ARRAY_SIZE(targets); i++)
		answered4(*state, targets[i], mac_broadcast, NULL);
}

/* A neighbour that is checked again is asked by unicast, with its MAC in the question. */
static void test_arp_unicast_answered(void **state)
{
	answered4(*state, VM2, mac_gateway, mac_gateway);
}

/* Frames are padded to Ethernet's minimum: an answer is right either way, its 28 bytes are those of any. */
static void test_arp_padded(void **state)
{
	struct packet in = PACKET(ETH(mac_vm1, mac_broadcast), ARP(1, mac_vm1, VM1, NULL, VM2), DATA(18)), out;
	struct packet want = PACKET(ETH(mac_gateway, mac_vm1), ARP(2, mac_gateway, VM2, mac_vm1, VM1));

	node_expect_answer(*state, TAP0, &in, SR_DROP_MAX, &out);
	assert_true(out.len == want.len || out.len == in.len);
	out.len = want.len;
	packet_assert_equal(&out, &want);
}

static void test_arp_for_the_ports_own_address_not_answered(void **state)
{
	struct packet in = PACKET(ETH(mac_vm1, mac_broadcast), ARP(1, mac_vm1, "10.0.0.9", NULL, VM1));

	assert_silent(*state, &in);
}

static void test_arp_probe_not_answered(void **state)
{
	struct packet own = PACKET(ETH(mac_vm1, mac_broadcast), ARP(1, mac_vm1, "0.0.0.0", NULL, VM1));
	struct packet other = PACKET(ETH(mac_vm1, mac_broadcast), ARP(1, mac_vm1, "0.0.0.0", NULL, "10.0.0.77"));

	assert_silent(*state, &own);
	assert_silent(*state, &other);
}

static void test_arp_gratuitous_not_answered(void **state)
{
	struct packet own = PACKET(ETH(mac_vm1, mac_broadcast), ARP(1, mac_vm1, VM1, NULL, VM1));
	struct packet second = PACKET(ETH(mac_vm1, mac_broadcast), ARP(1, mac_vm1, "10.0.0.9", NULL, "10.0.0.9"));
	struct packet reply = PACKET(ETH(mac_vm1, mac_broadcast), ARP(2, mac_vm1, VM1, mac_vm1, VM1));

	assert_silent(*state, &own);
	assert_silent(*state, &second);
	assert_silent(*state, &reply);
}

static void test_arp_replies_go_nowhere(void **state)
{
	struct packet in = PACKET(ETH(mac_vm1, mac_gateway), ARP(2, mac_vm1, VM1, mac_gateway, VM2));

	assert_silent(*state, &in);
}

/* Each byte of the fixed part (hardware and protocol types, lengths, operation) wrong, and every length too short. */
static void test_arp_malformed(void **state)
{
	struct packet good = PACKET(ETH(mac_vm1, mac_broadcast), ARP(1, mac_vm1, VM1, NULL, VM2));

	for (size_t i = 0; i < 8; i++) {
		struct packet bad = good;

		sr_case("byte %zu", i);
		bad.data[14 + i] ^= 0x40;
		assert_silent(*state, &bad);
	}
	for (size_t len = 14; len < good.len; len++) {
		struct packet cut = good;

		sr_case("%zu bytes", len);
		cut.len = len;
		node_expect_drop(*state, TAP0, &cut, SR_DROP_MALFORMED);
	}
}

/* Neighbour discovery */

static void answered6(struct node *node, const char *target, const uint8_t *eth_dst, const char *ip_dst,
		      const char *from)
{
	struct packet in = PACKET(ETH(mac_vm1, eth_dst), IP6(from, ip_dst, .hlim = 255), NS(target, mac_vm1));
	const uint8_t *ip = NULL;
	struct packet out, want;

	sr_case("who has %s", target);
	node_expect_answer(node, TAP0, &in, SR_DROP_MAX, &out);
	ip = out.data + 14;
	/* Solicited; as a proxy without Override (RFC 4861 7.2.8) or with: both make an entry. Router or not. */
	want = PACKET(ETH(mac_gateway, mac_vm1), IP6(target, from, .hlim = 255),
		      NA(target, mac_gateway, 0x40000000 | (uint32_t)(ip[44] & 0xa0) << 24));
	packet_assert_equal(&out, &want);
}

static void test_ns_answered_for_any_address(void **state)
{
	static const char *const targets[] = {GATEWAY6, VM2_6, VM_B_6, "fd00:10::99:99", "2001:db8::1"};

	for (size_t i = 0; i < ARRAY_SIZE(targets); i++)
		answered6(*state, targets[i], mac_solicited, "ff02::1:ff00:2", VM1_6);
}

static void test_ns_from_link_local_answered(void **state)
{
	answered6(*state, VM2_6, mac_solicited, "ff02::1:ff00:2", "fe80::f816:3eff:fe00:1");
}

/* Neighbours by link-local addresses are not reached (test_tap_route.c), unless that is where the gateway is. */
static void test_ns_for_link_local_answered_for_the_gateway_only(void **state)
{
	struct packet in =
		PACKET(ETH(mac_vm1, mac_solicited), IP6(VM1_6, "ff02::1:ff00:2", .hlim = 255), NS("fe80::1", mac_vm1));

	node_expect_drop(*state, TAP0, &in, SR_DROP_LINK_LOCAL);
	node_gateway(*state, TAP0, GATEWAY4, "fe80::1");
	answered6(*state, "fe80::1", mac_solicited, "ff02::1:ff00:2", VM1_6);
	answered6(*state, "fe80::1", mac_solicited, "ff02::1:ff00:2", "fe80::f816:3eff:fe00:1");
}

static void test_ns_unicast_answered(void **state)
{
	answered6(*state, VM2_6, mac_gateway, VM2_6, VM1_6);
}

/* RFC 4861 4.3: a unicast question may leave its link-layer address out; the answer carries the target's all the same.
 */
static void test_ns_without_option_answered(void **state)
{
	struct packet in = PACKET(ETH(mac_vm1, mac_gateway), IP6(VM1_6, VM2_6, .hlim = 255), NS(VM2_6)), out, want;

	node_expect_answer(*state, TAP0, &in, SR_DROP_MAX, &out);
	want = PACKET(ETH(mac_gateway, mac_vm1), IP6(VM2_6, VM1_6, .hlim = 255),
		      NA(VM2_6, mac_gateway, 0x40000000 | (uint32_t)(out.data[14 + 44] & 0xa0) << 24));
	packet_assert_equal(&out, &want);
}

static void test_ns_for_the_ports_own_address_not_answered(void **state)
{
	struct packet in = PACKET(ETH(mac_vm1, mac_solicited), IP6("fd00:10::9", "ff02::1:ff00:1", .hlim = 255),
				  NS(VM1_6, mac_vm1));

	assert_silent(*state, &in);
}

static void test_dad_not_answered(void **state)
{
	struct packet own = PACKET(ETH(mac_vm1, mac_solicited), IP6("::", "ff02::1:ff00:1", .hlim = 255), NS(VM1_6));
	struct packet other =
		PACKET(ETH(mac_vm1, mac_solicited), IP6("::", "ff02::1:ff00:77", .hlim = 255), NS("fd00:10::77"));
	struct packet link_local = PACKET(ETH(mac_vm1, mac_solicited), IP6("::", "ff02::1:ff00:1", .hlim = 255),
					  NS("fe80::f816:3eff:fe00:1"));

	assert_silent(*state, &own);
	assert_silent(*state, &other);
	assert_silent(*state, &link_local);
}

/* RFC 4861 7.1.1: what a valid solicitation is. */
static void test_ns_malformed(void **state)
{
	struct packet good =
		PACKET(ETH(mac_vm1, mac_solicited), IP6(VM1_6, "ff02::1:ff00:2", .hlim = 255), NS(VM2_6, mac_vm1));
	struct packet hops =
		PACKET(ETH(mac_vm1, mac_solicited), IP6(VM1_6, "ff02::1:ff00:2", .hlim = 254), NS(VM2_6, mac_vm1));
	struct packet group =
		PACKET(ETH(mac_vm1, mac_solicited), IP6(VM1_6, "ff02::1:ff00:2", .hlim = 255), NS("ff02::2", mac_vm1));
	struct packet code =
		PACKET(ETH(mac_vm1, mac_solicited), IP6(VM1_6, "ff02::1:ff00:2", .hlim = 255), ICMP6(135, 1), DATA(16));
	struct packet out;

	assert_int_equal(node_run(*state, TAP0, &good, &out), TC_ACT_REDIRECT);
	assert_silent(*state, &hops);
	assert_silent(*state, &group);
	assert_silent(*state, &code);
	for (size_t len = HARNESS_MIN6; len < good.len; len++) {
		struct packet cut = good;

		sr_case("%zu bytes", len);
		cut.len = len;
		node_expect_drop(*state, TAP0, &cut, SR_DROP_MALFORMED);
	}
}

static const struct CMUnitTest tests[] = {
	node_test(test_arp_answered_for_any_address),
	node_test(test_arp_unicast_answered),
	node_test(test_arp_padded),
	node_test(test_arp_for_the_ports_own_address_not_answered),
	node_test(test_arp_probe_not_answered),
	node_test(test_arp_gratuitous_not_answered),
	node_test(test_arp_replies_go_nowhere),
	node_test(test_arp_malformed),
	node_test(test_ns_answered_for_any_address),
	node_test(test_ns_from_link_local_answered),
	node_test(test_ns_for_link_local_answered_for_the_gateway_only),
	node_test(test_ns_unicast_answered),
	node_test(test_ns_without_option_answered),
	node_test(test_ns_for_the_ports_own_address_not_answered),
	node_test(test_dad_not_answered),
	node_test(test_ns_malformed),
};

HARNESS_MAIN("tap_arp_nd", tests)
