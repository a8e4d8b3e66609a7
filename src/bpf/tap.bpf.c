// SPDX-License-Identifier: GPL-2.0-only
/*
 * TC ingress of a tap: a VM's packet on its way into the fabric, or to another tap of this node.
 *
 *   who sends (port, VRF) -> ARP, ND and pings to the gateway are answered -> may these addresses pass? -> route in the
 *   VRF -> deliver here, or encapsulate and send
 */
#include <linux/if_packet.h>

#include "answer_tenant.h"
#include "arp.h"
#include "deliver.h"
#include "drop.h"
#include "echo.h"
#include "edge.h"
#include "encap.h"
#include "lookup.h"
#include "nd.h"
#include "parse.h"

static __always_inline int to_tap(struct __sk_buff *skb, struct sr_packet *pkt, const struct sr_bpf_nexthop *nh,
				  const struct sr_bpf_vrf *vrf)
{
	__u32 size = sr_wire_size(skb, pkt);
	int r;

	if (!size)
		return -SR_DROP_MALFORMED;
	r = sr_pmtu_check_local(pkt, vrf, size);
	if (!r)
		r = sr_ttl_decrement(skb, pkt);
	return r ? r : sr_deliver(skb, pkt, nh);
}

/* Routes and sends; counts what went. */
static __always_inline int forward(struct __sk_buff *skb, struct sr_packet *pkt, const struct sr_bpf_port *port,
				   const struct sr_bpf_vrf *vrf)
{
	struct sr_bpf_vrf_stats *stats = bpf_map_lookup_elem(&sr_vrf_stats, &pkt->vrf);
	__u32 id = sr_route(pkt, vrf), packets = sr_packets(skb);
	struct sr_bpf_nexthop *nh;
	int r;

	if (!id)
		return -SR_DROP_NO_ROUTE;
	if (id == port->nexthop)
		return -SR_DROP_SELF;
	nh = bpf_map_lookup_elem(&sr_nexthops, &id);
	if (!nh || nh->kind == SR_NH_NONE)
		return -SR_DROP_NO_NEXTHOP;
	r = sr_ttl_check(pkt);
	if (r)
		return r;
	r = nh->kind == SR_NH_PORT ? to_tap(skb, pkt, nh, vrf) : sr_encap(skb, pkt, nh, vrf);
	if (r > 0 && stats)
		sr_count(nh->kind == SR_NH_PORT ? &stats->local : &stats->encap, packets, pkt->len);
	return r;
}

static __always_inline int from_tap(struct __sk_buff *skb, struct sr_packet *pkt)
{
	__u32 ifindex = skb->ifindex;
	struct sr_bpf_port *port = bpf_map_lookup_elem(&sr_ports, &ifindex);
	struct sr_bpf_vrf *vrf;
	int r;

	if (!port)
		return -SR_DROP_NO_PORT;
	pkt->vrf = port->vrf;
	vrf = sr_vrf(port->vrf);
	if (!vrf)
		return -SR_DROP_NO_VRF;
	if (!(port->flags & SR_PORT_F_UP))
		return -SR_DROP_PORT_DOWN;
	if (skb->vlan_present)
		return -SR_DROP_NOT_IP;
	if (skb->protocol == bpf_htons(ETH_P_ARP))
		return sr_arp(skb, port);
	if (skb->protocol != bpf_htons(ETH_P_IP) && skb->protocol != bpf_htons(ETH_P_IPV6))
		return -SR_DROP_NOT_IP;
	r = sr_parse(skb, pkt, skb->protocol);
	if (!r)
		r = sr_parse_upper(skb, pkt);
	if (!r && pkt->version == 6 && pkt->proto == IPPROTO_ICMPV6 && !pkt->later)
		r = sr_nd(skb, pkt, port);
	if (!r)
		r = skb->pkt_type == PACKET_BROADCAST || skb->pkt_type == PACKET_MULTICAST ? -SR_DROP_MULTICAST
											   : sr_edge_tenant(pkt);
	if (!r)
		r = sr_echo(skb, pkt, port);
	return r ? r : forward(skb, pkt, port, vrf);
}

SEC("tc")
int sr_from_tap(struct __sk_buff *skb)
{
	struct sr_packet pkt = {.l3 = ETH_HLEN};
	__u32 packets = sr_packets(skb), bytes;
	int r = from_tap(skb, &pkt), answer;

	if (r >= 0)
		return r;
	bytes = sr_drop_bytes(skb, &pkt);
	answer = sr_answer_tenant(skb, &pkt, r);
	sr_drop(&pkt, SR_DIR_FROM_TAP, answer < 0 ? answer : r, packets, bytes);
	return answer < 0 ? TC_ACT_SHOT : answer;
}
