#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A capture file read to its end: the daemon ends by itself with status 0 and the rows are exact, twenty times in a row; also
# while a refresh falls into it, with several plugins and with short rings.
. "$(dirname "$0")/../lib/common.sh"
test_begin
generate=$(tool generate) || skip "needs a compiler"
compare=$(tool compare_rows) || skip "needs a compiler"

"$generate" --out "$DIR/input.pcap" --samples 50000 --keys 3000 --ipv6 30 --counter-every 20 --expect "$DIR/expected.csv" 2>/dev/null
for round in $(seq 20); do
    rm -f "$DIR"/rows.csv "$DIR"/again.csv
    cat >"$DIR/conf" <<END
daemonize: false
pcap_savefile: $DIR/input.pcap
plugins: print[rows], print[again]
aggregate: src_host, dst_host, src_port, dst_port, proto
print_output: csv
print_output_file[rows]: $DIR/rows.csv
print_output_file[again]: $DIR/again.csv
print_refresh_time[rows]: 3600
print_refresh_time[again]: 1
print_output_file_append[again]: true
plugin_pipe_size[again]: 262144
END
    timeout 30 "$SFACCTD" -f "$DIR/conf" >"$LOG" 2>&1 </dev/null
    status=$?
    check "run $round" eval '[ $status = 0 ] && "$compare" "$DIR/expected.csv" "$DIR/rows.csv" >"$DIR/result" &&
        "$compare" --sum "$DIR/expected.csv" "$DIR/again.csv" >"$DIR/result" && balanced "$LOG"' || {
        echo "# status $status"
        note <"$DIR/result"
    }
done
test_end
