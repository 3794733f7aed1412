/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the host, not the dissectors, share. */
#ifndef DISSECT_PRIVATE_H
#define DISSECT_PRIVATE_H

#include "dissect/conversation.h"
#include "dissect/dissectors.h"
#include "dissect/output.h"
#include "dissect/record.h"

struct dissection {
    struct pool pool;
    struct conversation_table table;
    struct dissectors dissectors;
    struct output *output; /* NULL: only names are wanted */
    struct dissection_counts counts;
    uint64_t stream_bytes;
    bool utc, want_tls_sni, want_dns_name;
    bool giving_up;          /* what is told now is told because memory was used up */
    const char *end_note;    /* of transactions told from expire, where the dissector has no note; or NULL */
    struct dissector_transaction transaction; /* of the line in the making */
    uint8_t dns_name_bytes, tls_sni_bytes;
    char dns_name[conversation_name_max], tls_sni[conversation_name_max]; /* of the packet in hand */
    struct record record;
};

/* What dissectors call. */
extern const struct dissector_calls calls_table;

/* Gives back all blocks that the dissector has allocated for it. */
void calls_release_all(struct conversation *conversation);

#endif
