/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cli/sync.h - calls of etcd/ and store/ that wait for their end.
 */
#ifndef SR_CLI_SYNC_H
#define SR_CLI_SYNC_H

#include "cli/cli.h"
#include "store/write.h"

/* Connects unless that was done. Does not wait. Says what is wrong and returns false. */
bool cli_connect(struct cli *cli);
void cli_disconnect(struct cli *cli);
/* Runs the loop until *done. */
void cli_wait(struct cli *cli, const bool *done);

/*
 * A range of keys, read at cli->revision; the first call of a process sets it. cb for each page. Says what is wrong and
 * returns false.
 */
typedef void (*cli_page_cb)(void *ctx, const struct sr_etcd_kv *kvs, size_t n);
bool cli_range(struct cli *cli, struct sr_bytes key, struct sr_bytes end, cli_page_cb cb, void *ctx);
bool cli_range_prefix(struct cli *cli, const char *prefix, cli_page_cb cb, void *ctx);

/* A write: give cli_on_written and one of these to it, and what it returned to cli_written. */
struct cli_outcome {
	/* The object written, as text for free(). NULL: nobody asks. */
	char *(*encode)(const struct sr_write_result *result);
	bool done;
	int err;
	char text[512];
	char *value; /* for free() */
};
void cli_on_written(void *outcome, const struct sr_write_result *result);
/* Waits. Says what is wrong and returns false. */
bool cli_written(struct cli *cli, int started, struct cli_outcome *outcome);

#endif
