/* SPDX-License-Identifier: GPL-2.0-only */
#include "netlink/rtnl.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define ANSWER_SIZE 32768	     /* what the kernel fills at most at a time in a dump */
#define BATCH_SIZE 65536	     /* of messages sent in one go */
#define RECEIVE_BUFFER (1024 * 1024) /* the answers to a batch, each message refused */
#define TRIES 250		     /* of 2 ms */

int sr_rtnl_open(struct sr_rtnl *nl, int bus)
{
	int one = 1, size = RECEIVE_BUFFER, r;

	*nl = (struct sr_rtnl){.socket = mnl_socket_open2(bus, SOCK_CLOEXEC)};
	if (!nl->socket)
		return -errno;
	if (mnl_socket_bind(nl->socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		r = -errno;
		sr_rtnl_close(nl);
		return r;
	}
	/* Without the privilege to write routes there will be no answers to a batch of them. */
	setsockopt(mnl_socket_get_fd(nl->socket), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	/* Both are comforts: the kernel's words for an error, and errors without the message repeated. */
	mnl_socket_setsockopt(nl->socket, NETLINK_EXT_ACK, &one, sizeof(one));
	mnl_socket_setsockopt(nl->socket, NETLINK_CAP_ACK, &one, sizeof(one));
	return 0;
}

void sr_rtnl_close(struct sr_rtnl *nl)
{
	if (nl->socket)
		mnl_socket_close(nl->socket);
	nl->socket = NULL;
}

static int on_ack_attr(const struct nlattr *attr, void *data)
{
	struct sr_rtnl *nl = data;

	if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG && mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) == 0)
		snprintf(nl->text, sizeof(nl->text), "%s", mnl_attr_get_str(attr));
	return MNL_CB_OK;
}

/* The outcome in an NLMSG_ERROR; notes the kernel's words. With NETLINK_CAP_ACK only the header is repeated. */
static int outcome(struct sr_rtnl *nl, const struct nlmsghdr *answer)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(answer);
	size_t skip = sizeof(*error);

	if (mnl_nlmsg_get_payload_len(answer) < sizeof(*error))
		return -EBADMSG;
	if (!(answer->nlmsg_flags & NLM_F_CAPPED) && error->error)
		skip += MNL_ALIGN(error->msg.nlmsg_len) - sizeof(error->msg);
	if ((answer->nlmsg_flags & NLM_F_ACK_TLVS) && mnl_nlmsg_get_payload_len(answer) > skip)
		mnl_attr_parse(answer, (unsigned int)skip, on_ack_attr, nl);
	return error->error;
}

static int send_message(struct sr_rtnl *nl, struct nlmsghdr *message, uint16_t flags)
{
	message->nlmsg_flags |= NLM_F_REQUEST | flags;
	message->nlmsg_seq = ++nl->seq;
	nl->text[0] = '\0';
	return mnl_socket_sendto(nl->socket, message, message->nlmsg_len) < 0 ? -errno : 0;
}

/* What a request waits for, and what to do with it. */
struct waiting {
	mnl_cb_t cb;
	void *ctx;
	bool interrupted;
	int err; /* 1: not over yet */
};

static void take(struct sr_rtnl *nl, const struct nlmsghdr *answer, struct waiting *waiting)
{
	if (answer->nlmsg_seq != nl->seq)
		return; /* of an earlier request that was given up */
	if (answer->nlmsg_flags & NLM_F_DUMP_INTR)
		waiting->interrupted = true;
	if (answer->nlmsg_type == NLMSG_ERROR)
		waiting->err = outcome(nl, answer);
	else if (answer->nlmsg_type == NLMSG_DONE)
		waiting->err = 0;
	else if (waiting->cb && waiting->cb(answer, waiting->ctx) < 0)
		waiting->err = -errno;
}

static int wait_for(struct sr_rtnl *nl, struct waiting *waiting)
{
	char buf[ANSWER_SIZE] __attribute__((aligned(NLMSG_ALIGNTO)));

	waiting->err = 1;
	while (waiting->err > 0) {
		ssize_t len = mnl_socket_recvfrom(nl->socket, buf, sizeof(buf));
		const struct nlmsghdr *answer = (const struct nlmsghdr *)buf;
		int left = (int)len;

		if (len < 0)
			return -errno;
		for (; mnl_nlmsg_ok(answer, left) && waiting->err > 0; answer = mnl_nlmsg_next(answer, &left))
			take(nl, answer, waiting);
	}
	return waiting->err;
}

int sr_rtnl_request(struct sr_rtnl *nl, struct nlmsghdr *message)
{
	struct waiting waiting = {};
	int r = send_message(nl, message, NLM_F_ACK);

	return r < 0 ? r : wait_for(nl, &waiting);
}

int sr_rtnl_get(struct sr_rtnl *nl, struct nlmsghdr *message, mnl_cb_t cb, void *ctx)
{
	struct waiting waiting = {.cb = cb, .ctx = ctx};
	int r = send_message(nl, message, NLM_F_ACK);

	return r < 0 ? r : wait_for(nl, &waiting);
}

int sr_rtnl_dump(struct sr_rtnl *nl, struct nlmsghdr *message, mnl_cb_t cb, void *ctx)
{
	struct waiting waiting = {.cb = cb, .ctx = ctx};
	int r = send_message(nl, message, NLM_F_DUMP);

	if (r == 0)
		r = wait_for(nl, &waiting);
	return r == 0 && waiting.interrupted ? -EAGAIN : r;
}

int sr_rtnl_batch_init(struct sr_rtnl_batch *batch, struct sr_rtnl *nl)
{
	*batch = (struct sr_rtnl_batch){.nl = nl, .buf = malloc(BATCH_SIZE)};
	return batch->buf ? 0 : -ENOMEM;
}

void sr_rtnl_batch_fini(struct sr_rtnl_batch *batch)
{
	free(batch->buf);
	batch->buf = NULL;
}

/* The last message's length is final when the next is asked for, or the batch sent. */
static void close_last(struct sr_rtnl_batch *batch)
{
	if (!batch->open)
		return;
	batch->last->nlmsg_flags |= NLM_F_REQUEST;
	batch->used += MNL_ALIGN(batch->last->nlmsg_len);
	batch->open = false;
	batch->n++;
}

struct nlmsghdr *sr_rtnl_batch_next(struct sr_rtnl_batch *batch)
{
	close_last(batch);
	if (batch->used + SR_RTNL_MESSAGE_MAX > BATCH_SIZE || batch->n == SR_RTNL_BATCH_MAX)
		return NULL;
	batch->last = mnl_nlmsg_put_header(batch->buf + batch->used);
	batch->open = true;
	return batch->last;
}

/* Reads answers until that to the last message, which is sent with NLM_F_ACK: the kernel works in order. */
static int read_answers(struct sr_rtnl_batch *batch)
{
	char buf[ANSWER_SIZE] __attribute__((aligned(NLMSG_ALIGNTO)));

	memset(batch->errors, 0, batch->n * sizeof(batch->errors[0]));
	for (;;) {
		ssize_t len = mnl_socket_recvfrom(batch->nl->socket, buf, sizeof(buf));
		const struct nlmsghdr *answer = (const struct nlmsghdr *)buf;
		int left = (int)len;

		if (len < 0)
			return -errno;
		for (; mnl_nlmsg_ok(answer, left); answer = mnl_nlmsg_next(answer, &left)) {
			unsigned int at = answer->nlmsg_seq - batch->first_seq;

			if (answer->nlmsg_type != NLMSG_ERROR || at >= batch->n)
				continue;
			batch->errors[at] = outcome(batch->nl, answer);
			if (at == batch->n - 1)
				return 0;
		}
	}
}

static int send_batch(struct sr_rtnl_batch *batch)
{
	struct nlmsghdr *message = NULL;

	/* Numbered only now: other requests may have gone over the socket while the batch was built. */
	batch->first_seq = batch->nl->seq + 1;
	for (size_t at = 0; at < batch->used; at += MNL_ALIGN(message->nlmsg_len)) {
		message = (struct nlmsghdr *)(void *)(batch->buf + at);
		message->nlmsg_seq = ++batch->nl->seq;
	}
	if (message)
		message->nlmsg_flags |= NLM_F_ACK;
	batch->nl->text[0] = '\0';
	if (mnl_socket_sendto(batch->nl->socket, batch->buf, batch->used) < 0)
		return -errno;
	return read_answers(batch);
}

/* Tells of the failures, and leaves in the batch only the messages that are worth another try. */
static void sift(struct sr_rtnl_batch *batch, bool again, void (*failed)(void *ctx, unsigned int number, int err),
		 void *ctx)
{
	unsigned int n = batch->n;
	size_t at = 0;

	batch->n = 0;
	batch->used = 0;
	for (unsigned int i = 0; i < n; i++) {
		size_t len = MNL_ALIGN(((struct nlmsghdr *)(void *)(batch->buf + at))->nlmsg_len);

		if (batch->errors[i] == -ENOMEM && again) {
			memmove(batch->buf + batch->used, batch->buf + at, len);
			batch->used += len;
			batch->numbers[batch->n++] = batch->numbers[i];
		} else if (batch->errors[i]) {
			failed(ctx, batch->numbers[i], batch->errors[i]);
		}
		at += len;
	}
}

/*
 * The kernel allocates a route's per-CPU parts without waiting (seg6 has such: dst_cache_init with GFP_ATOMIC), and
 * says ENOMEM when it has none ready; it makes more ready in the background. So that is asked again after a moment.
 */
int sr_rtnl_batch_flush(struct sr_rtnl_batch *batch, void (*failed)(void *ctx, unsigned int number, int err), void *ctx)
{
	const struct timespec moment = {.tv_nsec = 2000000};
	int r = 0;

	close_last(batch);
	for (unsigned int i = 0; i < batch->n; i++)
		batch->numbers[i] = i;
	for (int tries = 0; batch->n > 0 && r == 0; tries++) {
		if (tries > 0)
			nanosleep(&moment, NULL);
		r = send_batch(batch);
		if (r == 0)
			sift(batch, tries < TRIES, failed, ctx);
	}
	batch->n = 0;
	batch->used = 0;
	return r;
}
