/* SPDX-License-Identifier: GPL-2.0-only */
#include "datapath/linux/saved.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- the file */

static int append(struct sr_saved *saved, const struct sr_saved_entry *entry)
{
	struct sr_saved_entry *bigger = reallocarray(saved->entries, saved->n + 1, sizeof(*bigger));

	if (!bigger)
		return -ENOMEM;
	saved->entries = bigger;
	saved->entries[saved->n++] = *entry;
	return 0;
}

/* KIND WHAT VALUE, the last may be missing. */
static bool parse(char *line, struct sr_saved_entry *ret)
{
	char *rest, *kind = strtok_r(line, " \n", &rest);
	char *what = strtok_r(NULL, " \n", &rest), *value = what ? strtok_r(NULL, " \n", &rest) : NULL;

	if (!what || strlen(kind) >= sizeof(ret->kind) || strlen(what) >= sizeof(ret->what) ||
	    (value && strlen(value) >= sizeof(ret->value)))
		return false;
	snprintf(ret->kind, sizeof(ret->kind), "%s", kind);
	snprintf(ret->what, sizeof(ret->what), "%s", what);
	snprintf(ret->value, sizeof(ret->value), "%s", value ? value : "");
	return true;
}

int sr_saved_open(struct sr_saved *saved, const char *dir)
{
	char line[256];
	FILE *file;
	int r = 0;

	*saved = (struct sr_saved){};
	if (asprintf(&saved->path, "%s/saved", dir) < 0) {
		saved->path = NULL;
		return -ENOMEM;
	}
	file = fopen(saved->path, "re");
	if (!file)
		return errno == ENOENT ? 0 : -errno;
	while (r == 0 && fgets(line, sizeof(line), file)) {
		struct sr_saved_entry entry = {};
		bool whole = strchr(line, '\n');

		if (whole && !saved->cut && parse(line, &entry))
			r = append(saved, &entry);
		saved->cut = !whole;
	}
	fclose(file);
	return r;
}

void sr_saved_fini(struct sr_saved *saved)
{
	free(saved->entries);
	free(saved->path);
	*saved = (struct sr_saved){};
}

const struct sr_saved_entry *sr_saved_find(const struct sr_saved *saved, const char *kind, const char *what)
{
	for (size_t i = 0; i < saved->n; i++)
		if (strcmp(saved->entries[i].kind, kind) == 0 && strcmp(saved->entries[i].what, what) == 0)
			return &saved->entries[i];
	return NULL;
}

static int write_entry(FILE *file, const struct sr_saved_entry *entry)
{
	return fprintf(file, "%s %s %s\n", entry->kind, entry->what, entry->value) < 0 ? -EIO : 0;
}

/* As a whole, in place of the old one. */
static int write_file(const struct sr_saved *saved)
{
	char *part;
	FILE *file;
	int r = 0;

	if (asprintf(&part, "%s.part", saved->path) < 0)
		return -ENOMEM;
	file = fopen(part, "we");
	if (!file) {
		r = -errno;
		free(part);
		return r;
	}
	for (size_t i = 0; r == 0 && i < saved->n; i++)
		r = write_entry(file, &saved->entries[i]);
	if (fclose(file) && r == 0)
		r = -errno;
	if (r == 0 && rename(part, saved->path))
		r = -errno;
	free(part);
	return r;
}

int sr_saved_add(struct sr_saved *saved, const char *kind, const char *what, const char *value)
{
	struct sr_saved_entry entry = {};
	FILE *file;
	int r;

	if (sr_saved_find(saved, kind, what))
		return 0;
	snprintf(entry.kind, sizeof(entry.kind), "%s", kind);
	snprintf(entry.what, sizeof(entry.what), "%s", what);
	snprintf(entry.value, sizeof(entry.value), "%s", value);
	r = saved->cut ? write_file(saved) : 0; /* or this line would be the end of that one */
	if (r < 0)
		return r;
	saved->cut = false;
	file = fopen(saved->path, "ae");
	if (!file)
		return -errno;
	r = write_entry(file, &entry);
	if (fclose(file) && r == 0)
		r = -errno;
	return r ? r : append(saved, &entry);
}

static void forget(struct sr_saved *saved, size_t at)
{
	saved->n--;
	memmove(&saved->entries[at], &saved->entries[at + 1], (saved->n - at) * sizeof(saved->entries[0]));
}

int sr_saved_del(struct sr_saved *saved, const char *kind, const char *what)
{
	const struct sr_saved_entry *entry = sr_saved_find(saved, kind, what);

	if (!entry)
		return 0;
	forget(saved, (size_t)(entry - saved->entries));
	return write_file(saved);
}

/* ---- sysctls */

int sr_sysctl_read(const char *path, char *ret, size_t size)
{
	char full[SR_SAVED_WORD + 16];
	ssize_t len;
	int fd, r = 0;

	snprintf(full, sizeof(full), "/proc/sys/%s", path);
	fd = open(full, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	len = read(fd, ret, size - 1);
	if (len < 0)
		r = -errno;
	ret[len < 0 ? 0 : len] = '\0';
	ret[strcspn(ret, " \t\n")] = '\0';
	close(fd);
	return r;
}

int sr_sysctl_write(const char *path, const char *value)
{
	char full[SR_SAVED_WORD + 16];
	int fd, r = 0;

	snprintf(full, sizeof(full), "/proc/sys/%s", path);
	fd = open(full, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, value, strlen(value)) < 0)
		r = -errno;
	close(fd);
	return r;
}

int sr_sysctl_set(struct sr_saved *saved, const char *value, const char *format, ...)
{
	char path[SR_SAVED_WORD], was[64];
	va_list args;
	int r;

	va_start(args, format);
	vsnprintf(path, sizeof(path), format, args);
	va_end(args);
	r = sr_sysctl_read(path, was, sizeof(was));
	if (r < 0 || strcmp(was, value) == 0)
		return r;
	r = sr_saved_add(saved, "sysctl", path, was);
	return r < 0 ? r : sr_sysctl_write(path, value);
}

/* The interface of net/ipv4/conf/IFNAME/rp_filter and the like. False: a path that is about none. */
static bool interface_of(const char *path, char ret[static IF_NAMESIZE])
{
	static const char *const heads[] = {"net/ipv4/conf/", "net/ipv6/conf/", "net/ipv4/neigh/", "net/ipv6/neigh/"};

	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		const char *rest = path + strlen(heads[i]), *end;

		if (strncmp(path, heads[i], strlen(heads[i])) != 0)
			continue;
		end = strchr(rest, '/');
		if (!end || end - rest >= IF_NAMESIZE)
			return false;
		snprintf(ret, IF_NAMESIZE, "%.*s", (int)(end - rest), rest);
		return strcmp(ret, "all") != 0 && strcmp(ret, "default") != 0;
	}
	return false;
}

static bool is_forwarding(const char *path)
{
	const char *word = strrchr(path, '/');

	return word && strcmp(word, "/forwarding") == 0;
}

bool sr_saved_interface(const struct sr_saved_entry *entry, char ret[static IF_NAMESIZE])
{
	if (strcmp(entry->kind, "sysctl") == 0)
		return !is_forwarding(entry->what) && interface_of(entry->what, ret);
	if (strcmp(entry->kind, "clsact") != 0 && strcmp(entry->kind, "uplink") != 0)
		return false;
	snprintf(ret, IF_NAMESIZE, "%.15s", entry->what);
	return true;
}

int sr_saved_forget(struct sr_saved *saved, const char *ifname)
{
	size_t before = saved->n;

	for (size_t i = saved->n; i-- > 0;) {
		char about[IF_NAMESIZE];

		if (sr_saved_interface(&saved->entries[i], about) &&
		    (ifname ? strcmp(about, ifname) == 0 : !if_nametoindex(about)))
			forget(saved, i);
	}
	return saved->n == before ? 0 : write_file(saved);
}

int sr_sysctl_restore(struct sr_saved *saved, const char *ifname)
{
	char whose[IF_NAMESIZE];
	int first = 0, r;
	bool any = false;

	for (size_t i = saved->n; i-- > 0;) {
		const struct sr_saved_entry *entry = &saved->entries[i];

		if (strcmp(entry->kind, "sysctl") != 0)
			continue;
		if (ifname &&
		    (!interface_of(entry->what, whose) || strcmp(whose, ifname) != 0 || is_forwarding(entry->what)))
			continue;
		r = sr_sysctl_write(entry->what, entry->value);
		if (r < 0 && r != -ENOENT) /* its interface is gone */
			first = first ? first : r;
		forget(saved, i);
		any = true;
	}
	r = any ? write_file(saved) : 0;
	return first ? first : r;
}
