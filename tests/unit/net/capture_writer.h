/* SPDX-License-Identifier: BSD-2-Clause */
/* Capture files made in memory, value by value, in this machine's byte order or the other one. */
#ifndef TESTS_CAPTURE_WRITER_H
#define TESTS_CAPTURE_WRITER_H

#include <stdlib.h>

#include "base/base.h"

static uint8_t *content; /* of the file being made */
static size_t content_bytes, content_room;
static bool swapped;     /* its byte order is not this machine's */

static inline void put(const void *bytes, size_t size)
{
    if (content_bytes + size > content_room) {
        content_room = (content_bytes + size) * 2;
        content = realloc(content, content_room);
    }
    if (size > 0)
        memcpy(content + content_bytes, bytes, size);
    content_bytes += size;
}

static inline void put16(unsigned value)
{
    uint16_t v = (uint16_t)value;

    v = swapped ? __builtin_bswap16(v) : v;
    put(&v, 2);
}

static inline void put32(uint32_t value)
{
    value = swapped ? __builtin_bswap32(value) : value;
    put(&value, 4);
}

static inline void put64(uint64_t value)
{
    value = swapped ? __builtin_bswap64(value) : value;
    put(&value, 8);
}

static inline void begin(bool other_order)
{
    content_bytes = 0;
    swapped = other_order;
}

static inline void put_file_header(uint32_t magic, unsigned minor, uint32_t link)
{
    put32(magic);
    put16(2);
    put16(minor);
    put32(0);
    put32(0);
    put32(65535);
    put32(link);
}

static inline void put_record(uint32_t seconds, uint32_t fraction, uint32_t length, const char *bytes)
{
    put32(seconds);
    put32(fraction);
    put32((uint32_t)strlen(bytes));
    put32(length);
    put(bytes, strlen(bytes));
}

/* A block around what is put between these two. */
static inline size_t open_block(uint32_t type)
{
    put32(type);
    put32(0);
    return content_bytes;
}

static inline void close_block(size_t start)
{
    uint32_t bytes;

    while (content_bytes % 4 != start % 4)
        put("", 1);
    bytes = (uint32_t)(content_bytes - start + 12);
    put32(bytes);
    memcpy(content + start - 4, content + content_bytes - 4, 4);
}

static inline void put_section(void)
{
    size_t start = open_block(0x0a0d0d0a);

    put32(0x1a2b3c4d);
    put16(1);
    put16(0);
    put64(UINT64_MAX);
    close_block(start);
}

/* resolution 0xff: not told, which means microseconds. */
static inline void put_interface(unsigned link, uint32_t snaplen, unsigned resolution, int64_t offset)
{
    size_t start = open_block(1);

    put16(link);
    put16(0);
    put32(snaplen);
    if (resolution != 0xff) {
        put16(2); /* a name, to be passed over */
        put16(5);
        put("ether\0\0\0", 8);
        put16(9);
        put16(1);
        put((uint8_t[4]){(uint8_t)resolution}, 4);
        put16(14);
        put16(8);
        put64((uint64_t)offset);
        put32(0);
    }
    close_block(start);
}

static inline void put_packet(uint32_t interface, uint64_t stamp, uint32_t length, const char *bytes, int flags)
{
    size_t start = open_block(6);

    put32(interface);
    put32((uint32_t)(stamp >> 32));
    put32((uint32_t)stamp);
    put32((uint32_t)strlen(bytes));
    put32(length);
    put(bytes, strlen(bytes));
    while (content_bytes % 4 != start % 4)
        put("", 1);
    if (flags >= 0) {
        put16(1); /* a comment */
        put16(2);
        put("hm\0\0", 4);
        put16(2);
        put16(4);
        put32((uint32_t)flags);
        put32(0);
    }
    close_block(start);
}

#endif
