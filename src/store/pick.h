/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * store/pick.h - an address out of a prefix, besides those that are taken. Pure.
 *
 * Within a prefix only the last 64 bits vary: what is taken is a list of offsets from the prefix's first address, and
 * who has more than 2^64 addresses to give away does not run out of those.
 */
#ifndef SR_STORE_PICK_H
#define SR_STORE_PICK_H

#include "model/model.h"

/* Zeroed to begin with. */
struct sr_taken {
	struct in6_addr *addrs; /* owned */
	size_t n, size;
};

/* -ENOMEM. */
int sr_taken_add(struct sr_taken *taken, const struct in6_addr *addr);
bool sr_taken_has(const struct sr_taken *taken, const struct in6_addr *addr);
void sr_taken_fini(struct sr_taken *taken);

/*
 * One that is free: the lowest for skip 0, else with so many free ones before it, or the highest if there are not so
 * many. Never the prefix's first address (IPv4: the network's own; IPv6: any router's, RFC 4291 2.6.1), nor an IPv4
 * prefix's last (broadcast). -ENOSPC, -ENOMEM.
 */
int sr_pick_addr(const struct sr_prefix *prefix, const struct sr_taken *taken, size_t skip, struct in6_addr *ret);

#endif
