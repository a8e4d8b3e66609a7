/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A bump allocator for what is decoded from one message: filled by protobuf-c, read by a callback, and thrown away as a
 * whole. It is bounded, because a hostile message decodes to many times its size (an empty element of a list takes two
 * bytes on the wire and a struct in memory).
 */
#ifndef SR_ETCD_ARENA_H
#define SR_ETCD_ARENA_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>

struct sr_arena_chunk;

struct sr_arena {
	struct sr_arena_chunk *chunks;
	struct sr_arena_chunk *current; /* being filled: those before it are full, those behind it empty */
	size_t held, limit;		/* bytes in chunks, and what they may be */
	ProtobufCAllocator allocator;	/* for protobuf-c; frees nothing */
};

/* The arena must not move while its allocator is in use. */
void sr_arena_init(struct sr_arena *arena, size_t limit);
/* Aligned for anything, not cleared. NULL: out of memory, or of the limit. */
void *sr_arena_alloc(struct sr_arena *arena, size_t size);
/* Some for the next message; what many large ones in a row are decoded into, so that it is not given back in between.
 */
#define SR_ARENA_KEEP ((size_t)64 * 1024)
#define SR_ARENA_KEEP_PAGES ((size_t)32 * 1024 * 1024)
/* Forgets all that was allocated; keeps memory up to so many bytes. */
void sr_arena_reset(struct sr_arena *arena, size_t keep);
void sr_arena_fini(struct sr_arena *arena);

#endif
