/* SPDX-License-Identifier: GPL-2.0-only */
/* srctl datapath: on a node, what is in the kernel. Needs no etcd and no agent. */
#include "datapath/datapath.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "cli/table.h"
#include "cli/world.h"

#define BPFFS "/sys/fs/bpf/srfabric" /* the agent's defaults */
#define STATE_DIR "/run/srfabric"

struct dump {
	struct cli_table uplinks, vrfs, ports, hops, routes;
};

static const char *ifname(uint32_t ifindex, char buf[static IF_NAMESIZE])
{
	if (!if_indextoname(ifindex, buf))
		snprintf(buf, IF_NAMESIZE, "%u", ifindex);
	return buf;
}

/* ---- dump */

static int dump_uplink(void *ctx, uint32_t ifindex)
{
	struct cli_table *table = &((struct dump *)ctx)->uplinks;
	char name[IF_NAMESIZE];

	ifname(ifindex, name);
	cli_table_add(table, name, table->json ? json_string(name) : NULL, name);
	return 0;
}

static int dump_vrf(void *ctx, uint32_t id, const struct sr_dp_vrf *vrf)
{
	struct cli_table *table = &((struct dump *)ctx)->vrfs;
	char number[12], fn[INET_ADDRSTRLEN], mtu[12] = "";
	json_t *json = NULL;

	snprintf(number, sizeof(number), "%u", id);
	sr_function_format(vrf->function, fn);
	if (vrf->mtu)
		snprintf(mtu, sizeof(mtu), "%u", vrf->mtu);
	if (table->json)
		json = json_pack("{s:i, s:s, s:s, s:i}", "id", id, "vrf", vrf->name, "vrf_ip", fn, "mtu", vrf->mtu);
	cli_table_add(table, vrf->name, json, vrf->name, number, fn, mtu);
	return 0;
}

static int dump_port(void *ctx, const struct sr_dp_port *port)
{
	struct cli_table *table = &((struct dump *)ctx)->ports;
	struct sr_mac mac;
	struct sr_uuid id;
	char tap[IF_NAMESIZE], uuid[SR_UUID_STRLEN], text[SR_MAC_STRLEN], vrf[12], hop[12];
	json_t *json = NULL;

	memcpy(mac.b, port->mac, sizeof(mac.b));
	memcpy(id.b, port->id, sizeof(id.b));
	ifname(port->ifindex, tap);
	sr_mac_format(&mac, text);
	sr_uuid_format(&id, uuid);
	snprintf(vrf, sizeof(vrf), "%u", port->vrf);
	snprintf(hop, sizeof(hop), "%u", port->nexthop);
	if (table->json)
		json = json_pack("{s:s, s:s, s:i, s:i, s:s, s:b}", "tap", tap, "port", uuid, "vrf_id", port->vrf,
				 "nexthop", port->nexthop, "mac_address", text, "up", port->up);
	cli_table_add(table, tap, json, tap, uuid, vrf, hop, text, port->up ? "yes" : "no");
	return 0;
}

static json_t *hop_json(uint32_t id, const struct sr_dp_nexthop *nh, const char *kind, const char *tap)
{
	char text[SR_LOCATOR_STRLEN];
	json_t *json = json_pack("{s:i, s:s}", "id", id, "kind", kind);

	if (nh->kind == SR_NH_NODE)
		json_object_set_new(json, "locator", json_string(sr_locator_format(&nh->locator, text)));
	else if (nh->kind == SR_NH_SIDS)
		json_object_set_new(json, "segments", cli_segments_json(nh->segs, nh->n_segs));
	else if (nh->kind == SR_NH_PORT)
		json_object_set_new(json, "tap", json_string(tap));
	return json;
}

static int dump_hop(void *ctx, uint32_t id, const struct sr_dp_nexthop *nh)
{
	static const char *const kinds[] = {"unknown", "node", "sids", "port"};
	struct cli_table *table = &((struct dump *)ctx)->hops;
	char number[12], key[12], tap[IF_NAMESIZE] = "", where[SR_SEGS_MAX * (SR_SID_STRLEN + 1)] = "";
	const char *kind = (size_t)nh->kind < sizeof(kinds) / sizeof(kinds[0]) ? kinds[nh->kind] : "?";

	snprintf(number, sizeof(number), "%u", id);
	snprintf(key, sizeof(key), "%010u", id);
	if (nh->kind == SR_NH_NODE) {
		sr_locator_format(&nh->locator, where);
	} else if (nh->kind == SR_NH_SIDS) {
		cli_segments_format(nh->segs, nh->n_segs, where);
	} else if (nh->kind == SR_NH_PORT) {
		ifname(nh->ifindex, tap);
		memcpy(where, tap, sizeof(tap));
	}
	cli_table_add(table, key, table->json ? hop_json(id, nh, kind, tap) : NULL, number, kind, where);
	return 0;
}

static int dump_routes(void *ctx, const struct sr_dp_route *routes, size_t n)
{
	struct cli_table *table = &((struct dump *)ctx)->routes;
	char vrf[12], hop[12], dst[SR_PREFIX_STRLEN], key[12 + CLI_PREFIX_KEY_SIZE];

	for (size_t i = 0; i < n; i++) {
		json_t *json = NULL;

		snprintf(vrf, sizeof(vrf), "%u", routes[i].vrf);
		snprintf(hop, sizeof(hop), "%u", routes[i].nexthop);
		sr_prefix_format(&routes[i].dst, dst);
		cli_prefix_key(&routes[i].dst, key + snprintf(key, sizeof(key), "%010u", routes[i].vrf));
		if (table->json)
			json = json_pack("{s:i, s:s, s:i}", "vrf_id", routes[i].vrf, "destination", dst, "nexthop",
					 routes[i].nexthop);
		cli_table_add(table, key, json, vrf, dst, hop);
	}
	return 0;
}

/* The one that is asked for, or the one that is there: ebpf, unless nothing is pinned and a Linux datapath has been. */
static struct sr_dp *open_it(const struct cli_args *args)
{
	const char *bpffs = cli_args_value(args, "bpffs"), *state_dir = cli_args_value(args, "state-dir");
	char err[256] = "", second[256] = "";
	struct sr_dp *dp;
	int r = -ENOENT;

	if (bpffs || !state_dir)
		r = sr_dp_ebpf_open_readonly(bpffs ? bpffs : BPFFS, &dp, err, sizeof(err));
	if (r == -ENOENT && !bpffs)
		r = sr_dp_linux_open_readonly(state_dir ? state_dir : STATE_DIR, &dp, second, sizeof(second));
	if (r == 0)
		return dp;
	cli_fail("cannot look at the datapath: %s%s%s.", err, err[0] && second[0] ? "; " : "", second);
	return NULL;
}

static void dump_init(struct dump *dump, bool json)
{
	static const char *const uplinks[] = {"UPLINK", NULL};
	static const char *const vrfs[] = {"VRF", "ID", "VRF IP", "MTU", NULL};
	static const char *const ports[] = {"TAP", "PORT", "VRF ID", "NEXT HOP", "MAC", "UP", NULL};
	static const char *const hops[] = {"NEXT HOP", "KIND", "WHERE", NULL};
	static const char *const routes[] = {"VRF ID", "DESTINATION", "NEXT HOP", NULL};

	cli_table_init(&dump->uplinks, uplinks, json);
	cli_table_init(&dump->vrfs, vrfs, json);
	cli_table_init(&dump->ports, ports, json);
	cli_table_init(&dump->hops, hops, json);
	cli_table_init(&dump->routes, routes, json);
}

static enum cli_exit dump(struct cli *cli, const struct cli_args *args)
{
	static const struct sr_dp_dump callbacks = {dump_uplink, dump_vrf, dump_port, dump_hop, dump_routes};
	struct sr_dp *dp = open_it(args);
	struct dump d;
	struct cli_section sections[] = {
		{"uplinks", &d.uplinks}, {"vrfs", &d.vrfs},	{"ports", &d.ports},
		{"nexthops", &d.hops},	 {"routes", &d.routes},
	};
	int r;

	if (!dp)
		return CLI_FAILED;
	dump_init(&d, cli->json);
	r = dp->ops->dump(dp, &callbacks, &d);
	dp->ops->close(dp);
	if (r == 0)
		cli_sections_print(sections, 5, cli->json);
	for (size_t i = 0; i < 5; i++)
		cli_table_fini(sections[i].table);
	return r < 0 ? cli_fail("cannot read the datapath: %s.", strerror(-r)) : CLI_OK;
}

/* ---- counters */

struct counting {
	struct cli_table vrfs, sids, drops;
	struct cli_names names; /* of the VRFs, by number */
};

static void format_counter(const struct sr_bpf_counter *c, char packets[static 24], char bytes[static 24])
{
	snprintf(packets, 24, "%llu", (unsigned long long)c->packets);
	snprintf(bytes, 24, "%llu", (unsigned long long)c->bytes);
}

static json_t *counter_json(const struct sr_bpf_counter *c)
{
	return json_pack("{s:I, s:I}", "packets", (json_int_t)c->packets, "bytes", (json_int_t)c->bytes);
}

static int name_vrf(void *ctx, uint32_t id, const struct sr_dp_vrf *vrf)
{
	struct counting *counting = ctx;
	struct sr_object object = {.id.kind = SR_OBJECT_VRF};
	char number[12];

	snprintf(number, sizeof(number), "%u", id);
	snprintf(object.id.vrf, sizeof(object.id.vrf), "%.15s", vrf->name);
	cli_names_put(&counting->names, number, &object);
	return 0;
}

static const char *vrf_name(const struct counting *counting, uint32_t id, char number[static 12])
{
	const struct sr_object *found;

	snprintf(number, 12, "%u", id);
	found = cli_names_get(&counting->names, number);
	return found ? found->id.vrf : number;
}

static int count_vrf(void *ctx, uint32_t id, const struct sr_bpf_vrf_stats *stats)
{
	struct counting *counting = ctx;
	struct cli_table *table = &counting->vrfs;
	char number[12], packets[4][24], bytes[4][24];
	const char *name = vrf_name(counting, id, number);
	json_t *json = NULL;

	format_counter(&stats->encap, packets[0], bytes[0]);
	format_counter(&stats->decap, packets[1], bytes[1]);
	format_counter(&stats->local, packets[2], bytes[2]);
	format_counter(&stats->drop, packets[3], bytes[3]);
	if (table->json)
		json = json_pack("{s:s, s:o, s:o, s:o, s:o}", "vrf", name, "encap", counter_json(&stats->encap),
				 "decap", counter_json(&stats->decap), "local", counter_json(&stats->local), "drop",
				 counter_json(&stats->drop));
	cli_table_add(table, name, json, name, packets[0], bytes[0], packets[1], bytes[1], packets[2], bytes[2],
		      packets[3], bytes[3]);
	return 0;
}

static int count_sid(void *ctx, const struct sr_sid *sid, const struct sr_bpf_sid *what, const struct sr_bpf_counter *c)
{
	static const char *const behaviors[] = {"?", "End", "End.DT4", "End.DT6", "End.DT46", "End.DX4"};
	struct counting *counting = ctx;
	struct cli_table *table = &counting->sids;
	char number[12], text[SR_SID_STRLEN], packets[24], bytes[24];
	const char *behavior = behaviors[what->behavior < 6 ? what->behavior : 0];
	const char *name = what->vrf ? vrf_name(counting, what->vrf, number) : "";
	json_t *json = NULL;

	sr_sid_format(sid, text);
	format_counter(c, packets, bytes);
	if (table->json)
		json = json_pack("{s:s, s:s, s:s, s:I, s:I}", "sid", text, "behavior", behavior, "vrf", name, "packets",
				 (json_int_t)c->packets, "bytes", (json_int_t)c->bytes);
	cli_table_add(table, NULL, json, text, behavior, name, packets, bytes);
	return 0;
}

static int count_drop(void *ctx, enum sr_direction dir, enum sr_drop_reason reason, const struct sr_bpf_counter *c)
{
	struct cli_table *table = &((struct counting *)ctx)->drops;
	const char *from = dir == SR_DIR_FROM_TAP ? "tap" : "uplink", *text = sr_drop_reason_text(reason);
	char packets[24], bytes[24], key[16];
	json_t *json = NULL;

	if (!c->packets)
		return 0;
	format_counter(c, packets, bytes);
	snprintf(key, sizeof(key), "%d %03d", dir, reason);
	if (table->json)
		json = json_pack("{s:s, s:s, s:I, s:I}", "from", from, "reason", text, "packets",
				 (json_int_t)c->packets, "bytes", (json_int_t)c->bytes);
	cli_table_add(table, key, json, from, text, packets, bytes);
	return 0;
}

static enum cli_exit counters(struct cli *cli, const struct cli_args *args)
{
	static const char *const vrfs[] = {"VRF",   "ENCAP", "BYTES", "DECAP", "BYTES",
					   "LOCAL", "BYTES", "DROP",  "BYTES", NULL};
	static const char *const sids[] = {"SID", "BEHAVIOUR", "VRF", "PACKETS", "BYTES", NULL};
	static const char *const drops[] = {"FROM", "DROPPED BECAUSE", "PACKETS", "BYTES", NULL};
	static const struct sr_dp_dump names = {.vrf = name_vrf};
	static const struct sr_dp_counters callbacks = {count_vrf, count_sid, count_drop};
	struct sr_dp *dp = open_it(args);
	struct counting counting = {};
	struct cli_section sections[] = {
		{"vrfs", &counting.vrfs}, {"sids", &counting.sids}, {"drops", &counting.drops}};
	int r;

	if (!dp)
		return CLI_FAILED;
	cli_table_init(&counting.vrfs, vrfs, cli->json);
	cli_table_init(&counting.sids, sids, cli->json);
	cli_table_init(&counting.drops, drops, cli->json);
	r = dp->ops->dump(dp, &names, &counting);
	if (r == 0)
		r = dp->ops->counters(dp, &callbacks, &counting);
	dp->ops->close(dp);
	if (r == 0)
		cli_sections_print(sections, 3, cli->json);
	for (size_t i = 0; i < 3; i++)
		cli_table_fini(sections[i].table);
	cli_names_fini(&counting.names);
	return r < 0 ? cli_fail("cannot read the counters: %s.", strerror(-r)) : CLI_OK;
}

static const struct cli_option options[] = {
	{"bpffs", "DIR", "ebpf: where the agent pins (" BPFFS ")", false},
	{"state-dir", "DIR", "linux: the agent's record of this node (" STATE_DIR ")", false},
	{},
};

const struct cli_command cli_datapath[] = {
	{"datapath", "dump", "", 0, 0, "Shows what is in this node's kernel: VRFs, ports, next hops, routes", options,
	 "VRFs and next hops have numbers there, by which ports and routes name them. Needs root; changes nothing.",
	 dump},
	{"datapath", "counters", "", 0, 0, "Shows this node's counters: by VRF, by SID, and drops by reason", options,
	 "Reasons that never occurred are left out.", counters},
	{},
};
