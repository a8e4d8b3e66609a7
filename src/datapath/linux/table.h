/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * datapath/linux/table.h - which next hop each of our routes is written for.
 *
 * The kernel's routes have their next hops resolved: a change of a next hop is a write of each route behind it, so
 * those are to be found by it. 40 bytes a route and 9 of index. Routes of one next hop are a list. Pure.
 */
#ifndef SR_LINUX_TABLE_H
#define SR_LINUX_TABLE_H

#include "base/index.h"
#include "srv6/srv6.h"

#define SR_TABLE_NONE UINT32_MAX

struct sr_table_route {
	struct sr_prefix dst;
	bool hole;  /* written as a blackhole: its tap was not there */
	bool stale; /* what is written is not what its hop comes to: for other settings, or a write has failed */
	uint32_t vrf, hop;
	uint32_t prev, next; /* of the same hop */
};

struct sr_table {
	struct sr_table_route *routes; /* dense */
	uint32_t n, size;
	struct sr_index index;
	uint64_t seed;
	uint32_t *heads; /* by hop */
	uint32_t max_hops;
};

int sr_table_init(struct sr_table *table, uint32_t max_hops);
void sr_table_fini(struct sr_table *table);
/* Position, or SR_TABLE_NONE. Positions change when a route is removed. */
uint32_t sr_table_find(const struct sr_table *table, uint32_t vrf, const struct sr_prefix *dst);
/* Sets a route's hop, which is 1 to max_hops; 0 removes it. -ENOMEM. */
int sr_table_set(struct sr_table *table, uint32_t vrf, const struct sr_prefix *dst, uint32_t hop);
/* The first of a hop's routes, then sr_table_route.next. */
static inline uint32_t sr_table_first(const struct sr_table *table, uint32_t hop)
{
	return table->heads[hop];
}

#endif
