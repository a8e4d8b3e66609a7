/* SPDX-License-Identifier: GPL-2.0-only */
/* srctl: global options, which command is meant, help. */
#include "cli/cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/sync.h"

static const struct cli_option global_options[] = {
	{"etcd", "URL[,URL]", "etcd's endpoints (SRFABRIC_ETCD; http://127.0.0.1:2379)", false},
	{"ca", "FILE", "certificates that etcd's is checked by", false},
	{"cert", "FILE", "our own certificate", false},
	{"key", "FILE", "its key", false},
	{"user", "NAME", "etcd's user", false},
	{"password-file", "FILE", "that user's password, in its first line", false},
	{"cluster", "NAME", "the cluster (SRFABRIC_CLUSTER; default)", false},
	{"json", NULL, "print JSON: the objects of docs/schema.md", false},
	{"help", NULL, "what this is, in more words", false},
	{"version", NULL, "srctl's version", false},
	{},
};

static const struct cli_command *const subjects[] = {
	cli_cluster, cli_node, cli_network, cli_port,  cli_encap,    cli_vrf,
	cli_route,   cli_sid,  cli_trace,   cli_watch, cli_datapath,
};
#define N_SUBJECTS (sizeof(subjects) / sizeof(subjects[0]))

static void say(const char *format, va_list args)
{
	fputs("srctl: ", stderr);
	vfprintf(stderr, format, args);
	putc('\n', stderr);
}

enum cli_exit cli_fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(format, args);
	va_end(args);
	return CLI_FAILED;
}

enum cli_exit cli_usage(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(format, args);
	va_end(args);
	return CLI_USAGE;
}

/* ---- help */

static void help_options(const struct cli_option *options)
{
	for (; options->name; options++) {
		char text[64];

		snprintf(text, sizeof(text), "--%s%s%s", options->name, options->value ? " " : "",
			 options->value ? options->value : "");
		printf("  %-32s %s%s\n", text, options->help, options->many ? " (may be repeated)" : "");
	}
}

static void help_line(const struct cli_command *command)
{
	char text[64];

	snprintf(text, sizeof(text), "%s %s%s%s", command->subject, command->verb, command->verb[0] ? " " : "",
		 command->words);
	printf("  %-32s %s\n", text, command->help);
}

static enum cli_exit help_all(void)
{
	puts("Usage: srctl [OPTION...] COMMAND [OPTION...]\n\n"
	     "Shows and changes the tenant networks of an SRv6 fabric, as they stand in etcd.\n");
	for (size_t i = 0; i < N_SUBJECTS; i++)
		for (const struct cli_command *command = subjects[i]; command->subject; command++)
			help_line(command);
	puts("\nOptions, before or after the command:");
	help_options(global_options);
	puts("\nA network is named by its name, its id (or the first characters of it) or its VRF; a port by its name, "
	     "its id, "
	     "its\ntap or an address. `srctl COMMAND --help` says more. Exit: 0 done, 1 failed, 2 not a command.");
	return CLI_OK;
}

static enum cli_exit help_subject(const struct cli_command *commands)
{
	for (; commands->subject; commands++)
		help_line(commands);
	return CLI_OK;
}

static enum cli_exit help_command(const struct cli_command *command)
{
	printf("Usage: srctl %s%s%s%s%s [OPTION...]\n\n%s.\n", command->subject, command->verb[0] ? " " : "",
	       command->verb, command->words[0] ? " " : "", command->words, command->help);
	if (command->options) {
		puts("");
		help_options(command->options);
	}
	if (command->more)
		printf("\n%s\n", command->more);
	puts("\nGlobal options: srctl --help");
	return CLI_OK;
}

/* ---- which command */

static const struct cli_command *find_subject(const char *word)
{
	for (size_t i = 0; i < N_SUBJECTS; i++)
		if (strcmp(subjects[i]->subject, word) == 0)
			return subjects[i];
	return NULL;
}

static const struct cli_command *find_verb(const struct cli_command *commands, const char *word)
{
	for (; commands->subject; commands++)
		if (!commands->verb[0] || (word && strcmp(commands->verb, word) == 0))
			return commands;
	return NULL;
}

static const char *setting(const struct cli_args *before, const struct cli_args *after, const char *name,
			   const char *otherwise)
{
	const char *value = cli_args_value(after, name);

	if (!value)
		value = cli_args_value(before, name);
	return value ? value : otherwise;
}

static const char *environment(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value && *value ? value : otherwise;
}

static void settle(struct cli *cli, const struct cli_args *before, const struct cli_args *after)
{
	cli->endpoints = setting(before, after, "etcd", environment("SRFABRIC_ETCD", "http://127.0.0.1:2379"));
	cli->cluster = setting(before, after, "cluster", environment("SRFABRIC_CLUSTER", "default"));
	cli->ca_file = setting(before, after, "ca", NULL);
	cli->cert_file = setting(before, after, "cert", NULL);
	cli->key_file = setting(before, after, "key", NULL);
	cli->user = setting(before, after, "user", NULL);
	cli->password_file = setting(before, after, "password-file", NULL);
	cli->json = setting(before, after, "json", NULL) != NULL;
}

static enum cli_exit run(const struct cli_command *command, const struct cli_args *before, int argc, char **argv)
{
	struct cli cli = {};
	struct cli_args args;
	enum cli_exit code;
	int used;

	if (!cli_args_parse(argc, argv, global_options, command->options, false, &args, &used))
		return CLI_USAGE;
	settle(&cli, before, &args);
	if (cli_args_has(&args, "help") || cli_args_has(before, "help"))
		code = help_command(command);
	else if (args.n_words < command->min_words || args.n_words > command->max_words)
		code = cli_usage("usage: srctl %s%s%s%s%s (see --help).", command->subject, command->verb[0] ? " " : "",
				 command->verb, command->words[0] ? " " : "", command->words);
	else if (cli.user && !cli.password_file)
		code = cli_usage("--user needs --password-file.");
	else if (!sr_name_valid(cli.cluster))
		code = cli_usage("%s cannot be the name of a cluster.", cli.cluster);
	else
		code = command->run(&cli, &args);
	cli_disconnect(&cli);
	cli_args_fini(&args);
	return code;
}

static enum cli_exit choose(const struct cli_args *before, int argc, char **argv)
{
	const struct cli_command *commands = argc ? find_subject(argv[0]) : NULL, *command;

	if (cli_args_has(before, "version")) {
		puts("srctl " SR_VERSION);
		return CLI_OK;
	}
	if (!argc && cli_args_has(before, "help"))
		return help_all();
	if (!commands)
		return argc ? cli_usage("there is no command %s (see srctl --help).", argv[0])
			    : cli_usage("which command? See srctl --help.");
	command = find_verb(commands, argc > 1 ? argv[1] : NULL);
	if (command)
		return run(command, before, argc - (command->verb[0] ? 2 : 1), argv + (command->verb[0] ? 2 : 1));
	if (cli_args_has(before, "help") || (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))))
		return help_subject(commands);
	if (argc == 1)
		return cli_usage("what about %s? See srctl %s --help.", argv[0], argv[0]);
	return cli_usage("there is no command %s %s (see srctl %s --help).", argv[0], argv[1], argv[0]);
}

int main(int argc, char **argv)
{
	struct cli_args before;
	enum cli_exit code;
	int used;

	if (!cli_args_parse(argc - 1, argv + 1, global_options, NULL, true, &before, &used))
		return CLI_USAGE;
	code = choose(&before, argc - 1 - used, argv + 1 + used);
	cli_args_fini(&before);
	if (fflush(stdout) != 0 || ferror(stdout))
		return cli_fail("cannot write the output.");
	return (int)code;
}
