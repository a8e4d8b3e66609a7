/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/index.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#define SLOTS_MIN 8U

void sr_index_fini(struct sr_index *ix)
{
	free(ix->slots);
	*ix = (struct sr_index){0};
}

static void place(struct sr_index *ix, struct sr_index_slot slot)
{
	uint32_t at = slot.hash & ix->mask;

	while (ix->slots[at].pos != SR_INDEX_NONE)
		at = (at + 1) & ix->mask;
	ix->slots[at] = slot;
}

int sr_index_reserve(struct sr_index *ix)
{
	uint32_t size = ix->slots ? ix->mask + 1 : 0;
	uint32_t bigger = size ? size * 2 : SLOTS_MIN;
	struct sr_index old = *ix;

	if (size && ix->used + 1 <= size - size / 8)
		return 0;
	if (bigger == 0)
		return -ENOMEM;
	ix->slots = malloc((size_t)bigger * sizeof(*ix->slots));
	if (!ix->slots) {
		ix->slots = old.slots;
		return -ENOMEM;
	}
	ix->mask = bigger - 1;
	for (uint32_t i = 0; i < bigger; i++)
		ix->slots[i].pos = SR_INDEX_NONE;
	for (uint32_t i = 0; i < size; i++)
		if (old.slots[i].pos != SR_INDEX_NONE)
			place(ix, old.slots[i]);
	free(old.slots);
	return 0;
}

void sr_index_add(struct sr_index *ix, uint64_t hash, uint32_t pos)
{
	assert(ix->slots && ix->used < ix->mask + 1);
	place(ix, (struct sr_index_slot){.hash = sr_index_fold(hash), .pos = pos});
	ix->used++;
}

void sr_index_del(struct sr_index *ix, uint64_t hash, uint32_t pos)
{
	uint32_t hole = sr_index_fold(hash) & ix->mask;

	while (ix->slots[hole].pos != pos) {
		assert(ix->slots[hole].pos != SR_INDEX_NONE);
		hole = (hole + 1) & ix->mask;
	}
	/* Shift back what probed past the hole, so that every entry stays reachable from its own place. */
	for (uint32_t at = (hole + 1) & ix->mask; ix->slots[at].pos != SR_INDEX_NONE; at = (at + 1) & ix->mask) {
		uint32_t home = ix->slots[at].hash & ix->mask;

		if (((at - home) & ix->mask) >= ((at - hole) & ix->mask)) {
			ix->slots[hole] = ix->slots[at];
			hole = at;
		}
	}
	ix->slots[hole].pos = SR_INDEX_NONE;
	ix->used--;
}
