/* SPDX-License-Identifier: BSD-2-Clause */
/* See memory_fixture.h. */
#include "tests/lib/memory_fixture.h"

#include <stdio.h>
#include <stdlib.h>

#include "plugins/common/intern.h"

bool memory_fixture_open(struct memory_fixture *fixture, const char *aggregate, const char *path,
                         uint64_t budget_bytes)
{
    struct layout_options options = {.base_time = FIELD_TIMESTAMP_ARRIVAL};
    struct aggregate parsed = {.sum = false};
    struct error error = {""};

    memset(fixture, 0, sizeof(*fixture));
    fixture->settings.imt_path = path;
    fixture->ledger = ledger_create(&error);
    if (fixture->ledger == NULL || aggregate_parse(&parsed, aggregate, &error) < 0 ||
        layout_compile(&fixture->layout, &parsed, &options, &error) < 0)
        return false;
    fixture->ledger->plugin_count = 1;
    fixture->start = (struct plugin_start){.settings = &fixture->settings,
                                           .layout = &fixture->layout,
                                           .ledger = fixture->ledger,
                                           .block = &fixture->ledger->plugins[0]};
    fixture->plugin = (struct plugin){.start = &fixture->start,
                                      .settings = &fixture->settings,
                                      .layout = &fixture->layout,
                                      .counters = fixture->ledger->plugins[0].plugin,
                                      .loop = loop_new(&error),
                                      .table = table_new(&fixture->layout, budget_bytes)};
    return fixture->plugin.loop != NULL && fixture->plugin.table != NULL;
}

void memory_fixture_close(struct memory_fixture *fixture)
{
    table_free(fixture->plugin.table);
    loop_free(fixture->plugin.loop);
    ledger_free(fixture->ledger);
}

static void put(const struct memory_fixture *fixture, uint8_t *body, enum field_id field, const void *value)
{
    const struct layout_slot *slot = layout_find(&fixture->layout, field);

    if (slot != NULL)
        memcpy(body + slot->offset, value, slot->bytes);
}

void memory_fixture_add(struct memory_fixture *fixture, uint32_t n, uint64_t packets, uint64_t bytes)
{
    const uint8_t source_octets[4] = {10, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n};
    const uint8_t destination_octets[4] = {192, 0, 2, 1};
    _Alignas(8) uint8_t body[layout_key_max + 8 * layout_values_max] = {0};
    uint8_t *bodies[1] = {body};
    struct address source, destination;
    uint16_t port = (uint16_t)n;
    uint8_t protocol = 6;
    uint64_t flows = 1;
    uint32_t class_id;
    char text[32];

    address_set_ipv4(&source, source_octets);
    address_set_ipv4(&destination, destination_octets);
    put(fixture, body, FIELD_SRC_HOST, &source);
    put(fixture, body, FIELD_DST_HOST, &destination);
    put(fixture, body, FIELD_SRC_PORT, &port);
    put(fixture, body, FIELD_PROTO, &protocol);
    put(fixture, body, FIELD_FLOWS, &flows);
    if (layout_find(&fixture->layout, FIELD_CLASS) != NULL) {
        int length = snprintf(text, sizeof(text), "class%u", n % 3);

        class_id = intern_put(table_intern(fixture->plugin.table), text, (uint32_t)length);
        put(fixture, body, FIELD_CLASS, &class_id);
    }
    put(fixture, body, FIELD_PACKETS, &packets);
    put(fixture, body, FIELD_BYTES, &bytes);
    table_add(fixture->plugin.table, bodies, 1);
    counter_add(&fixture->plugin.counters[PLUGIN_records_read], 1);
}
