// SPDX-License-Identifier: GPL-2.0-only
#include "kinds.h"

#include <string.h>

static void nothing(union sr_any *object)
{
	(void)object;
}

static void encap_fini(union sr_any *object)
{
	sr_encap_fini(&object->encap);
}

#define KIND(kind)                                                                                                     \
	static int kind##_decode(const char *json, size_t len, union sr_any *ret, struct sr_codec_error *err)          \
	{                                                                                                              \
		return sr_##kind##_decode(json, len, &ret->kind, err);                                                 \
	}                                                                                                              \
	static char *kind##_encode(const union sr_any *object)                                                         \
	{                                                                                                              \
		return sr_##kind##_encode(&object->kind);                                                              \
	}

KIND(node)
KIND(vrf)
KIND(port)
KIND(binding)
KIND(binding_profile)
KIND(encap)
KIND(node_status)
KIND(port_status)

#define ENTRY(kind, destroy)                                                                                           \
	{                                                                                                              \
#kind, sizeof(((union sr_any *)0)->kind), kind##_decode, kind##_encode, destroy                        \
	}

const struct sr_kind sr_kinds[] = {
	ENTRY(node, nothing),
	ENTRY(vrf, nothing),
	ENTRY(port, nothing),
	ENTRY(binding, nothing),
	ENTRY(binding_profile, nothing),
	ENTRY(encap, encap_fini),
	ENTRY(node_status, nothing),
	ENTRY(port_status, nothing),
};
const size_t sr_n_kinds = sizeof(sr_kinds) / sizeof(sr_kinds[0]);

const struct sr_kind *sr_kind_find(const char *name)
{
	for (size_t i = 0; i < sr_n_kinds; i++)
		if (strcmp(sr_kinds[i].name, name) == 0)
			return &sr_kinds[i];
	return NULL;
}
