/* SPDX-License-Identifier: BSD-2-Clause */
/* nfacctd_pre_processing_checks: what it refuses, and that it refuses nothing unasked (RFC 7011 section 3.3.1). */
#include "test_netflow_message.h"

static struct message_writer w;

static void put_record(void)
{
    put32(&w, 1);
    put32(&w, 100);
}

/* Two sets of a record each; the first ends with three octets of padding, the last of them `padding`. */
static struct bench *send_sets(unsigned version, bool check, uint8_t padding)
{
    struct netflow_options options = {.check_padding = check};
    struct error error = {""};
    struct bench *bench = bench_new(options, &error);

    message_begin(&w, version, 1, 1);
    put_template(&w, 300, FIELDS(2, 4, 1, 4));
    set_begin(&w, 300);
    put_record();
    put16(&w, 0);
    put8(&w, padding);
    set_begin(&w, 300);
    put_record();
    bench_send(bench, &w);
    return bench;
}

static void check_sets(unsigned version)
{
    static const struct {
        bool check;
        uint8_t padding;
        unsigned records, malformed;
        const char *name;
    } cases[] = {
        {false, 0, 2, 0, "zeroes, not looked at"},
        {false, 7, 2, 0, "something else, not looked at"},
        {true, 0, 2, 0, "zeroes"},
        {true, 7, 1, 1, "something else"},
    };

    for (unsigned i = 0; i < array_length(cases); i++) {
        struct bench *bench = send_sets(version, cases[i].check, cases[i].padding);

        is_u64(bench->flow_count, cases[i].records, "version %u, %s: records", version, cases[i].name);
        is_u64(counter_get(&bench->counters[INPUT_sets_malformed]), cases[i].malformed, "sets refused");
        is_u64(counter_get(&bench->counters[INPUT_sets_seen]),
               counter_get(&bench->counters[INPUT_sets_template]) + counter_get(&bench->counters[INPUT_sets_data]) +
                   counter_get(&bench->counters[INPUT_sets_malformed]),
               "and the books balance");
        bench_free(bench);
    }
}

int main(void)
{
    plan_none();
    check_sets(9);
    check_sets(10);
    return done_testing();
}
