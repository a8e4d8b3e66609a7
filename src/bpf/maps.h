/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpf/maps.h - the maps and constants of the programs, declared; maps.bpf.c defines them, abi.h says what they hold.
 *
 * All programs are linked into one object, so each map exists once. User space sets the sizes before it loads the
 * object; those here are defaults.
 */
#ifndef SR_BPF_MAPS_H
#define SR_BPF_MAPS_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "abi.h"

#define SR_MAX_PORTS 4096
#define SR_MAX_VRFS 4096
#define SR_MAX_SIDS (4 * SR_MAX_VRFS + 4)
#define SR_MAX_NEXTHOPS 65536
#define SR_MAX_ROUTES (1 << 20)
#define SR_MAX_PMTU 4096

/* The ICMP errors that are limited each by itself. */
enum sr_rate_kind {
	SR_RATE_TIME_EXCEEDED,
	SR_RATE_TOO_BIG,
	SR_RATE_PARAM_PROBLEM,
	SR_RATE_MAX,
};

/* A token bucket: `credit` in nanoseconds since `last`. */
struct sr_rate {
	__u64 last;
	__u64 credit;
};

/* What an ICMP error quotes, while its buffer is written anew. */
struct sr_scratch {
	__u8 bytes[1536];
};

struct sr_ports_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, SR_MAX_PORTS);
	__type(key, __u32);
	__type(value, struct sr_bpf_port);
};

struct sr_vrfs_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SR_MAX_VRFS);
	__type(key, __u32);
	__type(value, struct sr_bpf_vrf);
};

struct sr_sids_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, SR_MAX_SIDS);
	__type(key, struct in6_addr);
	__type(value, struct sr_bpf_sid);
};

struct sr_host4_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, SR_MAX_ROUTES);
	__type(key, struct sr_bpf_host4_key);
	__type(value, __u32);
};

struct sr_host6_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, SR_MAX_ROUTES);
	__type(key, struct sr_bpf_host6_key);
	__type(value, __u32);
};

struct sr_lpm4_map {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, SR_MAX_ROUTES);
	__type(key, struct sr_bpf_lpm4_key);
	__type(value, __u32);
};

struct sr_lpm6_map {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, SR_MAX_ROUTES);
	__type(key, struct sr_bpf_lpm6_key);
	__type(value, __u32);
};

struct sr_nexthops_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SR_MAX_NEXTHOPS);
	__type(key, __u32);
	__type(value, struct sr_bpf_nexthop);
};

struct sr_node_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sr_bpf_node);
};

struct sr_pmtu_map {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, SR_MAX_PMTU);
	__type(key, struct in6_addr);
	__type(value, struct sr_bpf_pmtu);
};

struct sr_vrf_stats_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SR_MAX_VRFS);
	__type(key, __u32);
	__type(value, struct sr_bpf_vrf_stats);
};

struct sr_sid_stats_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SR_MAX_SIDS);
	__type(key, __u32);
	__type(value, struct sr_bpf_counter);
};

struct sr_drops_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SR_DIR_MAX *SR_DROP_MAX);
	__type(key, __u32);
	__type(value, struct sr_bpf_counter);
};

struct sr_rates_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SR_RATE_MAX);
	__type(key, __u32);
	__type(value, struct sr_rate);
};

struct sr_scratch_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sr_scratch);
};

extern struct sr_ports_map sr_ports SEC(".maps");
extern struct sr_vrfs_map sr_vrfs SEC(".maps");
extern struct sr_sids_map sr_sids SEC(".maps");
extern struct sr_host4_map sr_host4 SEC(".maps");
extern struct sr_host6_map sr_host6 SEC(".maps");
extern struct sr_lpm4_map sr_lpm4 SEC(".maps");
extern struct sr_lpm6_map sr_lpm6 SEC(".maps");
extern struct sr_nexthops_map sr_nexthops SEC(".maps");
extern struct sr_node_map sr_node SEC(".maps");
extern struct sr_pmtu_map sr_pmtu SEC(".maps");
extern struct sr_vrf_stats_map sr_vrf_stats SEC(".maps");
extern struct sr_sid_stats_map sr_sid_stats SEC(".maps");
extern struct sr_drops_map sr_drops SEC(".maps");
extern struct sr_rates_map sr_rates SEC(".maps");
extern struct sr_scratch_map sr_scratch SEC(".maps");

extern const volatile struct sr_bpf_config sr_config;

#endif
