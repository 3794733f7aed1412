/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two hellos of TLS (RFC 8446 sections 4.1.2 and 4.1.3, RFC 5246 section 7.4.1): what is in the clear of a
 * handshake, whatever the version. GREASE values (RFC 8701) are passed over. A hello that is cut gives what stands
 * before the cut.
 */
#ifndef DISSECT_TLS_HELLO_H
#define DISSECT_TLS_HELLO_H

#include "base/cursor.h"
#include "flow/flow.h"

#define tls_hello_alpn_max 8

struct tls_client_hello {
    uint16_t version;        /* the highest that it offers */
    struct span server_name; /* RFC 6066 section 3 */
    struct span alpn[tls_hello_alpn_max]; /* RFC 7301 */
    uint8_t alpn_count;
    uint16_t cipher_count;
    bool encrypted_hello;    /* encrypted_client_hello is there: the name is that of the front */
    bool ticket;             /* a session is to be resumed: a session ticket or a pre-shared key */
    bool cut;
};

struct tls_server_hello {
    uint16_t version, cipher;
    struct span alpn;
    bool retry; /* HelloRetryRequest: another client hello follows */
    bool resumed; /* by a pre-shared key, which only TLS 1.3 tells in the clear */
    bool cut;
};

/* `body` is what follows type and length of the handshake message. */
void tls_client_hello_read(struct tls_client_hello *hello, struct cursor body);
void tls_server_hello_read(struct tls_server_hello *hello, struct cursor body);

/* NULL: no name here. */
const char *tls_version_name(uint16_t version);
const char *tls_cipher_name(uint16_t cipher);
const char *tls_alert_name(uint8_t description);

#endif
