// SPDX-License-Identifier: GPL-2.0-only
/*
 * The segment routing header, RFC 8754 section 2:
 *
 *    0        1        2        3        4        5        6        7
 *   next hdr  len/8-1  type 4   segs left last ent flags    tag
 *   segment list: last_entry + 1 addresses, the last of the path first
 *   TLVs, if the length leaves room for them
 *
 * User space builds and parses it for configuration, traces and tests; src/bpf/ has the datapath's own.
 */
#include "srv6/srv6.h"

#include <errno.h>
#include <string.h>

#define FIXED_LEN 8
#define SEGMENT_LEN sizeof(struct in6_addr)
#define TLV_PAD1 0 /* one byte without a length */

enum { NEXT_HEADER, HDR_EXT_LEN, ROUTING_TYPE, SEGMENTS_LEFT, LAST_ENTRY, FLAGS, TAG };

/* Does each TLV (section 2.1) end within the header? */
static bool tlvs_fit(const uint8_t *p, size_t len)
{
	while (len > 0) {
		size_t n = 1;

		if (p[0] != TLV_PAD1) {
			if (len < 2 || len < 2u + p[1])
				return false;
			n = 2u + p[1];
		}
		p += n;
		len -= n;
	}
	return true;
}

int sr_srh_parse(const void *buf, size_t len, struct sr_srh_view *ret)
{
	const uint8_t *p = buf;
	size_t total, n_segments, tlvs;

	if (len < FIXED_LEN)
		return -EBADMSG;
	if (p[ROUTING_TYPE] != SR_SRH_ROUTING_TYPE)
		return -EPROTO;
	total = FIXED_LEN + p[HDR_EXT_LEN] * (size_t)8;
	if (total > len)
		return -EBADMSG;
	n_segments = p[LAST_ENTRY] + (size_t)1;
	if (p[SEGMENTS_LEFT] > n_segments || FIXED_LEN + n_segments * SEGMENT_LEN > total)
		return -ERANGE;
	tlvs = FIXED_LEN + n_segments * SEGMENT_LEN;
	if (!tlvs_fit(p + tlvs, total - tlvs))
		return -EBADMSG;

	*ret = (struct sr_srh_view){
		.next_header = p[NEXT_HEADER],
		.segments_left = p[SEGMENTS_LEFT],
		.last_entry = p[LAST_ENTRY],
		.flags = p[FLAGS],
		.segments = (const struct in6_addr *)(p + FIXED_LEN),
		.n_segments = n_segments,
		.tlvs = p + tlvs,
		.tlvs_len = total - tlvs,
		.len = total,
	};
	memcpy(&ret->tag, p + TAG, sizeof(ret->tag));
	return 0;
}

size_t sr_srh_len(size_t n_segs, bool reduced)
{
	if (!n_segs || (reduced && n_segs == 1))
		return 0;
	return FIXED_LEN + (n_segs - reduced) * SEGMENT_LEN;
}

int sr_srh_build(void *buf, size_t size, const struct sr_sid *segs, size_t n_segs, bool reduced, uint8_t next_header)
{
	size_t len, entries;
	uint8_t *p = buf;

	if (!n_segs || n_segs > SR_SEGS_MAX)
		return -EINVAL;
	len = sr_srh_len(n_segs, reduced);
	if (len > size)
		return -ENOSPC;
	if (!len)
		return 0;
	entries = n_segs - reduced;
	memset(p, 0, FIXED_LEN);
	p[NEXT_HEADER] = next_header;
	p[HDR_EXT_LEN] = (uint8_t)(len / 8 - 1);
	p[ROUTING_TYPE] = SR_SRH_ROUTING_TYPE;
	p[SEGMENTS_LEFT] = (uint8_t)(n_segs - 1);
	p[LAST_ENTRY] = (uint8_t)(entries - 1);
	for (size_t i = 0; i < entries; i++)
		memcpy(p + FIXED_LEN + i * SEGMENT_LEN, &segs[n_segs - 1 - i].a, SEGMENT_LEN);
	return (int)len;
}
