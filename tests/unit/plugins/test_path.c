/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A record's whole way inside one process: flow -> projection -> ring -> fold -> table -> JSON row, against a naive model
 * that only knows the flows. Random fields, random flows, several thousand records through a small ring.
 */
#include <jansson.h>
#include <stdlib.h>

#include "lib/tap.h"
#include "plugins/common/encode.h"
#include "plugins/common/fold.h"
#include "plugins/common/table.h"
#include "ring/ring.h"

#define fields_max 6
#define rows_max 4096
#define records 3000

struct model_row {
    uint64_t key[fields_max];
    unsigned text;
    uint64_t packets, bytes;
};

static const char *const texts[] = {"", "65001_65002", "quote\"back\\slash", "65001", "x"};
static struct model_row model[rows_max];
static unsigned model_rows;
static uint64_t state = 88172645463325252;

static uint64_t next_random(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static bool is_number(enum field_id id)
{
    enum field_type type = field_table[id].type;

    return field_table[id].role == FIELD_ROLE_KEY && field_table[id].keyword[0] != '\0' &&
           (type == FIELD_TYPE_U8 || type == FIELD_TYPE_U16 || type == FIELD_TYPE_U32 || type == FIELD_TYPE_U64);
}

static unsigned choose_fields(enum field_id chosen[fields_max])
{
    unsigned count = 0;

    while (count < fields_max) {
        enum field_id id = (enum field_id)(next_random() % FIELD_COUNT);
        bool twice = false;

        for (unsigned i = 0; i < count; i++)
            twice |= chosen[i] == id;
        if (is_number(id) && !twice)
            chosen[count++] = id;
    }
    return count;
}

static void model_add(const uint64_t key[fields_max], unsigned text, uint64_t packets, uint64_t bytes)
{
    unsigned i = 0;

    while (i < model_rows && (memcmp(model[i].key, key, sizeof(model[i].key)) != 0 || model[i].text != text))
        i++;
    if (i == model_rows) {
        memcpy(model[i].key, key, sizeof(model[i].key));
        model[i].text = text;
        model_rows++;
    }
    model[i].packets += packets;
    model[i].bytes += bytes;
}

static void make_flow(struct flow *flow, const enum field_id fields[fields_max])
{
    uint64_t key[fields_max] = {0};
    uint64_t packets = 1 + next_random() % 10, bytes = next_random() % 1500;
    unsigned text = (unsigned)(next_random() % array_length(texts));

    flow_clear(flow);
    for (unsigned i = 0; i < fields_max; i++) {
        if (next_random() % 5 == 0)
            continue; /* absent, which is zero in the row */
        key[i] = next_random() % 3;
        memcpy((uint8_t *)flow + field_table[fields[i]].flow_offset, &key[i], field_table[fields[i]].flow_bytes);
        field_set_add(&flow->have, fields[i]);
    }
    flow_set_packets(flow, packets);
    flow_set_bytes(flow, bytes);
    flow_set_as_path(flow, (struct span){texts[text], (uint32_t)strlen(texts[text])});
    model_add(key, text, packets, bytes);
}

static void drain(struct ring_reader *reader, struct fold *fold, struct table *table)
{
    static _Alignas(8) uint8_t folded_body[layout_key_max + 8 * layout_values_max];
    uint8_t *folded = folded_body;
    struct ring_header *run;
    size_t bytes;

    while ((run = ring_peek(reader, &bytes)) != NULL) {
        for (size_t at = 0; at < bytes;) {
            struct ring_header *header = (struct ring_header *)((uint8_t *)run + at);
            uint8_t *body = (uint8_t *)(header + 1);

            at += header->bytes;
            if (header->kind != RING_FLOW)
                continue;
            fold_run(fold, body, header->bytes - sizeof(*header), table_intern(table), folded);
            body = folded;
            table_add(table, &body, 1);
        }
        ring_consume(reader, bytes);
    }
}

static bool row_is_in_model(const char *line, size_t length, const enum field_id fields[fields_max])
{
    json_t *row = json_loadb(line, length, 0, NULL);
    uint64_t key[fields_max];
    const char *text = json_string_value(json_object_get(row, "as_path"));
    bool found = false;

    for (unsigned i = 0; i < fields_max; i++)
        key[i] = (uint64_t)json_integer_value(json_object_get(row, field_table[fields[i]].json));
    for (unsigned i = 0; i < model_rows && text != NULL; i++)
        if (memcmp(model[i].key, key, sizeof(key)) == 0 && strcmp(texts[model[i].text], text) == 0)
            found = model[i].packets == (uint64_t)json_integer_value(json_object_get(row, "packets")) &&
                    model[i].bytes == (uint64_t)json_integer_value(json_object_get(row, "bytes"));
    json_decref(row);
    return found;
}

static void walk(unsigned round)
{
    struct layout_options options = {.base_time = FIELD_TIMESTAMP_ARRIVAL};
    struct encode_options encode = {.format = ENCODE_JSON, .event_type = "purge"};
    struct aggregate aggregate = {0};
    enum field_id fields[fields_max];
    struct ring_writer writer;
    struct ring_reader reader;
    struct encoder *encoder;
    struct layout layout;
    struct table *table;
    struct ring *ring;
    struct fold fold;
    struct flow flow;
    struct error error;
    char line[16384];
    unsigned wrong = 0;

    model_rows = 0;
    memset(model, 0, sizeof(model));
    choose_fields(fields);
    for (unsigned i = 0; i < fields_max; i++)
        field_set_add(&aggregate.fields, fields[i]);
    field_set_add(&aggregate.fields, FIELD_AS_PATH);
    layout_compile(&layout, &aggregate, &options, &error);
    ring = ring_create(65536, layout.fingerprint, &error);
    ring_attach_writer(&writer, ring, layout.fingerprint, &error);
    ring_attach_reader(&reader, ring, layout.fingerprint, &error);
    table = table_new(&layout, 0);
    fold_init(&fold, &layout, &(struct fold_options){.bins = NULL});
    for (unsigned i = 0; i < records; i++) {
        uint8_t *body = ring_reserve(&writer, layout_record_max(&layout));

        if (body == NULL) {
            ring_publish(&writer);
            drain(&reader, &fold, table);
            body = ring_reserve(&writer, layout_record_max(&layout));
        }
        make_flow(&flow, fields);
        ring_commit(&writer, RING_FLOW, layout_project(&layout, &flow, 0, body));
    }
    ring_publish(&writer);
    drain(&reader, &fold, table);
    encoder = encoder_new(&layout, &encode, &error);
    for (uint64_t i = 0; i < table_rows(table); i++)
        wrong += !row_is_in_model(line, encoder_row(encoder, table_row(table, i), table_intern(table), line), fields);
    is_u64(table_rows(table), model_rows, "walk %u: as many rows as the model has", round);
    is_u64(wrong, 0, "walk %u: every row is the model's", round);
    is_u64(table_records(table), records, "walk %u: every record is counted", round);
    encoder_free(encoder);
    table_free(table);
    ring_free(ring);
}

int main(void)
{
    plan_none();
    for (unsigned round = 0; round < 10; round++)
        walk(round);
    return done_testing();
}
