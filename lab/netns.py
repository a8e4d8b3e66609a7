# SPDX-License-Identifier: GPL-2.0-only
"""Network namespaces and processes in them, fast and without surprises.

A thread of ours enters a namespace by setns(2) and comes back; a process that is started meanwhile is born in it. That
costs no `ip netns exec` a command, and, unlike that, leaves /sys alone: `ip netns exec` mounts a new one, which hides
the BPF file system that agents pin their maps in.

Interfaces, addresses and routes are given to `ip -batch`: one process a namespace, however much there is to do.
"""
import contextlib
import ctypes
import os
import pathlib
import signal
import subprocess
import time

RUN = pathlib.Path("/run/netns")
PATIENCE = float(os.environ.get("SRFABRIC_PATIENCE", 1))  # what all deadlines are multiplied by, for slow machines
CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def _setns(fd):
    if _libc.setns(fd, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


@contextlib.contextmanager
def enter(name):
    """The calling thread is in this namespace within the block; None: it stays where it is."""
    if name is None:
        yield
        return
    with open("/proc/thread-self/ns/net", "rb") as home, open(RUN / name, "rb") as there:
        _setns(there.fileno())
        try:
            yield
        finally:
            _setns(home.fileno())


def _text(argv):
    return " ".join(map(str, argv))


def popen(name, argv, **options):
    with enter(name):
        return subprocess.Popen([str(a) for a in argv], **options)


def run(name, argv, check=True, timeout=60, **options):
    """Runs a command to its end; its output is in .stdout and .stderr. A failure raises, with what it said."""
    child = popen(name, argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                  **options)
    try:
        out, err = child.communicate(timeout=timeout * PATIENCE)
    except subprocess.TimeoutExpired:
        child.kill()
        out, err = child.communicate()
        raise RuntimeError(f"{name or 'here'}: {_text(argv)}: no end after {timeout} s\n{out}{err}") from None
    if check and child.returncode:
        raise RuntimeError(f"{name or 'here'}: {_text(argv)}: exit code {child.returncode}\n{out}{err}")
    return subprocess.CompletedProcess(argv, child.returncode, out, err)


def batch(name, lines, force=False):
    """ip -batch in a namespace, None being this one. The first line that fails raises; with force lines may fail."""
    lines = list(lines)
    if not lines:
        return
    text = "\n".join(lines) + "\n"
    child = popen(name, ["ip", *["-force"] * force, "-batch", "-"], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    err = child.communicate(text)[1]
    if child.returncode and not force:
        raise RuntimeError(f"{name or 'here'}: ip -batch: {err.strip()}")


def sysctl(name, values):
    """values: {"ipv6.conf.all.forwarding": 1, ...}, below net."""
    with enter(name):
        for key, value in values.items():
            pathlib.Path("/proc/sys/net", *key.split(".")).write_text(str(value))


def add(names):
    batch(None, [f"netns add {name}" for name in names])


def names(prefix):
    return sorted(p.name for p in RUN.glob(prefix + "*")) if RUN.is_dir() else []


def _inodes(spaces):
    found = set()
    for name in spaces:
        with contextlib.suppress(OSError):
            found.add(os.stat(RUN / name).st_ino)
    return found


def processes(spaces):
    """The processes in any of these namespaces."""
    inodes = _inodes(spaces)
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError):
                if os.stat(f"/proc/{entry}/ns/net").st_ino in inodes:
                    found.append(int(entry))
    return found


def kill_all(spaces, timeout=10):
    """Ends every process in these namespaces at once, and what supervisors start meanwhile."""
    end = time.monotonic() + timeout
    while pids := processes(spaces):
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
        if time.monotonic() > end:
            raise RuntimeError(f"processes that do not end: {pids}")
        time.sleep(0.02)


def delete(spaces):
    """Removes namespaces and all that runs in them."""
    kill_all(spaces)
    batch(None, [f"netns del {name}" for name in spaces])
