/* SPDX-License-Identifier: GPL-2.0-only */
/* agent/engine.c - birth, and what the engine is told: by the datapath's dump, the store, the links. */
#include "agent/engine_impl.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void engine_log(struct sr_engine *e, enum sr_log_level level, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	e->ops->log(e->ctx, level, text);
}

/* ---- birth: what the datapath has */

static int learn_vrf(void *ctx, uint32_t id, const struct sr_dp_vrf *vrf)
{
	struct sr_engine *e = ctx;
	int r = sr_fabric_learn_vrf(e->fabric, id, vrf->name);

	if (r == 0)
		e->vrfs[id] = (struct vrf_had){.there = true, .vrf = *vrf};
	return r;
}

static int learn_hop(void *ctx, uint32_t id, const struct sr_dp_nexthop *nh)
{
	struct sr_engine *e = ctx;
	int r = sr_fabric_learn_hop(e->fabric, id, nh->cookie);

	if (r == 0) {
		e->hops[id] = *nh;
		e->hops_there[id] = true;
	}
	return r;
}

static int learn_port(void *ctx, const struct sr_dp_port *port)
{
	struct sr_engine *e = ctx;
	struct port_had *had;

	if (port->vrf > e->config.max_vrfs || port->nexthop > e->config.max_nexthops)
		return -EINVAL;
	had = calloc(1, sizeof(*had));
	if (!had)
		return -ENOMEM;
	*had = (struct port_had){.ifindex = port->ifindex, .port = *port, .refresh = true};
	HASH_ADD_INT(e->ports, ifindex, had);
	sr_hops_have_ref(sr_fabric_hops(e->fabric), port->nexthop);
	e->vrfs[port->vrf].n_ports++;
	return 0;
}

static int learn_routes(void *ctx, const struct sr_dp_route *routes, size_t n)
{
	struct sr_engine *e = ctx;
	int r;

	for (size_t i = 0; i < n; i++) {
		r = sr_fabric_learn_route(e->fabric, routes[i].vrf, &routes[i].dst, routes[i].nexthop);
		if (r < 0)
			return r;
	}
	return 0;
}

static int learn_uplink(void *ctx, uint32_t ifindex)
{
	struct sr_engine *e = ctx;

	if (e->n_old_uplinks < SR_UPLINKS_MAX)
		e->old_uplinks[e->n_old_uplinks++] = ifindex;
	return 0;
}

/* VRFs and next hops first: routes refer to them, and a dump gives its parts in any order. */
static int learn(struct sr_engine *e)
{
	static const struct sr_dp_dump objects = {.vrf = learn_vrf, .nexthop = learn_hop};
	static const struct sr_dp_dump users = {.uplink = learn_uplink, .port = learn_port, .routes = learn_routes};
	int r = e->dp->ops->dump(e->dp, &objects, e);

	return r < 0 ? r : e->dp->ops->dump(e->dp, &users, e);
}

int sr_engine_new(const struct sr_engine_config *config, struct sr_dp *dp, const struct sr_engine_ops *ops, void *ctx,
		  struct sr_engine **ret)
{
	struct sr_engine *e;
	int r = -ENOMEM;

	e = malloc(sizeof(*e));
	if (!e)
		return -ENOMEM;
	*e = (struct sr_engine){.config = *config, .dp = dp, .ops = ops, .ctx = ctx};
	e->vrfs = calloc((size_t)config->max_vrfs + 1, sizeof(*e->vrfs));
	e->hops = calloc((size_t)config->max_nexthops + 1, sizeof(*e->hops));
	e->hops_there = calloc((size_t)config->max_nexthops + 1, sizeof(*e->hops_there));
	if (!e->vrfs || !e->hops || !e->hops_there)
		goto fail;
	r = sr_fabric_new(config->self, config->max_vrfs, config->max_nexthops, config->seed, &e->fabric);
	if (r < 0)
		goto fail;
	r = learn(e);
	if (r < 0)
		goto fail;
	*ret = e;
	return 0;
fail:
	sr_engine_free(e);
	return r;
}

#define FREE_ALL(head)                                                                                                 \
	do {                                                                                                           \
		__typeof__(head) item, tmp;                                                                            \
		HASH_ITER (hh, head, item, tmp) {                                                                      \
			HASH_DEL(head, item);                                                                          \
			free(item);                                                                                    \
		}                                                                                                      \
	} while (0)

void sr_engine_free(struct sr_engine *e)
{
	if (!e)
		return;
	HASH_CLEAR(hh_name, e->links_by_name);
	FREE_ALL(e->links);
	FREE_ALL(e->bindings);
	FREE_ALL(e->uses);
	FREE_ALL(e->ports);
	FREE_ALL(e->reported);
	sr_fabric_free(e->fabric);
	free(e->vrfs);
	free(e->hops);
	free(e->hops_there);
	free(e);
}

const struct sr_engine_stats *sr_engine_stats(const struct sr_engine *e)
{
	return &e->stats;
}

struct sr_fabric *sr_engine_fabric(struct sr_engine *e)
{
	return e->fabric;
}

/* ---- links */

struct link *engine_link_by_name(struct sr_engine *e, const char *name)
{
	struct link *link;

	HASH_FIND(hh_name, e->links_by_name, name, strlen(name), link);
	return link;
}

static void links_changed(struct sr_engine *e)
{
	e->ports_dirty = true;
	e->ops->wake(e->ctx);
}

static void link_free(struct sr_engine *e, struct link *link)
{
	HASH_DELETE(hh_name, e->links_by_name, link);
	HASH_DELETE(hh, e->links, link);
	free(link);
	links_changed(e);
}

/* What the datapath has on the interface may be no more: it is written again although it looks equal. */
static void link_refresh(struct sr_engine *e, uint32_t ifindex)
{
	struct port_had *had;

	HASH_FIND_INT(e->ports, &ifindex, had);
	if (had)
		had->refresh = true;
	for (size_t i = 0; i < e->config.n_uplinks; i++)
		if (e->uplinks[i] == ifindex)
			e->uplinks[i] = 0;
}

int sr_engine_link_set(struct sr_engine *e, uint32_t ifindex, const char *name, uint32_t mtu, bool up)
{
	struct link *link, *named = engine_link_by_name(e, name);

	/* A name that moved to another interface: the old one is gone or will be told of under its new name. */
	if (named && named->ifindex != ifindex)
		link_free(e, named);
	HASH_FIND_INT(e->links, &ifindex, link);
	if (link && up && !link->up) {
		link_refresh(e, ifindex);
		links_changed(e);
	}
	if (link && strcmp(link->name, name) == 0 && link->mtu == mtu) {
		link->up = up;
		link->stale = false;
		return 0;
	}
	if (link)
		link_free(e, link);
	link = calloc(1, sizeof(*link));
	if (!link)
		return -ENOMEM;
	link->ifindex = ifindex;
	link->mtu = mtu;
	link->up = up;
	snprintf(link->name, sizeof(link->name), "%s", name);
	HASH_ADD_INT(e->links, ifindex, link);
	HASH_ADD(hh_name, e->links_by_name, name, strlen(link->name), link);
	links_changed(e);
	return 0;
}

void sr_engine_link_del(struct sr_engine *e, uint32_t ifindex)
{
	struct link *link;

	HASH_FIND_INT(e->links, &ifindex, link);
	if (!link)
		return;
	link_free(e, link);
	link_refresh(e, ifindex); /* its number may come back, on an interface without our program */
}

void sr_engine_links_begin(struct sr_engine *e)
{
	for (struct link *link = e->links; link; link = link->hh.next)
		link->stale = true;
}

void sr_engine_links_end(struct sr_engine *e)
{
	struct link *link, *tmp;

	HASH_ITER (hh, e->links, link, tmp)
		if (link->stale)
			link_free(e, link);
	e->links_synced = true;
	links_changed(e);
}

/* ---- bindings: which VRFs are of interest */

static void want_vrf(struct sr_engine *e, struct vrf_use *use)
{
	int r = sr_fabric_want(e->fabric, use->vrf);

	if (r < 0) {
		if (!e->uses_unmet)
			engine_log(e, SR_LOG_ERROR, "VRF %s: cannot be taken in: %s%s; trying again", use->vrf,
				   strerror(-r), r == -ENOSPC ? " (raise max_vrfs)" : "");
		e->uses_unmet = true;
		return;
	}
	use->wanted = true;
	e->ops->subscribe(e->ctx, use->vrf);
}

void engine_meet_uses(struct sr_engine *e)
{
	bool unmet = false;

	if (!e->uses_unmet)
		return;
	for (struct vrf_use *use = e->uses; use; use = use->hh.next) {
		if (!use->wanted)
			want_vrf(e, use);
		unmet |= !use->wanted;
	}
	e->uses_unmet = unmet;
}

static void use_vrf(struct sr_engine *e, const char *vrf)
{
	struct vrf_use *use;

	HASH_FIND_STR(e->uses, vrf, use);
	if (!use) {
		use = calloc(1, sizeof(*use));
		if (!use) {
			engine_log(e, SR_LOG_ERROR, "VRF %s: out of memory", vrf);
			return;
		}
		snprintf(use->vrf, sizeof(use->vrf), "%s", vrf);
		HASH_ADD_STR(e->uses, vrf, use);
	}
	if (use->n++ == 0)
		want_vrf(e, use);
}

static void unuse_vrf(struct sr_engine *e, const char *name)
{
	char vrf[SR_VRF_NAME_SIZE];
	struct vrf_use *use;
	bool wanted;

	HASH_FIND_STR(e->uses, name, use);
	if (!use || --use->n > 0)
		return;
	memcpy(vrf, use->vrf, sizeof(vrf));
	wanted = use->wanted;
	HASH_DEL(e->uses, use);
	free(use);
	if (wanted) {
		e->ops->unsubscribe(e->ctx, vrf);
		sr_fabric_unwant(e->fabric, vrf);
	}
	e->ops->wake(e->ctx);
}

static void binding_put(struct sr_engine *e, const struct sr_uuid *port, const char *vrf)
{
	struct binding *b;

	HASH_FIND(hh, e->bindings, port, sizeof(*port), b);
	if (b) {
		b->stale = false;
		if (strcmp(b->vrf, vrf) == 0)
			return;
	} else {
		b = calloc(1, sizeof(*b));
		if (!b) {
			engine_log(e, SR_LOG_ERROR, "binding: out of memory");
			return;
		}
		b->port = *port;
		HASH_ADD(hh, e->bindings, port, sizeof(b->port), b);
	}
	use_vrf(e, vrf);
	if (b->vrf[0])
		unuse_vrf(e, b->vrf);
	snprintf(b->vrf, sizeof(b->vrf), "%s", vrf);
}

static void binding_free(struct sr_engine *e, struct binding *b)
{
	HASH_DEL(e->bindings, b);
	unuse_vrf(e, b->vrf);
	free(b);
}

static struct binding *find_binding(struct sr_engine *e, const struct sr_uuid *port)
{
	struct binding *b;

	HASH_FIND(hh, e->bindings, port, sizeof(*port), b);
	return b;
}

/* ---- the store's reader */

static void on_begin(void *ctx, const struct sr_scope *scope)
{
	struct sr_engine *e = ctx;

	switch (scope->kind) {
	case SR_SCOPE_NODES:
		sr_fabric_nodes_begin(e->fabric);
		break;
	case SR_SCOPE_BINDINGS:
		for (struct binding *b = e->bindings; b; b = b->hh.next)
			b->stale = true;
		break;
	case SR_SCOPE_VRF:
		sr_fabric_vrf_begin(e->fabric, scope->name);
		break;
	default:
		assert(0);
	}
}

static void on_put(void *ctx, const struct sr_scope *scope, const struct sr_object *object)
{
	struct sr_engine *e = ctx;
	char id[SR_UUID_STRLEN];
	int r = 0;

	switch (object->id.kind) {
	case SR_OBJECT_NODE:
		r = sr_fabric_node_put(e->fabric, &object->node);
		break;
	case SR_OBJECT_BINDING:
		binding_put(e, &object->id.id, object->binding.vrf);
		break;
	case SR_OBJECT_VRF:
		r = sr_fabric_vrf_put(e->fabric, &object->vrf);
		break;
	case SR_OBJECT_PORT:
		r = sr_fabric_port_put(e->fabric, &object->port);
		break;
	case SR_OBJECT_ENCAP:
		r = sr_fabric_encap_put(e->fabric, object->id.vrf, &object->encap);
		break;
	default:
		break;
	}
	if (r < 0)
		engine_log(e, SR_LOG_ERROR, "%s %s: object %s%s at revision %lld not taken in: %s%s", scope->name,
			   object->id.vrf, object->id.node, sr_uuid_format(&object->id.id, id),
			   (long long)object->revision, strerror(-r), r == -ENOSPC ? " (raise max_nexthops)" : "");
}

static void on_del(void *ctx, const struct sr_scope *scope, const struct sr_object_id *id)
{
	struct sr_engine *e = ctx;
	struct binding *b;

	(void)scope;
	switch (id->kind) {
	case SR_OBJECT_NODE:
		sr_fabric_node_del(e->fabric, id->node);
		break;
	case SR_OBJECT_BINDING:
		b = find_binding(e, &id->id);
		if (b)
			binding_free(e, b);
		break;
	case SR_OBJECT_VRF:
		sr_fabric_vrf_del(e->fabric, id->vrf);
		break;
	case SR_OBJECT_PORT:
		sr_fabric_port_del(e->fabric, id->vrf, &id->id);
		break;
	case SR_OBJECT_ENCAP:
		sr_fabric_encap_del(e->fabric, id->vrf, &id->id);
		break;
	default:
		break;
	}
}

static void on_keep(void *ctx, const struct sr_scope *scope, const struct sr_object_id *id)
{
	struct sr_engine *e = ctx;
	struct binding *b;

	(void)scope;
	switch (id->kind) {
	case SR_OBJECT_NODE:
		sr_fabric_node_keep(e->fabric, id->node);
		break;
	case SR_OBJECT_BINDING:
		b = find_binding(e, &id->id);
		if (b)
			b->stale = false;
		break;
	case SR_OBJECT_VRF:
		sr_fabric_vrf_keep(e->fabric, id->vrf);
		break;
	case SR_OBJECT_PORT:
		sr_fabric_port_keep(e->fabric, id->vrf, &id->id);
		break;
	case SR_OBJECT_ENCAP:
		sr_fabric_encap_keep(e->fabric, id->vrf, &id->id);
		break;
	default:
		break;
	}
}

static void on_end(void *ctx, const struct sr_scope *scope, int64_t revision)
{
	struct sr_engine *e = ctx;
	struct binding *b, *tmp;

	(void)revision;
	switch (scope->kind) {
	case SR_SCOPE_NODES:
		sr_fabric_nodes_end(e->fabric);
		e->nodes_synced = true;
		break;
	case SR_SCOPE_BINDINGS:
		HASH_ITER (hh, e->bindings, b, tmp)
			if (b->stale)
				binding_free(e, b);
		e->bindings_synced = true;
		break;
	case SR_SCOPE_VRF:
		sr_fabric_vrf_end(e->fabric, scope->name);
		break;
	default:
		assert(0);
	}
	e->ops->wake(e->ctx);
}

static void on_batch(void *ctx, const struct sr_scope *scope, int64_t revision)
{
	struct sr_engine *e = ctx;

	(void)scope;
	(void)revision;
	e->ops->wake(e->ctx);
}

static void on_problem(void *ctx, const char *key, const char *text)
{
	engine_log(ctx, SR_LOG_WARNING, "etcd key %s: %s; ignored", key, text);
}

const struct sr_store_reader sr_engine_reader = {
	.begin = on_begin,
	.put = on_put,
	.del = on_del,
	.keep = on_keep,
	.end = on_end,
	.batch = on_batch,
	.problem = on_problem,
};
