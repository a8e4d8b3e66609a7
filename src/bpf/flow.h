/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpf/flow.h - the outer flow label, by which the fabric spreads flows over its links.
 *
 * A hash of the tenant's 5-tuple (and of an IPv6 packet's own label): the same for all packets of a flow, near uniform
 * over flows, all 20 bits used, never 0, which would mean "not labelled". Fragments have no ports but in the first, so
 * all of a datagram's, the first included, go by addresses and protocol; so does whatever has no ports. The fabric
 * hashes source, destination and label, so one label a flow is one path a flow: no reordering.
 *
 * RFC 6437 sections 3 and 4, RFC 6438 section 3, RFC 8754 section 5.5.
 */
#ifndef SR_BPF_FLOW_H
#define SR_BPF_FLOW_H

#include "parse.h"

/* Folds a word into the hash: two multiplications by odd constants with the high bits folded down in between. */
static __always_inline __u64 sr_flow_mix(__u64 hash, __u64 word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
	hash ^= hash >> 32;
	hash *= 0xd6e8feb86659fd93ULL;
	return hash ^ hash >> 29;
}

static __always_inline bool sr_has_ports(const struct sr_packet *pkt)
{
	switch (pkt->proto) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_SCTP:
	case IPPROTO_DCCP:
	case IPPROTO_UDPLITE:
		return !pkt->fragment;
	default:
		return false;
	}
}

/* After sr_parse_upper. */
static __always_inline __u32 sr_flow_label(struct __sk_buff *skb, const struct sr_packet *pkt)
{
	__u32 ports = 0;
	__u64 hash;

	if (sr_has_ports(pkt) && bpf_skb_load_bytes(skb, pkt->l4, &ports, sizeof(ports)))
		ports = 0;
	hash = sr_flow_mix((__u64)pkt->proto << 32 | pkt->label, (__u64)pkt->src.w[0] << 32 | pkt->dst.w[0]);
	if (pkt->version == 6) {
		hash = sr_flow_mix(hash, (__u64)pkt->src.w[1] << 32 | pkt->dst.w[1]);
		hash = sr_flow_mix(hash, pkt->src.d[1]);
		hash = sr_flow_mix(hash, pkt->dst.d[1]);
	}
	hash = sr_flow_mix(hash, ports) >> 44;
	return hash ? hash : 1;
}

#endif
