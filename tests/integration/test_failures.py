# SPDX-License-Identifier: GPL-2.0-only
"""Things end, and traffic does not: a steady stream between two VMs while something is taken away.

    a 10.0.0.11 - hv1 - leaf1, leaf2 - hv2 - b 10.0.0.12
                   |                    |
                sr-agent     etcd    sr-agent

Agents and etcd: not one packet is lost, whatever happens to them. Links and routers: traffic recovers as BGP does.
"""
import contextlib
import time

import pytest

from conftest import new_project
from lab.fabric import wait_until
from traffic import Ping


@contextlib.contextmanager
def streams(pair, flows=1):
    """Traffic both ways before, during and after the block."""
    a, b = pair
    with contextlib.ExitStack() as stack:
        running = [stack.enter_context(Ping(one.ns, other.ip, 0.01))
                   for one, other in ((a, b), (b, a)) for _ in range(flows)]
        time.sleep(0.3)
        yield running
        time.sleep(0.3)


def assert_none_lost(running):
    for ping in running:
        assert len(ping.arrivals) > 50 and ping.lost == []


@pytest.mark.datapath
def test_agents_killed_with_traffic_running_lose_nothing(lab, pair):
    """kill -9 of both agents; a while without; both started again."""
    agents = [lab.agents["hv1"], lab.agents["hv2"]]
    with streams(pair) as running:
        for agent in agents:
            agent.kill()
        time.sleep(1)
        for agent in agents:
            agent.start()
    assert_none_lost(running)


@pytest.mark.datapath
def test_agents_restarted_lose_nothing(lab, pair):
    """SIGTERM is an orderly end: exit code 0, forwarding stays."""
    agents = [lab.agents["hv1"], lab.agents["hv2"]]
    with streams(pair) as running:
        codes = [agent.stop() for agent in agents]
        time.sleep(0.5)
        for agent in agents:
            agent.start()
    assert codes == [0, 0]
    assert_none_lost(running)


@pytest.mark.datapath
def test_agents_catch_up_with_what_changed_while_they_were_down(lab, tenants, pair):
    """c is made, plugged and b removed while hv2's agent is down."""
    a, b = pair
    agent = lab.agents["hv2"]
    agent.kill()
    try:
        c = tenants.vm("c", a.network, b.node, "10.0.0.13")
        tenants.remove(b)
    finally:
        agent.start()
    tenants.wait_active([c])
    tenants.wait_ping(a, c.ip)
    assert tenants.ping(a, "10.0.0.12", wait=0.3)[1] == 0


@pytest.mark.expect_log("etcd")
@pytest.mark.datapath
def test_etcd_killed_and_restarted_loses_nothing_and_changes_after_it_arrive(lab, tenants, pair):
    a, b = pair
    with streams(pair) as running:
        lab.etcd.kill()
        time.sleep(2)
        lab.etcd.start()
        c = tenants.vm("c", a.network, lab.fabric.nodes["hv3"], "10.0.0.13")
        tenants.wait_active()
        tenants.wait_ping(a, c.ip)
    assert_none_lost(running)


@pytest.mark.expect_log("etcd")
@pytest.mark.datapath
def test_an_agent_restarted_without_etcd_keeps_what_it_forwarded(lab, tenants, pair):
    """Nothing is taken for "there are no ports": with etcd away the datapath stays as it was left."""
    agent = lab.agents["hv1"]
    with streams(pair) as running:
        lab.etcd.kill()
        agent.kill()
        agent.start(wait=False)
        time.sleep(2)
        lab.etcd.start()
        agent.wait_ready()
        tenants.wait_active()
    assert_none_lost(running)


def test_a_spine_and_then_an_uplink_go_and_come_back(lab, pair):
    """Eight flows each way; spine1 loses power, then hv1 its uplink to leaf1: the flows that it carried move."""
    fabric = lab.fabric
    hv1, spine1 = fabric.nodes["hv1"], fabric.nodes["spine1"]
    try:
        with streams(pair, flows=8) as running:
            fabric.node_links_set(spine1, "down")
            time.sleep(1)
            fabric.link_set(fabric.nodes["leaf1"], "hv1", "down")
            time.sleep(2)
    finally:
        fabric.node_links_set(spine1, "up")
        fabric.link_set(fabric.nodes["leaf1"], "hv1", "up")
        fabric.wait_routes()
    assert all(len(ping.arrivals) > 100 for ping in running)
    assert max(ping.gap for ping in running) < 1
    assert hv1.links["eth0"][0].name == "leaf1"


def test_traffic_over_the_spines_survives_one(lab, pair):
    """a's and b's hypervisors hang on different leaves, so the spines are between them; one goes."""
    fabric = lab.fabric
    hv1, hv2, leaf1, leaf2 = (fabric.nodes[n] for n in ("hv1", "hv2", "leaf1", "leaf2"))
    fabric.link_set(hv1, "eth1", "down")
    fabric.link_set(hv2, "eth0", "down")
    try:
        wait_until(lambda: fabric.routes(leaf1).get(hv2.prefix) == {"spine1", "spine2"}
                   and fabric.routes(leaf2).get(hv1.prefix) == {"spine1", "spine2"}, 15, "no way over the spines")
        with streams(pair, flows=4) as running:
            fabric.node_links_set(fabric.nodes["spine2"], "down")
            time.sleep(2)
    finally:
        fabric.node_links_set(fabric.nodes["spine2"], "up")
        fabric.link_set(hv1, "eth1", "up")
        fabric.link_set(hv2, "eth0", "up")
        fabric.wait_routes()
    assert all(len(ping.arrivals) > 50 for ping in running) and max(ping.gap for ping in running) < 1


def test_a_silent_uplink_is_found_by_bfd(lab, pair):
    """Carrier stays, nothing passes: the datapath follows the kernel's routes, which follow BFD."""
    fabric = lab.fabric
    hv1 = fabric.nodes["hv1"]
    try:
        with streams(pair, flows=8) as running:
            fabric.cut(hv1, "eth0")
            time.sleep(3)
    finally:
        fabric.mend(hv1, "eth0")
        fabric.wait_routes()
    assert all(len(ping.arrivals) > 100 for ping in running) and max(ping.gap for ping in running) < 1.5


@pytest.mark.datapath
def test_an_uplink_that_comes_later_is_taken_into_use(lab, tenants):
    """hv1 without uplinks for a while; a network that is made meanwhile works when they are back."""
    fabric = lab.fabric
    hv1, hv2, _ = fabric.hypervisors
    fabric.node_links_set(hv1, "down")
    try:
        network = tenants.network("net", new_project(), "10.0.0.0/24")
        a, b = tenants.vm("a", network, hv1, "10.0.0.11"), tenants.vm("b", network, hv2, "10.0.0.12")
        tenants.wait_active()
    finally:
        fabric.node_links_set(hv1, "up")
        fabric.wait_routes()
    tenants.wait_ping(a, b.ip)
