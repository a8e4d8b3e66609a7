# SPDX-License-Identifier: GPL-2.0-only
"""An instance: the fabric, etcd and the agents under one name, made in order and removed by the name alone.

down() needs nothing that up() left in memory or on disk: it ends what runs in the namespaces of the name and removes
those, the pins, and the directory. So it also clears away an instance whose maker was killed half-way.
"""
import contextlib
import pathlib
import re
import shutil
import socket

from lab import netns
from lab.agent import BPFFS, Agent, mount_bpffs
from lab.etcd import Etcd
from lab.fabric import Fabric, wait_until
from lab.tenants import Tenants

RUN = pathlib.Path("/run")
CLUSTER = "lab"


def directory(name):
    return RUN / f"srfabric-{name}"


@contextlib.contextmanager
def locked(name):
    """One up or down of a name at a time; the kernel drops the lock with the process."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as lock:
        try:
            lock.bind(f"\0srfabric-{name}")
        except OSError:
            raise RuntimeError(f"another process is making or removing {name}") from None
        yield


def down(name):
    """Removes all of an instance. True if there was anything."""
    if not re.fullmatch("[a-z0-9]+", name):
        raise ValueError(f"not a name of an instance: {name}")
    spaces = netns.names(name + "-")
    pins = list(BPFFS.glob(f"srfabric-{name}-*"))
    there = bool(spaces or pins or directory(name).exists())
    netns.delete(spaces)
    for pin in pins:
        shutil.rmtree(pin)
    shutil.rmtree(directory(name), ignore_errors=True)
    return there


DATAPATHS = ("ebpf", "linux", "mixed")


def kinds(datapath, nodes):
    """The datapath of each node, mixed being linux and ebpf in turn; None: as its agent likes."""
    return [("linux", "ebpf")[i % 2] if datapath == "mixed" else datapath for i in range(len(nodes))]


class Instance:
    """options: sections of the agents' configuration to change; datapath: one of DATAPATHS, or None; vrf_cidr: of the
    cluster; fabric: arguments of Fabric."""

    def __init__(self, name, build, options=None, datapath=None, vrf_cidr="169.254.0.0/16", **fabric):
        self.vrf_cidr = vrf_cidr
        self.name, self.dir, self.build = name, directory(name), pathlib.Path(build)
        self.fabric = Fabric(name + "-", self.dir, **fabric)
        self.etcd = Etcd(name + "-mgmt", self.dir / "etcd")
        self.tenants = Tenants(self.fabric, self.etcd, self.build, CLUSTER, on_link6=datapath in (None, "ebpf"))
        nodes = self.fabric.hypervisors
        self.agents = {node.name: Agent(node, self.dir / node.name, name, self.build, self.etcd.url, CLUSTER, options,
                                        kind) for node, kind in zip(nodes, kinds(datapath, nodes))}

    def up(self, progress=lambda text: None):
        """Routers, etcd, a cluster, agents; tenants are the caller's."""
        mount_bpffs()
        progress("routers and links")
        self.fabric.create()
        progress("etcd")
        self.etcd.start()
        self.tenants.cluster_create(self.vrf_cidr)
        progress("agents")
        for agent in self.agents.values():
            agent.start(wait=False)
        for agent in self.agents.values():
            agent.wait_ready()
        # They register their nodes themselves; before that no port can be bound to them.
        prefix = f"/srfabric/v1/clusters/{CLUSTER}/status/nodes/"
        wait_until(lambda: len(self.etcd.prefix(prefix)) == len(self.agents), 20, "agents did not register their nodes")
        progress("BGP: every locator on every router")
        self.fabric.wait_routes()

    def logs(self):
        """Every log file of every daemon."""
        return sorted(self.dir.rglob("*.log")) + sorted(self.dir.rglob("*.out"))
