/* SPDX-License-Identifier: GPL-2.0-only */
/* Taps, which are slaves of their VRF's device, and uplinks. */
#include "datapath/linux/linux.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "datapath/linux/filter.h"

struct sr_linux_port *sr_linux_port(struct sr_linux *dp, uint32_t ifindex)
{
	for (uint32_t i = 0; i < dp->n_ports; i++)
		if (dp->ports[i].port.ifindex == ifindex)
			return &dp->ports[i];
	return NULL;
}

static struct sr_linux_port *port_get(struct sr_linux *dp, uint32_t ifindex)
{
	struct sr_linux_port *port = sr_linux_port(dp, ifindex);

	if (port || sr_array_grow((void **)&dp->ports, &dp->size_ports, dp->n_ports, sizeof(*dp->ports)) < 0)
		return port;
	port = &dp->ports[dp->n_ports++];
	*port = (struct sr_linux_port){.port.ifindex = ifindex};
	return port;
}

/* ---- filters' qdisc */

static int clsact(struct sr_linux *dp, const struct sr_klink *link)
{
	int r = 0;

	if (!sr_filter_has_clsact(&dp->nl, link->ifindex))
		r = sr_saved_add(&dp->saved, "clsact", link->name, "");
	return r < 0 ? r : sr_filter_clsact(&dp->nl, link->ifindex);
}

static int release_filters(struct sr_linux *dp, const struct sr_klink *link)
{
	int r = sr_filter_del(&dp->nl, link->ifindex);

	if (r == 0 && sr_saved_find(&dp->saved, "clsact", link->name))
		r = sr_filter_clsact_del(&dp->nl, link->ifindex);
	return r < 0 ? r : sr_saved_del(&dp->saved, "clsact", link->name);
}

/* ---- taps */

struct setting {
	const char *format, *value;
};

/*
 * The node answers for every address that the VRF has a route to (there is no other way out of a tap, and no segment
 * behind it), believes nothing that a VM says about routes, and does not ask where answers would go.
 */
static const struct setting tap_settings[] = {
	{"net/ipv4/conf/%s/rp_filter", "0"},	       {"net/ipv4/conf/%s/proxy_arp", "1"},
	{"net/ipv4/neigh/%s/proxy_delay", "0"},	       {"net/ipv4/conf/%s/send_redirects", "0"},
	{"net/ipv4/conf/%s/accept_redirects", "0"},    {"net/ipv4/conf/%s/accept_source_route", "0"},
	{"net/ipv6/conf/%s/disable_ipv6", "0"},	       {"net/ipv6/conf/%s/accept_ra", "0"},
	{"net/ipv6/conf/%s/accept_redirects", "0"},    {"net/ipv6/conf/%s/seg6_enabled", "0"},
	{"net/ipv6/conf/%s/accept_source_route", "0"},
};

static int settle(struct sr_linux *dp, const struct setting *settings, size_t n, const char *name)
{
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		r = sr_sysctl_set(&dp->saved, settings[i].value, settings[i].format, name);
#pragma GCC diagnostic pop
	}
	return r == -ENOENT ? -ENODEV : r;
}

/* In this order: a tap joins the VRF guarded and shut, is up only as a member, and is opened by port_set. */
static int attach(struct sr_linux *dp, struct sr_linux_port *port, const struct sr_klink *link, uint32_t vrf)
{
	static const uint8_t mac[6] = SR_GATEWAY_MAC;
	bool joins = link->master != dp->vrfs[vrf].ifindex;
	int r = clsact(dp, link);

	if (r == 0 && joins)
		r = sr_filter_down(&dp->nl, link->ifindex, true);
	if (r == 0)
		r = sr_filter_tap(&dp->nl, link->ifindex, dp->domains, dp->n_domains);
	if (r == 0)
		r = settle(dp, tap_settings, sizeof(tap_settings) / sizeof(tap_settings[0]), link->name);
	if (r == 0)
		r = sr_filter_ttl(&dp->nl, link->ifindex, port->port.gateway4, &port->port.gateway6);
	if (r == 0 && joins)
		r = sr_klink_master(&dp->nl, link->ifindex, dp->vrfs[vrf].ifindex);
	/* Said again, the kernel would forget all neighbours, those that are permanent too. */
	if (r == 0 && (!link->up || memcmp(link->mac, mac, sizeof(mac)) != 0))
		r = sr_klink_up(&dp->nl, link->ifindex, mac);
	if (r < 0)
		return r;
	port->port.vrf = vrf;
	memcpy(port->name, link->name, sizeof(port->name));
	port->attached = true;
	return 0;
}

static int attach_anew(struct sr_linux *dp, uint32_t ifindex, uint32_t vrf)
{
	struct sr_linux_port *port;
	struct sr_klink link;
	int r = sr_klink_get(&dp->nl, ifindex, &link);

	if (r < 0)
		return r;
	if (sr_saved_find(&dp->saved, "uplink", link.name))
		return -EBUSY;
	port = port_get(dp, ifindex);
	return port ? attach(dp, port, &link, vrf) : -ENOMEM;
}

int sr_linux_attach(struct sr_linux *dp, uint32_t ifindex, uint32_t vrf)
{
	const struct sr_linux_port *port = sr_linux_port(dp, ifindex);
	char name[IF_NAMESIZE];

	if (port && port->attached && port->port.vrf == vrf && if_indextoname(ifindex, name))
		return 0;
	return attach_anew(dp, ifindex, vrf);
}

/* An address of a gateway that was goes, unless it is one that is. :: is none. */
static int drop_gateway(struct sr_linux *dp, uint32_t ifindex, const struct in6_addr *old, const struct in6_addr *now)
{
	const struct sr_prefix host = {*old, 128};
	bool none = sr_prefix_is_v4(&host) ? !sr_prefix_addr4(&host) : IN6_IS_ADDR_UNSPECIFIED(old);

	return none || IN6_ARE_ADDR_EQUAL(old, now) ? 0 : sr_kaddr_set(&dp->nl, ifindex, old, false);
}

/* The gateway's addresses: new ones first. */
static int set_gateways(struct sr_linux *dp, struct sr_linux_port *port, const struct sr_dp_port *want)
{
	const struct in6_addr now[] = {sr_prefix_v4(want->gateway4, 32).addr, want->gateway6};
	const struct in6_addr old[][2] = {
		{sr_prefix_v4(port->port.gateway4, 32).addr, sr_prefix_v4(port->second4, 32).addr},
		{port->port.gateway6, port->second6},
	};
	int r = 0;

	if (want->gateway4)
		r = sr_kaddr_set(&dp->nl, want->ifindex, &now[0], true);
	if (r == 0 && !IN6_IS_ADDR_UNSPECIFIED(&want->gateway6))
		r = sr_kaddr_set(&dp->nl, want->ifindex, &now[1], true);
	for (int i = 0; i < 4 && r == 0; i++)
		r = drop_gateway(dp, want->ifindex, &old[i / 2][i % 2], &now[i / 2]);
	if (r == 0)
		port->second4 = 0, port->second6 = in6addr_any;
	return r;
}

int sr_linux_port_set(struct sr_dp *base, const struct sr_dp_port *want)
{
	struct sr_linux *dp = sr_linux(base);
	struct sr_linux_port *port;
	int r;

	if (!sr_linux_vrf(dp, want->vrf) || want->nexthop > dp->max_hops || !dp->hops[want->nexthop].there)
		return -ENOENT;
	/* Whole each time: the caller says it again when the tap may have lost what it had. */
	r = attach_anew(dp, want->ifindex, want->vrf);
	if (r < 0)
		return r;
	port = sr_linux_port(dp, want->ifindex);
	r = sr_filter_down(&dp->nl, want->ifindex, !want->up);
	if (r == 0)
		r = sr_filter_ttl(&dp->nl, want->ifindex, want->gateway4, &want->gateway6);
	if (r == 0)
		r = set_gateways(dp, port, want);
	if (r == 0)
		r = sr_linux_rewrite_hop(dp, want->nexthop);
	if (r < 0)
		return r;
	port->port = *want;
	return 0;
}

static bool is_ours(const struct sr_linux *dp, uint32_t master)
{
	for (uint32_t id = 1; id <= dp->max_vrfs; id++)
		if (dp->vrfs[id].there && dp->vrfs[id].ifindex == master)
			return true;
	return false;
}

int sr_linux_detach(struct sr_linux *dp, const struct sr_klink *link, const struct sr_linux_port *port)
{
	const struct sr_dp_port none = {.ifindex = link->ifindex};
	struct sr_linux_port had = *port;
	int r = set_gateways(dp, &had, &none);

	if (r == 0 && is_ours(dp, link->master))
		r = sr_klink_master(&dp->nl, link->ifindex, 0);
	if (r == 0)
		r = sr_sysctl_restore(&dp->saved, link->name);
	return r < 0 ? r : release_filters(dp, link);
}

/* It is gone; but another of that name may be a port already, and what is remembered is that one's then. */
static int forget_port(struct sr_linux *dp, const struct sr_linux_port *port)
{
	for (uint32_t i = 0; i < dp->n_ports; i++)
		if (&dp->ports[i] != port && strcmp(dp->ports[i].name, port->name) == 0)
			return 0;
	return sr_saved_forget(&dp->saved, port->name);
}

int sr_linux_port_del(struct sr_dp *base, uint32_t ifindex)
{
	struct sr_linux *dp = sr_linux(base);
	struct sr_linux_port *port = sr_linux_port(dp, ifindex);
	struct sr_klink link;
	int r;

	if (!port)
		return 0;
	r = sr_klink_get(&dp->nl, ifindex, &link);
	if (r == 0)
		r = sr_linux_detach(dp, &link, port);
	if (r == -ENODEV)
		r = forget_port(dp, port);
	if (r < 0)
		return r;
	*port = dp->ports[--dp->n_ports];
	return 0;
}

/* ---- uplinks */

static const struct setting uplink_settings[] = {
	{"net/ipv4/conf/%s/rp_filter", "0"}, /* End.DX4: its packets are from tenants' addresses */
	{"net/ipv6/conf/%s/seg6_enabled", "1"},
};

int sr_linux_uplink_set(struct sr_dp *base, uint32_t ifindex)
{
	struct sr_linux *dp = sr_linux(base);
	struct sr_klink link;
	int r = sr_klink_get(&dp->nl, ifindex, &link);

	if (r < 0)
		return r;
	if (sr_linux_port(dp, ifindex))
		return -EBUSY;
	r = sr_saved_add(&dp->saved, "uplink", link.name, "");
	if (r == 0)
		r = clsact(dp, &link);
	if (r == 0)
		r = sr_filter_uplink(&dp->nl, ifindex, dp->domains, dp->n_domains, dp->locators, dp->n_locators);
	return r < 0 ? r : settle(dp, uplink_settings, sizeof(uplink_settings) / sizeof(uplink_settings[0]), link.name);
}

int sr_linux_uplink_release(struct sr_linux *dp, const char *name)
{
	struct sr_klink link = {};
	unsigned int ifindex = if_nametoindex(name);
	int r = sr_sysctl_restore(&dp->saved, name);

	link.ifindex = ifindex;
	snprintf(link.name, sizeof(link.name), "%s", name);
	if (r == 0 && ifindex)
		r = release_filters(dp, &link);
	return r < 0 ? r : sr_saved_del(&dp->saved, "uplink", name);
}

int sr_linux_uplink_del(struct sr_dp *base, uint32_t ifindex)
{
	struct sr_linux *dp = sr_linux(base);
	struct sr_klink link;
	int r = sr_klink_get(&dp->nl, ifindex, &link);

	if (r < 0)
		return r == -ENODEV ? sr_saved_forget(&dp->saved, NULL) : r;
	return sr_saved_find(&dp->saved, "uplink", link.name) ? sr_linux_uplink_release(dp, link.name) : 0;
}
