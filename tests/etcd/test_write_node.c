// SPDX-License-Identifier: GPL-2.0-only
/* Nodes: registered, moved to other locators, drained, deleted; and what a second one is told. */
#include "etcd/writing.h"
#include "unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define ROOT "/srfabric/v1/"

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
	*state = writer_new(&server);
	return 0;
}

static int disconnect_client(void **state)
{
	writer_free(*state);
	return 0;
}

static struct sr_node node(const char *name, const char *locator)
{
	struct sr_node n = {};

	snprintf(n.name, sizeof(n.name), "%s", name);
	assert_int_equal(sr_locator_parse(locator, &n.locator), 0);
	return n;
}

static struct written put(struct client *c, const char *cluster, const char *name, const char *locator)
{
	struct sr_node n = node(name, locator);
	struct written w = {.what = WROTE_NODE};

	written(c, sr_write_node(c->etcd, cluster, &n, on_written, &w), &w);
	return w;
}

static struct written drain(struct client *c, const char *name, bool on)
{
	struct written w = {.what = WROTE_NODE};

	written(c, sr_write_node_drain(c->etcd, "east", name, on, on_written, &w), &w);
	return w;
}

static struct written del(struct client *c, const char *name)
{
	struct written w = {};

	written(c, sr_write_node_delete(c->etcd, "east", name, on_written, &w), &w);
	return w;
}

#define assert_value(c, key, expected)                                                                                 \
	do {                                                                                                           \
		char *value_ = client_value(c, ROOT key);                                                              \
		assert_string_equal(value_, expected);                                                                 \
		free(value_);                                                                                          \
	} while (0)

static void registers_and_claims(void **state)
{
	struct client *c = *state;

	assert_int_equal(put(c, "east", "hv1", "2400:dcc0::a7a:4d8e").err, 0);
	assert_value(c, "clusters/east/nodes/hv1",
		     "{\"name\":\"hv1\",\"segment_node_id\":\"2400:dcc0::a7a:4d8e\",\"drain\":false}");
	assert_value(c, "locators/2400:dcc0::a7a:4d8e", "{\"cluster\":\"east\",\"node\":\"hv1\"}");
	assert_int_equal(client_count(c, ROOT), 2);
}

static void registering_again_writes_nothing(void **state)
{
	struct client *c = *state;
	int64_t revision;

	assert_int_equal(put(c, "east", "hv1", "c1::1").err, 0);
	revision = client_revision(c);
	assert_int_equal(put(c, "east", "hv1", "c1::1").err, 0);
	assert_int_equal(client_revision(c), revision);
}

static void a_new_locator_frees_the_old(void **state)
{
	struct client *c = *state;

	assert_int_equal(put(c, "east", "hv1", "c1::1").err, 0);
	assert_int_equal(put(c, "east", "hv1", "c1::2").err, 0);
	assert_int_equal(client_count(c, ROOT "locators/"), 1);
	assert_int_equal(put(c, "east", "hv2", "c1::1").err, 0);
	assert_int_equal(client_count(c, ROOT "locators/"), 2);
}

static void another_s_locator_is_refused(void **state)
{
	struct client *c = *state;
	struct written w;

	assert_int_equal(put(c, "east", "hv1", "c1::1").err, 0);
	for (unsigned int i = 0; i < 2; i++) {
		w = put(c, i ? "west" : "east", i ? "hv1" : "hv2", "c1::1");
		assert_int_equal(w.err, -EEXIST);
		assert_non_null(strstr(w.text, "Locator c1::1 belongs to node hv1 of cluster east:"));
	}
	assert_int_equal(client_count(c, ROOT), 2);
}

static void drain_survives_a_restart(void **state)
{
	struct client *c = *state;
	struct written w;

	assert_int_equal(drain(c, "hv1", true).err, -ENOENT);
	assert_int_equal(put(c, "east", "hv1", "c1::1").err, 0);
	w = drain(c, "hv1", true);
	assert_int_equal(w.err, 0);
	assert_true(w.node.drain);
	assert_true(put(c, "east", "hv1", "c1::1").node.drain);
	assert_true(put(c, "east", "hv1", "c1::2").node.drain);
	assert_true(drain(c, "hv1", true).node.drain);
	assert_false(drain(c, "hv1", false).node.drain);
	assert_false(put(c, "east", "hv1", "c1::2").node.drain);
}

static void fields_of_a_newer_writer_stay(void **state)
{
	struct client *c = *state;

	assert_int_equal(put(c, "east", "hv1", "c1::1").err, 0);
	client_put(c, ROOT "clusters/east/nodes/hv1",
		   "{\"rack\":{\"row\":7},\"name\":\"hv1\",\"segment_node_id\":\"c1::1\",\"drain\":null}");
	assert_int_equal(drain(c, "hv1", true).err, 0);
	assert_value(c, "clusters/east/nodes/hv1",
		     "{\"name\":\"hv1\",\"segment_node_id\":\"c1::1\",\"drain\":true,\"rack\":{\"row\":7}}");
}

static void a_bad_record_is_replaced(void **state)
{
	struct client *c = *state;

	client_put(c, ROOT "clusters/east/nodes/hv1", "{");
	assert_int_equal(drain(c, "hv1", true).err, -EBADMSG);
	assert_int_equal(put(c, "east", "hv1", "c1::1").err, 0);
	assert_int_equal(drain(c, "hv1", true).err, 0);
}

static void deleting_frees_the_locator(void **state)
{
	struct client *c = *state;

	assert_int_equal(del(c, "hv1").err, -ENOENT);
	assert_int_equal(put(c, "east", "hv1", "c1::1").err, 0);
	assert_int_equal(del(c, "hv1").err, 0);
	assert_int_equal(client_count(c, ROOT), 0);
}

static void with_ports_it_is_not_deleted(void **state)
{
	struct client *c = *state;
	const char *binding = ROOT "clusters/east/bindings/hv1/7c1ee6a4-2f0b-4c55-9d0e-3b7a61f0c9e8";
	struct written w;

	assert_int_equal(put(c, "east", "hv1", "c1::1").err, 0);
	client_put(c, ROOT "clusters/east/bindings/hv10/7c1ee6a4-2f0b-4c55-9d0e-3b7a61f0c9e8", "{}");
	client_put(c, binding, "{}");
	w = del(c, "hv1");
	assert_int_equal(w.err, -EBUSY);
	assert_string_equal(w.text, "Node hv1 has 1 port (7c1ee6a4-2f0b-4c55-9d0e-3b7a61f0c9e8): move or delete them "
				    "first.");
	client_delete(c, binding);
	assert_int_equal(del(c, "hv1").err, 0);
}

/* Of those who want one locator at once, one gets it. */
static void one_locator_one_winner(void **state)
{
	struct client *c = *state;
	struct written w[20] = {};
	unsigned int won = 0;

	for (size_t i = 0; i < 20; i++) {
		struct sr_node n = node("x", "c1::1");

		snprintf(n.name, sizeof(n.name), "hv%zu", i);
		assert_int_equal(sr_write_node(c->etcd, "east", &n, on_written, &w[i]), 0);
	}
	for (size_t i = 0; i < 20; i++) {
		int err = written(c, 0, &w[i]);

		assert_true(err == 0 || err == -EEXIST);
		won += err == 0;
	}
	assert_int_equal(won, 1);
	assert_int_equal(client_count(c, ROOT), 2);
}

static void names_are_checked(void **state)
{
	struct client *c = *state;
	struct sr_node n = node("hv1", "c1::1");
	struct written w = {};

	assert_int_equal(sr_write_node(c->etcd, "a/b", &n, on_written, &w), -EINVAL);
	n.name[0] = '/';
	assert_int_equal(sr_write_node(c->etcd, "east", &n, on_written, &w), -EINVAL);
	assert_int_equal(sr_write_node_drain(c->etcd, "east", "", true, on_written, &w), -EINVAL);
	assert_int_equal(sr_write_node_delete(c->etcd, "east", "..", on_written, &w), -EINVAL);
	assert_false(w.done);
}

static void freeing_the_client_ends_it(void **state)
{
	struct client c;
	struct sr_node n = node("hv1", "c1::1");
	struct written w = {};

	(void)state;
	client_init(&c, &server);
	assert_int_equal(sr_write_node(c.etcd, "east", &n, on_written, &w), 0);
	client_fini(&c);
	assert_true(w.done);
	assert_int_equal(w.err, -ECANCELED);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, connect_client, disconnect_client)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(registers_and_claims),
		CASE(registering_again_writes_nothing),
		CASE(a_new_locator_frees_the_old),
		CASE(another_s_locator_is_refused),
		CASE(drain_survives_a_restart),
		CASE(fields_of_a_newer_writer_stay),
		CASE(a_bad_record_is_replaced),
		CASE(deleting_frees_the_locator),
		CASE(with_ports_it_is_not_deleted),
		CASE(one_locator_one_winner),
		CASE(names_are_checked),
		CASE(freeing_the_client_ends_it),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
