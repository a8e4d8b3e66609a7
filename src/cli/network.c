/* SPDX-License-Identifier: GPL-2.0-only */
/* srctl network: a tenant's network is made, shown and removed. In the store it is its VRF. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/find.h"
#include "cli/sync.h"
#include "cli/table.h"
#include "cli/values.h"
#include "model/codec.h"

/* ---- create */

static bool take_subnets(const struct cli_args *args, struct sr_vrf *vrf)
{
	const char *text;
	size_t at = 0;

	while ((text = cli_args_next(args, "subnet", &at))) {
		if (vrf->n_subnets == SR_VRF_SUBNETS_MAX) {
			cli_usage("a network has at most %d subnets.", SR_VRF_SUBNETS_MAX);
			return false;
		}
		if (!cli_value_subnet(text, &vrf->subnets[vrf->n_subnets++]))
			return false;
	}
	return true;
}

static bool take_network(const struct cli_args *args, struct sr_vrf *vrf)
{
	const char *project = cli_args_value(args, "project"), *mtu = cli_args_value(args, "mtu");
	const char *gateway = cli_args_value(args, "gateway");

	if (!project || strlen(project) >= sizeof(vrf->project_id)) {
		cli_usage(project ? "%s is too long for a project's id." : "--project is missing: whose network it is.",
			  project);
		return false;
	}
	snprintf(vrf->project_id, sizeof(vrf->project_id), "%s", project);
	vrf->has_gateway = gateway != NULL;
	return cli_value_label("network", args->words[0], vrf->network_name) &&
	       cli_value_id(cli_args_value(args, "id"), &vrf->network_id) && take_subnets(args, vrf) &&
	       (!mtu || cli_value_number("an MTU", mtu, 68, 65535, &vrf->mtu)) &&
	       (!gateway || cli_value_locator(gateway, &vrf->segment_gw_id));
}

static char *encode_vrf(const struct sr_write_result *result)
{
	return sr_vrf_encode(result->vrf);
}

static enum cli_exit create(struct cli *cli, const struct cli_args *args)
{
	struct cli_outcome outcome = {.encode = encode_vrf};
	struct sr_vrf vrf = {};
	json_t *json;
	int r;

	if (!take_network(args, &vrf))
		return CLI_USAGE;
	if (!cli_connect(cli))
		return CLI_FAILED;
	r = sr_write_network(cli->etcd, cli->cluster, &vrf, cli_on_written, &outcome);
	if (!cli_written(cli, r, &outcome))
		return CLI_FAILED;
	json = cli_json_take(outcome.value);
	cli_print_object(json, cli->json);
	json_decref(json);
	return CLI_OK;
}

/* ---- list */

struct listing {
	struct cli_table table;
	struct sr_vrf vrf; /* the one being gone through: its ports follow its info in the order of keys */
	bool open;
	json_int_t ports;
	bool vrfs; /* a list of VRFs: other columns */
};

static void add_network(struct listing *listing)
{
	const struct sr_vrf *vrf = &listing->vrf;
	char id[SR_UUID_STRLEN], cidr[SR_PREFIX_STRLEN], ports[24], fn[INET_ADDRSTRLEN];
	char subnets[SR_VRF_SUBNETS_MAX * (SR_PREFIX_STRLEN + 1)] = "";
	json_t *json = NULL;

	if (listing->table.json) {
		json = cli_json_take(sr_vrf_encode(vrf));
		json_object_set_new(json, "ports", json_integer(listing->ports));
	}
	snprintf(ports, sizeof(ports), "%lld", (long long)listing->ports);
	for (size_t i = 0, at = 0; i < vrf->n_subnets; i++)
		at += (size_t)snprintf(subnets + at, sizeof(subnets) - at, "%s%s", i ? "," : "",
				       sr_prefix_format(&vrf->subnets[i].cidr, cidr));
	sr_uuid_format(&vrf->network_id, id);
	sr_function_format(vrf->vrf_ip, fn);
	if (listing->vrfs)
		cli_table_add(&listing->table, NULL, json, vrf->name, fn, vrf->network_name, id, vrf->project_id,
			      ports);
	else
		cli_table_add(&listing->table, NULL, json, vrf->network_name, id, vrf->name, vrf->project_id, subnets,
			      ports);
}

static void close_network(struct listing *listing)
{
	if (listing->open)
		add_network(listing);
	listing->open = false;
	listing->ports = 0;
}

static void list_object(void *ctx, const struct sr_object *object)
{
	struct listing *listing = ctx;

	if (object->id.kind == SR_OBJECT_VRF) {
		close_network(listing);
		listing->vrf = object->vrf;
		listing->open = true;
	} else if (object->id.kind == SR_OBJECT_PORT) {
		listing->ports++;
	}
}

static enum cli_exit list_with(struct cli *cli, const char *const *titles, bool vrfs)
{
	struct listing listing = {.vrfs = vrfs};
	bool ok;

	cli_table_init(&listing.table, titles, cli->json);
	ok = cli_each(cli, &(struct sr_scope){.kind = SR_SCOPE_VRFS}, list_object, &listing);
	close_network(&listing);
	if (ok)
		cli_table_print(&listing.table);
	cli_table_fini(&listing.table);
	return ok ? CLI_OK : CLI_FAILED;
}

static enum cli_exit list(struct cli *cli, const struct cli_args *args)
{
	static const char *const titles[] = {"NETWORK", "ID", "VRF", "PROJECT", "SUBNETS", "PORTS", NULL};

	(void)args;
	return list_with(cli, titles, false);
}

static enum cli_exit list_vrfs(struct cli *cli, const struct cli_args *args)
{
	static const char *const titles[] = {"VRF", "VRF IP", "NETWORK", "NETWORK ID", "PROJECT", "PORTS", NULL};

	(void)args;
	return list_with(cli, titles, true);
}

/* ---- show, delete */

struct contents {
	json_t *ports, *encaps, *nodes; /* nodes: a set, {"hv1": true} */
};

static void add_contents(void *ctx, const struct sr_object *object)
{
	struct contents *contents = ctx;
	char id[SR_UUID_STRLEN];

	if (object->id.kind == SR_OBJECT_PORT) {
		json_array_append_new(contents->ports, json_string(sr_uuid_format(&object->id.id, id)));
		if (object->port.node[0])
			json_object_set_new(contents->nodes, object->port.node, json_true());
	} else if (object->id.kind == SR_OBJECT_ENCAP) {
		json_array_append_new(contents->encaps, json_string(sr_uuid_format(&object->id.id, id)));
	}
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static json_t *names_of(json_t *set)
{
	const char **names = calloc(json_object_size(set) + 1, sizeof(*names));
	json_t *list = json_array(), *value;
	const char *name;
	size_t n = 0;

	json_object_foreach (set, name, value)
		if (names)
			names[n++] = name;
	if (n)
		qsort((void *)names, n, sizeof(*names), compare_names);
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_string(names[i]));
	free((void *)names);
	return list;
}

static enum cli_exit show(struct cli *cli, const struct cli_args *args)
{
	struct sr_object *vrf = cli_find_network(cli, args->words[0]);
	struct contents contents = {json_array(), json_array(), json_object()};
	struct sr_scope scope = {.kind = SR_SCOPE_VRF};
	bool ok = vrf != NULL;
	json_t *json;

	if (ok)
		snprintf(scope.name, sizeof(scope.name), "%s", vrf->vrf.name);
	ok = ok && cli_each(cli, &scope, add_contents, &contents);
	if (ok) {
		json = cli_object_json(vrf);
		json_object_set_new(json, "nodes", names_of(contents.nodes));
		json_object_set(json, "ports", contents.ports);
		json_object_set(json, "encap_networks", contents.encaps);
		cli_print_object(json, cli->json);
		json_decref(json);
	}
	json_decref(contents.ports);
	json_decref(contents.encaps);
	json_decref(contents.nodes);
	cli_object_free(vrf);
	return ok ? CLI_OK : CLI_FAILED;
}

static enum cli_exit remove_network(struct cli *cli, const struct cli_args *args)
{
	struct sr_object *vrf = cli_find_network(cli, args->words[0]);
	unsigned int quarantine_s = cli_args_has(args, "now") ? 0 : SR_VRF_IP_QUARANTINE_S;
	struct cli_outcome outcome = {};
	bool ok;
	int r;

	if (!vrf)
		return CLI_FAILED;
	r = sr_write_network_delete(cli->etcd, cli->cluster, vrf->id.vrf, quarantine_s, cli_on_written, &outcome);
	ok = cli_written(cli, r, &outcome);
	cli_object_free(vrf);
	return ok ? CLI_OK : CLI_FAILED;
}

static const struct cli_option create_options[] = {
	{"project", "ID", "whose it is: the project's id (32 hex digits or a UUID)", false},
	{"subnet", "CIDR[,GATEWAY]", "a subnet; its first address is its gateway, or \"none\"", true},
	{"id", "UUID", "the network's id; without it a new one", false},
	{"mtu", "N", "of the tenant's packets; without it what the fabric carries", false},
	{"gateway", "LOCATOR", "where packets go that no other route wants (segment_gw_id)", false},
	{},
};

static const struct cli_option delete_options[] = {
	{"now", NULL, "its vrf_ip is free for others at once", false},
	{},
};

const struct cli_command cli_network[] = {
	{"network", "create", "NAME", 1, 1, "Makes a network: its VRF, and a vrf_ip of the cluster's vrf_cidr",
	 create_options,
	 "The VRF's name is \"vrf\", 6 hex digits of the project's id and 6 of the network's; another if that is "
	 "taken.",
	 create},
	{"network", "list", "", 0, 0, "Lists networks", NULL, NULL, list},
	{"network", "show", "NETWORK", 1, 1, "Shows a network, its ports, and the nodes that it is on", NULL, NULL,
	 show},
	{"network", "delete", "NETWORK", 1, 1, "Removes a network", delete_options,
	 "It fails while ports or encap networks are in it. Its vrf_ip is given to no other network for 5 minutes: "
	 "late "
	 "packets to it reach nobody.",
	 remove_network},
	{},
};

const struct cli_command cli_vrf[] = {
	{"vrf", "list", "", 0, 0, "Lists VRFs and their networks", NULL, NULL, list_vrfs},
	{"vrf", "show", "VRF", 1, 1, "Shows a VRF, as network show does", NULL, NULL, show},
	{},
};
