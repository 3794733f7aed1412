/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exporters that mean harm, or are just odd: what they tell must not make a templates file that the next start refuses,
 * take memory that no limit counts, use up the places of an address, or withdraw what they did not name.
 */
#include <unistd.h>

#include "decode/netflow/options.h"
#include "test_netflow_message.h"

static struct message_writer w;

/* ---- the templates file ---- */

static void tell_extremes(struct bench *bench)
{
    message_begin(&w, 10, 1, 7);
    put_template(&w, 256, 2, (const uint32_t[]){0x8001, 4, 4294967295u, 1, 8});
    put_options_template(&w, 300, 1, FIELDS(302, 4, 34, 8));
    put_options_template(&w, 301, 1, FIELDS(302, 4, 311, 8));
    put_options_template(&w, 302, 1, FIELDS(302, 4, 318, 8, 319, 8));
    put_options_template(&w, 303, 1, FIELDS(302, 4, 160, 8));
    set_begin(&w, 300);
    put32(&w, 1);
    put64(&w, UINT64_MAX); /* 1.8e19 */
    set_begin(&w, 301);
    put32(&w, 2);
    put64(&w, 1); /* the smallest double: one in infinity */
    set_begin(&w, 302);
    put32(&w, 3);
    put64(&w, UINT64_MAX);
    put64(&w, 1);
    set_begin(&w, 303);
    put32(&w, 3);
    put64(&w, 9000000000000); /* ms: the year 2255 */
    bench_send(bench, &w);
}

static void file_of_extremes(void)
{
    char path[] = "/tmp/flowledger-hostile-XXXXXX";
    int fd = mkstemp(path);
    struct error error = {""};
    struct netflow_options options = {.templates_file = path};
    struct bench *bench = bench_new(options, &error);
    struct domain *domain;
    struct sampler_row rows[8];
    unsigned count;

    close(fd);
    tell_extremes(bench);
    netflow_end(bench->netflow);
    bench_free(bench);
    bench = bench_new(options, &error);
    ok(bench->netflow != NULL, "the file of an exporter of extremes can be read again: %s", error.text);
    domain = bench->netflow == NULL ? NULL : bench->netflow->domains;
    ok(domain != NULL && template_find(domain, 256) != NULL, "its template is there");
    ok(domain != NULL && template_find(domain, 256)->definition->fields[0].enterprise != enterprise_scope,
       "no element of IPFIX passes for a scope field of NetFlow v9");
    count = domain == NULL ? 0 : options_samplers(domain, rows, 8);
    ok(count == 3, "its samplers are there: %u", count);
    for (unsigned i = 0; i < count; i++)
        ok(rows[i].rate > 0 && rows[i].rate <= 1e18, "a rate is at most 1e18: %g", rows[i].rate);
    ok(domain != NULL && domain->init_ns == 0, "a start in the far future is not believed");
    if (bench->netflow != NULL)
        bench_free(bench);
    unlink(path);
}

/* ---- templates ---- */

static void withdrawals(void)
{
    struct error error = {""};
    struct bench *bench = bench_new((struct netflow_options){0}, &error);

    message_begin(&w, 10, 1, 7);
    put_template(&w, 256, FIELDS(1, 4));
    put_options_template(&w, 300, 1, FIELDS(302, 4, 34, 4));
    bench_send(bench, &w);
    for (unsigned id = 1; id < 256; id += 1 + (id == 1)) { /* all but 2, which is the set's own */
        message_begin(&w, 10, 1, 7);
        set_begin(&w, 2);
        put16(&w, id);
        put16(&w, 0);
        bench_send(bench, &w);
    }
    ok(template_find(bench->netflow->domains, 256) != NULL, "identifiers that are none withdraw nothing");
    ok(bench->counters[INPUT_templates_refused] == 254, "they are refused");
    message_begin(&w, 10, 1, 7);
    set_begin(&w, 2);
    put16(&w, 2);
    put16(&w, 0);
    bench_send(bench, &w);
    ok(template_find(bench->netflow->domains, 256) == NULL, "2 withdraws all templates of data");
    ok(template_find(bench->netflow->domains, 300) != NULL, "and none of options");
    bench_free(bench);
}

/* Templates of a hundred fields, with long programs, each a little different. */
static void memory(void)
{
    struct error error = {""};
    struct bench *bench = bench_new((struct netflow_options){.template_bytes_max = 65536}, &error);
    uint64_t bytes = 0;

    ok(bench->netflow != NULL && bench->netflow->template_bytes == 0, "the fixed versions take nothing of the limit");
    for (unsigned n = 0; n < 100; n++) {
        message_begin(&w, 10, 1, 7);
        set_begin(&w, 2);
        put16(&w, 256 + n);
        put16(&w, 100);
        for (unsigned i = 0; i < 100; i++) {
            put16(&w, 1 + i);
            put16(&w, i == n ? 2 : 4);
        }
        bench_send(bench, &w);
    }
    for (unsigned i = 0; i < definition_slots; i++)
        for (const struct definition *d = bench->netflow->definitions[i]; d != NULL; d = d->next)
            if (d->version == 10)
                bytes += sizeof(*d) + d->field_count * sizeof(d->fields[0]) + (d->op_count + 1u) * sizeof(struct op);
    ok(bytes <= 65536, "programs are counted: %llu octets", (unsigned long long)bytes);
    ok(bench->counters[INPUT_templates_refused] > 0, "what is too much is refused");
    message_begin(&w, 10, 2, 7);
    set_begin(&w, 2);
    put16(&w, 2);
    put16(&w, 0);
    bench_send(bench, &w);
    ok(bench->netflow->template_bytes == bench->netflow->domains->template_room * sizeof(struct template),
       "all of it is given back");
    bench_free(bench);
}

/* ---- ports and sessions ---- */

static void send_template(struct bench *bench, unsigned port, uint32_t session, int64_t now_ns)
{
    bench->origin.source_port = (uint16_t)port;
    bench->origin.session = session;
    bench->origin.arrival_ns = now_ns;
    message_begin(&w, 10, 1, 7);
    put_template(&w, 256, FIELDS(1, 4));
    bench_send(bench, &w);
}

static void ports(void)
{
    const int64_t hour_ns = INT64_C(3600000000000);
    struct error error = {""};
    struct bench *bench = bench_new((struct netflow_options){.templates_key = NETFLOW_TEMPLATES_BY_ADDRESS_AND_PORT,
                                                             .template_lifetime_ns = hour_ns}, &error);
    const struct ledger_exporter *row;

    for (unsigned i = 0; i < 257; i++)
        send_template(bench, 4000 + i, 0, test_arrival_ns);
    ok(bench->counters[INPUT_datagrams_no_exporter] == 1, "an address has 256 ports");
    row = bench->netflow->domains->exporter->row;
    ok(row->templates == 256, "its row counts the templates of all: %llu", (unsigned long long)row->templates);
    send_template(bench, 4001, 0, test_arrival_ns + hour_ns);
    netflow_tick(bench->netflow, test_arrival_ns + hour_ns + 1);
    ok(bench->netflow->domain_count == 1, "those that are silent are given up: %u", bench->netflow->domain_count);
    ok(bench->netflow->domains->port == 4001 && row->templates == 1, "the last one stays");
    send_template(bench, 5000, 0, test_arrival_ns + hour_ns + 2);
    ok(bench->counters[INPUT_datagrams_no_exporter] == 1 && bench->netflow->domain_count == 2, "a new one has a place");
    netflow_tick(bench->netflow, test_arrival_ns + 9 * hour_ns);
    ok(bench->netflow->domain_count == 1 && bench->netflow->domains->port == 5000, "the youngest stays, however old");
    send_template(bench, 5000, 9, test_arrival_ns + 9 * hour_ns);
    ok(row->templates == 1, "a session's counts too: %llu", (unsigned long long)row->templates);
    netflow_tick(bench->netflow, test_arrival_ns + 99 * hour_ns);
    ok(bench->netflow->domain_count == 1 && bench->netflow->domains->session == 9, "a session is not given up");
    netflow_session_closed(bench->netflow, 9);
    ok(bench->netflow->domain_count == 0 && row->templates == 0, "until it closes");
    bench_free(bench);
}

/* ---- options ---- */

static void options_as_flows(void)
{
    struct error error = {""};
    struct bench *bench = bench_new((struct netflow_options){.account_options = true}, &error);

    message_begin(&w, 10, 1, 7);
    put_options_template(&w, 300, 1, FIELDS(302, 4, 34, 8));
    set_begin(&w, 300);
    put32(&w, 1);
    put64(&w, 100);
    put64(&w, 0); /* eight octets are no record and too much for padding */
    bench_send(bench, &w);
    is_u64(bench->counters[INPUT_octets_odd], 8, "octets that are left are counted once");
    is_u64(bench->counters[INPUT_data_records_accounted], 1, "the record is one flow");
    bench_free(bench);
}

/* A chain of a filter, which has no rate to announce: the report of what it took tells it. */
static void reported_chain(void)
{
    struct error error = {""};
    struct bench *bench = bench_new((struct netflow_options){0}, &error);

    message_begin(&w, 10, 1, 7);
    put_template(&w, 256, FIELDS(301, 8, 1, 4, 2, 4));
    put_options_template(&w, 300, 1, FIELDS(301, 8, 302, 8));
    put_options_template(&w, 301, 1, FIELDS(301, 8, 318, 8, 319, 8));
    set_begin(&w, 300);
    put64(&w, 5);
    put64(&w, 77);
    set_begin(&w, 301);
    put64(&w, 5);
    put64(&w, 5000);
    put64(&w, 50);
    set_begin(&w, 256);
    put64(&w, 5);
    put32(&w, 1);
    put32(&w, 1);
    bench_send(bench, &w);
    is_u64(bench->flow_count, 1, "a record of the chain");
    is_u64(bench->flows[0].sampling_rate, 100, "has the reported rate");
    bench_free(bench);
}

/* ---- restarts: version 9 without any record, so that only uptime and sequence speak ---- */

static uint64_t restarts(uint32_t before_ms, uint32_t now_ms)
{
    const uint32_t uptimes[2] = {before_ms, now_ms};
    struct error error = {""};
    struct bench *bench = bench_new((struct netflow_options){0}, &error);
    uint64_t count;

    for (unsigned i = 0; i < 2; i++) {
        message_begin(&w, 9, i + 1, 7);
        for (unsigned octet = 0; octet < 4; octet++)
            w.bytes[4 + octet] = (uint8_t)(uptimes[i] >> (24 - 8 * octet));
        bench_send(bench, &w);
    }
    count = bench->counters[INPUT_exporter_restarts];
    bench_free(bench);
    return count;
}

int main(void)
{
    file_of_extremes();
    withdrawals();
    memory();
    ports();
    options_as_flows();
    reported_chain();
    is_u64(restarts(100000, 50000), 1, "an uptime that went back is a restart");
    is_u64(restarts(100000, 95000), 0, "a little back is disorder");
    is_u64(restarts(3000000000u, 1000), 1, "a restart after 34 days is one too");
    is_u64(restarts(4294960000u, 1000), 0, "after 49.7 days the uptime begins anew");
    return done_testing();
}
