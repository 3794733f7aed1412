/* SPDX-License-Identifier: BSD-2-Clause */
/* links: src/client */
/* -c and DATA become a request that the server reads back: every type of value, wildcards, files, refusals. */
#include "client/data.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cursor.h"
#include "flow/custom.h"
#include "tests/lib/tap.h"

static struct error error;

/* The values of the request, as hexadecimal words joined by blanks; "*" for any; or the phrase of the failure. */
static const char *values(const char *fields, const char *data)
{
    static char text[1024];
    struct query_match match;
    size_t bytes, length = 0;
    uint8_t *body;

    error.text[0] = '\0';
    body = data_request(fields, data, true, &bytes, &error);
    if (body == NULL)
        return error.text;
    if (query_match_read(&match, body, bytes, &error) < 0) {
        query_match_free(&match);
        free(body);
        return error.text;
    }
    text[0] = '\0';
    for (unsigned i = 0; i < match.query_count * match.field_count; i++) {
        const struct query_value *value = &match.values[i];
        struct cursor c = cursor_over(value->bytes, value->length == query_any ? 0 : value->length);

        if (value->length == query_any)
            length += (size_t)snprintf(text + length, sizeof(text) - length, "* ");
        else if (field_table[match.fields[i % match.field_count]].type == FIELD_TYPE_STRING)
            length += (size_t)snprintf(text + length, sizeof(text) - length, "'%.*s' ", (int)value->length,
                                       (const char *)value->bytes);
        else if (value->length == 16) {
            unsigned long long high = cursor_be64(&c), low = cursor_be64(&c);

            length += (size_t)snprintf(text + length, sizeof(text) - length, "%llx:%llx ", high, low);
        } else
            length += (size_t)snprintf(text + length, sizeof(text) - length, "%llu ",
                                       (unsigned long long)cursor_be64(&c));
    }
    query_match_free(&match);
    free(body);
    return text;
}

static void test_types(void)
{
    static const struct {
        const char *fields, *data, *want;
    } rows[] = {
        {"src_host", "10.0.0.1", "0:ffff0a000001 "},
        {"src_host", "2001:db8::1", "20010db800000000:1 "},
        {"src_host", "0", "0:0 "},
        {"sum_host", "10.0.0.1", "0:ffff0a000001 "},
        {"src_port,dst_port", "80,*", "80 * "},
        {"src_port", "80;443", "80 443 "},
        {"proto", "tcp;17", "6 17 "},
        {"tunnel_protocol", "udp", "17 "},
        {"src_mac", "00:01:02:03:04:05", "4328719365 "},
        {"etype", "86dd", "34525 "},
        {"class", "web browsing", "'web_browsing' "},
        {"as_path", "^$", "'' "},
        {"as_path", "3356_64999", "'3356_64999' "},
        {"std_comm,src_port", "0,1", "'' 1 "},
        {"mpls_vpn_rd", "0:65010:55", "279215823913015 "},
        {"mpls_vpn_rd", "1:192.0.2.1:5", "492581242863621 "},
        {"timestamp_start", "2026-11-20T23:30:31.123", "1795217431123000000 "},
        {"tag2,sampling_direction", "7,i", "7 105 "},
        {"src_host_coords", "1:2", "4607182418800017408 4611686018427387904 "},
        {"src_host_coords,src_port", "*,3", "* * 3 "},
        {"src_host , src_port", "*,3", "* 3 "},
        {"foo", "1", "ERROR: unknown primitive 'foo'"},
        {"label", "1", "ERROR: label: cannot be matched"},
        {"src_host", "xx", "ERROR: src_host: Invalid IP address: 'xx'"},
        {"proto", "foo", "ERROR: invalid protocol: 'foo'"},
        {"src_port", "99999", "ERROR: src_port: Invalid number: '99999'"},
        {"src_port", "-1", "ERROR: src_port: Invalid number: '-1'"},
        {"src_port", "1,2", "ERROR: a query of more values than -c has primitives"},
        {"src_port,dst_port", "1", "ERROR: a query of fewer values than -c has primitives"},
        {"src_mac", "1:2", "ERROR: src_mac: Invalid MAC address: '1:2'"},
        {"mpls_vpn_rd", "3:1:1", "ERROR: mpls_vpn_rd: Invalid route distinguisher: '3:1:1'"},
        {"timestamp_start", "yesterday", "ERROR: timestamp_start: Invalid timestamp: 'yesterday'"},
        {"src_port", "file:/nonexistent", "ERROR: file '/nonexistent' not found"},
        {"src_port", "", "ERROR: no query given"},
    };

    for (unsigned i = 0; i < array_length(rows); i++)
        is_text(values(rows[i].fields, rows[i].data), rows[i].want, "%s: %s", rows[i].fields, rows[i].data);
}

static void test_file(void)
{
    char path[] = "/tmp/test_data.XXXXXX", argument[64];
    int fd = mkstemp(path);
    FILE *file = fdopen(fd, "w");

    fputs("! ports\n80\n\n443\r\n*\n", file);
    fclose(file);
    snprintf(argument, sizeof(argument), "file:%s", path);
    is_text(values("src_port", argument), "80 443 * ", "a file of queries");
    unlink(path);
}

/* Names that only the daemon knows, learnt from its layout. */
static void test_own(void)
{
    ok(!data_fields_known("src_host,itsCount"), "a name that is not known");
    custom_field_learn("itsCount", 8, FIELD_TYPE_I64);
    custom_field_learn("its_mask", 8, FIELD_TYPE_HEXADECIMAL);
    custom_field_learn("itsFlag", 7, FIELD_TYPE_BOOLEAN);
    ok(data_fields_known("src_host,itscount,its_mask"), "once learnt, it is, however it is written");
    is_text(values("itsCount", "12;-1;*"), "12 18446744073709551615 * ", "signed numbers");
    is_text(values("itscount", "-9223372036854775808"), "9223372036854775808 ", "down to the least");
    is_text(values("itscount", "9223372036854775808"), "ERROR: itscount: Invalid number: '9223372036854775808'",
            "up to the greatest");
    is_text(values("itscount", "--1"), "ERROR: itscount: Invalid number: '--1'", "with one sign");
    is_text(values("its_mask", "ff00"), "65280 ", "hexadecimal numbers");
    is_text(values("itsFlag", "true;false"), "1 2 ", "truths as they are on the wire");
    is_text(values("itsFlag", "1"), "ERROR: itsFlag: Invalid true or false: '1'", "and nothing else");
}

static void test_bounds(void)
{
    static char many[queries_max * 3 + 16];
    size_t length = 0, bytes;
    uint8_t *body;

    for (unsigned i = 0; i < queries_max; i++, length += 2)
        memcpy(many + length, "1;", 2);
    error.text[0] = '\0';
    body = data_request("src_port", many, true, &bytes, &error);
    ok(body != NULL, "%d queries at once", queries_max);
    free(body);
    memcpy(many + length, "1;", 3);
    ok(data_request("src_port", many, true, &bytes, &error) == NULL, "one more: %s", error.text);
}

int main(void)
{
    plan_none();
    test_types();
    test_file();
    test_bounds();
    test_own();
    return done_testing();
}
