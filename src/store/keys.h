/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * store/keys.h - the key space. docs/schema.md is the contract.
 *
 *   /srfabric/v1/vrf_cidrs                             {"<cluster>": "<cidr>", ...}; changed by compare-and-swap
 *   /srfabric/v1/locators/<locator>                    claim {"cluster", "node"}
 *   /srfabric/v1/clusters/<c>/nodes/<node>             sr_node
 *   /srfabric/v1/clusters/<c>/bindings/<node>/<port>   sr_binding
 *   /srfabric/v1/clusters/<c>/vrfs/<vrf>/info          sr_vrf
 *   /srfabric/v1/clusters/<c>/vrfs/<vrf>/ports/<port>  sr_port
 *   /srfabric/v1/clusters/<c>/vrfs/<vrf>/encaps/<id>   sr_encap
 *   /srfabric/v1/clusters/<c>/vrf_ips/<vrf_ip>         claim {"vrf"}
 *   /srfabric/v1/clusters/<c>/addresses/<vrf>/<addr>   claim {"port"}
 *   /srfabric/v1/clusters/<c>/macs/<vrf>/<mac>         claim {"port"}
 *   /srfabric/v1/clusters/<c>/status/nodes/<node>      sr_node_status, under the agent's lease
 *   /srfabric/v1/clusters/<c>/status/ports/<port>      sr_port_status, under the agent's lease
 */
#ifndef SR_STORE_KEYS_H
#define SR_STORE_KEYS_H

#include "store/store.h"

#define SR_KEY_ROOT "/srfabric/v1/"
#define SR_KEY_VRF_CIDRS SR_KEY_ROOT "vrf_cidrs"
#define SR_KEY_SIZE 256

/* Each writes a key or prefix with its NUL into buf and returns its length, or -EINVAL for a name that is none. */
int sr_key_object(const char *cluster, const struct sr_object_id *id, char buf[static SR_KEY_SIZE]);
int sr_key_scope(const char *cluster, const struct sr_scope *scope, char buf[static SR_KEY_SIZE]);
int sr_key_vrf_ip(const char *cluster, struct sr_function vrf_ip, char buf[static SR_KEY_SIZE]);
int sr_key_address(const char *cluster, const char *vrf, const struct in6_addr *addr, char buf[static SR_KEY_SIZE]);
int sr_key_mac(const char *cluster, const char *vrf, const struct sr_mac *mac, char buf[static SR_KEY_SIZE]);
/* All claims of vrf_ips of a cluster, of addresses in a VRF; all ports, all encap rules of a VRF. */
int sr_key_vrf_ips(const char *cluster, char buf[static SR_KEY_SIZE]);
int sr_key_addresses(const char *cluster, const char *vrf, char buf[static SR_KEY_SIZE]);
int sr_key_ports(const char *cluster, const char *vrf, char buf[static SR_KEY_SIZE]);
int sr_key_encaps(const char *cluster, const char *vrf, char buf[static SR_KEY_SIZE]);
int sr_key_locator(const struct sr_locator *loc, char buf[static SR_KEY_SIZE]);

/* What a key of this cluster names. -ENOENT: none of an object (a claim, a later version's); -EINVAL: malformed. */
int sr_key_parse(const char *cluster, const char *key, size_t len, struct sr_object_id *ret);

#endif
