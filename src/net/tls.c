/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/tls.h"

#include <errno.h>
#include <gnutls/dtls.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/address.h"
#include "net/tls_certificate.h"

/* RFC 9325 sections 3.1.1 and 3.1.2: nothing below 1.2. */
#define priorities "NORMAL:-VERS-TLS1.0:-VERS-TLS1.1:-VERS-DTLS1.0"
#define path_bytes 1024
#define resend_ms 1000       /* RFC 6347 section 4.2.4.1 */
#define handshake_ms 60000   /* the caller's limit is shorter */
#define greeting_hello 1     /* ClientHello, RFC 5246 section 7.4 */
#define record_handshake 22  /* RFC 5246 section 6.2.1 */
#define record_header 13     /* of DTLS, RFC 6347 section 4.1 */

struct tls_identity {
    struct tls_options options;
    char authority[path_bytes];
    gnutls_certificate_credentials_t credentials;
    gnutls_priority_t priority;
    gnutls_datum_t cookie_key;
};

/* Where a session's bytes go to and come from; a datagram's peer is in `peer`. */
struct transport {
    int fd;
    socklen_t peer_bytes;
    struct sockaddr_storage peer;
    const uint8_t *input;
    size_t input_bytes;
};

struct tls {
    struct tls_identity *identity;
    gnutls_session_t session;
    struct transport transport;
    bool datagrams, established;
    struct error refusal; /* what the check of the certificate found */
    char name[tls_certificate_name_max];
};

static int find_file(const struct tls_options *options, const char *name, char out[path_bytes])
{
    if (snprintf(out, path_bytes, "%s/%s", options->path, name) >= path_bytes)
        return -1;
    return access(out, R_OK);
}

static int load_authority(struct tls_identity *identity, struct error *error)
{
    const struct tls_options *options = &identity->options;
    char path[path_bytes];
    int got;

    if (!options->verify_peer)
        return 0;
    if (find_file(options, "ca.pem", identity->authority) < 0 &&
        find_file(options, "ca-certificates.crt", identity->authority) < 0)
        return error_set(error, "'%s' has neither ca.pem nor ca-certificates.crt that can be read; one of them is "
                                "needed to check the certificates of peers", options->path);
    got = gnutls_certificate_set_x509_trust_file(identity->credentials, identity->authority, GNUTLS_X509_FMT_PEM);
    if (got <= 0)
        return error_set(error, "cannot take the certificates of authorities from '%s': %s", identity->authority,
                         got < 0 ? gnutls_strerror(got) : "there is none");
    if (find_file(options, "crl.pem", path) == 0) {
        got = gnutls_certificate_set_x509_crl_file(identity->credentials, path, GNUTLS_X509_FMT_PEM);
        if (got < 0)
            return error_set(error, "cannot take the list of revoked certificates from '%s': %s", path,
                             gnutls_strerror(got));
    }
    return 0;
}

static int load_key(struct tls_identity *identity, struct error *error)
{
    char key[path_bytes], certificate[path_bytes];
    int got;

    if (find_file(&identity->options, "key.pem", key) < 0)
        return error_errno(error, errno, "cannot read '%s', the private key for TLS", key);
    if (find_file(&identity->options, "cert.pem", certificate) < 0)
        return error_errno(error, errno, "cannot read '%s', the certificate for TLS", certificate);
    got = gnutls_certificate_set_x509_key_file(identity->credentials, certificate, key, GNUTLS_X509_FMT_PEM);
    if (got == GNUTLS_E_CERTIFICATE_KEY_MISMATCH)
        return error_set(error, "'%s' is not the key of the certificate '%s'", key, certificate);
    if (got < 0)
        return error_set(error, "cannot use the key '%s' with the certificate '%s': %s", key, certificate,
                         gnutls_strerror(got));
    return 0;
}

static int on_certificate(gnutls_session_t session)
{
    struct tls *tls = gnutls_session_get_ptr(session);
    const struct tls_options *options = &tls->identity->options;

    return tls_certificate_check(session, tls->identity->authority, options->peer_names, tls->name, &tls->refusal);
}

struct tls_identity *tls_identity_load(const struct tls_options *options, struct error *error)
{
    struct tls_identity *identity = calloc(1, sizeof(*identity));

    if (identity == NULL) {
        error_set(error, "out of memory");
        return NULL;
    }
    identity->options = *options;
    if (gnutls_certificate_allocate_credentials(&identity->credentials) < 0 ||
        gnutls_priority_init(&identity->priority, priorities, NULL) < 0 ||
        gnutls_key_generate(&identity->cookie_key, GNUTLS_COOKIE_KEY_SIZE) < 0) {
        error_set(error, "cannot prepare TLS: out of memory");
        goto failed;
    }
    if (load_key(identity, error) < 0 || load_authority(identity, error) < 0)
        goto failed;
    if (options->verify_peer)
        gnutls_certificate_set_verify_function(identity->credentials, on_certificate);
    return identity;
failed:
    tls_identity_free(identity);
    return NULL;
}

void tls_identity_free(struct tls_identity *identity)
{
    if (identity == NULL)
        return;
    if (identity->credentials != NULL)
        gnutls_certificate_free_credentials(identity->credentials);
    if (identity->priority != NULL)
        gnutls_priority_deinit(identity->priority);
    if (identity->cookie_key.data != NULL)
        gnutls_memset(identity->cookie_key.data, 0, identity->cookie_key.size);
    gnutls_free(identity->cookie_key.data);
    free(identity);
}

bool tls_identity_doubtful(const struct tls_identity *identity, struct error *error)
{
    gnutls_x509_crt_t *list = NULL;
    unsigned count = 0;
    bool doubtful = false;

    if (gnutls_certificate_get_x509_crt(identity->credentials, 0, &list, &count) < 0)
        return false;
    if (count > 0)
        doubtful = tls_certificate_outdated(list[0], error);
    for (unsigned i = 0; i < count; i++)
        gnutls_x509_crt_deinit(list[i]);
    gnutls_free(list);
    return doubtful;
}

static ssize_t push(gnutls_transport_ptr_t pointer, const void *bytes, size_t size)
{
    struct transport *transport = pointer;
    const struct sockaddr *peer = transport->peer_bytes > 0 ? (const struct sockaddr *)&transport->peer : NULL;

    return sendto(transport->fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL, peer, transport->peer_bytes);
}

static ssize_t pull_stream(gnutls_transport_ptr_t pointer, void *out, size_t size)
{
    const struct transport *transport = pointer;

    return recv(transport->fd, out, size, MSG_DONTWAIT);
}

/* The datagram given is read once; then there is nothing until the next one. */
static ssize_t pull_datagram(gnutls_transport_ptr_t pointer, void *out, size_t size)
{
    struct transport *transport = pointer;
    size_t length = min_u64(size, transport->input_bytes);

    if (transport->input == NULL) {
        errno = EAGAIN;
        return -1;
    }
    memcpy(out, transport->input, length);
    transport->input = NULL;
    return (ssize_t)length;
}

/* GnuTLS may ask to wait up to `ms` for input; we never do: 1 when there is some, 0 when not. */
static int pull_timeout(gnutls_transport_ptr_t pointer, unsigned ms)
{
    const struct transport *transport = pointer;
    uint8_t byte;

    (void)ms;
    if (transport->peer_bytes > 0)
        return transport->input != NULL;
    return recv(transport->fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) >= 0;
}

static struct tls *session_new(struct tls_identity *identity, const struct transport *transport, struct error *error)
{
    struct tls *tls = calloc(1, sizeof(*tls));
    bool datagrams = transport->peer_bytes > 0;
    unsigned flags = GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL | GNUTLS_NO_TICKETS;

    if (tls == NULL)
        goto failed;
    tls->identity = identity;
    tls->transport = *transport;
    tls->datagrams = datagrams;
    if (gnutls_init(&tls->session, flags | (datagrams ? GNUTLS_DATAGRAM : 0u)) < 0)
        goto failed;
    gnutls_session_set_ptr(tls->session, tls);
    if (gnutls_priority_set(tls->session, identity->priority) < 0 ||
        gnutls_credentials_set(tls->session, GNUTLS_CRD_CERTIFICATE, identity->credentials) < 0) {
        gnutls_deinit(tls->session);
        goto failed;
    }
    gnutls_certificate_server_set_request(tls->session,
                                          identity->options.verify_peer ? GNUTLS_CERT_REQUIRE : GNUTLS_CERT_IGNORE);
    /* a peer that knows our list of authorities sends no other certificate, and we could not say what is wrong */
    gnutls_certificate_send_x509_rdn_sequence(tls->session, 1);
    gnutls_transport_set_ptr(tls->session, &tls->transport);
    gnutls_transport_set_push_function(tls->session, push);
    gnutls_transport_set_pull_function(tls->session, datagrams ? pull_datagram : pull_stream);
    gnutls_transport_set_pull_timeout_function(tls->session, pull_timeout);
    if (datagrams)
        gnutls_dtls_set_timeouts(tls->session, resend_ms, handshake_ms);
    else
        gnutls_handshake_set_timeout(tls->session, handshake_ms);
    return tls;
failed:
    free(tls);
    error_set(error, "out of memory");
    return NULL;
}

struct tls *tls_stream_new(struct tls_identity *identity, int fd, struct error *error)
{
    struct transport transport = {.fd = fd};

    return session_new(identity, &transport, error);
}

bool tls_is_greeting(const uint8_t *bytes, size_t size)
{
    return size > record_header && bytes[0] == record_handshake && bytes[1] == 0xfe && bytes[3] == 0 &&
           bytes[4] == 0 && bytes[record_header] == greeting_hello;
}

struct tls *tls_datagram_accept(struct tls_identity *identity, int fd, const struct sockaddr *peer, size_t peer_bytes,
                                const uint8_t *bytes, size_t size, struct error *error)
{
    struct transport transport = {.fd = fd, .peer_bytes = (socklen_t)peer_bytes};
    gnutls_dtls_prestate_st before = {0};
    struct address address;
    uint8_t whom[sizeof(address.bytes) + sizeof(uint16_t)]; /* what the cookie vouches for */
    uint16_t port;
    struct tls *tls;

    error->text[0] = '\0';
    if (!tls_is_greeting(bytes, size))
        return NULL;
    address_from_socket(&address, &port, peer);
    memcpy(whom, address.bytes, sizeof(address.bytes));
    memcpy(whom + sizeof(address.bytes), &port, sizeof(port));
    memcpy(&transport.peer, peer, min_u64(peer_bytes, sizeof(transport.peer)));
    /* GnuTLS promises not to write to the datagram, its prototype does not */
    if (gnutls_dtls_cookie_verify(&identity->cookie_key, whom, sizeof(whom), (void *)(uintptr_t)bytes, size,
                                  &before) < 0) {
        gnutls_dtls_cookie_send(&identity->cookie_key, whom, sizeof(whom), &before, &transport, push);
        return NULL;
    }
    tls = session_new(identity, &transport, error);
    if (tls == NULL)
        return NULL;
    gnutls_dtls_prestate_set(tls->session, &before);
    tls_datagram_input(tls, bytes, size);
    return tls;
}

void tls_datagram_input(struct tls *tls, const uint8_t *bytes, size_t size)
{
    tls->transport.input = bytes;
    tls->transport.input_bytes = size;
}

/* What a handshake's failure means to who runs the collector. */
static int explain(struct tls *tls, int code, struct error *error)
{
    if (tls->refusal.text[0] != '\0')
        return error_set(error, "%s", tls->refusal.text);
    switch (code) {
    case GNUTLS_E_NO_CERTIFICATE_FOUND:
    case GNUTLS_E_CERTIFICATE_REQUIRED:
        return error_set(error, "it showed no certificate, which must be signed by '%s'", tls->identity->authority);
    case GNUTLS_E_FATAL_ALERT_RECEIVED:
    case GNUTLS_E_WARNING_ALERT_RECEIVED:
        return error_set(error, "the peer gave up: %s", gnutls_alert_get_name(gnutls_alert_get(tls->session)));
    case GNUTLS_E_PREMATURE_TERMINATION:
    case GNUTLS_E_SESSION_EOF:
        return error_set(error, "the peer hung up during the handshake");
    case GNUTLS_E_NO_CIPHER_SUITES:
        return error_set(error, "it knows no cipher that we allow");
    case GNUTLS_E_UNSUPPORTED_VERSION_PACKET:
        return error_set(error, "it knows no version of TLS that we allow (1.2 and later)");
    default:
        return error_set(error, "%s", gnutls_strerror(code));
    }
}

int tls_handshake(struct tls *tls, struct error *error)
{
    int code;

    do
        code = gnutls_handshake(tls->session);
    while (code == GNUTLS_E_INTERRUPTED || code == GNUTLS_E_WARNING_ALERT_RECEIVED);
    if (code == GNUTLS_E_SUCCESS) {
        tls->established = true;
        return 1;
    }
    if (code == GNUTLS_E_AGAIN || gnutls_error_is_fatal(code) == 0)
        return 0;
    gnutls_alert_send_appropriate(tls->session, code); /* it may not go out; there is no second try */
    return explain(tls, code, error);
}

bool tls_wants_write(const struct tls *tls)
{
    return gnutls_record_get_direction(tls->session) == 1;
}

enum tls_event tls_receive(struct tls *tls, uint8_t *out, size_t size, size_t *got, struct error *error)
{
    ssize_t count;

    *got = 0;
    do
        count = gnutls_record_recv(tls->session, out, size);
    while (count == GNUTLS_E_INTERRUPTED || count == GNUTLS_E_WARNING_ALERT_RECEIVED);
    if (count > 0) {
        *got = (size_t)count;
        return TLS_DATA;
    }
    if (count == 0)
        return TLS_CLOSED;
    if (count == GNUTLS_E_PREMATURE_TERMINATION)
        return TLS_CUT;
    if (count == GNUTLS_E_REHANDSHAKE) { /* RFC 5246 section 7.2.2: a refusal is a warning, and the peer may go on */
        gnutls_alert_send(tls->session, GNUTLS_AL_WARNING, GNUTLS_A_NO_RENEGOTIATION);
        return TLS_NOTHING;
    }
    if (gnutls_error_is_fatal((int)count) == 0)
        return TLS_NOTHING;
    explain(tls, (int)count, error);
    return TLS_FAILED;
}

bool tls_pending(const struct tls *tls)
{
    return gnutls_record_check_pending(tls->session) > 0;
}

const char *tls_peer_name(const struct tls *tls)
{
    return tls->name;
}

void tls_free(struct tls *tls)
{
    if (tls == NULL)
        return;
    if (tls->established)
        gnutls_bye(tls->session, GNUTLS_SHUT_WR);
    gnutls_deinit(tls->session);
    free(tls);
}
