# SPDX-License-Identifier: GPL-2.0-only
"""python3 -m lab.reaper PID: waits for the end of a process, then removes the instances that bear its number.

Test runs call theirs t<pid><letter>. Whoever makes such instances starts one of these first; so they go even when their
maker is killed. sweep() is for those whose reaper was killed too.
"""
import os
import pathlib
import re
import select
import subprocess
import sys

from lab import instance, netns


def start():
    subprocess.Popen([sys.executable, "-m", "lab.reaper", str(os.getpid())], stdin=subprocess.DEVNULL,
                     stdout=subprocess.DEVNULL, start_new_session=True, cwd=pathlib.Path(__file__).parent.parent)


def test_instances():
    """{name: pid of its maker} of what is there, of running and of dead test runs."""
    names = {space.partition("-")[0] for space in netns.names("t")}
    names |= {path.name.removeprefix("srfabric-") for path in instance.RUN.glob("srfabric-t*")}
    names |= {path.name.split("-")[1] for path in instance.BPFFS.glob("srfabric-t*-*")}
    return {name: int(match[1]) for name in names if (match := re.fullmatch(r"t(\d+)[a-z]", name))}


def sweep():
    for name, pid in test_instances().items():
        if not pathlib.Path(f"/proc/{pid}").exists():
            instance.down(name)


def main():
    pid = int(sys.argv[1])
    try:
        select.select([os.pidfd_open(pid)], [], [])
    except ProcessLookupError:
        pass
    for name, maker in test_instances().items():
        if maker == pid:
            instance.down(name)


if __name__ == "__main__":
    main()
