/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * srctl trace: where a packet from a port would go, step by step, by what stands in the store and the agents' own model
 * of it; and where it would be dropped, in the order in which the programs look. Sends nothing and asks no node.
 */
#include <stdio.h>
#include <string.h>

#include "cli/find.h"
#include "cli/story.h"
#include "cli/table.h"
#include "cli/world.h"
#include "datapath/datapath.h"

struct trace {
	struct cli *cli;
	const struct sr_port *port; /* whose VM sends */
	struct in6_addr dst;
	struct cli_world world;
	const struct sr_vnet *vnet;
	struct cli_names owners; /* ports of the VRF that have the destination as an address */
	struct cli_names encaps; /* of the VRF */
	struct cli_names status; /* of nodes and ports */
	struct story story;

	/* what it came to, for JSON */
	struct sr_prefix route;
	bool routed;
	struct cli_path path;
	const struct sr_object *to; /* the port at the end */
};

static bool is_v4(const struct in6_addr *addr)
{
	return IN6_IS_ADDR_V4MAPPED(addr);
}

static struct sr_prefix host_prefix(const struct in6_addr *addr)
{
	return (struct sr_prefix){.addr = *addr, .len = 128};
}

static bool has_address(const struct sr_port *port, const struct in6_addr *addr)
{
	for (size_t i = 0; i < port->n_addrs; i++)
		if (IN6_ARE_ADDR_EQUAL(&port->addrs[i], addr))
			return true;
	return false;
}

/* "web-1 (7c1ee6a4-...)" */
static const char *port_text(const struct sr_port *port, char *buf, size_t size)
{
	char id[SR_UUID_STRLEN];

	sr_uuid_format(&port->id, id);
	if (port->name[0])
		snprintf(buf, size, "%s (%s)", port->name, id);
	else
		snprintf(buf, size, "%s", id);
	return buf;
}

/* ---- reading */

static void take_object(void *ctx, const struct sr_object *object)
{
	struct trace *t = ctx;

	if (object->id.kind == SR_OBJECT_PORT && has_address(&object->port, &t->dst))
		cli_names_add(&t->owners, object);
	else if (object->id.kind == SR_OBJECT_ENCAP)
		cli_names_add(&t->encaps, object);
}

static bool read_port_status(struct trace *t, const struct sr_uuid *id)
{
	struct sr_object_id key = {.kind = SR_OBJECT_PORT_STATUS, .id = *id};

	return cli_get(t->cli, &key, cli_names_add, &t->status);
}

/* ---- the steps */

/* Is there a node, does it take the port's packets? */
static bool step_enter(struct trace *t)
{
	const struct sr_port *port = t->port;
	char tap[SR_TAP_NAME_SIZE], text[SR_LABEL_SIZE + SR_UUID_STRLEN + 4];

	port_text(port, text, sizeof(text));
	if (!port->node[0])
		return story_drop(&t->story, "port %s is bound to no host (srctl port set %s --host HOST)", text,
				  port->name[0] ? port->name : text);
	if (!sr_fabric_node(t->world.fabric, port->node))
		return story_drop(&t->story, "host %s is not registered as a node: is sr-agent running there",
				  port->node);
	story_step(&t->story, port->node, "comes in by %s of port %s", sr_tap_name(&port->id, tap), text);
	if (!port->admin_state_up)
		return story_drop(&t->story, "%s", sr_drop_reason_text(SR_DROP_PORT_DOWN));
	if (!t->vnet || !t->vnet->known)
		return story_drop(&t->story, "%s: %s", sr_drop_reason_text(SR_DROP_NO_VRF), port->vrf);
	story_step(&t->story, port->node, "belongs to VRF %s, network %s of project %s", port->vrf,
		   t->vnet->info.network_name[0] ? t->vnet->info.network_name : "(without a name)",
		   t->vnet->info.project_id);
	return true;
}

static bool in_sid_space(const struct sr_object *object, const void *addr)
{
	struct sr_prefix locator = sr_locator_prefix(&object->node.locator), host = host_prefix(addr);

	return sr_prefix_contains(&locator, &host);
}

static bool is_loopback_or_zero(const struct in6_addr *addr)
{
	uint8_t first = addr->s6_addr[12];

	return is_v4(addr) ? first == 0 || first == 127 : IN6_IS_ADDR_LOOPBACK(addr) || IN6_IS_ADDR_UNSPECIFIED(addr);
}

/* What no destination may be, in the programs' order. */
static bool step_destination(struct trace *t)
{
	const struct in6_addr *dst = &t->dst;
	enum sr_drop_reason reason = SR_DROP_UNSPEC;

	if (is_v4(dst) ? dst->s6_addr[12] >= 224 : IN6_IS_ADDR_MULTICAST(dst))
		reason = SR_DROP_MULTICAST;
	else if (is_loopback_or_zero(dst))
		reason = SR_DROP_MARTIAN;
	else if (IN6_IS_ADDR_LINKLOCAL(dst))
		reason = SR_DROP_LINK_LOCAL;
	else if (!is_v4(dst) && cli_names_search(&t->world.nodes, in_sid_space, dst))
		reason = SR_DROP_SID_SPACE;
	else if (has_address(t->port, dst))
		reason = SR_DROP_SELF;
	return reason == SR_DROP_UNSPEC || story_drop(&t->story, "%s", sr_drop_reason_text(reason));
}

static const struct sr_subnet *subnet_of(const struct sr_vrf *vrf, const struct in6_addr *addr)
{
	struct sr_prefix host = host_prefix(addr);

	for (size_t i = 0; i < vrf->n_subnets; i++)
		if (sr_prefix_contains(&vrf->subnets[i].cidr, &host))
			return &vrf->subnets[i];
	return NULL;
}

/* False: the gateway's own address, which each hypervisor answers for. */
static bool step_gateway_address(struct trace *t)
{
	const struct sr_vrf *vrf = &t->vnet->info;

	for (size_t i = 0; i < vrf->n_subnets; i++) {
		if (!IN6_ARE_ADDR_EQUAL(&vrf->subnets[i].gateway, &t->dst) || IN6_IS_ADDR_UNSPECIFIED(&t->dst))
			continue;
		story_step(&t->story, t->port->node,
			   "is for the subnet's gateway: a ping is answered here, the rest "
			   "follows the routes");
		t->story.verdict = STORY_ANSWERED;
		return false;
	}
	return true;
}

static bool is_bound_to(const struct sr_object *object, const void *node)
{
	return strcmp(object->port.node, node) == 0;
}

/* Nothing leads there: why might that be? */
static bool no_route(struct trace *t)
{
	const struct sr_object *unbound = cli_names_search(&t->owners, is_bound_to, "");
	char text[SR_LABEL_SIZE + SR_UUID_STRLEN + 4];

	if (unbound)
		story_note(&t->story, "port %s has that address, but is bound to no host.",
			   port_text(&unbound->port, text, sizeof(text)));
	else if (subnet_of(&t->vnet->info, &t->dst))
		story_note(&t->story, "it is in a subnet of the network, but no port has that address.");
	else if (!t->vnet->info.has_gateway)
		story_note(&t->story, "it is outside of the network's subnets, and the network has no gateway.");
	return story_drop(&t->story, "%s", sr_drop_reason_text(SR_DROP_NO_ROUTE));
}

static bool has_rule(const struct sr_object *object, const void *arg)
{
	const struct trace *t = arg;

	for (size_t i = 0; i < object->encap.n_rules; i++)
		if (sr_prefix_equal(&object->encap.rules[i].destination, &t->route) &&
		    object->encap.rules[i].n_segs == t->path.n_segs &&
		    memcmp(object->encap.rules[i].segs, t->path.segs, t->path.n_segs * sizeof(t->path.segs[0])) == 0)
			return true;
	return false;
}

static void say_route(struct trace *t)
{
	char route[SR_PREFIX_STRLEN], text[SR_LABEL_SIZE + SR_UUID_STRLEN + 4], id[SR_UUID_STRLEN] = "?";
	const char *node = t->path.hop->kind == SR_HOP_PORT ? t->port->node : t->path.node;
	const struct sr_object *encap;

	sr_prefix_format(&t->route, route);
	switch (t->path.hop->kind) {
	case SR_HOP_PORT:
	case SR_HOP_NODE:
		t->to = cli_names_search(&t->owners, is_bound_to, node);
		story_step(&t->story, t->port->node, "matches %s: the address of port %s, %s %s", route,
			   t->to ? port_text(&t->to->port, text, sizeof(text)) : "?",
			   t->path.hop->kind == SR_HOP_PORT ? "on this very node," : "bound to", node);
		break;
	case SR_HOP_SIDS:
		encap = cli_names_search(&t->encaps, has_rule, t);
		if (encap)
			sr_uuid_format(&encap->id.id, id);
		story_step(&t->story, t->port->node, "matches %s: a rule of encap network %s", route, id);
		break;
	case SR_HOP_LOCATOR:
		story_step(&t->story, t->port->node, "matches no more than %s: the way to the network's gateway",
			   route);
		break;
	}
}

static bool step_route(struct trace *t)
{
	struct sr_rib_change found;

	if (!sr_rib_lookup(&t->vnet->rib, &t->dst, &found))
		return no_route(t);
	t->route = found.dst;
	t->routed = true;
	cli_world_path(&t->world, t->vnet, found.want, &t->path);
	say_route(t);
	return true;
}

/* A node's agent that is not there forwards as it last knew. */
static void note_node(struct trace *t, const char *name)
{
	const struct sr_object *status = cli_names_get(&t->status, name);

	if (!status)
		story_note(&t->story,
			   "%s is not alive in etcd (its lease is gone): if it runs, it forwards by what it knew.",
			   name);
	else if (status->node_status.draining)
		story_note(&t->story, "%s is draining: it does not announce its locator.", name);
}

static void note_port(struct trace *t, const struct sr_port *port)
{
	const struct sr_object *status = cli_names_get_id(&t->status, &port->id);
	char text[SR_LABEL_SIZE + SR_UUID_STRLEN + 4];

	port_text(port, text, sizeof(text));
	if (!status)
		story_note(&t->story, "no agent has reported port %s as programmed.", text);
	else if (!status->port_status.active)
		story_note(&t->story, "%s reports port %s as down: %s.", status->port_status.node, text,
			   status->port_status.reason[0] ? status->port_status.reason : "no reason given");
	else if (strcmp(status->port_status.node, port->node) != 0)
		story_note(&t->story, "port %s is still reported by %s: it is being moved.", text,
			   status->port_status.node);
}

static bool step_deliver(struct trace *t, const char *node)
{
	char tap[SR_TAP_NAME_SIZE], mac[SR_MAC_STRLEN];
	const struct sr_port *to = &t->to->port;

	if (!read_port_status(t, &to->id))
		return false;
	story_step(&t->story, node, "leaves by %s to %s", sr_tap_name(&to->id, tap), sr_mac_format(&to->mac, mac));
	note_port(t, to);
	if (!to->admin_state_up)
		return story_drop(&t->story, "%s", sr_drop_reason_text(SR_DROP_PORT_DOWN));
	t->story.verdict = STORY_DELIVERED;
	return true;
}

/* Where the SIDs lead, one by one, as far as nodes are known. */
static void say_segments(struct trace *t)
{
	char sid[SR_SID_STRLEN], fn[INET_ADDRSTRLEN];

	for (size_t i = 0; i < t->path.n_segs; i++) {
		struct sr_function function = sr_sid_function(&t->path.segs[i]);
		const struct sr_node *node = cli_world_node_of(&t->world, &t->path.segs[i]);
		bool last = i + 1 == t->path.n_segs;

		sr_sid_format(&t->path.segs[i], sid);
		sr_function_format(function, fn);
		story_step(&t->story, node ? node->name : NULL, "%s %s, function %s%s%s",
			   last ? "is decapsulated at SID" : "passes SID", sid, fn,
			   function.v == t->vnet->info.vrf_ip.v ? " of this VRF" : "",
			   node ? "" : " (no node of this cluster has its locator)");
		if (node)
			note_node(t, node->name);
	}
}

static bool step_forward(struct trace *t)
{
	char sids[SR_SEGS_MAX * (SR_SID_STRLEN + 1)];
	bool to_port = t->path.hop->kind == SR_HOP_NODE;

	if (t->path.hop->kind == SR_HOP_PORT)
		return step_deliver(t, t->port->node);
	if (!t->path.n_segs)
		return story_drop(&t->story, "%s: %s is not registered as a node",
				  sr_drop_reason_text(SR_DROP_NO_NEXTHOP), t->path.node);
	story_step(&t->story, t->port->node, "is encapsulated to %s",
		   cli_segments_format(t->path.segs, t->path.n_segs, sids));
	say_segments(t);
	if (to_port && t->to)
		return step_deliver(t, t->path.node);
	t->story.verdict = STORY_SENT;
	return true;
}

/* The address that the VM would send from; NULL: none of that family. */
static const struct in6_addr *source_of(const struct trace *t)
{
	for (size_t i = 0; i < t->port->n_addrs; i++)
		if (is_v4(&t->port->addrs[i]) == is_v4(&t->dst))
			return &t->port->addrs[i];
	return NULL;
}

static void tell(struct trace *t)
{
	if (!step_enter(t) || !step_destination(t) || !step_gateway_address(t) || !step_route(t))
		return;
	note_node(t, t->port->node);
	note_port(t, t->port);
	if (!source_of(t))
		story_note(&t->story, "the port has no address of that family to send from.");
	step_forward(t);
}

/* ---- the answer */

static json_t *port_or_null(const struct sr_port *port)
{
	char id[SR_UUID_STRLEN], tap[SR_TAP_NAME_SIZE];

	if (!port)
		return json_null();
	return json_pack("{s:s, s:s, s:s}", "id", sr_uuid_format(&port->id, id), "node", port->node, "tap",
			 sr_tap_name(&port->id, tap));
}

static json_t *route_or_null(const struct trace *t)
{
	char route[SR_PREFIX_STRLEN];

	if (!t->routed)
		return json_null();
	return json_pack("{s:s, s:s}", "destination", sr_prefix_format(&t->route, route), "source", t->path.why);
}

static void print_json(const struct trace *t)
{
	char dst[INET6_ADDRSTRLEN];
	json_t *json =
		json_pack("{s:o, s:s, s:s, s:o, s:o, s:o, s:s, s:s, s:O, s:O}", "from", port_or_null(t->port), "vrf",
			  t->port->vrf, "destination", sr_addr_format(&t->dst, dst), "route", route_or_null(t),
			  "segments", cli_segments_json(t->path.segs, t->path.n_segs), "to",
			  port_or_null(t->to ? &t->to->port : NULL), "verdict", story_verdict_text(t->story.verdict),
			  "reason", t->story.reason, "steps", t->story.steps, "notes", t->story.notes);

	cli_print_object(json, true);
	json_decref(json);
}

static void print_text(const struct trace *t)
{
	char dst[INET6_ADDRSTRLEN], src[INET6_ADDRSTRLEN] = "?", title[128];
	const struct in6_addr *source = source_of(t);

	if (source)
		sr_addr_format(source, src);
	snprintf(title, sizeof(title), "A packet from %s to %s", src, sr_addr_format(&t->dst, dst));
	cli_print_text(title);
	story_print(&t->story);
}

/* An address, or a port's first one. */
static bool take_destination(struct trace *t, const char *word)
{
	struct sr_object *port;

	if (sr_addr_parse(word, &t->dst) == 0)
		return true;
	port = cli_find_port(t->cli, t->port->vrf, word);
	if (port && !port->port.n_addrs)
		cli_fail("port %s has no address.", word);
	if (port && port->port.n_addrs)
		t->dst = port->port.addrs[0];
	cli_object_free(port);
	return port && !IN6_IS_ADDR_UNSPECIFIED(&t->dst);
}

static bool load(struct trace *t)
{
	if (!cli_world_load(t->cli, t->port->node, t->port->vrf, take_object, t, &t->world))
		return false;
	t->vnet = sr_fabric_vnet(t->world.fabric, t->port->vrf);
	return cli_each_node_status(t->cli, cli_names_add, &t->status) && read_port_status(t, &t->port->id);
}

static enum cli_exit trace(struct cli *cli, const struct cli_args *args)
{
	struct sr_object *port = cli_find_port(cli, cli_args_value(args, "network"), args->words[0]);
	struct trace t = {.cli = cli, .port = port ? &port->port : NULL};
	bool ok;

	if (!port)
		return CLI_FAILED;
	story_init(&t.story);
	ok = take_destination(&t, args->words[1]) && load(&t);
	if (ok) {
		tell(&t);
		if (cli->json)
			print_json(&t);
		else
			print_text(&t);
	}
	story_fini(&t.story);
	cli_names_fini(&t.owners);
	cli_names_fini(&t.encaps);
	cli_names_fini(&t.status);
	cli_world_fini(&t.world);
	cli_object_free(port);
	return ok ? CLI_OK : CLI_FAILED;
}

static const struct cli_option options[] = {
	{"network", "NETWORK", "the network that the port is in", false},
	{},
};

const struct cli_command cli_trace[] = {
	{"trace", "", "PORT DESTINATION", 2, 2, "Tells where a packet from a port would go, or why it is dropped",
	 options,
	 "DESTINATION is an address, or another port of the network. From the store: which VRF, which route and why, "
	 "which SIDs,\n"
	 "over which nodes, out of which tap; a drop is named as srctl datapath counters does. \"But:\" lines say what "
	 "makes it\n"
	 "doubtful: an agent that is not alive, a port not reported up. Exit 0 also for a drop: the answer was found.",
	 trace},
	{},
};
