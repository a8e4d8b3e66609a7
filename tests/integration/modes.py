# SPDX-License-Identifier: GPL-2.0-only
"""In which mode the scenarios run, and what a mode cannot do: all that is skipped for that reason is named here.

SRFABRIC_DATAPATH  ebpf, linux or mixed (hv1 linux, hv2 ebpf, hv3 linux); without it as the agent likes
SRFABRIC_ENCAP     srh or reduced
SRFABRIC_SMALL     any text: no routing daemons, fewer megabytes; for emulated machines (lab/'s SRFABRIC_PATIENCE too)

`make test` runs everything once on this machine, and what is marked `datapath` in each mode on the kernel that
tests/vm/run boots. By hand: tests/vm/scenarios.py mixed -k moved
"""
import os

DATAPATH = os.environ.get("SRFABRIC_DATAPATH")
ENCAP = os.environ.get("SRFABRIC_ENCAP", "srh")
OTHER_ENCAP = {"srh": "reduced", "reduced": "srh"}[ENCAP]
SMALL = "SRFABRIC_SMALL" in os.environ
FABRIC = {"routing": "static", "spines": 0} if SMALL else {}
MEGABYTES = 4 if SMALL else 32  # of a TCP test
LEAST = MEGABYTES << (13 if SMALL else 16)  # bytes of it that arrive before the sender is done: buffers hold the rest
MOST = MEGABYTES << (17 if SMALL else 18)  # the same, where no size is to be found out first

SILENT = "the kernel's seg6 drops what is too big after encapsulation without a word to the sender"
ONE_WAY = "the kernel's seg6 remembers the outer route for each inner one, so flows do not spread"

# {mode: {test, or part of its name with parameters: why it cannot be}}. In mixed mode a is behind linux, b behind ebpf.
CANNOT = {
    "linux": {
        "test_many_flows_of_one_pair": ONE_WAY,
        "test_a_sid_answers_pings": "a SID of the kernel's seg6local answers no pings (RFC 9259)",
        "test_one_more_is_answered": SILENT,
        "test_tcp_finds_its_size": SILENT,
        "test_what_the_sender_fragments": SILENT,
        "test_a_packet_too_big_from_the_fabric": SILENT,
        "test_tcp_gets_through_a_narrow": SILENT,
    },
    "mixed": {
        "test_many_flows_of_one_pair": ONE_WAY,
        "test_one_more_is_answered[4-a-b]": SILENT,
        "test_one_more_is_answered[6-a-b]": SILENT,
        "test_tcp_finds_its_size": SILENT,
        "test_what_the_sender_fragments": SILENT,
        "test_a_packet_too_big_from_the_fabric": SILENT,
        "test_tcp_gets_through_a_narrow": SILENT,
    },
}


def reason(name):
    """Why this test cannot be in the present mode, or None."""
    return next((why for part, why in CANNOT.get(DATAPATH, {}).items() if part in name), None)
