#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The example at the end of plugins/README.md is true: taken out of that page it compiles without a warning, loads,
# counts what the plugin print has of the same capture, and the books balance with it.
. "$(dirname "$0")/../lib/common.sh"
test_begin
top=$(cd "$TESTS/.." && pwd)
command -v "${CC:-cc}" >/dev/null || skip "needs a compiler"
[ -r "$BUILD/libplugin.a" ] || skip "$BUILD/libplugin.a is not built"

sed -n '/^```c$/,/^```$/p' "$top/plugins/README.md" | grep -v '^```' >"$DIR/count.c"
check "the page has a program" grep -q plugin_descriptor "$DIR/count.c"
mkdir "$DIR/plugins"

capture=$top/conf/quickstart/openvswitch.pcap
timeout 30 "$SFACCTD" -P print -c src_host,dst_host,proto -O csv -I "$capture" >"$DIR/print.csv" 2>"$LOG" </dev/null
rows=$(($(grep -c , "$DIR/print.csv") - 1))
read -r packets bytes < <(totals "$DIR/print.csv")
check "the plugin print has rows of the capture" [ "$rows" -gt 0 ]

# build NAME [OPTION...]: as a plugin of that name
build()
{
    local name=$1

    shift
    timeout 60 "${CC:-cc}" -std=gnu11 -D_GNU_SOURCE -DHAVE_CONFIG_H -O2 -Wall -Wextra -Wconversion \
        -Wno-sign-conversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla "$@" -I "$BUILD" -I "$top/src" \
        -I "$top" -fPIC -shared -o "$DIR/plugins/$name.so" "$DIR/count.c" "$BUILD/libplugin.a" -lxxhash \
        >"$DIR/compiled" 2>&1
}

check "it compiles under its own name" build count
check "it compiles under a name of the list" build print -DCOUNT_NAME='"print"'
check "without a warning" [ ! -s "$DIR/compiled" ] || note <"$DIR/compiled"

cat >"$DIR/conf" <<END
daemonize: false
control_path: $CONTROL
plugin_directory: $DIR/plugins
plugins: print[count]
aggregate: src_host, dst_host, proto
END
timeout 30 "$SFACCTD" -f "$DIR/conf" -I "$capture" >"$LOG" 2>&1 </dev/null
is "a replay with it ends with status 0" $? 0
line="INFO ( count/print ): $rows rows, $packets packets, $bytes bytes"
check "it counts what is in the capture" grep -qxF -e "$line" "$LOG"
is "its rows are on the ledger" "$(final plugin:count.plugin.rows_committed)" "$rows"
check "the books balance" balanced "$LOG"

timeout 30 "$SFACCTD" -T setup -f "$DIR/conf" >"$DIR/tried" 2>&1 </dev/null
is "-T setup starts and stops it" $? 0

# Its own name is not in the list of types: that is said, with status 1.
sed 's/^plugins: .*/plugins: count/' "$DIR/conf" >"$DIR/own"
timeout 30 "$SFACCTD" --check -f "$DIR/own" >"$DIR/refused" 2>&1
is "a type that is not in the list is refused" $? 1
check "and named" grep -q "unknown plugin type 'count'" "$DIR/refused"

# An object with another name inside than its file has is not taken.
build print
timeout 30 "$SFACCTD" -f "$DIR/conf" -I "$capture" >"$DIR/refused" 2>&1 </dev/null
is "an object that calls itself otherwise is refused" $? 1
check "and named as well" grep -q "is not the plugin 'print' of this version" "$DIR/refused"
test_end
