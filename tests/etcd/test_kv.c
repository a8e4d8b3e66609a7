// SPDX-License-Identifier: GPL-2.0-only
/* Range, Put, Delete, Txn, Compact against the real etcd, and how each fails. */
#include "etcd/sync.h"
#include "unit/unit.h"

#include <errno.h>
#include <stdlib.h>

static struct server server;

static int setup(void **state)
{
	(void)state;
	server_up(&server, 1, NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	server_fini(&server);
	return 0;
}

static int connect_client(void **state)
{
	struct client *client = calloc(1, sizeof(*client));

	client_init(client, &server);
	*state = client;
	return 0;
}

static int disconnect_client(void **state)
{
	client_fini(*state);
	free(*state);
	return 0;
}

static void put_get_delete(void **state)
{
	struct client *c = *state;
	struct kvs kvs;

	assert_int_equal(client_put(c, "a/1", "one"), 0);
	assert_int_equal(client_put(c, "a/2", ""), 0);
	assert_int_equal(client_put(c, "a/1", "uno"), 0);
	kvs = client_list(c, "a/");
	assert_int_equal(kvs.err, 0);
	assert_int_equal(kvs.n, 2);
	assert_string_equal(kvs.list[0].key, "a/1");
	assert_string_equal(kvs.list[0].value, "uno");
	assert_int_equal(kvs.list[0].version, 2);
	assert_int_equal(kvs.list[0].create_revision + 2, kvs.list[0].mod_revision);
	assert_int_equal(kvs.list[0].mod_revision, kvs.revision);
	assert_int_equal(kvs.list[1].value_len, 0);
	kvs_fini(&kvs);

	assert_int_equal(client_delete(c, "a/1"), 0);
	assert_int_equal(client_delete(c, "a/1"), 0); /* what is not there is no error */
	kvs = client_list(c, "a/");
	assert_int_equal(kvs.n, 1);
	assert_string_equal(kvs.list[0].key, "a/2");
	kvs_fini(&kvs);
	assert_int_equal(c->ups, 1);
	assert_int_equal(c->downs, 0);
}

static void bytes_are_any(void **state)
{
	struct client *c = *state;
	struct sr_bytes key = {"z\0\xff/", 4}, value = {"\0\1\0", 3};
	struct done done = {};
	struct kvs kvs;

	assert_int_equal(sr_etcd_put(c->etcd, key, value, 0, on_done, &done), 0);
	assert_true(run_until(&c->loop, &done.done, CALL_MS));
	assert_true(done.revision > 0);
	kvs = client_range(c, &(struct sr_etcd_range){.key = key});
	assert_int_equal(kvs.n, 1);
	assert_memory_equal(kvs.list[0].key, key.data, 4);
	assert_int_equal(kvs.list[0].value_len, 3);
	assert_memory_equal(kvs.list[0].value, value.data, 3);
	kvs_fini(&kvs);
}

/* Fills prefix00000 ... by transactions of 100. */
static void fill(struct client *c, const char *prefix, unsigned int n, struct sr_bytes value)
{
	static char keys[100][64];
	struct sr_etcd_op ops[100];

	for (unsigned int done = 0; done < n;) {
		struct sr_etcd_txn txn = {.success = ops};

		for (; txn.n_success < 100 && done < n; done++, txn.n_success++) {
			snprintf(keys[txn.n_success], sizeof(keys[0]), "%s%05u", prefix, done);
			ops[txn.n_success] = (struct sr_etcd_op){
				.kind = SR_ETCD_OP_PUT, .key = SR_BYTES(keys[txn.n_success]), .value = value};
		}
		assert_true(client_txn(c, &txn).succeeded);
	}
}

struct change_between {
	struct client *client;
	struct kvs seen;
	bool done;
};

static void on_page_change(void *ctx, const struct sr_etcd_status *status, const struct sr_etcd_kv *kvs, size_t n,
			   bool more)
{
	struct change_between *x = ctx;

	assert_int_equal(status->err, 0);
	if (!x->seen.pages++) { /* behind what was read, ahead of it, and gone */
		sr_etcd_put(x->client->etcd, SR_BYTES("p/00001"), SR_BYTES("late"), 0, NULL, NULL);
		sr_etcd_put(x->client->etcd, SR_BYTES("p/00990"), SR_BYTES("late"), 0, NULL, NULL);
		sr_etcd_delete(x->client->etcd, SR_BYTES("p/00995"), (struct sr_bytes){}, NULL, NULL);
	}
	for (size_t i = 0; i < n; i++)
		assert_memory_equal(kvs[i].value.data, "v", 1);
	x->seen.n += n;
	x->done = !more;
}

static void pages_come_from_one_revision(void **state)
{
	static const struct {
		uint32_t page;
		size_t pages;
	} cases[] = {{0, 1}, {1000, 1}, {999, 2}, {100, 10}, {7, 143}};
	struct client *c = *state;
	struct change_between x = {.client = c};

	fill(c, "p/", 1000, SR_BYTES("v"));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sr_etcd_range range = {SR_BYTES("p/"), SR_BYTES("p0"), .page = cases[i].page};
		struct kvs kvs = client_range(c, &range);

		sr_case("pages of %u", cases[i].page);
		assert_int_equal(kvs.err, 0);
		assert_int_equal(kvs.n, 1000);
		assert_int_equal(kvs.pages, cases[i].pages);
		for (size_t k = 0; k < kvs.n; k++)
			assert_int_equal(strtoul(kvs.list[k].key + 2, NULL, 10), k);
		kvs_fini(&kvs);
	}
	assert_int_equal(sr_etcd_range(c->etcd, &(struct sr_etcd_range){SR_BYTES("p/"), SR_BYTES("p0"), .page = 10},
				       on_page_change, &x),
			 0);
	assert_true(run_until(&c->loop, &x.done, CALL_MS));
	assert_int_equal(x.seen.n, 1000);
}

static void range_options(void **state)
{
	struct client *c = *state;
	int64_t before;
	struct kvs kvs;

	assert_int_equal(client_put(c, "o", "old"), 0);
	before = client_revision(c);
	assert_int_equal(client_put(c, "o", "new"), 0);
	kvs = client_range(c, &(struct sr_etcd_range){SR_BYTES("o"), .revision = before});
	assert_string_equal(kvs.list[0].value, "old");
	kvs_fini(&kvs);
	kvs = client_range(c, &(struct sr_etcd_range){SR_BYTES("o"), .keys_only = true});
	assert_int_equal(kvs.n, 1);
	assert_int_equal(kvs.list[0].value_len, 0);
	kvs_fini(&kvs);
	kvs = client_range(c, &(struct sr_etcd_range){SR_BYTES("o"), .serializable = true});
	assert_string_equal(kvs.list[0].value, "new");
	kvs_fini(&kvs);
}

/* 70 values of 1 MB: one page would be larger than what we take of a peer; it must come all the same. */
static void a_page_that_is_too_large_is_asked_for_in_parts(void **state)
{
	struct client *c = *state;
	const size_t len = 1000000;
	char *big = malloc(len), key[16];
	struct kvs kvs;

	memset(big, 'b', len);
	for (unsigned int i = 0; i < 70; i++) {
		struct done done = {};

		snprintf(key, sizeof(key), "big/%03u", i);
		sr_etcd_put(c->etcd, SR_BYTES(key), (struct sr_bytes){big, len}, 0, on_done, &done);
		assert_true(run_until(&c->loop, &done.done, CALL_MS));
		assert_int_equal(done.err, 0);
	}
	kvs = client_range(c, &(struct sr_etcd_range){SR_BYTES("big/"), SR_BYTES("big0"), .page = 100});
	assert_int_equal(kvs.err, 0);
	assert_int_equal(kvs.n, 70);
	assert_int_equal(kvs.list[69].value_len, len);
	assert_int_equal(c->downs, 0);
	kvs_fini(&kvs);
	free(big);
	assert_int_equal(client_txn(c, &(struct sr_etcd_txn){.success = &(struct sr_etcd_op){.kind = SR_ETCD_OP_DELETE,
											     .key = SR_BYTES("big/"),
											     .end = SR_BYTES("big0")},
							     .n_success = 1})
				 .results[0]
				 .deleted,
			 70);
}

static void txn_compares(void **state)
{
	struct client *c = *state;
	int64_t rev, created;
	struct kvs kvs;

	assert_int_equal(client_put(c, "t/1", "x"), 0);
	assert_int_equal(client_put(c, "t/1", "x"), 0);
	assert_int_equal(client_put(c, "t/2", "y"), 0);
	kvs = client_list(c, "t/1");
	rev = kvs.list[0].mod_revision;
	created = kvs.list[0].create_revision;
	kvs_fini(&kvs);

	const struct {
		const char *what;
		struct sr_etcd_compare compare;
		bool succeeds;
	} cases[] = {
		{"version", {SR_ETCD_VERSION, SR_ETCD_EQUAL, SR_BYTES("t/1"), .number = 2}, true},
		{"other version", {SR_ETCD_VERSION, SR_ETCD_EQUAL, SR_BYTES("t/1"), .number = 1}, false},
		{"absent", {SR_ETCD_VERSION, SR_ETCD_EQUAL, SR_BYTES("t/3"), .number = 0}, true},
		{"not absent", {SR_ETCD_VERSION, SR_ETCD_EQUAL, SR_BYTES("t/1"), .number = 0}, false},
		{"greater", {SR_ETCD_VERSION, SR_ETCD_GREATER, SR_BYTES("t/1"), .number = 1}, true},
		{"less", {SR_ETCD_VERSION, SR_ETCD_LESS, SR_BYTES("t/1"), .number = 2}, false},
		{"not equal", {SR_ETCD_VERSION, SR_ETCD_NOT_EQUAL, SR_BYTES("t/1"), .number = 3}, true},
		{"mod", {SR_ETCD_MOD, SR_ETCD_EQUAL, SR_BYTES("t/1"), .number = rev}, true},
		{"other mod", {SR_ETCD_MOD, SR_ETCD_EQUAL, SR_BYTES("t/1"), .number = rev - 1}, false},
		{"create", {SR_ETCD_CREATE, SR_ETCD_EQUAL, SR_BYTES("t/1"), .number = created}, true},
		{"other create", {SR_ETCD_CREATE, SR_ETCD_EQUAL, SR_BYTES("t/1"), .number = rev}, false},
		{"value", {SR_ETCD_VALUE, SR_ETCD_EQUAL, SR_BYTES("t/1"), .value = SR_BYTES("x")}, true},
		{"other value", {SR_ETCD_VALUE, SR_ETCD_EQUAL, SR_BYTES("t/1"), .value = SR_BYTES("y")}, false},
		{"lease", {SR_ETCD_LEASE, SR_ETCD_EQUAL, SR_BYTES("t/1"), .number = 0}, true},
		{"other lease", {SR_ETCD_LEASE, SR_ETCD_EQUAL, SR_BYTES("t/1"), .number = 7}, false},
		{"empty range", {SR_ETCD_VERSION, SR_ETCD_EQUAL, SR_BYTES("t/3"), .end = SR_BYTES("t/9")}, true},
		{"range in use", {SR_ETCD_VERSION, SR_ETCD_EQUAL, SR_BYTES("t/"), .end = SR_BYTES("t0")}, false},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct sr_etcd_op get = {.kind = SR_ETCD_OP_RANGE, .key = SR_BYTES("t/2")};
		const struct sr_etcd_op getall = {
			.kind = SR_ETCD_OP_RANGE, .key = SR_BYTES("t/"), .end = SR_BYTES("t0")};
		struct outcome o = client_txn(c, &(struct sr_etcd_txn){&cases[i].compare, 1, &get, 1, &getall, 1});

		sr_case("%s", cases[i].what);
		assert_int_equal(o.err, 0);
		assert_int_equal(o.succeeded, cases[i].succeeds);
		assert_int_equal(o.n, 1);
		assert_int_equal(o.results[0].kind, SR_ETCD_OP_RANGE);
		assert_int_equal(o.n_kvs[0], cases[i].succeeds ? 1 : 2);
		assert_string_equal(o.first_value[0], cases[i].succeeds ? "y" : "x");
	}
}

static void txn_operations(void **state)
{
	struct client *c = *state;
	const struct sr_etcd_op ops[] = {
		{.kind = SR_ETCD_OP_PUT, .key = SR_BYTES("u/1"), .value = SR_BYTES("1")},
		{.kind = SR_ETCD_OP_PUT, .key = SR_BYTES("u/2"), .value = SR_BYTES("2")},
		{.kind = SR_ETCD_OP_RANGE, .key = SR_BYTES("u/"), .end = SR_BYTES("u0")},
	};
	const struct sr_etcd_op clear = {.kind = SR_ETCD_OP_DELETE, .key = SR_BYTES("u/"), .end = SR_BYTES("u0")};
	struct outcome o = client_txn(c, &(struct sr_etcd_txn){.success = ops, .n_success = 3});

	assert_true(o.succeeded);
	assert_int_equal(o.n, 3);
	assert_int_equal(o.results[0].kind, SR_ETCD_OP_PUT);
	assert_int_equal(o.n_kvs[2], 2);
	o = client_txn(c, &(struct sr_etcd_txn){.success = &clear, .n_success = 1});
	assert_int_equal(o.results[0].kind, SR_ETCD_OP_DELETE);
	assert_int_equal(o.results[0].deleted, 2);
	/* Nothing to compare, nothing to do. */
	o = client_txn(c, &(struct sr_etcd_txn){});
	assert_int_equal(o.err, 0);
	assert_true(o.succeeded);
	assert_int_equal(o.n, 0);
}

static void errors_have_their_numbers(void **state)
{
	struct client *c = *state;
	const struct sr_etcd_op twice[] = {
		{.kind = SR_ETCD_OP_PUT, .key = SR_BYTES("e"), .value = SR_BYTES("1")},
		{.kind = SR_ETCD_OP_PUT, .key = SR_BYTES("e"), .value = SR_BYTES("2")},
	};
	const struct sr_etcd_op leased = {
		.kind = SR_ETCD_OP_PUT, .key = SR_BYTES("e"), .value = SR_BYTES("1"), .lease = 12345};
	struct sr_etcd_op many[200];
	struct done done = {};
	struct kvs kvs;
	int64_t rev;

	/* etcd finds the request wrong: the same key twice; a lease that is not there; a revision of the future. */
	assert_int_equal(client_txn(c, &(struct sr_etcd_txn){.success = twice, .n_success = 2}).err, -EINVAL);
	assert_int_equal(client_txn(c, &(struct sr_etcd_txn){.success = &leased, .n_success = 1}).err, -ENOENT);
	for (size_t i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = (struct sr_etcd_op){.kind = SR_ETCD_OP_RANGE, .key = SR_BYTES("e")};
	assert_int_equal(client_txn(c, &(struct sr_etcd_txn){.success = many, .n_success = 200}).err, -EINVAL);
	kvs = client_range(c, &(struct sr_etcd_range){SR_BYTES("e"), .revision = 1LL << 60});
	assert_int_equal(kvs.err, -EINVAL);
	assert_non_null(strstr(kvs.text, "future revision"));
	kvs_fini(&kvs);

	/* Before it is sent. */
	assert_int_equal(sr_etcd_put(c->etcd, (struct sr_bytes){}, SR_BYTES("v"), 0, on_done, &done), -EINVAL);
	assert_int_equal(sr_etcd_delete(c->etcd, (struct sr_bytes){}, SR_BYTES("v"), on_done, &done), -EINVAL);
	assert_int_equal(sr_etcd_range(c->etcd, &(struct sr_etcd_range){}, on_page_change, NULL), -EINVAL);

	assert_int_equal(client_put(c, "e", "1"), 0);
	assert_int_equal(client_put(c, "e", "2"), 0);
	rev = client_revision(c);
	assert_int_equal(sr_etcd_compact(c->etcd, rev, on_done, &done), 0);
	assert_true(run_until(&c->loop, &done.done, CALL_MS));
	assert_int_equal(done.err, 0);
	kvs = client_range(c, &(struct sr_etcd_range){SR_BYTES("e"), .revision = rev - 1});
	assert_int_equal(kvs.err, -EKEYEXPIRED);
	kvs_fini(&kvs);
	/* The connection is none the worse for all this. */
	assert_int_equal(c->ups, 1);
	assert_int_equal(c->downs, 0);
}

static void a_value_that_is_too_large_is_refused(void **state)
{
	static const struct {
		size_t len;
		const char *text;
	} cases[] = {{1700000, "request is too large"}, {2500000, "larger than max"}}; /* by etcd; by its gRPC */
	struct client *c = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *big = calloc(1, cases[i].len);
		struct done done = {};

		sr_case("%zu bytes", cases[i].len);
		assert_int_equal(
			sr_etcd_put(c->etcd, SR_BYTES("huge"), (struct sr_bytes){big, cases[i].len}, 0, on_done, &done),
			0);
		free(big); /* it is serialised already */
		assert_true(run_until(&c->loop, &done.done, CALL_MS));
		assert_int_equal(done.err, -EINVAL);
		assert_non_null(strstr(done.text, cases[i].text));
	}
}

static void prefix_ends(void **state)
{
	static const struct {
		const char *prefix;
		size_t len;
		const char *end;
		size_t end_len;
	} cases[] = {
		{"a/", 2, "a0", 2},
		{"a\xff", 2, "b", 1},
		{"\xff\xff", 2, "", 0},
		{"", 0, "", 0},
		{"a\xfe\xff\xff", 4, "a\xff", 2},
	};
	char buf[8];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		sr_case("row %zu", i);
		assert_int_equal(sr_etcd_prefix_end(cases[i].prefix, cases[i].len, buf), cases[i].end_len);
		assert_memory_equal(buf, cases[i].end, cases[i].end_len);
	}
}

static void quota(void **state)
{
	static const char *const args[] = {"--quota-backend-bytes=2000000", NULL};
	struct server small;
	struct client c;
	size_t len = 500000;
	char *big = calloc(1, len);
	int err = 0;

	(void)state;
	server_up(&small, 1, args);
	client_init(&c, &small);
	for (int i = 0; i < 50 && !err; i++) {
		struct done done = {};
		char key[8];

		snprintf(key, sizeof(key), "k%d", i);
		sr_etcd_put(c.etcd, SR_BYTES(key), (struct sr_bytes){big, len}, 0, on_done, &done);
		assert_true(run_until(&c.loop, &done.done, CALL_MS));
		err = done.err;
	}
	assert_int_equal(err, -ENOSPC);
	free(big);
	client_fini(&c);
	server_fini(&small);
}

/* Five thousand at once on one connection: all of them end, and what etcd has is what they said. */
static void many_calls_at_once(void **state)
{
	struct client *c = *state;
	const size_t n = 5000;
	struct done *done = calloc(n, sizeof(*done));
	struct kvs kvs;
	char key[32];

	for (size_t i = 0; i < n; i++) {
		snprintf(key, sizeof(key), "m/%05zu", i);
		assert_int_equal(sr_etcd_put(c->etcd, SR_BYTES(key), SR_BYTES("m"), 0, on_done, &done[i]), 0);
	}
	for (size_t i = 0; i < n; i++) {
		assert_true(run_until(&c->loop, &done[i].done, CALL_MS));
		/* etcd refuses what is too much for it, before it applies any of it. */
		assert_true(!done[i].err || done[i].err == -EAGAIN);
	}
	kvs = client_list(c, "m/");
	for (size_t i = 0; i < n; i++)
		kvs.n -= !done[i].err;
	assert_int_equal(kvs.n, 0);
	kvs.n = 0;
	for (size_t i = 0; i < n; i++)
		kvs.n += !done[i].err;
	kvs_fini(&kvs);
	free(done);
}

int main(void)
{
#define CLIENT_TEST(f) cmocka_unit_test_setup_teardown(f, connect_client, disconnect_client)
	const struct CMUnitTest tests[] = {
		CLIENT_TEST(put_get_delete),
		CLIENT_TEST(bytes_are_any),
		CLIENT_TEST(pages_come_from_one_revision),
		CLIENT_TEST(range_options),
		CLIENT_TEST(a_page_that_is_too_large_is_asked_for_in_parts),
		CLIENT_TEST(txn_compares),
		CLIENT_TEST(txn_operations),
		CLIENT_TEST(errors_have_their_numbers),
		CLIENT_TEST(a_value_that_is_too_large_is_refused),
		CLIENT_TEST(many_calls_at_once),
		cmocka_unit_test(prefix_ends),
		cmocka_unit_test(quota),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
