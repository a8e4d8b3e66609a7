/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpf/ttl.h - the one hop that a tenant's packet makes from VM to VM.
 *
 * Time to live or hop limit goes down once end to end: where the packet enters the fabric, or at a local delivery;
 * never at decapsulation. A packet that arrives with 1 is answered with Time Exceeded.
 *
 * RFC 1812 section 5.3.1, RFC 8200 section 3, RFC 8986 section 5.1; RFC 1624 for the checksum.
 */
#ifndef SR_BPF_TTL_H
#define SR_BPF_TTL_H

#include "packet.h"

static __always_inline int sr_ttl_check(const struct sr_packet *pkt)
{
	return pkt->ttl <= 1 ? -SR_DROP_TTL : 0;
}

/* After sr_ttl_check. One from the upper byte of a checksummed word: the checksum goes up by 0x0100, in ones'
 * complement. */
static __always_inline int sr_ttl_decrement(struct __sk_buff *skb, const struct sr_packet *pkt)
{
	struct {
		__u8 ttl, proto;
		__be16 check;
	} word;
	__u32 check;

	if (pkt->version == 6) {
		__u8 limit = pkt->ttl - 1;

		return sr_helper(sr_store(skb, pkt->l3 + offsetof(struct ipv6hdr, hop_limit), &limit, sizeof(limit)));
	}
	__builtin_memcpy(&word, &pkt->word, sizeof(word));
	check = word.check + bpf_htons(0x0100);
	word.check = check + (check >= 0xffff);
	word.ttl--;
	return sr_helper(bpf_skb_store_bytes(skb, pkt->l3 + offsetof(struct iphdr, ttl), &word, sizeof(word), 0));
}

#endif
