// SPDX-License-Identifier: GPL-2.0-only
/*
 * From a tap into the fabric: RFC 8754 section 4.1 (source node), 4.1.1 (reduced), RFC 8986 section 5 (H.Encaps), and
 * what the outer header takes from the inner one: RFC 6040, RFC 2983, RFC 6438.
 */
#include "harness.h"

#include <string.h>

#define OUTER 14U /* offset of the outer IPv6 header; the kernel writes the Ethernet header on the way out */

/* Whole packets: a row a way to reach a VM. `list` is as it is written, without the first segment where reduced. */
static struct encap {
	const char *name;
	const char *v4, *v6, *da;
	const char *list[PACKET_SEGS];
	enum sr_encap_mode mode;
	uint8_t left;
} encaps[] = {
	{"NODE with SRH", VM_B, VM_B_6, SID_B_BLUE, {SID_B_BLUE}, SR_ENCAP_SRH, 0},
	{"NODE reduced has no SRH", VM_B, VM_B_6, SID_B_BLUE, {NULL}, SR_ENCAP_REDUCED, 0},
	{"SIDS of 1 with SRH", "10.0.2.1", "fd00:10::2:1", SID_B_BLUE, {SID_B_BLUE}, SR_ENCAP_SRH, 0},
	{"SIDS of 1 reduced has no SRH", "10.0.2.1", "fd00:10::2:1", SID_B_BLUE, {NULL}, SR_ENCAP_REDUCED, 0},
	{"SIDS of 2 with SRH", "10.0.2.2", "fd00:10::2:2", SID_HOP_1, {SID_HOP_1, SID_B_BLUE}, SR_ENCAP_SRH, 1},
	{"SIDS of 2 reduced", "10.0.2.2", "fd00:10::2:2", SID_HOP_1, {SID_B_BLUE}, SR_ENCAP_REDUCED, 1},
	{"SIDS of 3 with SRH",
	 "10.0.2.3",
	 "fd00:10::2:3",
	 SID_HOP_1,
	 {SID_HOP_1, SID_HOP_2, SID_B_BLUE},
	 SR_ENCAP_SRH,
	 2},
	{"SIDS of 3 reduced", "10.0.2.3", "fd00:10::2:3", SID_HOP_1, {SID_HOP_2, SID_B_BLUE}, SR_ENCAP_REDUCED, 2},
	{"SIDS of 8 with SRH",
	 "10.0.2.8",
	 "fd00:10::2:8",
	 SID_HOP_1,
	 {SID_HOP_1, SID_HOP_2, SID_HOP_3, SID_HOP_4, SID_HOP_5, SID_HOP_6, SID_HOP_7, SID_B_BLUE},
	 SR_ENCAP_SRH,
	 7},
	{"SIDS of 8 reduced",
	 "10.0.2.8",
	 "fd00:10::2:8",
	 SID_HOP_1,
	 {SID_HOP_2, SID_HOP_3, SID_HOP_4, SID_HOP_5, SID_HOP_6, SID_HOP_7, SID_B_BLUE},
	 SR_ENCAP_REDUCED,
	 7},
};

static struct packet inner4(const char *src, const char *dst, int ttl, uint8_t tos, size_t len)
{
	return PACKET(ETH(mac_vm1, mac_gateway), IP4(src, dst, .ttl = ttl, .tos = tos, .id = 77), UDP(1000, 2000),
		      DATA(len));
}

static struct packet inner6(const char *src, const char *dst, int hlim, uint8_t tc, size_t len)
{
	return PACKET(ETH(mac_vm1, mac_gateway), IP6(src, dst, .hlim = hlim, .tc = tc, .flow = 0x12345),
		      UDP(1000, 2000), DATA(len));
}

static uint32_t outer_flow(const struct packet *out)
{
	return ip6_flow(out->data + OUTER);
}

/* The label is what it is (its own tests are below); everything else is known. */
static void assert_encapsulated(const struct encap *e, const struct packet *out, const struct layer *inner)
{
	struct layer layers[8] = {ETH(out->data + 6, out->data),
				  IP6(SOURCE, e->da, .hlim = HOP_LIMIT, .flow = outer_flow(out), .tc = 0x2a)};
	size_t n = 2;
	struct packet want;

	if (e->list[0]) {
		layers[n] = SRH(.left = e->left);
		memcpy(layers[n++].srh.segs, e->list, sizeof(e->list));
	}
	memcpy(layers + n, inner, 3 * sizeof(*inner));
	want = packet_build(layers);
	packet_assert_equal(out, &want);
}

static void test_encap4(void **state)
{
	const struct encap *e = *state;
	struct sr_bpf_config config = config_default();
	struct node *node;
	struct packet in, out;

	config.encap_mode = e->mode;
	node = node_new(&config);
	in = inner4(VM1, e->v4, 64, 0x2a, 100);
	node_expect_sent(node, TAP0, &in, &out);
	assert_encapsulated(
		e, &out,
		(struct layer[]){IP4(VM1, e->v4, .ttl = 63, .tos = 0x2a, .id = 77), UDP(1000, 2000), DATA(100)});
	node_free(node);
}

static void test_encap6(void **state)
{
	const struct encap *e = *state;
	struct sr_bpf_config config = config_default();
	struct node *node;
	struct packet in, out;

	config.encap_mode = e->mode;
	node = node_new(&config);
	in = inner6(VM1_6, e->v6, 64, 0x2a, 100);
	node_expect_sent(node, TAP0, &in, &out);
	assert_encapsulated(e, &out,
			    (struct layer[]){IP6(VM1_6, e->v6, .hlim = 63, .tc = 0x2a, .flow = 0x12345),
					     UDP(1000, 2000), DATA(100)});
	node_free(node);
}

static void test_payload_length(void **state)
{
	static const size_t lens[] = {0, 1, 2, 7, 8, 64, 255, 256, 1000, 1407, 1408};
	struct node *node = *state;

	for (size_t i = 0; i < ARRAY_SIZE(lens); i++) {
		struct packet in = inner4(VM1, VM_B, 64, 0x2a, lens[i]), out;

		sr_case("%zu bytes of data", lens[i]);
		node_expect_sent(node, TAP0, &in, &out);
		assert_encapsulated(&encaps[0], &out,
				    (struct layer[]){IP4(VM1, VM_B, .ttl = 63, .tos = 0x2a, .id = 77), UDP(1000, 2000),
						     DATA(lens[i])});
	}
}

/* A frame may be longer than its packet: Ethernet's minimum of 60 bytes. The padding is not the tenant's. */
static void test_padding_is_not_carried(void **state)
{
	struct node *node = *state;

	for (int v6 = 0; v6 <= 1; v6++) {
		struct packet in = v6 ? inner6(VM1_6, VM_B_6, 64, 0, 3) : inner4(VM1, VM_B, 64, 0, 3), out, padded = in;

		sr_case("IPv%d", v6 ? 6 : 4);
		padded.len += 20;
		node_expect_sent(node, TAP0, &in, &out);
		node_expect_sent(node, TAP0, &padded, &padded);
		packet_assert_equal(&padded, &out);
	}
}

static void test_ip4_options_are_carried(void **state)
{
	struct packet in =
		PACKET(ETH(mac_vm1, mac_gateway), IP4(VM1, VM_B, .tos = 0x2a, .options = 40), UDP(1, 2), DATA(9));
	struct packet out;

	node_expect_sent(*state, TAP0, &in, &out);
	assert_encapsulated(
		&encaps[0], &out,
		(struct layer[]){IP4(VM1, VM_B, .ttl = 63, .tos = 0x2a, .options = 40), UDP(1, 2), DATA(9)});
}

/* The identification that gives a header of this TTL this checksum. */
static uint16_t id_for(int ttl, uint16_t want)
{
	struct packet p = PACKET(ETH(mac_vm1, mac_gateway), IP4(VM1, VM2, .ttl = ttl), UDP(1, 2));
	const uint8_t *ip = packet_layer(&p, L_IP4, 0);
	uint32_t id = (uint32_t)(ip[10] << 8 | ip[11]) + (uint16_t)~want;

	return (uint16_t)(id + (id >> 16));
}

/* The checksum when the TTL goes down, updated by RFC 1624: around where its carry wraps, and elsewhere. */
static void test_ttl_checksum(void **state)
{
	static const uint16_t sums[] = {0x0000, 0x0001, 0x00ff, 0x0100, 0x7fff, 0x8000, 0xfdff,
					0xfe00, 0xfefe, 0xfeff, 0xff00, 0xff01, 0xfffe};
	struct node *node = *state;

	for (int ttl = 2; ttl < 256; ttl += ttl < 5 || ttl > 250 ? 1 : 41) {
		for (size_t i = 0; i < ARRAY_SIZE(sums); i++) {
			uint16_t id = id_for(ttl, sums[i]);
			struct packet in =
				PACKET(ETH(mac_vm1, mac_gateway), IP4(VM1, VM2, .ttl = ttl, .id = id), UDP(1, 2));
			struct packet want =
				PACKET(ETH(mac_gateway, mac_vm2), IP4(VM1, VM2, .ttl = ttl - 1, .id = id), UDP(1, 2));
			struct packet out;

			sr_case("TTL %d, checksum %04x", ttl, sums[i]);
			node_expect_sent(node, TAP0, &in, &out);
			packet_assert_equal(&out, &want);
		}
	}
}

static void test_outer_hop_limit_of_configuration(void **state)
{
	static const uint8_t limits[] = {1, 64, 255};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		struct sr_bpf_config config = config_default();
		struct packet in = inner4(VM1, VM_B, 20, 0, 10), out;
		struct node *node;

		config.hop_limit = limits[i];
		node = node_new(&config);
		node_expect_sent(node, TAP0, &in, &out);
		assert_int_equal(out.data[OUTER + 7], limits[i]);
		node_free(node);
	}
}

/* RFC 6040 section 4.1 (normal mode: copied), RFC 2983: every DSCP and ECN, in both modes, both families. */
static void traffic_class(enum sr_dscp_mode mode, uint8_t dscp)
{
	struct sr_bpf_config config = config_default();
	struct node *node;

	config.dscp_mode = (uint8_t)mode;
	config.dscp = dscp;
	node = node_new(&config);
	for (unsigned int tc = 0; tc < 256; tc++) {
		for (int v6 = 0; v6 <= 1; v6++) {
			struct packet in =
				v6 ? inner6(VM1_6, VM_B_6, 64, (uint8_t)tc, 8) : inner4(VM1, VM_B, 64, (uint8_t)tc, 8);
			unsigned int want = mode == SR_DSCP_COPY ? tc : (dscp << 2U | (tc & 3U)), got;
			struct packet out;

			assert_int_equal(node_run(node, TAP0, &in, &out), TC_ACT_REDIRECT);
			got = (out.data[OUTER] & 0xfU) << 4 | out.data[OUTER + 1] >> 4;
			if (got != want)
				fail_msg("IPv%d traffic class %02x: outer %02x, want %02x", v6 ? 6 : 4, tc, got, want);
		}
	}
	node_free(node);
}

static void test_ecn_and_dscp_copied(void **state)
{
	(void)state;
	traffic_class(SR_DSCP_COPY, 0);
}

static void test_ecn_copied_dscp_fixed(void **state)
{
	(void)state;
	traffic_class(SR_DSCP_FIXED, 46);
	traffic_class(SR_DSCP_FIXED, 0);
}

/* Where a packet goes */

static void test_no_route_to_the_sid(void **state)
{
	struct packet p4 = inner4(VM1, "10.0.1.5", 64, 0, 10), p6 = inner6(VM1_6, "fd00:10::1:5", 64, 0, 10);

	node_expect_drop(*state, TAP0, &p4, SR_DROP_NO_FIB);
	node_expect_drop(*state, TAP0, &p6, SR_DROP_NO_FIB);
}

/* The kernel resolves it: redirected all the same, with everything behind the Ethernet header as ever. */
static void test_neighbour_not_known(void **state)
{
	struct packet in = inner4(VM1, "10.0.1.4", 64, 0, 10), out, want;

	node_expect_sent(*state, TAP0, &in, &out);
	want = PACKET(ETH(out.data + 6, out.data), IP6(SOURCE, SID_N_BLUE, .hlim = HOP_LIMIT, .flow = outer_flow(&out)),
		      SRH(.left = 0, .segs = {SID_N_BLUE}), IP4(VM1, "10.0.1.4", .ttl = 63, .id = 77), UDP(1000, 2000),
		      DATA(10));
	packet_assert_equal(&out, &want);
}

/* The function is that of the VRF: the same inner packet from another tenant goes elsewhere. */
static void test_function_is_the_vrfs(void **state)
{
	struct packet in = PACKET(ETH(mac_vm3, mac_gateway), IP4(VM1, VM_B, .id = 77), UDP(1000, 2000), DATA(10)), out;
	struct packet want;

	node_expect_sent(*state, TAP2, &in, &out);
	want = PACKET(ETH(out.data + 6, out.data), IP6(SOURCE, SID_C_RED, .hlim = HOP_LIMIT, .flow = outer_flow(&out)),
		      SRH(.left = 0, .segs = {SID_C_RED}), IP4(VM1, VM_B, .ttl = 63, .id = 77), UDP(1000, 2000),
		      DATA(10));
	packet_assert_equal(&out, &want);
}

int main(void)
{
	static const struct CMUnitTest others[] = {
		node_test(test_payload_length),
		node_test(test_padding_is_not_carried),
		node_test(test_ip4_options_are_carried),
		node_test(test_ttl_checksum),
		cmocka_unit_test(test_outer_hop_limit_of_configuration),
		cmocka_unit_test(test_ecn_and_dscp_copied),
		cmocka_unit_test(test_ecn_copied_dscp_fixed),
		node_test(test_no_route_to_the_sid),
		node_test(test_neighbour_not_known),
		node_test(test_function_is_the_vrfs),
	};
	static char names[2 * ARRAY_SIZE(encaps)][64];
	struct CMUnitTest tests[2 * ARRAY_SIZE(encaps) + ARRAY_SIZE(others)];
	size_t n = 0;

	for (size_t i = 0; i < 2 * ARRAY_SIZE(encaps); i++) {
		snprintf(names[i], sizeof(names[i]), "%s, IPv%d inside", encaps[i / 2].name, i % 2 ? 6 : 4);
		tests[n++] =
			(struct CMUnitTest){names[i], i % 2 ? test_encap6 : test_encap4, NULL, NULL, &encaps[i / 2]};
	}
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		tests[n++] = others[i];
	return harness_main("tap_encap", tests, n);
}
