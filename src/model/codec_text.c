// SPDX-License-Identifier: GPL-2.0-only
/* Values that are strings in JSON: what they are in C, and what is refused. */
#include "model/codec_fields.h"

#include <errno.h>
#include <string.h>

static int copy(const char *text, size_t len, void *member, size_t size)
{
	if (len >= size)
		return -EINVAL;
	memcpy(member, text, len + 1);
	return 0;
}

static const char *format_chars(const void *member, char buf[static SR_LABEL_SIZE])
{
	const char *text = member;

	(void)buf;
	return text[0] ? text : NULL;
}

static int parse_name(const char *text, size_t len, void *member, size_t size)
{
	return sr_name_valid(text) ? copy(text, len, member, size) : -EINVAL;
}

static int parse_vrf(const char *text, size_t len, void *member, size_t size)
{
	return sr_vrf_name_valid(text) ? copy(text, len, member, size) : -EINVAL;
}

/* Whatever the identity service calls it, but nothing that breaks a log line or a table. */
static int parse_project(const char *text, size_t len, void *member, size_t size)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return -EINVAL;
	return len ? copy(text, len, member, size) : -EINVAL;
}

static int parse_uuid(const char *text, size_t len, void *member, size_t size)
{
	(void)size;
	return sr_uuid_parse(text, len, member);
}

static const char *format_uuid(const void *member, char buf[static SR_LABEL_SIZE])
{
	return sr_uuid_format(member, buf);
}

static int parse_mac(const char *text, size_t len, void *member, size_t size)
{
	(void)size;
	return sr_mac_parse(text, len, member);
}

static const char *format_mac(const void *member, char buf[static SR_LABEL_SIZE])
{
	return sr_mac_format(member, buf);
}

static int parse_locator(const char *text, size_t len, void *member, size_t size)
{
	(void)len;
	(void)size;
	return sr_locator_parse(text, member) < 0 ? -EINVAL : 0;
}

static const char *format_locator(const void *member, char buf[static SR_LABEL_SIZE])
{
	return sr_locator_format(member, buf);
}

/* A function of zero would make the SID the locator's own first address, and is what an unset member holds. */
static int parse_function(const char *text, size_t len, void *member, size_t size)
{
	struct sr_function fn;

	(void)len;
	(void)size;
	if (sr_function_parse(text, &fn) < 0 || !fn.v)
		return -EINVAL;
	memcpy(member, &fn, sizeof(fn));
	return 0;
}

static const char *format_function(const void *member, char buf[static SR_LABEL_SIZE])
{
	return sr_function_format(*(const struct sr_function *)member, buf);
}

static int parse_prefix(const char *text, size_t len, void *member, size_t size)
{
	(void)len;
	(void)size;
	return sr_prefix_parse(text, member) < 0 ? -EINVAL : 0;
}

static int parse_cidr4(const char *text, size_t len, void *member, size_t size)
{
	struct sr_prefix p;

	(void)len;
	(void)size;
	if (sr_prefix_parse(text, &p) < 0 || !sr_prefix_is_v4(&p))
		return -EINVAL;
	memcpy(member, &p, sizeof(p));
	return 0;
}

static const char *format_prefix(const void *member, char buf[static SR_LABEL_SIZE])
{
	return sr_prefix_format(member, buf);
}

static bool is_unicast(const struct in6_addr *a)
{
	if (IN6_IS_ADDR_V4MAPPED(a))
		return a->s6_addr32[3] && a->s6_addr[12] < 224;
	return !IN6_IS_ADDR_UNSPECIFIED(a) && !IN6_IS_ADDR_MULTICAST(a);
}

static int parse_addr(const char *text, size_t len, void *member, size_t size)
{
	struct in6_addr a;

	(void)len;
	(void)size;
	if (sr_addr_parse(text, &a) < 0 || !is_unicast(&a))
		return -EINVAL;
	memcpy(member, &a, sizeof(a));
	return 0;
}

static const char *format_addr(const void *member, char buf[static SR_LABEL_SIZE])
{
	return IN6_IS_ADDR_UNSPECIFIED((const struct in6_addr *)member) ? NULL : sr_addr_format(member, buf);
}

static int parse_sid(const char *text, size_t len, void *member, size_t size)
{
	(void)len;
	(void)size;
	return sr_sid_parse(text, member) < 0 ? -EINVAL : 0;
}

static const char *format_sid(const void *member, char buf[static SR_LABEL_SIZE])
{
	return sr_sid_format(member, buf);
}

static int parse_status(const char *text, size_t len, void *member, size_t size)
{
	bool active = strcmp(text, "ACTIVE") == 0;

	(void)len;
	if (!active && strcmp(text, "DOWN") != 0)
		return -EINVAL;
	memcpy(member, &active, size);
	return 0;
}

static const char *format_status(const void *member, char buf[static SR_LABEL_SIZE])
{
	(void)buf;
	return *(const bool *)member ? "ACTIVE" : "DOWN";
}

const struct sr_text_type sr_text_name = {"not a name (1 to 63 of A-Z a-z 0-9 . _ -)", parse_name, format_chars};
const struct sr_text_type sr_text_vrf = {"not a VRF's name (1 to 15 of A-Z a-z 0-9 _ -)", parse_vrf, format_chars};
const struct sr_text_type sr_text_project = {"not a project's id (1 to 63 visible ASCII characters)", parse_project,
					     format_chars};
const struct sr_text_type sr_text_free = {"too long", copy, format_chars};
const struct sr_text_type sr_text_uuid = {"not a UUID", parse_uuid, format_uuid};
const struct sr_text_type sr_text_mac = {"not a station's MAC address", parse_mac, format_mac};
const struct sr_text_type sr_text_locator = {"not a locator (an IPv6 /96)", parse_locator, format_locator};
const struct sr_text_type sr_text_function = {"not an IPv4 address", parse_function, format_function};
const struct sr_text_type sr_text_prefix = {"not an IP prefix", parse_prefix, format_prefix};
const struct sr_text_type sr_text_cidr4 = {"not an IPv4 prefix", parse_cidr4, format_prefix};
const struct sr_text_type sr_text_addr = {"not a unicast IP address", parse_addr, format_addr};
const struct sr_text_type sr_text_sid = {"not a SID (an IPv6 address)", parse_sid, format_sid};
const struct sr_text_type sr_text_status = {"neither ACTIVE nor DOWN", parse_status, format_status};
