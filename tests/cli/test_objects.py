# SPDX-License-Identifier: GPL-2.0-only
"""srctl makes, shows, changes and removes what stands in etcd; and refuses what would break it."""
import json
import uuid

import pytest

from command import PROJECT, ROOT

VALID = ROOT / "schema/examples/valid"


def golden(name):
    return json.loads((VALID / name).read_text())


def port(srctl, *words, network="web"):
    return srctl.json("port", "create", "--network", network, *words)


# Clusters


def test_cluster_create_is_idempotent_and_refuses_overlap(srctl):
    cidr = srctl.json("cluster", "show")["vrf_cidr"]
    srctl.ok("cluster", "create", srctl.cluster, "--vrf-cidr", cidr)
    said = srctl.fails(1, "cluster", "create", "other", "--vrf-cidr", cidr)
    assert srctl.cluster in said and "other" in said and cidr in said
    assert {"cluster": srctl.cluster, "vrf_cidr": cidr} in srctl.json("cluster", "list")


def test_cluster_show_counts(srctl, web):
    port(srctl, "--host", "hv1")
    shown = srctl.json("cluster", "show")
    assert [shown[key] for key in ("nodes", "networks", "ports", "encap_networks")] == [2, 1, 1, 0]


# Networks


def test_network_create(srctl):
    made = srctl.json("network", "create", "db", "--project", PROJECT, "--subnet", "10.1.0.0/16,10.1.9.9", "--subnet",
                      "2001:db8::/64", "--subnet", "10.2.0.0/24,none", "--mtu", "1400", "--gateway", "c1::", "--id",
                      "a2903911-5f6e-4b8a-9d21-0c4f7e6a1b2d")
    assert made["vrf"] == "vrf644606a29039"
    assert made["vrf_ip"].endswith(".1") and made["segment_gw_id"] == "c1::" and made["mtu"] == 1400
    assert made["subnets"] == [{"cidr": "10.1.0.0/16", "gateway_ip": "10.1.9.9"},
                               {"cidr": "2001:db8::/64", "gateway_ip": "2001:db8::1"}, {"cidr": "10.2.0.0/24"}]
    assert srctl.keys("vrfs/") == ["vrfs/vrf644606a29039/info"]
    assert set(made) == set(golden("vrf.json"))


@pytest.mark.parametrize("named_by", ["network_name", "network_id", "vrf", "start"])
def test_a_network_is_found_by(srctl, web, named_by):
    word = web["network_id"][:8] if named_by == "start" else web[named_by]
    assert srctl.json("network", "show", word)["network_id"] == web["network_id"]


def test_an_ambiguous_name_is_refused_with_the_candidates(srctl, web):
    other = srctl.json("network", "create", "web", "--project", PROJECT)
    said = srctl.fails(1, "network", "delete", "web")
    assert web["network_id"] in said and other["network_id"] in said
    srctl.ok("network", "delete", other["network_id"])
    srctl.ok("network", "delete", "web", "--now")
    assert srctl.keys("vrfs/") == []
    assert srctl.keys("vrf_ips/") == [f"vrf_ips/{other['vrf_ip']}"]  # nobody's for 5 minutes


def test_a_network_in_use_is_not_deleted(srctl, web):
    made = port(srctl)
    rules = srctl.json("encap", "create", "--network", "web", "192.0.2.1=c1::1:2")
    assert "1 port" in srctl.fails(1, "network", "delete", "web")
    srctl.ok("port", "delete", made["id"])
    assert "1 encap network" in srctl.fails(1, "network", "delete", "web")
    srctl.ok("encap", "delete", rules["id"])
    srctl.ok("network", "delete", "web", "--now")
    assert srctl.keys("vrf") == [] and srctl.keys("addresses/") == [] and srctl.keys("macs/") == []


def test_network_list_is_sorted_and_counts_ports(srctl, web):
    srctl.ok("network", "create", "alpha", "--project", PROJECT)
    port(srctl)
    listed = srctl.json("network", "list")
    assert [(n["network_name"], n["ports"]) for n in listed] == [("alpha", 0), ("web", 1)]
    lines = srctl.ok("network", "list").splitlines()
    columns = {line.index(PROJECT) for line in lines[1:]} | {lines[0].index("PROJECT")}
    assert len(lines) == 3 and len(columns) == 1


# Ports


def test_port_create_has_the_schema_s_fields_and_the_tap(srctl, web):
    made = port(srctl, "--host", "hv1", "--ip", "10.0.0.5", "--mac", "fa:16:3e:00:00:01", "--name", "web-1")
    assert set(made) == set(golden("port.json")) | {"tap"}
    assert made["tap"] == "tap" + made["id"][:11]
    assert made["fixed_ips"] == [{"ip_address": "10.0.0.5"}] and made["binding:host_id"] == "hv1"
    assert sorted(srctl.keys()) == sorted([
        f"addresses/{web['vrf']}/10.0.0.5", f"bindings/hv1/{made['id']}",
        f"macs/{web['vrf']}/fa:16:3e:00:00:01", "nodes/hv1", "nodes/hv2", "status/nodes/hv1",
        "status/nodes/hv2", f"vrf_ips/{web['vrf_ip']}", f"vrfs/{web['vrf']}/info",
        f"vrfs/{web['vrf']}/ports/{made['id']}"])


def test_port_create_says_id_and_tap(srctl, web):
    given = str(uuid.uuid4())
    assert srctl.ok("port", "create", "--network", "web", "--id", given) == f"{given} tap{given[:11]}\n"


def test_ports_get_the_lowest_free_address(srctl, web):
    addresses = [port(srctl)["fixed_ips"][0]["ip_address"] for _ in range(3)]
    assert addresses == ["10.0.0.2", "10.0.0.3", "10.0.0.4"]
    srctl.ok("port", "delete", "10.0.0.3")
    assert port(srctl)["fixed_ips"] == [{"ip_address": "10.0.0.3"}]


@pytest.mark.parametrize("words, why", [
    (("--ip", "10.0.0.5"), "belongs to port"),
    (("--ip", "10.9.0.1"), "in no subnet"),
    (("--ip", "10.0.0.1"), "gateway"),
    (("--host", "hv9"), "no node hv9"),
])
def test_port_create_refuses(srctl, web, words, why):
    port(srctl, "--ip", "10.0.0.5")
    before = srctl.keys()
    assert why in srctl.fails(1, "port", "create", "--network", "web", *words)
    assert srctl.keys() == before


def test_a_port_moves_with_one_binding(srctl, web):
    made = port(srctl, "--host", "hv1")
    for words, node in ((("--host", "hv2"), "hv2"), (("--host", "hv2"), "hv2"), (("--no-host",), None),
                        (("--host", "hv1", "--down"), "hv1")):
        moved = srctl.json("port", "set", made["id"], *words)
        assert moved.get("binding:host_id") == node
        assert srctl.keys("bindings/") == ([f"bindings/{node}/{made['id']}"] if node else [])
    assert moved["admin_state_up"] is False and moved["binding:host_id"] == "hv1"
    assert srctl.json("port", "set", made["id"], "--admin-state", "up")["admin_state_up"] is True


@pytest.mark.parametrize("word", ["id", "tap", "name", "address", "start"])
def test_a_port_is_found_by(srctl, web, word):
    made = port(srctl, "--name", "web-1")
    words = {**made, "address": "10.0.0.2", "start": made["id"][:6]}
    assert srctl.json("port", "show", words[word])["id"] == made["id"]


def test_port_status_comes_from_the_agent(srctl, web):
    made = port(srctl, "--host", "hv1")
    assert srctl.json("port", "show", made["id"])["status"] == "DOWN"
    srctl.put(f"status/ports/{made['id']}", {"node": "hv1", "status": "DOWN", "reason": "no tap"})
    assert srctl.json("port", "show", made["id"])["reason"] == "no tap"
    srctl.put(f"status/ports/{made['id']}", {"node": "hv1", "status": "ACTIVE"})
    assert [p["status"] for p in srctl.json("port", "list")] == ["ACTIVE"]


def test_port_list_filters(srctl, web):
    srctl.ok("network", "create", "db", "--project", PROJECT, "--subnet", "10.0.0.0/24")
    ids = [port(srctl, "--host", host, network=net)["id"] for net in ("web", "db") for host in ("hv1", "hv2")]
    listed = [p["id"] for p in srctl.json("port", "list", "--network", "db", "--host", "hv2")]
    assert listed == [ids[3]]
    assert len(srctl.json("port", "list")) == 4


def test_golden_objects_are_shown_as_they_are(srctl):
    vrf, a_port = golden("vrf.json"), golden("port.json")
    srctl.put(f"vrfs/{vrf['vrf']}/info", vrf)
    srctl.put(f"vrfs/{vrf['vrf']}/ports/{a_port['id']}", a_port)
    shown = srctl.json("port", "show", a_port["id"])
    assert {key: shown[key] for key in a_port} == a_port
    assert {**srctl.json("network", "list")[0], **vrf} == {**vrf, "ports": 1}


def test_a_bad_value_is_named_and_the_rest_is_shown(srctl, web):
    made = port(srctl)
    srctl.put(f"vrfs/{web['vrf']}/ports/{uuid.uuid4()}", "{")
    run = srctl.run("--json", "port", "list")
    assert run.returncode == 0 and [p["id"] for p in json.loads(run.stdout)] == [made["id"]]
    assert "is left out" in run.stderr and "/ports/" in run.stderr


def test_names_cannot_move_the_cursor(srctl):
    srctl.ok("network", "create", "a\x1b[2Jb\x07", "--project", PROJECT)
    text = srctl.ok("network", "list")
    assert "a?[2Jb?" in text and "\x1b" not in text


# Nodes, encap networks


def test_node_list_says_who_is_alive(srctl):
    srctl.node("hv3", "c9::3", alive=False)
    assert [(n["name"], n["state"]) for n in srctl.json("node", "list")] == \
        [("hv1", "up"), ("hv2", "up"), ("hv3", "down")]


def test_node_drain(srctl):
    srctl.ok("node", "drain", "hv1")
    assert srctl.json("node", "show", "hv1")["state"] == "draining"
    srctl.put("status/nodes/hv1", {**golden("node-status.json"), "draining": True})
    assert srctl.json("node", "show", "hv1")["state"] == "drained"
    assert srctl.json("node", "undrain", "hv1")["drain"] is False
    assert "no node hv9" in srctl.fails(1, "node", "drain", "hv9")


def test_node_delete(srctl, web):
    made = port(srctl, "--host", "hv1")
    assert made["id"] in srctl.fails(1, "node", "delete", "hv1")
    srctl.ok("port", "delete", made["id"])
    srctl.ok("node", "delete", "hv1")
    assert srctl.keys("nodes/") == ["nodes/hv2"]


def test_encap(srctl, web):
    made = srctl.json("encap", "create", "--network", "web", "192.0.2.0/24=c1::1:1,c1::1:2", "10.9.9.9=c1::1:3")
    assert made["encap_rules"] == [{"destination": "192.0.2.0/24", "nexthop": ["c1::1:1", "c1::1:2"]},
                                   {"destination": "10.9.9.9", "nexthop": "c1::1:3"}]
    assert srctl.json("encap", "show", made["id"][:8]) == made
    assert srctl.json("encap", "list", "--network", "web") == [made]
    srctl.ok("encap", "delete", made["id"])
    assert srctl.json("encap", "list") == []
