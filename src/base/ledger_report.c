/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ledger as JSON for programs and as lines for people. Both walk the counter tables, so a new counter shows at
 * once.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/ledger.h"

static const char *const state_name[] = {"unused", "starting", "running", "dead", "given up", "ended"};
static const char *const structure_name[] = {"", "sample", "flow", "counter"};

static const char *plugin_state(const struct ledger_plugin *plugin)
{
    return plugin->state < array_length(state_name) ? state_name[plugin->state] : "?";
}

/* Sixteen bytes as net/address.h holds them, which this layer must not include. */
static const char *address_text(const uint8_t bytes[16], char out[INET6_ADDRSTRLEN])
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    bool ipv4 = memcmp(bytes, mapped, sizeof(mapped)) == 0;

    if (inet_ntop(ipv4 ? AF_INET : AF_INET6, ipv4 ? bytes + 12 : bytes, out, INET6_ADDRSTRLEN) == NULL)
        out[0] = '\0';
    return out;
}

/* Names come from the configuration file: printable, but quotes and backslashes may be among them. */
static void json_text(FILE *out, const char *text)
{
    putc('"', out);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            fprintf(out, "\\%c", *text);
        else if ((unsigned char)*text < 0x20 || (unsigned char)*text >= 0x7f)
            fprintf(out, "\\u%04x", (unsigned)(unsigned char)*text);
        else
            putc(*text, out);
    }
    putc('"', out);
}

static void json_counters(FILE *out, const char *name, const struct counter_row *rows, const uint64_t *values,
                          unsigned count)
{
    fprintf(out, "\"%s\": {", name);
    for (unsigned i = 0; i < count; i++)
        fprintf(out, "%s\"%s\": %" PRIu64, i ? ", " : "", rows[i].name, counter_get(&values[i]));
    putc('}', out);
}

/* Each collector's own counters; the member "input" has their sums. */
static void json_collectors(FILE *out, const struct ledger *ledger)
{
    fputs(", \"collectors\": [", out);
    for (unsigned i = 0; i < ledger->lane_count; i++) {
        const struct ledger_lane *lane = &ledger->lanes[i];

        fprintf(out, "%s{\"lane\": %u, \"pid\": %" PRIu32 ", \"restarts\": %" PRIu32 ", ", i ? ", " : "", i, lane->pid,
                lane->restarts);
        json_counters(out, "input", input_counter_table, lane->input, INPUT_COUNTERS);
        putc('}', out);
    }
    putc(']', out);
}

static void sum_emit(const struct ledger *ledger, unsigned plugin, uint64_t sums[EMIT_COUNTERS])
{
    for (unsigned i = 0; i < EMIT_COUNTERS; i++)
        sums[i] = ledger_emit(ledger, plugin, (enum emit_counter)i);
}

static void json_plugins(FILE *out, const struct ledger *ledger)
{
    uint64_t emit[EMIT_COUNTERS];

    fputs(", \"plugins\": [", out);
    for (unsigned p = 0; p < ledger->plugin_count; p++) {
        const struct ledger_plugin *plugin = &ledger->plugins[p];

        fputs(p ? ", {\"name\": " : "{\"name\": ", out);
        json_text(out, plugin->name);
        fprintf(out, ", \"type\": \"%s\", \"pid\": %" PRIu32 ", \"state\": \"%s\", ", plugin->type, plugin->pid,
                plugin_state(plugin));
        sum_emit(ledger, p, emit);
        json_counters(out, "emit", emit_counter_table, emit, EMIT_COUNTERS);
        fputs(", ", out);
        json_counters(out, "plugin", plugin_counter_table, plugin->plugin, PLUGIN_COUNTERS);
        fputs(", ", out);
        json_counters(out, "watch", watch_counter_table, plugin->watch, WATCH_COUNTERS);
        putc('}', out);
    }
    putc(']', out);
}

static void json_exporter(FILE *out, const struct ledger_exporter *row)
{
    char agent[INET6_ADDRSTRLEN], source[INET6_ADDRSTRLEN];
    const struct {
        const char *name;
        uint64_t value;
    } numbers[] = {
        {"version", row->version},
        {"sampling_rate", row->sampling_rate},
        {"datagrams", row->datagrams},
        {"bytes", row->bytes},
        {"records", row->records},
        {"packets", row->packets},
        {"lost", row->lost},
        {"reordered", row->reordered},
        {"restarts", row->restarts},
        {"malformed", row->malformed},
        {"samples_lost", row->samples_lost},
        {"agent_dropped", row->agent_dropped},
        {"records_lost", row->records_lost},
        {"templates", row->templates},
        {"templates_unknown", row->templates_unknown},
        {"held", row->held},
        {"options_records", row->options_records},
        {"unknown_elements", row->unknown_elements},
    };

    fprintf(out,
            "{\"agent\": \"%s\", \"domain\": %" PRIu32 ", \"source\": \"%s\", \"source_port\": %u, \"lane\": %" PRId64
            ", \"first\": %" PRId64 ", \"last\": %" PRId64 ", \"clock_skew_ms\": %" PRId64,
            address_text(row->agent, agent), row->domain, address_text(row->source, source), row->source_port,
            row->lane, row->first_ns / 1000000000, row->last_ns / 1000000000, row->clock_skew_ns / 1000000);
    for (unsigned i = 0; i < array_length(numbers); i++)
        fprintf(out, ", \"%s\": %" PRIu64, numbers[i].name, numbers[i].value);
    putc('}', out);
}

static void json_exporters(FILE *out, const struct ledger *ledger)
{
    bool first = true;

    fputs(", \"exporters\": [", out);
    for (unsigned i = 0; i < ledger_exporters_max; i++) {
        if (ledger->exporters[i].used == 0)
            continue;
        if (!first)
            fputs(", ", out);
        json_exporter(out, &ledger->exporters[i]);
        first = false;
    }
    putc(']', out);
}

static void json_structures(FILE *out, const struct ledger *ledger)
{
    bool first = true;

    fputs(", \"unknown_structures\": [", out);
    for (unsigned i = 0; i < ledger_structures_max; i++) {
        const struct ledger_structure *row = &ledger->structures[i];

        if (row->count == 0 || row->kind >= array_length(structure_name))
            continue;
        fprintf(out,
                "%s{\"kind\": \"%s\", \"enterprise\": %" PRIu32 ", \"format\": %" PRIu32 ", \"count\": %" PRIu64 "}",
                first ? "" : ", ", structure_name[row->kind], row->enterprise, row->format, row->count);
        first = false;
    }
    putc(']', out);
}

struct balance_out {
    FILE *out;
    bool any;
};

static void json_balance(void *context, const struct ledger_balance *balance)
{
    struct balance_out *out = context;

    fprintf(out->out, "%s{\"group\": \"%s\", \"plugin\": ", out->any ? ", " : "", balance->group);
    json_text(out->out, balance->plugin ? balance->plugin->name : "");
    fprintf(out->out, ", \"left\": %" PRIu64 ", \"right\": %" PRIu64 ", \"balanced\": %s}", balance->left,
            balance->right, balance->left == balance->right ? "true" : "false");
    out->any = true;
}

char *ledger_json(const struct ledger *ledger, int64_t now_ns)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    struct balance_out balance = {out, false};
    uint64_t input[INPUT_COUNTERS];

    if (out == NULL)
        return NULL;
    for (unsigned i = 0; i < INPUT_COUNTERS; i++)
        input[i] = ledger_input(ledger, (enum input_counter)i);
    fputs("{\"daemon\": ", out);
    json_text(out, ledger->daemon);
    fputs(", \"name\": ", out);
    json_text(out, ledger->name);
    fprintf(out,
            ", \"now\": %" PRId64 ", \"started\": %" PRId64 ", \"supervisor_pid\": %" PRIu32
            ", \"collector_pid\": %" PRIu32 ", \"collector_restarts\": %" PRIu32 ", \"lanes\": %" PRIu32
            ", \"lost\": %" PRIu64 ", ",
            now_ns / 1000000000, ledger->started_ns / 1000000000, ledger->supervisor_pid, ledger->lanes[0].pid,
            ledger->collector_restarts, ledger->lane_count, ledger_lost(ledger));
    json_counters(out, "input", input_counter_table, input, INPUT_COUNTERS);
    json_collectors(out, ledger);
    json_plugins(out, ledger);
    json_exporters(out, ledger);
    json_structures(out, ledger);
    fputs(", \"balance\": [", out);
    ledger_each_balance(ledger, json_balance, &balance);
    fputs("]}", out);
    if (fclose(out) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

#define line_bytes 3968 /* every counter of a scope with a long number, and still one line of the log */

struct report {
    void (*line)(void *context, const char *text);
    void *context;
};

static void say(const struct report *report, const char *format, ...) printf_like(2, 3);
static void say(const struct report *report, const char *format, ...)
{
    char text[line_bytes];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    report->line(report->context, text);
}

static bool any_counter(const uint64_t *values, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (counter_get(&values[i]) != 0)
            return true;
    return false;
}

/* The counters of one scope that are not zero, as "name=value" words on one line. */
static void say_counters(const struct report *report, const char *what, const struct counter_row *rows,
                         const uint64_t *values, unsigned count)
{
    char text[line_bytes - 128]; /* what stands before the counters takes the rest */
    size_t length = 0;

    for (unsigned i = 0; i < count && length < sizeof(text) - 80; i++) {
        uint64_t value = counter_get(&values[i]);
        if (value != 0)
            length += (size_t)snprintf(text + length, sizeof(text) - length, " %s=%" PRIu64, rows[i].name, value);
    }
    text[length] = '\0';
    say(report, "%s%s", what, length ? text : " nothing");
}

/* pmacct's own line for each exporter, which scripts read. */
static void say_exporters(const struct report *report, const struct ledger *ledger, int64_t now_ns)
{
    for (unsigned i = 0; i < ledger_exporters_max; i++) {
        const struct ledger_exporter *row = &ledger->exporters[i];
        char agent[INET6_ADDRSTRLEN], source[INET6_ADDRSTRLEN];

        if (row->used != 0)
            say(report,
                "stats [%s:%u] agent=%s:%" PRIu32 " time=%" PRId64 " packets=%" PRIu64 " bytes=%" PRIu64
                " seq_good=%" PRIu64 " seq_jmp_fwd=%" PRIu64 " seq_jmp_bck=%" PRIu64,
                address_text(row->source, source), row->source_port, address_text(row->agent, agent), row->domain,
                now_ns / 1000000000, row->datagrams, row->bytes, row->datagrams - row->gaps - row->reordered, row->gaps,
                row->reordered);
    }
}

/* Where there are several lanes, what each of them had; the line before has the sums. */
static void say_lanes(const struct report *report, const struct ledger *ledger)
{
    char what[32];

    for (unsigned i = 0; i < ledger->lane_count && ledger->lane_count > 1; i++) {
        snprintf(what, sizeof(what), "ledger lane %u:", i);
        say_counters(report, what, input_counter_table, ledger->lanes[i].input, INPUT_COUNTERS);
    }
}

void ledger_report(const struct ledger *ledger, int64_t now_ns, void (*line)(void *context, const char *text),
                   void *context)
{
    struct report report = {line, context};
    uint64_t input[INPUT_COUNTERS], emit[EMIT_COUNTERS];
    char imbalance[2048];

    for (unsigned i = 0; i < INPUT_COUNTERS; i++)
        input[i] = ledger_input(ledger, (enum input_counter)i);
    say_exporters(&report, ledger, now_ns);
    if (ledger->source[0] != '\0')
        say(&report, "stats [%s,%u] time=%" PRId64 " received_packets=%" PRIu64 " dropped_packets=%" PRIu64,
            ledger->source, ledger->source_number, now_ns / 1000000000, input[INPUT_frames_received],
            input[INPUT_frames_kernel_dropped]);
    else
        say(&report, "stats [%s] time=%" PRId64 " discarded_packets=%" PRIu64, ledger->daemon, now_ns / 1000000000,
            input[INPUT_datagrams_denied]);
    say_counters(&report, "ledger input:", input_counter_table, input, INPUT_COUNTERS);
    say_lanes(&report, ledger);
    for (unsigned p = 0; p < ledger->plugin_count; p++) {
        const struct ledger_plugin *plugin = &ledger->plugins[p];
        char what[ledger_name_max + 32];

        snprintf(what, sizeof(what), "ledger %s[%s] ring:", plugin->type, plugin->name);
        sum_emit(ledger, p, emit);
        say_counters(&report, what, emit_counter_table, emit, EMIT_COUNTERS);
        snprintf(what, sizeof(what), "ledger %s[%s]:", plugin->type, plugin->name);
        say_counters(&report, what, plugin_counter_table, plugin->plugin, PLUGIN_COUNTERS);
        snprintf(what, sizeof(what), "ledger %s[%s] crashes:", plugin->type, plugin->name);
        if (any_counter(plugin->watch, WATCH_COUNTERS))
            say_counters(&report, what, watch_counter_table, plugin->watch, WATCH_COUNTERS);
    }
    if (ledger_imbalance(ledger, imbalance, sizeof(imbalance)) == 0) {
        say(&report, "ledger: the books balance, records lost %" PRIu64, ledger_lost(ledger));
    } else {
        for (char *rest = imbalance, *text; (text = strsep(&rest, "\n")) != NULL;)
            if (text[0] != '\0')
                say(&report, "ledger: NOT IN BALANCE (in motion, or lost without a reason): %s", text);
    }
}
