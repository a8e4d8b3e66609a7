/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>

#include "datapath/inside.h"

int sr_ro_refuse(struct sr_dp *dp, uint32_t id)
{
	(void)dp;
	(void)id;
	return -EROFS;
}

int sr_ro_vrf(struct sr_dp *dp, uint32_t id, const struct sr_dp_vrf *vrf)
{
	(void)vrf;
	return sr_ro_refuse(dp, id);
}

int sr_ro_nexthop(struct sr_dp *dp, uint32_t id, const struct sr_dp_nexthop *nh)
{
	(void)nh;
	return sr_ro_refuse(dp, id);
}

int sr_ro_port(struct sr_dp *dp, const struct sr_dp_port *port)
{
	return sr_ro_refuse(dp, port->ifindex);
}

int sr_ro_routes(struct sr_dp *dp, const struct sr_dp_route *routes, size_t n, size_t *ret_done)
{
	(void)routes;
	(void)n;
	*ret_done = 0;
	return sr_ro_refuse(dp, 0);
}

/* Closes, as destroy does whatever happens. */
int sr_ro_destroy(struct sr_dp *dp)
{
	dp->ops->close(dp);
	return -EROFS;
}
