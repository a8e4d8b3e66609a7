# SPDX-License-Identifier: GPL-2.0-only
"""What a person looks at: the fabric as a picture, tenants' pings, the proof that they are apart, a packet's layers."""
import sys

from lab.capture import Capture, describe

WIDTH = 27
KINDS = {"ebpf": "eBPF", "linux": "VRF devices, kernel seg6"}


def colour(code, text):
    return f"\033[{code}m{text}\033[0m" if sys.stdout.isatty() else text


def picture(fabric, vms, agents):
    """Spines, leaves, hypervisors with their datapaths and locators and, below each, its VMs."""
    hypervisors = fabric.hypervisors
    width = WIDTH * len(hypervisors)
    spines = [n.name for n in fabric.kind("spine")]
    leaves = [n.name for n in fabric.kind("leaf")]
    yield _row(spines, width) + "   plain routers: eBGP, ECMP, BFD; no SRv6"
    yield _mesh(len(spines), len(leaves), width)
    yield _row(leaves, width)
    yield _mesh(len(leaves), len(hypervisors), width)
    kinds = [KINDS[agents[n.name].kind] for n in hypervisors]
    same = len(set(kinds)) == 1
    yield _row([n.name for n in hypervisors], width) + f"   {kinds[0] + ', ' if same else ''}sr-agent, BGP"
    if not same:
        yield "".join(kind.center(WIDTH) for kind in kinds).rstrip()
    yield "".join(n.locator.center(WIDTH) for n in hypervisors).rstrip()
    columns = [[f"{vm.name} {vm.ip} ({vm.network.name})" for vm in vms if vm.node is n] for n in hypervisors]
    for row in range(max(map(len, columns), default=0)):
        yield "".join((c[row] if row < len(c) else "").center(WIDTH) for c in columns).rstrip()


def _row(names, width):
    return "".join(f"[ {name} ]".center(width // len(names)) for name in names).rstrip()


def _mesh(above, below, width):
    """A line of what joins two rows of routers: every one to every one."""
    ups = {width * (2 * i + 1) // (2 * above) for i in range(above)}
    downs = {width * (2 * i + 1) // (2 * below) for i in range(below)}
    ends = ups | downs
    signs = {(True, True): "┼", (True, False): "┴", (False, True): "┬", (False, False): "─"}
    return "".join(signs[(x in ups, x in downs)] if min(ends) <= x <= max(ends) else " " for x in range(width)).rstrip()


def networks(tenants):
    yield f"{'network':12} {'project':10} {'subnet':16} {'VRF':18} VMs"
    for network in tenants.networks.values():
        vms = " ".join(vm.name for vm in tenants.vms.values() if vm.network is network)
        yield f"{network.name:12} {network.project[:8]:10} {network.subnets[0][0]:16} {network.vrf:18} {vms}"


def pings(tenants, pairs):
    """(line, as expected) for each (vm, address, whether it must answer)."""
    for vm, address, expected in pairs:
        _, received, ttl = tenants.ping(vm, address, wait=None if expected else 0.5)
        result = f"ttl={ttl}" if received else "no answer"
        good = bool(received) == expected and (not expected or ttl in (63, 64))
        mark = colour("32", "ok ") if good else colour("31", "BAD")
        yield f"{mark} {vm.network.name:8} {vm.name} ({vm.ip}, {vm.node.name}) -> {address:12} {result}", good


def one_packet(tenants, source, target):
    """The layers of one ping from a VM to another, as seen on whichever uplink it takes."""
    captures = [Capture(source.node.ns, interface) for interface in source.node.links]
    try:
        tenants.ping(source, target.ip)
        for interface, capture in zip(source.node.links, captures):
            for packet in capture.encapsulated():
                if packet["inner"]["dst"] == target.ip:
                    leaf = source.node.links[interface][0].name
                    return [f"between {source.node.name} and {leaf}:", *describe(packet)]
    finally:
        for capture in captures:
            capture.socket.close()
    return ["no packet seen"]
