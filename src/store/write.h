/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * store/write.h - transactions: how the tenant network changes.
 *
 * Every function here is one change, made whole or not at all by one etcd transaction that holds only if what it was
 * computed from is still so: claims of what must be unique are taken by comparison (docs/schema.md), objects are
 * changed by compare-and-swap, and what must not be removed while it is in use is removed by a transaction that
 * compares its users away. So any number of writers may work on one cluster, and one that dies leaves nothing
 * half-made.
 *
 *   write_txn.h      what they have in common: read, compute, write if unchanged, and again if not
 *   write_cluster.c  write_node.c  write_network.c  write_port.c  write_encap.c   one kind of object each
 *   merge.h          an object's value rewritten with the fields that we do not know
 *
 * Asynchronous, on the loop of the etcd client. Each returns 0 and calls back exactly once later, or a negative errno
 * (-EINVAL: not a name; -ENOMEM; -ECANCELED: the client is free'd) and does not. What it is given is copied.
 * sr_etcd_free ends what is under way with -ECANCELED. When the connection breaks and nobody knows whether the
 * transaction was applied, it is looked up and, if it was not, tried again; only when etcd stays away too is the
 * outcome -ECONNRESET or -ETIMEDOUT.
 *
 * Errors besides those of etcd.h, each with a sentence that names the thing and the way out:
 *
 *   -ENOENT      what is to be changed, or what it needs, is not there
 *   -EEXIST      what is to be made, or a claim that it needs, is there and another's
 *   -EBUSY       in use
 *   -EADDRINUSE  overlaps what another has
 *   -ENOSPC      no vrf_ip or address is free (also etcd's quota)
 *   -EINVAL      cannot be: an address outside of the subnets, ...
 *   -EBADMSG     a value in etcd that is bad stands in the way
 *   -EAGAIN      others changed it so often that we did not get through
 */
#ifndef SR_STORE_WRITE_H
#define SR_STORE_WRITE_H

#include "etcd/etcd.h"
#include "model/model.h"

/* Borrowed for the duration of the callback. */
struct sr_write_result {
	int err;
	const char *text; /* a sentence if err is not 0, else "" */
	union {		  /* what stands in etcd now; NULL on failure and after a deletion */
		const struct sr_node *node;
		const struct sr_vrf *vrf;
		const struct sr_port *port;
		const struct sr_encap *encap;
		const struct sr_prefix *vrf_cidr;
	};
};

typedef void (*sr_write_cb)(void *ctx, const struct sr_write_result *result);

/* ---- Clusters */

/*
 * Gives a cluster its vrf_cidr (IPv4, with room for a VRF: /30 or shorter; else -EINVAL). The same again: nothing
 * happens. -EADDRINUSE: it overlaps another cluster's, and both are named; -EBUSY: another one is to replace it while
 * networks have addresses of it.
 */
int sr_write_cluster(struct sr_etcd *etcd, const char *cluster, const struct sr_prefix *vrf_cidr, sr_write_cb cb,
		     void *ctx);
/* Takes it away. -ENOENT; -EBUSY. */
int sr_write_cluster_delete(struct sr_etcd *etcd, const char *cluster, sr_write_cb cb, void *ctx);
/* Only reads: result->vrf_cidr. -ENOENT. */
int sr_read_cluster(struct sr_etcd *etcd, const char *cluster, sr_write_cb cb, void *ctx);

/* ---- Nodes */

/*
 * Registers a node and claims its locator over all clusters. The same node again: nothing happens, or its locator is
 * changed and the old one free'd; `drain` stays as it was and is not read from `node`. -EEXIST: another node has the
 * locator; the text says whose it is.
 */
int sr_write_node(struct sr_etcd *etcd, const char *cluster, const struct sr_node *node, sr_write_cb cb, void *ctx);
/* -ENOENT. */
int sr_write_node_drain(struct sr_etcd *etcd, const char *cluster, const char *node, bool drain, sr_write_cb cb,
			void *ctx);
/* Its locator is free then. -ENOENT; -EBUSY: ports are bound to it. */
int sr_write_node_delete(struct sr_etcd *etcd, const char *cluster, const char *node, sr_write_cb cb, void *ctx);

/* ---- Networks */

/*
 * Makes the VRF of a network. project_id and network_id say which; network_name, gateway, mtu and subnets are taken;
 * name, vrf_ip and vrf_cidr are chosen: the name that sr_vrf_name gives, or the same with another last digit if another
 * network has that, and the lowest free address of the cluster's vrf_cidr besides its first and its last. -EEXIST: the
 * network has one, which the text names; -ENOENT: the cluster has no vrf_cidr; -ENOSPC.
 */
int sr_write_network(struct sr_etcd *etcd, const char *cluster, const struct sr_vrf *vrf, sr_write_cb cb, void *ctx);
/* Replaces what may change, by vrf->name: network_name, gateway, mtu, subnets. -ENOENT. */
int sr_write_network_update(struct sr_etcd *etcd, const char *cluster, const struct sr_vrf *vrf, sr_write_cb cb,
			    void *ctx);
/*
 * Its vrf_ip is given to no other for quarantine_s seconds (0: at once may be): by then no packet is under way that was
 * sent to it, and no agent is so far behind as to send one. -ENOENT; -EBUSY: it has ports or encap networks.
 */
#define SR_VRF_IP_QUARANTINE_S 300
int sr_write_network_delete(struct sr_etcd *etcd, const char *cluster, const char *vrf, unsigned int quarantine_s,
			    sr_write_cb cb, void *ctx);

/* ---- Ports */

/*
 * Makes a port in port->vrf, bound to port->node if that is not "", with its addresses claimed. network_id, vrf_ip,
 * vrf_cidr and segment_node_id are filled in from the VRF and the node. Without addresses, in a VRF with subnets, it
 * gets the lowest free one of the first subnet that has one. Without a MAC it gets one of its
 * id. -EEXIST: the id; -EADDRINUSE: an address or the MAC, and the text says whose it is; -EINVAL (in the result too):
 * an address outside of the subnets; -ENOENT: VRF or node; -ENOSPC.
 */
int sr_write_port(struct sr_etcd *etcd, const char *cluster, const struct sr_port *port, sr_write_cb cb, void *ctx);
/* Replaces it, the node it is bound to included. Without addresses, or a MAC, it keeps those that it has. -ENOENT,
 * as above. */
int sr_write_port_update(struct sr_etcd *etcd, const char *cluster, const struct sr_port *port, sr_write_cb cb,
			 void *ctx);
/* Changes only the node: a VM plugged, moved, or ("") unplugged. */
int sr_write_port_bind(struct sr_etcd *etcd, const char *cluster, const char *vrf, const struct sr_uuid *id,
		       const char *node, sr_write_cb cb, void *ctx);
/* Changes only admin_state_up. -ENOENT. */
int sr_write_port_admin(struct sr_etcd *etcd, const char *cluster, const char *vrf, const struct sr_uuid *id, bool up,
			sr_write_cb cb, void *ctx);
/* With its binding and its addresses. -ENOENT. */
int sr_write_port_delete(struct sr_etcd *etcd, const char *cluster, const char *vrf, const struct sr_uuid *id,
			 sr_write_cb cb, void *ctx);

/* ---- Encap networks */

/* Makes or replaces one; network_id is filled in. -ENOENT: the VRF. */
int sr_write_encap(struct sr_etcd *etcd, const char *cluster, const char *vrf, const struct sr_encap *encap,
		   sr_write_cb cb, void *ctx);
/* -ENOENT. */
int sr_write_encap_delete(struct sr_etcd *etcd, const char *cluster, const char *vrf, const struct sr_uuid *id,
			  sr_write_cb cb, void *ctx);

#endif
