/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Golden rows: lines as pmacct writes them for the same traffic, the two column orders, and what each option changes.
 * The formatted, CSV and client lines of `captured` were compared byte by byte with those of pmacct 1.7.7.
 */
#include "base/base.h"

#include "lib/tap.h"
#include "unit/plugins/encode_rows.h"

#include <math.h>

static void is_row(const struct rows *rows, const struct encode_options *options, const char *want, const char *name)
{
    char *got = rows_text(rows, options, NULL);

    is_text(got, want, "%s", name);
    free(got);
}

static void is_header(const struct rows *rows, const struct encode_options *options, const char *want, const char *name)
{
    char *got = rows_header(rows, options);

    is_text(got, want, "%s", name);
    free(got);
}

static void test_examples(void)
{
    struct rows rows;
    struct encode_options options = {.format = ENCODE_FORMATTED};

    rows_open(&rows, "dst_host");
    rows_put_address(&rows, FIELD_DST_HOST, "198.51.100.7");
    rows_put(&rows, FIELD_PACKETS, 5);
    rows_put(&rows, FIELD_BYTES, 304);
    is_header(&rows, &options, "DST_IP                                         PACKETS               BYTES\n",
              "5.1 header");
    is_row(&rows, &options, "198.51.100.7                                   5                     304\n", "5.1 row");
    options.format = ENCODE_EVENT_FORMATTED;
    is_header(&rows, &options, "DST_IP                                         \n", "event header keeps its padding");
    is_row(&rows, &options, "198.51.100.7                                   \n", "event row keeps its padding");
    options.format = ENCODE_EVENT_CSV;
    is_header(&rows, &options, "DST_IP\n", "event CSV header");
    is_row(&rows, &options, "198.51.100.7\n", "event CSV row");
    rows_close(&rows);

    rows_open(&rows, "src_host");
    options.format = ENCODE_CSV;
    rows_put_address(&rows, FIELD_SRC_HOST, "192.0.2.1");
    rows_put(&rows, FIELD_PACKETS, 12);
    rows_put(&rows, FIELD_BYTES, 6000);
    is_header(&rows, &options, "SRC_IP,PACKETS,BYTES\n", "5.2 header");
    is_row(&rows, &options, "192.0.2.1,12,6000\n", "5.2 row");
    rows_put(&rows, FIELD_BYTES, UINT64_MAX);
    is_row(&rows, &options, "192.0.2.1,12,18446744073709551615\n", "a counter has 64 unsigned bits");
    options.format = ENCODE_JSON;
    is_row(&rows, &options, "{\"ip_src\": \"192.0.2.1\", \"packets\": 12, \"bytes\": 18446744073709551615}\n",
           "JSON without an event type, all bits");
    rows_close(&rows);

    rows_open(&rows, "src_host, dst_port, tcpflags, proto");
    rows_put_address(&rows, FIELD_SRC_HOST, "192.0.2.1");
    rows_put(&rows, FIELD_DST_PORT, 443);
    rows_put(&rows, FIELD_TCPFLAGS, 24);
    rows_put(&rows, FIELD_PROTO, 6);
    rows_put(&rows, FIELD_PACKETS, 1000);
    rows_put(&rows, FIELD_BYTES, 1518000);
    options.event_type = "purge";
    is_row(&rows, &options,
           "{\"event_type\": \"purge\", \"ip_src\": \"192.0.2.1\", \"port_dst\": 443, \"tcp_flags\": 24, "
           "\"ip_proto\": \"tcp\", \"packets\": 1000, \"bytes\": 1518000}\n",
           "5.3 row");
    options.writer_id = "default_kafka/42";
    options.tcp_flags_string = true;
    options.protocols_as_numbers = true;
    is_row(&rows, &options,
           "{\"event_type\": \"purge\", \"ip_src\": \"192.0.2.1\", \"port_dst\": 443, \"tcp_flags\": \"24\", "
           "\"ip_proto\": \"6\", \"packets\": 1000, \"bytes\": 1518000, \"writer_id\": \"default_kafka/42\"}\n",
           "writer_id comes last; flags as a string; protocols as numbers");
    options.tcp_flags_array = true;
    options.writer_id = "a\"b\n";
    rows_put(&rows, FIELD_TCPFLAGS, 0xff);
    is_row(&rows, &options,
           "{\"event_type\": \"purge\", \"ip_src\": \"192.0.2.1\", \"port_dst\": 443, "
           "\"tcp_flags\": [\"CWR\", \"ECE\", \"URG\", \"ACK\", \"PSH\", \"RST\", \"SYN\", \"FIN\"], "
           "\"ip_proto\": \"6\", \"packets\": 1000, "
           "\"bytes\": 1518000, \"writer_id\": \"a\\\"b\\n\"}\n",
           "flags as an array, 64 and above too; writer_id is escaped");
    rows_put(&rows, FIELD_TCPFLAGS, 0);
    options.writer_id = NULL;
    is_row(&rows, &options,
           "{\"event_type\": \"purge\", \"ip_src\": \"192.0.2.1\", \"port_dst\": 443, \"tcp_flags\": [], "
           "\"ip_proto\": \"6\", \"packets\": 1000, \"bytes\": 1518000}\n",
           "no flags: an empty array");
    rows_close(&rows);
}

#define captured_fields                                                                                            \
    "cos,etype,src_mac,dst_mac,vlan,src_host,dst_host,proto,tos,src_port,dst_port,tcpflags,mpls_label_bottom,"      \
    "mpls_label_top,sampling_rate,tag,tag2,timestamp_arrival"

static void test_captured(void)
{
    struct rows rows;
    struct encode_options options = {.format = ENCODE_FORMATTED, .utc = true, .event_type = "purge"};

    rows_open(&rows, captured_fields);
    rows_put(&rows, FIELD_COS, 3);
    rows_put(&rows, FIELD_ETYPE, 0x800);
    rows_put(&rows, FIELD_SRC_MAC, UINT64_C(0x02aabbccdd01));
    rows_put(&rows, FIELD_DST_MAC, UINT64_C(0x0a1b2c3d4e5f));
    rows_put(&rows, FIELD_VLAN, 100);
    rows_put_address(&rows, FIELD_SRC_HOST, "192.0.2.1");
    rows_put_address(&rows, FIELD_DST_HOST, "198.51.100.7");
    rows_put(&rows, FIELD_PROTO, 6);
    rows_put(&rows, FIELD_TOS, 184);
    rows_put(&rows, FIELD_SRC_PORT, 40000);
    rows_put(&rows, FIELD_DST_PORT, 443);
    rows_put(&rows, FIELD_TCPFLAGS, 27);
    rows_put(&rows, FIELD_SAMPLING_RATE, 1);
    rows_put(&rows, FIELD_TIMESTAMP_ARRIVAL, UINT64_C(1795217431123000000));
    rows_put(&rows, FIELD_PACKETS, 1);
    rows_put(&rows, FIELD_BYTES, 40);
    is_header(&rows, &options,
              "TAG         TAG2        SRC_MAC            DST_MAC            VLAN   COS ETYPE  SRC_IP                  "
              "                       DST_IP                                         SRC_PORT  DST_PORT  TCP_FLAGS  "
              "PROTOCOL    TOS    SAMPLING_RATE MPLS_LABEL_TOP  MPLS_LABEL_BOTTOM  TIMESTAMP_ARRIVAL              "
              "PACKETS               BYTES\n",
              "formatted header");
    is_row(&rows, &options,
           "0           0           02:aa:bb:cc:dd:01  0a:1b:2c:3d:4e:5f  100    3   800    192.0.2.1                  "
           "                    198.51.100.7                                   40000     443       27         "
           "tcp         184    1             0               0                  2026-11-20 23:30:31.123000     "
           "1                     40\n",
           "formatted row");
    options.format = ENCODE_CSV;
    is_header(&rows, &options,
              "TAG,TAG2,SRC_MAC,DST_MAC,VLAN,COS,ETYPE,SRC_IP,DST_IP,SRC_PORT,DST_PORT,TCP_FLAGS,PROTOCOL,TOS,"
              "SAMPLING_RATE,MPLS_LABEL_TOP,MPLS_LABEL_BOTTOM,TIMESTAMP_ARRIVAL,PACKETS,BYTES\n",
              "CSV header");
    is_row(&rows, &options,
           "0,0,02:aa:bb:cc:dd:01,0a:1b:2c:3d:4e:5f,100,3,800,192.0.2.1,198.51.100.7,40000,443,27,tcp,184,1,0,0,"
           "2026-11-20 23:30:31.123000,1,40\n",
           "CSV row");
    options.format = ENCODE_JSON;
    is_row(&rows, &options,
           "{\"event_type\": \"purge\", \"tag\": 0, \"tag2\": 0, \"mac_src\": \"02:aa:bb:cc:dd:01\", \"mac_dst\": "
           "\"0a:1b:2c:3d:4e:5f\", \"vlan\": 100, \"cos\": 3, \"etype\": \"800\", \"ip_src\": \"192.0.2.1\", "
           "\"ip_dst\": \"198.51.100.7\", \"port_src\": 40000, \"port_dst\": 443, \"tcp_flags\": 27, \"ip_proto\": "
           "\"tcp\", \"tos\": 184, \"sampling_rate\": 1, \"mpls_label_top\": 0, \"mpls_label_bottom\": 0, "
           "\"timestamp_arrival\": \"2026-11-20 23:30:31.123000\", \"packets\": 1, \"bytes\": 40}\n",
           "JSON row");
    options.dialect = ENCODE_CLIENT;
    options.time_style = TIME_STYLE_RFC3339;
    is_row(&rows, &options,
           "{\"tag\": 0, \"tag2\": 0, \"mac_src\": \"02:aa:bb:cc:dd:01\", \"mac_dst\": "
           "\"0a:1b:2c:3d:4e:5f\", \"vlan\": 100, \"cos\": 3, \"etype\": \"800\", \"ip_src\": \"192.0.2.1\", "
           "\"ip_dst\": \"198.51.100.7\", \"port_src\": 40000, \"port_dst\": 443, \"tcp_flags\": \"27\", \"ip_proto\": "
           "\"tcp\", \"tos\": 184, \"sampling_rate\": 1, \"mpls_label_top\": 0, \"mpls_label_bottom\": 0, "
           "\"timestamp_arrival\": \"2026-11-20T23:30:31.123000Z\", \"packets\": 1, \"bytes\": 40}\n",
           "JSON row of the client");
    options.format = ENCODE_CSV;
    is_row(&rows, &options,
           "0,0,02:aa:bb:cc:dd:01,0a:1b:2c:3d:4e:5f,100,3,800,192.0.2.1,198.51.100.7,40000,443,27,tcp,184,1,0,0,"
           "2026-11-20T23:30:31.123000Z,1,40\n",
           "CSV row of the client");
    rows_close(&rows);
}

static void test_absent(void)
{
    struct rows rows;
    struct encode_options options = {.format = ENCODE_FORMATTED, .event_type = "purge"};

    rows_open(&rows, "src_as,dst_as,local_pref,med,src_local_pref,src_med,peer_src_as,peer_dst_as,peer_dst_ip,src_mask,"
                     "dst_mask,src_net,dst_net,src_roa,dst_roa");
    rows_put_address(&rows, FIELD_SRC_NET, "0.0.0.0");
    rows_put_address(&rows, FIELD_DST_NET, "::");
    rows_put(&rows, FIELD_PACKETS, 12);
    rows_put(&rows, FIELD_BYTES, 400);
    is_header(&rows, &options,
              "SRC_AS      DST_AS      PREF     SRC_PREF MED     SRC_MED SRC_ROA DST_ROA PEER_SRC_AS PEER_DST_AS "
              "PEER_DST_IP                                    SRC_NET                                        "
              "DST_NET                                        SRC_MASK  DST_MASK  PACKETS               BYTES\n",
              "formatted header of BGP fields");
    is_row(&rows, &options,
           "0           0           0        0        0       0       u       u       0           0           "
           "::                                             0.0.0.0                                        "
           "::                                             0         0         12                    400\n",
           "formatted row of absent BGP fields");
    options.format = ENCODE_JSON;
    is_row(&rows, &options,
           "{\"event_type\": \"purge\", \"as_src\": 0, \"as_dst\": 0, \"local_pref\": 0, \"med\": 0, "
           "\"roa_dst\": \"u\", \"peer_as_src\": 0, \"peer_as_dst\": 0, \"peer_ip_dst\": \"\", "
           "\"local_pref_src\": 0, \"med_src\": 0, "
           "\"roa_src\": \"u\", \"net_src\": \"0.0.0.0\", \"net_dst\": \"::\", \"mask_src\": 0, \"mask_dst\": 0, "
           "\"packets\": 12, \"bytes\": 400}\n",
           "JSON row of absent BGP fields");
    rows_close(&rows);

    rows_open(&rows, "class,as_path,src_as_path,std_comm,label,peer_src_ip,mpls_vpn_rd,in_cvlan,src_mac,etype,proto,"
                     "src_host_coords,timestamp_start,fwd_status");
    options.format = ENCODE_CSV;
    is_row(&rows, &options,
           ",unknown,00:00:00:00:00:00,0,0,,,,,0:0:0,0,0.000000,0.000000,0,0000-00-00 00:00:00.000000,0,0\n",
           "CSV row of absent values");
    options.format = ENCODE_JSON;
    is_row(&rows, &options,
           "{\"event_type\": \"purge\", \"label\": \"\", \"class\": \"unknown\", \"mac_src\": \"00:00:00:00:00:00\", "
           "\"cvlan_in\": 0, \"etype\": \"0\", \"comms\": \"\", \"as_path\": \"\", \"peer_ip_src\": \"\", "
           "\"as_path_src\": \"\", \"mpls_vpn_rd\": \"0:0:0\", \"mpls_vpn_rd_origin\": \"unknown\", \"lat_ip_src\": "
           "0.000000, \"lon_ip_src\": 0.000000, \"fwd_status\": \"0\", \"ip_proto\": \"0\", \"timestamp_start\": "
           "\"0000-00-00 00:00:00.000000\", \"packets\": 0, \"bytes\": 0}\n",
           "JSON row of absent values");
    options.dialect = ENCODE_CLIENT;
    options.utc = true;
    options.time_style = TIME_STYLE_RFC3339;
    is_row(&rows, &options,
           "{\"label\": \"\", \"class\": \"unknown\", \"mac_src\": \"00:00:00:00:00:00\", "
           "\"in_cvlan\": 0, \"etype\": \"0\", \"comms\": \"\", \"as_path\": \"\", \"peer_ip_src\": \"\", "
           "\"src_as_path\": \"\", \"mpls_vpn_rd\": \"0:0:0\", \"mpls_vpn_rd_origin\": \"unknown\", \"lat_ip_src\": "
           "0.000000, \"lon_ip_src\": 0.000000, \"fwd_status\": 0, \"ip_proto\": \"0\", \"timestamp_start\": "
           "\"1970-01-01T00:00:00.000000Z\", \"packets\": 0, \"bytes\": 0}\n",
           "JSON row of absent values, client's names");
    options.format = ENCODE_EVENT_FORMATTED;
    is_row(&rows, &options,
           "                        unknown           00:00:00:00:00:00  0         0      0                        "
           "^$                       ^$                       0                                              "
           "0:0:0               0           0.000000      0.000000      0          1970-01-01T00:00:00.000000Z    \n",
           "formatted row of absent values, client's texts");
    rows_close(&rows);
}

static void test_history(void)
{
    struct rows rows;
    struct field_set fields = {{0}};
    struct encode_options options = {.format = ENCODE_JSON, .utc = true, .event_type = "purge", .history = true,
                                     .purge_seconds = 1795224700};
    struct encoder *encoder;
    char out[4096];

    field_set_add(&fields, FIELD_SRC_HOST);
    field_set_add(&fields, FIELD_STAMP_INSERTED);
    field_set_add(&fields, FIELD_FLOWS);
    rows_open_set(&rows, &fields);
    rows_put_address(&rows, FIELD_SRC_HOST, "2001:db8::1");
    rows_put(&rows, FIELD_STAMP_INSERTED, 1795215600);
    rows_put(&rows, FIELD_PACKETS, 2);
    rows_put(&rows, FIELD_BYTES, 80);
    rows_put(&rows, FIELD_FLOWS, 1);
    is_row(&rows, &options,
           "{\"event_type\": \"purge\", \"ip_src\": \"2001:db8::1\", \"stamp_inserted\": \"2026-11-20 23:00:00\", "
           "\"stamp_updated\": \"2026-11-21 01:31:40\", \"flows\": 1, \"packets\": 2, \"bytes\": 80}\n",
           "stamps, flows before packets");
    options.time_style = TIME_STYLE_EPOCH;
    encoder = rows_encoder(&rows, &options);
    encoder_set_purge(encoder, 1795224711);
    out[encoder_row(encoder, rows.body, rows.intern, out)] = '\0';
    is_text(out,
            "{\"event_type\": \"purge\", \"ip_src\": \"2001:db8::1\", \"stamp_inserted\": \"1795215600\", "
            "\"stamp_updated\": \"1795224711\", \"flows\": 1, \"packets\": 2, \"bytes\": 80}\n",
            "stamps since the epoch are strings; a later purge changes stamp_updated");
    encoder_free(encoder);
    options.dialect = ENCODE_CLIENT;
    options.history = false;
    is_row(&rows, &options, "{\"ip_src\": \"2001:db8::1\", \"packets\": 2, \"flows\": 1, \"bytes\": 80}\n",
           "the client has flows between packets and bytes");
    options.format = ENCODE_CSV;
    options.dialect = ENCODE_PLUGIN;
    options.history = true;
    is_row(&rows, &options, "2001:db8::1,2,1,80\n", "no stamps in CSV");
    rows_close(&rows);
}

static void test_structures(void)
{
    struct rows rows;
    struct field_set fields = {{0}};
    struct encode_options options = {.format = ENCODE_JSON, .as_path_array = true, .communities_array = true,
                                     .mpls_stack_array = true, .label_map = true, .fwd_status_text = true};
    static const enum field_id ids[] = {FIELD_AS_PATH, FIELD_STD_COMM, FIELD_MPLS_LABEL_STACK, FIELD_LABEL,
                                        FIELD_SRV6_SEG_IPV6_LIST, FIELD_FWD_STATUS};

    for (unsigned i = 0; i < array_length(ids); i++)
        field_set_add(&fields, ids[i]);
    rows_open_set(&rows, &fields);
    is_row(&rows, &options,
           "{\"label\": {}, \"comms\": [], \"as_path\": [], \"fwd_status\": \"UNKNOWN Unclassified\", "
           "\"mpls_label_stack\": [], \"srv6_seg_ipv6_list\": [], \"packets\": 0, \"bytes\": 0}\n",
           "absent arrays and objects are empty");
    rows_put_string(&rows, FIELD_LABEL, "nkey%100.1,pkey%testing,,lone,nkey%2%3", 38);
    rows_put_string(&rows, FIELD_AS_PATH, "64496 65000_{1,2}", 17);
    rows_put_string(&rows, FIELD_STD_COMM, "64496:299_64496:\"1_", 19);
    rows_put_string(&rows, FIELD_MPLS_LABEL_STACK, "16059_80151", 11);
    rows_put_string(&rows, FIELD_SRV6_SEG_IPV6_LIST, "2001:db8::1,2001:db8::2", 23);
    rows_put(&rows, FIELD_FWD_STATUS, 64);
    is_row(&rows, &options,
           "{\"label\": {\"pkey\": \"testing\", \"lone\": \"\", \"nkey\": \"2%3\"}, "
           "\"comms\": [\"64496:299\", \"64496:\\\"1\"], \"as_path\": [\"64496\", \"65000\", \"{1,2}\"], "
           "\"fwd_status\": \"FORWARDED Unknown\", \"mpls_label_stack\": [\"0-16059\", \"1-80151\"], "
           "\"srv6_seg_ipv6_list\": [\"0-2001:db8::1\", \"1-2001:db8::2\"], \"packets\": 0, \"bytes\": 0}\n",
           "arrays, objects and words");
    options = (struct encode_options){.format = ENCODE_JSON};
    is_row(&rows, &options,
           "{\"label\": \"nkey%100.1,pkey%testing,,lone,nkey%2%3\", \"comms\": \"64496:299_64496:\\\"1_\", "
           "\"as_path\": \"64496 65000_{1,2}\", \"fwd_status\": \"64\", \"mpls_label_stack\": \"16059_80151\", "
           "\"srv6_seg_ipv6_list\": [\"0-2001:db8::1\", \"1-2001:db8::2\"], \"packets\": 0, \"bytes\": 0}\n",
           "the same as strings");
    rows_close(&rows);
}

static void test_status_words(void)
{
    static const struct {
        uint32_t status;
        const char *text;
    } cases[] = {
        {0, "UNKNOWN Unclassified"}, {1, "UNKNOWN 1"},           {66, "FORWARDED Not Fragmented"},
        {128, "DROPPED Unknown"},    {129, "DROPPED ACL deny"},  {133, "DROPPED Fragmentation and DF set"},
        {143, "DROPPED Hardware"},   {191, "DROPPED 63"},        {194, "CONSUMED Terminate Incomplete Adjacency"},
        {195, "CONSUMED For us"},    {4294967295u, "4294967295"},
    };
    struct encode_options options = {.format = ENCODE_JSON, .fwd_status_text = true};
    struct rows rows;

    rows_open(&rows, "fwd_status");
    for (unsigned i = 0; i < array_length(cases); i++) {
        char want[128];

        rows_put(&rows, FIELD_FWD_STATUS, cases[i].status);
        snprintf(want, sizeof(want), "{\"fwd_status\": \"%s\", \"packets\": 0, \"bytes\": 0}\n", cases[i].text);
        is_row(&rows, &options, want, cases[i].text);
    }
    rows_close(&rows);
}

static void test_distinguishers(void)
{
    static const struct {
        uint64_t rd;
        const char *text;
    } cases[] = {
        {UINT64_C(0x0000fdf200000037), "0:65010:55"},
        {UINT64_C(0x0001c00002010005), "1:192.0.2.1:5"},
        {UINT64_C(0x0002fa56ea000001), "2:4200000000:1"},
        {0, "0:0:0"},
    };
    struct encode_options options = {.format = ENCODE_CSV};
    struct rows rows;

    rows_open(&rows, "mpls_vpn_rd");
    for (unsigned i = 0; i < array_length(cases); i++) {
        char want[64];

        rows_put(&rows, FIELD_MPLS_VPN_RD, cases[i].rd);
        snprintf(want, sizeof(want), "%s,0,0\n", cases[i].text);
        is_row(&rows, &options, want, cases[i].text);
    }
    rows_close(&rows);
}

static void test_reals(void)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {52.520008, "52.520008"}, {-0.0000004, "0.000000"}, {-179.9999999, "-180.000000"},
        {1e300, "1.000000e+300"}, {(double)INFINITY, "0.000000"}, {-999999999999.25, "-999999999999.250000"},
    };
    struct encode_options options = {.format = ENCODE_EVENT_CSV};
    struct rows rows;

    rows_open(&rows, "src_host_coords");
    for (unsigned i = 0; i < array_length(cases); i++) {
        char want[64];

        rows_put_bytes(&rows, FIELD_SRC_HOST_LAT, &cases[i].value, 8);
        snprintf(want, sizeof(want), "%s,0.000000\n", cases[i].text);
        is_row(&rows, &options, want, cases[i].text);
    }
    rows_close(&rows);
}

static void test_separators(void)
{
    struct encode_options options = {.format = ENCODE_CSV, .separator = ' ', .utc = true};
    struct error error;
    struct rows rows;

    rows_open(&rows, "src_host, timestamp_start, label, dst_host");
    rows_put_address(&rows, FIELD_SRC_HOST, "192.0.2.1");
    rows_put(&rows, FIELD_TIMESTAMP_START, UINT64_C(1795217431123000000));
    rows_put_string(&rows, FIELD_LABEL, "a b;c\td", 7);
    is_row(&rows, &options, "\"a b;c\td\" 192.0.2.1  \"2026-11-20 23:30:31.123000\" 0 0\n", "a blank separates");
    options.separator = '\t';
    is_row(&rows, &options, "\"a b;c\td\"\t192.0.2.1\t\t2026-11-20 23:30:31.123000\t0\t0\n", "a tab separates");
    options.separator = ';';
    is_row(&rows, &options, "\"a b;c\td\";192.0.2.1;;2026-11-20 23:30:31.123000;0;0\n", "a semicolon separates");
    options.separator = '.';
    is_row(&rows, &options, "a b;c\td.\"192.0.2.1\"..\"2026-11-20 23:30:31.123000\".0.0\n", "a dot separates");
    options.separator = '0';
    is_row(&rows, &options, "a b;c\td0\"192.0.2.1\"00\"2026-11-20 23:30:31.123000\"0\"0\"0\"0\"\n",
           "a digit separates");
    options.separator = '_';
    is_header(&rows, &options, "LABEL_\"SRC_IP\"_\"DST_IP\"_\"TIMESTAMP_START\"_PACKETS_BYTES\n",
              "titles are quoted, too");
    options.separator = '"';
    ok(!encoder_new(&rows.layout, &options, &error) && error.text[0] != '\0', "a quote cannot separate");
    rows_close(&rows);
}

static const char json_order[] =
    "tag tag2 label class tls_sni dns_name mac_src mac_dst vlan vlan_in vlan_out cvlan_in cvlan_out cos etype as_src "
    "as_dst comms ecomms lcomms as_path local_pref med roa_dst peer_as_src peer_as_dst peer_ip_src "
    "transport_ip_src peer_ip_dst ip_next_hop "
    "comms_src ecomms_src lcomms_src as_path_src local_pref_src med_src roa_src iface_in iface_out mpls_vpn_rd "
    "mpls_vpn_rd_origin mpls_pw_id ip_src net_src ip_dst net_dst mask_src mask_dst port_src port_dst country_ip_src "
    "country_ip_dst pocode_ip_src pocode_ip_dst lat_ip_src lon_ip_src lat_ip_dst lon_ip_dst as_name_src as_name_dst "
    "tcp_flags fwd_status "
    "drop_reason mpls_label_stack srv6_seg_ipv6_list path_delay_avg_usec path_delay_min_usec path_delay_max_usec "
    "ip_proto tos flow_label sampling_rate sampling_direction post_nat_ip_src post_nat_ip_dst post_nat_port_src "
    "post_nat_port_dst nat_event fw_event mpls_label_top mpls_label_bottom tunnel_mac_src tunnel_mac_dst tunnel_ip_src "
    "tunnel_ip_dst tunnel_ip_proto tunnel_tos tunnel_flow_label tunnel_port_src tunnel_port_dst tunnel_tcp_flags vxlan "
    "nvgre timestamp_start timestamp_end timestamp_arrival timestamp_min timestamp_max export_proto_seqno "
    "export_proto_version export_proto_sysid timestamp_export stamp_inserted stamp_updated flows vrf_name "
    "ingress_vrf_name ingress_vrf_id egress_vrf_name egress_vrf_id iface_name_in iface_name_out "
    "packets bytes writer_id";

static const char csv_order[] =
    "TAG,TAG2,LABEL,CLASS,SRC_MAC,DST_MAC,VLAN,IN_VLAN,OUT_VLAN,IN_CVLAN,OUT_CVLAN,COS,ETYPE,SRC_AS,DST_AS,"
    "COMMS,"
    "ECOMMS,LCOMMS,SRC_COMMS,SRC_ECOMMS,SRC_LCOMMS,AS_PATH,SRC_AS_PATH,PREF,SRC_PREF,MED,SRC_MED,SRC_ROA,"
    "DST_ROA,PEER_SRC_AS,"
    "PEER_DST_AS,PEER_SRC_IP,TRANSPORT_SRC_IP,PEER_DST_IP,IP_NEXT_HOP,IN_IFACE,OUT_IFACE,"
    "MPLS_VPN_RD,MPLS_PW_ID,VRF_NAME,"
    "INGRESS_VRF_NAME,INGRESS_VRF_ID,EGRESS_VRF_NAME,EGRESS_VRF_ID,IN_IFACE_NAME,OUT_IFACE_NAME,SRC_IP,SRC_NET,"
    "DST_IP,DST_NET,SRC_MASK,DST_MASK,"
    "SRC_PORT,DST_PORT,TCP_FLAGS,PROTOCOL,TOS,FLOW_LABEL,SH_COUNTRY,DH_COUNTRY,SH_POCODE,DH_POCODE,SH_LAT,SH_LON,"
    "DH_LAT,DH_LON,SRC_AS_NAME,DST_AS_NAME,SAMPLING_RATE,SAMPLING_DIRECTION,POST_NAT_SRC_IP,POST_NAT_DST_IP,"
    "POST_NAT_SRC_PORT,POST_NAT_DST_PORT,"
    "NAT_EVENT,FW_EVENT,FWD_STATUS,DROP_REASON,TLS_SNI,DNS_NAME,MPLS_LABEL_TOP,MPLS_LABEL_BOTTOM,MPLS_LABEL_STACK,"
    "TUNNEL_SRC_MAC,"
    "TUNNEL_DST_MAC,TUNNEL_SRC_IP,TUNNEL_DST_IP,TUNNEL_PROTOCOL,TUNNEL_TOS,TUNNEL_FLOW_LABEL,TUNNEL_SRC_PORT,"
    "TUNNEL_DST_PORT,TUNNEL_TCP_FLAGS,VXLAN,NVGRE,TIMESTAMP_START,TIMESTAMP_END,TIMESTAMP_ARRIVAL,TIMESTAMP_EXPORT,"
    "TIMESTAMP_MIN,TIMESTAMP_MAX,EXPORT_PROTO_SEQNO,EXPORT_PROTO_VERSION,EXPORT_PROTO_SYSID,PATH_DELAY_AVG_USEC,"
    "PATH_DELAY_MIN_USEC,PATH_DELAY_MAX_USEC,PACKETS,FLOWS,BYTES\n";

/* The names of a row's members, joined by blanks. */
static void json_names(const char *row, char *out)
{
    const char *at = row, *between = "";

    while ((at = strstr(at, "\": ")) != NULL) {
        const char *start = at;

        while (start[-1] != '"')
            start--;
        out += snprintf(out, 64, "%s%.*s", between, (int)(at - start), start);
        between = " ";
        at += 3;
    }
}

static void test_orders(void)
{
    struct rows rows;
    struct field_set fields = {{0}};
    struct encode_options options = {.format = ENCODE_JSON, .history = true, .writer_id = "w"};
    char names[8192], *row, *all, *some;

    for (unsigned id = 0; id < FIELD_COUNT; id++)
        if (field_table[id].type != FIELD_TYPE_CUSTOM)
            field_set_add(&fields, (enum field_id)id);
    rows_open_set(&rows, &fields);
    rows_put(&rows, FIELD_PACKETS, 1); /* else it were an event's, without counters */
    row = rows_text(&rows, &options, NULL);
    json_names(row, names);
    is_text(names, json_order, "order of the members in JSON");
    free(row);
    options.format = ENCODE_CSV;
    is_header(&rows, &options, csv_order, "order of the columns in CSV");
    options.dialect = ENCODE_CLIENT;
    all = rows_header(&rows, &options);
    ok(strncmp(all, "TAG,TAG2,LABEL,CLASS,IN_IFACE,OUT_IFACE,SRC_MAC,DST_MAC,", 56) == 0 &&
           strstr(all, "PEER_DST_IP,IP_NEXT_HOP,MPLS_VPN_RD,"),
       "the client has the interfaces behind the class");
    rows_close(&rows);

    rows_open(&rows, "src_host");
    options.all_columns = true;
    options.history = false;
    some = rows_header(&rows, &options);
    is_text(some, all, "all columns, whatever is aggregated");
    free(some);
    free(all);
    options.utc = true;
    options.format = ENCODE_CSV;
    rows_put_address(&rows, FIELD_SRC_HOST, "fe80::1");
    is_row(&rows, &options,
           "0,0,,unknown,0,0,00:00:00:00:00:00,00:00:00:00:00:00,0,0,0,0,0,0,0,0,0,,,,,,,,,0,0,0,0,u,u,0,0,,,,,0:0:0,0,"
           ",,0,,0,,,fe80::1,,,,0,0,0,0,0,0,0,0,,,,,0.000000,0.000000,0.000000,0.000000,,,0,u,,,0,0,0,0,0,,,,0,0,,"
           "00:00:00:00:00:00,00:00:00:00:00:00,,,0,0,0,0,0,0,0,0,0000-00-00 00:00:00.000000,"
           "0000-00-00 00:00:00.000000,0000-00-00 00:00:00.000000,0000-00-00 00:00:00.000000,"
           "0000-00-00 00:00:00.000000,0000-00-00 00:00:00.000000,0,0,0,0,0,0,0,0,0\n",
           "columns without a value in the layout");
    options.format = ENCODE_JSON;
    options.writer_id = NULL;
    is_row(&rows, &options, "{\"ip_src\": \"fe80::1\", \"packets\": 0, \"bytes\": 0}\n", "JSON has only what there is");
    rows_close(&rows);
}

static void test_times(void)
{
    struct rows rows;
    struct encode_options options = {.format = ENCODE_EVENT_CSV, .utc = false};

    setenv("TZ", "Asia/Kolkata", 1);
    time_zone_reload();
    rows_open(&rows, "timestamp_start");
    rows_put(&rows, FIELD_TIMESTAMP_START, UINT64_C(1795217431123456789));
    is_row(&rows, &options, "2026-11-21 05:00:31.123456\n", "local time");
    options.seconds_only = true;
    is_row(&rows, &options, "2026-11-21 05:00:31\n", "whole seconds");
    options.time_style = TIME_STYLE_RFC3339;
    is_row(&rows, &options, "2026-11-21T05:00:31+05:30\n", "RFC 3339, local");
    options.utc = true;
    options.seconds_only = false;
    is_row(&rows, &options, "2026-11-20T23:30:31.123456+00:00\n", "RFC 3339, UTC");
    options.dialect = ENCODE_CLIENT;
    is_row(&rows, &options, "2026-11-20T23:30:31.123456Z\n", "the client's Z");
    options.utc = false;
    is_row(&rows, &options, "2026-11-21T05:00:31.123456+05:30\n", "the client in local time");
    options.time_style = TIME_STYLE_EPOCH;
    is_row(&rows, &options, "1795217431.123456\n", "since the epoch");
    options.seconds_only = true;
    is_row(&rows, &options, "1795217431\n", "since the epoch, whole seconds");
    rows_close(&rows);
}

int main(void)
{
    plan_none();
    setenv("TZ", "UTC", 1);
    time_zone_reload();
    test_examples();
    test_captured();
    test_absent();
    test_history();
    test_structures();
    test_status_words();
    test_distinguishers();
    test_reals();
    test_separators();
    test_orders();
    test_times();
    return done_testing();
}
