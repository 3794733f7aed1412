/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any octets as a datagram from netlink: every frame lies within the datagram, is at least as long as what was captured
 * of it, and has a link type that the decoder knows.
 */
#include "net/nflog_message.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct datagram {
    const uint8_t *bytes;
    size_t size;
    unsigned char sum; /* so that the reading is not left out */
};

static void check_frame(void *context, const struct frame *frame)
{
    struct datagram *datagram = context;

    if (frame->bytes < datagram->bytes || frame->bytes > datagram->bytes + datagram->size ||
        frame->captured > (size_t)(datagram->bytes + datagram->size - frame->bytes))
        abort();
    if (frame->length < frame->captured || (frame->link != 1 && frame->link != 101))
        abort();
    if (frame->link == 1 && frame->captured < 14)
        abort();
    for (uint32_t i = 0; i < frame->captured; i++)
        datagram->sum = (unsigned char)(datagram->sum + frame->bytes[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size > 0 ? size : 1); /* it is written to */
    struct datagram datagram = {copy, size, 0};
    struct nflog_reader reader = {.frame = check_frame, .context = &datagram};

    if (copy == NULL)
        return 0;
    memcpy(copy, data, size);
    nflog_message_read(&reader, copy, size, 1);
    if (reader.frames > size / 20)
        abort();
    free(copy);
    return 0;
}
