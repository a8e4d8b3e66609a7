/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * datapath/linux/kroute.h - a kernel route as it stands in an rtnetlink message, as far as this datapath writes and
 * reads them. Pure: messages are in the caller's memory.
 */
#ifndef SR_LINUX_KROUTE_H
#define SR_LINUX_KROUTE_H

#include <linux/netlink.h>

#include "srv6/srv6.h"

enum sr_kencap {
	SR_KENCAP_NONE,
	SR_KENCAP_SEG6,	      /* seg6: H.Encaps or H.Encaps.Red, net/ipv6/seg6_iptunnel.c */
	SR_KENCAP_SEG6_LOCAL, /* seg6local: a SID's behaviour, net/ipv6/seg6_local.c */
	SR_KENCAP_OTHER,      /* read only: one that we never write */
};

struct sr_kroute {
	struct sr_prefix dst; /* its family is the route's */
	uint32_t table;
	uint8_t type;	  /* RTN_*; to remove one of any type: RTN_UNSPEC */
	uint8_t protocol; /* RTPROT_* */
	uint32_t metric;  /* 0: none (IPv4), the kernel's 1024 (IPv6) */
	uint32_t oif;	  /* 0: none */
	bool gateway;	  /* read only: has a next hop's address, or several next hops; never ours */
	bool selective;	  /* read only: for some sources or types of service; never ours */
	enum sr_kencap encap;
	/* SEG6 */
	bool reduced;
	size_t n_segs;
	struct sr_sid segs[SR_SEGS_MAX]; /* travel order */
	/* SEG6_LOCAL */
	uint32_t action; /* SEG6_LOCAL_ACTION_* */
	__be32 nh4;
	uint32_t vrftable;
	uint64_t packets, bytes, errors; /* read only */
};

/* Builds a route message in a zeroed header with room for 512 bytes: RTM_NEWROUTE or RTM_DELROUTE. */
void sr_kroute_put(struct nlmsghdr *message, uint16_t type, uint16_t flags, const struct sr_kroute *route);
/*
 * -EBADMSG: not a route message, one that makes no sense, or IPv6 to v4-mapped addresses; -EAFNOSUPPORT: of neither IP.
 */
int sr_kroute_get(const struct nlmsghdr *message, struct sr_kroute *ret);

#endif
