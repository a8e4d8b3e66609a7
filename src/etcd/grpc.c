// SPDX-License-Identifier: GPL-2.0-only
#include "etcd/grpc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SIZE ((size_t)64 * 1024)

static void put_head(uint8_t *head, size_t len)
{
	head[0] = 0;
	head[1] = (uint8_t)(len >> 24);
	head[2] = (uint8_t)(len >> 16);
	head[3] = (uint8_t)(len >> 8);
	head[4] = (uint8_t)len;
}

static size_t get_len(const uint8_t *head)
{
	return (size_t)head[1] << 24 | (size_t)head[2] << 16 | (size_t)head[3] << 8 | head[4];
}

int sr_grpc_pack(const ProtobufCMessage *message, uint8_t **ret, size_t *ret_len)
{
	size_t len = protobuf_c_message_get_packed_size(message);
	uint8_t *buf = malloc(SR_GRPC_HEAD + len);

	if (!buf)
		return -ENOMEM;
	put_head(buf, len);
	protobuf_c_message_pack(message, buf + SR_GRPC_HEAD);
	*ret = buf;
	*ret_len = SR_GRPC_HEAD + len;
	return 0;
}

static size_t min_size(size_t a, size_t b)
{
	return a < b ? a : b;
}

static int read_head(struct sr_grpc_reader *r, const uint8_t **data, size_t *len)
{
	size_t n = min_size(SR_GRPC_HEAD - r->n_head, *len);
	size_t want;

	memcpy(r->head + r->n_head, *data, n);
	r->n_head += n;
	*data += n;
	*len -= n;
	if (r->n_head < SR_GRPC_HEAD)
		return 0;
	want = get_len(r->head);
	if (r->head[0])
		return -EBADMSG;
	if (want > SR_GRPC_MESSAGE_MAX)
		return -EMSGSIZE;
	r->size = min_size(want, FIRST_SIZE);
	r->n_message = 0;
	r->message = malloc(sizeof(*r->message) + r->size);
	if (!r->message)
		return -ENOMEM;
	r->message->next = NULL;
	r->message->len = want;
	return 0;
}

static int make_room(struct sr_grpc_reader *r, size_t n)
{
	struct sr_grpc_message *bigger;
	size_t size = r->size;

	while (size < r->n_message + n)
		size *= 2;
	if (size == r->size)
		return 0;
	size = min_size(size, r->message->len);
	bigger = realloc(r->message, sizeof(*bigger) + size);
	if (!bigger)
		return -ENOMEM;
	r->message = bigger;
	r->size = size;
	return 0;
}

int sr_grpc_read(struct sr_grpc_reader *r, const uint8_t **data, size_t *len, struct sr_grpc_message **ret)
{
	size_t n;
	int err;

	if (!r->message) {
		err = read_head(r, data, len);
		if (err || !r->message)
			return err;
	}
	n = min_size(r->message->len - r->n_message, *len);
	err = make_room(r, n);
	if (err)
		return err;
	memcpy(r->message->data + r->n_message, *data, n);
	r->n_message += n;
	*data += n;
	*len -= n;
	if (r->n_message < r->message->len)
		return 0;
	*ret = r->message;
	r->message = NULL;
	r->n_head = 0;
	return 1;
}

void sr_grpc_reader_fini(struct sr_grpc_reader *r)
{
	free(r->message);
	*r = (struct sr_grpc_reader){};
}

static int hex(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void sr_grpc_text(const uint8_t *data, size_t len, char ret[static SR_GRPC_TEXT_SIZE])
{
	size_t out = 0;

	for (size_t i = 0; i < len && out < SR_GRPC_TEXT_SIZE - 1; i++) {
		uint8_t c = data[i];

		if (c == '%' && len - i > 2 && hex(data[i + 1]) >= 0 && hex(data[i + 2]) >= 0) {
			c = (uint8_t)(hex(data[i + 1]) << 4 | hex(data[i + 2]));
			i += 2;
		}
		ret[out++] = c < 0x20 || c > 0x7e ? '?' : (char)c;
	}
	ret[out] = '\0';
}

static bool says(const struct sr_grpc_status *status, const char *words)
{
	return strstr(status->text, words);
}

bool sr_grpc_token_refused(const struct sr_grpc_status *status)
{
	return says(status, "invalid auth token") || says(status, "revision of auth store is old") ||
	       says(status, "user name is empty");
}

bool sr_grpc_no_leader(const struct sr_grpc_status *status)
{
	return status->code == SR_GRPC_UNAVAILABLE && says(status, "no leader");
}

/* What etcd says before it hands a request to raft: not applied for sure. */
static bool not_applied(const struct sr_grpc_status *status)
{
	return sr_grpc_no_leader(status) || says(status, "too many requests") || says(status, "not leader") ||
	       says(status, "unhealthy cluster");
}

static int invalid_argument(const struct sr_grpc_status *status)
{
	if (says(status, "authentication failed") || sr_grpc_token_refused(status))
		return -EACCES;
	return -EINVAL;
}

static int out_of_range(const struct sr_grpc_status *status)
{
	return says(status, "compacted") ? -EKEYEXPIRED : -EINVAL;
}

static int resource_exhausted(const struct sr_grpc_status *status)
{
	if (says(status, "space exceeded"))
		return -ENOSPC;
	return says(status, "too many requests") ? -EAGAIN : -EINVAL;
}

int sr_grpc_errno(const struct sr_grpc_status *status, bool writes)
{
	switch (status->code) {
	case SR_GRPC_OK:
		return 0;
	case -1:
		return status->err;
	case SR_GRPC_CANCELLED:
	case SR_GRPC_UNAVAILABLE:
		return writes && !not_applied(status) ? -ECONNRESET : -EAGAIN;
	case SR_GRPC_INVALID_ARGUMENT:
		return invalid_argument(status);
	case SR_GRPC_NOT_FOUND:
		return -ENOENT;
	case SR_GRPC_PERMISSION_DENIED:
	case SR_GRPC_UNAUTHENTICATED:
		return -EACCES;
	case SR_GRPC_RESOURCE_EXHAUSTED:
		return resource_exhausted(status);
	case SR_GRPC_FAILED_PRECONDITION:
		return -EINVAL;
	case SR_GRPC_OUT_OF_RANGE:
		return out_of_range(status);
	default:
		return -EIO;
	}
}
