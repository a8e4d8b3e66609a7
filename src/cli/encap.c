/* SPDX-License-Identifier: GPL-2.0-only */
/* srctl encap: srv6_encap_networks, destinations in a network that are reached through SIDs given by hand. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/find.h"
#include "cli/sync.h"
#include "cli/table.h"
#include "cli/values.h"
#include "model/codec.h"

static char *encode_encap(const struct sr_write_result *result)
{
	return sr_encap_encode(result->encap);
}

/* ---- create */

/* rules: room for all words. */
static bool take_rules(const struct cli_args *args, struct sr_encap_rule *rules)
{
	for (size_t i = 0; i < args->n_words; i++) {
		if (!cli_value_rule(args->words[i], &rules[i]))
			return false;
		for (size_t j = 0; j < i; j++) {
			if (sr_prefix_equal(&rules[i].destination, &rules[j].destination)) {
				cli_usage("%s and %s are for one destination.", args->words[j], args->words[i]);
				return false;
			}
		}
	}
	return true;
}

static enum cli_exit put(struct cli *cli, const char *network, struct sr_encap *encap)
{
	struct cli_outcome outcome = {.encode = encode_encap};
	struct sr_object *vrf = cli_find_network(cli, network);
	json_t *json;
	int r;

	if (!vrf)
		return CLI_FAILED;
	memcpy(encap->project_id, vrf->vrf.project_id, sizeof(encap->project_id));
	r = sr_write_encap(cli->etcd, cli->cluster, vrf->id.vrf, encap, cli_on_written, &outcome);
	cli_object_free(vrf);
	if (!cli_written(cli, r, &outcome))
		return CLI_FAILED;
	json = cli_json_take(outcome.value);
	if (cli->json)
		cli_print_object(json, true);
	else
		cli_print_text(json_string_value(json_object_get(json, "id")));
	json_decref(json);
	return CLI_OK;
}

static enum cli_exit create(struct cli *cli, const struct cli_args *args)
{
	const char *network = cli_args_value(args, "network");
	struct sr_encap encap = {.n_rules = args->n_words};
	enum cli_exit code = CLI_USAGE;

	if (!network)
		return cli_usage("--network is missing: whose packets the rules are for.");
	encap.rules = calloc(args->n_words, sizeof(*encap.rules));
	if (!encap.rules)
		return cli_fail("out of memory.");
	if (cli_value_id(cli_args_value(args, "id"), &encap.id) && take_rules(args, encap.rules))
		code = put(cli, network, &encap);
	sr_encap_fini(&encap);
	return code;
}

/* ---- list, show, delete */

static void list_rule(struct cli_table *table, const struct sr_object *object, size_t i)
{
	const struct sr_encap_rule *rule = &object->encap.rules[i];
	char id[SR_UUID_STRLEN], destination[SR_PREFIX_STRLEN], sid[SR_SID_STRLEN];
	char sids[SR_SEGS_MAX * (SR_SID_STRLEN + 1)] = "", key[SR_UUID_STRLEN + SR_VRF_NAME_SIZE + 24];

	for (size_t s = 0, at = 0; s < rule->n_segs; s++)
		at += (size_t)snprintf(sids + at, sizeof(sids) - at, "%s%s", s ? "," : "",
				       sr_sid_format(&rule->segs[s], sid));
	sr_uuid_format(&object->id.id, id);
	snprintf(key, sizeof(key), "%s %s %05zu", object->id.vrf, id, i);
	cli_table_add(table, key, NULL, id, object->id.vrf, sr_prefix_format(&rule->destination, destination), sids);
}

static void list_object(void *ctx, const struct sr_object *object)
{
	struct cli_table *table = ctx;
	char id[SR_UUID_STRLEN], key[SR_UUID_STRLEN + SR_VRF_NAME_SIZE + 24];

	if (object->id.kind != SR_OBJECT_ENCAP)
		return;
	for (size_t i = 0; !table->json && i < object->encap.n_rules; i++)
		list_rule(table, object, i);
	sr_uuid_format(&object->id.id, id);
	snprintf(key, sizeof(key), "%s %s", object->id.vrf, id);
	if (table->json)
		cli_table_add(table, key, cli_object_json(object), "", "", "", "");
	else if (!object->encap.n_rules)
		cli_table_add(table, key, NULL, id, object->id.vrf, "", "");
}

static enum cli_exit list(struct cli *cli, const struct cli_args *args)
{
	static const char *const titles[] = {"ENCAP NETWORK", "VRF", "DESTINATION", "NEXT HOP", NULL};
	const char *network = cli_args_value(args, "network");
	struct cli_table table;
	struct sr_scope scope = {.kind = SR_SCOPE_VRFS};
	struct sr_object *vrf = network ? cli_find_network(cli, network) : NULL;
	bool ok;

	if (network && !vrf)
		return CLI_FAILED;
	if (vrf) {
		scope.kind = SR_SCOPE_VRF;
		snprintf(scope.name, sizeof(scope.name), "%s", vrf->id.vrf);
	}
	cli_table_init(&table, titles, cli->json);
	ok = cli_each(cli, &scope, list_object, &table);
	if (ok)
		cli_table_print(&table);
	cli_table_fini(&table);
	cli_object_free(vrf);
	return ok ? CLI_OK : CLI_FAILED;
}

static enum cli_exit show(struct cli *cli, const struct cli_args *args)
{
	struct sr_object *encap = cli_find_encap(cli, args->words[0]);
	json_t *json;

	if (!encap)
		return CLI_FAILED;
	json = cli_object_json(encap);
	cli_print_object(json, cli->json);
	json_decref(json);
	cli_object_free(encap);
	return CLI_OK;
}

static enum cli_exit delete (struct cli *cli, const struct cli_args *args) {
	struct sr_object *encap = cli_find_encap(cli, args->words[0]); struct cli_outcome outcome = {}; bool ok; int r;

	if (!encap) return CLI_FAILED;
	r = sr_write_encap_delete(cli->etcd, cli->cluster, encap->id.vrf, &encap->id.id, cli_on_written, &outcome);
	ok = cli_written(cli, r, &outcome);
	cli_object_free(encap);
	return ok ? CLI_OK : CLI_FAILED;
}

static const struct cli_option create_options[] = {
	{"network", "NETWORK", "whose packets the rules are for", false},
	{"id", "UUID", "its id: one that is there is replaced; without it a new one", false},
	{},
};

static const struct cli_option list_options[] = {
	{"network", "NETWORK", "only its rules", false},
	{},
};

const struct cli_command cli_encap[] = {
	{"encap", "create", "DEST=SID[,SID]...", 1, SR_ENCAP_RULES_MAX, "Sends destinations through SIDs",
	 create_options,
	 "DEST is an address or a prefix. Several SIDs are a service chain, in the order of travel; the last one "
	 "decapsulates.",
	 create},
	{"encap", "list", "", 0, 0, "Lists encap networks and their rules", list_options, NULL, list},
	{"encap", "show", "ID", 1, 1, "Shows an encap network", NULL, NULL, show},
	{"encap", "delete", "ID", 1, 1, "Removes an encap network", NULL, NULL, delete},
	{},
};
