/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/read.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/sync.h"
#include "model/codec.h"

struct reading {
	const struct cli *cli;
	cli_object_cb cb;
	void *ctx;
};

static int decode(const struct sr_etcd_kv *kv, struct sr_object *object, struct sr_codec_error *err)
{
	const char *json = kv->value.data;
	size_t len = kv->value.len;

	switch (object->id.kind) {
	case SR_OBJECT_NODE:
		return sr_node_decode(json, len, &object->node, err);
	case SR_OBJECT_BINDING:
		return sr_binding_decode(json, len, &object->binding, err);
	case SR_OBJECT_VRF:
		return sr_vrf_decode(json, len, &object->vrf, err);
	case SR_OBJECT_PORT:
		return sr_port_decode(json, len, &object->port, err);
	case SR_OBJECT_ENCAP:
		return sr_encap_decode(json, len, &object->encap, err);
	case SR_OBJECT_NODE_STATUS:
		return sr_node_status_decode(json, len, &object->node_status, err);
	case SR_OBJECT_PORT_STATUS:
		return sr_port_status_decode(json, len, &object->port_status, err);
	}
	return -EINVAL;
}

static void on_kv(const struct reading *reading, const struct sr_etcd_kv *kv)
{
	struct sr_codec_error err = {};
	struct sr_object object;
	int r = sr_key_parse(reading->cli->cluster, kv->key.data, kv->key.len, &object.id);

	if (r == -ENOENT)
		return; /* something else stands there, too */
	object.revision = kv->mod_revision;
	if (r == 0)
		r = decode(kv, &object, &err);
	else
		snprintf(err.text, sizeof(err.text), "not a key that the schema knows");
	if (r < 0) {
		cli_fail("%.*s is left out: %s.", (int)kv->key.len, (const char *)kv->key.data,
			 err.text[0] ? err.text : strerror(-r));
		return;
	}
	reading->cb(reading->ctx, &object);
	if (object.id.kind == SR_OBJECT_ENCAP)
		sr_encap_fini(&object.encap);
}

static void on_page(void *ctx, const struct sr_etcd_kv *kvs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		on_kv(ctx, &kvs[i]);
}

bool cli_each(struct cli *cli, const struct sr_scope *scope, cli_object_cb cb, void *ctx)
{
	struct reading reading = {cli, cb, ctx};
	char key[SR_KEY_SIZE];

	if (sr_key_scope(cli->cluster, scope, key) < 0) {
		cli_usage("%s cannot be the name of a cluster, node or VRF.",
			  sr_name_valid(cli->cluster) ? scope->name : cli->cluster);
		return false;
	}
	return cli_range_prefix(cli, key, on_page, &reading);
}

bool cli_each_node_status(struct cli *cli, cli_object_cb cb, void *ctx)
{
	struct reading reading = {cli, cb, ctx};
	struct sr_scope scope = {.kind = SR_SCOPE_STATUS};
	char key[SR_KEY_SIZE];
	int len = sr_key_scope(cli->cluster, &scope, key);

	if (len < 0)
		return cli_each(cli, &scope, cb, ctx); /* says what is wrong */
	snprintf(key + len, sizeof(key) - (size_t)len, "nodes/");
	return cli_range_prefix(cli, key, on_page, &reading);
}

bool cli_get(struct cli *cli, const struct sr_object_id *id, cli_object_cb cb, void *ctx)
{
	struct reading reading = {cli, cb, ctx};
	char key[SR_KEY_SIZE];

	if (sr_key_object(cli->cluster, id, key) < 0) {
		cli_usage("there cannot be such a name in cluster %s.", cli->cluster);
		return false;
	}
	return cli_range(cli, SR_BYTES(key), (struct sr_bytes){}, on_page, &reading);
}

static char *encode(const struct sr_object *object)
{
	switch (object->id.kind) {
	case SR_OBJECT_NODE:
		return sr_node_encode(&object->node);
	case SR_OBJECT_BINDING:
		return sr_binding_encode(&object->binding);
	case SR_OBJECT_VRF:
		return sr_vrf_encode(&object->vrf);
	case SR_OBJECT_PORT:
		return sr_port_encode(&object->port);
	case SR_OBJECT_ENCAP:
		return sr_encap_encode(&object->encap);
	case SR_OBJECT_NODE_STATUS:
		return sr_node_status_encode(&object->node_status);
	case SR_OBJECT_PORT_STATUS:
		return sr_port_status_encode(&object->port_status);
	}
	return NULL;
}

json_t *cli_json_take(char *text)
{
	json_t *json = text ? json_loads(text, 0, NULL) : NULL;

	free(text);
	if (!json) {
		cli_fail("out of memory.");
		abort();
	}
	return json;
}

json_t *cli_object_json(const struct sr_object *object)
{
	return cli_json_take(encode(object));
}

/* A copy holds only what its kind needs: there may be a million of them. */
static size_t size_of(enum sr_object_kind kind)
{
	static const size_t sizes[] = {
		[SR_OBJECT_NODE] = sizeof(struct sr_node),
		[SR_OBJECT_BINDING] = sizeof(struct sr_binding),
		[SR_OBJECT_VRF] = sizeof(struct sr_vrf),
		[SR_OBJECT_PORT] = sizeof(struct sr_port),
		[SR_OBJECT_ENCAP] = sizeof(struct sr_encap),
		[SR_OBJECT_NODE_STATUS] = sizeof(struct sr_node_status),
		[SR_OBJECT_PORT_STATUS] = sizeof(struct sr_port_status),
	};

	return offsetof(struct sr_object, node) + sizes[kind];
}

struct sr_object *cli_object_copy(const struct sr_object *src)
{
	struct sr_object *copy = malloc(size_of(src->id.kind));
	size_t rules = src->id.kind == SR_OBJECT_ENCAP ? src->encap.n_rules * sizeof(*src->encap.rules) : 0;

	if (copy)
		memcpy(copy, src, size_of(src->id.kind));
	if (copy && rules) {
		copy->encap.rules = malloc(rules);
		if (copy->encap.rules)
			memcpy(copy->encap.rules, src->encap.rules, rules);
	}
	if (!copy || (rules && !copy->encap.rules)) {
		cli_fail("out of memory.");
		abort();
	}
	return copy;
}

void cli_object_free(struct sr_object *object)
{
	if (object && object->id.kind == SR_OBJECT_ENCAP)
		sr_encap_fini(&object->encap);
	free(object);
}
