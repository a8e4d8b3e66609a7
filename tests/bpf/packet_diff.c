// SPDX-License-Identifier: GPL-2.0-only
/* Saying how two packets differ: the field of each byte that does, by the layers of the one that was wanted. */
#include "unit.h"
#include "packet.h"

#include <string.h>

#define SHOWN_MAX 16
#define PER_LINE 16

static const struct {
	enum layer_kind kind;
	size_t off;
	const char *name;
} fields[] = {
	{L_ETH, 0, "eth.dst"},
	{L_ETH, 6, "eth.src"},
	{L_ETH, 12, "eth.type"},
	{L_ARP, 0, "arp.head"},
	{L_ARP, 6, "arp.op"},
	{L_ARP, 8, "arp.sender_mac"},
	{L_ARP, 14, "arp.sender"},
	{L_ARP, 18, "arp.target_mac"},
	{L_ARP, 24, "arp.target"},
	{L_IP4, 0, "ip4.version"},
	{L_IP4, 1, "ip4.tos"},
	{L_IP4, 2, "ip4.length"},
	{L_IP4, 4, "ip4.id"},
	{L_IP4, 6, "ip4.frag"},
	{L_IP4, 8, "ip4.ttl"},
	{L_IP4, 9, "ip4.proto"},
	{L_IP4, 10, "ip4.check"},
	{L_IP4, 12, "ip4.src"},
	{L_IP4, 16, "ip4.dst"},
	{L_IP4, 20, "ip4.options"},
	{L_IP6, 0, "ip6.version, tc, flow"},
	{L_IP6, 4, "ip6.length"},
	{L_IP6, 6, "ip6.next"},
	{L_IP6, 7, "ip6.hop_limit"},
	{L_IP6, 8, "ip6.src"},
	{L_IP6, 24, "ip6.dst"},
	{L_HBH, 0, "hop-by-hop"},
	{L_DSTOPTS, 0, "destination options"},
	{L_FRAG, 0, "frag"},
	{L_SRH, 0, "srh.next"},
	{L_SRH, 1, "srh.length"},
	{L_SRH, 2, "srh.type"},
	{L_SRH, 3, "srh.left"},
	{L_SRH, 4, "srh.last"},
	{L_SRH, 5, "srh.flags"},
	{L_SRH, 6, "srh.tag"},
	{L_SRH, 8, "srh.segs[0]"},
	{L_SRH, 24, "srh.segs[1...]"},
	{L_UDP, 0, "udp.ports"},
	{L_UDP, 4, "udp.length"},
	{L_UDP, 6, "udp.check"},
	{L_TCP, 0, "tcp"},
	{L_TCP, 16, "tcp.check"},
	{L_ICMP, 0, "icmp.type, code"},
	{L_ICMP, 2, "icmp.check"},
	{L_ICMP, 4, "icmp.rest"},
	{L_ICMP6, 0, "icmp6.type, code"},
	{L_ICMP6, 2, "icmp6.check"},
	{L_ICMP6, 4, "icmp6.rest"},
	{L_NS, 0, "ns.type, code"},
	{L_NS, 2, "ns.check"},
	{L_NS, 4, "ns"},
	{L_NA, 0, "na.type, code"},
	{L_NA, 2, "na.check"},
	{L_NA, 4, "na.flags"},
	{L_NA, 8, "na.target"},
	{L_NA, 24, "na.option"},
	{L_DATA, 0, "data"},
};

static const char *field_name(const struct packet *p, size_t off)
{
	const char *name = "?";
	size_t i = p->n_layers;

	while (i > 0 && p->layers[i - 1].off > off)
		i--;
	if (!i--)
		return name;
	for (size_t f = 0; f < ARRAY_SIZE(fields); f++) {
		if (fields[f].kind == p->layers[i].kind && fields[f].off <= off - p->layers[i].off)
			name = fields[f].name;
	}
	return name;
}

void packet_print(const char *title, const struct packet *p)
{
	print_message("%s: %zu bytes\n", title, p->len);
	for (size_t at = 0; at < p->len; at += PER_LINE) {
		char line[8 + 3 * PER_LINE + 1];
		int n = snprintf(line, sizeof(line), "  %04zx", at);

		for (size_t i = at; i < at + PER_LINE && i < p->len; i++)
			n += snprintf(line + n, sizeof(line) - (size_t)n, " %02x", p->data[i]);
		print_message("%s\n", line);
	}
}

void packet_assert_equal_at(const struct packet *got, const struct packet *want, const char *file, int line)
{
	size_t shorter = got->len < want->len ? got->len : want->len;
	unsigned int shown = 0;

	if (got->len == want->len && !memcmp(got->data, want->data, got->len))
		return;
	packet_print("got", got);
	packet_print("want", want);
	for (size_t i = 0; i < shorter && shown < SHOWN_MAX; i++) {
		if (got->data[i] == want->data[i])
			continue;
		print_message("  byte %zu, %s: got %02x, want %02x\n", i, field_name(want, i), got->data[i],
			      want->data[i]);
		shown++;
	}
	_fail(file, line);
}
