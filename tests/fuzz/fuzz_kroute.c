// SPDX-License-Identifier: GPL-2.0-only
/*
 * Route messages: what is accepted is within its bounds, and a route that could be ours comes back the same when it is
 * written and read again. The input is what follows the message's header.
 */
#include "fuzz.h"

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "datapath/linux/kroute.h"

static void same(const struct sr_kroute *a, const struct sr_kroute *b)
{
	MUST(sr_prefix_equal(&a->dst, &b->dst));
	MUST(a->table == b->table && a->type == b->type && a->protocol == b->protocol && a->metric == b->metric);
	MUST(a->oif == b->oif && a->encap == b->encap && a->gateway == b->gateway && a->selective == b->selective);
	MUST(a->reduced == b->reduced && a->n_segs == b->n_segs && !memcmp(a->segs, b->segs, sizeof(a->segs)));
	MUST(a->action == b->action && a->vrftable == b->vrftable);
}

static void rewrite(const struct sr_kroute *route)
{
	char *buf = calloc(1, 512);
	struct nlmsghdr *message = mnl_nlmsg_put_header(buf);
	struct sr_kroute again;

	sr_kroute_put(message, RTM_NEWROUTE, 0, route);
	MUST(message->nlmsg_len <= 512);
	MUST(sr_kroute_get(message, &again) == 0);
	same(route, &again);
	free(buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* To its last byte, the padding included, which libmnl counts as the message's: the sanitizer sees one beyond.
	 */
	struct nlmsghdr *message = calloc(1, sizeof(*message) + MNL_ALIGN(size));
	struct sr_kroute route;

	*message = (struct nlmsghdr){.nlmsg_len = (uint32_t)(sizeof(*message) + size), .nlmsg_type = RTM_NEWROUTE};
	memcpy(message + 1, data, size);
	if (sr_kroute_get(message, &route) == 0) {
		MUST(route.dst.len <= 128 && route.n_segs <= SR_SEGS_MAX);
		MUST((route.encap == SR_KENCAP_SEG6) == (route.n_segs > 0));
		if (route.encap != SR_KENCAP_OTHER && !route.gateway && !route.selective)
			rewrite(&route);
	}
	free(message);
	return 0;
}
