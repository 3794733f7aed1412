# SPDX-License-Identifier: BSD-2-Clause
"""What all benches need: the programs of both sides, generated input with its exact sums, configurations, daemons run
under `measure`, and the kernel's counts of dropped datagrams. No figure is made here; see run.py."""
import json
import os
import re
import signal
import socket
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.abspath(os.environ.get("BUILD", "."))
FIVE_TUPLE = "src_host, dst_host, src_port, dst_port, proto"
TICKS = os.sysconf("SC_CLK_TCK")
DEADLINE = 300
GENERATORS = {"sfacctd": ("generate", "samples"), "nfacctd": ("generate_netflow", "records"),
              "pmacctd": ("generate_packets", "packets")}

WORK = None  # the work folder, an absolute path: set by main


def sides_of(daemon):
    """Ours from the build tree, the peer as installed; nfdump's pair of programs for NetFlow and IPFIX."""
    ours = {"name": "flowledger", "ours": True, "protocol": daemon,
            "daemon": os.environ.get(daemon.upper(), os.path.join(BUILD, daemon)),
            "client": os.environ.get("PMACCT", os.path.join(BUILD, "pmacct"))}
    peer = {"name": "pmacct", "ours": False, "protocol": daemon,
            "daemon": f"/usr/sbin/{daemon}", "client": "/usr/bin/pmacct"}
    nfdump = {"name": "nfdump", "ours": False, "protocol": daemon,
              "daemon": os.environ.get("NFCAPD", "/usr/bin/nfcapd"),
              "client": os.environ.get("NFDUMP", "/usr/bin/nfdump")}
    return [ours, peer, nfdump] if daemon == "nfacctd" else [ours, peer]


# ---- tools and captures ----------------------------------------------------------------------------------------------

def tool(name):
    """The program's path; built into the work folder when the build tree has none."""
    path = os.path.join(BUILD, "tests", "bench", name)
    sources = [os.path.join(HERE, file) for file in (name + ".c", "traffic.h", "netflow_formats.h")]
    if os.access(path, os.X_OK):
        return path
    path = os.path.join(WORK, name)
    if not os.path.exists(path) or os.path.getmtime(path) < max(map(os.path.getmtime, sources)):
        subprocess.run([os.environ.get("CC", "cc"), "-std=gnu11", "-D_GNU_SOURCE", "-O2", "-o", path, sources[0],
                        "-lm"], check=True)
    return path


def generator_words(daemon, records, keys, more):
    program, unit = GENERATORS[daemon]
    return [tool(program), f"--{unit}", str(records), "--keys", str(keys), *more]


def capture(daemon, records, keys, more=()):
    """A capture file and its expected rows, made once per work folder."""
    words = [daemon, str(records), str(keys)] + [word.strip("-") for word in more]
    base = os.path.join(WORK, "-".join(["input"] + words))
    if not os.path.exists(base + ".pcap"):
        words = ["--out", base + ".part", "--expect", base + ".csv"]
        subprocess.run(generator_words(daemon, records, keys, more) + words, check=True, stderr=subprocess.DEVNULL)
        os.rename(base + ".part", base + ".pcap")
    return base + ".pcap", base + ".csv"


def send_words(words):
    """Runs a generator that sends; what it tells of it, by name."""
    told = subprocess.run(words, stderr=subprocess.PIPE, universal_newlines=True, check=True).stderr
    numbers = {name: float(value) for name, value in re.findall(r"(\w+)=([\d.]+)", told)}
    numbers.setdefault("records", numbers.get("flow_samples", numbers.get("packets")))
    return numbers


def send(daemon, port, records, keys, more, expected):
    """Sends over loopback and writes the expected rows."""
    words = ["--udp", f"127.0.0.1:{port}", "--expect", expected]
    return send_words(generator_words(daemon, records, keys, more) + words)


def compare(expected, produced):
    if not os.path.exists(produced):
        return "no rows"
    done = subprocess.run([tool("compare_rows"), expected, produced], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          universal_newlines=True, check=False)
    return "EXACT" if done.returncode == 0 else done.stdout.strip().splitlines()[-1]


def packets_of(path):
    """The sum of a produced or expected file's packets; None when there is no such file."""
    try:
        with open(path, encoding="ascii") as file:
            column = file.readline().strip().split(",").index("PACKETS")
            return sum(int(line.split(",")[column]) for line in file if line.strip())
    except (OSError, ValueError):
        return None


def remove(*paths):
    for path in paths:
        if os.path.exists(path):
            os.unlink(path)


# ---- configurations --------------------------------------------------------------------------------------------------

def write_configuration(side, plugin, lines, keys, slowed=False, aggregate=FIVE_TUPLE):
    """The same file for both; sizes only for the peer, ours has none to choose. `slowed`: under valgrind."""
    path = os.path.join(WORK, f"{side['name']}.conf")
    lines = ["daemonize: false", f"plugins: {plugin}[bench]", f"aggregate[bench]: {aggregate}"] + lines
    if side["ours"]:
        lines.append(f"control_path: {WORK}/control")
    elif plugin == "print":
        # Ten nodes to a bucket, all written at start: as many buckets as the keys need, and no more.
        sizes = ((10000, 16411), (100000, 100003), (1000000, 131071), (1 << 32, 1000003))
        buckets = next(buckets for most, buckets in sizes if keys <= most)
        # A larger ring costs time and memory, but a plugin that is slower than the reading of a file (one buffer each
        # millisecond) has a smaller one lapped, and what was in it is lost.
        ring, buffer = (1024000000, 51200) if slowed or keys > 1000000 else (40960000, 102400)
        lines += [f"plugin_pipe_size: {ring}", f"plugin_buffer_size: {buffer}", f"print_cache_entries: {buckets}"]
    else:
        lines += [f"plugin_pipe_size: {40960000 if keys <= 100000 else 1024000000}",
                  "plugin_buffer_size: 102400", f"imt_buckets: {keys + 1}", "imt_mem_pools_number: 8192",
                  "imt_mem_pools_size: 1048576"]
    with open(path, "w", encoding="ascii") as file:
        file.write("\n".join(lines) + "\n")
    return path


def print_lines(rows):
    return ["print_output[bench]: csv", f"print_output_file[bench]: {rows}", "print_refresh_time[bench]: 3600"]


def live_lines(daemon, port):
    return [f"{daemon}_ip: 127.0.0.1", f"{daemon}_port: {port}", f"{daemon}_pipe_size: 4194304"]


# ---- running and looking ---------------------------------------------------------------------------------------------

class Daemon:
    """A command under `measure`, in a session of its own."""

    def __init__(self, name, words, output=None):
        self.result = os.path.join(WORK, "measure.json")
        self.log = open(os.path.join(WORK, f"{name}.log"), "wb")
        self.log_path = self.log.name
        self.started = time.monotonic()
        self.process = subprocess.Popen([tool("measure"), "-o", self.result, *words], stdin=subprocess.DEVNULL,
                                        stdout=output or self.log, stderr=self.log, start_new_session=True)

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
        """Until no process of the group has used any time for so long; False: the deadline or the end came first."""
        last, since, end = self.cpu(), time.monotonic(), time.monotonic() + DEADLINE
        while time.monotonic() < end and self.process.poll() is None:
            time.sleep(0.1)
            now = self.cpu()
            if now > last + 0.02:
                last, since = now, time.monotonic()
            elif time.monotonic() - since > seconds:
                return True
        return False

    def wait_port(self, port):
        """Until somebody listens; False when nobody does."""
        end = time.monotonic() + 30
        while time.monotonic() < end and self.process.poll() is None:
            if kernel_drops(port) is not None:
                return True
            time.sleep(0.01)
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
        finally:
            self.log.close()
        with open(self.result, encoding="ascii") as file:
            return json.load(file)


def run_daemon(side, configuration):
    return Daemon(side["name"], [*side.get("prefix", []), side["daemon"], "-f", configuration])


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


def ledger_losses(log, kernel="datagrams_kernel_dropped"):
    """What our log's last ledger counts as lost: datagrams (or frames) by the kernel, records by a full ring."""
    with open(log, encoding="utf-8", errors="replace") as file:
        text = file.read()
    return [int((re.findall(rf"\b{name}=(\d+)", text) or ["0"])[-1])
            for name in (kernel, "records_dropped_ring_full")] + ["the books balance" in text]
