/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * etcd/ - a client of etcd's v3 API over gRPC, on a libuv loop. Knows nothing of what the keys mean.
 *
 * One sr_etcd holds one HTTP/2 connection (nghttp2, TLS by OpenSSL) to one of its endpoints at a time, on which all
 * calls, watches and lease keep-alives are multiplexed; when it breaks, or etcd does not answer PINGs, the next
 * endpoint is tried after a backoff (a pure state machine, conn_fsm.h). Single-threaded: every function and every
 * callback runs on the loop's thread. No function calls back before it returns.
 *
 * Failure. Calls end exactly once, with 0 or a negative errno below and etcd's own words. A call waits for the
 * connection up to its timeout, then ends with -ETIMEDOUT. A call that was sent when the connection broke ends with
 * -ECONNRESET and is not sent again by itself, because it may have been applied; the caller knows whether that matters.
 * Watches and leases live through reconnects by themselves.
 *
 *   -ETIMEDOUT     no answer in time (1)         -EACCES   user, password or permission
 *   -ECONNRESET    sent, outcome unknown       -ENOENT   lease not found
 *   -ECANCELED     by sr_etcd_free             -EKEYEXPIRED  revision compacted
 *   -EAGAIN        unavailable, not applied (no leader, etcd's overload)
 *   -ENOSPC        etcd's quota                -EBADMSG  answer that cannot be parsed
 *   -EINVAL        etcd finds the request wrong   -EIO   anything else
 *   -EMSGSIZE      answer over 64 MiB (a page of a Range is asked for again in smaller ones instead)
 *
 *   (1) what was sent may have been applied, as with -ECONNRESET
 *
 * etcd 3.4 and later. A name that is not an address is looked up in libuv's thread pool.
 *
 * Memory: what callbacks are given is borrowed for the duration of the callback.
 */
#ifndef SR_ETCD_H
#define SR_ETCD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct sr_etcd;
struct sr_etcd_watch;
struct sr_etcd_lease;

struct sr_bytes {
	const void *data;
	size_t len;
};
#define SR_BYTES(str) ((struct sr_bytes){(str), strlen(str)})

struct sr_etcd_config {
	const char *const *endpoints; /* "http://127.0.0.1:2379", "https://[::1]:2379"; copied */
	size_t n_endpoints;
	const char *ca_file, *cert_file, *key_file; /* PEM; NULL: the system's CAs, no client certificate */
	const char *user, *password;		    /* NULL: no authentication */
	unsigned int timeout_ms;		    /* of a call; 0: 5000 */
	/* Told when the connection comes (err 0) and goes (why, in words for a log); may be NULL. */
	void (*on_state)(void *ctx, int err, const char *text);
	void *ctx;
};

/*
 * -EINVAL: an endpoint that cannot be parsed, or TLS files that cannot be read; err says which. Does not wait. If the
 * process has left SIGPIPE to its default, it is ignored from here on.
 */
int sr_etcd_new(uv_loop_t *loop, const struct sr_etcd_config *config, struct sr_etcd **ret, char *err, size_t err_len);
/*
 * Ends all calls with -ECANCELED (their callbacks run before this returns), forgets watches and leases without revoking
 * them: no callback of theirs comes after this, and their owners free them, before or after. May be called from any
 * callback. From here on all functions return -ECANCELED. Handles close on the loop's next turns: run the loop once
 * more before closing it. Takes NULL.
 */
void sr_etcd_free(struct sr_etcd *etcd);
bool sr_etcd_connected(const struct sr_etcd *etcd);
/* The loop it was made on. */
uv_loop_t *sr_etcd_loop(const struct sr_etcd *etcd);

struct sr_etcd_kv {
	struct sr_bytes key, value;
	int64_t create_revision, mod_revision, version, lease;
};

/* Set err_text where err is not 0; never NULL then. */
struct sr_etcd_status {
	int err;
	const char *text;
	int64_t revision; /* of etcd's answer */
};

/* ---- Range */

struct sr_etcd_range {
	struct sr_bytes key;
	struct sr_bytes end; /* empty: that key only; see sr_etcd_prefix_end */
	int64_t revision;    /* 0: the newest */
	uint32_t page;	     /* keys asked for at a time; 0: 20000 */
	bool keys_only, serializable;
};

/*
 * A page of keys, in order; all pages come from one revision, that of the first. `more` is false on the last one (which
 * may be empty), or on failure, where n is 0. Every page that is read is delivered; a failure ends the call. A
 * page asked for on a connection that broke is asked for again (reads may be), until the call's timeout, which counts
 * from the last page.
 */
typedef void (*sr_etcd_range_cb)(void *ctx, const struct sr_etcd_status *status, const struct sr_etcd_kv *kvs, size_t n,
				 bool more);
int sr_etcd_range(struct sr_etcd *etcd, const struct sr_etcd_range *range, sr_etcd_range_cb cb, void *ctx);

/* ---- Put, Delete, Txn */

enum sr_etcd_compare_target { SR_ETCD_VERSION, SR_ETCD_CREATE, SR_ETCD_MOD, SR_ETCD_VALUE, SR_ETCD_LEASE };
enum sr_etcd_compare_result { SR_ETCD_EQUAL, SR_ETCD_GREATER, SR_ETCD_LESS, SR_ETCD_NOT_EQUAL };

struct sr_etcd_compare {
	enum sr_etcd_compare_target target;
	enum sr_etcd_compare_result result;
	struct sr_bytes key;
	struct sr_bytes end;   /* not empty: holds for every key of the range; VERSION 0 is then: there is none */
	int64_t number;	       /* for all targets but SR_ETCD_VALUE */
	struct sr_bytes value; /* for SR_ETCD_VALUE */
};

enum sr_etcd_op_kind { SR_ETCD_OP_PUT, SR_ETCD_OP_DELETE, SR_ETCD_OP_RANGE };

struct sr_etcd_op {
	enum sr_etcd_op_kind kind;
	struct sr_bytes key, end; /* end: for DELETE and RANGE */
	struct sr_bytes value;	  /* PUT */
	int64_t lease;		  /* PUT */
};

struct sr_etcd_txn {
	const struct sr_etcd_compare *compares;
	size_t n_compares;
	const struct sr_etcd_op *success;
	size_t n_success;
	const struct sr_etcd_op *failure;
	size_t n_failure;
};

/* What one operation of the branch taken gave: a RANGE its keys, a DELETE how many. */
struct sr_etcd_op_result {
	enum sr_etcd_op_kind kind;
	const struct sr_etcd_kv *kvs;
	size_t n_kvs;
	int64_t deleted;
};

typedef void (*sr_etcd_txn_cb)(void *ctx, const struct sr_etcd_status *status, bool succeeded,
			       const struct sr_etcd_op_result *results, size_t n);
/* The request is serialised before this returns. -EINVAL, -ENOMEM. */
int sr_etcd_txn(struct sr_etcd *etcd, const struct sr_etcd_txn *txn, sr_etcd_txn_cb cb, void *ctx);

typedef void (*sr_etcd_done_cb)(void *ctx, const struct sr_etcd_status *status);
int sr_etcd_put(struct sr_etcd *etcd, struct sr_bytes key, struct sr_bytes value, int64_t lease, sr_etcd_done_cb cb,
		void *ctx);
/* end empty: that key only. */
int sr_etcd_delete(struct sr_etcd *etcd, struct sr_bytes key, struct sr_bytes end, sr_etcd_done_cb cb, void *ctx);
/* Compacts up to the revision (tests, and whoever tends an etcd). */
int sr_etcd_compact(struct sr_etcd *etcd, int64_t revision, sr_etcd_done_cb cb, void *ctx);

/* ---- Lease */

/*
 * A lease that is kept alive for as long as the object lives, and granted anew when it was lost. `cb` is called with
 * its id each time a lease is granted (write what hangs on it again), and with id 0 when it is lost.
 */
typedef void (*sr_etcd_lease_cb)(void *ctx, int64_t id);
int sr_etcd_lease_new(struct sr_etcd *etcd, unsigned int ttl_s, sr_etcd_lease_cb cb, void *ctx,
		      struct sr_etcd_lease **ret);
/* Forgets it: etcd lets it expire. Takes NULL. */
void sr_etcd_lease_free(struct sr_etcd_lease *lease);
/*
 * Revokes it in etcd, which deletes its keys; cb may be NULL. The object is free'd in any case. -ENOMEM, -ECANCELED
 * (the client is free'd already): cb is not called, and the lease expires by itself.
 */
int sr_etcd_lease_revoke(struct sr_etcd_lease *lease, sr_etcd_done_cb cb, void *ctx);

/*
 * A lease that nobody keeps alive: keys put under it go after ttl_s seconds (etcd may have a least time of some). cb
 * gets its id, or 0 with an error.
 */
typedef void (*sr_etcd_grant_cb)(void *ctx, const struct sr_etcd_status *status, int64_t id);
int sr_etcd_grant(struct sr_etcd *etcd, unsigned int ttl_s, sr_etcd_grant_cb cb, void *ctx);

/* ---- Watch */

struct sr_etcd_event {
	bool deleted;
	struct sr_etcd_kv kv; /* for a deletion: key and mod_revision only */
};

/*
 * Events in order, whole revisions at a time, none twice, none missing, over any number of reconnects. A watch
 * that cannot go on, because its next revision was compacted (err -EKEYEXPIRED) or etcd refuses it (-EACCES, -EINVAL),
 * calls once with that error and n 0, and is dead: the owner frees it and starts over. `revision` is that up to which
 * the watcher now knows everything; it also comes without events (progress).
 */
typedef void (*sr_etcd_watch_cb)(void *ctx, const struct sr_etcd_status *status, const struct sr_etcd_event *events,
				 size_t n, int64_t revision);
/* From the revision on (inclusive; 0: from now). */
int sr_etcd_watch_new(struct sr_etcd *etcd, struct sr_bytes key, struct sr_bytes end, int64_t revision,
		      sr_etcd_watch_cb cb, void *ctx, struct sr_etcd_watch **ret);
/* No callback after this. May be called from its own callback. Takes NULL. */
void sr_etcd_watch_free(struct sr_etcd_watch *watch);

/*
 * The end of the range of all keys that begin with prefix: prefix with its last byte that is not 0xff raised by one.
 * Writes at most len bytes to buf, returns the length; 0 (all bytes 0xff) means to the end of all keys, for which etcd
 * takes a single NUL byte.
 */
size_t sr_etcd_prefix_end(const void *prefix, size_t len, void *buf);

#endif
