// SPDX-License-Identifier: GPL-2.0-only
/* Encap networks: rules of a VRF, put only while that is there. */
#include "store/write_txn.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/codec.h"

enum { READ_ENCAP, READ_VRF };

struct write_encap {
	struct sr_write w;
	char vrf[SR_VRF_NAME_SIZE];
	struct sr_encap want; /* rules are owned */

	/* found in this round */
	int64_t mod;		   /* 0: not there */
	const char *value, *known; /* NULL: not there, or bad */
	int64_t vrf_created;
};

static void encap_fini(struct sr_write *w)
{
	sr_encap_fini(&((struct write_encap *)w)->want);
}

static void encap_result(struct sr_write *w, struct sr_write_result *result)
{
	result->encap = &((struct write_encap *)w)->want;
}

static const char *object_key(struct write_encap *we, enum sr_object_kind kind, char buf[static SR_KEY_SIZE])
{
	struct sr_object_id id = {.kind = kind, .id = we->want.id};

	memcpy(id.vrf, we->vrf, sizeof(id.vrf));
	sr_key_object(we->w.cluster, &id, buf);
	return buf;
}

static int put_ask(struct sr_write *w)
{
	struct write_encap *we = (struct write_encap *)w;
	char key[SR_KEY_SIZE];

	sr_write_want(w, object_key(we, SR_OBJECT_ENCAP, key));
	sr_write_want(w, object_key(we, SR_OBJECT_VRF, key));
	return 0;
}

static void take_encap(struct write_encap *we, const struct sr_etcd_kv *kv)
{
	struct sr_encap found;

	we->mod = kv ? kv->mod_revision : 0;
	we->value = we->known = NULL;
	if (!kv || sr_encap_decode(kv->value.data, kv->value.len, &found, NULL) < 0)
		return;
	we->value = sr_write_keep(&we->w, kv->value);
	we->known = sr_write_own(&we->w, sr_encap_encode(&found));
	sr_encap_fini(&found);
}

static int put_read(struct sr_write *w, const struct sr_etcd_op_result *found)
{
	struct write_encap *we = (struct write_encap *)w;
	const struct sr_etcd_kv *kv = sr_write_found(&found[READ_VRF]);
	struct sr_vrf vrf;

	take_encap(we, sr_write_found(&found[READ_ENCAP]));
	if (!kv)
		return sr_write_fail(w, -ENOENT, "Cluster %s has no VRF %s.", w->cluster, we->vrf);
	if (sr_vrf_decode(kv->value.data, kv->value.len, &vrf, NULL) < 0)
		return sr_write_fail(w, -EBADMSG, "The record of VRF %s cannot be read.", we->vrf);
	we->vrf_created = kv->create_revision;
	we->want.network_id = vrf.network_id;
	return 0;
}

static int put_build(struct sr_write *w)
{
	struct write_encap *we = (struct write_encap *)w;
	char *known = we->known ? strdup(we->known) : NULL;
	const char *value = sr_write_merged(w, we->value, known, sr_encap_encode(&we->want));
	char key[SR_KEY_SIZE];

	object_key(we, SR_OBJECT_ENCAP, key);
	sr_write_if_unchanged(w, key, we->mod);
	sr_write_put(w, key, value);
	sr_write_witness(w, key, value);
	sr_write_if_same(w, object_key(we, SR_OBJECT_VRF, key), we->vrf_created);
	return 0;
}

static const struct sr_write_kind encap_put = {
	.size = sizeof(struct write_encap),
	.ask = put_ask,
	.read = put_read,
	.build = put_build,
	.result = encap_result,
	.fini = encap_fini,
};

static int delete_ask(struct sr_write *w)
{
	char key[SR_KEY_SIZE];

	sr_write_want(w, object_key((struct write_encap *)w, SR_OBJECT_ENCAP, key));
	return 0;
}

static int delete_read(struct sr_write *w, const struct sr_etcd_op_result *found)
{
	struct write_encap *we = (struct write_encap *)w;
	const struct sr_etcd_kv *kv = sr_write_found(&found[READ_ENCAP]);
	char id[SR_UUID_STRLEN];

	we->mod = kv ? kv->mod_revision : 0;
	return kv ? 0
		  : sr_write_fail(w, -ENOENT, "VRF %s of cluster %s has no encap network %s.", we->vrf, w->cluster,
				  sr_uuid_format(&we->want.id, id));
}

static int delete_build(struct sr_write *w)
{
	struct write_encap *we = (struct write_encap *)w;
	char key[SR_KEY_SIZE];

	object_key(we, SR_OBJECT_ENCAP, key);
	sr_write_if_unchanged(w, key, we->mod);
	sr_write_del(w, key);
	sr_write_witness(w, key, NULL);
	return 0;
}

static const struct sr_write_kind encap_delete = {
	.size = sizeof(struct write_encap),
	.ask = delete_ask,
	.read = delete_read,
	.build = delete_build,
	.fini = encap_fini,
};

static int new_encap(const struct sr_write_kind *kind, struct sr_etcd *etcd, const char *cluster, const char *vrf,
		     sr_write_cb cb, void *ctx, struct write_encap **ret)
{
	int r;

	if (!sr_vrf_name_valid(vrf))
		return -EINVAL;
	r = sr_write_new(kind, etcd, cluster, cb, ctx, ret);
	if (r == 0)
		snprintf((*ret)->vrf, sizeof((*ret)->vrf), "%s", vrf);
	return r;
}

int sr_write_encap(struct sr_etcd *etcd, const char *cluster, const char *vrf, const struct sr_encap *encap,
		   sr_write_cb cb, void *ctx)
{
	struct write_encap *we;
	int r;

	if (encap->n_rules > SR_ENCAP_RULES_MAX)
		return -EINVAL;
	r = new_encap(&encap_put, etcd, cluster, vrf, cb, ctx, &we);
	if (r < 0)
		return r;
	we->want = *encap;
	we->want.rules = calloc(encap->n_rules + 1, sizeof(*encap->rules));
	if (!we->want.rules) {
		sr_write_free(&we->w);
		return -ENOMEM;
	}
	for (size_t i = 0; i < encap->n_rules; i++)
		we->want.rules[i] = encap->rules[i];
	return sr_write_start(&we->w);
}

int sr_write_encap_delete(struct sr_etcd *etcd, const char *cluster, const char *vrf, const struct sr_uuid *id,
			  sr_write_cb cb, void *ctx)
{
	struct write_encap *we;
	int r = new_encap(&encap_delete, etcd, cluster, vrf, cb, ctx, &we);

	if (r < 0)
		return r;
	we->want.id = *id;
	return sr_write_start(&we->w);
}
