#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Runs sfacctd, nfacctd and pmacctd over captures of real exporters and real packets that are kept outside this project
and compares totals and 5-tuples with the truth beside each of them. Speaks TAP.

  FLOWLEDGER_CORPUS=DIR corpus.py [PATTERN...]

DIR holds NAME.pcap and NAME.truth.json (here or in a folder below): "totals" [packets, bytes], "tuples" [[source,
destination, source port, destination port, protocol, packets, bytes], ...] and perhaps "accept", a list of objects with
other totals or tuples that are right as well. "kind" says what it is: sflow (also when it is not there), netflow5,
netflow9, ipfix, or pcap for packets; other kinds are passed over. Without the variable or the folder there is nothing
to test. Where we differ from a truth on purpose, DIFFERENT says so, and what must come out instead.
"""
import csv
import fnmatch
import glob
import ipaddress
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter

DEADLINE = 30
# The truths count the forward direction of a flow, and take data before its template for lost.
KEYS = {"sfacctd": "", "nfacctd": "nfacctd_biflow: ignore\nnfacctd_hold_bytes: 1\n", "pmacctd": ""}
# Right as well: two frames there are of a pseudowire, and we look into it.
ACCEPT = {"akvorado_eompls_cw": [{"totals": [10, 14337], "compare": "totals"}]}
# Rules of ours, by the capture that shows them. The truths there count headers only, or pass the packets over.
JUMBO = "a length of 0 with a jumbo payload option (RFC 2675) counts what the option says"
ZERO = "a length of 0 counts what the frame has (segmentation offload writes it)"
DIFFERENT = {
    "tcpdump_HDLC": ("Cisco HDLC is read", [
        ["10.0.0.1", "10.0.0.2", 0, 0, 1, 5, 500], ["10.0.0.2", "10.0.0.1", 0, 0, 1, 5, 500]]),
    "tcpdump_nsh": ("a network service header (RFC 8300) is passed over", [
        ["10.0.8.3", "10.13.13.13", 52229, 8000, 17, 1, 34]]),
    "tcpdump_bigtcp-ipv6": (ZERO, [
        ["2604:1380:4091:ce00::b", "2604:1380:4091:ce00::d", 43267, 41219, 6, 1, 80040]]),
    "tcpdump_icmp-length-zero": (ZERO, [["10.25.132.11", "10.25.132.13", 0, 0, 1, 1, 84]]),
    "tcpdump_ipv4_invalid_total_length_2": ("a length below that of the header is malformed", []),
    "tcpdump_ipv6-too-long-jumbo": (JUMBO, [
        ["1:6:1a28:312:d7cb:b318:34e5:d3ea", "2b7f:cd1f:ec3c:fb9c:e731:d16b:a8fe:ba8c", 0, 0, 12, 1, 3858694250]]),
    "tcpdump_ipv6_jumbogram_invalid_length": (JUMBO, [
        ["2200::244:212:3fff:feae:22f7", "2200::240:2:0:0:4", 0, 0, 58, 1, 65577]]),
    "zeek_pbb": ("802.1ah is read", [
        ["10.199.242.132", "224.0.0.5", 0, 0, 89, 1, 76], ["10.199.245.2", "224.0.0.18", 0, 0, 112, 1, 40],
        ["10.199.249.11", "10.199.249.12", 49601, 49416, 6, 5, 421],
        ["10.199.249.12", "10.199.249.11", 49416, 49601, 6, 3, 132]]),
}
DAEMONS = {"sflow": "sfacctd", "netflow5": "nfacctd", "netflow9": "nfacctd", "ipfix": "nfacctd", "pcap": "pmacctd"}


def address(text):
    return str(ipaddress.ip_address(text)) if text else ""


def produced(daemon, capture, folder):
    output = os.path.join(folder, "out.csv")
    with open(os.path.join(folder, "conf"), "w", encoding="utf-8") as file:
        file.write(f"daemonize: false\npcap_savefile: {capture}\nplugins: print[corpus]\n"
                   "aggregate[corpus]: src_host, dst_host, src_port, dst_port, proto\nprint_output[corpus]: csv\n"
                   f"print_output_file[corpus]: {output}\nprint_num_protos[corpus]: true\n"
                   "print_refresh_time[corpus]: 3600\n" + KEYS[os.path.basename(daemon)])
    with open(os.path.join(folder, "log"), "wb") as log:
        process = subprocess.Popen([daemon, "-f", os.path.join(folder, "conf")], stdin=subprocess.DEVNULL, stdout=log,
                                   stderr=log, start_new_session=True)
    try:
        status = process.wait(DEADLINE)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return None, "did not end"
    if status != 0:
        return None, f"exit status {status}"
    rows = Counter()
    if os.path.exists(output):
        with open(output, encoding="utf-8") as file:
            for row in csv.DictReader(file):
                key = (address(row["SRC_IP"]), address(row["DST_IP"]), int(row["SRC_PORT"]), int(row["DST_PORT"]),
                       int(row["PROTOCOL"]))
                if key in rows:
                    return None, f"two rows of {key}"
                rows[key] = (int(row["PACKETS"]), int(row["BYTES"]))
    return {key: value for key, value in rows.items() if value != (0, 0)}, None  # without events


def wrong_with(rows, truth):
    """What is wrong with the rows by one version of the truth; None when nothing is."""
    totals = [sum(value[i] for value in rows.values()) for i in (0, 1)]
    if "totals" in truth and totals != list(truth["totals"]):
        return f"packets and bytes are {totals}, expected {list(truth['totals'])}"
    if "tuples" in truth and truth.get("compare", "tuples") == "tuples":
        want = {(address(t[0]), address(t[1]), *t[2:5]): tuple(t[5:7]) for t in truth["tuples"]}
        if rows != want:
            return f"missing or wrong {sorted(want.items() - rows.items())[:3]}, " \
                f"unexpected {sorted(rows.items() - want.items())[:3]}"
    return None


def main():
    folder = os.environ.get("FLOWLEDGER_CORPUS")
    daemons = {kind: os.path.abspath(os.environ.get(name.upper()) or os.path.join(os.environ.get("BUILD", "."), name))
               for kind, name in DAEMONS.items()}
    if not folder or not os.path.isdir(folder):
        print("1..0 # SKIP FLOWLEDGER_CORPUS names no folder with captures")
        return 0
    if not any(os.access(daemon, os.X_OK) for daemon in daemons.values()):
        print("1..0 # SKIP no daemon is built")
        return 0
    os.environ["LC_ALL"] = "C"
    number = failed = 0
    for path in sorted(glob.glob(os.path.join(folder, "**", "*.truth.json"), recursive=True)):
        name = os.path.basename(path)[:-len(".truth.json")]
        with open(path, encoding="utf-8") as file:
            truth = json.load(file)
        daemon = daemons.get(truth.get("kind", "sflow"))
        if not daemon or (sys.argv[1:] and not any(fnmatch.fnmatch(name, pattern) for pattern in sys.argv[1:])):
            continue
        if not os.access(daemon, os.X_OK):
            number += 1
            print(f"ok {number} - {name} # SKIP {daemon} is not built")
            continue
        work = tempfile.mkdtemp(prefix="corpus-")
        rows, wrong = produced(daemon, os.path.join(os.path.dirname(path), truth.get("file", name + ".pcap")), work)
        shutil.rmtree(work, ignore_errors=True)
        reason = ""
        if rows is not None and name in DIFFERENT:
            reason, tuples = DIFFERENT[name]
            wrong = wrong_with(rows, {"tuples": tuples})
        elif rows is not None:
            wrong = wrong_with(rows, truth)
            for other in (truth.get("accept") or []) + ACCEPT.get(name, []):
                wrong = wrong and wrong_with(rows, {**truth, **other})
        number += 1
        failed += wrong is not None
        print(f"{'not ' if wrong else ''}ok {number} - {name}{reason and ', by a rule of ours: '}{reason}")
        if wrong:
            print("#  ", wrong)
        sys.stdout.flush()
    print(f"1..{number}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
