// SPDX-License-Identifier: GPL-2.0-only
/*
 * Text of locators, SIDs, functions and prefixes: what is accepted is written in a form that is accepted again and
 * means the same, and that form is written as it is. A locator's text, completed with a function's, is the SID's.
 */
#include "fuzz.h"
#include "srv6/srv6.h"

#include <string.h>

static void locator(const char *text)
{
	char form[SR_LOCATOR_STRLEN], again[SR_LOCATOR_STRLEN], prefix_form[SR_PREFIX_STRLEN], joined[80];
	struct sr_function fn = {0x0801fea9};
	struct sr_locator loc, back;
	struct sr_prefix prefix;
	struct sr_sid sid, want;

	if (sr_locator_parse(text, &loc) < 0)
		return;
	MUST(sr_locator_parse(sr_locator_format(&loc, form), &back) == 0);
	MUST(sr_locator_equal(&loc, &back));
	MUST(strcmp(sr_locator_format(&back, again), form) == 0);

	prefix = sr_locator_prefix(&loc);
	MUST(!sr_prefix_is_v4(&prefix));
	MUST(sr_locator_parse(sr_prefix_format(&prefix, prefix_form), &back) == 0);
	MUST(sr_locator_equal(&loc, &back));

	want = sr_sid_make(&loc, fn);
	snprintf(joined, sizeof(joined), "%s%sa9fe:108", form, form[strlen(form) - 1] == ':' ? "" : ":");
	MUST(sr_sid_parse(joined, &sid) == 0);
	MUST(memcmp(&sid, &want, sizeof(sid)) == 0);
	back = sr_sid_locator(&sid);
	MUST(sr_locator_equal(&loc, &back));
}

static void sid_and_function(const char *text)
{
	char form[SR_SID_STRLEN];
	struct sr_function fn, fn_back;
	struct sr_sid sid, back;

	if (sr_sid_parse(text, &sid) == 0) {
		MUST(sr_sid_parse(sr_sid_format(&sid, form), &back) == 0);
		MUST(memcmp(&sid, &back, sizeof(sid)) == 0);
	}
	if (sr_function_parse(text, &fn) == 0) {
		MUST(strcmp(sr_function_format(fn, form), text) == 0);
		MUST(sr_function_parse(form, &fn_back) == 0 && fn.v == fn_back.v);
	}
}

static void prefix(const char *text)
{
	char form[SR_PREFIX_STRLEN];
	struct sr_prefix p, back, same;

	if (sr_prefix_parse(text, &p) < 0)
		return;
	MUST(sr_prefix_parse(sr_prefix_format(&p, form), &back) == 0);
	MUST(sr_prefix_equal(&p, &back));
	MUST(sr_prefix_contains(&p, &back) && sr_prefix_overlaps(&p, &back));
	same = sr_prefix_is_v4(&p) ? sr_prefix_v4(sr_prefix_addr4(&p), sr_prefix_len(&p))
				   : sr_prefix_v6(&p.addr, p.len);
	MUST(sr_prefix_equal(&p, &same));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);

	locator(text);
	sid_and_function(text);
	prefix(text);
	free(text);
	return 0;
}
