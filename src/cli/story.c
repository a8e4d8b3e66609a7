/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/story.h"

#include "cli/table.h"

void story_init(struct story *story)
{
	*story = (struct story){.steps = json_array(), .notes = json_array()};
}

void story_fini(struct story *story)
{
	json_decref(story->steps);
	json_decref(story->notes);
}

static json_t *sentence(const char *format, va_list args)
{
	return json_vsprintf(format, args);
}

void story_step(struct story *story, const char *at, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	json_array_append_new(story->steps, json_pack("{s:s?, s:o}", "at", at, "what", sentence(format, args)));
	va_end(args);
}

void story_note(struct story *story, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	json_array_append_new(story->notes, sentence(format, args));
	va_end(args);
}

bool story_drop(struct story *story, const char *format, ...)
{
	va_list args;

	story->verdict = STORY_DROPPED;
	va_start(args, format);
	vsnprintf(story->reason, sizeof(story->reason), format, args);
	va_end(args);
	return false;
}

const char *story_verdict_text(enum story_verdict verdict)
{
	static const char *const texts[] = {"delivered", "sent", "answered", "dropped"};

	return texts[verdict];
}

static void print_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Names that people gave may be in it. */
static void print_line(const char *format, ...)
{
	va_list args;
	char *text;
	int len;

	va_start(args, format);
	len = vasprintf(&text, format, args);
	va_end(args);
	if (len < 0)
		return;
	cli_print_text(text);
	free(text);
}

void story_print(const struct story *story)
{
	static const char *const ends[] = {"Delivered", "Sent on; what happens there is not in the store",
					   "Answered by the datapath", "Dropped"};
	json_t *item;
	size_t i;

	json_array_foreach (story->steps, i, item) {
		const char *at = json_string_value(json_object_get(item, "at"));

		print_line("%3zu. %s%s%s", i + 1, at ? at : "", at ? ": " : "",
			   json_string_value(json_object_get(item, "what")));
	}
	print_line("%s%s%s.", ends[story->verdict], story->reason[0] ? ": " : "", story->reason);
	json_array_foreach (story->notes, i, item)
		print_line("But: %s", json_string_value(item));
}
