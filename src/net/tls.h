/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TLS and DTLS on the side that is called, through GnuTLS: the key and the certificates of this host, handshakes that
 * never wait, and the check of the peer's certificate with a phrase that says what is wrong with it and whose it is.
 *
 * TLS runs over a connected socket. All DTLS peers share one UDP socket: the caller reads the datagrams, finds the
 * peer's session and gives them to it. A new peer must first send back a cookie (RFC 6347 section 4.2.1), so that
 * forged addresses cost neither memory nor arithmetic.
 */
#ifndef NET_TLS_H
#define NET_TLS_H

#include "base/error.h"

struct tls_options {
    const char *path;       /* the folder of key.pem, cert.pem, ca.pem or ca-certificates.crt, and perhaps crl.pem */
    bool verify_peer;       /* peers must show a certificate that the authority has signed */
    const char *peer_names; /* names, joined by commas, of which it must carry one; NULL: any */
};

struct tls_identity;

/* Reads the files. The phrase names the file that is missing or wrong. `options` must outlive it. */
struct tls_identity *tls_identity_load(const struct tls_options *options, struct error *error);
void tls_identity_free(struct tls_identity *identity);
/* True when peers will refuse our own certificate because of its dates; the phrase says why. */
bool tls_identity_doubtful(const struct tls_identity *identity, struct error *error);

struct tls;

/* A session over a connected, non-blocking stream socket, which stays the caller's. */
struct tls *tls_stream_new(struct tls_identity *identity, int fd, struct error *error);

/*
 * The first datagram of an unknown peer at a UDP socket. Returns a session, which holds the datagram as its input (see
 * tls_datagram_input), when it brings back a cookie; else NULL with an empty phrase: a greeting was answered with a
 * cookie, anything else was ignored. A phrase tells of a lack of memory.
 */
struct sockaddr;
struct tls *tls_datagram_accept(struct tls_identity *identity, int fd, const struct sockaddr *peer, size_t peer_bytes,
                                const uint8_t *bytes, size_t size, struct error *error);

/* True when a datagram begins a handshake (RFC 6347 section 4.2.2: a ClientHello of epoch 0). */
bool tls_is_greeting(const uint8_t *bytes, size_t size);

/* What the next calls read, as long as the caller keeps the bytes; NULL when that time is over. */
void tls_datagram_input(struct tls *tls, const uint8_t *bytes, size_t size);

/*
 * Goes on with the handshake: 1 when it is done, 0 when more must come, -1 with a phrase when it failed. While it is
 * not done, it must be called when the socket is readable, or writable if tls_wants_write(); with datagrams also every
 * few hundred milliseconds, for what was lost on the way.
 */
int tls_handshake(struct tls *tls, struct error *error);
bool tls_wants_write(const struct tls *tls);

enum tls_event { TLS_DATA, TLS_NOTHING, TLS_CLOSED, TLS_CUT, TLS_FAILED };

/*
 * Reads decrypted bytes into `out`: TLS_DATA with *got > 0; TLS_NOTHING now (read again when the socket is readable);
 * the peer said goodbye; the stream ended without; or it failed with a phrase. A datagram session gives one record a
 * call.
 */
enum tls_event tls_receive(struct tls *tls, uint8_t *out, size_t size, size_t *got, struct error *error);

/* True when decrypted bytes wait in the session, which the socket will not tell of. */
bool tls_pending(const struct tls *tls);

/* Who the peer is by its certificate: "CN=r1, DNS:r1.example"; "" without one. Printable, cut to fit. */
const char *tls_peer_name(const struct tls *tls);

/* Says goodbye if that can be done at once, and frees. The socket stays open. NULL is fine. */
void tls_free(struct tls *tls);

#endif
