# SPDX-License-Identifier: BSD-2-Clause
"""The second property of netflow.py: whatever stands around the elements of a key in a template, the rows are exact."""
import csv
import ipaddress
import os
import subprocess
import tempfile

from netflow_writer import (From, Template, VARIABLE, capture, flowset, ipfix, number, templates10, templates9,
                            variable, version9)

DEADLINE = 120
UNKNOWN = 99999  # an enterprise that no registry has

KEYS = [("src_host", "SRC_IP", 8, 4), ("dst_host", "DST_IP", 12, 4), ("src_port", "SRC_PORT", 7, 2),
        ("dst_port", "DST_PORT", 11, 2), ("proto", "PROTOCOL", 4, 1), ("tos", "TOS", 5, 1),
        ("in_iface", "IN_IFACE", 10, 4), ("out_iface", "OUT_IFACE", 14, 4),
        ("src_as", "SRC_AS", 16, 4), ("dst_as", "DST_AS", 17, 4),
        ("src_mask", "SRC_MASK", 9, 1), ("dst_mask", "DST_MASK", 13, 1), ("src_mac", "SRC_MAC", 56, 6),
        ("flow_label", "FLOW_LABEL", 31, 4)]
FILLERS = [(136, 1), (192, 1), (234, 4), (148, 8), (150, 4), (152, 8), (160, 8), (95, 4), (96, 12), (210, 3),
           (371, VARIABLE), (83, VARIABLE), (82, VARIABLE), (94, VARIABLE), (62, 16), (15, 4)]


class RowLayout:
    """The key's elements and the counters in any order and of any size, others and variable ones between them."""

    def __init__(self, rng, identifier, ipfix_version):
        self.rng, self.identifier = rng, identifier
        self.six = rng.random() < 0.3
        fields = []
        for keyword, _, element, size in KEYS:
            if keyword not in ("src_host", "dst_host", "src_port", "dst_port", "proto") and rng.random() < 0.3:
                continue
            if keyword.endswith("host"):
                element, size = (element + 19 if element == 8 else 28, 16) if self.six else (element, 4)
            elif keyword != "src_mac" and rng.random() < 0.4:
                size = rng.randint(1, size)
            fields.append((keyword, element, size, 0))
        fields += [("packets", 2, rng.randint(1, 8), 0), ("bytes", 1, rng.randint(1, 8), 0)]
        for _ in range(rng.choice((0, 1, 4, 12))):
            element, size = rng.choice(FILLERS)
            fields.append((None, element, size, 0))
            if ipfix_version and rng.random() < 0.3:
                fields.append((None, rng.randint(1, 32767), rng.choice((1, 3, 8, VARIABLE)), UNKNOWN))
        rng.shuffle(fields)
        self.fields = fields
        self.template = Template(identifier, [field[1:] for field in fields])
        self.least = sum(1 if field[2] == VARIABLE else field[2] for field in fields)

    def record(self):
        rng, out, row = self.rng, b"", {}
        for keyword, _, size, _ in self.fields:
            if keyword is None:
                value = rng.randbytes(rng.choice((0, 1, 20, 255, 300)) if size == VARIABLE else size)
                out += variable(value, rng.random() < 0.3) if size == VARIABLE else value
                continue
            if keyword.endswith("host"):
                value = (b"\x20\x01\x0d\xb8" + bytes(11) if self.six else b"\x0a\0\0") + bytes([rng.randrange(1, 4)])
                row[keyword] = str(ipaddress.ip_address(value))
            elif keyword == "src_mac":
                value = b"\x02\0\0\0\0" + bytes([rng.randrange(2)])
                row[keyword] = ":".join(f"{octet:02x}" for octet in value)
            elif keyword == "proto":
                value = bytes([rng.choice((6, 17))])
                row[keyword] = str(value[0])
            elif keyword in ("packets", "bytes"):
                row[keyword] = rng.getrandbits(min(8 * size, 44))
                value = number(row[keyword], size)
            elif keyword == "flow_label":
                row[keyword] = rng.getrandbits(min(8 * size, 20)) & 0x80003
                value = number(row[keyword], size)
            else:
                mask = keyword.endswith("mask")
                row[keyword] = rng.randrange(33) if mask else rng.choice((0, 1, (1 << 8 * size) - 1))
                value = number(row[keyword], size)
            out += value
        return out, row


def messages_and_rows(rng, messages):
    """Datagrams, and the packets and bytes of every full key in them."""
    datagrams, want = [], {}
    for sequence in range(messages):
        version = rng.choice((9, 10))
        layouts = [RowLayout(rng, 256 + n, version == 10) for n in range(rng.choice((1, 2, 3)))]
        sets = []
        for layout in layouts:
            body = b""
            for _ in range(rng.choice((1, 3, 40))):
                octets, row = layout.record()
                if len(body) + len(octets) > 15000:
                    break
                body += octets
                key = tuple(str(row.get(keyword, "00:00:00:00:00:00" if keyword == "src_mac" else 0))
                            for keyword, *_ in KEYS)
                have = want.setdefault(key, [0, 0])
                have[0] += row["packets"]
                have[1] += row["bytes"]
            sets.append(flowset(layout.identifier, body, padding=rng.randint(0, min(7, layout.least - 1))))
        write = templates10 if version == 10 else templates9
        told = write(*(layout.template for layout in layouts))
        made = (ipfix if version == 10 else version9)(told, *sets, sequence=sequence)
        datagrams.append(From(made, f"192.0.2.{sequence % 5 + 1}"))
    return datagrams, want


def configuration(path, folder, lists):
    """A print plugin for each list of primitives."""
    lines = ["daemonize: false", f"pcap_savefile: {path}", "print_output: csv", "print_num_protos: true",
             "print_refresh_time: 3600", f"plugins: {', '.join(f'print[p{n}]' for n in range(len(lists)))}"]
    for n, columns in enumerate(lists):
        lines += [f"aggregate[p{n}]: {', '.join(KEYS[column][0] for column in columns)}",
                  f"print_output_file[p{n}]: {folder}/p{n}.csv"]
    return "\n".join(lines) + "\n"


def difference(want, path, columns):
    """The rows of a file against the sums over some columns of the key."""
    sums = {}
    for key, (packets, octets) in want.items():
        have = sums.setdefault(tuple(key[column] for column in columns), [0, 0])
        have[0] += packets
        have[1] += octets
    with open(path, encoding="ascii") as file:
        got = {tuple(row[KEYS[column][1]] for column in columns): [int(row["PACKETS"]), int(row["BYTES"])]
               for row in csv.DictReader(file)}
    names = [KEYS[column][0] for column in columns]
    for key, value in sums.items():
        if got.get(key) != value:
            return f"{dict(zip(names, key))}: expected {value}, got {got.get(key)}"
    extra = [key for key in got if key not in sums]
    return f"unexpected rows of {names}, such as {extra[0]}" if extra else None


def rows(rng, messages, path, daemon):
    """One plugin alone, which may take a shorter way through the daemon, and several together."""
    datagrams, want = messages_and_rows(rng, messages)
    with open(path, "wb") as file:
        file.write(capture(datagrams))
    whole, five = list(range(len(KEYS))), list(range(5))
    some = sorted(rng.sample(whole, rng.randint(1, len(whole) - 1)))
    print(f"{len(datagrams)} messages, {len(want)} rows of the whole key")
    for lists in ([whole], [five], [some], [five, some, whole]):
        with tempfile.TemporaryDirectory(prefix="property-") as folder:
            with open(os.path.join(folder, "conf"), "w", encoding="ascii") as file:
                file.write(configuration(path, folder, lists))
            done = subprocess.run([daemon, "-f", os.path.join(folder, "conf")], stdin=subprocess.DEVNULL,
                                  capture_output=True, timeout=DEADLINE)
            if done.returncode != 0:
                return f"exit status {done.returncode}: {(done.stdout + done.stderr)[-400:]!r}"
            for n, columns in enumerate(lists):
                found = difference(want, os.path.join(folder, f"p{n}.csv"), columns)
                if found:
                    return f"{len(lists)} plugins: {found}"
    return None
