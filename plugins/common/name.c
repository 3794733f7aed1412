/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A name is a list of parts; each knows how to write itself. An unknown $variable stays as it is written, and so does
 * the text of the configuration: only values of rows are made safe.
 */
#include "plugins/common/name.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define parts_max 64

enum part_kind {
    PART_TEXT,
    PART_TIME, /* text with % in it */
    PART_ZONE,
    PART_REFERENCE,
    PART_LENGTH,
    PART_ROW,
    PART_POST_TAG,
    PART_POST_TAG2
};

struct part {
    enum part_kind kind;
    char *text;                     /* TEXT and TIME, owned */
    const struct layout_slot *slot; /* ROW; NULL when the layout does not have the field */
};

struct name {
    struct name_options options;
    unsigned count;
    struct part parts[parts_max];
};

/* The longer of two that begin alike comes first. */
static const struct {
    const char *text;
    enum part_kind kind;
    enum field_id field;
} variables[] = {
    {"$peer_src_ip", PART_ROW, FIELD_PEER_SRC_IP},
    {"$post_tag2", PART_POST_TAG2, 0},
    {"$post_tag", PART_POST_TAG, 0},
    {"$tag2", PART_ROW, FIELD_TAG2},
    {"$tag", PART_ROW, FIELD_TAG},
    {"$tzone", PART_ZONE, 0},
    {"$ref", PART_REFERENCE, 0},
    {"$hst", PART_LENGTH, 0},
};

static int find_variable(const char *p)
{
    for (unsigned i = 0; i < array_length(variables); i++) {
        if (strncmp(p, variables[i].text, strlen(variables[i].text)) == 0)
            return (int)i;
    }
    return -1;
}

static struct part *add_part(struct name *name, enum part_kind kind, struct error *error)
{
    if (name->count == parts_max) {
        error_set(error, "more than %d parts in the name", parts_max);
        return NULL;
    }
    struct part *part = &name->parts[name->count++];
    *part = (struct part){.kind = kind};
    return part;
}

static int add_text(struct name *name, const char *text, size_t length, struct error *error)
{
    if (length == 0)
        return 0;
    struct part *part = add_part(name, memchr(text, '%', length) ? PART_TIME : PART_TEXT, error);
    if (!part)
        return -1;
    part->text = strndup(text, length);
    return part->text ? 0 : error_set(error, "out of memory");
}

struct name *name_new(const char *text, const struct name_options *options, struct error *error)
{
    struct name *name = calloc(1, sizeof(*name));
    const char *start = text;

    if (!name) {
        error_set(error, "out of memory");
        return NULL;
    }
    name->options = *options;
    for (const char *p = text; *p;) {
        int variable = *p == '$' ? find_variable(p) : -1;
        if (variable < 0) {
            p++;
            continue;
        }
        if (add_text(name, start, (size_t)(p - start), error) != 0)
            goto failed;
        struct part *part = add_part(name, variables[variable].kind, error);
        if (!part)
            goto failed;
        if (part->kind == PART_ROW)
            part->slot = layout_find(options->layout, variables[variable].field);
        p += strlen(variables[variable].text);
        start = p;
    }
    if (add_text(name, start, strlen(start), error) != 0)
        goto failed;
    return name;
failed:
    name_free(name);
    return NULL;
}

void name_free(struct name *name)
{
    if (!name)
        return;
    for (unsigned i = 0; i < name->count; i++)
        free(name->parts[i].text);
    free(name);
}

bool name_is_dynamic(const struct name *name)
{
    for (unsigned i = 0; i < name->count; i++) {
        if (name->parts[i].kind != PART_TEXT)
            return true;
    }
    return false;
}

bool name_uses_time(const struct name *name)
{
    for (unsigned i = 0; i < name->count; i++) {
        enum part_kind kind = name->parts[i].kind;
        if (kind == PART_TIME || kind == PART_ZONE || kind == PART_REFERENCE || kind == PART_LENGTH)
            return true;
    }
    return false;
}

unsigned name_slots(const struct name *name, const struct layout_slot *slots[name_slots_max])
{
    const struct layout *layout = name->options.layout;
    unsigned count = 0;

    if (name_uses_time(name) && layout->bin_offset >= 0) {
        const struct layout_slot *bin = layout_find(layout, FIELD_STAMP_INSERTED);
        if (bin)
            slots[count++] = bin;
    }
    for (unsigned i = 0; i < name->count; i++) {
        const struct layout_slot *slot = name->parts[i].slot;
        bool known = !slot;
        for (unsigned k = 0; k < count && !known; k++)
            known = slots[k] == slot;
        if (!known && count < name_slots_max)
            slots[count++] = slot;
    }
    return count;
}

int64_t name_seconds(const struct name *name, const uint8_t *body, int64_t otherwise)
{
    const struct layout *layout = name->options.layout;

    if (!body || layout->bin_offset < 0)
        return otherwise;
    /* Zero is the row "others", which is of no bin. */
    int64_t bin = (int64_t)load_u64(body + layout->bin_offset);
    return bin != 0 ? bin : otherwise;
}

size_t name_put_text(const char *bytes, size_t length, char *out, size_t size)
{
    if (length == 0) {
        bytes = "null";
        length = 4;
    }
    if (size == 0)
        return 0;
    length = min_u64(length, size - 1);
    for (size_t i = 0; i < length; i++) {
        char c = bytes[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
        out[i] = plain ? c : '_';
    }
    out[length] = '\0';
    return length;
}

static size_t put_row_value(const struct layout_slot *slot, const uint8_t *body, char *out, size_t size)
{
    char text[address_text_max + 24];
    size_t length = 0;

    if (slot && body && slot->type == FIELD_TYPE_ADDRESS) {
        struct address address;
        memcpy(&address, body + slot->offset, sizeof(address));
        length = address_format(&address, text);
    } else if (slot && body) {
        length = (size_t)snprintf(text, sizeof(text), "%" PRIu64, load_u64(body + slot->offset));
    }
    return name_put_text(text, length, out, size);
}

/* Length of the bin that begins at `seconds`. */
static int64_t bin_length(const struct name *name, int64_t seconds)
{
    int64_t end;

    if (!name->options.bins || name->options.bins->count == 0)
        return 0;
    int64_t start = time_bin(name->options.bins, seconds, &end);
    return end - start;
}

/* One part without NUL; 0 when it does not fit. `size` leaves room for a NUL. */
static size_t put_part(const struct name *name, const struct part *part, const uint8_t *body, int64_t seconds,
                       char *out, size_t size)
{
    char zone[8];
    int length = 0;

    switch (part->kind) {
    case PART_TEXT: length = snprintf(out, size, "%s", part->text); break;
    case PART_TIME: return time_strftime(seconds, name->options.utc, part->text, out, size);
    case PART_ZONE:
        time_zone_text(seconds, name->options.utc, zone);
        length = snprintf(out, size, "%.7s", zone);
        break;
    case PART_REFERENCE: length = snprintf(out, size, "%" PRId64, seconds); break;
    case PART_LENGTH: length = snprintf(out, size, "%" PRId64, bin_length(name, seconds)); break;
    case PART_ROW: return put_row_value(part->slot, body, out, size);
    case PART_POST_TAG: length = snprintf(out, size, "%" PRIu64, name->options.post_tag); break;
    case PART_POST_TAG2: length = snprintf(out, size, "%" PRIu64, name->options.post_tag2); break;
    }
    return length > 0 && (size_t)length < size ? (size_t)length : 0;
}

int name_format(const struct name *name, const uint8_t *body, int64_t seconds, char *out, size_t size,
                struct error *error)
{
    size_t used = 0;

    for (unsigned i = 0; i < name->count; i++) {
        size_t length = size - used > 1 ? put_part(name, &name->parts[i], body, seconds, out + used, size - used) : 0;
        if (length == 0)
            return error_set(error, "a name does not fit in %zu bytes", size);
        used += length;
    }
    if (used == 0)
        return error_set(error, "the name is empty");
    out[used] = '\0';
    return 0;
}
