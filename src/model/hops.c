/* SPDX-License-Identifier: GPL-2.0-only */
#include "model/hops.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

struct sr_hop {
	uint64_t cookie;
	struct sr_hop_key *key; /* NULL: learnt only, or free */
	uint32_t wanted, there;
	uint32_t next_dirty, next_idle, next_free;
	bool used, dirty, idle;
};

int sr_hops_init(struct sr_hops *hops, uint32_t max)
{
	struct sr_hop *array;

	if (max == 0)
		return -EINVAL;
	array = calloc((size_t)max + 1, sizeof(*array));
	if (!array)
		return -ENOMEM;
	*hops = (struct sr_hops){.hops = array, .max = max};
	return 0;
}

void sr_hops_fini(struct sr_hops *hops)
{
	for (uint32_t id = 1; hops->hops && id <= hops->top; id++)
		free(hops->hops[id].key);
	free(hops->hops);
	sr_index_fini(&hops->index);
	*hops = (struct sr_hops){0};
}

static size_t key_bytes(const struct sr_hop_key *key, const void **ret)
{
	*ret = &key->node;
	switch (key->kind) {
	case SR_HOP_NODE:
		return strlen(key->node);
	case SR_HOP_LOCATOR:
		return sizeof(key->locator);
	case SR_HOP_PORT:
		return sizeof(key->port);
	case SR_HOP_SIDS:
		return key->n_segs * sizeof(key->segs[0]);
	}
	return 0;
}

static bool key_equal(const struct sr_hop_key *a, const struct sr_hop_key *b)
{
	const void *bytes_a, *bytes_b;
	size_t len = key_bytes(a, &bytes_a);

	return a->kind == b->kind && len == key_bytes(b, &bytes_b) && memcmp(bytes_a, bytes_b, len) == 0;
}

/* Not keyed: a restarted agent must come to the same. Never 0, which a datapath may take for none. */
static uint64_t key_cookie(const struct sr_hop_key *key)
{
	const void *bytes;
	size_t len = key_bytes(key, &bytes);
	uint64_t cookie = sr_hash(bytes, len, key->kind);

	return cookie ? cookie : 1;
}

static uint32_t find_cookie(const struct sr_hops *hops, uint64_t cookie)
{
	struct sr_index_probe probe;
	uint32_t id;

	for (id = sr_index_first(&hops->index, cookie, &probe); id != SR_INDEX_NONE;
	     id = sr_index_next(&hops->index, &probe))
		if (hops->hops[id].cookie == cookie)
			return id;
	return 0;
}

/* The id whose name this is, or 0; *ret_cookie is the cookie that it has or would get, *ret_learnt an id to adopt. */
static uint32_t find_key(const struct sr_hops *hops, const struct sr_hop_key *key, uint64_t *ret_cookie,
			 uint32_t *ret_learnt)
{
	uint64_t cookie = key_cookie(key);
	uint32_t id;

	for (; (id = find_cookie(hops, cookie)); cookie++) {
		if (!hops->hops[id].key)
			break;
		if (key_equal(hops->hops[id].key, key)) {
			*ret_cookie = cookie;
			*ret_learnt = 0;
			return id;
		}
	}
	*ret_cookie = cookie;
	*ret_learnt = id;
	return 0;
}

static void take(struct sr_hops *hops, uint32_t id, uint64_t cookie)
{
	hops->hops[id].used = true;
	hops->hops[id].cookie = cookie;
	sr_index_add(&hops->index, cookie, id);
}

/* Ids that were skipped on the way up to a learnt one become free ones. */
static void raise_top(struct sr_hops *hops, uint32_t id)
{
	while (hops->top < id) {
		hops->top++;
		hops->hops[hops->top].next_free = hops->free_id;
		hops->free_id = hops->top;
	}
}

static void unfree(struct sr_hops *hops, uint32_t id)
{
	uint32_t *link = &hops->free_id;

	while (*link != id)
		link = &hops->hops[*link].next_free;
	*link = hops->hops[id].next_free;
}

int sr_hops_learn(struct sr_hops *hops, uint32_t id, uint64_t cookie)
{
	int r;

	if (id == 0 || id > hops->max || (id <= hops->top && hops->hops[id].used))
		return -EINVAL;
	if (find_cookie(hops, cookie))
		return -EEXIST;
	r = sr_index_reserve(&hops->index);
	if (r < 0)
		return r;
	raise_top(hops, id);
	unfree(hops, id);
	take(hops, id, cookie);
	sr_hops_idle(hops, id);
	return 0;
}

static int alloc_id(struct sr_hops *hops, uint32_t *ret)
{
	if (!hops->free_id) {
		if (hops->top == hops->max)
			return -ENOSPC;
		raise_top(hops, hops->top + 1);
	}
	*ret = hops->free_id;
	hops->free_id = hops->hops[*ret].next_free;
	return 0;
}

int sr_hops_get(struct sr_hops *hops, const struct sr_hop_key *key, uint32_t *ret_id)
{
	struct sr_hop_key *copy;
	uint64_t cookie;
	uint32_t id, learnt;
	int r;

	id = find_key(hops, key, &cookie, &learnt);
	if (!id) {
		r = sr_index_reserve(&hops->index);
		if (r < 0)
			return r;
		copy = malloc(sizeof(*copy));
		if (!copy)
			return -ENOMEM;
		*copy = *key;
		id = learnt;
		if (!id) {
			r = alloc_id(hops, &id);
			if (r < 0) {
				free(copy);
				return r;
			}
			take(hops, id, cookie);
		}
		hops->hops[id].key = copy;
	}
	if (hops->hops[id].wanted++ == 0)
		sr_hops_mark(hops, id); /* new, or nobody minded what it resolved to */
	*ret_id = id;
	return 0;
}

void sr_hops_ref(struct sr_hops *hops, uint32_t id)
{
	assert(hops->hops[id].wanted > 0);
	hops->hops[id].wanted++;
}

void sr_hops_put(struct sr_hops *hops, uint32_t id)
{
	if (id == 0)
		return;
	assert(hops->hops[id].wanted > 0);
	if (--hops->hops[id].wanted == 0)
		sr_hops_idle(hops, id);
}

void sr_hops_have_ref(struct sr_hops *hops, uint32_t id)
{
	if (id)
		hops->hops[id].there++;
}

void sr_hops_have_put(struct sr_hops *hops, uint32_t id)
{
	if (id == 0)
		return;
	assert(hops->hops[id].there > 0);
	if (--hops->hops[id].there == 0)
		sr_hops_idle(hops, id);
}

uint32_t sr_hops_find(const struct sr_hops *hops, const struct sr_hop_key *key)
{
	uint64_t cookie;
	uint32_t learnt;

	return find_key(hops, key, &cookie, &learnt);
}

const struct sr_hop_key *sr_hops_key(const struct sr_hops *hops, uint32_t id)
{
	return id && id <= hops->top ? hops->hops[id].key : NULL;
}

uint64_t sr_hops_cookie(const struct sr_hops *hops, uint32_t id)
{
	return hops->hops[id].cookie;
}

void sr_hops_mark(struct sr_hops *hops, uint32_t id)
{
	struct sr_hop *hop = &hops->hops[id];

	if (hop->dirty)
		return;
	hop->dirty = true;
	hop->next_dirty = hops->dirty_head;
	hops->dirty_head = id;
}

uint32_t sr_hops_take_dirty(struct sr_hops *hops)
{
	while (hops->dirty_head) {
		uint32_t id = hops->dirty_head;

		hops->dirty_head = hops->hops[id].next_dirty;
		hops->hops[id].dirty = false;
		if (hops->hops[id].key && (hops->hops[id].wanted || hops->hops[id].there))
			return id;
	}
	return 0;
}

void sr_hops_idle(struct sr_hops *hops, uint32_t id)
{
	struct sr_hop *hop = &hops->hops[id];

	if (hop->idle)
		return;
	hop->idle = true;
	hop->next_idle = hops->idle_head;
	hops->idle_head = id;
}

uint32_t sr_hops_take_idle(struct sr_hops *hops)
{
	while (hops->idle_head) {
		uint32_t id = hops->idle_head;
		struct sr_hop *hop = &hops->hops[id];

		hops->idle_head = hop->next_idle;
		hop->idle = false;
		if (hop->used && !hop->wanted && !hop->there)
			return id;
	}
	return 0;
}

void sr_hops_release(struct sr_hops *hops, uint32_t id)
{
	struct sr_hop *hop = &hops->hops[id];

	assert(hop->used && !hop->wanted && !hop->there);
	sr_index_del(&hops->index, hop->cookie, id);
	free(hop->key);
	hop->key = NULL;
	hop->used = false;
	hop->next_free = hops->free_id;
	hops->free_id = id;
}
