/* SPDX-License-Identifier: GPL-2.0-only */
/* srctl port: made, bound to a host, moved, taken down, removed. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/find.h"
#include "cli/names.h"
#include "cli/sync.h"
#include "cli/table.h"
#include "cli/values.h"
#include "model/codec.h"

static const char *status_of(const struct sr_object *status)
{
	return status && status->port_status.active ? "ACTIVE" : "DOWN";
}

/* The object of the schema, and what srctl knows besides. */
static json_t *port_json(char *encoded, const struct sr_uuid *id)
{
	char tap[SR_TAP_NAME_SIZE];
	json_t *json = cli_json_take(encoded);

	json_object_set_new(json, "tap", json_string(sr_tap_name(id, tap)));
	return json;
}

static void add_status(json_t *json, const struct sr_object *status)
{
	json_object_set_new(json, "status", json_string(status_of(status)));
	if (status && status->port_status.reason[0])
		json_object_set_new(json, "reason", json_string(status->port_status.reason));
}

static void print_written(const struct cli *cli, struct cli_outcome *outcome, const struct sr_uuid *id)
{
	json_t *json = port_json(outcome->value, id);
	char text[SR_UUID_STRLEN], tap[SR_TAP_NAME_SIZE];

	if (cli->json)
		cli_print_object(json, true);
	else
		printf("%s %s\n", sr_uuid_format(id, text), sr_tap_name(id, tap));
	json_decref(json);
}

/* ---- create */

static bool take_addresses(const struct cli_args *args, struct sr_port *port)
{
	const char *text;
	size_t at = 0;

	while ((text = cli_args_next(args, "ip", &at))) {
		if (port->n_addrs == SR_PORT_ADDRS_MAX) {
			cli_usage("a port has at most %d addresses.", SR_PORT_ADDRS_MAX);
			return false;
		}
		if (sr_addr_parse(text, &port->addrs[port->n_addrs++]) < 0) {
			cli_usage("%s is not an address.", text);
			return false;
		}
	}
	return true;
}

static bool take_host(const char *host, struct sr_port *port)
{
	if (host && !sr_name_valid(host)) {
		cli_usage("%s cannot be the name of a host.", host);
		return false;
	}
	snprintf(port->node, sizeof(port->node), "%s", host ? host : "");
	return true;
}

static bool take_port(const struct cli_args *args, struct sr_port *port)
{
	const char *name = cli_args_value(args, "name"), *mac = cli_args_value(args, "mac");

	port->admin_state_up = !cli_args_has(args, "down");
	return take_host(cli_args_value(args, "host"), port) && cli_value_id(cli_args_value(args, "id"), &port->id) &&
	       (!mac || cli_value_mac(mac, &port->mac)) && (!name || cli_value_label("port", name, port->name)) &&
	       take_addresses(args, port);
}

static char *encode_port(const struct sr_write_result *result)
{
	return sr_port_encode(result->port);
}

static enum cli_exit create(struct cli *cli, const struct cli_args *args)
{
	struct cli_outcome outcome = {.encode = encode_port};
	const char *network = cli_args_value(args, "network");
	struct sr_port port = {};
	struct sr_object *vrf;
	int r;

	if (!network)
		return cli_usage("--network is missing: where the port is to be.");
	if (!take_port(args, &port))
		return CLI_USAGE;
	vrf = cli_find_network(cli, network);
	if (!vrf)
		return CLI_FAILED;
	memcpy(port.vrf, vrf->vrf.name, sizeof(port.vrf));
	memcpy(port.project_id, vrf->vrf.project_id, sizeof(port.project_id));
	cli_object_free(vrf);
	r = sr_write_port(cli->etcd, cli->cluster, &port, cli_on_written, &outcome);
	if (!cli_written(cli, r, &outcome))
		return CLI_FAILED;
	print_written(cli, &outcome, &port.id);
	return CLI_OK;
}

/* ---- list */

struct listing {
	struct cli_table table;
	struct cli_names status;
	const char *host;		  /* NULL: all */
	char network_name[SR_LABEL_SIZE]; /* of the VRF being gone through: its ports follow its info */
};

static void format_addresses(const struct sr_port *port, char *ret, size_t size)
{
	char text[INET6_ADDRSTRLEN];

	ret[0] = '\0';
	for (size_t i = 0, at = 0; i < port->n_addrs; i++)
		at += (size_t)snprintf(ret + at, size - at, "%s%s", i ? "," : "",
				       sr_addr_format(&port->addrs[i], text));
}

static void list_object(void *ctx, const struct sr_object *object)
{
	struct listing *listing = ctx;
	const struct sr_port *port = &object->port;
	char id[SR_UUID_STRLEN], mac[SR_MAC_STRLEN], tap[SR_TAP_NAME_SIZE], key[SR_LABEL_SIZE + SR_UUID_STRLEN];
	char addresses[SR_PORT_ADDRS_MAX * (INET6_ADDRSTRLEN + 1)];
	const struct sr_object *status;
	json_t *json = NULL;

	if (object->id.kind == SR_OBJECT_VRF)
		snprintf(listing->network_name, sizeof(listing->network_name), "%s", object->vrf.network_name);
	if (object->id.kind != SR_OBJECT_PORT || (listing->host && strcmp(listing->host, port->node) != 0))
		return;
	status = cli_names_get_id(&listing->status, &port->id);
	if (listing->table.json) {
		json = port_json(sr_port_encode(port), &port->id);
		add_status(json, status);
	}
	format_addresses(port, addresses, sizeof(addresses));
	sr_uuid_format(&port->id, id);
	snprintf(key, sizeof(key), "%s\1%s", listing->network_name, id);
	cli_table_add(&listing->table, key, json, id, port->name, listing->network_name, port->node,
		      sr_tap_name(&port->id, tap), addresses, sr_mac_format(&port->mac, mac),
		      port->admin_state_up ? status_of(status) : "ADMIN DOWN");
}

static bool scope_of(struct cli *cli, const char *network, struct sr_scope *ret)
{
	struct sr_object *vrf;

	*ret = (struct sr_scope){.kind = SR_SCOPE_VRFS};
	if (!network)
		return true;
	vrf = cli_find_network(cli, network);
	if (!vrf)
		return false;
	ret->kind = SR_SCOPE_VRF;
	snprintf(ret->name, sizeof(ret->name), "%s", vrf->vrf.name);
	cli_object_free(vrf);
	return true;
}

static enum cli_exit list(struct cli *cli, const struct cli_args *args)
{
	static const char *const titles[] = {"PORT",	  "NAME", "NETWORK", "HOST", "TAP",
					     "ADDRESSES", "MAC",  "STATUS",  NULL};
	struct listing listing = {.host = cli_args_value(args, "host")};
	struct sr_scope scope;
	bool ok;

	if (!scope_of(cli, cli_args_value(args, "network"), &scope))
		return CLI_FAILED;
	cli_table_init(&listing.table, titles, cli->json);
	ok = cli_each(cli, &(struct sr_scope){.kind = SR_SCOPE_STATUS}, cli_names_add, &listing.status) &&
	     cli_each(cli, &scope, list_object, &listing);
	if (ok)
		cli_table_print(&listing.table);
	cli_table_fini(&listing.table);
	cli_names_fini(&listing.status);
	return ok ? CLI_OK : CLI_FAILED;
}

/* ---- show, set, delete */

static struct sr_object *find(struct cli *cli, const struct cli_args *args)
{
	return cli_find_port(cli, cli_args_value(args, "network"), args->words[0]);
}

static enum cli_exit show(struct cli *cli, const struct cli_args *args)
{
	struct sr_object *port = find(cli, args);
	struct sr_object_id id = {.kind = SR_OBJECT_PORT_STATUS};
	struct cli_names status = {};
	json_t *json;
	bool ok;

	if (!port)
		return CLI_FAILED;
	id.id = port->id.id;
	ok = cli_get(cli, &id, cli_names_add, &status);
	if (ok) {
		json = port_json(sr_port_encode(&port->port), &port->id.id);
		add_status(json, cli_names_get_id(&status, &port->id.id));
		cli_print_object(json, cli->json);
		json_decref(json);
	}
	cli_names_fini(&status);
	cli_object_free(port);
	return ok ? CLI_OK : CLI_FAILED;
}

/* What is asked for: host NULL, up NULL: as it is. */
struct setting {
	const char *host;
	const bool *up;
};

static bool take_setting(const struct cli_args *args, struct setting *ret)
{
	static const bool yes = true, no = false;
	const char *state = cli_args_value(args, "admin-state");
	bool up = cli_args_has(args, "up") || (state && strcmp(state, "up") == 0);
	bool down = cli_args_has(args, "down") || (state && strcmp(state, "down") == 0);

	ret->host = cli_args_has(args, "no-host") ? "" : cli_args_value(args, "host");
	ret->up = up ? &yes : down ? &no : NULL;
	if (state && strcmp(state, "up") != 0 && strcmp(state, "down") != 0)
		cli_usage("--admin-state is up or down, not %s.", state);
	else if (up && down)
		cli_usage("up or down?");
	else if (cli_args_has(args, "no-host") && cli_args_has(args, "host"))
		cli_usage("--host or --no-host?");
	else if (ret->host && ret->host[0] && !sr_name_valid(ret->host))
		cli_usage("%s cannot be the name of a host.", ret->host);
	else if (!ret->host && !ret->up)
		cli_usage("what is to be set? --host HOST, --no-host, --up or --down.");
	else
		return true;
	return false;
}

static bool bind_to(struct cli *cli, const struct sr_object *port, const char *host, struct cli_outcome *outcome)
{
	*outcome = (struct cli_outcome){.encode = encode_port};
	return cli_written(
		cli,
		sr_write_port_bind(cli->etcd, cli->cluster, port->id.vrf, &port->id.id, host, cli_on_written, outcome),
		outcome);
}

static bool set_admin(struct cli *cli, const struct sr_object *port, bool up, struct cli_outcome *outcome)
{
	*outcome = (struct cli_outcome){.encode = encode_port};
	return cli_written(
		cli,
		sr_write_port_admin(cli->etcd, cli->cluster, port->id.vrf, &port->id.id, up, cli_on_written, outcome),
		outcome);
}

static enum cli_exit set(struct cli *cli, const struct cli_args *args)
{
	struct cli_outcome outcome = {};
	struct setting setting;
	struct sr_object *port;
	bool ok = true;

	if (!take_setting(args, &setting))
		return CLI_USAGE;
	port = find(cli, args);
	if (!port)
		return CLI_FAILED;
	if (setting.host)
		ok = bind_to(cli, port, setting.host, &outcome);
	if (ok && setting.up) {
		free(outcome.value);
		ok = set_admin(cli, port, *setting.up, &outcome);
	}
	if (ok)
		print_written(cli, &outcome, &port->id.id);
	cli_object_free(port);
	return ok ? CLI_OK : CLI_FAILED;
}

static enum cli_exit delete (struct cli *cli, const struct cli_args *args) {
	struct sr_object *port = find(cli, args); struct cli_outcome outcome = {}; bool ok; int r;

	if (!port) return CLI_FAILED;
	r = sr_write_port_delete(cli->etcd, cli->cluster, port->id.vrf, &port->id.id, cli_on_written, &outcome);
	ok = cli_written(cli, r, &outcome);
	cli_object_free(port);
	return ok ? CLI_OK : CLI_FAILED;
}

static const struct cli_option create_options[] = {
	{"network", "NETWORK", "where it is to be", false},
	{"host", "HOST", "the node that it is bound to; without it unbound", false},
	{"ip", "ADDRESS", "an address of the network's subnets; without it the lowest free one", true},
	{"mac", "MAC", "without it a new one", false},
	{"id", "UUID", "without it a new one", false},
	{"name", "NAME", "what people call it", false},
	{"down", NULL, "administratively down", false},
	{},
};

static const struct cli_option list_options[] = {
	{"network", "NETWORK", "only its ports", false},
	{"host", "HOST", "only those bound to it", false},
	{},
};

static const struct cli_option find_options[] = {
	{"network", "NETWORK",
	 "the network that the port is in: names may be there twice, and many ports are read faster", false},
	{},
};

static const struct cli_option set_options[] = {
	{"host", "HOST", "bind it there: plug, move", false},
	{"no-host", NULL, "unbind it", false},
	{"up", NULL, "administratively up", false},
	{"down", NULL, "administratively down: its packets are dropped", false},
	{"admin-state", "up|down", "the same", false},
	{"network", "NETWORK", "the network that the port is in", false},
	{},
};

const struct cli_command cli_port[] = {
	{"port", "create", "", 0, 0, "Makes a port; prints its id and its tap", create_options,
	 "The tap is to be called so on the host, by whoever plugs the VM.", create},
	{"port", "list", "", 0, 0, "Lists ports", list_options,
	 "STATUS: ACTIVE when its agent has programmed it, DOWN when not (yet), ADMIN DOWN when it is not meant to be.",
	 list},
	{"port", "show", "PORT", 1, 1, "Shows a port, and why it is down", find_options, NULL, show},
	{"port", "set", "PORT", 1, 1, "Binds, moves or unbinds a port, takes it up or down", set_options, NULL, set},
	{"port", "delete", "PORT", 1, 1, "Removes a port and frees its addresses", find_options, NULL, delete},
	{},
};
