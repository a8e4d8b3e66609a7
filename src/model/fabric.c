/* SPDX-License-Identifier: GPL-2.0-only */
#include "model/fabric.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/vnet.h"

struct node {
	struct sr_node node;
	bool stale;
	UT_hash_handle hh;
};

struct sr_fabric {
	char self[SR_NAME_SIZE];
	uint64_t seed;
	struct sr_hops hops;
	struct node *nodes;	    /* by name */
	struct sr_vnet *vnets;	    /* by name */
	struct sr_vnet **vnet_ids;  /* [1 .. max_vrfs] */
	uint32_t max_vrfs, id_hint; /* no id below the hint is free */
	struct sr_vnet *dirty;
	uint32_t n_unread;		   /* VRFs that are wanted and not synced */
	struct sr_local_port *local_ports; /* by id */
	bool local_dirty;
};

int sr_fabric_new(const char *self, uint32_t max_vrfs, uint32_t max_hops, uint64_t seed, struct sr_fabric **ret)
{
	struct sr_fabric *f;
	int r;

	if (max_vrfs == 0 || strlen(self) >= SR_NAME_SIZE)
		return -EINVAL;
	f = malloc(sizeof(*f));
	if (!f)
		return -ENOMEM;
	*f = (struct sr_fabric){.seed = seed, .max_vrfs = max_vrfs, .id_hint = 1};
	memcpy(f->self, self, strlen(self) + 1);
	r = sr_hops_init(&f->hops, max_hops);
	if (r < 0)
		goto fail;
	f->vnet_ids = calloc((size_t)max_vrfs + 1, sizeof(struct sr_vnet *));
	if (!f->vnet_ids) {
		r = -ENOMEM;
		goto fail;
	}
	*ret = f;
	return 0;
fail:
	sr_fabric_free(f);
	return r;
}

void sr_fabric_free(struct sr_fabric *f)
{
	struct sr_local_port *lp, *lp_tmp;
	struct sr_vnet *vnet, *vnet_tmp;
	struct node *node, *node_tmp;

	if (!f)
		return;
	HASH_ITER (hh, f->local_ports, lp, lp_tmp) {
		HASH_DEL(f->local_ports, lp);
		free(lp);
	}
	HASH_ITER (hh, f->vnets, vnet, vnet_tmp) {
		HASH_DEL(f->vnets, vnet);
		sr_vnet_fini(vnet, &f->hops);
		free(vnet);
	}
	HASH_ITER (hh, f->nodes, node, node_tmp) {
		HASH_DEL(f->nodes, node);
		free(node);
	}
	free(f->vnet_ids);
	sr_hops_fini(&f->hops);
	free(f);
}

/* ---- which VRFs there are */

struct sr_vnet *sr_fabric_vnet(struct sr_fabric *f, const char *name)
{
	struct sr_vnet *vnet;

	HASH_FIND_STR(f->vnets, name, vnet);
	return vnet;
}

static struct sr_vnet *wanted_vnet(struct sr_fabric *f, const char *name)
{
	struct sr_vnet *vnet = sr_fabric_vnet(f, name);

	return vnet && vnet->wanted ? vnet : NULL;
}

struct sr_vnet *sr_fabric_vnet_by_id(struct sr_fabric *f, uint32_t id)
{
	return id <= f->max_vrfs ? f->vnet_ids[id] : NULL;
}

struct sr_vnet *sr_fabric_vnets(struct sr_fabric *f)
{
	return f->vnets;
}

void sr_fabric_mark(struct sr_fabric *f, struct sr_vnet *vnet)
{
	if (vnet->dirty)
		return;
	vnet->dirty = true;
	vnet->next_dirty = f->dirty;
	f->dirty = vnet;
}

struct sr_vnet *sr_fabric_take_dirty(struct sr_fabric *f)
{
	struct sr_vnet *vnet = f->dirty;

	if (vnet) {
		f->dirty = vnet->next_dirty;
		vnet->dirty = false;
	}
	return vnet;
}

static int vnet_new(struct sr_fabric *f, uint32_t id, const char *name, struct sr_vnet **ret)
{
	struct sr_vnet *vnet;

	if (!sr_vrf_name_valid(name))
		return -EINVAL;
	vnet = calloc(1, sizeof(*vnet));
	if (!vnet)
		return -ENOMEM;
	memcpy(vnet->name, name, strlen(name) + 1);
	vnet->id = id;
	sr_vnet_init(vnet, f->seed);
	HASH_ADD_STR(f->vnets, name, vnet);
	f->vnet_ids[id] = vnet;
	sr_fabric_mark(f, vnet);
	*ret = vnet;
	return 0;
}

static uint32_t free_vnet_id(struct sr_fabric *f)
{
	while (f->id_hint <= f->max_vrfs && f->vnet_ids[f->id_hint])
		f->id_hint++;
	return f->id_hint <= f->max_vrfs ? f->id_hint : 0;
}

int sr_fabric_learn_vrf(struct sr_fabric *f, uint32_t id, const char *name)
{
	struct sr_vnet *vnet;

	if (id == 0 || id > f->max_vrfs)
		return -EINVAL;
	if (f->vnet_ids[id] || sr_fabric_vnet(f, name))
		return -EEXIST;
	return vnet_new(f, id, name, &vnet);
}

int sr_fabric_learn_hop(struct sr_fabric *f, uint32_t id, uint64_t cookie)
{
	return sr_hops_learn(&f->hops, id, cookie);
}

int sr_fabric_learn_route(struct sr_fabric *f, uint32_t vrf_id, const struct sr_prefix *dst, uint32_t hop)
{
	struct sr_vnet *vnet = sr_fabric_vnet_by_id(f, vrf_id);
	int r;

	if (!vnet || hop == SR_HOP_NONE || hop > f->hops.max)
		return -EINVAL;
	r = sr_rib_learn(&vnet->rib, dst, hop);
	if (r == 0)
		sr_hops_have_ref(&f->hops, hop);
	return r;
}

int sr_fabric_want(struct sr_fabric *f, const char *name)
{
	struct sr_vnet *vnet = sr_fabric_vnet(f, name);
	int r;

	if (!vnet) {
		uint32_t id = free_vnet_id(f);

		if (!id)
			return -ENOSPC;
		r = vnet_new(f, id, name, &vnet);
		if (r < 0)
			return r;
	}
	if (!vnet->wanted)
		f->n_unread++;
	vnet->wanted = true;
	sr_fabric_mark(f, vnet);
	return 0;
}

static void drop_local_ports(struct sr_fabric *f, const struct sr_vnet *vnet)
{
	struct sr_local_port *lp, *tmp;

	HASH_ITER (hh, f->local_ports, lp, tmp) {
		if (lp->vnet != vnet)
			continue;
		HASH_DEL(f->local_ports, lp);
		free(lp);
		f->local_dirty = true;
	}
}

void sr_fabric_unwant(struct sr_fabric *f, const char *name)
{
	struct sr_vnet *vnet = wanted_vnet(f, name);

	if (!vnet)
		return;
	drop_local_ports(f, vnet);
	sr_vnet_clear(vnet, &f->hops);
	if (!vnet->synced)
		f->n_unread--;
	vnet->wanted = false;
	vnet->synced = false;
	sr_fabric_mark(f, vnet);
}

void sr_fabric_vnet_release(struct sr_fabric *f, struct sr_vnet *vnet)
{
	struct sr_vnet **link = &f->dirty;

	assert(!vnet->wanted);
	while (vnet->dirty && *link != vnet)
		link = &(*link)->next_dirty;
	if (vnet->dirty)
		*link = vnet->next_dirty;
	HASH_DEL(f->vnets, vnet);
	f->vnet_ids[vnet->id] = NULL;
	if (vnet->id < f->id_hint)
		f->id_hint = vnet->id;
	sr_vnet_fini(vnet, &f->hops);
	free(vnet);
}

/* ---- nodes */

/* The next hop of that name, if routes use it, resolves to something else now. */
static void mark_node_hop(struct sr_fabric *f, const char *name)
{
	struct sr_hop_key key = {.kind = SR_HOP_NODE};
	uint32_t hop;

	memcpy(key.node, name, strlen(name) + 1);
	hop = sr_hops_find(&f->hops, &key);
	if (hop)
		sr_hops_mark(&f->hops, hop);
}

static struct node *find_node(const struct sr_fabric *f, const char *name)
{
	struct node *node;

	HASH_FIND_STR(f->nodes, name, node);
	return node;
}

const struct sr_node *sr_fabric_node(const struct sr_fabric *f, const char *name)
{
	const struct node *node = find_node(f, name);

	return node ? &node->node : NULL;
}

int sr_fabric_node_put(struct sr_fabric *f, const struct sr_node *what)
{
	struct node *node = find_node(f, what->name);

	if (node) {
		node->stale = false;
		if (sr_locator_equal(&node->node.locator, &what->locator)) {
			node->node = *what;
			return 0;
		}
		node->node = *what;
	} else {
		node = calloc(1, sizeof(*node));
		if (!node)
			return -ENOMEM;
		node->node = *what;
		HASH_ADD_STR(f->nodes, node.name, node);
	}
	mark_node_hop(f, what->name);
	return 0;
}

void sr_fabric_node_keep(struct sr_fabric *f, const char *name)
{
	struct node *node = find_node(f, name);

	if (node)
		node->stale = false;
}

static void node_free(struct sr_fabric *f, struct node *node)
{
	HASH_DEL(f->nodes, node);
	mark_node_hop(f, node->node.name);
	free(node);
}

void sr_fabric_node_del(struct sr_fabric *f, const char *name)
{
	struct node *node = find_node(f, name);

	if (node)
		node_free(f, node);
}

void sr_fabric_nodes_begin(struct sr_fabric *f)
{
	for (struct node *node = f->nodes; node; node = node->hh.next)
		node->stale = true;
}

void sr_fabric_nodes_end(struct sr_fabric *f)
{
	struct node *node, *tmp;

	HASH_ITER (hh, f->nodes, node, tmp)
		if (node->stale)
			node_free(f, node);
}

/* ---- objects of a VRF */

static void local_del(struct sr_fabric *f, const struct sr_vnet *vnet, const struct sr_uuid *id)
{
	struct sr_local_port *lp;

	HASH_FIND(hh, f->local_ports, id, sizeof(*id), lp);
	if (!lp || lp->vnet != vnet)
		return;
	HASH_DEL(f->local_ports, lp);
	free(lp);
	f->local_dirty = true;
}

struct gone_ctx {
	struct sr_fabric *fabric;
	const struct sr_vnet *vnet;
};

static void port_gone(void *ctx, const struct sr_uuid *id)
{
	struct gone_ctx *gone = ctx;

	local_del(gone->fabric, gone->vnet, id);
}

void sr_fabric_vrf_begin(struct sr_fabric *f, const char *name)
{
	struct sr_vnet *vnet = wanted_vnet(f, name);

	if (vnet)
		sr_vnet_begin(vnet);
}

void sr_fabric_vrf_end(struct sr_fabric *f, const char *name)
{
	struct sr_vnet *vnet = wanted_vnet(f, name);
	struct gone_ctx gone = {.fabric = f, .vnet = vnet};

	if (!vnet)
		return;
	sr_vnet_end(vnet, &f->hops, port_gone, &gone);
	if (!vnet->synced)
		f->n_unread--;
	vnet->synced = true;
	f->local_dirty = true;
	sr_fabric_mark(f, vnet);
}

static int info_put(struct sr_fabric *f, struct sr_vnet *vnet, const struct sr_vrf *info)
{
	int r = sr_vnet_info_put(vnet, &f->hops, info);

	if (r < 0)
		return r;
	f->local_dirty = true; /* ports' gateways come from its subnets */
	sr_fabric_mark(f, vnet);
	return 0;
}

int sr_fabric_vrf_put(struct sr_fabric *f, const struct sr_vrf *vrf)
{
	struct sr_vnet *vnet = wanted_vnet(f, vrf->name);

	return vnet ? info_put(f, vnet, vrf) : 0;
}

void sr_fabric_vrf_keep(struct sr_fabric *f, const char *name)
{
	struct sr_vnet *vnet = wanted_vnet(f, name);

	if (vnet)
		vnet->info_stale = false;
}

void sr_fabric_vrf_del(struct sr_fabric *f, const char *name)
{
	struct sr_vnet *vnet = wanted_vnet(f, name);

	if (vnet)
		info_put(f, vnet, NULL);
}

static bool is_local(const struct sr_fabric *f, const struct sr_port *port)
{
	return f->self[0] && strcmp(port->node, f->self) == 0;
}

/* The record of a port of this node, made if it is not there; it is not in the table yet then. NULL: no memory. */
static struct sr_local_port *local_get(const struct sr_fabric *f, const struct sr_uuid *id, bool *ret_new)
{
	struct sr_local_port *lp;

	HASH_FIND(hh, f->local_ports, id, sizeof(*id), lp);
	*ret_new = !lp;
	return lp ? lp : calloc(1, sizeof(*lp));
}

static int local_put(struct sr_fabric *f, struct sr_vnet *vnet, const struct sr_port *port)
{
	struct sr_hop_key key = {.kind = SR_HOP_PORT, .port = port->id};
	struct sr_local_port *lp;
	uint32_t hop;
	bool is_new;
	int r;

	lp = local_get(f, &port->id, &is_new);
	if (!lp)
		return -ENOMEM;
	r = sr_vnet_port_put(vnet, &f->hops, port, &key, &hop);
	if (r < 0) {
		if (is_new)
			free(lp);
		return r;
	}
	lp->port = *port;
	lp->vnet = vnet;
	lp->hop = hop;
	if (is_new)
		HASH_ADD(hh, f->local_ports, port.id, sizeof(lp->port.id), lp);
	f->local_dirty = true;
	return 0;
}

static int remote_put(struct sr_fabric *f, struct sr_vnet *vnet, const struct sr_port *port)
{
	struct sr_hop_key key = {.kind = SR_HOP_NODE};
	uint32_t hop;
	int r;

	memcpy(key.node, port->node, sizeof(key.node));
	r = sr_vnet_port_put(vnet, &f->hops, port, &key, &hop);
	if (r == 0)
		local_del(f, vnet, &port->id);
	return r;
}

int sr_fabric_port_put(struct sr_fabric *f, const struct sr_port *port)
{
	struct sr_vnet *vnet = wanted_vnet(f, port->vrf);
	int r;

	if (!vnet)
		return 0;
	if (!port->node[0]) { /* unbound: as if it were not there */
		sr_fabric_port_del(f, port->vrf, &port->id);
		return 0;
	}
	r = is_local(f, port) ? local_put(f, vnet, port) : remote_put(f, vnet, port);
	if (r == 0)
		sr_fabric_mark(f, vnet);
	return r;
}

void sr_fabric_port_keep(struct sr_fabric *f, const char *vrf, const struct sr_uuid *id)
{
	struct sr_vnet *vnet = wanted_vnet(f, vrf);

	if (vnet)
		sr_vnet_port_keep(vnet, id);
}

void sr_fabric_port_del(struct sr_fabric *f, const char *vrf, const struct sr_uuid *id)
{
	struct sr_vnet *vnet = wanted_vnet(f, vrf);

	if (!vnet)
		return;
	local_del(f, vnet, id);
	sr_vnet_port_del(vnet, &f->hops, id);
	sr_fabric_mark(f, vnet);
}

int sr_fabric_encap_put(struct sr_fabric *f, const char *vrf, const struct sr_encap *encap)
{
	struct sr_vnet *vnet = wanted_vnet(f, vrf);
	int r;

	if (!vnet)
		return 0;
	r = sr_vnet_encap_put(vnet, &f->hops, encap);
	if (r == 0)
		sr_fabric_mark(f, vnet);
	return r;
}

void sr_fabric_encap_keep(struct sr_fabric *f, const char *vrf, const struct sr_uuid *id)
{
	struct sr_vnet *vnet = wanted_vnet(f, vrf);

	if (vnet)
		sr_vnet_encap_keep(vnet, id);
}

void sr_fabric_encap_del(struct sr_fabric *f, const char *vrf, const struct sr_uuid *id)
{
	struct sr_vnet *vnet = wanted_vnet(f, vrf);

	if (!vnet)
		return;
	sr_vnet_encap_del(vnet, &f->hops, id);
	sr_fabric_mark(f, vnet);
}

/* ---- what follows */

struct sr_hops *sr_fabric_hops(struct sr_fabric *f)
{
	return &f->hops;
}

struct sr_local_port *sr_fabric_local_ports(struct sr_fabric *f)
{
	return f->local_ports;
}

struct sr_local_port *sr_fabric_local_port(struct sr_fabric *f, const struct sr_uuid *id)
{
	struct sr_local_port *lp;

	HASH_FIND(hh, f->local_ports, id, sizeof(*id), lp);
	return lp;
}

bool sr_fabric_is_dirty(const struct sr_fabric *f)
{
	return f->dirty || f->local_dirty;
}

bool sr_fabric_is_synced(const struct sr_fabric *f)
{
	return f->n_unread == 0;
}

bool sr_fabric_take_local_dirty(struct sr_fabric *f)
{
	bool dirty = f->local_dirty;

	f->local_dirty = false;
	return dirty;
}

size_t sr_fabric_n_ports(const struct sr_fabric *f)
{
	size_t n = 0;

	for (const struct sr_vnet *vnet = f->vnets; vnet; vnet = vnet->hh.next)
		n += sr_vnet_n_ports(vnet);
	return n;
}
