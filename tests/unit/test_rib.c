/* SPDX-License-Identifier: GPL-2.0-only */
/* model/rib.h and base/index.h: candidates, preference, pending changes; random work against a naive model. */
#include "unit.h"

#include <stdlib.h>

#include "model/rib.h"

static struct sr_prefix prefix(const char *text)
{
	struct sr_prefix p;

	assert_int_equal(sr_prefix_parse(text, &p), 0);
	return p;
}

#define SOURCE(kind, n) ((struct sr_route_source){.high = (uint32_t)(kind) << 30, .low = (n)})
#define port1 SOURCE(SR_PREF_PORT, 1)
#define port2 SOURCE(SR_PREF_PORT, 2)
#define rule9 SOURCE(SR_PREF_RULE, 9)

/* Takes everything, says it was written, and returns how much that was. */
static size_t apply_all(struct sr_rib *rib)
{
	struct sr_rib_change changes[16];
	size_t n, total = 0;

	while ((n = sr_rib_take(rib, changes, 16))) {
		for (size_t i = 0; i < n; i++)
			sr_rib_applied(rib, changes[i].pos, changes[i].want);
		total += n;
	}
	return total;
}

static uint32_t want_of(const struct sr_rib *rib, const char *text)
{
	struct sr_prefix p = prefix(text);
	struct sr_rib_change found;

	return sr_rib_lookup(rib, &p.addr, &found) && sr_prefix_equal(&found.dst, &p) ? found.want : 0;
}

static void announce_apply_withdraw(void **state)
{
	struct sr_prefix dst = prefix("10.0.0.1");
	struct sr_rib_change change;
	struct sr_rib rib;

	(void)state;
	sr_rib_init(&rib, 1);
	assert_int_equal(sr_rib_announce(&rib, &dst, port1, 7), 0);
	assert_int_equal(sr_rib_take(&rib, &change, 1), 1);
	assert_int_equal(change.want, 7);
	assert_int_equal(change.have, 0);
	assert_true(sr_prefix_equal(&change.dst, &dst));
	sr_rib_applied(&rib, change.pos, 7);
	assert_int_equal(sr_rib_take(&rib, &change, 1), 0);

	sr_rib_withdraw(&rib, &dst, port2); /* not its route */
	assert_int_equal(sr_rib_take(&rib, &change, 1), 0);
	sr_rib_withdraw(&rib, &dst, port1);
	assert_int_equal(sr_rib_take(&rib, &change, 1), 1);
	assert_int_equal(change.want, 0);
	assert_int_equal(change.have, 7);
	sr_rib_applied(&rib, change.pos, 0);
	assert_int_equal(rib.index.used, 0);
	sr_rib_fini(&rib);
}

static void announced_again_before_it_was_written(void **state)
{
	struct sr_prefix dst = prefix("10.0.0.1");
	struct sr_rib rib;

	(void)state;
	sr_rib_init(&rib, 1);
	sr_rib_announce(&rib, &dst, port1, 7);
	apply_all(&rib);
	sr_rib_withdraw(&rib, &dst, port1);
	sr_rib_announce(&rib, &dst, port1, 7);
	assert_int_equal(apply_all(&rib), 0); /* nothing differs in the end */
	sr_rib_announce(&rib, &dst, port1, 8);
	sr_rib_withdraw(&rib, &dst, port1);
	assert_int_equal(apply_all(&rib), 1);
	assert_int_equal(rib.index.used, 0);
	sr_rib_announce(&rib, &dst, port1, 8);
	sr_rib_withdraw(&rib, &dst, port1); /* never written */
	assert_int_equal(apply_all(&rib), 0);
	assert_int_equal(rib.index.used, 0);
	sr_rib_fini(&rib);
}

static void sources_rank_by_kind_then_id(void **state)
{
	uint8_t low[16] = {[0] = 9, [8] = 0x80, [15] = 1}, high[16] = {[0] = 1, [8] = 0xbf, [15] = 0};
	struct sr_route_source a = sr_route_source(SR_PREF_PORT, low), b = sr_route_source(SR_PREF_PORT, high),
			       c = sr_route_source(SR_PREF_RULE, high);
	struct sr_prefix dst = prefix("10.0.0.1");
	struct sr_rib rib;

	(void)state;
	sr_rib_init(&rib, 1);
	sr_rib_announce(&rib, &dst, b, 2);
	sr_rib_announce(&rib, &dst, a, 1);
	assert_int_equal(want_of(&rib, "10.0.0.1"), 1);
	sr_rib_announce(&rib, &dst, c, 3);
	assert_int_equal(want_of(&rib, "10.0.0.1"), 3);
	sr_rib_fini(&rib);
}

static void a_failed_write_stays_pending(void **state)
{
	struct sr_prefix dst = prefix("2001:db8::/64");
	struct sr_rib_change change;
	struct sr_rib rib;

	(void)state;
	sr_rib_init(&rib, 1);
	sr_rib_announce(&rib, &dst, port1, 7);
	assert_int_equal(sr_rib_take(&rib, &change, 1), 1);
	sr_rib_applied(&rib, change.pos, 0);
	assert_int_equal(sr_rib_take(&rib, &change, 1), 1);
	assert_int_equal(change.want, 7);
	sr_rib_applied(&rib, change.pos, 7);
	assert_int_equal(sr_rib_take(&rib, &change, 1), 0);
	sr_rib_fini(&rib);
}

static void the_better_candidate_wins_in_any_order(void **state)
{
	static const struct {
		struct sr_route_source source;
		uint32_t hop;
	} all[] = {{port1, 11}, {port2, 12}, {rule9, 19}};
	static const int orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
	struct sr_prefix dst = prefix("10.0.0.1");
	struct sr_rib rib;

	(void)state;
	for (size_t o = 0; o < 6; o++) {
		sr_rib_init(&rib, 1);
		for (int i = 0; i < 3; i++)
			sr_rib_announce(&rib, &dst, all[orders[o][i]].source, all[orders[o][i]].hop);
		assert_int_equal(want_of(&rib, "10.0.0.1"), 19);
		sr_rib_announce(&rib, &dst, port2, 22); /* replaced while it is not the best */
		assert_int_equal(want_of(&rib, "10.0.0.1"), 19);
		sr_rib_withdraw(&rib, &dst, rule9);
		assert_int_equal(want_of(&rib, "10.0.0.1"), 11);
		sr_rib_withdraw(&rib, &dst, port1);
		assert_int_equal(want_of(&rib, "10.0.0.1"), 22);
		sr_rib_withdraw(&rib, &dst, port2);
		assert_int_equal(want_of(&rib, "10.0.0.1"), 0);
		apply_all(&rib);
		assert_int_equal(rib.index.used, 0);
		sr_rib_fini(&rib);
	}
}

static void what_the_datapath_has_is_compared(void **state)
{
	struct sr_prefix same = prefix("10.0.0.1"), other = prefix("10.0.0.2"), stale = prefix("10.0.0.3");
	struct sr_rib_change changes[4];
	struct sr_rib rib;

	(void)state;
	sr_rib_init(&rib, 1);
	sr_rib_learn(&rib, &same, 1);
	sr_rib_learn(&rib, &other, 2);
	sr_rib_learn(&rib, &stale, 3);
	sr_rib_announce(&rib, &same, port1, 1);
	sr_rib_announce(&rib, &other, port1, 5);
	assert_int_equal(sr_rib_take(&rib, changes, 4), 2);
	assert_true(sr_prefix_equal(&changes[0].dst, &other));
	assert_int_equal(changes[0].want, 5);
	assert_true(sr_prefix_equal(&changes[1].dst, &stale));
	assert_int_equal(changes[1].want, 0);
	sr_rib_fini(&rib);
}

static void longest_prefix_wins_and_families_stay_apart(void **state)
{
	static const struct {
		const char *dst;
		uint32_t hop;
	} routes[] = {{"0.0.0.0/0", 1}, {"10.0.0.0/8", 2}, {"10.1.0.0/16", 3},
		      {"10.1.1.1", 4},	{"::/0", 5},	   {"2001:db8::/32", 6}};
	static const struct {
		const char *addr;
		uint32_t hop;
	} lookups[] = {{"192.0.2.1", 1}, {"10.2.0.1", 2},    {"10.1.2.3", 3},
		       {"10.1.1.1", 4},	 {"2001:db8::1", 6}, {"2001:db9::1", 5}};
	struct sr_rib_change found;
	struct sr_rib rib;

	(void)state;
	sr_rib_init(&rib, 1);
	for (size_t i = 0; i < 6; i++) {
		struct sr_prefix dst = prefix(routes[i].dst);

		sr_rib_announce(&rib, &dst, port1, routes[i].hop);
	}
	for (size_t i = 0; i < 6; i++) {
		struct sr_prefix addr = prefix(lookups[i].addr);

		assert_true(sr_rib_lookup(&rib, &addr.addr, &found));
		assert_int_equal(found.want, lookups[i].hop);
	}
	sr_rib_withdraw(&rib, &(struct sr_prefix){0}, port1);
	assert_false(sr_rib_lookup(&rib, &(struct in6_addr){{{0x20, 0x01, 0x0d, 0xb9}}}, &found));
	sr_rib_fini(&rib);
}

/* ---- random work: what the RIB wants and has against arrays that say the same plainly */

#define N_DST 64
#define N_SRC 6

struct naive {
	uint32_t hop[N_DST][N_SRC];
	uint32_t have[N_DST];
};

static uint32_t naive_want(const struct naive *n, int dst)
{
	for (int s = 0; s < N_SRC; s++)
		if (n->hop[dst][s])
			return n->hop[dst][s];
	return 0;
}

static struct sr_prefix nth_prefix(int dst)
{
	return sr_prefix_v4(htonl(0x0a000000U + (uint32_t)dst * 257), 32);
}

/* In order of preference. */
static struct sr_route_source nth_source(int s)
{
	return SOURCE(s < 2 ? SR_PREF_RULE : SR_PREF_PORT, (uint32_t)s);
}

static void drain(struct sr_rib *rib, struct naive *n, bool fail_some)
{
	struct sr_rib_change changes[8];
	size_t k = sr_rib_take(rib, changes, 8);

	for (size_t i = 0; i < k; i++) {
		bool ok = !fail_some || rand() % 3;
		int dst = -1;

		for (int d = 0; d < N_DST; d++) {
			struct sr_prefix p = nth_prefix(d);

			if (sr_prefix_equal(&p, &changes[i].dst))
				dst = d;
		}
		assert_true(dst >= 0);
		assert_int_equal(changes[i].want, naive_want(n, dst));
		assert_int_equal(changes[i].have, n->have[dst]);
		assert_int_not_equal(changes[i].want, changes[i].have);
		if (ok)
			n->have[dst] = changes[i].want;
		sr_rib_applied(rib, changes[i].pos, n->have[dst]);
	}
}

static void random_work_equals_a_plain_table(void **state)
{
	struct naive n = {0};
	struct sr_rib rib;

	(void)state;
	srand(1);
	sr_rib_init(&rib, 42);
	for (int round = 0; round < 200000; round++) {
		int dst = rand() % N_DST, src = rand() % N_SRC;
		struct sr_prefix p = nth_prefix(dst);

		if (rand() % 5 == 0) {
			drain(&rib, &n, true);
		} else if (rand() % 2) {
			n.hop[dst][src] = 1 + (uint32_t)rand() % 9;
			assert_int_equal(sr_rib_announce(&rib, &p, nth_source(src), n.hop[dst][src]), 0);
		} else {
			n.hop[dst][src] = 0;
			sr_rib_withdraw(&rib, &p, nth_source(src));
		}
	}
	while (rib.pending_head != UINT32_MAX)
		drain(&rib, &n, false);
	for (int d = 0; d < N_DST; d++)
		assert_int_equal(n.have[d], naive_want(&n, d));
	for (int d = 0; d < N_DST; d++)
		for (int s = 0; s < N_SRC; s++) {
			struct sr_prefix p = nth_prefix(d);

			n.hop[d][s] = 0;
			sr_rib_withdraw(&rib, &p, nth_source(s));
		}
	while (rib.pending_head != UINT32_MAX)
		drain(&rib, &n, false);
	assert_int_equal(rib.index.used, 0);
	sr_rib_fini(&rib);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(announce_apply_withdraw),
		cmocka_unit_test(announced_again_before_it_was_written),
		cmocka_unit_test(sources_rank_by_kind_then_id),
		cmocka_unit_test(a_failed_write_stays_pending),
		cmocka_unit_test(the_better_candidate_wins_in_any_order),
		cmocka_unit_test(what_the_datapath_has_is_compared),
		cmocka_unit_test(longest_prefix_wins_and_families_stay_apart),
		cmocka_unit_test(random_work_equals_a_plain_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
