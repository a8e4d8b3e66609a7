/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gRPC streams on one HTTP/2 session (nghttp2; RFC 9113, gRPC's PROTOCOL-HTTP2). Bytes go in by sr_h2_recv and out
 * through ops->send; who carries them is not known here.
 *
 * Callbacks run from sr_h2_recv and sr_h2_flush only, after nghttp2 has returned, so they may do anything: open and
 * reset streams, free the session. A stream's messages are told one by one, in order; then its end, once. A stream
 * that is opened as unary keeps its (only) message and tells it with the end.
 *
 * When the session is freed, its streams go without a word: whoever frees it knows that the connection is gone.
 */
#ifndef SR_ETCD_H2_H
#define SR_ETCD_H2_H

#include "etcd/grpc.h"

struct sr_h2;
struct sr_h2_stream;

struct sr_h2_ops {
	/* Queues bytes for the peer; a negative errno ends the session. */
	int (*send)(void *ctx, const uint8_t *data, size_t len);
	/* The peer has sent its SETTINGS: it does speak HTTP/2. */
	void (*ready)(void *ctx);
	/* The session cannot go on: the peer said GOAWAY, or what it sent is no HTTP/2. Once. Free it. */
	void (*lost)(void *ctx, int err, const char *text);
};

struct sr_h2_stream_ops {
	void (*message)(void *ctx, const uint8_t *data, size_t len); /* NULL: unary */
	/*
	 * The stream is over and free'd. `refused`: the peer has not looked at it (GOAWAY, REFUSED_STREAM). For unary
	 * streams that end well: data, which is NULL if there was no message. Borrowed.
	 */
	void (*end)(void *ctx, const struct sr_grpc_status *status, bool refused, const uint8_t *data, size_t len);
};

/* authority: host:port. -ENOMEM. */
int sr_h2_new(const struct sr_h2_ops *ops, void *ctx, const char *authority, bool tls, struct sr_h2 **ret);
/* Takes NULL; may be called from callbacks. */
void sr_h2_free(struct sr_h2 *h2);

/* From the peer. Tells errors through `lost`. */
void sr_h2_recv(struct sr_h2 *h2, const uint8_t *data, size_t len);
/* Writes what is due to be written; call it soon after opening, sending or resetting. */
void sr_h2_flush(struct sr_h2 *h2);
/* The same, but calls nothing back: from inside a callback. */
void sr_h2_push(struct sr_h2 *h2);
int sr_h2_ping(struct sr_h2 *h2);
/* Streams that are not over. */
size_t sr_h2_active(const struct sr_h2 *h2);

/*
 * Opens a stream for a method ("/etcdserverpb.KV/Put"); token: for the authorization header, or NULL. body: packed
 * messages (may be empty), copied; half_close: no more will follow. ops is borrowed. -ENOMEM, -EIO.
 */
int sr_h2_open(struct sr_h2 *h2, const char *method, const char *token, const uint8_t *body, size_t len,
	       bool half_close, const struct sr_h2_stream_ops *ops, void *ctx, struct sr_h2_stream **ret);
/* More packed messages on a stream that was not half-closed; copied. -ENOMEM. */
int sr_h2_send(struct sr_h2_stream *stream, const uint8_t *data, size_t len);
/* Ends it without a callback. */
void sr_h2_reset(struct sr_h2_stream *stream);

#endif
