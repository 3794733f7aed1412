/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DNS over UDP and TCP (RFC 1035, 7766): a line for each query with its response. They belong together by id and
 * question, names compared without regard to case (RFC 4343), in whichever direction they go: between two servers
 * both sides ask from port 53.
 */
#include "dissect/builtin.h"
#include "dissect/dns_message.h"

#include <strings.h>

#define queries_max 64  /* open ones of a conversation; more, and the oldest is told as it is */
#define answers_max 32  /* that a line lists */

struct query {
    struct query *next; /* newer */
    int64_t start_ns;
    uint64_t bytes;
    enum dissector_side asker;
    unsigned tries; /* how often it was sent */
    uint16_t id, flags, type, class;
    bool has_question, cut;
    uint32_t name_length;
    char name[];
};

struct dns_state {
    struct query *oldest;
    unsigned count;
};

/* What a line says, from either or both. */
struct exchange {
    const struct query *query;     /* NULL: not seen */
    struct dns_message *response;  /* NULL: none */
    uint64_t response_bytes;
    int64_t when_ns;
    enum dissector_side asker;
    const char *note;
};

static void put_text(struct dissector_conversation *conversation, const char *name, const char *text)
{
    conversation->calls->text(conversation, name, text, strlen(text));
}

/* A number of a registry by its name, else as "TYPE65280" (RFC 3597 section 5). */
static void put_registered(struct dissector_conversation *conversation, const char *member, const char *name,
                           const char *prefix, unsigned number)
{
    char text[24], *end = text;

    if (name != NULL) {
        put_text(conversation, member, name);
        return;
    }
    for (; *prefix != '\0'; prefix++)
        *end++ = *prefix;
    if (number >= 10000)
        *end++ = (char)('0' + number / 10000 % 10);
    if (number >= 1000)
        *end++ = (char)('0' + number / 1000 % 10);
    if (number >= 100)
        *end++ = (char)('0' + number / 100 % 10);
    if (number >= 10)
        *end++ = (char)('0' + number / 10 % 10);
    *end++ = (char)('0' + number % 10);
    conversation->calls->text(conversation, member, text, (size_t)(end - text));
}

static void put_record(struct dissector_conversation *conversation, const struct dns_record *record)
{
    const struct dissector_calls *calls = conversation->calls;

    calls->open(conversation, NULL, '{');
    calls->text(conversation, "name", record->name.text, record->name.length);
    put_registered(conversation, "type", dns_type_name(record->type), "TYPE", record->type);
    if (record->class != 1)
        put_registered(conversation, "class", dns_class_name(record->class), "CLASS", record->class);
    calls->number(conversation, "ttl", record->ttl);
    if (record->data_length > 0)
        calls->text(conversation, "data", record->data, record->data_length);
    calls->close(conversation);
}

/* The answer section; the others are not listed. */
static void put_answers(struct dissector_conversation *conversation, struct dns_message *message)
{
    const struct dissector_calls *calls = conversation->calls;
    struct dns_record record;
    bool whole = true;

    if (message->answers == 0)
        return;
    calls->open(conversation, "answers", '[');
    for (unsigned i = 0; i < message->answers && i < answers_max && whole; i++) {
        whole = dns_message_record(message, &record);
        if (whole)
            put_record(conversation, &record);
    }
    calls->close(conversation);
    if (!whole)
        calls->flag(conversation, "answers_cut", true);
}

static void put_response(struct dissector_conversation *conversation, struct dns_message *response, unsigned rcode,
                         const struct dns_edns *edns)
{
    const struct dissector_calls *calls = conversation->calls;

    put_registered(conversation, "rcode", dns_rcode_name(rcode), "RCODE", rcode);
    calls->flag(conversation, "authoritative", (response->flags & dns_flag_authoritative) != 0);
    calls->flag(conversation, "truncated", (response->flags & dns_flag_truncated) != 0);
    calls->flag(conversation, "recursion_available", (response->flags & dns_flag_recursion_available) != 0);
    calls->flag(conversation, "authentic", (response->flags & dns_flag_authentic) != 0);
    if (edns != NULL) {
        calls->number(conversation, "edns_udp_bytes", edns->udp_bytes);
        calls->flag(conversation, "edns_dnssec_ok", edns->dnssec_ok);
    }
    calls->number(conversation, "answer_count", response->answers);
    calls->number(conversation, "authority_count", response->authorities);
    calls->number(conversation, "additional_count", response->additionals);
    put_answers(conversation, response);
}

static void tell(struct dissector_conversation *conversation, const struct exchange *exchange)
{
    const struct query *query = exchange->query;
    struct dns_message *response = exchange->response;
    const struct dissector_calls *calls = conversation->calls;
    const uint16_t flags = query ? query->flags : response->flags;
    struct dissector_transaction transaction = {.asker = exchange->asker, .note = exchange->note};
    struct dns_edns edns = {0};
    bool has_edns = response != NULL && dns_message_edns(response, &edns);
    unsigned rcode = response != NULL ? edns.rcode_upper | dns_rcode(response->flags) : 0;

    if (query != NULL) {
        transaction.start_ns = query->start_ns;
        transaction.question_bytes = query->bytes;
    }
    if (response != NULL) {
        transaction.end_ns = exchange->when_ns;
        transaction.answer_bytes = exchange->response_bytes;
    }
    transaction.status = response == NULL ? "no answer"
                         : query == NULL  ? "no question"
                         : rcode == 0     ? "ok"
                                          : "error";
    if (!calls->begin(conversation, &transaction))
        return;
    calls->number(conversation, "id", query ? query->id : response->id);
    put_registered(conversation, "opcode", dns_opcode_name(dns_opcode(flags)), "OPCODE", dns_opcode(flags));
    if (query != NULL ? query->has_question : response->has_question) {
        calls->text(conversation, "question", query ? query->name : response->name.text,
                    query ? query->name_length : response->name.length);
        uint16_t type = query ? query->type : response->type, class = query ? query->class : response->class;
        put_registered(conversation, "question_type", dns_type_name(type), "TYPE", type);
        put_registered(conversation, "question_class", dns_class_name(class), "CLASS", class);
    }
    calls->flag(conversation, "recursion_desired", (flags & dns_flag_recursion_desired) != 0);
    calls->flag(conversation, "checking_disabled", (flags & dns_flag_checking_disabled) != 0);
    if (query != NULL && query->tries > 1)
        calls->number(conversation, "tries", query->tries);
    if (response != NULL)
        put_response(conversation, response, rcode, has_edns ? &edns : NULL);
    calls->end(conversation);
}

static void tell_unanswered(struct dissector_conversation *conversation, const struct query *query, const char *note)
{
    tell(conversation, &(struct exchange){.query = query, .asker = query->asker, .note = query->cut ? "cut" : note});
}

/* Takes the oldest query out and tells it. */
static void give_up_oldest(struct dissector_conversation *conversation, const char *note)
{
    struct dns_state *state = conversation->state;
    struct query *query = state->oldest;

    state->oldest = query->next;
    state->count--;
    tell_unanswered(conversation, query, note);
    conversation->calls->release(conversation, query);
}

/* The place of the query with this id and question that went the other way, or that of NULL at the end. */
static struct query **find_query(struct dns_state *state, const struct dns_message *message, enum dissector_side asker)
{
    struct query **place = &state->oldest;

    for (; *place != NULL; place = &(*place)->next) {
        const struct query *query = *place;

        if (query->id != message->id || query->asker != asker)
            continue;
        /* Errors may come back without the question. */
        if (!message->has_question || !query->has_question)
            break;
        if (query->type == message->type && query->class == message->class &&
            query->name_length == message->name.length &&
            strncasecmp(query->name, message->name.text, query->name_length) == 0)
            break;
    }
    return place;
}

static void take_query(struct dissector_conversation *conversation, const struct dns_message *message,
                       enum dissector_side asker, const struct dissector_data *data, bool cut)
{
    struct dns_state *state = conversation->state;
    struct query **place = find_query(state, message, asker), *query = *place;

    if (query != NULL) {
        query->tries++;
        query->bytes += data->length;
        return;
    }
    query = conversation->calls->allocate(conversation, sizeof(*query) + message->name.length);
    if (query == NULL)
        return;
    query->start_ns = data->first_ns;
    query->bytes = data->length;
    query->asker = asker;
    query->tries = 1;
    query->id = message->id;
    query->flags = message->flags;
    query->has_question = message->has_question;
    query->cut = cut;
    if (message->has_question) {
        query->type = message->type;
        query->class = message->class;
        query->name_length = message->name.length;
        memcpy(query->name, message->name.text, message->name.length);
    }
    *place = query; /* find_query went to the end */
    if (++state->count > queries_max)
        give_up_oldest(conversation, "too many");
}

static void take_response(struct dissector_conversation *conversation, struct dns_message *message,
                          enum dissector_side asker, const struct dissector_data *data, bool cut)
{
    struct dns_state *state = conversation->state;
    struct query **place = find_query(state, message, asker), *query = *place;
    struct exchange exchange = {query, message, data->length, data->when_ns, asker, cut ? "cut" : NULL};

    tell(conversation, &exchange);
    if (query == NULL)
        return;
    *place = query->next;
    state->count--;
    conversation->calls->release(conversation, query);
}

static void tell_name(struct dissector_conversation *conversation, const struct dns_name *name)
{
    char small[dns_name_max];

    for (uint32_t i = 0; i < name->length; i++)
        small[i] = name->text[i] >= 'A' && name->text[i] <= 'Z' ? (char)(name->text[i] + 'a' - 'A') : name->text[i];
    conversation->calls->name(conversation, DISSECTOR_NAME_DNS, small, name->length);
}

static void take_message(struct dissector_conversation *conversation, enum dissector_side side,
                         const struct dissector_data *data)
{
    struct dns_state *state = conversation->state;
    struct dns_message message;
    bool cut = data->length > data->size;

    while (state->oldest != NULL && data->when_ns - state->oldest->start_ns > dissector_answer_ns)
        give_up_oldest(conversation, "timeout");
    if (data->size < dns_header_bytes || (!dns_message_start(&message, data->bytes, data->size) && !cut))
        return;
    if (message.has_question)
        tell_name(conversation, &message.name);
    if (!conversation->tells)
        return;
    if ((message.flags & dns_flag_response) == 0)
        take_query(conversation, &message, side, data, cut);
    else
        take_response(conversation, &message, side == DISSECTOR_CLIENT ? DISSECTOR_SERVER : DISSECTOR_CLIENT, data,
                      cut);
}

static void udp_data(struct dissector_conversation *conversation, enum dissector_side side,
                     const struct dissector_data *data)
{
    const struct dns_state *state = conversation->state;

    take_message(conversation, side, data);
    if (state->oldest == NULL)
        conversation->calls->finish(conversation);
}

/* Messages have their length before them (RFC 1035 section 4.2.2). */
static uint64_t tcp_data(struct dissector_conversation *conversation, enum dissector_side side,
                         const struct dissector_data *data)
{
    struct dissector_data message = *data;

    if (data->size < 2)
        return 0;
    message.length = (uint64_t)data->bytes[0] << 8 | data->bytes[1];
    message.bytes += 2;
    message.size = min_u64(data->size - 2, message.length);
    if (message.size < message.length && !data->last)
        return 0;
    if (message.length > 0)
        take_message(conversation, side, &message);
    return 2 + message.length;
}

/* Where the next length is nobody knows now. */
static bool tcp_gap(struct dissector_conversation *conversation, enum dissector_side side, uint64_t missing_bytes)
{
    const struct dns_state *state = conversation->state;

    (void)side;
    (void)missing_bytes;
    while (state->oldest != NULL)
        give_up_oldest(conversation, "gap");
    return false;
}

static void tcp_fin(struct dissector_conversation *conversation, enum dissector_side side, int64_t when_ns)
{
    (void)conversation;
    (void)side;
    (void)when_ns;
}

static void expire(struct dissector_conversation *conversation, enum dissector_reason reason)
{
    struct dns_state *state = conversation->state;

    (void)reason;
    while (state->oldest != NULL)
        give_up_oldest(conversation, NULL);
}

static const uint16_t ports[] = {53, 0};

const struct dissector_ops dns_dissector = {
    .abi = dissector_abi,
    .name = "dns",
    .tcp_ports = ports,
    .udp_ports = ports,
    .state_bytes = sizeof(struct dns_state),
    .idle_ns = dissector_answer_ns,
    .tcp_data = tcp_data,
    .tcp_gap = tcp_gap,
    .tcp_fin = tcp_fin,
    .udp_data = udp_data,
    .expire = expire,
};
