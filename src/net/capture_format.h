/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two formats of capture files, as bytes: pcap (draft-ietf-opsawg-pcap; magic numbers for micro- and nanoseconds,
 * either byte order, and the longer records that a patched libpcap of old Linux systems wrote) and pcapng
 * (draft-ietf-opsawg-pcapng), where each interface has a link type, a length limit and a clock of its own. No file is
 * read here; frame_file.c does that.
 */
#ifndef NET_CAPTURE_FORMAT_H
#define NET_CAPTURE_FORMAT_H

#include "base/cursor.h"
#include "base/error.h"
#include "net/frame.h"

#define capture_format_head_bytes 24       /* that tell the format */
#define capture_format_frame_max 262144    /* bytes that are captured of one frame: what libpcap and Wireshark allow */
#define capture_format_record_max 24       /* bytes before a frame in a pcap file */
#define capture_format_block_max (2 * capture_format_frame_max) /* bytes of a pcapng block that is looked into */

struct capture_interface;

struct capture_format {
    bool blocks;            /* pcapng, else pcap */
    bool swapped;           /* the other byte order than this machine's */
    bool mixed_lengths;     /* pcap before 2.4: captured and whole length came in either order */
    bool foreign;           /* either of these two */
    uint16_t link;          /* of a pcap file */
    uint32_t fraction_ns;   /* of the second part of a time stamp */
    uint32_t record_bytes;  /* before each frame of a pcap file */
    struct capture_interface *interfaces; /* of the current section of a pcapng file */
    unsigned interface_count, interface_room;
};

struct capture_block {
    uint32_t type;
    uint32_t bytes; /* of the whole block */
    bool wanted;    /* false: may be passed over unseen, whatever its size */
};

/*
 * Recognises a file by how it begins. Returns the bytes to be taken off before the first record, or -1 with a phrase
 * that says what it begins with. `format` must be zero; free it afterwards.
 */
int capture_format_begin(struct capture_format *format, const uint8_t *head, size_t size, struct error *error);
void capture_format_free(struct capture_format *format);

/* The four numbers before a frame, where they are not as this machine would have written them: made so. */
void capture_format_turn(const struct capture_format *format, uint32_t numbers[4]);

/*
 * pcap: the record_bytes at `record`. Sets all of `frame` but its bytes. False when it says that more is captured than
 * can be. Inline: it is most of what reading a frame costs.
 */
static inline bool capture_format_record(const struct capture_format *format, const uint8_t *record,
                                         struct frame *frame)
{
    uint32_t seconds = load_u32(record), fraction = load_u32(record + 4);
    uint32_t captured = load_u32(record + 8), length = load_u32(record + 12);

    if (unlikely(format->foreign)) {
        uint32_t numbers[4] = {seconds, fraction, captured, length};

        capture_format_turn(format, numbers);
        seconds = numbers[0];
        fraction = numbers[1];
        captured = numbers[2];
        length = numbers[3];
    }
    frame->captured = captured;
    frame->length = length > captured ? length : captured;
    frame->link = format->link;
    frame->direction = FRAME_UNKNOWN;
    frame->in_iface = 0;
    frame->out_iface = 0;
    frame->when_ns = (int64_t)seconds * 1000000000 + (int64_t)((uint64_t)fraction * format->fraction_ns);
    return captured <= capture_format_frame_max;
}

#define capture_format_block_head_bytes 12 /* the least that a block has; in a section header with its magic number */

/* pcapng: what block begins with these bytes. Turns to the byte order of a section that begins. -1 with a phrase. */
int capture_format_block(struct capture_format *format, const uint8_t *head, struct capture_block *block,
                         struct error *error);

/* pcapng: takes a whole block that is wanted. 1: it is a frame; 0: it is not; -1 with a phrase. */
int capture_format_take(struct capture_format *format, const struct capture_block *block, const uint8_t *bytes,
                        struct frame *frame, struct error *error);

#endif
