/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * agent/log.h - lines on stderr, in the form that whoever reads them knows: with the kernel's <level> where stderr is
 * the journal (sd-daemon(3)), with time and level in words elsewhere. One line, one event; written whole.
 */
#ifndef SR_AGENT_LOG_H
#define SR_AGENT_LOG_H

#include "agent/engine.h"

struct sr_log {
	enum sr_log_level max;
	bool journal;
};

void sr_log_init(struct sr_log *log, enum sr_log_level max);
void sr_log(const struct sr_log *log, enum sr_log_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
