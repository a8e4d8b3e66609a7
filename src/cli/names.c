/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/names.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

struct cli_name {
	struct sr_object *object; /* owned */
	UT_hash_handle hh;
	char name[];
};

void cli_names_put(struct cli_names *names, const char *name, const struct sr_object *object)
{
	size_t len = strlen(name);
	struct cli_name *n;

	HASH_FIND_STR(names->list, name, n);
	if (n) {
		cli_object_free(n->object);
	} else {
		n = malloc(sizeof(*n) + len + 1);
		if (!n)
			abort();
		memcpy(n->name, name, len + 1);
		HASH_ADD_KEYPTR(hh, names->list, n->name, len, n);
	}
	n->object = cli_object_copy(object);
}

const struct sr_object *cli_names_get(const struct cli_names *names, const char *name)
{
	struct cli_name *n;

	HASH_FIND_STR(names->list, name, n);
	return n ? n->object : NULL;
}

const struct sr_object *cli_names_get_id(const struct cli_names *names, const struct sr_uuid *id)
{
	char text[SR_UUID_STRLEN];

	return cli_names_get(names, sr_uuid_format(id, text));
}

const struct sr_object *cli_names_search(const struct cli_names *names,
					 bool (*is)(const struct sr_object *object, const void *arg), const void *arg)
{
	for (const struct cli_name *n = names->list; n; n = n->hh.next)
		if (is(n->object, arg))
			return n->object;
	return NULL;
}

void cli_names_fini(struct cli_names *names)
{
	struct cli_name *n = names->list, *next;

	HASH_CLEAR(hh, names->list);
	for (; n; n = next) {
		next = n->hh.next;
		cli_object_free(n->object);
		free(n);
	}
}

void cli_names_add(void *names, const struct sr_object *object)
{
	const struct sr_object_id *id = &object->id;
	char text[SR_UUID_STRLEN];
	bool by_node = id->kind == SR_OBJECT_NODE || id->kind == SR_OBJECT_NODE_STATUS;

	if (id->kind == SR_OBJECT_VRF)
		cli_names_put(names, id->vrf, object);
	else
		cli_names_put(names, by_node ? id->node : sr_uuid_format(&id->id, text), object);
}
