/* SPDX-License-Identifier: GPL-2.0-only */
#include "agent/links.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define RECEIVE_BUFFER (4 * 1024 * 1024) /* a burst of some thousand taps */

struct sr_links {
	uv_poll_t poll;
	struct mnl_socket *socket;
	struct sr_engine *engine;
	void (*on_error)(void *ctx, int err);
	void *ctx;
	unsigned int seq;
	bool listing; /* a dump is under way */
	bool again;   /* messages were lost during it: list once more */
};

struct link_attrs {
	const char *name;
	uint32_t mtu;
};

static int on_attr(const struct nlattr *attr, void *data)
{
	struct link_attrs *attrs = data;

	switch (mnl_attr_get_type(attr)) {
	case IFLA_IFNAME:
		if (mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) == 0)
			attrs->name = mnl_attr_get_str(attr);
		break;
	case IFLA_MTU:
		if (mnl_attr_validate(attr, MNL_TYPE_U32) == 0)
			attrs->mtu = mnl_attr_get_u32(attr);
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

static int on_message(const struct nlmsghdr *header, void *data)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(header);
	struct sr_links *links = data;
	struct link_attrs attrs = {0};

	if (header->nlmsg_type != RTM_NEWLINK && header->nlmsg_type != RTM_DELLINK)
		return MNL_CB_OK;
	if (mnl_nlmsg_get_payload_len(header) < sizeof(*info))
		return MNL_CB_OK;
	/* Bridges send messages of their own family about their ports, which are no news about the interface. */
	if (info->ifi_family != AF_UNSPEC || info->ifi_index <= 0)
		return MNL_CB_OK;
	if (header->nlmsg_type == RTM_DELLINK) {
		sr_engine_link_del(links->engine, (uint32_t)info->ifi_index);
		return MNL_CB_OK;
	}
	mnl_attr_parse(header, sizeof(*info), on_attr, &attrs);
	if (attrs.name && strlen(attrs.name) < SR_IFNAME_MAX)
		sr_engine_link_set(links->engine, (uint32_t)info->ifi_index, attrs.name, attrs.mtu,
				   info->ifi_flags & IFF_UP);
	return MNL_CB_OK;
}

static int list(struct sr_links *links)
{
	char buf[NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(struct ifinfomsg))];
	struct nlmsghdr *header = mnl_nlmsg_put_header(buf);
	struct ifinfomsg *info;

	header->nlmsg_type = RTM_GETLINK;
	header->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	header->nlmsg_seq = ++links->seq;
	info = mnl_nlmsg_put_extra_header(header, sizeof(*info));
	info->ifi_family = AF_UNSPEC;
	if (mnl_socket_sendto(links->socket, header, header->nlmsg_len) < 0)
		return -errno;
	links->listing = true;
	sr_engine_links_begin(links->engine);
	return 0;
}

/* A dump's last message, as against a change that is told of meanwhile. */
static bool ends_listing(const struct sr_links *links, const void *buf, size_t len)
{
	const struct nlmsghdr *header = buf;
	int left = (int)len;

	for (; mnl_nlmsg_ok(header, left); header = mnl_nlmsg_next(header, &left))
		if (header->nlmsg_type == NLMSG_DONE && header->nlmsg_seq == links->seq)
			return true;
	return false;
}

static int lost(struct sr_links *links)
{
	if (links->listing) {
		links->again = true;
		return 0;
	}
	return list(links);
}

static int receive(struct sr_links *links, void *buf, size_t size)
{
	ssize_t len = mnl_socket_recvfrom(links->socket, buf, size);
	bool done;

	if (len < 0)
		return errno == ENOBUFS ? lost(links) : -errno;
	done = links->listing && ends_listing(links, buf, (size_t)len);
	if (mnl_cb_run(buf, (size_t)len, 0, 0, on_message, links) < 0) {
		if (errno != EINTR)
			return -errno;
		links->again = links->listing; /* interrupted by a change: libmnl has left out what was in here */
	}
	if (!done)
		return 1;
	links->listing = false;
	if (links->again) {
		links->again = false;
		return list(links);
	}
	sr_engine_links_end(links->engine);
	return 1;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct sr_links *links = poll->data;
	char buf[32768]; /* MNL_SOCKET_BUFFER_SIZE, which is not a constant */
	int r = status < 0 ? status : 1;

	(void)events;
	while (r > 0)
		r = receive(links, buf, sizeof(buf));
	if (r < 0 && r != -EAGAIN && r != -EINTR) {
		uv_poll_stop(poll);
		links->on_error(links->ctx, r);
	}
}

static int open_socket(struct sr_links *links)
{
	int size = RECEIVE_BUFFER;

	links->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (!links->socket)
		return -errno;
	/* Without the privilege the kernel's default stays; then messages are lost earlier, and listed again. */
	setsockopt(mnl_socket_get_fd(links->socket), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	return mnl_socket_bind(links->socket, RTMGRP_LINK, MNL_SOCKET_AUTOPID) < 0 ? -errno : 0;
}

static void on_closed(uv_handle_t *handle)
{
	struct sr_links *links = handle->data;

	mnl_socket_close(links->socket);
	free(links);
}

int sr_links_new(uv_loop_t *loop, struct sr_engine *engine, void (*on_error)(void *ctx, int err), void *ctx,
		 struct sr_links **ret)
{
	struct sr_links *links = malloc(sizeof(*links));
	int r;

	if (!links)
		return -ENOMEM;
	*links = (struct sr_links){.engine = engine, .on_error = on_error, .ctx = ctx};
	r = open_socket(links);
	if (r == 0)
		r = uv_poll_init(loop, &links->poll, mnl_socket_get_fd(links->socket));
	if (r < 0) {
		if (links->socket)
			mnl_socket_close(links->socket);
		free(links);
		return r;
	}
	links->poll.data = links;
	r = list(links);
	if (r == 0)
		r = uv_poll_start(&links->poll, UV_READABLE, on_readable);
	if (r < 0) {
		sr_links_free(links);
		return r;
	}
	*ret = links;
	return 0;
}

void sr_links_free(struct sr_links *links)
{
	if (links)
		uv_close((uv_handle_t *)&links->poll, on_closed);
}
