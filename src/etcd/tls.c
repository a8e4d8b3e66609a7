// SPDX-License-Identifier: GPL-2.0-only
#include "etcd/tls.h"

#include "etcd/endpoint.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sr_tls {
	SSL *ssl;
	BIO *in, *out; /* owned by ssl */
};

static int fail(const char *what, const char *file, char *err, size_t err_len)
{
	unsigned long code = ERR_peek_last_error();
	const char *reason = code ? ERR_reason_error_string(code) : NULL;

	snprintf(err, err_len, "%s %s: %s", what, file, reason ? reason : "cannot be read");
	ERR_clear_error();
	return -EINVAL;
}

static int load_files(SSL_CTX *ctx, const char *ca, const char *cert, const char *key, char *err, size_t err_len)
{
	if (ca ? !SSL_CTX_load_verify_locations(ctx, ca, NULL) : !SSL_CTX_set_default_verify_paths(ctx))
		return fail("CA file", ca ? ca : "of the system", err, err_len);
	if (!cert != !key) {
		snprintf(err, err_len, "a client certificate needs both its file and its key's");
		return -EINVAL;
	}
	if (!cert)
		return 0;
	if (SSL_CTX_use_certificate_chain_file(ctx, cert) != 1)
		return fail("certificate file", cert, err, err_len);
	if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1 || SSL_CTX_check_private_key(ctx) != 1)
		return fail("key file", key, err, err_len);
	return 0;
}

int sr_tls_ctx_new(const char *ca, const char *cert, const char *key, SSL_CTX **ret, char *err, size_t err_len)
{
	static const unsigned char alpn[] = {2, 'h', '2'};
	SSL_CTX *ctx;
	int ret_err;

	ERR_clear_error();
	ctx = SSL_CTX_new(TLS_client_method());
	if (!ctx || !SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) ||
	    SSL_CTX_set_alpn_protos(ctx, alpn, sizeof(alpn))) {
		SSL_CTX_free(ctx);
		return -ENOMEM;
	}
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	ret_err = load_files(ctx, ca, cert, key, err, err_len);
	if (ret_err) {
		SSL_CTX_free(ctx);
		return ret_err;
	}
	*ret = ctx;
	return 0;
}

/* The name that the certificate must bear; server name indication is for names only (RFC 6066 section 3). */
static bool set_peer(SSL *ssl, const struct sr_endpoint *ep)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);

	if (ep->literal)
		return X509_VERIFY_PARAM_set1_ip_asc(param, ep->host);
	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return X509_VERIFY_PARAM_set1_host(param, ep->host, 0) && SSL_set_tlsext_host_name(ssl, ep->host);
}

int sr_tls_new(SSL_CTX *ctx, const struct sr_endpoint *endpoint, struct sr_tls **ret)
{
	struct sr_tls *tls = calloc(1, sizeof(*tls));

	if (!tls)
		return -ENOMEM;
	tls->ssl = SSL_new(ctx);
	tls->in = BIO_new(BIO_s_mem());
	tls->out = BIO_new(BIO_s_mem());
	if (!tls->ssl || !tls->in || !tls->out) {
		BIO_free(tls->in);
		BIO_free(tls->out);
		sr_tls_free(tls);
		return -ENOMEM;
	}
	SSL_set_bio(tls->ssl, tls->in, tls->out);
	SSL_set_connect_state(tls->ssl);
	if (!set_peer(tls->ssl, endpoint)) {
		sr_tls_free(tls);
		return -ENOMEM;
	}
	*ret = tls;
	return 0;
}

void sr_tls_free(struct sr_tls *tls)
{
	if (!tls)
		return;
	SSL_free(tls->ssl);
	free(tls);
}

int sr_tls_feed(struct sr_tls *tls, const uint8_t *data, size_t len)
{
	size_t written;

	return BIO_write_ex(tls->in, data, len, &written) && written == len ? 0 : -ENOMEM;
}

static void why_not(struct sr_tls *tls, char *text, size_t text_len)
{
	long verify = SSL_get_verify_result(tls->ssl);
	unsigned long code = ERR_peek_error();
	const char *reason = code ? ERR_reason_error_string(code) : NULL;

	if (verify != X509_V_OK)
		snprintf(text, text_len, "TLS: the peer's certificate: %s", X509_verify_cert_error_string(verify));
	else
		snprintf(text, text_len, "TLS: %s", reason ? reason : "the peer ended the handshake");
	ERR_clear_error();
}

int sr_tls_handshake(struct sr_tls *tls, char *text, size_t text_len)
{
	const unsigned char *alpn;
	unsigned int len;
	int ret;

	ERR_clear_error();
	ret = SSL_do_handshake(tls->ssl);
	if (ret != 1) {
		if (SSL_get_error(tls->ssl, ret) == SSL_ERROR_WANT_READ)
			return 0;
		why_not(tls, text, text_len);
		return -EACCES;
	}
	SSL_get0_alpn_selected(tls->ssl, &alpn, &len);
	if (len != 2 || memcmp(alpn, "h2", 2) != 0) {
		snprintf(text, text_len, "TLS: the peer does not speak HTTP/2");
		return -EACCES;
	}
	return 1;
}

ssize_t sr_tls_read(struct sr_tls *tls, uint8_t *buf, size_t size)
{
	size_t n;
	int ret;

	ERR_clear_error();
	ret = SSL_read_ex(tls->ssl, buf, size, &n);
	if (ret)
		return (ssize_t)n;
	switch (SSL_get_error(tls->ssl, ret)) {
	case SSL_ERROR_WANT_READ:
		return 0;
	case SSL_ERROR_ZERO_RETURN:
		return -ECONNRESET;
	default:
		return -EBADMSG;
	}
}

int sr_tls_write(struct sr_tls *tls, const uint8_t *data, size_t len)
{
	size_t written;

	ERR_clear_error();
	return SSL_write_ex(tls->ssl, data, len, &written) && written == len ? 0 : -ENOMEM;
}

size_t sr_tls_pending(struct sr_tls *tls, const uint8_t **ret)
{
	char *data;
	long len = BIO_get_mem_data(tls->out, &data);

	*ret = (const uint8_t *)data;
	return len > 0 ? (size_t)len : 0;
}

void sr_tls_sent(struct sr_tls *tls)
{
	(void)BIO_reset(tls->out);
}
