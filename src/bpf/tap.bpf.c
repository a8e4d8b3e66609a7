// SPDX-License-Identifier: GPL-2.0-only
/* TC ingress of a tap: a VM's packets on their way into the fabric or to another tap of this node. */
#include <linux/pkt_cls.h>

#include "maps.h"

SEC("tc")
int sr_from_tap(struct __sk_buff *skb)
{
	__u32 ifindex = skb->ifindex;

	return bpf_map_lookup_elem(&sr_ports, &ifindex) && sr_config.hop_limit ? TC_ACT_OK : TC_ACT_SHOT;
}
