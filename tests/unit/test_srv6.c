// SPDX-License-Identifier: GPL-2.0-only
/* srv6/: locators, functions, SIDs, prefixes, and the SRH. */
#include "unit.h"
#include "srv6/srv6.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct in6_addr ip6(const char *text)
{
	struct in6_addr a;

	assert_int_equal(inet_pton(AF_INET6, text, &a), 1);
	return a;
}

/* addr: the locator with a function of zero, as inet_pton reads it; NULL where rc is expected instead. */
static const struct {
	const char *text, *addr, *canonical;
	int rc;
} locators[] = {
	/* The reference's. */
	{"2400:dcc0::a7a:4d8e", "2400:dcc0:0:0:a7a:4d8e:0:0", "2400:dcc0::a7a:4d8e", 0},
	{"2400:dcc0::a7a:4d8e:0:0/96", "2400:dcc0:0:0:a7a:4d8e:0:0", "2400:dcc0::a7a:4d8e", 0},
	{"c2::/96", "c2::", "c2::", 0},
	{"C1::", "c1::", "c1::", 0},
	/* Colons at the end. */
	{"a:b::", "a:b::", "a:b::", 0},
	{"a:b:c:d::", "a:b:c:d::", "a:b:c:d::", 0},
	{"a:b:c:d:e::", "a:b:c:d:e::", "a:b:c:d:e:0", 0},
	{"a:b:c:d:e:f::", "a:b:c:d:e:f::", "a:b:c:d:e:f", 0},
	{"a:b:c:d:e:f::/96", "a:b:c:d:e:f::", "a:b:c:d:e:f", 0},
	/* All six groups. */
	{"a:b:c:d:e:f", "a:b:c:d:e:f::", "a:b:c:d:e:f", 0},
	{"a:b:c:d:e:f:0:0/96", "a:b:c:d:e:f::", "a:b:c:d:e:f", 0},
	{"0a:00b:000c:d:e:0", "a:b:c:d:e:0:0:0", "a:b:c:d:e:0", 0},
	{"a:0:0:0:0:0", "a::", "a::", 0},
	{"a:b:c:d:e:f:0.0.0.0/96", "a:b:c:d:e:f::", "a:b:c:d:e:f", 0},
	/* Colons at the start, and which run of zeros they stand for. */
	{"::a", "0:0:0:0:0:a:0:0", "::a", 0},
	{"::a:b:0:0/96", "0:0:0:0:a:b:0:0", "::a:b", 0},
	{"a::b", "a:0:0:0:0:b:0:0", "a::b", 0},
	{"a::b:0:0", "a:0:0:b:0:0:0:0", "a::b:0:0", 0},
	{"a:0:0:b::", "a:0:0:b::", "a::b:0:0", 0},
	{"a:0:b:0:0:c", "a:0:b:0:0:c:0:0", "a:0:b::c", 0},
	{"0:a:b:c:d:e", "0:a:b:c:d:e:0:0", "0:a:b:c:d:e", 0},
	{"::a:0:0:0:0:0:0/96", "0:a::", "0:a::", 0},
	{"::ffff:0:0:0:0/96", "0:0:0:ffff::", "::ffff:0:0", 0},
	/* Bits beyond the /96, other lengths. */
	{"2400:dcc0::a7a:4d8e/96", NULL, NULL, -ERANGE},
	{"a:b:c:d:e:f:0:1/96", NULL, NULL, -ERANGE},
	{"a:b:c:d:e:f:1:0/96", NULL, NULL, -ERANGE},
	{"c2::/64", NULL, NULL, -ERANGE},
	{"c2::/128", NULL, NULL, -ERANGE},
	{"c2::/096", NULL, NULL, -ERANGE},
	{"c2::/96 ", NULL, NULL, -ERANGE},
	{"c2::/", NULL, NULL, -ERANGE},
	/* No addresses. */
	{"", NULL, NULL, -EINVAL},
	{"/96", NULL, NULL, -EINVAL},
	{":", NULL, NULL, -EINVAL},
	{":::", NULL, NULL, -EINVAL},
	{"a", NULL, NULL, -EINVAL},
	{"a:", NULL, NULL, -EINVAL},
	{"a:b:c:d:", NULL, NULL, -EINVAL},
	{":a:b:c:d:e:f", NULL, NULL, -EINVAL},
	{"a:b:c:d:e", NULL, NULL, -EINVAL},
	{"a:b:c:d:e/96", NULL, NULL, -EINVAL},
	{"a:b:c:d:e:f:", NULL, NULL, -EINVAL},
	{"a:b:c:d:e:f:0", NULL, NULL, -EINVAL},
	{"a:b:c:d:e:f:0:0", NULL, NULL, -EINVAL}, /* without its length it would be a SID */
	{"a:b:c:d:e:f:0::", NULL, NULL, -EINVAL},
	{"a::b::", NULL, NULL, -EINVAL},
	{"a::b::c", NULL, NULL, -EINVAL},
	{"2400:dcc0::a7a:4d8e:a9fe:108", NULL, NULL, -EINVAL},
	{"c2::%lo", NULL, NULL, -EINVAL},
	{" c2::", NULL, NULL, -EINVAL},
	{"g::", NULL, NULL, -EINVAL},
	{"a::1.2.3.4", NULL, NULL, -EINVAL},
	{"10.0.0.1", NULL, NULL, -EINVAL},
	{"00000000000000000000000000000000000000000000a::", NULL, NULL, -EINVAL},
	{"00000000000000000000000000000000000000000000000a::/96", NULL, NULL, -EINVAL},
	/* Addresses that nobody routes to a node. */
	{"::", NULL, NULL, -EADDRNOTAVAIL},
	{"::/96", NULL, NULL, -EADDRNOTAVAIL},
	{"::ffff", NULL, NULL, -EADDRNOTAVAIL},
	{"::ffff:0:0/96", NULL, NULL, -EADDRNOTAVAIL},
	{"ff02::", NULL, NULL, -EADDRNOTAVAIL},
	{"fe80::1", NULL, NULL, -EADDRNOTAVAIL},
	{"febf::", NULL, NULL, -EADDRNOTAVAIL},
};

static void test_locator_parse(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(locators); i++) {
		struct sr_locator loc, untouched;
		char buf[SR_LOCATOR_STRLEN];

		memset(&loc, 0xa5, sizeof(loc));
		untouched = loc;
		sr_case("locator \"%s\"", locators[i].text);
		assert_int_equal(sr_locator_parse(locators[i].text, &loc), locators[i].rc);
		if (locators[i].rc) {
			assert_memory_equal(&loc, &untouched, sizeof(loc));
			continue;
		}
		struct in6_addr want = ip6(locators[i].addr);
		struct sr_prefix prefix = sr_locator_prefix(&loc), again;
		struct sr_locator back;

		assert_memory_equal(loc.b, &want, sizeof(loc.b));
		assert_string_equal(sr_locator_format(&loc, buf), locators[i].canonical);
		assert_int_equal(sr_locator_parse(buf, &back), 0);
		assert_true(sr_locator_equal(&loc, &back));
		assert_memory_equal(&prefix.addr, &want, sizeof(want));
		assert_int_equal(prefix.len, 96);

		/* The prefix's own text is a locator's too. */
		char text[SR_PREFIX_STRLEN];

		assert_int_equal(sr_prefix_parse(sr_prefix_format(&prefix, text), &again), 0);
		assert_true(sr_prefix_equal(&prefix, &again));
		assert_int_equal(sr_locator_parse(text, &back), 0);
		assert_true(sr_locator_equal(&loc, &back));
	}
}

/* Locator's text + ":" + function's text is the SID's: every pattern of zero groups, several functions. */
static void test_locator_text_joins(void **state)
{
	static const unsigned int functions[] = {0xa9fe0108, 0x1, 0x10000, 0xffffffff, 0};

	(void)state;
	for (unsigned int zeros = 0; zeros < 63; zeros++) {
		sr_case("zero groups %#x", zeros);
		for (size_t f = 0; f < ARRAY_SIZE(functions); f++) {
			struct sr_function fn = {htonl(functions[f])};
			char text[SR_LOCATOR_STRLEN], whole[sizeof(text) + 12];
			struct sr_locator loc = {0};
			struct sr_sid sid, joined;

			for (int g = 0; g < 6; g++)
				loc.b[2 * g + 1] = zeros & (1u << g) ? 0 : (uint8_t)(g + 1);
			sid = sr_sid_make(&loc, fn);
			sr_locator_format(&loc, text);

			struct sr_locator back;

			assert_int_equal(sr_locator_parse(text, &back), 0);
			assert_true(sr_locator_equal(&loc, &back));
			snprintf(whole, sizeof(whole), "%s%s%x:%x", text, text[strlen(text) - 1] == ':' ? "" : ":",
				 functions[f] >> 16, functions[f] & 0xffff);
			assert_int_equal(sr_sid_parse(whole, &joined), 0);
			assert_memory_equal(&sid, &joined, sizeof(sid));
		}
	}
}

static void test_sid(void **state)
{
	char buf[SR_SID_STRLEN];
	struct sr_function fn;
	struct sr_locator loc, other;
	struct sr_sid sid, read;

	(void)state;
	assert_int_equal(sr_locator_parse("2400:dcc0::a7a:4d8e", &loc), 0);
	assert_int_equal(sr_function_parse("169.254.1.8", &fn), 0);
	sid = sr_sid_make(&loc, fn);
	assert_string_equal(sr_sid_format(&sid, buf), "2400:dcc0::a7a:4d8e:a9fe:108");
	assert_int_equal(sr_sid_parse("2400:dcc0::a7a:4d8e:a9fe:108", &read), 0);
	assert_memory_equal(&sid, &read, sizeof(sid));
	assert_int_equal(sr_sid_parse("2400:dcc0::a7a:4d8e:169.254.1.8", &read), 0);
	assert_memory_equal(&sid, &read, sizeof(sid));

	other = sr_sid_locator(&sid);
	assert_true(sr_locator_equal(&loc, &other));
	assert_int_equal(sr_sid_function(&sid).v, fn.v);
	other.b[11] ^= 1;
	assert_false(sr_locator_equal(&loc, &other));
	assert_string_equal(sr_function_format(fn, buf), "169.254.1.8");
}

static void test_sid_refused(void **state)
{
	static const struct {
		const char *text;
		int rc;
	} bad[] = {
		{"", -EINVAL},
		{"c2::/96", -EINVAL},
		{"169.254.1.8", -EINVAL},
		{"ff02::1", -EADDRNOTAVAIL},
		{"::", -EADDRNOTAVAIL},
		{"::1", -EADDRNOTAVAIL},
		{"::ffff:10.0.0.1", -EADDRNOTAVAIL},
		{"fe80::1", -EADDRNOTAVAIL},
	};
	struct sr_sid sid = {.a = ip6("a::b")}, untouched = sid;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		sr_case("SID \"%s\"", bad[i].text);
		assert_int_equal(sr_sid_parse(bad[i].text, &sid), bad[i].rc);
		assert_memory_equal(&sid, &untouched, sizeof(sid));
	}
}

static void test_function_refused(void **state)
{
	static const char *const bad[] = {"", "169.254.1", "169.254.1.256", "169.254.01.8", "a9fe:108", "1.2.3.4 "};
	struct sr_function fn = {42};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		sr_case("function \"%s\"", bad[i]);
		assert_int_equal(sr_function_parse(bad[i], &fn), -EINVAL);
		assert_int_equal(fn.v, 42);
	}
}

/* canonical NULL: rc is expected. */
static const struct {
	const char *text, *canonical;
	unsigned int len; /* the family's */
	bool v4;
	int rc;
} prefixes[] = {
	{"10.0.0.0/8", "10.0.0.0/8", 8, true, 0},
	{"10.0.0.1", "10.0.0.1", 32, true, 0},
	{"10.0.0.1/32", "10.0.0.1", 32, true, 0},
	{"10.0.0.128/25", "10.0.0.128/25", 25, true, 0},
	{"0.0.0.0/0", "0.0.0.0/0", 0, true, 0},
	{"0.0.0.0", "0.0.0.0", 32, true, 0},
	{"2001:DB8::/32", "2001:db8::/32", 32, false, 0},
	{"2001:db8::1", "2001:db8::1", 128, false, 0},
	{"2001:db8::1/128", "2001:db8::1", 128, false, 0},
	{"2001:db8:8000::/33", "2001:db8:8000::/33", 33, false, 0},
	{"::/0", "::/0", 0, false, 0},
	{"::/96", "::/96", 96, false, 0},
	{"::ffff:0:0:0/80", "::ffff:0:0:0/80", 80, false, 0},
	{"::ffff:0:0:0/79", NULL, 0, false, -ERANGE},
	{"10.0.0.1/8", NULL, 0, false, -ERANGE},
	{"10.0.0.128/24", NULL, 0, false, -ERANGE},
	{"2001:db8::1/127", NULL, 0, false, -ERANGE},
	{"10.0.0.0/33", NULL, 0, false, -EINVAL},
	{"10.0.0.0/", NULL, 0, false, -EINVAL},
	{"10.0.0.0/08", NULL, 0, false, -EINVAL},
	{"10.0.0.0/8x", NULL, 0, false, -EINVAL},
	{"10.0.0.0/-1", NULL, 0, false, -EINVAL},
	{"10.0.0.0/8/8", NULL, 0, false, -EINVAL},
	{"10.0.0.0/4294967304", NULL, 0, false, -EINVAL},
	{"2001:db8::/129", NULL, 0, false, -EINVAL},
	{"2001:db8::/1000", NULL, 0, false, -EINVAL},
	{"::ffff:10.0.0.1", NULL, 0, false, -EINVAL},
	{"::ffff:0:0/96", NULL, 0, false, -EINVAL},
	{"", NULL, 0, false, -EINVAL},
	{"/8", NULL, 0, false, -EINVAL},
	{"10.0.0/24", NULL, 0, false, -EINVAL},
	{"default", NULL, 0, false, -EINVAL},
	{"0000000000000000000000000000000000000000000000::/8", NULL, 0, false, -EINVAL},
};

static void test_prefix_parse(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		struct sr_prefix p, untouched;
		char buf[SR_PREFIX_STRLEN];

		memset(&p, 0xa5, sizeof(p));
		untouched = p;
		sr_case("prefix \"%s\"", prefixes[i].text);
		assert_int_equal(sr_prefix_parse(prefixes[i].text, &p), prefixes[i].rc);
		if (prefixes[i].rc) {
			assert_memory_equal(&p, &untouched, sizeof(p));
			continue;
		}
		assert_string_equal(sr_prefix_format(&p, buf), prefixes[i].canonical);
		assert_int_equal(sr_prefix_len(&p), prefixes[i].len);
		assert_int_equal(sr_prefix_is_v4(&p), prefixes[i].v4);
		assert_int_equal(sr_prefix_is_host(&p), !strchr(prefixes[i].canonical, '/'));
	}
}

static void test_prefix_make(void **state)
{
	struct in6_addr v6 = ip6("2001:db8:ffff:ffff::1");
	struct sr_prefix p = sr_prefix_v4(inet_addr("10.1.255.255"), 17);
	char buf[SR_PREFIX_STRLEN];

	(void)state;
	assert_string_equal(sr_prefix_format(&p, buf), "10.1.128.0/17");
	assert_int_equal(sr_prefix_addr4(&p), inet_addr("10.1.128.0"));
	p = sr_prefix_v4(inet_addr("10.1.255.255"), 0);
	assert_string_equal(sr_prefix_format(&p, buf), "0.0.0.0/0");
	p = sr_prefix_v6(&v6, 41);
	assert_string_equal(sr_prefix_format(&p, buf), "2001:db8:ff80::/41");
	p = sr_prefix_v6(&v6, 48);
	assert_string_equal(sr_prefix_format(&p, buf), "2001:db8:ffff::/48");
	p = sr_prefix_v6(&v6, 128);
	assert_string_equal(sr_prefix_format(&p, buf), "2001:db8:ffff:ffff::1");
}

static void test_prefix_relations(void **state)
{
	static const struct {
		const char *a, *b;
		bool a_in_b, b_in_a;
	} pairs[] = {
		{"10.0.0.0/8", "10.1.0.0/16", false, true},
		{"10.0.0.0/8", "10.0.0.0/8", true, true},
		{"10.0.0.0/8", "11.0.0.0/8", false, false},
		{"10.0.0.0/9", "10.128.0.0/9", false, false},
		{"0.0.0.0/0", "192.0.2.1", false, true},
		{"::/0", "10.0.0.1", false, false},
		{"::/0", "0.0.0.0/0", false, false},
		{"::/64", "0.0.0.0/0", false, false},
		{"::/0", "2001:db8::1", false, true},
		{"2001:db8::/33", "2001:db8:8000::/33", false, false},
		{"2001:db8::1", "2001:db8::2", false, false},
		{"169.254.1.0/24", "169.254.0.0/16", true, false},
		{"10.0.0.128/25", "10.0.0.192/26", false, true},
		{"10.0.0.0/25", "10.0.0.192/26", false, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		struct sr_prefix a, b;

		sr_case("%s and %s", pairs[i].a, pairs[i].b);
		assert_int_equal(sr_prefix_parse(pairs[i].a, &a), 0);
		assert_int_equal(sr_prefix_parse(pairs[i].b, &b), 0);
		assert_int_equal(sr_prefix_contains(&a, &b), pairs[i].b_in_a);
		assert_int_equal(sr_prefix_contains(&b, &a), pairs[i].a_in_b);
		assert_int_equal(sr_prefix_overlaps(&a, &b), pairs[i].a_in_b || pairs[i].b_in_a);
		assert_int_equal(sr_prefix_overlaps(&b, &a), pairs[i].a_in_b || pairs[i].b_in_a);
		assert_int_equal(sr_prefix_equal(&a, &b), pairs[i].a_in_b && pairs[i].b_in_a);
	}
}

static struct sr_sid segment(size_t i)
{
	struct sr_sid sid = {.a = ip6("2400:dcc0::a7a:0:a9fe:108")};

	sid.a.s6_addr[11] = (uint8_t)(i + 1);
	return sid;
}

/* One segment, whole bytes: next header IPv4, 2 units, type 4, SL 0, LE 0, no flags, no tag, the SID. */
static void test_srh_bytes(void **state)
{
	static const uint8_t want[24] = {4, 2, 4, 0, 0,	  0,	0,    0,    0x24, 0,	0xdc, 0xc0,
					 0, 0, 0, 0, 0xa, 0x7a, 0x4d, 0x8e, 0xa9, 0xfe, 1,    8};
	uint8_t buf[64];
	struct sr_sid sid;

	(void)state;
	assert_int_equal(sr_sid_parse("2400:dcc0::a7a:4d8e:a9fe:108", &sid), 0);
	assert_int_equal(sr_srh_build(buf, sizeof(buf), &sid, 1, false, IPPROTO_IPIP), 24);
	assert_memory_equal(buf, want, sizeof(want));
}

static void test_srh_round_trip(void **state)
{
	(void)state;
	for (size_t n = 1; n <= SR_SEGS_MAX; n++)
		for (int reduced = 0; reduced <= 1; reduced++) {
			size_t entries = n - (size_t)reduced, len = entries ? 8 + 16 * entries : 0;
			uint8_t buf[8 + 16 * SR_SEGS_MAX];
			struct sr_sid segs[SR_SEGS_MAX];
			struct sr_srh_view v;

			for (size_t i = 0; i < n; i++)
				segs[i] = segment(i);
			memset(buf, 0xa5, sizeof(buf));
			sr_case("%zu segments%s", n, reduced ? ", reduced" : "");
			assert_int_equal(sr_srh_len(n, reduced), len);
			assert_int_equal(sr_srh_build(buf, len, segs, n, reduced, IPPROTO_IPV6), len);
			if (!len)
				continue;
			assert_int_equal(sr_srh_build(buf, len - 1, segs, n, reduced, IPPROTO_IPV6), -ENOSPC);
			assert_int_equal(sr_srh_parse(buf, sizeof(buf), &v), 0);
			assert_int_equal(v.next_header, IPPROTO_IPV6);
			assert_int_equal(v.segments_left, n - 1);
			assert_int_equal(v.last_entry, entries - 1);
			assert_int_equal(v.flags, 0);
			assert_int_equal(v.tag, 0);
			assert_int_equal(v.n_segments, entries);
			assert_int_equal(v.len, len);
			assert_int_equal(v.tlvs_len, 0);
			for (size_t i = 0; i < entries; i++)
				assert_memory_equal((const uint8_t *)v.segments + 16 * i, &segs[n - 1 - i], 16);
		}
}

static void test_srh_build_refused(void **state)
{
	struct sr_sid segs[SR_SEGS_MAX + 1] = {0};
	uint8_t buf[512];

	(void)state;
	assert_int_equal(sr_srh_build(buf, sizeof(buf), segs, 0, false, 4), -EINVAL);
	assert_int_equal(sr_srh_build(buf, sizeof(buf), segs, SR_SEGS_MAX + 1, false, 4), -EINVAL);
	assert_int_equal(sr_srh_build(buf, 0, segs, 1, true, 4), 0);
	assert_int_equal(sr_srh_len(0, false), 0);
	assert_int_equal(sr_srh_len(0, true), 0);
}

/* A header with two segments and 16 bytes of TLVs, one byte of it changed each time. */
static void test_srh_parse(void **state)
{
	static const struct {
		const char *what;
		int at, value; /* at < 0: as it is */
		size_t len;
		int rc;
	} cases[] = {
		{"as it is", -1, 0, 56, 0},
		{"followed by a payload", -1, 0, 60, 0},
		{"no fixed part", -1, 0, 7, -EBADMSG},
		{"empty", -1, 0, 0, -EBADMSG},
		{"cut off", -1, 0, 55, -EBADMSG},
		{"length beyond the buffer", 1, 7, 60, -EBADMSG},
		{"routing type 0", 2, 0, 56, -EPROTO},
		{"routing type 0, short of its own length", 2, 0, 8, -EPROTO},
		{"segments left at the first", 3, 1, 56, 0},
		{"segments left as in a reduced header", 3, 2, 56, 0},
		{"segments left one more", 3, 3, 56, -ERANGE},
		{"segments left 255", 3, 255, 56, -ERANGE},
		{"last entry 0, the rest TLVs that do not add up", 4, 0, 56, -EBADMSG},
		{"last entry in the TLVs", 4, 2, 56, 0},
		{"last entry beyond the length", 4, 3, 56, -ERANGE},
		{"last entry 255", 4, 255, 56, -ERANGE},
		{"room for no segment", 1, 0, 56, -ERANGE},
		{"room for one segment less", 1, 3, 56, -ERANGE},
		{"TLV to the very end", 43, 12, 56, 0},
		{"TLV one byte over the end", 43, 13, 56, -EBADMSG},
		{"TLV 255 bytes long", 43, 255, 56, -EBADMSG},
		{"TLV without a length", 55, 5, 56, -EBADMSG},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		/* Pad1 twice, a TLV of type 5 with 4 bytes, Pad1 to the end. */
		uint8_t buf[60] = {4, 6, 4, 0, 1, 0x80, 0x12, 0x34, [24] = 1, 0xff, [40] = 0, 0, 5, 4, 1, 1, 1, 1};
		uint8_t *exact = malloc(cases[i].len ? cases[i].len : 1); /* the sanitizer sees one byte too far */
		struct sr_srh_view v = {.len = 4711};

		if (cases[i].at >= 0)
			buf[cases[i].at] = (uint8_t)cases[i].value;
		memcpy(exact, buf, cases[i].len);
		sr_case("%s", cases[i].what);
		assert_int_equal(sr_srh_parse(exact, cases[i].len, &v), cases[i].rc);
		if (cases[i].rc) {
			assert_int_equal(v.len, 4711);
		} else {
			assert_int_equal(v.len, 56);
			assert_int_equal(v.flags, 0x80);
			assert_int_equal(v.tag, htons(0x1234));
			assert_int_equal(v.segments_left, buf[3]);
			assert_int_equal(v.n_segments, buf[4] + 1);
			assert_ptr_equal(v.segments, exact + 8);
			assert_ptr_equal(v.tlvs, exact + 8 + 16 * v.n_segments);
			assert_int_equal(v.tlvs_len, 48 - 16 * v.n_segments);
		}
		free(exact);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_locator_parse),
		cmocka_unit_test(test_locator_text_joins),
		cmocka_unit_test(test_sid),
		cmocka_unit_test(test_sid_refused),
		cmocka_unit_test(test_function_refused),
		cmocka_unit_test(test_prefix_parse),
		cmocka_unit_test(test_prefix_make),
		cmocka_unit_test(test_prefix_relations),
		cmocka_unit_test(test_srh_bytes),
		cmocka_unit_test(test_srh_round_trip),
		cmocka_unit_test(test_srh_build_refused),
		cmocka_unit_test(test_srh_parse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
