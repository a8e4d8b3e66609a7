# SPDX-License-Identifier: GPL-2.0-only
"""The datapath on another kernel: Debian's 6.1, in the VM that tests/vm/run boots.

That is the oldest kernel we promise. Its verifier follows less than a new one, its helpers know fewer flags, and GSO
through a decapsulation is handled differently; so every program of the suite bpf runs there as it runs here, from the
plain build (sanitizers under emulation take minutes). A run is one item, and its output is shown when it fails.
"""
import json
import os
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("SRFABRIC_BUILD", ROOT / "build"))
RUN = ROOT / "tests/vm/run"
NO_VM = 77
SECONDS = 900  # of a whole program, on a machine that does other things as well


def programs():
    """The programs of the suites bpf and linux as {name: path}; none if nothing is built."""
    if not (BUILD / "build.ninja").exists():
        return {}
    tests = json.loads(subprocess.check_output(["meson", "introspect", "--tests", str(BUILD)]))
    return {test["name"]: test["cmd"] for test in tests if test["suite"] in (["srfabric:bpf"], ["srfabric:linux"])}


PROGRAMS = programs()


def vm(*command, timeout=SECONDS):
    return subprocess.run([RUN, "-t", str(timeout), *command], cwd=ROOT, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace")


@pytest.fixture(scope="session", autouse=True)
def prepared():
    """The kernel is here and has booted once; where that cannot be, every test is skipped and says why."""
    made = subprocess.run([RUN, "--prepare"], stderr=subprocess.PIPE, text=True)
    if made.returncode == NO_VM:
        pytest.skip(made.stderr.strip())
    assert made.returncode == 0, made.stderr


def test_kernel():
    """The kernel is the one we promise, and has what this machine's may lack: the VRF driver."""
    ran = vm("sh", "-ec", "uname -r; ip link add v type vrf table 10; ip -d link show v; stat -f -c %T /sys/fs/bpf; "
                          "ip -o link show up dev lo; ls Makefile")
    assert ran.returncode == 0, ran.stdout
    assert ran.stdout.startswith("6.1.")
    assert "vrf table 10" in ran.stdout and "bpf_fs" in ran.stdout and "LOOPBACK,UP" in ran.stdout


def test_as_if_here():
    """Output, exit code and arguments pass unharmed; nothing is written to this machine; what hangs is ended."""
    ran = subprocess.run([RUN, "sh", "-c", 'echo "$1"; echo err >&2; touch new; exit 42', "sh", "a 'b'\n$c"],
                         cwd=ROOT / "tests/vm", capture_output=True, text=True)
    assert (ran.returncode, ran.stdout, ran.stderr) == (42, "a 'b'\n$c\n", "err\n")
    assert not (ROOT / "tests/vm/new").exists()
    assert vm("sleep", "60", timeout=2).returncode == 124
    panic = vm("sh", "-c", "echo c > /proc/sysrq-trigger; sleep 60")
    assert panic.returncode == 125 and "sysrq triggered crash" in panic.stdout


@pytest.mark.skipif(not PROGRAMS, reason=f"nothing is built in {BUILD}")
@pytest.mark.parametrize("name", PROGRAMS)
def test_program(name):
    """A program of the suites bpf and linux passes there, and leaves no case out: the VM has all it could ask for."""
    ran = vm(*PROGRAMS[name])
    assert ran.returncode == 0, ran.stdout
    counted = re.search(r"PASSED *\] (\d+) test", ran.stdout)
    assert counted and int(counted[1]) > 0 and "SKIPPED" not in ran.stdout, ran.stdout


@pytest.mark.skipif(not PROGRAMS, reason=f"nothing is built in {BUILD}")
def test_lab():
    """The whole lab: fabric, etcd, agents, tenants. It checks itself: who reaches whom, and who must not."""
    ran = vm("env", "SRFABRIC_PATIENCE=5", "scripts/lab", "up", "--build", str(BUILD))  # BFD flaps there, else
    assert ran.returncode == 0, ran.stdout
    assert len(re.findall(r"ok .* ttl=63", ran.stdout)) >= 6 and len(re.findall(r"ok .* no answer", ran.stdout)) >= 3
