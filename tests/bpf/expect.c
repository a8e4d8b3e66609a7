// SPDX-License-Identifier: GPL-2.0-only
#include "expect.h"

#include <sched.h>
#include <string.h>
#include <time.h>

#define ETH_HLEN 14U
#define IP4_ERROR (ETH_HLEN + 20U + 8U) /* in front of what is quoted */
#define IP6_ERROR (ETH_HLEN + 40U + 8U)

static void require(bool condition, const char *what, const struct packet *got, const char *file, int line)
{
	if (condition)
		return;
	packet_print("got", got);
	print_message("ICMP error: %s\n", what);
	_fail(file, line);
}

/* Ethernet's padding is not part of the packet and not quoted. */
static size_t ip_length(const struct packet *p)
{
	const uint8_t *ip = p->data + ETH_HLEN;
	size_t len = ip[0] >> 4 == 4 ? (size_t)(ip[2] << 8 | ip[3]) : 40 + (size_t)(ip[4] << 8 | ip[5]);

	return len < p->len - ETH_HLEN ? len : p->len - ETH_HLEN;
}

void assert_icmp4_error_at(const struct packet *got, const struct icmp_error *want, const char *file, int line)
{
	size_t original = ip_length(want->about), header = 4 * (size_t)(want->about->data[ETH_HLEN] & 0xf);
	const uint8_t *ip = got->data + ETH_HLEN;
	struct packet expected;
	size_t quoted;

	require(got->len > IP4_ERROR, "too short", got, file, line);
	quoted = got->len - IP4_ERROR;
	require(quoted <= original, "quotes more than there was", got, file, line);
	require(quoted == original || quoted >= header + 8, "quotes less than the header and 8 bytes", got, file, line);
	require(got->len <= ETH_HLEN + 576, "longer than 576 bytes", got, file, line);
	require(ip[8] >= 64, "TTL under 64", got, file, line);
	require((ip[6] & 0xbf) == 0 && ip[7] == 0, "is a fragment", got, file, line);
	expected = PACKET(ETH(want->eth_src, want->eth_dst),
			  IP4(want->src, want->dst, .ttl = ip[8], .tos = ip[1], .id = (uint16_t)(ip[4] << 8 | ip[5]),
			      .frag = (uint16_t)(ip[6] << 8)),
			  ICMP(want->type, want->code, want->rest), DATA(quoted, want->about->data + ETH_HLEN));
	packet_assert_equal_at(got, &expected, file, line);
}

void assert_icmp6_error_at(const struct packet *got, const struct icmp_error *want, const char *file, int line)
{
	size_t original = ip_length(want->about), room = 1280 - 48;
	const uint8_t *ip = got->data + ETH_HLEN;
	struct packet expected;

	require(got->len > IP6_ERROR, "too short", got, file, line);
	require(ip[7] >= 64, "hop limit under 64", got, file, line);
	expected = PACKET(ETH(want->eth_src, want->eth_dst),
			  IP6(want->src, want->dst, .hlim = ip[7], .tc = (uint8_t)(ip[0] << 4 | ip[1] >> 4),
			      .flow = ip6_flow(ip)),
			  ICMP6(want->type, want->code, want->rest),
			  DATA(original < room ? original : room, want->about->data + ETH_HLEN));
	packet_assert_equal_at(got, &expected, file, line);
}

void assert_rate_limited_at(struct node *node, enum port_name port, const struct packet *in, unsigned int rate,
			    const char *file, int line)
{
	enum sr_direction dir = port < UP0 ? SR_DIR_FROM_TAP : SR_DIR_FROM_UPLINK;
	time_t begin = time(NULL);
	struct packet out;
	cpu_set_t all, one;
	unsigned int n, most;

	assert_int_equal(sched_getaffinity(0, sizeof(all), &all), 0);
	CPU_ZERO(&one);
	CPU_SET((size_t)sched_getcpu(), &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	for (n = 0; node_run(node, port, in, &out) == TC_ACT_REDIRECT && n < 1000;)
		n++;
	assert_int_equal(sched_setaffinity(0, sizeof(all), &all), 0);
	most = rate * (2 + (unsigned int)(time(NULL) - begin)); /* a second that has begun counts */
	sr_case("%u answered", n);
	require(n >= rate && n <= most, "not as many answered as the limit says", in, file, line);
	node_assert_counted_at(node, dir, SR_DROP_RATE, file, line);
}
