# SPDX-License-Identifier: GPL-2.0-only
"""One sr-agent on one hypervisor: its configuration file, and its process from start to kill -9.

It is ready when it says so, as it does to systemd: READY=1 on the socket in NOTIFY_SOCKET. Its log is what it writes to
standard error. What it forwards with lives in the kernel and stays when the process ends: with the eBPF datapath pinned
in its own directory of the BPF file system, with the kernel's own as devices and routes of its namespace. cleanup() is
the agent's own removal of all that.
"""
import configparser
import os
import pathlib
import socket
import subprocess

from lab import netns
from lab.fabric import DOMAIN

BPFFS = pathlib.Path("/sys/fs/bpf")


def mount_bpffs():
    """systemd does it on a real node."""
    if not any(line.split()[2] == "bpf" for line in pathlib.Path("/proc/mounts").read_text().splitlines()):
        subprocess.run(["mount", "-t", "bpf", "bpf", str(BPFFS)], check=True)


def lacking(kind):
    """What this machine's kernel lacks for a datapath, or None: linux wants the VRF driver."""
    probe = ["unshare", "-n", "ip", "link", "add", "probe", "type", "vrf", "table", "1"]
    if kind == "linux" and subprocess.run(probe, stderr=subprocess.DEVNULL).returncode:
        return "this kernel has no VRF driver"
    return None


class Agent:
    """kind: ebpf, linux, or None for what the agent chooses by itself."""

    def __init__(self, node, directory, instance, build, etcd_url, cluster, options=None, kind=None):
        self.node, self.dir, self.build = node, pathlib.Path(directory), pathlib.Path(build)
        self.bpffs = BPFFS / f"srfabric-{instance}-{node.name}"
        self.config = {
            "node": {"name": node.name, "cluster": cluster, "locator": node.locator, "domain": DOMAIN},
            "etcd": {"endpoints": etcd_url},
            "fabric": {"uplinks": ",".join(node.links)},
            "datapath": {"bpffs": self.bpffs},
            "log": {"level": "info"},
        }
        if kind:
            self.config["datapath"]["kind"] = kind
        if kind == "linux":
            self.config["datapath"]["state_dir"] = self.dir / "state"
        for section, values in (options or {}).items():
            self.config[section].update(values)
        self.kind = kind or "ebpf"  # which is what the agent prefers
        self.child = None

    @property
    def program(self):
        return self.build / "src" / "agent" / "sr-agent"

    @property
    def log(self):
        return self.dir / "sr-agent.log"

    @property
    def config_file(self):
        return self.dir / "sr-agent.conf"

    def write_config(self):
        self.dir.mkdir(parents=True, exist_ok=True)
        parser = configparser.ConfigParser()
        parser.read_dict(self.config)
        with open(self.config_file, "w", encoding="utf-8") as file:
            parser.write(file)

    def start(self, wait=True, timeout=30):
        self.write_config()
        notify = self.dir / "notify"
        notify.unlink(missing_ok=True)
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self.notify.bind(str(notify))
        environment = {key: value for key, value in os.environ.items() if key != "JOURNAL_STREAM"}
        with open(self.log, "ab") as log:
            self.child = netns.popen(self.node.ns, [self.program, "--config", self.config_file],
                                     stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                                     env={**environment, "NOTIFY_SOCKET": str(notify)})
        if wait:
            self.wait_ready(timeout)

    def wait_ready(self, timeout=30):
        timeout *= netns.PATIENCE
        self.notify.settimeout(0.1)
        for _ in range(int(timeout * 10)):
            try:
                if b"READY=1" in self.notify.recv(4096):
                    self.notify.close()  # unread, it would fill, and then sd_notify waits
                    return
            except TimeoutError:
                if self.child.poll() is not None:
                    break
        state = "is not ready" if self.child.poll() is None else f"ended with {self.child.returncode}"
        raise RuntimeError(f"sr-agent on {self.node.name} {state}:\n{self.log.read_text()[-2000:]}")

    def stop(self):
        """SIGTERM; forwarding stays. Returns the exit code."""
        self.child.terminate()
        return self.child.wait(20 * netns.PATIENCE)

    def kill(self):
        self.child.kill()
        self.child.wait()

    def cleanup(self):
        return netns.run(self.node.ns, [self.program, "cleanup", "--config", self.config_file])
