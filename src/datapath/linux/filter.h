/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * datapath/linux/filter.h - what routes cannot say, said with TC filters on taps and uplinks.
 *
 *   tap     ingress  IPv6 from or to SID space: dropped (RFC 8754 section 5.1). Down: everything is.
 *                    TTL less one: what the source node of an SR domain does (RFC 8986 section 5.1), and the kernel's
 *                    seg6 does not.
 *           egress   TTL plus one: after decapsulation the kernel forwards, which takes one that an endpoint is not to
 *                    take (section 4.6), as a packet between two taps is forwarded once and had one taken already.
 *                    So a packet loses one end to end, between whatever datapaths.
 *   uplink  ingress  IPv6 to one of our locators from outside the domain: dropped.
 *
 * Filters have preferences of our own (SR_FILTER_PREF and the next) and nobody else's are touched.
 */
#ifndef SR_LINUX_FILTER_H
#define SR_LINUX_FILTER_H

#include "datapath/datapath.h"
#include "netlink/rtnl.h"

#define SR_FILTER_PREF 29550

/* Lower ones are asked first. Each has one protocol, as the kernel wants it. */
enum sr_filter_pref {
	SR_PREF_DOWN = SR_FILTER_PREF, /* a port that is down */
	SR_PREF_PASS,		       /* uplink: from the domain to our locators */
	SR_PREF_BORDER,		       /* what crosses the border and must not */
	SR_PREF_TTL_KEEP4,	       /* packets whose TTL is left alone */
	SR_PREF_TTL4,
	SR_PREF_TTL_KEEP6,
	SR_PREF_TTL6,
	SR_PREF_END,
};

/* The qdisc clsact, which filters hang on. -EOPNOTSUPP, -ENOENT: the kernel has none. */
int sr_filter_clsact(struct sr_rtnl *nl, uint32_t ifindex);
bool sr_filter_has_clsact(struct sr_rtnl *nl, uint32_t ifindex);
/* Unless there are filters on it. */
int sr_filter_clsact_del(struct sr_rtnl *nl, uint32_t ifindex);

int sr_filter_tap(struct sr_rtnl *nl, uint32_t ifindex, const struct sr_prefix *domains, size_t n);
int sr_filter_uplink(struct sr_rtnl *nl, uint32_t ifindex, const struct sr_prefix *domains, size_t n_domains,
		     const struct sr_locator *locators, size_t n_locators);
/*
 * The TTL's two, for all that the VM sends and gets but what the node itself sends it from the gateway's addresses (0,
 * ::: none), and what TTLs must not change: 255 (RFC 4861 section 3.1, and it could not be one more), 1 and 0 (what
 * comes with that expires where it is forwarded).
 */
int sr_filter_ttl(struct sr_rtnl *nl, uint32_t ifindex, __be32 gateway4, const struct in6_addr *gateway6);
int sr_filter_down(struct sr_rtnl *nl, uint32_t ifindex, bool down);
/* All filters of ours. What is not there is no error. */
int sr_filter_del(struct sr_rtnl *nl, uint32_t ifindex);
/* Packets that the filters of an interface dropped, added to *ret_border and *ret_down. */
int sr_filter_count(struct sr_rtnl *nl, uint32_t ifindex, struct sr_bpf_counter *ret_border,
		    struct sr_bpf_counter *ret_down);

/* ---- for filter.c and ttl.c: messages */

#define SR_FILTER_MESSAGE 1024

/* A message about one filter; its protocol follows from the preference. */
struct nlmsghdr *sr_filter_message(char buf[static SR_FILTER_MESSAGE], uint16_t type, uint32_t ifindex, bool egress,
				   enum sr_filter_pref pref, uint32_t handle);
/* Removes those of a preference from this handle on: ours are numbered without gaps. */
void sr_filter_trim(struct sr_rtnl *nl, uint32_t ifindex, bool egress, enum sr_filter_pref pref, uint32_t handle);
/* An action that only says what becomes of the packet (TC_ACT_*), as the n-th of a list. */
void sr_filter_gact(struct nlmsghdr *message, uint16_t n, int action);

#endif
