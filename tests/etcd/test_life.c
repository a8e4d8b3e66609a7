// SPDX-License-Identifier: GPL-2.0-only
/* An etcd that is not there, comes late, hangs or is none; and a client that is free'd at any moment. */
#include "etcd/sync.h"
#include "unit/unit.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void down_at_start_and_up_later(void **state)
{
	struct server server;
	struct client c;
	struct done put = {};
	struct log log;

	(void)state;
	server_init(&server, 1, "http", NULL);
	client_init(&c, &server);
	log_watch(&c, &log, "a", 0);
	sr_etcd_put(c.etcd, SR_BYTES("a"), SR_BYTES("1"), 0, on_done, &put);
	run_for(&c.loop, 300);
	assert_false(put.done);
	assert_false(sr_etcd_connected(c.etcd));
	assert_int_equal(c.downs, 1); /* said once, not at every attempt */
	server_start(&server, 0);
	wait_for(&c, put.done);
	assert_int_equal(put.err, 0);
	assert_true(sr_etcd_connected(c.etcd));
	assert_int_equal(client_put(&c, "a", "2"), 0);
	wait_for(&c, log.n);
	log_fini(&log);
	client_fini(&c);
	server_fini(&server);
}

static void calls_end_in_time(void **state)
{
	struct server server;
	struct client c;
	struct kvs kvs;
	uint64_t begin;

	(void)state;
	server_init(&server, 1, "http", NULL);
	client_init_with(&c, &server, (struct sr_etcd_config){.timeout_ms = 200});
	begin = uv_hrtime();
	assert_int_equal(client_put(&c, "a", "1"), -ETIMEDOUT); /* not there */
	kvs = client_list(&c, "a");
	assert_int_equal(kvs.err, -ETIMEDOUT);
	kvs_fini(&kvs);
	assert_true(uv_hrtime() - begin < 4ULL * 1000 * 1000 * 1000); /* less than the default for one */
	server_start(&server, 0);
	wait_for(&c, sr_etcd_connected(c.etcd));
	kill(server.members[0].pid, SIGSTOP); /* there, and silent, once all its threads know */
	assert_int_equal(waitpid(server.members[0].pid, NULL, WUNTRACED), server.members[0].pid);
	begin = uv_hrtime();
	assert_int_equal(client_put(&c, "a", "1"), -ETIMEDOUT);
	assert_true(uv_hrtime() - begin < 4ULL * 1000 * 1000 * 1000);
	kill(server.members[0].pid, SIGCONT);
	wait_for(&c, !client_put(&c, "a", "2"));
	client_fini(&c);
	server_fini(&server);
}

/* ---- Peers that are no etcd: each connection gets these bytes */

struct impostor {
	uv_tcp_t tcp;
	const char *bytes;
	size_t len;
	unsigned int accepted;
	char url[48];
	uv_tcp_t *open[64];
	size_t n_open;
};

static void on_sent(uv_write_t *req, int status)
{
	(void)status;
	free(req);
}

static void on_connection(uv_stream_t *stream, int status)
{
	struct impostor *im = stream->data;
	uv_tcp_t *peer = malloc(sizeof(*peer));
	uv_write_t *req = malloc(sizeof(*req));
	uv_buf_t buf = uv_buf_init((char *)im->bytes, (unsigned int)im->len);

	assert_int_equal(status, 0);
	uv_tcp_init(stream->loop, peer);
	assert_int_equal(uv_accept(stream, (uv_stream_t *)peer), 0);
	uv_write(req, (uv_stream_t *)peer, &buf, 1, on_sent);
	im->accepted++;
	assert_true(im->n_open < ARRAY_SIZE(im->open));
	im->open[im->n_open++] = peer;
}

static void on_peer_closed(uv_handle_t *handle)
{
	free(handle);
}

static void impostor_init(struct impostor *im, uv_loop_t *loop, uint16_t port)
{
	struct sockaddr_in addr;

	uv_ip4_addr("127.0.0.1", port, &addr);
	uv_tcp_init(loop, &im->tcp);
	im->tcp.data = im;
	assert_int_equal(uv_tcp_bind(&im->tcp, (struct sockaddr *)&addr, 0), 0);
	assert_int_equal(uv_listen((uv_stream_t *)&im->tcp, 8, on_connection), 0);
}

static void impostor_fini(struct impostor *im)
{
	for (size_t i = 0; i < im->n_open; i++)
		uv_close((uv_handle_t *)im->open[i], on_peer_closed);
	uv_close((uv_handle_t *)&im->tcp, NULL);
}

static void peers_that_are_no_etcd(void **state)
{
	static const struct {
		const char *what, *bytes;
		size_t len;
		const char *text; /* what on_state says; "": nothing yet */
	} cases[] = {
		{"HTTP/1", "HTTP/1.1 400 Bad Request\r\n\r\n", 28, "127.0.0.1"},
		{"noise", "\x80\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 18, "127.0.0.1"},
		{"GOAWAY",
		 "\0\0\0\4\0\0\0\0\0" /* SETTINGS */
		 "\0\0\x0b\7\0\0\0\0\0"
		 "\0\0\0\0"
		 "\0\0\0\x0b"
		 "bye", /* error 11 */
		 29, "error 11: bye"},
		{"silence", "", 0, ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct impostor im = {.bytes = cases[i].bytes, .len = cases[i].len};
		uint16_t port = server_free_port();
		const char *url = im.url;
		struct client c;

		sr_case("%s", cases[i].what);
		snprintf(im.url, sizeof(im.url), "http://127.0.0.1:%u", port);
		client_init_with(&c, NULL,
				 (struct sr_etcd_config){.endpoints = &url, .n_endpoints = 1, .timeout_ms = 1000});
		impostor_init(&im, &c.loop, port);
		assert_true(client_put(&c, "a", "1") < 0);
		assert_true(im.accepted > 0);
		assert_true(im.accepted < 8); /* it is not besieged */
		if (*cases[i].text) {
			assert_true(c.downs > 0);
			assert_non_null(strstr(c.text, cases[i].text));
		}
		impostor_fini(&im);
		client_fini(&c);
	}
}

/* ---- Free'd at any moment */

struct counts {
	unsigned int ended, canceled;
};

static void count_done(void *ctx, const struct sr_etcd_status *status)
{
	struct counts *counts = ctx;

	counts->ended++;
	counts->canceled += status->err == -ECANCELED;
}

static void count_range(void *ctx, const struct sr_etcd_status *status, const struct sr_etcd_kv *kvs, size_t n,
			bool more)
{
	(void)kvs;
	(void)n;
	if (!more)
		count_done(ctx, status);
}

static void no_event(void *ctx, const struct sr_etcd_status *status, const struct sr_etcd_event *events, size_t n,
		     int64_t revision)
{
	(void)status;
	(void)events;
	(void)n;
	(void)revision;
	assert_false(*(bool *)ctx);
}

static void no_lease(void *ctx, int64_t id)
{
	(void)id;
	assert_false(*(bool *)ctx);
}

static void free_d_at_any_moment(void **state)
{
	struct server server;
	unsigned int canceled = 0, finished = 0;

	(void)state;
	server_up(&server, 1, NULL);
	for (unsigned int turns = 0; turns < 60; turns++) {
		struct counts counts = {};
		struct sr_etcd_watch *watch;
		struct sr_etcd_lease *lease;
		bool over = false;
		struct client c;

		client_init(&c, &server);
		for (unsigned int i = 0; i < 5; i++) {
			struct sr_etcd_range range = {.key = {"", 1}, .end = {"", 1}, .page = 1};

			assert_int_equal(sr_etcd_put(c.etcd, SR_BYTES("a"), SR_BYTES("1"), 0, count_done, &counts), 0);
			assert_int_equal(sr_etcd_range(c.etcd, &range, count_range, &counts), 0);
		}
		assert_int_equal(
			sr_etcd_watch_new(c.etcd, SR_BYTES("a"), (struct sr_bytes){}, 0, no_event, &over, &watch), 0);
		assert_int_equal(sr_etcd_lease_new(c.etcd, 10, no_lease, &over, &lease), 0);
		for (unsigned int i = 0; i < turns; i++) {
			uv_run(&c.loop, UV_RUN_NOWAIT);
			usleep(200);
		}
		sr_etcd_free(c.etcd);
		over = true;
		assert_int_equal(counts.ended, 10);
		canceled += counts.canceled;
		finished += 10 - counts.canceled;
		/* From here on nothing can be asked of it, and what is left may be given back. */
		assert_int_equal(sr_etcd_put(c.etcd, SR_BYTES("a"), SR_BYTES("1"), 0, count_done, &counts), -ECANCELED);
		if (turns % 2) {
			sr_etcd_watch_free(watch);
			sr_etcd_lease_free(lease);
		}
		uv_run(&c.loop, UV_RUN_DEFAULT);
		if (turns % 2 == 0) {
			sr_etcd_watch_free(watch);
			assert_int_equal(sr_etcd_lease_revoke(lease, NULL, NULL), -ECANCELED);
		}
		assert_int_equal(uv_loop_close(&c.loop), 0);
	}
	assert_true(canceled > 0 && finished > 0);
	sr_etcd_free(NULL);
	server_fini(&server);
}

static void free_in_page(void *ctx, const struct sr_etcd_status *status, const struct sr_etcd_kv *kvs, size_t n,
			 bool more)
{
	struct client *c = ctx;

	if (status->err) { /* ended by it, and told so */
		assert_int_equal(status->err, -ECANCELED);
		assert_false(more);
		c->ups = 1000;
		return;
	}
	assert_true(more);
	sr_etcd_free(c->etcd);
	assert_int_equal(n, 1);
	assert_int_equal(*(const char *)kvs[0].key.data, 'p'); /* ours until we return */
}

static void free_d_in_a_page(void **state)
{
	struct server server;
	struct client c;
	const struct sr_etcd_range range = {.key = SR_BYTES("p"), .end = SR_BYTES("q"), .page = 1};

	(void)state;
	server_up(&server, 1, NULL);
	client_init(&c, &server);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(client_put(&c, i == 0 ? "p0" : i == 1 ? "p1" : "p2", "v"), 0);
	assert_int_equal(sr_etcd_range(c.etcd, &range, free_in_page, &c), 0);
	uv_run(&c.loop, UV_RUN_DEFAULT);
	assert_int_equal(c.ups, 1000);
	assert_int_equal(uv_loop_close(&c.loop), 0);
	server_fini(&server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(down_at_start_and_up_later), cmocka_unit_test(calls_end_in_time),
		cmocka_unit_test(peers_that_are_no_etcd),     cmocka_unit_test(free_d_at_any_moment),
		cmocka_unit_test(free_d_in_a_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
