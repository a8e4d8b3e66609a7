// SPDX-License-Identifier: GPL-2.0-only
/*
 * Following a scope of the store: what is there, what happens then, over restarts and compaction of etcd; bad values;
 * and readers that lose interest in the middle of it. What the reader is told is written down line by line and
 * compared.
 */
#include "etcd/writing.h"
#include "store/keys.h"
#include "store/store.h"
#include "unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define ROOT "/srfabric/v1/clusters/east/"
#define VRF "vrf644606a29039"
#define ID "7c1ee6a4-2f0b-4c55-9d0e-3b7a61f0c9e8"
#define ID2 "00000000-2f0b-4c55-9d0e-3b7a61f0c9e8"

static struct server server;
static struct client *client;

/* What the reader is told, "begin nodes", "put node hv1", ...; `until` calls `act` when that line comes. */
struct tale {
	struct sr_store *store;
	char lines[4096][96];
	size_t n;
	const char *until;
	void (*act)(struct tale *tale);
	struct sr_scope scope;
	bool over; /* nothing may come any more */
	unsigned int begins, ends, puts, dels;
};

__attribute__((format(printf, 2, 3))) static void say(struct tale *tale, const char *format, ...)
{
	char *line = tale->lines[tale->n];
	va_list ap;

	assert_false(tale->over);
	assert_true(tale->n + 1 < ARRAY_SIZE(tale->lines));
	va_start(ap, format);
	vsnprintf(line, sizeof(tale->lines[0]), format, ap);
	va_end(ap);
	tale->n++;
	if (tale->until && !strncmp(line, tale->until, strlen(tale->until))) {
		tale->until = NULL;
		tale->over = true;
		tale->act(tale);
	}
}

static const char *scope_text(const struct sr_scope *scope)
{
	static const char *const kinds[] = {"nodes", "bindings", "vrf", "vrfs", "status"};
	static char text[96];

	snprintf(text, sizeof(text), "%s%s%s", kinds[scope->kind], *scope->name ? " " : "", scope->name);
	return text;
}

static const char *id_text(const struct sr_object_id *id)
{
	static const char *const kinds[] = {"node", "binding", "vrf", "port", "encap", "node-status", "port-status"};
	static char text[192];
	char uuid[SR_UUID_STRLEN];

	sr_uuid_format(&id->id, uuid);
	uuid[8] = '\0';
	snprintf(text, sizeof(text), "%s %s%s%s", kinds[id->kind], id->node, id->vrf,
		 strcmp(uuid, "00000000") != 0 || id->kind == SR_OBJECT_PORT ? uuid : "");
	return text;
}

static void on_begin(void *ctx, const struct sr_scope *scope)
{
	((struct tale *)ctx)->begins++;
	say(ctx, "begin %s", scope_text(scope));
}

static void on_put(void *ctx, const struct sr_scope *scope, const struct sr_object *object)
{
	(void)scope;
	((struct tale *)ctx)->puts++;
	assert_true(object->revision > 0);
	say(ctx, "put %s", id_text(&object->id));
}

static void on_del(void *ctx, const struct sr_scope *scope, const struct sr_object_id *id)
{
	(void)scope;
	((struct tale *)ctx)->dels++;
	say(ctx, "del %s", id_text(id));
}

static void on_keep(void *ctx, const struct sr_scope *scope, const struct sr_object_id *id)
{
	(void)scope;
	say(ctx, "keep %s", id_text(id));
}

static void on_end(void *ctx, const struct sr_scope *scope, int64_t revision)
{
	assert_true(revision > 0);
	((struct tale *)ctx)->ends++;
	say(ctx, "end %s", scope_text(scope));
}

static void on_batch(void *ctx, const struct sr_scope *scope, int64_t revision)
{
	(void)scope;
	assert_true(revision > 0);
	say(ctx, "batch");
}

static void on_problem(void *ctx, const char *key, const char *text)
{
	assert_true(*text);
	assert_memory_equal(key, ROOT, strlen(ROOT));
	say(ctx, "problem %s", key + strlen(ROOT));
}

static const struct sr_store_reader reader = {.begin = on_begin,
					      .put = on_put,
					      .del = on_del,
					      .keep = on_keep,
					      .end = on_end,
					      .batch = on_batch,
					      .problem = on_problem};

static int setup(void **state)
{
	struct tale *tale = calloc(1, sizeof(*tale));

	server_up(&server, 1, NULL);
	client = writer_new(&server);
	assert_int_equal(sr_store_new(client->etcd, "east", &reader, tale, &tale->store), 0);
	*state = tale;
	return 0;
}

static int teardown(void **state)
{
	struct tale *tale = *state;

	sr_store_free(tale->store);
	client_fini(client);
	free(client);
	free(tale);
	server_fini(&server);
	return 0;
}

static void subscribe(struct tale *tale, enum sr_scope_kind kind, const char *name)
{
	tale->scope = (struct sr_scope){.kind = kind};
	snprintf(tale->scope.name, sizeof(tale->scope.name), "%s", name);
	assert_int_equal(sr_store_subscribe(tale->store, &tale->scope), 0);
}

static bool told(const struct tale *tale, const char *line)
{
	return tale->n && !strcmp(tale->lines[tale->n - 1], line);
}

/* All lines since the last call, joined. */
static const char *heard(struct tale *tale)
{
	static char text[8192];
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < tale->n; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", i ? "; " : "", tale->lines[i]);
	tale->n = 0;
	return text;
}

static void put_node(struct client *c, const char *name, const char *locator)
{
	char key[128], value[128];

	snprintf(key, sizeof(key), ROOT "nodes/%s", name);
	snprintf(value, sizeof(value), "{\"name\":\"%s\",\"segment_node_id\":\"%s\"}", name, locator);
	assert_int_equal(client_put(c, key, value), 0);
}

#define VRF_VALUE(name)                                                                                                \
	"{\"vrf\":\"" name "\",\"project_id\":\"p\",\"network_id\":\"" ID                                              \
	"\",\"vrf_ip\":\"169.254.1.1\",\"vrf_cidr\":\"169.254.1.0/24\",\"subnets\":[]}"
#define PORT_VALUE(id, vrf)                                                                                            \
	"{\"id\":\"" id "\",\"project_id\":\"p\",\"network_id\":\"" ID "\",\"vrf\":\"" vrf                             \
	"\",\"vrf_ip\":\"169.254.1.1\",\"vrf_cidr\":\"169.254.1.0/24\",\"mac_address\":\"fa:16:3e:00:00:01\","         \
	"\"fixed_ips\":[]}"

static void what_is_there_and_then_what_happens(void **state)
{
	struct tale *tale = *state;

	put_node(client, "hv1", "c1::1");
	put_node(client, "hv2", "c1::2");
	subscribe(tale, SR_SCOPE_NODES, "");
	assert_int_equal(tale->n, 0);
	wait_for(client, tale->ends == 1);
	assert_string_equal(heard(tale), "begin nodes; put node hv1; put node hv2; end nodes");
	assert_int_equal(sr_store_subscribe(tale->store, &tale->scope), 0); /* again: nothing happens */
	put_node(client, "hv3", "c1::3");
	wait_for(client, told(tale, "batch"));
	assert_string_equal(heard(tale), "put node hv3; batch");
	assert_int_equal(client_delete(client, ROOT "nodes/hv1"), 0);
	wait_for(client, told(tale, "batch"));
	assert_string_equal(heard(tale), "del node hv1; batch");
	assert_int_equal(client_put(client, ROOT "other/x", "y"), 0);
	run_for(&client->loop, 50);
	assert_int_equal(tale->n, 0);
}

static void an_empty_scope_has_an_end_too(void **state)
{
	struct tale *tale = *state;

	subscribe(tale, SR_SCOPE_BINDINGS, "hv1");
	wait_for(client, tale->ends == 1);
	assert_string_equal(heard(tale), "begin bindings hv1; end bindings hv1");
}

static void each_scope_holds_its_own(void **state)
{
	static const struct {
		const char *key, *value;
	} keys[] = {
		{"vrfs/" VRF "/info", VRF_VALUE(VRF)},
		{"vrfs/" VRF "/ports/" ID, PORT_VALUE(ID, VRF)},
		{"vrfs/vrfother/info", VRF_VALUE("vrfother")},
		{"bindings/hv1/" ID, "{\"vrf\":\"" VRF "\"}"},
		{"bindings/hv10/" ID, "{\"vrf\":\"" VRF "\"}"},
		{"vrf_ips/169.254.1.1", "{}"},
		{"vrfs/" VRF "/later/thing", "{}"},
	};
	static const struct {
		enum sr_scope_kind kind;
		const char *name, *tale;
	} cases[] = {
		{SR_SCOPE_VRF, VRF, "begin vrf " VRF "; put vrf " VRF "; put port " VRF "7c1ee6a4; end vrf " VRF},
		{SR_SCOPE_VRFS, "",
		 "begin vrfs; put vrf " VRF "; put port " VRF "7c1ee6a4; put vrf vrfother; end vrfs"},
		{SR_SCOPE_BINDINGS, "hv1", "begin bindings hv1; put binding hv17c1ee6a4; end bindings hv1"},
		{SR_SCOPE_STATUS, "", "begin status; end status"},
	};
	struct tale *tale = *state;
	char key[160];

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		snprintf(key, sizeof(key), ROOT "%s", keys[i].key);
		assert_int_equal(client_put(client, key, keys[i].value), 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		unsigned int ends = tale->ends;

		sr_case("%s", cases[i].tale);
		subscribe(tale, cases[i].kind, cases[i].name);
		wait_for(client, tale->ends > ends);
		/* Only ids of VRFs have no id to show. */
		assert_string_equal(heard(tale), cases[i].tale);
	}
	assert_int_equal(sr_store_subscribe(tale->store, &(struct sr_scope){.kind = SR_SCOPE_VRF, .name = "a/b"}),
			 -EINVAL);
}

static void bad_ones_are_reported_once_and_kept(void **state)
{
	static const struct {
		const char *key, *value;
	} bad[] = {
		{"nodes/hv1", "{"},
		{"nodes/hv2", "{\"name\":\"hv3\",\"segment_node_id\":\"c1::2\"}"},
		{"nodes/.x", "{}"},
	};
	struct tale *tale = *state;
	size_t len = (size_t)300 * 1024;
	char *big = malloc(len), key[96];
	struct done done = {};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(key, sizeof(key), ROOT "%s", bad[i].key);
		assert_int_equal(client_put(client, key, bad[i].value), 0);
	}
	memset(big, ' ', len);
	sr_etcd_put(client->etcd, SR_BYTES(ROOT "nodes/hv4"), (struct sr_bytes){big, len}, 0, on_done, &done);
	free(big);
	wait_for(client, done.done);
	put_node(client, "hv5", "c1::5");
	subscribe(tale, SR_SCOPE_NODES, "");
	wait_for(client, tale->ends == 1);
	assert_string_equal(heard(tale),
			    "begin nodes; problem nodes/.x; problem nodes/hv1; keep node hv1; problem nodes/hv2; "
			    "keep node hv2; problem nodes/hv4; keep node hv4; put node hv5; end nodes");
	/* Read anew they are kept, and not reported again. */
	sr_store_unsubscribe(tale->store, &tale->scope);
	subscribe(tale, SR_SCOPE_NODES, "");
	wait_for(client, tale->ends == 2);
	assert_string_equal(heard(tale),
			    "begin nodes; keep node hv1; keep node hv2; keep node hv4; put node hv5; end nodes");
	/* An event: the object stays as it was. A later revision is reported by itself; a good one is told. */
	assert_int_equal(client_put(client, ROOT "nodes/hv5", "[]"), 0);
	wait_for(client, told(tale, "batch"));
	assert_string_equal(heard(tale), "problem nodes/hv5; batch");
	assert_int_equal(client_put(client, ROOT "nodes/hv5", "[]"), 0);
	wait_for(client, told(tale, "batch"));
	assert_string_equal(heard(tale), "problem nodes/hv5; batch");
	put_node(client, "hv5", "c1::5");
	wait_for(client, told(tale, "batch"));
	assert_string_equal(heard(tale), "put node hv5; batch");
	/* A bad one that goes is gone. */
	assert_int_equal(client_delete(client, ROOT "nodes/hv1"), 0);
	wait_for(client, told(tale, "batch"));
	assert_string_equal(heard(tale), "del node hv1; batch");
}

static void compact(struct client *c)
{
	struct done done = {};

	assert_int_equal(sr_etcd_compact(c->etcd, client_revision(c), on_done, &done), 0);
	wait_for(c, done.done);
	assert_int_equal(done.err, 0);
}

static void restart(struct client *writer)
{
	unsigned int downs = writer->downs;

	server_kill(&server, 0);
	wait_for(writer, writer->downs > downs);
	server_start(&server, 0);
}

static void a_restart_of_etcd_is_not_told(void **state)
{
	struct tale *tale = *state;
	struct client writer;

	put_node(client, "hv1", "c1::1");
	subscribe(tale, SR_SCOPE_NODES, "");
	wait_for(client, tale->ends == 1);
	heard(tale);
	client_init(&writer, &server);
	put_node(&writer, "hv0", "c1::8");
	for (unsigned int i = 0; i < 3; i++) {
		restart(&writer);
		put_node(&writer, "hv2", "c1::2");
		assert_int_equal(client_delete(&writer, ROOT "nodes/hv2"), 0);
	}
	put_node(&writer, "hv9", "c1::9");
	wait_for(client, tale->n && strstr(tale->lines[tale->n - 1], "batch") && tale->puts == 6);
	assert_int_equal(tale->begins, 1);
	client_fini(&writer);
}

/* What vanished while the follower could not see it is not put again: that is how its reader knows. */
static void after_a_compaction_all_is_read_again(void **state)
{
	struct tale *tale = *state;
	struct client writer;

	put_node(client, "hv1", "c1::1");
	put_node(client, "hv2", "c1::2");
	assert_int_equal(client_put(client, ROOT "nodes/hv3", "bad"), 0);
	subscribe(tale, SR_SCOPE_NODES, "");
	wait_for(client, tale->ends == 1);
	heard(tale);
	client_init(&writer, &server);
	restart(&writer);
	assert_int_equal(client_delete(&writer, ROOT "nodes/hv1"), 0);
	put_node(&writer, "hv4", "c1::4");
	compact(&writer);
	wait_for(client, tale->ends == 2);
	assert_string_equal(heard(tale), "begin nodes; put node hv2; keep node hv3; put node hv4; end nodes");
	put_node(&writer, "hv5", "c1::5");
	wait_for(client, told(tale, "batch"));
	assert_string_equal(heard(tale), "put node hv5; batch");
	client_fini(&writer);
}

static void nothing_is_told_while_etcd_is_away(void **state)
{
	struct tale *tale = *state;
	struct sr_etcd_config impatient = {.timeout_ms = 300};
	struct client c;

	put_node(client, "hv1", "c1::1");
	server_kill(&server, 0);
	sr_store_free(tale->store);
	client_init_with(&c, &server, impatient);
	assert_int_equal(sr_store_new(c.etcd, "east", &reader, tale, &tale->store), 0);
	subscribe(tale, SR_SCOPE_NODES, "");
	run_for(&c.loop, 1500); /* several reads come to nothing */
	assert_int_equal(tale->n, 0);
	server_start(&server, 0);
	wait_for(&c, tale->ends == 1);
	assert_string_equal(heard(tale), "begin nodes; put node hv1; end nodes");
	sr_store_free(tale->store);
	tale->store = NULL;
	client_fini(&c);
}

static void unsubscribe_now(struct tale *tale)
{
	sr_store_unsubscribe(tale->store, &tale->scope);
}

static void free_now(struct tale *tale)
{
	sr_store_free(tale->store);
	tale->store = NULL;
}

static void readers_may_leave_at_any_line(void **state)
{
	static const char *const lines[] = {"begin", "put", "keep", "end", "del", "batch", "problem"};
	static void (*const acts[])(struct tale *) = {unsubscribe_now, free_now};
	struct tale *tale = *state;

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(acts); j++) {
			sr_case("%s, %s", lines[i], j ? "free" : "unsubscribe");
			sr_store_free(tale->store);
			memset(tale, 0, sizeof(*tale));
			assert_int_equal(sr_store_new(client->etcd, "east", &reader, tale, &tale->store), 0);
			tale->until = lines[i];
			tale->act = acts[j];
			assert_int_equal(client_put(client, ROOT "nodes/hv0", "bad"), 0);
			put_node(client, "hv1", "c1::1");
			put_node(client, "hv2", "c1::2");
			subscribe(tale, SR_SCOPE_NODES, "");
			run_for(&client->loop, 100);
			for (unsigned int k = 0; k < 100 && !tale->over; k++) {
				assert_int_equal(client_delete(client, ROOT "nodes/hv1"), 0);
				put_node(client, "hv1", "c1::1");
			}
			assert_true(tale->over);
			run_for(&client->loop, 20);
		}
	}
}

static void a_hundred_at_once(void **state)
{
	enum { N = 100 };
	struct tale *tale = *state;
	char key[96], value[256], name[16];

	for (unsigned int i = 0; i < N; i++) {
		snprintf(key, sizeof(key), ROOT "vrfs/vrf%u/info", i);
		snprintf(value, sizeof(value), VRF_VALUE("vrf%u"), i);
		assert_int_equal(client_put(client, key, value), 0);
	}
	for (unsigned int i = 0; i < N; i++) {
		snprintf(name, sizeof(name), "vrf%u", i);
		subscribe(tale, SR_SCOPE_VRF, name);
		if (i % 4 == 0) /* before its read has begun, or while it is under way */
			sr_store_unsubscribe(tale->store, &tale->scope);
	}
	wait_for(client, tale->ends == N - N / 4);
	run_for(&client->loop, 50);
	assert_int_equal(tale->begins, N - N / 4);
	assert_int_equal(tale->puts, N - N / 4);
	for (unsigned int i = 0; i < N; i++) {
		snprintf(key, sizeof(key), ROOT "vrfs/vrf%u/info", i);
		assert_int_equal(client_delete(client, key), 0);
	}
	wait_for(client, tale->dels >= N - N / 4);
	run_for(&client->loop, 50);
	assert_int_equal(tale->dels, N - N / 4);
	assert_string_equal(tale->lines[tale->n - 1], "batch");
	for (size_t i = 0; i < tale->n; i++) /* who left is not told */
		assert_string_not_equal(tale->lines[i], "del vrf vrf0");
}

static void a_store_that_is_free_d_with_reads_under_way(void **state)
{
	struct tale *tale = *state;

	for (unsigned int ms = 0; ms < 8; ms++) {
		subscribe(tale, SR_SCOPE_NODES, "");
		subscribe(tale, SR_SCOPE_VRFS, "");
		run_for(&client->loop, ms / 2);
		sr_store_free(tale->store);
		tale->n = 0;
		assert_int_equal(sr_store_new(client->etcd, "east", &reader, tale, &tale->store), 0);
	}
	assert_int_equal(sr_store_new(client->etcd, "no/name", &reader, tale, &tale->store), -EINVAL);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(what_is_there_and_then_what_happens),
		CASE(an_empty_scope_has_an_end_too),
		CASE(each_scope_holds_its_own),
		CASE(bad_ones_are_reported_once_and_kept),
		CASE(a_restart_of_etcd_is_not_told),
		CASE(after_a_compaction_all_is_read_again),
		CASE(nothing_is_told_while_etcd_is_away),
		CASE(readers_may_leave_at_any_line),
		CASE(a_hundred_at_once),
		CASE(a_store_that_is_free_d_with_reads_under_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
