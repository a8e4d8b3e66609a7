/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * store/claim.h - what stands in claims: whose they are, for people and for cleaning up. docs/schema.md, Claims.
 *
 * Read leniently: a claim whose value is bad still claims, only its owner is not known.
 */
#ifndef SR_STORE_CLAIM_H
#define SR_STORE_CLAIM_H

#include "etcd/etcd.h"
#include "model/model.h"

#define SR_CLAIM_SIZE 192

/* Write the value of a claim; the names have been checked. Return buf. */
const char *sr_claim_locator(const char *cluster, const char *node, char buf[static SR_CLAIM_SIZE]);
const char *sr_claim_vrf_ip(const char *vrf, char buf[static SR_CLAIM_SIZE]);
/* Of a VRF that is gone: nobody is to have it yet. */
const char *sr_claim_vrf_ip_freed(const char *vrf, char buf[static SR_CLAIM_SIZE]);
const char *sr_claim_address(const struct sr_uuid *port, char buf[static SR_CLAIM_SIZE]);

/* One text member ("cluster", "node", "vrf", "port") of a claim's value; "?" if it cannot be read. Returns buf. */
const char *sr_claim_member(struct sr_bytes value, const char *name, char buf[static SR_CLAIM_SIZE]);

#endif
