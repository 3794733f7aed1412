#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# uacctd and the kernel: netfilter rules in a namespace log known traffic to groups. The rules count packets and bytes by
# themselves, so the kernel is the witness, and Debian's uacctd beside it is another one, where it is installed.
BUILD=$(cd "${BUILD:-.}" && pwd)
SFACCTD=${UACCTD:-$BUILD/uacctd}
. "$(dirname "$0")/../lib/common.sh"
test_begin
[ "$(id -u)" = 0 ] || skip "needs root"
for tool in nft ip; do
    command -v $tool >/dev/null || skip "needs $tool"
done
ip netns list >/dev/null 2>&1 || skip "needs network namespaces"

space=flowledger$$
trap 'for host in a b c; do ip netns delete $space-$host 2>/dev/null; done; test_cleanup' EXIT
for host in a b c; do
    ip netns add $space-$host && ip -n $space-$host link set lo up || skip "no network namespaces can be had"
done
ip link add eth0 netns $space-a type veth peer name eth0 netns $space-b &&
    ip link add eth0 netns $space-c type veth peer name eth1 netns $space-b || skip "no pair of interfaces can be had"
ip -n $space-a link set eth0 up
ip -n $space-b link set eth0 up
ip -n $space-b link set eth1 up
ip -n $space-c link set eth0 up
ip -n $space-b addr add 10.9.1.2/24 dev eth1
ip -n $space-c addr add 10.9.1.3/24 dev eth0
ip -n $space-a addr add 10.9.0.1/24 dev eth0
ip -n $space-b addr add 10.9.0.2/24 dev eth0
ip -n $space-a addr add fd09::1/64 dev eth0 nodad
ip -n $space-b addr add fd09::2/64 dev eth0 nodad
ip -n $space-a route add default via 10.9.0.2
ip -n $space-c route add default via 10.9.1.2
printf 'table inet quiet {\n chain input {\n type filter hook input priority 0\n udp dport 5300-5302 drop\n }\n}\n' |
    ip netns exec $space-c nft -f - || skip "nft makes no rules" # no ICMP comes back
ip netns exec $space-b sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
DAEMON_PREFIX="ip netns exec $space-b"
mac_a=$(ip -n $space-a -br link show eth0 | awk '{ print $3 }')
mac_b=$(ip -n $space-b -br link show eth0 | awk '{ print $3 }')
number=$(ip -n $space-b -o link show eth0 | cut -d: -f1)

# rules INPUT [OUTPUT]: what is logged; each rule counts too
rules()
{
    ip netns exec $space-b nft -f - <<END
flush ruleset
table inet accounting {
    chain input {
        type filter hook input priority 0
        $1
    }
    chain output {
        type filter hook output priority 0
        ${2:-}
    }
}
END
}
rules "log group 5" 2>"$DIR/nft.log" || skip "the kernel or nft cannot log to a group"

# What the rules have counted: "packets bytes".
counted()
{
    ip netns exec $space-b nft list ruleset | awk '{ for (i = 1; i < NF; i++) {
        if ($i == "packets") packets += $(i + 1); if ($i == "bytes") bytes += $(i + 1) } }
        END { printf "%d %d\n", packets, bytes }'
}

# configuration WORD...: in $DIR/conf; more lines on standard input
configuration()
{
    ROWS=$DIR/rows.csv
    rm -f "$ROWS"
    : >"$LOG"
    cat >"$DIR/conf" <<END
daemonize: false
control_path: $CONTROL
plugins: print[rows]
aggregate[rows]: in_iface, out_iface, src_mac, dst_mac, src_host, dst_host, src_port, dst_port, proto
print_output[rows]: csv
print_output_file[rows]: $ROWS
print_refresh_time[rows]: 3600
END
    cat >>"$DIR/conf"
}

# send COUNT [HOST [PAUSE]]: datagrams of 500 bytes, as fast as it goes or with a pause after each, in seconds
send()
{
    timeout 60 ip netns exec $space-a python3 -c '
import socket, sys, time
host, pause = sys.argv[2], float(sys.argv[3])
s = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", 40053))
for n in range(int(sys.argv[1])):
    s.sendto(bytes(500), (host, 5300 + n % 3))
    if pause > 0:
        time.sleep(pause)' "$1" "${2:-10.9.0.2}" "${3:-0}"
}

# Both families, two directions, TCP, and datagrams that are larger than a packet.
mixed_traffic()
{
    send 900 10.9.0.2
    send 600 fd09::2
    timeout 60 ip netns exec $space-b python3 -c '
import socket
with socket.create_server(("10.9.0.2", 8080)) as server:
    print("ready", flush=True)
    one, _ = server.accept()
    while one.recv(65536):
        pass' >"$DIR/server" &
    record_process $!
    wait_for 10 grep -q ready "$DIR/server"
    timeout 60 ip netns exec $space-a python3 -c '
import socket
one = socket.create_connection(("10.9.0.2", 8080))
one.sendall(bytes(200000))
one.close()
big = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for n in range(20):
    big.sendto(bytes(4000), ("10.9.0.2", 5301))'
}

frames_arrived()
{
    book_is input.frames_received+input.frames_kernel_dropped "$1"
}

# -- known traffic, beside the peer --

log_all="meta l4proto { tcp, udp } counter log group 5; meta l4proto { tcp, udp } log group 6"
check "rules are made" rules "$log_all" "$log_all"
configuration <<'END'
uacctd_group: 5
uacctd_nl_size: 4194304
END
check "the daemon starts" daemon_start "$DIR/conf"
peer=""
if command -v /usr/sbin/uacctd >/dev/null && [ "$SFACCTD" != /usr/sbin/uacctd ]; then
    cat >"$DIR/peer.conf" <<END
daemonize: false
uacctd_group: 6
uacctd_nl_size: 4194304
plugin_pipe_size: 10240000
plugins: print
aggregate: src_host, dst_host, src_port, dst_port, proto
print_output: csv
print_output_file: $DIR/peer.csv
print_refresh_time: 3600
END
    ip netns exec $space-b /usr/sbin/uacctd -f "$DIR/peer.conf" >"$DIR/peer.log" 2>&1 </dev/null &
    peer=$!
    record_process $peer
    wait_for 10 ip netns exec $space-b grep -q '^ *6 ' /proc/net/netfilter/nfnetlink_log
    sleep 1
fi
mixed_traffic
read -r packets bytes <<END
$(counted)
END
check "the kernel has logged packets ($packets packets, $bytes bytes)" [ "$packets" -gt 1500 ]
check "all of them arrive" wait_for 10 frames_arrived "$packets"
is "none is dropped" "$(book input.frames_kernel_dropped)" 0
if [ -n "$peer" ]; then
    sleep 1
    kill -INT $peer
    wait_for 15 gone $peer
    is "packets and bytes are those of Debian's uacctd" "$(totals "$DIR/peer.csv")" "$packets $bytes"
fi
check "ends in time" daemon_end 10 INT
is "its status is 0" "$STATUS" 0
is "packets and bytes are the kernel's" "$(totals "$ROWS")" "$packets $bytes"
check "what came in has its device and its hardware addresses" \
    grep -qi "^$number,0,$mac_a,$mac_b,10.9.0.1,10.9.0.2,40053,5300,udp,300,158400$" <<END
$(awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next } { print $at["IN_IFACE"] "," $at["OUT_IFACE"] "," \
    $at["SRC_MAC"] "," $at["DST_MAC"] "," $at["SRC_IP"] "," $at["DST_IP"] "," $at["SRC_PORT"] "," $at["DST_PORT"] "," \
    $at["PROTOCOL"] "," $at["PACKETS"] "," $at["BYTES"] }' "$ROWS")
END
check "so has IPv6" grep -q "fd09::1,fd09::2,40053,5302,udp,200,109600$" "$ROWS"
check "what went out has only its device" grep -q ",10.9.0.2,10.9.0.1,8080," "$ROWS"
check "the books balance" balanced "$LOG"

# -- several packets in a message --

rules "udp dport 5300-5302 counter log group 5"
configuration <<'END'
uacctd_group: 5
uacctd_threshold: 50
uacctd_nl_size: 4194304
END
check "threshold: the daemon starts" daemon_start "$DIR/conf"
send 3020
check "threshold: what was collected comes by itself" wait_for 5 frames_arrived 3020
is "threshold: none is dropped" "$(book input.frames_kernel_dropped)" 0
send 7
check "threshold: ends in time" daemon_end 10 INT
is "threshold: at the stop the kernel hands over what it has collected" "$(totals "$ROWS" | cut -d' ' -f1)" 3027
check "threshold: the books balance" balanced "$LOG"

# -- the recipe of a router --

check "recipe: its rules are made" ip netns exec $space-b nft -f - <<END
flush ruleset
$(sed -n "s/^! *nft \(add.*\)/\1/p" "$TESTS/../conf/examples/uacctd-router.conf" | tr -d "'")
END
mkdir -p "$DIR/out"
sed "s|/tmp/flowledger|$DIR/out|" "$TESTS/../conf/examples/uacctd-router.conf" >"$DIR/conf"
echo "control_path: $CONTROL" >>"$DIR/conf"
: >"$LOG"
check "recipe: the daemon starts" daemon_start "$DIR/conf"
send 400 10.9.1.3
check "recipe: what is forwarded arrives" wait_for 10 frames_arrived 400
wait_for 5 plugin_idle hosts
is "recipe: the table in memory has it" \
    "$(ip netns exec $space-b "$PMACCT" -p "$DIR/out-hosts" -s -O csv | grep -v SRC_IP | cut -d, -f1-4)" \
    "10.9.0.1,10.9.1.3,400,211200"
check "recipe: ends in time" daemon_end 10 INT
other=$(ip -n $space-b -o link show eth1 | cut -d: -f1)
check "recipe: a forwarded packet has both devices" \
    sh -c "cat '$DIR'/out/router-*.csv | grep -q '^$number,$other,10.9.0.1,10.9.1.3,40053,530[012],udp,'"
check "recipe: the books balance" balanced "$LOG"

# -- the table netdev: whole frames, with their tags --

if ip netns exec $space-b nft -f - 2>/dev/null <<END
flush ruleset
table netdev accounting {
    chain ingress {
        type filter hook ingress device eth0 priority 0
        vlan id 5 counter log group 5
    }
    chain egress {
        type filter hook egress device eth0 priority 0
        udp sport 1111 counter log group 5
    }
}
END
then
    configuration <<'END'
uacctd_group: 5
aggregate[rows]: src_mac, dst_mac, vlan, cos, src_host, dst_host, src_port, dst_port, proto
END
    sed -i '0,/^aggregate/{/^aggregate/d}' "$DIR/conf"
    check "netdev: the daemon starts" daemon_start "$DIR/conf"
    timeout 20 ip netns exec $space-a python3 -c '
import socket
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("eth0", 0))
packet = bytes.fromhex("4500001c000100004011000001020304050607080035003600080000") # 1.2.3.4 to 5.6.7.8, 28 bytes
for n in range(10):
    s.send(bytes.fromhex("020000000002 020000000001 8100 6005 0800") + packet + bytes(18)) # priority 3, VLAN 5'
    timeout 20 ip netns exec $space-b python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", 1111))
for n in range(20):
    s.sendto(bytes(72), ("10.9.0.1", 9))'
    check "netdev: all arrive" wait_for 10 frames_arrived 30
    check "netdev: ends in time" daemon_end 10 INT
    columns='NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
        { print $at["VLAN"], $at["COS"], $at["SRC_MAC"], $at["SRC_IP"], \
        $at["SRC_PORT"], $at["PACKETS"], $at["BYTES"] }'
    awk -F, "$columns" "$ROWS" >"$DIR/netdev"
    check "netdev: what comes in has its tag" grep -q "^5 3 02:00:00:00:00:01 1.2.3.4 53 10 280$" "$DIR/netdev"
    check "netdev: what goes out has its hardware address" grep -qi "^0 0 $mac_b 10.9.0.2 1111 20 2000$" "$DIR/netdev"
    check "netdev: the books balance" balanced "$LOG"
fi

# -- overflow --

for threshold in 1 16; do
    rules "udp dport 5300-5302 counter log group 5"
    configuration <<END
uacctd_group: 5
uacctd_threshold: $threshold
uacctd_nl_size: 16384
END
    check "overflow, threshold $threshold: the daemon starts" daemon_start "$DIR/conf"
    collector=$(book collector_pid)
    kill -STOP "$collector"
    send 30000
    kill -CONT "$collector"
    sleep 0.5
    send 100 10.9.0.2 0.002 # numbers that tell what is missing before them
    check "overflow, threshold $threshold: received + dropped is sent" wait_for 10 frames_arrived 30100
    dropped=$(book input.frames_kernel_dropped)
    check "overflow, threshold $threshold: many were dropped ($dropped)" [ "$dropped" -gt 10000 ]
    check "overflow, threshold $threshold: it is counted as such" [ "$(book input.frames_overflows)" -ge 1 ]
    check "overflow, threshold $threshold: the log says so" grep -q "NFLOG group 5: the receive buffer ran over" "$LOG"
    # The last ones before the stop: nothing comes after them that could tell.
    kill -STOP "$collector"
    send 30000
    kill -INT "$DAEMON"
    kill -CONT "$collector"
    check "overflow, threshold $threshold: ends in time" daemon_end 10
    is "overflow, threshold $threshold: at the stop received + dropped is sent" \
        "$(final input.frames_received+input.frames_kernel_dropped)" "$(counted | cut -d' ' -f1)"
    is "overflow, threshold $threshold: the rows are what was received" "$(totals "$ROWS" | cut -d' ' -f1)" \
        "$(final input.frames_received)"
    check "overflow, threshold $threshold: the books balance" balanced "$LOG"
done

# -- kill -9 of the collector: the group is free again at once --

rules "udp dport 5300-5302 counter log group 5"
configuration <<'END'
uacctd_group: 5
END
check "kill: the daemon starts" daemon_start "$DIR/conf"
before=$(book collector_pid)
kill -KILL "$before"
check "kill: the collector is back within two seconds" wait_for 2 eval \
    '[ "$(book collector_pid)" != "$before" ] && ip netns exec $space-b grep -q "^ *5 " /proc/net/netfilter/nfnetlink_log'
sleep 0.5
send 50
check "kill: and takes what comes" wait_for 5 frames_arrived 50

# -- a group that is taken, no rights --

second=$(sed "s|$CONTROL|$DIR/second|" "$DIR/conf")
echo "$second" >"$DIR/second.conf"
$DAEMON_PREFIX timeout 20 "$SFACCTD" -f "$DIR/second.conf" >"$DIR/second.log" 2>&1 </dev/null
is "a second listener is refused" $? 1
check "with the name of the first" grep -q "NFLOG group 5 is taken by another program (process [0-9]*, '" "$DIR/second.log"
check "ends in time" daemon_end 10 INT
if command -v setpriv >/dev/null; then
    chmod 777 "$DIR"
    $DAEMON_PREFIX setpriv --reuid 65534 --clear-groups timeout 20 "$SFACCTD" -f "$DIR/second.conf" \
        >"$DIR/second.log" 2>&1 </dev/null
    is "without rights the start fails" $? 1
    check "and says which are missing" grep -q "CAP_NET_ADMIN" "$DIR/second.log"
fi

# -- no rule --

configuration <<'END'
uacctd_group: 77
END
check "no rule: the daemon starts" daemon_start "$DIR/conf"
check "no rule: after ten seconds the log names one" wait_for 14 grep -q "nft add rule .* log group 77" "$LOG"
check "no rule: ends in time" daemon_end 10 TERM
test_end
