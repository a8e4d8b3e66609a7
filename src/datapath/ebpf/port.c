/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ports: what the tap's program must know, then the program on the tap. Removal first makes the port unknown, so that
 * its packets are dropped, and only then takes the program away. That also clears up after an interface that is gone.
 */
#include "datapath/ebpf/ebpf.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <net/if.h>
#include <string.h>

static struct sr_bpf_port encode(const struct sr_dp_port *port)
{
	struct sr_bpf_port p;

	memset(&p, 0, sizeof(p));
	p.vrf = port->vrf;
	p.nexthop = port->nexthop;
	p.gateway4 = port->gateway4;
	p.gateway6 = port->gateway6;
	p.flags = port->up ? SR_PORT_F_UP : 0;
	memcpy(p.mac, port->mac, sizeof(p.mac));
	memcpy(p.id, port->id, sizeof(p.id));
	return p;
}

int sr_ebpf_port_set(struct sr_dp *base, const struct sr_dp_port *port)
{
	struct sr_ebpf *dp = sr_ebpf(base);
	const struct sr_bpf_port wanted = encode(port);
	int fd = dp->maps[SR_MAP_PORTS];
	char name[IF_NAMESIZE];
	struct sr_bpf_port old;
	bool known;
	int r;

	if (!if_indextoname(port->ifindex, name))
		return -ENODEV;
	if (!sr_ebpf_vrf_active(dp, port->vrf))
		return -ENOENT;
	if (port->nexthop > dp->max_nexthops)
		return -EINVAL;
	if (sr_attached(port->ifindex, SR_PROG_UPLINK))
		return -EBUSY;
	known = !bpf_map_lookup_elem(fd, &port->ifindex, &old);
	if (!known || memcmp(&old, &wanted, sizeof(old)) != 0) {
		r = sr_map_set(fd, &port->ifindex, &wanted);
		if (r)
			return r;
	}
	r = sr_attach(dp, port->ifindex, SR_PROG_TAP);
	if (r && known)
		sr_map_set(fd, &port->ifindex, &old);
	else if (r)
		sr_map_del(fd, &port->ifindex);
	return r;
}

int sr_ebpf_port_del(struct sr_dp *base, uint32_t ifindex)
{
	int r = sr_map_del(sr_ebpf(base)->maps[SR_MAP_PORTS], &ifindex);

	return r ? r : sr_detach(ifindex, SR_PROG_TAP);
}
