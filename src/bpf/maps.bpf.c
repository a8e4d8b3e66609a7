// SPDX-License-Identifier: GPL-2.0-only
/* The maps and constants that all programs share, defined once; see maps.h and abi.h. */
#include "maps.h"

struct sr_ports_map sr_ports SEC(".maps");
struct sr_vrfs_map sr_vrfs SEC(".maps");
struct sr_sids_map sr_sids SEC(".maps");
struct sr_host4_map sr_host4 SEC(".maps");
struct sr_host6_map sr_host6 SEC(".maps");
struct sr_lpm4_map sr_lpm4 SEC(".maps");
struct sr_lpm6_map sr_lpm6 SEC(".maps");
struct sr_nexthops_map sr_nexthops SEC(".maps");
struct sr_node_map sr_node SEC(".maps");
struct sr_pmtu_map sr_pmtu SEC(".maps");
struct sr_vrf_stats_map sr_vrf_stats SEC(".maps");
struct sr_sid_stats_map sr_sid_stats SEC(".maps");
struct sr_drops_map sr_drops SEC(".maps");
struct sr_rates_map sr_rates SEC(".maps");
struct sr_scratch_map sr_scratch SEC(".maps");

const volatile struct sr_bpf_config sr_config = {};

char _license[] SEC("license") = "GPL";
