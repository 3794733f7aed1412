#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Clients of the memory plugin that connect and say nothing, or ask for the table and do not read it: others are served,
# nothing is dropped, and the daemon stops in time.
. "$(dirname "$0")/../lib/common.sh"
test_begin
generate=$(tool generate) || skip "needs a compiler"

live_configuration </dev/null
daemon_start "$DIR/conf"
timeout 60 "$generate" --udp "127.0.0.1:$PORT" --samples 100000 --rate 60000 --keys 50000 2>"$DIR/sent"
check "everything sent has arrived" wait_for 10 all_arrived "$(sent "$DIR/sent" datagrams)"
check "and is in the table" wait_for 10 plugin_idle table

python3 -c '
import socket, sys, time
silent = []
for i in range(20):
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.connect(sys.argv[1])
    silent.append(connection)
time.sleep(60)' "$DIR/table.socket" &
record_process $!
mkfifo "$DIR/pipe"
sleep 60 <>"$DIR/pipe" &
record_process $!
"$PMACCT" -s -p "$DIR/table.socket" -O csv >"$DIR/pipe" &
reader=$!
record_process $reader
sleep 0.5
check "the slow reader is still at it" eval '! gone $reader'
timeout 60 "$generate" --udp "127.0.0.1:$PORT" --samples 100000 --rate 60000 --keys 50000 2>"$DIR/sent.again"
check "the second half arrives meanwhile" wait_for 10 all_arrived "$(($(sent "$DIR/sent" datagrams) + $(sent "$DIR/sent.again" datagrams)))"
check "and is in the table" wait_for 10 plugin_idle table
is "nothing was dropped for it" "$(book plugin:table.emit.records_dropped_ring_full)" 0
check "another client is served within five seconds" timeout 5 "$PMACCT" -s -p "$DIR/table.socket" -O csv >"$DIR/table.csv"
is "and gets every packet" "$(totals "$DIR/table.csv" | cut -d' ' -f1)" "$(book input.samples_flow)"
check "ends in time" daemon_end 10 INT
check "the books balance" balanced "$LOG"
test_end
