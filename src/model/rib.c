/* SPDX-License-Identifier: GPL-2.0-only */
#include "model/rib.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/hash.h"

#define NIL UINT32_MAX

struct sr_rib_candidate {
	struct sr_route_source source;
	uint32_t hop;
	uint32_t next;
};

/* The best candidate is inline: `source` and `want`; `more` chains the others, in no order. want 0: no candidate. */
struct sr_rib_entry {
	struct in6_addr addr;
	uint32_t want;
	uint32_t have;
	struct sr_route_source source;
	uint32_t more; /* in a free entry: the next free one */
	uint32_t next_pending;
	uint8_t len;
	bool pending; /* on the list; whether it still differs is seen when it is taken */
};

static_assert(sizeof(struct sr_rib_entry) == 44, "a million of them fit the agent's budget");

void sr_rib_init(struct sr_rib *rib, uint64_t seed)
{
	*rib = (struct sr_rib){
		.seed = seed,
		.free_entry = NIL,
		.free_more = NIL,
		.pending_head = NIL,
		.pending_tail = NIL,
	};
}

void sr_rib_fini(struct sr_rib *rib)
{
	sr_index_fini(&rib->index);
	free(rib->entries);
	free(rib->more);
	sr_rib_init(rib, rib->seed);
}

static uint64_t hash_of(const struct sr_rib *rib, const struct in6_addr *addr, uint8_t len)
{
	return sr_hash(addr, sizeof(*addr), rib->seed + len);
}

static uint32_t find(const struct sr_rib *rib, const struct sr_prefix *dst)
{
	struct sr_index_probe probe;
	uint32_t pos;

	for (pos = sr_index_first(&rib->index, hash_of(rib, &dst->addr, dst->len), &probe); pos != SR_INDEX_NONE;
	     pos = sr_index_next(&rib->index, &probe)) {
		const struct sr_rib_entry *e = &rib->entries[pos];

		if (e->len == dst->len && memcmp(&e->addr, &dst->addr, sizeof(e->addr)) == 0)
			return pos;
	}
	return NIL;
}

static int find_or_add(struct sr_rib *rib, const struct sr_prefix *dst, uint32_t *ret)
{
	uint32_t pos = find(rib, dst);
	int r;

	if (pos != NIL) {
		*ret = pos;
		return 0;
	}
	r = sr_index_reserve(&rib->index);
	if (r < 0)
		return r;
	pos = rib->free_entry;
	if (pos != NIL) {
		rib->free_entry = rib->entries[pos].more;
	} else {
		r = sr_array_grow((void **)&rib->entries, &rib->size, rib->n_entries, sizeof(*rib->entries));
		if (r < 0)
			return r;
		pos = rib->n_entries++;
	}
	rib->entries[pos] = (struct sr_rib_entry){.addr = dst->addr, .len = dst->len, .more = NIL, .next_pending = NIL};
	sr_index_add(&rib->index, hash_of(rib, &dst->addr, dst->len), pos);
	*ret = pos;
	return 0;
}

/* An entry that nobody wants and the datapath does not have is given back, unless the pending list still points at it.
 */
static void drop_if_idle(struct sr_rib *rib, uint32_t pos)
{
	struct sr_rib_entry *e = &rib->entries[pos];

	if (e->want || e->have || e->pending)
		return;
	assert(e->more == NIL);
	sr_index_del(&rib->index, hash_of(rib, &e->addr, e->len), pos);
	e->more = rib->free_entry;
	rib->free_entry = pos;
}

static void mark(struct sr_rib *rib, uint32_t pos)
{
	struct sr_rib_entry *e = &rib->entries[pos];

	if (e->want == e->have || e->pending)
		return;
	e->pending = true;
	e->next_pending = NIL;
	if (rib->pending_tail == NIL)
		rib->pending_head = pos;
	else
		rib->entries[rib->pending_tail].next_pending = pos;
	rib->pending_tail = pos;
	rib->n_pending++;
}

static uint64_t source_rank(struct sr_route_source s)
{
	return (uint64_t)s.high << 32 | s.low;
}

static bool source_equal(struct sr_route_source a, struct sr_route_source b)
{
	return source_rank(a) == source_rank(b);
}

static int more_new(struct sr_rib *rib, uint32_t *ret)
{
	int r;

	if (rib->free_more != NIL) {
		*ret = rib->free_more;
		rib->free_more = rib->more[*ret].next;
		return 0;
	}
	r = sr_array_grow((void **)&rib->more, &rib->more_size, rib->n_more, sizeof(*rib->more));
	if (r == 0)
		*ret = rib->n_more++;
	return r;
}

static struct sr_rib_candidate *more_find(struct sr_rib *rib, struct sr_rib_entry *e, struct sr_route_source source)
{
	for (uint32_t i = e->more; i != NIL; i = rib->more[i].next)
		if (source_equal(rib->more[i].source, source))
			return &rib->more[i];
	return NULL;
}

/* Adds a candidate that is not there yet beside the inline one, and keeps the better of the two inline. */
static int add_candidate(struct sr_rib *rib, struct sr_rib_entry *e, struct sr_route_source source, uint32_t hop)
{
	struct sr_rib_candidate c = {.source = source, .hop = hop, .next = e->more};
	uint32_t i;
	int r;

	r = more_new(rib, &i);
	if (r < 0)
		return r;
	if (source_rank(source) < source_rank(e->source)) {
		c.source = e->source;
		c.hop = e->want;
		e->source = source;
		e->want = hop;
	}
	rib->more[i] = c;
	e->more = i;
	return 0;
}

int sr_rib_announce(struct sr_rib *rib, const struct sr_prefix *dst, struct sr_route_source source, uint32_t hop)
{
	struct sr_rib_candidate *c;
	struct sr_rib_entry *e;
	uint32_t pos;
	int r;

	assert(hop != SR_HOP_NONE);
	r = find_or_add(rib, dst, &pos);
	if (r < 0)
		return r;
	e = &rib->entries[pos];
	if (!e->want || source_equal(e->source, source)) {
		e->source = source;
		e->want = hop;
	} else {
		c = more_find(rib, e, source);
		if (c) {
			c->hop = hop;
			return 0;
		}
		r = add_candidate(rib, e, source, hop);
		if (r < 0)
			return r;
	}
	mark(rib, pos);
	return 0;
}

/* Unlinks the candidate that *link names and gives it back. */
static void more_free(struct sr_rib *rib, uint32_t *link)
{
	uint32_t i = *link;

	*link = rib->more[i].next;
	rib->more[i].next = rib->free_more;
	rib->free_more = i;
}

/* The inline candidate is gone: the best of the others takes its place. */
static void promote(struct sr_rib *rib, struct sr_rib_entry *e)
{
	uint32_t *best = &e->more;

	if (e->more == NIL) {
		e->want = SR_HOP_NONE;
		return;
	}
	for (uint32_t *link = &e->more; *link != NIL; link = &rib->more[*link].next)
		if (source_rank(rib->more[*link].source) < source_rank(rib->more[*best].source))
			best = link;
	e->source = rib->more[*best].source;
	e->want = rib->more[*best].hop;
	more_free(rib, best);
}

void sr_rib_withdraw(struct sr_rib *rib, const struct sr_prefix *dst, struct sr_route_source source)
{
	uint32_t pos = find(rib, dst);
	struct sr_rib_entry *e;

	if (pos == NIL)
		return;
	e = &rib->entries[pos];
	if (!e->want)
		return;
	if (source_equal(e->source, source)) {
		promote(rib, e);
		mark(rib, pos);
		drop_if_idle(rib, pos);
		return;
	}
	for (uint32_t *link = &e->more; *link != NIL; link = &rib->more[*link].next) {
		if (source_equal(rib->more[*link].source, source)) {
			more_free(rib, link);
			return;
		}
	}
}

int sr_rib_learn(struct sr_rib *rib, const struct sr_prefix *dst, uint32_t hop)
{
	uint32_t pos;
	int r;

	assert(hop != SR_HOP_NONE);
	r = find_or_add(rib, dst, &pos);
	if (r < 0)
		return r;
	rib->entries[pos].have = hop;
	mark(rib, pos);
	return 0;
}

static void fill(const struct sr_rib *rib, uint32_t pos, struct sr_rib_change *ret)
{
	const struct sr_rib_entry *e = &rib->entries[pos];

	*ret = (struct sr_rib_change){
		.pos = pos,
		.dst = {.addr = e->addr, .len = e->len},
		.want = e->want,
		.have = e->have,
	};
}

size_t sr_rib_take(struct sr_rib *rib, struct sr_rib_change *ret, size_t max)
{
	size_t n = 0;

	while (n < max && rib->pending_head != NIL) {
		uint32_t pos = rib->pending_head;
		struct sr_rib_entry *e = &rib->entries[pos];

		rib->pending_head = e->next_pending;
		if (rib->pending_head == NIL)
			rib->pending_tail = NIL;
		rib->n_pending--;
		e->pending = false;
		if (e->want == e->have)
			drop_if_idle(rib, pos);
		else
			fill(rib, pos, &ret[n++]);
	}
	return n;
}

void sr_rib_applied(struct sr_rib *rib, uint32_t pos, uint32_t have)
{
	rib->entries[pos].have = have;
	mark(rib, pos);
	drop_if_idle(rib, pos);
}

static bool entry_used(const struct sr_rib *rib, uint32_t pos)
{
	return rib->entries[pos].want || rib->entries[pos].have;
}

int sr_rib_each(const struct sr_rib *rib, int (*cb)(void *ctx, const struct sr_rib_change *route), void *ctx)
{
	struct sr_rib_change route;

	for (uint32_t pos = 0; pos < rib->n_entries; pos++) {
		int r;

		if (!entry_used(rib, pos))
			continue;
		fill(rib, pos, &route);
		r = cb(ctx, &route);
		if (r)
			return r;
	}
	return 0;
}

bool sr_rib_lookup(const struct sr_rib *rib, const struct in6_addr *addr, struct sr_rib_change *ret)
{
	struct sr_prefix host = {.addr = *addr, .len = 128};
	int best = -1;

	for (uint32_t pos = 0; pos < rib->n_entries; pos++) {
		const struct sr_rib_entry *e = &rib->entries[pos];
		struct sr_prefix dst = {.addr = e->addr, .len = e->len};

		if (e->want && e->len > best && sr_prefix_contains(&dst, &host)) {
			best = e->len;
			fill(rib, pos, ret);
		}
	}
	return best >= 0;
}
