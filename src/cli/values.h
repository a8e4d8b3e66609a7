/* SPDX-License-Identifier: GPL-2.0-only */
/* cli/values.h - what commands take as values: each says what is wrong with one and returns false. */
#ifndef SR_CLI_VALUES_H
#define SR_CLI_VALUES_H

#include "model/model.h"

/* From text; NULL: a new one, random. */
bool cli_value_id(const char *text, struct sr_uuid *ret);
bool cli_value_mac(const char *text, struct sr_mac *ret);
/* "CIDR", "CIDR,GATEWAY" or "CIDR,none"; without a gateway it is the first address. */
bool cli_value_subnet(const char *text, struct sr_subnet *ret);
bool cli_value_locator(const char *text, struct sr_locator *ret);
bool cli_value_number(const char *what, const char *text, unsigned long min, unsigned long max, uint32_t *ret);
/* "DEST=SID[,SID]...", in the order of travel. */
bool cli_value_rule(const char *text, struct sr_encap_rule *ret);
/* A name that people give; what: of what. */
bool cli_value_label(const char *what, const char *text, char ret[static SR_LABEL_SIZE]);

#endif
