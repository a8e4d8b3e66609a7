// SPDX-License-Identifier: GPL-2.0-only
/*
 * ICMP errors about packets whose checksum a VM left to the device, and about super-packets, out of a tap that fills
 * checksums in: what is quoted must not be written to any more, and the error is one packet (src/bpf/icmp.h).
 */
#include "expect.h"
#include "wire.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define TCP_CHECK 16
#define UDP_CHECK 6

struct offload {
	struct node *node;
	int send, recv;
};

static int setup(void **state)
{
	static struct offload o;
	int on = 1;

	o.node = node_new(NULL);
	wire_attach(o.node);
	assert_int_equal(system("ethtool -K tap0 tx off >/dev/null"), 0); /* NOLINT(cert-env33-c): constant */
	o.recv = wire_open("vm1");
	o.send = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	assert_int_equal(setsockopt(o.send, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)), 0);
	*state = &o;
	return 0;
}

static int teardown(void **state)
{
	struct offload *o = *state;

	wire_close(o->send);
	wire_close(o->recv);
	node_free(o->node);
	return 0;
}

/* As a VM's virtio device would: checksum to be filled in, and, with gso_size, to be cut. */
static void send_offloaded(const struct offload *o, const struct packet *p, bool v6, uint16_t gso_size)
{
	uint16_t l4 = v6 ? 54 : 34;
	struct virtio_net_hdr h = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.csum_start = l4,
		.csum_offset = gso_size ? TCP_CHECK : UDP_CHECK,
		.gso_size = gso_size,
		.hdr_len = gso_size ? l4 + 20 : 0,
	};
	struct sockaddr_ll to = {.sll_family = AF_PACKET,
				 .sll_ifindex = (int)if_nametoindex("vm1"),
				 .sll_protocol = htons(v6 ? ETH_P_IPV6 : ETH_P_IP)};
	struct iovec parts[] = {{&h, sizeof(h)}, {(void *)p->data, p->len}};
	struct msghdr m = {.msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = parts, .msg_iovlen = 2};

	if (gso_size)
		h.gso_type = v6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4;
	assert_int_equal(sendmsg(o->send, &m, 0), sizeof(h) + p->len);
}

static void answered(const struct offload *o, const struct packet *in, bool v6, uint16_t gso_size)
{
	struct packet got;

	sr_case("%zu bytes, IPv%d, segments of %u", in->len, v6 ? 6 : 4, gso_size);
	send_offloaded(o, in, v6, gso_size);
	if (!wire_recv(o->recv, &got, WIRE_WAIT_MS))
		fail_msg("no answer");
	if (v6)
		assert_icmp6_error(&got, 3, 0, 0, GATEWAY6, VM1_6, mac_gateway, mac_vm1, in);
	else
		assert_icmp4_error(&got, 11, 0, 0, GATEWAY4, VM1, mac_gateway, mac_vm1, in);
	assert_false(wire_recv(o->recv, &got, 0));
}

static void test_checksum_left_to_the_device(void **state)
{
	static const size_t lens[] = {0, 1, 30, 500, 501, 1300};

	for (size_t i = 0; i < ARRAY_SIZE(lens); i++) {
		struct packet p4 =
			PACKET(ETH(mac_vm1, mac_gateway), IP4(VM1, VM_B, .ttl = 1), UDP(5, 6), DATA(lens[i]));
		struct packet p6 =
			PACKET(ETH(mac_vm1, mac_gateway), IP6(VM1_6, VM_B_6, .hlim = 1), UDP(5, 6), DATA(lens[i]));

		answered(*state, &p4, false, 0);
		answered(*state, &p6, true, 0);
	}
}

static void test_super_packet(void **state)
{
	struct packet p4 = PACKET(ETH(mac_vm1, mac_gateway), IP4(VM1, VM_B, .ttl = 1), TCP(5, 6), DATA(3000));
	struct packet p6 = PACKET(ETH(mac_vm1, mac_gateway), IP6(VM1_6, VM_B_6, .hlim = 1), TCP(5, 6), DATA(3000));

	answered(*state, &p4, false, 1000);
	answered(*state, &p6, true, 1000);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup_teardown(test_checksum_left_to_the_device, setup, teardown),
	cmocka_unit_test_setup_teardown(test_super_packet, setup, teardown),
};

HARNESS_MAIN("icmp_offload", tests)
