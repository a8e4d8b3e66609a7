/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cli/find.h - what is meant by a word on the command line: a whole id, a VRF's name, a name that people gave, or the
 * start of an id (4 characters or more). A whole id or VRF name goes before names, names before starts; if several fit
 * on the same level it is refused and they are listed, because acting on the wrong tenant's network is worse than
 * typing more.
 */
#ifndef SR_CLI_FIND_H
#define SR_CLI_FIND_H

#include "cli/read.h"

/* Each says what is wrong and returns NULL. For cli_object_free. */
struct sr_object *cli_find_network(struct cli *cli, const char *word);
/* A port may also be named by its tap or by one of its addresses. `network`: only there; NULL: anywhere. */
struct sr_object *cli_find_port(struct cli *cli, const char *network, const char *word);
/* An encap network, by its id or the start of it. */
struct sr_object *cli_find_encap(struct cli *cli, const char *word);

#endif
