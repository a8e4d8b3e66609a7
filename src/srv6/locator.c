// SPDX-License-Identifier: GPL-2.0-only
/*
 * Locators, functions, SIDs (RFC 8986 section 3.1).
 *
 * A locator's text is what stands before the function in a SID, so it holds six groups of an IPv6 address's eight:
 *
 *   2400:dcc0::a7a:4d8e   is 2400:dcc0:0:0:a7a:4d8e (as an address it would be 2400:dcc0:0:0:0:0:a7a:4d8e)
 *   c2::                  is c2:0:0:0:0:0; its colons serve for the joint too: c2::a9fe:108
 *   a:b:c:d:e:f           and a:b:c:d:e:f::, as prefixes are written, are the same
 *   c2::/96               with a length: an ordinary prefix, all eight groups of it
 *
 * Reading the short form completes it with a function of zero and leaves the rest to inet_pton. No text has two
 * readings: where a length follows, groups seven and eight must be there (or be in the "::") and be zero.
 */
#include "srv6/srv6.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define GROUPS 6

static_assert(sizeof(struct sr_locator) * 8 == SR_LOCATOR_BITS, "a locator is its bits and nothing else");
static_assert(sizeof(struct sr_locator) + sizeof(struct sr_function) == sizeof(struct sr_sid), "and a function a SID");

/*
 * What can be routed to a node. The rest means something else to everybody on the way: multicast and link-local
 * addresses, and the /96s of IPv4 (::, which holds loopback and the unspecified address, and v4-mapped).
 */
static bool routable(const struct in6_addr *a)
{
	return !IN6_IS_ADDR_MULTICAST(a) && !IN6_IS_ADDR_LINKLOCAL(a) && !IN6_IS_ADDR_V4MAPPED(a) &&
	       (a->s6_addr32[0] || a->s6_addr32[1] || a->s6_addr32[2]);
}

static int parse_prefix_form(const char *text, size_t addr_len, struct in6_addr *ret)
{
	char addr[INET6_ADDRSTRLEN];

	if (addr_len >= sizeof(addr))
		return -EINVAL;
	memcpy(addr, text, addr_len);
	addr[addr_len] = '\0';
	if (inet_pton(AF_INET6, addr, ret) != 1)
		return -EINVAL;
	if (strcmp(text + addr_len, "/96") != 0 || ret->s6_addr32[3])
		return -ERANGE;
	return 0;
}

static int parse_short_form(const char *text, size_t len, struct in6_addr *ret)
{
	const char *joint = strstr(text, "::");
	bool open = joint && !joint[2];
	char addr[INET6_ADDRSTRLEN + 4];

	if (!len || len >= INET6_ADDRSTRLEN || (text[len - 1] == ':' && !open))
		return -EINVAL;
	memcpy(addr, text, len);
	stpcpy(addr + len, open ? "0:0" : ":0:0");
	if (inet_pton(AF_INET6, addr, ret) == 1)
		return 0;
	if (!open)
		return -EINVAL;
	/* Six groups before the "::", which then stands for the function alone. */
	stpcpy(addr + len - 2, ":0:0");
	return inet_pton(AF_INET6, addr, ret) == 1 ? 0 : -EINVAL;
}

int sr_locator_parse(const char *text, struct sr_locator *ret)
{
	const char *slash = strchr(text, '/');
	struct in6_addr a;
	int rc;

	rc = slash ? parse_prefix_form(text, (size_t)(slash - text), &a) : parse_short_form(text, strlen(text), &a);
	if (rc < 0)
		return rc;
	if (!routable(&a))
		return -EADDRNOTAVAIL;
	memcpy(ret->b, a.s6_addr, sizeof(ret->b));
	return 0;
}

static unsigned int group(const struct sr_locator *loc, size_t i)
{
	return (unsigned int)loc->b[2 * i] << 8 | loc->b[2 * i + 1];
}

/* The first of the longest runs of at least two zero groups, as RFC 5952 wants it; *ret_len is 0 if there is none. */
static size_t longest_zero_run(const struct sr_locator *loc, size_t *ret_len)
{
	size_t best = 0, best_len = 1;

	for (size_t i = 0, len = 0; i < GROUPS; i++) {
		len = group(loc, i) ? 0 : len + 1;
		if (len > best_len) {
			best_len = len;
			best = i - len + 1;
		}
	}
	*ret_len = best_len > 1 ? best_len : 0;
	return best;
}

const char *sr_locator_format(const struct sr_locator *loc, char buf[static SR_LOCATOR_STRLEN])
{
	size_t run_len, run = longest_zero_run(loc, &run_len);
	char *p = buf;

	for (size_t i = 0; i < GROUPS; i++) {
		if (run_len && i == run) {
			p = stpcpy(p, "::");
			i += run_len - 1;
			continue;
		}
		if (i > 0 && p[-1] != ':')
			*p++ = ':';
		p += sprintf(p, "%x", group(loc, i));
	}
	return buf;
}

struct sr_prefix sr_locator_prefix(const struct sr_locator *loc)
{
	struct sr_sid sid = sr_sid_make(loc, (struct sr_function){0});

	return (struct sr_prefix){.addr = sid.a, .len = SR_LOCATOR_BITS};
}

bool sr_locator_equal(const struct sr_locator *a, const struct sr_locator *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

int sr_function_parse(const char *text, struct sr_function *ret)
{
	struct in_addr a;

	if (inet_pton(AF_INET, text, &a) != 1)
		return -EINVAL;
	ret->v = a.s_addr;
	return 0;
}

const char *sr_function_format(struct sr_function fn, char buf[static INET_ADDRSTRLEN])
{
	return inet_ntop(AF_INET, &fn.v, buf, INET_ADDRSTRLEN);
}

struct sr_sid sr_sid_make(const struct sr_locator *loc, struct sr_function fn)
{
	struct sr_sid sid;

	memcpy(sid.a.s6_addr, loc->b, sizeof(loc->b));
	sid.a.s6_addr32[3] = fn.v;
	return sid;
}

struct sr_locator sr_sid_locator(const struct sr_sid *sid)
{
	struct sr_locator loc;

	memcpy(loc.b, sid->a.s6_addr, sizeof(loc.b));
	return loc;
}

struct sr_function sr_sid_function(const struct sr_sid *sid)
{
	return (struct sr_function){.v = sid->a.s6_addr32[3]};
}

int sr_sid_parse(const char *text, struct sr_sid *ret)
{
	struct in6_addr a;

	if (inet_pton(AF_INET6, text, &a) != 1)
		return -EINVAL;
	if (!routable(&a))
		return -EADDRNOTAVAIL;
	ret->a = a;
	return 0;
}

const char *sr_sid_format(const struct sr_sid *sid, char buf[static SR_SID_STRLEN])
{
	return inet_ntop(AF_INET6, &sid->a, buf, SR_SID_STRLEN);
}
