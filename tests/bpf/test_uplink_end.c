// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a SID says no to, and End: RFC 8986 sections 4.1, 4.1.1 and 4.6 to 4.8, RFC 8754 sections 4.3.1.1 and 4.3.2. Bad
 * packets are answered, not swallowed: ICMPv6 Parameter Problem to the source node, with the pointer at the fault.
 */
#include "expect.h"

#include <arpa/inet.h>
#include <string.h>

#define ETH_IN ETH(mac_leaf0, mac_up0)
#define INNER4 IP4(VM_B, VM1, .ttl = 63), UDP(5, 6), DATA(40)
#define INNER6 IP6(VM_B_6, VM1_6, .hlim = 63), UDP(5, 6), DATA(40)

/* An error to the source node. It comes from the SID or from the node's own address (RFC 4443 2.2), off the uplink. */
static void expect_error(struct node *node, const struct packet *in, const char *sid, enum sr_drop_reason reason,
			 uint8_t type, uint8_t code, uint32_t rest)
{
	struct in6_addr as_sid = ip6(sid), as_node = ip6(SOURCE);
	struct packet out;
	bool from_sid;

	node_expect_answer(node, UP0, in, reason, &out);
	from_sid = !memcmp(out.data + 14 + 8, &as_sid, 16);
	if (!from_sid)
		assert_memory_equal(out.data + 14 + 8, &as_node, 16);
	assert_icmp6_error(&out, type, code, rest, from_sid ? sid : SOURCE, PEER, out.data + 6, out.data, in);
}

static void expect_parameter_problem(struct node *node, const struct packet *in, const char *sid,
				     enum sr_drop_reason reason, uint8_t code, uint32_t pointer)
{
	expect_error(node, in, sid, reason, 4, code, pointer);
}

/* Segments Left at the last segment: code 0, pointer at Segments Left. */
static void test_segments_left_at_dt(void **state)
{
	static const char *const sids[] = {SID_BLUE, SID_RED, SID_DT4, SID_DT6};

	for (size_t i = 0; i < ARRAY_SIZE(sids); i++) {
		struct packet in = PACKET(ETH_IN, IP6(PEER, sids[i]), SRH(1, {sids[i], SID_B_BLUE}), INNER4);
		struct packet behind = PACKET(ETH_IN, IP6(PEER, sids[i]), HBH(0), DSTOPTS(1),
					      SRH(2, {sids[i], SID_HOP_1, SID_B_BLUE}), INNER6);

		sr_case("%s", sids[i]);
		expect_parameter_problem(*state, &in, sids[i], SR_DROP_SEGMENTS_LEFT, 0, 40 + 3);
		expect_parameter_problem(*state, &behind, sids[i], SR_DROP_SEGMENTS_LEFT, 0, 40 + 8 + 16 + 3);
	}
}

/* Every other family or protocol than the behaviour's: code 4, pointer at the upper-layer header. */
static void test_upper_layer_of_the_wrong_family(void **state)
{
	struct packet four = PACKET(ETH_IN, IP6(PEER, SID_DT6), INNER4);
	struct packet four_srh = PACKET(ETH_IN, IP6(PEER, SID_DT6), SRH(0, {SID_DT6}), INNER4);
	struct packet six = PACKET(ETH_IN, IP6(PEER, SID_DT4), INNER6);
	struct packet six_srh = PACKET(ETH_IN, IP6(PEER, SID_DT4), HBH(0), SRH(0, {SID_HOP_1, SID_DT4}), INNER6);

	expect_parameter_problem(*state, &four, SID_DT6, SR_DROP_UPPER_LAYER, 4, 40);
	expect_parameter_problem(*state, &four_srh, SID_DT6, SR_DROP_UPPER_LAYER, 4, 40 + 24);
	expect_parameter_problem(*state, &six, SID_DT4, SR_DROP_UPPER_LAYER, 4, 40);
	expect_parameter_problem(*state, &six_srh, SID_DT4, SR_DROP_UPPER_LAYER, 4, 40 + 8 + 40);
}

static void test_upper_layer_of_another_protocol(void **state)
{
	static const uint8_t protocols[] = {1, 2, 6, 33, 46, 47, 50, 51, 59, 89, 115, 132, 137, 143, 253, 255};
	static const char *const sids[] = {SID_BLUE, SID_DT4, SID_DT6, SID_END};

	for (size_t i = 0; i < ARRAY_SIZE(protocols) * ARRAY_SIZE(sids); i++) {
		const char *sid = sids[i % ARRAY_SIZE(sids)];
		uint8_t protocol = protocols[i / ARRAY_SIZE(sids)];
		struct packet plain = PACKET(ETH_IN, IP6(PEER, sid, .next = protocol), DATA(40));
		struct packet with_srh = PACKET(ETH_IN, IP6(PEER, sid), SRH(0, {sid}), DATA(40));

		packet_layer(&with_srh, L_SRH, 0)[0] = protocol;
		sr_case("protocol %d at %s", protocol, sid);
		expect_parameter_problem(*state, &plain, sid, SR_DROP_UPPER_LAYER, 4, 40);
		expect_parameter_problem(*state, &with_srh, sid, SR_DROP_UPPER_LAYER, 4, 40 + 24);
	}
}

/* End has no upper layer for tenants: RFC 8986 4.1.1. */
static void test_tenants_packet_at_end(void **state)
{
	struct packet in = PACKET(ETH_IN, IP6(PEER, SID_END), SRH(0, {SID_END}), INNER4);

	expect_parameter_problem(*state, &in, SID_END, SR_DROP_UPPER_LAYER, 4, 40 + 24);
}

/* RFC 4443 2.4 (e): no error about an error, also where the packet is bad. */
static void test_no_error_about_an_error(void **state)
{
	struct packet in = PACKET(ETH_IN, IP6(PEER, SID_BLUE), SRH(1, {SID_BLUE, SID_B_BLUE}), ICMP6(1, 4), DATA(48));

	node_expect_drop(*state, UP0, &in, SR_DROP_SEGMENTS_LEFT);
}

/* End */

static void expect_forwarded(struct node *node, const struct packet *in, struct packet *want)
{
	struct packet out;

	node_expect_sent(node, UP0, in, &out);
	memcpy(want->data, out.data, 12); /* Ethernet addresses: the kernel's, on the way out */
	packet_assert_equal(&out, want);
}

static void test_end_goes_on_to_the_next_segment(void **state)
{
	struct packet two = PACKET(ETH_IN, IP6(PEER, SID_END, .hlim = 9, .flow = 5, .tc = 3),
				   SRH(1, {SID_END, SID_B_BLUE}), INNER4);
	struct packet two_want = PACKET(ETH_IN, IP6(PEER, SID_B_BLUE, .hlim = 8, .flow = 5, .tc = 3),
					SRH(0, {SID_END, SID_B_BLUE}), INNER4);
	struct packet three = PACKET(ETH_IN, IP6(PEER, SID_END, .hlim = 2),
				     SRH(2, {SID_END, SID_HOP_1, SID_B_BLUE}, 0, 7, 16), INNER6);
	struct packet three_want = PACKET(ETH_IN, IP6(PEER, SID_HOP_1, .hlim = 1),
					  SRH(1, {SID_END, SID_HOP_1, SID_B_BLUE}, 0, 7, 16), INNER6);
	struct packet middle = PACKET(ETH_IN, IP6(PEER, SID_END), SRH(1, {SID_HOP_1, SID_END, SID_B_BLUE}), INNER6);
	struct packet middle_want =
		PACKET(ETH_IN, IP6(PEER, SID_B_BLUE, .hlim = 63), SRH(0, {SID_HOP_1, SID_END, SID_B_BLUE}), INNER6);

	expect_forwarded(*state, &two, &two_want);
	expect_forwarded(*state, &three, &three_want);
	expect_forwarded(*state, &middle, &middle_want);
}

/* Reduced: the first segment, this one, is not in the list, and Segments Left is one more than Last Entry. */
static void test_end_with_a_reduced_list(void **state)
{
	struct packet in = PACKET(ETH_IN, IP6(PEER, SID_END), SRH(2, {SID_HOP_1, SID_B_BLUE}), INNER4);
	struct packet want = PACKET(ETH_IN, IP6(PEER, SID_HOP_1, .hlim = 63), SRH(1, {SID_HOP_1, SID_B_BLUE}), INNER4);

	expect_forwarded(*state, &in, &want);
}

static void test_end_behind_other_headers(void **state)
{
	struct packet in = PACKET(ETH_IN, IP6(PEER, SID_END), HBH(0), DSTOPTS(1), SRH(1, {SID_END, SID_B_BLUE}),
				  DSTOPTS(0), INNER4);
	struct packet want = PACKET(ETH_IN, IP6(PEER, SID_B_BLUE, .hlim = 63), HBH(0), DSTOPTS(1),
				    SRH(0, {SID_END, SID_B_BLUE}), DSTOPTS(0), INNER4);

	expect_forwarded(*state, &in, &want);
}

/* It does not matter what is carried. */
static void test_end_forwards_any_upper_layer(void **state)
{
	struct packet in = PACKET(ETH_IN, IP6(PEER, SID_END), SRH(1, {SID_END, SID_B_BLUE}), ICMP6(128, 0, 1), DATA(8));
	struct packet want = PACKET(ETH_IN, IP6(PEER, SID_B_BLUE, .hlim = 63), SRH(0, {SID_END, SID_B_BLUE}),
				    ICMP6(128, 0, 1), DATA(8));

	expect_forwarded(*state, &in, &want);
}

static void test_end_then_dt46_here(void **state)
{
	struct packet in = PACKET(ETH_IN, IP6(PEER, SID_END), SRH(1, {SID_END, SID_BLUE}), INNER4), out;
	struct packet want = PACKET(ETH(mac_gateway, mac_vm1), INNER4);

	node_expect_sent(*state, UP0, &in, &out);
	packet_assert_equal(&out, &want);
}

static void test_end_without_a_route_to_the_next(void **state)
{
	struct packet in = PACKET(ETH_IN, IP6(PEER, SID_END), SRH(1, {SID_END, "2400:dcc3::9"}), INNER4), out;

	node_run(*state, UP0, &in, &out);
	node_assert_counted(*state, SR_DIR_FROM_UPLINK, SR_DROP_NO_FIB);
}

static void test_end_hop_limit(void **state)
{
	struct packet one = PACKET(ETH_IN, IP6(PEER, SID_END, .hlim = 1), SRH(1, {SID_END, SID_B_BLUE}), INNER4);
	struct packet zero = PACKET(ETH_IN, IP6(PEER, SID_END, .hlim = ZERO), SRH(1, {SID_END, SID_B_BLUE}), INNER4);

	expect_error(*state, &one, SID_END, SR_DROP_HOP_LIMIT, 3, 0, 0);
	expect_error(*state, &zero, SID_END, SR_DROP_HOP_LIMIT, 3, 0, 0);
}

/* A last segment is not forwarded: its hop limit has done its work (RFC 8986 4.6 does not look at it). */
static void test_hop_limit_at_dt(void **state)
{
	struct packet in = PACKET(ETH_IN, IP6(PEER, SID_BLUE, .hlim = 1), SRH(0, {SID_BLUE}), INNER4), out;

	node_expect_sent(*state, UP0, &in, &out);
}

/* Every Last Entry and Segments Left that do not agree with the length. */
static void test_end_last_entry(void **state)
{
	for (unsigned int last = 0; last < 256; last += last < 5 ? 1 : 50) {
		for (unsigned int left = 1; left < 256; left += left < 5 ? 1 : 50) {
			struct packet in =
				PACKET(ETH_IN, IP6(PEER, SID_END), SRH(1, {SID_END, SID_HOP_1, SID_B_BLUE}), INNER4);
			uint8_t *srh = packet_layer(&in, L_SRH, 0);
			struct packet out;

			srh[3] = (uint8_t)left;
			srh[4] = (uint8_t)last;
			sr_case("last entry %u, segments left %u", last, left);
			if (last > 2 || left > last + 1)
				expect_parameter_problem(*state, &in, SID_END, SR_DROP_BAD_SRH, 0, 40 + 3);
			else
				node_run(*state, UP0, &in, &out);
		}
	}
}

/* An SRH as long as Last Entry says, and too long or too short for the packet. */
static void test_end_header_length(void **state)
{
	for (unsigned int len = 0; len < 256; len++) {
		struct packet in = PACKET(ETH_IN, IP6(PEER, SID_END), SRH(1, {SID_END, SID_B_BLUE}), INNER4), out;
		int verdict;

		packet_layer(&in, L_SRH, 0)[1] = (uint8_t)len;
		verdict = node_run(*state, UP0, &in, &out);
		sr_case("length %u: verdict %d", len, verdict);
		if (len / 2 < 2)
			node_assert_counted(*state, SR_DIR_FROM_UPLINK, SR_DROP_BAD_SRH);
		else if (40 + 8 + 8 * len > in.len - 14)
			assert_int_equal(verdict, TC_ACT_SHOT);
	}
}

/* Local, but no SID: the routing header means nothing with no segments left, and is refused else. RFC 8754 4.3.2. */
static void test_local_but_no_sid_segments_left(void **state)
{
	struct packet in = PACKET(ETH_IN, IP6(PEER, SID_UNKNOWN), SRH(1, {SID_UNKNOWN, SID_B_BLUE}), INNER4);
	struct packet node = PACKET(ETH_IN, IP6(PEER, SOURCE), SRH(1, {SOURCE, SID_B_BLUE}), UDP(5, 6));

	expect_parameter_problem(*state, &in, SID_UNKNOWN, SR_DROP_SEGMENTS_LEFT, 0, 40 + 3);
	expect_parameter_problem(*state, &node, SOURCE, SR_DROP_SEGMENTS_LEFT, 0, 40 + 3);
}

/* RFC 8200 4.4: of another type, with segments left: pointer at the type. Without: passed over. */
static void test_routing_header_of_another_type(void **state)
{
	struct packet left = PACKET(ETH_IN, IP6(PEER, SID_BLUE), SRH(1, {SID_BLUE, SID_B_BLUE}), INNER4);
	struct packet none = PACKET(ETH_IN, IP6(PEER, SID_BLUE), SRH(0, {SID_BLUE}), INNER4), out;

	packet_layer(&left, L_SRH, 0)[2] = 0;
	packet_layer(&none, L_SRH, 0)[2] = 0;
	expect_parameter_problem(*state, &left, SID_BLUE, SR_DROP_SEGMENTS_LEFT, 0, 40 + 2);
	node_expect_sent(*state, UP0, &none, &out);
}

/* RFC 4443 2.4 (f) */
static void test_parameter_problems_are_rate_limited(void **state)
{
	struct packet in = PACKET(ETH_IN, IP6(PEER, SID_BLUE), SRH(1, {SID_BLUE, SID_B_BLUE}), INNER4), out;
	struct packet expired = PACKET(ETH_IN, IP6(PEER, SID_END, .hlim = 1), SRH(1, {SID_END, SID_B_BLUE}), INNER4);
	struct sr_bpf_config config = config_default();
	struct node *node;

	(void)state;
	config.icmp_rate = 3;
	node = node_new(&config);
	assert_rate_limited(node, UP0, &in, config.icmp_rate);
	node_expect_answer(node, UP0, &expired, SR_DROP_HOP_LIMIT, &out);
	node_free(node);
}

static const struct CMUnitTest tests[] = {
	node_test(test_segments_left_at_dt),
	node_test(test_upper_layer_of_the_wrong_family),
	node_test(test_upper_layer_of_another_protocol),
	node_test(test_tenants_packet_at_end),
	node_test(test_no_error_about_an_error),
	node_test(test_end_goes_on_to_the_next_segment),
	node_test(test_end_with_a_reduced_list),
	node_test(test_end_behind_other_headers),
	node_test(test_end_forwards_any_upper_layer),
	node_test(test_end_then_dt46_here),
	node_test(test_end_without_a_route_to_the_next),
	node_test(test_end_hop_limit),
	node_test(test_hop_limit_at_dt),
	node_test(test_end_last_entry),
	node_test(test_end_header_length),
	node_test(test_local_but_no_sid_segments_left),
	node_test(test_routing_header_of_another_type),
	cmocka_unit_test(test_parameter_problems_are_rate_limited),
};

HARNESS_MAIN("uplink_end", tests)
