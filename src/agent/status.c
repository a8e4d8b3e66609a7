/* SPDX-License-Identifier: GPL-2.0-only */
#include "agent/status.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "model/codec.h"
#include "store/keys.h"

#define RETRY_MS 1000

/* One key. Freed when it is gone from etcd and nobody says it any more. */
struct item {
	struct sr_status *status;
	char *value; /* owned; NULL: to be deleted */
	bool dirty, writing;
	UT_hash_handle hh;
	char key[];
};

struct sr_status {
	struct sr_etcd *etcd;
	char cluster[SR_NAME_SIZE];
	struct sr_etcd_lease *lease;
	int64_t lease_id; /* 0: none now */
	struct item *items;
	uv_timer_t *retry;
};

static void write_item(struct item *item);

static void free_item(struct item *item)
{
	HASH_DEL(item->status->items, item);
	free(item->value);
	free(item);
}

static void on_retry(uv_timer_t *timer)
{
	struct sr_status *status = timer->data;
	struct item *item, *tmp;

	HASH_ITER (hh, status->items, item, tmp)
		if (item->dirty)
			write_item(item);
}

static void written(struct item *item, int err)
{
	struct sr_status *status = item->status;

	item->writing = false;
	if (err == -ECANCELED)
		return; /* the client is going, and this status with it */
	if (err) {
		item->dirty = true;
		uv_timer_start(status->retry, on_retry, RETRY_MS, 0);
		return;
	}
	if (item->dirty)
		write_item(item);
	else if (!item->value)
		free_item(item);
}

static void on_put(void *ctx, const struct sr_etcd_status *status)
{
	written(ctx, status->err);
}

static void on_delete(void *ctx, const struct sr_etcd_status *status, bool succeeded,
		      const struct sr_etcd_op_result *results, size_t n)
{
	(void)succeeded, (void)results, (void)n;
	written(ctx, status->err);
}

/* Only if it still hangs on our lease. */
static int delete_ours(struct item *item)
{
	const struct sr_etcd_compare ours = {
		.target = SR_ETCD_LEASE,
		.result = SR_ETCD_EQUAL,
		.key = SR_BYTES(item->key),
		.number = item->status->lease_id,
	};
	const struct sr_etcd_op op = {.kind = SR_ETCD_OP_DELETE, .key = SR_BYTES(item->key)};
	const struct sr_etcd_txn txn = {.compares = &ours, .n_compares = 1, .success = &op, .n_success = 1};

	return sr_etcd_txn(item->status->etcd, &txn, on_delete, item);
}

static void write_item(struct item *item)
{
	struct sr_status *status = item->status;
	int r;

	if (item->writing || !status->lease_id)
		return;
	if (item->value)
		r = sr_etcd_put(status->etcd, SR_BYTES(item->key), SR_BYTES(item->value), status->lease_id, on_put,
				item);
	else
		r = delete_ours(item);
	if (r < 0) {
		uv_timer_start(status->retry, on_retry, RETRY_MS, 0);
		return;
	}
	item->dirty = false;
	item->writing = true;
}

/* Takes the value over; NULL: the key is to go. */
static void set_item(struct sr_status *status, const char *key, char *value)
{
	struct item *item;

	HASH_FIND_STR(status->items, key, item);
	if (!item && !value)
		return;
	if (!item) {
		item = calloc(1, sizeof(*item) + strlen(key) + 1);
		if (!item) {
			free(value);
			return;
		}
		item->status = status;
		memcpy(item->key, key, strlen(key) + 1);
		HASH_ADD_KEYPTR(hh, status->items, item->key, strlen(item->key), item);
	}
	free(item->value);
	item->value = value;
	item->dirty = true;
	write_item(item);
}

/* A value that could not be made for want of memory leaves what was said. */
static void say(struct sr_status *status, const char *key, char *value)
{
	if (value)
		set_item(status, key, value);
}

static void on_lease(void *ctx, int64_t id)
{
	struct sr_status *status = ctx;
	struct item *item, *tmp;

	status->lease_id = id;
	if (!id)
		return;
	HASH_ITER (hh, status->items, item, tmp) {
		item->dirty = true;
		write_item(item);
	}
}

static void on_closed(uv_handle_t *handle)
{
	free(handle);
}

int sr_status_new(struct sr_etcd *etcd, const char *cluster, unsigned int lease_ttl, struct sr_status **ret)
{
	struct sr_status *status;
	int r;

	if (!sr_name_valid(cluster))
		return -EINVAL;
	status = calloc(1, sizeof(*status));
	if (!status)
		return -ENOMEM;
	status->etcd = etcd;
	snprintf(status->cluster, sizeof(status->cluster), "%s", cluster);
	status->retry = malloc(sizeof(*status->retry));
	if (!status->retry) {
		free(status);
		return -ENOMEM;
	}
	uv_timer_init(sr_etcd_loop(etcd), status->retry);
	status->retry->data = status;
	r = sr_etcd_lease_new(etcd, lease_ttl, on_lease, status, &status->lease);
	if (r < 0) {
		sr_status_free(status);
		return r;
	}
	*ret = status;
	return 0;
}

/* Calls that are under way hold their item: free the client first, which ends them. */
void sr_status_free(struct sr_status *status)
{
	struct item *item, *tmp;

	if (!status)
		return;
	sr_etcd_lease_free(status->lease);
	uv_close((uv_handle_t *)status->retry, on_closed);
	HASH_ITER (hh, status->items, item, tmp)
		free_item(item);
	free(status);
}

void sr_status_node(struct sr_status *status, const struct sr_node_status *node)
{
	struct sr_object_id id = {.kind = SR_OBJECT_NODE_STATUS};
	char key[SR_KEY_SIZE];

	memcpy(id.node, node->node, sizeof(id.node));
	if (sr_key_object(status->cluster, &id, key) > 0)
		say(status, key, sr_node_status_encode(node));
}

void sr_status_port(struct sr_status *status, const char *node, const struct sr_uuid *port, bool active,
		    const char *reason)
{
	const struct sr_object_id id = {.kind = SR_OBJECT_PORT_STATUS, .id = *port};
	struct sr_port_status what = {.active = active};
	char key[SR_KEY_SIZE];

	snprintf(what.node, sizeof(what.node), "%s", node);
	snprintf(what.reason, sizeof(what.reason), "%s", reason);
	if (sr_key_object(status->cluster, &id, key) > 0)
		say(status, key, sr_port_status_encode(&what));
}

void sr_status_port_gone(struct sr_status *status, const struct sr_uuid *port)
{
	const struct sr_object_id id = {.kind = SR_OBJECT_PORT_STATUS, .id = *port};
	char key[SR_KEY_SIZE];

	if (sr_key_object(status->cluster, &id, key) > 0)
		set_item(status, key, NULL);
}

bool sr_status_settled(const struct sr_status *status)
{
	if (!status->lease_id)
		return false;
	for (const struct item *item = status->items; item; item = item->hh.next)
		if (item->dirty || item->writing)
			return false;
	return true;
}
