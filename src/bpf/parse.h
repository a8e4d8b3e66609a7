/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpf/parse.h - the tenant's IP header, and the way to its upper-layer header.
 *
 * Read through bpf_skb_load_bytes: a packet's headers may lie in fragments of the buffer, and an offset behind outer
 * headers varies. Lengths are checked against the buffer; the IPv4 header checksum is not, since every change made here
 * is incremental: a wrong one stays wrong and the receiver drops the packet.
 *
 * RFC 791 section 3.1, RFC 8200 sections 3 and 4.
 */
#ifndef SR_BPF_PARSE_H
#define SR_BPF_PARSE_H

#include "packet.h"

#define SR_EXT_MAX 4 /* extension headers walked before the upper-layer header */

static __always_inline int sr_parse_ipv4(struct __sk_buff *skb, struct sr_packet *pkt)
{
	__u32 room = skb->len - pkt->l3;
	struct iphdr ip;
	__u16 frag;

	if (bpf_skb_load_bytes(skb, pkt->l3, &ip, sizeof(ip)) || ip.version != 4 || ip.ihl < 5)
		return -SR_DROP_MALFORMED;
	pkt->len = skb->gso_size ? room : bpf_ntohs(ip.tot_len);
	pkt->l4 = pkt->l3 + ip.ihl * 4;
	if (pkt->len > room || pkt->len < ip.ihl * 4u)
		return -SR_DROP_MALFORMED;
	frag = bpf_ntohs(ip.frag_off);
	pkt->version = 4;
	pkt->proto = ip.protocol;
	pkt->tos = ip.tos;
	pkt->ttl = ip.ttl;
	pkt->fragment = !!(frag & (SR_IP_MF | SR_IP_OFFSET));
	pkt->later = !!(frag & SR_IP_OFFSET);
	pkt->word = *(__be32 *)&ip.ttl;
	pkt->src.w[0] = ip.saddr;
	pkt->dst.w[0] = ip.daddr;
	return 0;
}

static __always_inline int sr_parse_ipv6(struct __sk_buff *skb, struct sr_packet *pkt)
{
	__u32 room = skb->len - pkt->l3;
	struct ipv6hdr ip;
	__u32 first;

	if (bpf_skb_load_bytes(skb, pkt->l3, &ip, sizeof(ip)) || ip.version != 6)
		return -SR_DROP_MALFORMED;
	pkt->len = skb->gso_size ? room : sizeof(ip) + bpf_ntohs(ip.payload_len);
	if (pkt->len > room)
		return -SR_DROP_MALFORMED;
	first = bpf_ntohl(*(__be32 *)&ip);
	pkt->version = 6;
	pkt->proto = ip.nexthdr;
	pkt->tos = first >> 20;
	pkt->label = first & 0xfffff;
	pkt->ttl = ip.hop_limit;
	for (int i = 0; i < 4; i++) {
		pkt->src.w[i] = ip.saddr.s6_addr32[i];
		pkt->dst.w[i] = ip.daddr.s6_addr32[i];
	}
	return 0;
}

/* The header at pkt->l3, of `proto` (skb->protocol's form). pkt must be zero but for vrf and l3. */
static __always_inline int sr_parse(struct __sk_buff *skb, struct sr_packet *pkt, __be16 proto)
{
	return proto == bpf_htons(ETH_P_IP) ? sr_parse_ipv4(skb, pkt) : sr_parse_ipv6(skb, pkt);
}

/* Walks an IPv6 packet's extension headers: l4 and proto are the upper-layer header's, or that of a header unknown. */
static __always_inline int sr_parse_upper(struct __sk_buff *skb, struct sr_packet *pkt)
{
	struct {
		__u8 next, len;
		__be16 frag;
	} ext;
	__u32 off = pkt->l3 + sizeof(struct ipv6hdr);

	if (pkt->version == 4)
		return 0;
	for (int i = 0; i < SR_EXT_MAX; i++) {
		if (pkt->proto != IPPROTO_HOPOPTS && pkt->proto != IPPROTO_ROUTING && pkt->proto != IPPROTO_DSTOPTS &&
		    pkt->proto != IPPROTO_FRAGMENT)
			break;
		if (bpf_skb_load_bytes(skb, off, &ext, sizeof(ext)))
			return -SR_DROP_MALFORMED;
		if (pkt->proto == IPPROTO_FRAGMENT) {
			pkt->fragment = 1;
			pkt->later = !!(ext.frag & bpf_htons(0xfff8));
			off += 8;
		} else {
			off += (ext.len + 1) * 8;
		}
		pkt->proto = ext.next;
		if (pkt->later)
			break;
	}
	pkt->l4 = off;
	return 0;
}

/* The largest datagram that the packet becomes on a wire: itself, or a segment of the super-packet. 0: malformed. */
static __always_inline __u32 sr_wire_size(struct __sk_buff *skb, const struct sr_packet *pkt)
{
	__u32 header = 8; /* UDP */
	__u8 offset;

	if (!skb->gso_size)
		return pkt->len;
	if (pkt->proto == IPPROTO_TCP) {
		if (bpf_skb_load_bytes(skb, pkt->l4 + 12, &offset, sizeof(offset)))
			return 0;
		header = (offset >> 4) * 4;
	}
	return pkt->l4 - pkt->l3 + header + skb->gso_size;
}

#endif
