// SPDX-License-Identifier: GPL-2.0-only
/*
 * Headers that lie, by themselves and at random. Whatever comes, the verdict is one of three, what goes into the fabric
 * is a sound packet from this node to a SID that a route names, and what goes to a VM is a sound packet of its tenant.
 */
#include "harness.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define ETH_VM1 ETH(mac_vm1, mac_gateway)
#define ETH_IN ETH(mac_leaf0, mac_up0)
#define ROUNDS 4000

static unsigned int get16(const uint8_t *at)
{
	return (unsigned int)(at[0] << 8 | at[1]);
}

/* Field by field */

static void test_ip4_version(void **state)
{
	for (uint8_t version = 0; version < 16; version++) {
		struct packet in = PACKET(ETH_VM1, IP4(VM1, VM_B), UDP(5, 6), DATA(40));

		packet_layer(&in, L_IP4, 0)[0] = (uint8_t)(version << 4 | 5);
		packet_ip4_checksum(&in);
		sr_case("version %d", version);
		if (version != 4)
			node_expect_drop(*state, TAP0, &in, SR_DROP_MALFORMED);
	}
}

static void test_ip4_header_length(void **state)
{
	for (uint8_t ihl = 0; ihl < 16; ihl++) {
		struct packet in = PACKET(ETH_VM1, IP4(VM1, VM_B, .proto = 253), DATA(23));

		packet_layer(&in, L_IP4, 0)[0] = 0x40 | ihl;
		packet_ip4_checksum(&in);
		sr_case("length %d", ihl * 4);
		if (ihl < 5 || ihl * 4 > 43)
			node_expect_drop(*state, TAP0, &in, SR_DROP_MALFORMED);
		else
			node_expect_sent(*state, TAP0, &in, &in);
	}
}

static void test_ip4_total_length(void **state)
{
	for (unsigned int len = 0; len < 200; len++) {
		struct packet in = PACKET(ETH_VM1, IP4(VM1, VM_B), UDP(5, 6), DATA(40)), out;
		uint8_t *ip = packet_layer(&in, L_IP4, 0);

		ip[3] = (uint8_t)len;
		packet_ip4_checksum(&in);
		sr_case("total length %u", len);
		if (len < 20 || len > 68) {
			node_expect_drop(*state, TAP0, &in, SR_DROP_MALFORMED);
			continue;
		}
		node_expect_sent(*state, TAP0, &in, &out);
		assert_int_equal(out.len, 14 + 64 + len);
	}
}

static void test_ip4_truncated_at_each_byte(void **state)
{
	struct packet whole = PACKET(ETH_VM1, IP4(VM1, VM_B, .options = 8), UDP(5, 6), DATA(40));

	for (size_t len = HARNESS_MIN4; len < whole.len; len++) {
		struct packet in = whole;

		in.len = len;
		sr_case("%zu bytes", len);
		node_expect_drop(*state, TAP0, &in, SR_DROP_MALFORMED);
	}
}

static void test_ip6_version(void **state)
{
	for (uint8_t version = 0; version < 16; version++) {
		struct packet in = PACKET(ETH_VM1, IP6(VM1_6, VM_B_6), UDP(5, 6), DATA(40));

		packet_layer(&in, L_IP6, 0)[0] = (uint8_t)(version << 4);
		sr_case("version %d", version);
		if (version != 6)
			node_expect_drop(*state, TAP0, &in, SR_DROP_MALFORMED);
	}
}

static void test_ip6_truncated_at_each_byte(void **state)
{
	struct packet whole = PACKET(ETH_VM1, IP6(VM1_6, VM_B_6), HBH(0), FRAG(0, true, 1), UDP(5, 6), DATA(40));

	for (size_t len = HARNESS_MIN6; len < whole.len; len++) {
		struct packet in = whole;

		in.len = len;
		sr_case("%zu bytes", len);
		node_expect_drop(*state, TAP0, &in, SR_DROP_MALFORMED);
	}
}

/* The payload length says less than is there: the rest is no part of the packet. */
static void test_ip6_payload_length(void **state)
{
	for (unsigned int len = 8; len < 120; len++) {
		struct packet in = PACKET(ETH_VM1, IP6(VM1_6, VM_B_6), UDP(5, 6), DATA(40)), out;

		packet_layer(&in, L_IP6, 0)[5] = (uint8_t)len;
		sr_case("payload length %u", len);
		if (len > 48) {
			node_expect_drop(*state, TAP0, &in, SR_DROP_MALFORMED);
			continue;
		}
		node_expect_sent(*state, TAP0, &in, &out);
		assert_int_equal(out.len, 14 + 64 + 40 + len);
	}
}

/* From the fabric, cut anywhere, and with a payload length that says that it is so. */
static void cut_from_uplink(struct node *node, const struct packet *whole)
{
	for (size_t len = HARNESS_MIN6; len < whole->len; len++) {
		for (int honest = 0; honest <= 1; honest++) {
			struct packet in = *whole, out;
			uint8_t *ip = packet_layer(&in, L_IP6, 0);

			in.len = len;
			if (honest)
				ip[5] = (uint8_t)(len - 54);
			sr_case("%zu bytes%s", len, honest ? ", payload length to match" : "");
			assert_int_equal(node_run(node, UP0, &in, &out), TC_ACT_SHOT);
		}
	}
}

static void test_encapsulated_truncated_at_each_byte(void **state)
{
	struct packet plain = PACKET(ETH_IN, IP6(PEER, SID_DT4, .next = 4), IP4(VM_B, VM1), UDP(5, 6));
	struct packet with_srh =
		PACKET(ETH_IN, IP6(PEER, SID_BLUE), HBH(0), SRH(0, {SID_HOP_1, SID_BLUE}), IP4(VM_B, VM1), UDP(5, 6));
	struct packet six = PACKET(ETH_IN, IP6(PEER, SID_BLUE), SRH(0, {SID_BLUE}), IP6(VM_B_6, VM1_6), UDP(5, 6));
	struct packet end = PACKET(ETH_IN, IP6(PEER, SID_END), SRH(1, {SID_END, SID_B_BLUE}), IP4(VM_B, VM1));

	cut_from_uplink(*state, &plain);
	cut_from_uplink(*state, &with_srh);
	cut_from_uplink(*state, &six);
	end.len = packet_offset(&end, L_IP4, 0); /* what End carries, it does not look at */
	cut_from_uplink(*state, &end);
}

/* The inner packet says that it goes on beyond the outer one's end: into what is the frame's padding. */
static void test_inner_longer_than_outer(void **state)
{
	struct packet four = PACKET(ETH_IN, IP6(PEER, SID_BLUE), IP4(VM_B, VM1), UDP(5, 6), DATA(40));
	struct packet six = PACKET(ETH_IN, IP6(PEER, SID_BLUE), IP6(VM_B_6, VM1_6), UDP(5, 6), DATA(40));

	packet_layer(&four, L_IP6, 0)[5]--;
	packet_layer(&six, L_IP6, 0)[5]--;
	node_expect_drop(*state, UP0, &four, SR_DROP_MALFORMED);
	node_expect_drop(*state, UP0, &six, SR_DROP_MALFORMED);
}

/* An SRH of every length with no segments left: what then lies behind it is no IP packet. */
static void test_srh_length_at_dt(void **state)
{
	for (unsigned int len = 0; len < 256; len++) {
		struct packet in = PACKET(ETH_IN, IP6(PEER, SID_BLUE), SRH(0, {SID_HOP_1, SID_BLUE}), IP4(VM_B, VM1),
					  UDP(5, 6), DATA(300)),
			      out;

		packet_layer(&in, L_SRH, 0)[1] = (uint8_t)len;
		sr_case("length %u", len);
		assert_int_equal(node_run(*state, UP0, &in, &out), len == 4 ? TC_ACT_REDIRECT : TC_ACT_SHOT);
	}
}

/* More extension headers than any packet has: given up, not walked for ever. */
static void test_many_extension_headers(void **state)
{
	struct packet in =
		PACKET(ETH_IN, IP6(PEER, SID_BLUE), DSTOPTS(0), DSTOPTS(0), DSTOPTS(0), DSTOPTS(0), DSTOPTS(0),
		       DSTOPTS(0), DSTOPTS(0), DSTOPTS(0), DSTOPTS(0), DSTOPTS(0), IP4(VM_B, VM1), UDP(5, 6));
	struct packet out;

	assert_int_not_equal(node_run(*state, UP0, &in, &out), TC_ACT_OK);
}

/* At random */

/* Says which packet it was: there are thousands. */
#define require(condition, in, out)                                                                                    \
	do {                                                                                                           \
		if (!(condition)) {                                                                                    \
			packet_print("in", in);                                                                        \
			packet_print("out", out);                                                                      \
			fail_msg("%s", #condition);                                                                    \
		}                                                                                                      \
	} while (0)

/* What goes into the fabric: from this node, and as long as it says. */
static void require_sound_outer(struct node *node, const struct packet *in, const struct packet *out)
{
	const uint8_t *ip = out->data + 14;

	require(out->len >= 54 && ip[0] >> 4 == 6, in, out);
	require(!memcmp(ip + 8, &node->config.source, 16), in, out);
	require(40 + get16(ip + 4) == out->len - 14, in, out);
}

static void require_sound_inner(const struct packet *in, const struct packet *out)
{
	unsigned int type = get16(out->data + 12), room = (unsigned int)out->len - 14;
	const uint8_t *ip = out->data + 14;

	require(!memcmp(out->data + 6, mac_gateway, 6), in, out);
	require(type == 0x0800 || type == 0x86dd || type == 0x0806, in, out);
	require(type != 0x0800 || (ip[0] >> 4 == 4 && get16(ip + 2) >= 20 && get16(ip + 2) <= room), in, out);
	require(type != 0x86dd || (ip[0] >> 4 == 6 && 40 + get16(ip + 4) <= room), in, out);
}

static bool in_domain(const uint8_t *addr)
{
	static const uint8_t infrastructure[6] = {0xfd, 0, 0, 5, 0, 0};

	return (get16(addr) == 0x2400 && (get16(addr + 2) & 0xfffc) == 0xdcc0) || !memcmp(addr, infrastructure, 6);
}

/* What an outer packet carries: behind the SRH, if there is one. */
static const uint8_t *carried(const struct packet *out, uint8_t *ret_proto)
{
	const uint8_t *ip = out->data + 14, *at = ip + 40;

	*ret_proto = ip[6];
	if (ip[6] == 43) {
		*ret_proto = at[0];
		at += 8 + 8 * (size_t)at[1];
	}
	return at;
}

/* A tap's packet is never the kernel's. Into the fabric goes a tenant's packet alone, and none of SID space inside it.
 */
static void check_from_tap(struct node *node, const struct packet *in, int verdict, const struct packet *out)
{
	const uint8_t *inner;
	uint8_t proto;

	require(verdict == TC_ACT_SHOT || verdict == TC_ACT_REDIRECT, in, out);
	if (verdict == TC_ACT_SHOT)
		return;
	if (get16(out->data + 12) != 0x86dd || memcmp(out->data + 14 + 8, &node->config.source, 16) != 0) {
		require_sound_inner(in, out);
		return;
	}
	require_sound_outer(node, in, out);
	require(in_domain(out->data + 14 + 24), in, out);
	inner = carried(out, &proto);
	require(proto == 4 || proto == 41, in, out);
	require(proto == 4 || (!in_domain(inner + 8) && !in_domain(inner + 24)), in, out);
}

/* What is not this node's is left alone; what comes from outside goes nowhere; what comes out to a tap is sound. */
static void check_from_uplink(const struct packet *in, int verdict, const struct packet *out)
{
	struct in6_addr locator = ip6("2400:dcc0::a7a:4d8e:0:0"), own = ip6(SOURCE);
	const uint8_t *src = in->data + 14 + 8, *dst = src + 16;

	require(verdict == TC_ACT_OK || verdict == TC_ACT_SHOT || verdict == TC_ACT_REDIRECT, in, out);
	if (get16(in->data + 12) != 0x86dd || in->data[14] >> 4 != 6 ||
	    (memcmp(dst, &locator, 12) != 0 && memcmp(dst, &own, 16) != 0)) {
		require(verdict == TC_ACT_OK, in, out);
		packet_assert_equal(out, in);
		return;
	}
	require(verdict == TC_ACT_SHOT || in_domain(src) || src[0] == 0xfe, in, out);
	if (verdict == TC_ACT_REDIRECT && !memcmp(out->data + 6, mac_gateway, 6))
		require_sound_inner(in, out);
}

/* Some bytes of the headers changed, the end cut off or added to. Interesting values come more often. */
static struct packet mutate(const struct packet *seed, size_t min)
{
	static const uint8_t values[] = {0, 1, 2, 4, 5, 6, 17, 41, 43, 44, 58, 59, 60, 0x45, 0x60, 0x7f, 0x80, 0xff};
	struct packet p = *seed;
	int changes = rand() % 4; /* NOLINT(cert-msc30-c,cert-msc50-cpp): a repeatable sequence is what is wanted */

	for (int i = 0; i < changes; i++) {
		size_t at = 12 + (size_t)rand() % (p.len - 12 < 130 ? p.len - 12 : 130);

		switch (rand() % 3) {
		case 0:
			p.data[at] ^= (uint8_t)(1 << rand() % 8);
			break;
		case 1:
			p.data[at] = values[(size_t)rand() % sizeof(values)];
			break;
		default:
			p.data[at] = (uint8_t)rand();
		}
	}
	if (rand() % 4 == 0)
		p.len = min + (size_t)rand() % (p.len + 20 - min);
	return p;
}

static void test_random_from_a_tap(void **state)
{
	const struct packet seeds[] = {
		PACKET(ETH_VM1, IP4(VM1, VM_B), TCP(5, 6), DATA(40)),
		PACKET(ETH_VM1, IP4(VM1, VM2, .options = 12), UDP(5, 6), DATA(40)),
		PACKET(ETH_VM1, IP4(VM1, "10.0.2.8", .ttl = 1), UDP(5, 6), DATA(600)),
		PACKET(ETH_VM1, IP4(VM1, VM_B, .frag = 0x4000), UDP(5, 6), DATA(1500)),
		PACKET(ETH_VM1, IP4(VM1, GATEWAY4), ICMP(8, 0, 1), DATA(40)),
		PACKET(ETH_VM1, IP6(VM1_6, VM_B_6), TCP(5, 6), DATA(40)),
		PACKET(ETH_VM1, IP6(VM1_6, SID_BLUE), SRH(0, {SID_BLUE}), IP4(VM1, VM2), UDP(5, 6)),
		PACKET(ETH_VM1, IP6(VM1_6, VM2_6), HBH(0), DSTOPTS(1), FRAG(0, true, 7), UDP(5, 6), DATA(40)),
		PACKET(ETH_VM1, IP6(VM1_6, GATEWAY6), ICMP6(128, 0, 1), DATA(40)),
		PACKET(ETH_VM1, IP6(VM1_6, VM2_6, .hlim = 255), NS(VM2_6, mac_vm1)),
		PACKET(ETH(mac_vm1, mac_broadcast), ARP(1, mac_vm1, VM1, NULL, VM2), DATA(18)),
	};
	struct packet out;

	srand(1); /* NOLINT(cert-msc32-c,cert-msc51-cpp) */
	for (int i = 0; i < ROUNDS; i++) {
		struct packet in = mutate(&seeds[(size_t)i % ARRAY_SIZE(seeds)], HARNESS_MIN6);
		int verdict = node_run_unchecked(*state, TAP0, &in, &out);

		check_from_tap(*state, &in, verdict, &out);
	}
}

static void test_random_from_an_uplink(void **state)
{
	const struct packet seeds[] = {
		PACKET(ETH_IN, IP6(PEER, SID_BLUE), SRH(0, {SID_BLUE}), IP4(VM_B, VM1), TCP(5, 6), DATA(40)),
		PACKET(ETH_IN, IP6(PEER, SID_BLUE), IP6(VM_B_6, VM1_6), TCP(5, 6), DATA(40)),
		PACKET(ETH_IN, IP6(PEER, SID_END), SRH(2, {SID_END, SID_HOP_1, SID_B_BLUE}), IP4(VM_B, VM1), UDP(5, 6)),
		PACKET(ETH_IN, IP6(PEER, SID_END), SRH(1, {SID_END, SID_BLUE}), IP4(VM_B, VM1), UDP(5, 6)),
		PACKET(ETH_IN, IP6(PEER, SID_BLUE), HBH(0), DSTOPTS(1), SRH(0, {SID_BLUE}, .tlv = 8),
		       IP4(VM_B, "10.0.1.2"), UDP(5, 6)),
		PACKET(ETH_IN, IP6(PEER, SID_BLUE), SRH(1, {SID_BLUE, SID_B_BLUE}), IP4(VM_B, VM1), DATA(1300)),
		PACKET(ETH_IN, IP6(PEER, SID_UNKNOWN), SRH(0, {SID_UNKNOWN}), ICMP6(128, 0, 1), DATA(8)),
		PACKET(ETH_IN, IP6("fd00:5::1", SOURCE), ICMP6(2, 0, 1400), IP6(SOURCE, SID_B_BLUE), IP4(VM1, VM_B),
		       UDP(5, 6)),
	};
	struct packet out;

	srand(2); /* NOLINT(cert-msc32-c,cert-msc51-cpp) */
	for (int i = 0; i < ROUNDS; i++) {
		struct packet in = mutate(&seeds[(size_t)i % ARRAY_SIZE(seeds)], HARNESS_MIN6);
		int verdict = node_run_unchecked(*state, UP0, &in, &out);

		check_from_uplink(&in, verdict, &out);
	}
}

static const struct CMUnitTest tests[] = {
	node_test(test_ip4_version),
	node_test(test_ip4_header_length),
	node_test(test_ip4_total_length),
	node_test(test_ip4_truncated_at_each_byte),
	node_test(test_ip6_version),
	node_test(test_ip6_truncated_at_each_byte),
	node_test(test_ip6_payload_length),
	node_test(test_encapsulated_truncated_at_each_byte),
	node_test(test_inner_longer_than_outer),
	node_test(test_srh_length_at_dt),
	node_test(test_many_extension_headers),
	node_test(test_random_from_a_tap),
	node_test(test_random_from_an_uplink),
};

HARNESS_MAIN("malformed", tests)
