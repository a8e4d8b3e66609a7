// SPDX-License-Identifier: GPL-2.0-only
/*
 * From an uplink to a tap: End.DT4, End.DT6, End.DT46 (RFC 8986 sections 4.6 to 4.8), whatever form the outer headers
 * have, and ECN on the way out of the tunnel (RFC 6040 section 4.2).
 */
#include "expect.h"

#include <arpa/inet.h>
#include <string.h>

#define OUTER_MAX 6

/* The outer headers of a packet to the SID, up to an L_END; without an Ethernet header. */
static struct form {
	const char *name;
	struct layer layers[OUTER_MAX];
} forms[] = {
	{"no SRH", {{.kind = L_END}}},
	{"SRH of one", {{.kind = L_SRH, .srh = {.segs = {SID_BLUE}}}}},
	{"SRH of three", {{.kind = L_SRH, .srh = {.segs = {SID_HOP_1, SID_HOP_2, SID_BLUE}}}}},
	{"reduced SRH of three", {{.kind = L_SRH, .srh = {.segs = {SID_HOP_2, SID_BLUE}}}}},
	{"SRH with flags and a tag", {{.kind = L_SRH, .srh = {.segs = {SID_BLUE}, .flags = 0xff, .tag = 0xbeef}}}},
	{"SRH with TLVs", {{.kind = L_SRH, .srh = {.segs = {SID_BLUE}, .tlv = 24}}}},
	{"hop-by-hop options", {{.kind = L_HBH}}},
	{"destination options", {{.kind = L_DSTOPTS, .opts = {.len = 1}}}},
	{"hop-by-hop options, then SRH", {{.kind = L_HBH}, {.kind = L_SRH, .srh = {.segs = {SID_BLUE}}}}},
	{"destination options, then SRH",
	 {{.kind = L_DSTOPTS, .opts = {.len = 2}}, {.kind = L_SRH, .srh = {.segs = {SID_BLUE}}}}},
	{"SRH, then destination options", {{.kind = L_SRH, .srh = {.segs = {SID_BLUE}}}, {.kind = L_DSTOPTS}}},
	{"hop-by-hop, destination options, SRH, destination options",
	 {{.kind = L_HBH}, {.kind = L_DSTOPTS}, {.kind = L_SRH, .srh = {.segs = {SID_BLUE}}}, {.kind = L_DSTOPTS}}},
};

static struct packet encapsulated(const char *sid, const struct layer *form, uint8_t tc, const struct layer *inner)
{
	struct layer layers[16] = {ETH(mac_leaf0, mac_up0), IP6(PEER, sid, .hlim = 5, .tc = tc, .flow = 0xabcde)};
	size_t n = 2;

	while (form && form->kind != L_END)
		layers[n++] = *form++;
	do {
		layers[n++] = *inner;
	} while (inner++->kind != L_END);
	return packet_build(layers);
}

static struct packet delivered(const uint8_t *mac, const struct layer *inner)
{
	struct layer layers[16] = {ETH(mac_gateway, mac)};
	size_t n = 1;

	do {
		layers[n++] = *inner;
	} while (inner++->kind != L_END);
	return packet_build(layers);
}

/* The inner TTL is not decremented here: that was the ingress (RFC 8986 5.1; ttl=63 end to end). */
#define INNER4(...)                                                                                                    \
	{                                                                                                              \
		IP4(VM_B, VM1, .ttl = 63, .id = 4, __VA_ARGS__), UDP(5, 6), DATA(99),                                  \
		{                                                                                                      \
			.kind = L_END                                                                                  \
		}                                                                                                      \
	}
#define INNER6(...)                                                                                                    \
	{                                                                                                              \
		IP6(VM_B_6, VM1_6, .hlim = 63, .flow = 4, __VA_ARGS__), UDP(5, 6), DATA(99),                           \
		{                                                                                                      \
			.kind = L_END                                                                                  \
		}                                                                                                      \
	}
static const struct layer *inner(bool v6)
{
	static struct layer families[2][4];
	const struct layer four[] = INNER4(.tos = 0x88), six[] = INNER6(.tc = 0x88);

	memcpy(families[0], four, sizeof(four));
	memcpy(families[1], six, sizeof(six));
	return families[v6];
}

static void expect_delivered(struct node *node, const char *sid, const struct layer *form, bool v6, const uint8_t *mac)
{
	struct packet in = encapsulated(sid, form, 0x88, inner(v6)), want = delivered(mac, inner(v6)), out;

	node_expect_sent(node, UP0, &in, &out);
	packet_assert_equal(&out, &want);
}

static void test_form(void **state)
{
	const struct form *form = *state;
	struct node *node = node_new(NULL);

	expect_delivered(node, SID_BLUE, form->layers, false, mac_vm1);
	expect_delivered(node, SID_BLUE, form->layers, true, mac_vm1);
	node_free(node);
}

static void test_dt4_takes_ipv4(void **state)
{
	expect_delivered(*state, SID_DT4, NULL, false, mac_vm1);
	expect_delivered(*state, SID_DT4, (struct layer[]){SRH(0, {SID_DT4}), {.kind = L_END}}, false, mac_vm1);
}

static void test_dt6_takes_ipv6(void **state)
{
	expect_delivered(*state, SID_DT6, NULL, true, mac_vm1);
	expect_delivered(*state, SID_DT6, (struct layer[]){SRH(0, {SID_DT6}), {.kind = L_END}}, true, mac_vm1);
}

static void test_minimal_and_largest_inner_packets(void **state)
{
	const struct layer rows[][4] = {
		{IP4(VM_B, VM1, .proto = 253), {.kind = L_END}},
		{IP6(VM_B_6, VM1_6), {.kind = L_END}},
		{IP4(VM_B, VM1, .options = 40, .proto = 253), DATA(1), {.kind = L_END}},
		{IP4(VM_B, VM1), UDP(5, 6), DATA(3000), {.kind = L_END}},
		{IP6(VM_B_6, VM1_6), UDP(5, 6), DATA(3000), {.kind = L_END}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct packet in = encapsulated(SID_BLUE, forms[1].layers, 0, rows[i]),
			      want = delivered(mac_vm1, rows[i]), out;

		sr_case("row %zu", i);
		node_expect_sent(*state, UP0, &in, &out);
		packet_assert_equal(&out, &want);
	}
}

static void test_fragments_of_tenants_are_delivered(void **state)
{
	const struct layer rows[][4] = {
		{IP4(VM_B, VM1, .frag = 0x2000), UDP(5, 6), DATA(8), {.kind = L_END}},
		{IP4(VM_B, VM1, .frag = 100, .proto = 17), DATA(11), {.kind = L_END}},
		{IP6(VM_B_6, VM1_6), FRAG(0, true, 9), DATA(16), {.kind = L_END}},
		{IP6(VM_B_6, VM1_6), FRAG(9, false, 9, 17), DATA(3), {.kind = L_END}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct packet in = encapsulated(SID_BLUE, NULL, 0, rows[i]), want = delivered(mac_vm1, rows[i]), out;

		sr_case("row %zu", i);
		node_expect_sent(*state, UP0, &in, &out);
		packet_assert_equal(&out, &want);
	}
}

/* The same inner packet, another tenant's SID: another tap. Looked up there and nowhere else. */
static void test_lookup_in_the_sids_vrf_only(void **state)
{
	const struct layer to_vm2[] = {IP4(VM_B, VM2), UDP(5, 6), {.kind = L_END}};
	const struct layer to_vm2_6[] = {IP6(VM_B_6, VM2_6), UDP(5, 6), {.kind = L_END}};
	struct packet in;

	expect_delivered(*state, SID_RED, NULL, false, mac_vm3);
	expect_delivered(*state, SID_RED, NULL, true, mac_vm3);
	in = encapsulated(SID_RED, NULL, 0, to_vm2);
	node_expect_drop(*state, UP0, &in, SR_DROP_NO_ROUTE);
	in = encapsulated(SID_RED, NULL, 0, to_vm2_6);
	node_expect_drop(*state, UP0, &in, SR_DROP_NO_ROUTE);
	in = encapsulated(SID_BLUE, NULL, 0, to_vm2);
	assert_int_equal(node_run(*state, UP0, &in, &in), TC_ACT_REDIRECT);
}

static void test_next_hop_not_known(void **state)
{
	const struct layer nowhere[] = {IP4(VM_B, "10.0.1.6"), UDP(5, 6), {.kind = L_END}};
	struct packet in = encapsulated(SID_BLUE, NULL, 0, nowhere);

	node_expect_drop(*state, UP0, &in, SR_DROP_NO_NEXTHOP);
}

static void test_vrf_gone(void **state)
{
	struct packet in = encapsulated(SID_BLUE, NULL, 0, inner(false));

	node_vrf(*state, BLUE, 0, 0);
	node_expect_drop(*state, UP0, &in, SR_DROP_NO_VRF);
}

/* A VM that has moved on: the packet follows it, as long as its TTL lets it. */
static void test_moved_vm_is_followed(void **state)
{
	const struct layer away[] = {IP4(VM2, "10.0.1.2", .ttl = 63), UDP(5, 6), DATA(9), {.kind = L_END}};
	const struct layer last[] = {IP4(VM2, "10.0.1.2", .ttl = 1), UDP(5, 6), DATA(9), {.kind = L_END}};

	for (size_t i = 0; i < 3; i++) {
		struct packet in = encapsulated(SID_BLUE, forms[i].layers, 0, away), out, want;

		sr_case("%s", forms[i].name);
		node_expect_sent(*state, UP0, &in, &out);
		want = PACKET(ETH(out.data + 6, out.data),
			      IP6(SOURCE, SID_C_BLUE, .hlim = HOP_LIMIT, .flow = ip6_flow(out.data + 14)),
			      SRH(0, {SID_C_BLUE}), IP4(VM2, "10.0.1.2", .ttl = 62), UDP(5, 6), DATA(9));
		packet_assert_equal(&out, &want);
		in = encapsulated(SID_BLUE, forms[i].layers, 0, last);
		node_run(*state, UP0, &in, &out);
		node_assert_counted(*state, SR_DIR_FROM_UPLINK, SR_DROP_TTL);
	}
}

/* RFC 6040 figure 4, complete; the DSCP is the inner one's. Rows: inner; columns: outer; in the order 00, 01, 10, 11.
 */
#define DROP 4
static const uint8_t ecn_table[4][4] = {
	{0, 0, 0, DROP}, /* Not-ECT */
	{1, 1, 1, 3},	 /* ECT(1) */
	{2, 1, 2, 3},	 /* ECT(0) */
	{3, 3, 3, 3},	 /* CE */
};

static void ecn_cell(struct node *node, bool v6, uint8_t in_ecn, uint8_t out_ecn, uint8_t want_ecn)
{
	const struct layer four[] = INNER4(.tos = 0x88 | in_ecn), six[] = INNER6(.tc = 0x88 | in_ecn);
	const struct layer four_want[] = INNER4(.tos = 0x88 | want_ecn), six_want[] = INNER6(.tc = 0x88 | want_ecn);
	struct packet in = encapsulated(SID_BLUE, forms[1].layers, 0x10 | out_ecn, v6 ? six : four), out, want;

	sr_case("IPv%d, inner %d, outer %d", v6 ? 6 : 4, in_ecn, out_ecn);
	if (want_ecn == DROP) {
		node_expect_drop(node, UP0, &in, SR_DROP_ECN);
		return;
	}
	want = delivered(mac_vm1, v6 ? six_want : four_want);
	node_expect_sent(node, UP0, &in, &out);
	packet_assert_equal(&out, &want);
}

static void test_ecn(void **state)
{
	for (uint8_t i = 0; i < 16; i++) {
		ecn_cell(*state, false, i / 4, i % 4, ecn_table[i / 4][i % 4]);
		ecn_cell(*state, true, i / 4, i % 4, ecn_table[i / 4][i % 4]);
	}
}

/* ECN marked on a followed packet goes on with it, outside and inside. */
static void test_ecn_of_a_followed_packet(void **state)
{
	const struct layer away[] = {IP4(VM2, "10.0.1.2", .tos = 2), UDP(5, 6), DATA(9), {.kind = L_END}};
	struct packet in = encapsulated(SID_BLUE, NULL, 3, away), out, want;

	node_expect_sent(*state, UP0, &in, &out);
	want = PACKET(ETH(out.data + 6, out.data),
		      IP6(SOURCE, SID_C_BLUE, .hlim = HOP_LIMIT, .tc = 3, .flow = ip6_flow(out.data + 14)),
		      SRH(0, {SID_C_BLUE}), IP4(VM2, "10.0.1.2", .ttl = 63, .tos = 3), UDP(5, 6), DATA(9));
	packet_assert_equal(&out, &want);
}

int main(void)
{
	static const struct CMUnitTest others[] = {
		node_test(test_dt4_takes_ipv4),
		node_test(test_dt6_takes_ipv6),
		node_test(test_minimal_and_largest_inner_packets),
		node_test(test_fragments_of_tenants_are_delivered),
		node_test(test_lookup_in_the_sids_vrf_only),
		node_test(test_next_hop_not_known),
		node_test(test_vrf_gone),
		node_test(test_moved_vm_is_followed),
		node_test(test_ecn),
		node_test(test_ecn_of_a_followed_packet),
	};
	static char names[ARRAY_SIZE(forms)][96];
	struct CMUnitTest tests[ARRAY_SIZE(forms) + ARRAY_SIZE(others)];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		snprintf(names[i], sizeof(names[i]), "decapsulated: %s", forms[i].name);
		tests[n++] = (struct CMUnitTest){names[i], test_form, NULL, NULL, &forms[i]};
	}
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		tests[n++] = others[i];
	return harness_main("uplink_decap", tests, n);
}
