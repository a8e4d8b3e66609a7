/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A datapath in memory, for tests of whoever drives one: it takes every operation of datapath.h, keeps what was set,
 * counts the calls, fails on request, and minds the order of use that datapath.h asks for.
 *
 * Like the kernel it outlives its user: close() only counts, so a test may hand the same sr_dp to a second engine as if
 * a daemon had restarted. destroy() empties it. The memory is fake_dp_free's.
 */
#ifndef SR_TESTS_FAKE_DATAPATH_H
#define SR_TESTS_FAKE_DATAPATH_H

#include "datapath/datapath.h"

enum fake_op {
	FAKE_CLOSE,
	FAKE_DESTROY,
	FAKE_UPLINK_SET,
	FAKE_UPLINK_DEL,
	FAKE_MTU_SET,
	FAKE_VRF_SET,
	FAKE_VRF_DEL,
	FAKE_PORT_SET,
	FAKE_PORT_DEL,
	FAKE_NEXTHOP_SET,
	FAKE_NEXTHOP_DEL,
	FAKE_ROUTES,
	FAKE_DUMP,
	FAKE_COUNTERS,
	FAKE_OP_MAX
};

/* Empty, with ids from 1 to the limits (as in sr_dp_config). Aborts without memory. */
struct sr_dp *fake_dp_new(uint32_t max_vrfs, uint32_t max_nexthops, uint32_t max_routes);
void fake_dp_free(struct sr_dp *dp); /* takes NULL */

/*
 * Lets `after` more calls of `op` through, then fails every one with `error` (negative errno); error 0 takes that back.
 * For FAKE_ROUTES `after` counts routes, not calls, so that a call can fail halfway. A failed call changes nothing.
 */
void fake_dp_fail(struct sr_dp *dp, enum fake_op op, size_t after, int error);

/* How often `op` was called since the last reset, failed calls included. */
size_t fake_dp_calls(const struct sr_dp *dp, enum fake_op op);
/* How many routes were written and removed (each one given counts) since the last reset. */
size_t fake_dp_routes_written(const struct sr_dp *dp);
/* Calls that change something: all but close, dump and counters. */
size_t fake_dp_writes(const struct sr_dp *dp);
void fake_dp_calls_reset(struct sr_dp *dp);

/* What is there; NULL, 0 or false if it is not. Pointers are good until the next call that changes something. */
const struct sr_dp_vrf *fake_dp_vrf(const struct sr_dp *dp, uint32_t id);
const struct sr_dp_port *fake_dp_port(const struct sr_dp *dp, uint32_t ifindex);
const struct sr_dp_nexthop *fake_dp_nexthop(const struct sr_dp *dp, uint32_t id);
uint32_t fake_dp_route(const struct sr_dp *dp, uint32_t vrf, const struct sr_prefix *dst);
bool fake_dp_uplink(const struct sr_dp *dp, uint32_t ifindex);
uint32_t fake_dp_mtu(const struct sr_dp *dp);
size_t fake_dp_n_vrfs(const struct sr_dp *dp);
size_t fake_dp_n_ports(const struct sr_dp *dp);
size_t fake_dp_n_nexthops(const struct sr_dp *dp);
size_t fake_dp_n_routes(const struct sr_dp *dp);
size_t fake_dp_n_uplinks(const struct sr_dp *dp);

/*
 * The first breach of the order of use (a VRF before its ports and routes, a next hop before routes to it,
 * removal the other way round, ids within limits), in words; NULL if there was none. Such calls are refused, too.
 */
const char *fake_dp_violation(const struct sr_dp *dp);

/* An interface that is gone: port_set and uplink_set on it give -ENODEV from now on, what was set on it stays. */
void fake_dp_ifindex_gone(struct sr_dp *dp, uint32_t ifindex);

#endif
