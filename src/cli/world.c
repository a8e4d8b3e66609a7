/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/world.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define VRFS_MAX 1000000
#define HOPS_MAX 4000000

static int put(struct sr_fabric *fabric, const struct sr_object *object)
{
	int r;

	if (object->id.kind == SR_OBJECT_NODE)
		return sr_fabric_node_put(fabric, &object->node);
	r = sr_fabric_want(fabric, object->id.vrf);
	if (r < 0)
		return r;
	switch (object->id.kind) {
	case SR_OBJECT_VRF:
		return sr_fabric_vrf_put(fabric, &object->vrf);
	case SR_OBJECT_PORT:
		return sr_fabric_port_put(fabric, &object->port);
	case SR_OBJECT_ENCAP:
		return sr_fabric_encap_put(fabric, object->id.vrf, &object->encap);
	default:
		return 0;
	}
}

static void on_object(void *ctx, const struct sr_object *object)
{
	struct cli_world *world = ctx;
	int r = put(world->fabric, object);

	if (r < 0 && !world->failed)
		cli_fail("this does not fit: %s.", strerror(-r));
	world->failed |= r < 0;
	if (object->id.kind == SR_OBJECT_NODE)
		cli_names_add(&world->nodes, object);
	else if (world->also)
		world->also(world->ctx, object);
}

bool cli_world_load(struct cli *cli, const char *self, const char *vrf, cli_object_cb also, void *ctx,
		    struct cli_world *ret)
{
	struct sr_scope scope = {.kind = vrf ? SR_SCOPE_VRF : SR_SCOPE_VRFS};
	int r;

	*ret = (struct cli_world){.also = also, .ctx = ctx};
	r = sr_fabric_new(self, VRFS_MAX, HOPS_MAX, 0, &ret->fabric);
	if (r < 0) {
		cli_fail("%s.", strerror(-r));
		return false;
	}
	if (vrf)
		snprintf(scope.name, sizeof(scope.name), "%s", vrf);
	return cli_each(cli, &(struct sr_scope){.kind = SR_SCOPE_NODES}, on_object, ret) &&
	       cli_each(cli, &scope, on_object, ret) && !ret->failed;
}

void cli_world_fini(struct cli_world *world)
{
	sr_fabric_free(world->fabric);
	cli_names_fini(&world->nodes);
}

static void path_to_node(const struct cli_world *world, const struct sr_vnet *vnet, const char *name,
			 struct cli_path *path)
{
	const struct sr_node *node = sr_fabric_node(world->fabric, name);

	path->why = "port";
	path->node = name;
	if (!node || !vnet->known)
		return;
	path->segs[0] = sr_sid_make(&node->locator, vnet->info.vrf_ip);
	path->n_segs = 1;
}

void cli_world_path(const struct cli_world *world, const struct sr_vnet *vnet, uint32_t hop, struct cli_path *ret)
{
	const struct sr_hop_key *key = sr_hops_key(sr_fabric_hops(world->fabric), hop);
	const struct sr_node *node = NULL;

	*ret = (struct cli_path){.hop = key, .why = "port"};
	switch (key->kind) {
	case SR_HOP_NODE:
		path_to_node(world, vnet, key->node, ret);
		return;
	case SR_HOP_LOCATOR:
		ret->why = "gateway";
		ret->segs[0] = sr_sid_make(&key->locator, vnet->info.vrf_ip);
		ret->n_segs = 1;
		break;
	case SR_HOP_SIDS:
		ret->why = "encap";
		memcpy(ret->segs, key->segs, key->n_segs * sizeof(ret->segs[0]));
		ret->n_segs = key->n_segs;
		break;
	case SR_HOP_PORT:
		return;
	}
	node = cli_world_node_of(world, &ret->segs[0]);
	ret->node = node ? node->name : NULL;
}

static bool has_locator(const struct sr_object *object, const void *locator)
{
	return sr_locator_equal(&object->node.locator, locator);
}

const struct sr_node *cli_world_node_of(const struct cli_world *world, const struct sr_sid *sid)
{
	struct sr_locator locator = sr_sid_locator(sid);
	const struct sr_object *node = cli_names_search(&world->nodes, has_locator, &locator);

	return node ? &node->node : NULL;
}

const char *cli_segments_format(const struct sr_sid *segs, size_t n, char buf[static SR_SEGS_MAX * (SR_SID_STRLEN + 1)])
{
	char sid[SR_SID_STRLEN], *at = buf;

	*at = '\0';
	for (size_t i = 0; i < n; i++)
		at += sprintf(at, "%s%s", i ? "," : "", sr_sid_format(&segs[i], sid));
	return buf;
}

json_t *cli_segments_json(const struct sr_sid *segs, size_t n)
{
	json_t *list = json_array();
	char sid[SR_SID_STRLEN];

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_string(sr_sid_format(&segs[i], sid)));
	return list;
}
