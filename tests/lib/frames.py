#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Known traffic for the tests of the packet daemons: Ethernet frames, and the rows that they must become.

  frames.py write FILE [OPTIONS]      a capture (pcap, Ethernet, microseconds) of them
  frames.py send DEVICE [OPTIONS]     out of a device (needs root); prints how many the kernel took; ends at SIGTERM
  frames.py expect [OPTIONS]          the rows as CSV: SRC_IP,DST_IP,SRC_PORT,DST_PORT,PROTOCOL,VLAN,PACKETS,BYTES
  frames.py rows FILE...              the same of the CSV files of a daemon, added up, in the same order; a column that
                                      they have not is left out
  frames.py sums FILE...              "packets bytes" of those

Options: --conversations N (100), --packets N of each (10), --rounds N (1): all of it again; --first N (0): number of
the first conversation, so that two senders have nothing in common; --kind mixed|udp; --orphans: fragments whose first
one never comes, too; --rate N frames a second (0: as fast as it goes); --begin SECONDS: time of the capture; --columns
A,B,C of expect and rows: only these before PACKETS and BYTES.

Everything follows from the options; the bytes of a row are those of the IP packets, by what was put into them.
"""
import argparse
import collections
import csv
import ipaddress
import itertools
import random
import signal
import socket
import struct
import sys
import time

ICMP, TCP, UDP, ICMPV6 = 1, 6, 17, 58
NAMES = {ICMP: "icmp", TCP: "tcp", UDP: "udp", ICMPV6: "ipv6-icmp"}
COLUMNS = ["SRC_IP", "DST_IP", "SRC_PORT", "DST_PORT", "PROTOCOL", "VLAN"]
LEFT, RIGHT = b"\x02\0\0\0\0\x0a", b"\x02\0\0\0\0\x0b"


def checksum(octets):
    total = sum(struct.unpack(f">{(len(octets) + 1) // 2}H", octets + bytes(len(octets) % 2)))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ethernet(packet, version, vlan):
    tag = struct.pack(">HH", 0x8100, vlan) if vlan else b""
    frame = RIGHT + LEFT + tag + struct.pack(">H", 0x0800 if version == 4 else 0x86dd) + packet
    return frame + bytes(max(0, 60 - len(frame)))


def ip(version, source, destination, proto, payload, fragment=None):
    """`fragment` is (identification, offset in octets, whether more follow)."""
    ends = ipaddress.ip_address(source).packed + ipaddress.ip_address(destination).packed
    if version == 4:
        number, offset, more = fragment or (0, 0, False)
        bits = offset >> 3 | (0x2000 if more else 0)
        head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), number, bits, 64, proto, 0) + ends
        return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + payload
    if fragment:
        number, offset, more = fragment
        payload = struct.pack(">BBHI", proto, 0, offset | more, number) + payload
        proto = 44
    return struct.pack(">IHBB", 0x60000000, len(payload), proto, 64) + ends + payload


def transport(proto, sport, dport, flags, size):
    if proto == TCP:
        return struct.pack(">HHIIBBHHH", sport, dport, 1, 1, 0x50, flags, 512, 0, 0) + bytes(size)
    if proto == UDP:
        return struct.pack(">HHHH", sport, dport, 8 + size, 0) + bytes(size)
    return struct.pack(">BBHHH", 8 if proto == ICMP else 128, 0, 0, 1, 1) + bytes(size)


class Traffic:
    """frames: the octets of each; rows: what each one counts as, (key, octets of IP)."""

    def __init__(self, options):
        self.frames, self.rows = [], []
        self.random = random.Random(f"{options.first} {options.conversations} {options.packets}")
        turns = []
        for n in range(options.first, options.first + options.conversations):
            turns += [n] * options.packets
        self.random.shuffle(turns)
        seen = collections.Counter()
        for n in turns:
            self.packet(n, seen[n], options.kind)
            seen[n] += 1
        if options.kind == "mixed":
            self.fragments(options.first)
        if options.orphans:
            self.orphans(options.first)

    def add(self, key, packet, version):
        self.frames.append(ethernet(packet, version, key[5]))
        self.rows.append((key, len(packet)))

    def packet(self, n, turn, kind):
        version = 6 if kind == "mixed" and n % 10 < 3 else 4
        proto = UDP if kind == "udp" else (TCP, UDP, TCP, UDP, TCP, ICMP if version == 4 else ICMPV6)[n % 6]
        vlan = (0, 10, 0, 4000)[n % 4] if kind == "mixed" else 0
        ports = (1024 + n % 60000, (53, 80, 443, 8080)[n % 4]) if proto in (TCP, UDP) else (0, 0)
        host = ipaddress.ip_address(0x20010db8 << 96 | n + 1 if version == 6 else 10 << 24 | n)
        ends = [str(host), "2001:db8:1::1" if version == 6 else "192.0.2.1"]
        if turn % 3 == 2:  # the answer
            ends, ports = ends[::-1], ports[::-1]
        size = self.random.choice((0, 1, 17, 100, 536, 1200)) if kind == "mixed" else 22
        payload = transport(proto, *ports, (2, 18, 16, 24, 17)[min(turn, 4)], size)
        self.add((*ends, *ports, proto, vlan), ip(version, *ends, proto, payload), version)

    def pieces(self, version, proto, ends, ports, number, order, vlan=0):
        """A datagram of 3000 octets in pieces of 1024."""
        whole = transport(proto, *ports, 16, 3000 - (20 if proto == TCP else 8))
        for at in order:
            piece = whole[at * 1024:at * 1024 + 1024]
            packet = ip(version, *ends, proto, piece, (number, at * 1024, at * 1024 + 1024 < len(whole)))
            self.add((*ends, *ports, proto, vlan), packet, version)

    def fragments(self, first):
        """All orders of arrival, both families, TCP and UDP, also the same identification between others."""
        for number, order in enumerate(((0, 1, 2), (0, 2, 1), (2, 1, 0), (1, 2, 0), (1, 0, 2), (2, 0, 1))):
            four = [f"198.51.100.{number + 1}", f"203.0.113.{first % 250 + 1}"]
            six = [f"2001:db8:2::{number + 1:x}", f"2001:db8:3::{first + 1:x}"]
            self.pieces(4, UDP, four, (5000 + number, 5001), 77, order)
            self.pieces(4, TCP, four, (6000 + number, 6001), 77, order, vlan=10)
            self.pieces(6, UDP, six, (7000 + number, 7001), 77 << 16 | number, order)

    def orphans(self, first):
        """Their ports are not known: they count with ports 0."""
        for number in range(5):
            ends = [f"198.51.100.{number + 101}", f"203.0.113.{first % 250 + 1}"]
            for at in (1, 2):
                packet = ip(4, *ends, UDP, bytes(1000), (500 + number, at * 1000, at == 1))
                self.add((*ends, 0, 0, UDP, 0), packet, 4)


def write(traffic, options):
    now, step = options.begin * 1000000, 100
    with open(options.target[0], "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1))
        for _ in range(options.rounds):
            for frame in traffic.frames:
                file.write(struct.pack("<IIII", now // 1000000, now % 1000000, len(frame), len(frame)) + frame)
                now += step


def send(traffic, options):
    device = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    device.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 22)
    device.bind((options.target[0], 0))
    begun, sent, stopped = time.monotonic(), 0, []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
    for frame in itertools.chain.from_iterable(itertools.repeat(traffic.frames, options.rounds)):
        device.send(frame)
        sent += 1
        if options.rate and sent % 16 == 0:
            ahead = begun + sent / options.rate - time.monotonic()
            if ahead > 0:
                time.sleep(ahead)
        if stopped:
            break
    spent = time.monotonic() - begun
    print(f"{sent} frames, {int(sent / max(spent, 1e-6))} a second", file=sys.stderr)
    print(sent)


def print_rows(rows, columns):
    print(",".join(columns + ["PACKETS", "BYTES"]))
    for key in sorted(rows):
        print(",".join((*key, *map(str, rows[key]))))


def expect(traffic, options):
    columns = options.columns.split(",") if options.columns else COLUMNS
    rows = collections.defaultdict(lambda: [0, 0])
    for key, octets in traffic.rows:
        texts = dict(zip(COLUMNS, (*map(str, key[:4]), NAMES[key[4]], str(key[5]))))
        row = rows[tuple(texts[column] for column in columns)]
        row[0] += options.rounds
        row[1] += options.rounds * octets
    print_rows(rows, columns)


def read_rows(options):
    wanted = options.columns.split(",") if options.columns else COLUMNS
    rows, columns = collections.defaultdict(lambda: [0, 0]), None
    for path in options.target:
        with open(path, encoding="ascii", newline="") as file:
            for row in csv.DictReader(file, skipinitialspace=True):
                columns = columns or [column for column in wanted if column in row]
                values = rows[tuple(row[column] for column in columns)]
                values[0] += int(row["PACKETS"])
                values[1] += int(row["BYTES"])
    return rows, columns or wanted


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("command", choices=("write", "send", "expect", "rows", "sums"))
    parser.add_argument("target", nargs="*")
    for name, default in (("conversations", 100), ("packets", 10), ("rounds", 1), ("first", 0), ("rate", 0),
                          ("begin", 1795168800)):
        parser.add_argument("--" + name, type=int, default=default)
    parser.add_argument("--kind", choices=("mixed", "udp"), default="mixed")
    parser.add_argument("--orphans", action="store_true")
    parser.add_argument("--columns")
    options = parser.parse_args()
    if options.command in ("rows", "sums"):
        rows, columns = read_rows(options)
        if options.command == "rows":
            print_rows(rows, columns)
        else:
            print(sum(row[0] for row in rows.values()), sum(row[1] for row in rows.values()))
    else:
        {"write": write, "send": send, "expect": expect}[options.command](Traffic(options), options)


if __name__ == "__main__":
    main()
