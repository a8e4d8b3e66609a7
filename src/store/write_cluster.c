// SPDX-License-Identifier: GPL-2.0-only
/* Clusters: their vrf_cidrs, none of which overlaps another. All stand in one value, which is replaced as a whole. */
#include "store/write_txn.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/cidrs.h"

#define ROOM_LEN 30 /* the longest prefix with an address besides its first and its last */

/* For all three: which they are is their kind. */
struct write_cluster {
	struct sr_write w;
	struct sr_prefix want; /* then what stands there */

	/* found in this round */
	const char *found; /* the value; NULL: not there */
	int64_t mod;
	struct sr_prefix have; /* if has */
	bool has;
	size_t n_vrf_ips;
	char a_vrf_ip[INET_ADDRSTRLEN];
};

static int ask(struct sr_write *w)
{
	sr_write_want(w, SR_KEY_VRF_CIDRS);
	return 0;
}

static int unreadable(struct sr_write *w)
{
	return sr_write_fail(w, -EBADMSG, "The value of %s cannot be read: put it right by hand.", SR_KEY_VRF_CIDRS);
}

static int take(struct write_cluster *wc, const struct sr_etcd_kv *kv)
{
	int r;

	wc->found = kv ? sr_write_keep(&wc->w, kv->value) : NULL;
	wc->mod = kv ? kv->mod_revision : 0;
	r = sr_cidrs_find(wc->found, wc->w.cluster, &wc->have);
	wc->has = r == 0;
	return r == -EBADMSG ? unreadable(&wc->w) : 0;
}

/* Another vrf_cidr, or none: who has an address of the old one? */
static int set_read(struct sr_write *w, const struct sr_etcd_op_result *found)
{
	struct write_cluster *wc = (struct write_cluster *)w;
	char prefix[SR_KEY_SIZE];

	wc->n_vrf_ips = 0;
	sr_key_vrf_ips(w->cluster, prefix);
	sr_write_scan(w, prefix);
	return take(wc, sr_write_found(&found[0]));
}

static void set_key(struct sr_write *w, struct sr_bytes rest)
{
	struct write_cluster *wc = (struct write_cluster *)w;

	if (wc->n_vrf_ips++ == 0)
		snprintf(wc->a_vrf_ip, sizeof(wc->a_vrf_ip), "%.*s", (int)rest.len, (const char *)rest.data);
}

static int check_unused(struct write_cluster *wc)
{
	char text[SR_PREFIX_STRLEN];

	if (!wc->n_vrf_ips)
		return 0;
	return sr_write_fail(
		&wc->w, -EBUSY,
		"%zu network%s of cluster %s ha%s an address of its vrf_cidr %s (%s%s); one that was deleted "
		"counts for 5 minutes.",
		wc->n_vrf_ips, wc->n_vrf_ips == 1 ? "" : "s", wc->w.cluster, wc->n_vrf_ips == 1 ? "s" : "ve",
		wc->has ? sr_prefix_format(&wc->have, text) : "of before", wc->a_vrf_ip,
		wc->n_vrf_ips == 1 ? "" : ", ...");
}

static void replace(struct write_cluster *wc, char *value)
{
	struct sr_write *w = &wc->w;
	const char *own = sr_write_own(w, value);
	char prefix[SR_KEY_SIZE];

	sr_key_vrf_ips(w->cluster, prefix);
	sr_write_if_unchanged(w, SR_KEY_VRF_CIDRS, wc->mod);
	sr_write_if_none(w, prefix);
	sr_write_put(w, SR_KEY_VRF_CIDRS, own);
	sr_write_witness(w, SR_KEY_VRF_CIDRS, own);
}

static int set_build(struct sr_write *w)
{
	struct write_cluster *wc = (struct write_cluster *)w;
	char other[SR_NAME_SIZE], text[SR_PREFIX_STRLEN], theirs[SR_PREFIX_STRLEN];
	struct sr_prefix overlapped;
	char *value;
	int r;

	if (wc->has && sr_prefix_equal(&wc->have, &wc->want))
		return SR_WRITE_DONE;
	r = sr_cidrs_overlap(wc->found, w->cluster, &wc->want, other, &overlapped);
	if (r == -EADDRINUSE)
		return sr_write_fail(w, r, "vrf_cidr %s of cluster %s overlaps %s of cluster %s.",
				     sr_prefix_format(&wc->want, text), w->cluster,
				     sr_prefix_format(&overlapped, theirs), other);
	if (r < 0)
		return unreadable(w);
	r = check_unused(wc);
	if (r < 0)
		return r;
	r = sr_cidrs_set(wc->found, w->cluster, &wc->want, &value);
	if (r == 0)
		replace(wc, value);
	return r;
}

static int delete_build(struct sr_write *w)
{
	struct write_cluster *wc = (struct write_cluster *)w;
	char *value;
	int r;

	if (!wc->has)
		return sr_write_fail(w, -ENOENT, "Cluster %s has no vrf_cidr.", w->cluster);
	r = check_unused(wc);
	if (r < 0)
		return r;
	r = sr_cidrs_set(wc->found, w->cluster, NULL, &value);
	if (r == 0)
		replace(wc, value);
	return r;
}

static int read_read(struct sr_write *w, const struct sr_etcd_op_result *found)
{
	return take((struct write_cluster *)w, sr_write_found(&found[0]));
}

static int read_build(struct sr_write *w)
{
	struct write_cluster *wc = (struct write_cluster *)w;

	if (!wc->has)
		return sr_write_fail(w, -ENOENT, "Cluster %s has no vrf_cidr.", w->cluster);
	wc->want = wc->have;
	return SR_WRITE_DONE;
}

static void cluster_result(struct sr_write *w, struct sr_write_result *result)
{
	result->vrf_cidr = &((struct write_cluster *)w)->want;
}

static const struct sr_write_kind cluster_set = {
	.size = sizeof(struct write_cluster),
	.ask = ask,
	.read = set_read,
	.key = set_key,
	.build = set_build,
	.result = cluster_result,
};

static const struct sr_write_kind cluster_delete = {
	.size = sizeof(struct write_cluster),
	.ask = ask,
	.read = set_read,
	.key = set_key,
	.build = delete_build,
};

static const struct sr_write_kind cluster_read = {
	.size = sizeof(struct write_cluster),
	.ask = ask,
	.read = read_read,
	.build = read_build,
	.result = cluster_result,
};

static int start(const struct sr_write_kind *kind, struct sr_etcd *etcd, const char *cluster,
		 const struct sr_prefix *want, sr_write_cb cb, void *ctx)
{
	struct write_cluster *wc;
	int r = sr_write_new(kind, etcd, cluster, cb, ctx, &wc);

	if (r < 0)
		return r;
	if (want)
		wc->want = *want;
	return sr_write_start(&wc->w);
}

int sr_write_cluster(struct sr_etcd *etcd, const char *cluster, const struct sr_prefix *vrf_cidr, sr_write_cb cb,
		     void *ctx)
{
	if (!sr_prefix_is_v4(vrf_cidr) || sr_prefix_len(vrf_cidr) > ROOM_LEN)
		return -EINVAL;
	return start(&cluster_set, etcd, cluster, vrf_cidr, cb, ctx);
}

int sr_write_cluster_delete(struct sr_etcd *etcd, const char *cluster, sr_write_cb cb, void *ctx)
{
	return start(&cluster_delete, etcd, cluster, NULL, cb, ctx);
}

int sr_read_cluster(struct sr_etcd *etcd, const char *cluster, sr_write_cb cb, void *ctx)
{
	return start(&cluster_read, etcd, cluster, NULL, cb, ctx);
}
