/* SPDX-License-Identifier: GPL-2.0-only */
/* VRF devices, what stands on and behind each, and their SIDs. */
#include "datapath/linux/linux.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <linux/seg6_local.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

struct sr_linux_vrf *sr_linux_vrf(struct sr_linux *dp, uint32_t id)
{
	return id > 0 && id <= dp->max_vrfs && dp->vrfs[id].there ? &dp->vrfs[id] : NULL;
}

int sr_linux_route_set(struct sr_linux *dp, const struct sr_kroute *route, bool there)
{
	char buf[SR_RTNL_MESSAGE_MAX];
	struct nlmsghdr *message = mnl_nlmsg_put_header(buf);
	int r;

	sr_kroute_put(message, there ? RTM_NEWROUTE : RTM_DELROUTE, there ? NLM_F_CREATE | NLM_F_REPLACE : 0, route);
	r = sr_rtnl_request(&dp->nl, message);
	return !there && r == -ESRCH ? 0 : r;
}

/* ---- SIDs */

uint32_t sr_linux_action(enum sr_sid_behavior behavior)
{
	switch (behavior) {
	case SR_SID_END:
		return SEG6_LOCAL_ACTION_END;
	case SR_SID_END_DT4:
		return SEG6_LOCAL_ACTION_END_DT4;
	case SR_SID_END_DT6:
		return SEG6_LOCAL_ACTION_END_DT6;
	case SR_SID_END_DT46:
		return SEG6_LOCAL_ACTION_END_DT46;
	case SR_SID_END_DX4:
		return SEG6_LOCAL_ACTION_END_DX4;
	}
	return SEG6_LOCAL_ACTION_UNSPEC;
}

void sr_linux_sid_route(const struct sr_linux_sid *sid, struct sr_kroute *ret)
{
	*ret = (struct sr_kroute){
		.dst = {sid->sid.a, 128},
		.table = RT_TABLE_LOCAL,
		.type = RTN_LOCAL,
		.protocol = RTPROT_BOOT,
		.metric = SR_METRIC6,
		.oif = sid->oif,
		.encap = SR_KENCAP_SEG6_LOCAL,
		.action = sid->action,
		.nh4 = sid->nh4,
		.vrftable = sid->vrftable,
	};
}

static bool sid_equal(const struct sr_linux_sid *a, const struct sr_linux_sid *b)
{
	return memcmp(&a->sid, &b->sid, sizeof(a->sid)) == 0 && a->oif == b->oif && a->action == b->action &&
	       a->nh4 == b->nh4 && a->vrftable == b->vrftable;
}

static uint32_t sid_find(const struct sr_linux *dp, const struct sr_sid *sid)
{
	for (uint32_t i = 0; i < dp->n_sids; i++)
		if (memcmp(&dp->sids[i].sid, sid, sizeof(*sid)) == 0)
			return i;
	return SR_TABLE_NONE;
}

static void sid_wanted(const struct sr_linux *dp, const struct sr_linux_vrf *vrf, size_t locator,
		       struct sr_linux_sid *ret)
{
	bool dx4 = dp->behavior == SR_SID_END_DX4;

	*ret = (struct sr_linux_sid){
		.sid = sr_sid_make(&dp->locators[locator], vrf->vrf.function),
		.oif = vrf->ifindex,
		.action = sr_linux_action(dp->behavior),
		.nh4 = dx4 ? vrf->vrf.function.v : 0,
		.vrftable = dx4 ? 0 : vrf->table,
	};
}

/* One that is equal is left alone, with its counters. */
static int sid_set(struct sr_linux *dp, const struct sr_linux_sid *sid)
{
	uint32_t at = sid_find(dp, &sid->sid);
	struct sr_kroute route;
	int r;

	if (at != SR_TABLE_NONE && sid_equal(&dp->sids[at], sid))
		return 0;
	r = at == SR_TABLE_NONE ? sr_array_grow((void **)&dp->sids, &dp->size_sids, dp->n_sids, sizeof(*dp->sids)) : 0;
	sr_linux_sid_route(sid, &route);
	if (r == 0)
		r = sr_linux_route_set(dp, &route, true);
	if (r < 0)
		return r;
	dp->sids[at == SR_TABLE_NONE ? dp->n_sids++ : at] = *sid;
	return 0;
}

static int sid_del(struct sr_linux *dp, uint32_t at)
{
	struct sr_kroute route;
	int r;

	sr_linux_sid_route(&dp->sids[at], &route);
	r = sr_linux_route_set(dp, &route, false);
	if (r == 0)
		dp->sids[at] = dp->sids[--dp->n_sids];
	return r;
}

/* Those through the VRF's device that are not its: of a locator or a function that it had before. */
static int sids_sweep(struct sr_linux *dp, const struct sr_linux_vrf *vrf, bool all)
{
	int r = 0;

	for (uint32_t i = dp->n_sids; i-- > 0 && r == 0;) {
		struct sr_linux_sid wanted;
		bool keep = dp->sids[i].oif != vrf->ifindex;

		for (size_t j = 0; j < dp->n_locators && !keep && !all; j++) {
			sid_wanted(dp, vrf, j, &wanted);
			keep = sid_equal(&dp->sids[i], &wanted);
		}
		if (!keep)
			r = sid_del(dp, i);
	}
	return r;
}

static int sids_set(struct sr_linux *dp, const struct sr_linux_vrf *vrf)
{
	struct sr_linux_sid sid;
	int r = 0;

	for (size_t i = 0; i < dp->n_locators && r == 0; i++) {
		sid_wanted(dp, vrf, i, &sid);
		r = sid_set(dp, &sid);
	}
	return r < 0 ? r : sids_sweep(dp, vrf, false);
}

/* ---- what stands on the device and behind it */

/* The end of a VRF's table: what is in none of its routes goes nowhere, least of all on to table main. */
static int last_route(struct sr_linux *dp, const struct sr_linux_vrf *vrf, bool v4, bool there)
{
	const struct in6_addr any = IN6ADDR_ANY_INIT;
	const struct sr_kroute route = {
		.dst = v4 ? sr_prefix_v4(0, 0) : sr_prefix_v6(&any, 0),
		.table = vrf->table,
		.type = RTN_UNREACHABLE,
		.protocol = RTPROT_BOOT,
		.metric = SR_METRIC_LAST,
	};

	return sr_linux_route_set(dp, &route, there);
}

static struct in6_addr mapped(struct sr_function function)
{
	return sr_prefix_v4(function.v, 32).addr;
}

/*
 * "They are assigned to VRF IF (that is magic to lookup VRF with End.DX4)": the decapsulated packet is routed to nh4,
 * in table main as it came from the fabric, out of the VRF device, whose output is a look-up in the VRF's table.
 */
static int function_set(struct sr_linux *dp, const struct sr_linux_vrf *vrf, struct sr_function function, bool there)
{
	const struct in6_addr addr = mapped(function);
	const struct sr_kroute magic = {
		.dst = sr_prefix_v4(function.v, 32),
		.table = RT_TABLE_MAIN,
		.type = RTN_UNICAST,
		.protocol = RTPROT_BOOT,
		.oif = vrf->ifindex,
	};
	int r = sr_kaddr_set(&dp->nl, vrf->ifindex, &addr, there);

	return r < 0 ? r : sr_linux_route_set(dp, &magic, there && dp->behavior == SR_SID_END_DX4);
}

static void alias_of(struct sr_function function, char buf[static SR_ALIAS_MAX])
{
	char text[INET_ADDRSTRLEN];

	snprintf(buf, SR_ALIAS_MAX, SR_LINUX_ALIAS "%s", sr_function_format(function, text));
}

/* Packets that leave by a VRF device are not to be judged by where answers to them would go. */
static int relax_source_check(const char *name)
{
	char path[SR_SAVED_WORD];

	snprintf(path, sizeof(path), "net/ipv4/conf/%s/rp_filter", name);
	return sr_sysctl_write(path, "0");
}

static int furnish(struct sr_linux *dp, const struct sr_linux_vrf *vrf)
{
	int r = relax_source_check(vrf->vrf.name);

	if (r == 0)
		r = last_route(dp, vrf, true, true);
	if (r == 0)
		r = last_route(dp, vrf, false, true);
	if (r == 0)
		r = function_set(dp, vrf, vrf->vrf.function, true);
	return r < 0 ? r : sids_set(dp, vrf);
}

/* VRFs that were there before this process: what another locator or vrf_behavior makes of them. */
int sr_linux_vrfs_follow(struct sr_linux *dp)
{
	int r = 0;

	for (uint32_t id = 1; id <= dp->max_vrfs && r == 0; id++) {
		const struct sr_linux_vrf *vrf = &dp->vrfs[id];

		if (!vrf->there)
			continue;
		r = function_set(dp, vrf, vrf->vrf.function, true);
		if (r == 0)
			r = sids_set(dp, vrf);
	}
	return r;
}

/* ---- tables */

static bool table_used(const struct sr_linux *dp, uint32_t table)
{
	if (table >= RT_TABLE_COMPAT && table <= RT_TABLE_LOCAL)
		return true;
	for (uint32_t i = 0; i < dp->n_used_tables; i++)
		if (dp->used_tables[i] == table)
			return true;
	for (uint32_t id = 1; id <= dp->max_vrfs; id++)
		if (dp->vrfs[id].there && dp->vrfs[id].table == table)
			return true;
	return false;
}

/* The next from first_table on that nobody had when the agent started, and no VRF of ours has. */
static uint32_t choose_table(struct sr_linux *dp)
{
	while (table_used(dp, dp->next_table))
		dp->next_table++;
	return dp->next_table++;
}

/* ---- operations */

static int unfurnish(struct sr_linux *dp, struct sr_linux_vrf *vrf)
{
	int r = sids_sweep(dp, vrf, true);

	if (r == 0)
		r = last_route(dp, vrf, true, false);
	if (r == 0)
		r = last_route(dp, vrf, false, false);
	return r < 0 ? r : sr_klink_del(&dp->nl, vrf->ifindex);
}

static int vrf_add(struct sr_linux *dp, struct sr_linux_vrf *vrf, const struct sr_dp_vrf *want)
{
	struct sr_linux_vrf new = {.there = true, .vrf = *want};
	char alias[SR_ALIAS_MAX];
	int r;

	new.table = want->table ? want->table : choose_table(dp);
	alias_of(want->function, alias);
	r = sr_kvrf_add(&dp->nl, want->name, new.table, alias, &new.ifindex);
	if (r < 0)
		return r;
	r = furnish(dp, &new);
	if (r < 0)
		unfurnish(dp, &new);
	else
		*vrf = new;
	return r;
}

/* The new address and SIDs before the old ones go. */
static int vrf_change(struct sr_linux *dp, struct sr_linux_vrf *vrf, uint32_t id, const struct sr_dp_vrf *want)
{
	struct sr_linux_vrf old = *vrf;
	char alias[SR_ALIAS_MAX];
	int r;

	if (strcmp(vrf->vrf.name, want->name) != 0)
		return -EINVAL; /* the device would have to be renamed, which is another VRF to everybody else */
	vrf->vrf = *want;
	r = furnish(dp, vrf);
	if (r == 0 && old.vrf.function.v != want->function.v) {
		alias_of(want->function, alias);
		r = sr_linux_rewrite_vrf(dp, id);
		if (r == 0)
			r = sr_kvrf_alias(&dp->nl, vrf->ifindex, alias);
		if (r == 0)
			r = function_set(dp, vrf, old.vrf.function, false);
	}
	if (r < 0)
		vrf->vrf = old.vrf;
	return r;
}

int sr_linux_vrf_set(struct sr_dp *base, uint32_t id, const struct sr_dp_vrf *vrf)
{
	struct sr_linux *dp = sr_linux(base);

	if (id == 0 || id > dp->max_vrfs)
		return id ? -ENOSPC : -EINVAL;
	for (uint32_t other = 1; other <= dp->max_vrfs; other++)
		if (other != id && dp->vrfs[other].there && dp->vrfs[other].vrf.function.v == vrf->function.v)
			return -EEXIST;
	return dp->vrfs[id].there ? vrf_change(dp, &dp->vrfs[id], id, vrf) : vrf_add(dp, &dp->vrfs[id], vrf);
}

int sr_linux_vrf_del(struct sr_dp *base, uint32_t id)
{
	struct sr_linux *dp = sr_linux(base);
	struct sr_linux_vrf *vrf = sr_linux_vrf(dp, id);
	int r;

	if (!vrf)
		return 0;
	r = unfurnish(dp, vrf);
	if (r == 0)
		*vrf = (struct sr_linux_vrf){};
	return r;
}
