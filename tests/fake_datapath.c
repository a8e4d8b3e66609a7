/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VRFs and next hops are arrays by id, ports and uplinks short lists, routes a tree. Next hops count the routes
 * to them, VRFs the ports and routes inside them, which is what the order of use is checked with.
 */
#include "fake_datapath.h"

#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAKE_LIST_MAX 4096

struct fake_route {
	struct fake_route_key {
		uint32_t vrf;
		struct in6_addr addr;
		uint32_t len;
	} key;
	uint32_t nexthop;
};

struct fake_dp {
	struct sr_dp dp;
	uint32_t max_vrfs, max_nexthops, max_routes;
	struct fake_vrf {
		bool there;
		size_t users;
		struct sr_dp_vrf v;
	} * vrfs;
	struct fake_nexthop {
		size_t users;
		struct sr_dp_nexthop v; /* all zero: not there */
	} * nexthops;
	void *routes; /* tsearch's tree of struct fake_route */
	size_t n_routes;
	size_t n_ports, n_uplinks, n_gone;
	struct sr_dp_port ports[FAKE_LIST_MAX];
	uint32_t uplinks[FAKE_LIST_MAX];
	uint32_t gone[FAKE_LIST_MAX];
	uint32_t mtu;
	struct {
		size_t after;
		int error;
	} fail[FAKE_OP_MAX];
	size_t calls[FAKE_OP_MAX];
	size_t routes_written;
	char violation[160];
};

static struct fake_dp *fake(const struct sr_dp *dp)
{
	return (struct fake_dp *)dp;
}

static void *alloc(size_t n, size_t size)
{
	void *p = calloc(n, size);

	if (!p)
		abort();
	return p;
}

/* Counts the call; the error to fail with, or 0. */
static int enter(struct fake_dp *f, enum fake_op op)
{
	f->calls[op]++;
	if (!f->fail[op].error)
		return 0;
	if (!f->fail[op].after)
		return f->fail[op].error;
	f->fail[op].after--;
	return 0;
}

static int breach(struct fake_dp *f, int error, const char *what, uint32_t id)
{
	if (!f->violation[0])
		snprintf(f->violation, sizeof(f->violation), "%s (%u)", what, id);
	return error;
}

static bool vrf_there(const struct fake_dp *f, uint32_t id)
{
	return id && id <= f->max_vrfs && f->vrfs[id].there;
}

static bool nexthop_there(const struct fake_dp *f, uint32_t id)
{
	return id && id <= f->max_nexthops && (f->nexthops[id].v.kind != SR_NH_NONE || f->nexthops[id].v.cookie);
}

static bool list_has(const uint32_t *list, size_t n, uint32_t v)
{
	for (size_t i = 0; i < n; i++)
		if (list[i] == v)
			return true;
	return false;
}

static void list_add(uint32_t *list, size_t *n, uint32_t v)
{
	if (list_has(list, *n, v))
		return;
	if (*n == FAKE_LIST_MAX)
		abort();
	list[(*n)++] = v;
}

static void fake_close(struct sr_dp *dp)
{
	if (dp)
		enter(fake(dp), FAKE_CLOSE);
}

static void routes_clear(struct fake_dp *f)
{
	tdestroy(f->routes, free);
	f->routes = NULL;
	f->n_routes = 0;
}

static int fake_destroy(struct sr_dp *dp)
{
	struct fake_dp *f = fake(dp);
	int r = enter(f, FAKE_DESTROY);

	if (r)
		return r;
	routes_clear(f);
	memset(f->vrfs, 0, (f->max_vrfs + 1) * sizeof(*f->vrfs));
	memset(f->nexthops, 0, (f->max_nexthops + 1) * sizeof(*f->nexthops));
	f->n_ports = f->n_uplinks = 0;
	f->mtu = 0;
	return 0;
}

static int fake_uplink_set(struct sr_dp *dp, uint32_t ifindex)
{
	struct fake_dp *f = fake(dp);
	int r = enter(f, FAKE_UPLINK_SET);

	if (r)
		return r;
	if (list_has(f->gone, f->n_gone, ifindex))
		return -ENODEV;
	list_add(f->uplinks, &f->n_uplinks, ifindex);
	return 0;
}

static int fake_uplink_del(struct sr_dp *dp, uint32_t ifindex)
{
	struct fake_dp *f = fake(dp);
	int r = enter(f, FAKE_UPLINK_DEL);

	if (r)
		return r;
	for (size_t i = 0; i < f->n_uplinks; i++)
		if (f->uplinks[i] == ifindex) {
			f->uplinks[i] = f->uplinks[--f->n_uplinks];
			break;
		}
	return 0;
}

static int fake_mtu_set(struct sr_dp *dp, uint32_t mtu)
{
	struct fake_dp *f = fake(dp);
	int r = enter(f, FAKE_MTU_SET);

	if (!r)
		f->mtu = mtu;
	return r;
}

static int fake_vrf_set(struct sr_dp *dp, uint32_t id, const struct sr_dp_vrf *vrf)
{
	struct fake_dp *f = fake(dp);
	int r = enter(f, FAKE_VRF_SET);

	if (r)
		return r;
	if (!id)
		return breach(f, -EINVAL, "VRF id 0", id);
	if (id > f->max_vrfs)
		return breach(f, -ENOSPC, "VRF id beyond the limit", id);
	for (uint32_t i = 1; i <= f->max_vrfs; i++)
		if (i != id && f->vrfs[i].there && f->vrfs[i].v.function.v == vrf->function.v)
			return breach(f, -EEXIST, "function taken by another VRF", i);
	f->vrfs[id].there = true;
	f->vrfs[id].v = *vrf;
	return 0;
}

static int fake_vrf_del(struct sr_dp *dp, uint32_t id)
{
	struct fake_dp *f = fake(dp);
	int r = enter(f, FAKE_VRF_DEL);

	if (r || !vrf_there(f, id))
		return r;
	if (f->vrfs[id].users)
		return breach(f, -EBUSY, "VRF removed before its ports and routes", id);
	f->vrfs[id].there = false;
	return 0;
}

static struct sr_dp_port *port_find(struct fake_dp *f, uint32_t ifindex)
{
	for (size_t i = 0; i < f->n_ports; i++)
		if (f->ports[i].ifindex == ifindex)
			return &f->ports[i];
	return NULL;
}

static void port_unlink(struct fake_dp *f, struct sr_dp_port *port)
{
	f->vrfs[port->vrf].users--;
	*port = f->ports[--f->n_ports];
}

static int fake_port_set(struct sr_dp *dp, const struct sr_dp_port *port)
{
	struct fake_dp *f = fake(dp);
	int r = enter(f, FAKE_PORT_SET);
	struct sr_dp_port *old;

	if (r)
		return r;
	if (list_has(f->gone, f->n_gone, port->ifindex))
		return -ENODEV;
	if (!vrf_there(f, port->vrf))
		return breach(f, -ENOENT, "port before its VRF", port->vrf);
	old = port_find(f, port->ifindex);
	if (old)
		port_unlink(f, old);
	if (f->n_ports == FAKE_LIST_MAX)
		return -ENOSPC;
	f->ports[f->n_ports++] = *port;
	f->vrfs[port->vrf].users++;
	return 0;
}

static int fake_port_del(struct sr_dp *dp, uint32_t ifindex)
{
	struct fake_dp *f = fake(dp);
	int r = enter(f, FAKE_PORT_DEL);
	struct sr_dp_port *port;

	if (r)
		return r;
	port = port_find(f, ifindex);
	if (port)
		port_unlink(f, port);
	return 0;
}

static int fake_nexthop_set(struct sr_dp *dp, uint32_t id, const struct sr_dp_nexthop *nh)
{
	struct fake_dp *f = fake(dp);
	int r = enter(f, FAKE_NEXTHOP_SET);

	if (r)
		return r;
	if (!id)
		return breach(f, -EINVAL, "next hop id 0", id);
	if (id > f->max_nexthops)
		return breach(f, -ENOSPC, "next hop id beyond the limit", id);
	if (nh->kind == SR_NH_SIDS && (!nh->n_segs || nh->n_segs > SR_SEGS_MAX))
		return breach(f, -EINVAL, "next hop with a bad number of segments", id);
	f->nexthops[id].v = *nh;
	return 0;
}

static int fake_nexthop_del(struct sr_dp *dp, uint32_t id)
{
	struct fake_dp *f = fake(dp);
	int r = enter(f, FAKE_NEXTHOP_DEL);

	if (r || !nexthop_there(f, id))
		return r;
	if (f->nexthops[id].users)
		return breach(f, -EBUSY, "next hop removed before the routes to it", id);
	memset(&f->nexthops[id].v, 0, sizeof(f->nexthops[id].v));
	return 0;
}

static int route_compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct fake_route_key)); /* no padding in it */
}

static struct fake_route *route_find(const struct fake_dp *f, uint32_t vrf, const struct sr_prefix *dst)
{
	const struct fake_route_key key = {.vrf = vrf, .addr = dst->addr, .len = dst->len};
	void *at = tfind(&key, &f->routes, route_compare);

	return at ? *(struct fake_route **)at : NULL;
}

static void route_unlink(struct fake_dp *f, struct fake_route *r)
{
	f->vrfs[r->key.vrf].users--;
	f->nexthops[r->nexthop].users--;
	tdelete(r, &f->routes, route_compare);
	f->n_routes--;
	free(r);
}

static void route_link(struct fake_dp *f, const struct sr_dp_route *route)
{
	struct fake_route *r = alloc(1, sizeof(*r));

	r->key = (struct fake_route_key){.vrf = route->vrf, .addr = route->dst.addr, .len = route->dst.len};
	r->nexthop = route->nexthop;
	if (!tsearch(r, &f->routes, route_compare))
		abort();
	f->n_routes++;
	f->vrfs[route->vrf].users++;
	f->nexthops[route->nexthop].users++;
}

static int route_apply(struct fake_dp *f, const struct sr_dp_route *route)
{
	struct fake_route *r = route_find(f, route->vrf, &route->dst);

	if (!route->nexthop) {
		if (r)
			route_unlink(f, r);
		return 0;
	}
	if (!vrf_there(f, route->vrf))
		return breach(f, -ENOENT, "route before its VRF", route->vrf);
	if (!nexthop_there(f, route->nexthop))
		return breach(f, -ENOENT, "route before its next hop", route->nexthop);
	if (!r && f->n_routes >= f->max_routes)
		return -ENOSPC;
	if (r)
		route_unlink(f, r);
	route_link(f, route);
	return 0;
}

static int fake_routes(struct sr_dp *dp, const struct sr_dp_route *routes, size_t n, size_t *ret_done)
{
	struct fake_dp *f = fake(dp);
	int r = 0;
	size_t i;

	f->calls[FAKE_ROUTES]++;
	for (i = 0; i < n; i++) {
		if (f->fail[FAKE_ROUTES].error) {
			r = f->fail[FAKE_ROUTES].after ? 0 : f->fail[FAKE_ROUTES].error;
			if (!r)
				f->fail[FAKE_ROUTES].after--;
		}
		if (!r)
			r = route_apply(f, &routes[i]);
		if (r)
			break;
		f->routes_written++;
	}
	*ret_done = i;
	return r;
}

struct route_dump {
	const struct sr_dp_dump *cb;
	void *ctx;
	int ret;
};

static void dump_route(const void *node, VISIT visit, void *closure)
{
	const struct fake_route *r = *(struct fake_route *const *)node;
	const struct sr_dp_route route = {
		.vrf = r->key.vrf, .nexthop = r->nexthop, .dst = {.addr = r->key.addr, .len = (uint8_t)r->key.len}};
	struct route_dump *d = closure;

	if ((visit == postorder || visit == leaf) && !d->ret)
		d->ret = d->cb->routes(d->ctx, &route, 1);
}

static int dump_routes(struct fake_dp *f, const struct sr_dp_dump *cb, void *ctx)
{
	struct route_dump d = {.cb = cb, .ctx = ctx};

	twalk_r(f->routes, dump_route, &d);
	return d.ret;
}

static int dump_ids(struct fake_dp *f, const struct sr_dp_dump *cb, void *ctx)
{
	int r = 0;

	for (uint32_t id = 1; cb->vrf && !r && id <= f->max_vrfs; id++)
		if (f->vrfs[id].there)
			r = cb->vrf(ctx, id, &f->vrfs[id].v);
	for (uint32_t id = 1; cb->nexthop && !r && id <= f->max_nexthops; id++)
		if (nexthop_there(f, id))
			r = cb->nexthop(ctx, id, &f->nexthops[id].v);
	return r;
}

static int fake_dump(struct sr_dp *dp, const struct sr_dp_dump *cb, void *ctx)
{
	struct fake_dp *f = fake(dp);
	int r = enter(f, FAKE_DUMP);

	for (size_t i = 0; cb->uplink && !r && i < f->n_uplinks; i++)
		r = cb->uplink(ctx, f->uplinks[i]);
	if (!r)
		r = dump_ids(f, cb, ctx);
	for (size_t i = 0; cb->port && !r && i < f->n_ports; i++)
		r = cb->port(ctx, &f->ports[i]);
	if (!r && cb->routes)
		r = dump_routes(f, cb, ctx);
	return r;
}

/* No traffic, so each VRF's counters and all drops are zero; SIDs are not the fake's. */
static int fake_counters(struct sr_dp *dp, const struct sr_dp_counters *cb, void *ctx)
{
	const struct sr_bpf_vrf_stats none = {0};
	struct fake_dp *f = fake(dp);
	int r = enter(f, FAKE_COUNTERS);

	for (uint32_t id = 1; cb->vrf && !r && id <= f->max_vrfs; id++)
		if (f->vrfs[id].there)
			r = cb->vrf(ctx, id, &none);
	return r;
}

static const struct sr_dp_ops fake_ops = {
	.name = "fake",
	.close = fake_close,
	.destroy = fake_destroy,
	.uplink_set = fake_uplink_set,
	.uplink_del = fake_uplink_del,
	.mtu_set = fake_mtu_set,
	.vrf_set = fake_vrf_set,
	.vrf_del = fake_vrf_del,
	.port_set = fake_port_set,
	.port_del = fake_port_del,
	.nexthop_set = fake_nexthop_set,
	.nexthop_del = fake_nexthop_del,
	.routes = fake_routes,
	.dump = fake_dump,
	.counters = fake_counters,
};

struct sr_dp *fake_dp_new(uint32_t max_vrfs, uint32_t max_nexthops, uint32_t max_routes)
{
	struct fake_dp *f = alloc(1, sizeof(*f));

	f->dp.ops = &fake_ops;
	f->max_vrfs = max_vrfs;
	f->max_nexthops = max_nexthops;
	f->max_routes = max_routes;
	f->vrfs = alloc(max_vrfs + 1, sizeof(*f->vrfs));
	f->nexthops = alloc(max_nexthops + 1, sizeof(*f->nexthops));
	return &f->dp;
}

void fake_dp_free(struct sr_dp *dp)
{
	struct fake_dp *f = fake(dp);

	if (!f)
		return;
	routes_clear(f);
	free(f->vrfs);
	free(f->nexthops);
	free(f);
}

void fake_dp_fail(struct sr_dp *dp, enum fake_op op, size_t after, int error)
{
	fake(dp)->fail[op].after = after;
	fake(dp)->fail[op].error = error;
}

size_t fake_dp_calls(const struct sr_dp *dp, enum fake_op op)
{
	return fake(dp)->calls[op];
}

size_t fake_dp_routes_written(const struct sr_dp *dp)
{
	return fake(dp)->routes_written;
}

size_t fake_dp_writes(const struct sr_dp *dp)
{
	size_t n = 0;

	for (int op = FAKE_DESTROY; op <= FAKE_ROUTES; op++)
		n += fake(dp)->calls[op];
	return n;
}

void fake_dp_calls_reset(struct sr_dp *dp)
{
	memset(fake(dp)->calls, 0, sizeof(fake(dp)->calls));
	fake(dp)->routes_written = 0;
}

const struct sr_dp_vrf *fake_dp_vrf(const struct sr_dp *dp, uint32_t id)
{
	return vrf_there(fake(dp), id) ? &fake(dp)->vrfs[id].v : NULL;
}

const struct sr_dp_port *fake_dp_port(const struct sr_dp *dp, uint32_t ifindex)
{
	return port_find(fake(dp), ifindex);
}

const struct sr_dp_nexthop *fake_dp_nexthop(const struct sr_dp *dp, uint32_t id)
{
	return nexthop_there(fake(dp), id) ? &fake(dp)->nexthops[id].v : NULL;
}

uint32_t fake_dp_route(const struct sr_dp *dp, uint32_t vrf, const struct sr_prefix *dst)
{
	const struct fake_route *r = route_find(fake(dp), vrf, dst);

	return r ? r->nexthop : 0;
}

bool fake_dp_uplink(const struct sr_dp *dp, uint32_t ifindex)
{
	return list_has(fake(dp)->uplinks, fake(dp)->n_uplinks, ifindex);
}

uint32_t fake_dp_mtu(const struct sr_dp *dp)
{
	return fake(dp)->mtu;
}

size_t fake_dp_n_vrfs(const struct sr_dp *dp)
{
	size_t n = 0;

	for (uint32_t id = 1; id <= fake(dp)->max_vrfs; id++)
		n += vrf_there(fake(dp), id);
	return n;
}

size_t fake_dp_n_ports(const struct sr_dp *dp)
{
	return fake(dp)->n_ports;
}

size_t fake_dp_n_nexthops(const struct sr_dp *dp)
{
	size_t n = 0;

	for (uint32_t id = 1; id <= fake(dp)->max_nexthops; id++)
		n += nexthop_there(fake(dp), id);
	return n;
}

size_t fake_dp_n_routes(const struct sr_dp *dp)
{
	return fake(dp)->n_routes;
}

size_t fake_dp_n_uplinks(const struct sr_dp *dp)
{
	return fake(dp)->n_uplinks;
}

const char *fake_dp_violation(const struct sr_dp *dp)
{
	return fake(dp)->violation[0] ? fake(dp)->violation : NULL;
}

void fake_dp_ifindex_gone(struct sr_dp *dp, uint32_t ifindex)
{
	list_add(fake(dp)->gone, &fake(dp)->n_gone, ifindex);
}
