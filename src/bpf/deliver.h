/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpf/deliver.h - out of a tap: a tenant's packet gets its Ethernet addresses and goes to the VM.
 *
 * The source is the gateway's address, the same on every node, whoever sent the packet: to a VM its gateway is the only
 * neighbour there is.
 */
#ifndef SR_BPF_DELIVER_H
#define SR_BPF_DELIVER_H

#include "packet.h"

static __always_inline int sr_deliver(struct __sk_buff *skb, const struct sr_packet *pkt,
				      const struct sr_bpf_nexthop *nh)
{
	struct ethhdr eth;

	for (int i = 0; i < ETH_ALEN; i++) {
		eth.h_dest[i] = nh->mac[i];
		eth.h_source[i] = sr_config.gateway_mac[i];
	}
	eth.h_proto = pkt->version == 4 ? bpf_htons(ETH_P_IP) : bpf_htons(ETH_P_IPV6);
	return bpf_skb_store_bytes(skb, 0, &eth, sizeof(eth), 0) ? -SR_DROP_HELPER : bpf_redirect(nh->ifindex, 0);
}

#endif
