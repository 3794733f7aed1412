#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# `pmacct exporters` and `pmacct templates` of a running nfacctd with two lanes: what was sent is told, by lane, as a text and as
# JSON; one exporter alone. What a lane that hangs does to it: describe.sh.
. "$(dirname "$0")/../lib/netflow.sh"
test_begin

capture=$TESTS/../conf/quickstart/softflowd.pcap
replay=$(tool replay)
live_configuration <<END
nfacctd_lanes: 2
END
check "starts" daemon_start "$DIR/conf"
"$PMACCT" exporters -p "$CONTROL" >"$DIR/none" 2>&1
check "before anybody has sent" grep -q "no exporter yet" "$DIR/none"
for source in 127.0.0.2 127.0.0.3 127.0.0.4 127.0.0.5; do
    "$replay" --source "$source" --duration 1 "$capture" "127.0.0.1:$PORT" >/dev/null 2>&1
done
arrived() { [ "$(book input.datagrams_received)" = 116 ]; }
check "all datagrams arrive" wait_for 10 arrived

"$PMACCT" exporters -p "$CONTROL" >"$DIR/exporters" 2>"$DIR/errors"
is "four exporters" "$(grep -c '^127\.0\.0\.[2-5] ' "$DIR/exporters")" 4
is "each with five templates, nothing lost" "$(awk '/^127/ && $4 == 5 && $6 == 0' "$DIR/exporters" | wc -l)" 4
"$PMACCT" exporters 127.0.0.3 -p "$CONTROL" >"$DIR/one"
is "one alone" "$(grep -c '^127' "$DIR/one")" 1
"$PMACCT" exporters 192.0.2.77 -p "$CONTROL" >"$DIR/other"
check "a stranger" grep -q "nothing from this exporter yet" "$DIR/other"
"$PMACCT" templates 127.0.0.3 -p "$CONTROL" >"$DIR/templates"
is "its templates" "$(grep -c '^127.0.0.3 version 10 domain 0 template' "$DIR/templates")" 5
check "with elements by name" grep -q "0.8  *sourceIPv4Address  *4$" "$DIR/templates"
check "and reverse ones" grep -q "29305.1  *reverseOctetDeltaCount" "$DIR/templates"
"$PMACCT" exporters -O json -p "$CONTROL" >"$DIR/json"
is "as JSON: lanes, exporters, templates" "$(python3 -c '
import json, sys
lanes = json.load(open(sys.argv[1]))["lanes"]
rows = [e for lane in lanes for e in lane["exporters"]]
print(len(lanes), len(rows), sum(len(e["templates"]) for e in rows))' "$DIR/json")" "2 4 20"

check "ends" daemon_end 8 TERM
is "nothing was lost" "$STATUS" 0
test_end
