/* SPDX-License-Identifier: BSD-2-Clause */
/* The books: groups that balance, that do not, what is booked when a process dies, and several lanes. */
#include "base/ledger.h"

#include <jansson.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/tap.h"

static struct ledger *fresh(void)
{
    struct error error;
    struct ledger *ledger = ledger_create(&error);

    memcpy(ledger->daemon, "testd", 6);
    ledger->lane_count = 1;
    ledger->plugin_count = 1;
    memcpy(ledger->plugins[0].name, "a\"b", 4);
    memcpy(ledger->plugins[0].type, "print", 6);
    return ledger;
}

static void check_balance(void)
{
    struct ledger *ledger = fresh();
    uint64_t *input = ledger->lanes[0].input;
    char text[2048];

    is_u64(ledger_imbalance(ledger, text, sizeof(text)), 0, "an empty ledger balances");
    counter_add(&input[INPUT_datagrams_received], 10);
    counter_add(&input[INPUT_datagrams_decoded], 7);
    counter_add(&input[INPUT_datagrams_malformed], 2);
    is_u64(ledger_imbalance(ledger, text, sizeof(text)), 1, "a datagram is missing");
    ok(strncmp(text, "datagrams: datagrams_received 10 but datagrams_decoded 7 +", 58) == 0,
       "and the text says which sum");
    ok(strstr(text, "(difference 1)") != NULL, "and by how much");
    counter_add(&input[INPUT_datagrams_denied], 1);
    is_u64(ledger_imbalance(ledger, text, sizeof(text)), 0, "named, it balances");
    ledger_free(ledger);
}

static void check_crashes(void)
{
    struct ledger *ledger = fresh();
    struct ledger_plugin *plugin = &ledger->plugins[0];
    uint64_t *input = ledger->lanes[0].input;
    char text[2048];

    counter_add(&input[INPUT_datagrams_received], 5);
    counter_add(&input[INPUT_datagrams_decoded], 4);
    counter_add(&input[INPUT_records_decoded], 100);
    counter_add(&plugin->emit[0][EMIT_records_emitted], 90);
    ledger_settle_collector(ledger, 0);
    is_u64(counter_get(&input[INPUT_datagrams_lost_crash]), 1, "the datagram in hand is booked");
    is_u64(counter_get(&plugin->watch[WATCH_records_lost_collector]), 10, "and the records that were not published");
    counter_add(&plugin->plugin[PLUGIN_records_read], 80);
    counter_add(&plugin->plugin[PLUGIN_records_committed], 50);
    counter_add(&plugin->plugin[PLUGIN_records_in_table], 30);
    ledger_settle_plugin(ledger, 0);
    is_u64(counter_get(&plugin->watch[WATCH_records_lost_crash]), 30, "a dead plugin's table is booked");
    is_u64(counter_get(&plugin->plugin[PLUGIN_records_in_table]), 0, "and its table is empty");
    is_u64(ledger_imbalance(ledger, text, sizeof(text)), 1, "what its ring holds is not lost yet");
    ledger_settle_ring(ledger, 0);
    is_u64(ledger_imbalance(ledger, text, sizeof(text)), 0, "until it will not come back");
    is_u64(ledger_lost(ledger), 10 + 30 + 10, "all of it is in the sum of losses");
    ledger_free(ledger);
}

/* One of three lanes dies, twice, while the others have records in hand, which are theirs. */
static void check_lanes(void)
{
    struct ledger *ledger = fresh();
    struct ledger_plugin *plugin = &ledger->plugins[0];
    char text[2048];

    ledger->lane_count = 3;
    for (unsigned lane = 0; lane < 3; lane++) {
        uint64_t *input = ledger->lanes[lane].input;

        counter_add(&input[INPUT_datagrams_received], 100);
        counter_add(&input[INPUT_datagrams_decoded], 97);
        counter_add(&input[INPUT_records_decoded], 1000);
        counter_add(&input[INPUT_sets_seen], 20);
        counter_add(&input[INPUT_sets_data], 15);
        counter_set(&input[INPUT_sets_waiting], 4);
        counter_add(&input[INPUT_sessions_opened], 9);
        counter_add(&input[INPUT_sessions_closed], 3);
        counter_add(&input[INPUT_sessions_broken], 1);
        counter_add(&plugin->emit[lane][EMIT_records_emitted], 950 + lane);
    }
    ledger->exporters[3] = (struct ledger_exporter){.used = 1, .lane = 1, .templates = 4, .held = 2};
    ledger->exporters[4] = (struct ledger_exporter){.used = 1, .lane = 2, .templates = 5, .held = 3};
    is_u64(ledger_input(ledger, INPUT_datagrams_received), 300, "input is summed over the lanes");
    is_u64(ledger_emit(ledger, 0, EMIT_records_emitted), 3 * 950 + 3, "so is what was emitted");
    ledger_settle_collector(ledger, 1);
    is_u64(ledger->lanes[1].input[INPUT_datagrams_lost_crash], 3, "what a dead lane had in hand is booked");
    is_u64(ledger->lanes[1].input[INPUT_sets_lost_crash], 5, "with what it held");
    is_u64(ledger->lanes[1].input[INPUT_sets_waiting], 0, "which waits no more");
    is_u64(ledger->lanes[1].input[INPUT_sessions_broken], 6, "its open sessions are broken");
    is_u64(ledger_input(ledger, INPUT_datagrams_lost_crash), 3, "what the others have in hand is not");
    is_u64(plugin->watch[WATCH_records_lost_collector], 49, "nor are their records");
    is_u64(ledger->exporters[3].templates + ledger->exporters[3].held, 0, "its exporters' templates are gone with it");
    is_u64(ledger->exporters[4].templates + ledger->exporters[4].held, 8, "those of other lanes are not");
    counter_add(&ledger->lanes[1].input[INPUT_records_decoded], 500);
    counter_add(&plugin->emit[1][EMIT_records_emitted], 499);
    ledger_settle_collector(ledger, 1);
    is_u64(plugin->watch[WATCH_records_lost_collector], 50, "its successor's loss comes on top");
    ledger_settle_collector(ledger, 1);
    is_u64(plugin->watch[WATCH_records_lost_collector], 50, "and counts once");
    ledger_settle_collector(ledger, 0);
    ledger_settle_collector(ledger, 2);
    counter_add(&plugin->plugin[PLUGIN_records_read], ledger_emit(ledger, 0, EMIT_records_emitted));
    counter_set(&plugin->plugin[PLUGIN_records_in_table], ledger_emit(ledger, 0, EMIT_records_emitted));
    is_u64(ledger_imbalance(ledger, text, sizeof(text)), 0, "the sums over all lanes balance %s", text);
    ledger_free(ledger);
}

/* Several processes meet the same few unknown structures. */
static void check_structures_shared(void)
{
    struct ledger *ledger = fresh();
    uint64_t total = 0, other = 0;

    for (unsigned lane = 0; lane < 4; lane++) {
        if (fork() == 0) {
            for (unsigned i = 0; i < 100000; i++)
                ledger_count_structure(ledger, LEDGER_STRUCTURE_FLOW, i % 16, 5);
            _exit(0);
        }
    }
    while (wait(NULL) > 0)
        ;
    for (unsigned i = 0; i < ledger_structures_max; i++) {
        total += ledger->structures[i].count;
        other += ledger->structures[i].count > 0 && ledger->structures[i].format != 5;
    }
    is_u64(other, 0, "each place in use is filled in");
    is_u64(total, 400000, "lanes that count together lose no count");
    ledger_free(ledger);
}

static void check_structures(void)
{
    struct ledger *ledger = fresh();
    uint64_t total = 0;

    for (unsigned i = 0; i < 100000; i++)
        ledger_count_structure(ledger, LEDGER_STRUCTURE_FLOW, i % 5000, i % 7);
    for (unsigned i = 0; i < ledger_structures_max; i++)
        total += ledger->structures[i].count;
    is_u64(total, 100000, "a flood of unknown formats is counted to the last one");
    ledger_free(ledger);
}

static void count_line(void *context, const char *text)
{
    unsigned *lines = context;

    *lines += strchr(text, '\n') == NULL;
}

static void check_outputs(void)
{
    struct ledger *ledger = fresh();
    unsigned lines = 0;
    json_error_t where;
    json_t *parsed;
    char *text;

    ledger->lane_count = 2;
    ledger->exporters[7].used = 1;
    ledger->exporters[7].clock_skew_ns = -INT64_C(1500000000);
    ledger->exporters[7].agent[10] = ledger->exporters[7].agent[11] = 0xff;
    ledger->exporters[7].agent[12] = 192;
    ledger->exporters[7].agent[15] = 9;
    ledger_count_structure(ledger, LEDGER_STRUCTURE_COUNTER, 9, 99);
    text = ledger_json(ledger, 1000000000);
    parsed = json_loads(text, 0, &where);
    ok(parsed != NULL, "the JSON can be parsed");
    is_text(json_string_value(json_object_get(json_array_get(json_object_get(parsed, "plugins"), 0), "name")), "a\"b",
            "a name with a quote comes back");
    is_text(json_string_value(json_object_get(json_array_get(json_object_get(parsed, "exporters"), 0), "agent")),
            "192.0.0.9", "an exporter's address is text");
    is_u64((uint64_t)-json_integer_value(
               json_object_get(json_array_get(json_object_get(parsed, "exporters"), 0), "clock_skew_ms")),
           1500, "its clock may be behind");
    is_u64(json_array_size(json_object_get(parsed, "collectors")), 2, "each collector has its part");
    is_u64(json_object_size(json_object_get(parsed, "input")), INPUT_COUNTERS, "every input counter is there");
    is_u64(json_array_size(json_object_get(parsed, "balance")), 10, "every group is there");
    ledger_report(ledger, 1000000000, count_line, &lines);
    ok(lines >= 5, "the report has its lines");
    json_decref(parsed);
    free(text);
    ledger_free(ledger);
}

int main(void)
{
    plan_none();
    check_balance();
    check_crashes();
    check_structures();
    check_structures_shared();
    check_lanes();
    check_outputs();
    return done_testing();
}
