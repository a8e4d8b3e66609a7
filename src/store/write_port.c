// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ports: the port, its binding to a node and the claims of its addresses and its MAC are one transaction each time. It
 * holds only while the VRF is there and the node as it was, so none of them is deleted under it.
 */
#include "store/write_txn.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/codec.h"
#include "store/claim.h"
#include "store/pick.h"

enum { CREATE, UPDATE, BIND, ADMIN, DELETE };

/* What is read, in this order; then the claim of each address that is asked for. */
enum { READ_PORT, READ_VRF, READ_NODE, READ_MAC, READ_CLAIMS };

struct write_port {
	struct sr_write w;
	int what;
	struct sr_port want; /* as given; of BIND, ADMIN and DELETE only vrf, id and what changes */
	struct sr_port port; /* what is to be */
	bool own_mac;	     /* want's was not given, but comes of the id: another will do */
	unsigned int mac_tries;

	/* found in this round */
	int64_t port_mod; /* 0: not there */
	struct sr_port found;
	const char *value; /* NULL: not there, or bad */
	struct sr_vrf vrf;
	int64_t vrf_created, node_mod, mac_mod;
	char mac_owner[SR_CLAIM_SIZE];
	int64_t claim_mods[SR_PORT_ADDRS_MAX]; /* of want's addresses */
	char owners[SR_PORT_ADDRS_MAX][SR_CLAIM_SIZE];
	struct sr_taken taken; /* addresses of the VRF, where one is to be picked */
	struct in6_addr picked;
};

static void port_fini(struct sr_write *w)
{
	sr_taken_fini(&((struct write_port *)w)->taken);
}

static void port_result(struct sr_write *w, struct sr_write_result *result)
{
	result->port = &((struct write_port *)w)->port;
}

static const char *object_key(struct write_port *wp, enum sr_object_kind kind, const char *node,
			      char buf[static SR_KEY_SIZE])
{
	struct sr_object_id id = {.kind = kind, .id = wp->want.id};

	memcpy(id.vrf, wp->want.vrf, sizeof(id.vrf));
	snprintf(id.node, sizeof(id.node), "%s", node);
	buf[0] = '\0';
	sr_key_object(wp->w.cluster, &id, buf);
	return buf;
}

static const char *address_key(struct write_port *wp, const struct in6_addr *addr, char buf[static SR_KEY_SIZE])
{
	sr_key_address(wp->w.cluster, wp->want.vrf, addr, buf);
	return buf;
}

static const char *mac_key(struct write_port *wp, const struct sr_mac *mac, char buf[static SR_KEY_SIZE])
{
	sr_key_mac(wp->w.cluster, wp->want.vrf, mac, buf);
	return buf;
}

/* ---- reading */

static int port_ask(struct sr_write *w)
{
	struct write_port *wp = (struct write_port *)w;
	char key[SR_KEY_SIZE];

	sr_write_want(w, object_key(wp, SR_OBJECT_PORT, "", key));
	sr_write_want(w, object_key(wp, SR_OBJECT_VRF, "", key));
	/* Without a node the port again, whose place that is then. */
	sr_write_want(w, wp->want.node[0] ? object_key(wp, SR_OBJECT_NODE, wp->want.node, key)
					  : object_key(wp, SR_OBJECT_PORT, "", key));
	sr_write_want(w, mac_key(wp, &wp->want.mac, key));
	for (size_t i = 0; i < wp->want.n_addrs; i++)
		sr_write_want(w, address_key(wp, &wp->want.addrs[i], key));
	return 0;
}

static int take_port(struct write_port *wp, const struct sr_etcd_kv *kv)
{
	char id[SR_UUID_STRLEN];

	sr_uuid_format(&wp->want.id, id);
	wp->port_mod = kv ? kv->mod_revision : 0;
	wp->value = NULL;
	wp->found = (struct sr_port){};
	if (kv && wp->what == CREATE)
		return sr_write_fail(&wp->w, -EEXIST, "VRF %s has port %s already.", wp->want.vrf, id);
	if (!kv && wp->what != CREATE)
		return sr_write_fail(&wp->w, -ENOENT, "VRF %s of cluster %s has no port %s.", wp->want.vrf,
				     wp->w.cluster, id);
	if (!kv)
		return 0;
	if (sr_port_decode(kv->value.data, kv->value.len, &wp->found, NULL) == 0)
		wp->value = sr_write_keep(&wp->w, kv->value);
	else if (wp->what != DELETE)
		return sr_write_fail(&wp->w, -EBADMSG, "The record of port %s cannot be read: delete it.", id);
	return 0;
}

static int take_vrf(struct write_port *wp, const struct sr_etcd_kv *kv)
{
	if (!kv)
		return sr_write_fail(&wp->w, -ENOENT, "Cluster %s has no VRF %s.", wp->w.cluster, wp->want.vrf);
	wp->vrf_created = kv->create_revision;
	if (sr_vrf_decode(kv->value.data, kv->value.len, &wp->vrf, NULL) < 0)
		return sr_write_fail(&wp->w, -EBADMSG, "The record of VRF %s cannot be read.", wp->want.vrf);
	return 0;
}

/* Where the port is to be, if it is to be somewhere. */
static int take_node(struct write_port *wp, const struct sr_etcd_kv *kv)
{
	struct sr_node node;

	wp->port.has_segment_node_id = false;
	if (!wp->want.node[0])
		return 0;
	if (!kv)
		return sr_write_fail(&wp->w, -ENOENT, "Cluster %s has no node %s: register it first.", wp->w.cluster,
				     wp->want.node);
	wp->node_mod = kv->mod_revision;
	if (sr_node_decode(kv->value.data, kv->value.len, &node, NULL) < 0)
		return sr_write_fail(&wp->w, -EBADMSG, "The record of node %s cannot be read.", wp->want.node);
	wp->port.has_segment_node_id = true;
	wp->port.segment_node_id = node.locator;
	return 0;
}

static void take_mac(struct write_port *wp, const struct sr_etcd_kv *kv)
{
	wp->mac_mod = kv ? kv->mod_revision : 0;
	if (kv)
		sr_claim_member(kv->value, "port", wp->mac_owner);
}

static int port_read(struct sr_write *w, const struct sr_etcd_op_result *found)
{
	struct write_port *wp = (struct write_port *)w;
	char prefix[SR_KEY_SIZE];
	int r = take_port(wp, sr_write_found(&found[READ_PORT]));

	if (r == 0)
		r = take_vrf(wp, sr_write_found(&found[READ_VRF]));
	if (r < 0)
		return r;
	wp->port = wp->what == BIND ? wp->found : wp->want;
	if (wp->what == UPDATE && wp->own_mac)
		wp->port.mac = wp->found.mac;
	memcpy(wp->port.node, wp->want.node, sizeof(wp->port.node));
	r = take_node(wp, sr_write_found(&found[READ_NODE]));
	take_mac(wp, sr_write_found(&found[READ_MAC]));
	for (size_t i = 0; i < wp->want.n_addrs; i++) {
		const struct sr_etcd_kv *kv = sr_write_found(&found[READ_CLAIMS + i]);

		wp->claim_mods[i] = kv ? kv->mod_revision : 0;
		if (kv)
			sr_claim_member(kv->value, "port", wp->owners[i]);
	}
	if (wp->what == CREATE && !wp->want.n_addrs && wp->vrf.n_subnets) {
		sr_taken_fini(&wp->taken);
		sr_key_addresses(w->cluster, wp->want.vrf, prefix);
		sr_write_scan(w, prefix);
	}
	return r;
}

static void port_key(struct sr_write *w, struct sr_bytes rest)
{
	struct write_port *wp = (struct write_port *)w;
	char text[INET6_ADDRSTRLEN];
	struct in6_addr addr;

	if (rest.len >= sizeof(text))
		return;
	memcpy(text, rest.data, rest.len);
	text[rest.len] = '\0';
	if (sr_addr_parse(text, &addr) == 0 && sr_taken_add(&wp->taken, &addr) < 0)
		w->err = -ENOMEM;
}

/* ---- addresses */

static bool port_has(const struct sr_port *port, const struct in6_addr *addr)
{
	for (size_t i = 0; i < port->n_addrs; i++)
		if (IN6_ARE_ADDR_EQUAL(&port->addrs[i], addr))
			return true;
	return false;
}

/* In a subnet, or there are none. *ret_gateway: it is that subnet's gateway. */
static bool fits(const struct sr_vrf *vrf, const struct in6_addr *addr, bool *ret_gateway)
{
	const struct sr_prefix host = {.addr = *addr, .len = 128};

	*ret_gateway = false;
	for (size_t i = 0; i < vrf->n_subnets; i++) {
		if (!sr_prefix_contains(&vrf->subnets[i].cidr, &host))
			continue;
		*ret_gateway = IN6_ARE_ADDR_EQUAL(&vrf->subnets[i].gateway, addr);
		return true;
	}
	return vrf->n_subnets == 0;
}

/* One that was asked for and that the port has not yet. A claim that is the port's own is left over: take it. */
static int check_addr(struct write_port *wp, size_t i)
{
	const struct in6_addr *addr = &wp->want.addrs[i];
	char text[INET6_ADDRSTRLEN], id[SR_UUID_STRLEN];
	bool gateway;

	sr_addr_format(addr, text);
	if (!fits(&wp->vrf, addr, &gateway))
		return sr_write_fail(&wp->w, -EINVAL, "Address %s is in no subnet of VRF %s.", text, wp->want.vrf);
	if (gateway)
		return sr_write_fail(&wp->w, -EADDRINUSE, "Address %s is a gateway of VRF %s.", text, wp->want.vrf);
	if (wp->claim_mods[i] && strcmp(wp->owners[i], sr_uuid_format(&wp->want.id, id)) != 0)
		return sr_write_fail(&wp->w, -EADDRINUSE, "Address %s of VRF %s belongs to port %s.", text,
				     wp->want.vrf, wp->owners[i]);
	return 0;
}

static int pick_addr(struct write_port *wp)
{
	const struct sr_vrf *vrf = &wp->vrf;
	struct in6_addr addr;
	bool gateway;
	int r = -ENOSPC;

	/* What an attempt of unknown outcome had picked stays if it is free. */
	if (wp->w.unsure && fits(vrf, &wp->picked, &gateway) && !sr_taken_has(&wp->taken, &wp->picked))
		r = 0;
	for (size_t i = 0; i < vrf->n_subnets; i++)
		if (sr_taken_add(&wp->taken, &vrf->subnets[i].gateway) < 0)
			return -ENOMEM;
	for (size_t i = 0; i < vrf->n_subnets && r == -ENOSPC; i++) {
		r = sr_pick_addr(&vrf->subnets[i].cidr, &wp->taken, sr_write_skip(&wp->w), &addr);
		if (r == 0)
			wp->picked = addr;
	}
	if (r < 0)
		return sr_write_fail(&wp->w, r, "All addresses of the subnets of VRF %s are taken.", wp->want.vrf);
	wp->port.addrs[0] = wp->picked;
	wp->port.n_addrs = 1;
	return 0;
}

static int choose_addrs(struct write_port *wp)
{
	int r = 0;

	for (size_t i = 0; i < wp->want.n_addrs && r == 0; i++)
		if (!port_has(&wp->found, &wp->want.addrs[i]))
			r = check_addr(wp, i);
	if (wp->want.n_addrs || r < 0)
		return r;
	if (wp->what == CREATE)
		return wp->vrf.n_subnets ? pick_addr(wp) : 0;
	wp->port.n_addrs = wp->found.n_addrs;
	memcpy(wp->port.addrs, wp->found.addrs, sizeof(wp->port.addrs));
	return 0;
}

static int64_t claim_mod(const struct write_port *wp, const struct in6_addr *addr)
{
	for (size_t i = 0; i < wp->want.n_addrs; i++)
		if (IN6_ARE_ADDR_EQUAL(&wp->want.addrs[i], addr))
			return wp->claim_mods[i];
	return 0;
}

/* Claims what the port is to have and has not, and lets go of what it has no more. */
static void put_claims(struct write_port *wp, const struct sr_port *now)
{
	struct sr_write *w = &wp->w;
	char key[SR_KEY_SIZE], claim[SR_CLAIM_SIZE];

	for (size_t i = 0; i < now->n_addrs; i++) {
		if (port_has(&wp->found, &now->addrs[i]))
			continue;
		address_key(wp, &now->addrs[i], key);
		sr_write_if_unchanged(w, key, claim_mod(wp, &now->addrs[i]));
		sr_write_put(w, key, sr_claim_address(&wp->want.id, claim));
	}
	for (size_t i = 0; i < wp->found.n_addrs; i++)
		if (!port_has(now, &wp->found.addrs[i]))
			sr_write_del(w, address_key(wp, &wp->found.addrs[i], key));
}

/* ---- the MAC */

static bool same_mac(const struct sr_mac *a, const struct sr_mac *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/*
 * The prefix that OpenStack uses, and 24 bits of the id: of a thousand ports in a network, two have the same once in
 * 30 networks. Then others of its bits.
 */
static struct sr_mac mac_of(const struct sr_uuid *id, unsigned int tries)
{
	const uint8_t *b = &id->b[13 - 3 * tries];

	return (struct sr_mac){.b = {0xfa, 0x16, 0x3e, b[0], b[1], b[2]}};
}

/* One that is to be new, and that another may have. */
static int check_mac(struct write_port *wp)
{
	char text[SR_MAC_STRLEN], id[SR_UUID_STRLEN];

	if (same_mac(&wp->port.mac, &wp->found.mac) || !wp->mac_mod ||
	    strcmp(wp->mac_owner, sr_uuid_format(&wp->want.id, id)) == 0)
		return 0;
	if (wp->own_mac && wp->mac_tries < 4) {
		wp->want.mac = mac_of(&wp->want.id, ++wp->mac_tries);
		return SR_WRITE_AGAIN;
	}
	return sr_write_fail(&wp->w, -EADDRINUSE, "MAC address %s in VRF %s belongs to port %s.",
			     sr_mac_format(&wp->port.mac, text), wp->want.vrf, wp->mac_owner);
}

static void put_mac_claim(struct write_port *wp, const struct sr_mac *now)
{
	static const struct sr_mac none;
	char key[SR_KEY_SIZE], claim[SR_CLAIM_SIZE];

	if (same_mac(now, &wp->found.mac))
		return;
	if (!same_mac(now, &none)) {
		mac_key(wp, now, key);
		sr_write_if_unchanged(&wp->w, key, wp->mac_mod);
		sr_write_put(&wp->w, key, sr_claim_address(&wp->want.id, claim));
	}
	if (!same_mac(&wp->found.mac, &none))
		sr_write_del(&wp->w, mac_key(wp, &wp->found.mac, key));
}

/* ---- writing */

static void put_binding(struct write_port *wp, const char *node)
{
	struct sr_write *w = &wp->w;
	struct sr_binding binding = {};
	char key[SR_KEY_SIZE];

	if (wp->found.node[0] && strcmp(wp->found.node, node) != 0)
		sr_write_del(w, object_key(wp, SR_OBJECT_BINDING, wp->found.node, key));
	if (!node[0])
		return;
	memcpy(binding.vrf, wp->want.vrf, sizeof(binding.vrf));
	sr_write_put(w, object_key(wp, SR_OBJECT_BINDING, node, key), sr_write_own(w, sr_binding_encode(&binding)));
	sr_write_if_unchanged(w, object_key(wp, SR_OBJECT_NODE, node, key), wp->node_mod);
}

static int port_build(struct sr_write *w)
{
	struct write_port *wp = (struct write_port *)w;
	struct sr_port *port = &wp->port;
	char key[SR_KEY_SIZE];
	const char *value;
	int r = check_mac(wp);

	if (r == 0)
		r = choose_addrs(wp);
	if (r != 0)
		return r;
	port->network_id = wp->vrf.network_id;
	port->vrf_ip = wp->vrf.vrf_ip;
	port->vrf_cidr = wp->vrf.vrf_cidr;
	value = sr_write_merged(w, wp->value, sr_port_encode(&wp->found), sr_port_encode(port));
	object_key(wp, SR_OBJECT_PORT, "", key);
	sr_write_if_unchanged(w, key, wp->port_mod);
	sr_write_put(w, key, value);
	sr_write_witness(w, key, value);
	sr_write_if_same(w, object_key(wp, SR_OBJECT_VRF, "", key), wp->vrf_created);
	put_claims(wp, port);
	put_mac_claim(wp, &port->mac);
	put_binding(wp, port->node);
	return 0;
}

static const struct sr_write_kind port_put = {
	.size = sizeof(struct write_port),
	.ask = port_ask,
	.read = port_read,
	.key = port_key,
	.build = port_build,
	.result = port_result,
	.fini = port_fini,
};

static int delete_ask(struct sr_write *w)
{
	char key[SR_KEY_SIZE];

	sr_write_want(w, object_key((struct write_port *)w, SR_OBJECT_PORT, "", key));
	return 0;
}

static int delete_read(struct sr_write *w, const struct sr_etcd_op_result *found)
{
	return take_port((struct write_port *)w, sr_write_found(&found[READ_PORT]));
}

/* Of one whose record is bad only that is deleted: what else it has is not known. */
static int delete_build(struct sr_write *w)
{
	struct write_port *wp = (struct write_port *)w;
	const struct sr_port none = {};
	char key[SR_KEY_SIZE];

	object_key(wp, SR_OBJECT_PORT, "", key);
	sr_write_if_unchanged(w, key, wp->port_mod);
	sr_write_del(w, key);
	sr_write_witness(w, key, NULL);
	put_claims(wp, &none);
	put_mac_claim(wp, &none.mac);
	put_binding(wp, "");
	return 0;
}

static const struct sr_write_kind port_delete = {
	.size = sizeof(struct write_port),
	.ask = delete_ask,
	.read = delete_read,
	.build = delete_build,
	.fini = port_fini,
};

/* Nothing but the state: where the port is does not matter, and stays. */
static int admin_build(struct sr_write *w)
{
	struct write_port *wp = (struct write_port *)w;
	char key[SR_KEY_SIZE];
	const char *value;

	wp->port = wp->found;
	wp->port.admin_state_up = wp->want.admin_state_up;
	if (wp->found.admin_state_up == wp->want.admin_state_up)
		return SR_WRITE_DONE;
	value = sr_write_merged(w, wp->value, sr_port_encode(&wp->found), sr_port_encode(&wp->port));
	object_key(wp, SR_OBJECT_PORT, "", key);
	sr_write_if_unchanged(w, key, wp->port_mod);
	sr_write_put(w, key, value);
	sr_write_witness(w, key, value);
	return 0;
}

static const struct sr_write_kind port_admin = {
	.size = sizeof(struct write_port),
	.ask = delete_ask,
	.read = delete_read,
	.build = admin_build,
	.result = port_result,
	.fini = port_fini,
};

/* ---- starting */

static bool twice(const struct sr_port *port)
{
	for (size_t i = 1; i < port->n_addrs; i++)
		for (size_t j = 0; j < i; j++)
			if (IN6_ARE_ADDR_EQUAL(&port->addrs[i], &port->addrs[j]))
				return true;
	return false;
}

static int start(int what, struct sr_etcd *etcd, const char *cluster, const struct sr_port *port, sr_write_cb cb,
		 void *ctx)
{
	static const struct sr_write_kind *const kinds[] = {[CREATE] = &port_put,
							    [UPDATE] = &port_put,
							    [BIND] = &port_put,
							    [ADMIN] = &port_admin,
							    [DELETE] = &port_delete};
	struct write_port *wp;
	int r;

	if (!sr_vrf_name_valid(port->vrf) || (port->node[0] && !sr_name_valid(port->node)) ||
	    port->n_addrs > SR_PORT_ADDRS_MAX || twice(port))
		return -EINVAL;
	r = sr_write_new(kinds[what], etcd, cluster, cb, ctx, &wp);
	if (r < 0)
		return r;
	wp->what = what;
	wp->want = *port;
	wp->own_mac = same_mac(&port->mac, &(const struct sr_mac){});
	if (wp->own_mac)
		wp->want.mac = mac_of(&port->id, 0);
	return sr_write_start(&wp->w);
}

static int start_named(int what, struct sr_etcd *etcd, const char *cluster, const char *vrf, const struct sr_uuid *id,
		       const char *node, sr_write_cb cb, void *ctx)
{
	struct sr_port port = {.id = *id};

	if (!sr_vrf_name_valid(vrf) || (node[0] && !sr_name_valid(node)))
		return -EINVAL;
	snprintf(port.vrf, sizeof(port.vrf), "%s", vrf);
	snprintf(port.node, sizeof(port.node), "%s", node);
	return start(what, etcd, cluster, &port, cb, ctx);
}

int sr_write_port(struct sr_etcd *etcd, const char *cluster, const struct sr_port *port, sr_write_cb cb, void *ctx)
{
	return start(CREATE, etcd, cluster, port, cb, ctx);
}

int sr_write_port_update(struct sr_etcd *etcd, const char *cluster, const struct sr_port *port, sr_write_cb cb,
			 void *ctx)
{
	return start(UPDATE, etcd, cluster, port, cb, ctx);
}

int sr_write_port_bind(struct sr_etcd *etcd, const char *cluster, const char *vrf, const struct sr_uuid *id,
		       const char *node, sr_write_cb cb, void *ctx)
{
	return start_named(BIND, etcd, cluster, vrf, id, node, cb, ctx);
}

int sr_write_port_admin(struct sr_etcd *etcd, const char *cluster, const char *vrf, const struct sr_uuid *id, bool up,
			sr_write_cb cb, void *ctx)
{
	struct sr_port port = {.id = *id, .admin_state_up = up};

	if (!sr_vrf_name_valid(vrf))
		return -EINVAL;
	snprintf(port.vrf, sizeof(port.vrf), "%s", vrf);
	return start(ADMIN, etcd, cluster, &port, cb, ctx);
}

int sr_write_port_delete(struct sr_etcd *etcd, const char *cluster, const char *vrf, const struct sr_uuid *id,
			 sr_write_cb cb, void *ctx)
{
	return start_named(DELETE, etcd, cluster, vrf, id, "", cb, ctx);
}
