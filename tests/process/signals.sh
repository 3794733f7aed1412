#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# SIGINT and SIGTERM under load, to the daemon or to its whole group: what was sent is accounted or counted as lost. The
# signal comes right after the last datagram, when the socket's queue and the rings are full.
. "$(dirname "$0")/../lib/common.sh"
test_begin
generate=$(tool generate) || skip "needs a compiler"

# one ROUND SIGNAL WHOM
one()
{
    local round=$1 signal=$2 whom=$3 datagrams values received dropped flow failed committed
    local name="SIG$signal to the $whom"

    LOG=$DIR/log.$round
    live_configuration </dev/null
    if [ "$whom" = group ]; then
        rm -f "$CONTROL"
        setsid "$SFACCTD" -f "$DIR/conf" >"$LOG" 2>&1 </dev/null &
        DAEMON=$!
        record_process $DAEMON
        wait_for 10 book_answers
    else
        daemon_start "$DIR/conf"
    fi
    timeout 60 "$generate" --udp "127.0.0.1:$PORT" --samples 200000 --keys 20000 --seed "${round%.*}" 2>"$DIR/sent"
    [ "$whom" = group ] && kill "-$signal" -- "-$DAEMON"
    if [ "$whom" = group ]; then
        check "$name: ends in time" daemon_end 10
    else
        check "$name: ends in time" daemon_end 10 "$signal"
    fi
    datagrams=$(sent "$DIR/sent" datagrams)
    is "$name: sent = received + dropped by the kernel" "$(final input.datagrams_received+input.datagrams_kernel_dropped)" "$datagrams"
    check "$name: the books balance" balanced "$LOG"
    values=$(final input.samples_flow plugin:rows.emit.records_dropped_ring_full plugin:rows.plugin.packets_committed plugin:rows.plugin.records_failed)
    read -r flow dropped committed failed <<END
$(echo $values)
END
    is "$name: decoded = in the file + ring full" "$((committed + dropped + failed))" "$flow"
    is "$name: the file has what the ledger says" "$(totals "$ROWS" | cut -d' ' -f1)" "$committed"
    is "$name: the status tells whether records were lost" "$STATUS" "$([ "$dropped" = 0 ] && [ "$(final plugin:table.emit.records_dropped_ring_full)" = 0 ] && echo 0 || echo 2)"
    rm -f "$ROWS"
}

# ROUNDS=25 makes it a hundred stops.
for round in $(seq "${ROUNDS:-1}"); do
    one "$round.1" INT daemon
    one "$round.2" TERM daemon
    one "$round.3" INT group
    one "$round.4" TERM group
done

# In the middle of the stream: what comes after the signal is not ours, the rest is.
LOG=$DIR/log.middle
live_configuration </dev/null
daemon_start "$DIR/conf"
timeout 60 "$generate" --udp "127.0.0.1:$PORT" --samples 120000 --rate 30000 --keys 20000 2>"$DIR/sent" &
sender=$!
record_process $sender
wait_for 10 eval '[ "$(book input.samples_flow)" -gt 20000 ]'
check "in the middle of a stream: ends in time" daemon_end 10 TERM
check "in the middle of a stream: the books balance" balanced "$LOG"
is "in the middle of a stream: the file has what the ledger says" "$(totals "$ROWS" | cut -d' ' -f1)" "$(final plugin:rows.plugin.packets_committed)"
is "in the middle of a stream: nothing decoded is missing" "$(final plugin:rows.plugin.packets_committed+plugin:rows.emit.records_dropped_ring_full)" "$(final input.samples_flow)"
wait $sender
test_end
