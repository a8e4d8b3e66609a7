/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpf/ecn.h - congestion that the fabric marked reaches the tenant's packet.
 *
 *   inner \ outer   Not-ECT   ECT(0)    ECT(1)    CE
 *   Not-ECT         Not-ECT   Not-ECT   Not-ECT   drop
 *   ECT(0)          ECT(0)    ECT(0)    ECT(1)    CE
 *   ECT(1)          ECT(1)    ECT(1)    ECT(1)    CE
 *   CE              CE        CE        CE        CE
 *
 * RFC 6040 section 4.2, figure 4.
 */
#ifndef SR_BPF_ECN_H
#define SR_BPF_ECN_H

#include "packet.h"

enum sr_ecn {
	SR_ECN_NOT = 0,
	SR_ECN_ECT1 = 1,
	SR_ECN_ECT0 = 2,
	SR_ECN_CE = 3,
};

static __always_inline int sr_ecn_write(struct __sk_buff *skb, struct sr_packet *pkt, __u8 tos)
{
	__u8 low = tos << 4 | pkt->label >> 16; /* IPv6: second byte */
	long r;

	if (pkt->version == 6)
		r = sr_store(skb, pkt->l3 + 1, &low, sizeof(low));
	else
		r = bpf_l3_csum_replace(skb, pkt->l3 + offsetof(struct iphdr, check), bpf_htons(pkt->tos),
					bpf_htons(tos), sizeof(__be16)) ||
		    bpf_skb_store_bytes(skb, pkt->l3 + offsetof(struct iphdr, tos), &tos, sizeof(tos), 0) ||
		    bpf_skb_load_bytes(skb, pkt->l3 + offsetof(struct iphdr, ttl), &pkt->word, sizeof(pkt->word));
	pkt->tos = tos;
	return sr_helper(r);
}

static __always_inline int sr_ecn_decap(struct __sk_buff *skb, struct sr_packet *pkt, __u8 outer_tos)
{
	__u8 outer = outer_tos & 3, inner = pkt->tos & 3;

	if (outer == SR_ECN_CE && inner == SR_ECN_NOT)
		return -SR_DROP_ECN;
	if ((outer == SR_ECN_CE && inner != SR_ECN_CE) || (outer == SR_ECN_ECT1 && inner == SR_ECN_ECT0))
		return sr_ecn_write(skb, pkt, (pkt->tos & ~3) | outer);
	return 0;
}

#endif
