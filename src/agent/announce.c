/* SPDX-License-Identifier: GPL-2.0-only */
#include "agent/announce.h"

#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <unistd.h>

#define METRIC 1024 /* the kernel's own default; said, so that removal names the same route */

/* Sends one request and returns what the kernel said to it. */
static int request(struct nlmsghdr *header)
{
	char buf[4096];
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	ssize_t len;
	int r = 0;

	if (!socket)
		return -errno;
	header->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	header->nlmsg_seq = 1;
	if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    mnl_socket_sendto(socket, header, header->nlmsg_len) < 0) {
		r = -errno;
		goto out;
	}
	len = mnl_socket_recvfrom(socket, buf, sizeof(buf));
	if (len < 0 || mnl_cb_run(buf, (size_t)len, 1, mnl_socket_get_portid(socket), NULL, NULL) < 0)
		r = -errno;
out:
	mnl_socket_close(socket);
	return r;
}

static int change(const struct sr_locator *locator, bool there, uint8_t type, uint8_t table, unsigned int oif)
{
	const struct sr_prefix prefix = sr_locator_prefix(locator);
	char buf[256];
	struct nlmsghdr *header = mnl_nlmsg_put_header(buf);
	struct rtmsg *route;
	int r;

	header->nlmsg_type = there ? RTM_NEWROUTE : RTM_DELROUTE;
	header->nlmsg_flags = there ? NLM_F_CREATE | NLM_F_REPLACE : 0;
	route = mnl_nlmsg_put_extra_header(header, sizeof(*route));
	*route = (struct rtmsg){
		.rtm_family = AF_INET6,
		.rtm_dst_len = prefix.len,
		.rtm_table = table,
		.rtm_protocol = SR_RTPROT,
		.rtm_scope = RT_SCOPE_UNIVERSE,
		.rtm_type = type,
	};
	mnl_attr_put(header, RTA_DST, sizeof(prefix.addr), &prefix.addr);
	mnl_attr_put_u32(header, RTA_PRIORITY, METRIC);
	if (oif)
		mnl_attr_put_u32(header, RTA_OIF, oif);
	r = request(header);
	return !there && r == -ESRCH ? 0 : r;
}

int sr_announce_local(const struct sr_locator *locator, bool there)
{
	return change(locator, there, RTN_LOCAL, RT_TABLE_LOCAL, if_nametoindex("lo"));
}

int sr_announce_route(const struct sr_locator *locator, bool there)
{
	return change(locator, there, RTN_UNREACHABLE, RT_TABLE_MAIN, 0);
}

int sr_announce_forwarding(const char *ifname)
{
	char path[64 + IFNAMSIZ];
	int fd, r = 0;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/forwarding", ifname);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, "1", 1) != 1)
		r = -errno;
	close(fd);
	return r;
}
