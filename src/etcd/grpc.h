/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gRPC without its transport: messages cut out of a stream's bytes, and what a status means to us. Pure.
 *
 * A message is a byte that says whether it is compressed (we never ask for that, so it must not be), a 32-bit length
 * and so many bytes. The length is the peer's word: memory is taken as bytes arrive, and never for more than
 * SR_GRPC_MESSAGE_MAX. 64 MiB hold a page of 20,000 keys with values of 3 KB; a page that is larger is asked for
 * again in smaller ones (kv.c). Watches ask etcd for fragments, which are much smaller.
 */
#ifndef SR_ETCD_GRPC_H
#define SR_ETCD_GRPC_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SR_GRPC_HEAD 5
#define SR_GRPC_MESSAGE_MAX ((size_t)64 * 1024 * 1024)
#define SR_GRPC_TEXT_SIZE 256

struct sr_grpc_message {
	struct sr_grpc_message *next;
	size_t len;
	uint8_t data[];
};

struct sr_grpc_reader {
	uint8_t head[SR_GRPC_HEAD];
	size_t n_head;
	struct sr_grpc_message *message; /* under way; its len is what it will be */
	size_t n_message, size;		 /* bytes that are there; that fit */
};

/*
 * Takes bytes from *data; stops behind a message. Returns 1 and the message, which the caller frees with free(); 0:
 * all bytes are taken, more are needed; -EBADMSG (compressed), -EMSGSIZE, -ENOMEM: the stream is lost.
 */
int sr_grpc_read(struct sr_grpc_reader *reader, const uint8_t **data, size_t *len, struct sr_grpc_message **ret);
void sr_grpc_reader_fini(struct sr_grpc_reader *reader);

/* Packs a message with its head into a buffer for free(). -ENOMEM. */
int sr_grpc_pack(const ProtobufCMessage *message, uint8_t **ret, size_t *ret_len);

/* gRPC's status codes that etcd uses. */
enum sr_grpc_code {
	SR_GRPC_OK = 0,
	SR_GRPC_CANCELLED = 1,
	SR_GRPC_UNKNOWN = 2,
	SR_GRPC_INVALID_ARGUMENT = 3,
	SR_GRPC_NOT_FOUND = 5,
	SR_GRPC_PERMISSION_DENIED = 7,
	SR_GRPC_RESOURCE_EXHAUSTED = 8,
	SR_GRPC_FAILED_PRECONDITION = 9,
	SR_GRPC_OUT_OF_RANGE = 11,
	SR_GRPC_UNAVAILABLE = 14,
	SR_GRPC_UNAUTHENTICATED = 16,
};

struct sr_grpc_status {
	int code; /* of gRPC; -1: the stream ended without one, and err says how */
	int err;
	char text[SR_GRPC_TEXT_SIZE]; /* printable */
};

/*
 * The errno of etcd.h for a status. `writes`: the call may have changed something, so that a status that leaves open
 * whether it has is -ECONNRESET rather than -EAGAIN.
 */
int sr_grpc_errno(const struct sr_grpc_status *status, bool writes);
/* etcd does not know our token (any more): authenticate and try again. Nothing was applied. */
bool sr_grpc_token_refused(const struct sr_grpc_status *status);
/* This member has lost the others: try another one. */
bool sr_grpc_no_leader(const struct sr_grpc_status *status);

/* Percent-decodes a grpc-message and makes it printable; cut off if need be. */
void sr_grpc_text(const uint8_t *data, size_t len, char ret[static SR_GRPC_TEXT_SIZE]);

#endif
