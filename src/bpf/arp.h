/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpf/arp.h - every IPv4 address is at the gateway's MAC address.
 *
 * A VM believes its network's addresses to be on the link; all are answered for here, so that nothing of ARP goes
 * beyond the tap. Except its own address, which a VM probes before it takes it (RFC 5227): an answer would be a
 * conflict.
 *
 * RFC 826; RFC 1027 for the proxy; RFC 5227 sections 1.1, 2.1.1 and 2.3 for probe and announcement.
 */
#ifndef SR_BPF_ARP_H
#define SR_BPF_ARP_H

#include "lookup.h"

/* linux/if_arp.h brings in more of libc than there is here. */
#define SR_ARP_ETHER 1
#define SR_ARP_REQUEST 1
#define SR_ARP_REPLY 2

struct sr_arp_frame {
	struct ethhdr eth;
	__be16 htype, ptype;
	__u8 hlen, plen;
	__be16 op;
	__u8 sha[ETH_ALEN];
	__be32 spa;
	__u8 tha[ETH_ALEN];
	__be32 tpa;
} __attribute__((packed));

static __always_inline bool sr_arp_is_own(const struct sr_bpf_port *port, __be32 addr)
{
	__u32 *id = sr_route4(port->vrf, addr, false);

	return id && *id == port->nexthop;
}

static __always_inline void sr_arp_turn(struct sr_arp_frame *f)
{
	__be32 asked = f->tpa;

	f->op = bpf_htons(SR_ARP_REPLY);
	f->tpa = f->spa;
	f->spa = asked;
	for (int i = 0; i < ETH_ALEN; i++) {
		f->eth.h_dest[i] = f->eth.h_source[i];
		f->tha[i] = f->sha[i];
		f->eth.h_source[i] = sr_config.gateway_mac[i];
		f->sha[i] = sr_config.gateway_mac[i];
	}
}

static __always_inline int sr_arp(struct __sk_buff *skb, const struct sr_bpf_port *port)
{
	struct sr_arp_frame f;

	if (bpf_skb_load_bytes(skb, 0, &f, sizeof(f)) || f.htype != bpf_htons(SR_ARP_ETHER) ||
	    f.ptype != bpf_htons(ETH_P_IP) || f.hlen != ETH_ALEN || f.plen != sizeof(f.spa))
		return -SR_DROP_MALFORMED;
	if (f.op != bpf_htons(SR_ARP_REQUEST) || !f.spa || f.spa == f.tpa || sr_arp_is_own(port, f.tpa))
		return -SR_DROP_OWN_ADDRESS;
	sr_arp_turn(&f);
	return bpf_skb_store_bytes(skb, 0, &f, sizeof(f), 0) ? -SR_DROP_HELPER : bpf_redirect(skb->ifindex, 0);
}

#endif
