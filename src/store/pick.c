// SPDX-License-Identifier: GPL-2.0-only
#include "store/pick.h"

#include <errno.h>
#include <stdlib.h>

int sr_taken_add(struct sr_taken *taken, const struct in6_addr *addr)
{
	if (taken->n == taken->size) {
		size_t size = taken->size ? 2 * taken->size : 64;
		struct in6_addr *bigger = realloc(taken->addrs, size * sizeof(*bigger));

		if (!bigger)
			return -ENOMEM;
		taken->addrs = bigger;
		taken->size = size;
	}
	taken->addrs[taken->n++] = *addr;
	return 0;
}

bool sr_taken_has(const struct sr_taken *taken, const struct in6_addr *addr)
{
	for (size_t i = 0; i < taken->n; i++)
		if (IN6_ARE_ADDR_EQUAL(&taken->addrs[i], addr))
			return true;
	return false;
}

void sr_taken_fini(struct sr_taken *taken)
{
	free(taken->addrs);
	*taken = (struct sr_taken){};
}

static uint64_t low_bits(const struct in6_addr *addr)
{
	uint64_t v = 0;

	for (size_t i = 8; i < 16; i++)
		v = v << 8 | addr->s6_addr[i];
	return v;
}

static struct in6_addr at_offset(const struct sr_prefix *prefix, uint64_t offset)
{
	struct in6_addr addr = prefix->addr;
	uint64_t v = low_bits(&addr) + offset;

	for (size_t i = 16; i-- > 8; v >>= 8)
		addr.s6_addr[i] = (uint8_t)v;
	return addr;
}

static int compare_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Sorted offsets of what is taken of the prefix; for free(). NULL: out of memory. */
static uint64_t *offsets_of(const struct sr_prefix *prefix, const struct sr_taken *taken, size_t *ret_n)
{
	uint64_t *offsets = malloc((taken->n + 1) * sizeof(*offsets));
	size_t n = 0;

	for (size_t i = 0; offsets && i < taken->n; i++) {
		const struct sr_prefix host = {.addr = taken->addrs[i], .len = 128};

		if (sr_prefix_contains(prefix, &host))
			offsets[n++] = low_bits(&host.addr) - low_bits(&prefix->addr);
	}
	if (offsets)
		qsort(offsets, n, sizeof(*offsets), compare_u64);
	*ret_n = n;
	return offsets;
}

/* Behind the last offset that may be given away. */
static uint64_t end_of(const struct sr_prefix *prefix)
{
	unsigned int bits = 128 - prefix->len;
	uint64_t size = bits >= 64 ? UINT64_MAX : 1ULL << bits;

	return sr_prefix_is_v4(prefix) ? size - 1 : size;
}

/* The free offset behind `skip` others; 0: there are not so many, but *ret_n. */
static uint64_t nth_free(const uint64_t *taken, size_t n, uint64_t end, size_t skip, size_t *ret_n)
{
	size_t i = 0, n_free = 0;

	for (uint64_t offset = 1; offset < end; offset++) {
		while (i < n && taken[i] < offset)
			i++;
		if (i < n && taken[i] == offset)
			continue;
		if (n_free++ == skip)
			return offset;
	}
	*ret_n = n_free;
	return 0;
}

/* 0: none is free. */
static uint64_t pick(const uint64_t *taken, size_t n, uint64_t end, size_t skip)
{
	size_t n_free = 0;
	uint64_t offset = nth_free(taken, n, end, skip, &n_free);

	return offset || !n_free ? offset : nth_free(taken, n, end, skip % n_free, &n_free);
}

int sr_pick_addr(const struct sr_prefix *prefix, const struct sr_taken *taken, size_t skip, struct in6_addr *ret)
{
	size_t n;
	uint64_t *offsets = offsets_of(prefix, taken, &n), offset;

	if (!offsets)
		return -ENOMEM;
	offset = pick(offsets, n, end_of(prefix), skip);
	free(offsets);
	if (!offset)
		return -ENOSPC;
	*ret = at_offset(prefix, offset);
	return 0;
}
