/* SPDX-License-Identifier: GPL-2.0-only */
/* What is there, read back from the kernel: VRFs, next hops and ports from their maps, uplinks from the interfaces. */
#include "datapath/ebpf/ebpf.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct dump {
	struct sr_ebpf *dp;
	const struct sr_dp_dump *cb;
	void *ctx;
	enum sr_map map;	    /* of the routes being walked */
	struct sr_dp_route *routes; /* SR_BATCH of them */
};

static int dump_vrfs(const struct dump *d)
{
	struct sr_bpf_vrf entry;
	int r = 0;

	for (uint32_t id = 1; !r && id <= d->dp->max_vrfs; id++) {
		struct sr_dp_vrf vrf = {0};

		if (!sr_ebpf_vrf_active(d->dp, id))
			continue;
		r = bpf_map_lookup_elem(d->dp->maps[SR_MAP_VRFS], &id, &entry);
		if (r)
			break;
		memcpy(vrf.name, entry.name, sizeof(vrf.name));
		vrf.function.v = entry.function;
		vrf.mtu = entry.mtu;
		r = d->cb->vrf(d->ctx, id, &vrf);
	}
	return r;
}

static struct sr_dp_nexthop decode_nexthop(const struct sr_bpf_nexthop *entry)
{
	struct sr_dp_nexthop nh = {.kind = entry->kind, .cookie = entry->cookie};

	if (nh.kind == SR_NH_NODE)
		nh.locator = sr_sid_locator(&(struct sr_sid){entry->segs[0]});
	if (nh.kind == SR_NH_SIDS) {
		nh.n_segs = entry->n_segs;
		for (size_t i = 0; i < nh.n_segs; i++)
			nh.segs[i].a = entry->segs[i];
	}
	if (nh.kind == SR_NH_PORT) {
		nh.ifindex = entry->ifindex;
		memcpy(nh.mac, entry->mac, sizeof(nh.mac));
	}
	return nh;
}

static int dump_nexthops(void *ctx, const void *keys, const void *values, uint32_t n)
{
	const struct sr_bpf_nexthop *entries = values;
	const uint32_t *ids = keys;
	const struct dump *d = ctx;
	int r = 0;

	for (uint32_t i = 0; !r && i < n; i++) {
		const struct sr_dp_nexthop nh = decode_nexthop(&entries[i]);

		if (nh.kind != SR_NH_NONE || nh.cookie)
			r = d->cb->nexthop(d->ctx, ids[i], &nh);
	}
	return r;
}

static int dump_ports(void *ctx, const void *keys, const void *values, uint32_t n)
{
	const struct sr_bpf_port *entries = values;
	const uint32_t *ifindexes = keys;
	const struct dump *d = ctx;
	int r = 0;

	for (uint32_t i = 0; !r && i < n; i++) {
		const struct sr_bpf_port *p = &entries[i];
		struct sr_dp_port port = {
			.ifindex = ifindexes[i],
			.vrf = p->vrf,
			.nexthop = p->nexthop,
			.up = p->flags & SR_PORT_F_UP,
			.gateway4 = p->gateway4,
			.gateway6 = p->gateway6,
		};

		memcpy(port.id, p->id, sizeof(port.id));
		memcpy(port.mac, p->mac, sizeof(port.mac));
		r = d->cb->port(d->ctx, &port);
	}
	return r;
}

/* Uplinks, and taps that have our program but are no port. */
static int dump_interface(void *ctx, uint32_t ifindex)
{
	const struct sr_dp_port stray = {.ifindex = ifindex};
	const struct dump *d = ctx;
	struct sr_bpf_port entry;
	int r = 0;

	if (d->cb->uplink && sr_attached(ifindex, SR_PROG_UPLINK))
		r = d->cb->uplink(d->ctx, ifindex);
	if (!r && d->cb->port && bpf_map_lookup_elem(d->dp->maps[SR_MAP_PORTS], &ifindex, &entry) == -ENOENT &&
	    sr_attached(ifindex, SR_PROG_TAP))
		r = d->cb->port(d->ctx, &stray);
	return r;
}

static struct sr_prefix decode_prefix(enum sr_map map, const void *keys, uint32_t i, uint32_t *ret_vrf)
{
	const struct sr_bpf_host4_key *host4 = keys;
	const struct sr_bpf_host6_key *host6 = keys;
	const struct sr_bpf_lpm4_key *lpm4 = keys;
	const struct sr_bpf_lpm6_key *lpm6 = keys;

	switch (map) {
	case SR_MAP_HOST4:
		*ret_vrf = host4[i].vrf;
		return sr_prefix_v4(host4[i].addr, 32);
	case SR_MAP_HOST6:
		*ret_vrf = host6[i].vrf;
		return sr_prefix_v6(&host6[i].addr, 128);
	case SR_MAP_LPM4:
		*ret_vrf = ntohl(lpm4[i].vrf);
		return sr_prefix_v4(lpm4[i].addr, lpm4[i].prefixlen - 32);
	default:
		*ret_vrf = ntohl(lpm6[i].vrf);
		return sr_prefix_v6(&lpm6[i].addr, lpm6[i].prefixlen - 32);
	}
}

static int dump_batch(void *ctx, const void *keys, const void *values, uint32_t n)
{
	const uint32_t *nexthops = values;
	const struct dump *d = ctx;

	for (uint32_t i = 0; i < n; i++) {
		d->routes[i].dst = decode_prefix(d->map, keys, i, &d->routes[i].vrf);
		d->routes[i].nexthop = nexthops[i];
	}
	return d->cb->routes(d->ctx, d->routes, n);
}

static int dump_routes(struct dump *d)
{
	static const struct {
		enum sr_map map;
		size_t key_size;
	} maps[] = {
		{SR_MAP_HOST4, sizeof(struct sr_bpf_host4_key)},
		{SR_MAP_HOST6, sizeof(struct sr_bpf_host6_key)},
		{SR_MAP_LPM4, sizeof(struct sr_bpf_lpm4_key)},
		{SR_MAP_LPM6, sizeof(struct sr_bpf_lpm6_key)},
	};
	int r = 0;

	d->routes = calloc(SR_BATCH, sizeof(*d->routes));
	if (!d->routes)
		return -ENOMEM;
	for (size_t i = 0; !r && i < sizeof(maps) / sizeof(maps[0]); i++) {
		d->map = maps[i].map;
		r = sr_map_walk(d->dp->maps[d->map], maps[i].key_size, sizeof(uint32_t), dump_batch, d);
	}
	free(d->routes);
	return r;
}

int sr_ebpf_dump(struct sr_dp *base, const struct sr_dp_dump *cb, void *ctx)
{
	struct dump d = {.dp = sr_ebpf(base), .cb = cb, .ctx = ctx};
	int r = 0;

	if (cb->uplink || cb->port)
		r = sr_interfaces(dump_interface, &d);
	if (!r && cb->vrf)
		r = dump_vrfs(&d);
	if (!r && cb->nexthop)
		r = sr_map_walk(d.dp->maps[SR_MAP_NEXTHOPS], sizeof(uint32_t), sizeof(struct sr_bpf_nexthop),
				dump_nexthops, &d);
	if (!r && cb->port)
		r = sr_map_walk(d.dp->maps[SR_MAP_PORTS], sizeof(uint32_t), sizeof(struct sr_bpf_port), dump_ports, &d);
	if (!r && cb->routes)
		r = dump_routes(&d);
	return r;
}
