/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/session_table.h"

void session_table_init(struct session_table *table)
{
    memset(table, 0, sizeof(*table));
    table->seed = hash_seed_new();
}

static struct session **bucket_of(struct session_table *table, const struct address *peer, uint16_t port)
{
    uint64_t key[3] = {load_u64(peer->bytes), load_u64(peer->bytes + 8), port};

    return &table->buckets[hash_words(key, array_length(key), table->seed) & (session_table_buckets - 1)];
}

void session_table_add(struct session_table *table, struct session *session)
{
    struct session **bucket = bucket_of(table, &session->peer, session->port);

    session->place = table->count;
    table->list[table->count++] = session;
    if (session->kind != SESSION_DTLS)
        return;
    session->next = *bucket;
    *bucket = session;
}

void session_table_remove(struct session_table *table, struct session *session)
{
    struct session *last = table->list[--table->count], **link = bucket_of(table, &session->peer, session->port);

    table->list[session->place] = last;
    last->place = session->place;
    if (session->kind != SESSION_DTLS)
        return;
    while (*link != session)
        link = &(*link)->next;
    *link = session->next;
}

struct session *session_table_find(struct session_table *table, const struct address *peer, uint16_t port, bool open)
{
    for (struct session *s = *bucket_of(table, peer, port); s != NULL; s = s->next)
        if (s->port == port && s->open == open && address_equal(&s->peer, peer))
            return s;
    return NULL;
}

struct session *session_table_oldest_silent(const struct session_table *table)
{
    struct session *oldest = NULL;

    for (unsigned i = 0; i < table->count; i++) {
        struct session *session = table->list[i];

        if (session->messages == 0 && (oldest == NULL || session->since_ns < oldest->since_ns))
            oldest = session;
    }
    return oldest;
}
