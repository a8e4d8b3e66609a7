// SPDX-License-Identifier: GPL-2.0-only
#include "harness.h"
#include "srfabric.skel.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

const uint8_t mac_gateway[6] = {0x02, 0x73, 0x72, 0x76, 0x36, 0x01};
const uint8_t mac_vm1[6] = {0xfa, 0x16, 0x3e, 0, 0, 1}, mac_vm2[6] = {0xfa, 0x16, 0x3e, 0, 0, 2},
	      mac_vm3[6] = {0xfa, 0x16, 0x3e, 0, 0, 3}, mac_vm4[6] = {0xfa, 0x16, 0x3e, 0, 0, 4};
const uint8_t mac_other[6] = {0x06, 0xaa, 0xbb, 0xcc, 0xdd, 0xee};
const uint8_t mac_broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
const uint8_t mac_up0[6] = {0x02, 0, 0, 0, 0xa, 0}, mac_up1[6] = {0x02, 0, 0, 0, 0xa, 1};
const uint8_t mac_leaf0[6] = {0x02, 0, 0, 0, 0xb, 0}, mac_leaf1[6] = {0x02, 0, 0, 0, 0xb, 1};

static const char *const port_names[PORTS] = {"tap0", "tap1", "tap2", "tap3", "up0", "up1"};

/* The world */

static const char links[] =
	"link set lo up\n"
	"link add tap0 type veth peer name vm1\n"
	"link add tap1 type veth peer name vm2\n"
	"link add tap2 type veth peer name vm3\n"
	"link add tap3 type veth peer name vm4\n"
	"link add up0 mtu 4000 address 02:00:00:00:0a:00 type veth peer name leaf0 mtu 4000 address 02:00:00:00:0b:00\n"
	"link add up1 mtu 4000 address 02:00:00:00:0a:01 type veth peer name leaf1 mtu 4000 address 02:00:00:00:0b:01\n"
	"link set tap0 up\nlink set tap1 up\nlink set tap2 up\nlink set tap3 up\nlink set up0 up\nlink set up1 up\n"
	"link set vm1 up\nlink set vm2 up\nlink set vm3 up\nlink set vm4 up\nlink set leaf0 up\nlink set leaf1 up\n"
	"addr add 2400:dcc0:f::a/128 dev lo\n"
	"neigh replace fe80::1 lladdr 02:00:00:00:0b:00 dev up0 nud permanent\n"
	"neigh replace fe80::1 lladdr 02:00:00:00:0b:01 dev up1 nud permanent\n"
	"route add 2400:dcc0::/32 via fe80::1 dev up0\n"
	"route add 2400:dcc1::/32 nexthop via fe80::1 dev up0 nexthop via fe80::1 dev up1\n"
	"route add 2400:dcc2::/32 via fe80::2 dev up0\n"
	"route add 2400:dcc3:1::/48 via fe80::1 dev up0 mtu lock 1400\n";

static const struct sr_bpf_vrf vrfs[] = {
	[BLUE] = {.flags = SR_VRF_F_ACTIVE | SR_VRF_F_LPM4 | SR_VRF_F_LPM6, .name = "vrfb1ue00b1ue00"},
	[RED] = {.flags = SR_VRF_F_ACTIVE, .name = "vrf4ed0004ed000"},
};

static const char *const functions[] = {[BLUE] = "169.254.1.8", [RED] = "169.254.1.9"};

static const struct {
	const uint8_t *mac;
	uint32_t vrf, flags;
} taps[] = {
	[TAP0] = {mac_vm1, BLUE, SR_PORT_F_UP},
	[TAP1] = {mac_vm2, BLUE, SR_PORT_F_UP},
	[TAP2] = {mac_vm3, RED, SR_PORT_F_UP},
	[TAP3] = {mac_vm4, BLUE, 0},
};

static const struct {
	uint32_t id;
	enum sr_nh_kind kind;
	const char *segs[SR_BPF_SEGS_MAX];
} nexthops[] = {
	{NH_B, SR_NH_NODE, {"2400:dcc0::a7a:4d8f:0:0"}},
	{NH_C, SR_NH_NODE, {"2400:dcc0::a7a:4d90:0:0"}},
	{NH_E, SR_NH_NODE, {"2400:dcc1::e:0:0"}},
	{NH_N, SR_NH_NODE, {"2400:dcc2::e:0:0"}},
	{NH_X, SR_NH_NODE, {"2400:dcc3::e:0:0"}},
	{NH_M, SR_NH_NODE, {"2400:dcc3:1::e:0:0"}},
	{NH_NONE, SR_NH_NONE, {NULL}},
	{NH_SIDS_1, SR_NH_SIDS, {SID_B_BLUE}},
	{NH_SIDS_2, SR_NH_SIDS, {SID_HOP_1, SID_B_BLUE}},
	{NH_SIDS_3, SR_NH_SIDS, {SID_HOP_1, SID_HOP_2, SID_B_BLUE}},
	{NH_SIDS_8,
	 SR_NH_SIDS,
	 {SID_HOP_1, SID_HOP_2, SID_HOP_3, SID_HOP_4, SID_HOP_5, SID_HOP_6, SID_HOP_7, SID_B_BLUE}},
};

static const struct {
	const char *sid;
	enum sr_sid_behavior behavior;
	uint32_t vrf, stats;
} sids[] = {
	{SID_BLUE, SR_SID_END_DT46, BLUE, STATS_BLUE}, {SID_RED, SR_SID_END_DT46, RED, STATS_RED},
	{SID_END, SR_SID_END, 0, STATS_END},	       {SID_DT4, SR_SID_END_DT4, BLUE, STATS_DT4},
	{SID_DT6, SR_SID_END_DT6, BLUE, STATS_DT6},
};

/* Host routes; the IPv6 twin of 10.0.a.b is fd00:10::a:b. */
static const struct {
	uint32_t vrf, nexthop;
	const char *v4, *v6;
} hosts[] = {
	{BLUE, 1 + TAP0, VM1, VM1_6},
	{BLUE, 1 + TAP1, VM2, VM2_6},
	{BLUE, 1 + TAP3, "10.0.0.4", "fd00:10::4"},
	{BLUE, NH_B, VM_B, VM_B_6},
	{BLUE, NH_C, "10.0.1.2", "fd00:10::1:2"},
	{BLUE, NH_E, "10.0.1.3", "fd00:10::1:3"},
	{BLUE, NH_N, "10.0.1.4", "fd00:10::1:4"},
	{BLUE, NH_X, "10.0.1.5", "fd00:10::1:5"},
	{BLUE, NH_NONE, "10.0.1.6", "fd00:10::1:6"},
	{BLUE, NH_M, "10.0.1.7", "fd00:10::1:7"},
	{BLUE, NH_SIDS_1, "10.0.2.1", "fd00:10::2:1"},
	{BLUE, NH_SIDS_2, "10.0.2.2", "fd00:10::2:2"},
	{BLUE, NH_SIDS_3, "10.0.2.3", "fd00:10::2:3"},
	{BLUE, NH_SIDS_8, "10.0.2.8", "fd00:10::2:8"},
	{RED, 1 + TAP2, VM1, VM1_6},
	{RED, NH_C, VM_B, VM_B_6},
};

static const struct {
	uint32_t vrf, nexthop;
	const char *addr;
	uint32_t len;
} prefixes[] = {
	{BLUE, NH_C, "10.3.0.0", 16},	 {BLUE, NH_B, "10.3.3.0", 24},	    {BLUE, NH_C, "10.3.3.128", 25},
	{BLUE, NH_C, "fd00:10:3::", 48}, {BLUE, NH_B, "fd00:10:3:3::", 64}, {BLUE, NH_C, "fd00:10:3:3:8000::", 65},
};

/* Small things */

struct in6_addr ip6(const char *text)
{
	struct in6_addr a;

	assert_int_equal(inet_pton(AF_INET6, text, &a), 1);
	return a;
}

__be32 ip4(const char *text)
{
	__be32 a;

	assert_int_equal(inet_pton(AF_INET, text, &a), 1);
	return a;
}

uint32_t ifindex_of(enum port_name port)
{
	uint32_t ifindex = if_nametoindex(port_names[port]);

	assert_int_not_equal(ifindex, 0);
	return ifindex;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* Maps */

static void update(struct bpf_map *map, const void *key, const void *value)
{
	assert_int_equal(bpf_map_update_elem(bpf_map__fd(map), key, value, BPF_ANY), 0);
}

void node_host4(struct node *node, uint32_t vrf, const char *addr, uint32_t nexthop)
{
	struct sr_bpf_host4_key key = {vrf, ip4(addr)};

	update(node->skel->maps.sr_host4, &key, &nexthop);
}

void node_host6(struct node *node, uint32_t vrf, const char *addr, uint32_t nexthop)
{
	struct sr_bpf_host6_key key = {vrf, ip6(addr)};

	update(node->skel->maps.sr_host6, &key, &nexthop);
}

void node_lpm4(struct node *node, uint32_t vrf, const char *addr, uint32_t len, uint32_t nexthop)
{
	struct sr_bpf_lpm4_key key = {32 + len, htonl(vrf), ip4(addr)};

	update(node->skel->maps.sr_lpm4, &key, &nexthop);
}

void node_lpm6(struct node *node, uint32_t vrf, const char *addr, uint32_t len, uint32_t nexthop)
{
	struct sr_bpf_lpm6_key key = {32 + len, htonl(vrf), ip6(addr)};

	update(node->skel->maps.sr_lpm6, &key, &nexthop);
}

void node_vrf(struct node *node, uint32_t vrf, uint32_t flags, uint32_t mtu)
{
	struct sr_bpf_vrf value = vrfs[vrf];

	value.function = ip4(functions[vrf]);
	value.flags = flags;
	value.mtu = mtu;
	update(node->skel->maps.sr_vrfs, &vrf, &value);
}

void node_sid(struct node *node, const char *sid, enum sr_sid_behavior behavior, uint32_t vrf, uint32_t stats)
{
	struct in6_addr key = ip6(sid);
	struct sr_bpf_sid value = {.vrf = vrf, .stats = stats, .behavior = (uint8_t)behavior};

	update(node->skel->maps.sr_sids, &key, &value);
}

void node_gateway(struct node *node, enum port_name tap, const char *gateway4, const char *gateway6)
{
	struct sr_bpf_port port = {.vrf = taps[tap].vrf, .nexthop = 1 + tap, .flags = taps[tap].flags};
	uint32_t ifindex = ifindex_of(tap);

	port.gateway4 = ip4(gateway4);
	port.gateway6 = ip6(gateway6);
	memcpy(port.mac, taps[tap].mac, 6);
	update(node->skel->maps.sr_ports, &ifindex, &port);
}

void node_forget_port(struct node *node, enum port_name tap)
{
	uint32_t ifindex = ifindex_of(tap);

	assert_int_equal(bpf_map_delete_elem(bpf_map__fd(node->skel->maps.sr_ports), &ifindex), 0);
}

void node_fabric_mtu(struct node *node, uint32_t mtu)
{
	struct sr_bpf_node value = {.fabric_mtu = mtu};

	update(node->skel->maps.sr_node, &(uint32_t){0}, &value);
}

void node_pmtu_set(struct node *node, const char *dst, uint32_t mtu, int64_t seconds_left)
{
	struct in6_addr key = ip6(dst);
	struct sr_bpf_pmtu value = {.expires = now_ns() + (uint64_t)(seconds_left * 1000000000), .mtu = mtu};

	update(node->skel->maps.sr_pmtu, &key, &value);
}

uint32_t node_pmtu(struct node *node, const char *dst, int64_t *ret_seconds_left)
{
	struct in6_addr key = ip6(dst);
	struct sr_bpf_pmtu value;

	if (bpf_map_lookup_elem(bpf_map__fd(node->skel->maps.sr_pmtu), &key, &value))
		return 0;
	if (ret_seconds_left)
		*ret_seconds_left = ((int64_t)value.expires - (int64_t)now_ns()) / 1000000000;
	return value.mtu;
}

/* Sums the __u64 of an entry of a per-CPU map over the CPUs. */
static void sum_percpu(struct bpf_map *map, uint32_t key, uint64_t *sum, size_t n)
{
	size_t cpus = (size_t)libbpf_num_possible_cpus();
	uint64_t *values = calloc(cpus * n, sizeof(*values));

	assert_non_null(values);
	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(map), &key, values), 0);
	memset(sum, 0, n * sizeof(*sum));
	for (size_t i = 0; i < cpus * n; i++)
		sum[i % n] += values[i];
	free(values);
}

struct sr_bpf_vrf_stats node_vrf_stats(struct node *node, uint32_t vrf)
{
	struct sr_bpf_vrf_stats sum;

	sum_percpu(node->skel->maps.sr_vrf_stats, vrf, (uint64_t *)&sum, sizeof(sum) / sizeof(uint64_t));
	return sum;
}

struct sr_bpf_counter node_sid_stats(struct node *node, uint32_t stats)
{
	struct sr_bpf_counter sum;

	sum_percpu(node->skel->maps.sr_sid_stats, stats, (uint64_t *)&sum, sizeof(sum) / sizeof(uint64_t));
	return sum;
}

struct sr_bpf_counter node_drops(struct node *node, enum sr_direction dir, enum sr_drop_reason reason)
{
	struct sr_bpf_counter sum;

	sum_percpu(node->skel->maps.sr_drops, dir * SR_DROP_MAX + reason, (uint64_t *)&sum,
		   sizeof(sum) / sizeof(uint64_t));
	return sum;
}

/* A node */

struct sr_bpf_config config_default(void)
{
	struct sr_bpf_config c = {
		.source = ip6(SOURCE),
		.locators = {ip6("2400:dcc0::a7a:4d8e:0:0")},
		.n_locators = 1,
		.domains = {{ip6("2400:dcc0::"), 30}, {ip6("fd00:5::"), 48}},
		.n_domains = 2,
		.encap_mode = SR_ENCAP_SRH,
		.dscp_mode = SR_DSCP_COPY,
		.hop_limit = HOP_LIMIT,
		.icmp_rate = 1000000,
	};

	memcpy(c.gateway_mac, mac_gateway, sizeof(c.gateway_mac));
	return c;
}

static void set_sizes(struct srfabric_bpf *skel)
{
	bpf_map__set_max_entries(skel->maps.sr_vrfs, 64);
	bpf_map__set_max_entries(skel->maps.sr_vrf_stats, 64);
	bpf_map__set_max_entries(skel->maps.sr_sid_stats, 64);
	bpf_map__set_max_entries(skel->maps.sr_nexthops, 64);
	bpf_map__set_max_entries(skel->maps.sr_host4, 1024); /* a hash of millions takes longer than the case */
	bpf_map__set_max_entries(skel->maps.sr_host6, 1024);
}

static void fill_nexthop(struct node *node, uint32_t id, enum sr_nh_kind kind, const char *const *segs)
{
	struct sr_bpf_nexthop nh = {.kind = (uint8_t)kind, .cookie = id};

	for (; nh.n_segs < SR_BPF_SEGS_MAX && segs[nh.n_segs]; nh.n_segs++)
		nh.segs[nh.n_segs] = ip6(segs[nh.n_segs]);
	update(node->skel->maps.sr_nexthops, &id, &nh);
}

void node_nexthop(struct node *node, uint32_t id, const char *locator)
{
	const char *const segs[SR_BPF_SEGS_MAX] = {locator};

	fill_nexthop(node, id, SR_NH_NODE, segs);
}

static void fill_tap(struct node *node, enum port_name tap)
{
	uint32_t id = 1 + tap;
	struct sr_bpf_nexthop nh = {.kind = SR_NH_PORT, .ifindex = ifindex_of(tap), .cookie = 1 + tap};

	memcpy(nh.mac, taps[tap].mac, 6);
	node_gateway(node, tap, GATEWAY4, GATEWAY6);
	update(node->skel->maps.sr_nexthops, &id, &nh);
}

static void fill_maps(struct node *node)
{
	node_fabric_mtu(node, FABRIC_MTU);
	for (uint32_t vrf = BLUE; vrf <= RED; vrf++)
		node_vrf(node, vrf, vrfs[vrf].flags, 0);
	for (enum port_name tap = TAP0; tap <= TAP3; tap++)
		fill_tap(node, tap);
	for (size_t i = 0; i < ARRAY_SIZE(nexthops); i++)
		fill_nexthop(node, nexthops[i].id, nexthops[i].kind, nexthops[i].segs);
	for (size_t i = 0; i < ARRAY_SIZE(sids); i++)
		node_sid(node, sids[i].sid, sids[i].behavior, sids[i].vrf, sids[i].stats);
	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
		node_host4(node, hosts[i].vrf, hosts[i].v4, hosts[i].nexthop);
		node_host6(node, hosts[i].vrf, hosts[i].v6, hosts[i].nexthop);
	}
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		bool v6 = strchr(prefixes[i].addr, ':');

		(v6 ? node_lpm6 : node_lpm4)(node, prefixes[i].vrf, prefixes[i].addr, prefixes[i].len,
					     prefixes[i].nexthop);
	}
}

/*
 * What was loaded stays for the next node of the same configuration: on an emulated machine the verifier takes longer
 * than most cases. Only maps have state, and a node gets them as new.
 */
static struct loaded {
	struct sr_bpf_config config;
	struct srfabric_bpf *skel;
	bool used;
} cache[64];

static struct srfabric_bpf *load(const struct sr_bpf_config *config)
{
	struct srfabric_bpf *skel = srfabric_bpf__open();

	assert_non_null(skel);
	memcpy((void *)&skel->rodata->sr_config, config, sizeof(*config));
	set_sizes(skel);
	assert_int_equal(srfabric_bpf__load(skel), 0);
	return skel;
}

static void zero(const struct bpf_map *map)
{
	void *value =
		calloc((size_t)libbpf_num_possible_cpus(), bpf_map__value_size(map) + 7); /* per CPU: rounded up */

	assert_non_null(value);
	for (uint32_t i = 0; i < bpf_map__max_entries(map); i++)
		assert_int_equal(bpf_map_update_elem(bpf_map__fd(map), &i, value, BPF_ANY), 0);
	free(value);
}

static void empty(const struct bpf_map *map)
{
	char key[32];

	assert_true(bpf_map__key_size(map) <= sizeof(key));
	while (!bpf_map_get_next_key(bpf_map__fd(map), NULL, key))
		assert_int_equal(bpf_map_delete_elem(bpf_map__fd(map), key), 0);
}

static void clear_maps(const struct srfabric_bpf *skel)
{
	const struct bpf_map *map;

	bpf_object__for_each_map(map, skel->obj)
	{
		if (bpf_map__is_internal(map)) /* the configuration */
			continue;
		switch (bpf_map__type(map)) {
		case BPF_MAP_TYPE_ARRAY:
		case BPF_MAP_TYPE_PERCPU_ARRAY:
			zero(map);
			break;
		default:
			empty(map);
		}
	}
}

static struct loaded *take(const struct sr_bpf_config *config)
{
	struct loaded *l = cache;

	while (l->skel && (l->used || memcmp(&l->config, config, sizeof(*config)) != 0))
		assert_true(++l < cache + ARRAY_SIZE(cache));
	if (l->skel) {
		clear_maps(l->skel);
	} else {
		l->config = *config;
		l->skel = load(config);
	}
	l->used = true;
	return l;
}

struct node *node_new(const struct sr_bpf_config *config)
{
	struct node *node = calloc(1, sizeof(*node));

	assert_non_null(node);
	node->config = config ? *config : config_default();
	node->loaded = take(&node->config);
	node->skel = node->loaded->skel;
	fill_maps(node);
	return node;
}

void node_free(struct node *node)
{
	if (!node)
		return;
	node->loaded->used = false;
	free(node);
}

static void unload(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(cache); i++)
		srfabric_bpf__destroy(cache[i].skel); /* takes NULL */
}

int node_setup(void **state)
{
	*state = node_new(NULL);
	return 0;
}

int node_teardown(void **state)
{
	node_free(*state);
	return 0;
}

/* Running */

/* Packets of every direction and reason at once: this is done around each run. */
static void read_drops(struct node *node, uint64_t packets[DROPS])
{
	size_t cpus = (size_t)libbpf_num_possible_cpus();
	struct sr_bpf_counter *values = calloc(cpus * (size_t)DROPS, sizeof(*values));
	uint32_t keys[DROPS], batch, n = DROPS;

	assert_non_null(values);
	assert_int_equal(
		bpf_map_lookup_batch(bpf_map__fd(node->skel->maps.sr_drops), NULL, &batch, keys, values, &n, NULL), 0);
	assert_int_equal(n, DROPS);
	for (size_t i = 0; i < (size_t)DROPS; i++) {
		packets[keys[i]] = 0;
		for (size_t cpu = 0; cpu < cpus; cpu++)
			packets[keys[i]] += values[i * cpus + cpu].packets;
	}
	free(values);
}

int node_run_unchecked(struct node *node, enum port_name port, const struct packet *in, struct packet *out)
{
	struct bpf_program *prog = port < UP0 ? node->skel->progs.sr_from_tap : node->skel->progs.sr_from_uplink;
	struct __sk_buff ctx = {.ifindex = ifindex_of(port), .ingress_ifindex = ifindex_of(port)};
	struct packet result = {0};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = in->data, .data_size_in = (uint32_t)in->len,
		    .data_out = result.data, .data_size_out = sizeof(result.data), .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx), .repeat = 1);
	int r;

	r = bpf_prog_test_run_opts(bpf_program__fd(prog), &opts);
	if (r)
		fail_msg("test_run of %zu bytes: %s", in->len, strerror(-r));
	result.len = opts.data_size_out;
	*out = result;
	return (int)opts.retval;
}

int node_run(struct node *node, enum port_name port, const struct packet *in, struct packet *out)
{
	read_drops(node, node->before);
	return node_run_unchecked(node, port, in, out);
}

static const char *reason_name(int reason)
{
	static const char *const names[] = {
#define X(sym, text) [SR_DROP_##sym] = #sym,
		SR_DROP_REASONS(X)
#undef X
	};

	return reason < SR_DROP_MAX ? names[reason] : "none";
}

void node_assert_counted_at(struct node *node, enum sr_direction dir, enum sr_drop_reason reason, const char *file,
			    int line)
{
	uint64_t now[DROPS];
	bool right = true;

	read_drops(node, now);
	for (int i = 0; i < DROPS; i++) {
		uint64_t more = now[i] - node->before[i];
		uint64_t want = i == (int)(dir * SR_DROP_MAX + reason) && reason != SR_DROP_MAX;

		if (more == want)
			continue;
		print_message("counted: direction %d %s: got %llu, want %llu (all: %s)\n", i / SR_DROP_MAX,
			      reason_name(i % SR_DROP_MAX), (unsigned long long)more, (unsigned long long)want,
			      reason_name(reason));
		right = false;
	}
	if (!right)
		_fail(file, line);
}

static enum sr_direction direction(enum port_name port)
{
	return port < UP0 ? SR_DIR_FROM_TAP : SR_DIR_FROM_UPLINK;
}

static void expect(struct node *node, enum port_name port, const struct packet *in, int verdict,
		   enum sr_drop_reason reason, struct packet *out, const char *file, int line)
{
	struct packet result;
	int got = node_run(node, port, in, &result);

	if (got != verdict) {
		packet_print("in", in);
		packet_print("out", &result);
		print_message("verdict: got %d, want %d\n", got, verdict);
		node_assert_counted_at(node, direction(port), reason, file, line);
		_fail(file, line);
	}
	node_assert_counted_at(node, direction(port), reason, file, line);
	if (out)
		*out = result;
}

void node_expect_drop_at(struct node *node, enum port_name port, const struct packet *in, enum sr_drop_reason reason,
			 const char *file, int line)
{
	expect(node, port, in, TC_ACT_SHOT, reason, NULL, file, line);
}

void node_expect_sent_at(struct node *node, enum port_name port, const struct packet *in, struct packet *out,
			 const char *file, int line)
{
	expect(node, port, in, TC_ACT_REDIRECT, SR_DROP_MAX, out, file, line);
}

void node_expect_answer_at(struct node *node, enum port_name port, const struct packet *in, enum sr_drop_reason reason,
			   struct packet *out, const char *file, int line)
{
	expect(node, port, in, TC_ACT_REDIRECT, reason, out, file, line);
}

void node_expect_kernel_at(struct node *node, enum port_name port, const struct packet *in, const char *file, int line)
{
	struct packet out;

	expect(node, port, in, TC_ACT_OK, SR_DROP_MAX, &out, file, line);
	packet_assert_equal_at(&out, in, file, line);
}

/* The namespace */

bool harness_ip(const char *batch)
{
	FILE *pipe = popen("ip -batch -", "w"); /* NOLINT(cert-env33-c): constant */

	if (!pipe)
		return false;
	fputs(batch, pipe);
	return pclose(pipe) == 0;
}

bool harness_sysctl(const char *path, const char *value)
{
	char name[256];
	ssize_t n;
	int fd;

	snprintf(name, sizeof(name), "/proc/sys/%s", path);
	fd = open(name, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = write(fd, value, strlen(value));
	close(fd);
	return n == (ssize_t)strlen(value);
}

static int cannot(const char *why)
{
	printf("%s\n", why);
	return 77;
}

static int print_warnings(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, fmt, ap) : 0;
}

/* The far ends are other machines: what arrives there must not be routed, nor do they speak. Taps have no IPv6 on
 * nodes. */
static bool silence_ends(void)
{
	static const char *const names[] = {"vm1",  "vm2",  "vm3",  "vm4",   "tap0",
					    "tap1", "tap2", "tap3", "leaf0", "leaf1"};
	char path[64];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "net/ipv6/conf/%s/disable_ipv6", names[i]);
		if (!harness_sysctl(path, "1"))
			return false;
	}
	return true;
}

bool harness_world(void)
{
	return harness_sysctl("net/ipv6/conf/all/forwarding", "1") && harness_ip(links) && silence_ends();
}

int harness_main(const char *name, const struct CMUnitTest *tests, size_t n)
{
	return harness_main_group(name, tests, n, NULL, NULL);
}

int harness_main_group(const char *name, const struct CMUnitTest *tests, size_t n, CMFixtureFunction setup,
		       CMFixtureFunction teardown)
{
	int failed;

	if (geteuid())
		return cannot("needs root: network namespaces and BPF");
	if (unshare(CLONE_NEWNET))
		return cannot("cannot make a network namespace");
	libbpf_set_print(print_warnings);
	if (!harness_world()) {
		fprintf(stderr, "cannot set the namespace up\n");
		return 1;
	}
	failed = _cmocka_run_group_tests(name, tests, n, setup, teardown);
	unload();
	return failed;
}
