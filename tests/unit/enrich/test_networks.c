/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Networks, masks, AS numbers and next hops, for the combinations of the two keys that say where they come from and of
 * the switches beside them. The rows that are expected are those that pmacct 1.7.7 writes for the same flows.
 */
#include "enrich/networks.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/tap.h"

static const char file_text[] = "10.9.1.1,65001_65101,10.0.8.0/24\n"
                                "10.9.1.3,65005_65102,192.168.5.0/24\n"
                                "10.0.0.0/8\n"
                                "10.9.1.2,65103,192.168.7.0/24\n"
                                "10.9.1.2,65104,172.16.0.0/12\n";

/* What flows tell; AS number, mask, next hop. */
static const struct told {
    const char *source, *destination, *next_hop;
    unsigned source_as, destination_as, source_mask, destination_mask;
} flows[5] = {
    {"10.0.8.29", "192.168.5.47", "10.9.9.9", 100, 200, 24, 27},
    {"10.0.9.1", "203.0.113.5", "10.9.9.8", 101, 201, 24, 24},
    {"10.0.10.1", "192.168.6.47", "0.0.0.0", 102, 202, 0, 0},
    {"172.16.1.1", "172.17.1.1", "0.0.0.0", 0, 0, 8, 8},
    {"10.0.11.1", "192.168.7.1", "10.9.9.7", 104, 204, 32, 25},
};

/*
 * Rows: AS numbers, peers, next hop, source, its network, destination, its network, masks. Switches: f is the filter,
 * l no_lpm, z no_mask_if_zero.
 */
static const struct {
    const char *as, *net, *switches;
    const char *rows[5];
} cases[] = {
    {NULL, NULL, "", {
        "100,200,0,0,10.9.9.9,10.0.8.29,10.0.8.0,192.168.5.47,192.168.5.32,24,27",
        "101,201,0,0,10.9.9.8,10.0.9.1,10.0.9.0,203.0.113.5,203.0.113.0,24,24",
        "102,202,0,0,0.0.0.0,10.0.10.1,0.0.0.0,192.168.6.47,0.0.0.0,0,0",
        "0,0,0,0,0.0.0.0,172.16.1.1,172.0.0.0,172.17.1.1,172.0.0.0,8,8",
        "104,204,0,0,10.9.9.7,10.0.11.1,10.0.11.1,192.168.7.1,192.168.7.0,32,25",
    }},
    {NULL, NULL, "f", {
        "100,200,0,0,10.9.9.9,10.0.8.29,10.0.8.0,192.168.5.47,192.168.5.32,24,27",
        "101,201,0,0,10.9.9.8,10.0.9.1,10.0.9.0,0.0.0.0,0.0.0.0,24,24",
        "102,202,0,0,0.0.0.0,10.0.10.1,0.0.0.0,0.0.0.0,0.0.0.0,0,0",
        "0,0,0,0,0.0.0.0,172.16.1.1,172.0.0.0,172.17.1.1,172.0.0.0,8,8",
        "104,204,0,0,10.9.9.7,10.0.11.1,10.0.11.1,192.168.7.1,192.168.7.0,32,25",
    }},
    {NULL, NULL, "z", {
        "100,200,0,0,10.9.9.9,10.0.8.29,10.0.8.0,192.168.5.47,192.168.5.32,24,27",
        "101,201,0,0,10.9.9.8,10.0.9.1,10.0.9.0,203.0.113.5,203.0.113.0,24,24",
        "102,202,0,0,0.0.0.0,10.0.10.1,10.0.10.1,192.168.6.47,192.168.6.47,0,0",
        "0,0,0,0,0.0.0.0,172.16.1.1,172.0.0.0,172.17.1.1,172.0.0.0,8,8",
        "104,204,0,0,10.9.9.7,10.0.11.1,10.0.11.1,192.168.7.1,192.168.7.0,32,25",
    }},
    {"file", NULL, "", {
        "65101,65102,65001,65005,10.9.9.9,10.0.8.29,10.0.8.0,192.168.5.47,192.168.5.32,24,27",
        "0,0,0,0,10.9.9.8,10.0.9.1,10.0.9.0,203.0.113.5,203.0.113.0,24,24",
        "0,0,0,0,0.0.0.0,10.0.10.1,0.0.0.0,192.168.6.47,0.0.0.0,0,0",
        "65104,65104,0,0,0.0.0.0,172.16.1.1,172.0.0.0,172.17.1.1,172.0.0.0,8,8",
        "0,65103,0,0,10.9.9.7,10.0.11.1,10.0.11.1,192.168.7.1,192.168.7.0,32,25",
    }},
    {"longest", NULL, "", {
        "65101,200,65001,0,10.9.9.9,10.0.8.29,10.0.8.0,192.168.5.47,192.168.5.32,24,27",
        "101,201,0,0,10.9.9.8,10.0.9.1,10.0.9.0,203.0.113.5,203.0.113.0,24,24",
        "0,0,0,0,0.0.0.0,10.0.10.1,0.0.0.0,192.168.6.47,0.0.0.0,0,0",
        "65104,65104,0,0,0.0.0.0,172.16.1.1,172.0.0.0,172.17.1.1,172.0.0.0,8,8",
        "104,204,0,0,10.9.9.7,10.0.11.1,10.0.11.1,192.168.7.1,192.168.7.0,32,25",
    }},
    {NULL, "mask", "", {
        "100,200,0,0,,10.0.8.29,10.0.0.0,192.168.5.47,192.168.0.0,20,20",
        "101,201,0,0,,10.0.9.1,10.0.0.0,203.0.113.5,203.0.112.0,20,20",
        "102,202,0,0,,10.0.10.1,10.0.0.0,192.168.6.47,192.168.0.0,20,20",
        "0,0,0,0,,172.16.1.1,172.16.0.0,172.17.1.1,172.17.0.0,20,20",
        "104,204,0,0,,10.0.11.1,10.0.0.0,192.168.7.1,192.168.0.0,20,20",
    }},
    {NULL, "mask", "f", {
        "100,200,0,0,,10.0.8.29,10.0.0.0,192.168.5.47,192.168.0.0,20,20",
        "101,201,0,0,,10.0.9.1,10.0.0.0,0.0.0.0,0.0.0.0,20,20",
        "102,202,0,0,,10.0.10.1,10.0.0.0,0.0.0.0,0.0.0.0,20,20",
        "0,0,0,0,,172.16.1.1,172.16.0.0,172.17.1.1,172.17.0.0,20,20",
        "104,204,0,0,,10.0.11.1,10.0.0.0,192.168.7.1,192.168.0.0,20,20",
    }},
    {NULL, "file", "", {
        "100,200,0,0,10.9.1.3,10.0.8.29,10.0.8.0,192.168.5.47,192.168.5.0,24,24",
        "101,201,0,0,,10.0.9.1,10.0.0.0,203.0.113.5,0.0.0.0,8,0",
        "102,202,0,0,,10.0.10.1,10.0.0.0,192.168.6.47,0.0.0.0,8,0",
        "0,0,0,0,10.9.1.2,172.16.1.1,172.16.0.0,172.17.1.1,172.16.0.0,12,12",
        "104,204,0,0,10.9.1.2,10.0.11.1,10.0.0.0,192.168.7.1,192.168.7.0,8,24",
    }},
    {NULL, "file", "f", {
        "100,200,0,0,10.9.1.3,10.0.8.29,10.0.8.0,192.168.5.47,192.168.5.0,24,24",
        "101,201,0,0,,10.0.9.1,10.0.0.0,0.0.0.0,0.0.0.0,8,0",
        "102,202,0,0,,10.0.10.1,10.0.0.0,0.0.0.0,0.0.0.0,8,0",
        "0,0,0,0,10.9.1.2,172.16.1.1,172.16.0.0,172.17.1.1,172.16.0.0,12,12",
        "104,204,0,0,10.9.1.2,10.0.11.1,10.0.0.0,192.168.7.1,192.168.7.0,8,24",
    }},
    {NULL, "file", "z", {
        "100,200,0,0,10.9.1.3,10.0.8.29,10.0.8.0,192.168.5.47,192.168.5.0,24,24",
        "101,201,0,0,,10.0.9.1,10.0.0.0,203.0.113.5,203.0.113.5,8,0",
        "102,202,0,0,,10.0.10.1,10.0.0.0,192.168.6.47,192.168.6.47,8,0",
        "0,0,0,0,10.9.1.2,172.16.1.1,172.16.0.0,172.17.1.1,172.16.0.0,12,12",
        "104,204,0,0,10.9.1.2,10.0.11.1,10.0.0.0,192.168.7.1,192.168.7.0,8,24",
    }},
    {"file", "longest", "", {
        "65101,65102,65001,65005,10.9.9.9,10.0.8.29,10.0.8.0,192.168.5.47,192.168.5.32,24,27",
        "0,0,0,0,10.9.9.8,10.0.9.1,10.0.9.0,203.0.113.5,203.0.113.0,24,24",
        "0,0,0,0,,10.0.10.1,10.0.0.0,192.168.6.47,0.0.0.0,8,0",
        "65104,65104,0,0,10.9.1.2,172.16.1.1,172.16.0.0,172.17.1.1,172.16.0.0,12,12",
        "0,65103,0,0,10.9.9.7,10.0.11.1,10.0.11.1,192.168.7.1,192.168.7.0,32,25",
    }},
    {"longest", "longest", "", {
        "65101,200,65001,0,10.9.9.9,10.0.8.29,10.0.8.0,192.168.5.47,192.168.5.32,24,27",
        "101,201,0,0,10.9.9.8,10.0.9.1,10.0.9.0,203.0.113.5,203.0.113.0,24,24",
        "0,0,0,0,,10.0.10.1,10.0.0.0,192.168.6.47,0.0.0.0,8,0",
        "65104,65104,0,0,10.9.1.2,172.16.1.1,172.16.0.0,172.17.1.1,172.16.0.0,12,12",
        "104,204,0,0,10.9.9.7,10.0.11.1,10.0.11.1,192.168.7.1,192.168.7.0,32,25",
    }},
    {"longest", "longest", "f", {
        "65101,200,65001,0,10.9.9.9,10.0.8.29,10.0.8.0,192.168.5.47,192.168.5.32,24,27",
        "101,0,0,0,,10.0.9.1,10.0.9.0,0.0.0.0,0.0.0.0,24,0",
        "0,0,0,0,,10.0.10.1,10.0.0.0,0.0.0.0,0.0.0.0,8,0",
        "65104,65104,0,0,10.9.1.2,172.16.1.1,172.16.0.0,172.17.1.1,172.16.0.0,12,12",
        "104,204,0,0,10.9.9.7,10.0.11.1,10.0.11.1,192.168.7.1,192.168.7.0,32,25",
    }},
    {"longest", "longest", "l", {
        "65101,65102,65001,65005,10.9.1.3,10.0.8.29,10.0.8.0,192.168.5.47,192.168.5.0,24,24",
        "0,201,0,0,10.9.9.8,10.0.9.1,10.0.0.0,203.0.113.5,203.0.113.0,8,24",
        "0,202,0,0,0.0.0.0,10.0.10.1,10.0.0.0,192.168.6.47,0.0.0.0,8,0",
        "65104,65104,0,0,10.9.1.2,172.16.1.1,172.16.0.0,172.17.1.1,172.16.0.0,12,12",
        "0,65103,0,0,10.9.1.2,10.0.11.1,10.0.0.0,192.168.7.1,192.168.7.0,8,24",
    }},
    {"longest", "longest", "fl", {
        "65101,65102,65001,65005,10.9.1.3,10.0.8.29,10.0.8.0,192.168.5.47,192.168.5.0,24,24",
        "0,201,0,0,10.9.9.8,10.0.9.1,10.0.0.0,0.0.0.0,0.0.0.0,8,0",
        "0,202,0,0,0.0.0.0,10.0.10.1,10.0.0.0,0.0.0.0,0.0.0.0,8,0",
        "65104,65104,0,0,10.9.1.2,172.16.1.1,172.16.0.0,172.17.1.1,172.16.0.0,12,12",
        "0,65103,0,0,10.9.1.2,10.0.11.1,10.0.0.0,192.168.7.1,192.168.7.0,8,24",
    }},
    {"longest", "longest", "z", {
        "65101,200,65001,0,10.9.9.9,10.0.8.29,10.0.8.0,192.168.5.47,192.168.5.32,24,27",
        "101,201,0,0,10.9.9.8,10.0.9.1,10.0.9.0,203.0.113.5,203.0.113.0,24,24",
        "0,0,0,0,,10.0.10.1,10.0.0.0,192.168.6.47,192.168.6.47,8,0",
        "65104,65104,0,0,10.9.1.2,172.16.1.1,172.16.0.0,172.17.1.1,172.16.0.0,12,12",
        "104,204,0,0,10.9.9.7,10.0.11.1,10.0.11.1,192.168.7.1,192.168.7.0,32,25",
    }},
    {"longest", "mask", "", {
        "65101,65102,65001,65005,,10.0.8.29,10.0.0.0,192.168.5.47,192.168.0.0,20,20",
        "101,201,0,0,,10.0.9.1,10.0.0.0,203.0.113.5,203.0.112.0,20,20",
        "102,202,0,0,,10.0.10.1,10.0.0.0,192.168.6.47,192.168.0.0,20,20",
        "0,0,0,0,,172.16.1.1,172.16.0.0,172.17.1.1,172.17.0.0,20,20",
        "104,65103,0,0,,10.0.11.1,10.0.0.0,192.168.7.1,192.168.0.0,20,20",
    }},
    {"longest", "file", "", {
        "65101,65102,65001,65005,10.9.1.3,10.0.8.29,10.0.8.0,192.168.5.47,192.168.5.0,24,24",
        "0,0,0,0,,10.0.9.1,10.0.0.0,203.0.113.5,0.0.0.0,8,0",
        "0,0,0,0,,10.0.10.1,10.0.0.0,192.168.6.47,0.0.0.0,8,0",
        "65104,65104,0,0,10.9.1.2,172.16.1.1,172.16.0.0,172.17.1.1,172.16.0.0,12,12",
        "0,65103,0,0,10.9.1.2,10.0.11.1,10.0.0.0,192.168.7.1,192.168.7.0,8,24",
    }},
    {"longest", "netflow", "l", {
        "65101,65102,65001,65005,10.9.9.9,10.0.8.29,10.0.8.0,192.168.5.47,192.168.5.32,24,27",
        "0,201,0,0,10.9.9.8,10.0.9.1,10.0.9.0,203.0.113.5,203.0.113.0,24,24",
        "0,202,0,0,0.0.0.0,10.0.10.1,0.0.0.0,192.168.6.47,0.0.0.0,0,0",
        "65104,65104,0,0,0.0.0.0,172.16.1.1,172.0.0.0,172.17.1.1,172.0.0.0,8,8",
        "0,65103,0,0,10.9.9.7,10.0.11.1,10.0.11.1,192.168.7.1,192.168.7.0,32,25",
    }},
};

/* -- settings by their words -- */

static int position(const char *const *words, const char *word)
{
    int i = 0;

    while (strcmp(words[i], word) != 0)
        i++;
    return i;
}

static struct settings plugin, core;

static void set(const char *as, const char *net, const char *switches, bool file, unsigned mask)
{
    static const char *const as_words[] = {"netflow", "sflow", "false", "file", "true", "longest", "fallback"};
    static const char *const net_words[] = {"netflow", "sflow", "mask", "file", "longest", "fallback"};

    memset(&plugin, 0, sizeof(plugin));
    memset(&core, 0, sizeof(core));
    core.set[KEY_as_source] = as != NULL;
    core.as_source = as != NULL ? position(as_words, as) : -1;
    plugin.set[KEY_net_source] = net != NULL;
    plugin.net_source = net != NULL ? position(net_words, net) : -1;
    plugin.networks_file = file ? "networks.lst" : NULL;
    plugin.networks_mask = mask;
    plugin.networks_file_filter = strchr(switches, 'f') != NULL;
    plugin.networks_file_no_lpm = strchr(switches, 'l') != NULL;
    plugin.networks_no_mask_if_zero = strchr(switches, 'z') != NULL;
}

static struct field_set fields(const enum field_id *ids, unsigned count)
{
    struct field_set set = {{0}};

    for (unsigned i = 0; i < count; i++)
        field_set_add(&set, ids[i]);
    return set;
}

static const enum field_id all_ids[] = {
    FIELD_SRC_HOST, FIELD_DST_HOST, FIELD_SRC_NET,     FIELD_DST_NET,     FIELD_SRC_MASK,    FIELD_DST_MASK,
    FIELD_SRC_AS,   FIELD_DST_AS,   FIELD_PEER_SRC_AS, FIELD_PEER_DST_AS, FIELD_PEER_DST_IP,
};

static struct networks_rule rule_of(enum daemon_mask daemon, const enum field_id *ids, unsigned count)
{
    struct field_set wants = fields(ids, count);
    struct networks_rule rule;

    networks_rule_init(&rule, &plugin, &core, daemon, &wants);
    return rule;
}

/* -- flows and rows -- */

static struct address address(const char *text)
{
    struct address a;

    address_parse(text, &a);
    return a;
}

static struct flow bare_flow(const char *source, const char *destination)
{
    struct flow flow;

    flow_clear(&flow);
    flow_set_src_host(&flow, address(source));
    flow_set_dst_host(&flow, address(destination));
    return flow;
}

static struct flow flow_of(const struct told *told)
{
    struct flow flow = bare_flow(told->source, told->destination);

    flow_set_src_as(&flow, told->source_as);
    flow_set_dst_as(&flow, told->destination_as);
    flow_set_src_mask(&flow, (uint8_t)told->source_mask);
    flow_set_dst_mask(&flow, (uint8_t)told->destination_mask);
    flow_set_peer_dst_ip(&flow, address(told->next_hop));
    return flow;
}

#define number(flow, id, member) (flow_has(flow, FIELD_##id) ? (flow)->member : 0u)

static const char *row_of(const struct flow *flow)
{
    static const enum field_id ids[] = {FIELD_PEER_DST_IP, FIELD_SRC_HOST, FIELD_SRC_NET, FIELD_DST_HOST,
                                        FIELD_DST_NET};
    static char row[400];
    int at = snprintf(row, sizeof(row), "%u,%u,%u,%u,", number(flow, SRC_AS, src_as), number(flow, DST_AS, dst_as),
                      number(flow, PEER_SRC_AS, peer_src_as), number(flow, PEER_DST_AS, peer_dst_as));

    for (unsigned i = 0; i < array_length(ids); i++) {
        struct address a = {{0}};

        if (flow_has(flow, ids[i]))
            memcpy(&a, (const uint8_t *)flow + field_table[ids[i]].flow_offset, sizeof(a));
        at += (int)address_format(&a, row + at);
        row[at++] = ',';
    }
    snprintf(row + at, sizeof(row) - (size_t)at, "%u,%u", number(flow, SRC_MASK, src_mask),
             number(flow, DST_MASK, dst_mask));
    return row;
}

static struct networks *table_of(const char *text)
{
    return networks_parse("list", text, strlen(text), NULL);
}

/* -- tests -- */

static void test_cases(void)
{
    struct networks *table = table_of(file_text);

    for (unsigned i = 0; i < array_length(cases); i++) {
        struct networks_rule rule;

        set(cases[i].as, cases[i].net, cases[i].switches, true, 20);
        rule = rule_of(DAEMON_NFACCTD, all_ids, array_length(all_ids));
        for (unsigned n = 0; n < array_length(flows); n++) {
            struct flow flow = flow_of(&flows[n]);

            networks_apply(&rule, table, &flow);
            is_text(row_of(&flow), cases[i].rows[n], "as %s, net %s, switches '%s', flow %u",
                    cases[i].as ? cases[i].as : "unset", cases[i].net ? cases[i].net : "unset", cases[i].switches, n);
        }
    }
    networks_free(table);
}

static const char *packet(const struct networks_rule *rule, const struct networks *table, const char *source,
                          const char *destination)
{
    static struct flow flow;

    flow = bare_flow(source, destination);
    networks_apply(rule, table, &flow);
    return row_of(&flow);
}

static void test_packets(void)
{
    struct networks *table = table_of(file_text);
    struct networks_rule rule;

    set(NULL, NULL, "", true, 20);
    rule = rule_of(DAEMON_PMACCTD, all_ids, array_length(all_ids));
    is_text(packet(&rule, table, "10.0.8.29", "192.168.5.47"),
            "0,0,0,0,10.9.1.3,10.0.8.29,10.0.8.0,192.168.5.47,192.168.5.0,24,24",
            "packets take networks from the file where nothing is said, but no AS numbers and no mask");
    is_text(packet(&rule, table, "10.0.9.1", "203.0.113.5"), "0,0,0,0,,10.0.9.1,10.0.0.0,203.0.113.5,0.0.0.0,8,0",
            "outside of it the network is 0");
    set(NULL, NULL, "f", true, 0);
    rule = rule_of(DAEMON_UACCTD, all_ids, array_length(all_ids));
    is_text(packet(&rule, table, "10.0.9.1", "203.0.113.5"), "0,0,0,0,,10.0.9.1,10.0.0.0,0.0.0.0,0.0.0.0,8,0",
            "the filter clears the host, too");
    is_text(packet(&rule, table, "2001:db8::1", "10.0.9.1"), "0,0,0,0,,::,::,10.0.9.1,10.0.0.0,0,8",
            "in its own family");
    networks_free(table);
    set(NULL, NULL, "", false, 20);
    rule = rule_of(DAEMON_PMACCTD, all_ids, array_length(all_ids));
    is_text(packet(&rule, NULL, "10.0.9.1", "2001:db8:ffff::1"),
            "0,0,0,0,,10.0.9.1,10.0.0.0,2001:db8:ffff::1,2001::,20,20", "the mask alone");
    set(NULL, NULL, "", false, 0);
    rule = rule_of(DAEMON_PMACCTD, all_ids, array_length(all_ids));
    is_text(packet(&rule, NULL, "10.0.9.1", "203.0.113.5"), "0,0,0,0,,10.0.9.1,,203.0.113.5,,0,0",
            "and with nothing at all there are no networks");
}

static void test_ipv6(void)
{
    struct networks *table = table_of("65010,2001:db8::/32\n2001:db8::ff,65011_65012,2001:db8:1::/48\n");
    struct networks_rule rule;

    set("file", "file", "", true, 0);
    rule = rule_of(DAEMON_NFACCTD, all_ids, array_length(all_ids));
    is_text(packet(&rule, table, "2001:db8::1", "2001:db8:1::1"),
            "65010,65012,0,65011,2001:db8::ff,2001:db8::1,2001:db8::,2001:db8:1::1,2001:db8:1::,32,48", "IPv6");
    is_text(packet(&rule, table, "2001:dead::1", "2001:beef::1"), "0,0,0,0,,2001:dead::1,::,2001:beef::1,::,0,0",
            "outside of the file");
    networks_free(table);
    table = table_of("65000,0.0.0.0/0\n");
    set("longest", "longest", "fl", true, 0);
    rule = rule_of(DAEMON_NFACCTD, all_ids, array_length(all_ids));
    is_text(packet(&rule, table, "10.0.9.1", "203.0.113.5"), "0,0,0,0,,10.0.9.1,0.0.0.0,203.0.113.5,0.0.0.0,0,0",
            "a default route keeps hosts from the filter, and wins nothing by no_lpm");
    networks_free(table);
}

static void test_absent(void)
{
    struct networks *table = table_of(file_text);
    struct networks_rule rule;
    struct flow flow;

    set(NULL, NULL, "", false, 0);
    rule = rule_of(DAEMON_NFACCTD, all_ids, array_length(all_ids));
    flow = bare_flow("10.0.9.1", "203.0.113.5");
    networks_apply(&rule, NULL, &flow);
    ok(!flow_has(&flow, FIELD_SRC_NET) && !flow_has(&flow, FIELD_SRC_MASK), "a flow without masks has no networks");
    set(NULL, NULL, "z", false, 0);
    rule = rule_of(DAEMON_NFACCTD, all_ids, array_length(all_ids));
    networks_apply(&rule, NULL, &flow);
    ok(flow_has(&flow, FIELD_SRC_NET) && address_equal(&flow.src_net, &flow.src_host) &&
           !flow_has(&flow, FIELD_SRC_MASK),
       "but its hosts with networks_no_mask_if_zero");
    set("file", "file", "f", true, 0);
    rule = rule_of(DAEMON_NFACCTD, all_ids, array_length(all_ids));
    flow_clear(&flow);
    networks_apply(&rule, table, &flow);
    ok(field_set_is_empty(&flow.have), "what has no addresses gets nothing");
    networks_free(table);
}

static bool needs(const enum field_id *ids, unsigned count, const enum field_id *want, unsigned want_count)
{
    struct networks_rule rule = rule_of(DAEMON_NFACCTD, ids, count);
    struct field_set got = {{0}}, wanted = fields(want, want_count);

    networks_needs(&rule, &got);
    return networks_rule_acts(&rule) == (want_count > 0) && memcmp(&got, &wanted, sizeof(got)) == 0;
}

#define NEEDS(asked, ...)                                                                       \
    needs((const enum field_id[]){asked}, 1, (const enum field_id[]){FIELD_COUNT, __VA_ARGS__} + 1, \
          sizeof((enum field_id[]){FIELD_COUNT, __VA_ARGS__}) / sizeof(enum field_id) - 1)

static void test_needs(void)
{
    set(NULL, NULL, "", false, 0);
    ok(NEEDS(FIELD_SRC_NET, FIELD_SRC_HOST, FIELD_SRC_MASK), "a network of the flow is made of host and mask");
    ok(NEEDS(FIELD_DST_MASK), "a mask of the flow is there, and so are AS numbers");
    ok(NEEDS(FIELD_SRC_HOST), "hosts need nothing");
    set("longest", NULL, "", true, 0);
    ok(NEEDS(FIELD_SRC_HOST), "not even with a file");
    ok(NEEDS(FIELD_SRC_AS, FIELD_SRC_HOST, FIELD_SRC_MASK), "longest compares masks");
    ok(NEEDS(FIELD_PEER_DST_AS, FIELD_DST_HOST, FIELD_DST_MASK), "for peers, too");
    ok(NEEDS(FIELD_PEER_DST_IP), "the next hop is that of the flow as long as *_net is");
    set("file", "file", "", true, 0);
    ok(NEEDS(FIELD_DST_AS, FIELD_DST_HOST), "the file asks for the host only");
    ok(NEEDS(FIELD_PEER_DST_IP, FIELD_DST_HOST), "for the next hop as well");
    set(NULL, NULL, "f", true, 0);
    ok(NEEDS(FIELD_SRC_HOST, FIELD_SRC_HOST), "a filter changes hosts");
    set("longest", "longest", "f", false, 0);
    ok(NEEDS(FIELD_SRC_AS), "without a file there is nothing longer than the flow");
    ok(NEEDS(FIELD_SRC_HOST), "and nothing to filter by");
}

int main(void)
{
    plan_none();
    test_cases();
    test_packets();
    test_ipv6();
    test_absent();
    test_needs();
    return done_testing();
}
