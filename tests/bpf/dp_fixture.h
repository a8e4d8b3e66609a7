/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What tests of the eBPF datapath share: a network and a mount namespace of the process's own with a bpf file system in
 * it, so that nothing is left behind however a test ends; a plain configuration; a dump kept to be looked at.
 */
#ifndef SR_TESTS_DP_FIXTURE_H
#define SR_TESTS_DP_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "datapath/datapath.h"

#define DP_LIST_MAX 64
#define DP_SKIP 77 /* meson: skipped */

/* Enters the namespaces. DP_SKIP, with the reason on stdout, where there are no privileges for them. */
int dp_isolate(void);

const char *dp_bpffs(void);				  /* the mounted file system */
const char *dp_dir(void);				  /* the directory in it that the tests' datapaths use */
const char *dp_pin(const char *name);			  /* a pinned map's path; a static buffer */
struct sr_dp_config dp_config(void);			  /* one locator, small limits */
struct sr_dp *dp_open(const struct sr_dp_config *config); /* must succeed; NULL: dp_config() */
int dp_clear(void **state); /* teardown: no filter is left on any interface, and dp_dir() is gone */

struct sr_locator dp_locator(const char *text);
struct sr_prefix dp_prefix(const char *text);
struct sr_dp_vrf dp_vrf(const char *name, const char *function);

void dp_link_add(const char *name); /* a veth, up, its peer called `name` + "p" */
void dp_link_del(const char *name);
uint32_t dp_ifindex(const char *name);
uint32_t dp_attached(const char *ifname, const char *program); /* id of the program with that name; 0: none */

struct dp_dump {
	size_t n_uplinks, n_vrfs, n_ports, n_nexthops, n_routes, n_sids;
	uint32_t uplinks[DP_LIST_MAX];
	struct {
		uint32_t id;
		struct sr_dp_vrf vrf;
	} vrfs[DP_LIST_MAX];
	struct sr_dp_port ports[DP_LIST_MAX];
	struct {
		uint32_t id;
		struct sr_dp_nexthop nh;
	} nexthops[DP_LIST_MAX];
	struct sr_dp_route routes[DP_LIST_MAX];
	struct {
		struct sr_sid sid;
		struct sr_bpf_sid what;
	} sids[DP_LIST_MAX];
};

/* Everything there is, SIDs included (from counters()). A static buffer. */
const struct dp_dump *dp_dump(struct sr_dp *dp);
/* The next hop of a route in a dump; 0: none. */
uint32_t dp_dump_route(const struct dp_dump *dump, uint32_t vrf, const char *dst);
/* The entry of a SID in a dump; NULL: none. */
const struct sr_bpf_sid *dp_dump_sid(const struct dp_dump *dump, const char *sid);

#endif
