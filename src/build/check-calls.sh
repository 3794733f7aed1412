#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# No circle of calls between files: who defines and who uses each symbol is read from the objects of the build, and tsort
# names the files of a circle. A TAP test of one line.
# usage: BUILD=FOLDER check-calls.sh
cd "${BUILD:-.}" || exit 2
objects=$(find src plugins -name '*.o' | sort)
if [ -z "$objects" ]; then
    echo "1..0 # SKIP nothing is built here"
    exit 0
fi
# shellcheck disable=SC2086
circles=$(nm -A $objects | awk '
    { split($1, where, ":"); file = where[1] }
    $(NF-1) ~ /^[TDRBC]$/ { if ($NF != "main" && $NF != "plugin_descriptor") home[$NF] = home[$NF] " " file }
    $(NF-1) == "U" { uses[file] = uses[file] " " $NF }
    END {
        for (file in uses) {
            n = split(uses[file], names, " ")
            for (i = 1; i <= n; i++) {
                m = split(home[names[i]], homes, " ")
                for (j = 1; j <= m; j++) if (homes[j] != file) print file, homes[j]
            }
        }
    }' | sort -u | tsort 2>&1 >/dev/null | sed 's/^tsort: //; s/\.o$//; s/[a-z_]*_\(so\|a\)-//')
if [ -n "$circles" ]; then
    echo "$circles" | sed 's/^/# /'
    echo "not ok 1 - no circle of calls between files"
else
    echo "ok 1 - no circle of calls between $(echo "$objects" | wc -l) files"
fi
echo "1..1"
[ -z "$circles" ]
