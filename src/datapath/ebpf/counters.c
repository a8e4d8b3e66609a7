/* SPDX-License-Identifier: GPL-2.0-only */
/* Counters: per CPU in the kernel, summed here. */
#include "datapath/ebpf/ebpf.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static_assert(sizeof(struct sr_bpf_counter) % 8 == 0 && sizeof(struct sr_bpf_vrf_stats) % 8 == 0,
	      "the kernel pads elements of per-CPU maps to 8 bytes");

#define WORDS_MAX (sizeof(struct sr_bpf_vrf_stats) / sizeof(uint64_t)) /* in the largest element */

int sr_ebpf_counter_clear(int fd, uint32_t index, size_t value_size)
{
	int cpus = libbpf_num_possible_cpus();
	void *zero;
	int r;

	if (cpus < 0)
		return cpus;
	zero = calloc((size_t)cpus, value_size);
	if (!zero)
		return -ENOMEM;
	r = bpf_map_update_elem(fd, &index, zero, BPF_ANY);
	free(zero);
	return r;
}

struct sum {
	struct sr_ebpf *dp;
	const struct sr_dp_counters *cb;
	void *ctx;
	int cpus;
	uint64_t *per_cpu; /* room for the largest element on all CPUs */
};

/* Elements of all these maps are rows of 64-bit numbers. */
static int sum_up(const struct sum *s, enum sr_map map, uint32_t index, void *ret, size_t size)
{
	size_t words = size / sizeof(uint64_t);
	uint64_t total[WORDS_MAX] = {0};
	int r;

	r = bpf_map_lookup_elem(s->dp->maps[map], &index, s->per_cpu);
	if (r)
		return r;
	for (size_t i = 0; i < words * (size_t)s->cpus; i++)
		total[i % words] += s->per_cpu[i];
	memcpy(ret, total, size);
	return 0;
}

static int sum_vrfs(const struct sum *s)
{
	struct sr_bpf_vrf_stats stats;
	int r = 0;

	for (uint32_t id = 1; !r && id <= s->dp->max_vrfs; id++) {
		if (!sr_ebpf_vrf_active(s->dp, id))
			continue;
		r = sum_up(s, SR_MAP_VRF_STATS, id, &stats, sizeof(stats));
		if (!r)
			r = s->cb->vrf(s->ctx, id, &stats);
	}
	return r;
}

static int sum_sids(void *ctx, const void *keys, const void *values, uint32_t n)
{
	const struct sr_bpf_sid *what = values;
	const struct in6_addr *addr = keys;
	const struct sum *s = ctx;
	struct sr_bpf_counter c;
	int r = 0;

	for (uint32_t i = 0; !r && i < n; i++) {
		const struct sr_sid sid = {addr[i]};

		r = sum_up(s, SR_MAP_SID_STATS, what[i].stats, &c, sizeof(c));
		if (!r)
			r = s->cb->sid(s->ctx, &sid, &what[i], &c);
	}
	return r;
}

static int sum_drops(const struct sum *s)
{
	struct sr_bpf_counter c;
	int r = 0;

	for (uint32_t i = 0; !r && i < SR_DIR_MAX * SR_DROP_MAX; i++) {
		r = sum_up(s, SR_MAP_DROPS, i, &c, sizeof(c));
		if (!r)
			r = s->cb->drop(s->ctx, i / SR_DROP_MAX, i % SR_DROP_MAX, &c);
	}
	return r;
}

int sr_ebpf_counters(struct sr_dp *base, const struct sr_dp_counters *cb, void *ctx)
{
	struct sum s = {.dp = sr_ebpf(base), .cb = cb, .ctx = ctx, .cpus = libbpf_num_possible_cpus()};
	int r = 0;

	if (s.cpus < 0)
		return s.cpus;
	s.per_cpu = calloc((size_t)s.cpus * WORDS_MAX, sizeof(*s.per_cpu));
	if (!s.per_cpu)
		return -ENOMEM;
	if (cb->vrf)
		r = sum_vrfs(&s);
	if (!r && cb->sid)
		r = sr_map_walk(s.dp->maps[SR_MAP_SIDS], sizeof(struct in6_addr), sizeof(struct sr_bpf_sid), sum_sids,
				&s);
	if (!r && cb->drop)
		r = sum_drops(&s);
	free(s.per_cpu);
	return r;
}
