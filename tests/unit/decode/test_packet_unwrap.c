/* SPDX-License-Identifier: BSD-2-Clause */
/* Tunnels that are taken off (tunnel_0), the innermost packet instead of the first inner one, and STT. */
#include "test_packet_cases.h"
#include "test_packet_run.h"

/* Tunnels in tunnels: VXLAN over GRE over IPv4; GTP over IPv6 in IPv4; five times IPv4. */
static void gre_vxlan(struct octets *f)
{
    put_ethernet(f, 0x0800);
    put_ipv4(f, 47, 4 + 20 + 66, 0, false);
    put_hex(f, "0000 0800");
    put_ipv4(f, 17, 66, 0, true);
    put_udp_header(f, 4789, 58);
    put_hex(f, "08000000 00303900");
    put_ethernet(f, 0x0800);
    put_plain(f);
}

static void ipv6_gtp(struct octets *f)
{
    put_ethernet(f, 0x8100);
    put_hex(f, "a064 0800");
    put_ipv4(f, 41, 40 + 52, 0, false);
    put_ipv6(f, 17, 52, true);
    put_udp_header(f, 2152, 44);
    put_hex(f, "30ff 0024 00000001");
    put_plain(f);
}

static void five(struct octets *f)
{
    put_ethernet(f, 0x0800);
    for (unsigned i = 5; i > 1; i--)
        put_ipv4(f, 4, 16 + 20 * (i - 1), 0, true);
    put_plain(f);
}

static void stt_first(struct octets *f)
{
    put_ethernet(f, 0x0800);
    put_ipv4(f, 6, 88, 0, false);
    put_hex(f, "c350 1d2f 00440000 00000001 5018 ffff 0000 0000  00 00 00 00 0000 0000 0000000000000001 0000");
    put_inner_frame(f);
}

static void stt_later(struct octets *f)
{
    stt_first(f);
    f->bytes[14 + 20 + 7] = 9;
}

static void vxlan_inner_arp(struct octets *f)
{
    put_ethernet(f, 0x0800);
    put_ipv4(f, 4, 20 + 8 + 8 + 14 + 8, 0, false);
    put_ipv4(f, 17, 8 + 8 + 14 + 8, 0, true);
    put_udp_header(f, 4789, 30);
    put_hex(f, "08000000 00303900");
    put_inner_ethernet(f, 0x0806);
    put_hex(f, "0001 0800 0604 0001");
}

static const struct vector stt_vectors[] = {
    {"STT", PACKET_LINK_ETHERNET, stt_first, "ip etype=800" MACS HOSTS4
     " proto=6 tos=184 src_port=50000 dst_port=7471 tcpflags=24" INNER_MACS INNER, "108 14 inner 50 ethernet"},
    {"a later part of STT", PACKET_LINK_ETHERNET, stt_later, "ip etype=800" MACS HOSTS4
     " proto=6 tos=184 src_port=50000 dst_port=7471 tcpflags=24", "108 14"},
};

static void test_innermost(void)
{
    static const struct {
        const char *name;
        void (*build)(struct octets *f);
        const char *tunnel; /* the fields of the tunnel */
    } rows[] = {
        {"one tunnel", vxlan, " vxlan=12345" INNER_MACS INNER},
        {"VXLAN in GRE", gre_vxlan, " vxlan=12345 tunnel_src_mac=2000000000a tunnel_dst_mac=2000000000b"
         " tunnel_src_host=10.0.0.1 tunnel_dst_host=10.0.0.2 tunnel_proto=17 tunnel_tos=184"
         " tunnel_src_port=1111 tunnel_dst_port=2222"},
        {"GTP in IPv6 in IPv4", ipv6_gtp, " tunnel_src_host=10.0.0.1 tunnel_dst_host=10.0.0.2 tunnel_proto=17"
         " tunnel_tos=184 tunnel_src_port=1111 tunnel_dst_port=2222"},
        {"five headers", five, " tunnel_src_host=10.0.0.1 tunnel_dst_host=10.0.0.2 tunnel_proto=17 tunnel_tos=184"
         " tunnel_src_port=1111 tunnel_dst_port=2222"},
        {"what is no packet, innermost", vxlan_inner_arp, " vxlan=12345" INNER_MACS},
    };
    const struct field_set everything = all_fields();

    for (unsigned i = 0; i < array_length(rows); i++) {
        struct packet_info info = {.innermost = true};
        struct octets frame = {.size = 0};
        struct field_set tunnel = {0};
        char text[2000];
        struct flow flow;

        rows[i].build(&frame);
        flow_clear(&flow);
        packet_decode(cursor_over(frame.bytes, frame.size), PACKET_LINK_ETHERNET, &everything, &flow, &info);
        for (unsigned id = FIELD_VXLAN; id <= FIELD_TUNNEL_FLOW_LABEL; id++)
            field_set_add(&tunnel, (enum field_id)id);
        dump_flow(&flow, &tunnel, text, sizeof(text));
        is_text(text, rows[i].tunnel, "innermost: %s", rows[i].name);
        ok(info.innermost && info.inner != NULL, "inner is that of the first tunnel");
    }
}

/* What a frame is after tunnel_0: "as it is" when it does not match, else its link and fields. */
static void unwrap(const char *text, void (*build)(struct octets *f), const char *want)
{
    const struct field_set everything = all_fields();
    struct packet_unwrap layers;
    enum packet_link link = PACKET_LINK_ETHERNET;
    struct packet_info info = {0};
    struct octets octets = {.size = 0};
    struct cursor frame;
    struct error error;
    char fields[2000], got[2100];
    struct flow flow;

    if (!ok(packet_unwrap_parse(&layers, text, &error) == 0, "%s: %s", text, error.text))
        return;
    build(&octets);
    frame = cursor_over(octets.bytes, octets.size);
    if (!packet_unwrap(&layers, &frame, &link)) {
        is_text("as it is", want, "%s", text);
        ok(frame.at == octets.bytes && link == PACKET_LINK_ETHERNET && !frame.failed, "nothing has moved");
        return;
    }
    flow_clear(&flow);
    packet_decode(frame, link, &everything, &flow, &info);
    dump_flow(&flow, NULL, fields, sizeof(fields));
    snprintf(got, sizeof(got), "%s%s", link_name[link], fields);
    is_text(got, want, "%s", text);
}

#define INSIDE " src_host=192.168.7.1 dst_host=192.168.7.2 proto=17 tos=32 src_port=5353 dst_port=53"
#define INSIDE_FRAME "ethernet etype=800 src_mac=600000000aa dst_mac=600000000bb" INSIDE

static void test_unwrap(void)
{
    unwrap("gtp, 2152", gtp, "ipv4" INSIDE);
    unwrap("gtp", gtp, "ipv4" INSIDE);
    unwrap("gtp,2152", gtp_extension, "ipv4" INSIDE);
    unwrap("gtp, 3386", gtp_old, "ipv4" INSIDE);
    unwrap("gtp, 2153", gtp, "as it is");
    unwrap("gtp", gtp_echo, "as it is");
    unwrap("gtp", ethernet_udp, "as it is");
    unwrap("vxlan", vxlan, INSIDE_FRAME);
    unwrap("vxlan, 7777", vxlan_other_port, INSIDE_FRAME);
    unwrap("vxlan", vxlan_invalid, "as it is");
    unwrap("vxlan-gpe", vxlan_gpe, "ipv4" INSIDE);
    unwrap("geneve, 6081", geneve, INSIDE_FRAME);
    unwrap("gre", gre_plain, "ipv4" INSIDE);
    unwrap("gre, 0", gre_nvgre, INSIDE_FRAME);
    unwrap("gre, 4754", gre_udp, "ipv4" INSIDE);
    unwrap("gre", gre_udp, "as it is");
    unwrap("ipip, 0", ipip, "ipv4" INSIDE);
    unwrap("ipip", srv6, "ipv4" INSIDE);
    unwrap("ipip", srv6_ethernet, "as it is");
    unwrap("srv6", srv6_ethernet, INSIDE_FRAME);
    unwrap("l2tp", l2tp, "ppp" INSIDE);
    unwrap("l2tp", l2tp_control, "as it is");
    unwrap("mpls, 6635", mpls_udp, "mpls" INSIDE " mpls_label_bottom=100 mpls_label_top=100 mpls_label_stack=100");
    unwrap("mpls", mpls_udp, "as it is");
    unwrap("etherip", etherip, INSIDE_FRAME);
    unwrap("stt", stt_first, INSIDE_FRAME);
    unwrap("stt", stt_later, "as it is");
    unwrap("ipip", tunnel_fragment, "as it is");
    unwrap("gre; vxlan, 4789", gre_vxlan, "ethernet etype=800" MACS PLAIN);
    unwrap("ipip;gtp", ipv6_gtp, "ipv4" PLAIN);
    unwrap("gtp;ipip", ipv6_gtp, "as it is");
    unwrap("ipip; gtp; ipip", ipv6_gtp, "as it is");
    unwrap("ipip;ipip;ipip;ipip;", five, "ipv4" PLAIN);
}

static void test_phrases(void)
{
    static const char *const rows[][2] = {
        {"", "unknown tunnel ''; known are gtp, vxlan, vxlan-gpe, geneve, l2tp, gre, ipip, mpls, etherip, srv6, stt"},
        {"gpt, 2152", "unknown tunnel 'gpt': did you mean 'gtp'?"},
        {"wireguard", "unknown tunnel 'wireguard'; known are gtp, vxlan, vxlan-gpe, geneve, l2tp, gre, ipip, mpls, "
                      "etherip, srv6, stt"},
        {"gtp, 99999", "'99999' is no port"},
        {"gtp, x", "'x' is no port"},
        {"gtp, 0", "gtp is over UDP: port 0 is none, 2152 is the usual one"},
        {"ipip, 4", "ipip is not over UDP and has no port: write 'ipip' or 'ipip, 0'"},
        {"gtp, 1, 2", "'gtp, 1, 2' is not 'TUNNEL' or 'TUNNEL, PORT'"},
        {"gtp;;gtp", "unknown tunnel ''; known are gtp, vxlan, vxlan-gpe, geneve, l2tp, gre, ipip, mpls, etherip, "
                     "srv6, stt"},
        {"gre;gre;gre;gre;gre", "more than 4 tunnels, one in the other"},
        {"gtp                                       , 2152", "'gtp                                     ' is not "
                                                             "'TUNNEL' or 'TUNNEL, PORT'"},
    };

    for (unsigned i = 0; i < array_length(rows); i++) {
        struct packet_unwrap layers;
        struct error error = {.text = ""};

        ok(packet_unwrap_parse(&layers, rows[i][0], &error) == -1, "refused: '%s'", rows[i][0]);
        is_text(error.text, rows[i][1], "and why");
    }
}

/* Whatever is captured of a tunnel: it is taken off whole, or not at all. */
static void test_cuts(void)
{
    struct packet_unwrap layers;
    struct octets octets = {.size = 0};
    unsigned bad = 0, off = 0;

    packet_unwrap_parse(&layers, "gre;vxlan", NULL);
    gre_vxlan(&octets);
    for (size_t size = 0; size <= octets.size; size++) {
        enum packet_link link = PACKET_LINK_ETHERNET;
        uint8_t *copy = malloc(size + (size == 0));
        struct cursor frame = cursor_over(copy, size);

        memcpy(copy, octets.bytes, size);
        if (packet_unwrap(&layers, &frame, &link)) {
            off++;
            bad += frame.at <= copy || frame.at >= copy + size || frame.end > copy + size;
        } else {
            bad += frame.at != copy || frame.end != copy + size || link != PACKET_LINK_ETHERNET;
        }
        free(copy);
    }
    ok(bad == 0 && off == 50, "cut at every length, %u are long enough", off);
}

int main(void)
{
    plan_none();
    for (unsigned i = 0; i < array_length(stt_vectors); i++) {
        struct octets frame = {.size = 0};

        stt_vectors[i].build(&frame);
        test_whole(&stt_vectors[i], &frame);
        test_cut(&stt_vectors[i], &frame);
    }
    test_innermost();
    test_unwrap();
    test_phrases();
    test_cuts();
    return done_testing();
}
