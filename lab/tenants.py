# SPDX-License-Identifier: GPL-2.0-only
"""Tenants: networks and ports, made with srctl as an operator would, and VMs, plugged as Nova would.

A VM is a namespace with eth0; the other end of that veth is the tap on its hypervisor, called `tap` and the first 11
characters of the port's id. It is plugged after the agent runs and knows the port, or before: both happen to Nova. The
VM has its address and a default route, and no idea of the fabric. Where the kernel is the datapath, a VM reaches its
IPv6 neighbours through the gateway as well, for the kernel answers solicitations only address by address.
"""
import dataclasses
import ipaddress
import itertools
import json

from lab import netns
from lab.fabric import wait_until

QUIET = {f"ipv6.conf.{which}.{key}": 0 for which in ("all", "default") for key in ("accept_ra", "accept_dad")}


@dataclasses.dataclass
class Network:
    name: str
    project: str
    subnets: list  # (cidr, gateway)
    mtu: int
    id: str
    vrf: str


@dataclasses.dataclass
class Vm:
    name: str
    ns: str
    network: Network
    node: object  # where it runs
    addresses: list
    mac: str
    port: str  # id
    tap: str

    @property
    def ip(self):
        return self.addresses[0]


class Tenants:
    def __init__(self, fabric, etcd, build, cluster, on_link6=True):
        self.fabric, self.etcd, self.cluster, self.on_link6 = fabric, etcd, cluster, on_link6
        self.program = build / "src" / "cli" / "srctl"
        self.networks, self.vms = {}, {}
        self.numbers = itertools.count(1)

    def command(self, words):
        return [str(self.program), "--etcd", self.etcd.url, "--cluster", self.cluster, *words]

    def srctl(self, *words, check=True):
        return netns.run(self.etcd.ns, self.command(words), check)

    def _json(self, *words):
        return json.loads(self.srctl("--json", *words).stdout)

    def cluster_create(self, vrf_cidr):
        self.srctl("cluster", "create", self.cluster, "--vrf-cidr", vrf_cidr)

    def network(self, name, project, *subnets, mtu=1500, id=None):
        """subnets: "10.0.0.0/24": its first address is the gateway. id: a UUID, if it is to be a certain one."""
        pairs = [(cidr, str(ipaddress.ip_network(cidr)[1])) for cidr in subnets]
        words = [word for cidr, gateway in pairs for word in ("--subnet", f"{cidr},{gateway}")]
        words += ["--mtu", str(mtu)] if mtu != 1500 else []
        made = self._json("network", "create", name, "--project", project, *words, *(("--id", id) if id else ()))
        self.networks[name] = Network(name, project, pairs, mtu, made["network_id"], made["vrf"])
        return self.networks[name]

    def vrf_ip(self, network):
        return self._json("network", "show", network.id)["vrf_ip"]

    def vm(self, name, network, node, *addresses, plug=True):
        """A port and its VM on a hypervisor. MAC addresses are numbered: none comes twice."""
        mac = "fa:16:3e:00:%02x:%02x" % divmod(next(self.numbers), 256)
        words = [word for address in addresses for word in ("--ip", address)]
        port = self._json("port", "create", "--network", network.id, "--host", node.name, "--name", name, "--mac", mac,
                          *words)["id"]
        vm = Vm(name, self.fabric.prefix + name, network, node, list(addresses), mac, port, "tap" + port[:11])
        netns.add([vm.ns])
        netns.sysctl(vm.ns, QUIET)
        self.vms[name] = vm
        if plug:
            self.plug(vm)
        return vm

    # What Nova does

    def plug(self, vm):
        netns.batch(vm.ns, self._interface(vm))

    def _interface(self, vm):
        yield "link set lo up"
        yield (f"link add {vm.tap} netns {vm.node.ns} up type veth"
               f" peer name eth0 address {vm.mac} mtu {vm.network.mtu}")
        yield "link set eth0 up"
        for address in vm.addresses:
            cidr, gateway = next(s for s in vm.network.subnets
                                 if ipaddress.ip_address(address) in ipaddress.ip_network(s[0]))
            on_link = self.on_link6 or ":" not in address
            yield f"addr add {address}/{cidr.rpartition('/')[2] if on_link else 128} dev eth0"
            yield f"route add default via {gateway} {'' if on_link else 'dev eth0 onlink'}"

    def unplug(self, vm):
        netns.batch(vm.node.ns, [f"link del {vm.tap}"])

    def move(self, vm, node):
        """Cold, as seen from outside: unplugged here, rebound, plugged there; the address stays."""
        self.unplug(vm)
        vm.node = node
        self.srctl("port", "set", vm.port, "--host", node.name)
        self.plug(vm)

    def remove(self, vm):
        self._remove([vm])

    def _remove(self, vms):
        for ns in {vm.node.ns for vm in vms}:
            netns.batch(ns, [f"link del {vm.tap}" for vm in vms if vm.node.ns == ns], force=True)  # it may be unplugged
        netns.delete([vm.ns for vm in vms])
        for vm in vms:
            self.srctl("port", "delete", vm.port)
            del self.vms[vm.name]

    def clear(self):
        """Removes all networks and VMs that were made through this object."""
        self._remove(list(self.vms.values()))
        for network in self.networks.values():
            self.srctl("network", "delete", network.id)
        self.networks.clear()

    # What they see

    def active(self, vm):
        status = json.loads(self.etcd.get(f"/srfabric/v1/clusters/{self.cluster}/status/ports/{vm.port}") or "{}")
        return (status.get("status"), status.get("node")) == ("ACTIVE", vm.node.name)

    def wait_active(self, vms=None, timeout=15):
        waiting = list(self.vms.values() if vms is None else vms)

        def done():
            waiting[:] = [vm for vm in waiting if not self.active(vm)]
            return not waiting
        wait_until(done, timeout, lambda: f"ports not active: {[vm.name for vm in waiting]}")

    def ping(self, vm, address, count=1, interval=0.2, wait=None, options=()):
        """(sent, received, ttl of the last answer or None)"""
        wait = netns.PATIENCE if wait is None else wait
        run = netns.run(vm.ns, ["ping", "-n", "-c", count, "-i", interval, "-W", wait, *options, address], check=False)
        received = [line for line in run.stdout.splitlines() if " bytes from " in line]
        ttl = int(received[-1].split("ttl=")[1].split()[0]) if received and "ttl=" in received[-1] else None
        return count, len(received), ttl

    def wait_ping(self, vm, address, timeout=15):
        wait_until(lambda: self.ping(vm, address, wait=1)[1], timeout, f"{vm.name} does not reach {address}", interval=0.02)
