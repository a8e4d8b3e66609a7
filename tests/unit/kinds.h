/* SPDX-License-Identifier: GPL-2.0-only */
/* kinds.h - every kind of object that the codec knows, behind one signature: for golden examples, fuzzing, benchmarks.
 */
#ifndef SR_TESTS_KINDS_H
#define SR_TESTS_KINDS_H

#include "model/codec.h"

union sr_any {
	struct sr_node node;
	struct sr_vrf vrf;
	struct sr_port port;
	struct sr_binding binding;
	struct sr_binding_profile binding_profile;
	struct sr_encap encap;
	struct sr_node_status node_status;
	struct sr_port_status port_status;
};

struct sr_kind {
	const char *name; /* as in schema/examples/manifest.json */
	size_t size;
	int (*decode)(const char *json, size_t len, union sr_any *ret, struct sr_codec_error *err);
	char *(*encode)(const union sr_any *object);
	void (*fini)(union sr_any *object);
};

extern const struct sr_kind sr_kinds[];
extern const size_t sr_n_kinds;

/* NULL: no such kind. */
const struct sr_kind *sr_kind_find(const char *name);

#endif
