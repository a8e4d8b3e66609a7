// SPDX-License-Identifier: GPL-2.0-only
/* etcd/'s pure parts: endpoints, when to connect and to PING, gRPC's frames and statuses, the arena. */
#include "etcd/arena.h"
#include "etcd/conn_fsm.h"
#include "etcd/endpoint.h"
#include "etcd/grpc.h"
#include "etcd/range_decode.h"
#include "etcd/rpc.pb-c.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

/* ---- Endpoints */

static void endpoints(void **state)
{
	static const struct {
		const char *url;
		int err;
		struct sr_endpoint want;
	} cases[] = {
		{"http://10.0.0.1:2379", 0, {false, true, "10.0.0.1", "10.0.0.1:2379", 2379}},
		{"http://10.0.0.1", 0, {false, true, "10.0.0.1", "10.0.0.1:2379", 2379}},
		{"https://etcd-1.example:443", 0, {true, false, "etcd-1.example", "etcd-1.example:443", 443}},
		{"https://[::1]:65535", 0, {true, true, "::1", "[::1]:65535", 65535}},
		{"http://[2001:db8::1]", 0, {false, true, "2001:db8::1", "[2001:db8::1]:2379", 2379}},
		{.url = "http://[10.0.0.1]", .err = -EINVAL},
		{.url = "http://::1", .err = -EINVAL},
		{.url = "http://a:", .err = -EINVAL},
		{.url = "http://a:65536", .err = -EINVAL},
		{.url = "http://a:99999999999999999999", .err = -EINVAL},
		{.url = "http://a:1x", .err = -EINVAL},
		{.url = "http://a b", .err = -EINVAL},
		{.url = "http://:1", .err = -EINVAL},
		{.url = "HTTP://a", .err = -EINVAL},
		{.url = "", .err = -EINVAL},
	};
	char *longest = calloc(1, 400);
	struct sr_endpoint ep;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		sr_case("%s", cases[i].url);
		memset(&ep, 0x55, sizeof(ep));
		assert_int_equal(sr_endpoint_parse(cases[i].url, &ep), cases[i].err);
		if (cases[i].err) {
			assert_int_equal(ep.port, 0x5555); /* untouched */
			continue;
		}
		assert_string_equal(ep.host, cases[i].want.host);
		assert_string_equal(ep.authority, cases[i].want.authority);
		assert_int_equal(ep.port, cases[i].want.port);
		assert_int_equal(ep.tls, cases[i].want.tls);
		assert_int_equal(ep.literal, cases[i].want.literal);
	}
	snprintf(longest, 8, "http://");
	memset(longest + 7, 'a', 253);
	assert_int_equal(sr_endpoint_parse(longest, &ep), 0);
	longest[7 + 253] = 'a';
	assert_int_equal(sr_endpoint_parse(longest, &ep), -EINVAL);
	free(longest);
}

/* ---- The connection */

static void fails(struct sr_conn_fsm *f, uint64_t now)
{
	assert_int_equal(sr_conn_fsm_run(f, now), SR_CONN_CONNECT);
	sr_conn_fsm_down(f, now, 0);
}

/* All endpoints at once, then pauses that double up to a bound. */
static void backoff(void **state)
{
	static const uint64_t pauses[] = {100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000};
	struct sr_conn_fsm f;
	uint64_t now = 1000;

	(void)state;
	sr_conn_fsm_init(&f, 3, 5, now);
	for (size_t round = 0; round < ARRAY_SIZE(pauses); round++) {
		for (size_t i = 0; i < 3; i++) {
			assert_int_equal(f.endpoint, (5 + i) % 3);
			assert_int_equal(sr_conn_fsm_deadline(&f), now);
			fails(&f, now);
		}
		assert_int_equal(sr_conn_fsm_deadline(&f), now + pauses[round]);
		assert_int_equal(sr_conn_fsm_run(&f, now + pauses[round] - 1), SR_CONN_NOTHING);
		now += pauses[round];
	}
}

/* Less by chance, and never by more than a quarter. */
static void backoff_varies(void **state)
{
	uint64_t least = UINT64_MAX, most = 0;

	(void)state;
	for (uint32_t random = 0; random < 1000; random++) {
		struct sr_conn_fsm f;
		uint64_t at;

		sr_conn_fsm_init(&f, 1, 0, 0);
		assert_int_equal(sr_conn_fsm_run(&f, 0), SR_CONN_CONNECT);
		sr_conn_fsm_down(&f, 0, random * 2654435761u);
		at = sr_conn_fsm_deadline(&f);
		least = at < least ? at : least;
		most = at > most ? at : most;
	}
	assert_int_equal(least, 75);
	assert_int_equal(most, 100);
}

static void setting_up_has_an_end(void **state)
{
	struct sr_conn_fsm f;

	(void)state;
	sr_conn_fsm_init(&f, 1, 0, 0);
	assert_int_equal(sr_conn_fsm_run(&f, 0), SR_CONN_CONNECT);
	assert_int_equal(sr_conn_fsm_deadline(&f), SR_CONN_SETUP_MS);
	assert_int_equal(sr_conn_fsm_run(&f, SR_CONN_SETUP_MS - 1), SR_CONN_NOTHING);
	assert_int_equal(sr_conn_fsm_run(&f, SR_CONN_SETUP_MS), SR_CONN_FAIL);
}

static void up(struct sr_conn_fsm *f, uint64_t now)
{
	sr_conn_fsm_init(f, 2, 0, now);
	assert_int_equal(sr_conn_fsm_run(f, now), SR_CONN_CONNECT);
	sr_conn_fsm_up(f, now);
}

static void pings_only_while_something_is_under_way(void **state)
{
	struct sr_conn_fsm f;

	(void)state;
	up(&f, 0);
	assert_int_equal(sr_conn_fsm_deadline(&f), SR_CONN_NEVER);
	assert_int_equal(sr_conn_fsm_run(&f, 1000000), SR_CONN_NOTHING);
	sr_conn_fsm_active(&f, true); /* after a long silence at once: is it still there? */
	assert_int_equal(sr_conn_fsm_run(&f, 1000000), SR_CONN_PING);
	sr_conn_fsm_rx(&f, 1000001);
	assert_int_equal(sr_conn_fsm_deadline(&f), 1000001 + SR_CONN_PING_MS);
	assert_int_equal(sr_conn_fsm_run(&f, 1000000 + SR_CONN_PING_MS), SR_CONN_NOTHING);
	assert_int_equal(sr_conn_fsm_run(&f, 1000001 + SR_CONN_PING_MS), SR_CONN_PING);
}

static void no_sign_of_life_after_a_ping(void **state)
{
	struct sr_conn_fsm f;
	uint64_t at = SR_CONN_PING_MS;

	(void)state;
	up(&f, 0);
	sr_conn_fsm_active(&f, true);
	assert_int_equal(sr_conn_fsm_run(&f, at), SR_CONN_PING);
	assert_int_equal(sr_conn_fsm_run(&f, at + SR_CONN_PING_WAIT_MS - 1), SR_CONN_NOTHING);
	assert_int_equal(sr_conn_fsm_run(&f, at + SR_CONN_PING_WAIT_MS), SR_CONN_FAIL);
	sr_conn_fsm_down(&f, at + SR_CONN_PING_WAIT_MS, 0);
	assert_int_equal(f.endpoint, 1);
	assert_int_equal(sr_conn_fsm_run(&f, at + SR_CONN_PING_WAIT_MS), SR_CONN_CONNECT);
	/* What went idle was not listened to. */
	up(&f, 0);
	sr_conn_fsm_active(&f, true);
	assert_int_equal(sr_conn_fsm_run(&f, at), SR_CONN_PING);
	sr_conn_fsm_active(&f, false);
	sr_conn_fsm_active(&f, true);
	assert_int_equal(sr_conn_fsm_run(&f, at + SR_CONN_PING_WAIT_MS), SR_CONN_NOTHING);
	assert_int_equal(sr_conn_fsm_run(&f, at + SR_CONN_PING_MS), SR_CONN_PING);
}

/* A connection that lasted clears the record; one that breaks at once does not. */
static void failures_are_forgotten(void **state)
{
	struct sr_conn_fsm f;

	(void)state;
	for (int stable = 0; stable < 2; stable++) {
		uint64_t now = 0;

		sr_conn_fsm_init(&f, 1, 0, 0);
		for (int i = 0; i < 5; i++) {
			now = sr_conn_fsm_deadline(&f);
			fails(&f, now);
		}
		now = sr_conn_fsm_deadline(&f);
		assert_int_equal(sr_conn_fsm_run(&f, now), SR_CONN_CONNECT);
		sr_conn_fsm_up(&f, now);
		now += SR_CONN_STABLE_MS - !stable;
		sr_conn_fsm_down(&f, now, 0);
		assert_int_equal(sr_conn_fsm_deadline(&f), now + (stable ? 100 : 3200));
	}
}

/* ---- gRPC */

static size_t frame(uint8_t *buf, uint8_t flags, size_t claimed, const char *text)
{
	const uint8_t head[] = {flags, (uint8_t)(claimed >> 24), (uint8_t)(claimed >> 16), (uint8_t)(claimed >> 8),
				(uint8_t)claimed};
	size_t len;

	memcpy(buf, head, sizeof(head));
	for (len = 0; text[len]; len++)
		buf[sizeof(head) + len] = (uint8_t)text[len];
	return sizeof(head) + len;
}

/* The same messages whatever pieces they come in. */
static void messages_in_pieces(void **state)
{
	static const char *const texts[] = {"", "one", "", "", "three and more"};
	uint8_t buf[128];
	size_t len = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		len += frame(buf + len, 0, strlen(texts[i]), texts[i]);
	for (size_t piece = 1; piece <= len; piece++) {
		struct sr_grpc_reader reader = {};
		struct sr_grpc_message *message;
		size_t n = 0;

		for (size_t at = 0; at < len; at += piece) {
			const uint8_t *data = buf + at;
			size_t left = len - at < piece ? len - at : piece;

			while (sr_grpc_read(&reader, &data, &left, &message) == 1) {
				assert_true(n < ARRAY_SIZE(texts));
				assert_int_equal(message->len, strlen(texts[n]));
				assert_memory_equal(message->data, texts[n], message->len);
				free(message);
				n++;
				if (!left)
					break;
			}
			assert_int_equal(left, 0);
		}
		assert_int_equal(n, ARRAY_SIZE(texts));
		sr_grpc_reader_fini(&reader);
	}
}

static void messages_that_are_refused(void **state)
{
	static const struct {
		size_t claimed;
		int err;
		uint8_t flags;
	} cases[] = {{3, -EBADMSG, 1},
		     {3, -EBADMSG, 0x80},
		     {SR_GRPC_MESSAGE_MAX + 1, -EMSGSIZE, 0},
		     {0xffffffff, -EMSGSIZE, 0},
		     {SR_GRPC_MESSAGE_MAX, 0, 0}}; /* the last one takes memory for what came only */

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sr_grpc_reader reader = {};
		struct sr_grpc_message *message = NULL;
		uint8_t buf[16];
		const uint8_t *data = buf;
		size_t len = frame(buf, cases[i].flags, cases[i].claimed, "abc");

		sr_case("row %zu", i);
		assert_int_equal(sr_grpc_read(&reader, &data, &len, &message), cases[i].err);
		assert_null(message);
		assert_true(reader.size <= 65536);
		sr_grpc_reader_fini(&reader);
	}
}

static void packed_messages_are_read(void **state)
{
	Pb__PutRequest put = PB__PUT_REQUEST__INIT;
	struct sr_grpc_reader reader = {};
	struct sr_grpc_message *message;
	const uint8_t *data;
	uint8_t *buf;
	size_t len, left;

	(void)state;
	put.key = (ProtobufCBinaryData){3, (uint8_t *)"key"};
	assert_int_equal(sr_grpc_pack(&put.base, &buf, &len), 0);
	assert_int_equal(len, 5 + 5);
	data = buf;
	left = len;
	assert_int_equal(sr_grpc_read(&reader, &data, &left, &message), 1);
	assert_memory_equal(message->data, "\x0a\x03key", 5);
	free(message);
	free(buf);
}

static void statuses(void **state)
{
	static const struct {
		int code;
		const char *text;
		int reads, writes;
	} cases[] = {
		{0, "", 0, 0},
		{1, "context canceled", -EAGAIN, -ECONNRESET},
		{2, "whatever", -EIO, -EIO},
		{3, "etcdserver: key is not provided", -EINVAL, -EINVAL},
		{3, "etcdserver: authentication failed, invalid user ID or password", -EACCES, -EACCES},
		{3, "etcdserver: user name is empty", -EACCES, -EACCES},
		{5, "etcdserver: requested lease not found", -ENOENT, -ENOENT},
		{7, "etcdserver: permission denied", -EACCES, -EACCES},
		{8, "etcdserver: mvcc: database space exceeded", -ENOSPC, -ENOSPC},
		{8, "etcdserver: too many requests", -EAGAIN, -EAGAIN},
		{8, "grpc: received message larger than max", -EINVAL, -EINVAL},
		{9, "etcdserver: authentication is not enabled", -EINVAL, -EINVAL},
		{11, "etcdserver: mvcc: required revision has been compacted", -EKEYEXPIRED, -EKEYEXPIRED},
		{11, "etcdserver: mvcc: required revision is a future revision", -EINVAL, -EINVAL},
		{14, "etcdserver: no leader", -EAGAIN, -EAGAIN},
		{14, "etcdserver: request timed out", -EAGAIN, -ECONNRESET},
		{14, "etcdserver: server stopped", -EAGAIN, -ECONNRESET},
		{16, "etcdserver: invalid auth token", -EACCES, -EACCES},
		{99, "", -EIO, -EIO},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sr_grpc_status status = {.code = cases[i].code};

		sr_case("%d %s", cases[i].code, cases[i].text);
		snprintf(status.text, sizeof(status.text), "%s", cases[i].text);
		assert_int_equal(sr_grpc_errno(&status, false), cases[i].reads);
		assert_int_equal(sr_grpc_errno(&status, true), cases[i].writes);
	}
	assert_int_equal(sr_grpc_errno(&(struct sr_grpc_status){.code = -1, .err = -ECONNRESET}, true), -ECONNRESET);
}

static void texts(void **state)
{
	static const struct {
		const char *raw, *want;
	} cases[] = {{"plain", "plain"},       {"a%20b", "a b"},     {"%4", "%4"},     {"%zz", "%zz"},
		     {"%0a%1b[31m", "??[31m"}, {"%e2%82%ac", "???"}, {"100%", "100%"}, {"", ""}};
	char text[SR_GRPC_TEXT_SIZE], longer[2 * SR_GRPC_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		sr_grpc_text((const uint8_t *)cases[i].raw, strlen(cases[i].raw), text);
		assert_string_equal(text, cases[i].want);
	}
	memset(longer, 'x', sizeof(longer));
	sr_grpc_text((const uint8_t *)longer, sizeof(longer), text);
	assert_int_equal(strlen(text), SR_GRPC_TEXT_SIZE - 1);
}

/* ---- The answer to Range */

static void pages_are_read_in_place(void **state)
{
	Pb__RangeResponse response = PB__RANGE_RESPONSE__INIT;
	Pb__Header header = PB__HEADER__INIT;
	Pb__KeyValue kvs[2] = {PB__KEY_VALUE__INIT, PB__KEY_VALUE__INIT}, *list[2] = {&kvs[0], &kvs[1]};
	struct sr_range_page page;
	struct sr_arena arena;
	uint8_t *buf;
	size_t len;

	(void)state;
	header.cluster_id = header.member_id = UINT64_MAX;
	header.revision = 1LL << 40;
	kvs[0].key = (ProtobufCBinaryData){1, (uint8_t *)"a"};
	kvs[1].key = (ProtobufCBinaryData){2, (uint8_t *)"bc"};
	kvs[1].value = (ProtobufCBinaryData){5, (uint8_t *)"value"};
	kvs[1].create_revision = 7;
	kvs[1].mod_revision = INT64_MAX;
	kvs[1].version = 1;
	kvs[1].lease = -1;
	response.header = &header;
	response.kvs = list;
	response.n_kvs = 2;
	response.more = true;
	assert_int_equal(sr_grpc_pack(&response.base, &buf, &len), 0);
	sr_arena_init(&arena, 1000);
	assert_int_equal(sr_range_decode(&arena, buf + 5, len - 5, &page), 0);
	assert_int_equal(page.revision, 1LL << 40);
	assert_true(page.more);
	assert_int_equal(page.n, 2);
	assert_int_equal(page.kvs[0].value.len, 0);
	assert_int_equal(page.kvs[1].key.len, 2);
	assert_memory_equal(page.kvs[1].value.data, "value", 5);
	assert_true((const uint8_t *)page.kvs[1].value.data > buf &&
		    (const uint8_t *)page.kvs[1].value.data < buf + len);
	assert_int_equal(page.kvs[1].create_revision, 7);
	assert_int_equal(page.kvs[1].mod_revision, INT64_MAX);
	assert_int_equal(page.kvs[1].version, 1);
	assert_int_equal(page.kvs[1].lease, -1);
	/* Cut off anywhere it is refused, or a shorter page. */
	for (size_t cut = 0; cut < len - 5; cut++) {
		int r = sr_range_decode(&arena, buf + 5, cut, &page);

		assert_true(r == -EBADMSG || (r == 0 && page.n <= 2));
		sr_arena_reset(&arena, 0);
	}
	sr_arena_fini(&arena);
	sr_arena_init(&arena, 64);
	assert_int_equal(sr_range_decode(&arena, buf + 5, len - 5, &page), -ENOMEM);
	sr_arena_fini(&arena);
	free(buf);
}

static void pages_that_are_refused(void **state)
{
	static const struct {
		const char *what, *bytes;
		size_t len;
		int err;
		size_t n;
	} cases[] = {
		{"empty", "", 0, 0, 0},
		{"a key without members", "\x12\x00", 2, 0, 1},
		{"unknown fields",
		 "\x22\x01x\x29"
		 "12345678"
		 "\x35"
		 "1234"
		 "\x38\x7f",
		 19, 0, 0},
		{"length beyond the end",
		 "\x12\x05"
		 "abc",
		 5, -EBADMSG, 0},
		{"length of 2^64 - 1", "\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11, -EBADMSG, 0},
		{"a key in a key that is too long", "\x12\x02\x0a\x05", 4, -EBADMSG, 0},
		{"a number for a key", "\x12\x02\x08\x01", 4, -EBADMSG, 0},
		{"bytes for a revision", "\x12\x03\x1a\x01x", 5, -EBADMSG, 0},
		{"a number for the list", "\x10\x01", 2, -EBADMSG, 0},
		{"field 0", "\x02\x00", 2, -EBADMSG, 0},
		{"a group", "\x13", 1, -EBADMSG, 0},
		{"a tag cut off", "\x80", 1, -EBADMSG, 0},
		{"a number that does not end", "\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12, -EBADMSG, 0},
		{"four bytes cut off",
		 "\x35"
		 "123",
		 4, -EBADMSG, 0},
		{"eight bytes cut off",
		 "\x29"
		 "1234567",
		 8, -EBADMSG, 0},
	};
	struct sr_arena arena;

	(void)state;
	sr_arena_init(&arena, 1000);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sr_range_page page = {.n = 99};

		sr_case("%s", cases[i].what);
		assert_int_equal(sr_range_decode(&arena, (const uint8_t *)cases[i].bytes, cases[i].len, &page),
				 cases[i].err);
		assert_int_equal(page.n, cases[i].err ? 99 : cases[i].n);
		sr_arena_reset(&arena, 0);
	}
	sr_arena_fini(&arena);
}

/* ---- The arena */

static void arenas(void **state)
{
	struct sr_arena arena;
	uint8_t *a, *b;

	(void)state;
	sr_arena_init(&arena, 1000000);
	for (unsigned int round = 0; round < 3; round++) {
		size_t total = 0;

		for (size_t size = 0; (a = sr_arena_alloc(&arena, size)); size += 7) {
			assert_int_equal((uintptr_t)a % 16, 0);
			memset(a, (int)size, size); /* all of it is ours */
			total += size;
		}
		assert_true(total > 800000 && arena.held <= 1000000);
		sr_arena_reset(&arena, (size_t)40000 * round);
		assert_true(arena.held <= (size_t)40000 * round);
	}
	a = sr_arena_alloc(&arena, 1);
	b = sr_arena_alloc(&arena, 1);
	assert_true(a && b && a != b);
	assert_null(sr_arena_alloc(&arena, 1000001));
	assert_null(sr_arena_alloc(&arena, SIZE_MAX));
	sr_arena_fini(&arena);
	assert_int_equal(arena.held, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(endpoints),
		cmocka_unit_test(backoff),
		cmocka_unit_test(backoff_varies),
		cmocka_unit_test(setting_up_has_an_end),
		cmocka_unit_test(pings_only_while_something_is_under_way),
		cmocka_unit_test(no_sign_of_life_after_a_ping),
		cmocka_unit_test(failures_are_forgotten),
		cmocka_unit_test(messages_in_pieces),
		cmocka_unit_test(messages_that_are_refused),
		cmocka_unit_test(packed_messages_are_read),
		cmocka_unit_test(statuses),
		cmocka_unit_test(texts),
		cmocka_unit_test(pages_are_read_in_place),
		cmocka_unit_test(pages_that_are_refused),
		cmocka_unit_test(arenas),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
