/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One batch to its file or files: markers, header, rows. When the name does not depend on the row, rows are encoded
 * as they come. When it does, those of the first file seen are, and the others are sorted by file and written at
 * commit.
 */
#include "plugins/print/writer.h"

#include "base/log.h"
#include "plugins/common/flush.h"
#include "plugins/common/table.h"
#include "plugins/print/groups.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define marker_max 384

struct print_link {
    char *link, *file;
    uint64_t hash; /* of link */
    int64_t seconds;
};

struct print_writer {
    struct print *print;
    struct encoder *encoder;
    size_t row_max;
    struct delivery *delivery;
    struct groups *groups;  /* NULL: one file for all rows of a batch */
    const struct batch *batch;
    const struct intern *intern;
    bool open;              /* a file is, the one of the rows that come */
    uint64_t rows_in_file;  /* of this batch, in the file that is open */
    uint64_t marked;        /* sequence of the batch for which `duration` was found: the same at every try */
    int64_t duration;
    struct print_link *links;
    size_t link_count, link_capacity;
    char path[file_path_max]; /* of the file opened last; empty: stdout */
};

static void *writer_new(struct plugin *plugin, struct error *error)
{
    struct print *print = plugin->state;
    struct print_writer *writer = calloc(1, sizeof(*writer));
    const struct layout_slot *slots[2 * name_slots_max];
    unsigned count = 0;

    if (!writer) {
        error_set(error, "out of memory");
        return NULL;
    }
    writer->print = print;
    writer->encoder = encoder_new(print->layout, &print->options, error);
    if (!writer->encoder)
        goto failed;
    writer->row_max = encoder_row_max(writer->encoder);
    writer->delivery = delivery_new(
        &print->shared, marker_max + max_u64(writer->row_max, encoder_header_max(writer->encoder)));
    if (print->file)
        count += name_slots(print->file, slots);
    if (print->latest)
        count += name_slots(print->latest, slots + count);
    if (count > 0)
        writer->groups = groups_new(slots, count);
    if (!writer->delivery || (count > 0 && !writer->groups)) {
        error_set(error, "out of memory");
        goto failed;
    }
    print->users++;
    return writer;
failed:
    groups_free(writer->groups);
    delivery_free(writer->delivery);
    encoder_free(writer->encoder);
    free(writer);
    return NULL;
}

static void forget_links(struct print_writer *writer)
{
    for (size_t i = 0; i < writer->link_count; i++) {
        free(writer->links[i].link);
        free(writer->links[i].file);
    }
    writer->link_count = 0;
}

static void writer_free(void *context)
{
    struct print_writer *writer = context;

    forget_links(writer);
    free(writer->links);
    groups_free(writer->groups);
    delivery_free(writer->delivery);
    encoder_free(writer->encoder);
    print_release(writer->print);
    free(writer);
}

static int writer_begin(void *context, const struct batch *batch, struct error *error)
{
    struct print_writer *writer = context;

    writer->batch = batch;
    writer->intern = table_intern(batch->table);
    writer->open = false;
    if (writer->groups)
        groups_clear(writer->groups);
    forget_links(writer);
    encoder_set_purge(writer->encoder, batch->purge_seconds);
    return delivery_begin(writer->delivery, batch->sequence, error);
}

static bool is_json(const struct print_writer *writer)
{
    return writer->print->options.format == ENCODE_JSON;
}

static int put_marker(struct print_writer *writer, bool start, struct error *error)
{
    const char *id = writer->print->marker_id;
    int length;

    if (!writer->print->settings->markers)
        return 0;
    char *out = delivery_room(writer->delivery, marker_max, error);
    if (!out)
        return -1;
    if (!is_json(writer)) {
        length = snprintf(out, marker_max, "--%s (%ld)--\n", start ? "START" : "END", (long)getpid());
    } else if (start) {
        length = snprintf(out, marker_max, "{\"event_type\": \"purge_init\", \"writer_id\": \"%s\"}\n", id);
    } else {
        if (writer->marked != writer->batch->sequence) {
            writer->marked = writer->batch->sequence;
            writer->duration = time_wall_ns() / time_second_ns - writer->batch->purge_seconds;
        }
        /* With several files each tells of its own rows. */
        uint64_t total = writer->groups ? writer->rows_in_file : writer->batch->rows;
        length = snprintf(out, marker_max,
                          "{\"event_type\": \"purge_close\", \"writer_id\": \"%s\", \"purged_entries\": %" PRIu64
                          ", \"total_entries\": %" PRIu64 ", \"duration\": %" PRId64 "}\n",
                          id, writer->rows_in_file, total, writer->duration < 0 ? 0 : writer->duration);
    }
    delivery_put(writer->delivery, (size_t)length);
    return 0;
}

static int add_link(struct print_writer *writer, const uint8_t *body, int64_t seconds, struct error *error)
{
    char link[file_path_max];
    uint64_t hash;

    if (name_format(writer->print->latest, body, seconds, link, sizeof(link), error) != 0)
        return -1;
    hash = delivery_hash(link);
    for (size_t i = 0; i < writer->link_count; i++) {
        struct print_link *known = &writer->links[i];
        if (known->hash != hash || strcmp(known->link, link) != 0)
            continue;
        char *file = seconds >= known->seconds ? strdup(writer->path) : NULL;
        if (file) {
            free(known->file);
            known->file = file;
            known->seconds = seconds;
        }
        return 0;
    }
    if (writer->link_count == writer->link_capacity) {
        size_t capacity = writer->link_capacity ? writer->link_capacity * 2 : 4;
        struct print_link *links = realloc(writer->links, capacity * sizeof(*links));
        if (!links)
            return error_set(error, "out of memory");
        writer->links = links;
        writer->link_capacity = capacity;
    }
    struct print_link *added = &writer->links[writer->link_count];
    *added = (struct print_link){
        .link = strdup(link), .file = strdup(writer->path), .hash = hash, .seconds = seconds};
    if (!added->link || !added->file) {
        free(added->link);
        free(added->file);
        return error_set(error, "out of memory");
    }
    writer->link_count++;
    return 0;
}

/* Opens the file of a row (NULL: of a batch without any) and writes what comes before the rows. */
static int open_file(struct print_writer *writer, const uint8_t *body, struct error *error)
{
    const struct print *print = writer->print;
    const struct batch *batch = writer->batch;
    int64_t seconds = print->bins.count > 0 ? batch->bin_start : batch->purge_seconds;
    bool fresh;

    writer->path[0] = '\0';
    writer->rows_in_file = 0;
    if (print->file) {
        seconds = name_seconds(print->file, body, seconds);
        if (name_format(print->file, body, seconds, writer->path, sizeof(writer->path), error) != 0)
            return -1;
        if (print->latest && add_link(writer, body, seconds, error) != 0)
            return -1;
    }
    if (delivery_open(writer->delivery, print->file ? writer->path : NULL, &fresh, error) != 0 ||
        put_marker(writer, true, error) != 0)
        return -1;
    writer->open = true;
    if (!fresh || (!body && !print->file))
        return 0;
    char *out = delivery_room(writer->delivery, encoder_header_max(writer->encoder), error);
    if (!out)
        return -1;
    delivery_put(writer->delivery, encoder_header(writer->encoder, out));
    return 0;
}

static int close_file(struct print_writer *writer, struct error *error)
{
    writer->open = false;
    return put_marker(writer, false, error) != 0 ? -1 : delivery_close(writer->delivery, error);
}

static inline int write_row(struct print_writer *writer, const uint8_t *body, struct error *error)
{
    char *out = delivery_room(writer->delivery, writer->row_max, error);

    if (unlikely(!out))
        return -1;
    delivery_put(writer->delivery, encoder_row(writer->encoder, body, writer->intern, out));
    writer->rows_in_file++;
    return 0;
}

/* Group 0 is the file that is open; rows of others wait. */
static int sort_row(struct print_writer *writer, const uint8_t *body, struct error *error)
{
    int64_t group = groups_find(writer->groups, body);

    if (group > 0 && groups_add(writer->groups, (uint32_t)group, body) == 0)
        return 0;
    if (group != 0)
        return error_set(error, "out of memory");
    return write_row(writer, body, error);
}

static int writer_rows(void *context, const uint8_t *first, uint64_t count, struct error *error)
{
    struct print_writer *writer = context;
    size_t body_bytes = writer->print->layout->body_bytes;

    if (!writer->open && open_file(writer, first, error) != 0)
        return -1;
    for (; count > 0; count--, first += body_bytes) {
        if ((writer->groups ? sort_row(writer, first, error) : write_row(writer, first, error)) != 0)
            return -1;
    }
    return 0;
}

static int writer_row(void *context, const uint8_t *body, struct error *error)
{
    return writer_rows(context, body, 1, error);
}

static int write_groups(struct print_writer *writer, struct error *error)
{
    struct groups *groups = writer->groups;
    uint64_t count;

    if (groups_count(groups) <= 1)
        return 0;
    if (groups_sort(groups) != 0)
        return error_set(error, "out of memory");
    for (uint32_t i = 1; i < groups_count(groups); i++) {
        const uint8_t *const *rows = groups_rows(groups, i, &count);
        if (open_file(writer, rows[0], error) != 0)
            return -1;
        for (uint64_t k = 0; k < count; k++) {
            if (write_row(writer, rows[k], error) != 0)
                return -1;
        }
        if (close_file(writer, error) != 0)
            return -1;
    }
    return 0;
}

/* True when the link may point to a file of this bin; a late batch of an old bin must not turn one back. */
static bool is_latest(struct print *print, const struct print_link *link)
{
    size_t place = link->hash % (print_latest_places - print_latest_window);
    size_t take = place;

    for (size_t i = place; i < place + print_latest_window; i++) {
        if (print->latest_seconds[i].hash == link->hash) {
            if (print->latest_seconds[i].seconds > link->seconds)
                return false;
            take = i;
            break;
        }
        if (print->latest_seconds[i].seconds < print->latest_seconds[take].seconds)
            take = i;
    }
    print->latest_seconds[take].hash = link->hash;
    print->latest_seconds[take].seconds = link->seconds;
    return true;
}

/*
 * Links are a convenience: one that cannot be made is told, and the rows are delivered all the same. Made under the
 * lock of the delivery.
 */
static void update_links(struct print_writer *writer)
{
    struct print *print = writer->print;

    for (size_t i = 0; i < writer->link_count; i++) {
        const struct print_link *link = &writer->links[i];
        char target[file_path_max];
        struct error error = {.text = ""};

        if (!is_latest(print, link))
            continue;
        if (file_absolute(link->file, target, &error) != 0 ||
            file_make_parents(link->link, &print->shared.owner, &error) != 0 ||
            file_symlink(target, link->link, &error) != 0)
            log_warn("print_latest_file: %s", error.text);
    }
}

static int writer_commit(void *context, struct error *error)
{
    struct print_writer *writer = context;
    const struct print *print = writer->print;

    if (!writer->open && print->settings->print_write_empty_file && open_file(writer, NULL, error) != 0)
        return -1;
    if (writer->open && close_file(writer, error) != 0)
        return -1;
    if (writer->groups && write_groups(writer, error) != 0)
        return -1;
    if (delivery_rename(writer->delivery, error) != 0)
        return -1;
    if (print->latest)
        update_links(writer);
    delivery_commit(writer->delivery);
    return 0;
}

static void writer_abort(void *context)
{
    struct print_writer *writer = context;

    writer->open = false;
    delivery_abort(writer->delivery);
}

static const char *writer_target(void *context)
{
    struct print_writer *writer = context;

    return writer->path[0] ? writer->path : NULL;
}

const struct sink_ops print_sink = {
    .begin = writer_begin,
    .row = writer_row,
    .rows = writer_rows,
    .commit = writer_commit,
    .abort = writer_abort,
    .writer_new = writer_new,
    .writer_free = writer_free,
    .target = writer_target,
};
