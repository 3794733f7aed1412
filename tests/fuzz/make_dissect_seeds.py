#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes the first corpora of the dissectors' fuzz targets: conversations in the packets of dissect_driver.h.

usage: tests/fuzz/make_dissect_seeds.py [FOLDER]     FOLDER is tests/fuzz/corpus by default
"""
import os
import struct
import sys

CLIENT, SERVER = 0, 1
DATA, CUT, AHEAD, CONTROL = 0, 2, 4, 6


def packet(side, payload, action=DATA, top=0):
    size = len(payload)
    assert size < 2048
    return bytes([top | side | action | (size >> 8) << 3, size & 0xff]) + payload


def control(side, what):
    return bytes([side | CONTROL, what])


SYN, FIN, RST, TIME, RELEASE, HOLE = 0, 1, 2, 0x7b, 4, 0x0d
CONNECT = control(CLIENT, SYN) + control(SERVER, SYN)


# --- DNS ---

def name(text):
    return b"".join(bytes([len(part)]) + part for part in text.encode().split(b".") if part) + b"\0"


def dns(number, flags, question=None, records=(), counts=None):
    out = struct.pack(">6H", number, flags, 1 if question else 0, *(counts or (len(records), 0, 0)))
    if question:
        out += name(question[0]) + struct.pack(">2H", question[1], 1)
    for kind, data in records:
        out += b"\xc0\x0c" + struct.pack(">2HIH", kind, 1, 60, len(data)) + data
    return out


def dns_seeds():
    query = dns(7, 0x0100, ("www.example.org", 1))
    every = [(1, b"\1\2\3\4"), (28, bytes(16)), (5, b"\1a\xc0\x10"), (15, b"\0\1\xc0\x0c"), (16, b"\3abc\2de"),
             (33, b"\0\1\0\2\0\3\1s\xc0\x0c"), (6, b"\1m\0\1r\0" + bytes(20)), (257, b"\0\5issueca"), (65, b"\0\1\0")]
    answer = dns(7, 0x8180, ("www.example.org", 1), every)
    framed = b"".join(struct.pack(">H", len(m)) + m for m in (query, dns(8, 0, ("x", 252))))
    loop = struct.pack(">6H", 1, 0, 1, 0, 0, 0) + b"\xc0\x0e\xc0\x0c\0\1\0\1"
    edns = dns(7, 0x8000, ("www.example.org", 1), (), (0, 0, 1)) + b"\0\0\x29\x04\xd0\x01\0\x80\0\0\0"
    yield "exchange", packet(CLIENT, query) + packet(SERVER, answer)
    yield "cut", packet(CLIENT, query, CUT) + packet(SERVER, answer, CUT)
    yield "again", packet(CLIENT, query) * 2 + control(0, TIME) + packet(SERVER, edns)
    yield "both", packet(CLIENT, query) + packet(SERVER, query) + packet(CLIENT, answer) + packet(SERVER, edns)
    yield "loop", packet(CLIENT, loop)
    yield "names_only", packet(CLIENT, query, DATA, 0x80) + packet(SERVER, answer)
    first = bytearray(CONNECT)
    first[0] |= 0x40
    yield "tcp", bytes(first) + packet(CLIENT, framed[:20]) + packet(CLIENT, framed[20:]) + packet(
        SERVER, struct.pack(">H", len(answer)) + answer)


# --- HTTP ---

def http_seeds():
    get = b"GET /a?b HTTP/1.1\r\nHost: h\r\nUser-Agent: u\r\n\r\n"
    post = b"POST http://u:p@h/x HTTP/1.1\r\nContent-Type: t\r\nContent-Length: 5\r\n\r\nhello"
    fine = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 20\r\n\r\n"
    chunks = b"HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n5;x\r\nhello\r\n0\r\nT: x\r\n\r\n"
    yield "simple", CONNECT + packet(CLIENT, get) + packet(SERVER, fine + b"0123456789") + packet(SERVER, b"0123456789")
    yield "pipelined", CONNECT + packet(CLIENT, get + post + get) + packet(SERVER, chunks + chunks + fine + bytes(20))
    yield "chunks_cut", CONNECT + packet(CLIENT, get) + packet(SERVER, chunks, CUT) + packet(SERVER, chunks)
    yield "ahead", CONNECT + packet(CLIENT, get, AHEAD) + packet(CLIENT, get) + packet(SERVER, fine) + control(1, RST)
    yield "until_close", CONNECT + packet(CLIENT, get) + packet(
        SERVER, b"HTTP/1.0 200 OK\r\n\r\nbody") + control(1, FIN)
    yield "upgrade", CONNECT + packet(CLIENT, get) + packet(SERVER, b"HTTP/1.1 101 x\r\n\r\nmore")
    yield "continue", CONNECT + packet(CLIENT, post) + packet(
        SERVER, b"HTTP/1.1 100 Continue\r\n\r\n" + fine + bytes(20))
    yield "hole", CONNECT + packet(CLIENT, get) + control(1, HOLE) + packet(SERVER, fine) + control(0, TIME) + packet(
        CLIENT, get) + packet(SERVER, fine)
    yield "middle", packet(SERVER, b"rest") + packet(CLIENT, get) + packet(SERVER, fine) + control(0, RELEASE)
    yield "head", CONNECT + packet(CLIENT, get.replace(b"GET", b"HEAD")) + packet(SERVER, fine)
    yield "connect", CONNECT + packet(CLIENT, b"CONNECT h:443 HTTP/1.1\r\n\r\n") + packet(
        SERVER, b"HTTP/1.1 200 OK\r\n\r\n")


# --- TLS ---

def vector(width, data):
    return len(data).to_bytes(width, "big") + data


def extension(number, data):
    return struct.pack(">H", number) + vector(2, data)


def tls_record(kind, data):
    return struct.pack(">BH", kind, 0x0301) + vector(2, data)


def tls_seeds():
    extensions = (extension(0, vector(2, b"\0" + vector(2, b"www.example.org")))
                  + extension(16, vector(2, b"\2h2\3abc")) + extension(43, b"\4\x7a\x7a\3\4")
                  + extension(35, b"ticket") + extension(65037, b"x"))
    body = b"\3\3" + bytes(32) + b"\0" + vector(2, b"\x13\1\xc0\x2f\x1a\x1a") + b"\1\0" + vector(2, extensions)
    client = b"\1" + vector(3, body)
    hello = tls_record(22, client)

    def server(random):
        answer = b"\3\3" + random + b"\0\x13\2\0" + vector(2, extension(43, b"\3\4") + extension(41, b"\0\0"))
        return tls_record(22, b"\2" + vector(3, answer))
    retry = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
    split = b"".join(tls_record(22, client[i:i + 30]) for i in range(0, len(client), 30))
    yield "handshake", CONNECT + packet(CLIENT, hello) + packet(SERVER, server(bytes(32))) + packet(
        CLIENT, b"\x17\3\3\0\1x")
    yield "retry", CONNECT + packet(CLIENT, hello) + packet(SERVER, server(retry)) + packet(CLIENT, hello) + packet(
        SERVER, server(bytes(32)))
    yield "records", CONNECT + packet(CLIENT, split[:70]) + packet(CLIENT, split[70:]) + packet(
        SERVER, server(bytes(32)))
    yield "alert", CONNECT + packet(CLIENT, hello) + packet(SERVER, tls_record(21, b"\2\x28"))
    yield "cut", CONNECT + packet(CLIENT, hello, CUT) + packet(SERVER, server(bytes(32)), CUT)
    yield "ahead", CONNECT + packet(CLIENT, hello[60:], AHEAD) + packet(CLIENT, hello[:60]) + control(0, RELEASE)
    first = bytearray(CONNECT)
    first[0] |= 0x80
    yield "names_only", bytes(first) + packet(CLIENT, hello) + packet(SERVER, server(bytes(32)))


# --- SMTP ---

def smtp_seeds():
    ready = CONNECT + packet(SERVER, b"220 ready\r\n") + packet(CLIENT, b"EHLO c\r\n") + packet(
        SERVER, b"250-x\r\n250 y\r\n")
    yield "mail", ready + packet(CLIENT, b"MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n") + packet(
        SERVER, b"250 ok\r\n550 no\r\n354 go\r\n") + packet(CLIENT, b"text\r\n..\r\n.\r\n") + packet(
            SERVER, b"250 id\r\n")
    yield "bdat", ready + packet(CLIENT, b"MAIL FROM:<>\r\nBDAT 5\r\nhelloBDAT 300 LAST\r\n") + packet(
        CLIENT, bytes(290)) + packet(CLIENT, bytes(10) + b"RSET\r\nMAIL FROM:x\r\n") + packet(SERVER, b"250 a\r\n" * 6)
    yield "auth", ready + packet(CLIENT, b"AUTH LOGIN\r\n") + packet(SERVER, b"334 x\r\n") + packet(
        CLIENT, b"c2VjcmV0\r\n") + packet(SERVER, b"235 ok\r\n") + packet(CLIENT, b"STARTTLS\r\n") + packet(
            SERVER, b"220 go\r\n")
    yield "hole", ready + packet(CLIENT, b"MAIL FROM:<a@b>\r\n") + control(1, HOLE) + packet(
        SERVER, b"250 ok\r\n") + control(0, TIME)


# --- segments: place / 32, length / 3, what to do ---

def stream_seeds():
    in_order = bytes(b for i in range(60) for b in (i * 3, 32, 0))
    yield "in_order", in_order
    yield "backwards", b"".join(in_order[i:i + 3] for i in range(len(in_order) - 3, -1, -3))
    yield "losses", b"".join(in_order[i:i + 3] for i in range(0, len(in_order), 3) if i % 5)
    yield "overlaps", bytes(b for i in range(60) for b in (i * 2, 60, 7))
    yield "cuts", bytes(b for i in range(60) for b in (i * 3, 32, 0x60 if i % 3 else 0))


def main():
    top = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus")
    for kind, seeds in (("dns", dns_seeds), ("http", http_seeds), ("tls", tls_seeds), ("smtp", smtp_seeds),
                        ("tcp_stream", stream_seeds)):
        folder = os.path.join(top, kind)
        os.makedirs(folder, exist_ok=True)
        for title, data in seeds():
            with open(os.path.join(folder, title), "wb") as file:
                file.write(data)


main()
