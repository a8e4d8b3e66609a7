/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpf/pmtu_learn.h - a router of the fabric says that an encapsulated packet was too big for its next link.
 *
 * Believed if it quotes a packet that this node sent into the SR domain, and says less than the uplinks carry but no
 * less than any IPv6 link does. Remembered for ten minutes under the destination that it quotes, which is the segment
 * that the packet was on its way to; a message never raises what an earlier one has said. The kernel gets the message
 * too, for its own connections; it checks the checksum, this does not.
 *
 * RFC 8201 sections 4 and 5.3, RFC 8754 section 5.4.
 */
#ifndef SR_BPF_PMTU_LEARN_H
#define SR_BPF_PMTU_LEARN_H

#include "edge.h"
#include "icmp.h"
#include "outer.h"
#include "pmtu.h"

#define SR_PMTU_LIFETIME (600 * 1000000000ULL)

struct sr_too_big {
	struct sr_icmp_header icmp;
	struct ipv6hdr quoted;
};

static __always_inline void sr_pmtu_store(const union sr_addr *da, __u32 mtu)
{
	struct sr_bpf_pmtu value = {.expires = bpf_ktime_get_ns() + SR_PMTU_LIFETIME, .mtu = mtu};

	if (sr_pmtu_learnt(&da->in6, mtu) >= mtu)
		bpf_map_update_elem(&sr_pmtu, da, &value, BPF_ANY);
}

/* `out` has been walked to an ICMPv6 message to this node's own address. */
static __noinline int sr_pmtu_learn(struct __sk_buff *skb, const struct sr_outer_packet *out)
{
	struct sr_too_big m;
	union sr_addr src, dst;
	__u32 mtu;

	if (out->upper + sizeof(m) > out->end || bpf_skb_load_bytes(skb, out->upper, &m, sizeof(m)))
		return 0;
	mtu = bpf_ntohl(m.icmp.info);
	if (m.icmp.type != SR_ICMP6_TOO_BIG || mtu < SR_IPV6_MIN_MTU || mtu >= sr_pmtu_fabric())
		return 0;
	for (int i = 0; i < 4; i++) {
		src.w[i] = m.quoted.saddr.s6_addr32[i];
		dst.w[i] = m.quoted.daddr.s6_addr32[i];
	}
	if (sr_is_source(&src) && sr_in_domain(&dst))
		sr_pmtu_store(&dst, mtu);
	return 0;
}

#endif
