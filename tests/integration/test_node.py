# SPDX-License-Identifier: GPL-2.0-only
"""A node as a whole: drained and back, moved to another locator, or at odds with another node.

    a 10.0.0.11 on hv1  ═══ fabric ═══  b 10.0.0.12 on hv2
"""
import json
import shutil

import pytest

from lab import netns
from lab.agent import Agent
from lab.capture import Capture, decode
from lab.fabric import wait_until

CLUSTER = "/srfabric/v1/clusters/lab"


def announced(lab, node):
    """Is its locator's announcement in its own kernel, and on the routers?"""
    own = netns.run(node.ns, ["ip", "-6", "route", "show", "proto", "147"]).stdout
    leaf = lab.fabric.nodes["leaf1"]
    return "unreachable" in own, node.prefix in netns.run(leaf.ns, ["ip", "-6", "route", "show", "proto", "bgp"]).stdout


def status(lab, node):
    return json.loads(lab.etcd.get(f"{CLUSTER}/status/nodes/{node.name}"))


def test_a_drained_node_withdraws_its_locator_and_keeps_forwarding(lab, tenants, pair):
    """Also over a restart of its agent; what the node itself sends goes on, and it comes back when told so."""
    node, agent = lab.fabric.nodes["hv2"], lab.agents["hv2"]
    tenants.srctl("node", "drain", "hv2")
    try:
        wait_until(lambda: announced(lab, node) == (False, False), 10, "the locator is still announced")
        wait_until(lambda: status(lab, node)["draining"], 5, "it does not say that it drains")
        agent.stop()
        agent.start()
        wait_until(lambda: status(lab, node)["draining"], 5, "it has forgotten that it drains")
        assert announced(lab, node) == (False, False)
        assert "local" in netns.run(node.ns, ["ip", "-6", "route", "show", "table", "local", "proto", "147"]).stdout
    finally:
        tenants.srctl("node", "undrain", "hv2")
    wait_until(lambda: announced(lab, node) == (True, True), 10, "the locator is not announced again")
    tenants.wait_ping(pair[0], pair[1].ip)
    assert not status(lab, node)["draining"]


@pytest.mark.expect_log("2400:dcc0")
def test_a_locator_is_one_nodes_only(lab, tmp_path):
    """A second agent with hv1's locator is refused, with hv1's name, before it announces anything."""
    hv1, hv3 = lab.fabric.nodes["hv1"], lab.fabric.nodes["hv3"]
    thief = Agent(hv3, tmp_path, "thief" + lab.name, lab.build, lab.etcd.url, "lab",
                  {"node": {"name": "thief", "locator": hv1.locator}, "fabric": {"uplinks": "nosuch0"}})
    try:
        thief.start(wait=False)
        assert thief.child.wait(20) == 78
        said = thief.log.read_text()
        assert "hv1" in said and hv1.locator in said
        own = netns.run(hv3.ns, ["ip", "-6", "route", "show", "proto", "147"]).stdout
        assert hv1.prefix not in own
    finally:
        shutil.rmtree(thief.bpffs, ignore_errors=True)  # its own cleanup would take hv3's routes too: one agent a node
    assert announced(lab, hv3) == (True, True)


@pytest.mark.datapath
def test_a_node_with_another_locator_is_one_write_for_the_others(lab, tenants, pair):
    """hv2 comes back with another locator: others' traffic to its VMs follows, and the old locator is free."""
    node, agent = lab.fabric.nodes["hv2"], lab.agents["hv2"]
    old, new = node.locator, "2400:dcc0::a7a:ff0e"
    try:
        agent.stop()
        agent.config["node"]["locator"] = new
        lab.fabric.relocate(node, new)
        agent.start()
        tenants.wait_ping(pair[0], pair[1].ip)
        own = netns.run(node.ns, ["ip", "-6", "route", "show", "table", "all", "proto", "147"]).stdout
        assert node.prefix in own and f"{old}:" not in own
        assert lab.etcd.get(f"/srfabric/v1/locators/{old}") is None
    finally:
        agent.stop()
        agent.config["node"]["locator"] = old
        lab.fabric.relocate(node, old)
        agent.start()
        tenants.wait_ping(pair[0], pair[1].ip)


@pytest.mark.datapath
def test_a_sid_answers_pings_and_the_datapath_can_be_read(lab, tenants, pair):
    """RFC 9259: hv1 pings the SID of the VRF on hv2; srctl on hv2 shows the VRF that is behind it."""
    hv1, hv2 = lab.fabric.nodes["hv1"], lab.fabric.nodes["hv2"]
    network = pair[0].network
    a, b, c, d = (int(part) for part in tenants.vrf_ip(network).split("."))
    sid = f"{hv2.locator}:{a:02x}{b:02x}:{c:02x}{d:02x}"
    said = netns.run(hv1.ns, ["ping", "-n", "-c", "3", "-i", "0.1", "-W", "2", sid], check=False).stdout
    assert " 3 received" in said, said
    dump = netns.run(hv2.ns, [tenants.program, "datapath", "dump", "--bpffs", lab.agents["hv2"].bpffs])
    assert network.vrf in dump.stdout and not dump.stderr


@pytest.mark.datapath
def test_a_service_chain_passes_its_node(lab, tenants, pair):
    """What a sends to 192.0.2.99 goes through hv3's End SID, which takes it on to the next; no more once the rule is
    gone. The last SID is none that hv2 has: a chain that ended at the VRF's would meet the same rule there."""
    hv2, hv3 = lab.fabric.nodes["hv2"], lab.fabric.nodes["hv3"]
    agent, chain = lab.agents["hv3"], "c4a10000-0000-4000-8000-000000000001"

    def passed():
        """Segments left of what hv3 receives and sends of a's pings, by destination."""
        captures = [Capture(hv3.ns, interface) for interface in hv3.links]
        tenants.ping(pair[0], "192.0.2.99", count=2, wait=0.3)
        packets = [packet for capture in captures for frame in capture.frames() if (packet := decode(frame))]
        return {(packet["dst"], packet["srh"]["segments_left"]) for packet in packets if packet["srh"]}
    agent.stop()
    agent.config["datapath"]["end_function"] = "0.0.0.2"
    agent.start()
    sids = f"{hv3.locator}:0:2", f"{hv2.locator}:0:77"
    try:
        tenants.srctl("encap", "create", "--network", pair[0].network.id, "--id", chain, "192.0.2.99=" + ",".join(sids))
        try:
            # The kernel's End changes a received packet where a capture of it already points to.
            both = {(sids[0], 1), (sids[1], 0)}
            wait_until(lambda: {(sids[1], 0)} <= passed() <= both, 10, "nothing passes hv3")
        finally:
            tenants.srctl("encap", "delete", chain)
        wait_until(lambda: passed() == set(), 10, "it still passes hv3")
    finally:
        agent.stop()
        del agent.config["datapath"]["end_function"]
        agent.start()
