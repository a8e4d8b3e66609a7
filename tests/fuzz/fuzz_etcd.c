// SPDX-License-Identifier: GPL-2.0-only
/*
 * A hostile etcd: what comes on a stream, in pieces, cut into messages and decoded as each answer that we read. Nothing
 * is read or written out of bounds; the arena keeps to its limit; what is decoded can be read to its last byte.
 */
#include "etcd/arena.h"
#include "etcd/grpc.h"
#include "etcd/range_decode.h"
#include "etcd/rpc.pb-c.h"
#include "fuzz.h"

#include <errno.h>
#include <string.h>

#define LIMIT ((size_t)1024 * 1024)

static volatile unsigned int sum;

static void touch(ProtobufCBinaryData data)
{
	for (size_t i = 0; i < data.len; i++)
		sum += data.data[i];
}

static bool equal(struct sr_bytes a, ProtobufCBinaryData b)
{
	return a.len == b.len && (!a.len || !memcmp(a.data, b.data, a.len));
}

/* Read by hand it is what protobuf-c makes of it, for all that protobuf-c takes. */
static void range(struct sr_arena *arena, const uint8_t *data, size_t len)
{
	struct sr_range_page page = {};
	int r = sr_range_decode(arena, data, len, &page);
	Pb__RangeResponse *pb = r == -ENOMEM ? NULL : pb__range_response__unpack(&arena->allocator, len, data);

	for (size_t i = 0; i < page.n; i++) {
		touch((ProtobufCBinaryData){page.kvs[i].key.len, (uint8_t *)page.kvs[i].key.data});
		touch((ProtobufCBinaryData){page.kvs[i].value.len, (uint8_t *)page.kvs[i].value.data});
	}
	if (!pb || r)
		return;
	MUST(pb->n_kvs == page.n);
	MUST(!!pb->more == page.more);
	for (size_t i = 0; i < page.n; i++) {
		MUST(equal(page.kvs[i].key, pb->kvs[i]->key));
		MUST(equal(page.kvs[i].value, pb->kvs[i]->value));
		MUST(page.kvs[i].mod_revision == pb->kvs[i]->mod_revision);
		MUST(page.kvs[i].create_revision == pb->kvs[i]->create_revision);
		MUST(page.kvs[i].version == pb->kvs[i]->version);
		MUST(page.kvs[i].lease == pb->kvs[i]->lease);
	}
}

static void txn(struct sr_arena *arena, const uint8_t *data, size_t len)
{
	Pb__TxnResponse *r = pb__txn_response__unpack(&arena->allocator, len, data);

	for (size_t i = 0; r && i < r->n_responses; i++)
		if (r->responses[i]->response_case == PB__RESPONSE_OP__RESPONSE_RANGE)
			sum += (unsigned int)r->responses[i]->range->n_kvs;
}

static void watch(struct sr_arena *arena, const uint8_t *data, size_t len)
{
	Pb__WatchResponse *r = pb__watch_response__unpack(&arena->allocator, len, data);
	char text[SR_GRPC_TEXT_SIZE];

	for (size_t i = 0; r && i < r->n_events; i++)
		if (r->events[i]->kv)
			touch(r->events[i]->kv->key);
	if (r) {
		sr_grpc_text((const uint8_t *)r->cancel_reason, strlen(r->cancel_reason), text);
		MUST(strlen(text) < sizeof(text));
	}
}

static void rest(struct sr_arena *arena, const uint8_t *data, size_t len)
{
	Pb__AuthenticateResponse *r = pb__authenticate_response__unpack(&arena->allocator, len, data);

	if (r)
		sum += (unsigned int)strlen(r->token);
	pb__lease_keep_alive_response__unpack(&arena->allocator, len, data);
	pb__header_response__unpack(&arena->allocator, len, data);
}

static void decode(struct sr_arena *arena, unsigned int kind, const struct sr_grpc_message *message)
{
	static void (*const kinds[])(struct sr_arena *, const uint8_t *, size_t) = {range, txn, watch, rest};

	kinds[kind % 4](arena, message->data, message->len);
	MUST(arena->held <= LIMIT);
	sr_arena_reset(arena, SR_ARENA_KEEP);
}

/* The first byte says how it is decoded, the second in what pieces it comes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sr_grpc_reader reader = {};
	struct sr_grpc_message *message;
	struct sr_arena arena;
	size_t piece;
	int r = 0;

	if (size < 2)
		return 0;
	piece = 1 + data[1];
	sr_arena_init(&arena, LIMIT);
	for (size_t at = 2; at < size && r >= 0; at += piece) {
		const uint8_t *part = data + at;
		size_t left = size - at < piece ? size - at : piece;

		do {
			r = sr_grpc_read(&reader, &part, &left, &message);
			if (r != 1)
				break;
			decode(&arena, data[0], message);
			free(message);
		} while (left);
		MUST(r < 0 || left == 0);
	}
	sr_grpc_reader_fini(&reader);
	sr_arena_fini(&arena);
	return 0;
}
