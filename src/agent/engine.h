/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * agent/engine.h - the reconcile loop: what should be, what is, and the difference applied.
 *
 * The engine is told three things: what the store says (it is a sr_store_reader), which interfaces there are (links),
 * and at its birth what the datapath has (it dumps it). From the first two model/fabric.h works out what should be;
 * sr_engine_reconcile writes what differs, in an order in which packets never see half of a change:
 *
 *   VRFs, next hops, ports, routes  -  then removals: routes, ports, VRFs, next hops
 *
 * Start-up and change take the same path; a restart finds most things equal and writes nothing. Until nodes and
 * bindings have been read whole once, and a VRF's scope likewise, nothing is done about them: with etcd away the
 * datapath stays as it was left. A write that fails is counted, logged by the caller, and tried again at the next
 * reconcile; the others go on.
 *
 * A VRF is wanted while a binding of this node names it; then it is subscribed to (ops->subscribe) and programmed.
 * Owned by and called from one thread. Does no I/O but through the datapath.
 */
#ifndef SR_ENGINE_H
#define SR_ENGINE_H

#include "datapath/datapath.h"
#include "model/fabric.h"
#include "store/store.h"

#define SR_UPLINKS_MAX 16

struct sr_engine;

enum sr_log_level { SR_LOG_ERROR = 3, SR_LOG_WARNING = 4, SR_LOG_NOTICE = 5, SR_LOG_INFO = 6, SR_LOG_DEBUG = 7 };

struct sr_engine_ops {
	void (*subscribe)(void *ctx, const char *vrf);
	void (*unsubscribe)(void *ctx, const char *vrf);
	/* A port of this node became active, or is not (reason). Only on change. */
	void (*port_status)(void *ctx, const struct sr_uuid *id, bool active, const char *reason);
	/* A port is no longer this node's: its status is nobody's business here any more. */
	void (*port_gone)(void *ctx, const struct sr_uuid *id);
	/* There is something to reconcile: call sr_engine_reconcile soon, once for many of these. */
	void (*wake)(void *ctx);
	void (*log)(void *ctx, enum sr_log_level level, const char *text);
};

struct sr_engine_config {
	const char *self; /* this node's name */
	uint32_t max_vrfs, max_nexthops;
	uint64_t seed;
	const char *uplinks[SR_UPLINKS_MAX]; /* interface names, borrowed for the engine's life */
	size_t n_uplinks;
	uint32_t mtu; /* of the fabric; 0: the smallest uplink's */
};

/* What was written since birth; what was equal was not. */
struct sr_engine_stats {
	uint64_t passes, failures;
	uint64_t vrf_writes, hop_writes, port_writes, route_writes;
};

/* Dumps the datapath, which is borrowed. -ENOMEM, or the dump's error. */
int sr_engine_new(const struct sr_engine_config *config, struct sr_dp *dp, const struct sr_engine_ops *ops, void *ctx,
		  struct sr_engine **ret);
void sr_engine_free(struct sr_engine *engine);

/* To be given to sr_store_new, with the engine as ctx. */
extern const struct sr_store_reader sr_engine_reader;

/*
 * An interface is there (again, renamed, with another MTU, administratively up or down), or gone. One that comes up is
 * set anew in the datapath: the kernel takes routes and addresses from one that goes down.
 */
int sr_engine_link_set(struct sr_engine *engine, uint32_t ifindex, const char *name, uint32_t mtu, bool up);
void sr_engine_link_del(struct sr_engine *engine, uint32_t ifindex);
/* Before and after a full listing of the links: those not set in between are gone. */
void sr_engine_links_begin(struct sr_engine *engine);
void sr_engine_links_end(struct sr_engine *engine);

/* Returns 0 if all that can be is as it should be, else the first error; call again later then. */
int sr_engine_reconcile(struct sr_engine *engine);
/* All that is of interest was read whole, and nothing waits to be written: forwarding is what the store says. */
bool sr_engine_settled(const struct sr_engine *engine);

const struct sr_engine_stats *sr_engine_stats(const struct sr_engine *engine);
struct sr_fabric *sr_engine_fabric(struct sr_engine *engine);

#endif
