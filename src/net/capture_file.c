/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/capture_file.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/cursor.h"

#define stdio_buffer_bytes (128 * 1024) /* fits the second-level cache, where the data is read again */

struct capture_file {
    pcap_t *pcap;
    FILE *stream;
    char *buffer;
    int link;
    struct capture_counts counts;
};

struct capture_file *capture_file_open(const char *path, struct error *error)
{
    struct capture_file *file = calloc(1, sizeof(*file));
    char text[PCAP_ERRBUF_SIZE];
    struct stat status;

    if (file == NULL) {
        error_set(error, "out of memory");
        return NULL;
    }
    file->stream = fopen(path, "re");
    if (file->stream == NULL) {
        error_errno(error, errno, "cannot read the capture '%s'", path);
        goto failed;
    }
    file->buffer = malloc(stdio_buffer_bytes);
    if (file->buffer != NULL)
        setvbuf(file->stream, file->buffer, _IOFBF, stdio_buffer_bytes);
    if (fstat(fileno(file->stream), &status) == 0 && S_ISREG(status.st_mode))
        file->counts.bytes_total = (uint64_t)status.st_size;
    file->pcap = pcap_fopen_offline_with_tstamp_precision(file->stream, PCAP_TSTAMP_PRECISION_NANO, text);
    if (file->pcap == NULL) {
        error_set(error, "'%s' is not a capture that can be read: %.200s", path, text);
        goto failed;
    }
    file->link = pcap_datalink(file->pcap);
    return file;
failed:
    if (file->stream != NULL && file->pcap == NULL)
        fclose(file->stream);
    free(file->buffer);
    free(file);
    return NULL;
}

void capture_file_close(struct capture_file *file)
{
    if (file == NULL)
        return;
    pcap_close(file->pcap); /* closes the stream too */
    free(file->buffer);
    free(file);
}

/* Takes the link header off; returns the EtherType of what follows, 0 when it is not known. */
static uint16_t take_link(int link, struct cursor *c)
{
    uint16_t type;

    switch (link) {
    case DLT_EN10MB:
        cursor_skip(c, 12);
        type = cursor_be16(c);
        while (type == 0x8100 || type == 0x88a8 || type == 0x9100) { /* IEEE 802.1Q tags */
            cursor_skip(c, 2);
            type = cursor_be16(c);
        }
        return type;
    case DLT_LINUX_SLL:
        cursor_skip(c, 14);
        return cursor_be16(c);
    case DLT_LINUX_SLL2:
        type = cursor_be16(c);
        cursor_skip(c, 18);
        return type;
    case DLT_NULL:
    case DLT_LOOP:
        cursor_skip(c, 4);
        break;
    case DLT_RAW:
    case DLT_IPV4:
    case DLT_IPV6:
        break;
    default:
        return 0;
    }
    if (cursor_left(c) == 0)
        return 0;
    return *c->at >> 4 == 6 ? 0x86dd : 0x0800;
}

/* RFC 791 and RFC 8200: leaves the cursor over the UDP header. False when it is not UDP, or a fragment. */
static bool take_ip(uint16_t type, struct cursor *c, struct address *source, bool *fragment)
{
    struct cursor header = *c;
    uint8_t first = cursor_u8(&header);

    if (type == 0x0800 && first >> 4 == 4) {
        size_t header_bytes = (size_t)(first & 15) * 4;
        uint16_t total, offset;
        uint8_t protocol;
        const uint8_t *octets;

        cursor_skip(&header, 1);
        total = cursor_be16(&header);
        cursor_skip(&header, 2);
        offset = cursor_be16(&header);
        cursor_skip(&header, 1);
        protocol = cursor_u8(&header);
        cursor_skip(&header, 2);
        octets = cursor_take(&header, 4);
        if (octets == NULL || header_bytes < 20 || total < header_bytes)
            return false;
        address_set_ipv4(source, octets);
        *fragment = (offset & 0x3fff) != 0;
        if (total < cursor_left(c)) /* Ethernet pads short frames */
            c->end = c->at + total;
        cursor_skip(c, header_bytes);
        return protocol == 17 && !*fragment;
    }
    if (type == 0x86dd && first >> 4 == 6) {
        uint16_t payload;
        uint8_t next;
        const uint8_t *octets;

        cursor_skip(&header, 3);
        payload = cursor_be16(&header);
        next = cursor_u8(&header);
        cursor_skip(&header, 1);
        octets = cursor_take(&header, 16);
        cursor_skip(&header, 16);
        if (octets == NULL || header.failed)
            return false;
        address_set_ipv6(source, octets);
        *fragment = next == 44;
        cursor_skip(c, 40);
        if (payload < cursor_left(c))
            c->end = c->at + payload;
        return next == 17;
    }
    return false;
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

int capture_file_next(struct capture_file *file, struct socket_datagram *datagram, int64_t *captured_ns,
                      struct error *error)
{
    struct pcap_pkthdr *header;
    const uint8_t *bytes;
    int got;

    while ((got = pcap_next_ex(file->pcap, &header, &bytes)) == 1) {
        struct cursor c = cursor_over(bytes, header->caplen);
        bool fragment = false;
        uint16_t type;

        file->counts.frames++;
        file->counts.bytes_read += header->caplen + 16;
        type = take_link(file->link, &c);
        if (!take_ip(type, &c, &datagram->source, &fragment) || !take_udp(&c, datagram)) {
            file->counts.fragments += fragment;
            file->counts.not_udp += !fragment;
            continue;
        }
        file->counts.cut += datagram->cut;
        *captured_ns = (int64_t)header->ts.tv_sec * 1000000000 + header->ts.tv_usec; /* opened for nanoseconds */
        return 1;
    }
    if (got == PCAP_ERROR_BREAK)
        return 0;
    return error_set(error, "the capture is broken after frame %llu: %.200s",
                     (unsigned long long)file->counts.frames, pcap_geterr(file->pcap));
}

struct capture_counts capture_file_counts(const struct capture_file *file)
{
    return file->counts;
}
