/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The report of `pmacct status`: first what came in, what went out, what was lost and why, on a few lines; then every
 * counter that is not zero, by plugin and by exporter, in at most 100 columns.
 *
 * Counters are walked as they come, so those that this client does not know are shown all the same.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/ledger.h"
#include "base/log.h"
#include "client/json.h"
#include "client/status.h"

#define columns_max 100

/* -- words and numbers -- */

enum fate { FATE_TAKEN, FATE_LEFT_OUT, FATE_LOST };

/* What the words in a counter's name tell of what it counts. */
static enum fate fate_of(const char *name)
{
    static const struct {
        const char *word;
        enum fate fate;
    } words[] = {
        {"sets_unknown", FATE_LOST}, {"no_rate", FATE_LEFT_OUT},
        {"lost", FATE_LOST},        {"dropped", FATE_LOST},     {"failed", FATE_LOST},
        {"malformed", FATE_LOST},   {"no_exporter", FATE_LOST}, {"cut", FATE_LOST},
        {"merged", FATE_LEFT_OUT},  {"denied", FATE_LEFT_OUT},  {"bad_version", FATE_LEFT_OUT},
        {"unknown", FATE_LEFT_OUT}, {"without", FATE_LEFT_OUT}, {"not_ip", FATE_LEFT_OUT},
        {"not_asked", FATE_LEFT_OUT}, {"filtered", FATE_LEFT_OUT}, {"preprocessed", FATE_LEFT_OUT},
        {"cleared", FATE_LEFT_OUT}, {"refused", FATE_LEFT_OUT}, {"sampled_out", FATE_LEFT_OUT},
        {"evicted", FATE_LEFT_OUT}, {"no_room", FATE_LEFT_OUT}, {"given_up", FATE_LEFT_OUT},
    };

    for (unsigned i = 0; i < array_length(words); i++)
        if (strstr(name, words[i].word) != NULL)
            return words[i].fate;
    return FATE_TAKEN;
}

static char mark_of(const char *name)
{
    return " -!"[fate_of(name)];
}

static const char *help_of(const char *name)
{
    static const struct {
        const struct counter_row *rows;
        unsigned count;
    } tables[] = {{input_counter_table, INPUT_COUNTERS},
                  {emit_counter_table, EMIT_COUNTERS},
                  {plugin_counter_table, PLUGIN_COUNTERS},
                  {watch_counter_table, WATCH_COUNTERS}};

    for (unsigned t = 0; t < array_length(tables); t++)
        for (unsigned i = 0; i < tables[t].count; i++)
            if (strcmp(tables[t].rows[i].name, name) == 0)
                return tables[t].rows[i].help;
    return "";
}

/* 1234567 -> 1,234,567 */
static const char *grouped(uint64_t number, char out[32])
{
    char digits[24];
    int length = snprintf(digits, sizeof(digits), "%" PRIu64, number);
    char *at = out;

    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            *at++ = ',';
        *at++ = digits[i];
    }
    *at = '\0';
    return out;
}

/* Text broken between words; its lines begin at this column, where the first one is already. */
static void put_wrapped(struct output *output, const char *text, unsigned column)
{
    unsigned at = column;

    while (*text != '\0') {
        unsigned length = (unsigned)strcspn(text, " ");

        if (at > column && at + 1 + length > columns_max) {
            output_printf(output, "\n%*s", (int)column, "");
            at = column;
        } else if (at > column) {
            output_printf(output, " ");
            at++;
        }
        output_text(output, text, length);
        at += length;
        text += length + strspn(text + length, " ");
    }
    output_printf(output, "\n");
}

/* -- what was lost, and why -- */

static const char *const counter_parts[] = {"emit", "plugin", "watch"};

/*
 * The counters of this fate, each with its meaning; *title is written before the first one, and NULL then. Packets and
 * bytes beside records are the same loss again.
 */
static void report_fate(const json_t *counters, const char *plugin, enum fate fate, const char **title,
                        struct output *output)
{
    char number[32], name[json_text_max];
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)counters, key, value) {
        if (json_value_number(value) == 0 || fate_of(key) != fate || strncmp(key, "packets_", 8) == 0 ||
            strncmp(key, "bytes_", 6) == 0 || strncmp(key, "clients_", 8) == 0)
            continue;
        if (*title != NULL)
            output_printf(output, "\n%s\n", *title);
        *title = NULL;
        log_safe(key, strlen(key), name, sizeof(name));
        output_printf(output, "  %c %14s  %s%s%s\n%20s", mark_of(key), grouped(json_value_number(value), number), name,
                      plugin[0] ? " of " : "", plugin, "");
        put_wrapped(output, help_of(key), 20);
    }
}

static void report_losses(const json_t *ledger, struct output *output)
{
    static const struct {
        const char *title;
        enum fate fate;
    } kinds[] = {{"Lost", FATE_LOST}, {"Left out, merged or cleared", FATE_LEFT_OUT}};
    json_t *plugins = json_object_get(ledger, "plugins"), *plugin;
    char name[json_text_max];
    size_t i;

    for (unsigned kind = 0; kind < array_length(kinds); kind++) {
        const char *title = kinds[kind].title;

        report_fate(json_object_get(ledger, "input"), "", kinds[kind].fate, &title, output);
        json_array_foreach(plugins, i, plugin) {
            json_text(plugin, "name", name);
            for (unsigned part = 0; part < array_length(counter_parts); part++)
                report_fate(json_object_get(plugin, counter_parts[part]), name, kinds[kind].fate, &title, output);
        }
        if (title != NULL && kinds[kind].fate == FATE_LOST)
            output_printf(output, "\n%s\n    %14s\n", title, "nothing");
    }
}

/* -- at a glance -- */

static void report_head(const json_t *ledger, uint64_t now, struct output *output)
{
    static const struct {
        const char *member, *unit;
        bool optional; /* not every daemon has them */
    } inputs[] = {{"datagrams_received", "datagrams", true},
                  {"frames_received", "frames", true},
                  {"samples_seen", "samples", true},
                  {"data_records_seen", "data records", true},
                  {"records_decoded", "flow records", false}};
    uint64_t started = json_number(ledger, "started"), up = now > started ? now - started : 0;
    const json_t *input = json_object_get(ledger, "input");
    char daemon[json_text_max], name[json_text_max], state[json_text_max], type[json_text_max], number[32], more[32];
    json_t *plugins = json_object_get(ledger, "plugins"), *plugin;
    size_t i;

    output_printf(output, "%s (%s)  up %" PRIu64 " d %02" PRIu64 ":%02" PRIu64 ":%02" PRIu64,
                  json_text(ledger, "daemon", daemon), json_text(ledger, "name", name), up / 86400, up / 3600 % 24,
                  up / 60 % 60, up % 60);
    output_printf(output, "  pid %" PRIu64, json_number(ledger, "supervisor_pid"));
    if (json_number(ledger, "lanes") > 1)
        output_printf(output, ", %" PRIu64 " collectors", json_number(ledger, "lanes"));
    else
        output_printf(output, ", collector %" PRIu64, json_number(ledger, "collector_pid"));
    if (json_number(ledger, "collector_restarts") > 0)
        output_printf(output, ", %" PRIu64 " restarts", json_number(ledger, "collector_restarts"));
    output_printf(output, "\n\nIn\n");
    for (i = 0; i < array_length(inputs); i++)
        if (!inputs[i].optional || json_number(input, inputs[i].member) > 0)
            output_printf(output, "    %14s  %s\n", grouped(json_number(input, inputs[i].member), number),
                          inputs[i].unit);
    output_printf(output, "\nOut\n");
    json_array_foreach(plugins, i, plugin) {
        const json_t *counters = json_object_get(plugin, "plugin");
        uint64_t written = json_number(counters, "rows_committed");
        uint64_t restarts = json_number(json_object_get(plugin, "watch"), "plugin_restarts");

        json_text(plugin, "state", state);
        output_printf(output, "    %14s  records to %s[%s]", grouped(json_number(counters, "records_read"), number),
                      json_text(plugin, "type", type), json_text(plugin, "name", name));
        if (written > 0)
            output_printf(output, ", %s rows written", grouped(written, more));
        output_printf(output, ", %s rows held", grouped(json_number(counters, "rows_in_table"), more));
        if (restarts > 0)
            output_printf(output, ", %" PRIu64 " restarts", restarts);
        output_printf(output, "%s%s\n", strcmp(state, "running") != 0 ? ", " : "",
                      strcmp(state, "running") != 0 ? state : "");
    }
}

static void report_balance(const json_t *ledger, struct output *output)
{
    json_t *rows = json_object_get(ledger, "balance"), *row;
    char group[json_text_max], plugin[json_text_max], left[32], right[32];
    bool all = true;
    size_t i;

    output_printf(output, "\nBooks\n");
    json_array_foreach(rows, i, row) {
        if (!json_is_false(json_object_get(row, "balanced")))
            continue;
        json_text(row, "plugin", plugin);
        output_printf(output, "    %s%s%s%s: %s on one side, %s on the other\n", json_text(row, "group", group),
                      plugin[0] ? "[" : "", plugin, plugin[0] ? "]" : "", grouped(json_number(row, "left"), left),
                      grouped(json_number(row, "right"), right));
        all = false;
    }
    output_printf(output, all ? "    every sum balances\n" : "    (records on their way, while traffic flows)\n");
    output_printf(output, "  %c %s records lost in this daemon\n", json_number(ledger, "lost") > 0 ? '!' : ' ',
                  grouped(json_number(ledger, "lost"), left));
}

/* -- the counters -- */

static void report_input(const json_t *ledger, struct output *output)
{
    char name[json_text_max], number[32], unit[json_text_max] = "";
    const char *key;
    json_t *value;

    output_printf(output, "\nInput, all counters that are not zero  (! lost, - left out)\n");
    json_object_foreach(json_object_get(ledger, "input"), key, value) {
        size_t length = strcspn(key, "_");

        if (json_value_number(value) == 0)
            continue;
        log_safe(key, strlen(key), name, sizeof(name));
        if (unit[0] != '\0' && strncmp(name, unit, length) != 0 && strncmp(key, "bytes", 5) != 0)
            output_printf(output, "\n");
        if (strncmp(key, "bytes", 5) != 0)
            snprintf(unit, sizeof(unit), "%.*s", (int)min_u64(length, sizeof(unit) - 1), key);
        output_printf(output, "  %c %14s  %s\n", mark_of(key), grouped(json_value_number(value), number), name);
    }
}

/* A plugin's counters as a table: what happened down, records, packets, bytes and rows across. */
#define stems_max 64
static const char *const plugin_units[] = {"records", "packets", "bytes", "rows"};
_Static_assert(EMIT_COUNTERS + PLUGIN_COUNTERS + WATCH_COUNTERS <= stems_max, "each counter has a line, if need be");

struct stem {
    char name[json_text_max];
    uint64_t values[array_length(plugin_units)];
};

/* The line and the column of a counter; false for one that has no place in the table. */
static bool find_cell(struct stem *stems, unsigned *count, const char *key, unsigned *line, unsigned *column)
{
    size_t length = strcspn(key, "_");
    char name[json_text_max];

    for (*column = 0; *column < array_length(plugin_units); (*column)++)
        if (strlen(plugin_units[*column]) == length && strncmp(key, plugin_units[*column], length) == 0)
            break;
    if (*column == array_length(plugin_units) || key[length] == '\0')
        return false;
    log_safe(key + length + 1, strlen(key + length + 1), name, sizeof(name));
    for (*line = 0; *line < *count; (*line)++)
        if (strcmp(stems[*line].name, name) == 0)
            return true;
    if (*count == stems_max)
        return false;
    memcpy(stems[*count].name, name, sizeof(name));
    memset(stems[*count].values, 0, sizeof(stems[*count].values));
    (*count)++;
    return true;
}

static void report_plugin(const json_t *plugin, struct output *output)
{
    struct stem stems[stems_max];
    static const int widths[] = {17, 17, 21, 15};
    char name[json_text_max], type[json_text_max], state[json_text_max], number[32];
    unsigned count = 0, line, column;
    const char *key;
    json_t *value;

    for (unsigned part = 0; part < array_length(counter_parts); part++)
        json_object_foreach(json_object_get(plugin, counter_parts[part]), key, value)
            if (json_value_number(value) > 0 && find_cell(stems, &count, key, &line, &column))
                stems[line].values[column] = json_value_number(value);
    output_printf(output, "\nPlugin %s[%s]  %s, pid %" PRIu64 "\n", json_text(plugin, "type", type),
                  json_text(plugin, "name", name), json_text(plugin, "state", state), json_number(plugin, "pid"));
    if (count > 0)
        output_printf(output, "    %-20s %16s %16s %20s %14s\n", "", "RECORDS", "PACKETS", "BYTES", "ROWS");
    for (line = 0; line < count; line++) {
        int gap = 0; /* columns of empty cells, written before the next number only */

        output_printf(output, "  %c %-20s", mark_of(stems[line].name), stems[line].name);
        for (column = 0; column < array_length(plugin_units); column++) {
            gap += widths[column];
            if (stems[line].values[column] == 0)
                continue;
            output_printf(output, "%*s", gap, grouped(stems[line].values[column], number));
            gap = 0;
        }
        output_printf(output, "\n");
    }
    for (unsigned part = 0; part < array_length(counter_parts); part++)
        json_object_foreach(json_object_get(plugin, counter_parts[part]), key, value)
            if (json_value_number(value) > 0 && !find_cell(stems, &count, key, &line, &column))
                output_printf(output, "  %c %-20s %16s\n", mark_of(key), log_safe(key, strlen(key), name, sizeof(name)),
                              grouped(json_value_number(value), number));
}

/* -- the exporters -- */

/*
 * The columns of the tables of exporters. Those that may be left out are, when no exporter has anything in them, and a
 * table of which nothing is left but who it is about is left out too.
 */
enum cell { CELL_NUMBER, CELL_TEXT, CELL_AGE, CELL_SIGNED };

struct exporter_column {
    const char *title, *member;
    enum cell cell;
    bool optional, loss;
};

static const struct exporter_column traffic_columns[] = {
    {"AGENT", "agent", CELL_TEXT, false, false},
    {"DOMAIN", "domain", CELL_NUMBER, false, false},
    {"LANE", "lane", CELL_NUMBER, true, false},
    {"VER", "version", CELL_NUMBER, false, false},
    {"SAMPLING", "sampling_rate", CELL_NUMBER, false, false},
    {"DATAGRAMS", "datagrams", CELL_NUMBER, false, false},
    {"RECORDS", "records", CELL_NUMBER, false, false},
    {"LOST", "lost", CELL_NUMBER, true, true},
    {"LATE", "reordered", CELL_NUMBER, true, false},
    {"RESTARTS", "restarts", CELL_NUMBER, true, false},
    {"MALFORMED", "malformed", CELL_NUMBER, true, true},
    {"RECORDS LOST", "records_lost", CELL_NUMBER, true, true},
    {"SAMPLES LOST", "samples_lost", CELL_NUMBER, true, true},
    {"AGENT DROPPED", "agent_dropped", CELL_NUMBER, true, true},
    {"SEEN", "last", CELL_AGE, false, false},
};

static const struct exporter_column template_columns[] = {
    {"AGENT", "agent", CELL_TEXT, false, false},
    {"DOMAIN", "domain", CELL_NUMBER, false, false},
    {"TEMPLATES", "templates", CELL_NUMBER, true, false},
    {"SETS WITHOUT", "templates_unknown", CELL_NUMBER, true, false},
    {"WAITING", "held", CELL_NUMBER, true, false},
    {"OPTIONS", "options_records", CELL_NUMBER, true, false},
    {"UNKNOWN ELEMENTS", "unknown_elements", CELL_NUMBER, true, false},
    {"CLOCK", "clock_skew_ms", CELL_SIGNED, true, false},
};

static const struct exporter_table {
    const char *title;
    const struct exporter_column *columns;
    unsigned count;
    bool optional;
} exporter_tables[] = {
    {"Exporters", traffic_columns, array_length(traffic_columns), false},
    {"Exporters' templates and clocks", template_columns, array_length(template_columns), true},
};

#define exporter_columns_max array_length(traffic_columns)

static int64_t signed_of(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    double real = json_real_value(value);

    return json_is_integer(value) ? json_integer_value(value) : real > -0x1p62 && real < 0x1p62 ? (int64_t)real : 0;
}

static const char *exporter_cell(const json_t *row, const struct exporter_column *column, uint64_t now,
                                 char out[json_text_max])
{
    uint64_t value = json_number(row, column->member);

    switch (column->cell) {
    case CELL_TEXT:
        return json_text(row, column->member, out);
    case CELL_AGE:
        snprintf(out, json_text_max, "%" PRIu64 " s ago", now > value ? now - value : 0);
        break;
    case CELL_SIGNED:
        snprintf(out, json_text_max, "%+.3f s", (double)signed_of(row, column->member) / 1000);
        break;
    case CELL_NUMBER:
        snprintf(out, json_text_max, "%" PRIu64, value);
        break;
    }
    return out;
}

/* The widths of the columns, 0 for one that is left out. Returns whether an optional one is there. */
static bool measure_columns(const struct exporter_table *table, json_t *exporters, uint64_t now,
                            unsigned widths[exporter_columns_max])
{
    bool any = false;
    char cell[json_text_max];
    json_t *row;
    size_t i;

    for (unsigned c = 0; c < table->count; c++) {
        const struct exporter_column *column = &table->columns[c];
        bool empty = column->optional;

        widths[c] = (unsigned)strlen(column->title);
        json_array_foreach(exporters, i, row) {
            widths[c] = (unsigned)max_u64(widths[c], strlen(exporter_cell(row, column, now, cell)));
            empty = empty && signed_of(row, column->member) == 0 && json_number(row, column->member) == 0;
        }
        if (empty)
            widths[c] = 0;
        else
            any = any || column->optional;
    }
    return any;
}

static void report_exporters(const struct exporter_table *table, json_t *exporters, uint64_t now,
                             struct output *output)
{
    unsigned widths[exporter_columns_max];
    bool any = measure_columns(table, exporters, now, widths);
    char cell[json_text_max];
    json_t *row;
    size_t i;

    if (table->optional && !any)
        return;
    output_printf(output, "\n%s\n", table->title);
    if (json_array_size(exporters) == 0) {
        output_printf(output, "    none\n");
        return;
    }
    output_printf(output, "    %-*s", (int)widths[0], table->columns[0].title);
    for (unsigned c = 1; c < table->count; c++)
        if (widths[c] > 0)
            output_printf(output, "  %*s", (int)widths[c], table->columns[c].title);
    json_array_foreach(exporters, i, row) {
        bool loss = false;

        for (unsigned c = 0; c < table->count; c++)
            loss = loss || (table->columns[c].loss && json_number(row, table->columns[c].member) > 0);
        output_printf(output, "\n  %c %-*s", loss ? '!' : ' ', (int)widths[0],
                      exporter_cell(row, &table->columns[0], now, cell));
        for (unsigned c = 1; c < table->count; c++)
            if (widths[c] > 0)
                output_printf(output, "  %*s", (int)widths[c], exporter_cell(row, &table->columns[c], now, cell));
    }
    output_printf(output, "\n");
}

static void report_structures(json_t *structures, struct output *output)
{
    char kind[json_text_max], number[32];
    json_t *row;
    size_t i;

    if (json_array_size(structures) > 0)
        output_printf(output, "\nUnknown structures, skipped\n");
    json_array_foreach(structures, i, row)
        output_printf(output, "    %14s  %s %" PRIu64 ":%" PRIu64 "\n", grouped(json_number(row, "count"), number),
                      json_text(row, "kind", kind), json_number(row, "enterprise"), json_number(row, "format"));
}

/* Where there are several: who has how much, and whether one of them is short of buffer. */
static void report_lanes(json_t *lanes, struct output *output)
{
    json_t *row;
    size_t i;

    if (json_array_size(lanes) < 2)
        return;
    output_printf(output, "\nLanes\n    %4s  %10s  %8s  %14s  %14s  %14s\n", "LANE", "PID", "RESTARTS", "TAKEN",
                  "KERNEL DROPPED", "RECORDS");
    json_array_foreach(lanes, i, row) {
        const json_t *input = json_object_get(row, "input");
        uint64_t taken = json_number(input, "datagrams_received") + json_number(input, "frames_received");
        uint64_t dropped =
            json_number(input, "datagrams_kernel_dropped") + json_number(input, "frames_kernel_dropped");

        output_printf(output,
                      "  %c %4" PRIu64 "  %10" PRIu64 "  %8" PRIu64 "  %14" PRIu64 "  %14" PRIu64 "  %14" PRIu64 "\n",
                      dropped > 0 ? '!' : ' ', json_number(row, "lane"), json_number(row, "pid"),
                      json_number(row, "restarts"), taken, dropped,
                      json_number(input, "records_decoded"));
    }
}

int status_report(const char *json, size_t length, struct output *output, struct error *error)
{
    json_t *ledger = json_read(json, length, error), *plugins, *plugin;
    uint64_t now;
    size_t i;

    if (ledger == NULL)
        return -1;
    now = json_number(ledger, "now");
    plugins = json_object_get(ledger, "plugins");
    report_head(ledger, now, output);
    report_losses(ledger, output);
    report_balance(ledger, output);
    report_input(ledger, output);
    json_array_foreach(plugins, i, plugin)
        report_plugin(plugin, output);
    report_structures(json_object_get(ledger, "unknown_structures"), output);
    report_lanes(json_object_get(ledger, "collectors"), output);
    for (i = 0; i < array_length(exporter_tables); i++)
        report_exporters(&exporter_tables[i], json_object_get(ledger, "exporters"), now, output);
    json_decref(ledger);
    return 0;
}
