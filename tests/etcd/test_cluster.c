// SPDX-License-Identifier: GPL-2.0-only
/* Several endpoints: members that die in turn, a cluster without a leader, endpoints that are none. */
#include "etcd/sync.h"
#include "unit/unit.h"

#include <errno.h>
#include <stdlib.h>

static struct server server;

static int setup(void **state)
{
	struct client *client = calloc(1, sizeof(*client));

	server_up(&server, 3, NULL);
	client_init_with(client, &server, (struct sr_etcd_config){.timeout_ms = 5000});
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

/* Until it is there for sure; what was refused or lost on the way must be so for an allowed reason. */
static void put_surely(struct client *c, const char *key, const char *value)
{
	uint64_t end = uv_hrtime() + CALL_MS * 1000000ULL;
	int err = -1;

	while (err && uv_hrtime() < end) {
		err = client_put(c, key, value);
		assert_true(!err || err == -EAGAIN || err == -ECONNRESET || err == -ETIMEDOUT);
	}
	assert_int_equal(err, 0);
}

/* Each member is killed once, so the leader is too. Every revision is told once: writes are not sent twice, nor lost.
 */
static void members_die_in_turn(void **state)
{
	struct client *c = *state, writer;
	struct log log;
	int64_t first, last;
	unsigned int n = 0;
	struct kvs kvs;

	client_init_with(&writer, &server, (struct sr_etcd_config){.timeout_ms = 5000});
	put_surely(&writer, "k/start", "0");
	first = client_revision(&writer);
	log_watch(c, &log, "k/", first + 1);
	for (size_t dead = 0; dead < 3; dead++) {
		for (unsigned int i = 0; i < 60; i++, n++) {
			char key[32], value[32];

			if (i == 20)
				server_kill(&server, dead);
			if (i == 40) {
				server_start(&server, dead);
				server_wait(&server, dead);
			}
			snprintf(key, sizeof(key), "k/%03u", n);
			snprintf(value, sizeof(value), "%u", n);
			put_surely(&writer, key, value);
			run_for(&c->loop, 1);
		}
		run_for(&c->loop, 500); /* it is one of three again */
	}
	last = client_revision(&writer);
	wait_for(c, log.revision >= last);
	assert_false(log.disorder);
	assert_int_equal(log.err, 0);
	assert_int_equal(log.n, last - first);
	kvs = client_list(&writer, "k/");
	assert_int_equal(kvs.n, n + 1);
	kvs_fini(&kvs);
	log_fini(&log);
	client_fini(&writer);
}

/*
 * With two of three gone a member says that it has no leader, and the caller need not wait until his time is up for
 * each call; when they are back all goes on. A few calls may time out first: while the member still believes in its
 * leader, and while the client pauses because the members that are gone do not answer.
 */
static void without_a_leader(void **state)
{
	struct client *c = *state;
	struct log log;
	int err = 0;

	put_surely(c, "a", "1");
	log_watch(c, &log, "a", 0);
	wait_for(c, log.calls == 1);
	server_kill(&server, 0);
	server_kill(&server, 1);
	for (int i = 0; i < 12 && err != -EAGAIN; i++) {
		err = client_put(c, "a", "2");
		assert_true(err == -EAGAIN || err == -ECONNRESET || err == -ETIMEDOUT);
	}
	assert_int_equal(err, -EAGAIN);
	server_start(&server, 0);
	server_start(&server, 1);
	put_surely(c, "a", "3");
	wait_for(c, log.n && !strncmp(log.lines[log.n - 1], "+a=3", 4));
	assert_int_equal(log.err, 0);
	assert_false(log.disorder);
	log_fini(&log);
}

/* The first endpoints that answer at all are used, whatever stands before them. */
static void endpoints_that_are_none(void **state)
{
	char closed[48], name[48], unknown[] = "http://no-such-host.invalid:2379";
	const char *urls[4] = {closed, unknown, NULL, NULL};
	struct client c;

	(void)state;
	snprintf(closed, sizeof(closed), "http://127.0.0.1:%u", server_free_port());
	snprintf(name, sizeof(name), "http://localhost:%u", server.members[1].client_port);
	urls[2] = name; /* may be ::1 first */
	for (unsigned int i = 0; i < 3; i++) {
		client_init_with(&c, &server, (struct sr_etcd_config){.endpoints = urls, .n_endpoints = 3});
		assert_int_equal(client_put(&c, "b", "1"), 0);
		client_fini(&c);
	}
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(members_die_in_turn),
		CASE(without_a_leader),
		CASE(endpoints_that_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
