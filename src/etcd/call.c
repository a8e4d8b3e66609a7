// SPDX-License-Identifier: GPL-2.0-only
#include "etcd/client.h"

#include <errno.h>
#include <stdlib.h>
#include <utlist.h>

/*
 * Calls stand in one list in the order of their deadlines; a new one goes to the end, as all have the same time. A call
 * is unlinked before it is told its end, so whatever its owner does then cannot reach it again.
 */

static void link_call(struct sr_call *call)
{
	struct sr_etcd *etcd = call->etcd;

	call->deadline = sr_etcd_now(etcd) + etcd->timeout_ms;
	DL_APPEND(etcd->calls, call);
	sr_etcd_arm(etcd, call->deadline);
}

static void end(struct sr_call *call, const struct sr_etcd_status *status, const uint8_t *data, size_t len)
{
	DL_DELETE(call->etcd->calls, call);
	if (call->stream) {
		sr_h2_reset(call->stream);
		sr_etcd_flush_soon(call->etcd);
		call->stream = NULL;
	}
	call->done(call, status, data, len);
}

void sr_call_fail(struct sr_call *call, int err, const char *text)
{
	const struct sr_etcd_status status = {.err = err, .text = text};

	end(call, &status, NULL, 0);
}

static void send_call(struct sr_call *call);

/* The token was refused, so nothing was applied: once more with a new one, but only once. */
static void send_again_authenticated(struct sr_call *call)
{
	struct sr_etcd *etcd = call->etcd;

	call->reauthenticated = true;
	sr_auth_expired(etcd, call->generation);
	send_call(call);
}

static void on_end(void *ctx, const struct sr_grpc_status *grpc, bool refused, const uint8_t *data, size_t len)
{
	struct sr_call *call = ctx;
	struct sr_etcd *etcd = call->etcd;
	struct sr_etcd_status status = {.err = sr_grpc_errno(grpc, call->method->writes), .text = grpc->text};
	bool no_leader = sr_grpc_no_leader(grpc);

	call->stream = NULL;
	if (refused) { /* goes with the next connection */
		return;
	}
	if (sr_grpc_token_refused(grpc) && call->method->needs_auth && etcd->auth.user && !call->reauthenticated) {
		send_again_authenticated(call);
		return;
	}
	if (!status.err && !data) {
		status.err = -EBADMSG;
		status.text = "an answer without a message";
	}
	end(call, &status, status.err ? NULL : data, status.err ? 0 : len);
	if (no_leader && !etcd->closing && etcd->up && etcd->n_endpoints > 1)
		sr_etcd_drop(etcd, -EAGAIN, "this etcd member has no leader");
}

static void send_call(struct sr_call *call)
{
	static const struct sr_h2_stream_ops ops = {.end = on_end};
	struct sr_etcd *etcd = call->etcd;

	if (call->stream || !etcd->up || (call->method->needs_auth && !sr_etcd_ready(etcd)))
		return;
	call->generation = etcd->auth.generation;
	/* Without memory it waits; its deadline ends it. */
	if (!sr_h2_open(etcd->h2, call->method->path, call->method->needs_auth ? etcd->auth.token : NULL, call->body,
			call->len, true, &ops, call, &call->stream))
		sr_etcd_flush_soon(etcd);
}

void *sr_call_new(struct sr_etcd *etcd, size_t size, const struct sr_method *method, const ProtobufCMessage *request,
		  sr_call_done done)
{
	struct sr_call *call = calloc(1, size);

	if (!call)
		return NULL;
	call->etcd = etcd;
	call->method = method;
	call->done = done;
	if (sr_grpc_pack(request, &call->body, &call->len)) {
		free(call);
		return NULL;
	}
	return call;
}

void sr_call_free(struct sr_call *call)
{
	free(call->body);
	free(call);
}

void sr_call_start(struct sr_call *call)
{
	link_call(call);
	send_call(call);
}

int sr_call_again(struct sr_call *call, const ProtobufCMessage *request)
{
	uint8_t *body;
	size_t len;
	int err = sr_grpc_pack(request, &body, &len);

	if (err)
		return err;
	free(call->body);
	call->body = body;
	call->len = len;
	call->reauthenticated = false;
	sr_call_start(call);
	return 0;
}

void sr_calls_kick(struct sr_etcd *etcd)
{
	struct sr_call *call;

	DL_FOREACH (etcd->calls, call)
		send_call(call);
}

/*
 * Ends those that are marked. Callbacks may start calls, which are not marked, and end others (sr_etcd_free), so the
 * list is searched from its head each time.
 */
static void end_doomed(struct sr_etcd *etcd, int err, const char *text)
{
	struct sr_call *call;

	do {
		DL_SEARCH_SCALAR(etcd->calls, call, doomed, true);
		if (call)
			sr_call_fail(call, err, text);
	} while (call);
}

void sr_calls_lost(struct sr_etcd *etcd, const char *text)
{
	struct sr_call *call;

	DL_FOREACH (etcd->calls, call) {
		call->doomed = call->stream && call->method->writes;
		call->stream = NULL;
	}
	end_doomed(etcd, -ECONNRESET, text);
}

void sr_calls_end(struct sr_etcd *etcd, bool sent_too, int err, const char *text)
{
	struct sr_call *call;

	DL_FOREACH (etcd->calls, call) {
		call->doomed = sent_too || !call->stream;
		if (etcd->closing)
			call->stream = NULL; /* gone with the connection */
	}
	end_doomed(etcd, err, text);
}

uint64_t sr_calls_tick(struct sr_etcd *etcd, uint64_t now)
{
	while (etcd->calls && etcd->calls->deadline <= now && !etcd->closing)
		sr_call_fail(etcd->calls, -ETIMEDOUT, etcd->up ? "no answer in time" : "no connection in time");
	return etcd->calls ? etcd->calls->deadline : SR_ETCD_NEVER;
}
