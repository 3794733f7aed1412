#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The edges of a start: a signal at any moment of it, the background, several things wrong at once, a system that gives no
# process, and the start that is only tried. Whatever happens, it ends, says why, and leaves nothing behind.
. "$(dirname "$0")/../lib/common.sh"
test_begin

live_configuration <<END
pidfile: $DIR/pid
END

left=0 late=0 wrong=0
for i in $(seq 40); do
    # Not under timeout(1): a signal that reaches it around its fork ends it alone, and the daemon stays. And not with our
    # trap: a signal that reaches the shell's child before it has become the daemon would be taken by the trap.
    : >"$LOG"
    trap - TERM
    "$SFACCTD" -f "$DIR/conf" >"$LOG" 2>&1 </dev/null &
    id=$!
    trap 'exit 1' TERM
    record_process $id
    sleep "0.0$(printf %02d $((i * 3 / 4)))"
    kill -TERM $id
    wait_for 8 gone $id || { late=$((late + 1)); kill -KILL $id; }
    wait $id
    status=$?
    # Without a word in the log it was signalled before its main() ran, and died of it.
    [ $status = 0 ] || ! grep -q . "$LOG" || wrong=$((wrong + 1))
    [ ! -e "$DIR/pid" ] && [ ! -e "$CONTROL" ] && [ ! -e "$DIR/table.socket" ] || left=$((left + 1))
    rm -f "$DIR/pid" "$CONTROL" "$DIR/table.socket"
done
is "SIGTERM while starting: ends in time" $late 0
is "SIGTERM while starting: leaves no pid file and no socket" $left 0
is "SIGTERM while starting: the status is 0 once it has said a word" $wrong 0

# Signals that the starter ignored or blocked are ours again: without SIGCHLD no end of a child would be seen.
python3 -c '
import os, signal, sys
for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
    signal.signal(number, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
os.execv(sys.argv[1], sys.argv[1:])' "$SFACCTD" -f "$DIR/conf" >"$LOG" 2>&1 </dev/null &
DAEMON=$!
record_process $DAEMON
check "signals ignored by the starter: it starts" wait_for 8 book_answers
check "signals ignored by the starter: ends in time" daemon_end 8 TERM
is "signals ignored by the starter: the status is 0" "$STATUS" 0

# Nobody but the starter holds its standard output, so a command substitution ends.
sed -i "s/^daemonize: .*/daemonize: true/" "$DIR/conf"
echo "logfile: $DIR/log" >>"$DIR/conf"
rm -f "$LOG"
timeout 10 bash -c 'out=$("$1" -f "$2" </dev/null 2>&1)' - "$SFACCTD" "$DIR/conf"
is "in the background: the starter is let go" $? 0
DAEMON=$(cat "$DIR/pid" 2>/dev/null)
record_process "$DAEMON"
check "in the background: it answers" book_answers
check "a second one with this pid file is refused" eval '! timeout 10 "$SFACCTD" -f "$DIR/conf" >"$DIR/refused" 2>&1 </dev/null'
check "and says so where it was started, though there is a log file" grep -q "held by a running daemon" "$DIR/refused"
kill -TERM "$DAEMON"
check "in the background: ends in time" wait_for 8 gone "$DAEMON"

live_configuration <<END
plugin_directory: $DIR/nothing
END
timeout 10 "$SFACCTD" -f "$DIR/conf" >"$DIR/refused" 2>&1 </dev/null
is "two plugins that cannot start: status 1" $? 1
is "two plugins that cannot start: both reasons are told" "$(grep -c 'could not start: cannot load the plugin' "$DIR/refused")" 2
is "what never ran was not started again" "$(grep -c plugin_restarts "$DIR/refused")" 0

sed -i -e /plugin_directory/d -e /^sfacctd_/d "$DIR/conf"
timeout 10 "$SFACCTD" -T setup -I "$TESTS/data/plain_ip.pcap" -f "$DIR/conf" >"$DIR/tried" 2>&1 </dev/null
is "-T setup ends with status 0" $? 0
check "-T setup takes no input" grep -q "ledger input: nothing" "$DIR/tried"
check "-T setup writes no file" [ ! -e "$ROWS" ]

if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null && command -v prlimit >/dev/null; then
    chmod 777 "$DIR"
    setpriv --reuid=61234 --clear-groups prlimit --nproc=0:0 "$SFACCTD" -f "$DIR/conf" -I "$TESTS/data/plain_ip.pcap" \
        >"$DIR/refused" 2>&1 </dev/null &
    DAEMON=$!
    record_process $DAEMON
    check "no process to be had: ends in time" daemon_end 5
    is "no process to be had: status 1" "$STATUS" 1
fi
test_end
