/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `aggregate`, compiled once: how a record of one plugin looks in the ring and in the table, and the program that
 * makes it from a struct flow.
 *
 *   record  = header of the ring | body | tail
 *   body    = key, `key_bytes`, a multiple of 8 | values, `value_count` words of 8 bytes
 *   tail    = for each STRING field of the key, in slot order: uint16_t length, then the bytes; padded to 8 in the end
 *
 * The key holds 16-byte slots first, then 8, 4, 2 and 1, without holes, then zeroes up to the multiple of 8. A field
 * that a flow does not have is zero in the key. values[0] is packets and values[1] is bytes, always. A STRING slot of
 * the key is 4 bytes, zero in the ring: the fold puts the intern id there. A BIN slot carries the base time in
 * nanoseconds through the ring; the fold rounds it to the start of its bin, in seconds. A raw field is a text from here
 * on: two upper-case digits for a byte, with dashes between, as pmacct writes it.
 */
#ifndef FLOW_LAYOUT_H
#define FLOW_LAYOUT_H

#include "flow/flow.h"

#define layout_key_max 1536 /* bytes; more than all fields together need */
#define layout_values_max 16
#define layout_body_words (layout_key_max / 8 + layout_values_max) /* of 8 bytes: the largest body */
#define layout_strings_max 40

struct layout_slot {
    uint16_t field;  /* enum field_id */
    uint16_t offset; /* in the body */
    uint8_t bytes;   /* 1, 2, 4, 8 or 16 */
    uint8_t type;    /* enum field_type */
    uint8_t role;    /* enum field_role */
};

struct layout {
    uint64_t fingerprint; /* of everything below; both ends of a ring compare it */
    uint16_t key_bytes;
    uint16_t value_count;
    uint16_t body_bytes; /* key_bytes + 8 * value_count */
    uint16_t slot_count; /* key slots, then value slots */
    uint16_t string_count;
    int16_t bin_offset;  /* of the BIN slot in the body, or -1 */
    struct layout_slot slots[FIELD_COUNT];
    uint16_t string_offsets[layout_strings_max]; /* of the STRING slots in the body, in the order of the tail */
    struct field_set fields;                     /* all of them */
    struct field_set needs;                      /* what the collector must find out for this plugin */
    bool sum;                                    /* each flow gives two records, see struct aggregate */
    /* The projection program: one copy operation for each slot, in groups of one size; a second one for sums. */
    struct layout_copy {
        uint16_t from; /* offset in struct flow */
        uint16_t to;   /* offset in the body */
        uint16_t bit;  /* field id, for the presence test */
        uint16_t raw;  /* STRING: the flow has bytes, the tail gets their digits */
    } copies[2][FIELD_COUNT];
    uint16_t copy_end[2][6]; /* ends of the groups of 16, 8, 4, 2, 1 bytes and of strings */
    /* The same without the strings, for a flow that has all of it: neighbours in both places are copied together. */
    struct layout_run {
        uint16_t from, to;
        uint32_t size; /* enum run_size of layout.c */
    } runs[2][FIELD_COUNT];
    uint16_t run_count[2];
    struct field_set copied[2]; /* what each pass copies: a flow that has all of it needs no look at single fields */
};

struct layout_options {
    bool history;              /* a BIN slot, and stamp_inserted/stamp_updated in the output */
    bool stitching;            /* timestamp_min and timestamp_max */
    enum field_id base_time;   /* FIELD_TIMESTAMP_ARRIVAL or FIELD_TIMESTAMP_START: what the bin is made from */
};

/* Compiles. Fails only when the aggregate does not fit (too many strings or values). Returns 0 or -1. */
int layout_compile(struct layout *layout, const struct aggregate *aggregate, const struct layout_options *options,
                   struct error *error);

/* Bytes that the largest possible record of this layout takes (body and tail). */
size_t layout_record_max(const struct layout *layout);

/*
 * Writes the body and tail of `flow` to `out`, which has room for layout_record_max() and is aligned to 8. `pass` is
 * 0, or 1 for the second record of a sum. Returns the bytes written, a multiple of 8.
 */
size_t layout_project(const struct layout *layout, const struct flow *flow, unsigned pass, uint8_t *out);

/* The slot of a field, or NULL. */
const struct layout_slot *layout_find(const struct layout *layout, enum field_id id);

/* A text that shows the layout to a person, one slot a line (--show-layout). Returns the length, cut at `size`. */
size_t layout_describe(const struct layout *layout, char *out, size_t size);

static inline uint64_t layout_value(const struct layout *layout, const uint8_t *body, unsigned index)
{
    return load_u64(body + layout->key_bytes + 8 * (size_t)index);
}

#endif
