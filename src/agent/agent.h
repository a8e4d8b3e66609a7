/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * agent/agent.h - sr-agent put together: one loop with the datapath, the engine, the links, etcd, the store, the
 * status.
 *
 * Order of birth: the datapath is opened and dumped (it forwards already, from before), uplinks and links are taken in,
 * the locator goes into the kernel's tables, then etcd. The order of death is the reverse, and leaves all of that in
 * place.
 */
#ifndef SR_AGENT_AGENT_H
#define SR_AGENT_AGENT_H

#include "agent/config.h"

/* sysexits.h, as far as we use it; systemd does not restart on EX_CONFIG (see the unit). */
enum sr_agent_exit {
	SR_EXIT_OK = 0,
	SR_EXIT_USAGE = 64,	  /* wrong command line */
	SR_EXIT_UNAVAILABLE = 69, /* the kernel does not have what it takes */
	SR_EXIT_SOFTWARE = 70,	  /* gave up on an error that should not be */
	SR_EXIT_NOPERM = 77,	  /* not root, or without CAP_BPF and CAP_NET_ADMIN */
	SR_EXIT_CONFIG = 78,	  /* configuration wrong, or at odds with the store (another node has the locator) */
};

/* Runs until SIGTERM or SIGINT, or until it cannot. */
enum sr_agent_exit sr_agent_run(const struct sr_agent_config *config);
/* Removes what the agent put into this node's kernel: programs, maps, routes. */
enum sr_agent_exit sr_agent_cleanup(const struct sr_agent_config *config);

#endif
