// SPDX-License-Identifier: GPL-2.0-only
#include "store/cidrs.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

static json_t *load(const char *json)
{
	json_t *map = json ? json_loads(json, JSON_REJECT_DUPLICATES, NULL) : json_object();

	if (json_is_object(map))
		return map;
	json_decref(map);
	return NULL;
}

static int get(const json_t *value, struct sr_prefix *ret)
{
	const char *text = json_string_value(value);

	return text && sr_prefix_parse(text, ret) == 0 ? 0 : -EBADMSG;
}

int sr_cidrs_find(const char *json, const char *cluster, struct sr_prefix *ret)
{
	json_t *map = load(json);
	const json_t *value = json_object_get(map, cluster);
	int r = map ? -ENOENT : -EBADMSG;

	if (value)
		r = get(value, ret);
	json_decref(map);
	return r;
}

/* One that cannot be read is not known not to overlap. */
static int overlap(json_t *map, const char *cluster, const struct sr_prefix *cidr, char ret_other[static SR_NAME_SIZE],
		   struct sr_prefix *ret_overlapped)
{
	struct sr_prefix theirs;
	const char *name;
	json_t *value;

	json_object_foreach (map, name, value) {
		if (strcmp(name, cluster) == 0)
			continue;
		if (get(value, &theirs) < 0)
			return -EBADMSG;
		if (sr_prefix_overlaps(&theirs, cidr)) {
			snprintf(ret_other, SR_NAME_SIZE, "%s", name);
			*ret_overlapped = theirs;
			return -EADDRINUSE;
		}
	}
	return 0;
}

int sr_cidrs_overlap(const char *json, const char *cluster, const struct sr_prefix *cidr,
		     char ret_other[static SR_NAME_SIZE], struct sr_prefix *ret_overlapped)
{
	json_t *map = load(json);
	int r = map ? overlap(map, cluster, cidr, ret_other, ret_overlapped) : -EBADMSG;

	json_decref(map);
	return r;
}

int sr_cidrs_set(const char *json, const char *cluster, const struct sr_prefix *cidr, char **ret)
{
	json_t *map = load(json);
	char text[SR_PREFIX_STRLEN], *dump = NULL;

	if (!map)
		return -EBADMSG;
	if (!cidr)
		(void)json_object_del(map, cluster);
	if (!cidr || json_object_set_new(map, cluster, json_string(sr_prefix_format(cidr, text))) == 0)
		dump = json_dumps(map, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(map);
	if (!dump)
		return -ENOMEM;
	*ret = dump;
	return 0;
}
