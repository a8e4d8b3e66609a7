/* SPDX-License-Identifier: GPL-2.0-only */
/* What the kernel has, as text to compare: what of it differs from run to run is left out. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lx.h"

#define TEXT_MAX 65536

/* One process for each tool: in an emulated machine they are what takes the time. */
#define IP                                                                                                             \
	"printf 'addr\\nrule\\nsr tunsrc show\\nroute show table all\\nneigh show nud permanent\\n' | ip -o -batch -;" \
	"printf 'rule\\n' | ip -6 -o -batch -"
#define TC                                                                                                             \
	"for dev in tap1 tap2 up1; do echo qdisc show dev $dev; echo filter show dev $dev ingress;"                    \
	"echo filter show dev $dev egress; done | tc -batch -"

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Interfaces' numbers, and addresses that follow from a MAC. */
static char *sorted(const char *text)
{
	char *copy = strdup(text), *lines[1024], *rest, *out, *end;
	size_t n = 0;

	assert_non_null(copy);
	for (char *line = strtok_r(copy, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		if (strstr(line, "fe80") || strstr(line, "ff00::"))
			continue;
		if (strstr(line, "inet"))
			line += strspn(line, "0123456789: ");
		assert_true(n < 1024);
		lines[n++] = line;
	}
	qsort(lines, n, sizeof(lines[0]), by_text);
	end = out = malloc(strlen(text) + 2);
	assert_non_null(out);
	*out = '\0';
	for (size_t i = 0; i < n; i++)
		end += sprintf(end, "%s\n", lines[i]);
	free(copy);
	return out;
}

/* The numbers of actions, which are the kernel's. */
static void drop_indexes(char *text)
{
	static const char index[] = "index ";
	char *at = text;

	while ((at = strstr(at, index))) {
		at += strlen(index);
		memmove(at, at + strspn(at, "0123456789"), strlen(at + strspn(at, "0123456789")) + 1);
	}
}

char *lx_facts(void)
{
	char *ip = sorted(lx_run(IP)), *tc = strdup(lx_run(TC)), *both;

	assert_non_null(tc);
	drop_indexes(tc);
	assert_true(asprintf(&both, "%s%s", ip, tc) > 0);
	free(ip);
	free(tc);
	return both;
}

static char *add_sysctl(char *end, const char *path)
{
	const char *value = lx_sysctl(path);

	return *value ? end + sprintf(end, "%s %s\n", path, value) : end;
}

static char *add_family(char *end, const char *family)
{
	static const char *const words[] = {"rp_filter",	"proxy_arp",	       "send_redirects",
					    "accept_redirects", "accept_source_route", "disable_ipv6",
					    "accept_ra",	"seg6_enabled",	       "forwarding"};
	struct dirent **names;
	char path[512];
	int n;

	snprintf(path, sizeof(path), "/proc/sys/net/%s/conf", family);
	n = scandir(path, &names, NULL, alphasort);
	assert_true(n > 0);
	for (int i = 0; i < n; i++) {
		for (size_t w = 0; names[i]->d_name[0] != '.' && w < sizeof(words) / sizeof(words[0]); w++) {
			snprintf(path, sizeof(path), "net/%s/conf/%s/%s", family, names[i]->d_name, words[w]);
			end = add_sysctl(end, path);
		}
		snprintf(path, sizeof(path), "net/%s/neigh/%s/proxy_delay", family, names[i]->d_name);
		end = add_sysctl(end, path);
		free(names[i]);
	}
	free(names);
	return end;
}

char *lx_sysctls(void)
{
	char *text = malloc(TEXT_MAX), *end = text;

	assert_non_null(text);
	end = add_family(end, "ipv4");
	end = add_family(end, "ipv6");
	end = add_sysctl(end, "net/ipv6/seg6_flowlabel");
	end = add_sysctl(end, "net/vrf/strict_mode");
	assert_true(end < text + TEXT_MAX);
	return text;
}

void lx_same(char *is, const char *was)
{
	const char *a = is, *b = was, *line_a = is, *line_b = was;

	for (; *a && *a == *b; a++, b++) {
		if (*a == '\n') {
			line_a = a + 1;
			line_b = b + 1;
		}
	}
	if (*a != *b)
		fail_msg("is  %.*s\nwas %.*s", (int)strcspn(line_a, "\n"), line_a, (int)strcspn(line_b, "\n"), line_b);
	free(is);
}
