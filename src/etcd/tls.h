/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * TLS between bytes and bytes: OpenSSL on memory BIOs, so that whoever owns the socket moves the data. TLS 1.2 and
 * later, the peer's certificate is always verified against the endpoint's name or address, and ALPN must come to "h2".
 */
#ifndef SR_ETCD_TLS_H
#define SR_ETCD_TLS_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct sr_endpoint;
struct sr_tls;

/* Files as in struct sr_etcd_config. -EINVAL, with err saying which file and why; -ENOMEM. */
int sr_tls_ctx_new(const char *ca_file, const char *cert_file, const char *key_file, SSL_CTX **ret, char *err,
		   size_t err_len);

/* -ENOMEM. */
int sr_tls_new(SSL_CTX *ctx, const struct sr_endpoint *endpoint, struct sr_tls **ret);
/* Takes NULL. */
void sr_tls_free(struct sr_tls *tls);

/* What arrived from the peer. -ENOMEM. */
int sr_tls_feed(struct sr_tls *tls, const uint8_t *data, size_t len);
/* Goes on with the handshake. 1: done; 0: needs more from the peer; -EACCES, and text says why. */
int sr_tls_handshake(struct sr_tls *tls, char *text, size_t text_len);
/* Plain bytes: how many, 0 for none now, -ECONNRESET at the end, -EBADMSG. */
ssize_t sr_tls_read(struct sr_tls *tls, uint8_t *buf, size_t size);
/* After the handshake. -ENOMEM. */
int sr_tls_write(struct sr_tls *tls, const uint8_t *data, size_t len);
/* What is to be sent to the peer, valid until the next call; sr_tls_sent forgets it. */
size_t sr_tls_pending(struct sr_tls *tls, const uint8_t **ret);
void sr_tls_sent(struct sr_tls *tls);

#endif
