/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpf/encap.h - H.Encaps: the outer IPv6 header and SRH, written in front of a tenant's packet, and out into the
 * fabric.
 *
 *   SR_ENCAP_SRH       [IPv6 DA=S1][SRH SL=n-1: Sn .. S1][inner]      40 + 8 + 16n bytes
 *   SR_ENCAP_REDUCED   [IPv6 DA=S1][SRH SL=n-1: Sn .. S2][inner]      40 + 8 + 16(n-1); n = 1: [IPv6][inner], 40
 *
 * A packet from a tap has no outer headers; one from an uplink whose destination has moved to another node still has
 * those that it came with (pkt->l3 says how many bytes): they are overwritten, not removed and made again, since the
 * kernel refuses to encapsulate a buffer that is marked as encapsulated. The inner TTL goes down in either case, which
 * ends a loop between nodes that each believe the VM is at the other.
 *
 * Everything that can fail for the packet's own fault is tried before the first byte is changed, so that an ICMP error
 * quotes the packet as it came. A GSO super-packet stays whole.
 *
 * RFC 8754 sections 2, 4.1, 4.1.1; RFC 8986 sections 5.1, 5.2; RFC 6040 section 4.1, RFC 2983 for the traffic class;
 * RFC 2473 section 7 and RFC 8201 for sizes.
 */
#ifndef SR_BPF_ENCAP_H
#define SR_BPF_ENCAP_H

#include "fib.h"
#include "flow.h"
#include "pmtu.h"
#include "ttl.h"

/* As far as it is written at once; a longer list follows segment by segment from the next hop. */
struct sr_outer {
	struct ipv6hdr ip;
	struct sr_srh srh;
	struct in6_addr only; /* the list, if it is of one */
};

/* Segments in the SRH's list; 0: no SRH. */
static __always_inline __u32 sr_encap_listed(__u32 n_segs)
{
	if (sr_config.encap_mode == SR_ENCAP_REDUCED)
		return n_segs - 1;
	return n_segs;
}

static __always_inline __u32 sr_encap_overhead(__u32 listed)
{
	return sizeof(struct ipv6hdr) + (listed ? sizeof(struct sr_srh) + listed * sizeof(struct in6_addr) : 0);
}

static __always_inline __u8 sr_encap_class(__u8 tos)
{
	return sr_config.dscp_mode == SR_DSCP_FIXED ? sr_config.dscp << 2 | (tos & 3) : tos;
}

static __always_inline void sr_encap_srh(struct sr_outer *outer, const struct sr_packet *pkt, __u32 n_segs,
					 __u32 listed)
{
	outer->srh = (struct sr_srh){
		.next = pkt->version == 4 ? IPPROTO_IPIP : IPPROTO_IPV6,
		.len = listed * 2,
		.type = SR_ROUTING_SRH,
		.left = n_segs - 1,
		.last = listed - 1,
	};
	outer->only = outer->ip.daddr;
}

/* Source is the node's own address, destination the first segment. */
static __always_inline void sr_encap_addresses(struct sr_outer *outer, const struct sr_bpf_nexthop *nh,
					       const struct sr_bpf_vrf *vrf)
{
	for (int i = 0; i < 4; i++)
		outer->ip.saddr.s6_addr32[i] = sr_config.source.s6_addr32[i];
	outer->ip.daddr = nh->segs[0];
	if (nh->kind == SR_NH_NODE)
		outer->ip.daddr.s6_addr32[3] = vrf->function;
}

static __always_inline void sr_encap_ip(struct sr_outer *outer, const struct sr_packet *pkt, __u32 label,
					__u32 overhead)
{
	__u32 len = overhead - sizeof(struct ipv6hdr) + pkt->len;

	*(__be32 *)&outer->ip = bpf_htonl(6u << 28 | (__u32)sr_encap_class(pkt->tos) << 20 | label);
	outer->ip.payload_len = len > 0xffff ? 0 : bpf_htons(len); /* a super-packet's is set when it is cut */
	outer->ip.nexthdr = IPPROTO_ROUTING;
	if (overhead == sizeof(struct ipv6hdr))
		outer->ip.nexthdr = pkt->version == 4 ? IPPROTO_IPIP : IPPROTO_IPV6;
	outer->ip.hop_limit = sr_config.hop_limit;
}

/* Makes the room before the inner header `overhead` bytes, and leaves no bytes behind the packet's end. */
static __always_inline int sr_encap_room(struct __sk_buff *skb, const struct sr_packet *pkt, __u32 overhead)
{
	__u32 held = pkt->l3 - ETH_HLEN;
	long r = 0;

	if (!skb->gso_size && skb->len > pkt->l3 + pkt->len)
		r = bpf_skb_change_tail(skb, pkt->l3 + pkt->len, 0);
	if (r)
		return -SR_DROP_HELPER;
	if (!held)
		r = bpf_skb_adjust_room(skb, overhead, BPF_ADJ_ROOM_MAC,
					BPF_F_ADJ_ROOM_FIXED_GSO | BPF_F_ADJ_ROOM_ENCAP_L3_IPV6);
	else if (held != overhead)
		r = bpf_skb_adjust_room(skb, (__s32)(overhead - held), BPF_ADJ_ROOM_NET, BPF_F_ADJ_ROOM_FIXED_GSO);
	return sr_helper(r);
}

/* The list of a chain, last segment first. */
static __always_inline int sr_encap_list(struct __sk_buff *skb, const struct sr_bpf_nexthop *nh, __u32 n_segs,
					 __u32 listed)
{
	__u32 off = ETH_HLEN + sizeof(struct ipv6hdr) + sizeof(struct sr_srh);

	for (__u32 i = 0; i < SR_BPF_SEGS_MAX && i < listed; i++, off += sizeof(struct in6_addr))
		if (sr_store(skb, off, &nh->segs[(n_segs - 1 - i) % SR_BPF_SEGS_MAX], sizeof(struct in6_addr)))
			return -SR_DROP_HELPER;
	return 0;
}

/* The frame's own type is not under the sum that sr_store corrects: a write of its own. */
static __always_inline int sr_encap_write(struct __sk_buff *skb, const struct sr_outer *outer, __u32 listed)
{
	__be16 type = bpf_htons(ETH_P_IPV6);
	__u32 len = listed ? sizeof(*outer) : sizeof(outer->ip);

	return sr_helper(bpf_skb_store_bytes(skb, offsetof(struct ethhdr, h_proto), &type, sizeof(type), 0) ||
			 sr_store(skb, ETH_HLEN, outer, len));
}

/*
 * Sends pkt to next hop `nh` (of kind NODE or SIDS) for tenant `vrf`. A TC action or -SR_DROP_...; TOO_BIG leaves in
 * pkt->info the largest packet that would have passed. sr_parse_upper has been called.
 */
static __noinline int sr_encap(struct __sk_buff *skb, struct sr_packet *pkt, const struct sr_bpf_nexthop *nh,
			       const struct sr_bpf_vrf *vrf)
{
	__u32 n_segs = nh->kind == SR_NH_NODE ? 1 : nh->n_segs, listed, overhead, size, label;
	struct sr_outer outer;
	struct sr_way way;
	int r;

	if (!n_segs || n_segs > SR_BPF_SEGS_MAX)
		return -SR_DROP_NO_NEXTHOP;
	listed = sr_encap_listed(n_segs);
	overhead = sr_encap_overhead(listed);
	size = sr_wire_size(skb, pkt);
	if (!size)
		return -SR_DROP_MALFORMED;
	sr_encap_addresses(&outer, nh, vrf);
	r = sr_pmtu_check(pkt, vrf, &outer.ip.daddr, overhead, size);
	if (r)
		return r;
	label = sr_flow_label(skb, pkt);
	r = sr_fib_lookup(skb, &way, SR_LOOPBACK_IFINDEX, &outer.ip.saddr, &outer.ip.daddr, label, overhead + size);
	if (r == -SR_DROP_TOO_BIG)
		pkt->info = sr_pmtu_inner(way.mtu, overhead);
	if (!r)
		r = sr_ttl_decrement(skb, pkt);
	if (r)
		return r;
	sr_encap_ip(&outer, pkt, label, overhead);
	if (listed)
		sr_encap_srh(&outer, pkt, n_segs, listed);
	r = sr_encap_room(skb, pkt, overhead);
	if (!r)
		r = sr_encap_write(skb, &outer, listed);
	if (!r && n_segs > 1)
		r = sr_encap_list(skb, nh, n_segs, listed);
	return r ? r : sr_fib_send(&way);
}

#endif
