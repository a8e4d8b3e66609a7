// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a VM is told by its gateway: Time Exceeded (RFC 792, RFC 4443 3.3), the path's MTU (RFC 1191, RFC 8201, RFC 2473
 * section 7), and answers to its pings.
 */
#include "expect.h"

#include <string.h>

#define DF 0x4000

static struct packet vm4(const char *dst, int ttl, uint16_t frag, size_t ip_len)
{
	return PACKET(ETH(mac_vm1, mac_gateway), IP4(VM1, dst, .ttl = ttl, .frag = frag, .id = 5), UDP(7, 8),
		      DATA(ip_len - 28));
}

static struct packet vm6(const char *dst, int hlim, size_t ip_len)
{
	return PACKET(ETH(mac_vm1, mac_gateway), IP6(VM1_6, dst, .hlim = hlim, .flow = 9), UDP(7, 8),
		      DATA(ip_len - 48));
}

/* Time Exceeded */

static void test_ttl_expired(void **state)
{
	static const char *const dsts[] = {VM_B, VM2};
	static const size_t lens[] = {28, 29, 36, 60, 600, 1400};

	for (size_t i = 0; i < ARRAY_SIZE(dsts) * ARRAY_SIZE(lens); i++) {
		for (int ttl = ZERO; ttl <= 1; ttl += 2) {
			struct packet in = vm4(dsts[i % 2], ttl, 0, lens[i / 2]), out;

			sr_case("TTL %d, %zu bytes to %s", ttl == ZERO ? 0 : 1, lens[i / 2], dsts[i % 2]);
			node_expect_answer(*state, TAP0, &in, SR_DROP_TTL, &out);
			assert_icmp4_error(&out, 11, 0, 0, GATEWAY4, VM1, mac_gateway, mac_vm1, &in);
		}
	}
}

static void test_ttl_expired_with_options(void **state)
{
	struct packet in =
		PACKET(ETH(mac_vm1, mac_gateway), IP4(VM1, VM_B, .ttl = 1, .options = 12), UDP(7, 8), DATA(90));
	struct packet out;

	node_expect_answer(*state, TAP0, &in, SR_DROP_TTL, &out);
	assert_icmp4_error(&out, 11, 0, 0, GATEWAY4, VM1, mac_gateway, mac_vm1, &in);
}

static void test_hop_limit_expired(void **state)
{
	static const char *const dsts[] = {VM_B_6, VM2_6};
	static const size_t lens[] = {48, 49, 80, 1000, 1232, 1233, 1400};

	for (size_t i = 0; i < ARRAY_SIZE(dsts) * ARRAY_SIZE(lens); i++) {
		for (int hlim = ZERO; hlim <= 1; hlim += 2) {
			struct packet in = vm6(dsts[i % 2], hlim, lens[i / 2]), out;

			sr_case("hop limit %d, %zu bytes to %s", hlim == ZERO ? 0 : 1, lens[i / 2], dsts[i % 2]);
			node_expect_answer(*state, TAP0, &in, SR_DROP_TTL, &out);
			assert_icmp6_error(&out, 3, 0, 0, GATEWAY6, VM1_6, mac_gateway, mac_vm1, &in);
		}
	}
}

/* RFC 1122 3.2.2, RFC 1812 4.3.2.7, RFC 4443 2.4 (e): what is never answered with an error. */
static void test_no_error_about(void **state)
{
	const struct {
		const char *name;
		struct packet in;
	} rows[] = {
		{"an ICMP error", PACKET(ETH(mac_vm1, mac_gateway), IP4(VM1, VM_B, .ttl = 1), ICMP(3, 1), DATA(28))},
		{"a fragment but the first",
		 PACKET(ETH(mac_vm1, mac_gateway), IP4(VM1, VM_B, .ttl = 1, .frag = 5, .proto = 17), DATA(28))},
		{"a packet from 0.0.0.0", PACKET(ETH(mac_vm1, mac_gateway), IP4("0.0.0.0", VM_B, .ttl = 1), UDP(7, 8))},
		{"a packet from a multicast address",
		 PACKET(ETH(mac_vm1, mac_gateway), IP4("224.0.0.9", VM_B, .ttl = 1), UDP(7, 8))},
		{"a packet from 127.0.0.1",
		 PACKET(ETH(mac_vm1, mac_gateway), IP4("127.0.0.1", VM_B, .ttl = 1), UDP(7, 8))},
		{"an ICMPv6 error",
		 PACKET(ETH(mac_vm1, mac_gateway), IP6(VM1_6, VM_B_6, .hlim = 1), ICMP6(1, 4), DATA(48))},
		{"a packet from ::", PACKET(ETH(mac_vm1, mac_gateway), IP6("::", VM_B_6, .hlim = 1), UDP(7, 8))},
		{"a packet from an IPv6 multicast address",
		 PACKET(ETH(mac_vm1, mac_gateway), IP6("ff02::9", VM_B_6, .hlim = 1), UDP(7, 8))},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct packet out;

		sr_case("%s", rows[i].name);
		assert_int_equal(node_run(*state, TAP0, &rows[i].in, &out), TC_ACT_SHOT);
	}
}

/* An echo request is no error: it is answered like any packet. */
static void test_error_about_an_echo_request(void **state)
{
	struct packet p4 = PACKET(ETH(mac_vm1, mac_gateway), IP4(VM1, VM_B, .ttl = 1), ICMP(8, 0, 1), DATA(56)), out;
	struct packet p6 = PACKET(ETH(mac_vm1, mac_gateway), IP6(VM1_6, VM_B_6, .hlim = 1), ICMP6(128, 0, 1), DATA(56));

	node_expect_answer(*state, TAP0, &p4, SR_DROP_TTL, &out);
	assert_icmp4_error(&out, 11, 0, 0, GATEWAY4, VM1, mac_gateway, mac_vm1, &p4);
	node_expect_answer(*state, TAP0, &p6, SR_DROP_TTL, &out);
	assert_icmp6_error(&out, 3, 0, 0, GATEWAY6, VM1_6, mac_gateway, mac_vm1, &p6);
}

/* MTU */

/* The largest packet that fits, and what a larger one is told. */
static struct mtu_row {
	const char *name;
	enum sr_encap_mode mode;
	uint32_t fabric, vrf;
	uint32_t pmtu; /* learnt for the outer destination `da`; 0: none */
	int64_t left;  /* seconds that it is good for */
	const char *v4, *v6, *da;
	uint32_t fits;
} mtus[] = {
	{"SRH: fabric - 64", SR_ENCAP_SRH, 1500, 0, 0, 0, VM_B, VM_B_6, SID_B_BLUE, 1436},
	{"reduced: fabric - 40", SR_ENCAP_REDUCED, 1500, 0, 0, 0, VM_B, VM_B_6, SID_B_BLUE, 1460},
	{"2 SIDs: fabric - 80", SR_ENCAP_SRH, 1500, 0, 0, 0, "10.0.2.2", "fd00:10::2:2", SID_HOP_1, 1420},
	{"2 SIDs reduced: fabric - 64", SR_ENCAP_REDUCED, 1500, 0, 0, 0, "10.0.2.2", "fd00:10::2:2", SID_HOP_1, 1436},
	{"8 SIDs: fabric - 176", SR_ENCAP_SRH, 1500, 0, 0, 0, "10.0.2.8", "fd00:10::2:8", SID_HOP_1, 1324},
	{"8 SIDs reduced: fabric - 160", SR_ENCAP_REDUCED, 1500, 0, 0, 0, "10.0.2.8", "fd00:10::2:8", SID_HOP_1, 1340},
	{"larger fabric", SR_ENCAP_SRH, 3000, 0, 0, 0, VM_B, VM_B_6, SID_B_BLUE, 2936},
	{"the VRF's is smaller", SR_ENCAP_SRH, 1500, 1400, 0, 0, VM_B, VM_B_6, SID_B_BLUE, 1400},
	{"the VRF's is larger", SR_ENCAP_SRH, 1500, 1500, 0, 0, VM_B, VM_B_6, SID_B_BLUE, 1436},
	{"the path's is smaller", SR_ENCAP_SRH, 1500, 0, 1400, 60, VM_B, VM_B_6, SID_B_BLUE, 1336},
	{"the path's is smaller, reduced", SR_ENCAP_REDUCED, 1500, 0, 1400, 60, VM_B, VM_B_6, SID_B_BLUE, 1360},
	{"the path's is larger", SR_ENCAP_SRH, 1500, 0, 1600, 60, VM_B, VM_B_6, SID_B_BLUE, 1436},
	{"the path's has expired", SR_ENCAP_SRH, 1500, 0, 1400, -1, VM_B, VM_B_6, SID_B_BLUE, 1436},
	{"another path's", SR_ENCAP_SRH, 1500, 0, 1400, 60, VM_B, VM_B_6, SID_C_BLUE, 1436},
	{"the route's is smaller", SR_ENCAP_SRH, 1500, 0, 0, 0, "10.0.1.7", "fd00:10::1:7", SID_B_BLUE, 1336},
	{"the path's of 2 SIDs", SR_ENCAP_SRH, 1500, 0, 1400, 60, "10.0.2.2", "fd00:10::2:2", SID_HOP_1, 1320},
};

static struct node *mtu_node(const struct mtu_row *row)
{
	struct sr_bpf_config config = config_default();
	struct node *node;

	config.encap_mode = (uint8_t)row->mode;
	node = node_new(&config);
	node_fabric_mtu(node, row->fabric);
	node_vrf(node, BLUE, SR_VRF_F_ACTIVE, row->vrf);
	if (row->pmtu)
		node_pmtu_set(node, row->da, row->pmtu, row->left);
	return node;
}

static void test_mtu(void **state)
{
	const struct mtu_row *row = *state;
	struct node *node = mtu_node(row);
	struct packet fits4 = vm4(row->v4, 64, DF, row->fits), over4 = vm4(row->v4, 64, DF, row->fits + 1);
	struct packet fits6 = vm6(row->v6, 64, row->fits), over6 = vm6(row->v6, 64, row->fits + 1), out;

	node_expect_sent(node, TAP0, &fits4, &out);
	node_expect_answer(node, TAP0, &over4, SR_DROP_TOO_BIG, &out);
	assert_icmp4_error(&out, 3, 4, row->fits, GATEWAY4, VM1, mac_gateway, mac_vm1, &over4);
	node_expect_sent(node, TAP0, &fits6, &out);
	node_expect_answer(node, TAP0, &over6, SR_DROP_TOO_BIG, &out);
	assert_icmp6_error(&out, 2, 0, row->fits, GATEWAY6, VM1_6, mac_gateway, mac_vm1, &over6);
	node_free(node);
}

/* RFC 8200 section 5, RFC 2473 7.1: no IPv6 sender is told less than 1280. */
static void test_packet_too_big_says_at_least_1280(void **state)
{
	struct node *node = *state;
	struct packet in = vm6(VM_B_6, 64, 1400), out;

	node_fabric_mtu(node, 1300);
	node_expect_answer(node, TAP0, &in, SR_DROP_TOO_BIG, &out);
	assert_icmp6_error(&out, 2, 0, 1280, GATEWAY6, VM1_6, mac_gateway, mac_vm1, &in);
}

/* No gateway address to speak from: then from where the packet was going, or its sender would never learn the MTU. */
static void test_errors_without_a_gateway(void **state)
{
	struct packet ttl4 = vm4(VM_B, 1, DF, 100), big4 = vm4(VM_B, 64, DF, 1437);
	struct packet ttl6 = vm6(VM_B_6, 1, 100), big6 = vm6(VM_B_6, 64, 1437), out;
	struct node *node = *state;

	node_gateway(node, TAP0, "0.0.0.0", "::");
	node_expect_answer(node, TAP0, &ttl4, SR_DROP_TTL, &out);
	assert_icmp4_error(&out, 11, 0, 0, VM_B, VM1, mac_gateway, mac_vm1, &ttl4);
	node_expect_answer(node, TAP0, &ttl6, SR_DROP_TTL, &out);
	assert_icmp6_error(&out, 3, 0, 0, VM_B_6, VM1_6, mac_gateway, mac_vm1, &ttl6);
	node_expect_answer(node, TAP0, &big4, SR_DROP_TOO_BIG, &out);
	assert_icmp4_error(&out, 3, 4, 1436, VM_B, VM1, mac_gateway, mac_vm1, &big4);
	node_expect_answer(node, TAP0, &big6, SR_DROP_TOO_BIG, &out);
	assert_icmp6_error(&out, 2, 0, 1436, VM_B_6, VM1_6, mac_gateway, mac_vm1, &big6);
}

/* A program cannot cut a packet: its sender is asked to, DF or not. */
static void test_too_big_without_df(void **state)
{
	struct packet in = vm4(VM_B, 64, 0, 1437), fits = vm4(VM_B, 64, 0, 1436), out;

	node_expect_sent(*state, TAP0, &fits, &out);
	node_expect_answer(*state, TAP0, &in, SR_DROP_TOO_BIG, &out);
	assert_icmp4_error(&out, 3, 4, 1436, GATEWAY4, VM1, mac_gateway, mac_vm1, &in);
}

/* Pings */

static void test_echo_to_gateway4(void **state)
{
	static const size_t lens[] = {0, 1, 56, 1400};

	for (size_t i = 0; i < ARRAY_SIZE(lens); i++) {
		struct packet in = PACKET(ETH(mac_vm1, mac_gateway), IP4(VM1, GATEWAY4, .id = 3, .frag = DF),
					  ICMP(8, 0, 0x12340001), DATA(lens[i]));
		struct packet out, want;
		const uint8_t *ip = out.data + 14;

		sr_case("%zu bytes", lens[i]);
		node_expect_answer(*state, TAP0, &in, SR_DROP_MAX, &out);
		assert_true(ip[8] >= 64);
		want = PACKET(ETH(mac_gateway, mac_vm1),
			      IP4(GATEWAY4, VM1, .ttl = ip[8], .id = (uint16_t)(ip[4] << 8 | ip[5]),
				  .frag = (uint16_t)((ip[6] & 0x40) << 8)),
			      ICMP(0, 0, 0x12340001), DATA(lens[i]));
		packet_assert_equal(&out, &want);
	}
}

static void test_echo_to_gateway6(void **state)
{
	static const size_t lens[] = {0, 1, 56, 1300};

	for (size_t i = 0; i < ARRAY_SIZE(lens); i++) {
		struct packet in = PACKET(ETH(mac_vm1, mac_gateway), IP6(VM1_6, GATEWAY6), ICMP6(128, 0, 0x12340001),
					  DATA(lens[i]));
		struct packet out, want;

		sr_case("%zu bytes", lens[i]);
		node_expect_answer(*state, TAP0, &in, SR_DROP_MAX, &out);
		assert_true(out.data[14 + 7] >= 64);
		want = PACKET(ETH(mac_gateway, mac_vm1),
			      IP6(GATEWAY6, VM1_6, .hlim = out.data[14 + 7], .flow = ip6_flow(out.data + 14)),
			      ICMP6(129, 0, 0x12340001), DATA(lens[i]));
		packet_assert_equal(&out, &want);
	}
}

/* A TTL of 1 is enough for the gateway, which is one hop away. */
static void test_echo_to_gateway_with_ttl_1(void **state)
{
	struct packet p4 = PACKET(ETH(mac_vm1, mac_gateway), IP4(VM1, GATEWAY4, .ttl = 1), ICMP(8, 0, 1), DATA(8)), out;
	struct packet p6 =
		PACKET(ETH(mac_vm1, mac_gateway), IP6(VM1_6, GATEWAY6, .hlim = 1), ICMP6(128, 0, 1), DATA(8));

	node_expect_answer(*state, TAP0, &p4, SR_DROP_MAX, &out);
	assert_int_equal(out.data[14 + 20], 0);
	node_expect_answer(*state, TAP0, &p6, SR_DROP_MAX, &out);
	assert_int_equal(out.data[14 + 40], 129);
}

/* RFC 4443 2.4 (f): no more errors a second and CPU than icmp_rate, of each kind; what is over it is counted as such.
 */
static void test_errors_are_rate_limited(void **state)
{
	struct sr_bpf_config config = config_default();
	struct packet ttl = vm4(VM_B, 1, DF, 100), big = vm4(VM_B, 64, DF, 1437), out;
	struct node *node;

	(void)state;
	config.icmp_rate = 3;
	node = node_new(&config);
	assert_rate_limited(node, TAP0, &ttl, config.icmp_rate);
	node_expect_answer(node, TAP0, &big, SR_DROP_TOO_BIG, &out); /* another kind has its own */
	node_free(node);
}

static void test_rate_of_zero_is_none(void **state)
{
	struct sr_bpf_config config = config_default();
	struct packet p4 = vm4(VM_B, 1, DF, 100), p6 = vm6(VM_B_6, 64, 1437);
	struct node *node;

	(void)state;
	config.icmp_rate = 0;
	node = node_new(&config);
	node_expect_drop(node, TAP0, &p4, SR_DROP_RATE);
	node_expect_drop(node, TAP0, &p6, SR_DROP_RATE);
	node_free(node);
}

int main(void)
{
	static const struct CMUnitTest others[] = {
		node_test(test_ttl_expired),
		node_test(test_ttl_expired_with_options),
		node_test(test_hop_limit_expired),
		node_test(test_no_error_about),
		node_test(test_error_about_an_echo_request),
		node_test(test_packet_too_big_says_at_least_1280),
		node_test(test_errors_without_a_gateway),
		node_test(test_too_big_without_df),
		node_test(test_echo_to_gateway4),
		node_test(test_echo_to_gateway6),
		node_test(test_echo_to_gateway_with_ttl_1),
		cmocka_unit_test(test_errors_are_rate_limited),
		cmocka_unit_test(test_rate_of_zero_is_none),
	};
	static char names[ARRAY_SIZE(mtus)][64];
	struct CMUnitTest tests[ARRAY_SIZE(mtus) + ARRAY_SIZE(others)];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(mtus); i++) {
		snprintf(names[i], sizeof(names[i]), "MTU, %s", mtus[i].name);
		tests[n++] = (struct CMUnitTest){names[i], test_mtu, NULL, NULL, &mtus[i]};
	}
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		tests[n++] = others[i];
	return harness_main("tap_icmp", tests, n);
}
