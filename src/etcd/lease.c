// SPDX-License-Identifier: GPL-2.0-only
#include "etcd/client.h"

#include <errno.h>
#include <stdlib.h>
#include <utlist.h>

/*
 * All leases are kept alive on one stream, each every third of its time to live. etcd says with a time of 0 that a
 * lease is gone; then a new one is granted. A grant of unknown outcome is simply tried again: a lease that nobody keeps
 * alive goes by itself.
 */
#define RETRY_MS 500
#define KEEP_ALIVES_PER_TTL 3

static const struct sr_method method_grant = {"/etcdserverpb.Lease/LeaseGrant", .writes = true, .needs_auth = true};
static const struct sr_method method_revoke = {"/etcdserverpb.Lease/LeaseRevoke", .writes = true, .needs_auth = true};
#define KEEP_ALIVE "/etcdserverpb.Lease/LeaseKeepAlive"

struct grant_call {
	struct sr_call call;
	struct sr_etcd_lease *lease; /* NULL: freed meanwhile */
};

struct sr_etcd_lease {
	struct sr_etcd_lease *prev, *next;
	struct sr_etcd *etcd;
	int64_t id; /* 0: none granted */
	unsigned int ttl_s;
	uint64_t at;		  /* next keep-alive, or next attempt to have it granted */
	struct grant_call *grant; /* under way */
	sr_etcd_lease_cb cb;
	void *ctx;
};

static void set_at(struct sr_etcd_lease *lease, uint64_t after_ms)
{
	lease->at = sr_etcd_now(lease->etcd) + after_ms;
	sr_etcd_arm(lease->etcd, lease->at);
}

static uint64_t interval(const struct sr_etcd_lease *lease)
{
	return (uint64_t)lease->ttl_s * 1000 / KEEP_ALIVES_PER_TTL;
}

/* ---- Granting */

static void on_granted(struct sr_call *call, const struct sr_etcd_status *status, const uint8_t *data, size_t len)
{
	struct sr_etcd *etcd = call->etcd;
	struct sr_etcd_lease *lease = ((struct grant_call *)call)->lease;
	Pb__LeaseGrantResponse *response = NULL;
	int64_t id;

	sr_call_free(call);
	if (!lease) /* goes by itself */
		return;
	lease->grant = NULL;
	if (!status->err)
		response = pb__lease_grant_response__unpack(&etcd->arena.allocator, len, data);
	id = response ? response->id : 0;
	sr_arena_reset(&etcd->arena, SR_ARENA_KEEP);
	if (!id) {
		set_at(lease, RETRY_MS);
		return;
	}
	lease->id = id;
	set_at(lease, interval(lease));
	lease->cb(lease->ctx, id);
}

static void grant(struct sr_etcd_lease *lease)
{
	Pb__LeaseGrantRequest request = PB__LEASE_GRANT_REQUEST__INIT;

	lease->at = SR_ETCD_NEVER;
	if (lease->grant)
		return;
	request.ttl = lease->ttl_s;
	lease->grant = sr_call_new(lease->etcd, sizeof(*lease->grant), &method_grant, &request.base, on_granted);
	if (!lease->grant) {
		set_at(lease, RETRY_MS);
		return;
	}
	lease->grant->lease = lease;
	sr_call_start(&lease->grant->call);
}

/* ---- Keeping alive */

static void keep_alive(struct sr_etcd_lease *lease)
{
	Pb__LeaseKeepAliveRequest request = PB__LEASE_KEEP_ALIVE_REQUEST__INIT;
	struct sr_etcd *etcd = lease->etcd;
	uint8_t *buf;
	size_t len;

	set_at(lease, interval(lease));
	request.id = lease->id;
	if (sr_grpc_pack(&request.base, &buf, &len))
		return;
	if (!sr_h2_send(etcd->leases.stream, buf, len))
		sr_etcd_flush_soon(etcd);
	free(buf);
}

static void on_message(void *ctx, const uint8_t *data, size_t len)
{
	struct sr_etcd *etcd = ctx;
	Pb__LeaseKeepAliveResponse *response = pb__lease_keep_alive_response__unpack(&etcd->arena.allocator, len, data);
	int64_t id = response && response->ttl <= 0 ? response->id : 0;
	struct sr_etcd_lease *lease;

	sr_arena_reset(&etcd->arena, SR_ARENA_KEEP);
	if (!response) {
		sr_etcd_drop(etcd, -EBADMSG, "an answer to LeaseKeepAlive that cannot be parsed");
		return;
	}
	if (!id)
		return;
	DL_SEARCH_SCALAR(etcd->leases.list, lease, id, id);
	if (!lease)
		return;
	lease->id = 0;
	set_at(lease, 0);
	lease->cb(lease->ctx, 0);
}

static void stream_later(struct sr_etcd *etcd)
{
	etcd->leases.at = sr_etcd_now(etcd) + RETRY_MS;
	sr_etcd_arm(etcd, etcd->leases.at);
}

static void on_end(void *ctx, const struct sr_grpc_status *status, bool refused, const uint8_t *data, size_t len)
{
	struct sr_etcd *etcd = ctx;

	(void)refused;
	(void)data;
	(void)len;
	etcd->leases.stream = NULL;
	if (sr_grpc_no_leader(status)) {
		sr_etcd_drop(etcd, -EAGAIN, "this etcd member has no leader");
		return;
	}
	if (sr_grpc_token_refused(status))
		sr_auth_expired(etcd, etcd->auth.generation);
	stream_later(etcd);
}

static void open_stream(struct sr_etcd *etcd)
{
	static const struct sr_h2_stream_ops ops = {.message = on_message, .end = on_end};
	struct sr_etcd_lease *lease;

	etcd->leases.at = SR_ETCD_NEVER;
	if (sr_h2_open(etcd->h2, KEEP_ALIVE, etcd->auth.token, NULL, 0, false, &ops, etcd, &etcd->leases.stream)) {
		stream_later(etcd);
		return;
	}
	sr_etcd_flush_soon(etcd);
	/* How long nothing was kept alive is not known. */
	DL_FOREACH (etcd->leases.list, lease) {
		if (lease->id)
			keep_alive(lease);
	}
}

void sr_leases_kick(struct sr_etcd *etcd)
{
	if (etcd->leases.list && !etcd->leases.stream && sr_etcd_ready(etcd))
		open_stream(etcd);
}

void sr_leases_lost(struct sr_etcd *etcd)
{
	etcd->leases.stream = NULL;
	etcd->leases.at = SR_ETCD_NEVER;
}

uint64_t sr_leases_tick(struct sr_etcd *etcd, uint64_t now)
{
	struct sr_etcd_lease *lease;
	uint64_t next;

	if (etcd->leases.at <= now) {
		etcd->leases.at = SR_ETCD_NEVER;
		sr_leases_kick(etcd);
	}
	next = etcd->leases.at;
	DL_FOREACH (etcd->leases.list, lease) {
		if (lease->at <= now) {
			if (!lease->id)
				grant(lease);
			else if (etcd->leases.stream)
				keep_alive(lease);
			else
				lease->at = SR_ETCD_NEVER; /* the stream's opening does it */
		}
		next = lease->at < next ? lease->at : next;
	}
	return next;
}

/* ---- Life */

int sr_etcd_lease_new(struct sr_etcd *etcd, unsigned int ttl_s, sr_etcd_lease_cb cb, void *ctx,
		      struct sr_etcd_lease **ret)
{
	struct sr_etcd_lease *lease;

	if (etcd->closing)
		return -ECANCELED;
	if (!ttl_s)
		return -EINVAL;
	lease = calloc(1, sizeof(*lease));
	if (!lease)
		return -ENOMEM;
	*lease = (struct sr_etcd_lease){.etcd = etcd, .ttl_s = ttl_s, .cb = cb, .ctx = ctx, .at = SR_ETCD_NEVER};
	DL_APPEND(etcd->leases.list, lease);
	grant(lease);
	sr_leases_kick(etcd);
	*ret = lease;
	return 0;
}

void sr_etcd_lease_free(struct sr_etcd_lease *lease)
{
	if (!lease)
		return;
	if (lease->etcd) {
		DL_DELETE(lease->etcd->leases.list, lease);
		if (lease->grant)
			lease->grant->lease = NULL;
	}
	free(lease);
}

int sr_etcd_lease_revoke(struct sr_etcd_lease *lease, sr_etcd_done_cb cb, void *ctx)
{
	Pb__LeaseKeepAliveRequest request = PB__LEASE_KEEP_ALIVE_REQUEST__INIT;
	struct sr_etcd *etcd = lease->etcd;

	request.id = lease->id;
	sr_etcd_lease_free(lease);
	return etcd ? sr_call_simple(etcd, &method_revoke, &request.base, cb, ctx) : -ECANCELED;
}

/* ---- A lease that is let go */

struct once_call {
	struct sr_call call;
	sr_etcd_grant_cb cb;
	void *ctx;
};

static void on_granted_once(struct sr_call *call, const struct sr_etcd_status *status, const uint8_t *data, size_t len)
{
	struct once_call *once = (struct once_call *)call;
	struct sr_arena *arena = &call->etcd->arena;
	struct sr_etcd_status copy = *status;
	Pb__LeaseGrantResponse *response = NULL;
	int64_t id = 0;

	if (!status->err) {
		response = pb__lease_grant_response__unpack(&arena->allocator, len, data);
		id = response ? response->id : 0;
		if (!id)
			copy = (struct sr_etcd_status){.err = -EBADMSG, .text = "an answer that cannot be parsed"};
	}
	once->cb(once->ctx, &copy, id);
	sr_arena_reset(arena, SR_ARENA_KEEP);
	sr_call_free(call);
}

int sr_etcd_grant(struct sr_etcd *etcd, unsigned int ttl_s, sr_etcd_grant_cb cb, void *ctx)
{
	Pb__LeaseGrantRequest request = PB__LEASE_GRANT_REQUEST__INIT;
	struct once_call *once;

	if (etcd->closing)
		return -ECANCELED;
	request.ttl = ttl_s;
	once = sr_call_new(etcd, sizeof(*once), &method_grant, &request.base, on_granted_once);
	if (!once)
		return -ENOMEM;
	once->cb = cb;
	once->ctx = ctx;
	sr_call_start(&once->call);
	return 0;
}

/* Objects stay their owners', who free them when they like. */
void sr_leases_fini(struct sr_etcd *etcd)
{
	struct sr_etcd_lease *lease, *tmp;

	DL_FOREACH_SAFE(etcd->leases.list, lease, tmp)
	{
		DL_DELETE(etcd->leases.list, lease);
		lease->etcd = NULL;
		lease->grant = NULL;
	}
}
