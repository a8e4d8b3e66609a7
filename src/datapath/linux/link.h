/* SPDX-License-Identifier: GPL-2.0-only */
/* datapath/linux/link.h - interfaces, their addresses and neighbours over rtnetlink; 0 or a negative errno. */
#ifndef SR_LINUX_LINK_H
#define SR_LINUX_LINK_H

#include "datapath/datapath.h"
#include "netlink/rtnl.h"

#define SR_ALIAS_MAX 64

/* An interface as the kernel tells of it. */
struct sr_klink {
	uint32_t ifindex;
	char name[SR_IFNAME_MAX];
	char alias[SR_ALIAS_MAX]; /* "" if none, or longer than ours ever is */
	uint32_t master;	  /* ifindex; 0: none */
	uint32_t vrf_table;	  /* of a VRF device; 0: it is none */
	bool up;		  /* administratively */
	uint8_t mac[6];		  /* of an Ethernet */
	uint64_t rx_packets, rx_bytes, rx_dropped;
};

int sr_klink_dump(struct sr_rtnl *nl, int (*cb)(void *ctx, const struct sr_klink *link), void *ctx);
/* -ENODEV: none of that number. */
int sr_klink_get(struct sr_rtnl *nl, uint32_t ifindex, struct sr_klink *ret);

/*
 * A VRF device, up. It has another name until it has its alias, so that after a kill none of ours is without; a device
 * of that name is a leftover. -EOPNOTSUPP: no VRF driver; -EEXIST: the name is taken.
 */
#define SR_KVRF_PART "srprobe"
int sr_kvrf_add(struct sr_rtnl *nl, const char *name, uint32_t table, const char *alias, uint32_t *ret_ifindex);
int sr_kvrf_alias(struct sr_rtnl *nl, uint32_t ifindex, const char *alias);
/* What is not there is no error. */
int sr_klink_del(struct sr_rtnl *nl, uint32_t ifindex);
/* Joins a VRF (0: leaves it). The kernel takes the interface down and up for it, and so drops routes through it. */
int sr_klink_master(struct sr_rtnl *nl, uint32_t ifindex, uint32_t master);
/* Up; mac, where not NULL, becomes the interface's own. */
int sr_klink_up(struct sr_rtnl *nl, uint32_t ifindex, const uint8_t mac[6]);

/* A host address (IPv4 v4-mapped) without a route of its own. Adding what is there, removing what is not: no error. */
int sr_kaddr_set(struct sr_rtnl *nl, uint32_t ifindex, const struct in6_addr *addr, bool there);
/* All addresses of host length, but link-local ones. */
int sr_kaddr_dump(struct sr_rtnl *nl, int (*cb)(void *ctx, uint32_t ifindex, const struct in6_addr *addr), void *ctx);

/* Builds a message that makes a neighbour permanent, or forgets it; room for 128 bytes. */
void sr_kneigh_put(struct nlmsghdr *message, uint32_t ifindex, const struct sr_prefix *host, const uint8_t mac[6],
		   bool there);

/* Rules. dst NULL: any. Idempotent both ways. */
int sr_krule_set(struct sr_rtnl *nl, int family, uint32_t pref, const struct sr_prefix *dst, uint32_t table,
		 bool there);
/* Removes the IPv6 rules of that preference that lead to the table from other destinations than these. */
int sr_krule_sweep(struct sr_rtnl *nl, uint32_t pref, uint32_t table, const struct sr_prefix *keep, size_t n);
/* Is there a rule "from all lookup local" with that preference? */
int sr_krule_local(struct sr_rtnl *nl, int family, uint32_t pref, bool *ret);

/* The outer source address of the kernel's seg6 (net/ipv6/seg6.c), of this network namespace. */
int sr_ktunsrc_get(struct in6_addr *ret);
int sr_ktunsrc_set(const struct in6_addr *addr);

#endif
