#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# `pmacct exporters` while a collector hangs: the others answer, it is told how many did not, a second question does not
# wait for it again, and after a collector was killed its successor answers.
. "$(dirname "$0")/../lib/netflow.sh"
test_begin

live_configuration <<END
nfacctd_lanes: 3
END
check "nfacctd starts" daemon_start "$DIR/conf"

ask() # the answer's lanes and how many were silent
{
    "$PMACCT" exporters -O json -p "$CONTROL" >"$DIR/answer" && python3 -c '
import json, sys
answer = json.load(open(sys.argv[1]))
print(len(answer["lanes"]), answer["silent"])' "$DIR/answer"
}

is "three collectors answer" "$(ask)" "3 0"
lane=$(pgrep -P "$DAEMON" -f "collector 1")
kill -STOP "$lane"
is "one hangs: the others answer" "$(ask)" "2 1"
check "a person is told" eval '"$PMACCT" exporters -p "$CONTROL" | grep -q "(1 collector did not answer in time)"'
begin=$(date +%s%N)
for i in 1 2 3 4 5 6; do
    ask >/dev/null
done
check "it is not waited for again" [ $((($(date +%s%N) - begin) / 1000000)) -lt 3000 ]
kill -CONT "$lane"
check "it answers again" wait_for 5 eval '[ "$(ask)" = "3 0" ]'
kill -STOP "$lane"
ask >/dev/null
kill -KILL "$lane"
check "and so does its successor" wait_for 5 eval '[ "$(ask)" = "3 0" ]'
check "ends in time" daemon_end 10 TERM
check "the books balance" balanced "$LOG"
test_end
