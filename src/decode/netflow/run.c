/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs at work: the hot path of nfacctd. A record of fixed length is a walk over its ops with no look at bounds,
 * since record_min octets are there; a variable field is looked at once. What the plugins get is one struct flow, used
 * over and over: its fields that hold for the whole message were set before, those of the record are written here.
 */
#include "base/time.h"
#include "decode/netflow/finish.h"
#include "decode/netflow/private.h"
#include "flow/element.h"

#define ntp_to_unix_seconds INT64_C(2208988800) /* 1900 to 1970, RFC 5905 section 6 */
#define millisecond_ns INT64_C(1000000)

/*
 * Protocols whose headers have ports, and ICMP, whose type and code exporters put into the destination port. For all
 * others what a template calls a port means nothing.
 */
static const uint8_t protocol_has_ports[256] = {[1] = 1, [6] = 1, [17] = 1, [33] = 1, [58] = 1, [132] = 1, [136] = 1};

static void store_number(uint8_t *to, unsigned width, uint64_t value)
{
    uint64_t largest = width >= 8 ? UINT64_MAX : (UINT64_C(1) << (8 * width)) - 1;

    if (value > largest)
        value = largest;
    switch (width) {
    case 1: {
        uint8_t v = (uint8_t)value;
        memcpy(to, &v, sizeof(v));
        break;
    }
    case 2: {
        uint16_t v = (uint16_t)value;
        memcpy(to, &v, sizeof(v));
        break;
    }
    case 4:
        store_u32(to, (uint32_t)value);
        break;
    default:
        store_u64(to, value);
        break;
    }
}

static void store_signed(uint8_t *to, const uint8_t *from, uint32_t size)
{
    uint64_t value = field_number(from, size);

    if (size > 0 && size < 8 && from[0] & 0x80)
        value |= ~UINT64_C(0) << (8 * size);
    store_u64(to, value);
}

static void store_real(uint8_t *to, const uint8_t *from, uint32_t size)
{
    double value = 0;

    if (size == 8) {
        uint64_t bits = host_be64(load_u64(from));
        memcpy(&value, &bits, sizeof(value));
    } else if (size == 4) {
        uint32_t bits = host_be32(load_u32(from));
        float narrow;
        memcpy(&narrow, &bits, sizeof(narrow));
        value = (double)narrow;
    }
    memcpy(to, &value, sizeof(value));
}

static void store_mac(uint8_t *to, const uint8_t *from)
{
    store_u64(to, (uint64_t)host_be16(load_u16(from)) << 32 | host_be32(load_u32(from + 2)));
}

/* Text of a fixed field is filled up with NUL or blanks. */
static void store_text(uint8_t *to, const uint8_t *from, uint32_t size)
{
    struct span span = {(const char *)from, size};
    const void *nul = memchr(from, 0, size);

    if (nul != NULL)
        span.length = (uint32_t)((const uint8_t *)nul - from);
    while (span.length > 0 && span.data[span.length - 1] == ' ')
        span.length--;
    if (span.length > flow_string_max)
        span.length = flow_string_max;
    memcpy(to, &span, sizeof(span));
}

static void store_bytes(uint8_t *to, const uint8_t *from, uint32_t size)
{
    struct span span = {(const char *)from, size};

    memcpy(to, &span, sizeof(span));
}

/* Times that are told from 1970 or 1900 on, RFC 7011 section 6.1.7 to 6.1.10; int64 ns UTC. */
static void store_time(uint8_t *to, const uint8_t *from, uint32_t size, unsigned type)
{
    uint64_t value = field_number(from, size);
    int64_t ns;

    if (type == ELEMENT_SECONDS)
        ns = value > INT64_MAX / time_second_ns ? INT64_MAX : (int64_t)value * time_second_ns;
    else if (type == ELEMENT_MILLISECONDS)
        ns = value > INT64_MAX / millisecond_ns ? INT64_MAX : (int64_t)value * millisecond_ns;
    else
        ns = ((int64_t)(value >> 32) - ntp_to_unix_seconds) * time_second_ns +
             (int64_t)(((value & UINT32_MAX) * (uint64_t)time_second_ns) >> 32);
    memcpy(to, &ns, sizeof(ns));
}

/*
 * A value of any size for its kind of destination. False when the octets can't be one (an address of five): then the
 * destination is not written.
 */
static bool store_any(const struct op *op, enum op_kind kind, const uint8_t *from, uint32_t size, uint8_t *to)
{
    struct address address;

    switch (kind) {
    case OP_IPV4:
    case OP_IPV6:
        if (size == 4)
            address_set_ipv4(&address, from);
        else if (size == 16)
            address_set_ipv6(&address, from);
        else
            return false;
        memcpy(to, &address, sizeof(address));
        return true;
    case OP_MAC:
        if (size == 6)
            store_mac(to, from);
        return size == 6;
    case OP_REAL:
        store_real(to, from, size);
        return size == 4 || size == 8;
    case OP_TEXT:
        store_text(to, from, size);
        return true;
    case OP_BYTES:
        store_bytes(to, from, size);
        return true;
    case OP_TIME:
        store_time(to, from, size, op->width);
        return size > 0;
    case OP_SIGNED:
        store_signed(to, from, size);
        return size > 0;
    case OP_FLAGS:
        store_u64(to, size > 0 ? from[size - 1] : 0);
        return size > 0;
    default:
        store_number(to, op->width, field_number(from, size));
        return size > 0;
    }
}

/* What a variable field could not give is zero: its presence was promised by the template. */
static void store_variable(const struct op *op, const uint8_t *from, uint32_t size, uint8_t *to)
{
    static const struct address absent;

    if (store_any(op, (enum op_kind)op->inner, from, size, to))
        return;
    if (op->inner == OP_IPV4 || op->inner == OP_IPV6)
        memcpy(to, &absent, sizeof(absent));
    else
        store_number(to, op->inner == OP_MAC || op->inner == OP_REAL || op->inner == OP_TIME ? 8 : op->width, 0);
}

static inline void move_u16(uint8_t *to, const uint8_t *from)
{
    uint16_t value = host_be16(load_u16(from));

    memcpy(to, &value, sizeof(value));
}

/* The mapped form: eight zeroes, 0000ffff, the address (net/address.h). */
static inline void move_ipv4(uint8_t *to, const uint8_t *from)
{
    store_u64(to, 0);
    store_u32(to + 8, host_be32(0xffff));
    store_u32(to + 12, load_u32(from));
}

static inline void move_ipv6(uint8_t *to, const uint8_t *from)
{
    struct address address;

    address_set_ipv6(&address, from);
    memcpy(to, &address, sizeof(address));
}

/*
 * Runs the ops of one record that begins at `base`; `end` is the set's. Returns the end of the record, or NULL when a
 * variable field passes the set's end.
 */
static inline __attribute__((always_inline)) const uint8_t *
run_ops(const struct op *op, const uint8_t *base, const uint8_t *end, uint8_t *out)
{
    for (;; op++) {
        const uint8_t *from = base + op->from;
        uint8_t *to = out + op->to;

        switch ((enum op_kind)op->kind) {
        case OP_U8:
            *to = *from;
            break;
        case OP_U16_TWICE:
            move_u16(out + op->to_2, base + op->from_2);
            move_u16(to, from);
            break;
        case OP_U16:
            move_u16(to, from);
            break;
        case OP_U32_TWICE:
            store_u32(out + op->to_2, host_be32(load_u32(base + op->from_2)));
            store_u32(to, host_be32(load_u32(from)));
            break;
        case OP_U32:
            store_u32(to, host_be32(load_u32(from)));
            break;
        case OP_U64_TWICE:
            store_u64(out + op->to_2, host_be64(load_u64(base + op->from_2)));
            store_u64(to, host_be64(load_u64(from)));
            break;
        case OP_U64:
            store_u64(to, host_be64(load_u64(from)));
            break;
        case OP_U32_U64_TWICE:
            store_u64(out + op->to_2, host_be32(load_u32(base + op->from_2)));
            store_u64(to, host_be32(load_u32(from)));
            break;
        case OP_U32_U64:
            store_u64(to, host_be32(load_u32(from)));
            break;
        case OP_U16_U32:
            store_u32(to, host_be16(load_u16(from)));
            break;
        case OP_IPV4_TWICE:
            move_ipv4(out + op->to_2, base + op->from_2);
            move_ipv4(to, from);
            break;
        case OP_IPV4:
            move_ipv4(to, from);
            break;
        case OP_IPV6_TWICE:
            move_ipv6(out + op->to_2, base + op->from_2);
            move_ipv6(to, from);
            break;
        case OP_IPV6:
            move_ipv6(to, from);
            break;
        case OP_VARIABLE:
        case OP_VARIABLE_LOOK: {
            uint32_t size = *from++; /* this octet was counted among the least that is left */
            if (size == 255) {
                if (end - from < 2 + (ptrdiff_t)op->size)
                    return NULL;
                size = host_be16(load_u16(from));
                from += 2;
            }
            if ((size_t)(end - from) < size + (size_t)op->size)
                return NULL;
            if (op->kind == OP_VARIABLE)
                base = from + size;
            else
                store_variable(op, from, size, to);
            break;
        }
        case OP_END:
            return base + op->size;
        case OP_NUMBER:
        case OP_SIGNED:
        case OP_REAL:
        case OP_MAC:
        case OP_TEXT:
        case OP_BYTES:
        case OP_TIME:
        case OP_FLAGS:
            store_any(op, (enum op_kind)op->kind, from, op->size, to);
            break;
        default:
            __builtin_unreachable(); /* compile.c makes no others */
        }
    }
}

static void finish(struct netflow *netflow, struct record *record)
{
    uint32_t steps = record->definition->finishers;

    for (; steps != 0; steps &= steps - 1) {
        const struct finish_row *row = &finish_table[__builtin_ctz(steps)];

        row->run(netflow, record);
        if (row->last)
            return;
    }
    if (!finish_dropped(netflow))
        run_emit(netflow);
}

static void begin_set(struct netflow *netflow, const struct definition *definition, struct template *template)
{
    struct record *record = &netflow->record;

    record->definition = definition;
    record->template = template;
    memcpy(record->parts_have, definition->parts_have, sizeof(record->parts_have));
    record->flow.discard = false;
    record->flow.traits = (struct flow_traits){.set_id = template != NULL ? template->id : 0,
                                               .engine_type = netflow->message.engine_type,
                                               .options = definition->kind == TEMPLATE_OPTIONS,
                                               .two_way = definition->two_way};
}

/* Octets at the end of a set that are fewer than a record are padding (RFC 7011 section 3.3.1), if they are few. */
static void end_set(struct netflow *netflow, size_t left, bool *odd)
{
    if (left > 3) {
        counter_add(&netflow->counters[INPUT_octets_odd], left);
        *odd = true;
    }
}

/* With odd NULL the set is walked once more, and what is left at its end is said then. */
static uint64_t run_options(struct netflow *netflow, const struct definition *definition, struct template *template,
                            struct cursor set, bool *odd)
{
    uint64_t count = 0;

    while (cursor_left(&set) >= definition->record_min) {
        struct field_walk walk = field_walk_over(definition, set.at, cursor_left(&set));
        struct field_value value;
        size_t size;

        while (field_walk_next(&walk, &value))
            ;
        if (walk.cursor.failed)
            break;
        size = (size_t)(walk.cursor.at - set.at);
        if (netflow->options.on_record != NULL)
            show_record(netflow, definition, template != NULL ? template->id : 0, set.at, size);
        options_record(netflow, definition, set.at, size);
        cursor_skip(&set, size);
        count++;
    }
    if (odd != NULL)
        end_set(netflow, cursor_left(&set), odd);
    return count;
}

/* What the message gives to every body of this set; the rest is zero. */
static void make_image(const struct netflow *netflow, const struct layout *layout, uint8_t *image)
{
    struct flow *flow = (struct flow *)&netflow->record.flow;

    flow->have = *finish_constant(netflow);
    field_set_add(&flow->have, FIELD_PACKETS);
    field_set_add(&flow->have, FIELD_BYTES);
    flow->packets = flow->bytes = 0;
    layout_project(layout, flow, 0, image);
}

/* All records of a set for one plugin; see direct.c. Returns how many; *stop gets where the walk ended. */
static uint64_t run_direct_target(struct netflow *netflow, const struct definition *definition, unsigned target,
                                  struct cursor set, const uint8_t **stop)
{
    const struct layout *layout = netflow->output.targets[target];
    const struct direct *direct = &definition->direct[target];
    uint8_t *first = netflow->bodies + netflow->body_offsets[target];
    unsigned body_bytes = layout->body_bytes, key_bytes = layout->key_bytes, made = 0;
    uint64_t image[layout_body_words], count = 0, packets = 0;
    const uint8_t *at = set.at, *next;

    if (!direct->covers)
        make_image(netflow, layout, (uint8_t *)image);
    for (; (size_t)(set.end - at) >= definition->record_min; at = next) {
        uint8_t *body = first + (size_t)made * body_bytes;

        if (!direct->covers)
            memcpy(body, image, body_bytes);
        else if (key_bytes > 0)
            store_u64(body + key_bytes - 8, 0); /* the padding */
        next = run_ops(direct->ops, at, set.end, body);
        if (unlikely(next == NULL))
            break;
        if (direct->checks_ports && !protocol_has_ports[at[definition->proto_at]])
            for (unsigned i = 0; i < 2; i++)
                if (direct->ports[i] != no_port)
                    memset(body + direct->ports[i], 0, 2);
        packets += load_u64(body + key_bytes);
        count++;
        if (++made == direct_batch) {
            netflow->output.bodies(netflow->output.context, target, first, made);
            made = 0;
        }
    }
    if (made > 0)
        netflow->output.bodies(netflow->output.context, target, first, made);
    if (target == 0)
        netflow->packets += packets;
    *stop = at;
    return count;
}

static uint64_t run_direct(struct netflow *netflow, const struct definition *definition, struct cursor set, bool *odd)
{
    const uint8_t *stop = set.at;
    uint64_t count = 0;

    finish_message(netflow);
    for (unsigned i = 0; i < definition->direct_count; i++)
        count = run_direct_target(netflow, definition, i, set, &stop);
    netflow->accounted += count;
    end_set(netflow, (size_t)(set.end - stop), odd);
    return count;
}

uint64_t run_data_set(struct netflow *netflow, const struct definition *definition, struct template *template,
                      struct cursor set, bool *odd)
{
    struct record *record = &netflow->record;
    struct field_set have = definition->have;
    const uint8_t *at = set.at, *end = set.end, *next;
    uint64_t count = 0;

    if (definition->direct != NULL)
        return run_direct(netflow, definition, set, odd);
    if (definition->kind == TEMPLATE_OPTIONS && !netflow->options.account_options)
        return run_options(netflow, definition, template, set, odd);
    if (definition->kind == TEMPLATE_OPTIONS)
        run_options(netflow, definition, template, set, NULL);
    begin_set(netflow, definition, template);
    finish_message(netflow);
    field_set_merge(&have, finish_constant(netflow));
    field_set_add(&have, FIELD_PACKETS);
    field_set_add(&have, FIELD_BYTES);
    for (; (size_t)(end - at) >= definition->record_min; at = next) {
        record->flow.have = have;
        record->flow.packets = 0;
        record->flow.bytes = 0;
        next = run_ops(definition->ops, at, end, (uint8_t *)record);
        if (unlikely(next == NULL))
            break;
        if (definition->checks_ports && !protocol_has_ports[record->flow.proto]) {
            record->flow.src_port = 0;
            record->flow.dst_port = 0;
        }
        count++;
        if (unlikely(netflow->options.on_record != NULL) && definition->kind == TEMPLATE_DATA)
            show_record(netflow, definition, template != NULL ? template->id : 0, at, (size_t)(next - at));
        if (definition->finishers == 0) {
            run_emit(netflow);
        } else {
            record->bytes = at;
            record->size = (uint32_t)(next - at);
            finish(netflow, record);
        }
    }
    end_set(netflow, (size_t)(end - at), odd);
    return count;
}

/* RFC 7011 section 3.3.1: padding is zeroes. Where it begins is known in advance for records of fixed length only. */
static bool padding_is_zero(const struct definition *definition, struct cursor set)
{
    size_t left = definition->variable ? 0 : cursor_left(&set) % definition->record_min;

    for (const uint8_t *at = set.end - left; at < set.end; at++)
        if (*at != 0)
            return false;
    return true;
}

void run_template(struct netflow *netflow, struct template *template, struct cursor set)
{
    struct ledger_exporter *row = netflow->domain->exporter->row;
    bool odd = false;
    uint64_t records;

    if (unlikely(netflow->options.check_padding) && !padding_is_zero(template->definition, set)) {
        netflow_count(netflow, INPUT_sets_malformed);
        counter_add(&row->malformed, 1);
        return;
    }
    records = run_data_set(netflow, template->definition, template, set, &odd);
    template->used_ns = netflow->message.origin->arrival_ns;
    template->records += records;
    netflow->message_records += records;
    counter_add(&netflow->counters[INPUT_data_records_seen], records);
    if (template->definition->kind == TEMPLATE_OPTIONS) {
        counter_add(&row->options_records, records);
        netflow->message_options += records;
        if (!netflow->options.account_options)
            counter_add(&netflow->counters[INPUT_data_records_options], records);
    }
    if (odd)
        counter_add(&row->malformed, 1);
    netflow_count(netflow, INPUT_sets_data);
}
