/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An emitter with plugins of any settings for the tests of core/emit.c: records go in, what each plugin gets is taken
 * out of its ring, and in the end its books must balance.
 */
#ifndef TESTS_EMIT_WORLD_H
#define TESTS_EMIT_WORLD_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/emit.h"
#include "lib/tap.h"

#define plugins_max 6
#define ring_bytes 65536

static char folder[] = "/tmp/test_emit.XXXXXX";
static struct settings core, settings[plugins_max];
static struct layout layouts[plugins_max];
static struct emit_target targets[plugins_max];
static struct ring *rings[plugins_max][1];
static struct ledger *ledger;
static struct maps *maps;
static struct emitter *emitter;
static unsigned plugin_count;
static uint64_t sent;

static inline void give_up(const char *why)
{
    ok(false, "%s", why);
    exit(done_testing());
}

/* -- a daemon's worth of plugins -- */

static inline const char *file_of(const char *name, const char *text)
{
    static char paths[16][64];
    static unsigned used;
    char *path = paths[used++ % array_length(paths)];
    FILE *file;

    snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    file = fopen(path, "w");
    if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0)
        give_up("cannot write the files of this test");
    return path;
}

static inline void begin(void)
{
    struct error error;

    plugin_count = 0;
    sent = 0;
    settings_init(&core);
    ledger = ledger_create(&error);
    if (ledger == NULL)
        give_up(error.text);
    ledger->lane_count = 1;
}

static inline struct settings *add(const char *name, const char *aggregate)
{
    struct layout_options options = {.base_time = FIELD_TIMESTAMP_ARRIVAL};
    struct settings *plugin = &settings[plugin_count];
    struct layout *layout = &layouts[plugin_count];
    struct error error;

    settings_init(plugin);
    snprintf(plugin->name, sizeof(plugin->name), "%s", name);
    snprintf(plugin->type, sizeof(plugin->type), "print");
    memset(&plugin->aggregate, 0, sizeof(plugin->aggregate));
    if (aggregate_parse(&plugin->aggregate, aggregate, &error) < 0 ||
        layout_compile(layout, &plugin->aggregate, &options, &error) < 0)
        give_up(error.text);
    rings[plugin_count][0] = ring_create(ring_bytes, layout->fingerprint, &error);
    targets[plugin_count] =
        (struct emit_target){plugin, layout, rings[plugin_count], &ledger->plugins[plugin_count], 0};
    plugin_count++;
    return plugin;
}

static inline void open_all(enum daemon_mask daemon)
{
    struct error error = {""};
    struct emit_options options = {.core = &core, .daemon = daemon};

    ledger->plugin_count = plugin_count;
    maps = maps_new(daemon, &error);
    options.maps = maps;
    emitter = maps != NULL ? emitter_new(targets, plugin_count, &options, &error) : NULL;
    if (emitter == NULL)
        give_up(error.text);
}

static inline uint64_t emitted(unsigned plugin, enum emit_counter id)
{
    return ledger_emit(ledger, plugin, id);
}

/* What went in came out, was filtered, sampled out or dropped, for each plugin. */
static inline void finish(const char *name)
{
    emit_publish(emitter);
    for (unsigned i = 0; i < plugin_count; i++)
        is_u64(emitted(i, EMIT_records_emitted) + emitted(i, EMIT_records_filtered) +
                   emitted(i, EMIT_records_sampled_out) + emitted(i, EMIT_records_dropped_ring_full),
               sent + emitted(i, EMIT_records_doubled) + emitted(i, EMIT_records_split), "%s: the books of %s balance",
               name, settings[i].name);
    emitter_free(emitter);
    maps_free(maps);
    for (unsigned i = 0; i < plugin_count; i++)
        ring_free(rings[i][0]);
    ledger_free(ledger);
}

/* -- records -- */

static inline struct address address_of(const char *text)
{
    struct address address;

    address_parse(text, &address);
    return address;
}

/* TCP from `source` to 198.51.100.1:443, ToS 16, source mask 8, AS 9, two packets, 300 bytes. */
static inline struct flow a_flow(const char *source)
{
    static struct flow flow;

    flow_clear(&flow);
    flow_set_src_host(&flow, address_of(source));
    flow_set_dst_host(&flow, address_of("198.51.100.1"));
    flow_set_src_port(&flow, 40000);
    flow_set_dst_port(&flow, 443);
    flow_set_proto(&flow, 6);
    flow_set_tos(&flow, 16);
    flow_set_src_mask(&flow, 8);
    flow_set_src_as(&flow, 9);
    flow_set_packets(&flow, 2);
    flow_set_bytes(&flow, 300);
    return flow;
}

static inline void emit(struct flow flow)
{
    emit_flow(emitter, &flow);
    sent++;
}

struct row {
    _Alignas(8) uint8_t body[512];
};

/* The records in a plugin's ring; the first `room` of them. */
static inline unsigned take(unsigned plugin, struct row *rows, unsigned room)
{
    struct ring_reader reader;
    struct ring_header *run;
    struct error error;
    unsigned count = 0;
    size_t bytes;

    emit_publish(emitter);
    ring_attach_reader(&reader, rings[plugin][0], layouts[plugin].fingerprint, &error);
    while ((run = ring_peek(&reader, &bytes)) != NULL) {
        for (size_t at = 0; at < bytes; at += ((struct ring_header *)((uint8_t *)run + at))->bytes) {
            struct ring_header *header = (struct ring_header *)((uint8_t *)run + at);

            if (count < room)
                memcpy(rows[count].body, header + 1, min_u64(sizeof(rows[0].body), header->bytes - sizeof(*header)));
            count++;
        }
        ring_consume(&reader, bytes);
    }
    return count;
}

/* The value of a field of the one record that there must be; ~0 when there is not just one. */
static inline uint64_t number(unsigned plugin, const struct row *row, enum field_id id)
{
    const struct layout_slot *slot = layout_find(&layouts[plugin], id);
    uint64_t value = 0;

    for (unsigned i = 0; slot != NULL && i < slot->bytes && slot->bytes <= 8; i++) /* tests run on either byte order */
        value |= (uint64_t)row->body[slot->offset + (host_be16(1) == 1 ? slot->bytes - 1u - i : i)] << 8 * i;
    return slot != NULL ? value : UINT64_MAX;
}

static inline bool has_address(unsigned plugin, const struct row *row, enum field_id id, const char *text)
{
    struct address want = address_of(text);

    return memcmp(row->body + layout_find(&layouts[plugin], id)->offset, &want, sizeof(want)) == 0;
}

/* The first text of a record: behind the body, its length before it. */
static inline bool has_text(unsigned plugin, const struct row *row, const char *text)
{
    const uint8_t *tail = row->body + layouts[plugin].body_bytes;

    return load_u16(tail) == strlen(text) && memcmp(tail + 2, text, strlen(text)) == 0;
}

static inline void make_folder(void)
{
    if (mkdtemp(folder) == NULL)
        give_up("cannot make a folder");
}

static inline void remove_folder(void)
{
    char command[64];

    snprintf(command, sizeof(command), "rm -rf %s", folder);
    ok(system(command) == 0, "cleaned up");
}

#endif
