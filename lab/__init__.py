# SPDX-License-Identifier: GPL-2.0-only
"""lab: a CLOS fabric with hypervisors, etcd, agents, tenants and VMs, in network namespaces of this machine.

Read in this order: netns (namespaces and processes in them), fabric (routers and links), etcd, agent, tenants
(networks, ports, VMs), instance (the lab as a whole: what is made, in which order, and how all of it goes again), show
(what a person looks at). The integration tests are built on the same modules.

Everything that an instance makes bears its prefix: namespaces are called PREFIX + node, files and sockets live in
/run/srfabric-PREFIX/, BPF pins in /sys/fs/bpf/srfabric-PREFIX-NODE/. So instances do not meet, and what is left of one,
however it ended, is found and removed by its prefix alone. It needs root and nothing but Python's own library.
"""
