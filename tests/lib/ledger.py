#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Reads a daemon's ledger through its client, for the Python tests (import) and the shell tests (command line):

  ledger.py get CONTROL EXPRESSION...     prints one value a line; "-" when it cannot be had. Expressions:
                                            input.NAME, plugin:INSTANCE.plugin.NAME, plugin:INSTANCE.emit.NAME,
                                            plugin:INSTANCE.watch.NAME, plugin:INSTANCE.pid, plugin:INSTANCE.state,
                                            sums with '+', e.g. input.datagrams_received+input.datagrams_kernel_dropped
  ledger.py imbalance CONTROL             prints the groups that do not balance; exits 1 when there are any
  ledger.py dump CONTROL                  the whole object

CONTROL is the socket of control_path, a file with the JSON object, or a daemon's log: then the last ledger that it wrote
there, where a counter that is not named is zero. The client is $PMACCT or $BUILD/pmacct.
"""
import json
import os
import re
import stat
import subprocess
import sys


class Counters(dict):
    """Of a log, which leaves zeroes out."""

    def __missing__(self, name):
        return 0


def client():
    return os.environ.get("PMACCT") or os.path.join(os.environ.get("BUILD", "."), "pmacct")


def read_log(text):
    """The last ledger in a log as the same dictionary; None when there is none."""
    book, blocks = None, {"": "plugin", " ring": "emit", " crashes": "watch"}
    for line in text.splitlines():
        found = re.search(r"ledger (?:input|(\S+?)\[(.*?)\]( ring| crashes)?): (.*)$", line)
        if found:
            kind, name, block, words = found.groups()
            values = Counters((key, int(number)) for key, number in re.findall(r"(\w+)=(\d+)", words))
            if kind is None:
                book = {"input": values, "plugins": [], "balance": []}
            elif book is not None:
                rows = [row for row in book["plugins"] if row["name"] == name]
                if not rows:
                    rows = [{"name": name, "type": kind, "emit": Counters(), "plugin": Counters(), "watch": Counters()}]
                    book["plugins"] += rows
                rows[0][blocks[block or ""]] = values
        found = re.search(r"ledger: NOT IN BALANCE[^:]*: (.*)$", line)
        if found and book is not None:
            book["balance"].append({"group": found.group(1), "left": "", "right": "", "balanced": False})
    return book


def read(control, timeout=5):
    """The ledger as a dictionary, or None when nobody answers."""
    try:
        if not stat.S_ISSOCK(os.stat(control).st_mode):
            with open(control, encoding="utf-8", errors="replace") as file:
                text = file.read()
            return json.loads(text) if text.startswith("{") else read_log(text)
        done = subprocess.run([client(), "status", "-O", "json", "-p", control], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, timeout=timeout, check=False)
        return json.loads(done.stdout) if done.returncode == 0 else None
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None


def imbalance(book):
    return [f"{group.get('plugin', '')} {group['group']}: {group['left']} != {group['right']}".strip() for group in book["balance"] if not group["balanced"]]


def value(book, expression):
    total = 0
    for term in expression.split("+"):
        if term.startswith("plugin:"):
            instance, _, path = term[len("plugin:"):].partition(".")
            node = next((row for row in book["plugins"] if row["name"] == instance), {})
        else:
            node, path = book, term
        for name in path.split("."):
            node = node[name]
        if isinstance(node, str):
            return node
        total += node
    return total


def main():
    if len(sys.argv) < 3 or sys.argv[1] not in ("get", "imbalance", "dump"):
        sys.exit(__doc__)
    book = read(sys.argv[2])
    if sys.argv[1] == "get":
        for expression in sys.argv[3:]:
            try:
                print(value(book, expression))
            except (KeyError, TypeError, StopIteration):
                print("-")
        return 0
    if book is None:
        print("no ledger")
        return 1
    if sys.argv[1] == "dump":
        print(json.dumps(book, indent=1))
        return 0
    wrong = imbalance(book)
    for line in wrong:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
