# SPDX-License-Identifier: GPL-2.0-only
"""The slides come true: the reference's "Real config on Network Node", line by line, and packets through it.

    a network node, 2400:dcc0::a7a:4d87, holds the slide's three VRFs; 10.122.12.113 to .115 are VMs on the hypervisors
    2400:dcc0::a7a:4d8d, ...:4d8e and ...:4d8f

A node holds a VRF for the sake of a port, so the network node has a VM in each, which the slide's has not: its lines are
among those that are named besides the slide's. Nothing else may be there.
"""
import re

import pytest

from conftest import new_instance, watched
from lab import instance, netns

pytestmark = pytest.mark.linux
LOCATORS = [f"2400:dcc0::a7a:{last}" for last in ("4d87", "4d8d", "4d8e", "4d8f")]
NETWORKS = {  # vrf_ip: (project, network) of which the VRF's name is made
    "169.254.1.2": ("01b1db0000000000000000000000000a", "9dd10f00-0000-4000-8000-000000000000"),
    "169.254.1.4": ("01b1db0000000000000000000000000a", "7f5d2b00-0000-4000-8000-000000000000"),
    "169.254.1.8": ("5c059400000000000000000000000000", "737b8700-0000-4000-8000-000000000000"),
}

TABLE_12 = """\
10.122.12.113  encap seg6 mode encap segs 1 [ 2400:dcc0::a7a:4d8d:a9fe:108 ] dev vrf5c0594737b87 scope link
10.122.12.114  encap seg6 mode encap segs 1 [ 2400:dcc0::a7a:4d8e:a9fe:108 ] dev vrf5c0594737b87 scope link
10.122.12.115  encap seg6 mode encap segs 1 [ 2400:dcc0::a7a:4d8f:a9fe:108 ] dev vrf5c0594737b87 scope link
""".splitlines()
BESIDES_IN_TABLE_12 = [
    r"10\.122\.12\.10 dev tap\S+ scope link",  # the network node's own VM
    r"local 10\.122\.12\.1 dev tap\S+ proto kernel scope host src 10\.122\.12\.1",  # its gateway
    r"local 169\.254\.1\.8 dev vrf5c0594737b87 proto kernel scope host src 169\.254\.1\.8",  # the VRF's vrf_ip
    r"unreachable default metric \d+",  # what has no route here has none in the main table either
]

# Today's ip writes two blanks before "encap" here too, the slide has one: runs of blanks count as one.
TABLE_LOCAL = """\
local 2400:dcc0::a7a:4d87:a9fe:102 encap seg6local action End.DX4 nh4 169.254.1.2 dev vrf01b1db9dd10f metric 1024 pref medium
local 2400:dcc0::a7a:4d87:a9fe:104 encap seg6local action End.DX4 nh4 169.254.1.4 dev vrf01b1db7f5d2b metric 1024 pref medium
local 2400:dcc0::a7a:4d87:a9fe:108 encap seg6local action End.DX4 nh4 169.254.1.8 dev vrf5c0594737b87 metric 1024 pref medium
""".splitlines()
BESIDES_IN_TABLE_LOCAL = [
    r"local 2400:dcc0::a7a:4d87:0:0/96 dev lo proto 147 metric 1024 pref medium",  # the locator
    r"local (::1|2400:dcc0:ffff::\S+) dev lo proto kernel metric 0 pref medium",  # the node's own addresses
    r"(local|anycast) fe80::\S* dev \S+ proto kernel metric 0 pref medium",
    r"multicast ff00::/8 dev \S+ proto kernel metric 256 pref medium",
]


@pytest.fixture(scope="module")
def slide(reaped):
    made = new_instance({"datapath": {"vrf_behavior": "end.dx4", "first_table": 12}}, vrf_cidr="169.254.1.0/24",
                        hypervisors=4, leaves=1, locators=LOCATORS)
    try:
        made.up()
        networks = {}
        for last in range(1, 9):  # vrf_ips are given from the first
            vrf_ip = f"169.254.1.{last}"
            project, network = NETWORKS.get(vrf_ip, (f"{last:032x}", None))
            subnet = f"10.122.{4 + last}.0/24"
            networks[vrf_ip] = made.tenants.network(vrf_ip, project, subnet, id=network)
        node, *hypervisors = made.fabric.hypervisors
        for vrf_ip, address in (("169.254.1.8", "10.122.12.10"), ("169.254.1.2", "10.122.6.10"),
                                ("169.254.1.4", "10.122.8.10")):  # so that the first has table 12
            made.tenants.vm(f"n{address}".replace(".", ""), networks[vrf_ip], node, address)
            made.tenants.wait_active()
        for i, hypervisor in enumerate(hypervisors):
            made.tenants.vm(f"v{113 + i}", networks["169.254.1.8"], hypervisor, f"10.122.12.{113 + i}")
        made.tenants.wait_active()
        yield watched(made)
    finally:
        instance.down(made.name)


def shown(made, *words):
    return [line.rstrip() for line in netns.run(made.fabric.nodes["hv1"].ns, ["ip", *words]).stdout.splitlines()]


def besides(lines, slide_lines, named):
    """The lines that neither the slide nor the list has."""
    return [line for line in lines if line not in slide_lines and not any(re.fullmatch(p, line) for p in named)]


def test_ip_route_show_table_12(slide):
    lines = shown(slide, "route", "show", "table", "12")
    assert [line for line in lines if "encap" in line] == TABLE_12
    assert besides(lines, TABLE_12, BESIDES_IN_TABLE_12) == []


def test_ip_6_route_show_table_local(slide):
    lines = [re.sub(" +", " ", line) for line in shown(slide, "-6", "route", "show", "table", "local")]
    assert [line for line in lines if "encap" in line] == TABLE_LOCAL
    assert besides(lines, TABLE_LOCAL, BESIDES_IN_TABLE_LOCAL) == []


@pytest.mark.parametrize("source,target", [("n101221210", "10.122.12.113"), ("v115", "10.122.12.10"),
                                           ("v113", "10.122.12.114")])
def test_real_behavior(slide, source, target):
    """[VM-A1]$ ping 10.122.12.35 -c 10: 10 packets transmitted, 10 received, ttl=63."""
    assert slide.tenants.ping(slide.tenants.vms[source], target, count=10) == (10, 10, 63)
