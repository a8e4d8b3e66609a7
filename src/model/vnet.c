/* SPDX-License-Identifier: GPL-2.0-only */
#include "model/vnet.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/hash.h"

#define NIL UINT32_MAX

struct sr_vnet_port {
	struct sr_uuid id;
	uint32_t hop; /* SR_HOP_NONE: free slot, or a port that is not bound */
	uint8_t n_addrs;
	bool used, stale;
	union {
		struct in6_addr one;   /* n_addrs <= 1 */
		struct in6_addr *many; /* owned */
		uint32_t next_free;
	};
};

static_assert(sizeof(struct sr_vnet_port) == 40, "a million of them fit the agent's budget");

struct encap_route {
	struct sr_prefix dst;
	uint32_t hop;
};

struct sr_vnet_encap {
	struct sr_uuid id;
	bool used, stale;
	uint32_t n_routes;
	struct encap_route *routes; /* owned, with a reference on each hop */
	uint32_t next_free;
};

void sr_vnet_init(struct sr_vnet *vnet, uint64_t seed)
{
	sr_rib_init(&vnet->rib, seed);
	vnet->free_port = NIL;
	vnet->free_encap = NIL;
}

/* ---- ports */

static uint64_t id_hash(const struct sr_vnet *vnet, const struct sr_uuid *id)
{
	return sr_hash(id, sizeof(*id), vnet->rib.seed);
}

static uint32_t port_find(const struct sr_vnet *vnet, const struct sr_uuid *id)
{
	struct sr_index_probe probe;
	uint32_t pos;

	for (pos = sr_index_first(&vnet->port_index, id_hash(vnet, id), &probe); pos != SR_INDEX_NONE;
	     pos = sr_index_next(&vnet->port_index, &probe))
		if (memcmp(&vnet->ports[pos].id, id, sizeof(*id)) == 0)
			return pos;
	return NIL;
}

static int port_slot_new(struct sr_vnet *vnet, const struct sr_uuid *id, uint32_t *ret)
{
	uint32_t pos = vnet->free_port;
	int r;

	r = sr_index_reserve(&vnet->port_index);
	if (r < 0)
		return r;
	if (pos != NIL) {
		vnet->free_port = vnet->ports[pos].next_free;
	} else {
		r = sr_array_grow((void **)&vnet->ports, &vnet->ports_size, vnet->n_ports, sizeof(*vnet->ports));
		if (r < 0)
			return r;
		pos = vnet->n_ports++;
	}
	vnet->ports[pos] = (struct sr_vnet_port){.id = *id, .used = true};
	sr_index_add(&vnet->port_index, id_hash(vnet, id), pos);
	*ret = pos;
	return 0;
}

static const struct in6_addr *port_addrs(const struct sr_vnet_port *slot)
{
	return slot->n_addrs > 1 ? slot->many : &slot->one;
}

static bool has_addr(const struct in6_addr *addrs, size_t n, const struct in6_addr *addr)
{
	for (size_t i = 0; i < n; i++)
		if (memcmp(&addrs[i], addr, sizeof(*addr)) == 0)
			return true;
	return false;
}

/* Withdraws those of `addrs` that are not in `except`. */
static void withdraw_addrs(struct sr_vnet *vnet, const struct sr_uuid *id, const struct in6_addr *addrs, size_t n,
			   const struct in6_addr *except, size_t n_except)
{
	for (size_t i = 0; i < n; i++) {
		struct sr_prefix dst = {.addr = addrs[i], .len = 128};

		if (!has_addr(except, n_except, &addrs[i]))
			sr_rib_withdraw(&vnet->rib, &dst, sr_route_source(SR_PREF_PORT, id->b));
	}
}

static int announce_addrs(struct sr_vnet *vnet, const struct sr_uuid *id, const struct in6_addr *addrs, size_t n,
			  uint32_t hop)
{
	for (size_t i = 0; i < n; i++) {
		struct sr_prefix dst = {.addr = addrs[i], .len = 128};
		int r = sr_rib_announce(&vnet->rib, &dst, sr_route_source(SR_PREF_PORT, id->b), hop);

		if (r < 0)
			return r;
	}
	return 0;
}

static void port_slot_free(struct sr_vnet *vnet, struct sr_hops *hops, uint32_t pos)
{
	struct sr_vnet_port *slot = &vnet->ports[pos];

	withdraw_addrs(vnet, &slot->id, port_addrs(slot), slot->n_addrs, NULL, 0);
	sr_hops_put(hops, slot->hop);
	if (slot->n_addrs > 1)
		free(slot->many);
	sr_index_del(&vnet->port_index, id_hash(vnet, &slot->id), pos);
	*slot = (struct sr_vnet_port){.next_free = vnet->free_port};
	vnet->free_port = pos;
}

static bool port_unchanged(const struct sr_vnet_port *slot, const struct sr_port *port, uint32_t hop)
{
	return slot->hop == hop && slot->n_addrs == port->n_addrs &&
	       memcmp(port_addrs(slot), port->addrs, port->n_addrs * sizeof(port->addrs[0])) == 0;
}

static int port_slot_set(struct sr_vnet *vnet, uint32_t pos, const struct sr_port *port, uint32_t hop)
{
	struct sr_vnet_port *slot = &vnet->ports[pos];
	struct in6_addr *many = NULL;
	int r;

	if (port->n_addrs > 1) {
		many = malloc(port->n_addrs * sizeof(*many));
		if (!many)
			return -ENOMEM;
		memcpy(many, port->addrs, port->n_addrs * sizeof(*many));
	}
	r = announce_addrs(vnet, &slot->id, port->addrs, port->n_addrs, hop);
	if (r < 0) {
		/* Back to what was: those of the old addresses that were announced anew get their next hop back,
		 * which needs no memory because their candidates exist. */
		withdraw_addrs(vnet, &slot->id, port->addrs, port->n_addrs, port_addrs(slot), slot->n_addrs);
		announce_addrs(vnet, &slot->id, port_addrs(slot), slot->n_addrs, slot->hop);
		free(many);
		return r;
	}
	withdraw_addrs(vnet, &slot->id, port_addrs(slot), slot->n_addrs, port->addrs, port->n_addrs);
	if (slot->n_addrs > 1)
		free(slot->many);
	slot->n_addrs = (uint8_t)port->n_addrs;
	if (many)
		slot->many = many;
	else if (port->n_addrs)
		slot->one = port->addrs[0];
	return 0;
}

int sr_vnet_port_put(struct sr_vnet *vnet, struct sr_hops *hops, const struct sr_port *port,
		     const struct sr_hop_key *key, uint32_t *ret_hop)
{
	uint32_t pos = port_find(vnet, &port->id), hop;
	bool is_new = pos == NIL;
	int r;

	r = sr_hops_get(hops, key, &hop);
	if (r < 0)
		return r;
	if (is_new) {
		r = port_slot_new(vnet, &port->id, &pos);
		if (r < 0)
			goto put_hop;
	}
	vnet->ports[pos].stale = false;
	*ret_hop = hop;
	if (!is_new && port_unchanged(&vnet->ports[pos], port, hop)) {
		sr_hops_put(hops, hop);
		return 0;
	}
	r = port_slot_set(vnet, pos, port, hop);
	if (r < 0)
		goto free_slot;
	sr_hops_put(hops, vnet->ports[pos].hop);
	vnet->ports[pos].hop = hop;
	return 0;
free_slot:
	if (is_new)
		port_slot_free(vnet, hops, pos);
put_hop:
	sr_hops_put(hops, hop);
	return r;
}

void sr_vnet_port_keep(struct sr_vnet *vnet, const struct sr_uuid *id)
{
	uint32_t pos = port_find(vnet, id);

	if (pos != NIL)
		vnet->ports[pos].stale = false;
}

void sr_vnet_port_del(struct sr_vnet *vnet, struct sr_hops *hops, const struct sr_uuid *id)
{
	uint32_t pos = port_find(vnet, id);

	if (pos != NIL)
		port_slot_free(vnet, hops, pos);
}

uint32_t sr_vnet_n_ports(const struct sr_vnet *vnet)
{
	return vnet->port_index.used;
}

/* ---- encap rules: few, so they are searched one by one */

static uint32_t encap_find(const struct sr_vnet *vnet, const struct sr_uuid *id)
{
	for (uint32_t pos = 0; pos < vnet->n_encaps; pos++)
		if (vnet->encaps[pos].used && memcmp(&vnet->encaps[pos].id, id, sizeof(*id)) == 0)
			return pos;
	return NIL;
}

/* Gives back n routes' references and the array. */
static void routes_free(struct sr_hops *hops, struct encap_route *routes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sr_hops_put(hops, routes[i].hop);
	free(routes);
}

static int routes_new(struct sr_hops *hops, const struct sr_encap *encap, struct encap_route **ret)
{
	struct encap_route *routes = calloc(encap->n_rules + 1, sizeof(*routes)); /* + 1: never of size 0 */

	if (!routes)
		return -ENOMEM;
	for (size_t i = 0; i < encap->n_rules; i++) {
		const struct sr_encap_rule *rule = &encap->rules[i];
		struct sr_hop_key key = {.kind = SR_HOP_SIDS, .n_segs = rule->n_segs};
		int r;

		memcpy(key.segs, rule->segs, rule->n_segs * sizeof(rule->segs[0]));
		routes[i].dst = rule->destination;
		r = sr_hops_get(hops, &key, &routes[i].hop);
		if (r < 0) {
			routes_free(hops, routes, i);
			return r;
		}
	}
	*ret = routes;
	return 0;
}

static bool has_route(const struct encap_route *routes, size_t n, const struct sr_prefix *dst)
{
	for (size_t i = 0; i < n; i++)
		if (sr_prefix_equal(&routes[i].dst, dst))
			return true;
	return false;
}

/* Withdraws those of `routes` whose destination is not in `except`. */
static void withdraw_routes(struct sr_vnet *vnet, const struct sr_uuid *id, const struct encap_route *routes, size_t n,
			    const struct encap_route *except, size_t n_except)
{
	for (size_t i = 0; i < n; i++)
		if (!has_route(except, n_except, &routes[i].dst))
			sr_rib_withdraw(&vnet->rib, &routes[i].dst, sr_route_source(SR_PREF_RULE, id->b));
}

static int announce_routes(struct sr_vnet *vnet, const struct sr_uuid *id, const struct encap_route *routes, size_t n)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		r = sr_rib_announce(&vnet->rib, &routes[i].dst, sr_route_source(SR_PREF_RULE, id->b), routes[i].hop);
	return r;
}

static void encap_slot_free(struct sr_vnet *vnet, struct sr_hops *hops, uint32_t pos)
{
	struct sr_vnet_encap *slot = &vnet->encaps[pos];

	withdraw_routes(vnet, &slot->id, slot->routes, slot->n_routes, NULL, 0);
	routes_free(hops, slot->routes, slot->n_routes);
	*slot = (struct sr_vnet_encap){.next_free = vnet->free_encap};
	vnet->free_encap = pos;
}

static int encap_slot_new(struct sr_vnet *vnet, const struct sr_uuid *id, uint32_t *ret)
{
	uint32_t pos = vnet->free_encap;
	int r;

	if (pos != NIL) {
		vnet->free_encap = vnet->encaps[pos].next_free;
	} else {
		r = sr_array_grow((void **)&vnet->encaps, &vnet->encaps_size, vnet->n_encaps, sizeof(*vnet->encaps));
		if (r < 0)
			return r;
		pos = vnet->n_encaps++;
	}
	vnet->encaps[pos] = (struct sr_vnet_encap){.id = *id, .used = true};
	*ret = pos;
	return 0;
}

int sr_vnet_encap_put(struct sr_vnet *vnet, struct sr_hops *hops, const struct sr_encap *encap)
{
	uint32_t pos = encap_find(vnet, &encap->id);
	bool is_new = pos == NIL;
	struct encap_route *routes;
	struct sr_vnet_encap *slot;
	int r;

	r = routes_new(hops, encap, &routes);
	if (r < 0)
		return r;
	if (is_new) {
		r = encap_slot_new(vnet, &encap->id, &pos);
		if (r < 0)
			goto free_routes;
	}
	slot = &vnet->encaps[pos];
	slot->stale = false;
	r = announce_routes(vnet, &slot->id, routes, encap->n_rules);
	if (r < 0)
		goto undo;
	withdraw_routes(vnet, &slot->id, slot->routes, slot->n_routes, routes, encap->n_rules);
	routes_free(hops, slot->routes, slot->n_routes);
	slot->routes = routes;
	slot->n_routes = (uint32_t)encap->n_rules;
	return 0;
undo:
	/* As in port_slot_set: what was announced before is announced again, which needs no memory. */
	withdraw_routes(vnet, &slot->id, routes, encap->n_rules, slot->routes, slot->n_routes);
	announce_routes(vnet, &slot->id, slot->routes, slot->n_routes);
	if (is_new)
		encap_slot_free(vnet, hops, pos);
free_routes:
	routes_free(hops, routes, encap->n_rules);
	return r;
}

void sr_vnet_encap_keep(struct sr_vnet *vnet, const struct sr_uuid *id)
{
	uint32_t pos = encap_find(vnet, id);

	if (pos != NIL)
		vnet->encaps[pos].stale = false;
}

void sr_vnet_encap_del(struct sr_vnet *vnet, struct sr_hops *hops, const struct sr_uuid *id)
{
	uint32_t pos = encap_find(vnet, id);

	if (pos != NIL)
		encap_slot_free(vnet, hops, pos);
}

/* ---- the VRF's own record */

static const struct sr_prefix defaults[] = {
	{.addr = {{{[10] = 0xff, [11] = 0xff}}}, .len = 96}, /* 0.0.0.0/0 */
	{.addr = {{{0}}}, .len = 0},			     /* ::/0 */
};

static struct sr_route_source gateway_source(void)
{
	static const uint8_t none[16];

	return sr_route_source(SR_PREF_DEFAULT, none);
}

static int announce_gateway(struct sr_vnet *vnet, uint32_t hop)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < 2; i++)
		r = sr_rib_announce(&vnet->rib, &defaults[i], gateway_source(), hop);
	return r;
}

static void withdraw_gateway(struct sr_vnet *vnet)
{
	for (size_t i = 0; i < 2; i++)
		sr_rib_withdraw(&vnet->rib, &defaults[i], gateway_source());
}

int sr_vnet_info_put(struct sr_vnet *vnet, struct sr_hops *hops, const struct sr_vrf *info)
{
	uint32_t hop = SR_HOP_NONE;
	int r;

	if (info && info->has_gateway) {
		struct sr_hop_key key = {.kind = SR_HOP_LOCATOR, .locator = info->segment_gw_id};

		r = sr_hops_get(hops, &key, &hop);
		if (r < 0)
			return r;
		r = announce_gateway(vnet, hop);
		if (r < 0) {
			withdraw_gateway(vnet);
			if (vnet->gateway_hop)
				announce_gateway(vnet, vnet->gateway_hop);
			sr_hops_put(hops, hop);
			return r;
		}
	} else {
		withdraw_gateway(vnet);
	}
	sr_hops_put(hops, vnet->gateway_hop);
	vnet->gateway_hop = hop;
	vnet->known = info != NULL;
	vnet->info_stale = false;
	if (info)
		vnet->info = *info;
	return 0;
}

/* ---- the whole */

void sr_vnet_begin(struct sr_vnet *vnet)
{
	vnet->info_stale = true;
	for (uint32_t pos = 0; pos < vnet->n_ports; pos++)
		vnet->ports[pos].stale = vnet->ports[pos].used;
	for (uint32_t pos = 0; pos < vnet->n_encaps; pos++)
		vnet->encaps[pos].stale = vnet->encaps[pos].used;
}

void sr_vnet_end(struct sr_vnet *vnet, struct sr_hops *hops, void (*on_port_gone)(void *ctx, const struct sr_uuid *id),
		 void *ctx)
{
	for (uint32_t pos = 0; pos < vnet->n_ports; pos++) {
		if (!vnet->ports[pos].stale)
			continue;
		on_port_gone(ctx, &vnet->ports[pos].id);
		port_slot_free(vnet, hops, pos);
	}
	for (uint32_t pos = 0; pos < vnet->n_encaps; pos++)
		if (vnet->encaps[pos].stale)
			encap_slot_free(vnet, hops, pos);
	if (vnet->info_stale)
		sr_vnet_info_put(vnet, hops, NULL);
}

void sr_vnet_clear(struct sr_vnet *vnet, struct sr_hops *hops)
{
	for (uint32_t pos = 0; pos < vnet->n_ports; pos++)
		if (vnet->ports[pos].used)
			port_slot_free(vnet, hops, pos);
	for (uint32_t pos = 0; pos < vnet->n_encaps; pos++)
		if (vnet->encaps[pos].used)
			encap_slot_free(vnet, hops, pos);
	sr_vnet_info_put(vnet, hops, NULL);
}

void sr_vnet_fini(struct sr_vnet *vnet, struct sr_hops *hops)
{
	sr_vnet_clear(vnet, hops);
	sr_index_fini(&vnet->port_index);
	free(vnet->ports);
	free(vnet->encaps);
	sr_rib_fini(&vnet->rib);
}
