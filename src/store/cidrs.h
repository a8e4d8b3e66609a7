/* SPDX-License-Identifier: GPL-2.0-only */
/* store/cidrs.h - the value of vrf_cidrs, {"<cluster>": "<cidr>", ...}; docs/schema.md, Claims. Pure. */
#ifndef SR_STORE_CIDRS_H
#define SR_STORE_CIDRS_H

#include "model/model.h"

/* json NULL: there is no value, which is no clusters. All: -EBADMSG if it is no object of prefixes. */

/* -ENOENT: the cluster has none. */
int sr_cidrs_find(const char *json, const char *cluster, struct sr_prefix *ret);
/* -EADDRINUSE: another cluster than this has an overlapping one, and which. */
int sr_cidrs_overlap(const char *json, const char *cluster, const struct sr_prefix *cidr,
		     char ret_other[static SR_NAME_SIZE], struct sr_prefix *ret_overlapped);
/* The value with the cluster's set, or without it (cidr NULL), for free(). -ENOMEM. */
int sr_cidrs_set(const char *json, const char *cluster, const struct sr_prefix *cidr, char **ret);

#endif
