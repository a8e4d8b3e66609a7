// SPDX-License-Identifier: GPL-2.0-only
#include "etcd/range_decode.h"

#include <errno.h>

/* Field numbers of rpc.proto. */
enum { RANGE_HEADER = 1, RANGE_KVS = 2, RANGE_MORE = 3 };
enum { HEADER_REVISION = 3 };
enum { KV_KEY = 1, KV_CREATE = 2, KV_MOD = 3, KV_VERSION = 4, KV_VALUE = 5, KV_LEASE = 6 };

enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

struct cursor {
	const uint8_t *at, *end;
};

struct field {
	uint32_t number;
	unsigned int wire;
	uint64_t number_value; /* WIRE_VARINT */
	struct sr_bytes bytes; /* WIRE_BYTES */
};

/* At most ten bytes; bits beyond 64 are lost, as in protobuf. */
static bool varint(struct cursor *c, uint64_t *ret)
{
	uint64_t value = 0;

	for (unsigned int shift = 0; shift < 70 && c->at < c->end; shift += 7) {
		uint8_t byte = *c->at++;

		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80)) {
			*ret = value;
			return true;
		}
	}
	return false;
}

static bool skip(struct cursor *c, size_t n)
{
	if ((size_t)(c->end - c->at) < n)
		return false;
	c->at += n;
	return true;
}

static bool bytes(struct cursor *c, struct sr_bytes *ret)
{
	uint64_t len;

	if (!varint(c, &len) || len > (uint64_t)(c->end - c->at))
		return false;
	*ret = (struct sr_bytes){c->at, (size_t)len};
	c->at += len;
	return true;
}

/* 1, and the next field; 0 at the end; -EBADMSG. */
static int next(struct cursor *c, struct field *ret)
{
	uint64_t tag;
	bool ok = false;

	if (c->at == c->end)
		return 0;
	if (!varint(c, &tag) || tag >> 3 == 0 || tag > UINT32_MAX)
		return -EBADMSG;
	*ret = (struct field){.number = (uint32_t)(tag >> 3), .wire = tag & 7};
	if (ret->wire == WIRE_VARINT)
		ok = varint(c, &ret->number_value);
	else if (ret->wire == WIRE_BYTES)
		ok = bytes(c, &ret->bytes);
	else if (ret->wire == WIRE_64)
		ok = skip(c, 8);
	else if (ret->wire == WIRE_32)
		ok = skip(c, 4);
	return ok ? 1 : -EBADMSG;
}

static struct cursor over(struct sr_bytes in)
{
	const uint8_t *data = in.data;

	return (struct cursor){data, data + in.len};
}

/* Known fields have one wire type; a field that comes twice counts as it comes last. */
static int read_kv(struct sr_bytes in, struct sr_etcd_kv *kv)
{
	struct cursor c = over(in);
	struct field f;
	int r;

	*kv = (struct sr_etcd_kv){};
	while ((r = next(&c, &f)) > 0) {
		if (f.number > KV_LEASE)
			continue;
		if (f.wire != (f.number == KV_KEY || f.number == KV_VALUE ? WIRE_BYTES : WIRE_VARINT))
			return -EBADMSG;
		switch (f.number) {
		case KV_KEY:
			kv->key = f.bytes;
			break;
		case KV_CREATE:
			kv->create_revision = (int64_t)f.number_value;
			break;
		case KV_MOD:
			kv->mod_revision = (int64_t)f.number_value;
			break;
		case KV_VERSION:
			kv->version = (int64_t)f.number_value;
			break;
		case KV_VALUE:
			kv->value = f.bytes;
			break;
		default:
			kv->lease = (int64_t)f.number_value;
			break;
		}
	}
	return r;
}

static int read_header(struct sr_bytes in, int64_t *revision)
{
	struct cursor c = over(in);
	struct field f;
	int r;

	while ((r = next(&c, &f)) > 0)
		if (f.number == HEADER_REVISION && f.wire == WIRE_VARINT)
			*revision = (int64_t)f.number_value;
	return r;
}

/* Everything but the keys, which it counts. */
static int first_pass(struct sr_bytes in, struct sr_range_page *page)
{
	struct cursor c = over(in);
	struct field f;
	int r;

	while ((r = next(&c, &f)) > 0) {
		if (f.number == RANGE_MORE ? f.wire != WIRE_VARINT : f.number < RANGE_MORE && f.wire != WIRE_BYTES)
			return -EBADMSG;
		if (f.number == RANGE_MORE)
			page->more = f.number_value != 0;
		if (f.number == RANGE_KVS)
			page->n++;
		if (f.number == RANGE_HEADER && read_header(f.bytes, &page->revision))
			return -EBADMSG;
	}
	return r;
}

int sr_range_decode(struct sr_arena *arena, const uint8_t *data, size_t len, struct sr_range_page *ret)
{
	const struct sr_bytes in = {data, len};
	struct sr_range_page page = {};
	struct cursor c = over(in);
	struct field f;
	size_t n = 0;
	int r = first_pass(in, &page);

	if (r < 0)
		return r;
	page.kvs = sr_arena_alloc(arena, page.n * sizeof(*page.kvs));
	if (!page.kvs)
		return -ENOMEM;
	while (next(&c, &f) > 0)
		if (f.number == RANGE_KVS && read_kv(f.bytes, &page.kvs[n++]) < 0)
			return -EBADMSG;
	*ret = page;
	return 0;
}
