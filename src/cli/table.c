/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/table.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GAP 2 /* blanks between columns */

struct cli_row {
	char *key;
	json_t *json;
	char *cells[CLI_COLUMNS_MAX];
};

static void *need(void *memory)
{
	if (!memory) {
		fputs("srctl: out of memory.\n", stderr);
		abort();
	}
	return memory;
}

/* A copy in which nothing moves a cursor: C0, DEL, and C1 in UTF-8. */
static char *tame(const char *text)
{
	char *copy = need(strdup(text && *text ? text : "-"));

	for (unsigned char *c = (unsigned char *)copy; *c; c++) {
		if (*c < 0x20 || *c == 0x7f)
			*c = '?';
		else if (*c == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0)
			c[0] = c[1] = '?';
	}
	return copy;
}

/* Characters, taken to be one column wide. */
static size_t width(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

void cli_table_init(struct cli_table *table, const char *const *titles, bool json)
{
	*table = (struct cli_table){.titles = titles, .json = json};
	while (titles[table->n_columns])
		table->n_columns++;
}

/* Cells follow each other with a byte between that no text has. */
static char *key_of_cells(const struct cli_row *row, size_t n)
{
	size_t size = 1, at = 0;
	char *key;

	for (size_t i = 0; i < n; i++)
		size += strlen(row->cells[i]) + 1;
	key = need(malloc(size));
	for (size_t i = 0; i < n; i++)
		at += (size_t)sprintf(key + at, "%s\1", row->cells[i]);
	key[at] = '\0';
	return key;
}

void cli_table_add(struct cli_table *table, const char *key, json_t *json, ...)
{
	struct cli_row row = {.json = table->json ? need(json) : NULL};
	va_list args;

	va_start(args, json);
	for (size_t i = 0; i < table->n_columns; i++)
		row.cells[i] = tame(va_arg(args, const char *));
	va_end(args);
	row.key = key ? need(strdup(key)) : key_of_cells(&row, table->n_columns);
	if (table->n_rows == table->size) {
		table->size = table->size ? table->size * 2 : 64;
		table->rows = need(realloc(table->rows, table->size * sizeof(*table->rows)));
	}
	table->rows[table->n_rows++] = row;
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct cli_row *)a)->key, ((const struct cli_row *)b)->key);
}

static void print_line(const struct cli_table *table, const char *const *cells, const size_t *widths)
{
	for (size_t i = 0; i < table->n_columns; i++) {
		bool last = i + 1 == table->n_columns;

		fputs(cells[i], stdout);
		for (size_t n = width(cells[i]); !last && n < widths[i] + GAP; n++)
			putchar(' ');
	}
	putchar('\n');
}

static void print_columns(const struct cli_table *table)
{
	size_t widths[CLI_COLUMNS_MAX];

	for (size_t i = 0; i < table->n_columns; i++) {
		widths[i] = width(table->titles[i]);
		for (size_t row = 0; row < table->n_rows; row++)
			if (width(table->rows[row].cells[i]) > widths[i])
				widths[i] = width(table->rows[row].cells[i]);
	}
	print_line(table, table->titles, widths);
	for (size_t row = 0; row < table->n_rows; row++)
		print_line(table, (const char *const *)table->rows[row].cells, widths);
}

static void print_json(const json_t *json)
{
	json_dumpf(json, stdout, JSON_INDENT(2));
	putchar('\n');
}

static void sort(struct cli_table *table)
{
	if (table->n_rows)
		qsort(table->rows, table->n_rows, sizeof(*table->rows), compare);
}

static json_t *array_of(const struct cli_table *table)
{
	json_t *list = need(json_array());

	for (size_t i = 0; i < table->n_rows; i++)
		json_array_append(list, table->rows[i].json);
	return list;
}

void cli_table_print(struct cli_table *table)
{
	json_t *list;

	sort(table);
	if (!table->json) {
		print_columns(table);
		return;
	}
	list = array_of(table);
	print_json(list);
	json_decref(list);
}

void cli_sections_print(const struct cli_section *sections, size_t n, bool json)
{
	json_t *all = need(json_object());

	for (size_t i = 0; i < n; i++) {
		sort(sections[i].table);
		if (json) {
			json_object_set_new(all, sections[i].name, array_of(sections[i].table));
			continue;
		}
		if (i)
			putchar('\n');
		print_columns(sections[i].table);
	}
	if (json)
		print_json(all);
	json_decref(all);
}

void cli_prefix_key(const struct sr_prefix *prefix, char ret[static CLI_PREFIX_KEY_SIZE])
{
	char *at = ret;

	*at++ = sr_prefix_is_v4(prefix) ? '4' : '6';
	for (size_t i = 0; i < sizeof(prefix->addr); i++)
		at += sprintf(at, "%02x", prefix->addr.s6_addr[i]);
	sprintf(at, "%03u", prefix->len);
}

void cli_table_fini(struct cli_table *table)
{
	for (size_t row = 0; row < table->n_rows; row++) {
		free(table->rows[row].key);
		json_decref(table->rows[row].json);
		for (size_t i = 0; i < table->n_columns; i++)
			free(table->rows[row].cells[i]);
	}
	free(table->rows);
}

void cli_print_text(const char *text)
{
	char *line = tame(text);

	puts(line);
	free(line);
}

static char *value_text(const json_t *value)
{
	return need(json_is_string(value) ? strdup(json_string_value(value))
					  : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT));
}

/* An object's members in one line; the name of its only one says nothing that is not known. */
static char *members_text(const json_t *object)
{
	char *text = need(strdup("")), *value, *longer;
	const char *name;
	json_t *member;
	int len;

	json_object_foreach ((json_t *)object, name, member) {
		bool only = json_object_size(object) == 1;

		value = value_text(member);
		len = asprintf(&longer, "%s%s%s%s%s", text, *text ? ", " : "", only ? "" : name, only ? "" : " ",
			       value);
		free(value);
		free(text);
		text = need(len < 0 ? NULL : longer);
	}
	return text;
}

static void print_value(const json_t *value)
{
	char *text = json_is_object(value) ? members_text(value) : value_text(value);

	cli_print_text(text);
	free(text);
}

/* A list one item a line, below each other. */
static void print_member(const char *name, const json_t *value, int column)
{
	size_t i;
	json_t *item;

	printf("%-*s", column, name);
	if (!json_is_array(value) || !json_array_size(value)) {
		if (json_is_array(value))
			puts("-");
		else
			print_value(value);
		return;
	}
	json_array_foreach (value, i, item) {
		if (i)
			printf("%*s", column, "");
		print_value(item);
	}
}

void cli_print_object(const json_t *object, bool json)
{
	const char *name;
	json_t *value;
	size_t column = 0;

	if (json) {
		print_json(object);
		return;
	}
	json_object_foreach ((json_t *)object, name, value)
		if (strlen(name) > column)
			column = strlen(name);
	json_object_foreach ((json_t *)object, name, value)
		print_member(name, value, (int)column + GAP);
}
