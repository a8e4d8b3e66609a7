/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * srctl watch: changes as they happen, a line each.
 *
 * What is there is remembered by its revision, so that when the store has to read a scope again (compaction) only what
 * really changed meanwhile is told, deletions included.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uthash.h>

#include "cli/read.h"
#include "cli/sync.h"
#include "cli/values.h"

struct known {
	int64_t revision;
	bool stale; /* not told again in the snapshot under way */
	enum sr_scope_kind scope;
	UT_hash_handle hh;
	struct sr_object_id id; /* zeroed before it is filled: it is the key, whole */
};

struct watching {
	struct cli *cli;
	struct known *all;
	size_t snapshots; /* that ended, up to the number of scopes */
	uint32_t left;	  /* changes to tell before the end; 0: no end */
	bool done;
};

static const struct sr_scope scopes[] = {{.kind = SR_SCOPE_NODES}, {.kind = SR_SCOPE_VRFS}, {.kind = SR_SCOPE_STATUS}};
#define N_SCOPES (sizeof(scopes) / sizeof(scopes[0]))

static const char *const kinds[] = {
	[SR_OBJECT_NODE] = "node",
	[SR_OBJECT_BINDING] = "binding",
	[SR_OBJECT_VRF] = "network",
	[SR_OBJECT_PORT] = "port",
	[SR_OBJECT_ENCAP] = "encap",
	[SR_OBJECT_NODE_STATUS] = "node-status",
	[SR_OBJECT_PORT_STATUS] = "port-status",
};

static const char *name_of(const struct sr_object_id *id, char buf[static SR_UUID_STRLEN])
{
	if (id->kind == SR_OBJECT_NODE || id->kind == SR_OBJECT_NODE_STATUS)
		return id->node;
	return id->kind == SR_OBJECT_VRF ? id->vrf : sr_uuid_format(&id->id, buf);
}

/* ---- telling */

static void tell(struct watching *w, const struct sr_object_id *id, const struct sr_object *object)
{
	char uuid[SR_UUID_STRLEN], clock[16] = "";
	const char *name = name_of(id, uuid);
	json_t *value = object ? cli_object_json(object) : json_null(), *line;
	time_t now = time(NULL);
	char *text;
	struct tm tm;

	if (w->cli->json) {
		line = json_pack("{s:s, s:s, s:s, s:O}", "event", object ? "put" : "delete", "kind", kinds[id->kind],
				 "name", name, "object", value);
		json_dumpf(line, stdout, JSON_COMPACT);
		json_decref(line);
	} else {
		if (localtime_r(&now, &tm))
			strftime(clock, sizeof(clock), "%T", &tm);
		text = object ? json_dumps(value, JSON_COMPACT) : NULL;
		printf("%s %c %s %s %s", clock, object ? '+' : '-', kinds[id->kind], name, text ? text : "");
		free(text);
	}
	putchar('\n');
	json_decref(value);
	w->done |= fflush(stdout) != 0 || (w->left && --w->left == 0);
}

/* ---- the store's reader */

static struct known *find(struct watching *w, const struct sr_object_id *id)
{
	struct known *k;

	HASH_FIND(hh, w->all, id, sizeof(*id), k);
	return k;
}

static void on_begin(void *ctx, const struct sr_scope *scope)
{
	struct watching *w = ctx;

	for (struct known *k = w->all; k; k = k->hh.next)
		k->stale |= k->scope == scope->kind;
}

static void forget(struct watching *w, struct known *k)
{
	HASH_DEL(w->all, k);
	free(k);
}

static void forget_all(struct watching *w)
{
	struct known *k = w->all, *next;

	HASH_CLEAR(hh, w->all);
	for (; k; k = next) {
		next = k->hh.next;
		free(k);
	}
}

static void on_put(void *ctx, const struct sr_scope *scope, const struct sr_object *object)
{
	struct watching *w = ctx;
	struct known *k = find(w, &object->id);
	bool news = !k || k->revision != object->revision;

	if (!k) {
		k = calloc(1, sizeof(*k));
		if (!k)
			abort();
		k->scope = scope->kind;
		memcpy(&k->id, &object->id, sizeof(k->id));
		HASH_ADD(hh, w->all, id, sizeof(k->id), k);
	}
	k->revision = object->revision;
	k->stale = false;
	if (news && w->snapshots >= N_SCOPES && !w->done)
		tell(w, &object->id, object);
}

static void on_del(void *ctx, const struct sr_scope *scope, const struct sr_object_id *id)
{
	struct watching *w = ctx;
	struct known *k = find(w, id);

	(void)scope;
	if (k)
		forget(w, k);
	if (w->snapshots >= N_SCOPES && !w->done)
		tell(w, id, NULL);
}

static void on_keep(void *ctx, const struct sr_scope *scope, const struct sr_object_id *id)
{
	struct known *k = find(ctx, id);

	(void)scope;
	if (k)
		k->stale = false;
}

static void on_end(void *ctx, const struct sr_scope *scope, int64_t revision)
{
	struct watching *w = ctx;
	struct known *k, *next;

	(void)revision;
	HASH_ITER (hh, w->all, k, next) {
		if (k->scope != scope->kind || !k->stale)
			continue;
		if (!w->done)
			tell(w, &k->id, NULL);
		forget(w, k);
	}
	if (++w->snapshots == N_SCOPES)
		fputs("srctl: watching.\n", stderr);
}

static void on_problem(void *ctx, const char *key, const char *text)
{
	(void)ctx;
	cli_fail("%s: %s.", key, text);
}

static const struct sr_store_reader reader = {
	.begin = on_begin,
	.put = on_put,
	.del = on_del,
	.keep = on_keep,
	.end = on_end,
	.problem = on_problem,
};

static enum cli_exit watch(struct cli *cli, const struct cli_args *args)
{
	const char *count = cli_args_value(args, "count");
	struct watching w = {.cli = cli};
	struct sr_store *store;
	int r;

	if (count && !cli_value_number("a number of changes", count, 1, UINT32_MAX, &w.left))
		return CLI_USAGE;
	if (!cli_connect(cli))
		return CLI_FAILED;
	r = sr_store_new(cli->etcd, cli->cluster, &reader, &w, &store);
	if (r < 0)
		return cli_fail("%s.", strerror(-r));
	for (size_t i = 0; i < N_SCOPES && r == 0; i++)
		r = sr_store_subscribe(store, &scopes[i]);
	if (r == 0)
		cli_wait(cli, &w.done);
	sr_store_free(store);
	forget_all(&w);
	return r < 0 ? cli_fail("%s.", strerror(-r)) : CLI_OK;
}

static const struct cli_option options[] = {
	{"count", "N", "end after so many changes", false},
	{},
};

const struct cli_command cli_watch[] = {
	{"watch", "", "", 0, 0, "Tells changes as they happen, a line each", options,
	 "+ is new or changed, - is gone. It says \"watching\" on standard error when it has read what is there, goes "
	 "on when etcd\n"
	 "was away, and ends on Ctrl-C. With --json each line is an object: event, kind, name, object.",
	 watch},
	{},
};
