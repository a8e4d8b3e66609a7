/* SPDX-License-Identifier: GPL-2.0-only */
#include "datapath/linux/link.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#define MESSAGE 512

static struct nlmsghdr *link_message(char *buf, uint16_t type, uint16_t flags, uint32_t ifindex)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(buf);
	struct ifinfomsg *info = mnl_nlmsg_put_extra_header(message, sizeof(*info));

	message->nlmsg_type = type;
	message->nlmsg_flags = flags;
	info->ifi_index = (int)ifindex;
	return message;
}

/* ---- reading */

static void get_text(const struct nlattr *attr, char *ret, size_t size)
{
	if (mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) == 0 && strlen(mnl_attr_get_str(attr)) < size)
		snprintf(ret, size, "%s", mnl_attr_get_str(attr));
}

static uint32_t vrf_table(const struct nlattr *linkinfo)
{
	const struct nlattr *attr, *data = NULL;
	bool vrf = false;

	mnl_attr_for_each_nested (attr, linkinfo) {
		if (mnl_attr_get_type(attr) == IFLA_INFO_KIND && mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) == 0)
			vrf = strcmp(mnl_attr_get_str(attr), "vrf") == 0;
		else if (mnl_attr_get_type(attr) == IFLA_INFO_DATA)
			data = attr;
	}
	if (!vrf || !data)
		return 0;
	mnl_attr_for_each_nested (attr, data)
		if (mnl_attr_get_type(attr) == IFLA_VRF_TABLE && mnl_attr_validate(attr, MNL_TYPE_U32) == 0)
			return mnl_attr_get_u32(attr);
	return 0;
}

static int on_link_attr(const struct nlattr *attr, void *data)
{
	struct rtnl_link_stats64 stats;
	struct sr_klink *link = data;

	switch (mnl_attr_get_type(attr)) {
	case IFLA_IFNAME:
		get_text(attr, link->name, sizeof(link->name));
		break;
	case IFLA_IFALIAS:
		get_text(attr, link->alias, sizeof(link->alias));
		break;
	case IFLA_MASTER:
		if (mnl_attr_validate(attr, MNL_TYPE_U32) == 0)
			link->master = mnl_attr_get_u32(attr);
		break;
	case IFLA_ADDRESS:
		if (mnl_attr_get_payload_len(attr) == sizeof(link->mac))
			memcpy(link->mac, mnl_attr_get_payload(attr), sizeof(link->mac));
		break;
	case IFLA_LINKINFO:
		link->vrf_table = vrf_table(attr);
		break;
	case IFLA_STATS64:
		memset(&stats, 0, sizeof(stats));
		memcpy(&stats, mnl_attr_get_payload(attr),
		       mnl_attr_get_payload_len(attr) < sizeof(stats) ? mnl_attr_get_payload_len(attr) : sizeof(stats));
		link->rx_packets = stats.rx_packets;
		link->rx_bytes = stats.rx_bytes;
		link->rx_dropped = stats.rx_dropped;
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

struct link_dump {
	int (*cb)(void *ctx, const struct sr_klink *link);
	void *ctx;
};

static int on_link(const struct nlmsghdr *message, void *data)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
	const struct link_dump *dump = data;
	struct sr_klink link = {};
	int r;

	if (message->nlmsg_type != RTM_NEWLINK || mnl_nlmsg_get_payload_len(message) < sizeof(*info))
		return MNL_CB_OK;
	link.ifindex = (uint32_t)info->ifi_index;
	link.up = info->ifi_flags & IFF_UP;
	mnl_attr_parse(message, sizeof(*info), on_link_attr, &link);
	r = dump->cb(dump->ctx, &link);
	if (r == 0)
		return MNL_CB_OK;
	errno = -r;
	return MNL_CB_ERROR;
}

int sr_klink_dump(struct sr_rtnl *nl, int (*cb)(void *ctx, const struct sr_klink *link), void *ctx)
{
	struct link_dump dump = {cb, ctx};
	char buf[MESSAGE];

	return sr_rtnl_dump(nl, link_message(buf, RTM_GETLINK, 0, 0), on_link, &dump);
}

static int copy_link(void *ctx, const struct sr_klink *link)
{
	*(struct sr_klink *)ctx = *link;
	return 0;
}

int sr_klink_get(struct sr_rtnl *nl, uint32_t ifindex, struct sr_klink *ret)
{
	struct link_dump dump = {copy_link, ret};
	char buf[MESSAGE];

	return sr_rtnl_get(nl, link_message(buf, RTM_GETLINK, 0, ifindex), on_link, &dump);
}

/* ---- links */

/* The alias, which the kernel does not take when it makes a device, its name and up, as one step. */
static int finish_vrf(struct sr_rtnl *nl, uint32_t ifindex, const char *name, const char *alias)
{
	char buf[MESSAGE];
	struct nlmsghdr *message = link_message(buf, RTM_SETLINK, 0, ifindex);
	struct ifinfomsg *info = mnl_nlmsg_get_payload(message);

	info->ifi_flags = IFF_UP;
	info->ifi_change = IFF_UP;
	mnl_attr_put_strz(message, IFLA_IFNAME, name);
	mnl_attr_put_strz(message, IFLA_IFALIAS, alias);
	return sr_rtnl_request(nl, message);
}

int sr_kvrf_add(struct sr_rtnl *nl, const char *name, uint32_t table, const char *alias, uint32_t *ret_ifindex)
{
	char buf[MESSAGE];
	struct nlmsghdr *message = link_message(buf, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0);
	struct nlattr *linkinfo, *data;
	unsigned int ifindex;
	int r;

	mnl_attr_put_strz(message, IFLA_IFNAME, SR_KVRF_PART);
	linkinfo = mnl_attr_nest_start(message, IFLA_LINKINFO);
	mnl_attr_put_str(message, IFLA_INFO_KIND, "vrf");
	data = mnl_attr_nest_start(message, IFLA_INFO_DATA);
	mnl_attr_put_u32(message, IFLA_VRF_TABLE, table);
	mnl_attr_nest_end(message, data);
	mnl_attr_nest_end(message, linkinfo);
	r = sr_rtnl_request(nl, message);
	if (r < 0)
		return r;
	ifindex = if_nametoindex(SR_KVRF_PART);
	if (!ifindex)
		return -ENODEV;
	r = finish_vrf(nl, ifindex, name, alias);
	if (r < 0)
		sr_klink_del(nl, ifindex);
	else
		*ret_ifindex = ifindex;
	return r;
}

int sr_kvrf_alias(struct sr_rtnl *nl, uint32_t ifindex, const char *alias)
{
	char buf[MESSAGE];
	struct nlmsghdr *message = link_message(buf, RTM_SETLINK, 0, ifindex);

	mnl_attr_put_strz(message, IFLA_IFALIAS, alias);
	return sr_rtnl_request(nl, message);
}

int sr_klink_del(struct sr_rtnl *nl, uint32_t ifindex)
{
	char buf[MESSAGE];
	int r = sr_rtnl_request(nl, link_message(buf, RTM_DELLINK, 0, ifindex));

	return r == -ENODEV ? 0 : r;
}

int sr_klink_master(struct sr_rtnl *nl, uint32_t ifindex, uint32_t master)
{
	char buf[MESSAGE];
	struct nlmsghdr *message = link_message(buf, RTM_SETLINK, 0, ifindex);

	mnl_attr_put_u32(message, IFLA_MASTER, master);
	return sr_rtnl_request(nl, message);
}

int sr_klink_up(struct sr_rtnl *nl, uint32_t ifindex, const uint8_t mac[6])
{
	char buf[MESSAGE];
	struct nlmsghdr *message = link_message(buf, RTM_SETLINK, 0, ifindex);
	struct ifinfomsg *info = mnl_nlmsg_get_payload(message);

	info->ifi_flags = IFF_UP;
	info->ifi_change = IFF_UP;
	if (mac)
		mnl_attr_put(message, IFLA_ADDRESS, 6, mac);
	return sr_rtnl_request(nl, message);
}

/* ---- addresses and neighbours */

/* An address in the form of its family. */
static void put_addr(struct nlmsghdr *message, uint16_t type, const struct sr_prefix *host)
{
	__be32 v4;

	if (sr_prefix_is_v4(host)) {
		v4 = sr_prefix_addr4(host);
		mnl_attr_put(message, type, sizeof(v4), &v4);
	} else {
		mnl_attr_put(message, type, sizeof(host->addr), &host->addr);
	}
}

int sr_kaddr_set(struct sr_rtnl *nl, uint32_t ifindex, const struct in6_addr *addr, bool there)
{
	const struct sr_prefix host = {*addr, 128};
	bool v4 = sr_prefix_is_v4(&host);
	char buf[MESSAGE];
	struct nlmsghdr *message = mnl_nlmsg_put_header(buf);
	struct ifaddrmsg *info = mnl_nlmsg_put_extra_header(message, sizeof(*info));
	int r;

	message->nlmsg_type = there ? RTM_NEWADDR : RTM_DELADDR;
	message->nlmsg_flags = there ? NLM_F_CREATE | NLM_F_EXCL : 0;
	info->ifa_family = v4 ? AF_INET : AF_INET6;
	info->ifa_prefixlen = v4 ? 32 : 128;
	info->ifa_index = ifindex;
	info->ifa_flags = v4 ? 0 : IFA_F_NODAD; /* the same on all taps of all nodes, on purpose */
	put_addr(message, IFA_LOCAL, &host);
	put_addr(message, IFA_ADDRESS, &host);
	mnl_attr_put_u32(message, IFA_FLAGS, IFA_F_NOPREFIXROUTE | (v4 ? 0 : IFA_F_NODAD));
	r = sr_rtnl_request(nl, message);
	return (there && r == -EEXIST) || (!there && r == -EADDRNOTAVAIL) ? 0 : r;
}

struct addr_dump {
	int (*cb)(void *ctx, uint32_t ifindex, const struct in6_addr *addr);
	void *ctx;
};

static int on_addr_attr(const struct nlattr *attr, void *data)
{
	const struct nlattr **ret = data;

	if (mnl_attr_get_type(attr) == IFA_ADDRESS)
		*ret = attr;
	return MNL_CB_OK;
}

static int on_addr(const struct nlmsghdr *message, void *data)
{
	const struct ifaddrmsg *info = mnl_nlmsg_get_payload(message);
	const struct addr_dump *dump = data;
	const struct nlattr *attr = NULL;
	struct sr_prefix host;
	int r;

	if (message->nlmsg_type != RTM_NEWADDR || mnl_nlmsg_get_payload_len(message) < sizeof(*info))
		return MNL_CB_OK;
	mnl_attr_parse(message, sizeof(*info), on_addr_attr, (void *)&attr);
	if (attr && info->ifa_family == AF_INET && info->ifa_prefixlen == 32 && mnl_attr_get_payload_len(attr) == 4)
		host = sr_prefix_v4(mnl_attr_get_u32(attr), 32);
	else if (attr && info->ifa_family == AF_INET6 && info->ifa_prefixlen == 128 &&
		 mnl_attr_get_payload_len(attr) == 16)
		host = sr_prefix_v6(mnl_attr_get_payload(attr), 128);
	else
		return MNL_CB_OK;
	if (IN6_IS_ADDR_LINKLOCAL(&host.addr))
		return MNL_CB_OK;
	r = dump->cb(dump->ctx, info->ifa_index, &host.addr);
	if (r == 0)
		return MNL_CB_OK;
	errno = -r;
	return MNL_CB_ERROR;
}

int sr_kaddr_dump(struct sr_rtnl *nl, int (*cb)(void *ctx, uint32_t ifindex, const struct in6_addr *addr), void *ctx)
{
	struct addr_dump dump = {cb, ctx};
	char buf[MESSAGE];
	struct nlmsghdr *message = mnl_nlmsg_put_header(buf);

	message->nlmsg_type = RTM_GETADDR;
	mnl_nlmsg_put_extra_header(message, sizeof(struct ifaddrmsg));
	return sr_rtnl_dump(nl, message, on_addr, &dump);
}

void sr_kneigh_put(struct nlmsghdr *message, uint32_t ifindex, const struct sr_prefix *host, const uint8_t mac[6],
		   bool there)
{
	struct ndmsg *info = mnl_nlmsg_put_extra_header(message, sizeof(*info));

	message->nlmsg_type = there ? RTM_NEWNEIGH : RTM_DELNEIGH;
	message->nlmsg_flags = there ? NLM_F_CREATE | NLM_F_REPLACE : 0;
	info->ndm_family = sr_prefix_is_v4(host) ? AF_INET : AF_INET6;
	info->ndm_ifindex = (int)ifindex;
	info->ndm_state = NUD_PERMANENT;
	put_addr(message, NDA_DST, host);
	if (there)
		mnl_attr_put(message, NDA_LLADDR, 6, mac);
}
