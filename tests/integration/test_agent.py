# SPDX-License-Identifier: GPL-2.0-only
"""The agent as its neighbours see it: the routing daemon, etcd, the operator, the kernel.

    etcd - sr-agent on hv3 - kernel: locator's routes, TC programs, pins
                |
             taps c 10.0.0.13 ... on hv3; a 10.0.0.11 on hv1
"""
import json
import pathlib
import re
import time

import pytest

from conftest import new_project
from lab import netns
from lab.agent import Agent, lacking
from lab.capture import Capture
from lab.fabric import wait_until
from modes import ENCAP, OTHER_ENCAP

CLUSTER = "/srfabric/v1/clusters/lab"


def locator_routes(node):
    """{type: table} of the routes of our protocol."""
    routes = json.loads(netns.run(node.ns, ["ip", "-j", "-6", "route", "show", "table", "all", "proto", "147"]).stdout)
    return {(route.get("type", "unicast"), route["dst"], route.get("table", "main")) for route in routes}


def links(node):
    return json.loads(netns.run(node.ns, ["ip", "-j", "link"]).stdout)


def filters(node, names):
    """What TC does with packets that arrive at these interfaces; the numbers of programs are left out."""
    commands = "".join(f"filter show dev {name} ingress\n" for name in names)
    told = netns.run(node.ns, ["sh", "-c", f"echo '{commands}' | tc -batch -"]).stdout
    return re.sub(r"\bid \d+|:\[\d+\]", "", told)


def taken(node):
    """The interfaces that a datapath has its hands on: by a filter of TC, or by a VRF that is their master."""
    return [link["ifname"] for link in links(node)
            if "master" in link or re.search("bpf|flower|matchall", filters(node, [link["ifname"]]))]


def kernel_state(node):
    """All that a datapath may have put into a node's kernel."""
    looks = ["rule", "-6 rule", "route show table all", "-6 route show table all", "sr tunsrc show"]
    told = netns.run(node.ns, ["sh", "-c", "; ".join(f"ip {look}" for look in looks)]).stdout
    devices = [(link["ifname"], link.get("master"), link["mtu"]) for link in links(node)]
    return {*devices, *told.splitlines(), filters(node, [name for name, _, _ in devices])}


@pytest.mark.datapath
def test_the_locator_is_in_the_kernels_tables(lab):
    for node in lab.fabric.hypervisors:
        assert locator_routes(node) == {("unreachable", node.prefix, "main"), ("local", node.prefix, "local")}


@pytest.mark.datapath
def test_sigterm_leaves_everything_and_cleanup_nothing(lab):
    node, agent = lab.fabric.nodes["hv3"], lab.agents["hv3"]
    before = kernel_state(node)
    assert agent.stop() == 0
    try:
        assert kernel_state(node) ^ before == set() and agent.bpffs.exists() == (agent.kind == "ebpf")
        assert agent.kind != "ebpf" or sorted(taken(node)) == ["eth0", "eth1"]
        agent.cleanup()
        assert locator_routes(node) == set() and taken(node) == [] and not agent.bpffs.exists()
        agent.cleanup()  # nothing to do is no error
    finally:
        agent.start()
        lab.fabric.wait_routes()
    assert kernel_state(node) ^ before == set()


def node_status(lab, name):
    value = lab.etcd.get(f"{CLUSTER}/status/nodes/{name}")
    return json.loads(value) if value else None


def test_liveness_ends_with_the_agent(lab):
    """The node's status hangs on the agent's lease: it is there while the agent is, and goes after a kill -9."""
    agent = lab.agents["hv3"]
    assert node_status(lab, "hv3")["datapath"] == agent.kind
    agent.kill()
    try:
        wait_until(lambda: node_status(lab, "hv3") is None, 40, "the dead agent's status stays")
    finally:
        agent.start()
    wait_until(lambda: node_status(lab, "hv3"), 5, "no status after the restart")


@pytest.mark.datapath
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


@pytest.mark.datapath
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


@pytest.mark.datapath
def test_a_strangers_tap_is_left_alone(lab):
    """A tap whose port nobody knows gets no program, and none is taken away from what is not ours."""
    node = lab.fabric.nodes["hv3"]
    netns.batch(node.ns, ["link add tapdeadbeef-00 type veth peer name stranger", "link set tapdeadbeef-00 up"])
    try:
        time.sleep(0.5)
        assert "tapdeadbeef-00" not in taken(node)
    finally:
        netns.batch(node.ns, ["link del tapdeadbeef-00"])


@pytest.mark.datapath
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


@pytest.mark.datapath
def test_mixed_encapsulation(lab, tenants, pair):
    """hv2 sends without an SRH what hv1 sends with one, or the other way round: each takes what the other sends."""
    a, b = pair
    srh = ENCAP == "srh"
    agent = lab.agents["hv2"]

    def wire(vm, other):
        captures = [Capture(vm.node.ns, interface) for interface in vm.node.links]
        assert tenants.ping(vm, other.ip, count=2)[1:] == (2, 63)
        found = [p for c in captures for p in c.encapsulated() if p["inner"]["src"] in (a.ip, b.ip)]
        for capture in captures:
            capture.socket.close()
        return {(p["inner"]["src"], p["srh"] is not None) for p in found}
    assert wire(a, b) == {(a.ip, srh), (b.ip, srh)}
    agent.config["fabric"]["encapsulation"] = OTHER_ENCAP
    agent.stop()
    try:
        agent.start()
        wait_until(lambda: wire(a, b) == {(a.ip, srh), (b.ip, not srh)}, 10, "b's packets do not change")
    finally:
        agent.config["fabric"]["encapsulation"] = ENCAP
        agent.stop()
        agent.start()
    wait_until(lambda: wire(a, b) == {(a.ip, srh), (b.ip, srh)}, 10, "b's packets do not change back")


def run_agent(lab, *words):
    return netns.run(lab.fabric.nodes["hv3"].ns, [lab.agents["hv3"].program, *words], check=False)


@pytest.mark.skipif(not lacking("linux"), reason="this kernel has the VRF driver")
def test_the_linux_datapath_says_what_the_kernel_lacks(lab, tmp_path):
    """One clear line, and the exit code for what is not available."""
    agent = Agent(lab.fabric.nodes["hv3"], tmp_path, "novrf" + lab.name, lab.build, lab.etcd.url, "lab", kind="linux")
    agent.start(wait=False)
    assert agent.child.wait(20) == 69
    lines = agent.log.read_text().splitlines()
    assert len([line for line in lines if "VRF" in line]) == 1, lines


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
