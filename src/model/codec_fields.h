/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * model/codec_fields.h - how objects are described to the codec; internal to it.
 *
 * A schema lists an object's fields in the order in which they are written: name, kind, where the member is. Decoder
 * and encoder both walk it, so that they cannot disagree.
 */
#ifndef SR_MODEL_CODEC_FIELDS_H
#define SR_MODEL_CODEC_FIELDS_H

#include "model/model.h"

#define SR_FIELDS_MAX 16 /* of one object */

/* A value that is a string in JSON and something better in C (codec_text.c). */
struct sr_text_type {
	const char *wrong; /* said of what parse refuses */
	/* Writes the member of `size` bytes and returns 0, or returns -EINVAL. text has a NUL behind it. */
	int (*parse)(const char *text, size_t len, void *member, size_t size);
	/* Returns the text, in buf or not, or NULL where the member says nothing. */
	const char *(*format)(const void *member, char buf[static SR_LABEL_SIZE]);
};

extern const struct sr_text_type sr_text_name, sr_text_vrf, sr_text_project, sr_text_free, sr_text_uuid, sr_text_mac;
extern const struct sr_text_type sr_text_locator, sr_text_function, sr_text_prefix, sr_text_cidr4, sr_text_addr;
extern const struct sr_text_type sr_text_sid, sr_text_status;

enum sr_field_kind {
	SR_FIELD_TEXT,	/* char[] or any struct with an sr_text_type */
	SR_FIELD_BOOL,	/* bool; always written */
	SR_FIELD_U32,	/* uint32_t, 0 or min to max */
	SR_FIELD_I64,	/* int64_t, min to max */
	SR_FIELD_LIST,	/* array of objects, in the struct */
	SR_FIELD_OWNED, /* array of objects, behind a pointer */
	SR_FIELD_SIDS,	/* array of struct sr_sid, in the struct; a single one may be written without the list */
};

struct sr_schema;

struct sr_field {
	const char *name;
	size_t name_len;
	enum sr_field_kind kind;
	bool required;
	size_t offset, size; /* of the member; lists: of its array, of an item */
	size_t has;	     /* TEXT: offset of the bool that says whether it is there, 0: none */
	size_t count;	     /* lists: offset of the size_t with the number of items */
	int64_t min, max;    /* numbers: bounds; lists: of the number of items */
	const struct sr_text_type *text;
	const struct sr_schema *items;
};

struct sr_schema {
	const struct sr_field *fields;
	size_t n_fields;
	/* What must hold between fields, each being right by itself: NULL, or what is wrong. May be NULL. */
	const char *(*check)(const void *object);
};

extern const struct sr_schema sr_schema_node, sr_schema_vrf, sr_schema_port, sr_schema_binding;
extern const struct sr_schema sr_schema_binding_profile, sr_schema_encap, sr_schema_node_status, sr_schema_port_status;

#endif
