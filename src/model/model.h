/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * model/ - the tenant network as data, and what it means for one node.
 *
 *   model.h   the objects as they stand in the store: node, VRF, port, binding, encap rules, status; their names
 *   codec.h   objects <-> JSON, by the field names of docs/schema.md
 *   rib.h     routes wanted against routes that the datapath has, and the difference
 *   fabric.h  the replica: takes objects as they come and go, keeps VRFs' routes and next hops wanted
 *
 * Pure: no I/O, no clock. Objects are plain structs with bounded members; those that own memory have _fini.
 * Errors are negative errno, outputs untouched on failure.
 *
 * A `cluster` is one Neutron (or sr-controller) with its own `vrf_cidr`; all names below are unique within it.
 */
#ifndef SR_MODEL_H
#define SR_MODEL_H

#include "srv6/srv6.h"

#define SR_NAME_SIZE 64	    /* node and cluster names, NUL included: [A-Za-z0-9._-], no leading dot */
#define SR_VRF_NAME_SIZE 16 /* IFNAMSIZ: it names a device in the linux datapath */
#define SR_PROJECT_SIZE 64  /* Keystone: 32 hex digits, or a UUID; other directories: up to 63 characters */
#define SR_LABEL_SIZE 1021  /* names that people give: Neutron's 255 characters of up to 4 bytes */
#define SR_PORT_ADDRS_MAX 16
#define SR_VRF_SUBNETS_MAX 16
#define SR_ENCAP_RULES_MAX 1024
#define SR_TAP_NAME_SIZE 16

struct sr_uuid {
	uint8_t b[16];
};
#define SR_UUID_STRLEN 37

struct sr_mac {
	uint8_t b[6];
};
#define SR_MAC_STRLEN 18

/* A hypervisor or network node. Key: its name (Neutron's binding:host_id). */
struct sr_node {
	char name[SR_NAME_SIZE];
	struct sr_locator locator; /* segment_node_id */
	bool drain;		   /* an operator's wish: the node is to withdraw its locator, and to keep forwarding */
};

struct sr_subnet {
	struct sr_prefix cidr;
	struct in6_addr gateway; /* v4-mapped for IPv4; :: is none */
};

/* One tenant network; one of these on each node that has a port of it. Key: its VRF's name. */
struct sr_vrf {
	char name[SR_VRF_NAME_SIZE];
	char project_id[SR_PROJECT_SIZE];
	struct sr_uuid network_id;
	char network_name[SR_LABEL_SIZE]; /* "" if none */
	struct sr_function vrf_ip;
	struct sr_prefix vrf_cidr;
	bool has_gateway;
	struct sr_locator segment_gw_id; /* where packets without a more specific route go, if has_gateway */
	uint32_t mtu;			 /* 0: what the fabric carries */
	size_t n_subnets;
	struct sr_subnet subnets[SR_VRF_SUBNETS_MAX];
};

/* A VM's (or any) port. Key: VRF and id. Without a node it is unbound and has no route. */
struct sr_port {
	struct sr_uuid id;
	char name[SR_LABEL_SIZE];
	char project_id[SR_PROJECT_SIZE];
	struct sr_uuid network_id;
	char vrf[SR_VRF_NAME_SIZE];
	char node[SR_NAME_SIZE]; /* binding:host_id, "" if unbound */
	struct sr_locator segment_node_id;
	bool has_segment_node_id;
	struct sr_function vrf_ip;
	struct sr_prefix vrf_cidr;
	struct sr_mac mac;
	bool admin_state_up;
	size_t n_addrs;
	struct in6_addr addrs[SR_PORT_ADDRS_MAX]; /* fixed_ips; v4-mapped for IPv4 */
};

/* The reference's `binding:profile`: where a port is, in Neutron's own API. */
struct sr_binding_profile {
	struct sr_locator segment_node_id;
	char vrf[SR_VRF_NAME_SIZE];
	struct sr_prefix vrf_cidr;
	struct sr_function vrf_ip;
};

/* Tells a node that a port is its own. Key: node and port id. */
struct sr_binding {
	char vrf[SR_VRF_NAME_SIZE];
};

struct sr_encap_rule {
	struct sr_prefix destination;
	size_t n_segs;
	struct sr_sid segs[SR_SEGS_MAX]; /* travel order; the last is the SID that decapsulates */
};

/* A srv6_encap_network. Key: VRF and id. */
struct sr_encap {
	struct sr_uuid id;
	char project_id[SR_PROJECT_SIZE];
	struct sr_uuid network_id;
	size_t n_rules;
	struct sr_encap_rule *rules; /* owned */
};
void sr_encap_fini(struct sr_encap *encap); /* takes a zeroed one */

/* What agents report under their lease. Keys: node name; port id. */
struct sr_node_status {
	char node[SR_NAME_SIZE];
	char version[32];
	char datapath[16];
	bool draining;
	int64_t started; /* seconds since the epoch */
};

struct sr_port_status {
	char node[SR_NAME_SIZE];
	bool active;
	char reason[64]; /* why not, if not active */
};

/* names.c */

int sr_uuid_parse(const char *text, size_t len, struct sr_uuid *ret); /* 8-4-4-4-12, either case. -EINVAL */
const char *sr_uuid_format(const struct sr_uuid *id, char buf[static SR_UUID_STRLEN]);
/* Colons between, either case. -EINVAL: also for multicast and the zero address. */
int sr_mac_parse(const char *text, size_t len, struct sr_mac *ret);
const char *sr_mac_format(const struct sr_mac *mac, char buf[static SR_MAC_STRLEN]);
/* "10.0.0.1" or "2001:db8::1", to and from the v4-mapped form. -EINVAL: also for IPv6 text of a v4-mapped address. */
int sr_addr_parse(const char *text, struct in6_addr *ret);
const char *sr_addr_format(const struct in6_addr *addr, char buf[static INET6_ADDRSTRLEN]);

/* "vrf" + 6 hex digits of the project id + 6 of the network id, dashes dropped. -EINVAL: ids too short or not hex. */
int sr_vrf_name(const char *project_id, const char *network_id, char ret[static SR_VRF_NAME_SIZE]);
/* Fits a device's name and a key's: [A-Za-z0-9_-]{1,15}. */
bool sr_vrf_name_valid(const char *name);
bool sr_name_valid(const char *name); /* node, cluster */
/* Neutron's name of the tap: "tap" + first 11 characters of the id. */
const char *sr_tap_name(const struct sr_uuid *port_id, char buf[static SR_TAP_NAME_SIZE]);

#endif
