/* SPDX-License-Identifier: GPL-2.0-only */
/* Writes that wait for their end, for tests of store/write.h. */
#ifndef SR_TESTS_ETCD_WRITING_H
#define SR_TESTS_ETCD_WRITING_H

#include "etcd/sync.h"
#include "store/write.h"

/* What a write told: give on_written and one of these to it, then written(). */
struct written {
	bool done;
	int err;
	char text[512];
	union {
		struct sr_node node;
		struct sr_vrf vrf;
		struct sr_port port;
		struct sr_prefix cidr;
	};
	enum {
		WROTE_NONE,
		WROTE_NODE,
		WROTE_VRF,
		WROTE_PORT,
		WROTE_CIDR
	} what; /* set before: which member is to be filled */
};

void on_written(void *written, const struct sr_write_result *result);
/* `started` is what the write returned. Waits, and returns the error. */
int written(struct client *client, int started, struct written *w);

/* For setup and teardown: a client of the server, and all keys gone after it. */
struct client *writer_new(const struct server *server);
void writer_free(struct client *client);

/* The value of a key, "" if it is not there. For free(). */
char *client_value(struct client *client, const char *key);
/* How many keys begin so. */
size_t client_count(struct client *client, const char *prefix);

#endif
