/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The directory in the bpf file system that outlives the process.
 *
 *   <bpffs>/v<SR_ABI_VERSION>/sr_ports ...   the set of maps in use
 *   <bpffs>/new/                             a set that is being pinned
 *
 * A set is complete or not there: it is pinned in `new`, which is then renamed. A process killed on the way leaves
 * either set whole, or none (the old one half removed, its maps kept alive by the programs on the interfaces): the next
 * open then starts with new maps.
 *
 * A bpf file system mounted in a mount namespace of the process's own (systemd's PrivateMounts, `ip netns exec`) goes
 * with it: mount it outside.
 *
 * The lock is flock() on the directory itself: it goes with the process however that ends, and is the same one through
 * every path, and from every network and mount namespace, that leads to the directory.
 */
#include "datapath/ebpf/ebpf.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define STR(x) #x
#define XSTR(x) STR(x)
#define SET "v" XSTR(SR_ABI_VERSION)
#define SET_NEW "new" /* a dot in a name is refused by the file system */

const char *sr_map_name(enum sr_map map)
{
	static const char *const names[SR_MAP_MAX] = {
#define X(sym, name, key, value) [SR_MAP_##sym] = (name),
		SR_MAPS(X)
#undef X
	};

	return names[map];
}

static bool is_bpffs(const char *path)
{
	struct statfs fs;

	return !statfs(path, &fs) && fs.f_type == BPF_FS_MAGIC;
}

static bool is_empty(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *e;
	bool empty = dir;

	while (empty && (e = readdir(dir)))
		empty = !strcmp(e->d_name, ".") || !strcmp(e->d_name, "..");
	if (dir)
		closedir(dir);
	return empty;
}

/* A bpf file system to make `path` in. Mounts over an empty directory only, since what is below would vanish. */
static int ensure_bpffs(const char *path, const struct sr_err *err)
{
	char buf[PATH_MAX];
	char *parent;
	int r;

	if (is_bpffs(path))
		return 0;
	snprintf(buf, sizeof(buf), "%s", path);
	parent = dirname(buf);
	if (is_bpffs(parent))
		return 0;
	if (access(parent, F_OK))
		return sr_dp_fail(err, -errno, "%s: %s; make it, or set `bpffs` to a place in a bpf file system",
				  parent, strerror(errno));
	if (!is_empty(parent))
		return sr_dp_fail(err, -EINVAL,
				  "%s is not a bpf file system and not empty; set `bpffs` to a place in one "
				  "(mount -t bpf bpf /sys/fs/bpf)",
				  parent);
	if (!mount("bpf", parent, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700"))
		return 0;
	r = -errno;
	return sr_dp_fail(err, r, "mount a bpf file system on %s: %s%s", parent, strerror(-r),
			  r == -EPERM ? "; run as root, or mount it beforehand" : "");
}

static int set_path(const struct sr_ebpf *dp, const char *set, const char *name, char buf[static PATH_MAX])
{
	int n = snprintf(buf, PATH_MAX, "%s/%s%s%s", dp->path, set, name ? "/" : "", name ? name : "");

	return n < PATH_MAX ? 0 : -ENAMETOOLONG;
}

int sr_pins_lock(struct sr_ebpf *dp, const struct sr_err *err)
{
	int r = ensure_bpffs(dp->path, err);

	return r ? r : sr_dp_lock(dp->path, "bpffs", &dp->lock_fd, err);
}

int sr_pins_get(const struct sr_ebpf *dp, enum sr_map map, uint32_t file_flags, int *ret_fd)
{
	LIBBPF_OPTS(bpf_obj_get_opts, opts, .file_flags = file_flags);
	char path[PATH_MAX];
	int fd, r;

	r = set_path(dp, SET, sr_map_name(map), path);
	if (r)
		return r;
	fd = bpf_obj_get_opts(path, &opts);
	if (fd < 0)
		return fd;
	*ret_fd = fd;
	return 0;
}

/* Removes a directory with what it holds, one level deep as ours are. Not being there is fine. */
static int remove_set(const struct sr_ebpf *dp, const char *set)
{
	char path[PATH_MAX];
	struct dirent *e;
	DIR *dir;
	int r;

	r = set_path(dp, set, NULL, path);
	if (r)
		return r;
	dir = opendir(path);
	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while ((e = readdir(dir)))
		if (e->d_name[0] != '.' && unlinkat(dirfd(dir), e->d_name, 0) && errno != ENOENT && !r)
			r = -errno;
	closedir(dir);
	if (rmdir(path) && !r)
		r = -errno;
	return r;
}

/* Those of all versions, which are nobody's: the directory is locked. */
static int remove_sets(const struct sr_ebpf *dp)
{
	DIR *dir = opendir(dp->path);
	struct dirent *e;
	int r = 0;

	if (!dir)
		return -errno;
	while ((e = readdir(dir)))
		if (e->d_name[0] == 'v') {
			int one = remove_set(dp, e->d_name);

			r = r ? r : one;
		}
	closedir(dir);
	return r;
}

static int pin_set(const struct sr_ebpf *dp, const char *set)
{
	char path[PATH_MAX];
	int r;

	r = set_path(dp, set, NULL, path);
	if (!r && mkdir(path, 0700))
		r = -errno;
	for (int i = 0; !r && i < SR_MAP_MAX; i++) {
		r = set_path(dp, set, sr_map_name(i), path);
		if (!r)
			r = bpf_obj_pin(dp->maps[i], path);
	}
	return r;
}

int sr_pins_replace(const struct sr_ebpf *dp, const struct sr_err *err)
{
	char from[PATH_MAX], to[PATH_MAX];
	int r;

	r = remove_set(dp, SET_NEW);
	if (!r)
		r = pin_set(dp, SET_NEW);
	if (!r)
		r = set_path(dp, SET_NEW, NULL, from);
	if (!r)
		r = set_path(dp, SET, NULL, to);
	if (!r)
		r = remove_sets(dp);
	if (!r && rename(from, to))
		r = -errno;
	if (r)
		return sr_dp_fail(err, r, "pin maps in %s: %s", dp->path, strerror(-r));
	return 0;
}

int sr_pins_remove(const struct sr_ebpf *dp)
{
	int r = remove_set(dp, SET_NEW);

	if (!r)
		r = remove_sets(dp);
	/* Busy: somebody mounted a file system there, which is theirs to keep. */
	if (!r && rmdir(dp->path) && errno != EBUSY)
		r = -errno;
	return r;
}
