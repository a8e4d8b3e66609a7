/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VRFs and SIDs. A VRF has one SID on each locator; the node has its End SID on the first.
 *
 * The order of writes keeps packets on the old or the new side of a change of function: the new SIDs appear, the VRF's
 * entry turns, the old SIDs go. Cut short anywhere, it leaves SIDs too many or too few, which sr_ebpf_vrfs_init puts
 * right by what the VRFs' entries say; so it does after a change of locators in the configuration.
 *
 * Counters of a SID (RFC 8986 section 6.1) are at an index made of VRF id and locator, and start at zero with the SID.
 */
#include "datapath/ebpf/ebpf.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LPM_FLAGS (SR_VRF_F_LPM4 | SR_VRF_F_LPM6)

static struct sr_bpf_sid sid_entry(const struct sr_ebpf *dp, uint32_t vrf, size_t locator)
{
	return (struct sr_bpf_sid){
		.vrf = vrf,
		.stats = vrf * SR_BPF_LOCATORS_MAX + (uint32_t)locator, /* VRF 0, locator 0: End */
		.behavior = (uint8_t)(vrf ? dp->behavior : SR_SID_END),
	};
}

static int sid_set(const struct sr_ebpf *dp, const struct sr_sid *sid, const struct sr_bpf_sid *entry)
{
	struct sr_bpf_sid old;
	int r;

	if (!bpf_map_lookup_elem(dp->maps[SR_MAP_SIDS], &sid->a, &old) && !memcmp(&old, entry, sizeof(old)))
		return 0;
	r = sr_ebpf_counter_clear(dp->maps[SR_MAP_SID_STATS], entry->stats, sizeof(struct sr_bpf_counter));
	return r ? r : sr_map_set(dp->maps[SR_MAP_SIDS], &sid->a, entry);
}

/* Removes the VRF's SIDs with that function; the first error is returned after all were tried. */
static int sids_del(const struct sr_ebpf *dp, struct sr_function fn)
{
	int r = 0;

	for (size_t i = 0; i < dp->n_locators; i++) {
		const struct sr_sid sid = sr_sid_make(&dp->locators[i], fn);
		int one = sr_map_del(dp->maps[SR_MAP_SIDS], &sid.a);

		r = r ? r : one;
	}
	return r;
}

static int sids_set(const struct sr_ebpf *dp, uint32_t id, struct sr_function fn)
{
	int r = 0;

	for (size_t i = 0; !r && i < dp->n_locators; i++) {
		const struct sr_bpf_sid entry = sid_entry(dp, id, i);
		const struct sr_sid sid = sr_sid_make(&dp->locators[i], fn);

		r = sid_set(dp, &sid, &entry);
	}
	return r;
}

/* Do the function's SIDs belong to anything but this VRF? */
static bool taken(const struct sr_ebpf *dp, uint32_t id, struct sr_function fn)
{
	struct sr_bpf_sid entry;

	for (size_t i = 0; i < dp->n_locators; i++) {
		const struct sr_sid sid = sr_sid_make(&dp->locators[i], fn);

		if (!bpf_map_lookup_elem(dp->maps[SR_MAP_SIDS], &sid.a, &entry) && entry.vrf != id)
			return true;
	}
	return false;
}

bool sr_ebpf_vrf_active(const struct sr_ebpf *dp, uint32_t id)
{
	return id && id <= dp->max_vrfs && dp->vrf_flags[id] & SR_VRF_F_ACTIVE;
}

static int entry_set(struct sr_ebpf *dp, uint32_t id, const struct sr_bpf_vrf *entry)
{
	int r = sr_map_set(dp->maps[SR_MAP_VRFS], &id, entry);

	if (!r)
		dp->vrf_flags[id] = (uint8_t)entry->flags;
	return r;
}

int sr_ebpf_vrf_raise(struct sr_ebpf *dp, uint32_t id, uint8_t flag)
{
	struct sr_bpf_vrf entry;
	int r;

	if (dp->vrf_flags[id] & flag)
		return 0;
	r = bpf_map_lookup_elem(dp->maps[SR_MAP_VRFS], &id, &entry);
	if (r)
		return r;
	entry.flags |= flag;
	return entry_set(dp, id, &entry);
}

static struct sr_bpf_vrf encode(const struct sr_dp_vrf *vrf, uint32_t flags)
{
	struct sr_bpf_vrf entry = {.function = vrf->function.v, .flags = flags, .mtu = vrf->mtu};

	memcpy(entry.name, vrf->name, strnlen(vrf->name, sizeof(entry.name) - 1));
	return entry;
}

int sr_ebpf_vrf_set(struct sr_dp *base, uint32_t id, const struct sr_dp_vrf *vrf)
{
	struct sr_ebpf *dp = sr_ebpf(base);
	struct sr_bpf_vrf entry, old;
	bool moves;
	int r;

	if (!id)
		return -EINVAL;
	if (id > dp->max_vrfs)
		return -ENOSPC;
	if (taken(dp, id, vrf->function))
		return -EEXIST;
	r = bpf_map_lookup_elem(dp->maps[SR_MAP_VRFS], &id, &old);
	if (!r && !(old.flags & SR_VRF_F_ACTIVE))
		r = sr_ebpf_counter_clear(dp->maps[SR_MAP_VRF_STATS], id, sizeof(struct sr_bpf_vrf_stats));
	if (r)
		return r;
	entry = encode(vrf, SR_VRF_F_ACTIVE | (old.flags & LPM_FLAGS));
	moves = !(old.flags & SR_VRF_F_ACTIVE) || old.function != entry.function;
	r = sids_set(dp, id, vrf->function);
	if (!r && memcmp(&old, &entry, sizeof(old)) != 0)
		r = entry_set(dp, id, &entry);
	if (r && moves)
		sids_del(dp, vrf->function);
	if (!r && moves && old.flags & SR_VRF_F_ACTIVE)
		r = sids_del(dp, (struct sr_function){old.function});
	return r;
}

int sr_ebpf_vrf_del(struct sr_dp *base, uint32_t id)
{
	const struct sr_bpf_vrf none = {0};
	struct sr_ebpf *dp = sr_ebpf(base);
	struct sr_bpf_vrf old;
	int r;

	if (!sr_ebpf_vrf_active(dp, id))
		return 0;
	r = bpf_map_lookup_elem(dp->maps[SR_MAP_VRFS], &id, &old);
	if (!r)
		r = sids_del(dp, (struct sr_function){old.function});
	return r ? r : entry_set(dp, id, &none);
}

/* SIDs that should not be there: what sr_ebpf_vrfs_init removes. */
struct stale {
	const struct sr_ebpf *dp;
	struct in6_addr *sids;
	size_t n;
};

/* Is it one that its VRF, or End, has on a locator of ours? What its entry says beyond that is add_missing's to mend.
 */
static bool wanted(const struct sr_ebpf *dp, const struct sr_sid *sid, uint32_t id)
{
	const struct sr_function fn = sr_sid_function(sid);
	const struct sr_locator loc = sr_sid_locator(sid);
	struct sr_bpf_vrf vrf;
	size_t i = 0;

	while (i < dp->n_locators && !sr_locator_equal(&loc, &dp->locators[i]))
		i++;
	if (!id)
		return i == 0 && fn.v == dp->end_function.v;
	return i < dp->n_locators && sr_ebpf_vrf_active(dp, id) &&
	       !bpf_map_lookup_elem(dp->maps[SR_MAP_VRFS], &id, &vrf) && vrf.function == fn.v;
}

static int collect_stale(void *ctx, const void *keys, const void *values, uint32_t n)
{
	struct stale *stale = ctx;
	const struct in6_addr *addrs = keys;
	const struct sr_bpf_sid *entries = values;
	struct in6_addr *more = realloc(stale->sids, (stale->n + n) * sizeof(*more));

	if (!more)
		return -ENOMEM;
	stale->sids = more;
	for (uint32_t i = 0; i < n; i++)
		if (!wanted(stale->dp, &(struct sr_sid){addrs[i]}, entries[i].vrf))
			stale->sids[stale->n++] = addrs[i];
	return 0;
}

static int remove_stale(const struct sr_ebpf *dp)
{
	struct stale stale = {.dp = dp};
	int r;

	r = sr_map_walk(dp->maps[SR_MAP_SIDS], sizeof(struct in6_addr), sizeof(struct sr_bpf_sid), collect_stale,
			&stale);
	for (size_t i = 0; !r && i < stale.n; i++)
		r = sr_map_del(dp->maps[SR_MAP_SIDS], &stale.sids[i]);
	free(stale.sids);
	return r;
}

int sr_ebpf_vrfs_read(struct sr_ebpf *dp)
{
	uint8_t *flags = calloc(dp->max_vrfs + 1, 1);
	struct sr_bpf_vrf entry;

	if (!flags)
		return -ENOMEM;
	free(dp->vrf_flags);
	dp->vrf_flags = flags;
	for (uint32_t id = 1; id <= dp->max_vrfs; id++) {
		int r = bpf_map_lookup_elem(dp->maps[SR_MAP_VRFS], &id, &entry);

		if (r)
			return r;
		flags[id] = (uint8_t)entry.flags;
	}
	return 0;
}

static int add_missing(const struct sr_ebpf *dp)
{
	struct sr_bpf_vrf entry;
	int r = 0;

	for (uint32_t id = 1; !r && id <= dp->max_vrfs; id++) {
		if (!sr_ebpf_vrf_active(dp, id))
			continue;
		r = bpf_map_lookup_elem(dp->maps[SR_MAP_VRFS], &id, &entry);
		if (!r)
			r = sids_set(dp, id, (struct sr_function){entry.function});
	}
	return r;
}

static int end_set(const struct sr_ebpf *dp)
{
	const struct sr_bpf_sid entry = sid_entry(dp, 0, 0);
	const struct sr_sid sid = sr_sid_make(&dp->locators[0], dp->end_function);

	if (!dp->end_function.v)
		return 0;
	return taken(dp, 0, dp->end_function) ? -EEXIST : sid_set(dp, &sid, &entry);
}

int sr_ebpf_vrfs_init(struct sr_ebpf *dp)
{
	int r;

	r = sr_ebpf_vrfs_read(dp);
	if (!r)
		r = remove_stale(dp);
	if (!r)
		r = add_missing(dp);
	return r ? r : end_set(dp);
}
