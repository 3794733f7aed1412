/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which sessions there are: a list of all, and those of DTLS also by the address of their peer, since they share one
 * socket. It owns nothing.
 */
#ifndef CORE_SESSION_TABLE_H
#define CORE_SESSION_TABLE_H

#include "base/hash.h"
#include "core/session.h"

#define session_table_max 1024
#define session_table_buckets 1024 /* a power of two */

struct session_table {
    struct session *list[session_table_max];
    unsigned count;
    struct session *buckets[session_table_buckets];
    struct hash_seed seed;
};

void session_table_init(struct session_table *table);

/* There is room for session_table_max; the caller has looked. `place` and `next` are kept here. */
void session_table_add(struct session_table *table, struct session *session);
/* The last of the list takes its place there. */
void session_table_remove(struct session_table *table, struct session *session);

/*
 * The DTLS session of a peer, or NULL. One that starts anew has two for a while: the one that is open and the one in
 * its handshake.
 */
struct session *session_table_find(struct session_table *table, const struct address *peer, uint16_t port, bool open);

/* The one that is there longest of those that brought no message so far, or NULL. */
struct session *session_table_oldest_silent(const struct session_table *table);

#endif
