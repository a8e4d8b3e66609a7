/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * model/fabric.h - the replica: one cluster as one node needs to know it, and what follows from it.
 *
 * Objects come and go (from a store, from a test, from srctl); kept up to date at the cost of each change are
 *
 *   - the VRFs that are wanted, each with its routes (rib.h):
 *         a bound port's addresses     -> its node, or the port's own tap if the node is this one
 *         an encap rule's destination  -> its SIDs
 *         0.0.0.0/0 and ::/0           -> the VRF's gateway, if it has one
 *   - the next hops that routes point at (hops.h), and which of them resolve differently now
 *   - this node's own ports
 *
 * A wanted VRF that was never read whole (`synced`) has routes that may be incomplete: nothing may be removed from a
 * datapath because of them. Re-reading a scope is begin ... puts ... end; what was not put in between is gone then.
 *
 * Objects of VRFs that are not wanted are ignored. A VRF that the datapath has (learnt) but nobody wants stays as an
 * entry with nothing wanted in it, so that its routes and ports can be removed by the same path as any others.
 */
#ifndef SR_MODEL_FABRIC_H
#define SR_MODEL_FABRIC_H

#include <uthash.h>

#include "model/hops.h"
#include "model/model.h"
#include "model/rib.h"

struct sr_fabric;
struct sr_vnet_port;
struct sr_vnet_encap;

/* A VRF of this node. Owned by the fabric, valid until sr_fabric_vnet_release. */
struct sr_vnet {
	char name[SR_VRF_NAME_SIZE];
	uint32_t id; /* the datapath's, from 1 */
	bool wanted;
	bool synced; /* read whole at least once since it was wanted */
	bool known;  /* `info` is set */
	struct sr_vrf info;
	struct sr_rib rib;

	/* private to fabric.c and vnet.c */
	bool dirty, info_stale;
	uint32_t gateway_hop;
	struct sr_vnet *next_dirty;
	UT_hash_handle hh;
	struct sr_index port_index;
	struct sr_vnet_port *ports;
	uint32_t n_ports, ports_size, free_port;
	struct sr_vnet_encap *encaps;
	uint32_t n_encaps, encaps_size, free_encap;
};

/* A port whose node is this one. Owned by the fabric, valid until the next change. */
struct sr_local_port {
	struct sr_port port;
	struct sr_vnet *vnet;
	uint32_t hop; /* SR_HOP_PORT */
	UT_hash_handle hh;
};

/* self: this node's name; "" for a reader that is no node. -EINVAL: limits of 0. */
int sr_fabric_new(const char *self, uint32_t max_vrfs, uint32_t max_hops, uint64_t seed, struct sr_fabric **ret);
void sr_fabric_free(struct sr_fabric *fabric);

/* ---- What the datapath has, before anything else. -EINVAL, -EEXIST: contradicts what was learnt before. */
int sr_fabric_learn_vrf(struct sr_fabric *fabric, uint32_t id, const char *name);
int sr_fabric_learn_hop(struct sr_fabric *fabric, uint32_t id, uint64_t cookie);
int sr_fabric_learn_route(struct sr_fabric *fabric, uint32_t vrf_id, const struct sr_prefix *dst, uint32_t hop);

/* ---- Which VRFs are of interest. -ENOSPC: more than max_vrfs; -ENOMEM. */
int sr_fabric_want(struct sr_fabric *fabric, const char *vrf);
void sr_fabric_unwant(struct sr_fabric *fabric, const char *vrf);

/* ---- Objects. Puts: -ENOMEM, -ENOSPC (next hops, numbers of ports); an object that could not be put is as it was. */
void sr_fabric_nodes_begin(struct sr_fabric *fabric);
void sr_fabric_nodes_end(struct sr_fabric *fabric);
int sr_fabric_node_put(struct sr_fabric *fabric, const struct sr_node *node);
void sr_fabric_node_keep(struct sr_fabric *fabric, const char *name);
void sr_fabric_node_del(struct sr_fabric *fabric, const char *name);
/* NULL: not known. */
const struct sr_node *sr_fabric_node(const struct sr_fabric *fabric, const char *name);

void sr_fabric_vrf_begin(struct sr_fabric *fabric, const char *vrf);
void sr_fabric_vrf_end(struct sr_fabric *fabric, const char *vrf);
int sr_fabric_vrf_put(struct sr_fabric *fabric, const struct sr_vrf *vrf);
void sr_fabric_vrf_keep(struct sr_fabric *fabric, const char *vrf);
void sr_fabric_vrf_del(struct sr_fabric *fabric, const char *vrf);
int sr_fabric_port_put(struct sr_fabric *fabric, const struct sr_port *port);
void sr_fabric_port_keep(struct sr_fabric *fabric, const char *vrf, const struct sr_uuid *id);
void sr_fabric_port_del(struct sr_fabric *fabric, const char *vrf, const struct sr_uuid *id);
int sr_fabric_encap_put(struct sr_fabric *fabric, const char *vrf, const struct sr_encap *encap);
void sr_fabric_encap_keep(struct sr_fabric *fabric, const char *vrf, const struct sr_uuid *id);
void sr_fabric_encap_del(struct sr_fabric *fabric, const char *vrf, const struct sr_uuid *id);

/* ---- What follows. */

struct sr_hops *sr_fabric_hops(struct sr_fabric *fabric);
struct sr_vnet *sr_fabric_vnet(struct sr_fabric *fabric, const char *name); /* NULL: none */
struct sr_vnet *sr_fabric_vnet_by_id(struct sr_fabric *fabric, uint32_t id);
struct sr_vnet *sr_fabric_vnets(struct sr_fabric *fabric);	       /* first; then ->hh.next */
struct sr_local_port *sr_fabric_local_ports(struct sr_fabric *fabric); /* first; then ->hh.next */
struct sr_local_port *sr_fabric_local_port(struct sr_fabric *fabric, const struct sr_uuid *id); /* NULL: none */
/* Has a local port, or a VRF's subnets, changed since the last call? */
bool sr_fabric_take_local_dirty(struct sr_fabric *fabric);
/* Takes one VRF in which something changed (wanted, info, routes pending); NULL: no more. */
struct sr_vnet *sr_fabric_take_dirty(struct sr_fabric *fabric);
/* Is there one to take, or has a local port changed? */
bool sr_fabric_is_dirty(const struct sr_fabric *fabric);
/* Has every VRF that is wanted been read whole? */
bool sr_fabric_is_synced(const struct sr_fabric *fabric);
/* Puts it back on that list: a write failed, or is to be tried later. */
void sr_fabric_mark(struct sr_fabric *fabric, struct sr_vnet *vnet);
/* The datapath has let go of a VRF that is not wanted: its number may be given away. Frees it. */
void sr_fabric_vnet_release(struct sr_fabric *fabric, struct sr_vnet *vnet);
/* Bound ports held, of all VRFs. */
size_t sr_fabric_n_ports(const struct sr_fabric *fabric);

#endif
