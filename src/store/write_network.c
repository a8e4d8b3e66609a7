// SPDX-License-Identifier: GPL-2.0-only
/* Networks: their VRFs, with a name and a vrf_ip claimed for each; deleted when nothing is in them. */
#include "store/write_txn.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/codec.h"
#include "store/cidrs.h"
#include "store/claim.h"
#include "store/pick.h"

/*
 * The names that a network may get: its own, and the same with another last digit. All are read and must stay as they
 * were, so that a network that two make at once gets one VRF. 48 bits collide rarely, and hardly ever twice.
 */
#define NAMES 16

struct write_network {
	struct sr_write w;
	struct sr_vrf want; /* what is to be */
	char names[NAMES][SR_VRF_NAME_SIZE];

	/* found in this round; of an update or a deletion only the first */
	int64_t mods[NAMES]; /* 0: not there */
	struct sr_vrf found; /* what can be read of it */
	const char *value;   /* its value; NULL: not there, or bad */
	size_t same;	     /* which of the names the network has; NAMES: none */
	bool has_cidr;
	int64_t cidrs_mod;
	struct sr_taken taken; /* vrf_ips */
	size_t n_ports, n_encaps;
};

static void network_fini(struct sr_write *w)
{
	sr_taken_fini(&((struct write_network *)w)->taken);
}

static void network_result(struct sr_write *w, struct sr_write_result *result)
{
	result->vrf = &((struct write_network *)w)->want;
}

static const char *info_key(struct write_network *wn, const char *name, char buf[static SR_KEY_SIZE])
{
	struct sr_object_id id = {.kind = SR_OBJECT_VRF};

	snprintf(id.vrf, sizeof(id.vrf), "%s", name);
	sr_key_object(wn->w.cluster, &id, buf);
	return buf;
}

/* ---- create */

static int create_ask(struct sr_write *w)
{
	struct write_network *wn = (struct write_network *)w;
	char key[SR_KEY_SIZE];

	for (size_t i = 0; i < NAMES; i++)
		sr_write_want(w, info_key(wn, wn->names[i], key));
	sr_write_want(w, SR_KEY_VRF_CIDRS);
	return 0;
}

static int take_cidr(struct write_network *wn, const struct sr_etcd_kv *kv)
{
	const char *text = kv ? sr_write_keep(&wn->w, kv->value) : NULL;
	int r = sr_cidrs_find(text, wn->w.cluster, &wn->want.vrf_cidr);

	wn->cidrs_mod = kv ? kv->mod_revision : 0;
	if (r == -ENOENT)
		return sr_write_fail(
			&wn->w, r,
			"Cluster %s has no vrf_cidr: give it one first (srctl --cluster %s cluster set CIDR).",
			wn->w.cluster, wn->w.cluster);
	return r < 0 ? sr_write_fail(&wn->w, r, "The value of %s cannot be read.", SR_KEY_VRF_CIDRS) : 0;
}

static int create_read(struct sr_write *w, const struct sr_etcd_op_result *found)
{
	struct write_network *wn = (struct write_network *)w;
	char prefix[SR_KEY_SIZE];
	struct sr_vrf vrf;

	wn->same = NAMES;
	for (size_t i = 0; i < NAMES; i++) {
		const struct sr_etcd_kv *kv = sr_write_found(&found[i]);

		wn->mods[i] = kv ? kv->mod_revision : 0;
		if (kv && sr_vrf_decode(kv->value.data, kv->value.len, &vrf, NULL) == 0 &&
		    memcmp(&vrf.network_id, &wn->want.network_id, sizeof(vrf.network_id)) == 0)
			wn->same = i;
	}
	sr_taken_fini(&wn->taken);
	sr_key_vrf_ips(w->cluster, prefix);
	sr_write_scan(w, prefix);
	return take_cidr(wn, sr_write_found(&found[NAMES]));
}

static void create_key(struct sr_write *w, struct sr_bytes rest)
{
	struct write_network *wn = (struct write_network *)w;
	char text[INET6_ADDRSTRLEN];
	struct in6_addr addr;

	if (rest.len >= sizeof(text))
		return;
	memcpy(text, rest.data, rest.len);
	text[rest.len] = '\0';
	if (sr_addr_parse(text, &addr) == 0 && sr_taken_add(&wn->taken, &addr) < 0)
		w->err = -ENOMEM;
}

/* What an attempt of unknown outcome had picked stays, if it is free and still fits. */
static int choose_vrf_ip(struct write_network *wn)
{
	const struct sr_prefix had = sr_prefix_v4(wn->want.vrf_ip.v, 32);
	struct in6_addr addr;
	int r;

	if (wn->w.unsure && sr_prefix_contains(&wn->want.vrf_cidr, &had) && !sr_taken_has(&wn->taken, &had.addr))
		return 0;
	r = sr_pick_addr(&wn->want.vrf_cidr, &wn->taken, sr_write_skip(&wn->w), &addr);
	if (r < 0)
		return sr_write_fail(
			&wn->w, r, "All addresses of the vrf_cidr of cluster %s are taken, or were until a moment ago.",
			wn->w.cluster);
	memcpy(&wn->want.vrf_ip.v, &addr.s6_addr[12], sizeof(wn->want.vrf_ip.v));
	return 0;
}

static int choose_name(struct write_network *wn)
{
	size_t i = 0;

	if (wn->same < NAMES)
		return sr_write_fail(&wn->w, -EEXIST, "The network has VRF %s in cluster %s already.",
				     wn->names[wn->same], wn->w.cluster);
	while (i < NAMES && wn->mods[i])
		i++;
	if (i == NAMES)
		return sr_write_fail(&wn->w, -ENOSPC, "Cluster %s has no name like %s left.", wn->w.cluster,
				     wn->names[0]);
	memcpy(wn->want.name, wn->names[i], sizeof(wn->want.name));
	return 0;
}

static int create_build(struct sr_write *w)
{
	struct write_network *wn = (struct write_network *)w;
	char key[SR_KEY_SIZE], claim[SR_CLAIM_SIZE];
	const char *value;
	int r = choose_name(wn);

	if (r == 0)
		r = choose_vrf_ip(wn);
	if (r < 0)
		return r;
	for (size_t i = 0; i < NAMES; i++)
		sr_write_if_unchanged(w, info_key(wn, wn->names[i], key), wn->mods[i]);
	sr_write_if_unchanged(w, SR_KEY_VRF_CIDRS, wn->cidrs_mod);
	sr_key_vrf_ip(w->cluster, wn->want.vrf_ip, key);
	sr_write_if_unchanged(w, key, 0);
	sr_write_put(w, key, sr_claim_vrf_ip(wn->want.name, claim));
	info_key(wn, wn->want.name, key);
	value = sr_write_own(w, sr_vrf_encode(&wn->want));
	sr_write_put(w, key, value);
	sr_write_witness(w, key, value);
	return 0;
}

static const struct sr_write_kind network_create = {
	.size = sizeof(struct write_network),
	.ask = create_ask,
	.read = create_read,
	.key = create_key,
	.build = create_build,
	.result = network_result,
	.fini = network_fini,
};

static int make_names(struct write_network *wn)
{
	static const char digits[] = "0123456789abcdef";
	char id[SR_UUID_STRLEN];
	size_t last, digit;
	int r = sr_vrf_name(wn->want.project_id, sr_uuid_format(&wn->want.network_id, id), wn->names[0]);

	if (r < 0)
		return r;
	last = strlen(wn->names[0]) - 1;
	digit = (size_t)(strchr(digits, wn->names[0][last]) - digits);
	for (size_t i = 1; i < NAMES; i++) {
		memcpy(wn->names[i], wn->names[0], sizeof(wn->names[0]));
		wn->names[i][last] = digits[(digit + i) % NAMES];
	}
	return 0;
}

int sr_write_network(struct sr_etcd *etcd, const char *cluster, const struct sr_vrf *vrf, sr_write_cb cb, void *ctx)
{
	struct write_network *wn;
	int r;

	if (vrf->n_subnets > SR_VRF_SUBNETS_MAX)
		return -EINVAL;
	r = sr_write_new(&network_create, etcd, cluster, cb, ctx, &wn);
	if (r < 0)
		return r;
	wn->want = *vrf;
	r = make_names(wn);
	if (r < 0) {
		sr_write_free(&wn->w);
		return r;
	}
	return sr_write_start(&wn->w);
}

/* ---- update, delete: of one by its name */

static int start_named(const struct sr_write_kind *kind, struct sr_etcd *etcd, const char *cluster, const char *name,
		       const struct sr_vrf *vrf, unsigned int grant_s, sr_write_cb cb, void *ctx)
{
	struct write_network *wn;
	int r;

	if (!sr_vrf_name_valid(name) || (vrf && vrf->n_subnets > SR_VRF_SUBNETS_MAX))
		return -EINVAL;
	r = sr_write_new(kind, etcd, cluster, cb, ctx, &wn);
	if (r < 0)
		return r;
	if (vrf)
		wn->want = *vrf;
	snprintf(wn->names[0], sizeof(wn->names[0]), "%s", name);
	wn->w.grant_s = grant_s;
	return sr_write_start(&wn->w);
}

static int ask_info(struct sr_write *w)
{
	struct write_network *wn = (struct write_network *)w;
	char key[SR_KEY_SIZE];

	sr_write_want(w, info_key(wn, wn->names[0], key));
	return 0;
}

static int take_info(struct write_network *wn, const struct sr_etcd_kv *kv)
{
	wn->mods[0] = kv ? kv->mod_revision : 0;
	wn->value = NULL;
	if (kv && sr_vrf_decode(kv->value.data, kv->value.len, &wn->found, NULL) == 0)
		wn->value = sr_write_keep(&wn->w, kv->value);
	return kv ? 0 : sr_write_fail(&wn->w, -ENOENT, "Cluster %s has no VRF %s.", wn->w.cluster, wn->names[0]);
}

static int update_read(struct sr_write *w, const struct sr_etcd_op_result *found)
{
	struct write_network *wn = (struct write_network *)w;
	int r = take_info(wn, sr_write_found(&found[0]));

	if (r == 0 && !wn->value)
		return sr_write_fail(w, -EBADMSG, "The record of VRF %s cannot be read.", wn->names[0]);
	return r;
}

static int update_build(struct sr_write *w)
{
	struct write_network *wn = (struct write_network *)w;
	struct sr_vrf vrf = wn->found;
	char key[SR_KEY_SIZE];
	const char *value;

	memcpy(vrf.network_name, wn->want.network_name, sizeof(vrf.network_name));
	vrf.has_gateway = wn->want.has_gateway;
	vrf.segment_gw_id = wn->want.segment_gw_id;
	vrf.mtu = wn->want.mtu;
	vrf.n_subnets = wn->want.n_subnets;
	memcpy(vrf.subnets, wn->want.subnets, sizeof(vrf.subnets));
	wn->want = vrf;
	value = sr_write_merged(w, wn->value, sr_vrf_encode(&wn->found), sr_vrf_encode(&vrf));
	info_key(wn, wn->names[0], key);
	sr_write_if_unchanged(w, key, wn->mods[0]);
	sr_write_put(w, key, value);
	sr_write_witness(w, key, value);
	return 0;
}

static const struct sr_write_kind network_update = {
	.size = sizeof(struct write_network),
	.ask = ask_info,
	.read = update_read,
	.build = update_build,
	.result = network_result,
	.fini = network_fini,
};

int sr_write_network_update(struct sr_etcd *etcd, const char *cluster, const struct sr_vrf *vrf, sr_write_cb cb,
			    void *ctx)
{
	return start_named(&network_update, etcd, cluster, vrf->name, vrf, 0, cb, ctx);
}

static int delete_read(struct sr_write *w, const struct sr_etcd_op_result *found)
{
	struct write_network *wn = (struct write_network *)w;
	struct sr_scope scope = {.kind = SR_SCOPE_VRF};
	char prefix[SR_KEY_SIZE];

	snprintf(scope.name, sizeof(scope.name), "%s", wn->names[0]);
	sr_key_scope(w->cluster, &scope, prefix);
	sr_write_scan(w, prefix);
	wn->n_ports = wn->n_encaps = 0;
	return take_info(wn, sr_write_found(&found[0]));
}

static void delete_key(struct sr_write *w, struct sr_bytes rest)
{
	struct write_network *wn = (struct write_network *)w;

	wn->n_ports += rest.len > 6 && memcmp(rest.data, "ports/", 6) == 0;
	wn->n_encaps += rest.len > 7 && memcmp(rest.data, "encaps/", 7) == 0;
}

static int delete_build(struct sr_write *w)
{
	struct write_network *wn = (struct write_network *)w;
	const char *name = wn->names[0];
	char key[SR_KEY_SIZE], claim[SR_CLAIM_SIZE];

	if (wn->n_ports || wn->n_encaps)
		return sr_write_fail(w, -EBUSY, "VRF %s has %zu port%s and %zu encap network%s: delete them first.",
				     name, wn->n_ports, wn->n_ports == 1 ? "" : "s", wn->n_encaps,
				     wn->n_encaps == 1 ? "" : "s");
	sr_key_ports(w->cluster, name, key);
	sr_write_if_none(w, key);
	sr_key_encaps(w->cluster, name, key);
	sr_write_if_none(w, key);
	info_key(wn, name, key);
	sr_write_if_unchanged(w, key, wn->mods[0]);
	sr_write_del(w, key);
	sr_write_witness(w, key, NULL);
	if (wn->value) { /* of a bad one the vrf_ip is not known */
		sr_key_vrf_ip(w->cluster, wn->found.vrf_ip, key);
		if (w->lease)
			sr_write_put_leased(w, key, sr_claim_vrf_ip_freed(name, claim));
		else
			sr_write_del(w, key);
	}
	return 0;
}

static const struct sr_write_kind network_delete = {
	.size = sizeof(struct write_network),
	.ask = ask_info,
	.read = delete_read,
	.key = delete_key,
	.build = delete_build,
	.fini = network_fini,
};

int sr_write_network_delete(struct sr_etcd *etcd, const char *cluster, const char *vrf, unsigned int quarantine_s,
			    sr_write_cb cb, void *ctx)
{
	return start_named(&network_delete, etcd, cluster, vrf, NULL, quarantine_s, cb, ctx);
}
