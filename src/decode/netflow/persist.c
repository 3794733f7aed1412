/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The templates file: what a collector that starts anew must know to decode the next datagram, instead of waiting for
 * minutes until templates come again. It is written whole, beside the old one, and renamed; a reader never meets half a
 * file. A line is a JSON object. Times are milliseconds since 1970 UTC.
 *
 *   {"flowledger_templates":1}                                                 the first line: the format's version
 *   {"exporter":"192.0.2.1","port":2055,"version":9,"domain":7,           who; each of the following begins so
 *    "id":256,"kind":"data","scope_count":0,"fields":[[0,8,4],[0,12,4]],  a template: [enterprise, element, length],
 *    "first_seen":1795217431000,"last_seen":1795217999000}                65535 is a variable length
 *   {..., "sampler":{"scope":"selector","id":1,"rate":100}}               a rate that options records told
 *   {..., "address":"192.0.2.9","system_init":1795000000000}              what it goes by, when it started
 *
 * Scope fields of NetFlow v9 have the enterprise number 4294967295, since they are numbered apart. Templates of
 * sessions (TCP, TLS, DTLS) are not kept: they end with their session.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/time.h"
#include "decode/netflow/document.h"
#include "decode/netflow/samplers.h"
#include "decode/netflow/show.h"
#include "decode/netflow/templates_line.h"

#define line_bytes_max (1u << 16) /* 512 fields take up to 28 octets each */
#define millisecond_ns INT64_C(1000000)

/* ---- writing ---- */

struct writer {
    int fd;
    bool failed;
    size_t used;
    char bytes[4 * line_bytes_max];
};

static void flush(struct writer *writer)
{
    if (!writer->failed && file_write_all(writer->fd, writer->bytes, writer->used, NULL) != 0)
        writer->failed = true;
    writer->used = 0;
}

/* A line begins with who it is of; NULL: with nothing. */
static void line_begin(struct writer *writer, struct document *json, const struct domain *domain)
{
    if (sizeof(writer->bytes) - writer->used < line_bytes_max)
        flush(writer);
    document_begin(json, writer->bytes + writer->used, line_bytes_max);
    document_open(json, NULL, '{');
    if (domain == NULL)
        return;
    document_member_address(json, "exporter", &domain->agent);
    document_member_number(json, "port", domain->port);
    document_member_number(json, "version", domain->version);
    document_member_number(json, "domain", domain->id);
}

static void line_end(struct writer *writer, struct document *json)
{
    size_t length = document_end(json);

    writer->bytes[writer->used + length] = '\n'; /* in place of the NUL */
    writer->used += length + 1;
}

static void member_ms(struct document *json, const char *name, int64_t ns)
{
    document_member_number(json, name, ns > 0 ? min_u64((uint64_t)(ns / millisecond_ns), told_ms_max) : 0);
}

static void write_template(struct writer *writer, const struct domain *domain, const struct template *template)
{
    const struct definition *definition = template->definition;
    struct document json;

    line_begin(writer, &json, domain);
    document_member_number(&json, "id", template->id);
    document_member_text(&json, "kind", show_kind(definition));
    document_member_number(&json, "scope_count", definition->scope_count);
    document_open(&json, "fields", '[');
    for (unsigned i = 0; i < definition->field_count; i++) {
        document_open(&json, NULL, '[');
        document_member_number(&json, NULL, definition->fields[i].enterprise);
        document_member_number(&json, NULL, definition->fields[i].id);
        document_member_number(&json, NULL, definition->fields[i].length);
        document_close(&json);
    }
    document_close(&json);
    member_ms(&json, "first_seen", template->first_ns);
    member_ms(&json, "last_seen", template->last_ns);
    line_end(writer, &json);
}

static void write_sampler(struct writer *writer, const struct domain *domain, const struct sampler_row *row)
{
    struct document json;

    if (!(row->rate >= 1))
        return;
    line_begin(writer, &json, domain);
    document_open(&json, "sampler", '{');
    document_member_text(&json, "scope", sampler_scope_names[row->scope]);
    document_member_number(&json, "id", row->id);
    document_member_real(&json, "rate", row->rate);
    document_close(&json);
    line_end(writer, &json);
}

static void write_identity(struct writer *writer, const struct domain *domain)
{
    struct document json;

    if (address_is_absent(&domain->told) && domain->init_ns <= 0)
        return;
    line_begin(writer, &json, domain);
    if (!address_is_absent(&domain->told))
        document_member_address(&json, "address", &domain->told);
    if (domain->init_ns > 0)
        member_ms(&json, "system_init", domain->init_ns);
    line_end(writer, &json);
}

static void write_all(struct writer *writer, const struct netflow *netflow)
{
    static struct sampler_row rows[sampler_limit];
    struct document json;

    line_begin(writer, &json, NULL);
    document_member_number(&json, "flowledger_templates", 1);
    line_end(writer, &json);
    for (const struct domain *domain = netflow->domains; domain != NULL; domain = domain->next) {
        unsigned count;

        if (domain->session != 0 || (domain->version != 9 && domain->version != 10))
            continue;
        for (unsigned i = 0; i < domain->template_room; i++)
            if (domain->templates[i].id != 0)
                write_template(writer, domain, &domain->templates[i]);
        count = options_samplers(domain, rows, sampler_limit);
        for (unsigned i = 0; i < count; i++)
            write_sampler(writer, domain, &rows[i]);
        write_identity(writer, domain);
    }
    flush(writer);
}

int persist_save(struct netflow *netflow, const char *path, struct error *error)
{
    static const struct file_owner owner = {0640, 0755, (uid_t)-1, (gid_t)-1};
    char temporary[file_path_max];
    struct writer *writer = malloc(sizeof(*writer));
    int result = -1;

    if (writer == NULL)
        return error_set(error, "out of memory for the templates file");
    writer->failed = false;
    writer->used = 0;
    writer->fd = file_temporary_open(path, &owner, temporary, error);
    if (writer->fd < 0)
        goto done;
    write_all(writer, netflow);
    if (writer->failed || fsync(writer->fd) != 0) {
        error_errno(error, errno, "cannot write the templates file '%s'", temporary);
        unlink(temporary);
    } else {
        result = file_temporary_commit(temporary, path, error);
    }
    close(writer->fd); /* after the renaming: its lock keeps others out */
done:
    free(writer);
    return result;
}

/* ---- reading ---- */

#define who (1u << MEMBER_EXPORTER | 1u << MEMBER_PORT | 1u << MEMBER_VERSION | 1u << MEMBER_DOMAIN)
#define times (1u << MEMBER_FIRST_SEEN | 1u << MEMBER_LAST_SEEN)
#define content (1u << MEMBER_ID | 1u << MEMBER_KIND | 1u << MEMBER_SCOPE_COUNT | 1u << MEMBER_FIELDS)
#define identity (1u << MEMBER_ADDRESS | 1u << MEMBER_SYSTEM_INIT)

/* The same rules as for a template from the network. */
static const char *template_fault(const struct templates_line *line)
{
    uint32_t least = 0;

    if (line->number[MEMBER_ID] < 256)
        return "a template's id is at least 256";
    if (line->number[MEMBER_SCOPE_COUNT] > line->field_count)
        return "there are fewer fields than scope_count";
    if (line->kind == TEMPLATE_DATA && line->number[MEMBER_SCOPE_COUNT] != 0)
        return "a template of data has no scope fields";
    for (unsigned i = 0; i < line->field_count; i++) {
        bool scope = line->number[MEMBER_VERSION] == 9 && i < line->number[MEMBER_SCOPE_COUNT];

        if ((line->fields[i].enterprise == enterprise_scope) != scope)
            return "the enterprise 4294967295 stands for scope fields of NetFlow v9, and for nothing else";
        least += line->fields[i].length == template_variable ? 1 : line->fields[i].length;
    }
    return least == 0 || least > UINT16_MAX ? "the lengths of its fields make no record" : NULL;
}

static int restore_template(struct netflow *netflow, struct domain *domain, const struct templates_line *line,
                            struct error *error)
{
    const char *fault = template_fault(line);
    int64_t first_ns = (int64_t)line->number[MEMBER_FIRST_SEEN] * millisecond_ns;
    unsigned id = (unsigned)line->number[MEMBER_ID];
    struct definition *definition;
    struct template *template;

    if (fault != NULL)
        return error_set(error, "%s", fault);
    definition = definition_intern(netflow, domain->version, line->kind, (unsigned)line->number[MEMBER_SCOPE_COUNT],
                                   line->field_count, line->fields);
    if (definition == NULL) { /* the limit may be lower than it was; the exporter will send it again */
        netflow_count(netflow, INPUT_templates_refused);
        return 0;
    }
    if (!template_store(netflow, domain, id, definition, first_ns))
        return 0;
    template = template_find(domain, id);
    if (domain->last_ns < first_ns)
        domain->last_ns = (int64_t)line->number[MEMBER_LAST_SEEN] * millisecond_ns;
    template->last_ns = (int64_t)line->number[MEMBER_LAST_SEEN] * millisecond_ns;
    template->used_ns = time_wall_ns(); /* time in which nobody listened does not count for its expiry */
    return 0;
}

static int restore_line(struct netflow *netflow, const struct templates_line *line, struct error *error)
{
    uint32_t rest = line->have & ~who;
    struct origin origin = {.source = line->exporter,
                            .source_port = (uint16_t)line->number[MEMBER_PORT],
                            .arrival_ns = (int64_t)line->number[MEMBER_LAST_SEEN] * millisecond_ns};
    struct domain *domain;

    if (line->have == 1u << MEMBER_FORMAT)
        return line->number[MEMBER_FORMAT] == 1 ? 0 : error_set(error, "a format that this version does not know");
    if ((line->have & who) != who)
        return error_set(error, "the line does not say whose it is: exporter, port, version, domain");
    if (rest != (content | times) && rest != 1u << MEMBER_SAMPLER && (rest == 0 || (rest & ~identity) != 0))
        return error_set(error, "the line is neither a whole template nor a sampler nor an address");
    if (line->number[MEMBER_VERSION] != 9 && line->number[MEMBER_VERSION] != 10)
        return error_set(error, "templates are of version 9 or 10");
    if (rest != (content | times))
        origin.arrival_ns = time_wall_ns();
    domain = domain_find(netflow, &line->exporter, (uint32_t)line->number[MEMBER_DOMAIN],
                         (unsigned)line->number[MEMBER_VERSION], &origin);
    if (domain == NULL)
        return 0; /* no place: as for a datagram */
    if (rest == (content | times))
        return restore_template(netflow, domain, line, error);
    if (rest == 1u << MEMBER_SAMPLER)
        options_sampler_restore(netflow, domain, &line->sampler);
    if (templates_line_has(line, MEMBER_ADDRESS) && !netflow->options.ignore_exporter_address)
        domain->told = line->address;
    if (templates_line_has(line, MEMBER_SYSTEM_INIT))
        domain->init_ns = (int64_t)line->number[MEMBER_SYSTEM_INIT] * millisecond_ns;
    return 0;
}

/* One line into `text` without its newline: its length, -1 at the end of the file, line_bytes_max: it is too long. */
static long next_line(FILE *file, char *text)
{
    size_t length = 0;
    int c = getc_unlocked(file);

    if (c == EOF)
        return -1;
    for (; c != EOF && c != '\n'; c = getc_unlocked(file)) {
        if (length + 1 == line_bytes_max)
            return line_bytes_max;
        text[length++] = (char)c;
    }
    return (long)length;
}

static int load_lines(struct netflow *netflow, FILE *file, const char *path, char *text, struct error *error)
{
    static struct templates_line line;
    unsigned number = 0;

    for (long length; (length = next_line(file, text)) >= 0;) {
        struct error reason;

        number++;
        if (length == 0)
            continue;
        memset(&line, 0, offsetof(struct templates_line, fields));
        if (length == line_bytes_max)
            return error_set(error, "%s:%u: the line is longer than %u octets", path, number, line_bytes_max);
        if (templates_line_read(&line, text, (size_t)length, &reason) < 0 || restore_line(netflow, &line, &reason) < 0)
            return error_set(error, "%s:%u: %s", path, number, reason.text);
    }
    return ferror(file) ? error_errno(error, errno, "cannot read the templates file '%s'", path) : 0;
}

int persist_load(struct netflow *netflow, const char *path, struct error *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO would wait for a writer */
    char *text = malloc(line_bytes_max);
    FILE *file = NULL;
    int result = -1;

    if (fd < 0 && errno == ENOENT) {
        result = 0;
    } else if (fd < 0 || (file = fdopen(fd, "r")) == NULL) {
        error_errno(error, errno, "cannot open the templates file '%s'", path);
        if (fd >= 0)
            close(fd);
    } else if (text == NULL) {
        error_set(error, "out of memory for the templates file '%s'", path);
    } else {
        result = load_lines(netflow, file, path, text, error);
    }
    if (file != NULL)
        fclose(file);
    free(text);
    netflow->templates_changed = false;
    return result;
}
