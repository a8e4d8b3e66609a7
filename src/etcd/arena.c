// SPDX-License-Identifier: GPL-2.0-only
#include "etcd/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>

#define FIRST_CHUNK ((size_t)32 * 1024)
#define LARGEST_CHUNK ((size_t)4 * 1024 * 1024)
#define KEEP (LARGEST_CHUNK + FIRST_CHUNK)

struct sr_arena_chunk {
	struct sr_arena_chunk *next;
	size_t size, used;
	alignas(max_align_t) uint8_t data[];
};

static void *pb_alloc(void *arena, size_t size)
{
	return sr_arena_alloc(arena, size);
}

static void pb_free(void *arena, void *ptr)
{
	(void)arena;
	(void)ptr;
}

void sr_arena_init(struct sr_arena *arena, size_t limit)
{
	*arena = (struct sr_arena){.limit = limit, .allocator = {pb_alloc, pb_free, arena}};
}

static struct sr_arena_chunk *grow(struct sr_arena *arena, size_t size)
{
	size_t want = arena->chunks ? arena->chunks->size * 2 : FIRST_CHUNK;
	struct sr_arena_chunk *chunk;

	if (want > LARGEST_CHUNK)
		want = LARGEST_CHUNK;
	if (want < size)
		want = size;
	if (want > arena->limit - arena->held)
		want = size;
	if (want > arena->limit - arena->held)
		return NULL;
	chunk = malloc(sizeof(*chunk) + want);
	if (!chunk)
		return NULL;
	*chunk = (struct sr_arena_chunk){.next = arena->chunks, .size = want};
	arena->held += want;
	arena->chunks = chunk;
	return chunk;
}

void *sr_arena_alloc(struct sr_arena *arena, size_t size)
{
	struct sr_arena_chunk *chunk = arena->chunks;
	const size_t align = alignof(max_align_t);
	void *ptr;

	if (size > arena->limit)
		return NULL;
	size = (size + align - 1) & ~(align - 1);
	if (!chunk || size > chunk->size - chunk->used)
		chunk = grow(arena, size);
	if (!chunk)
		return NULL;
	ptr = chunk->data + chunk->used;
	chunk->used += size;
	return ptr;
}

void sr_arena_reset(struct sr_arena *arena)
{
	struct sr_arena_chunk *chunk = arena->chunks;

	if (!chunk)
		return;
	/* The newest is the largest, unless one allocation needed more than a chunk. */
	while (chunk->next || chunk->size > KEEP) {
		struct sr_arena_chunk *next = chunk->next;

		if (next && chunk->size <= KEEP) { /* keep this one, drop the one after it */
			chunk->next = next->next;
			arena->held -= next->size;
			free(next);
			continue;
		}
		arena->held -= chunk->size;
		arena->chunks = next;
		free(chunk);
		if (!next)
			return;
		chunk = next;
	}
	chunk->used = 0;
}

void sr_arena_fini(struct sr_arena *arena)
{
	while (arena->chunks) {
		struct sr_arena_chunk *next = arena->chunks->next;

		free(arena->chunks);
		arena->chunks = next;
	}
	arena->held = 0;
}
