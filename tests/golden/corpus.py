#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Runs sfacctd and nfacctd over captures of real exporters that are kept outside this project and compares totals and
5-tuples with the truth beside each of them. Speaks TAP.

  FLOWLEDGER_CORPUS=DIR corpus.py [PATTERN...]

DIR holds NAME.pcap and NAME.truth.json (here or in a folder below): "totals" [packets, bytes], "tuples" [[source,
destination, source port, destination port, protocol, packets, bytes], ...] and perhaps "accept", a list of objects with
other totals or tuples that are right as well. "kind" says what it is: sflow (also when it is not there), netflow5,
netflow9 or ipfix; other kinds are passed over. Without the variable or the folder there is nothing to test.
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
KEYS = {"sfacctd": "", "nfacctd": "nfacctd_biflow: ignore\nnfacctd_hold_bytes: 1\n"}
# Right as well: two frames there are of a pseudowire, and we look into it.
ACCEPT = {"akvorado_eompls_cw": [{"totals": [10, 14337], "compare": "totals"}]}
DAEMONS = {"sflow": "sfacctd", "netflow5": "nfacctd", "netflow9": "nfacctd", "ipfix": "nfacctd"}


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
        if rows is not None:
            wrong = wrong_with(rows, truth)
            for other in (truth.get("accept") or []) + ACCEPT.get(name, []):
                wrong = wrong and wrong_with(rows, {**truth, **other})
        number += 1
        failed += wrong is not None
        print(f"{'not ' if wrong else ''}ok {number} - {name}")
        if wrong:
            print("#  ", wrong)
        sys.stdout.flush()
    print(f"1..{number}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
