/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * store/merge.h - a value rewritten without losing what a newer writer put there (docs/schema.md, Compatibility).
 *
 * Three texts: what stands in etcd, the same as we understand it (decoded and encoded again), and what we want there.
 * What is in the first but not in the second is what we do not know: it is carried over into the third. Lists are of
 * objects or values that are found again by being equal in what we know of them.
 */
#ifndef SR_STORE_MERGE_H
#define SR_STORE_MERGE_H

#include <stddef.h>

/* Text for free(), or NULL: out of memory, or one of the texts is not JSON. `known` and `wanted` are NUL-terminated. */
char *sr_merge(const char *found, size_t found_len, const char *known, const char *wanted);

#endif
