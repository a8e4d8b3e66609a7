/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * harness.h - one node for the programs to run on: packet in, verdict and packet out, by BPF_PROG_TEST_RUN.
 *
 * Each test program lives in a network namespace of its own that harness_main() makes:
 *
 *	tap0  blue  vm1  10.0.0.1  fd00:10::1         up0, up1  the uplinks, with neighbour fe80::1 known on both
 *	tap1  blue  vm2  10.0.0.2  fd00:10::2         2400:dcc0::/32  via up0             nodes B, C and others
 *	tap2  red   vm3  10.0.0.1  fd00:10::1         2400:dcc1::/32  via up0 and up1     node E
 *	tap3  blue  vm4  10.0.0.4, admin down         2400:dcc2::/32  via up0, neighbour not known    node N
 *	                                              2400:dcc3::/32  no route            node X
 *	                                              2400:dcc3:1::/48  via up0, MTU 1400 node M
 *
 * node_new() loads the programs with a configuration and fills the maps with the world that the tables in harness.c
 * say; tests add their own. What a program redirects goes nowhere here: the verdict says that it would. The Ethernet
 * header of the packet that comes out tells the uplink. test_egress.c is about what goes where.
 *
 * Inner addresses of VMs elsewhere: 10.0.1.x and fd00:10::1:x are behind node x of the list in harness.c.
 */
#ifndef SR_TESTS_BPF_HARNESS_H
#define SR_TESTS_BPF_HARNESS_H

#include "unit.h"
#include "packet.h"
#include "bpf/abi.h"

#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <stdbool.h>

struct srfabric_bpf;
struct loaded;

enum port_name { TAP0, TAP1, TAP2, TAP3, UP0, UP1, PORTS };

enum vrf_id { BLUE = 1, RED = 2 };

/* Next hops; PORT ids are 1 + enum port_name. */
enum nexthop_id {
	NH_B = 5,  /* node B */
	NH_C,	   /* node C */
	NH_E,	   /* behind both uplinks */
	NH_N,	   /* its next hop has no neighbour entry */
	NH_X,	   /* no route */
	NH_M,	   /* the route has an MTU of 1400 */
	NH_NONE,   /* known by name only */
	NH_SIDS_1, /* lists of so many SIDs, the last of which is B's for blue */
	NH_SIDS_2,
	NH_SIDS_3,
	NH_SIDS_8,
	NH_FREE, /* and on: the test's own */
};

enum sid_stats { STATS_BLUE = 1, STATS_RED, STATS_END, STATS_DT4, STATS_DT6 };

#define SOURCE "2400:dcc0:f::a" /* this node's, outer */
#define PEER "2400:dcc0:f::b"	/* node B's */
#define OUTSIDE "2001:db8::1"

/* Locator of this node 2400:dcc0::a7a:4d8e, of B ...:4d8f, of C ...:4d90; functions 169.254.1.8 and .9. */
#define SID_BLUE "2400:dcc0::a7a:4d8e:a9fe:108" /* End.DT46 */
#define SID_RED "2400:dcc0::a7a:4d8e:a9fe:109"	/* End.DT46 */
#define SID_END "2400:dcc0::a7a:4d8e:0:e"
#define SID_DT4 "2400:dcc0::a7a:4d8e:0:4"	   /* End.DT4 of blue */
#define SID_DT6 "2400:dcc0::a7a:4d8e:0:6"	   /* End.DT6 of blue */
#define SID_UNKNOWN "2400:dcc0::a7a:4d8e:a9fe:1ff" /* under the locator, but none */
#define SID_B_BLUE "2400:dcc0::a7a:4d8f:a9fe:108"
#define SID_C_BLUE "2400:dcc0::a7a:4d90:a9fe:108"
#define SID_C_RED "2400:dcc0::a7a:4d90:a9fe:109"
#define SID_E_BLUE "2400:dcc1::e:a9fe:108"
#define SID_N_BLUE "2400:dcc2::e:a9fe:108"
#define SID_HOP_1 "2400:dcc0::1:0:e" /* on the way, in the lists of SIDs */
#define SID_HOP_2 "2400:dcc0::2:0:e"
#define SID_HOP_3 "2400:dcc0::3:0:e"
#define SID_HOP_4 "2400:dcc0::4:0:e"
#define SID_HOP_5 "2400:dcc0::5:0:e"
#define SID_HOP_6 "2400:dcc0::6:0:e"
#define SID_HOP_7 "2400:dcc0::7:0:e"

#define GATEWAY4 "10.0.0.254"
#define GATEWAY6 "fd00:10::fe"
#define VM1 "10.0.0.1"
#define VM1_6 "fd00:10::1"
#define VM2 "10.0.0.2"
#define VM2_6 "fd00:10::2"
#define VM_B "10.0.1.1"
#define VM_B_6 "fd00:10::1:1"
/* BPF_PROG_TEST_RUN of newer kernels refuses a frame without a whole IP header; test_egress.c sends shorter ones. */
#define HARNESS_MIN4 (14 + 20)
#define HARNESS_MIN6 (14 + 40)
#define FABRIC_MTU 1500
#define HOP_LIMIT 61 /* of the configuration; not one of the usual numbers */

extern const uint8_t mac_gateway[6], mac_vm1[6], mac_vm2[6], mac_vm3[6], mac_vm4[6], mac_other[6], mac_broadcast[6];
extern const uint8_t mac_up0[6], mac_up1[6], mac_leaf0[6], mac_leaf1[6]; /* of the uplinks, and of fe80::1 on each */

#define DROPS (SR_DIR_MAX * SR_DROP_MAX)

struct node {
	struct srfabric_bpf *skel;
	struct loaded *loaded;
	struct sr_bpf_config config;
	uint64_t before[DROPS]; /* packets dropped when the last run began */
};

struct sr_bpf_config config_default(void);
/*
 * NULL config: the default one. Never NULL; the caller frees. The programs may have been loaded for a node before, and
 * be on its interfaces still; no two nodes share any at a time.
 */
struct node *node_new(const struct sr_bpf_config *config);
void node_free(struct node *node);
/* For cmocka: *state is a node with the default configuration. */
int node_setup(void **state);
int node_teardown(void **state);
#define node_test(f) cmocka_unit_test_setup_teardown(f, node_setup, node_teardown)

struct in6_addr ip6(const char *text);
__be32 ip4(const char *text);

/* Maps. Failures fail the test. */
void node_host4(struct node *node, uint32_t vrf, const char *addr, uint32_t nexthop);
void node_host6(struct node *node, uint32_t vrf, const char *addr, uint32_t nexthop);
void node_lpm4(struct node *node, uint32_t vrf, const char *addr, uint32_t len, uint32_t nexthop);
void node_lpm6(struct node *node, uint32_t vrf, const char *addr, uint32_t len, uint32_t nexthop);
/* Next hop `id` is a node of this locator. */
void node_nexthop(struct node *node, uint32_t id, const char *locator);
void node_vrf(struct node *node, uint32_t vrf, uint32_t flags, uint32_t mtu);
void node_sid(struct node *node, const char *sid, enum sr_sid_behavior behavior, uint32_t vrf, uint32_t stats);
void node_gateway(struct node *node, enum port_name tap, const char *gateway4, const char *gateway6);
void node_forget_port(struct node *node, enum port_name tap);
void node_fabric_mtu(struct node *node, uint32_t mtu);
void node_pmtu_set(struct node *node, const char *dst, uint32_t mtu, int64_t seconds_left);
/* The MTU learnt for an outer destination, 0 if none, and how long it is good for. */
uint32_t node_pmtu(struct node *node, const char *dst, int64_t *ret_seconds_left);
struct sr_bpf_vrf_stats node_vrf_stats(struct node *node, uint32_t vrf);
struct sr_bpf_counter node_sid_stats(struct node *node, uint32_t stats);
struct sr_bpf_counter node_drops(struct node *node, enum sr_direction dir, enum sr_drop_reason reason);

uint32_t ifindex_of(enum port_name port);

/* Runs the program that belongs on the port; returns its verdict. `out` may be `in`. */
int node_run(struct node *node, enum port_name port, const struct packet *in, struct packet *out);

/* The same without looking at the drop counters first: for many runs. */
int node_run_unchecked(struct node *node, enum port_name port, const struct packet *in, struct packet *out);

/* The drop reasons counted by the last node_run are exactly this one, once; SR_DROP_MAX: none at all. */
void node_assert_counted_at(struct node *node, enum sr_direction dir, enum sr_drop_reason reason, const char *file,
			    int line);
#define node_assert_counted(node, dir, reason) node_assert_counted_at(node, dir, reason, __FILE__, __LINE__)

/* Runs, and wants the packet dropped for this reason. */
void node_expect_drop_at(struct node *node, enum port_name port, const struct packet *in, enum sr_drop_reason reason,
			 const char *file, int line);
#define node_expect_drop(node, port, in, reason) node_expect_drop_at(node, port, in, reason, __FILE__, __LINE__)

/* Runs, and wants it sent on (a redirect) without a drop counted. */
void node_expect_sent_at(struct node *node, enum port_name port, const struct packet *in, struct packet *out,
			 const char *file, int line);
#define node_expect_sent(node, port, in, out) node_expect_sent_at(node, port, in, out, __FILE__, __LINE__)

/* Runs, and wants an answer sent (a redirect) with the reason counted; SR_DROP_MAX: an answer that is no drop. */
void node_expect_answer_at(struct node *node, enum port_name port, const struct packet *in, enum sr_drop_reason reason,
			   struct packet *out, const char *file, int line);
#define node_expect_answer(node, port, in, reason, out)                                                                \
	node_expect_answer_at(node, port, in, reason, out, __FILE__, __LINE__)

/* Runs, and wants it left to the kernel unchanged. */
void node_expect_kernel_at(struct node *node, enum port_name port, const struct packet *in, const char *file, int line);
#define node_expect_kernel(node, port, in) node_expect_kernel_at(node, port, in, __FILE__, __LINE__)

/* Makes the namespace, runs the tests; returns main's exit code. 77 with the reason as last line: cannot run here. */
int harness_main(const char *name, const struct CMUnitTest *tests, size_t n);
/* The same with what is set up once for all tests. */
int harness_main_group(const char *name, const struct CMUnitTest *tests, size_t n, CMFixtureFunction setup,
		       CMFixtureFunction teardown);
#define HARNESS_MAIN(name, tests)                                                                                      \
	int main(void)                                                                                                 \
	{                                                                                                              \
		return harness_main(name, tests, ARRAY_SIZE(tests));                                                   \
	}

/* Makes the world's interfaces and routes in the current network namespace, as harness_main does. */
bool harness_world(void);
/* `ip -batch` of the text; false if it fails. */
bool harness_ip(const char *batch);
bool harness_sysctl(const char *path, const char *value);

#endif
