#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes the lists of files into the Makefile.inc of each folder: run it after adding, moving or removing a file.

usage: src/build/list-files.py     (at the top of the tree; then look at `git diff`)

The lists are kept in the tree, not made at build time, so that a file lying about is neither built nor shipped.
"""
import glob
import os
import subprocess
import sys

HEAD = "# SPDX-License-Identifier: BSD-2-Clause\n"
LIBRARIES = {"base": "libflowledger_a", "net": "libflowledger_a", "ring": "libflowledger_a", "flow": "libflowledger_a",
             "config": "libflowledger_a", "map": "libcollector_a", "classify": "libcollector_a",
             "dissect": "libcollector_a", "decode": "libcollector_a", "enrich": "libcollector_a",
             "core": "libcollector_a"}
# Shared objects inside a library's folder that a collector opens when it needs them: folder -> (object, libraries, condition).
MODULES = {"src/classify/ndpi": ("classify_ndpi.so", "$(NDPI_LIBS)", "HAVE_NDPI"),
           "src/dissect/modules": ("dissect_smtp.so", "", None)}
# Programs of their own inside a library's folder: file -> (program, more libraries).
GENERATORS = {"flow": ("fields_manual", "fields-manual"), "config": ("keys_manual", "keys-manual")}
DAEMONS = ("sfacctd", "nfacctd", "pmacctd", "uacctd")
DAEMON_PARTS = {"packets": ("pmacctd", "uacctd")} # files that several daemons share
ENTRIES = ("src/client/pmacct.c", "plugins/memory/plugin.c", "plugins/print/print.c") # no test links them
BENCH_TOOLS = ["tests/bench/compare_rows", "tests/bench/generate", "tests/bench/generate_packets", "tests/lib/replay", "tests/bench/measure"]
THREAD_TESTS = ["tests/unit/plugins/test_flush", "tests/unit/ring/test_ring", "tests/unit/ring/test_ring_hostile",
                "tests/unit/ring/test_ring_process", "tests/unit/ring/test_ring_threads"]


def known(pattern):
    """Files of git and new ones, but none that git ignores."""
    names = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", pattern],
                           stdout=subprocess.PIPE, check=True, universal_newlines=True).stdout.split("\n")
    return sorted(name for name in set(names) if name and os.path.exists(name))


def listing(names):
    return " \\\n" + " \\\n".join("\t" + name for name in names) + "\n"


def sources(folder, skip=()):
    names = [name for name in known(folder) if name.endswith((".c", ".h", ".def")) and name not in skip]
    return sorted(names, key=lambda name: ((".c", ".h", ".def").index(os.path.splitext(name)[1]), name))


def write(path, text):
    old = open(path).read() if os.path.exists(path) else ""
    if text != old:
        open(path, "w").write(text)
        print(path)


def rooms():
    for room, library in LIBRARIES.items():
        folder = "src/" + room
        own = GENERATORS.get(room)
        skip = ["%s/%s.c" % (folder, own[0])] if own else []
        skip += [name for module in MODULES if module.startswith(folder + "/") for name in sources(module)]
        text = HEAD + "%s_SOURCES +=%s" % (library, listing(sources(folder, skip)))
        if own:
            name = own[1].replace("-", "_")
            text += "\nnoinst_PROGRAMS += %s\n%s_SOURCES = %s\n%s_LDADD = libflowledger.a\n" % (own[1], name, skip[0], name)
        for module in sorted(MODULES):
            if module.startswith(folder + "/"):
                text += module_text(module, *MODULES[module])
        write(folder + "/Makefile.inc", text)


def module_text(folder, name, libraries, condition):
    word = (folder + "/" + name).replace("/", "_").replace(".", "_")
    text = ("module_PROGRAMS += %s/%s\n%s_SOURCES =%s%s_LDFLAGS = $(AM_LDFLAGS) -shared -Wl,-Bsymbolic\n%s_LDADD = %s\n"
            % (folder, name, word, listing(sources(folder)), word, word, libraries)).replace("= \n", "=\n")
    return "\n" + ("if %s\n%sendif\n" % (condition, text) if condition else text)


def daemons():
    text = HEAD
    for name in DAEMONS:
        parts = [part for part in DAEMON_PARTS if name in DAEMON_PARTS[part]]
        files = [f for f in sources("src/daemons")
                 if os.path.basename(f).startswith(name) or os.path.basename(f).split(".")[0] in parts]
        text += "sbin_PROGRAMS += %s\n%s_SOURCES =%s" % (name, name, listing(files))
        text += ("%s_LDADD = libcollector.a $(FL_WHOLE) libflowledger.a $(FL_NOT_WHOLE) $(collector_libraries)\n"
                 "%s_DEPENDENCIES = libcollector.a libflowledger.a\n"
                 "%s_LDFLAGS = $(AM_LDFLAGS) -Wl,--export-dynamic\n" % (name, name, name))
        if name != DAEMONS[-1]:
            text += "\n"
    write("src/daemons/Makefile.inc", text)


def client():
    text = HEAD + "bin_PROGRAMS += pmacct\npmacct_SOURCES =" + listing(sources("src/client"))
    text += "pmacct_LDADD = libplugin.a libflowledger.a $(JANSSON_LIBS) $(NCURSES_LIBS) $(XXHASH_LIBS)\n"
    write("src/client/Makefile.inc", text)


def plugins():
    text = open("plugins/Makefile.inc").read()
    start, end = text.index("libplugin_a_SOURCES ="), text.index("\n\n", text.index("libplugin_a_SOURCES ="))
    names = ["plugins/plugin.h"] + sources("plugins/common")
    write("plugins/Makefile.inc", text[:start] + "libplugin_a_SOURCES =" + listing(names).rstrip("\n") + text[end:])
    for path in glob.glob("plugins/*/Makefile.inc"):
        folder = os.path.dirname(path)
        text = open(path).read()
        start = text.index("_SOURCES =") + len("_SOURCES =")
        end = text.index("\nplugins_", start) + 1
        write(path, text[:start] + listing(sources(folder)) + text[end:])


def program(name, files, check=True):
    word = name.replace("/", "_")
    return ("%s%s_SOURCES = %s\n%s_CPPFLAGS = $(test_cppflags)\n%s_LDADD = $(test_libraries) $(test_system_libraries)\n\n"
            % ("check_PROGRAMS += %s\n" % name if check else "", word, " ".join(files), word, word))


def extra_sources(path):
    """What a test links beside the libraries: its first comment may say `links: FOLDER ...`."""
    files = []
    for line in open(path).read().split("\n")[:12]:
        if "links:" in line:
            for word in line.split("links:")[1].replace("*/", "").split():
                files += ([word] if word.endswith((".c", ".h"))
                          else [f for f in sources(word) if f.endswith(".c") and f not in ENTRIES])
    return files


def tests():
    path = "tests/Makefile.inc"
    text = open(path).read()
    units = [f[:-2] for f in known("tests/unit") if os.path.basename(f).startswith("test_") and f.endswith(".c")]
    fuzz = [f for f in known("tests/fuzz") if os.path.basename(f).startswith("fuzz_") and f.endswith(".c")]
    benches = [f[:-2] for f in known("tests/bench") if os.path.basename(f).startswith("bench_") and f.endswith(".c")]
    scripts = ["src/build/check-%s.sh" % name for name in ("layers", "words", "calls")] + [
        "tests/golden/run.sh", "tests/golden/corpus.sh"] + known("tests/process/*.sh") + known("tests/peers/*.sh")
    body = "".join(program(name, [name + ".c"] + extra_sources(name + ".c")) for name in units)
    body += "unit_tests =" + listing(units) + "\n"
    replays = []
    for name in fuzz:
        replay = "tests/fuzz/replay_" + os.path.basename(name)[5:-2]
        replays.append(replay)
        body += program(replay, [name, "tests/fuzz/replay.c"] + extra_sources(name))
    body += "fuzz_replays =" + listing(replays) + "\n"
    body += "# What has threads or two processes in it; ./check builds these with ThreadSanitizer.\n"
    body += "thread_tests =" + listing(THREAD_TESTS) + "\n"
    for name in benches + BENCH_TOOLS:
        body += program(name, [name + ".c"] + extra_sources(name + ".c"), check=False)
    body += "# Tools that the scripts below run.\ncheck_PROGRAMS +=" + listing(BENCH_TOOLS)
    body += "\n# Benches are built by `make bench-programs` only.\nEXTRA_PROGRAMS +=" + listing(benches)
    body += "bench-programs: %s\n.PHONY: bench-programs\n\n" % " ".join(benches + BENCH_TOOLS)
    body += "script_tests =" + listing(scripts) + "\n"
    start = text.index("check_PROGRAMS += tests/unit")
    end = text.index("TESTS += $(unit_tests)")
    text = text[:start] + body + text[end:]
    built = set(f for f in sum((extra_sources(u + ".c") for u in units), [])) | set(fuzz) | {"tests/fuzz/replay.c"}
    built |= {u + ".c" for u in units + benches + BENCH_TOOLS} | {"tests/lib/tap.c", "tests/lib/tap.h", path}
    shipped = [f for f in known("tests") if f not in built and not f.startswith("tests/fuzz/corpus/")]
    start = text.index("EXTRA_DIST +=")
    write(path, text[:start] + "EXTRA_DIST +=" + listing(shipped) + "EXTRA_DIST += tests/fuzz/corpus\n")


def main():
    if not os.path.exists("configure.ac"):
        sys.exit("run me at the top of the tree: src/build/list-files.py")
    rooms()
    daemons()
    client()
    plugins()
    tests()
    write("conf/Makefile.inc", HEAD + "EXTRA_DIST +=" + listing([f for f in known("conf") if not f.endswith("Makefile.inc")]))


main()
