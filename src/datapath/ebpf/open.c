/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The life of an eBPF datapath.
 *
 * Opening takes up the pinned maps and repairs what a killed process left half done in them (SIDs: vrf.c). If the set
 * of maps is incomplete or does not fit (another SR_ABI_VERSION, other limits in the configuration), it is not patched:
 * the maps are made anew, empty. Programs on interfaces hold on to the maps that they were loaded with, so forwarding
 * goes on by the old state until port_set and uplink_set put the new programs there, one interface at a time and each
 * in one step; the caller fills the new maps before. The old maps go with the last old program.
 *
 * Nothing is pinned before all programs are loaded, so an open that fails leaves everything as it was.
 */
#include "datapath/ebpf/ebpf.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * libbpf's printer belongs to the process and writes to stderr, which is not this library's; what matters of it comes
 * through the log buffer and errno. There is no printer per object.
 */
static int print_nothing(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	(void)level;
	(void)fmt;
	(void)ap;
	return 0;
}

static struct sr_ebpf *alloc(const char *path, const struct sr_dp_ops *ops)
{
	struct sr_ebpf *dp = calloc(1, sizeof(*dp));

	if (!dp)
		return NULL;
	libbpf_set_print(print_nothing);
	dp->dp.ops = ops;
	dp->lock_fd = -1;
	for (int i = 0; i < SR_MAP_MAX; i++)
		dp->maps[i] = -1;
	for (int i = 0; i < SR_PROG_MAX; i++)
		dp->progs[i] = -1;
	dp->path = strdup(path);
	if (dp->path)
		return dp;
	free(dp);
	return NULL;
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

void sr_ebpf_close(struct sr_dp *base)
{
	struct sr_ebpf *dp = sr_ebpf(base);

	if (!dp)
		return;
	for (int i = 0; i < SR_MAP_MAX; i++)
		close_fd(dp->maps[i]);
	for (int i = 0; i < SR_PROG_MAX; i++)
		close_fd(dp->progs[i]);
	close_fd(dp->lock_fd); /* last: whoever gets the lock finds nothing of this process at work */
	free(dp->vrf_flags);
	free(dp->path);
	free(dp);
}

static int detach_all(void *ctx, uint32_t ifindex)
{
	int *first = ctx;

	for (int i = 0; i < SR_PROG_MAX; i++) {
		int r = sr_detach(ifindex, i);

		*first = *first ? *first : r;
	}
	return 0;
}

/* Goes on past errors and returns the first. */
static int ebpf_destroy(struct sr_dp *base)
{
	int r, first = 0;

	r = sr_interfaces(detach_all, &first);
	first = first ? first : r;
	r = sr_pins_remove(sr_ebpf(base));
	first = first ? first : r;
	sr_ebpf_close(base);
	return first;
}

static int ebpf_mtu_set(struct sr_dp *base, uint32_t mtu)
{
	const struct sr_bpf_node node = {.fabric_mtu = mtu};
	const uint32_t zero = 0;

	if (mtu < 1280) /* RFC 8200 section 5 */
		return -EINVAL;
	return sr_map_set(sr_ebpf(base)->maps[SR_MAP_NODE], &zero, &node);
}

static const struct sr_dp_ops readonly_ops = SR_DP_READONLY("ebpf", sr_ebpf_close, sr_ebpf_dump, sr_ebpf_counters);

static const struct sr_dp_ops ebpf_ops = {
	.name = "ebpf",
	.close = sr_ebpf_close,
	.destroy = ebpf_destroy,
	.uplink_set = sr_ebpf_uplink_set,
	.uplink_del = sr_ebpf_uplink_del,
	.mtu_set = ebpf_mtu_set,
	.vrf_set = sr_ebpf_vrf_set,
	.vrf_del = sr_ebpf_vrf_del,
	.port_set = sr_ebpf_port_set,
	.port_del = sr_ebpf_port_del,
	.nexthop_set = sr_ebpf_nexthop_set,
	.nexthop_del = sr_ebpf_nexthop_del,
	.routes = sr_ebpf_routes,
	.dump = sr_ebpf_dump,
	.counters = sr_ebpf_counters,
};

static int check(const struct sr_dp_config *c, const struct sr_err *err)
{
	if (!c->bpffs || c->bpffs[0] != '/' || strlen(c->bpffs) > PATH_MAX - 64)
		return sr_dp_fail(err, -EINVAL, "bpffs must be an absolute path");
	if (!c->hop_limit)
		return sr_dp_fail(err, -EINVAL, "hop_limit must be at least 1");
	if (c->dscp > 63)
		return sr_dp_fail(err, -EINVAL, "dscp must be 0 to 63");
	if (c->encap_mode > SR_ENCAP_REDUCED || c->dscp_mode > SR_DSCP_FIXED)
		return sr_dp_fail(err, -EINVAL, "no such encap_mode or dscp_mode");
	if (c->vrf_behavior && (c->vrf_behavior < SR_SID_END_DT4 || c->vrf_behavior > SR_SID_END_DT46))
		return sr_dp_fail(err, -EINVAL, "vrf_behavior must be End.DT4, End.DT6 or End.DT46 with datapath ebpf");
	return sr_dp_check(c, err);
}

static int open_locked(struct sr_ebpf *dp, const struct sr_dp_config *config, const struct sr_err *err)
{
	int r;

	r = sr_load(dp, config, err);
	if (!r && dp->fresh)
		r = sr_pins_replace(dp, err);
	if (r)
		return r;
	r = dp->fresh ? ebpf_mtu_set(&dp->dp, SR_MTU_DEFAULT) : 0;
	if (!r)
		r = sr_ebpf_vrfs_init(dp);
	if (r == -EEXIST)
		return sr_dp_fail(err, r, "end_function is the vrf_ip of a VRF of this node; choose another");
	return r ? sr_dp_fail(err, r, "bring the maps in %s up to date: %s", dp->path, strerror(-r)) : 0;
}

int sr_dp_ebpf_open(const struct sr_dp_config *config, struct sr_dp **ret, char *buf, size_t len)
{
	const struct sr_err err = {buf, buf ? len : 0};
	struct sr_ebpf *dp;
	int r;

	r = check(config, &err);
	if (r)
		return r;
	dp = alloc(config->bpffs, &ebpf_ops);
	if (!dp)
		return sr_dp_fail(&err, -ENOMEM, "no memory");
	memcpy(dp->locators, config->locators, sizeof(dp->locators));
	dp->n_locators = config->n_locators;
	dp->end_function = config->end_function;
	dp->behavior = config->vrf_behavior ? config->vrf_behavior : SR_SID_END_DT46;
	dp->max_vrfs = config->max_vrfs;
	dp->max_nexthops = config->max_nexthops;
	r = sr_pins_lock(dp, &err);
	if (!r)
		r = open_locked(dp, config, &err);
	if (r) {
		sr_ebpf_close(&dp->dp);
		return r;
	}
	*ret = &dp->dp;
	return 0;
}

/* An index's highest value, from the size of its map. */
static int limit_of(const struct sr_ebpf *dp, enum sr_map map, uint32_t *ret)
{
	struct bpf_map_info info = {0};
	uint32_t len = sizeof(info);
	int r = bpf_obj_get_info_by_fd(dp->maps[map], &info, &len);

	if (!r)
		*ret = info.max_entries - 1;
	return r;
}

static int open_readonly(struct sr_ebpf *dp)
{
	int r = 0;

	for (int i = 0; !r && i < SR_MAP_MAX; i++)
		r = sr_pins_get(dp, i, BPF_F_RDONLY, &dp->maps[i]);
	if (!r)
		r = limit_of(dp, SR_MAP_VRFS, &dp->max_vrfs);
	if (!r)
		r = limit_of(dp, SR_MAP_NEXTHOPS, &dp->max_nexthops);
	return r ? r : sr_ebpf_vrfs_read(dp);
}

int sr_dp_ebpf_open_readonly(const char *bpffs, struct sr_dp **ret, char *buf, size_t len)
{
	const struct sr_err err = {buf, buf ? len : 0};
	struct sr_ebpf *dp = alloc(bpffs, &readonly_ops);
	int r;

	if (!dp)
		return sr_dp_fail(&err, -ENOMEM, "no memory");
	r = open_readonly(dp);
	if (!r) {
		*ret = &dp->dp;
		return 0;
	}
	sr_ebpf_close(&dp->dp);
	if (r == -EACCES)
		r = -EPERM;
	if (r == -ENOENT)
		return sr_dp_fail(&err, r,
				  "no maps of this version (%d) are pinned in %s; is the agent's `bpffs` there?",
				  SR_ABI_VERSION, bpffs);
	return sr_dp_fail(&err, r, "open the maps pinned in %s: %s%s", bpffs, strerror(-r),
			  r == -EPERM ? "; it takes root" : "");
}
