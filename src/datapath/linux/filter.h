/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * datapath/linux/filter.h - what routes cannot say, said with TC filters at the ingress of taps and uplinks: the
 * border of the SR domain (RFC 8754 section 5.1, RFC 8986 section 9), and ports that are administratively down.
 *
 *   tap     IPv6 from or to SID space: dropped. Down: everything is.
 *   uplink  IPv6 to one of our locators from outside the domain: dropped.
 *
 * Filters have preferences of our own (SR_FILTER_PREF and the next) and nobody else's are touched.
 */
#ifndef SR_LINUX_FILTER_H
#define SR_LINUX_FILTER_H

#include "datapath/datapath.h"
#include "netlink/rtnl.h"

#define SR_FILTER_PREF 29550

/* The qdisc clsact, which filters hang on. *ret_made: it was not there. -EOPNOTSUPP, -ENOENT: the kernel has none. */
int sr_filter_clsact(struct sr_rtnl *nl, uint32_t ifindex, bool *ret_made);
int sr_filter_clsact_del(struct sr_rtnl *nl, uint32_t ifindex);

int sr_filter_tap(struct sr_rtnl *nl, uint32_t ifindex, const struct sr_prefix *domains, size_t n);
int sr_filter_uplink(struct sr_rtnl *nl, uint32_t ifindex, const struct sr_prefix *domains, size_t n_domains,
		     const struct sr_locator *locators, size_t n_locators);
int sr_filter_down(struct sr_rtnl *nl, uint32_t ifindex, bool down);
/* All filters of ours. What is not there is no error. */
int sr_filter_del(struct sr_rtnl *nl, uint32_t ifindex);
/* Packets that the filters of an interface dropped, added to *ret_border and *ret_down. */
int sr_filter_count(struct sr_rtnl *nl, uint32_t ifindex, struct sr_bpf_counter *ret_border,
		    struct sr_bpf_counter *ret_down);

#endif
