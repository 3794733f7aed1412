/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records as packets: the octets of a few of them, written out by hand; random ones read again by the packet decoder;
 * and tshark's reading of a file of them, where it is installed.
 */
#include "flow/image.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "decode/packet/packet.h"
#include "lib/tap.h"

static struct address address(const char *text)
{
    struct address result = {{0}};

    if (!address_parse(text, &result))
        ok(false, "%s is an address", text);
    return result;
}

static struct flow record(const char *source, const char *destination, uint8_t protocol)
{
    struct flow flow;

    memset(&flow, 0xa5, sizeof(flow)); /* what is absent must not be looked at */
    flow_clear(&flow);
    flow_set_src_host(&flow, address(source));
    flow_set_dst_host(&flow, address(destination));
    flow_set_proto(&flow, protocol);
    return flow;
}

/* ---- by hand ----------------------------------------------------------------------------------------------------- */

static void is_image(const struct flow *flow, unsigned tags, const char *want, uint32_t length, const char *name)
{
    struct flow_image image = {.made = false};
    char got[2 * flow_image_max + 1] = "";

    flow_image_make(&image, flow, tags);
    for (uint32_t i = 0; i < image.size; i++)
        snprintf(got + 2 * i, 3, "%02x", image.bytes[i]);
    is_text(got, want, "%s", name);
    is_u64(image.length, length, "%s: its length", name);
}

#define no_macs "000000000000" "000000000000"
#define ipv4_pair "0a000001" "c0000209"
#define ipv6_pair "20010db8000000000000000000000001" "20010db8000000000000000000000002"

static void check_ipv4(void)
{
    struct flow flow = record("10.0.0.1", "192.0.2.9", 6);

    is_image(&flow, 2, no_macs "0800" "4500002800000000" "00060000" ipv4_pair
             "00000000" "00000000" "00000000" "50000000" "00000000", 54, "TCP without ports");
    flow_set_src_port(&flow, 1024);
    flow_set_dst_port(&flow, 443);
    flow_set_tcpflags(&flow, 0x112);
    flow_set_tos(&flow, 0xb8);
    flow_set_packets(&flow, 10);
    flow_set_bytes(&flow, 5019);
    flow_set_src_mac(&flow, 0x020000000001);
    flow_set_dst_mac(&flow, 0x0a0b0c0d0e0f);
    is_image(&flow, 2, "0a0b0c0d0e0f" "020000000001" "0800" "45b801f500000000" "00060000" ipv4_pair
             "040001bb" "00000000" "00000000" "51120000" "00000000", 515, "all that TCP has");
    flow_set_proto(&flow, 17);
    is_image(&flow, 2, "0a0b0c0d0e0f" "020000000001" "0800" "45b801f500000000" "00110000" ipv4_pair
             "040001bb" "01e10000", 515, "UDP with its length");
    flow_set_proto(&flow, 132);
    flow_set_packets(&flow, 0);
    is_image(&flow, 2, "0a0b0c0d0e0f" "020000000001" "0800" "45b8002000000000" "00840000" ipv4_pair
             "040001bb" "0000000000000000", 46, "SCTP, no packets: as long as its headers");
    flow_set_proto(&flow, 1);
    flow_set_dst_port(&flow, 0x0803);
    flow_set_packets(&flow, 1);
    flow_set_bytes(&flow, 4000000000);
    is_image(&flow, 2, "0a0b0c0d0e0f" "020000000001" "0800" "45b8ffff00000000" "00010000" ipv4_pair
             "0803" "000000000000", 65549, "ICMP, longer than a packet can be");
    flow_set_proto(&flow, 47);
    is_image(&flow, 2, "0a0b0c0d0e0f" "020000000001" "0800" "45b8ffff00000000" "002f0000" ipv4_pair, 65549,
             "GRE has nothing after IP");
    flow_clear(&flow);
    is_image(&flow, 2, no_macs "0800" "4500001400000000" "00000000" "00000000" "00000000", 34, "an empty record");
}

static void check_ipv6(void)
{
    struct flow flow = record("2001:db8::1", "2001:db8::2", 17);

    flow_set_tos(&flow, 0x12);
    flow_set_flow_label(&flow, 0xabcde);
    flow_set_dst_port(&flow, 53);
    flow_set_packets(&flow, 2);
    flow_set_bytes(&flow, 200);
    is_image(&flow, 2, no_macs "86dd" "612abcde" "003c1100" ipv6_pair "00000035" "003c0000", 114, "UDP over IPv6");
    flow_set_proto(&flow, 58);
    flow_set_dst_port(&flow, 128 << 8);
    is_image(&flow, 2, no_macs "86dd" "612abcde" "003c3a00" ipv6_pair "8000" "000000000000", 114, "ICMPv6");
    flow_set_src_host(&flow, address("::"));
    flow_set_dst_host(&flow, address("::ffff:192.0.2.1"));
    flow.proto = 59;
    is_image(&flow, 2, no_macs "86dd" "612abcde" "003c3b00" "00000000000000000000000000000000"
             "00000000000000000000ffffc0000201", 114, "addresses that are marked in memory");
    flow = record("2001:db8::1", "192.0.2.9", 0);
    is_image(&flow, 2, no_macs "86dd" "60000000" "00000000" "20010db8000000000000000000000001"
             "00000000000000000000000000000000", 54, "an address of the other family is none");
    flow = record("192.0.2.9", "ff00::1", 0);
    is_image(&flow, 2, no_macs "0800" "4500001400000000" "00000000" "c0000209" "00000000", 34, "and here");
}

static void check_link(void)
{
    struct flow flow = record("10.0.0.1", "192.0.2.9", 50);
    const char *ip = "4500001400000000" "00320000" ipv4_pair;
    char want[2 * flow_image_max + 1];

    flow_set_vlan(&flow, 0x1123);
    flow_set_cos(&flow, 5);
    snprintf(want, sizeof(want), no_macs "8100" "a123" "0800" "%s", ip);
    is_image(&flow, 2, want, 38, "a VLAN tag with its priority");
    snprintf(want, sizeof(want), no_macs "0800" "%s", ip);
    is_image(&flow, 0, want, 34, "the same without tags");
    flow_set_in_cvlan(&flow, 7);
    snprintf(want, sizeof(want), no_macs "88a8" "a123" "8100" "0007" "0800" "%s", ip);
    is_image(&flow, 2, want, 42, "two tags");
    snprintf(want, sizeof(want), no_macs "88a8" "a123" "0800" "%s", ip);
    is_image(&flow, 1, want, 38, "the outer one of them");
    flow_set_vlan(&flow, 0);
    flow_set_in_cvlan(&flow, 0);
    flow_set_mpls_label_top(&flow, 16001);
    flow_set_mpls_label_bottom(&flow, 24005);
    snprintf(want, sizeof(want), no_macs "8847" "03e81000" "05dc5100" "%s", ip);
    is_image(&flow, 2, want, 42, "VLAN 0 is no tag; two labels");
    flow_set_mpls_label_bottom(&flow, 16001);
    snprintf(want, sizeof(want), no_macs "8847" "03e81100" "%s", ip);
    is_image(&flow, 2, want, 38, "top and bottom are one label when they are equal");
    flow_clear(&flow);
    flow_set_etype(&flow, 0x0806);
    flow_set_src_mac(&flow, 1);
    is_image(&flow, 2, "000000000000" "000000000001" "0806", 14, "what is not IP");
    flow_set_etype(&flow, 0x86dd);
    is_image(&flow, 0, "000000000000" "000000000001" "86dd" "60000000" "00000000"
             "00000000000000000000000000000000" "00000000000000000000000000000000", 54, "IPv6 by its type alone");
    flow_set_etype(&flow, 0x8100);
    flow_set_dst_host(&flow, address("192.0.2.9"));
    flow_set_src_host(&flow, (struct address){{0}});
    is_image(&flow, 0, "000000000000" "000000000001" "0800" "4500001400000000" "00000000" "00000000" "c0000209", 34,
             "the destination alone tells the family");
}

static void check_making(void)
{
    struct flow flow = record("10.0.0.1", "192.0.2.9", 17), other = record("10.0.0.2", "192.0.2.9", 17);
    struct flow_image image = {.made = false};
    struct field_set fields = {{0}};

    flow_set_vlan(&flow, 5);
    flow_image_make(&image, &flow, 0);
    flow_image_make(&image, &other, 0);
    is_u64(image.bytes[29], 1, "what was made is not made again");
    flow_image_make(&image, &flow, 1);
    ok(image.bytes[12] == 0x81 && image.tags == 1, "unless it is to have tags");
    image.made = false;
    flow_image_make(&image, &other, 1);
    is_u64(image.bytes[29], 2, "or is of another record");
    flow_image_fields(&fields);
    ok(field_set_has(&fields, FIELD_VLAN) && field_set_has(&fields, FIELD_BYTES) &&
           !field_set_has(&fields, FIELD_SRC_AS), "it tells its fields");
}

/* ---- read by the packet decoder ---------------------------------------------------------------------------------- */

static unsigned seed;

static uint64_t random_bits(unsigned bits)
{
    uint64_t value = (uint64_t)rand_r(&seed) << 44 ^ (uint64_t)rand_r(&seed) << 22 ^ (uint64_t)rand_r(&seed);

    return value & ((UINT64_C(1) << bits) - 1);
}

static void random_addresses(struct flow *flow)
{
    bool ipv6 = random_bits(1) != 0;
    struct address *ends[] = {&flow->src_host, &flow->dst_host};

    for (unsigned i = 0; i < 2; i++) {
        uint8_t octets[16];

        for (unsigned k = 0; k < sizeof(octets); k++)
            octets[k] = (uint8_t)random_bits(8);
        octets[0] = 0x20;
        if (ipv6)
            address_set_ipv6(ends[i], octets);
        else
            address_set_ipv4(ends[i], octets);
    }
    flow_set_src_host(flow, flow->src_host);
    flow_set_dst_host(flow, flow->dst_host);
    if (ipv6)
        flow_set_flow_label(flow, (uint32_t)random_bits(20));
}

static struct flow random_record(void)
{
    static const uint8_t protocols[] = {1, 6, 17, 50, 58, 89, 132, 136};
    struct flow flow;

    memset(&flow, 0, sizeof(flow));
    random_addresses(&flow);
    flow_set_proto(&flow, protocols[random_bits(3)]);
    flow_set_tos(&flow, (uint8_t)random_bits(8));
    flow_set_src_mac(&flow, random_bits(48));
    flow_set_dst_mac(&flow, random_bits(48));
    flow_set_packets(&flow, 1 + random_bits(4));
    flow_set_bytes(&flow, flow.packets * (80 + random_bits(10)));
    if (flow.proto != 1 && flow.proto != 58 && flow.proto != 50 && flow.proto != 89) {
        flow_set_src_port(&flow, (uint16_t)random_bits(16));
        flow_set_dst_port(&flow, (uint16_t)random_bits(16));
    }
    if (flow.proto == 17) { /* ports on which the decoder looks for tunnels */
        flow.src_port |= 0x8000;
        flow.dst_port |= 0x8000;
    }
    if (flow.proto == 6)
        flow_set_tcpflags(&flow, random_bits(8));
    if (random_bits(1) != 0) {
        flow_set_vlan(&flow, (uint16_t)(1 + random_bits(10)));
        flow_set_cos(&flow, (uint8_t)random_bits(3));
        if (random_bits(1) != 0)
            flow_set_in_cvlan(&flow, (uint16_t)(1 + random_bits(10)));
    }
    if (random_bits(1) != 0) {
        flow_set_mpls_label_top(&flow, (uint32_t)(16 + random_bits(16)));
        flow_set_mpls_label_bottom(&flow, random_bits(1) != 0 ? flow.mpls_label_top : 16 + (uint32_t)random_bits(16));
    }
    return flow;
}

/* The name of the first member that came out otherwise, or NULL. */
static const char *difference(const struct flow *want, const struct flow *got)
{
    static const uint8_t compared[] = {
        FIELD_SRC_HOST, FIELD_DST_HOST, FIELD_PROTO, FIELD_TOS, FIELD_SRC_MAC, FIELD_DST_MAC,
        FIELD_SRC_PORT, FIELD_DST_PORT, FIELD_TCPFLAGS, FIELD_VLAN, FIELD_COS,     FIELD_IN_CVLAN,
        FIELD_FLOW_LABEL, FIELD_MPLS_LABEL_TOP, FIELD_MPLS_LABEL_BOTTOM,
    };

    for (unsigned i = 0; i < array_length(compared); i++) {
        const struct field *field = &field_table[compared[i]];
        enum field_id id = (enum field_id)compared[i];

        if (flow_has(want, id) && (!flow_has(got, id) ||
                                   memcmp((const uint8_t *)want + field->flow_offset,
                                          (const uint8_t *)got + field->flow_offset, field->flow_bytes) != 0))
            return field->keyword;
    }
    return NULL;
}

static const char *read_again(const struct flow *flow)
{
    struct flow_image image = {.made = false};
    struct field_set all;
    struct packet_info info = {.want_inner = false};
    struct flow got;

    memset(&all, 0xff, sizeof(all));
    memset(&got, 0, sizeof(got));
    flow_image_make(&image, flow, flow_image_all_tags);
    if (packet_decode(cursor_over(image.bytes, image.size), PACKET_LINK_ETHERNET, &all, &got, &info) != PACKET_IP)
        return "IP";
    if (info.ip_bytes != flow->bytes / flow->packets)
        return "the length of IP";
    if (image.length != info.l2_bytes + info.ip_bytes)
        return "the length of the packet";
    return difference(flow, &got);
}

static void check_random_records(void)
{
    unsigned start = seed = (unsigned)time(NULL), wrong = 0;

    for (unsigned i = 0; i < 50000 && wrong < 5; i++) {
        struct flow flow = random_record();
        const char *what = read_again(&flow);

        wrong += what != NULL;
        if (what != NULL)
            printf("# record %u: %s\n", i, what);
    }
    is_u64(wrong, 0, "the packet decoder reads in 50000 random images what was put there, seed %u", start);
}

/* ---- read by tshark ---------------------------------------------------------------------------------------------- */

#define tshark_command                                                                                               \
    "tshark -n -r %s -T fields -E separator=' ' -E occurrence=a -E aggregator=,"                                       \
    " -e frame.len -e frame.cap_len -e eth.src -e ieee8021ad.id -e ieee8021ad.priority -e vlan.id -e mpls.label"       \
    " -e mpls.bottom -e ip.src -e ipv6.dst -e ip.len -e ipv6.plen -e ip.dsfield.dscp -e ip.proto -e ipv6.nxt"          \
    " -e tcp.srcport -e tcp.dstport -e tcp.flags.syn -e tcp.flags.ack -e tcp.flags.fin -e udp.dstport -e udp.length"   \
    " -e icmp.type -e icmp.code -e sctp.dstport 2>/dev/null"

static void write_packet(FILE *file, const struct flow *flow)
{
    struct flow_image image = {.made = false};
    uint32_t header[4] = {1795168800, 0, 0, 0};

    flow_image_make(&image, flow, flow_image_all_tags);
    header[2] = image.size;
    header[3] = image.length;
    fwrite(header, sizeof(header), 1, file);
    fwrite(image.bytes, image.size, 1, file);
}

static void write_packets(FILE *file)
{
    static const struct {
        uint32_t magic;
        uint16_t major, minor;
        uint32_t zone, accuracy, snaplen, link;
    } head = {0xa1b2c3d4, 2, 4, 0, 0, 262144, 1};
    struct flow flow = record("10.0.0.1", "192.0.2.9", 6);

    fwrite(&head, sizeof(head), 1, file);
    flow_set_src_mac(&flow, 0x020000000001);
    flow_set_src_port(&flow, 1024);
    flow_set_dst_port(&flow, 8443);
    flow_set_tcpflags(&flow, 0x12);
    flow_set_tos(&flow, 0xb8);
    flow_set_packets(&flow, 2);
    flow_set_bytes(&flow, 200);
    flow_set_vlan(&flow, 100);
    flow_set_cos(&flow, 3);
    flow_set_in_cvlan(&flow, 200);
    write_packet(file, &flow);
    flow = record("2001:db8::1", "2001:db8::2", 17);
    flow_set_src_port(&flow, 40000);
    flow_set_dst_port(&flow, 40001);
    flow_set_tos(&flow, 0x20);
    flow_set_flow_label(&flow, 0x12345);
    flow_set_packets(&flow, 1);
    flow_set_bytes(&flow, 148);
    flow_set_mpls_label_top(&flow, 16001);
    flow_set_mpls_label_bottom(&flow, 24005);
    write_packet(file, &flow);
    flow = record("10.0.0.1", "192.0.2.9", 1);
    flow_set_dst_port(&flow, 0x0301);
    write_packet(file, &flow);
    flow = record("10.0.0.1", "192.0.2.9", 132);
    flow_set_dst_port(&flow, 3868);
    write_packet(file, &flow);
}

/* A line for each packet: one value for each -e, empty where it has none. */
static void check_tshark(void)
{
    static const char *const want[] = {
        "122 62 02:00:00:00:00:01 100 3 200   10.0.0.1  100  46 6  1024 8443 1 1 0     ",
        "170 70 00:00:00:00:00:00    16001,24005 0,1  2001:db8::2  108   17      40001 108   ",
        "42 42 00:00:00:00:00:00      10.0.0.1  28  0 1         3 1 ",
        "46 46 00:00:00:00:00:00      10.0.0.1  32  0 132           3868",
    };
    char path[] = "/tmp/flowledger-image-XXXXXX", command[1024], line[1024];
    FILE *file, *reader;

    if (system("command -v tshark >/dev/null 2>&1") != 0) {
        ok(true, "tshark reads the images # SKIP it is not installed");
        return;
    }
    file = fdopen(mkstemp(path), "w");
    write_packets(file);
    fclose(file);
    snprintf(command, sizeof(command), tshark_command, path);
    reader = popen(command, "r");
    for (unsigned i = 0; i < array_length(want); i++) {
        if (fgets(line, sizeof(line), reader) == NULL)
            line[0] = '\0';
        line[strcspn(line, "\n")] = '\0';
        is_text(line, want[i], "tshark reads packet %u", i + 1);
    }
    pclose(reader);
    unlink(path);
}

int main(void)
{
    plan_none();
    check_ipv4();
    check_ipv6();
    check_link();
    check_making();
    check_random_records();
    check_tshark();
    return done_testing();
}
