// SPDX-License-Identifier: GPL-2.0-only
#include "etcd/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>

#define FIRST_CHUNK ((size_t)32 * 1024)
#define LARGEST_CHUNK ((size_t)4 * 1024 * 1024)

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

/* A new chunk behind the current one. */
static struct sr_arena_chunk *grow(struct sr_arena *arena, size_t size)
{
	size_t want = arena->current ? arena->current->size * 2 : FIRST_CHUNK;
	struct sr_arena_chunk *chunk;

	if (want > LARGEST_CHUNK)
		want = LARGEST_CHUNK;
	if (want < size || want > arena->limit - arena->held)
		want = size;
	if (want > arena->limit - arena->held)
		return NULL;
	chunk = malloc(sizeof(*chunk) + want);
	if (!chunk)
		return NULL;
	*chunk = (struct sr_arena_chunk){.next = arena->current ? arena->current->next : arena->chunks, .size = want};
	if (arena->current)
		arena->current->next = chunk;
	else
		arena->chunks = chunk;
	arena->held += want;
	return chunk;
}

/* The next chunk if it is large enough, else a new one. */
static struct sr_arena_chunk *next_chunk(struct sr_arena *arena, size_t size)
{
	struct sr_arena_chunk *next = arena->current ? arena->current->next : arena->chunks;

	if (!next || next->size < size)
		next = grow(arena, size);
	if (!next)
		return NULL;
	next->used = 0;
	arena->current = next;
	return next;
}

void *sr_arena_alloc(struct sr_arena *arena, size_t size)
{
	struct sr_arena_chunk *chunk = arena->current;
	const size_t align = alignof(max_align_t);
	void *ptr;

	if (size > arena->limit)
		return NULL;
	size = size ? (size + align - 1) & ~(align - 1) : align;
	if (!chunk || size > chunk->size - chunk->used)
		chunk = next_chunk(arena, size);
	if (!chunk)
		return NULL;
	ptr = chunk->data + chunk->used;
	chunk->used += size;
	return ptr;
}

void sr_arena_reset(struct sr_arena *arena, size_t keep)
{
	struct sr_arena_chunk **link = &arena->chunks;
	size_t kept = 0;

	while (*link) {
		struct sr_arena_chunk *chunk = *link;

		if (kept + chunk->size <= keep) {
			kept += chunk->size;
			link = &chunk->next;
			continue;
		}
		*link = chunk->next;
		free(chunk);
	}
	arena->held = kept;
	arena->current = NULL;
}

void sr_arena_fini(struct sr_arena *arena)
{
	sr_arena_reset(arena, 0);
}
