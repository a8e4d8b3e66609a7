// SPDX-License-Identifier: GPL-2.0-only
/*
 * Prefixes of both families in one type (srv6.h). A prefix is IPv4 if it lies within ::ffff:0:0/96. IPv6 text for
 * addresses in there is refused, so that each prefix has one text and one family.
 */
#include "srv6/srv6.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define V4_BITS 96 /* what v4-mapping puts before an IPv4 address */

/* The first len bits of both the same? */
static bool bits_equal(const struct in6_addr *a, const struct in6_addr *b, unsigned int len)
{
	unsigned int bytes = len / 8, rest = len % 8;

	if (memcmp(a->s6_addr, b->s6_addr, bytes) != 0)
		return false;
	return !rest || !((a->s6_addr[bytes] ^ b->s6_addr[bytes]) >> (8 - rest));
}

static struct in6_addr masked(const struct in6_addr *addr, unsigned int len)
{
	struct in6_addr ret = {0};

	memcpy(ret.s6_addr, addr->s6_addr, (len + 7) / 8);
	if (len % 8)
		ret.s6_addr[len / 8] &= (uint8_t)(0xff00 >> (len % 8));
	return ret;
}

static struct in6_addr mapped(__be32 addr)
{
	return (struct in6_addr){.s6_addr32 = {0, 0, htonl(0xffff), addr}};
}

/* Decimal without leading zeros; max has up to three digits. */
static int parse_len(const char *text, unsigned int max, unsigned int *ret)
{
	unsigned int v = 0, digits = 0;

	for (; text[digits] >= '0' && text[digits] <= '9' && digits < 3; digits++)
		v = v * 10 + (unsigned int)(text[digits] - '0');
	if (!digits || text[digits] || v > max || (digits > 1 && text[0] == '0'))
		return -EINVAL;
	*ret = v;
	return 0;
}

int sr_prefix_parse(const char *text, struct sr_prefix *ret)
{
	size_t n = strcspn(text, "/");
	char addr[INET6_ADDRSTRLEN];
	struct in6_addr a, kept;
	unsigned int max, len;

	if (n >= sizeof(addr))
		return -EINVAL;
	memcpy(addr, text, n);
	addr[n] = '\0';
	if (inet_pton(AF_INET, addr, &a.s6_addr32[3]) == 1) {
		a = mapped(a.s6_addr32[3]);
		max = 32;
	} else if (inet_pton(AF_INET6, addr, &a) == 1 && !IN6_IS_ADDR_V4MAPPED(&a)) {
		max = 128;
	} else {
		return -EINVAL;
	}
	len = max;
	if (text[n] && parse_len(text + n + 1, max, &len) < 0)
		return -EINVAL;
	len += 128 - max;
	kept = masked(&a, len);
	if (!IN6_ARE_ADDR_EQUAL(&kept, &a))
		return -ERANGE;
	*ret = (struct sr_prefix){.addr = a, .len = (uint8_t)len};
	return 0;
}

const char *sr_prefix_format(const struct sr_prefix *p, char buf[static SR_PREFIX_STRLEN])
{
	__be32 v4 = p->addr.s6_addr32[3];

	if (sr_prefix_is_v4(p))
		inet_ntop(AF_INET, &v4, buf, SR_PREFIX_STRLEN);
	else
		inet_ntop(AF_INET6, &p->addr, buf, SR_PREFIX_STRLEN);
	if (!sr_prefix_is_host(p))
		sprintf(buf + strlen(buf), "/%u", sr_prefix_len(p));
	return buf;
}

struct sr_prefix sr_prefix_v4(__be32 addr, unsigned int len)
{
	struct in6_addr a = mapped(addr);

	assert(len <= 32);
	return (struct sr_prefix){.addr = masked(&a, V4_BITS + len), .len = (uint8_t)(V4_BITS + len)};
}

struct sr_prefix sr_prefix_v6(const struct in6_addr *addr, unsigned int len)
{
	assert(len <= 128);
	return (struct sr_prefix){.addr = masked(addr, len), .len = (uint8_t)len};
}

/* The last of the 96 bits is set and bits beyond a length are not: only lengths from 96 on can have it. */
bool sr_prefix_is_v4(const struct sr_prefix *p)
{
	return IN6_IS_ADDR_V4MAPPED(&p->addr);
}

__be32 sr_prefix_addr4(const struct sr_prefix *p)
{
	return p->addr.s6_addr32[3];
}

unsigned int sr_prefix_len(const struct sr_prefix *p)
{
	return sr_prefix_is_v4(p) ? p->len - V4_BITS : p->len;
}

bool sr_prefix_is_host(const struct sr_prefix *p)
{
	return p->len == 128;
}

bool sr_prefix_equal(const struct sr_prefix *a, const struct sr_prefix *b)
{
	return a->len == b->len && IN6_ARE_ADDR_EQUAL(&a->addr, &b->addr);
}

bool sr_prefix_contains(const struct sr_prefix *outer, const struct sr_prefix *inner)
{
	return outer->len <= inner->len && sr_prefix_is_v4(outer) == sr_prefix_is_v4(inner) &&
	       bits_equal(&outer->addr, &inner->addr, outer->len);
}

bool sr_prefix_overlaps(const struct sr_prefix *a, const struct sr_prefix *b)
{
	return sr_prefix_contains(a, b) || sr_prefix_contains(b, a);
}
