/* SPDX-License-Identifier: GPL-2.0-only */
/* What there is, as open read it and operations changed it since; and the kernel's counters. */
#include "datapath/linux/linux.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <linux/seg6_local.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/linux/filter.h"

#define ROUTES 256 /* called back at a time */

static int dump_uplinks(const struct sr_linux *dp, const struct sr_dp_dump *cb, void *ctx)
{
	int r = 0;

	for (size_t i = 0; i < dp->saved.n && r == 0; i++) {
		const struct sr_saved_entry *entry = &dp->saved.entries[i];
		unsigned int ifindex = strcmp(entry->kind, "uplink") == 0 ? if_nametoindex(entry->what) : 0;

		if (ifindex)
			r = cb->uplink(ctx, ifindex);
	}
	return r;
}

static int dump_routes(const struct sr_linux *dp, const struct sr_dp_dump *cb, void *ctx)
{
	struct sr_dp_route routes[ROUTES];
	size_t n = 0;
	int r = 0;

	for (uint32_t pos = 0; pos < dp->table.n && r == 0; pos++) {
		const struct sr_table_route *route = &dp->table.routes[pos];

		routes[n++] = (struct sr_dp_route){route->vrf, route->hop, route->dst};
		if (n == ROUTES || pos + 1 == dp->table.n) {
			r = cb->routes(ctx, routes, n);
			n = 0;
		}
	}
	return r;
}

int sr_linux_dump(struct sr_dp *base, const struct sr_dp_dump *cb, void *ctx)
{
	struct sr_linux *dp = sr_linux(base);
	int r = cb->uplink ? dump_uplinks(dp, cb, ctx) : 0;

	for (uint32_t id = 1; cb->vrf && id <= dp->max_vrfs && r == 0; id++)
		if (dp->vrfs[id].there)
			r = cb->vrf(ctx, id, &dp->vrfs[id].vrf);
	for (uint32_t i = 0; cb->port && i < dp->n_ports && r == 0; i++)
		r = cb->port(ctx, &dp->ports[i].port);
	for (uint32_t id = 1; cb->nexthop && id <= dp->max_hops && r == 0; id++)
		if (dp->hops[id].there)
			r = cb->nexthop(ctx, id, &dp->hops[id].nh);
	return r == 0 && cb->routes ? dump_routes(dp, cb, ctx) : r;
}

/* ---- counters */

struct counting {
	struct sr_linux *dp;
	const struct sr_dp_counters *cb;
	void *ctx;
	struct sr_bpf_vrf_stats *vrfs; /* by id */
};

static uint32_t vrf_of_device(const struct sr_linux *dp, uint32_t ifindex)
{
	for (uint32_t id = 1; id <= dp->max_vrfs; id++)
		if (dp->vrfs[id].there && dp->vrfs[id].ifindex == ifindex)
			return id;
	return 0;
}

/* A VRF device receives what comes in from its taps; the kernel does not tell what of it stays on the node. */
static int count_device(void *ctx, const struct sr_klink *link)
{
	struct counting *c = ctx;
	uint32_t id = link->vrf_table ? vrf_of_device(c->dp, link->ifindex) : 0;

	if (!id)
		return 0;
	c->vrfs[id].encap = (struct sr_bpf_counter){link->rx_packets, link->rx_bytes};
	c->vrfs[id].drop.packets += link->rx_dropped;
	return 0;
}

static enum sr_sid_behavior behavior_of(uint32_t action)
{
	for (int b = SR_SID_END; b <= SR_SID_END_DX4; b++)
		if (sr_linux_action((enum sr_sid_behavior)b) == action)
			return (enum sr_sid_behavior)b;
	return (enum sr_sid_behavior)0;
}

static int count_sid(struct counting *c, const struct sr_kroute *route)
{
	const struct sr_bpf_counter counter = {route->packets, route->bytes};
	const struct sr_sid sid = {route->dst.addr};
	struct sr_bpf_sid what = {.vrf = vrf_of_device(c->dp, route->oif), .behavior = behavior_of(route->action)};

	if (route->encap != SR_KENCAP_SEG6_LOCAL || !what.vrf || !what.behavior)
		return 0;
	c->vrfs[what.vrf].decap.packets += counter.packets;
	c->vrfs[what.vrf].decap.bytes += counter.bytes;
	c->vrfs[what.vrf].drop.packets += route->errors;
	return c->cb->sid ? c->cb->sid(c->ctx, &sid, &what, &counter) : 0;
}

static int on_route(const struct nlmsghdr *message, void *data)
{
	struct sr_kroute route;
	int r = 0;

	if (message->nlmsg_type == RTM_NEWROUTE && sr_kroute_get(message, &route) == 0)
		r = count_sid(data, &route);
	if (r == 0)
		return MNL_CB_OK;
	errno = r < 0 ? -r : ECANCELED;
	return MNL_CB_ERROR;
}

/* -EAGAIN, of a dump that changes interrupted, is no matter: a counter more or less at this moment. */
static int count_sids(struct counting *c)
{
	char buf[256];
	struct nlmsghdr *message = mnl_nlmsg_put_header(buf);
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(message, sizeof(*rtm));
	int r;

	message->nlmsg_type = RTM_GETROUTE;
	rtm->rtm_family = AF_INET6;
	r = sr_rtnl_dump(&c->dp->nl, message, on_route, c);
	return r == -EAGAIN ? 0 : r;
}

static int count_filters(struct counting *c)
{
	struct sr_bpf_counter sid_space = {}, down = {}, outside = {};
	struct sr_linux *dp = c->dp;
	int r = 0;

	for (uint32_t i = 0; i < dp->n_ports && r == 0; i++)
		r = sr_filter_count(&dp->nl, dp->ports[i].port.ifindex, &sid_space, &down);
	for (size_t i = 0; i < dp->saved.n && r == 0; i++) {
		const struct sr_saved_entry *entry = &dp->saved.entries[i];
		unsigned int ifindex = strcmp(entry->kind, "uplink") == 0 ? if_nametoindex(entry->what) : 0;

		if (ifindex)
			r = sr_filter_count(&dp->nl, ifindex, &outside, &down);
	}
	if (r == 0)
		r = c->cb->drop(c->ctx, SR_DIR_FROM_TAP, SR_DROP_SID_SPACE, &sid_space);
	if (r == 0)
		r = c->cb->drop(c->ctx, SR_DIR_FROM_TAP, SR_DROP_PORT_DOWN, &down);
	return r == 0 ? c->cb->drop(c->ctx, SR_DIR_FROM_UPLINK, SR_DROP_NOT_DOMAIN, &outside) : r;
}

int sr_linux_counters(struct sr_dp *base, const struct sr_dp_counters *cb, void *ctx)
{
	struct counting c = {.dp = sr_linux(base), .cb = cb, .ctx = ctx};
	int r;

	c.vrfs = calloc((size_t)c.dp->max_vrfs + 1, sizeof(*c.vrfs));
	if (!c.vrfs)
		return -ENOMEM;
	r = sr_klink_dump(&c.dp->nl, count_device, &c);
	if (r == 0 || r == -EAGAIN)
		r = count_sids(&c);
	for (uint32_t id = 1; cb->vrf && id <= c.dp->max_vrfs && r == 0; id++)
		if (c.dp->vrfs[id].there)
			r = cb->vrf(ctx, id, &c.vrfs[id]);
	free(c.vrfs);
	return r == 0 && cb->drop ? count_filters(&c) : r;
}
