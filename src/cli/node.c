/* SPDX-License-Identifier: GPL-2.0-only */
/* srctl node: which nodes there are, which are alive; drain them, forget them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/names.h"
#include "cli/sync.h"
#include "cli/table.h"
#include "model/codec.h"

static const char *state_of(const struct sr_node *node, const struct sr_node_status *status)
{
	if (!status)
		return "down";
	if (status->draining)
		return "drained";
	return node->drain ? "draining" : "up";
}

static json_t *node_json(const struct sr_node *node, const struct sr_object *status)
{
	json_t *json = cli_json_take(sr_node_encode(node));

	json_object_set_new(json, "state", json_string(state_of(node, status ? &status->node_status : NULL)));
	json_object_set_new(json, "status", status ? cli_object_json(status) : json_null());
	return json;
}

/* ---- list */

struct listing {
	struct cli_names status;
	struct cli_table table;
};

static void list_node(void *ctx, const struct sr_object *object)
{
	struct listing *listing = ctx;
	const struct sr_object *found = cli_names_get(&listing->status, object->node.name);
	const struct sr_node_status *status = found ? &found->node_status : NULL;
	char locator[SR_LOCATOR_STRLEN];

	cli_table_add(&listing->table, NULL, listing->table.json ? node_json(&object->node, found) : NULL,
		      object->node.name, sr_locator_format(&object->node.locator, locator),
		      state_of(&object->node, status), status ? status->datapath : "", status ? status->version : "");
}

static enum cli_exit list(struct cli *cli, const struct cli_args *args)
{
	static const char *const titles[] = {"NODE", "LOCATOR", "STATE", "DATAPATH", "VERSION", NULL};
	struct listing listing = {};
	bool ok;

	(void)args;
	cli_table_init(&listing.table, titles, cli->json);
	ok = cli_each_node_status(cli, cli_names_add, &listing.status) &&
	     cli_each(cli, &(struct sr_scope){.kind = SR_SCOPE_NODES}, list_node, &listing);
	if (ok)
		cli_table_print(&listing.table);
	cli_table_fini(&listing.table);
	cli_names_fini(&listing.status);
	return ok ? CLI_OK : CLI_FAILED;
}

/* ---- show */

static void add_binding(void *ctx, const struct sr_object *object)
{
	char id[SR_UUID_STRLEN];

	json_array_append_new(ctx, json_string(sr_uuid_format(&object->id.id, id)));
}

static void show_it(struct cli *cli, const struct sr_object *node, const struct sr_object *status, json_t *ports)
{
	json_t *json = node_json(&node->node, status);
	char started[32];
	struct tm tm;
	time_t at;

	if (!cli->json && status) { /* people read the status among the rest */
		at = (time_t)status->node_status.started;
		json_object_del(json, "status");
		json_object_set_new(json, "datapath", json_string(status->node_status.datapath));
		json_object_set_new(json, "version", json_string(status->node_status.version));
		if (localtime_r(&at, &tm) && strftime(started, sizeof(started), "%F %T %z", &tm))
			json_object_set_new(json, "agent started", json_string(started));
	}
	json_object_set(json, "ports", ports);
	cli_print_object(json, cli->json);
	json_decref(json);
}

static enum cli_exit show(struct cli *cli, const struct cli_args *args)
{
	const char *name = args->words[0];
	struct sr_object_id id = {.kind = SR_OBJECT_NODE};
	struct sr_scope bindings = {.kind = SR_SCOPE_BINDINGS};
	struct cli_names nodes = {}, statuses = {};
	const struct sr_object *node;
	json_t *ports;
	bool ok;

	if (!sr_name_valid(name))
		return cli_usage("%s cannot be the name of a node.", name);
	ports = json_array();
	snprintf(id.node, sizeof(id.node), "%s", name);
	snprintf(bindings.name, sizeof(bindings.name), "%s", name);
	ok = cli_get(cli, &id, cli_names_add, &nodes);
	id.kind = SR_OBJECT_NODE_STATUS;
	ok = ok && cli_get(cli, &id, cli_names_add, &statuses) && cli_each(cli, &bindings, add_binding, ports);
	node = cli_names_get(&nodes, name);
	if (ok && !node)
		cli_fail("cluster %s has no node %s.", cli->cluster, name);
	else if (ok)
		show_it(cli, node, cli_names_get(&statuses, name), ports);
	cli_names_fini(&nodes);
	cli_names_fini(&statuses);
	json_decref(ports);
	return ok && node ? CLI_OK : CLI_FAILED;
}

/* ---- drain, undrain, delete */

static char *encode_node(const struct sr_write_result *result)
{
	return sr_node_encode(result->node);
}

static enum cli_exit set_drain(struct cli *cli, const char *name, bool on)
{
	struct cli_outcome outcome = {.encode = encode_node};
	json_t *json;
	int r;

	if (!sr_name_valid(name))
		return cli_usage("%s cannot be the name of a node.", name);
	if (!cli_connect(cli))
		return CLI_FAILED;
	r = sr_write_node_drain(cli->etcd, cli->cluster, name, on, cli_on_written, &outcome);
	if (!cli_written(cli, r, &outcome))
		return CLI_FAILED;
	json = cli_json_take(outcome.value);
	if (cli->json)
		cli_print_object(json, true);
	else
		printf("%s %s.\n", name,
		       on ? "is to withdraw its locator; what arrives is still forwarded"
			  : "announces its locator again");
	json_decref(json);
	return CLI_OK;
}

static enum cli_exit drain(struct cli *cli, const struct cli_args *args)
{
	return set_drain(cli, args->words[0], true);
}

static enum cli_exit undrain(struct cli *cli, const struct cli_args *args)
{
	return set_drain(cli, args->words[0], false);
}

static enum cli_exit delete (struct cli *cli, const struct cli_args *args) {
	struct cli_outcome outcome = {}; int r;

	if (!sr_name_valid(args->words[0])) return cli_usage("%s cannot be the name of a node.", args->words[0]);
	if (!cli_connect(cli)) return CLI_FAILED;
	r = sr_write_node_delete(cli->etcd, cli->cluster, args->words[0], cli_on_written, &outcome);
	return cli_written(cli, r, &outcome) ? CLI_OK : CLI_FAILED;
}

const struct cli_command cli_node[] = {
	{"node", "list", "", 0, 0, "Lists nodes, and which are alive", NULL,
	 "STATE: up; down (its agent's lease is gone; forwarding may go on); draining (asked to); drained (it has "
	 "withdrawn its\n"
	 "locator).",
	 list},
	{"node", "show", "NODE", 1, 1, "Shows a node, its status and its ports", NULL, NULL, show},
	{"node", "drain", "NODE", 1, 1, "Makes a node withdraw its locator; it keeps forwarding", NULL, NULL, drain},
	{"node", "undrain", "NODE", 1, 1, "Makes it announce its locator again", NULL, NULL, undrain},
	{"node", "delete", "NODE", 1, 1, "Forgets a node and frees its locator", NULL,
	 "It fails while ports are bound to the node. An agent that still runs there registers again when it starts.",
	 delete},
	{},
};
