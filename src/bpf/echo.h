/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpf/echo.h - the gateway answers pings.
 *
 * It has no other existence: its address is on no interface. The request is turned in place: type, addresses, a fresh
 * time to live; the ICMP checksum follows by the difference of the type (the addresses trade places in the
 * pseudo-header). A ping in fragments is not answered.
 *
 * RFC 792, RFC 1122 section 3.2.2.6, RFC 4443 section 4.
 */
#ifndef SR_BPF_ECHO_H
#define SR_BPF_ECHO_H

#include "icmp.h"

#define SR_ECHO_TTL 64

static __always_inline bool sr_echo_is_gateway(const struct sr_packet *pkt, const struct sr_bpf_port *port)
{
	union sr_addr gateway = {.in6 = port->gateway6};

	if (pkt->version == 4)
		return pkt->dst.w[0] == port->gateway4;
	return sr_addr_eq(&pkt->dst, &gateway);
}

static __always_inline int sr_echo_turn_ip(struct __sk_buff *skb, const struct sr_packet *pkt)
{
	__u8 ttl = SR_ECHO_TTL;
	union {
		__be32 v4[2];
		union sr_addr v6[2];
	} addrs;
	long r;

	if (pkt->version == 4) {
		addrs.v4[0] = pkt->dst.w[0];
		addrs.v4[1] = pkt->src.w[0];
		r = bpf_l3_csum_replace(skb, pkt->l3 + offsetof(struct iphdr, check), bpf_htons(pkt->ttl << 8),
					bpf_htons(ttl << 8), sizeof(__be16)) ||
		    bpf_skb_store_bytes(skb, pkt->l3 + offsetof(struct iphdr, ttl), &ttl, sizeof(ttl), 0) ||
		    bpf_skb_store_bytes(skb, pkt->l3 + offsetof(struct iphdr, saddr), addrs.v4, sizeof(addrs.v4), 0);
	} else {
		addrs.v6[0] = pkt->dst;
		addrs.v6[1] = pkt->src;
		r = sr_store(skb, pkt->l3 + offsetof(struct ipv6hdr, hop_limit), &ttl, sizeof(ttl)) ||
		    sr_store(skb, pkt->l3 + offsetof(struct ipv6hdr, saddr), addrs.v6, sizeof(addrs.v6));
	}
	return sr_helper(r);
}

/* 0: not a ping to the gateway; else a TC action or -SR_DROP_... */
static __always_inline int sr_echo(struct __sk_buff *skb, const struct sr_packet *pkt, const struct sr_bpf_port *port)
{
	__u8 ask = pkt->version == 4 ? SR_ICMP_ECHO : SR_ICMP6_ECHO;
	__u8 reply = pkt->version == 4 ? SR_ICMP_ECHO_REPLY : SR_ICMP6_ECHO_REPLY;
	struct sr_icmp_header icmp;
	int r;

	if (pkt->proto != (pkt->version == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6) || pkt->fragment ||
	    !sr_echo_is_gateway(pkt, port))
		return 0;
	if (bpf_skb_load_bytes(skb, pkt->l4, &icmp, sizeof(icmp)))
		return -SR_DROP_MALFORMED;
	if (icmp.type != ask || icmp.code)
		return 0;
	if (bpf_l4_csum_replace(skb, pkt->l4 + offsetof(struct sr_icmp_header, check), bpf_htons(ask << 8),
				bpf_htons(reply << 8), sizeof(__be16)) ||
	    bpf_skb_store_bytes(skb, pkt->l4, &reply, sizeof(reply), 0))
		return -SR_DROP_HELPER;
	r = sr_echo_turn_ip(skb, pkt);
	if (!r)
		r = sr_helper(sr_frame_turn(skb));
	return r ? r : bpf_redirect(skb->ifindex, 0);
}

#endif
