# SPDX-License-Identifier: GPL-2.0-only
"""The linux datapath as a good guest of its node: what it leaves alone, what it gives back, what it does not write twice.

    a 10.0.0.11 on hv1  ═══ fabric ═══  b 10.0.0.12 on hv2        lone: a node of its own, with settings before us
"""
import json
import pathlib
import subprocess
import time

import pytest

from conftest import new_project
from lab import instance, netns
from lab.agent import Agent
from lab.fabric import Node, wait_until
from lab.tenants import QUIET
from traffic import Ping

pytestmark = pytest.mark.linux
PROBE_TABLE = "table 4294967280"
L3MDEV = "1000:\tfrom all lookup [l3mdev-table]\n"  # the kernel makes it with the first VRF device, and keeps it


def ip(node, *words):
    return netns.run(node.ns, ["ip", *words]).stdout


def table_of(node, vrf):
    """The number of a VRF's table."""
    return json.loads(ip(node, "-d", "-j", "link", "show", "dev", vrf))[0]["linkinfo"]["info_data"]["table"]


def foreign_state(node, table):
    """What test_foreign… put there: whole lines."""
    told = (ip(node, "link") + ip(node, "rule") + ip(node, "-6", "rule") + ip(node, "route", "show", "table", table)
            + ip(node, "route", "show", "table", "4242") + ip(node, "-6", "route", "show", "table", "local"))
    return [line.strip() for line in told.splitlines()
            if any(word in line for word in ("foreign", "198.51.100", "lookup 4242", "2400:dcc1"))]


def test_foreign_routes_and_devices_are_left_alone(lab, tenants, pair):
    """Over a restart, the end of our VRF and the agent's cleanup: a VRF device, a route of another protocol in a table of
    ours, one beside it with our protocol through another device, a SID of another locator, rules."""
    node, agent = lab.fabric.nodes["hv1"], lab.agents["hv1"]
    vrf = pair[0].network.vrf
    table = table_of(node, vrf)
    netns.batch(node.ns, [
        "link add vrfforeign type vrf table 4242", "link set vrfforeign up", "link add foreign0 type dummy",
        "link set foreign0 master vrfforeign up", "addr add 198.51.100.1/32 dev foreign0",
        "route add 198.51.100.128/25 dev foreign0 table 4242",
        f"route add blackhole 198.51.100.64/26 table {table} proto 99",
        f"route add 198.51.100.32/27 dev foreign0 table {table}",
        "rule add pref 4242 to 198.51.100.0/24 lookup 4242",
    ])
    netns.run(node.ns, ["ip", "-6", "route", "add", "2400:dcc1::7:a9fe:1", "encap", "seg6local", "action", "End.DT4",
                        "vrftable", "4242", "dev", "vrfforeign", "table", "local"])
    before = foreign_state(node, table)
    assert len(before) >= 8, before
    try:
        agent.stop()
        agent.start()
        tenants.wait_ping(pair[0], pair[1].ip)
        assert foreign_state(node, table) == before
        tenants.clear()  # the VRF's last port on hv1, and the VRF
        wait_until(lambda: vrf not in ip(node, "link"), 10, "the VRF stays")
        assert foreign_state(node, table) == before
        agent.stop()
        agent.cleanup()
        assert foreign_state(node, table) == before
        agent.start()
        assert foreign_state(node, table) == before
    finally:
        netns.batch(node.ns, ["rule del pref 4242", f"route flush table {table}", "link del foreign0",
                              "link del vrfforeign"], force=True)


def test_a_killed_agent_comes_back_and_writes_no_route(lab, pair):
    """kill -9 and a restart: not a route that packets meet is written (ip monitor tells), not a packet is lost. The
    locator is announced anew, and what the kernel can do is tried out in a table that nobody looks into."""
    a, b = pair
    node, agent = lab.fabric.nodes["hv1"], lab.agents["hv1"]
    monitor = netns.popen(node.ns, ["ip", "monitor", "route", "rule"], stdout=subprocess.PIPE, text=True)
    try:
        with Ping(a.ns, b.ip, 0.02) as out, Ping(b.ns, a.ip, 0.02) as back:
            time.sleep(0.5)
            agent.kill()
            time.sleep(0.5)
            agent.start()
            wait_until(lambda: agent.log.read_text().rpartition("sr-agent 0")[2].count("in step with the store: "), 20,
                       "the restarted agent is not in step with the store")
            time.sleep(1)
    finally:
        monitor.terminate()
        written = monitor.communicate()[0]
    assert [line for line in written.splitlines() if node.prefix not in line and PROBE_TABLE not in line] == []
    for ping in (out, back):
        assert len(ping.arrivals) > 50 and ping.lost == []


def test_srctl_reads_it(lab, tenants, pair):
    """What is there, and what was counted: a ping's packets at the SID, and a VM's packet to SID space."""
    hv1, hv2 = lab.fabric.nodes["hv1"], lab.fabric.nodes["hv2"]
    vrf = pair[0].network.vrf

    def srctl(node, what):
        state = lab.agents[node.name].config["datapath"]["state_dir"]
        return json.loads(netns.run(node.ns, [tenants.program, "--json", "datapath", what, "--state-dir", state]).stdout)

    def counted(node):
        found = srctl(node, "counters")
        sid = next(s for s in found["sids"] if s["vrf"] == vrf)
        of_vrf = next(v for v in found["vrfs"] if v["vrf"] == vrf)
        drops = {d["reason"]: d["packets"] for d in found["drops"] if d["from"] == "tap"}
        return sid["packets"], of_vrf["encap"]["packets"], drops.get("a VM's packet from or to SID space", 0)

    dump = srctl(hv1, "dump")
    number = next(v["id"] for v in dump["vrfs"] if v["vrf"] == vrf)
    route = next(r for r in dump["routes"] if r["vrf_id"] == number and r["destination"] == pair[1].ip)
    hop = next(h for h in dump["nexthops"] if h["id"] == route["nexthop"])
    assert (hop["kind"], hop["locator"]) == ("node", hv2.locator)
    assert {p["vrf_id"] for p in dump["ports"] if p["tap"].startswith("tap")} >= {number}
    assert set(dump["uplinks"]) == set(hv1.links)
    before = counted(hv2)
    assert " 3 received" in netns.run(pair[1].ns, ["ping", "-n", "-c", "3", "-i", "0.2", pair[0].ip]).stdout
    target = f"{hv1.locator}:0:1"
    netns.batch(pair[1].ns, ["addr add 2001:db8::b/128 dev eth0 nodad", f"route add {target} dev eth0",
                             f"neigh add {target} lladdr 02:73:72:76:36:01 dev eth0 nud permanent"])
    netns.run(pair[1].ns, ["ping", "-6", "-c", "1", "-W", "1", target], check=False)
    after = counted(hv2)
    assert after[0] - before[0] == 3 and after[1] - before[1] >= 3 and after[2] - before[2] >= 1


def test_another_behavior_is_taken_up_by_a_restart(lab, tenants, pair):
    """The SIDs that are there change from a look-up in the VRF's table to the reference's way, and back; the VRF stays."""
    a, b = pair
    node, agent = lab.fabric.nodes["hv2"], lab.agents["hv2"]

    def actions():
        told = ip(node, "-6", "route", "show", "table", "local")
        return {line.split("action ")[1].split()[0] for line in told.splitlines() if "action" in line}

    def restart(behavior):
        agent.stop()
        agent.config["datapath"]["vrf_behavior"] = behavior
        agent.start()
    device = ip(node, "-o", "link", "show", "dev", a.network.vrf)
    assert actions() == {"End.DT46"}
    try:
        restart("end.dx4")
        wait_until(lambda: actions() == {"End.DX4"}, 5, lambda: f"still {actions()}")
        tenants.wait_ping(a, b.ip)
        assert tenants.ping(a, b.ip) == (1, 1, 63)
    finally:
        restart("auto")
    wait_until(lambda: actions() == {"End.DT46"}, 5, lambda: f"still {actions()}")
    assert tenants.ping(a, b.ip) == (1, 1, 63)
    assert ip(node, "-o", "link", "show", "dev", a.network.vrf) == device


# What another administrator had set before us.
OWN_SETTINGS = {"ipv4.conf.all.rp_filter": 2, "ipv4.conf.default.rp_filter": 1, "ipv4.ip_forward": 0,
                "ipv6.conf.all.forwarding": 0, "ipv6.seg6_flowlabel": 0, "ipv6.conf.up0.seg6_enabled": 0}


@pytest.fixture
def lone(lab):
    """A node beside the fabric: an uplink to nowhere and etcd."""
    node = Node("lone", "hypervisor", lab.fabric.prefix + "lone", 0, "2400:dcc0:ffff::999", "2400:dcc0::a7a:ff0f",
                {"up0": None})
    netns.add([node.ns])
    netns.sysctl(node.ns, QUIET)
    netns.batch(node.ns, [
        "link set lo up", f"addr add {node.loopback}/128 dev lo", "link add up0 mtu 9000 type dummy", "link set up0 up",
        f"link add mgmt type veth peer name lone netns {lab.fabric.mgmt}", "addr add 192.0.2.200/24 dev mgmt",
        "link set mgmt up", "sr tunsrc set 2001:db8::77", "rule add pref 4242 to 198.51.100.0/24 lookup 4242"])
    netns.batch(lab.fabric.mgmt, ["link set lone master br0 up"])
    netns.sysctl(node.ns, OWN_SETTINGS)
    agent = Agent(node, lab.dir / "lone", lab.name, lab.build, lab.etcd.url, instance.CLUSTER, kind="linux")
    try:
        yield node, agent
    finally:
        netns.delete([node.ns])
        netns.batch(lab.fabric.mgmt, ["link del lone"], force=True)


def settings(node):
    """{name: value} of all of the namespace's sysctls, and what else is the whole node's."""
    with netns.enter(node.ns):
        root = pathlib.Path("/proc/sys/net")
        found = {}
        for path in root.rglob("*"):
            name = str(path.relative_to(root))
            if path.is_file() and name.startswith(("ipv4", "ipv6", "vrf")) and "/tap" not in name:
                try:
                    found[name] = path.read_text().strip()
                except OSError:
                    continue
    looks = {"rules": ["rule"], "IPv6 rules": ["-6", "rule"], "tunsrc": ["sr", "tunsrc", "show"],
             "links": ["-br", "link"], "routes": ["route", "show", "table", "all"],
             "IPv6 routes": ["-6", "route", "show", "table", "all"]}
    found.update({what: ip(node, *words).replace(L3MDEV, "") for what, words in looks.items()})
    found["tc"] = netns.run(node.ns, ["tc", "qdisc", "show"]).stdout
    return found


def differences(before, after):
    """{what: (lines that are no more, lines that are new)}"""
    def lines(found, name):
        return set(found.get(name, "(none)").splitlines())
    return {name: (lines(before, name) - lines(after, name), lines(after, name) - lines(before, name))
            for name in before.keys() | after.keys() if lines(before, name) != lines(after, name)}


def test_cleanup_gives_the_node_back_as_it_was(lab, tenants, lone):
    """Sysctls, rules, the tunnels' source, routes, qdiscs: what was changed is restored, whatever its value was."""
    node, agent = lone
    before = settings(node)
    try:
        agent.start()
        network = tenants.network("net", new_project(), "10.0.0.0/24")
        a = tenants.vm("a", network, node, "10.0.0.11")
        tenants.wait_active([a])
        during = differences(before, settings(node))
        assert {"ipv4/ip_forward", "IPv6 rules", "tunsrc", "routes"} <= during.keys()
        agent.kill()  # not even an orderly end
        tenants.unplug(a)
        agent.cleanup()
        assert differences(before, settings(node)) == {}
    finally:
        agent.kill()
        tenants.clear()
        tenants.srctl("node", "delete", "lone")
