/* SPDX-License-Identifier: BSD-2-Clause */
#include "dissect/record.h"

#include "base/text.h"
#include "base/time.h"

static const char cut_member[] = ", \"cut\": true";

/* Room that must stay for what the line ends with. */
static size_t end_bytes(const struct record *record)
{
    return record->depth + sizeof(cut_member);
}

/* Whether so many bytes more fit; if not, the line says that something was left out. */
static bool fits(struct record *record, size_t bytes)
{
    if (!record->open || record->skipped > 0)
        return false;
    if (record->used + bytes + end_bytes(record) <= record_line_max)
        return true;
    record->cut = true;
    return false;
}

static void put(struct record *record, const void *bytes, size_t size)
{
    memcpy(record->line + record->used, bytes, size);
    record->used += size;
}

/* Comma and name; the caller has asked for the room: strlen(name) + member_bytes. */
#define member_bytes 6
static void put_name(struct record *record, const char *name)
{
    char last = record->line[record->used - 1];

    if (last != '{' && last != '[')
        put(record, ", ", 2);
    if (name != NULL) {
        put(record, "\"", 1);
        put(record, name, strlen(name));
        put(record, "\": ", 3);
    }
}

static size_t name_bytes(const char *name)
{
    return member_bytes + (name != NULL ? strlen(name) : 0);
}

/* Bytes of the UTF-8 sequence that begins at `text`, or 0 when it is none (RFC 3629 section 4). */
static size_t utf8_sequence(const uint8_t *text, size_t left)
{
    uint8_t first = text[0], low = 0x80, high = 0xbf;
    size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;

    if (first < 0xc2 || first > 0xf4 || left < size)
        return 0;
    if (first == 0xe0)
        low = 0xa0;
    else if (first == 0xed)
        high = 0x9f;
    else if (first == 0xf0)
        low = 0x90;
    else if (first == 0xf4)
        high = 0x8f;
    if (text[1] < low || text[1] > high)
        return 0;
    for (size_t i = 2; i < size; i++)
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    return size;
}

/* Writes one character (or one broken byte) of `text` to `out`, six bytes at most; returns how many it has read. */
static size_t escape(const uint8_t *text, size_t left, char *out, size_t *written)
{
    uint8_t c = text[0];
    char *at = out;
    size_t read = 1;

    if (c == '"' || c == '\\') {
        *at++ = '\\';
        *at++ = (char)c;
    } else if (c < 0x20 || c == 0x7f) {
        at = text_hex_byte(text_bytes(at, "\\u00", 4), c);
    } else if (c < 0x80) {
        *at++ = (char)c;
    } else {
        read = utf8_sequence(text, left);
        /* U+0080 to U+009F are control characters, and terminals know them. */
        if (read == 2 && c == 0xc2 && text[1] < 0xa0) {
            at = text_hex_byte(text_bytes(at, "\\u00", 4), text[1]);
        } else if (read > 0) {
            at = text_bytes(at, text, read);
        } else {
            at = text_bytes(at, "\\ufffd", 6);
            read = 1;
        }
    }
    *written = (size_t)(at - out);
    return read;
}

void record_text(struct record *record, const char *name, const char *text, size_t length)
{
    const uint8_t *bytes = (const uint8_t *)text;
    size_t start = record->used;

    if (length > record_text_max) {
        /* Not in the middle of a character. */
        for (length = record_text_max; length > record_text_max - 3 && (bytes[length] & 0xc0) == 0x80;)
            length--;
        record->cut = true;
    }
    if (!fits(record, name_bytes(name) + 2 + length))
        return;
    put_name(record, name);
    put(record, "\"", 1);
    for (size_t at = 0; at < length;) {
        char out[8];
        size_t written;

        at += escape(bytes + at, length - at, out, &written);
        if (!fits(record, written + 1)) {
            record->used = start;
            return;
        }
        put(record, out, written);
    }
    put(record, "\"", 1);
}

void record_number(struct record *record, const char *name, uint64_t number)
{
    if (!fits(record, name_bytes(name) + text_u64_max))
        return;
    put_name(record, name);
    record->used = (size_t)(text_u64(record->line + record->used, number) - record->line);
}

void record_flag(struct record *record, const char *name, bool flag)
{
    if (!fits(record, name_bytes(name) + 5))
        return;
    put_name(record, name);
    put(record, flag ? "true" : "false", flag ? 4 : 5);
}

void record_open(struct record *record, const char *name, char bracket)
{
    if (record->skipped > 0 || record->depth == record_depth_max || !fits(record, name_bytes(name) + 2)) {
        record->skipped++; /* its close is skipped, too */
        record->cut = true;
        return;
    }
    put_name(record, name);
    put(record, &bracket, 1);
    record->brackets[record->depth++] = bracket == '[' ? ']' : '}';
}

void record_close(struct record *record)
{
    if (record->skipped > 0) {
        record->skipped--;
    } else if (record->depth > 1) {
        record->depth--;
        put(record, &record->brackets[record->depth], 1);
    }
}

static void put_address(struct record *record, const char *name, const struct address *address)
{
    char text[address_text_max];

    record_text(record, name, text, address_format(address, text));
}

static void put_literal(struct record *record, const char *name, const char *text)
{
    record_text(record, name, text, strlen(text));
}

void record_begin(struct record *record, const char *type, const struct dissector_conversation *conversation,
                  const struct dissector_transaction *transaction, bool utc)
{
    enum dissector_side asker = transaction->asker;
    enum dissector_side other = asker == DISSECTOR_CLIENT ? DISSECTOR_SERVER : DISSECTOR_CLIENT;
    int64_t start_ns = transaction->start_ns ? transaction->start_ns : transaction->end_ns;
    char time[time_text_max];

    record->used = 0;
    record->depth = 1;
    record->skipped = 0;
    record->open = true;
    record->cut = false;
    record->brackets[0] = '}';
    put(record, "{", 1);
    record_text(record, "timestamp", time, time_format(start_ns, TIME_STYLE_PLAIN, utc, true, time));
    put_literal(record, "type", type);
    put_literal(record, "transport", conversation->proto == 6 ? "tcp" : "udp");
    put_address(record, "ip_client", &conversation->hosts[asker]);
    record_number(record, "port_client", conversation->ports[asker]);
    put_address(record, "ip_server", &conversation->hosts[other]);
    record_number(record, "port_server", conversation->ports[other]);
    if (transaction->start_ns != 0 && transaction->end_ns >= transaction->start_ns)
        record_number(record, "duration_us", (uint64_t)(transaction->end_ns - transaction->start_ns) / 1000);
    record_number(record, "bytes_client", transaction->question_bytes);
    record_number(record, "bytes_server", transaction->answer_bytes);
    put_literal(record, "status", transaction->status);
    if (transaction->note != NULL)
        put_literal(record, "note", transaction->note);
    record_open(record, type, '{');
}

void record_end(struct record *record)
{
    record->skipped = 0;
    while (record->depth > 1)
        record_close(record);
    if (record->cut)
        put(record, cut_member, sizeof(cut_member) - 1);
    put(record, "}", 1);
    record->depth = 0;
    record->open = false;
}
