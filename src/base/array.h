/* SPDX-License-Identifier: GPL-2.0-only */
/* base/array.h - dense arrays that grow. */
#ifndef SR_BASE_ARRAY_H
#define SR_BASE_ARRAY_H

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

/*
 * Room for one more element behind the `used` first. Grows by a quarter: little is wasted at a million, where realloc
 * moves pages and copies nothing. -ENOMEM: as it was.
 */
static inline int sr_array_grow(void **array, uint32_t *size, uint32_t used, size_t element)
{
	uint32_t bigger = *size + *size / 4 + 8;
	void *p;

	if (used < *size)
		return 0;
	p = reallocarray(*array, bigger, element);
	if (!p)
		return -ENOMEM;
	*array = p;
	*size = bigger;
	return 0;
}

#endif
