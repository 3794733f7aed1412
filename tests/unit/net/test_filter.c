/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Filters on packets: expressions and what they match on several links, cut packets, long expressions, what is refused,
 * and that filters made at the same time do not disturb each other.
 */
#include "net/filter.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/tap.h"

#define link_raw 101
#define link_sll2 276
#define link_nflog 239

/* Ethernet, VLAN 7, IPv4 10.1.2.3 to 192.0.2.9, TCP 1024 to 80 with SYN; also without Ethernet, without the tag. */
static const uint8_t tagged[] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x81, 0, 0, 7, 8, 0, 0x45, 0, 0, 40, 0, 0, 0, 0,
                                 64, 6, 0, 0, 10, 1, 2, 3, 192, 0, 2, 9, 4, 0, 0, 80, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, 2,
                                 0, 0, 0, 0, 0, 0};
static uint8_t plain[sizeof(tagged) - 4], raw[sizeof(tagged) - 18];

static void make_packets(void)
{
    memcpy(plain, tagged, 12);
    memcpy(plain + 12, tagged + 16, sizeof(plain) - 12);
    memcpy(raw, tagged + 18, sizeof(raw));
}

static const struct {
    const char *expression;
    bool of_plain, of_tagged, of_raw;
} cases[] = {
    {"ip", true, false, true},
    {"vlan and ip", false, true, false},
    {"ip or (vlan and ip)", true, true, true},
    {"not vlan", true, false, true},
    {"vlan 7 and tcp port 80", false, true, false},
    {"vlan 8", false, false, false},
    {"src net 10.0.0.0/8", true, false, true},
    {"dst net 10.0.0.0/8", false, false, false},
    {"not dst net 10.0.0.0/8", true, true, true},
    {"vlan and not dst net 10.0.0.0/8", false, true, false},
    {"host 192.0.2.9 and tcp[tcpflags] & tcp-syn != 0", true, false, true},
    {"tcp dst port 80 and src portrange 1000-1100", true, false, true},
    {"udp", false, false, false},
    {"port http", true, false, true},
    {"ip6", false, false, false},
    {"greater 40", true, true, true},
    {"greater 55", false, true, false},
    {"len == 58", false, true, false},
};

static int match(const char *expression, uint16_t link, const uint8_t *bytes, size_t size)
{
    struct error error = {""};
    struct filter *filter = filter_new(expression, link, &error);
    int result;

    if (filter == NULL)
        return -1;
    result = filter_match(filter, bytes, (uint32_t)size, (uint32_t)size);
    filter_free(filter);
    return result;
}

static void check_expressions(void)
{
    for (unsigned i = 0; i < array_length(cases); i++) {
        const char *expression = cases[i].expression;
        bool has_vlan = strstr(expression, "vlan") != NULL;

        ok(match(expression, filter_link_ethernet, plain, sizeof(plain)) == cases[i].of_plain, "%s", expression);
        ok(match(expression, filter_link_ethernet, tagged, sizeof(tagged)) == cases[i].of_tagged, "%s, with a tag",
           expression);
        if (!has_vlan)
            ok(match(expression, link_raw, raw, sizeof(raw)) == cases[i].of_raw, "%s, without a link header",
               expression);
    }
}

static void check_cut_packets(void)
{
    struct error error;
    struct filter *filter = filter_new("tcp dst port 80", filter_link_ethernet, &error);

    for (uint32_t captured = 0; captured <= sizeof(plain); captured++) {
        uint8_t *exact = malloc(captured + 1); /* so that a sanitizer sees the end */

        memcpy(exact + 1, plain, captured);
        if (filter_match(filter, exact + 1, captured, sizeof(plain)) != (captured >= 14 + 20 + 4))
            ok(false, "%u bytes of the packet", captured);
        free(exact);
    }
    ok(true, "of a cut packet the bytes that are there are asked, and no others");
    filter_free(filter);
    filter = filter_new("len == 1500", filter_link_ethernet, &error);
    ok(filter_match(filter, plain, sizeof(plain), 1500) && !filter_match(filter, plain, sizeof(plain), 1499),
       "the length is that of the packet, not of the capture");
    filter_free(filter);
    filter_free(NULL);
}

/* Hosts 10.2.0.0 to 10.2.0.N, N < 250, and then `last`. */
static const char *many_hosts(unsigned count, const char *last)
{
    static char text[2 * filter_expression_max];
    size_t at = 0;

    for (unsigned i = 0; i < count; i++)
        at += (size_t)snprintf(text + at, sizeof(text) - at, "host 10.2.0.%u or ", i);
    snprintf(text + at, sizeof(text) - at, "host %s", last);
    return text;
}

static void check_long_expressions(void)
{
    static char ports[filter_expression_max + 1];
    struct error error = {""};
    size_t at = 0;

    ok(match(many_hosts(100, "10.1.2.3"), filter_link_ethernet, plain, sizeof(plain)) == 1,
       "a hundred hosts, the last one");
    ok(match(many_hosts(100, "10.1.2.4"), filter_link_ethernet, plain, sizeof(plain)) == 0, "a hundred others");
    while (at < 4000)
        at += (size_t)snprintf(ports + at, sizeof(ports) - at, "portrange %zu-%zu or ", 2000 + at, 2002 + at);
    snprintf(ports + at, sizeof(ports) - at, "port 80");
    ok(match(ports, filter_link_ethernet, plain, sizeof(plain)) == 1, "one too long for the optimiser is run as it is");
    ok(filter_new(many_hosts(249, "10.1.2.3"), filter_link_ethernet, &error) == NULL &&
           strstr(error.text, "is longer than 4096 bytes") != NULL, "one that is longer still is refused");
}

static void check_errors(void)
{
    static const struct {
        const char *expression;
        uint16_t link;
        const char *part;
    } errors[] = {
        {"", filter_link_ethernet, "the filter is empty, expected an expression of pcap-filter(7)"},
        {" \t", filter_link_ethernet, "the filter is empty"},
        {"src net 10.0.0.0/8 and", filter_link_ethernet, "the filter 'src net 10.0.0.0/8 and' cannot be used: "},
        {"port nosuchservice", filter_link_ethernet, "unknown port 'nosuchservice'"},
        {"tcp and udp", filter_link_ethernet, "expression rejects all packets"},
        {"ip[", filter_link_ethernet, "syntax error"},
        {"type mgt", filter_link_ethernet, "802.11"},
        {"ether host 2:0:0:0:0:1", link_raw, "cannot be used: "},
        {"ip", 9999, "the filter 'ip' cannot be used: "},
    };

    for (unsigned i = 0; i < array_length(errors); i++) {
        struct error error = {""};

        ok(filter_new(errors[i].expression, errors[i].link, &error) == NULL &&
               strstr(error.text, errors[i].part) != NULL, "'%s' on link %u: %s", errors[i].expression, errors[i].link,
           errors[i].part);
        if (strstr(error.text, errors[i].part) == NULL)
            printf("# got: %s\n", error.text);
    }
    ok(filter_new("(((", filter_link_ethernet, NULL) == NULL, "a caller who wants no phrase");
    ok(match("type mgt", 105, (const uint8_t[24]){0x80}, 24) == 1, "an expression of another link, on that link");
    ok(match("inbound", link_sll2, (const uint8_t[20]){[10] = 0}, 20) == 1, "the direction of a cooked capture");
}

static void *compile_many(void *context)
{
    const uint16_t link = *(const uint16_t *)context;
    unsigned *wrong = calloc(1, sizeof(*wrong));

    for (unsigned round = 0; round < 100; round++) {
        unsigned i = round % (unsigned)array_length(cases);
        bool want = link == link_raw ? cases[i].of_raw : cases[i].of_plain;
        const uint8_t *bytes = link == link_raw ? raw : plain;

        if (strstr(cases[i].expression, "vlan") == NULL)
            *wrong += match(cases[i].expression, link, bytes, link == link_raw ? sizeof(raw) : sizeof(plain)) != want;
        else
            *wrong += match("(((", link, bytes, 0) != -1;
    }
    return wrong;
}

static void check_threads(void)
{
    static const uint16_t links[] = {filter_link_ethernet, link_raw, filter_link_ethernet, link_raw};
    pthread_t threads[array_length(links)];
    unsigned wrong = 0;

    for (unsigned i = 0; i < array_length(links); i++)
        pthread_create(&threads[i], NULL, compile_many, (void *)&links[i]);
    for (unsigned i = 0; i < array_length(links); i++) {
        void *result;

        pthread_join(threads[i], &result);
        wrong += *(unsigned *)result;
        free(result);
    }
    is_u64(wrong, 0, "four threads compile for two links at the same time");
}

int main(void)
{
    plan_none();
    make_packets();
    check_expressions();
    check_cut_packets();
    check_long_expressions();
    check_errors();
    check_threads();
    return done_testing();
}
