/* SPDX-License-Identifier: BSD-2-Clause */
#include "dissect/conversation.h"

#include <stdlib.h>

/* A handle: generation or sequence number in the upper half, in the lower one number + 1 or one of these. */
#define low_syn UINT32_MAX
#define low_passed (UINT32_MAX - 1)
#define places_first 64
#define places_max (UINT32_C(1) << 30)

_Static_assert(sizeof(uintptr_t) == 8, "a handle has two numbers of 32 bits");

static void *handle(uint32_t high, uint32_t low)
{
    return (void *)((uintptr_t)high << 32 | low); /* an opaque number to others, never dereferenced */
}

void conversation_table_start(struct conversation_table *table, struct pool *pool)
{
    *table = (struct conversation_table){.pool = pool};
}

void conversation_table_stop(struct conversation_table *table)
{
    pool_discharge(table->pool, table->place_count * sizeof(*table->places));
    free(table->places);
    table->places = NULL;
    table->place_count = 0;
}

/* Twice as many places, the new ones free. */
static bool grow(struct conversation_table *table)
{
    uint32_t old = table->place_count, count = old ? old * 2 : places_first;
    struct conversation_place *places;

    if (old >= places_max || !pool_charge(table->pool, (count - old) * sizeof(*places)))
        return false;
    places = realloc(table->places, count * sizeof(*places));
    if (places == NULL) {
        pool_discharge(table->pool, (count - old) * sizeof(*places));
        return false;
    }
    for (uint32_t i = old; i < count; i++)
        places[i] = (struct conversation_place){.next_free = i + 1 < count ? i + 2 : 0};
    table->places = places;
    table->place_count = count;
    table->first_free = old + 1;
    return true;
}

static void append(struct conversation_table *table, struct conversation *conversation, unsigned list)
{
    conversation->list = (uint8_t)list;
    conversation->newer = NULL;
    conversation->older = table->newest[list];
    if (conversation->older != NULL)
        conversation->older->newer = conversation;
    else
        table->oldest[list] = conversation;
    table->newest[list] = conversation;
}

static void take_out(struct conversation_table *table, struct conversation *conversation)
{
    unsigned list = conversation->list;

    if (conversation->older != NULL)
        conversation->older->newer = conversation->newer;
    else
        table->oldest[list] = conversation->newer;
    if (conversation->newer != NULL)
        conversation->newer->older = conversation->older;
    else
        table->newest[list] = conversation->older;
}

struct conversation *conversation_new(struct conversation_table *table, unsigned list, int64_t now_ns)
{
    struct conversation *conversation;
    struct conversation_place *place;

    if (table->first_free == 0 && !grow(table))
        return NULL;
    conversation = pool_take(table->pool, sizeof(*conversation));
    if (conversation == NULL)
        return NULL;
    memset(conversation, 0, sizeof(*conversation));
    conversation->number = table->first_free - 1;
    place = &table->places[conversation->number];
    table->first_free = place->next_free;
    place->conversation = conversation;
    conversation->last_ns = now_ns;
    append(table, conversation, list);
    return conversation;
}

void conversation_free(struct conversation_table *table, struct conversation *conversation)
{
    struct conversation_place *place = &table->places[conversation->number];

    take_out(table, conversation);
    place->conversation = NULL;
    place->generation++;
    place->next_free = table->first_free;
    table->first_free = conversation->number + 1;
    pool_give(table->pool, conversation, sizeof(*conversation));
}

void conversation_touch(struct conversation_table *table, struct conversation *conversation, unsigned list,
                        int64_t now_ns)
{
    conversation->last_ns = now_ns;
    if (conversation->newer == NULL && conversation->list == list)
        return;
    take_out(table, conversation);
    append(table, conversation, list);
}

struct conversation *conversation_oldest(const struct conversation_table *table, const struct conversation *except)
{
    struct conversation *oldest = NULL;

    for (unsigned i = 0; i < conversation_lists; i++) {
        struct conversation *candidate = table->oldest[i];

        if (candidate != NULL && candidate == except)
            candidate = candidate->newer;
        if (candidate != NULL && (oldest == NULL || candidate->last_ns < oldest->last_ns))
            oldest = candidate;
    }
    return oldest;
}

struct conversation_state conversation_find(const struct conversation_table *table, const void *state)
{
    uint32_t high = (uint32_t)((uintptr_t)state >> 32), low = (uint32_t)(uintptr_t)state;
    const struct conversation_place *place;

    if (low == low_syn)
        return (struct conversation_state){.kind = CONVERSATION_SYN, .syn = high};
    if (low == low_passed)
        return (struct conversation_state){.kind = CONVERSATION_PASSED};
    if (low == 0 || low > table->place_count)
        return (struct conversation_state){.kind = CONVERSATION_NONE};
    place = &table->places[low - 1];
    if (place->conversation == NULL || place->generation != high)
        return (struct conversation_state){.kind = CONVERSATION_NONE};
    return (struct conversation_state){.kind = CONVERSATION_KNOWN, .conversation = place->conversation};
}

void *conversation_handle(const struct conversation_table *table, const struct conversation *conversation)
{
    return handle(table->places[conversation->number].generation, conversation->number + 1);
}

void *conversation_handle_syn(uint32_t sequence)
{
    return handle(sequence, low_syn);
}

void *conversation_handle_passed(void)
{
    return handle(0, low_passed);
}
