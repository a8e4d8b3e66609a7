/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * datapath/linux/saved.h - what this datapath changed of what was there before it, and how it was.
 *
 * A text file in the node's state directory, a line each, written before the change that it is about; so it is right
 * after any kill -9, and a restart goes on with it. It lies under /run: after a boot nothing is changed.
 *
 *   sysctl PATH VALUE    as it was, PATH relative to /proc/sys
 *   tunsrc ADDRESS       the outer source that the kernel's seg6 had (:: is none)
 *   local FAMILY         the rule for table local was moved (4 or 6)
 *   clsact INTERFACE     the qdisc is ours
 *   uplink INTERFACE     is one
 *   end SID              is the node's
 */
#ifndef SR_LINUX_SAVED_H
#define SR_LINUX_SAVED_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

#define SR_SAVED_WORD 160

struct sr_saved_entry {
	char kind[8], what[SR_SAVED_WORD], value[64]; /* value: "" where the kind has none */
};

struct sr_saved {
	char *path; /* of the file; NULL: read only */
	struct sr_saved_entry *entries;
	size_t n;
	bool cut; /* the file ends in part of a line */
};

/* Reads the file; none is empty. Lines that make no sense are left out. */
int sr_saved_open(struct sr_saved *saved, const char *dir);
void sr_saved_fini(struct sr_saved *saved);

const struct sr_saved_entry *sr_saved_find(const struct sr_saved *saved, const char *kind, const char *what);
/* Writes a line, unless there is one of this kind about this. */
int sr_saved_add(struct sr_saved *saved, const char *kind, const char *what, const char *value);
/* The interface that an entry is about. False: about the whole node, or what is given back with it (forwarding). */
bool sr_saved_interface(const struct sr_saved_entry *entry, char ret[static IF_NAMESIZE]);
/* Forgets what is about one interface, or (NULL) about those that there are no more. */
int sr_saved_forget(struct sr_saved *saved, const char *ifname);
/* Forgets one; also what is not there. */
int sr_saved_del(struct sr_saved *saved, const char *kind, const char *what);

/*
 * Sets a sysctl (PATH relative to /proc/sys) and remembers what it was, the first time. -ENOENT: no such one (any
 * more).
 */
int sr_sysctl_set(struct sr_saved *saved, const char *value, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/*
 * Gives back those of one interface ("conf/IFNAME/", "neigh/IFNAME/"), or all (NULL), the latest first. What was
 * remembered because of a change for all interfaces (forwarding) is given back with all only.
 */
int sr_sysctl_restore(struct sr_saved *saved, const char *ifname);
/* Writes one and remembers nothing. */
int sr_sysctl_write(const char *path, const char *value);
/* The first word of one. */
int sr_sysctl_read(const char *path, char *ret, size_t size);

#endif
