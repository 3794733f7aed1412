/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The frame of the NetFlow and IPFIX decoder: who sends, message headers of v9 and IPFIX, and the walk over their
 * sets. A message is walked by the lengths in it; the `count` of a v9 header is not looked at, since exporters
 * disagree on what it counts. RFC 3954, RFC 7011.
 */
#include <stdlib.h>

#include "base/time.h"
#include "decode/netflow/private.h"

#define set_header_bytes 4
#define save_every_ns (INT64_C(10) * time_second_ns) /* the templates file, when it has changed */

enum { SET_TEMPLATES_9 = 0, SET_OPTIONS_9 = 1, SET_TEMPLATES_10 = 2, SET_OPTIONS_10 = 3, SET_DATA = 256 };

static void set_defaults(struct netflow_options *options)
{
    if (options->template_bytes_max == 0)
        options->template_bytes_max = UINT64_C(64) << 20;
    if (options->exporter_templates_max == 0)
        options->exporter_templates_max = 1024;
    if (options->hold_ns == 0)
        options->hold_ns = 300 * time_second_ns;
}

/* Room for the bodies of direct.c. */
static int open_bodies(struct netflow *netflow, struct error *error)
{
    size_t bytes = 0;

    for (unsigned i = 0; i < netflow->output.target_count; i++) {
        netflow->body_offsets[i] = bytes;
        bytes += (size_t)direct_batch * netflow->output.targets[i]->body_bytes;
    }
    netflow->bodies = bytes > 0 ? malloc(bytes) : NULL;
    return bytes > 0 && netflow->bodies == NULL ? error_set(error, "out of memory for the NetFlow decoder") : 0;
}

static int open_templates(struct netflow *netflow, const char *path, struct error *error)
{
    netflow->templates_path = strdup(path);
    if (netflow->templates_path == NULL)
        return error_set(error, "out of memory for the NetFlow decoder");
    return persist_load(netflow, path, error);
}

struct netflow *netflow_new(const struct netflow_options *options, const struct decode_output *output,
                            struct error *error)
{
    struct netflow *netflow = calloc(1, sizeof(*netflow));

    if (netflow == NULL) {
        error_set(error, "out of memory for the NetFlow decoder");
        return NULL;
    }
    netflow->options = *options;
    netflow->output = *output;
    netflow->counters = output->counters;
    set_defaults(&netflow->options);
    netflow->definitions = calloc(definition_slots, sizeof(struct definition *));
    netflow->exporters = exporter_table_new(output->ledger, output->lane);
    if (netflow->definitions == NULL || netflow->exporters == NULL) {
        error_set(error, "out of memory for the NetFlow decoder");
        goto failed;
    }
    if (open_bodies(netflow, error) < 0 || finish_open(netflow, error) < 0 || show_open(netflow, error) < 0 ||
        fixed_open(netflow, error) < 0)
        goto failed;
    if (options->templates_file != NULL && open_templates(netflow, options->templates_file, error) < 0)
        goto failed;
    netflow->templates_changed = false;
    return netflow;
failed:
    netflow_free(netflow);
    return NULL;
}

int netflow_load_templates(struct netflow *netflow, const char *path, struct error *error)
{
    return persist_load(netflow, path, error);
}

void netflow_session_closed(struct netflow *netflow, uint32_t session)
{
    domains_close_session(netflow, session);
}

void netflow_free(struct netflow *netflow)
{
    if (netflow == NULL)
        return;
    domains_free(netflow);
    if (netflow->definitions != NULL)
        fixed_close(netflow);
    exporter_table_free(netflow->exporters);
    finish_close(netflow);
    show_close(netflow);
    free(netflow->definitions);
    free(netflow->templates_path);
    free(netflow->bodies);
    free(netflow);
}

/* ---- a message ---- */

/* Records go to the counters once per message. */
static void end_message(struct netflow *netflow)
{
    if (netflow->accounted == 0)
        return;
    counter_add(&netflow->counters[INPUT_data_records_accounted], netflow->accounted);
    counter_add(&netflow->counters[INPUT_records_decoded], netflow->accounted);
    if (netflow->domain != NULL) {
        counter_add(&netflow->domain->exporter->row->records, netflow->accounted);
        counter_add(&netflow->domain->exporter->row->packets, netflow->packets);
    }
    netflow->accounted = netflow->packets = 0;
}

/* ---- template sets ---- */

static bool read_field(struct cursor *set, unsigned version, bool scope, struct template_field *field)
{
    uint16_t id = cursor_be16(set);

    field->length = cursor_be16(set);
    field->enterprise = version == 9 && scope ? enterprise_scope : 0;
    field->id = id;
    if (version == 10 && id & 0x8000) { /* RFC 7011 section 3.2 */
        field->id = id & 0x7fff;
        field->enterprise = cursor_be32(set);
        if (field->enterprise == enterprise_scope) /* reserved, nobody's: must not pass for a scope of v9 */
            field->enterprise--;
    }
    return !set->failed;
}

static void learn(struct netflow *netflow, unsigned id, enum template_kind kind, unsigned scope_count, unsigned count,
                  const struct template_field *fields)
{
    struct domain *domain = netflow->domain;
    struct definition *definition;
    uint64_t records, told;

    if (id < SET_DATA) {
        netflow_count(netflow, INPUT_templates_refused);
        return;
    }
    definition = definition_intern(netflow, (uint8_t)netflow->message.version, kind, scope_count, count, fields);
    if (definition == NULL) {
        netflow_count(netflow, INPUT_templates_refused);
        return;
    }
    if (!template_store(netflow, domain, id, definition, netflow->message.origin->arrival_ns))
        return;
    records = netflow->message_records; /* what waited is of earlier messages */
    told = netflow->message_options;
    hold_replay(netflow, domain, template_find(domain, id));
    netflow->message_records = records;
    netflow->message_options = told;
}

/* Record lengths are added up in 16 bits by nobody: what no set can hold, or would never end, is refused. */
static bool is_usable(const struct template_field *fields, unsigned count)
{
    uint32_t least = 0;

    for (unsigned i = 0; i < count; i++)
        least += fields[i].length == template_variable ? 1 : fields[i].length;
    return least > 0 && least <= UINT16_MAX;
}

/* A template set, or with `options` an options template set. False when it ends in the middle of a record. */
static bool read_templates(struct netflow *netflow, struct cursor set, bool options)
{
    static struct template_field fields[template_fields_max];
    unsigned version = netflow->message.version;
    enum template_kind kind = options ? TEMPLATE_OPTIONS : TEMPLATE_DATA;

    while (cursor_left(&set) >= 4) {
        unsigned id = cursor_be16(&set), count = cursor_be16(&set), scope_count = 0;

        if (id == 0 && count == 0)
            return true; /* padding */
        netflow_count(netflow, INPUT_templates_seen);
        if (count == 0 && version == 10) { /* RFC 7011 section 8.1; the set's own id: all of that kind */
            if (id >= SET_DATA || id == (options ? SET_OPTIONS_10 : SET_TEMPLATES_10))
                template_forget(netflow, netflow->domain, id < SET_DATA ? 0 : id, kind);
            else
                netflow_count(netflow, INPUT_templates_refused);
            continue;
        }
        if (options && version == 9) { /* two lengths in octets: scope, options; RFC 3954 section 6.1 */
            scope_count = count / 4;
            count = scope_count + cursor_be16(&set) / 4;
        } else if (options) {
            scope_count = cursor_be16(&set);
        }
        if (count == 0 || count > template_fields_max || scope_count > count) {
            netflow_count(netflow, INPUT_templates_refused);
            return false;
        }
        for (unsigned i = 0; i < count; i++)
            if (!read_field(&set, version, i < scope_count, &fields[i]))
                return false;
        if (is_usable(fields, count))
            learn(netflow, id, kind, scope_count, count, fields);
        else
            netflow_count(netflow, INPUT_templates_refused);
    }
    return true;
}

/* ---- data sets ---- */

static void read_data(struct netflow *netflow, unsigned id, struct cursor set)
{
    struct domain *domain = netflow->domain;
    struct template *template = template_find(domain, id);

    if (likely(template != NULL)) {
        run_template(netflow, template, set);
        return;
    }
    netflow->unknown_set = true;
    counter_add(&domain->exporter->row->templates_unknown, 1);
    if (!hold_set(netflow, id, set))
        netflow_count(netflow, INPUT_sets_unknown);
}

/* One set whose octets are all there. */
static void read_set(struct netflow *netflow, unsigned id, struct cursor set)
{
    unsigned version = netflow->message.version;
    bool templates = id == (version == 9 ? SET_TEMPLATES_9 : SET_TEMPLATES_10);
    bool options = id == (version == 9 ? SET_OPTIONS_9 : SET_OPTIONS_10);

    if (likely(id >= SET_DATA)) {
        read_data(netflow, id, set);
    } else if (templates || options) {
        netflow_count(netflow, read_templates(netflow, set, options) ? INPUT_sets_template : INPUT_sets_malformed);
    } else {
        netflow_count(netflow, INPUT_sets_reserved);
    }
}

/* What is left when a length does not fit: an exporter that fills up with zeroes means no harm. */
static bool only_zeroes(struct cursor cursor)
{
    while (cursor_left(&cursor) > 0)
        if (cursor_u8(&cursor) != 0)
            return false;
    return true;
}

/* False when a set's length does not fit; the sets before it count, and so do the whole records of a cut one. */
static bool read_sets(struct netflow *netflow, struct cursor cursor)
{
    while (cursor_left(&cursor) >= set_header_bytes) {
        struct cursor at = cursor;
        unsigned id = cursor_be16(&cursor), length = cursor_be16(&cursor);

        if (length < set_header_bytes) {
            if (only_zeroes(at))
                return true;
            netflow_count(netflow, INPUT_sets_seen);
            netflow_count(netflow, INPUT_sets_malformed);
            return false;
        }
        netflow_count(netflow, INPUT_sets_seen);
        if (length - set_header_bytes > cursor_left(&cursor)) {
            read_set(netflow, id, cursor);
            return false;
        }
        read_set(netflow, id, cursor_sub(&cursor, length - set_header_bytes));
    }
    if (cursor_left(&cursor) > 0 && !only_zeroes(cursor))
        counter_add(&netflow->counters[INPUT_octets_odd], cursor_left(&cursor));
    return true;
}

/* ---- headers ---- */

static enum input_counter read_message(struct netflow *netflow, struct cursor cursor, size_t size)
{
    struct message *message = &netflow->message;
    bool whole = true;
    struct domain *domain;
    uint32_t seconds;

    if (message->version == 9) {
        cursor_skip(&cursor, 2); /* count: see above */
        message->uptime_ms = cursor_be32(&cursor);
    } else {
        uint16_t length = cursor_be16(&cursor);

        if (length < 16)
            return INPUT_datagrams_malformed;
        whole = length <= size;
        if (length < size) {
            counter_add(&netflow->counters[INPUT_octets_odd], size - length);
            cursor.end -= size - length;
        }
    }
    seconds = cursor_be32(&cursor);
    message->sequence = cursor_be32(&cursor);
    message->domain_id = cursor_be32(&cursor);
    if (cursor.failed)
        return INPUT_datagrams_malformed;
    message->export_ns = message_time(message, seconds, 0);
    domain = domain_find(netflow, &message->origin->source, message->domain_id, message->version, message->origin);
    if (domain == NULL)
        return INPUT_datagrams_no_exporter;
    domain_begin_message(netflow, domain, size);
    netflow->message_records = netflow->message_options = 0;
    whole &= read_sets(netflow, cursor);
    loss_message(netflow, domain, netflow->message_records, netflow->message_options);
    if (!whole)
        counter_add(&domain->exporter->row->malformed, 1);
    return whole ? INPUT_datagrams_decoded : INPUT_datagrams_malformed;
}

void netflow_datagram(struct netflow *netflow, const uint8_t *bytes, size_t size, const struct origin *origin)
{
    struct cursor cursor = cursor_over(bytes, size);
    unsigned version = cursor_be16(&cursor);
    enum input_counter what;

    netflow->message = (struct message){.origin = origin, .version = (uint16_t)version};
    netflow->unknown_set = false;
    switch (version) {
    case 9:
    case 10:
        what = read_message(netflow, cursor, size);
        break;
    case 1:
    case 5:
    case 6:
    case 7:
    case 8:
        what = fixed_datagram(netflow, cursor, version);
        break;
    default:
        what = cursor.failed ? INPUT_datagrams_malformed : INPUT_datagrams_bad_version;
        break;
    }
    netflow_count(netflow, what);
    end_message(netflow);
}

/* ---- time ---- */

static void save(struct netflow *netflow, int64_t now_ns)
{
    struct error error;

    if (netflow->templates_path == NULL || !netflow->templates_changed)
        return;
    netflow->saved_ns = now_ns;
    if (persist_save(netflow, netflow->templates_path, &error) == 0)
        netflow->templates_changed = false;
    else if (netflow->options.on_trouble != NULL)
        netflow->options.on_trouble(netflow->options.text_context, error.text, strlen(error.text));
}

void netflow_tick(struct netflow *netflow, int64_t now_ns)
{
    for (struct domain *domain = netflow->domains; domain != NULL; domain = domain->next) {
        hold_expire(netflow, domain, now_ns);
        templates_expire(netflow, domain, now_ns);
        domain->options_refused = false;
    }
    domains_expire(netflow, now_ns);
    if (now_ns - netflow->saved_ns >= save_every_ns || now_ns < netflow->saved_ns)
        save(netflow, now_ns);
}

void netflow_end(struct netflow *netflow)
{
    for (struct domain *domain = netflow->domains; domain != NULL; domain = domain->next)
        hold_expire(netflow, domain, INT64_MAX);
    save(netflow, netflow->saved_ns);
}
