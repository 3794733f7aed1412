/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as a TCP session, in pieces whose sizes come from the input too: the messages handed over are those that a
 * reader of the whole would find, whatever the pieces.
 */
#include "core/session.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct reader {
    const uint8_t *bytes;
    size_t at, size;
};

/* The next message must be the next in the input. */
static void on_message(void *context, const uint8_t *bytes, size_t size, const struct origin *origin)
{
    struct reader *reader = context;

    if (origin->session != 7 || size < 16 || size > reader->size - reader->at ||
        memcmp(bytes, reader->bytes + reader->at, size) != 0 || bytes[1] != 10 ||
        size != (size_t)(bytes[2] << 8 | bytes[3]))
        abort();
    reader->at += size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader reader = {.bytes = data, .size = size};
    struct session_sink sink = {.message = on_message, .context = &reader};
    struct session *session = calloc(1, sizeof(*session));
    enum session_result result = SESSION_GOES_ON;
    struct error error = {""};
    int ends[2];

    if (session == NULL || socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
        abort();
    session->fd = ends[0];
    session->number = 7;
    session_handshake(session, &error);
    for (size_t at = 0; at < size && result == SESSION_GOES_ON;) {
        size_t piece = min_u64(1 + (size_t)data[size - 1 - at] * 3, size - at);

        if (write(ends[1], data + at, piece) != (ssize_t)piece)
            abort();
        at += piece;
        result = session_receive(session, &sink, NULL, 0, &error);
    }
    if (result == SESSION_GOES_ON) {
        close(ends[1]);
        result = session_receive(session, &sink, NULL, 0, &error);
        if (result != (reader.at == size ? SESSION_CLOSED : SESSION_BROKEN))
            abort();
        ends[1] = -1;
    } else if (error.text[0] == '\0') {
        abort();
    }
    if (ends[1] >= 0)
        close(ends[1]);
    session_free(session);
    return 0;
}
