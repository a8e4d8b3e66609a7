// SPDX-License-Identifier: GPL-2.0-only
/*
 * What etcd/ costs: 200,000 keys of 300 bytes read, 50,000 events watched, Puts one after the other and many at once. A
 * real etcd on the same machine, so the elapsed time is mostly its own; the client's CPU is given beside it.
 */
#include "etcd/sync.h"
#include "unit/unit.h"

#include <stdlib.h>
#include <sys/resource.h>

#define KEYS 200000
#define EVENTS 50000
#define PER_TXN 100
#define VALUE_LEN 300

static struct server server;
static struct client client;
static char value[VALUE_LEN];

struct stopwatch {
	uint64_t wall;
	double cpu;
};

static double cpu_now(void)
{
	struct rusage use;

	getrusage(RUSAGE_SELF, &use);
	return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
	       (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
}

static struct stopwatch start(void)
{
	return (struct stopwatch){uv_hrtime(), cpu_now()};
}

static void report(const char *what, unsigned int n, struct stopwatch begin)
{
	double wall = (double)(uv_hrtime() - begin.wall) / 1e9, cpu = cpu_now() - begin.cpu;

	printf("%-34s %7u in %6.2f s (%8.0f/s), client's CPU %5.3f s (%6.0f ns each)\n", what, n, wall, n / wall, cpu,
	       cpu / n * 1e9);
}

static void fill(const char *prefix, unsigned int n)
{
	static char keys[PER_TXN][64];
	struct sr_etcd_op ops[PER_TXN];

	for (unsigned int i = 0; i < n; i += PER_TXN) {
		for (unsigned int k = 0; k < PER_TXN; k++) {
			snprintf(keys[k], sizeof(keys[0]), "/srfabric/v1/%s/%08u-2f0b-4c55", prefix, i + k);
			ops[k] = (struct sr_etcd_op){
				.kind = SR_ETCD_OP_PUT, .key = SR_BYTES(keys[k]), .value = {value, VALUE_LEN}};
		}
		assert_true(client_txn(&client, &(struct sr_etcd_txn){.success = ops, .n_success = PER_TXN}).succeeded);
	}
}

struct count {
	unsigned int n;
	bool done;
};

static void on_page(void *ctx, const struct sr_etcd_status *status, const struct sr_etcd_kv *kvs, size_t n, bool more)
{
	struct count *count = ctx;

	(void)kvs;
	assert_int_equal(status->err, 0);
	count->n += (unsigned int)n;
	count->done = !more;
}

static void ranges(void)
{
	static const uint32_t pages[] = {5000, 20000, 50000};

	for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
		struct sr_etcd_range range = {SR_BYTES("/srfabric/v1/r/"), SR_BYTES("/srfabric/v1/r0"),
					      .page = pages[i]};
		struct count count = {};
		struct stopwatch begin = start();
		char what[64];

		assert_int_equal(sr_etcd_range(client.etcd, &range, on_page, &count), 0);
		assert_true(run_until(&client.loop, &count.done, 60000));
		assert_int_equal(count.n, KEYS);
		snprintf(what, sizeof(what), "range, pages of %u: keys", pages[i]);
		report(what, count.n, begin);
	}
}

static void on_events(void *ctx, const struct sr_etcd_status *status, const struct sr_etcd_event *events, size_t n,
		      int64_t revision)
{
	struct count *count = ctx;

	(void)events;
	(void)revision;
	assert_int_equal(status->err, 0);
	count->n += (unsigned int)n;
	count->done = count->n == EVENTS;
}

static void watched(void)
{
	int64_t revision = client_revision(&client);
	struct sr_etcd_watch *watch;
	struct count count = {};
	struct stopwatch begin;

	fill("w", EVENTS);
	begin = start();
	assert_int_equal(sr_etcd_watch_new(client.etcd, SR_BYTES("/srfabric/v1/w/"), SR_BYTES("/srfabric/v1/w0"),
					   revision + 1, on_events, &count, &watch),
			 0);
	assert_true(run_until(&client.loop, &count.done, 60000));
	report("watch: events of the past", count.n, begin);
	sr_etcd_watch_free(watch);
}

static void on_put(void *ctx, const struct sr_etcd_status *status)
{
	struct count *count = ctx;

	assert_int_equal(status->err, 0);
	if (--count->n == 0)
		count->done = true;
}

static void puts_one_by_one(void)
{
	struct stopwatch begin = start();

	for (unsigned int i = 0; i < 2000; i++)
		assert_int_equal(client_put(&client, "p", "v"), 0);
	report("put, one after the other", 2000, begin);
}

static void puts_at_once(void)
{
	struct stopwatch begin = start();
	const unsigned int n = 20000, batch = 500;

	for (unsigned int i = 0; i < n; i += batch) {
		struct count count = {.n = batch};

		for (unsigned int k = 0; k < batch; k++)
			assert_int_equal(sr_etcd_put(client.etcd, SR_BYTES("p"), (struct sr_bytes){value, VALUE_LEN}, 0,
						     on_put, &count),
					 0);
		assert_true(run_until(&client.loop, &count.done, 60000));
	}
	report("put, 500 at once", n, begin);
}

int main(void)
{
	struct rusage use;

	memset(value, 'v', sizeof(value));
	server_up(&server, 1, NULL);
	client_init(&client, &server);
	fill("r", KEYS);
	ranges();
	watched();
	puts_one_by_one();
	puts_at_once();
	getrusage(RUSAGE_SELF, &use);
	printf("client's memory, at most: %ld MB\n", use.ru_maxrss / 1024);
	client_fini(&client);
	server_fini(&server);
	return 0;
}
