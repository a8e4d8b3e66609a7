/* SPDX-License-Identifier: GPL-2.0-only */
/* Policy rules and the outer source address; see link.h. */
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/genetlink.h>
#include <linux/rtnetlink.h>
#include <linux/seg6_genl.h>
#include <string.h>

#include "datapath/linux/link.h"

#define MESSAGE 512
#define SWEEP_MAX 64 /* rules; should one not go, the loop ends */

/* ---- rules */

static struct nlmsghdr *rule_message(char *buf, uint16_t type, int family, uint32_t pref, uint32_t table)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(buf);
	struct fib_rule_hdr *rule = mnl_nlmsg_put_extra_header(message, sizeof(*rule));

	message->nlmsg_type = type;
	rule->family = (unsigned char)family;
	rule->action = FR_ACT_TO_TBL;
	rule->table = (unsigned char)table;
	mnl_attr_put_u32(message, FRA_PRIORITY, pref);
	return message;
}

int sr_krule_set(struct sr_rtnl *nl, int family, uint32_t pref, const struct sr_prefix *dst, uint32_t table, bool there)
{
	char buf[MESSAGE];
	struct nlmsghdr *message = rule_message(buf, there ? RTM_NEWRULE : RTM_DELRULE, family, pref, table);
	struct fib_rule_hdr *rule = mnl_nlmsg_get_payload(message);
	int r;

	message->nlmsg_flags = there ? NLM_F_CREATE | NLM_F_EXCL : 0;
	if (dst) {
		rule->dst_len = (unsigned char)sr_prefix_len(dst);
		mnl_attr_put(message, FRA_DST, sizeof(dst->addr), &dst->addr);
	}
	mnl_attr_put_u32(message, FRA_TABLE, table);
	r = sr_rtnl_request(nl, message);
	return (there && r == -EEXIST) || (!there && r == -ENOENT) ? 0 : r;
}

struct wanted_rule {
	uint32_t pref;
	bool found;
};

struct seen_rule {
	uint32_t pref;
	struct sr_prefix dst;
};

/* A rule that is not wanted any more; the last one that was seen. */
struct stale_rule {
	uint32_t pref, table;
	const struct sr_prefix *keep;
	size_t n;
	bool found;
	struct sr_prefix dst;
};

static int on_rule_attr(const struct nlattr *attr, void *data)
{
	struct seen_rule *seen = data;

	if (mnl_attr_get_type(attr) == FRA_PRIORITY && mnl_attr_validate(attr, MNL_TYPE_U32) == 0)
		seen->pref = mnl_attr_get_u32(attr);
	if (mnl_attr_get_type(attr) == FRA_DST && mnl_attr_get_payload_len(attr) == sizeof(seen->dst.addr))
		memcpy(&seen->dst.addr, mnl_attr_get_payload(attr), sizeof(seen->dst.addr));
	return MNL_CB_OK;
}

static int on_rule(const struct nlmsghdr *message, void *data)
{
	const struct fib_rule_hdr *rule = mnl_nlmsg_get_payload(message);
	struct wanted_rule *wanted = data;
	struct seen_rule seen = {};

	if (message->nlmsg_type != RTM_NEWRULE || mnl_nlmsg_get_payload_len(message) < sizeof(*rule))
		return MNL_CB_OK;
	mnl_attr_parse(message, sizeof(*rule), on_rule_attr, &seen);
	if (seen.pref == wanted->pref && rule->action == FR_ACT_TO_TBL && rule->table == RT_TABLE_LOCAL &&
	    rule->dst_len == 0 && rule->src_len == 0)
		wanted->found = true;
	return MNL_CB_OK;
}

int sr_krule_local(struct sr_rtnl *nl, int family, uint32_t pref, bool *ret)
{
	struct wanted_rule wanted = {.pref = pref};
	char buf[MESSAGE];
	struct nlmsghdr *message = mnl_nlmsg_put_header(buf);
	struct fib_rule_hdr *rule = mnl_nlmsg_put_extra_header(message, sizeof(*rule));
	int r;

	message->nlmsg_type = RTM_GETRULE;
	rule->family = (unsigned char)family;
	r = sr_rtnl_dump(nl, message, on_rule, &wanted);
	if (r == 0)
		*ret = wanted.found;
	return r;
}

static int on_stale_rule(const struct nlmsghdr *message, void *data)
{
	const struct fib_rule_hdr *rule = mnl_nlmsg_get_payload(message);
	struct stale_rule *stale = data;
	struct seen_rule seen = {};

	if (message->nlmsg_type != RTM_NEWRULE || mnl_nlmsg_get_payload_len(message) < sizeof(*rule))
		return MNL_CB_OK;
	mnl_attr_parse(message, sizeof(*rule), on_rule_attr, &seen);
	seen.dst = sr_prefix_v6(&seen.dst.addr, rule->dst_len);
	if (seen.pref != stale->pref || rule->action != FR_ACT_TO_TBL || rule->table != stale->table || rule->src_len)
		return MNL_CB_OK;
	for (size_t i = 0; i < stale->n; i++)
		if (sr_prefix_equal(&stale->keep[i], &seen.dst))
			return MNL_CB_OK;
	stale->found = true;
	stale->dst = seen.dst;
	return MNL_CB_OK;
}

int sr_krule_sweep(struct sr_rtnl *nl, uint32_t pref, uint32_t table, const struct sr_prefix *keep, size_t n)
{
	struct stale_rule stale = {.pref = pref, .table = table, .keep = keep, .n = n, .found = true};
	int r = 0;

	for (int tries = 0; r == 0 && stale.found && tries < SWEEP_MAX; tries++) {
		char buf[MESSAGE];
		struct nlmsghdr *message = mnl_nlmsg_put_header(buf);
		struct fib_rule_hdr *rule = mnl_nlmsg_put_extra_header(message, sizeof(*rule));

		message->nlmsg_type = RTM_GETRULE;
		rule->family = AF_INET6;
		stale.found = false;
		r = sr_rtnl_dump(nl, message, on_stale_rule, &stale);
		if (r == 0 && stale.found)
			r = sr_krule_set(nl, AF_INET6, pref, &stale.dst, table, false);
	}
	return r;
}

/* ---- the outer source address, by generic netlink */

static struct nlmsghdr *genl_message(char *buf, uint16_t family, uint8_t command, uint8_t version)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(buf);
	struct genlmsghdr *genl = mnl_nlmsg_put_extra_header(message, sizeof(*genl));

	message->nlmsg_type = family;
	genl->cmd = command;
	genl->version = version;
	return message;
}

static int on_family_attr(const struct nlattr *attr, void *data)
{
	if (mnl_attr_get_type(attr) == CTRL_ATTR_FAMILY_ID && mnl_attr_validate(attr, MNL_TYPE_U16) == 0)
		*(uint16_t *)data = mnl_attr_get_u16(attr);
	return MNL_CB_OK;
}

static int on_family(const struct nlmsghdr *message, void *data)
{
	if (message->nlmsg_type == GENL_ID_CTRL)
		mnl_attr_parse(message, sizeof(struct genlmsghdr), on_family_attr, data);
	return MNL_CB_OK;
}

/* The number of the kernel's family "SEG6". -ENOENT: the kernel has none. */
static int seg6_family(struct sr_rtnl *nl, uint16_t *ret)
{
	char buf[MESSAGE];
	struct nlmsghdr *message = genl_message(buf, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1);
	int r;

	*ret = 0;
	mnl_attr_put_strz(message, CTRL_ATTR_FAMILY_NAME, SEG6_GENL_NAME);
	r = sr_rtnl_get(nl, message, on_family, ret);
	return r == 0 && !*ret ? -ENOENT : r;
}

static int on_tunsrc_attr(const struct nlattr *attr, void *data)
{
	if (mnl_attr_get_type(attr) == SEG6_ATTR_DST && mnl_attr_get_payload_len(attr) == sizeof(struct in6_addr))
		memcpy(data, mnl_attr_get_payload(attr), sizeof(struct in6_addr));
	return MNL_CB_OK;
}

static int on_tunsrc(const struct nlmsghdr *message, void *data)
{
	mnl_attr_parse(message, sizeof(struct genlmsghdr), on_tunsrc_attr, data);
	return MNL_CB_OK;
}

int sr_ktunsrc_get(struct in6_addr *ret)
{
	struct in6_addr found = {};
	struct sr_rtnl nl;
	uint16_t family;
	char buf[MESSAGE];
	int r = sr_rtnl_open(&nl, NETLINK_GENERIC);

	if (r < 0)
		return r;
	r = seg6_family(&nl, &family);
	if (r == 0)
		r = sr_rtnl_get(&nl, genl_message(buf, family, SEG6_CMD_GET_TUNSRC, SEG6_GENL_VERSION), on_tunsrc,
				&found);
	sr_rtnl_close(&nl);
	if (r == 0)
		*ret = found;
	return r;
}

int sr_ktunsrc_set(const struct in6_addr *addr)
{
	struct nlmsghdr *message;
	struct sr_rtnl nl;
	uint16_t family;
	char buf[MESSAGE];
	int r = sr_rtnl_open(&nl, NETLINK_GENERIC);

	if (r < 0)
		return r;
	r = seg6_family(&nl, &family);
	if (r == 0) {
		message = genl_message(buf, family, SEG6_CMD_SET_TUNSRC, SEG6_GENL_VERSION);
		mnl_attr_put(message, SEG6_ATTR_DST, sizeof(*addr), addr);
		r = sr_rtnl_request(&nl, message);
	}
	sr_rtnl_close(&nl);
	return r;
}
