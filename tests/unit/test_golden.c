// SPDX-License-Identifier: GPL-2.0-only
/*
 * The golden examples of schema/: what manifest.json calls valid decodes, and encodes to the same text; what it calls
 * the same as another encodes to that one's; what it calls invalid is refused with the error that it gives.
 */
#include "unit.h"
#include "kinds.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* A file below schema/examples, for free(). */
static char *read_example(const char *name, size_t *ret_len)
{
	char path[512], *text = malloc(SR_CODEC_VALUE_MAX);
	FILE *f;

	snprintf(path, sizeof(path), "%s/examples/%s", SR_SCHEMA_DIR, name);
	f = fopen(path, "rb");
	assert_non_null(f);
	*ret_len = fread(text, 1, SR_CODEC_VALUE_MAX, f);
	fclose(f);
	return text;
}

static json_t *read_manifest(void)
{
	json_error_t error;
	json_t *manifest = json_load_file(SR_SCHEMA_DIR "/examples/manifest.json", 0, &error);

	assert_non_null(manifest);
	return manifest;
}

static const char *member(const json_t *entry, const char *name)
{
	return json_string_value(json_object_get(entry, name));
}

static void check_valid(const struct sr_kind *kind, const json_t *entry)
{
	const char *same_as = member(entry, "same_as");
	size_t len, want_len;
	char *text = read_example(member(entry, "file"), &len), *want, *encoded;
	struct sr_codec_error err = {""};
	union sr_any object;

	if (kind->decode(text, len, &object, &err) < 0)
		fail_msg("%s", err.text);
	encoded = kind->encode(&object);
	assert_non_null(encoded);
	want = read_example(same_as ? same_as : member(entry, "file"), &want_len);
	assert_int_equal(strlen(encoded) + 1, want_len);
	assert_memory_equal(encoded, want, want_len - 1);
	assert_int_equal(want[want_len - 1], '\n');

	free(encoded);
	free(want);
	free(text);
	kind->fini(&object);
}

/* Claims have no codec: they are what docs/schema.md says, these members and no other. */
static const struct {
	const char *kind, *members[2];
} claims[] = {
	{"claim_locator", {"cluster", "node"}},
	{"claim_vrf_ip", {"vrf", NULL}},
	{"claim_address", {"port", NULL}},
};

/* {"<cluster>": "<cidr>", ...} */
static void check_vrf_cidrs(json_t *map)
{
	const char *cluster;
	json_t *cidr;

	assert_true(json_object_size(map) > 0);
	json_object_foreach (map, cluster, cidr) {
		struct sr_prefix p;

		assert_true(sr_name_valid(cluster));
		assert_int_equal(sr_prefix_parse(json_string_value(cidr), &p), 0);
		assert_true(sr_prefix_is_v4(&p));
	}
}

static void check_claim(const char *kind, const json_t *entry)
{
	size_t len, i = 0, n = 0;
	char *text = read_example(member(entry, "file"), &len);
	json_t *claim = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);

	free(text);
	assert_non_null(claim);
	while (i < ARRAY_SIZE(claims) && strcmp(claims[i].kind, kind) != 0)
		i++;
	if (i == ARRAY_SIZE(claims)) {
		assert_string_equal(kind, "vrf_cidrs");
		check_vrf_cidrs(claim);
	} else {
		for (; n < 2 && claims[i].members[n]; n++)
			assert_non_null(member(claim, claims[i].members[n]));
		assert_int_equal(json_object_size(claim), n);
	}
	json_decref(claim);
}

static void test_valid(void **state)
{
	json_t *manifest = read_manifest(), *list = json_object_get(manifest, "valid"), *entry;
	size_t i;

	(void)state;
	assert_true(json_array_size(list) > 0);
	json_array_foreach (list, i, entry) {
		const char *name = member(entry, "kind");
		const struct sr_kind *kind = sr_kind_find(name);

		sr_case("%s", member(entry, "file"));
		if (kind)
			check_valid(kind, entry);
		else
			check_claim(name, entry);
	}
	json_decref(manifest);
}

static void test_invalid(void **state)
{
	json_t *manifest = read_manifest(), *list = json_object_get(manifest, "invalid"), *entry;
	size_t i;

	(void)state;
	assert_true(json_array_size(list) > 0);
	json_array_foreach (list, i, entry) {
		const struct sr_kind *kind = sr_kind_find(member(entry, "kind"));
		struct sr_codec_error err = {""};
		union sr_any object, untouched;
		size_t len;
		char *text = read_example(member(entry, "file"), &len);

		sr_case("%s", member(entry, "file"));
		assert_non_null(kind);
		memset(&object, 0xa5, sizeof(object));
		untouched = object;
		assert_int_equal(kind->decode(text, len, &object, &err), -EBADMSG);
		assert_string_equal(err.text, member(entry, "error"));
		assert_memory_equal(&object, &untouched, sizeof(object));
		assert_int_equal(kind->decode(text, len, &object, NULL), -EBADMSG);
		free(text);
	}
	json_decref(manifest);
}

/* Each kind has an example of either sort: a new kind does not come without. */
static void test_every_kind_has_examples(void **state)
{
	static const char *const lists[] = {"valid", "invalid"};
	json_t *manifest = read_manifest(), *entry;
	size_t n;

	(void)state;
	for (size_t l = 0; l < ARRAY_SIZE(lists); l++)
		for (size_t k = 0; k < sr_n_kinds; k++) {
			bool found = false;

			json_array_foreach (json_object_get(manifest, lists[l]), n, entry) {
				if (strcmp(member(entry, "kind"), sr_kinds[k].name) == 0)
					found = true;
			}
			sr_case("%s %s", lists[l], sr_kinds[k].name);
			assert_true(found);
		}
	json_decref(manifest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_valid),
		cmocka_unit_test(test_invalid),
		cmocka_unit_test(test_every_kind_has_examples),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
