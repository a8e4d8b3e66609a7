# SPDX-License-Identifier: GPL-2.0-only
"""The lab on this machine, called srf: up, down, exec, srctl, datapath, vtysh."""
import argparse
import configparser
import os
import pathlib
import sys
import time

from lab import instance, netns, show
from lab.agent import lacking

NAME = "srf"
PROJECT_A = "aaaaaaaa00000000000000000000000a"
PROJECT_B = "bbbbbbbb00000000000000000000000b"


def make_tenants(tenants, hypervisors):
    """A with two networks, B with one; A's first and B's have the same addresses."""
    hv1, hv2, hv3 = hypervisors
    a_web = tenants.network("a-web", PROJECT_A, "10.0.0.0/24")
    a_db = tenants.network("a-db", PROJECT_A, "10.0.1.0/24")
    b_web = tenants.network("b-web", PROJECT_B, "10.0.0.0/24")
    for name, network, node, address in (
            ("a1", a_web, hv1, "10.0.0.11"), ("a2", a_web, hv2, "10.0.0.12"), ("a3", a_web, hv3, "10.0.0.13"),
            ("a4", a_db, hv1, "10.0.1.11"), ("a5", a_db, hv3, "10.0.1.12"),
            ("b1", b_web, hv1, "10.0.0.11"), ("b2", b_web, hv2, "10.0.0.12"), ("b3", b_web, hv3, "10.0.0.33")):
        tenants.vm(name, network, node, address)
    tenants.wait_active()


def up(args):
    start = time.monotonic()

    def progress(text):
        print(f"{time.monotonic() - start:5.1f} s  {text}", flush=True)
    if args.datapath != "ebpf" and (why := lacking("linux")):
        sys.exit(f"lab: --datapath {args.datapath}: {why}")
    with instance.locked(NAME):
        if instance.down(NAME):
            progress("removed the lab that was there")
        lab = instance.Instance(NAME, args.build, datapath=args.datapath)
        lab.up(progress)
        progress("tenants, ports, VMs")
        make_tenants(lab.tenants, lab.fabric.hypervisors)
        progress("everything is up")
        return present(lab)


def present(lab):
    """The end of make lab. Exit code 1 if something that must answer does not, or the other way round."""
    vms, tenants = lab.tenants.vms, lab.tenants
    say("The fabric", show.picture(lab.fabric, vms.values(), lab.agents))
    say("Its tenants", show.networks(tenants))
    within = [(vms[a], vms[b].ip, True) for a, b in
              (("a1", "a2"), ("a1", "a3"), ("a3", "a2"), ("a4", "a5"), ("b1", "b2"), ("b3", "b1"))]
    between = [(vms["a1"], vms["b3"].ip, False), (vms["b1"], vms["a3"].ip, False), (vms["a1"], vms["a5"].ip, False)]
    good = True
    for title, pairs in (("Within a network, across hypervisors", within),
                         ("Between tenants and networks: the address is there, but not for them", between)):
        results = list(show.pings(tenants, pairs))
        say(title, (line for line, _ in results))
        good = good and all(ok for _, ok in results)
    where, *layers = show.one_packet(tenants, vms["a1"], vms["a2"])
    say(f"A packet from a1 to a2, {where}", layers)
    linux = [name for name, agent in lab.agents.items() if agent.kind == "linux"]
    say("To try next", TRY + [line.replace("HV", linux[0]) for line in TRY_LINUX if linux])
    return 0 if good else 1


TRY = """\
sudo scripts/lab exec a1 ping 10.0.0.12                          be a VM
sudo scripts/lab exec leaf1 tcpdump -ni any -vv 'ip6 proto 43'   be a leaf and see it pass
sudo scripts/lab srctl port list                                 the operator's view
sudo scripts/lab srctl trace b3 10.0.0.11                        where a packet goes, and why
sudo scripts/lab datapath hv1                                    what a hypervisor's kernel holds
sudo scripts/lab exec hv1 ip -6 route                            what BGP gave it
sudo scripts/lab vtysh leaf1 show bgp ipv6 unicast               what FRR says
sudo make lab-down                                               remove it all""".splitlines()
TRY_LINUX = """\
sudo scripts/lab exec HV ip -d link show type vrf                its tenants' VRFs and their tables
sudo scripts/lab exec HV ip -6 route show table local            SIDs and what is done at each""".splitlines()


def say(title, lines):
    print("\n" + show.colour("1", title))
    for line in lines:
        print("  " + line)


def down(_args):
    with instance.locked(NAME):
        print("the lab is removed" if instance.down(NAME) else "there is no lab")


def enter(name, words):
    spaces = netns.names(NAME + "-")
    if f"{NAME}-{name}" not in spaces:
        there = " ".join(space.removeprefix(NAME + "-") for space in spaces)
        sys.exit(f"no {name}; there are: {there}" if there else "there is no lab: sudo make lab")
    with netns.enter(f"{NAME}-{name}"):
        os.execvp(words[0], words)


def execute(args):
    enter(args.node, args.words or ["bash"])


def srctl(args):
    """srctl with this lab's etcd and cluster."""
    lab = instance.Instance(NAME, args.build)
    enter("mgmt", lab.tenants.command(args.words))


def datapath(args):
    """What is in a hypervisor's kernel, by srctl; a linux datapath is no secret of ours, so ip shows it."""
    lab = instance.Instance(NAME, args.build)
    if args.node not in lab.agents:
        sys.exit(f"no {args.node}; hypervisors are: {' '.join(lab.agents)}")
    agent, config = lab.agents[args.node], configparser.ConfigParser()
    config.read(agent.config_file)
    if config.get("datapath", "kind", fallback=None) == "linux":
        enter(args.node, ["sh", "-c", LOOK])
    enter(args.node, lab.tenants.command(["datapath", *(args.words or ["dump"]), "--bpffs", str(agent.bpffs)]))


LOOK = """\
for vrf in $(ip -br link show type vrf | cut -d' ' -f1); do
    ip -d -o link show dev $vrf; ip -br link show master $vrf; ip route show vrf $vrf; ip -6 route show vrf $vrf; echo
done
ip -6 route show table all | grep seg6local"""


def vtysh(args):
    home = instance.directory(NAME) / args.node
    enter(args.node, ["vtysh", "--vty_socket", str(home), "--config_dir", str(home)]
          + (["-c", " ".join(args.words)] if args.words else []))


def main():
    parser = argparse.ArgumentParser(prog="lab", description=__doc__)
    commands = parser.add_subparsers(required=True)
    for name, function, takes in (("up", up, ()), ("down", down, ()), ("exec", execute, ("node", "words")),
                                  ("srctl", srctl, ("words",)), ("datapath", datapath, ("node", "words")),
                                  ("vtysh", vtysh, ("node", "words"))):
        sub = commands.add_parser(name)
        sub.set_defaults(function=function)
        sub.add_argument("--build", type=lambda p: pathlib.Path(p).resolve(), default=pathlib.Path("build").resolve())
        if name == "up":
            sub.add_argument("--datapath", choices=instance.DATAPATHS, default="ebpf",
                             help="of the hypervisors; mixed: linux and ebpf in turn (default: ebpf)")
        for word in takes:
            sub.add_argument(word, nargs=argparse.REMAINDER if word == "words" else None)
    args = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("lab: namespaces need root: use sudo")
    try:
        return args.function(args)
    except (RuntimeError, TimeoutError, FileNotFoundError) as error:
        sys.exit(f"lab: {error}\n(logs are in {instance.directory(NAME)})")


if __name__ == "__main__":
    sys.exit(main())
