/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * store/follow.c - a scope's way: queued, read whole, watched, and back to queued when that cannot go on.
 *
 * A follow is owned by its store from subscription to unsubscription; a read that is under way then (a Range cannot be
 * taken back) lets it live until its last page, silently. `busy` counts what still holds a follow: the read, and
 * callbacks on the stack, so that a reader may unsubscribe from within any of them.
 */
#include "store/store.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "model/codec.h"
#include "store/keys.h"

#define READS_MAX 16	  /* at a time: enough to keep etcd busy, few enough to bound what is in flight */
#define RETRY_MS 500	  /* after a read that failed; the client has its own backoff for connections */
#define PROBLEMS_MAX 4096 /* bad keys that are remembered, so that each is reported once */

enum follow_state { FOLLOW_QUEUED, FOLLOW_READING, FOLLOW_WATCHING };

struct follow {
	struct sr_store *store;
	struct sr_scope scope;
	char key[SR_KEY_SIZE], end[SR_KEY_SIZE];
	size_t key_len, end_len;
	enum follow_state state;
	bool told; /* `begin`, for the read under way */
	bool dead; /* unsubscribed */
	unsigned int busy;
	struct sr_etcd_watch *watch;
	struct follow *next;
};

/* A key whose value was bad, at which revision it was last reported. */
struct problem {
	int64_t revision;
	UT_hash_handle hh;
	char key[];
};

struct sr_store {
	struct sr_etcd *etcd;
	char cluster[SR_NAME_SIZE];
	const struct sr_store_reader *reader; /* NULL: freed, and waiting for the last of its reads */
	void *ctx;
	struct follow *follows;
	unsigned int reading;
	uv_timer_t *retry;
	struct problem *problems;
};

static void read_next(struct sr_store *store);

/* ---- the life of a follow and of a store */

static void store_free_if_idle(struct sr_store *store)
{
	if (!store->reader && !store->follows)
		free(store);
}

/* Lets go of a follow; the last to do so for one that is dead frees it. */
static void release(struct follow *f)
{
	struct sr_store *store = f->store;
	struct follow **link = &store->follows;

	if (--f->busy > 0 || !f->dead)
		return;
	while (*link != f)
		link = &(*link)->next;
	*link = f->next;
	free(f);
	store_free_if_idle(store);
}

static void kill_follow(struct follow *f)
{
	f->busy++;
	f->dead = true;
	sr_etcd_watch_free(f->watch);
	f->watch = NULL;
	release(f);
}

static struct follow *find(struct sr_store *store, const struct sr_scope *scope)
{
	for (struct follow *f = store->follows; f; f = f->next)
		if (!f->dead && f->scope.kind == scope->kind && strcmp(f->scope.name, scope->name) == 0)
			return f;
	return NULL;
}

/* ---- values */

static void report(struct sr_store *store, const struct sr_etcd_kv *kv, const char *text)
{
	struct problem *p;
	char *key;

	HASH_FIND(hh, store->problems, kv->key.data, kv->key.len, p);
	if (p && p->revision == kv->mod_revision)
		return;
	if (!p && HASH_COUNT(store->problems) < PROBLEMS_MAX) {
		p = malloc(sizeof(*p) + kv->key.len);
		if (p) {
			memcpy(p->key, kv->key.data, kv->key.len);
			HASH_ADD_KEYPTR(hh, store->problems, p->key, kv->key.len, p);
		}
	}
	if (p)
		p->revision = kv->mod_revision;
	key = strndup(kv->key.data, kv->key.len);
	store->reader->problem(store->ctx, key ? key : "(out of memory)", text);
	free(key);
}

/* Decodes a value by its key's kind, and checks that what the value says of its key agrees. */
static int decode(const struct sr_object_id *id, const struct sr_bytes *value, struct sr_object *ret,
		  struct sr_codec_error *err)
{
	const char *json = value->data;
	size_t len = value->len;
	bool agrees = true;
	int r = -EINVAL;

	switch (id->kind) {
	case SR_OBJECT_NODE:
		r = sr_node_decode(json, len, &ret->node, err);
		agrees = r < 0 || strcmp(ret->node.name, id->node) == 0;
		break;
	case SR_OBJECT_BINDING:
		r = sr_binding_decode(json, len, &ret->binding, err);
		break;
	case SR_OBJECT_VRF:
		r = sr_vrf_decode(json, len, &ret->vrf, err);
		agrees = r < 0 || strcmp(ret->vrf.name, id->vrf) == 0;
		break;
	case SR_OBJECT_PORT:
		r = sr_port_decode(json, len, &ret->port, err);
		agrees = r < 0 ||
			 (strcmp(ret->port.vrf, id->vrf) == 0 && memcmp(&ret->port.id, &id->id, sizeof(id->id)) == 0);
		break;
	case SR_OBJECT_ENCAP:
		r = sr_encap_decode(json, len, &ret->encap, err);
		agrees = r < 0 || memcmp(&ret->encap.id, &id->id, sizeof(id->id)) == 0;
		if (!agrees)
			sr_encap_fini(&ret->encap);
		break;
	case SR_OBJECT_NODE_STATUS:
		r = sr_node_status_decode(json, len, &ret->node_status, err);
		agrees = r < 0 || strcmp(ret->node_status.node, id->node) == 0;
		break;
	case SR_OBJECT_PORT_STATUS:
		r = sr_port_status_decode(json, len, &ret->port_status, err);
		break;
	}
	if (!agrees) {
		snprintf(err->text, sizeof(err->text), "the value is another object's than the key says");
		return -EBADMSG;
	}
	return r;
}

/* One key with its value, from a snapshot or an event. */
static void tell_value(struct follow *f, const struct sr_etcd_kv *kv, bool in_snapshot)
{
	struct sr_store *store = f->store;
	struct sr_codec_error err = {.text = "its value cannot be read"};
	struct sr_object object;
	int r;

	r = sr_key_parse(store->cluster, kv->key.data, kv->key.len, &object.id);
	if (r == -ENOENT)
		return;
	if (r < 0) {
		report(store, kv, "the key is malformed");
		return;
	}
	object.revision = kv->mod_revision;
	r = decode(&object.id, &kv->value, &object, &err);
	if (r < 0) {
		report(store, kv, err.text);
		if (in_snapshot && !f->dead)
			store->reader->keep(store->ctx, &f->scope, &object.id);
		return;
	}
	store->reader->put(store->ctx, &f->scope, &object);
	if (object.id.kind == SR_OBJECT_ENCAP)
		sr_encap_fini(&object.encap);
}

static void tell_deletion(struct follow *f, const struct sr_etcd_kv *kv)
{
	struct sr_store *store = f->store;
	struct sr_object_id id;
	struct problem *p;

	HASH_FIND(hh, store->problems, kv->key.data, kv->key.len, p);
	if (p) {
		HASH_DEL(store->problems, p);
		free(p);
	}
	if (sr_key_parse(store->cluster, kv->key.data, kv->key.len, &id) == 0)
		store->reader->del(store->ctx, &f->scope, &id);
}

/* ---- watching */

static void requeue(struct follow *f)
{
	sr_etcd_watch_free(f->watch);
	f->watch = NULL;
	f->state = FOLLOW_QUEUED;
}

static void on_retry(uv_timer_t *timer)
{
	struct sr_store *store = timer->data;

	read_next(store);
}

static void retry_later(struct sr_store *store)
{
	if (store->reader)
		uv_timer_start(store->retry, on_retry, RETRY_MS, 0);
}

static void on_watch(void *ctx, const struct sr_etcd_status *status, const struct sr_etcd_event *events, size_t n,
		     int64_t revision)
{
	struct follow *f = ctx;
	struct sr_store *store = f->store;

	f->busy++;
	for (size_t i = 0; i < n && !f->dead; i++) {
		if (events[i].deleted)
			tell_deletion(f, &events[i].kv);
		else
			tell_value(f, &events[i].kv, false);
	}
	if (n > 0 && !f->dead && store->reader->batch)
		store->reader->batch(store->ctx, &f->scope, revision);
	if (status->err && !f->dead) {
		requeue(f);
		if (status->err == -EKEYEXPIRED) {
			read_next(store);
		} else {
			store->reader->problem(store->ctx, f->key, status->text);
			retry_later(store);
		}
	}
	release(f);
}

static int watch_from(struct follow *f, int64_t revision)
{
	struct sr_bytes key = {f->key, f->key_len}, end = {f->end, f->end_len};

	return sr_etcd_watch_new(f->store->etcd, key, end, revision, on_watch, f, &f->watch);
}

/* ---- reading */

static void read_done(struct follow *f, const struct sr_etcd_status *status)
{
	struct sr_store *store = f->store;
	int r = status->err;

	store->reading--;
	if (!f->dead && r == 0) {
		r = watch_from(f, status->revision + 1);
		if (r == 0) {
			f->state = FOLLOW_WATCHING;
			store->reader->end(store->ctx, &f->scope, status->revision);
		}
	}
	if (!f->dead && r < 0) {
		f->state = FOLLOW_QUEUED;
		/* Away or not led: the client says so by itself. What will not mend by itself is said here. */
		if (r == -EACCES || r == -EINVAL || r == -EBADMSG)
			store->reader->problem(store->ctx, f->key, status->err ? status->text : "cannot be watched");
		retry_later(store);
	} else {
		read_next(store);
	}
	release(f);
}

static void on_page(void *ctx, const struct sr_etcd_status *status, const struct sr_etcd_kv *kvs, size_t n, bool more)
{
	struct follow *f = ctx;
	struct sr_store *store = f->store;

	if (!status->err && !f->told && !f->dead) {
		f->told = true;
		store->reader->begin(store->ctx, &f->scope);
	}
	for (size_t i = 0; i < n && !f->dead; i++)
		tell_value(f, &kvs[i], true);
	if (!more)
		read_done(f, status);
}

static int read_scope(struct follow *f)
{
	const struct sr_etcd_range range = {.key = {f->key, f->key_len}, .end = {f->end, f->end_len}};
	int r;

	f->told = false;
	r = sr_etcd_range(f->store->etcd, &range, on_page, f);
	if (r < 0)
		return r;
	f->state = FOLLOW_READING;
	f->busy++;
	f->store->reading++;
	return 0;
}

/* Begins as many reads as may run; in the order of subscription, nodes and bindings first thus. */
static void read_next(struct sr_store *store)
{
	if (!store->reader)
		return;
	for (struct follow *f = store->follows; f && store->reading < READS_MAX; f = f->next) {
		if (f->dead || f->state != FOLLOW_QUEUED)
			continue;
		if (read_scope(f) < 0) {
			retry_later(store);
			return;
		}
	}
}

/* ---- the interface */

int sr_store_new(struct sr_etcd *etcd, const char *cluster, const struct sr_store_reader *reader, void *ctx,
		 struct sr_store **ret)
{
	struct sr_store *store;
	int r;

	if (!sr_name_valid(cluster))
		return -EINVAL;
	store = malloc(sizeof(*store));
	if (!store)
		return -ENOMEM;
	*store = (struct sr_store){.etcd = etcd, .reader = reader, .ctx = ctx};
	snprintf(store->cluster, sizeof(store->cluster), "%s", cluster);
	store->retry = malloc(sizeof(*store->retry));
	if (!store->retry) {
		free(store);
		return -ENOMEM;
	}
	r = uv_timer_init(sr_etcd_loop(etcd), store->retry);
	assert(r == 0);
	store->retry->data = store;
	*ret = store;
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	free(handle);
}

void sr_store_free(struct sr_store *store)
{
	struct problem *p, *tmp;
	struct follow *next;

	if (!store)
		return;
	uv_close((uv_handle_t *)store->retry, on_closed);
	HASH_ITER (hh, store->problems, p, tmp) {
		HASH_DEL(store->problems, p);
		free(p);
	}
	for (struct follow *f = store->follows; f; f = next) {
		next = f->next;
		if (!f->dead)
			kill_follow(f);
	}
	store->reader = NULL;
	store_free_if_idle(store);
}

int sr_store_subscribe(struct sr_store *store, const struct sr_scope *scope)
{
	struct follow *f, **link = &store->follows;
	int len;

	if (find(store, scope))
		return 0;
	f = malloc(sizeof(*f));
	if (!f)
		return -ENOMEM;
	*f = (struct follow){.store = store, .scope = *scope, .state = FOLLOW_QUEUED};
	len = sr_key_scope(store->cluster, scope, f->key);
	if (len < 0) {
		free(f);
		return len;
	}
	f->key_len = (size_t)len;
	f->end_len = sr_etcd_prefix_end(f->key, f->key_len, f->end);
	while (*link)
		link = &(*link)->next;
	*link = f;
	read_next(store);
	return 0;
}

void sr_store_unsubscribe(struct sr_store *store, const struct sr_scope *scope)
{
	struct follow *f = find(store, scope);

	if (f)
		kill_follow(f);
}
