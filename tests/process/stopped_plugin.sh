#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A plugin that hangs (SIGSTOP) hurts only itself: its ring fills and what does not fit is counted; the other plugin gets
# everything; when it goes on, it writes all that was in the ring.
. "$(dirname "$0")/../lib/common.sh"
test_begin
generate=$(tool generate) || skip "needs a compiler"

live_configuration <<END
plugin_pipe_size[rows]: 1048576
END
daemon_start "$DIR/conf"
hanging=$(book plugin:rows.pid)
record_process "$hanging"
kill -STOP "$hanging"
timeout 60 "$generate" --udp "127.0.0.1:$PORT" --samples 200000 --rate 60000 --keys 5000 2>"$DIR/sent"
check "everything sent has arrived" wait_for 10 all_arrived "$(sent "$DIR/sent" datagrams)"
check "the ring is full and that is counted" [ "$(book plugin:rows.emit.records_dropped_ring_full)" -gt 0 ]
check "the other plugin reads all" wait_for 10 plugin_idle table
is "the other plugin lost nothing" "$(book plugin:table.emit.records_dropped_ring_full)" 0
"$PMACCT" -s -p "$DIR/table.socket" -O csv >"$DIR/table.csv"
is "the other plugin has every packet" "$(totals "$DIR/table.csv" | cut -d' ' -f1)" "$(book input.samples_flow)"
kill -CONT "$hanging"
check "it reads on when it may" wait_for 10 plugin_idle rows
check "ends in time" daemon_end 10 INT
is "the status tells of the loss" "$STATUS" 2
check "the books balance" balanced "$LOG"
is "decoded = written + ring full" \
    "$(final plugin:rows.plugin.records_committed+plugin:rows.emit.records_dropped_ring_full)" "$(final input.records_decoded)"
is "the file has what the ledger says" "$(totals "$ROWS" | cut -d' ' -f1)" "$(final plugin:rows.plugin.packets_committed)"
test_end
