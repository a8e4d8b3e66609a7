# SPDX-License-Identifier: GPL-2.0-only
"""An etcd of its own on loopback, and srctl against it."""
import json
import os
import pathlib
import signal
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SRCTL = pathlib.Path(os.environ.get("SRFABRIC_ASAN", ROOT / "build")) / "src/cli/srctl"
PROJECT = "644606f50a8b4f0e9d3c1b2a7e5d4c3f"


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Etcd:
    def __init__(self, directory):
        client, peer = free_port(), free_port()
        self.url, peer_url = f"http://127.0.0.1:{client}", f"http://127.0.0.1:{peer}"
        self.child = subprocess.Popen(
            ["etcd", "--data-dir", directory / "data", "--listen-client-urls", self.url, "--advertise-client-urls",
             self.url, "--listen-peer-urls", peer_url, "--initial-advertise-peer-urls", peer_url, "--initial-cluster",
             f"default={peer_url}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        deadline = time.monotonic() + 20
        while self.ctl("endpoint", "health", check=False).returncode:
            assert time.monotonic() < deadline, "etcd does not come up"
            time.sleep(0.05)

    def ctl(self, *words, check=True):
        return subprocess.run(["etcdctl", "--endpoints", self.url, *words], capture_output=True, text=True, check=check,
                              env={**os.environ, "ETCDCTL_API": "3"})

    def put(self, key, value):
        self.ctl("put", "/srfabric/v1/" + key, "--", value if isinstance(value, str) else json.dumps(value))

    def keys(self, prefix):
        return self.ctl("get", "--prefix", "--keys-only", "/srfabric/v1/" + prefix).stdout.split()

    def stop(self):
        os.killpg(self.child.pid, signal.SIGKILL)
        self.child.wait()


class Srctl:
    """Calls srctl. ok() and json() are for what must succeed without a word on standard error."""

    def __init__(self, etcd, cluster):
        self.etcd, self.cluster = etcd, cluster
        self.env = {**os.environ, "SRFABRIC_ETCD": etcd.url, "SRFABRIC_CLUSTER": cluster}

    def run(self, *words, env=None):
        return subprocess.run([SRCTL, *map(str, words)], capture_output=True, text=True, timeout=60,
                              env={**self.env, **(env or {})})

    def ok(self, *words):
        run = self.run(*words)
        assert (run.returncode, run.stderr) == (0, ""), run
        return run.stdout

    def json(self, *words):
        return json.loads(self.ok("--json", *words))

    def fails(self, code, *words):
        """What it says: one sentence or more, nothing on standard output."""
        run = self.run(*words)
        assert (run.returncode, run.stdout) == (code, ""), run
        assert run.stderr.startswith("srctl: "), run
        return run.stderr

    def put(self, key, value):
        self.etcd.put(f"clusters/{self.cluster}/{key}", value)

    def keys(self, prefix=""):
        head = f"/srfabric/v1/clusters/{self.cluster}/"
        return [key.removeprefix(head) for key in self.etcd.keys(f"clusters/{self.cluster}/{prefix}")]

    def node(self, name, locator, alive=True):
        self.put(f"nodes/{name}", {"name": name, "segment_node_id": locator})
        if alive:
            self.put(f"status/nodes/{name}",
                     {"node": name, "version": "0.1.0", "datapath": "ebpf", "started": 1700000000})
