/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpf/decap.h - End.DT4, End.DT6, End.DT46: the outer headers go, the VRF of the SID decides.
 *
 * The inner destination is looked up in that VRF and nowhere else. Behind it is a tap of this node, as a rule. It may
 * be another node again: the VM has moved on and the sender has not heard yet. Then the packet follows it, newly
 * encapsulated, so that a move loses nothing; the inner TTL goes down by one more, which ends a loop.
 *
 * Kernels before 6.3 have no flag that tells bpf_skb_adjust_room that the packet is IPv4 from now on, so the first 20
 * bytes go by bpf_skb_change_proto, which does. A super-packet keeps its size and the mark of a tunnel
 * (SKB_GSO_IPXIP6), which no helper of these kernels takes off: the kernel then cuts it in software before a tap that
 * knows no tunnels.
 *
 * RFC 8986 sections 4.6 to 4.8 and 6.1.
 */
#ifndef SR_BPF_DECAP_H
#define SR_BPF_DECAP_H

#include "deliver.h"
#include "ecn.h"
#include "encap.h"
#include "lookup.h"
#include "outer.h"
#include "parse.h"

static __always_inline int sr_decap_strip(struct __sk_buff *skb, const struct sr_packet *pkt)
{
	__s32 gone = pkt->l3 - ETH_HLEN;

	if (pkt->version == 4) {
		if (bpf_skb_change_proto(skb, bpf_htons(ETH_P_IP), 0))
			return -SR_DROP_HELPER;
		gone -= sizeof(struct ipv6hdr) - sizeof(struct iphdr);
	}
	return sr_helper(bpf_skb_adjust_room(skb, -gone, BPF_ADJ_ROOM_MAC,
					     BPF_F_ADJ_ROOM_FIXED_GSO | BPF_F_ADJ_ROOM_NO_CSUM_RESET));
}

static __always_inline int sr_decap_parse(struct __sk_buff *skb, struct sr_packet *pkt,
					  const struct sr_outer_packet *out)
{
	int r;

	pkt->l3 = out->upper;
	r = sr_parse(skb, pkt, out->proto == IPPROTO_IPIP ? bpf_htons(ETH_P_IP) : bpf_htons(ETH_P_IPV6));
	if (!r && pkt->l3 + pkt->len > out->end)
		r = -SR_DROP_MALFORMED;
	return r ? r : sr_ecn_decap(skb, pkt, out->tos);
}

/* The VM is at another node. */
static __always_inline int sr_decap_follow(struct __sk_buff *skb, struct sr_packet *pkt,
					   const struct sr_bpf_nexthop *nh, const struct sr_bpf_vrf *vrf)
{
	int r = sr_ttl_check(pkt);

	if (!r)
		r = sr_parse_upper(skb, pkt);
	return r ? r : sr_encap(skb, pkt, nh, vrf);
}

static __always_inline void sr_decap_count(const struct sr_packet *pkt, const struct sr_bpf_sid *sid, __u8 kind,
					   __u32 packets)
{
	struct sr_bpf_vrf_stats *stats = bpf_map_lookup_elem(&sr_vrf_stats, &pkt->vrf);
	struct sr_bpf_counter *c = bpf_map_lookup_elem(&sr_sid_stats, &sid->stats);

	if (stats)
		sr_count(kind == SR_NH_PORT ? &stats->decap : &stats->encap, packets, pkt->len);
	if (c)
		sr_count(c, packets, pkt->len);
}

/* `out` has been walked to an inner packet that `sid` takes, with no segments left. */
static __always_inline int sr_decap(struct __sk_buff *skb, struct sr_packet *pkt, const struct sr_outer_packet *out,
				    const struct sr_bpf_sid *sid)
{
	__u32 id, packets = sr_packets(skb);
	struct sr_bpf_nexthop *nh;
	struct sr_bpf_vrf *vrf;
	int r;

	pkt->vrf = sid->vrf;
	vrf = sr_vrf(sid->vrf);
	if (!vrf)
		return -SR_DROP_NO_VRF;
	r = sr_decap_parse(skb, pkt, out);
	if (r)
		return r;
	id = sr_route(pkt, vrf);
	if (!id)
		return -SR_DROP_NO_ROUTE;
	nh = bpf_map_lookup_elem(&sr_nexthops, &id);
	if (!nh || nh->kind == SR_NH_NONE)
		return -SR_DROP_NO_NEXTHOP;
	if (nh->kind == SR_NH_PORT) {
		r = sr_decap_strip(skb, pkt);
		if (!r)
			r = sr_deliver(skb, pkt, nh);
	} else {
		r = sr_decap_follow(skb, pkt, nh, vrf);
	}
	if (r > 0)
		sr_decap_count(pkt, sid, nh->kind, packets);
	return r;
}

#endif
