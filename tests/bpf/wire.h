/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * wire.h - the programs attached, and packet sockets on the far ends of their interfaces: what really goes where.
 *
 * Far ends: vm1 to vm4 of the taps, leaf0 and leaf1 of the uplinks (harness.h). What the kernel says of itself (router
 * solicitations, MLD, DAD) is not seen.
 */
#ifndef SR_TESTS_BPF_WIRE_H
#define SR_TESTS_BPF_WIRE_H

#include "harness.h"

#define WIRE_WAIT_MS 20000 /* for what must come: longer than any machine takes */
#define WIRE_QUIET_MS 150  /* for what must not */

/* At the TC ingress of every port; gone with the interfaces. */
void wire_attach(struct node *node);

/* A packet socket on an interface; failures fail the test. */
int wire_open(const char *ifname);
void wire_close(int fd);
void wire_send(int fd, const struct packet *p);
/* The next packet that arrives there within so many milliseconds; false: none. */
bool wire_recv(int fd, struct packet *ret, int ms);

#endif
