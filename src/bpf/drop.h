/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpf/drop.h - the one exit of packets that do not go on: counted by direction and reason, and for the tenant.
 */
#ifndef SR_BPF_DROP_H
#define SR_BPF_DROP_H

#include "packet.h"

static __always_inline void sr_drop_count(enum sr_direction dir, enum sr_drop_reason reason, __u32 packets, __u32 bytes)
{
	__u32 key = dir * SR_DROP_MAX + reason;
	struct sr_bpf_counter *c = bpf_map_lookup_elem(&sr_drops, &key);

	if (c)
		sr_count(c, packets, bytes);
}

/* `reason` as the step returned it, negative. A TC action. */
static __always_inline int sr_drop(struct __sk_buff *skb, const struct sr_packet *pkt, enum sr_direction dir,
				   int reason)
{
	__u32 packets = sr_packets(skb), bytes = pkt->version ? pkt->len : skb->len - ETH_HLEN, vrf = pkt->vrf;
	struct sr_bpf_vrf_stats *stats = vrf ? bpf_map_lookup_elem(&sr_vrf_stats, &vrf) : NULL;

	sr_drop_count(dir, -reason, packets, bytes);
	if (stats)
		sr_count(&stats->drop, packets, bytes);
	return TC_ACT_SHOT;
}

#endif
