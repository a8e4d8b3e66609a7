// SPDX-License-Identifier: GPL-2.0-only
/* Clusters' vrf_cidrs and networks' VRFs: what is claimed, by whom it may be taken, and many writers at once. */
#include "etcd/writing.h"
#include "unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define ROOT "/srfabric/v1/"
#define EAST ROOT "clusters/east/"
#define WRITERS 8

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

static struct written set_cidr(struct client *c, const char *cluster, const char *cidr)
{
	struct written w = {.what = WROTE_CIDR};
	struct sr_prefix prefix;

	assert_int_equal(sr_prefix_parse(cidr, &prefix), 0);
	w.err = written(c, sr_write_cluster(c->etcd, cluster, &prefix, on_written, &w), &w);
	return w;
}

static struct written get_cidr(struct client *c, const char *cluster)
{
	struct written w = {.what = WROTE_CIDR};

	w.err = written(c, sr_read_cluster(c->etcd, cluster, on_written, &w), &w);
	return w;
}

static struct sr_vrf network(const char *project, const char *id)
{
	struct sr_vrf vrf = {.mtu = 1400};

	snprintf(vrf.project_id, sizeof(vrf.project_id), "%s", project);
	assert_int_equal(sr_uuid_parse(id, strlen(id), &vrf.network_id), 0);
	return vrf;
}

static struct sr_vrf numbered(unsigned int i)
{
	char id[SR_UUID_STRLEN];

	snprintf(id, sizeof(id), "%06x00-0000-0000-0000-000000000000", i);
	return network("644606a2903940cf8b1c06a8a1f9bd80", id);
}

static struct written create(struct client *c, const struct sr_vrf *vrf)
{
	struct written w = {.what = WROTE_VRF};

	w.err = written(c, sr_write_network(c->etcd, "east", vrf, on_written, &w), &w);
	return w;
}

static struct written del(struct client *c, const char *name)
{
	struct written w = {};

	w.err = written(c, sr_write_network_delete(c->etcd, "east", name, 0, on_written, &w), &w);
	return w;
}

#define assert_value(c, key, expected)                                                                                 \
	do {                                                                                                           \
		char *value_ = client_value(c, key);                                                                   \
		assert_string_equal(value_, expected);                                                                 \
		free(value_);                                                                                          \
	} while (0)

/* ---- vrf_cidr */

static void vrf_cidrs_do_not_overlap(void **state)
{
	static const struct {
		const char *cluster, *cidr;
		int err;
		const char *text;
	} cases[] = {
		{"east", "169.254.1.0/24", 0, ""},
		{"east", "169.254.1.0/24", 0, ""},
		{"west", "169.254.2.0/24", 0, ""},
		{"north", "169.254.2.128/25", -EADDRINUSE,
		 "vrf_cidr 169.254.2.128/25 of cluster north overlaps 169.254.2.0/24 of cluster west."},
		{"north", "169.254.0.0/16", -EADDRINUSE, NULL},
		{"west", "169.254.1.0/24", -EADDRINUSE,
		 "vrf_cidr 169.254.1.0/24 of cluster west overlaps 169.254.1.0/24 of cluster east."},
		{"west", "169.254.3.0/24", 0, ""}, /* no network there yet */
		{"north", "169.254.2.0/24", 0, ""},
		{"south", "10.0.0.0/31", -EINVAL, NULL},
		{"south", "2001:db8::/64", -EINVAL, NULL},
		{"so/uth", "10.0.0.0/24", -EINVAL, NULL},
	};
	struct client *c = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct written w = set_cidr(c, cases[i].cluster, cases[i].cidr);

		sr_case("%s %s", cases[i].cluster, cases[i].cidr);
		assert_int_equal(w.err, cases[i].err);
		if (cases[i].text)
			assert_string_equal(w.text, cases[i].text);
	}
	assert_value(c, ROOT "vrf_cidrs",
		     "{\"east\":\"169.254.1.0/24\",\"north\":\"169.254.2.0/24\",\"west\":\"169.254.3.0/24\"}");
	assert_int_equal(get_cidr(c, "west").err, 0);
	assert_int_equal(get_cidr(c, "south").err, -ENOENT);
}

static void a_vrf_cidr_in_use_stays(void **state)
{
	struct client *c = *state;
	struct sr_vrf vrf = numbered(1);
	struct written w, made;

	assert_int_equal(set_cidr(c, "east", "169.254.1.0/24").err, 0);
	made = create(c, &vrf);
	assert_int_equal(made.err, 0);
	w = set_cidr(c, "east", "169.254.9.0/24");
	assert_int_equal(w.err, -EBUSY);
	assert_string_equal(w.text,
			    "1 network of cluster east has an address of its vrf_cidr 169.254.1.0/24 (169.254.1.1); "
			    "one that was deleted counts for 5 minutes.");
	w.done = false;
	assert_int_equal(written(c, sr_write_cluster_delete(c->etcd, "east", on_written, &w), &w), -EBUSY);
	assert_int_equal(del(c, made.vrf.name).err, 0);
	assert_int_equal(set_cidr(c, "east", "169.254.9.0/24").err, 0);
	w = (struct written){};
	assert_int_equal(written(c, sr_write_cluster_delete(c->etcd, "east", on_written, &w), &w), 0);
	assert_int_equal(get_cidr(c, "east").err, -ENOENT);
	assert_value(c, ROOT "vrf_cidrs", "{}");
}

static void bad_vrf_cidrs_are_not_overwritten(void **state)
{
	static const char *const values[] = {"", "[]", "{\"west\":7}", "{\"west\":\"169.254.0/24\"}"};
	struct client *c = *state;

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		sr_case("%s", values[i]);
		assert_int_equal(client_put(c, ROOT "vrf_cidrs", values[i]), 0);
		assert_int_equal(set_cidr(c, "east", "169.254.1.0/24").err, -EBADMSG);
		assert_value(c, ROOT "vrf_cidrs", values[i]);
	}
}

/* ---- networks */

static void a_network_gets_a_name_and_an_address(void **state)
{
	struct client *c = *state;
	struct sr_vrf vrf = network("644606a2903940cf8b1c06a8a1f9bd80", "90390f7a-51c6-4f4f-8f3c-2b0f5d7e4a11");
	char ip[INET_ADDRSTRLEN];
	struct written w = create(c, &vrf);

	assert_int_equal(w.err, -ENOENT);
	assert_non_null(strstr(w.text, "Cluster east has no vrf_cidr"));
	assert_int_equal(set_cidr(c, "east", "169.254.1.0/24").err, 0);
	w = create(c, &vrf);
	assert_int_equal(w.err, 0);
	assert_string_equal(w.vrf.name, "vrf64460690390f");
	assert_string_equal(sr_function_format(w.vrf.vrf_ip, ip), "169.254.1.1");
	assert_int_equal(w.vrf.mtu, 1400);
	assert_value(c, EAST "vrf_ips/169.254.1.1", "{\"vrf\":\"vrf64460690390f\"}");
	assert_int_equal(client_count(c, EAST "vrfs/vrf64460690390f/info"), 1);
	/* Again: it has one. */
	w = create(c, &vrf);
	assert_int_equal(w.err, -EEXIST);
	assert_string_equal(w.text, "The network has VRF vrf64460690390f in cluster east already.");
	assert_int_equal(client_count(c, EAST), 2);
}

static void names_that_collide_get_another_digit(void **state)
{
	struct client *c = *state;
	struct sr_vrf a = network("644606a2903940cf8b1c06a8a1f9bd80", "90390f00-0000-0000-0000-000000000001");
	struct sr_vrf b = network("644606a2903940cf8b1c06a8a1f9bd80", "90390f00-0000-0000-0000-000000000002");
	struct written w;

	assert_int_equal(set_cidr(c, "east", "169.254.0.0/16").err, 0);
	assert_string_equal(create(c, &a).vrf.name, "vrf64460690390f");
	assert_string_equal(create(c, &b).vrf.name, "vrf644606903900");
	/* With its first name free again it still has the other. */
	assert_int_equal(del(c, "vrf64460690390f").err, 0);
	w = create(c, &b);
	assert_int_equal(w.err, -EEXIST);
	assert_non_null(strstr(w.text, "vrf644606903900"));
	/* All sixteen. */
	for (unsigned int i = 0; i < 15; i++) {
		b.network_id.b[15] = (uint8_t)(16 + i);
		assert_int_equal(create(c, &b).err, 0);
	}
	b.network_id.b[15] = 99;
	assert_int_equal(create(c, &b).err, -ENOSPC);
	assert_int_equal(client_count(c, EAST "vrfs/"), 16);
}

static void vrf_ips_run_out_and_come_back(void **state)
{
	struct client *c = *state;
	struct written w[7];

	assert_int_equal(set_cidr(c, "east", "169.254.1.8/29").err, 0);
	for (unsigned int i = 0; i < 7; i++) {
		struct sr_vrf vrf = numbered(i);
		char ip[INET_ADDRSTRLEN], want[INET_ADDRSTRLEN];

		w[i] = create(c, &vrf);
		assert_int_equal(w[i].err, i < 6 ? 0 : -ENOSPC);
		if (i == 6)
			break;
		snprintf(want, sizeof(want), "169.254.1.%u", 9 + i);
		assert_string_equal(sr_function_format(w[i].vrf.vrf_ip, ip), want);
	}
	assert_int_equal(del(c, w[3].vrf.name).err, 0);
	assert_int_equal(client_count(c, EAST "vrf_ips/"), 5);
	w[6].vrf = numbered(6);
	assert_int_equal(create(c, &w[6].vrf).vrf.vrf_ip.v, w[3].vrf.vrf_ip.v);
	assert_int_equal(del(c, w[3].vrf.name).err, -ENOENT);
}

/* The vrf_ip of a network that is gone is nobody's for a while, and then comes back by itself. */
static void a_freed_vrf_ip_is_given_to_nobody_for_a_while(void **state)
{
	struct client *c = *state;
	struct sr_vrf a = numbered(1), b = numbered(2);
	struct written w[3] = {}, gone = {};

	assert_int_equal(set_cidr(c, "east", "169.254.1.8/30").err, 0); /* room for two */
	w[0] = create(c, &a);
	assert_int_equal(w[0].err, 0);
	assert_int_equal(
		written(c, sr_write_network_delete(c->etcd, "east", w[0].vrf.name, 2, on_written, &gone), &gone), 0);
	assert_value(c, EAST "vrf_ips/169.254.1.9", "{\"vrf\":\"vrf644606000001\",\"freed\":true}");
	w[1] = create(c, &b);
	assert_int_equal(w[1].err, 0);
	assert_int_not_equal(w[1].vrf.vrf_ip.v, w[0].vrf.vrf_ip.v);
	w[2] = create(c, &a);
	assert_int_equal(w[2].err, -ENOSPC);
	for (int i = 0; i < 600 && w[2].err == -ENOSPC; i++) { /* etcd looks twice a second, on a quiet machine */
		run_for(&c->loop, 100);
		w[2] = create(c, &a);
	}
	assert_int_equal(w[2].err, 0);
	assert_int_equal(w[2].vrf.vrf_ip.v, w[0].vrf.vrf_ip.v);
	assert_value(c, EAST "vrf_ips/169.254.1.9", "{\"vrf\":\"vrf644606000001\"}");
}

static void an_update_changes_what_may_change(void **state)
{
	struct client *c = *state;
	struct sr_vrf vrf = numbered(1);
	struct written made, w = {.what = WROTE_VRF};
	char key[128];
	char *value, *newer;

	assert_int_equal(set_cidr(c, "east", "169.254.1.0/24").err, 0);
	made = create(c, &vrf);
	assert_int_equal(made.err, 0);
	snprintf(key, sizeof(key), EAST "vrfs/%s/info", made.vrf.name);
	value = client_value(c, key);
	value[strlen(value) - 1] = '\0';
	assert_true(asprintf(&newer, "%s,\"colour\":\"blue\"}", value) > 0); /* of a later version */
	free(value);
	assert_int_equal(client_put(c, key, newer), 0);
	free(newer);
	vrf = made.vrf;
	vrf.vrf_ip.v = 0;
	vrf.mtu = 9000;
	snprintf(vrf.network_name, sizeof(vrf.network_name), "net");
	assert_int_equal(written(c, sr_write_network_update(c->etcd, "east", &vrf, on_written, &w), &w), 0);
	assert_int_equal(w.vrf.mtu, 9000);
	assert_string_equal(w.vrf.network_name, "net");
	assert_int_equal(w.vrf.vrf_ip.v, made.vrf.vrf_ip.v);
	value = client_value(c, key);
	assert_non_null(strstr(value, "\"colour\":\"blue\""));
	free(value);
	snprintf(vrf.name, sizeof(vrf.name), "vrfnone");
	w = (struct written){};
	assert_int_equal(written(c, sr_write_network_update(c->etcd, "east", &vrf, on_written, &w), &w), -ENOENT);
}

static void a_network_in_use_stays(void **state)
{
	static const char *const uses[] = {"ports/7c1ee6a4-2f0b-4c55-9d0e-3b7a61f0c9e8",
					   "encaps/7c1ee6a4-2f0b-4c55-9d0e-3b7a61f0c9e8"};
	struct client *c = *state;
	struct sr_vrf vrf = numbered(1);
	struct written made;
	char key[128];

	assert_int_equal(set_cidr(c, "east", "169.254.1.0/24").err, 0);
	made = create(c, &vrf);
	for (size_t i = 0; i < ARRAY_SIZE(uses); i++) {
		struct written w;

		sr_case("%s", uses[i]);
		snprintf(key, sizeof(key), EAST "vrfs/%s/%s", made.vrf.name, uses[i]);
		assert_int_equal(client_put(c, key, "{}"), 0);
		w = del(c, made.vrf.name);
		assert_int_equal(w.err, -EBUSY);
		assert_non_null(strstr(w.text, i ? "0 ports and 1 encap network:" : "1 port and 0 encap networks:"));
		assert_int_equal(client_delete(c, key), 0);
	}
	assert_int_equal(del(c, made.vrf.name).err, 0);
	assert_int_equal(client_count(c, EAST), 0);
}

/* ---- many at once */

/* Several clients create networks over one small vrf_cidr: each gets its own address, and none is lost. */
static void no_vrf_ip_is_given_twice(void **state)
{
	enum { EACH = 15 };
	struct client *c = *state, *writers = calloc(WRITERS, sizeof(*writers));
	struct written *w = calloc((size_t)WRITERS * EACH, sizeof(*w));
	struct kvs ips;

	assert_int_equal(set_cidr(c, "east", "169.254.1.0/25").err, 0); /* 126 for 120 */
	for (unsigned int i = 0; i < WRITERS; i++)
		client_init(&writers[i], &server);
	for (unsigned int i = 0; i < WRITERS * EACH; i++) {
		struct sr_vrf vrf = numbered(i);

		w[i].what = WROTE_VRF;
		assert_int_equal(sr_write_network(writers[i % WRITERS].etcd, "east", &vrf, on_written, &w[i]), 0);
	}
	for (bool all = false; !all;) {
		all = true;
		for (unsigned int i = 0; i < WRITERS; i++)
			uv_run(&writers[i].loop, UV_RUN_NOWAIT);
		for (unsigned int i = 0; i < WRITERS * EACH; i++)
			all = all && w[i].done;
	}
	ips = client_list(c, EAST "vrf_ips/");
	for (unsigned int i = 0; i < WRITERS * EACH; i++) {
		char key[128];

		if (w[i].err) { /* came away empty-handed, and left nothing */
			assert_int_equal(w[i].err, -EAGAIN);
			ips.n++;
			continue;
		}
		for (unsigned int j = 0; j < i; j++)
			assert_true(w[j].err || w[i].vrf.vrf_ip.v != w[j].vrf.vrf_ip.v);
		snprintf(key, sizeof(key), EAST "vrfs/%s/info", w[i].vrf.name);
		assert_int_equal(client_count(c, key), 1);
	}
	assert_int_equal(ips.n, (size_t)WRITERS * EACH);
	for (unsigned int i = 0; i < WRITERS * EACH; i++)
		ips.n -= w[i].err != 0;
	kvs_fini(&ips);
	for (unsigned int i = 0; i < WRITERS; i++)
		client_fini(&writers[i]);
	free(writers);
	free(w);
}

/* One network, made by many at once: one VRF. */
static void one_network_one_vrf(void **state)
{
	struct client *c = *state;
	struct sr_vrf vrf = numbered(1);
	struct written w[10] = {};
	unsigned int made = 0;

	assert_int_equal(set_cidr(c, "east", "169.254.1.0/24").err, 0);
	for (size_t i = 0; i < ARRAY_SIZE(w); i++)
		assert_int_equal(sr_write_network(c->etcd, "east", &vrf, on_written, &w[i]), 0);
	for (size_t i = 0; i < ARRAY_SIZE(w); i++) {
		int err = written(c, 0, &w[i]);

		assert_true(!err || err == -EEXIST);
		made += !err;
	}
	assert_int_equal(made, 1);
	assert_int_equal(client_count(c, EAST), 2);
}

/* etcd is killed again and again while networks are made: what was said to be made is, and nothing is half there. */
static void nothing_is_half_made(void **state)
{
	struct client *c = *state;
	unsigned int made = 0, n = 0;
	struct kvs ips;

	assert_int_equal(set_cidr(c, "east", "169.254.0.0/16").err, 0);
	for (unsigned int round = 0; round < 5; round++) {
		struct written w[20] = {};

		for (size_t i = 0; i < ARRAY_SIZE(w); i++, n++) {
			struct sr_vrf vrf = numbered(n);

			assert_int_equal(sr_write_network(c->etcd, "east", &vrf, on_written, &w[i]), 0);
		}
		run_for(&c->loop, 1 + 3 * round); /* some are sent, some answered */
		server_kill(&server, 0);
		run_for(&c->loop, 10);
		server_start(&server, 0);
		for (size_t i = 0; i < ARRAY_SIZE(w); i++) {
			int err = written(c, 0, &w[i]);

			assert_true(!err || err == -EAGAIN || err == -ECONNRESET || err == -ETIMEDOUT);
			made += !err;
		}
	}
	ips = client_list(c, EAST "vrf_ips/");
	assert_int_equal(client_count(c, EAST "vrfs/"), ips.n);
	assert_true(ips.n >= made);
	for (size_t i = 0; i < ips.n; i++) {
		char key[128], name[32];

		assert_int_equal(sscanf(ips.list[i].value, "{\"vrf\":\"%31[^\"]", name), 1);
		snprintf(key, sizeof(key), EAST "vrfs/%s/info", name);
		assert_int_equal(client_count(c, key), 1);
	}
	kvs_fini(&ips);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, connect_client, disconnect_client)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(vrf_cidrs_do_not_overlap),
		CASE(a_vrf_cidr_in_use_stays),
		CASE(bad_vrf_cidrs_are_not_overwritten),
		CASE(a_network_gets_a_name_and_an_address),
		CASE(names_that_collide_get_another_digit),
		CASE(vrf_ips_run_out_and_come_back),
		CASE(a_freed_vrf_ip_is_given_to_nobody_for_a_while),
		CASE(an_update_changes_what_may_change),
		CASE(a_network_in_use_stays),
		CASE(no_vrf_ip_is_given_twice),
		CASE(one_network_one_vrf),
		CASE(nothing_is_half_made),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
