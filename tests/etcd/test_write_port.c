// SPDX-License-Identifier: GPL-2.0-only
/* Ports, their bindings and addresses, and encap networks: what is claimed, moved and let go together. */
#include "etcd/writing.h"
#include "unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define ROOT "/srfabric/v1/"
#define EAST ROOT "clusters/east/"
#define ID "7c1ee6a4-2f0b-4c55-9d0e-3b7a61f0c9e8"

static struct server server;
static char vrf[SR_VRF_NAME_SIZE]; /* of the network that each test begins with */

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

static void add_subnet(struct sr_vrf *v, const char *cidr, const char *gateway)
{
	struct sr_subnet *subnet = &v->subnets[v->n_subnets++];

	assert_int_equal(sr_prefix_parse(cidr, &subnet->cidr), 0);
	if (gateway)
		assert_int_equal(sr_addr_parse(gateway, &subnet->gateway), 0);
}

static void make_node(struct client *c, const char *name, const char *locator)
{
	struct written w = {};
	struct sr_node node = {};

	snprintf(node.name, sizeof(node.name), "%s", name);
	assert_int_equal(sr_locator_parse(locator, &node.locator), 0);
	assert_int_equal(written(c, sr_write_node(c->etcd, "east", &node, on_written, &w), &w), 0);
}

/* Two nodes, a network with two subnets. */
static int connect_client(void **state)
{
	struct client *c = writer_new(&server);
	struct written w = {.what = WROTE_VRF}, set = {};
	struct sr_prefix cidr;
	struct sr_vrf v = {.project_id = "644606a2903940cf8b1c06a8a1f9bd80", .network_id.b = {0x90, 0x39, 0x0f}};

	assert_int_equal(sr_prefix_parse("169.254.1.0/24", &cidr), 0);
	assert_int_equal(written(c, sr_write_cluster(c->etcd, "east", &cidr, on_written, &set), &set), 0);
	make_node(c, "hv1", "c1::1");
	make_node(c, "hv2", "c1::2");
	add_subnet(&v, "10.0.0.0/29", "10.0.0.1");
	add_subnet(&v, "2001:db8::/64", NULL);
	assert_int_equal(written(c, sr_write_network(c->etcd, "east", &v, on_written, &w), &w), 0);
	snprintf(vrf, sizeof(vrf), "%s", w.vrf.name);
	*state = c;
	return 0;
}

static int disconnect_client(void **state)
{
	writer_free(*state);
	return 0;
}

static struct sr_port port(const char *id, const char *node, const char *addr)
{
	struct sr_port p = {.mac.b = {0xfa, 0x16, 0x3e, 0, 0, 1}, .admin_state_up = true};

	assert_int_equal(sr_uuid_parse(id, strlen(id), &p.id), 0);
	snprintf(p.vrf, sizeof(p.vrf), "%s", vrf);
	snprintf(p.project_id, sizeof(p.project_id), "644606a2903940cf8b1c06a8a1f9bd80");
	snprintf(p.node, sizeof(p.node), "%s", node);
	if (addr) {
		assert_int_equal(sr_addr_parse(addr, &p.addrs[0]), 0);
		p.n_addrs = 1;
	}
	return p;
}

static struct sr_port numbered(unsigned int i, const char *node)
{
	struct sr_port p = port(ID, node, NULL);

	p.id.b[15] = (uint8_t)i;
	p.id.b[14] = (uint8_t)(i >> 8);
	p.mac = (struct sr_mac){}; /* of its id */
	return p;
}

static struct written create(struct client *c, const struct sr_port *p)
{
	struct written w = {.what = WROTE_PORT};

	w.err = written(c, sr_write_port(c->etcd, "east", p, on_written, &w), &w);
	return w;
}

static struct written update(struct client *c, const struct sr_port *p)
{
	struct written w = {.what = WROTE_PORT};

	w.err = written(c, sr_write_port_update(c->etcd, "east", p, on_written, &w), &w);
	return w;
}

static struct written bind_to(struct client *c, const char *id, const char *node)
{
	struct written w = {.what = WROTE_PORT};
	struct sr_port p = port(id, node, NULL);

	w.err = written(c, sr_write_port_bind(c->etcd, "east", vrf, &p.id, node, on_written, &w), &w);
	return w;
}

static int del(struct client *c, const struct sr_port *p)
{
	struct written w = {};

	return written(c, sr_write_port_delete(c->etcd, "east", vrf, &p->id, on_written, &w), &w);
}

static const char *first_addr(const struct written *w)
{
	static char text[INET6_ADDRSTRLEN];

	assert_int_equal(w->err, 0);
	assert_int_equal(w->port.n_addrs, 1);
	return sr_addr_format(&w->port.addrs[0], text);
}

/* Under the cluster, with the VRF's name for %s. */
static bool there(struct client *c, const char *format)
{
	char key[192];
	size_t len = (size_t)snprintf(key, sizeof(key), EAST);

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(key + len, sizeof(key) - len, format, vrf);
#pragma GCC diagnostic pop
	return client_count(c, key) > 0;
}

static void a_port_with_all_that_is_its(void **state)
{
	struct client *c = *state;
	struct sr_port p = port(ID, "hv1", "10.0.0.5");
	struct written w = create(c, &p);
	char *value;

	assert_int_equal(w.err, 0);
	assert_string_equal(w.port.node, "hv1");
	assert_true(w.port.has_segment_node_id);
	assert_int_equal(w.port.segment_node_id.b[11], 1);
	assert_int_equal(w.port.network_id.b[0], 0x90);
	assert_true(there(c, "vrfs/%s/ports/" ID));
	assert_true(there(c, "bindings/hv1/" ID));
	value = client_value(c, EAST "bindings/hv1/" ID);
	assert_non_null(strstr(value, vrf));
	free(value);
	assert_true(there(c, "addresses/%s/10.0.0.5"));
	w = create(c, &p);
	assert_int_equal(w.err, -EEXIST);
	assert_int_equal(del(c, &p), 0);
	assert_false(there(c, "vrfs/%s/ports/"));
	assert_false(there(c, "bindings/"));
	assert_false(there(c, "addresses/"));
	assert_int_equal(del(c, &p), -ENOENT);
}

static void what_is_wrong_is_refused(void **state)
{
	struct client *c = *state;
	struct sr_port taken = numbered(200, ""), p;
	struct written w;

	taken.n_addrs = 1;
	assert_int_equal(sr_addr_parse("10.0.0.3", &taken.addrs[0]), 0);
	assert_int_equal(create(c, &taken).err, 0);
	const struct {
		const char *what, *node, *addr;
		int err;
		const char *text;
	} cases[] = {
		{"no such node", "hv9", NULL, -ENOENT, "Cluster east has no node hv9"},
		{"outside", "hv1", "10.0.1.1", -EINVAL, "Address 10.0.1.1 is in no subnet"},
		{"a gateway's", "hv1", "10.0.0.1", -EADDRINUSE, "is a gateway"},
		{"another port's", "hv1", "10.0.0.3", -EADDRINUSE,
		 "belongs to port 7c1ee6a4-2f0b-4c55-9d0e-3b7a61f000c8"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		sr_case("%s", cases[i].what);
		p = port(ID, cases[i].node, cases[i].addr);
		w = create(c, &p);
		assert_int_equal(w.err, cases[i].err);
		assert_non_null(strstr(w.text, cases[i].text));
		assert_false(there(c, "vrfs/%s/ports/" ID));
	}
	assert_int_equal(client_count(c, EAST "addresses/"), 1);
	p = port(ID, "", NULL);
	assert_int_equal(update(c, &p).err, -ENOENT);
	snprintf(p.vrf, sizeof(p.vrf), "vrfnone");
	assert_int_equal(create(c, &p).err, -ENOENT);
	snprintf(p.vrf, sizeof(p.vrf), "a/b");
	assert_int_equal(create(c, &p).err, -EINVAL);
	p = port(ID, "", "10.0.0.4");
	p.addrs[p.n_addrs++] = p.addrs[0];
	assert_int_equal(create(c, &p).err, -EINVAL);
}

static void addresses_are_picked(void **state)
{
	static const char *const want[] = {"10.0.0.2", "10.0.0.3",    "10.0.0.4",   "10.0.0.5",
					   "10.0.0.6", "2001:db8::1", "2001:db8::2"};
	struct client *c = *state;
	struct sr_port p;
	struct written w;

	for (unsigned int i = 0; i < ARRAY_SIZE(want); i++) {
		p = numbered(i, "");
		w = create(c, &p);
		assert_string_equal(first_addr(&w), want[i]);
	}
	p = numbered(2, "");
	assert_int_equal(del(c, &p), 0);
	p = numbered(99, "");
	w = create(c, &p);
	assert_string_equal(first_addr(&w), "10.0.0.4");
}

static bool claims(struct client *c, const char *mac)
{
	char key[128];

	snprintf(key, sizeof(key), EAST "macs/%s/%s", vrf, mac);
	return client_count(c, key) == 1;
}

static void a_mac_belongs_to_one_port(void **state)
{
	struct client *c = *state;
	struct sr_port a = port(ID, "hv1", NULL), b = numbered(7, "hv2"), clash;
	struct written w;

	assert_int_equal(create(c, &a).err, 0);
	assert_true(claims(c, "fa:16:3e:00:00:01"));
	b.mac = a.mac;
	w = create(c, &b);
	assert_int_equal(w.err, -EADDRINUSE);
	assert_non_null(strstr(w.text, "fa:16:3e:00:00:01"));
	assert_non_null(strstr(w.text, ID));
	assert_int_equal(client_count(c, EAST "addresses/"), 1);
	a.mac.b[5] = 2; /* one that changes lets go of the old one */
	assert_int_equal(update(c, &a).err, 0);
	assert_true(claims(c, "fa:16:3e:00:00:02") && !claims(c, "fa:16:3e:00:00:01"));
	assert_int_equal(create(c, &b).err, 0);
	/* One that is not given is another where the first choice is taken, and stays with an update without one. */
	clash = numbered(8, "");
	clash.id.b[13] = a.mac.b[3];
	clash.id.b[14] = a.mac.b[4];
	clash.id.b[15] = a.mac.b[5];
	memset(&clash.id.b[10], 0x77, 3);
	w = create(c, &clash);
	assert_int_equal(w.err, 0);
	assert_memory_equal(&w.port.mac, &((struct sr_mac){.b = {0xfa, 0x16, 0x3e, 0x77, 0x77, 0x77}}), 6);
	w = update(c, &clash);
	assert_int_equal(w.err, 0);
	assert_int_equal(w.port.mac.b[5], 0x77);
	assert_int_equal(del(c, &a) + del(c, &b) + del(c, &clash), 0);
	assert_int_equal(client_count(c, EAST "macs/"), 0);
}

static void a_port_moves(void **state)
{
	struct client *c = *state;
	struct sr_port p = port(ID, "hv1", NULL);
	struct written w = create(c, &p);
	int64_t before;

	assert_int_equal(w.err, 0);
	before = client_revision(c);
	w = bind_to(c, ID, "hv2");
	assert_int_equal(w.err, 0);
	assert_int_equal(client_revision(c), before + 1); /* all at once */
	assert_string_equal(w.port.node, "hv2");
	assert_int_equal(w.port.segment_node_id.b[11], 2);
	assert_string_equal(first_addr(&w), "10.0.0.2");
	assert_false(there(c, "bindings/hv1/"));
	assert_true(there(c, "bindings/hv2/" ID));
	w = bind_to(c, ID, "");
	assert_int_equal(w.err, 0);
	assert_false(w.port.has_segment_node_id);
	assert_false(there(c, "bindings/"));
	assert_int_equal(bind_to(c, ID, "hv9").err, -ENOENT);
}

static void the_state_changes_and_nothing_else(void **state)
{
	struct client *c = *state;
	struct sr_port p = port(ID, "hv1", NULL);
	struct written w = {.what = WROTE_PORT};
	int64_t before;

	memset(&p.mac, 0, sizeof(p.mac));
	assert_int_equal(written(c, sr_write_port_admin(c->etcd, "east", vrf, &p.id, false, on_written, &w), &w),
			 -ENOENT);
	w = create(c, &p);
	assert_int_equal(w.err, 0);
	assert_memory_equal(w.port.mac.b, "\xfa\x16\x3e\xf0\xc9\xe8", 6);
	assert_int_equal(bind_to(c, ID, "hv2").err, 0);
	before = client_revision(c);
	for (unsigned int i = 0; i < 2; i++) {
		w = (struct written){.what = WROTE_PORT};
		assert_int_equal(
			written(c, sr_write_port_admin(c->etcd, "east", vrf, &p.id, false, on_written, &w), &w), 0);
		assert_false(w.port.admin_state_up);
		assert_string_equal(w.port.node, "hv2");
		assert_int_equal(w.port.segment_node_id.b[11], 2);
	}
	assert_int_equal(client_revision(c), before + 1);
}

static void an_update_changes_addresses(void **state)
{
	struct client *c = *state;
	struct sr_port p = port(ID, "hv1", "10.0.0.3");
	struct written w;

	assert_int_equal(create(c, &p).err, 0);
	assert_int_equal(sr_addr_parse("10.0.0.4", &p.addrs[0]), 0);
	assert_int_equal(sr_addr_parse("2001:db8::7", &p.addrs[1]), 0);
	p.n_addrs = 2;
	assert_int_equal(update(c, &p).err, 0);
	assert_false(there(c, "addresses/%s/10.0.0.3"));
	assert_true(there(c, "addresses/%s/10.0.0.4"));
	assert_true(there(c, "addresses/%s/2001:db8::7"));
	/* Without any it keeps them, and what else is said changes. */
	p.n_addrs = 0;
	p.admin_state_up = false;
	w = update(c, &p);
	assert_int_equal(w.err, 0);
	assert_int_equal(w.port.n_addrs, 2);
	assert_false(w.port.admin_state_up);
	assert_int_equal(client_count(c, EAST "addresses/"), 2);
}

static void what_is_in_use_is_not_deleted(void **state)
{
	struct client *c = *state;
	struct sr_port p = port(ID, "hv1", NULL);
	struct written w = {};

	assert_int_equal(create(c, &p).err, 0);
	assert_int_equal(written(c, sr_write_network_delete(c->etcd, "east", vrf, 0, on_written, &w), &w), -EBUSY);
	w = (struct written){};
	assert_int_equal(written(c, sr_write_node_delete(c->etcd, "east", "hv1", on_written, &w), &w), -EBUSY);
	assert_int_equal(del(c, &p), 0);
	w = (struct written){};
	assert_int_equal(written(c, sr_write_network_delete(c->etcd, "east", vrf, 0, on_written, &w), &w), 0);
	w = (struct written){};
	assert_int_equal(written(c, sr_write_node_delete(c->etcd, "east", "hv1", on_written, &w), &w), 0);
}

/* Ports are made while their network and node are deleted, over and over: never one without the other. */
static void deletion_and_creation_do_not_miss_each_other(void **state)
{
	struct client *c = *state, other;
	unsigned int both = 0;

	client_init(&other, &server);
	for (unsigned int i = 0; i < 40; i++) {
		struct sr_port p = numbered(i, "hv1");
		struct written made = {.what = WROTE_PORT}, gone = {}, again = {};
		struct sr_vrf v = {.project_id = "644606a2903940cf8b1c06a8a1f9bd80",
				   .network_id.b = {0x90, 0x39, 0x0f}};

		assert_int_equal(sr_write_port(c->etcd, "east", &p, on_written, &made), 0);
		assert_int_equal(sr_write_network_delete(other.etcd, "east", vrf, 0, on_written, &gone), 0);
		while (!made.done || !gone.done) {
			uv_run(&c->loop, UV_RUN_NOWAIT);
			uv_run(&other.loop, UV_RUN_NOWAIT);
		}
		assert_true(!made.err != !gone.err);
		assert_true(!gone.err || gone.err == -EBUSY);
		assert_int_equal(there(c, "vrfs/%s/info"), gone.err != 0);
		assert_int_equal(there(c, "vrfs/%s/ports/"), made.err == 0);
		both |= made.err ? 1 : 2;
		if (!made.err)
			assert_int_equal(del(c, &p), 0);
		else
			assert_int_equal(written(c, sr_write_network(c->etcd, "east", &v, on_written, &again), &again),
					 0);
	}
	(void)both;
	client_fini(&other);
}

static void no_address_is_given_twice(void **state)
{
	enum { N = 200 };
	struct client *c = *state, other;
	struct written *w = calloc(N, sizeof(*w)), u = {};
	struct sr_vrf v = {};
	unsigned int made = 0;

	snprintf(v.name, sizeof(v.name), "%s", vrf);
	add_subnet(&v, "10.1.0.0/24", "10.1.0.1");
	assert_int_equal(written(c, sr_write_network_update(c->etcd, "east", &v, on_written, &u), &u), 0);
	client_init(&other, &server);
	for (unsigned int i = 0; i < N; i++) {
		struct sr_port p = numbered(i, i % 2 ? "hv1" : "hv2");

		w[i].what = WROTE_PORT;
		assert_int_equal(sr_write_port(i % 2 ? c->etcd : other.etcd, "east", &p, on_written, &w[i]), 0);
	}
	for (unsigned int i = 0; i < N; i++)
		while (!w[i].done) {
			uv_run(&c->loop, UV_RUN_NOWAIT);
			uv_run(&other.loop, UV_RUN_NOWAIT);
		}
	for (unsigned int i = 0; i < N; i++) {
		assert_true(!w[i].err || w[i].err == -EAGAIN);
		made += !w[i].err;
		for (unsigned int j = 0; j < i && !w[i].err; j++)
			assert_true(w[j].err || memcmp(&w[j].port.addrs[0], &w[i].port.addrs[0], 16) != 0);
	}
	assert_int_equal(client_count(c, EAST "addresses/"), made);
	assert_int_equal(client_count(c, EAST "bindings/"), made);
	assert_true(made > N / 2);
	client_fini(&other);
	free(w);
}

static void encap_networks(void **state)
{
	struct client *c = *state;
	struct sr_encap_rule rule = {.n_segs = 1};
	struct sr_encap encap = {.n_rules = 1, .rules = &rule};
	struct written w = {};
	char *value;
	char key[160];

	assert_int_equal(sr_uuid_parse(ID, strlen(ID), &encap.id), 0);
	snprintf(encap.project_id, sizeof(encap.project_id), "644606a2903940cf8b1c06a8a1f9bd80");
	assert_int_equal(sr_prefix_parse("10.9.0.0/16", &rule.destination), 0);
	assert_int_equal(sr_sid_parse("c1::1:a9fe:101", &rule.segs[0]), 0);
	assert_int_equal(written(c, sr_write_encap(c->etcd, "east", vrf, &encap, on_written, &w), &w), 0);
	snprintf(key, sizeof(key), EAST "vrfs/%s/encaps/" ID, vrf);
	value = client_value(c, key);
	assert_non_null(strstr(value, "10.9.0.0/16"));
	assert_non_null(strstr(value, "90390f00-0000-0000-0000-000000000000"));
	free(value);
	w = (struct written){};
	assert_int_equal(written(c, sr_write_network_delete(c->etcd, "east", vrf, 0, on_written, &w), &w), -EBUSY);
	w = (struct written){};
	assert_int_equal(written(c, sr_write_encap_delete(c->etcd, "east", vrf, &encap.id, on_written, &w), &w), 0);
	w = (struct written){};
	assert_int_equal(written(c, sr_write_encap_delete(c->etcd, "east", vrf, &encap.id, on_written, &w), &w),
			 -ENOENT);
	w = (struct written){};
	assert_int_equal(written(c, sr_write_encap(c->etcd, "east", "vrfnone", &encap, on_written, &w), &w), -ENOENT);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, connect_client, disconnect_client)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_port_with_all_that_is_its),
		CASE(what_is_wrong_is_refused),
		CASE(addresses_are_picked),
		CASE(a_mac_belongs_to_one_port),
		CASE(a_port_moves),
		CASE(the_state_changes_and_nothing_else),
		CASE(an_update_changes_addresses),
		CASE(what_is_in_use_is_not_deleted),
		CASE(deletion_and_creation_do_not_miss_each_other),
		CASE(no_address_is_given_twice),
		CASE(encap_networks),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
