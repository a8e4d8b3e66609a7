/* SPDX-License-Identifier: GPL-2.0-only */
/* cli/names.h - objects found again by a name: a node's status by the node, a port's by its id. */
#ifndef SR_CLI_NAMES_H
#define SR_CLI_NAMES_H

#include "cli/read.h"

struct cli_name;

struct cli_names {
	struct cli_name *list;
};

/* Copies the object under that name, in place of another. Aborts when there is no memory. */
void cli_names_put(struct cli_names *names, const char *name, const struct sr_object *object);
/* NULL: none. */
const struct sr_object *cli_names_get(const struct cli_names *names, const char *name);
const struct sr_object *cli_names_get_id(const struct cli_names *names, const struct sr_uuid *id);
/* The first for which it is so, looking at all; NULL: none. */
const struct sr_object *cli_names_search(const struct cli_names *names,
					 bool (*is)(const struct sr_object *object, const void *arg), const void *arg);
void cli_names_fini(struct cli_names *names);

/* Callbacks for cli_each with struct cli_names as ctx: put what is of use under its own name or id, ignore the rest. */
void cli_names_add(void *names, const struct sr_object *object);

#endif
