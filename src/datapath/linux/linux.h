/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * datapath/linux/ - VRF devices and the kernel's own seg6 and seg6local routes, over rtnetlink.
 *
 *   open.c     the life of a datapath: probing the kernel, what is set for the whole node, open, close, destroy
 *   learn.c    what is in the kernel, read back at open
 *   vrf.c      VRF devices and their SIDs
 *   port.c     taps (slaves of a VRF) and uplinks
 *   route.c    next hops and routes
 *   dump.c     dump and counters
 *   table.c    which next hop each route is written for; pure
 *   kroute.c   a route in a message; pure
 *   link.c rule.c filter.c ttl.c   other messages: links, addresses, neighbours; rules; TC
 *   saved.c    sysctls and what else was there before us
 *
 * A node looks as in the reference ("Real config on Network Node"): for each VRF a device vrf… with the VRF's `vrf_ip`
 * on it and a table N of its own,
 *
 *   10.122.12.113  encap seg6 mode encap segs 1 [ SID ] dev vrf… scope link            in table N: to another node
 *   10.122.12.114 dev tap… scope link                                                  to a tap of this node
 *   local SID  encap seg6local action End.DT46 vrftable N dev vrf…                     in table local; or, forced,
 *   local SID  encap seg6local action End.DX4 nh4 vrf_ip dev vrf…
 *
 * What is ours: VRF devices whose alias begins with "srfabric "; in their tables, routes of protocol boot that go
 * through the device with seg6, out of one of its taps, or are blackholes; in table local, seg6local routes through
 * such a device; rules and filters with our preferences. Whatever else there is, is not touched.
 *
 * What keeps tenants in (docs/datapath.md): each table ends in an unreachable default, as the kernel's documentation
 * of VRF advises, the rule for table local comes after that for VRFs, so that a VM does not reach the node's own
 * addresses, and IPv6 packets of VMs from or to SID space are dropped at the tap. Outer packets are looked up by rules
 * "to DOMAIN" before those for VRFs, since the kernel looks for their routes as if they had come in through the VRF.
 */
#ifndef SR_DATAPATH_LINUX_H
#define SR_DATAPATH_LINUX_H

#include "datapath/inside.h"
#include "datapath/linux/kroute.h"
#include "datapath/linux/link.h"
#include "datapath/linux/saved.h"
#include "datapath/linux/table.h"

#define SR_LINUX_ALIAS "srfabric " /* then the VRF's function */
#define SR_METRIC6 1024		   /* the kernel's default, which it fills in itself */
#define SR_METRIC_LAST 4278198272U /* Documentation/networking/vrf.rst: after all other routes */

enum sr_rule_pref {
	SR_RULE_DOMAIN_LOCAL = 998, /* to SID space: this node's own */
	SR_RULE_DOMAIN_MAIN = 999,  /* to SID space: the fabric's routes */
	SR_RULE_L3MDEV = 1000,	    /* the kernel's own, made with the first VRF device */
	SR_RULE_LOCAL = 32765,	    /* table local; was 0 */
};

/* A SID that is in table local. */
struct sr_linux_sid {
	struct sr_sid sid;
	uint32_t oif;
	uint32_t action;
	__be32 nh4;
	uint32_t vrftable;
};

struct sr_linux_vrf {
	bool there;
	uint32_t ifindex, table;
	struct sr_dp_vrf vrf;
};

struct sr_linux_hop {
	bool there;
	struct sr_dp_nexthop nh;
};

struct sr_linux_port {
	struct sr_dp_port port; /* gateway4, gateway6: what is on it; vrf 0: half made, or half removed */
	char name[SR_IFNAME_MAX];
	__be32 second4; /* one more address, of a change that was cut off */
	struct in6_addr second6;
	bool attached; /* in its VRF, guarded, up */
};

struct sr_linux {
	struct sr_dp dp;
	struct sr_rtnl nl;
	struct sr_rtnl_batch batch;
	int lock_fd;
	struct sr_saved saved;

	struct sr_locator locators[SR_BPF_LOCATORS_MAX];
	size_t n_locators;
	struct sr_prefix domains[SR_BPF_DOMAINS_MAX];
	size_t n_domains;
	struct in6_addr source;
	struct sr_function end_function;
	bool reduced;
	bool unsure;		       /* the socket failed under a batch: what of it was taken is not known */
	enum sr_sid_behavior behavior; /* of the VRFs' SIDs: chosen */
	uint32_t max_vrfs, max_hops;
	uint32_t next_table; /* where to look for a free one */

	struct sr_linux_vrf *vrfs; /* by id */
	struct sr_linux_hop *hops; /* by id */
	struct sr_linux_port *ports;
	uint32_t n_ports, size_ports;
	struct sr_linux_sid *sids;
	uint32_t n_sids, size_sids;
	uint32_t *used_tables; /* others' */
	uint32_t n_used_tables, size_used_tables;
	struct sr_table table;
};

static inline struct sr_linux *sr_linux(struct sr_dp *dp)
{
	return (struct sr_linux *)dp;
}

/* learn.c: fills vrfs, hops, ports, sids, used_tables and table from the kernel. */
int sr_linux_learn(struct sr_linux *dp);

/* vrf.c */
int sr_linux_vrf_set(struct sr_dp *dp, uint32_t id, const struct sr_dp_vrf *vrf);
int sr_linux_vrf_del(struct sr_dp *dp, uint32_t id);
/* After learning: what this configuration makes of the VRFs that are there. Writes nothing where nothing differs. */
int sr_linux_vrfs_follow(struct sr_linux *dp);
/* NULL: none of that number is there. */
struct sr_linux_vrf *sr_linux_vrf(struct sr_linux *dp, uint32_t id);
/* The behaviour's number in the kernel. */
uint32_t sr_linux_action(enum sr_sid_behavior behavior);
/* The kernel's words for a SID; oif, and nh4 or vrftable as the action needs them. */
void sr_linux_sid_route(const struct sr_linux_sid *sid, struct sr_kroute *ret);
/* One request with a route. Removing what is not there is no error. */
int sr_linux_route_set(struct sr_linux *dp, const struct sr_kroute *route, bool there);

/* port.c */
int sr_linux_port_set(struct sr_dp *dp, const struct sr_dp_port *port);
int sr_linux_port_del(struct sr_dp *dp, uint32_t ifindex);
int sr_linux_uplink_set(struct sr_dp *dp, uint32_t ifindex);
int sr_linux_uplink_del(struct sr_dp *dp, uint32_t ifindex);
struct sr_linux_port *sr_linux_port(struct sr_linux *dp, uint32_t ifindex);
/* Makes a tap a guarded slave of the VRF, up, if it is not yet known to be. -ENODEV: it is gone. */
int sr_linux_attach(struct sr_linux *dp, uint32_t ifindex, uint32_t vrf);
/* The reverse, for one that is still there. */
int sr_linux_detach(struct sr_linux *dp, const struct sr_klink *link, const struct sr_linux_port *port);
int sr_linux_uplink_release(struct sr_linux *dp, const char *name);

/* route.c */
int sr_linux_nexthop_set(struct sr_dp *dp, uint32_t id, const struct sr_dp_nexthop *nh);
int sr_linux_nexthop_del(struct sr_dp *dp, uint32_t id);
int sr_linux_routes(struct sr_dp *dp, const struct sr_dp_route *routes, size_t n, size_t *ret_done);
/* Writes anew what the kernel dropped of a next hop's routes. */
int sr_linux_rewrite_hop(struct sr_linux *dp, uint32_t hop);
/* The VRF's function has changed: writes all its routes that follow from it. */
int sr_linux_rewrite_vrf(struct sr_linux *dp, uint32_t vrf);

/* dump.c */
int sr_linux_dump(struct sr_dp *dp, const struct sr_dp_dump *cb, void *ctx);
int sr_linux_counters(struct sr_dp *dp, const struct sr_dp_counters *cb, void *ctx);

#endif
