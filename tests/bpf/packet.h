/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * packet.h - whole packets, built layer by layer and compared byte by byte.
 *
 *	struct packet p = PACKET(ETH(mac_vm1, mac_gateway), IP4("10.0.0.1", "10.0.1.1", .ttl = 64), UDP(1000, 2000),
 *DATA(20));
 *
 * A field left at zero gets what a correct packet has there: types and next headers from the layer that follows,
 *lengths and checksums from the whole. A malformed packet is a correct one with bytes changed afterwards
 *(packet_layer()). Nothing here shares code with what is tested. Errors in a test's own use of it abort.
 */
#ifndef SR_TESTS_BPF_PACKET_H
#define SR_TESTS_BPF_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACKET_MAX 3600 /* what BPF_PROG_TEST_RUN takes in one page */
#define PACKET_LAYERS 24
#define PACKET_SEGS 10
#define ZERO (-1) /* a field whose zero means "the usual": really zero */

enum layer_kind {
	L_END,
	L_ETH,
	L_ARP,
	L_IP4,
	L_IP6,
	L_HBH,	   /* hop-by-hop options, padding only */
	L_DSTOPTS, /* destination options, padding only */
	L_FRAG,	   /* IPv6 fragment header */
	L_SRH,
	L_UDP,
	L_TCP,
	L_ICMP,
	L_ICMP6,
	L_NS, /* ICMPv6 neighbour solicitation, with a source link-layer option if it has an address for it */
	L_NA, /* ICMPv6 neighbour advertisement, with a target link-layer option likewise */
	L_DATA,
};

struct layer {
	enum layer_kind kind;
	union {
		struct {
			const uint8_t *src, *dst;
			uint16_t type;
		} eth;
		struct {
			uint16_t op;
			const uint8_t *sender_mac;
			const char *sender;
			const uint8_t *target_mac; /* NULL: zeros */
			const char *target;
		} arp;
		struct {
			const char *src, *dst;
			int ttl; /* 0: 64 */
			uint8_t tos;
			uint16_t id;
			uint16_t frag; /* flags and offset in units of 8, host order */
			uint8_t proto;
			uint8_t options; /* bytes of no-operation options, a multiple of 4 */
		} ip4;
		struct {
			const char *src, *dst;
			int hlim; /* 0: 64 */
			uint8_t tc;
			uint32_t flow;
			int next; /* 0: from what follows */
		} ip6;
		struct {
			uint8_t len;	/* in units of 8 beyond the first 8 */
			uint8_t option; /* type of its one option; 0: PadN */
		} opts;
		struct {
			uint16_t offset; /* in units of 8 */
			bool more;
			uint32_t id;
			uint8_t next; /* of the datagram, where no layer follows */
		} frag;
		struct {
			uint8_t left;
			const char *segs[PACKET_SEGS]; /* travel order, as the list that is written: without the first
							  if reduced */
			uint8_t flags;
			uint16_t tag;
			uint8_t tlv; /* bytes of PadN behind the list, a multiple of 8 */
		} srh;
		struct {
			uint16_t sport, dport;
			bool no_csum;
		} udp;
		struct {
			uint16_t sport, dport;
			uint32_t seq;
			uint8_t flags;
		} tcp;
		struct {
			uint8_t type, code;
			uint32_t rest; /* second word, host order */
		} icmp;
		struct {
			const char *target;
			const uint8_t *mac; /* NULL: no option */
			uint32_t flags;	    /* of an NA: the word with R, S, O; host order */
		} nd;
		struct {
			size_t len;
			const uint8_t *bytes; /* NULL: counting */
		} data;
	};
};

#define ETH(...) ((struct layer){.kind = L_ETH, .eth = {__VA_ARGS__}})
#define ARP(...) ((struct layer){.kind = L_ARP, .arp = {__VA_ARGS__}})
#define IP4(...) ((struct layer){.kind = L_IP4, .ip4 = {__VA_ARGS__}})
#define IP6(...) ((struct layer){.kind = L_IP6, .ip6 = {__VA_ARGS__}})
#define HBH(...) ((struct layer){.kind = L_HBH, .opts = {__VA_ARGS__}})
#define DSTOPTS(...) ((struct layer){.kind = L_DSTOPTS, .opts = {__VA_ARGS__}})
#define FRAG(...) ((struct layer){.kind = L_FRAG, .frag = {__VA_ARGS__}})
#define SRH(...) ((struct layer){.kind = L_SRH, .srh = {__VA_ARGS__}})
#define UDP(...) ((struct layer){.kind = L_UDP, .udp = {__VA_ARGS__}})
#define TCP(...) ((struct layer){.kind = L_TCP, .tcp = {__VA_ARGS__}})
#define ICMP(...) ((struct layer){.kind = L_ICMP, .icmp = {__VA_ARGS__}})
#define ICMP6(...) ((struct layer){.kind = L_ICMP6, .icmp = {__VA_ARGS__}})
#define NS(...) ((struct layer){.kind = L_NS, .nd = {__VA_ARGS__}})
#define NA(...) ((struct layer){.kind = L_NA, .nd = {__VA_ARGS__}})
#define DATA(...) ((struct layer){.kind = L_DATA, .data = {__VA_ARGS__}})

struct packet {
	size_t len;
	size_t n_layers;
	struct {
		enum layer_kind kind;
		size_t off;
	} layers[PACKET_LAYERS]; /* as built; none for one that a program gave back */
	uint8_t data[PACKET_MAX];
};

struct packet packet_build(const struct layer *layers);
#define PACKET(...) packet_build((const struct layer[]){__VA_ARGS__, {.kind = L_END}})

/* The nth layer (from 0) of its kind in a packet that was built. */
uint8_t *packet_layer(struct packet *p, enum layer_kind kind, unsigned int nth);
size_t packet_offset(const struct packet *p, enum layer_kind kind, unsigned int nth);

/* After bytes of a built packet were changed on purpose: the first IPv4 header's checksum anew. */
void packet_ip4_checksum(struct packet *p);

/* Fields of an IPv6 header at `ip6`. */
uint32_t ip6_flow(const uint8_t *ip6);
void ip6_set_flow(uint8_t *ip6, uint32_t flow);

/* Internet checksum of the bytes, folded, as it would be written; 0 where the checksum in them is right. */
uint16_t checksum(const void *bytes, size_t len, uint32_t sum);
/* The same with the pseudo-header of addresses of `addr_len` bytes. */
uint16_t checksum_pseudo(const void *src, const void *dst, size_t addr_len, uint8_t proto, const void *bytes,
			 size_t len);

/* Fails the test, with both packets and the names of the fields that differ, unless both are the same. */
void packet_assert_equal_at(const struct packet *got, const struct packet *want, const char *file, int line);
#define packet_assert_equal(got, want) packet_assert_equal_at(got, want, __FILE__, __LINE__)
void packet_print(const char *title, const struct packet *p);

#endif
