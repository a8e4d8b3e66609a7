/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * model/json.h - a reader of JSON (RFC 8259) that pulls values out of the text in one pass.
 *
 * The caller says what it wants next; nothing is built and nothing allocated. Strict: UTF-8 is checked (overlong forms
 * and surrogates refused), escapes too, numbers follow the grammar, nesting is bounded. U+0000 in a string is refused,
 * for strings become C strings. Duplicate names are the caller's to refuse.
 *
 *   sr_json_init(&r, text, len);
 *   rc = sr_json_begin(&r);                          at a value of kind OBJECT
 *   while (!rc && (rc = sr_json_member(&r, &name)) > 0)
 *           rc = ... exactly one of sr_json_string, _int, _bool, _null, _skip, or _begin for what is nested
 *   if (!rc)
 *           rc = sr_json_end(&r);                    nothing may follow
 *
 * Text that is not JSON is -EBADMSG; r.problem then says what is wrong and sr_json_offset where. After an error the
 * reader must not be used on. Each getter must be called at a value of its kind; ask sr_json_kind first.
 */
#ifndef SR_MODEL_JSON_H
#define SR_MODEL_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SR_JSON_DEPTH_MAX 32
#define SR_JSON_SCRATCH 1024 /* the longest string with escapes that can be got, in bytes without them */

enum sr_json_kind {
	SR_JSON_NONE, /* no value starts here */
	SR_JSON_OBJECT,
	SR_JSON_ARRAY,
	SR_JSON_STRING,
	SR_JSON_NUMBER,
	SR_JSON_BOOL,
	SR_JSON_NULL,
};

/* Without a NUL. Points into the text or the reader; valid until the next call on it. */
struct sr_json_str {
	const char *s;
	size_t len;
};

struct sr_json {
	const char *start, *at, *end; /* the text is borrowed */
	const char *problem;	      /* static; NULL as long as the text was JSON */
	unsigned int depth;
	bool first; /* nothing yet in the innermost object or array */
	char scratch[SR_JSON_SCRATCH];
};

void sr_json_init(struct sr_json *r, const char *text, size_t len);
/* The next value's kind, by its first character. */
enum sr_json_kind sr_json_kind(struct sr_json *r);

/* Enters an object or array. */
int sr_json_begin(struct sr_json *r);
/* 1: at the value of the next member, *ret is its name; 0: the object has ended. */
int sr_json_member(struct sr_json *r, struct sr_json_str *ret);
/* 1: at the next element; 0: the array has ended. */
int sr_json_element(struct sr_json *r);

/* -EMSGSIZE: has escapes and is longer than SR_JSON_SCRATCH. */
int sr_json_string(struct sr_json *r, struct sr_json_str *ret);
/* -ERANGE: a number, but not an integer that fits (1.0 and 1e3 do not count as integers). */
int sr_json_int(struct sr_json *r, int64_t *ret);
int sr_json_bool(struct sr_json *r, bool *ret);
int sr_json_null(struct sr_json *r);
/* Any value, checked as if it were wanted. */
int sr_json_skip(struct sr_json *r);
/* Only white space is left? */
int sr_json_end(struct sr_json *r);

/* Where the reader stands, in bytes from the start. */
size_t sr_json_offset(const struct sr_json *r);

#endif
