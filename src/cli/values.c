/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/values.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "cli/cli.h"

bool cli_value_id(const char *text, struct sr_uuid *ret)
{
	if (text && sr_uuid_parse(text, strlen(text), ret) < 0) {
		cli_usage("%s is not a UUID (8-4-4-4-12 hex digits).", text);
		return false;
	}
	if (text)
		return true;
	if (getrandom(ret->b, sizeof(ret->b), 0) != sizeof(ret->b)) {
		cli_fail("no random numbers: %s.", strerror(errno));
		return false;
	}
	ret->b[6] = (ret->b[6] & 0x0f) | 0x40; /* RFC 9562 section 5.4: version 4 */
	ret->b[8] = (ret->b[8] & 0x3f) | 0x80;
	return true;
}

bool cli_value_mac(const char *text, struct sr_mac *ret)
{
	if (sr_mac_parse(text, strlen(text), ret) == 0)
		return true;
	cli_usage("%s is not the MAC address of one interface.", text);
	return false;
}

/* Neutron's default. None in a subnet that is too small for it. */
static struct in6_addr first_address(const struct sr_prefix *cidr)
{
	struct in6_addr addr = cidr->addr;

	if (cidr->len >= 127)
		return in6addr_any;
	addr.s6_addr[15] |= 1;
	return addr;
}

bool cli_value_subnet(const char *text, struct sr_subnet *ret)
{
	char copy[2 * SR_PREFIX_STRLEN];
	struct sr_subnet subnet;
	char *gateway;

	if (snprintf(copy, sizeof(copy), "%s", text) >= (int)sizeof(copy)) {
		cli_usage("%s is not CIDR[,GATEWAY].", text);
		return false;
	}
	gateway = strchr(copy, ',');
	if (gateway)
		*gateway++ = '\0';
	if (sr_prefix_parse(copy, &subnet.cidr) < 0) {
		cli_usage("%s is not a prefix without bits beyond its length.", copy);
		return false;
	}
	if (!gateway) {
		subnet.gateway = first_address(&subnet.cidr);
	} else if (strcmp(gateway, "none") == 0) {
		subnet.gateway = in6addr_any;
	} else if (sr_addr_parse(gateway, &subnet.gateway) < 0) {
		cli_usage("%s is neither an address nor \"none\".", gateway);
		return false;
	}
	*ret = subnet;
	return true;
}

bool cli_value_locator(const char *text, struct sr_locator *ret)
{
	if (sr_locator_parse(text, ret) == 0)
		return true;
	cli_usage("%s is not a locator: the /96 of a node, as in 2400:dcc0::a7a:4d8e.", text);
	return false;
}

bool cli_value_number(const char *what, const char *text, unsigned long min, unsigned long max, uint32_t *ret)
{
	char *end;
	unsigned long number;

	errno = 0;
	number = strtoul(text, &end, 10);
	if (errno || end == text || *end || number < min || number > max) {
		cli_usage("%s is not %s: a number from %lu to %lu.", text, what, min, max);
		return false;
	}
	*ret = (uint32_t)number;
	return true;
}

static bool take_segments(char *list, struct sr_encap_rule *rule, const char *text)
{
	char *word;

	while ((word = strsep(&list, ","))) {
		if (rule->n_segs == SR_SEGS_MAX) {
			cli_usage("%s has more than %d SIDs.", text, SR_SEGS_MAX);
			return false;
		}
		if (sr_sid_parse(word, &rule->segs[rule->n_segs++]) < 0) {
			cli_usage("%s is not a SID.", word);
			return false;
		}
	}
	return true;
}

bool cli_value_rule(const char *text, struct sr_encap_rule *ret)
{
	char copy[SR_PREFIX_STRLEN + SR_SEGS_MAX * (SR_SID_STRLEN + 1)];
	struct sr_encap_rule rule = {};
	char *sids;

	if (snprintf(copy, sizeof(copy), "%s", text) >= (int)sizeof(copy) || !(sids = strchr(copy, '='))) {
		cli_usage("%s is not DESTINATION=SID[,SID]...", text);
		return false;
	}
	*sids++ = '\0';
	if (sr_prefix_parse(copy, &rule.destination) < 0) {
		cli_usage("%s is neither an address nor a prefix without bits beyond its length.", copy);
		return false;
	}
	if (!take_segments(sids, &rule, text))
		return false;
	*ret = rule;
	return true;
}

bool cli_value_label(const char *what, const char *text, char ret[static SR_LABEL_SIZE])
{
	if (strlen(text) >= SR_LABEL_SIZE) {
		cli_usage("the name of the %s is longer than %d bytes.", what, SR_LABEL_SIZE - 1);
		return false;
	}
	snprintf(ret, SR_LABEL_SIZE, "%s", text);
	return true;
}
