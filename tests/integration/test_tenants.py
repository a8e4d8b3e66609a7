# SPDX-License-Identifier: GPL-2.0-only
"""What tenants see: their own network, whole and alone, wherever its VMs run.

       hv1                    hv2                    hv3
    a1 10.0.0.11           a2 10.0.0.12           a3 10.0.0.13        A, network web    10.0.0.0/24, 2001:db8:a::/64
    a4 10.0.0.14
    d1 10.0.1.11                                  d3 10.0.1.13        A, network db     10.0.1.0/24
    b1 10.0.0.11           b2 10.0.0.12           b3 10.0.0.33        B, network web    10.0.0.0/24, 2001:db8:a::/64

A's web and B's web have the same subnets, and b1 and b2 the very addresses of a1 and a2.
"""
import itertools
import socket
import threading
import time

import pytest

from conftest import new_project, tenants_of
from lab import netns
from lab.capture import Capture, decode
from modes import ENCAP, MOST, SMALL
from traffic import Ping, iperf, udp_exchange, udp_socket

pytestmark = pytest.mark.datapath
WEB = "a1 a2 a3 a4".split()
B = "b1 b2 b3".split()


@pytest.fixture(scope="module")
def world(lab):
    hv1, hv2, hv3 = lab.fabric.hypervisors
    with tenants_of(lab) as tenants:
        project_a, project_b = new_project(), new_project()
        a_web = tenants.network("a-web", project_a, "10.0.0.0/24", "2001:db8:a::/64")
        a_db = tenants.network("a-db", project_a, "10.0.1.0/24")
        b_web = tenants.network("b-web", project_b, "10.0.0.0/24", "2001:db8:a::/64")
        for name, network, node, last in (("a1", a_web, hv1, 11), ("a2", a_web, hv2, 12), ("a3", a_web, hv3, 13),
                                          ("a4", a_web, hv1, 14), ("b1", b_web, hv1, 11), ("b2", b_web, hv2, 12),
                                          ("b3", b_web, hv3, 33)):
            tenants.vm(name, network, node, f"10.0.0.{last}", f"2001:db8:a::{last}")
        tenants.vm("d1", a_db, hv1, "10.0.1.11")
        tenants.vm("d3", a_db, hv3, "10.0.1.13")
        tenants.wait_active()
        yield tenants


def pairs(names):
    return [f"{a}-{b}" for a, b in itertools.permutations(names, 2)]


def vms_of(world, pair):
    return [world.vms[name] for name in pair.split("-")]


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("pair", pairs(WEB) + pairs(B) + pairs(["d1", "d3"]))
def test_every_pair_of_a_network_pings_with_ttl_63(world, pair, family):
    a, b = vms_of(world, pair)
    if family == 6 and len(b.addresses) == 1:
        family = 4
    assert world.ping(a, b.addresses[family == 6]) == (1, 1, 63)


@pytest.mark.parametrize("pair", ["a1-a2", *([] if SMALL else ["a2-a1"]), "a1-a4", "b3-b2"])
@pytest.mark.parametrize("family", [4, 6])
def test_tcp_carries_data_both_ways(world, pair, family):
    a, b = vms_of(world, pair)
    for options in ((), ("-R",)):
        assert iperf(b.ns, a.ns, b.addresses[family == 6], options) > MOST


@pytest.mark.parametrize("pair", ["a1-a2", "a3-a1", "a4-a1", "b1-b3"])
@pytest.mark.parametrize("family", [4, 6])
def test_udp_of_every_size_both_ways(world, pair, family):
    """From empty to the largest that fits the tenant's MTU."""
    a, b = vms_of(world, pair)
    largest = a.network.mtu - (28 if family == 4 else 48)
    payloads = [bytes(i % 251 for i in range(n)) for n in (*range(0, 64), 100, 500, 1000, largest - 1, largest)]
    assert udp_exchange(a.ns, b.ns, b.addresses[family == 6], payloads) == len(payloads)


@pytest.mark.parametrize("pair", ["a1-a2", "a1-a4"])
@pytest.mark.parametrize("family", [4, 6])
def test_fragments_arrive(world, pair, family):
    """Larger than the MTU: the VM's own stack fragments, the fabric carries fragments, the other end puts together."""
    a, b = vms_of(world, pair)
    payloads = [bytes(i % 251 for i in range(n)) for n in (1473, 3000, 8000, 30000, 65507)]
    assert udp_exchange(a.ns, b.ns, b.addresses[family == 6], payloads) == len(payloads)


def answer_with_name(vm, stop):
    with udp_socket(vm.ns, socket.AF_INET) as server:
        server.settimeout(0.1)
        server.bind(("", 7777))
        while not stop.is_set():
            try:
                _, sender = server.recvfrom(100)
                server.sendto(vm.name.encode(), sender)
            except TimeoutError:
                pass


def test_the_same_address_is_another_vm_in_each_tenant(world):
    """10.0.0.12 is a2 for A and b2 for B, asked at the same time from the same hypervisor and the same address."""
    stop = threading.Event()
    servers = [threading.Thread(target=answer_with_name, args=(world.vms[name], stop)) for name in ("a2", "b2")]
    for server in servers:
        server.start()
    time.sleep(0.1)
    try:
        with (udp_socket(world.vms["a1"].ns, socket.AF_INET) as from_a,
              udp_socket(world.vms["b1"].ns, socket.AF_INET) as from_b):
            for asking in (from_a, from_b):
                asking.bind(("", 5555))
            for _ in range(100):
                for asking, name in ((from_a, b"a2"), (from_b, b"b2")):
                    asking.sendto(b"who?", ("10.0.0.12", 7777))
                    assert asking.recv(100) == name
    finally:
        stop.set()
        for server in servers:
            server.join()


ELSEWHERE = [("a1", "b3", 0), ("a3", "b3", 0), ("a1", "b3", 1), ("b1", "a3", 0), ("b3", "a3", 1), ("b1", "a4", 0),
             ("a1", "d3", 0), ("a1", "d1", 0), ("d1", "a2", 0)]


@pytest.mark.parametrize("source,target,which", ELSEWHERE)
def test_nothing_gets_into_another_network(world, source, target, which):
    """An address that only the other network has: no answer, and no packet at that VM. Also on the same hypervisor."""
    a, b = world.vms[source], world.vms[target]
    address = b.addresses[which]
    with Capture(b.ns, "eth0") as seen:
        assert world.ping(a, address, wait=0.3)[1] == 0
        at = slice(22, 38) if which else slice(26, 30)  # the source's address; b itself may well ask ARP for it
        source = socket.inet_pton(socket.AF_INET6 if which else socket.AF_INET, a.addresses[which])
        assert not [f for f in seen.frames() if f[12:14] in (b"\x08\x00", b"\x86\xdd") and f[at] == source]


def test_sid_space_is_closed_to_vms(world, lab):
    """A packet from a VM towards a SID or an infrastructure address never enters the fabric."""
    a1 = world.vms["a1"]
    hv2 = lab.fabric.nodes["hv2"]
    sid = hv2.prefix.replace("0:0/96", "a9fe:1")
    captures = [Capture(a1.node.ns, interface) for interface in a1.node.links]
    for address in (sid, hv2.source, hv2.loopback):
        assert world.ping(a1, address, wait=0.3)[1] == 0
    inside = [frame for capture in captures for frame in capture.frames()
              if (packet := decode(frame)) and (a1.addresses[1] in (packet["src"], (packet["inner"] or packet)["src"]))]
    assert inside == []


def connects(ns, address, port):
    """Whether TCP gets an answer that is not a refusal."""
    with netns.enter(ns):
        client = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    with client:
        client.settimeout(0.3)
        try:
            client.connect((address, port))
        except OSError:
            return False
        return True


@pytest.mark.parametrize("family", [4, 6])
def test_a_vm_does_not_reach_its_hypervisor(world, lab, family):
    """What listens on all of hv1's addresses is not there for a1: on its management and fabric addresses, which do not
    even answer pings, or as the gateway. The same for etcd, which hv1 itself reaches."""
    a1, hv1 = world.vms["a1"], lab.fabric.nodes["hv1"]
    a, b, c, d = (int(part) for part in world.vrf_ip(a1.network).split("."))
    addresses = {4: ["192.0.2.1", "192.0.2.254"],
                 6: [hv1.loopback, hv1.source, f"{hv1.locator}:{a:02x}{b:02x}:{c:02x}{d:02x}"]}[family]
    gateway = a1.network.subnets[family == 6][1]
    with netns.enter(hv1.ns):
        server = socket.create_server(("", 2379), family=socket.AF_INET6, dualstack_ipv6=True)
    with server:
        assert connects(hv1.ns, "192.0.2.254", 2379) and connects(hv1.ns, hv1.loopback, 2379)
        for address in addresses:
            assert world.ping(a1, address, wait=0.3)[1] == 0
            assert not connects(a1.ns, address, 2379)
        assert not connects(a1.ns, gateway, 2379)


def on_uplinks(world, vm, action):
    """{interface: encapsulated packets} that the VM's hypervisor sends and receives meanwhile."""
    captures = {interface: Capture(vm.node.ns, interface) for interface in vm.node.links}
    try:
        action()
        return {interface: capture.encapsulated() for interface, capture in captures.items()}
    finally:
        for capture in captures.values():
            capture.socket.close()


def test_traffic_within_a_hypervisor_stays_there(world):
    a1, a4 = world.vms["a1"], world.vms["a4"]
    seen = on_uplinks(world, a1, lambda: world.ping(a1, a4.ip, count=3))
    mine = [p for packets in seen.values() for p in packets if a1.ip in (p["inner"]["src"], p["inner"]["dst"])
            and a4.ip in (p["inner"]["src"], p["inner"]["dst"])]
    assert mine == []


def test_the_packet_on_the_wire(world, lab):
    """a1 to a2: outer source hv1's, outer destination hv2's locator + A's vrf_ip, an SRH with just that SID, or none."""
    a1, a2 = world.vms["a1"], world.vms["a2"]
    seen = on_uplinks(world, a1, lambda: world.ping(a1, a2.ip, count=3))
    packets = [p for some in seen.values() for p in some if p["inner"]["src"] == a1.ip and p["inner"]["dst"] == a2.ip]
    assert len(packets) == 3 and len({p["flow_label"] for p in packets}) == 1
    for packet in packets:
        assert packet["src"] == lab.fabric.nodes["hv1"].source
        assert packet["dst"].startswith(lab.fabric.nodes["hv2"].locator + ":a9fe:")
        assert packet["srh"] == (None if ENCAP == "reduced" else {
            "next": 4, "type": 4, "segments_left": 0, "last_entry": 0, "flags": 0, "tag": 0,
            "segments": [packet["dst"]]})
        assert packet["inner"]["ttl"] == 63 and packet["flow_label"] != 0
        assert packet["length"] == (0 if ENCAP == "reduced" else 24) + packet["inner"]["length"]


def test_many_flows_of_one_pair_use_both_uplinks(world):
    """200 UDP flows from a1 to a2: each uplink carries a good share; one flow keeps to one."""
    a1, a2 = world.vms["a1"], world.vms["a2"]

    def many():
        for _ in range(200):
            with udp_socket(a1.ns, socket.AF_INET) as sender:
                sender.sendto(b"x", (a2.ip, 9))

    def one():
        with udp_socket(a1.ns, socket.AF_INET) as sender:
            for _ in range(50):
                sender.sendto(b"x", (a2.ip, 9))

    def counts(seen):
        return sorted(sum(p["inner"]["src"] == a1.ip and p["inner"]["next"] == 17 for p in packets)
                      for packets in seen.values())
    assert counts(on_uplinks(world, a1, one)) == [0, 50]
    spread = counts(on_uplinks(world, a1, many))
    assert sum(spread) == 200 and spread[0] > 60


def test_a_moved_vm_keeps_its_address_and_is_back_within_a_second(world, lab):
    """a1 pings a2 all the time while a2 goes from hv2 to hv3 and back; from its tap being there to the first answer."""

    a1, a2 = world.vms["a1"], world.vms["a2"]
    home = a2.node
    for target in (lab.fabric.nodes["hv3"], home):
        with Ping(a1.ns, a2.ip, interval=0.02) as ping:
            time.sleep(0.5)
            world.move(a2, target)
            plugged = time.time()
            world.wait_active([a2])
            time.sleep(1)
        assert min(t for t in ping.arrivals.values() if t > plugged) - plugged < netns.PATIENCE
        assert world.ping(a2, a1.ip) == (1, 1, 63)
