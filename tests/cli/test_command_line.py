# SPDX-License-Identifier: GPL-2.0-only
"""Options, help, exit codes, and what is said when etcd is not there."""
import re

import pytest

from command import PROJECT

COMMANDS = ["cluster create", "cluster list", "cluster show", "node list", "node show", "node drain", "node undrain",
            "node delete", "network create", "network list", "network show", "network delete", "port create", "port list",
            "port show", "port set", "port delete", "encap create", "encap list", "encap show", "encap delete", "vrf list",
            "vrf show", "route list", "sid list", "trace", "watch", "datapath dump", "datapath counters"]


def test_help_lists_every_command(bare):
    text = bare.ok("--help")
    assert all(re.search(rf"^  {command}\b", text, re.MULTILINE) for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(bare, command):
    text = bare.ok(*command.split(), "--help")
    assert text.startswith(f"Usage: srctl {command}")
    assert bare.ok("--help", *command.split()) == text


def test_version(bare):
    assert re.fullmatch(r"srctl \d+\.\d+\.\d+\n", bare.ok("--version"))


@pytest.mark.parametrize("words, says", [
    ((), "which command"),
    (("frob",), "no command frob"),
    (("node",), "what about node"),
    (("node", "frob"), "no command node frob"),
    (("node", "show"), "usage: srctl node show NODE"),
    (("node", "show", "a", "b"), "usage: srctl node show NODE"),
    (("node", "show", "a/b"), "a/b"),
    (("port", "list", "--frob"), "--frob"),
    (("port", "list", "--network"), "--network needs a value"),
    (("port", "list", "--json=1"), "takes no value"),
    (("port", "list", "--host", "a", "--host", "b"), "given twice"),
    (("--cluster", "a/b", "port", "list"), "a/b"),
    (("cluster", "create", "x"), "--vrf-cidr is missing"),
    (("cluster", "create", "x", "--vrf-cidr", "frob"), "frob is not a prefix"),
    (("network", "create", "x"), "--project is missing"),
    (("network", "create", "x", "--project", PROJECT, "--subnet", "10.0.0.1/24"), "10.0.0.1/24"),
    (("network", "create", "x", "--project", PROJECT, "--subnet", "10.0.0.0/24,frob"), "frob"),
    (("network", "create", "x", "--project", PROJECT, "--mtu", "67"), "67 is not an MTU"),
    (("network", "create", "x", "--project", PROJECT, "--id", "12"), "12 is not a UUID"),
    (("network", "create", "x", "--project", PROJECT, "--gateway", "fe80::"), "fe80:: is not a locator"),
    (("port", "create"), "--network is missing"),
    (("port", "create", "--network", "x", "--ip", "10.0.0"), "10.0.0 is not an address"),
    (("port", "create", "--network", "x", "--mac", "01:00:00:00:00:00"), "01:00:00:00:00:00"),
    (("port", "set", "x"), "what is to be set"),
    (("port", "set", "x", "--up", "--down"), "up or down"),
    (("port", "set", "x", "--host", "a", "--no-host"), "--host or --no-host"),
    (("encap", "create", "--network", "x"), "usage"),
    (("encap", "create", "--network", "x", "10.0.0.1"), "is not DESTINATION=SID"),
    (("encap", "create", "--network", "x", "10.0.0.1=frob"), "frob is not a SID"),
    (("encap", "create", "--network", "x", "10.0.0.1=c1::1:1", "10.0.0.1=c1::1:2"), "one destination"),
    (("encap", "create", "--network", "x", "10.0.0.1=" + ",".join(["c1::1:1"] * 9)), "more than 8"),
    (("watch", "--count", "0"), "0 is not a number"),
    (("--user", "a", "port", "list"), "--user needs --password-file"),
])
def test_usage_errors_end_with_2(bare, words, says):
    assert says in bare.fails(2, *words)


def test_options_stand_anywhere_and_may_be_shortened(srctl, web):
    ways = [("--json", "network", "show", "web"), ("network", "show", "--json", "web"), ("network", "show", "web", "--js")]
    assert len({srctl.ok(*way) for way in ways}) == 1


def test_options_go_before_the_environment(srctl, web):
    run = srctl.run("--etcd", srctl.etcd.url, "--cluster", srctl.cluster, "network", "show", "web",
                    env={"SRFABRIC_ETCD": "http://127.0.0.1:1", "SRFABRIC_CLUSTER": "nobody"})
    assert run.returncode == 0, run


def test_without_etcd_it_says_which_and_why(bare):
    said = bare.fails(1, "--etcd", "http://127.0.0.1:1", "port", "list")
    assert "http://127.0.0.1:1" in said and "refused" in said


def test_the_next_endpoint_is_tried(srctl, web):
    assert "web" in srctl.ok("--etcd", f"http://127.0.0.1:1,{srctl.etcd.url}", "network", "list")


def test_without_a_datapath_it_says_so(bare, tmp_path):
    assert str(tmp_path) in bare.fails(1, "datapath", "dump", "--bpffs", tmp_path)
    said = bare.fails(1, "datapath", "counters", "--state-dir", tmp_path / "none")
    assert str(tmp_path / "none") in said and "state_dir" in said


def test_empty_lists(bare):
    assert bare.json("port", "list") == []
    assert len(bare.ok("port", "list").splitlines()) == 1
