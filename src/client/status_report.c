/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The report of `pmacct status`: first what came in, what went out, what was lost and why, on a few lines; then every
 * counter that is not zero, by plugin and by exporter, in at most 100 columns.
 *
 * The ledger is the daemon's JSON, of which nothing is believed but its length: a member that is missing or of another
 * type is 0 or "", texts are shown as printable ASCII. Counters are walked as they come, so those that this client
 * does not know are shown all the same. jansson appears in this file only.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/ledger.h"
#include "base/log.h"
#include "client/status.h"

#define columns_max 100
#define name_max 64 /* of a shown name, with its NUL */

/* -- reading -- */

/*
 * Bytes that are not ASCII are replaced first: a name in a configuration file may be in any encoding, and JSON must be
 * UTF-8. Numbers from 2^63 on, which a hostile exporter can bring about, are beyond jansson's integers and make it
 * read all numbers as doubles, right to 15 digits.
 */
static json_t *parse(const char *text, size_t length, struct error *error)
{
    char *copy = malloc(length + 1);
    json_error_t wrong;
    json_t *root;

    if (copy == NULL) {
        error_set(error, "out of memory");
        return NULL;
    }
    for (size_t i = 0; i < length; i++)
        copy[i] = (signed char)text[i] >= 0 ? text[i] : '?';
    root = json_loadb(copy, length, 0, &wrong);
    if (root == NULL && json_error_code(&wrong) == json_error_numeric_overflow)
        root = json_loadb(copy, length, JSON_DECODE_INT_AS_REAL, &wrong);
    free(copy);
    if (root == NULL)
        error_set(error, "the answer is no JSON: %s", wrong.text);
    else if (!json_is_object(root)) {
        json_decref(root);
        root = NULL;
        error_set(error, "the answer is no ledger");
    }
    return root;
}

static uint64_t value_of(const json_t *value)
{
    double real = json_real_value(value);

    if (json_is_integer(value))
        return json_integer_value(value) > 0 ? (uint64_t)json_integer_value(value) : 0;
    return real >= 0x1p64 ? UINT64_MAX : real > 0 ? (uint64_t)real : 0;
}

static uint64_t number_of(const json_t *object, const char *name)
{
    return value_of(json_object_get(object, name));
}

static const char *text_of(const json_t *object, const char *name, char out[name_max])
{
    const json_t *value = json_object_get(object, name);

    return log_safe(json_is_string(value) ? json_string_value(value) : "", json_string_length(value), out, name_max);
}

/* -- words and numbers -- */

enum fate { FATE_TAKEN, FATE_LEFT_OUT, FATE_LOST };

/* What the words in a counter's name tell of what it counts. */
static enum fate fate_of(const char *name)
{
    static const struct {
        const char *word;
        enum fate fate;
    } words[] = {
        {"lost", FATE_LOST},        {"dropped", FATE_LOST},     {"failed", FATE_LOST},
        {"malformed", FATE_LOST},   {"no_exporter", FATE_LOST}, {"cut", FATE_LOST},
        {"merged", FATE_LEFT_OUT},  {"denied", FATE_LEFT_OUT},  {"bad_version", FATE_LEFT_OUT},
        {"unknown", FATE_LEFT_OUT}, {"without", FATE_LEFT_OUT}, {"not_ip", FATE_LEFT_OUT},
        {"not_asked", FATE_LEFT_OUT}, {"filtered", FATE_LEFT_OUT}, {"preprocessed", FATE_LEFT_OUT},
        {"cleared", FATE_LEFT_OUT}, {"refused", FATE_LEFT_OUT},
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
    char number[32], name[name_max];
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)counters, key, value) {
        if (value_of(value) == 0 || fate_of(key) != fate || strncmp(key, "packets_", 8) == 0 ||
            strncmp(key, "bytes_", 6) == 0 || strncmp(key, "clients_", 8) == 0)
            continue;
        if (*title != NULL)
            output_printf(output, "\n%s\n", *title);
        *title = NULL;
        log_safe(key, strlen(key), name, sizeof(name));
        output_printf(output, "  %c %14s  %s%s%s\n%20s", mark_of(key), grouped(value_of(value), number), name,
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
    char name[name_max];
    size_t i;

    for (unsigned kind = 0; kind < array_length(kinds); kind++) {
        const char *title = kinds[kind].title;

        report_fate(json_object_get(ledger, "input"), "", kinds[kind].fate, &title, output);
        json_array_foreach(plugins, i, plugin) {
            text_of(plugin, "name", name);
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
    } inputs[] = {
        {"datagrams_received", "datagrams"}, {"samples_seen", "samples"}, {"records_decoded", "flow records"}};
    uint64_t started = number_of(ledger, "started"), up = now > started ? now - started : 0;
    const json_t *input = json_object_get(ledger, "input");
    char daemon[name_max], name[name_max], state[name_max], type[name_max], number[32], more[32];
    json_t *plugins = json_object_get(ledger, "plugins"), *plugin;
    size_t i;

    output_printf(output, "%s (%s)  up %" PRIu64 " d %02" PRIu64 ":%02" PRIu64 ":%02" PRIu64,
                  text_of(ledger, "daemon", daemon), text_of(ledger, "name", name), up / 86400, up / 3600 % 24,
                  up / 60 % 60, up % 60);
    output_printf(output, "  pid %" PRIu64 ", collector %" PRIu64, number_of(ledger, "supervisor_pid"),
                  number_of(ledger, "collector_pid"));
    if (number_of(ledger, "collector_restarts") > 0)
        output_printf(output, ", %" PRIu64 " restarts of it", number_of(ledger, "collector_restarts"));
    output_printf(output, "\n\nIn\n");
    for (i = 0; i < array_length(inputs); i++)
        output_printf(output, "    %14s  %s\n", grouped(number_of(input, inputs[i].member), number), inputs[i].unit);
    output_printf(output, "\nOut\n");
    json_array_foreach(plugins, i, plugin) {
        const json_t *counters = json_object_get(plugin, "plugin");
        uint64_t written = number_of(counters, "rows_committed");
        uint64_t restarts = number_of(json_object_get(plugin, "watch"), "plugin_restarts");

        text_of(plugin, "state", state);
        output_printf(output, "    %14s  records to %s[%s]", grouped(number_of(counters, "records_read"), number),
                      text_of(plugin, "type", type), text_of(plugin, "name", name));
        if (written > 0)
            output_printf(output, ", %s rows written", grouped(written, more));
        output_printf(output, ", %s rows held", grouped(number_of(counters, "rows_in_table"), more));
        if (restarts > 0)
            output_printf(output, ", %" PRIu64 " restarts", restarts);
        output_printf(output, "%s%s\n", strcmp(state, "running") != 0 ? ", " : "",
                      strcmp(state, "running") != 0 ? state : "");
    }
}

static void report_balance(const json_t *ledger, struct output *output)
{
    json_t *rows = json_object_get(ledger, "balance"), *row;
    char group[name_max], plugin[name_max], left[32], right[32];
    bool all = true;
    size_t i;

    output_printf(output, "\nBooks\n");
    json_array_foreach(rows, i, row) {
        if (!json_is_false(json_object_get(row, "balanced")))
            continue;
        text_of(row, "plugin", plugin);
        output_printf(output, "    %s%s%s%s: %s on one side, %s on the other\n", text_of(row, "group", group),
                      plugin[0] ? "[" : "", plugin, plugin[0] ? "]" : "", grouped(number_of(row, "left"), left),
                      grouped(number_of(row, "right"), right));
        all = false;
    }
    output_printf(output, all ? "    every sum balances\n" : "    (records on their way, while traffic flows)\n");
    output_printf(output, "  %c %s records lost in this daemon\n", number_of(ledger, "lost") > 0 ? '!' : ' ',
                  grouped(number_of(ledger, "lost"), left));
}

/* -- the counters -- */

static void report_input(const json_t *ledger, struct output *output)
{
    char name[name_max], number[32], unit[name_max] = "";
    const char *key;
    json_t *value;

    output_printf(output, "\nInput, all counters that are not zero  (! lost, - left out)\n");
    json_object_foreach(json_object_get(ledger, "input"), key, value) {
        size_t length = strcspn(key, "_");

        if (value_of(value) == 0)
            continue;
        log_safe(key, strlen(key), name, sizeof(name));
        if (unit[0] != '\0' && strncmp(name, unit, length) != 0 && strncmp(key, "bytes", 5) != 0)
            output_printf(output, "\n");
        if (strncmp(key, "bytes", 5) != 0)
            snprintf(unit, sizeof(unit), "%.*s", (int)min_u64(length, sizeof(unit) - 1), key);
        output_printf(output, "  %c %14s  %s\n", mark_of(key), grouped(value_of(value), number), name);
    }
}

/* A plugin's counters as a table: what happened down, records, packets, bytes and rows across. */
#define stems_max 64
static const char *const plugin_units[] = {"records", "packets", "bytes", "rows"};
_Static_assert(EMIT_COUNTERS + PLUGIN_COUNTERS + WATCH_COUNTERS <= stems_max, "each counter has a line, if need be");

struct stem {
    char name[name_max];
    uint64_t values[array_length(plugin_units)];
};

/* The line and the column of a counter; false for one that has no place in the table. */
static bool find_cell(struct stem *stems, unsigned *count, const char *key, unsigned *line, unsigned *column)
{
    size_t length = strcspn(key, "_");
    char name[name_max];

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
    char name[name_max], type[name_max], state[name_max], number[32];
    unsigned count = 0, line, column;
    const char *key;
    json_t *value;

    for (unsigned part = 0; part < array_length(counter_parts); part++)
        json_object_foreach(json_object_get(plugin, counter_parts[part]), key, value)
            if (value_of(value) > 0 && find_cell(stems, &count, key, &line, &column))
                stems[line].values[column] = value_of(value);
    output_printf(output, "\nPlugin %s[%s]  %s, pid %" PRIu64 "\n", text_of(plugin, "type", type),
                  text_of(plugin, "name", name), text_of(plugin, "state", state), number_of(plugin, "pid"));
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
            if (value_of(value) > 0 && !find_cell(stems, &count, key, &line, &column))
                output_printf(output, "  %c %-20s %16s\n", mark_of(key), log_safe(key, strlen(key), name, sizeof(name)),
                              grouped(value_of(value), number));
}

/* -- the exporters -- */

/* Columns of the table; those that may be left out are, when no exporter has anything in them. */
static const struct {
    const char *title, *member;
    bool optional, loss;
} exporter_columns[] = {
    {"AGENT", "agent", false, false},           {"DOMAIN", "domain", false, false},
    {"VER", "version", false, false},           {"SAMPLING", "sampling_rate", false, false},
    {"DATAGRAMS", "datagrams", false, false},   {"RECORDS", "records", false, false},
    {"LOST", "lost", true, true},               {"LATE", "reordered", true, false},
    {"RESTARTS", "restarts", true, false},      {"MALFORMED", "malformed", true, true},
    {"SAMPLES LOST", "samples_lost", true, true}, {"AGENT DROPPED", "agent_dropped", true, true},
    {"SEEN", "last", false, false},
};
#define exporter_columns_count array_length(exporter_columns)

static const char *exporter_cell(const json_t *row, unsigned column, uint64_t now, char out[name_max])
{
    uint64_t value = number_of(row, exporter_columns[column].member);

    if (column == 0)
        return text_of(row, exporter_columns[column].member, out);
    if (column + 1 == exporter_columns_count)
        snprintf(out, name_max, "%" PRIu64 " s ago", now > value ? now - value : 0);
    else
        snprintf(out, name_max, "%" PRIu64, value);
    return out;
}

static void report_exporters(json_t *exporters, uint64_t now, struct output *output)
{
    unsigned widths[exporter_columns_count];
    char cell[name_max];
    json_t *row;
    size_t i;

    output_printf(output, "\nExporters\n");
    if (json_array_size(exporters) == 0) {
        output_printf(output, "    none\n");
        return;
    }
    for (unsigned c = 0; c < exporter_columns_count; c++) {
        uint64_t sum = 0;

        widths[c] = (unsigned)strlen(exporter_columns[c].title);
        json_array_foreach(exporters, i, row) {
            widths[c] = (unsigned)max_u64(widths[c], strlen(exporter_cell(row, c, now, cell)));
            sum |= number_of(row, exporter_columns[c].member);
        }
        if (sum == 0 && exporter_columns[c].optional)
            widths[c] = 0;
    }
    output_printf(output, "    %-*s", (int)widths[0], exporter_columns[0].title);
    for (unsigned c = 1; c < exporter_columns_count; c++)
        if (widths[c] > 0)
            output_printf(output, "  %*s", (int)widths[c], exporter_columns[c].title);
    json_array_foreach(exporters, i, row) {
        bool loss = false;

        for (unsigned c = 0; c < exporter_columns_count; c++)
            loss = loss || (exporter_columns[c].loss && number_of(row, exporter_columns[c].member) > 0);
        output_printf(output, "\n  %c %-*s", loss ? '!' : ' ', (int)widths[0], exporter_cell(row, 0, now, cell));
        for (unsigned c = 1; c < exporter_columns_count; c++)
            if (widths[c] > 0)
                output_printf(output, "  %*s", (int)widths[c], exporter_cell(row, c, now, cell));
    }
    output_printf(output, "\n");
}

static void report_structures(json_t *structures, struct output *output)
{
    char kind[name_max], number[32];
    json_t *row;
    size_t i;

    if (json_array_size(structures) > 0)
        output_printf(output, "\nUnknown structures, skipped\n");
    json_array_foreach(structures, i, row)
        output_printf(output, "    %14s  %s %" PRIu64 ":%" PRIu64 "\n", grouped(number_of(row, "count"), number),
                      text_of(row, "kind", kind), number_of(row, "enterprise"), number_of(row, "format"));
}

int status_report(const char *json, size_t length, struct output *output, struct error *error)
{
    json_t *ledger = parse(json, length, error), *plugins, *plugin;
    uint64_t now;
    size_t i;

    if (ledger == NULL)
        return -1;
    now = number_of(ledger, "now");
    plugins = json_object_get(ledger, "plugins");
    report_head(ledger, now, output);
    report_losses(ledger, output);
    report_balance(ledger, output);
    report_input(ledger, output);
    json_array_foreach(plugins, i, plugin)
        report_plugin(plugin, output);
    report_structures(json_object_get(ledger, "unknown_structures"), output);
    report_exporters(json_object_get(ledger, "exporters"), now, output);
    json_decref(ledger);
    return 0;
}
