# SPDX-License-Identifier: GPL-2.0-only
"""The agent as its neighbours see it: the routing daemon, etcd, the operator, the kernel.

    etcd - sr-agent on hv3 - kernel: locator's routes, TC programs, pins
                |
             taps c 10.0.0.13 ... on hv3; a 10.0.0.11 on hv1
"""
import json
import pathlib
import time

import pytest

from conftest import new_project
from lab import netns
from lab.capture import Capture
from lab.fabric import wait_until

CLUSTER = "/srfabric/v1/clusters/lab"


def locator_routes(node):
    """{type: table} of the routes of our protocol."""
    routes = json.loads(netns.run(node.ns, ["ip", "-j", "-6", "route", "show", "table", "all", "proto", "147"]).stdout)
    return {(route.get("type", "unicast"), route["dst"], route.get("table", "main")) for route in routes}


def tc_programs(node):
    def filters(name):
        return netns.run(node.ns, ["tc", "filter", "show", "dev", name, "ingress"]).stdout
    links = json.loads(netns.run(node.ns, ["ip", "-j", "link"]).stdout)
    return [link["ifname"] for link in links if "bpf" in filters(link["ifname"])]


def test_the_locator_is_in_the_kernels_tables(lab):
    for node in lab.fabric.hypervisors:
        assert locator_routes(node) == {("unreachable", node.prefix, "main"), ("local", node.prefix, "local")}


def test_sigterm_leaves_everything_and_cleanup_nothing(lab):
    node, agent = lab.fabric.nodes["hv3"], lab.agents["hv3"]
    before = locator_routes(node), tc_programs(node)
    assert agent.stop() == 0
    try:
        assert (locator_routes(node), tc_programs(node)) == before and agent.bpffs.exists()
        assert sorted(before[1]) == ["eth0", "eth1"]
        agent.cleanup()
        assert locator_routes(node) == set() and tc_programs(node) == [] and not agent.bpffs.exists()
        agent.cleanup()  # nothing to do is no error
    finally:
        agent.start()
        lab.fabric.wait_routes()
    assert (locator_routes(node), tc_programs(node)) == before


def node_status(lab, name):
    value = lab.etcd.get(f"{CLUSTER}/status/nodes/{name}")
    return json.loads(value) if value else None


def test_liveness_ends_with_the_agent(lab):
    """The node's status hangs on the agent's lease: it is there while the agent is, and goes after a kill -9."""
    agent = lab.agents["hv3"]
    assert node_status(lab, "hv3")["datapath"] == "ebpf"
    agent.kill()
    try:
        wait_until(lambda: node_status(lab, "hv3") is None, 40, "the dead agent's status stays")
    finally:
        agent.start()
    wait_until(lambda: node_status(lab, "hv3"), 5, "no status after the restart")


def test_a_port_is_active_while_its_tap_is_there(lab, tenants):
    network = tenants.network("net", new_project(), "10.0.0.0/24")
    c = tenants.vm("c", network, lab.fabric.nodes["hv3"], "10.0.0.13", plug=False)
    time.sleep(0.5)
    assert not tenants.active(c)
    tenants.plug(c)
    tenants.wait_active([c])
    tenants.unplug(c)
    wait_until(lambda: not tenants.active(c), 5, "still active without its tap")
    tenants.plug(c)
    tenants.wait_active([c])


def test_a_port_with_its_tap_there_first(lab, tenants):
    """Nova may be faster than Neutron: the tap is plugged on hv3 while the port is still bound to hv1."""
    network = tenants.network("net", new_project(), "10.0.0.0/24")
    hv1, _, hv3 = lab.fabric.hypervisors
    a = tenants.vm("a", network, hv1, "10.0.0.11")
    c = tenants.vm("c", network, hv1, "10.0.0.13", plug=False)
    c.node = hv3
    tenants.plug(c)
    time.sleep(0.3)
    assert not tenants.active(c)
    tenants.srctl("port", "set", c.port, "--host", "hv3")
    tenants.wait_active([c])
    tenants.wait_ping(a, c.ip)


def test_a_strangers_tap_is_left_alone(lab):
    """A tap whose port nobody knows gets no program, and none is taken away from what is not ours."""
    node = lab.fabric.nodes["hv3"]
    netns.batch(node.ns, ["link add tapdeadbeef-00 type veth peer name stranger", "link set tapdeadbeef-00 up"])
    try:
        time.sleep(0.5)
        assert "tapdeadbeef-00" not in tc_programs(node)
    finally:
        netns.batch(node.ns, ["link del tapdeadbeef-00"])


def test_admin_state_down_stops_a_port(lab, tenants, pair):
    a, b = pair
    tenants.srctl("port", "set", b.port, "--admin-state", "down")
    wait_until(lambda: tenants.ping(a, b.ip, wait=0.2)[1] == 0, 5, "a port that is down answers")
    tenants.srctl("port", "set", b.port, "--admin-state", "up")
    tenants.wait_ping(a, b.ip)


@pytest.mark.expect_log("/ports/00000000-dead", "/ports/")
def test_a_bad_value_is_reported_with_its_key_and_the_rest_goes_on(lab, tenants, pair):
    a, b = pair
    key = f"{CLUSTER}/vrfs/{a.network.vrf}/ports/00000000-dead-4000-8000-000000000000"
    mark = lab.agents["hv1"].log.stat().st_size
    lab.etcd.put(key, '{"id": 7')
    try:
        wait_until(lambda: key in lab.agents["hv1"].log.read_text()[mark:], 5, "not reported")
        c = tenants.vm("c", a.network, lab.fabric.nodes["hv3"], "10.0.0.13")
        tenants.wait_active([c])
        tenants.wait_ping(a, c.ip)
        assert tenants.ping(a, b.ip)[1] == 1
    finally:
        lab.etcd.delete(key)


def test_mixed_encapsulation(lab, tenants, pair):
    """hv2 sends reduced (no SRH), hv1 with SRH: each takes what the other sends."""
    a, b = pair
    agent = lab.agents["hv2"]

    def wire(vm, other):
        captures = [Capture(vm.node.ns, interface) for interface in vm.node.links]
        assert tenants.ping(vm, other.ip, count=2)[1:] == (2, 63)
        found = [p for c in captures for p in c.encapsulated() if p["inner"]["src"] in (a.ip, b.ip)]
        for capture in captures:
            capture.socket.close()
        return {(p["inner"]["src"], p["srh"] is not None) for p in found}
    assert wire(a, b) == {(a.ip, True), (b.ip, True)}
    agent.config["fabric"]["encapsulation"] = "reduced"
    agent.stop()
    try:
        agent.start()
        wait_until(lambda: wire(a, b) == {(a.ip, True), (b.ip, False)}, 10, "b's packets are not reduced")
    finally:
        del agent.config["fabric"]["encapsulation"]
        agent.stop()
        agent.start()
    wait_until(lambda: wire(a, b) == {(a.ip, True), (b.ip, True)}, 10, "b's packets stay reduced")


def run_agent(lab, *words):
    return netns.run(lab.fabric.nodes["hv3"].ns, [lab.agents["hv3"].program, *words], check=False)


def test_check_config_says_what_is_wrong_and_where(lab, tmp_path):
    good = lab.agents["hv3"].config_file
    assert run_agent(lab, "--check-config", "--config", good).returncode == 0
    text = good.read_text()
    for wrong, what in ((text.replace("2400:dcc0::a7a", "2400:dcc0::zzz", 1), "locator"),
                        (text + "\n[nonsense]\nx = 1\n", "nonsense"), (text.replace("uplinks", "uplinx"), "uplinx")):
        path = tmp_path / "wrong.conf"
        path.write_text(wrong)
        run = run_agent(lab, "--check-config", "--config", path)
        assert run.returncode not in (0, -6, -11) and what in run.stdout + run.stderr
    assert run_agent(lab, "--check-config", "--config", "/nonexistent").returncode > 0


def test_the_example_configuration_is_the_agents_own_and_true(lab, tmp_path):
    """conf/sr-agent.conf is what --example-config prints, and valid with every example in it taken."""
    example = (pathlib.Path(__file__).resolve().parents[2] / "conf" / "sr-agent.conf").read_text()
    assert run_agent(lab, "--example-config").stdout == example
    taken = tmp_path / "all.conf"
    taken.write_text("\n".join(line[1:] if line.startswith("#") and line[1:2] != " " else line
                               for line in example.splitlines()))
    run = run_agent(lab, "--check-config", "--config", taken)
    assert run.returncode == 0, run.stderr
