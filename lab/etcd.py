# SPDX-License-Identifier: GPL-2.0-only
"""A single-node etcd on the management bridge, and a few reads of it over its JSON gateway.

The gateway is slow and is not what the project's programs use; for a handful of reads by the lab and the tests it saves
a client. Data and log are in the instance's directory; after kill() or stop(), start() goes on with the same data.
"""
import base64
import http.client
import json
import pathlib
import subprocess

from lab import netns
from lab.fabric import wait_until

ADDRESS = "192.0.2.254"


class Etcd:
    def __init__(self, ns, directory, port=2379):
        self.ns, self.dir, self.port = ns, pathlib.Path(directory), port
        self.url = f"http://{ADDRESS}:{port}"
        self.child = None

    @property
    def log(self):
        return self.dir / "etcd.log"

    def start(self, wait=True):
        self.dir.mkdir(parents=True, exist_ok=True)
        peer = f"http://127.0.0.1:{self.port + 1}"
        with open(self.log, "ab") as log:
            self.child = netns.popen(self.ns, [
                "/usr/bin/etcd", "--name", "lab", "--data-dir", self.dir / "data", "--logger", "zap",
                "--listen-client-urls", f"http://0.0.0.0:{self.port}", "--advertise-client-urls", self.url,
                "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", f"lab={peer}",
                "--auto-compaction-mode", "revision", "--auto-compaction-retention", "100000",
                "--quota-backend-bytes", str(8 << 30)], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True)
        if wait:
            self.wait_ready()

    def wait_ready(self, timeout=20):
        wait_until(self.healthy, timeout, "etcd does not become healthy; see " + str(self.log))

    def healthy(self):
        try:
            return self._ask("GET", "/health").get("health") == "true"
        except OSError:
            return False

    def kill(self):
        self.child.kill()
        self.child.wait()

    def stop(self):
        self.child.terminate()
        self.child.wait(20)

    def get(self, key):
        """The value, or None."""
        found = self._ask("POST", "/v3/kv/range", {"key": _encode(key)}).get("kvs")
        return _decode(found[0]["value"]) if found else None

    def prefix(self, prefix):
        """{key: value} below a prefix."""
        end = prefix[:-1] + chr(ord(prefix[-1]) + 1)
        found = self._ask("POST", "/v3/kv/range", {"key": _encode(prefix), "range_end": _encode(end)}).get("kvs", [])
        return {_decode(kv["key"]): _decode(kv.get("value", "")) for kv in found}

    def put(self, key, value):
        self._ask("POST", "/v3/kv/put", {"key": _encode(key), "value": _encode(value)})

    def delete(self, key):
        self._ask("POST", "/v3/kv/deleterange", {"key": _encode(key)})

    def _ask(self, method, path, body=None):
        with netns.enter(self.ns):
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            connection.connect()
        try:
            connection.request(method, path, json.dumps(body) if body else None)
            return json.loads(connection.getresponse().read())
        except (http.client.HTTPException, ValueError) as error:
            raise OSError(f"etcd: {error}") from error
        finally:
            connection.close()


def _encode(text):
    return base64.b64encode(text.encode()).decode()


def _decode(text):
    return base64.b64decode(text).decode()
