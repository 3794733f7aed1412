#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# pmacctd on a device is stopped right behind the last frame, by either signal, alone or with its group: each frame is
# in the rows, or counted by the name of its loss. And under load: the rows have what was taken. Needs root.
. "$(dirname "$0")/../lib/common.sh"
. "$(dirname "$0")/../lib/devices.sh"
missing=$(devices_missing) && skip "$missing"
test_begin
devices_start 1 >"$DIR/devices.log" 2>&1 || skip "no veth devices here"

# one NAME SIGNAL WHOM
one()
{
    local sent accounted

    LOG=$DIR/log.$((test_number + 1)) name=$1
    packet_configuration <<END
pcap_interface: right1
END
    if [ "$3" = group ]; then
        rm -f "$CONTROL"
        setsid ip netns exec "$RIGHT" "$SFACCTD" -f "$DIR/conf" >"$LOG" 2>&1 </dev/null &
        DAEMON=$!
        record_process $DAEMON
        wait_for 10 book_answers
    else
        packets_start
    fi
    sent=$(send_left --rounds 30)
    [ "$3" != group ] || kill "-$2" -- "-$DAEMON"
    check "$name: ends in time" daemon_end 10 $([ "$3" = group ] || echo "$2")
    check "$name: the books balance" balanced "$LOG"
    is "$name: sent = received + dropped by the kernel" \
        "$(final input.frames_received+input.frames_kernel_dropped)" "$sent"
    accounted=$(($(final input.frames_accounted) - $(final plugin:rows.emit.records_dropped_ring_full)))
    is "$name: the rows have what was received" "$(packets_in_rows)" "$accounted"
    if [ "$accounted" = "$sent" ]; then
        is "$name: the status is 0" "$STATUS" 0
        same_rows "$name: every row is exact" --rounds 30
    fi
}

for round in $(seq "${ROUNDS:-1}"); do
    one "SIGTERM" TERM daemon
    one "SIGINT" INT daemon
    one "SIGTERM to the group" TERM group
    one "SIGINT to the group" INT group
done

LOG=$DIR/log.load
packet_configuration <<END
pcap_interface: right1
END
packets_start
load 20000
wait_for 10 eval '[ "$(book input.frames_received)" -gt 10000 ]'
check "under load: ends in time" daemon_end 10 TERM
load_end
check "under load: the books balance" balanced "$LOG"
is "under load: the rows have what was received" "$(packets_in_rows)" \
    "$(($(final input.frames_accounted) - $(final plugin:rows.emit.records_dropped_ring_full)))"
test_end
