/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The eBPF datapath at the size that one agent is made for: 1,000 VRFs, 1,000,000 routes. How long it takes to write,
 * to replace, to read back with a look at each, and to remove them, and what one costs in the kernel. Takes root;
 * leaves nothing.
 */
#include "datapath/datapath.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <time.h>
#include <unistd.h>

#define VRFS 1000
#define ROUTES 1000000
#define PREFIXES 100000
#define NODES 1000
#define BPFFS "/mnt"
#define DIR BPFFS "/bench"

static void must(int r, const char *what)
{
	if (!r)
		return;
	fprintf(stderr, "%s: %s\n", what, strerror(-r));
	exit(1);
}

/* Seconds of this process's own, in the kernel too: a busy machine's other work is not in them. */
static double cpu(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void report(const char *what, size_t n, double seconds)
{
	printf("%-34s %9zu in %6.3f s of CPU  %10.0f /s\n", what, n, seconds, (double)n / seconds);
}

static struct sr_dp *open_dp(void)
{
	struct sr_dp_config config = {
		.n_locators = 1,
		.hop_limit = 64,
		.vrf_behavior = SR_SID_END_DT46,
		.max_vrfs = VRFS,
		.max_nexthops = 2 * NODES,
		.max_routes = 1 << 20,
		.bpffs = DIR,
	};
	struct sr_dp *dp = NULL;
	char err[512];

	must(sr_locator_parse("2400:dcc0::a7a:4d8e", &config.locators[0]), "locator");
	if (sr_dp_ebpf_open(&config, &dp, err, sizeof(err))) {
		fprintf(stderr, "open: %s\n", err);
		exit(1);
	}
	return dp;
}

/* Kernel memory of a pinned map, as the kernel counts it. */
static size_t map_bytes(const char *name)
{
	char path[128], line[128];
	size_t bytes = 0;
	FILE *f;
	int fd;

	snprintf(path, sizeof(path), DIR "/v%d/%s", SR_ABI_VERSION, name);
	fd = bpf_obj_get(path);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, "memlock:", 8))
			bytes = strtoul(line + 8, NULL, 10);
	if (f)
		fclose(f);
	close(fd);
	return bytes;
}

/* Route i: 10.x.y.z in VRF 1 + i % VRFS, so that neighbours in the list are in different VRFs. */
static uint32_t nexthop_of(size_t i, uint32_t turn)
{
	return 1 + (uint32_t)(i + turn) % NODES;
}

static void make_routes(struct sr_dp_route *routes, size_t n, unsigned int shift, uint32_t turn)
{
	for (size_t i = 0; i < n; i++) {
		const __be32 addr = htonl(0x0a000000 + ((uint32_t)(i / VRFS) << shift));

		routes[i].vrf = 1 + (uint32_t)(i % VRFS);
		routes[i].nexthop = nexthop_of(i, turn);
		routes[i].dst = sr_prefix_v4(addr, 32 - shift);
	}
}

static void write_routes(struct sr_dp *dp, const char *what, const struct sr_dp_route *routes, size_t n)
{
	double start = cpu();
	size_t done;

	must(dp->ops->routes(dp, routes, n, &done), what);
	report(what, n, cpu() - start);
}

struct seen {
	const struct sr_dp_route *wanted; /* by the numbering of make_routes */
	size_t n, differ;
};

static int compare(void *ctx, const struct sr_dp_route *routes, size_t n)
{
	struct seen *s = ctx;

	for (size_t i = 0; i < n; i++) {
		size_t at = (size_t)(ntohl(sr_prefix_addr4(&routes[i].dst)) - 0x0a000000) * VRFS + routes[i].vrf - 1;

		s->differ += at >= ROUTES || routes[i].nexthop != s->wanted[at].nexthop;
	}
	s->n += n;
	return 0;
}

static void read_routes(struct sr_dp *dp, const struct sr_dp_route *wanted)
{
	const struct sr_dp_dump cb = {.routes = compare};
	struct seen s = {.wanted = wanted};
	double start = cpu();

	must(dp->ops->dump(dp, &cb, &s), "dump");
	report("routes read back and compared", s.n, cpu() - start);
	if (s.n != ROUTES || s.differ)
		must(-EBADMSG, "routes read back");
}

static void bench_base(struct sr_dp *dp)
{
	double start = cpu();

	for (uint32_t id = 1; id <= VRFS; id++) {
		struct sr_dp_vrf vrf = {.function = {htonl(0xa9fe0000 + id)}};

		snprintf(vrf.name, sizeof(vrf.name), "vrf%012x", id);
		must(dp->ops->vrf_set(dp, id, &vrf), "vrf_set");
	}
	report("VRFs written", VRFS, cpu() - start);
	start = cpu();
	for (uint32_t id = 1; id <= NODES; id++) {
		const struct sr_dp_nexthop nh = {
			.kind = SR_NH_NODE, .cookie = id, .locator = {{0x24, 0, [10] = id >> 8, [11] = id & 255}}};

		must(dp->ops->nexthop_set(dp, id, &nh), "nexthop_set");
	}
	report("next hops written", NODES, cpu() - start);
}

static void bench_routes(struct sr_dp *dp, struct sr_dp_route *routes)
{
	size_t empty = map_bytes("sr_host4");

	make_routes(routes, ROUTES, 0, 0);
	write_routes(dp, "host routes written", routes, ROUTES);
	printf("%-34s %9.1f bytes, of which %.1f for the table\n", "a host route in the kernel",
	       (double)map_bytes("sr_host4") / ROUTES, (double)empty / ROUTES);
	read_routes(dp, routes);
	make_routes(routes, ROUTES, 0, 1);
	write_routes(dp, "host routes replaced", routes, ROUTES);
	read_routes(dp, routes);
	for (size_t i = 0; i < ROUTES; i++)
		routes[i].nexthop = 0;
	write_routes(dp, "host routes removed", routes, ROUTES);

	make_routes(routes, PREFIXES, 8, 0);
	write_routes(dp, "prefixes (/24) written", routes, PREFIXES);
	printf("%-34s %9.1f bytes\n", "a prefix in the kernel", (double)map_bytes("sr_lpm4") / PREFIXES);
}

int main(void)
{
	struct sr_dp_route *routes;
	struct sr_dp *dp;
	double start;

	if (geteuid() || unshare(CLONE_NEWNET | CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) {
		printf("skipped: eBPF and namespaces take root\n");
		return 77;
	}
	must(mount("bpf", BPFFS, "bpf", 0, NULL) ? -errno : 0, "mount a bpf file system");
	routes = calloc(ROUTES, sizeof(*routes));
	must(routes ? 0 : -ENOMEM, "routes");
	start = cpu();
	dp = open_dp();
	report("opened", 1, cpu() - start);
	bench_base(dp);
	bench_routes(dp, routes);
	must(dp->ops->destroy(dp), "destroy");
	free(routes);
	return 0;
}
