# SPDX-License-Identifier: GPL-2.0-only
"""Traffic between namespaces, and what became of it."""
import json
import signal
import socket
import subprocess
import threading
import time

import modes
from lab import netns

IPV6_FLOWINFO_SEND = 33


class Ping:
    """Packets at a steady pace in the background: with Ping(ns, address) as ping: ...; then lost and gap."""

    def __init__(self, ns, address, interval=0.01, options=()):
        self.interval = interval
        self.child = netns.popen(ns, ["ping", "-n", "-D", "-i", interval, *options, address],
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.arrivals = {}  # sequence number -> time
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self):
        for line in self.child.stdout:
            if "icmp_seq=" in line and " bytes from " in line:
                self.arrivals[int(line.split("icmp_seq=")[1].split()[0])] = float(line[1:line.index("]")])
            elif "packets transmitted" in line:
                self.sent = int(line.split()[0])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        time.sleep(3 * self.interval)
        self.child.send_signal(signal.SIGINT)
        self.child.wait()
        self.reader.join()

    @property
    def lost(self):
        """Sequence numbers without an answer; the last few may still have been under way."""
        end = max(self.arrivals, default=0)
        return [n for n in range(1, end) if n not in self.arrivals] + (list(range(end + 1, self.sent - 2)))

    @property
    def gap(self):
        """Seconds of the longest silence between two answers, the pace itself not counted."""
        times = sorted(self.arrivals.values())
        return max((b - a for a, b in zip(times, times[1:])), default=float("inf")) - self.interval


def udp_socket(ns, family, address=""):
    with netns.enter(ns):
        made = socket.socket(family, socket.SOCK_DGRAM)
    made.settimeout(2 * netns.PATIENCE)
    if address:
        made.bind((address, 0))
    return made


def udp_exchange(ns_a, ns_b, address_b, payloads):
    """a sends each payload, b sends it back reversed, a compares: UDP both ways. Returns how many came back right."""
    family = socket.AF_INET6 if ":" in address_b else socket.AF_INET
    with udp_socket(ns_a, family) as a, udp_socket(ns_b, family, address_b) as b:
        right = 0
        for payload in payloads:
            a.sendto(payload, b.getsockname()[:2])
            try:
                seen, sender = b.recvfrom(65535)
                b.sendto(seen[::-1], sender)
                right += a.recv(65535) == payload[::-1]
            except TimeoutError:
                pass
        return right


def udp_labels(ns, address, labels, port=9999):
    """One datagram for each flow label, all from one socket."""
    with udp_socket(ns, socket.AF_INET6) as sender:
        sender.setsockopt(socket.IPPROTO_IPV6, IPV6_FLOWINFO_SEND, 1)
        for label in labels:
            sender.sendto(b"x", (address, port, label, 0))


def iperf(ns_server, ns_client, address, options=(), megabytes=modes.MEGABYTES, timeout=20):
    """iperf3 over TCP until so much is sent; a way that swallows packets does not get there. Returns what was received
    by then, which is less by what was under way."""
    server = netns.popen(ns_server, ["iperf3", "-s", "-1", "--forceflush"], stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, text=True)
    try:
        while "Server listening" not in (line := server.stdout.readline()):
            assert line, "iperf3 -s ended"
        run = netns.run(ns_client, ["iperf3", "-c", address, "-n", f"{megabytes}M", "-J", *options], timeout=timeout)
        return json.loads(run.stdout)["end"]["sum_received"]["bytes"]
    finally:
        server.kill()
        server.communicate()
