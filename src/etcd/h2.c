// SPDX-License-Identifier: GPL-2.0-only
#include "etcd/h2.h"

#include <errno.h>
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

/*
 * Windows. What arrives is copied into messages at once, so the windows hold nothing back; they are this large so that
 * a page of keys comes in one go, and what bounds memory is SR_GRPC_MESSAGE_MAX.
 */
#define STREAM_WINDOW (16 * 1024 * 1024)
#define SESSION_WINDOW (32 * 1024 * 1024)

struct sr_h2_stream {
	struct sr_h2_stream *prev, *next; /* of the session */
	struct sr_h2_stream *ready_next;
	struct sr_h2 *h2;
	const struct sr_h2_stream_ops *ops; /* NULL: reset by us */
	void *ctx;
	int32_t id;
	bool ready; /* on the session's list */
	bool over, refused, half_close;
	uint8_t *out; /* to be sent: [out_pos, out_len) */
	size_t out_pos, out_len, out_size;
	struct sr_grpc_reader reader;
	struct sr_grpc_message *first, *last;
	unsigned int http_status;
	struct sr_grpc_status status;
};

struct sr_h2 {
	nghttp2_session *session;
	const struct sr_h2_ops *ops;
	void *ctx;
	char *authority;
	bool tls;
	struct sr_h2_stream *streams;
	size_t n_streams;
	struct sr_h2_stream *ready, *ready_last;
	bool settings, settings_told;
	int err; /* lost, not told yet */
	char err_text[SR_GRPC_TEXT_SIZE];
	bool lost_told;
	unsigned int busy; /* callbacks are running further up the stack */
	bool freed;
};

/* ---- Streams */

static void stream_free(struct sr_h2_stream *s)
{
	while (s->first) {
		struct sr_grpc_message *next = s->first->next;

		free(s->first);
		s->first = next;
	}
	sr_grpc_reader_fini(&s->reader);
	free(s->out);
	free(s);
}

static void stream_unlink(struct sr_h2_stream *s)
{
	DL_DELETE(s->h2->streams, s);
	s->h2->n_streams--;
}

static void stream_ready(struct sr_h2_stream *s)
{
	struct sr_h2 *h2 = s->h2;

	if (s->ready)
		return;
	s->ready = true;
	s->ready_next = NULL;
	if (h2->ready_last)
		h2->ready_last->ready_next = s;
	else
		h2->ready = s;
	h2->ready_last = s;
}

/* The stream's bytes make no sense to us: what it ends with stands, whatever the peer says later. */
static void stream_fail(struct sr_h2_stream *s, int err, const char *text)
{
	if (s->status.err)
		return;
	s->status.err = err;
	s->status.code = -1;
	snprintf(s->status.text, sizeof(s->status.text), "%s", text);
	nghttp2_submit_rst_stream(s->h2->session, NGHTTP2_FLAG_NONE, s->id, NGHTTP2_CANCEL);
}

/* ---- nghttp2's callbacks: they only take notes; dispatch() acts on them */

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data, size_t len, void *ctx)
{
	struct sr_h2_stream *s = nghttp2_session_get_stream_user_data(session, id);
	struct sr_grpc_message *message;
	int ret = 0;

	(void)flags;
	(void)ctx;
	while (s && s->ops && !s->status.err && len) {
		ret = sr_grpc_read(&s->reader, &data, &len, &message);
		if (ret < 0) {
			stream_fail(s, ret, ret == -EMSGSIZE ? "answer is too large" : "answer is not gRPC");
			break;
		}
		if (!ret)
			break;
		if (s->first && !s->ops->message) {
			free(message);
			stream_fail(s, -EBADMSG, "more than one answer");
			break;
		}
		if (s->last)
			s->last->next = message;
		else
			s->first = message;
		s->last = message;
		stream_ready(s);
	}
	return 0;
}

static unsigned int parse_number(const uint8_t *value, size_t len)
{
	unsigned int n = 0;

	for (size_t i = 0; i < len && i < 4; i++) {
		if (value[i] < '0' || value[i] > '9')
			return 0;
		n = n * 10 + value[i] - '0';
	}
	return n;
}

static bool is(const uint8_t *name, size_t len, const char *what)
{
	return len == strlen(what) && !memcmp(name, what, len);
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t namelen,
		     const uint8_t *value, size_t valuelen, uint8_t flags, void *ctx)
{
	struct sr_h2_stream *s = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);

	(void)flags;
	(void)ctx;
	if (!s || s->status.err)
		return 0;
	if (is(name, namelen, ":status"))
		s->http_status = parse_number(value, valuelen);
	else if (is(name, namelen, "grpc-status"))
		s->status.code = valuelen ? (int)parse_number(value, valuelen) : -1;
	else if (is(name, namelen, "grpc-message"))
		sr_grpc_text(value, valuelen, s->status.text);
	return 0;
}

static void h2_fail(struct sr_h2 *h2, int err, const char *text)
{
	if (h2->err)
		return;
	h2->err = err;
	snprintf(h2->err_text, sizeof(h2->err_text), "%s", text);
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *ctx)
{
	struct sr_h2 *h2 = ctx;

	(void)session;
	if (frame->hd.type == NGHTTP2_SETTINGS && !(frame->hd.flags & NGHTTP2_FLAG_ACK))
		h2->settings = true;
	if (frame->hd.type == NGHTTP2_GOAWAY) {
		char data[SR_GRPC_TEXT_SIZE], text[SR_GRPC_TEXT_SIZE];

		sr_grpc_text(frame->goaway.opaque_data, frame->goaway.opaque_data_len, data);
		snprintf(text, sizeof(text), "etcd closes the connection (error %u%s%.200s)", frame->goaway.error_code,
			 *data ? ": " : "", data);
		h2_fail(h2, -ECONNRESET, text);
	}
	return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t error_code, void *ctx)
{
	struct sr_h2_stream *s = nghttp2_session_get_stream_user_data(session, id);

	(void)ctx;
	if (!s)
		return 0;
	s->over = true;
	s->refused = error_code == NGHTTP2_REFUSED_STREAM;
	if (s->status.code < 0 && !s->status.err) {
		s->status.err = error_code || s->http_status == 200 ? -ECONNRESET : -EIO;
		snprintf(s->status.text, sizeof(s->status.text), "the stream ended without a status (HTTP %u, %s)",
			 s->http_status, nghttp2_http2_strerror(error_code));
	}
	stream_ready(s);
	return 0;
}

static ssize_t read_body(nghttp2_session *session, int32_t id, uint8_t *buf, size_t size, uint32_t *flags,
			 nghttp2_data_source *source, void *ctx)
{
	struct sr_h2_stream *s = source->ptr;
	size_t n = s->out_len - s->out_pos;

	(void)session;
	(void)id;
	(void)ctx;
	if (!n && !s->half_close)
		return NGHTTP2_ERR_DEFERRED;
	if (n > size)
		n = size;
	if (n)
		memcpy(buf, s->out + s->out_pos, n);
	s->out_pos += n;
	if (s->out_pos == s->out_len) {
		s->out_pos = s->out_len = 0;
		if (s->half_close)
			*flags |= NGHTTP2_DATA_FLAG_EOF;
	}
	return (ssize_t)n;
}

/* ---- Telling */

static void tell_messages(struct sr_h2_stream *s)
{
	while (s->ops && s->ops->message && s->first && !s->h2->freed) {
		struct sr_grpc_message *message = s->first;

		s->first = message->next;
		if (!s->first)
			s->last = NULL;
		s->ops->message(s->ctx, message->data, message->len);
		free(message);
	}
}

static void tell_end(struct sr_h2_stream *s)
{
	const struct sr_h2_stream_ops *ops = s->ops;
	struct sr_grpc_message *message = s->first;

	stream_unlink(s);
	if (ops)
		ops->end(s->ctx, &s->status, s->refused, message ? message->data : NULL, message ? message->len : 0);
	stream_free(s);
}

/* A stream that is told may be reset, and the session freed, by what it tells. Streams live on until their end here. */
static void dispatch_streams(struct sr_h2 *h2)
{
	while (h2->ready && !h2->freed) {
		struct sr_h2_stream *s = h2->ready;

		h2->ready = s->ready_next;
		if (!h2->ready)
			h2->ready_last = NULL;
		s->ready = false;
		tell_messages(s);
		if (s->over && !h2->freed)
			tell_end(s);
	}
}

static void h2_destroy(struct sr_h2 *h2)
{
	struct sr_h2_stream *s, *tmp;

	DL_FOREACH_SAFE(h2->streams, s, tmp)
	stream_free(s);
	nghttp2_session_del(h2->session);
	free(h2->authority);
	free(h2);
}

static void dispatch(struct sr_h2 *h2)
{
	h2->busy++;
	if (h2->settings && !h2->settings_told && !h2->err) {
		h2->settings_told = true;
		h2->ops->ready(h2->ctx);
	}
	dispatch_streams(h2);
	if (h2->err && !h2->lost_told && !h2->freed) {
		h2->lost_told = true;
		h2->ops->lost(h2->ctx, h2->err, h2->err_text);
	}
	if (!--h2->busy && h2->freed)
		h2_destroy(h2);
}

void sr_h2_free(struct sr_h2 *h2)
{
	if (!h2)
		return;
	h2->freed = true;
	if (!h2->busy)
		h2_destroy(h2);
}

/* ---- Bytes */

void sr_h2_push(struct sr_h2 *h2)
{
	const uint8_t *data;
	ssize_t n;

	while ((n = nghttp2_session_mem_send(h2->session, &data)) > 0) {
		int err = h2->ops->send(h2->ctx, data, (size_t)n);

		if (err) {
			h2_fail(h2, err, "cannot write");
			return;
		}
	}
	if (n < 0)
		h2_fail(h2, n == NGHTTP2_ERR_NOMEM ? -ENOMEM : -EBADMSG, nghttp2_strerror((int)n));
}

void sr_h2_flush(struct sr_h2 *h2)
{
	sr_h2_push(h2);
	dispatch(h2);
}

void sr_h2_recv(struct sr_h2 *h2, const uint8_t *data, size_t len)
{
	ssize_t n = nghttp2_session_mem_recv(h2->session, data, len);

	if (n < 0)
		h2_fail(h2, n == NGHTTP2_ERR_NOMEM ? -ENOMEM : -EBADMSG, nghttp2_strerror((int)n));
	sr_h2_push(h2);
	/* What breaks the protocol is answered with GOAWAY, and that is all that nghttp2 says of it. */
	if (!nghttp2_session_want_read(h2->session) && !nghttp2_session_want_write(h2->session))
		h2_fail(h2, -EBADMSG, "the peer does not speak HTTP/2 as it should");
	dispatch(h2);
}

int sr_h2_ping(struct sr_h2 *h2)
{
	return nghttp2_submit_ping(h2->session, NGHTTP2_FLAG_NONE, NULL) ? -ENOMEM : 0;
}

size_t sr_h2_active(const struct sr_h2 *h2)
{
	return h2->n_streams;
}

/* ---- Set-up */

static int session_new(struct sr_h2 *h2)
{
	nghttp2_session_callbacks *callbacks;
	int err = nghttp2_session_callbacks_new(&callbacks);

	if (err)
		return err;
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
	nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
	nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
	nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
	err = nghttp2_session_client_new(&h2->session, callbacks, h2);
	nghttp2_session_callbacks_del(callbacks);
	return err;
}

static int submit_settings(struct sr_h2 *h2)
{
	static const nghttp2_settings_entry settings[] = {
		{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
		{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW},
	};
	int err = nghttp2_submit_settings(h2->session, NGHTTP2_FLAG_NONE, settings, 2);

	if (err)
		return err;
	return nghttp2_session_set_local_window_size(h2->session, NGHTTP2_FLAG_NONE, 0, SESSION_WINDOW);
}

int sr_h2_new(const struct sr_h2_ops *ops, void *ctx, const char *authority, bool tls, struct sr_h2 **ret)
{
	struct sr_h2 *h2 = calloc(1, sizeof(*h2));

	if (!h2)
		return -ENOMEM;
	h2->ops = ops;
	h2->ctx = ctx;
	h2->tls = tls;
	h2->authority = strdup(authority);
	if (!h2->authority || session_new(h2) || submit_settings(h2)) {
		h2_destroy(h2);
		return -ENOMEM;
	}
	*ret = h2;
	return 0;
}

static nghttp2_nv header(const char *name, const char *value)
{
	return (nghttp2_nv){.name = (uint8_t *)name,
			    .value = (uint8_t *)value,
			    .namelen = strlen(name),
			    .valuelen = strlen(value),
			    .flags = NGHTTP2_NV_FLAG_NONE};
}

/* hasleader: a member without a leader shall say so at once, instead of letting us wait. */
static int32_t submit(struct sr_h2 *h2, const char *method, const char *token, struct sr_h2_stream *s)
{
	const nghttp2_data_provider body = {.source.ptr = s, .read_callback = read_body};
	nghttp2_nv headers[] = {
		header(":method", "POST"),
		header(":scheme", h2->tls ? "https" : "http"),
		header(":path", method),
		header(":authority", h2->authority),
		header("te", "trailers"),
		header("content-type", "application/grpc"),
		header("user-agent", "srfabric/" SR_VERSION),
		header("hasleader", "true"),
		header("token", token ? token : ""),
	};
	size_t n = sizeof(headers) / sizeof(*headers);

	headers[n - 1].flags = NGHTTP2_NV_FLAG_NO_INDEX;
	return nghttp2_submit_request(h2->session, NULL, headers, token ? n : n - 1, &body, s);
}

int sr_h2_send(struct sr_h2_stream *s, const uint8_t *data, size_t len)
{
	if (len > s->out_size - s->out_len) {
		size_t size = s->out_len + len + s->out_size;
		uint8_t *bigger = realloc(s->out, size);

		if (!bigger)
			return -ENOMEM;
		s->out = bigger;
		s->out_size = size;
	}
	if (len)
		memcpy(s->out + s->out_len, data, len);
	s->out_len += len;
	if (s->id)
		nghttp2_session_resume_data(s->h2->session, s->id);
	return 0;
}

int sr_h2_open(struct sr_h2 *h2, const char *method, const char *token, const uint8_t *body, size_t len,
	       bool half_close, const struct sr_h2_stream_ops *ops, void *ctx, struct sr_h2_stream **ret)
{
	struct sr_h2_stream *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return -ENOMEM;
	*s = (struct sr_h2_stream){.h2 = h2, .ops = ops, .ctx = ctx, .half_close = half_close, .status.code = -1};
	err = sr_h2_send(s, body, len);
	if (err)
		goto fail;
	s->id = submit(h2, method, token, s);
	if (s->id < 0) {
		err = s->id == NGHTTP2_ERR_NOMEM ? -ENOMEM : -EIO;
		goto fail;
	}
	DL_APPEND(h2->streams, s);
	h2->n_streams++;
	*ret = s;
	return 0;
fail:
	stream_free(s);
	return err;
}

void sr_h2_reset(struct sr_h2_stream *s)
{
	s->ops = NULL;
	if (!s->over)
		nghttp2_submit_rst_stream(s->h2->session, NGHTTP2_FLAG_NONE, s->id, NGHTTP2_CANCEL);
}
