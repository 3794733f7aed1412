/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HTTP/1 (RFC 9110, 9112): a line for each request with its response. Requests may be pipelined; responses come in
 * their order. Bodies are passed over by their length or chunk by chunk, unseen and often uncaptured. What is no HTTP
 * at the start of a connection ends the matter; after a hole, or in the middle, a packet that begins with a start
 * line begins anew.
 */
#include "dissect/builtin.h"
#include "dissect/http_head.h"

#define requests_max 32 /* without a response yet; more, and the oldest is told as it is */
#define method_max 24   /* bytes of texts that are kept */
#define path_max 512
#define query_max 128 /* often holds what is nobody's business: enough to tell requests apart */
#define name_max 255
#define line_max 4096 /* of a chunk's size or a trailer */

enum phase {
    PHASE_BEGIN, /* nothing seen yet */
    PHASE_HEAD,
    PHASE_BODY,        /* of a known length, being passed over */
    PHASE_CHUNK,       /* a chunk's size comes next, after what is passed over */
    PHASE_TRAILER,
    PHASE_UNTIL_CLOSE, /* body of a response without a length */
    PHASE_LOST         /* until a start line begins a packet */
};

enum text { TEXT_METHOD, TEXT_PATH, TEXT_QUERY, TEXT_HOST, TEXT_USER_AGENT, TEXT_CONTENT_TYPE, TEXT_COUNT };

static const struct {
    const char *member;
    uint16_t max;
} texts[TEXT_COUNT] = {
    [TEXT_METHOD] = {"method", method_max},       [TEXT_PATH] = {"path", path_max},
    [TEXT_QUERY] = {"query", query_max},          [TEXT_HOST] = {"host", name_max},
    [TEXT_USER_AGENT] = {"user_agent", name_max}, [TEXT_CONTENT_TYPE] = {"request_content_type", name_max},
};

struct request {
    struct request *next; /* newer */
    int64_t start_ns;
    uint64_t head_bytes, body_bytes;
    uint8_t minor;
    bool head_only; /* HEAD: its response has no body */
    bool connect;
    bool cut;
    uint16_t lengths[TEXT_COUNT];
    char texts[]; /* one behind the other */
};

struct response {
    bool active; /* its head was seen, its body is not over */
    bool cut;
    uint8_t minor;
    uint16_t status;
    uint16_t content_type_bytes;
    int64_t start_ns, end_ns;
    uint64_t head_bytes, body_bytes;
    char content_type[name_max];
};

struct http_state {
    enum phase phases[2];
    struct request *oldest, **end; /* of the requests without a whole response; end NULL: as new */
    struct request *sending;       /* whose body is not over, or NULL */
    unsigned count;
    struct response response;
};

/* --- telling --- */

static void put_span(struct dissector_conversation *conversation, const char *name, const char *text, size_t length)
{
    if (length > 0)
        conversation->calls->text(conversation, name, text, length);
}

static void put_request(struct dissector_conversation *conversation, const struct request *request)
{
    const char *text = request->texts;

    for (unsigned i = 0; i < TEXT_COUNT; i++) {
        put_span(conversation, texts[i].member, text, request->lengths[i]);
        text += request->lengths[i];
    }
    conversation->calls->number(conversation, "request_body_bytes", request->body_bytes);
}

static void put_response(struct dissector_conversation *conversation, const struct response *response,
                         const struct request *request)
{
    const struct dissector_calls *calls = conversation->calls;

    calls->number(conversation, "status", response->status);
    put_span(conversation, "response_content_type", response->content_type, response->content_type_bytes);
    calls->number(conversation, "response_body_bytes", response->body_bytes);
    if (request != NULL && response->start_ns >= request->start_ns)
        calls->number(conversation, "response_us", (uint64_t)(response->start_ns - request->start_ns) / 1000);
}

static void tell(struct dissector_conversation *conversation, const struct request *request,
                 const struct response *response, const char *note)
{
    uint8_t minor = response != NULL ? response->minor : request->minor;
    const char version[3] = {'1', '.', (char)('0' + minor % 10)};
    struct dissector_transaction transaction = {.asker = DISSECTOR_CLIENT, .note = note};

    if (note == NULL && ((request != NULL && request->cut) || (response != NULL && response->cut)))
        transaction.note = "cut";
    if (request != NULL) {
        transaction.start_ns = request->start_ns;
        transaction.question_bytes = request->head_bytes + request->body_bytes;
    }
    if (response != NULL) {
        transaction.end_ns = response->end_ns;
        transaction.answer_bytes = response->head_bytes + response->body_bytes;
    }
    transaction.status = response == NULL ? "no answer"
                         : request == NULL       ? "no question"
                         : response->status < 400 ? "ok"
                                                  : "error";
    if (!conversation->calls->begin(conversation, &transaction))
        return;
    conversation->calls->text(conversation, "version", version, sizeof(version));
    if (request != NULL)
        put_request(conversation, request);
    if (response != NULL)
        put_response(conversation, response, request);
    conversation->calls->end(conversation);
}

static void drop_oldest(struct dissector_conversation *conversation)
{
    struct http_state *state = conversation->state;
    struct request *request = state->oldest;

    state->oldest = request->next;
    state->count--;
    if (state->oldest == NULL)
        state->end = NULL;
    if (state->sending == request)
        state->sending = NULL;
    conversation->calls->release(conversation, request);
}

/* The response is over, or nothing more is known of it: with the request that it is for. */
static void tell_response(struct dissector_conversation *conversation, const char *note)
{
    struct http_state *state = conversation->state;

    state->response.active = false;
    tell(conversation, state->oldest, &state->response, note);
    if (state->oldest != NULL)
        drop_oldest(conversation);
}

static void tell_unanswered(struct dissector_conversation *conversation, const char *note)
{
    struct http_state *state = conversation->state;

    while (state->oldest != NULL) {
        tell(conversation, state->oldest, NULL, note);
        drop_oldest(conversation);
    }
}

/* --- requests and responses --- */

static struct request *add_request(struct dissector_conversation *conversation, const struct http_head *head)
{
    struct http_state *state = conversation->state;
    const struct span host = head->host.length > 0 ? head->host : head->authority;
    const struct span given[TEXT_COUNT] = {head->method, head->path,       head->query,
                                           host,         head->user_agent, head->content_type};
    struct request *request;
    size_t size = 0;
    char *text;

    for (unsigned i = 0; i < TEXT_COUNT; i++)
        size += min_u64(given[i].length, texts[i].max);
    request = conversation->calls->allocate(conversation, sizeof(*request) + size);
    if (request == NULL)
        return NULL;
    text = request->texts;
    for (unsigned i = 0; i < TEXT_COUNT; i++) {
        request->lengths[i] = (uint16_t)min_u64(given[i].length, texts[i].max);
        if (request->lengths[i] > 0)
            memcpy(text, given[i].data, request->lengths[i]);
        text += request->lengths[i];
    }
    request->minor = head->minor;
    request->head_only = head->method.length == 4 && memcmp(head->method.data, "HEAD", 4) == 0;
    request->connect = head->method.length == 7 && memcmp(head->method.data, "CONNECT", 7) == 0;
    *(state->end != NULL ? state->end : &state->oldest) = request;
    state->end = &request->next;
    if (++state->count > requests_max && !state->response.active) {
        tell(conversation, state->oldest, NULL, "too many");
        drop_oldest(conversation);
    }
    return request;
}

/* What is to be passed over of a body whose length is known, and whether that brings the message to its end. */
static uint64_t begin_body(enum phase *phase, uint64_t head_bytes, uint64_t body_bytes, size_t given)
{
    *phase = head_bytes + body_bytes <= given ? PHASE_HEAD : PHASE_BODY;
    return head_bytes + body_bytes;
}

#define body_max (UINT64_C(1) << 60)

static uint64_t take_request(struct dissector_conversation *conversation, const struct http_head *head,
                             const struct dissector_data *data, size_t head_bytes)
{
    struct http_state *state = conversation->state;
    enum phase *phase = &state->phases[DISSECTOR_CLIENT];
    struct request *request;

    if (state->count > requests_max) {
        /* A response that does not end, and a client that goes on asking: out of step. */
        *phase = PHASE_LOST;
        return data->size;
    }
    request = add_request(conversation, head);
    if (request != NULL) {
        request->start_ns = data->first_ns;
        request->head_bytes = head_bytes;
        request->cut = head_bytes == 0;
    }
    state->sending = request;
    if (head_bytes == 0 || head->coded || head->bad_length || head->length > body_max) {
        *phase = PHASE_LOST;
        return data->size;
    }
    if (head->chunked) {
        *phase = PHASE_CHUNK;
        return head_bytes;
    }
    if (request != NULL)
        request->body_bytes = head->length;
    return begin_body(phase, head_bytes, head->length, data->size);
}

/* RFC 9112 section 6.3: how a response's body ends. */
static uint64_t take_response(struct dissector_conversation *conversation, const struct http_head *head,
                              const struct dissector_data *data, size_t head_bytes)
{
    struct http_state *state = conversation->state;
    enum phase *phase = &state->phases[DISSECTOR_SERVER];
    struct response *response = &state->response;
    const struct request *request = state->oldest;
    uint64_t used = head_bytes;

    if (head->status < 200 && head->status != 101 && head_bytes != 0)
        return head_bytes; /* 100 Continue and the like: the response is still to come */
    *response = (struct response){.active = true, .cut = head_bytes == 0, .minor = head->minor, .status = head->status};
    response->start_ns = data->first_ns;
    response->end_ns = data->when_ns;
    response->head_bytes = head_bytes;
    response->content_type_bytes = (uint16_t)min_u64(head->content_type.length, name_max);
    if (response->content_type_bytes > 0)
        memcpy(response->content_type, head->content_type.data, response->content_type_bytes);
    *phase = PHASE_HEAD;
    if (head->status == 101 || (request != NULL && request->connect && head->status < 300)) {
        tell_response(conversation, NULL);
        conversation->calls->finish(conversation); /* another protocol from here on */
        return used;
    }
    if (head_bytes == 0) {
        *phase = PHASE_LOST;
        used = data->size;
    } else if ((request != NULL && request->head_only) || head->status == 204 || head->status == 304) {
        used = head_bytes;
    } else if (head->chunked) {
        *phase = PHASE_CHUNK;
        return used;
    } else if (head->has_length && !head->bad_length && head->length <= body_max && !head->coded) {
        response->body_bytes = head->length;
        used = begin_body(phase, head_bytes, head->length, data->size);
    } else {
        *phase = PHASE_UNTIL_CLOSE;
        return used;
    }
    if (*phase != PHASE_BODY)
        tell_response(conversation, NULL);
    return used;
}

static void end_message(struct dissector_conversation *conversation, enum dissector_side side, int64_t when_ns)
{
    struct http_state *state = conversation->state;

    state->phases[side] = PHASE_HEAD;
    if (side == DISSECTOR_CLIENT) {
        state->sending = NULL;
    } else if (state->response.active) {
        state->response.end_ns = when_ns;
        tell_response(conversation, NULL);
    }
}

/* --- bytes --- */

static uint64_t take_head(struct dissector_conversation *conversation, enum dissector_side side,
                          const struct dissector_data *data)
{
    struct http_state *state = conversation->state;
    size_t blank = 0, end;
    struct http_head head;

    /* RFC 9112 section 2.2: empty lines before a start line are passed over. */
    while (blank < data->size && (data->bytes[blank] == '\r' || data->bytes[blank] == '\n'))
        blank++;
    if (blank > 0)
        return blank;
    enum http_start start = http_start(data->bytes, data->size);
    if (start == HTTP_START_SHORT && !data->last)
        return 0;
    if (start != (side == DISSECTOR_CLIENT ? HTTP_START_REQUEST : HTTP_START_RESPONSE)) {
        state->phases[side] = PHASE_LOST;
        return data->size;
    }
    end = http_head_end(data->bytes, data->size, data->fresh);
    if (end == 0 && !data->last)
        return 0;
    if (!http_head_read(&head, data->bytes, end ? end : data->size)) {
        state->phases[side] = PHASE_LOST;
        return data->size;
    }
    return side == DISSECTOR_CLIENT ? take_request(conversation, &head, data, end)
                                    : take_response(conversation, &head, data, end);
}

/* Adds to the body of the message in hand. */
static void count_body(struct http_state *state, enum dissector_side side, uint64_t bytes, int64_t when_ns)
{
    if (side == DISSECTOR_SERVER) {
        state->response.body_bytes += bytes;
        state->response.end_ns = when_ns;
    } else if (state->sending != NULL) {
        state->sending->body_bytes += bytes;
    }
}

/* A chunk's size with its extensions, or a line of the trailer (RFC 9112 section 7.1). */
static uint64_t take_chunk(struct dissector_conversation *conversation, enum dissector_side side,
                           const struct dissector_data *data)
{
    struct http_state *state = conversation->state;
    const uint8_t *end = memchr(data->bytes, '\n', min_u64(data->size, line_max));
    uint64_t line, size = 0;
    unsigned digits = 0;

    if (end == NULL) {
        if (!data->last && data->size < line_max)
            return 0;
        state->phases[side] = PHASE_LOST;
        return data->size;
    }
    line = (uint64_t)(end - data->bytes) + 1;
    if (state->phases[side] == PHASE_TRAILER) {
        if (line == 1 || (line == 2 && data->bytes[0] == '\r'))
            end_message(conversation, side, data->when_ns);
        return line;
    }
    for (; digits < 15; digits++) {
        uint8_t c = data->bytes[digits] | 0x20;

        if (c >= '0' && c <= '9')
            size = size * 16 + c - '0';
        else if (c >= 'a' && c <= 'f')
            size = size * 16 + c - 'a' + 10;
        else
            break;
    }
    if (digits == 0 || digits == 15) {
        state->phases[side] = PHASE_LOST;
        return line;
    }
    count_body(state, side, size, data->when_ns);
    if (size == 0) {
        state->phases[side] = PHASE_TRAILER;
        return line;
    }
    return line + size + 2; /* and its CR LF */
}

/* In the middle of something: only a packet's first bytes are looked at. */
static uint64_t take_lost(struct dissector_conversation *conversation, enum dissector_side side,
                          const struct dissector_data *data)
{
    struct http_state *state = conversation->state;
    enum http_start start = http_start(data->bytes, data->size);

    if (start != (side == DISSECTOR_CLIENT ? HTTP_START_REQUEST : HTTP_START_RESPONSE))
        return data->size;
    if (side == DISSECTOR_SERVER && state->response.active)
        tell_response(conversation, "gap");
    state->phases[side] = PHASE_HEAD;
    return take_head(conversation, side, data);
}

/* The first bytes of a side: what is no HTTP ends the matter. */
static uint64_t take_first(struct dissector_conversation *conversation, enum dissector_side side,
                           const struct dissector_data *data)
{
    struct http_state *state = conversation->state;
    enum http_start start = http_start(data->bytes, data->size);

    if (start == HTTP_START_NONE && data->bytes[0] != '\r' && data->bytes[0] != '\n') {
        conversation->calls->finish(conversation);
        return data->size;
    }
    if (start != HTTP_START_SHORT)
        state->phases[side] = PHASE_HEAD;
    return take_head(conversation, side, data);
}

static uint64_t tcp_data(struct dissector_conversation *conversation, enum dissector_side side,
                         const struct dissector_data *data)
{
    struct http_state *state = conversation->state;

    if (data->size == 0) { /* what was passed over is over */
        if (state->phases[side] == PHASE_BODY)
            end_message(conversation, side, data->when_ns);
        return 0;
    }
    switch (state->phases[side]) {
    case PHASE_BEGIN:
        if (!conversation->whole[side]) {
            state->phases[side] = PHASE_LOST;
            return take_lost(conversation, side, data);
        }
        return take_first(conversation, side, data);
    case PHASE_BODY: /* passed over by the stream: no byte comes before its end */
    case PHASE_HEAD:
        return take_head(conversation, side, data);
    case PHASE_CHUNK:
    case PHASE_TRAILER:
        return take_chunk(conversation, side, data);
    case PHASE_UNTIL_CLOSE:
        count_body(state, side, data->size, data->when_ns);
        return data->size;
    case PHASE_LOST:
        break;
    }
    return take_lost(conversation, side, data);
}

static bool tcp_gap(struct dissector_conversation *conversation, enum dissector_side side, uint64_t missing_bytes)
{
    struct http_state *state = conversation->state;

    if (state->phases[side] == PHASE_UNTIL_CLOSE) {
        count_body(state, side, missing_bytes, state->response.end_ns);
        return true;
    }
    state->phases[side] = PHASE_LOST;
    state->sending = side == DISSECTOR_CLIENT ? NULL : state->sending;
    if (side == DISSECTOR_SERVER) {
        /* Which of the open requests the hole has answered is not known. */
        if (state->response.active)
            tell_response(conversation, "gap");
        tell_unanswered(conversation, "gap");
    }
    return true;
}

static void tcp_fin(struct dissector_conversation *conversation, enum dissector_side side, int64_t when_ns)
{
    struct http_state *state = conversation->state;

    if (side == DISSECTOR_SERVER && state->phases[side] == PHASE_UNTIL_CLOSE)
        end_message(conversation, side, when_ns);
}

static void expire(struct dissector_conversation *conversation, enum dissector_reason reason)
{
    struct http_state *state = conversation->state;

    (void)reason;
    if (state->response.active)
        tell_response(conversation, NULL);
    tell_unanswered(conversation, NULL);
}

static const uint16_t ports[] = {80, 591, 3128, 8000, 8008, 8080, 8081, 8888, 0};

const struct dissector_ops http_dissector = {
    .abi = dissector_abi,
    .name = "http",
    .tcp_ports = ports,
    .state_bytes = sizeof(struct http_state),
    .idle_ns = 6 * dissector_answer_ns,
    .tcp_data = tcp_data,
    .tcp_gap = tcp_gap,
    .tcp_fin = tcp_fin,
    .expire = expire,
};
