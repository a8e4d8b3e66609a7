/* SPDX-License-Identifier: GPL-2.0-only */
/* agent/reconcile.c - one pass: compare and write; see engine.h for the order and why. */
#include "agent/engine_impl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUTE_BATCH 1024

/* Notes a failure, once in the log; the pass goes on and returns the first. */
static void failed(struct sr_engine *e, int *err, int r, const char *what, const char *name)
{
	e->stats.failures++;
	engine_log(e, SR_LOG_ERROR, "%s %s: %s", what, name, strerror(-r));
	if (*err == 0)
		*err = r;
}

/* Routes may be written, and what is not wanted removed: it is whole, and its VRF's record is here. */
static bool usable(const struct sr_vnet *vnet)
{
	return vnet->wanted && vnet->synced && vnet->known;
}

/* ---- uplinks */

static void mtu_apply(struct sr_engine *e, int *err)
{
	uint32_t mtu = e->config.mtu;
	int r;

	for (size_t i = 0; i < e->config.n_uplinks && !e->config.mtu; i++) {
		const struct link *link = engine_link_by_name(e, e->config.uplinks[i]);

		if (link && (mtu == 0 || link->mtu < mtu))
			mtu = link->mtu;
	}
	if (mtu == 0 || mtu == e->mtu)
		return;
	r = e->dp->ops->mtu_set(e->dp, mtu);
	if (r < 0)
		failed(e, err, r, "fabric", "mtu");
	else
		e->mtu = mtu;
}

static void uplink_apply(struct sr_engine *e, size_t i, int *err)
{
	const char *name = e->config.uplinks[i];
	const struct link *link = engine_link_by_name(e, name);
	int r;

	if (!link && e->uplinks[i])
		engine_log(e, SR_LOG_WARNING, "uplink %s is gone", name);
	if (!link || e->uplinks[i] == link->ifindex) {
		e->uplinks[i] = link ? link->ifindex : 0;
		return;
	}
	r = e->dp->ops->uplink_set(e->dp, link->ifindex);
	if (r < 0) {
		failed(e, err, r, "uplink", name);
		return;
	}
	e->uplinks[i] = link->ifindex;
	engine_log(e, SR_LOG_INFO, "uplink %s: taking SIDs' packets, mtu %u", name, link->mtu);
}

static bool is_uplink(struct sr_engine *e, uint32_t ifindex)
{
	for (size_t i = 0; i < e->config.n_uplinks; i++) {
		const struct link *link = engine_link_by_name(e, e->config.uplinks[i]);

		if (link && link->ifindex == ifindex)
			return true;
	}
	return false;
}

/* Interfaces that are uplinks no more, by the configuration. */
static void uplinks_remove(struct sr_engine *e, int *err)
{
	for (size_t i = 0; i < e->n_old_uplinks; i++) {
		int r = is_uplink(e, e->old_uplinks[i]) ? 0 : e->dp->ops->uplink_del(e->dp, e->old_uplinks[i]);

		if (r < 0) {
			failed(e, err, r, "uplink", "removal");
			return;
		}
	}
	e->n_old_uplinks = 0;
}

/*
 * Uplinks that have our program from before forward by what that had, which may be maps that were made anew since, and
 * are not whole yet (datapath.h, sr_dp_ebpf_open): they get this version's program when all was read and written.
 */
static void uplinks_apply(struct sr_engine *e, int *err)
{
	if (e->n_old_uplinks && (*err || !(e->nodes_synced && e->bindings_synced && sr_fabric_is_synced(e->fabric))))
		return;
	for (size_t i = 0; i < e->config.n_uplinks; i++)
		uplink_apply(e, i, err);
	uplinks_remove(e, err);
}

/* ---- VRFs */

static int vrf_apply(struct sr_engine *e, struct sr_vnet *vnet)
{
	struct vrf_had *had = &e->vrfs[vnet->id];
	struct sr_dp_vrf want;
	int r;

	memset(&want, 0, sizeof(want));
	memcpy(want.name, vnet->name, sizeof(want.name));
	want.function = vnet->info.vrf_ip;
	want.mtu = vnet->info.mtu;
	if (had->there && memcmp(had->vrf.name, want.name, sizeof(want.name)) == 0 &&
	    had->vrf.function.v == want.function.v && had->vrf.mtu == want.mtu)
		return 0;
	r = e->dp->ops->vrf_set(e->dp, vnet->id, &want);
	if (r < 0)
		return r;
	e->stats.vrf_writes++;
	if (!had->there)
		engine_log(e, SR_LOG_INFO, "VRF %s: ready as number %u", vnet->name, vnet->id);
	had->there = true;
	had->vrf = want;
	return 0;
}

/* ---- next hops */

/* A tap's next hop; kind NONE, which drops, while there is no tap or the port is to be down. */
static void resolve_port(struct sr_engine *e, const struct sr_uuid *id, struct sr_dp_nexthop *ret)
{
	const struct sr_local_port *lp = sr_fabric_local_port(e->fabric, id);
	const struct link *link;
	char tap[SR_TAP_NAME_SIZE];

	link = lp ? engine_link_by_name(e, sr_tap_name(id, tap)) : NULL;
	if (!link || !lp->port.admin_state_up)
		return;
	ret->kind = SR_NH_PORT;
	ret->ifindex = link->ifindex;
	memcpy(ret->mac, lp->port.mac.b, sizeof(ret->mac));
}

static void resolve(struct sr_engine *e, const struct sr_hop_key *key, struct sr_dp_nexthop *ret)
{
	const struct sr_node *node;

	switch (key->kind) {
	case SR_HOP_NODE:
		node = sr_fabric_node(e->fabric, key->node);
		if (!node)
			return;
		ret->kind = SR_NH_NODE;
		ret->locator = node->locator;
		return;
	case SR_HOP_LOCATOR:
		ret->kind = SR_NH_NODE;
		ret->locator = key->locator;
		return;
	case SR_HOP_SIDS:
		ret->kind = SR_NH_SIDS;
		ret->n_segs = key->n_segs;
		memcpy(ret->segs, key->segs, key->n_segs * sizeof(key->segs[0]));
		return;
	case SR_HOP_PORT:
		resolve_port(e, &key->port, ret);
		return;
	}
}

static bool hop_equal(const struct sr_dp_nexthop *a, const struct sr_dp_nexthop *b)
{
	if (a->kind != b->kind || a->cookie != b->cookie)
		return false;
	switch (a->kind) {
	case SR_NH_NONE:
		return true;
	case SR_NH_NODE:
		return sr_locator_equal(&a->locator, &b->locator);
	case SR_NH_SIDS:
		return a->n_segs == b->n_segs && memcmp(a->segs, b->segs, a->n_segs * sizeof(a->segs[0])) == 0;
	case SR_NH_PORT:
		return a->ifindex == b->ifindex && memcmp(a->mac, b->mac, sizeof(a->mac)) == 0;
	}
	return false;
}

static void hop_describe(const struct sr_hop_key *key, char buf[static 80])
{
	char text[64] = "";

	if (key->kind == SR_HOP_NODE)
		snprintf(text, sizeof(text), "%s", key->node);
	else if (key->kind == SR_HOP_LOCATOR)
		sr_locator_format(&key->locator, text);
	else if (key->kind == SR_HOP_SIDS)
		sr_sid_format(&key->segs[0], text);
	else
		sr_uuid_format(&key->port, text);
	snprintf(buf, 80, "%s", text);
}

static void hops_apply(struct sr_engine *e, int *err)
{
	struct sr_hops *hops = sr_fabric_hops(e->fabric);
	uint32_t failed_ids[16];
	size_t n_failed = 0;
	uint32_t id;

	while (n_failed < 16 && (id = sr_hops_take_dirty(hops))) {
		const struct sr_hop_key *key = sr_hops_key(hops, id);
		struct sr_dp_nexthop want = {.cookie = sr_hops_cookie(hops, id)};
		char name[80];
		int r;

		resolve(e, key, &want);
		if (e->hops_there[id] && hop_equal(&want, &e->hops[id]))
			continue;
		r = e->dp->ops->nexthop_set(e->dp, id, &want);
		if (r < 0) {
			hop_describe(key, name);
			failed(e, err, r, "next hop", name);
			failed_ids[n_failed++] = id;
			continue;
		}
		e->stats.hop_writes++;
		if (key->kind == SR_HOP_NODE && want.kind == SR_NH_NONE)
			engine_log(e, SR_LOG_WARNING, "node %s is not in the store: packets to its ports are dropped",
				   key->node);
		e->hops[id] = want;
		e->hops_there[id] = true;
	}
	while (n_failed > 0)
		sr_hops_mark(hops, failed_ids[--n_failed]);
}

/* Next hops of taps resolve by the links: look at them again where either may have changed. */
static void mark_port_hops(struct sr_engine *e)
{
	for (struct sr_local_port *lp = sr_fabric_local_ports(e->fabric); lp; lp = lp->hh.next)
		sr_hops_mark(sr_fabric_hops(e->fabric), lp->hop);
}

static void hops_remove_idle(struct sr_engine *e, int *err)
{
	struct sr_hops *hops = sr_fabric_hops(e->fabric);
	uint32_t id;
	int r;

	while ((id = sr_hops_take_idle(hops))) {
		r = e->hops_there[id] ? e->dp->ops->nexthop_del(e->dp, id) : 0;
		if (r < 0) {
			sr_hops_idle(hops, id);
			failed(e, err, r, "next hop", "removal");
			return;
		}
		e->hops_there[id] = false;
		e->hops[id] = (struct sr_dp_nexthop){0};
		sr_hops_release(hops, id);
	}
}

/* ---- ports */

static void port_gateways(const struct sr_local_port *lp, struct sr_dp_port *ret)
{
	const struct sr_vrf *info = &lp->vnet->info;

	for (size_t i = 0; i < info->n_subnets; i++) {
		const struct sr_subnet *subnet = &info->subnets[i];
		struct sr_prefix gateway = {.addr = subnet->gateway, .len = 128};

		for (size_t j = 0; j < lp->port.n_addrs; j++) {
			struct sr_prefix addr = {.addr = lp->port.addrs[j], .len = 128};

			if (!sr_prefix_contains(&subnet->cidr, &addr))
				continue;
			if (sr_prefix_is_v4(&gateway) && !ret->gateway4)
				ret->gateway4 = sr_prefix_addr4(&gateway);
			else if (!sr_prefix_is_v4(&gateway) && IN6_IS_ADDR_UNSPECIFIED(&ret->gateway6))
				ret->gateway6 = subnet->gateway;
		}
	}
}

static void port_want(const struct sr_local_port *lp, uint32_t ifindex, struct sr_dp_port *ret)
{
	*ret = (struct sr_dp_port){
		.ifindex = ifindex,
		.vrf = lp->vnet->id,
		.nexthop = lp->hop,
		.up = lp->port.admin_state_up,
	};
	memcpy(ret->id, lp->port.id.b, sizeof(ret->id));
	memcpy(ret->mac, lp->port.mac.b, sizeof(ret->mac));
	port_gateways(lp, ret);
}

static bool port_equal(const struct sr_dp_port *a, const struct sr_dp_port *b)
{
	return a->vrf == b->vrf && a->nexthop == b->nexthop && a->up == b->up && a->gateway4 == b->gateway4 &&
	       memcmp(&a->gateway6, &b->gateway6, sizeof(a->gateway6)) == 0 &&
	       memcmp(a->mac, b->mac, sizeof(a->mac)) == 0 && memcmp(a->id, b->id, sizeof(a->id)) == 0;
}

static void report(struct sr_engine *e, const struct sr_uuid *id, bool active, const char *reason)
{
	struct reported *said;

	HASH_FIND(hh, e->reported, id, sizeof(*id), said);
	if (!said) {
		said = calloc(1, sizeof(*said));
		if (!said)
			return; /* said at the next pass */
		said->id = *id;
		HASH_ADD(hh, e->reported, id, sizeof(said->id), said);
	} else if (said->active == active && said->reason == reason) {
		said->wanted = true;
		return;
	}
	said->wanted = true;
	said->active = active;
	said->reason = reason;
	e->ops->port_status(e->ctx, id, active, reason);
}

/* Writes one port if it differs. Returns why it is not active, or NULL. */
static const char *port_apply(struct sr_engine *e, struct sr_local_port *lp, int *err)
{
	struct port_had *had;
	struct sr_dp_port want;
	const struct link *link;
	char tap[SR_TAP_NAME_SIZE];
	int r;

	link = engine_link_by_name(e, sr_tap_name(&lp->port.id, tap));
	if (!link)
		return "no tap on this node";
	HASH_FIND_INT(e->ports, &link->ifindex, had);
	if (had)
		had->wanted = true;
	if (!lp->vnet->known || !e->vrfs[lp->vnet->id].there)
		return "its VRF is not in the store";
	if (!e->hops_there[lp->hop])
		return "could not be programmed";
	/* A tap on maps from before a rebuild keeps them until those of now have its VRF's routes. */
	if (had && !had->port.vrf && e->vrfs[lp->vnet->id].failing)
		return "its routes could not be programmed";
	port_want(lp, link->ifindex, &want);
	if (had && !had->refresh && port_equal(&had->port, &want))
		return want.up ? NULL : "admin_state_up is false";
	r = e->dp->ops->port_set(e->dp, &want);
	if (r < 0) {
		if (r != -ENODEV) /* it has gone since, and we shall hear of it */
			failed(e, err, r, "port", tap);
		return "could not be programmed";
	}
	if (!had) {
		had = calloc(1, sizeof(*had));
		if (!had)
			abort(); /* it is in the datapath and we could not remember it */
		had->ifindex = link->ifindex;
		HASH_ADD_INT(e->ports, ifindex, had);
		e->vrfs[want.vrf].n_ports++;
		engine_log(e, SR_LOG_INFO, "port %s: in VRF %s", tap, lp->vnet->name);
	} else if (had->port.vrf != want.vrf) {
		e->vrfs[had->port.vrf].n_ports--;
		e->vrfs[want.vrf].n_ports++;
	}
	e->stats.port_writes++;
	sr_hops_have_ref(sr_fabric_hops(e->fabric), want.nexthop);
	sr_hops_have_put(sr_fabric_hops(e->fabric), had->port.nexthop);
	had->port = want;
	had->refresh = false;
	had->wanted = true;
	return want.up ? NULL : "admin_state_up is false";
}

/* Nobody wants it, and the part of the store that could is known. */
static bool port_removable(struct sr_engine *e, const struct port_had *had)
{
	const struct sr_vnet *vnet = sr_fabric_vnet_by_id(e->fabric, had->port.vrf);

	if (had->wanted)
		return false;
	/* Of no VRF: a tap that still forwards by maps from before a rebuild, and may turn out to be a port. */
	return vnet ? !vnet->wanted || vnet->synced : sr_fabric_is_synced(e->fabric);
}

static void ports_remove(struct sr_engine *e, int *err)
{
	struct port_had *had, *tmp;
	int r;

	HASH_ITER (hh, e->ports, had, tmp) {
		struct link *link;

		HASH_FIND_INT(e->links, &had->ifindex, link);
		if (link && !port_removable(e, had))
			continue;
		r = e->dp->ops->port_del(e->dp, had->ifindex);
		if (r < 0) {
			failed(e, err, r, "port", link ? link->name : "(gone)");
			continue;
		}
		e->stats.port_writes++;
		sr_hops_have_put(sr_fabric_hops(e->fabric), had->port.nexthop);
		e->vrfs[had->port.vrf].n_ports--;
		HASH_DEL(e->ports, had);
		free(had);
	}
}

static void ports_apply(struct sr_engine *e, int *err)
{
	struct reported *said, *tmp;

	for (struct port_had *had = e->ports; had; had = had->hh.next)
		had->wanted = false;
	for (said = e->reported; said; said = said->hh.next)
		said->wanted = false;
	for (struct sr_local_port *lp = sr_fabric_local_ports(e->fabric); lp; lp = lp->hh.next) {
		const char *why = port_apply(e, lp, err);

		if (!why && e->vrfs[lp->vnet->id].failing)
			why = "its routes could not be programmed";
		if (!lp->vnet->synced && !why)
			why = "its VRF is still being read";
		report(e, &lp->port.id, !why, why ? why : "");
	}
	HASH_ITER (hh, e->reported, said, tmp) {
		if (said->wanted)
			continue;
		e->ops->port_gone(e->ctx, &said->id);
		HASH_DEL(e->reported, said); /* NOLINT(clang-analyzer-core.NullDereference): uthash's table is there */
		free(said);
	}
	ports_remove(e, err);
}

/* ---- routes */

/* Notes what the datapath has for a change that was taken. */
static void route_applied(struct sr_engine *e, struct sr_vnet *vnet, const struct sr_rib_change *change, uint32_t have)
{
	struct sr_hops *hops = sr_fabric_hops(e->fabric);

	if (have != change->have) {
		sr_hops_have_ref(hops, have);
		sr_hops_have_put(hops, change->have);
	}
	sr_rib_applied(&vnet->rib, change->pos, have);
}

/* Writes n routes; those that are refused are stepped over, and stay pending. Returns the first error. */
static int routes_write(struct sr_engine *e, struct sr_vnet *vnet, const struct sr_rib_change *changes,
			const struct sr_dp_route *routes, size_t n)
{
	size_t at = 0, done = 0;
	int err = 0, r;

	while (at < n) {
		r = e->dp->ops->routes(e->dp, routes + at, n - at, &done);
		e->stats.route_writes += done;
		for (; done > 0; done--, at++)
			route_applied(e, vnet, &changes[at], changes[at].want);
		if (r == 0)
			break;
		route_applied(e, vnet, &changes[at], changes[at].have);
		at++;
		err = err ? err : r;
	}
	return err;
}

/*
 * Writes one batch. *ret_more: there may be more. What could not be written stays pending: after a failure, and for
 * a next hop that could not be written itself (-EAGAIN).
 */
static int routes_batch(struct sr_engine *e, struct sr_vnet *vnet, bool *ret_more)
{
	struct sr_rib_change changes[ROUTE_BATCH];
	struct sr_dp_route routes[ROUTE_BATCH];
	size_t taken = sr_rib_take(&vnet->rib, changes, ROUTE_BATCH), n = 0;
	int r = 0, w;

	*ret_more = taken == ROUTE_BATCH;
	for (size_t i = 0; i < taken; i++) {
		if (changes[i].want && !e->hops_there[changes[i].want]) {
			route_applied(e, vnet, &changes[i], changes[i].have);
			r = -EAGAIN;
			continue;
		}
		routes[n] = (struct sr_dp_route){.vrf = vnet->id, .nexthop = changes[i].want, .dst = changes[i].dst};
		changes[n++] = changes[i];
	}
	w = routes_write(e, vnet, changes, routes, n);
	return w < 0 ? w : r;
}

/* All that was pending when it began, once: what is refused is pending again. */
static void routes_apply(struct sr_engine *e, struct sr_vnet *vnet, int *err)
{
	size_t batches = vnet->rib.n_pending / ROUTE_BATCH + 1;
	bool more = true;
	int first = 0;

	for (; more && batches > 0; batches--) {
		int r = routes_batch(e, vnet, &more);

		first = first ? first : r;
	}
	e->vrfs[vnet->id].failing = first < 0;
	if (first < 0)
		failed(e, err, first, "routes of VRF", vnet->name);
}

/*
 * A VRF that nobody wants any more: its routes are gone by now, its ports too; then it goes itself. Returns false if it
 * could not yet.
 */
static bool vrf_remove(struct sr_engine *e, struct sr_vnet *vnet, int *err)
{
	struct vrf_had *had = &e->vrfs[vnet->id];
	int r;

	if (had->failing || had->n_ports > 0)
		return false;
	r = had->there ? e->dp->ops->vrf_del(e->dp, vnet->id) : 0;
	if (r < 0) {
		failed(e, err, r, "VRF", vnet->name);
		return false;
	}
	if (had->there) {
		e->stats.vrf_writes++;
		engine_log(e, SR_LOG_INFO, "VRF %s: removed", vnet->name);
	}
	*had = (struct vrf_had){0};
	sr_fabric_vnet_release(e->fabric, vnet);
	return true;
}

/* ---- a pass */

bool sr_engine_settled(const struct sr_engine *e)
{
	return e->nodes_synced && e->bindings_synced && e->links_synced && !e->ports_dirty && !e->uses_unmet &&
	       sr_fabric_is_synced(e->fabric) && !sr_fabric_is_dirty(e->fabric);
}

/* The VRFs in which something changed, as a list that is the pass's own, each written if it is to be. */
static struct sr_vnet *vrfs_apply(struct sr_engine *e, int *err)
{
	struct sr_vnet *todo = NULL, *vnet;
	int r;

	while ((vnet = sr_fabric_take_dirty(e->fabric))) {
		vnet->next_dirty = todo;
		todo = vnet;
		r = usable(vnet) ? vrf_apply(e, vnet) : 0;
		if (r < 0)
			failed(e, err, r, "VRF", vnet->name);
		/* The ports of a VRF that is to go, go first. */
		if (!vnet->wanted && e->vrfs[vnet->id].n_ports > 0)
			e->ports_dirty = true;
	}
	return todo;
}

/* Ends the pass for the VRFs in it: those to go, go; those with something left to do are dirty again. */
static void vrfs_finish(struct sr_engine *e, struct sr_vnet *todo, int *err)
{
	while (todo) {
		struct sr_vnet *vnet = todo;
		struct vrf_had *had = &e->vrfs[vnet->id];

		todo = vnet->next_dirty;
		if (!vnet->wanted ? !vrf_remove(e, vnet, err) : usable(vnet) && (had->failing || !had->there))
			sr_fabric_mark(e->fabric, vnet);
	}
}

int sr_engine_reconcile(struct sr_engine *e)
{
	struct sr_vnet *todo;
	bool ports_dirty;
	int err = 0;

	if (!e->links_synced)
		return 0;
	mtu_apply(e, &err);
	if (!e->nodes_synced || !e->bindings_synced) {
		uplinks_apply(e, &err);
		return err;
	}
	e->stats.passes++;
	todo = vrfs_apply(e, &err);
	ports_dirty = sr_fabric_take_local_dirty(e->fabric) || e->ports_dirty;
	e->ports_dirty = false;
	if (ports_dirty)
		mark_port_hops(e);
	hops_apply(e, &err);
	/* Routes before ports: a port that is reported active has its routes. */
	for (struct sr_vnet *vnet = todo; vnet; vnet = vnet->next_dirty)
		if (!vnet->wanted || (usable(vnet) && e->vrfs[vnet->id].there))
			routes_apply(e, vnet, &err);
	if (ports_dirty || err)
		ports_apply(e, &err);
	if (err)
		e->ports_dirty = true;
	uplinks_apply(e, &err);
	vrfs_finish(e, todo, &err);
	hops_remove_idle(e, &err);
	engine_meet_uses(e);
	return err;
}
