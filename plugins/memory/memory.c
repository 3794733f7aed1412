/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory plugin: a table that is never purged, and a socket on which the client `pmacct` reads it. The table is
 * the runner's; this file binds the socket to it, decides who may do what, and keeps the books of what clients clear.
 */
#include "plugins/memory/memory.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/time.h"
#include "plugins/common/query.h"
#include "plugins/common/table.h"
#include "plugins/memory/snapshot.h"

struct memory {
    struct server *server;
    int64_t cleared_ns; /* monotonic; 0: never */
};

static void answer_age(const struct memory *memory, struct answer *answer)
{
    uint8_t *body = answer_reserve(answer, 16);
    int64_t age_ns = memory->cleared_ns ? time_monotonic_ns() - memory->cleared_ns : 0;

    if (body == NULL)
        return;
    store_be64(body, (uint64_t)(age_ns / time_second_ns));
    store_be64(body + 8, memory->cleared_ns != 0);
    answer_commit(answer, QUERY_AGE_ANSWER, 0, 16);
    server_answer_end(answer, NULL, 0);
}

/*
 * Counts the records that left the table with a clear or a full reset, and what is there now. `before`: records in it
 * until then.
 */
static void keep_books(struct plugin *plugin, bool cleared, uint64_t before)
{
    struct memory *memory = plugin->state;

    counter_add(&plugin->counters[PLUGIN_records_cleared], before - table_records(plugin->table));
    if (cleared)
        memory->cleared_ns = time_monotonic_ns();
    counter_set(&plugin->counters[PLUGIN_records_in_table], table_records(plugin->table));
    counter_set(&plugin->counters[PLUGIN_rows_in_table], table_rows(plugin->table));
    counter_set(&plugin->counters[PLUGIN_table_bytes], table_bytes(plugin->table));
}

void memory_answer(void *context, struct answer *answer, const struct frame_request *request, const uint8_t *body,
                   enum server_right right)
{
    struct plugin *plugin = context;
    struct memory *memory = plugin->state;
    bool changes = (request->command != FRAME_COMMAND_LEDGER && (request->flags & (query_reset | query_clear))) ||
                   request->command == QUERY_CLEAR;
    bool cleared = false;
    uint64_t before = table_records(plugin->table);

    if (changes && right != SERVER_RIGHT_OWNER) {
        answer_error(answer, "not permitted: only root and the daemon's user may clear or reset");
        return;
    }
    switch (request->command) {
    case QUERY_TABLE:
    case QUERY_MATCH:
    case QUERY_COUNTERS:
    case QUERY_STATUS:
    case QUERY_COLUMNS:
        cleared = snapshot_answer(answer, request, body, plugin->layout, plugin->table);
        break;
    case QUERY_CLEAR:
        table_clear(plugin->table);
        cleared = true;
        server_answer_end(answer, NULL, 0);
        break;
    case QUERY_AGE:
        answer_age(memory, answer);
        break;
    case FRAME_COMMAND_LEDGER:
        server_answer_ledger(answer, request, plugin->start->ledger);
        break;
    default:
        answer_error(answer, "the memory plugin does not know command %u", request->command);
        break;
    }
    keep_books(plugin, cleared, before);
}

int memory_open(struct plugin *plugin, struct error *error)
{
    struct memory *memory = calloc(1, sizeof(*memory));
    struct server_options options = {.path = plugin->settings->imt_path,
                                     .group = plugin->settings->imt_group,
                                     .served = &plugin->counters[PLUGIN_clients_served],
                                     .refused = &plugin->counters[PLUGIN_clients_refused]};

    if (memory == NULL)
        return error_set(error, "out of memory");
    memory->server = server_new(plugin->loop, &options, memory_answer, plugin, error);
    if (memory->server == NULL) {
        free(memory);
        return -1;
    }
    plugin->state = memory;
    log_write(LOG_LEVEL_OK, "waiting for data on: '%s'", options.path);
    return 0;
}

void memory_close(struct plugin *plugin)
{
    struct memory *memory = plugin->state;

    server_free(memory->server);
    free(memory);
    plugin->state = NULL;
}
