/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cli/world.h - the cluster as an agent sees it: read from the store into the agents' own model (model/fabric.h), so
 * that what srctl says about routes is what they compute.
 */
#ifndef SR_CLI_WORLD_H
#define SR_CLI_WORLD_H

#include "cli/names.h"
#include "model/fabric.h"

struct cli_world {
	struct sr_fabric *fabric;
	struct cli_names nodes;
	cli_object_cb also; /* is told of each object of the VRFs; may be NULL */
	void *ctx;
	bool failed;
};

/*
 * Reads all nodes, and one VRF or (vrf NULL) all, as the node `self` would ("": none in particular). Says what is wrong
 * and returns false. cli_world_fini in any case.
 */
bool cli_world_load(struct cli *cli, const char *self, const char *vrf, cli_object_cb also, void *ctx,
		    struct cli_world *ret);
void cli_world_fini(struct cli_world *world);

/* Where a route leads. */
struct cli_path {
	const struct sr_hop_key *hop;
	const char *why;  /* "port", "encap", "gateway" */
	const char *node; /* whose locator the first segment is; NULL: not known, or none is meant */
	struct sr_sid segs[SR_SEGS_MAX];
	size_t n_segs; /* 0: a tap of `self`, or a node that is not registered */
};
void cli_world_path(const struct cli_world *world, const struct sr_vnet *vnet, uint32_t hop, struct cli_path *ret);
/* The node with this locator; NULL: none. */
const struct sr_node *cli_world_node_of(const struct cli_world *world, const struct sr_sid *sid);
/* "sid,sid". Returns buf. */
const char *cli_segments_format(const struct sr_sid *segs, size_t n,
				char buf[static SR_SEGS_MAX * (SR_SID_STRLEN + 1)]);
/* The same as a JSON array. */
json_t *cli_segments_json(const struct sr_sid *segs, size_t n);

#endif
