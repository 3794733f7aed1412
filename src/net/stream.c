/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/stream.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ipfix_version 10      /* RFC 7011 section 3.1 */
#define ipfix_header_bytes 16 /* the same */
#define waiting_max 128       /* connections not yet taken */
#define opening_bytes 12      /* shown of what is not understood */

const char *stream_opening(const uint8_t *bytes, size_t size, char out[stream_opening_max])
{
    size_t shown = min_u64(size, opening_bytes), used = 0;
    bool text = shown > 0;

    for (size_t i = 0; i < shown && text; i++)
        text = (bytes[i] >= 0x20 && bytes[i] < 0x7f && bytes[i] != '\'') ||
               (i > 0 && (bytes[i] == '\r' || bytes[i] == '\n'));
    if (text) {
        while (used < shown && bytes[used] >= 0x20)
            used++;
        snprintf(out, stream_opening_max, "'%.*s'", (int)used, (const char *)bytes);
        return out;
    }
    snprintf(out, stream_opening_max, "nothing");
    for (size_t i = 0; i < shown; i++)
        used += (size_t)snprintf(out + used, stream_opening_max - used, "%s%02x", i > 0 ? " " : "", bytes[i]);
    return out;
}

/* What the other protocols that people point at such a port begin with. */
static const char *guess(const uint8_t *bytes, size_t size)
{
    if (size >= 2 && bytes[0] == 0x16 && bytes[1] == 0x03)
        return ", which is TLS";
    if (size >= 2 && bytes[0] == 0 && bytes[1] >= 1 && bytes[1] <= 9)
        return ", which is NetFlow of a version without lengths";
    return "";
}

int stream_message(const uint8_t *bytes, size_t size, struct error *error)
{
    char opening[stream_opening_max];
    int length;

    if ((size > 0 && bytes[0] != 0) || (size > 1 && bytes[1] != ipfix_version))
        return error_set(error, "not an IPFIX message: begins with %s%s", stream_opening(bytes, size, opening),
                         guess(bytes, size));
    if (size < 4)
        return 0;
    length = bytes[2] << 8 | bytes[3];
    if (length < ipfix_header_bytes)
        return error_set(error, "not an IPFIX message: its length of %d bytes is less than its header's", length);
    return length;
}

static int bind_stream(int fd, const struct sockaddr *address, size_t length, const struct socket_options *options,
                       struct error *error)
{
    const char *where = options->address ? options->address : "all addresses";
    int on = 1;

    /* a port whose connections linger from a run before is free; one that another program listens on is not */
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (options->interface != NULL && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, options->interface,
                                                 (socklen_t)strlen(options->interface)) < 0)
        return error_errno(error, errno, "cannot bind to the interface '%s'", options->interface);
    if (bind(fd, address, (socklen_t)length) < 0 || listen(fd, waiting_max) < 0) {
        if (errno == EADDRINUSE)
            return error_set(error, "port %u/tcp on %s is taken by another program (see: ss -tlpn 'sport = :%u')",
                             options->port, where, options->port);
        return error_errno(error, errno, "cannot listen on %s port %u/tcp", where, options->port);
    }
    return 0;
}

int stream_listen(const struct socket_options *options, struct error *error)
{
    struct sockaddr_storage storage = {0};
    struct address address;
    size_t length = sizeof(struct sockaddr_in6);
    int fd, only = options->ipv6_only;

    if (options->address != NULL) {
        if (!address_parse(options->address, &address))
            return error_set(error, "'%.60s' is not an address to listen on", options->address);
        length = address_to_socket(&address, options->port, &storage);
    } else {
        *(struct sockaddr_in6 *)&storage =
            (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(options->port)};
    }
    fd = socket(storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 && errno == EAFNOSUPPORT && options->address == NULL) { /* a host without IPv6 */
        *(struct sockaddr_in *)&storage = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(options->port)};
        length = sizeof(struct sockaddr_in);
        fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    }
    if (fd < 0)
        return error_errno(error, errno, "cannot open a TCP socket");
    if (storage.ss_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only));
    if (bind_stream(fd, (const struct sockaddr *)&storage, length, options, error) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

int stream_accept(int listener, struct address *peer, uint16_t *port, struct error *error)
{
    struct sockaddr_storage from = {0};
    socklen_t length = sizeof(from);
    int fd = accept4(listener, (struct sockaddr *)&from, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd >= 0) {
        address_from_socket(peer, port, (const struct sockaddr *)&from);
        return fd;
    }
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        error_errno(error, errno, "cannot take a connection");
        return -2;
    }
    return -1;
}
