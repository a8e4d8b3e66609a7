/* SPDX-License-Identifier: GPL-2.0-only */
/* agent/engine_impl.h - the engine's insides, shared by engine.c (what it is told) and reconcile.c (what it does). */
#ifndef SR_ENGINE_IMPL_H
#define SR_ENGINE_IMPL_H

#include <uthash.h>

#include "agent/engine.h"

/* An interface of this node. */
struct link {
	uint32_t ifindex;
	char name[SR_IFNAME_MAX];
	uint32_t mtu;
	bool up;
	bool stale;
	UT_hash_handle hh, hh_name;
};

/* A port that is bound to this node, by the store's word. */
struct binding {
	struct sr_uuid port;
	char vrf[SR_VRF_NAME_SIZE];
	bool stale;
	UT_hash_handle hh;
};

/* How many bindings name a VRF. */
struct vrf_use {
	char vrf[SR_VRF_NAME_SIZE];
	unsigned int n;
	bool wanted; /* the fabric took it in; else it is tried again */
	UT_hash_handle hh;
};

/* A port as the datapath has it. */
struct port_had {
	uint32_t ifindex;
	struct sr_dp_port port;
	bool refresh; /* from before this process: to be set once more, so that it gets this version's program */
	bool wanted;  /* scratch of a pass */
	UT_hash_handle hh;
};

/* What was last said of a port of ours. */
struct reported {
	struct sr_uuid id;
	bool active;
	const char *reason; /* static text, compared by address */
	bool wanted;	    /* scratch of a pass */
	UT_hash_handle hh;
};

struct vrf_had {
	bool there;
	struct sr_dp_vrf vrf;
	uint32_t n_ports;
	bool failing; /* its last route write failed */
};

struct sr_engine {
	struct sr_engine_config config;
	struct sr_dp *dp;
	const struct sr_engine_ops *ops;
	void *ctx;
	struct sr_fabric *fabric;

	struct link *links, *links_by_name;
	struct binding *bindings;
	struct vrf_use *uses;
	bool nodes_synced, bindings_synced, links_synced;

	struct vrf_had *vrfs;	    /* by id */
	struct sr_dp_nexthop *hops; /* by id; kind NONE: not there, or not resolved */
	bool *hops_there;	    /* by id: was written */
	struct port_had *ports;	    /* by ifindex */
	struct reported *reported;
	uint32_t uplinks[SR_UPLINKS_MAX]; /* ifindex as set in the datapath; 0: not */
	uint32_t mtu;
	uint32_t old_uplinks[SR_UPLINKS_MAX]; /* that had our program before this process */
	size_t n_old_uplinks;
	bool uses_unmet;  /* a VRF that is used is not wanted: no room, when it was tried */
	bool ports_dirty; /* links changed, or a write failed: look at the ports again */
	struct sr_engine_stats stats;
};

void engine_log(struct sr_engine *e, enum sr_log_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Tries to want what is used and could not be wanted so far. */
void engine_meet_uses(struct sr_engine *e);
struct link *engine_link_by_name(struct sr_engine *e, const char *name);

#endif
