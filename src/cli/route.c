/* SPDX-License-Identifier: GPL-2.0-only */
/* srctl route: what agents program, as it follows from the store. */
#include <stdio.h>
#include <string.h>

#include "cli/find.h"
#include "cli/table.h"
#include "cli/world.h"

struct listing {
	struct cli_table table;
	struct cli_world world;
	const struct sr_vnet *vnet;
};

static json_t *route_json(const struct sr_vnet *vnet, const struct cli_path *path, const char *destination)
{
	json_t *json = json_pack("{s:s, s:s, s:s, s:o}", "vrf", vnet->name, "destination", destination, "source",
				 path->why, "segments", cli_segments_json(path->segs, path->n_segs));

	json_object_set_new(json, "node", path->node ? json_string(path->node) : json_null());
	return json;
}

static int list_route(void *ctx, const struct sr_rib_change *route)
{
	struct listing *listing = ctx;
	const struct sr_vnet *vnet = listing->vnet;
	char destination[SR_PREFIX_STRLEN], sids[SR_SEGS_MAX * (SR_SID_STRLEN + 1)];
	char key[SR_VRF_NAME_SIZE + 1 + CLI_PREFIX_KEY_SIZE];
	struct cli_path path;
	int len;

	if (route->want == SR_HOP_NONE)
		return 0;
	cli_world_path(&listing->world, vnet, route->want, &path);
	len = sprintf(key, "%s\1", vnet->name);
	cli_prefix_key(&route->dst, key + len);
	sr_prefix_format(&route->dst, destination);
	cli_table_add(&listing->table, key, listing->table.json ? route_json(vnet, &path, destination) : NULL,
		      vnet->name, destination, path.why, path.node ? path.node : "",
		      cli_segments_format(path.segs, path.n_segs, sids));
	return 0;
}

static enum cli_exit list_in(struct cli *cli, const char *vrf)
{
	static const char *const titles[] = {"VRF", "DESTINATION", "FROM", "NODE", "SEGMENTS", NULL};
	struct listing listing;
	bool ok = cli_world_load(cli, "", vrf, NULL, NULL, &listing.world);

	cli_table_init(&listing.table, titles, cli->json);
	for (listing.vnet = ok ? sr_fabric_vnets(listing.world.fabric) : NULL; listing.vnet;
	     listing.vnet = listing.vnet->hh.next)
		sr_rib_each(&listing.vnet->rib, list_route, &listing);
	if (ok)
		cli_table_print(&listing.table);
	cli_table_fini(&listing.table);
	cli_world_fini(&listing.world);
	return ok ? CLI_OK : CLI_FAILED;
}

static enum cli_exit list(struct cli *cli, const struct cli_args *args)
{
	const char *vrf = cli_args_value(args, "vrf"), *network = cli_args_value(args, "network");
	struct sr_object *found;
	enum cli_exit code;

	if (vrf && network)
		return cli_usage("--vrf or --network?");
	if (!vrf && !network)
		return list_in(cli, NULL);
	found = cli_find_network(cli, vrf ? vrf : network);
	code = found ? list_in(cli, found->id.vrf) : CLI_FAILED;
	cli_object_free(found);
	return code;
}

static const struct cli_option list_options[] = {
	{"vrf", "VRF", "only those of this VRF", false},
	{"network", "NETWORK", "only those of this network", false},
	{},
};

const struct cli_command cli_route[] = {
	{"route", "list", "", 0, 0, "Lists the routes that follow from ports, encap networks and gateways",
	 list_options,
	 "FROM: port (an address of a port), encap (a rule), gateway. On the port's own node its route leads to its "
	 "tap instead.\n"
	 "No segments: the node is not registered, and packets are dropped. What a node has: srctl datapath dump, "
	 "there.",
	 list},
	{},
};
