/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Compiles `aggregate` to a layout and runs its projection; see layout.h for the picture. The program is a list of
 * copies in groups of one size, so that projecting is a few short loops without a switch inside.
 */
#include "flow/layout.h"

#include <stdio.h>

enum copy_group { GROUP_16, GROUP_8, GROUP_4, GROUP_2, GROUP_1, GROUP_STRING, GROUP_COUNT };

static bool in_key(enum field_id id)
{
    return field_table[id].role == FIELD_ROLE_KEY || field_table[id].role == FIELD_ROLE_BIN;
}

static enum copy_group group_of(enum field_id id)
{
    if (field_table[id].type == FIELD_TYPE_STRING)
        return GROUP_STRING;
    switch (field_type_bytes(field_table[id].type)) {
    case 16:
        return GROUP_16;
    case 8:
        return GROUP_8;
    case 4:
        return GROUP_4;
    case 2:
        return GROUP_2;
    default:
        return GROUP_1;
    }
}

static void add_slot(struct layout *layout, enum field_id id, uint16_t offset, uint8_t bytes)
{
    layout->slots[layout->slot_count++] = (struct layout_slot){
        .field = (uint16_t)id,
        .offset = offset,
        .bytes = bytes,
        .type = (uint8_t)field_table[id].type,
        .role = (uint8_t)field_table[id].role,
    };
}

/* Key slots in the order 16, 8, 4 (strings with them), 2, 1; then the padding. */
static int place_key(struct layout *layout, struct error *error)
{
    static const uint8_t sizes[] = {16, 8, 4, 2, 1};
    uint16_t offset = 0;

    layout->bin_offset = -1;
    for (unsigned s = 0; s < array_length(sizes); s++) {
        for (unsigned id = 0; id < FIELD_COUNT; id++) {
            if (!field_set_has(&layout->fields, id) || !in_key(id) ||
                field_type_bytes(field_table[id].type) != sizes[s])
                continue;
            if (offset + sizes[s] > layout_key_max)
                return error_set(error, "the fields of 'aggregate' do not fit in a key of %d bytes", layout_key_max);
            add_slot(layout, id, offset, sizes[s]);
            if (field_table[id].role == FIELD_ROLE_BIN)
                layout->bin_offset = (int16_t)offset;
            if (field_table[id].type == FIELD_TYPE_STRING) {
                if (layout->string_count == layout_strings_max)
                    return error_set(error, "more than %d text fields in 'aggregate'", layout_strings_max);
                layout->string_offsets[layout->string_count++] = offset;
            }
            offset = (uint16_t)(offset + sizes[s]);
        }
    }
    layout->key_bytes = (uint16_t)align_up(offset, 8u);
    return 0;
}

static int place_values(struct layout *layout, struct error *error)
{
    static const enum field_id first[] = {FIELD_PACKETS, FIELD_BYTES};
    uint16_t offset = layout->key_bytes;

    for (unsigned pass = 0; pass < 2; pass++) {
        for (unsigned id = 0; id < FIELD_COUNT; id++) {
            bool leads = id == first[0] || id == first[1];

            if (!field_set_has(&layout->fields, id) || in_key(id) || field_table[id].role == FIELD_ROLE_PURGE ||
                leads != (pass == 0))
                continue;
            if (layout->value_count == layout_values_max)
                return error_set(error, "more than %d counters in 'aggregate'", layout_values_max);
            add_slot(layout, id, offset, 8);
            offset = (uint16_t)(offset + 8);
            layout->value_count++;
        }
    }
    layout->body_bytes = offset;
    return 0;
}

/* Value slots have 8 bytes, and so have the members of all fields that merge (a unit test holds the table to it).
 * What a slot is copied from: itself, but a sum's second pass takes the other end, and the bin takes the base time. */
static enum field_id source_of(enum field_id id, const struct aggregate *aggregate,
                               const struct layout_options *options, unsigned pass)
{
    if (field_table[id].role == FIELD_ROLE_BIN || id == FIELD_TIMESTAMP_MIN || id == FIELD_TIMESTAMP_MAX)
        return options->base_time;
    if (pass == 1 && id == aggregate->sum_source)
        return aggregate->sum_destination;
    return id;
}

/* One stretch of bytes that lie together in the flow and in the body. */
struct stretch {
    uint16_t from, to, bytes;
};

/* Copies in the order of the body, joined where both sides go on without a gap. Returns how many stretches. */
static unsigned join_copies(const struct layout *layout, unsigned pass, struct stretch *stretches)
{
    static const uint8_t sizes[] = {[GROUP_16] = 16, [GROUP_8] = 8, [GROUP_4] = 4, [GROUP_2] = 2, [GROUP_1] = 1};
    unsigned count = 0, i = 0;

    for (unsigned group = GROUP_16; group <= GROUP_1; group++) {
        for (; i < layout->copy_end[pass][group]; i++) {
            const struct layout_copy *copy = &layout->copies[pass][i];
            bool joined = false;

            for (unsigned k = 0; k < count && !joined; k++) {
                struct stretch *before = &stretches[k];

                joined = before->from + before->bytes == copy->from && before->to + before->bytes == copy->to;
                before->bytes = (uint16_t)(before->bytes + (joined ? sizes[group] : 0));
            }
            if (!joined)
                stretches[count++] = (struct stretch){copy->from, copy->to, sizes[group]};
        }
    }
    return count;
}

enum run_size { RUN_32, RUN_16, RUN_8, RUN_4, RUN_2, RUN_1 };

static const uint8_t run_sizes[] = {
    [RUN_32] = 32, [RUN_16] = 16, [RUN_8] = 8, [RUN_4] = 4, [RUN_2] = 2, [RUN_1] = 1};

/* Cuts the stretches into pieces of the sizes that one or two moves can do, the largest first. */
static void make_runs(struct layout *layout, unsigned pass)
{
    struct stretch stretches[FIELD_COUNT];
    unsigned count = join_copies(layout, pass, stretches);
    uint16_t made = 0;

    for (unsigned size = RUN_32; size <= RUN_1; size++) {
        for (unsigned i = 0; i < count; i++) {
            struct stretch *stretch = &stretches[i];

            for (; stretch->bytes >= run_sizes[size]; made++) {
                layout->runs[pass][made] = (struct layout_run){stretch->from, stretch->to, size};
                stretch->from = (uint16_t)(stretch->from + run_sizes[size]);
                stretch->to = (uint16_t)(stretch->to + run_sizes[size]);
                stretch->bytes = (uint16_t)(stretch->bytes - run_sizes[size]);
            }
        }
    }
    layout->run_count[pass] = made;
}

static void make_program(struct layout *layout, const struct aggregate *aggregate, const struct layout_options *options,
                         unsigned pass)
{
    uint16_t count = 0;

    for (unsigned group = 0; group < GROUP_COUNT; group++) {
        for (unsigned i = 0; i < layout->slot_count; i++) {
            const struct layout_slot *slot = &layout->slots[i];
            enum field_id from = source_of(slot->field, aggregate, options, pass);

            if (group_of(slot->field) != group)
                continue;
            layout->copies[pass][count++] = (struct layout_copy){
                .from = field_table[from].flow_offset, .to = slot->offset, .bit = (uint16_t)from,
                .raw = field_table[from].raw};
            field_set_add(&layout->needs, from);
            field_set_add(&layout->copied[pass], from);
        }
        layout->copy_end[pass][group] = count;
    }
    make_runs(layout, pass);
}

/* FNV-1a over what both ends must agree on. */
static uint64_t fingerprint_of(const struct layout *layout)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (unsigned i = 0; i < layout->slot_count; i++) {
        const struct layout_slot *slot = &layout->slots[i];
        const char *name = field_table[slot->field].json;

        for (; *name; name++)
            hash = (hash ^ (uint8_t)*name) * UINT64_C(0x100000001b3);
        hash = (hash ^ slot->offset) * UINT64_C(0x100000001b3);
        hash = (hash ^ slot->type) * UINT64_C(0x100000001b3);
    }
    return hash ^ ((uint64_t)layout->key_bytes << 48) ^ layout->body_bytes;
}

int layout_compile(struct layout *layout, const struct aggregate *aggregate, const struct layout_options *options,
                   struct error *error)
{
    memset(layout, 0, sizeof(*layout));
    layout->fields = aggregate->fields;
    layout->sum = aggregate->sum;
    field_set_add(&layout->fields, FIELD_PACKETS);
    field_set_add(&layout->fields, FIELD_BYTES);
    if (options->history) {
        field_set_add(&layout->fields, FIELD_STAMP_INSERTED);
        field_set_add(&layout->fields, FIELD_STAMP_UPDATED);
    }
    if (options->stitching) {
        field_set_add(&layout->fields, FIELD_TIMESTAMP_MIN);
        field_set_add(&layout->fields, FIELD_TIMESTAMP_MAX);
    }
    if (place_key(layout, error) < 0 || place_values(layout, error) < 0)
        return -1;
    make_program(layout, aggregate, options, 0);
    if (layout->sum)
        make_program(layout, aggregate, options, 1);
    layout->fingerprint = fingerprint_of(layout);
    return 0;
}

size_t layout_record_max(const struct layout *layout)
{
    return align_up(layout->body_bytes + layout->string_count * (2 + (size_t)flow_string_max), (size_t)8);
}

const struct layout_slot *layout_find(const struct layout *layout, enum field_id id)
{
    for (unsigned i = 0; i < layout->slot_count; i++)
        if (layout->slots[i].field == id)
            return &layout->slots[i];
    return NULL;
}

/* Bytes as "0A-FF", as many as fit in flow_string_max. Returns the length of the text. */
static uint16_t put_raw(uint8_t *out, const struct span *span)
{
    static const char digits[] = "0123456789ABCDEF";
    uint32_t count = (uint32_t)min_u64(span->length, (flow_string_max + 1) / 3);
    uint8_t *at = out;

    for (uint32_t i = 0; i < count; i++) {
        uint8_t byte = (uint8_t)span->data[i];

        if (i > 0)
            *at++ = '-';
        *at++ = (uint8_t)digits[byte >> 4];
        *at++ = (uint8_t)digits[byte & 15];
    }
    return (uint16_t)(at - out);
}

static __attribute__((noinline)) size_t project_strings(const struct layout *layout, const struct flow *flow,
                                                       const struct layout_copy *copy,
                                                       const struct layout_copy *end, uint8_t *out)
{
    uint8_t *tail = out + layout->body_bytes;
    size_t length;

    for (; copy < end; copy++) {
        uint16_t bytes = 0;

        store_u32(out + copy->to, 0);
        if (flow_has(flow, copy->bit)) {
            const struct span *span = (const struct span *)((const uint8_t *)flow + copy->from);

            if (copy->raw) {
                bytes = put_raw(tail + 2, span);
            } else {
                bytes = (uint16_t)min_u64(span->length, flow_string_max);
                if (bytes > 0) /* an empty text may point nowhere */
                    memcpy(tail + 2, span->data, bytes);
            }
        }
        memcpy(tail, &bytes, 2);
        tail += 2 + bytes;
    }
    length = (size_t)(tail - out);
    while (length % 8 != 0)
        out[length++] = 0;
    return length;
}

/*
 * The common case: the flow has every field that is copied. `out` is nobody else's, so nothing is loaded twice. The
 * runs of a layout are few and always the same, so that the jumps are foreseen.
 */
static inline void project_whole(const struct layout_run *restrict run, unsigned count, const uint8_t *restrict from,
                                 uint8_t *restrict out)
{
    for (const struct layout_run *const end = run + count; run < end; run++) {
        switch (run->size) {
        case RUN_32:
            memcpy(out + run->to, from + run->from, 32);
            break;
        case RUN_16:
            memcpy(out + run->to, from + run->from, 16);
            break;
        case RUN_8:
            memcpy(out + run->to, from + run->from, 8);
            break;
        case RUN_4:
            memcpy(out + run->to, from + run->from, 4);
            break;
        case RUN_2:
            memcpy(out + run->to, from + run->from, 2);
            break;
        default:
            out[run->to] = from[run->from];
            break;
        }
    }
}

/* The general one: what the flow does not have is zero. Apart, so that the common one needs no registers for it. */
static __attribute__((noinline)) void project_sparse(const struct layout_copy *copy, const uint16_t *end, const struct flow *flow, uint8_t *out)
{
    static const uint8_t sizes[] = {[GROUP_16] = 16, [GROUP_8] = 8, [GROUP_4] = 4, [GROUP_2] = 2, [GROUP_1] = 1};
    const struct layout_copy *const first = copy;

    for (unsigned group = GROUP_16; group <= GROUP_1; group++) {
        for (; copy < first + end[group]; copy++) {
            if (flow_has(flow, copy->bit))
                memcpy(out + copy->to, (const uint8_t *)flow + copy->from, sizes[group]);
            else
                memset(out + copy->to, 0, sizes[group]);
        }
    }
}

size_t layout_project(const struct layout *layout, const struct flow *flow, unsigned pass, uint8_t *out)
{
    uint64_t missing = 0;

    /* Straight code: compilers leave a loop of three words a loop. */
#pragma GCC unroll 4
    for (unsigned i = 0; i < FIELD_WORDS; i++)
        missing |= layout->copied[pass].words[i] & ~flow->have.words[i];
    /* Padding lies in the last word of the key, small slots may share it. */
    if (layout->key_bytes > 0)
        store_u64(out + layout->key_bytes - 8, 0);
    if (likely(missing == 0))
        project_whole(layout->runs[pass], layout->run_count[pass], (const uint8_t *)flow, out);
    else
        project_sparse(layout->copies[pass], layout->copy_end[pass], flow, out);
    if (likely(layout->string_count == 0))
        return layout->body_bytes;
    return project_strings(layout, flow, layout->copies[pass] + layout->copy_end[pass][GROUP_1],
                           layout->copies[pass] + layout->copy_end[pass][GROUP_STRING], out);
}

size_t layout_describe(const struct layout *layout, char *out, size_t size)
{
    static const char *const role[] = {"key", "sum", "or", "min", "max", "last", "bin", "purge"};
    size_t length = 0;
    int n = snprintf(out, size, "key %u bytes, %u values, body %u bytes, %u texts, fingerprint %016llx\n",
                     layout->key_bytes, layout->value_count, layout->body_bytes, layout->string_count,
                     (unsigned long long)layout->fingerprint);

    length += n > 0 ? (size_t)n : 0;
    for (unsigned i = 0; i < layout->slot_count && length < size; i++) {
        const struct layout_slot *slot = &layout->slots[i];
        n = snprintf(out + length, size - length, "  %4u  %2u bytes  %-5s %s\n", slot->offset, slot->bytes,
                     role[slot->role], field_table[slot->field].json);
        length += n > 0 ? (size_t)n : 0;
    }
    return length < size ? length : size - 1;
}
