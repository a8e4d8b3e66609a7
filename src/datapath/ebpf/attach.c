/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Programs on interfaces: direct-action filters at the clsact ingress, each kind of program under a handle of its own.
 * The handles are how ours are known again, by a later process or version too; nothing else is remembered. Priority 1:
 * no other filter sees a tenant's packet first. A replaced filter is swapped in the kernel in one step.
 *
 * One network namespace holds the interfaces of one datapath. The clsact qdisc stays when our filter goes: it may be
 * somebody else's, and without filters it costs nothing.
 */
#include "datapath/ebpf/ebpf.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <net/if.h>

#define HANDLE 0x73723600 /* "sr6" */
#define PRIORITY 1

static struct bpf_tc_hook hook_of(uint32_t ifindex)
{
	return (struct bpf_tc_hook){
		.sz = sizeof(struct bpf_tc_hook), .ifindex = (int)ifindex, .attach_point = BPF_TC_INGRESS};
}

static struct bpf_tc_opts filter_of(enum sr_prog prog)
{
	return (struct bpf_tc_opts){
		.sz = sizeof(struct bpf_tc_opts), .handle = HANDLE + (uint32_t)prog, .priority = PRIORITY};
}

/* The id of our program there; 0: none. */
static uint32_t attached_id(uint32_t ifindex, enum sr_prog prog)
{
	struct bpf_tc_hook hook = hook_of(ifindex);
	struct bpf_tc_opts opts = filter_of(prog);

	return bpf_tc_query(&hook, &opts) ? 0 : opts.prog_id;
}

bool sr_attached(uint32_t ifindex, enum sr_prog prog)
{
	return attached_id(ifindex, prog);
}

int sr_attach(const struct sr_ebpf *dp, uint32_t ifindex, enum sr_prog prog)
{
	struct bpf_tc_hook hook = hook_of(ifindex);
	struct bpf_tc_opts opts = filter_of(prog);
	int r;

	if (attached_id(ifindex, prog) == dp->prog_ids[prog])
		return 0;
	r = bpf_tc_hook_create(&hook);
	if (r && r != -EEXIST)
		return r;
	opts.prog_fd = dp->progs[prog];
	opts.flags = BPF_TC_F_REPLACE;
	return bpf_tc_attach(&hook, &opts);
}

int sr_detach(uint32_t ifindex, enum sr_prog prog)
{
	struct bpf_tc_hook hook = hook_of(ifindex);
	struct bpf_tc_opts opts = filter_of(prog);
	int r;

	if (!attached_id(ifindex, prog))
		return 0;
	r = bpf_tc_detach(&hook, &opts);
	return r && attached_id(ifindex, prog) ? r : 0; /* with its interface gone, it is gone as well */
}

int sr_interfaces(int (*cb)(void *ctx, uint32_t ifindex), void *ctx)
{
	struct if_nameindex *list = if_nameindex();
	int r = 0;

	if (!list)
		return -errno;
	for (const struct if_nameindex *i = list; !r && i->if_index; i++)
		r = cb(ctx, i->if_index);
	if_freenameindex(list);
	return r;
}

int sr_ebpf_uplink_set(struct sr_dp *base, uint32_t ifindex)
{
	char name[IF_NAMESIZE];

	if (!if_indextoname(ifindex, name))
		return -ENODEV;
	if (sr_attached(ifindex, SR_PROG_TAP))
		return -EBUSY;
	return sr_attach(sr_ebpf(base), ifindex, SR_PROG_UPLINK);
}

int sr_ebpf_uplink_del(struct sr_dp *base, uint32_t ifindex)
{
	(void)base;
	return sr_detach(ifindex, SR_PROG_UPLINK);
}
