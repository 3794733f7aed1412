/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Filters of packets on flows: on the image of a record, with and without VLAN tags, on packets of several links, on
 * links that an expression does not fit to, and what is refused.
 */
#include "map/flow_filter.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/tap.h"

#define link_raw 101
#define link_radiotap 127
#define link_nflog 239

static struct flow record(const char *source, uint8_t protocol, uint16_t port)
{
    struct address address = {{0}};
    struct flow flow;

    memset(&flow, 0, sizeof(flow));
    if (!address_parse(source, &address))
        ok(false, "%s is an address", source);
    flow_set_src_host(&flow, address);
    flow_set_proto(&flow, protocol);
    flow_set_dst_port(&flow, port);
    flow_set_packets(&flow, 10);
    flow_set_bytes(&flow, 5000);
    return flow;
}

static bool match(const char *expression, const struct flow *flow)
{
    struct flow_image image = {.made = false};
    struct error error = {""};
    struct flow_filter *filter = flow_filter_new(expression, &error);
    bool first, second;

    if (filter == NULL) {
        ok(false, "%s: %s", expression, error.text);
        return false;
    }
    first = flow_filter_match(filter, flow, &image);
    second = flow_filter_match(filter, flow, &image);
    if (first != second)
        ok(false, "%s: twice the same", expression);
    flow_filter_free(filter);
    return first;
}

/* ---- records ----------------------------------------------------------------------------------------------------- */

enum { PLAIN, VLAN_5, VLAN_0, SFLOW_VLAN_5, LABELLED, IPV6, TWO_TAGS, RECORDS };

static void check_records(void)
{
    static const struct {
        const char *expression, *matches; /* a digit for each of the records above */
    } cases[] = {
        {"ip", "1110001"},
        {"ip6", "0000010"},
        {"src net 10.0.0.0/8", "1110001"},
        {"not src net 10.0.0.0/8", "0001110"},
        {"dst port 80", "1110011"},
        {"vlan", "0101001"},
        {"vlan and ip", "0101001"},
        {"ip or (vlan and ip)", "1111001"},
        {"vlan 5 and src net 10.0.0.0/8", "0101001"},
        {"vlan 6", "0000000"},
        {"vlan and vlan 7", "0000001"},
        {"vlan 5 and vlan 7 and tcp", "0000001"},
        {"not vlan", "1010110"},
        {"mpls", "0000100"},
        {"mpls 16001 and ip", "0000100"},
        {"host vlan or ip", NULL}, /* the qualifier, not a host */
        {"tcp[13] & 2 != 0", "0000000"},
        {"ip[2:2] == 500", "1110001"},
        {"len == 514", "1110011"},
    };
    struct flow records[RECORDS];

    for (unsigned i = 0; i < RECORDS; i++)
        records[i] = record(i == IPV6 ? "2001:db8::1" : "10.0.0.1", 6, 80);
    flow_set_vlan(&records[VLAN_5], 5);
    flow_set_vlan(&records[VLAN_0], 0);
    flow_set_vlan(&records[SFLOW_VLAN_5], 5);
    records[SFLOW_VLAN_5].traits.sample_type = 1;
    flow_set_mpls_label_top(&records[LABELLED], 16001);
    flow_set_vlan(&records[TWO_TAGS], 5);
    flow_set_in_cvlan(&records[TWO_TAGS], 7);
    for (unsigned i = 0; i < array_length(cases); i++) {
        char got[RECORDS + 1] = "";

        if (cases[i].matches == NULL) {
            ok(flow_filter_check(cases[i].expression, NULL) < 0, "'%s' is refused", cases[i].expression);
            continue;
        }
        for (unsigned k = 0; k < RECORDS; k++)
            got[k] = match(cases[i].expression, &records[k]) ? '1' : '0';
        is_text(got, cases[i].matches, "%s", cases[i].expression);
    }
}

/* One image for all filters of a record; it is made anew where one speaks of vlan and another does not. */
static void check_shared_image(void)
{
    struct flow_filter *plain = flow_filter_new("ip", NULL), *tagged = flow_filter_new("vlan 5", NULL);
    struct flow flow = record("10.0.0.1", 17, 53), other = record("2001:db8::1", 17, 53);
    struct flow_image image = {.made = false};

    flow_set_vlan(&flow, 5);
    ok(flow_filter_match(plain, &flow, &image) && flow_filter_match(tagged, &flow, &image) &&
           flow_filter_match(plain, &flow, &image), "filters with and without vlan on one record");
    image.made = false;
    ok(!flow_filter_match(plain, &other, &image) && !flow_filter_match(tagged, &other, &image), "and the next one");
    flow_filter_free(plain);
    flow_filter_free(tagged);
}

/* ---- packets ----------------------------------------------------------------------------------------------------- */

static const uint8_t ethernet[] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x81, 0, 0, 7, 8, 0, 0x45, 0, 0, 28, 0, 0, 0, 0,
                                   64, 17, 0, 0, 10, 1, 2, 3, 192, 0, 2, 9, 4, 0, 0, 53, 0, 8, 0, 0};

static struct frame frame_at(size_t offset, uint16_t link)
{
    return (struct frame){.bytes = ethernet + offset,
                          .captured = (uint32_t)(sizeof(ethernet) - offset),
                          .length = (uint32_t)(sizeof(ethernet) - offset),
                          .link = link};
}

static void check_packets(void)
{
    struct frame with_link = frame_at(0, 1), without_link = frame_at(18, link_raw);
    struct flow flow = record("2001:db8::1", 6, 80); /* the packet is asked, not this */

    flow.frame = &with_link;
    ok(match("vlan 7 and udp port 53 and src host 10.1.2.3", &flow), "a packet as it was captured");
    ok(!match("udp port 53", &flow), "has its tag, spoken of or not");
    ok(!match("ip6", &flow) && !match("tcp", &flow), "what the record says is not asked");
    with_link.captured = 20;
    ok(!match("vlan and udp", &flow) && match("vlan and ip", &flow), "a cut one");
    flow.frame = &without_link;
    ok(match("udp port 53 and src host 10.1.2.3", &flow), "a packet without a link header");
}

static void check_misfits(void)
{
    struct frame nflog = frame_at(18, link_nflog), raw = frame_at(18, link_raw);
    struct flow_filter *filter = flow_filter_new("ether src 2:0:0:0:0:1", NULL);
    struct flow flow = record("10.0.0.1", 6, 80);
    struct flow_image image = {.made = false};
    struct error error = {""};
    const char *phrase;

    ok(flow_filter_misfits(filter, &phrase) == 0 && phrase == NULL, "nothing was asked");
    ok(!flow_filter_match(filter, &flow, &image), "a record has an address or not");
    is_u64(flow_filter_misfits(filter, &phrase), 0, "and can be asked for it");
    flow.frame = &raw;
    ok(!flow_filter_match(filter, &flow, &image) && !flow_filter_match(filter, &flow, &image),
       "a packet without a link header does not match");
    flow.frame = &nflog;
    ok(!flow_filter_match(filter, &flow, &image), "nor one of NFLOG");
    is_u64(flow_filter_misfits(filter, &phrase), 3, "and they are counted");
    ok(phrase != NULL && strstr(phrase, "records of link type 101 match nothing: the filter 'ether src 2:0:0:0:0:1' "
                                        "cannot be used: ") == phrase, "with the reason of the first");
    printf("# %s\n", phrase);
    ok(flow_filter_prepare(filter, 1, &error) == 0, "preparing for a link that fits");
    ok(flow_filter_prepare(filter, 228, &error) < 0 && strstr(error.text, "cannot be used") != NULL,
       "for one that does not, the phrase says why");
    ok(flow_filter_prepare(filter, 228, &error) < 0 && error.text[0] != '\0', "and once more");
    flow_filter_free(filter);
    flow_filter_free(NULL);
}

/* A hostile capture file names every link type there is. */
static void check_many_links(void)
{
    struct flow_filter *filter = flow_filter_new("udp", NULL);
    struct frame frame = frame_at(18, 0);
    struct flow flow = record("10.0.0.1", 6, 80);
    struct flow_image image = {.made = false};
    const char *phrase;
    unsigned matched = 0;

    flow.frame = &frame;
    for (unsigned round = 0; round < 3; round++)
        for (unsigned link = 0; link < 400; link++) {
            frame.link = (uint16_t)link;
            matched += flow_filter_match(filter, &flow, &image);
        }
    ok(matched > 0, "400 link types: those that come first are matched, %u of 1200", matched);
    ok(flow_filter_misfits(filter, &phrase) > 600 && phrase != NULL, "the others are counted");
    flow_filter_free(filter);
}

static void check_other_links(void)
{
    static const uint8_t beacon[32] = {[2] = 8, [8] = 0x80}; /* a header of radiotap, 8 octets, and one of a beacon */
    struct frame frame = {.bytes = beacon, .captured = sizeof(beacon), .length = sizeof(beacon),
                          .link = link_radiotap};
    struct flow flow = record("10.0.0.1", 6, 80);

    ok(flow_filter_check("inbound", NULL) == 0, "an expression for Linux' cooked capture alone");
    ok(!match("type mgt", &flow), "one for IEEE 802.11 alone matches no record");
    flow.frame = &frame;
    ok(match("type mgt", &flow), "but its packets");
}

/* ---- errors ------------------------------------------------------------------------------------------------------ */

static void check_errors(void)
{
    static const struct {
        const char *expression, *part;
    } cases[] = {
        {"", "the filter is empty"},
        {"dst net 10.0.0.0/8 and", "the filter 'dst net 10.0.0.0/8 and' cannot be used: "},
        {"dst net 10.0.0.0/33", "cannot be used: "},
        {"port 70000", "port 70000"},
        {"net 10.1.2.3/8", "non-network bits set"},
        {"tcp and udp", "rejects all packets"},
    };

    for (unsigned i = 0; i < array_length(cases); i++) {
        struct error error = {""};

        ok(flow_filter_check(cases[i].expression, &error) < 0 && strstr(error.text, cases[i].part) != NULL,
           "'%s' is refused: %s", cases[i].expression, cases[i].part);
        if (strstr(error.text, cases[i].part) == NULL)
            printf("# got: %s\n", error.text);
    }
}

int main(void)
{
    plan_none();
    check_records();
    check_shared_image();
    check_packets();
    check_misfits();
    check_many_links();
    check_other_links();
    check_errors();
    return done_testing();
}
