/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What of the Linux datapath needs no kernel to be tried on: routes in messages, which next hop each route has, the
 * record of what was changed.
 */
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/lwtunnel.h>
#include <linux/rtnetlink.h>
#include <linux/seg6_iptunnel.h>
#include <linux/seg6_local.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "datapath/linux/kroute.h"
#include "datapath/linux/saved.h"
#include "datapath/linux/table.h"

/* ---- kroute: what is written is what is read */

static struct sr_prefix prefix(const char *text)
{
	struct sr_prefix p;

	assert_int_equal(sr_prefix_parse(text, &p), 0);
	return p;
}

static struct sr_sid sid(const char *text)
{
	struct sr_sid s;

	assert_int_equal(sr_sid_parse(text, &s), 0);
	return s;
}

static void same_route(const struct sr_kroute *a, const struct sr_kroute *b)
{
	assert_true(sr_prefix_equal(&a->dst, &b->dst));
	assert_int_equal(a->table, b->table);
	assert_int_equal(a->type, b->type);
	assert_int_equal(a->protocol, b->protocol);
	assert_int_equal(a->metric, b->metric);
	assert_int_equal(a->oif, b->oif);
	assert_int_equal(a->gateway, b->gateway);
	assert_int_equal(a->encap, b->encap);
	assert_int_equal(a->reduced, b->reduced);
	assert_int_equal(a->n_segs, b->n_segs);
	assert_memory_equal(a->segs, b->segs, sizeof(a->segs));
	assert_int_equal(a->action, b->action);
	assert_int_equal(a->nh4, b->nh4);
	assert_int_equal(a->vrftable, b->vrftable);
	assert_int_equal(a->packets + a->bytes + a->errors, b->packets + b->bytes + b->errors);
}

/* Writes and reads; the message has 512 bytes, which the sanitizers watch. */
static void round_trip(const struct sr_kroute *route)
{
	struct nlmsghdr *message = malloc(512);
	struct sr_kroute read;

	memset(&read, 0xaa, sizeof(read));
	memset(message, 0, 512);
	mnl_nlmsg_put_header(message);
	sr_kroute_put(message, RTM_NEWROUTE, NLM_F_CREATE, route);
	assert_in_range(message->nlmsg_len, sizeof(*message) + sizeof(struct rtmsg), 512);
	assert_int_equal(message->nlmsg_flags, NLM_F_CREATE);
	assert_int_equal(sr_kroute_get(message, &read), 0);
	same_route(&read, route);
	free(message);
}

static void test_routes_round_trip(void **state)
{
	static const char *const destinations[] = {"0.0.0.0/0", "10.0.0.0/8",	 "10.1.2.3",	    "255.255.255.255",
						   "::/0",	"2001:db8::/32", "2001:db8::1/128", "fe80::/10"};
	static const uint32_t tables[] = {1, 100, 253, 254, 255, 256, 1000, 0x7fffffff, 0xfffffff0};
	static const uint8_t types[] = {RTN_UNICAST, RTN_BLACKHOLE, RTN_UNREACHABLE, RTN_LOCAL};

	(void)state;
	for (size_t d = 0; d < ARRAY_SIZE(destinations); d++)
		for (size_t t = 0; t < ARRAY_SIZE(tables); t++)
			for (size_t k = 0; k < ARRAY_SIZE(types); k++) {
				struct sr_kroute route = {};

				sr_case("%s table %u type %u", destinations[d], tables[t], types[k]);
				route.dst = prefix(destinations[d]);
				route.table = tables[t];
				route.type = types[k];
				route.protocol = RTPROT_BOOT;
				route.metric = k % 2 ? 4278198272U : 0;
				route.oif = types[k] == RTN_UNICAST ? 7 : 0;
				round_trip(&route);
			}
}

static void test_segments_round_trip(void **state)
{
	(void)state;
	for (size_t n = 1; n <= SR_SEGS_MAX; n++)
		for (int reduced = 0; reduced < 2; reduced++)
			for (int v6 = 0; v6 < 2; v6++) {
				struct sr_kroute route = {};

				sr_case("%zu segments, reduced %d, v6 %d", n, reduced, v6);
				route.dst = prefix(v6 ? "2001:db8::/64" : "10.0.0.1");
				route.table = 1000;
				route.type = RTN_UNICAST;
				route.protocol = RTPROT_BOOT;
				route.oif = 5;
				route.encap = SR_KENCAP_SEG6;
				route.reduced = reduced;
				route.n_segs = n;
				for (size_t i = 0; i < n; i++) {
					route.segs[i] = sid("2400:dcc0::a7a:4d8e:a9fe:100");
					route.segs[i].a.s6_addr[15] = (uint8_t)(i + 1);
				}
				round_trip(&route);
			}
}

static void test_sids_round_trip(void **state)
{
	static const struct {
		uint32_t action, nh4, vrftable;
	} rows[] = {
		{SEG6_LOCAL_ACTION_END, 0, 0},
		{SEG6_LOCAL_ACTION_END_DT4, 0, 1000},
		{SEG6_LOCAL_ACTION_END_DT6, 0, 12},
		{SEG6_LOCAL_ACTION_END_DT46, 0, 0xfffffff0},
		{SEG6_LOCAL_ACTION_END_DX4, 0x0801fea9, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sr_kroute route = {};

		sr_case("action %u", rows[i].action);
		route.dst = (struct sr_prefix){sid("2400:dcc0::a7a:4d8e:a9fe:108").a, 128};
		route.table = RT_TABLE_LOCAL;
		route.type = RTN_LOCAL;
		route.protocol = RTPROT_BOOT;
		route.metric = 1024;
		route.oif = 3;
		route.encap = SR_KENCAP_SEG6_LOCAL;
		route.action = rows[i].action;
		route.nh4 = rows[i].nh4;
		route.vrftable = rows[i].vrftable;
		round_trip(&route);
	}
}

/* A removal names the route and says nothing of its encapsulation. */
static void test_removal_is_bare(void **state)
{
	struct sr_kroute route = {.dst = prefix("10.0.0.1"),
				  .table = 1000,
				  .type = RTN_UNICAST,
				  .protocol = RTPROT_BOOT,
				  .oif = 4,
				  .encap = SR_KENCAP_SEG6,
				  .n_segs = 1,
				  .segs = {sid("2400:dcc0::b:a9fe:101")}};
	struct sr_kroute read;
	char buf[512];
	struct nlmsghdr *message = mnl_nlmsg_put_header(buf);

	(void)state;
	sr_kroute_put(message, RTM_DELROUTE, 0, &route);
	assert_int_equal(sr_kroute_get(message, &read), 0);
	assert_int_equal(read.encap, SR_KENCAP_NONE);
	assert_int_equal(read.oif, 4);
}

/* ---- kroute: what others write */

/* A message with its attributes, in memory that ends with it. */
struct foreign {
	char buf[2048];
	struct nlmsghdr *message;
	struct rtmsg *rtm;
};

static void foreign_init(struct foreign *f, unsigned char family, unsigned char dst_len)
{
	memset(f, 0, sizeof(*f));
	f->message = mnl_nlmsg_put_header(f->buf);
	f->message->nlmsg_type = RTM_NEWROUTE;
	f->rtm = mnl_nlmsg_put_extra_header(f->message, sizeof(*f->rtm));
	*f->rtm = (struct rtmsg){.rtm_family = family,
				 .rtm_dst_len = dst_len,
				 .rtm_table = RT_TABLE_MAIN,
				 .rtm_protocol = RTPROT_BOOT,
				 .rtm_type = RTN_UNICAST};
}

static int foreign_get(const struct foreign *f, struct sr_kroute *ret)
{
	struct nlmsghdr *exact = malloc(f->message->nlmsg_len);
	int r;

	memcpy(exact, f->message, f->message->nlmsg_len);
	r = sr_kroute_get(exact, ret);
	free(exact);
	return r;
}

static void test_foreign_next_hops(void **state)
{
	static const uint16_t attrs[] = {RTA_GATEWAY, RTA_VIA, RTA_MULTIPATH, RTA_NH_ID};
	struct sr_kroute route;
	struct foreign f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(attrs); i++) {
		sr_case("attribute %u", attrs[i]);
		foreign_init(&f, AF_INET, 32);
		mnl_attr_put_u32(f.message, RTA_DST, htonl(0x0a000001));
		mnl_attr_put_u32(f.message, attrs[i], 17);
		assert_int_equal(foreign_get(&f, &route), 0);
		assert_true(route.gateway);
	}
}

static void test_not_routes(void **state)
{
	struct sr_kroute route = {.table = 77};
	struct foreign f;

	(void)state;
	foreign_init(&f, AF_INET, 33);
	assert_int_equal(foreign_get(&f, &route), -EBADMSG);
	foreign_init(&f, AF_INET6, 129);
	assert_int_equal(foreign_get(&f, &route), -EBADMSG);
	foreign_init(&f, 28, 20); /* MPLS */
	assert_int_equal(foreign_get(&f, &route), -EAFNOSUPPORT);
	foreign_init(&f, AF_INET, 32);
	f.message->nlmsg_len -= 4;
	assert_int_equal(foreign_get(&f, &route), -EBADMSG);
	f.message->nlmsg_len = sizeof(*f.message);
	assert_int_equal(foreign_get(&f, &route), -EBADMSG);
	assert_int_equal(route.table, 77); /* untouched */
}

/* Attributes that say less than they should: an error or another route, never ours by chance. */
static void test_truncated_attributes(void **state)
{
	struct sr_kroute route;
	struct foreign f;

	(void)state;
	foreign_init(&f, AF_INET6, 64);
	mnl_attr_put(f.message, RTA_DST, 8, "12345678");
	assert_int_equal(foreign_get(&f, &route), -EBADMSG);
	foreign_init(&f, AF_INET, 32);
	mnl_attr_put(f.message, RTA_DST, 3, "123");
	assert_int_equal(foreign_get(&f, &route), -EBADMSG);
	foreign_init(&f, AF_INET, 0);
	mnl_attr_put(f.message, RTA_OIF, 2, "12");
	mnl_attr_put(f.message, RTA_ENCAP_TYPE, 1, "1");
	assert_int_equal(foreign_get(&f, &route), 0);
	assert_int_equal(route.oif, 0);
	assert_int_equal(route.encap, SR_KENCAP_OTHER);
}

/* An IPv6 route to a v4-mapped prefix is none of IPv4, whatever its text looks like. */
static void test_mapped(void **state)
{
	const struct in6_addr mapped = prefix("10.0.0.1").addr;
	struct sr_kroute route;
	struct foreign f;

	(void)state;
	foreign_init(&f, AF_INET6, 128);
	mnl_attr_put(f.message, RTA_DST, sizeof(mapped), &mapped);
	assert_int_not_equal(foreign_get(&f, &route), 0);
}

/* Routes that match on more than the destination: by source, by type of service. */
static void test_more_specific_kinds(void **state)
{
	const struct in6_addr any = IN6ADDR_LOOPBACK_INIT;
	struct sr_kroute route;
	struct foreign f;

	(void)state;
	foreign_init(&f, AF_INET, 0);
	f.rtm->rtm_tos = 0x10;
	assert_int_equal(foreign_get(&f, &route), 0);
	assert_true(route.selective);
	foreign_init(&f, AF_INET6, 0);
	f.rtm->rtm_src_len = 128;
	mnl_attr_put(f.message, RTA_SRC, sizeof(any), &any);
	assert_int_equal(foreign_get(&f, &route), 0);
	assert_true(route.selective);
}

/* The encapsulation of a message as seg6 says it: mode, then an SRH that the caller breaks. */
static struct nlattr *put_srh(struct foreign *f, int mode, const uint8_t *srh, size_t len)
{
	uint8_t data[1024];
	struct nlattr *nest;

	foreign_init(f, AF_INET, 0);
	memcpy(data, &mode, sizeof(mode));
	memcpy(data + sizeof(mode), srh, len);
	mnl_attr_put_u16(f->message, RTA_ENCAP_TYPE, LWTUNNEL_ENCAP_SEG6);
	nest = mnl_attr_nest_start(f->message, RTA_ENCAP);
	mnl_attr_put(f->message, SEG6_IPTUNNEL_SRH, sizeof(mode) + len, data);
	mnl_attr_nest_end(f->message, nest);
	return nest;
}

static bool taken_for_seg6(const struct foreign *f)
{
	struct sr_kroute route;

	return foreign_get(f, &route) == 0 && route.encap != SR_KENCAP_OTHER;
}

static void test_foreign_srh(void **state)
{
	enum { EXT_LEN = 1, TYPE, LEFT, LAST, FLAGS };
	uint8_t good[8 + 16 * 2] = {0, 4, 4, 1, 1, 0, 0, 0, 0x24}, bad[8 + 16 * 2], many[8 + 16 * 9] = {0};
	const uint8_t with_tlv[8 + 16 + 8] = {0, 3, 4, 0, 0, 0, 0, 0, 0x24, [24] = 4, [25] = 6};
	static const struct {
		size_t at;
		uint8_t value;
	} breaks[] = {{EXT_LEN, 3}, {EXT_LEN, 5}, {EXT_LEN, 255}, {TYPE, 0}, {LEFT, 3}, {LAST, 2}, {LAST, 255}};
	struct foreign f;

	(void)state;
	put_srh(&f, SEG6_IPTUN_MODE_ENCAP, good, sizeof(good));
	assert_true(taken_for_seg6(&f));
	for (size_t i = 0; i < ARRAY_SIZE(breaks); i++) {
		sr_case("byte %zu is %u", breaks[i].at, breaks[i].value);
		memcpy(bad, good, sizeof(bad));
		bad[breaks[i].at] = breaks[i].value;
		put_srh(&f, SEG6_IPTUN_MODE_ENCAP, bad, sizeof(bad));
		assert_false(taken_for_seg6(&f));
	}
	for (size_t len = 0; len < sizeof(good); len++) {
		put_srh(&f, SEG6_IPTUN_MODE_ENCAP_RED, good, len);
		assert_false(taken_for_seg6(&f));
	}
	for (int mode = -1; mode <= 8; mode++) {
		put_srh(&f, mode, good, sizeof(good));
		assert_int_equal(taken_for_seg6(&f),
				 mode == SEG6_IPTUN_MODE_ENCAP || mode == SEG6_IPTUN_MODE_ENCAP_RED);
	}
	many[EXT_LEN] = 2 * 9;
	many[TYPE] = 4;
	many[LEFT] = many[LAST] = 8; /* nine segments */
	put_srh(&f, SEG6_IPTUN_MODE_ENCAP, many, sizeof(many));
	assert_false(taken_for_seg6(&f));
	put_srh(&f, SEG6_IPTUN_MODE_ENCAP, with_tlv, sizeof(with_tlv)); /* as with an HMAC: we write none */
	assert_false(taken_for_seg6(&f));
	memcpy(bad, good, sizeof(bad));
	bad[FLAGS] = 8;
	put_srh(&f, SEG6_IPTUN_MODE_ENCAP, bad, sizeof(bad));
	assert_false(taken_for_seg6(&f));
}

static void test_foreign_encapsulations(void **state)
{
	struct sr_kroute route;
	struct nlattr *nest;
	struct foreign f;

	(void)state;
	foreign_init(&f, AF_INET, 0);
	mnl_attr_put_u16(f.message, RTA_ENCAP_TYPE, LWTUNNEL_ENCAP_MPLS);
	nest = mnl_attr_nest_start(f.message, RTA_ENCAP);
	mnl_attr_put_u32(f.message, 1, 16);
	mnl_attr_nest_end(f.message, nest);
	assert_int_equal(foreign_get(&f, &route), 0);
	assert_int_equal(route.encap, SR_KENCAP_OTHER);

	foreign_init(&f, AF_INET, 0); /* seg6 without an SRH, and with nothing at all */
	mnl_attr_put_u16(f.message, RTA_ENCAP_TYPE, LWTUNNEL_ENCAP_SEG6);
	assert_int_equal(foreign_get(&f, &route), 0);
	assert_int_equal(route.encap, SR_KENCAP_OTHER);
	mnl_attr_put(f.message, RTA_ENCAP, 0, NULL);
	assert_int_equal(foreign_get(&f, &route), 0);
	assert_int_equal(route.encap, SR_KENCAP_OTHER);

	foreign_init(&f, AF_INET6, 0); /* seg6local whose attributes are too short */
	mnl_attr_put_u16(f.message, RTA_ENCAP_TYPE, LWTUNNEL_ENCAP_SEG6_LOCAL);
	nest = mnl_attr_nest_start(f.message, RTA_ENCAP);
	mnl_attr_put(f.message, SEG6_LOCAL_ACTION, 1, "1");
	mnl_attr_put(f.message, SEG6_LOCAL_NH4, 2, "12");
	mnl_attr_put(f.message, SEG6_LOCAL_COUNTERS, 3, "123");
	mnl_attr_nest_end(f.message, nest);
	assert_int_equal(foreign_get(&f, &route), 0);
	assert_int_equal(route.encap, SR_KENCAP_SEG6_LOCAL);
	assert_int_equal(route.action, SEG6_LOCAL_ACTION_UNSPEC);
	assert_int_equal(route.nh4 + route.vrftable + route.packets, 0);
}

/* Any byte of a route may be anything: no crash, and what is read is within its bounds. */
static void test_mutations(void **state)
{
	struct sr_kroute route = {.dst = prefix("10.0.0.1"),
				  .table = 1000,
				  .type = RTN_UNICAST,
				  .protocol = RTPROT_BOOT,
				  .oif = 4,
				  .encap = SR_KENCAP_SEG6,
				  .n_segs = 3,
				  .segs = {sid("2400::1"), sid("2400::2"), sid("2400::3")}};
	struct sr_kroute read;
	struct foreign f;

	(void)state;
	for (size_t at = sizeof(struct nlmsghdr); at < 180; at++)
		for (int value = 0; value < 256; value++) {
			memset(&f, 0, sizeof(f));
			f.message = mnl_nlmsg_put_header(f.buf);
			sr_kroute_put(f.message, RTM_NEWROUTE, 0, &route);
			if (at >= f.message->nlmsg_len)
				return;
			f.buf[at] = (char)value;
			if (foreign_get(&f, &read) == 0) {
				assert_in_range(read.n_segs, read.encap == SR_KENCAP_SEG6, SR_SEGS_MAX);
				assert_in_range(read.dst.len, 0, 128);
			}
		}
	fail_msg("the message is longer than was looked at");
}

/* ---- table */

enum { VRFS = 5, HOPS = 17, DESTINATIONS = 300 };

static struct sr_prefix destination(uint32_t number)
{
	const struct in6_addr v6 = {.s6_addr32 = {htonl(0x20010db8), htonl(number)}};

	if (number % 3 == 0)
		return sr_prefix_v6(&v6, 64);
	return sr_prefix_v4(htonl(0x0a000000 | number), 32);
}

static void table_is(const struct sr_table *table, uint32_t hop, size_t n)
{
	size_t found = 0;
	uint32_t before = SR_TABLE_NONE;

	for (uint32_t pos = sr_table_first(table, hop); pos != SR_TABLE_NONE; pos = table->routes[pos].next) {
		assert_true(pos < table->n);
		assert_int_equal(table->routes[pos].hop, hop);
		assert_int_equal(table->routes[pos].prev, before);
		before = pos;
		assert_true(++found <= table->n);
	}
	assert_int_equal(found, n);
}

static void test_table(void **state)
{
	const struct sr_prefix a = prefix("10.0.0.1"), b = prefix("10.0.0.0/24"), c = prefix("::/0");
	struct sr_table table;

	(void)state;
	assert_int_equal(sr_table_init(&table, 3), 0);
	assert_int_equal(sr_table_find(&table, 1, &a), SR_TABLE_NONE);
	assert_int_equal(sr_table_set(&table, 1, &a, 0), 0); /* removing what is not there */
	assert_int_equal(table.n, 0);
	assert_int_equal(sr_table_set(&table, 1, &a, 1), 0);
	assert_int_equal(sr_table_set(&table, 2, &a, 1), 0); /* the same in another VRF is another */
	assert_int_equal(sr_table_set(&table, 1, &b, 3), 0);
	assert_int_equal(sr_table_set(&table, 1, &c, 3), 0);
	table_is(&table, 1, 2);
	table_is(&table, 3, 2);
	table.routes[sr_table_find(&table, 1, &a)].hole = true;
	assert_int_equal(sr_table_set(&table, 1, &a, 1), 0); /* no change: what is known of it stays, */
	assert_true(table.routes[sr_table_find(&table, 1, &a)].hole);
	assert_int_equal(sr_table_set(&table, 1, &a, 2), 0); /* which another hop makes void */
	assert_false(table.routes[sr_table_find(&table, 1, &a)].hole);
	table_is(&table, 1, 1);
	table_is(&table, 2, 1);
	assert_int_equal(sr_table_set(&table, 2, &a, 0), 0);
	table_is(&table, 1, 0);
	assert_int_equal(sr_table_find(&table, 2, &a), SR_TABLE_NONE);
	assert_int_not_equal(sr_table_find(&table, 1, &a), SR_TABLE_NONE);
	assert_int_equal(table.n, 3);
	sr_table_fini(&table);
	sr_table_fini(&table);
}

/* Against a plain array, with some bursts that empty it. */
static void test_table_at_random(void **state)
{
	static uint32_t model[VRFS][DESTINATIONS];
	size_t of_hop[HOPS + 1] = {0}, n = 0;
	struct sr_table table;
	uint32_t seed = 1;

	(void)state;
	assert_int_equal(sr_table_init(&table, HOPS), 0);
	for (int round = 0; round < 40000; round++) {
		uint32_t vrf, number, hop;
		struct sr_prefix dst;

		seed = seed * 1664525 + 1013904223;
		vrf = (seed >> 8) % VRFS;
		number = (seed >> 12) % DESTINATIONS;
		hop = (round / 5000) % 2 && seed >> 30 ? 0 : (seed >> 20) % (HOPS + 1);
		dst = destination(number);
		assert_int_equal(sr_table_set(&table, vrf, &dst, hop), 0);
		of_hop[model[vrf][number]]--;
		of_hop[hop]++;
		n = n - (model[vrf][number] != 0) + (hop != 0);
		model[vrf][number] = hop;
		assert_int_equal(table.n, n);
		if (round % 500)
			continue;
		for (uint32_t h = 1; h <= HOPS; h++)
			table_is(&table, h, of_hop[h]);
		for (vrf = 0; vrf < VRFS; vrf++)
			for (number = 0; number < DESTINATIONS; number++) {
				uint32_t pos;

				dst = destination(number);
				pos = sr_table_find(&table, vrf, &dst);
				assert_int_equal(pos == SR_TABLE_NONE ? 0 : table.routes[pos].hop, model[vrf][number]);
			}
	}
	sr_table_fini(&table);
}

/* ---- saved */

#define DIR "/tmp/srfabric-saved-XXXXXX"

static char dir[] = DIR;
static char file[sizeof(dir) + 8];

static int dir_make(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), DIR);
	if (!mkdtemp(dir))
		return -1;
	snprintf(file, sizeof(file), "%s/saved", dir);
	return 0;
}

static int dir_remove(void **state)
{
	(void)state;
	unlink(file);
	return rmdir(dir); /* fails where anything else is left in it */
}

static void saved_reopen(struct sr_saved *saved)
{
	sr_saved_fini(saved);
	assert_int_equal(sr_saved_open(saved, dir), 0);
}

static void file_append(const char *text)
{
	FILE *f = fopen(file, "a");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static const char *value_of(const struct sr_saved *saved, const char *kind, const char *what)
{
	const struct sr_saved_entry *entry = sr_saved_find(saved, kind, what);

	return entry ? entry->value : NULL;
}

static void test_saved_survives(void **state)
{
	struct sr_saved saved;

	(void)state;
	assert_int_equal(sr_saved_open(&saved, dir), 0);
	assert_int_equal(saved.n, 0);
	assert_int_equal(sr_saved_add(&saved, "sysctl", "net/ipv4/conf/tap1/rp_filter", "2"), 0);
	assert_int_equal(sr_saved_add(&saved, "clsact", "tap1", ""), 0);
	assert_int_equal(sr_saved_add(&saved, "local", "6", ""), 0);
	assert_int_equal(sr_saved_add(&saved, "sysctl", "net/ipv4/conf/tap1/rp_filter", "7"), 0); /* the first wins */
	for (int again = 0; again < 2; again++) {
		assert_int_equal(saved.n, 3);
		assert_string_equal(value_of(&saved, "sysctl", "net/ipv4/conf/tap1/rp_filter"), "2");
		assert_string_equal(value_of(&saved, "clsact", "tap1"), "");
		assert_null(value_of(&saved, "clsact", "6"));
		saved_reopen(&saved);
	}
	assert_int_equal(sr_saved_del(&saved, "clsact", "tap1"), 0);
	assert_int_equal(sr_saved_del(&saved, "clsact", "tap1"), 0);
	saved_reopen(&saved);
	assert_int_equal(saved.n, 2);
	assert_null(value_of(&saved, "clsact", "tap1"));
	assert_string_equal(saved.entries[1].kind, "local");
	sr_saved_fini(&saved);
	sr_saved_fini(&saved);
}

/* Cut off anywhere in its last line, the file gives all lines before; what is added then is not lost either. */
static void test_saved_cut_off(void **state)
{
	static const char whole[] = "sysctl net/ipv4/conf/a/rp_filter 10\n",
			  cut[] = "sysctl net/ipv4/conf/b/rp_filter 12";
	struct sr_saved saved;

	(void)state;
	for (size_t len = 0; len < sizeof(cut); len++) {
		char part[sizeof(cut)];

		snprintf(part, sizeof(part), "%.*s", (int)len, cut);
		sr_case("\"%s\"", part);
		unlink(file);
		file_append(whole);
		file_append(part);
		assert_int_equal(sr_saved_open(&saved, dir), 0);
		assert_int_equal(saved.n, 1);
		assert_int_equal(sr_saved_add(&saved, "uplink", "eth0", ""), 0);
		saved_reopen(&saved);
		assert_int_equal(saved.n, 2);
		assert_string_equal(value_of(&saved, "sysctl", "net/ipv4/conf/a/rp_filter"), "10");
		assert_non_null(value_of(&saved, "uplink", "eth0"));
		sr_saved_fini(&saved);
	}
}

static void test_saved_nonsense(void **state)
{
	struct sr_saved saved;
	char longest[400];

	(void)state;
	memset(longest, 'x', sizeof(longest));
	memcpy(longest + sizeof(longest) - 2, "\n", 2);
	file_append("\n");
	file_append("word\n");
	file_append(longest); /* longer than any of ours */
	file_append("uplink eth0 \n");
	assert_int_equal(sr_saved_open(&saved, dir), 0);
	assert_int_equal(saved.n, 1);
	assert_non_null(value_of(&saved, "uplink", "eth0"));
	sr_saved_fini(&saved);
}

static void test_saved_no_directory(void **state)
{
	struct sr_saved saved;

	(void)state;
	assert_int_equal(sr_saved_open(&saved, "/nonexistent"), 0); /* as an empty one, */
	assert_int_equal(sr_saved_add(&saved, "uplink", "eth0", ""), -ENOENT);
	assert_int_equal(saved.n, 0); /* and what could not be written is not believed to be */
	sr_saved_fini(&saved);
}

/* A sysctl that is as wanted is neither written nor remembered. */
static void test_sysctl_unchanged(void **state)
{
	struct sr_saved saved;
	char was[64];

	(void)state;
	assert_int_equal(sr_sysctl_read("kernel/ostype", was, sizeof(was)), 0);
	assert_string_equal(was, "Linux");
	assert_int_equal(sr_sysctl_read("kernel/nonexistent", was, sizeof(was)), -ENOENT);
	assert_int_equal(sr_saved_open(&saved, dir), 0);
	assert_int_equal(sr_sysctl_set(&saved, "Linux", "kernel/%s", "ostype"), 0);
	assert_int_equal(sr_sysctl_set(&saved, "1", "kernel/%s", "nonexistent"), -ENOENT);
	assert_int_equal(saved.n, 0);
	assert_int_not_equal(access(file, F_OK), 0);
	sr_saved_fini(&saved);
}

static void expect_sysctl(const char *path, const char *value)
{
	char is[64];

	assert_int_equal(sr_sysctl_read(path, is, sizeof(is)), 0);
	assert_string_equal(is, value);
}

/* In a network namespace of the test's own. */
static void test_sysctl_restored(void **state)
{
	static const char lo[] = "net/ipv4/conf/lo/rp_filter", all[] = "net/ipv4/conf/all/rp_filter";
	struct sr_saved saved;

	(void)state;
	if (geteuid() || unshare(CLONE_NEWNET)) {
		print_message("skipped: a network namespace takes root\n");
		skip();
	}
	assert_int_equal(sr_sysctl_write(lo, "2"), 0);
	assert_int_equal(sr_sysctl_write(all, "2"), 0);
	assert_int_equal(sr_saved_open(&saved, dir), 0);
	assert_int_equal(sr_sysctl_set(&saved, "1", "%s", lo), 0);
	assert_int_equal(sr_sysctl_set(&saved, "0", "%s", lo), 0);
	assert_int_equal(sr_sysctl_set(&saved, "0", "net/ipv4/conf/%s/rp_filter", "all"), 0);
	expect_sysctl(lo, "0");
	saved_reopen(&saved);
	assert_int_equal(sr_sysctl_restore(&saved, "l"), 0); /* no interface of that name */
	expect_sysctl(lo, "0");
	assert_int_equal(sr_sysctl_restore(&saved, "lo"), 0);
	expect_sysctl(lo, "2");
	expect_sysctl(all, "0");
	saved_reopen(&saved);
	assert_int_equal(saved.n, 1);
	assert_int_equal(sr_saved_add(&saved, "sysctl", "net/ipv4/conf/gone/rp_filter", "1"), 0);
	assert_int_equal(sr_saved_add(&saved, "clsact", "lo", ""), 0);
	assert_int_equal(sr_sysctl_restore(&saved, NULL), 0); /* an interface that is gone is no failure */
	expect_sysctl(all, "2");
	saved_reopen(&saved);
	assert_int_equal(saved.n, 1);
	assert_non_null(value_of(&saved, "clsact", "lo"));
	sr_saved_fini(&saved);
}

/* The latest first: turning forwarding off for all turns it off on each, which is put right after that. */
static void test_sysctl_order(void **state)
{
	struct sr_saved saved;

	(void)state;
	if (geteuid() || unshare(CLONE_NEWNET)) {
		print_message("skipped: a network namespace takes root\n");
		skip();
	}
	assert_int_equal(sr_sysctl_write("net/ipv4/conf/all/forwarding", "0"), 0);
	assert_int_equal(sr_sysctl_write("net/ipv4/conf/lo/forwarding", "1"), 0);
	assert_int_equal(sr_saved_open(&saved, dir), 0);
	assert_int_equal(sr_saved_add(&saved, "sysctl", "net/ipv4/conf/lo/forwarding", "1"), 0);
	assert_int_equal(sr_sysctl_set(&saved, "1", "net/ipv4/conf/all/forwarding"), 0);
	assert_int_equal(sr_sysctl_restore(&saved, "lo"), 0); /* not this, not yet */
	assert_int_equal(saved.n, 2);
	assert_int_equal(sr_sysctl_restore(&saved, NULL), 0);
	expect_sysctl("net/ipv4/conf/all/forwarding", "0");
	expect_sysctl("net/ipv4/conf/lo/forwarding", "1");
	sr_saved_fini(&saved);
}

/* What is about an interface that is gone goes; what is about the node, or another, stays. */
static void test_saved_forget(void **state)
{
	struct sr_saved saved;

	(void)state;
	assert_int_equal(sr_saved_open(&saved, dir), 0);
	assert_int_equal(sr_saved_add(&saved, "sysctl", "net/ipv4/conf/gone/rp_filter", "1"), 0);
	assert_int_equal(sr_saved_add(&saved, "sysctl", "net/ipv6/neigh/gone/proxy_delay", "1"), 0);
	assert_int_equal(sr_saved_add(&saved, "sysctl", "net/ipv4/conf/all/rp_filter", "1"), 0);
	assert_int_equal(sr_saved_add(&saved, "sysctl", "net/ipv6/conf/default/seg6_enabled", "1"), 0);
	assert_int_equal(sr_saved_add(&saved, "sysctl", "net/ipv6/seg6_flowlabel", "1"), 0);
	assert_int_equal(sr_saved_add(&saved, "sysctl", "net/ipv4/conf/gone/forwarding", "1"), 0);
	assert_int_equal(sr_saved_add(&saved, "clsact", "gone", ""), 0);
	assert_int_equal(sr_saved_add(&saved, "uplink", "gone", ""), 0);
	assert_int_equal(sr_saved_add(&saved, "clsact", "lo", ""), 0);
	assert_int_equal(sr_saved_add(&saved, "local", "6", ""), 0);
	assert_int_equal(sr_saved_forget(&saved, NULL), 0);
	for (int again = 0; again < 2; again++) {
		assert_int_equal(saved.n, 6);
		assert_null(value_of(&saved, "clsact", "gone"));
		assert_non_null(value_of(&saved, "clsact", "lo"));
		saved_reopen(&saved);
	}
	assert_int_equal(sr_saved_forget(&saved, "l"), 0);
	assert_int_equal(saved.n, 6);
	assert_int_equal(sr_saved_forget(&saved, "lo"), 0);
	assert_int_equal(saved.n, 5);
	sr_saved_fini(&saved);
}

#define WITH_DIR(name) cmocka_unit_test_setup_teardown(name, dir_make, dir_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_routes_round_trip),
		cmocka_unit_test(test_segments_round_trip),
		cmocka_unit_test(test_sids_round_trip),
		cmocka_unit_test(test_removal_is_bare),
		cmocka_unit_test(test_foreign_next_hops),
		cmocka_unit_test(test_not_routes),
		cmocka_unit_test(test_truncated_attributes),
		cmocka_unit_test(test_mapped),
		cmocka_unit_test(test_more_specific_kinds),
		cmocka_unit_test(test_foreign_srh),
		cmocka_unit_test(test_foreign_encapsulations),
		cmocka_unit_test(test_mutations),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_table_at_random),
		WITH_DIR(test_saved_survives),
		WITH_DIR(test_saved_cut_off),
		WITH_DIR(test_saved_nonsense),
		WITH_DIR(test_saved_no_directory),
		WITH_DIR(test_saved_forget),
		WITH_DIR(test_sysctl_unchanged),
		WITH_DIR(test_sysctl_restored),
		WITH_DIR(test_sysctl_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
