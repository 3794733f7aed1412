/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Custom primitives and elements all the way: a flow, its record, the fold, and rows as the outputs write them. Values
 * of a primitives file are strings in JSON whatever they are; those of elements have the type of the element.
 */
#include "base/base.h"

#include "flow/custom.h"
#include "lib/tap.h"
#include "plugins/common/fold.h"
#include "unit/plugins/encode_rows.h"

#include <unistd.h>

static _Alignas(8) uint8_t record[16384];

/* The rows of a flow: compiled for `list`, projected and folded. */
static void rows_of(struct rows *rows, const struct flow *flow, const char *list)
{
    struct fold_options options = {.dscp = false};
    struct fold fold;
    size_t bytes;

    rows_open(rows, list);
    bytes = layout_project(&rows->layout, flow, 0, record);
    fold_init(&fold, &rows->layout, &options);
    fold_run(&fold, record, bytes, rows->intern, rows->body);
}

static void is_row(const struct rows *rows, const struct encode_options *options, const char *want, const char *name)
{
    char *row = rows_text(rows, options, NULL);

    is_text(row, want, "%s", name);
    free(row);
}

static void write_file(char *path)
{
    static const char text[] = "name=tuple_mtu field_type=43874:9 len=2 semantics=u_int\n"
                               "name=dns_id field_type=9:77 len=2 semantics=hex\n"
                               "name=inside field_type=9:78 len=4 semantics=ip\n"
                               "name=station field_type=365 len=6 semantics=mac\n"
                               "name=vrf_text field_type=236 len=vlen semantics=str\n"
                               "name=stack field_type=70 len=3 semantics=raw\n";
    int fd = mkstemp(path);

    if (fd < 0 || write(fd, text, sizeof(text) - 1) != (ssize_t)sizeof(text) - 1)
        rows_give_up("cannot write the primitives file");
    close(fd);
}

static void check_file(void)
{
    static const char json[] =
        "{\"port_src\": 443, \"tuple_mtu\": \"1500\", \"dns_id\": \"beef\", \"inside\": \"10.0.0.1\", "
        "\"station\": \"02:00:00:5e:10:02\", \"vrf_text\": \"a \\\"b\\\"\", \"stack\": \"01-23-EF\", "
        "\"packets\": 2, \"bytes\": 80}\n";
    static const uint8_t octets[4] = {10, 0, 0, 1};
    struct encode_options options = {.format = ENCODE_JSON};
    char path[] = "/tmp/flowledger-encode-XXXXXX", *header;
    struct address address;
    struct error error;
    struct flow flow;
    struct rows rows;

    write_file(path);
    custom_fields_start(DAEMON_NFACCTD);
    ok(custom_fields_load(path, &error) == 0, "a primitives file");
    unlink(path);
    flow_clear(&flow);
    address_set_ipv4(&address, octets);
    flow_set_src_port(&flow, 443);
    flow_set_packets(&flow, 2);
    flow_set_bytes(&flow, 80);
    flow_set_custom_number(&flow, FIELD_CUSTOM_0, 1500);
    flow_set_custom_number(&flow, FIELD_CUSTOM_1, 0xbeef);
    flow_set_custom_address(&flow, FIELD_CUSTOM_2, &address);
    flow_set_custom_number(&flow, FIELD_CUSTOM_3, UINT64_C(0x0200005e1002));
    flow_set_custom_span(&flow, FIELD_CUSTOM_4, "a \"b\"", 5);
    flow_set_custom_span(&flow, FIELD_CUSTOM_5, "\x01\x23\xef", 3);
    rows_of(&rows, &flow, "src_port,TUPLE_MTU,dns_id,inside,station,vrf_text,stack");
    is_row(&rows, &options, json, "JSON: strings, as pmacct has them");
    options.dialect = ENCODE_CLIENT;
    is_row(&rows, &options, json, "the client, too");
    options = (struct encode_options){.format = ENCODE_CSV};
    is_row(&rows, &options, "443,1500,beef,10.0.0.1,02:00:00:5e:10:02,\"a \"\"b\"\"\",01-23-EF,2,80\n", "CSV");
    header = rows_header(&rows, &options);
    is_text(header, "SRC_PORT,tuple_mtu,dns_id,inside,station,vrf_text,stack,PACKETS,BYTES\n",
            "its header has the names");
    free(header);
    options.format = ENCODE_FORMATTED;
    header = rows_header(&rows, &options);
    ok(strncmp(header, "SRC_PORT  tuple_mtu             dns_id                inside   ", 63) == 0, "columns");
    free(header);
    rows_close(&rows);
    flow_clear(&flow);
    flow_set_packets(&flow, 1);
    flow_set_bytes(&flow, 40);
    rows_of(&rows, &flow, "tuple_mtu,dns_id,inside,vrf_text,stack");
    options.format = ENCODE_JSON;
    is_row(&rows, &options,
           "{\"tuple_mtu\": \"0\", \"dns_id\": \"0\", \"inside\": \"\", \"vrf_text\": \"\", \"stack\": \"\", "
           "\"packets\": 1, \"bytes\": 40}\n",
           "a flow without them");
    rows_close(&rows);
}

static void check_elements(void)
{
    struct encode_options options = {.format = ENCODE_JSON, .utc = true};
    struct flow flow;
    struct rows rows;

    custom_fields_start(DAEMON_NFACCTD);
    rows_open(&rows, "ingressVRFID,mibObjectValueInteger,samplingProbability,dataRecordsReliability,applicationId,"
                     "observationTimeMilliseconds,aaaUsername");
    rows_close(&rows);
    flow_clear(&flow);
    flow_set_src_port(&flow, 443);
    flow_set_packets(&flow, 2);
    flow_set_bytes(&flow, 80);
    flow_set_custom_number(&flow, FIELD_CUSTOM_0, 77);
    flow_set_custom_number(&flow, FIELD_CUSTOM_1, (uint64_t)-5);
    flow_set_custom_real(&flow, FIELD_CUSTOM_2, 0.5);
    flow_set_custom_number(&flow, FIELD_CUSTOM_3, 1);
    flow_set_custom_span(&flow, FIELD_CUSTOM_4, "\x03\0\0\x50", 4);
    flow_set_custom_number(&flow, FIELD_CUSTOM_5, UINT64_C(1795217431123456789));
    flow_set_custom_span(&flow, FIELD_CUSTOM_6, "anna", 4);
    rows_of(&rows, &flow, "ingressVRFID,mibObjectValueInteger,samplingProbability,dataRecordsReliability,applicationId,"
                          "observationTimeMilliseconds,aaaUsername");
    is_row(&rows, &options,
           "{\"ingressVRFID\": 77, \"mibObjectValueInteger\": -5, \"samplingProbability\": 0.500000, "
           "\"dataRecordsReliability\": true, \"applicationId\": \"03-00-00-50\", \"observationTimeMilliseconds\": "
           "\"2026-11-20 23:30:31.123456\", \"aaaUsername\": \"anna\", \"packets\": 2, \"bytes\": 80}\n",
           "elements have the types of JSON");
    rows_close(&rows);
    options.history = true;
    rows_of(&rows, &flow, "ingressVRFID,export_proto_seqno,flows,timestamp_export");
    options.history = false;
    is_row(&rows, &options,
           "{\"export_proto_seqno\": 0, \"timestamp_export\": \"0000-00-00 00:00:00.000000\", \"ingressVRFID\": 77, "
           "\"flows\": 0, \"packets\": 2, \"bytes\": 80}\n",
           "behind timestamp_export, before flows");
    rows_close(&rows);
}

static void check_long_name(void)
{
    struct custom_field row = {.element = 1, .semantics = CUSTOM_HEXADECIMAL};
    struct encode_options options = {.format = ENCODE_JSON};
    struct error error;
    struct flow flow;
    struct rows rows;
    char want[256];

    custom_fields_start(DAEMON_NFACCTD);
    memset(row.name, 'n', custom_name_max);
    ok(custom_field_add(&row, &error) == 0, "the longest name");
    flow_clear(&flow);
    flow_set_packets(&flow, 1);
    flow_set_bytes(&flow, 2);
    flow_set_custom_number(&flow, FIELD_CUSTOM_0, UINT64_MAX);
    rows_of(&rows, &flow, row.name);
    snprintf(want, sizeof(want), "{\"%s\": \"ffffffffffffffff\", \"packets\": 1, \"bytes\": 2}\n", row.name);
    is_row(&rows, &options, want, "fits into a row");
    rows_close(&rows);
}

int main(void)
{
    plan_none();
    check_file();
    check_elements();
    check_long_name();
    return done_testing();
}
