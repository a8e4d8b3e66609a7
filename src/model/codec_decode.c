// SPDX-License-Identifier: GPL-2.0-only
/*
 * The decoder: pulls an object's fields out of JSON text as its schema says, in one pass and without allocation (but
 * for the rules of an sr_encap). Fields usually come in the schema's order, so the search for a name starts behind the
 * one found last.
 */
#include "model/codec.h"

#include "model/codec_fields.h"
#include "model/json.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static_assert(SR_LABEL_SIZE <= SR_JSON_SCRATCH, "every text that a member can hold can be read");

struct decoder {
	struct sr_json json;
	const char *list; /* the list that we are in, and where; NULL: in the object itself */
	size_t index;
	struct sr_codec_error *err;
};

static int decode_object(struct decoder *d, const struct sr_schema *schema, void *object);

/* name: of the member at fault, "" if it is the list's item itself. */
static int fail(struct decoder *d, const char *name, const char *problem)
{
	char *text = d->err->text;
	size_t size = sizeof(d->err->text);

	if (!d->list)
		snprintf(text, size, "%s: %s", name, problem);
	else if (!name[0])
		snprintf(text, size, "%s[%zu]: %s", d->list, d->index, problem);
	else
		snprintf(text, size, "%s[%zu].%s: %s", d->list, d->index, name, problem);
	return -EBADMSG;
}

static int fail_json(struct decoder *d, const char *problem)
{
	snprintf(d->err->text, sizeof(d->err->text), "byte %zu: %s", sr_json_offset(&d->json), problem);
	return -EBADMSG;
}

/* The reader is at a value of this kind? */
static int expect(struct decoder *d, const char *name, enum sr_json_kind kind)
{
	static const char *const wrong[] = {
		[SR_JSON_OBJECT] = "an object expected",   [SR_JSON_ARRAY] = "a list expected",
		[SR_JSON_STRING] = "a string expected",	   [SR_JSON_NUMBER] = "a number expected",
		[SR_JSON_BOOL] = "true or false expected",
	};
	enum sr_json_kind there = sr_json_kind(&d->json);

	if (there == kind)
		return 0;
	return there == SR_JSON_NONE ? fail_json(d, "value expected") : fail(d, name, wrong[kind]);
}

static int decode_text(struct decoder *d, const char *name, const struct sr_text_type *type, void *member, size_t size)
{
	struct sr_json_str str;
	char text[SR_LABEL_SIZE];
	int rc = expect(d, name, SR_JSON_STRING);

	if (rc < 0)
		return rc;
	rc = sr_json_string(&d->json, &str);
	if (rc == -EBADMSG)
		return fail_json(d, d->json.problem);
	if (rc < 0 || str.len >= sizeof(text))
		return fail(d, name, type->wrong);
	memcpy(text, str.s, str.len);
	text[str.len] = '\0';
	return type->parse(text, str.len, member, size) < 0 ? fail(d, name, type->wrong) : 0;
}

static int decode_int(struct decoder *d, const struct sr_field *f, int64_t *ret)
{
	int rc = expect(d, f->name, SR_JSON_NUMBER);
	int64_t v;

	if (rc < 0)
		return rc;
	rc = sr_json_int(&d->json, &v);
	if (rc == -EBADMSG)
		return fail_json(d, d->json.problem);
	if (rc < 0 || v > f->max || (v < f->min && !(f->kind == SR_FIELD_U32 && v == 0)))
		return fail(d, f->name, "not an integer in its bounds");
	*ret = v;
	return 0;
}

/* Room for an array behind a pointer doubles; returns item n, NULL if out of memory. */
static void *owned_item(void **array, size_t n, size_t size)
{
	if ((n & (n - 1)) == 0) {
		void *grown = reallocarray(*array, n ? 2 * n : 1, size);

		if (!grown)
			return NULL;
		*array = grown;
	}
	return memset((char *)*array + n * size, 0, size);
}

static int decode_item(struct decoder *d, const struct sr_field *f, void *item)
{
	int rc;

	if (f->kind == SR_FIELD_SIDS)
		return decode_text(d, f->name, &sr_text_sid, item, f->size);
	rc = expect(d, "", SR_JSON_OBJECT);
	return rc < 0 ? rc : decode_object(d, f->items, item);
}

/* The count is kept up to date on the way: whoever cleans up after a failure goes by it. */
static int decode_list(struct decoder *d, const struct sr_field *f, char *object)
{
	size_t *count = (size_t *)(object + f->count);
	void *array = object + f->offset;
	int rc = expect(d, f->name, SR_JSON_ARRAY);

	if (rc < 0)
		return rc;
	rc = sr_json_begin(&d->json);
	while (!rc && (rc = sr_json_element(&d->json)) > 0) {
		void *item;

		if (*count == (size_t)f->max)
			return fail(d, f->name, "too many items");
		item = f->kind == SR_FIELD_OWNED ? owned_item(array, *count, f->size)
						 : (char *)array + *count * f->size;
		if (!item) {
			snprintf(d->err->text, sizeof(d->err->text), "%s: out of memory", f->name);
			return -ENOMEM;
		}
		if (f->items) {
			d->list = f->name;
			d->index = *count;
		}
		rc = decode_item(d, f, item);
		if (rc < 0)
			return rc;
		if (f->items)
			d->list = NULL;
		++*count;
	}
	if (rc < 0)
		return fail_json(d, d->json.problem);
	return *count < (size_t)f->min ? fail(d, f->name, "empty") : 0;
}

static int decode_sids(struct decoder *d, const struct sr_field *f, char *object)
{
	int rc;

	if (sr_json_kind(&d->json) == SR_JSON_ARRAY)
		return decode_list(d, f, object);
	rc = decode_text(d, f->name, &sr_text_sid, object + f->offset, f->size);
	if (rc < 0)
		return rc;
	*(size_t *)(object + f->count) = 1;
	return 0;
}

static int decode_field(struct decoder *d, const struct sr_field *f, char *object)
{
	char *member = object + f->offset;
	int64_t v = 0;
	int rc;

	switch (f->kind) {
	case SR_FIELD_TEXT:
		rc = decode_text(d, f->name, f->text, member, f->size);
		if (!rc && f->has)
			*(bool *)(object + f->has) = true;
		return rc;
	case SR_FIELD_BOOL:
		rc = expect(d, f->name, SR_JSON_BOOL);
		if (rc < 0)
			return rc;
		return sr_json_bool(&d->json, (bool *)member) < 0 ? fail_json(d, d->json.problem) : 0;
	case SR_FIELD_U32:
		rc = decode_int(d, f, &v);
		*(uint32_t *)member = (uint32_t)v;
		return rc;
	case SR_FIELD_I64:
		return decode_int(d, f, (int64_t *)member);
	case SR_FIELD_SIDS:
		return decode_sids(d, f, object);
	case SR_FIELD_LIST:
	case SR_FIELD_OWNED:
		break;
	}
	return decode_list(d, f, object);
}

/* Index of the field of this name, looked for from `next` on; n_fields if it is none. */
static size_t find_field(const struct sr_schema *schema, const struct sr_json_str *name, size_t next)
{
	for (size_t n = 0, i = next; n < schema->n_fields; n++, i++) {
		const struct sr_field *f;

		if (i >= schema->n_fields)
			i = 0;
		f = &schema->fields[i];
		if (f->name_len == name->len && memcmp(f->name, name->s, name->len) == 0)
			return i;
	}
	return schema->n_fields;
}

static int decode_member(struct decoder *d, const struct sr_field *f, uint32_t bit, uint32_t *seen, void *object)
{
	if (*seen & bit)
		return fail(d, f->name, "given twice");
	*seen |= bit;
	if (!f->required && sr_json_kind(&d->json) == SR_JSON_NULL)
		return sr_json_null(&d->json) < 0 ? fail_json(d, d->json.problem) : 0;
	return decode_field(d, f, object);
}

/* The reader is at an object. */
static int decode_object(struct decoder *d, const struct sr_schema *schema, void *object)
{
	struct sr_json_str name;
	uint32_t seen = 0;
	size_t next = 0;
	int rc = sr_json_begin(&d->json);

	while (!rc && (rc = sr_json_member(&d->json, &name)) > 0) {
		size_t i = find_field(schema, &name, next);

		if (i == schema->n_fields) {
			rc = sr_json_skip(&d->json);
			continue;
		}
		rc = decode_member(d, &schema->fields[i], 1u << i, &seen, object);
		if (rc < 0)
			return rc;
		next = i + 1;
	}
	if (rc < 0)
		return fail_json(d, d->json.problem);
	for (size_t i = 0; i < schema->n_fields; i++)
		if (schema->fields[i].required && !(seen & 1u << i))
			return fail(d, schema->fields[i].name, "missing");
	return 0;
}

static_assert(SR_FIELDS_MAX <= 32, "a bit for each field");

/* object: its defaults. Left half-decoded on failure. */
static int decode(const struct sr_schema *schema, const char *json, size_t len, void *object,
		  struct sr_codec_error *err)
{
	struct sr_codec_error ignored;
	struct decoder d;
	const char *wrong;
	int rc;

	d.list = NULL;
	d.err = err ? err : &ignored;
	if (len > SR_CODEC_VALUE_MAX) {
		snprintf(d.err->text, sizeof(d.err->text), "%zu bytes, %zu are the most", len, SR_CODEC_VALUE_MAX);
		return -EMSGSIZE;
	}
	sr_json_init(&d.json, json, len);
	if (sr_json_kind(&d.json) != SR_JSON_OBJECT)
		return fail_json(&d, "not an object");
	rc = decode_object(&d, schema, object);
	if (rc < 0)
		return rc;
	if (sr_json_end(&d.json) < 0)
		return fail_json(&d, d.json.problem);
	wrong = schema->check ? schema->check(object) : NULL;
	if (wrong) {
		snprintf(d.err->text, sizeof(d.err->text), "%s", wrong);
		return -EBADMSG;
	}
	return 0;
}

int sr_node_decode(const char *json, size_t len, struct sr_node *ret, struct sr_codec_error *err)
{
	struct sr_node node = {0};
	int rc = decode(&sr_schema_node, json, len, &node, err);

	if (!rc)
		*ret = node;
	return rc;
}

int sr_vrf_decode(const char *json, size_t len, struct sr_vrf *ret, struct sr_codec_error *err)
{
	struct sr_vrf vrf = {0};
	int rc = decode(&sr_schema_vrf, json, len, &vrf, err);

	if (!rc)
		*ret = vrf;
	return rc;
}

int sr_port_decode(const char *json, size_t len, struct sr_port *ret, struct sr_codec_error *err)
{
	struct sr_port port = {.admin_state_up = true};
	int rc = decode(&sr_schema_port, json, len, &port, err);

	if (!rc)
		*ret = port;
	return rc;
}

int sr_binding_decode(const char *json, size_t len, struct sr_binding *ret, struct sr_codec_error *err)
{
	struct sr_binding binding = {0};
	int rc = decode(&sr_schema_binding, json, len, &binding, err);

	if (!rc)
		*ret = binding;
	return rc;
}

int sr_binding_profile_decode(const char *json, size_t len, struct sr_binding_profile *ret, struct sr_codec_error *err)
{
	struct sr_binding_profile profile = {0};
	int rc = decode(&sr_schema_binding_profile, json, len, &profile, err);

	if (!rc)
		*ret = profile;
	return rc;
}

int sr_encap_decode(const char *json, size_t len, struct sr_encap *ret, struct sr_codec_error *err)
{
	struct sr_encap encap = {0};
	int rc = decode(&sr_schema_encap, json, len, &encap, err);

	if (!rc)
		*ret = encap;
	else
		sr_encap_fini(&encap);
	return rc;
}

int sr_node_status_decode(const char *json, size_t len, struct sr_node_status *ret, struct sr_codec_error *err)
{
	struct sr_node_status status = {0};
	int rc = decode(&sr_schema_node_status, json, len, &status, err);

	if (!rc)
		*ret = status;
	return rc;
}

int sr_port_status_decode(const char *json, size_t len, struct sr_port_status *ret, struct sr_codec_error *err)
{
	struct sr_port_status status = {0};
	int rc = decode(&sr_schema_port_status, json, len, &status, err);

	if (!rc)
		*ret = status;
	return rc;
}
