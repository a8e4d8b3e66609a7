// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the programs cost a packet, in the node of tests/bpf/harness.h, by BPF_PROG_TEST_RUN.
 *
 * A program changes the packet that it gets, so a run cannot be repeated inside the kernel: each is a call of its own,
 * timed by the kernel, and the figure is the median of many, less the median of a program that does nothing. Caches are
 * colder than under load, and what follows the program (the redirect, the driver) is not in it.
 */
#include "harness.h"
#include "srfabric.skel.h"

#include <bpf/bpf.h>
#include <linux/filter.h>
#include <stdlib.h>
#include <unistd.h>

#define RUNS 20000

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static uint32_t median(int prog, uint32_t ifindex, const struct packet *in, int verdict)
{
	static uint32_t ns[RUNS];

	for (size_t i = 0; i < RUNS; i++) {
		struct __sk_buff ctx = {.ifindex = ifindex, .ingress_ifindex = ifindex};
		LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = in->data, .data_size_in = (uint32_t)in->len,
			    .ctx_in = &ctx, .ctx_size_in = sizeof(ctx), .repeat = 1);

		assert_int_equal(bpf_prog_test_run_opts(prog, &opts), 0);
		assert_int_equal(opts.retval, verdict);
		ns[i] = opts.duration;
	}
	qsort(ns, RUNS, sizeof(ns[0]), compare);
	return ns[RUNS / 2];
}

/* What timing one call costs. */
static uint32_t baseline(uint32_t ifindex, const struct packet *in)
{
	static const struct bpf_insn nothing[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = TC_ACT_OK},
		{.code = BPF_JMP | BPF_EXIT},
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "nothing", "GPL", nothing, ARRAY_SIZE(nothing), NULL);
	uint32_t ns;

	assert_true(fd >= 0);
	ns = median(fd, ifindex, in, TC_ACT_OK);
	close(fd);
	return ns;
}

static void report(const char *what, enum sr_encap_mode mode, enum port_name port, const struct packet *in, int verdict)
{
	struct sr_bpf_config config = config_default();
	struct node *node;
	uint32_t with, without;
	int fd;

	config.encap_mode = (uint8_t)mode;
	node = node_new(&config);
	fd = bpf_program__fd(port < UP0 ? node->skel->progs.sr_from_tap : node->skel->progs.sr_from_uplink);
	with = median(fd, ifindex_of(port), in, verdict);
	without = baseline(ifindex_of(port), in);
	print_message("%-40s %5u ns\n", what, with > without ? with - without : 0);
	node_free(node);
}

static void bench_tap(void **state)
{
	struct packet far4 = PACKET(ETH(mac_vm1, mac_gateway), IP4(VM1, VM_B), UDP(1000, 2000), DATA(22));
	struct packet far6 = PACKET(ETH(mac_vm1, mac_gateway), IP6(VM1_6, VM_B_6), UDP(1000, 2000), DATA(22));
	struct packet chain = PACKET(ETH(mac_vm1, mac_gateway), IP4(VM1, "10.0.2.3"), UDP(1000, 2000), DATA(22));
	struct packet near = PACKET(ETH(mac_vm1, mac_gateway), IP4(VM1, VM2), UDP(1000, 2000), DATA(22));
	struct packet arp = PACKET(ETH(mac_vm1, mac_broadcast), ARP(1, mac_vm1, VM1, NULL, VM2));

	(void)state;
	report("tap: IPv4, SRH", SR_ENCAP_SRH, TAP0, &far4, TC_ACT_REDIRECT);
	report("tap: IPv4, reduced", SR_ENCAP_REDUCED, TAP0, &far4, TC_ACT_REDIRECT);
	report("tap: IPv4, SRH, three SIDs", SR_ENCAP_SRH, TAP0, &chain, TC_ACT_REDIRECT);
	report("tap: IPv6, SRH", SR_ENCAP_SRH, TAP0, &far6, TC_ACT_REDIRECT);
	report("tap: IPv4 to a tap of this node", SR_ENCAP_SRH, TAP0, &near, TC_ACT_REDIRECT);
	report("tap: ARP answered", SR_ENCAP_SRH, TAP0, &arp, TC_ACT_REDIRECT);
}

static void bench_uplink(void **state)
{
	static const uint8_t *const leaf = mac_leaf0, *const up = mac_up0;
	struct packet srh = PACKET(ETH(leaf, up), IP6(PEER, SID_BLUE), SRH(0, {SID_BLUE}), IP4(VM_B, VM1), UDP(1, 2));
	struct packet reduced = PACKET(ETH(leaf, up), IP6(PEER, SID_BLUE), IP4(VM_B, VM1), UDP(1, 2));
	struct packet srh6 =
		PACKET(ETH(leaf, up), IP6(PEER, SID_BLUE), SRH(0, {SID_BLUE}), IP6(VM_B_6, VM1_6), UDP(1, 2));
	struct packet transit = PACKET(ETH(leaf, up), IP6(PEER, SID_C_BLUE), IP4(VM_B, VM1), UDP(1, 2));

	(void)state;
	report("uplink: IPv4, SRH", SR_ENCAP_SRH, UP0, &srh, TC_ACT_REDIRECT);
	report("uplink: IPv4, reduced", SR_ENCAP_SRH, UP0, &reduced, TC_ACT_REDIRECT);
	report("uplink: IPv6, SRH", SR_ENCAP_SRH, UP0, &srh6, TC_ACT_REDIRECT);
	report("uplink: transit, left to the kernel", SR_ENCAP_SRH, UP0, &transit, TC_ACT_OK);
}

static void count_one(const struct bpf_program *prog)
{
	struct bpf_prog_info info = {0};
	uint32_t len = sizeof(info);

	assert_int_equal(bpf_obj_get_info_by_fd(bpf_program__fd(prog), &info, &len), 0);
	print_message("%-16s %5u instructions, %6u bytes of machine code, %6u verified\n", bpf_program__name(prog),
		      info.xlated_prog_len / 8, info.jited_prog_len, info.verified_insns);
}

static void bench_size(void **state)
{
	struct node *node = *state;

	count_one(node->skel->progs.sr_from_tap);
	count_one(node->skel->progs.sr_from_uplink);
}

static const struct CMUnitTest benches[] = {
	cmocka_unit_test(bench_tap),
	cmocka_unit_test(bench_uplink),
	node_test(bench_size),
};

HARNESS_MAIN("bench_bpf", benches)
