/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/capture_format.h"

#include <stdlib.h>

#include "net/stream.h"

#define second_ns 1000000000
#define interfaces_max 4096

enum { /* magic numbers of pcap: microseconds, nanoseconds, microseconds with longer records */
    MAGIC_MICRO = 0xa1b2c3d4,
    MAGIC_NANO = 0xa1b23c4d,
    MAGIC_MICRO_LONG = 0xa1b2cd34,
    MAGIC_ORDER = 0x1a2b3c4d /* in a section header of pcapng */
};

enum {
    BLOCK_SECTION = 0x0a0d0d0a,
    BLOCK_INTERFACE = 1,
    BLOCK_OLD_PACKET = 2,
    BLOCK_SIMPLE_PACKET = 3,
    BLOCK_PACKET = 6
};

enum { /* options */
    OPTION_END = 0,
    OPTION_PACKET_FLAGS = 2,
    OPTION_TIME_RESOLUTION = 9,
    OPTION_TIME_OFFSET = 14
};

enum { LINK_RAW = 101, LINK_NONE = 0xffff };

struct capture_interface {
    uint16_t link;
    uint32_t captured_max; /* 0: no limit */
    uint64_t ticks;        /* per second */
    int64_t offset_seconds;
};

static inline uint32_t order_u32(bool swapped, uint32_t value)
{
    return swapped ? __builtin_bswap32(value) : value;
}

static inline uint16_t take_u16(const struct capture_format *format, struct cursor *c)
{
    const uint8_t *p = cursor_take(c, 2);
    uint16_t value = p != NULL ? load_u16(p) : 0;

    return format->swapped ? __builtin_bswap16(value) : value;
}

static inline uint32_t take_u32(const struct capture_format *format, struct cursor *c)
{
    const uint8_t *p = cursor_take(c, 4);

    return p != NULL ? order_u32(format->swapped, load_u32(p)) : 0;
}

static inline uint64_t take_u64(const struct capture_format *format, struct cursor *c)
{
    const uint8_t *p = cursor_take(c, 8);
    uint64_t value = p != NULL ? load_u64(p) : 0;

    return format->swapped ? __builtin_bswap64(value) : value;
}

/* The registry's number: BSD systems wrote their own ones (12 and 14) for packets without a link header. */
static uint16_t registered_link(uint32_t link)
{
    link &= 0x03ffffff; /* above are flags and the length of the frame check sequence */
    if (link == 12 || link == 14)
        return LINK_RAW;
    return link < LINK_NONE ? (uint16_t)link : LINK_NONE;
}

static int begin_pcap(struct capture_format *format, const uint8_t *head, size_t size, struct error *error)
{
    uint32_t magic = order_u32(format->swapped, load_u32(head));
    struct cursor c = cursor_over(head + 4, capture_format_head_bytes - 4);
    unsigned major, minor;

    if (size < capture_format_head_bytes)
        return error_set(error, "the file ends within the header of a capture");
    major = take_u16(format, &c);
    minor = take_u16(format, &c);
    if (major != 2)
        return error_set(error, "a capture of version %u.%u, only 2.x is known", major, minor);
    cursor_skip(&c, 12);
    format->mixed_lengths = minor < 4;
    format->foreign = format->swapped || format->mixed_lengths;
    format->link = registered_link(take_u32(format, &c));
    format->fraction_ns = magic == MAGIC_NANO ? 1 : 1000;
    format->record_bytes = magic == MAGIC_MICRO_LONG ? capture_format_record_max : 16;
    return capture_format_head_bytes;
}

int capture_format_begin(struct capture_format *format, const uint8_t *head, size_t size, struct error *error)
{
    char opening[stream_opening_max];

    if (size >= 4 && load_u32(head) == BLOCK_SECTION) {
        format->blocks = true;
        return 0;
    }
    for (unsigned swapped = 0; swapped < 2 && size >= 4; swapped++) {
        uint32_t magic = order_u32(swapped, load_u32(head));

        format->swapped = swapped;
        if (magic == MAGIC_MICRO || magic == MAGIC_NANO || magic == MAGIC_MICRO_LONG)
            return begin_pcap(format, head, size, error);
    }
    return error_set(error, "it begins with %s", stream_opening(head, size, opening));
}

void capture_format_free(struct capture_format *format)
{
    free(format->interfaces);
    format->interfaces = NULL;
}

void capture_format_turn(const struct capture_format *format, uint32_t numbers[4])
{
    for (unsigned i = 0; i < 4; i++)
        numbers[i] = order_u32(format->swapped, numbers[i]);
    if (format->mixed_lengths && numbers[2] > numbers[3]) {
        uint32_t captured = numbers[3];

        numbers[3] = numbers[2];
        numbers[2] = captured;
    }
}

int capture_format_block(struct capture_format *format, const uint8_t *head, struct capture_block *block,
                         struct error *error)
{
    block->type = order_u32(format->swapped, load_u32(head));
    if (block->type == BLOCK_SECTION) { /* reads the same in both orders */
        uint32_t magic = load_u32(head + 8);

        if (magic != MAGIC_ORDER && __builtin_bswap32(magic) != MAGIC_ORDER)
            return error_set(error, "a section without its magic number");
        format->swapped = magic != MAGIC_ORDER;
    }
    block->bytes = order_u32(format->swapped, load_u32(head + 4));
    block->wanted = block->type == BLOCK_SECTION || block->type == BLOCK_INTERFACE || block->type == BLOCK_PACKET ||
                    block->type == BLOCK_SIMPLE_PACKET || block->type == BLOCK_OLD_PACKET;
    if (block->bytes < capture_format_block_head_bytes || block->bytes % 4 != 0)
        return error_set(error, "a block of %u bytes, which no block can have", block->bytes);
    if (block->wanted && block->bytes > capture_format_block_max)
        return error_set(error, "a block of %u bytes, more than the %u that are read", block->bytes,
                         capture_format_block_max);
    return 0;
}

/* The next option of a block: its code, OPTION_END when there is none, and a cursor over its value. */
static unsigned take_option(const struct capture_format *format, struct cursor *c, struct cursor *value)
{
    unsigned code, size;

    if (cursor_left(c) < 4)
        return OPTION_END;
    code = take_u16(format, c);
    size = take_u16(format, c);
    *value = cursor_sub(c, size);
    cursor_skip(c, align_up(size, 4u) - size);
    return value->failed ? OPTION_END : code;
}

/* if_tsresol: a power of ten, or of two when the first bit is set. 0: more than 64 bits can tell. */
static uint64_t ticks_of(unsigned resolution)
{
    unsigned power = resolution & 0x7f;
    uint64_t ticks = 1;

    if (resolution & 0x80)
        return power < 64 ? UINT64_C(1) << power : 0;
    if (power > 19)
        return 0;
    while (power-- > 0)
        ticks *= 10;
    return ticks;
}

static int take_interface(struct capture_format *format, struct cursor c, struct error *error)
{
    struct capture_interface interface = {.ticks = 1000000};
    struct cursor value;
    unsigned code;

    interface.link = registered_link(take_u16(format, &c));
    cursor_skip(&c, 2);
    interface.captured_max = take_u32(format, &c);
    if (c.failed)
        return error_set(error, "an interface block that is too short");
    while ((code = take_option(format, &c, &value)) != OPTION_END) {
        if (code == OPTION_TIME_RESOLUTION)
            interface.ticks = ticks_of(cursor_u8(&value));
        else if (code == OPTION_TIME_OFFSET)
            interface.offset_seconds = (int64_t)take_u64(format, &value);
    }
    if (interface.ticks == 0)
        return error_set(error, "an interface with a clock of more ticks per second than 64 bits hold");
    if (format->interface_count == interfaces_max)
        return error_set(error, "more than %u interfaces in one section", interfaces_max);
    if (format->interface_count == format->interface_room) {
        unsigned room = format->interface_room > 0 ? format->interface_room * 2 : 4;
        struct capture_interface *interfaces = realloc(format->interfaces, room * sizeof(*interfaces));

        if (interfaces == NULL)
            return error_set(error, "out of memory");
        format->interfaces = interfaces;
        format->interface_room = room;
    }
    format->interfaces[format->interface_count++] = interface;
    return 0;
}

__extension__ typedef __int128 wide; /* a stamp of 64 bits times a second's nanoseconds */

static int64_t time_of(const struct capture_interface *interface, uint64_t stamp)
{
    wide ns;

    if (likely(interface->ticks == 1000000 && interface->offset_seconds == 0 && stamp < INT64_MAX / 1000))
        return (int64_t)stamp * 1000;
    ns = (wide)stamp * second_ns / interface->ticks + (wide)interface->offset_seconds * second_ns;
    return ns > INT64_MAX ? INT64_MAX : ns < 0 ? 0 : (int64_t)ns;
}

static const struct capture_interface *find_interface(const struct capture_format *format, uint32_t number,
                                                      struct error *error)
{
    if (likely(number < format->interface_count))
        return &format->interfaces[number];
    error_set(error, "a packet of interface %u, and only %u were described", number, format->interface_count);
    return NULL;
}

/* Bits 0 and 1 of epb_flags: 1 inbound, 2 outbound. */
static uint8_t direction_of(const struct capture_format *format, struct cursor options)
{
    static const uint8_t directions[4] = {FRAME_UNKNOWN, FRAME_IN, FRAME_OUT, FRAME_UNKNOWN};
    struct cursor value;
    unsigned code;

    while ((code = take_option(format, &options, &value)) != OPTION_END)
        if (code == OPTION_PACKET_FLAGS)
            return directions[take_u32(format, &value) & 3];
    return FRAME_UNKNOWN;
}

/* An enhanced packet block, or its predecessor, which gave half of the interface number's bytes to a drop count. */
static int take_packet(const struct capture_format *format, bool old, struct cursor c, struct frame *frame,
                       struct error *error)
{
    uint32_t number = old ? take_u16(format, &c) : take_u32(format, &c);
    const struct capture_interface *interface;
    uint64_t stamp;
    uint32_t length;

    if (old)
        cursor_skip(&c, 2);
    stamp = (uint64_t)take_u32(format, &c) << 32;
    stamp |= take_u32(format, &c);
    frame->captured = take_u32(format, &c);
    length = take_u32(format, &c);
    frame->bytes = cursor_take(&c, frame->captured);
    if (unlikely(c.failed))
        return error_set(error, "a packet block that is shorter than its packet");
    interface = find_interface(format, number, error);
    if (unlikely(interface == NULL))
        return -1;
    frame->length = length > frame->captured ? length : frame->captured;
    frame->link = interface->link;
    frame->when_ns = time_of(interface, stamp);
    frame->direction = FRAME_UNKNOWN;
    frame->in_iface = 0;
    frame->out_iface = 0;
    if (cursor_left(&c) >= 8) { /* options: at least one with a value, past the padding */
        cursor_skip(&c, align_up(frame->captured, 4u) - frame->captured);
        frame->direction = direction_of(format, c);
    }
    return 1;
}

/* It has neither a time nor a captured length: the interface's limit and the block's end tell. */
static int take_simple_packet(const struct capture_format *format, struct cursor c, struct frame *frame,
                              struct error *error)
{
    const struct capture_interface *interface = find_interface(format, 0, error);

    if (interface == NULL)
        return -1;
    *frame = (struct frame){.link = interface->link, .length = take_u32(format, &c)};
    frame->captured = frame->length;
    if (interface->captured_max != 0 && frame->captured > interface->captured_max)
        frame->captured = interface->captured_max;
    frame->bytes = cursor_take(&c, frame->captured);
    return c.failed ? error_set(error, "a packet block that is shorter than its packet") : 1;
}

int capture_format_take(struct capture_format *format, const struct capture_block *block, const uint8_t *bytes,
                        struct frame *frame, struct error *error)
{
    struct cursor body = cursor_over(bytes + 8, block->bytes - capture_format_block_head_bytes);

    if (unlikely(order_u32(format->swapped, load_u32(bytes + block->bytes - 4)) != block->bytes))
        return error_set(error, "a block whose two lengths differ");
    switch (block->type) {
    case BLOCK_SECTION:
        format->interface_count = 0;
        return 0;
    case BLOCK_INTERFACE:
        return take_interface(format, body, error);
    case BLOCK_SIMPLE_PACKET:
        return take_simple_packet(format, body, frame, error);
    default:
        return take_packet(format, block->type == BLOCK_OLD_PACKET, body, frame, error);
    }
}
