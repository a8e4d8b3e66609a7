// SPDX-License-Identifier: GPL-2.0-only
/*
 * TC ingress of an uplink: packets of the fabric. Those for other nodes, and the links' own, are the kernel's; what is
 * for this node is taken only from within the SR domain.
 *
 *   DA ours? -> source of the domain? -> extension headers -> End: next segment, and out or from the start again
 *                                                          -> End.DT*: decapsulate into the VRF
 *                                                          -> anything else: the kernel, or an ICMP error
 *
 * RFC 8754 sections 4.3 and 5.1, RFC 8986 section 4.
 */
#include "answer_outer.h"
#include "decap.h"
#include "drop.h"
#include "edge.h"
#include "end.h"
#include "oam.h"
#include "outer.h"
#include "pmtu_learn.h"

#define END_MAX 4 /* of this node's own segments in a row */

static __always_inline bool takes(const struct sr_bpf_sid *sid, __u8 proto)
{
	switch (sid->behavior) {
	case SR_SID_END_DT4:
		return proto == IPPROTO_IPIP;
	case SR_SID_END_DT6:
		return proto == IPPROTO_IPV6;
	case SR_SID_END_DT46:
		return sr_is_tenant(proto);
	default:
		return false;
	}
}

/* No segments left: what the packet carries decides. */
static __always_inline int upper_layer(struct __sk_buff *skb, struct sr_packet *pkt, struct sr_outer_packet *out,
				       const struct sr_bpf_sid *sid)
{
	if (sid && takes(sid, out->proto))
		return sr_decap(skb, pkt, out, sid);
	if (!sid && sr_is_tenant(out->proto) && !sr_is_source(&out->dst))
		return -SR_DROP_NO_SID;
	if (sid && out->proto != IPPROTO_ICMPV6 && out->proto != IPPROTO_UDP && out->proto != IPPROTO_FRAGMENT) {
		pkt->info = sr_outer_pointer(out->upper);
		return -SR_DROP_UPPER_LAYER;
	}
	if (out->proto == IPPROTO_ICMPV6 && sr_is_source(&out->dst))
		sr_pmtu_learn(skb, out);
	return sr_to_kernel(skb, out);
}

/* `out` has been walked. */
static __always_inline int last_segment(struct __sk_buff *skb, struct sr_packet *pkt, struct sr_outer_packet *out,
					const struct sr_bpf_sid *sid)
{
	if (!out->left)
		return upper_layer(skb, pkt, out, sid);
	pkt->info = sr_outer_pointer(out->upper) + offsetof(struct sr_srh, left);
	return -SR_DROP_SEGMENTS_LEFT;
}

static __always_inline int endpoint(struct __sk_buff *skb, struct sr_packet *pkt, struct sr_outer_packet *out)
{
	for (int i = 0; i < END_MAX; i++) {
		struct sr_bpf_sid *sid = bpf_map_lookup_elem(&sr_sids, &out->dst);
		int r = sr_outer_walk(skb, out, &pkt->info);

		if (r)
			return r;
		if (!out->left || !sid || sid->behavior != SR_SID_END)
			return last_segment(skb, pkt, out, sid);
		r = sr_end_advance(skb, out, &pkt->info);
		if (r)
			return r;
		if (!sr_in_locators(&out->dst) && !sr_is_source(&out->dst))
			return sr_end_send(skb, out, sid);
	}
	return -SR_DROP_SEGMENTS_LEFT;
}

static __always_inline int from_uplink(struct __sk_buff *skb, struct sr_packet *pkt, struct sr_outer_packet *out)
{
	if (skb->protocol != bpf_htons(ETH_P_IPV6) || !sr_outer_load(skb, out))
		return TC_ACT_OK;
	if (!sr_in_locators(&out->dst) && !sr_is_source(&out->dst))
		return TC_ACT_OK;
	if (sr_in_domain(&out->src))
		return endpoint(skb, pkt, out);
	if (sr_is_link_local(&out->src) && out->proto == IPPROTO_ICMPV6)
		return upper_layer(skb, pkt, out, NULL); /* a neighbour's */
	return -SR_DROP_NOT_DOMAIN;
}

SEC("tc")
int sr_from_uplink(struct __sk_buff *skb)
{
	struct sr_outer_packet out = {};
	struct sr_packet pkt = {};
	__u32 packets = sr_packets(skb), bytes;
	int r = from_uplink(skb, &pkt, &out), answer;

	if (r >= 0)
		return r;
	bytes = sr_drop_bytes(skb, &pkt);
	answer = sr_answer_outer(skb, &out, pkt.info, r);
	sr_drop(&pkt, SR_DIR_FROM_UPLINK, answer < 0 ? answer : r, packets, bytes);
	return answer < 0 ? TC_ACT_SHOT : answer;
}
