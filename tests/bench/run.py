#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The figures of this project, made in one go: our daemon and, alternately on the same files, a pmacct installed on
this machine at the best settings that were found for it; for NetFlow and IPFIX also nfcapd with nfdump, if installed.

  run.py [--daemon sfacctd|nfacctd|pmacctd] [--pairs N] [--scale F] [--quick] [--work DIR] [--only LIST] [--json FILE]
         [CASE...]
  run.py [--daemon ...] --callgrind [--update] [--work DIR]

CPU is user plus system time of every process of the group, memory the proportional set size of the group's processes
(measure.c). Live runs apart, a run's figures count only when its rows are exact (compare_rows.c). Ratios are of
medians; runs of one case alternate (A B A B ...), so that a busy machine disturbs all alike. A nfcapd that cannot read
capture files gets the records over loopback, at a pace where it loses none: its figure includes the receiving. Live
packets go over a pair of virtual interfaces in a network namespace, which needs root, ip and ethtool.

--callgrind counts our instructions for one record, in the collector and in the plugin, from the difference of a run
with 300 000 and one with 100 000 records, and compares them with instructions.txt: a figure without noise. 5 % more
than there fails.
"""
import argparse
import glob
import json
import os
import re
import shutil
import signal
import statistics
import sys
import tempfile

sys.dont_write_bytecode = True  # the source tree stays as it is

import harness
from cases import case_exporters, case_live, case_memory, case_print, case_search, case_start
from cases_packets import case_networks, case_packets_live, case_packets_search, case_tags
from harness import Daemon, HERE, capture, compare, packets_of, print_lines, remove, sides_of, write_configuration

RATE = ("rate", "krec/cpu-s", 1e3, True)
MEMORY = ("memory", "MiB", 1 << 20, False)
PRINT = [(RATE, "{}, CSV"), (MEMORY, "  peak memory")]
PRINT_WALL = PRINT + [(("wall", "s", 1, False), "  wall clock")]
QUERY = [(RATE, "{}"), (("rows_rate", "krows/s", 1e3, True), "  client reads all rows"), (MEMORY, "  peak memory")]
LIVE = [(("offered", "krec/s", 1e3, None), "{}, flat out: offered"), (("accounted", "krec", 1e3, None), "  accounted"),
        (("lost", "%", 0.01, None), "  lost"), (("cpu", "s", 1, None), "  CPU")]
SEARCH = [(("lossless", "krec/s", 1e3, True), "{}: nothing lost up to"),
          (("first_loss", "krec/s", 1e3, None), "  first rate with loss"),
          (("flat", "krec/s", 1e3, None), "  offered flat out")]
START = [(("seconds", "ms", 1e-3, False), "start to first record accounted")]
EXPORTERS = [(("one", "ns/record", 1e-9, False), "1 exporter x 20 templates"),
             (("many", "ns/record", 1e-9, False), "10 000 exporters x 20 templates"),
             (("ratio", "x", 1, None), "  more than one exporter's"),
             (("many_total", "ns/record", 1e-9, None), "  the same with start and 200 000 templates"),
             (("memory", "MiB", 1 << 20, False), "  peak memory")]
MAP = [(("few", "ns/packet", 1e-9, False), "{}: 10 rows"), (("many", "ns/packet", 1e-9, False), "  large"),
       (("ratio", "x", 1, None), "  more than with 10 rows"), (("many_memory", "MiB", 1 << 20, False), "  peak memory")]
NETWORKS = MAP + [(("load", "s", 1, False), "  longer until the end than with 10 rows")]


def formatted(name, *more):
    return ("--format", name, *more)


TRAINS = ("--train", "8")  # so that one sender is not the limit


CASES = {  # daemon: {name: (function, records, keys, words for the generator, title, figures)}
    "sfacctd": {
        "print-100k": (case_print, 2000000, 100000, (), "sFlow full records, 100 k keys", PRINT_WALL),
        "print-1M": (case_print, 4000000, 1000000, (), "sFlow full records, 1 M keys", PRINT_WALL),
        "memory-100k": (case_memory, 2000000, 100000, (), "memory plugin, 100 k keys", QUERY),
        "memory-1M": (case_memory, 4000000, 1000000, (), "memory plugin, 1 M keys", QUERY),
        "start": (case_start, 4, 4, (), "", START),
        "live": (case_live, 2000000, 100000, (), "live", LIVE),
    },
    "nfacctd": {
        "v5-1k": (case_print, 2000000, 1000, formatted("v5"), "NetFlow v5, 1 k keys", PRINT),
        "v9-1k": (case_print, 2000000, 1000, formatted("v9"), "NetFlow v9 minimal, 1 k keys", PRINT),
        "ipfix-1k": (case_print, 2000000, 1000, formatted("ipfix"), "IPFIX minimal, 1 k keys", PRINT),
        "v5-100k": (case_print, 2000000, 100000, formatted("v5"), "NetFlow v5, 100 k keys", PRINT),
        "v9-100k": (case_print, 2000000, 100000, formatted("v9"), "NetFlow v9 minimal, 100 k keys", PRINT),
        "ipfix-100k": (case_print, 2000000, 100000, formatted("ipfix"), "IPFIX minimal, 100 k keys", PRINT),
        "router-100k": (case_print, 2000000, 100000, formatted("ipfix-router"), "IPFIX router, 100 k keys", PRINT),
        "v9-router-100k": (case_print, 2000000, 100000, formatted("v9-router"), "NetFlow v9 router, 100 k keys", PRINT),
        "variable-100k": (case_print, 2000000, 100000, formatted("ipfix-variable"), "IPFIX variable length, 100 k keys",
                          PRINT),
        "ipfix-1M": (case_print, 4000000, 1000000, formatted("ipfix"), "IPFIX minimal, 1 M keys", PRINT),
        "ipfix-10M": (case_print, 10000000, 10000000, formatted("ipfix", "--in-turn"),
                      "IPFIX minimal, 10 M keys, each once", PRINT),
        "memory-100k": (case_memory, 2000000, 100000, formatted("ipfix"), "memory plugin, IPFIX, 100 k keys", QUERY),
        "exporters": (case_exporters, 8000000, 100000, formatted("ipfix"), "", EXPORTERS),
        "live-search": (case_search, 20000000, 100000, formatted("ipfix"), "live IPFIX minimal", SEARCH),
        "live-ipfix": (case_live, 20000000, 100000, formatted("ipfix"), "live IPFIX minimal", LIVE),
        "live-router": (case_live, 6000000, 100000, formatted("ipfix-router"), "live IPFIX router", LIVE),
        "live-v5": (case_live, 20000000, 100000, formatted("v5"), "live NetFlow v5", LIVE),
        "start": (case_start, 4, 4, formatted("ipfix"), "", START),
    },
    "pmacctd": {
        "packets-1k": (case_print, 2000000, 1000, (), "packets, 1 k keys", PRINT),
        "packets-100k": (case_print, 2000000, 100000, (), "packets, 100 k keys", PRINT_WALL),
        "memory-100k": (case_memory, 2000000, 100000, (), "memory plugin, packets, 100 k keys", QUERY),
        "tags": (case_tags, 2000000, 100000, (), "pre_tag_map, 10 and 100 000 rows", MAP),
        "networks": (case_networks, 2000000, 100000, (), "networks_file, 10 and 1.35 M rows", NETWORKS),
        "live": (case_packets_live, 4000000, 20000, TRAINS, "live packets", LIVE),
        "live-search": (case_packets_search, 4000000, 20000, TRAINS, "live packets", SEARCH),
        "start": (case_start, 4, 4, (), "", START),
    },
}
# What they lose is told; only a loss that nobody counted is wrong.
LOSS_ALLOWED = (case_live, case_search, case_packets_live, case_packets_search)


# ---- the table -------------------------------------------------------------------------------------------------------

def median(runs, figure, exact_only):
    values = [run[figure] for run in runs if figure in run and (run["exact"] == "EXACT" or not exact_only)]
    return statistics.median(values) if values else None


def ratio_of(ours, other, more):
    if not ours or not other or more is None:
        return ""
    return f"{ours / other:.1f} x" if more else f"1/{other / ours:.1f}" if other > ours else f"{ours / other:.2f} x"


def print_case(title, figures, sides, results, exact_only):
    for (figure, unit, factor, more), text in figures:
        values = [median(results[side["name"]], figure, exact_only) for side in sides]
        ours = values[0] if sides and sides[0]["ours"] else None
        cells = ""
        for side, value in zip(sides, values):
            cells += f"{'-' if value is None else f'{value / factor:.1f}':>12}"
            cells += "" if side["ours"] else f"{ratio_of(ours, value, more):>9}"
        print(f"{text.format(title):<48}{unit:<11}{cells}")
    for name, runs in results.items():
        verdicts = sorted({run["exact"] for run in runs})
        if runs:
            print(f"  {name}: {'; '.join(verdicts)} ({len(runs)} runs)")
    sys.stdout.flush()


def sides_there(arguments):
    found = []
    for side in sides_of(arguments.daemon):
        if arguments.only and not {side["name"], "ours" if side["ours"] else "peer"} & set(arguments.only.split(",")):
            continue
        if os.access(side["daemon"], os.X_OK) and os.access(side["client"], os.X_OK):
            found.append(side)
        else:
            print(f"# no {side['daemon']} or {side['client']}: no figures of {side['name']}")
    return found


def is_wrong(function, run):
    if run["exact"] == "EXACT":
        return False
    return function not in LOSS_ALLOWED or "NOT" in run["exact"] or "does not" in run["exact"]


def figures_run(arguments):
    sides, everything, wrong = sides_there(arguments), {}, 0
    print(f"# {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {arguments.pairs} pairs, scale {arguments.scale}")
    print(f"{'':<59}" + "".join(f"{side['name']:>12}" + ("" if side["ours"] else f"{'ours':>9}") for side in sides))
    for name in arguments.cases:
        function, records, keys, more, title, figures = CASES[arguments.daemon][name]
        job = {"daemon": arguments.daemon, "keys": keys, "more": more,
               "records": max(4, int(records * arguments.scale)),
               "seconds": 1 if arguments.quick else 4, "steps": 2 if arguments.quick else 3}
        results = {side["name"]: [] for side in sides}
        for _ in range(1 if function in (case_search, case_packets_search) else arguments.pairs):
            for side in sides:
                run = function(side, job)
                if run is not None:
                    results[side["name"]].append(run)
        print_case(title, figures, sides, results, function not in LOSS_ALLOWED)
        wrong += sum(is_wrong(function, run) for run in results.get("flowledger", []))
        everything[name] = results
        if arguments.json:
            with open(arguments.json, "w", encoding="ascii") as file:
                json.dump(everything, file, indent=1)
    return 1 if wrong else 0


# ---- instructions ----------------------------------------------------------------------------------------------------

def real_program(path):
    """The ELF file behind a libtool wrapper script."""
    with open(path, "rb") as file:
        if file.read(4) == b"\x7fELF":
            return path
    return os.path.join(os.path.dirname(path), ".libs", os.path.basename(path))


def instructions_of_run(side, records):
    """{"collector": n, "plugin": n} of one run, told apart by the functions that they spent their time in; the peer's
    are only added up."""
    daemon, work = side["protocol"], harness.WORK
    source, expected = capture(daemon, records, 10000)
    rows = os.path.join(work, "rows.csv")
    remove(rows, *glob.glob(os.path.join(work, "callgrind.*")))
    lines = [f"pcap_savefile: {source}"] + print_lines(rows)
    if not side["ours"]:
        lines.append("pcap_savefile_wait: true")  # else it stops two seconds after the file's end, done or not
    run = Daemon(side["name"], ["valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={work}/callgrind.%p",
                                real_program(side["daemon"]), "-f",
                                write_configuration(side, "print", lines, 10000, True)])
    if not side["ours"]:
        run.wait_idle(5)
    run.end(None if side["ours"] else signal.SIGINT)
    verdict = compare(expected, rows)
    # Asked to end in this state, the peer counts its last buffer twice.
    near = not side["ours"] and abs((packets_of(rows) or 0) / packets_of(expected) - 1) < 0.005
    if verdict != "EXACT" and not near:
        raise SystemExit(f"{side['name']} under callgrind with {records} records: {verdict}")
    counts = {"collector": 0, "plugin": 0} if side["ours"] else {"all": 0}
    for path in glob.glob(os.path.join(work, "callgrind.*")):
        with open(path, encoding="ascii", errors="replace") as file:
            text = file.read()
        total = re.search(r"^(?:totals|summary): (\d+)", text, re.M)
        who = "all" if not side["ours"] else \
            "collector" if re.search(r"\) (sflow_datagram|netflow_datagram|capture_frame)", text) else \
            "plugin" if re.search(r"\) (table_|fold_|runner_)", text) else None
        if total and who:
            counts[who] += int(total.group(1))
    return counts


def gate_read(path):
    """{(daemon, part): instructions} of the gate file."""
    if not os.path.exists(path):
        return {}
    with open(path, encoding="ascii") as file:
        rows = [line.split() for line in file if line.strip() and not line.startswith("#")]
    return {(row[0], row[1]): float(row[2]) for row in rows}


def gate_write(path, figures):
    with open(path, "w", encoding="ascii") as file:
        file.write("# SPDX-License-Identifier: BSD-2-Clause\n"
                   "# Instructions for one record: 5-tuple, 10 000 keys, print CSV. sfacctd: one sample with all\n"
                   "# records, nfacctd: IPFIX minimal, pmacctd: one packet.\n"
                   "# Made by run.sh --daemon DAEMON --callgrind --update\n")
        file.writelines(f"{daemon} {part} {count}\n" for (daemon, part), count in sorted(figures.items()))


def instructions_run(arguments):
    path = os.path.join(HERE, "instructions.txt")
    before, worse, now = gate_read(path), False, {}
    for side in sides_there(arguments):
        if side["name"] == "nfdump":
            continue
        long, short = instructions_of_run(side, 300000), instructions_of_run(side, 100000)
        for part in long:
            count = round((long[part] - short[part]) / 200000, 1)
            key = (arguments.daemon, part)
            known = before.get(key) if side["ours"] else None
            change = f" ({(count / known - 1) * 100:+.1f} % of {known})" if known else ""
            print(f"{side['name']:<11} {part:<10} {count:>8} instructions for a record{change}")
            if side["ours"]:
                now[key] = count
                worse |= bool(known) and count > known * 1.05
    if now and (arguments.update or not any(key in before for key in now)):
        gate_write(path, {**before, **now})
    return 1 if worse and not arguments.update else 0


def main():
    parser = argparse.ArgumentParser(description="figures of flowledger beside those of pmacct and nfdump")
    parser.add_argument("--daemon", choices=list(CASES), default="sfacctd")
    parser.add_argument("--pairs", type=int, help="runs of each side for each case (default 3)")
    parser.add_argument("--scale", type=float, help="multiplies the number of records (default 1)")
    parser.add_argument("--quick", action="store_true", help="one pair, a tenth of the records, short live steps")
    parser.add_argument("--cases", help="comma-separated, like CASE...")
    parser.add_argument("--only", help="sides: of flowledger (ours), pmacct, nfdump (peer: both)")
    parser.add_argument("--work", help="folder for captures, kept; default: a temporary one")
    parser.add_argument("--json", help="write all runs into this file")
    parser.add_argument("--callgrind", action="store_true", help="instructions for a record instead of figures")
    parser.add_argument("--update", action="store_true", help="with --callgrind: write instructions.txt")
    parser.add_argument("names", nargs="*", metavar="CASE",
                        help="; ".join(f"{daemon}: {', '.join(cases)}" for daemon, cases in CASES.items()))
    arguments = parser.parse_args()
    arguments.pairs = arguments.pairs or (1 if arguments.quick else 3)
    arguments.scale = arguments.scale or (0.1 if arguments.quick else 1.0)
    arguments.cases = arguments.names + (arguments.cases.split(",") if arguments.cases else [])
    arguments.cases = arguments.cases or list(CASES[arguments.daemon])
    unknown = [name for name in arguments.cases if name not in CASES[arguments.daemon]]
    if unknown:
        parser.error(f"{arguments.daemon} has no case {', '.join(unknown)}; "
                     f"it has {', '.join(CASES[arguments.daemon])}")
    os.environ["LC_ALL"], os.environ["TZ"] = "C", "UTC"
    harness.WORK = os.path.abspath(arguments.work) if arguments.work else tempfile.mkdtemp(prefix="flowledger-bench-")
    os.makedirs(harness.WORK, exist_ok=True)
    try:
        return instructions_run(arguments) if arguments.callgrind else figures_run(arguments)
    finally:
        if not arguments.work:
            shutil.rmtree(harness.WORK, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
