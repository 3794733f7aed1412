/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the sFlow decoder share: the decoder's own state, the scratch of one sample, and who calls whom:
 *
 *   sflow.c          datagram headers, samples of version 5        -> flow_sample.c, counter_sample.c
 *   old_versions.c   samples of versions 2 and 4                   -> flow_sample.c, flow_record.c, counter_sample.c
 *   flow_sample.c    sample headers, records of one flow sample    -> flow_record.c, settle.c, source.c
 *   flow_record.c    the table of flow records and their readers   -> gateway.c
 *   gateway.c        AS path, communities; texts joined by '_'
 *   settle.c         scratch of a sample -> one struct flow        -> packet decoder
 *   counter_sample.c counter records as JSON lines                 -> counter_table.c, line.c
 *
 * Rules of counting. Each sample whose header begins counts once in samples_seen and once as what it turned out to
 * be. A sample whose own length, number of records or record lengths do not fit is malformed and gives no record; in
 * version 5 the next sample begins where the length says. A record that is shorter than its fields gives those it has
 * and counts in structures_malformed; a longer one has newer fields, which are no fault. A datagram is malformed when
 * its header is cut, when it has fewer samples than it says or bytes after the last one, or when a sample reaches
 * past its end.
 */
#ifndef DECODE_SFLOW_PRIVATE_H
#define DECODE_SFLOW_PRIVATE_H

#include "base/cursor.h"
#include "decode/exporter.h"
#include "decode/packet/packet.h"
#include "decode/sequence.h"
#include "decode/sflow/sflow.h"

/* Data sources of one exporter whose sequences are followed; a power of two. More are decoded all the same. */
#define sflow_sources_max 1024

struct sflow_source {
    uint32_t index;
    uint16_t class_id;
    uint16_t life; /* of the exporter, see sflow_state; 0: this place is free */
    uint32_t drops;
    struct sequence sequence;
};

/* An agent with counter lines: its sub-agents share one numbering, because they share one file. */
struct sflow_agent {
    struct sflow_agent *next;
    struct address address;
    uint64_t line; /* number of the next line; 0: log_init has not been written */
};

/* What hangs at an exporter (struct exporter, state). Allocated once, when its first datagram comes. */
struct sflow_state {
    struct sflow_agent *agent; /* NULL until its first counter line; owned by struct sflow */
    uint64_t restarts_seen;
    uint16_t life; /* counts restarts from 1: sources of an earlier life begin anew */
    struct sflow_source sources[sflow_sources_max];
};

/* Which members of struct sflow_sample are there. */
enum {
    PART_HEADER = 1 << 0,
    PART_IPV4 = 1 << 1,
    PART_IPV6 = 1 << 2,
    PART_ETHERNET = 1 << 3,
    PART_SWITCH = 1 << 4,
    PART_MPLS = 1 << 5,
    PART_VLAN_TUNNEL = 1 << 6,
    PART_VLAN_IN = 1 << 7,
    PART_VLAN_OUT = 1 << 8,
    PART_TUNNEL = 1 << 9, /* << 0, 1 ethernet egress, ingress; 2, 3 IPv4; 4, 5 IPv6 */
    PART_VNI_EGRESS = 1 << 15,
    PART_VNI_INGRESS = 1 << 16,
    PART_ROUTER_NEXT_HOP = 1 << 17,
    PART_PACKET = PART_HEADER | PART_IPV4 | PART_IPV6 | PART_ETHERNET,
    PART_TUNNELS = 0x3f * PART_TUNNEL,
    PART_RARE = PART_MPLS | PART_VLAN_TUNNEL | PART_VLAN_IN | PART_VLAN_OUT | PART_TUNNELS | PART_VNI_EGRESS |
                PART_VNI_INGRESS
};

/* A counted list of 32-bit words in the datagram. */
struct sflow_words {
    const uint8_t *at;
    uint32_t count;
};

/* Octets of the structures that hold a packet or an outer packet, and of their part without which they say nothing. */
#define sflow_ethernet_bytes 24
#define sflow_ipv4_bytes 32
#define sflow_ipv4_least 16
#define sflow_ipv6_bytes 56
#define sflow_ipv6_least 40

/*
 * One flow or discarded-packet sample. Only `have` is cleared between samples. Pointers are into the datagram, or into
 * `padded` for a structure that came short.
 */
struct sflow_sample {
    uint32_t sequence, source_class, source_index, sampling_rate, drops;
    uint32_t input_format, input, output_format, output; /* format 0 ifIndex, 1 discarded, 2 many */
    uint32_t input_word, output_word;                    /* as sent */
    bool discard;
    uint32_t reason;

    uint32_t have;
    uint32_t header_protocol, frame_bytes, stripped_bytes, header_bytes;
    const uint8_t *header;
    const uint8_t *ipv4, *ipv6, *ethernet;
    const uint8_t *tunnel[6]; /* in the order of PART_TUNNEL */
    uint32_t vni_egress, vni_ingress;
    struct address router_next_hop;
    uint32_t source_vlan, source_priority, destination_vlan;
    struct sflow_words mpls, vlan_tunnel, vlan_in, vlan_out;
    uint8_t padded_ipv4[sflow_ipv4_bytes], padded_ipv6[sflow_ipv6_bytes];
    uint8_t padded_tunnel[6][sflow_ipv6_bytes];
};

#define sflow_record_unwanted 255

/* The index of flow records has a place for formats 0 to 63 and 1000 to 1063 of enterprise 0. */
static inline unsigned sflow_record_place(uint32_t data_format)
{
    if (data_format < 64)
        return data_format;
    if (data_format - 1000 < 64)
        return data_format - 1000 + 64;
    return UINT32_MAX;
}

#define sflow_line_max 65536

struct sflow {
    struct sflow_options options;
    struct decode_output output;
    uint64_t *counters; /* output.counters */
    struct field_set packet_wants; /* output.wants and what the decoder itself must know of a packet */
    bool wants_as_path, wants_communities, wants_mpls_stack, wants_class;
    struct exporter_table *exporters;
    struct sflow_agent *agents;

    /* of the datagram */
    const struct origin *origin;
    struct exporter *exporter;
    struct sflow_state *state;
    struct address agent; /* as reported: of the payload, or the socket's */
    uint32_t version, sub_agent, datagram_sequence;

    struct sflow_sample sample;
    struct flow flow;
    char as_path[flow_string_max], communities[flow_string_max], mpls_stack[flow_string_max];
    char class_name[24], reason_number[12];

    uint8_t flow_record_index[128]; /* of enterprise 0: row + 1 of flow_record.c, 0 unknown, sflow_record_unwanted */
    char *line;                     /* sflow_line_max bytes, when counter lines are asked for */
};

static inline uint32_t load_be32(const uint8_t *p)
{
    return host_be32(load_u32(p));
}

static inline void sflow_count(struct sflow *sflow, enum input_counter id)
{
    counter_add(&sflow->counters[id], 1);
}

/* A list of words: its count is bounded by the octets that are there. False when they are fewer. */
bool sflow_read_words(struct cursor *cursor, struct sflow_words *words);
/* An address with its type word. False: type 0, nothing follows. An unknown type fails the cursor. */
bool sflow_read_address(struct cursor *cursor, struct address *address);
/* Skips opaque<> or string<> with its padding. */
void sflow_skip_opaque(struct cursor *cursor);

/* Samples of version 5: `body` is exactly the sample. False when it is malformed. */
bool sflow_flow_sample(struct sflow *sflow, struct cursor body, bool expanded);
bool sflow_discard_sample(struct sflow *sflow, struct cursor body);
bool sflow_counter_sample(struct sflow *sflow, struct cursor body, bool expanded);

/* All samples of a datagram of version 2 or 4. False when not all could be read. */
bool sflow_old_samples(struct sflow *sflow, struct cursor *cursor, uint32_t count);

/* Splits interface words of the not expanded form into sample->input, output and their formats. */
void sflow_set_interfaces(struct sflow_sample *sample, uint32_t input, uint32_t output);
/* Clears what the last sample left behind. */
void sflow_begin_sample(struct sflow *sflow);
/* Makes the record of the sample and hands it over, or counts why there is none. */
void sflow_settle(struct sflow *sflow);

/* Flow records. The readers return false for one that is shorter than its fields. */
void sflow_index_flow_records(struct sflow *sflow);
void sflow_flow_record(struct sflow *sflow, uint32_t data_format, const uint8_t *bytes, size_t size);
bool sflow_read_header(struct sflow *sflow, struct cursor *cursor, bool with_stripped);
bool sflow_read_ipv4(struct sflow *sflow, struct cursor *cursor);
bool sflow_read_ipv6(struct sflow *sflow, struct cursor *cursor);
bool sflow_read_switch(struct sflow *sflow, struct cursor *cursor);
bool sflow_read_router(struct sflow *sflow, struct cursor *cursor);
/* Extended gateway as `version` (2, 4 or 5) lays it out. */
bool sflow_read_gateway(struct sflow *sflow, struct cursor *cursor, uint32_t version);

/* Sets the label fields from a stack of MPLS shims, which is not empty. */
void sflow_set_labels(struct sflow *sflow, const struct sflow_words *shims);

/* Counter records. */
struct sflow_counter_header {
    uint32_t sequence, source_class, source_index;
};
void sflow_counter_record(struct sflow *sflow, const struct sflow_counter_header *header, uint32_t data_format,
                          struct cursor record);

/* Follows a flow sample's data source: what is missing by its sequence, what the agent says it dropped. */
void sflow_follow_source(struct sflow *sflow, const struct sflow_sample *sample);

/* The word for a drop reason, or NULL for a number that has none. */
const char *sflow_drop_reason(uint32_t reason);

/*
 * A counter structure: its fields in wire order as text, "<type><name> ...". Types: 4 u32, 8 u64, i i32, % hundredths
 * of a percent, f IEEE single, 1 octet, s string, m MAC, u UUID; and the counted lists M of MACs, P of percents,
 * [name ... ] of structures. A ? stands before fields that a later revision added: a record may end there.
 */
struct sflow_counter_structure {
    uint32_t enterprise, format;
    const char *name;
    const char *fields;
};

const struct sflow_counter_structure *sflow_counter_structure(uint32_t enterprise, uint32_t format);

#endif
