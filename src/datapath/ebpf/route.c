/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Routes, in batches. A run is the longest stretch of routes that go the same way (same map, all set or all removed)
 * and is one system call; runs are applied in order, so a later write to the same destination wins and *ret_done is
 * exact. Whoever has many mixed routes does well to sort them by family and kind.
 *
 * The flag that sends packets to a VRF's trie is raised before its first prefix is in, and stays until the VRF goes.
 */
#include "datapath/ebpf/ebpf.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

static enum sr_map map_of(const struct sr_prefix *dst)
{
	if (sr_prefix_is_v4(dst))
		return sr_prefix_is_host(dst) ? SR_MAP_HOST4 : SR_MAP_LPM4;
	return sr_prefix_is_host(dst) ? SR_MAP_HOST6 : SR_MAP_LPM6;
}

/* Writes the key to ret_key, returns its size. */
static size_t encode_key(enum sr_map map, const struct sr_dp_route *route, void *ret_key)
{
	const struct sr_prefix *dst = &route->dst;
	union {
		struct sr_bpf_host4_key host4;
		struct sr_bpf_host6_key host6;
		struct sr_bpf_lpm4_key lpm4;
		struct sr_bpf_lpm6_key lpm6;
	} key;
	size_t size;

	switch (map) {
	case SR_MAP_HOST4:
		key.host4 = (struct sr_bpf_host4_key){route->vrf, sr_prefix_addr4(dst)};
		size = sizeof(key.host4);
		break;
	case SR_MAP_HOST6:
		key.host6 = (struct sr_bpf_host6_key){route->vrf, dst->addr};
		size = sizeof(key.host6);
		break;
	case SR_MAP_LPM4:
		key.lpm4 = (struct sr_bpf_lpm4_key){32 + sr_prefix_len(dst), htonl(route->vrf), sr_prefix_addr4(dst)};
		size = sizeof(key.lpm4);
		break;
	default:
		key.lpm6 = (struct sr_bpf_lpm6_key){32 + sr_prefix_len(dst), htonl(route->vrf), dst->addr};
		size = sizeof(key.lpm6);
		break;
	}
	memcpy(ret_key, &key, size);
	return size;
}

/* Is the write one that can be, and everything ready for it? */
static int prepare(struct sr_ebpf *dp, enum sr_map map, const struct sr_dp_route *route)
{
	if (!route->nexthop)
		return 0;
	if (!sr_ebpf_vrf_active(dp, route->vrf))
		return -ENOENT;
	if (route->nexthop > dp->max_nexthops)
		return -EINVAL;
	if (map == SR_MAP_LPM4)
		return sr_ebpf_vrf_raise(dp, route->vrf, SR_VRF_F_LPM4);
	if (map == SR_MAP_LPM6)
		return sr_ebpf_vrf_raise(dp, route->vrf, SR_VRF_F_LPM6);
	return 0;
}

/* Applies the run that routes[0] starts; *ret_done of it also on failure. */
static int run(struct sr_ebpf *dp, const struct sr_dp_route *routes, size_t n, size_t *ret_done)
{
	enum sr_map map = map_of(&routes[0].dst);
	bool removal = !routes[0].nexthop;
	uint32_t count = 0, done;
	size_t key_size = 0;
	int r, refused = 0;

	while (count < n && count < SR_BATCH && map_of(&routes[count].dst) == map &&
	       !routes[count].nexthop == removal) {
		refused = prepare(dp, map, &routes[count]);
		if (refused)
			break;
		key_size = encode_key(map, &routes[count], dp->keys + count * key_size);
		dp->values[count] = routes[count].nexthop;
		count++;
	}
	r = sr_map_write(dp->maps[map], dp->keys, key_size, removal ? NULL : dp->values, count, &done);
	*ret_done = done;
	return r ? r : refused;
}

int sr_ebpf_routes(struct sr_dp *base, const struct sr_dp_route *routes, size_t n, size_t *ret_done)
{
	size_t total = 0, done;
	int r = 0;

	while (!r && total < n) {
		r = run(sr_ebpf(base), routes + total, n - total, &done);
		total += done;
	}
	*ret_done = total;
	return r;
}
