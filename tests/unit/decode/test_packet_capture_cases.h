/* SPDX-License-Identifier: BSD-2-Clause */
/* The vectors of what only captures have: link types with pseudo-headers; what a device or sFlow gives is elsewhere. */
#ifndef TESTS_PACKET_CAPTURE_CASES_H
#define TESTS_PACKET_CAPTURE_CASES_H

#include "test_packet_vectors.h"

#define BUILD(name) static inline void name(struct octets *f)

static inline void put_plain6(struct octets *f)
{
    put_ipv6(f, 17, 16, false);
    put_udp(f, 1111, 2222);
}

/* Linux cooked: packet type, hardware, address length, address of the sender, protocol. */
BUILD(sll_in) { put_hex(f, "0000 0001 0006 02000000000a 0000 0800"); put_plain(f); }
BUILD(sll_out) { put_hex(f, "0004 0001 0006 02000000000a 0000 86dd"); put_plain6(f); }
BUILD(sll_loopback) { put_hex(f, "0000 0304 0006 000000000000 0000 0800"); put_plain(f); }
BUILD(sll_tag) { put_hex(f, "0003 0001 0006 02000000000a 0000 8100 a064 0800"); put_plain(f); }
BUILD(sll_llc) { put_hex(f, "0002 0001 0006 02000000000a 0000 0004 aaaa03 000000 0800"); put_plain(f); }
BUILD(sll_arp) { put_hex(f, "0001 0001 0006 02000000000a 0000 0806 0001 0800 0604 0001"); }
BUILD(sll_can) { put_hex(f, "0001 0118 0000 0000000000000000 000c 00000001 01000000 ff"); }
BUILD(sll_netlink) { put_hex(f, "0004 0338 0000 0000000000000000 0800"); put_plain(f); }
BUILD(sll_no_address) { put_hex(f, "0004 fffe 0000 0000000000000000 0800"); put_plain(f); }
BUILD(sll_wifi)
{
    put_hex(f, "0000 0323 0006 02000000000a 0000 0019  0000 0800 00000000");
    put_hex(f, "0802 0000 02000000000b 020000000099 02000000000a 0000 aaaa03 000000 0800");
    put_plain(f);
}
BUILD(sll_mpls) { put_hex(f, "0000 0001 0006 02000000000a 0000 8847 00064140"); put_plain(f); }

/* Second version: protocol, reserved, interface, hardware, packet type, address length, address. */
BUILD(sll2_in) { put_hex(f, "0800 0000 00000007 0001 00 06 02000000000a 0000"); put_plain(f); }
BUILD(sll2_out) { put_hex(f, "86dd 0000 00000007 0001 04 06 02000000000a 0000"); put_plain6(f); }
BUILD(sll2_qinq) { put_hex(f, "88a8 0000 00000007 0001 00 06 02000000000a 0000 6190 8100 20c8 0800"); put_plain(f); }
BUILD(sll2_pppoe) { put_hex(f, "8864 0000 00000007 0001 00 06 02000000000a 0000 1100 0001 0026 0021"); put_plain(f); }

BUILD(null_little) { put_hex(f, "02000000"); put_plain(f); }
BUILD(null_big) { put_hex(f, "00000002"); put_plain(f); }
BUILD(null_linux6) { put_hex(f, "0a000000"); put_plain6(f); }
BUILD(null_netbsd6) { put_hex(f, "00000018"); put_plain6(f); }
BUILD(null_freebsd6) { put_hex(f, "1c000000"); put_plain6(f); }
BUILD(null_darwin6) { put_hex(f, "0000001e"); put_plain6(f); }
BUILD(null_iso) { put_hex(f, "07000000 83"); }

BUILD(raw_four) { put_plain(f); }
BUILD(raw_six) { put_plain6(f); }
BUILD(raw_neither) { put_hex(f, "50000000"); }

BUILD(hdlc_ppp) { put_hex(f, "ff03 0021"); put_plain(f); }
BUILD(hdlc_short) { put_hex(f, "21"); put_plain(f); }
BUILD(hdlc_six) { put_hex(f, "ff03 0057"); put_plain6(f); }
BUILD(hdlc_mpls) { put_hex(f, "ff03 0281 00064140"); put_plain(f); }
BUILD(hdlc_cisco) { put_hex(f, "0f00 86dd"); put_plain6(f); }
BUILD(hdlc_slarp) { put_hex(f, "8f00 8035 00000002 00000001 00000002 ffff"); }
BUILD(hdlc_lcp) { put_hex(f, "ff03 c021 0901 0008 0000 0000"); }
BUILD(session) { put_hex(f, "1100 0001 0026 0021"); put_plain(f); }
BUILD(discovery) { put_hex(f, "1109 0000 0004 0101 0000"); }

#define WIFI "0802 0000 02000000000b 020000000099 02000000000a 0000"
#define WIFI_QUALITY "8802 0000 02000000000b 020000000099 02000000000a 0000 0000"
#define SNAP "aaaa03 000000 0800"

BUILD(radiotap) { put_hex(f, "0000 0800 00000000" WIFI SNAP); put_plain(f); }
/* Time and flags; the flags say that the 802.11 header of 26 octets is padded. */
BUILD(radiotap_padded)
{
    put_hex(f, "0000 1100 03000000 0102030405060708 20" WIFI_QUALITY "0000" SNAP);
    put_plain(f);
}
/* Two words of what is present: four octets before the time are for its alignment. */
BUILD(radiotap_words)
{
    put_hex(f, "0000 1a00 030000a0 00000020 00000000 0102030405060708 2000" WIFI_QUALITY "0000" SNAP);
    f->bytes[11] = 0; /* the second word is the last */
    put_plain(f);
}
BUILD(radiotap_flags) { put_hex(f, "0000 0a00 02000000 1000" WIFI_QUALITY SNAP); put_plain(f); }
BUILD(radiotap_version) { put_hex(f, "0100 0800 00000000" WIFI SNAP); put_plain(f); }
BUILD(radiotap_endless) { put_hex(f, "0000 0c00 000000c0 000000c0" WIFI SNAP); put_plain(f); }
BUILD(prism)
{
    put_hex(f, "44000000 90000000");
    for (unsigned i = 8; i < 144; i++)
        put8(f, i);
    put_hex(f, WIFI SNAP);
    put_plain(f);
}
BUILD(prism_avs) { put_hex(f, "80211001 00000010 0000000000000000" WIFI SNAP); put_plain(f); }
BUILD(avs_short) { put_hex(f, "80211001 00000004" WIFI SNAP); put_plain(f); }
BUILD(ppi_wifi) { put_hex(f, "0000 1000 69000000 0200 0400 00000000" WIFI SNAP); put_plain(f); }
BUILD(ppi_ethernet) { put_hex(f, "0000 0800 01000000"); put_ethernet(f, 0x0800); put_plain(f); }
BUILD(ppi_other) { put_hex(f, "0000 0800 bd000000 00000000"); }

/* Packet header, interfaces, prefix of five characters (padded), payload. */
#define LOG_HEAD "02 00 0001  0800 0100 0800 02 00"
BUILD(log_in)
{
    put_hex(f, LOG_HEAD "0800 0400 00000003  1000 0800 0006 0000 02000000000a 0000"
               "0900 0a00 68656c6c6f 000000  2800 0900");
    put_plain(f);
}
BUILD(log_out) { put_hex(f, LOG_HEAD "0800 0500 00000004  2800 0900"); put_plain(f); }
BUILD(log_forward)
{
    put_hex(f, LOG_HEAD "0800 0400 00000003  0800 0500 00000004"
               "0600 0f00 0001 0000  1200 1000 02000000000b 02000000000a 0800 0000  2800 0900");
    put_plain(f);
}
BUILD(log_big) { put_hex(f, "02 00 0001 0008 0001 0800 02 00  0008 0004 00000003  0028 0009"); put_plain(f); }
BUILD(log_bare) { put_hex(f, "0a 00 0001 3c00 0900"); put_plain6(f); }
BUILD(log_bridge) { put_hex(f, "07 00 0001 0800 0100 0806 02 00  0c00 0900 0001 0800 0604 0001"); }
BUILD(log_no_payload) { put_hex(f, LOG_HEAD); }
BUILD(log_short_attribute) { put_hex(f, "02 00 0001 0300 0100 0800 02 00  2800 0900"); put_plain(f); }

#define IP4C "ip etype=800"
#define IP6C "ip etype=86dd"
#define SENDER " src_mac=2000000000a"
#define ONE_LABEL " mpls_label_bottom=100 mpls_label_top=100 mpls_label_stack=100"

static const struct vector capture_vectors[] = {
    {"SLL, received", PACKET_LINK_SLL, sll_in, IP4C SENDER PLAIN, "36 16 from 0 to 0 in"},
    {"SLL, sent, IPv6", PACKET_LINK_SLL, sll_out, IP6C SENDER PLAIN6 LABEL, "56 16 from 0 to 0 out"},
    {"SLL of a loopback has no address", PACKET_LINK_SLL, sll_loopback, IP4C PLAIN, "36 16 from 0 to 0 in"},
    {"SLL, VLAN, of another host", PACKET_LINK_SLL, sll_tag, "ip cos=5 etype=800" SENDER " vlan=100" PLAIN,
     "36 20 from 0 to 0 in"},
    {"SLL, LLC", PACKET_LINK_SLL, sll_llc, IP4C SENDER PLAIN, "36 24 from 0 to 0 in"},
    {"SLL, ARP", PACKET_LINK_SLL, sll_arp, "other etype=806" SENDER, "0 0 from 0 to 0 in"},
    {"SLL, CAN", PACKET_LINK_SLL, sll_can, "other", "0 0 from 0 to 0 in"},
    {"SLL of netlink: the protocol is no EtherType", PACKET_LINK_SLL, sll_netlink, "other", "0 0 from 0 to 0 out"},
    {"SLL of a tunnel device", PACKET_LINK_SLL, sll_no_address, IP4C PLAIN, "36 16 from 0 to 0 out"},
    {"SLL with radiotap", PACKET_LINK_SLL, sll_wifi, IP4C MACS PLAIN, "36 56 from 0 to 0 in"},
    {"SLL, MPLS", PACKET_LINK_SLL, sll_mpls, IP4C SENDER PLAIN ONE_LABEL, "36 20 from 0 to 0 in"},
    {"SLL2, received", PACKET_LINK_SLL2, sll2_in, IP4C SENDER PLAIN, "36 20 from 7 to 0 in"},
    {"SLL2, sent, IPv6", PACKET_LINK_SLL2, sll2_out, IP6C SENDER PLAIN6 LABEL, "56 20 from 7 to 0 out"},
    {"SLL2, QinQ", PACKET_LINK_SLL2, sll2_qinq, "ip cos=3 etype=800" SENDER " vlan=400 in_cvlan=200" PLAIN,
     "36 28 from 7 to 0 in"},
    {"SLL2, PPPoE", PACKET_LINK_SLL2, sll2_pppoe, IP4C SENDER PLAIN, "36 28 from 7 to 0 in"},

    {"NULL, little-endian", PACKET_LINK_NULL, null_little, IP4C PLAIN, "36 4"},
    {"NULL, big-endian", PACKET_LINK_NULL, null_big, IP4C PLAIN, "36 4"},
    {"NULL, IPv6 of Linux", PACKET_LINK_NULL, null_linux6, IP6C PLAIN6 LABEL, "56 4"},
    {"NULL, IPv6 of NetBSD", PACKET_LINK_NULL, null_netbsd6, IP6C PLAIN6 LABEL, "56 4"},
    {"NULL, IPv6 of FreeBSD", PACKET_LINK_NULL, null_freebsd6, IP6C PLAIN6 LABEL, "56 4"},
    {"NULL, IPv6 of Darwin", PACKET_LINK_NULL, null_darwin6, IP6C PLAIN6 LABEL, "56 4"},
    {"NULL, ISO", PACKET_LINK_NULL, null_iso, "other", "0 0"},
    {"raw, IPv4", PACKET_LINK_RAW, raw_four, IP4C PLAIN, "36 0"},
    {"raw, IPv6", PACKET_LINK_RAW, raw_six, IP6C PLAIN6 LABEL, "56 0"},
    {"raw, version 5", PACKET_LINK_RAW, raw_neither, "other", "0 0"},
    {"PPP", PACKET_LINK_C_HDLC, hdlc_ppp, IP4C PLAIN, "36 4"},
    {"PPP, compressed", PACKET_LINK_C_HDLC, hdlc_short, IP4C PLAIN, "36 1"},
    {"PPP, IPv6", PACKET_LINK_C_HDLC, hdlc_six, IP6C PLAIN6 LABEL, "56 4"},
    {"PPP, MPLS", PACKET_LINK_C_HDLC, hdlc_mpls, IP4C PLAIN ONE_LABEL, "36 8"},
    {"Cisco HDLC, IPv6", PACKET_LINK_C_HDLC, hdlc_cisco, IP6C PLAIN6 LABEL, "56 4"},
    {"Cisco HDLC, SLARP", PACKET_LINK_C_HDLC, hdlc_slarp, "other etype=8035", "0 0"},
    {"PPP, LCP", PACKET_LINK_C_HDLC, hdlc_lcp, "other", "0 0"},
    {"PPPoE without Ethernet", PACKET_LINK_PPPOE, session, IP4C PLAIN, "36 8"},
    {"PPPoE discovery", PACKET_LINK_PPPOE, discovery, "other", "0 0"},

    {"radiotap", PACKET_LINK_RADIOTAP, radiotap, IP4C MACS PLAIN, "36 40"},
    {"radiotap with time, padded 802.11", PACKET_LINK_RADIOTAP, radiotap_padded, IP4C MACS PLAIN, "36 53"},
    {"radiotap of two words", PACKET_LINK_RADIOTAP, radiotap_words, IP4C MACS PLAIN, "36 62"},
    {"radiotap with flags, not padded", PACKET_LINK_RADIOTAP, radiotap_flags, IP4C MACS PLAIN, "36 44"},
    {"radiotap of version 1", PACKET_LINK_RADIOTAP, radiotap_version, "other", "0 0"},
    {"radiotap whose words do not end", PACKET_LINK_RADIOTAP, radiotap_endless, IP4C MACS PLAIN, "36 44"},
    {"Prism", PACKET_LINK_PRISM, prism, IP4C MACS PLAIN, "36 176"},
    {"AVS by Prism's number", PACKET_LINK_PRISM, prism_avs, IP4C MACS PLAIN, "36 48"},
    {"AVS", PACKET_LINK_AVS, prism_avs, IP4C MACS PLAIN, "36 48"},
    {"AVS of 4 octets", PACKET_LINK_AVS, avs_short, "other", "0 0"},
    {"PPI, 802.11", PACKET_LINK_PPI, ppi_wifi, IP4C MACS PLAIN, "36 48"},
    {"PPI, Ethernet", PACKET_LINK_PPI, ppi_ethernet, IP4C MACS PLAIN, "36 22"},
    {"PPI, another link", PACKET_LINK_PPI, ppi_other, "other", "0 0"},

    {"NFLOG, received", PACKET_LINK_NFLOG, log_in, IP4C SENDER PLAIN, "36 52 from 3 to 0 in"},
    {"NFLOG, sent", PACKET_LINK_NFLOG, log_out, IP4C PLAIN, "36 24 from 4 to 0 out"},
    {"NFLOG, forwarded, with Ethernet header", PACKET_LINK_NFLOG, log_forward, IP4C MACS PLAIN,
     "36 60 from 3 to 4"},
    {"NFLOG, big-endian", PACKET_LINK_NFLOG, log_big, IP4C PLAIN, "36 24 from 3 to 0 in"},
    {"NFLOG with nothing but the packet", PACKET_LINK_NFLOG, log_bare, IP6C PLAIN6 LABEL, "56 8"},
    {"NFLOG of a bridge, ARP", PACKET_LINK_NFLOG, log_bridge, "other etype=806", "0 0"},
    {"NFLOG without payload", PACKET_LINK_NFLOG, log_no_payload, "other", "0 0"},
    {"NFLOG, an attribute of 3 octets", PACKET_LINK_NFLOG, log_short_attribute, "other", "0 0"},
};

#endif
