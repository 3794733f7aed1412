/* SPDX-License-Identifier: BSD-2-Clause */
/* The tables behind names.h. */
#include "net/names.h"

#include <stdlib.h>
#include <strings.h>

static const char *const protocols[256] = {
    [1] = "icmp",       [2] = "igmp",       [3] = "ggp",         [4] = "ipencap",   [6] = "tcp",
    [8] = "egp",        [9] = "igp",        [17] = "udp",        [18] = "mux",      [41] = "ipv6",
    [43] = "ipv6-route", [44] = "ipv6-frag", [46] = "rsvp",      [47] = "gre",      [50] = "esp",
    [51] = "ah",        [55] = "mobile",    [56] = "tlsp",       [58] = "ipv6-icmp", [59] = "ipv6-nonxt",
    [60] = "ipv6-opts", [80] = "iso-ip",    [83] = "vines",      [88] = "eigrp",    [89] = "ospf",
    [91] = "larp",      [93] = "ax.25",     [94] = "ipip",       [98] = "encap",    [102] = "pnni",
    [103] = "pim",      [108] = "IPcomp",   [111] = "ipx-in-ip", [112] = "vrrp",    [115] = "l2tp",
    [124] = "isis",     [132] = "sctp",     [133] = "fc",        [143] = "ethernet", [255] = "others",
};

const char *names_protocol(uint8_t number)
{
    return protocols[number];
}

int names_protocol_number(const char *text)
{
    char *end;
    long number;

    for (int i = 0; i < 256; i++)
        if (protocols[i] && strcasecmp(protocols[i], text) == 0)
            return i;
    if (text[0] < '0' || text[0] > '9')
        return -1;
    number = strtol(text, &end, 10);
    return *end == '\0' && number < 256 ? (int)number : -1;
}

const char *names_tcp_flag(unsigned bit)
{
    static const char *const flags[names_tcp_flags] = {"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR", "AE"};

    return bit < names_tcp_flags ? flags[bit] : NULL;
}
