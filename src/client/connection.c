/* SPDX-License-Identifier: BSD-2-Clause */
/* The client's end of base/frame.h. */
#include "client/connection.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"

#define buffer_bytes (1024u * 1024) /* four of the longest frames: few system calls, and it stays in the cache */

#define patience_seconds 30

int connection_open(struct connection *connection, const char *path, struct error *error)
{
    const struct timeval patience = {.tv_sec = patience_seconds};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int code;

    *connection = (struct connection){.fd = -1};
    if (strlen(path) >= sizeof(address.sun_path))
        return error_set(error, "ERROR: the path '%.200s' is too long for a socket", path);
    memcpy(address.sun_path, path, strlen(path) + 1);
    connection->buffer = aligned_alloc(64, buffer_bytes);
    connection->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection->fd < 0 || connection->buffer == NULL) {
        connection_close(connection);
        return error_set(error, "ERROR: no socket or no memory");
    }
    setsockopt(connection->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(connection->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    if (connect(connection->fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return 0;
    code = errno;
    connection_close(connection);
    if (code == ECONNREFUSED)
        return error_set(error, "INFO: Connection refused while trying to connect to '%.200s'", path);
    if (code == EACCES || code == EPERM)
        return error_set(error, "ERROR: Unable to connect to '%.200s': not permitted; only root, the daemon's user and "
                                "the group that imt_group names may read", path);
    return error_set(error, "ERROR: Unable to connect to '%.200s'", path);
}

void connection_close(struct connection *connection)
{
    if (connection->fd >= 0)
        close(connection->fd);
    free(connection->buffer);
    *connection = (struct connection){.fd = -1};
}

static int send_all(int fd, const uint8_t *bytes, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return -1;
        bytes += sent;
        size -= (size_t)sent;
    }
    return 0;
}

int connection_ask(struct connection *connection, uint16_t command, uint32_t flags, const uint8_t *body,
                   size_t body_bytes, struct error *error)
{
    uint8_t header[frame_request_header_bytes];

    frame_request_put(header, command, flags, (uint32_t)body_bytes);
    if (send_all(connection->fd, header, sizeof(header)) < 0 || send_all(connection->fd, body, body_bytes) < 0)
        if (errno != EPIPE && errno != ECONNRESET) /* else the daemon has refused already, and why is there to read */
            return error_errno(error, errno, "ERROR: cannot send the request");
    return 0;
}

static int refused(const struct answer_frame *frame, struct error *error)
{
    char text[400];

    log_safe((const char *)frame->body, frame->body_bytes, text, sizeof(text));
    return error_set(error, "ERROR: %s", text);
}

int connection_next(struct connection *connection, struct answer_frame *frame, struct error *error)
{
    for (;;) {
        int64_t taken = frame_read(connection->buffer + connection->start, connection->end - connection->start, frame,
                                   error);
        ssize_t got;

        if (taken < 0)
            return error_wrap(error, "ERROR");
        if (taken > 0) {
            connection->start += (size_t)taken;
            if (frame->type == FRAME_ERROR)
                return refused(frame, error);
            return frame->type == FRAME_END ? 0 : 1;
        }
        if (connection->start > 0) { /* a multiple of 8, so that bodies stay aligned */
            memmove(connection->buffer, connection->buffer + connection->start, connection->end - connection->start);
            connection->end -= connection->start;
            connection->start = 0;
        }
        got = recv(connection->fd, connection->buffer + connection->end, buffer_bytes - connection->end, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return error_set(error, "ERROR: no answer for %d seconds", patience_seconds);
        if (got < 0)
            return error_errno(error, errno, "ERROR: cannot read the answer");
        if (got == 0)
            return error_set(error, "ERROR: the answer was cut short: the daemon has ended or is too busy");
        connection->end += (size_t)got;
    }
}
