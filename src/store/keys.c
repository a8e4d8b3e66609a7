/* SPDX-License-Identifier: GPL-2.0-only */
#include "store/keys.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Writes the cluster's part of the key space and what follows. The names in it have been checked: it fits. */
static int key_format(char buf[static SR_KEY_SIZE], const char *cluster, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int key_format(char buf[static SR_KEY_SIZE], const char *cluster, const char *format, ...)
{
	char key[SR_KEY_SIZE];
	va_list args;
	int head, tail;

	if (!sr_name_valid(cluster))
		return -EINVAL;
	head = snprintf(key, sizeof(key), SR_KEY_ROOT "clusters/%s/", cluster);
	va_start(args, format);
	tail = vsnprintf(key + head, sizeof(key) - (size_t)head, format, args);
	va_end(args);
	if (head + tail >= SR_KEY_SIZE)
		return -EINVAL;
	memcpy(buf, key, (size_t)(head + tail) + 1);
	return head + tail;
}

int sr_key_object(const char *cluster, const struct sr_object_id *id, char buf[static SR_KEY_SIZE])
{
	char uuid[SR_UUID_STRLEN];
	bool by_node = id->kind == SR_OBJECT_NODE || id->kind == SR_OBJECT_NODE_STATUS || id->kind == SR_OBJECT_BINDING;
	bool by_vrf = id->kind == SR_OBJECT_VRF || id->kind == SR_OBJECT_PORT || id->kind == SR_OBJECT_ENCAP;

	if ((by_node && !sr_name_valid(id->node)) || (by_vrf && !sr_vrf_name_valid(id->vrf)))
		return -EINVAL;
	sr_uuid_format(&id->id, uuid);
	switch (id->kind) {
	case SR_OBJECT_NODE:
		return key_format(buf, cluster, "nodes/%s", id->node);
	case SR_OBJECT_BINDING:
		return key_format(buf, cluster, "bindings/%s/%s", id->node, uuid);
	case SR_OBJECT_VRF:
		return key_format(buf, cluster, "vrfs/%s/info", id->vrf);
	case SR_OBJECT_PORT:
		return key_format(buf, cluster, "vrfs/%s/ports/%s", id->vrf, uuid);
	case SR_OBJECT_ENCAP:
		return key_format(buf, cluster, "vrfs/%s/encaps/%s", id->vrf, uuid);
	case SR_OBJECT_NODE_STATUS:
		return key_format(buf, cluster, "status/nodes/%s", id->node);
	case SR_OBJECT_PORT_STATUS:
		return key_format(buf, cluster, "status/ports/%s", uuid);
	}
	return -EINVAL;
}

int sr_key_scope(const char *cluster, const struct sr_scope *scope, char buf[static SR_KEY_SIZE])
{
	switch (scope->kind) {
	case SR_SCOPE_NODES:
		return key_format(buf, cluster, "nodes/");
	case SR_SCOPE_BINDINGS:
		return sr_name_valid(scope->name) ? key_format(buf, cluster, "bindings/%s/", scope->name) : -EINVAL;
	case SR_SCOPE_VRF:
		return sr_vrf_name_valid(scope->name) ? key_format(buf, cluster, "vrfs/%s/", scope->name) : -EINVAL;
	case SR_SCOPE_VRFS:
		return key_format(buf, cluster, "vrfs/");
	case SR_SCOPE_STATUS:
		return key_format(buf, cluster, "status/");
	}
	return -EINVAL;
}

int sr_key_vrf_ip(const char *cluster, struct sr_function vrf_ip, char buf[static SR_KEY_SIZE])
{
	char text[INET_ADDRSTRLEN];

	return key_format(buf, cluster, "vrf_ips/%s", sr_function_format(vrf_ip, text));
}

int sr_key_address(const char *cluster, const char *vrf, const struct in6_addr *addr, char buf[static SR_KEY_SIZE])
{
	char text[INET6_ADDRSTRLEN];

	if (!sr_vrf_name_valid(vrf))
		return -EINVAL;
	return key_format(buf, cluster, "addresses/%s/%s", vrf, sr_addr_format(addr, text));
}

int sr_key_mac(const char *cluster, const char *vrf, const struct sr_mac *mac, char buf[static SR_KEY_SIZE])
{
	char text[SR_MAC_STRLEN];

	if (!sr_vrf_name_valid(vrf))
		return -EINVAL;
	return key_format(buf, cluster, "macs/%s/%s", vrf, sr_mac_format(mac, text));
}

int sr_key_vrf_ips(const char *cluster, char buf[static SR_KEY_SIZE])
{
	return key_format(buf, cluster, "vrf_ips/");
}

int sr_key_addresses(const char *cluster, const char *vrf, char buf[static SR_KEY_SIZE])
{
	return sr_vrf_name_valid(vrf) ? key_format(buf, cluster, "addresses/%s/", vrf) : -EINVAL;
}

int sr_key_ports(const char *cluster, const char *vrf, char buf[static SR_KEY_SIZE])
{
	return sr_vrf_name_valid(vrf) ? key_format(buf, cluster, "vrfs/%s/ports/", vrf) : -EINVAL;
}

int sr_key_encaps(const char *cluster, const char *vrf, char buf[static SR_KEY_SIZE])
{
	return sr_vrf_name_valid(vrf) ? key_format(buf, cluster, "vrfs/%s/encaps/", vrf) : -EINVAL;
}

int sr_key_locator(const struct sr_locator *loc, char buf[static SR_KEY_SIZE])
{
	char text[SR_LOCATOR_STRLEN];

	return snprintf(buf, SR_KEY_SIZE, SR_KEY_ROOT "locators/%s", sr_locator_format(loc, text));
}

/* ---- parsing: a cursor over the rest of a key */

struct cursor {
	const char *at, *end;
};

static bool skip(struct cursor *c, const char *text)
{
	size_t len = strlen(text);

	if ((size_t)(c->end - c->at) < len || memcmp(c->at, text, len) != 0)
		return false;
	c->at += len;
	return true;
}

/* Takes up to the next '/' (which is taken too) or the end. False: empty, or does not fit. */
static bool take(struct cursor *c, char *ret, size_t size)
{
	const char *slash = memchr(c->at, '/', (size_t)(c->end - c->at));
	size_t len = (size_t)((slash ? slash : c->end) - c->at);

	if (len == 0 || len >= size || memchr(c->at, '\0', len))
		return false;
	memcpy(ret, c->at, len);
	ret[len] = '\0';
	c->at += len + (slash ? 1 : 0);
	return true;
}

static int take_node(struct cursor *c, struct sr_object_id *id)
{
	return take(c, id->node, sizeof(id->node)) && sr_name_valid(id->node) ? 0 : -EINVAL;
}

/* The id that ends a key. In one form only, or two keys would name one object. */
static int take_uuid(struct cursor *c, struct sr_object_id *id)
{
	int r = sr_uuid_parse(c->at, (size_t)(c->end - c->at), &id->id);

	for (; c->at < c->end; c->at++)
		if (*c->at >= 'A' && *c->at <= 'F')
			r = -EINVAL;
	return r < 0 ? -EINVAL : 0;
}

static int parse_vrf(struct cursor *c, struct sr_object_id *id)
{
	if (!take(c, id->vrf, sizeof(id->vrf)) || !sr_vrf_name_valid(id->vrf))
		return -EINVAL;
	if (skip(c, "info")) {
		id->kind = SR_OBJECT_VRF;
		return c->at == c->end ? 0 : -ENOENT;
	}
	if (skip(c, "ports/"))
		id->kind = SR_OBJECT_PORT;
	else if (skip(c, "encaps/"))
		id->kind = SR_OBJECT_ENCAP;
	else
		return -ENOENT;
	return take_uuid(c, id);
}

static int parse_rest(struct cursor *c, struct sr_object_id *id)
{
	if (skip(c, "vrfs/"))
		return parse_vrf(c, id);
	if (skip(c, "nodes/")) {
		id->kind = SR_OBJECT_NODE;
		return take_node(c, id);
	}
	if (skip(c, "bindings/")) {
		id->kind = SR_OBJECT_BINDING;
		return take_node(c, id) < 0 ? -EINVAL : take_uuid(c, id);
	}
	if (skip(c, "status/nodes/")) {
		id->kind = SR_OBJECT_NODE_STATUS;
		return take_node(c, id);
	}
	if (skip(c, "status/ports/")) {
		id->kind = SR_OBJECT_PORT_STATUS;
		return take_uuid(c, id);
	}
	return -ENOENT;
}

int sr_key_parse(const char *cluster, const char *key, size_t len, struct sr_object_id *ret)
{
	struct cursor c = {.at = key, .end = key + len};
	struct sr_object_id id;
	int r;

	memset(&id, 0, sizeof(id));
	if (!skip(&c, SR_KEY_ROOT "clusters/") || !skip(&c, cluster) || !skip(&c, "/"))
		return -ENOENT;
	r = parse_rest(&c, &id);
	if (r < 0)
		return r;
	if (c.at != c.end || (len && key[len - 1] == '/'))
		return -EINVAL;
	*ret = id;
	return 0;
}
