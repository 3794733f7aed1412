#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# pmacctd reads a capture: once, several times, late, from a pipe, compressed, cut; it stays up where it was told to,
# and a stop in the middle accounts what was read and nothing else.
. "$(dirname "$0")/../lib/common.sh"
. "$(dirname "$0")/../lib/devices.sh" # its configuration and rows; no device is made
test_begin
DAEMON_PREFIX=""
frames write "$DIR/input.pcap" --orphans
frames write "$DIR/large.pcap" --kind udp --conversations 1000 --packets 50
count=$(($(frames expect --orphans | awk -F, 'NR > 1 { sum += $7 } END { print sum }')))

# run NAME STATUS: reads to the end of the file
run()
{
    name=$1 LOG=$DIR/log.$((test_number + 1))
    packet_configuration
    timeout 60 "$SFACCTD" -f "$DIR/conf" >"$LOG" 2>&1
    is "$name: ends by itself with status $2" $? "$2"
    check "$name: the books balance" balanced "$LOG"
}

run "a file" 0 <<END
pcap_savefile: $DIR/input.pcap
END
is "$name: all frames were read" "$(final input.frames_received)" "$count"
is "$name: each is a record" "$(final input.frames_accounted)" "$count"
same_rows "$name: every row is exact" --orphans

run "three times" 0 <<END
pcap_savefile: $DIR/input.pcap
pcap_savefile_replay: 3
END
same_rows "$name: every row three times" --orphans --rounds 3

gzip -c "$DIR/input.pcap" >"$DIR/input.pcap.gz"
run "a compressed file" 0 <<END
pcap_savefile: $DIR/input.pcap.gz
END
same_rows "$name: every row is exact" --orphans

# The command line, and standard input.
ROWS=$DIR/piped.csv
timeout 60 "$SFACCTD" -I - -P print -c "${AGGREGATE// /}" -O csv <"$DIR/input.pcap" >"$ROWS" 2>"$LOG"
is "standard input: ends with status 0" $? 0
same_rows "standard input: every row is exact" --orphans

run "a filter" 0 <<END
pcap_savefile: $DIR/input.pcap
pcap_filter: host 10.0.0.4
END
frames expect | awk -F, '/10\.0\.0\.4,/ { packets += $7; bytes += $8 } END { print packets, bytes }' >"$DIR/wanted"
is "$name: just what it lets through" "$(frames sums "$ROWS")" "$(cat "$DIR/wanted")"

AGGREGATE="$AGGREGATE, flows" run "flows" 0 <<END
pcap_savefile: $DIR/input.pcap
END
same_rows "$name: the key is the same" --orphans
is "$name: each direction of a conversation is one" \
    "$(awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) place[$i] = i; next } { print $place["FLOWS"] }' "$ROWS" |
        sort -u)" 1
is "$name: the table held them" "$(final input.flows_evicted)" 0

begun=$(date +%s%N)
run "two seconds of delay" 0 <<END
pcap_savefile: $DIR/input.pcap
pcap_savefile_delay: 2
END
check "$name: passed" [ $((($(date +%s%N) - begun) / 1000000)) -ge 2000 ]
same_rows "$name: every row is exact" --orphans

# -- broken files --

head -c 20000 "$DIR/input.pcap" >"$DIR/cut.pcap"
run "a file that was cut" 2 <<END
pcap_savefile: $DIR/cut.pcap
END
check "$name: is told" grep -q "the capture is broken after frame" "$LOG"
is "$name: what came before is in the rows" "$(packets_in_rows)" "$(final input.frames_accounted)"
echo "no capture" >"$DIR/text.pcap"
packet_configuration <<END
pcap_savefile: $DIR/text.pcap
END
timeout 20 "$SFACCTD" -f "$DIR/conf" >"$LOG" 2>&1 </dev/null
status=$?
check "no capture at all: refused with status $status" [ $status != 0 -a $status != 124 ]
check "and told" grep -q "text.pcap" "$LOG"

# -- staying up, stopping --

LOG=$DIR/log.wait
packet_configuration <<END
pcap_savefile: $DIR/input.pcap
pcap_savefile_wait: true
END
check "pcap_savefile_wait: starts" daemon_start "$DIR/conf"
check "it reads all" wait_for 10 book_is input.frames_received "$count"
sleep 1
check "it stays up afterwards" book_answers
check "the orphans went on at the end of the file, not at the stop" wait_for 5 book_is input.frames_waiting 0
packets_end "pcap_savefile_wait"
same_rows "pcap_savefile_wait: every row is exact" --orphans

for signal in TERM INT; do
    LOG=$DIR/log.$signal
    packet_configuration <<END
pcap_savefile: $DIR/large.pcap
pcap_savefile_replay: 0
END
    daemon_start "$DIR/conf"
    check "SIG$signal: reading without end" wait_for 10 eval '[ "$(book input.frames_received)" -gt 100000 ]'
    check "SIG$signal: ends in time" daemon_end 5 $signal
    is "SIG$signal: with status 0" "$STATUS" 0
    check "SIG$signal: the books balance" balanced "$LOG"
    is "SIG$signal: the rows have what was read" "$(packets_in_rows)" "$(final input.frames_received)"
done

# -- a pipe that goes quiet in the middle --

LOG=$DIR/log.pipe
packet_configuration <<END
pcap_savefile: -
END
sed -i 's/print_refresh_time.*/print_refresh_time[rows]: 1/' "$DIR/conf"
mkfifo "$DIR/pipe"
exec 7<>"$DIR/pipe"
rm -f "$CONTROL"
"$SFACCTD" -f "$DIR/conf" >"$LOG" 2>&1 <"$DIR/pipe" &
DAEMON=$!
record_process $DAEMON
frames write "$DIR/small.pcap" --kind udp --conversations 5
cat "$DIR/small.pcap" >&7
check "a pipe that stays open: its frames are taken" wait_for 10 book_is input.frames_accounted 50
check "and are in the file before it ends" wait_for 10 eval '[ "$(frames sums "$ROWS" 2>/dev/null)" = "50 2500" ]'
check "a stop is heard" daemon_end 3 TERM
is "with status 0" "$STATUS" 0
check "the books balance" balanced "$LOG"
exec 7>&-

# -- kill -9 of the collector: the file is read again from its beginning, and the books say what was lost --

LOG=$DIR/log.kill
packet_configuration <<END
pcap_savefile: $DIR/large.pcap
pcap_savefile_replay: 0
END
daemon_start "$DIR/conf"
check "kill -9: reading" wait_for 10 eval '[ "$(book input.frames_received)" -gt 100000 ]'
before=$(book collector_pid)
kill -KILL "$before"
check "kill -9: another collector within two seconds" wait_for 2 eval \
    '[ "$(book collector_pid)" != "$before" ] && [ "$(book collector_restarts)" = 1 ]'
check "kill -9: ends in time" daemon_end 5 TERM
check "kill -9: the books balance" balanced "$LOG"
is "kill -9: the rows have what the ledger says" "$(packets_in_rows)" \
    "$(final plugin:rows.plugin.packets_committed)"
is "kill -9: received = in the rows + counted as lost" \
    "$(final "$COMMITTED+$LOST+input.frames_lost_crash")" \
    "$(final input.frames_received)"
test_end
