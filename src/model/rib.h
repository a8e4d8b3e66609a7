/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * model/rib.h - the routes of one VRF: wanted, there, and the difference.
 *
 * Several sources may want a route to the same destination (a port's address and an encap rule, a port that two records
 * claim during a move); each is a candidate, and the best one, by its source, is
 * wanted. Beside it stands what the datapath has, learnt from its dump or noted when a write was applied. Where the two
 * differ the destination is pending. The cost of a change is that of its destination's candidates, whatever the size
 * of the table.
 *
 * Memory: 44 bytes a destination and 8 for its index, both with the slack of growth; one candidate is kept inline,
 * further ones (rare) in 16 bytes each. Positions in the arrays are stable while the entry lives.
 */
#ifndef SR_MODEL_RIB_H
#define SR_MODEL_RIB_H

#include <string.h>

#include "base/index.h"
#include "srv6/srv6.h"

/* Next hops are numbers from 1; what they stand for is known to hops.h. 0 is none. */
#define SR_HOP_NONE 0U

enum sr_route_pref {
	SR_PREF_RULE = 1, /* an encap rule: said explicitly, wins */
	SR_PREF_PORT = 2,
	SR_PREF_DEFAULT = 3, /* towards the gateway */
};

/*
 * Whose route it is. Its order is the same on every node, so that all choose the same of two: by kind, then by the id
 * of the object, of which the last 62 bits stand here (all of them random in a UUID of version 4).
 */
struct sr_route_source {
	uint32_t high, low; /* two halves, because a 64-bit member would pad the entries of the table */
};

static inline struct sr_route_source sr_route_source(enum sr_route_pref pref, const uint8_t id[static 16])
{
	struct sr_route_source source;

	memcpy(&source, id + 8, sizeof(source));
	source.high = (ntohl(source.high) & 0x3fffffffU) | (uint32_t)pref << 30;
	source.low = ntohl(source.low);
	return source;
}

struct sr_rib_entry;
struct sr_rib_candidate;

struct sr_rib {
	uint64_t seed;
	struct sr_index index;
	struct sr_rib_entry *entries;
	uint32_t n_entries, size, free_entry;
	struct sr_rib_candidate *more;
	uint32_t n_more, more_size, free_more;
	uint32_t pending_head, pending_tail;
	uint32_t n_pending; /* at most: an entry may agree again before it is taken */
};

struct sr_rib_change {
	uint32_t pos; /* for sr_rib_applied */
	struct sr_prefix dst;
	uint32_t want, have;
};

void sr_rib_init(struct sr_rib *rib, uint64_t seed);
void sr_rib_fini(struct sr_rib *rib);

/* Adds the source's candidate, or replaces its next hop. -ENOMEM, and then nothing has changed. */
int sr_rib_announce(struct sr_rib *rib, const struct sr_prefix *dst, struct sr_route_source source, uint32_t hop);
/* Cannot fail; not there: nothing happens. */
void sr_rib_withdraw(struct sr_rib *rib, const struct sr_prefix *dst, struct sr_route_source source);
/* The datapath was found to have this route. -ENOMEM. */
int sr_rib_learn(struct sr_rib *rib, const struct sr_prefix *dst, uint32_t hop);

/*
 * Takes up to max pending changes off the list; each must be answered by sr_rib_applied (with what the datapath has
 * now: want on success) before the rib is changed again. What still differs then is pending again.
 */
size_t sr_rib_take(struct sr_rib *rib, struct sr_rib_change *ret, size_t max);
void sr_rib_applied(struct sr_rib *rib, uint32_t pos, uint32_t have);

/* Best match for an address as the datapath would find it, by what is wanted. False: none. Linear: for people. */
bool sr_rib_lookup(const struct sr_rib *rib, const struct in6_addr *addr, struct sr_rib_change *ret);
/* Calls back for each destination that is wanted or there. Stops at and returns the first non-zero. */
int sr_rib_each(const struct sr_rib *rib, int (*cb)(void *ctx, const struct sr_rib_change *route), void *ctx);

#endif
