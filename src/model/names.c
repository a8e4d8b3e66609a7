// SPDX-License-Identifier: GPL-2.0-only
/* Names and identifiers of the model as text (model.h). */
#include "model/model.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define VRF_ID_DIGITS 6

static int hex_digit(char c)
{
	/* A table, for a UUID has 32 of them and a port two UUIDs: one more than the digit's value, 0 for no digit. */
	static const uint8_t digits[256] = {
		['0'] = 1,  2,	3,  4,	5,  6,	7, 8, 9, 10, /* to 9 */
		['A'] = 11, 12, 13, 14, 15, 16,		     /* to F */
		['a'] = 11, 12, 13, 14, 15, 16,		     /* to f */
	};

	return digits[(uint8_t)c] - 1;
}

/* Two hex digits; negative if they are not. */
static int hex_byte(const char *text)
{
	int high = hex_digit(text[0]), low = hex_digit(text[1]);

	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

int sr_uuid_parse(const char *text, size_t len, struct sr_uuid *ret)
{
	struct sr_uuid id;

	if (len != SR_UUID_STRLEN - 1)
		return -EINVAL;
	for (size_t i = 0; i < sizeof(id.b); i++) {
		int byte = hex_byte(text);

		if (byte < 0)
			return -EINVAL;
		id.b[i] = (uint8_t)byte;
		text += 2;
		if ((i == 3 || i == 5 || i == 7 || i == 9) && *text++ != '-')
			return -EINVAL;
	}
	*ret = id;
	return 0;
}

const char *sr_uuid_format(const struct sr_uuid *id, char buf[static SR_UUID_STRLEN])
{
	static const char digits[] = "0123456789abcdef";
	char *p = buf;

	for (size_t i = 0; i < sizeof(id->b); i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*p++ = '-';
		*p++ = digits[id->b[i] >> 4];
		*p++ = digits[id->b[i] & 15];
	}
	*p = '\0';
	return buf;
}

int sr_mac_parse(const char *text, size_t len, struct sr_mac *ret)
{
	struct sr_mac mac, zero = {0};

	if (len != SR_MAC_STRLEN - 1)
		return -EINVAL;
	for (size_t i = 0; i < sizeof(mac.b); i++) {
		int byte = hex_byte(text + 3 * i);

		if (byte < 0 || (i > 0 && text[3 * i - 1] != ':'))
			return -EINVAL;
		mac.b[i] = (uint8_t)byte;
	}
	if (mac.b[0] & 1 || memcmp(&mac, &zero, sizeof(mac)) == 0)
		return -EINVAL;
	*ret = mac;
	return 0;
}

const char *sr_mac_format(const struct sr_mac *mac, char buf[static SR_MAC_STRLEN])
{
	const uint8_t *b = mac->b;

	snprintf(buf, SR_MAC_STRLEN, "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3], b[4], b[5]);
	return buf;
}

int sr_addr_parse(const char *text, struct in6_addr *ret)
{
	struct in6_addr a = {.s6_addr32 = {0, 0, htonl(0xffff), 0}};

	if (inet_pton(AF_INET, text, &a.s6_addr32[3]) != 1 &&
	    (inet_pton(AF_INET6, text, &a) != 1 || IN6_IS_ADDR_V4MAPPED(&a)))
		return -EINVAL;
	*ret = a;
	return 0;
}

const char *sr_addr_format(const struct in6_addr *addr, char buf[static INET6_ADDRSTRLEN])
{
	if (IN6_IS_ADDR_V4MAPPED(addr))
		return inet_ntop(AF_INET, &addr->s6_addr32[3], buf, INET6_ADDRSTRLEN);
	return inet_ntop(AF_INET6, addr, buf, INET6_ADDRSTRLEN);
}

/* Appends the first digits of id to p, in lower case. Returns behind them, NULL if there are not enough. */
static char *id_digits(char *p, const char *id)
{
	static const char lower[] = "0123456789abcdef";

	for (int n = 0; n < VRF_ID_DIGITS; id++) {
		int digit = hex_digit(*id);

		if (*id == '-')
			continue;
		if (digit < 0)
			return NULL;
		*p++ = lower[digit];
		n++;
	}
	return p;
}

int sr_vrf_name(const char *project_id, const char *network_id, char ret[static SR_VRF_NAME_SIZE])
{
	char name[SR_VRF_NAME_SIZE] = "vrf", *p;

	p = id_digits(name + 3, project_id);
	if (p)
		p = id_digits(p, network_id);
	if (!p)
		return -EINVAL;
	memcpy(ret, name, sizeof(name));
	return 0;
}

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* 1 to max of letters, digits and `others`? */
static bool consists_of(const char *name, size_t max, const char *others)
{
	size_t len = 0;

	for (; name[len]; len++)
		if (len >= max || (!is_alnum(name[len]) && !strchr(others, name[len])))
			return false;
	return len > 0;
}

bool sr_vrf_name_valid(const char *name)
{
	return consists_of(name, SR_VRF_NAME_SIZE - 1, "_-");
}

bool sr_name_valid(const char *name)
{
	return name[0] != '.' && consists_of(name, SR_NAME_SIZE - 1, "._-");
}

const char *sr_tap_name(const struct sr_uuid *port_id, char buf[static SR_TAP_NAME_SIZE])
{
	char id[SR_UUID_STRLEN];

	snprintf(buf, SR_TAP_NAME_SIZE, "tap%.11s", sr_uuid_format(port_id, id));
	return buf;
}
