/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpf/icmp.h - an ICMP or ICMPv6 error in place of the packet that it is about.
 *
 * The buffer of the offending packet becomes the answer: what is quoted is set aside in sr_scratch (this CPU's; nothing
 * that runs in between uses it), the buffer is cut to size and written anew. IPv4 quotes as much as makes 576 bytes,
 * IPv6 as much as makes 1280.
 *
 * One trap lies in the cutting. A VM leaves checksums to the device; such a buffer is marked (CHECKSUM_PARTIAL) and the
 * last device would write a checksum into the midst of the quotation, after ours has been computed over it. The kernel
 * forgets the mark when a sum is to be corrected (sr_store) and the place where summing starts is not in the buffer any
 * more. Hence the surplus that is added at the tail and taken off at the front.
 *
 * RFC 792, RFC 1812 sections 4.3.2.3 and 4.3.2.7, RFC 1191; RFC 4443 sections 2.4 and 3.
 */
#ifndef SR_BPF_ICMP_H
#define SR_BPF_ICMP_H

#include "packet.h"

#define SR_ICMP_QUOTE4 (576 - 20 - 8)
#define SR_ICMP_QUOTE6 (SR_IPV6_MIN_MTU - 40 - 8)
#define SR_ICMP_TTL 255

/* bpf_csum_diff takes 512 bytes at a time. */
#define SR_CSUM_CHUNK 512
#define SR_CSUM_CHUNKS 3
static_assert(SR_ICMP_QUOTE6 + 3 <= SR_CSUM_CHUNK * SR_CSUM_CHUNKS, "the sum covers what is quoted, padded");
static_assert(SR_ICMP_QUOTE6 + 3 <= sizeof(struct sr_scratch), "what is quoted fits, padded");

/* Behind where a checksum starts: 14 of Ethernet, 60 of IPv4 or 40 and the usual extension headers of IPv6. */
#define SR_ICMP_SURPLUS 96
#define SR_ICMP_SURPLUS_MORE 4

enum sr_icmp_type {
	SR_ICMP_ECHO_REPLY = 0,
	SR_ICMP_UNREACHABLE = 3,
	SR_ICMP_ECHO = 8,
	SR_ICMP_TIME_EXCEEDED = 11,
	SR_ICMP6_TOO_BIG = 2,
	SR_ICMP6_TIME_EXCEEDED = 3,
	SR_ICMP6_PARAM_PROBLEM = 4,
	SR_ICMP6_ECHO = 128,
	SR_ICMP6_ECHO_REPLY = 129,
	SR_ICMP6_ROUTER_SOLICITATION = 133,
	SR_ICMP6_SOLICITATION = 135,
	SR_ICMP6_ADVERTISEMENT = 136,
	SR_ICMP6_REDIRECT = 137,
};

enum sr_icmp_code {
	SR_ICMP_FRAG_NEEDED = 4,
	SR_ICMP6_ERRONEOUS_FIELD = 0,
	SR_ICMP6_UPPER_LAYER = 4, /* RFC 8986 section 4.1.1 */
};

struct sr_icmp_header {
	__u8 type, code;
	__sum16 check;
	__be32 info;
};

/* The error to make. */
struct sr_icmp_error {
	union sr_addr src, dst;
	__u32 info; /* MTU or pointer */
	__u32 len;  /* of the packet that it is about, */
	__u16 at;   /* which begins here */
	__u8 version, type, code;
};

static __always_inline __sum16 sr_csum_fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~(sum + (sum >> 16));
}

/* Of IPv6's pseudo-header; RFC 8200 section 8.1. */
static __always_inline __u64 sr_csum_pseudo6(const union sr_addr *src, const union sr_addr *dst, __u32 len)
{
	__u64 sum = (__u64)bpf_htonl(len) + bpf_htonl(IPPROTO_ICMPV6);

	for (int i = 0; i < 4; i++)
		sum += (__u64)src->w[i] + dst->w[i];
	return sum;
}

/* Of the first n bytes of the scratch area, which is padded with zeros. */
static __always_inline __u64 sr_csum_scratch(struct sr_scratch *s, __u32 n)
{
	__u32 rest = (n + 3) & ~3u;
	__u64 sum = 0;

	for (int i = 0; i < SR_CSUM_CHUNKS; i++) {
		__u32 chunk = rest;

		barrier_var(
			chunk); /* one register for the check and the call, or the verifier of 6.1 does not follow */
		if (chunk > SR_CSUM_CHUNK)
			chunk = SR_CSUM_CHUNK;
		sum += (__u32)bpf_csum_diff(NULL, 0, (__be32 *)(s->bytes + i * SR_CSUM_CHUNK), chunk, 0);
		rest -= chunk;
	}
	return sum;
}

/* Ethernet and IP headers of an ICMP message of `len` bytes, back to the MAC address that the frame came from. */
static __noinline int sr_icmp_write_head(struct __sk_buff *skb, const union sr_addr *src, const union sr_addr *dst,
					 __u8 version, __u32 len)
{
	union {
		struct iphdr v4;
		struct ipv6hdr v6;
		__u32 words[10];
	} ip = {};
	__u64 sum = 0;

	if (version == 4) {
		ip.v4.version = 4;
		ip.v4.ihl = sizeof(ip.v4) / 4;
		ip.v4.tot_len = bpf_htons(sizeof(ip.v4) + len);
		ip.v4.frag_off = bpf_htons(SR_IP_DF);
		ip.v4.ttl = SR_ICMP_TTL;
		ip.v4.protocol = IPPROTO_ICMP;
		ip.v4.saddr = src->w[0];
		ip.v4.daddr = dst->w[0];
		for (int i = 0; i < 5; i++)
			sum += ip.words[i];
		ip.v4.check = sr_csum_fold(sum);
	} else {
		ip.v6.version = 6;
		ip.v6.payload_len = bpf_htons(len);
		ip.v6.nexthdr = IPPROTO_ICMPV6;
		ip.v6.hop_limit = SR_ICMP_TTL;
		ip.v6.saddr = src->in6;
		ip.v6.daddr = dst->in6;
	}
	return sr_helper(sr_frame_turn(skb) ||
			 sr_store(skb, ETH_HLEN, &ip, version == 4 ? sizeof(ip.v4) : sizeof(ip.v6)));
}

/* Makes the buffer `len` bytes, of no known content but the Ethernet header, whatever it was. */
static __always_inline int sr_icmp_reshape(struct __sk_buff *skb, __u32 len)
{
	return sr_helper(bpf_skb_change_tail(skb, len + SR_ICMP_SURPLUS + SR_ICMP_SURPLUS_MORE, 0) ||
			 bpf_skb_adjust_room(skb, -SR_ICMP_SURPLUS, BPF_ADJ_ROOM_MAC, 0) ||
			 bpf_skb_adjust_room(skb, -SR_ICMP_SURPLUS_MORE, BPF_ADJ_ROOM_MAC, 0));
}

static __always_inline int sr_icmp_quote(struct __sk_buff *skb, struct sr_scratch *s, __u32 at, __u32 n)
{
	/* Never less than an IP header, which is what tells the verifier of 6.1 that it is not zero. */
	if (n < sizeof(struct iphdr) || n > SR_ICMP_QUOTE6 || bpf_skb_load_bytes(skb, at, s->bytes, n))
		return -SR_DROP_HELPER;
	s->bytes[n] = s->bytes[n + 1] = s->bytes[n + 2] = 0;
	return 0;
}

/* 0: the buffer is the error message, to be sent. */
static __noinline int sr_icmp_error(struct __sk_buff *skb, const struct sr_icmp_error *e)
{
	struct sr_icmp_header icmp = {.type = e->type, .code = e->code, .info = bpf_htonl(e->info)};
	__u32 zero = 0, head = ETH_HLEN + sizeof(struct iphdr), n = SR_ICMP_QUOTE4;
	struct sr_scratch *s = bpf_map_lookup_elem(&sr_scratch, &zero);
	__u64 sum = 0;
	int r;

	if (!s)
		return -SR_DROP_HELPER;
	if (e->version == 6) {
		head = ETH_HLEN + sizeof(struct ipv6hdr);
		n = SR_ICMP_QUOTE6;
	}
	if (e->len < n)
		n = e->len;
	r = sr_icmp_quote(skb, s, e->at, n);
	if (!r)
		r = sr_icmp_reshape(skb, head + sizeof(icmp) + n);
	if (!r)
		r = sr_icmp_write_head(skb, &e->src, &e->dst, e->version, sizeof(icmp) + n);
	if (r)
		return r;
	if (e->version == 6)
		sum = sr_csum_pseudo6(&e->src, &e->dst, sizeof(icmp) + n);
	sum += sr_csum_scratch(s, n) + *(__u32 *)&icmp + icmp.info;
	icmp.check = sr_csum_fold(sum);
	if (n > SR_ICMP_QUOTE6)
		return -SR_DROP_HELPER;
	return sr_helper(sr_store(skb, head, &icmp, sizeof(icmp)) || sr_store(skb, head + sizeof(icmp), s->bytes, n));
}

/* An ICMPv6 message of this type is an error, or a redirect: none is made about it. */
static __always_inline bool sr_icmp6_is_error(__u8 type)
{
	return type < SR_ICMP6_ECHO || type == SR_ICMP6_REDIRECT;
}

static __always_inline bool sr_icmp4_is_error(__u8 type)
{
	return type != SR_ICMP_ECHO && type != SR_ICMP_ECHO_REPLY && (type < 13 || type > 18);
}

#endif
