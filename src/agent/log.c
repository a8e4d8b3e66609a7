/* SPDX-License-Identifier: GPL-2.0-only */
#include "agent/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

void sr_log_init(struct sr_log *log, enum sr_log_level max)
{
	*log = (struct sr_log){.max = max, .journal = getenv("JOURNAL_STREAM") != NULL};
}

static int write_head(const struct sr_log *log, enum sr_log_level level, char *buf, size_t size)
{
	static const char *const names[] = {
		[SR_LOG_ERROR] = "error", [SR_LOG_WARNING] = "warning", [SR_LOG_NOTICE] = "notice",
		[SR_LOG_INFO] = "info",	  [SR_LOG_DEBUG] = "debug",
	};
	struct timeval now;
	struct tm tm;
	size_t n;

	if (log->journal)
		return snprintf(buf, size, "<%d>", (int)level);
	gettimeofday(&now, NULL);
	n = strftime(buf, size, "%Y-%m-%dT%H:%M:%S", gmtime_r(&now.tv_sec, &tm));
	return (int)n + snprintf(buf + n, size - n, ".%03dZ %s: ", (int)(now.tv_usec / 1000), names[level]);
}

void sr_log(const struct sr_log *log, enum sr_log_level level, const char *format, ...)
{
	char line[1024];
	va_list args;
	int head, len;

	if (level > log->max)
		return;
	head = write_head(log, level, line, sizeof(line));
	va_start(args, format);
	len = head + vsnprintf(line + head, sizeof(line) - (size_t)head - 1, format, args);
	va_end(args);
	if (len > (int)sizeof(line) - 2)
		len = (int)sizeof(line) - 2;
	for (int i = head; i < len; i++) /* what came from outside does not make lines of its own */
		if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
			line[i] = ' ';
	line[len++] = '\n';
	if (write(STDERR_FILENO, line, (size_t)len) < 0)
		return; /* nowhere to say it */
}
