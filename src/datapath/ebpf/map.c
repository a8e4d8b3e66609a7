/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Maps in batches. Where the kernel refuses a batch a single operation is tried on the element that it stopped at: that
 * tells exactly which one fails and why, and carries on past what was only not there to delete.
 */
#include "datapath/ebpf/ebpf.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A full hash says E2BIG, a full trie ENOSPC. */
static int full(int r)
{
	return r == -E2BIG ? -ENOSPC : r;
}

int sr_map_set(int fd, const void *key, const void *value)
{
	return full(bpf_map_update_elem(fd, key, value, BPF_ANY));
}

int sr_map_del(int fd, const void *key)
{
	int r = bpf_map_delete_elem(fd, key);

	return r == -ENOENT ? 0 : r;
}

int sr_map_write(int fd, const void *keys, size_t key_size, const uint32_t *values, uint32_t n, uint32_t *ret_done)
{
	const char *key = keys;
	uint32_t done = 0;
	int r = 0;

	while (done < n) {
		uint32_t count = n - done;

		r = values ? bpf_map_update_batch(fd, key + done * key_size, values + done, &count, NULL)
			   : bpf_map_delete_batch(fd, key + done * key_size, &count, NULL);
		if (!r) {
			done = n;
			break;
		}
		/* A count left as it was: the kernel did not come to the elements. */
		if (count < n - done)
			done += count;
		r = values ? sr_map_set(fd, key + done * key_size, values + done)
			   : sr_map_del(fd, key + done * key_size);
		if (r)
			break;
		done++;
	}
	*ret_done = done;
	return r;
}

int sr_map_walk(int fd, size_t key_size, size_t value_size, sr_map_cb cb, void *ctx)
{
	char at[2][SR_KEY_MAX]; /* where the kernel stopped: a bucket's number, a trie's key */
	char *keys = malloc(SR_BATCH * (key_size + value_size));
	char *values;
	void *in = NULL;
	int r = 0, end = 0;

	if (!keys)
		return -ENOMEM;
	values = keys + SR_BATCH * key_size;
	for (int i = 0; !end && !r; i ^= 1) {
		uint32_t count = SR_BATCH;

		end = bpf_map_lookup_batch(fd, in, at[i], keys, values, &count, NULL);
		if (end && end != -ENOENT)
			r = end;
		else if (count)
			r = cb(ctx, keys, values, count);
		in = at[i];
	}
	free(keys);
	return r;
}
