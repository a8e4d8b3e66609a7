// SPDX-License-Identifier: GPL-2.0-only
/* The schema: docs/schema.md in C. */
#include "model/codec_fields.h"

#include <assert.h>
#include <stdlib.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MEMBER(type, member) .offset = offsetof(type, member), .size = sizeof(((type *)0)->member)
#define NAME(text) .name = (text), .name_len = sizeof(text) - 1

#define TEXT(json, struct_type, member, text_type)                                                                     \
	{                                                                                                              \
		NAME(json), .kind = SR_FIELD_TEXT, .required = true, .text = &sr_text_##text_type,                     \
			    MEMBER(struct_type, member)                                                                \
	}
#define TEXT_OPTIONAL(json, struct_type, member, text_type)                                                            \
	{                                                                                                              \
		NAME(json), .kind = SR_FIELD_TEXT, .text = &sr_text_##text_type, MEMBER(struct_type, member)           \
	}
#define TEXT_IF(json, struct_type, flag, member, text_type)                                                            \
	{                                                                                                              \
		NAME(json), .kind = SR_FIELD_TEXT, .text = &sr_text_##text_type, .has = offsetof(struct_type, flag),   \
			    MEMBER(struct_type, member)                                                                \
	}
#define BOOL_OPTIONAL(json, struct_type, member)                                                                       \
	{                                                                                                              \
		NAME(json), .kind = SR_FIELD_BOOL, MEMBER(struct_type, member)                                         \
	}
#define ITEMS(struct_type, member, n_member)                                                                           \
	.offset = offsetof(struct_type, member), .size = sizeof(((struct_type *)0)->member[0]),                        \
	.count = offsetof(struct_type, n_member)
#define SCHEMA(table, function)                                                                                        \
	{                                                                                                              \
		.fields = (table), .n_fields = ARRAY_SIZE(table), .check = (function)                                  \
	}

static const struct sr_field node_fields[] = {
	TEXT("name", struct sr_node, name, name),
	TEXT("segment_node_id", struct sr_node, locator, locator),
	BOOL_OPTIONAL("drain", struct sr_node, drain),
};
const struct sr_schema sr_schema_node = SCHEMA(node_fields, NULL);

static const struct sr_field subnet_fields[] = {
	TEXT("cidr", struct sr_subnet, cidr, prefix),
	TEXT_OPTIONAL("gateway_ip", struct sr_subnet, gateway, addr),
};
static const struct sr_schema subnet_schema = SCHEMA(subnet_fields, NULL);

static const struct sr_field vrf_fields[] = {
	TEXT("vrf", struct sr_vrf, name, vrf),
	TEXT("project_id", struct sr_vrf, project_id, project),
	TEXT("network_id", struct sr_vrf, network_id, uuid),
	TEXT_OPTIONAL("network_name", struct sr_vrf, network_name, free),
	TEXT("vrf_ip", struct sr_vrf, vrf_ip, function),
	TEXT("vrf_cidr", struct sr_vrf, vrf_cidr, cidr4),
	TEXT_IF("segment_gw_id", struct sr_vrf, has_gateway, segment_gw_id, locator),
	/* 68: the least that IPv4 knows (RFC 791). */
	{NAME("mtu"), .kind = SR_FIELD_U32, .min = 68, .max = 65535, MEMBER(struct sr_vrf, mtu)},
	{NAME("subnets"), .kind = SR_FIELD_LIST, .required = true, .max = SR_VRF_SUBNETS_MAX, .items = &subnet_schema,
	 ITEMS(struct sr_vrf, subnets, n_subnets)},
};

static bool inside(struct sr_function vrf_ip, const struct sr_prefix *vrf_cidr)
{
	struct sr_prefix host = sr_prefix_v4(vrf_ip.v, 32);

	return sr_prefix_contains(vrf_cidr, &host);
}

static bool is_v4(const struct in6_addr *addr)
{
	return IN6_IS_ADDR_V4MAPPED(addr);
}

static const char *vrf_check(const void *object)
{
	const struct sr_vrf *vrf = object;

	if (!inside(vrf->vrf_ip, &vrf->vrf_cidr))
		return "vrf_ip: not in vrf_cidr";
	for (size_t i = 0; i < vrf->n_subnets; i++) {
		const struct sr_subnet *s = &vrf->subnets[i];

		if (!IN6_IS_ADDR_UNSPECIFIED(&s->gateway) && is_v4(&s->gateway) != sr_prefix_is_v4(&s->cidr))
			return "subnets: gateway_ip and cidr of different families";
	}
	return NULL;
}
const struct sr_schema sr_schema_vrf = SCHEMA(vrf_fields, vrf_check);

static const struct sr_field fixed_ip_fields[] = {
	{NAME("ip_address"), .kind = SR_FIELD_TEXT, .required = true, .text = &sr_text_addr, .offset = 0,
	 .size = sizeof(struct in6_addr)},
};
static const struct sr_schema fixed_ip_schema = SCHEMA(fixed_ip_fields, NULL);

static const struct sr_field port_fields[] = {
	TEXT("id", struct sr_port, id, uuid),
	TEXT_OPTIONAL("name", struct sr_port, name, free),
	TEXT("project_id", struct sr_port, project_id, project),
	TEXT("network_id", struct sr_port, network_id, uuid),
	TEXT("vrf", struct sr_port, vrf, vrf),
	TEXT_OPTIONAL("binding:host_id", struct sr_port, node, name),
	TEXT_IF("segment_node_id", struct sr_port, has_segment_node_id, segment_node_id, locator),
	TEXT("vrf_ip", struct sr_port, vrf_ip, function),
	TEXT("vrf_cidr", struct sr_port, vrf_cidr, cidr4),
	TEXT("mac_address", struct sr_port, mac, mac),
	BOOL_OPTIONAL("admin_state_up", struct sr_port, admin_state_up),
	{NAME("fixed_ips"), .kind = SR_FIELD_LIST, .required = true, .max = SR_PORT_ADDRS_MAX,
	 .items = &fixed_ip_schema, ITEMS(struct sr_port, addrs, n_addrs)},
};

static const char *port_check(const void *object)
{
	const struct sr_port *port = object;

	if (!inside(port->vrf_ip, &port->vrf_cidr))
		return "vrf_ip: not in vrf_cidr";
	for (size_t i = 1; i < port->n_addrs; i++)
		for (size_t j = 0; j < i; j++)
			if (IN6_ARE_ADDR_EQUAL(&port->addrs[i], &port->addrs[j]))
				return "fixed_ips: one address given twice";
	return NULL;
}
const struct sr_schema sr_schema_port = SCHEMA(port_fields, port_check);

static const struct sr_field binding_fields[] = {
	TEXT("vrf", struct sr_binding, vrf, vrf),
};
const struct sr_schema sr_schema_binding = SCHEMA(binding_fields, NULL);

static const struct sr_field binding_profile_fields[] = {
	TEXT("segment_node_id", struct sr_binding_profile, segment_node_id, locator),
	TEXT("vrf", struct sr_binding_profile, vrf, vrf),
	TEXT("vrf_cidr", struct sr_binding_profile, vrf_cidr, cidr4),
	TEXT("vrf_ip", struct sr_binding_profile, vrf_ip, function),
};

static const char *binding_profile_check(const void *object)
{
	const struct sr_binding_profile *profile = object;

	return inside(profile->vrf_ip, &profile->vrf_cidr) ? NULL : "vrf_ip: not in vrf_cidr";
}
const struct sr_schema sr_schema_binding_profile = SCHEMA(binding_profile_fields, binding_profile_check);

static const struct sr_field encap_rule_fields[] = {
	TEXT("destination", struct sr_encap_rule, destination, prefix),
	{NAME("nexthop"), .kind = SR_FIELD_SIDS, .required = true, .min = 1, .max = SR_SEGS_MAX,
	 ITEMS(struct sr_encap_rule, segs, n_segs)},
};
static const struct sr_schema encap_rule_schema = SCHEMA(encap_rule_fields, NULL);

static const struct sr_field encap_fields[] = {
	TEXT("id", struct sr_encap, id, uuid),
	TEXT("project_id", struct sr_encap, project_id, project),
	TEXT("network_id", struct sr_encap, network_id, uuid),
	{NAME("encap_rules"), .kind = SR_FIELD_OWNED, .required = true, .max = SR_ENCAP_RULES_MAX,
	 .items = &encap_rule_schema, ITEMS(struct sr_encap, rules, n_rules)},
};

static const char *encap_check(const void *object)
{
	const struct sr_encap *encap = object;

	/* Half a million comparisons at most, about a millisecond: a bound that needs no index. */
	for (size_t i = 1; i < encap->n_rules; i++)
		for (size_t j = 0; j < i; j++)
			if (sr_prefix_equal(&encap->rules[i].destination, &encap->rules[j].destination))
				return "encap_rules: two rules for one destination";
	return NULL;
}
const struct sr_schema sr_schema_encap = SCHEMA(encap_fields, encap_check);

void sr_encap_fini(struct sr_encap *encap)
{
	free(encap->rules);
	encap->rules = NULL;
	encap->n_rules = 0;
}

static const struct sr_field node_status_fields[] = {
	TEXT("node", struct sr_node_status, node, name),
	TEXT("version", struct sr_node_status, version, free),
	TEXT("datapath", struct sr_node_status, datapath, free),
	BOOL_OPTIONAL("draining", struct sr_node_status, draining),
	{NAME("started"), .kind = SR_FIELD_I64, .required = true, .min = 0, .max = INT64_MAX,
	 MEMBER(struct sr_node_status, started)},
};
const struct sr_schema sr_schema_node_status = SCHEMA(node_status_fields, NULL);

static const struct sr_field port_status_fields[] = {
	TEXT("node", struct sr_port_status, node, name),
	TEXT("status", struct sr_port_status, active, status),
	TEXT_OPTIONAL("reason", struct sr_port_status, reason, free),
};
const struct sr_schema sr_schema_port_status = SCHEMA(port_status_fields, NULL);

static_assert(ARRAY_SIZE(port_fields) <= SR_FIELDS_MAX && ARRAY_SIZE(vrf_fields) <= SR_FIELDS_MAX, "raise it");
