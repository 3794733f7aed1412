/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/exporters.h"

#include <inttypes.h>

#include "base/frame.h"
#include "client/fetch.h"
#include "client/json.h"

static void put_sampling(struct output *output, const json_t *exporter)
{
    const json_t *row;
    size_t index;
    char scope[json_text_max];

    if (json_array_size(json_object_get(exporter, "sampling")) == 0) {
        output_printf(output, "  %s", json_is_true(json_object_get(exporter, "samples")) ? "rate not known" : "-");
        return;
    }
    json_array_foreach(json_object_get(exporter, "sampling"), index, row)
    {
        output_printf(output, "%s%s %" PRIu64 ": 1/%.6g", index == 0 ? "  " : ", ", json_text(row, "scope", scope),
                      json_number(row, "id"), json_number_value(json_object_get(row, "rate")));
        if (index == 3) {
            output_printf(output, " ...");
            break;
        }
    }
}

static uint64_t unknown_elements(const json_t *exporter)
{
    const json_t *template;
    uint64_t sum = 0;
    size_t index;

    json_array_foreach(json_object_get(exporter, "templates"), index, template)
        sum += json_number(template, "unknown_elements");
    return sum;
}

static void put_exporter(struct output *output, const json_t *exporter)
{
    char text[json_text_max];

    output_printf(output, "%-39s", json_text(exporter, "exporter", text));
    output_printf(output, " %3" PRIu64 " %10" PRIu64 " %5zu %12" PRIu64 " %9" PRIu64 " %6" PRIu64 " %8" PRIu64,
                  json_number(exporter, "version"), json_number(exporter, "domain"),
                  json_array_size(json_object_get(exporter, "templates")), json_number(exporter, "records"),
                  json_number(exporter, "lost") + json_number(exporter, "records_lost"),
                  json_number(exporter, "held"), unknown_elements(exporter));
    output_printf(output, " %8" PRId64, (int64_t)json_integer_value(json_object_get(exporter, "clock_skew_ms")));
    output_printf(output, "  %-24s", json_text(exporter, "last_seen", text));
    put_sampling(output, exporter);
    output_printf(output, "\n");
}

static void put_template(struct output *output, const json_t *exporter, const json_t *template)
{
    char address[json_text_max], kind[json_text_max], first[json_text_max], last[json_text_max];
    const json_t *field;
    size_t index;

    output_printf(output, "%s version %" PRIu64 " domain %" PRIu64 " template %" PRIu64 ", %s%s\n",
                  json_text(exporter, "exporter", address), json_number(exporter, "version"),
                  json_number(exporter, "domain"), json_number(template, "id"), json_text(template, "kind", kind),
                  json_is_true(json_object_get(template, "event")) ? ", events" : "");
    output_printf(output, "  %s%" PRIu64 " octets a record, %" PRIu64 " records, first %s, last %s, ",
                  json_is_true(json_object_get(template, "variable")) ? "at least " : "",
                  json_number(template, "record_bytes_min"), json_number(template, "records"),
                  json_text(template, "first_seen", first), json_text(template, "last_seen", last));
    output_printf(output, "%" PRIu64 " repeats, %" PRIu64 " changes\n", json_number(template, "refreshes"),
                  json_number(template, "changes"));
    json_array_foreach(json_object_get(template, "fields"), index, field)
    {
        const json_t *size = json_object_get(field, "length");

        output_printf(output, "    %5" PRIu64 ".%-5" PRIu64 " %-40s ", json_number(field, "enterprise"),
                      json_number(field, "element"), json_text(field, "name", first));
        if (json_is_string(size))
            output_printf(output, "variable");
        else
            output_printf(output, "%" PRIu64, json_value_number(size));
        output_printf(output, "%s\n", json_is_true(json_object_get(field, "scope")) ? "  scope" : "");
    }
}

static void put_one(struct output *output, const json_t *exporter, bool templates)
{
    const json_t *template;
    size_t index;

    if (!templates) {
        put_exporter(output, exporter);
        return;
    }
    json_array_foreach(json_object_get(exporter, "templates"), index, template)
        put_template(output, exporter, template);
}

int exporters_report(const char *json, size_t length, const char *only, bool templates, struct output *output,
                     struct error *error)
{
    json_t *root = json_read(json, length, error);
    const json_t *lane, *exporter;
    char address[json_text_max];
    size_t l, e, shown = 0;
    uint64_t silent;

    if (root == NULL)
        return -1;
    if (!json_is_array(json_object_get(root, "lanes"))) {
        json_decref(root);
        return error_set(error, "the answer is no list of exporters");
    }
    if (!templates)
        output_printf(output, "%-39s VER     DOMAIN TMPLS      RECORDS      LOST WAITING UNKNOWN  SKEW ms  %-24s  %s\n",
                      "EXPORTER", "LAST SEEN", "SAMPLING");
    json_array_foreach(json_object_get(root, "lanes"), l, lane)
    {
        json_array_foreach(json_object_get(lane, "exporters"), e, exporter)
        {
            if (only != NULL && strcmp(json_text(exporter, "exporter", address), only) != 0)
                continue;
            put_one(output, exporter, templates);
            shown++;
        }
        if (json_is_true(json_object_get(lane, "truncated")))
            output_printf(output, "(there are more; they did not fit into the answer)\n");
    }
    silent = json_number(root, "silent");
    if (silent > 0)
        output_printf(output, "(%" PRIu64 " collector%s did not answer in time)\n", silent, silent == 1 ? "" : "s");
    else if (shown == 0)
        output_printf(output, only != NULL ? "nothing from this exporter yet\n" : "no exporter yet\n");
    json_decref(root);
    return 0;
}

static int report(const struct client_options *options, const char *text, size_t length, struct output *output,
                  struct error *error)
{
    return exporters_report(text, length, options->exporter, options->action == CLIENT_TEMPLATES, output, error);
}

int exporters_show(const struct client_options *options)
{
    return fetch_show(options, FRAME_COMMAND_DESCRIBE, report);
}
