/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpf/outer.h - the outer headers of a packet of the fabric, walked up to what they carry.
 *
 * Any order of hop-by-hop options, destination options and routing headers is taken, up to a bound. The walk stops at
 * the first routing header with segments left, since that decides what becomes of the packet; one with none left is
 * passed over, whatever else it says. A fragment is not reassembled here: what it carries goes to the kernel, except a
 * tenant's packet, which an ingress of this domain never fragments.
 *
 * RFC 8200 sections 4.1 to 4.6, RFC 8754 section 4.3.1.1.
 */
#ifndef SR_BPF_OUTER_H
#define SR_BPF_OUTER_H

#include "packet.h"

#define SR_WALK_MAX 6

struct sr_outer_packet {
	union sr_addr src, dst;
	__u32 label;
	__u32 end; /* offset of the first byte behind the packet, as that says; of a super-packet what the buffer holds
		    */
	__u16 upper; /* offset of the header at which the walk stopped */
	__u8 proto;  /* that header's protocol number */
	__u8 left;   /* segments left, if it is a routing header; else 0 */
	__u8 routed; /* a routing header was passed over */
	__u8 tos;
	__u8 hop_limit;
};

/* An offset in the buffer as the pointer of a Parameter Problem has it. */
static __always_inline __u32 sr_outer_pointer(__u32 offset)
{
	return offset - ETH_HLEN;
}

/* False: no IPv6 header, which is the kernel's to judge. */
static __always_inline bool sr_outer_load(struct __sk_buff *skb, struct sr_outer_packet *out)
{
	struct ipv6hdr ip;
	__u32 first;

	if (bpf_skb_load_bytes(skb, ETH_HLEN, &ip, sizeof(ip)) || ip.version != 6)
		return false;
	first = bpf_ntohl(*(__be32 *)&ip);
	for (int i = 0; i < 4; i++) {
		out->src.w[i] = ip.saddr.s6_addr32[i];
		out->dst.w[i] = ip.daddr.s6_addr32[i];
	}
	out->label = first & 0xfffff;
	out->tos = first >> 20;
	out->hop_limit = ip.hop_limit;
	out->proto = ip.nexthdr;
	out->upper = ETH_HLEN + sizeof(ip);
	out->end = skb->gso_size ? skb->len : out->upper + bpf_ntohs(ip.payload_len);
	return true;
}

static __always_inline bool sr_is_tenant(__u8 proto)
{
	return proto == IPPROTO_IPIP || proto == IPPROTO_IPV6;
}

/* 0, or -SR_DROP_... with *pointer at the fault. */
static __always_inline int sr_outer_walk(struct __sk_buff *skb, struct sr_outer_packet *out, __u32 *pointer)
{
	struct sr_srh ext; /* the first two fields are those of every extension header */

	if (out->end > skb->len)
		return -SR_DROP_MALFORMED;
	for (int i = 0; i < SR_WALK_MAX; i++) {
		if (out->proto != IPPROTO_HOPOPTS && out->proto != IPPROTO_ROUTING && out->proto != IPPROTO_DSTOPTS &&
		    out->proto != IPPROTO_FRAGMENT)
			break;
		if (bpf_skb_load_bytes(skb, out->upper, &ext, sizeof(ext)))
			return -SR_DROP_MALFORMED;
		*pointer = sr_outer_pointer(out->upper);
		if (out->proto == IPPROTO_FRAGMENT)
			return sr_is_tenant(ext.next) ? -SR_DROP_UPPER_LAYER : 0;
		if (out->proto == IPPROTO_ROUTING && ext.left) {
			out->left = ext.left;
			*pointer += offsetof(struct sr_srh, type);
			return ext.type == SR_ROUTING_SRH ? 0 : -SR_DROP_SEGMENTS_LEFT;
		}
		out->routed |= out->proto == IPPROTO_ROUTING;
		out->proto = ext.next;
		out->upper += (ext.len + 1) * 8;
	}
	return 0;
}

#endif
