# SPDX-License-Identifier: GPL-2.0-only
"""What passes an interface: frames as they were seen, and the layers of an encapsulated packet in words.

A packet socket in the namespace collects from the moment that the block is entered, so there is no tcpdump to wait for;
the kernel keeps the frames until they are asked for.
"""
import ipaddress
import socket
import struct

from lab import netns

ETH_P_ALL, ETH_P_IPV6 = 3, 0x86DD
SO_RCVBUFFORCE = 33
IPPROTO = {1: "ICMP", 4: "IPv4", 6: "TCP", 17: "UDP", 41: "IPv6", 43: "routing header", 58: "ICMPv6", 59: "none"}


class Capture:
    """with Capture(namespace, interface) as seen: ...; seen.frames() as often as wanted."""

    def __init__(self, ns, interface):
        with netns.enter(ns):
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 32 << 20)
            self.socket.bind((interface, ETH_P_ALL))
        self.seen = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def frames(self):
        """All frames so far, both directions, from the Ethernet header on."""
        try:
            while True:
                self.seen.append(self.socket.recv(65535 + 14, socket.MSG_DONTWAIT))
        except BlockingIOError:
            return self.seen

    def encapsulated(self):
        """The IPv6 packets that carry another packet (RFC 8986: next header 4 or 41), with or without an SRH."""
        return [packet for frame in self.frames() if (packet := decode(frame)) and packet["inner"]]


def _addr6(raw):
    return str(ipaddress.IPv6Address(raw))


def decode(frame):
    """The layers of an IPv6 frame as a dict, None for other frames. Inner: what follows, decoded as far as is shown."""
    if len(frame) < 54 or struct.unpack_from("!H", frame, 12)[0] != ETH_P_IPV6:
        return None
    word, length, following, hop_limit = struct.unpack_from("!IHBB", frame, 14)
    packet = {"tc": word >> 20 & 0xFF, "flow_label": word & 0xFFFFF, "length": length, "next": following,
              "hop_limit": hop_limit, "src": _addr6(frame[22:38]), "dst": _addr6(frame[38:54]),
              "srh": None, "inner": None}
    at = 54
    if following == 43 and len(frame) >= at + 8:
        following, words, kind, left, last, flags, tag = struct.unpack_from("!BBBBBBH", frame, at)
        segments = [_addr6(frame[at + 8 + 16 * i:at + 24 + 16 * i]) for i in range(min(last + 1, words // 2))]
        packet["srh"] = {"next": following, "type": kind, "segments_left": left, "last_entry": last, "flags": flags,
                         "tag": tag, "segments": segments}
        at += 8 + 8 * words
    if following == 4 and len(frame) >= at + 20:
        tos, total, ident, offset, ttl, proto = struct.unpack_from("!xBHHHBB", frame, at)
        packet["inner"] = {"version": 4, "tos": tos, "length": total, "id": ident, "fragment": offset, "ttl": ttl,
                           "next": proto, "src": socket.inet_ntoa(frame[at + 12:at + 16]),
                           "dst": socket.inet_ntoa(frame[at + 16:at + 20])}
    elif following == 41 and len(frame) >= at + 40:
        word, total, proto, ttl = struct.unpack_from("!IHBB", frame, at)
        packet["inner"] = {"version": 6, "tos": word >> 20 & 0xFF, "length": total, "ttl": ttl, "next": proto,
                           "src": _addr6(frame[at + 8:at + 24]), "dst": _addr6(frame[at + 24:at + 40])}
    return packet


def describe(packet):
    """A decoded packet as lines for a person."""
    name = lambda proto: IPPROTO.get(proto, proto)  # noqa: E731
    yield f"IPv6   {packet['src']} > {packet['dst']}"
    yield (f"       flow label 0x{packet['flow_label']:05x}, traffic class {packet['tc']}, hop limit"
           f" {packet['hop_limit']}, payload {packet['length']}, next: {name(packet['next'])}")
    if srh := packet["srh"]:
        yield (f"SRH    type {srh['type']}, segments left {srh['segments_left']}, last entry {srh['last_entry']},"
               f" next: {name(srh['next'])}")
        for i, segment in enumerate(srh["segments"]):
            yield f"       segment[{i}] {segment}"
    inner = packet["inner"]
    yield f"IPv{inner['version']}   {inner['src']} > {inner['dst']}"
    yield f"       ttl {inner['ttl']}, length {inner['length']}, {name(inner['next'])}"
