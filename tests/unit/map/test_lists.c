/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists of ports, protocols and ToS: what is read, what is refused, and what they make of a record. */
#include "map/lists.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/tap.h"

static struct list *parse(enum list_kind kind, const char *text, struct error *error)
{
    return list_parse(kind, "list", text, strlen(text), error);
}

static void test_read(void)
{
    struct error error = {""};
    struct list *list = parse(LIST_PORTS, "! well-known\n22\r\n 80 \n\n# more\n65535\n0\n80\n", &error);

    ok(list != NULL && list_count(list) == 4, "ports, comments, blanks; a repeated one counts once");
    ok(list_has(list, 22) && list_has(list, 80) && list_has(list, 65535) && list_has(list, 0), "all of them are there");
    ok(!list_has(list, 23) && !list_has(list, 81) && !list_has(list, 65534), "and no others");
    list_free(list);
    list = parse(LIST_PROTOS, "tcp\nUDP\n89\n255\nax.25", &error);
    ok(list != NULL && list_count(list) == 5, "protocols by name, in any case, and by number");
    ok(list_has(list, 6) && list_has(list, 17) && list_has(list, 89) && list_has(list, 93), "are the right ones");
    list_free(list);
    list = parse(LIST_TOS, "0\n184\n", &error);
    ok(list != NULL && list_has(list, 0) && list_has(list, 184) && !list_has(list, 46), "values of ToS");
    list_free(list);
    list = parse(LIST_PORTS, "", &error);
    ok(list != NULL && list_count(list) == 0, "an empty file is an empty list");
    list_free(list);
    list_free(NULL);
}

static void test_refused(void)
{
    static const struct {
        enum list_kind kind;
        const char *text, *phrase;
    } cases[] = {
        {LIST_PORTS, "22\n65536\n", "list:2: '65536' is not a port, 0 to 65535"},
        {LIST_PORTS, "22 80\n", "list:1: '22 80' is not a port, 0 to 65535"},
        {LIST_PORTS, "!\n\nhttp\n", "list:3: 'http' is not a port, 0 to 65535"},
        {LIST_PORTS, "-1\n", "list:1: '-1' is not a port, 0 to 65535"},
        {LIST_PORTS, "99999999999999999999\n", "list:1: '99999999999999999999' is not a port, 0 to 65535"},
        {LIST_PROTOS, "tpc\n", "list:1: 'tpc' is not a protocol, did you mean 'tcp'?"},
        {LIST_PROTOS, "256\n", "list:1: '256' is not a protocol, a name or 0 to 255"},
        {LIST_PROTOS, "something-else\n", "list:1: 'something-else' is not a protocol, a name or 0 to 255"},
        {LIST_TOS, "256\n", "list:1: '256' is not a value of ToS, 0 to 255"},
        {LIST_TOS, "0x10\n", "list:1: '0x10' is not a value of ToS, 0 to 255"},
    };

    for (unsigned i = 0; i < array_length(cases); i++) {
        struct error error = {""};

        ok(parse(cases[i].kind, cases[i].text, &error) == NULL, "case %u is refused", i);
        is_text(error.text, cases[i].phrase, "and it says why");
    }
}

static void test_file(void)
{
    char path[] = "/tmp/flowledger-list-XXXXXX";
    int fd = mkstemp(path);
    struct error error = {""};
    struct list *lists[3];

    ok(write(fd, "6\n17\n", 5) == 5, "a file");
    close(fd);
    lists[0] = list_load_ports(path, &error);
    lists[1] = list_load_protos(path, &error);
    lists[2] = list_load_tos(path, &error);
    for (unsigned i = 0; i < 3; i++) {
        ok(lists[i] != NULL && list_count(lists[i]) == 2 && list_has(lists[i], 17), "is read as list %u", i);
        list_free(lists[i]);
    }
    unlink(path);
    ok(list_load_ports(path, &error) == NULL && strstr(error.text, "ports file") && strstr(error.text, path),
       "a missing one is told by name");
}

static struct flow record(uint16_t source, uint16_t destination, uint8_t proto, uint8_t tos)
{
    struct flow flow;

    flow_clear(&flow);
    flow_set_src_port(&flow, source);
    flow_set_dst_port(&flow, destination);
    flow_set_proto(&flow, proto);
    flow_set_tos(&flow, tos);
    return flow;
}

static void test_apply(void)
{
    struct list *ports = parse(LIST_PORTS, "80\n", NULL), *protos = parse(LIST_PROTOS, "tcp\n", NULL);
    struct list *tos = parse(LIST_TOS, "46\n", NULL);
    struct flow flow = record(80, 50000, 6, 46);

    lists_apply(ports, protos, tos, false, &flow);
    ok(flow.src_port == 80 && flow.dst_port == 0 && flow.proto == 6 && flow.tos == 46, "what is listed stays");
    flow = record(50000, 80, 17, 184);
    lists_apply(ports, protos, tos, false, &flow);
    ok(flow.src_port == 0 && flow.dst_port == 80 && flow.proto == 255 && flow.tos == 255, "all else is one value");
    flow = record(1, 2, 17, 184 + 2);
    lists_apply(NULL, NULL, tos, true, &flow);
    ok(flow.tos == 46 && flow.src_port == 1 && flow.proto == 17, "with DSCP the list and the record are of DSCP");
    flow.tos = 46;
    lists_apply(NULL, NULL, tos, true, &flow);
    is_u64(flow.tos, 255, "and 46 is not the DSCP 46 then");
    flow = record(1, 2, 17, 184);
    lists_apply(NULL, NULL, NULL, true, &flow);
    is_u64(flow.tos, 184, "without a list DSCP is the plugin's business");
    flow_clear(&flow);
    flow.src_port = 7;
    lists_apply(ports, protos, tos, false, &flow);
    ok(flow.src_port == 7 && field_set_is_empty(&flow.have), "what is absent stays absent");
    list_free(ports);
    list_free(protos);
    list_free(tos);
}

int main(void)
{
    plan_none();
    test_read();
    test_refused();
    test_file();
    test_apply();
    return done_testing();
}
