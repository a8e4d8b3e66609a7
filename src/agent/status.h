/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * agent/status.h - what this node says of itself in etcd: that it lives, and which of its ports are active.
 *
 * Everything stands under one lease. When the agent is gone for longer than the lease's life, so is what it said; an
 * agent that is back sooner says it again under a new lease, and nobody sees a gap. A key is written one write at a
 * time (HTTP/2 keeps no order between calls), what changed meanwhile after that; what failed is tried again. A port
 * that left this node takes its key with it only if the key is still ours: its new node may have written it already.
 */
#ifndef SR_AGENT_STATUS_H
#define SR_AGENT_STATUS_H

#include "etcd/etcd.h"
#include "model/model.h"

struct sr_status;

/* etcd is borrowed. -EINVAL: not a name of a cluster. */
int sr_status_new(struct sr_etcd *etcd, const char *cluster, unsigned int lease_ttl, struct sr_status **ret);
/* After sr_etcd_free, which ends the writes under way. Revokes nothing. Takes NULL. */
void sr_status_free(struct sr_status *status);

void sr_status_node(struct sr_status *status, const struct sr_node_status *node);
void sr_status_port(struct sr_status *status, const char *node, const struct sr_uuid *id, bool active,
		    const char *reason);
void sr_status_port_gone(struct sr_status *status, const struct sr_uuid *id);
/* Is everything written? */
bool sr_status_settled(const struct sr_status *status);

#endif
