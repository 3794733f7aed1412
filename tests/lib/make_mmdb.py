#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes databases in the MaxMind DB format, version 2.0, from its public specification: a binary tree of the bits of
an address, sixteen zero octets, the data that its leaves point to, and a map that describes the file.

  make_mmdb.py country|city|asn FILE [--record-size 24|28|32] [--ip-version 4|6] [--aliases]
  make_mmdb.py random FILE [--networks N] [--seed S]     for benches: N prefixes with records like a city database's
  make_mmdb.py json FILE < ROWS                          a line each: {"network": "192.0.2.0/24", "data": {...}}

The networks of the first three are those reserved for documentation; SAMPLES below says what they hold. With --aliases
the addresses of 2002::/16 and ::ffff:0:0/96 lead to the IPv4 networks, as in databases that are sold.
"""
import argparse
import ipaddress
import json
import random
import struct
import sys

MARKER = b"\xab\xcd\xefMaxMind.com"
TYPES = {"country": "Test-Country", "city": "Test-City", "asn": "Test-ASN", "random": "Test-City", "json": "Test"}


def country(code, name):
    return {"country": {"iso_code": code, "geoname_id": sum(code.encode()), "names": {"en": name}},
            "registered_country": {"iso_code": "ZZ"}}


def city(code, name, postal=None, latitude=None, longitude=None):
    data = country(code, name)
    data["city"] = {"names": {"en": name + " town"}}
    if postal is not None:
        data["postal"] = {"code": postal}
    if latitude is not None:
        data["location"] = {"accuracy_radius": 20, "latitude": latitude, "longitude": longitude, "time_zone": "UTC"}
    return data


def system(number, name):
    return {"autonomous_system_number": number, "autonomous_system_organization": name}


SAMPLES = {
    "country": [
        ("192.0.2.0/24", country("CH", "Switzerland")),
        ("198.51.100.0/25", country("JP", "Japan")),
        ("198.51.100.77/32", country("KE", "Kenya")),
        ("203.0.113.0/24", {"registered_country": {"iso_code": "BR"}}),
        ("2001:db8::/32", country("NO", "Norway")),
        ("2001:db8:0:1:2::/80", country("IS", "Iceland")),
    ],
    "city": [
        ("192.0.2.0/24", city("CH", "Switzerland", "8001", 47.3682, 8.5671)),
        ("198.51.100.0/25", city("JP", "Japan", "100-0001", 35.6897, 139.6895)),
        ("198.51.100.77/32", city("KE", "Kenya", None, -1.2841, 36.8155)),
        ("198.51.100.128/25", city("AR", "Argentina", "C1000")),
        ("203.0.113.0/24", {"location": {"latitude": 0.0, "longitude": -0.5}}),
        ("203.0.113.8/29", {"country": {"iso_code": "too long"}, "postal": {"code": 12345},
                            "location": {"latitude": 90.5, "longitude": "east"}}),
        ("203.0.113.16/29", {"country": {"iso_code": "F1"}, "postal": {"code": ""}, "location": [1, 2]}),
        ("203.0.113.24/29", ["no map at all"]),
        ("2001:db8::/32", city("NO", "Norway", "0010", 59.9127, 10.7461)),
        ("2001:db8:0:1:2::/80", city("IS", "Iceland", "101", 64.1355, -21.8954)),
    ],
    "asn": [
        ("192.0.2.0/24", system(64496, "Example Telecom AG")),
        ("198.51.100.0/24", system(64497, "Beispielnetz \u00c4\u00d6\u00dc")),
        ("203.0.113.0/25", {"autonomous_system_number": 64498}),
        ("203.0.113.128/25", system(64499, "x" * 2000)),
        ("2001:db8::/32", system(4200000000, "Six, \"quoted\" Ltd")),
    ],
}


def random_rows(count, seed):
    """IPv4 prefixes of 16 to 24 bits side by side from 1.0.0.0 on, a tenth as many IPv6 ones; 200 countries, and a
    record of its own for every third prefix."""
    numbers, rows, at = random.Random(seed), [], 1 << 24
    while len(rows) < count:
        length = numbers.choice((16, 18, 20, 21, 22, 22, 23, 23, 24, 24, 24, 24, 24))
        size = 1 << (32 - length)
        at = (at + size - 1) & -size
        if at + size > 224 << 24:
            break
        rows.append((f"{ipaddress.IPv4Address(at)}/{length}", None))
        at += size
    for i in range(count // 10):
        rows.append((f"{ipaddress.IPv6Address((0x2a000000 + (i << 4)) << 96)}/{numbers.choice((29, 32))}", None))
    result = []
    for i, (network, _) in enumerate(rows):
        place = i // 3
        code = chr(65 + place % 20) + chr(65 + place % 10)
        result.append((network, city(code, "Land " + code, f"{place % 100000:05d}",
                                     place % 18000 / 100.0 - 90, place % 36000 / 100.0 - 180)))
    return result


class Unsigned:
    """A number whose type the format prescribes; plain ones are of 32 bits, or of 64 if they must."""

    def __init__(self, number, bits):
        self.number, self.bits = number, bits


class Data:
    """The data section. Equal records are kept once; a text that was written before becomes a pointer."""

    def __init__(self, pointers=True):
        self.octets, self.records, self.texts = bytearray(), {}, {} if pointers else None

    def control(self, kind, size):
        """Type and size: three bits of type, five of size, both with room for more behind them."""
        first = (kind << 5 if kind < 8 else 0)
        extended = b"" if kind < 8 else bytes([kind - 7])
        if size < 29:
            return bytes([first | size]) + extended
        for code, start, width in ((29, 29, 1), (30, 285, 2), (31, 65821, 3)):
            if size < start + (1 << 8 * width):
                return bytes([first | code]) + extended + (size - start).to_bytes(width, "big")
        raise ValueError("too long")

    def pointer(self, to):
        for code, start, width in ((0, 0, 1), (1, 2048, 2), (2, 526336, 3)):
            if to < start + (8 << 8 * width):
                value = to - start
                return bytes([1 << 5 | code << 3 | value >> 8 * width]) + (value & ((1 << 8 * width) - 1)).to_bytes(
                    width, "big")
        return bytes([1 << 5 | 3 << 3]) + to.to_bytes(4, "big")

    def put(self, value):
        if isinstance(value, str):
            octets = value.encode()
            if self.texts is not None and len(octets) > 3:
                if octets in self.texts:
                    self.octets += self.pointer(self.texts[octets])
                    return
                self.texts[octets] = len(self.octets)
            self.octets += self.control(2, len(octets)) + octets
        elif isinstance(value, bool):
            self.octets += self.control(14, int(value))
        elif isinstance(value, float):
            self.octets += self.control(3, 8) + struct.pack(">d", value)
        elif isinstance(value, Unsigned):
            octets = value.number.to_bytes((value.number.bit_length() + 7) // 8, "big")
            self.octets += self.control({16: 5, 32: 6, 64: 9}[value.bits], len(octets)) + octets
        elif isinstance(value, int):
            self.put(Unsigned(value, 32 if value < 1 << 32 else 64))
        elif isinstance(value, dict):
            self.octets += self.control(7, len(value))
            for name, inner in value.items():
                self.put(name)
                self.put(inner)
        elif isinstance(value, list):
            self.octets += self.control(11, len(value))
            for inner in value:
                self.put(inner)
        else:
            raise ValueError(f"no type for {value!r}")

    def record(self, value):
        """Where a record of the tree begins."""
        name = json.dumps(value, sort_keys=True)
        if name not in self.records:
            self.records[name] = len(self.octets)
            self.put(value)
        return self.records[name]


class Tree:
    """Nodes are pairs of what their two bits lead to: None, ("node", number) or ("data", offset)."""

    def __init__(self, bits):
        self.bits, self.nodes, self.start = bits, [[None, None]], (0, 0)

    def insert_ipv4(self, address, length, leaf):
        """What all of them have in common, 96 zero bits, is walked once."""
        if self.bits == 128 and self.start == (0, 0) and length > 0:
            around = self.node_of(0, 97)
            self.insert(0, 97, around)
            self.start = (96, self.node_of(0, 96)[1])
        self.insert(address, length + self.bits - 32, leaf, *self.start)

    def insert(self, address, length, leaf, depth_of_start=0, at=0):
        if length == 0:
            raise ValueError("a prefix without bits has no place in a tree")
        for depth in range(depth_of_start, length):
            bit = address >> (self.bits - 1 - depth) & 1
            if depth == length - 1:
                self.nodes[at][bit] = leaf
                return
            there = self.nodes[at][bit]
            if there is None or there[0] == "data":  # a shorter prefix: both halves inherit it
                self.nodes.append([there, there])
                self.nodes[at][bit] = there = ("node", len(self.nodes) - 1)
            at = there[1]

    def node_of(self, address, length):
        at = 0
        for depth in range(length):
            there = self.nodes[at][address >> (self.bits - 1 - depth) & 1]
            if there is None or there[0] != "node":
                return there
            at = there[1]
        return ("node", at)

    def octets(self, size):
        count, out = len(self.nodes), bytearray()

        def number(record):
            if record is None:
                return count
            return record[1] if record[0] == "node" else count + 16 + record[1]

        for left, right in ((number(a), number(b)) for a, b in self.nodes):
            if max(left, right) >= 1 << size:
                raise ValueError(f"{size} bits are too few for this tree")
            if size == 28:
                out += (left & 0xffffff).to_bytes(3, "big") + bytes([left >> 24 << 4 | right >> 24])
                out += (right & 0xffffff).to_bytes(3, "big")
            else:
                out += left.to_bytes(size // 8, "big") + right.to_bytes(size // 8, "big")
        return out


def database(rows, kind, record_size=28, ip_version=6, aliases=False):
    """The octets of a file. Longer prefixes win over shorter ones. IPv4 lives in ::/96 of an IPv6 tree."""
    tree, data = Tree(128 if ip_version == 6 else 32), Data()
    networks = [(ipaddress.ip_network(network), value) for network, value in rows]
    for network, value in sorted(networks, key=lambda row: (row[0].version, row[0].prefixlen)):
        if network.version > ip_version:
            continue
        insert = tree.insert if network.version == 6 else tree.insert_ipv4
        insert(int(network.network_address), network.prefixlen, ("data", data.record(value)))
    four = tree.node_of(0, 96) if ip_version == 6 else None
    if aliases and four is not None:
        tree.insert(0xffff << 32, 96, four)
        tree.insert(0x2002 << 112, 16, four)
    about = Data(pointers=False)
    about.put({"node_count": len(tree.nodes), "record_size": Unsigned(record_size, 16),
               "ip_version": Unsigned(ip_version, 16), "database_type": kind, "languages": ["en"],
               "binary_format_major_version": Unsigned(2, 16), "binary_format_minor_version": Unsigned(0, 16),
               "build_epoch": Unsigned(1767225600, 64),
               "description": {"en": "Made by the tests, true of nothing"}})
    return bytes(tree.octets(record_size)) + bytes(16) + bytes(data.octets) + MARKER + bytes(about.octets)


def main():
    parser = argparse.ArgumentParser(description="writes a MaxMind DB file for tests")
    parser.add_argument("kind", choices=list(TYPES))
    parser.add_argument("file")
    parser.add_argument("--record-size", type=int, choices=(24, 28, 32), default=28)
    parser.add_argument("--ip-version", type=int, choices=(4, 6), default=6)
    parser.add_argument("--aliases", action="store_true", help="6to4 and mapped addresses lead to IPv4")
    parser.add_argument("--networks", type=int, default=100000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    if arguments.kind == "random":
        rows = random_rows(arguments.networks, arguments.seed)
    elif arguments.kind == "json":
        read = [json.loads(line) for line in sys.stdin if line.strip()]
        rows = [(row["network"], row["data"]) for row in read]
    else:
        rows = SAMPLES[arguments.kind]
    octets = database(rows, TYPES[arguments.kind], arguments.record_size, arguments.ip_version, arguments.aliases)
    with open(arguments.file, "wb") as file:
        file.write(octets)


if __name__ == "__main__":
    main()
