/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/sync.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENDPOINTS_MAX 16
#define SECRET_MAX 512

/* ---- the connection */

static void on_state(void *ctx, int err, const char *text)
{
	struct cli *cli = ctx;

	snprintf(cli->trouble, sizeof(cli->trouble), "%s", err ? text : "");
}

/* The first line of the file. */
static bool read_secret(const char *path, char buf[static SECRET_MAX])
{
	FILE *file = fopen(path, "re");
	bool ok = file && fgets(buf, SECRET_MAX, file);

	if (ok)
		buf[strcspn(buf, "\r\n")] = '\0';
	else
		cli_fail("cannot read the password from %s: %s.", path, file ? "it is empty" : strerror(errno));
	if (file)
		fclose(file);
	return ok;
}

static size_t split(char *text, const char **ret, size_t max)
{
	size_t n = 0;
	char *rest = text, *word;

	while ((word = strsep(&rest, ",")) && n < max)
		if (*word)
			ret[n++] = word;
	return n;
}

bool cli_connect(struct cli *cli)
{
	const char *endpoints[ENDPOINTS_MAX];
	char secret[SECRET_MAX] = "", err[256] = "";
	struct sr_etcd_config config = {.endpoints = endpoints,
					.ca_file = cli->ca_file,
					.cert_file = cli->cert_file,
					.key_file = cli->key_file,
					.user = cli->user,
					.on_state = on_state,
					.ctx = cli};
	char *text;
	int r;

	if (cli->etcd)
		return true;
	if (cli->user && !read_secret(cli->password_file, secret))
		return false;
	config.password = cli->user ? secret : NULL;
	text = strdup(cli->endpoints);
	config.n_endpoints = text ? split(text, endpoints, ENDPOINTS_MAX) : 0;
	r = uv_loop_init(&cli->loop);
	if (r == 0) {
		r = sr_etcd_new(&cli->loop, &config, &cli->etcd, err, sizeof(err));
		if (r < 0)
			uv_loop_close(&cli->loop);
	}
	explicit_bzero(secret, sizeof(secret));
	free(text);
	if (r < 0)
		cli_fail("cannot use etcd at %s: %s.", cli->endpoints, err[0] ? err : strerror(-r));
	return r == 0;
}

void cli_disconnect(struct cli *cli)
{
	if (!cli->etcd)
		return;
	sr_etcd_free(cli->etcd);
	cli->etcd = NULL;
	uv_run(&cli->loop, UV_RUN_DEFAULT);
	uv_loop_close(&cli->loop);
}

void cli_wait(struct cli *cli, const bool *done)
{
	while (!*done && uv_run(&cli->loop, UV_RUN_ONCE))
		;
}

/* Why etcd did not answer is better said by the connection than by the call. */
static void say_etcd(const struct cli *cli, int err, const char *text)
{
	cli_fail("etcd at %s: %s.", cli->endpoints,
		 err == -ETIMEDOUT && cli->trouble[0] ? cli->trouble
		 : text[0]			      ? text
						      : strerror(-err));
}

/* ---- reading */

struct range {
	struct cli *cli;
	cli_page_cb cb;
	void *ctx;
	bool done;
	int err;
	char text[256];
};

static void on_page(void *ctx, const struct sr_etcd_status *status, const struct sr_etcd_kv *kvs, size_t n, bool more)
{
	struct range *r = ctx;

	if (status->err) {
		r->err = status->err;
		snprintf(r->text, sizeof(r->text), "%s", status->text);
	} else {
		if (!r->cli->revision)
			r->cli->revision = status->revision;
		r->cb(r->ctx, kvs, n);
	}
	r->done = !more;
}

bool cli_range(struct cli *cli, struct sr_bytes key, struct sr_bytes end, cli_page_cb cb, void *ctx)
{
	struct sr_etcd_range range = {.key = key, .end = end, .revision = cli->revision};
	struct range r = {.cli = cli, .cb = cb, .ctx = ctx};

	if (!cli_connect(cli))
		return false;
	r.err = sr_etcd_range(cli->etcd, &range, on_page, &r);
	if (!r.err)
		cli_wait(cli, &r.done);
	if (r.err)
		say_etcd(cli, r.err, r.text);
	return !r.err;
}

bool cli_range_prefix(struct cli *cli, const char *prefix, cli_page_cb cb, void *ctx)
{
	char end[256];
	size_t len = strlen(prefix);

	return cli_range(cli, (struct sr_bytes){prefix, len},
			 (struct sr_bytes){end, sr_etcd_prefix_end(prefix, len, end)}, cb, ctx);
}

/* ---- writing */

void cli_on_written(void *outcome, const struct sr_write_result *result)
{
	struct cli_outcome *o = outcome;

	o->done = true;
	o->err = result->err;
	snprintf(o->text, sizeof(o->text), "%s", result->text);
	if (!result->err && o->encode)
		o->value = o->encode(result);
}

bool cli_written(struct cli *cli, int started, struct cli_outcome *outcome)
{
	if (started == 0)
		cli_wait(cli, &outcome->done);
	else
		outcome->err = started;
	if (outcome->err == -ETIMEDOUT && cli->trouble[0])
		say_etcd(cli, outcome->err, outcome->text);
	else if (outcome->err)
		cli_fail("%s", outcome->text[0] ? outcome->text : strerror(-outcome->err));
	return outcome->err == 0;
}
