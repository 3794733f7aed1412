#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes the small sFlow captures of this folder, octet by octet from the specification (sflow.org version 5, RFC 3176).

Each case below is a function that returns the datagrams of one capture. What a collector must make of them is written by
hand in ../golden/expected, never taken from a collector's output. The files are committed; run this again after a change:

    make_sflow.py            writes NAME.pcap for every case into this folder
    make_sflow.py --check    exits 1 when a committed file is not what this script makes
"""
import ipaddress
import os
import struct
import sys

CASES = []


def case(function):
    CASES.append(function)
    return function


# ---- XDR and packets -------------------------------------------------------------------------------------------------

def words(*values):
    return struct.pack(f">{len(values)}I", *values)


def hyper(value):
    return struct.pack(">Q", value)


def opaque(octets):
    return words(len(octets)) + octets + bytes(-len(octets) % 4)


def address(text):
    value = ipaddress.ip_address(text)
    return words(1 if value.version == 4 else 2) + value.packed


def ethernet(payload, etype, tags=(), source=b"\x02\0\0\0\0\x01", destination=b"\x02\0\0\0\0\x02"):
    """`tags` are (TPID, TCI), outermost first."""
    return destination + source + b"".join(struct.pack(">HH", *tag) for tag in tags) + struct.pack(">H", etype) + payload


def ipv4(source, destination, protocol, payload, fragment=0, tos=0, total=None):
    head = struct.pack(">BBHHHBBH4s4s", 0x45, tos, total or 20 + len(payload), 0x1234, fragment, 64, protocol, 0,
                       ipaddress.ip_address(source).packed, ipaddress.ip_address(destination).packed)
    total = sum(struct.unpack(">10H", head))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return head[:10] + struct.pack(">H", ~total & 0xffff) + head[12:] + payload


def ipv6(source, destination, next_header, payload, label=0, traffic_class=0):
    return struct.pack(">IHBB", 0x60000000 | traffic_class << 20 | label, len(payload), next_header, 64) + \
        ipaddress.ip_address(source).packed + ipaddress.ip_address(destination).packed + payload


def udp(source, destination, payload=bytes(32)):
    return struct.pack(">HHHH", source, destination, 8 + len(payload), 0) + payload


def tcp(source, destination, flags, payload=bytes(32)):
    return struct.pack(">HHIIBBHHH", source, destination, 1, 1, 0x50, flags, 512, 0, 0) + payload


# ---- sFlow -----------------------------------------------------------------------------------------------------------

def record(form, body, enterprise=0):
    return words(enterprise << 12 | form, len(body)) + body


def raw_header(frame, protocol=1, length=None, stripped=4, cut=128):
    return record(1, words(protocol, len(frame) + stripped if length is None else length, stripped) + opaque(frame[:cut]))


def flow_sample(records, sequence=1, source=3, rate=1, pool=None, drops=0, input=3, output=4, trailer=b""):
    body = words(sequence, source, rate, pool or rate * sequence, drops, input, output, len(records)) + b"".join(records)
    return record(1, body + trailer)


def flow_sample_expanded(records, sequence=1, source=(0, 3), rate=1, input=(0, 3), output=(0, 4)):
    return record(3, words(sequence, *source, rate, rate * sequence, 0, *input, *output, len(records)) + b"".join(records))


def datagram(samples, sequence=1, agent="192.0.2.1", sub_agent=0, uptime=1000, count=None):
    return words(5) + address(agent) + words(sub_agent, sequence, uptime, len(samples) if count is None else count) + \
        b"".join(samples)


def datagram_old(version, samples, sequence=1, agent="192.0.2.1"):
    return words(version) + address(agent) + words(sequence, 1000, len(samples)) + b"".join(samples)


def flow_sample_old(packet, extensions, sequence=1):
    """Versions 2 and 4: no lengths anywhere."""
    return words(1, sequence, 3, 1, sequence, 0, 3, 4) + packet + words(len(extensions)) + b"".join(extensions)


def header_old(frame):
    return words(1, 1, len(frame) + 4) + opaque(frame)


SIMPLE = ethernet(ipv4("10.0.0.1", "10.0.0.2", 17, udp(1111, 2222)), 0x0800)


# ---- IPv6 extension headers (RFC 8200, RFC 4302) ---------------------------------------------------------------------

def hop_by_hop(next_header):
    return struct.pack(">BBBB4x", next_header, 0, 1, 4)  # PadN of six octets


@case
def ipv6_hop_by_hop():
    return [datagram([flow_sample([raw_header(ethernet(
        ipv6("2001:db8::1", "2001:db8::2", 0, hop_by_hop(17) + udp(1111, 2222)), 0x86dd))])])]


@case
def ipv6_destination_options():
    return [datagram([flow_sample([raw_header(ethernet(
        ipv6("2001:db8::1", "2001:db8::2", 0, hop_by_hop(60) + hop_by_hop(17) + udp(1111, 2222)), 0x86dd))])])]


@case
def ipv6_authentication():
    # Length 4: (4 + 2) words of 4 octets, with an integrity value of 12
    header = struct.pack(">BBHII12s", 17, 4, 0, 0x100, 1, b"\x11" * 12)
    return [datagram([flow_sample([raw_header(ethernet(
        ipv6("2001:db8::1", "2001:db8::2", 51, header + udp(1111, 2222)), 0x86dd))])])]


@case
def ipv6_fragment():
    """A first fragment has ports, a later one has none; its payload looks like some."""
    first = struct.pack(">BBHI", 17, 0, 0 << 3 | 1, 77) + udp(1111, 2222)
    later = struct.pack(">BBHI", 17, 0, 5 << 3, 77) + struct.pack(">HH", 12345, 54321) + bytes(36)
    return [datagram([flow_sample([raw_header(ethernet(ipv6("2001:db8::1", "2001:db8::2", 44, body), 0x86dd))], number)
                      for number, body in ((1, first), (2, later))])]


@case
def ipv4_fragment():
    later = ethernet(ipv4("10.0.0.1", "10.0.0.2", 17, struct.pack(">HH", 12345, 54321) + bytes(36), fragment=185), 0x0800)
    return [datagram([flow_sample([raw_header(later)])])]


@case
def ipv6_flow_label():
    return [datagram([flow_sample([raw_header(ethernet(
        ipv6("2001:db8::1", "2001:db8::2", 6, tcp(443, 50000, 0x12), 0xabcde, 0x88), 0x86dd))])])]


# ---- versions 2 and 4 ------------------------------------------------------------------------------------------------

@case
def version2_gateway():
    """Gateway of version 2: own AS, source AS, source peer AS, plain list of destination ASes."""
    gateway = words(3, 64500, 65001, 64501) + words(3, 64502, 64600, 64700)
    return [datagram_old(2, [flow_sample_old(header_old(SIMPLE), [gateway])])]


@case
def version4_gateway():
    """Version 4: switch, then a gateway with path segments, communities and local preference, without a next hop."""
    switch = words(1, 100, 5, 200, 6)
    gateway = words(3, 64500, 65001, 64501) + words(1, 2, 3, 64502, 64600, 64700) + words(2, 0xfde80001, 0xfde80002) + words(100)
    counters = words(2, 1, 3, 20, 1) + words(3, 6) + hyper(1000000000) + words(1, 3) + hyper(12345) + words(*range(6)) + \
        hyper(54321) + words(*range(6))
    return [datagram_old(4, [flow_sample_old(header_old(SIMPLE), [switch, gateway]), counters,
                             flow_sample_old(header_old(SIMPLE), [], 2)])]


@case
def version4_ipv4():
    """Packet data of type 2: addresses and ports instead of a header."""
    packet = words(2, 60, 6) + ipaddress.ip_address("10.0.0.1").packed + ipaddress.ip_address("10.0.0.2").packed + \
        words(40000, 80, 0x18, 0x20)
    return [datagram_old(4, [flow_sample_old(packet, [])])]


# ---- version 5: kinds of samples and records -------------------------------------------------------------------------

@case
def sampled_ipv4_ipv6():
    four = record(3, words(60, 6) + ipaddress.ip_address("10.0.0.1").packed + ipaddress.ip_address("10.0.0.2").packed +
                  words(40000, 80, 0x12, 0x20))
    six = record(4, words(1280, 6) + ipaddress.ip_address("2001:db8::1").packed +
                 ipaddress.ip_address("2001:db8::2").packed + words(40001, 443, 0x18, 0x40))
    return [datagram([flow_sample([four]), flow_sample([six], 2)])]


@case
def sampled_twice():
    """One packet told in three ways is one packet; the raw header's length counts."""
    ethernet_record = record(2, words(999) + b"\x02\0\0\0\0\x01\0\0" + b"\x02\0\0\0\0\x02\0\0" + words(0x0800))
    four = record(3, words(60, 17) + ipaddress.ip_address("10.0.0.1").packed + ipaddress.ip_address("10.0.0.2").packed +
                  words(1111, 2222, 0, 0))
    return [datagram([flow_sample([four, ethernet_record, raw_header(SIMPLE)])])]


@case
def expanded():
    return [datagram([
        flow_sample_expanded([raw_header(SIMPLE)], source=(0, 70000), input=(0, 70000), output=(0, 80000)),
        record(4, words(1, 0, 70000, 1) + record(2, words(*range(13)))),
        flow_sample_expanded([raw_header(SIMPLE)], 2, (0, 70000), input=(0, 70000), output=(1, 258))])]


@case
def unknown_samples():
    """A vendor's sample, an unknown standard one and an unknown record are skipped by their length."""
    return [datagram([record(77, bytes(20), 12345), record(999, bytes(8)),
                      flow_sample([record(3999, bytes(12)), raw_header(SIMPLE), record(1, bytes(4), 12345)])])]


@case
def long_header():
    """A raw header of 1800 octets: more than an Ethernet frame, and legal."""
    frame = ethernet(ipv4("10.0.0.1", "10.0.0.2", 17, udp(1111, 2222, bytes(1758))), 0x0800)
    return [datagram([flow_sample([raw_header(frame, cut=1800)]), flow_sample([raw_header(SIMPLE)], 2)])]


@case
def discarded():
    """Packets that the switch dropped, with the reason; one flow sample beside them."""
    lost = ethernet(ipv4("10.0.0.3", "10.0.0.4", 6, tcp(1000, 2000, 2)), 0x0800)
    return [datagram([
        record(5, words(1, 0, 3, 0, 3, 0, 258, 1) + raw_header(lost)),
        record(5, words(2, 0, 3, 0, 3, 0, 257, 1) + raw_header(lost)),
        record(5, words(3, 0, 3, 0, 3, 0, 258, 1) + raw_header(lost)),
        flow_sample([raw_header(SIMPLE)])])]


@case
def interfaces():
    """The two top bits of an interface word are its format: 1 discarded (reason 2), 2 several destinations."""
    return [datagram([flow_sample([raw_header(SIMPLE)], number, input=source, output=target)
                      for number, (source, target) in enumerate(((7, 8), (7, 1 << 30 | 2), (7, 2 << 30 | 3),
                                                                 (0x3fffffff, 8)), 1)])]


@case
def gateway():
    router = record(1002, address("198.51.100.1") + words(24, 20))
    body = address("198.51.100.2") + words(64500, 65001, 64501) + words(2, 2, 2, 64502, 64600, 1, 2, 64700, 64701) + \
        words(2, 0xfde80001, 0xfde80002) + words(150)
    return [datagram([flow_sample([raw_header(SIMPLE), router, record(1003, body)])])]


@case
def router():
    """The next hop of the routing table alone, of both families."""
    four, six = (record(1002, address(text) + words(24, 20)) for text in ("198.51.100.1", "2001:db8::9"))
    return [datagram([flow_sample([raw_header(SIMPLE), four]), flow_sample([raw_header(SIMPLE), six], 2)])]


@case
def nat():
    addresses = record(1007, address("203.0.113.1") + address("203.0.113.2"))
    ports = record(1020, words(33333, 44444))
    return [datagram([flow_sample([raw_header(SIMPLE), addresses, ports])])]


@case
def agents():
    """Three exporters: an IPv6 agent and two sub-agents of one IPv4 agent, each with sequence numbers of its own; two
    datagrams of the first sub-agent are missing, and one of the second came twice."""
    one, two, four = ([flow_sample([raw_header(SIMPLE)], number)] for number in (1, 2, 4))
    return [datagram(one, 10, "2001:db8::a"), datagram(one, 100), datagram(one, 500, sub_agent=1),
            datagram(four, 103), datagram(two, 11, "2001:db8::a"), datagram(one, 500, sub_agent=1)]


# ---- link layers and tunnels -----------------------------------------------------------------------------------------

@case
def vlan():
    """A tag in the header; a switch record of zeros before it does not hide it, and a real one wins wherever it stands."""
    tagged = ethernet(ipv4("10.0.0.1", "10.0.0.2", 17, udp(1111, 2222)), 0x0800, [(0x8100, 3 << 13 | 42)])
    zero, real = record(1001, words(0, 0, 0, 0)), record(1001, words(100, 5, 200, 6))
    return [datagram([flow_sample([raw_header(tagged)], 1), flow_sample([zero, raw_header(tagged)], 2),
                      flow_sample([raw_header(tagged), real], 3), flow_sample([real, raw_header(tagged)], 4)])]


@case
def qinq():
    inner = ipv4("10.0.0.1", "10.0.0.2", 6, tcp(32017, 443, 0x10))
    return [datagram([flow_sample([raw_header(ethernet(inner, 0x0800, [(0x88a8, 100), (0x8100, 200)]))]),
                      flow_sample([raw_header(ethernet(inner, 0x0800, [(0x8100, 100), (0x8100, 200)]))], 2)])]


@case
def mpls():
    """Two labels between Ethernet and IP."""
    labels = struct.pack(">II", 16001 << 12 | 64, 24005 << 12 | 0x100 | 64)
    frame = ethernet(labels + ipv4("10.0.0.1", "10.0.0.2", 6, tcp(32017, 443, 0x10)), 0x8847)
    return [datagram([flow_sample([raw_header(frame)])])]


@case
def vxlan():
    inner = ethernet(ipv4("10.99.0.1", "10.99.0.2", 6, tcp(5000, 80, 0x18), tos=8), 0x0800,
                     source=b"\x02\0\0\0\0\x0a", destination=b"\x02\0\0\0\0\x0b")
    frame = ethernet(ipv4("10.0.0.1", "10.0.0.2", 17, udp(50000, 4789, words(8 << 24, 5001 << 8) + inner)), 0x0800)
    return [datagram([flow_sample([raw_header(frame, cut=256)])])]


@case
def gre():
    frame = ethernet(ipv4("10.0.0.1", "10.0.0.2", 47, struct.pack(">HH", 0, 0x0800) +
                          ipv4("10.99.0.1", "10.99.0.2", 17, udp(5000, 53))), 0x0800)
    return [datagram([flow_sample([raw_header(frame)])])]


@case
def plain_ip():
    """Header protocols 11 (IPv4), 12 (IPv6) and 7 (PPP): no Ethernet before the packet."""
    four, six = ipv4("10.0.0.1", "10.0.0.2", 17, udp(1111, 2222)), ipv6("2001:db8::1", "2001:db8::2", 17, udp(1111, 2222))
    return [datagram([flow_sample([raw_header(four, 11, stripped=0)], 1), flow_sample([raw_header(six, 12, stripped=0)], 2),
                      flow_sample([raw_header(struct.pack(">BBH", 0xff, 3, 0x21) + four, 7, stripped=0)], 3)])]


@case
def not_ip():
    """ARP and a spanning tree frame are no IP packets."""
    arp = ethernet(struct.pack(">HHBBH", 1, 0x0800, 6, 4, 1) + bytes(20), 0x0806)
    tree = b"\x01\x80\xc2\0\0\0\x02\0\0\0\0\x01" + struct.pack(">H", 39) + b"\x42\x42\x03" + bytes(43)
    icmp = ethernet(ipv4("10.0.0.1", "10.0.0.2", 1, b"\x08\0\0\0\0\x01\0\x01" + bytes(48)), 0x0800)
    return [datagram([flow_sample([raw_header(arp)]), flow_sample([raw_header(tree)], 2), flow_sample([raw_header(icmp)], 3)])]


# ---- lengths ---------------------------------------------------------------------------------------------------------

@case
def renormalize():
    return [datagram([flow_sample([raw_header(SIMPLE)], number, rate=100) for number in (1, 2, 3)])]


@case
def gso():
    """The frame that the agent saw is shorter than the IP header says: segmentation was left to the card."""
    frame = ethernet(ipv4("10.0.0.1", "10.0.0.2", 6, tcp(5000, 80, 0x18, bytes(88)), total=797), 0x0800)
    return [datagram([flow_sample([raw_header(frame, length=146, stripped=4)])])]


@case
def minimum_frame():
    """An IP packet of 29 octets in a frame of 64: padding and check sequence are on the wire, not in the packet."""
    frame = ethernet(ipv4("10.0.0.1", "10.0.0.2", 17, udp(1111, 2222, b"x")) + bytes(17), 0x0800)
    return [datagram([flow_sample([raw_header(frame)])])]


@case
def padded_sample():
    """Octets after a sample's last record, and after the datagram's last sample: newer fields, or a careless agent."""
    return [datagram([flow_sample([raw_header(SIMPLE)], trailer=bytes(8)), flow_sample([raw_header(SIMPLE)], 2)]) + bytes(5)]


@case
def hostile_counts():
    """A gateway with 2^32-1 communities, a sample that promises 2^32-1 records and has none, then a good sample."""
    body = address("198.51.100.2") + words(1, 2, 3, 0) + words(0xffffffff)
    endless = record(1, words(2, 3, 1, 2, 0, 3, 4, 0xffffffff))
    return [datagram([flow_sample([raw_header(SIMPLE), record(1003, body)]), endless, flow_sample([raw_header(SIMPLE)], 3)])]


@case
def cut_datagram():
    """The second sample goes on beyond the datagram's end; the first one is whole."""
    whole = datagram([flow_sample([raw_header(SIMPLE)]), flow_sample([raw_header(SIMPLE)], 2)])
    return [whole[:-40]]


@case
def hostile_lengths():
    """Sample and record lengths that lie, and versions that nobody speaks; the last datagram is good."""
    good = datagram([flow_sample([raw_header(SIMPLE)])], 9)
    return [words(5) + address("192.0.2.1") + words(0, 1, 1000, 1, 1, 0xfffffff0), words(5, 3, 0, 0, 0, 0),
            words(9) + bytes(40), b"", b"\0\0", datagram([record(1, words(1, 3))], 2), datagram([], 3, count=0xffffffff),
            good]


# ---- counters --------------------------------------------------------------------------------------------------------

@case
def counters():
    """One counter sample with a record of each family, an unknown one last."""
    generic = words(3, 6) + hyper(10000000000) + words(1, 3) + hyper(1 << 40) + words(11, 12, 13, 14, 15, 16) + \
        hyper(1 << 41) + words(21, 22, 23, 24, 25, 26)
    records = [record(1, generic), record(2, words(*range(1, 14))),
               record(5, words(42) + hyper(1 << 33) + words(1, 2, 3, 4)),
               record(1001, words(1455, 0xffffffff, 250) + hyper(1 << 34) + hyper(1 << 33)),
               record(1004, hyper(0x0123456789abcdef) + words(65534)), record(1005, opaque(b"swp3")),
               record(2003, struct.pack(">3f", 0.5, 1.25, 2.0) + words(1, 200, 2, 3000, 86400, *range(100, 113))),
               record(2004, b"".join(hyper(n << 30) for n in range(1, 8)) + words(1, 2, 3, 4)),
               record(2005, hyper(10196652032) + hyper(8712331264) + words(1455, 49837) + hyper(1260391424) +
                      words(136338, 3332846) + hyper(15576254464) + words(3325584)),
               record(2207, words(6, 5, 4, 3, 2, 1)), record(3999, b"\xde\xad\xbe\xef")]
    return [datagram([record(2, words(7, 3, len(records)) + b"".join(records))], 41)]


# ---- capture files ---------------------------------------------------------------------------------------------------

def capture(datagrams):
    out = struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1)
    for number, payload in enumerate(datagrams):
        packet = ethernet(ipv4("192.0.2.99", "198.51.100.1", 17,
                               struct.pack(">HHHH", 50000, 6343, 8 + len(payload), 0) + payload), 0x0800)
        out += struct.pack("<IIII", 1767225600 + number, 0, len(packet), len(packet)) + packet
    return out


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
