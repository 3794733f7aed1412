/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counter samples: each record becomes one JSON line for whoever asked, with the members that pmacct's counter log
 * has and a few more (class of the source, sub-agent, number of the structure). The first line of an agent is its
 * log_init. Fields come from the table of structures; a record that ends early gives the fields it has, one that is
 * longer its known ones.
 *
 * A counter that the agent does not support is all ones on the wire and stays a number here, as in pmacct; only
 * percents, where -1 is defined as unknown, and floats that are no number become null.
 */
#include <stdlib.h>

#include "base/time.h"
#include "decode/sflow/line.h"
#include "decode/sflow/private.h"

static size_t name_length(const char *name)
{
    return strcspn(name, " ");
}

/* One value that is no list. False: the record ends before it, and nothing was written. */
static bool write_value(struct line *line, struct cursor *cursor, char type)
{
    static const uint8_t octets[] = {['4'] = 4, ['8'] = 8, ['i'] = 4, ['%'] = 4, ['f'] = 4,
                                     ['1'] = 1, ['m'] = 8, ['u'] = 16};
    const uint8_t *p = cursor_take(cursor, octets[(unsigned char)type]);

    if (p == NULL)
        return false;
    switch (type) {
    case '4':
        line_unsigned(line, load_be32(p));
        break;
    case '8':
        line_unsigned(line, host_be64(load_u64(p)));
        break;
    case 'i':
        line_signed(line, (int32_t)load_be32(p));
        break;
    case '%':
        line_hundredths(line, (int32_t)load_be32(p));
        break;
    case 'f':
        line_single(line, load_be32(p));
        break;
    case '1':
        line_unsigned(line, *p);
        break;
    case 'm': /* six octets and two of padding */
        line_hex(line, p, 6, ":");
        break;
    case 'u':
        line_uuid(line, p);
        break;
    }
    return true;
}

static bool write_string(struct line *line, struct cursor *cursor)
{
    struct cursor ahead = *cursor;
    size_t size = cursor_be32(&ahead);

    if (ahead.failed || size > cursor_left(&ahead)) {
        cursor_skip(cursor, SIZE_MAX);
        return false;
    }
    line_string(line, ahead.at, size);
    sflow_skip_opaque(cursor);
    return true;
}

/* A counted list of plain values. Items take at least four octets each, so the octets left bound the count. */
static bool write_list(struct line *line, struct cursor *cursor, char type)
{
    uint32_t count = cursor_be32(cursor);
    bool whole = !cursor->failed;

    line_open(line, '[');
    for (uint32_t i = 0; i < count && whole && !line->failed; i++) {
        struct line before = *line;
        line_comma(line);
        whole = write_value(line, cursor, type);
        if (!whole)
            *line = before;
    }
    line_close(line, ']');
    return whole;
}

/* One member, name and value. False when the record ends in it; what was begun is taken back, but for lists. */
static bool write_member(struct line *line, struct cursor *cursor, const char *field)
{
    struct line before = *line;
    bool whole;

    if (cursor_left(cursor) == 0) {
        cursor_skip(cursor, SIZE_MAX);
        return false;
    }
    line_name(line, field + 1, name_length(field + 1));
    switch (*field) {
    case 's':
        whole = write_string(line, cursor);
        break;
    case 'M':
        return write_list(line, cursor, 'm');
    case 'P':
        return write_list(line, cursor, '%');
    default:
        whole = write_value(line, cursor, *field);
    }
    if (!whole)
        *line = before;
    return whole;
}

static const char *next_field(const char *field)
{
    field += name_length(field);
    return field + (*field == ' ');
}

/* "[name field ... ]": a counted list of structures. *end gets the place of the closing bracket. */
static bool write_structures(struct line *line, struct cursor *cursor, const char *field, const char **end)
{
    const char *first = next_field(field);

    *end = strchr(first, ']');
    if (cursor_left(cursor) == 0) {
        cursor_skip(cursor, SIZE_MAX);
        return false;
    }
    uint32_t count = cursor_be32(cursor);
    bool whole = !cursor->failed;
    line_name(line, field + 1, name_length(field + 1));
    line_open(line, '[');
    for (uint32_t i = 0; i < count && whole && !line->failed; i++) {
        line_comma(line);
        line_open(line, '{');
        for (const char *f = first; *f != ']' && whole; f = next_field(f))
            whole = write_member(line, cursor, f);
        line_close(line, '}');
    }
    line_close(line, ']');
    return whole;
}

static bool write_fields(struct line *line, struct cursor *cursor, const char *fields)
{
    for (const char *field = fields; *field != '\0';) {
        const char *last = field;
        if (*field == '?') {
            if (cursor_left(cursor) == 0)
                return true;
            field = next_field(field);
            continue;
        }
        bool whole = *field == '[' ? write_structures(line, cursor, field, &last) : write_member(line, cursor, field);
        if (!whole)
            return false;
        field = next_field(last);
    }
    return true;
}

static void write_address(struct line *line, const struct address *address)
{
    char text[address_text_max];

    line_put(line, "\"", 1);
    line_put(line, text, address_format(address, text));
    line_put(line, "\"", 1);
}

static void member_number(struct line *line, const char *name, uint64_t value)
{
    line_name(line, name, strlen(name));
    line_unsigned(line, value);
}

static void begin_line(struct line *line, const struct sflow *sflow, const char *address_name)
{
    char text[time_text_max];

    line_open(line, '{');
    member_number(line, "seq", sflow->state->agent->line);
    line_text(line, ", \"timestamp\": \"");
    line_put(line, text, time_format(sflow->origin->arrival_ns, TIME_STYLE_PLAIN, false, true, text));
    line_text(line, "\"");
    line_name(line, address_name, strlen(address_name));
    write_address(line, &sflow->agent);
}

/* Ends the line and hands it over; it has its number only when it was taken. */
static bool send_line(struct sflow *sflow, struct line *line)
{
    line_close(line, '}');
    if (line->failed || !sflow->options.counter_line(sflow->options.counter_context, &sflow->agent, line->start,
                                                     (size_t)(line->at - line->start)))
        return false;
    sflow->state->agent->line++;
    return true;
}

/* The agent's numbering, found or made at its first line; and its log_init, until one could be written. */
static bool begin_agent(struct sflow *sflow)
{
    struct sflow_agent *agent = sflow->agents;

    if (sflow->state == NULL)
        return false;
    if (sflow->state->agent == NULL) {
        while (agent != NULL && !address_equal(&agent->address, &sflow->agent))
            agent = agent->next;
        if (agent == NULL) {
            agent = calloc(1, sizeof(*agent));
            if (agent == NULL)
                return false;
            agent->address = sflow->agent;
            agent->next = sflow->agents;
            sflow->agents = agent;
        }
        sflow->state->agent = agent;
    }
    if (sflow->state->agent->line > 0)
        return true;

    struct line line = line_over(sflow->line, sflow_line_max);
    begin_line(&line, sflow, "peer_src_ip"); /* spelt so in this line, peer_ip_src in all others */
    line_text(&line, ", \"event_type\": \"log_init\"");
    return send_line(sflow, &line);
}

static void write_unknown(struct line *line, struct cursor *record, uint32_t enterprise, uint32_t format)
{
    size_t size = cursor_left(record);

    member_number(line, "enterprise", enterprise);
    member_number(line, "format", format);
    member_number(line, "length", size);
    line_text(line, ", \"data\": ");
    line_hex(line, cursor_take(record, size), size, "");
}

void sflow_counter_record(struct sflow *sflow, const struct sflow_counter_header *header, uint32_t data_format,
                          struct cursor record)
{
    uint32_t enterprise = data_format >> 12, format = data_format & 0xfff;
    const struct sflow_counter_structure *structure = sflow_counter_structure(enterprise, format);

    sflow_count(sflow, INPUT_counter_records_seen);
    if (structure == NULL) {
        sflow_count(sflow, INPUT_structures_unknown);
        ledger_count_structure(sflow->output.ledger, LEDGER_STRUCTURE_COUNTER, enterprise, format);
    }
    if (sflow->options.counter_line == NULL) {
        sflow_count(sflow, INPUT_counter_records_not_asked);
        return;
    }
    if (!begin_agent(sflow)) {
        sflow_count(sflow, INPUT_counter_records_failed);
        return;
    }

    struct line line = line_over(sflow->line, sflow_line_max);
    begin_line(&line, sflow, "peer_ip_src");
    line_text(&line, ", \"event_type\": \"log\"");
    member_number(&line, "source_id_index", header->source_index);
    member_number(&line, "sflow_seq", sflow->datagram_sequence);
    member_number(&line, "sflow_cnt_seq", header->sequence);
    line_text(&line, ", \"sf_cnt_type\": \"sflow_cnt_");
    line_text(&line, structure != NULL ? structure->name : "unknown");
    line_text(&line, "\"");
    member_number(&line, "source_id_class", header->source_class);
    member_number(&line, "agent_sub_id", sflow->sub_agent);
    member_number(&line, "sf_cnt_enterprise", enterprise);
    member_number(&line, "sf_cnt_format", format);
    if (structure == NULL)
        write_unknown(&line, &record, enterprise, format);
    else if (!write_fields(&line, &record, structure->fields))
        sflow_count(sflow, INPUT_structures_malformed);
    sflow_count(sflow, send_line(sflow, &line) ? INPUT_counter_records_written : INPUT_counter_records_failed);
}

/* The lengths are checked first, so that a malformed sample gives no line. */
static bool records_fit(struct cursor cursor, uint32_t count)
{
    for (uint32_t i = 0; i < count && !cursor.failed; i++) {
        cursor_skip(&cursor, 4);
        cursor_skip(&cursor, cursor_be32(&cursor));
    }
    return !cursor.failed;
}

bool sflow_counter_sample(struct sflow *sflow, struct cursor body, bool expanded)
{
    const uint8_t *p = cursor_take(&body, expanded ? 16 : 12);

    if (p == NULL)
        return false;
    struct sflow_counter_header header = {load_be32(p), p[4], load_be32(p + 4) & 0xffffff};
    if (expanded) {
        header.source_class = load_be32(p + 4);
        header.source_index = load_be32(p + 8);
    }
    uint32_t count = load_be32(p + (expanded ? 12 : 8));
    if (!records_fit(body, count))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t data_format = cursor_be32(&body);
        sflow_counter_record(sflow, &header, data_format, cursor_sub(&body, cursor_be32(&body)));
    }
    return true;
}
