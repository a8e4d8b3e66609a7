/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * model/codec.h - objects to JSON and back; docs/schema.md is the contract and schema/ has the golden examples.
 *
 * Decoding is on the hot path (a million ports at start), and what it reads is hostile until parsed: it pulls fields
 * out of the text in one pass with no allocation (json.h), because building a tree costs 6.5 us a port (jansson,
 * measured) against a budget of 1. Unknown fields are ignored, so that a newer writer does not break an older reader;
 * an absent or null optional field takes its zero value (but a port is up unless it says otherwise). -EBADMSG: anything
 * but one JSON object, a field of the wrong type or out of bounds, a missing required field, a known field given twice;
 * -EMSGSIZE; -ENOMEM. `err`, which may be NULL, is written on failure only and names the field and what is wrong with
 * it. Encoding is rare and uses jansson.
 *
 *   codec_fields.c   the schema: every object's fields, once for both directions, and what holds between fields
 *   codec_text.c     values that are text: addresses, names, ids
 *   codec_decode.c   the decoder over json.h, driven by the schema
 *   codec_encode.c   the encoder over jansson, driven by the schema
 *
 * The key's part of an object (a node's name, a port's id and VRF) stands in the value too, so that a value is readable
 * by itself; whoever reads checks that they agree (store/).
 */
#ifndef SR_MODEL_CODEC_H
#define SR_MODEL_CODEC_H

#include "model/model.h"

#define SR_CODEC_VALUE_MAX ((size_t)256 * 1024) /* larger values are refused unread: -EMSGSIZE */

struct sr_codec_error {
	char text[160];
};

int sr_node_decode(const char *json, size_t len, struct sr_node *ret, struct sr_codec_error *err);
int sr_vrf_decode(const char *json, size_t len, struct sr_vrf *ret, struct sr_codec_error *err);
int sr_port_decode(const char *json, size_t len, struct sr_port *ret, struct sr_codec_error *err);
int sr_binding_decode(const char *json, size_t len, struct sr_binding *ret, struct sr_codec_error *err);
int sr_binding_profile_decode(const char *json, size_t len, struct sr_binding_profile *ret, struct sr_codec_error *err);
/* *ret must be _fini'ed on success. */
int sr_encap_decode(const char *json, size_t len, struct sr_encap *ret, struct sr_codec_error *err);
int sr_node_status_decode(const char *json, size_t len, struct sr_node_status *ret, struct sr_codec_error *err);
int sr_port_status_decode(const char *json, size_t len, struct sr_port_status *ret, struct sr_codec_error *err);

/*
 * Return text for free(), without white space and with fields in the schema's order, optional ones only where they say
 * something; or NULL: out of memory, or a text member is not UTF-8.
 */
char *sr_node_encode(const struct sr_node *node);
char *sr_vrf_encode(const struct sr_vrf *vrf);
char *sr_port_encode(const struct sr_port *port);
char *sr_binding_encode(const struct sr_binding *binding);
char *sr_binding_profile_encode(const struct sr_binding_profile *profile);
char *sr_encap_encode(const struct sr_encap *encap);
char *sr_node_status_encode(const struct sr_node_status *status);
char *sr_port_status_encode(const struct sr_port_status *status);

#endif
