#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""A million routes from etcd to the datapath: how long, how much CPU, how much memory; and a restart that finds all right.

    scale.py FILL SR_AGENT [VRFS PORTS NODES [DATAPATH]]

FILL fills a private etcd, in a network namespace of this run's own, with VRFS networks of PORTS ports over NODES nodes, one
port of each network on the agent's node. Then the agent starts, twice. What is printed was measured in this run; etcd runs on
the same cores, so the wall time is that of both.

With the datapath linux, which takes a kernel with the VRF driver, some of the routes are written once more by
`ip -batch`, for comparison. Where the machine's own kernel has none:

    tests/vm/run -t 900 bench/scale.py build/bench/fill build/src/agent/sr-agent 100 1000 100 linux
"""
import ipaddress
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

CONFIG = """
[node]
name = scale
locator = 2400:dcc0:0:0:0:0:0:0/96
domain = 2400:dcc0::/32
[etcd]
endpoints = http://127.0.0.1:2379
[fabric]
uplinks = up0
[datapath]
kind = {kind}
bpffs = {bpffs}
state_dir = {state}
max_routes = {routes}
"""
TICKS = os.sysconf("SC_CLK_TCK")
IP_ROUTES = 20000  # written by ip for comparison; a second set of all would take much memory


def run(*command, **options):
    return subprocess.run(command, check=True, **options)


class Scale:
    def __init__(self, fill, agent, vrfs, ports, nodes, kind):
        self.fill, self.agent, self.kind = fill, agent, kind
        self.vrfs, self.ports, self.nodes = vrfs, ports, nodes
        self.name = f"srfscale{os.getpid()}"
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="srfabric-scale-"))
        self.bpffs = pathlib.Path("/sys/fs/bpf") / self.name
        self.children = []

    def netns(self, *command):
        return ["nsenter", f"--net=/run/netns/{self.name}", *command]

    def start(self, *command, log):
        with open(self.dir / log, "wb") as file:
            child = subprocess.Popen(self.netns(*command), stdout=file, stderr=file)
        self.children.append(child)
        return child

    def up(self):
        run("ip", "netns", "add", self.name)
        batch = "link set lo up\nlink add up0 type veth peer name up0p\nlink set up0 mtu 1600 up\nlink set up0p up\n"
        run("ip", "-n", self.name, "-batch", "-", input=batch, text=True)
        self.start("etcd", "--data-dir", str(self.dir / "etcd"), "--unsafe-no-fsync",
                   "--quota-backend-bytes", str(8 << 30), log="etcd.log")
        time.sleep(1)
        began = time.monotonic()
        out = run(*self.netns(self.fill, "http://127.0.0.1:2379", "default", str(self.vrfs), str(self.ports),
                              str(self.nodes), "scale"), stdout=subprocess.PIPE, text=True).stdout
        print(f"filled: {out.strip()} in {time.monotonic() - began:.1f} s", flush=True)
        config = CONFIG.format(kind=self.kind, bpffs=self.bpffs, state=self.dir / "state",
                               routes=max(1024, self.vrfs * self.ports * 5 // 4))
        (self.dir / "agent.conf").write_text(config)

    def run_agent(self, what):
        log = f"{what}.log"
        began = time.monotonic()
        child = self.start(self.agent, "--config", str(self.dir / "agent.conf"), log=log)
        said = re.compile(r"in step with the store: ([1-9]\d*) ports known; written since the start: (.*)")
        while True:
            found = said.search((self.dir / log).read_text())
            if found:
                break
            if child.poll() is not None or time.monotonic() - began > 300:
                sys.exit(f"{what}: the agent did not get there:\n" + (self.dir / log).read_text()[-2000:])
            time.sleep(0.05)
        wall = time.monotonic() - began
        stat = pathlib.Path(f"/proc/{child.pid}/stat").read_text().rsplit(")", 1)[1].split()
        user, system = int(stat[11]) / TICKS, int(stat[12]) / TICKS
        rss = int(re.search(r"RssAnon:\s+(\d+)", pathlib.Path(f"/proc/{child.pid}/status").read_text())[1])
        ports = int(found[1])
        print(f"{what}: {ports} ports in {wall:.1f} s wall; agent's CPU {user:.2f} s user + {system:.2f} s system; "
              f"{rss * 1024 // ports} bytes of memory a route; written: {found[2]}", flush=True)
        child.terminate()
        child.wait()

    def run_ip(self):
        """Some of the agent's routes, taken from the kernel, written into a VRF's table by ip."""
        run("ip", "-n", self.name, "link", "add", "vrfbatch", "type", "vrf", "table", "99")
        run("ip", "-n", self.name, "link", "set", "vrfbatch", "up")
        told = run("ip", "-n", self.name, "route", "show", "table", "all", stdout=subprocess.PIPE, text=True).stdout
        routes = re.findall(r"^(\S+)  encap seg6 mode encap segs 1 \[ (\S+) \]", told, re.MULTILINE)
        # Networks have the same addresses: each route gets one of its own.
        lines = [f"route replace {ipaddress.ip_address('100.64.0.0') + i} encap seg6 mode encap segs {sid}"
                 f" dev vrfbatch table 99" for i, (_, sid) in enumerate(routes[:IP_ROUTES])]
        began = time.monotonic()
        run("ip", "-n", self.name, "-batch", "-", input="\n".join(lines), text=True)
        wall = time.monotonic() - began
        print(f"ip -batch: {len(lines)} of these routes in {wall:.1f} s", flush=True)

    def down(self):
        for child in self.children:
            if child.poll() is None:
                child.kill()
            child.wait()
        subprocess.run(["ip", "netns", "del", self.name], check=False)
        shutil.rmtree(self.bpffs, ignore_errors=True)
        shutil.rmtree(self.dir, ignore_errors=True)


def main():
    fill, agent, *rest = sys.argv[1:]
    kind = rest[3] if rest[3:] else "ebpf"
    scale = Scale(fill, agent, *([int(n) for n in rest[:3]] or [1000, 1000, 1000]), kind)
    try:
        scale.up()
        scale.run_agent("first start")
        scale.run_agent("restart")
        if kind == "linux":
            scale.run_ip()
    finally:
        scale.down()


if __name__ == "__main__":
    main()
