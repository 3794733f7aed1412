#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# table_memory_limit: the table stays within it, what has no row of its own goes to the row "others", totals are exact.
. "$(dirname "$0")/../lib/common.sh"
test_begin
generate=$(tool generate) || skip "needs a compiler"

limit=2097152
"$generate" --out "$DIR/input.pcap" --samples 300000 --keys 100000 --expect "$DIR/expected.csv" 2>/dev/null
cat >"$DIR/conf" <<END
daemonize: false
pcap_savefile: $DIR/input.pcap
pcap_savefile_wait: true
control_path: $CONTROL
plugins: memory[table], print[rows]
aggregate[table]: src_host, dst_host, src_port, dst_port, proto
imt_path[table]: $DIR/table.socket
aggregate[rows]: src_host, dst_host, src_port, dst_port, proto
print_output[rows]: csv
print_output_file[rows]: $DIR/rows.csv
print_refresh_time[rows]: 3600
table_memory_limit: $limit
END
check "starts" daemon_start "$DIR/conf"
check "the whole file is read" wait_for 30 book_is input.samples_flow 300000
check "by the memory plugin" wait_for 30 plugin_idle table
check "by the print plugin" wait_for 30 plugin_idle rows
for name in table rows; do
    check "$name: within its memory" [ "$(book plugin:$name.plugin.table_bytes)" -le $limit ]
    check "$name: records were merged" [ "$(book plugin:$name.plugin.records_merged)" -gt 0 ]
    check "$name: it still has rows of its own" [ "$(book plugin:$name.plugin.rows_in_table)" -gt 1000 ]
done
"$PMACCT" -s -p "$DIR/table.socket" -O csv >"$DIR/table.csv"
is "packets and bytes of the memory plugin are exact" "$(totals "$DIR/table.csv")" "$(totals "$DIR/expected.csv")"
check "ends in time" daemon_end 10 INT
is "packets and bytes of the file are exact" "$(totals "$DIR/rows.csv")" "$(totals "$DIR/expected.csv")"
is "nothing is lost by it" "$STATUS" 0
check "the books balance" balanced "$LOG"
test_end
