/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * expect.h - the ICMP errors that programs answer with: everything that an RFC fixes is compared, byte by byte; what it
 * leaves open (how much is quoted, within its bounds; the TTL; an IPv4 identification) is taken from the answer.
 */
#ifndef SR_TESTS_BPF_EXPECT_H
#define SR_TESTS_BPF_EXPECT_H

#include "harness.h"

struct icmp_error {
	uint8_t type, code;
	uint32_t rest;	       /* second word: MTU, pointer */
	const char *src, *dst; /* of the answer */
	const uint8_t *eth_src, *eth_dst;
	const struct packet *about; /* quoted from its IP header on */
};

/* RFC 792, RFC 1812 4.3.2.3: at least the header and 8 bytes quoted, at most 576 bytes in all. */
void assert_icmp4_error_at(const struct packet *got, const struct icmp_error *want, const char *file, int line);
#define assert_icmp4_error(got, ...)                                                                                   \
	assert_icmp4_error_at(got, &(const struct icmp_error){__VA_ARGS__}, __FILE__, __LINE__)

/* RFC 4443 2.4 (c): as much quoted as fits 1280 bytes. */
void assert_icmp6_error_at(const struct packet *got, const struct icmp_error *want, const char *file, int line);
#define assert_icmp6_error(got, ...)                                                                                   \
	assert_icmp6_error_at(got, &(const struct icmp_error){__VA_ARGS__}, __FILE__, __LINE__)

/*
 * Runs it until the rate limit holds an answer back: a second's worth of `rate` got answers, and what the time allowed
 * that it took. On one CPU, since each has a limit of its own.
 */
void assert_rate_limited_at(struct node *node, enum port_name port, const struct packet *in, unsigned int rate,
			    const char *file, int line);
#define assert_rate_limited(node, port, in, rate) assert_rate_limited_at(node, port, in, rate, __FILE__, __LINE__)

#endif
