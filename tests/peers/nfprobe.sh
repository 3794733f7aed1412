#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The nfprobe plugin of an installed pmacctd as exporter: it reads a capture of plain traffic and sends NetFlow v5, v9
# and IPFIX to our nfacctd; tshark records the same datagrams. Packets and bytes must be what tshark decodes.
. "$(dirname "$0")/../lib/netflow.sh"
. "$(dirname "$0")/../lib/netflow_witness.sh"
test_begin
[ "$(id -u)" = 0 ] || skip "needs root"
probe=/usr/sbin/pmacctd
[ -x $probe ] || skip "needs pmacct's $probe"
command -v tshark >/dev/null || skip "needs tshark"

traffic_capture "$DIR/traffic.pcap" || skip "the traffic could not be made"
for version in 5 9 10; do
    live_configuration </dev/null
    check "v$version: the daemon starts" daemon_start "$DIR/conf"
    record_start
    cat >"$DIR/probe.conf" <<END
daemonize: false
pcap_savefile: $DIR/traffic.pcap
pcap_savefile_wait: true
plugins: nfprobe[probe]
aggregate[probe]: src_host, dst_host, src_port, dst_port, proto, tos
nfprobe_receiver: 127.0.0.1:$PORT
nfprobe_version: $version
nfprobe_timeouts: tcp=2:udp=2:general=2:expint=1:maxlife=5
END
    setsid $probe -f "$DIR/probe.conf" >"$DIR/probe.log" 2>&1 </dev/null &
    exporter=$!
    record_process $exporter
    wait_for 20 eval '[ "$(book input.records_decoded)" -ge 30 ]'
    sleep 2
    kill -INT $exporter
    wait_for 10 gone $exporter || kill -KILL -- -$exporter
    sleep 1
    record_end
    read -r packets bytes <<END
$(witness_flows "$DIR/export.pcap" "$PORT")
END
    check "v$version: the probe sent flows ($packets packets, $bytes bytes)" [ "$packets" -ge 1000 ]
    check "v$version: ends in time" daemon_end 10 INT
    is "v$version: packets and bytes are what tshark decodes" "$(totals "$ROWS")" "$packets $bytes"
    is "v$version: rows of IPv4 flows" "$(grep -c '^10.0.0' "$ROWS")" 30
    [ $version = 5 ] || is "v$version: rows of IPv6 flows" "$(grep -c '^2001:db8::' "$ROWS")" 10
    is "v$version: nothing is malformed or unknown" \
        "$(final input.datagrams_malformed+input.sets_malformed+input.sets_unknown)" 0
    check "v$version: the books balance" balanced "$LOG"
    rm -f "$ROWS"
    : >"$LOG"
done
test_end
