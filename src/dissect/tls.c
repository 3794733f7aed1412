/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TLS (RFC 8446, 5246): a line for each handshake, from the client's hello and the server's; and the server's name
 * for tls_sni. After the server's hello, or an alert in its place, there is nothing more in the clear that we want.
 */
#include "dissect/builtin.h"
#include "dissect/tls_hello.h"

#define record_header_bytes 5     /* RFC 8446 section 5.1 */
#define record_max (16384 + 2048) /* RFC 5246 section 6.2.3 allows so much more than section 5.1 of RFC 8446 */
#define handshake_header_bytes 4
#define hello_max 16384           /* of a hello that is in several records */
#define name_max 255

enum record_type { RECORD_CHANGE_CIPHER = 20, RECORD_ALERT = 21, RECORD_HANDSHAKE = 22 };
enum handshake_type { HANDSHAKE_CLIENT_HELLO = 1, HANDSHAKE_SERVER_HELLO = 2 };

/* The client's hello, kept until the server answers. Texts are one behind the other: the name, then the protocols. */
struct offer {
    int64_t start_ns;
    uint64_t bytes;
    uint16_t version, cipher_count;
    bool encrypted_hello, ticket, cut;
    uint8_t name_bytes, alpn_count;
    uint8_t alpn_bytes[tls_hello_alpn_max];
    char texts[];
};

/* A hello that comes in several records. */
struct gathered {
    size_t size, used;
    uint8_t bytes[];
};

struct tls_state {
    struct offer *offer;
    struct gathered *gathered[2];
    uint64_t bytes[2]; /* of records */
    bool retried;
};

static void put_text(struct dissector_conversation *conversation, const char *name, const char *text)
{
    conversation->calls->text(conversation, name, text, strlen(text));
}

/* By its name, else in hexadecimal as registries write it. */
static void put_code(struct dissector_conversation *conversation, const char *member, const char *name, uint16_t code)
{
    static const char digits[] = "0123456789abcdef";
    char text[6] = {'0', 'x', digits[code >> 12], digits[code >> 8 & 15], digits[code >> 4 & 15], digits[code & 15]};

    if (name != NULL)
        put_text(conversation, member, name);
    else
        conversation->calls->text(conversation, member, text, sizeof(text));
}

static void put_offer(struct dissector_conversation *conversation, const struct offer *offer)
{
    const struct dissector_calls *calls = conversation->calls;
    const char *text = offer->texts + offer->name_bytes;

    if (offer->name_bytes > 0)
        calls->text(conversation, "server_name", offer->texts, offer->name_bytes);
    put_code(conversation, "client_version", tls_version_name(offer->version), offer->version);
    calls->number(conversation, "client_ciphers", offer->cipher_count);
    if (offer->alpn_count > 0) {
        calls->open(conversation, "client_alpn", '[');
        for (unsigned i = 0; i < offer->alpn_count; i++) {
            calls->text(conversation, NULL, text, offer->alpn_bytes[i]);
            text += offer->alpn_bytes[i];
        }
        calls->close(conversation);
    }
    calls->flag(conversation, "client_ticket", offer->ticket);
    calls->flag(conversation, "encrypted_client_hello", offer->encrypted_hello);
}

struct answer {
    const struct tls_server_hello *hello; /* or */
    const uint8_t *alert;                 /* level and description; or neither */
    int64_t when_ns;
    const char *note;
};

static void tell(struct dissector_conversation *conversation, const struct answer *answer)
{
    const struct tls_state *state = conversation->state;
    const struct offer *offer = state->offer;
    struct dissector_transaction transaction = {.asker = DISSECTOR_CLIENT, .note = answer->note};

    if (transaction.note == NULL && ((offer != NULL && offer->cut) || (answer->hello != NULL && answer->hello->cut)))
        transaction.note = "cut";
    transaction.start_ns = offer != NULL ? offer->start_ns : 0;
    transaction.end_ns = answer->when_ns;
    transaction.question_bytes = state->bytes[DISSECTOR_CLIENT];
    transaction.answer_bytes = state->bytes[DISSECTOR_SERVER];
    transaction.status = answer->alert != NULL  ? "error"
                         : answer->hello == NULL ? "no answer"
                         : offer == NULL         ? "no question"
                                                 : "ok";
    if (!conversation->calls->begin(conversation, &transaction))
        return;
    if (offer != NULL)
        put_offer(conversation, offer);
    if (answer->hello != NULL) {
        put_code(conversation, "version", tls_version_name(answer->hello->version), answer->hello->version);
        put_code(conversation, "cipher", tls_cipher_name(answer->hello->cipher), answer->hello->cipher);
        if (answer->hello->alpn.length > 0)
            conversation->calls->text(conversation, "alpn", answer->hello->alpn.data, answer->hello->alpn.length);
        conversation->calls->flag(conversation, "resumed", answer->hello->resumed);
    }
    if (state->retried)
        conversation->calls->flag(conversation, "retried", true);
    if (answer->alert != NULL)
        put_code(conversation, "alert", tls_alert_name(answer->alert[1]), answer->alert[1]);
    conversation->calls->end(conversation);
}

/*
 * Names are accounted in small letters: they do not differ by case (RFC 6066 section 3). What no name has goes to three
 * digits, as in zone files (RFC 1035 section 5.1): a row must not carry what somebody sends to break its readers.
 */
static void tell_name(struct dissector_conversation *conversation, struct span name)
{
    char out[name_max + 4];
    uint32_t length = 0;

    for (uint32_t i = 0; i < name.length && length < name_max; i++) {
        uint8_t byte = (uint8_t)name.data[i];

        if (byte > ' ' && byte < 0x7f && byte != '\\') {
            out[length++] = (char)(byte >= 'A' && byte <= 'Z' ? byte + 'a' - 'A' : byte);
        } else {
            out[length++] = '\\';
            out[length++] = (char)('0' + byte / 100);
            out[length++] = (char)('0' + byte / 10 % 10);
            out[length++] = (char)('0' + byte % 10);
        }
    }
    conversation->calls->name(conversation, DISSECTOR_NAME_TLS_SNI, out, (uint32_t)min_u64(length, name_max));
}

static void take_client_hello(struct dissector_conversation *conversation, struct cursor body, int64_t start_ns)
{
    struct tls_state *state = conversation->state;
    struct tls_client_hello hello;
    struct offer *offer;
    size_t size;
    char *text;

    tls_client_hello_read(&hello, body);
    if (hello.server_name.length > 0)
        tell_name(conversation, hello.server_name);
    if (!conversation->tells) {
        conversation->calls->finish(conversation);
        return;
    }
    hello.server_name.length = (uint32_t)min_u64(hello.server_name.length, name_max);
    size = hello.server_name.length;
    for (unsigned i = 0; i < hello.alpn_count; i++)
        size += hello.alpn[i].length;
    offer = conversation->calls->allocate(conversation, sizeof(*offer) + size);
    if (offer == NULL) {
        conversation->calls->finish(conversation);
        return;
    }
    offer->start_ns = state->offer != NULL ? state->offer->start_ns : start_ns;
    offer->version = hello.version;
    offer->cipher_count = hello.cipher_count;
    offer->encrypted_hello = hello.encrypted_hello;
    offer->ticket = hello.ticket;
    offer->cut = hello.cut;
    offer->name_bytes = (uint8_t)hello.server_name.length;
    if (offer->name_bytes > 0)
        memcpy(offer->texts, hello.server_name.data, offer->name_bytes);
    text = offer->texts + offer->name_bytes;
    for (unsigned i = 0; i < hello.alpn_count; i++) {
        offer->alpn_bytes[i] = (uint8_t)hello.alpn[i].length; /* a vector with one byte of length */
        if (hello.alpn[i].length > 0)
            memcpy(text, hello.alpn[i].data, hello.alpn[i].length);
        text += hello.alpn[i].length;
    }
    offer->alpn_count = hello.alpn_count;
    conversation->calls->release(conversation, state->offer);
    state->offer = offer;
}

static void take_server_hello(struct dissector_conversation *conversation, struct cursor body, int64_t when_ns)
{
    struct tls_state *state = conversation->state;
    struct tls_server_hello hello;

    tls_server_hello_read(&hello, body);
    if (hello.retry) {
        state->retried = true;
        return;
    }
    tell(conversation, &(struct answer){.hello = &hello, .when_ns = when_ns});
    conversation->calls->release(conversation, state->offer);
    state->offer = NULL;
    conversation->calls->finish(conversation);
}

/*
 * A handshake message, or what of it is there. A message that is neither hello is not what we came for: that of a
 * server is behind its hello, so we came too late.
 */
static void take_message(struct dissector_conversation *conversation, enum dissector_side side, struct cursor message,
                         const struct dissector_data *data)
{
    uint8_t type = cursor_u8(&message);
    size_t length = (size_t)cursor_u8(&message) << 16 | cursor_be16(&message);

    if (cursor_left(&message) > length)
        message.end = message.at + length;
    if (type == HANDSHAKE_CLIENT_HELLO && side == DISSECTOR_CLIENT)
        take_client_hello(conversation, message, data->first_ns);
    else if (type == HANDSHAKE_SERVER_HELLO && side == DISSECTOR_SERVER)
        take_server_hello(conversation, message, data->when_ns);
    else
        conversation->calls->finish(conversation);
}

/* A handshake record: most often a whole hello, else a part of one. */
static void take_handshake(struct dissector_conversation *conversation, enum dissector_side side, struct cursor record,
                           const struct dissector_data *data, bool cut)
{
    struct tls_state *state = conversation->state;
    struct gathered **gathered = &state->gathered[side];
    size_t left = cursor_left(&record), size;

    if (*gathered == NULL) {
        if (left < handshake_header_bytes) {
            conversation->calls->finish(conversation);
            return;
        }
        size = handshake_header_bytes + ((size_t)record.at[1] << 16 | (size_t)record.at[2] << 8 | record.at[3]);
        if (size <= left || cut || size > hello_max) {
            take_message(conversation, side, record, data);
            return;
        }
        *gathered = conversation->calls->allocate(conversation, sizeof(**gathered) + size);
        if (*gathered == NULL) {
            conversation->calls->finish(conversation);
            return;
        }
        (*gathered)->size = size;
    }
    size = min_u64(left, (*gathered)->size - (*gathered)->used);
    if (size > 0)
        memcpy((*gathered)->bytes + (*gathered)->used, record.at, size);
    (*gathered)->used += size;
    if ((*gathered)->used == (*gathered)->size || cut) {
        take_message(conversation, side, cursor_over((*gathered)->bytes, (*gathered)->used), data);
        conversation->calls->release(conversation, *gathered);
        *gathered = NULL;
    }
}

static uint64_t tcp_data(struct dissector_conversation *conversation, enum dissector_side side,
                         const struct dissector_data *data)
{
    struct tls_state *state = conversation->state;
    struct cursor at = cursor_over(data->bytes, data->size), body;
    uint8_t type = cursor_u8(&at), major = cursor_u8(&at);
    size_t length;
    bool cut;

    cursor_skip(&at, 1);
    length = cursor_be16(&at);
    if (data->size == 0)
        return 0;
    /* Application data (23) is behind the hellos, and anything else is no TLS. */
    if (type < RECORD_CHANGE_CIPHER || type > RECORD_HANDSHAKE || (data->size >= 2 && major != 3) ||
        (!at.failed && (length == 0 || length > record_max))) {
        conversation->calls->finish(conversation);
        return data->size;
    }
    if (data->size < record_header_bytes + length && type == RECORD_HANDSHAKE && !at.failed &&
        cursor_left(&at) >= handshake_header_bytes && state->gathered[side] == NULL) {
        /* The hello may be whole though its record, with certificates behind it, is not. */
        size_t size = handshake_header_bytes + ((size_t)at.at[1] << 16 | (size_t)at.at[2] << 8 | at.at[3]);

        cut = cursor_left(&at) < size;
    } else {
        cut = at.failed || data->size < record_header_bytes + length;
    }
    if (cut && !data->last)
        return 0;
    body = (struct cursor){at.at, at.at + min_u64(cursor_left(&at), length), false};
    state->bytes[side] += record_header_bytes + length;
    if (type == RECORD_HANDSHAKE && cursor_left(&body) > 0) {
        take_handshake(conversation, side, body, data, cut);
    } else if (type == RECORD_ALERT && cursor_left(&body) >= 2) {
        if (state->offer != NULL)
            tell(conversation, &(struct answer){.alert = body.at, .when_ns = data->when_ns});
        conversation->calls->release(conversation, state->offer);
        state->offer = NULL;
        conversation->calls->finish(conversation);
    }
    return record_header_bytes + length;
}

/* Where the next record begins nobody knows now; and a hello is most likely gone. */
static bool tcp_gap(struct dissector_conversation *conversation, enum dissector_side side, uint64_t missing_bytes)
{
    struct tls_state *state = conversation->state;

    (void)side;
    (void)missing_bytes;
    if (state->offer != NULL)
        tell(conversation, &(struct answer){.note = "gap"});
    conversation->calls->release(conversation, state->offer);
    state->offer = NULL;
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
    struct tls_state *state = conversation->state;

    (void)reason;
    if (state->offer != NULL)
        tell(conversation, &(struct answer){.note = NULL});
}

/* IANA's ports of protocols over TLS. */
static const uint16_t ports[] = {443, 465, 563, 636, 853, 989, 990, 992, 993, 994, 995, 5061, 5671, 8443, 8883, 0};

const struct dissector_ops tls_dissector = {
    .abi = dissector_abi,
    .name = "tls",
    .tcp_ports = ports,
    .state_bytes = sizeof(struct tls_state),
    .idle_ns = dissector_answer_ns,
    .tcp_data = tcp_data,
    .tcp_gap = tcp_gap,
    .tcp_fin = tcp_fin,
    .expire = expire,
};
