/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cli/args.h - a command's options, described in a table, and what was given.
 *
 * Options and words may be mixed; `--` ends the options. `--name=value` and `--name value` are the same. Unique
 * beginnings of names are taken.
 */
#ifndef SR_CLI_ARGS_H
#define SR_CLI_ARGS_H

#include <stdbool.h>
#include <stddef.h>

struct cli_option {
	const char *name;
	const char *value; /* what to call its value in help; NULL: it has none */
	const char *help;
	bool many; /* may be given several times */
};

struct cli_given {
	const char *name;  /* of the option */
	const char *value; /* NULL: it has none */
};

struct cli_args {
	const char **words;
	size_t n_words;
	struct cli_given *given;
	size_t n_given;
};

/*
 * Parses argv[0..argc), which may be put in another order, by both tables (each ends with a NULL name). With
 * `words_end`, the first word ends it. *ret_used is how much of argv was options then. Says on standard error what is
 * wrong and returns false. What it gives borrows argv.
 */
bool cli_args_parse(int argc, char **argv, const struct cli_option *common, const struct cli_option *options,
		    bool words_end, struct cli_args *ret, int *ret_used);
void cli_args_fini(struct cli_args *args);

bool cli_args_has(const struct cli_args *args, const char *name);
/* NULL: not given. */
const char *cli_args_value(const struct cli_args *args, const char *name);
/* The next value of an option that may be given several times; NULL: no more. Begin with *at 0. */
const char *cli_args_next(const struct cli_args *args, const char *name, size_t *at);

#endif
