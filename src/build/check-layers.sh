#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The include matrix of src/README.md: a file includes only from its own room and from the rooms named here. Prints every
# violation and the line of a TAP test; exits 1 when there is one. Also: a library's header appears in one folder only, and no circle of includes.
# usage: check-layers.sh [TOP]
cd "${1:-$(dirname "$0")/../..}" || exit 2
files=$(find src plugins -name '*.[ch]' -o -name '*.def' | sort)
status=0
# shellcheck disable=SC2086
awk '
BEGIN {
    allow["src/base"]    = "base"
    allow["src/net"]     = "base net"
    allow["src/ring"]    = "base ring"
    allow["src/flow"]    = "base net flow"
    allow["src/config"]  = "base net flow config"
    allow["src/map"]     = "base net flow map"
    allow["src/classify"] = "base net flow classify"
    allow["src/dissect"] = "base net flow dissect"
    allow["src/decode"]  = "base net flow classify dissect decode"
    allow["src/enrich"]  = "base net flow config map enrich"
    allow["src/core"]    = "base net ring flow config map decode enrich core plugins/plugin.h"
    allow["src/daemons"] = "base net flow config classify dissect decode core daemons"
    allow["src/client"]  = "base net flow client plugins/common"
    allow["plugins/plugin.h"] = "base ring flow config"
    allow["plugins/common"] = "base net ring flow config plugins/plugin.h plugins/common"
    allow["plugins"]     = "base net ring flow config plugins/plugin.h plugins/common"
}
function room(path,    part) {
    if (path == "plugins/plugin.h") return path
    split(path, part, "/")
    if (part[1] == "plugins" && part[2] != "common") return "plugins"
    return part[1] "/" part[2]
}
/^#include "/ {
    from = room(FILENAME)
    target = $2; gsub(/"/, "", target)
    if (target == "config.h") next
    n = split(target, part, "/")
    if (n < 2) { print FILENAME ": \"" target "\" does not show its layer"; bad = 1; next }
    where = part[1]
    if (part[1] == "plugins") where = (target == "plugins/plugin.h") ? target : part[1] "/" part[2]
    own = FILENAME; sub(/\/[^\/]*$/, "", own)
    if (index(own "/", "plugins/" part[2] "/") == 1 && part[1] == "plugins") next
    ok = 0
    m = split(allow[from], list, " ")
    for (i = 1; i <= m; i++) if (list[i] == where) ok = 1
    if (!ok) { print FILENAME ": must not include \"" target "\" (" from " may see: " allow[from] ")"; bad = 1 }
}
/^#include <(pcap|jansson|xxhash|curses|ncurses|microhttpd|gnutls|zlib|zstd|maxminddb|libnetfilter_log|libnfnetlink|libmnl|ndpi)/ {
    lib = $2; gsub(/[<>]/, "", lib); sub(/[\/.].*/, "", lib)
    own = room(FILENAME)
    if (home[lib] == "") home[lib] = own
    if (home[lib] != own) { print FILENAME ": <" lib "> is used in " home[lib] " already; a library has one folder"; bad = 1 }
}
END { exit bad }
' $files || status=1

# Circles of includes, by tsort: it names the files of a circle.
circles=$(for f in $files; do
    sed -n 's/^#include "\(.*\)"/\1/p' "$f" | while read -r t; do
        case $t in plugins/*) to=$t ;; *) to=src/$t ;; esac
        [ "$to" != "$f" ] && [ -f "$to" ] && echo "$f $to"
    done
done | tsort 2>&1 >/dev/null)
if [ -n "$circles" ]; then
    echo "circle of includes:"
    echo "$circles"
    status=1
fi
[ $status = 0 ] && echo "ok 1 - layers are kept in $(echo "$files" | wc -l) files" || echo "not ok 1 - layers are kept"
echo "1..1"
exit $status
