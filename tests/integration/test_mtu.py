# SPDX-License-Identifier: GPL-2.0-only
"""Sizes: what does not fit is answered so that the sender can do better; nothing vanishes.

    a 10.0.0.11 (mtu 1500) - hv1 === fabric, mtu 1500 === hv2 - b 10.0.0.12 (mtu 1500)

40 bytes of IPv6 and 24 of SRH: 1436 of a tenant's packet fit (without an SRH 1460). In the second part the links between
leaves and hv2 take 1400, which hv1 learns from the fabric's Packet Too Big, and a from hv1: 1336.
"""
import re

import pytest

from conftest import new_instance, new_project, tenants_of, watched
from lab import instance, netns
from modes import ENCAP, LEAST, MEGABYTES
from traffic import iperf, udp_exchange

pytestmark = pytest.mark.datapath
OUTER = {"srh": 64, "reduced": 40}[ENCAP]
FITS = 1500 - OUTER


@pytest.fixture(scope="module")
def small(reaped):
    made = new_instance(mtu=1500)
    try:
        made.up()
        yield watched(made)
    finally:
        instance.down(made.name)


@pytest.fixture(scope="module")
def vms(small):
    hv1, hv2 = small.fabric.hypervisors[:2]
    with tenants_of(small) as tenants:
        network = tenants.network("net", new_project(), "10.0.0.0/24", "2001:db8::/64")
        vms = (tenants.vm("a", network, hv1, "10.0.0.11", "2001:db8::11"),
               tenants.vm("b", network, hv2, "10.0.0.12", "2001:db8::12"))
        tenants.wait_active()
        tenants.wait_ping(vms[0], vms[1].ip)
        yield vms


@pytest.fixture
def pair(vms):
    """a and b, without a memory of sizes."""
    for vm in vms:
        for family in ("-4", "-6"):
            netns.run(vm.ns, ["ip", family, "route", "flush", "cache"])
    return vms


def ping_df(vm, address, size, count=2):
    """ping of a packet of this size that may not be fragmented: (answers, [what it was told])."""
    payload = size - (48 if ":" in address else 28)
    words = ["ping", "-n", "-M", "do", "-s", payload, "-c", count, "-i", 0.1, "-W", 0.5, address]
    run = netns.run(vm.ns, words, check=False)
    return len(re.findall("bytes from", run.stdout)), re.findall(r"^.*mtu ?= ?\d+.*$", run.stdout + run.stderr, re.M)


def told(lines):
    """(sender of the answer, mtu) of the first."""
    sender = re.search(r"From (\S+)", lines[0])
    return sender[1] if sender else None, int(re.search(r"mtu ?= ?(\d+)", lines[0])[1])


@pytest.mark.parametrize("way", ["a-b", "b-a"])
@pytest.mark.parametrize("family", [4, 6])
def test_the_largest_that_fits_passes(pair, way, family):
    source, target = pair if way == "a-b" else pair[::-1]
    assert ping_df(source, target.addresses[family == 6], FITS) == (2, [])


@pytest.mark.parametrize("way", ["a-b", "b-a"])
@pytest.mark.parametrize("family", [4, 6])
def test_one_more_is_answered(pair, way, family):
    source, target = pair if way == "a-b" else pair[::-1]
    address = target.addresses[family == 6]
    gateway = "10.0.0.1" if family == 4 else "2001:db8::1"
    answers, lines = ping_df(source, address, FITS + 1, count=1)
    assert answers == 0 and told(lines) == (gateway, FITS)


@pytest.mark.parametrize("way", ["a-b", "b-a"])
@pytest.mark.parametrize("family", [4, 6])
def test_tcp_finds_its_size(pair, way, family):
    """Both VMs think 1500; TCP learns better instead of hanging."""
    source, target = pair if way == "a-b" else pair[::-1]
    for options in ((), ("-R",)):
        assert iperf(target.ns, source.ns, target.addresses[family == 6], options, MEGABYTES // 2) > LEAST


def test_tcp_of_a_network_with_an_mtu_that_fits(small):
    """VMs that know what the fabric carries need nobody to tell them."""
    hv1, hv2 = small.fabric.hypervisors[:2]
    with tenants_of(small) as tenants:
        network = tenants.network("fits", new_project(), "10.0.0.0/24", mtu=FITS)
        c, d = tenants.vm("c", network, hv1, "10.0.0.11"), tenants.vm("d", network, hv2, "10.0.0.12")
        tenants.wait_active()
        tenants.wait_ping(c, d.ip)
        for options in ((), ("-R",)):
            assert iperf(d.ns, c.ns, d.ip, options, MEGABYTES // 2) > LEAST


@pytest.mark.parametrize("size", [FITS - 28, 3000, 20000])
def test_what_the_sender_fragments_to_the_learnt_size_arrives(pair, size):
    """UDP without pmtu discovery of its own: the VM's stack fragments by what it was told."""
    a, b = pair
    ping_df(a, b.ip, FITS + 1, count=1)
    ping_df(b, a.ip, FITS + 1, count=1)
    payloads = [bytes(i % 251 for i in range(size))] * 5
    assert udp_exchange(a.ns, b.ns, b.ip, payloads) == 5


@pytest.fixture
def narrow(small):
    """The links from both leaves to hv2 take 1400 bytes."""
    hv2 = small.fabric.nodes["hv2"]

    def set_mtu(mtu):
        for leaf, interface in hv2.links.values():
            netns.batch(leaf.ns, [f"link set {interface} mtu {mtu}"])
    set_mtu(1400)
    yield 1400 - OUTER
    set_mtu(1500)


@pytest.mark.parametrize("family", [4, 6])
def test_a_packet_too_big_from_the_fabric_reaches_the_sender(pair, narrow, family):
    """leaf > hv1: "1400"; hv1 remembers, and tells a "1336" when it sends that much again; what fits then passes."""
    a, b = pair
    address = b.addresses[family == 6]
    answers, lines = ping_df(a, address, FITS, count=5)
    assert answers == 0 and told(lines)[1] == narrow
    assert ping_df(a, address, narrow) == (2, [])


def test_tcp_gets_through_a_narrow_fabric(pair, narrow):
    a, b = pair
    assert iperf(b.ns, a.ns, b.ip, megabytes=MEGABYTES // 2) > LEAST
