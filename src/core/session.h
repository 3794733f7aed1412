/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One peer of core/sessions.c: the handshake, then messages out of its bytes. It knows nothing of the others and logs
 * nothing; what it tells by its results is counted, logged and cleared away there.
 */
#ifndef CORE_SESSION_H
#define CORE_SESSION_H

#include "base/loop.h"
#include "decode/decode.h"
#include "net/address.h"
#include "net/tls.h"

#define session_buffer_bytes 65536 /* of each stream: the longest IPFIX message and one byte */

enum session_kind { SESSION_TCP, SESSION_TLS, SESSION_DTLS, SESSION_KINDS };

/* How a step went. All but SESSION_GOES_ON come with a phrase, and the session is to be freed. */
enum session_result {
    SESSION_GOES_ON,
    SESSION_REFUSED, /* before it was open */
    SESSION_CLOSED,  /* by the peer, between two messages */
    SESSION_BROKEN,  /* no IPFIX, cut within a message, a failure of the network */
};

struct sessions;

struct session {
    struct sessions *owner;
    enum session_kind kind;
    bool begun;       /* TLS: the first byte has been looked at */
    bool open;        /* the handshake is done */
    bool more;        /* the last step stopped at its limit, not for want of input */
    uint32_t number;  /* origin.session */
    int fd;           /* a stream's own; -1 with DTLS */
    unsigned place;   /* in the owner's list */
    struct address peer;
    uint16_t port;
    int64_t since_ns, heard_ns; /* monotonic: when it came, when the last message came */
    uint64_t messages;
    struct tls *tls; /* NULL: TCP */
    struct loop_handler *handler;
    struct session *next; /* of the same bucket: DTLS */
    uint8_t *buffer;      /* a stream's, session_buffer_bytes */
    size_t used;
};

/* Where messages go to; `count` grows with each. */
struct session_sink {
    void (*message)(void *context, const uint8_t *bytes, size_t size, const struct origin *origin);
    void *context;
    uint64_t count;
};

/* Goes on with the handshake; `open` tells when it is done. TCP is open at once. */
enum session_result session_handshake(struct session *session, struct error *error);

/*
 * Reads what is there, up to a limit so that others have their turn, and hands over the whole messages. `scratch` of
 * `scratch_bytes` is for the record of a DTLS session.
 */
enum session_result session_receive(struct session *session, struct session_sink *sink, uint8_t *scratch,
                                    size_t scratch_bytes, struct error *error);

/* Says goodbye, closes the descriptor, frees. The place in lists and the handler are the caller's. */
void session_free(struct session *session);

/* "192.0.2.1:4739", "[2001:db8::1]:4739". Returns `out`. */
#define session_peer_max 64
char *session_peer(const struct address *peer, uint16_t port, char out[session_peer_max]);

#endif
