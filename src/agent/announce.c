/* SPDX-License-Identifier: GPL-2.0-only */
#include "agent/announce.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <unistd.h>

#include "netlink/rtnl.h"

#define METRIC 1024 /* the kernel's own default; said, so that removal names the same route */

/* Sends one request on a socket of its own: this happens a few times in the agent's life. */
static int request(struct nlmsghdr *header)
{
	struct sr_rtnl nl;
	int r = sr_rtnl_open(&nl, NETLINK_ROUTE);

	if (r < 0)
		return r;
	r = sr_rtnl_request(&nl, header);
	sr_rtnl_close(&nl);
	return r;
}

static int change(const struct sr_locator *locator, bool there, uint8_t type, uint8_t table, unsigned int oif)
{
	const struct sr_prefix prefix = sr_locator_prefix(locator);
	char buf[256];
	struct nlmsghdr *header = mnl_nlmsg_put_header(buf);
	struct rtmsg *route;
	int r;

	header->nlmsg_type = there ? RTM_NEWROUTE : RTM_DELROUTE;
	header->nlmsg_flags = there ? NLM_F_CREATE | NLM_F_REPLACE : 0;
	route = mnl_nlmsg_put_extra_header(header, sizeof(*route));
	*route = (struct rtmsg){
		.rtm_family = AF_INET6,
		.rtm_dst_len = prefix.len,
		.rtm_table = table,
		.rtm_protocol = SR_RTPROT,
		.rtm_scope = RT_SCOPE_UNIVERSE,
		.rtm_type = type,
	};
	mnl_attr_put(header, RTA_DST, sizeof(prefix.addr), &prefix.addr);
	mnl_attr_put_u32(header, RTA_PRIORITY, METRIC);
	if (oif)
		mnl_attr_put_u32(header, RTA_OIF, oif);
	r = request(header);
	return !there && r == -ESRCH ? 0 : r;
}

int sr_announce_local(const struct sr_locator *locator, bool there)
{
	return change(locator, there, RTN_LOCAL, RT_TABLE_LOCAL, if_nametoindex("lo"));
}

int sr_announce_route(const struct sr_locator *locator, bool there)
{
	return change(locator, there, RTN_UNREACHABLE, RT_TABLE_MAIN, 0);
}

/* ---- sweeping: list our routes, then remove those of other locators */

#define STALE_MAX 64 /* at a time */

struct stale {
	struct sr_locator locator;
	uint8_t type, table;
};

struct sweep {
	const struct sr_locator *keep;
	struct stale found[STALE_MAX];
	size_t n;
};

static int on_dst(const struct nlattr *attr, void *data)
{
	const struct in6_addr **ret = data;

	if (mnl_attr_get_type(attr) == RTA_DST && mnl_attr_get_payload_len(attr) == sizeof(**ret))
		*ret = mnl_attr_get_payload(attr);
	return MNL_CB_OK;
}

static int on_route(const struct nlmsghdr *header, void *data)
{
	const struct rtmsg *route = mnl_nlmsg_get_payload(header);
	const struct in6_addr *dst = NULL;
	struct sweep *sweep = data;
	struct stale stale;

	if (header->nlmsg_type != RTM_NEWROUTE || mnl_nlmsg_get_payload_len(header) < sizeof(*route))
		return MNL_CB_OK;
	stale.type = route->rtm_type;
	stale.table = route->rtm_table;
	if (route->rtm_protocol != SR_RTPROT || route->rtm_dst_len != SR_LOCATOR_BITS ||
	    !((stale.type == RTN_UNREACHABLE && stale.table == RT_TABLE_MAIN) ||
	      (stale.type == RTN_LOCAL && stale.table == RT_TABLE_LOCAL)))
		return MNL_CB_OK;
	mnl_attr_parse(header, sizeof(*route), on_dst, (void *)&dst);
	if (!dst)
		return MNL_CB_OK;
	stale.locator = sr_sid_locator(&(struct sr_sid){*dst});
	if (!(sweep->keep && sr_locator_equal(&stale.locator, sweep->keep)) && sweep->n < STALE_MAX)
		sweep->found[sweep->n++] = stale;
	return MNL_CB_OK;
}

static int list_routes(struct sweep *sweep)
{
	char buf[256];
	struct nlmsghdr *header = mnl_nlmsg_put_header(buf);
	struct rtmsg *route = mnl_nlmsg_put_extra_header(header, sizeof(*route));
	struct sr_rtnl nl;
	int r = sr_rtnl_open(&nl, NETLINK_ROUTE);

	if (r < 0)
		return r;
	header->nlmsg_type = RTM_GETROUTE;
	route->rtm_family = AF_INET6;
	do {
		sweep->n = 0;
		r = sr_rtnl_dump(&nl, header, on_route, sweep);
	} while (r == -EAGAIN); /* others' changes came between */
	sr_rtnl_close(&nl);
	return r;
}

int sr_announce_sweep(const struct sr_locator *keep)
{
	struct sweep sweep = {.keep = keep};
	int r = list_routes(&sweep), err = 0;

	if (r < 0)
		return r;
	for (size_t i = 0; i < sweep.n; i++) {
		const struct stale *stale = &sweep.found[i];
		unsigned int oif = stale->type == RTN_LOCAL ? if_nametoindex("lo") : 0;

		r = change(&stale->locator, false, stale->type, stale->table, oif);
		if (r < 0 && err == 0)
			err = r;
	}
	return err;
}

int sr_announce_forwarding(const char *ifname)
{
	char path[64 + IFNAMSIZ];
	int fd, r = 0;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/forwarding", ifname);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, "1", 1) != 1)
		r = -errno;
	close(fd);
	return r;
}
