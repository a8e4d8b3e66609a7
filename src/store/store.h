/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * store/ - the model in etcd: keys, a stream of model changes to follow, and the transactions that write.
 *
 *   store.h   following: scopes are subscribed to, changes come back
 *   keys.h    key <-> what it names
 *   write.h   transactions: claims, nodes, networks, ports, encap rules
 *
 * A scope is a part of the key space that is followed as one: read whole at one revision, then watched from the next.
 * The reader is told `begin`, then `put` for everything there is, then `end`: what it knows of the scope and was not
 * put since `begin` is gone. From then on `put` and `del` as they happen. When the watch cannot go on (compaction) the
 * scope is read again, and told again from `begin` on; the reader never sees a gap. When etcd is away nothing is told:
 * what the reader has stays. A read that fails half-way is told as a new `begin` later, never as an `end`.
 *
 * Values that cannot be decoded, disagree with their key or are too large are reported through `problem` with
 * their key, once for each revision of the key, and otherwise treated as if the key were as before (an object that was
 * good stays until a good value or a deletion replaces it; during a snapshot it is kept through `keep`).
 *
 * Loop-bound and single-threaded like etcd/.
 */
#ifndef SR_STORE_H
#define SR_STORE_H

#include "etcd/etcd.h"
#include "model/model.h"

enum sr_scope_kind {
	SR_SCOPE_NODES,	   /* all nodes of the cluster */
	SR_SCOPE_BINDINGS, /* of one node */
	SR_SCOPE_VRF,	   /* one VRF: itself, its ports, its encap rules */
	SR_SCOPE_VRFS,	   /* all of them (network nodes) */
	SR_SCOPE_STATUS,   /* of nodes and ports (controller, srctl) */
};

struct sr_scope {
	enum sr_scope_kind kind;
	char name[SR_NAME_SIZE]; /* BINDINGS: node; VRF: VRF */
};

enum sr_object_kind {
	SR_OBJECT_NODE,
	SR_OBJECT_BINDING,
	SR_OBJECT_VRF,
	SR_OBJECT_PORT,
	SR_OBJECT_ENCAP,
	SR_OBJECT_NODE_STATUS,
	SR_OBJECT_PORT_STATUS,
};

/* What a key names, without its value. */
struct sr_object_id {
	enum sr_object_kind kind;
	char node[SR_NAME_SIZE];    /* NODE, NODE_STATUS; BINDING: whose */
	char vrf[SR_VRF_NAME_SIZE]; /* VRF, PORT, ENCAP */
	struct sr_uuid id;	    /* BINDING, PORT, PORT_STATUS: the port's; ENCAP: its own */
};

/* Borrowed for the duration of the callback. */
struct sr_object {
	struct sr_object_id id;
	int64_t revision; /* mod_revision of its key */
	union {
		struct sr_node node;
		struct sr_binding binding;
		struct sr_vrf vrf;
		struct sr_port port;
		struct sr_encap encap;
		struct sr_node_status node_status;
		struct sr_port_status port_status;
	};
};

struct sr_store_reader {
	void (*begin)(void *ctx, const struct sr_scope *scope);
	void (*put)(void *ctx, const struct sr_scope *scope, const struct sr_object *object);
	void (*del)(void *ctx, const struct sr_scope *scope, const struct sr_object_id *id);
	/* In a snapshot: the object is there, but its value is bad; leave what you have of it. */
	void (*keep)(void *ctx, const struct sr_scope *scope, const struct sr_object_id *id);
	/* The scope's snapshot is whole, as of this revision. */
	void (*end)(void *ctx, const struct sr_scope *scope, int64_t revision);
	/* After every batch of put and del: a good moment to act. May be NULL. */
	void (*batch)(void *ctx, const struct sr_scope *scope, int64_t revision);
	/* key: as in etcd. */
	void (*problem)(void *ctx, const char *key, const char *text);
};

struct sr_store;

/* etcd, reader and ctx are borrowed and must outlive the store. -EINVAL: not a name of a cluster. */
int sr_store_new(struct sr_etcd *etcd, const char *cluster, const struct sr_store_reader *reader, void *ctx,
		 struct sr_store **ret);
/* No callback after this. Takes NULL. */
void sr_store_free(struct sr_store *store);

/* Follow a scope. Already followed: 0 and nothing happens. Several at a time are read with bounded concurrency. */
int sr_store_subscribe(struct sr_store *store, const struct sr_scope *scope);
/* No callback for the scope after this. May be called from any callback. */
void sr_store_unsubscribe(struct sr_store *store, const struct sr_scope *scope);

#endif
