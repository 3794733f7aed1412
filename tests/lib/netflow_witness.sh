# SPDX-License-Identifier: BSD-2-Clause
# tshark as the witness of the peer tests of NetFlow and IPFIX. To be sourced by bash after netflow.sh.
#
#   traffic_capture FILE          plain traffic, 40 flows in 2000 packets; their "packets bytes" go to $DIR/traffic.sums
#   record_start                  tshark records what comes to $PORT, into $DIR/export.pcap; $RECORD_PREFIX before it
#   record_end
#   witness_flows CAPTURE PORT    "packets bytes" of all flow records, as tshark decodes them, reverse ones included

traffic_capture()
{
    PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$TESTS/data timeout 60 python3 - "$1" >"$DIR/traffic.sums" <<'END'
import struct, sys
from make_sflow import ethernet, ipv4, ipv6, tcp, udp
packets = octets = 0
with open(sys.argv[1], "wb") as file:
    file.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
    for n in range(2000):
        k = n % 40
        if k % 4 == 0:
            packet = ipv6(f"2001:db8::{k + 1:x}", "2001:db8::ffff", 17, udp(1000 + k, 53, bytes(20 + n % 300)))
        elif k % 2:
            packet = ipv4(f"10.0.0.{k + 1}", "10.0.1.1", 6, tcp(2000 + k, 80, 0x18, bytes(26 + n % 700)))
        else:
            packet = ipv4(f"10.0.0.{k + 1}", "10.0.1.1", 17, udp(2000 + k, 5000, bytes(26 + n % 700)))
        frame = ethernet(packet, 0x86dd if k % 4 == 0 else 0x0800)
        packets, octets = packets + 1, octets + len(packet)
        file.write(struct.pack("<IIII", 1795168800 + n // 100, n % 100 * 10000, len(frame), len(frame)) + frame)
print(packets, octets)
END
}

record_start()
{
    rm -f "$DIR/export.pcap"
    ${RECORD_PREFIX:-} timeout 120 tshark -q -i lo -f "udp port $PORT" -F pcap -w "$DIR/export.pcap" \
        >"$DIR/tshark.log" 2>&1 &
    recorder=$!
    record_process $recorder
    wait_for 20 eval '[ -s "$DIR/export.pcap" ]' || note <"$DIR/tshark.log"
    sleep 1
}

record_end()
{
    kill -INT $(pgrep -P $recorder) $recorder 2>/dev/null
    wait_for 10 gone $recorder
}

# tshark stops after as many FlowSets as version 9's count says, which real exporters mean differently: it gets captures
# where the count is large.
large_counts()
{
    python3 - "$1" <<'END'
import struct, sys
with open(sys.argv[1], "rb") as file:
    octets = bytearray(file.read())
at = 24
while at + 16 <= len(octets):
    length = struct.unpack_from("<I", octets, at + 8)[0]
    if octets[at + 58:at + 60] == b"\0\x09":
        octets[at + 60:at + 62] = b"\x7f\xff"
    at += 16 + length
with open(sys.argv[1] + ".large", "wb") as file:
    file.write(octets)
END
}

witness_flows()
{
    large_counts "$1"
    timeout 60 tshark -r "$1.large" -d "udp.port==$2,cflow" -T fields -e cflow.packets -e cflow.octets 2>/dev/null |
        awk -F'\t' '{ for (i = 1; i <= 2; i++) { n = split($i, v, ","); for (k = 1; k <= n; k++) sum[i] += v[k] } }
                    END { printf "%d %d\n", sum[1], sum[2] }'
}
