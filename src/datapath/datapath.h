/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * datapath/ - turning decisions into forwarding, behind one small interface with several implementations.
 *
 *   ebpf/   TC programs on taps and uplinks, pinned maps (the default)
 *   linux/  VRF devices and the kernel's own seg6 routes, as in the reference
 *
 * The caller (agent/) decides what should be; a datapath holds what is, in the kernel, where it outlives the process.
 * dump() reads it back, and the caller compares. Ids of VRFs and next hops are the caller's, small integers from 1 up
 * to the limits of the configuration. dump() gives them back with the name (VRF) or cookie (next hop) under which the
 * caller knows them again after a restart. Where the kernel has no place for ids and cookies (linux/), they are new at
 * each open and the cookies none that the caller knows: its own next hops take the place of those, and where that
 * changes no packet, it writes nothing.
 *
 * Every `set` is idempotent and replaces as one step: packets see the old or the new, never neither. Every `del` of
 * what is not there returns 0. All return 0 or a negative errno and change nothing on failure, routes() excepted, which
 * says how far it got. Calls are synchronous and belong to one thread. Order of use: a VRF before its ports and routes
 * (-ENOENT), a next hop before routes to it; removal the other way round.
 */
#ifndef SR_DATAPATH_H
#define SR_DATAPATH_H

#include "bpf/abi.h"
#include "srv6/srv6.h"

#define SR_IFNAME_MAX 16
#define SR_FIRST_TABLE 1000

/* The gateway's address towards VMs, on every node the same so that a VM that moves keeps its neighbour: 02 "srv6" 01.
 */
#define SR_GATEWAY_MAC                                                                                                 \
	{                                                                                                              \
		0x02, 0x73, 0x72, 0x76, 0x36, 0x01                                                                     \
	}

/* What a datapath needs to know of its node before it starts. Borrowed for the duration of the open call only. */
struct sr_dp_config {
	struct sr_locator locators[SR_BPF_LOCATORS_MAX]; /* SIDs are answered on each; [0] is the node's own */
	size_t n_locators;
	struct in6_addr source;			      /* outer source address */
	struct sr_prefix domains[SR_BPF_DOMAINS_MAX]; /* SID space and infrastructure addresses */
	size_t n_domains;
	const char *bpffs; /* ebpf: directory in a bpf file system where this node's maps are pinned; made if absent */
	const char *state_dir; /* linux: directory for the lock and the record of what was changed; made if absent */
	enum sr_encap_mode encap_mode;
	enum sr_dscp_mode dscp_mode;
	/* Of the VRFs' SIDs: DT4, DT6, DT46; linux/: DX4 too. 0: the best that there is. */
	enum sr_sid_behavior vrf_behavior;
	struct sr_function end_function; /* the node's End SID on locators[0]; 0: none */
	uint32_t icmp_rate;
	uint32_t max_vrfs, max_nexthops, max_routes;
	uint32_t first_table; /* linux: VRFs get kernel tables from here on; 0: SR_FIRST_TABLE */
	uint8_t dscp;
	uint8_t hop_limit;
};

struct sr_dp_vrf {
	char name[SR_IFNAME_MAX];
	struct sr_function function;
	uint32_t mtu;	/* of tenants' packets; 0: what the fabric carries */
	uint32_t table; /* linux: the kernel's table; 0: any */
};

struct sr_dp_port {
	uint32_t ifindex;
	uint32_t vrf;
	uint32_t nexthop; /* its own SR_NH_PORT next hop */
	uint8_t id[16];
	uint8_t mac[6];
	bool up;
	__be32 gateway4;	  /* 0: none */
	struct in6_addr gateway6; /* ::: none */
};

/* One of kind SR_NH_NONE with a cookie is there too: routes point at it, and their packets are dropped until it
 * resolves. */
struct sr_dp_nexthop {
	uint64_t cookie; /* not 0 */
	enum sr_nh_kind kind;
	uint32_t ifindex; /* SR_NH_PORT */
	size_t n_segs;
	struct sr_sid segs[SR_SEGS_MAX]; /* SR_NH_SIDS, travel order */
	struct sr_locator locator;	 /* SR_NH_NODE */
	uint8_t mac[6];			 /* SR_NH_PORT */
};

/* One write: nexthop 0 removes the route. */
struct sr_dp_route {
	uint32_t vrf;
	uint32_t nexthop;
	struct sr_prefix dst;
};

/*
 * Called back once for each thing there is; any may be NULL. A non-zero return stops the dump and is returned by it.
 * A port of VRF 0 is an interface that still carries our program although nothing is known of it: port_del it.
 */
struct sr_dp_dump {
	int (*uplink)(void *ctx, uint32_t ifindex);
	int (*vrf)(void *ctx, uint32_t id, const struct sr_dp_vrf *vrf);
	int (*port)(void *ctx, const struct sr_dp_port *port);
	int (*nexthop)(void *ctx, uint32_t id, const struct sr_dp_nexthop *nh);
	int (*routes)(void *ctx, const struct sr_dp_route *routes, size_t n);
};

/* Counters, summed over CPUs. */
struct sr_dp_counters {
	int (*vrf)(void *ctx, uint32_t id, const struct sr_bpf_vrf_stats *stats);
	int (*sid)(void *ctx, const struct sr_sid *sid, const struct sr_bpf_sid *what, const struct sr_bpf_counter *c);
	int (*drop)(void *ctx, enum sr_direction dir, enum sr_drop_reason reason, const struct sr_bpf_counter *c);
};

struct sr_dp;

struct sr_dp_ops {
	const char *name;
	/* Lets go of the kernel's objects; forwarding goes on. Takes NULL. */
	void (*close)(struct sr_dp *dp);
	/* close, and remove everything from the kernel. */
	int (*destroy)(struct sr_dp *dp);
	/* Start and stop taking SIDs' packets from an interface of the fabric. */
	int (*uplink_set)(struct sr_dp *dp, uint32_t ifindex);
	int (*uplink_del)(struct sr_dp *dp, uint32_t ifindex);
	/* MTU of the fabric, bytes of the outer IPv6 packet. -EINVAL: under IPv6's 1280. */
	int (*mtu_set)(struct sr_dp *dp, uint32_t mtu);
	/* A VRF and its SIDs on each locator. -ENOSPC: id beyond max_vrfs; -EEXIST: another has the function. */
	int (*vrf_set)(struct sr_dp *dp, uint32_t id, const struct sr_dp_vrf *vrf);
	int (*vrf_del)(struct sr_dp *dp, uint32_t id);
	/* -ENODEV: no such interface (any more); -EBUSY: it is an uplink. */
	int (*port_set)(struct sr_dp *dp, const struct sr_dp_port *port);
	int (*port_del)(struct sr_dp *dp, uint32_t ifindex);
	int (*nexthop_set)(struct sr_dp *dp, uint32_t id, const struct sr_dp_nexthop *nh);
	int (*nexthop_del)(struct sr_dp *dp, uint32_t id);
	/* Applies in order; *ret_done is how many were applied, also on failure: routes[*ret_done] is the one refused.
	 */
	int (*routes)(struct sr_dp *dp, const struct sr_dp_route *routes, size_t n, size_t *ret_done);
	int (*dump)(struct sr_dp *dp, const struct sr_dp_dump *cb, void *ctx);
	int (*counters)(struct sr_dp *dp, const struct sr_dp_counters *cb, void *ctx);
};

/* Implementations embed this as their first member. */
struct sr_dp {
	const struct sr_dp_ops *ops;
};

/* The text of a drop reason; "?" for numbers that are none. */
const char *sr_drop_reason_text(enum sr_drop_reason reason);

/*
 * ebpf/: opens or makes the pinned maps and loads the programs. Taps and uplinks that already have our programs get the
 * new ones at their next port_set or uplink_set, in one step: after an open, call those for each. Where pinned maps
 * have other sizes than the configuration asks for, or some are missing, the maps are new and dump() shows nothing,
 * while what is on the interfaces forwards by the old ones: so set VRFs, next hops and routes first, then ports and
 * uplinks. `err` (may be NULL) gets a sentence on failure. -EPERM: no privileges; -EOPNOTSUPP: kernel without what it
 * takes; -EBUSY: another process has the directory; -EINVAL: a configuration that cannot be.
 */
int sr_dp_ebpf_open(const struct sr_dp_config *config, struct sr_dp **ret, char *err, size_t err_len);
/*
 * For srctl on a node: reads what is pinned in `bpffs`, loads and changes nothing (every set and del gives -EROFS).
 * -ENOENT: nothing is pinned there.
 */
int sr_dp_ebpf_open_readonly(const char *bpffs, struct sr_dp **ret, char *err, size_t err_len);

/*
 * linux/: sets the node's sysctls and rules, remembering what was, and reads back what is there. -EOPNOTSUPP: no VRF
 * driver, no seg6local, or no TC filters in this kernel; -EINVAL: also a configuration that the kernel's seg6 cannot
 * follow (dscp, hop_limit). mtu of the fabric and of VRFs, icmp_rate and max_routes mean nothing to it. Else as above.
 */
int sr_dp_linux_open(const struct sr_dp_config *config, struct sr_dp **ret, char *err, size_t err_len);
/* For srctl. -ENOENT: no such directory. */
int sr_dp_linux_open_readonly(const char *state_dir, struct sr_dp **ret, char *err, size_t err_len);

#endif
