/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpf/fib.h - out into the fabric by the kernel's own routes.
 *
 * The routing daemon's routes are in the kernel's table; asking it gives ECMP (by source, destination and flow label),
 * failover and the link's MTU (or a route's, if locked). The frame then leaves by bpf_redirect_neigh with the gateway
 * that the lookup named: the kernel resolves it, queues while it does, and keeps the neighbour entry's state fresh as
 * for its own packets.
 *
 * Packets that this node sources are looked up as such, from the loopback interface, so that it does not matter whether
 * a tap has IPv6 on. The kernel wants forwarding on there (net.ipv6.conf.all.forwarding); without it, as without a
 * route, or where the route is this node's own locator, the packet is dropped as NO_FIB.
 *
 * RFC 8754 sections 4.1 and 5.5.
 */
#ifndef SR_BPF_FIB_H
#define SR_BPF_FIB_H

#include "packet.h"

#define SR_LOOPBACK_IFINDEX 1
#define SR_AF_INET6 10

struct sr_way {
	__u32 ifindex;
	__u32 mtu; /* of the route, where the packet was too large for it */
	struct bpf_redir_neigh nh;
};

/* Finds the way for an outer packet of `len` bytes. -SR_DROP_TOO_BIG: only way->mtu is set. */
static __always_inline int sr_fib_lookup(struct __sk_buff *skb, struct sr_way *way, __u32 ifindex,
					 const struct in6_addr *src, const struct in6_addr *dst, __u32 label, __u32 len)
{
	struct bpf_fib_lookup fib = {
		.family = SR_AF_INET6,
		.ifindex = ifindex,
		.sport = label, /* fib_multipath_hash_policy=1 hashes ports and no label */
		.dport = label >> 16,
		.tot_len = len,
		.flowinfo = bpf_htonl(label),
	};
	long r;

	for (int i = 0; i < 4; i++) {
		fib.ipv6_src[i] = src->s6_addr32[i];
		fib.ipv6_dst[i] = dst->s6_addr32[i];
	}
	r = bpf_fib_lookup(skb, &fib, sizeof(fib), 0);
	way->mtu = fib.mtu_result;
	if (r == BPF_FIB_LKUP_RET_FRAG_NEEDED)
		return -SR_DROP_TOO_BIG;
	if (r != BPF_FIB_LKUP_RET_SUCCESS && r != BPF_FIB_LKUP_RET_NO_NEIGH)
		return -SR_DROP_NO_FIB;
	way->ifindex = fib.ifindex;
	way->nh.nh_family = SR_AF_INET6;
	for (int i = 0; i < 4; i++)
		way->nh.ipv6_nh[i] = fib.ipv6_dst[i];
	return 0;
}

/* A TC action. */
static __always_inline int sr_fib_send(struct sr_way *way)
{
	return bpf_redirect_neigh(way->ifindex, &way->nh, sizeof(way->nh), 0);
}

#endif
