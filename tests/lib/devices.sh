# SPDX-License-Identifier: BSD-2-Clause
# Devices for the tests of the packet daemons: two namespaces of our own, joined by veth pairs that carry nothing but
# what a test sends. To be sourced by bash after common.sh; needs root. Nothing outside the namespaces is touched.
#
#   devices_missing              prints what is not there and returns 0, or returns 1 when all is there
#   devices_start COUNT          pairs left1-right1 and on; sets $LEFT and $RIGHT, the namespaces; gone with the test
#   device_add N, device_remove N
#   left COMMAND..., right COMMAND...      in that namespace
#   frames ARGUMENTS...          lib/frames.py
#   send_left [OPTIONS]          frames from left1 (DEVICE=left2: from there) to right1; prints how many
#   load RATE                    UDP from left1 at so many frames a second, until load_end, which sets $SENT
#   packet_configuration <<END   a configuration that prints $AGGREGATE to $ROWS; what is given is added to it
#   packets_start                the daemon, in the right namespace
#   begin NAME <<END             both; sets $name, and $LOG to a file of its own
#   packets_end NAME             it stops well, and its books balance: three assertions
#   taken N                      waits until N frames were received or dropped by the kernel
#   packets_in_rows              of $ROWS, added up
#   same_rows NAME [OPTIONS]     one assertion: $ROWS are what frames.py expects
#   device_is NAME TEXT          `ip -d link` of a device in the right namespace shows it
#   device_number NAME           its number, by the kernel

SFACCTD=${PMACCTD:-$BUILD/pmacctd}
AGGREGATE="src_host, dst_host, src_port, dst_port, proto, vlan"
DEVICE=left1
COMMITTED=plugin:rows.plugin.records_committed
LOST=plugin:rows.watch.records_lost_collector+plugin:rows.watch.records_lost_crash # with a process that died

devices_missing()
{
    local tool missing=""

    [ "$(id -u)" = 0 ] || missing="root"
    for tool in ip python3; do
        command -v "$tool" >/dev/null || missing="$missing $tool"
    done
    [ -n "$missing" ] || ip netns list >/dev/null 2>&1 || missing="network namespaces"
    [ -n "$missing" ] && echo "needs: $missing"
}

devices_start()
{
    local space n quiet='for file in all default; do echo 1 >/proc/sys/net/ipv6/conf/$file/disable_ipv6; done'

    LEFT=flowledger$$-left RIGHT=flowledger$$-right
    trap 'test_cleanup; devices_stop' EXIT
    for space in "$LEFT" "$RIGHT"; do
        ip netns add "$space" || return 1
        ip netns exec "$space" sh -c "$quiet" 2>/dev/null # no word of the kernel's own: it would be counted, too
        ip -n "$space" link set lo up
    done
    for n in $(seq "$1"); do
        device_add "$n" || return 1
    done
}

devices_stop()
{
    [ "$BASHPID" = $$ ] || return 0
    ip netns delete "$LEFT" 2>/dev/null
    ip netns delete "$RIGHT" 2>/dev/null
}

device_add()
{
    ip link add "left$1" netns "$LEFT" type veth peer name "right$1" netns "$RIGHT" || return 1
    ip -n "$LEFT" link set "left$1" arp off up
    ip -n "$RIGHT" link set "right$1" arp off up
}

device_remove()
{
    ip -n "$RIGHT" link delete "right$1"
}

device_is()
{
    ip -n "$RIGHT" -d link show "$1" | grep -q "$2"
}

device_number()
{
    ip -n "$RIGHT" -o link show "$1" | cut -d: -f1
}

left()
{
    ip netns exec "$LEFT" "$@"
}

right()
{
    ip netns exec "$RIGHT" "$@"
}

frames()
{
    timeout 120 python3 "$TESTS/lib/frames.py" "$@"
}

send_left()
{
    left timeout 120 python3 "$TESTS/lib/frames.py" send "$DEVICE" "$@" 2>>"$DIR/send.log"
}

load()
{
    ip netns exec "$LEFT" timeout 60 python3 "$TESTS/lib/frames.py" send "$DEVICE" --kind udp --conversations 500 \
        --packets 20 --rounds 100 --rate "$1" >"$DIR/sent" 2>>"$DIR/send.log" &
    sender=$!
    record_process $sender
}

load_end()
{
    kill -TERM $sender
    wait $sender
    SENT=$(cat "$DIR/sent")
}

packet_configuration()
{
    ROWS=$DIR/rows.csv
    rm -f "$ROWS"
    cat >"$DIR/conf" <<END
daemonize: false
control_path: $CONTROL
plugins: print[rows]
aggregate[rows]: $AGGREGATE
print_output[rows]: csv
print_output_file[rows]: $ROWS
print_refresh_time[rows]: 3600
END
    cat >>"$DIR/conf"
}

packets_start()
{
    DAEMON_PREFIX="ip netns exec $RIGHT"
    daemon_start "$DIR/conf"
}

all_taken()
{
    book_is input.frames_received+input.frames_kernel_dropped "$1"
}

taken()
{
    wait_for 20 all_taken "$1"
}

packets_in_rows()
{
    frames sums "$ROWS" | cut -d' ' -f1
}

same_rows()
{
    local name=$1

    shift
    frames expect "$@" >"$DIR/expected.csv"
    frames rows "$ROWS" "$@" >"$DIR/got.csv"
    check "$name" cmp -s "$DIR/expected.csv" "$DIR/got.csv" ||
        diff "$DIR/expected.csv" "$DIR/got.csv" | head -10 | note
}

packets_end()
{
    check "$1: ends in time" daemon_end 10 TERM
    is "$1: with status 0" "$STATUS" 0
    check "$1: the books balance" balanced "$LOG"
}

begin()
{
    name=$1 LOG=$DIR/log.$((test_number + 1))
    packet_configuration
    check "$name: the daemon starts" packets_start
}
