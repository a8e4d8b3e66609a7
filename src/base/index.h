/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * base/index.h - from a key's hash to a position in an array that the caller owns.
 *
 * The tables here hold millions of small records in dense arrays; an index adds 8 bytes a slot and no pointer (uthash
 * would add 56 a record). Open addressing with linear probing, at most 7/8 full, removal by shifting back, so there are
 *no tombstones. Only hashes are stored: the caller compares keys, in a loop:
 *
 *	for (pos = sr_index_first(ix, hash, &probe); pos != SR_INDEX_NONE; pos = sr_index_next(ix, &probe))
 *		if (equal(&array[pos], key))
 *			...
 */
#ifndef SR_BASE_INDEX_H
#define SR_BASE_INDEX_H

#include <stddef.h>
#include <stdint.h>

#define SR_INDEX_NONE UINT32_MAX

struct sr_index_slot {
	uint32_t hash; /* folded; meaningless where pos is NONE */
	uint32_t pos;
};

struct sr_index {
	struct sr_index_slot *slots; /* NULL while empty */
	uint32_t mask;
	uint32_t used;
};

struct sr_index_probe {
	uint32_t at, hash;
};

/* A zeroed index is valid and empty. */
void sr_index_fini(struct sr_index *ix);
/* Makes room for one more, so that the next add cannot fail. -ENOMEM. */
int sr_index_reserve(struct sr_index *ix);
/* After a successful reserve. The caller has looked: no equal key is in it. */
void sr_index_add(struct sr_index *ix, uint64_t hash, uint32_t pos);
/* Removes the entry (hash, pos), which must be there. */
void sr_index_del(struct sr_index *ix, uint64_t hash, uint32_t pos);

static inline uint32_t sr_index_fold(uint64_t hash)
{
	return (uint32_t)(hash ^ (hash >> 32));
}

static inline uint32_t sr_index_scan(const struct sr_index *ix, struct sr_index_probe *probe)
{
	for (;; probe->at = (probe->at + 1) & ix->mask) {
		const struct sr_index_slot *slot = &ix->slots[probe->at];

		if (slot->pos == SR_INDEX_NONE || slot->hash == probe->hash)
			return slot->pos;
	}
}

static inline uint32_t sr_index_first(const struct sr_index *ix, uint64_t hash, struct sr_index_probe *probe)
{
	if (!ix->slots)
		return SR_INDEX_NONE;
	probe->hash = sr_index_fold(hash);
	probe->at = probe->hash & ix->mask;
	return sr_index_scan(ix, probe);
}

static inline uint32_t sr_index_next(const struct sr_index *ix, struct sr_index_probe *probe)
{
	probe->at = (probe->at + 1) & ix->mask;
	return sr_index_scan(ix, probe);
}

#endif
