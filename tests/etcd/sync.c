// SPDX-License-Identifier: GPL-2.0-only
#include "etcd/sync.h"

#include "unit/unit.h"

#include <stdlib.h>

static void on_state(void *ctx, int err, const char *text)
{
	struct client *client = ctx;

	client->state = err;
	snprintf(client->text, sizeof(client->text), "%s", text);
	if (err)
		client->downs++;
	else
		client->ups++;
}

void client_init_with(struct client *client, const struct server *server, struct sr_etcd_config config)
{
	const char *urls[SERVER_MEMBERS_MAX];
	char err[256] = "";

	*client = (struct client){.state = 1};
	if (!config.n_endpoints) {
		for (size_t i = 0; i < server->n; i++)
			urls[i] = server->members[i].url;
		config.endpoints = urls;
		config.n_endpoints = server->n;
	}
	config.on_state = on_state;
	config.ctx = client;
	assert_return_code(uv_loop_init(&client->loop), 0);
	if (sr_etcd_new(&client->loop, &config, &client->etcd, err, sizeof(err)))
		fail_msg("sr_etcd_new: %s", err);
}

void client_init(struct client *client, const struct server *server)
{
	client_init_with(client, server, (struct sr_etcd_config){.timeout_ms = CALL_MS / 2});
}

void client_fini(struct client *client)
{
	sr_etcd_free(client->etcd);
	uv_run(&client->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&client->loop), 0);
}

static void on_timeout(uv_timer_t *timer)
{
	*(bool *)timer->data = true;
}

static void on_timer_closed(uv_handle_t *handle)
{
	*(bool *)handle->data = true;
}

bool run_until(uv_loop_t *loop, const bool *flag, unsigned int ms)
{
	bool late = false, closed = false;
	uv_timer_t timer;

	uv_timer_init(loop, &timer);
	timer.data = &late;
	uv_update_time(loop);
	uv_timer_start(&timer, on_timeout, ms, 0);
	while (!*flag && !late)
		uv_run(loop, UV_RUN_ONCE);
	timer.data = &closed;
	uv_close((uv_handle_t *)&timer, on_timer_closed);
	while (!closed)
		uv_run(loop, UV_RUN_NOWAIT);
	return *flag;
}

void run_for(uv_loop_t *loop, unsigned int ms)
{
	const bool never = false;

	run_until(loop, &never, ms);
}

/* ---- Calls */

static char *copy(struct sr_bytes bytes)
{
	char *text = malloc(bytes.len + 1);

	assert_non_null(text);
	if (bytes.len)
		memcpy(text, bytes.data, bytes.len);
	text[bytes.len] = '\0';
	return text;
}

struct listing {
	struct kvs kvs;
	bool done;
};

static void on_page(void *ctx, const struct sr_etcd_status *status, const struct sr_etcd_kv *kvs, size_t n, bool more)
{
	struct listing *l = ctx;

	assert_false(l->done);
	l->done = !more;
	l->kvs.err = status->err;
	if (status->err) {
		assert_int_equal(n, 0);
		assert_false(more);
		snprintf(l->kvs.text, sizeof(l->kvs.text), "%s", status->text);
		return;
	}
	l->kvs.pages++;
	l->kvs.revision = l->kvs.revision ? l->kvs.revision : status->revision;
	l->kvs.list = realloc(l->kvs.list, (l->kvs.n + n + 1) * sizeof(*l->kvs.list));
	assert_non_null(l->kvs.list);
	for (size_t i = 0; i < n; i++)
		l->kvs.list[l->kvs.n++] = (struct kv){.key = copy(kvs[i].key),
						      .value = copy(kvs[i].value),
						      .value_len = kvs[i].value.len,
						      .create_revision = kvs[i].create_revision,
						      .mod_revision = kvs[i].mod_revision,
						      .version = kvs[i].version,
						      .lease = kvs[i].lease};
}

struct kvs client_range(struct client *client, const struct sr_etcd_range *range)
{
	struct listing l = {};

	assert_int_equal(sr_etcd_range(client->etcd, range, on_page, &l), 0);
	assert_false(l.done);
	assert_true(run_until(&client->loop, &l.done, CALL_MS));
	return l.kvs;
}

struct kvs client_list(struct client *client, const char *prefix)
{
	char end[256] = "";
	struct sr_etcd_range range = {.key = SR_BYTES(prefix)};

	range.end = (struct sr_bytes){end, sr_etcd_prefix_end(prefix, strlen(prefix), end)};
	if (!*prefix)
		range.key = range.end = (struct sr_bytes){"", 1};
	return client_range(client, &range);
}

void kvs_fini(struct kvs *kvs)
{
	for (size_t i = 0; i < kvs->n; i++) {
		free(kvs->list[i].key);
		free(kvs->list[i].value);
	}
	free(kvs->list);
}

void on_done(void *ctx, const struct sr_etcd_status *status)
{
	struct done *done = ctx;

	assert_false(done->done);
	done->done = true;
	done->err = status->err;
	done->revision = status->revision;
	if (status->err)
		snprintf(done->text, sizeof(done->text), "%s", status->text);
}

static int wait_done(struct client *client, struct done *done)
{
	assert_false(done->done);
	assert_true(run_until(&client->loop, &done->done, CALL_MS));
	return done->err;
}

int client_put(struct client *client, const char *key, const char *value)
{
	struct done done = {};

	assert_int_equal(sr_etcd_put(client->etcd, SR_BYTES(key), SR_BYTES(value), 0, on_done, &done), 0);
	return wait_done(client, &done);
}

int client_delete(struct client *client, const char *key)
{
	struct done done = {};

	assert_int_equal(sr_etcd_delete(client->etcd, SR_BYTES(key), (struct sr_bytes){}, on_done, &done), 0);
	return wait_done(client, &done);
}

int64_t client_revision(struct client *client)
{
	struct kvs kvs = client_list(client, "no such key");

	assert_int_equal(kvs.err, 0);
	assert_int_equal(kvs.n, 0);
	kvs_fini(&kvs);
	return kvs.revision;
}

static void on_txn(void *ctx, const struct sr_etcd_status *status, bool succeeded,
		   const struct sr_etcd_op_result *results, size_t n)
{
	struct outcome *o = ctx;

	assert_false(o->done);
	o->done = true;
	o->err = status->err;
	o->succeeded = succeeded;
	o->n = n;
	for (size_t i = 0; i < n && i < 8; i++) {
		o->results[i] = results[i];
		o->results[i].kvs = NULL;
		o->n_kvs[i] = results[i].n_kvs;
		if (results[i].n_kvs)
			snprintf(o->first_value[i], sizeof(o->first_value[i]), "%.*s", (int)results[i].kvs[0].value.len,
				 (const char *)results[i].kvs[0].value.data);
	}
}

struct outcome client_txn(struct client *client, const struct sr_etcd_txn *txn)
{
	struct outcome outcome = {};

	assert_int_equal(sr_etcd_txn(client->etcd, txn, on_txn, &outcome), 0);
	assert_true(run_until(&client->loop, &outcome.done, CALL_MS));
	return outcome;
}

/* ---- Watches */

static void add_line(struct log *log, const struct sr_etcd_event *event)
{
	const struct sr_etcd_kv *kv = &event->kv;
	char *line;

	if (log->n == log->size) {
		log->size = log->size ? 2 * log->size : 64;
		log->lines = realloc(log->lines, log->size * sizeof(*log->lines));
		assert_non_null(log->lines);
	}
	if (event->deleted)
		assert_true(asprintf(&line, "-%.*s@%lld", (int)kv->key.len, (const char *)kv->key.data,
				     (long long)kv->mod_revision) > 0);
	else
		assert_true(asprintf(&line, "+%.*s=%.*s@%lld", (int)kv->key.len, (const char *)kv->key.data,
				     (int)(kv->value.len < 64 ? kv->value.len : 64), (const char *)kv->value.data,
				     (long long)kv->mod_revision) > 0);
	log->lines[log->n++] = line;
}

static void on_events(void *ctx, const struct sr_etcd_status *status, const struct sr_etcd_event *events, size_t n,
		      int64_t revision)
{
	struct log *log = ctx;

	assert_int_equal(log->err, 0); /* nothing comes after the end */
	log->calls++;
	log->err = status->err;
	if (status->err) {
		assert_non_null(status->text);
		return;
	}
	if (n && events[0].kv.mod_revision <= log->last)
		log->disorder = true;
	for (size_t i = 0; i < n; i++) {
		if (events[i].kv.mod_revision < log->last)
			log->disorder = true;
		log->last = events[i].kv.mod_revision;
		add_line(log, &events[i]);
	}
	if (revision < log->last)
		log->disorder = true;
	log->revision = revision;
}

void log_watch(struct client *client, struct log *log, const char *prefix, int64_t revision)
{
	char end[256];
	size_t len = sr_etcd_prefix_end(prefix, strlen(prefix), end);

	*log = (struct log){};
	assert_int_equal(sr_etcd_watch_new(client->etcd, SR_BYTES(prefix), (struct sr_bytes){end, len}, revision,
					   on_events, log, &log->watch),
			 0);
	assert_int_equal(log->calls, 0);
}

void log_fini(struct log *log)
{
	sr_etcd_watch_free(log->watch);
	for (size_t i = 0; i < log->n; i++)
		free(log->lines[i]);
	free(log->lines);
}
