/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * agent/engine.h against a datapath in memory: a store's words in, what the datapath is left with out.
 *
 * Two invariants after every scenario: the datapath saw no breach of its order of use, and what the steps left equals
 * what a fresh engine on an empty datapath makes of the same objects.
 */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/engine.h"
#include "fake_datapath.h"

#define VRF_A "vrfaaaaaaaaaaaa"
#define VRF_B "vrfbbbbbbbbbbbb"

struct world {
	struct sr_dp *dp;
	struct sr_engine *engine;
	char subscribed[16][SR_VRF_NAME_SIZE];
	size_t n_subscribed;
	struct {
		struct sr_uuid id;
		bool active;
		char reason[64];
	} status[16];
	size_t n_status;
	unsigned int warnings;
};

/* ---- the engine's callbacks */

static void on_subscribe(void *ctx, const char *vrf)
{
	struct world *w = ctx;

	assert_true(w->n_subscribed < 16);
	snprintf(w->subscribed[w->n_subscribed++], SR_VRF_NAME_SIZE, "%s", vrf);
}

static void on_unsubscribe(void *ctx, const char *vrf)
{
	struct world *w = ctx;

	for (size_t i = 0; i < w->n_subscribed; i++)
		if (strcmp(w->subscribed[i], vrf) == 0) {
			memmove(w->subscribed[i], w->subscribed[--w->n_subscribed], SR_VRF_NAME_SIZE);
			return;
		}
	fail_msg("unsubscribed from %s, which was not subscribed", vrf);
}

static size_t status_index(const struct world *w, const struct sr_uuid *id)
{
	size_t i = 0;

	while (i < w->n_status && memcmp(&w->status[i].id, id, sizeof(*id)) != 0)
		i++;
	return i;
}

static void on_port_status(void *ctx, const struct sr_uuid *id, bool active, const char *reason)
{
	struct world *w = ctx;
	size_t i = status_index(w, id);

	assert_true(i < 16);
	if (i == w->n_status)
		w->n_status++;
	w->status[i].id = *id;
	w->status[i].active = active;
	snprintf(w->status[i].reason, sizeof(w->status[i].reason), "%s", reason);
}

static void on_port_gone(void *ctx, const struct sr_uuid *id)
{
	struct world *w = ctx;
	size_t i = status_index(w, id);

	assert_true(i < w->n_status);
	w->status[i] = w->status[--w->n_status];
}

static void on_wake(void *ctx)
{
	(void)ctx;
}

static void on_log(void *ctx, enum sr_log_level level, const char *text)
{
	struct world *w = ctx;

	if (level > SR_LOG_WARNING)
		return;
	w->warnings++;
	print_message("  log: %s\n", text);
}

static const struct sr_engine_ops ops = {
	.subscribe = on_subscribe,
	.unsubscribe = on_unsubscribe,
	.port_status = on_port_status,
	.port_gone = on_port_gone,
	.wake = on_wake,
	.log = on_log,
};

/* ---- telling it things */

static void engine_start(struct world *w)
{
	const struct sr_engine_config config = {
		.self = "hv1",
		.max_vrfs = 8,
		.max_nexthops = 16,
		.seed = 7,
		.uplinks = {"eth0", "eth1"},
		.n_uplinks = 2,
	};

	assert_int_equal(sr_engine_new(&config, w->dp, &ops, w, &w->engine), 0);
}

static void engine_restart(struct world *w)
{
	sr_engine_free(w->engine);
	w->n_subscribed = 0;
	w->n_status = 0;
	engine_start(w);
}

static struct sr_scope scope(enum sr_scope_kind kind, const char *name)
{
	struct sr_scope s = {.kind = kind};

	snprintf(s.name, sizeof(s.name), "%s", name);
	return s;
}

static void put(struct world *w, const struct sr_scope *s, const struct sr_object *o)
{
	sr_engine_reader.put(w->engine, s, o);
}

static void begin(struct world *w, enum sr_scope_kind kind, const char *name)
{
	struct sr_scope s = scope(kind, name);

	sr_engine_reader.begin(w->engine, &s);
}

static void end(struct world *w, enum sr_scope_kind kind, const char *name)
{
	struct sr_scope s = scope(kind, name);

	sr_engine_reader.end(w->engine, &s, 1);
}

static void node(struct world *w, const char *name, const char *locator)
{
	struct sr_scope s = scope(SR_SCOPE_NODES, "");
	struct sr_object o = {.id.kind = SR_OBJECT_NODE};

	snprintf(o.id.node, sizeof(o.id.node), "%s", name);
	snprintf(o.node.name, sizeof(o.node.name), "%s", name);
	assert_int_equal(sr_locator_parse(locator, &o.node.locator), 0);
	put(w, &s, &o);
}

static struct sr_uuid uuid(unsigned int n)
{
	return (struct sr_uuid){.b = {[0] = (uint8_t)n, [15] = (uint8_t)n}};
}

static void bind_port(struct world *w, unsigned int n, const char *vrf)
{
	struct sr_scope s = scope(SR_SCOPE_BINDINGS, "hv1");
	struct sr_object o = {.id = {.kind = SR_OBJECT_BINDING, .node = "hv1", .id = uuid(n)}};

	snprintf(o.binding.vrf, sizeof(o.binding.vrf), "%s", vrf);
	put(w, &s, &o);
}

static void unbind_port(struct world *w, unsigned int n)
{
	struct sr_scope s = scope(SR_SCOPE_BINDINGS, "hv1");
	struct sr_object_id id = {.kind = SR_OBJECT_BINDING, .node = "hv1", .id = uuid(n)};

	sr_engine_reader.del(w->engine, &s, &id);
}

static void vrf_info(struct world *w, const char *vrf, const char *vrf_ip, const char *gateway)
{
	struct sr_scope s = scope(SR_SCOPE_VRF, vrf);
	struct sr_object o = {.id.kind = SR_OBJECT_VRF};
	struct sr_subnet *subnet = &o.vrf.subnets[0];

	snprintf(o.id.vrf, sizeof(o.id.vrf), "%s", vrf);
	snprintf(o.vrf.name, sizeof(o.vrf.name), "%s", vrf);
	assert_int_equal(sr_function_parse(vrf_ip, &o.vrf.vrf_ip), 0);
	o.vrf.n_subnets = 1;
	assert_int_equal(sr_prefix_parse("10.0.0.0/24", &subnet->cidr), 0);
	assert_int_equal(sr_addr_parse("10.0.0.1", &subnet->gateway), 0);
	o.vrf.has_gateway = gateway != NULL;
	if (gateway)
		assert_int_equal(sr_locator_parse(gateway, &o.vrf.segment_gw_id), 0);
	put(w, &s, &o);
}

static bool admin_up = true; /* of the ports put from now on */

static void port(struct world *w, const char *vrf, unsigned int n, const char *on, const char *addr, const char *addr2)
{
	struct sr_scope s = scope(SR_SCOPE_VRF, vrf);
	struct sr_object o = {.id = {.kind = SR_OBJECT_PORT, .id = uuid(n)}};

	snprintf(o.id.vrf, sizeof(o.id.vrf), "%s", vrf);
	o.port.id = uuid(n);
	o.port.mac = (struct sr_mac){.b = {0xfa, 0x16, 0x3e, 0, 0, (uint8_t)n}};
	o.port.admin_state_up = admin_up;
	snprintf(o.port.vrf, sizeof(o.port.vrf), "%s", vrf);
	snprintf(o.port.node, sizeof(o.port.node), "%s", on);
	assert_int_equal(sr_addr_parse(addr, &o.port.addrs[o.port.n_addrs++]), 0);
	if (addr2)
		assert_int_equal(sr_addr_parse(addr2, &o.port.addrs[o.port.n_addrs++]), 0);
	put(w, &s, &o);
}

static void port_del(struct world *w, const char *vrf, unsigned int n)
{
	struct sr_scope s = scope(SR_SCOPE_VRF, vrf);
	struct sr_object_id id = {.kind = SR_OBJECT_PORT, .id = uuid(n)};

	snprintf(id.vrf, sizeof(id.vrf), "%s", vrf);
	sr_engine_reader.del(w->engine, &s, &id);
}

static void encap(struct world *w, const char *vrf, unsigned int n, const char *dst, const char *sid)
{
	struct sr_encap_rule rule = {.n_segs = 1};
	struct sr_scope s = scope(SR_SCOPE_VRF, vrf);
	struct sr_object o = {.id = {.kind = SR_OBJECT_ENCAP, .id = uuid(n)}, .encap = {.id = uuid(n), .n_rules = 1}};

	snprintf(o.id.vrf, sizeof(o.id.vrf), "%s", vrf);
	assert_int_equal(sr_prefix_parse(dst, &rule.destination), 0);
	assert_int_equal(sr_sid_parse(sid, &rule.segs[0]), 0);
	o.encap.rules = &rule;
	put(w, &s, &o);
}

static const char *tap(unsigned int n, char buf[static SR_TAP_NAME_SIZE])
{
	struct sr_uuid id = uuid(n);

	return sr_tap_name(&id, buf);
}

static void plug(struct world *w, unsigned int n, uint32_t ifindex)
{
	char name[SR_TAP_NAME_SIZE];

	assert_int_equal(sr_engine_link_set(w->engine, ifindex, tap(n, name), 1500, true), 0);
}

static void links(struct world *w)
{
	sr_engine_links_begin(w->engine);
	sr_engine_link_set(w->engine, 2, "eth0", 1600, true);
	sr_engine_link_set(w->engine, 3, "eth1", 1550, true);
	plug(w, 1, 11);
	sr_engine_links_end(w->engine);
}

/* hv1 with port 1 (10.0.0.11) in VRF A; ports 2 and 3 of it on hv2; port 4 on hv3. */
static void tell_all(struct world *w)
{
	links(w);
	begin(w, SR_SCOPE_NODES, "");
	node(w, "hv1", "2400:dcc0::a7a:4d8d");
	node(w, "hv2", "2400:dcc0::a7a:4d8e");
	node(w, "hv3", "2400:dcc0::a7a:4d8f");
	end(w, SR_SCOPE_NODES, "");
	begin(w, SR_SCOPE_BINDINGS, "hv1");
	bind_port(w, 1, VRF_A);
	end(w, SR_SCOPE_BINDINGS, "hv1");
	begin(w, SR_SCOPE_VRF, VRF_A);
	vrf_info(w, VRF_A, "169.254.1.8", NULL);
	port(w, VRF_A, 1, "hv1", "10.0.0.11", NULL);
	port(w, VRF_A, 2, "hv2", "10.0.0.12", NULL);
	port(w, VRF_A, 3, "hv2", "10.0.0.13", "2001:db8::13");
	port(w, VRF_A, 4, "hv3", "10.0.0.14", NULL);
	end(w, SR_SCOPE_VRF, VRF_A);
}

static void pass(struct world *w)
{
	assert_int_equal(sr_engine_reconcile(w->engine), 0);
	assert_true(sr_engine_settled(w->engine));
	if (fake_dp_violation(w->dp))
		fail_msg("%s", fake_dp_violation(w->dp));
}

static uint32_t vrf_id(struct world *w, const char *name)
{
	struct sr_vnet *vnet = sr_fabric_vnet(sr_engine_fabric(w->engine), name);

	return vnet ? vnet->id : 0;
}

/* The next hop of a route, or NULL. */
static const struct sr_dp_nexthop *route(struct world *w, const char *vrf, const char *dst)
{
	struct sr_prefix p;

	assert_int_equal(sr_prefix_parse(dst, &p), 0);
	return fake_dp_nexthop(w->dp, fake_dp_route(w->dp, vrf_id(w, vrf), &p));
}

static void assert_to_locator(struct world *w, const char *dst, const char *locator)
{
	const struct sr_dp_nexthop *nh = route(w, VRF_A, dst);
	char buf[SR_LOCATOR_STRLEN];

	assert_non_null(nh);
	assert_int_equal(nh->kind, SR_NH_NODE);
	assert_string_equal(sr_locator_format(&nh->locator, buf), locator);
}

static bool active(const struct world *w, unsigned int n)
{
	struct sr_uuid id = uuid(n);
	size_t i = status_index(w, &id);

	return i < w->n_status && w->status[i].active;
}

static struct world *world_new(void)
{
	struct world *w = calloc(1, sizeof(*w));

	if (!w)
		abort();
	w->dp = fake_dp_new(8, 16, 1000);
	engine_start(w);
	return w;
}

static void world_free(struct world *w)
{
	sr_engine_free(w->engine);
	fake_dp_free(w->dp);
	free(w);
}

static int setup(void **state)
{
	*state = world_new();
	return 0;
}

static int teardown(void **state)
{
	world_free(*state);
	return 0;
}

/* ---- scenarios */

static void everything_is_programmed(void **state)
{
	struct world *w = *state;
	const struct sr_dp_port *p;
	const struct sr_dp_nexthop *nh;

	tell_all(w);
	pass(w);
	assert_int_equal(fake_dp_mtu(w->dp), 1550);
	assert_true(fake_dp_uplink(w->dp, 2) && fake_dp_uplink(w->dp, 3));
	assert_int_equal(fake_dp_n_vrfs(w->dp), 1);
	assert_string_equal(fake_dp_vrf(w->dp, vrf_id(w, VRF_A))->name, VRF_A);
	assert_int_equal(fake_dp_n_routes(w->dp), 5);
	assert_to_locator(w, "10.0.0.12", "2400:dcc0::a7a:4d8e");
	assert_to_locator(w, "2001:db8::13", "2400:dcc0::a7a:4d8e");
	assert_to_locator(w, "10.0.0.14", "2400:dcc0::a7a:4d8f");
	assert_int_equal(fake_dp_n_nexthops(w->dp), 3); /* hv2 and hv3 once each, the tap */
	nh = route(w, VRF_A, "10.0.0.11");
	assert_int_equal(nh->kind, SR_NH_PORT);
	assert_int_equal(nh->ifindex, 11);
	p = fake_dp_port(w->dp, 11);
	assert_non_null(p);
	assert_int_equal(p->gateway4, inet_addr("10.0.0.1"));
	assert_true(p->up);
	assert_true(active(w, 1));
	assert_int_equal(w->n_subscribed, 1);
}

static void nothing_is_done_before_the_store_was_read(void **state)
{
	struct world *w = *state;

	links(w);
	assert_int_equal(sr_engine_reconcile(w->engine), 0);
	assert_int_equal(fake_dp_n_vrfs(w->dp) + fake_dp_n_ports(w->dp) + fake_dp_n_routes(w->dp), 0);
	assert_false(sr_engine_settled(w->engine));
}

static void a_restart_writes_nothing_that_is_right(void **state)
{
	struct world *w = *state;

	tell_all(w);
	pass(w);
	engine_restart(w);
	fake_dp_calls_reset(w->dp);
	tell_all(w);
	pass(w);
	assert_int_equal(fake_dp_routes_written(w->dp), 0);
	assert_int_equal(fake_dp_calls(w->dp, FAKE_VRF_SET), 0);
	assert_int_equal(fake_dp_calls(w->dp, FAKE_NEXTHOP_SET), 0);
	assert_int_equal(fake_dp_calls(w->dp, FAKE_NEXTHOP_DEL), 0);
	assert_int_equal(fake_dp_calls(w->dp, FAKE_PORT_SET), 1); /* once, for this version's program */
	assert_true(active(w, 1));
}

/* A datapath that cannot keep cookies (linux/) gives others back: routes move to our next hops, none is ever gone. */
static void a_restart_with_next_hops_that_nobody_knows(void **state)
{
	struct world *w = *state;
	size_t hops;

	tell_all(w);
	pass(w);
	hops = fake_dp_n_nexthops(w->dp);
	for (uint32_t id = 1; id <= hops; id++) {
		struct sr_dp_nexthop nh = *fake_dp_nexthop(w->dp, id);

		nh.cookie = ~(uint64_t)id;
		assert_int_equal(w->dp->ops->nexthop_set(w->dp, id, &nh), 0);
	}
	engine_restart(w);
	fake_dp_calls_reset(w->dp);
	tell_all(w);
	pass(w);
	assert_int_equal(fake_dp_n_routes(w->dp), 5);
	assert_int_equal(fake_dp_routes_written(w->dp), 5); /* each moved once, none removed and added */
	assert_int_equal(fake_dp_n_nexthops(w->dp), hops);
	assert_true(active(w, 1));
}

static void a_restart_removes_only_what_is_stale(void **state)
{
	struct world *w = *state;

	tell_all(w);
	pass(w);
	engine_restart(w);
	fake_dp_calls_reset(w->dp);
	links(w);
	begin(w, SR_SCOPE_NODES, "");
	node(w, "hv1", "2400:dcc0::a7a:4d8d");
	node(w, "hv2", "2400:dcc0::a7a:4d8e");
	end(w, SR_SCOPE_NODES, "");
	begin(w, SR_SCOPE_BINDINGS, "hv1");
	bind_port(w, 1, VRF_A);
	end(w, SR_SCOPE_BINDINGS, "hv1");
	assert_int_equal(sr_engine_reconcile(w->engine), 0);
	assert_false(sr_engine_settled(w->engine));
	assert_int_equal(fake_dp_n_routes(w->dp), 5); /* its VRF was not read yet: all stay */
	begin(w, SR_SCOPE_VRF, VRF_A);
	vrf_info(w, VRF_A, "169.254.1.8", NULL);
	port(w, VRF_A, 1, "hv1", "10.0.0.11", NULL);
	port(w, VRF_A, 2, "hv2", "10.0.0.12", NULL);
	assert_int_equal(sr_engine_reconcile(w->engine), 0);
	assert_int_equal(fake_dp_n_routes(w->dp), 5);
	end(w, SR_SCOPE_VRF, VRF_A);
	pass(w);
	assert_int_equal(fake_dp_n_routes(w->dp), 2);
	assert_int_equal(fake_dp_routes_written(w->dp), 3);
	assert_int_equal(fake_dp_n_nexthops(w->dp), 2);
}

static void rebuilt_maps_take_over_when_they_are_whole(void **state)
{
	struct world *w = *state;

	fake_dp_free(w->dp);
	w->dp = fake_dp_new(8, 16, 1000);
	assert_int_equal(w->dp->ops->uplink_set(w->dp, 2), 0); /* runs on the old maps */
	engine_restart(w);
	fake_dp_calls_reset(w->dp);
	links(w);
	assert_int_equal(sr_engine_reconcile(w->engine), 0);
	begin(w, SR_SCOPE_NODES, "");
	end(w, SR_SCOPE_NODES, "");
	begin(w, SR_SCOPE_BINDINGS, "hv1");
	bind_port(w, 1, VRF_A);
	end(w, SR_SCOPE_BINDINGS, "hv1");
	assert_int_equal(sr_engine_reconcile(w->engine), 0);
	assert_int_equal(fake_dp_calls(w->dp, FAKE_UPLINK_SET), 0);
	tell_all(w);
	pass(w);
	assert_int_equal(fake_dp_calls(w->dp, FAKE_UPLINK_SET), 2);
}

static void etcd_away_at_a_restart_leaves_everything(void **state)
{
	struct world *w = *state;

	tell_all(w);
	pass(w);
	engine_restart(w);
	fake_dp_calls_reset(w->dp);
	links(w);
	assert_int_equal(sr_engine_reconcile(w->engine), 0);
	begin(w, SR_SCOPE_NODES, ""); /* a read that broke off */
	begin(w, SR_SCOPE_BINDINGS, "hv1");
	assert_int_equal(sr_engine_reconcile(w->engine), 0);
	assert_int_equal(fake_dp_n_routes(w->dp), 5);
	assert_int_equal(fake_dp_n_ports(w->dp), 1);
	assert_int_equal(fake_dp_n_vrfs(w->dp), 1);
	assert_int_equal(
		fake_dp_writes(w->dp) - fake_dp_calls(w->dp, FAKE_UPLINK_SET) - fake_dp_calls(w->dp, FAKE_MTU_SET), 0);
}

static void a_node_that_moves_is_one_write(void **state)
{
	struct world *w = *state;

	tell_all(w);
	pass(w);
	fake_dp_calls_reset(w->dp);
	node(w, "hv2", "2400:dcc0::bad:1");
	pass(w);
	assert_int_equal(fake_dp_writes(w->dp), 1);
	assert_to_locator(w, "10.0.0.12", "2400:dcc0::bad:1");
	assert_to_locator(w, "10.0.0.13", "2400:dcc0::bad:1");
}

static void a_node_that_is_not_known_yet_drops_until_it_is(void **state)
{
	struct world *w = *state;

	tell_all(w);
	port(w, VRF_A, 5, "hv9", "10.0.0.15", NULL);
	pass(w);
	assert_int_equal(route(w, VRF_A, "10.0.0.15")->kind, SR_NH_NONE);
	assert_int_equal(w->warnings, 1);
	node(w, "hv9", "2400:dcc0::9:9");
	pass(w);
	assert_to_locator(w, "10.0.0.15", "2400:dcc0::9:9");
}

static void a_port_that_moves_to_another_node(void **state)
{
	struct world *w = *state;

	tell_all(w);
	pass(w);
	port(w, VRF_A, 2, "hv3", "10.0.0.12", NULL);
	pass(w);
	assert_to_locator(w, "10.0.0.12", "2400:dcc0::a7a:4d8f");

	/* And one that moves here, with its tap there first, then away again. */
	bind_port(w, 2, VRF_A);
	plug(w, 2, 12);
	port(w, VRF_A, 2, "hv1", "10.0.0.12", NULL);
	pass(w);
	assert_int_equal(route(w, VRF_A, "10.0.0.12")->ifindex, 12);
	assert_true(active(w, 2));
	port(w, VRF_A, 2, "hv3", "10.0.0.12", NULL);
	unbind_port(w, 2);
	pass(w);
	assert_to_locator(w, "10.0.0.12", "2400:dcc0::a7a:4d8f");
	assert_null(fake_dp_port(w->dp, 12));
	assert_int_equal(w->n_status, 1);
}

static void taps_come_and_go(void **state)
{
	struct world *w = *state;

	tell_all(w);
	sr_engine_link_del(w->engine, 11);
	pass(w);
	assert_int_equal(route(w, VRF_A, "10.0.0.11")->kind, SR_NH_NONE);
	assert_false(active(w, 1));
	assert_string_equal(w->status[0].reason, "no tap on this node");
	plug(w, 1, 21);
	pass(w);
	assert_int_equal(route(w, VRF_A, "10.0.0.11")->ifindex, 21);
	assert_non_null(fake_dp_port(w->dp, 21));
	assert_true(active(w, 1));

	/* Deleted and made anew between two passes: another ifindex under the same name. */
	sr_engine_link_del(w->engine, 21);
	fake_dp_ifindex_gone(w->dp, 21);
	plug(w, 1, 22);
	pass(w);
	assert_int_equal(route(w, VRF_A, "10.0.0.11")->ifindex, 22);
	assert_null(fake_dp_port(w->dp, 21));
	assert_true(active(w, 1));
}

static void a_port_that_is_to_be_down_neither_sends_nor_receives(void **state)
{
	struct world *w = *state;

	tell_all(w);
	pass(w);
	admin_up = false;
	port(w, VRF_A, 1, "hv1", "10.0.0.11", NULL);
	admin_up = true;
	pass(w);
	assert_false(fake_dp_port(w->dp, 11)->up);
	assert_int_equal(route(w, VRF_A, "10.0.0.11")->kind, SR_NH_NONE);
	assert_false(active(w, 1));
	assert_string_equal(w->status[0].reason, "admin_state_up is false");
	port(w, VRF_A, 1, "hv1", "10.0.0.11", NULL);
	pass(w);
	assert_int_equal(route(w, VRF_A, "10.0.0.11")->ifindex, 11);
	assert_true(active(w, 1));
}

static void the_last_binding_takes_the_vrf_with_it(void **state)
{
	struct world *w = *state;

	tell_all(w);
	bind_port(w, 7, VRF_B);
	begin(w, SR_SCOPE_VRF, VRF_B);
	vrf_info(w, VRF_B, "169.254.1.9", NULL);
	port(w, VRF_B, 7, "hv1", "10.0.0.11", NULL); /* the same address in another VRF */
	end(w, SR_SCOPE_VRF, VRF_B);
	plug(w, 7, 17);
	pass(w);
	assert_int_equal(fake_dp_n_vrfs(w->dp), 2);
	assert_int_equal(route(w, VRF_A, "10.0.0.11")->ifindex, 11);
	assert_int_equal(route(w, VRF_B, "10.0.0.11")->ifindex, 17);
	unbind_port(w, 1);
	pass(w);
	assert_int_equal(w->n_subscribed, 1);
	assert_int_equal(fake_dp_n_vrfs(w->dp), 1);
	assert_int_equal(fake_dp_n_routes(w->dp), 1);
	assert_int_equal(fake_dp_n_ports(w->dp), 1);
	assert_int_equal(fake_dp_n_nexthops(w->dp), 1);
	assert_int_equal(route(w, VRF_B, "10.0.0.11")->ifindex, 17);
}

static void a_vrf_that_is_wanted_again_before_it_went(void **state)
{
	struct world *w = *state;

	tell_all(w);
	pass(w);
	unbind_port(w, 1);
	bind_port(w, 1, VRF_A);
	fake_dp_calls_reset(w->dp);
	assert_int_equal(sr_engine_reconcile(w->engine), 0); /* not read yet: all stays */
	assert_false(sr_engine_settled(w->engine));
	assert_int_equal(fake_dp_n_routes(w->dp), 5);
	tell_all(w);
	pass(w);
	assert_int_equal(fake_dp_routes_written(w->dp), 0);
	assert_int_equal(fake_dp_n_ports(w->dp), 1);
}

static void gateway_and_rules(void **state)
{
	struct world *w = *state;
	const struct sr_dp_nexthop *nh;

	tell_all(w);
	vrf_info(w, VRF_A, "169.254.1.8", "c1::/96");
	encap(w, VRF_A, 100, "10.0.0.200", "c1::a9fe:108");
	pass(w);
	assert_to_locator(w, "0.0.0.0/0", "c1::");
	assert_to_locator(w, "::/0", "c1::");
	nh = route(w, VRF_A, "10.0.0.200");
	assert_int_equal(nh->kind, SR_NH_SIDS);
	assert_int_equal(nh->n_segs, 1);
	encap(w, VRF_A, 100, "10.0.0.12",
	      "c1::a9fe:108"); /* the same object, another destination: one that a port has */
	pass(w);
	assert_null(route(w, VRF_A, "10.0.0.200"));
	assert_int_equal(route(w, VRF_A, "10.0.0.12")->kind, SR_NH_SIDS);
	vrf_info(w, VRF_A, "169.254.1.8", NULL);
	pass(w);
	assert_null(route(w, VRF_A, "0.0.0.0/0"));
	begin(w, SR_SCOPE_VRF, VRF_A);
	vrf_info(w, VRF_A, "169.254.1.8", NULL);
	port(w, VRF_A, 1, "hv1", "10.0.0.11", NULL);
	port(w, VRF_A, 2, "hv2", "10.0.0.12", NULL);
	end(w, SR_SCOPE_VRF, VRF_A);
	pass(w);
	assert_to_locator(w, "10.0.0.12", "2400:dcc0::a7a:4d8e"); /* the rule has gone: the port is back */
	assert_int_equal(fake_dp_n_routes(w->dp), 2);
}

static void a_bad_value_keeps_what_was(void **state)
{
	struct world *w = *state;
	struct sr_scope s = scope(SR_SCOPE_VRF, VRF_A);
	struct sr_object_id id = {.kind = SR_OBJECT_PORT, .vrf = VRF_A, .id = uuid(3)};
	struct sr_object_id info = {.kind = SR_OBJECT_VRF, .vrf = VRF_A};

	tell_all(w);
	pass(w);
	fake_dp_calls_reset(w->dp);
	begin(w, SR_SCOPE_VRF, VRF_A);
	sr_engine_reader.keep(w->engine, &s, &info);
	port(w, VRF_A, 1, "hv1", "10.0.0.11", NULL);
	port(w, VRF_A, 2, "hv2", "10.0.0.12", NULL);
	sr_engine_reader.keep(w->engine, &s, &id);
	port(w, VRF_A, 4, "hv3", "10.0.0.14", NULL);
	end(w, SR_SCOPE_VRF, VRF_A);
	pass(w);
	assert_int_equal(fake_dp_writes(w->dp), 0);
	assert_int_equal(fake_dp_n_routes(w->dp), 5);
}

static void failed_writes_are_tried_again(void **state)
{
	static const enum fake_op what[] = {FAKE_VRF_SET, FAKE_NEXTHOP_SET, FAKE_PORT_SET,
					    FAKE_ROUTES,  FAKE_UPLINK_SET,  FAKE_MTU_SET};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_SIZE(what); i++) {
		for (size_t after = 0; after < 3; after++) {
			sr_case("operation %d fails after %zu", (int)what[i], after);
			fake_dp_free(w->dp);
			w->dp = fake_dp_new(8, 16, 1000);
			engine_restart(w);
			fake_dp_fail(w->dp, what[i], after, -EIO);
			tell_all(w);
			if (sr_engine_reconcile(w->engine) == 0)
				continue; /* fewer writes of that kind than `after` */
			fake_dp_fail(w->dp, what[i], 0, 0);
			assert_int_equal(sr_engine_reconcile(w->engine), 0);
			pass(w);
			assert_int_equal(fake_dp_n_routes(w->dp), 5);
			assert_int_equal(fake_dp_n_ports(w->dp), 1);
			assert_true(active(w, 1));
			assert_int_equal(fake_dp_mtu(w->dp), 1550);
		}
	}
}

static void failed_removals_are_tried_again(void **state)
{
	static const enum fake_op what[] = {FAKE_VRF_DEL, FAKE_NEXTHOP_DEL, FAKE_PORT_DEL, FAKE_ROUTES};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_SIZE(what); i++) {
		sr_case("operation %d fails", (int)what[i]);
		tell_all(w);
		pass(w);
		unbind_port(w, 1);
		fake_dp_fail(w->dp, what[i], 0, -EIO);
		assert_int_equal(sr_engine_reconcile(w->engine), -EIO);
		fake_dp_fail(w->dp, what[i], 0, 0);
		assert_int_equal(sr_engine_reconcile(w->engine), 0);
		pass(w);
		assert_int_equal(fake_dp_n_routes(w->dp) + fake_dp_n_ports(w->dp) + fake_dp_n_vrfs(w->dp) +
					 fake_dp_n_nexthops(w->dp),
				 0);
	}
}

static void one_refused_route_does_not_stop_the_others(void **state)
{
	struct world *w = *state;

	fake_dp_free(w->dp);
	w->dp = fake_dp_new(8, 16, 5);
	engine_restart(w);
	tell_all(w);
	pass(w);				     /* 5 routes: full */
	port(w, VRF_A, 5, "hv2", "10.0.0.15", NULL); /* does not fit */
	port(w, VRF_A, 2, "hv3", "10.0.0.12", NULL); /* moved */
	assert_int_equal(sr_engine_reconcile(w->engine), -ENOSPC);
	assert_to_locator(w, "10.0.0.12", "2400:dcc0::a7a:4d8f");
	assert_null(route(w, VRF_A, "10.0.0.15"));
	port_del(w, VRF_A, 4); /* makes room */
	sr_engine_reconcile(w->engine);
	pass(w);
	assert_to_locator(w, "10.0.0.15", "2400:dcc0::a7a:4d8e");
	assert_int_equal(fake_dp_n_routes(w->dp), 5);
}

static void a_node_that_moves_while_its_vrf_is_being_read(void **state)
{
	struct world *w = *state;

	tell_all(w);
	pass(w);
	unbind_port(w, 1);
	bind_port(w, 1, VRF_A); /* wanted anew, not read yet: routes stay */
	node(w, "hv2", "2400:dcc0::bad:1");
	assert_int_equal(sr_engine_reconcile(w->engine), 0);
	assert_to_locator(w, "10.0.0.12", "2400:dcc0::bad:1");
}

static void a_vrf_without_room_is_taken_in_when_there_is(void **state)
{
	struct world *w = *state;

	tell_all(w);
	pass(w);
	for (unsigned int n = 100; n < 108; n++) {
		char vrf[SR_VRF_NAME_SIZE];

		snprintf(vrf, sizeof(vrf), "vrf%u", n);
		bind_port(w, n, vrf);
	}
	assert_int_equal(w->n_subscribed, 8); /* of 9 */
	assert_false(sr_engine_settled(w->engine));
	unbind_port(w, 1);
	assert_int_equal(sr_engine_reconcile(w->engine), 0);
	assert_int_equal(w->n_subscribed, 8);
	assert_int_equal(fake_dp_n_vrfs(w->dp), 0);
}

static void an_interface_that_comes_back_with_its_number_gets_its_program(void **state)
{
	struct world *w = *state;

	tell_all(w);
	pass(w);
	fake_dp_calls_reset(w->dp);
	sr_engine_link_del(w->engine, 11);
	plug(w, 1, 11);
	sr_engine_link_del(w->engine, 2);
	sr_engine_link_set(w->engine, 2, "eth0", 1600, true);
	pass(w);
	assert_int_equal(fake_dp_calls(w->dp, FAKE_PORT_SET), 1);
	assert_int_equal(fake_dp_calls(w->dp, FAKE_UPLINK_SET), 1);
}

static void an_interface_that_comes_up_is_set_anew(void **state)
{
	struct world *w = *state;
	char name[SR_TAP_NAME_SIZE];

	tell_all(w);
	pass(w);
	fake_dp_calls_reset(w->dp);
	sr_engine_link_set(w->engine, 11, tap(1, name), 1500, false);
	sr_engine_link_set(w->engine, 2, "eth0", 1600, false);
	pass(w);
	assert_int_equal(fake_dp_writes(w->dp), 0);
	sr_engine_link_set(w->engine, 11, tap(1, name), 1500, true);
	sr_engine_link_set(w->engine, 2, "eth0", 1600, true);
	pass(w);
	assert_int_equal(fake_dp_calls(w->dp, FAKE_PORT_SET), 1);
	assert_int_equal(fake_dp_calls(w->dp, FAKE_UPLINK_SET), 1);
	assert_int_equal(fake_dp_writes(w->dp), 2);
}

static void an_interface_that_is_no_uplink_any_more_is_let_go(void **state)
{
	struct world *w = *state;

	assert_int_equal(w->dp->ops->uplink_set(w->dp, 9), 0); /* by an earlier configuration */
	engine_restart(w);
	links(w);
	assert_int_equal(sr_engine_reconcile(w->engine), 0);
	assert_true(fake_dp_uplink(w->dp, 9));
	tell_all(w);
	pass(w);
	assert_false(fake_dp_uplink(w->dp, 9));
	assert_true(fake_dp_uplink(w->dp, 2) && fake_dp_uplink(w->dp, 3));
}

/* ---- the invariant: whatever the way, the end is what a fresh start makes of it */

#define N_PORTS 12

struct random_port {
	bool there;
	char vrf, on;
	unsigned int addr;
};

static const char *vrf_of(char c)
{
	return c == 'a' ? VRF_A : VRF_B;
}

static void tell_port(struct world *w, const struct random_port *p, unsigned int n)
{
	char on[] = {'h', 'v', p->on, '\0'}, addr[32];

	snprintf(addr, sizeof(addr), "10.0.0.%u", p->addr);
	if (p->on == '1')
		bind_port(w, n, vrf_of(p->vrf));
	else
		unbind_port(w, n);
	port(w, vrf_of(p->vrf), n, on, addr, n % 3 ? NULL : "2001:db8::1");
}

static void tell_world(struct world *w, const struct random_port *ports)
{
	links(w);
	for (unsigned int n = 0; n < N_PORTS; n++)
		plug(w, n, 10 + n);
	begin(w, SR_SCOPE_NODES, "");
	for (int i = 1; i <= 3; i++) {
		char name[8], locator[8];

		snprintf(name, sizeof(name), "hv%d", i);
		snprintf(locator, sizeof(locator), "c%d::", i);
		node(w, name, locator);
	}
	end(w, SR_SCOPE_NODES, "");
	begin(w, SR_SCOPE_BINDINGS, "hv1");
	for (unsigned int n = 0; n < N_PORTS; n++)
		if (ports[n].there && ports[n].on == '1')
			bind_port(w, n, vrf_of(ports[n].vrf));
	end(w, SR_SCOPE_BINDINGS, "hv1");
	for (int i = 0; i < 2; i++) {
		char c = "ab"[i];

		begin(w, SR_SCOPE_VRF, vrf_of(c));
		vrf_info(w, vrf_of(c), c == 'a' ? "169.254.1.1" : "169.254.1.2", NULL);
		for (unsigned int n = 0; n < N_PORTS; n++)
			if (ports[n].there && ports[n].vrf == c)
				tell_port(w, &ports[n], n);
		end(w, SR_SCOPE_VRF, vrf_of(c));
	}
}

/* A store tells a subscriber all of a VRF when it subscribes: so does this test when the engine has just done so. */
static void change_one(struct world *w, struct random_port *ports)
{
	unsigned int n = (unsigned int)rand() % N_PORTS;
	struct random_port *p = &ports[n];
	size_t before = w->n_subscribed;

	if (p->there && rand() % 3 == 0) {
		p->there = false;
		port_del(w, vrf_of(p->vrf), n);
		unbind_port(w, n);
	} else {
		if (!p->there)
			*p = (struct random_port){.vrf = (char)('a' + rand() % 2),
						  .addr = 2 + (unsigned int)rand() % 6};
		p->there = true;
		p->on = (char)('1' + rand() % 3);
		if (rand() % 2)
			p->addr = 2 + (unsigned int)rand() % 6; /* may be that of another port */
		tell_port(w, p, n);
	}
	if (w->n_subscribed > before)
		tell_world(w, ports);
}

static int compare_route(void *ctx, const struct sr_dp_route *routes, size_t n)
{
	struct world **worlds = ctx;

	for (size_t i = 0; i < n; i++) {
		const char *vrf = fake_dp_vrf(worlds[0]->dp, routes[i].vrf)->name;
		const struct sr_dp_nexthop *a = fake_dp_nexthop(worlds[0]->dp, routes[i].nexthop), *b;

		b = fake_dp_nexthop(worlds[1]->dp,
				    fake_dp_route(worlds[1]->dp, vrf_id(worlds[1], vrf), &routes[i].dst));
		assert_non_null(b);
		assert_int_equal(a->cookie, b->cookie);
		assert_int_equal(a->kind, b->kind);
		assert_int_equal(a->ifindex, b->ifindex);
	}
	return 0;
}

static void incremental_equals_a_fresh_start(void **state)
{
	static const struct sr_dp_dump dump = {.routes = compare_route};
	struct world *w = *state;
	struct random_port ports[N_PORTS] = {0};

	srand(3);
	tell_world(w, ports);
	for (int round = 0; round < 3000; round++) {
		struct world *fresh, *both[2];

		for (int k = rand() % 4; k >= 0; k--)
			change_one(w, ports);
		if (rand() % 50 == 0) {
			engine_restart(w);
			tell_world(w, ports);
		}
		if (rand() % 4 == 0) {
			fake_dp_fail(w->dp, FAKE_ROUTES, (size_t)rand() % 4, -EIO);
			sr_engine_reconcile(w->engine);
			fake_dp_fail(w->dp, FAKE_ROUTES, 0, 0);
			sr_engine_reconcile(w->engine);
		}
		pass(w);
		if (round % 10)
			continue;
		fresh = world_new();
		tell_world(fresh, ports);
		pass(fresh);
		both[0] = w;
		both[1] = fresh;
		assert_int_equal(fake_dp_n_routes(w->dp), fake_dp_n_routes(fresh->dp));
		assert_int_equal(fake_dp_n_ports(w->dp), fake_dp_n_ports(fresh->dp));
		assert_int_equal(fake_dp_n_vrfs(w->dp), fake_dp_n_vrfs(fresh->dp));
		assert_int_equal(fake_dp_n_nexthops(w->dp), fake_dp_n_nexthops(fresh->dp));
		assert_int_equal(w->dp->ops->dump(w->dp, &dump, both), 0);
		world_free(fresh);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(everything_is_programmed),
		TEST(nothing_is_done_before_the_store_was_read),
		TEST(a_restart_writes_nothing_that_is_right),
		TEST(a_restart_with_next_hops_that_nobody_knows),
		TEST(a_restart_removes_only_what_is_stale),
		TEST(rebuilt_maps_take_over_when_they_are_whole),
		TEST(etcd_away_at_a_restart_leaves_everything),
		TEST(a_node_that_moves_is_one_write),
		TEST(a_node_that_is_not_known_yet_drops_until_it_is),
		TEST(a_port_that_moves_to_another_node),
		TEST(taps_come_and_go),
		TEST(a_port_that_is_to_be_down_neither_sends_nor_receives),
		TEST(the_last_binding_takes_the_vrf_with_it),
		TEST(a_vrf_that_is_wanted_again_before_it_went),
		TEST(gateway_and_rules),
		TEST(a_bad_value_keeps_what_was),
		TEST(failed_writes_are_tried_again),
		TEST(failed_removals_are_tried_again),
		TEST(one_refused_route_does_not_stop_the_others),
		TEST(a_node_that_moves_while_its_vrf_is_being_read),
		TEST(a_vrf_without_room_is_taken_in_when_there_is),
		TEST(an_interface_that_comes_back_with_its_number_gets_its_program),
		TEST(an_interface_that_comes_up_is_set_anew),
		TEST(an_interface_that_is_no_uplink_any_more_is_let_go),
		TEST(incremental_equals_a_fresh_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
