// SPDX-License-Identifier: GPL-2.0-only
#include "etcd/writing.h"
#include "unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

void on_written(void *written, const struct sr_write_result *result)
{
	struct written *w = written;

	assert_false(w->done);
	w->done = true;
	w->err = result->err;
	snprintf(w->text, sizeof(w->text), "%s", result->text);
	assert_int_equal(result->err != 0, w->text[0] != '\0');
	if (result->err)
		assert_null(result->node);
	else if (w->what == WROTE_NODE)
		w->node = *result->node;
	else if (w->what == WROTE_VRF)
		w->vrf = *result->vrf;
	else if (w->what == WROTE_PORT)
		w->port = *result->port;
	else if (w->what == WROTE_CIDR)
		w->cidr = *result->vrf_cidr;
}

struct client *writer_new(const struct server *server)
{
	struct client *client = calloc(1, sizeof(*client));

	assert_non_null(client);
	client_init(client, server);
	return client;
}

void writer_free(struct client *client)
{
	struct done done = {};

	assert_int_equal(sr_etcd_delete(client->etcd, SR_BYTES("/"), SR_BYTES("0"), on_done, &done), 0);
	assert_true(run_until(&client->loop, &done.done, CALL_MS));
	client_fini(client);
	free(client);
}

int written(struct client *client, int started, struct written *w)
{
	if (started < 0)
		return started;
	assert_true(run_until(&client->loop, &w->done, CALL_MS));
	return w->err;
}

char *client_value(struct client *client, const char *key)
{
	struct kvs kvs = client_range(client, &(struct sr_etcd_range){.key = SR_BYTES(key)});
	char *value;

	assert_int_equal(kvs.err, 0);
	value = strdup(kvs.n ? kvs.list[0].value : "");
	kvs_fini(&kvs);
	return value;
}

size_t client_count(struct client *client, const char *prefix)
{
	struct kvs kvs = client_list(client, prefix);
	size_t n = kvs.n;

	assert_int_equal(kvs.err, 0);
	kvs_fini(&kvs);
	return n;
}
