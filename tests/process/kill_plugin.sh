#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# kill -9 of the print plugin under load: it is back within two seconds, nobody else notices, what it had read and not
# written is counted as lost, and the books balance.
. "$(dirname "$0")/../lib/common.sh"
test_begin
generate=$(tool generate) || skip "needs a compiler"

live_configuration </dev/null
daemon_start "$DIR/conf"
timeout 60 "$generate" --udp "127.0.0.1:$PORT" --samples 100000 --rate 20000 --keys 5000 --expect "$DIR/expected.csv" 2>"$DIR/sent" &
sender=$!
record_process $sender
check "records arrive" wait_for 10 eval '[ "$(book plugin:rows.plugin.records_read)" -gt 20000 ]'
before=$(book plugin:rows.pid)
kill -KILL "$before"
check "the plugin is back within two seconds" wait_for 2 eval \
    '[ "$(book plugin:rows.state)" = running ] && [ "$(book plugin:rows.pid)" != "$before" ]'
wait $sender
check "everything sent has arrived" wait_for 10 all_arrived "$(sent "$DIR/sent" datagrams)"
check "the other plugin has read all" wait_for 10 plugin_idle table
"$PMACCT" -s -p "$DIR/table.socket" -O csv >"$DIR/table.csv"
is "the other plugin has every packet" "$(totals "$DIR/table.csv" | cut -d' ' -f1)" "$(book input.samples_flow)"
check "ends in time" daemon_end 10 INT
is "the status tells of the loss" "$STATUS" 2
check "the books balance" balanced "$LOG"
is "one restart" "$(final plugin:rows.watch.plugin_restarts)" 1
check "a loss by the crash is counted" [ "$(final plugin:rows.watch.records_lost_crash)" -gt 0 ]
is "decoded = written + lost with the crash + ring full" \
    "$(final plugin:rows.plugin.records_committed+plugin:rows.watch.records_lost_crash+plugin:rows.emit.records_dropped_ring_full)" \
    "$(final input.records_decoded)"
is "the file has what the ledger says" "$(totals "$ROWS" | cut -d' ' -f1)" "$(final plugin:rows.plugin.packets_committed)"
is "the other plugin was not restarted" "$(final plugin:table.watch.plugin_restarts)" 0
test_end
