// SPDX-License-Identifier: GPL-2.0-only
/*
 * model/codec.h: that members come to hold what the text says (test_golden.c only sees that text returns to text),
 * bounds at their edges, and memory that runs out.
 */
#include "unit.h"
#include "model/codec.h"

#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define PROJECT "644606f50a8b4f0e9d3c1b2a7e5d4c3f"
#define NETWORK "a2903911-5f6e-4b8a-9d21-0c4f7e6a1b2d"
#define PORT "7c1ee6a4-2f0b-4c55-9d0e-3b7a61f0c9e8"
#define IDS "\"project_id\":\"" PROJECT "\",\"network_id\":\"" NETWORK "\""

static char *text_of_uuid(const struct sr_uuid *id)
{
	static char buf[SR_UUID_STRLEN];

	return (char *)sr_uuid_format(id, buf);
}

static char *text_of_prefix(const struct sr_prefix *p)
{
	static char buf[SR_PREFIX_STRLEN];

	return (char *)sr_prefix_format(p, buf);
}

static char *text_of_addr(const struct in6_addr *a)
{
	static char buf[INET6_ADDRSTRLEN];

	return (char *)sr_addr_format(a, buf);
}

static char *text_of_locator(const struct sr_locator *loc)
{
	static char buf[SR_LOCATOR_STRLEN];

	return (char *)sr_locator_format(loc, buf);
}

static void test_port_members(void **state)
{
	static const char text[] =
		"{\"id\":\"" PORT "\",\"name\":\"web-1\"," IDS
		",\"vrf\":\"vrf644606a29039\",\"binding:host_id\":\"hv1\","
		"\"segment_node_id\":\"2400:dcc0::a7a:4d8e\",\"vrf_ip\":\"169.254.1.44\",\"vrf_cidr\":\"169.254.1.0/"
		"24\","
		"\"mac_address\":\"fa:16:3e:2b:9c:07\",\"admin_state_up\":false,"
		"\"fixed_ips\":[{\"ip_address\":\"10.122.12.114\"},{\"ip_address\":\"2001:db8::72\"}]}";
	char mac[SR_MAC_STRLEN];
	struct sr_port p;

	(void)state;
	assert_int_equal(sr_port_decode(text, strlen(text), &p, NULL), 0);
	assert_string_equal(text_of_uuid(&p.id), PORT);
	assert_string_equal(p.name, "web-1");
	assert_string_equal(p.project_id, PROJECT);
	assert_string_equal(text_of_uuid(&p.network_id), NETWORK);
	assert_string_equal(p.vrf, "vrf644606a29039");
	assert_string_equal(p.node, "hv1");
	assert_true(p.has_segment_node_id);
	assert_string_equal(text_of_locator(&p.segment_node_id), "2400:dcc0::a7a:4d8e");
	assert_int_equal(p.vrf_ip.v, inet_addr("169.254.1.44"));
	assert_string_equal(text_of_prefix(&p.vrf_cidr), "169.254.1.0/24");
	assert_string_equal(sr_mac_format(&p.mac, mac), "fa:16:3e:2b:9c:07");
	assert_false(p.admin_state_up);
	assert_int_equal(p.n_addrs, 2);
	assert_string_equal(text_of_addr(&p.addrs[0]), "10.122.12.114");
	assert_string_equal(text_of_addr(&p.addrs[1]), "2001:db8::72");
}

static void test_port_defaults(void **state)
{
	static const char text[] =
		"{\"id\":\"" PORT "\"," IDS ",\"vrf\":\"v\",\"vrf_ip\":\"169.254.1.44\","
		"\"vrf_cidr\":\"169.254.1.0/24\",\"mac_address\":\"fa:16:3e:2b:9c:07\",\"fixed_ips\":[]}";
	struct sr_port p;

	(void)state;
	memset(&p, 0xa5, sizeof(p));
	assert_int_equal(sr_port_decode(text, strlen(text), &p, NULL), 0);
	assert_string_equal(p.name, "");
	assert_string_equal(p.node, "");
	assert_false(p.has_segment_node_id);
	assert_true(p.admin_state_up);
	assert_int_equal(p.n_addrs, 0);
}

static void test_vrf_members(void **state)
{
	static const char text[] =
		"{\"vrf\":\"vrf644606a29039\"," IDS ",\"network_name\":\"web\",\"vrf_ip\":\"169.254.1.44\","
		"\"vrf_cidr\":\"169.254.1.0/24\",\"segment_gw_id\":\"c1::\",\"mtu\":1436,\"subnets\":["
		"{\"cidr\":\"10.122.12.0/24\",\"gateway_ip\":\"10.122.12.1\"},{\"cidr\":\"2001:db8::/64\"}]}";
	struct sr_vrf v;

	(void)state;
	assert_int_equal(sr_vrf_decode(text, strlen(text), &v, NULL), 0);
	assert_string_equal(v.name, "vrf644606a29039");
	assert_string_equal(v.project_id, PROJECT);
	assert_string_equal(text_of_uuid(&v.network_id), NETWORK);
	assert_string_equal(v.network_name, "web");
	assert_int_equal(v.vrf_ip.v, inet_addr("169.254.1.44"));
	assert_string_equal(text_of_prefix(&v.vrf_cidr), "169.254.1.0/24");
	assert_true(v.has_gateway);
	assert_string_equal(text_of_locator(&v.segment_gw_id), "c1::");
	assert_int_equal(v.mtu, 1436);
	assert_int_equal(v.n_subnets, 2);
	assert_string_equal(text_of_prefix(&v.subnets[0].cidr), "10.122.12.0/24");
	assert_string_equal(text_of_addr(&v.subnets[0].gateway), "10.122.12.1");
	assert_string_equal(text_of_prefix(&v.subnets[1].cidr), "2001:db8::/64");
	assert_true(IN6_IS_ADDR_UNSPECIFIED(&v.subnets[1].gateway));
}

static void test_encap_members(void **state)
{
	static const char text[] = "{\"id\":\"" PORT "\"," IDS ",\"encap_rules\":["
				   "{\"destination\":\"10.0.0.9\",\"nexthop\":\"c1::a9fe:108\"},"
				   "{\"destination\":\"192.0.2.0/24\",\"nexthop\":[\"c3::1\",\"c1::a9fe:108\"]}]}";
	char sid[SR_SID_STRLEN];
	struct sr_encap e;

	(void)state;
	assert_int_equal(sr_encap_decode(text, strlen(text), &e, NULL), 0);
	assert_string_equal(text_of_uuid(&e.id), PORT);
	assert_string_equal(e.project_id, PROJECT);
	assert_string_equal(text_of_uuid(&e.network_id), NETWORK);
	assert_int_equal(e.n_rules, 2);
	assert_string_equal(text_of_prefix(&e.rules[0].destination), "10.0.0.9");
	assert_int_equal(e.rules[0].n_segs, 1);
	assert_string_equal(sr_sid_format(&e.rules[0].segs[0], sid), "c1::a9fe:108");
	assert_string_equal(text_of_prefix(&e.rules[1].destination), "192.0.2.0/24");
	assert_int_equal(e.rules[1].n_segs, 2);
	assert_string_equal(sr_sid_format(&e.rules[1].segs[0], sid), "c3::1");
	assert_string_equal(sr_sid_format(&e.rules[1].segs[1], sid), "c1::a9fe:108");
	sr_encap_fini(&e);
	assert_null(e.rules);
	sr_encap_fini(&e);
}

static void test_other_members(void **state)
{
	static const char node[] = "{\"name\":\"hv1\",\"segment_node_id\":\"c2::\"}";
	static const char profile[] = "{\"segment_node_id\":\"2400:dcc0::a7a:4d8e\",\"vrf\":\"vrf644606a29039\","
				      "\"vrf_cidr\":\"169.254.1.0/24\",\"vrf_ip\":\"169.254.1.44\"}";
	static const char alive[] = "{\"node\":\"hv1\",\"version\":\"0.1.0\",\"datapath\":\"ebpf\",\"draining\":true,"
				    "\"started\":9223372036854775807}";
	static const char down[] = "{\"node\":\"hv1\",\"status\":\"DOWN\",\"reason\":\"no tap\"}";
	struct sr_binding_profile bp;
	struct sr_node_status ns;
	struct sr_port_status ps;
	struct sr_binding b;
	struct sr_node n;

	(void)state;
	assert_int_equal(sr_node_decode(node, strlen(node), &n, NULL), 0);
	assert_string_equal(n.name, "hv1");
	assert_string_equal(text_of_locator(&n.locator), "c2::");
	assert_int_equal(sr_binding_profile_decode(profile, strlen(profile), &bp, NULL), 0);
	assert_string_equal(text_of_locator(&bp.segment_node_id), "2400:dcc0::a7a:4d8e");
	assert_string_equal(bp.vrf, "vrf644606a29039");
	assert_string_equal(text_of_prefix(&bp.vrf_cidr), "169.254.1.0/24");
	assert_int_equal(bp.vrf_ip.v, inet_addr("169.254.1.44"));
	assert_int_equal(sr_binding_decode(profile, strlen(profile), &b, NULL), 0);
	assert_string_equal(b.vrf, "vrf644606a29039");
	assert_int_equal(sr_node_status_decode(alive, strlen(alive), &ns, NULL), 0);
	assert_string_equal(ns.node, "hv1");
	assert_string_equal(ns.version, "0.1.0");
	assert_string_equal(ns.datapath, "ebpf");
	assert_true(ns.draining);
	assert_true(ns.started == INT64_MAX);
	assert_int_equal(sr_port_status_decode(down, strlen(down), &ps, NULL), 0);
	assert_string_equal(ps.node, "hv1");
	assert_false(ps.active);
	assert_string_equal(ps.reason, "no tap");
}

/* Objects with a hole for one value, or for all that follows a value. */
#define NODE "{\"segment_node_id\":\"c2::\",\"name\":$}"
#define VRF "{\"vrf\":\"v\"," IDS ",\"vrf_ip\":\"169.254.1.44\",\"vrf_cidr\":\"169.254.1.0/24\",\"subnets\":[],$}"
#define PORT_WITH                                                                                                      \
	"{\"id\":\"" PORT "\"," IDS ",\"vrf\":\"v\",\"vrf_ip\":\"169.254.1.44\",\"vrf_cidr\":\"169.254.1.0/24\","      \
	"\"mac_address\":\"fa:16:3e:2b:9c:07\",$}"
#define ENCAP "{\"id\":\"" PORT "\"," IDS ",\"encap_rules\":$}"
#define STATUS "{\"version\":\"\",\"node\":\"hv1\",\"datapath\":\"ebpf\",\"started\":$}"

enum kind { IS_NODE, IS_VRF, IS_PORT, IS_ENCAP, IS_STATUS };

static const struct {
	enum kind kind;
	const char *value;
	const char *error; /* NULL: good */
	size_t at;	   /* nonzero: the JSON is wrong there, counted from the value */
} edges[] = {
	{IS_NODE, "\"hv1\"", NULL, 0},
	{IS_NODE, "\"\"", "name: not a name (1 to 63 of A-Z a-z 0-9 . _ -)", 0},
	{IS_NODE, "{}", "name: a string expected", 0},
	{IS_NODE, " ?", "value expected", 1},
	{IS_NODE, "\"\\u0000\"", "NUL in a string", 7},
	{IS_NODE, "\"hv1\"]", "',' or '}' expected", 5},
	{IS_NODE, "\"hv1\",\"later\":tru", "true or false expected", 14},
	{IS_NODE, "\"hv1\",\"nam\":1,\"names\":1", NULL, 0},
	{IS_VRF, "\"mtu\":0", NULL, 0},
	{IS_VRF, "\"mtu\":67", "mtu: not an integer in its bounds", 0},
	{IS_VRF, "\"mtu\":68", NULL, 0},
	{IS_VRF, "\"mtu\":65535", NULL, 0},
	{IS_VRF, "\"mtu\":65536", "mtu: not an integer in its bounds", 0},
	{IS_VRF, "\"mtu\":-1", "mtu: not an integer in its bounds", 0},
	{IS_VRF, "\"mtu\":4294967364", "mtu: not an integer in its bounds", 0},
	{IS_VRF, "\"mtu\":1e3", "mtu: not an integer in its bounds", 0},
	{IS_VRF, "\"mtu\":-", "digit expected", 7},
	{IS_VRF, "\"mtu\":?", "value expected", 6},
	{IS_VRF, "\"mtu\":nul", "null expected", 6},
	{IS_VRF, "\"mtu\":null,\"mtu\":null", "mtu: given twice", 0},
	{IS_PORT, "\"fixed_ips\":[],\"admin_state_up\":t", "true or false expected", 32},
	{IS_PORT, "\"fixed_ips\":[],\"admin_state_up\":?", "value expected", 32},
	{IS_PORT, "\"fixed_ips\":{}", "fixed_ips: a list expected", 0},
	{IS_PORT, "\"fixed_ips\":null", "fixed_ips: a list expected", 0},
	{IS_PORT, "\"fixed_ips\":[", "value expected", 13},
	{IS_PORT, "\"fixed_ips\":[{}", "fixed_ips[0].ip_address: missing", 0},
	{IS_PORT, "\"fixed_ips\":[{\"ip_address\":\"::1\"}}", "',' or ']' expected", 33},
	{IS_PORT, "\"fixed_ips\":[{\"ip_address\":\"::1\"},7]", "fixed_ips[1]: an object expected", 0},
	{IS_PORT, "\"fixed_ips\":[{\"ip_address\":\"0.0.0.0\"}]", "fixed_ips[0].ip_address: not a unicast IP address",
	 0},
	{IS_PORT, "\"fixed_ips\":[{\"ip_address\":\"::\"}]", "fixed_ips[0].ip_address: not a unicast IP address", 0},
	{IS_PORT, "\"fixed_ips\":[{\"ip_address\":\"ff02::1\"}]", "fixed_ips[0].ip_address: not a unicast IP address",
	 0},
	{IS_PORT, "\"fixed_ips\":[],\"vrf\":\"v\"", "vrf: given twice", 0},
	{IS_PORT, "\"fixed_ips\":[],\"vrf_ip\":\"\"", "vrf_ip: given twice", 0},
	{IS_ENCAP, "[]", NULL, 0},
	{IS_ENCAP, "[{\"destination\":\"::/0\",\"nexthop\":[\"c1::1\"]}]", NULL, 0},
	{IS_ENCAP, "[{\"destination\":\"::/0\",\"nexthop\":[\"c1::1\",7]}]",
	 "encap_rules[0].nexthop: a string expected", 0},
	{IS_ENCAP, "[{\"destination\":\"::/0\",\"nexthop\":7}]", "encap_rules[0].nexthop: a string expected", 0},
	{IS_ENCAP, "[{\"destination\":\"::/0\",\"nexthop\":[\"c1::1\"", "',' or ']' expected", 41},
	{IS_STATUS, "0", NULL, 0},
	{IS_STATUS, "9223372036854775807", NULL, 0},
	{IS_STATUS, "9223372036854775808", "started: not an integer in its bounds", 0},
	{IS_STATUS, "-1", "started: not an integer in its bounds", 0},
	{IS_STATUS, "\"0\"", "started: a number expected", 0},
};

static int decode_edge(enum kind kind, const char *text, size_t len, struct sr_codec_error *err)
{
	struct sr_node_status status;
	struct sr_encap encap;
	struct sr_node node;
	struct sr_port port;
	struct sr_vrf vrf;
	int rc;

	switch (kind) {
	case IS_NODE:
		return sr_node_decode(text, len, &node, err);
	case IS_VRF:
		return sr_vrf_decode(text, len, &vrf, err);
	case IS_PORT:
		return sr_port_decode(text, len, &port, err);
	case IS_ENCAP:
		rc = sr_encap_decode(text, len, &encap, err);
		if (!rc)
			sr_encap_fini(&encap);
		return rc;
	case IS_STATUS:
		break;
	}
	return sr_node_status_decode(text, len, &status, err);
}

static void test_edges(void **state)
{
	static const char *const around[] = {
		[IS_NODE] = NODE, [IS_VRF] = VRF, [IS_PORT] = PORT_WITH, [IS_ENCAP] = ENCAP, [IS_STATUS] = STATUS};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(edges); i++) {
		const char *open = around[edges[i].kind], *hole = strchr(open, '$');
		struct sr_codec_error err = {"untouched"};
		char text[512], error[sizeof(err)] = "untouched";
		int rc;

		if (edges[i].at)
			snprintf(error, sizeof(error), "byte %zu: %s", (size_t)(hole - open) + edges[i].at,
				 edges[i].error);
		else if (edges[i].error)
			snprintf(error, sizeof(error), "%s", edges[i].error);
		snprintf(text, sizeof(text), "%.*s%s%s", (int)(hole - open), open, edges[i].value, hole + 1);
		sr_case("%s", text);
		rc = decode_edge(edges[i].kind, text, strlen(text), &err);
		assert_string_equal(err.text, error);
		assert_int_equal(rc, edges[i].error ? -EBADMSG : 0);
	}
}

/* An object of `len` bytes, blanks inside. */
static void test_value_size(void **state)
{
	static const char node[] = "{\"name\":\"hv1\",\"segment_node_id\":\"c2::\"";
	char *text = malloc(SR_CODEC_VALUE_MAX + 1);
	struct sr_codec_error err;
	struct sr_node n;

	(void)state;
	memset(text, ' ', SR_CODEC_VALUE_MAX + 1);
	memcpy(text, node, sizeof(node) - 1);
	text[SR_CODEC_VALUE_MAX - 1] = '}';
	assert_int_equal(sr_node_decode(text, SR_CODEC_VALUE_MAX, &n, &err), 0);
	assert_int_equal(sr_node_decode(text, SR_CODEC_VALUE_MAX + 1, &n, &err), -EMSGSIZE);
	assert_string_equal(err.text, "262145 bytes, 262144 are the most");
	free(text);
}

/* A port's name at its bound, written plainly and with escapes. */
static void check_label(size_t len, const char *last, int want)
{
	char value[2048] = "\"fixed_ips\":[],\"name\":\"", *p = value + strlen(value), text[4096];
	const char *hole = strchr(PORT_WITH, '$');
	struct sr_port port;

	memset(p, 'n', len);
	snprintf(p + len, sizeof(value) - (size_t)(p + len - value), "%s\"", last);
	snprintf(text, sizeof(text), "%.*s%s%s", (int)(hole - PORT_WITH), PORT_WITH, value, hole + 1);
	assert_int_equal(sr_port_decode(text, strlen(text), &port, NULL), want);
	if (!want)
		assert_int_equal(strlen(port.name), SR_LABEL_SIZE - 1);
}

static void test_label_size(void **state)
{
	(void)state;
	check_label(SR_LABEL_SIZE - 2, "n", 0);
	check_label(SR_LABEL_SIZE - 2, "\\u006e", 0);
	check_label(SR_LABEL_SIZE - 1, "n", -EBADMSG);
	check_label(SR_LABEL_SIZE - 1, "\\u006e", -EBADMSG);
	check_label(SR_LABEL_SIZE + 100, "n", -EBADMSG);
	check_label(SR_LABEL_SIZE + 100, "\\u006e", -EBADMSG);
}

/* An encap object with n rules, for free(). */
static char *many_rules(size_t n)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	fputs("{\"id\":\"" PORT "\"," IDS ",\"encap_rules\":[", f);
	for (size_t i = 0; i < n; i++)
		fprintf(f, "%s{\"destination\":\"10.0.%zu.%zu\",\"nexthop\":\"c1::%zx\"}", i ? "," : "", i / 256,
			i % 256, i + 1);
	fputs("]}", f);
	fclose(f);
	return text;
}

static void test_encap_bounds(void **state)
{
	char *text = many_rules(SR_ENCAP_RULES_MAX);
	struct sr_codec_error err;
	struct sr_encap e;

	(void)state;
	assert_int_equal(sr_encap_decode(text, strlen(text), &e, &err), 0);
	assert_int_equal(e.n_rules, SR_ENCAP_RULES_MAX);
	for (size_t i = 0; i < e.n_rules; i++)
		assert_int_equal(e.rules[i].segs[0].a.s6_addr32[3], htonl((uint32_t)i + 1));
	sr_encap_fini(&e);
	free(text);

	text = many_rules(SR_ENCAP_RULES_MAX + 1);
	assert_int_equal(sr_encap_decode(text, strlen(text), &e, &err), -EBADMSG);
	assert_string_equal(err.text, "encap_rules: too many items");
	free(text);
}

/* The linker sends the codec's reallocarray here. */
static int allocations_left = -1; /* negative: any number */

void *__real_reallocarray(void *p, size_t n, size_t size);
void *__wrap_reallocarray(void *p, size_t n, size_t size);

void *__wrap_reallocarray(void *p, size_t n, size_t size)
{
	if (allocations_left == 0)
		return NULL;
	if (allocations_left > 0)
		allocations_left--;
	return __real_reallocarray(p, n, size);
}

static void test_decode_without_memory(void **state)
{
	char *text = many_rules(5); /* grows to 1, 2, 4, 8 */
	struct sr_codec_error err;
	struct sr_encap e;

	(void)state;
	for (int n = 0; n < 4; n++) {
		allocations_left = n;
		assert_int_equal(sr_encap_decode(text, strlen(text), &e, &err), -ENOMEM);
		assert_string_equal(err.text, "encap_rules: out of memory");
	}
	allocations_left = 4;
	assert_int_equal(sr_encap_decode(text, strlen(text), &e, &err), 0);
	allocations_left = -1;
	sr_encap_fini(&e);
	free(text);
}

static int jansson_allocations_left;

static void *scarce(size_t size)
{
	if (jansson_allocations_left == 0)
		return NULL;
	jansson_allocations_left--;
	return malloc(size);
}

/* Memory that ends after each allocation in turn: nothing leaks, no half-written text comes out. */
static void test_encode_without_memory(void **state)
{
	char *text = many_rules(3), *encoded = NULL;
	struct sr_encap e;
	int n = 0;

	(void)state;
	assert_int_equal(sr_encap_decode(text, strlen(text), &e, NULL), 0);
	json_set_alloc_funcs(scarce, free);
	for (; !encoded; n++) {
		jansson_allocations_left = n;
		encoded = sr_encap_encode(&e);
	}
	json_set_alloc_funcs(malloc, free);
	assert_true(n > 20);
	assert_string_equal(encoded, text);
	free(encoded);
	sr_encap_fini(&e);
	free(text);
}

static void test_encode_not_utf8(void **state)
{
	struct sr_node node = {.name = "\xff"};

	(void)state;
	assert_null(sr_node_encode(&node));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_port_members),
		cmocka_unit_test(test_port_defaults),
		cmocka_unit_test(test_vrf_members),
		cmocka_unit_test(test_encap_members),
		cmocka_unit_test(test_other_members),
		cmocka_unit_test(test_edges),
		cmocka_unit_test(test_value_size),
		cmocka_unit_test(test_label_size),
		cmocka_unit_test(test_encap_bounds),
		cmocka_unit_test(test_decode_without_memory),
		cmocka_unit_test(test_encode_without_memory),
		cmocka_unit_test(test_encode_not_utf8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
