/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The other side of the tests of sessions: certificates made on the spot, TLS and DTLS clients of GnuTLS that never
 * wait, so that client and server run in one thread. Included by one test.
 */
#ifndef TESTS_UNIT_CORE_TEST_SESSIONS_CLIENT_H
#define TESTS_UNIT_CORE_TEST_SESSIONS_CLIENT_H

#include <arpa/inet.h>
#include <errno.h>
#include <gnutls/dtls.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"

struct pair {
    gnutls_x509_crt_t certificate;
    gnutls_x509_privkey_t key;
};

#define day 86400

/* A certificate for `name`, signed by `by` (NULL: by itself), valid for days from..to relative to now. */
static struct pair make_pair(const char *name, const char *dns, const struct pair *by, int from_days, int to_days)
{
    static unsigned char serial;
    struct pair pair;
    bool authority = by == NULL;

    serial++;
    gnutls_x509_privkey_init(&pair.key);
    gnutls_x509_privkey_generate(pair.key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
    gnutls_x509_crt_init(&pair.certificate);
    gnutls_x509_crt_set_version(pair.certificate, 3);
    gnutls_x509_crt_set_serial(pair.certificate, &serial, 1);
    gnutls_x509_crt_set_dn_by_oid(pair.certificate, GNUTLS_OID_X520_COMMON_NAME, 0, name, (unsigned)strlen(name));
    if (dns != NULL)
        gnutls_x509_crt_set_subject_alt_name(pair.certificate, GNUTLS_SAN_DNSNAME, dns, (unsigned)strlen(dns), 0);
    gnutls_x509_crt_set_key(pair.certificate, pair.key);
    gnutls_x509_crt_set_activation_time(pair.certificate, time(NULL) + from_days * day);
    gnutls_x509_crt_set_expiration_time(pair.certificate, time(NULL) + to_days * day);
    gnutls_x509_crt_set_basic_constraints(pair.certificate, authority, -1);
    gnutls_x509_crt_set_key_usage(pair.certificate,
                                  authority ? GNUTLS_KEY_KEY_CERT_SIGN : GNUTLS_KEY_DIGITAL_SIGNATURE);
    gnutls_x509_crt_sign2(pair.certificate, authority ? pair.certificate : by->certificate,
                          authority ? pair.key : by->key, GNUTLS_DIG_SHA256, 0);
    return pair;
}

static void free_pair(struct pair *pair)
{
    gnutls_x509_crt_deinit(pair->certificate);
    gnutls_x509_privkey_deinit(pair->key);
}

static void write_pem(const char *directory, const char *name, const gnutls_datum_t *text)
{
    char path[512];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    file = fopen(path, "w");
    fwrite(text->data, 1, text->size, file);
    fclose(file);
}

static void write_certificate(const char *directory, const char *name, const struct pair *pair)
{
    gnutls_datum_t text;

    gnutls_x509_crt_export2(pair->certificate, GNUTLS_X509_FMT_PEM, &text);
    write_pem(directory, name, &text);
    gnutls_free(text.data);
}

static void write_key(const char *directory, const char *name, const struct pair *pair)
{
    gnutls_datum_t text;

    gnutls_x509_privkey_export2(pair->key, GNUTLS_X509_FMT_PEM, &text);
    write_pem(directory, name, &text);
    gnutls_free(text.data);
}

/* A socket on the loopback, connected to `port`; with `from` bound to that port first. */
static int connect_to(int type, uint16_t port, uint16_t from)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct sockaddr_in own = {
        .sin_family = AF_INET, .sin_port = htons(from), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (from != 0 && bind(fd, (const struct sockaddr *)&own, sizeof(own)) < 0)
        abort();
    if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0 && errno != EINPROGRESS)
        abort();
    return fd;
}

static uint16_t own_port(int fd)
{
    struct sockaddr_in6 own;
    socklen_t length = sizeof(own);

    getsockname(fd, (struct sockaddr *)&own, &length);
    return ntohs(own.sin6_port); /* at the same place in both families */
}

struct client {
    int fd;
    gnutls_session_t session;
    gnutls_certificate_credentials_t credentials;
    unsigned sent, lose; /* datagrams: lose one of each `lose` on the way out */
    bool hold;           /* put what goes out into one datagram, for client_flush() */
    size_t held;
    uint8_t holding[8192];
};

static ssize_t client_push(gnutls_transport_ptr_t pointer, const void *bytes, size_t size)
{
    struct client *client = pointer;

    if (client->hold && client->held + size <= sizeof(client->holding)) {
        memcpy(client->holding + client->held, bytes, size);
        client->held += size;
        return (ssize_t)size;
    }
    client->sent++;
    if (client->lose > 0 && client->sent % client->lose == 0)
        return (ssize_t)size;
    return send(client->fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void client_flush(struct client *client)
{
    if (client->held > 0)
        send(client->fd, client->holding, client->held, MSG_DONTWAIT | MSG_NOSIGNAL);
    client->held = 0;
}

static ssize_t client_pull(gnutls_transport_ptr_t pointer, void *out, size_t size)
{
    const struct client *client = pointer;

    return recv(client->fd, out, size, MSG_DONTWAIT);
}

static int client_pull_timeout(gnutls_transport_ptr_t pointer, unsigned ms)
{
    const struct client *client = pointer;
    char byte;

    (void)ms;
    return recv(client->fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) >= 0;
}

/* A TLS (SOCK_STREAM) or DTLS client with this certificate, or without. */
static struct client *client_new(int type, uint16_t port, uint16_t from, const struct pair *pair)
{
    struct client *client = calloc(1, sizeof(*client));
    bool datagrams = type == SOCK_DGRAM;

    client->fd = connect_to(type, port, from);
    gnutls_certificate_allocate_credentials(&client->credentials);
    if (pair != NULL) {
        gnutls_x509_crt_t list[] = {pair->certificate};

        gnutls_certificate_set_x509_key(client->credentials, list, 1, pair->key);
    }
    gnutls_init(&client->session, GNUTLS_CLIENT | GNUTLS_NONBLOCK | (datagrams ? GNUTLS_DATAGRAM : 0u));
    gnutls_set_default_priority(client->session);
    gnutls_credentials_set(client->session, GNUTLS_CRD_CERTIFICATE, client->credentials);
    gnutls_transport_set_ptr(client->session, client);
    gnutls_transport_set_push_function(client->session, client_push);
    gnutls_transport_set_pull_function(client->session, client_pull);
    gnutls_transport_set_pull_timeout_function(client->session, client_pull_timeout);
    if (datagrams) {
        gnutls_dtls_set_timeouts(client->session, 100, 60000);
        gnutls_dtls_set_mtu(client->session, 1600);
    }
    return client;
}

static void client_free(struct client *client, bool goodbye)
{
    if (goodbye)
        gnutls_bye(client->session, GNUTLS_SHUT_WR);
    gnutls_deinit(client->session);
    gnutls_certificate_free_credentials(client->credentials);
    close(client->fd);
    free(client);
}

#endif
