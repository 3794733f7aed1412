/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/capture_file.h"

#include <stdlib.h>

#include "base/cursor.h"
#include "net/frame_file.h"
#include "net/reassembly.h"
#include "net/stream.h"

#define ipfix_header_bytes 16 /* RFC 7011 section 3.1 */
#define protocol_udp 17       /* RFC 768 */
#define next_fragment 44      /* RFC 8200 section 4.5 */

enum { /* link types of the registry whose headers are taken off here */
    LINK_NULL = 0,
    LINK_ETHERNET = 1,
    LINK_RAW = 101,
    LINK_LOOP = 108,
    LINK_LINUX_SLL = 113,
    LINK_IPV4 = 228,
    LINK_IPV6 = 229,
    LINK_LINUX_SLL2 = 276
};

struct capture_file {
    struct frame_file *frames; /* NULL: an IPFIX file */
    struct compressed *content; /* the frames' when there are any */
    FILE *stream;     /* of an IPFIX file */
    uint8_t *message; /* the same */
    struct reassembly *reassembly; /* NULL until the first fragment */
    struct capture_counts counts;
    uint64_t at_bytes; /* of an IPFIX file's content, for phrases */
};

/* IP without its headers. Of a fragment, `piece` says which. */
struct packet {
    struct address source, destination;
    uint8_t protocol;
    bool fragment;
    struct reassembly_piece piece;
};

static int open_messages(struct capture_file *file, struct error *error)
{
    file->message = malloc(stream_message_max);
    file->stream = compressed_stream(file->content);
    return file->message == NULL || file->stream == NULL ? error_set(error, "out of memory") : 0;
}

static int open_content(struct capture_file *file, const char *path, struct error *error)
{
    uint8_t head[4];
    int size = compressed_peek(file->content, head, sizeof(head), error);

    if (size < 0)
        return error_wrap(error, "cannot read the capture '%s'", path);
    if (size == 0)
        return error_set(error, "'%s' is empty", path);
    if (size == sizeof(head) && stream_message(head, sizeof(head), NULL) > 0)
        return open_messages(file, error);
    file->frames = frame_file_over(file->content, error);
    if (file->frames == NULL)
        return error_wrap(error, "'%s' is neither a capture nor an IPFIX file that can be read", path);
    return 0;
}

struct capture_file *capture_file_open(const char *path, struct error *error)
{
    struct capture_file *file = calloc(1, sizeof(*file));

    if (file == NULL) {
        error_set(error, "out of memory");
        return NULL;
    }
    file->content = compressed_open(path, error);
    if (file->content == NULL || open_content(file, path, error) < 0) {
        capture_file_close(file);
        return NULL;
    }
    file->counts.bytes_total = compressed_total(file->content);
    return file;
}

void capture_file_close(struct capture_file *file)
{
    if (file == NULL)
        return;
    if (file->stream != NULL)
        fclose(file->stream);
    if (file->frames != NULL)
        frame_file_close(file->frames);
    else
        compressed_close(file->content);
    reassembly_free(file->reassembly);
    free(file->message);
    free(file);
}

void capture_file_on_wait(struct capture_file *file, compressed_wait_fn *fn, void *context)
{
    compressed_on_wait(file->content, fn, context);
}

/* Takes the link header off; returns the EtherType of what follows, 0 when it is not known. */
static uint16_t take_link(uint16_t link, struct cursor *c)
{
    uint16_t type;

    switch (link) {
    case LINK_ETHERNET:
        cursor_skip(c, 12);
        type = cursor_be16(c);
        while (type == 0x8100 || type == 0x88a8 || type == 0x9100) { /* IEEE 802.1Q tags */
            cursor_skip(c, 2);
            type = cursor_be16(c);
        }
        return type;
    case LINK_LINUX_SLL:
        cursor_skip(c, 14);
        return cursor_be16(c);
    case LINK_LINUX_SLL2:
        type = cursor_be16(c);
        cursor_skip(c, 18);
        return type;
    case LINK_NULL:
    case LINK_LOOP:
        cursor_skip(c, 4);
        break;
    case LINK_RAW:
    case LINK_IPV4:
    case LINK_IPV6:
        break;
    default:
        return 0;
    }
    if (cursor_left(c) == 0)
        return 0;
    return *c->at >> 4 == 6 ? 0x86dd : 0x0800;
}

/* RFC 791 section 3.1: leaves the cursor over the payload. */
static bool take_ipv4(struct cursor *c, struct packet *packet)
{
    struct cursor header = *c;
    size_t header_bytes = (size_t)(cursor_u8(&header) & 15) * 4;
    uint16_t total, id, offset;
    const uint8_t *from, *to;

    cursor_skip(&header, 1);
    total = cursor_be16(&header);
    id = cursor_be16(&header);
    offset = cursor_be16(&header);
    cursor_skip(&header, 1);
    packet->protocol = cursor_u8(&header);
    cursor_skip(&header, 2);
    from = cursor_take(&header, 4);
    to = cursor_take(&header, 4);
    if (to == NULL || header_bytes < 20 || total < header_bytes)
        return false;
    address_set_ipv4(&packet->source, from);
    address_set_ipv4(&packet->destination, to);
    packet->fragment = (offset & 0x3fff) != 0;
    packet->piece = (struct reassembly_piece){
        .id = id, .more = (offset & 0x2000) != 0, .offset = (uint16_t)((offset & 0x1fff) * 8)};
    if (total < cursor_left(c)) /* Ethernet pads short frames */
        c->end = c->at + total;
    else if (total > cursor_left(c) && packet->fragment) /* captured short: no piece of anything */
        return false;
    cursor_skip(c, header_bytes);
    return !c->failed;
}

/* RFC 8200 section 4: the same, past the extension headers that a host's datagrams may have. */
static bool take_ipv6(struct cursor *c, struct packet *packet)
{
    const uint8_t *from, *to;
    uint16_t payload, offset;

    cursor_skip(c, 4);
    payload = cursor_be16(c);
    packet->protocol = cursor_u8(c);
    cursor_skip(c, 1);
    from = cursor_take(c, 16);
    to = cursor_take(c, 16);
    if (to == NULL)
        return false;
    address_set_ipv6(&packet->source, from);
    address_set_ipv6(&packet->destination, to);
    if (payload < cursor_left(c))
        c->end = c->at + payload;
    else if (payload > cursor_left(c) && packet->protocol == next_fragment)
        return false;
    while (packet->protocol == 0 || packet->protocol == 43 || packet->protocol == 60) { /* hop by hop, routing, ... */
        size_t bytes;

        packet->protocol = cursor_u8(c);
        bytes = (size_t)cursor_u8(c) * 8 + 6;
        cursor_skip(c, bytes);
        if (c->failed)
            return false;
    }
    if (packet->protocol != next_fragment)
        return !c->failed;
    packet->protocol = cursor_u8(c);
    cursor_skip(c, 1);
    offset = cursor_be16(c);
    packet->piece = (struct reassembly_piece){
        .id = cursor_be32(c), .more = (offset & 1) != 0, .offset = (uint16_t)(offset & 0xfff8)};
    packet->fragment = packet->piece.more || packet->piece.offset != 0;
    return !c->failed;
}

static bool take_ip(uint16_t type, struct cursor *c, struct packet *packet)
{
    unsigned version = cursor_left(c) > 0 ? *c->at >> 4 : 0;

    packet->fragment = false;
    if (type == 0x0800 && version == 4)
        return take_ipv4(c, packet);
    return type == 0x86dd && version == 6 && take_ipv6(c, packet);
}

/* Puts a fragment to its kin. True when they are a whole datagram, which the cursor is over then. */
static bool take_fragment(struct capture_file *file, struct packet *packet, int64_t when_ns, struct cursor *c)
{
    struct reassembly_piece *piece = &packet->piece;
    const uint8_t *bytes;
    size_t size;
    unsigned pieces;

    file->counts.fragments++;
    if (file->reassembly == NULL)
        file->reassembly = reassembly_new();
    if (file->reassembly == NULL)
        return false;
    piece->source = packet->source;
    piece->destination = packet->destination;
    piece->protocol = packet->protocol;
    piece->bytes = c->at;
    piece->size = cursor_left(c);
    pieces = reassembly_add(file->reassembly, piece, when_ns, &bytes, &size);
    if (pieces == 0)
        return false;
    file->counts.fragments -= pieces;
    *c = cursor_over(bytes, size);
    return true;
}

/* RFC 768. */
static bool take_udp(struct cursor *c, struct socket_datagram *datagram)
{
    uint16_t length;

    datagram->source_port = cursor_be16(c);
    cursor_skip(c, 2);
    length = cursor_be16(c);
    cursor_skip(c, 2);
    if (c->failed || length < 8)
        return false;
    datagram->cut = length - 8u > cursor_left(c);
    datagram->bytes = c->at;
    datagram->size = min_u64(length - 8u, cursor_left(c));
    return true;
}

/* The datagram of a frame, or false when it has none (yet). */
static bool take_frame(struct capture_file *file, const struct frame *frame, struct socket_datagram *datagram)
{
    struct cursor c = cursor_over(frame->bytes, frame->captured);
    uint16_t type = take_link(frame->link, &c);
    struct packet packet;

    if (!take_ip(type, &c, &packet) || packet.protocol != protocol_udp) {
        file->counts.not_udp++;
        return false;
    }
    if (packet.fragment && !take_fragment(file, &packet, frame->when_ns, &c))
        return false;
    if (!take_udp(&c, datagram)) {
        file->counts.not_udp++;
        return false;
    }
    datagram->source = packet.source;
    file->counts.cut += datagram->cut;
    return true;
}

static int next_frame(struct capture_file *file, struct socket_datagram *datagram, int64_t *captured_ns,
                      struct error *error)
{
    struct frame frame;
    int got;

    while ((got = frame_file_next(file->frames, &frame, error)) == 1) {
        file->counts.frames++;
        *captured_ns = frame.when_ns;
        if (take_frame(file, &frame, datagram))
            break;
    }
    return got;
}

/* RFC 5655 section 5: nothing but messages. */
static int next_message(struct capture_file *file, struct socket_datagram *datagram, int64_t *captured_ns,
                        struct error *error)
{
    static const uint8_t here[4] = {127, 0, 0, 1};
    const char *trouble = compressed_trouble(file->content);
    uint8_t *message = file->message;
    size_t size = fread(message, 1, ipfix_header_bytes, file->stream);
    int length = 0;

    if (size == 0 && *trouble == '\0')
        return 0;
    if (size == ipfix_header_bytes)
        length = stream_message(message, size, error);
    if (length > 0)
        size += fread(message + size, 1, (size_t)length - size, file->stream);
    if (length > 0 && size == (size_t)length) {
        *datagram = (struct socket_datagram){.bytes = message, .size = size};
        address_set_ipv4(&datagram->source, here);
        *captured_ns = (int64_t)host_be32(load_u32(message + 4)) * 1000000000;
        file->counts.frames++;
        file->at_bytes += size;
        return 1;
    }
    if (*trouble != '\0')
        error_set(error, "%s", trouble);
    else if (length == 0)
        error_set(error, "the file ends within a message header: %zu bytes of it are there", size);
    else if (length > 0)
        error_set(error, "the file ends within a message: %zu bytes of %d are there", size, length);
    return error_wrap(error, "the IPFIX file is broken after %llu messages, at byte %llu",
                      (unsigned long long)file->counts.frames, (unsigned long long)file->at_bytes);
}

int capture_file_next(struct capture_file *file, struct socket_datagram *datagram, int64_t *captured_ns,
                      struct error *error)
{
    return file->frames != NULL ? next_frame(file, datagram, captured_ns, error)
                                : next_message(file, datagram, captured_ns, error);
}

struct capture_counts capture_file_counts(const struct capture_file *file)
{
    struct capture_counts counts = file->counts;

    counts.bytes_read = compressed_taken(file->content);
    return counts;
}
