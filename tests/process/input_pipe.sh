#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# nfacctd reads a capture from a pipe that goes quiet: what came before is accounted and shown at once, a stop is heard,
# and --decode does the same. A capture that is cut is no success.
. "$(dirname "$0")/../lib/common.sh"
test_begin
SFACCTD=$BUILD/nfacctd
CAPTURE=$TESTS/data/netflow_v5.pcap # a datagram with two records

cat >"$DIR/conf" <<END
daemonize: false
pcap_savefile: -
control_path: $CONTROL
plugins: print[rows]
aggregate[rows]: src_host
print_output[rows]: csv
print_output_file[rows]: $DIR/rows.csv
print_refresh_time[rows]: 1
END

# It is open for writing here, so its end never comes.
mkfifo "$DIR/pipe"
exec 7<>"$DIR/pipe"
"$SFACCTD" -f "$DIR/conf" >"$LOG" 2>&1 <"$DIR/pipe" &
DAEMON=$!
record_process $DAEMON
cat "$CAPTURE" >&7
check "records of a pipe that stays open are accounted" wait_for 10 book_is input.records_decoded 2
check "and given to the plugins" wait_for 10 book_is plugin:rows.plugin.records_read 2
check "a reload is heard while nothing comes" kill -USR2 $DAEMON
check "a stop is heard while nothing comes" daemon_end 3 TERM
is "it ends well" "$STATUS" 0
is "two rows were written" "$(totals "$DIR/rows.csv")" "20 2000"
check "the books balance" balanced "$LOG"

"$SFACCTD" --decode - >"$DIR/decoded" 2>"$DIR/books" <"$DIR/pipe" &
DAEMON=$!
record_process $DAEMON
cat "$CAPTURE" >&7
check "--decode shows the records of a pipe that stays open" wait_for 10 eval '[ "$(wc -l <"$DIR/decoded")" = 2 ]'
check "and hears a signal" daemon_end 3 TERM
is "with status 0" "$STATUS" 0
is "and the books of the run" "$(sed -n 's/^data_records_seen //p' "$DIR/books")" 2
exec 7>&-

head -c 150 "$CAPTURE" >"$DIR/cut"
"$SFACCTD" -I "$DIR/cut" -P print -c src_host >"$LOG" 2>&1 </dev/null
is "a capture that is cut ends with status 2" $? 2
check "and a phrase" grep -q "the capture is broken after frame 0" "$LOG"
gzip -c "$CAPTURE" | head -c 100 >"$DIR/cut.gz"
"$SFACCTD" -I "$DIR/cut.gz" -P print -c src_host >"$LOG" 2>&1 </dev/null
is "a compressed one, too" $? 2
"$SFACCTD" --decode "$CAPTURE" >/dev/full 2>/dev/null
is "--decode to a full disk fails" $? 1
test_end
