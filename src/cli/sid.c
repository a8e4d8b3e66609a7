/* SPDX-License-Identifier: GPL-2.0-only */
/* srctl sid: which SIDs are in use, each a node's locator and a VRF's vrf_ip. */
#include <stdio.h>
#include <string.h>

#include "cli/table.h"
#include "cli/world.h"

struct listing {
	struct cli_table table;
	struct cli_names nodes;
	struct sr_vrf vrf; /* the one being gone through: its ports follow its info in the order of keys */
	bool open;
	json_t *nodes_of; /* {"hv1": how many of its ports} */
};

static void add(struct listing *listing, const struct sr_locator *locator, const char *node, const char *what,
		json_int_t ports)
{
	const struct sr_vrf *vrf = &listing->vrf;
	struct sr_sid sid = sr_sid_make(locator, vrf->vrf_ip);
	char text[SR_SID_STRLEN], fn[INET_ADDRSTRLEN], count[24] = "", key[SR_VRF_NAME_SIZE + SR_NAME_SIZE + 16];
	json_t *json = NULL;

	sr_sid_format(&sid, text);
	sr_function_format(vrf->vrf_ip, fn);
	if (node)
		snprintf(count, sizeof(count), "%lld", (long long)ports);
	if (listing->table.json)
		json = json_pack("{s:s, s:s?, s:s, s:s, s:s, s:I}", "sid", text, "node", node, "vrf", vrf->name,
				 "vrf_ip", fn, "use", what, "ports", ports);
	snprintf(key, sizeof(key), "%s\1%s\1%s", vrf->name, what, node ? node : "");
	cli_table_add(&listing->table, key, json, vrf->name, node, what, text, count);
}

static void close_vrf(struct listing *listing)
{
	const char *name;
	json_t *ports;

	if (listing->open) {
		json_object_foreach (listing->nodes_of, name, ports) {
			const struct sr_object *node = cli_names_get(&listing->nodes, name);

			if (node)
				add(listing, &node->node.locator, name, "ports", json_integer_value(ports));
		}
		if (listing->vrf.has_gateway)
			add(listing, &listing->vrf.segment_gw_id, NULL, "gateway", 0);
	}
	json_object_clear(listing->nodes_of);
	listing->open = false;
}

static void list_object(void *ctx, const struct sr_object *object)
{
	struct listing *listing = ctx;
	const char *node = object->port.node;

	if (object->id.kind == SR_OBJECT_VRF) {
		close_vrf(listing);
		listing->vrf = object->vrf;
		listing->open = true;
	} else if (object->id.kind == SR_OBJECT_PORT && node[0]) {
		json_int_t n = json_integer_value(json_object_get(listing->nodes_of, node));

		json_object_set_new(listing->nodes_of, node, json_integer(n + 1));
	}
}

static enum cli_exit list(struct cli *cli, const struct cli_args *args)
{
	static const char *const titles[] = {"VRF", "NODE", "FOR", "SID", "PORTS", NULL};
	struct listing listing = {.nodes_of = json_object()};
	bool ok;

	(void)args;
	cli_table_init(&listing.table, titles, cli->json);
	ok = cli_each(cli, &(struct sr_scope){.kind = SR_SCOPE_NODES}, cli_names_add, &listing.nodes) &&
	     cli_each(cli, &(struct sr_scope){.kind = SR_SCOPE_VRFS}, list_object, &listing);
	close_vrf(&listing);
	if (ok)
		cli_table_print(&listing.table);
	cli_table_fini(&listing.table);
	cli_names_fini(&listing.nodes);
	json_decref(listing.nodes_of);
	return ok ? CLI_OK : CLI_FAILED;
}

const struct cli_command cli_sid[] = {
	{"sid", "list", "", 0, 0, "Lists the SIDs in use: each node with ports of a VRF, each VRF's gateway", NULL,
	 NULL, list},
	{},
};
