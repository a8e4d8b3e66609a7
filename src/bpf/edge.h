/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpf/edge.h - the border of the SR domain: which addresses are the domain's, which are this node's.
 *
 * Tenants' addresses and the domain's are two worlds: no tenant's packet to or from SID space enters the fabric, and no
 * packet reaches a SID unless its source is infrastructure. The prefixes are constants of the load, so the loops below
 * end where the configuration does, known to the verifier.
 *
 * RFC 8402 section 8.2, RFC 8754 section 5.1, RFC 8986 section 9.
 */
#ifndef SR_BPF_EDGE_H
#define SR_BPF_EDGE_H

#include "packet.h"

static __always_inline bool sr_in_prefix(const union sr_addr *a, const volatile struct sr_bpf_prefix *p)
{
	union sr_addr want;
	__u64 high, low;
	__u32 len = p->len;

	sr_addr_const(&want, &p->addr);
	high = bpf_be64_to_cpu(a->d[0] ^ want.d[0]);
	low = bpf_be64_to_cpu(a->d[1] ^ want.d[1]);
	if (!len)
		return true;
	if (len <= 64)
		return !(high >> (64 - len));
	return !high && !(low >> (128 - len));
}

static __always_inline bool sr_in_domain(const union sr_addr *a)
{
	for (__u32 i = 0; i < SR_BPF_DOMAINS_MAX; i++) {
		if (i >= sr_config.n_domains)
			break;
		if (sr_in_prefix(a, &sr_config.domains[i]))
			return true;
	}
	return false;
}

static __always_inline bool sr_is_source(const union sr_addr *a)
{
	union sr_addr own;

	sr_addr_const(&own, &sr_config.source);
	return sr_addr_eq(a, &own);
}

/* In one of the node's locators, that is: a SID of this node, if it is one at all. */
static __always_inline bool sr_in_locators(const union sr_addr *a)
{
	for (__u32 i = 0; i < SR_BPF_LOCATORS_MAX; i++) {
		if (i >= sr_config.n_locators)
			break;
		if (a->w[0] == sr_config.locators[i].s6_addr32[0] && a->w[1] == sr_config.locators[i].s6_addr32[1] &&
		    a->w[2] == sr_config.locators[i].s6_addr32[2])
			return true;
	}
	return false;
}

static __always_inline bool sr_is_link_local(const union sr_addr *a)
{
	return (a->w[0] & bpf_htonl(0xffc00000)) == bpf_htonl(0xfe800000);
}

static __always_inline bool sr_is_multicast(const union sr_addr *a)
{
	return a->in6.s6_addr[0] == 0xff;
}

/* :: and ::1 */
static __always_inline bool sr_is_unspecified_or_loopback(const union sr_addr *a)
{
	return !a->d[0] && !(a->d[1] & bpf_cpu_to_be64(~1ULL));
}

static __always_inline int sr_edge_ipv4(__be32 src, __be32 dst)
{
	__u8 from = bpf_ntohl(src) >> 24, to = bpf_ntohl(dst) >> 24;

	if (to >= 224)
		return -SR_DROP_MULTICAST; /* 224/4, and 240/4 with the limited broadcast */
	if (from == 0 || from == 127 || from >= 224 || to == 0 || to == 127)
		return -SR_DROP_MARTIAN;
	return 0;
}

static __always_inline int sr_edge_ipv6(const union sr_addr *src, const union sr_addr *dst)
{
	if (sr_is_multicast(dst))
		return -SR_DROP_MULTICAST;
	if (sr_is_unspecified_or_loopback(src) || sr_is_unspecified_or_loopback(dst) || sr_is_multicast(src))
		return -SR_DROP_MARTIAN;
	if (sr_is_link_local(src) || sr_is_link_local(dst))
		return -SR_DROP_LINK_LOCAL;
	if (sr_in_domain(src) || sr_in_domain(dst))
		return -SR_DROP_SID_SPACE;
	return 0;
}

/* May a tenant's packet go on, by its addresses alone? RFC 1812 section 5.3.7, RFC 4291 section 2.5. */
static __always_inline int sr_edge_tenant(const struct sr_packet *pkt)
{
	return pkt->version == 4 ? sr_edge_ipv4(pkt->src.w[0], pkt->dst.w[0]) : sr_edge_ipv6(&pkt->src, &pkt->dst);
}

#endif
