#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# kill -9 of a plugin that has read the END of a file and is delivering: its successor finds an empty ring, where no END
# will come any more. The daemon ends all the same and counts what was in the plugin's hands.
. "$(dirname "$0")/../lib/common.sh"
test_begin

printf '#!/bin/sh\necho $$ >%s/delivered\nexec sleep 3\n' "$DIR" >"$DIR/trigger"
chmod 755 "$DIR/trigger"
cat >"$DIR/conf" <<END
plugins: print[rows]
aggregate[rows]: src_host
print_output[rows]: csv
print_output_file[rows]: $DIR/rows.csv
print_trigger_exec[rows]: $DIR/trigger
pcap_savefile: $TESTS/data/plain_ip.pcap
END
"$SFACCTD" -f "$DIR/conf" >"$LOG" 2>&1 </dev/null &
DAEMON=$!
record_process $DAEMON
check "the plugin delivers" wait_for 5 test -s "$DIR/delivered"
plugin=$(cat "/proc/$DAEMON/task/$DAEMON/children" 2>/dev/null | tr -d ' ')
check "it is the only process left of the daemon" eval '[ -n "$plugin" ] && kill -KILL "$plugin"'
check "the daemon ends" daemon_end 5
is "its status tells of the loss" "$STATUS" 2
check "the books balance" balanced "$LOG"
is "one restart" "$(final plugin:rows.watch.plugin_restarts)" 1
kill "$(cat "$DIR/delivered")" 2>/dev/null # the trigger, which nobody waits for any more
test_end
