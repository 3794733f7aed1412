#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Three collectors on one port: each exporter meets one of them, totals are exact, kill -9 of one under load costs the
# others nothing and the books balance, a stop under load is exact, and the port is refused to and by everybody else.
. "$(dirname "$0")/../lib/common.sh"
test_begin
generate=$(tool generate) && replay=$(tool replay) || skip "needs a compiler and libpcap"

exporters=8 samples=4 # in a datagram

# A sender with one socket for each exporter, 127.0.0.2 and so on, which is also its agent address. Each datagram has four
# flow samples of 100 octets. usage: exporters.py PORT DATAGRAMS_A_SECOND COUNT...   (0: as fast as it goes)
cat >"$DIR/exporters.py" <<'END'
import socket, struct, sys, time

port, rate, counts = int(sys.argv[1]), int(sys.argv[2]), [int(word) for word in sys.argv[3:]]
samples = 4

def frame(exporter):
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 86, 0, 0, 64, 17, 0, bytes([10, 0, 0, exporter]), bytes([192, 0, 2, 1]))
    return b"\x02" * 6 + b"\x04" * 6 + b"\x08\x00" + ip + struct.pack("!HHHH", 1000 + exporter, 53, 66, 0)

def sample(exporter, number):
    header = frame(exporter)
    record = struct.pack("!IIII", 1, 100, 4, len(header)) + header + bytes(-len(header) % 4)
    record = struct.pack("!II", 1, len(record)) + record
    body = struct.pack("!IIIIIIII", number, 1, 1, number, 0, 1, 2, 1) + record
    return struct.pack("!II", 1, len(body)) + body

class Exporter:
    def __init__(self, number, count):
        self.number, self.left, self.sent = number, count, 0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.%d" % number, 0))
        self.address = ("127.0.0.1", port)

    def send(self):
        sequence, self.sent, self.left = self.sent + 1, self.sent + 1, self.left - 1
        head = struct.pack("!II4sIIII", 5, 1, bytes([127, 0, 0, self.number]), 0, sequence, sequence, samples)
        body = b"".join(sample(self.number, (sequence - 1) * samples + i + 1) for i in range(samples))
        self.socket.sendto(head + body, self.address)

senders = [Exporter(2 + i, count) for i, count in enumerate(counts)]
start, total = time.monotonic(), 0
while any(sender.left for sender in senders):
    for sender in senders:
        if sender.left:
            sender.send()
            total += 1
    ahead = total / rate - (time.monotonic() - start) if rate else 0
    if ahead > 0.002:
        time.sleep(ahead)
print("datagrams=%d" % total)
END

# lanes LANES: a configuration; the memory plugin has few keys, one row for each exporter
lanes()
{
    live_configuration <<END
sfacctd_lanes: $1
END
}

# lane_values EXPRESSION: one value of each lane's part of the running ledger
lane_values()
{
    python3 "$TESTS/lib/ledger.py" dump "$CONTROL" | python3 -c '
import json, sys
for lane in json.load(sys.stdin)["collectors"]:
    print(eval(sys.argv[1], {}, lane))' "$1" | paste -sd ' '
}

# final_lanes NAME: a counter of each lane in the last ledger of the log
final_lanes()
{
    python3 - "$LOG" "$1" <<'END'
import re, sys
lanes = {}
for line in open(sys.argv[1], encoding="utf-8", errors="replace"):
    found = re.search(r"ledger lane (\d+):(.*)", line)
    if found:
        value = re.search(r" %s=(\d+)" % sys.argv[2], found.group(2))
        lanes[int(found.group(1))] = value.group(1) if value else "0"
print(*(lanes[lane] for lane in sorted(lanes)))
END
}

# Whether each lane has whole exporters: exporter i sent 10 * 2^i datagrams, so a lane's sum tells which it had.
whole_exporters()
{
    python3 -c '
import sys
seen = 0
for value in map(int, sys.argv[1:]):
    assert value % 10 == 0 and seen & value // 10 == 0, sys.argv
    seen |= value // 10
assert seen == 255, seen' "$@"
}

# Each exporter has one row on the ledger, and the rows of a lane have all that it received.
rows_of_lanes()
{
    python3 "$TESTS/lib/ledger.py" dump "$CONTROL" | python3 -c '
import json, sys
book = json.load(sys.stdin)
rows = book["exporters"]
assert len({row["agent"] for row in rows}) == len(rows) == int(sys.argv[1]), rows
for lane in book["collectors"]:
    assert sum(row["datagrams"] for row in rows if row["lane"] == lane["lane"]) == lane["input"]["datagrams_received"], rows' $exporters
}

# all_divisible BY NUMBER...
all_divisible()
{
    local by=$1 number

    shift
    for number in "$@"; do
        [ $((number % by)) = 0 ] || return 1
    done
}

title_of()
{
    tr '\0' ' ' <"/proc/$1/cmdline" | sed 's/ *$//'
}

lanes 3
daemon_start "$DIR/conf"
pids=$(lane_values pid)
is "three collectors" "$(echo "$pids" | tr ' ' '\n' | sort -u | wc -l)" 3
is "a collector says which lane it is" "$(title_of "${pids##* }")" "sfacctd: collector 2 [default]"

# The port is nobody else's.
sed "s#$CONTROL#$DIR/control.other#; s#table.socket#other.socket#" "$DIR/conf" >"$DIR/conf.other"
"$SFACCTD" -f "$DIR/conf.other" >"$DIR/log.other" 2>&1 </dev/null
is "a second daemon with lanes does not join the port" "$?" 1
check "and says why" grep -q "port $PORT/udp on 127.0.0.1 is taken by another program" "$DIR/log.other"

# Steering: exporter i sends 10, 20, 40 ... 1280 datagrams.
counts=$(for ((i = 0; i < exporters; i++)); do echo $((10 << i)); done)
timeout 60 python3 "$DIR/exporters.py" "$PORT" 2000 $counts >"$DIR/sent"
sent=$(sent "$DIR/sent" datagrams)
check "all datagrams arrive" wait_for 10 all_arrived "$sent"
is "none is dropped" "$(book input.datagrams_received)" "$sent"
check "each exporter is in one lane" whole_exporters $(lane_values 'input["datagrams_received"]')
check "more than one lane has some" [ "$(lane_values 'input["datagrams_received"]' | tr ' ' '\n' | grep -vcx 0)" -ge 2 ]
check "each exporter's row names its lane" rows_of_lanes
is "no sequence has a gap" "$(book input.datagrams_lost+input.samples_lost+input.datagrams_reordered)" 0
is "samples are records" "$(book input.records_decoded)" $((sent * samples))
check "the plugins have read all rings" wait_for 5 eval 'plugin_idle table && plugin_idle rows'
rows=$("$PMACCT" -p "$DIR/table.socket" -s -O csv 2>/dev/null | grep -c '^10\.0\.0\.')
is "a row for each exporter" "$rows" $exporters
check "the client shows the lanes" eval '"$PMACCT" status -p "$CONTROL" | grep -q "^ *LANE  *PID  *RESTARTS"'
check "ends in time" daemon_end 10 INT
check "the books balance" balanced "$LOG"
is "the file has every packet" "$(totals "$ROWS" | cut -d' ' -f1)" $((sent * samples))
is "and every byte" "$(totals "$ROWS" | cut -d' ' -f2)" "$(final plugin:rows.plugin.bytes_committed)"

# kill -9 of one lane under load.
LOG=$DIR/log.kill
lanes 3
daemon_start "$DIR/conf"
timeout 60 python3 "$DIR/exporters.py" "$PORT" 4000 2500 2500 2500 2500 2500 2500 2500 2500 >"$DIR/sent" &
sender=$!
record_process $sender
check "records arrive" wait_for 10 eval '[ "$(book input.records_decoded)" -gt 8000 ]'
busy=$(lane_values 'input["datagrams_received"]' | tr ' ' '\n' | awk '$1 > most { most = $1; lane = NR - 1 } END { print lane }')
before=$(lane_values pid)
plugins=$(book plugin:table.pid plugin:rows.pid)
victim=$(echo "$before" | cut -d' ' -f$((busy + 1)))
kill -KILL "$victim"
check "the lane is back within two seconds" wait_for 2 eval '[ "$(lane_values "pid" | cut -d" " -f'$((busy + 1))')" != "'"$victim"'" ]'
is "the others are the same processes" "$(lane_values pid | cut -d' ' -f$((busy + 1)) --complement)" \
    "$(echo "$before" | cut -d' ' -f$((busy + 1)) --complement)"
is "so are the plugins" "$(book plugin:table.pid plugin:rows.pid)" "$plugins"
wait $sender
sent=$(sent "$DIR/sent" datagrams)
wait_for 3 all_arrived "$sent"
is "one restart" "$(book collector_restarts)" 1
is "of that lane" "$(lane_values restarts | cut -d' ' -f$((busy + 1)))" 1
check "its successor took what came later" [ "$(lane_values 'input["datagrams_received"]' | cut -d' ' -f$((busy + 1)))" -gt 1000 ]
check "ends in time" daemon_end 10 TERM
check "the log names the lane" grep -q "the collector of lane $busy was killed by signal 9" "$LOG"
missing=$((sent - $(final input.datagrams_received+input.datagrams_kernel_dropped)))
check "at most one batch of 64 datagrams is missing ($missing)" [ "$missing" -ge 0 -a "$missing" -le 64 ]
others=$(final_lanes datagrams_received | cut -d' ' -f$((busy + 1)) --complement)
check "the other lanes lack nothing ($others)" all_divisible 2500 $others
is "nor have they booked a loss" "$(final_lanes datagrams_lost_crash | cut -d' ' -f$((busy + 1)) --complement)" "0 0"
check "the books balance" balanced "$LOG"
is "the file has what the ledger says" "$(totals "$ROWS" | cut -d' ' -f1)" "$(final plugin:rows.plugin.packets_committed)"
is "decoded = written + counted losses" \
    "$(final plugin:rows.plugin.records_committed+plugin:rows.watch.records_lost_collector+plugin:rows.watch.records_lost_ring+plugin:rows.emit.records_dropped_ring_full)" \
    "$(final input.records_decoded)"

# A stop right after the last datagram of four fast senders, when queues and rings are full.
LOG=$DIR/log.stop
"$generate" --out "$DIR/input.pcap" --samples 60000 --keys 5000 2>/dev/null
lanes 3
daemon_start "$DIR/conf"
senders=""
for source in 127.0.0.2 127.0.0.3 127.0.0.4 127.0.0.5; do
    timeout 60 "$replay" --flat --source $source "$DIR/input.pcap" "127.0.0.1:$PORT" >"$DIR/sent.$source" &
    senders="$senders $!"
    record_process $!
done
wait $senders
check "stop under load: ends in time" daemon_end 10 INT
sent=$(cat "$DIR"/sent.127.0.0.* | awk '{ sum += $2 } END { print sum }')
is "stop under load: sent = received + dropped by the kernel" "$(final input.datagrams_received+input.datagrams_kernel_dropped)" "$sent"
check "stop under load: the books balance" balanced "$LOG"
is "stop under load: every record is in the file or counted" \
    "$(final plugin:rows.plugin.records_committed+plugin:rows.emit.records_dropped_ring_full)" "$(final input.records_decoded)"
is "stop under load: the file has it" "$(totals "$ROWS" | cut -d' ' -f1)" "$(final plugin:rows.plugin.packets_committed)"

# A plugin that dies reads on in the rings of all lanes.
LOG=$DIR/log.plugin
lanes 3
daemon_start "$DIR/conf"
timeout 60 python3 "$DIR/exporters.py" "$PORT" 3000 1000 1000 1000 1000 1000 1000 1000 1000 >"$DIR/sent" &
sender=$!
record_process $sender
wait_for 10 eval '[ "$(book input.records_decoded)" -gt 8000 ]'
kill -KILL "$(book plugin:rows.pid)"
wait $sender
check "killed plugin: ends in time" daemon_end 10 INT
check "killed plugin: the books balance" balanced "$LOG"
is "killed plugin: every lane's records are accounted for" \
    "$(final plugin:rows.plugin.records_committed+plugin:rows.watch.records_lost_crash+plugin:rows.watch.records_lost_ring+plugin:rows.emit.records_dropped_ring_full)" \
    "$(final input.records_decoded)"

# One lane is as it was: no number in the title, nothing about lanes in the log. 0 asks for half of the processors.
LOG=$DIR/log.one
lanes 1
daemon_start "$DIR/conf"
is "one lane has no number" "$(title_of "$(lane_values pid)")" "sfacctd: collector [default]"
check "one lane: ends in time" daemon_end 10 INT
check "one lane: the log says nothing of lanes" eval '! grep -q lane "$LOG"'
LOG=$DIR/log.automatic
lanes 0
daemon_start "$DIR/conf"
half=$(($(getconf _NPROCESSORS_ONLN) / 2))
[ $half -ge 1 ] || half=1
[ $half -le 16 ] || half=16
is "0 lanes are half of the processors" "$(lane_values pid | wc -w)" $half
check "automatic: ends in time" daemon_end 10 INT
test_end
