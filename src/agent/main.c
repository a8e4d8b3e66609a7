/* SPDX-License-Identifier: GPL-2.0-only */
#include <getopt.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/agent.h"

#define CONFIG_FILE "/etc/srfabric/sr-agent.conf"

static const char usage[] =
	"Usage: sr-agent [--config FILE]            run, until SIGTERM\n"
	"       sr-agent --check-config [--config FILE]\n"
	"       sr-agent cleanup [--config FILE]    remove from the kernel all that the agent put there\n"
	"       sr-agent --example-config           a configuration file with every option\n"
	"       sr-agent --help | --version\n"
	"\n"
	"Takes the ports of this node and the networks that they are in from etcd, and makes the kernel forward\n"
	"their packets over the SRv6 fabric. Forwarding goes on when it stops. Default FILE: " CONFIG_FILE "\n";

struct command_line {
	const char *config;
	bool check, cleanup;
};

/* Returns -1 to go on, or an exit code. */
static int parse(int argc, char **argv, struct command_line *ret)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'},   {"check-config", no_argument, NULL, 'n'},
		{"example-config", no_argument, NULL, 'e'}, {"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'v'},	    {0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
		switch (c) {
		case 'c':
			ret->config = optarg;
			break;
		case 'n':
			ret->check = true;
			break;
		case 'e':
			sr_agent_config_example(stdout);
			return SR_EXIT_OK;
		case 'h':
			fputs(usage, stdout);
			return SR_EXIT_OK;
		case 'v':
			puts("sr-agent " SR_VERSION);
			return SR_EXIT_OK;
		default:
			fputs(usage, stderr);
			return SR_EXIT_USAGE;
		}
	}
	if (optind < argc && strcmp(argv[optind], "cleanup") == 0) {
		ret->cleanup = true;
		optind++;
	}
	if (optind < argc) {
		fprintf(stderr, "sr-agent: %s: what is that?\n%s", argv[optind], usage);
		return SR_EXIT_USAGE;
	}
	return -1;
}

int main(int argc, char **argv)
{
	struct command_line command = {.config = CONFIG_FILE};
	struct sr_agent_config config;
	char err[1024];
	int code = parse(argc, argv, &command);

	if (code >= 0)
		return code;
	/* etcd's answers are buffers of megabytes that come and go: kept in the heap, not mapped and cleared each time.
	 */
	mallopt(M_MMAP_THRESHOLD, 32 << 20);
	mallopt(M_TRIM_THRESHOLD, 64 << 20);
	mallopt(M_TOP_PAD, 4 << 20);
	if (sr_agent_config_read(command.config, &config, err, sizeof(err)) < 0) {
		fprintf(stderr, "sr-agent: %s\n", err);
		return SR_EXIT_CONFIG;
	}
	if (command.check) {
		printf("%s: good\n", command.config);
		return SR_EXIT_OK;
	}
	return command.cleanup ? sr_agent_cleanup(&config) : sr_agent_run(&config);
}
