/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is in the kernel, read back at open. VRFs get ids as they come, and next hops one for each thing that routes
 * resolve to; nobody knows any more by which names they were wanted, so their cookies are made up, and are none that a
 * caller has. The caller sets its own next hops and moves the routes to them, which writes nothing where the wire is
 * the same, and removes the rest.
 */
#include "datapath/linux/linux.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <linux/seg6_local.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/hash.h"

#define COOKIE (0xffffffffULL << 32) /* | id */
#define TRIES 10		     /* a dump that changes of others interrupt is made again */

struct learning {
	struct sr_linux *dp;
	struct sr_index vrfs_by_table, hops_by_wire;
	uint32_t n_vrfs, n_hops;
};

/* ---- VRF devices */

static int learn_vrf(void *ctx, const struct sr_klink *link)
{
	struct learning *l = ctx;
	struct sr_linux *dp = l->dp;
	struct sr_linux_vrf vrf = {.there = true, .ifindex = link->ifindex, .table = link->vrf_table};
	struct sr_function function;
	int r;

	if (!link->vrf_table)
		return 0;
	if (strncmp(link->alias, SR_LINUX_ALIAS, strlen(SR_LINUX_ALIAS)) != 0 ||
	    sr_function_parse(link->alias + strlen(SR_LINUX_ALIAS), &function) < 0) {
		r = sr_array_grow((void **)&dp->used_tables, &dp->size_used_tables, dp->n_used_tables,
				  sizeof(*dp->used_tables));
		if (r == 0)
			dp->used_tables[dp->n_used_tables++] = link->vrf_table;
		return r;
	}
	if (l->n_vrfs == dp->max_vrfs)
		return -ENOSPC;
	r = sr_index_reserve(&l->vrfs_by_table);
	if (r < 0)
		return r;
	memcpy(vrf.vrf.name, link->name, sizeof(vrf.vrf.name));
	vrf.vrf.function = function;
	vrf.vrf.table = link->vrf_table;
	sr_index_add(&l->vrfs_by_table, link->vrf_table, ++l->n_vrfs);
	dp->vrfs[l->n_vrfs] = vrf;
	return 0;
}

static uint32_t vrf_of_device(const struct learning *l, uint32_t ifindex)
{
	for (uint32_t id = 1; id <= l->n_vrfs; id++)
		if (l->dp->vrfs[id].ifindex == ifindex)
			return id;
	return 0;
}

static uint32_t vrf_of_table(const struct learning *l, uint32_t table)
{
	struct sr_index_probe probe;
	uint32_t id = sr_index_first(&l->vrfs_by_table, table, &probe);

	for (; id != SR_INDEX_NONE; id = sr_index_next(&l->vrfs_by_table, &probe))
		if (l->dp->vrfs[id].table == table)
			return id;
	return 0;
}

/* ---- taps */

static int learn_port(void *ctx, const struct sr_klink *link)
{
	struct learning *l = ctx;
	struct sr_linux *dp = l->dp;
	uint32_t vrf = link->master ? vrf_of_device(l, link->master) : 0;
	int r;

	if (!vrf)
		return 0;
	r = sr_array_grow((void **)&dp->ports, &dp->size_ports, dp->n_ports, sizeof(*dp->ports));
	if (r == 0)
		dp->ports[dp->n_ports++] =
			(struct sr_linux_port){.port = {.ifindex = link->ifindex, .vrf = vrf}, .attached = link->up};
	if (r == 0)
		memcpy(dp->ports[dp->n_ports - 1].name, link->name, sizeof(link->name));
	return r;
}

/* What we have changed, and is neither tap nor uplink: one killed on the way to be a tap, or back. */
static int learn_strays(struct sr_linux *dp)
{
	int r = 0;

	for (size_t i = 0; i < dp->saved.n && r == 0; i++) {
		struct sr_linux_port stray = {};
		char name[IF_NAMESIZE];

		if (!sr_saved_interface(&dp->saved.entries[i], name) || sr_saved_find(&dp->saved, "uplink", name))
			continue;
		stray.port.ifindex = if_nametoindex(name);
		if (!stray.port.ifindex || sr_linux_port(dp, stray.port.ifindex))
			continue;
		memcpy(stray.name, name, sizeof(stray.name));
		r = sr_array_grow((void **)&dp->ports, &dp->size_ports, dp->n_ports, sizeof(*dp->ports));
		if (r == 0)
			dp->ports[dp->n_ports++] = stray;
	}
	return r;
}

static int learn_addr(void *ctx, uint32_t ifindex, const struct in6_addr *addr)
{
	struct learning *l = ctx;
	struct sr_linux_port *port = sr_linux_port(l->dp, ifindex);
	const struct sr_prefix host = {*addr, 128};

	if (port && sr_prefix_is_v4(&host)) {
		port->second4 = port->port.gateway4;
		port->port.gateway4 = sr_prefix_addr4(&host);
	} else if (port) {
		port->second6 = port->port.gateway6;
		port->port.gateway6 = *addr;
	}
	return 0;
}

/* ---- routes */

static bool hop_equal(const struct sr_dp_nexthop *a, const struct sr_dp_nexthop *b)
{
	return a->kind == b->kind && a->ifindex == b->ifindex && a->n_segs == b->n_segs &&
	       sr_locator_equal(&a->locator, &b->locator) &&
	       memcmp(a->segs, b->segs, a->n_segs * sizeof(a->segs[0])) == 0;
}

static uint64_t hop_hash(const struct sr_dp_nexthop *nh)
{
	uint64_t h = sr_hash(&nh->locator, sizeof(nh->locator), (uint64_t)nh->ifindex << 8 | nh->kind);

	return sr_hash(nh->segs, nh->n_segs * sizeof(nh->segs[0]), h);
}

/* The id of the next hop that a route was resolved from, or may as well have been. */
static int learn_hop(struct learning *l, const struct sr_dp_nexthop *nh, uint32_t *ret)
{
	struct sr_linux *dp = l->dp;
	struct sr_index_probe probe;
	uint32_t id = sr_index_first(&l->hops_by_wire, hop_hash(nh), &probe);
	int r;

	for (; id != SR_INDEX_NONE; id = sr_index_next(&l->hops_by_wire, &probe)) {
		if (hop_equal(&dp->hops[id].nh, nh)) {
			*ret = id;
			return 0;
		}
	}
	if (l->n_hops == dp->max_hops)
		return -ENOSPC;
	r = sr_index_reserve(&l->hops_by_wire);
	if (r < 0)
		return r;
	id = ++l->n_hops;
	sr_index_add(&l->hops_by_wire, hop_hash(nh), id);
	dp->hops[id] = (struct sr_linux_hop){.there = true, .nh = *nh};
	dp->hops[id].nh.cookie = COOKIE | id;
	*ret = id;
	return 0;
}

/* What a route of a VRF's table was resolved from. False: it is none of ours. */
static bool unresolve(struct learning *l, uint32_t vrf, const struct sr_kroute *route, struct sr_dp_nexthop *ret)
{
	const struct sr_linux_vrf *had = &l->dp->vrfs[vrf];
	const struct sr_linux_port *port;
	struct sr_function function;

	*ret = (struct sr_dp_nexthop){.kind = SR_NH_NONE};
	if (route->protocol != RTPROT_BOOT || route->gateway || route->selective ||
	    route->metric != (sr_prefix_is_v4(&route->dst) ? 0 : SR_METRIC6))
		return false;
	if (route->type == RTN_BLACKHOLE)
		return true;
	if (route->type != RTN_UNICAST)
		return false;
	if (route->encap == SR_KENCAP_NONE) {
		port = sr_linux_port(l->dp, route->oif);
		ret->kind = SR_NH_PORT;
		ret->ifindex = route->oif;
		return port && port->port.vrf == vrf;
	}
	if (route->encap != SR_KENCAP_SEG6 || route->oif != had->ifindex)
		return false;
	function = sr_sid_function(&route->segs[0]);
	if (route->n_segs == 1 && function.v == had->vrf.function.v) {
		ret->kind = SR_NH_NODE;
		ret->locator = sr_sid_locator(&route->segs[0]);
	} else {
		ret->kind = SR_NH_SIDS;
		ret->n_segs = route->n_segs;
		memcpy(ret->segs, route->segs, route->n_segs * sizeof(route->segs[0]));
	}
	return true;
}

static int learn_sid(struct learning *l, const struct sr_kroute *route)
{
	struct sr_linux *dp = l->dp;
	int r;

	if (route->encap != SR_KENCAP_SEG6_LOCAL || route->type != RTN_LOCAL || route->dst.len != 128 ||
	    !vrf_of_device(l, route->oif))
		return 0;
	r = sr_array_grow((void **)&dp->sids, &dp->size_sids, dp->n_sids, sizeof(*dp->sids));
	if (r == 0)
		dp->sids[dp->n_sids++] = (struct sr_linux_sid){
			{route->dst.addr}, route->oif, route->action, route->nh4, route->vrftable};
	return r;
}

/* Others' tables are noted, so that no VRF is put on top of them; most routes of a node are in main, one entry. */
static int note_table(struct sr_linux *dp, uint32_t table)
{
	int r;

	for (uint32_t i = dp->n_used_tables; i-- > 0;)
		if (dp->used_tables[i] == table)
			return 0;
	r = sr_array_grow((void **)&dp->used_tables, &dp->size_used_tables, dp->n_used_tables,
			  sizeof(*dp->used_tables));
	if (r == 0)
		dp->used_tables[dp->n_used_tables++] = table;
	return r;
}

static int take_route(struct learning *l, const struct sr_kroute *route)
{
	struct sr_linux *dp = l->dp;
	uint32_t vrf, hop, pos;
	struct sr_dp_nexthop nh;
	int r;

	if (route->table == RT_TABLE_LOCAL)
		return learn_sid(l, route);
	vrf = vrf_of_table(l, route->table);
	if (!vrf)
		return note_table(dp, route->table);
	if (!unresolve(l, vrf, route, &nh))
		return 0;
	/* Written for the other encapsulation mode: to be written anew. */
	r = learn_hop(l, &nh, &hop);
	if (r == 0)
		r = sr_table_set(&dp->table, vrf, &route->dst, hop);
	if (r == 0 && route->encap == SR_KENCAP_SEG6 && route->reduced != dp->reduced) {
		pos = sr_table_find(&dp->table, vrf, &route->dst);
		dp->table.routes[pos].stale = true;
	}
	return r;
}

static int on_route(const struct nlmsghdr *message, void *data)
{
	struct sr_kroute route;
	int r = 0;

	/* What does not parse is none of ours. */
	if (message->nlmsg_type == RTM_NEWROUTE && sr_kroute_get(message, &route) == 0)
		r = take_route(data, &route);
	if (r == 0)
		return MNL_CB_OK;
	errno = -r;
	return MNL_CB_ERROR;
}

static int dump_routes(struct learning *l, unsigned char family)
{
	char buf[256];
	struct nlmsghdr *message = mnl_nlmsg_put_header(buf);
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(message, sizeof(*rtm));

	message->nlmsg_type = RTM_GETROUTE;
	rtm->rtm_family = family;
	return sr_rtnl_dump(&l->dp->nl, message, on_route, l);
}

/* ---- all of it */

static void forget(struct sr_linux *dp)
{
	memset(dp->vrfs, 0, ((size_t)dp->max_vrfs + 1) * sizeof(*dp->vrfs));
	memset(dp->hops, 0, ((size_t)dp->max_hops + 1) * sizeof(*dp->hops));
	dp->n_ports = dp->n_sids = dp->n_used_tables = 0;
}

static int learn_once(struct sr_linux *dp)
{
	struct learning l = {.dp = dp};
	int r;

	sr_table_fini(&dp->table);
	r = sr_table_init(&dp->table, dp->max_hops);
	if (r == 0)
		r = sr_klink_dump(&dp->nl, learn_vrf, &l);
	if (r == 0)
		r = sr_klink_dump(&dp->nl, learn_port, &l);
	if (r == 0)
		r = learn_strays(dp);
	if (r == 0)
		r = sr_kaddr_dump(&dp->nl, learn_addr, &l);
	if (r == 0)
		r = dump_routes(&l, AF_INET);
	if (r == 0)
		r = dump_routes(&l, AF_INET6);
	sr_index_fini(&l.vrfs_by_table);
	sr_index_fini(&l.hops_by_wire);
	return r;
}

int sr_linux_learn(struct sr_linux *dp)
{
	int r = -EAGAIN;

	for (int i = 0; i < TRIES && r == -EAGAIN; i++) {
		if (i) /* megabytes, which at first are zero */
			forget(dp);
		r = learn_once(dp);
	}
	return r;
}
