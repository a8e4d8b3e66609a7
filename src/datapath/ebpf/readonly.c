/* SPDX-License-Identifier: GPL-2.0-only */
/* The operations of a datapath that only looks. */
#include "datapath/ebpf/ebpf.h"

#include <errno.h>

static int refuse(struct sr_dp *dp, uint32_t id)
{
	(void)dp;
	(void)id;
	return -EROFS;
}

static int refuse_vrf(struct sr_dp *dp, uint32_t id, const struct sr_dp_vrf *vrf)
{
	(void)vrf;
	return refuse(dp, id);
}

static int refuse_nexthop(struct sr_dp *dp, uint32_t id, const struct sr_dp_nexthop *nh)
{
	(void)nh;
	return refuse(dp, id);
}

static int refuse_port(struct sr_dp *dp, const struct sr_dp_port *port)
{
	return refuse(dp, port->ifindex);
}

static int refuse_routes(struct sr_dp *dp, const struct sr_dp_route *routes, size_t n, size_t *ret_done)
{
	(void)routes;
	(void)n;
	*ret_done = 0;
	return refuse(dp, 0);
}

/* Closes, as destroy does whatever happens. */
static int refuse_destroy(struct sr_dp *dp)
{
	sr_ebpf_close(dp);
	return -EROFS;
}

const struct sr_dp_ops sr_ebpf_readonly_ops = {
	.name = "ebpf",
	.close = sr_ebpf_close,
	.destroy = refuse_destroy,
	.uplink_set = refuse,
	.uplink_del = refuse,
	.mtu_set = refuse,
	.vrf_set = refuse_vrf,
	.vrf_del = refuse,
	.port_set = refuse_port,
	.port_del = refuse,
	.nexthop_set = refuse_nexthop,
	.nexthop_del = refuse,
	.routes = refuse_routes,
	.dump = sr_ebpf_dump,
	.counters = sr_ebpf_counters,
};
