/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpf/rate.h - how many ICMP errors a second: a token bucket for each CPU and kind, which holds a second's worth.
 *
 * The bucket holds time: an error costs 1/rate of a second, and what passes is credited up to a whole one. Per CPU, so
 * nothing is shared; a node with n CPUs may send n times the rate.
 *
 * RFC 4443 section 2.4 (f), RFC 1812 section 4.3.2.8.
 */
#ifndef SR_BPF_RATE_H
#define SR_BPF_RATE_H

#include "packet.h"

#define SR_SECOND 1000000000ULL

static __always_inline bool sr_rate_take(enum sr_rate_kind kind)
{
	__u32 key = kind;
	struct sr_rate *bucket = bpf_map_lookup_elem(&sr_rates, &key);
	__u64 now = bpf_ktime_get_ns(), credit, cost;

	if (!bucket || !sr_config.icmp_rate)
		return false;
	cost = SR_SECOND / sr_config.icmp_rate;
	credit = bucket->credit + (now - bucket->last);
	if (!bucket->last || credit > SR_SECOND)
		credit = SR_SECOND;
	bucket->last = now;
	bucket->credit = credit < cost ? credit : credit - cost;
	return credit >= cost;
}

#endif
