#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# kill -9 of the collector under load: it is back within two seconds, the plugins go on, and the books balance. At most the
# batch that it was about to take from the socket is missing from the count of what was received.
. "$(dirname "$0")/../lib/common.sh"
test_begin
generate=$(tool generate) || skip "needs a compiler"

live_configuration </dev/null
daemon_start "$DIR/conf"
plugins=$(book plugin:table.pid plugin:rows.pid)
timeout 60 "$generate" --udp "127.0.0.1:$PORT" --samples 100000 --rate 20000 --keys 5000 2>"$DIR/sent" &
sender=$!
record_process $sender
check "records arrive" wait_for 10 eval '[ "$(book input.records_decoded)" -gt 20000 ]'
before=$(book collector_pid)
at=$(book input.records_decoded)
kill -KILL "$before"
check "the collector is back within two seconds" wait_for 2 eval \
    '[ "$(book collector_pid)" != "$before" ] && [ "$(book input.records_decoded)" -gt '"$((at + 1000))"' ]'
wait $sender
wait_for 3 all_arrived "$(sent "$DIR/sent" datagrams)"
is "the plugins are the same processes" "$(book plugin:table.pid plugin:rows.pid)" "$plugins"
is "one restart" "$(book collector_restarts)" 1
check "ends in time" daemon_end 10 INT
missing=$(($(sent "$DIR/sent" datagrams) - $(final input.datagrams_received+input.datagrams_kernel_dropped)))
check "at most one batch of 64 datagrams is missing ($missing)" [ "$missing" -ge 0 -a "$missing" -le 64 ]
check "the books balance" balanced "$LOG"
is "the file has what the ledger says" "$(totals "$ROWS" | cut -d' ' -f1)" "$(final plugin:rows.plugin.packets_committed)"
is "decoded = written + counted losses" \
    "$(final plugin:rows.plugin.records_committed+plugin:rows.watch.records_lost_collector+plugin:rows.emit.records_dropped_ring_full)" \
    "$(final input.records_decoded)"
test_end
