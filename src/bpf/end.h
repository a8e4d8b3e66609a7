/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpf/end.h - End: on to the next segment of the list.
 *
 * RFC 8986 section 4.1, RFC 8754 section 4.3.1.1.
 */
#ifndef SR_BPF_END_H
#define SR_BPF_END_H

#include "fib.h"
#include "outer.h"

static __always_inline int sr_end_write(struct __sk_buff *skb, const struct sr_outer_packet *out, __u32 srh)
{
	return sr_helper(sr_store(skb, srh + offsetof(struct sr_srh, left), &out->left, sizeof(out->left)) ||
			 sr_store(skb, ETH_HLEN + offsetof(struct ipv6hdr, hop_limit), &out->hop_limit,
				  sizeof(out->hop_limit)) ||
			 sr_store(skb, ETH_HLEN + offsetof(struct ipv6hdr, daddr), &out->dst, sizeof(out->dst)));
}

/* `out` has been walked to an SRH with segments left: advances it, in the buffer and in `out`. */
static __always_inline int sr_end_advance(struct __sk_buff *skb, struct sr_outer_packet *out, __u32 *pointer)
{
	struct sr_srh srh;

	if (out->hop_limit <= 1)
		return -SR_DROP_HOP_LIMIT;
	if (bpf_skb_load_bytes(skb, out->upper, &srh, sizeof(srh)))
		return -SR_DROP_MALFORMED;
	*pointer = sr_outer_pointer(out->upper) + offsetof(struct sr_srh, left);
	if (srh.last + 1 > srh.len / 2 || srh.left > srh.last + 1)
		return -SR_DROP_BAD_SRH;
	if (out->upper + (srh.len + 1) * 8 > out->end)
		return -SR_DROP_MALFORMED;
	out->hop_limit--;
	out->left = srh.left - 1;
	if (bpf_skb_load_bytes(skb, out->upper + sizeof(srh) + out->left * sizeof(out->dst), &out->dst,
			       sizeof(out->dst)))
		return -SR_DROP_MALFORMED;
	return sr_end_write(skb, out, out->upper);
}

/* To the new destination, by the kernel's routes for packets that come in here; counted at the SID that sends it on. */
static __always_inline int sr_end_send(struct __sk_buff *skb, const struct sr_outer_packet *out,
				       const struct sr_bpf_sid *sid)
{
	struct sr_bpf_counter *c = bpf_map_lookup_elem(&sr_sid_stats, &sid->stats);
	__u32 len = skb->gso_size ? 0 : out->end - ETH_HLEN;
	struct sr_way way;
	int r = sr_fib_lookup(skb, &way, skb->ifindex, &out->src.in6, &out->dst.in6, out->label, len);

	if (r)
		return r;
	if (c)
		sr_count(c, sr_packets(skb), skb->len - ETH_HLEN);
	return sr_fib_send(&way);
}

#endif
