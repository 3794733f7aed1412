/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sampling of one plugin, which multiplies only where renormalising was asked for and is nobody else's; and the way of
 * bodies, for plugins that have nothing between a decoder and their rings.
 */
#include "test_emit_world.h"

/* -- sampling -- */

#define samples UINT64_C(1000)

/* Every plugin but "all" takes one of ten. */
static void test_sampling(bool renormalize)
{
    enum { TENTH, ALL, TAGGED };
    const uint64_t factor = renormalize ? 10 : 1;
    unsigned wrong[3] = {0};
    struct row row;
    struct settings *plugin;

    begin();
    core.renormalize = renormalize;
    add("tenth", "src_host,sampling_rate")->sampling_rate = 10;
    add("all", "src_host,sampling_rate,tag");
    plugin = add("tagged", "src_host,tag");
    plugin->sampling_rate = 10;
    plugin->post_tag = 3;
    plugin->aggregate_filter = "src host 192.0.2.1";
    open_all(DAEMON_NFACCTD | DAEMON_PMACCTD);
    for (uint64_t i = 0; i < samples; i++) {
        struct flow flow = a_flow(i & 1 ? "192.0.2.1" : "192.0.2.2");

        flow_set_sampling_rate(&flow, 5);
        emit(flow);
        if (take(TENTH, &row, 1) == 1)
            wrong[TENTH] += layout_value(&layouts[TENTH], row.body, 0) != 2 * factor ||
                            layout_value(&layouts[TENTH], row.body, 1) != 300 * factor ||
                            number(TENTH, &row, FIELD_SAMPLING_RATE) != (renormalize ? 1 : 10);
        if (take(TAGGED, &row, 1) == 1)
            wrong[TAGGED] += number(TAGGED, &row, FIELD_TAG) != 3 ||
                             layout_value(&layouts[TAGGED], row.body, 0) != 2 * factor;
        wrong[ALL] += take(ALL, &row, 1) != 1 || layout_value(&layouts[ALL], row.body, 0) != 2 ||
                      number(ALL, &row, FIELD_SAMPLING_RATE) != 5 || number(ALL, &row, FIELD_TAG) != 0;
    }
    is_u64(wrong[TENTH], 0, "one of ten stands for %u, and says so", (unsigned)factor);
    is_u64(wrong[TAGGED], 0, "so does one with a tag of its own");
    is_u64(wrong[ALL], 0, "who takes all sees each record as it was");
    is_u64(emitted(TENTH, EMIT_records_emitted) + emitted(TENTH, EMIT_records_sampled_out), samples,
           "what is not taken is counted as sampled out");
    is_u64(emitted(TENTH, EMIT_packets_emitted), 2 * factor * emitted(TENTH, EMIT_records_emitted),
           "packets are counted as they are written");
    is_u64(emitted(TAGGED, EMIT_records_filtered), samples / 2, "what a filter refuses is not sampled");
    ok(emitted(TENTH, EMIT_records_emitted) > 50 && emitted(TENTH, EMIT_records_emitted) < 150 &&
           emitted(ALL, EMIT_records_sampled_out) == 0,
       "about one of ten");
    finish(renormalize ? "sampling, renormalized" : "sampling");
}

/* A product that does not fit into 64 bits. */
static void test_overflow(void)
{
    struct flow flow = a_flow("192.0.2.1");
    struct row row;
    unsigned count = 0;

    begin();
    core.renormalize = true;
    add("one", "src_host")->sampling_rate = 2;
    open_all(DAEMON_PMACCTD);
    flow_set_packets(&flow, UINT64_C(1) << 63);
    for (unsigned i = 0; i < 10; i++) {
        emit(flow);
        if (take(0, &row, 1) == 1)
            count += layout_value(&layouts[0], row.body, 0) == UINT64_MAX &&
                     layout_value(&layouts[0], row.body, 1) == 600;
    }
    ok(count >= 3, "of ten at least three are taken");
    is_u64(count, emitted(0, EMIT_records_emitted), "a product that is too large stays at the largest number");
    finish("too large");
}

/* -- bodies -- */

static bool is_plain_with(void (*change)(struct settings *plugin), const char *aggregate)
{
    bool plain;

    begin();
    add("first", "src_host,src_port");
    add("second", aggregate);
    if (change != NULL)
        change(&settings[1]);
    open_all(DAEMON_PMACCTD);
    plain = emitter_is_plain(emitter);
    finish("plain or not");
    return plain;
}

static void with_tag(struct settings *plugin) { plugin->post_tag2 = 1; }
static void with_rate(struct settings *plugin) { plugin->sampling_rate = 2; }
static void with_filter(struct settings *plugin) { plugin->aggregate_filter = "tcp"; }
static void with_map(struct settings *plugin) { plugin->pre_tag_map = file_of("first", "set_tag=1\n"); }
static void with_list(struct settings *plugin) { plugin->ports_file = file_of("ports", "443\n"); }
static void with_mask(struct settings *plugin) { plugin->networks_mask = 24; }

static void test_plain(void)
{
    ok(is_plain_with(NULL, "dst_host"), "plugins with nothing but fields take bodies");
    ok(!is_plain_with(NULL, "sum_host"), "not with a record for both ends");
    ok(!is_plain_with(NULL, "class"), "nor with a text");
    ok(!is_plain_with(NULL, "src_host,label"), "nor with a label");
    ok(!is_plain_with(with_tag, "dst_host"), "nor with a tag");
    ok(!is_plain_with(with_rate, "dst_host"), "nor with sampling");
    ok(!is_plain_with(with_filter, "dst_host"), "nor with a filter");
    ok(!is_plain_with(with_map, "dst_host"), "nor with a map");
    ok(!is_plain_with(with_list, "dst_host"), "nor with a list");
    ok(!is_plain_with(with_mask, "dst_net"), "nor with networks");
}

/* Bodies that are given come out as the records do that they were made of; what has no room is counted. */
static void test_bodies(void)
{
    static _Alignas(8) uint8_t bodies[32 * sizeof(struct row)];
    struct flow flow = a_flow("192.0.2.1");
    struct row row, by_record;
    unsigned body_bytes;

    begin();
    add("first", "src_host,src_port");
    open_all(DAEMON_PMACCTD);
    body_bytes = emitter_layout(emitter, 0)->body_bytes;
    ok(emitter_layout(emitter, 0) == &layouts[0], "the layout is the plugin's");
    emit(flow);
    take(0, &by_record, 1);
    for (unsigned i = 0; i < 32; i++)
        layout_project(&layouts[0], &flow, 0, bodies + (size_t)i * body_bytes);
    emit_bodies(emitter, 0, bodies, 1);
    sent++;
    ok(take(0, &row, 1) == 1 && memcmp(row.body, by_record.body, body_bytes) == 0, "a body is what the record gives");
    is_u64(emitted(0, EMIT_packets_emitted), 4, "its packets are counted");
    for (unsigned i = 0; i < 1000; i++) {
        emit_bodies(emitter, 0, bodies, i % 32 + 1);
        sent += i % 32 + 1;
        if (i % 100 == 99)
            emit_publish(emitter);
    }
    emit_publish(emitter);
    ok(emitted(0, EMIT_records_dropped_ring_full) > 1000, "a ring that nobody reads fills");
    is_u64(emitted(0, EMIT_packets_dropped_ring_full), 2 * emitted(0, EMIT_records_dropped_ring_full), "in packets");
    is_u64(emitted(0, EMIT_bytes_dropped_ring_full), 300 * emitted(0, EMIT_records_dropped_ring_full), "and bytes");
    is_u64(take(0, &row, 1), emitted(0, EMIT_records_emitted) - 2, "what is counted as written is there");
    ok(memcmp(row.body, by_record.body, body_bytes) == 0, "and whole");
    is_u64(emitted(0, EMIT_bytes_emitted), 300 * emitted(0, EMIT_records_emitted), "bytes of all that was written");
    finish("bodies");
}

int main(void)
{
    plan_none();
    make_folder();
    test_sampling(false);
    test_sampling(true);
    test_overflow();
    test_plain();
    test_bodies();
    remove_folder();
    return done_testing();
}
