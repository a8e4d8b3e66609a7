/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The client under test, and calls that wait for their end by running its loop: a test reads as a story. All copies of
 * what callbacks were given are kept by the object that they are given to.
 */
#ifndef SR_TESTS_ETCD_SYNC_H
#define SR_TESTS_ETCD_SYNC_H

#include "etcd/etcd.h"
#include "etcd/server.h"

#include <stdbool.h>
#include <string.h>

struct client {
	uv_loop_t loop;
	struct sr_etcd *etcd;
	int state; /* the last of on_state */
	char text[256];
	unsigned int ups, downs;
};

#define CALL_MS 60000 /* what is waited for: longer than any machine takes, a test fails after it */

void client_init(struct client *client, const struct server *server);
/* With these settings; endpoints are the server's unless they are set. */
void client_init_with(struct client *client, const struct server *server, struct sr_etcd_config config);
/* Frees the client, runs the loop until it is empty, and asserts that it closes. */
void client_fini(struct client *client);

/* Runs the loop until *flag, or for ms; returns *flag. */
bool run_until(uv_loop_t *loop, const bool *flag, unsigned int ms);
void run_for(uv_loop_t *loop, unsigned int ms);
/* Runs the loop until the condition holds; fails the test after CALL_MS. */
#define wait_for(client, condition)                                                                                    \
	do {                                                                                                           \
		unsigned int waited_ = 0;                                                                              \
		while (!(condition) && waited_++ < CALL_MS / 5)                                                        \
			run_for(&(client)->loop, 5);                                                                   \
		if (!(condition))                                                                                      \
			print_error("waited in vain for: %s (%s)\n", #condition, (client)->text);                      \
		assert_true(condition);                                                                                \
	} while (0)

struct kv {
	char *key, *value; /* with a NUL behind */
	size_t value_len;
	int64_t create_revision, mod_revision, version, lease;
};

struct kvs {
	int err;
	char text[256];
	int64_t revision;
	struct kv *list;
	size_t n, pages;
};

/* All keys of a prefix ("": all), or from a struct sr_etcd_range. */
struct kvs client_list(struct client *client, const char *prefix);
struct kvs client_range(struct client *client, const struct sr_etcd_range *range);
void kvs_fini(struct kvs *kvs);

struct done {
	bool done;
	int err;
	char text[256];
	int64_t revision;
};

void on_done(void *done, const struct sr_etcd_status *status);
/* Return 0 or the error; assert that the call comes to an end. */
int client_put(struct client *client, const char *key, const char *value);
int client_delete(struct client *client, const char *key);
int64_t client_revision(struct client *client);

struct outcome {
	bool done;
	int err;
	bool succeeded;
	size_t n;
	struct sr_etcd_op_result results[8]; /* without their keys */
	size_t n_kvs[8];
	char first_value[8][64]; /* of the first key of a range */
};
struct outcome client_txn(struct client *client, const struct sr_etcd_txn *txn);

/* What a watch has told: events written as "+key=value@revision" or "-key@revision". */
struct log {
	struct sr_etcd_watch *watch;
	char **lines;
	size_t n, size;
	size_t calls;
	int err; /* of the end */
	int64_t revision;
	int64_t last;  /* of the last event */
	bool disorder; /* an event of a revision that was told before, or a revision torn apart */
};

void log_watch(struct client *client, struct log *log, const char *prefix, int64_t revision);
void log_fini(struct log *log);

#endif
