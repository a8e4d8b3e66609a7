/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Next hops: one write moves every route behind one. The kernel copies an array's element in ascending words while
 * programs may read it, so for some nanoseconds a packet can see the new kind with what the old kind left unset, zeros,
 * which lead nowhere; what was another kind's is never left in an element.
 */
#include "datapath/ebpf/ebpf.h"

#include <errno.h>
#include <string.h>

static_assert(SR_SEGS_MAX == SR_BPF_SEGS_MAX, "one limit");

static int encode(const struct sr_dp_nexthop *nh, struct sr_bpf_nexthop *ret)
{
	struct sr_bpf_nexthop n;

	memset(&n, 0, sizeof(n));
	n.kind = (uint8_t)nh->kind;
	n.cookie = nh->cookie;
	switch (nh->kind) {
	case SR_NH_NONE:
		break;
	case SR_NH_NODE:
		n.n_segs = 1;
		n.segs[0] = sr_locator_prefix(&nh->locator).addr;
		break;
	case SR_NH_SIDS:
		if (!nh->n_segs || nh->n_segs > SR_SEGS_MAX)
			return -EINVAL;
		n.n_segs = (uint8_t)nh->n_segs;
		for (size_t i = 0; i < nh->n_segs; i++)
			n.segs[i] = nh->segs[i].a;
		break;
	case SR_NH_PORT:
		n.ifindex = nh->ifindex;
		memcpy(n.mac, nh->mac, sizeof(n.mac));
		break;
	default:
		return -EINVAL;
	}
	*ret = n;
	return 0;
}

int sr_ebpf_nexthop_set(struct sr_dp *base, uint32_t id, const struct sr_dp_nexthop *nh)
{
	struct sr_ebpf *dp = sr_ebpf(base);
	struct sr_bpf_nexthop value;
	int r;

	if (!id)
		return -EINVAL;
	if (id > dp->max_nexthops)
		return -ENOSPC;
	r = encode(nh, &value);
	return r ? r : sr_map_set(dp->maps[SR_MAP_NEXTHOPS], &id, &value);
}

int sr_ebpf_nexthop_del(struct sr_dp *base, uint32_t id)
{
	const struct sr_bpf_nexthop none = {0};
	struct sr_ebpf *dp = sr_ebpf(base);

	if (!id || id > dp->max_nexthops)
		return 0;
	return sr_map_set(dp->maps[SR_MAP_NEXTHOPS], &id, &none);
}
