/* SPDX-License-Identifier: GPL-2.0-only */
/* What all datapaths share: the words for the numbers of bpf/abi.h, checks, the lock. */
#include "datapath/datapath.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "datapath/inside.h"

const char *sr_drop_reason_text(enum sr_drop_reason reason)
{
	static const char *const texts[SR_DROP_MAX] = {
#define X(sym, text) [SR_DROP_##sym] = (text),
		SR_DROP_REASONS(X)
#undef X
	};

	return (unsigned int)reason < SR_DROP_MAX ? texts[reason] : "?";
}

int sr_dp_fail(const struct sr_err *err, int error, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (err->buf && err->len)
		vsnprintf(err->buf, err->len, fmt, ap);
	va_end(ap);
	return error;
}

int sr_dp_check(const struct sr_dp_config *c, const struct sr_err *err)
{
	if (!c->n_locators || c->n_locators > SR_BPF_LOCATORS_MAX)
		return sr_dp_fail(err, -EINVAL, "%zu locators; 1 to %d are possible", c->n_locators,
				  SR_BPF_LOCATORS_MAX);
	if (c->n_domains > SR_BPF_DOMAINS_MAX)
		return sr_dp_fail(err, -EINVAL, "%zu SR domains; up to %d are possible", c->n_domains,
				  SR_BPF_DOMAINS_MAX);
	if (!c->max_vrfs || !c->max_nexthops || !c->max_routes)
		return sr_dp_fail(err, -EINVAL, "max_vrfs, max_nexthops and max_routes must be at least 1");
	if (c->max_vrfs > SR_VRFS_LIMIT || c->max_nexthops > SR_NEXTHOPS_LIMIT || c->max_routes > SR_ROUTES_LIMIT)
		return sr_dp_fail(err, -EINVAL, "max_vrfs, max_nexthops and max_routes must be at most %d, %d and %d",
				  SR_VRFS_LIMIT, SR_NEXTHOPS_LIMIT, SR_ROUTES_LIMIT);
	return 0;
}

int sr_dp_lock(const char *path, const char *option, int *ret_fd, const struct sr_err *err)
{
	struct stat there, locked;
	int fd, r;

	if (mkdir(path, 0700) && errno != EEXIST) {
		r = errno == EACCES ? -EPERM : -errno;
		return sr_dp_fail(err, r, "make %s: %s; it takes root, and no dots in names of a bpf file system", path,
				  strerror(errno));
	}
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		r = errno == EACCES ? -EPERM : -errno;
		return sr_dp_fail(err, r, "open %s: %s; run as root", path, strerror(errno));
	}
	/* The one who had it may have removed it in between: then the lock is on a directory that nobody finds. */
	if (flock(fd, LOCK_EX | LOCK_NB) || stat(path, &there) || fstat(fd, &locked) || there.st_ino != locked.st_ino ||
	    there.st_dev != locked.st_dev) {
		close(fd);
		return sr_dp_fail(err, -EBUSY, "%s is in use by another process; one agent a directory: see `%s`", path,
				  option);
	}
	*ret_fd = fd;
	return 0;
}
