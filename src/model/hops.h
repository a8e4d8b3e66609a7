/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * model/hops.h - next hops: what routes point at, numbered.
 *
 * A next hop is named by what it means - a node, a locator, a list of SIDs, a port of this node - and has a small
 * number (the datapath's next hop id) by which routes know it, so that what it resolves to may change in one write
 * behind any number of routes. It has two reference counts: candidates in RIBs that want it, and routes in the datapath
 * that still point at it. Its number is given to another only when both are 0 and the datapath has let go of it: a
 * number that changed its meaning under a live route would send one tenant's packets elsewhere.
 *
 * Across a restart a next hop is known again by its cookie, a hash of its name that the datapath keeps for us. A cookie
 * is 64 bits of a fixed hash; two names with one cookie (1 in 10^10 for 65,536 names) get distinct ones within a
 * process.
 */
#ifndef SR_MODEL_HOPS_H
#define SR_MODEL_HOPS_H

#include "base/index.h"
#include "model/model.h"

enum sr_hop_kind {
	SR_HOP_NODE = 1, /* by name: its locator may change */
	SR_HOP_LOCATOR,	 /* a gateway's */
	SR_HOP_SIDS,	 /* an encap rule's */
	SR_HOP_PORT,	 /* a tap of this node */
};

struct sr_hop_key {
	enum sr_hop_kind kind;
	size_t n_segs;
	union {
		char node[SR_NAME_SIZE];
		struct sr_locator locator;
		struct sr_uuid port;
		struct sr_sid segs[SR_SEGS_MAX];
	};
};

struct sr_hop;

struct sr_hops {
	struct sr_hop *hops; /* by id; [0] is unused */
	uint32_t max, top;   /* ids run to max; those above top were never used */
	uint32_t free_id;
	struct sr_index index; /* by cookie */
	uint32_t dirty_head, idle_head;
};

/* -ENOMEM, -EINVAL: max is 0. */
int sr_hops_init(struct sr_hops *hops, uint32_t max);
void sr_hops_fini(struct sr_hops *hops);

/* The datapath has this next hop. -EINVAL: id beyond max, or taken; -EEXIST: the cookie is known by another id. */
int sr_hops_learn(struct sr_hops *hops, uint32_t id, uint64_t cookie);
/* Finds or makes the next hop of that name and takes a reference for a route that wants it. -ENOSPC, -ENOMEM. */
int sr_hops_get(struct sr_hops *hops, const struct sr_hop_key *key, uint32_t *ret_id);
void sr_hops_ref(struct sr_hops *hops, uint32_t id);
/* Gives the reference back. id SR_HOP_NONE: nothing. */
void sr_hops_put(struct sr_hops *hops, uint32_t id);
/* A route in the datapath points at it now, or no longer. Id SR_HOP_NONE: nothing. */
void sr_hops_have_ref(struct sr_hops *hops, uint32_t id);
void sr_hops_have_put(struct sr_hops *hops, uint32_t id);

/* SR_HOP_NONE if nobody wants one of that name. */
uint32_t sr_hops_find(const struct sr_hops *hops, const struct sr_hop_key *key);
/* NULL: learnt from the datapath, and nobody has asked for it by name yet. */
const struct sr_hop_key *sr_hops_key(const struct sr_hops *hops, uint32_t id);
uint64_t sr_hops_cookie(const struct sr_hops *hops, uint32_t id);

/* What it resolves to has changed: it is to be written anew. New ones are dirty by themselves. */
void sr_hops_mark(struct sr_hops *hops, uint32_t id);
/* Takes one dirty next hop that is wanted, or that live routes point at; SR_HOP_NONE: no more. */
uint32_t sr_hops_take_dirty(struct sr_hops *hops);
/* Takes one without any reference; the caller removes it from the datapath, then releases or re-marks (idle) it. */
uint32_t sr_hops_take_idle(struct sr_hops *hops);
void sr_hops_release(struct sr_hops *hops, uint32_t id);
void sr_hops_idle(struct sr_hops *hops, uint32_t id);

#endif
