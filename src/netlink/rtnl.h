/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * netlink/ - talking to the kernel over netlink: requests, batches and dumps, on top of libmnl.
 *
 * Calls are synchronous and belong to one thread. A message is built with libmnl's mnl_nlmsg_put_* and mnl_attr_put_*
 * in a caller's buffer (or a batch's), its sequence number and the flags REQUEST and ACK are set here. Errors are
 * negative errno, those of the kernel's answer included.
 */
#ifndef SR_NETLINK_RTNL_H
#define SR_NETLINK_RTNL_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SR_RTNL_MESSAGE_MAX 2048 /* the largest message that a batch takes */
#define SR_RTNL_TEXT_MAX 128
#define SR_RTNL_BATCH_MAX 400 /* messages in a batch */

struct sr_rtnl {
	struct mnl_socket *socket;
	unsigned int seq;
	char text[SR_RTNL_TEXT_MAX]; /* the kernel's own words about the last failure (extended ACK); "" if none */
};

/* bus: NETLINK_ROUTE, NETLINK_GENERIC. On failure there is nothing to close. */
int sr_rtnl_open(struct sr_rtnl *nl, int bus);
/* Takes what was zeroed and never opened. */
void sr_rtnl_close(struct sr_rtnl *nl);

/* Sends one message and waits for the kernel's answer to it. */
int sr_rtnl_request(struct sr_rtnl *nl, struct nlmsghdr *message);
/* As sr_rtnl_request, for a message that is answered by one of its own (GETLINK and the like): cb is called with it. */
int sr_rtnl_get(struct sr_rtnl *nl, struct nlmsghdr *message, mnl_cb_t cb, void *ctx);
/*
 * Sends a dump request and calls back for each message of the answer. A dump that changes interrupt is what the kernel
 * calls inconsistent: objects may be missing from it. Then -EAGAIN, after all was called back; dump again.
 */
int sr_rtnl_dump(struct sr_rtnl *nl, struct nlmsghdr *message, mnl_cb_t cb, void *ctx);

/*
 * Many requests in few system calls. Only failures are answered by the kernel, and the end; each message's outcome
 * becomes known at a flush, by the number that it was given at sr_rtnl_batch_next, from 0.
 */
struct sr_rtnl_batch {
	struct sr_rtnl *nl;
	uint8_t *buf;
	size_t used;
	unsigned int first_seq, n;
	struct nlmsghdr *last; /* counted in n and used once it is closed */
	bool open;
	int errors[SR_RTNL_BATCH_MAX];		 /* by position */
	unsigned int numbers[SR_RTNL_BATCH_MAX]; /* by position: the number that the caller knows */
};

int sr_rtnl_batch_init(struct sr_rtnl_batch *batch, struct sr_rtnl *nl);
void sr_rtnl_batch_fini(struct sr_rtnl_batch *batch);
/* A zeroed header to build on, SR_RTNL_MESSAGE_MAX bytes; NULL when the batch is full: flush it. */
struct nlmsghdr *sr_rtnl_batch_next(struct sr_rtnl_batch *batch);
/* Sends what was built. failed is called for each that the kernel refused, in any order. -errno: the socket failed. */
int sr_rtnl_batch_flush(struct sr_rtnl_batch *batch, void (*failed)(void *ctx, unsigned int number, int err),
			void *ctx);

#endif
