/* SPDX-License-Identifier: BSD-2-Clause */
/* One request and its answer, on a blocking socket: connect, send, then frames one by one out of one large buffer. */
#ifndef CLIENT_CONNECTION_H
#define CLIENT_CONNECTION_H

#include "base/frame.h"

struct connection {
    int fd;
    uint8_t *buffer; /* 8-aligned */
    size_t start, end;
};

/* The phrase of a failure is a whole line of pmacct's ("ERROR: Unable to connect to ..."). */
int connection_open(struct connection *connection, const char *path, struct error *error);
void connection_close(struct connection *connection);

int connection_ask(struct connection *connection, uint16_t command, uint32_t flags, const uint8_t *body,
                   size_t body_bytes, struct error *error);

/*
 * The next frame; its body is valid until the next call. 1: a frame; 0: END came, in *frame too; -1: an ERROR frame
 * or a broken stream, with a phrase.
 */
int connection_next(struct connection *connection, struct answer_frame *frame, struct error *error);

#endif
