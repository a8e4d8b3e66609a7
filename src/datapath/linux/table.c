/* SPDX-License-Identifier: GPL-2.0-only */
#include "datapath/linux/table.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/array.h"
#include "base/hash.h"

int sr_table_init(struct sr_table *table, uint32_t max_hops)
{
	*table = (struct sr_table){.max_hops = max_hops};
	if (getrandom(&table->seed, sizeof(table->seed), 0) != (ssize_t)sizeof(table->seed))
		return -EIO;
	table->heads = malloc(((size_t)max_hops + 1) * sizeof(*table->heads));
	if (!table->heads)
		return -ENOMEM;
	for (uint32_t i = 0; i <= max_hops; i++)
		table->heads[i] = SR_TABLE_NONE;
	return 0;
}

void sr_table_fini(struct sr_table *table)
{
	sr_index_fini(&table->index);
	free(table->routes);
	free(table->heads);
	*table = (struct sr_table){};
}

static uint64_t hash_of(const struct sr_table *table, uint32_t vrf, const struct sr_prefix *dst)
{
	const struct {
		struct in6_addr addr;
		uint32_t vrf, len;
	} key = {dst->addr, vrf, dst->len};

	return sr_hash(&key, sizeof(key), table->seed);
}

uint32_t sr_table_find(const struct sr_table *table, uint32_t vrf, const struct sr_prefix *dst)
{
	struct sr_index_probe probe;
	uint32_t pos = sr_index_first(&table->index, hash_of(table, vrf, dst), &probe);

	for (; pos != SR_INDEX_NONE; pos = sr_index_next(&table->index, &probe))
		if (table->routes[pos].vrf == vrf && sr_prefix_equal(&table->routes[pos].dst, dst))
			return pos;
	return SR_TABLE_NONE;
}

static void link_route(struct sr_table *table, uint32_t pos)
{
	struct sr_table_route *route = &table->routes[pos];

	route->prev = SR_TABLE_NONE;
	route->next = table->heads[route->hop];
	if (route->next != SR_TABLE_NONE)
		table->routes[route->next].prev = pos;
	table->heads[route->hop] = pos;
}

static void unlink_route(struct sr_table *table, uint32_t pos)
{
	const struct sr_table_route *route = &table->routes[pos];

	if (route->prev != SR_TABLE_NONE)
		table->routes[route->prev].next = route->next;
	else
		table->heads[route->hop] = route->next;
	if (route->next != SR_TABLE_NONE)
		table->routes[route->next].prev = route->prev;
}

static int add(struct sr_table *table, uint32_t vrf, const struct sr_prefix *dst, uint32_t hop)
{
	int r = sr_index_reserve(&table->index);

	if (r == 0)
		r = sr_array_grow((void **)&table->routes, &table->size, table->n, sizeof(*table->routes));
	if (r < 0)
		return r;
	table->routes[table->n] = (struct sr_table_route){.dst = *dst, .vrf = vrf, .hop = hop};
	sr_index_add(&table->index, hash_of(table, vrf, dst), table->n);
	link_route(table, table->n++);
	return 0;
}

/* The last takes its place, so that the array stays dense. */
static void del(struct sr_table *table, uint32_t pos)
{
	struct sr_table_route *route = &table->routes[pos], *last = &table->routes[table->n - 1];

	unlink_route(table, pos);
	sr_index_del(&table->index, hash_of(table, route->vrf, &route->dst), pos);
	if (route != last) {
		unlink_route(table, table->n - 1);
		sr_index_del(&table->index, hash_of(table, last->vrf, &last->dst), table->n - 1);
		*route = *last;
		sr_index_add(&table->index, hash_of(table, route->vrf, &route->dst), pos);
		link_route(table, pos);
	}
	table->n--;
}

int sr_table_set(struct sr_table *table, uint32_t vrf, const struct sr_prefix *dst, uint32_t hop)
{
	uint32_t pos = sr_table_find(table, vrf, dst);

	if (pos == SR_TABLE_NONE)
		return hop ? add(table, vrf, dst, hop) : 0;
	if (!hop) {
		del(table, pos);
	} else if (table->routes[pos].hop != hop) {
		unlink_route(table, pos);
		table->routes[pos].hop = hop;
		table->routes[pos].hole = table->routes[pos].stale = false;
		link_route(table, pos);
	}
	return 0;
}
