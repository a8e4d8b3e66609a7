/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * base/hash.h - a fast keyed hash of short keys, for tables in memory only (never on disk or the wire).
 *
 * Keys are chosen by tenants (addresses) and controllers (ids), so the hash is keyed with a random seed. It folds 64
 * bits at a time through a 64 x 64 -> 128 multiplication; addresses take two rounds.
 */
#ifndef SR_BASE_HASH_H
#define SR_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t sr_hash_mix(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t sr_hash(const void *data, size_t len, uint64_t seed)
{
	const uint8_t *p = data;
	uint64_t h = seed ^ 0x9e3779b97f4a7c15ULL, word;

	for (; len >= 8; len -= 8, p += 8) {
		memcpy(&word, p, 8);
		h = sr_hash_mix(h ^ word, 0xe7037ed1a0b428dbULL ^ seed);
	}
	word = len;
	memcpy((uint8_t *)&word + 1, p, len); /* at most 7 bytes, and the length beside them */
	return sr_hash_mix(h ^ word, 0x8ebc6af09c88c6e3ULL ^ seed);
}

#endif
