/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who sends: the table of exporters on the ledger, found by agent address, domain (sFlow: sub-agent), version and lane.
 * The last hit is looked at first, then a hash. Sequence numbers of sFlow datagrams are followed here: gaps, late ones,
 * restarts.
 */
#ifndef DECODE_EXPORTER_H
#define DECODE_EXPORTER_H

#include "decode/decode.h"

struct exporter {
    struct ledger_exporter *row; /* its public counters, on the ledger */
    bool started;                /* a sequence number has been seen */
    uint32_t next_sequence;
    uint32_t uptime_ms;          /* of the last datagram, to see restarts */
    uint64_t window;             /* bit i: the datagram next_sequence-1-i was seen */
    void *state;                 /* the decoder's own, freed with free() */
};

struct exporter_table;

/* A table over the rows of ledger->exporters that are the lane's; NULL when out of memory. */
struct exporter_table *exporter_table_new(struct ledger *ledger, unsigned lane);
void exporter_table_free(struct exporter_table *table);

/* Finds the exporter or takes a place for it; NULL when the table is full. Updates source, port, last_ns. */
struct exporter *exporter_find(struct exporter_table *table, const struct address *agent, uint32_t domain,
                               uint32_t version, const struct origin *origin);

/*
 * Follows a datagram sequence that counts datagrams: adds to `lost` for a gap, takes back one of them for a late one
 * inside the window of 64, counts duplicates and restarts (uptime went back, or a jump of more than 2^31 - or far
 * back). Writes to the exporter's row and to the INPUT counters.
 */
void exporter_sequence(struct exporter *exporter, uint64_t *counters, uint32_t sequence, uint32_t uptime_ms);

#endif
