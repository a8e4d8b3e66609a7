// SPDX-License-Identifier: GPL-2.0-only
#include "etcd/client.h"

#include "etcd/tls.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_MAX ((size_t)512 * 1024 * 1024) /* what one answer may decode to: 8 times the largest message */
#define DEFAULT_TIMEOUT_MS 5000

static void connect_next(struct sr_etcd *etcd);

uint64_t sr_etcd_now(const struct sr_etcd *etcd)
{
	return uv_now(etcd->loop);
}

int64_t sr_etcd_revision(const Pb__Header *header)
{
	return header ? header->revision : 0;
}

struct sr_bytes sr_etcd_bytes(ProtobufCBinaryData data)
{
	return (struct sr_bytes){data.data, data.len};
}

ProtobufCBinaryData sr_etcd_data(struct sr_bytes bytes)
{
	return (ProtobufCBinaryData){.len = bytes.len, .data = (uint8_t *)bytes.data};
}

struct sr_etcd_kv sr_etcd_kv(const Pb__KeyValue *kv)
{
	return (struct sr_etcd_kv){
		.key = sr_etcd_bytes(kv->key),
		.value = sr_etcd_bytes(kv->value),
		.create_revision = kv->create_revision,
		.mod_revision = kv->mod_revision,
		.version = kv->version,
		.lease = kv->lease,
	};
}

void sr_etcd_tell(struct sr_etcd *etcd, int err, const char *text)
{
	if (etcd->closing || !etcd->on_state || (err && !strcmp(etcd->last_error, text)))
		return;
	snprintf(etcd->last_error, sizeof(etcd->last_error), "%s", err ? text : "");
	etcd->on_state(etcd->ctx, err, text);
}

bool sr_etcd_ready(const struct sr_etcd *etcd)
{
	return etcd->up && (etcd->auth.state == SR_AUTH_NONE || etcd->auth.state == SR_AUTH_OK);
}

bool sr_etcd_connected(const struct sr_etcd *etcd)
{
	return sr_etcd_ready(etcd);
}

/* ---- The timer: everybody's deadlines */

static void update_active(struct sr_etcd *etcd)
{
	if (!etcd->up)
		return;
	sr_conn_fsm_active(&etcd->fsm, sr_h2_active(etcd->h2) > 0);
	sr_etcd_arm(etcd, sr_conn_fsm_deadline(&etcd->fsm));
}

static void conn_tick(struct sr_etcd *etcd, uint64_t now)
{
	const struct sr_endpoint *ep = &etcd->endpoints[etcd->fsm.endpoint];
	char text[SR_GRPC_TEXT_SIZE + 64];

	switch (sr_conn_fsm_run(&etcd->fsm, now)) {
	case SR_CONN_NOTHING:
		break;
	case SR_CONN_CONNECT:
		connect_next(etcd);
		break;
	case SR_CONN_PING:
		if (!sr_h2_ping(etcd->h2))
			sr_etcd_flush_soon(etcd);
		break;
	case SR_CONN_FAIL:
		snprintf(text, sizeof(text), "%s: %s", ep->authority, etcd->up ? "no answer to PING" : "no answer");
		sr_etcd_drop(etcd, -ETIMEDOUT, text);
		break;
	}
	sr_etcd_arm(etcd, sr_conn_fsm_deadline(&etcd->fsm));
}

static void on_timer(uv_timer_t *timer)
{
	static uint64_t (*const ticks[])(struct sr_etcd *, uint64_t) = {sr_calls_tick, sr_auth_tick, sr_leases_tick,
									sr_watches_tick};
	struct sr_etcd *etcd = timer->data;
	uint64_t now = sr_etcd_now(etcd);

	etcd->armed = SR_ETCD_NEVER;
	conn_tick(etcd, now);
	for (size_t i = 0; i < sizeof(ticks) / sizeof(*ticks) && !etcd->closing; i++)
		sr_etcd_arm(etcd, ticks[i](etcd, now));
}

void sr_etcd_arm(struct sr_etcd *etcd, uint64_t at)
{
	uint64_t now = sr_etcd_now(etcd);

	if (etcd->closing || at >= etcd->armed)
		return;
	etcd->armed = at;
	uv_timer_start(&etcd->timer, on_timer, at > now ? at - now : 0, 0);
}

/* ---- The connection */

static void on_flush(uv_prepare_t *prepare)
{
	struct sr_etcd *etcd = prepare->data;

	uv_prepare_stop(prepare);
	if (etcd->h2)
		sr_h2_flush(etcd->h2);
	if (!etcd->closing)
		update_active(etcd);
}

void sr_etcd_flush_soon(struct sr_etcd *etcd)
{
	if (!etcd->closing)
		uv_prepare_start(&etcd->flush, on_flush);
}

void sr_etcd_kick(struct sr_etcd *etcd)
{
	sr_calls_kick(etcd);
	sr_leases_kick(etcd);
	sr_watches_kick(etcd);
}

static void on_ready(void *ctx)
{
	struct sr_etcd *etcd = ctx;

	etcd->up = true;
	sr_conn_fsm_up(&etcd->fsm, sr_etcd_now(etcd));
	if (sr_auth_begin(etcd)) {
		sr_etcd_kick(etcd);
		sr_etcd_tell(etcd, 0, etcd->endpoints[etcd->fsm.endpoint].authority);
	}
}

static void disconnect(struct sr_etcd *etcd)
{
	sr_h2_free(etcd->h2);
	sr_transport_free(etcd->transport);
	etcd->h2 = NULL;
	etcd->transport = NULL;
	etcd->up = false;
}

/* Streams are gone with h2: everybody forgets theirs before anybody is told. */
void sr_etcd_drop(struct sr_etcd *etcd, int err, const char *text)
{
	uint32_t chance = 0;

	disconnect(etcd);
	uv_random(NULL, NULL, &chance, sizeof(chance), 0, NULL);
	sr_conn_fsm_down(&etcd->fsm, sr_etcd_now(etcd), chance);
	sr_etcd_arm(etcd, sr_conn_fsm_deadline(&etcd->fsm));
	sr_auth_lost(etcd);
	sr_watches_lost(etcd);
	sr_leases_lost(etcd);
	sr_calls_lost(etcd, text);
	sr_etcd_tell(etcd, err, text);
}

static void lost(struct sr_etcd *etcd, int err, const char *why)
{
	char text[SR_GRPC_TEXT_SIZE + SR_ENDPOINT_HOST_SIZE];

	snprintf(text, sizeof(text), "%s: %s", etcd->endpoints[etcd->fsm.endpoint].authority, why);
	sr_etcd_drop(etcd, err, text);
}

static void on_lost(void *ctx, int err, const char *text)
{
	lost(ctx, err, text);
}

static int on_send(void *ctx, const uint8_t *data, size_t len)
{
	struct sr_etcd *etcd = ctx;

	return sr_transport_write(etcd->transport, data, len);
}

static void on_connected(void *ctx)
{
	static const struct sr_h2_ops ops = {.send = on_send, .ready = on_ready, .lost = on_lost};
	struct sr_etcd *etcd = ctx;
	const struct sr_endpoint *ep = &etcd->endpoints[etcd->fsm.endpoint];
	int err = sr_h2_new(&ops, etcd, ep->authority, ep->tls, &etcd->h2);

	if (err)
		lost(etcd, err, "out of memory");
	else
		sr_etcd_flush_soon(etcd);
}

static void on_bytes(void *ctx, const uint8_t *data, size_t len)
{
	struct sr_etcd *etcd = ctx;

	sr_conn_fsm_rx(&etcd->fsm, sr_etcd_now(etcd));
	sr_h2_recv(etcd->h2, data, len);
	if (!etcd->closing)
		update_active(etcd);
}

static void connect_next(struct sr_etcd *etcd)
{
	static const struct sr_transport_ops ops = {.connected = on_connected, .data = on_bytes, .closed = on_lost};
	int err = sr_transport_new(etcd->loop, &etcd->endpoints[etcd->fsm.endpoint], etcd->tls, &ops, etcd,
				   &etcd->transport);

	if (err)
		lost(etcd, err, uv_strerror(err));
}

/* ---- Life */

static void destroy(struct sr_etcd *etcd)
{
	sr_arena_fini(&etcd->arena);
	sr_auth_fini(&etcd->auth);
	SSL_CTX_free(etcd->tls);
	free(etcd->endpoints);
	free(etcd);
}

static void on_handle_closed(uv_handle_t *handle)
{
	struct sr_etcd *etcd = handle->data;

	if (!--etcd->handles)
		destroy(etcd);
}

static int copy_endpoints(struct sr_etcd *etcd, const struct sr_etcd_config *config, bool *ret_tls, char *err,
			  size_t err_len)
{
	if (!config->n_endpoints) {
		snprintf(err, err_len, "no endpoint is given");
		return -EINVAL;
	}
	etcd->endpoints = calloc(config->n_endpoints, sizeof(*etcd->endpoints));
	if (!etcd->endpoints)
		return -ENOMEM;
	etcd->n_endpoints = config->n_endpoints;
	for (size_t i = 0; i < config->n_endpoints; i++) {
		if (sr_endpoint_parse(config->endpoints[i], &etcd->endpoints[i])) {
			snprintf(err, err_len, "endpoint '%s' is not http://HOST:PORT or https://HOST:PORT",
				 config->endpoints[i]);
			return -EINVAL;
		}
		*ret_tls |= etcd->endpoints[i].tls;
	}
	return 0;
}

static int set_up(struct sr_etcd *etcd, const struct sr_etcd_config *config, char *err, size_t err_len)
{
	bool tls = false;
	int ret = copy_endpoints(etcd, config, &tls, err, err_len);

	if (!ret && tls)
		ret = sr_tls_ctx_new(config->ca_file, config->cert_file, config->key_file, &etcd->tls, err, err_len);
	if (!ret)
		ret = sr_auth_init(etcd, config->user, config->password);
	if (ret == -ENOMEM)
		snprintf(err, err_len, "out of memory");
	return ret;
}

/* libuv writes to sockets without MSG_NOSIGNAL, so a peer that goes away would kill a process that does not care. */
static void ignore_sigpipe(void)
{
	struct sigaction action;

	if (!sigaction(SIGPIPE, NULL, &action) && action.sa_handler == SIG_DFL) {
		action.sa_handler = SIG_IGN;
		sigaction(SIGPIPE, &action, NULL);
	}
}

int sr_etcd_new(uv_loop_t *loop, const struct sr_etcd_config *config, struct sr_etcd **ret, char *err, size_t err_len)
{
	struct sr_etcd *etcd = calloc(1, sizeof(*etcd));
	uint32_t chance = 0;
	int ret_err;

	if (!etcd) {
		snprintf(err, err_len, "out of memory");
		return -ENOMEM;
	}
	ignore_sigpipe();
	etcd->loop = loop;
	etcd->timeout_ms = config->timeout_ms ? config->timeout_ms : DEFAULT_TIMEOUT_MS;
	etcd->on_state = config->on_state;
	etcd->ctx = config->ctx;
	etcd->armed = SR_ETCD_NEVER;
	etcd->watches.at = etcd->leases.at = SR_ETCD_NEVER;
	sr_arena_init(&etcd->arena, ARENA_MAX);
	ret_err = set_up(etcd, config, err, err_len);
	if (ret_err) {
		destroy(etcd);
		return ret_err;
	}
	uv_timer_init(loop, &etcd->timer);
	uv_prepare_init(loop, &etcd->flush);
	etcd->timer.data = etcd->flush.data = etcd;
	etcd->handles = 2;
	/* Clients spread over the endpoints. */
	uv_random(NULL, NULL, &chance, sizeof(chance), 0, NULL);
	uv_update_time(loop);
	sr_conn_fsm_init(&etcd->fsm, etcd->n_endpoints, chance, sr_etcd_now(etcd));
	sr_etcd_arm(etcd, sr_conn_fsm_deadline(&etcd->fsm));
	*ret = etcd;
	return 0;
}

void sr_etcd_free(struct sr_etcd *etcd)
{
	if (!etcd || etcd->closing)
		return;
	etcd->closing = true;
	disconnect(etcd);
	sr_calls_end(etcd, true, -ECANCELED, "the client is closed");
	sr_watches_fini(etcd);
	sr_leases_fini(etcd);
	uv_close((uv_handle_t *)&etcd->timer, on_handle_closed);
	uv_close((uv_handle_t *)&etcd->flush, on_handle_closed);
}

uv_loop_t *sr_etcd_loop(const struct sr_etcd *etcd)
{
	return etcd->loop;
}
