/* SPDX-License-Identifier: GPL-2.0-only */
#include "datapath/linux/filter.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/gen_stats.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_gact.h>
#include <string.h>

#define INGRESS TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS)
#define EGRESS TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS)

static struct nlmsghdr *tc_message(char *buf, uint16_t type, uint16_t flags, uint32_t ifindex)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(buf);
	struct tcmsg *tc = mnl_nlmsg_put_extra_header(message, sizeof(*tc));

	message->nlmsg_type = type;
	message->nlmsg_flags = flags;
	tc->tcm_ifindex = (int)ifindex;
	tc->tcm_parent = TC_H_CLSACT;
	return message;
}

static uint16_t protocol_of(enum sr_filter_pref pref)
{
	switch (pref) {
	case SR_PREF_DOWN:
		return ETH_P_ALL;
	case SR_PREF_TTL_KEEP4:
	case SR_PREF_TTL4:
		return ETH_P_IP;
	default:
		return ETH_P_IPV6;
	}
}

struct nlmsghdr *sr_filter_message(char buf[static SR_FILTER_MESSAGE], uint16_t type, uint32_t ifindex, bool egress,
				   enum sr_filter_pref pref, uint32_t handle)
{
	/* Without EXCL a flower filter that is there is replaced as one step. */
	struct nlmsghdr *message = tc_message(buf, type, type == RTM_NEWTFILTER ? NLM_F_CREATE : 0, ifindex);
	struct tcmsg *tc = mnl_nlmsg_get_payload(message);

	tc->tcm_parent = egress ? EGRESS : INGRESS;
	tc->tcm_handle = handle;
	tc->tcm_info = TC_H_MAKE((uint32_t)pref << 16, htons(protocol_of(pref)));
	return message;
}

static int ignore(const struct nlmsghdr *message, void *data)
{
	(void)message;
	(void)data;
	return MNL_CB_OK;
}

bool sr_filter_has_clsact(struct sr_rtnl *nl, uint32_t ifindex)
{
	char buf[SR_FILTER_MESSAGE];
	struct nlmsghdr *message = tc_message(buf, RTM_GETQDISC, 0, ifindex);
	struct tcmsg *tc = mnl_nlmsg_get_payload(message);

	tc->tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0);
	return sr_rtnl_get(nl, message, ignore, NULL) == 0;
}

static int count_filter(const struct nlmsghdr *message, void *data)
{
	*(unsigned int *)data += message->nlmsg_type == RTM_NEWTFILTER;
	return MNL_CB_OK;
}

static unsigned int count_filters(struct sr_rtnl *nl, uint32_t ifindex, uint32_t parent)
{
	char buf[SR_FILTER_MESSAGE];
	struct nlmsghdr *message = tc_message(buf, RTM_GETTFILTER, 0, ifindex);
	struct tcmsg *tc = mnl_nlmsg_get_payload(message);
	unsigned int n = 0;

	tc->tcm_parent = parent;
	sr_rtnl_dump(nl, message, count_filter, &n);
	return n;
}

int sr_filter_clsact(struct sr_rtnl *nl, uint32_t ifindex)
{
	char buf[SR_FILTER_MESSAGE];
	struct nlmsghdr *message = tc_message(buf, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, ifindex);
	struct tcmsg *tc = mnl_nlmsg_get_payload(message);
	int r;

	tc->tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0);
	mnl_attr_put_strz(message, TCA_KIND, "clsact");
	r = sr_rtnl_request(nl, message);
	return r == -EEXIST ? 0 : r;
}

int sr_filter_clsact_del(struct sr_rtnl *nl, uint32_t ifindex)
{
	char buf[SR_FILTER_MESSAGE];
	struct nlmsghdr *message = tc_message(buf, RTM_DELQDISC, 0, ifindex);
	struct tcmsg *tc = mnl_nlmsg_get_payload(message);
	int r;

	if (count_filters(nl, ifindex, INGRESS) || count_filters(nl, ifindex, EGRESS))
		return 0;
	tc->tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0);
	r = sr_rtnl_request(nl, message);
	return r == -ENOENT || r == -EINVAL || r == -ENODEV ? 0 : r; /* there is none */
}

void sr_filter_gact(struct nlmsghdr *message, uint16_t n, int action)
{
	const struct tc_gact gact = {.action = action};
	struct nlattr *nth = mnl_attr_nest_start(message, n), *options;

	mnl_attr_put_strz(message, TCA_ACT_KIND, "gact");
	options = mnl_attr_nest_start(message, TCA_ACT_OPTIONS);
	mnl_attr_put(message, TCA_GACT_PARMS, sizeof(gact), &gact);
	mnl_attr_nest_end(message, options);
	mnl_attr_nest_end(message, nth);
}

static void put_action(struct nlmsghdr *message, uint16_t attr, int action)
{
	struct nlattr *list = mnl_attr_nest_start(message, attr);

	sr_filter_gact(message, 1, action);
	mnl_attr_nest_end(message, list);
}

static void put_match(struct nlmsghdr *message, uint16_t attr, uint16_t mask_attr, const struct sr_prefix *prefix)
{
	struct in6_addr ones, mask;

	memset(&ones, 0xff, sizeof(ones));
	mask = sr_prefix_v6(&ones, prefix->len).addr;
	mnl_attr_put(message, attr, sizeof(prefix->addr), &prefix->addr);
	mnl_attr_put(message, mask_attr, sizeof(mask), &mask);
}

/* One flower filter for IPv6; src and dst may be NULL: any. */
static int flower(struct sr_rtnl *nl, uint32_t ifindex, enum sr_filter_pref pref, uint32_t handle,
		  const struct sr_prefix *src, const struct sr_prefix *dst, int action)
{
	char buf[SR_FILTER_MESSAGE];
	struct nlmsghdr *message = sr_filter_message(buf, RTM_NEWTFILTER, ifindex, false, pref, handle);
	struct nlattr *options;

	mnl_attr_put_strz(message, TCA_KIND, "flower");
	options = mnl_attr_nest_start(message, TCA_OPTIONS);
	mnl_attr_put_u16(message, TCA_FLOWER_KEY_ETH_TYPE, htons(ETH_P_IPV6));
	if (src)
		put_match(message, TCA_FLOWER_KEY_IPV6_SRC, TCA_FLOWER_KEY_IPV6_SRC_MASK, src);
	if (dst)
		put_match(message, TCA_FLOWER_KEY_IPV6_DST, TCA_FLOWER_KEY_IPV6_DST_MASK, dst);
	put_action(message, TCA_FLOWER_ACT, action);
	mnl_attr_nest_end(message, options);
	return sr_rtnl_request(nl, message);
}

static int set_tap(struct sr_rtnl *nl, uint32_t ifindex, const struct sr_prefix *domains, size_t n)
{
	int r = 0;

	for (uint32_t i = 0; i < n && r == 0; i++) {
		r = flower(nl, ifindex, SR_PREF_BORDER, 2 * i + 1, NULL, &domains[i], TC_ACT_SHOT);
		if (r == 0)
			r = flower(nl, ifindex, SR_PREF_BORDER, 2 * i + 2, &domains[i], NULL, TC_ACT_SHOT);
	}
	return r;
}

static int set_uplink(struct sr_rtnl *nl, uint32_t ifindex, const struct sr_prefix *domains, size_t n_domains,
		      const struct sr_locator *locators, size_t n_locators)
{
	uint32_t handle = 1;
	int r = 0;

	for (size_t i = 0; i < n_locators && r == 0; i++) {
		const struct sr_prefix locator = sr_locator_prefix(&locators[i]);

		for (size_t j = 0; j < n_domains && r == 0; j++)
			r = flower(nl, ifindex, SR_PREF_PASS, handle++, &domains[j], &locator, TC_ACT_OK);
		if (r == 0)
			r = flower(nl, ifindex, SR_PREF_BORDER, (uint32_t)i + 1, NULL, &locator, TC_ACT_SHOT);
	}
	return r;
}

static int del_pref(struct sr_rtnl *nl, uint32_t ifindex, bool egress, enum sr_filter_pref pref)
{
	char buf[SR_FILTER_MESSAGE];
	int r = sr_rtnl_request(nl, sr_filter_message(buf, RTM_DELTFILTER, ifindex, egress, pref, 0));

	/* No such filter, no clsact to have one, no such interface. */
	return r == -ENOENT || r == -EINVAL || r == -ENODEV ? 0 : r;
}

void sr_filter_trim(struct sr_rtnl *nl, uint32_t ifindex, bool egress, enum sr_filter_pref pref, uint32_t handle)
{
	char buf[SR_FILTER_MESSAGE];

	while (sr_rtnl_request(nl, sr_filter_message(buf, RTM_DELTFILTER, ifindex, egress, pref, handle)) == 0)
		handle++;
}

/* Where SID space or the locators were others before: a filter takes no other mask, nor that of another as its own. */
static bool is_conflict(int r)
{
	return r == -EINVAL || r == -EEXIST;
}

int sr_filter_tap(struct sr_rtnl *nl, uint32_t ifindex, const struct sr_prefix *domains, size_t n)
{
	int r = set_tap(nl, ifindex, domains, n);

	if (is_conflict(r) && del_pref(nl, ifindex, false, SR_PREF_BORDER) == 0)
		r = set_tap(nl, ifindex, domains, n);
	if (r == 0)
		sr_filter_trim(nl, ifindex, false, SR_PREF_BORDER, (uint32_t)(2 * n + 1));
	return r;
}

int sr_filter_uplink(struct sr_rtnl *nl, uint32_t ifindex, const struct sr_prefix *domains, size_t n_domains,
		     const struct sr_locator *locators, size_t n_locators)
{
	int r = set_uplink(nl, ifindex, domains, n_domains, locators, n_locators);

	if (is_conflict(r) && del_pref(nl, ifindex, false, SR_PREF_BORDER) == 0 &&
	    del_pref(nl, ifindex, false, SR_PREF_PASS) == 0)
		r = set_uplink(nl, ifindex, domains, n_domains, locators, n_locators);
	if (r < 0)
		return r;
	sr_filter_trim(nl, ifindex, false, SR_PREF_PASS, (uint32_t)(n_locators * n_domains + 1));
	sr_filter_trim(nl, ifindex, false, SR_PREF_BORDER, (uint32_t)n_locators + 1);
	return 0;
}

int sr_filter_down(struct sr_rtnl *nl, uint32_t ifindex, bool down)
{
	char buf[SR_FILTER_MESSAGE];
	struct nlmsghdr *message;
	struct nlattr *options;
	int r;

	if (!down)
		return del_pref(nl, ifindex, false, SR_PREF_DOWN);
	message = sr_filter_message(buf, RTM_NEWTFILTER, ifindex, false, SR_PREF_DOWN, 1);
	mnl_attr_put_strz(message, TCA_KIND, "matchall");
	options = mnl_attr_nest_start(message, TCA_OPTIONS);
	put_action(message, TCA_MATCHALL_ACT, TC_ACT_SHOT);
	mnl_attr_nest_end(message, options);
	r = sr_rtnl_request(nl, message);
	return r == -EEXIST ? 0 : r;
}

int sr_filter_del(struct sr_rtnl *nl, uint32_t ifindex)
{
	int first = 0;

	for (int pref = SR_PREF_DOWN; pref < SR_PREF_END; pref++) {
		int in = del_pref(nl, ifindex, false, (enum sr_filter_pref)pref);
		int out = del_pref(nl, ifindex, true, (enum sr_filter_pref)pref);

		first = first ? first : in ? in : out;
	}
	return first;
}

/* ---- counters */

struct counting {
	struct sr_bpf_counter *border, *down;
};

static const struct nlattr *nested(const struct nlattr *in, uint16_t type)
{
	const struct nlattr *attr;

	if (!in)
		return NULL;
	mnl_attr_for_each_nested (attr, in)
		if (mnl_attr_get_type(attr) == type)
			return attr;
	return NULL;
}

static int on_filter_attr(const struct nlattr *attr, void *data)
{
	const struct nlattr **ret = data;

	if (mnl_attr_get_type(attr) == TCA_OPTIONS)
		*ret = attr;
	return MNL_CB_OK;
}

static int on_filter(const struct nlmsghdr *message, void *data)
{
	const struct tcmsg *tc = mnl_nlmsg_get_payload(message);
	const struct nlattr *options = NULL, *basic;
	struct sr_bpf_counter *counter = NULL;
	struct counting *counting = data;
	struct gnet_stats_basic stats;
	uint16_t act = TCA_FLOWER_ACT;

	if (message->nlmsg_type != RTM_NEWTFILTER || mnl_nlmsg_get_payload_len(message) < sizeof(*tc))
		return MNL_CB_OK;
	if (TC_H_MAJ(tc->tcm_info) >> 16 == SR_PREF_BORDER)
		counter = counting->border;
	else if (TC_H_MAJ(tc->tcm_info) >> 16 == SR_PREF_DOWN)
		counter = counting->down, act = TCA_MATCHALL_ACT;
	if (!counter)
		return MNL_CB_OK;
	mnl_attr_parse(message, sizeof(*tc), on_filter_attr, (void *)&options);
	basic = nested(nested(nested(nested(options, act), 1), TCA_ACT_STATS), TCA_STATS_BASIC);
	if (!basic || mnl_attr_get_payload_len(basic) < 12)
		return MNL_CB_OK;
	memset(&stats, 0, sizeof(stats));
	memcpy(&stats, mnl_attr_get_payload(basic), 12); /* 64 bits of bytes, 32 of packets */
	counter->packets += stats.packets;
	counter->bytes += stats.bytes;
	return MNL_CB_OK;
}

int sr_filter_count(struct sr_rtnl *nl, uint32_t ifindex, struct sr_bpf_counter *ret_border,
		    struct sr_bpf_counter *ret_down)
{
	struct counting counting = {ret_border, ret_down};
	char buf[SR_FILTER_MESSAGE];
	struct nlmsghdr *message = tc_message(buf, RTM_GETTFILTER, 0, ifindex);
	struct tcmsg *tc = mnl_nlmsg_get_payload(message);
	int r;

	tc->tcm_parent = INGRESS;
	r = sr_rtnl_dump(nl, message, on_filter, &counting);
	return r == -ENOENT || r == -EINVAL || r == -ENODEV ? 0 : r;
}
