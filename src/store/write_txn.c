/* SPDX-License-Identifier: GPL-2.0-only */
#include "store/write_txn.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/merge.h"

struct sr_write_text {
	struct sr_write_text *next;
	char *text;
};

static void round_begin(struct sr_write *w);

/* ---- the life of a write */

int sr_write_new(const struct sr_write_kind *kind, struct sr_etcd *etcd, const char *cluster, sr_write_cb cb, void *ctx,
		 void *ret)
{
	struct sr_write *w;

	if (!sr_name_valid(cluster))
		return -EINVAL;
	w = calloc(1, kind->size);
	if (!w)
		return -ENOMEM;
	w->kind = kind;
	w->etcd = etcd;
	w->cb = cb;
	w->ctx = ctx;
	snprintf(w->cluster, sizeof(w->cluster), "%s", cluster);
	*(struct sr_write **)ret = w;
	return 0;
}

static void round_forget(struct sr_write *w)
{
	while (w->texts) {
		struct sr_write_text *text = w->texts;

		w->texts = text->next;
		free(text->text);
		free(text);
	}
	w->n_reads = 0;
	w->n_compares = 0;
	w->n_ops = 0;
	w->scan.len = 0;
}

void sr_write_free(struct sr_write *w)
{
	if (w->kind->fini)
		w->kind->fini(w);
	round_forget(w);
	free(w->witness_key);
	free(w->witness_value);
	free(w);
}

static void finish(struct sr_write *w, int err)
{
	struct sr_write_result result = {.err = err, .text = ""};

	if (err) {
		if (!w->text[0])
			sr_write_fail(w, err, "%s.", strerror(-err));
		result.text = w->text;
	} else if (w->kind->result) {
		w->kind->result(w, &result);
	}
	w->cb(w->ctx, &result);
	sr_write_free(w);
}

int sr_write_fail(struct sr_write *w, int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(w->text, sizeof(w->text), format, args);
	va_end(args);
	return err;
}

/* ---- what a round is made of */

const char *sr_write_own(struct sr_write *w, char *text)
{
	struct sr_write_text *owned = text ? malloc(sizeof(*owned)) : NULL;

	if (!owned) {
		free(text);
		w->err = -ENOMEM;
		return "";
	}
	*owned = (struct sr_write_text){.next = w->texts, .text = text};
	w->texts = owned;
	return text;
}

const char *sr_write_keep(struct sr_write *w, struct sr_bytes value)
{
	return sr_write_own(w, value.len ? strndup(value.data, value.len) : strdup(""));
}

const char *sr_write_merged(struct sr_write *w, const char *found, char *known, char *wanted)
{
	const char *want = sr_write_own(w, wanted), *k;

	if (!found) {
		free(known);
		return want;
	}
	k = sr_write_own(w, known);
	return w->err ? want : sr_write_own(w, sr_merge(found, strlen(found), k, want));
}

static struct sr_bytes copy(struct sr_write *w, const char *text)
{
	const char *own = sr_write_own(w, strdup(text));

	return SR_BYTES(own);
}

/* The end of a prefix's range. Our keys are ASCII: one byte of it is raised. */
static struct sr_bytes copy_end(struct sr_write *w, const char *prefix)
{
	char end[SR_KEY_SIZE];

	end[sr_etcd_prefix_end(prefix, strlen(prefix), end)] = '\0';
	return copy(w, end);
}

void sr_write_want(struct sr_write *w, const char *key)
{
	assert(w->n_reads < SR_WRITE_READS_MAX);
	w->reads[w->n_reads++] = (struct sr_etcd_op){.kind = SR_ETCD_OP_RANGE, .key = copy(w, key)};
}

void sr_write_scan(struct sr_write *w, const char *prefix)
{
	w->scan = copy(w, prefix);
	w->scan_end = copy_end(w, prefix);
}

static void add_compare(struct sr_write *w, struct sr_etcd_compare compare)
{
	assert(w->n_compares < SR_WRITE_OPS_MAX);
	w->compares[w->n_compares++] = compare;
}

void sr_write_if_unchanged(struct sr_write *w, const char *key, int64_t mod_revision)
{
	add_compare(w, (struct sr_etcd_compare){.target = SR_ETCD_MOD, .key = copy(w, key), .number = mod_revision});
}

void sr_write_if_same(struct sr_write *w, const char *key, int64_t create_revision)
{
	add_compare(w,
		    (struct sr_etcd_compare){.target = SR_ETCD_CREATE, .key = copy(w, key), .number = create_revision});
}

void sr_write_if_none(struct sr_write *w, const char *prefix)
{
	add_compare(w, (struct sr_etcd_compare){
			       .target = SR_ETCD_VERSION, .key = copy(w, prefix), .end = copy_end(w, prefix)});
}

static void add_op(struct sr_write *w, struct sr_etcd_op op)
{
	assert(w->n_ops < SR_WRITE_OPS_MAX);
	w->ops[w->n_ops++] = op;
}

void sr_write_put(struct sr_write *w, const char *key, const char *value)
{
	add_op(w, (struct sr_etcd_op){.kind = SR_ETCD_OP_PUT, .key = copy(w, key), .value = copy(w, value)});
}

void sr_write_put_leased(struct sr_write *w, const char *key, const char *value)
{
	assert(w->lease);
	add_op(w, (struct sr_etcd_op){
			  .kind = SR_ETCD_OP_PUT, .key = copy(w, key), .value = copy(w, value), .lease = w->lease});
}

void sr_write_del(struct sr_write *w, const char *key)
{
	add_op(w, (struct sr_etcd_op){.kind = SR_ETCD_OP_DELETE, .key = copy(w, key)});
}

void sr_write_del_prefix(struct sr_write *w, const char *prefix)
{
	add_op(w, (struct sr_etcd_op){.kind = SR_ETCD_OP_DELETE, .key = copy(w, prefix), .end = copy_end(w, prefix)});
}

void sr_write_witness(struct sr_write *w, const char *key, const char *value)
{
	free(w->witness_key);
	free(w->witness_value);
	w->witness_key = strdup(key);
	w->witness_value = value ? strdup(value) : NULL;
	if (!w->witness_key || (value && !w->witness_value))
		w->err = -ENOMEM;
}

size_t sr_write_skip(const struct sr_write *w)
{
	uint32_t chance = 0;

	if (w->round == 0)
		return 0;
	uv_random(NULL, NULL, &chance, sizeof(chance), 0, NULL);
	return chance & (((size_t)8 << w->round) - 1);
}

/* ---- a round's way */

static bool outcome_unknown(int err)
{
	return err == -ECONNRESET || err == -ETIMEDOUT;
}

/* etcd did not do what it was asked. */
static void finish_etcd(struct sr_write *w, const struct sr_etcd_status *status)
{
	if (w->unsure)
		sr_write_fail(w, status->err,
			      "etcd did not say whether the change was made, and cannot be asked (%s): look before "
			      "trying again.",
			      status->text);
	else
		sr_write_fail(w, status->err, "etcd: %s.", status->text);
	finish(w, status->err);
}

static void round_again(struct sr_write *w)
{
	if (++w->round < SR_WRITE_ROUNDS) {
		round_begin(w);
		return;
	}
	sr_write_fail(w, -EAGAIN, "Others changed the same things %d times in a row: try again.", SR_WRITE_ROUNDS);
	finish(w, -EAGAIN);
}

static void on_commit(void *ctx, const struct sr_etcd_status *status, bool succeeded,
		      const struct sr_etcd_op_result *results, size_t n)
{
	struct sr_write *w = ctx;

	(void)results;
	(void)n;
	if (outcome_unknown(status->err)) {
		w->unsure = true;
		round_again(w);
	} else if (status->err) {
		finish_etcd(w, status);
	} else if (succeeded) {
		finish(w, 0);
	} else {
		round_again(w);
	}
}

static void round_commit(struct sr_write *w)
{
	struct sr_etcd_txn txn = {
		.compares = w->compares, .n_compares = w->n_compares, .success = w->ops, .n_success = w->n_ops};
	int r = w->kind->build(w);

	if (r == 0)
		r = w->err;
	txn.n_compares = w->n_compares;
	txn.n_success = w->n_ops;
	if (r == 0)
		r = sr_etcd_txn(w->etcd, &txn, on_commit, w);
	if (r == SR_WRITE_AGAIN)
		round_again(w);
	else if (r != 0)
		finish(w, r == SR_WRITE_DONE ? 0 : r);
}

static void on_scan(void *ctx, const struct sr_etcd_status *status, const struct sr_etcd_kv *kvs, size_t n, bool more)
{
	struct sr_write *w = ctx;

	for (size_t i = 0; i < n; i++)
		w->kind->key(w, (struct sr_bytes){(const char *)kvs[i].key.data + w->scan.len,
						  kvs[i].key.len - w->scan.len});
	if (status->err)
		finish_etcd(w, status);
	else if (!more)
		round_commit(w);
}

static bool witnessed(const struct sr_write *w, const struct sr_etcd_op_result *result)
{
	const struct sr_etcd_kv *kv = sr_write_found(result);

	if (!kv || !w->witness_value)
		return !kv && !w->witness_value;
	return kv->value.len == strlen(w->witness_value) &&
	       memcmp(kv->value.data, w->witness_value, kv->value.len) == 0;
}

static void on_read(void *ctx, const struct sr_etcd_status *status, bool succeeded,
		    const struct sr_etcd_op_result *results, size_t n)
{
	struct sr_write *w = ctx;
	struct sr_etcd_range range = {.keys_only = true};
	int r;

	(void)succeeded;
	if (status->err == -ECONNRESET) {
		round_again(w);
		return;
	}
	if (status->err) {
		finish_etcd(w, status);
		return;
	}
	if (w->unsure && witnessed(w, &results[n - 1])) {
		finish(w, 0);
		return;
	}
	r = w->kind->read(w, results);
	if (r == 0)
		r = w->err;
	if (r == 0 && !w->scan.len) {
		round_commit(w);
		return;
	}
	range.key = w->scan;
	range.end = w->scan_end;
	if (r == 0)
		r = sr_etcd_range(w->etcd, &range, on_scan, w);
	if (r < 0)
		finish(w, r);
}

static int round_ask(struct sr_write *w)
{
	struct sr_etcd_txn txn = {.success = w->reads};
	int r;

	round_forget(w);
	r = w->kind->ask(w);
	if (w->unsure)
		sr_write_want(w, w->witness_key);
	if (r == 0)
		r = w->err;
	txn.n_success = w->n_reads;
	return r < 0 ? r : sr_etcd_txn(w->etcd, &txn, on_read, w);
}

static void round_begin(struct sr_write *w)
{
	int r = round_ask(w);

	if (r < 0)
		finish(w, r);
}

static int ask_lease(struct sr_write *w);

/* Of unknown outcome: it is asked again, a lease that is not used goes by itself. */
static void on_lease(void *ctx, const struct sr_etcd_status *status, int64_t id)
{
	struct sr_write *w = ctx;
	int r;

	if (outcome_unknown(status->err) && ++w->round < SR_WRITE_ROUNDS) {
		r = ask_lease(w);
		if (r < 0)
			finish(w, r);
	} else if (status->err) {
		finish_etcd(w, status);
	} else {
		w->lease = id;
		w->round = 0;
		round_begin(w);
	}
}

static int ask_lease(struct sr_write *w)
{
	return sr_etcd_grant(w->etcd, w->grant_s, on_lease, w);
}

int sr_write_start(struct sr_write *w)
{
	int r = w->grant_s ? ask_lease(w) : round_ask(w);

	if (r < 0)
		sr_write_free(w);
	return r;
}
