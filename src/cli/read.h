/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cli/read.h - objects of the cluster, as they stood at one revision. A value that cannot be decoded is named on
 * standard error and left out: srctl is used when something is wrong.
 */
#ifndef SR_CLI_READ_H
#define SR_CLI_READ_H

#include "cli/cli.h"
#include "store/keys.h"

/* The object is the callback's for its duration. */
typedef void (*cli_object_cb)(void *ctx, const struct sr_object *object);

/* All objects of a scope, in the order of their keys. Says what is wrong and returns false. */
bool cli_each(struct cli *cli, const struct sr_scope *scope, cli_object_cb cb, void *ctx);
/* Only those under status/nodes/. */
bool cli_each_node_status(struct cli *cli, cli_object_cb cb, void *ctx);
/* One object; cb is not called if it is not there. */
bool cli_get(struct cli *cli, const struct sr_object_id *id, cli_object_cb cb, void *ctx);

/*
 * What stands in etcd, as JSON: fields of the schema in its order. A new reference. Aborts when there is no memory.
 */
json_t *cli_object_json(const struct sr_object *object);
/* Takes over the text of an encoder. */
json_t *cli_json_take(char *text);

/* A deep copy, with room for what its kind has and no more: not to be assigned as a whole. Aborts without memory. */
struct sr_object *cli_object_copy(const struct sr_object *src);
void cli_object_free(struct sr_object *object);

#endif
