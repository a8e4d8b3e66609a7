/* SPDX-License-Identifier: GPL-2.0-only */
/* datapath/inside.h - what the implementations share, and nobody else includes. */
#ifndef SR_DATAPATH_INSIDE_H
#define SR_DATAPATH_INSIDE_H

#include "datapath/datapath.h"

#define SR_VRFS_LIMIT (1 << 20) /* of what a configuration may ask for */
#define SR_NEXTHOPS_LIMIT (1 << 22)
#define SR_ROUTES_LIMIT (1 << 26)

/* Where a sentence about a failure goes; buf may be NULL. */
struct sr_err {
	char *buf;
	size_t len;
};

/* Writes the sentence, returns `error`. */
__attribute__((format(printf, 3, 4))) int sr_dp_fail(const struct sr_err *err, int error, const char *fmt, ...);

/*
 * Makes a directory of the node's own where it is missing and locks it for the life of *ret_fd. -EBUSY: another process
 * has it; `option` is what the configuration calls it.
 */
int sr_dp_lock(const char *path, const char *option, int *ret_fd, const struct sr_err *err);

/* Locators, domains and limits, which every datapath has. -EINVAL, with a sentence. */
int sr_dp_check(const struct sr_dp_config *config, const struct sr_err *err);

/* readonly.c: what a datapath that only looks does about changes: -EROFS. Its ops, but for these four. */
#define SR_DP_READONLY(its_name, its_close, its_dump, its_counters)                                                    \
	{                                                                                                              \
		.name = (its_name), .close = (its_close), .destroy = sr_ro_destroy, .uplink_set = sr_ro_refuse,        \
		.uplink_del = sr_ro_refuse, .mtu_set = sr_ro_refuse, .vrf_set = sr_ro_vrf, .vrf_del = sr_ro_refuse,    \
		.port_set = sr_ro_port, .port_del = sr_ro_refuse, .nexthop_set = sr_ro_nexthop,                        \
		.nexthop_del = sr_ro_refuse, .routes = sr_ro_routes, .dump = (its_dump), .counters = (its_counters),   \
	}

int sr_ro_destroy(struct sr_dp *dp);
int sr_ro_refuse(struct sr_dp *dp, uint32_t id);
int sr_ro_vrf(struct sr_dp *dp, uint32_t id, const struct sr_dp_vrf *vrf);
int sr_ro_port(struct sr_dp *dp, const struct sr_dp_port *port);
int sr_ro_nexthop(struct sr_dp *dp, uint32_t id, const struct sr_dp_nexthop *nh);
int sr_ro_routes(struct sr_dp *dp, const struct sr_dp_route *routes, size_t n, size_t *ret_done);

#endif
