# SPDX-License-Identifier: GPL-2.0-only
"""What the integration tests share: instances of lab/, and two invariants that hold around every test.

Fixtures: `underlay` is the fabric alone with its locators announced by hand; `lab` is everything, with agents and etcd.
Both live as long as the pytest process that first asked for them, so a test leaves them as it found them; one that
breaks something mends it in a `finally`. `tenants` gives a test networks and VMs of its own in `lab` and removes them
after it; `pair` is the commonest case of that, two VMs of one network on two hypervisors.

Invariants: no daemon logs a warning or worse during a test (a test that provokes one names it:
@pytest.mark.expect_log("text")), and instances are gone after the run, however it ended (lab/reaper.py).

The datapath under test, and the size of the fabric, are the environment's to say: modes.py.
"""
import contextlib
import itertools
import os
import pathlib
import re
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

import modes  # noqa: E402
from lab import instance, reaper  # noqa: E402
from lab.agent import lacking  # noqa: E402
from lab.tenants import Tenants  # noqa: E402

BUILD = pathlib.Path(os.environ.get("SRFABRIC_ASAN", ROOT / "build"))
LETTERS = iter("abcdefghijklmnopqrstuvwxyz")

# Per kind of log, what may not be in it. FRR calls a collision of two BGP sessions an error, and etcd warns
# whenever the machine is slow: theirs must only not be dying.
COMPLAINTS = {
    "sr-agent": re.compile(r"\b(warning|error|fatal|crit|alert|emerg|assert|sanitizer)", re.IGNORECASE),
    "etcd": re.compile(r'"level":"(panic|fatal|dpanic)"'),
    "frr": re.compile(r"^\S+ \S+ (critical|alerts|emergencies)|Received signal|assert", re.IGNORECASE),
}


def pytest_configure(config):
    config.addinivalue_line("markers", "expect_log(*texts): what daemons may complain about during this test")
    config.addinivalue_line("markers", "datapath: runs with each datapath, on the VM's kernel too")
    config.addinivalue_line("markers", "linux: about the linux datapath alone; runs where all nodes have it")


def cannot_run():
    """Why no test at all can be run here, or None."""
    if os.geteuid() != 0:
        return "needs root"
    return lacking("linux") if modes.DATAPATH in ("linux", "mixed") else None


def pytest_collection_modifyitems(config, items):
    """What is about the linux datapath alone is not for other modes; what a mode cannot do is skipped, with the reason."""
    if modes.DATAPATH != "linux":
        config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("linux")])
        items[:] = [item for item in items if not item.get_closest_marker("linux")]
    general = cannot_run()
    for item in items:
        if why := general or modes.reason(item.name):
            item.add_marker(pytest.mark.skip(reason=why))


@pytest.fixture(scope="session", autouse=True)
def reaped():
    if os.geteuid() == 0:
        reaper.sweep()
        reaper.start()


def new_instance(options=None, **arguments):
    """An instance in the present mode, but for what is said here."""
    options = {"fabric": {"encapsulation": modes.ENCAP}, **(options or {})}
    return instance.Instance(f"t{os.getpid()}{next(LETTERS)}", BUILD, options,
                             **{"datapath": modes.DATAPATH, **modes.FABRIC, **arguments})


class LogWatch:
    """Reads every log of an instance from where it stopped the last time."""

    def __init__(self, watched):
        self.instance, self.read = watched, {}

    def new_lines(self):
        for path in self.instance.logs():
            with open(path, encoding="utf-8", errors="replace") as log:
                log.seek(self.read.get(path, 0))
                text = log.read()
                self.read[path] = log.tell()
            for line in text.splitlines():
                yield path, line

    def complaints(self, allowed=()):
        found = []
        for path, line in self.new_lines():
            kind = path.stem if path.stem in COMPLAINTS else "frr"
            if COMPLAINTS[kind].search(line) and not any(text in line for text in allowed):
                found.append(f"{path.parent.name}/{path.name}: {line}")
        return found


WATCHES = []  # of the instances of this process


@pytest.fixture(autouse=True)
def quiet_logs(request):
    """A daemon's complaint fails the test during which it was made."""
    for watch in WATCHES:
        list(watch.new_lines())
    yield
    marker = request.node.get_closest_marker("expect_log")
    allowed = (marker.args if marker else ()) + STALLS
    complaints = [c for watch in WATCHES for c in watch.complaints(allowed)]
    assert not complaints, "unexpected in the logs:\n" + "\n".join(complaints)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows the end of each agent's log."""
    report = (yield).get_result()
    if report.failed:
        for watch in WATCHES:
            for path in watch.instance.logs():
                if path.name in ("sr-agent.log", "etcd.log") and path.exists():
                    tail = path.read_text(errors="replace").splitlines()[-25:]
                    report.sections.append((f"{path.parent.name}/{path.name}", "\n".join(tail)))


def watched(made):
    WATCHES.append(LogWatch(made))
    return made


@pytest.fixture(scope="session")
def underlay(reaped):
    """Spines, leaves and hypervisors; no agent, no etcd."""
    made = new_instance()
    try:
        made.fabric.create()
        for node in made.fabric.hypervisors:
            made.fabric.announce(node)
        made.fabric.wait_routes()
        yield watched(made).fabric
    finally:
        instance.down(made.name)


@pytest.fixture(scope="session")
def lab(reaped):
    """The whole: fabric, etcd, an agent on each hypervisor; no tenants yet."""
    made = new_instance()
    try:
        made.up()
        yield watched(made)
    finally:
        instance.down(made.name)


# An emulated machine may stand still for longer than etcd has to answer; the agent connects again.
STALLS = ("no answer to PING",) if modes.SMALL else ()
NUMBERS = itertools.count(1)


def new_project():
    """The id of a project that nobody has yet: VRFs' names come from its first digits, so those differ."""
    return f"{next(NUMBERS):02x}{os.getpid() % 0xFFFF:04x}{'0' * 26}"


@contextlib.contextmanager
def tenants_of(made):
    """Networks, ports and VMs in an instance, removed in the end."""
    tenants = Tenants(made.fabric, made.etcd, made.build, instance.CLUSTER, made.tenants.on_link6)
    try:
        yield tenants
    finally:
        tenants.clear()


@pytest.fixture
def tenants(lab):
    with tenants_of(lab) as made:
        yield made


@pytest.fixture
def pair(lab, tenants):
    """(a, b): two VMs of one network, on hv1 and hv2."""
    hv1, hv2, _ = lab.fabric.hypervisors
    network = tenants.network("net", new_project(), "10.0.0.0/24")
    vms = tenants.vm("a", network, hv1, "10.0.0.11"), tenants.vm("b", network, hv2, "10.0.0.12")
    tenants.wait_active()
    tenants.wait_ping(vms[0], vms[1].ip)
    return vms
