/* SPDX-License-Identifier: GPL-2.0-only */
/* The TTL's filters: see filter.h for what and why. */
#include "datapath/linux/filter.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_csum.h>
#include <linux/tc_act/tc_pedit.h>
#include <string.h>

/* The byte in the header, as act_pedit sees it: 32 bits at a multiple of 4, in memory's order. */
#define TTL_OFFSET 8 /* RFC 791: TTL, protocol, checksum */
#define TTL_BYTE 0
#define HOP_LIMIT_OFFSET 4 /* RFC 8200: payload length, next header, hop limit */
#define HOP_LIMIT_BYTE 3

/* What a "keep" filter matches: a TTL, or a source. */
struct keep {
	uint8_t ttl, mask; /* mask 0: any */
	const void *source;
};

static int put_keep(struct sr_rtnl *nl, uint32_t ifindex, bool egress, bool v4, uint32_t handle,
		    const struct keep *keep)
{
	char buf[SR_FILTER_MESSAGE];
	struct nlmsghdr *message = sr_filter_message(buf, RTM_NEWTFILTER, ifindex, egress,
						     v4 ? SR_PREF_TTL_KEEP4 : SR_PREF_TTL_KEEP6, handle);
	struct nlattr *options, *actions;
	uint8_t ones[16];

	memset(ones, 0xff, sizeof(ones));
	mnl_attr_put_strz(message, TCA_KIND, "flower");
	options = mnl_attr_nest_start(message, TCA_OPTIONS);
	mnl_attr_put_u16(message, TCA_FLOWER_KEY_ETH_TYPE, htons(v4 ? ETH_P_IP : ETH_P_IPV6));
	if (keep->mask) {
		mnl_attr_put_u8(message, TCA_FLOWER_KEY_IP_TTL, keep->ttl);
		mnl_attr_put_u8(message, TCA_FLOWER_KEY_IP_TTL_MASK, keep->mask);
	}
	if (keep->source) {
		mnl_attr_put(message, v4 ? TCA_FLOWER_KEY_IPV4_SRC : TCA_FLOWER_KEY_IPV6_SRC, v4 ? 4 : 16,
			     keep->source);
		mnl_attr_put(message, v4 ? TCA_FLOWER_KEY_IPV4_SRC_MASK : TCA_FLOWER_KEY_IPV6_SRC_MASK, v4 ? 4 : 16,
			     ones);
	}
	actions = mnl_attr_nest_start(message, TCA_FLOWER_ACT);
	sr_filter_gact(message, 1, TC_ACT_OK);
	mnl_attr_nest_end(message, actions);
	mnl_attr_nest_end(message, options);
	return sr_rtnl_request(nl, message);
}

/* Adds to one byte of the IP header; what it carries into the others is masked out. */
static void put_pedit(struct nlmsghdr *message, uint16_t n, bool v4, uint8_t add)
{
	struct {
		struct tc_pedit_sel sel;
		struct tc_pedit_key key;
	} pedit = {};
	uint8_t value[4] = {}, mask[4] = {0xff, 0xff, 0xff, 0xff};
	struct nlattr *nth = mnl_attr_nest_start(message, n), *options, *keys, *key;

	value[v4 ? TTL_BYTE : HOP_LIMIT_BYTE] = add;
	mask[v4 ? TTL_BYTE : HOP_LIMIT_BYTE] = 0;
	pedit.sel.action = TC_ACT_PIPE;
	pedit.sel.nkeys = 1;
	pedit.key.off = v4 ? TTL_OFFSET : HOP_LIMIT_OFFSET;
	memcpy(&pedit.key.val, value, sizeof(value));
	memcpy(&pedit.key.mask, mask, sizeof(mask));
	mnl_attr_put_strz(message, TCA_ACT_KIND, "pedit");
	options = mnl_attr_nest_start(message, TCA_ACT_OPTIONS);
	mnl_attr_put(message, TCA_PEDIT_PARMS_EX, sizeof(pedit), &pedit);
	keys = mnl_attr_nest_start(message, TCA_PEDIT_KEYS_EX);
	key = mnl_attr_nest_start(message, TCA_PEDIT_KEY_EX);
	mnl_attr_put_u16(message, TCA_PEDIT_KEY_EX_HTYPE,
			 v4 ? TCA_PEDIT_KEY_EX_HDR_TYPE_IP4 : TCA_PEDIT_KEY_EX_HDR_TYPE_IP6);
	mnl_attr_put_u16(message, TCA_PEDIT_KEY_EX_CMD, TCA_PEDIT_KEY_EX_CMD_ADD);
	mnl_attr_nest_end(message, key);
	mnl_attr_nest_end(message, keys);
	mnl_attr_nest_end(message, options);
	mnl_attr_nest_end(message, nth);
}

static void put_checksum(struct nlmsghdr *message, uint16_t n)
{
	const struct tc_csum csum = {.action = TC_ACT_PIPE, .update_flags = TCA_CSUM_UPDATE_FLAG_IPV4HDR};
	struct nlattr *nth = mnl_attr_nest_start(message, n), *options;

	mnl_attr_put_strz(message, TCA_ACT_KIND, "csum");
	options = mnl_attr_nest_start(message, TCA_ACT_OPTIONS);
	mnl_attr_put(message, TCA_CSUM_PARMS, sizeof(csum), &csum);
	mnl_attr_nest_end(message, options);
	mnl_attr_nest_end(message, nth);
}

static int put_change(struct sr_rtnl *nl, uint32_t ifindex, bool egress, bool v4)
{
	char buf[SR_FILTER_MESSAGE];
	struct nlmsghdr *message =
		sr_filter_message(buf, RTM_NEWTFILTER, ifindex, egress, v4 ? SR_PREF_TTL4 : SR_PREF_TTL6, 1);
	struct nlattr *options, *actions;

	mnl_attr_put_strz(message, TCA_KIND, "flower");
	options = mnl_attr_nest_start(message, TCA_OPTIONS);
	mnl_attr_put_u16(message, TCA_FLOWER_KEY_ETH_TYPE, htons(v4 ? ETH_P_IP : ETH_P_IPV6));
	actions = mnl_attr_nest_start(message, TCA_FLOWER_ACT);
	put_pedit(message, 1, v4, egress ? 1 : 0xff);
	if (v4)
		put_checksum(message, 2);
	sr_filter_gact(message, v4 ? 3 : 2, TC_ACT_UNSPEC); /* on to whoever comes after us */
	mnl_attr_nest_end(message, actions);
	mnl_attr_nest_end(message, options);
	return sr_rtnl_request(nl, message);
}

static int family(struct sr_rtnl *nl, uint32_t ifindex, bool v4, const void *gateway)
{
	const struct keep in[] = {{0, 0xfe, NULL}, {255, 0xff, NULL}}, out[] = {{255, 0xff, NULL}, {0, 0, gateway}};
	int r = 0;

	for (uint32_t i = 0; i < 2 && r == 0; i++)
		r = put_keep(nl, ifindex, false, v4, i + 1, &in[i]);
	for (uint32_t i = 0; i < (gateway ? 2 : 1) && r == 0; i++)
		r = put_keep(nl, ifindex, true, v4, i + 1, &out[i]);
	if (r == 0 && !gateway) /* one that it had */
		sr_filter_trim(nl, ifindex, true, v4 ? SR_PREF_TTL_KEEP4 : SR_PREF_TTL_KEEP6, 2);
	if (r == 0)
		r = put_change(nl, ifindex, false, v4);
	return r < 0 ? r : put_change(nl, ifindex, true, v4);
}

int sr_filter_ttl(struct sr_rtnl *nl, uint32_t ifindex, __be32 gateway4, const struct in6_addr *gateway6)
{
	int r = family(nl, ifindex, true, gateway4 ? &gateway4 : NULL);

	return r < 0 ? r : family(nl, ifindex, false, IN6_IS_ADDR_UNSPECIFIED(gateway6) ? NULL : gateway6);
}
