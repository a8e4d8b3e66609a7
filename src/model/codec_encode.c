// SPDX-License-Identifier: GPL-2.0-only
/* The encoder: an object as its schema says, through jansson. */
#include "model/codec.h"

#include "model/codec_fields.h"

#include <jansson.h>

static json_t *encode_object(const struct sr_schema *schema, const void *object);

static json_t *encode_text(const struct sr_text_type *type, const void *member)
{
	char buf[SR_LABEL_SIZE];
	const char *text = type->format(member, buf);

	return json_string(text ? text : "");
}

static json_t *encode_list(const struct sr_field *f, const char *object)
{
	const char *array = f->kind == SR_FIELD_OWNED ? *(char *const *)(object + f->offset) : object + f->offset;
	size_t count = *(const size_t *)(object + f->count);
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++) {
		const void *item = array + i * f->size;
		json_t *value = f->items ? encode_object(f->items, item) : encode_text(&sr_text_sid, item);

		if (json_array_append_new(list, value) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *encode_field(const struct sr_field *f, const char *object)
{
	const char *member = object + f->offset;

	switch (f->kind) {
	case SR_FIELD_TEXT:
		return encode_text(f->text, member);
	case SR_FIELD_BOOL:
		return json_boolean(*(const bool *)member);
	case SR_FIELD_U32:
		return json_integer(*(const uint32_t *)member);
	case SR_FIELD_I64:
		return json_integer(*(const int64_t *)member);
	case SR_FIELD_SIDS:
		if (*(const size_t *)(object + f->count) == 1)
			return encode_text(&sr_text_sid, member);
		break;
	case SR_FIELD_LIST:
	case SR_FIELD_OWNED:
		break;
	}
	return encode_list(f, object);
}

/* Does leaving an optional field out say the same as writing it? */
static bool says_nothing(const struct sr_field *f, const char *object)
{
	const char *member = object + f->offset;
	char buf[SR_LABEL_SIZE];

	if (f->required)
		return false;
	if (f->kind == SR_FIELD_U32)
		return *(const uint32_t *)member == 0;
	if (f->kind != SR_FIELD_TEXT)
		return false;
	return f->has ? !*(const bool *)(object + f->has) : !f->text->format(member, buf);
}

static json_t *encode_object(const struct sr_schema *schema, const void *object)
{
	json_t *json = json_object();

	for (size_t i = 0; i < schema->n_fields; i++) {
		const struct sr_field *f = &schema->fields[i];

		if (!says_nothing(f, object) && json_object_set_new(json, f->name, encode_field(f, object)) < 0) {
			json_decref(json);
			return NULL;
		}
	}
	return json;
}

static char *encode(const struct sr_schema *schema, const void *object)
{
	json_t *json = encode_object(schema, object);
	char *text = json_dumps(json, JSON_COMPACT);

	json_decref(json);
	return text;
}

char *sr_node_encode(const struct sr_node *node)
{
	return encode(&sr_schema_node, node);
}

char *sr_vrf_encode(const struct sr_vrf *vrf)
{
	return encode(&sr_schema_vrf, vrf);
}

char *sr_port_encode(const struct sr_port *port)
{
	return encode(&sr_schema_port, port);
}

char *sr_binding_encode(const struct sr_binding *binding)
{
	return encode(&sr_schema_binding, binding);
}

char *sr_binding_profile_encode(const struct sr_binding_profile *profile)
{
	return encode(&sr_schema_binding_profile, profile);
}

char *sr_encap_encode(const struct sr_encap *encap)
{
	return encode(&sr_schema_encap, encap);
}

char *sr_node_status_encode(const struct sr_node_status *status)
{
	return encode(&sr_schema_node_status, status);
}

char *sr_port_status_encode(const struct sr_port_status *status)
{
	return encode(&sr_schema_port_status, status);
}
