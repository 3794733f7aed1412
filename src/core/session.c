/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/time.h"
#include "net/stream.h"

#define turn_reads 32        /* of one peer before the others have their turn */
#define tls_handshake_type 22 /* the first byte of a TLS connection: RFC 8446 section 5.1 */

char *session_peer(const struct address *peer, uint16_t port, char out[session_peer_max])
{
    char text[address_text_max + 1];
    size_t length = address_format(peer, text);
    bool ipv4 = address_is_ipv4(peer);

    snprintf(out, session_peer_max, "%s%.*s%s:%u", ipv4 ? "" : "[", (int)length, text, ipv4 ? "" : "]", port);
    return out;
}

/* Who forgets TLS on one side gets a better answer than that of the library. */
static enum session_result check_opening(struct session *session, struct error *error)
{
    char opening[stream_opening_max];
    uint8_t bytes[12];
    ssize_t count = recv(session->fd, bytes, sizeof(bytes), MSG_PEEK | MSG_DONTWAIT);

    session->begun = count > 0;
    if (count <= 0 || bytes[0] == tls_handshake_type)
        return SESSION_GOES_ON;
    error_set(error, "not TLS: begins with %s", stream_opening(bytes, (size_t)count, opening));
    return SESSION_REFUSED;
}

enum session_result session_handshake(struct session *session, struct error *error)
{
    int done;

    if (session->open)
        return SESSION_GOES_ON;
    if (session->kind == SESSION_TLS && !session->begun && check_opening(session, error) == SESSION_REFUSED)
        return SESSION_REFUSED;
    done = session->tls == NULL ? 1 : tls_handshake(session->tls, error);
    if (done < 0)
        return SESSION_REFUSED;
    session->open = done > 0;
    return SESSION_GOES_ON;
}

static void hand_over(struct session *session, struct session_sink *sink, const uint8_t *bytes, size_t size,
                      int64_t arrival_ns)
{
    struct origin origin = {
        .source = session->peer, .source_port = session->port, .arrival_ns = arrival_ns, .session = session->number};

    session->messages++;
    sink->count++;
    sink->message(sink->context, bytes, size, &origin);
}

/* Hands over the whole messages in the buffer and moves the rest to its front. */
static enum session_result take_messages(struct session *session, struct session_sink *sink, int64_t arrival_ns,
                                         struct error *error)
{
    size_t taken = 0;
    int length = 0;

    while (taken < session->used) {
        size_t left = session->used - taken;

        length = stream_message(session->buffer + taken, left, error);
        if (length <= 0 || (size_t)length > left)
            break;
        hand_over(session, sink, session->buffer + taken, (size_t)length, arrival_ns);
        taken += (size_t)length;
    }
    session->used -= taken;
    if (taken > 0 && session->used > 0)
        memmove(session->buffer, session->buffer + taken, session->used);
    if (length >= 0)
        return SESSION_GOES_ON;
    error_wrap(error, "after %llu messages", (unsigned long long)session->messages);
    return SESSION_BROKEN;
}

static enum tls_event read_socket(const struct session *session, uint8_t *out, size_t size, size_t *got,
                                  struct error *error)
{
    ssize_t count = recv(session->fd, out, size, MSG_DONTWAIT);

    *got = count > 0 ? (size_t)count : 0;
    if (count > 0)
        return TLS_DATA;
    if (count == 0)
        return TLS_CLOSED;
    if (errno == EAGAIN || errno == EINTR)
        return TLS_NOTHING;
    error_errno(error, errno, "the connection failed");
    return TLS_FAILED;
}

static enum session_result end_of_input(const struct session *session, enum tls_event event, struct error *error)
{
    if (event == TLS_FAILED)
        return SESSION_BROKEN;
    if (session->used > 0) {
        error_set(error, "the peer hung up within a message: %zu bytes of it came", session->used);
        return SESSION_BROKEN;
    }
    error_set(error, "by the peer%s", event == TLS_CUT ? " (without the goodbye of TLS)" : "");
    return SESSION_CLOSED;
}

static enum session_result receive_stream(struct session *session, struct session_sink *sink, struct error *error)
{
    int64_t now = time_wall_ns();

    if (session->buffer == NULL)
        session->buffer = malloc(session_buffer_bytes);
    if (session->buffer == NULL) {
        error_set(error, "out of memory");
        return SESSION_BROKEN;
    }
    /* what the library has read from the socket already, no event would tell of */
    for (unsigned i = 0; i < turn_reads || (session->tls != NULL && tls_pending(session->tls)); i++) {
        size_t room = session_buffer_bytes - session->used, got;
        uint8_t *at = session->buffer + session->used;
        enum tls_event event;

        event = session->tls == NULL ? read_socket(session, at, room, &got, error)
                                     : tls_receive(session->tls, at, room, &got, error);
        if (event == TLS_NOTHING) {
            session->more = false;
            return SESSION_GOES_ON;
        }
        if (event != TLS_DATA)
            return end_of_input(session, event, error);
        session->used += got;
        if (take_messages(session, sink, now, error) == SESSION_BROKEN)
            return SESSION_BROKEN;
    }
    session->more = true;
    return SESSION_GOES_ON;
}

/* A datagram may hold several records; each is a message of its own. Its end is when the library asks for more. */
static enum session_result receive_records(struct session *session, struct session_sink *sink, uint8_t *scratch,
                                           size_t scratch_bytes, struct error *error)
{
    int64_t now = time_wall_ns();

    for (;;) { /* ends: the datagram has an end, and each record takes some of it */
        size_t got;
        enum tls_event event = tls_receive(session->tls, scratch, scratch_bytes, &got, error);

        if (event == TLS_NOTHING)
            return SESSION_GOES_ON;
        if (event != TLS_DATA)
            return end_of_input(session, event, error);
        hand_over(session, sink, scratch, got, now);
    }
}

enum session_result session_receive(struct session *session, struct session_sink *sink, uint8_t *scratch,
                                    size_t scratch_bytes, struct error *error)
{
    uint64_t before = session->messages;
    enum session_result result = session->kind == SESSION_DTLS
                                     ? receive_records(session, sink, scratch, scratch_bytes, error)
                                     : receive_stream(session, sink, error);

    if (session->messages != before)
        session->heard_ns = time_monotonic_ns();
    return result;
}

void session_free(struct session *session)
{
    if (session == NULL)
        return;
    tls_free(session->tls);
    if (session->fd >= 0)
        close(session->fd);
    free(session->buffer);
    free(session);
}
