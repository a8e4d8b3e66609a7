/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * store/write_txn.h - inside write.h: what all writes have in common.
 *
 * A write goes in rounds. A round reads what the change depends on (one transaction of ranges, so all of one revision;
 * then, if asked for, the keys of a prefix that may be long), computes the change, and sends it with comparisons that
 * hold only if nothing of that has changed. If they do not hold another was faster, and the next round begins.
 *
 *           +------------------------------- next round <-----------------------+
 *           v                                                                   |
 *   ask -> Txn(ranges) -> read -> [Range(keys) -> key ...] -> build -> Txn -----+--> done
 *                                                               |
 *                                                               +--> done: nothing to do, or an error
 *
 * Of those who collide in a round one gets through, and who picks out of many (addresses) picks at random from the
 * second round on, in a window that doubles (sr_write_skip), so 64 who start at once are through after half a dozen
 * rounds. SR_WRITE_ROUNDS is some times that; who is not through then is told -EAGAIN rather than kept waiting.
 *
 * A transaction whose outcome is unknown has a witness: a key and the value that it gets (or its absence). The next
 * round reads it too; if it is so, the write is done. If not it was not applied, or undone since, and the round goes
 * on; what was picked is kept then if it is still free (`unsure`), so that a transaction that etcd applies late after
 * all is the same as the one that is sent again, and only one of them holds.
 *
 * Each kind of write embeds struct sr_write as its first member and is free'd by it after the callback.
 */
#ifndef SR_STORE_WRITE_TXN_H
#define SR_STORE_WRITE_TXN_H

#include "store/keys.h"
#include "store/write.h"

#define SR_WRITE_ROUNDS 16
#define SR_WRITE_READS_MAX 24 /* a port with SR_PORT_ADDRS_MAX addresses; the names that a network may get */
#define SR_WRITE_OPS_MAX 48   /* a port with SR_PORT_ADDRS_MAX addresses, and room; etcd takes 128 */
#define SR_WRITE_DONE 1	      /* from build: there is nothing to write */
#define SR_WRITE_AGAIN 2      /* from build: something else is to be read first */

struct sr_write;

struct sr_write_kind {
	size_t size; /* of what embeds struct sr_write */
	/* Adds what is to be read, by sr_write_want. Results come in that order. */
	int (*ask)(struct sr_write *w);
	/* Takes over what was found. May call sr_write_scan. Negative: the write ends with it. */
	int (*read)(struct sr_write *w, const struct sr_etcd_op_result *found);
	/* One key of the scan, what follows its prefix; may be NULL. */
	void (*key)(struct sr_write *w, struct sr_bytes rest);
	/* Adds comparisons and operations; 0: send them, SR_WRITE_DONE, SR_WRITE_AGAIN, or negative. */
	int (*build)(struct sr_write *w);
	/* It was written (or is so already): sets result's object. May be NULL. */
	void (*result)(struct sr_write *w, struct sr_write_result *result);
	/* Frees what it owns beyond the struct. May be NULL. */
	void (*fini)(struct sr_write *w);
};

struct sr_write {
	const struct sr_write_kind *kind;
	struct sr_etcd *etcd;
	char cluster[SR_NAME_SIZE];
	sr_write_cb cb;
	void *ctx;
	unsigned int round;
	bool unsure;	      /* a transaction was sent of which we do not know whether it was applied; stays so */
	unsigned int grant_s; /* set before the start: a lease of so many seconds is had before the first round */
	int64_t lease;
	int err; /* what a function below came to: -ENOMEM, -EINVAL */
	char text[512];

	/* The round's transaction. Keys and values are strings of `texts`. */
	struct sr_write_text *texts;
	struct sr_etcd_op reads[SR_WRITE_READS_MAX];
	struct sr_etcd_compare compares[SR_WRITE_OPS_MAX];
	struct sr_etcd_op ops[SR_WRITE_OPS_MAX];
	size_t n_reads, n_compares, n_ops;
	struct sr_bytes scan, scan_end;

	char *witness_key, *witness_value; /* owned; value NULL: it is to be gone */
};

/*
 * Makes one, zeroed beyond its head. -EINVAL: not the name of a cluster. Then set its own members and sr_write_start,
 * or sr_write_free.
 */
int sr_write_new(const struct sr_write_kind *kind, struct sr_etcd *etcd, const char *cluster, sr_write_cb cb, void *ctx,
		 void *ret);
/* Frees it on failure. */
int sr_write_start(struct sr_write *w);
void sr_write_free(struct sr_write *w);

/* Writes the sentence, returns err. */
__attribute__((format(printf, 3, 4))) int sr_write_fail(struct sr_write *w, int err, const char *format, ...);

/*
 * What follows adds to the round and keeps copies; a failure (-ENOMEM) is kept in w->err and ends the write when the
 * hook returns. Keys are NUL-terminated.
 */
void sr_write_want(struct sr_write *w, const char *key);
void sr_write_scan(struct sr_write *w, const char *prefix);

/* If the key is as it was read: its mod_revision, 0 if it was not there. */
void sr_write_if_unchanged(struct sr_write *w, const char *key, int64_t mod_revision);
/* If it is the same object (which may have been changed): its create_revision. */
void sr_write_if_same(struct sr_write *w, const char *key, int64_t create_revision);
/* If no key begins with the prefix. */
void sr_write_if_none(struct sr_write *w, const char *prefix);
void sr_write_put(struct sr_write *w, const char *key, const char *value);
/* Under the write's lease: it goes by itself. */
void sr_write_put_leased(struct sr_write *w, const char *key, const char *value);
void sr_write_del(struct sr_write *w, const char *key);
void sr_write_del_prefix(struct sr_write *w, const char *prefix);
/* value NULL: it is to be gone. */
void sr_write_witness(struct sr_write *w, const char *key, const char *value);

/* Takes over text from malloc (NULL: no memory), for as long as the round lasts. Returns it, "" for NULL. */
const char *sr_write_own(struct sr_write *w, char *text);

/*
 * The value to put where `found` stands (NULL: nothing that can be read), with the fields in it that we do not know.
 * known: what we understood of it, encoded again; wanted: what is to be. Both are taken over. Lasts as long as the
 * round.
 */
const char *sr_write_merged(struct sr_write *w, const char *found, char *known, char *wanted);
/* A copy of a value as text, for as long as the round lasts. */
const char *sr_write_keep(struct sr_write *w, struct sr_bytes value);

/* How many free ones to leave to others: none in the first round, then by chance out of a window that doubles. */
size_t sr_write_skip(const struct sr_write *w);

/* The one key that a want found, or NULL. */
static inline const struct sr_etcd_kv *sr_write_found(const struct sr_etcd_op_result *result)
{
	return result->n_kvs ? &result->kvs[0] : NULL;
}

#endif
