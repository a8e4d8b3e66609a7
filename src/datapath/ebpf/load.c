/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Loading the object: sizes and constants from the configuration, then the programs over the maps that are pinned, if
 * every one of them is there and as this object would make it, else over new ones.
 *
 * The programs are always loaded anew: constants are part of them, and the verifier is done in milliseconds.
 */
#include "datapath/ebpf/ebpf.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "srfabric.skel.h" /* for the object and the layout of its constants; libbpf does the rest by name */

#define LOG_SIZE (1 << 20)
#define NO_PRIVILEGES "not permitted; run as root, or with CAP_BPF and CAP_NET_ADMIN"

static const char *const prog_names[SR_PROG_MAX] = {
	[SR_PROG_TAP] = "sr_from_tap",
	[SR_PROG_UPLINK] = "sr_from_uplink",
};

/* 0: as bpf/maps.h has it. */
static uint32_t map_size(const struct sr_dp_config *config, enum sr_map map)
{
	switch (map) {
	case SR_MAP_PORTS:
		return config->max_nexthops < SR_PORTS_MAX ? config->max_nexthops : SR_PORTS_MAX;
	case SR_MAP_VRFS:
	case SR_MAP_VRF_STATS:
		return config->max_vrfs + 1;
	case SR_MAP_SIDS: /* one VRF at a time has SIDs of an old and a new function; and End */
		return (config->max_vrfs + 1) * SR_BPF_LOCATORS_MAX + 1;
	case SR_MAP_SID_STATS:
		return (config->max_vrfs + 1) * SR_BPF_LOCATORS_MAX;
	case SR_MAP_HOST4:
	case SR_MAP_HOST6:
	case SR_MAP_LPM4:
	case SR_MAP_LPM6:
		return config->max_routes;
	case SR_MAP_NEXTHOPS:
		return config->max_nexthops + 1;
	default:
		return 0;
	}
}

static void set_constants(struct sr_bpf_config *c, const struct sr_dp_config *config)
{
	static const uint8_t gateway_mac[6] = SR_GATEWAY_MAC;

	c->source = config->source;
	c->n_locators = (uint32_t)config->n_locators;
	for (size_t i = 0; i < config->n_locators; i++)
		c->locators[i] = sr_locator_prefix(&config->locators[i]).addr;
	c->n_domains = (uint32_t)config->n_domains;
	for (size_t i = 0; i < config->n_domains; i++)
		c->domains[i] = (struct sr_bpf_prefix){config->domains[i].addr, config->domains[i].len};
	memcpy(c->gateway_mac, gateway_mac, sizeof(c->gateway_mac));
	c->encap_mode = (uint8_t)config->encap_mode;
	c->dscp_mode = (uint8_t)config->dscp_mode;
	c->dscp = config->dscp;
	c->hop_limit = config->hop_limit;
	c->icmp_rate = config->icmp_rate;
}

static bool fits(int fd, const struct bpf_map *map)
{
	struct bpf_map_info info = {0};
	uint32_t len = sizeof(info);

	return !bpf_obj_get_info_by_fd(fd, &info, &len) && info.type == bpf_map__type(map) &&
	       info.key_size == bpf_map__key_size(map) && info.value_size == bpf_map__value_size(map) &&
	       info.max_entries == bpf_map__max_entries(map) && info.map_flags == bpf_map__map_flags(map);
}

static int prepare_maps(struct bpf_object *obj, const struct sr_dp_config *config, struct bpf_map *maps[SR_MAP_MAX])
{
	for (int i = 0; i < SR_MAP_MAX; i++) {
		uint32_t size = map_size(config, i);
		int r;

		maps[i] = bpf_object__find_map_by_name(obj, sr_map_name(i));
		if (!maps[i])
			return -ENOENT;
		r = size ? bpf_map__set_max_entries(maps[i], size) : 0;
		if (r)
			return r;
	}
	return 0;
}

static void close_maps(struct sr_ebpf *dp)
{
	for (int i = 0; i < SR_MAP_MAX; i++) {
		if (dp->maps[i] >= 0)
			close(dp->maps[i]);
		dp->maps[i] = -1;
	}
}

/* All or none: what one map says points into the others. */
static int reuse_pinned(struct sr_ebpf *dp, struct bpf_map *maps[static SR_MAP_MAX])
{
	int r;

	dp->fresh = false;
	for (int i = 0; i < SR_MAP_MAX && !dp->fresh; i++) {
		r = sr_pins_get(dp, i, 0, &dp->maps[i]);
		if (r && r != -ENOENT)
			return r;
		dp->fresh = r || !fits(dp->maps[i], maps[i]);
	}
	if (dp->fresh)
		close_maps(dp);
	for (int i = 0; i < SR_MAP_MAX && !dp->fresh; i++) {
		r = bpf_map__reuse_fd(maps[i], dp->maps[i]);
		if (r)
			return r;
	}
	return 0;
}

static int take(int fd, int *ret)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);

	if (copy < 0)
		return -errno;
	*ret = copy;
	return 0;
}

static int take_maps(struct sr_ebpf *dp, struct bpf_map *maps[static SR_MAP_MAX])
{
	int r = 0;

	for (int i = 0; !r && i < SR_MAP_MAX; i++)
		if (dp->maps[i] < 0)
			r = take(bpf_map__fd(maps[i]), &dp->maps[i]);
	return r;
}

static int take_progs(struct sr_ebpf *dp, const struct bpf_object *obj)
{
	int r = 0;

	for (int i = 0; !r && i < SR_PROG_MAX; i++) {
		const struct bpf_program *prog = bpf_object__find_program_by_name(obj, prog_names[i]);
		struct bpf_prog_info info = {0};
		uint32_t len = sizeof(info);

		r = prog ? take(bpf_program__fd(prog), &dp->progs[i]) : -ENOENT;
		if (!r)
			r = bpf_obj_get_info_by_fd(dp->progs[i], &info, &len);
		dp->prog_ids[i] = info.id;
	}
	return r;
}

/* The last words of the verifier, which say why; on one line. */
static const char *log_tail(char *log, size_t room)
{
	size_t len = strlen(log);

	while (len && log[len - 1] == '\n')
		log[--len] = '\0';
	for (char *c = log; *c; c++)
		if (*c == '\n')
			*c = ' ';
	return len > room ? log + len - room : log;
}

static int load_failed(const struct sr_err *err, int r, char *log)
{
	switch (r) {
	case -EPERM:
		return sr_dp_fail(err, r, "load eBPF: " NO_PRIVILEGES);
	case -ENOMEM:
	case -ENFILE:
	case -EMFILE:
		return sr_dp_fail(err, r, "load eBPF: %s", strerror(-r));
	default:
		return sr_dp_fail(err, -EOPNOTSUPP, "load eBPF: %s; the kernel must be 6.1 or later; it said: %s",
				  strerror(-r), log_tail(log, err->len / 2));
	}
}

static int load(struct sr_ebpf *dp, struct bpf_object *obj, const struct sr_dp_config *config, const struct sr_err *err,
		char *log)
{
	struct bpf_map *constants = bpf_object__find_map_by_name(obj, ".rodata");
	struct bpf_map *maps[SR_MAP_MAX];
	const struct srfabric_bpf__rodata *rodata;
	size_t size;
	int r;

	rodata = constants ? bpf_map__initial_value(constants, &size) : NULL;
	r = rodata && size >= sizeof(*rodata) ? prepare_maps(obj, config, maps) : -ENOENT;
	if (r)
		return sr_dp_fail(err, r, "the eBPF object is not the one that this program was built for");
	/* libbpf's own memory, const only to those who do not set values before the load. */
	set_constants((struct sr_bpf_config *)&rodata->sr_config, config);
	r = reuse_pinned(dp, maps);
	if (r == -EPERM)
		return sr_dp_fail(err, r, "open the maps pinned in %s: " NO_PRIVILEGES, dp->path);
	if (r)
		return sr_dp_fail(err, r, "open the maps pinned in %s: %s", dp->path, strerror(-r));
	r = bpf_object__load(obj);
	if (r)
		return load_failed(err, r, log);
	r = take_maps(dp, maps);
	if (!r)
		r = take_progs(dp, obj);
	return r ? sr_dp_fail(err, r, "take over eBPF objects: %s", strerror(-r)) : 0;
}

int sr_load(struct sr_ebpf *dp, const struct sr_dp_config *config, const struct sr_err *err)
{
	char *log = calloc(1, LOG_SIZE);
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "srfabric", .kernel_log_buf = log,
		    .kernel_log_size = LOG_SIZE);
	struct bpf_object *obj;
	const void *elf;
	size_t size;
	int r;

	if (!log)
		return sr_dp_fail(err, -ENOMEM, "load eBPF: no memory");
	elf = srfabric_bpf__elf_bytes(&size);
	obj = bpf_object__open_mem(elf, size, &opts);
	r = obj ? load(dp, obj, config, err, log)
		: sr_dp_fail(err, -errno, "read the eBPF object: %s", strerror(errno));
	bpf_object__close(obj);
	free(log);
	return r;
}
