/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpf/packet.h - what the steps know of the packet in hand, and how they answer.
 *
 * A program makes one sr_packet on its stack and hands it from step to step. It stands for the tenant's packet,
 * wherever in the buffer that lies: right behind the Ethernet header from a tap, behind the outer headers from an
 * uplink. Both families use the same fields (an IPv4 address is the first word of its sr_addr, the others are zero).
 *
 * A step returns 0 (go on), a TC action above 0 (the packet's fate is settled), or -SR_DROP_... : the program's single
 * exit, sr_drop(), counts that and answers with an ICMP error where one is due.
 */
#ifndef SR_BPF_PACKET_H
#define SR_BPF_PACKET_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_endian.h>

#include "maps.h"

#define SR_IP_MF 0x2000
#define SR_IP_DF 0x4000
#define SR_IP_OFFSET 0x1fff

#define SR_IPV6_MIN_MTU 1280 /* RFC 8200 section 5 */

#define SR_ROUTING_SRH 4 /* routing type, RFC 8754 section 8.1 */

/* RFC 8754 section 2, without the list. */
struct sr_srh {
	__u8 next, len, type, left, last;
	__u8 flags;
	__be16 tag;
};

union sr_addr {
	struct in6_addr in6;
	__be32 w[4];
	__be64 d[2];
};

struct sr_packet {
	union sr_addr src, dst;
	__u32 vrf;    /* 0: not known (yet) */
	__u32 len;    /* from the IP header on, as that says; of a GSO super-packet what the buffer holds */
	__u32 label;  /* IPv6: its own flow label */
	__u32 info;   /* for the ICMP error: the MTU, or where the fault lies, counted from the outer IPv6 header */
	__be32 word;  /* IPv4: time to live, protocol and checksum as on the wire */
	__u16 l3;     /* offset of the IP header */
	__u16 l4;     /* offset of the upper-layer header; set by sr_parse_upper */
	__u8 version; /* 4 or 6; 0: no IP header was read */
	__u8 proto;   /* upper-layer protocol */
	__u8 tos;
	__u8 ttl;
	__u8 fragment; /* any fragment, the first included */
	__u8 later;    /* a fragment other than the first: has no upper-layer header */
};

static __always_inline bool sr_addr_eq(const union sr_addr *a, const union sr_addr *b)
{
	return a->d[0] == b->d[0] && a->d[1] == b->d[1];
}

/* The constants are volatile to the compiler: copied word by word. */
static __always_inline void sr_addr_const(union sr_addr *a, const volatile struct in6_addr *from)
{
	for (int i = 0; i < 4; i++)
		a->w[i] = from->s6_addr32[i];
}

/* A step's return for a helper's. */
static __always_inline int sr_helper(long r)
{
	return r ? -SR_DROP_HELPER : 0;
}

/* Writes behind the Ethernet header, where a device may have summed: the sum that it left follows. */
static __always_inline long sr_store(struct __sk_buff *skb, __u32 off, const void *from, __u32 len)
{
	return bpf_skb_store_bytes(skb, off, from, len, BPF_F_RECOMPUTE_CSUM);
}

/* Back to the MAC address that the frame came from, from the gateway's. */
static __always_inline long sr_frame_turn(struct __sk_buff *skb)
{
	struct ethhdr eth;

	if (bpf_skb_load_bytes(skb, 0, &eth, sizeof(eth)))
		return -1;
	for (int i = 0; i < ETH_ALEN; i++) {
		eth.h_dest[i] = eth.h_source[i];
		eth.h_source[i] = sr_config.gateway_mac[i];
	}
	return bpf_skb_store_bytes(skb, 0, &eth, sizeof(eth), 0);
}

/* What a counter counts: segments of a super-packet one by one, where the sender told how many. */
static __always_inline void sr_count(struct sr_bpf_counter *c, __u32 packets, __u32 bytes)
{
	c->packets += packets;
	c->bytes += bytes;
}

static __always_inline __u32 sr_packets(const struct __sk_buff *skb)
{
	return skb->gso_segs ? skb->gso_segs : 1;
}

#endif
