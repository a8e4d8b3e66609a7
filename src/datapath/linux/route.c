/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Next hops and routes. A route in the kernel has its next hop resolved; `wire` is what that comes to. A change is
 * written only where the wire differs: so a restart, after which the same routes have other next hop ids, writes none.
 */
#include "datapath/linux/linux.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

struct wire {
	enum { WIRE_NONE, WIRE_UNKNOWN, WIRE_HOLE, WIRE_PORT, WIRE_SEGS } kind; /* UNKNOWN: there, and equals nothing */
	uint32_t ifindex;							/* PORT */
	uint8_t mac[6];								/* PORT */
	size_t n_segs;
	struct sr_sid segs[SR_SEGS_MAX];
};

static void resolve(const struct sr_linux_vrf *vrf, const struct sr_dp_nexthop *nh, struct wire *ret)
{
	*ret = (struct wire){.kind = WIRE_HOLE};
	switch (nh->kind) {
	case SR_NH_NONE:
		break;
	case SR_NH_NODE:
		ret->kind = WIRE_SEGS;
		ret->n_segs = 1;
		ret->segs[0] = sr_sid_make(&nh->locator, vrf->vrf.function);
		break;
	case SR_NH_SIDS:
		ret->kind = WIRE_SEGS;
		ret->n_segs = nh->n_segs;
		memcpy(ret->segs, nh->segs, nh->n_segs * sizeof(nh->segs[0]));
		break;
	case SR_NH_PORT:
		ret->kind = WIRE_PORT;
		ret->ifindex = nh->ifindex;
		memcpy(ret->mac, nh->mac, sizeof(ret->mac));
		break;
	}
}

static bool wire_equal(const struct wire *a, const struct wire *b)
{
	if (a->kind != b->kind || a->kind == WIRE_UNKNOWN)
		return false;
	if (a->kind == WIRE_PORT)
		return a->ifindex == b->ifindex && memcmp(a->mac, b->mac, sizeof(a->mac)) == 0;
	return a->kind != WIRE_SEGS ||
	       (a->n_segs == b->n_segs && memcmp(a->segs, b->segs, a->n_segs * sizeof(a->segs[0])) == 0);
}

static void to_kernel(const struct sr_linux *dp, const struct sr_linux_vrf *vrf, const struct sr_prefix *dst,
		      const struct wire *wire, struct sr_kroute *ret)
{
	*ret = (struct sr_kroute){
		.dst = *dst,
		.table = vrf->table,
		.type = wire->kind == WIRE_HOLE	     ? RTN_BLACKHOLE
			: wire->kind == WIRE_UNKNOWN ? RTN_UNSPEC
						     : RTN_UNICAST,
		.protocol = RTPROT_BOOT,
		.metric = sr_prefix_is_v4(dst) ? 0 : SR_METRIC6,
	};
	if (wire->kind == WIRE_PORT)
		ret->oif = wire->ifindex;
	if (wire->kind != WIRE_SEGS)
		return;
	ret->oif = vrf->ifindex;
	ret->encap = SR_KENCAP_SEG6;
	ret->reduced = dp->reduced;
	ret->n_segs = wire->n_segs;
	memcpy(ret->segs, wire->segs, wire->n_segs * sizeof(wire->segs[0]));
}

/* ---- writing in batches */

/* A run of writes; each is noted, so that what the kernel refuses can be taken back in our table. */
struct run {
	struct sr_linux *dp;
	struct noted {
		struct sr_dp_route route; /* by number in the batch */
		uint32_t old_hop;
		size_t index; /* the caller's */
		bool optional;
	} * noted;
	unsigned int n;
	bool exclusive;	     /* there is one that fails where somebody else has a route */
	size_t failed_index; /* SIZE_MAX: none yet */
	int err;
};

static int run_init(struct run *run, struct sr_linux *dp)
{
	*run = (struct run){.dp = dp, .failed_index = SIZE_MAX};
	run->noted = malloc(SR_RTNL_BATCH_MAX * sizeof(*run->noted));
	return run->noted ? 0 : -ENOMEM;
}

static void on_failed(void *ctx, unsigned int number, int err)
{
	struct run *run = ctx;
	struct sr_table *table = &run->dp->table;
	const struct noted *noted = &run->noted[number];

	if (noted->optional)
		return;
	if (noted->index < run->failed_index) {
		run->failed_index = noted->index;
		run->err = err;
	}
	/* Cannot fail: what it brings back was there, and the index and the array do not shrink. */
	sr_table_set(table, noted->route.vrf, &noted->route.dst, noted->old_hop);
	if (noted->old_hop)
		table->routes[sr_table_find(table, noted->route.vrf, &noted->route.dst)].stale = true;
}

static int run_flush(struct run *run)
{
	int r = sr_rtnl_batch_flush(&run->dp->batch, on_failed, run);

	if (r < 0)
		run->dp->unsure = true;
	run->n = 0;
	run->exclusive = false;
	return r;
}

/* A message to build, noted with what it is about. */
static int run_next(struct run *run, const struct noted *noted, struct nlmsghdr **ret)
{
	int r;

	*ret = sr_rtnl_batch_next(&run->dp->batch);
	if (!*ret) {
		r = run_flush(run);
		if (r < 0)
			return r;
		*ret = sr_rtnl_batch_next(&run->dp->batch);
	}
	run->noted[run->n++] = *noted;
	return 0;
}

/* A host's neighbour entry goes with its route to a tap: the kernel need not ask, and nobody else can answer. */
static int put_neighbour(struct run *run, const struct noted *noted, const struct wire *wire, bool there)
{
	struct noted optional = *noted;
	struct nlmsghdr *message;
	int r;

	if (wire->kind != WIRE_PORT || !sr_prefix_is_host(&noted->route.dst))
		return 0;
	optional.optional = !there;
	r = run_next(run, &optional, &message);
	if (r == 0)
		sr_kneigh_put(message, wire->ifindex, &noted->route.dst, wire->mac, there);
	return r;
}

/* Turns a route from what it is to what it should be; either may be WIRE_NONE. */
static int run_route(struct run *run, const struct noted *noted, const struct wire *old, const struct wire *new)
{
	const struct sr_linux_vrf *vrf = &run->dp->vrfs[noted->route.vrf];
	/* A route of somebody else's in the same place is left alone: EEXIST. */
	bool exclusive = old->kind == WIRE_NONE && !run->dp->unsure;
	uint16_t flags = NLM_F_CREATE | (exclusive ? NLM_F_EXCL : NLM_F_REPLACE);
	const struct wire *said = new->kind == WIRE_NONE ? old : new;
	struct noted note = *noted;
	struct nlmsghdr *message;
	struct sr_kroute route;
	int r;

	to_kernel(run->dp, vrf, &noted->route.dst, said, &route);
	/* A route that the kernel has dropped by itself, with its device, is removed all the same. */
	note.optional = new->kind == WIRE_NONE;
	r = run_next(run, &note, &message);
	if (r < 0)
		return r;
	if (new->kind == WIRE_NONE)
		sr_kroute_put(message, RTM_DELROUTE, 0, &route);
	else
		sr_kroute_put(message, RTM_NEWROUTE, flags, &route);
	run->exclusive |= exclusive;
	if (!(old->kind == WIRE_PORT && new->kind == WIRE_PORT && old->ifindex == new->ifindex))
		r = put_neighbour(run, noted, old, false);
	return r < 0 ? r : put_neighbour(run, noted, new, true);
}

/* What a route is, by our table. */
static void wire_there(const struct sr_linux *dp, const struct sr_table_route *route, struct wire *ret)
{
	resolve(&dp->vrfs[route->vrf], &dp->hops[route->hop].nh, ret);
	if (route->hole || route->stale)
		*ret = (struct wire){.kind = route->stale ? WIRE_UNKNOWN : WIRE_HOLE};
}

static void written(struct sr_table_route *route, bool hole)
{
	route->hole = hole;
	route->stale = false;
}

/* What it should be. A tap is made ready first; where it is gone, a blackhole stands in until we hear of that. */
static int wire_wanted(struct sr_linux *dp, uint32_t vrf, const struct sr_dp_nexthop *nh, struct wire *ret, bool *hole)
{
	int r;

	*hole = false;
	resolve(&dp->vrfs[vrf], nh, ret);
	if (ret->kind != WIRE_PORT)
		return 0;
	r = sr_linux_attach(dp, ret->ifindex, vrf);
	if (r != -ENODEV)
		return r;
	*hole = true;
	*ret = (struct wire){.kind = WIRE_HOLE};
	return 0;
}

/* ---- routes */

/* Is it about a destination that this batch writes only if nobody else has a route there? That is to be known first. */
static bool depends(const struct run *run, const struct sr_dp_route *route)
{
	for (unsigned int i = 0; run->exclusive && i < run->n; i++)
		if (!run->noted[i].old_hop && run->noted[i].route.vrf == route->vrf &&
		    sr_prefix_equal(&run->noted[i].route.dst, &route->dst))
			return true;
	return false;
}

static int route_apply(struct run *run, const struct sr_dp_route *route, size_t index)
{
	struct sr_linux *dp = run->dp;
	uint32_t pos = sr_table_find(&dp->table, route->vrf, &route->dst);
	struct wire old = {.kind = WIRE_NONE}, new = {.kind = WIRE_NONE};
	struct noted noted = {.route = *route, .index = index};
	bool hole = false;
	int r = 0;

	if (!sr_linux_vrf(dp, route->vrf) || route->nexthop > dp->max_hops ||
	    (route->nexthop && !dp->hops[route->nexthop].there))
		return -ENOENT;
	if (pos != SR_TABLE_NONE && depends(run, route)) {
		r = run_flush(run);
		if (r < 0 || run->err)
			return r;
		pos = sr_table_find(&dp->table, route->vrf, &route->dst);
	}
	if (pos != SR_TABLE_NONE) {
		wire_there(dp, &dp->table.routes[pos], &old);
		noted.old_hop = dp->table.routes[pos].hop;
	}
	if (route->nexthop)
		r = wire_wanted(dp, route->vrf, &dp->hops[route->nexthop].nh, &new, &hole);
	if (r == 0)
		r = sr_table_set(&dp->table, route->vrf, &route->dst, route->nexthop);
	if (r < 0)
		return r;
	if (route->nexthop)
		written(&dp->table.routes[sr_table_find(&dp->table, route->vrf, &route->dst)], hole);
	return wire_equal(&old, &new) ? 0 : run_route(run, &noted, &old, &new);
}

int sr_linux_routes(struct sr_dp *base, const struct sr_dp_route *routes, size_t n, size_t *ret_done)
{
	struct run run;
	size_t i;
	int r, w;

	*ret_done = 0;
	r = run_init(&run, sr_linux(base));
	if (r < 0)
		return r;
	for (i = 0; i < n && r == 0 && run.err == 0; i++)
		r = route_apply(&run, &routes[i], i);
	w = run_flush(&run);
	free(run.noted);
	if (run.err) { /* those behind it were taken or will be said again, which is the same */
		*ret_done = run.failed_index;
		return run.err;
	}
	*ret_done = w < 0 ? 0 : r < 0 ? i - 1 : n;
	return w < 0 ? w : r;
}

/* ---- next hops */

/* Writes the routes of a hop that are not yet what `new` comes to; all: nor can be relied upon to be. */
static int rewrite(struct sr_linux *dp, uint32_t id, bool all, const struct sr_dp_nexthop *new)
{
	struct run run;
	int r = run_init(&run, dp), w;

	for (uint32_t pos = sr_table_first(&dp->table, id); r == 0 && pos != SR_TABLE_NONE;
	     pos = dp->table.routes[pos].next) {
		struct sr_table_route *route = &dp->table.routes[pos];
		struct noted noted = {.route = {route->vrf, id, route->dst}, .old_hop = id};
		struct wire was, is;
		bool hole;

		wire_there(dp, route, &was);
		if (all)
			was = (struct wire){.kind = WIRE_UNKNOWN};
		r = wire_wanted(dp, route->vrf, new, &is, &hole);
		if (r < 0)
			break;
		written(route, hole);
		if (!wire_equal(&was, &is))
			r = run_route(&run, &noted, &was, &is);
	}
	w = run_flush(&run);
	free(run.noted);
	return r < 0 ? r : w < 0 ? w : run.err;
}

int sr_linux_nexthop_set(struct sr_dp *base, uint32_t id, const struct sr_dp_nexthop *nh)
{
	struct sr_linux *dp = sr_linux(base);
	int r = 0;

	if (id == 0 || id > dp->max_hops)
		return id ? -ENOSPC : -EINVAL;
	if (nh->kind > SR_NH_PORT)
		return -EINVAL;
	if (nh->kind == SR_NH_SIDS && (nh->n_segs == 0 || nh->n_segs > SR_SEGS_MAX))
		return -EINVAL;
	if (dp->hops[id].there)
		r = rewrite(dp, id, false, nh);
	if (r == 0)
		dp->hops[id] = (struct sr_linux_hop){.there = true, .nh = *nh};
	else /* some are written for the new, some for the old */
		for (uint32_t pos = sr_table_first(&dp->table, id); pos != SR_TABLE_NONE;
		     pos = dp->table.routes[pos].next)
			dp->table.routes[pos].stale = true;
	return r;
}

int sr_linux_nexthop_del(struct sr_dp *base, uint32_t id)
{
	struct sr_linux *dp = sr_linux(base);

	if (id == 0 || id > dp->max_hops)
		return 0;
	if (sr_table_first(&dp->table, id) != SR_TABLE_NONE)
		return -EBUSY;
	dp->hops[id] = (struct sr_linux_hop){};
	return 0;
}

int sr_linux_rewrite_hop(struct sr_linux *dp, uint32_t hop)
{
	return rewrite(dp, hop, true, &dp->hops[hop].nh);
}

int sr_linux_rewrite_vrf(struct sr_linux *dp, uint32_t vrf)
{
	struct run run;
	int r = run_init(&run, dp), w;

	for (uint32_t pos = 0; r == 0 && pos < dp->table.n; pos++) {
		struct sr_table_route *route = &dp->table.routes[pos];
		struct noted noted = {.route = {vrf, route->hop, route->dst}, .old_hop = route->hop};
		struct wire was = {.kind = WIRE_UNKNOWN}, is;

		if (route->vrf != vrf || dp->hops[route->hop].nh.kind != SR_NH_NODE)
			continue;
		resolve(&dp->vrfs[vrf], &dp->hops[route->hop].nh, &is);
		written(route, false);
		r = run_route(&run, &noted, &was, &is);
	}
	w = run_flush(&run);
	free(run.noted);
	return r < 0 ? r : w < 0 ? w : run.err;
}
