#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes the small captures of packets of this folder (packets_*), octet by octet from the specifications.

Each case below is a function that returns one capture file. What pmacctd must make of them is written by hand in
../golden/expected, never taken from its output. The files are committed; run this again after a change:

    make_packets.py            writes NAME.pcap for every case into this folder
    make_packets.py --check    exits 1 when a committed file is not what this script makes
"""
import os
import struct
import sys

from make_sflow import ethernet, hop_by_hop, ipv4, ipv6, tcp, udp

CASES = []
START = 1767225600  # 2026-01-01 00:00:00 UTC

STATION = bytes.fromhex("02000000000a")
SNAP = bytes.fromhex("aaaa03000000")


def case(function):
    CASES.append(function)
    return function


# ---- capture files ---------------------------------------------------------------------------------------------------

class Frame:
    def __init__(self, octets, link=1, length=None, flags=None):
        self.octets, self.link, self.length, self.flags = octets, link, length or len(octets), flags


def as_frames(frames):
    return [frame if isinstance(frame, Frame) else Frame(frame) for frame in frames]


def pcap(frames, link=1, order="<", nanoseconds=False):
    out = struct.pack(order + "IHHiIII", 0xa1b23c4d if nanoseconds else 0xa1b2c3d4, 2, 4, 0, 0, 262144, link)
    for number, frame in enumerate(as_frames(frames)):
        out += struct.pack(order + "IIII", START + number, 123456789 if nanoseconds else 0, len(frame.octets),
                           frame.length) + frame.octets
    return out


def block(order, kind, body):
    body += bytes(-len(body) % 4)
    return struct.pack(order + "II", kind, len(body) + 12) + body + struct.pack(order + "I", len(body) + 12)


def pcapng(frames, order="<"):
    """One section; an interface for each link type, with the default clock."""
    frames = as_frames(frames)
    links = sorted({frame.link for frame in frames})
    out = block(order, 0x0a0d0d0a, struct.pack(order + "IHHq", 0x1a2b3c4d, 1, 0, -1))
    for link in links:
        out += block(order, 1, struct.pack(order + "HHI", link, 0, 0))
    for number, frame in enumerate(frames):
        stamp = (START + number) * 1000000
        body = struct.pack(order + "IIIII", links.index(frame.link), stamp >> 32, stamp & 0xffffffff, len(frame.octets),
                           frame.length) + frame.octets + bytes(-len(frame.octets) % 4)
        if frame.flags is not None:
            body += struct.pack(order + "HHIHH", 2, 4, frame.flags, 0, 0)
        out += block(order, 6, body)
    return out


# ---- packets ---------------------------------------------------------------------------------------------------------

def plain(source, payload=12):
    """IPv4 and UDP 1111 to 2222: 40 octets."""
    return ipv4(source, "10.9.9.9", 17, udp(1111, 2222, bytes(payload)))


def plain6(source):
    """IPv6 and UDP: 60 octets."""
    return ipv6(source, "2001:db8::99", 17, udp(1111, 2222, bytes(12)))


def labels(*values):
    return b"".join(struct.pack(">I", value << 12 | (0x100 if number == len(values) else 0) | 64)
                    for number, value in enumerate(values, 1))


def wifi(payload, quality=b""):
    """A data frame from the access point: to 02:..:0b, by :99, from :0a."""
    return bytes([0x88 if quality else 8, 2]) + bytes.fromhex("0000 02000000000b 020000000099 02000000000a 0000") + \
        quality + SNAP + b"\x08\x00" + payload


def sll(protocol, payload, packet_type=0):
    return struct.pack(">HHH6sHH", packet_type, 1, 6, STATION, 0, protocol) + payload


def sll2(protocol, payload, interface, packet_type=0):
    return struct.pack(">HHIHBB6sH", protocol, 0, interface, 1, packet_type, 6, STATION, 0) + payload


def attribute(kind, value):
    return struct.pack("<HH", len(value) + 4, kind) + value + bytes(-len(value) % 4)


def nflog(payload, inside=None, outside=None):
    """As Linux writes it on a little-endian machine: packet header, interfaces, prefix, payload."""
    out = struct.pack(">BBH", 2, 0, 1) + attribute(1, struct.pack(">HBB", 0x0800, 2, 0))
    if inside:
        out += attribute(4, struct.pack(">I", inside))
    if outside:
        out += attribute(5, struct.pack(">I", outside))
    return out + attribute(10, b"drop\0") + attribute(9, payload)


# ---- link types ------------------------------------------------------------------------------------------------------

def of_link(link, payload):
    """The packet as a frame of that link type."""
    before = {
        0: b"\x02\0\0\0",                              # NULL of a little-endian system
        9: b"\xff\x03\0\x21",                          # PPP
        12: b"",                                       # raw, by BSD's number
        14: b"",
        50: b"\x21",                                   # PPP, everything compressed
        51: struct.pack(">BBHHH", 0x11, 0, 1, len(payload) + 2, 0x21),
        101: b"",
        104: b"\x0f\0\x08\0",                          # Cisco HDLC
        108: b"\0\0\0\x02",                            # LOOP
        228: b"",
    }
    if link in before:
        return before[link] + payload
    radiotap = struct.pack("<BBHIQB", 0, 0, 17, 3, 1, 0x20)  # time, and flags: padded after 802.11
    return {
        1: lambda: ethernet(payload, 0x0800),
        105: lambda: wifi(payload),
        113: lambda: sll(0x0800, payload),
        119: lambda: struct.pack("<II", 0x44, 144) + bytes(136) + wifi(payload),
        127: lambda: radiotap + wifi(payload, b"\0\0\0\0"),  # quality of service, then two octets of padding
        163: lambda: struct.pack(">II", 0x80211001, 64) + bytes(56) + wifi(payload),
        192: lambda: struct.pack("<BBHIHHI", 0, 0, 16, 105, 2, 4, 0) + wifi(payload),
        219: lambda: labels(16, 17) + payload,
        239: lambda: nflog(payload),
        276: lambda: sll2(0x0800, payload, 0),
    }[link]()


@case
def packets_links():
    """Each link type, its number in the source address; the last two frames are of types that nobody knows."""
    numbers = (0, 1, 9, 12, 14, 50, 51, 101, 104, 105, 108, 113, 119, 127, 163, 192, 219, 228, 239, 276)
    frames = [Frame(of_link(n, plain(f"10.1.{n >> 8}.{n & 255}")), n) for n in numbers]
    frames.append(Frame(plain6("2001:db8::229"), 229))
    frames.append(Frame(b"\0\0\0\x1e" + plain6("2001:db8::30"), 0))
    return pcapng(frames + [Frame(plain("10.1.0.147"), 147), Frame(bytes(40), 189)])


@case
def packets_order():
    """Big-endian, nanoseconds, raw IP."""
    return pcap([plain("10.0.0.1"), plain6("2001:db8::1")], 101, ">", True)


@case
def packets_sections():
    """A pcapng section in each byte order, one after the other."""
    return pcapng([ethernet(plain("10.0.0.1"), 0x0800)]) + pcapng([Frame(plain("10.0.0.2"), 101)], ">")


@case
def packets_directions():
    """Where a frame went, by link headers and by pcapng's flags (1 in, 2 out)."""
    return pcapng([
        Frame(sll(0x0800, plain("10.0.0.1"), 0), 113), Frame(sll(0x0800, plain("10.0.0.2"), 4), 113),
        Frame(sll2(0x0800, plain("10.0.0.3"), 7, 0), 276), Frame(sll2(0x0800, plain("10.0.0.4"), 7, 4), 276),
        Frame(nflog(plain("10.0.0.5"), 3), 239), Frame(nflog(plain("10.0.0.6"), None, 4), 239),
        Frame(nflog(plain("10.0.0.7"), 3, 4), 239),
        Frame(ethernet(plain("10.0.0.8"), 0x0800), flags=1), Frame(ethernet(plain("10.0.0.9"), 0x0800), flags=2)])


# ---- between Ethernet and IP -----------------------------------------------------------------------------------------

@case
def packets_tags():
    """Priority and number in the tag; the last frame has one tag too many."""
    def tagged(last, *tags):
        return ethernet(plain(f"10.0.0.{last}"), 0x0800, tags)

    return pcap([
        tagged(1), tagged(2, (0x8100, 0xa064)), tagged(3, (0x8100, 0xe000)), tagged(4, (0x88a8, 0x6190), (0x8100, 200)),
        tagged(5, (0x9100, 1), (0x9200, 2), (0x9300, 3), (0x8100, 4)), tagged(6, (0x9300, 7)),
        ethernet(SNAP + b"\x08\0" + plain("10.0.0.7"), 48, [(0x8100, 100)]),
        ethernet(plain6("2001:db8::8"), 0x86dd, [(0x8100, 0x2009)]),
        tagged(9, *[(0x8100, n) for n in range(1, 6)])])


@case
def packets_shims():
    def inner(last):
        return ethernet(plain(f"10.0.0.{last}"), 0x0800, (), b"\x02\0\0\0\x01\x01", b"\x02\0\0\0\x01\x02")

    return pcap([
        ethernet(SNAP + b"\x08\0" + plain("10.0.0.1"), 48),
        ethernet(b"\x06\x06\x03" + plain("10.0.0.2"), 43),
        ethernet(labels(100) + plain("10.0.0.3"), 0x8847),
        ethernet(labels(16000, 16016, 1048575) + plain6("2001:db8::4"), 0x8847),
        ethernet(labels(100, 0) + plain("10.0.0.5"), 0x8848),
        ethernet(labels(2) + plain6("2001:db8::6"), 0x8847),
        ethernet(labels(100, 7, 70000) + plain("10.0.0.7"), 0x8847),  # an entropy label
        ethernet(labels(100) + bytes(4) + inner(8), 0x8847),          # a pseudowire with its control word
        ethernet(labels(100) + inner(9), 0x8847),                     # and without
        ethernet(b"\x11\0\0\x01\0\x2a\0\x21" + plain("10.0.0.10"), 0x8864),
        ethernet(b"\x11\0\0\x01\0\x3e\0\x57" + plain6("2001:db8::11"), 0x8864),
        ethernet(b"\x20\0\0\0\0\x01\x02\0\0\0\0\x01\0\x01\x08\0" + plain("10.0.0.12") + bytes(16), 0x88e5),
        ethernet(bytes.fromhex("00001234") + inner(13), 0x88e7),
        ethernet(bytes.fromhex("800100000800") + plain("10.0.0.14"), 0x8926),
        ethernet(bytes.fromhex("0400") + inner(15), 0x8903),
        ethernet(bytes.fromhex("004500010002 01020304") + inner(16), 0x22f3),
        ethernet(bytes.fromhex("0fc20203 000010ff") + inner(17), 0x894f),
        ethernet(bytes.fromhex("11090000000401010000"), 0x8863),     # PPPoE discovery, a pseudowire's own channel
        ethernet(labels(100, 13) + bytes.fromhex("10000021 45000014"), 0x8847)])


# ---- IP --------------------------------------------------------------------------------------------------------------

@case
def packets_ip():
    options = plain("10.0.0.1")
    options = b"\x46" + options[1:2] + struct.pack(">H", 44) + options[4:20] + b"\x01\x01\x01\0" + options[20:]
    offload = plain("10.0.0.3", 1000)
    offload = offload[:2] + b"\0\0" + offload[4:]
    whole = ethernet(plain("10.0.0.4", 1472), 0x0800)
    jumbo = ipv6("2001:db8::10", "2001:db8::99", 0,
                 struct.pack(">BBBBI", 6, 0, 0xc2, 4, 66000) + tcp(1111, 2222, 0x10, bytes(20)))
    segments = ipv6("2001:db8::11", "2001:db8::99", 6, tcp(1111, 2222, 0x18, bytes(2000)))
    authentication = struct.pack(">BBHII12s", 17, 4, 0, 0x100, 1, b"\x11" * 12)
    return pcap([
        ethernet(options, 0x0800),
        ethernet(plain("10.0.0.2", 0), 0x0800) + b"\xff" * 18,             # padding of Ethernet
        ethernet(offload, 0x0800),                                          # total length 0
        ethernet(offload.replace(b"\x0a\0\0\x03", b"\x0a\0\0\x05"), 0x0800, [(0x8100, 100)]),
        Frame(whole[:60], length=len(whole)),
        Frame(ethernet(plain("10.0.0.6"), 0x0800)[:36]),                    # cut within the ports
        ethernet(ipv4("10.0.0.7", "10.9.9.9", 6, tcp(1111, 2222, 0x02, b""), tos=0xb8), 0x0800),
        ethernet(ipv4("10.0.0.8", "10.9.9.9", 1, bytes(8)), 0x0800),
        ethernet(ipv4("10.0.0.9", "10.9.9.9", 132, udp(1111, 2222)), 0x0800),
        ethernet(ipv4("10.0.0.10", "10.9.9.9", 50, udp(1111, 2222)), 0x0800),
        ethernet(ipv6("2001:db8::7", "2001:db8::99", 6, tcp(1111, 2222, 0x12, b""), 0xabcde, 0xb8), 0x86dd),
        ethernet(ipv6("2001:db8::8", "2001:db8::99", 0, hop_by_hop(60) + hop_by_hop(17) + udp(1111, 2222)), 0x86dd),
        ethernet(ipv6("2001:db8::9", "2001:db8::99", 51, authentication + udp(1111, 2222)), 0x86dd),
        Frame(ethernet(jumbo[:4] + b"\0\0" + jumbo[6:], 0x86dd), length=66054),
        ethernet(segments[:4] + b"\0\0" + segments[6:], 0x86dd),
        ethernet(ipv6("2001:db8::12", "2001:db8::99", 58, bytes(8)), 0x86dd)])


def piece(number, offset, payload, more, source="10.0.0.1"):
    """An IPv4 fragment; offset in units of eight octets."""
    packet = ipv4(source, "10.9.9.9", 17, payload, offset | (0x2000 if more else 0))
    return ethernet(packet[:4] + struct.pack(">H", number) + packet[6:], 0x0800)


def piece6(number, offset, payload, more):
    return ethernet(ipv6("2001:db8::1", "2001:db8::99", 44,
                         struct.pack(">BBHI", 17, 0, offset << 3 | more, number) + payload), 0x86dd)


@case
def packets_fragments():
    """In order; the first one last; IPv6; without a first one, the second time with the number of another host's."""
    first = udp(1111, 2222, bytes(24))
    return pcap([
        piece(1, 0, first, True), piece(1, 4, bytes(32), True), piece(1, 8, bytes(16), False),
        piece(2, 4, bytes(16), False, "10.0.0.2"), piece(2, 0, first, True, "10.0.0.2"),
        piece6(7, 4, bytes(16), False), piece6(7, 0, first, True),
        piece(3, 4, bytes(16), False, "10.0.0.3"),
        piece(1, 4, bytes(16), False, "10.0.0.4")])


@case
def packets_broken():
    """Three headers that contradict themselves, one of the wrong version, four frames without IP, a good one."""
    good = plain("10.0.0.1")
    return pcap([
        ethernet(b"\x44" + good[1:], 0x0800), ethernet(good[:2] + b"\0\x13" + good[4:], 0x0800),
        ethernet(b"\x65" + good[1:], 0x0800), ethernet(b"\x45" + plain6("2001:db8::1")[1:], 0x86dd),
        ethernet(bytes.fromhex("0001080006040001") + bytes(20), 0x0806),
        ethernet(b"\x42\x42\x03" + bytes(35), 38), b"\x02\0\0\0\0\x02\x02\0\0\0", b"", ethernet(good, 0x0800)])


# ---- tunnels ---------------------------------------------------------------------------------------------------------

def inner_packet():
    """TCP 5000 to 80, 52 octets."""
    return ipv4("10.99.0.1", "10.99.0.2", 6, tcp(5000, 80, 0x18, bytes(12)), tos=8)


def inner_frame():
    return ethernet(inner_packet(), 0x0800, (), b"\x06\0\0\0\0\xaa", b"\x06\0\0\0\0\xbb")


def over_udp(last, port, payload):
    return ethernet(ipv4(f"10.0.0.{last}", "10.9.9.9", 17, udp(50000, port, payload)), 0x0800)


def over_ip(last, protocol, payload):
    return ethernet(ipv4(f"10.0.0.{last}", "10.9.9.9", protocol, payload), 0x0800)


@case
def packets_tunnels():
    """Each kind of tunnel, told apart by its source; the last four are none, or closed to us."""
    stt = struct.pack(">HHIIBBHHH", 50000, 7471, 84 << 16, 1, 0x50, 0x18, 512, 0, 0) + bytes(16) + b"\0\0"
    return pcap([
        over_ip(1, 4, inner_packet()), over_ip(2, 94, inner_packet()),
        over_ip(3, 41, ipv6("fd00::1", "fd00::2", 6, tcp(5000, 80, 0x18, bytes(12)), 0x12345)),
        ethernet(ipv6("2001:db8::4", "2001:db8::99", 4, inner_packet()), 0x86dd),
        over_ip(5, 47, b"\0\0\x08\0" + inner_packet()),
        over_ip(6, 47, b"\xb0\0\x08\0" + bytes(12) + inner_packet()),               # checksum, key, sequence
        over_ip(7, 47, b"\x20\0\x65\x58\0\xab\xcd\x01" + inner_frame()),            # NVGRE 0xabcd
        over_ip(8, 47, b"\x30\x01\x88\x0b" + struct.pack(">HHI", 56, 1, 1) + b"\xff\x03\0\x21" + inner_packet()),
        over_ip(9, 47, b"\x10\0\x88\xbe\0\0\0\x01" + bytes(8) + inner_frame()),     # ERSPAN II
        over_ip(10, 47, b"\x10\0\x22\xeb\0\0\0\x01" + bytes(12) + inner_frame()),   # ERSPAN III
        over_ip(11, 97, b"\x30\0" + inner_frame()),
        over_ip(12, 137, labels(100) + inner_packet()),
        ethernet(ipv6("2001:db8::13", "2001:db8::99", 43,
                      struct.pack(">BBBBI16s", 143, 2, 4, 0, 0, bytes(16)) + inner_frame()), 0x86dd),  # SRv6
        over_udp(14, 4789, b"\x08\0\0\0\0\x30\x39\0" + inner_frame()),
        over_udp(15, 8472, b"\x08\0\0\0\0\x30\x39\0" + inner_frame()),
        over_udp(16, 4790, b"\x0c\0\0\x01\0\x30\x39\0" + inner_packet()),
        over_udp(17, 6081, b"\x01\0\x65\x58\0\x30\x39\0" + bytes(4) + inner_frame()),
        over_udp(18, 2152, b"\x30\xff\0\x34\0\0\0\x01" + inner_packet()),
        over_udp(19, 2152, b"\x36\xff\0\x3c\0\0\0\x01\0\x01\0\x85\x01\0\0\0" + inner_packet()),
        over_udp(20, 3386, b"\x1e\xff\0\x34" + bytes(16) + inner_packet()),
        over_udp(21, 6635, labels(100) + inner_packet()),
        over_udp(22, 1701, b"\x40\x02\0\x40\0\x01\0\x02\xff\x03\0\x21" + inner_packet()),
        over_udp(23, 4754, b"\0\0\x08\0" + inner_packet()),
        over_ip(24, 6, stt + inner_frame()),
        over_udp(25, 4789, b"\0\0\0\0\0\x30\x39\0" + inner_frame()),                # no valid identifier
        over_udp(26, 2152, b"\x32\x01\0\x04\0\0\0\0\0\x01\0\0"),                    # GTP echo
        over_udp(27, 51820, b"\x04\0\0\0" + bytes(60)),                             # WireGuard
        over_ip(28, 50, bytes(60))])


@case
def packets_gtp():
    """Two packets in GTP-U, an echo of its own, a packet in no tunnel."""
    return pcap([
        over_udp(1, 2152, b"\x30\xff\0\x34\0\0\0\x01" + inner_packet()),
        over_udp(2, 2152, b"\x36\xff\0\x3c\0\0\0\x01\0\x01\0\x85\x01\0\0\0" + inner_packet()),
        over_udp(3, 2152, b"\x32\x01\0\x04\0\0\0\0\0\x01\0\0"), ethernet(plain("10.0.0.4"), 0x0800)])


@case
def packets_stack():
    """VXLAN in GRE; GTP in IPv6 in IPv4; a plain packet."""
    vxlan = ipv4("10.0.0.11", "10.0.0.12", 17, udp(50000, 4789, b"\x08\0\0\0\0\x30\x39\0" + inner_frame()))
    gtp = ipv6("fd00::1", "fd00::2", 17, udp(2152, 2152, b"\x30\xff\0\x34\0\0\0\x01" + inner_packet()))
    return pcap([over_ip(1, 47, b"\0\0\x08\0" + vxlan), over_ip(2, 41, gtp), ethernet(plain("10.0.0.3"), 0x0800)])


def main():
    folder = os.path.dirname(os.path.abspath(__file__))
    wrong = 0
    for function in CASES:
        path = os.path.join(folder, function.__name__ + ".pcap")
        made = function()
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
