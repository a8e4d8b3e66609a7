# SPDX-License-Identifier: GPL-2.0-only
"""The underlay by itself, so that what is proven on top of it stands on firm ground.

     spine1  spine2         locators: hv1 2400:dcc0::a7a:4d8e/96, hv2 ...:4d8f/96, hv3 ...:4d90/96
        | \\  / |
     leaf1   leaf2
      |||     |||
     hv1   hv2   hv3        eth0 to leaf1, eth1 to leaf2
"""
import contextlib
import pathlib
import socket
import time

import pytest
from scapy.layers.inet import ICMP, IP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrSegmentRouting

from lab import netns
from lab.capture import Capture, decode
from lab.fabric import wait_until
from traffic import Ping, udp_labels

LABELS = range(1, 201)


def packets_to(capture, address):
    return [p for frame in capture.frames() if (p := decode(frame)) and p["dst"] == address]


@contextlib.contextmanager
def crosswise(underlay):
    """hv1 hangs on leaf1 only and hv2 on leaf2 only, so that the spines are between them."""
    hv1, hv2 = underlay.nodes["hv1"], underlay.nodes["hv2"]
    leaf1, leaf2 = underlay.nodes["leaf1"], underlay.nodes["leaf2"]
    underlay.link_set(hv1, "eth1", "down")
    underlay.link_set(hv2, "eth0", "down")
    try:
        wait_until(lambda: underlay.routes(leaf1).get(hv2.prefix) == {"spine1", "spine2"}
                   and underlay.routes(leaf2).get(hv1.prefix) == {"spine1", "spine2"}, 15, "no way over the spines")
        yield hv1, hv2
    finally:
        underlay.link_set(hv1, "eth1", "up")
        underlay.link_set(hv2, "eth0", "up")
        underlay.wait_routes()


def test_every_locator_is_on_every_router_over_every_shortest_path(underlay):
    assert underlay.missing(underlay.hypervisors) == []


def test_a_hypervisor_is_never_transit(underlay):
    """leaf1 has no route through a hypervisor to another's locator, even when that is all there would be."""
    leaf1, hv1 = underlay.nodes["leaf1"], underlay.nodes["hv1"]
    spines = underlay.kind("spine")
    underlay.link_set(hv1, "eth0", "down")  # hv1 is on leaf2 only
    for spine in spines:
        underlay.node_links_set(spine, "down")
    try:
        wait_until(lambda: hv1.prefix not in underlay.routes(leaf1), 15, "leaf1 keeps a route to hv1")
    finally:
        underlay.link_set(hv1, "eth0", "up")
        for spine in spines:
            underlay.node_links_set(spine, "up")
        underlay.wait_routes()


def test_both_uplinks_are_used_by_flow_label(underlay):
    """One socket, 200 flow labels: each uplink gets its share; one label: one uplink gets all."""
    hv1, target = underlay.nodes["hv1"], underlay.nodes["hv2"].source
    with Capture(hv1.ns, "eth0") as left, Capture(hv1.ns, "eth1") as right:
        udp_labels(hv1.ns, target, LABELS)
        shares = [len(packets_to(c, target)) for c in (left, right)]
        assert sum(shares) == len(LABELS) and min(shares) > len(LABELS) * 0.3
    with Capture(hv1.ns, "eth0") as left, Capture(hv1.ns, "eth1") as right:
        udp_labels(hv1.ns, target, [7] * 50)
        assert sorted(len(packets_to(c, target)) for c in (left, right)) == [0, 50]


def test_transit_spreads_encapsulated_packets_by_flow_label(underlay):
    """leaf1 sends packets with an SRH to spine1 or spine2 by flow label alone, and does not touch the SRH."""
    with crosswise(underlay) as (hv1, hv2):
        sid = hv2.prefix.replace("0:0/96", "a9fe:108")
        leaf1 = underlay.nodes["leaf1"]
        with netns.enter(hv1.ns):
            raw = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW)
        with raw, Capture(leaf1.ns, "spine1") as one, Capture(leaf1.ns, "spine2") as two:
            for label in LABELS:
                packet = (IPv6(src=hv1.source, dst=sid, fl=label, hlim=64)
                          / IPv6ExtHdrSegmentRouting(addresses=[sid], segleft=0, lastentry=0, nh=4)
                          / IP(src="10.0.0.1", dst="10.0.0.2") / ICMP())
                raw.sendto(bytes(packet), (sid, 0))
            wait_until(lambda: len(packets_to(one, sid) + packets_to(two, sid)) >= len(LABELS), 5, "packets missing")
            shares = [packets_to(c, sid) for c in (one, two)]
        assert min(map(len, shares)) > len(LABELS) * 0.3
        for packet in shares[0] + shares[1]:
            assert packet["srh"]["segments"] == [sid] and packet["srh"]["segments_left"] == 0
            assert packet["hop_limit"] == 63 and packet["inner"]["ttl"] == 64


FAILURES = {
    "uplink down": (lambda u: u.link_set(u.nodes["leaf1"], "hv1", "down"),
                    lambda u: u.link_set(u.nodes["leaf1"], "hv1", "up"), 1.0),
    "uplink silent": (lambda u: u.cut(u.nodes["hv1"], "eth0"), lambda u: u.mend(u.nodes["hv1"], "eth0"), 1.5),
    "leaf without power": (lambda u: u.node_links_set(u.nodes["leaf1"], "down"),
                           lambda u: u.node_links_set(u.nodes["leaf1"], "up"), 1.0),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_flows_move_to_the_other_uplink(underlay, failure):
    """Eight flows hv1 > hv2; half of them lose their path and take the other, and all paths are back after mending."""
    hv1, target = underlay.nodes["hv1"], underlay.nodes["hv2"].loopback
    break_it, mend_it, limit = FAILURES[failure]
    with contextlib.ExitStack() as stack:
        flows = [stack.enter_context(Ping(hv1.ns, target)) for _ in range(8)]
        time.sleep(0.3)
        try:
            break_it(underlay)
            time.sleep(2)
        finally:
            mend_it(underlay)
    assert all(flow.arrivals for flow in flows)
    assert max(flow.gap for flow in flows) < limit
    underlay.wait_routes()


def test_flows_move_to_the_other_spine(underlay):
    """hv1 - leaf1 - spine1|spine2 - leaf2 - hv2; spine1 loses its power."""
    with crosswise(underlay) as (hv1, hv2):
        with contextlib.ExitStack() as stack:
            flows = [stack.enter_context(Ping(hv1.ns, hv2.loopback)) for _ in range(8)]
            time.sleep(0.3)
            try:
                underlay.node_links_set(underlay.nodes["spine1"], "down")
                time.sleep(2)
            finally:
                underlay.node_links_set(underlay.nodes["spine1"], "up")
        assert all(flow.arrivals for flow in flows)
        assert max(flow.gap for flow in flows) < 1


def test_a_killed_zebra_comes_back_with_its_routes(underlay):
    """Without supervision the routes of a node whose zebra died would be those of that moment for good."""
    leaf1, hv3 = underlay.nodes["leaf1"], underlay.nodes["hv3"]
    pid_file = underlay.dir / "leaf1" / "zebra.pid"
    old = pid_file.read_text()
    log = underlay.dir / "leaf1" / "zebra.log"

    def greetings():
        return log.read_text(errors="replace").count("announce only bgp routes")
    before = greetings()
    netns.run(leaf1.ns, ["kill", "-9", old.strip()])
    wait_until(lambda: pid_file.read_text() not in ("", old), 10, "zebra was not started again")
    # bgpd looks for its zebra every 10 s three times, then every 60 s (FRR's lib/zclient.c). What is withdrawn before it
    # has found it may stay in the kernel: zebra sweeps only what it read there within the second of its start.
    wait_until(lambda: greetings() > before, 150, "bgpd does not find its zebra")
    underlay.wait_routes()
    netns.batch(hv3.ns, [f"route del unreachable {hv3.prefix} proto 147"])
    try:
        wait_until(lambda: hv3.prefix not in underlay.routes(leaf1), 20, "leaf1's routes are frozen")
    finally:
        underlay.announce(hv3)
        underlay.wait_routes()


def test_routers_carry_no_srv6(underlay):
    """Nothing of segment routing and nothing of ours on spines and leaves: IPv6 forwarding and BGP are all."""
    for node in underlay.kind("spine") + underlay.kind("leaf"):
        with netns.enter(node.ns):
            switches = list(pathlib.Path("/proc/sys/net/ipv6/conf").glob("*/seg6_enabled"))
            assert len(switches) > 2 and [path for path in switches if path.read_text() != "0\n"] == []
        routes = netns.run(node.ns, ["ip", "-6", "route", "show", "table", "all"]).stdout
        assert "encap" not in routes and "seg6" not in routes
        for interface in node.links:
            assert "clsact" not in netns.run(node.ns, ["tc", "qdisc", "show", "dev", interface]).stdout
