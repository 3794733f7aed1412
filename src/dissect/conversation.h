/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is kept of each conversation, and who is the oldest. The flow table, which belongs to others, holds no pointer
 * to it but a handle: a number and the generation of that number's place. So the oldest conversation can be given up
 * at any time, and its handle then finds nothing.
 *
 * Conversations are in lists by the time of their last packet, one list for each dissector (all of a list have the
 * same patience) and one for those of which only a name is left.
 */
#ifndef DISSECT_CONVERSATION_H
#define DISSECT_CONVERSATION_H

#include "dissect/dissector.h"
#include "dissect/pool.h"
#include "dissect/tcp_stream.h"

#define conversation_dissectors_max 16
#define conversation_name_list conversation_dissectors_max
#define conversation_lists (conversation_dissectors_max + 1)
#define conversation_name_max 255

struct conversation {
    struct dissector_conversation open; /* the dissector's side; the first member, so that both have one address */
    struct dissection *dissection;
    struct conversation *older, *newer;
    uint32_t number;
    uint8_t list;             /* the number of its dissector, or conversation_name_list */
    bool client_backwards;    /* the client's packets are those against the flow's direction */
    bool finished;            /* the dissector has seen enough */
    uint8_t name_bytes;
    char *name;               /* tls_sni, or NULL */
    int64_t last_ns;
    struct memory_block *blocks; /* that the dissector has allocated */
    uint32_t syn[2];          /* sequence numbers of the SYNs, where open.whole */
    struct tcp_stream streams[2];
};

struct conversation_table {
    struct pool *pool;
    struct conversation_place {
        struct conversation *conversation; /* NULL: free */
        uint32_t generation;
        uint32_t next_free; /* number + 1 of the next free place, 0: none */
    } *places;
    uint32_t place_count;
    uint32_t first_free;
    struct conversation *oldest[conversation_lists], *newest[conversation_lists];
};

/* What a state can be beside NULL and a conversation. */
enum conversation_kind {
    CONVERSATION_NONE,  /* NULL, or a conversation that was given up */
    CONVERSATION_KNOWN,
    CONVERSATION_SYN,   /* the client's SYN was seen, no answer yet: costs no memory, so a flood of them does no harm */
    CONVERSATION_PASSED /* nothing more to be seen until the next SYN */
};

struct conversation_state {
    enum conversation_kind kind;
    struct conversation *conversation; /* CONVERSATION_KNOWN */
    uint32_t syn;                      /* CONVERSATION_SYN: its sequence number */
};

void conversation_table_start(struct conversation_table *table, struct pool *pool);
void conversation_table_stop(struct conversation_table *table); /* there are no conversations any more */

/* Zeroed but for the table's members, last in its list. NULL: no memory. */
struct conversation *conversation_new(struct conversation_table *table, unsigned list, int64_t now_ns);
void conversation_free(struct conversation_table *table, struct conversation *conversation);
/* A packet of it came: it is the newest of `list` now. */
void conversation_touch(struct conversation_table *table, struct conversation *conversation, unsigned list,
                        int64_t now_ns);
/* The one with the oldest last packet of all but `except`; NULL: there is none. */
struct conversation *conversation_oldest(const struct conversation_table *table, const struct conversation *except);

struct conversation_state conversation_find(const struct conversation_table *table, const void *state);
void *conversation_handle(const struct conversation_table *table, const struct conversation *conversation);
void *conversation_handle_syn(uint32_t sequence);
void *conversation_handle_passed(void);

#endif
