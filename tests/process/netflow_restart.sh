#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# nfacctd_templates_file: templates and sampling rates outlive the daemon. After a restart, after kill -9 of the
# collector in mid-stream and after kill -9 of all of it, data whose templates do not come again are decoded to the last
# record.
. "$(dirname "$0")/../lib/netflow.sh"
test_begin

# Five exporters; templates, options templates and sampling rates once; then only data: 3 records in each datagram.
encode '
KEY = [(8, 4), (12, 4), (7, 2), (11, 2), (4, 1), (2, 4), (1, 8)]
plain, sampled = Template(256, KEY), Template(300, KEY[:2] + [(48, 1)] + KEY[2:])
variable_one = Template(257, [(82, VARIABLE)] + KEY)
sampler = Template(400, [(1, 4), (48, 1), (50, 4)], scope=1)
told, sent = [], []
for exporter in range(1, 6):
    source = "192.0.2.%d" % exporter
    told += [From(version9(templates9(plain, sampled, sampler), data(sampler, (0, 7, 10))), source),
             From(ipfix(templates10(plain, variable_one), domain=exporter), source)]
for n in range(3000):
    source, host = "192.0.2.%d" % (n % 5 + 1), "10.0.%d.%d" % (n % 7, n % 250)
    if n // 5 % 2:
        rest = (host, "10.1.0.1", 1000, 80, 6, 1, 100)
        sets = data(plain, rest), data(variable_one, ("eth%d" % n, *rest), ("", *rest))
        sent.append(From(ipfix(*sets, sequence=n // 10 * 3, domain=n % 5 + 1), source))
    else:
        row, rest = (host, "10.1.0.1", 7, 1000, 80, 6, 1, 100), (host, "10.1.0.1", 1000, 80, 6, 1, 100)
        sent.append(From(version9(data(sampled, row, row), data(plain, rest), sequence=2 + n // 10), source))
save(sys.argv[1], told)
save(sys.argv[2], sent)
' "$DIR/templates.pcap" "$DIR/data.pcap" || skip "the encoder failed"
records=9000
# Half of the datagrams have three packets; the others are of exporters that sample one of ten. A record that names no
# sampler is of the only one that its exporter has.
packets=$((1500 * 3 + 1500 * 30))

live_configuration <<END
nfacctd_templates_file: $DIR/templates
nfacctd_renormalize: true
END

# decoded NAME: all data have come and none of them waits
decoded()
{
    check "$1: all records" wait_for 30 book_is input.records_decoded $records ||
        book input.records_decoded input.sets_waiting input.sets_unknown | note
}

ended()
{
    check "$1: ends in time" daemon_end 10 INT
    is "$1: packets and bytes of the file" "$(totals "$ROWS")" "$packets $((packets * 100))"
    is "$1: no set was without its template" "$(final input.sets_unknown+input.sets_malformed)" 0
    check "$1: the books balance" balanced "$LOG"
    rm -f "$ROWS"
    : >"$LOG"
}

check "starts" daemon_start "$DIR/conf"
send "$DIR/templates.pcap" >/dev/null
send "$DIR/data.pcap" >/dev/null
decoded "first run"
ended "first run"
check "the templates file is there" [ -s "$DIR/templates" ]

check "starts again" daemon_start "$DIR/conf"
send "$DIR/data.pcap" >/dev/null
decoded "after a restart"

# All of it dies, so the rows of this run are gone; what it knew is not.
processes="$DAEMON $(pgrep -P "$DAEMON" | tr '\n' ' ')"
kill -KILL $processes
wait_for 5 gone "$DAEMON"
wait "$DAEMON" 2>/dev/null
DAEMON=""
rm -f "$ROWS" "$DIR/table.socket"
: >"$LOG"
check "starts after kill -9" daemon_start "$DIR/conf"
send "$DIR/data.pcap" >/dev/null
decoded "after kill -9"
ended "after kill -9"

check "starts once more" daemon_start "$DIR/conf"
before=$(book collector_pid)
send "$DIR/data.pcap" 1500 >"$DIR/sent" &
sender=$!
record_process $sender
check "data arrive" wait_for 20 eval '[ "$(book input.records_decoded)" -gt 1000 ]'
kill -KILL "$before"
check "the collector is back" wait_for 5 eval '[ "$(book collector_pid)" != "$before" ]'
wait $sender
wait_for 3 all_arrived 3000
sleep 1
is "no data set is without its template" "$(book input.sets_unknown+input.sets_waiting+input.sets_malformed)" 0
check "ends in time" daemon_end 10 INT
missing=$((3000 - $(final input.datagrams_received+input.datagrams_kernel_dropped)))
check "at most one batch of 64 datagrams is missing ($missing)" [ "$missing" -ge 0 -a "$missing" -le 64 ]
lost=$(final input.datagrams_lost_crash+input.datagrams_kernel_dropped)
# In its last moment the collector may have died between a datagram and its records.
check "every other datagram gave its three records" \
    [ "$(final input.data_records_seen)" -ge $(((3000 - missing - lost) * 3 - 192)) ]
check "the books balance" balanced "$LOG"
test_end
