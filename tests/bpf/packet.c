// SPDX-License-Identifier: GPL-2.0-only
/* Building: layers are written in order, then lengths, next headers and checksums are filled in from the inside out. */
#include "packet.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ETH_HLEN 14
#define OFFSET_MASK 0x1fff

static void put16(uint8_t *at, uint16_t v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

static void put32(uint8_t *at, uint32_t v)
{
	put16(at, (uint16_t)(v >> 16));
	put16(at + 2, (uint16_t)v);
}

static uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static void put_address(uint8_t *at, int family, const char *text)
{
	if (inet_pton(family, text, at) != 1) {
		fprintf(stderr, "packet: '%s' is no address\n", text);
		abort();
	}
}

static uint8_t *grow(struct packet *p, size_t len)
{
	uint8_t *at = p->data + p->len;

	if (p->len + len > sizeof(p->data))
		abort();
	p->len += len;
	return at;
}

/* Writing each kind of layer. What depends on the layers behind it is left zero. */

static void write_eth(struct packet *p, const struct layer *l)
{
	uint8_t *at = grow(p, ETH_HLEN);

	memcpy(at, l->eth.dst, 6);
	memcpy(at + 6, l->eth.src, 6);
	put16(at + 12, l->eth.type);
}

static void write_arp(struct packet *p, const struct layer *l)
{
	static const uint8_t head[] = {0, 1, 8, 0, 6, 4};
	uint8_t *at = grow(p, 28);

	memcpy(at, head, sizeof(head));
	put16(at + 6, l->arp.op);
	memcpy(at + 8, l->arp.sender_mac, 6);
	put_address(at + 14, AF_INET, l->arp.sender);
	if (l->arp.target_mac)
		memcpy(at + 18, l->arp.target_mac, 6);
	put_address(at + 24, AF_INET, l->arp.target);
}

static void write_ip4(struct packet *p, const struct layer *l)
{
	uint8_t *at = grow(p, 20);

	at[0] = (uint8_t)(0x45 + l->ip4.options / 4);
	at[1] = l->ip4.tos;
	put16(at + 4, l->ip4.id);
	put16(at + 6, l->ip4.frag);
	at[8] = (uint8_t)(l->ip4.ttl == ZERO ? 0 : l->ip4.ttl ? l->ip4.ttl : 64);
	at[9] = l->ip4.proto;
	put_address(at + 12, AF_INET, l->ip4.src);
	put_address(at + 16, AF_INET, l->ip4.dst);
	memset(grow(p, l->ip4.options), 1, l->ip4.options);
}

static void write_ip6(struct packet *p, const struct layer *l)
{
	uint8_t *at = grow(p, 40);

	put32(at, 6U << 28 | (uint32_t)l->ip6.tc << 20 | l->ip6.flow);
	at[6] = (uint8_t)(l->ip6.next > 0 ? l->ip6.next : 0);
	at[7] = (uint8_t)(l->ip6.hlim == ZERO ? 0 : l->ip6.hlim ? l->ip6.hlim : 64);
	put_address(at + 8, AF_INET6, l->ip6.src);
	put_address(at + 24, AF_INET6, l->ip6.dst);
}

static void write_opts(struct packet *p, const struct layer *l)
{
	size_t len = 8 * ((size_t)l->opts.len + 1);
	uint8_t *at = grow(p, len);

	at[1] = l->opts.len;
	at[2] = l->opts.option ? l->opts.option : 1; /* PadN */
	at[3] = (uint8_t)(len - 4);
}

static void write_frag(struct packet *p, const struct layer *l)
{
	uint8_t *at = grow(p, 8);

	at[0] = l->frag.next;
	put16(at + 2, (uint16_t)(l->frag.offset << 3 | l->frag.more));
	put32(at + 4, l->frag.id);
}

static void write_srh(struct packet *p, const struct layer *l)
{
	size_t n = 0;
	uint8_t *at;

	while (n < PACKET_SEGS && l->srh.segs[n])
		n++;
	at = grow(p, 8 + 16 * n + l->srh.tlv);
	at[1] = (uint8_t)(2 * n + l->srh.tlv / 8);
	at[2] = 4;
	at[3] = l->srh.left;
	at[4] = (uint8_t)(n - 1);
	at[5] = l->srh.flags;
	put16(at + 6, l->srh.tag);
	for (size_t i = 0; i < n; i++)
		put_address(at + 8 + 16 * (n - 1 - i), AF_INET6, l->srh.segs[i]);
	if (l->srh.tlv) {
		at[8 + 16 * n] = 4;
		at[9 + 16 * n] = (uint8_t)(l->srh.tlv - 2);
	}
}

static void write_l4(struct packet *p, const struct layer *l)
{
	uint8_t *at;

	switch (l->kind) {
	case L_UDP:
		at = grow(p, 8);
		put16(at, l->udp.sport);
		put16(at + 2, l->udp.dport);
		break;
	case L_TCP:
		at = grow(p, 20);
		put16(at, l->tcp.sport);
		put16(at + 2, l->tcp.dport);
		put32(at + 4, l->tcp.seq);
		at[12] = 5 << 4;
		at[13] = l->tcp.flags ? l->tcp.flags : 0x10;
		put16(at + 14, 1000);
		break;
	default:
		at = grow(p, 8);
		at[0] = l->icmp.type;
		at[1] = l->icmp.code;
		put32(at + 4, l->icmp.rest);
	}
}

static void write_nd(struct packet *p, const struct layer *l)
{
	uint8_t *at = grow(p, l->nd.mac ? 32 : 24);

	at[0] = l->kind == L_NS ? 135 : 136;
	put32(at + 4, l->nd.flags);
	put_address(at + 8, AF_INET6, l->nd.target);
	if (l->nd.mac) {
		at[24] = l->kind == L_NS ? 1 : 2;
		at[25] = 1;
		memcpy(at + 26, l->nd.mac, 6);
	}
}

static void write_data(struct packet *p, const struct layer *l)
{
	uint8_t *at = grow(p, l->data.len);

	for (size_t i = 0; i < l->data.len; i++)
		at[i] = l->data.bytes ? l->data.bytes[i] : (uint8_t)i;
}

static void write_layer(struct packet *p, const struct layer *l)
{
	switch (l->kind) {
	case L_ETH:
		return write_eth(p, l);
	case L_ARP:
		return write_arp(p, l);
	case L_IP4:
		return write_ip4(p, l);
	case L_IP6:
		return write_ip6(p, l);
	case L_HBH:
	case L_DSTOPTS:
		return write_opts(p, l);
	case L_FRAG:
		return write_frag(p, l);
	case L_SRH:
		return write_srh(p, l);
	case L_NS:
	case L_NA:
		return write_nd(p, l);
	case L_DATA:
		return write_data(p, l);
	default:
		return write_l4(p, l);
	}
}

/* Filling in */

/* Protocol number by which the header before announces a layer; 59, no next header, for what has none. */
static uint8_t number_of(enum layer_kind kind)
{
	static const uint8_t numbers[] = {
		[L_IP4] = 4, [L_IP6] = 41, [L_DSTOPTS] = 60, [L_FRAG] = 44, [L_SRH] = 43, [L_UDP] = 17,
		[L_TCP] = 6, [L_ICMP] = 1, [L_ICMP6] = 58,   [L_NS] = 58,   [L_NA] = 58,
	};

	if (kind == L_HBH)
		return 0;
	return kind < sizeof(numbers) && numbers[kind] ? numbers[kind] : 59;
}

static uint16_t ethertype_of(enum layer_kind kind)
{
	return kind == L_ARP ? 0x0806 : kind == L_IP6 ? 0x86dd : 0x0800;
}

static uint32_t sum16(const uint8_t *bytes, size_t len, uint32_t sum)
{
	size_t i;

	for (i = 0; i + 1 < len; i += 2)
		sum += get16(bytes + i);
	return i < len ? sum + ((uint32_t)bytes[i] << 8) : sum;
}

uint16_t checksum(const void *bytes, size_t len, uint32_t sum)
{
	sum = sum16(bytes, len, sum);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

uint16_t checksum_pseudo(const void *src, const void *dst, size_t addr_len, uint8_t proto, const void *bytes,
			 size_t len)
{
	uint32_t sum = sum16(src, addr_len, 0);

	sum = sum16(dst, addr_len, sum);
	return checksum(bytes, len, sum + proto + (uint32_t)len);
}

/* Over the pseudo-header of the nearest IP header before layer i. RFC 8200 8.1: DA is that of the final destination. */
static uint16_t l4_checksum(const struct packet *p, size_t i, uint8_t proto)
{
	const uint8_t *at = p->data + p->layers[i].off;
	size_t len = p->len - p->layers[i].off;
	const uint8_t *dst = NULL;

	while (i-- > 0) {
		const uint8_t *ip = p->data + p->layers[i].off;

		if (p->layers[i].kind == L_SRH && ip[3])
			dst = ip + 8;
		if (p->layers[i].kind == L_IP4)
			return checksum_pseudo(ip + 12, ip + 16, 4, proto, at, len);
		if (p->layers[i].kind == L_IP6)
			return checksum_pseudo(ip + 8, dst ? dst : ip + 24, 16, proto, at, len);
	}
	return 0;
}

static void fill_l4(struct packet *p, size_t i, const struct layer *l)
{
	uint8_t *at = p->data + p->layers[i].off;
	size_t len = p->len - p->layers[i].off;
	uint16_t sum;

	switch (l->kind) {
	case L_UDP:
		put16(at + 4, (uint16_t)len);
		sum = l->udp.no_csum ? 0 : l4_checksum(p, i, 17);
		put16(at + 6, sum || l->udp.no_csum ? sum : 0xffff);
		break;
	case L_TCP:
		put16(at + 16, l4_checksum(p, i, 6));
		break;
	case L_ICMP:
		put16(at + 2, checksum(at, len, 0));
		break;
	default:
		put16(at + 2, l4_checksum(p, i, 58));
	}
}

/* `next` is the kind behind layer i. */
static void fill(struct packet *p, size_t i, const struct layer *l, enum layer_kind next)
{
	uint8_t *at = p->data + p->layers[i].off;
	size_t len = p->len - p->layers[i].off;

	switch (l->kind) {
	case L_ETH:
		if (!l->eth.type)
			put16(at + 12, ethertype_of(next));
		break;
	case L_IP4:
		put16(at + 2, (uint16_t)len);
		if (!l->ip4.proto)
			at[9] = number_of(next);
		put16(at + 10, checksum(at, 20U + l->ip4.options, 0));
		break;
	case L_IP6:
		put16(at + 4, (uint16_t)(len - 40));
		if (!l->ip6.next)
			at[6] = number_of(next);
		break;
	case L_HBH:
	case L_DSTOPTS:
	case L_SRH:
		at[0] = number_of(next);
		break;
	case L_FRAG:
		if (!l->frag.next)
			at[0] = number_of(next);
		break;
	case L_ARP:
	case L_DATA:
		break;
	default:
		fill_l4(p, i, l);
	}
}

struct packet packet_build(const struct layer *layers)
{
	struct packet p = {0};

	for (size_t i = 0; layers[i].kind != L_END; i++) {
		if (i == PACKET_LAYERS)
			abort();
		p.layers[i].kind = layers[i].kind;
		p.layers[i].off = p.len;
		p.n_layers = i + 1;
		write_layer(&p, &layers[i]);
	}
	for (size_t i = p.n_layers; i-- > 0;)
		fill(&p, i, &layers[i], i + 1 < p.n_layers ? layers[i + 1].kind : L_END);
	return p;
}

size_t packet_offset(const struct packet *p, enum layer_kind kind, unsigned int nth)
{
	for (size_t i = 0; i < p->n_layers; i++) {
		if (p->layers[i].kind == kind && nth-- == 0)
			return p->layers[i].off;
	}
	abort();
}

uint8_t *packet_layer(struct packet *p, enum layer_kind kind, unsigned int nth)
{
	return p->data + packet_offset(p, kind, nth);
}

void packet_ip4_checksum(struct packet *p)
{
	uint8_t *at = packet_layer(p, L_IP4, 0);

	put16(at + 10, 0);
	put16(at + 10, checksum(at, 4 * (size_t)(at[0] & 0xf), 0));
}

uint32_t ip6_flow(const uint8_t *ip6)
{
	return (ip6[1] & 0xfU) << 16 | get16(ip6 + 2);
}

void ip6_set_flow(uint8_t *ip6, uint32_t flow)
{
	ip6[1] = (uint8_t)((ip6[1] & 0xf0) | flow >> 16);
	put16(ip6 + 2, (uint16_t)flow);
}
