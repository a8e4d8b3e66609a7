// SPDX-License-Identifier: GPL-2.0-only
/* TC ingress of an uplink: packets of the fabric, of which those to this node's SIDs are ours. */
#include <linux/pkt_cls.h>

#include "maps.h"

SEC("tc")
int sr_from_uplink(struct __sk_buff *skb)
{
	return skb->ifindex && sr_config.hop_limit ? TC_ACT_OK : TC_ACT_OK;
}
