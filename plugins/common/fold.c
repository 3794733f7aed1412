/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fold of fold.h. The tail is read with bounds although our own collector wrote it: a ring outlives a crash of its
 * writer. The start of a bin is kept from record to record, as civil time is expensive and records come in order of
 * time, more or less.
 */
#include "plugins/common/fold.h"

void fold_init(struct fold *fold, const struct layout *layout, const struct fold_options *options)
{
    *fold = (struct fold){
        .layout = layout, .bins = options->bins, .time_unit_ns = options->seconds ? time_second_ns : 1000};
    for (unsigned i = 0; i < layout->slot_count; i++) {
        const struct layout_slot *slot = &layout->slots[i];

        if (slot->offset >= layout->key_bytes)
            continue;
        if (options->dscp && slot->field == FIELD_TOS) {
            fold->dscp = true;
            fold->tos_offset = slot->offset;
        }
        if (slot->type == FIELD_TYPE_TIME && fold->time_count < fold_times_max)
            fold->time_offsets[fold->time_count++] = slot->offset;
    }
}

bool fold_is_empty(const struct fold *fold)
{
    return fold->layout->string_count == 0 && (fold->bins == NULL || fold->layout->bin_offset < 0) && !fold->dscp &&
           fold->time_count == 0;
}

static void fold_strings(const struct layout *layout, const uint8_t *record, size_t bytes, struct intern *intern,
                         uint8_t *body)
{
    size_t at = layout->body_bytes;

    for (unsigned i = 0; i < layout->string_count; i++) {
        uint32_t length = 0, id = 0;

        if (at + 2 <= bytes) {
            length = load_u16(record + at);
            at += 2;
            if (length > bytes - at)
                at = bytes;
            else
                id = intern_put(intern, (const char *)record + at, length);
            at += min_u64(length, bytes - at);
        }
        store_u32(body + layout->string_offsets[i], id);
    }
}

/* Base time in nanoseconds -> start of its bin in seconds. No base time (0) stays 0: it is in no bin. */
static void fold_bin(struct fold *fold, uint8_t *slot)
{
    int64_t ns = (int64_t)load_u64(slot);
    int64_t seconds = ns / time_second_ns - (ns % time_second_ns < 0);

    if (ns == 0)
        return;
    if (unlikely(seconds < fold->bin_start || seconds >= fold->bin_end))
        fold->bin_start = time_bin(fold->bins, seconds, &fold->bin_end);
    store_u64(slot, (uint64_t)fold->bin_start);
}

void fold_run(struct fold *fold, const uint8_t *record, size_t bytes, struct intern *intern, uint8_t *body)
{
    const struct layout *layout = fold->layout;

    memcpy(body, record, layout->body_bytes);
    if (layout->string_count != 0)
        fold_strings(layout, record, bytes, intern, body);
    if (fold->bins != NULL && layout->bin_offset >= 0)
        fold_bin(fold, body + layout->bin_offset);
    for (unsigned i = 0; i < fold->time_count; i++) {
        int64_t ns = (int64_t)load_u64(body + fold->time_offsets[i]);
        store_u64(body + fold->time_offsets[i], (uint64_t)(ns - ns % fold->time_unit_ns));
    }
    if (fold->dscp)
        body[fold->tos_offset] >>= 2;
}
