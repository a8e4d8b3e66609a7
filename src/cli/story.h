/* SPDX-License-Identifier: GPL-2.0-only */
/* cli/story.h - what happens to a packet, told in steps, each at a place; and the end of it. */
#ifndef SR_CLI_STORY_H
#define SR_CLI_STORY_H

#include <jansson.h>
#include <stdbool.h>

enum story_verdict {
	STORY_DELIVERED, /* out of a tap */
	STORY_SENT,	 /* to SIDs beyond what the store knows */
	STORY_ANSWERED,	 /* by the datapath itself */
	STORY_DROPPED,
};

struct story {
	json_t *steps; /* {"at": node, "what": sentence} */
	json_t *notes; /* sentences: what makes the rest less certain */
	enum story_verdict verdict;
	char reason[192]; /* of a drop: as the drop counters call it, or a sentence */
};

void story_init(struct story *story);
void story_fini(struct story *story);
/* at: NULL: nowhere in particular. */
__attribute__((format(printf, 3, 4))) void story_step(struct story *story, const char *at, const char *format, ...);
__attribute__((format(printf, 2, 3))) void story_note(struct story *story, const char *format, ...);
/* The end: a drop and why. Returns false, for callers that stop there. */
__attribute__((format(printf, 2, 3))) bool story_drop(struct story *story, const char *format, ...);
const char *story_verdict_text(enum story_verdict verdict);
/* For people. */
void story_print(const struct story *story);

#endif
