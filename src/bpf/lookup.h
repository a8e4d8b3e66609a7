/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpf/lookup.h - from a destination to a next hop: the VRF's own routes and nothing else.
 *
 * Host routes are by far the most and are one hash lookup. Only a VRF that says that it has prefixes pays for the trie
 * on a miss. The next hop is a second, indexed, lookup: what user space changes when a node moves is that one entry.
 */
#ifndef SR_BPF_LOOKUP_H
#define SR_BPF_LOOKUP_H

#include "packet.h"

/* An active VRF, or NULL. */
static __always_inline struct sr_bpf_vrf *sr_vrf(__u32 id)
{
	struct sr_bpf_vrf *vrf = bpf_map_lookup_elem(&sr_vrfs, &id);

	return vrf && vrf->flags & SR_VRF_F_ACTIVE ? vrf : NULL;
}

static __always_inline __u32 *sr_route4(__u32 vrf, __be32 dst, bool prefixes)
{
	struct sr_bpf_host4_key host = {.vrf = vrf, .addr = dst};
	struct sr_bpf_lpm4_key key = {.prefixlen = 64, .vrf = bpf_htonl(vrf), .addr = dst};
	__u32 *id = bpf_map_lookup_elem(&sr_host4, &host);

	return id || !prefixes ? id : bpf_map_lookup_elem(&sr_lpm4, &key);
}

static __always_inline __u32 *sr_route6(__u32 vrf, const union sr_addr *dst, bool prefixes)
{
	struct sr_bpf_host6_key host = {.vrf = vrf, .addr = dst->in6};
	struct sr_bpf_lpm6_key key = {.prefixlen = 160, .vrf = bpf_htonl(vrf), .addr = dst->in6};
	__u32 *id = bpf_map_lookup_elem(&sr_host6, &host);

	return id || !prefixes ? id : bpf_map_lookup_elem(&sr_lpm6, &key);
}

/* Next hop id of pkt's destination; 0: no route. */
static __always_inline __u32 sr_route(const struct sr_packet *pkt, const struct sr_bpf_vrf *vrf)
{
	__u32 *id = pkt->version == 4 ? sr_route4(pkt->vrf, pkt->dst.w[0], vrf->flags & SR_VRF_F_LPM4)
				      : sr_route6(pkt->vrf, &pkt->dst, vrf->flags & SR_VRF_F_LPM6);

	return id ? *id : 0;
}

#endif
