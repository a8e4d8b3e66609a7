// SPDX-License-Identifier: GPL-2.0-only
/* model/json.h: every rule of RFC 8259 that the reader enforces, and what it hands out. */
#include "unit.h"
#include "model/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * Reads a copy of exactly the text's size, so that the sanitizer sees a byte read too far. Returns what skipping one
 * value and looking for the end do; *ret_problem and *ret_at tell about an error.
 */
static int skip_all(const char *text, size_t len, const char **ret_problem, size_t *ret_at)
{
	char *copy = malloc(len ? len : 1);
	struct sr_json r;
	int rc;

	memcpy(copy, text, len);
	sr_json_init(&r, copy, len);
	rc = sr_json_skip(&r);
	if (!rc)
		rc = sr_json_end(&r);
	*ret_problem = r.problem;
	*ret_at = sr_json_offset(&r);
	free(copy);
	return rc;
}

static const struct {
	const char *text;
	const char *problem; /* NULL: it is JSON */
	size_t at;
} texts[] = {
	/* Values and white space. */
	{"null", NULL, 0},
	{" \t\r\n true \t\r\n ", NULL, 0},
	{"false", NULL, 0},
	{"[]", NULL, 0},
	{"{}", NULL, 0},
	{"[ ]", NULL, 0},
	{"{ }", NULL, 0},
	{"[1,\"a\",null,[],{},[[]]]", NULL, 0},
	{"{\"a\":{\"b\":[{}]},\"\":2 , \"a\" : 3}", NULL, 0},
	{"", "value expected", 0},
	{"  ", "value expected", 2},
	{"x", "value expected", 0},
	{"nul", "null expected", 0},
	{"nulL", "null expected", 0},
	{"tru", "true or false expected", 0},
	{"falsE", "true or false expected", 0},
	{"truefalse", "something follows the value", 4},
	{"1 2", "something follows the value", 2},
	{"\f1", "value expected", 0},
	{"\xef\xbb\xbf{}", "value expected", 0},
	{"'a'", "value expected", 0},
	{"/**/1", "value expected", 0},
	/* Arrays and objects. */
	{"[", "value expected", 1},
	{"[1", "',' or ']' expected", 2},
	{"[1,", "value expected", 3},
	{"[1,]", "value expected", 3},
	{"[,1]", "value expected", 1},
	{"[1 2]", "',' or ']' expected", 3},
	{"[1}", "',' or ']' expected", 2},
	{"[1]]", "something follows the value", 3},
	{"{", "name of a member expected", 1},
	{"{,", "name of a member expected", 1},
	{"{1:2}", "name of a member expected", 1},
	{"{\"a\"", "':' expected", 4},
	{"{\"a\" 1}", "':' expected", 5},
	{"{\"a\":", "value expected", 5},
	{"{\"a\":}", "value expected", 5},
	{"{\"a\":1", "',' or '}' expected", 6},
	{"{\"a\":1,}", "name of a member expected", 7},
	{"{\"a\":1]", "',' or '}' expected", 6},
	{"{\"a\\x\":1}", "unknown escape", 4},
	/* Numbers. */
	{"0", NULL, 0},
	{"-0", NULL, 0},
	{"-12", NULL, 0},
	{"0.5", NULL, 0},
	{"1.25e+10", NULL, 0},
	{"1E-3", NULL, 0},
	{"1e5", NULL, 0},
	{"01", "something follows the value", 1},
	{"-", "digit expected", 1},
	{"-a", "digit expected", 1},
	{"+1", "value expected", 0},
	{".5", "value expected", 0},
	{"1.", "digit expected", 2},
	{"1.e5", "digit expected", 2},
	{"1e", "digit expected", 2},
	{"1e+", "digit expected", 3},
	{"0x10", "something follows the value", 1},
	{"NaN", "value expected", 0},
	{"-Infinity", "digit expected", 1},
	/* Strings and escapes. */
	{"\"\"", NULL, 0},
	{"\"\x7f\"", NULL, 0},
	{"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\"", NULL, 0},
	{"\"\\ud83d\\ude00\\uD83D\\uDE00\"", NULL, 0},
	{"\"", "string cut off", 1},
	{"\"abc", "string cut off", 4},
	{"\"abcdefghijkl", "string cut off", 13},
	{"\"\\", "unknown escape", 2},
	{"\"\\\"", "string cut off", 3},
	{"\"\\'\"", "unknown escape", 2},
	{"\"\\U0041\"", "unknown escape", 2},
	{"\"\\u004\"", "four hex digits expected after \\u", 6},
	{"\"\\u00", "four hex digits expected after \\u", 5},
	{"\"\\u00g0\"", "four hex digits expected after \\u", 5},
	{"\"\\u00@0\"", "four hex digits expected after \\u", 5},
	{"\"\\u0000\"", "NUL in a string", 7},
	{"\"\\ud83d\"", "high surrogate without a low one", 7},
	{"\"\\ud83dab\"", "high surrogate without a low one", 7},
	{"\"\\ud83d\\n\"", "high surrogate without a low one", 7},
	{"\"\\ud83d\\u0041\"", "high surrogate without a low one", 13},
	{"\"\\ud83d\\ud83d\"", "high surrogate without a low one", 13},
	{"\"\\ud83d\\u00\"", "four hex digits expected after \\u", 11},
	{"\"\\ude00\"", "low surrogate without a high one", 7},
	{"\"a\nb\"", "control character in a string", 2},
	{"\"\x1f\"", "control character in a string", 1},
	{"\"0123456\x01 and so on\"", "control character in a string", 8},
	{"\"0123456\x1f and so on\"", "control character in a string", 8},
	{"\"0123456\x20 and so on\"", NULL, 0},
	/* UTF-8: first and last of each length, and one beyond. */
	{"\"\xc2\x80\xdf\xbf\"", NULL, 0},
	{"\"\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\"", NULL, 0},
	{"\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"", NULL, 0},
	{"\"\x80\"", "not UTF-8", 1},
	{"\"\xbf\"", "not UTF-8", 1},
	{"\"\xc0\x80\"", "not UTF-8", 1},
	{"\"\xc1\xbf\"", "not UTF-8", 1},
	{"\"\xc2\"", "not UTF-8", 1},
	{"\"\xc2", "not UTF-8", 1},
	{"\"\xc2\x7f\"", "not UTF-8", 1},
	{"\"\xc2\xc0\"", "not UTF-8", 1},
	{"\"\xe0\x9f\xbf\"", "not UTF-8", 1},
	{"\"\xed\xa0\x80\"", "not UTF-8", 1},
	{"\"\xe2\x82\"", "not UTF-8", 1},
	{"\"\xe2\x82", "not UTF-8", 1},
	{"\"\xe2\x82\xc0\"", "not UTF-8", 1},
	{"\"\xf0\x8f\xbf\xbf\"", "not UTF-8", 1},
	{"\"\xf4\x90\x80\x80\"", "not UTF-8", 1},
	{"\"\xf1\x80\x80 \"", "not UTF-8", 1},
	{"\"\xf5\x80\x80\x80\"", "not UTF-8", 1},
	{"\"\xff\"", "not UTF-8", 1},
};

static void test_texts(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		const char *problem;
		size_t at;
		int rc = skip_all(texts[i].text, strlen(texts[i].text), &problem, &at);

		sr_case("%s", texts[i].text);
		if (!texts[i].problem) {
			assert_int_equal(rc, 0);
			assert_null(problem);
			assert_int_equal(at, strlen(texts[i].text));
			continue;
		}
		assert_int_equal(rc, -EBADMSG);
		assert_non_null(problem);
		assert_string_equal(problem, texts[i].problem);
		assert_int_equal(at, texts[i].at);
	}
}

/* Every way to cut a text short is refused, and reads nothing beyond. */
static void test_prefixes(void **state)
{
	static const char text[] = "{\"a\":[1.5e3,true,null,\"\\ud83d\\ude00\xe2\x82\xac\"],\"b\":{}}";
	const char *problem;
	size_t at;

	(void)state;
	for (size_t len = 0; len < sizeof(text) - 1; len++)
		assert_int_equal(skip_all(text, len, &problem, &at), -EBADMSG);
	assert_int_equal(skip_all(text, sizeof(text) - 1, &problem, &at), 0);
}

static void test_nul_byte(void **state)
{
	const char *problem;
	size_t at;

	(void)state;
	assert_int_equal(skip_all("[1\0]", 4, &problem, &at), -EBADMSG);
	assert_int_equal(skip_all("\"\0\"", 3, &problem, &at), -EBADMSG);
	assert_int_equal(skip_all("\"\\\0\"", 4, &problem, &at), -EBADMSG);
	assert_int_equal(skip_all("1\0", 2, &problem, &at), -EBADMSG);
}

static void test_depth(void **state)
{
	char text[2 * SR_JSON_DEPTH_MAX + 2];
	const char *problem;
	size_t at;

	(void)state;
	memset(text, '[', SR_JSON_DEPTH_MAX + 1);
	memset(text + SR_JSON_DEPTH_MAX + 1, ']', SR_JSON_DEPTH_MAX + 1);
	assert_int_equal(skip_all(text + 1, sizeof(text) - 2, &problem, &at), 0);
	assert_int_equal(skip_all(text, sizeof(text), &problem, &at), -EBADMSG);
	assert_string_equal(problem, "nested too deeply");
}

/* Quotes, backslashes and others at every place of the words that are looked at eight bytes at a time. */
static void test_string_alignment(void **state)
{
	(void)state;
	for (size_t n = 0; n < 40; n++) {
		char text[64], want[64];
		struct sr_json_str str;
		struct sr_json r;

		memset(text, 'x', sizeof(text));
		text[0] = text[n + 1] = '"';
		sr_json_init(&r, text, sizeof(text));
		assert_int_equal(sr_json_string(&r, &str), 0);
		assert_int_equal(str.len, n);
		assert_ptr_equal(str.s, text + 1);
		assert_int_equal(sr_json_offset(&r), n + 2);

		/* x...\\ t x" is n x, a tab, an x. */
		text[n + 1] = '\\';
		text[n + 2] = 't';
		text[n + 4] = '"';
		memset(want, 'x', sizeof(want));
		want[n] = '\t';
		sr_json_init(&r, text, sizeof(text));
		assert_int_equal(sr_json_string(&r, &str), 0);
		assert_int_equal(str.len, n + 2);
		assert_memory_equal(str.s, want, n + 2);
	}
}

static void test_string_values(void **state)
{
	static const struct {
		const char *text, *value;
	} cases[] = {
		{"\"plain\"", "plain"},
		{"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t"},
		{"\"\\u0001\\u007f\\u0080\\u07ff\\u0800\\uffff\"", "\x01\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf"},
		{"\"\\ud800\\udc00\\udbff\\udfff\"", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"},
		{"\"\\uABCD\\uabcd\"", "\xea\xaf\x8d\xea\xaf\x8d"},
		{"\"a\xe2\x82\xac\\u20ac z\"", "a\xe2\x82\xac\xe2\x82\xac z"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sr_json_str str;
		struct sr_json r;

		sr_case("%s", cases[i].text);
		sr_json_init(&r, cases[i].text, strlen(cases[i].text));
		assert_int_equal(sr_json_kind(&r), SR_JSON_STRING);
		assert_int_equal(sr_json_string(&r, &str), 0);
		assert_int_equal(str.len, strlen(cases[i].value));
		assert_memory_equal(str.s, cases[i].value, str.len);
		assert_int_equal(sr_json_end(&r), 0);
	}
}

/* Text of n bytes, the last one escaped; plus whether it can be got. */
static void check_long(size_t n, int want)
{
	char text[SR_JSON_SCRATCH + 64];
	struct sr_json_str str;
	struct sr_json r;

	memset(text, 'x', sizeof(text));
	text[0] = '"';
	text[n] = '\\';
	text[n + 1] = 'n';
	text[n + 2] = '"';
	sr_json_init(&r, text, n + 3);
	assert_int_equal(sr_json_string(&r, &str), want);
	if (!want)
		assert_int_equal(str.len, n);
	assert_int_equal(sr_json_end(&r), 0);
	sr_json_init(&r, text, n + 3);
	assert_int_equal(sr_json_skip(&r), 0);
}

static void test_string_scratch(void **state)
{
	char name_of_1100[1100], text[1200];
	struct sr_json_str name;
	struct sr_json r;
	int len;

	(void)state;
	check_long(SR_JSON_SCRATCH - 1, 0);
	check_long(SR_JSON_SCRATCH, 0);
	check_long(SR_JSON_SCRATCH + 1, -EMSGSIZE);
	check_long(SR_JSON_SCRATCH + 2, -EMSGSIZE);

	/* A member's name that is too long is nobody's; what it names can be skipped. */
	memset(name_of_1100, 'x', sizeof(name_of_1100));
	len = snprintf(text, sizeof(text), "{\"\\n%.*s\":1}", (int)sizeof(name_of_1100), name_of_1100);
	sr_json_init(&r, text, (size_t)len);
	assert_int_equal(sr_json_begin(&r), 0);
	assert_int_equal(sr_json_member(&r, &name), 1);
	assert_int_equal(name.len, 0);
	assert_int_equal(sr_json_skip(&r), 0);
	assert_int_equal(sr_json_member(&r, &name), 0);
	assert_int_equal(sr_json_end(&r), 0);
}

static void test_int(void **state)
{
	static const struct {
		const char *text;
		int rc;
		int64_t value;
	} cases[] = {
		{"0", 0, 0},
		{"-0", 0, 0},
		{"42", 0, 42},
		{"-42", 0, -42},
		{"9223372036854775807", 0, INT64_MAX},
		{"-9223372036854775808", 0, INT64_MIN},
		{"9223372036854775808", -ERANGE, 0},
		{"-9223372036854775809", -ERANGE, 0},
		{"99999999999999999999", -ERANGE, 0},
		{"1.0", -ERANGE, 0},
		{"1e3", -ERANGE, 0},
		{"-", -EBADMSG, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int64_t v = 4711;
		struct sr_json r;

		sr_case("%s", cases[i].text);
		sr_json_init(&r, cases[i].text, strlen(cases[i].text));
		assert_int_equal(sr_json_kind(&r), SR_JSON_NUMBER);
		assert_int_equal(sr_json_int(&r, &v), cases[i].rc);
		assert_int_equal(v, cases[i].rc ? 4711 : cases[i].value);
	}
}

static void test_walk(void **state)
{
	static const char text[] = " { \"n\" : -7 , \"l\" : [ true , false ] , \"o\" : null , \"s\" : {\"x\":[1]} } ";
	struct sr_json_str name;
	struct sr_json r;
	bool b = false;
	int64_t v;

	(void)state;
	sr_json_init(&r, text, sizeof(text) - 1);
	assert_int_equal(sr_json_kind(&r), SR_JSON_OBJECT);
	assert_int_equal(sr_json_begin(&r), 0);
	assert_int_equal(sr_json_member(&r, &name), 1);
	assert_memory_equal(name.s, "n", 1);
	assert_int_equal(sr_json_int(&r, &v), 0);
	assert_int_equal(v, -7);
	assert_int_equal(sr_json_member(&r, &name), 1);
	assert_int_equal(sr_json_kind(&r), SR_JSON_ARRAY);
	assert_int_equal(sr_json_begin(&r), 0);
	assert_int_equal(sr_json_element(&r), 1);
	assert_int_equal(sr_json_kind(&r), SR_JSON_BOOL);
	assert_int_equal(sr_json_bool(&r, &b), 0);
	assert_true(b);
	assert_int_equal(sr_json_element(&r), 1);
	assert_int_equal(sr_json_kind(&r), SR_JSON_BOOL);
	assert_int_equal(sr_json_bool(&r, &b), 0);
	assert_false(b);
	assert_int_equal(sr_json_element(&r), 0);
	assert_int_equal(sr_json_member(&r, &name), 1);
	assert_int_equal(sr_json_kind(&r), SR_JSON_NULL);
	assert_int_equal(sr_json_null(&r), 0);
	assert_int_equal(sr_json_member(&r, &name), 1);
	assert_int_equal(sr_json_skip(&r), 0);
	assert_int_equal(sr_json_member(&r, &name), 0);
	assert_int_equal(sr_json_end(&r), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_nul_byte),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_string_alignment),
		cmocka_unit_test(test_string_values),
		cmocka_unit_test(test_string_scratch),
		cmocka_unit_test(test_int),
		cmocka_unit_test(test_walk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
