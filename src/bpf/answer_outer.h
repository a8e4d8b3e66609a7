/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpf/answer_outer.h - what the sender of an outer packet is told when it was dropped.
 *
 *   SEGMENTS_LEFT, BAD_SRH   Parameter Problem code 0, pointer at Segments Left (or at a routing type not known)
 *   UPPER_LAYER              Parameter Problem code 4, pointer at the upper-layer header
 *   HOP_LIMIT                Time Exceeded
 *
 * From the node's own address and through the fabric, as any packet of the node's. No error about an error, or over the
 * rate: what is held back for that is counted as RATE instead of what it was.
 *
 * RFC 4443 section 2.4 (e) and (f); RFC 8986 sections 4.1, 4.1.1, 4.4; RFC 8754 section 4.3; RFC 8200 section 4.4.
 */
#ifndef SR_BPF_ANSWER_OUTER_H
#define SR_BPF_ANSWER_OUTER_H

#include "fib.h"
#include "icmp.h"
#include "outer.h"
#include "rate.h"

/* Is it about an ICMPv6 error behind the routing header at which the walk stopped? */
static __always_inline bool sr_answer_outer_due(struct __sk_buff *skb, const struct sr_outer_packet *out)
{
	struct sr_srh ext;
	__u8 type;

	if (out->proto != IPPROTO_ROUTING)
		return true;
	if (bpf_skb_load_bytes(skb, out->upper, &ext, sizeof(ext)) || ext.next != IPPROTO_ICMPV6)
		return true;
	return !bpf_skb_load_bytes(skb, out->upper + (ext.len + 1) * 8, &type, sizeof(type)) &&
	       !sr_icmp6_is_error(type);
}

static __noinline int sr_answer_outer_send(struct __sk_buff *skb, const struct sr_icmp_error *e)
{
	struct sr_way way;
	int r = sr_fib_lookup(skb, &way, SR_LOOPBACK_IFINDEX, &e->src.in6, &e->dst.in6, 0, 0);

	return r ? r : sr_fib_send(&way);
}

/*
 * Answers a packet from an uplink that was dropped for -SR_DROP_..., with `pointer` at the fault. A TC action, or the
 * reason to count.
 */
static __noinline int sr_answer_outer(struct __sk_buff *skb, const struct sr_outer_packet *out, __u32 pointer,
				      int reason)
{
	__u32 len = skb->len - ETH_HLEN;
	struct sr_icmp_error e = {.at = ETH_HLEN, .version = 6, .type = SR_ICMP6_PARAM_PROBLEM, .info = pointer};
	enum sr_rate_kind kind = SR_RATE_PARAM_PROBLEM;
	int r;

	switch (-reason) {
	case SR_DROP_SEGMENTS_LEFT:
	case SR_DROP_BAD_SRH:
		break;
	case SR_DROP_UPPER_LAYER:
		e.code = SR_ICMP6_UPPER_LAYER;
		break;
	case SR_DROP_HOP_LIMIT:
		kind = SR_RATE_TIME_EXCEEDED;
		e.type = SR_ICMP6_TIME_EXCEEDED;
		e.info = 0;
		break;
	default:
		return reason;
	}
	if (!sr_answer_outer_due(skb, out))
		return reason;
	if (!sr_rate_take(kind))
		return -SR_DROP_RATE;
	e.len = out->end - ETH_HLEN < len ? out->end - ETH_HLEN : len;
	sr_addr_const(&e.src, &sr_config.source);
	e.dst = out->src;
	r = sr_icmp_error(skb, &e);
	return r ? r : sr_answer_outer_send(skb, &e);
}

#endif
