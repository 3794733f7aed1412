#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Random templates and random data for nfacctd, encoded by ../data/netflow_writer.py, in two properties:

  netflow.py decode [--seed N] [--messages N] [--keep FILE]    `nfacctd --decode` tells every field of every record, in
                                                               order and exactly
  netflow.py rows [--seed N] [--messages N] [--keep FILE]      the print plugin has the exact sums per key

Both walk through everything that a template may do: all types, reduced sizes and sizes that do not fit, variable length
in both forms, enterprise and reverse elements, padding, repeated elements, structured data, options with scopes,
several templates in a message, redefinition, withdrawal, data before its template; several exporters, domains and
versions. Ends with 1 and a description of the first difference. The same seed makes the same capture.
"""
import argparse
import datetime
import ipaddress
import json
import os
import random
import struct
import subprocess
import sys
import tempfile
from collections import Counter

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "data"))
import netflow_rows  # noqa: E402
from netflow_writer import (From, NTP_EPOCH, Raw, REVERSE, START, Template, VARIABLE, capture,  # noqa: E402
                            flowset, ipfix, number, templates10, templates9, variable, version9, withdrawal)

DEADLINE = 120
UNKNOWN = 99999  # an enterprise that no registry has

# IANA's registry, as far as this test needs it: (number, name) by type.
UNSIGNED = {
    1: [(4, "protocolIdentifier"), (5, "ipClassOfService"), (60, "ipVersion"), (136, "flowEndReason"), (192, "ipTTL")],
    2: [(7, "sourceTransportPort"), (11, "destinationTransportPort"), (58, "vlanId"), (256, "ethernetType")],
    4: [(10, "ingressInterface"), (14, "egressInterface"), (16, "bgpSourceAsNumber"), (17, "bgpDestinationAsNumber"),
        (21, "flowEndSysUpTime"), (22, "flowStartSysUpTime"), (31, "flowLabelIPv6"), (234, "ingressVRFID")],
    8: [(1, "octetDeltaCount"), (2, "packetDeltaCount"), (85, "octetTotalCount"), (148, "flowId"),
        (352, "layer2OctetDeltaCount")]}
SIGNED = [(434, "mibObjectValueInteger")]
REAL = [(311, "samplingProbability"), (320, "absoluteError"), (321, "relativeError")]
BOOLEAN = [(276, "dataRecordsReliability")]
MAC = [(56, "sourceMacAddress"), (80, "destinationMacAddress"), (57, "postDestinationMacAddress")]
TEXT = [(82, "interfaceName"), (83, "interfaceDescription"), (96, "applicationName"), (236, "VRFname"),
        (371, "userName")]
OCTETS = [(70, "mplsTopLabelStackSection"), (71, "mplsLabelStackSection2"), (95, "applicationId"),
          (314, "ipPayloadPacketSection")]
SECONDS = [(150, "flowStartSeconds"), (151, "flowEndSeconds"), (322, "observationTimeSeconds")]
MILLISECONDS = [(152, "flowStartMilliseconds"), (153, "flowEndMilliseconds"), (160, "systemInitTimeMilliseconds")]
MICROSECONDS = [(154, "flowStartMicroseconds"), (155, "flowEndMicroseconds")]
NANOSECONDS = [(156, "flowStartNanoseconds"), (157, "flowEndNanoseconds")]
IPV4 = [(8, "sourceIPv4Address"), (12, "destinationIPv4Address"), (15, "ipNextHopIPv4Address")]
IPV6 = [(27, "sourceIPv6Address"), (28, "destinationIPv6Address"), (62, "ipNextHopIPv6Address")]
SCOPES9 = {1: "system", 2: "interface", 3: "lineCard", 4: "cache", 5: "template"}
TEXTS = ["", "a", "eth0/1", "Zürich", "quote\" backslash\\ slash/", "tab\tline\nend\r", "'; DROP TABLE x; --", "日本",
         "\x01\x1f\x7f", "\U0001f600", "%s%n", "x" * 200]


def iso(seconds, fraction=0, digits=0):
    moment = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=seconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%S") + (f".{fraction:0{digits}d}" if digits else "") + "Z"


def ntp_octets(seconds, fraction, units):
    """The nearest binary fraction; what it stands for is nearer to `fraction` than to any other one."""
    return struct.pack(">II", seconds + NTP_EPOCH & 0xffffffff, min(round(fraction * 2 ** 32 / units), 2 ** 32 - 1))


class Field:
    """A field of a template that can make a value: (octets, what --decode must say)."""

    def __init__(self, name, element, length, make, enterprise=0):
        self.name, self.element, self.length, self.make, self.enterprise = name, element, length, make, enterprise


def edge(rng, bits):
    """A number of so many bits: often one at an edge."""
    return rng.choice((0, 1, (1 << bits) - 1, 1 << bits - 1, rng.getrandbits(bits),
                       rng.getrandbits(rng.randint(1, bits))))


def fixed_field(rng, element, size, make, enterprise=0):
    return Field(element[1], element[0], size, lambda: make(size), enterprise)


def numbers(rng):
    width = rng.choice(list(UNSIGNED))
    element = rng.choice(UNSIGNED[width])
    size = rng.choice((width, width, rng.randint(1, width)))
    if rng.random() < 0.03:
        size = width + rng.randint(1, 9)  # exporters do that; up to 8 octets it is still a number
        if size > 8:
            return wrong_size(rng, element, size)
    reverse = rng.random() < 0.1 and width in (1, 8)

    def make():
        value = edge(rng, 8 * size)
        return number(value, size), value

    name = "reverse" + element[1][0].upper() + element[1][1:] if reverse else element[1]
    return Field(name, element[0], size, make, REVERSE if reverse else 0)


def wrong_size(rng, element, size):
    """A size that the type does not have: shown as octets."""
    def make():
        value = rng.randbytes(size)
        return value, value.hex()
    return Field(element[1], element[0], size, make)


def signed(rng):
    size = rng.choice((4, 4, 1, 2, 3))

    def make():
        value = edge(rng, 8 * size) - (1 << 8 * size - 1)
        return value.to_bytes(size, "big", signed=True), value
    element = rng.choice(SIGNED)
    return Field(element[1], element[0], size, make)


class Real(bytes):
    """A floating-point value: what is shown must give these octets again."""

    def same(self, shown):
        return isinstance(shown, (int, float)) and not isinstance(shown, bool) and \
            struct.pack(">f" if len(self) == 4 else ">d", shown) == self


def reals(rng):
    size, element = rng.choice((4, 8)), rng.choice(REAL)

    def make():
        value = rng.choice((0.0, 1.0, -1.5, 0.01, 1e-30, 3e38, rng.uniform(-1000, 1000)))
        octets = struct.pack(">f" if size == 4 else ">d", value)
        return octets, Real(octets)
    return Field(element[1], element[0], size, make)


def booleans(rng):
    def make():
        value = rng.choice((True, False))
        return bytes([1 if value else 2]), value
    element = rng.choice(BOOLEAN)
    return Field(element[1], element[0], 1, make)


def macs(rng):
    def make():
        value = rng.randbytes(6)
        return value, ":".join(f"{octet:02x}" for octet in value)
    element = rng.choice(MAC)
    return Field(element[1], element[0], 6, make)


def addresses(rng):
    size, table = rng.choice(((4, IPV4), (16, IPV6)))
    element = rng.choice(table)
    if rng.random() < 0.03:
        return wrong_size(rng, element, rng.choice((1, 3, 5, 8, 15, 17, 50)))

    def make():
        value = rng.choice((bytes(size), rng.randbytes(size), b"\x20\x01\x0d\xb8"[:size].ljust(size, b"\0")))
        return value, str(ipaddress.ip_address(value))
    return Field(element[1], element[0], size, make)


def times(rng):
    kind = rng.choice(("s", "ms", "us", "ns"))
    element = rng.choice({"s": SECONDS, "ms": MILLISECONDS, "us": MICROSECONDS, "ns": NANOSECONDS}[kind])

    def make():
        seconds = rng.choice((START, 0, 1, 2 ** 31 - 1, rng.randrange(2 ** 31)))
        if kind == "s":
            return number(seconds, 4), iso(seconds)
        digits, units = {"ms": (3, 1000), "us": (6, 10 ** 6), "ns": (9, 10 ** 9)}[kind]
        fraction = rng.choice((0, 1, units - 1, rng.randrange(units)))
        if kind == "ms":
            return number(seconds * 1000 + fraction, 8), iso(seconds, fraction, 3)
        return ntp_octets(seconds, fraction, units), iso(seconds, fraction, digits)
    return Field(element[1], element[0], 4 if kind == "s" else 8, make)


def text_value(rng, room=None):
    """Text of at most `room` octets, cut between characters; and sometimes an octet that no text has."""
    text = rng.choice(TEXTS) + "".join(rng.choices("abc-/ é", k=rng.choice((0, 0, 5, 300))))
    octets = text.encode()
    if room is not None:
        octets = octets[:room].decode(errors="ignore").encode()
    if rng.random() < 0.05 and (room is None or len(octets) < room):
        octets += b"\xff"
    return octets, octets.decode(errors="replace")


def texts(rng):
    element, size = rng.choice(TEXT), rng.choice((VARIABLE, VARIABLE, rng.randint(1, 64)))

    def make():
        octets, text = text_value(rng, None if size == VARIABLE else size)
        if size == VARIABLE:
            return Raw(variable(octets, rng.random() < 0.3)), text
        return octets.ljust(size, b"\0"), text
    return Field(element[1], element[0], size, make)


def octets_field(rng):
    """Octets as they are: of the registry, or of an element that it does not have."""
    size = rng.choice((VARIABLE, rng.randint(1, 40), rng.randint(1, 8)))
    enterprise, element, name = 0, *rng.choice(OCTETS)
    if rng.random() < 0.5:
        enterprise, element = UNKNOWN, rng.randint(1, 32767)
        name = f"{enterprise}.{element}"

    def make():
        value = rng.randbytes(rng.choice((0, 1, 30, 254, 255, 400)) if size == VARIABLE else size)
        return Raw(variable(value, rng.random() < 0.3)) if size == VARIABLE else value, value.hex()
    return Field(name, element, size, make, enterprise)


MAKERS = [numbers] * 3 + [signed, reals, booleans, macs] + [addresses, times] * 2 + [texts, octets_field]
LISTS = {291: "basicList", 292: "subTemplateList", 293: "subTemplateMultiList"}
SEMANTICS = {0: "noneOf", 1: "exactlyOneOf", 2: "oneOrMoreOf", 3: "allOf", 4: "ordered", 255: "undefined"}


class Layout:
    """A template of random fields, and records of it."""

    def __init__(self, rng, identifier, ipfix_version, options=False, inner=(), count=None):
        self.rng, self.identifier = rng, identifier
        count = count or rng.choice((1, 2, 5, 10, 20, 60))
        makers = MAKERS + ([self.list_field] * 2 if inner else [])
        self.inner, self.fields = inner, []
        while len(self.fields) < count:
            field = rng.choice(makers)(rng)
            if not ipfix_version and field.enterprise:
                continue
            self.fields.append(field)
        self.scope = rng.randint(1, len(self.fields)) if options else None
        if options and not ipfix_version:
            self.fields = [self.scope9(rng) for _ in range(self.scope)] + self.fields
        self.template = Template(identifier, [(field.element, field.length, field.enterprise) for field in self.fields],
                                 self.scope)
        self.least = sum(1 if field.length == VARIABLE else field.length for field in self.fields)

    @staticmethod
    def scope9(rng):
        scope, size = rng.choice(list(SCOPES9)), rng.randint(1, 4)

        def make():
            value = edge(rng, 8 * size)
            return number(value, size), value
        return Field(SCOPES9[scope], scope, size, make)

    def list_field(self, rng):
        """RFC 6313, in templates that have an inner one to refer to."""
        kind = rng.choice((291, 292, 293))
        inner = self.inner

        def records(most=3):
            layout = rng.choice(inner)
            made = [layout.record() for _ in range(rng.randint(0, most))]
            return layout, b"".join(octets for octets, _, _ in made), [shown for _, _, shown in made]

        def make():
            semantic = rng.choice(list(SEMANTICS))
            shown = {"semantic": SEMANTICS[semantic]}
            if kind == 291:
                field = rng.choice((numbers, addresses, texts, octets_field))(rng)
                made = [field.make() for _ in range(rng.randint(0, 4))]
                head = struct.pack(">HH", field.element | 0x8000, field.length) + number(field.enterprise, 4) \
                    if field.enterprise else struct.pack(">HH", field.element, field.length)
                shown.update(element=field.name, values=[value for _, value in made])
                body = head + b"".join(octets for octets, _ in made)
            elif kind == 292:
                layout, octets, values = records()
                shown.update(template=layout.identifier, records=values)
                body = number(layout.identifier, 2) + octets
            else:
                shown["entries"], body = [], b""
                for _ in range(rng.randint(0, 3)):
                    layout, octets, values = records()
                    shown["entries"].append({"template": layout.identifier, "records": values})
                    body += struct.pack(">HH", layout.identifier, 4 + len(octets)) + octets
            return Raw(variable(bytes([semantic]) + body, rng.random() < 0.5)), shown
        return Field(LISTS[kind], kind, VARIABLE, make)

    def record(self):
        """(octets, scope as shown, record as shown)"""
        out, shown = b"", ({}, {})
        seen = Counter()
        for index, field in enumerate(self.fields):
            octets, value = field.make()
            out += octets
            part = 0 if self.scope is not None and index < self.scope else 1
            seen[part, field.name] += 1
            copy = seen[part, field.name]
            shown[part][field.name if copy == 1 else f"{field.name}#{copy}"] = value
        return out, shown[0], shown[1]


class Exporter:
    """One exporter's domain: what it has told, and messages that tell more."""

    def __init__(self, rng, source, port, version, domain):
        self.rng, self.source, self.port, self.version, self.domain = rng, source, port, version, domain
        self.layouts, self.sequence, self.inner, self.waiting = {}, rng.choice((0, 1, 2 ** 32 - 5)), [], []

    def layout(self, identifier):
        rng = self.rng
        return Layout(rng, identifier, self.version == 10, rng.random() < 0.2, self.inner if self.version == 10 else ())

    def templates(self, *layouts):
        write = templates10 if self.version == 10 else templates9
        return write(*(layout.template for layout in layouts))

    def start(self):
        """The inner templates of lists: they stay."""
        if self.version == 9:
            return None
        self.inner = [Layout(self.rng, 60000 + n, True, count=self.rng.randint(1, 4)) for n in range(2)]
        return self.message([self.templates(*self.inner)], 0)

    def message(self, sets, records):
        sequence, self.last = self.sequence, self.sequence
        if self.version == 10:
            self.sequence = (self.sequence + records) % 2 ** 32
            made = ipfix(*sets, sequence=sequence, domain=self.domain)
        else:
            self.sequence = (self.sequence + 1) % 2 ** 32
            made = version9(*sets, sequence=sequence, source=self.domain, count=self.rng.choice((0, 1, 7, 65535)))
        return From(made, self.source, self.port)

    def shown(self, layout, scope, record):
        out = {"exporter": self.source, "source_port": self.port, "version": self.version, "domain": self.domain,
               "template": layout.identifier, "sequence": self.sequence, "export_time": iso(START, 0, 3),
               "kind": "data" if layout.scope is None else "options"}
        if layout.scope is not None:
            out["scope"] = scope
        return {**out, "record": record}

    def data_set(self, layout, room):
        """A set of records within `room` octets, and how they must be shown."""
        rng, body, shown = self.rng, b"", []
        for _ in range(rng.choice((1, 2, 5, 30))):
            octets, scope, record = layout.record()
            if len(body) + len(octets) > room:
                break
            body += octets
            shown.append(self.shown(layout, scope, record))
        padding = rng.randint(0, min(7, layout.least - 1))
        return flowset(layout.identifier, body, padding=padding), shown

    def next(self):
        """A random message: (datagram, records that are shown when it has been read)."""
        rng, sets, shown, room, records = self.rng, [], [], rng_room(self.rng), 0
        for _ in range(rng.choice((1, 1, 2, 4))):
            choice = rng.random()
            if choice < 0.35 or not self.layouts:
                news = [self.layout(256 + rng.randrange(12)) for _ in range(rng.choice((1, 1, 3)))]
                news = list({layout.identifier: layout for layout in news}.values())
                sets.append(self.templates(*news))
                self.layouts.update({layout.identifier: layout for layout in news})
            elif choice < 0.40 and self.version == 10:
                layout = self.layouts.pop(rng.choice(list(self.layouts)))
                sets.append(withdrawal(layout.identifier, options=layout.scope is not None))
            elif choice < 0.45:
                early = self.layout(1000 + rng.randrange(60000 - 1000))
                if early.identifier in self.layouts:
                    continue
                made, told = self.data_set(early, 2000)
                later = self.templates(early)
                sets += [made, flowset(200, b"reserved"), later]
                self.layouts[early.identifier] = early
                shown, records = shown + told, records + len(told)
            else:
                made, told = self.data_set(rng.choice(list(self.layouts.values())), room)
                sets.append(made)
                room = max(room - len(made), 0)
                shown, records = shown + told, records + len(told)
        return self.message(sets, records), shown


def rng_room(rng):
    return rng.choice((1400, 1400, 9000, 40000))


def first_difference(want, got, path=""):
    if isinstance(want, Real):
        return None if want.same(got) else f"{path}: expected {bytes(want)!r}, got {got!r}"
    if type(want) is not type(got):
        return f"{path}: expected {want!r}, got {got!r}"
    if isinstance(want, dict):
        if list(want) != list(got):
            return f"{path}: expected members {list(want)}, got {list(got)}"
        pairs = [(f"{path}.{key}", want[key], got[key]) for key in want]
    elif isinstance(want, list):
        if len(want) != len(got):
            return f"{path}: expected {len(want)} values, got {len(got)}"
        pairs = [(f"{path}[{n}]", a, b) for n, (a, b) in enumerate(zip(want, got))]
    else:
        return None if want == got else f"{path}: expected {want!r}, got {got!r}"
    return next((found for found in (first_difference(a, b, where) for where, a, b in pairs) if found), None)


def members(pairs):
    """An object with one name twice is not one."""
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError(f"a member twice: {[name for name, _ in pairs]}")
    return dict(pairs)


def decode(rng, messages, path, daemon):
    exporters = [Exporter(rng, f"192.0.2.{n % 3 + 1}", 50000 + n, version, domain)
                 for n, (version, domain) in enumerate(((9, 0), (10, 0), (10, 1), (9, 77), (10, 2 ** 32 - 1), (10, 5)))]
    datagrams = [message for message in (exporter.start() for exporter in exporters) if message]
    want = []
    for _ in range(messages):
        message, shown = rng.choice(exporters).next()
        datagrams.append(message)
        want += shown
    with open(path, "wb") as file:
        file.write(capture(datagrams))
    done = subprocess.run([daemon, "--decode", path], stdin=subprocess.DEVNULL, capture_output=True, timeout=DEADLINE)
    lines = done.stdout.splitlines()
    print(f"{len(datagrams)} messages, {len(want)} records, {len(lines)} lines")
    if done.returncode != 0:
        return f"exit status {done.returncode}: {done.stderr[-400:]!r}"
    for index, (expected, line) in enumerate(zip(want, lines)):
        try:
            got = json.loads(line, object_pairs_hook=members)
        except (ValueError, UnicodeDecodeError) as problem:
            return f"line {index + 1} is not JSON ({problem}): {line[:300]!r}"
        found = first_difference(expected, got)
        if found:
            return f"line {index + 1}, template {expected['template']} of {expected['exporter']}: {found[:1500]}"
    return None if len(lines) == len(want) else f"{len(lines)} lines, expected {len(want)}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("decode", "rows"))
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(32))
    parser.add_argument("--messages", type=int, default=1500)
    parser.add_argument("--keep", help="leave the capture in this file")
    given = parser.parse_args()
    daemon = os.environ.get("NFACCTD") or os.path.join(os.environ.get("BUILD", "."), "nfacctd")
    os.environ["LC_ALL"], os.environ["TZ"] = "C", "UTC"
    print(f"seed {given.seed}")
    sys.stdout.flush()
    with tempfile.TemporaryDirectory(prefix="property-") as folder:
        path = given.keep or os.path.join(folder, "messages.pcap")
        check = decode if given.what == "decode" else netflow_rows.rows
        wrong = check(random.Random(given.seed), given.messages, path, daemon)
    if wrong:
        print(f"seed {given.seed}: {wrong}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
