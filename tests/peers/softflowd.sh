#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A real exporter: softflowd reads a capture of plain traffic, then watches an interface of our own, and exports NetFlow
# v5 and v9 and IPFIX to our nfacctd. tshark records what it sends; rows must be what tshark decodes, and for the
# capture also what the traffic is.
. "$(dirname "$0")/../lib/netflow.sh"
test_begin
[ "$(id -u)" = 0 ] || skip "needs root"
for tool in softflowd tshark ip; do
    command -v $tool >/dev/null || skip "needs $tool"
done
ip netns list >/dev/null 2>&1 || skip "needs network namespaces"
. "$(dirname "$0")/../lib/netflow_witness.sh"

# 40 flows, ten of them IPv6: 2000 packets in 20 s.
traffic_capture "$DIR/traffic.pcap" || skip "the traffic could not be made"

for version in 5 9 10; do
    live_configuration </dev/null
    check "v$version: the daemon starts" daemon_start "$DIR/conf"
    record_start
    timeout 30 softflowd -r "$DIR/traffic.pcap" -n "127.0.0.1:$PORT" -v $version -d -p "$DIR/softflowd.pid" -c none \
        >"$DIR/softflowd.log" 2>&1
    is "v$version: softflowd ends" $? 0
    sleep 1
    record_end
    read -r packets bytes <<END
$(witness_flows "$DIR/export.pcap" "$PORT")
END
    check "v$version: softflowd sent flows ($packets packets, $bytes bytes)" [ "$packets" -gt 1000 ]
    [ $version = 5 ] || is "v$version: they are the traffic" "$packets $bytes" "$(cat "$DIR/traffic.sums")"
    check "v$version: ends in time" daemon_end 10 INT
    is "v$version: packets and bytes are what tshark decodes" "$(totals "$ROWS")" "$packets $bytes"
    is "v$version: nothing is malformed or unknown" \
        "$(final input.datagrams_malformed+input.sets_malformed+input.sets_unknown)" 0
    # Its sequence numbers of IPFIX count the flows of the message itself, and no options records.
    [ $version = 10 ] || is "v$version: nothing is missing by its sequence numbers" \
        "$(final input.records_lost+input.datagrams_lost)" 0
    check "v$version: the books balance" balanced "$LOG"
    rm -f "$ROWS"
    : >"$LOG"
done

# Live: two namespaces and a pair of interfaces between them; softflowd watches one end.
space=flowledger$$
trap 'ip netns delete $space-a 2>/dev/null; ip netns delete $space-b 2>/dev/null; test_cleanup' EXIT
ip netns add $space-a && ip netns add $space-b &&
    ip link add eth0 netns $space-a type veth peer name eth0 netns $space-b || skip "no pair of interfaces can be had"
for host in a b; do
    ip -n $space-$host link set lo up
    ip -n $space-$host link set eth0 up
done
ip -n $space-a addr add 10.9.0.1/24 dev eth0
ip -n $space-b addr add 10.9.0.2/24 dev eth0
DAEMON_PREFIX="ip netns exec $space-a" RECORD_PREFIX="ip netns exec $space-a"
for version in 5 9 10; do
    live_configuration </dev/null
    check "live v$version: the daemon starts" daemon_start "$DIR/conf"
    record_start
    ip netns exec $space-a softflowd -i eth0 -n "127.0.0.1:$PORT" -v $version -d -p "$DIR/softflowd.pid" \
        -c "$DIR/softflowd.ctl" >"$DIR/softflowd.log" 2>&1 </dev/null &
    exporter=$!
    record_process $exporter
    wait_for 10 eval '[ -S "$DIR/softflowd.ctl" ]'
    timeout 20 ip netns exec $space-a python3 -c '
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("10.9.0.1", 40053))
for n in range(12000): # softflowd sees packets in blocks, so the last ones may not count
    s.sendto(bytes(900), ("10.9.0.2", 5300 + n % 3))
    if n % 20 == 0:
        time.sleep(0.003)'
    sleep 1
    timeout 10 softflowctl -c "$DIR/softflowd.ctl" expire-all >/dev/null 2>&1
    sleep 1
    timeout 10 softflowctl -c "$DIR/softflowd.ctl" shutdown >/dev/null 2>&1
    wait_for 10 gone $exporter || kill -KILL $exporter
    sleep 1
    record_end
    read -r packets bytes <<END
$(witness_flows "$DIR/export.pcap" "$PORT")
END
    check "live v$version: softflowd sent flows ($packets packets, $bytes bytes)" [ "$packets" -gt 100 ]
    check "live v$version: ends in time" daemon_end 10 INT
    is "live v$version: packets and bytes are what tshark decodes" "$(totals "$ROWS")" "$packets $bytes"
    check "live v$version: there is a row of the known flow" grep -q '^10.9.0.1,10.9.0.2,40053,5301,udp,' "$ROWS"
    is "live v$version: nothing is malformed or unknown" \
        "$(final input.datagrams_malformed+input.sets_malformed+input.sets_unknown)" 0
    check "live v$version: the books balance" balanced "$LOG"
    rm -f "$ROWS" "$DIR/softflowd.ctl"
    : >"$LOG"
done
test_end
