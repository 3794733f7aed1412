/* SPDX-License-Identifier: BSD-2-Clause */
/* The templates file: what it keeps over a restart, what it refuses and how it says so, and hostile ones. */
#include <sys/stat.h>
#include <unistd.h>

#include "decode/netflow/options.h"
#include "test_netflow_message.h"

static struct message_writer w;
static char path[64];

#define who "{\"exporter\":\"198.18.0.113\",\"port\":4000,\"version\":9,\"domain\":7,"
#define rest ",\"first_seen\":1795217431000,\"last_seen\":1795217431000}"

static void write_file(const char *text, size_t length)
{
    FILE *file = fopen(path, "w");

    fwrite(text, 1, length, file);
    fclose(file);
}

static char *read_text(void)
{
    static char text[1 << 16];
    FILE *file = fopen(path, "r");
    size_t length = file == NULL ? 0 : fread(text, 1, sizeof(text) - 1, file);

    if (file != NULL)
        fclose(file);
    text[length] = 0;
    return text;
}

static void teach_all(struct bench *bench)
{
    message_begin(&w, 9, 1, 7);
    put_template(&w, 256, FIELDS(8, 4, 1, 4, 2, 4, 48, 1));
    put_options_template(&w, 300, 1, FIELDS(1, 4, 48, 1, 50, 4));
    set_begin(&w, 300);
    put32(&w, 0);
    put8(&w, 3);
    put32(&w, 100);
    bench_send(bench, &w);
    message_begin(&w, 10, 1, 4294967295u);
    put_template(&w, 65535, 2, (const uint32_t[]){0x8007, 65535, 4242, 1, 8});
    put_options_template(&w, 301, 1, FIELDS(302, 8, 305, 4, 306, 4, 130, 4, 160, 8));
    set_begin(&w, 301);
    put64(&w, UINT64_MAX - 1);
    put32(&w, 3);
    put32(&w, 7);
    put32(&w, 0xc0000209);
    put64(&w, 1795000000123);
    bench_send(bench, &w);
}

static void restart(void)
{
    struct error error = {""};
    struct netflow_options options = {.templates_file = path};
    struct bench *bench = bench_new(options, &error);
    struct domain *domain;
    struct template *template;
    struct stat facts;
    char *first;

    ok(bench->netflow != NULL, "a file that is not there: %s", error.text);
    teach_all(bench);
    netflow_end(bench->netflow);
    first = strdup(read_text());
    ok(stat(path, &facts) == 0 && (facts.st_mode & 0777) == 0640, "the file's mode");
    bench_free(bench);
    ok(strncmp(first, "{\"flowledger_templates\":1}\n", 27) == 0, "its first line");
    ok(strstr(first, who "\"id\":256,\"kind\":\"data\",\"scope_count\":0,\"fields\":[[0,8,4],[0,1,4],[0,2,4],[0,48,1]],"
                     "\"first_seen\":1795217431123,\"last_seen\":1795217431123}\n") != NULL, "a template's line");
    ok(strstr(first, who "\"id\":300,\"kind\":\"options\",\"scope_count\":1,\"fields\":[[4294967295,1,4],") != NULL,
       "one of options");
    ok(strstr(first, who "\"sampler\":{\"scope\":\"sampler\",\"id\":3,\"rate\":100}}\n") != NULL, "a sampler's line");

    bench = bench_new(options, &error);
    ok(bench->netflow != NULL, "is read again: %s", error.text);
    ok(!bench->netflow->templates_changed, "and need not be written");
    message_begin(&w, 9, 2, 7);
    set_begin(&w, 256);
    put32(&w, 0x0a000001);
    put32(&w, 1000);
    put32(&w, 10);
    put8(&w, 3);
    bench_send(bench, &w);
    is_u64(bench->flow_count, 1, "data are decoded without any template");
    is_u64(bench->flows[0].bytes, 1000, "bytes");
    is_u64(bench->flows[0].sampling_rate, 100, "the sampling rate");
    for (domain = bench->netflow->domains; domain != NULL && domain->version != 10;)
        domain = domain->next;
    is_u64(domain->id, 4294967295u, "the largest domain");
    ok(domain->init_ns == INT64_C(1795000000123000000), "when it started");
    is_u64(domain->told.bytes[15], 9, "its address");
    template = template_find(domain, 65535);
    is_u64(template->definition->fields[0].enterprise, 4242, "an enterprise");
    is_u64(template->definition->fields[0].length, template_variable, "a variable length");
    ok(template->first_ns == test_arrival_ns / 1000000 * 1000000, "its times");
    ok(sampler_find(&domain->options->samplers, SAMPLER_OF_SELECTOR, UINT64_MAX - 1)->rate == 10.0 / 3,
       "a rate that is a fraction comes back to the last bit");
    bench->netflow->templates_changed = true;
    netflow_end(bench->netflow);
    is_u64(strlen(read_text()), strlen(first), "written again it is as long");
    bench_free(bench);
    free(first);
}

/* Empty `want`: it is taken. */
static void load(const char *text, size_t length, const char *want, const char *name)
{
    struct error error = {""};
    struct bench *bench;
    char full[700];

    write_file(text, length);
    bench = bench_new((struct netflow_options){.templates_file = path}, &error);
    snprintf(full, sizeof(full), "%s%s", want[0] == 0 ? "" : path, want);
    is_text(error.text, full, "%s", name);
    ok((bench->netflow == NULL) == (want[0] != 0), "%s: %s", name, want[0] == 0 ? "taken" : "refused");
    bench_free(bench);
}

static void refused(void)
{
    static const struct {
        const char *text, *want, *name;
    } rows[] = {
        {"", "", "an empty file"},
        {"\n\n", "", "empty lines"},
        {"{\"flowledger_templates\":1}\n", "", "the first line alone"},
        {"{\"flowledger_templates\":1}", "", "without its newline"},
        {"{\"flowledger_templates\":0}\n", ":1: a format that this version does not know", "another format"},
        {"{\"flowledger_templates\":2}\n", ":1: column 25: the number is larger than 1", "a later format"},
        {" { \"exporter\" : \"::1\" , \"port\":1,\"version\":10,\"domain\":0,\"address\":\"10.0.0.1\"} \n", "",
         "blanks"},
        {"nonsense\n", ":1: column 1: expected '{'", "no JSON"},
        {"\n{}\n", ":2: column 2: expected '\"'", "an empty object"},
        {"{\"exporter\":\"10.0.0.1\"}\n", ":1: the line does not say whose it is: exporter, port, version, domain",
         "half of who"},
        {who "\"id\":256}\n", ":1: the line is neither a whole template nor a sampler nor an address",
         "half a template"},
        {who "\"id\":256,\"id\":257}\n", ":1: the member 'id' stands twice", "twice"},
        {who "\"colour\":1}\n", ":1: unknown member 'colour'", "an unknown member"},
        {"{\"exporter\":\"10.0.0\"", ":1: column 21: expected an IP address before this place", "no address"},
        {who "\"id\":255,\"kind\":\"data\",\"scope_count\":0,\"fields\":[[0,8,4]]" rest "\n",
         ":1: a template's id is at least 256", "a small id"},
        {who "\"id\":256,\"kind\":\"data\",\"scope_count\":0,\"fields\":[[0,8,0]]" rest "\n",
         ":1: the lengths of its fields make no record", "an empty record"},
        {who "\"id\":256,\"kind\":\"data\",\"scope_count\":0,\"fields\":[[0,8,40000],[0,8,40000]]" rest "\n",
         ":1: the lengths of its fields make no record", "too long a record"},
        {who "\"id\":256,\"kind\":\"data\",\"scope_count\":1,\"fields\":[[0,8,4]]" rest "\n",
         ":1: a template of data has no scope fields", "scope fields in data"},
        {who "\"id\":256,\"kind\":\"options\",\"scope_count\":2,\"fields\":[[4294967295,1,4]]" rest "\n",
         ":1: there are fewer fields than scope_count", "too many scope fields"},
        {who "\"id\":256,\"kind\":\"options\",\"scope_count\":1,\"fields\":[[0,1,4]]" rest "\n",
         ":1: the enterprise 4294967295 stands for scope fields of NetFlow v9, and for nothing else", "scope"},
        {who "\"id\":256,\"kind\":\"data\",\"scope_count\":0,\"fields\":[[0,8,65536]]" rest "\n",
         ":1: column 117: the number is larger than 65535", "too long a field"},
        {who "\"id\":256,\"kind\":\"data\",\"scope_count\":0,\"fields\":[]" rest "\n", ":1: column 112: expected '['",
         "no fields"},
        {who "\"id\":18446744073709551616}\n", ":1: column 68: the number is larger than 65535", "a very large number"},
        {who "\"sampler\":{\"scope\":\"sampler\",\"id\":1,\"rate\":0.5}}\n",
         ":1: column 109: expected a sampling rate of at least 1 before this place", "a rate below 1"},
        {who "\"sampler\":{\"scope\":\"planet\",\"id\":1,\"rate\":5}}\n", ":1: a sampler of an unknown scope, 'planet'",
         "an unknown scope"},
        {who "\"kind\":\"da\\u0074a\"}\n", ":1: column 73: expected '\"': no string here is as long or has escapes",
         "escapes"},
        {"{\"agent\":\"10.0.0.1\",\"version\":9,\"source_id\":0}\n",
         ":1: this is a templates file of pmacct, whose lines tell positions but not the lengths on the wire; "
         "name another file, it fills by itself",
         "pmacct's own"},
        {"{\"exporter\":\"10.0.0.1\",\"port\":1,\"version\":5,\"domain\":7,\"address\":\"10.0.0.1\"}\n",
         ":1: templates are of version 9 or 10", "version 5"},
    };
    static char large[70000];

    for (size_t i = 0; i < array_length(rows); i++)
        load(rows[i].text, strlen(rows[i].text), rows[i].want, rows[i].name);
    memset(large, ' ', sizeof(large));
    load(large, sizeof(large), ":1: the line is longer than 65536 octets", "a line without end");
    load("{\"exporter\0\":1}\n", 16, ":1: column 11: expected '\"': no string here is as long or has escapes", "a NUL");
}

/* Every cut of a good file, and every octet of it changed: an error or not, but never anything else. */
static void mutations(void)
{
    struct error error;
    struct bench *bench = bench_new((struct netflow_options){.templates_file = path}, &error);
    unsigned taken = 0, refusals = 0;
    char *text;
    size_t length;

    ok(bench->netflow == NULL, "(the last file was a bad one)");
    bench_free(bench);
    unlink(path);
    bench = bench_new((struct netflow_options){.templates_file = path}, &error);
    teach_all(bench);
    netflow_end(bench->netflow);
    bench_free(bench);
    text = strdup(read_text());
    length = strlen(text);
    bench = bench_new((struct netflow_options){0}, &error);
    for (size_t i = 0; i < 2 * length; i++) {
        char saved = text[i % length];

        text[i % length] = "\"{}[],:09a \n-\\"[(i * 7 + i / length) % 14];
        write_file(text, i < length ? i : length);
        if (persist_load(bench->netflow, path, &error) == 0)
            taken++;
        else
            refusals += strncmp(error.text, path, strlen(path)) == 0 && strlen(error.text) > strlen(path) + 4;
        text[i % length] = saved;
    }
    is_u64(taken + refusals, 2 * length, "each is taken (%u) or refused with a reason", taken);
    ok(refusals > length, "most are refused");
    bench_free(bench);
    free(text);
}

static void failures(void)
{
    struct error error = {""};
    struct bench *bench = bench_new((struct netflow_options){.templates_file = "/nowhere/at/all"}, &error);

    ok(bench->netflow != NULL, "a folder that is not there yet is no reason not to start");
    teach_all(bench);
    ok(persist_save(bench->netflow, "/nowhere/at/all", &error) < 0 && error.text[0] != 0, "but one not to write: %s",
       error.text);
    bench->netflow->templates_changed = false;
    bench_free(bench);
    bench = bench_new((struct netflow_options){.templates_file = "/"}, &error);
    ok(bench->netflow == NULL && error.text[0] != 0, "a folder instead of a file: %s", error.text);
    bench_free(bench);
}

/* Sessions' templates end with them; only datagrams' are kept. */
static void sessions(void)
{
    struct error error = {""};
    struct bench *bench;

    unlink(path);
    bench = bench_new((struct netflow_options){.templates_file = path}, &error);
    bench->origin.session = 5;
    teach_all(bench);
    netflow_end(bench->netflow);
    is_text(read_text(), "{\"flowledger_templates\":1}\n", "nothing of a session is kept");
    bench_free(bench);
}

int main(void)
{
    snprintf(path, sizeof(path), "/tmp/test_netflow_persist.%ld", (long)getpid());
    restart();
    refused();
    mutations();
    failures();
    sessions();
    unlink(path);
    return done_testing();
}
