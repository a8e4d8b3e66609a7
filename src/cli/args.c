/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/args.h"

#include <assert.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

#define FIRST_OPTION 256 /* what getopt returns for the first of the table: no character */

struct table {
	struct option *longs; /* ended by zeros */
	struct cli_option *options;
	size_t n;
};

static size_t count(const struct cli_option *options)
{
	size_t n = 0;

	while (options && options[n].name)
		n++;
	return n;
}

static void table_add(struct table *table, const struct cli_option *options)
{
	size_t n = count(options);

	for (size_t i = 0; i < n; i++, table->n++) {
		table->options[table->n] = options[i];
		table->longs[table->n] = (struct option){.name = options[i].name,
							 .has_arg = options[i].value ? required_argument : no_argument,
							 .val = FIRST_OPTION + (int)table->n};
	}
}

static bool table_init(struct table *table, const struct cli_option *common, const struct cli_option *options)
{
	size_t n = count(common) + count(options);

	table->longs = calloc(n + 1, sizeof(*table->longs));
	table->options = calloc(n + 1, sizeof(*table->options));
	if (!table->longs || !table->options)
		return false;
	table_add(table, common);
	table_add(table, options);
	return true;
}

static bool take(struct cli_args *args, const struct cli_option *option, const char *value)
{
	if (!option->many && cli_args_has(args, option->name)) {
		cli_usage("--%s is given twice.", option->name);
		return false;
	}
	assert(option->name);
	args->given[args->n_given++] = (struct cli_given){option->name, value};
	return true;
}

static const struct cli_option *option_of(const struct table *table, int c)
{
	if (c >= FIRST_OPTION)
		return &table->options[c - FIRST_OPTION];
	for (size_t i = 0; i < table->n && c == 'h'; i++)
		if (strcmp(table->options[i].name, "help") == 0)
			return &table->options[i];
	return NULL;
}

/* getopt's state is global: it begins anew each time. */
static bool parse(int argc, char **argv, const struct table *table, bool words_end, struct cli_args *args)
{
	int c;

	opterr = 0;
	optind = 0;
	while ((c = getopt_long(argc, argv, words_end ? "+:h" : ":h", table->longs, NULL)) != -1) {
		const struct cli_option *option = option_of(table, c);
		const char *word = argv[optind - 1];

		if (option && take(args, option, optarg))
			continue;
		if (c == ':')
			cli_usage("%s needs a value.", word);
		else if (c == '?' && optopt >= FIRST_OPTION)
			cli_usage("%s: --%s takes no value.", word, table->options[optopt - FIRST_OPTION].name);
		else if (c == '?')
			cli_usage("%s is not an option here, or the beginning of several (see --help).", word);
		return false;
	}
	return true;
}

bool cli_args_parse(int argc, char **argv, const struct cli_option *common, const struct cli_option *options,
		    bool words_end, struct cli_args *ret, int *ret_used)
{
	struct cli_args args = {.words = calloc((size_t)argc + 1, sizeof(*args.words)),
				.given = calloc((size_t)argc + 1, sizeof(*args.given))};
	struct table table = {};
	char **line = calloc((size_t)argc + 2, sizeof(*line));
	bool ok = false;

	if (!args.words || !args.given || !line || !table_init(&table, common, options)) {
		cli_fail("out of memory.");
		goto out;
	}
	line[0] = (char *)"srctl"; /* getopt skips it */
	memcpy(line + 1, argv, (size_t)argc * sizeof(*line));
	ok = parse(argc + 1, line, &table, words_end, &args);
	if (ok) {
		*ret_used = optind - 1;
		for (int i = optind; i <= argc; i++)
			args.words[args.n_words++] = line[i];
		*ret = args;
	}
out:
	if (!ok)
		cli_args_fini(&args);
	free(line);
	free(table.longs);
	free(table.options);
	return ok;
}

void cli_args_fini(struct cli_args *args)
{
	free((void *)args->words);
	free(args->given);
}

const char *cli_args_next(const struct cli_args *args, const char *name, size_t *at)
{
	while (*at < args->n_given) {
		const struct cli_given *given = &args->given[(*at)++];

		if (strcmp(given->name, name) == 0)
			return given->value ? given->value : "";
	}
	return NULL;
}

const char *cli_args_value(const struct cli_args *args, const char *name)
{
	size_t at = 0;

	return cli_args_next(args, name, &at);
}

bool cli_args_has(const struct cli_args *args, const char *name)
{
	return cli_args_value(args, name) != NULL;
}
