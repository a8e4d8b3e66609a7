/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpf/oam.h - what is addressed to the node itself goes up to the kernel: ping and traceroute to a SID, BGP, etcd, ssh.
 *
 * The agent makes the node's whole locator a local route, so the kernel answers for SIDs too. It does not take routing
 * headers unless seg6_enabled is set on every interface; one that has no segments left means nothing to the receiver,
 * so the extension headers are taken off on the way up where there is one among them.
 *
 * RFC 9259 sections 3.1 and 3.2, RFC 8754 section 4.3.2.
 */
#ifndef SR_BPF_OAM_H
#define SR_BPF_OAM_H

#include "outer.h"

/* TC_ACT_OK, or -SR_DROP_HELPER. */
static __always_inline int sr_to_kernel(struct __sk_buff *skb, const struct sr_outer_packet *out)
{
	__u32 gone = out->upper - ETH_HLEN - sizeof(struct ipv6hdr);
	struct {
		__be16 payload_len;
		__u8 next;
	} ip = {.payload_len = bpf_htons(out->end - out->upper), .next = out->proto};

	if (!out->routed)
		return TC_ACT_OK;
	if (out->end < out->upper)
		return -SR_DROP_MALFORMED;
	if (bpf_skb_adjust_room(skb, -(__s32)gone, BPF_ADJ_ROOM_NET, BPF_F_ADJ_ROOM_FIXED_GSO) ||
	    sr_store(skb, ETH_HLEN + offsetof(struct ipv6hdr, payload_len), &ip, 3))
		return -SR_DROP_HELPER;
	return TC_ACT_OK;
}

#endif
