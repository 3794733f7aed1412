/* SPDX-License-Identifier: BSD-2-Clause */
/* The vectors of the packet decoder: a builder and a line of expectation each. */
#ifndef TESTS_PACKET_CASES_H
#define TESTS_PACKET_CASES_H

#include "test_packet_vectors.h"

#define BUILD(name) static inline void name(struct octets *f)

/* Link layers */
BUILD(ethernet_udp) { put_ethernet(f, 0x0800); put_plain(f); }
BUILD(ethernet_tcp) { put_ethernet(f, 0x0800); put_ipv4(f, 6, 20, 0x4000, false); put_tcp(f, 0x1c2); }
BUILD(ethernet_padded)
{
    put_ethernet(f, 0x0800);
    put_ipv4(f, 17, 2, 0, false);
    put_hex(f, "0457 08ae 0000 0000 0000");
}
BUILD(ethernet_arp) { put_ethernet(f, 0x0806); put_hex(f, "0001 0800 0604 0001"); }
BUILD(ethernet_spanning_tree) { put_ethernet(f, 38); put_hex(f, "424203 0000 02 02 3c 0000"); }
BUILD(ethernet_snap) { put_ethernet(f, 44); put_hex(f, "aaaa03 000000 0800"); put_plain(f); }
BUILD(ethernet_cisco) { put_ethernet(f, 20); put_hex(f, "aaaa03 00000c 2000 02b4 0000"); }
BUILD(ethernet_llc_ip) { put_ethernet(f, 39); put_hex(f, "060603"); put_plain(f); }
BUILD(ethernet_undefined) { put_ethernet(f, 1501); put_plain(f); }
BUILD(llc_snap) { put_hex(f, "aaaa03 0000f8 0800"); put_plain(f); }
BUILD(vlan) { put_ethernet(f, 0x8100); put_hex(f, "a064 0800"); put_plain(f); }
BUILD(vlan_priority_only) { put_ethernet(f, 0x8100); put_hex(f, "e000 0800"); put_plain(f); }
BUILD(vlan_two) { put_ethernet(f, 0x88a8); put_hex(f, "6190 8100 20c8 0800"); put_plain(f); }
BUILD(vlan_four)
{
    put_ethernet(f, 0x9100);
    put_hex(f, "0001 9200 0002 9300 0003 8100 0004 86dd");
    put_ipv6(f, 17, 16, false);
    put_udp(f, 1111, 2222);
}
BUILD(vlan_five)
{
    put_ethernet(f, 0x8100);
    put_hex(f, "0001 8100 0002 8100 0003 8100 0004 8100 0005 0800");
    put_plain(f);
}
BUILD(vlan_llc) { put_ethernet(f, 0x8100); put_hex(f, "0064 002c aaaa03 000000 0800"); put_plain(f); }
BUILD(vlan_ipv6)
{
    put_ethernet(f, 0x8100);
    put_hex(f, "a064 86dd");
    put_ipv6(f, 17, 16, false);
    put_udp(f, 1111, 2222);
}
BUILD(vlan_lldp) { put_ethernet(f, 0x8100); put_hex(f, "0064 88cc 0207 04"); }
BUILD(pppoe) { put_ethernet(f, 0x8864); put_hex(f, "1100 0001 0026 0021"); put_plain(f); }
BUILD(pppoe_ipv6)
{
    put_ethernet(f, 0x8864);
    put_hex(f, "1100 0001 003a 0057");
    put_ipv6(f, 17, 16, false);
    put_udp(f, 1111, 2222);
}
BUILD(pppoe_lcp) { put_ethernet(f, 0x8864); put_hex(f, "1100 0001 000a c021 0901 0008 0000 0000"); }
BUILD(ppp_long) { put_hex(f, "ff03 0021"); put_plain(f); }
BUILD(ppp_short) { put_hex(f, "21"); put_plain(f); }
BUILD(ppp_mpls) { put_hex(f, "ff03 0281 00064140"); put_plain(f); }
BUILD(ppp_hdlc) { put_hex(f, "0f00 0800"); put_plain(f); }
BUILD(raw_ipv4) { put_plain(f); }
BUILD(raw_ipv6) { put_ipv6(f, 17, 16, false); put_udp(f, 1111, 2222); }
BUILD(backbone)
{
    put_ethernet(f, 0x88a8);
    put_hex(f, "0064 88e7 00001234");
    put_inner_ethernet(f, 0x8100);
    put_hex(f, "0fff 0800");
    put_plain(f);
}
BUILD(fabricpath)
{
    put_hex(f, "aabbccddeeff 112233445566 8903 0400");
    put_ethernet(f, 0x8100);
    put_hex(f, "0064 0800");
    put_plain(f);
}
BUILD(vntag) { put_ethernet(f, 0x8926); put_hex(f, "80010000 0800"); put_plain(f); }
BUILD(macsec_clear)
{
    put_ethernet(f, 0x88e5);
    put_hex(f, "2000 00000001 0200000000010001 0800");
    put_plain(f);
    put_hex(f, "00112233445566778899aabbccddeeff");
}
BUILD(macsec_secret) { put_ethernet(f, 0x88e5); put_hex(f, "2c00 00000001 0200000000010001 0800"); put_plain(f); }
BUILD(trill)
{
    put_ethernet(f, 0x22f3);
    put_hex(f, "0045 0001 0002 01020304");
    put_inner_ethernet(f, 0x0800);
    put_plain(f);
}
BUILD(nsh)
{
    put_ethernet(f, 0x894f);
    put_hex(f, "0fc20201 00001 0ff");
    put_ethernet(f, 0x0800);
    put_plain(f);
    f->bytes[17] = 3;
}
BUILD(nsh_ipv4)
{
    put_ethernet(f, 0x894f);
    put_hex(f, "0fc6 0101 000010ff 00000001 00000002 00000003 00000004");
    put_plain(f);
}
BUILD(wifi_from_ds)
{
    put_hex(f, "0802 0000 02000000000b 020000000099 02000000000a 0000 aaaa03 000000 0800");
    put_plain(f);
}
BUILD(wifi_quality)
{
    put_hex(f, "8881 0000 020000000099 02000000000a 02000000000b 0000 0000 00000000 aaaa03 000000 0800");
    put_plain(f);
}
BUILD(wifi_bridge)
{
    put_hex(f, "0803 0000 020000000098 020000000099 02000000000b 0000 02000000000a aaaa03 000000 0800");
    put_plain(f);
}
BUILD(wifi_aggregate)
{
    put_hex(f, "8802 0000 020000000097 020000000098 020000000099 0000 8000"
               "02000000000b 02000000000a 002c aaaa03 000000 0800");
    put_plain(f);
}
BUILD(wifi_protected) { put_hex(f, "0842 0000 02000000000b 020000000099 02000000000a 0000 0102 0304 0506 0708"); }
BUILD(wifi_beacon) { put_hex(f, "8000 0000 ffffffffffff 020000000099 020000000099 0000 0000"); }

/* MPLS */
BUILD(mpls_one) { put_ethernet(f, 0x8847); put_hex(f, "00064140"); put_plain(f); }
BUILD(mpls_three)
{
    put_ethernet(f, 0x8848);
    put_hex(f, "03e80040 03e90040 fffff140");
    put_ipv6(f, 17, 16, false);
    put_udp(f, 1111, 2222);
}
BUILD(mpls_null4) { put_ethernet(f, 0x8847); put_hex(f, "00000140"); put_plain(f); }
BUILD(mpls_null6)
{
    put_ethernet(f, 0x8847);
    put_hex(f, "00002140");
    put_ipv6(f, 17, 16, false);
    put_udp(f, 1111, 2222);
}
BUILD(mpls_entropy) { put_ethernet(f, 0x8847); put_hex(f, "00064040 00007040 abcde140"); put_plain(f); }
BUILD(mpls_control_word)
{
    put_ethernet(f, 0x8847);
    put_hex(f, "00064140 00000000");
    put_inner_ethernet(f, 0x8100);
    put_hex(f, "0064 0800");
    put_plain(f);
}
BUILD(mpls_numbered)
{
    put_ethernet(f, 0x8847);
    put_hex(f, "00064140 00000007");
    put_inner_ethernet(f, 0x0800);
    put_plain(f);
}
BUILD(mpls_bare_ethernet)
{
    put_ethernet(f, 0x8847);
    put_hex(f, "00064140 aa00000000bb 0600000000aa 0800");
    put_plain(f);
}
BUILD(mpls_station_four)
{
    put_ethernet(f, 0x8847);
    put_hex(f, "00064140 400000000001 0600000000aa 0800");
    put_plain(f);
}
BUILD(mpls_channel) { put_ethernet(f, 0x8847); put_hex(f, "00064040 0000d140 10000007"); put_plain(f); }
BUILD(mpls_opaque)
{
    put_ethernet(f, 0x8847);
    put_hex(f, "00064140");
    for (int i = 0; i < 10; i++)
        put32(f, 0xdeadbeef);
}
BUILD(mpls_link) { put_hex(f, "00064040 000c8140"); put_plain(f); }
BUILD(mpls_deep)
{
    put_ethernet(f, 0x8847);
    for (int i = 0; i < 40; i++)
        put32(f, 0xfffff040);
    put_hex(f, "00064140");
    put_plain(f);
}

/* IPv4 */
BUILD(ipv4_options)
{
    put_ethernet(f, 0x0800);
    put_hex(f, "4700 002c 0000 0000 4011 0000 0a000001 0a000002 01010101 01010100");
    put_udp(f, 1111, 2222);
}
BUILD(ipv4_no_length) { put_ethernet(f, 0x0800); put_plain(f); f->bytes[16] = 0; f->bytes[17] = 0; }
BUILD(ipv4_short_header) { put_ethernet(f, 0x0800); put_plain(f); f->bytes[14] = 0x44; }
BUILD(ipv4_wrong_version) { put_ethernet(f, 0x0800); put_plain(f); f->bytes[14] = 0x65; }
BUILD(ipv4_length_too_small) { put_ethernet(f, 0x0800); put_plain(f); f->bytes[17] = 19; }
BUILD(ipv4_first_fragment) { put_ethernet(f, 0x0800); put_ipv4(f, 17, 16, 0x2000, false); put_udp(f, 1111, 2222); }
BUILD(ipv4_later_fragment) { put_ethernet(f, 0x0800); put_ipv4(f, 17, 16, 0x2001, false); put_udp(f, 1111, 2222); }
BUILD(ipv4_icmp) { put_ethernet(f, 0x0800); put_ipv4(f, 1, 8, 0, false); put_hex(f, "0304 0000 0000 0000"); }
BUILD(ipv4_sctp) { put_ethernet(f, 0x0800); put_ipv4(f, 132, 16, 0, false); put_udp(f, 1111, 2222); }
BUILD(ipv4_dccp) { put_ethernet(f, 0x0800); put_ipv4(f, 33, 16, 0, false); put_udp(f, 1111, 2222); }
BUILD(ipv4_udplite) { put_ethernet(f, 0x0800); put_ipv4(f, 136, 16, 0, false); put_udp(f, 1111, 2222); }
BUILD(ipv4_esp) { put_ethernet(f, 0x0800); put_ipv4(f, 50, 16, 0, false); put_udp(f, 1111, 2222); }
BUILD(ipv4_ah)
{
    put_ethernet(f, 0x0800);
    put_ipv4(f, 51, 40, 0, false);
    put_hex(f, "1104 0000 00000001 00000001 112233445566778899aabbcc");
    put_udp(f, 1111, 2222);
}

/* IPv6 and its headers; P9 to P12 are the cases on which a peer was seen to fail */
#define HOP_BY_HOP "00 0502 0000 0100"
#define PAD8 "00 0104 0000 0000"
BUILD(ipv6_tcp) { put_ethernet(f, 0x86dd); put_ipv6(f, 6, 20, false); put_tcp(f, 0x012); }
BUILD(ipv6_p9)
{
    put_ethernet(f, 0x86dd);
    put_ipv6(f, 0, 24, false);
    put_hex(f, "11" HOP_BY_HOP);
    put_udp(f, 1111, 2222);
}
BUILD(ipv6_p10)
{
    put_ethernet(f, 0x86dd);
    put_ipv6(f, 0, 32, false);
    put_hex(f, "3c" HOP_BY_HOP "11" PAD8);
    put_udp(f, 1111, 2222);
}
BUILD(ipv6_p11)
{
    put_ethernet(f, 0x86dd);
    put_ipv6(f, 51, 40, false);
    put_hex(f, "1104 0000 00000001 00000001 112233445566778899aabbcc");
    put_udp(f, 1111, 2222);
}
BUILD(ipv6_p12)
{
    put_ethernet(f, 0x86dd);
    put_ipv6(f, 44, 24, false);
    put_hex(f, "1100 0009 00000001");
    put_udp(f, 12345, 12345);
}
BUILD(ipv6_first_fragment)
{
    put_ethernet(f, 0x86dd);
    put_ipv6(f, 44, 24, false);
    put_hex(f, "1107 0001 00000001");
    put_udp(f, 1111, 2222);
}
BUILD(ipv6_routing)
{
    put_ethernet(f, 0x86dd);
    put_ipv6(f, 43, 40, false);
    put_hex(f, "1102 0400 00000000 20010db8000000000000000000000009");
    put_udp(f, 1111, 2222);
}
BUILD(ipv6_mobility)
{
    put_ethernet(f, 0x86dd);
    put_ipv6(f, 135, 16, false);
    put_hex(f, "3b01 0500 0000 0000 0000 0000 0000 0000");
}
BUILD(ipv6_hip_shim6)
{
    put_ethernet(f, 0x86dd);
    put_ipv6(f, 139, 32, false);
    put_hex(f, "8c00 0000 0000 0000 1100 8000 0000 0000");
    put_udp(f, 1111, 2222);
}
BUILD(ipv6_esp)
{
    put_ethernet(f, 0x86dd);
    put_ipv6(f, 60, 24, false);
    put_hex(f, "32" PAD8);
    put_udp(f, 1111, 2222);
}
BUILD(ipv6_none) { put_ethernet(f, 0x86dd); put_ipv6(f, 59, 0, false); put_hex(f, "0457 08ae"); }
BUILD(ipv6_icmp) { put_ethernet(f, 0x86dd); put_ipv6(f, 58, 8, false); put_hex(f, "8000 0000 0001 0001"); }
BUILD(ipv6_eight_headers)
{
    put_ethernet(f, 0x86dd);
    put_ipv6(f, 60, 80, false);
    for (int i = 0; i < 7; i++)
        put_hex(f, "3c" PAD8);
    put_hex(f, "11" PAD8);
    put_udp(f, 1111, 2222);
}
BUILD(ipv6_nine_headers)
{
    put_ethernet(f, 0x86dd);
    put_ipv6(f, 60, 88, false);
    for (int i = 0; i < 8; i++)
        put_hex(f, "3c" PAD8);
    put_hex(f, "11" PAD8);
    put_udp(f, 1111, 2222);
}
BUILD(ipv6_jumbo)
{
    put_ethernet(f, 0x86dd);
    put_ipv6(f, 0, 0, false);
    put_hex(f, "1100 c204 00011170");
    put_udp(f, 1111, 2222);
}
BUILD(ipv6_no_length) { put_ethernet(f, 0x86dd); put_ipv6(f, 17, 0, false); put_udp(f, 1111, 2222); }
BUILD(ipv6_wrong_version)
{
    put_ethernet(f, 0x86dd);
    put_ipv6(f, 17, 16, false);
    f->bytes[14] = 0x45;
    put_udp(f, 1111, 2222);
}
BUILD(ipv6_chain_past_end)
{
    put_ethernet(f, 0x86dd);
    put_ipv6(f, 60, 16, false);
    put_hex(f, "11ff 0104 0000 0000");
    put_hex(f, "0457 08ae 0000 0000");
}
BUILD(ipv6_chain_past_length)
{
    put_ethernet(f, 0x86dd);
    put_ipv6(f, 60, 4, false);
    put_hex(f, "11" PAD8);
    put_udp(f, 1111, 2222);
}
BUILD(ipv6_chain_then_padding)
{
    put_ethernet(f, 0x86dd);
    put_ipv6(f, 60, 8, false);
    put_hex(f, "11" PAD8);
    put_udp(f, 1111, 2222);
}
BUILD(ipv6_mapped)
{
    put_ethernet(f, 0x86dd);
    put_ipv6(f, 17, 16, false);
    memset(f->bytes + 22, 0, 16);
    f->bytes[32] = 255;
    f->bytes[33] = 255;
    put_udp(f, 1111, 2222);
}

/* Tunnels */
#define OUTER4(proto, bytes) put_ethernet(f, 0x0800); put_ipv4(f, proto, bytes, 0, false)
#define OUTER_UDP(port, bytes) OUTER4(17, 8 + (bytes)); put_udp_header(f, port, bytes)
BUILD(ipip) { OUTER4(4, 36); put_inner_ipv4(f); }
BUILD(ipip_94) { OUTER4(94, 36); put_inner_ipv4(f); }
BUILD(ipv6_in_ipv4) { OUTER4(41, 60); put_ipv6(f, 6, 20, true); put_tcp(f, 0x018); }
BUILD(ipv4_in_ipv6) { put_ethernet(f, 0x86dd); put_ipv6(f, 4, 36, false); put_inner_ipv4(f); }
BUILD(srv6)
{
    put_ethernet(f, 0x86dd);
    put_ipv6(f, 43, 60, false);
    put_hex(f, "0402 0400 00000000 20010db8000000000000000000000009");
    put_inner_ipv4(f);
}
BUILD(srv6_ethernet) { put_ethernet(f, 0x86dd); put_ipv6(f, 143, 50, false); put_inner_frame(f); }
BUILD(etherip) { OUTER4(97, 52); put_hex(f, "3000"); put_inner_frame(f); }
BUILD(gre_plain) { OUTER4(47, 40); put_hex(f, "0000 0800"); put_inner_ipv4(f); }
BUILD(gre_all) { OUTER4(47, 52); put_hex(f, "b000 0800 00000000 00000007 00000001"); put_inner_ipv4(f); }
BUILD(gre_routing) { OUTER4(47, 44); put_hex(f, "4000 0800 00000000"); put_inner_ipv4(f); }
BUILD(gre_pptp) { OUTER4(47, 54); put_hex(f, "3081 880b 00260001 00000001 00000002 0021"); put_inner_ipv4(f); }
BUILD(gre_nvgre) { OUTER4(47, 58); put_hex(f, "2000 6558 00abcd05"); put_inner_frame(f); }
BUILD(gre_mpls) { OUTER4(47, 44); put_hex(f, "0000 8847 00064140"); put_inner_ipv4(f); }
BUILD(erspan_one) { OUTER4(47, 54); put_hex(f, "0000 88be"); put_inner_frame(f); }
BUILD(erspan_two) { OUTER4(47, 66); put_hex(f, "1000 88be 00000001 1001 0001 00000002"); put_inner_frame(f); }
BUILD(erspan_three)
{
    OUTER4(47, 78);
    put_hex(f, "1000 22eb 00000001 2001 0001 00000002 0000 0001 0000000000000000");
    put_inner_frame(f);
}
BUILD(erspan_three_short)
{
    OUTER4(47, 70);
    put_hex(f, "1000 22eb 00000001 2001 0001 00000002 0000 0000");
    put_inner_frame(f);
}
BUILD(vxlan) { OUTER_UDP(4789, 58); put_hex(f, "08000000 00303900"); put_inner_frame(f); }
BUILD(vxlan_linux)
{
    OUTER_UDP(8472, 62);
    put_hex(f, "08000000 00303900");
    put_inner_ethernet(f, 0x8100);
    put_hex(f, "0064 0800");
    put_inner_ipv4(f);
}
BUILD(vxlan_other_port) { OUTER_UDP(7777, 58); put_hex(f, "08000000 00303900"); put_inner_frame(f); }
BUILD(vxlan_invalid) { OUTER_UDP(4789, 58); put_hex(f, "00000000 00303900"); put_inner_frame(f); }
BUILD(vxlan_arp)
{
    OUTER_UDP(4789, 30);
    put_hex(f, "08000000 00303900");
    put_inner_ethernet(f, 0x0806);
    put_hex(f, "0001 0800 0604 0001");
}
BUILD(vxlan_gpe) { OUTER_UDP(4790, 44); put_hex(f, "0c000001 00303900"); put_inner_ipv4(f); }
BUILD(vxlan_gpe_ethernet) { OUTER_UDP(4790, 58); put_hex(f, "0c000003 00303900"); put_inner_frame(f); }
BUILD(geneve) { OUTER_UDP(6081, 58); put_hex(f, "0000 6558 00303900"); put_inner_frame(f); }
BUILD(geneve_options)
{
    OUTER_UDP(6081, 72);
    put_hex(f, "0240 86dd 00303900 0102 0301 deadbeef");
    put_ipv6(f, 17, 16, true);
    put_udp(f, 5353, 53);
}
BUILD(gtp) { OUTER_UDP(2152, 44); put_hex(f, "30ff 0024 00000001"); put_inner_ipv4(f); }
BUILD(gtp_extension)
{
    OUTER_UDP(2152, 52);
    put_hex(f, "36ff 002c 00000001 0001 00 85 01 1009 00");
    put_inner_ipv4(f);
}
BUILD(gtp_echo) { OUTER_UDP(2152, 12); put_hex(f, "3201 0004 00000000 00010000"); }
BUILD(gtp_zero_extension)
{
    OUTER_UDP(2152, 52);
    put_hex(f, "34ff 002c 00000001 0001 00 85 00 1009 00");
    put_inner_ipv4(f);
}
BUILD(gtp_old)
{
    OUTER_UDP(3386, 56);
    put_hex(f, "1eff 0024 0001 0001 ffffffff 0102030405060708");
    put_inner_ipv4(f);
}
BUILD(mpls_udp) { OUTER_UDP(6635, 40); put_hex(f, "00064140"); put_inner_ipv4(f); }
BUILD(l2tp) { OUTER_UDP(1701, 48); put_hex(f, "4002 0030 0001 0002 ff03 0021"); put_inner_ipv4(f); }
BUILD(l2tp_control) { OUTER_UDP(1701, 12); put_hex(f, "c802 000c 0001 0000 0000 0000"); }
BUILD(gre_udp) { OUTER_UDP(4754, 40); put_hex(f, "0000 0800"); put_inner_ipv4(f); }
BUILD(tunnel_fragment) { put_ethernet(f, 0x0800); put_ipv4(f, 4, 36, 0x0010, false); put_inner_ipv4(f); }
BUILD(tunnel_in_tunnel) { OUTER4(4, 56); put_ipv4(f, 4, 36, 0, true); put_plain(f); }

#define E PACKET_LINK_ETHERNET
#define IP4 "ip etype=800"
#define TUNNELLED " proto=47 tos=184"
#define FOUR_LABELS "1048575_1048575_1048575_1048575"
#define BY_UDP(port) " proto=17 tos=184 src_port=50000 dst_port=" #port

static const struct vector vectors[] = {
    {"Ethernet, UDP", E, ethernet_udp, IP4 MACS PLAIN, "36 14"},
    {"Ethernet, TCP with NS, CWR, ECE, SYN", E, ethernet_tcp, IP4 MACS HOSTS4
     " proto=6 tos=184 src_port=40000 dst_port=443 tcpflags=450", "40 14"},
    {"padding is not read as ports", E, ethernet_padded, IP4 MACS HOSTS4 " proto=17 tos=184", "22 14"},
    {"ARP", E, ethernet_arp, "other etype=806" MACS, "0 0"},
    {"802.3 with a BPDU has no EtherType", E, ethernet_spanning_tree, "other" MACS, "0 0"},
    {"802.3, LLC, SNAP", E, ethernet_snap, IP4 MACS PLAIN, "36 22"},
    {"SNAP of another organisation", E, ethernet_cisco, "other" MACS, "0 0"},
    {"LLC 06", E, ethernet_llc_ip, "ip" MACS PLAIN, "36 17"},
    {"a type between length and EtherType", E, ethernet_undefined, "other" MACS, "0 0"},
    {"LLC link", PACKET_LINK_LLC, llc_snap, IP4 PLAIN, "36 8"},
    {"one VLAN", E, vlan, "ip cos=5 etype=800" MACS " vlan=100" PLAIN, "36 18"},
    {"VLAN 0", E, vlan_priority_only, "ip cos=7 etype=800" MACS PLAIN, "36 18"},
    {"QinQ", E, vlan_two, "ip cos=3 etype=800" MACS " vlan=400 in_cvlan=200" PLAIN, "36 22"},
    {"four tags", E, vlan_four, "ip cos=0 etype=86dd" MACS " vlan=1 in_cvlan=2" PLAIN6 LABEL, "56 30"},
    {"five tags are too many", E, vlan_five, "other cos=0 etype=8100" MACS " vlan=1 in_cvlan=2", "0 0"},
    {"VLAN, LLC", E, vlan_llc, "ip cos=0 etype=800" MACS " vlan=100" PLAIN, "36 26"},
    {"VLAN, IPv6", E, vlan_ipv6, "ip cos=5 etype=86dd" MACS " vlan=100" PLAIN6 LABEL, "56 18"},
    {"VLAN, LLDP", E, vlan_lldp, "other cos=0 etype=88cc" MACS " vlan=100", "0 0"},
    {"PPPoE", E, pppoe, IP4 MACS PLAIN, "36 22"},
    {"PPPoE, IPv6", E, pppoe_ipv6, "ip etype=86dd" MACS PLAIN6 LABEL, "56 22"},
    {"PPPoE, LCP", E, pppoe_lcp, "other etype=8864" MACS, "0 0"},
    {"PPP with address and control", PACKET_LINK_PPP, ppp_long, "ip" PLAIN, "36 4"},
    {"PPP compressed", PACKET_LINK_PPP, ppp_short, "ip" PLAIN, "36 1"},
    {"PPP, MPLS", PACKET_LINK_PPP, ppp_mpls, "ip" PLAIN
     " mpls_label_bottom=100 mpls_label_top=100 mpls_label_stack=100", "36 8"},
    {"Cisco HDLC", PACKET_LINK_PPP, ppp_hdlc, IP4 PLAIN, "36 4"},
    {"raw IPv4", PACKET_LINK_IPV4, raw_ipv4, "ip" PLAIN, "36 0"},
    {"raw IPv6", PACKET_LINK_IPV6, raw_ipv6, "ip" PLAIN6 LABEL, "56 0"},
    {"unknown link", PACKET_LINK_UNKNOWN, raw_ipv4, "other", "0 0"},
    {"802.1ah", E, backbone, "ip cos=0 etype=800" MACS " vlan=100" PLAIN, "36 40"},
    {"FabricPath", E, fabricpath, "ip cos=0 etype=800" MACS " vlan=100" PLAIN, "36 34"},
    {"VNTag", E, vntag, IP4 MACS PLAIN, "36 20"},
    {"MACsec in the clear", E, macsec_clear, IP4 MACS PLAIN, "36 30"},
    {"MACsec encrypted", E, macsec_secret, "other etype=88e5" MACS, "0 0"},
    {"TRILL with an option", E, trill, IP4 MACS PLAIN, "36 38"},
    {"NSH, Ethernet", E, nsh, IP4 MACS PLAIN, "36 36"},
    {"NSH, IPv4", E, nsh_ipv4, IP4 MACS PLAIN, "36 38"},
    {"802.11 from the access point", PACKET_LINK_IEEE80211, wifi_from_ds, IP4 MACS PLAIN, "36 32"},
    {"802.11 QoS with HT control", PACKET_LINK_IEEE80211, wifi_quality, IP4 MACS PLAIN, "36 38"},
    {"802.11 with four addresses", PACKET_LINK_IEEE80211, wifi_bridge, IP4 MACS PLAIN, "36 38"},
    {"802.11 A-MSDU", PACKET_LINK_IEEE80211, wifi_aggregate, IP4 MACS PLAIN, "36 48"},
    {"802.11 protected", PACKET_LINK_IEEE80211, wifi_protected, "other" MACS, "0 0"},
    {"802.11 beacon", PACKET_LINK_IEEE80211, wifi_beacon, "other", "0 0"},

    {"MPLS, one label", E, mpls_one, IP4 MACS PLAIN " mpls_label_bottom=100 mpls_label_top=100 mpls_label_stack=100",
     "36 18"},
    {"MPLS, three labels", E, mpls_three, "ip etype=86dd" MACS PLAIN6
     " mpls_label_bottom=1048575 mpls_label_top=16000 mpls_label_stack=16000_16016_1048575" LABEL, "56 26"},
    {"MPLS, IPv4 explicit null", E, mpls_null4, IP4 MACS PLAIN
     " mpls_label_bottom=0 mpls_label_top=0 mpls_label_stack=0", "36 18"},
    {"MPLS, IPv6 explicit null", E, mpls_null6, "ip etype=86dd" MACS PLAIN6
     " mpls_label_bottom=2 mpls_label_top=2 mpls_label_stack=2" LABEL, "56 18"},
    {"MPLS, entropy label", E, mpls_entropy, IP4 MACS PLAIN
     " mpls_label_bottom=703710 mpls_label_top=100 mpls_label_stack=100_7_703710", "36 26"},
    {"pseudowire with control word", E, mpls_control_word, IP4 MACS PLAIN
     " mpls_label_bottom=100 mpls_label_top=100 mpls_label_stack=100", "36 40"},
    {"a numbered control word is not believed", E, mpls_numbered, "other etype=8847" MACS
     " mpls_label_bottom=100 mpls_label_top=100 mpls_label_stack=100", "0 0"},
    {"pseudowire without control word", E, mpls_bare_ethernet, IP4 MACS PLAIN
     " mpls_label_bottom=100 mpls_label_top=100 mpls_label_stack=100", "36 32"},
    {"pseudowire to a station 40:...", E, mpls_station_four, IP4 MACS PLAIN
     " mpls_label_bottom=100 mpls_label_top=100 mpls_label_stack=100", "36 32"},
    {"MPLS associated channel", E, mpls_channel, "other etype=8847" MACS
     " mpls_label_bottom=13 mpls_label_top=100 mpls_label_stack=100_13", "0 0"},
    {"MPLS, unknown payload", E, mpls_opaque, "other etype=8847" MACS
     " mpls_label_bottom=100 mpls_label_top=100 mpls_label_stack=100", "0 0"},
    {"MPLS link", PACKET_LINK_MPLS, mpls_link, "ip" PLAIN
     " mpls_label_bottom=200 mpls_label_top=100 mpls_label_stack=100_200", "36 8"},
    {"MPLS, 41 labels: the text ends after 31", E, mpls_deep, IP4 MACS PLAIN
     " mpls_label_bottom=100 mpls_label_top=1048575 mpls_label_stack="
     FOUR_LABELS "_" FOUR_LABELS "_" FOUR_LABELS "_" FOUR_LABELS "_" FOUR_LABELS "_" FOUR_LABELS "_" FOUR_LABELS
     "_1048575_1048575_1048575",
     "36 178"},

    {"IPv4 options", E, ipv4_options, IP4 MACS HOSTS4 " proto=17 tos=0 src_port=1111 dst_port=2222", "44 14"},
    {"IPv4 total length 0", E, ipv4_no_length, IP4 MACS PLAIN, "0 14"},
    {"IPv4 header length 4", E, ipv4_short_header, "malformed etype=800" MACS, ""},
    {"IPv4 version 6", E, ipv4_wrong_version, "malformed etype=800" MACS, ""},
    {"IPv4 total length 19", E, ipv4_length_too_small, "malformed etype=800" MACS, ""},
    {"IPv4 first fragment", E, ipv4_first_fragment, IP4 MACS PLAIN, "36 14 first 4660"},
    {"IPv4 later fragment", E, ipv4_later_fragment, IP4 MACS HOSTS4 " proto=17 tos=184", "36 14 fragment 4660"},
    {"ICMP", E, ipv4_icmp, IP4 MACS HOSTS4 " proto=1 tos=184", "28 14 icmp 3/4"},
    {"SCTP", E, ipv4_sctp, IP4 MACS HOSTS4 " proto=132 tos=184 src_port=1111 dst_port=2222", "36 14"},
    {"DCCP", E, ipv4_dccp, IP4 MACS HOSTS4 " proto=33 tos=184", "36 14"},
    {"UDP-Lite", E, ipv4_udplite, IP4 MACS HOSTS4 " proto=136 tos=184 src_port=1111 dst_port=2222", "36 14"},
    {"ESP", E, ipv4_esp, IP4 MACS HOSTS4 " proto=50 tos=184", "36 14"},
    {"IPv4 AH is the protocol", E, ipv4_ah, IP4 MACS HOSTS4 " proto=51 tos=184", "60 14"},

    {"IPv6, TCP", E, ipv6_tcp, "ip etype=86dd" MACS HOSTS6 " proto=6 tos=184 src_port=40000 dst_port=443 tcpflags=18"
     LABEL, "60 14"},
    {"P9: hop-by-hop", E, ipv6_p9, "ip etype=86dd" MACS PLAIN6 LABEL, "64 14"},
    {"P10: hop-by-hop and destination options", E, ipv6_p10, "ip etype=86dd" MACS PLAIN6 LABEL, "72 14"},
    {"P11: authentication header", E, ipv6_p11, "ip etype=86dd" MACS PLAIN6 LABEL, "80 14"},
    {"P12: later fragment", E, ipv6_p12, "ip etype=86dd" MACS HOSTS6 " proto=17 tos=184" LABEL, "64 14 fragment 1"},
    {"IPv6 first fragment", E, ipv6_first_fragment, "ip etype=86dd" MACS PLAIN6 LABEL, "64 14 first 1"},
    {"IPv6 routing header", E, ipv6_routing, "ip etype=86dd" MACS PLAIN6 LABEL, "80 14"},
    {"IPv6 mobility header", E, ipv6_mobility, "ip etype=86dd" MACS HOSTS6 " proto=59 tos=184" LABEL, "56 14"},
    {"IPv6 HIP and shim6", E, ipv6_hip_shim6, "ip etype=86dd" MACS PLAIN6 LABEL, "72 14"},
    {"IPv6 ESP", E, ipv6_esp, "ip etype=86dd" MACS HOSTS6 " proto=50 tos=184" LABEL, "64 14"},
    {"IPv6 without next header", E, ipv6_none, "ip etype=86dd" MACS HOSTS6 " proto=59 tos=184" LABEL, "40 14"},
    {"ICMPv6", E, ipv6_icmp, "ip etype=86dd" MACS HOSTS6 " proto=58 tos=184" LABEL, "48 14 icmp 128/0"},
    {"eight extension headers", E, ipv6_eight_headers, "ip etype=86dd" MACS PLAIN6 LABEL, "120 14"},
    {"nine extension headers", E, ipv6_nine_headers, "ip etype=86dd" MACS HOSTS6 " proto=60 tos=184" LABEL, "128 14"},
    {"IPv6 jumbogram", E, ipv6_jumbo, "ip etype=86dd" MACS PLAIN6 LABEL, "70040 14"},
    {"IPv6 payload length 0", E, ipv6_no_length, "ip etype=86dd" MACS PLAIN6 LABEL, "0 14"},
    {"IPv6 version 4", E, ipv6_wrong_version, "malformed etype=86dd" MACS, ""},
    {"IPv6 extension header past the end", E, ipv6_chain_past_end, "ip etype=86dd" MACS HOSTS6 " tos=184" LABEL,
     "56 14"},
    {"IPv6 extension header past the payload length, captured", E, ipv6_chain_past_length,
     "ip etype=86dd" MACS PLAIN6 LABEL, "44 14"},
    {"IPv6 padding behind the last extension header", E, ipv6_chain_then_padding,
     "ip etype=86dd" MACS HOSTS6 " proto=17 tos=184" LABEL, "48 14"},
    {"IPv6 with a mapped source is kept apart from IPv4", E, ipv6_mapped, "ip etype=86dd" MACS
     " src_host=ff00::ffff:0:0 dst_host=2001:db8::2 proto=17 tos=184 src_port=1111 dst_port=2222" LABEL, ""},

    {"IP in IP", E, ipip, IP4 MACS HOSTS4 " proto=4 tos=184" INNER, "56 14 inner 36 ipv4"},
    {"IP in IP by 94", E, ipip_94, IP4 MACS HOSTS4 " proto=94 tos=184" INNER, "56 14 inner 36 ipv4"},
    {"IPv6 in IPv4", E, ipv6_in_ipv4, IP4 MACS HOSTS4
     " proto=41 tos=184 tunnel_src_host=fd00::1 tunnel_dst_host=fd00::2 tunnel_proto=6 tunnel_tos=32"
     " tunnel_src_port=40000 tunnel_dst_port=443 tunnel_tcpflags=24 tunnel_flow_label=74565", "80 14 inner 60 ipv6"},
    {"IPv4 in IPv6", E, ipv4_in_ipv6, "ip etype=86dd" MACS HOSTS6 " proto=4 tos=184" INNER LABEL,
     "76 14 inner 36 ipv4"},
    {"SRv6, IPv4", E, srv6, "ip etype=86dd" MACS HOSTS6 " proto=4 tos=184" INNER LABEL, "100 14 inner 36 ipv4"},
    {"SRv6, Ethernet", E, srv6_ethernet, "ip etype=86dd" MACS HOSTS6 " proto=143 tos=184" INNER_MACS INNER LABEL,
     "90 14 inner 50 ethernet"},
    {"EtherIP", E, etherip, IP4 MACS HOSTS4 " proto=97 tos=184" INNER_MACS INNER, "72 14 inner 50 ethernet"},
    {"GRE", E, gre_plain, IP4 MACS HOSTS4 TUNNELLED INNER, "60 14 inner 36 ipv4"},
    {"GRE with checksum, key, sequence", E, gre_all, IP4 MACS HOSTS4 TUNNELLED INNER, "72 14 inner 36 ipv4"},
    {"GRE with source routes stays closed", E, gre_routing, IP4 MACS HOSTS4 TUNNELLED, "64 14"},
    {"PPTP", E, gre_pptp, IP4 MACS HOSTS4 TUNNELLED INNER, "74 14 inner 38 ppp"},
    {"NVGRE", E, gre_nvgre, IP4 MACS HOSTS4 TUNNELLED " nvgre=43981" INNER_MACS INNER, "78 14 inner 50 ethernet"},
    {"GRE, MPLS: plain labels are the outer packet's", E, gre_mpls, IP4 MACS HOSTS4 TUNNELLED INNER,
     "64 14 inner 40 mpls"},
    {"ERSPAN I", E, erspan_one, IP4 MACS HOSTS4 TUNNELLED INNER_MACS INNER, "74 14 inner 50 ethernet"},
    {"ERSPAN II", E, erspan_two, IP4 MACS HOSTS4 TUNNELLED INNER_MACS INNER, "86 14 inner 50 ethernet"},
    {"ERSPAN III with its second part", E, erspan_three, IP4 MACS HOSTS4 TUNNELLED INNER_MACS INNER,
     "98 14 inner 50 ethernet"},
    {"ERSPAN III", E, erspan_three_short, IP4 MACS HOSTS4 TUNNELLED INNER_MACS INNER, "90 14 inner 50 ethernet"},
    {"VXLAN", E, vxlan, IP4 MACS HOSTS4 BY_UDP(4789) " vxlan=12345" INNER_MACS INNER, "86 14 inner 50 ethernet"},
    {"VXLAN on 8472, inner VLAN", E, vxlan_linux, IP4 MACS HOSTS4 BY_UDP(8472) " vxlan=12345" INNER_MACS INNER,
     "90 14 inner 54 ethernet"},
    {"VXLAN on a port of the caller's", E, vxlan_other_port, IP4 MACS HOSTS4 BY_UDP(7777) " vxlan=12345" INNER_MACS
     INNER, "86 14 inner 50 ethernet"},
    {"VXLAN without a valid identifier", E, vxlan_invalid, IP4 MACS HOSTS4 BY_UDP(4789), "86 14"},
    {"VXLAN, ARP", E, vxlan_arp, IP4 MACS HOSTS4 BY_UDP(4789) " vxlan=12345" INNER_MACS, "58 14 inner 22 ethernet"},
    {"VXLAN-GPE, IPv4", E, vxlan_gpe, IP4 MACS HOSTS4 BY_UDP(4790) " vxlan=12345" INNER, "72 14 inner 36 ipv4"},
    {"VXLAN-GPE, Ethernet", E, vxlan_gpe_ethernet, IP4 MACS HOSTS4 BY_UDP(4790) " vxlan=12345" INNER_MACS INNER,
     "86 14 inner 50 ethernet"},
    {"GENEVE", E, geneve, IP4 MACS HOSTS4 BY_UDP(6081) " vxlan=12345" INNER_MACS INNER, "86 14 inner 50 ethernet"},
    {"GENEVE with options, IPv6", E, geneve_options, IP4 MACS HOSTS4 BY_UDP(6081)
     " vxlan=12345 tunnel_src_host=fd00::1 tunnel_dst_host=fd00::2"
    " tunnel_proto=17 tunnel_tos=32 tunnel_src_port=5353 tunnel_dst_port=53 tunnel_flow_label=74565",
     "100 14 inner 56 ipv6"},
    {"GTP-U", E, gtp, IP4 MACS HOSTS4 BY_UDP(2152) INNER, "72 14 inner 36 ipv4"},
    {"GTP-U with sequence and extension header", E, gtp_extension, IP4 MACS HOSTS4 BY_UDP(2152) INNER,
     "80 14 inner 36 ipv4"},
    {"GTP-U echo", E, gtp_echo, IP4 MACS HOSTS4 BY_UDP(2152), "40 14"},
    {"GTP-U extension header of length 0", E, gtp_zero_extension, IP4 MACS HOSTS4 BY_UDP(2152), "80 14"},
    {"GTP version 0", E, gtp_old, IP4 MACS HOSTS4 BY_UDP(3386) INNER, "84 14 inner 36 ipv4"},
    {"MPLS in UDP", E, mpls_udp, IP4 MACS HOSTS4 BY_UDP(6635) INNER, "68 14 inner 40 mpls"},
    {"L2TP", E, l2tp, IP4 MACS HOSTS4 BY_UDP(1701) INNER, "76 14 inner 40 ppp"},
    {"L2TP control", E, l2tp_control, IP4 MACS HOSTS4 BY_UDP(1701), "40 14"},
    {"GRE in UDP", E, gre_udp, IP4 MACS HOSTS4 BY_UDP(4754) INNER, "68 14 inner 36 ipv4"},
    {"a later fragment of a tunnel stays closed", E, tunnel_fragment, IP4 MACS HOSTS4 " proto=4 tos=184",
     "56 14 fragment 4660"},
    {"only the first tunnel is opened", E, tunnel_in_tunnel, IP4 MACS HOSTS4
     " proto=4 tos=184 tunnel_src_host=192.168.7.1"
     " tunnel_dst_host=192.168.7.2 tunnel_proto=4 tunnel_tos=32", "76 14 inner 56 ipv4"},
};

#endif
