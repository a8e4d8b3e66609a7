/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the Linux datapath's routes cost to write, one by one and in batches, to read back, and to remove: 100,000 seg6
 * routes to 1,000 nodes in one table of a network namespace of its own. Routes go through a veth, so that it runs on
 * kernels without the VRF driver too; to the kernel's tables that is the same. Takes root; leaves nothing.
 */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "datapath/linux/kroute.h"
#include "netlink/rtnl.h"

#define ROUTES 100000U
#define NODES 1000U /* the kernel keeps one next hop for each and looks for it in a list: net/ipv4/fib_semantics.c */
#define SINGLES 5000U
#define TABLE 12

static void must(int r, const char *what)
{
	if (!r)
		return;
	fprintf(stderr, "%s: %s\n", what, strerror(-r));
	exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void report(const char *what, unsigned int n, double begin)
{
	double seconds = now() - begin;

	printf("%-34s %9u in %6.3f s  %10.0f /s\n", what, n, seconds, n / seconds);
}

static struct sr_kroute route(unsigned int i, uint32_t oif)
{
	unsigned int node = i % NODES;
	const struct sr_locator locator = {{0x24, 0x00, 0xdc, 0xc0, [10] = (uint8_t)(node >> 8), [11] = (uint8_t)node}};

	return (struct sr_kroute){
		.dst = sr_prefix_v4(htonl(0x0a000000 + i), 32),
		.table = TABLE,
		.type = RTN_UNICAST,
		.protocol = RTPROT_BOOT,
		.oif = oif,
		.encap = SR_KENCAP_SEG6,
		.n_segs = 1,
		.segs[0] = sr_sid_make(&locator, (struct sr_function){htonl(0xa9fe0108)}),
	};
}

static void refused(void *ctx, unsigned int number, int err)
{
	(void)ctx, (void)number;
	must(err, "route");
}

static void all(struct sr_rtnl *nl, uint16_t type, uint16_t flags, uint32_t oif)
{
	struct sr_rtnl_batch batch;

	must(sr_rtnl_batch_init(&batch, nl), "batch");
	for (unsigned int i = 0; i < ROUTES; i++) {
		const struct sr_kroute r = route(i, oif);
		struct nlmsghdr *message = sr_rtnl_batch_next(&batch);

		if (!message) {
			must(sr_rtnl_batch_flush(&batch, refused, NULL), "batch");
			message = sr_rtnl_batch_next(&batch);
		}
		sr_kroute_put(message, type, flags, &r);
	}
	must(sr_rtnl_batch_flush(&batch, refused, NULL), "batch");
	sr_rtnl_batch_fini(&batch);
}

static void one_by_one(struct sr_rtnl *nl, uint32_t oif)
{
	char buf[SR_RTNL_MESSAGE_MAX];

	for (unsigned int i = 0; i < SINGLES; i++) {
		const struct sr_kroute r = route(i, oif);
		struct nlmsghdr *message = mnl_nlmsg_put_header(buf);

		sr_kroute_put(message, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, &r);
		must(sr_rtnl_request(nl, message), "route");
	}
}

static int count(const struct nlmsghdr *message, void *data)
{
	struct sr_kroute r;

	if (sr_kroute_get(message, &r) == 0 && r.table == TABLE && r.encap == SR_KENCAP_SEG6)
		++*(unsigned int *)data;
	return MNL_CB_OK;
}

static unsigned int read_back(struct sr_rtnl *nl)
{
	char buf[256];
	struct nlmsghdr *message = mnl_nlmsg_put_header(buf);
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(message, sizeof(*rtm));
	unsigned int n = 0;

	message->nlmsg_type = RTM_GETROUTE;
	rtm->rtm_family = AF_INET;
	must(sr_rtnl_dump(nl, message, count, &n), "dump");
	return n;
}

int main(void)
{
	struct sr_rtnl nl;
	double begin;
	uint32_t oif;

	must(unshare(CLONE_NEWNET) ? -errno : 0, "network namespace (needs root)");
	must(system("ip link add v0 type veth peer name v1 && ip link set v0 up") ? -EIO : 0, "veth");
	oif = if_nametoindex("v0");
	must(sr_rtnl_open(&nl, NETLINK_ROUTE), "rtnetlink");
	begin = now();
	one_by_one(&nl, oif);
	report("routes added one by one", SINGLES, begin);
	begin = now();
	all(&nl, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, oif);
	report("routes added in batches", ROUTES, begin);
	begin = now();
	all(&nl, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, oif);
	report("routes replaced in batches", ROUTES, begin);
	begin = now();
	must(read_back(&nl) == ROUTES ? 0 : -EIO, "read back");
	report("routes read back", ROUTES, begin);
	begin = now();
	all(&nl, RTM_DELROUTE, 0, oif);
	report("routes removed in batches", ROUTES, begin);
	must(read_back(&nl) ? -EIO : 0, "removed");
	sr_rtnl_close(&nl);
	return 0;
}
