/* SPDX-License-Identifier: BSD-2-Clause */
/* What options records teach: rates of all methods and scopes, names, identity, statistics, and the limits of it. */
#include <math.h>

#include "decode/netflow/options.h"
#include "test_netflow_message.h"

static struct message_writer w;

static struct bench *open_bench(struct netflow_options options)
{
    struct error error;

    return bench_new(options, &error);
}

/* One options record of its own template; `record` writes it. */
#define teach(bench, version, domain, scope_count, record, ...)                       \
    do {                                                                              \
        message_begin(&w, version, 1, domain);                                        \
        put_options_template(&w, 300, scope_count, FIELDS(__VA_ARGS__));              \
        set_begin(&w, 300);                                                           \
        record;                                                                       \
        bench_send(bench, &w);                                                        \
    } while (0)

/* The rate of a record with the given fields besides an address. */
#define rate_of(bench, version, domain, record, ...)                                  \
    (message_begin(&w, version, 2, domain), put_template(&w, 256, FIELDS(__VA_ARGS__)), \
     set_begin(&w, 256), record, bench_send(bench, &w), last_rate(bench))

static uint64_t last_rate(struct bench *bench)
{
    uint64_t rate = bench->flow_count == 0 || !flow_has(&bench->flows[bench->flow_count - 1], FIELD_SAMPLING_RATE)
                        ? 999999
                        : bench->flows[bench->flow_count - 1].sampling_rate;

    bench_forget(bench);
    return rate;
}

static struct domain *domain_of(struct bench *bench, uint32_t id)
{
    struct domain *domain = bench->netflow->domains;

    while (domain != NULL && domain->id != id)
        domain = domain->next;
    return domain;
}

static bool span_is(struct span span, const char *text)
{
    return span.length == strlen(text) && memcmp(span.data, text, span.length) == 0;
}

static void samplers_of_version_9(void)
{
    struct bench *bench = open_bench((struct netflow_options){0});

    is_u64(rate_of(bench, 9, 1, put32(&w, 1), 8, 4), 1, "who tells nothing does not sample");
    is_u64(rate_of(bench, 9, 1, (put32(&w, 1), put8(&w, 0)), 8, 4, 48, 1), 1, "sampler 0 and none known");
    is_u64(rate_of(bench, 9, 1, (put32(&w, 1), put8(&w, 1)), 8, 4, 48, 1), 0, "a sampler whose rate is not told yet");
    teach(bench, 9, 1, 1, (put32(&w, 0), put8(&w, 1), put8(&w, 2), put32(&w, 100), put_text(&w, "one", 8)), 1, 4, 48, 1,
          49, 1, 50, 4, 84, 8);
    teach(bench, 9, 1, 1, (put32(&w, 0), put8(&w, 2), put8(&w, 2), put32(&w, 50)), 1, 4, 48, 1, 49, 1, 50, 4);
    is_u64(rate_of(bench, 9, 1, (put32(&w, 1), put8(&w, 1)), 8, 4, 48, 1), 100, "by id, the first");
    is_u64(rate_of(bench, 9, 1, (put32(&w, 1), put8(&w, 2)), 8, 4, 48, 1), 50, "by id, the second");
    is_u64(rate_of(bench, 9, 1, (put32(&w, 1), put16(&w, 1)), 8, 4, 48, 2), 100, "the id in two octets");
    is_u64(rate_of(bench, 9, 1, (put32(&w, 1), put8(&w, 0)), 8, 4, 48, 1), 50, "id 0: the last");
    is_u64(rate_of(bench, 9, 1, put32(&w, 1), 8, 4), 50, "no id: the last");
    is_u64(rate_of(bench, 9, 1, (put32(&w, 1), put8(&w, 9)), 8, 4, 48, 1), 0, "an unknown id: not the last one's rate");
    is_u64(rate_of(bench, 9, 2, put32(&w, 1), 8, 4), 1, "another source id samples by itself");
    is_u64(rate_of(bench, 9, 1, (put32(&w, 1), put32(&w, 7)), 8, 4, 34, 4), 7, "the record's own interval goes first");
    is_u64(rate_of(bench, 9, 1, (put32(&w, 1), put32(&w, 0)), 8, 4, 34, 4), 50,
           "an interval of 0 in a record tells none");
    is_u64(rate_of(bench, 9, 1, (put32(&w, 1), put32(&w, 9)), 8, 4, 50, 4), 9, "its own random interval");
    teach(bench, 9, 1, 1, (put8(&w, 2), put32(&w, 77)), 1, 0, 48, 1, 50, 4);
    is_u64(rate_of(bench, 9, 1, (put32(&w, 1), put8(&w, 2)), 8, 4, 48, 1), 77, "replaced; its scope is empty");
    bench_free(bench);

    bench = open_bench((struct netflow_options){0});
    teach(bench, 9, 1, 1, (put32(&w, 0), put32(&w, 1000), put8(&w, 2)), 1, 4, 34, 4, 35, 1);
    is_u64(rate_of(bench, 9, 1, put32(&w, 1), 8, 4), 1000, "the system's interval");
    teach(bench, 9, 1, 1, (put32(&w, 0), put32(&w, 1), put8(&w, 1)), 1, 4, 34, 4, 35, 1);
    is_u64(rate_of(bench, 9, 1, put32(&w, 1), 8, 4), 1, "sampling switched off");
    bench_free(bench);
}

static double fraction(struct bench *bench, enum sampler_scope scope, uint64_t id)
{
    struct sampler_row rows[16];
    unsigned count = options_samplers(domain_of(bench, 5), rows, 16);

    for (unsigned i = 0; i < count; i++)
        if (rows[i].scope == scope && rows[i].id == id)
            return rows[i].rate;
    return -1;
}

static void selectors(void)
{
    struct bench *bench = open_bench((struct netflow_options){0});
    double half = 0.5, tenth = 0.1;
    uint64_t bits;

    teach(bench, 10, 5, 1, (put64(&w, 1), put16(&w, 1), put32(&w, 3), put32(&w, 7)), 302, 8, 304, 2, 305, 4, 306, 4);
    ok(fabs(fraction(bench, SAMPLER_OF_SELECTOR, 1) - 10.0 / 3) < 1e-12, "3 of 10 is a fraction");
    is_u64(rate_of(bench, 10, 5, (put32(&w, 1), put8(&w, 1)), 8, 4, 302, 1), 3, "rounded once");
    teach(bench, 10, 5, 1, (put8(&w, 2), put8(&w, 3), put32(&w, 5), put32(&w, 1000)), 302, 1, 304, 1, 309, 4, 310, 4);
    ok(fraction(bench, SAMPLER_OF_SELECTOR, 2) == 200, "n of N");
    memcpy(&bits, &tenth, 8);
    teach(bench, 10, 5, 1, (put8(&w, 3), put8(&w, 4), put64(&w, bits)), 302, 1, 304, 1, 311, 8);
    ok(fabs(fraction(bench, SAMPLER_OF_SELECTOR, 3) - 10) < 1e-12, "a probability");
    teach(bench, 10, 5, 1, (put8(&w, 4), put8(&w, 4), put32(&w, 0x3e800000)), 302, 1, 304, 1, 311, 4);
    ok(fraction(bench, SAMPLER_OF_SELECTOR, 4) == 4, "a probability of four octets");
    teach(bench, 10, 5, 1, (put8(&w, 5), put8(&w, 2), put32(&w, 1000), put32(&w, 9000)), 302, 1, 304, 1, 307, 4, 308,
          4);
    ok(fraction(bench, SAMPLER_OF_SELECTOR, 5) == 10, "by time");
    teach(bench, 10, 5, 1, (put8(&w, 6), put8(&w, 5)), 302, 1, 304, 1);
    ok(fraction(bench, SAMPLER_OF_SELECTOR, 6) == 0, "a filter has no rate of its own");
    teach(bench, 10, 5, 1, (put8(&w, 6), put64(&w, 1000), put64(&w, 500)), 302, 1, 318, 8, 319, 8);
    ok(fraction(bench, SAMPLER_OF_SELECTOR, 6) == 2, "but one by its counters");
    teach(bench, 10, 5, 1, (put8(&w, 6), put64(&w, 4000), put64(&w, 1000)), 302, 1, 318, 8, 319, 8);
    ok(fraction(bench, SAMPLER_OF_SELECTOR, 6) == 6, "by what they grew");
    teach(bench, 10, 5, 1, (put8(&w, 2), put64(&w, 4000), put64(&w, 1000)), 302, 1, 318, 8, 319, 8);
    ok(fraction(bench, SAMPLER_OF_SELECTOR, 2) == 200, "counters do not change an announced rate");
    teach(bench, 10, 5, 1, (put8(&w, 7), put32(&w, 0), put32(&w, 5)), 302, 1, 305, 4, 306, 4);
    ok(fraction(bench, SAMPLER_OF_SELECTOR, 7) == 0, "0 of 5 is no rate");
    teach(bench, 10, 5, 1, (put8(&w, 8), put32(&w, 10), put32(&w, 5)), 302, 1, 309, 4, 310, 4);
    ok(fraction(bench, SAMPLER_OF_SELECTOR, 8) == 0, "nor are 10 of 5");
    is_u64(rate_of(bench, 10, 5, (put32(&w, 1), put8(&w, 2)), 8, 4, 48, 1), 200, "48 in data, 302 in options");
    is_u64(rate_of(bench, 10, 5, (put32(&w, 1), put8(&w, 9), put8(&w, 4)), 8, 4, 302, 1, 48, 1), 4,
           "both: the one that is known");
    is_u64(rate_of(bench, 10, 5, (put32(&w, 1), put32(&w, 1), put32(&w, 63)), 8, 4, 305, 4, 306, 4), 64,
           "the record's own 305 and 306");
    is_u64(rate_of(bench, 10, 5, (put32(&w, 1), put32(&w, 2), put32(&w, 5)), 8, 4, 309, 4, 310, 4), 3,
           "its own 309 and 310, rounded");
    memcpy(&bits, &half, 8);
    teach(bench, 10, 5, 1, (put8(&w, 10), put8(&w, 4), put64(&w, bits)), 302, 1, 304, 1, 311, 8);
    teach(bench, 10, 5, 1, (put64(&w, 77), put8(&w, 10), put8(&w, 2)), 301, 8, 302, 1, 302, 1);
    ok(fraction(bench, SAMPLER_OF_SEQUENCE, 77) == 400, "chained selectors multiply");
    is_u64(rate_of(bench, 10, 5, (put32(&w, 1), put64(&w, 77)), 8, 4, 301, 8), 400, "a record of the chain");
    bench_free(bench);
}

static void scopes(void)
{
    struct bench *bench = open_bench((struct netflow_options){0});

    teach(bench, 9, 1, 1, (put16(&w, 3), put32(&w, 30)), 2, 2, 34, 4);
    is_u64(rate_of(bench, 9, 1, (put32(&w, 1), put16(&w, 3)), 8, 4, 10, 2), 30, "v9 scope interface");
    is_u64(rate_of(bench, 9, 1, (put32(&w, 1), put16(&w, 3)), 8, 4, 14, 2), 30, "the output interface too");
    is_u64(rate_of(bench, 9, 1, (put32(&w, 1), put16(&w, 4)), 8, 4, 10, 2), 1, "another interface is not sampled");
    teach(bench, 9, 1, 1, (put16(&w, 256), put32(&w, 40)), 5, 2, 34, 4);
    is_u64(rate_of(bench, 9, 1, (put32(&w, 1), put16(&w, 3)), 8, 4, 10, 2), 40,
          "the template goes before the interface");
    teach(bench, 9, 1, 1, (put8(&w, 1), put32(&w, 5)), 1, 0, 48, 1, 34, 4);
    is_u64(rate_of(bench, 9, 1, (put32(&w, 1), put16(&w, 3), put8(&w, 1)), 8, 4, 10, 2, 48, 1), 5,
           "the sampler before both");
    teach(bench, 9, 3, 1, (put32(&w, 1), put32(&w, 60)), 3, 4, 34, 4);
    is_u64(rate_of(bench, 9, 3, put32(&w, 1), 8, 4), 60, "the only line card");
    bench_free(bench);

    bench = open_bench((struct netflow_options){0});
    teach(bench, 10, 1, 1, (put32(&w, 3), put32(&w, 30)), 10, 4, 34, 4);
    teach(bench, 10, 1, 1, (put32(&w, 1), put32(&w, 80)), 149, 4, 34, 4);
    teach(bench, 10, 1, 1, (put32(&w, 2), put32(&w, 90)), 149, 4, 34, 4);
    is_u64(rate_of(bench, 10, 1, (put32(&w, 1), put32(&w, 3)), 8, 4, 10, 4), 30, "IPFIX: the interface");
    is_u64(rate_of(bench, 10, 1, (put32(&w, 1), put32(&w, 4)), 8, 4, 10, 4), 80, "else the domain, by its number");
    bench_free(bench);
}

static void shared(void)
{
    struct bench *bench = open_bench((struct netflow_options){0});

    is_u64(rate_of(bench, 10, 7, put32(&w, 1), 8, 4), 1, "a domain before");
    teach(bench, 10, 0, 1, (put32(&w, 1), put32(&w, 500)), 144, 4, 34, 4);
    teach(bench, 10, 0, 1, (put32(&w, 3), put_text(&w, "wide3", 8)), 10, 4, 82, 8);
    is_u64(rate_of(bench, 10, 7, put32(&w, 1), 8, 4), 500, "what domain 0 tells holds for one that was there");
    is_u64(rate_of(bench, 10, 8, put32(&w, 1), 8, 4), 500, "and for one that comes later");
    is_u64(rate_of(bench, 9, 8, put32(&w, 1), 8, 4), 1, "not for another version");
    ok(span_is(options_interface_name(domain_of(bench, 7), 3), "wide3"), "names too");
    teach(bench, 10, 8, 1, (put32(&w, 1), put32(&w, 20)), 144, 4, 34, 4);
    is_u64(rate_of(bench, 10, 8, put32(&w, 1), 8, 4), 20, "what the domain itself tells goes first");
    bench->origin.source.bytes[15]++;
    is_u64(rate_of(bench, 10, 9, put32(&w, 1), 8, 4), 1, "not for another exporter");
    bench_free(bench);

    bench = open_bench((struct netflow_options){.disable_scope_check = true});
    is_u64(rate_of(bench, 9, 7, put32(&w, 1), 8, 4), 1, "without scope check, a domain before");
    teach(bench, 9, 3, 1, (put16(&w, 9), put8(&w, 4), put32(&w, 25)), 2, 2, 48, 1, 50, 4);
    is_u64(rate_of(bench, 9, 7, put32(&w, 1), 8, 4), 25, "any scope holds for the whole exporter");
    is_u64(rate_of(bench, 9, 8, (put32(&w, 1), put8(&w, 77)), 8, 4, 48, 1), 25, "whatever the record names");
    bench_free(bench);
}

static void header(void)
{
    struct bench *bench = open_bench((struct netflow_options){0});
    struct record record = {.template = NULL};

    rate_of(bench, 9, 1, put32(&w, 1), 8, 4);
    bench->netflow->domain = bench->netflow->domains;
    bench->netflow->message.sampling_rate = 64;
    ok(options_sampling_rate(bench->netflow, &record) == 64, "the header's rate comes last");
    bench_free(bench);
}

static void names(void)
{
    struct bench *bench = open_bench((struct netflow_options){0});
    struct domain *domain;
    uint64_t distinguisher = 0;
    static const uint8_t nine[9] = {20, 1, 2, 3, 4, 5, 6, 7, 8};
    char lengthy[300];

    teach(bench, 9, 1, 1, (put16(&w, 5), put_text(&w, "Gi0/5   ", 8), put_text(&w, "uplink", 10)), 2, 2, 82, 8, 83, 10);
    domain = domain_of(bench, 1);
    ok(span_is(options_interface_name(domain, 5), "Gi0/5"), "an interface's name, blanks off");
    ok(options_interface_name(domain, 6).length == 0, "an unknown one");
    teach(bench, 9, 1, 1, (put16(&w, 5), put_text(&w, "just a description", 20)), 2, 2, 83, 20);
    ok(span_is(options_interface_name(domain, 5), "Gi0/5"), "a description does not replace a name");
    teach(bench, 9, 1, 1, (put16(&w, 6), put_text(&w, "just a description", 20)), 2, 2, 83, 20);
    ok(span_is(options_interface_name(domain, 6), "just a description"), "but serves where there is none");
    teach(bench, 9, 1, 1, (put32(&w, 0), put32(&w, 5), put_text(&w, "TenGigabitEthernet0/0/0/5.100", 32)), 1, 4, 10,
          4, 82,
          32);
    ok(span_is(options_interface_name(domain, 5), "TenGigabitEthernet0/0/0/5.100"), "a longer name replaces it");
    teach(bench, 9, 1, 1, (put16(&w, 5), put_text(&w, "", 8)), 2, 2, 82, 8);
    ok(span_is(options_interface_name(domain, 5), "TenGigabitEthernet0/0/0/5.100"), "an empty one does not");
    memset(lengthy, 'x', sizeof(lengthy));
    teach(bench, 9, 1, 1, (put16(&w, 7), put_bytes(&w, lengthy, 300)), 2, 2, 82, 300);
    is_u64(options_interface_name(domain, 7).length, 255, "a very long one is cut");

    teach(bench, 9, 1, 1, (put32(&w, 0), put32(&w, 0x60000001), put_text(&w, "blue", 32), put64(&w,
          0x0000fde800000064)), 1,
          4, 234, 4, 236, 32, 90, 8);
    ok(span_is(options_vrf_name(domain, 0x60000001), "blue"), "a VRF's name");
    ok(options_vrf_distinguisher(domain, 0x60000001, &distinguisher) && distinguisher == 0x0000fde800000064,
       "and its distinguisher");
    ok(!options_vrf_distinguisher(domain, 2, &distinguisher), "none of another");

    teach(bench, 9, 1, 1, (put32(&w, 0), put32(&w, 0x0d000050), put_text(&w, "http", 24), put_text(&w, "the web",
          55)), 1, 4,
          95, 4, 96, 24, 94, 55);
    teach(bench, 9, 1, 1, (put32(&w, 0), put_bytes(&w, nine, 9), put_text(&w, "Teams", 24)), 1, 4, 95, 9, 96, 24);
    teach(bench, 9, 1, 1, (put32(&w, 0), put8(&w, 7), put_text(&w, "by description", 24)), 1, 4, 95, 1, 94, 24);
    ok(span_is(options_application_name(domain, (const uint8_t *)"\x0d\0\0\x50", 4), "http"), "an application");
    ok(span_is(options_application_name(domain, nine, 9), "Teams"), "one of nine octets");
    ok(span_is(options_application_name(domain, (const uint8_t *)"\7", 1), "by description"), "one of one octet");
    ok(options_application_name(domain, (const uint8_t *)"\x0d\0\0\x51", 4).length == 0, "an unknown one");
    ok(options_application_name(domain, nine, 8).length == 0, "the length is part of the id");
    bench_free(bench);
}

static void identity(void)
{
    struct bench *bench = open_bench((struct netflow_options){0});
    struct domain *domain;
    struct span name;
    unsigned type = 99;

    teach(bench, 10, 5, 1, (put32(&w, 1), put32(&w, 0xc0000201), put64(&w, 0), put64(&w, 0), put64(&w,
          1795000000123)), 144,
          4, 130, 4, 131, 16, 160, 8);
    domain = domain_of(bench, 5);
    ok(address_is_ipv4(&domain->told) && domain->told.bytes[15] == 1, "the exporter's address; :: is none");
    ok(domain->init_ns == INT64_C(1795000000123000000), "when it started");
    teach(bench, 10, 5, 1, (put32(&w, 0xc0000209), put64(&w, 55)), 130, 4, 41, 8);
    is_u64(domain->told.bytes[15], 1, "an address in the scope is another exporter's");
    is_u64(domain->options->statistics[STATISTIC_EXPORTED_MESSAGES], 55, "its counters");
    is_u64(domain->options->statistics_have, 1u << STATISTIC_EXPORTED_MESSAGES, "and no others");
    teach(bench, 10, 5, 2, (put32(&w, 35632), put16(&w, 0x8000 | 80), put8(&w, 3), put8(&w, 0), put_text(&w,
          "sourceFoo", 12)),
          346, 4, 303, 2, 339, 1, 344, 1, 341, 12);
    name = options_element(domain, 35632, 80, &type);
    ok(span_is(name, "sourceFoo") && type == 3, "an element of an enterprise");
    teach(bench, 10, 5, 2, (put32(&w, 0), put16(&w, 8), put_text(&w, "evil", 12)), 346, 4, 303, 2, 341, 12);
    ok(options_element(domain, 0, 8, &type).length == 0, "IANA's own cannot be renamed");
    bench_free(bench);

    bench = open_bench((struct netflow_options){.ignore_exporter_address = true});
    teach(bench, 10, 5, 1, (put32(&w, 1), put32(&w, 0xc0000201)), 144, 4, 130, 4);
    ok(address_is_absent(&domain_of(bench, 5)->told), "ignore_exporter_address");
    bench_free(bench);
}

static void limits(void)
{
    struct bench *bench = open_bench((struct netflow_options){0});
    const struct option_tables *tables;
    uint64_t before;

    message_begin(&w, 9, 1, 1);
    put_options_template(&w, 300, 1, FIELDS(2, 4, 82, 8));
    put_options_template(&w, 301, 1, FIELDS(1, 0, 48, 4, 50, 4));
    bench_send(bench, &w);
    before = bench->netflow->template_bytes;
    for (unsigned i = 0; i < 5000; i++) {
        message_begin(&w, 9, i + 2, 1);
        set_begin(&w, 300);
        put32(&w, i);
        put_text(&w, "eth", 8);
        set_begin(&w, 301);
        put32(&w, i + 1);
        put32(&w, i + 2);
        bench_send(bench, &w);
    }
    tables = domain_of(bench, 1)->options;
    is_u64(tables->interfaces.count, 4096, "4096 interfaces");
    is_u64(tables->samplers.count, 1024, "1024 samplers");
    is_u64(options_refused(tables), 5000 - 4096 + 5000 - 1024, "the others are counted");
    ok(span_is(options_interface_name(domain_of(bench, 1), 0), "eth"), "the oldest stays");
    ok(bench->netflow->template_bytes > before + 100000, "the memory is charged");
    option_tables_free(domain_of(bench, 1));
    is_u64(bench->netflow->template_bytes, before, "and given back");
    bench_free(bench);

    bench = open_bench((struct netflow_options){.template_bytes_max = 40000});
    for (unsigned i = 0; i < 5000; i++)
        teach(bench, 9, 1, 1, (put32(&w, i), put_text(&w, "eth", 8)), 2, 4, 82, 8);
    ok(bench->netflow->template_bytes <= 30000, "names leave a quarter of the memory to templates");
    ok(domain_of(bench, 1)->options->interfaces.count > 50, "some found their place");
    bench_free(bench);
}

int main(void)
{
    samplers_of_version_9();
    selectors();
    scopes();
    shared();
    header();
    names();
    identity();
    limits();
    return done_testing();
}
