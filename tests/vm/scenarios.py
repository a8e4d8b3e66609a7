#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""scenarios.py --list | MODE [PYTEST OPTIONS]: the integration tests that are marked `datapath`, on the VM's kernel.

MODE says which datapath the nodes have and how they encapsulate; tests/integration/modes.py what a mode cannot do. The
fabric is small and every deadline long: a process costs 50 to 500 ms there. Output and exit code are pytest's, or those
of tests/vm/run if there is no VM. With $SRFABRIC_JUNIT the report is there afterwards.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
MODES = {  # (datapath, encapsulation, tests)
    "linux": ("linux", "srh", ["."]),
    "ebpf": ("ebpf", "srh", ["."]),
    "mixed": ("mixed", "srh", ["."]),
    "mixed-reduced": ("mixed", "reduced", ["test_tenants.py", "test_mtu.py"]),
}
SECONDS = 1800  # of a mode, on a machine that does other things as well


def command(mode, options):
    datapath, encap, tests = MODES[mode]
    if any(".py" in option for option in options):
        tests = []
    build = os.environ.get("SRFABRIC_BUILD", ROOT / "build")  # the plain one: sanitizers are too slow under emulation
    return ["env", f"SRFABRIC_DATAPATH={datapath}", f"SRFABRIC_ENCAP={encap}", "SRFABRIC_SMALL=1", "SRFABRIC_PATIENCE=5",
            f"SRFABRIC_BUILD={build}", f"SRFABRIC_ASAN={build}", f"PYTHONPATH={ROOT}", "/usr/bin/python3", "-m", "pytest",
            "-p", "no:cacheprovider", "-v", "-m", "datapath or linux", "--junitxml=/run/vm/report.xml", *options,
            *(f"tests/integration/{name}" for name in tests)]


def main():
    if sys.argv[1:] == ["--list"]:
        print(*MODES)
        return 0
    if len(sys.argv) < 2 or sys.argv[1] not in MODES:
        sys.exit(f"Usage: scenarios.py {' | '.join(MODES)} [PYTEST OPTIONS]")
    with tempfile.TemporaryDirectory(prefix="srfabric-scenarios.") as share:
        ran = subprocess.run([ROOT / "tests/vm/run", "-t", str(SECONDS), "--share", share,
                              *command(sys.argv[1], sys.argv[2:])], cwd=ROOT)
        report = pathlib.Path(share, "report.xml")
        if "SRFABRIC_JUNIT" in os.environ and report.exists():
            shutil.copy(report, os.environ["SRFABRIC_JUNIT"])
    return ran.returncode


if __name__ == "__main__":
    sys.exit(main())
