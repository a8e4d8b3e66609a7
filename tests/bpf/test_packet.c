// SPDX-License-Identifier: GPL-2.0-only
/* The packet builder against packets that another implementation (scapy 2.5) built: what the other tests rest on. */
#include "harness.h"

#include <string.h>

static const struct {
	const char *name, *hex;
	struct layer layers[8]; /* up to an L_END */
} rows[] = {
	{"UDP over IPv4",
	 "027372763601fa163e0000010800452a0021004d4000401125540a0000010a00010103e807d0000dd9160001020304",
	 {ETH(mac_vm1, mac_gateway), IP4(VM1, VM_B, .tos = 0x2a, .id = 77, .frag = 0x4000), UDP(1000, 2000), DATA(5)}},
	{"TCP over IPv6",
	 "027372763601fa163e00000186dd62a1234500190607fd000010000000000000000000000001fd000010000000000000"
	 "00000001000103e800500000123400000000500203e8956100000001020304",
	 {ETH(mac_vm1, mac_gateway), IP6(VM1_6, VM_B_6, .hlim = 7, .tc = 0x2a, .flow = 0x12345),
	  TCP(1000, 80, .seq = 0x1234, .flags = 2), DATA(5)}},
	{"ping",
	 "027372763601fa163e000001080045000021000000000101a4db0a0000010a0001010800dfc6123400010001020304",
	 {ETH(mac_vm1, mac_gateway), IP4(VM1, VM_B, .ttl = 1), ICMP(8, 0, 0x12340001), DATA(5)}},
	{"neighbour advertisement",
	 "027372763601fa163e00000186dd6000000000203afffd000010000000000000000000000002fd000010000000000000"
	 "00000000000188001381c0000000fd0000100000000000000000000000020201027372763601",
	 {ETH(mac_vm1, mac_gateway), IP6(VM2_6, VM1_6, .hlim = 255), NA(VM2_6, mac_gateway, 0xc0000000)}},
	{"IPv4 behind an SRH of two",
	 "027372763601fa163e00000186dd6030000500492b3d2400dcc0000f0000000000000000000a2400dcc0000000000000"
	 "00010000000e04040401010000002400dcc0000000000a7a4d8fa9fe01082400dcc000000000000000010000000e4500"
	 "0021000000003f1166cb0a0000010a00010100050006000de4c30001020304",
	 {ETH(mac_vm1, mac_gateway), IP6(SOURCE, SID_HOP_1, .hlim = 61, .tc = 3, .flow = 5),
	  SRH(1, {SID_HOP_1, SID_B_BLUE}), IP4(VM1, VM_B, .ttl = 63), UDP(5, 6), DATA(5)}},
	{"ping through an SRH of two",
	 "027372763601fa163e00000186dd6000000000302b402400dcc0000f0000000000000000000a2400dcc0000000000000"
	 "00010000000e3a040401010000002400dcc0000000000a7a4d8fa9fe01082400dcc000000000000000010000000e8000"
	 "7b1100000001",
	 {ETH(mac_vm1, mac_gateway), IP6(SOURCE, SID_HOP_1), SRH(1, {SID_HOP_1, SID_B_BLUE}), ICMP6(128, 0, 1)}},
	{"ARP",
	 "fffffffffffffa163e00000108060001080006040001fa163e0000010a0000010000000000000a000002",
	 {ETH(mac_vm1, mac_broadcast), ARP(1, mac_vm1, VM1, NULL, VM2)}},
	{"IPv6 fragment",
	 "027372763601fa163e00000186dd60000000000d2c40fd000010000000000000000000000001fd000010000000000000"
	 "00000001000111000321000000090001020304",
	 {ETH(mac_vm1, mac_gateway), IP6(VM1_6, VM_B_6), FRAG(100, true, 9, 17), DATA(5)}},
};

static struct packet from_hex(const char *hex)
{
	struct packet p = {0};
	unsigned int byte;

	for (; sscanf(hex, "%2x", &byte) == 1; hex += 2) /* NOLINT(cert-err34-c): two digits cannot overflow */
		p.data[p.len++] = (uint8_t)byte;
	return p;
}

static void test_built_as_another_builds_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct packet want = from_hex(rows[i].hex), got = packet_build(rows[i].layers);

		sr_case("%s", rows[i].name);
		packet_assert_equal(&got, &want);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {cmocka_unit_test(test_built_as_another_builds_it)};

	return cmocka_run_group_tests_name("packet", tests, NULL, NULL);
}
