/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Custom primitives: a primitives file is read whole or not at all, every mistake is told with its line, elements
 * become fields by their names, and a custom field travels from a flow to a record as its type says.
 */
#include "flow/custom.h"
#include "flow/layout.h"
#include "lib/tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char path[] = "/tmp/flowledger-custom-XXXXXX";

static int load(const char *text, struct error *error)
{
    FILE *file = fopen(path, "w");

    fputs(text, file);
    fclose(file);
    error->text[0] = '\0';
    return custom_fields_load(path, error);
}

static void check_file(void)
{
    const struct custom_field *row;
    struct error error;

    custom_fields_start(DAEMON_NFACCTD);
    ok(load("! a comment\n"
            "# another\n"
            "\n"
            "name=MTU_out   field_type=43874:9  len=2     semantics=u_int ! and one behind\n"
            "  semantics=str len=vlen field_type=236 name=vrfname\t\r\n"
            "name=stack1 field_type=70 len=3 semantics=raw\n"
            "name=stack2 field_type=70 len=3 semantics=raw\n"
            "name=stack3 field_type=0:70 len=vlen semantics=raw\n"
            "name=ip4 field_type=225 len=4 semantics=ip\n"
            "name=ip6 field_type=281 len=16 semantics=ip\n"
            "name=station field_type=365 len=6 semantics=mac\n"
            "name=asa field_type=33002 len=2 semantics=hex",
            &error) == 0,
       "a file with every kind of row %s", error.text);
    is_u64(custom_field_count(), 9, "nine rows");
    row = custom_field_at(0);
    ok(row->field == FIELD_CUSTOM_0 && row->enterprise == 43874 && row->element == 9 && row->length == 2 &&
           row->semantics == CUSTOM_UNSIGNED && row->occurrence == 0 && !row->by_name,
       "enterprise, element, length, semantics");
    is_text(row->name, "mtu_out", "names are in lower case");
    ok(custom_field_at(1)->length == 0 && custom_field_at(1)->semantics == CUSTOM_TEXT, "vlen is any length");
    ok(custom_field_at(2)->occurrence == 0 && custom_field_at(3)->occurrence == 1 &&
           custom_field_at(4)->occurrence == 2,
       "lines with one element are its copies in order");
    ok(custom_field_by_name("STACK2") == custom_field_at(3) && custom_field_by_name("stack9") == NULL, "by name");
    ok(field_find("vrfname") == FIELD_CUSTOM_1 && field_table[FIELD_CUSTOM_1].daemons == DAEMON_NFACCTD &&
           strcmp(field_table[FIELD_CUSTOM_1].title, "vrfname") == 0,
       "a row is a field of nfacctd");
    ok(field_table[FIELD_CUSTOM_0].type == FIELD_TYPE_U64_TEXT &&
           field_table[FIELD_CUSTOM_8].type == FIELD_TYPE_HEXADECIMAL &&
           field_table[FIELD_CUSTOM_2].type == FIELD_TYPE_STRING && field_table[FIELD_CUSTOM_2].raw,
       "with the type that its semantics say");
    custom_fields_start(DAEMON_NFACCTD);
    ok(custom_field_count() == 0 && field_find("vrfname") == FIELD_COUNT &&
           field_table[FIELD_CUSTOM_1].type == FIELD_TYPE_CUSTOM && field_table[FIELD_CUSTOM_1].title == NULL &&
           strcmp(field_table[FIELD_CUSTOM_1].json, "custom_1") == 0 && !field_table[FIELD_CUSTOM_2].raw,
       "a new configuration forgets all of them");
    ok(load("", &error) == 0 && custom_field_count() == 0, "an empty file is no error");
}

static void check_mistakes(void)
{
    static const struct {
        const char *text, *phrase;
    } mistakes[] = {
        {"x\n", ":1: 'x' is not of the form key=value"},
        {"\n\nnam=x\n", ":3: unknown key 'nam', did you mean 'name'?"},
        {"zzzzzzzz=x\n", ":1: unknown key 'zzzzzzzz', expected name, field_type, packet_ptr, len, semantics"},
        {"name=a name=b\n", ":1: 'name' comes twice in this line"},
        {"name= len=1\n", ":1: 'name' has 0 characters, expected 1 to 64"},
        {"field_type=1 len=1 semantics=u_int\n", ":1: 'name' is missing"},
        {"name=a field_type=1 semantics=u_int\n", ":1: 'len' is missing"},
        {"name=a field_type=1 len=1\n", ":1: 'semantics' is missing"},
        {"name=a len=1 semantics=u_int\n", ":1: 'field_type' is missing"},
        {"name=a field_type=x len=1 semantics=u_int\n", ":1: 'field_type' is 'x', expected the number"},
        {"name=a field_type=0 len=1 semantics=u_int\n", ":1: 'field_type' is '0'"},
        {"name=a field_type=-1 len=1 semantics=u_int\n", ":1: 'field_type' is '-1'"},
        {"name=a field_type=65536 len=1 semantics=u_int\n", ":1: 'field_type' is '65536'"},
        {"name=a field_type=9:32768 len=1 semantics=u_int\n", ":1: 'field_type' is '9:32768'"},
        {"name=a field_type=9: len=1 semantics=u_int\n", ":1: 'field_type' is '9:'"},
        {"name=a field_type=4294967296:1 len=1 semantics=u_int\n", ":1: 'field_type' is '4294967296:1'"},
        {"name=a field_type=1:2:3 len=1 semantics=u_int\n", ":1: 'field_type' is '1:2:3'"},
        {"name=a field_type=1 len=0 semantics=u_int\n", ":1: 'len' is '0', expected bytes from 1 on, or vlen"},
        {"name=a field_type=1 len=2x semantics=u_int\n", ":1: 'len' is '2x'"},
        {"name=a field_type=1 len=9 semantics=u_int\n", ":1: 'semantics=u_int' goes with 'len' of 1 to 8"},
        {"name=a field_type=1 len=vlen semantics=u_int\n", ":1: 'semantics=u_int' goes with 'len' of 1 to 8"},
        {"name=a field_type=1 len=5 semantics=ip\n", ":1: 'semantics=ip' goes with 'len' of 4 or 16"},
        {"name=a field_type=1 len=8 semantics=mac\n", ":1: 'semantics=mac' goes with 'len' of 6"},
        {"name=a field_type=1 len=1025 semantics=raw\n", ":1: 'semantics=raw' goes with 'len' of 1 to 1024 or vlen"},
        {"name=a field_type=1 len=1 semantics=int\n", ":1: 'semantics' is 'int', expected one of u_int, hex, ip, mac"},
        {"name=a field_type=1 packet_ptr=l4+1 len=1 semantics=u_int\n", "exclude each other"},
        {"name=a packet_ptr=l4:17+8 len=2 semantics=hex\n",
         ":1: 'packet_ptr' is not supported yet; expected 'field_type'"},
        {"name=a packet_ptr=payload packet_ptr=mac:+2 len=2 semantics=hex\n", ":1: 'packet_ptr' is not supported yet"},
        {"name=a packet_ptr=l5+8 len=2 semantics=hex\n",
         ":1: 'packet_ptr' is 'l5+8', expected LAYER[:PROTOCOL][+OFFSET]"},
        {"name=a packet_ptr=l4:tcp+8 len=2 semantics=hex\n", ":1: 'packet_ptr' is 'l4:tcp+8'"},
        {"name=a packet_ptr=l4+65536 len=2 semantics=hex\n", ":1: 'packet_ptr' is 'l4+65536'"},
        {"packet_ptr=l4 packet_ptr=l4 packet_ptr=l4 packet_ptr=l4 packet_ptr=l4 packet_ptr=l4 packet_ptr=l4 "
         "packet_ptr=l4 packet_ptr=l4\n", ":1: more than 8 'packet_ptr' in a line"},
        {"name=src_host field_type=1 len=1 semantics=u_int\n",
         ":1: the name 'src_host' is taken: there is a primitive"},
        {"name=IP_src field_type=1 len=1 semantics=u_int\n", ":1: the name 'ip_src' is taken"},
        {"name=packets field_type=1 len=1 semantics=u_int\n", ":1: the name 'packets' is taken"},
        {"name=sum_host field_type=1 len=1 semantics=u_int\n", ":1: the name 'sum_host' has a meaning of its own"},
        {"name=a,b field_type=1 len=1 semantics=u_int\n", ":1: the name 'a,b' has a character"},
        {"name=a field_type=1 len=1 semantics=u_int\nname=A field_type=2 len=1 semantics=u_int\n",
         ":2: the name 'a' is taken"},
    };
    char text[4096];
    struct error error;
    size_t length = 0;

    for (unsigned i = 0; i < array_length(mistakes); i++) {
        custom_fields_start(DAEMON_NFACCTD);
        ok(load(mistakes[i].text, &error) < 0 && strstr(error.text, mistakes[i].phrase) != NULL &&
               custom_field_count() == 0,
           "mistake %u: %s", i, error.text);
        if (strstr(error.text, mistakes[i].phrase) == NULL)
            printf("# expected %s\n", mistakes[i].phrase);
    }
    for (unsigned i = 0; i < 33; i++)
        length += (size_t)snprintf(text + length, sizeof(text) - length,
                                   "name=n%u field_type=%u len=1 semantics=u_int\n", i, i + 1);
    ok(load(text, &error) < 0 && strstr(error.text, ":33: more than 32 custom primitives") != NULL &&
           custom_field_count() == 0,
       "the 33rd is one too many");
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    ok(load(text, &error) < 0 && strstr(error.text, ":1: the line is longer than 2046 bytes") != NULL, "a long line");
    ok(custom_fields_load("/nonexistent/primitives", &error) < 0 && strstr(error.text, "No such file") != NULL,
       "a missing file: %s", error.text);
    ok(custom_fields_load("/tmp", &error) < 0 && strstr(error.text, "not a regular file") != NULL, "a directory");
}

static void check_elements(void)
{
    struct aggregate aggregate;
    struct error error;
    char list[4096] = "";

    custom_fields_start(DAEMON_NFACCTD);
    ok(aggregate_parse(&aggregate, "src_host, ingressVRFID, APPLICATIONID, ingressvrfid", &error) == 0 &&
           custom_field_count() == 2,
       "names of elements are words of aggregate");
    ok(field_set_has(&aggregate.fields, FIELD_CUSTOM_0) && field_set_has(&aggregate.fields, FIELD_CUSTOM_1),
       "both fields");
    is_text(field_table[FIELD_CUSTOM_0].json, "ingressVRFID", "outputs write the name as the registry does");
    ok(custom_field_at(0)->by_name && custom_field_at(0)->semantics == CUSTOM_UNSIGNED &&
           custom_field_at(0)->element == 234,
       "a number");
    ok(custom_field_at(1)->semantics == CUSTOM_RAW && field_table[FIELD_CUSTOM_1].raw, "octets are raw");
    ok(aggregate_parse(&aggregate, "ingressVRFID", &error) == 0 && custom_field_count() == 2, "once for all plugins");
    ok(aggregate_parse(&aggregate, "9:applicationCategoryName,reverseOctetDeltaCount", &error) == 0 &&
           custom_field_at(2)->enterprise == 9 && custom_field_at(3)->enterprise == 29305,
       "of an enterprise, and of the other direction");
    ok(aggregate_parse(&aggregate, "tag,label", &error) == 0 && custom_field_count() == 4,
       "a primitive is not hidden by an element of its name");
    custom_fields_start(DAEMON_NFACCTD);
    ok(aggregate_parse(&aggregate, "ingressvrfidd", &error) < 0, "an unknown word");
    is_text(error.text, "unknown primitive 'ingressvrfidd', did you mean 'ingressVRFID'?", "the nearest is an element");
    custom_fields_start(DAEMON_NFACCTD);
    for (unsigned i = 176; i < 176 + 33; i++)
        snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s,", element_find(0, i)->name);
    ok(aggregate_parse(&aggregate, list, &error) < 0, "33 elements");
    is_text(error.text, "more than 32 custom primitives and elements", "are one too many");
    custom_fields_start(DAEMON_SFACCTD);
    ok(aggregate_parse(&aggregate, "ingressVRFID", &error) < 0 && custom_field_count() == 0, "sfacctd has no elements");
    is_text(error.text, "unknown primitive 'ingressvrfid', did you mean 'ingress_vrf_id'?", "nor does it name any");
    custom_fields_start(DAEMON_NFACCTD);
    ok(load("name=ingressvrfid field_type=9:1 len=4 semantics=u_int\n", &error) == 0 &&
           aggregate_parse(&aggregate, "ingressVRFID", &error) == 0 && custom_field_count() == 1 &&
           custom_field_at(0)->enterprise == 9,
       "a custom primitive goes before an element");
}

static void check_types(void)
{
    unsigned wrong = 0;

    for (unsigned type = 0; type < ELEMENT_TYPE_COUNT; type++) {
        enum custom_semantics semantics = custom_semantics_of(type);
        enum custom_store store = custom_store(semantics);

        wrong += store == CUSTOM_STORE_ADDRESS && type != ELEMENT_IPV4 && type != ELEMENT_IPV6;
        wrong += store == CUSTOM_STORE_REAL && type != ELEMENT_F32 && type != ELEMENT_F64;
        wrong += store == CUSTOM_STORE_SPAN && type != ELEMENT_STRING && type != ELEMENT_OCTETS &&
                 type < ELEMENT_BASIC_LIST;
    }
    is_u64(wrong, 0, "each type of element is kept in its member");
    ok(custom_semantics_of(255) == CUSTOM_RAW, "an unknown type is raw");
}

static void check_projection(void)
{
    static const char list[] = "ingressVRFID,postNATSourceIPv4Address,VRFname,applicationId,samplingProbability";
    static const uint8_t octets[4] = {192, 0, 2, 7};
    struct layout_options options = {.base_time = FIELD_TIMESTAMP_ARRIVAL};
    static _Alignas(8) uint8_t out[8192];
    char bytes[1000];
    struct address address;
    struct aggregate aggregate;
    struct layout layout;
    struct error error;
    struct flow flow;
    size_t size;

    custom_fields_start(DAEMON_NFACCTD);
    ok(aggregate_parse(&aggregate, list, &error) == 0 &&
           layout_compile(&layout, &aggregate, &options, &error) == 0,
       "a layout of custom fields");
    is_u64(layout.key_bytes, 40, "16 and 8 and 8 bytes, and two texts of 4");
    memset(&flow, 0xee, sizeof(flow));
    flow_clear(&flow);
    address_set_ipv4(&address, octets);
    flow_set_custom_number(&flow, FIELD_CUSTOM_0, UINT64_C(0x1122334455667788));
    flow_set_custom_address(&flow, FIELD_CUSTOM_1, &address);
    flow_set_custom_span(&flow, FIELD_CUSTOM_2, "blue", 4);
    flow_set_custom_span(&flow, FIELD_CUSTOM_3, "\x0d\0\xff", 3);
    flow_set_custom_real(&flow, FIELD_CUSTOM_4, 0.25);
    size = layout_project(&layout, &flow, 0, out);
    ok(load_u64(out + layout_find(&layout, FIELD_CUSTOM_0)->offset) == UINT64_C(0x1122334455667788), "a number");
    ok(memcmp(out + layout_find(&layout, FIELD_CUSTOM_1)->offset, &address, 16) == 0, "an address");
    ok(memcmp(out + layout_find(&layout, FIELD_CUSTOM_4)->offset, &(double){0.25}, 8) == 0, "a real number");
    ok(load_u16(out + layout.body_bytes) == 4 && memcmp(out + layout.body_bytes + 2, "blue", 4) == 0, "a text");
    ok(load_u16(out + layout.body_bytes + 6) == 8 && memcmp(out + layout.body_bytes + 8, "0D-00-FF", 8) == 0,
       "raw bytes are digits");
    ok(size == layout.body_bytes + 16u, "and padding");
    memset(bytes, 0xab, sizeof(bytes));
    flow_set_custom_span(&flow, FIELD_CUSTOM_3, bytes, sizeof(bytes));
    size = layout_project(&layout, &flow, 0, out);
    ok(load_u16(out + layout.body_bytes + 6) == 1022 && size <= layout_record_max(&layout), "many raw bytes are cut");
    flow_clear(&flow);
    size = layout_project(&layout, &flow, 0, out);
    ok(load_u64(out) == 0 && load_u64(out + 8) == 0 && load_u64(out + 16) == 0 &&
           load_u32(out + layout.body_bytes) == 0 && size == layout.body_bytes + 8u,
       "what the flow does not have is zero");
}

static void check_learning(void)
{
    enum field_id id;

    custom_fields_start(DAEMON_NFACCTD);
    id = custom_field_learn("vrfnameXXX", 7, FIELD_TYPE_STRING);
    ok(id == FIELD_CUSTOM_0 && strcmp(field_table[id].json, "vrfname") == 0 && !field_table[id].raw,
       "a client learns a field of the daemon");
    id = custom_field_learn("mtu", 3, FIELD_TYPE_U64_TEXT);
    ok(id == FIELD_CUSTOM_1 && field_table[id].type == FIELD_TYPE_U64_TEXT, "of any type");
    ok(custom_field_learn("mtu", 3, FIELD_TYPE_U64) == FIELD_COUNT &&
           custom_field_learn("a\"b", 3, FIELD_TYPE_U64) == FIELD_COUNT &&
           custom_field_learn("x", 1, FIELD_TYPE_COUNTER) == FIELD_COUNT &&
           custom_field_learn("", 0, FIELD_TYPE_U64) == FIELD_COUNT &&
           custom_field_learn("x", 255, FIELD_TYPE_U64) == FIELD_COUNT &&
           custom_field_learn("x", 1, 255) == FIELD_COUNT,
       "but not what can be none");
    custom_fields_start(DAEMON_NFACCTD);
}

int main(void)
{
    int fd = mkstemp(path);

    plan_none();
    ok(fd >= 0, "a file to write to");
    close(fd);
    check_file();
    check_mistakes();
    check_elements();
    check_types();
    check_projection();
    check_learning();
    unlink(path);
    return done_testing();
}
