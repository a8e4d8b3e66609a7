// SPDX-License-Identifier: GPL-2.0-only
#include "etcd/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * User and password give a token, which goes with everything else. etcd forgets tokens (after 5 minutes without
 * use by default, and when it restarts), so a refused one is replaced and the refused call sent once more. A wrong
 * password ends what waits, and is tried again from time to time: somebody may put it right in etcd.
 */
#define RETRY_MS 2000

/* Sent twice it does no harm, but an answer lost with its connection is worth nothing to the next one. */
static const struct sr_method method_authenticate = {"/etcdserverpb.Auth/Authenticate", .writes = true};

static void ask(struct sr_etcd *etcd);

int sr_auth_init(struct sr_etcd *etcd, const char *user, const char *password)
{
	etcd->auth.at = SR_ETCD_NEVER;
	if (!user)
		return 0;
	etcd->auth.user = strdup(user);
	etcd->auth.password = strdup(password ? password : "");
	etcd->auth.state = SR_AUTH_WANTED;
	return etcd->auth.user && etcd->auth.password ? 0 : -ENOMEM;
}

void sr_auth_fini(struct sr_auth *auth)
{
	if (auth->password)
		explicit_bzero(auth->password, strlen(auth->password));
	free(auth->user);
	free(auth->password);
	free(auth->token);
}

static void set_state(struct sr_etcd *etcd, enum sr_auth_state state)
{
	etcd->auth.state = state;
	etcd->auth.at = SR_ETCD_NEVER;
}

static void retry_later(struct sr_etcd *etcd)
{
	etcd->auth.state = SR_AUTH_REFUSED;
	etcd->auth.at = sr_etcd_now(etcd) + RETRY_MS;
	sr_etcd_arm(etcd, etcd->auth.at);
}

static void go_on(struct sr_etcd *etcd, enum sr_auth_state state)
{
	set_state(etcd, state);
	etcd->auth.generation++;
	etcd->auth.since = sr_etcd_now(etcd);
	sr_etcd_kick(etcd);
	sr_etcd_tell(etcd, 0, etcd->endpoints[etcd->fsm.endpoint].authority);
}

static void take_token(struct sr_etcd *etcd, const uint8_t *data, size_t len)
{
	Pb__AuthenticateResponse *response = pb__authenticate_response__unpack(&etcd->arena.allocator, len, data);
	char *token = response ? strdup(response->token) : NULL;

	sr_arena_reset(&etcd->arena, SR_ARENA_KEEP);
	if (!token) {
		retry_later(etcd);
		return;
	}
	free(etcd->auth.token);
	etcd->auth.token = token;
	go_on(etcd, SR_AUTH_OK);
}

static void refused(struct sr_etcd *etcd, const struct sr_etcd_status *status)
{
	retry_later(etcd);
	sr_etcd_tell(etcd, status->err, status->text);
	if (status->err == -EACCES)
		sr_calls_end(etcd, false, -EACCES, status->text);
}

static void on_done(struct sr_call *call, const struct sr_etcd_status *status, const uint8_t *data, size_t len)
{
	struct sr_etcd *etcd = call->etcd;

	if (etcd->closing || !etcd->up) /* asked again when there is a connection */
		set_state(etcd, SR_AUTH_WANTED);
	else if (!status->err)
		take_token(etcd, data, len);
	else if (strstr(status->text, "authentication is not enabled"))
		go_on(etcd, SR_AUTH_NONE);
	else
		refused(etcd, status);
	sr_call_free(call);
}

static void ask(struct sr_etcd *etcd)
{
	Pb__AuthenticateRequest request = PB__AUTHENTICATE_REQUEST__INIT;
	struct sr_call *call;

	request.name = etcd->auth.user;
	request.password = etcd->auth.password;
	call = sr_call_new(etcd, sizeof(*call), &method_authenticate, &request.base, on_done);
	if (!call) {
		retry_later(etcd);
		return;
	}
	set_state(etcd, SR_AUTH_ASKED);
	sr_call_start(call);
}

bool sr_auth_begin(struct sr_etcd *etcd)
{
	if (!etcd->auth.user || etcd->auth.state == SR_AUTH_OK)
		return true;
	if (etcd->auth.state != SR_AUTH_ASKED)
		ask(etcd);
	return false;
}

void sr_auth_expired(struct sr_etcd *etcd, unsigned int generation)
{
	if (!etcd->auth.user || generation != etcd->auth.generation || etcd->auth.state == SR_AUTH_ASKED ||
	    etcd->auth.state == SR_AUTH_REFUSED)
		return;
	set_state(etcd, SR_AUTH_WANTED);
	if (etcd->up)
		ask(etcd);
}

/* A token is good on every member; one that was not granted yet is asked for anew. */
void sr_auth_lost(struct sr_etcd *etcd)
{
	if (etcd->auth.user && etcd->auth.state != SR_AUTH_OK)
		set_state(etcd, SR_AUTH_WANTED);
}

uint64_t sr_auth_tick(struct sr_etcd *etcd, uint64_t now)
{
	if (etcd->auth.at > now)
		return etcd->auth.at;
	etcd->auth.at = SR_ETCD_NEVER;
	if (etcd->up && etcd->auth.state == SR_AUTH_REFUSED)
		ask(etcd);
	return etcd->auth.at;
}
