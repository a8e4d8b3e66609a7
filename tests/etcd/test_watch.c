// SPDX-License-Identifier: GPL-2.0-only
/*
 * Watches: in order, whole revisions, none twice and none missing, over restarts of etcd and compaction. Each test has
 * an etcd of its own, as most of them kill it.
 */
#include "etcd/sync.h"
#include "unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

static struct server server;

static int setup(void **state)
{
	struct client *client = calloc(1, sizeof(*client));

	server_up(&server, 1, NULL);
	client_init(client, &server);
	*state = client;
	return 0;
}

static int teardown(void **state)
{
	client_fini(*state);
	free(*state);
	server_fini(&server);
	return 0;
}

/* The writer is told that its connection broke, so that it does not send into it. */
static void restart(struct client *writer)
{
	unsigned int downs = writer->downs;

	server_kill(&server, 0);
	wait_for(writer, writer->downs > downs);
	server_start(&server, 0);
}

static void put_number(struct client *c, const char *prefix, unsigned int i)
{
	char key[64], value[16];

	snprintf(key, sizeof(key), "%s%03u", prefix, i % 7);
	snprintf(value, sizeof(value), "%u", i);
	assert_int_equal(client_put(c, key, value), 0);
}

/* Lines first, first + 1, ... of put_number. */
static void assert_numbers(const struct log *log, const char *prefix, unsigned int first, unsigned int n)
{
	char want[96];

	assert_int_equal(log->n, n);
	for (unsigned int i = 0; i < n; i++) {
		snprintf(want, sizeof(want), "+%s%03u=%u@", prefix, (first + i) % 7, first + i);
		assert_memory_equal(log->lines[i], want, strlen(want));
	}
	assert_false(log->disorder);
}

static void events_as_they_happen(void **state)
{
	struct client *c = *state;
	struct log log;
	char want[64];

	log_watch(c, &log, "w/", 0);
	wait_for(c, log.calls == 1); /* created: tells up to where all is known */
	assert_int_equal(log.n, 0);
	assert_int_equal(log.revision, client_revision(c));
	assert_int_equal(client_put(c, "w/a", "1"), 0);
	assert_int_equal(client_put(c, "x/a", "1"), 0);
	assert_int_equal(client_delete(c, "w/a"), 0);
	wait_for(c, log.n == 2);
	assert_int_equal(log.revision, client_revision(c));
	snprintf(want, sizeof(want), "+w/a=1@%lld", (long long)log.revision - 2);
	assert_string_equal(log.lines[0], want);
	snprintf(want, sizeof(want), "-w/a@%lld", (long long)log.revision);
	assert_string_equal(log.lines[1], want);
	log_fini(&log);
}

static void from_a_revision_of_the_past_and_of_the_future(void **state)
{
	struct client *c = *state;
	struct log past, future;
	int64_t rev;

	for (unsigned int i = 0; i < 20; i++)
		put_number(c, "w/", i);
	rev = client_revision(c);
	log_watch(c, &past, "w/", rev - 9);
	log_watch(c, &future, "w/", rev + 1);
	wait_for(c, past.n == 10);
	put_number(c, "w/", 20);
	wait_for(c, past.n == 11 && future.n == 1);
	assert_numbers(&past, "w/", 10, 11);
	assert_numbers(&future, "w/", 20, 1);
	log_fini(&past);
	log_fini(&future);
}

static void ranges_that_hold_nothing_are_refused(void **state)
{
	static const struct {
		const char *key, *end;
		int64_t revision;
		int err;
	} cases[] = {{"", "a", 0, -EINVAL},   {"b", "a", 0, -EINVAL}, {"b", "b", 0, -EINVAL}, {"ba", "b", 0, -EINVAL},
		     {"b", "c", -1, -EINVAL}, {"b", "ba", 0, 0},      {"b", "", 0, 0}};
	struct client *c = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sr_etcd_watch *watch = NULL;

		sr_case("row %zu", i);
		assert_int_equal(sr_etcd_watch_new(c->etcd, SR_BYTES(cases[i].key), SR_BYTES(cases[i].end),
						   cases[i].revision, NULL, NULL, &watch),
				 cases[i].err);
		assert_int_equal(!watch, cases[i].err != 0);
		sr_etcd_watch_free(watch);
	}
}

static void many_watches_on_one_stream(void **state)
{
	enum { N = 300 };
	struct client *c = *state;
	struct log *logs = calloc(N, sizeof(*logs));
	char key[32];

	for (unsigned int i = 0; i < N; i++) {
		snprintf(key, sizeof(key), "many/%03u/", i);
		log_watch(c, &logs[i], key, 0);
	}
	for (unsigned int i = 0; i < N; i++)
		wait_for(c, logs[i].calls == 1);
	/* Every third goes away. */
	for (unsigned int i = 0; i < N; i += 3)
		sr_etcd_watch_free(logs[i].watch);
	for (unsigned int i = 0; i < N; i++) {
		snprintf(key, sizeof(key), "many/%03u/", i);
		put_number(c, key, i);
	}
	for (unsigned int i = 0; i < N; i++) {
		snprintf(key, sizeof(key), "many/%03u/", i);
		if (i % 3)
			wait_for(c, logs[i].n == 1);
		assert_numbers(&logs[i], key, i, i % 3 ? 1 : 0);
		if (i % 3 == 0)
			logs[i].watch = NULL;
		log_fini(&logs[i]);
	}
	free(logs);
}

static void none_missing_and_none_twice_over_restarts(void **state)
{
	struct client *c = *state, writer;
	struct log a, b;
	unsigned int n = 0;

	client_init(&writer, &server);
	log_watch(c, &a, "w/", 0);
	log_watch(c, &b, "w/", 1);
	wait_for(c, a.calls == 1);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 50; i++)
			put_number(&writer, "w/", n++);
		/* The watcher's loop has not run: part of this is in its sockets, and lost with them. */
		restart(&writer);
		for (int i = 0; i < 50; i++)
			put_number(&writer, "w/", n++);
	}
	wait_for(c, a.n >= n && b.n >= n);
	run_for(&c->loop, 50);
	assert_numbers(&a, "w/", 0, n);
	assert_numbers(&b, "w/", 0, n);
	assert_true(c->downs >= 1);
	log_fini(&a);
	log_fini(&b);
	client_fini(&writer);
}

static void compact(struct client *c, int64_t revision)
{
	struct done done = {};

	assert_int_equal(sr_etcd_compact(c->etcd, revision, on_done, &done), 0);
	assert_true(run_until(&c->loop, &done.done, CALL_MS));
	assert_int_equal(done.err, 0);
}

static void a_compacted_start_ends_the_watch(void **state)
{
	struct client *c = *state;
	struct log log, other;

	for (unsigned int i = 0; i < 10; i++)
		put_number(c, "w/", i);
	compact(c, client_revision(c));
	log_watch(c, &other, "w/", 0);
	log_watch(c, &log, "w/", 2);
	wait_for(c, log.err);
	assert_int_equal(log.err, -EKEYEXPIRED);
	assert_int_equal(log.n, 0);
	/* The others on the stream go on; the dead one says no more. */
	put_number(c, "w/", 10);
	wait_for(c, other.n == 1);
	assert_int_equal(log.calls, 1);
	log_fini(&log);
	log_fini(&other);
}

/* Compacted while the watcher was cut off: it cannot know what it missed. */
static void compaction_under_a_watcher(void **state)
{
	struct client *c = *state, writer;
	struct log log, early;

	client_init(&writer, &server);
	log_watch(c, &log, "w/", 0);
	wait_for(c, log.calls == 1);
	put_number(&writer, "w/", 0);
	wait_for(c, log.n == 1);
	restart(&writer);
	for (unsigned int i = 1; i < 10; i++)
		put_number(&writer, "w/", i);
	compact(&writer, client_revision(&writer));
	wait_for(c, log.err);
	assert_int_equal(log.err, -EKEYEXPIRED);
	assert_int_equal(log.n, 1);
	/* One that knows everything up to the compaction is not concerned. */
	log_watch(c, &early, "w/", client_revision(&writer) + 1);
	put_number(&writer, "w/", 10);
	wait_for(c, early.n == 1);
	compact(&writer, client_revision(&writer));
	put_number(&writer, "w/", 11);
	wait_for(c, early.n == 2);
	assert_numbers(&early, "w/", 10, 2);
	log_fini(&log);
	log_fini(&early);
	client_fini(&writer);
}

/* 100 keys of 100 kB in two transactions: etcd sends the revision in fragments, it comes as a whole. */
static void large_revisions_come_whole(void **state)
{
	enum { KEYS = 100, LEN = 14000 };
	static const char *const args[] = {"--max-request-bytes=300000", NULL};
	struct server small;
	struct client c;
	struct sr_etcd_op ops[KEYS];
	char keys[KEYS][16], *value = malloc(LEN);
	struct log log;

	(void)state;
	/* Large for an etcd whose messages are small: it cuts at the size of a request. Written where that is larger.
	 */
	server_up(&small, 1, NULL);
	client_init(&c, &small);
	memset(value, 'v', LEN);
	for (size_t i = 0; i < KEYS; i++) {
		snprintf(keys[i], sizeof(keys[i]), "f/%zu", i);
		ops[i] = (struct sr_etcd_op){.kind = SR_ETCD_OP_PUT, .key = SR_BYTES(keys[i]), .value = {value, LEN}};
	}
	for (int i = 0; i < 3; i++)
		assert_true(client_txn(&c, &(struct sr_etcd_txn){.success = ops, .n_success = KEYS}).succeeded);
	server_kill(&small, 0);
	small.args[0] = args[0];
	server_start(&small, 0);
	log_watch(&c, &log, "f/", 2);
	wait_for(&c, log.n == (size_t)3 * KEYS);
	assert_false(log.disorder);
	assert_true(log.calls <= 3);
	log_fini(&log);
	free(value);
	client_fini(&c);
	server_fini(&small);
}

/* etcd lost its data: what the watcher knows is not true any more, and it is told so. */
static void a_history_that_goes_back_ends_the_watch(void **state)
{
	struct client *c = *state;
	struct server old = server;
	struct log log;

	for (unsigned int i = 0; i < 20; i++)
		put_number(c, "w/", i);
	log_watch(c, &log, "w/", 0);
	wait_for(c, log.calls == 1);
	server_fini(&server); /* kills it, and removes its data */
	server = old;
	assert_return_code(mkdir(server.dir, 0700), errno);
	server_start(&server, 0);
	wait_for(c, log.err);
	assert_int_equal(log.err, -EKEYEXPIRED);
	log_fini(&log);
}

struct killer {
	struct log log;
	struct client *client;
	struct sr_etcd_watch *watch;
	bool free_etcd, created, done;
};

static void on_event_kill(void *ctx, const struct sr_etcd_status *status, const struct sr_etcd_event *events, size_t n,
			  int64_t revision)
{
	struct killer *k = ctx;

	(void)revision;
	assert_int_equal(status->err, 0);
	assert_false(k->done);
	k->created = true;
	if (!n)
		return;
	k->done = true;
	if (k->free_etcd)
		sr_etcd_free(k->client->etcd);
	sr_etcd_watch_free(k->watch);
	assert_int_equal(((const char *)events[0].kv.key.data)[0], 'k'); /* borrowed until we return */
}

static void may_be_freed_by_its_callback(void **state)
{
	(void)state;
	for (int free_etcd = 0; free_etcd < 2; free_etcd++) {
		struct client c;
		struct killer k = {.client = &c, .free_etcd = free_etcd};

		client_init(&c, &server);
		assert_int_equal(
			sr_etcd_watch_new(c.etcd, SR_BYTES("k"), (struct sr_bytes){}, 0, on_event_kill, &k, &k.watch),
			0);
		wait_for(&c, k.created);
		for (int i = 0; i < 5; i++)
			assert_int_equal(client_put(*state, "k", "v"), 0);
		wait_for(&c, k.done);
		run_for(&c.loop, 20);
		if (free_etcd)
			c.etcd = NULL;
		client_fini(&c);
	}
}

int main(void)
{
#define WATCH_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		WATCH_TEST(events_as_they_happen),
		WATCH_TEST(from_a_revision_of_the_past_and_of_the_future),
		WATCH_TEST(ranges_that_hold_nothing_are_refused),
		WATCH_TEST(many_watches_on_one_stream),
		WATCH_TEST(none_missing_and_none_twice_over_restarts),
		WATCH_TEST(a_compacted_start_ends_the_watch),
		WATCH_TEST(compaction_under_a_watcher),
		cmocka_unit_test(large_revisions_come_whole),
		WATCH_TEST(a_history_that_goes_back_ends_the_watch),
		WATCH_TEST(may_be_freed_by_its_callback),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
