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

static void json_plugins(FILE *out, const struct ledger *ledger)
{
    fputs(", \"plugins\": [", out);
    for (unsigned p = 0; p < ledger->plugin_count; p++) {
        const struct ledger_plugin *plugin = &ledger->plugins[p];

        fputs(p ? ", {\"name\": " : "{\"name\": ", out);
        json_text(out, plugin->name);
        fprintf(out, ", \"type\": \"%s\", \"pid\": %" PRIu32 ", \"state\": \"%s\", ", plugin->type, plugin->pid,
                plugin_state(plugin));
        json_counters(out, "emit", emit_counter_table, plugin->emit, EMIT_COUNTERS);
        fputs(", ", out);
        json_counters(out, "plugin", plugin_counter_table, plugin->plugin, PLUGIN_COUNTERS);
        fputs(", ", out);
        json_counters(out, "watch", watch_counter_table, plugin->watch, WATCH_COUNTERS);
        putc('}', out);
    }
    putc(']', out);
}

static void json_exporters(FILE *out, const struct ledger *ledger)
{
    bool first = true;

    fputs(", \"exporters\": [", out);
    for (unsigned i = 0; i < ledger_exporters_max; i++) {
        const struct ledger_exporter *row = &ledger->exporters[i];
        char agent[INET6_ADDRSTRLEN], source[INET6_ADDRSTRLEN];

        if (row->used == 0)
            continue;
        fprintf(out,
                "%s{\"agent\": \"%s\", \"domain\": %" PRIu32 ", \"source\": \"%s\", \"source_port\": %u, \"version\": %" PRIu32
                ", \"sampling_rate\": %" PRIu32 ", \"first\": %" PRId64 ", \"last\": %" PRId64 ", \"datagrams\": %" PRIu64
                ", \"bytes\": %" PRIu64 ", \"records\": %" PRIu64 ", \"packets\": %" PRIu64 ", \"lost\": %" PRIu64
                ", \"reordered\": %" PRIu64 ", \"restarts\": %" PRIu64 ", \"malformed\": %" PRIu64
                ", \"samples_lost\": %" PRIu64 ", \"agent_dropped\": %" PRIu64 "}",
                first ? "" : ", ", address_text(row->agent, agent), row->domain, address_text(row->source, source),
                row->source_port, row->version, row->sampling_rate, row->first_ns / 1000000000,
                row->last_ns / 1000000000, row->datagrams, row->bytes, row->records, row->packets, row->lost,
                row->reordered, row->restarts, row->malformed, row->samples_lost, row->agent_dropped);
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
        fprintf(out, "%s{\"kind\": \"%s\", \"enterprise\": %" PRIu32 ", \"format\": %" PRIu32 ", \"count\": %" PRIu64 "}",
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
            ", \"now\": %" PRId64 ", \"started\": %" PRId64 ", \"supervisor_pid\": %" PRIu32 ", \"collector_pid\": %" PRIu32
            ", \"collector_restarts\": %" PRIu32 ", \"lanes\": %" PRIu32 ", \"lost\": %" PRIu64 ", ",
            now_ns / 1000000000, ledger->started_ns / 1000000000, ledger->supervisor_pid, ledger->collector_pid,
            ledger->collector_restarts, ledger->lane_count, ledger_lost(ledger));
    json_counters(out, "input", input_counter_table, input, INPUT_COUNTERS);
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

struct report {
    void (*line)(void *context, const char *text);
    void *context;
};

static void say(const struct report *report, const char *format, ...) printf_like(2, 3);
static void say(const struct report *report, const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    report->line(report->context, text);
}

/* The counters of one scope that are not zero, as "name=value" words on one line. */
static void say_counters(const struct report *report, const char *what, const struct counter_row *rows,
                         const uint64_t *values, unsigned count)
{
    char text[960];
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

void ledger_report(const struct ledger *ledger, int64_t now_ns, void (*line)(void *context, const char *text),
                   void *context)
{
    struct report report = {line, context};
    uint64_t input[INPUT_COUNTERS];
    char imbalance[2048];

    for (unsigned i = 0; i < INPUT_COUNTERS; i++)
        input[i] = ledger_input(ledger, (enum input_counter)i);
    say_exporters(&report, ledger, now_ns);
    say(&report, "stats [%s] time=%" PRId64 " discarded_packets=%" PRIu64, ledger->daemon, now_ns / 1000000000,
        input[INPUT_datagrams_denied]);
    say_counters(&report, "ledger input:", input_counter_table, input, INPUT_COUNTERS);
    for (unsigned p = 0; p < ledger->plugin_count; p++) {
        const struct ledger_plugin *plugin = &ledger->plugins[p];
        char what[ledger_name_max + 32];

        snprintf(what, sizeof(what), "ledger %s[%s] ring:", plugin->type, plugin->name);
        say_counters(&report, what, emit_counter_table, plugin->emit, EMIT_COUNTERS);
        snprintf(what, sizeof(what), "ledger %s[%s]:", plugin->type, plugin->name);
        say_counters(&report, what, plugin_counter_table, plugin->plugin, PLUGIN_COUNTERS);
        snprintf(what, sizeof(what), "ledger %s[%s] crashes:", plugin->type, plugin->name);
        if (counter_get(&plugin->watch[WATCH_plugin_restarts]) != 0)
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
