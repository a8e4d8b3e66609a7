// SPDX-License-Identifier: GPL-2.0-only
#include "etcd/transport.h"

#include "etcd/endpoint.h"
#include "etcd/tls.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define READ_SIZE (128 * 1024)

/*
 * Freed when both the TCP handle's close and the look-up have called back, whichever comes last: `refs` counts them.
 * A name's addresses are tried one after the other, each on a handle of its own: the last one is closed first.
 */
struct sr_transport {
	const struct sr_transport_ops *ops;
	void *ctx;
	const struct sr_endpoint *endpoint;
	struct sr_tls *tls; /* NULL: plain */
	bool up, freed, failed;
	unsigned int refs;
	uv_tcp_t tcp;
	uv_getaddrinfo_t lookup;
	uv_connect_t connect;
	struct addrinfo *addrs, *addr; /* of the look-up; the one being tried */
	uint8_t raw[READ_SIZE], plain[READ_SIZE];
};

struct write {
	uv_write_t req;
	size_t len;
	uint8_t data[];
};

static void unref(struct sr_transport *t)
{
	if (--t->refs)
		return;
	sr_tls_free(t->tls);
	uv_freeaddrinfo(t->addrs);
	free(t);
}

static void on_close(uv_handle_t *handle)
{
	unref(handle->data);
}

static void fail(struct sr_transport *t, int err, const char *text)
{
	if (t->freed || t->failed)
		return;
	t->failed = true;
	t->ops->closed(t->ctx, err, text);
}

/* ---- Sending */

static void on_written(uv_write_t *req, int status)
{
	struct sr_transport *t = req->data;

	if (status < 0 && status != UV_ECANCELED)
		fail(t, status, uv_strerror(status));
	free(req); /* the first member of struct write */
}

static int send_raw(struct sr_transport *t, const uint8_t *data, size_t len)
{
	uv_buf_t buf = uv_buf_init((char *)data, (unsigned int)len);
	struct write *w;
	int n = 0;

	if (!uv_stream_get_write_queue_size((uv_stream_t *)&t->tcp))
		n = uv_try_write((uv_stream_t *)&t->tcp, &buf, 1);
	if (n == (int)len)
		return 0;
	if (n < 0) /* a broken connection says so on the next read or write */
		n = 0;
	len -= (size_t)n;
	w = malloc(sizeof(*w) + len);
	if (!w)
		return -ENOMEM;
	memcpy(w->data, data + n, len);
	w->len = len;
	w->req.data = t;
	buf = uv_buf_init((char *)w->data, (unsigned int)len);
	n = uv_write(&w->req, (uv_stream_t *)&t->tcp, &buf, 1, on_written);
	if (n)
		free(w);
	return n;
}

static int flush_tls(struct sr_transport *t)
{
	const uint8_t *data;
	size_t len = sr_tls_pending(t->tls, &data);
	int err = len ? send_raw(t, data, len) : 0;

	sr_tls_sent(t->tls);
	return err;
}

int sr_transport_write(struct sr_transport *t, const uint8_t *data, size_t len)
{
	int err;

	if (!t->up || t->failed)
		return -ENOTCONN;
	if (!t->tls)
		return send_raw(t, data, len);
	err = sr_tls_write(t->tls, data, len);
	return err ? err : flush_tls(t);
}

/* ---- Receiving */

static void on_alloc(uv_handle_t *handle, size_t hint, uv_buf_t *buf)
{
	struct sr_transport *t = handle->data;

	(void)hint;
	*buf = uv_buf_init((char *)t->raw, sizeof(t->raw));
}

static void set_up(struct sr_transport *t)
{
	t->up = true;
	t->ops->connected(t->ctx);
}

static void handshake(struct sr_transport *t)
{
	char text[256];
	int ret = sr_tls_handshake(t->tls, text, sizeof(text));
	int err = flush_tls(t); /* an alert goes out too */

	if (ret < 0)
		fail(t, ret, text);
	else if (err)
		fail(t, err, uv_strerror(err));
	else if (ret)
		set_up(t);
}

static void on_tls_data(struct sr_transport *t, const uint8_t *data, size_t len)
{
	ssize_t n;
	int err = sr_tls_feed(t->tls, data, len);

	if (err) {
		fail(t, err, "out of memory");
		return;
	}
	if (!t->up)
		handshake(t);
	while (t->up && !t->freed && !t->failed) {
		n = sr_tls_read(t->tls, t->plain, sizeof(t->plain));
		if (n <= 0) {
			if (n)
				fail(t, (int)n, n == -ECONNRESET ? "the peer ended the connection" : "TLS: bad record");
			break;
		}
		t->ops->data(t->ctx, t->plain, (size_t)n);
	}
	if (!t->freed && !t->failed)
		(void)flush_tls(t); /* answers to the peer's own messages, such as key updates */
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct sr_transport *t = stream->data;

	if (t->freed || t->failed || !n)
		return;
	if (n < 0)
		fail(t, n == UV_EOF ? -ECONNRESET : (int)n,
		     n == UV_EOF ? "the peer ended the connection" : uv_strerror((int)n));
	else if (t->tls)
		on_tls_data(t, (const uint8_t *)buf->base, (size_t)n);
	else
		t->ops->data(t->ctx, (const uint8_t *)buf->base, (size_t)n);
}

/* ---- Connecting */

static void on_connect(uv_connect_t *req, int status);

static int connect_to(struct sr_transport *t, const struct sockaddr *addr)
{
	t->connect.data = t;
	return uv_tcp_connect(&t->connect, &t->tcp, addr, on_connect);
}

static void on_close_for_next(uv_handle_t *handle)
{
	struct sr_transport *t = handle->data;
	int err;

	if (t->freed) {
		unref(t);
		return;
	}
	err = uv_tcp_init(handle->loop, &t->tcp);
	t->tcp.data = t;
	if (!err)
		err = connect_to(t, t->addr->ai_addr);
	if (err)
		fail(t, err, uv_strerror(err));
}

static void on_connect(uv_connect_t *req, int status)
{
	struct sr_transport *t = req->data;

	if (t->freed || status == UV_ECANCELED)
		return;
	if (status && t->addr && t->addr->ai_next) {
		t->addr = t->addr->ai_next;
		uv_close((uv_handle_t *)&t->tcp, on_close_for_next);
		return;
	}
	if (!status)
		status = uv_read_start((uv_stream_t *)&t->tcp, on_alloc, on_read);
	if (status) {
		fail(t, status, uv_strerror(status));
		return;
	}
	uv_tcp_nodelay(&t->tcp, 1);
	if (t->tls)
		handshake(t);
	else
		set_up(t);
}

static int connect_literal(struct sr_transport *t)
{
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} addr;
	int err;

	if (strchr(t->endpoint->host, ':'))
		err = uv_ip6_addr(t->endpoint->host, t->endpoint->port, &addr.in6);
	else
		err = uv_ip4_addr(t->endpoint->host, t->endpoint->port, &addr.in);
	return err ? err : connect_to(t, &addr.sa);
}

static void on_lookup(uv_getaddrinfo_t *req, int status, struct addrinfo *addrs)
{
	struct sr_transport *t = req->data;

	t->addrs = t->addr = addrs;
	if (!t->freed) {
		if (!status)
			status = connect_to(t, addrs->ai_addr);
		if (status)
			fail(t, status, uv_strerror(status));
	}
	unref(t);
}

static int look_up(uv_loop_t *loop, struct sr_transport *t)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
	char port[8];
	int err;

	snprintf(port, sizeof(port), "%u", t->endpoint->port);
	t->lookup.data = t;
	err = uv_getaddrinfo(loop, &t->lookup, on_lookup, t->endpoint->host, port, &hints);
	if (!err)
		t->refs++;
	return err;
}

int sr_transport_new(uv_loop_t *loop, const struct sr_endpoint *endpoint, SSL_CTX *tls,
		     const struct sr_transport_ops *ops, void *ctx, struct sr_transport **ret)
{
	struct sr_transport *t = calloc(1, sizeof(*t));
	int err;

	if (!t)
		return -ENOMEM;
	t->ops = ops;
	t->ctx = ctx;
	t->endpoint = endpoint;
	t->refs = 1;
	err = endpoint->tls ? sr_tls_new(tls, endpoint, &t->tls) : 0;
	if (!err)
		err = uv_tcp_init(loop, &t->tcp);
	if (err) {
		unref(t);
		return err;
	}
	t->tcp.data = t;
	err = endpoint->literal ? connect_literal(t) : look_up(loop, t);
	if (err) {
		sr_transport_free(t);
		return err;
	}
	*ret = t;
	return 0;
}

void sr_transport_free(struct sr_transport *t)
{
	if (!t)
		return;
	t->freed = true;
	if (t->refs > 1)
		uv_cancel((uv_req_t *)&t->lookup);
	if (!uv_is_closing((uv_handle_t *)&t->tcp))
		uv_close((uv_handle_t *)&t->tcp, on_close);
}
