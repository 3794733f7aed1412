# SPDX-License-Identifier: BSD-2-Clause
"""Writes NetFlow v1 to v9 and IPFIX octet by octet, from Cisco's tables, RFC 3954, RFC 7011, RFC 5103 and RFC 6313.

It shares nothing with the decoder, not even tables: values are given as Python values with the type that the test says,
so that a test which decodes what this wrote compares two independent readings of the specifications.
"""
import ipaddress
import struct

from make_sflow import ethernet, ipv4

START = 1795168800  # 2026-11-20 10:00:00 UTC: what the captures and most headers say
VARIABLE = 0xffff   # the length of a field whose records tell it
REVERSE = 29305     # RFC 5103 section 6.1
NTP_EPOCH = 2208988800


def number(value, size):
    return value.to_bytes(size, "big", signed=value < 0)


def ip(text):
    return ipaddress.ip_address(text).packed


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def ntp(seconds, fraction=0):
    """RFC 7011 section 6.1.9: seconds since 1900 and a binary fraction."""
    return struct.pack(">II", (int(seconds) + NTP_EPOCH) & 0xffffffff, fraction)


def variable(octets, long=False):
    """RFC 7011 section 7: one octet of length, or 255 and two octets."""
    if long or len(octets) >= 255:
        return struct.pack(">BH", 255, len(octets)) + octets
    return bytes([len(octets)]) + octets


def octets_of(value, size):
    """int: big-endian; str with a dot or colon: an address, else text padded with NUL; bytes: as they are."""
    if isinstance(value, int):
        return number(value, size)
    if isinstance(value, str):
        try:
            return ip(value)
        except ValueError:
            return value.encode().ljust(size, b"\0")
    return value


class Template:
    """`fields` are (element, length) or (element, length, enterprise); the first `scope` of them are the scope."""

    def __init__(self, identifier, fields, scope=None):
        self.identifier, self.scope = identifier, scope
        self.fields = [field if len(field) == 3 else (*field, 0) for field in fields]

    def data(self, *values):
        """One record. Too few values, or one of a wrong size, is a mistake of the test; bytes may have any size."""
        assert len(values) == len(self.fields), (len(values), len(self.fields))
        out = b""
        for (element, length, _), value in zip(self.fields, values):
            if length == VARIABLE:
                out += value if isinstance(value, Raw) else variable(octets_of(value, 0))
            else:
                field = octets_of(value, length)
                assert len(field) == length, (element, length, value)
                out += field
        return out

    def specifiers(self, ipfix):
        out = b""
        for element, length, enterprise in self.fields:
            if ipfix and enterprise:
                out += struct.pack(">HHI", element | 0x8000, length, enterprise)
            else:
                out += struct.pack(">HH", element, length)
        return out

    def record10(self):
        """RFC 7011 section 3.4.1 and 3.4.2.2."""
        head = struct.pack(">HH", self.identifier, len(self.fields))
        if self.scope is not None:
            head += struct.pack(">H", self.scope)
        return head + self.specifiers(True)

    def record9(self):
        """RFC 3954 section 5.2 and 6.1: options templates tell octets, not counts."""
        if self.scope is None:
            return struct.pack(">HH", self.identifier, len(self.fields)) + self.specifiers(False)
        return struct.pack(">HHH", self.identifier, 4 * self.scope, 4 * (len(self.fields) - self.scope)) + \
            self.specifiers(False)


class Raw(bytes):
    """A variable-length value that already has its length, in the form that the test wants."""


def flowset(identifier, body, padding=None, length=None):
    """`padding` octets of zero; by itself to a multiple of four. `length`: another one than the true one."""
    if padding is None:
        padding = -len(body) % 4
    body += bytes(padding)
    return struct.pack(">HH", identifier, 4 + len(body) if length is None else length) + body


def data(template, *records, padding=None):
    """A data set: records are tuples of values."""
    return flowset(template.identifier, b"".join(template.data(*values) for values in records), padding)


def templates9(*templates):
    """Data and options templates, each kind in a FlowSet of its own."""
    plain = b"".join(t.record9() for t in templates if t.scope is None)
    options = b"".join(t.record9() for t in templates if t.scope is not None)
    return (flowset(0, plain) if plain else b"") + (flowset(1, options) if options else b"")


def templates10(*templates):
    plain = b"".join(t.record10() for t in templates if t.scope is None)
    options = b"".join(t.record10() for t in templates if t.scope is not None)
    return (flowset(2, plain) if plain else b"") + (flowset(3, options) if options else b"")


def withdrawal(*identifiers, options=False):
    """RFC 7011 section 8.1: a field count of 0."""
    return flowset(3 if options else 2, b"".join(struct.pack(">HH", identifier, 0) for identifier in identifiers))


def version9(*sets, sequence=1, source=0, uptime=3600000, seconds=START, count=30):
    """The count is not a true one by default: nothing may depend on it."""
    return struct.pack(">HHIIII", 9, count, uptime, seconds, sequence, source) + b"".join(sets)


def ipfix(*sets, sequence=0, domain=0, seconds=START, length=None):
    body = b"".join(sets)
    return struct.pack(">HHIII", 10, 16 + len(body) if length is None else length, seconds, sequence, domain) + body


# ---- the fixed versions ----------------------------------------------------------------------------------------------

class Fixed:
    """A flow of the fixed versions: what is not named is 0."""
    names = dict(src="0.0.0.0", dst="0.0.0.0", next="0.0.0.0", input=0, output=0, packets=0, octets=0, first=0, last=0,
                 sport=0, dport=0, flags=0, proto=0, tos=0, src_as=0, dst_as=0, src_mask=0, dst_mask=0,
                 router="0.0.0.0", flows=1, marked_tos=0, extra=0, valid=0)

    def __init__(self, **values):
        assert not set(values) - set(self.names), values
        self.__dict__.update({**self.names, **values})


def layout(flow, form):
    """`form`: words NAME:SIZE, or SIZE alone for what is reserved."""
    out = b""
    for word in form.split():
        name, _, size = word.rpartition(":")
        if not name:
            out += bytes(int(size))
        elif isinstance(getattr(flow, name), str):
            out += ip(getattr(flow, name))
        else:
            out += number(getattr(flow, name), int(size))
    return out


COUNTED = "packets:4 octets:4 first:4 last:4 "
GROUPED = "flows:4 " + COUNTED
RECORD5 = "src:4 dst:4 next:4 input:2 output:2 " + COUNTED + "sport:2 dport:2 1 flags:1 proto:1 tos:1 " + \
    "src_as:2 dst_as:2 src_mask:1 dst_mask:1 2"
FORMS = {
    1: "src:4 dst:4 next:4 input:2 output:2 " + COUNTED + "sport:2 dport:2 2 proto:1 tos:1 flags:1 7",
    5: RECORD5, 6: RECORD5 + " router:4",
    7: RECORD5.replace("dport:2 1", "dport:2 valid:1") + " router:4"}
SCHEMES = {  # Cisco's aggregation schemes of version 8
    1: GROUPED + "src_as:2 dst_as:2 input:2 output:2",
    2: GROUPED + "proto:1 3 sport:2 dport:2",
    3: GROUPED + "src:4 src_mask:1 1 src_as:2 input:2 2",
    4: GROUPED + "dst:4 dst_mask:1 1 dst_as:2 output:2 2",
    5: GROUPED + "src:4 dst:4 dst_mask:1 src_mask:1 2 src_as:2 dst_as:2 input:2 output:2",
    6: "dst:4 " + COUNTED + "output:2 tos:1 marked_tos:1 extra:4 router:4",
    7: "dst:4 src:4 " + COUNTED + "output:2 input:2 tos:1 marked_tos:1 2 extra:4 router:4",
    8: "dst:4 src:4 dport:2 sport:2 " + COUNTED + "output:2 input:2 tos:1 proto:1 marked_tos:1 1 extra:4 router:4",
    9: GROUPED + "src_as:2 dst_as:2 input:2 output:2 tos:1 3",
    10: GROUPED + "proto:1 tos:1 2 sport:2 dport:2 input:2 output:2",
    11: GROUPED + "src:4 src_mask:1 tos:1 src_as:2 input:2 2",
    12: GROUPED + "dst:4 dst_mask:1 tos:1 dst_as:2 output:2 2",
    13: GROUPED + "src:4 dst:4 dst_mask:1 src_mask:1 tos:1 1 src_as:2 dst_as:2 input:2 output:2",
    14: GROUPED + "src:4 dst:4 dst_mask:1 src_mask:1 tos:1 proto:1 sport:2 dport:2 input:2 output:2"}


def fixed(version, flows, sequence=0, uptime=3600000, seconds=START, nanoseconds=0, engine=(0, 0), sampling=0, scheme=0,
          count=None):
    """A datagram of version 1, 5, 6, 7 or 8."""
    out = struct.pack(">HHIII", version, len(flows) if count is None else count, uptime, seconds, nanoseconds)
    if version >= 5:
        out += number(sequence, 4)
    if version in (5, 6):
        out += struct.pack(">BBH", *engine, sampling)
    elif version == 7:
        out += bytes(4)
    elif version == 8:
        out += struct.pack(">BBBBI", *engine, scheme, 2, 0)
    return out + b"".join(layout(flow, SCHEMES[scheme] if version == 8 else FORMS[version]) for flow in flows)


# ---- capture files ---------------------------------------------------------------------------------------------------

class From(bytes):
    """A datagram with its source: From(payload, address, port)."""

    def __new__(cls, payload, source="192.0.2.1", port=50000, seconds=None):
        self = super().__new__(cls, payload)
        self.source, self.port, self.seconds = source, port, seconds
        return self


def capture(datagrams, port=2055):
    """A pcap file with one datagram a millisecond from START on."""
    out = [struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1)]
    for index, payload in enumerate(datagrams):
        source, source_port = getattr(payload, "source", "192.0.2.1"), getattr(payload, "port", 50000)
        seconds = getattr(payload, "seconds", None) or START + index // 1000
        head = struct.pack(">HHHH", source_port, port, 8 + len(payload), 0)
        packet = ethernet(ipv4(source, "198.51.100.1", 17, head + payload), 0x0800)
        out += [struct.pack("<IIII", seconds, index % 1000 * 1000, len(packet), len(packet)), packet]
    return b"".join(out)
