// SPDX-License-Identifier: GPL-2.0-only
/* Leases: granted, kept alive, lost and granted anew, revoked, let go. */
#include "etcd/sync.h"
#include "unit/unit.h"

#include <errno.h>
#include <stdlib.h>

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

struct holder {
	struct sr_etcd_lease *lease;
	int64_t id;
	unsigned int grants, losses;
};

static void on_lease(void *ctx, int64_t id)
{
	struct holder *h = ctx;

	h->id = id;
	if (id)
		h->grants++;
	else
		h->losses++;
}

static void put_under(struct client *c, const char *key, int64_t lease)
{
	struct done done = {};

	assert_int_equal(sr_etcd_put(c->etcd, SR_BYTES(key), SR_BYTES("v"), lease, on_done, &done), 0);
	assert_true(run_until(&c->loop, &done.done, CALL_MS));
	assert_int_equal(done.err, 0);
}

static size_t count(struct client *c, const char *prefix)
{
	struct kvs kvs = client_list(c, prefix);
	size_t n = kvs.n;

	assert_int_equal(kvs.err, 0);
	kvs_fini(&kvs);
	return n;
}

static void kept_alive_and_then_not(void **state)
{
	struct client *c = *state, other;
	struct holder h = {}, second = {};

	client_init(&other, &server);
	assert_int_equal(sr_etcd_lease_new(c->etcd, 3, on_lease, &h, &h.lease), 0);
	assert_int_equal(sr_etcd_lease_new(c->etcd, 4, on_lease, &second, &second.lease), 0);
	assert_int_equal(h.grants, 0);
	wait_for(c, h.grants == 1 && second.grants == 1);
	assert_int_not_equal(h.id, second.id);
	put_under(c, "l/1", h.id);
	put_under(c, "l/2", second.id);
	run_for(&c->loop, 9000); /* more than twice the time to live */
	assert_int_equal(count(&other, "l/"), 2);
	assert_int_equal(h.grants, 1);
	assert_int_equal(h.losses, 0);
	/* Let go: etcd lets it expire, and only that one. */
	sr_etcd_lease_free(h.lease);
	wait_for(c, count(&other, "l/") == 1);
	run_for(&c->loop, 2000);
	assert_int_equal(count(&other, "l/"), 1);
	assert_int_equal(second.losses, 0);
	sr_etcd_lease_free(second.lease);
	client_fini(&other);
}

static void revoked(void **state)
{
	struct client *c = *state;
	struct holder h = {};
	struct done done = {};

	assert_int_equal(sr_etcd_lease_new(c->etcd, 60, on_lease, &h, &h.lease), 0);
	wait_for(c, h.grants == 1);
	put_under(c, "l/1", h.id);
	assert_int_equal(sr_etcd_lease_revoke(h.lease, on_done, &done), 0);
	assert_true(run_until(&c->loop, &done.done, CALL_MS));
	assert_int_equal(done.err, 0);
	assert_int_equal(count(c, "l/"), 0);
	assert_int_equal(h.losses, 0); /* its owner knows */
	/* Before it was granted there is nothing to revoke. */
	assert_int_equal(sr_etcd_lease_new(c->etcd, 60, on_lease, &h, &h.lease), 0);
	done = (struct done){};
	assert_int_equal(sr_etcd_lease_revoke(h.lease, on_done, &done), 0);
	assert_true(run_until(&c->loop, &done.done, CALL_MS));
	assert_int_equal(done.err, -ENOENT);
}

/* The client was stopped for longer than its lease lived: told that it is lost, and given a new one. */
static void lost_and_granted_anew(void **state)
{
	struct client *c = *state, other;
	struct holder h = {};
	int64_t first;

	client_init(&other, &server);
	assert_int_equal(sr_etcd_lease_new(c->etcd, 3, on_lease, &h, &h.lease), 0);
	wait_for(c, h.grants == 1);
	first = h.id;
	put_under(c, "l/1", first);
	wait_for(&other, count(&other, "l/") == 0); /* not the loop of the lease */
	wait_for(c, h.grants == 2);
	assert_int_equal(h.losses, 1);
	assert_int_not_equal(h.id, first);
	put_under(c, "l/1", h.id);
	sr_etcd_lease_free(h.lease);
	client_fini(&other);
}

static void survives_a_restart_of_etcd(void **state)
{
	struct client *c = *state;
	struct holder h = {};

	/* etcd gives it its whole time again when it is back; the client may pause for 5 s before it finds out. */
	assert_int_equal(sr_etcd_lease_new(c->etcd, 8, on_lease, &h, &h.lease), 0);
	wait_for(c, h.grants == 1);
	put_under(c, "l/1", h.id);
	server_kill(&server, 0);
	run_for(&c->loop, 300);
	server_start(&server, 0);
	server_wait(&server, 0);
	run_for(&c->loop, 11000);
	assert_int_equal(count(c, "l/"), 1);
	assert_int_equal(h.grants, 1);
	assert_int_equal(h.losses, 0);
	sr_etcd_lease_free(h.lease);
}

static void granted_when_etcd_comes(void **state)
{
	struct client *c = *state;
	struct holder h = {}, freed = {};

	server_kill(&server, 0);
	assert_int_equal(sr_etcd_lease_new(c->etcd, 5, on_lease, &h, &h.lease), 0);
	assert_int_equal(sr_etcd_lease_new(c->etcd, 5, on_lease, &freed, &freed.lease), 0);
	run_for(&c->loop, 100);
	sr_etcd_lease_free(freed.lease);
	server_start(&server, 0);
	wait_for(c, h.grants == 1);
	put_under(c, "l/1", h.id);
	run_for(&c->loop, 100);
	assert_int_equal(freed.grants, 0);
	sr_etcd_lease_free(h.lease);
}

static void arguments(void **state)
{
	struct client *c = *state;
	struct holder h = {};

	assert_int_equal(sr_etcd_lease_new(c->etcd, 0, on_lease, &h, &h.lease), -EINVAL);
	assert_null(h.lease);
	sr_etcd_lease_free(NULL);
}

int main(void)
{
#define LEASE_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		LEASE_TEST(kept_alive_and_then_not), LEASE_TEST(revoked),
		LEASE_TEST(lost_and_granted_anew),   LEASE_TEST(survives_a_restart_of_etcd),
		LEASE_TEST(granted_when_etcd_comes), LEASE_TEST(arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
