#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Starts, answers, stops; refuses what cannot work before it says that it is up.
. "$(dirname "$0")/../lib/common.sh"
test_begin

live_configuration <<END
pidfile: $DIR/pid
END
check "starts and answers on its control socket" daemon_start "$DIR/conf"
is "the pid file names it" "$(cat "$DIR/pid" 2>/dev/null)" "$DAEMON"
is "nothing received yet" "$(book input.datagrams_received)" 0
check "the books balance from the first moment" balanced "$CONTROL"
is "both plugins run" "$(book plugin:table.state plugin:rows.state | tr '\n' ' ')" "running running "
check "the client gets an empty table" "$PMACCT" -s -p "$DIR/table.socket" -O csv >/dev/null
plugins=$(book plugin:table.pid plugin:rows.pid)
check "ends within five seconds of SIGTERM" daemon_end 5 TERM
is "its status is 0" "$STATUS" 0
for id in $plugins; do
    check "plugin $id is gone too" gone "$id"
done
check "the sockets are gone" [ ! -e "$CONTROL" -a ! -e "$DIR/table.socket" ]
check "the pid file is gone" [ ! -e "$DIR/pid" ]
check "the last lines of the log are the ledger" eval 'tail -2 "$LOG" | grep -q "ledger: the books balance"'

echo "no_such_key: 1" >>"$DIR/conf"
timeout 10 "$SFACCTD" -f "$DIR/conf" >"$DIR/refused" 2>&1 </dev/null
is "an unknown key ends the start with status 1" $? 1
check "and is told with file and line" grep -q "conf:$(grep -c '' "$DIR/conf")" "$DIR/refused"

live_configuration <<END
plugin_directory: $DIR/nothing
END
timeout 10 "$SFACCTD" -f "$DIR/conf" >"$DIR/refused" 2>&1 </dev/null
is "a missing plugin ends the start with status 1" $? 1
sed -i -e /plugin_directory/d -e 's/^sfacctd_ip: .*/sfacctd_ip: 192.0.2.77/' "$DIR/conf"
timeout 10 "$SFACCTD" -f "$DIR/conf" >"$DIR/refused" 2>&1 </dev/null
is "an address of another host ends the start with status 1" $? 1
test_end
