/* SPDX-License-Identifier: GPL-2.0-only */
#include "store/claim.h"

#include <jansson.h>
#include <stdio.h>

/* Names of clusters, nodes, VRFs and ids have no character that JSON would want escaped. */

const char *sr_claim_locator(const char *cluster, const char *node, char buf[static SR_CLAIM_SIZE])
{
	snprintf(buf, SR_CLAIM_SIZE, "{\"cluster\":\"%s\",\"node\":\"%s\"}", cluster, node);
	return buf;
}

const char *sr_claim_vrf_ip(const char *vrf, char buf[static SR_CLAIM_SIZE])
{
	snprintf(buf, SR_CLAIM_SIZE, "{\"vrf\":\"%s\"}", vrf);
	return buf;
}

const char *sr_claim_vrf_ip_freed(const char *vrf, char buf[static SR_CLAIM_SIZE])
{
	snprintf(buf, SR_CLAIM_SIZE, "{\"vrf\":\"%s\",\"freed\":true}", vrf);
	return buf;
}

const char *sr_claim_address(const struct sr_uuid *port, char buf[static SR_CLAIM_SIZE])
{
	char id[SR_UUID_STRLEN];

	snprintf(buf, SR_CLAIM_SIZE, "{\"port\":\"%s\"}", sr_uuid_format(port, id));
	return buf;
}

const char *sr_claim_member(struct sr_bytes value, const char *name, char buf[static SR_CLAIM_SIZE])
{
	json_t *claim = json_loadb(value.data, value.len, 0, NULL);
	const char *text = json_string_value(json_object_get(claim, name));

	snprintf(buf, SR_CLAIM_SIZE, "%s", text ? text : "?");
	json_decref(claim);
	return buf;
}
