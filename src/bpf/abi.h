/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpf/abi.h - what the eBPF programs and user space share: the layout of every map and of the programs' constants.
 *
 * User space writes, the programs read, except for counters, pmtu and rate, which the programs write. All maps are
 * pinned under a directory whose name has SR_ABI_VERSION in it, so that programs of two versions never read each
 * other's maps: any change to a layout here raises the version. Fields that stand for what is on the wire are in
 * network byte order (__be32, in6_addr), all others in host order.
 *
 *   sr_ports     ifindex of a tap            -> sr_bpf_port     who is behind it
 *   sr_vrfs      VRF id                      -> sr_bpf_vrf      (array; id 0 is never used)
 *   sr_sids      SID                         -> sr_bpf_sid      what this node does with a packet to it
 *   sr_host4/6   {VRF id, address}           -> next hop id     exact match, looked up first
 *   sr_lpm4/6    {length, VRF id, address}   -> next hop id     longest prefix, for the rest
 *   sr_nexthops  next hop id                 -> sr_bpf_nexthop  (array; id 0 is never used); one write here moves
 *                                                               every route behind it
 *   sr_node      0                           -> sr_bpf_node     what may change while programs run
 *   sr_pmtu      outer destination           -> sr_bpf_pmtu     learnt from the fabric's Packet Too Big
 *   sr_vrf_stats VRF id                      -> sr_bpf_vrf_stats  (per CPU)
 *   sr_sid_stats stats index of a SID        -> sr_bpf_counter    (per CPU; RFC 8986 section 6.1)
 *   sr_drops     direction * SR_DROP_MAX + reason -> sr_bpf_counter (per CPU)
 *   sr_rates     the programs' own: token buckets of ICMP errors; pinned with the rest or not, as user space likes
 *   sr_scratch   the programs' own: room to work in; not to be pinned
 *
 * Programs: `sr_from_tap` at the TC ingress of each tap, `sr_from_uplink` at the TC ingress of each uplink, direct
 * action. All are in one object, srfabric.skel.h (struct srfabric_bpf; include this header first). Before load user
 * space sets rodata->sr_config and, where the defaults of maps.h do not fit, max_entries. sr_vrfs and sr_vrf_stats
 * must be of one size, sr_sid_stats as large as the largest `stats` index in sr_sids.
 */
#ifndef SR_BPF_ABI_H
#define SR_BPF_ABI_H

#ifndef __bpf__
#include <netinet/in.h> /* before linux/in6.h, which then leaves libc's types alone */
#endif
#include <linux/types.h>
#include <linux/in6.h>

#define SR_ABI_VERSION 1
#define SR_BPF_SEGS_MAX 8
#define SR_BPF_DOMAINS_MAX 8
#define SR_BPF_LOCATORS_MAX 4

#ifndef static_assert
#define static_assert _Static_assert
#endif

enum sr_encap_mode {
	SR_ENCAP_SRH = 0,     /* H.Encaps: always with an SRH */
	SR_ENCAP_REDUCED = 1, /* H.Encaps.Red: first segment in DA only, no SRH for a single segment */
};

/* RFC 2983: what becomes of the inner DSCP in the outer header. ECN is always copied (RFC 6040). */
enum sr_dscp_mode {
	SR_DSCP_COPY = 0,  /* uniform */
	SR_DSCP_FIXED = 1, /* pipe */
};

struct sr_bpf_prefix {
	struct in6_addr addr;
	__u32 len;
};

/* Constants of the programs, set before they are loaded; the verifier prunes on them. */
struct sr_bpf_config {
	struct in6_addr source;				  /* outer source address: the node's own */
	struct in6_addr locators[SR_BPF_LOCATORS_MAX];	  /* /96 each, low 32 bits zero */
	struct sr_bpf_prefix domains[SR_BPF_DOMAINS_MAX]; /* SID space and infrastructure: the SR domain */
	__u32 n_locators;
	__u32 n_domains;
	__u8 gateway_mac[6]; /* the same on every node, so that a VM that moves keeps its neighbour entry */
	__u8 encap_mode;     /* enum sr_encap_mode */
	__u8 dscp_mode;	     /* enum sr_dscp_mode */
	__u8 dscp;	     /* for SR_DSCP_FIXED: 0 to 63 */
	__u8 hop_limit;	     /* of the outer header */
	__u16 pad;
	__u32 icmp_rate; /* ICMP errors a second and CPU and kind that the datapath may send; 0: none */
};

struct sr_bpf_node {
	__u32 fabric_mtu; /* of an outer packet, bytes from the IPv6 header on: the smallest uplink's */
	__u32 pad;
};

enum sr_vrf_flags {
	SR_VRF_F_ACTIVE = 1 << 0,
	SR_VRF_F_LPM4 = 1 << 1, /* the VRF has prefixes in sr_lpm4; else a miss in sr_host4 is final */
	SR_VRF_F_LPM6 = 1 << 2,
};

struct sr_bpf_vrf {
	__be32 function; /* vrf_ip */
	__u32 flags;
	__u32 mtu; /* of a tenant's packet, as configured; 0: what the fabric carries */
	char name[16];
	__u32 pad;
};

enum sr_port_flags {
	SR_PORT_F_UP = 1 << 0, /* admin_state_up */
};

struct sr_bpf_port {
	__u32 vrf;
	__u32 nexthop;	 /* the port's own next hop id (SR_NH_PORT) */
	__be32 gateway4; /* source of ICMP errors, answers pings; 0: none */
	__u32 flags;
	struct in6_addr gateway6; /* same, or :: */
	__u8 mac[6];		  /* the VM's */
	__u16 pad;
	__u8 id[16]; /* Neutron's port id */
};

enum sr_nh_kind {
	SR_NH_NONE = 0, /* not known yet: drop, counted */
	SR_NH_NODE = 1, /* segs[0] is a locator; the function is that of the VRF */
	SR_NH_SIDS = 2, /* segs[0..n_segs), travel order */
	SR_NH_PORT = 3, /* a tap on this node */
};

struct sr_bpf_nexthop {
	__u8 kind;
	__u8 n_segs;
	__u8 mac[6];   /* SR_NH_PORT: the VM's */
	__u32 ifindex; /* SR_NH_PORT */
	__u32 pad;
	__u64 cookie; /* user space's name for it, so that a restarted agent knows it again */
	struct in6_addr segs[SR_BPF_SEGS_MAX];
};

/* RFC 8986 section 4. A VRF's SID is End.DT46 unless configured narrower. */
enum sr_sid_behavior {
	SR_SID_END = 1,
	SR_SID_END_DT4 = 2,
	SR_SID_END_DT6 = 3,
	SR_SID_END_DT46 = 4,
	SR_SID_END_DX4 = 5, /* the kernel's own datapath only */
};

struct sr_bpf_sid {
	__u32 vrf;   /* 0 for End */
	__u32 stats; /* index in sr_sid_stats */
	__u8 behavior;
	__u8 pad[3];
};

struct sr_bpf_host4_key {
	__u32 vrf;
	__be32 addr;
};

struct sr_bpf_host6_key {
	__u32 vrf;
	struct in6_addr addr;
};

/* prefixlen counts the 32 bits of the VRF id, which is in network order here because a trie compares bytes. */
struct sr_bpf_lpm4_key {
	__u32 prefixlen;
	__be32 vrf;
	__be32 addr;
};

struct sr_bpf_lpm6_key {
	__u32 prefixlen;
	__be32 vrf;
	struct in6_addr addr;
};

struct sr_bpf_pmtu {
	__u64 expires; /* bpf_ktime_get_ns; RFC 8201 section 4: at most 10 minutes on */
	__u32 mtu;     /* of the outer packet */
	__u32 pad;
};

struct sr_bpf_counter {
	__u64 packets;
	__u64 bytes; /* of inner packets, from their IP header on */
};

struct sr_bpf_vrf_stats {
	struct sr_bpf_counter encap; /* from a tap into the fabric */
	struct sr_bpf_counter decap; /* from the fabric to a tap */
	struct sr_bpf_counter local; /* from a tap to a tap of this node */
	struct sr_bpf_counter drop;
};

enum sr_direction {
	SR_DIR_FROM_TAP = 0,
	SR_DIR_FROM_UPLINK = 1,
	SR_DIR_MAX = 2,
};

/*
 * Why a packet was dropped, or answered instead of forwarded. X(symbol, text): the text is what srctl and the metrics
 * show. Append only: the numbers are map indexes.
 */
#define SR_DROP_REASONS(X)                                                                                             \
	X(UNSPEC, "unspecified")                                                                                       \
	X(NO_PORT, "no port behind this interface")                                                                    \
	X(PORT_DOWN, "port is administratively down")                                                                  \
	X(NO_VRF, "VRF is not there")                                                                                  \
	X(MALFORMED, "malformed packet")                                                                               \
	X(NOT_IP, "neither IP nor ARP")                                                                                \
	X(NO_ROUTE, "no route in the VRF")                                                                             \
	X(NO_NEXTHOP, "next hop is not known (yet)")                                                                   \
	X(NO_FIB, "the fabric has no route to the SID")                                                                \
	X(TTL, "TTL or hop limit expired")                                                                             \
	X(TOO_BIG, "larger than the path's MTU")                                                                       \
	X(SID_SPACE, "a VM's packet from or to SID space")                                                             \
	X(MULTICAST, "multicast or broadcast is not carried")                                                          \
	X(SELF, "destination is the sender's own address")                                                             \
	X(NOT_DOMAIN, "to a SID, from outside the SR domain")                                                          \
	X(SEGMENTS_LEFT, "segments left at the last segment")                                                          \
	X(UPPER_LAYER, "upper-layer header that the SID does not take")                                                \
	X(BAD_SRH, "SRH with lengths that do not agree")                                                               \
	X(HOP_LIMIT, "outer hop limit expired at End")                                                                 \
	X(ECN, "congestion marked on a packet that cannot carry the mark")                                             \
	X(RATE, "ICMP error held back by the rate limit")                                                              \
	X(HELPER, "kernel helper failed")                                                                              \
	X(OWN_ADDRESS, "ARP or ND for the port's own address, or an announcement")                                     \
	X(MARTIAN, "source or destination that no packet may have")                                                    \
	X(LINK_LOCAL, "link-local traffic is not carried")                                                             \
	X(NO_SID, "tenant's packet to a function that this node does not have")

enum sr_drop_reason {
#define X(sym, text) SR_DROP_##sym,
	SR_DROP_REASONS(X)
#undef X
		SR_DROP_MAX
};

static_assert(sizeof(struct sr_bpf_prefix) == 20, "layout");
static_assert(sizeof(struct sr_bpf_vrf) == 32, "layout");
static_assert(sizeof(struct sr_bpf_port) == 56, "layout");
static_assert(sizeof(struct sr_bpf_nexthop) == 24 + 16 * SR_BPF_SEGS_MAX, "layout");
static_assert(sizeof(struct sr_bpf_sid) == 12, "layout");
static_assert(sizeof(struct sr_bpf_host4_key) == 8, "layout");
static_assert(sizeof(struct sr_bpf_host6_key) == 20, "layout");
static_assert(sizeof(struct sr_bpf_lpm4_key) == 12, "layout");
static_assert(sizeof(struct sr_bpf_lpm6_key) == 24, "layout");
static_assert(sizeof(struct sr_bpf_pmtu) == 16, "layout");

#endif
