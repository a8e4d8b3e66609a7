/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * datapath/ebpf/ - the eBPF datapath's user space: loads the programs of bpf/, keeps their maps pinned, writes them.
 *
 *   open.c      the life of a datapath: open, close, destroy, read-only
 *   pins.c      the directory in the bpf file system: lock, whole sets of pinned maps
 *   load.c      the object: sizes, constants, pinned maps taken up again, the verifier's words
 *   attach.c    programs on interfaces (TC, clsact)
 *   vrf.c port.c nexthop.c route.c dump.c counters.c   one kind of thing each
 *   map.c       walking and writing maps in batches
 *
 * The kernel's maps are the state. The only copy kept here is each VRF's flags, which routes() would otherwise have to
 * read for each prefix; vrf.c writes both.
 *
 * Shared with the programs: the limits of an index. Stats indexes are not allocated but follow from VRF id and
 * locator (vrf.c), so there is nothing to remember about them.
 */
#ifndef SR_DATAPATH_EBPF_H
#define SR_DATAPATH_EBPF_H

#include "datapath/inside.h"

/* The pinned maps. X(symbol, name, type of key, type of value) */
#define SR_MAPS(X)                                                                                                     \
	X(PORTS, "sr_ports", __u32, struct sr_bpf_port)                                                                \
	X(VRFS, "sr_vrfs", __u32, struct sr_bpf_vrf)                                                                   \
	X(SIDS, "sr_sids", struct in6_addr, struct sr_bpf_sid)                                                         \
	X(HOST4, "sr_host4", struct sr_bpf_host4_key, __u32)                                                           \
	X(HOST6, "sr_host6", struct sr_bpf_host6_key, __u32)                                                           \
	X(LPM4, "sr_lpm4", struct sr_bpf_lpm4_key, __u32)                                                              \
	X(LPM6, "sr_lpm6", struct sr_bpf_lpm6_key, __u32)                                                              \
	X(NEXTHOPS, "sr_nexthops", __u32, struct sr_bpf_nexthop)                                                       \
	X(NODE, "sr_node", __u32, struct sr_bpf_node)                                                                  \
	X(PMTU, "sr_pmtu", struct in6_addr, struct sr_bpf_pmtu)                                                        \
	X(VRF_STATS, "sr_vrf_stats", __u32, struct sr_bpf_vrf_stats)                                                   \
	X(SID_STATS, "sr_sid_stats", __u32, struct sr_bpf_counter)                                                     \
	X(DROPS, "sr_drops", __u32, struct sr_bpf_counter)

enum sr_map {
#define X(sym, name, key, value) SR_MAP_##sym,
	SR_MAPS(X)
#undef X
		SR_MAP_MAX
};

enum sr_prog {
	SR_PROG_TAP,
	SR_PROG_UPLINK,
	SR_PROG_MAX,
};

#define SR_BATCH 4096	    /* elements in one map operation: past this the system call no longer shows */
#define SR_KEY_MAX 24	    /* sizeof(struct sr_bpf_lpm6_key), the largest of a route */
#define SR_PORTS_MAX 65536  /* taps of one node */
#define SR_MTU_DEFAULT 1500 /* of the fabric, until mtu_set */

struct sr_ebpf {
	struct sr_dp dp;
	char *path;	      /* the configured directory */
	int lock_fd;	      /* open on it and locked; -1: read-only */
	int maps[SR_MAP_MAX]; /* file descriptors, -1: none */
	int progs[SR_PROG_MAX];
	uint32_t prog_ids[SR_PROG_MAX];
	bool fresh; /* the maps are new and empty */
	struct sr_locator locators[SR_BPF_LOCATORS_MAX];
	size_t n_locators;
	struct sr_function end_function;
	enum sr_sid_behavior behavior;
	uint32_t max_vrfs, max_nexthops;
	uint8_t *vrf_flags;		     /* enum sr_vrf_flags by VRF id, max_vrfs + 1 of them; owned */
	uint8_t keys[SR_BATCH * SR_KEY_MAX]; /* room for routes() */
	uint32_t values[SR_BATCH];
};

static inline struct sr_ebpf *sr_ebpf(struct sr_dp *dp)
{
	return (struct sr_ebpf *)dp;
}

/* open.c */
void sr_ebpf_close(struct sr_dp *dp);

/* pins.c */

/*
 * Makes the directory dp->path where it is missing (mounting a bpf file system on its parent if that is an empty
 * directory of another) and locks it. -EBUSY: another process has it.
 */
int sr_pins_lock(struct sr_ebpf *dp, const struct sr_err *err);
/*
 * Opens one pinned map into *ret_fd, `file_flags` as for bpf_obj_get_opts. -ENOENT: not pinned.
 */
int sr_pins_get(const struct sr_ebpf *dp, enum sr_map map, uint32_t file_flags, int *ret_fd);
/* Pins dp->maps as the one complete set, in place of what is there; sets of other versions of the ABI go, too. */
int sr_pins_replace(const struct sr_ebpf *dp, const struct sr_err *err);
/* Unpins everything and removes the directory. */
int sr_pins_remove(const struct sr_ebpf *dp);
const char *sr_map_name(enum sr_map map);

/*
 * load.c: loads the programs over the pinned maps if those fit, else over new ones (dp->fresh); fills dp->maps, progs
 * and prog_ids. Pins nothing.
 */
int sr_load(struct sr_ebpf *dp, const struct sr_dp_config *config, const struct sr_err *err);

/* attach.c */

/* Puts the program on the interface, in place of an older one of ours in one step. -ENODEV. */
int sr_attach(const struct sr_ebpf *dp, uint32_t ifindex, enum sr_prog prog);
/* 0 also where there was none, or no such interface. */
int sr_detach(uint32_t ifindex, enum sr_prog prog);
/* Has the interface a program of ours (of whatever age)? */
bool sr_attached(uint32_t ifindex, enum sr_prog prog);
/* Calls back for each interface of the caller's network namespace, until a call returns non-zero, and returns that. */
int sr_interfaces(int (*cb)(void *ctx, uint32_t ifindex), void *ctx);
int sr_ebpf_uplink_set(struct sr_dp *dp, uint32_t ifindex);
int sr_ebpf_uplink_del(struct sr_dp *dp, uint32_t ifindex);

/* vrf.c */

/* Reads the VRFs' flags, removes SIDs that no VRF and locator asks for, adds those that miss, sets the End SID. */
int sr_ebpf_vrfs_init(struct sr_ebpf *dp);
/* Same flags, but nothing is repaired. */
int sr_ebpf_vrfs_read(struct sr_ebpf *dp);
bool sr_ebpf_vrf_active(const struct sr_ebpf *dp, uint32_t id);
/* Raises SR_VRF_F_LPM4 or _LPM6 in an active VRF. */
int sr_ebpf_vrf_raise(struct sr_ebpf *dp, uint32_t id, uint8_t flag);
int sr_ebpf_vrf_set(struct sr_dp *dp, uint32_t id, const struct sr_dp_vrf *vrf);
int sr_ebpf_vrf_del(struct sr_dp *dp, uint32_t id);

int sr_ebpf_port_set(struct sr_dp *dp, const struct sr_dp_port *port);				    /* port.c */
int sr_ebpf_port_del(struct sr_dp *dp, uint32_t ifindex);					    /* port.c */
int sr_ebpf_nexthop_set(struct sr_dp *dp, uint32_t id, const struct sr_dp_nexthop *nh);		    /* nexthop.c */
int sr_ebpf_nexthop_del(struct sr_dp *dp, uint32_t id);						    /* nexthop.c */
int sr_ebpf_routes(struct sr_dp *dp, const struct sr_dp_route *routes, size_t n, size_t *ret_done); /* route.c */
int sr_ebpf_dump(struct sr_dp *dp, const struct sr_dp_dump *cb, void *ctx);			    /* dump.c */
int sr_ebpf_counters(struct sr_dp *dp, const struct sr_dp_counters *cb, void *ctx);		    /* counters.c */
/* counters.c: sets a per-CPU element to zero on all CPUs. */
int sr_ebpf_counter_clear(int fd, uint32_t index, size_t value_size);

/* map.c */

/*
 * Calls back with all elements of a hash or trie, `n` at a time, packed; a non-zero return stops it and is returned.
 * What is added or removed meanwhile may be seen or not, the rest is seen once.
 */
typedef int (*sr_map_cb)(void *ctx, const void *keys, const void *values, uint32_t n);
int sr_map_walk(int fd, size_t key_size, size_t value_size, sr_map_cb cb, void *ctx);
/*
 * Writes (values) or deletes (values NULL) n elements in order, *ret_done of them also on failure. Deleting what is not
 * there counts as done. -ENOSPC: the map is full.
 */
int sr_map_write(int fd, const void *keys, size_t key_size, const uint32_t *values, uint32_t n, uint32_t *ret_done);
/* One element; -ENOSPC as above. */
int sr_map_set(int fd, const void *key, const void *value);
int sr_map_del(int fd, const void *key);

#endif
