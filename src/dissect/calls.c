/* SPDX-License-Identifier: BSD-2-Clause */
/* What a dissector may ask of its host: lines, memory, names. See dissector.h for the contract. */
#include "dissect/private.h"

/* Before each block that a dissector has; they are in a list, so that none outlives its conversation. */
struct memory_block {
    struct memory_block *next, *previous;
    size_t bytes;
    uint64_t unused; /* keeps what follows aligned to 16 bytes */
};

static struct conversation *own(struct dissector_conversation *open)
{
    return (struct conversation *)open; /* its first member */
}

static bool begin(struct dissector_conversation *open, const struct dissector_transaction *transaction)
{
    struct conversation *conversation = own(open);
    struct dissection *dissection = conversation->dissection;
    struct dissector_transaction told = *transaction;

    if (dissection->output == NULL || dissection->record.open)
        return false;
    if (told.note == NULL)
        told.note = dissection->end_note;
    dissection->counts.transactions++;
    dissection->counts.given_up += dissection->giving_up;
    record_begin(&dissection->record, dissection->dissectors.list[conversation->list]->name, open, &told,
                 dissection->utc);
    return true;
}

static void text(struct dissector_conversation *open, const char *name, const char *bytes, size_t length)
{
    record_text(&own(open)->dissection->record, name, bytes, length);
}

static void number(struct dissector_conversation *open, const char *name, uint64_t value)
{
    record_number(&own(open)->dissection->record, name, value);
}

static void flag(struct dissector_conversation *open, const char *name, bool value)
{
    record_flag(&own(open)->dissection->record, name, value);
}

static void open_part(struct dissector_conversation *open, const char *name, char bracket)
{
    record_open(&own(open)->dissection->record, name, bracket);
}

static void close_part(struct dissector_conversation *open)
{
    record_close(&own(open)->dissection->record);
}

static void end(struct dissector_conversation *open)
{
    struct dissection *dissection = own(open)->dissection;

    if (!dissection->record.open)
        return;
    record_end(&dissection->record);
    output_line(dissection->output, dissection->record.line, dissection->record.used);
}

static void *allocate(struct dissector_conversation *open, size_t bytes)
{
    struct conversation *conversation = own(open);
    struct dissection *dissection = conversation->dissection;
    struct memory_block *block = NULL;

    if (bytes <= pool_block_max - sizeof(*block))
        block = pool_take(&dissection->pool, sizeof(*block) + bytes);
    if (block == NULL) {
        dissection->counts.transactions++;
        dissection->counts.given_up++;
        return NULL;
    }
    memset(block, 0, sizeof(*block) + bytes);
    block->bytes = sizeof(*block) + bytes;
    block->next = conversation->blocks;
    if (block->next != NULL)
        block->next->previous = block;
    conversation->blocks = block;
    return block + 1;
}

static void release(struct dissector_conversation *open, void *memory)
{
    struct conversation *conversation = own(open);
    struct memory_block *block = memory;

    if (block == NULL)
        return;
    block--;
    if (block->next != NULL)
        block->next->previous = block->previous;
    if (block->previous != NULL)
        block->previous->next = block->next;
    else
        conversation->blocks = block->next;
    pool_give(&conversation->dissection->pool, block, block->bytes);
}

void calls_release_all(struct conversation *conversation)
{
    while (conversation->blocks != NULL)
        release(&conversation->open, conversation->blocks + 1);
}

static void name(struct dissector_conversation *open, enum dissector_name which, const char *bytes, size_t length)
{
    struct conversation *conversation = own(open);
    struct dissection *dissection = conversation->dissection;
    uint8_t size = (uint8_t)min_u64(length, conversation_name_max);

    if (which == DISSECTOR_NAME_DNS && dissection->want_dns_name) {
        memcpy(dissection->dns_name, bytes, size);
        dissection->dns_name_bytes = size;
    } else if (which == DISSECTOR_NAME_TLS_SNI && dissection->want_tls_sni && size > 0) {
        char *copy = pool_take(&dissection->pool, size);

        if (copy == NULL)
            return;
        memcpy(copy, bytes, size);
        pool_give(&dissection->pool, conversation->name, conversation->name_bytes);
        conversation->name = copy;
        conversation->name_bytes = size;
    }
}

static void finish(struct dissector_conversation *open)
{
    own(open)->finished = true;
}

const struct dissector_calls calls_table = {
    .begin = begin,
    .text = text,
    .number = number,
    .flag = flag,
    .open = open_part,
    .close = close_part,
    .end = end,
    .allocate = allocate,
    .release = release,
    .name = name,
    .finish = finish,
};
