#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What pmacctd captures, and from where: filter, snapshot length, promiscuous mode, lanes; directions, several devices
# by a map that is loaded again, all of them ("any"); devices that come later, go away, come back. Exact everywhere.
. "$(dirname "$0")/../lib/common.sh"
. "$(dirname "$0")/../lib/devices.sh"
missing=$(devices_missing) && skip "$missing"
test_begin
devices_start 2 >"$DIR/devices.log" 2>&1 || skip "no veth devices here: $(tail -1 "$DIR/devices.log")"

# `begin` for those that must not start
refused()
{
    local status

    name=$1 LOG=$DIR/log.$((test_number + 1))
    packet_configuration
    right timeout 20 "$SFACCTD" -f "$DIR/conf" >"$LOG" 2>&1 </dev/null
    status=$?
    check "$name: refused with a status" [ $status != 0 -a $status != 124 ]
    check "$name: and with these words: $2" grep -q -- "$2" "$LOG"
}

# -- what is captured --

choices()
{
    local sent

    begin "a filter" <<END
pcap_interface: right1
pcap_filter: host 10.0.0.7
END
    send_left --kind udp >/dev/null
    taken 10
    packets_end "$name"
    is "$name: only its frames came" "$(final input.frames_received)" 10
    is "$name: only its rows are there" "$(frames rows "$ROWS" | sed 1d | grep -c -v '10\.0\.0\.7,')" 0

    begin "short snapshots" <<END
pcap_interface: right1
snaplen: 96
promisc: false
END
    check "promiscuous mode is not asked for" device_is right1 "promiscuity 0"
    taken "$(send_left)"
    packets_end "$name"
    same_rows "$name: bytes are those of the packets"

    begin "two lanes" <<END
pcap_interface: right1
pmacctd_lanes: 2
END
    sent=$(send_left --conversations 500 --packets 20 --rate 20000)
    check "$name: all $sent frames are there, once" taken "$sent"
    packets_end "$name"
    same_rows "$name: every row is exact" --conversations 500 --packets 20
}

# -- directions and several devices --

# count_of PRIMITIVE VALUE: packets of the rows with it
count_of()
{
    awk -F, -v name="$1" -v value="$2" '
        FNR == 1 { for (i = 1; i <= NF; i++) place[$i] = i; next }
        $place[name] == value { sum += $place["PACKETS"] }
        END { print sum + 0 }' "$ROWS"
}

# counts_of PRIMITIVE VALUE PRIMITIVE VALUE...: one after another
counts_of()
{
    local numbers=""

    while [ $# -gt 0 ]; do
        numbers="$numbers $(count_of "$1" "$2")"
        shift 2
    done
    echo $numbers
}

directions()
{
    local number sent

    number=$(device_number right1)
    AGGREGATE="src_host, in_iface, out_iface"
    for way in in out; do
        begin "direction $way" <<END
pcap_interface: right1
pcap_direction: $way
pcap_ifindex: sys
END
        send_left --kind udp --conversations 10 >/dev/null
        right timeout 60 python3 "$TESTS/lib/frames.py" send right1 --kind udp --conversations 3 >/dev/null 2>&1
        sent=$([ $way = in ] && echo 100 || echo 30)
        check "$name: as many frames as went that way" taken "$sent"
        packets_end "$name"
        is "$name: none of the others" "$(final input.frames_received)" "$sent"
        is "$name: with the device's number" "$(count_of ${way^^}_IFACE "$number")" "$sent"
    done

}

several()
{
    local sent

    AGGREGATE="src_host, in_iface, out_iface"
    printf '%s\n' 'ifname=right1 ifindex=11 direction=in' 'ifname=right1 ifindex=11 direction=out' \
        'ifname=right2 ifindex=22 direction=in' >"$DIR/interfaces.map"
    begin "an interfaces map" <<END
pcap_interfaces_map: $DIR/interfaces.map
pcap_ifindex: map
END
    send_left --kind udp --conversations 10 >/dev/null
    DEVICE=left2 send_left --kind udp --conversations 20 >/dev/null
    right timeout 60 python3 "$TESTS/lib/frames.py" send right1 --kind udp --conversations 3 >/dev/null 2>&1
    right timeout 60 python3 "$TESTS/lib/frames.py" send right2 --kind udp --conversations 7 >/dev/null 2>&1
    check "$name: what it asks for is there" taken 330
    device_add 3
    printf '%s\n' 'ifname=right2 ifindex=22 direction=in' 'ifname=right3 ifindex=33 direction=in' >"$DIR/interfaces.map"
    kill -USR2 "$DAEMON"
    check "$name: a reload opens the new one" wait_for 5 grep -q "capturing from 'right3'" "$LOG"
    send_left --kind udp --conversations 10 >/dev/null
    DEVICE=left2 send_left --kind udp --conversations 1 >/dev/null
    DEVICE=left3 send_left --kind udp --conversations 40 >/dev/null
    check "$name: and closes the one that left it" taken 740
    echo 'ifname=right2 direction=sideways' >"$DIR/interfaces.map"
    kill -USR2 "$DAEMON"
    check "$name: a broken one is refused" wait_for 5 grep -q "interfaces.map:1: .*sideways" "$LOG"
    DEVICE=left3 send_left --kind udp --conversations 1 >/dev/null
    check "$name: and the old one stays" taken 750
    packets_end "$name"
    is "$name: numbers and directions" "$(counts_of IN_IFACE 11 OUT_IFACE 11 IN_IFACE 22 IN_IFACE 33)" "100 30 210 410"
    device_remove 3
    refused "an empty map" "interfaces.map" <<END
pcap_interfaces_map: $(: >"$DIR/interfaces.map")$DIR/interfaces.map
END

    AGGREGATE="src_host, dst_host, src_port, dst_port, proto, in_iface"
    begin "any" <<END
pcap_interface: any
END
    sent=$(($(send_left --conversations 50) + $(DEVICE=left2 send_left --first 50 --conversations 50)))
    check "$name: frames of all devices are there" taken "$sent"
    packets_end "$name"
    is "$name: with the number of each" \
        "$(counts_of IN_IFACE "$(device_number right1)" IN_IFACE "$(device_number right2)")" \
        "$((sent / 2)) $((sent / 2))"
    AGGREGATE="src_host, dst_host, src_port, dst_port, proto, vlan"
}

# -- devices that come and go --

come_and_go()
{
    local pid sent

    refused "no such device" "cannot capture from 'right4'" <<END
pcap_interface: right4
END
    refused "a broken filter" "the filter 'host and' does not fit" <<END
pcap_interface: right1
pcap_filter: host and
END
    begin "a device that comes later" <<END
pcap_interface: right4
pcap_interface_wait: true
END
    check "$name: it is waited for" wait_for 5 grep -q "right4.*waiting for it" "$LOG"
    device_add 4
    check "$name: it is opened" wait_for 5 grep -q "capturing from 'right4'" "$LOG"
    sent=$(DEVICE=left4 send_left)
    check "$name: its frames are there" taken "$sent"
    device_remove 4
    check "$name: it goes" wait_for 5 eval '[ $(grep -c "waiting for it" "$LOG") = 2 ]'
    sleep 1.5
    pid=$(book collector_pid)
    device_add 4
    check "$name: it comes back" wait_for 5 eval '[ $(grep -c "capturing from" "$LOG") = 2 ]'
    DEVICE=left4 send_left >/dev/null
    check "$name: frames of the new one are there" taken $((2 * sent))
    ip -n "$RIGHT" link set right4 down
    sleep 1
    ip -n "$RIGHT" link set right4 up
    DEVICE=left4 send_left >/dev/null
    check "$name: after it was down and up frames are there again" taken $((3 * sent))
    is "$name: no process was restarted for it" "$(book collector_pid)" "$pid"
    packets_end "$name"
    same_rows "$name: every row is exact" --rounds 3
    device_remove 4

    begin "a device that is waited for" <<END
pcap_interface: right4
pcap_interface_wait: true
END
    packets_end "$name and does not come"

    device_add 4
    begin "a device that goes, without pcap_interface_wait" <<END
pcap_interface: right4
END
    sent=$(DEVICE=left4 send_left)
    taken "$sent"
    device_remove 4
    check "$name: it is told" wait_for 5 grep -q "device 'right4'" "$LOG"
    sleep 1
    device_add 4
    check "$name: it is found again" wait_for 10 eval '[ $(grep -c "capturing from" "$LOG") = 2 ]'
    DEVICE=left4 send_left >/dev/null
    check "$name: frames of the new one are there" taken $((2 * sent))
    packets_end "$name"
    same_rows "$name: every row is exact" --rounds 2
    device_remove 4
}

choices
directions
several
come_and_go
test_end
