# SPDX-License-Identifier: BSD-2-Clause
"""One function for each kind of case: it makes the input, runs one side on it, and returns the run's figures by name,
with `exact`: EXACT, or in words what differs. None when the case does not apply to that side. A job tells the daemon,
the number of records and of keys, and further words for the generator."""
import os
import shutil
import signal
import subprocess
import time

import harness
from harness import Daemon, capture, compare, free_port, kernel_drops, packets_of, remove, run_daemon, send

BASE_RECORDS = 200000  # live: this many records are made before, then sent again and again
NFDUMP_PACE = 500000   # records a second that nfcapd takes without loss, where it cannot read a capture file


def work(name):
    return os.path.join(harness.WORK, name)


def seconds_of(*results):
    return sum(result["user"] + result["system"] for result in results)


# ---- nfcapd and nfdump: one stores, the other adds up and prints -----------------------------------------------------

def nfcapd_reads_files(side):
    """Only builds with their own option can, Debian's is without."""
    told = subprocess.run([side["daemon"], "-h"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          universal_newlines=True, check=False).stdout
    return "\n-f " in told


def nfcapd_start(side, more):
    shutil.rmtree(work("nfcapd"), ignore_errors=True)
    os.mkdir(work("nfcapd"))
    return Daemon("nfcapd", [side["daemon"], "-l", work("nfcapd"), "-t", "86400", *more])


def nfdump_rows(side, rows):
    """Adds up and prints what nfcapd stored, then (outside of the clock) gives it our names. Measurements, or None."""
    titles = "SRC_IP,DST_IP,SRC_PORT,DST_PORT,PROTOCOL,PACKETS,BYTES"
    names = {b"6": b"tcp", b"17": b"udp"}
    with open(rows + ".nfdump", "wb") as output:
        result = Daemon("nfdump", [side["client"], "-q", "-N", "-6", "-R", work("nfcapd"), "-A",
                                   "srcip,dstip,srcport,dstport,proto", "-o", "fmt:%sa,%da,%sp,%dp,%pr,%pkt,%byt"],
                        output).end()
    with open(rows + ".nfdump", "rb") as raw, open(rows, "wb") as file:
        file.write(titles.encode() + b"\n")
        for line in raw:
            words = line.replace(b" ", b"").rstrip(b"\n").split(b",")
            if len(words) == 7:
                words[4] = names.get(words[4], words[4])
                file.write(b",".join(words) + b"\n")
    remove(rows + ".nfdump")
    return result


def nfdump_print(side, job):
    rows, expected = work("rows.csv"), work("expected.csv")
    if nfcapd_reads_files(side):
        source, expected = capture(job["daemon"], job["records"], job["keys"], job["more"])
        stored = nfcapd_start(side, ["-f", source]).end()
    else:
        port = free_port()
        daemon = nfcapd_start(side, ["-b", "127.0.0.1", "-p", str(port), "-B", "4194304"])
        daemon.wait_port(port)
        send(job["daemon"], port, job["records"], job["keys"], [*job["more"], "--rate", str(NFDUMP_PACE)], expected)
        daemon.wait_idle(0.5)
        stored = daemon.end(signal.SIGTERM)
    printed = nfdump_rows(side, rows)
    if stored is None or printed is None:
        return {"exact": "did not end"}
    cpu = seconds_of(stored, printed)
    return {"rate": job["records"] / cpu, "cpu": cpu, "memory": max(stored["peak_pss"], printed["peak_pss"]),
            "exact": compare(expected, rows)}


# ---- files -----------------------------------------------------------------------------------------------------------

def print_file(side, job):
    """A capture file into a CSV file; the daemon ends by itself. (measurements or None, verdict)"""
    source, expected = capture(job["daemon"], job["records"], job["keys"], job["more"])
    rows = work("rows.csv")
    remove(rows)
    lines = [f"pcap_savefile: {source}"] + harness.print_lines(rows)
    result = run_daemon(side, harness.write_configuration(side, "print", lines, job["keys"])).end()
    return result, compare(expected, rows) if result else "did not end"


def case_print(side, job):
    if side["name"] == "nfdump":
        return nfdump_print(side, job)
    result, exact = print_file(side, job)
    if result is None:
        return {"exact": exact}
    cpu = seconds_of(result)
    return {"rate": job["records"] / cpu, "cpu": cpu, "wall": result["wall"], "memory": result["peak_pss"],
            "exact": exact}


def case_exporters(side, job):
    """What one more record costs when it comes from one exporter, and from 10 000, each with 20 templates, told once:
    from the difference of a run and one of twice its length, so that start, templates and rows do not count."""
    if side["name"] == "nfdump":
        return None
    # The shorter run must have seen all exporters, a datagram of some 40 records of each; all their templates were used
    # in it when it has 20 times that. The peer, for which this would take minutes, gets an eighth.
    records = max(400000, job["records"] // (1 if side["ours"] else 8))
    answer, exact = {}, []
    for name, exporters in (("one", "1"), ("many", "10000")):
        cpu = []
        for length in (records, 2 * records):
            more = [*job["more"], "--exporters", exporters, "--templates", "20", "--template-every", "0"]
            result, verdict = print_file(side, {**job, "records": length, "more": more})
            exact.append(verdict)
            if result is None:
                return {"exact": verdict}
            cpu.append(seconds_of(result))
        answer[name] = (cpu[1] - cpu[0]) / records
        answer[name + "_total"], answer["memory"] = cpu[0] / records, result["peak_pss"]
    answer["ratio"] = answer["many"] / answer["one"] if answer["one"] > 0 else 0
    answer["exact"] = next((verdict for verdict in exact if verdict != "EXACT"), "EXACT")
    return answer


# ---- the memory plugin -----------------------------------------------------------------------------------------------

def memory_start(side, job, keys):
    source, expected = capture(job["daemon"], job["records"], job["keys"], job["more"])
    path = work("memory.socket")
    remove(path)
    lines = [f"pcap_savefile: {source}", "pcap_savefile_wait: true", f"imt_path[bench]: {path}"]
    return run_daemon(side, harness.write_configuration(side, "memory", lines, keys)), path, expected


def case_memory(side, job):
    """A capture file into the memory plugin, then a client that reads every row."""
    if side["name"] == "nfdump":
        return None
    rows = work("rows.csv")
    daemon, path, expected = memory_start(side, job, job["keys"])
    daemon.wait_idle(2.5)
    cpu = daemon.cpu()
    with open(rows, "wb") as file:
        start = time.monotonic()
        subprocess.run([side["client"], "-s", "-O", "csv", "-p", path], stdout=file, stderr=subprocess.DEVNULL,
                       timeout=harness.DEADLINE, check=False)
        seconds = time.monotonic() - start
    result = daemon.end(signal.SIGINT)
    with open(rows, "rb") as file:
        count = max(0, file.read().count(b"\n") - 1)
    remove(path)
    return {"rate": job["records"] / cpu, "cpu": cpu, "memory": result["peak_pss"] if result else 0,
            "rows_rate": count / seconds, "exact": compare(expected, rows)}


def case_start(side, job):
    """From the start until a client is told of the first record."""
    if side["name"] == "nfdump":
        return None
    daemon, path, _ = memory_start(side, job, 1000)
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


# ---- live ------------------------------------------------------------------------------------------------------------

def live_words(job, records, pace):
    """The generator's words for so many records: (records made, words). sFlow's makes each anew."""
    if job["daemon"] == "sfacctd":
        return records, [*job["more"]] + (["--rate", str(pace)] if pace else [])
    rounds = max(1, round(records / BASE_RECORDS))
    return min(records, BASE_RECORDS), [*job["more"], "--rounds", str(rounds), "--rate", str(pace)]


def shot(side, job, records, pace=0):
    """One run over loopback at so many records a second (0: as fast as one sender can); sender and collector share this
    machine. What was offered, sent, accounted and lost, and where it was counted."""
    port, rows, expected = free_port(), work("rows.csv"), work("live.csv")
    remove(rows, work("control"))
    if side["name"] == "nfdump":
        daemon = nfcapd_start(side, ["-b", "127.0.0.1", "-p", str(port), "-B", "4194304"])
    else:
        lines = harness.live_lines(job["daemon"], port) + harness.print_lines(rows)
        daemon = run_daemon(side, harness.write_configuration(side, "print", lines, job["keys"]))
    if not daemon.wait_port(port):
        daemon.end(signal.SIGTERM)
        return {"exact": "does not listen", "lost": 1.0, "offered": 0.0}
    daemon.wait_idle(1.0)
    made, words = live_words(job, records, pace)
    sent = send(job["daemon"], port, made, job["keys"], words, expected)
    daemon.wait_idle(1.0)
    drops = kernel_drops(port) or 0
    results = [daemon.end(signal.SIGTERM if side["name"] == "nfdump" else signal.SIGINT)]
    if side["name"] == "nfdump":
        results.append(nfdump_rows(side, rows))
    verdict = compare(expected, rows)
    wanted, got = packets_of(expected), packets_of(rows) or 0
    answer = {"offered": sent["records"] / sent["seconds"], "sent": sent["records"], "lost": 1 - got / wanted,
              "accounted": sent["records"] * got / wanted, "kernel_dropped": drops, "exact": verdict,
              "cpu": seconds_of(*results) if all(results) else 0, "memory": max(r["peak_pss"] for r in results if r)}
    if verdict != "EXACT":
        answer["exact"] = losses_in_words(side, daemon, answer, sent)
    return answer


def losses_in_words(side, daemon, answer, sent):
    missing = sent["records"] - answer["accounted"]
    if not side["ours"]:
        return (f"lost {answer['lost'] * 100:.1f} %, counted nowhere "
                f"({answer['kernel_dropped']} datagrams dropped by the kernel)")
    datagrams, ring, balanced = harness.ledger_losses(daemon.log_path)
    counted = datagrams * sent["records"] / sent["datagrams"] + ring
    # A datagram has not always as many records: one in a hundred, and one datagram, is the measure's own error.
    verdict = "all counted" if abs(counted - missing) <= 0.01 * missing + 100 else "NOT ALL COUNTED"
    return (f"lost about {missing:.0f} records, counted {ring} records and {datagrams} datagrams: {verdict}" +
            (", books balance" if balanced else ", BOOKS DO NOT BALANCE"))


def case_live(side, job):
    """As fast as one sender can."""
    return shot(side, job, job["records"])


def case_search(side, job, fire=shot):
    """The highest rate that loses nothing, to a tenth: flat out, then doubling, then halving the interval. A step that
    loses is tried once more. `fire` makes one run."""
    seconds, tried = job["seconds"], []

    def lossless(pace):
        for _ in range(2):
            answer = fire(side, job, round(pace * seconds), pace)
            tried.append((round(pace), round(answer["offered"]), answer["lost"]))
            if answer["exact"] == "EXACT":
                return answer["offered"]
        return 0

    flat = fire(side, job, job["records"])
    if flat["exact"] == "EXACT":
        return {"lossless": flat["offered"], "first_loss": 0, "flat": flat["offered"], "tried": tried, "exact": "EXACT"}
    good, bad, pace = 0, 0, job.get("first_pace", 250000)
    while not bad:
        reached = lossless(pace)
        good, bad = max(good, reached), 0 if reached else pace
        if reached and reached < 0.8 * pace:  # the sender is the limit
            break
        pace *= 2
    for _ in range(job["steps"] if bad and good else 0):
        middle = (good * bad) ** 0.5
        reached = lossless(round(middle))
        good, bad = (reached, bad) if reached else (good, middle)
    return {"lossless": good, "first_loss": bad, "flat": flat["offered"], "tried": tried,
            "exact": "EXACT" if good else "lost records at every rate"}
