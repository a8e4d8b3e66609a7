# SPDX-License-Identifier: GPL-2.0-only
"""Routes, SIDs, the trace of a packet, and changes as they happen."""
import json
import subprocess

import pytest

from command import PROJECT, SRCTL


@pytest.fixture
def ports(srctl, web):
    """a on hv1, b and c on hv2 (c down), d unbound; one rule, and a gateway only in network out."""
    made = {}
    for name, words in (("a", ("--host", "hv1")), ("b", ("--host", "hv2")), ("c", ("--host", "hv2", "--down")), ("d", ()),
                        ("e", ("--host", "hv1"))):
        made[name] = srctl.json("port", "create", "--network", "web", "--name", name, *words)
        srctl.put(f"status/ports/{made[name]['id']}", {"node": made[name].get("binding:host_id", "hv1"),
                                                       "status": "ACTIVE"})
    srctl.ok("encap", "create", "--network", "web", "192.0.2.0/24=c1::1:1,c1::1:2")
    return {name: {**p, "ip": p["fixed_ips"][0]["ip_address"]} for name, p in made.items()}


def locator(srctl, node):
    return srctl.json("node", "show", node)["segment_node_id"]


def trace(srctl, *words):
    return srctl.json("trace", *words)


def test_to_a_port_on_another_node(srctl, web, ports):
    told = trace(srctl, "a", ports["b"]["ip"])
    assert told["verdict"] == "delivered" and told["notes"] == []
    assert [step["at"] for step in told["steps"]] == ["hv1"] * 4 + ["hv2"] * 2
    assert told["route"] == {"destination": ports["b"]["ip"], "source": "port"}
    assert len(told["segments"]) == 1 and told["to"]["tap"] == ports["b"]["tap"] and told["to"]["node"] == "hv2"
    assert told == trace(srctl, ports["a"]["tap"], "b")


def test_to_a_port_on_the_same_node(srctl, ports):
    told = trace(srctl, "a", "e")
    assert told["verdict"] == "delivered" and told["segments"] == []
    assert {step["at"] for step in told["steps"]} == {"hv1"}
    assert ports["e"]["tap"] in told["steps"][-1]["what"]


def test_by_a_rule(srctl, ports):
    told = trace(srctl, "a", "192.0.2.9")
    assert told["verdict"] == "sent" and told["route"] == {"destination": "192.0.2.0/24", "source": "encap"}
    assert told["segments"] == ["c1::1:1", "c1::1:2"]


def test_by_the_gateway(srctl):
    srctl.ok("network", "create", "out", "--project", PROJECT, "--subnet", "10.0.0.0/24", "--gateway", "c1::")
    srctl.ok("port", "create", "--network", "out", "--host", "hv1", "--name", "o")
    told = trace(srctl, "o", "8.8.8.8")
    assert told["verdict"] == "sent" and told["route"] == {"destination": "0.0.0.0/0", "source": "gateway"}


@pytest.mark.parametrize("sender, to, reason", [
    ("a", "c", "administratively down"),
    ("c", "a", "administratively down"),
    ("d", "a", "bound to no host"),
    ("a", "a", "own address"),
    ("a", "10.0.0.99", "no route"),
    ("a", "8.8.8.8", "no route"),
    ("a", "224.0.0.1", "multicast"),
    ("a", "255.255.255.255", "multicast"),
    ("a", "ff02::1", "multicast"),
    ("a", "fe80::1", "link-local"),
    ("a", "127.0.0.1", "no packet may have"),
])
def test_drops_have_a_reason(srctl, ports, sender, to, reason):
    told = trace(srctl, sender, to)
    assert told["verdict"] == "dropped" and reason in told["reason"]


def test_sid_space_is_not_for_tenants(srctl, ports):
    assert "SID space" in trace(srctl, "a", locator(srctl, "hv2") + ":0:1")["reason"]


@pytest.mark.parametrize("to, note", [("d", "bound to no host"), ("10.0.0.99", "no port has that address"),
                                      ("8.8.8.8", "no gateway")])
def test_no_route_says_why(srctl, ports, to, note):
    assert any(note in said for said in trace(srctl, "a", to)["notes"])


def test_the_gateway_s_address_is_answered(srctl, ports):
    assert trace(srctl, "a", "10.0.0.1")["verdict"] == "answered"


def test_what_makes_it_doubtful_is_said(srctl, ports):
    srctl.etcd.ctl("del", f"/srfabric/v1/clusters/{srctl.cluster}/status/nodes/hv2")
    srctl.put(f"status/ports/{ports['b']['id']}", {"node": "hv2", "status": "DOWN", "reason": "no tap"})
    text = srctl.ok("trace", "a", "b")
    assert "But: hv2 is not alive" in text and "no tap" in text and "Delivered" in text


def test_a_node_that_is_not_registered(srctl, ports):
    srctl.etcd.ctl("del", f"/srfabric/v1/clusters/{srctl.cluster}/nodes/hv2")
    told = trace(srctl, "a", "b")
    assert told["verdict"] == "dropped" and "hv2 is not registered" in told["reason"]
    assert "hv2 is not registered" in trace(srctl, "b", "a")["reason"]


def test_routes(srctl, web, ports):
    routes = srctl.json("route", "list", "--network", "web")
    assert routes == srctl.json("route", "list", "--vrf", web["vrf"]) == srctl.json("route", "list")
    assert [r["destination"] for r in routes] == [ports[p]["ip"] for p in "abc"] + [ports["e"]["ip"], "192.0.2.0/24"]
    assert [r["source"] for r in routes] == ["port"] * 4 + ["encap"]
    assert [r["node"] for r in routes] == ["hv1", "hv2", "hv2", "hv1", None]


def test_sids(srctl, web, ports):
    listed = srctl.json("sid", "list")
    assert [(s["node"], s["ports"], s["vrf"]) for s in listed] == [("hv1", 2, web["vrf"]), ("hv2", 2, web["vrf"])]
    route = srctl.json("route", "list")[0]
    assert route["segments"] == [listed[0]["sid"]]


def test_watch_tells_changes(srctl, web):
    with subprocess.Popen([SRCTL, "--json", "watch", "--count", "3"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, env=srctl.env) as child:
        assert child.stderr.readline() == "srctl: watching.\n"
        made = srctl.json("port", "create", "--network", "web", "--name", "x")
        srctl.ok("port", "set", "x", "--down")
        srctl.ok("port", "delete", "x")
        lines = [json.loads(line) for line in child.stdout]
        assert child.wait(20) == 0
    assert [(line["event"], line["kind"], line["name"]) for line in lines] == \
        [("put", "port", made["id"])] * 2 + [("delete", "port", made["id"])]
    assert lines[1]["object"]["admin_state_up"] is False and lines[2]["object"] is None
