/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpf/pmtu.h - how large a tenant's packet may be, and what the fabric teaches about it.
 *
 * The limit is the smallest of what the tenant's network says, what the uplinks carry less the outer headers of this
 * very next hop and mode, and what a router of the fabric has said in a Packet Too Big about this destination, at most
 * ten minutes ago. Such a message reaches this node, since it is the outer source; it is remembered here (sr_pmtu), and
 * the tenant's next packet that is too large gets its own ICMP error from the edge. No path carries less than 1280, so
 * a packet that fits those needs no look at what was learnt.
 *
 * RFC 2473 section 7, RFC 8200 section 5, RFC 8201 sections 4 and 5.2, RFC 8754 section 5.4.
 */
#ifndef SR_BPF_PMTU_H
#define SR_BPF_PMTU_H

#include "packet.h"

/* The largest inner packet for an outer one of `mtu`; overheads are below 200. */
static __always_inline __u32 sr_pmtu_inner(__u32 mtu, __u32 overhead)
{
	return (mtu < SR_IPV6_MIN_MTU ? SR_IPV6_MIN_MTU : mtu) - overhead;
}

static __always_inline __u32 sr_pmtu_fabric(void)
{
	__u32 zero = 0;
	struct sr_bpf_node *node = bpf_map_lookup_elem(&sr_node, &zero);

	return node ? node->fabric_mtu : 0;
}

static __always_inline __u32 sr_pmtu_learnt(const struct in6_addr *da, __u32 mtu)
{
	struct sr_bpf_pmtu *learnt = bpf_map_lookup_elem(&sr_pmtu, da);

	return learnt && learnt->mtu < mtu && learnt->expires > bpf_ktime_get_ns() ? learnt->mtu : mtu;
}

static __always_inline int sr_pmtu_limit(struct sr_packet *pkt, __u32 size, __u32 limit)
{
	if (size <= limit)
		return 0;
	pkt->info = limit;
	return -SR_DROP_TOO_BIG;
}

/* For a packet that stays on the node. */
static __always_inline int sr_pmtu_check_local(struct sr_packet *pkt, const struct sr_bpf_vrf *vrf, __u32 size)
{
	return vrf->mtu ? sr_pmtu_limit(pkt, size, vrf->mtu) : 0;
}

/* `size` of the inner packet on a wire, `overhead` of outer headers, towards `da`. TOO_BIG: pkt->info is the limit. */
static __always_inline int sr_pmtu_check(struct sr_packet *pkt, const struct sr_bpf_vrf *vrf, const struct in6_addr *da,
					 __u32 overhead, __u32 size)
{
	__u32 mtu = sr_pmtu_fabric(), limit;

	if (size + overhead > SR_IPV6_MIN_MTU)
		mtu = sr_pmtu_learnt(da, mtu);
	limit = sr_pmtu_inner(mtu, overhead);
	if (vrf->mtu && vrf->mtu < limit)
		limit = vrf->mtu;
	return sr_pmtu_limit(pkt, size, limit);
}

#endif
