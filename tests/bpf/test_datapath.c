/* SPDX-License-Identifier: GPL-2.0-only */
/* Each operation of the eBPF datapath against the real kernel: what was set is what dump() gives back. */
#include "dp_fixture.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOC "2400:dcc0::a7a:4d8e:"

static int dp_setup(void **state)
{
	*state = dp_open(NULL);
	return 0;
}

static int dp_teardown(void **state)
{
	struct sr_dp *dp = *state;

	return dp->ops->destroy(dp);
}

static void vrf_set(struct sr_dp *dp, uint32_t id, const char *name, const char *function)
{
	const struct sr_dp_vrf vrf = dp_vrf(name, function);

	assert_int_equal(dp->ops->vrf_set(dp, id, &vrf), 0);
}

static void node_set(struct sr_dp *dp, uint32_t id)
{
	const struct sr_dp_nexthop nh = {.kind = SR_NH_NODE, .cookie = id, .locator = dp_locator("2400:dcc0::b")};

	assert_int_equal(dp->ops->nexthop_set(dp, id, &nh), 0);
}

static uint32_t vrf_flags(uint32_t id)
{
	struct sr_bpf_vrf entry;
	int fd = bpf_obj_get(dp_pin("sr_vrfs"));

	assert_true(fd >= 0);
	assert_int_equal(bpf_map_lookup_elem(fd, &id, &entry), 0);
	close(fd);
	return entry.flags;
}

static void test_empty(void **state)
{
	const struct dp_dump *d = dp_dump(*state);

	assert_int_equal(d->n_vrfs + d->n_ports + d->n_nexthops + d->n_routes + d->n_uplinks + d->n_sids, 0);
}

static void test_vrf(void **state)
{
	const struct sr_dp_vrf vrf = dp_vrf("vrf5c0594737b87", "169.254.1.8");
	const struct sr_bpf_sid *sid;
	const struct dp_dump *d;
	struct sr_dp *dp = *state;

	for (int twice = 0; twice < 2; twice++) {
		assert_int_equal(dp->ops->vrf_set(dp, 3, &vrf), 0);
		d = dp_dump(dp);
		assert_int_equal(d->n_vrfs, 1);
		assert_int_equal(d->vrfs[0].id, 3);
		assert_memory_equal(&d->vrfs[0].vrf, &vrf, sizeof(vrf));
		assert_int_equal(d->n_sids, 1);
		sid = dp_dump_sid(d, LOC "a9fe:108");
		assert_non_null(sid);
		assert_int_equal(sid->vrf, 3);
		assert_int_equal(sid->behavior, SR_SID_END_DT46);
	}
	for (int twice = 0; twice < 2; twice++) {
		assert_int_equal(dp->ops->vrf_del(dp, 3), 0);
		d = dp_dump(dp);
		assert_int_equal(d->n_vrfs + d->n_sids, 0);
	}
}

static void test_vrf_function_changes(void **state)
{
	struct sr_dp *dp = *state;
	const struct sr_dp_route lpm = {.vrf = 1, .nexthop = 1, .dst = dp_prefix("10.0.0.0/8")};
	const struct dp_dump *d;
	size_t done;

	vrf_set(dp, 1, "vrf1", "169.254.1.1");
	node_set(dp, 1);
	assert_int_equal(dp->ops->routes(dp, &lpm, 1, &done), 0);
	vrf_set(dp, 1, "vrf1", "169.254.1.2");
	d = dp_dump(dp);
	assert_int_equal(d->n_sids, 1);
	assert_non_null(dp_dump_sid(d, LOC "a9fe:102"));
	assert_int_equal(vrf_flags(1), SR_VRF_F_ACTIVE | SR_VRF_F_LPM4); /* prefixes are still found */
}

static void test_vrf_errors(void **state)
{
	const struct sr_dp_vrf a = dp_vrf("vrfa", "169.254.1.1"), b = dp_vrf("vrfb", "169.254.1.2");
	struct sr_dp *dp = *state;
	const struct dp_dump *d;

	assert_int_equal(dp->ops->vrf_set(dp, 0, &a), -EINVAL);
	assert_int_equal(dp->ops->vrf_set(dp, 17, &a), -ENOSPC);
	assert_int_equal(dp->ops->vrf_set(dp, 16, &a), 0);
	assert_int_equal(dp->ops->vrf_set(dp, 1, &b), 0);
	assert_int_equal(dp->ops->vrf_set(dp, 1, &a), -EEXIST);
	d = dp_dump(dp);
	assert_int_equal(d->n_vrfs, 2);
	assert_int_equal(dp_dump_sid(d, LOC "a9fe:101")->vrf, 16);
	assert_int_equal(dp_dump_sid(d, LOC "a9fe:102")->vrf, 1);
	assert_int_equal(dp->ops->vrf_del(dp, 0), 0);
	assert_int_equal(dp->ops->vrf_del(dp, 17), 0);
	assert_int_equal(dp_dump(dp)->n_vrfs, 2);
}

static void test_nexthops(void **state)
{
	struct sr_dp_nexthop nhs[] = {
		{.kind = SR_NH_NODE, .cookie = 0x1122334455667788, .locator = dp_locator("2400:dcc0::b")},
		{.kind = SR_NH_SIDS, .cookie = 2, .n_segs = SR_SEGS_MAX},
		{.kind = SR_NH_SIDS, .cookie = 3, .n_segs = 1},
		{.kind = SR_NH_PORT, .cookie = 4, .ifindex = 77, .mac = {2, 0, 0, 0, 0, 1}},
	};
	const struct sr_dp_nexthop unresolved = {.kind = SR_NH_NONE, .cookie = 5};
	struct sr_dp *dp = *state;
	const struct dp_dump *d;

	for (size_t i = 0; i < SR_SEGS_MAX; i++)
		nhs[1].segs[i].a.s6_addr[15] = (uint8_t)(i + 1);
	nhs[2].segs[0].a.s6_addr[15] = 9;
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(dp->ops->nexthop_set(dp, 29 + i, &nhs[i]), 0);
	d = dp_dump(dp);
	assert_int_equal(d->n_nexthops, 4);
	for (uint32_t i = 0; i < 4; i++) {
		assert_int_equal(d->nexthops[i].id, 29 + i);
		assert_memory_equal(&d->nexthops[i].nh, &nhs[i], sizeof(nhs[i]));
	}
	assert_int_equal(dp->ops->nexthop_set(dp, 29, &nhs[3]), 0); /* replaced as a whole */
	assert_memory_equal(&dp_dump(dp)->nexthops[0].nh, &nhs[3], sizeof(nhs[3]));
	assert_int_equal(dp->ops->nexthop_set(dp, 29, &unresolved), 0);
	assert_memory_equal(&dp_dump(dp)->nexthops[0].nh, &unresolved, sizeof(unresolved));
	for (int twice = 0; twice < 2; twice++)
		assert_int_equal(dp->ops->nexthop_del(dp, 29), 0);
	assert_int_equal(dp_dump(dp)->n_nexthops, 3);
}

static void test_nexthop_errors(void **state)
{
	const struct sr_dp_nexthop node = {.kind = SR_NH_NODE};
	const struct sr_dp_nexthop none = {.kind = SR_NH_SIDS}, many = {.kind = SR_NH_SIDS, .n_segs = SR_SEGS_MAX + 1};
	const struct sr_dp_nexthop strange = {.kind = 9};
	struct sr_dp *dp = *state;

	assert_int_equal(dp->ops->nexthop_set(dp, 0, &node), -EINVAL);
	assert_int_equal(dp->ops->nexthop_set(dp, 33, &node), -ENOSPC);
	assert_int_equal(dp->ops->nexthop_set(dp, 1, &none), -EINVAL);
	assert_int_equal(dp->ops->nexthop_set(dp, 1, &many), -EINVAL);
	assert_int_equal(dp->ops->nexthop_set(dp, 1, &strange), -EINVAL);
	assert_int_equal(dp->ops->nexthop_del(dp, 0), 0);
	assert_int_equal(dp->ops->nexthop_del(dp, 33), 0);
	assert_int_equal(dp_dump(dp)->n_nexthops, 0);
}

static const char *const destinations[] = {"10.0.0.1",	    "10.0.0.2", "10.0.0.0/24",	  "0.0.0.0/0",	"2001:db8::1",
					   "2001:db8::/64", "::/0",	"2001:db8::/127", "10.0.0.0/31"};
#define N_DESTINATIONS (sizeof(destinations) / sizeof(destinations[0]))

static void routes_of(struct sr_dp_route routes[static N_DESTINATIONS], uint32_t vrf, uint32_t nexthop)
{
	for (size_t i = 0; i < N_DESTINATIONS; i++)
		routes[i] = (struct sr_dp_route){.vrf = vrf, .nexthop = nexthop, .dst = dp_prefix(destinations[i])};
}

static void test_routes(void **state)
{
	struct sr_dp_route routes[N_DESTINATIONS];
	struct sr_dp *dp = *state;
	const struct dp_dump *d;
	size_t done;

	vrf_set(dp, 1, "vrf1", "169.254.1.1");
	vrf_set(dp, 2, "vrf2", "169.254.1.2");
	assert_int_equal(vrf_flags(1), SR_VRF_F_ACTIVE);
	for (uint32_t vrf = 1; vrf <= 2; vrf++) { /* the same addresses in both */
		node_set(dp, vrf);
		routes_of(routes, vrf, vrf);
		assert_int_equal(dp->ops->routes(dp, routes, N_DESTINATIONS, &done), 0);
		assert_int_equal(done, N_DESTINATIONS);
	}
	assert_int_equal(vrf_flags(1), SR_VRF_F_ACTIVE | SR_VRF_F_LPM4 | SR_VRF_F_LPM6);
	routes_of(routes, 2, 9); /* replaced */
	assert_int_equal(dp->ops->routes(dp, routes, N_DESTINATIONS, &done), 0);
	d = dp_dump(dp);
	assert_int_equal(d->n_routes, 2 * N_DESTINATIONS);
	for (size_t i = 0; i < N_DESTINATIONS; i++) {
		assert_int_equal(dp_dump_route(d, 1, destinations[i]), 1);
		assert_int_equal(dp_dump_route(d, 2, destinations[i]), 9);
	}
	routes_of(routes, 1, 0);
	for (int twice = 0; twice < 2; twice++) {
		assert_int_equal(dp->ops->routes(dp, routes, N_DESTINATIONS, &done), 0);
		assert_int_equal(done, N_DESTINATIONS);
		assert_int_equal(dp_dump(dp)->n_routes, N_DESTINATIONS);
	}
}

/* The flag is the VRF's alone, and a VRF made anew starts without. */
static void test_route_flags(void **state)
{
	struct sr_dp_route lpm = {.vrf = 1, .nexthop = 1, .dst = dp_prefix("::/0")};
	struct sr_dp *dp = *state;
	size_t done;

	vrf_set(dp, 1, "vrf1", "169.254.1.1");
	vrf_set(dp, 2, "vrf2", "169.254.1.2");
	assert_int_equal(dp->ops->routes(dp, &lpm, 1, &done), 0);
	assert_int_equal(vrf_flags(1), SR_VRF_F_ACTIVE | SR_VRF_F_LPM6);
	assert_int_equal(vrf_flags(2), SR_VRF_F_ACTIVE);
	lpm.nexthop = 0;
	assert_int_equal(dp->ops->routes(dp, &lpm, 1, &done), 0);
	assert_int_equal(dp->ops->vrf_del(dp, 1), 0);
	vrf_set(dp, 1, "vrf1", "169.254.1.1");
	assert_int_equal(vrf_flags(1), SR_VRF_F_ACTIVE);
}

/* Later writes to one destination win, sets and removals mixed. */
static void test_route_order(void **state)
{
	const struct sr_prefix a = dp_prefix("10.0.0.1"), b = dp_prefix("10.0.0.2"), c = dp_prefix("10.0.0.0/24");
	const struct sr_dp_route routes[] = {
		{1, 1, a}, {1, 2, a}, {1, 1, b}, {1, 0, b}, {1, 1, c}, {1, 0, c}, {1, 0, a}, {1, 3, a}, {1, 4, c},
	};
	struct sr_dp *dp = *state;
	const struct dp_dump *d;
	size_t done;

	vrf_set(dp, 1, "vrf1", "169.254.1.1");
	assert_int_equal(dp->ops->routes(dp, routes, 9, &done), 0);
	assert_int_equal(done, 9);
	d = dp_dump(dp);
	assert_int_equal(d->n_routes, 2);
	assert_int_equal(dp_dump_route(d, 1, "10.0.0.1"), 3);
	assert_int_equal(dp_dump_route(d, 1, "10.0.0.0/24"), 4);
}

/* Removals of what is there, spread among removals of what is not. */
static void test_route_removal_with_holes(void **state)
{
	struct sr_dp_route routes[40];
	struct sr_dp *dp = *state;
	size_t done, there = 0;

	vrf_set(dp, 1, "vrf1", "169.254.1.1");
	for (uint32_t i = 0; i < 40; i++) {
		routes[i] = (struct sr_dp_route){.vrf = 1, .nexthop = 1, .dst = sr_prefix_v4(htonl(i), 32)};
		if (i % 3)
			continue;
		assert_int_equal(dp->ops->routes(dp, &routes[i], 1, &done), 0);
		there++;
	}
	assert_int_equal(dp_dump(dp)->n_routes, there);
	for (uint32_t i = 0; i < 40; i++)
		routes[i].nexthop = 0;
	assert_int_equal(dp->ops->routes(dp, routes, 40, &done), 0);
	assert_int_equal(done, 40);
	assert_int_equal(dp_dump(dp)->n_routes, 0);
}

static void test_route_errors(void **state)
{
	const struct sr_prefix host = dp_prefix("10.0.0.1");
	const struct {
		struct sr_dp_route bad;
		int error;
	} table[] = {
		{{0, 1, host}, -ENOENT},
		{{2, 1, host}, -ENOENT},
		{{17, 1, host}, -ENOENT},
		{{1, 33, host}, -EINVAL},
	};
	struct sr_dp *dp = *state;

	vrf_set(dp, 1, "vrf1", "169.254.1.1");
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const struct sr_dp_route routes[] = {{1, 1, dp_prefix("10.1.0.1")},
						     {1, 1, dp_prefix("10.1.0.0/24")},
						     {1, 1, dp_prefix("10.1.0.2")},
						     table[i].bad,
						     {1, 1, dp_prefix("10.1.0.3")}};
		size_t done = 99;

		assert_int_equal(dp->ops->routes(dp, routes, 5, &done), table[i].error);
		assert_int_equal(done, 3);
		assert_int_equal(dp_dump(dp)->n_routes, 3);
	}
}

static int tally(void *ctx, const struct sr_dp_route *routes, size_t n)
{
	uint8_t *seen = ctx;

	for (size_t i = 0; i < n; i++) {
		uint32_t at = sr_prefix_is_v4(&routes[i].dst) ? ntohl(sr_prefix_addr4(&routes[i].dst)) >> 8
							      : routes[i].dst.addr.s6_addr32[1];

		seen[at]++;
		assert_int_equal(routes[i].nexthop, 1 + at % 32);
	}
	return 0;
}

/* More than a batch, in each kind of map: all there once, all gone. */
static void test_many_routes(void **state)
{
	enum { MANY = 10000 };
	static struct sr_dp_route routes[MANY];
	static uint8_t seen[MANY];
	const struct sr_dp_dump cb = {.routes = tally};
	struct sr_dp_config config = dp_config();
	struct sr_dp *dp = *state;
	size_t done;

	dp->ops->close(dp);
	config.max_routes = MANY;
	*state = dp = dp_open(&config);
	vrf_set(dp, 1, "vrf1", "169.254.1.1");
	for (int kind = 0; kind < 4; kind++) {
		bool host = kind & 1;

		for (uint32_t i = 0; i < MANY; i++) {
			const struct in6_addr a6 = {.s6_addr32 = {htonl(0x20010db8), i}};
			const struct sr_prefix v4 = sr_prefix_v4(htonl(i << 8), host ? 32 : 24);

			routes[i] = (struct sr_dp_route){1, 1 + i % 32, v4};
			if (kind & 2)
				routes[i].dst = sr_prefix_v6(&a6, host ? 128 : 64);
		}
		assert_int_equal(dp->ops->routes(dp, routes, MANY, &done), 0);
		assert_int_equal(done, MANY);
		memset(seen, 0, sizeof(seen));
		assert_int_equal(dp->ops->dump(dp, &cb, seen), 0);
		for (uint32_t i = 0; i < MANY; i++)
			assert_int_equal(seen[i], 1);
		for (uint32_t i = 0; i < MANY; i++)
			routes[i].nexthop = 0;
		assert_int_equal(dp->ops->routes(dp, routes, MANY, &done), 0);
		assert_int_equal(dp_dump(dp)->n_routes, 0);
	}
}

/* A full map stops exactly where it is full, whichever kind of map it is. */
static void test_route_full(void **state)
{
	static const struct {
		bool v4, host;
	} kinds[] = {{true, true}, {true, false}, {false, true}, {false, false}};
	struct sr_dp_config config = dp_config();
	struct sr_dp_route routes[20];
	struct sr_dp *dp = *state;
	size_t done;

	dp->ops->close(dp);
	config.max_routes = 8;
	*state = dp = dp_open(&config);
	vrf_set(dp, 1, "vrf1", "169.254.1.1");
	for (size_t k = 0; k < 4; k++) {
		for (uint32_t i = 0; i < 20; i++) {
			struct in6_addr a6 = {.s6_addr = {0x20, 1, (uint8_t)i}};
			const struct sr_prefix v4 = sr_prefix_v4(htonl(i << 8), kinds[k].host ? 32 : 24);
			const struct sr_prefix v6 = sr_prefix_v6(&a6, kinds[k].host ? 128 : 32);

			routes[i] = (struct sr_dp_route){.vrf = 1, .nexthop = 1, .dst = kinds[k].v4 ? v4 : v6};
		}
		assert_int_equal(dp->ops->routes(dp, routes, 20, &done), -ENOSPC);
		assert_int_equal(done, 8);
		assert_int_equal(dp_dump(dp)->n_routes, 8 * (k + 1));
	}
}

static struct sr_dp_port port_of(const char *ifname, uint32_t vrf)
{
	return (struct sr_dp_port){
		.ifindex = dp_ifindex(ifname),
		.vrf = vrf,
		.nexthop = 5,
		.id = {1, 2, 3, [15] = 16},
		.mac = {2, 0, 0, 0, 0, 7},
		.up = true,
		.gateway4 = htonl(0x0a000001),
		.gateway6 = {.s6_addr = {0x20, 1, [15] = 1}},
	};
}

static void test_port(void **state)
{
	struct sr_dp *dp = *state;
	struct sr_dp_port port;
	const struct dp_dump *d;
	uint32_t id;

	dp_link_add("tap1");
	vrf_set(dp, 1, "vrf1", "169.254.1.1");
	port = port_of("tap1", 1);
	assert_int_equal(dp->ops->port_set(dp, &port), 0);
	id = dp_attached("tap1", "sr_from_tap");
	assert_true(id);
	port.up = false;
	assert_int_equal(dp->ops->port_set(dp, &port), 0);
	assert_int_equal(dp_attached("tap1", "sr_from_tap"), id); /* not attached again */
	d = dp_dump(dp);
	assert_int_equal(d->n_ports, 1);
	assert_memory_equal(&d->ports[0], &port, sizeof(port));
	for (int twice = 0; twice < 2; twice++) {
		assert_int_equal(dp->ops->port_del(dp, port.ifindex), 0);
		assert_int_equal(dp_dump(dp)->n_ports, 0);
		assert_int_equal(dp_attached("tap1", "sr_from_tap"), 0);
	}
	dp_link_del("tap1");
}

/* A tap that is plugged again has another ifindex; the old one's entry can go. */
static void test_port_vanishes(void **state)
{
	struct sr_dp *dp = *state;
	struct sr_dp_port port, again;

	dp_link_add("tap1");
	vrf_set(dp, 1, "vrf1", "169.254.1.1");
	port = port_of("tap1", 1);
	assert_int_equal(dp->ops->port_set(dp, &port), 0);
	dp_link_del("tap1");
	dp_link_add("tap1");
	again = port_of("tap1", 1);
	assert_int_not_equal(again.ifindex, port.ifindex);
	assert_int_equal(dp->ops->port_set(dp, &port), -ENODEV);
	assert_int_equal(dp->ops->port_set(dp, &again), 0);
	assert_int_equal(dp_dump(dp)->n_ports, 2);
	assert_int_equal(dp->ops->port_del(dp, port.ifindex), 0);
	assert_int_equal(dp_dump(dp)->n_ports, 1);
	assert_int_equal(dp_dump(dp)->ports[0].ifindex, again.ifindex);
	dp_link_del("tap1");
}

static void test_port_errors(void **state)
{
	struct sr_dp *dp = *state;
	struct sr_dp_port port;

	dp_link_add("tap1");
	vrf_set(dp, 1, "vrf1", "169.254.1.1");
	port = port_of("tap1", 2);
	assert_int_equal(dp->ops->port_set(dp, &port), -ENOENT);
	port.vrf = 1;
	port.nexthop = 33;
	assert_int_equal(dp->ops->port_set(dp, &port), -EINVAL);
	port.nexthop = 1;
	port.ifindex = 0;
	assert_int_equal(dp->ops->port_set(dp, &port), -ENODEV);
	port.ifindex = dp_ifindex("tap1");
	assert_int_equal(dp->ops->uplink_set(dp, port.ifindex), 0);
	assert_int_equal(dp->ops->port_set(dp, &port), -EBUSY);
	assert_int_equal(dp_dump(dp)->n_ports, 0);
	assert_int_equal(dp->ops->port_del(dp, 0), 0);
	assert_int_equal(dp->ops->port_del(dp, 12345), 0);
	dp_link_del("tap1");
}

static void test_uplink(void **state)
{
	struct sr_dp *dp = *state;
	uint32_t up;

	dp_link_add("up1");
	vrf_set(dp, 1, "vrf1", "169.254.1.1");
	up = dp_ifindex("up1");
	for (int twice = 0; twice < 2; twice++) {
		assert_int_equal(dp->ops->uplink_set(dp, up), 0);
		assert_int_equal(dp_dump(dp)->n_uplinks, 1);
		assert_int_equal(dp_dump(dp)->uplinks[0], up);
		assert_true(dp_attached("up1", "sr_from_uplink"));
	}
	for (int twice = 0; twice < 2; twice++) {
		assert_int_equal(dp->ops->uplink_del(dp, up), 0);
		assert_int_equal(dp_dump(dp)->n_uplinks, 0);
		assert_int_equal(dp_attached("up1", "sr_from_uplink"), 0);
	}
	assert_int_equal(dp->ops->port_set(dp, &(struct sr_dp_port){.ifindex = up, .vrf = 1}), 0);
	assert_int_equal(dp->ops->uplink_set(dp, up), -EBUSY);
	dp_link_del("up1");
	assert_int_equal(dp->ops->uplink_set(dp, up), -ENODEV);
	assert_int_equal(dp->ops->uplink_del(dp, up), 0);
}

static void test_mtu(void **state)
{
	struct sr_dp *dp = *state;
	struct sr_bpf_node node;
	uint32_t zero = 0;
	int fd = bpf_obj_get(dp_pin("sr_node"));

	assert_int_equal(bpf_map_lookup_elem(fd, &zero, &node), 0);
	assert_int_equal(node.fabric_mtu, 1500);
	assert_int_equal(dp->ops->mtu_set(dp, 9000), 0);
	assert_int_equal(dp->ops->mtu_set(dp, 1279), -EINVAL);
	assert_int_equal(bpf_map_lookup_elem(fd, &zero, &node), 0);
	assert_int_equal(node.fabric_mtu, 9000);
	close(fd);
}

/* As the programs would: each CPU its own count. */
static void count(const char *map, uint32_t index, size_t size, uint64_t value)
{
	size_t words = (size_t)libbpf_num_possible_cpus() * size / 8;
	uint64_t *row = calloc(words, 8);
	int fd = bpf_obj_get(dp_pin(map));

	assert_true(fd >= 0);
	for (size_t i = 0; i < words; i++)
		row[i] = value + i % (size / 8);
	assert_int_equal(bpf_map_update_elem(fd, &index, row, BPF_ANY), 0);
	close(fd);
	free(row);
}

struct seen {
	struct sr_bpf_vrf_stats vrf;
	struct sr_bpf_counter sid, drop;
	int vrfs, sids, drops;
};

static int see_vrf(void *ctx, uint32_t id, const struct sr_bpf_vrf_stats *stats)
{
	struct seen *s = ctx;

	assert_int_equal(id, 2);
	s->vrf = *stats;
	s->vrfs++;
	return 0;
}

static int see_sid(void *ctx, const struct sr_sid *sid, const struct sr_bpf_sid *what, const struct sr_bpf_counter *c)
{
	struct seen *s = ctx;

	(void)sid;
	assert_int_equal(what->vrf, 2);
	s->sid = *c;
	s->sids++;
	return 0;
}

static int see_drop(void *ctx, enum sr_direction dir, enum sr_drop_reason reason, const struct sr_bpf_counter *c)
{
	struct seen *s = ctx;

	if (dir == SR_DIR_FROM_UPLINK && reason == SR_DROP_ECN)
		s->drop = *c;
	else
		assert_int_equal(c->packets, 0);
	s->drops++;
	return 0;
}

static const struct sr_dp_counters see = {see_vrf, see_sid, see_drop};

static void test_counters(void **state)
{
	uint64_t cpus = (uint64_t)libbpf_num_possible_cpus();
	struct sr_dp *dp = *state;
	struct seen s = {0};

	vrf_set(dp, 2, "vrf2", "169.254.1.2");
	count("sr_vrf_stats", 2, sizeof(struct sr_bpf_vrf_stats), 100);
	count("sr_sid_stats", dp_dump(dp)->sids[0].what.stats, sizeof(struct sr_bpf_counter), 10);
	count("sr_drops", SR_DIR_FROM_UPLINK * SR_DROP_MAX + SR_DROP_ECN, sizeof(struct sr_bpf_counter), 1);
	assert_int_equal(dp->ops->counters(dp, &see, &s), 0);
	assert_int_equal(s.vrfs, 1);
	assert_int_equal(s.sids, 1);
	assert_int_equal(s.drops, SR_DIR_MAX * SR_DROP_MAX);
	assert_int_equal(s.vrf.encap.packets, 100 * cpus);
	assert_int_equal(s.vrf.drop.bytes, 107 * cpus);
	assert_int_equal(s.sid.packets, 10 * cpus);
	assert_int_equal(s.sid.bytes, 11 * cpus);
	assert_int_equal(s.drop.packets, cpus);
	vrf_set(dp, 2, "vrf2", "169.254.1.2"); /* setting it again keeps the counts, */
	assert_int_equal(dp->ops->counters(dp, &see, &s), 0);
	assert_int_equal(s.vrf.encap.packets, 100 * cpus);
	assert_int_equal(s.sid.packets, 10 * cpus);
	assert_int_equal(dp->ops->vrf_del(dp, 2), 0); /* a VRF of the same id made later has its own */
	vrf_set(dp, 2, "vrf2", "169.254.1.2");
	assert_int_equal(dp->ops->counters(dp, &see, &s), 0);
	assert_int_equal(s.vrf.encap.packets + s.vrf.drop.bytes + s.sid.packets, 0);
}

static int stop(void *ctx, uint32_t id, const struct sr_dp_vrf *vrf)
{
	(void)id;
	(void)vrf;
	(*(int *)ctx)++;
	return 42;
}

static void test_dump_stops(void **state)
{
	const struct sr_dp_dump cb = {.vrf = stop};
	struct sr_dp *dp = *state;
	int calls = 0;

	vrf_set(dp, 1, "vrf1", "169.254.1.1");
	vrf_set(dp, 2, "vrf2", "169.254.1.2");
	assert_int_equal(dp->ops->dump(dp, &cb, &calls), 42);
	assert_int_equal(calls, 1);
}

static void test_drop_reasons(void **state)
{
	(void)state;
	assert_string_equal(sr_drop_reason_text(SR_DROP_UNSPEC), "unspecified");
	assert_string_equal(sr_drop_reason_text(SR_DROP_HELPER), "kernel helper failed");
	assert_string_equal(sr_drop_reason_text(SR_DROP_MAX), "?");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, dp_setup, dp_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_empty),
		TEST(test_vrf),
		TEST(test_vrf_function_changes),
		TEST(test_vrf_errors),
		TEST(test_nexthops),
		TEST(test_nexthop_errors),
		TEST(test_routes),
		TEST(test_route_flags),
		TEST(test_route_order),
		TEST(test_route_removal_with_holes),
		TEST(test_route_errors),
		TEST(test_many_routes),
		TEST(test_route_full),
		TEST(test_port),
		TEST(test_port_vanishes),
		TEST(test_port_errors),
		TEST(test_uplink),
		TEST(test_mtu),
		TEST(test_counters),
		TEST(test_dump_stops),
		cmocka_unit_test(test_drop_reasons),
	};
	int r = dp_isolate();

	return r ? r : cmocka_run_group_tests(tests, NULL, NULL);
}
