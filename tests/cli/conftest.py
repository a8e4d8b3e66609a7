# SPDX-License-Identifier: GPL-2.0-only
"""One etcd for the run; each test has a cluster of its own in it."""
import itertools
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from command import PROJECT, Etcd, Srctl  # noqa: E402

NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def etcd(tmp_path_factory):
    made = Etcd(tmp_path_factory.mktemp("etcd"))
    yield made
    made.stop()


@pytest.fixture
def bare(etcd):
    """In a cluster that is not there: for what does not get so far."""
    return Srctl(etcd, "nowhere")


@pytest.fixture
def srctl(etcd):
    """A cluster with a vrf_cidr and two nodes, both alive."""
    number = next(NUMBERS)
    made = Srctl(etcd, f"c{number}")
    made.ok("cluster", "create", made.cluster, "--vrf-cidr", f"169.254.{number}.0/24")
    for index in (1, 2):
        made.node(f"hv{index}", f"2400:dcc0:{number:x}::{index}")
    return made


@pytest.fixture
def web(srctl):
    return srctl.json("network", "create", "web", "--project", PROJECT, "--subnet", "10.0.0.0/24")
