/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SMTP (RFC 5321): a line for each mail, with who sent it to whom and what became of it. It is the worked example of
 * ../README.md, a module of its own: nothing here but dissector.h. Commands may be pipelined (RFC 2920); replies come
 * in their order, so a queue of commands tells which one, of which mail, a reply answers. What is said inside AUTH
 * and in the mail itself is passed over and never kept; after STARTTLS there is nothing more to see.
 */
#include "dissect/dissector.h"

#include <strings.h>

#define commands_max 128 /* without a reply yet */
#define mails_max 8       /* whose last reply has not come */
#define recipients_max 16 /* that a line lists */
#define text_max 255
#define reply_max 120

enum command {
    COMMAND_OTHER,
    COMMAND_GREETING, /* none: the server speaks first */
    COMMAND_MAIL,
    COMMAND_RCPT,
    COMMAND_DATA,
    COMMAND_CHUNK,   /* BDAT (RFC 3030) that is not the last */
    COMMAND_MESSAGE, /* the end of the mail */
    COMMAND_AUTH,
    COMMAND_STARTTLS,
    COMMAND_HELO,
    COMMAND_RSET,
    COMMAND_BDAT
};

struct text {
    uint16_t length;
    char bytes[text_max];
};

/* From MAIL until its last reply. */
struct mail {
    struct mail *next; /* newer */
    uint32_t number;
    bool given_up; /* by the client: RSET, or another MAIL */
    int64_t start_ns;
    uint64_t client_bytes, server_bytes, message_bytes;
    unsigned recipients, accepted;
    struct text from, to[recipients_max];
};

struct smtp_state {
    bool greeted;    /* the queue was begun */
    bool in_message; /* the client's lines are those of a mail */
    bool in_auth;    /* the client's next line is an answer to a challenge */
    struct {
        uint8_t command; /* enum command */
        uint32_t mail;   /* that it is about, 0: none */
    } queue[commands_max];
    unsigned first, count; /* of the queue, a ring */
    struct mail *mails;    /* oldest first */
    unsigned mail_count;
    uint32_t last_number;
    uint32_t writing; /* the mail that the client is at, 0: none */
    struct text helo;
};

static void keep_text(struct text *text, const char *bytes, size_t length)
{
    text->length = (uint16_t)min_u64(length, text_max);
    if (text->length > 0)
        memcpy(text->bytes, bytes, text->length);
}

static void push(struct dissector_conversation *conversation, enum command command)
{
    struct smtp_state *state = conversation->state;
    unsigned place = (state->first + state->count) % commands_max;

    if (state->count == commands_max) {
        conversation->calls->finish(conversation); /* a client that does not wait for anything: out of step */
        return;
    }
    state->queue[place].command = (uint8_t)command;
    state->queue[place].mail = state->writing;
    state->count++;
}

/* The place of the mail with this number in the list, or that of NULL at its end. */
static struct mail **find_mail(struct smtp_state *state, uint32_t number)
{
    struct mail **place = &state->mails;

    while (*place != NULL && (*place)->number != number)
        place = &(*place)->next;
    return place;
}

static struct mail *mail_in_hand(struct smtp_state *state)
{
    return state->writing != 0 ? *find_mail(state, state->writing) : NULL;
}

/* The last reply to a mail; `code` 0: there was none. */
struct verdict {
    unsigned code;
    const char *reply;
    size_t reply_bytes;
    int64_t when_ns;
    const char *note;
};

static void put_mail(struct dissector_conversation *conversation, const struct mail *mail,
                     const struct verdict *verdict)
{
    const struct dissector_calls *calls = conversation->calls;
    const struct smtp_state *state = conversation->state;

    if (state->helo.length > 0)
        calls->text(conversation, "helo", state->helo.bytes, state->helo.length);
    calls->text(conversation, "from", mail->from.bytes, mail->from.length);
    calls->open(conversation, "to", '[');
    for (unsigned i = 0; i < mail->recipients && i < recipients_max; i++)
        calls->text(conversation, NULL, mail->to[i].bytes, mail->to[i].length);
    calls->close(conversation);
    calls->number(conversation, "recipients", mail->recipients);
    calls->number(conversation, "recipients_accepted", mail->accepted);
    calls->number(conversation, "message_bytes", mail->message_bytes);
    if (verdict->code != 0) {
        calls->number(conversation, "code", verdict->code);
        calls->text(conversation, "reply", verdict->reply, min_u64(verdict->reply_bytes, reply_max));
    }
}

/* Tells a mail and forgets it. */
static void tell(struct dissector_conversation *conversation, struct mail **place, const struct verdict *verdict)
{
    struct smtp_state *state = conversation->state;
    struct mail *mail = *place;
    struct dissector_transaction transaction = {.asker = DISSECTOR_CLIENT,
                                                .start_ns = mail->start_ns,
                                                .end_ns = verdict->code != 0 ? verdict->when_ns : 0,
                                                .question_bytes = mail->client_bytes,
                                                .answer_bytes = mail->server_bytes,
                                                .note = mail->given_up ? "given up by the client" : verdict->note};

    transaction.status = verdict->code == 0 ? "no answer" : verdict->code < 400 ? "ok" : "error";
    if (conversation->calls->begin(conversation, &transaction)) {
        put_mail(conversation, mail, verdict);
        conversation->calls->end(conversation);
    }
    if (state->writing == mail->number)
        state->writing = 0;
    *place = mail->next;
    state->mail_count--;
    conversation->calls->release(conversation, mail);
}

static void tell_all(struct dissector_conversation *conversation, const char *note)
{
    struct smtp_state *state = conversation->state;

    while (state->mails != NULL)
        tell(conversation, &state->mails, &(struct verdict){.note = note});
}

/* --- the client --- */

static const struct verb {
    const char *word;
    enum command command;
} verbs[] = {
    {"HELO", COMMAND_HELO}, {"EHLO", COMMAND_HELO}, {"LHLO", COMMAND_HELO}, {"MAIL", COMMAND_MAIL},
    {"RCPT", COMMAND_RCPT}, {"DATA", COMMAND_DATA}, {"BDAT", COMMAND_BDAT}, {"AUTH", COMMAND_AUTH},
    {"STARTTLS", COMMAND_STARTTLS}, {"RSET", COMMAND_RSET},
};

static enum command read_verb(const char *line, size_t length)
{
    for (size_t i = 0; i < array_length(verbs); i++) {
        size_t size = strlen(verbs[i].word);

        if (length >= size && strncasecmp(line, verbs[i].word, size) == 0 && (length == size || line[size] == ' '))
            return verbs[i].command;
    }
    return COMMAND_OTHER;
}

/* The path of "FROM:<a@b> SIZE=1" without its brackets. */
static void keep_path(struct text *text, const char *line, size_t length)
{
    const char *colon = memchr(line, ':', length), *end = line + length, *stop;

    if (colon == NULL)
        return;
    line = colon + 1;
    while (line < end && *line == ' ')
        line++;
    stop = memchr(line, line < end && *line == '<' ? '>' : ' ', (size_t)(end - line));
    if (stop == NULL)
        stop = end;
    if (line < stop && *line == '<')
        line++;
    keep_text(text, line, (size_t)(stop - line));
}

/* The client begins another mail, or says RSET: the one that it was at will not be sent. */
static void leave_mail(struct smtp_state *state)
{
    struct mail *mail = mail_in_hand(state);

    if (mail != NULL)
        mail->given_up = true;
    state->writing = 0;
}

static void begin_mail(struct dissector_conversation *conversation, const char *line, size_t length, int64_t when_ns)
{
    struct smtp_state *state = conversation->state;
    struct mail *mail;

    leave_mail(state);
    if (state->mail_count == mails_max) {
        conversation->calls->finish(conversation);
        return;
    }
    mail = conversation->calls->allocate(conversation, sizeof(*mail));
    if (mail == NULL)
        return;
    state->writing = mail->number = ++state->last_number;
    mail->start_ns = when_ns;
    keep_path(&mail->from, line, length);
    *find_mail(state, 0) = mail; /* no mail has this number: the end */
    state->mail_count++;
}

/* Nothing more of the mail in hand will come. */
static void end_message(struct dissector_conversation *conversation)
{
    struct smtp_state *state = conversation->state;

    push(conversation, COMMAND_MESSAGE);
    state->writing = 0;
}

/* "BDAT 1000 LAST": so many bytes follow without a line's end. Returns them. */
static uint64_t read_chunk(struct dissector_conversation *conversation, const char *line, size_t length)
{
    struct mail *mail = mail_in_hand(conversation->state);
    uint64_t bytes = 0;
    size_t at = 4;

    while (at < length && line[at] == ' ')
        at++;
    for (; at < length && line[at] >= '0' && line[at] <= '9' && bytes < UINT64_C(1) << 50; at++)
        bytes = bytes * 10 + (uint64_t)(line[at] - '0');
    if (mail != NULL) {
        mail->message_bytes += bytes;
        mail->client_bytes += bytes;
    }
    if (length >= at + 5 && strncasecmp(line + at, " LAST", 5) == 0)
        end_message(conversation);
    else
        push(conversation, COMMAND_CHUNK);
    return bytes;
}

/* Returns how many bytes behind the line belong to it. */
static uint64_t take_command(struct dissector_conversation *conversation, const char *line, size_t length,
                             const struct dissector_data *data)
{
    struct smtp_state *state = conversation->state;
    enum command command = read_verb(line, length);
    struct mail *mail;

    if (command == COMMAND_BDAT)
        return read_chunk(conversation, line, length);
    if (command == COMMAND_MAIL)
        begin_mail(conversation, line, length, data->first_ns);
    else if (command == COMMAND_RSET)
        leave_mail(state);
    else if (command == COMMAND_HELO)
        keep_text(&state->helo, line + min_u64(5, length), length - min_u64(5, length));
    mail = mail_in_hand(state);
    if (command == COMMAND_RCPT && mail != NULL && mail->recipients++ < recipients_max)
        keep_path(&mail->to[mail->recipients - 1], line, length);
    push(conversation, command);
    return 0;
}

static uint64_t take_client(struct dissector_conversation *conversation, const struct dissector_data *data, size_t line)
{
    struct smtp_state *state = conversation->state;
    struct mail *mail = mail_in_hand(state);
    const char *text = (const char *)data->bytes;
    size_t length = line;

    while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\r'))
        length--;
    if (!state->in_message && !state->in_auth) {
        uint64_t behind = take_command(conversation, text, length, data);

        mail = mail_in_hand(state);
        if (mail != NULL)
            mail->client_bytes += line;
        return line + behind;
    }
    if (mail != NULL)
        mail->client_bytes += line;
    if (state->in_auth) {
        state->in_auth = false;
        push(conversation, COMMAND_AUTH);
    } else if (length == 1 && text[0] == '.') {
        state->in_message = false;
        end_message(conversation);
    } else if (mail != NULL) {
        mail->message_bytes += line;
    }
    return line;
}

/* --- the server --- */

/* Those before this one that the client has given up: their commands are answered. */
static void tell_given_up(struct dissector_conversation *conversation, uint32_t number)
{
    struct smtp_state *state = conversation->state;

    while (state->mails != NULL && state->mails->given_up && (number == 0 || state->mails->number < number))
        tell(conversation, &state->mails, &(struct verdict){.code = 0});
}

static void take_reply(struct dissector_conversation *conversation, const struct verdict *verdict, uint64_t bytes)
{
    struct smtp_state *state = conversation->state;
    enum command command;
    struct mail **place;
    uint32_t number;

    if (state->count == 0)
        return;
    command = (enum command)state->queue[state->first].command;
    number = state->queue[state->first].mail;
    state->first = (state->first + 1) % commands_max;
    state->count--;
    if (command == COMMAND_MAIL || command == COMMAND_RSET)
        tell_given_up(conversation, number);
    if (command == COMMAND_AUTH)
        state->in_auth = verdict->code == 334;
    if (command == COMMAND_DATA)
        state->in_message = verdict->code == 354;
    if (command == COMMAND_STARTTLS && verdict->code == 220)
        conversation->calls->finish(conversation);
    place = find_mail(state, number);
    if (number == 0 || *place == NULL)
        return;
    (*place)->server_bytes += bytes;
    if (command == COMMAND_RCPT)
        (*place)->accepted += verdict->code < 400;
    else if (command == COMMAND_MESSAGE ||
             (verdict->code >= 400 && (command == COMMAND_MAIL || command == COMMAND_DATA)))
        tell(conversation, place, verdict);
}

/* "250-first", "250 last" (RFC 5321 section 4.2.1). */
static uint64_t take_server(struct dissector_conversation *conversation, const struct dissector_data *data, size_t line)
{
    const char *text = (const char *)data->bytes;
    size_t length = line;
    unsigned code = 0;

    while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\r'))
        length--;
    for (unsigned i = 0; i < 3; i++) {
        if (length < 3 || text[i] < '0' || text[i] > '9') {
            conversation->calls->finish(conversation); /* no SMTP */
            return line;
        }
        code = code * 10 + (unsigned)(text[i] - '0');
    }
    if (length == 3 || text[3] != '-')
        take_reply(conversation,
                   &(struct verdict){.code = code,
                                     .reply = text + min_u64(4, length),
                                     .reply_bytes = length - min_u64(4, length),
                                     .when_ns = data->when_ns},
                   line);
    return line;
}

/* --- what the host calls --- */

static uint64_t tcp_data(struct dissector_conversation *conversation, enum dissector_side side,
                         const struct dissector_data *data)
{
    struct smtp_state *state = conversation->state;
    const uint8_t *end;
    size_t line;

    if (!state->greeted) {
        state->greeted = true;
        /* From the middle of a connection nothing tells what the lines are. */
        if (!conversation->whole[0] || !conversation->whole[1])
            conversation->calls->finish(conversation);
        push(conversation, COMMAND_GREETING);
    }
    end = data->fresh < data->size ? memchr(data->bytes + data->fresh, '\n', data->size - data->fresh) : NULL;
    if (end == NULL && !data->last)
        return 0;
    line = end != NULL ? (size_t)(end - data->bytes) + 1 : data->size;
    return side == DISSECTOR_CLIENT ? take_client(conversation, data, line) : take_server(conversation, data, line);
}

static bool tcp_gap(struct dissector_conversation *conversation, enum dissector_side side, uint64_t missing_bytes)
{
    (void)side;
    (void)missing_bytes;
    tell_all(conversation, "gap");
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
    (void)reason;
    tell_all(conversation, NULL);
}

static const uint16_t ports[] = {25, 587, 2525, 0};

const struct dissector_ops dissector_module = {
    .abi = dissector_abi,
    .name = "smtp",
    .tcp_ports = ports,
    .state_bytes = sizeof(struct smtp_state),
    .idle_ns = 30 * dissector_answer_ns, /* RFC 5321 section 4.5.3.2: some answers may take minutes */
    .tcp_data = tcp_data,
    .tcp_gap = tcp_gap,
    .tcp_fin = tcp_fin,
    .expire = expire,
};
