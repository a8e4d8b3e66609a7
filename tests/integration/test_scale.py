# SPDX-License-Identifier: GPL-2.0-only
"""Many networks in one agent, from etcd to the datapath, and a restart that finds everything as it should be.

    fill -> etcd -> sr-agent -> maps          bench/scale.py measures the same with a million routes
"""
import os
import pathlib
import re
import subprocess

from conftest import BUILD, ROOT

PLAIN = pathlib.Path(os.environ.get("SRFABRIC_BUILD", ROOT / "build"))  # filling is faster without sanitizers
VRFS, PORTS, NODES = 50, 200, 20


def test_every_route_is_programmed_and_a_restart_writes_none():
    out = subprocess.run([ROOT / "bench/scale.py", PLAIN / "bench/fill", BUILD / "src/agent/sr-agent",
                          str(VRFS), str(PORTS), str(NODES)], check=True, stdout=subprocess.PIPE, text=True).stdout
    said = dict(re.findall(r"^(first start|restart): (\d+ ports) .*", out, re.MULTILINE))
    written = re.findall(r"written: (\d+) routes, (\d+) next hops, (\d+) ports, (\d+) VRFs", out)
    assert said == {"first start": f"{VRFS * PORTS} ports", "restart": f"{VRFS * PORTS} ports"}, out
    # One next hop for each of the other nodes and for each port of this one, whatever the number of routes.
    assert written == [(str(VRFS * PORTS), str(NODES - 1 + VRFS), "0", str(VRFS)), ("0", "0", "0", "0")], out
