/* SPDX-License-Identifier: GPL-2.0-only */
#include "datapath/linux/kroute.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/lwtunnel.h>
#include <linux/rtnetlink.h>
#include <linux/seg6_iptunnel.h>
#include <linux/seg6_local.h>
#include <string.h>

#define SRH_MAX (8 + 16 * SR_SEGS_MAX)

/* ---- writing */

static void put_seg6(struct nlmsghdr *message, const struct sr_kroute *route)
{
	uint8_t buf[sizeof(struct seg6_iptunnel_encap) + SRH_MAX];
	int mode = route->reduced ? SEG6_IPTUN_MODE_ENCAP_RED : SEG6_IPTUN_MODE_ENCAP;
	struct nlattr *nest;
	int len;

	/* All segments, also where the kernel is to leave the first out; it fills in the next header. */
	memcpy(buf, &mode, sizeof(mode));
	len = sr_srh_build(buf + sizeof(mode), SRH_MAX, route->segs, route->n_segs, false, 0);
	if (len < 0)
		return; /* no segments: the kernel refuses a route with an empty encapsulation */
	mnl_attr_put_u16(message, RTA_ENCAP_TYPE, LWTUNNEL_ENCAP_SEG6);
	nest = mnl_attr_nest_start(message, RTA_ENCAP);
	mnl_attr_put(message, SEG6_IPTUNNEL_SRH, sizeof(mode) + (size_t)len, buf);
	mnl_attr_nest_end(message, nest);
}

static void put_seg6local(struct nlmsghdr *message, const struct sr_kroute *route)
{
	struct nlattr *nest, *counters;

	mnl_attr_put_u16(message, RTA_ENCAP_TYPE, LWTUNNEL_ENCAP_SEG6_LOCAL);
	nest = mnl_attr_nest_start(message, RTA_ENCAP);
	mnl_attr_put_u32(message, SEG6_LOCAL_ACTION, route->action);
	if (route->action == SEG6_LOCAL_ACTION_END_DX4)
		mnl_attr_put(message, SEG6_LOCAL_NH4, sizeof(route->nh4), &route->nh4);
	if (route->vrftable)
		mnl_attr_put_u32(message, SEG6_LOCAL_VRFTABLE, route->vrftable);
	counters = mnl_attr_nest_start(message, SEG6_LOCAL_COUNTERS);
	mnl_attr_put_u64(message, SEG6_LOCAL_CNT_PACKETS, 0);
	mnl_attr_put_u64(message, SEG6_LOCAL_CNT_BYTES, 0);
	mnl_attr_put_u64(message, SEG6_LOCAL_CNT_ERRORS, 0);
	mnl_attr_nest_end(message, counters);
	mnl_attr_nest_end(message, nest);
}

void sr_kroute_put(struct nlmsghdr *message, uint16_t type, uint16_t flags, const struct sr_kroute *route)
{
	bool v4 = sr_prefix_is_v4(&route->dst);
	struct rtmsg *rtm;

	message->nlmsg_type = type;
	message->nlmsg_flags = flags;
	rtm = mnl_nlmsg_put_extra_header(message, sizeof(*rtm));
	rtm->rtm_family = v4 ? AF_INET : AF_INET6;
	rtm->rtm_dst_len = (unsigned char)sr_prefix_len(&route->dst);
	rtm->rtm_table = route->table < 256 ? (unsigned char)route->table : RT_TABLE_UNSPEC;
	rtm->rtm_protocol = route->protocol;
	rtm->rtm_type = route->type;
	rtm->rtm_scope = route->type == RTN_UNSPEC	    ? RT_SCOPE_NOWHERE
			 : v4 && route->type == RTN_UNICAST ? RT_SCOPE_LINK
							    : RT_SCOPE_UNIVERSE;
	if (route->table >= 256)
		mnl_attr_put_u32(message, RTA_TABLE, route->table);
	if (v4) {
		__be32 addr = sr_prefix_addr4(&route->dst);

		mnl_attr_put(message, RTA_DST, sizeof(addr), &addr);
	} else {
		mnl_attr_put(message, RTA_DST, sizeof(route->dst.addr), &route->dst.addr);
	}
	if (route->metric)
		mnl_attr_put_u32(message, RTA_PRIORITY, route->metric);
	if (route->oif)
		mnl_attr_put_u32(message, RTA_OIF, route->oif);
	if (type == RTM_DELROUTE)
		return; /* the kernel compares encapsulations too, and what else is said names the route */
	if (route->encap == SR_KENCAP_SEG6)
		put_seg6(message, route);
	else if (route->encap == SR_KENCAP_SEG6_LOCAL)
		put_seg6local(message, route);
}

/* ---- reading */

struct attrs {
	const struct nlattr *a[RTA_MAX + 1];
};

static int on_attr(const struct nlattr *attr, void *data)
{
	struct attrs *attrs = data;
	uint16_t type = mnl_attr_get_type(attr);

	if (type <= RTA_MAX)
		attrs->a[type] = attr;
	return MNL_CB_OK;
}

/* A number in an attribute; 0 where there is none. */
static uint32_t number(const struct nlattr *attr)
{
	return attr && mnl_attr_get_payload_len(attr) >= sizeof(uint32_t) ? mnl_attr_get_u32(attr) : 0;
}

static uint64_t counter(const struct nlattr *attr)
{
	return mnl_attr_get_payload_len(attr) >= sizeof(uint64_t) ? mnl_attr_get_u64(attr) : 0;
}

static int get_srh(const struct nlattr *attr, struct sr_kroute *ret)
{
	const uint8_t *data = mnl_attr_get_payload(attr);
	size_t len = mnl_attr_get_payload_len(attr);
	struct sr_srh_view view;
	int mode, r;

	if (len < sizeof(mode))
		return -EBADMSG;
	memcpy(&mode, data, sizeof(mode));
	if (mode != SEG6_IPTUN_MODE_ENCAP && mode != SEG6_IPTUN_MODE_ENCAP_RED) {
		ret->encap = SR_KENCAP_OTHER;
		return 0;
	}
	r = sr_srh_parse(data + sizeof(mode), len - sizeof(mode), &view);
	if (r < 0)
		return -EBADMSG;
	if (view.n_segments > SR_SEGS_MAX || view.tlvs_len || view.flags) {
		ret->encap = SR_KENCAP_OTHER;
		return 0;
	}
	ret->encap = SR_KENCAP_SEG6;
	ret->reduced = mode == SEG6_IPTUN_MODE_ENCAP_RED;
	ret->n_segs = view.n_segments;
	for (size_t i = 0; i < view.n_segments; i++)
		memcpy(&ret->segs[i], &view.segments[view.n_segments - 1 - i], sizeof(ret->segs[i]));
	return 0;
}

static void get_seg6local(const struct nlattr *encap, struct sr_kroute *ret)
{
	const struct nlattr *attr, *count;

	ret->encap = SR_KENCAP_SEG6_LOCAL;
	mnl_attr_for_each_nested (attr, encap) {
		switch (mnl_attr_get_type(attr)) {
		case SEG6_LOCAL_ACTION:
			ret->action = number(attr);
			break;
		case SEG6_LOCAL_NH4:
			ret->nh4 = number(attr);
			break;
		case SEG6_LOCAL_VRFTABLE:
			ret->vrftable = number(attr);
			break;
		case SEG6_LOCAL_COUNTERS:
			mnl_attr_for_each_nested (count, attr) {
				if (mnl_attr_get_type(count) == SEG6_LOCAL_CNT_PACKETS)
					ret->packets = counter(count);
				else if (mnl_attr_get_type(count) == SEG6_LOCAL_CNT_BYTES)
					ret->bytes = counter(count);
				else if (mnl_attr_get_type(count) == SEG6_LOCAL_CNT_ERRORS)
					ret->errors = counter(count);
			}
			break;
		default:
			break;
		}
	}
}

static int get_encap(const struct attrs *attrs, struct sr_kroute *ret)
{
	const struct nlattr *type = attrs->a[RTA_ENCAP_TYPE], *encap = attrs->a[RTA_ENCAP], *attr;

	if (!type)
		return 0;
	ret->encap = SR_KENCAP_OTHER;
	if (!encap || mnl_attr_get_payload_len(type) < sizeof(uint16_t))
		return 0;
	if (mnl_attr_get_u16(type) == LWTUNNEL_ENCAP_SEG6_LOCAL)
		get_seg6local(encap, ret);
	if (mnl_attr_get_u16(type) != LWTUNNEL_ENCAP_SEG6)
		return 0;
	mnl_attr_for_each_nested (attr, encap)
		if (mnl_attr_get_type(attr) == SEG6_IPTUNNEL_SRH)
			return get_srh(attr, ret);
	return 0;
}

static int get_dst(const struct nlattr *attr, const struct rtmsg *rtm, struct sr_prefix *ret)
{
	bool v4 = rtm->rtm_family == AF_INET;
	size_t size = v4 ? sizeof(__be32) : sizeof(struct in6_addr);
	struct in6_addr addr = {};

	if (rtm->rtm_dst_len > 8 * size || (attr && mnl_attr_get_payload_len(attr) < size))
		return -EBADMSG;
	if (attr)
		memcpy(&addr, mnl_attr_get_payload(attr), size);
	*ret = v4 ? sr_prefix_v4(addr.s6_addr32[0], rtm->rtm_dst_len) : sr_prefix_v6(&addr, rtm->rtm_dst_len);
	return v4 == sr_prefix_is_v4(ret) ? 0 : -EBADMSG; /* an IPv6 route to v4-mapped addresses */
}

int sr_kroute_get(const struct nlmsghdr *message, struct sr_kroute *ret)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(message);
	struct sr_kroute route = {};
	struct attrs attrs = {};
	int r;

	if (mnl_nlmsg_get_payload_len(message) < sizeof(*rtm))
		return -EBADMSG;
	if (rtm->rtm_family != AF_INET && rtm->rtm_family != AF_INET6)
		return -EAFNOSUPPORT;
	mnl_attr_parse(message, sizeof(*rtm), on_attr, &attrs);
	r = get_dst(attrs.a[RTA_DST], rtm, &route.dst);
	if (r < 0)
		return r;
	route.table = attrs.a[RTA_TABLE] ? number(attrs.a[RTA_TABLE]) : rtm->rtm_table;
	route.type = rtm->rtm_type;
	route.protocol = rtm->rtm_protocol;
	route.metric = number(attrs.a[RTA_PRIORITY]);
	route.oif = number(attrs.a[RTA_OIF]);
	route.gateway = attrs.a[RTA_GATEWAY] || attrs.a[RTA_VIA] || attrs.a[RTA_MULTIPATH] || attrs.a[RTA_NH_ID];
	route.selective = rtm->rtm_src_len || rtm->rtm_tos;
	r = get_encap(&attrs, &route);
	if (r == 0)
		*ret = route;
	return r;
}
