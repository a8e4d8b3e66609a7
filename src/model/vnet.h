/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * model/vnet.h - inside fabric.h: a VRF's ports and encap rules, and the routes that they announce to its RIB.
 *
 * Each object sits in a slot that holds what is needed to withdraw what it announced: addresses and the next hop, on
 * which it keeps a reference. 40 bytes a port.
 */
#ifndef SR_MODEL_VNET_H
#define SR_MODEL_VNET_H

#include "model/fabric.h"

/* Sets up everything but name and id. */
void sr_vnet_init(struct sr_vnet *vnet, uint64_t seed);
/* Withdraws all and forgets the objects; what the datapath has stays known. */
void sr_vnet_clear(struct sr_vnet *vnet, struct sr_hops *hops);
/* clear, and frees the tables. */
void sr_vnet_fini(struct sr_vnet *vnet, struct sr_hops *hops);

/* Begin: everything is stale. Keep and put take that off. End: what still is goes. on_port_gone hears of ports. */
void sr_vnet_begin(struct sr_vnet *vnet);
void sr_vnet_end(struct sr_vnet *vnet, struct sr_hops *hops, void (*on_port_gone)(void *ctx, const struct sr_uuid *id),
		 void *ctx);

/* `key` names the next hop of the port's addresses; *ret_hop is its number. -ENOMEM, -ENOSPC: as it was. */
int sr_vnet_port_put(struct sr_vnet *vnet, struct sr_hops *hops, const struct sr_port *port,
		     const struct sr_hop_key *key, uint32_t *ret_hop);
void sr_vnet_port_keep(struct sr_vnet *vnet, const struct sr_uuid *id);
void sr_vnet_port_del(struct sr_vnet *vnet, struct sr_hops *hops, const struct sr_uuid *id);

int sr_vnet_encap_put(struct sr_vnet *vnet, struct sr_hops *hops, const struct sr_encap *encap);
void sr_vnet_encap_keep(struct sr_vnet *vnet, const struct sr_uuid *id);
void sr_vnet_encap_del(struct sr_vnet *vnet, struct sr_hops *hops, const struct sr_uuid *id);

/* The VRF's own record, or none (NULL): the default routes to its gateway follow. */
int sr_vnet_info_put(struct sr_vnet *vnet, struct sr_hops *hops, const struct sr_vrf *info);

/* Ports that are held, bound ones only. */
uint32_t sr_vnet_n_ports(const struct sr_vnet *vnet);

#endif
