/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any octets as both sides of an SMTP connection, given to the module by a host of its own: lines are begun and ended in
 * turn, lists are closed, and all memory is known.
 *
 * links: src/dissect/modules/smtp.c
 */
#include "dissect/dissector.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define blocks_max 64

static struct host {
    bool in_line, finished;
    int depth;
    void *blocks[blocks_max];
} host;

static bool begin(struct dissector_conversation *conversation, const struct dissector_transaction *transaction)
{
    (void)conversation;
    if (host.in_line || transaction->status == NULL)
        abort();
    host.in_line = true;
    return true;
}

static void text(struct dissector_conversation *conversation, const char *name, const char *bytes, size_t length)
{
    volatile char sum = 0;

    (void)conversation;
    if (!host.in_line || (name == NULL) != (host.depth > 0))
        abort();
    for (size_t i = 0; i < length; i++)
        sum = (char)(sum + bytes[i]);
}

static void number(struct dissector_conversation *conversation, const char *name, uint64_t value)
{
    (void)value;
    text(conversation, name, "", 0);
}

static void flag(struct dissector_conversation *conversation, const char *name, bool value)
{
    (void)value;
    text(conversation, name, "", 0);
}

static void open_part(struct dissector_conversation *conversation, const char *name, char bracket)
{
    (void)conversation;
    if (!host.in_line || name == NULL || bracket != '[')
        abort();
    host.depth++;
}

static void close_part(struct dissector_conversation *conversation)
{
    (void)conversation;
    if (host.depth-- <= 0)
        abort();
}

static void end(struct dissector_conversation *conversation)
{
    (void)conversation;
    if (!host.in_line || host.depth != 0)
        abort();
    host.in_line = false;
}

static void *allocate(struct dissector_conversation *conversation, size_t bytes)
{
    (void)conversation;
    for (unsigned i = 0; i < blocks_max; i++)
        if (host.blocks[i] == NULL)
            return host.blocks[i] = calloc(1, bytes);
    abort();
}

static void release(struct dissector_conversation *conversation, void *memory)
{
    (void)conversation;
    for (unsigned i = 0; memory != NULL && i < blocks_max; i++) {
        if (host.blocks[i] == memory) {
            free(memory);
            host.blocks[i] = NULL;
            return;
        }
    }
    if (memory != NULL)
        abort();
}

static void name(struct dissector_conversation *conversation, enum dissector_name which, const char *bytes, size_t length)
{
    (void)conversation;
    (void)which;
    (void)bytes;
    (void)length;
}

static void finish(struct dissector_conversation *conversation)
{
    (void)conversation;
    host.finished = true;
}

static const struct dissector_calls calls = {begin, text,     number,  flag, open_part, close_part,
                                             end,   allocate, release, name, finish};

/* A piece of one side, as often as the dissector takes some of it; what it leaves is lost. */
static void give(struct dissector_conversation *conversation, enum dissector_side side, const uint8_t *bytes,
                 size_t size, bool last)
{
    uint8_t *copy = malloc(size + (size == 0));
    size_t at = 0;

    if (copy == NULL)
        abort();
    if (size > 0)
        memcpy(copy, bytes, size);
    while (at < size && !host.finished) {
        struct dissector_data data = {.bytes = copy + at, .size = size - at, .first_ns = 1, .when_ns = 2, .last = last};
        uint64_t used = dissector_module.tcp_data(conversation, side, &data);

        if (used == 0)
            break;
        at += min_u64(used, size - at);
    }
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dissector_conversation conversation = {
        .calls = &calls, .ports = {40000, 25}, .proto = 6, .whole = {true, true}, .tells = true};

    host = (struct host){.finished = false};
    conversation.state = calloc(1, dissector_module.state_bytes);
    while (size >= 2 && !host.finished) {
        enum dissector_side side = data[0] & 1 ? DISSECTOR_SERVER : DISSECTOR_CLIENT;
        size_t length = min_u64((size_t)(data[0] >> 3 & 7) << 8 | data[1], size - 2);

        if ((data[0] & 0xc0) == 0xc0 && !dissector_module.tcp_gap(&conversation, side, 10))
            break;
        give(&conversation, side, data + 2, length, (data[0] & 2) != 0);
        data += 2 + length;
        size -= 2 + length;
    }
    dissector_module.expire(&conversation, DISSECTOR_ENDED);
    if (host.in_line)
        abort();
    for (unsigned i = 0; i < blocks_max; i++)
        free(host.blocks[i]);
    free(conversation.state);
    return 0;
}
