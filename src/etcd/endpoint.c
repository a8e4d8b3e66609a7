// SPDX-License-Identifier: GPL-2.0-only
#include "etcd/endpoint.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_PORT 2379

static int parse_port(const char *text, uint16_t *ret)
{
	unsigned long port = 0;

	if (!*text)
		return -EINVAL;
	for (; *text; text++) {
		if (!isdigit((unsigned char)*text))
			return -EINVAL;
		port = port * 10 + (unsigned long)(*text - '0');
		if (port > UINT16_MAX)
			return -EINVAL;
	}
	if (!port)
		return -EINVAL;
	*ret = (uint16_t)port;
	return 0;
}

static bool is_name(const char *host)
{
	for (; *host; host++)
		if (!isalnum((unsigned char)*host) && *host != '-' && *host != '.' && *host != '_')
			return false;
	return true;
}

/* Splits host[:port] or [host][:port]; points *rest behind the host. */
static int split_host(const char *text, struct sr_endpoint *ep, const char **rest)
{
	struct in6_addr addr;
	bool bracket = *text == '[';
	const char *start = text + bracket;
	size_t len = bracket ? strcspn(start, "]") : strcspn(start, ":");

	if (!len || len >= sizeof(ep->host) || (bracket && start[len] != ']'))
		return -EINVAL;
	memcpy(ep->host, start, len);
	ep->host[len] = '\0';
	ep->literal = inet_pton(bracket ? AF_INET6 : AF_INET, ep->host, &addr) == 1;
	if (bracket ? !ep->literal : !is_name(ep->host))
		return -EINVAL;
	*rest = start + len + bracket;
	return 0;
}

int sr_endpoint_parse(const char *url, struct sr_endpoint *ret)
{
	struct sr_endpoint ep = {.port = DEFAULT_PORT};
	const char *rest;
	bool v6;

	if (!strncmp(url, "http://", 7)) {
		url += 7;
	} else if (!strncmp(url, "https://", 8)) {
		ep.tls = true;
		url += 8;
	} else {
		return -EINVAL;
	}
	if (split_host(url, &ep, &rest))
		return -EINVAL;
	if (*rest == ':' && parse_port(rest + 1, &ep.port))
		return -EINVAL;
	if (*rest && *rest != ':')
		return -EINVAL;
	v6 = strchr(ep.host, ':');
	snprintf(ep.authority, sizeof(ep.authority), v6 ? "[%s]:%u" : "%s:%u", ep.host, ep.port);
	*ret = ep;
	return 0;
}
