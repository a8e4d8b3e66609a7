/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * agent/links.h - the interfaces of this network namespace, listed and followed over rtnetlink.
 *
 * Tells the engine: all of them at the start (between links_begin and links_end), then each as it comes, changes, goes.
 * When the kernel says that messages were lost (ENOBUFS) the list is read again, never guessed.
 */
#ifndef SR_AGENT_LINKS_H
#define SR_AGENT_LINKS_H

#include <uv.h>

#include "agent/engine.h"

struct sr_links;

/* on_error is called with a negative errno when the socket is of no use any more. The engine is borrowed. */
int sr_links_new(uv_loop_t *loop, struct sr_engine *engine, void (*on_error)(void *ctx, int err), void *ctx,
		 struct sr_links **ret);
/* Its handle closes on the loop's next turn. Takes NULL. */
void sr_links_free(struct sr_links *links);

#endif
