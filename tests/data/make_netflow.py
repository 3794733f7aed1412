#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes the small NetFlow and IPFIX captures of this folder (netflow_*.pcap) with netflow_writer.py.

Each case below is a function that returns the datagrams of one capture; p1 to p8 are faults that were seen in other
collectors. What a collector must make of them is written by hand in ../golden/expected, never taken from a collector's
output. The files are committed; run this again after a change:

    make_netflow.py            writes NAME.pcap for every case into this folder
    make_netflow.py --check    exits 1 when a committed file is not what this script makes
"""
import os
import struct
import sys

from make_sflow import ethernet, ipv4, tcp, udp
from netflow_writer import (Fixed, From, Raw, REVERSE, START, Template, VARIABLE, capture, data, fixed, flowset, ipfix,
                            mac, ntp, number, templates10, templates9, variable, version9, withdrawal)

CASES = []
KEY = [(8, 4), (12, 4), (7, 2), (11, 2), (4, 1)]
COUNTERS = [(2, 8), (1, 8)]
FLOW, OTHER = Template(256, KEY + COUNTERS), Template(257, KEY + COUNTERS)
HOSTS = [(8, 4), (12, 4)]


def case(function):
    CASES.append(function)
    return function


def flow(host, packets, octets, ports=(1111, 2222), protocol=17):
    """A record of FLOW from 10.0.0.`host` to 10.0.1.1."""
    return (f"10.0.0.{host}", "10.0.1.1", *ports, protocol, packets, octets)


def hosts(host):
    return f"10.0.0.{host}", "10.0.1.1"


# ---- faults seen elsewhere -------------------------------------------------------------------------------------------

@case
def netflow_p1_withdrawal():
    """Data after a withdrawal is not decoded, and nothing loops on a record of no octets."""
    return [ipfix(templates10(FLOW), data(FLOW, flow(1, 1, 100))),
            ipfix(withdrawal(256), sequence=1),
            ipfix(data(FLOW, flow(2, 2, 200)), sequence=1),
            ipfix(templates10(OTHER), data(OTHER, flow(3, 3, 300)), sequence=2)]


@case
def netflow_p2_reduced_size():
    """Counters of 1 to 8 octets (RFC 7011 section 6.2), and a port in one."""
    out = []
    for size in range(1, 9):
        template = Template(255 + size, HOSTS + [(7, 1 if size == 1 else 2), (11, 2), (4, 1), (2, 9 - size), (1, size)])
        record = flow(size, 200, (1 << 8 * size - 1) + size, (111, 2222))
        out.append(ipfix(templates10(template), data(template, record), sequence=size - 1))
    template = Template(264, KEY + [(2, 1), (1, 3)])
    return out + [ipfix(templates10(template), data(template, flow(9, 200, 70000)), sequence=8)]


BIFLOW = Template(256, KEY + [(6, 1), (10, 4), (14, 4)] + COUNTERS +
                  [(2, 8, REVERSE), (1, 8, REVERSE), (6, 1, REVERSE)])


@case
def netflow_p3_biflow():
    """RFC 5103: the reverse counters are the way back; when they are zero there was none."""
    return [ipfix(templates10(BIFLOW), data(
        BIFLOW, ("10.0.0.1", "10.0.1.1", 1111, 80, 6, 0x02, 3, 4, 10, 1000, 20, 5000, 0x12),
        ("10.0.0.2", "10.0.1.1", 1112, 80, 6, 0x04, 3, 4, 1, 60, 0, 0, 0)))]


@case
def netflow_p4_ntp_time():
    """RFC 7011 section 6.1.9 and 6.1.10: seconds since 1900 and a fraction, also for microseconds."""
    micro = Template(256, HOSTS + [(154, 8), (155, 8)] + COUNTERS)
    nano = Template(257, HOSTS + [(156, 8), (157, 8)] + COUNTERS)
    start, end = ntp(START - 10, 0x80000000), ntp(START - 5, 0x40000000)
    return [ipfix(templates10(micro, nano), data(micro, (*hosts(1), start, end, 1, 100)),
                  data(nano, (*hosts(2), start, end, 2, 200)))]


@case
def netflow_p5_data_first():
    return [ipfix(data(FLOW, flow(1, 1, 100), flow(2, 2, 200))), ipfix(templates10(FLOW), sequence=2),
            ipfix(data(FLOW, flow(3, 3, 300)), sequence=2),
            version9(data(FLOW, flow(4, 4, 400)), source=9), version9(templates9(FLOW), sequence=2, source=9)]


@case
def netflow_p6_count():
    """The count of version 9 says 1, 3 or 65535; the FlowSets' lengths hold."""
    others = [templates9(Template(300 + n, HOSTS + COUNTERS)) for n in range(4)]
    sampler = Template(400, [(1, 4), (34, 4)], scope=1)
    out = []
    for n, count in enumerate((1, 3, 0, 65535)):
        out.append(version9(*others, templates9(sampler), data(sampler, (0, 1)), templates9(FLOW),
                            data(FLOW, flow(10 + n, 1, 100), flow(20 + n, 2, 200)), count=count, sequence=n + 1))
    return out


@case
def netflow_p7_uptime():
    """Flows older than the clock of uptime: -4 s at an uptime of 1 s, and half a second in the header."""
    return [fixed(5, [Fixed(src="10.0.0.1", dst="10.0.1.1", packets=1, octets=100, first=2 ** 32 - 4000,
                            last=2 ** 32 - 1000, proto=17, sport=1111, dport=2222)], uptime=1000,
                  nanoseconds=500000000),
            fixed(5, [Fixed(src="10.0.0.2", dst="10.0.1.1", packets=2, octets=200, first=1000, last=3000, proto=17,
                            sport=1111, dport=2222)], sequence=1, uptime=4000)]


@case
def netflow_p8_uptime():
    template = Template(256, HOSTS + [(22, 4), (21, 4)] + COUNTERS)
    early = (*hosts(1), 2 ** 32 - 4000, 2 ** 32 - 1000, 1, 100)
    return [version9(templates9(template), data(template, early), uptime=1000),
            version9(data(template, (*hosts(2), 1000, 3000, 2, 200)), uptime=4000, sequence=2)]


# ---- the fixed versions ----------------------------------------------------------------------------------------------

FULL = dict(src="10.0.0.1", dst="10.0.1.1", next="192.0.2.9", input=3, output=4, packets=10, octets=1000, first=3500000,
            last=3590000, sport=1111, dport=80, flags=0x1b, proto=6, tos=184, src_as=65001, dst_as=64701, src_mask=24,
            dst_mask=20, flows=7)


@case
def netflow_v1():
    largest = {"src": "10.0.0.2", "packets": 2 ** 32 - 1, "octets": 2 ** 32 - 1}
    return [fixed(1, [Fixed(**FULL), Fixed(**{**FULL, **largest})])]


@case
def netflow_v5():
    return [fixed(5, [Fixed(**FULL), Fixed(**{**FULL, "src": "10.0.0.2", "input": 65535})], sequence=100, engine=(1, 7),
                  sampling=0x4000 | 100)]


@case
def netflow_v5_counts():
    """A count above what is there says nothing about where records end; octets after the last record are left alone."""
    return [fixed(5, [Fixed(**FULL), Fixed(**FULL)], count=40),
            fixed(5, [Fixed(**{**FULL, "src": "10.0.0.2"})], sequence=40) + bytes(4),
            fixed(5, [], sequence=41), fixed(5, [Fixed(**FULL)], sequence=41)[:71], fixed(5, [])[:23]]


@case
def netflow_v6_v7():
    return [fixed(6, [Fixed(**FULL)]),
            fixed(7, [Fixed(**{**FULL, "src": "10.0.0.2", "router": "192.0.2.8"})])]


@case
def netflow_v8():
    """All fourteen aggregation schemes. Descriptions differ in which mask comes first, so both are the same here."""
    return [fixed(8, [Fixed(**{**FULL, "packets": scheme, "octets": 100 * scheme, "dst_mask": 24})], scheme=scheme,
                  engine=(0, scheme)) for scheme in range(1, 15)]


# ---- version 9 -------------------------------------------------------------------------------------------------------

@case
def netflow_v9():
    four = Template(256, HOSTS + [(15, 4), (10, 2), (14, 2), (2, 4), (1, 4), (22, 4), (21, 4), (7, 2), (11, 2), (6, 1),
                                  (4, 1), (5, 1), (16, 2), (17, 4), (9, 1), (13, 1)])
    six = Template(257, [(27, 16), (28, 16), (10, 4), (14, 4), (2, 8), (1, 8), (7, 2), (11, 2), (6, 1), (4, 1), (5, 1),
                         (31, 3), (29, 1), (30, 1)])
    return [version9(templates9(four, six),
                     data(four, (*hosts(1), "192.0.2.9", 3, 4, 10, 1000, 3500000, 3590000, 1111, 80, 0x1b, 6, 184,
                                 65001, 4200000000, 24, 20)),
                     data(six, ("2001:db8::1", "2001:db8:1::1", 70000, 4, 20, 2000, 1111, 53, 0, 17, 0, 0x12345, 64,
                                48)),
                     source=42, sequence=5)]


@case
def netflow_v9_oddities():
    """A zero-filled tail, FlowSets of reserved numbers, an empty template, padding, zero-length and variable fields."""
    srx = Template(300, [(1, 0), (34, 4)], scope=1)
    text = Template(301, HOSTS + [(82, VARIABLE)] + COUNTERS)
    nothing = Template(302, [(8, 0), (12, 0)])
    return [version9(flowset(2, b"\1\2\3\4"), flowset(255, b""), templates9(Template(256, [])), templates9(srx),
                     data(srx, (b"", 1)), templates9(FLOW), data(FLOW, flow(1, 1, 100)), bytes(600)),
            version9(templates9(text, nothing), data(text, (*hosts(2), "Vlan7", 2, 200), padding=3),
                     flowset(302, bytes(64)), data(FLOW, flow(3, 3, 300)), sequence=2)]


# ---- IPFIX: templates and sets ---------------------------------------------------------------------------------------

@case
def netflow_variable_length():
    """Short and long form, empty, and what comes after them."""
    template = Template(256, HOSTS + [(82, VARIABLE), (83, VARIABLE), (96, VARIABLE)] + COUNTERS)
    return [ipfix(templates10(template), data(
        template, (*hosts(1), "eth1", "a link", "x", 1, 100),
        (*hosts(2), Raw(variable(b"eth2", True)), "y" * 300, "", 2, 200),
        (*hosts(3), "eth3", Raw(b"\xff\0\0"), b"\0" * 254, 3, 300)))]


@case
def netflow_enterprise():
    """Elements of enterprises, known and unknown, between others; one of each size."""
    template = Template(256, [(8, 4), (1, 3, 99999), (12, 4), (32767, VARIABLE, 99999), (137, 4, 2636), (2, 8),
                              (1, 1, 5951), (1, 8)])
    return [ipfix(templates10(template), data(
        template, ("10.0.0.1", b"\1\2\3", "10.0.1.1", "hidden", 7, 1, 9, 100),
        ("10.0.0.2", b"\1\2\3", "10.0.1.1", b"", 7, 2, 9, 200)))]


@case
def netflow_padding():
    """paddingOctets in the record, padding of every length after the last one, templates padded too."""
    template = Template(256, HOSTS + [(210, 3)] + COUNTERS + [(210, 1), (210, 2)])
    out = [ipfix(flowset(2, template.record10(), padding=2))]
    out += [ipfix(data(template, (*hosts(n + 1), bytes(3), 1, 100, bytes(1), bytes(2)), padding=n), sequence=n)
            for n in range(8)]
    return out


@case
def netflow_redefinition():
    """A template holds for the data after it; options templates and data templates share their numbers."""
    swapped = Template(256, [(12, 4), (8, 4), (1, 4), (2, 4)])
    options = Template(256, [(149, 4), (34, 4)], scope=1)
    return [ipfix(templates10(FLOW), data(FLOW, flow(1, 1, 100)), templates10(swapped),
                  data(swapped, ("10.0.1.1", "10.0.0.2", 200, 2)), templates10(options), data(options, (0, 1)),
                  templates10(FLOW), data(FLOW, flow(3, 3, 300))),
            From(ipfix(templates10(swapped), data(swapped, ("10.0.1.1", "10.0.0.4", 400, 4))), "192.0.2.2"),
            ipfix(templates10(swapped), data(swapped, ("10.0.1.1", "10.0.0.5", 500, 5)), domain=1),
            ipfix(data(FLOW, flow(6, 6, 600)), sequence=5),
            version9(templates9(swapped), data(swapped, ("10.0.1.1", "10.0.0.7", 700, 7)))]


@case
def netflow_lengths():
    """Sets and messages whose lengths lie: what came before them counts, and the next datagram is good."""
    good = data(FLOW, flow(1, 1, 100))
    return [ipfix(templates10(FLOW), good, flowset(256, b"", length=0)),
            ipfix(good, flowset(256, b"", length=3), data(FLOW, flow(9, 9, 900)), sequence=1),
            ipfix(good, flowset(256, bytes(12), length=2000), sequence=2),
            ipfix(good, sequence=3, length=15), ipfix(good, sequence=3, length=2000), ipfix(good, sequence=3)[:18],
            ipfix(flowset(4, b"four"), flowset(255, b""), flowset(1, bytes(8)), good, sequence=3),
            ipfix(good, sequence=4) + b"after the message", ipfix(sequence=5),
            ipfix(data(FLOW, flow(2, 2, 200)), sequence=5)]


@case
def netflow_bad_templates():
    """Templates that end early, of reserved numbers, without octets; and fields longer than their type."""
    wide = Template(258, [(8, 50), (12, 4), (7, 4), (11, 8), (4, 2), (10, 8), (2, 8), (1, 8)])
    return [ipfix(flowset(2, FLOW.record10()[:-3])), ipfix(flowset(2, struct.pack(">HHHH", 255, 1, 8, 4))),
            ipfix(templates10(Template(257, [(8, 0), (210, 0)])), flowset(257, bytes(16))),
            ipfix(flowset(3, struct.pack(">HHH", 259, 1, 2) + number(8, 2) + number(4, 2))),
            ipfix(flowset(3, struct.pack(">HHH", 259, 1, 0xffff) + number(8, 2) + number(4, 2))),
            ipfix(templates10(wide), data(wide, (bytes(range(50)), "10.0.1.1", 1111, 2222, 17, 7, 1, 100)))]


# ---- what elements mean ----------------------------------------------------------------------------------------------

@case
def netflow_families():
    """Both families in one template: the one that is not zero."""
    template = Template(256, [(8, 4), (27, 16), (12, 4), (28, 16), (60, 1)] + COUNTERS)
    return [ipfix(templates10(template), data(template, ("10.0.0.1", "::", "10.0.1.1", "::", 4, 1, 100),
                                              ("0.0.0.0", "2001:db8::1", "0.0.0.0", "2001:db8::2", 6, 2, 200)))]


@case
def netflow_repeated():
    """Outer addresses first, inner ones last (segment routing over IPv6)."""
    twice = Template(257, [(27, 16), (28, 16), (4, 1), (27, 16), (28, 16), (7, 2), (11, 2), (4, 1)] + COUNTERS)
    return [ipfix(templates10(twice), data(twice, ("2001:db8:f::1", "2001:db8:f::2", 41, "2001:db8::1", "2001:db8::2",
                                                   1111, 2222, 17, 2, 200)))]


@case
def netflow_routing():
    template = Template(256, HOSTS + [(9, 1), (13, 1), (16, 4), (17, 4), (129, 4), (128, 4), (18, 4), (15, 4), (3, 4)] +
                        COUNTERS)
    return [ipfix(templates10(template), data(template, (*hosts(1), 24, 20, 65001, 4200000000, 65002, 65003,
                                                         "192.0.2.20", "192.0.2.30", 5, 10, 1000)))]


@case
def netflow_next_hops():
    """The next hop of the routing table, of either family or of that in use, beside that of BGP; of version 5."""
    four, six = Template(256, HOSTS + [(15, 4)] + COUNTERS), Template(257, HOSTS + [(62, 16)] + COUNTERS)
    both = Template(258, HOSTS + [(15, 4), (62, 16), (18, 4)] + COUNTERS)
    return [ipfix(templates10(four, six, both), data(four, (*hosts(1), "192.0.2.30", 1, 100)),
                  data(six, (*hosts(2), "2001:db8::30", 2, 200)),
                  data(both, (*hosts(3), "192.0.2.31", "::", "192.0.2.20", 3, 300),
                       (*hosts(4), "0.0.0.0", "2001:db8::31", "192.0.2.20", 4, 400),
                       (*hosts(5), "0.0.0.0", "::", "0.0.0.0", 5, 500))),
            fixed(5, [Fixed(**{**FULL, "src": "10.0.0.6"})])]


@case
def netflow_two_way_routing():
    """The way back goes through the VRFs the other way, and to a next hop that nobody tells."""
    template = Template(256, KEY + [(234, 4), (235, 4), (15, 4)] + COUNTERS + [(2, 8, REVERSE), (1, 8, REVERSE)])
    return [ipfix(templates10(template), data(template, ("10.0.0.1", "10.0.1.1", 1111, 80, 6, 7, 8, "192.0.2.30",
                                                         10, 1000, 20, 5000)))]


@case
def netflow_interfaces():
    """10 and 14, else the physical ones; of 2, 4 and 8 octets."""
    one = Template(256, HOSTS + [(10, 8), (14, 2), (252, 4), (253, 4)] + COUNTERS)
    two = Template(257, HOSTS + [(252, 4), (253, 4)] + COUNTERS)
    return [ipfix(templates10(one, two), data(one, (*hosts(1), 70000, 4, 5, 6, 1, 100)),
                  data(two, (*hosts(2), 5, 6, 2, 200)))]


@case
def netflow_layer2():
    """The direction says whether the VLAN before or after the box is meant."""
    template = Template(256, HOSTS + [(56, 6), (80, 6), (58, 2), (59, 2), (245, 2), (244, 1), (256, 2), (61, 1)] +
                        COUNTERS)
    one, two = mac("02:00:00:00:00:01"), mac("02:00:00:00:00:02")
    return [ipfix(templates10(template), data(template, (*hosts(1), one, two, 100, 200, 300, 5, 0x0800, 0, 1, 100),
                                              (*hosts(2), one, two, 100, 200, 300, 5, 0x0800, 1, 2, 200)))]


@case
def netflow_mpls():
    template = Template(256, HOSTS + [(70, 3), (71, 3), (72, 3), (249, 4)] + COUNTERS)

    def entry(label, bottom=0):
        return number(label << 4 | 2 << 1 | bottom, 3)

    return [ipfix(templates10(template), data(
        template, (*hosts(1), entry(16001), entry(16002), entry(24005, 1), 77, 1, 100),
        (*hosts(2), entry(16001), entry(24006, 1), entry(0), 77, 2, 200)))]


@case
def netflow_segment_id():
    template = Template(256, HOSTS + [(351, 8)] + COUNTERS)
    return [ipfix(templates10(template), data(template, (*hosts(1), 1 << 56 | 5001, 1, 100),
                                              (*hosts(2), 2 << 56 | 6001, 2, 200)))]


@case
def netflow_nat_event():
    template = Template(256, KEY + [(225, 4), (226, 4), (227, 2), (228, 2), (230, 1), (323, 8)])
    return [ipfix(templates10(template), data(
        template, ("10.0.0.1", "10.0.1.1", 1111, 80, 6, "203.0.113.1", "203.0.113.2", 33333, 8080, 1, START * 1000),
        ("10.0.0.1", "10.0.1.1", 1111, 80, 6, "203.0.113.1", "203.0.113.2", 33333, 8080, 2, START * 1000)))]


@case
def netflow_nsel():
    """A firewall's events, as its version 9 says them: created, torn down with both directions' sums, denied."""
    template = Template(256, [(148, 4)] + KEY + [(233, 1), (33002, 2), (231, 4), (232, 4), (298, 4), (299, 4)])
    return [version9(templates9(template), data(
        template, (1, *hosts(1), 1111, 80, 6, 1, 0, 0, 0, 0, 0),
        (1, *hosts(1), 1111, 80, 6, 2, 2001, 1000, 2000, 10, 20),
        (2, *hosts(2), 1112, 23, 6, 3, 1001, 0, 0, 0, 0)))]


@case
def netflow_elements():
    """Elements that are no primitives, to be asked for by their names: a number, a text, an address, a reverse one."""
    template = Template(256, HOSTS + [(234, 4), (371, VARIABLE), (62, 16), (148, 3, REVERSE)] + COUNTERS)
    return [ipfix(templates10(template), data(template, (*hosts(1), 42, "alice", "2001:db8::9", 77, 1, 100),
                                              (*hosts(1), 42, "bob \"b\"", "2001:db8::9", 77, 2, 200)))]


@case
def netflow_sections():
    """The first octets of a packet instead of fields: a whole frame (315), and the older 104."""
    frame = ethernet(ipv4("10.0.0.1", "10.0.1.1", 17, udp(1111, 2222, bytes(172))), 0x0800, tags=((0x8100, 7),))
    other = ethernet(ipv4("10.0.0.2", "10.0.1.1", 6, tcp(1112, 80, 0x12, bytes(260))), 0x0800)
    new = Template(256, [(10, 4), (14, 4), (312, 2), (408, 2), (315, VARIABLE)])
    old = Template(257, [(10, 4), (104, VARIABLE)])
    return [ipfix(templates10(new, old), data(new, (3, 4, len(frame), 1, frame[:64])), data(old, (5, other)))]


@case
def netflow_times():
    """Every unit and form; the hosts count up in this order."""
    def one(start, end, size=8, other=None):
        return Template(256, HOSTS + [(start, size)] + ([(end, other or size)] if end else []) + COUNTERS)

    init = Template(300, [(144, 4), (160, 8)], scope=1)
    milliseconds = START * 1000
    rows = [(one(150, 151, 4), START - 10, START - 5), (one(152, 153), milliseconds - 10500, milliseconds - 5250),
            (one(150, 151), START - 10, START - 5),
            (one(158, 159, 4), 10500000, 5250000), (one(152, 161, 8, 4), milliseconds - 10500, 5250),
            (one(322, None, 4), START - 10), (one(323, None), milliseconds - 10500), (one(22, 21, 4), 3589500, 3594750)]
    out = [ipfix(templates10(t), data(t, (*hosts(n), *times, n, 100 * n)), domain=n)
           for n, (t, *times) in enumerate(rows, 1)]
    uptime = one(22, 21, 4)
    return out + [ipfix(templates10(init), data(init, (1, milliseconds - 3600000)), templates10(uptime),
                        data(uptime, (*hosts(9), 3589500, 3594750, 9, 900)), domain=9)]


@case
def netflow_times_implausible():
    """Three days ahead and two years ago: the time of arrival stands in."""
    template = Template(256, HOSTS + [(152, 8), (153, 8)] + COUNTERS)
    return [ipfix(templates10(template), data(
        template, (*hosts(1), (START + 3 * 86400) * 1000, (START + 3 * 86400) * 1000, 1, 100),
        (*hosts(2), (START - 2 * 365 * 86400) * 1000, (START - 2 * 365 * 86400) * 1000, 2, 200)))]


# ---- options data ----------------------------------------------------------------------------------------------------

@case
def netflow_samplers():
    """Version 9: rates by sampler; and a rate in the record itself."""
    sampler = Template(300, [(1, 4), (48, 1), (49, 1), (50, 4), (84, 8)], scope=1)
    flows = Template(256, HOSTS + [(48, 1)] + COUNTERS)
    own = Template(257, HOSTS + [(34, 4)] + COUNTERS)
    return [version9(templates9(sampler), data(sampler, (1, 7, 2, 100, "seven"), (1, 8, 1, 1000, "eight")),
                     templates9(flows, own), data(flows, (*hosts(1), 7, 1, 100), (*hosts(2), 8, 2, 200)),
                     data(own, (*hosts(3), 64, 3, 300)))]


@case
def netflow_selectors():
    """PSAMP (RFC 5477): count-based, random n of N, by probability."""
    count = Template(300, [(302, 8), (304, 2), (305, 4), (306, 4)], scope=1)
    random = Template(301, [(302, 8), (304, 2), (309, 4), (310, 4)], scope=1)
    uniform = Template(302, [(302, 8), (304, 2), (311, 8)], scope=1)
    flows = Template(256, HOSTS + [(302, 8)] + COUNTERS)
    return [ipfix(templates10(count, random, uniform), data(count, (1, 1, 1, 99)), data(random, (2, 3, 2, 1024)),
                  data(uniform, (3, 4, struct.pack(">d", 0.01)))),
            ipfix(templates10(flows), data(flows, (*hosts(1), 1, 1, 100), (*hosts(2), 2, 2, 200),
                                           (*hosts(3), 3, 3, 300)), sequence=3)]


@case
def netflow_rate_unknown():
    """A record names a selector before its rate is told, and one after."""
    count = Template(300, [(302, 8), (304, 2), (305, 4), (306, 4)], scope=1)
    flows = Template(256, HOSTS + [(302, 8)] + COUNTERS)
    return [ipfix(templates10(flows), data(flows, (*hosts(1), 5, 1, 100))),
            ipfix(templates10(count), data(count, (5, 1, 1, 99)), sequence=1),
            ipfix(data(flows, (*hosts(2), 5, 2, 200)), sequence=2)]


@case
def netflow_names():
    """Interfaces, VRFs and applications are named by options data."""
    interface = Template(300, [(10, 4), (82, VARIABLE), (83, VARIABLE)], scope=1)
    vrf = Template(301, [(234, 4), (236, VARIABLE)], scope=1)
    application = Template(302, [(95, 4), (96, 24), (94, 24)], scope=1)
    flows = Template(256, HOSTS + [(10, 4), (14, 4), (234, 4), (235, 4), (95, 4)] + COUNTERS)
    return [ipfix(templates10(interface, vrf, application),
                  data(interface, (3, "Te0/0/3", "uplink"), (4, "Te0/0/4", "")), data(vrf, (1, "blue"), (2, "red")),
                  data(application, (0x0d0001a1, "webex-meeting", "a meeting"))),
            ipfix(templates10(flows), data(flows, (*hosts(1), 3, 4, 1, 2, 0x0d0001a1, 1, 100)), sequence=5)]


@case
def netflow_names_in_record():
    """Open vSwitch tells the names in the record itself, twice: in, out."""
    flows = Template(256, HOSTS + [(10, 4), (82, VARIABLE), (14, 4), (82, VARIABLE)] + COUNTERS)
    return [ipfix(templates10(flows), data(flows, (*hosts(1), 3, "port-a", 4, "port-b", 1, 100)))]


@case
def netflow_exporter():
    """A mediator tells who exported."""
    told = Template(300, [(144, 4), (130, 4)], scope=1)
    return [ipfix(templates10(told, FLOW), data(told, (1, "198.51.100.77")), data(FLOW, flow(1, 1, 100))),
            ipfix(templates10(FLOW), data(FLOW, flow(2, 2, 200)), domain=2)]


@case
def netflow_sequence():
    """Missing, by each version's own rule: 10 flows, 3 datagrams, 5 data records. Templates do not count in IPFIX."""
    five = [fixed(5, [Fixed(**FULL)] * 2, sequence=sequence) for sequence in (100, 102, 114, 116)]
    nine = [version9(templates9(FLOW), data(FLOW, flow(1, 1, 100)), sequence=sequence) for sequence in (7, 8, 12, 13)]
    ten = [ipfix(templates10(FLOW), data(FLOW, flow(2, 1, 100), flow(2, 1, 100)), sequence=sequence)
           for sequence in (2 ** 32 - 2, 0, 7, 9)]
    return five + nine + ten


def main():
    folder = os.path.dirname(os.path.abspath(__file__))
    wrong = 0
    for function in CASES:
        path = os.path.join(folder, function.__name__ + ".pcap")
        made = capture(function())
        if sys.argv[1:] == ["--check"]:
            with open(path, "rb") as file:
                if file.read() != made:
                    print(path, "differs")
                    wrong = 1
        else:
            with open(path, "wb") as file:
                file.write(made)
    return wrong


if __name__ == "__main__":
    sys.exit(main())
