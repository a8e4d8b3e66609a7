/* SPDX-License-Identifier: GPL-2.0-only */
/* Nodes: registered with the claim of their locator, drained, deleted when nothing is bound to them. */
#include "store/write_txn.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/codec.h"
#include "store/claim.h"
#include "store/merge.h"

/* For all three writes: which they are is their kind. */
struct write_node {
	struct sr_write w;
	struct sr_node want; /* what is to be */
	char node_key[SR_KEY_SIZE];

	/* found in this round */
	int64_t node_mod; /* 0: not there */
	struct sr_node found;
	char *found_value; /* NULL: not there, or bad */
	size_t found_len;
	int64_t claim_mod; /* of the claim of want's locator */
	char owner_cluster[SR_CLAIM_SIZE], owner_node[SR_CLAIM_SIZE];
	size_t n_ports; /* bound to it */
	char a_port[SR_UUID_STRLEN];
};

static int start(const struct sr_write_kind *kind, struct sr_etcd *etcd, const char *cluster,
		 const struct sr_node *node, sr_write_cb cb, void *ctx)
{
	struct sr_object_id id = {.kind = SR_OBJECT_NODE};
	struct write_node *wn;
	int r = sr_write_new(kind, etcd, cluster, cb, ctx, &wn);

	if (r < 0)
		return r;
	wn->want = *node;
	memcpy(id.node, node->name, sizeof(id.node));
	r = sr_key_object(cluster, &id, wn->node_key);
	if (r < 0) {
		sr_write_free(&wn->w);
		return r;
	}
	return sr_write_start(&wn->w);
}

static void node_fini(struct sr_write *w)
{
	free(((struct write_node *)w)->found_value);
}

static void node_result(struct sr_write *w, struct sr_write_result *result)
{
	result->node = &((struct write_node *)w)->want;
}

static int ask_node(struct sr_write *w)
{
	sr_write_want(w, ((struct write_node *)w)->node_key);
	return 0;
}

/* A bad value counts as there, but tells nothing. */
static int take_node(struct write_node *wn, const struct sr_etcd_kv *kv)
{
	free(wn->found_value);
	wn->found_value = NULL;
	wn->node_mod = kv ? kv->mod_revision : 0;
	if (!kv || sr_node_decode(kv->value.data, kv->value.len, &wn->found, NULL) < 0)
		return 0;
	wn->found_value = malloc(kv->value.len + 1);
	if (!wn->found_value)
		return -ENOMEM;
	memcpy(wn->found_value, kv->value.data, kv->value.len);
	wn->found_len = kv->value.len;
	return 0;
}

static int not_there(struct write_node *wn)
{
	return sr_write_fail(&wn->w, -ENOENT, "Cluster %s has no node %s.", wn->w.cluster, wn->want.name);
}

/* Writes `want` in place of what was found. */
static void put_node(struct write_node *wn)
{
	struct sr_write *w = &wn->w;
	const char *wanted = sr_write_own(w, sr_node_encode(&wn->want)), *value = wanted;

	if (wn->found_value) {
		const char *known = sr_write_own(w, sr_node_encode(&wn->found));

		value = sr_write_own(w, sr_merge(wn->found_value, wn->found_len, known, wanted));
	}
	sr_write_if_unchanged(w, wn->node_key, wn->node_mod);
	sr_write_put(w, wn->node_key, value);
	sr_write_witness(w, wn->node_key, value);
}

/* ---- register */

static int register_ask(struct sr_write *w)
{
	struct write_node *wn = (struct write_node *)w;
	char claim[SR_KEY_SIZE];

	sr_key_locator(&wn->want.locator, claim);
	sr_write_want(w, wn->node_key);
	sr_write_want(w, claim);
	return 0;
}

static int register_read(struct sr_write *w, const struct sr_etcd_op_result *found)
{
	struct write_node *wn = (struct write_node *)w;
	const struct sr_etcd_kv *claim = sr_write_found(&found[1]);

	wn->claim_mod = claim ? claim->mod_revision : 0;
	if (claim) {
		sr_claim_member(claim->value, "cluster", wn->owner_cluster);
		sr_claim_member(claim->value, "node", wn->owner_node);
	}
	return take_node(wn, sr_write_found(&found[0]));
}

static int register_build(struct sr_write *w)
{
	struct write_node *wn = (struct write_node *)w;
	char claim_key[SR_KEY_SIZE], old_key[SR_KEY_SIZE], claim[SR_CLAIM_SIZE], text[SR_LOCATOR_STRLEN];
	bool moved = wn->found_value && !sr_locator_equal(&wn->found.locator, &wn->want.locator);

	if (wn->claim_mod && (strcmp(wn->owner_cluster, w->cluster) != 0 || strcmp(wn->owner_node, wn->want.name) != 0))
		return sr_write_fail(w, -EEXIST,
				     "Locator %s belongs to node %s of cluster %s: give node %s another one, or delete "
				     "that node first (srctl --cluster %s node delete %s).",
				     sr_locator_format(&wn->want.locator, text), wn->owner_node, wn->owner_cluster,
				     wn->want.name, wn->owner_cluster, wn->owner_node);
	wn->want.drain = wn->found_value && wn->found.drain;
	if (wn->found_value && !moved && wn->claim_mod)
		return SR_WRITE_DONE;
	sr_key_locator(&wn->want.locator, claim_key);
	sr_write_if_unchanged(w, claim_key, wn->claim_mod);
	put_node(wn);
	if (!wn->claim_mod)
		sr_write_put(w, claim_key, sr_claim_locator(w->cluster, wn->want.name, claim));
	if (moved) {
		sr_key_locator(&wn->found.locator, old_key);
		sr_write_del(w, old_key);
	}
	return 0;
}

static const struct sr_write_kind node_register = {
	.size = sizeof(struct write_node),
	.ask = register_ask,
	.read = register_read,
	.build = register_build,
	.result = node_result,
	.fini = node_fini,
};

int sr_write_node(struct sr_etcd *etcd, const char *cluster, const struct sr_node *node, sr_write_cb cb, void *ctx)
{
	return start(&node_register, etcd, cluster, node, cb, ctx);
}

/* ---- drain */

static int drain_read(struct sr_write *w, const struct sr_etcd_op_result *found)
{
	return take_node((struct write_node *)w, sr_write_found(&found[0]));
}

static int drain_build(struct sr_write *w)
{
	struct write_node *wn = (struct write_node *)w;
	bool drain = wn->want.drain;

	if (!wn->node_mod)
		return not_there(wn);
	if (!wn->found_value)
		return sr_write_fail(w, -EBADMSG, "The record of node %s cannot be read: register the node anew.",
				     wn->want.name);
	wn->want = wn->found;
	wn->want.drain = drain;
	if (wn->found.drain == drain)
		return SR_WRITE_DONE;
	put_node(wn);
	return 0;
}

static const struct sr_write_kind node_drain = {
	.size = sizeof(struct write_node),
	.ask = ask_node,
	.read = drain_read,
	.build = drain_build,
	.result = node_result,
	.fini = node_fini,
};

static int start_named(const struct sr_write_kind *kind, struct sr_etcd *etcd, const char *cluster, const char *name,
		       bool drain, sr_write_cb cb, void *ctx)
{
	struct sr_node node = {.drain = drain};

	if (!sr_name_valid(name))
		return -EINVAL;
	snprintf(node.name, sizeof(node.name), "%s", name);
	return start(kind, etcd, cluster, &node, cb, ctx);
}

int sr_write_node_drain(struct sr_etcd *etcd, const char *cluster, const char *node, bool drain, sr_write_cb cb,
			void *ctx)
{
	return start_named(&node_drain, etcd, cluster, node, drain, cb, ctx);
}

/* ---- delete */

static int bindings_prefix(const struct write_node *wn, char buf[static SR_KEY_SIZE])
{
	struct sr_scope scope = {.kind = SR_SCOPE_BINDINGS};

	memcpy(scope.name, wn->want.name, sizeof(scope.name));
	return sr_key_scope(wn->w.cluster, &scope, buf);
}

static int delete_read(struct sr_write *w, const struct sr_etcd_op_result *found)
{
	struct write_node *wn = (struct write_node *)w;
	char prefix[SR_KEY_SIZE];

	bindings_prefix(wn, prefix);
	sr_write_scan(w, prefix);
	wn->n_ports = 0;
	return take_node(wn, sr_write_found(&found[0]));
}

static void delete_key(struct sr_write *w, struct sr_bytes rest)
{
	struct write_node *wn = (struct write_node *)w;

	if (wn->n_ports++ == 0)
		snprintf(wn->a_port, sizeof(wn->a_port), "%.*s", (int)rest.len, (const char *)rest.data);
}

static int delete_build(struct sr_write *w)
{
	struct write_node *wn = (struct write_node *)w;
	char key[SR_KEY_SIZE];

	if (!wn->node_mod)
		return not_there(wn);
	if (wn->n_ports)
		return sr_write_fail(w, -EBUSY, "Node %s has %zu port%s (%s%s): move or delete them first.",
				     wn->want.name, wn->n_ports, wn->n_ports == 1 ? "" : "s", wn->a_port,
				     wn->n_ports == 1 ? "" : ", ...");
	bindings_prefix(wn, key);
	sr_write_if_none(w, key);
	sr_write_if_unchanged(w, wn->node_key, wn->node_mod);
	sr_write_del(w, wn->node_key);
	sr_write_witness(w, wn->node_key, NULL);
	if (wn->found_value) {
		sr_key_locator(&wn->found.locator, key);
		sr_write_del(w, key);
	}
	return 0;
}

static const struct sr_write_kind node_delete = {
	.size = sizeof(struct write_node),
	.ask = ask_node,
	.read = delete_read,
	.key = delete_key,
	.build = delete_build,
	.fini = node_fini,
};

int sr_write_node_delete(struct sr_etcd *etcd, const char *cluster, const char *node, sr_write_cb cb, void *ctx)
{
	return start_named(&node_delete, etcd, cluster, node, false, cb, ctx);
}
