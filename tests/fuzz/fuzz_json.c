// SPDX-License-Identifier: GPL-2.0-only
/*
 * The JSON reader against jansson: what either accepts, the other does too, but for numbers too large for jansson, our
 * bound on nesting, and NUL bytes outside of strings, where jansson sees the end.
 */
#include "fuzz.h"
#include "model/json.h"

#include <jansson.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size ? size : 1);
	struct sr_json r;
	json_error_t error;
	json_t *tree;
	int rc;

	memcpy(text, data, size);
	sr_json_init(&r, text, size);
	rc = sr_json_skip(&r);
	if (!rc)
		rc = sr_json_end(&r);
	MUST(sr_json_offset(&r) <= size && !rc == !r.problem);

	tree = json_loadb(text, size, JSON_DECODE_ANY, &error);
	if (!rc && !tree)
		MUST(json_error_code(&error) == json_error_numeric_overflow);
	if (rc && tree)
		MUST(strcmp(r.problem, "nested too deeply") == 0 || memchr(text, '\0', size));
	json_decref(tree);
	free(text);
	return 0;
}
