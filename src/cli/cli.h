/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cli/ - srctl, the operator's command line.
 *
 *   srctl.c   main: global options, which command, help
 *   args.c    a command's options and words
 *   sync.c    the connection, and calls that wait for their end
 *   read.c    objects of the cluster, read at one revision
 *   find.c    which network, port or rule set is meant by a name, an id, or the start of one
 *   table.c   columns for people, JSON for programs
 *   story.h trace.c   where a packet would go, told step by step
 *   cluster.c node.c network.c port.c encap.c vrf.c route.c sid.c watch.c datapath.c   one subject each
 *
 * A command is a function that returns srctl's exit code. It prints what was asked for to standard output and
 * everything else, each in a sentence, to standard error. It owns what it makes; the process ends after it.
 */
#ifndef SR_CLI_H
#define SR_CLI_H

#include <jansson.h>

#include "cli/args.h"
#include "etcd/etcd.h"
#include "store/store.h"

/* In the manual: docs/man/srctl.8. */
enum cli_exit { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2 };

struct cli {
	const char *cluster;
	bool json;
	/* Connected to when a command first needs it (sync.c). */
	const char *endpoints; /* comma-separated */
	const char *ca_file, *cert_file, *key_file, *user, *password_file;
	uv_loop_t loop;
	struct sr_etcd *etcd;
	char trouble[256]; /* why etcd cannot be reached; "": it can */
	int64_t revision;  /* that all is read at; 0: nothing was read yet */
};

struct cli_command {
	const char *subject, *verb; /* verb "" for commands of one word */
	const char *words;	    /* synopsis of what is not an option: "NAME" */
	size_t min_words, max_words;
	const char *help; /* one line */
	const struct cli_option *options;
	const char *more; /* text below the options; NULL: none */
	enum cli_exit (*run)(struct cli *cli, const struct cli_args *args);
};

/* "srctl: <sentence>" on standard error. Return CLI_FAILED and CLI_USAGE. */
__attribute__((format(printf, 1, 2))) enum cli_exit cli_fail(const char *format, ...);
__attribute__((format(printf, 1, 2))) enum cli_exit cli_usage(const char *format, ...);

/* Each subject's commands; a NULL subject ends them. */
extern const struct cli_command cli_cluster[], cli_node[], cli_network[], cli_port[], cli_encap[], cli_vrf[],
	cli_route[], cli_sid[], cli_trace[], cli_watch[], cli_datapath[];

#endif
