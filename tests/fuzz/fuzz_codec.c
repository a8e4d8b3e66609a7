// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every decoder on every input: what one accepts, jansson accepts too (but for numbers too large for it), and it
 * encodes to text that decodes to the same object. What is refused is refused with a reason.
 */
#include "fuzz.h"
#include "kinds.h"

#include <jansson.h>
#include <string.h>

static void jansson_accepts(const char *text, size_t len)
{
	json_error_t error;
	json_t *tree = json_loadb(text, len, 0, &error);

	MUST(tree || json_error_code(&error) == json_error_numeric_overflow);
	json_decref(tree);
}

/* Two objects are the same if they are written the same: the encoder leaves no field out. */
static void round_trip(const struct sr_kind *kind, const union sr_any *object)
{
	char *text = kind->encode(object), *again;
	struct sr_codec_error err;
	union sr_any back;

	MUST(text);
	MUST(kind->decode(text, strlen(text), &back, &err) == 0);
	again = kind->encode(&back);
	MUST(again && strcmp(text, again) == 0);
	kind->fini(&back);
	free(again);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size ? size : 1);

	memcpy(text, data, size);
	for (size_t i = 0; i < sr_n_kinds; i++) {
		struct sr_codec_error err = {""};
		union sr_any object;

		if (sr_kinds[i].decode(text, size, &object, &err) < 0) {
			MUST(err.text[0]);
			continue;
		}
		jansson_accepts(text, size);
		round_trip(&sr_kinds[i], &object);
		sr_kinds[i].fini(&object);
	}
	free(text);
	return 0;
}
