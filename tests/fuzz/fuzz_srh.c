// SPDX-License-Identifier: GPL-2.0-only
/*
 * The SRH: what is accepted lies within the buffer, and a header without TLVs, flags and tag is the one that is built
 * from its own segments.
 */
#include "fuzz.h"
#include "srv6/srv6.h"

#include <string.h>

static void rebuild(const uint8_t *header, const struct sr_srh_view *v)
{
	bool reduced = v->segments_left == v->n_segments;
	size_t n = v->n_segments + reduced;
	struct sr_sid segs[SR_SEGS_MAX] = {0};
	uint8_t built[8 + 16 * SR_SEGS_MAX];

	if (n > SR_SEGS_MAX || v->segments_left + 1u != n || v->tlvs_len || v->flags || v->tag)
		return;
	for (size_t i = 0; i < v->n_segments; i++)
		memcpy(&segs[n - 1 - i], (const uint8_t *)v->segments + 16 * i, 16);
	MUST(sr_srh_build(built, sizeof(built), segs, n, reduced, v->next_header) == (int)v->len);
	MUST(memcmp(built, header, v->len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1); /* to its last byte: the sanitizer sees one read beyond */
	struct sr_srh_view v;

	memcpy(copy, data, size);
	if (sr_srh_parse(copy, size, &v) == 0) {
		MUST(v.len <= size && v.len == 8 + 16 * v.n_segments + v.tlvs_len);
		MUST(v.n_segments == v.last_entry + 1u && v.segments_left <= v.n_segments);
		MUST(v.tlvs == (const uint8_t *)v.segments + 16 * v.n_segments);
		rebuild(copy, &v);
	}
	free(copy);
	return 0;
}
