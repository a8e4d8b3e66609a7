/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cli/table.h - what a command found: rows for people, in columns that align, and the same as a JSON array for
 * programs.
 *
 * Rows stand in the order of their keys, so that two runs over the same data print the same. What people named may hold
 * anything: control characters are shown as `?`, or a network's name could write on the operator's terminal.
 */
#ifndef SR_CLI_TABLE_H
#define SR_CLI_TABLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "srv6/srv6.h"

#define CLI_COLUMNS_MAX 10

struct cli_row;

struct cli_table {
	const char *const *titles;
	bool json; /* is to be printed so */
	size_t n_columns;
	struct cli_row *rows;
	size_t n_rows, size;
};

/* titles: borrowed, ended by NULL. */
void cli_table_init(struct cli_table *table, const char *const *titles, bool json);
/*
 * Adds a row: its sort key (NULL: its cells), its JSON if that is to be printed (taken over; else NULL) and as many
 * cells as there are columns (copied; "" is shown as -). Aborts when there is no memory.
 */
void cli_table_add(struct cli_table *table, const char *key, json_t *json, ...);
/* Sorts, prints to standard output. An empty table is only its titles; an empty array []. */
void cli_table_print(struct cli_table *table);
void cli_table_fini(struct cli_table *table);

/* Several tables one below the other, or one JSON object with an array for each. */
struct cli_section {
	const char *name;
	struct cli_table *table;
};
void cli_sections_print(const struct cli_section *sections, size_t n, bool json);

/* A sort key that orders prefixes: IPv4 first, by address, shorter first. */
#define CLI_PREFIX_KEY_SIZE 40
void cli_prefix_key(const struct sr_prefix *prefix, char ret[static CLI_PREFIX_KEY_SIZE]);

/* One object: "name  value" lines from the members of a JSON object (lists joined by commas), or the object itself. */
void cli_print_object(const json_t *object, bool json);
/* One line of text, as a table shows it. */
void cli_print_text(const char *text);

#endif
