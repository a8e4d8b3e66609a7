# SPDX-License-Identifier: GPL-2.0-only
"""The underlay: spines, leaves and hypervisors as routers (FRR), eBGP unnumbered over every link, ECMP, BFD.

        spine1      spine2          AS 65000 both
          |  \\      /  |
          |    \\  /    |            each leaf to each spine
          |    /  \\    |
        leaf1       leaf2           AS 65101, 65102
         | \\ \\      / / |
         |  \\  \\  /  /  |           each hypervisor to each leaf, no LAG, no L2: eth0 to leaf1, eth1 to leaf2
         |   \\ / \\ /   |
        hv1   hv2    hv3            AS 65201, 65202, 65203
         |     |      |
        ===============mgmt         a bridge for etcd, apart from the fabric: 192.0.2.0/24

It knows nothing of SRv6: spines and leaves forward IPv6. A hypervisor announces the /96 that its agent puts into the
kernel's table under our protocol number, and nothing that it learned, so it never becomes transit.

Interfaces are named after what is at the other end, uplinks of hypervisors eth0, eth1. Flows are spread by source,
destination and flow label: that is fib_multipath_hash_policy 0. Policy 1 wants ports, which an encapsulated packet does
not show, and leaves the label out.

zebra, bfdd and bgpd run in the foreground under a loop that starts them again: without zebra a node's routes freeze.
bfdd gets real-time priority, so that a busy machine is not taken for a broken link.

Where the underlay is not what matters and every process costs (tests in a VM), routing="static" does without daemons:
each hypervisor has all leaves as its way to the SR domain, each leaf a route to each hypervisor's locator, and spines,
if there are any, are only to be looked at.
"""
import dataclasses
import ipaddress
import json
import pathlib
import shutil
import subprocess
import time

from lab import netns

ROUTE_PROTO = 147  # the agents' own in the kernel's tables
DOMAIN = "2400:dcc0::/32"
DAEMONS = ("zebra", "bfdd", "bgpd")
SYSCTLS = {
    **{f"ipv6.conf.{which}.{key}": value for which in ("all", "default") for key, value in {
        "accept_ra": 0, "accept_dad": 0, "keep_addr_on_down": 1, "ignore_routes_with_linkdown": 1}.items()},
    "ipv6.conf.all.forwarding": 1,
    "ipv6.fib_multipath_hash_policy": 0,
}


@dataclasses.dataclass
class Node:
    name: str
    kind: str  # spine, leaf, hypervisor
    ns: str
    asn: int
    loopback: str  # answers for the router in traceroutes and ICMP errors
    locator: str = None  # as the reference writes it: 2400:dcc0::a7a:4d8e
    links: dict = dataclasses.field(default_factory=dict, repr=False)  # interface -> (node, interface) at the other end

    @property
    def prefix(self):
        return f"{self.locator}:0:0/96"

    @property
    def source(self):
        """The address that the node's packets come from: function 0.0.0.1."""
        return str(ipaddress.IPv6Address(f"{self.locator}:0:1"))


class Fabric:
    """create() makes it, destroy() removes it; in between, nodes[...] and ways to break things."""

    def __init__(self, prefix, directory, hypervisors=3, spines=2, leaves=2, mtu=9000, bfd=(3, 100), routing="bgp",
                 locators=None):
        """locators: of the hypervisors, if they are not to be the usual ones."""
        self.prefix, self.dir, self.mtu, self.bfd = prefix, pathlib.Path(directory), mtu, bfd
        self.static = routing == "static"
        locators = locators or [f"2400:dcc0::a7a:{0x4d8e + i:x}" for i in range(hypervisors)]
        self.nodes, self.links = {}, []
        for i in range(1, spines + 1):
            self._node(f"spine{i}", "spine", 65000, 1 + i)
        for i in range(1, leaves + 1):
            self._node(f"leaf{i}", "leaf", 65100 + i, 10 + i)
        for i in range(1, hypervisors + 1):
            node = self._node(f"hv{i}", "hypervisor", 65200 + i, 100 + i)
            node.locator = locators[i - 1]
        for leaf in self.kind("leaf"):
            for spine in self.kind("spine"):
                self._link(leaf, spine.name, spine, leaf.name)
        for node in self.kind("hypervisor"):
            for i, leaf in enumerate(self.kind("leaf")):
                self._link(node, f"eth{i}", leaf, node.name)

    def _node(self, name, kind, asn, number):
        self.nodes[name] = Node(name, kind, self.prefix + name, asn, f"2400:dcc0:ffff::{number}")
        return self.nodes[name]

    def _link(self, a, a_if, b, b_if):
        a.links[a_if], b.links[b_if] = (b, b_if), (a, a_if)
        self.links.append((a, a_if, b, b_if))

    def kind(self, kind):
        return [n for n in self.nodes.values() if n.kind == kind]

    @property
    def hypervisors(self):
        return self.kind("hypervisor")

    # Making it

    def create(self):
        self.mgmt = self.prefix + "mgmt"
        netns.add([self.mgmt] + [n.ns for n in self.nodes.values()])
        for node in self.nodes.values():
            netns.sysctl(node.ns, SYSCTLS)
        netns.batch(None, self._wiring())
        netns.batch(self.mgmt, ["link set lo up", "addr add 192.0.2.254/24 dev br0", "link set br0 up"]
                    + [line for n in self.hypervisors for line in (f"link set {n.name} master br0 up",)])
        for node in self.nodes.values():
            netns.batch(node.ns, self._setup(node))
        if not self.static:
            self._start_routing()

    def _start_routing(self):
        for node in self.nodes.values():
            self._configure_frr(node)
        # A daemon that finds no zebra tries again only after seconds.
        for daemon in DAEMONS:
            for node in self.nodes.values():
                self._start_frr(node, daemon)
            wait_until(lambda: all((self.dir / n.name / f"{daemon}.vty").exists() for n in self.nodes.values()), 20,
                       f"{daemon} does not start")

    def _wiring(self):
        for a, a_if, b, b_if in self.links:
            yield f"link add {a_if} netns {a.ns} mtu {self.mtu} type veth peer name {b_if} netns {b.ns} mtu {self.mtu}"
        yield f"link add br0 netns {self.mgmt} type bridge"
        for node in self.hypervisors:
            yield f"link add mgmt netns {node.ns} type veth peer name {node.name} netns {self.mgmt}"

    def _setup(self, node):
        yield "link set lo up"
        yield f"addr add {node.loopback}/128 dev lo"
        for interface in node.links:
            yield f"link set {interface} up"
        if node.kind == "hypervisor":
            yield f"addr add 192.0.2.{self.hypervisors.index(node) + 1}/24 dev mgmt"
            yield "link set mgmt up"
        if self.static:
            yield from self._static_routes(node)

    def _static_routes(self, node):
        """What BGP would have found. A link's ends are fe80::a, which is the hypervisor's, and fe80::b."""
        for interface, (other, _) in node.links.items():
            yield f"addr replace {'fe80::a' if node.kind == 'hypervisor' else 'fe80::b'}/64 dev {interface}"
            if node.kind == "leaf" and other.kind == "hypervisor":
                for target in (other.prefix, other.loopback):
                    yield f"route replace {target} via fe80::a dev {interface}"
        if node.kind == "hypervisor":
            hops = " ".join(f"nexthop via fe80::b dev {interface}" for interface in node.links)
            yield f"route replace {DOMAIN} {hops}"

    # The routing daemons

    def _configure_frr(self, node):
        home = self.dir / node.name
        home.mkdir(parents=True)
        (home / "vtysh.conf").touch()
        shutil.chown(home, "frr", "frr")
        for daemon, text in self._frr_config(node).items():
            (home / f"{daemon}.conf").write_text(f"hostname {node.name}\nlog file {home}/{daemon}.log informational\n"
                                                 f"log record-priority\n{text}")

    def _start_frr(self, node, daemon):
        home = self.dir / node.name
        command = (f"/usr/lib/frr/{daemon} -u frr -g frr -A 127.0.0.1 -P 0 -z {home}/zserv.api -i {home}/{daemon}.pid"
                   f" --vty_socket {home} -f {home}/{daemon}.conf")
        if daemon == "bfdd":
            command = "chrt -r 10 " + command
        with open(home / f"{daemon}.out", "ab") as out:
            netns.popen(node.ns, ["sh", "-c", f"while :; do {command}; sleep 0.2; done"],
                        stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)

    def _frr_config(self, node):
        neighbors = "".join(f" neighbor {interface} interface peer-group FAB\n" for interface in node.links)
        multiplier, interval = self.bfd[0], int(self.bfd[1] * netns.PATIENCE)
        own = "  neighbor FAB filter-list OWN out\n" if node.kind == "hypervisor" else ""
        return {
            "zebra": "no zebra nexthop kernel enable\n",
            "bfdd": f"bfd\n profile fabric\n  detect-multiplier {multiplier}\n  receive-interval {interval}\n"
                    f"  transmit-interval {interval}\n",
            "bgpd": f"""\
bgp as-path access-list OWN seq 5 permit ^$
ipv6 prefix-list LOCATORS seq 5 permit {DOMAIN} ge 96 le 96
route-map LOCATORS permit 10
 match ipv6 address prefix-list LOCATORS
bgp route-map delay-timer 0
router bgp {node.asn}
 bgp router-id 10.255.0.{int(node.loopback.rpartition(":")[2])}
 no bgp ebgp-requires-policy
 no bgp default ipv4-unicast
 bgp bestpath as-path multipath-relax
 timers bgp 1 {int(3 * netns.PATIENCE)}
 neighbor FAB peer-group
 neighbor FAB remote-as external
 neighbor FAB advertisement-interval 0
 neighbor FAB timers connect 1
 neighbor FAB bfd profile fabric
{neighbors} address-family ipv6 unicast
  network {node.loopback}/128
  redistribute kernel route-map LOCATORS
  maximum-paths 16
  neighbor FAB activate
{own} exit-address-family
""",
        }

    def vtysh(self, node, command):
        home = self.dir / node.name
        return netns.run(node.ns, ["vtysh", "--vty_socket", home, "--config_dir", home, "-c", command]).stdout

    # What is there

    def announce(self, node):
        """What an agent does for its node: announce the locator, and answer for all of it."""
        netns.batch(node.ns, [f"route replace unreachable {node.prefix} proto {ROUTE_PROTO}",
                              f"route replace local {node.prefix} dev lo proto {ROUTE_PROTO}"])

    def relocate(self, node, locator):
        """A node gets another locator. With BGP it announces that itself."""
        node.locator = locator
        if self.static:
            for leaf in self.kind("leaf"):
                netns.batch(leaf.ns, self._static_routes(leaf))

    def routes(self, node):
        """{prefix: {(gateway, interface), ...}} that BGP gave this node."""
        found = {}
        for route in json.loads(netns.run(node.ns, ["ip", "-j", "-6", "route", "show", "proto", "bgp"]).stdout or "[]"):
            hops = route.get("nexthops", [route])
            live = {hop["dev"] for hop in hops if "dev" in hop and not {"dead", "linkdown"} & set(hop.get("flags", []))}
            found.setdefault(route["dst"], set()).update(live)
        return found

    def wait_routes(self, announced=None, timeout=30, paths=None):
        """Until each router has each announced locator, over each of its links towards it that can be up."""
        if self.static:
            return
        announced = self.hypervisors if announced is None else announced
        wait_until(lambda: not self.missing(announced, paths), timeout,
                   lambda: f"no routes: {self.missing(announced, paths)}")

    def missing(self, announced, paths=None):
        """(router, locator's node, interfaces that lack) for what is not there yet. Default: all shortest paths."""
        lacking = []
        for node in self.nodes.values():
            routes = self.routes(node)
            for target in announced:
                want = set(node.links) if node.kind != "leaf" else {target.name}
                if paths is not None:
                    want = paths(node, target)
                have = routes.get(target.prefix, set())
                if target is not node and (not have or want - have):
                    lacking.append((node.name, target.name, sorted(want - have)))
        return lacking

    # Breaking it

    def link_set(self, node, interface, state):
        self._links_set(node, [interface], state)

    def node_links_set(self, node, state):
        """All links of a router: what its neighbours see when it loses and regains power."""
        self._links_set(node, node.links, state)

    def _links_set(self, node, interfaces, state):
        netns.batch(node.ns, [f"link set {interface} {state}" for interface in interfaces])
        if self.static and state == "up":
            netns.batch(node.ns, self._static_routes(node))

    def cut(self, node, interface):
        """A link that silently carries nothing any more, either way; both ends keep their carrier."""
        for end, name in ((node, interface), node.links[interface]):
            netns.run(end.ns, ["tc", "qdisc", "replace", "dev", name, "root", "handle", "1:", "blackhole"])

    def mend(self, node, interface):
        for end, name in ((node, interface), node.links[interface]):
            netns.run(end.ns, ["tc", "qdisc", "del", "dev", name, "root"])


def wait_until(condition, timeout, text="it did not happen", interval=0.05):
    """Polls; text (or what it returns) is what the TimeoutError says. Returns what the condition returned."""
    timeout *= netns.PATIENCE
    end = time.monotonic() + timeout
    while not (value := condition()):
        if time.monotonic() > end:
            raise TimeoutError(f"after {timeout} s: {text() if callable(text) else text}")
        time.sleep(interval)
    return value
