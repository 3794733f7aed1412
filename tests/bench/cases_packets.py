# SPDX-License-Identifier: BSD-2-Clause
"""Cases of pmacctd alone: packets over a pair of virtual interfaces in a network namespace of its own, and what maps of
ten rows and of very many cost a packet. What is like that of the other daemons is in cases.py."""
import contextlib
import ipaddress
import os
import random
import re
import signal
import subprocess
import time

import harness
from cases import case_search, seconds_of, work
from harness import compare, remove, run_daemon

BASE_PACKETS = 200000   # live: so many are made before, then sent again and again
TAGGED = (65536, 34464) # rows of the large pre_tag_map: /24 of 10.0.0.0/8, /120 of the IPv6 sources


# ---- live ------------------------------------------------------------------------------------------------------------

class Wire:
    """Two ends of a cable, "sender" and "receiver", in a namespace that nothing else speaks in."""

    def __init__(self):
        self.name = f"flowledger-bench-{os.getpid()}"

    def __enter__(self):
        subprocess.run(["ip", "netns", "add", self.name], check=True)
        try:
            for setting in ("all", "default"):  # no neighbour discovery between the packets
                self.run(["sysctl", "-qw", f"net.ipv6.conf.{setting}.disable_ipv6=1"])
            self.run(["ip", "link", "add", "sender", "type", "veth", "peer", "name", "receiver"])
            self.run(["ethtool", "-K", "sender", "tso", "off", "gso", "off", "tx-udp-segmentation", "off"])
            for end in ("sender", "receiver"):
                self.run(["ip", "link", "set", end, "up"])
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        subprocess.run(["ip", "netns", "del", self.name], check=False)

    def words(self, words):
        return ["ip", "netns", "exec", self.name, *words]

    def run(self, words):
        return subprocess.run(self.words(words), check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              universal_newlines=True).stdout

    def wait_capture(self, daemon):
        """Until somebody captures; False when nobody does."""
        end = time.monotonic() + 30
        while time.monotonic() < end and daemon.process.poll() is None:
            if self.run(["cat", "/proc/net/packet"]).count("\n") > 1:
                return True
            time.sleep(0.05)
        return False


def wire_is_possible():
    done = subprocess.run(["sh", "-c", "ip -V && ethtool --version"], stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, check=False)
    return os.geteuid() == 0 and done.returncode == 0


def peer_drops(daemon):
    """What the peer's capture has dropped: asked for by a signal, it says so in its log."""
    tree = daemon.tree()
    core = min((pid for pid, _ in tree if pid != daemon.process.pid), default=None)
    if core is None:
        return 0
    os.kill(core, signal.SIGUSR1)
    time.sleep(0.5)
    with open(daemon.log_path, encoding="utf-8", errors="replace") as file:
        return int((re.findall(r"dropped_packets=(\d+)", file.read()) or ["0"])[-1])


def shot_packets(side, job, packets, pace=0):
    """One run at so many packets a second (0: as fast as one sender can). Every packet that was sent must be accounted,
    or counted as dropped: that is exact."""
    rows, expected = work("rows.csv"), work("live.csv")
    remove(rows, work("control"))
    made = min(packets, BASE_PACKETS)
    with Wire() as wire:
        lines = ["pcap_interface: receiver"] + harness.print_lines(rows)
        if not side["ours"]:
            lines.append("pmacctd_pipe_size: 33554432")  # what ours has when nothing is said
        configuration = harness.write_configuration(side, "print", lines, job["keys"])
        daemon = run_daemon({**side, "prefix": wire.words([])}, configuration)
        if not wire.wait_capture(daemon):
            daemon.end(signal.SIGINT)
            return {"exact": "does not capture", "lost": 1.0, "offered": 0.0}
        daemon.wait_idle(1.0)
        words = harness.generator_words("pmacctd", made, job["keys"], job["more"])
        sent = harness.send_words(wire.words([*words, "--send", "sender", "--rate", str(pace), "--rounds",
                                              str(max(1, round(packets / made))), "--expect", expected]))
        daemon.wait_idle(1.5)
        drops = None if side["ours"] else peer_drops(daemon)
        result = daemon.end(signal.SIGINT)
    verdict = compare(expected, rows)
    got, on_wire = harness.packets_of(rows) or 0, sent["packets"] - sent["interface_dropped"]
    answer = {"offered": on_wire / sent["seconds"], "sent": on_wire, "lost": 1 - got / on_wire, "accounted": got,
              "exact": verdict, "cpu": seconds_of(result) if result else 0,
              "memory": result["peak_pss"] if result else 0}
    if verdict != "EXACT":
        answer["exact"] = told_losses(side, daemon, on_wire - got, drops)
    return answer


def told_losses(side, daemon, missing, drops):
    if not side["ours"]:
        return f"lost {missing:.0f} packets, {drops} of them told as dropped by the kernel"
    kernel, ring, balanced = harness.ledger_losses(daemon.log_path, "frames_kernel_dropped")
    return (f"lost {missing:.0f} packets, counted {kernel} by the kernel and {ring} at the ring: " +
            ("all counted" if kernel + ring == missing else "NOT ALL COUNTED") +
            (", books balance" if balanced else ", BOOKS DO NOT BALANCE"))


def case_packets_live(side, job):
    return shot_packets(side, job, job["records"]) if wire_is_possible() else None


def case_packets_search(side, job):
    return case_search(side, {**job, "first_pace": 100000}, shot_packets) if wire_is_possible() else None


# ---- maps ------------------------------------------------------------------------------------------------------------

@contextlib.contextmanager
def made_once(path):
    """A file of the work folder, written whole or not at all; None when it is there."""
    if os.path.exists(path):
        yield None
        return
    with open(path + ".part", "w", encoding="ascii") as file:
        yield file
    os.rename(path + ".part", path)


def tag_shape(many):
    """Rows and prefix length for IPv4, and for IPv6."""
    return ((TAGGED[0], 24), (TAGGED[1], 120)) if many else ((8, 11), (2, 105))


def tag_rows(many):
    """The prefix of each row, tags count from 1. Sources are 10.x.x.x and 2001:db8::axx:xxxx (traffic.h)."""
    starts = (ipaddress.IPv4Address("10.0.0.0"), ipaddress.IPv6Address("2001:db8::a00:0"))
    for start, bits, (count, length) in zip(starts, (32, 128), tag_shape(many)):
        for place in range(count):
            yield f"{start + (place << bits - length)}/{length}"


def tag_of(source, many):
    """The tag that a source must get."""
    ipv6, shape = ":" in source, tag_shape(many)
    place = (int(ipaddress.ip_address(source)) & 0xffffff) >> ((128 if ipv6 else 32) - shape[ipv6][1])
    return 0 if place >= shape[ipv6][0] else place + 1 + (shape[0][0] if ipv6 else 0)


def tags_verdict(rows, many):
    with open(rows, encoding="ascii") as file:
        names = file.readline().strip().split(",")
        tag, source = names.index("TAG"), names.index("SRC_IP")
        wrong = sum(int(words[tag]) != tag_of(words[source], many) for words in (line.split(",") for line in file))
    return "EXACT" if wrong == 0 else f"{wrong} rows with a wrong tag"


def map_run(side, job, records, lines, aggregate):
    """A capture file into a CSV file with a map; (measurements, verdict)."""
    source, expected = harness.capture("pmacctd", records, job["keys"], job["more"])
    rows = work("rows.csv")
    remove(rows)
    lines = [f"pcap_savefile: {source}"] + harness.print_lines(rows) + lines
    result = run_daemon(side, harness.write_configuration(side, "print", lines, job["keys"],
                                                          aggregate=f"{aggregate}, {harness.FIVE_TUPLE}")).end()
    return result, compare(expected, rows) if result else "did not end"


def growth(side, job, variants, aggregate, check=None):
    """What one more packet costs with each of the variants {name: configuration lines}: the difference of a run and one
    of twice its length, so that start, reading of the map and rows do not count; and their ratio."""
    answer, verdicts = {}, []
    for name, lines in variants.items():
        cpu = []
        for length in (job["records"], 2 * job["records"]):
            result, verdict = map_run(side, job, length, lines, aggregate)
            if verdict == "EXACT" and check is not None:
                verdict = check(work("rows.csv"), name == "many")
            verdicts.append(verdict)
            if result is None:
                return {"exact": verdict}
            cpu.append(seconds_of(result))
        answer[name] = (cpu[1] - cpu[0]) / job["records"]
        answer[name + "_memory"] = result["peak_pss"]
    answer["ratio"] = answer["many"] / answer["few"] if answer["few"] > 0 else 0
    answer["exact"] = next((verdict for verdict in verdicts if verdict != "EXACT"), "EXACT")
    return answer


def case_tags(side, job):
    """pre_tag_map with 10 and with 100 000 rows. The peer's pmacctd knows no src_net in this map."""
    if not side["ours"]:
        return None
    variants = {}
    for name, many in (("few", False), ("many", True)):
        path = work(f"pre_tag_{name}.map")
        with made_once(path) as file:
            if file is not None:
                file.writelines(f"set_tag={tag} src_net={net}\n" for tag, net in enumerate(tag_rows(many), 1))
        variants[name] = [f"pre_tag_map: {path}"]
    return growth(side, job, variants, "tag", tags_verdict)


def write_networks(path, ipv4, ipv6):
    """Rows like the Internet's: IPv4 prefixes of /24 down to /16 from 1.0.0.0 on, among them those of the packets,
    and IPv6 ones of /48 and /32."""
    numbers = random.Random(1)
    with made_once(path) as file:
        if file is None:
            return
        for i in range(min(ipv4, 65536)):
            file.write(f"{64512 + i % 1000},10.{i >> 8}.{i & 255}.0/24\n")
        at = 11 << 24
        for _ in range(max(0, ipv4 - 65536)):
            length = numbers.choice((24, 24, 24, 24, 24, 24, 23, 22, 22, 21, 20))
            size = 1 << 32 - length
            at = (at + size - 1) & -size
            file.write(f"{1 + at % 64000},{at >> 24}.{at >> 16 & 255}.{at >> 8 & 255}.{at & 255}/{length}\n")
            at += size
        for i in range(ipv6):
            file.write(f"{1 + i % 64000},{0x2400 + i // 65536:x}:{i % 65536:x}::/{numbers.choice((32, 40, 48))}\n")
        file.write("65000,2001:db8::/32\n")


def case_networks(side, job):
    """networks_file with ten rows and with those of a full routing table; how long the large one takes to be ready."""
    variants = {}
    for name, ipv4, ipv6 in (("few", 9, 0), ("many", 1100000, 250000)):
        path = work(f"networks_{name}.lst")
        write_networks(path, ipv4, ipv6)
        variants[name] = [f"networks_file: {path}", "pmacctd_as: file"]
        if not side["ours"]:  # it reads packets before its plugin has read the table, and loses them all
            variants[name].append("pcap_savefile_delay: 15")
    answer = growth(side, job, variants, "src_as, dst_as")
    if not side["ours"]:
        return answer
    times = {}
    for name, lines in variants.items():
        result, _ = map_run(side, job, 4, lines, "src_as, dst_as")
        times[name] = result["wall"] if result else 0
    answer["load"] = times["many"] - times["few"]
    return answer
