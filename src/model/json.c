// SPDX-License-Identifier: GPL-2.0-only
/* Pull reader of JSON, see json.h. */
#include "model/json.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <string.h>

static int fail(struct sr_json *r, const char *problem)
{
	r->problem = problem;
	return -EBADMSG;
}

void sr_json_init(struct sr_json *r, const char *text, size_t len)
{
	r->start = r->at = text;
	r->end = text + len;
	r->problem = NULL;
	r->depth = 0;
	r->first = false;
}

size_t sr_json_offset(const struct sr_json *r)
{
	return (size_t)(r->at - r->start);
}

/* The next character, NUL at the end of the text (where a NUL in it is wrong too). */
static char peek(const struct sr_json *r)
{
	return r->at < r->end ? *r->at : '\0';
}

static char peek_token(struct sr_json *r)
{
	while (r->at < r->end && (*r->at == ' ' || *r->at == '\n' || *r->at == '\r' || *r->at == '\t'))
		r->at++;
	return peek(r);
}

enum sr_json_kind sr_json_kind(struct sr_json *r)
{
	char c = peek_token(r);

	switch (c) {
	case '{':
		return SR_JSON_OBJECT;
	case '[':
		return SR_JSON_ARRAY;
	case '"':
		return SR_JSON_STRING;
	case 't':
	case 'f':
		return SR_JSON_BOOL;
	case 'n':
		return SR_JSON_NULL;
	default:
		return c == '-' || (c >= '0' && c <= '9') ? SR_JSON_NUMBER : SR_JSON_NONE;
	}
}

/* Strings: RFC 8259 section 7, RFC 3629 section 4 for UTF-8. */

#define REPEAT(byte) (0x0101010101010101ULL * (byte))

/*
 * Skips characters that stand for themselves: ASCII without controls, quote and backslash. Eight at a time, the first
 * in the lowest byte: the borrow of a subtraction comes from one that is none of them, so it cannot mark one before it.
 */
static const char *skip_plain(const char *p, const char *end)
{
	for (; end - p >= 8; p += 8) {
		uint64_t w, quote, backslash;

		memcpy(&w, p, sizeof(w));
		w = le64toh(w);
		quote = w ^ REPEAT('"');
		backslash = w ^ REPEAT('\\');
		w = (w | (w - REPEAT(0x20)) | (quote - REPEAT(1)) | (backslash - REPEAT(1))) & REPEAT(0x80);
		if (w)
			return p + __builtin_ctzll(w) / 8;
	}
	while (p < end && (signed char)*p >= 0x20 && *p != '"' && *p != '\\')
		p++;
	return p;
}

/* Bytes of the UTF-8 sequence at p, 0 if it is none. Its first byte is over 0x7f. */
static size_t utf8_len(const unsigned char *p, const unsigned char *end)
{
	unsigned char low = 0x80, high = 0xbf; /* what the second byte may be */
	size_t len;

	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		len = 2;
	else if (p[0] >= 0xe0 && p[0] <= 0xef)
		len = 3;
	else if (p[0] >= 0xf0 && p[0] <= 0xf4)
		len = 4;
	else
		return 0;
	if (p[0] == 0xe0)
		low = 0xa0; /* shorter form exists */
	else if (p[0] == 0xed)
		high = 0x9f; /* surrogates */
	else if (p[0] == 0xf0)
		low = 0x90; /* shorter form exists */
	else if (p[0] == 0xf4)
		high = 0x8f; /* beyond U+10FFFF */
	if ((size_t)(end - p) < len || p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

static size_t utf8_put(char *p, uint32_t c)
{
	if (c < 0x80) {
		p[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		p[0] = (char)(0xc0 | c >> 6);
		p[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		p[0] = (char)(0xe0 | c >> 12);
		p[1] = (char)(0x80 | (c >> 6 & 0x3f));
		p[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	p[0] = (char)(0xf0 | c >> 18);
	p[1] = (char)(0x80 | (c >> 12 & 0x3f));
	p[2] = (char)(0x80 | (c >> 6 & 0x3f));
	p[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/* Behind "\u": four hex digits. */
static int hex4(struct sr_json *r, uint32_t *ret)
{
	uint32_t v = 0;

	for (int i = 0; i < 4; i++, r->at++) {
		char c = peek(r);

		if (c >= '0' && c <= '9')
			v = v << 4 | (uint32_t)(c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			v = v << 4 | (uint32_t)((c | 0x20) - 'a' + 10);
		else
			return fail(r, "four hex digits expected after \\u");
	}
	*ret = v;
	return 0;
}

/* Behind "\u"; a character beyond U+FFFF is written as two surrogates. */
static int unicode_escape(struct sr_json *r, uint32_t *ret)
{
	uint32_t c, low = 0;

	if (hex4(r, &c) < 0)
		return -EBADMSG;
	if (c >= 0xd800 && c <= 0xdbff) {
		if (r->end - r->at < 2 || r->at[0] != '\\' || r->at[1] != 'u')
			return fail(r, "high surrogate without a low one");
		r->at += 2;
		if (hex4(r, &low) < 0)
			return -EBADMSG;
		if (low < 0xdc00 || low > 0xdfff)
			return fail(r, "high surrogate without a low one");
		c = 0x10000 + ((c & 0x3ff) << 10 | (low & 0x3ff));
	} else if (c >= 0xdc00 && c <= 0xdfff) {
		return fail(r, "low surrogate without a high one");
	}
	if (!c)
		return fail(r, "NUL in a string");
	*ret = c;
	return 0;
}

/* Behind the backslash. */
static int escape(struct sr_json *r, uint32_t *ret)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	char c = peek(r);
	const char *known = c ? strchr(from, c) : NULL;

	if (!known && c != 'u')
		return fail(r, "unknown escape");
	r->at++;
	if (!known)
		return unicode_escape(r, ret);
	*ret = (uint32_t)to[known - from];
	return 0;
}

/*
 * A string with something in it besides plain ASCII; `begin` is its first character, r->at the first that is not
 * plain. Written to scratch as far as it fits. Returns -EMSGSIZE, behind the string, if it did not.
 */
static int decode_string(struct sr_json *r, const char *begin, struct sr_json_str *ret)
{
	size_t n = 0;

	for (const char *from = begin;;) {
		size_t run = (size_t)(r->at - from);
		uint32_t c;

		if (n + run <= sizeof(r->scratch))
			memcpy(r->scratch + n, from, run);
		n += run;
		from = r->at;
		if (r->at == r->end)
			return fail(r, "string cut off");
		if (*r->at == '"') {
			r->at++;
			break;
		}
		if (*r->at == '\\') {
			char utf8[4];
			size_t len;

			r->at++;
			if (escape(r, &c) < 0)
				return -EBADMSG;
			len = utf8_put(utf8, c);
			if (n + len <= sizeof(r->scratch))
				memcpy(r->scratch + n, utf8, len);
			n += len;
			from = r->at;
		} else if ((signed char)*r->at >= 0) {
			return fail(r, "control character in a string");
		} else {
			size_t len = utf8_len((const unsigned char *)r->at, (const unsigned char *)r->end);

			if (!len)
				return fail(r, "not UTF-8");
			r->at += len;
		}
		r->at = skip_plain(r->at, r->end);
	}
	if (n > sizeof(r->scratch))
		return -EMSGSIZE;
	*ret = (struct sr_json_str){.s = r->scratch, .len = n};
	return 0;
}

int sr_json_string(struct sr_json *r, struct sr_json_str *ret)
{
	const char *begin = r->at + 1;

	r->at = skip_plain(begin, r->end);
	if (r->at == r->end || *r->at != '"')
		return decode_string(r, begin, ret);
	*ret = (struct sr_json_str){.s = begin, .len = (size_t)(r->at - begin)};
	r->at++;
	return 0;
}

/* Numbers: RFC 8259 section 6. */

static bool skip_digits(struct sr_json *r)
{
	const char *from = r->at;

	while (peek(r) >= '0' && peek(r) <= '9')
		r->at++;
	return r->at > from;
}

static int skip_number(struct sr_json *r, bool *ret_integer)
{
	bool integer = true;

	if (peek(r) == '-')
		r->at++;
	if (peek(r) == '0')
		r->at++;
	else if (!skip_digits(r))
		return fail(r, "digit expected");
	if (peek(r) == '.') {
		r->at++;
		integer = false;
		if (!skip_digits(r))
			return fail(r, "digit expected");
	}
	if ((peek(r) | 0x20) == 'e') {
		r->at++;
		integer = false;
		if (peek(r) == '+' || peek(r) == '-')
			r->at++;
		if (!skip_digits(r))
			return fail(r, "digit expected");
	}
	*ret_integer = integer;
	return 0;
}

int sr_json_int(struct sr_json *r, int64_t *ret)
{
	const char *p = r->at;
	bool negative = *p == '-', integer;
	int64_t v = 0;

	if (skip_number(r, &integer) < 0)
		return -EBADMSG;
	if (!integer)
		return -ERANGE;
	for (p += negative; p < r->at; p++) {
		int digit = *p - '0';

		if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, negative ? -digit : digit, &v))
			return -ERANGE;
	}
	*ret = v;
	return 0;
}

static bool skip_word(struct sr_json *r, const char *word, size_t len)
{
	if ((size_t)(r->end - r->at) < len || memcmp(r->at, word, len) != 0)
		return false;
	r->at += len;
	return true;
}

int sr_json_bool(struct sr_json *r, bool *ret)
{
	bool yes = skip_word(r, "true", 4);

	if (!yes && !skip_word(r, "false", 5))
		return fail(r, "true or false expected");
	*ret = yes;
	return 0;
}

int sr_json_null(struct sr_json *r)
{
	return skip_word(r, "null", 4) ? 0 : fail(r, "null expected");
}

int sr_json_begin(struct sr_json *r)
{
	if (r->depth == SR_JSON_DEPTH_MAX)
		return fail(r, "nested too deeply");
	r->depth++;
	r->at++;
	r->first = true;
	return 0;
}

/* Up to the next item of the innermost object or array. 1: there is one; 0: it ended. */
static int next_item(struct sr_json *r, char close, const char *expected)
{
	char c = peek_token(r);

	if (c == close) {
		r->at++;
		r->depth--;
		r->first = false;
		return 0;
	}
	if (!r->first) {
		if (c != ',')
			return fail(r, expected);
		r->at++;
		peek_token(r);
	}
	r->first = false;
	return 1;
}

int sr_json_member(struct sr_json *r, struct sr_json_str *ret)
{
	int rc = next_item(r, '}', "',' or '}' expected");

	if (rc <= 0)
		return rc;
	if (peek(r) != '"')
		return fail(r, "name of a member expected");
	rc = sr_json_string(r, ret);
	if (rc == -EMSGSIZE)
		*ret = (struct sr_json_str){.s = "", .len = 0}; /* nobody's name is so long */
	else if (rc < 0)
		return rc;
	if (peek_token(r) != ':')
		return fail(r, "':' expected");
	r->at++;
	peek_token(r);
	return 1;
}

int sr_json_element(struct sr_json *r)
{
	return next_item(r, ']', "',' or ']' expected");
}

static int skip_scalar(struct sr_json *r, enum sr_json_kind kind)
{
	struct sr_json_str str;
	bool unused;
	int rc;

	switch (kind) {
	case SR_JSON_STRING:
		rc = sr_json_string(r, &str);
		return rc == -EMSGSIZE ? 0 : rc;
	case SR_JSON_NUMBER:
		return skip_number(r, &unused);
	case SR_JSON_BOOL:
		return sr_json_bool(r, &unused);
	case SR_JSON_NULL:
		return sr_json_null(r);
	default:
		return fail(r, "value expected");
	}
}

int sr_json_skip(struct sr_json *r)
{
	uint64_t objects = 0; /* a bit for each level, the innermost last: is it an object? */
	unsigned int outside = r->depth;

	static_assert(SR_JSON_DEPTH_MAX <= 64, "a bit for each level");
	for (;;) {
		enum sr_json_kind kind = sr_json_kind(r);
		struct sr_json_str name;
		int rc;

		if (kind == SR_JSON_OBJECT || kind == SR_JSON_ARRAY) {
			rc = sr_json_begin(r);
			objects = objects << 1 | (kind == SR_JSON_OBJECT);
		} else {
			rc = skip_scalar(r, kind);
		}
		/* To the next value, leaving what ends before it. */
		while (rc == 0) {
			if (r->depth == outside)
				return 0;
			rc = objects & 1 ? sr_json_member(r, &name) : sr_json_element(r);
			if (rc == 0)
				objects >>= 1;
		}
		if (rc < 0)
			return rc;
	}
}

int sr_json_end(struct sr_json *r)
{
	peek_token(r);
	return r->at == r->end ? 0 : fail(r, "something follows the value");
}
