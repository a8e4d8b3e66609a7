// SPDX-License-Identifier: GPL-2.0-only
/*
 * The outer flow label: RFC 6437 and RFC 6438 (tunnels), RFC 8754 section 5.5. One label a flow, all 20 bits used, near
 * uniform over flows, so that every router's ECMP spreads what one pair of nodes sends.
 */
#include "harness.h"

#include <string.h>

#define FLOWS 4096
#define BUCKETS 256
/* Ones of a fair bit in 4096 are 2048 +- 32; chi-square of 256 fair buckets is 255 +- 22.6. Six sigma of each. */
#define ONES_MIN 1856
#define ONES_MAX 2240
#define CHI_SQUARE_MAX 391

static uint32_t label(struct node *node, const struct packet *in)
{
	struct packet out;

	node_expect_sent(node, TAP0, in, &out);
	assert_int_equal(out.data[14] >> 4, 6);
	assert_memory_equal(out.data + 14 + 8, &node->config.source, 16);
	return ip6_flow(out.data + 14);
}

/* Packets of one flow differ in everything but the five-tuple. */
static void test_same_for_all_packets_of_a_flow4(void **state)
{
	struct node *node = *state;
	struct packet first = PACKET(ETH(mac_vm1, mac_gateway), IP4(VM1, VM_B), TCP(1000, 80, .flags = 2));
	uint32_t want = label(node, &first);

	for (unsigned int i = 0; i < 64; i++) {
		struct packet next =
			PACKET(ETH(mac_vm1, mac_gateway),
			       IP4(VM1, VM_B, .id = (uint16_t)(i * 999), .ttl = (int)i + 2, .frag = i % 2 ? 0x4000 : 0),
			       TCP(1000, 80, .seq = i * 0x1234567, .flags = (uint8_t)i), DATA((size_t)i * 20));

		assert_int_equal(label(node, &next), want);
	}
}

static void test_same_for_all_packets_of_a_flow6(void **state)
{
	struct node *node = *state;
	struct packet first =
		PACKET(ETH(mac_vm1, mac_gateway), IP6(VM1_6, VM_B_6, .flow = 5), TCP(1000, 80, .flags = 2));
	uint32_t want = label(node, &first);

	for (unsigned int i = 0; i < 64; i++) {
		struct packet next =
			PACKET(ETH(mac_vm1, mac_gateway), IP6(VM1_6, VM_B_6, .flow = 5, .hlim = (int)i + 2),
			       TCP(1000, 80, .seq = i * 0x1234567, .flags = (uint8_t)i), DATA((size_t)i * 20));

		assert_int_equal(label(node, &next), want);
	}
}

/* Only the first fragment has ports; all must take one path, or every fragmented datagram is reordered. */
static void test_same_for_all_fragments4(void **state)
{
	struct node *node = *state;
	struct packet first =
		PACKET(ETH(mac_vm1, mac_gateway), IP4(VM1, VM_B, .id = 9, .frag = 0x2000), UDP(1000, 80), DATA(792));
	struct packet middle = PACKET(ETH(mac_vm1, mac_gateway),
				      IP4(VM1, VM_B, .id = 9, .frag = 0x2000 | 100, .proto = 17), DATA(800));
	struct packet last =
		PACKET(ETH(mac_vm1, mac_gateway), IP4(VM1, VM_B, .id = 9, .frag = 200, .proto = 17), DATA(11));
	uint32_t want = label(node, &first);

	assert_int_equal(label(node, &middle), want);
	assert_int_equal(label(node, &last), want);
}

static void test_same_for_all_fragments6(void **state)
{
	struct node *node = *state;
	struct packet first =
		PACKET(ETH(mac_vm1, mac_gateway), IP6(VM1_6, VM_B_6), FRAG(0, true, 9), UDP(1000, 80), DATA(792));
	struct packet middle = PACKET(ETH(mac_vm1, mac_gateway), IP6(VM1_6, VM_B_6), FRAG(100, true, 9, 17), DATA(800));
	struct packet last = PACKET(ETH(mac_vm1, mac_gateway), IP6(VM1_6, VM_B_6), FRAG(200, false, 9, 17), DATA(11));
	uint32_t want = label(node, &first);

	assert_int_equal(label(node, &middle), want);
	assert_int_equal(label(node, &last), want);
}

/* Each part of the five-tuple counts. Two labels of 20 bits are equal by chance once in a million. */
static void test_differs_by_each_part_of_the_tuple4(void **state)
{
	const struct packet packets[] = {
		PACKET(ETH(mac_vm1, mac_gateway), IP4(VM1, VM_B), UDP(1000, 80)),
		PACKET(ETH(mac_vm1, mac_gateway), IP4("10.0.0.9", VM_B), UDP(1000, 80)),
		PACKET(ETH(mac_vm1, mac_gateway), IP4(VM1, "10.0.2.1"), UDP(1000, 80)),
		PACKET(ETH(mac_vm1, mac_gateway), IP4(VM1, VM_B), TCP(1000, 80)),
		PACKET(ETH(mac_vm1, mac_gateway), IP4(VM1, VM_B), UDP(1001, 80)),
		PACKET(ETH(mac_vm1, mac_gateway), IP4(VM1, VM_B), UDP(1000, 81)),
		PACKET(ETH(mac_vm1, mac_gateway), IP4(VM1, VM_B, .options = 8), UDP(1002, 80)),
		PACKET(ETH(mac_vm1, mac_gateway), IP4(VM1, VM_B, .options = 8), UDP(1003, 80)),
	};
	uint32_t labels[ARRAY_SIZE(packets)];

	for (size_t i = 0; i < ARRAY_SIZE(packets); i++) {
		labels[i] = label(*state, &packets[i]);
		for (size_t j = 0; j < i; j++) {
			sr_case("%zu and %zu", i, j);
			assert_int_not_equal(labels[i], labels[j]);
		}
	}
}

static void test_differs_by_each_part_of_the_tuple6(void **state)
{
	const struct packet packets[] = {
		PACKET(ETH(mac_vm1, mac_gateway), IP6(VM1_6, VM_B_6), UDP(1000, 80)),
		PACKET(ETH(mac_vm1, mac_gateway), IP6("fd00:10::9", VM_B_6), UDP(1000, 80)),
		PACKET(ETH(mac_vm1, mac_gateway), IP6("fd00:10:0:1::1", VM_B_6), UDP(1000, 80)),
		PACKET(ETH(mac_vm1, mac_gateway), IP6(VM1_6, "fd00:10::2:1"), UDP(1000, 80)),
		PACKET(ETH(mac_vm1, mac_gateway), IP6(VM1_6, VM_B_6), TCP(1000, 80)),
		PACKET(ETH(mac_vm1, mac_gateway), IP6(VM1_6, VM_B_6), UDP(1001, 80)),
		PACKET(ETH(mac_vm1, mac_gateway), IP6(VM1_6, VM_B_6), UDP(1000, 81)),
	};
	uint32_t labels[ARRAY_SIZE(packets)];

	for (size_t i = 0; i < ARRAY_SIZE(packets); i++) {
		labels[i] = label(*state, &packets[i]);
		for (size_t j = 0; j < i; j++) {
			sr_case("%zu and %zu", i, j);
			assert_int_not_equal(labels[i], labels[j]);
		}
	}
}

static void assert_uniform(const uint32_t *labels)
{
	unsigned int high[BUCKETS] = {0}, low[BUCKETS] = {0};
	double chi_high = 0, chi_low = 0, mean = (double)FLOWS / BUCKETS;

	for (unsigned int bit = 0; bit < 20; bit++) {
		unsigned int ones = 0;

		for (size_t i = 0; i < FLOWS; i++)
			ones += labels[i] >> bit & 1;
		sr_case("bit %u: %u ones", bit, ones);
		assert_in_range(ones, ONES_MIN, ONES_MAX);
	}
	for (size_t i = 0; i < FLOWS; i++) {
		high[labels[i] >> 12]++;
		low[labels[i] & 0xff]++;
	}
	for (size_t i = 0; i < BUCKETS; i++) {
		chi_high += ((double)high[i] - mean) * ((double)high[i] - mean) / mean;
		chi_low += ((double)low[i] - mean) * ((double)low[i] - mean) / mean;
	}
	sr_case("chi-square of the high bits %.0f, of the low %.0f", chi_high, chi_low);
	assert_true(chi_high < CHI_SQUARE_MAX && chi_low < CHI_SQUARE_MAX);
}

/* Flows as one client opens them: consecutive ports. */
static void test_uniform_over_flows4(void **state)
{
	static uint32_t labels[FLOWS];

	for (size_t i = 0; i < FLOWS; i++) {
		struct packet p = PACKET(ETH(mac_vm1, mac_gateway), IP4(VM1, VM_B), TCP((uint16_t)(32768 + i), 443));

		labels[i] = label(*state, &p);
	}
	assert_uniform(labels);
}

static void test_uniform_over_flows6(void **state)
{
	static uint32_t labels[FLOWS];

	for (size_t i = 0; i < FLOWS; i++) {
		struct packet p =
			PACKET(ETH(mac_vm1, mac_gateway), IP6(VM1_6, VM_B_6), TCP((uint16_t)(32768 + i), 443));

		labels[i] = label(*state, &p);
	}
	assert_uniform(labels);
}

static const struct CMUnitTest tests[] = {
	node_test(test_same_for_all_packets_of_a_flow4),
	node_test(test_same_for_all_packets_of_a_flow6),
	node_test(test_same_for_all_fragments4),
	node_test(test_same_for_all_fragments6),
	node_test(test_differs_by_each_part_of_the_tuple4),
	node_test(test_differs_by_each_part_of_the_tuple6),
	node_test(test_uniform_over_flows4),
	node_test(test_uniform_over_flows6),

};

HARNESS_MAIN("tap_flow", tests)
