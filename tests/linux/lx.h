/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What tests of the Linux datapath share: a network namespace of the process's own, veths in it as taps and uplinks,
 * and what the datapath holds as text, a line a thing, sorted, so that one comparison says all:
 *
 *	port tap1 a 10.0.0.1 2001:db8::1        tap, VRF, gateway's addresses
 *	route a 10.1.0.0/16 node 2400:dcc0::b   VRF, destination, next hop: node, sids, port, none
 *	sid 2400:dcc0::a7a:4d8e:a9fe:101 a 4    SID, VRF, enum sr_sid_behavior
 *	uplink up1
 *	vrf a 169.254.1.1
 */
#ifndef SR_TESTS_LX_H
#define SR_TESTS_LX_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "datapath/datapath.h"

#define LX_SKIP 77 /* meson: skipped */
#define LX_LOC "2400:dcc0::a7a:4d8e:"

/* Enters the namespace. LX_SKIP, with the reason on stdout, where this machine has not what it takes. */
int lx_isolate(void);
const char *lx_dir(void); /* the state directory of this test */

struct sr_dp_config lx_config(void);
struct sr_dp *lx_open(const struct sr_dp_config *config);		  /* must succeed; NULL: lx_config() */
struct sr_dp *lx_reopen(void **state, const struct sr_dp_config *config); /* *state: closed, and replaced */
int lx_setup(void **state);    /* *state: an open datapath; veths tap1, tap2, up1 (up) */
int lx_teardown(void **state); /* destroys it, if any */

/* Lines for ip -batch; each must succeed. */
__attribute__((format(printf, 1, 2))) void lx_ip(const char *fmt, ...);
/* What a command prints, up to 64 kB, each space at a line's end dropped. Two buffers, used in turn. */
__attribute__((format(printf, 1, 2))) const char *lx_run(const char *fmt, ...);
/* A text has a part, or has it not. */
void lx_in(const char *whole, const char *part);
void lx_not_in(const char *whole, const char *part);
uint32_t lx_ifindex(const char *name);
/* A sysctl's first word, PATH relative to /proc/sys; "" if there is none. */
const char *lx_sysctl(const char *path);

struct sr_prefix lx_prefix(const char *text);
struct sr_locator lx_locator(const char *text);
struct sr_sid lx_sid(const char *text);

/* What must succeed. */
void lx_vrf(struct sr_dp *dp, uint32_t id, const char *name, const char *function);
void lx_node(struct sr_dp *dp, uint32_t id, const char *locator);
void lx_hop(struct sr_dp *dp, uint32_t id, const struct sr_dp_nexthop *nh);
void lx_port_hop(struct sr_dp *dp, uint32_t id, const char *tap);
/* A port in VRF `vrf` with next hop `hop`, which is made too; gateways may be NULL. */
void lx_port(struct sr_dp *dp, const char *tap, uint32_t vrf, uint32_t hop, const char *gateway4, const char *gateway6);
void lx_route(struct sr_dp *dp, uint32_t vrf, const char *dst, uint32_t hop);

/* As text, in a static buffer: what a datapath says, and what another process finds in the kernel. */
const char *lx_state(struct sr_dp *dp);
const char *lx_kernel(void);
/* Both are `text`. */
void lx_expect(struct sr_dp *dp, const char *text);

/*
 * look.c: what the kernel has of what the datapath touches (addresses, rules, routes, neighbours, the outer source; on
 * taps and uplink: qdiscs and filters), and the sysctls, as text to compare, without numbers that the kernel gives
 * itself. To be freed.
 */
char *lx_facts(void);
char *lx_sysctls(void);
/* Equal; else the first line that differs is shown. Frees `is`. */
void lx_same(char *is, const char *was);

/* Counts the kernel's notices of routes written or removed since lx_listen(). */
int lx_listen(void);
unsigned int lx_heard(int fd);

#endif
