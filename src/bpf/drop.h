/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpf/drop.h - the one exit of packets that do not go on: counted by direction and reason, and for the tenant.
 *
 * Every program ends in one call of sr_drop for all of them. An answer made of the packet (answer_tenant.h,
 * answer_outer.h) is sent by the program; the packet itself did not go on and is counted all the same.
 */
#ifndef SR_BPF_DROP_H
#define SR_BPF_DROP_H

#include "packet.h"

/* For `reason` as a step returned it, negative; `packets` and `bytes` as the packet was before an answer was made of
 * it. */
static __always_inline void sr_drop(const struct sr_packet *pkt, enum sr_direction dir, int reason, __u32 packets,
				    __u32 bytes)
{
	__u32 key = dir * SR_DROP_MAX - reason, vrf = pkt->vrf;
	struct sr_bpf_counter *c = bpf_map_lookup_elem(&sr_drops, &key);
	struct sr_bpf_vrf_stats *stats = vrf ? bpf_map_lookup_elem(&sr_vrf_stats, &vrf) : NULL;

	if (c)
		sr_count(c, packets, bytes);
	if (stats)
		sr_count(&stats->drop, packets, bytes);
}

/* Bytes to count: the tenant's packet, or, if it came to no such, what is behind the Ethernet header. */
static __always_inline __u32 sr_drop_bytes(const struct __sk_buff *skb, const struct sr_packet *pkt)
{
	return pkt->version ? pkt->len : skb->len - ETH_HLEN;
}

#endif
