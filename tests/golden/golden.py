#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Runs the daemons over the small captures of ../data and compares what they write with ./expected, row by row, in TAP.

  golden.py [--plain] [PATTERN...]

Captures named netflow_* are for nfacctd, packets_* for pmacctd, the others for sfacctd: $NFACCTD, $PMACCTD, $SFACCTD,
or those of $BUILD (the current folder); the cases of one that is not there are skipped. Where TESTLIST names counters,
the daemon is kept running at the capture's end (pcap_savefile_wait) and asked for its ledger, which must also balance.
--plain leaves that out, so that another implementation of the same configuration can be held to the same rows.
"""
import difflib
import fnmatch
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
import ledger  # noqa: E402

DEADLINE = 20.0


def cases(patterns):
    with open(os.path.join(HERE, "TESTLIST"), encoding="ascii") as file:
        for line in file:
            line = line.strip()
            if not line or line.startswith("#"):
                continue
            fields = [field.strip() for field in line.split("|")]
            if len(fields) != 5:
                sys.exit(f"TESTLIST: five fields are wanted: {line}")
            if not patterns or any(fnmatch.fnmatch(fields[0], pattern) for pattern in patterns):
                yield fields


def expected_of(name):
    for suffix in ("csv", "json", "none"):
        path = os.path.join(HERE, "expected", f"{name}.{suffix}")
        if os.path.exists(path):
            with open(path, encoding="ascii") as file:
                return suffix, file.read().splitlines()
    return None, []


def without_purge_time(line):
    """The time of the purge is the one thing in a row that no capture tells."""
    return re.sub(r' "stamp_updated": "[^"]*",', "", line)


def sorted_rows(form, lines):
    lines = [without_purge_time(line) for line in lines if line]
    return lines[:1] + sorted(lines[1:]) if form == "csv" else sorted(lines)


def difference(got, want):
    return [line for line in difflib.unified_diff(want, got, "expected", "produced", lineterm="", n=0)]


def counter_lines_difference(path, folder):
    """Every expected line must be there in this order, with at least the members that it names."""
    want = [json.loads(line) for line in open(path, encoding="ascii")]
    files = sorted(os.path.join(folder, name) for name in os.listdir(folder) if name.startswith("counters"))
    got = [json.loads(line) for name in files for line in open(name, encoding="utf-8") if line.strip()]
    if len(got) != len(want):
        return [f"{len(got)} counter lines, expected {len(want)}"] + [json.dumps(line) for line in got]
    return [f"line {number}: {key}: {have.get(key, '<absent>')!r}, expected {value!r}"
            for number, (have, need) in enumerate(zip(got, want), 1) for key, value in need.items()
            if have.get(key) != value]


def ledger_difference(control, counters, process):
    """Waits until the counters have their values and the books balance; what is still wrong at the deadline is told."""
    want = {name: int(value) for name, value in (pair.split("=") for pair in counters.split())}
    end = time.monotonic() + DEADLINE / 2
    wrong = ["no ledger"]
    while time.monotonic() < end and process.poll() is None:
        book = ledger.read(control)
        if book is not None:
            have = book["input"]
            wrong = [f"{name} is {have.get(name, '<absent>')}, expected {value}" for name, value in want.items()
                     if have.get(name) != value]
            wrong += [f"out of balance: {line}" for line in ledger.imbalance(book)]
            if not wrong and have["datagrams_received"] + have.get("frames_received", 0) > 0:
                return []
        time.sleep(0.05)
    return wrong


def run(daemon, fields, folder, plain):
    name, capture, aggregate, keys, counters = fields
    form, want = expected_of(name)
    output, control = os.path.join(folder, "out"), os.path.join(folder, "control")
    if plain:
        counters = ""
    lines = ["daemonize: false", f"pcap_savefile: {os.path.join(HERE, '..', 'data', capture + '.pcap')}", "plugins: print[golden]",
             f"aggregate[golden]: {aggregate}", f"print_output[golden]: {'json' if form == 'json' else 'csv'}",
             f"print_output_file[golden]: {output}", "print_refresh_time[golden]: 3600"]
    lines += [key.strip().replace("DIR", folder) for key in re.split(r";(?=\s*[a-z0-9_]+:)", keys) if key.strip()]
    if not plain:
        lines.append(f"control_path: {control}")
    if counters:
        lines.append("pcap_savefile_wait: true")
    with open(os.path.join(folder, "conf"), "w", encoding="ascii") as file:
        file.write("\n".join(lines) + "\n")
    with open(os.path.join(folder, "log"), "wb") as log:
        process = subprocess.Popen([daemon, "-f", os.path.join(folder, "conf")], stdin=subprocess.DEVNULL, stdout=log,
                                   stderr=log, start_new_session=True, cwd=folder)
    wrong = []
    try:
        if counters:
            wrong += ledger_difference(control, counters, process)
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
        status = process.wait(DEADLINE)
        if status != 0:
            wrong.append(f"exit status {status}")
    except subprocess.TimeoutExpired:
        wrong.append(f"still running after {DEADLINE} s")
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    got = open(output, encoding="utf-8").read().splitlines() if os.path.exists(output) else []
    if form is None:
        wrong.append("no expected file")
    elif form == "none":
        wrong += got
    else:
        wrong += difference(sorted_rows(form, got), sorted_rows(form, want))
    path = os.path.join(HERE, "expected", name + ".counters.json")
    if os.path.exists(path) and not plain:
        wrong += counter_lines_difference(path, folder)
    if wrong:
        with open(os.path.join(folder, "log"), encoding="utf-8", errors="replace") as file:
            wrong += ["log: " + line.rstrip() for line in file.readlines()[-5:]]
    return wrong


def daemon_of(capture):
    name = "nfacctd" if capture.startswith("netflow_") else "pmacctd" if capture.startswith("packets_") else "sfacctd"
    path = os.path.abspath(os.environ.get(name.upper()) or os.path.join(os.environ.get("BUILD", "."), name))
    return path if os.access(path, os.X_OK) else None


def main():
    arguments = sys.argv[1:]
    plain = "--plain" in arguments
    if not any(map(daemon_of, ("sflow", "netflow_", "packets_"))):
        print("1..0 # SKIP no daemon is built")
        return 0
    failed = number = 0
    os.environ["LC_ALL"], os.environ["TZ"] = "C", "UTC"
    for number, fields in enumerate(cases([a for a in arguments if a != "--plain"]), 1):
        daemon = daemon_of(fields[1])
        if not daemon:
            print(f"ok {number} - {fields[0]} # SKIP the daemon is not built")
            continue
        folder = tempfile.mkdtemp(prefix="golden-")
        wrong = run(daemon, fields, folder, plain)
        shutil.rmtree(folder, ignore_errors=True)
        failed += bool(wrong)
        print(f"{'not ' if wrong else ''}ok {number} - {fields[0]}")
        for line in wrong:
            print("#  ", line)
        sys.stdout.flush()
    print(f"1..{number}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
