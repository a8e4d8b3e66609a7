/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/find.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define START_MIN 4	   /* characters of an id that are no mere slip */
#define CANDIDATES_SHOWN 8 /* of those that a word may mean */

enum fit { FIT_NOT, FIT_START, FIT_NAME, FIT_EXACT };

struct find {
	const char *word;
	enum sr_object_kind kind;
	const char *what; /* "network" */
	enum fit best;
	size_t n;
	struct sr_object *found[CANDIDATES_SHOWN];
};

static enum fit fit_id(const char *word, const struct sr_uuid *id)
{
	char text[SR_UUID_STRLEN];
	size_t len = strlen(word);

	sr_uuid_format(id, text);
	if (strcasecmp(word, text) == 0)
		return FIT_EXACT;
	return len >= START_MIN && strncasecmp(word, text, len) == 0 ? FIT_START : FIT_NOT;
}

static enum fit fit_vrf(const char *word, const struct sr_vrf *vrf)
{
	if (strcmp(word, vrf->name) == 0)
		return FIT_EXACT;
	return strcmp(word, vrf->network_name) == 0 ? FIT_NAME : fit_id(word, &vrf->network_id);
}

static enum fit fit_port(const char *word, const struct sr_port *port)
{
	char tap[SR_TAP_NAME_SIZE];
	struct in6_addr addr;

	if (strcmp(word, port->name) == 0)
		return FIT_NAME;
	if (strcmp(word, sr_tap_name(&port->id, tap)) == 0)
		return FIT_EXACT;
	if (sr_addr_parse(word, &addr) == 0)
		for (size_t i = 0; i < port->n_addrs; i++)
			if (memcmp(&port->addrs[i], &addr, sizeof(addr)) == 0)
				return FIT_NAME;
	return fit_id(word, &port->id);
}

static enum fit fit(const struct find *find, const struct sr_object *object)
{
	switch (object->id.kind) {
	case SR_OBJECT_VRF:
		return fit_vrf(find->word, &object->vrf);
	case SR_OBJECT_PORT:
		return fit_port(find->word, &object->port);
	case SR_OBJECT_ENCAP:
		return fit_id(find->word, &object->encap.id);
	default:
		return FIT_NOT;
	}
}

static void forget(struct find *find)
{
	for (size_t i = 0; i < find->n && i < CANDIDATES_SHOWN; i++)
		cli_object_free(find->found[i]);
	find->n = 0;
}

static void on_object(void *ctx, const struct sr_object *object)
{
	struct find *find = ctx;
	enum fit f = object->id.kind == find->kind ? fit(find, object) : FIT_NOT;

	if (f == FIT_NOT || f < find->best)
		return;
	if (f > find->best) {
		forget(find);
		find->best = f;
	}
	if (find->n < CANDIDATES_SHOWN)
		find->found[find->n] = cli_object_copy(object);
	find->n++;
}

static void say_candidate(const struct sr_object *object)
{
	char id[SR_UUID_STRLEN];

	switch (object->id.kind) {
	case SR_OBJECT_VRF:
		fprintf(stderr, "    %s  %s  project %s\n", sr_uuid_format(&object->vrf.network_id, id),
			object->vrf.name, object->vrf.project_id);
		break;
	case SR_OBJECT_PORT:
		fprintf(stderr, "    %s  in %s  host %s\n", sr_uuid_format(&object->port.id, id), object->id.vrf,
			object->port.node[0] ? object->port.node : "-");
		break;
	default:
		fprintf(stderr, "    %s  in %s\n", sr_uuid_format(&object->id.id, id), object->id.vrf);
	}
}

/* The one object that was found. Owns what find holds. */
static struct sr_object *decide(struct cli *cli, struct find *find)
{
	if (find->n == 1)
		return find->found[0];
	if (!find->n) {
		cli_fail("cluster %s has no %s %s.", cli->cluster, find->what, find->word);
		return NULL;
	}
	cli_fail("%zu %ss may be meant by %s: say which by its id.", find->n, find->what, find->word);
	for (size_t i = 0; i < find->n && i < CANDIDATES_SHOWN; i++)
		say_candidate(find->found[i]);
	if (find->n > CANDIDATES_SHOWN)
		fputs("    ...\n", stderr);
	forget(find);
	return NULL;
}

static struct sr_object *search(struct cli *cli, const struct sr_scope *scope, struct find *find)
{
	if (!cli_each(cli, scope, on_object, find)) {
		forget(find);
		return NULL;
	}
	return decide(cli, find);
}

struct sr_object *cli_find_network(struct cli *cli, const char *word)
{
	struct find find = {.word = word, .kind = SR_OBJECT_VRF, .what = "network"};

	return search(cli, &(struct sr_scope){.kind = SR_SCOPE_VRFS}, &find);
}

struct sr_object *cli_find_port(struct cli *cli, const char *network, const char *word)
{
	struct find find = {.word = word, .kind = SR_OBJECT_PORT, .what = "port"};
	struct sr_scope scope = {.kind = network ? SR_SCOPE_VRF : SR_SCOPE_VRFS};

	if (network) {
		struct sr_object *vrf = cli_find_network(cli, network);

		if (!vrf)
			return NULL;
		snprintf(scope.name, sizeof(scope.name), "%s", vrf->vrf.name);
		cli_object_free(vrf);
	}
	return search(cli, &scope, &find);
}

struct sr_object *cli_find_encap(struct cli *cli, const char *word)
{
	struct find find = {.word = word, .kind = SR_OBJECT_ENCAP, .what = "encap network"};

	return search(cli, &(struct sr_scope){.kind = SR_SCOPE_VRFS}, &find);
}
