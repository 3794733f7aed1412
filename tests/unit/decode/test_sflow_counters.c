/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counter samples as JSON lines: every structure of the table parses, the reference values of a real agent come out,
 * hostile texts and long records stay inside the line, and each record is counted once.
 */
#include "decode/sflow/sflow.h"

#include <jansson.h>

#include "decode/sflow/private.h"
#include "lib/tap.h"
#include "unit/decode/test_sflow_writer.h"

static void put_counter_head(struct writer *w, uint32_t records)
{
    put_u32(w, 77);             /* sequence */
    put_u32(w, 2u << 24 | 500); /* source: class 2, index 500 */
    put_u32(w, records);
}

/* One datagram of one counter sample with one record whose octets `fill` writes. */
static json_t *one_record(struct test_bench *bench, uint32_t enterprise, uint32_t format, const struct writer *content)
{
    struct writer w = {.size = 0};

    put_datagram(&w, 4, 12, 1000, 1);
    size_t sample = begin_structure(&w, 0, 2);
    put_counter_head(&w, 1);
    size_t record = begin_structure(&w, enterprise, format);
    put_bytes(&w, content->bytes, content->size);
    end_structure(&w, record);
    end_structure(&w, sample);
    bench_feed(bench, &w);
    if (bench->line_count == 0 || bench->line_count > array_length(bench->lines))
        return NULL;
    return json_loads(bench->lines[bench->line_count - 1], JSON_REJECT_DUPLICATES, NULL);
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "(none)";
}

static uint64_t number_of(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    return json_is_integer(value) ? (uint64_t)json_integer_value(value) : UINT64_MAX;
}

static void host_disk(void)
{
    struct sflow_options options = {0};
    struct test_bench *bench = bench_new(options, true);
    struct writer c = {.size = 0};

    put_u64(&c, UINT64_C(10196652032));
    put_u64(&c, UINT64_C(8712331264));
    put_u32(&c, 1455);
    put_u32(&c, 49837);
    put_u64(&c, UINT64_C(1260391424));
    put_u32(&c, 136338);
    put_u32(&c, 3332846);
    put_u64(&c, UINT64_C(15576254464));
    put_u32(&c, 3325584);
    json_t *line = one_record(bench, 0, 2005, &c);
    is_u64(bench->line_count, 2, "log_init and one line");
    json_t *first = json_loads(bench->lines[0], 0, NULL);
    is_text(text_of(first, "event_type"), "log_init", "the first line is log_init");
    is_text(text_of(first, "peer_src_ip"), "192.168.1.32", "which says peer_src_ip");
    is_u64(number_of(first, "seq"), 0, "and has number 0");
    is_text(text_of(line, "event_type"), "log", "event_type");
    is_text(text_of(line, "peer_ip_src"), "192.168.1.32", "peer_ip_src");
    is_text(text_of(line, "sf_cnt_type"), "sflow_cnt_host_disk_io", "sf_cnt_type");
    is_u64(number_of(line, "seq"), 1, "seq");
    is_u64(number_of(line, "sflow_seq"), 12, "sflow_seq");
    is_u64(number_of(line, "sflow_cnt_seq"), 77, "sflow_cnt_seq");
    is_u64(number_of(line, "source_id_index"), 500, "source_id_index");
    is_u64(number_of(line, "source_id_class"), 2, "source_id_class");
    is_u64(number_of(line, "agent_sub_id"), 4, "agent_sub_id");
    is_u64(number_of(line, "sf_cnt_enterprise"), 0, "sf_cnt_enterprise");
    is_u64(number_of(line, "sf_cnt_format"), 2005, "sf_cnt_format");
    is_u64(number_of(line, "disk_total"), UINT64_C(10196652032), "disk_total");
    is_u64(number_of(line, "disk_free"), UINT64_C(8712331264), "disk_free");
    ok(strstr(bench->lines[1], "\"part_max_used\": 14.55,") != NULL, "P21: 1455 hundredths are 14.55");
    is_u64(number_of(line, "reads"), 49837, "reads");
    is_u64(number_of(line, "bytes_read"), UINT64_C(1260391424), "bytes_read");
    is_u64(number_of(line, "read_time"), 136338, "read_time");
    is_u64(number_of(line, "writes"), 3332846, "writes");
    is_u64(number_of(line, "bytes_written"), UINT64_C(15576254464), "bytes_written");
    is_u64(number_of(line, "write_time"), 3325584, "write_time");
    json_decref(first);
    json_decref(line);

    patch_u32(&c, 16, 0xffffffff);
    line = one_record(bench, 0, 2005, &c);
    ok(json_is_null(json_object_get(line, "part_max_used")), "a percentage of -1 is null");
    json_decref(line);
    is_u64(bench_counter(bench, INPUT_counter_records_written), 2, "records written");
    bench_free(bench);
}

/* Every structure of the table, filled with small words, so that lists have one or two items. */
static void all_structures(void)
{
    static const uint32_t enterprises[] = {0, 4413, 5703};
    struct sflow_options options = {0};
    struct test_bench *bench = bench_new(options, true);
    unsigned known = 0, parsed = 0, complete = 0;

    for (size_t e = 0; e < array_length(enterprises); e++) {
        for (uint32_t format = 0; format < 4096; format++) {
            const struct sflow_counter_structure *structure = sflow_counter_structure(enterprises[e], format);
            struct writer c = {.size = 0};
            char type[96];
            if (structure == NULL)
                continue;
            known++;
            for (unsigned i = 0; i < 128; i++)
                put_u32(&c, i % 3);
            bench->line_count = bench->line_count > 1 ? 1 : bench->line_count;
            json_t *line = one_record(bench, enterprises[e], format, &c);
            snprintf(type, sizeof(type), "sflow_cnt_%s", structure->name);
            parsed += line != NULL && strcmp(text_of(line, "sf_cnt_type"), type) == 0;
            size_t members = 12;
            unsigned depth = 0;
            for (const char *f = structure->fields; *f != '\0'; f += strcspn(f, " "), f += *f == ' ') {
                depth -= *f == ']';
                members += depth == 0 && *f != '?' && *f != ']';
                depth += *f == '[';
            }
            bool whole = line != NULL && json_object_size(line) == members;
            if (!whole)
                ok(false, "%s: %zu members of %zu: %s", structure->name, json_object_size(line), members,
                   bench->lines[bench->line_count - 1]);
            complete += whole;
            json_decref(line);
        }
    }
    ok(known >= 49, "the table has %u structures", known);
    is_u64(parsed, known, "each gives a line that parses");
    is_u64(complete, known, "with all its fields");
    is_u64(bench_counter(bench, INPUT_structures_unknown), 0, "none is unknown");
    is_u64(bench_counter(bench, INPUT_structures_malformed), 0, "none is malformed");
    bench_free(bench);
}

static void types(void)
{
    struct sflow_options options = {0};
    struct test_bench *bench = bench_new(options, true);
    struct writer c = {.size = 0};

    put_opaque(&c, "a\"b\\c\n\xc3\xa9\xff", 9);
    put_hex(&c, "000102030405060708090a0b0c0d0e0f");
    put_u32(&c, 3);
    put_u32(&c, 2);
    put_text(&c, "6.1.0");
    json_t *line = one_record(bench, 0, 2000, &c);
    is_text(text_of(line, "hostname"), "a\"b\\c\n\xc3\xa9\xef\xbf\xbd", "a text is escaped, what is no UTF-8 replaced");
    is_text(text_of(line, "uuid"), "00010203-0405-0607-0809-0a0b0c0d0e0f", "UUID");
    is_text(text_of(line, "os_release"), "6.1.0", "a text after others");
    json_decref(line);

    c.size = 0;
    put_u32(&c, 2);
    for (unsigned i = 0; i < 2; i++) {
        put_u32(&c, 10 + i);
        put_u32(&c, 1);
        put_mac(&c, 0x0200000000a0 + i);
    }
    line = one_record(bench, 0, 2001, &c);
    const json_t *adapter = json_array_get(json_object_get(line, "adapters"), 1);
    is_u64(number_of(adapter, "ifIndex"), 11, "second adapter");
    is_text(json_string_value(json_array_get(json_object_get(adapter, "mac_addresses"), 0)),
            "02:00:00:00:00:a1", "its MAC");
    json_decref(line);

    c.size = 0;
    put_u32(&c, 0x3ed70a3d); /* 0.42 */
    put_u32(&c, 0x7fc00000); /* not a number */
    put_u32(&c, 0x3f800000);
    for (unsigned i = 0; i < 14; i++)
        put_u32(&c, i == 0 ? UINT32_MAX : i);
    line = one_record(bench, 0, 2003, &c);
    ok(strstr(bench->lines[bench->line_count - 1], "\"load_one\": 0.42,") != NULL, "a float");
    ok(json_is_null(json_object_get(line, "load_five")), "a float that is no number is null");
    is_u64(number_of(line, "proc_run"), UINT32_MAX, "a counter of all ones stays a number");
    is_u64(number_of(line, "contexts"), 13, "host_cpu of an older agent");
    is_u64(bench_counter(bench, INPUT_structures_malformed), 0, "is not malformed");
    json_decref(line);

    c.size = 8;
    line = one_record(bench, 0, 2003, &c);
    ok(line != NULL && json_object_get(line, "load_five") != NULL && json_object_get(line, "proc_run") == NULL,
       "a short record gives the fields it has");
    is_u64(bench_counter(bench, INPUT_structures_malformed), 1, "and is counted");
    json_decref(line);

    c.size = 0;
    put_u32(&c, 0xdeadbeef);
    line = one_record(bench, 8800, 7, &c);
    is_text(text_of(line, "sf_cnt_type"), "sflow_cnt_unknown", "an unknown structure");
    is_u64(number_of(line, "enterprise"), 8800, "its enterprise");
    is_u64(number_of(line, "format"), 7, "its format");
    is_u64(number_of(line, "length"), 4, "its length");
    is_text(text_of(line, "data"), "deadbeef", "its octets");
    is_u64(bench_counter(bench, INPUT_structures_unknown), 1, "is counted as unknown");
    json_decref(line);
    ok(bench_balances(bench, false), "the books balance");
    bench_free(bench);
}

static void lines_that_fail(void)
{
    struct sflow_options options = {0};
    struct test_bench *bench = bench_new(options, true);
    struct writer c = {.size = 0};

    put_u32(&c, 1);
    bench->refuse_lines = true;
    json_decref(one_record(bench, 0, 3002, &c));
    is_u64(bench_counter(bench, INPUT_counter_records_failed), 1, "a line that nobody takes is counted");
    bench->refuse_lines = false;
    json_decref(one_record(bench, 0, 3002, &c));
    is_u64(bench->line_count, 2, "log_init comes first all the same");
    ok(strstr(bench->lines[0], "log_init") != NULL, "log_init is the first line");

    /* A text of 12000 control characters needs more than the longest line. */
    c.size = 0;
    put_u32(&c, 12000);
    for (unsigned i = 0; i < 12000; i++)
        put_u8(&c, 1);
    json_decref(one_record(bench, 0, 1005, &c));
    is_u64(bench_counter(bench, INPUT_counter_records_failed), 2, "a line that is too long is counted");
    is_u64(bench_counter(bench, INPUT_counter_records_written), 1, "and not written");
    ok(bench_balances(bench, false), "the books balance");
    bench_free(bench);

    bench = bench_new(options, false);
    json_decref(one_record(bench, 0, 1, &c));
    is_u64(bench_counter(bench, INPUT_counter_records_not_asked), 1, "nobody asked");
    bench_free(bench);
}

/* Versions 2 and 4: the blocks after the generic one are records of their own. */
static void old_versions(void)
{
    static const struct {
        uint32_t version, octets, lines;
    } cases[] = {{1, 88, 1}, {2, 140, 2}, {3, 160, 2}, {4, 88, 1}, {5, 168, 2}, {6, 88, 1}, {7, 28, 1}};

    for (size_t i = 0; i < array_length(cases); i++) {
        struct sflow_options options = {0};
        struct test_bench *bench = bench_new(options, true);
        struct writer w = {.size = 0};
        put_u32(&w, i % 2 ? 4 : 2);
        put_ipv4(&w, test_agent);
        for (unsigned k = 0; k < 3; k++)
            put_u32(&w, 1);
        put_u32(&w, 2);
        put_u32(&w, 9);
        put_u32(&w, 3);
        put_u32(&w, 20);
        put_u32(&w, cases[i].version);
        for (uint32_t k = 0; k < cases[i].octets; k += 4)
            put_u32(&w, k);
        bench_feed(bench, &w);
        is_u64(bench->line_count, 1 + cases[i].lines, "counters_version %u", cases[i].version);
        is_u64(bench_counter(bench, INPUT_datagrams_decoded), 1, "read to its end");
        is_u64(bench_counter(bench, INPUT_structures_malformed), 0, "the blocks have the octets of their fields");
        ok(bench_balances(bench, false), "the books balance");
        bench_free(bench);
    }
}

int main(void)
{
    plan_none();
    host_disk();
    all_structures();
    types();
    lines_that_fail();
    old_versions();
    return done_testing();
}
