/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packets to conversations, and conversations to their dissectors: which side is the client, the streams of TCP, who
 * is idle, and who has to go when memory is used up.
 */
#include "dissect/dissect.h"

#include <stdlib.h>

#include "dissect/private.h"

#define flag_fin 0x01 /* RFC 9293 section 3.1 */
#define flag_syn 0x02
#define flag_rst 0x04
#define flag_ack 0x10
#define protocol_tcp 6
#define protocol_udp 17

/* Memory that a packet may need of its own; kept free, so that none is refused for the sake of an older one. */
static uint64_t headroom(const struct dissection *dissection)
{
    return min_u64(dissection->pool.limit / 4, 2 * dissection->stream_bytes + 65536);
}

struct dissection *dissection_new(const struct dissection_options *options, struct error *error)
{
    struct dissection *dissection = calloc(1, sizeof(*dissection));

    if (dissection == NULL) {
        error_set(error, "out of memory");
        return NULL;
    }
    pool_start(&dissection->pool, options->memory_bytes);
    conversation_table_start(&dissection->table, &dissection->pool);
    dissection->stream_bytes = options->stream_bytes;
    dissection->utc = options->timestamps_utc;
    dissection->want_tls_sni = options->want_tls_sni;
    dissection->want_dns_name = options->want_dns_name;
    if (dissectors_load(&dissection->dissectors, options, error) < 0)
        goto failed;
    if (options->output_file != NULL &&
        (dissection->output = output_new(options->output_file, options->umask_bits, error)) == NULL) {
        error_wrap(error, "proto_output_file");
        goto failed;
    }
    return dissection;
failed:
    dissection_free(dissection);
    return NULL;
}

/* --- what a stream gives --- */

static uint64_t on_data(void *context, unsigned side, const struct dissector_data *data)
{
    struct conversation *conversation = context;
    const struct dissector_ops *ops = conversation->dissection->dissectors.list[conversation->list];
    uint64_t used = ops->tcp_data(&conversation->open, (enum dissector_side)side, data);

    return conversation->finished ? tcp_stream_stop : min_u64(used, tcp_stream_stop - 1);
}

static bool on_gap(void *context, unsigned side, uint64_t bytes)
{
    struct conversation *conversation = context;
    const struct dissector_ops *ops = conversation->dissection->dissectors.list[conversation->list];

    conversation->dissection->counts.gaps++;
    if (!ops->tcp_gap(&conversation->open, (enum dissector_side)side, bytes))
        conversation->finished = true;
    return !conversation->finished;
}

static void on_fin(void *context, unsigned side, int64_t when_ns)
{
    struct conversation *conversation = context;
    const struct dissector_ops *ops = conversation->dissection->dissectors.list[conversation->list];

    ops->tcp_fin(&conversation->open, (enum dissector_side)side, when_ns);
}

static struct tcp_stream_reader reader_of(struct conversation *conversation)
{
    return (struct tcp_stream_reader){on_data,
                                      on_gap,
                                      on_fin,
                                      conversation,
                                      &conversation->dissection->pool,
                                      conversation->dissection->stream_bytes};
}

/* --- begin and end of a conversation --- */

/* All but the name goes. */
static void empty(struct dissection *dissection, struct conversation *conversation)
{
    const struct dissector_ops *ops = dissection->dissectors.list[conversation->list];

    calls_release_all(conversation);
    for (unsigned side = 0; side < 2; side++)
        tcp_stream_free(&conversation->streams[side], &dissection->pool);
    pool_give(&dissection->pool, conversation->open.state, ops->state_bytes);
    conversation->open.state = NULL;
}

static void remove_conversation(struct dissection *dissection, struct conversation *conversation)
{
    if (conversation->list != conversation_name_list)
        empty(dissection, conversation);
    pool_give(&dissection->pool, conversation->name, conversation->name_bytes);
    conversation_free(&dissection->table, conversation);
}

/* The dissector's last word about it. */
static void expire(struct dissection *dissection, struct conversation *conversation, enum dissector_reason reason,
                   const char *note)
{
    if (conversation->list == conversation_name_list)
        return;
    dissection->end_note = note;
    dissection->giving_up = reason == DISSECTOR_NO_MEMORY;
    dissection->dissectors.list[conversation->list]->expire(&conversation->open, reason);
    dissection->record.open = false;
    dissection->end_note = NULL;
    dissection->giving_up = false;
}

/* Hands on what waits in the streams: the connection was closed or broken, or nothing more is to be expected. */
static void end_streams(struct conversation *conversation, bool closed, int64_t now_ns)
{
    struct tcp_stream_reader reader = reader_of(conversation);

    if (conversation->list == conversation_name_list || conversation->open.proto != protocol_tcp)
        return;
    for (unsigned side = 0; side < 2 && !conversation->finished; side++)
        if (!tcp_stream_end(&conversation->streams[side], &reader, closed, now_ns))
            conversation->finished = true;
}

static void make_room(struct dissection *dissection, const struct conversation *except)
{
    uint64_t most = dissection->pool.limit - headroom(dissection);

    while (dissection->pool.used > most) {
        struct conversation *oldest = conversation_oldest(&dissection->table, except);

        if (oldest == NULL)
            return;
        dissection->giving_up = true; /* what waits in its streams, too */
        end_streams(oldest, false, oldest->last_ns);
        expire(dissection, oldest, DISSECTOR_NO_MEMORY, "memory");
        dissection->giving_up = false;
        remove_conversation(dissection, oldest);
    }
}

/* Who sends this packet, and whose port it is. False: nobody's. */
static bool find_owner(const struct dissection *dissection, const struct dissect_packet *packet,
                       const struct flow *flow, unsigned *number, bool *from_client)
{
    const struct dissectors *dissectors = &dissection->dissectors;
    const uint8_t *owner = flow->proto == protocol_tcp ? dissectors->tcp_owner : dissectors->udp_owner;
    uint8_t to = owner[flow->dst_port], from = owner[flow->src_port];
    bool syn = flow->proto == protocol_tcp && (packet->tcp_flags & flag_syn) != 0;

    if (syn && (packet->tcp_flags & flag_ack) != 0)
        to = 0;
    else if (syn)
        from = 0;
    *from_client = to != 0;
    *number = (to != 0 ? to : from) - 1u;
    return to != 0 || from != 0;
}

static struct conversation *begin(struct dissection *dissection, const struct dissect_packet *packet,
                                  const struct flow *flow, unsigned number, bool from_client)
{
    const struct dissector_ops *ops = dissection->dissectors.list[number];
    struct conversation *conversation;
    enum dissector_side from = from_client ? DISSECTOR_CLIENT : DISSECTOR_SERVER;

    make_room(dissection, NULL);
    conversation = conversation_new(&dissection->table, number, packet->when_ns);
    if (conversation == NULL)
        return NULL;
    conversation->dissection = dissection;
    conversation->open.state = pool_take(&dissection->pool, ops->state_bytes);
    if (conversation->open.state == NULL) {
        conversation_free(&dissection->table, conversation);
        return NULL;
    }
    memset(conversation->open.state, 0, ops->state_bytes);
    conversation->open.calls = &calls_table;
    conversation->open.tells = dissection->output != NULL;
    conversation->open.proto = flow->proto;
    conversation->open.hosts[from] = flow->src_host;
    conversation->open.ports[from] = flow->src_port;
    conversation->open.hosts[1 - from] = flow->dst_host;
    conversation->open.ports[1 - from] = flow->dst_port;
    conversation->client_backwards = packet->backwards == from_client;
    for (unsigned side = 0; side < 2; side++)
        conversation->streams[side].side = (uint8_t)side;
    return conversation;
}

/* --- packets --- */

/* A SYN tells where a side begins. False: of a new connection, where the old one has not ended for us. */
static bool take_syn(struct conversation *conversation, enum dissector_side side, uint32_t sequence)
{
    if (conversation->open.whole[side])
        return conversation->syn[side] == sequence;
    if (conversation->streams[side].begun)
        return false;
    conversation->open.whole[side] = true;
    conversation->syn[side] = sequence;
    tcp_stream_syn(&conversation->streams[side], sequence);
    return true;
}

/* False: the conversation is over. */
static bool take_tcp(struct conversation *conversation, enum dissector_side side, const struct dissect_packet *packet)
{
    struct tcp_stream_reader reader = reader_of(conversation);
    struct tcp_packet piece = {packet->payload,
                               packet->captured,
                               packet->length,
                               packet->sequence + ((packet->tcp_flags & flag_syn) != 0),
                               (packet->tcp_flags & flag_fin) != 0,
                               packet->when_ns};

    if ((packet->tcp_flags & flag_rst) != 0) {
        end_streams(conversation, true, packet->when_ns);
        return false;
    }
    if ((piece.length > 0 || piece.fin) && !tcp_stream_packet(&conversation->streams[side], &reader, &piece))
        return false;
    for (unsigned i = 0; i < 2; i++)
        if (!tcp_stream_tick(&conversation->streams[i], &reader, packet->when_ns))
            return false;
    return !conversation->streams[0].ended || !conversation->streams[1].ended;
}

static bool take(struct dissection *dissection, struct conversation *conversation, const struct dissect_packet *packet)
{
    enum dissector_side side =
        packet->backwards == conversation->client_backwards ? DISSECTOR_CLIENT : DISSECTOR_SERVER;

    if (conversation->open.proto == protocol_tcp)
        return take_tcp(conversation, side, packet);
    struct dissector_data data = {.bytes = packet->payload,
                                  .size = packet->captured,
                                  .first_ns = packet->when_ns,
                                  .when_ns = packet->when_ns,
                                  .length = packet->length,
                                  .last = true};
    dissection->dissectors.list[conversation->list]->udp_data(&conversation->open, side, &data);
    return !conversation->finished;
}

/* The dissector has seen enough, or the connection is over: only a name stays, where one is wanted and known. */
static void *conclude(struct dissection *dissection, struct conversation *conversation)
{
    bool tcp = conversation->open.proto == protocol_tcp;

    expire(dissection, conversation, DISSECTOR_ENDED, "closed");
    if (conversation->name != NULL) {
        empty(dissection, conversation);
        conversation_touch(&dissection->table, conversation, conversation_name_list, conversation->last_ns);
        return conversation_handle(&dissection->table, conversation);
    }
    remove_conversation(dissection, conversation);
    return tcp ? conversation_handle_passed() : NULL;
}

/* The conversation of a packet, as far as there is one or has to be. */
static struct conversation *conversation_of(struct dissection *dissection, void **state,
                                            const struct dissect_packet *packet, const struct flow *flow)
{
    struct conversation_state known = conversation_find(&dissection->table, *state);
    bool tcp = flow->proto == protocol_tcp, syn = tcp && (packet->tcp_flags & flag_syn) != 0, from_client;
    struct conversation *conversation;
    unsigned number;

    if (known.kind == CONVERSATION_KNOWN) {
        enum dissector_side side = packet->backwards == known.conversation->client_backwards ? DISSECTOR_CLIENT
                                                                                              : DISSECTOR_SERVER;
        bool goes_on = !syn || known.conversation->list == conversation_name_list
                           ? !syn || (packet->tcp_flags & flag_ack) != 0
                           : take_syn(known.conversation, side, packet->sequence);
        if (goes_on)
            return known.conversation;
        dissection_release(dissection, *state);
        known.kind = CONVERSATION_NONE;
    }
    if (known.kind == CONVERSATION_PASSED && !syn)
        return NULL;
    *state = NULL;
    if (!find_owner(dissection, packet, flow, &number, &from_client))
        return NULL;
    if (syn && from_client && packet->length == 0) {
        *state = conversation_handle_syn(packet->sequence);
        return NULL;
    }
    if (tcp && !syn && packet->length == 0) {
        if (known.kind == CONVERSATION_SYN)
            *state = (packet->tcp_flags & flag_rst) != 0 ? NULL : conversation_handle_syn(known.syn);
        return NULL;
    }
    conversation = begin(dissection, packet, flow, number, from_client);
    if (conversation == NULL)
        return NULL;
    if (known.kind == CONVERSATION_SYN)
        take_syn(conversation, DISSECTOR_CLIENT, known.syn);
    if (syn)
        take_syn(conversation, from_client ? DISSECTOR_CLIENT : DISSECTOR_SERVER, packet->sequence);
    *state = conversation_handle(&dissection->table, conversation);
    return conversation;
}

static void set_names(struct dissection *dissection, const struct conversation *conversation)
{
    if (conversation->name == NULL)
        return;
    memcpy(dissection->tls_sni, conversation->name, conversation->name_bytes);
    dissection->tls_sni_bytes = conversation->name_bytes;
}

void dissection_packet(struct dissection *dissection, void **state, const struct dissect_packet *given,
                       struct flow *flow)
{
    struct dissect_packet bounded = *given;
    const struct dissect_packet *packet = &bounded;
    struct conversation *conversation;

    bounded.captured = (uint32_t)min_u64(given->captured, given->length); /* more is padding of the link */
    conversation = conversation_of(dissection, state, packet, flow);
    dissection->dns_name_bytes = dissection->tls_sni_bytes = 0;
    if (conversation == NULL)
        return;
    conversation_touch(&dissection->table, conversation, conversation->list, packet->when_ns);
    if (conversation->list != conversation_name_list) {
        bool goes_on;

        make_room(dissection, conversation);
        goes_on = take(dissection, conversation, packet);
        dissection->record.open = false; /* a line that was begun and not ended is nobody's */
        set_names(dissection, conversation);
        if (!goes_on)
            *state = conclude(dissection, conversation);
    } else {
        set_names(dissection, conversation);
    }
    if (dissection->tls_sni_bytes > 0)
        flow_set_tls_sni(flow, (struct span){dissection->tls_sni, dissection->tls_sni_bytes});
    if (dissection->dns_name_bytes > 0)
        flow_set_dns_name(flow, (struct span){dissection->dns_name, dissection->dns_name_bytes});
}

bool dissection_looks(const struct dissection *dissection, const void *state, const struct flow *flow)
{
    const uint64_t *bits;

    if (!flow_has(flow, FIELD_PROTO) || !flow_has(flow, FIELD_SRC_PORT) || !flow_has(flow, FIELD_DST_PORT))
        return false;
    if (flow->proto == protocol_tcp)
        bits = dissection->dissectors.tcp_bits;
    else if (flow->proto == protocol_udp)
        bits = dissection->dissectors.udp_bits;
    else
        return false;
    if (state == conversation_handle_passed())
        return flow_has(flow, FIELD_TCPFLAGS) && (flow->tcpflags & flag_syn) != 0;
    return state != NULL || dissectors_have(bits, flow->dst_port) || dissectors_have(bits, flow->src_port);
}

/* --- time and the end --- */

static void end_conversation(struct dissection *dissection, struct conversation *conversation,
                             enum dissector_reason reason, const char *note)
{
    end_streams(conversation, false, conversation->last_ns);
    expire(dissection, conversation, reason, note);
    remove_conversation(dissection, conversation);
}

void dissection_release(struct dissection *dissection, void *state)
{
    struct conversation_state known = conversation_find(&dissection->table, state);

    if (known.kind == CONVERSATION_KNOWN)
        end_conversation(dissection, known.conversation, DISSECTOR_ENDED, "closed");
}

void dissection_tick(struct dissection *dissection, int64_t now_ns)
{
    for (unsigned i = 0; i < dissection->dissectors.count; i++) {
        int64_t idle_ns = dissection->dissectors.list[i]->idle_ns;

        while (dissection->table.oldest[i] != NULL && now_ns - dissection->table.oldest[i]->last_ns >= idle_ns)
            end_conversation(dissection, dissection->table.oldest[i], DISSECTOR_IDLE, "timeout");
    }
}

void dissection_free(struct dissection *dissection)
{
    struct conversation *conversation;

    if (dissection == NULL)
        return;
    while ((conversation = conversation_oldest(&dissection->table, NULL)) != NULL)
        end_conversation(dissection, conversation, DISSECTOR_ENDED, "stop");
    conversation_table_stop(&dissection->table);
    pool_stop(&dissection->pool);
    output_free(dissection->output);
    free(dissection);
}

void dissection_flush(struct dissection *dissection)
{
    if (dissection->output != NULL)
        output_flush(dissection->output);
}

void dissection_reopen(struct dissection *dissection)
{
    if (dissection->output != NULL)
        output_reopen(dissection->output);
}

struct dissection_counts dissection_counts(const struct dissection *dissection)
{
    struct dissection_counts counts = dissection->counts;

    if (dissection->output != NULL) {
        counts.lines = output_lines(dissection->output);
        counts.lines_lost = output_lost(dissection->output);
    }
    counts.memory_bytes = dissection->pool.used + dissection->pool.kept;
    return counts;
}
