/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpf/answer_tenant.h - what a VM is told about a packet of its own that was dropped.
 *
 *   TTL       Time Exceeded
 *   TOO_BIG   Fragmentation Needed; Packet Too Big, which never says less than 1280
 *
 * From the gateway's address, or, where the port has none, from the packet's destination. No error about an error,
 * about a fragment but the first, or over the rate: what is held back for that is counted as RATE instead of what it
 * was.
 *
 * Fragmentation Needed is said without DF too. A router would cut such a packet (RFC 1812 section 4.2.2.7); a program
 * cannot, and hosts that are told cut to size themselves. Silence would be a black hole.
 *
 * RFC 1812 sections 4.3.2.4 and 4.3.2.7, RFC 1191 section 4, RFC 4443 sections 2.2, 2.4, 3.2, 3.3; RFC 2473 section 7.
 */
#ifndef SR_BPF_ANSWER_TENANT_H
#define SR_BPF_ANSWER_TENANT_H

#include "icmp.h"
#include "rate.h"

static __always_inline bool sr_answer_due(struct __sk_buff *skb, const struct sr_packet *pkt)
{
	__u8 type;

	if (pkt->later)
		return false;
	if (pkt->proto != (pkt->version == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6))
		return true;
	if (bpf_skb_load_bytes(skb, pkt->l4, &type, sizeof(type)))
		return false;
	return pkt->version == 4 ? !sr_icmp4_is_error(type) : !sr_icmp6_is_error(type);
}

/* The gateway if it has an address, else the packet's destination. */
static __always_inline void sr_answer_tenant_source(struct sr_icmp_error *e, const struct sr_packet *pkt,
						    const struct sr_bpf_port *port)
{
	union sr_addr gateway = {};

	if (port && pkt->version == 4)
		gateway.w[0] = port->gateway4;
	if (port && pkt->version == 6)
		gateway.in6 = port->gateway6;
	e->src = gateway.d[0] || gateway.d[1] ? gateway : pkt->dst;
}

/* Answers a packet from a tap that was dropped for -SR_DROP_..., unchanged so far. TC action, or the reason to count.
 */
static __noinline int sr_answer_tenant(struct __sk_buff *skb, const struct sr_packet *pkt, int reason)
{
	struct sr_icmp_error e = {.len = pkt->len, .at = pkt->l3, .version = pkt->version, .info = 0};
	enum sr_rate_kind kind = SR_RATE_TIME_EXCEEDED;
	__u32 ifindex = skb->ifindex;
	int r;

	if (reason != -SR_DROP_TTL && reason != -SR_DROP_TOO_BIG)
		return reason;
	if (!sr_answer_due(skb, pkt))
		return reason;
	e.type = pkt->version == 4 ? SR_ICMP_TIME_EXCEEDED : SR_ICMP6_TIME_EXCEEDED;
	if (reason == -SR_DROP_TOO_BIG) {
		kind = SR_RATE_TOO_BIG;
		e.info = pkt->info;
		e.type = pkt->version == 4 ? SR_ICMP_UNREACHABLE : SR_ICMP6_TOO_BIG;
		e.code = pkt->version == 4 ? SR_ICMP_FRAG_NEEDED : 0;
		if (pkt->version == 6 && e.info < SR_IPV6_MIN_MTU)
			e.info = SR_IPV6_MIN_MTU;
	}
	if (!sr_rate_take(kind))
		return -SR_DROP_RATE;
	sr_answer_tenant_source(&e, pkt, bpf_map_lookup_elem(&sr_ports, &ifindex));
	e.dst = pkt->src;
	r = sr_icmp_error(skb, &e);
	return r ? r : bpf_redirect(ifindex, 0);
}

#endif
