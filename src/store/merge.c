/* SPDX-License-Identifier: GPL-2.0-only */
#include "store/merge.h"

#include <jansson.h>

static json_t *merge(json_t *found, json_t *known, json_t *wanted);

/* Returns a new reference, as all here; takes borrowed ones. */
static json_t *merge_object(json_t *found, json_t *known, json_t *wanted)
{
	json_t *merged = json_object(), *value;
	const char *name;

	json_object_foreach (wanted, name, value) {
		json_t *old = json_object_get(found, name);

		json_object_set_new(merged, name,
				    old ? merge(old, json_object_get(known, name), value) : json_incref(value));
	}
	json_object_foreach (found, name, value)
		if (!json_object_get(known, name) && !json_object_get(wanted, name))
			json_object_set(merged, name, value);
	return merged;
}

static json_t *merge_item(json_t *found, json_t *known, json_t *wanted)
{
	for (size_t i = 0; i < json_array_size(known); i++)
		if (json_equal(json_array_get(known, i), wanted))
			return json_incref(json_array_get(found, i));
	return json_incref(wanted);
}

static json_t *merge_array(json_t *found, json_t *known, json_t *wanted)
{
	json_t *merged = json_array(), *value;
	size_t i;

	json_array_foreach (wanted, i, value)
		json_array_append_new(merged, merge_item(found, known, value));
	return merged;
}

static json_t *merge(json_t *found, json_t *known, json_t *wanted)
{
	if (json_is_object(found) && json_is_object(known) && json_is_object(wanted))
		return merge_object(found, known, wanted);
	if (json_is_array(known) && json_array_size(known) == json_array_size(found) && json_is_array(wanted))
		return merge_array(found, known, wanted);
	return json_incref(wanted);
}

char *sr_merge(const char *found, size_t found_len, const char *known, const char *wanted)
{
	json_t *f = json_loadb(found, found_len, 0, NULL);
	json_t *k = json_loads(known, 0, NULL);
	json_t *w = json_loads(wanted, 0, NULL);
	json_t *merged = f && k && w ? merge(f, k, w) : NULL;
	char *text = merged ? json_dumps(merged, JSON_COMPACT) : NULL;

	json_decref(merged);
	json_decref(w);
	json_decref(k);
	json_decref(f);
	return text;
}
