// SPDX-License-Identifier: GPL-2.0-only
#include "etcd/client.h"

#include "etcd/range_decode.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_PAGE 20000

static const struct sr_method method_range = {"/etcdserverpb.KV/Range", .needs_auth = true};
static const struct sr_method method_put = {"/etcdserverpb.KV/Put", .writes = true, .needs_auth = true};
static const struct sr_method method_delete = {"/etcdserverpb.KV/DeleteRange", .writes = true, .needs_auth = true};
static const struct sr_method method_txn = {"/etcdserverpb.KV/Txn", .writes = true, .needs_auth = true};
static const struct sr_method method_txn_read = {"/etcdserverpb.KV/Txn", .needs_auth = true};
static const struct sr_method method_compact = {"/etcdserverpb.KV/Compact", .writes = true, .needs_auth = true};

size_t sr_etcd_prefix_end(const void *prefix, size_t len, void *buf)
{
	const uint8_t *bytes = prefix;
	uint8_t *out = buf;

	while (len && bytes[len - 1] == 0xff)
		len--;
	if (!len)
		return 0;
	memmove(out, bytes, len);
	out[len - 1]++;
	return len;
}

/* ---- Range */

struct range_call {
	struct sr_call call;
	sr_etcd_range_cb cb;
	void *ctx;
	uint32_t page;
	bool keys_only, serializable;
	int64_t revision;
	uint8_t *key; /* where the next page begins; owned */
	size_t key_len;
	size_t end_len;
	uint8_t end[];
};

static Pb__RangeRequest range_request(const struct range_call *c)
{
	Pb__RangeRequest request = PB__RANGE_REQUEST__INIT;

	request.key = (ProtobufCBinaryData){c->key_len, c->key};
	request.range_end = (ProtobufCBinaryData){c->end_len, (uint8_t *)c->end};
	request.limit = c->end_len ? c->page : 0;
	request.revision = c->revision;
	request.keys_only = c->keys_only;
	request.serializable = c->serializable;
	return request;
}

static void range_free(struct range_call *c)
{
	free(c->key);
	sr_call_free(&c->call);
}

static void range_fail(struct range_call *c, const struct sr_etcd_status *status)
{
	c->cb(c->ctx, status, NULL, 0, false);
	range_free(c);
}

static void range_again(struct range_call *c)
{
	Pb__RangeRequest request = range_request(c);

	if (sr_call_again(&c->call, &request.base))
		range_fail(c, &(struct sr_etcd_status){.err = -ENOMEM, .text = "out of memory"});
}

/* The page after this one begins behind its last key: that key and a NUL is the smallest key beyond it. */
static int advance(struct range_call *c, const struct sr_etcd_kv *last)
{
	uint8_t *key = malloc(last->key.len + 1);

	if (!key)
		return -ENOMEM;
	memcpy(key, last->key.data, last->key.len);
	key[last->key.len] = 0;
	free(c->key);
	c->key = key;
	c->key_len = last->key.len + 1;
	return 0;
}

static struct sr_etcd_kv *kvs_of(struct sr_arena *arena, Pb__KeyValue *const *list, size_t n)
{
	struct sr_etcd_kv *kvs = sr_arena_alloc(arena, n * sizeof(*kvs));

	for (size_t i = 0; kvs && i < n; i++)
		kvs[i] = sr_etcd_kv(list[i]);
	return kvs;
}

/* The next page is asked for before this one is told, so that etcd reads while the owner works. */
static void range_more(struct range_call *c, const struct sr_etcd_status *status, const struct sr_etcd_kv *kvs,
		       size_t n)
{
	Pb__RangeRequest request;
	sr_etcd_range_cb cb = c->cb;
	void *ctx = c->ctx;
	struct sr_etcd *etcd = c->call.etcd;

	if (advance(c, &kvs[n - 1]))
		goto nomem;
	c->revision = c->revision ? c->revision : status->revision;
	request = range_request(c);
	if (sr_call_again(&c->call, &request.base))
		goto nomem;
	sr_h2_push(etcd->h2);
	cb(ctx, status, kvs, n, true);
	return;
nomem:
	range_fail(c, &(struct sr_etcd_status){.err = -ENOMEM, .text = "out of memory"});
}

static bool comes_after(struct sr_bytes key, const uint8_t *start, size_t len)
{
	int cmp = memcmp(key.data, start, key.len < len ? key.len : len);

	return cmp > 0 || (!cmp && key.len >= len);
}

static bool page_is_sane(const struct range_call *c, const struct sr_range_page *page)
{
	if (!page->more)
		return true;
	/* More without progress would never end. */
	return c->end_len && page->n && c->call.etcd->h2 && comes_after(page->kvs[page->n - 1].key, c->key, c->key_len);
}

/* True: more pages will come. */
static bool range_page(struct range_call *c, struct sr_etcd_status *status, const uint8_t *data, size_t len)
{
	struct sr_range_page page;

	if (sr_range_decode(&c->call.etcd->arena, data, len, &page) || !page_is_sane(c, &page)) {
		*status = (struct sr_etcd_status){.err = -EBADMSG, .text = "an answer to Range that makes no sense"};
		range_fail(c, status);
		return false;
	}
	status->revision = page.revision;
	if (page.more) {
		range_more(c, status, page.kvs, page.n);
		return true;
	}
	c->cb(c->ctx, status, page.kvs, page.n, false);
	range_free(c);
	return false;
}

static void range_done(struct sr_call *call, const struct sr_etcd_status *status, const uint8_t *data, size_t len)
{
	struct range_call *c = (struct range_call *)call;
	struct sr_etcd *etcd = call->etcd;
	struct sr_etcd_status copy = *status;

	if (status->err == -EMSGSIZE && c->page > 1) {
		c->page = c->page > 16 ? c->page / 16 : 1;
		range_again(c);
		return;
	}
	if (status->err) {
		range_fail(c, status);
		return;
	}
	sr_arena_reset(&etcd->arena, range_page(c, &copy, data, len) ? SR_ARENA_KEEP_PAGES : SR_ARENA_KEEP);
}

int sr_etcd_range(struct sr_etcd *etcd, const struct sr_etcd_range *range, sr_etcd_range_cb cb, void *ctx)
{
	Pb__RangeRequest request = PB__RANGE_REQUEST__INIT;
	struct range_call *c;

	if (etcd->closing)
		return -ECANCELED;
	if (!range->key.len)
		return -EINVAL;
	c = sr_call_new(etcd, sizeof(*c) + range->end.len, &method_range, &request.base, range_done);
	if (!c)
		return -ENOMEM;
	c->cb = cb;
	c->ctx = ctx;
	c->page = range->page ? range->page : DEFAULT_PAGE;
	c->keys_only = range->keys_only;
	c->serializable = range->serializable;
	c->revision = range->revision;
	c->key_len = range->key.len;
	c->key = malloc(range->key.len);
	c->end_len = range->end.len;
	if (!c->key) {
		range_free(c);
		return -ENOMEM;
	}
	memcpy(c->key, range->key.data, range->key.len);
	if (range->end.len)
		memcpy(c->end, range->end.data, range->end.len);
	request = range_request(c);
	if (sr_call_again(&c->call, &request.base)) {
		range_free(c);
		return -ENOMEM;
	}
	return 0;
}

/* ---- Put, Delete, Compact: of the answers only the header matters */

struct done_call {
	struct sr_call call;
	sr_etcd_done_cb cb;
	void *ctx;
};

static void done_done(struct sr_call *call, const struct sr_etcd_status *status, const uint8_t *data, size_t len)
{
	struct done_call *c = (struct done_call *)call;
	struct sr_arena *arena = &call->etcd->arena;
	struct sr_etcd_status copy = *status;
	Pb__HeaderResponse *response = NULL;

	if (!status->err) {
		response = pb__header_response__unpack(&arena->allocator, len, data);
		if (response)
			copy.revision = sr_etcd_revision(response->header);
		else
			copy = (struct sr_etcd_status){.err = -EBADMSG, .text = "an answer that cannot be parsed"};
	}
	if (c->cb)
		c->cb(c->ctx, &copy);
	sr_arena_reset(arena, SR_ARENA_KEEP);
	sr_call_free(call);
}

int sr_call_simple(struct sr_etcd *etcd, const struct sr_method *method, const ProtobufCMessage *request,
		   sr_etcd_done_cb cb, void *ctx)
{
	struct done_call *c;

	if (etcd->closing)
		return -ECANCELED;
	c = sr_call_new(etcd, sizeof(*c), method, request, done_done);
	if (!c)
		return -ENOMEM;
	c->cb = cb;
	c->ctx = ctx;
	sr_call_start(&c->call);
	return 0;
}

static Pb__PutRequest put_request(struct sr_bytes key, struct sr_bytes value, int64_t lease)
{
	Pb__PutRequest request = PB__PUT_REQUEST__INIT;

	request.key = sr_etcd_data(key);
	request.value = sr_etcd_data(value);
	request.lease = lease;
	return request;
}

static Pb__DeleteRangeRequest delete_request(struct sr_bytes key, struct sr_bytes end)
{
	Pb__DeleteRangeRequest request = PB__DELETE_RANGE_REQUEST__INIT;

	request.key = sr_etcd_data(key);
	request.range_end = sr_etcd_data(end);
	return request;
}

int sr_etcd_put(struct sr_etcd *etcd, struct sr_bytes key, struct sr_bytes value, int64_t lease, sr_etcd_done_cb cb,
		void *ctx)
{
	Pb__PutRequest request = put_request(key, value, lease);

	return key.len ? sr_call_simple(etcd, &method_put, &request.base, cb, ctx) : -EINVAL;
}

int sr_etcd_delete(struct sr_etcd *etcd, struct sr_bytes key, struct sr_bytes end, sr_etcd_done_cb cb, void *ctx)
{
	Pb__DeleteRangeRequest request = delete_request(key, end);

	return key.len ? sr_call_simple(etcd, &method_delete, &request.base, cb, ctx) : -EINVAL;
}

int sr_etcd_compact(struct sr_etcd *etcd, int64_t revision, sr_etcd_done_cb cb, void *ctx)
{
	Pb__CompactionRequest request = PB__COMPACTION_REQUEST__INIT;

	request.revision = revision;
	return sr_call_simple(etcd, &method_compact, &request.base, cb, ctx);
}

/* ---- Txn */

static void txn_done(struct sr_call *call, const struct sr_etcd_status *status, const uint8_t *data, size_t len);

struct txn_call {
	struct sr_call call;
	sr_etcd_txn_cb cb;
	void *ctx;
};

/* A request as protobuf-c wants it, for as long as it takes to pack: one array of each, pointing into each other. */
struct txn_build {
	Pb__TxnRequest request;
	Pb__Compare *compares, **compare_ptrs;
	Pb__RequestOp *ops, **op_ptrs;
	union op_body {
		Pb__PutRequest put;
		Pb__DeleteRangeRequest delete_range;
		Pb__RangeRequest range;
	} * bodies;
};

static void build_compare(Pb__Compare *pb, const struct sr_etcd_compare *compare)
{
	pb__compare__init(pb);
	pb->result = (int32_t)compare->result;
	pb->target = (int32_t)compare->target;
	pb->key = sr_etcd_data(compare->key);
	pb->range_end = sr_etcd_data(compare->end);
	switch (compare->target) {
	case SR_ETCD_VERSION:
		pb->union_case = PB__COMPARE__UNION_VERSION;
		pb->version = compare->number;
		break;
	case SR_ETCD_CREATE:
		pb->union_case = PB__COMPARE__UNION_CREATE_REVISION;
		pb->create_revision = compare->number;
		break;
	case SR_ETCD_MOD:
		pb->union_case = PB__COMPARE__UNION_MOD_REVISION;
		pb->mod_revision = compare->number;
		break;
	case SR_ETCD_VALUE:
		pb->union_case = PB__COMPARE__UNION_VALUE;
		pb->value = sr_etcd_data(compare->value);
		break;
	case SR_ETCD_LEASE:
		pb->union_case = PB__COMPARE__UNION_LEASE;
		pb->lease = compare->number;
		break;
	}
}

static void build_op(Pb__RequestOp *pb, union op_body *body, const struct sr_etcd_op *op)
{
	pb__request_op__init(pb);
	switch (op->kind) {
	case SR_ETCD_OP_PUT:
		body->put = put_request(op->key, op->value, op->lease);
		pb->request_case = PB__REQUEST_OP__REQUEST_PUT;
		pb->put = &body->put;
		break;
	case SR_ETCD_OP_DELETE:
		body->delete_range = delete_request(op->key, op->end);
		pb->request_case = PB__REQUEST_OP__REQUEST_DELETE_RANGE;
		pb->delete_range = &body->delete_range;
		break;
	case SR_ETCD_OP_RANGE:
		pb__range_request__init(&body->range);
		body->range.key = sr_etcd_data(op->key);
		body->range.range_end = sr_etcd_data(op->end);
		pb->request_case = PB__REQUEST_OP__REQUEST_RANGE;
		pb->range = &body->range;
		break;
	}
}

static int build_alloc(struct txn_build *b, const struct sr_etcd_txn *txn)
{
	size_t n_ops = txn->n_success + txn->n_failure;

	/* One more each, so that none is of no bytes. */
	b->compares = calloc(txn->n_compares + 1, sizeof(*b->compares));
	b->compare_ptrs = calloc(txn->n_compares + 1, sizeof(void *));
	b->ops = calloc(n_ops + 1, sizeof(*b->ops));
	b->op_ptrs = calloc(n_ops + 1, sizeof(void *));
	b->bodies = calloc(n_ops + 1, sizeof(*b->bodies));
	return b->compares && b->compare_ptrs && b->ops && b->op_ptrs && b->bodies ? 0 : -ENOMEM;
}

static void build_free(struct txn_build *b)
{
	free(b->compares);
	free(b->compare_ptrs);
	free(b->ops);
	free(b->op_ptrs);
	free(b->bodies);
}

static int build(struct txn_build *b, const struct sr_etcd_txn *txn)
{
	size_t n_ops = txn->n_success + txn->n_failure;

	if (build_alloc(b, txn))
		return -ENOMEM;
	for (size_t i = 0; i < txn->n_compares; i++) {
		build_compare(&b->compares[i], &txn->compares[i]);
		b->compare_ptrs[i] = &b->compares[i];
	}
	for (size_t i = 0; i < n_ops; i++) {
		build_op(&b->ops[i], &b->bodies[i],
			 i < txn->n_success ? &txn->success[i] : &txn->failure[i - txn->n_success]);
		b->op_ptrs[i] = &b->ops[i];
	}
	pb__txn_request__init(&b->request);
	b->request.n_compare = txn->n_compares;
	b->request.compare = b->compare_ptrs;
	b->request.n_success = txn->n_success;
	b->request.success = b->op_ptrs;
	b->request.n_failure = txn->n_failure;
	b->request.failure = b->op_ptrs + txn->n_success;
	return 0;
}

/* One that only reads may be sent again when its connection breaks. */
static bool only_reads(const struct sr_etcd_txn *txn)
{
	for (size_t i = 0; i < txn->n_success; i++)
		if (txn->success[i].kind != SR_ETCD_OP_RANGE)
			return false;
	for (size_t i = 0; i < txn->n_failure; i++)
		if (txn->failure[i].kind != SR_ETCD_OP_RANGE)
			return false;
	return true;
}

int sr_etcd_txn(struct sr_etcd *etcd, const struct sr_etcd_txn *txn, sr_etcd_txn_cb cb, void *ctx)
{
	struct txn_build b = {};
	struct txn_call *c = NULL;

	if (etcd->closing)
		return -ECANCELED;
	if (!build(&b, txn))
		c = sr_call_new(etcd, sizeof(*c), only_reads(txn) ? &method_txn_read : &method_txn, &b.request.base,
				txn_done);
	build_free(&b);
	if (!c)
		return -ENOMEM;
	c->cb = cb;
	c->ctx = ctx;
	sr_call_start(&c->call);
	return 0;
}

static int read_result(struct sr_arena *arena, const Pb__ResponseOp *op, struct sr_etcd_op_result *ret)
{
	*ret = (struct sr_etcd_op_result){};
	switch (op->response_case) {
	case PB__RESPONSE_OP__RESPONSE_RANGE:
		ret->kind = SR_ETCD_OP_RANGE;
		ret->n_kvs = op->range->n_kvs;
		ret->kvs = kvs_of(arena, op->range->kvs, op->range->n_kvs);
		return ret->kvs ? 0 : -ENOMEM;
	case PB__RESPONSE_OP__RESPONSE_PUT:
		ret->kind = SR_ETCD_OP_PUT;
		return 0;
	case PB__RESPONSE_OP__RESPONSE_DELETE_RANGE:
		ret->kind = SR_ETCD_OP_DELETE;
		ret->deleted = op->delete_range->deleted;
		return 0;
	default:
		return -EBADMSG;
	}
}

static void txn_tell(struct txn_call *c, struct sr_etcd_status *status, const uint8_t *data, size_t len)
{
	struct sr_arena *arena = &c->call.etcd->arena;
	Pb__TxnResponse *response = pb__txn_response__unpack(&arena->allocator, len, data);
	struct sr_etcd_op_result *results =
		response ? sr_arena_alloc(arena, response->n_responses * sizeof(*results)) : NULL;
	int err = results ? 0 : -EBADMSG;

	for (size_t i = 0; !err && i < response->n_responses; i++)
		err = read_result(arena, response->responses[i], &results[i]);
	if (err) {
		*status = (struct sr_etcd_status){.err = -EBADMSG, .text = "an answer to Txn that makes no sense"};
		c->cb(c->ctx, status, false, NULL, 0);
		return;
	}
	status->revision = sr_etcd_revision(response->header);
	c->cb(c->ctx, status, response->succeeded, results, response->n_responses);
}

static void txn_done(struct sr_call *call, const struct sr_etcd_status *status, const uint8_t *data, size_t len)
{
	struct txn_call *c = (struct txn_call *)call;
	struct sr_etcd_status copy = *status;

	if (status->err)
		c->cb(c->ctx, status, false, NULL, 0);
	else
		txn_tell(c, &copy, data, len);
	sr_arena_reset(&call->etcd->arena, SR_ARENA_KEEP);
	sr_call_free(call);
}
