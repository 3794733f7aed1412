/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exporters that come by a connection: IPFIX over TCP and TLS, IPFIX and NetFlow over DTLS (RFC 7011 section 10). One
 * struct sessions holds the listeners and up to 1024 peers, on the loop of one lane. Nothing waits: a peer
 * that is slow with its handshake or its message holds up nobody and is dropped after a while.
 *
 * A stream carries IPFIX messages one after the other; each whole one is handed over. What is no IPFIX message closes
 * the session, since nothing after it can be found. A record of DTLS is a datagram: it is handed over as it is.
 */
#ifndef CORE_SESSIONS_H
#define CORE_SESSIONS_H

#include "base/loop.h"
#include "config/settings.h"
#include "decode/decode.h"

struct sessions;

/*
 * One message or datagram. The bytes are the caller's until it returns. origin->session is the number of the session:
 * never 0, and none is used again before 2^32 others; source, source_port and arrival_ns are set.
 */
typedef void sessions_message_fn(void *context, const uint8_t *bytes, size_t size, const struct origin *origin);

/* Such a session is over: what is remembered by its number (templates) can go. Only for sessions that were opened. */
typedef void sessions_closed_fn(void *context, uint32_t session);

/* Whether this peer may connect. */
typedef bool sessions_allowed_fn(void *context, const struct address *peer);

/* After a turn in which there were messages: the time to publish what they made. */
typedef void sessions_turn_fn(void *context);

struct sessions_calls {
    sessions_message_fn *message;
    sessions_closed_fn *closed;   /* or NULL */
    sessions_allowed_fn *allowed; /* or NULL: everybody */
    sessions_turn_fn *turn;       /* or NULL */
};

/*
 * Opens the listeners that `settings` has ports for (tcp_port, tls_port, dtls_port, with listen_ip, tls_path,
 * tls_verify, tls_peer_names), which must outlive them. Returns NULL with an empty phrase when there is no such port,
 * and NULL with a phrase when a port is taken, a key or certificate cannot be read ... `counters` is the INPUT block
 * of the lane: sessions_opened, _refused, _closed and _broken are counted here, and datagrams_received with _denied or
 * _bad_version for what reaches the DTLS port but no session; all that concerns messages by the callee of message().
 * It logs who came, who was refused and why. The process may open as many descriptors as the system lets it.
 */
struct sessions *sessions_new(struct loop *loop, const struct settings *settings, const struct sessions_calls *calls,
                              void *context, uint64_t *counters, struct error *error);

/*
 * For the end: takes no more peers, hands over the messages that have arrived whole (the kernel's buffers are read
 * once more, for half a second at most) and says goodbye to the peers. closed() is called for each.
 */
void sessions_stop(struct sessions *sessions);

/* Closes what is still open, without a call. NULL is fine. */
void sessions_free(struct sessions *sessions);

/* Sessions that are open now. */
unsigned sessions_count(const struct sessions *sessions);

#endif
