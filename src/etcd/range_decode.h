/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The answer to Range, read in place. protobuf-c copies every key and value and allocates for each of them, which for a
 * page of 20,000 keys is twice the memory and several times the CPU of all the rest of the client; an agent reads a
 * million. So this one message, and only this, is read by hand: two passes over its fields, one array, nothing copied.
 * tests/fuzz/fuzz_etcd.c holds it against protobuf-c.
 */
#ifndef SR_ETCD_RANGE_DECODE_H
#define SR_ETCD_RANGE_DECODE_H

#include "etcd/arena.h"
#include "etcd/etcd.h"

struct sr_range_page {
	int64_t revision;
	bool more;
	struct sr_etcd_kv *kvs; /* in the arena; keys and values in the message */
	size_t n;
};

/* -EBADMSG, -ENOMEM. */
int sr_range_decode(struct sr_arena *arena, const uint8_t *data, size_t len, struct sr_range_page *ret);

#endif
