/* SPDX-License-Identifier: BSD-2-Clause */
/* Records and templates as text: every type, lists, hostile ones, what does not fit; the document for the client. */
#include <jansson.h>

#include "decode/netflow/document.h"
#include "test_netflow_message.h"

static struct message_writer w;

static struct bench *open_bench(void)
{
    struct error error;

    return bench_new((struct netflow_options){.on_record = bench_text}, &error);
}

/* The last text as JSON; the caller gives it back. NULL and a failed test when it is none. */
static json_t *last_json(struct bench *bench, const char *name)
{
    json_error_t error = {.text = "no text at all"};
    json_t *json = bench->text_count == 0
                       ? NULL
                       : json_loads(bench->texts[bench->text_count - 1], JSON_REJECT_DUPLICATES, &error);

    ok(json != NULL, "%s: valid JSON without repeated names: %s", name, json == NULL ? error.text : "");
    return json;
}

/* One data record of version 10 with one template; its "record" member as compact text must be `want`. */
static void shows_record(struct bench *bench, const char *want, const char *name)
{
    json_t *json;
    char *text;

    bench_send(bench, &w);
    json = last_json(bench, name);
    text = json_dumps(json_object_get(json, "record"), JSON_COMPACT);
    is_text(text, want, "%s", name);
    free(text);
    json_decref(json);
    bench_forget(bench);
}

#define shows(bench, want, name, record, ...)                  \
    do {                                                       \
        message_begin(&w, 10, 1, 3);                           \
        put_template(&w, 256, FIELDS(__VA_ARGS__));            \
        set_begin(&w, 256);                                    \
        record;                                                \
        shows_record(bench, want, name);                       \
    } while (0)

static void numbers(struct bench *bench)
{
    shows(bench, "{\"octetDeltaCount\":9223372036854775807,\"protocolIdentifier\":6}", "64 bits and 8",
          (put64(&w, INT64_MAX), put8(&w, 6)), 1, 8, 4, 1);
    shows(bench, "{\"octetDeltaCount\":258,\"octetDeltaCount#2\":7,\"octetDeltaCount#3\":0}", "reduced, and repeated",
          (put16(&w, 258), put8(&w, 7), put32(&w, 0)), 1, 2, 1, 1, 1, 4);
    shows(bench, "{\"samplerId\":1,\"protocolIdentifier\":\"000000000000000006\",\"sourceTransportPort\":80}",
          "longer than its type; too long for a number: hexadecimal",
          (put16(&w, 1), put64(&w, 0), put8(&w, 6), put16(&w, 80)), 48, 2, 4, 9, 7, 2);
    shows(bench, "{\"flowStartSysUpTime\":4294967295}", "uptime is a number", put32(&w, UINT32_MAX), 22, 4);
    shows(bench, "{\"mibObjectValueInteger\":-2,\"mibObjectValueInteger#2\":-1}", "signed, reduced",
          (put32(&w, 0xfffffffe), put8(&w, 0xff)), 434, 4, 434, 1);
    shows(bench, "{\"samplingProbability\":0.5,\"samplingProbability#2\":0.25}", "floats",
          (put64(&w, 0x3fe0000000000000), put32(&w, 0x3e800000)), 311, 8, 311, 4);
    shows(bench, "{\"samplingProbability\":\"7ff0000000000000\"}", "infinity", put64(&w, 0x7ff0000000000000), 311, 8);
    shows(bench, "{\"dataRecordsReliability\":true,\"dataRecordsReliability#2\":false,"
                 "\"dataRecordsReliability#3\":\"00\"}",
          "booleans", (put8(&w, 1), put8(&w, 2), put8(&w, 0)), 276, 1, 276, 1, 276, 1);
}

static void addresses_and_texts(struct bench *bench)
{
    static const uint8_t ipv6[16] = {0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    static const uint8_t mac[6] = {0, 0x1a, 0xff, 3, 4, 5};

    shows(bench, "{\"sourceIPv4Address\":\"10.0.0.1\",\"sourceIPv6Address\":\"2001:db8::1\",\"sourceMacAddress\":"
                 "\"00:1a:ff:03:04:05\",\"destinationIPv4Address\":\"0.0.0.0\"}",
          "addresses", (put32(&w, 0x0a000001), put_bytes(&w, ipv6, 16), put_bytes(&w, mac, 6), put32(&w, 0)), 8, 4, 27,
          16, 56, 6, 12, 4);
    shows(bench, "{\"sourceIPv6Address\":\"::\"}", "the unspecified address", (put64(&w, 0), put64(&w, 0)), 27, 16);
    shows(bench, "{\"sourceIPv6Address\":\"::ffff:10.0.0.1\"}", "a mapped one", (put64(&w, 0), put64(&w,
          0xffff0a000001)),
          27, 16);
    shows(bench, "{\"interfaceName\":\"eth0\",\"interfaceName#2\":\"\xc3\xa9\\\"\\\\\\u0001\"}", "texts",
          (put_text(&w, "eth0", 8), put_text(&w, "\xc3\xa9\"\\\x01", 8)), 82, 8, 82, 8);
    shows(bench, "{\"interfaceName\":\"a\xef\xbf\xbd\xef\xbf\xbd" "b\xef\xbf\xbd\"}", "broken UTF-8",
          put_text(&w, "a\xc3\xff" "b\xe2", 5), 82, 5);
    shows(bench, "{\"interfaceName\":\"var\",\"interfaceName#2\":\"\",\"applicationId\":\"0d000050\"}",
          "variable lengths; octets",
          (put8(&w, 3), put_bytes(&w, "var", 3), put8(&w, 255), put16(&w, 0), put32(&w, 0x0d000050)), 82, 65535, 82,
                65535,
          95, 4);
}

#undef FIELDS /* these have enterprise numbers: the count is told apart */
#define FIELDS(...) 2, (const uint32_t[]){__VA_ARGS__}

static void enterprises(struct bench *bench)
{
    shows(bench, "{\"4242.7\":\"00ff\",\"reverseOctetDeltaCount\":9}", "an unknown element, a reverse one",
          (put16(&w, 0xff), put32(&w, 9)), 0x8007, 2, 4242, 0x8001, 4, 29305);
}

#undef FIELDS
#define FIELDS(...) (sizeof((uint32_t[]){__VA_ARGS__}) / 8), (const uint32_t[]){__VA_ARGS__}

static void times(struct bench *bench)
{
    shows(bench, "{\"flowStartSeconds\":\"2026-11-20T23:30:31Z\"}", "seconds", put32(&w, 1795217431), 150, 4);
    shows(bench, "{\"flowStartMilliseconds\":\"2026-11-20T23:30:31.007Z\"}", "milliseconds",
          put64(&w, 1795217431007), 152, 8);
    shows(bench, "{\"flowStartMicroseconds\":\"2026-11-20T23:30:31.001000Z\"}", "microseconds",
          put64(&w, (1795217431 + UINT64_C(2208988800)) << 32 | 4294967), 154, 8);
    shows(bench, "{\"flowStartNanoseconds\":\"2026-11-20T23:30:31.500000000Z\"}", "nanoseconds",
          put64(&w, (1795217431 + UINT64_C(2208988800)) << 32 | 0x80000000), 156, 8);
    shows(bench, "{\"flowStartMicroseconds\":\"2026-11-20T23:30:32.000000Z\"}", "rounded up to the next second",
          put64(&w, (1795217431 + UINT64_C(2208988800)) << 32 | 0xffffffff), 154, 8);
    shows(bench, "{\"flowStartNanoseconds\":\"2036-02-07T06:28:17.000000000Z\"}", "the next era", put64(&w,
          UINT64_C(1) << 32),
          156, 8);
    shows(bench, "{\"flowStartMilliseconds\":\"ffffffffffffffff\"}", "no time at all", put64(&w, UINT64_MAX), 152, 8);
}

static void lists(struct bench *bench)
{
    message_begin(&w, 10, 1, 3);
    put_template(&w, 400, FIELDS(8, 4, 4, 1));
    bench_send(bench, &w);
    shows(bench, "{\"basicList\":{\"semantic\":\"allOf\",\"element\":\"sourceIPv4Address\",\"values\":[\"10.0.0.1\","
                 "\"10.0.0.2\"]}}",
          "a basic list",
          (put8(&w, 13), put8(&w, 3), put16(&w, 8), put16(&w, 4), put32(&w, 0x0a000001), put32(&w, 0x0a000002)), 291,
                65535);
    shows(bench, "{\"basicList\":{\"semantic\":\"undefined\",\"element\":\"4242.7\",\"values\":[\"01\",\"0203\"]}}",
          "of an enterprise's element with variable length",
          (put8(&w, 14), put8(&w, 255), put16(&w, 0x8007), put16(&w, 65535), put32(&w, 4242), put8(&w, 1), put8(&w, 1),
           put8(&w, 2), put16(&w, 0x0203)),
          291, 65535);
    shows(bench, "{\"subTemplateList\":{\"semantic\":\"ordered\",\"template\":400,\"records\":[{\"sourceIPv4Address\":"
                 "\"10.0.0.1\",\"protocolIdentifier\":6},{\"sourceIPv4Address\":\"10.0.0.2\","
                 "\"protocolIdentifier\":17}]}}",
          "a list of records",
          (put8(&w, 13), put8(&w, 4), put16(&w, 400), put32(&w, 0x0a000001), put8(&w, 6), put32(&w, 0x0a000002),
           put8(&w, 17)),
          292, 65535);
    shows(bench, "{\"subTemplateMultiList\":{\"semantic\":9,\"entries\":[{\"template\":400,\"records\":[{"
                 "\"sourceIPv4Address\":\"10.0.0.1\",\"protocolIdentifier\":6}]},"
                 "{\"template\":401,\"octets\":\"ab\"}]}}",
          "records of several templates, one unknown",
          (put8(&w, 15), put8(&w, 9), put16(&w, 400), put16(&w, 9), put32(&w, 0x0a000001), put8(&w, 6), put16(&w, 401),
           put16(&w, 5), put8(&w, 0xab)),
          293, 65535);
    shows(bench, "{\"basicList\":{\"semantic\":\"allOf\",\"element\":\"sourceIPv4Address\",\"values\":[\"10.0.0.1\"],"
                 "\"octets\":\"0a00\"}}",
          "one that is cut",
          (put8(&w, 11), put8(&w, 3), put16(&w, 8), put16(&w, 4), put32(&w, 0x0a000001), put16(&w, 0x0a00)), 291,
                65535);
    shows(bench, "{\"basicList\":{\"semantic\":\"allOf\",\"element\":\"sourceIPv4Address\",\"values\":[],"
                 "\"octets\":\"00\"}}",
          "values of length 0 end", (put8(&w, 6), put8(&w, 3), put16(&w, 8), put16(&w, 0), put8(&w, 0)), 291, 65535);
    shows(bench, "{\"subTemplateMultiList\":{\"semantic\":\"allOf\",\"entries\":[],\"octets\":\"01900000\"}}",
          "an entry of length 0 ends", (put8(&w, 5), put8(&w, 3), put16(&w, 400), put16(&w, 0)), 293, 65535);
    shows(bench, "{\"basicList\":\"03\",\"subTemplateList\":\"\"}", "too short for lists", (put8(&w, 3)), 291, 1,
          292, 0);
}

/* A list in a list, a thousand deep, and a template that holds itself. */
static void bombs(struct bench *bench)
{
    char *text;
    json_t *json;

    message_begin(&w, 10, 1, 3);
    put_template(&w, 256, FIELDS(291, 65535));
    set_begin(&w, 256);
    put8(&w, 255);
    put16(&w, 8 * 1000);
    for (unsigned i = 0; i < 1000; i++) {
        put8(&w, 3);
        put16(&w, 291);
        put16(&w, 65535);
        put8(&w, 255);
        put16(&w, 8 * (999 - i));
    }
    bench_send(bench, &w);
    json = last_json(bench, "a list a thousand deep");
    text = json_dumps(json, JSON_COMPACT);
    ok(text != NULL && strstr(text, "{\"semantic\":\"allOf\",\"element\":\"basicList\",\"values\":[\"03"
                                    "0123ffff") != NULL, "ends in hexadecimal");
    free(text);
    json_decref(json);
    bench_forget(bench);
    message_begin(&w, 10, 1, 3);
    put_template(&w, 256, FIELDS(292, 65535));
    set_begin(&w, 256);
    for (unsigned left = 3000; left > 6; left -= 6) {
        put8(&w, 255);
        put16(&w, left - 3);
        put8(&w, 3);
        put16(&w, 256);
    }
    put8(&w, 5);
    put8(&w, 3);
    put32(&w, 0x01000000);
    bench_send(bench, &w);
    json_decref(last_json(bench, "a template that holds itself"));
    bench_forget(bench);
}

static void heads(struct bench *bench)
{
    json_t *json;
    char *text;

    message_begin(&w, 9, 77, 5);
    put_options_template(&w, 300, 2, FIELDS(1, 4, 2, 2, 34, 4));
    set_begin(&w, 300);
    put32(&w, 9);
    put16(&w, 3);
    put32(&w, 100);
    bench_send(bench, &w);
    json = last_json(bench, "an options record");
    text = json_dumps(json, JSON_COMPACT);
    is_text(text, "{\"exporter\":\"198.18.0.113\",\"source_port\":4000,\"version\":9,\"domain\":5,\"template\":300,"
                  "\"sequence\":77,\"export_time\":\"2026-11-20T23:30:31.000Z\",\"kind\":\"options\",\"scope\":{"
                  "\"system\":9,\"interface\":3},\"record\":{\"samplingInterval\":100}}", "its head and scope");
    free(text);
    json_decref(json);
    bench_forget(bench);
    message_begin(&w, 10, 1, 3);
    put_options_template(&w, 301, 2, 5, (const uint32_t[]){346, 4, 303, 2, 339, 1, 344, 1, 341, 12});
    set_begin(&w, 301);
    put32(&w, 4242);
    put16(&w, 0x8007);
    put8(&w, 2);
    put8(&w, 0);
    put_text(&w, "myOwn", 12);
    bench_send(bench, &w);
    message_begin(&w, 10, 2, 3);
    put_template(&w, 256, 1, (const uint32_t[]){0x8007, 2, 4242});
    set_begin(&w, 256);
    put16(&w, 513);
    shows_record(bench, "{\"myOwn\":513}", "a name that the exporter told");
}

/* ---- the writer at every size ---- */

static void every_size(void)
{
    static const char *const names[] = {"first", "second", "third", "fourth", "fifth"};
    static char out[4096];
    unsigned wrong = 0, cut = 0;

    for (size_t size = document_least_bytes; size < 1500; size++) {
        struct document json;
        size_t length;
        json_t *parsed;

        memset(out, 'Z', sizeof(out));
        document_begin(&json, out, size);
        document_open(&json, NULL, '{');
        for (unsigned i = 0; i < 5; i++) {
            document_open(&json, names[i], '[');
            for (unsigned k = 0; k < 5; k++) {
                document_open(&json, NULL, '{');
                document_member_number(&json, "number", INT64_MAX);
                document_member_text(&json, "text", "quo\"ted");
                document_close(&json);
            }
            document_close(&json);
        }
        document_member_reserved(&json, "truncated", json.truncated);
        cut += json.truncated;
        length = document_end(&json);
        wrong += length >= size || out[length] != 0 || out[size] != 'Z';
        parsed = json_loads(out, JSON_REJECT_DUPLICATES, NULL);
        wrong += parsed == NULL || json_is_true(json_object_get(parsed, "truncated")) != json.truncated;
        json_decref(parsed);
    }
    is_u64(wrong, 0, "the writer is valid at every size");
    ok(cut > 100 && cut < 1300, "some were cut, some were not");
}

static void long_record(struct bench *bench)
{
    static const uint32_t fields[] = {1, 65535};
    json_t *json;

    message_begin(&w, 10, 1, 3);
    put_template(&w, 256, 1, fields);
    bench_send(bench, &w);
    message_begin(&w, 10, 1, 3);
    set_begin(&w, 256);
    put8(&w, 255);
    put16(&w, 60000);
    for (unsigned i = 0; i < 60000; i++)
        put8(&w, i);
    bench_send(bench, &w);
    json = last_json(bench, "a long field");
    is_u64(json_string_length(json_object_get(json_object_get(json, "record"), "octetDeltaCount")), 120000, "is whole");
    json_decref(json);
    bench_forget(bench);
    /* 60 000 records of one octet become more than the buffer holds */
    message_begin(&w, 10, 1, 3);
    put_template(&w, 401, FIELDS(4, 1));
    put_template(&w, 256, FIELDS(292, 65535, 8, 4));
    set_begin(&w, 256);
    put8(&w, 255);
    put16(&w, 60003);
    put8(&w, 3);
    put16(&w, 401);
    for (unsigned i = 0; i < 60000; i++)
        put8(&w, 200);
    put32(&w, 1);
    bench_send(bench, &w);
    json = last_json(bench, "too many records");
    ok(json_is_true(json_object_get(json, "truncated")), "are cut, and it is said");
    json_t *list = json_object_get(json_object_get(json, "record"), "subTemplateList");
    ok(json_array_size(json_object_get(list, "records")) > 30000, "what fits is there");
    json_decref(json);
    bench_forget(bench);
    message_begin(&w, 10, 1, 3);
    put_template(&w, 256, FIELDS(291, 65535));
    set_begin(&w, 256);
    put8(&w, 255);
    put16(&w, 60005);
    put8(&w, 3);
    put16(&w, 27);
    put16(&w, 65535);
    for (unsigned i = 0; i < 3529; i++) {
        put8(&w, 16);
        for (unsigned k = 0; k < 16; k++)
            put8(&w, 0x21);
    }
    put8(&w, 6);
    put_bytes(&w, "\1\1\1\1\1\1", 6);
    bench_send(bench, &w);
    json_decref(last_json(bench, "many addresses"));
    bench_forget(bench);
    /* every octet of a text becomes six */
    message_begin(&w, 10, 1, 3);
    put_template(&w, 256, FIELDS(82, 20000, 82, 20000, 82, 20000, 8, 4));
    set_begin(&w, 256);
    for (unsigned i = 0; i < 60000; i++)
        put8(&w, 1);
    put32(&w, 0x0a000001);
    bench_send(bench, &w);
    json = last_json(bench, "six for one");
    ok(json_object_get(json_object_get(json, "record"), "sourceIPv4Address") != NULL, "fits");
    json_decref(json);
    bench_forget(bench);
}

static void hostile(struct bench *bench)
{
    unsigned wrong = 0, records = 0;
    uint64_t random = 88172645463325252u;

    for (unsigned round = 0; round < 3000; round++) {
        message_begin(&w, 10, 1, 3);
        set_begin(&w, 2);
        put16(&w, 256);
        put16(&w, 6);
        for (unsigned i = 0; i < 6; i++) {
            random ^= random << 13, random ^= random >> 7, random ^= random << 17;
            put16(&w, random % 4 == 0 ? 291 + (unsigned)(random >> 8) % 3 : (unsigned)(random >> 8) % 512);
            put16(&w, random % 3 == 0 ? 65535 : (unsigned)(random >> 40) % 20);
        }
        set_begin(&w, 256);
        for (unsigned i = 0; i < 40; i++) {
            random ^= random << 13, random ^= random >> 7, random ^= random << 17;
            /* jansson's integers are signed */
            put64(&w, random & (i % 3 ? UINT64_C(0x7f7f7f7f7f7f7f7f) : UINT64_C(0x0303010003030100)));
        }
        bench_send(bench, &w);
        for (unsigned i = 0; i < bench->text_count; i++, records++) {
            json_t *json = json_loads(bench->texts[i], JSON_REJECT_DUPLICATES, NULL);

            wrong += json == NULL;
            if (json == NULL)
                printf("# %s\n", bench->texts[i]);
            json_decref(json);
        }
        bench_forget(bench);
    }
    ok(records > 3000, "random templates gave %u records", records);
    is_u64(wrong, 0, "all of them are valid JSON");
}

/* ---- templates ---- */

static void describe(void)
{
    struct error error;
    struct bench *bench = bench_new((struct netflow_options){.on_template = bench_text}, &error);
    static char out[1 << 16];
    unsigned wrong = 0;
    json_t *json, *exporter;
    size_t length;

    message_begin(&w, 9, 1, 7);
    put_options_template(&w, 300, 1, FIELDS(1, 4, 48, 1, 50, 4, 40, 4));
    put_template(&w, 256, FIELDS(8, 4, 82, 65535, 32767, 2));
    set_begin(&w, 300);
    put32(&w, 0);
    put8(&w, 3);
    put32(&w, 100);
    put32(&w, 12345);
    bench_send(bench, &w);
    is_u64(bench->text_count, 9, "two templates, line by line");
    is_text(bench->texts[5], "template 256 of 198.18.0.113 port 4000, version 9, domain 7: data, 3 fields, records "
                             "of at "
                             "least 7 octets", "a template's line");
    is_text(bench->texts[6], "     1 sourceIPv4Address                        field 0.8 length 4", "a field's line");
    ok(strstr(bench->texts[7], "length variable") != NULL, "variable length");
    ok(strstr(bench->texts[8], " 0.32767 ") != NULL, "an unknown element");
    ok(strstr(bench->texts[1], "system") != NULL && strstr(bench->texts[1], "scope 0.1 length 4") != NULL,
          "a scope field");

    length = netflow_describe(bench->netflow, test_arrival_ns, out, sizeof(out));
    is_u64(length, strlen(out), "the document's length");
    json = json_loads(out, JSON_REJECT_DUPLICATES, NULL);
    exporter = json_array_get(json_object_get(json, "exporters"), 0);
    ok(json_is_false(json_object_get(json, "truncated")), "whole");
    is_text(json_string_value(json_object_get(exporter, "exporter")), "198.18.0.113", "the exporter");
    is_u64((uint64_t)json_integer_value(json_object_get(exporter, "domain")), 7, "the domain");
    is_u64(json_array_size(json_object_get(exporter, "templates")), 2, "two templates");
    is_u64(json_array_size(json_object_get(exporter, "sampling")), 1, "a sampler");
    ok(json_number_value(json_object_get(json_array_get(json_object_get(exporter, "sampling"), 0), "rate")) == 100,
          "rate");
    is_u64((uint64_t)json_integer_value(json_object_get(json_object_get(exporter, "statistics"), "exported_octets")),
          12345,
           "its counters");
    json_decref(json);
    for (size_t size = 0; size < length + 10; size++) {
        memset(out, 'Z', length + 20);
        size_t got = netflow_describe(bench->netflow, test_arrival_ns, out, size);

        json = got == 0 ? NULL : json_loads(out, JSON_REJECT_DUPLICATES, NULL);
        wrong += (size > 2 && json == NULL) || (size > 0 && got >= size) || out[size] != 'Z';
        json_decref(json);
    }
    is_u64(wrong, 0, "the document is valid at every size");
    bench_free(bench);
}

int main(void)
{
    struct bench *bench = open_bench();

    numbers(bench);
    addresses_and_texts(bench);
    enterprises(bench);
    times(bench);
    lists(bench);
    bombs(bench);
    heads(bench);
    long_record(bench);
    hostile(bench);
    bench_free(bench);
    every_size();
    describe();
    return done_testing();
}
