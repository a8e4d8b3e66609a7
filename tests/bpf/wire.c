// SPDX-License-Identifier: GPL-2.0-only
#include "wire.h"
#include "srfabric.skel.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static void attach(const struct bpf_program *prog, uint32_t ifindex)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = bpf_program__fd(prog), .handle = 1, .priority = 1,
		    .flags = BPF_TC_F_REPLACE);
	libbpf_print_fn_t print = libbpf_set_print(NULL);

	/* A hook that a test before this one left goes first; that there is none is no error, and libbpf says it. */
	bpf_tc_hook_destroy(&hook);
	libbpf_set_print(print);
	assert_int_equal(bpf_tc_hook_create(&hook), 0);
	hook.attach_point = BPF_TC_INGRESS;
	assert_int_equal(bpf_tc_attach(&hook, &opts), 0);
}

void wire_attach(struct node *node)
{
	for (enum port_name port = 0; port < PORTS; port++)
		attach(port < UP0 ? node->skel->progs.sr_from_tap : node->skel->progs.sr_from_uplink, ifindex_of(port));
}

int wire_open(const char *ifname)
{
	struct sockaddr_ll at = {
		.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = (int)if_nametoindex(ifname)};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));

	assert_int_not_equal(at.sll_ifindex, 0);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

void wire_close(int fd)
{
	close(fd);
}

void wire_send(int fd, const struct packet *p)
{
	assert_int_equal(send(fd, p->data, p->len, 0), (ssize_t)p->len);
}

/* ICMPv6: router solicitation, MLDv2 report (behind a hop-by-hop option), a solicitation from :: */
static bool is_noise(const struct packet *p)
{
	static const uint8_t none[16];

	if (p->len < 54 || p->data[12] != 0x86 || p->data[13] != 0xdd)
		return false;
	if (p->data[14 + 6] == 0 && p->data[14 + 24] == 0xff)
		return true;
	return p->data[14 + 6] == 58 &&
	       (p->data[54] == 133 || (p->data[54] == 135 && !memcmp(p->data + 14 + 8, none, sizeof(none))));
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

bool wire_recv(int fd, struct packet *ret, int ms)
{
	int64_t end = now_ms() + ms;

	for (;;) {
		struct pollfd poller = {.fd = fd, .events = POLLIN};
		int64_t left = end - now_ms();
		struct packet p = {0};
		struct sockaddr_ll from = {0};
		socklen_t from_len = sizeof(from);
		ssize_t n;

		if (left < 0 || poll(&poller, 1, (int)left) != 1)
			return false;
		n = recvfrom(fd, p.data, sizeof(p.data), 0, (struct sockaddr *)&from, &from_len);
		assert_true(n >= 0);
		p.len = (size_t)n;
		if (from.sll_pkttype == PACKET_OUTGOING || is_noise(&p))
			continue;
		*ret = p;
		return true;
	}
}
