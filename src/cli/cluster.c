/* SPDX-License-Identifier: GPL-2.0-only */
/* srctl cluster: who has which vrf_cidr. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/read.h"
#include "cli/sync.h"
#include "cli/table.h"

/* ---- create */

static char *encode_cidr(const struct sr_write_result *result)
{
	char text[SR_PREFIX_STRLEN];

	return strdup(sr_prefix_format(result->vrf_cidr, text));
}

static json_t *cluster_json(const char *name, const char *cidr)
{
	return json_pack("{s:s, s:s}", "cluster", name, "vrf_cidr", cidr);
}

static enum cli_exit create(struct cli *cli, const struct cli_args *args)
{
	struct cli_outcome outcome = {.encode = encode_cidr};
	const char *name = args->words[0], *text = cli_args_value(args, "vrf-cidr");
	struct sr_prefix cidr;
	json_t *json;

	if (!sr_name_valid(name))
		return cli_usage("%s cannot be the name of a cluster.", name);
	if (!text)
		return cli_usage("--vrf-cidr is missing: an IPv4 prefix out of which networks get their vrf_ip.");
	if (sr_prefix_parse(text, &cidr) < 0)
		return cli_usage("%s is not a prefix.", text);
	if (!cli_connect(cli))
		return CLI_FAILED;
	if (!cli_written(cli, sr_write_cluster(cli->etcd, name, &cidr, cli_on_written, &outcome), &outcome))
		return CLI_FAILED;
	json = cluster_json(name, outcome.value ? outcome.value : text);
	cli_print_object(json, cli->json);
	json_decref(json);
	free(outcome.value);
	return CLI_OK;
}

/* ---- list, show */

static void on_cidrs(void *ctx, const struct sr_etcd_kv *kvs, size_t n)
{
	json_t **cidrs = ctx;

	if (!n)
		return;
	json_decref(*cidrs);
	*cidrs = json_loadb(kvs->value.data, kvs->value.len, 0, NULL);
}

/* A new reference to the map of all clusters; NULL, and said, if it cannot be read. */
static json_t *read_cidrs(struct cli *cli)
{
	json_t *cidrs = json_object();

	if (!cli_range(cli, SR_BYTES(SR_KEY_VRF_CIDRS), (struct sr_bytes){}, on_cidrs, &cidrs)) {
		json_decref(cidrs);
		return NULL;
	}
	if (!json_is_object(cidrs)) {
		cli_fail(SR_KEY_VRF_CIDRS " is not a JSON object: mend it by hand.");
		json_decref(cidrs);
		return NULL;
	}
	return cidrs;
}

static const char *text_of(const json_t *value)
{
	return json_is_string(value) ? json_string_value(value) : "?";
}

static enum cli_exit list(struct cli *cli, const struct cli_args *args)
{
	static const char *const titles[] = {"CLUSTER", "VRF CIDR", NULL};
	json_t *cidrs = read_cidrs(cli), *cidr;
	struct cli_table table;
	const char *name;

	(void)args;
	if (!cidrs)
		return CLI_FAILED;
	cli_table_init(&table, titles, cli->json);
	json_object_foreach (cidrs, name, cidr)
		cli_table_add(&table, NULL, cli->json ? cluster_json(name, text_of(cidr)) : NULL, name, text_of(cidr));
	cli_table_print(&table);
	cli_table_fini(&table);
	json_decref(cidrs);
	return CLI_OK;
}

struct census {
	json_int_t nodes, networks, ports, encaps;
};

static void count(void *ctx, const struct sr_object *object)
{
	struct census *census = ctx;

	census->nodes += object->id.kind == SR_OBJECT_NODE;
	census->networks += object->id.kind == SR_OBJECT_VRF;
	census->ports += object->id.kind == SR_OBJECT_PORT;
	census->encaps += object->id.kind == SR_OBJECT_ENCAP;
}

static enum cli_exit show(struct cli *cli, const struct cli_args *args)
{
	const char *name = args->n_words ? args->words[0] : cli->cluster;
	json_t *cidrs = read_cidrs(cli), *cidr = cidrs ? json_object_get(cidrs, name) : NULL, *json;
	struct census census = {};
	enum cli_exit code = CLI_FAILED;

	cli->cluster = name;
	if (cidrs && !cidr) {
		cli_fail("there is no cluster %s.", name);
	} else if (cidrs && cli_each(cli, &(struct sr_scope){.kind = SR_SCOPE_NODES}, count, &census) &&
		   cli_each(cli, &(struct sr_scope){.kind = SR_SCOPE_VRFS}, count, &census)) {
		json = json_pack("{s:s, s:s, s:I, s:I, s:I, s:I}", "cluster", name, "vrf_cidr", text_of(cidr), "nodes",
				 census.nodes, "networks", census.networks, "ports", census.ports, "encap_networks",
				 census.encaps);
		cli_print_object(json, cli->json);
		json_decref(json);
		code = CLI_OK;
	}
	json_decref(cidrs);
	return code;
}

static const struct cli_option create_options[] = {
	{"vrf-cidr", "CIDR", "IPv4 prefix of the networks' vrf_ips; must not overlap another cluster's", false},
	{},
};

const struct cli_command cli_cluster[] = {
	{"cluster", "create", "NAME", 1, 1, "Gives a cluster its vrf_cidr", create_options,
	 "The same again changes nothing. It fails where it overlaps the vrf_cidr of another cluster, and names both.",
	 create},
	{"cluster", "list", "", 0, 0, "Lists clusters and their vrf_cidrs", NULL, NULL, list},
	{"cluster", "show", "[NAME]", 0, 1, "Shows a cluster, and how much is in it", NULL, NULL, show},
	{},
};
