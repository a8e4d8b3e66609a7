/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * srv6/ - the addresses and the header of segment routing over IPv6.
 *
 * Three things with a type each, so that none is taken for another:
 *
 *   locator   the /96 that names a node            (RFC 8986 section 3.1, LOC)
 *   function  32 bits that name a behaviour there  (FUNCT); for a VRF it is the VRF's `vrf_ip`
 *   SID       locator + function, an IPv6 address  (RFC 8402 section 3.1)
 *
 * and the segment routing header (RFC 8754 section 2). Everything here is pure: no I/O, no allocation, no state. All
 * fields are kept in network byte order, as on the wire. Functions that can fail return 0 or a negative errno and
 * leave their outputs untouched on failure.
 *
 * Text forms. The reference writes a locator without the function's bits, so that the locator's text, a colon and the
 * function's text make the SID: `2400:dcc0::a7a:4d8e` + `a9fe:108` = `2400:dcc0::a7a:4d8e:a9fe:108`. That is the
 * form of Neutron's `segment_node_id`; the prefix form `2400:dcc0::a7a:4d8e:0:0/96` is taken everywhere too.
 */
#ifndef SR_SRV6_H
#define SR_SRV6_H

#include <linux/types.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SR_LOCATOR_BITS 96

struct sr_locator {
	uint8_t b[12];
};

struct sr_function {
	__be32 v;
};

struct sr_sid {
	struct in6_addr a;
};

/*
 * An IPv4 or IPv6 prefix in one type: IPv4 is kept v4-mapped (::ffff:a.b.c.d) with 96 added to its length, so that one
 * table and one comparison serve both. Bits beyond `len` are zero in every prefix that these functions return.
 */
struct sr_prefix {
	struct in6_addr addr;
	uint8_t len; /* 0 to 128 */
};

#define SR_LOCATOR_STRLEN 48
#define SR_SID_STRLEN INET6_ADDRSTRLEN
#define SR_PREFIX_STRLEN (INET6_ADDRSTRLEN + 4)

/* locator.c */

/*
 * Both forms above (locator.c has every shape). -EINVAL: not an address; -ERANGE: bits set beyond the /96 or another
 * length; -EADDRNOTAVAIL: a /96 that cannot be routed to a node: multicast, link-local, ::/96, ::ffff:0:0/96.
 */
int sr_locator_parse(const char *text, struct sr_locator *ret);
/* The reference's form in lower case, the longest run of zeros as "::"; sr_locator_parse takes it back. Returns buf. */
const char *sr_locator_format(const struct sr_locator *loc, char buf[static SR_LOCATOR_STRLEN]);
/* The /96 that a routing daemon announces for it. */
struct sr_prefix sr_locator_prefix(const struct sr_locator *loc);
bool sr_locator_equal(const struct sr_locator *a, const struct sr_locator *b);

/* Dotted quad: a `vrf_ip`. -EINVAL. */
int sr_function_parse(const char *text, struct sr_function *ret);
const char *sr_function_format(struct sr_function fn, char buf[static INET_ADDRSTRLEN]);

struct sr_sid sr_sid_make(const struct sr_locator *loc, struct sr_function fn);
struct sr_locator sr_sid_locator(const struct sr_sid *sid);
struct sr_function sr_sid_function(const struct sr_sid *sid);
/* An IPv6 address, the function in hex or as a dotted quad. -EINVAL; -EADDRNOTAVAIL: as for a locator. */
int sr_sid_parse(const char *text, struct sr_sid *ret);
const char *sr_sid_format(const struct sr_sid *sid, char buf[static SR_SID_STRLEN]);

/* prefix.c */

/*
 * "10.0.0.0/8", "10.0.0.1" (a /32), "2001:db8::/32", "2001:db8::1". -EINVAL: also for IPv6 text of a v4-mapped
 * address; -ERANGE: bits set beyond the length.
 */
int sr_prefix_parse(const char *text, struct sr_prefix *ret);
/* A host route is written without its length. Returns buf. */
const char *sr_prefix_format(const struct sr_prefix *p, char buf[static SR_PREFIX_STRLEN]);
/* Bits of addr beyond len are dropped; len is at most 32 or 128. */
struct sr_prefix sr_prefix_v4(__be32 addr, unsigned int len);
struct sr_prefix sr_prefix_v6(const struct in6_addr *addr, unsigned int len);
bool sr_prefix_is_v4(const struct sr_prefix *p);
/* The IPv4 address of a prefix for which sr_prefix_is_v4 holds. */
__be32 sr_prefix_addr4(const struct sr_prefix *p);
/* Length as the family writes it: 0 to 32 or 0 to 128. */
unsigned int sr_prefix_len(const struct sr_prefix *p);
bool sr_prefix_is_host(const struct sr_prefix *p);
bool sr_prefix_equal(const struct sr_prefix *a, const struct sr_prefix *b);
/* Does `outer` contain all of `inner`? Families never contain each other (::/0 does not contain IPv4). */
bool sr_prefix_contains(const struct sr_prefix *outer, const struct sr_prefix *inner);
bool sr_prefix_overlaps(const struct sr_prefix *a, const struct sr_prefix *b);

/* srh.c: RFC 8754 section 2 */

#define SR_SEGS_MAX 8 /* segments in one list; the datapath's limit too */
#define SR_SRH_ROUTING_TYPE 4

/* A parsed SRH: points into the caller's buffer, valid as long as that is. */
struct sr_srh_view {
	uint8_t next_header;
	uint8_t segments_left;
	uint8_t last_entry;
	uint8_t flags;
	__be16 tag;
	const struct in6_addr *segments; /* in wire order: the last segment of the path first; unaligned */
	size_t n_segments;		 /* last_entry + 1 */
	const uint8_t *tlvs;
	size_t tlvs_len;
	size_t len; /* whole header, bytes */
};

/*
 * Checks everything that section 2 and 4.3.1.1 let a receiver check without knowing its SIDs. -EBADMSG: truncated, or
 * lengths that do not agree (TLVs' included); -EPROTO: not a routing header of type 4; -ERANGE: segments_left >
 * last_entry + 1 (that is what a reduced SRH may have, 4.1.1) or last_entry beyond what the length holds.
 */
int sr_srh_parse(const void *buf, size_t len, struct sr_srh_view *ret);

/* Bytes of an SRH for n segments of a path; reduced: without the first (4.1.1), 0 for a single one. */
size_t sr_srh_len(size_t n_segs, bool reduced);
/*
 * Writes the SRH for the path segs[0..n) (travel order) into buf. Returns its length, 0 where reduced needs none,
 * or -EINVAL (n is 0 or over SR_SEGS_MAX), -ENOSPC.
 */
int sr_srh_build(void *buf, size_t size, const struct sr_sid *segs, size_t n_segs, bool reduced, uint8_t next_header);

#endif
