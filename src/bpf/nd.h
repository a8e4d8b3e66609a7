/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpf/nd.h - every IPv6 address is at the gateway's MAC address; arp.h says why.
 *
 * A solicitation is answered for any target but the port's own address. Not answered: duplicate address detection (from
 * ::), and link-local targets, since traffic between VMs by those addresses is not carried; except the gateway's, where
 * that is one. Only the gateway overrides what a VM has cached: for the others this is a proxy's answer.
 *
 * RFC 4861 sections 4.3, 4.4, 7.1.1, 7.2.4, 7.2.8; RFC 4862 section 5.4.3; RFC 4389.
 */
#ifndef SR_BPF_ND_H
#define SR_BPF_ND_H

#include "edge.h"
#include "icmp.h"
#include "lookup.h"

#define SR_ND_HOP_LIMIT 255
#define SR_ND_ROUTER (1u << 31)
#define SR_ND_SOLICITED (1u << 30)
#define SR_ND_OVERRIDE (1u << 29)
#define SR_ND_OPT_TARGET 2

struct sr_nd_message {
	struct sr_icmp_header icmp;
	struct in6_addr target;
	__u8 opt_type, opt_len, opt_mac[ETH_ALEN];
};

static __always_inline int sr_nd_check(const struct sr_packet *pkt, const struct sr_bpf_port *port,
				       const union sr_addr *target, bool gateway)
{
	__u32 *id;

	if (sr_is_unspecified_or_loopback(&pkt->src))
		return -SR_DROP_OWN_ADDRESS;
	if (sr_is_multicast(target) || sr_is_multicast(&pkt->src))
		return -SR_DROP_MALFORMED;
	if (gateway)
		return 0;
	if (sr_is_link_local(target))
		return -SR_DROP_LINK_LOCAL;
	id = sr_route6(port->vrf, target, false);
	return id && *id == port->nexthop ? -SR_DROP_OWN_ADDRESS : 0;
}

static __always_inline int sr_nd_advertise(struct __sk_buff *skb, const struct sr_packet *pkt,
					   const union sr_addr *target, bool gateway)
{
	struct sr_nd_message na = {
		.icmp.type = SR_ICMP6_ADVERTISEMENT,
		.icmp.info = bpf_htonl(SR_ND_ROUTER | SR_ND_SOLICITED | (gateway ? SR_ND_OVERRIDE : 0)),
		.target = target->in6,
		.opt_type = SR_ND_OPT_TARGET,
		.opt_len = 1,
	};
	__u64 sum = sr_csum_pseudo6(target, &pkt->src, sizeof(na));

	for (int i = 0; i < ETH_ALEN; i++)
		na.opt_mac[i] = sr_config.gateway_mac[i];
	na.icmp.check = sr_csum_fold(sum + (__u32)bpf_csum_diff(NULL, 0, (__be32 *)&na, sizeof(na), 0));
	if (bpf_skb_change_tail(skb, ETH_HLEN + sizeof(struct ipv6hdr) + sizeof(na), 0) ||
	    sr_icmp_write_head(skb, target, &pkt->src, 6, sizeof(na)) ||
	    bpf_skb_store_bytes(skb, ETH_HLEN + sizeof(struct ipv6hdr), &na, sizeof(na), 0))
		return -SR_DROP_HELPER;
	return bpf_redirect(skb->ifindex, 0);
}

/* pkt is ICMPv6. 0: not of neighbour discovery; else a TC action or -SR_DROP_... */
static __always_inline int sr_nd(struct __sk_buff *skb, const struct sr_packet *pkt, const struct sr_bpf_port *port)
{
	struct {
		struct sr_icmp_header icmp;
		union sr_addr target;
	} ns;
	union sr_addr gateway = {.in6 = port->gateway6};
	bool is_gateway;
	int r;

	if (bpf_skb_load_bytes(skb, pkt->l4, &ns.icmp, sizeof(ns.icmp)))
		return -SR_DROP_MALFORMED;
	if (ns.icmp.type < SR_ICMP6_ROUTER_SOLICITATION || ns.icmp.type > SR_ICMP6_REDIRECT)
		return 0;
	if (ns.icmp.type != SR_ICMP6_SOLICITATION)
		return sr_is_multicast(&pkt->dst) ? -SR_DROP_MULTICAST : -SR_DROP_LINK_LOCAL;
	if (pkt->ttl != SR_ND_HOP_LIMIT || ns.icmp.code || pkt->len < pkt->l4 - pkt->l3 + sizeof(ns) ||
	    bpf_skb_load_bytes(skb, pkt->l4 + sizeof(ns.icmp), &ns.target, sizeof(ns.target)))
		return -SR_DROP_MALFORMED;
	is_gateway = sr_addr_eq(&ns.target, &gateway);
	r = sr_nd_check(pkt, port, &ns.target, is_gateway);
	return r ? r : sr_nd_advertise(skb, pkt, &ns.target, is_gateway);
}

#endif
