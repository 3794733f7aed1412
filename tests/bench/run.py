#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The figures of this project, made in one go: our sfacctd and, alternately on the same files, a pmacct installed on this
machine at the best settings that were found for it.

  run.py [--pairs N] [--scale F] [--cases LIST] [--work DIR] [--only ours|peer] [--json FILE]
  run.py --callgrind [--update] [--work DIR]

CPU is user plus system time of every process of the group, memory the proportional set size of the group's processes
(measure.c). A run counts only when its rows are exact (compare_rows.c). Ratios are of medians; runs of one case alternate
(A B A B ...), so that a busy machine disturbs both alike.

--callgrind counts our instructions for one record, in the collector and in the plugin, from the difference of a run with
300 000 and one with 100 000 samples, and compares them with instructions.txt: a figure without noise.
"""
import argparse
import glob
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.abspath(os.environ.get("BUILD", "."))
OURS = {"name": "flowledger", "daemon": os.environ.get("SFACCTD", os.path.join(BUILD, "sfacctd")),
        "client": os.environ.get("PMACCT", os.path.join(BUILD, "pmacct")), "ours": True}
PEER = {"name": "pmacct", "daemon": "/usr/sbin/sfacctd", "client": "/usr/bin/pmacct", "ours": False}
FIVE_TUPLE = "src_host, dst_host, src_port, dst_port, proto"
TICKS = os.sysconf("SC_CLK_TCK")
DEADLINE = 300


# ---- tools and captures ----------------------------------------------------------------------------------------------

def tool(name):
    """The program's path; built into the work folder when the build tree has none."""
    path = os.path.join(BUILD, "tests", "bench", name)
    source = os.path.join(HERE, name + ".c")
    if os.access(path, os.X_OK):
        return path
    path = os.path.join(WORK, name)
    if not os.path.exists(path) or os.path.getmtime(path) < os.path.getmtime(source):
        subprocess.run([os.environ.get("CC", "cc"), "-std=gnu11", "-D_GNU_SOURCE", "-O2", "-o", path, source, "-lm"], check=True)
    return path


def capture(samples, keys, *more):
    """A capture file and its expected rows, made once per work folder."""
    base = os.path.join(WORK, "-".join(["input", str(samples), str(keys)] + [word.strip("-") for word in more]))
    if not os.path.exists(base + ".pcap"):
        subprocess.run([tool("generate"), "--samples", str(samples), "--keys", str(keys), *more, "--out", base + ".part",
                        "--expect", base + ".csv"], check=True, stderr=subprocess.DEVNULL)
        os.rename(base + ".part", base + ".pcap")
    return base + ".pcap", base + ".csv"


def compare(expected, produced):
    if not os.path.exists(produced):
        return "no rows"
    done = subprocess.run([tool("compare_rows"), expected, produced], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          universal_newlines=True, check=False)
    return "EXACT" if done.returncode == 0 else done.stdout.strip().splitlines()[-1]


def packets_of(path):
    try:
        with open(path, encoding="ascii") as file:
            column = file.readline().strip().split(",").index("PACKETS")
            return sum(int(line.split(",")[column]) for line in file if line.strip())
    except (OSError, ValueError):
        return 0


# ---- configurations --------------------------------------------------------------------------------------------------

def write_configuration(side, plugin, lines, keys):
    """The same file for both; sizes only for the peer, ours has none to choose."""
    path = os.path.join(WORK, f"{side['name']}.conf")
    lines = ["daemonize: false", f"plugins: {plugin}[bench]", f"aggregate[bench]: {FIVE_TUPLE}"] + lines
    if side["ours"]:
        lines.append(f"control_path: {WORK}/control")
    elif plugin == "print":
        lines += ["plugin_pipe_size: 40960000", "plugin_buffer_size: 102400",
                  f"print_cache_entries: {100003 if keys <= 100000 else 131071}"]
    else:
        lines += [f"plugin_pipe_size: {40960000 if keys <= 100000 else 1024000000}",
                  "plugin_buffer_size: 102400", f"imt_buckets: {keys + 1}", "imt_mem_pools_number: 8192",
                  "imt_mem_pools_size: 1048576"]
    with open(path, "w", encoding="ascii") as file:
        file.write("\n".join(lines) + "\n")
    return path


def print_lines(rows):
    return ["print_output[bench]: csv", f"print_output_file[bench]: {rows}", "print_refresh_time[bench]: 3600"]


# ---- running and looking ---------------------------------------------------------------------------------------------

class Daemon:
    """A daemon under `measure`, in a session of its own."""

    def __init__(self, side, configuration):
        self.result = os.path.join(WORK, "measure.json")
        self.log = open(os.path.join(WORK, f"{side['name']}.log"), "wb")
        self.log_path = self.log.name
        self.started = time.monotonic()
        self.process = subprocess.Popen([tool("measure"), "-o", self.result, side["daemon"], "-f", configuration],
                                        stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, start_new_session=True)

    def tree(self):
        """(pid, fields of /proc/PID/stat after the name) of measure and all below it."""
        rows, found = {}, [self.process.pid]
        for name in os.listdir("/proc"):
            if name.isdigit():
                try:
                    with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
                        rows[int(name)] = file.read().rpartition(")")[2].split()
                except OSError:
                    pass
        for pid in found:
            found += [other for other, fields in rows.items() if int(fields[1]) == pid]
        return [(pid, rows[pid]) for pid in found if pid in rows]

    def cpu(self):
        """Seconds of all processes below measure so far, those that ended included."""
        total = 0
        for pid, fields in self.tree():
            own = 0 if pid == self.process.pid else int(fields[11]) + int(fields[12])
            total += own + int(fields[13]) + int(fields[14])
        return total / TICKS

    def wait_idle(self, seconds=1.0):
        """Until no process of the group has used any time for so long. True unless the deadline or the end came first."""
        last, since, end = self.cpu(), time.monotonic(), time.monotonic() + DEADLINE
        while time.monotonic() < end and self.process.poll() is None:
            time.sleep(0.1)
            now = self.cpu()
            if now > last + 0.02:
                last, since = now, time.monotonic()
            elif time.monotonic() - since > seconds:
                return True
        return False

    def end(self, ask=None):
        """Waits for the end, asks for it if a signal is given; the measurements, or None."""
        if ask is not None and self.process.poll() is None:
            self.process.send_signal(ask)
        try:
            self.process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            for pid, _ in self.tree()[::-1]:
                os.kill(pid, signal.SIGKILL)
            self.process.wait()
            return None
        self.log.close()
        with open(self.result, encoding="ascii") as file:
            return json.load(file)


def remove(*paths):
    for path in paths:
        if os.path.exists(path):
            os.unlink(path)


def case_print(side, samples, keys):
    """A capture file into a CSV file; the daemon ends by itself."""
    source, expected = capture(samples, keys)
    rows = os.path.join(WORK, "rows.csv")
    remove(rows)
    configuration = write_configuration(side, "print", [f"pcap_savefile: {source}"] + print_lines(rows), keys)
    result = Daemon(side, configuration).end()
    if result is None:
        return {"exact": "did not end"}
    cpu = result["user"] + result["system"]
    return {"rate": samples / cpu, "cpu": cpu, "wall": result["wall"], "memory": result["peak_pss"],
            "exact": compare(expected, rows)}


def case_memory(side, samples, keys):
    """A capture file into the memory plugin, then a client that reads every row."""
    source, expected = capture(samples, keys)
    path, rows = os.path.join(WORK, "memory.socket"), os.path.join(WORK, "rows.csv")
    configuration = write_configuration(side, "memory", [f"pcap_savefile: {source}", "pcap_savefile_wait: true",
                                                         f"imt_path[bench]: {path}"], keys)
    daemon = Daemon(side, configuration)
    daemon.wait_idle(2.5)
    cpu = daemon.cpu()
    with open(rows, "wb") as file:
        start = time.monotonic()
        subprocess.run([side["client"], "-s", "-O", "csv", "-p", path], stdout=file, stderr=subprocess.DEVNULL,
                       timeout=DEADLINE, check=False)
        seconds = time.monotonic() - start
    result = daemon.end(signal.SIGINT)
    with open(rows, "rb") as file:
        count = max(0, file.read().count(b"\n") - 1)
    remove(path)
    return {"rate": samples / cpu, "cpu": cpu, "memory": result["peak_pss"] if result else 0,
            "rows_rate": count / seconds, "exact": compare(expected, rows)}


def case_start(side, samples, keys):
    """From the start until a client is told of the first record."""
    source, _ = capture(samples, keys)
    path = os.path.join(WORK, "memory.socket")
    remove(path)
    configuration = write_configuration(side, "memory", [f"pcap_savefile: {source}", "pcap_savefile_wait: true",
                                                         f"imt_path[bench]: {path}"], 1000)
    daemon = Daemon(side, configuration)
    seconds = None
    while seconds is None and time.monotonic() - daemon.started < 30:
        if os.path.exists(path):
            done = subprocess.run([side["client"], "-s", "-O", "csv", "-p", path], stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL, timeout=30, check=False)
            if done.stdout.count(b"\n") > 1:
                seconds = time.monotonic() - daemon.started
                break
        time.sleep(0.001)
    daemon.end(signal.SIGINT)
    remove(path)
    return {"seconds": seconds or 30.0, "exact": "EXACT" if seconds else "nothing came"}


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def kernel_drops(port):
    """Datagrams that the kernel dropped at this port's sockets; None when nobody listens."""
    found = None
    for name in ("udp", "udp6"):
        with open(f"/proc/net/{name}", encoding="ascii") as file:
            for line in file.readlines()[1:]:
                words = line.split()
                if int(words[1].rpartition(":")[2], 16) == port:
                    found = (found or 0) + int(words[-1])
    return found


def ledger_losses(log):
    """What our log's last ledger counts as lost: datagrams by the kernel, records by a full ring."""
    with open(log, encoding="utf-8", errors="replace") as file:
        text = file.read()
    return [int((re.findall(rf"\b{name}=(\d+)", text) or ["0"])[-1])
            for name in ("datagrams_kernel_dropped", "records_dropped_ring_full")] + ["the books balance" in text]


def case_live(side, samples, keys):
    """Datagrams over loopback as fast as one sender can; sender and collector share this machine."""
    port, rows, expected = free_port(), os.path.join(WORK, "rows.csv"), os.path.join(WORK, "live.csv")
    remove(rows, os.path.join(WORK, "control"))
    configuration = write_configuration(side, "print", ["sfacctd_ip: 127.0.0.1", f"sfacctd_port: {port}",
                                                        "sfacctd_pipe_size: 4194304"] + print_lines(rows), keys)
    daemon = Daemon(side, configuration)
    end = time.monotonic() + 30
    while time.monotonic() < end and kernel_drops(port) is None:
        time.sleep(0.01)
    daemon.wait_idle(1.0)
    sent = subprocess.run([tool("generate"), "--udp", f"127.0.0.1:{port}", "--samples", str(samples), "--keys", str(keys),
                           "--expect", expected], stderr=subprocess.PIPE, universal_newlines=True, check=True).stderr
    numbers = {name: float(value) for name, value in re.findall(r"(\w+)=([\d.]+)", sent)}
    daemon.wait_idle(1.0)
    drops = kernel_drops(port) or 0
    result = daemon.end(signal.SIGINT)
    got = packets_of(rows)
    answer = {"offered": numbers["flow_samples"] / numbers["seconds"], "sent": int(numbers["flow_samples"]), "accounted": got,
              "lost": 1 - got / numbers["flow_samples"], "cpu": result["user"] + result["system"] if result else 0,
              "kernel_dropped": drops}
    answer["counted"] = 0
    answer["exact"] = compare(expected, rows)
    if side["ours"]:
        datagrams, ring, balanced = ledger_losses(daemon.log_path)
        per_datagram = numbers["flow_samples"] / numbers["datagrams"]
        answer["counted"] = round(datagrams * per_datagram + ring)
        answer["exact"] = "EXACT" if answer["exact"] == "EXACT" else \
            f"lost {answer['sent'] - got} samples, counted {ring} records and {datagrams} datagrams" + \
            (", books balance" if balanced else ", BOOKS DO NOT BALANCE")
    elif answer["exact"] != "EXACT":
        answer["exact"] = f"lost {answer['sent'] - got} samples, counted nowhere ({drops} datagrams dropped by the kernel)"
    return answer


# ---- the table -------------------------------------------------------------------------------------------------------

CASES = {  # name: (function, samples, keys, [(figure, title, unit, factor, more is better)])
    "print-100k": (case_print, 2000000, 100000, [("rate", "sFlow full records, 100 k keys, CSV", "krec/cpu-s", 1e3, True),
                                                 ("memory", "  peak memory", "MiB", 1 << 20, False),
                                                 ("wall", "  wall clock", "s", 1, False)]),
    "print-1M": (case_print, 4000000, 1000000, [("rate", "sFlow full records, 1 M keys, CSV", "krec/cpu-s", 1e3, True),
                                                ("memory", "  peak memory", "MiB", 1 << 20, False),
                                                ("wall", "  wall clock", "s", 1, False)]),
    "memory-100k": (case_memory, 2000000, 100000, [("rate", "memory plugin, 100 k keys", "krec/cpu-s", 1e3, True),
                                                   ("rows_rate", "  client reads all rows", "krows/s", 1e3, True),
                                                   ("memory", "  peak memory", "MiB", 1 << 20, False)]),
    "memory-1M": (case_memory, 4000000, 1000000, [("rate", "memory plugin, 1 M keys", "krec/cpu-s", 1e3, True),
                                                  ("rows_rate", "  client reads all rows", "krows/s", 1e3, True),
                                                  ("memory", "  peak memory", "MiB", 1 << 20, False)]),
    "start": (case_start, 4, 4, [("seconds", "start to first record accounted", "ms", 1e-3, False)]),
    "live": (case_live, 2000000, 100000, [("offered", "live on loopback, flat out: offered", "krec/s", 1e3, None),
                                          ("accounted", "  accounted", "krec", 1e3, True),
                                          ("lost", "  lost", "%", 0.01, None)]),
}


def median(runs, figure):
    values = [run[figure] for run in runs if figure in run]
    return statistics.median(values) if values else None


def print_case(figures, results):
    for figure, title, unit, factor, more in figures:
        ours, peer = (median(results[side], figure) for side in ("flowledger", "pmacct"))
        ratio = ""
        if ours and peer and more is not None:
            ratio = f"{ours / peer:.1f} x" if more else f"1/{peer / ours:.1f}"
        cells = ["-" if value is None else f"{value / factor:.1f}" for value in (ours, peer)]
        print(f"{title:<38} {unit:<11} {cells[0]:>12} {cells[1]:>12} {ratio:>9}")
    for side, runs in results.items():
        verdicts = sorted({run["exact"] for run in runs})
        if runs:
            print(f"  {side}: {'; '.join(verdicts)} ({len(runs)} runs)")
    sys.stdout.flush()


def figures_run(arguments):
    sides = [side for side in (OURS, PEER) if arguments.only in (None, "ours" if side["ours"] else "peer")]
    for side in list(sides):
        if not os.access(side["daemon"], os.X_OK):
            print(f"# {side['daemon']} is not there: no figures of {side['name']}")
            sides.remove(side)
    print(f"# {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {arguments.pairs} pairs, scale {arguments.scale}")
    print(f"{'':<38} {'':<11} {'flowledger':>12} {'pmacct':>12} {'ratio':>9}")
    everything, wrong = {}, 0
    for name in arguments.cases.split(","):
        function, samples, keys, figures = CASES[name]
        samples = max(4, int(samples * arguments.scale))
        results = {"flowledger": [], "pmacct": []}
        for _ in range(arguments.pairs):
            for side in sides:
                results[side["name"]].append(function(side, samples, keys))
        print_case(figures, results)
        wrong += sum(run["exact"] != "EXACT" and name != "live" for run in results["flowledger"])
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


def instructions_of_run(samples):
    """{"collector": n, "plugin": n} of one run, told apart by the functions that they spent their time in."""
    source, expected = capture(samples, 10000)
    rows = os.path.join(WORK, "rows.csv")
    remove(rows, *glob.glob(os.path.join(WORK, "callgrind.*")))
    configuration = write_configuration(OURS, "print", [f"pcap_savefile: {source}"] + print_lines(rows), 10000)
    subprocess.run(["valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={WORK}/callgrind.%p",
                    real_program(OURS["daemon"]), "-f", configuration], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, timeout=900, check=False)
    verdict = compare(expected, rows)
    if verdict != "EXACT":
        sys.exit(f"under callgrind with {samples} samples: {verdict}")
    counts = {"collector": 0, "plugin": 0}
    for path in glob.glob(os.path.join(WORK, "callgrind.*")):
        with open(path, encoding="ascii", errors="replace") as file:
            text = file.read()
        total = re.search(r"^(?:totals|summary): (\d+)", text, re.M)
        who = "collector" if re.search(r"\) sflow_datagram", text) else "plugin" if re.search(r"\) (table_|fold_|runner_)", text) else None
        if total and who:
            counts[who] += int(total.group(1))
    return counts


def instructions_run(arguments):
    path = os.path.join(HERE, "instructions.txt")
    long, short = instructions_of_run(300000), instructions_of_run(100000)
    now = {who: round((long[who] - short[who]) / 200000, 1) for who in long}
    before = {}
    if os.path.exists(path):
        with open(path, encoding="ascii") as file:
            before = {words[0]: float(words[1]) for words in (line.split() for line in file) if words and words[0] in now}
    worse = False
    for who, count in now.items():
        change = f"{(count / before[who] - 1) * 100:+.1f} % of {before[who]}" if before.get(who) else "no earlier figure"
        worse |= bool(before.get(who)) and count > before[who] * 1.05
        print(f"{who:<10} {count:>8} instructions for a record ({change})")
    if arguments.update or not before:
        with open(path, "w", encoding="ascii") as file:
            file.write("# SPDX-License-Identifier: BSD-2-Clause\n# Instructions for one sFlow sample with all records, "
                       "5-tuple, 10 000 keys, print CSV: run.sh --callgrind --update\n")
            file.writelines(f"{who} {count}\n" for who, count in now.items())
    return 1 if worse else 0


def main():
    global WORK
    parser = argparse.ArgumentParser(description="figures of flowledger beside pmacct's")
    parser.add_argument("--pairs", type=int, default=3, help="runs of each side for each case (default 3)")
    parser.add_argument("--scale", type=float, default=1.0, help="multiplies the number of samples")
    parser.add_argument("--cases", default=",".join(CASES), help="of " + ",".join(CASES))
    parser.add_argument("--only", choices=["ours", "peer"])
    parser.add_argument("--work", help="folder for captures, kept; default: a temporary one")
    parser.add_argument("--json", help="write all runs into this file")
    parser.add_argument("--callgrind", action="store_true")
    parser.add_argument("--update", action="store_true", help="with --callgrind: write instructions.txt")
    arguments = parser.parse_args()
    os.environ["LC_ALL"], os.environ["TZ"] = "C", "UTC"
    WORK = os.path.abspath(arguments.work) if arguments.work else tempfile.mkdtemp(prefix="flowledger-bench-")
    os.makedirs(WORK, exist_ok=True)
    try:
        return instructions_run(arguments) if arguments.callgrind else figures_run(arguments)
    finally:
        if not arguments.work:
            shutil.rmtree(WORK, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
