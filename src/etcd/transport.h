/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One connection's bytes: the name looked up, TCP, TLS if the endpoint wants it. It ends once, through `closed`, and is
 * not reused. Callbacks come from the loop only, never from these functions; a transport may be freed from any of them.
 */
#ifndef SR_ETCD_TRANSPORT_H
#define SR_ETCD_TRANSPORT_H

#include <openssl/ssl.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct sr_endpoint;
struct sr_transport;

struct sr_transport_ops {
	void (*connected)(void *ctx); /* and TLS is up */
	void (*data)(void *ctx, const uint8_t *data, size_t len);
	/* Nothing comes after this; free it. */
	void (*closed)(void *ctx, int err, const char *text);
};

/* endpoint is borrowed and must outlive it; tls is used where the endpoint wants TLS. -ENOMEM, or of libuv. */
int sr_transport_new(uv_loop_t *loop, const struct sr_endpoint *endpoint, SSL_CTX *tls,
		     const struct sr_transport_ops *ops, void *ctx, struct sr_transport **ret);
/* No callback after this; what it holds is released by the loop's next turns. Takes NULL. */
void sr_transport_free(struct sr_transport *transport);
/* Copies the bytes and sends them. A failure to send them is told by `closed`. -ENOMEM, -ENOTCONN. */
int sr_transport_write(struct sr_transport *transport, const uint8_t *data, size_t len);

#endif
