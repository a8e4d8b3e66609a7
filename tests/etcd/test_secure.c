// SPDX-License-Identifier: GPL-2.0-only
/* TLS with a CA of our own and client certificates; users, passwords and tokens. */
#include "etcd/sync.h"
#include "unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- TLS */

static char pki[64]; /* folder */

static const char *file(const char *name)
{
	static char paths[8][192];
	static unsigned int next;
	char *path = paths[next++ % 8];

	snprintf(path, sizeof(paths[0]), "%s/%s", pki, name);
	return path;
}

static void openssl(const char *script)
{
	char command[1024];
	const char *argv[] = {"/bin/sh", "-ec", command, NULL};

	snprintf(command, sizeof(command), "cd %s; %s", pki, script);
	run_quietly(argv);
}

#define KEY " -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
#define SIGNED(name, subject, ext)                                                                                     \
	"openssl req" KEY "-keyout " name ".key -out " name ".csr -subj /CN=" subject "; printf '" ext                 \
	"' > ext; openssl x509 -req -in " name ".csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out " name      \
	".pem -extfile ext"

static struct server tls_server;

static int setup_tls(void **state)
{
	static char cert[128], key[128], ca[128], listen[128];
	static const char *args[] = {cert, key, ca, "--client-cert-auth", listen, NULL};

	(void)state;
	snprintf(pki, sizeof(pki), "/tmp/srfabric-pki-XXXXXX");
	assert_non_null(mkdtemp(pki));
	openssl("openssl req -x509" KEY "-keyout ca.key -out ca.pem -subj /CN=ca");
	openssl("openssl req -x509" KEY "-keyout other.key -out other.pem -subj /CN=other");
	openssl(SIGNED("server", "server", "subjectAltName=IP:127.0.0.1,DNS:localhost"));
	openssl(SIGNED("client", "client", "extendedKeyUsage=clientAuth"));
	snprintf(cert, sizeof(cert), "--cert-file=%s/server.pem", pki);
	snprintf(key, sizeof(key), "--key-file=%s/server.key", pki);
	snprintf(ca, sizeof(ca), "--trusted-ca-file=%s/ca.pem", pki);
	server_init(&tls_server, 1, "https", args);
	/* At a second address, which is not in its certificate. */
	snprintf(listen, sizeof(listen), "--listen-client-urls=%s,https://127.0.0.2:%u", tls_server.members[0].url,
		 tls_server.members[0].client_port);
	server_start(&tls_server, 0);
	server_wait(&tls_server, 0);
	return 0;
}

static int teardown_tls(void **state)
{
	const char *argv[] = {"rm", "-r", pki, NULL};

	(void)state;
	server_fini(&tls_server);
	run_quietly(argv);
	return 0;
}

static struct sr_etcd_config with(const char *ca, const char *cert)
{
	char key[64];
	struct sr_etcd_config config = {.ca_file = file(ca), .timeout_ms = 3000};

	if (cert) {
		snprintf(key, sizeof(key), "%s.key", cert);
		config.key_file = file(key);
		snprintf(key, sizeof(key), "%s.pem", cert);
		config.cert_file = file(key);
	}
	return config;
}

static void certificates(void **state)
{
	char by_name[64], by_other_name[64];
	const struct {
		const char *what, *url, *ca, *cert;
		bool good;
		const char *text;
	} cases[] = {
		{"by address", NULL, "ca.pem", "client", true, ""},
		{"by name", by_name, "ca.pem", "client", true, ""},
		{"another CA", NULL, "other.pem", "client", false, "certificate"},
		{"an address that is not in it", by_other_name, "ca.pem", "client", false, "IP address mismatch"},
		{"no client certificate", NULL, "ca.pem", NULL, false, ""},
	};

	(void)state;
	snprintf(by_name, sizeof(by_name), "https://localhost:%u", tls_server.members[0].client_port);
	snprintf(by_other_name, sizeof(by_other_name), "https://127.0.0.2:%u", tls_server.members[0].client_port);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sr_etcd_config config = with(cases[i].ca, cases[i].cert);
		struct client c;

		sr_case("%s", cases[i].what);
		if (cases[i].good)
			config.timeout_ms = CALL_MS;
		if (cases[i].url) {
			config.endpoints = &cases[i].url;
			config.n_endpoints = 1;
		}
		client_init_with(&c, &tls_server, config);
		assert_int_equal(client_put(&c, "a", "1"), cases[i].good ? 0 : -ETIMEDOUT);
		assert_int_equal(sr_etcd_connected(c.etcd), cases[i].good);
		if (!cases[i].good) {
			assert_true(c.state < 0);
			assert_non_null(strstr(c.text, cases[i].text));
		}
		client_fini(&c);
	}
}

/* Many small ones, and one large one, so that records and windows are crossed. */
static void data_over_tls(void **state)
{
	enum { LEN = 1000000 };
	struct sr_etcd_config config = with("ca.pem", "client");
	struct client c;
	char *big = malloc(LEN);
	struct done done = {};
	struct log log;
	struct kvs kvs;

	(void)state;
	config.timeout_ms = CALL_MS;
	client_init_with(&c, &tls_server, config);
	log_watch(&c, &log, "d/", 0);
	wait_for(&c, log.calls == 1);
	memset(big, 'x', LEN);
	for (unsigned int i = 0; i < 20; i++) {
		char key[16];

		snprintf(key, sizeof(key), "d/%u", i);
		done = (struct done){};
		sr_etcd_put(c.etcd, SR_BYTES(key), (struct sr_bytes){big, LEN - i}, 0, on_done, &done);
		wait_for(&c, done.done);
		assert_int_equal(done.err, 0);
	}
	kvs = client_list(&c, "d/");
	assert_int_equal(kvs.n, 20);
	assert_memory_equal(kvs.list[0].value, big, LEN);
	kvs_fini(&kvs);
	wait_for(&c, log.n == 20);
	log_fini(&log);
	free(big);
	client_fini(&c);
}

static void settings_that_cannot_work(void **state)
{
	const char *https = "https://127.0.0.1:1",
		   *wrong[] = {"ftp://a",     "http://",    "http://a:0",     "http://a:70000",
			       "http://[::1", "http://a/b", "127.0.0.1:2379", ""};
	struct sr_etcd_config config = {.endpoints = &https, .n_endpoints = 1};
	struct sr_etcd *etcd = NULL;
	char err[256];
	uv_loop_t loop;

	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	config.ca_file = file("none.pem");
	assert_int_equal(sr_etcd_new(&loop, &config, &etcd, err, sizeof(err)), -EINVAL);
	assert_non_null(strstr(err, "none.pem"));
	config.ca_file = file("ca.pem");
	config.cert_file = file("client.pem");
	assert_int_equal(sr_etcd_new(&loop, &config, &etcd, err, sizeof(err)), -EINVAL);
	config.key_file = file("server.key"); /* of another certificate */
	assert_int_equal(sr_etcd_new(&loop, &config, &etcd, err, sizeof(err)), -EINVAL);
	assert_non_null(strstr(err, "server.key"));
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		sr_case("'%s'", wrong[i]);
		config = (struct sr_etcd_config){.endpoints = &wrong[i], .n_endpoints = 1};
		assert_int_equal(sr_etcd_new(&loop, &config, &etcd, err, sizeof(err)), -EINVAL);
		assert_non_null(strstr(err, wrong[i]));
	}
	config.n_endpoints = 0;
	assert_int_equal(sr_etcd_new(&loop, &config, &etcd, err, sizeof(err)), -EINVAL);
	assert_null(etcd);
	assert_int_equal(uv_loop_close(&loop), 0);
}

/* ---- Users */

static struct server auth_server;

static void ctl(const char *a, const char *b, const char *c, const char *d, const char *e, const char *f)
{
	const char *args[] = {a, b, c, d, e, f, NULL};

	server_ctl(&auth_server, args);
}

static int setup_auth(void **state)
{
	static const char *const args[] = {"--auth-token-ttl=1", NULL};

	(void)state;
	server_up(&auth_server, 1, args);
	ctl("user", "add", "root:secret", NULL, NULL, NULL);
	ctl("user", "add", "joe:pass", NULL, NULL, NULL);
	ctl("role", "add", "joe", NULL, NULL, NULL);
	ctl("role", "grant-permission", "joe", "readwrite", "j/", "j0");
	ctl("user", "grant-role", "joe", "joe", NULL, NULL);
	ctl("user", "grant-role", "root", "root", NULL, NULL);
	return 0;
}

static int teardown_auth(void **state)
{
	(void)state;
	server_fini(&auth_server);
	return 0;
}

static struct sr_etcd_config as(const char *user, const char *password)
{
	return (struct sr_etcd_config){.user = user, .password = password, .timeout_ms = CALL_MS / 2};
}

/* Before authentication is on, a user that is configured does no harm; and it goes on when it is switched on. */
static void switched_on_under_a_client(void **state)
{
	struct client c, nobody;
	struct log log;

	(void)state;
	client_init_with(&c, &auth_server, as("root", "secret"));
	client_init(&nobody, &auth_server);
	assert_int_equal(client_put(&c, "r/1", "1"), 0);
	assert_int_equal(client_put(&nobody, "r/1", "1"), 0);
	ctl("auth", "enable", NULL, NULL, NULL, NULL);
	assert_int_equal(client_put(&c, "r/1", "2"), 0);
	assert_int_equal(client_put(&nobody, "r/1", "3"), -EACCES);
	log_watch(&c, &log, "r/", 0);
	wait_for(&c, log.calls == 1);
	assert_int_equal(log.err, 0);
	log_fini(&log);
	client_fini(&nobody);
	client_fini(&c);
}

static void wrong_password(void **state)
{
	struct client c;

	(void)state;
	client_init_with(&c, &auth_server, as("root", "sesame"));
	assert_int_equal(client_put(&c, "r/1", "1"), -EACCES);
	assert_false(sr_etcd_connected(c.etcd));
	assert_int_equal(c.state, -EACCES);
	assert_non_null(strstr(c.text, "authentication failed"));
	assert_int_equal(client_put(&c, "r/1", "1"), -EACCES); /* the next one is tried anew */
	client_fini(&c);
	client_init_with(&c, &auth_server, as("nobody", "sesame"));
	assert_int_equal(client_put(&c, "r/1", "1"), -EACCES);
	client_fini(&c);
}

static void permissions(void **state)
{
	struct client c;
	struct log mine, others, again;
	struct kvs kvs;

	(void)state;
	client_init_with(&c, &auth_server, as("joe", "pass"));
	assert_int_equal(client_put(&c, "j/1", "1"), 0);
	assert_int_equal(client_put(&c, "r/1", "1"), -EACCES);
	kvs = client_list(&c, "r/");
	assert_int_equal(kvs.err, -EACCES);
	kvs_fini(&kvs);
	log_watch(&c, &mine, "j/", 0);
	log_watch(&c, &others, "r/", 0);
	wait_for(&c, mine.calls && others.err);
	assert_int_equal(others.err, -EACCES);
	assert_int_equal(client_put(&c, "j/1", "2"), 0);
	wait_for(&c, mine.n == 1);
	run_for(&c.loop, 100);
	log_watch(&c, &again, "r/", 0);
	wait_for(&c, again.err);
	assert_int_equal(again.err, -EACCES);
	assert_int_equal(client_put(&c, "j/1", "3"), 0);
	wait_for(&c, mine.n == 2);
	assert_false(mine.disorder);
	log_fini(&mine);
	log_fini(&others);
	log_fini(&again);
	client_fini(&c);
}

/* A token lives for a second here. */
static void tokens_expire(void **state)
{
	struct client c;
	struct log old, new;
	unsigned int ups;

	(void)state;
	client_init_with(&c, &auth_server, as("joe", "pass"));
	log_watch(&c, &old, "j/", 0);
	wait_for(&c, old.calls == 1);
	ups = c.ups;
	run_for(&c.loop, 2500);
	assert_int_equal(client_put(&c, "j/1", "a"), 0);
	wait_for(&c, old.n == 1);
	/* A write is applied once all the same. */
	assert_true(strstr(old.lines[0], "+j/1=a"));
	run_for(&c.loop, 12000); /* long enough for a denial to be doubted */
	log_watch(&c, &new, "j/", 0);
	wait_for(&c, new.calls >= 1);
	assert_int_equal(new.err, 0);
	assert_int_equal(client_put(&c, "j/1", "b"), 0);
	wait_for(&c, new.n == 1 && old.n == 2);
	assert_int_equal(c.downs, 0);
	assert_true(c.ups > ups); /* authenticated anew */
	assert_false(old.disorder || new.disorder);
	log_fini(&old);
	log_fini(&new);
	client_fini(&c);
}

int main(void)
{
	const struct CMUnitTest tls[] = {
		cmocka_unit_test(certificates),
		cmocka_unit_test(data_over_tls),
		cmocka_unit_test(settings_that_cannot_work),
	};
	const struct CMUnitTest auth[] = {
		cmocka_unit_test(switched_on_under_a_client),
		cmocka_unit_test(wrong_password),
		cmocka_unit_test(permissions),
		cmocka_unit_test(tokens_expire),
	};

	return cmocka_run_group_tests(tls, setup_tls, teardown_tls) +
	       cmocka_run_group_tests(auth, setup_auth, teardown_auth);
}
