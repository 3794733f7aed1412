#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The sfprobe plugin of an installed pmacctd as exporter: it reads a capture of plain traffic and sends sFlow to our sfacctd;
# tshark records the same datagrams. Packets and bytes must be what tshark decodes.
. "$(dirname "$0")/../lib/common.sh"
test_begin
[ "$(id -u)" = 0 ] || skip "needs root"
probe=/usr/sbin/pmacctd
[ -x $probe ] || skip "needs pmacct's $probe"
command -v tshark >/dev/null || skip "needs tshark"

python3 - "$TESTS/data" "$DIR/traffic.pcap" <<'END'
import struct, sys
sys.path.insert(0, sys.argv[1])
from make_sflow import ethernet, ipv4, ipv6, tcp, udp
with open(sys.argv[2], "wb") as file:
    file.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
    for n in range(2000):
        k = n % 40
        if k % 4 == 0:
            frame = ethernet(ipv6(f"2001:db8::{k + 1:x}", "2001:db8::ffff", 17, udp(1000 + k, 53, bytes(20 + n % 300))), 0x86dd)
        elif k % 2:
            frame = ethernet(ipv4(f"10.0.0.{k + 1}", "10.0.1.1", 6, tcp(2000 + k, 80, 0x18, bytes(n % 700))), 0x0800)
        else:
            frame = ethernet(ipv4(f"10.0.0.{k + 1}", "10.0.1.1", 17, udp(2000 + k, 5000, bytes(n % 700))), 0x0800)
        file.write(struct.pack("<IIII", 1767225600 + n // 100, n % 100 * 10000, len(frame), len(frame)) + frame)
END
live_configuration </dev/null
check "the daemon starts" daemon_start "$DIR/conf"
timeout 120 tshark -q -i lo -f "udp port $PORT" -F pcap -w "$DIR/export.pcap" >"$DIR/tshark.log" 2>&1 &
recorder=$!
record_process $recorder
wait_for 20 eval '[ -s "$DIR/export.pcap" ]' || note <"$DIR/tshark.log"
sleep 1
cat >"$DIR/probe.conf" <<END
daemonize: false
pcap_savefile: $DIR/traffic.pcap
pcap_savefile_wait: true
plugins: sfprobe[probe]
sfprobe_receiver: 127.0.0.1:$PORT
sfprobe_agentip: 192.0.2.7
END
setsid $probe -f "$DIR/probe.conf" >"$DIR/probe.log" 2>&1 </dev/null &
exporter=$!
record_process $exporter
wait_for 20 eval '[ "$(book input.samples_flow)" -ge 1900 ]'
sleep 1
kill -INT $exporter
wait_for 10 gone $exporter || kill -KILL -- -$exporter
sleep 1
kill -INT $(pgrep -P $recorder) $recorder 2>/dev/null
wait_for 10 gone $recorder
read -r samples bytes <<END
$(witness_sums "$DIR/export.pcap" "$PORT")
END
check "the probe sent most of its traffic ($samples samples)" [ "$samples" -ge 1900 ]
is "flow samples are what tshark counts" "$(book input.samples_flow)" "$samples"
check "ends in time" daemon_end 10 INT
is "packets and bytes are what tshark decodes" "$(totals "$ROWS")" "$samples $bytes"
is "there is a row for each of the forty flows" "$(grep -c '^2001:db8::\|^10.0.0' "$ROWS")" 40
is "nothing is malformed" "$(final input.datagrams_malformed+input.samples_malformed+input.structures_malformed)" 0
check "the books balance" balanced "$LOG"
test_end
