/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * agent/config.h - the agent's configuration file, in INI form.
 *
 * Every option stands once in a table (config.c) with its default and its meaning; the file is read by it, and
 * `sr-agent --example-config` writes conf/sr-agent.conf from it. An unknown section or option, or a value that does not
 * parse, is an error that names the line.
 */
#ifndef SR_AGENT_CONFIG_H
#define SR_AGENT_CONFIG_H

#include <stdio.h>

#include "agent/engine.h"

#define SR_ENDPOINTS_MAX 16

struct sr_agent_config {
	struct sr_node node;
	char cluster[SR_NAME_SIZE];
	struct sr_dp_config dp; /* bpffs and state_dir point at those below */
	char bpffs[256], state_dir[256];
	char datapath[16];
	char uplinks[SR_UPLINKS_MAX][SR_IFNAME_MAX];
	size_t n_uplinks;
	uint32_t mtu; /* 0: the smallest uplink's */
	char endpoints[SR_ENDPOINTS_MAX][256];
	size_t n_endpoints;
	char ca_file[256], cert_file[256], key_file[256]; /* "": none */
	char user[64], password_file[256];
	uint32_t lease_ttl; /* seconds */
	enum sr_log_level log_level;
};

/* Reads and checks the file. On failure -EINVAL or the error of opening it, and a sentence that names the place in err.
 */
int sr_agent_config_read(const char *path, struct sr_agent_config *ret, char *err, size_t err_len);
/* The whole table as a file with every option at its default, commented out where there is no default. */
void sr_agent_config_example(FILE *out);

#endif
