/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * agent/announce.h - the locator in the kernel's tables, and what the kernel needs to be let through.
 *
 * Two routes, both with our own route protocol number so that nobody else's are touched:
 *
 *   unreachable LOCATOR/96 proto 147      in the main table: what a routing daemon redistributes; without it the node
 * is drained, with all forwarding in place local LOCATOR/96 dev lo proto 147     in table local: looked up first, so
 * that the kernel answers for the node's own address and for pings to SIDs (RFC 9259)
 *
 * They outlive the agent, as forwarding does.
 */
#ifndef SR_AGENT_ANNOUNCE_H
#define SR_AGENT_ANNOUNCE_H

#include "srv6/srv6.h"

#define SR_RTPROT 147

/* Both idempotent; adding what is there, and removing what is not, is no error. Negative errno. */
int sr_announce_local(const struct sr_locator *locator, bool there);
int sr_announce_route(const struct sr_locator *locator, bool there);
/* Removes such routes of all locators but this one (NULL: of all): the node may have had another. */
int sr_announce_sweep(const struct sr_locator *keep);
/*
 * IPv6 forwarding on an interface: the kernel's FIB does not answer a program for packets of an interface that has it
 * off. -ENOENT: no IPv6 on it.
 */
int sr_announce_forwarding(const char *ifname);

#endif
