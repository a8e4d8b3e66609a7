/* SPDX-License-Identifier: GPL-2.0-only */
/* An endpoint's URL taken apart. Pure. */
#ifndef SR_ETCD_ENDPOINT_H
#define SR_ETCD_ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>

#define SR_ENDPOINT_HOST_SIZE 254

struct sr_endpoint {
	bool tls;
	bool literal;				   /* host is an address, not a name */
	char host[SR_ENDPOINT_HOST_SIZE];	   /* without brackets */
	char authority[SR_ENDPOINT_HOST_SIZE + 8]; /* as HTTP/2 wants it: host:port, IPv6 in brackets */
	uint16_t port;
};

/* "http://host:port", "https://[::1]:2379"; the port may be left out (2379). -EINVAL for anything else. */
int sr_endpoint_parse(const char *url, struct sr_endpoint *ret);

#endif
