/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * etcd/'s inside: the client object, shared by the files that make it up. Not for users of etcd/.
 *
 *   etcd.c    the connection's life: connect, up, lost; the one timer
 *   call.c    unary calls: wait for the connection, be sent, end once
 *   kv.c      Range, Txn, Put, Delete, Compact on calls
 *   auth.c    a token before anything else is sent
 *   watch.c   the watch stream;  lease.c  the keep-alive stream
 *
 * Lifetimes. Whatever calls back may be answered with sr_etcd_free: it ends everything at once, but the memory of
 * struct sr_etcd itself goes with its handles, on a later turn of the loop. So code that has called back looks at
 * `closing` (or at the object's `gone`) before it goes on, and needs no more than that.
 */
#ifndef SR_ETCD_CLIENT_H
#define SR_ETCD_CLIENT_H

#include "etcd/arena.h"
#include "etcd/conn_fsm.h"
#include "etcd/endpoint.h"
#include "etcd/etcd.h"
#include "etcd/h2.h"
#include "etcd/rpc.pb-c.h"
#include "etcd/transport.h"

#define SR_ETCD_NEVER SR_CONN_NEVER

struct sr_call;

struct sr_method {
	const char *path;
	bool writes;	 /* may change something: never sent twice */
	bool needs_auth; /* all but Authenticate */
};

/* Told once: the answer (data NULL if it did not end well). Frees the call, or hands it to sr_call_again. */
typedef void (*sr_call_done)(struct sr_call *call, const struct sr_etcd_status *status, const uint8_t *data,
			     size_t len);

/* First member of what a kind of call needs besides. */
struct sr_call {
	struct sr_call *prev, *next; /* etcd->calls, by deadline */
	struct sr_etcd *etcd;
	const struct sr_method *method;
	sr_call_done done;
	uint8_t *body; /* packed, owned */
	size_t len;
	uint64_t deadline;
	struct sr_h2_stream *stream; /* NULL: waits */
	unsigned int generation;     /* of the token it was sent with */
	bool reauthenticated;
	bool doomed; /* about to be ended with others */
};

enum sr_auth_state {
	SR_AUTH_NONE, /* no user, or etcd's authentication is off */
	SR_AUTH_WANTED,
	SR_AUTH_ASKED,
	SR_AUTH_REFUSED, /* asked again at auth.at */
	SR_AUTH_OK,
};

struct sr_auth {
	char *user, *password;
	char *token;
	enum sr_auth_state state;
	unsigned int generation; /* of the token */
	uint64_t since;		 /* when it was got */
	uint64_t at;
};

struct sr_watches {
	struct sr_etcd_watch *by_id; /* uthash: all that are alive */
	struct sr_h2_stream *stream;
	int64_t last_id;
	uint64_t at; /* try again then */
};

struct sr_leases {
	struct sr_etcd_lease *list;
	struct sr_h2_stream *stream;
	uint64_t at; /* open the stream again then */
};

struct sr_etcd {
	uv_loop_t *loop;
	struct sr_endpoint *endpoints;
	size_t n_endpoints;
	SSL_CTX *tls;
	unsigned int timeout_ms;
	void (*on_state)(void *ctx, int err, const char *text);
	void *ctx;
	char last_error[SR_GRPC_TEXT_SIZE]; /* told to on_state, so that it is not told twice */

	struct sr_conn_fsm fsm;
	struct sr_transport *transport;
	struct sr_h2 *h2; /* NULL: no TCP connection */
	bool up;	  /* HTTP/2 is */
	uv_timer_t timer;
	uint64_t armed; /* when it fires */
	uv_prepare_t flush;
	unsigned int handles; /* open or closing */
	bool closing;

	struct sr_auth auth;
	struct sr_call *calls;
	struct sr_watches watches;
	struct sr_leases leases;
	struct sr_arena arena; /* what is being decoded and told */
};

/* etcd.c */
uint64_t sr_etcd_now(const struct sr_etcd *etcd);
/* See to it that ticks run at that time at the latest. */
void sr_etcd_arm(struct sr_etcd *etcd, uint64_t at);
/* Something was given to h2: write it before the loop sleeps. */
void sr_etcd_flush_soon(struct sr_etcd *etcd);
/* May calls, watches and keep-alives be sent? */
bool sr_etcd_ready(const struct sr_etcd *etcd);
/* Authenticated: send all that waits. */
void sr_etcd_kick(struct sr_etcd *etcd);
/* Gives the connection up and goes to the next endpoint. */
void sr_etcd_drop(struct sr_etcd *etcd, int err, const char *text);
/* To on_state, if it is news. */
void sr_etcd_tell(struct sr_etcd *etcd, int err, const char *text);
int64_t sr_etcd_revision(const Pb__Header *header);
struct sr_bytes sr_etcd_bytes(ProtobufCBinaryData data);
ProtobufCBinaryData sr_etcd_data(struct sr_bytes bytes);
struct sr_etcd_kv sr_etcd_kv(const Pb__KeyValue *kv);

/* call.c */
/* A call of `size` bytes that begins with struct sr_call; takes request packed. NULL: out of memory. */
void *sr_call_new(struct sr_etcd *etcd, size_t size, const struct sr_method *method, const ProtobufCMessage *request,
		  sr_call_done done);
/* From `done` only, or before sr_call_start. */
void sr_call_free(struct sr_call *call);
void sr_call_start(struct sr_call *call);
/* From `done`: the same call with another request. -ENOMEM. */
int sr_call_again(struct sr_call *call, const ProtobufCMessage *request);
/* Ends a call as done would be told by etcd. */
void sr_call_fail(struct sr_call *call, int err, const char *text);
/* A call of whose answer only the header matters; cb may be NULL. -ENOMEM, -ECANCELED. */
int sr_call_simple(struct sr_etcd *etcd, const struct sr_method *method, const ProtobufCMessage *request,
		   sr_etcd_done_cb cb, void *ctx);
void sr_calls_kick(struct sr_etcd *etcd);
/* The connection is gone. */
void sr_calls_lost(struct sr_etcd *etcd, const char *text);
/* All of them, or only those not sent yet. */
void sr_calls_end(struct sr_etcd *etcd, bool sent_too, int err, const char *text);
uint64_t sr_calls_tick(struct sr_etcd *etcd, uint64_t now);

/* auth.c */
int sr_auth_init(struct sr_etcd *etcd, const char *user, const char *password);
void sr_auth_fini(struct sr_auth *auth);
/* The connection is up (or a token was refused): get a token if one is needed. True: no need to wait. */
bool sr_auth_begin(struct sr_etcd *etcd);
/* That token is good no more; a newer one may be there already. */
void sr_auth_expired(struct sr_etcd *etcd, unsigned int generation);
void sr_auth_lost(struct sr_etcd *etcd);
uint64_t sr_auth_tick(struct sr_etcd *etcd, uint64_t now);

/* watch.c */
void sr_watches_kick(struct sr_etcd *etcd);
void sr_watches_lost(struct sr_etcd *etcd);
uint64_t sr_watches_tick(struct sr_etcd *etcd, uint64_t now);
void sr_watches_fini(struct sr_etcd *etcd);

/* lease.c */
void sr_leases_kick(struct sr_etcd *etcd);
void sr_leases_lost(struct sr_etcd *etcd);
uint64_t sr_leases_tick(struct sr_etcd *etcd, uint64_t now);
void sr_leases_fini(struct sr_etcd *etcd);

#endif
