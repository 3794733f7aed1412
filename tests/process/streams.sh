#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# nfacctd with exporters that come by a connection: IPFIX over TCP, over TLS and DTLS with the clients of OpenSSL (the unit
# test has GnuTLS on both sides), with certificates of the openssl program; NetFlow v5 over DTLS; who is refused, and what is
# said of it; and the same messages out of files: plain, gzip, zstd, standard input. Each record is counted once everywhere.
. "$(dirname "$0")/../lib/common.sh"
SFACCTD=${NFACCTD:-$BUILD/nfacctd}
test_begin
for program in openssl gzip zstd curl; do
    command -v $program >/dev/null || skip "needs $program"
done

# write_messages NET COUNT PIECES: $DIR/NET.ipfix has a template and then COUNT messages of 20 flows from 10.0.NET.x, each of
# 3 packets and 1000 + NET bytes; $DIR/NET.N are the first PIECES of those messages, one a file
write_messages()
{
    python3 - "$TESTS/data" "$DIR/$1" "$@" <<'END'
import sys
sys.path.insert(0, sys.argv[1])
from netflow_writer import Template, data, fixed, Fixed, ipfix, templates10
out, net, count, pieces = sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5])
flow = Template(300, [(8, 4), (12, 4), (7, 2), (11, 2), (4, 1), (2, 8), (1, 8)])
messages = [ipfix(templates10(flow))]
for number in range(count):
    flows = [(f"10.0.{net}.{i}", "198.51.100.1", 1000 + number, 443, 6, 3, 1000 + net) for i in range(20)]
    messages.append(ipfix(data(flow, *flows), sequence=20 * number))
open(out + ".ipfix", "wb").write(b"".join(messages))
for number, message in enumerate(messages[:pieces]):
    open(f"{out}.{number}", "wb").write(message)
open(out + ".v5", "wb").write(fixed(5, [Fixed(src=f"10.0.{net}.{i}", dst="198.51.100.1", packets=3, octets=1000 + net,
                                              sport=1, dport=443, proto=6) for i in range(20)]))
END
}

# certificate NAME AUTHORITY: a key and a certificate $DIR/NAME.{key,pem} signed by AUTHORITY
certificate()
{
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -keyout "$DIR/$1.key" -out "$DIR/$1.csr" &&
        openssl x509 -req -in "$DIR/$1.csr" -CA "$DIR/$2.pem" -CAkey "$DIR/$2.key" -CAcreateserial -days 2 \
            -extfile <(echo "subjectAltName=DNS:$1.example") -out "$DIR/$1.pem"
}

authority()
{
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$1" -keyout "$DIR/$1.key" \
        -out "$DIR/$1.pem"
}

make_certificates()
{
    authority ca && authority other && certificate collector ca && certificate r1 ca && certificate r2 other &&
        mkdir "$DIR/tls" && cp "$DIR/ca.pem" "$DIR/tls/ca.pem" && cp "$DIR/collector.key" "$DIR/tls/key.pem" &&
        cp "$DIR/collector.pem" "$DIR/tls/cert.pem"
}

# pieces NET EXTENSION...: those files one by one, slowly enough that each becomes a record
pieces()
{
    local net=$1 extension

    shift
    sleep 1 # the handshake
    for extension in "$@"; do
        cat "$DIR/$net.$extension"
        sleep 0.1
    done
    sleep 0.5
}

# client KIND PORT CERTIFICATE: openssl's, with what is on standard input; a goodbye at its end
client()
{
    timeout 20 openssl s_client -"$1" -nocommands -connect "127.0.0.1:$2" -cert "$DIR/$3.pem" -key "$DIR/$3.key" \
        >"$DIR/client" 2>&1
}

# tcp PORT FILE: sends it in pieces of odd sizes
tcp()
{
    python3 - "$1" "$2" <<'END'
import random
import socket
import sys
octets = open(sys.argv[2], "rb").read()
random.seed(1)
connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
while octets:
    size = random.choice((1, 2, 3, 15, 17, 700, 4000))
    connection.sendall(octets[:size])
    octets = octets[size:]
connection.close()
END
}

# rows_of NET: packets and bytes of what came from it
rows_of()
{
    awk -F, -v net="10.0.$1." 'FNR == 1 || index($1, net) == 1' "$ROWS" | totals
}

said()
{
    grep -q -- "$1" "$LOG"
}

check "certificates" make_certificates 2>"$DIR/openssl" || note <"$DIR/openssl"
write_messages 1 500 0
write_messages 2 500 0
write_messages 3 10 11
write_messages 4 10 11
read -r UDP TCP TLS DTLS <<<"$(free_ports 4)"
ROWS=$DIR/rows.csv
cat >"$DIR/conf" <<END
daemonize: false
nfacctd_ip: 127.0.0.1
nfacctd_port: $UDP
nfacctd_tcp_port: $TCP
nfacctd_tls_port: $TLS
nfacctd_dtls_port: $DTLS
dtls_path: $DIR/tls
nfacctd_tls_peer_names: r1.example, r2.example
control_path: $CONTROL
plugins: print[rows]
aggregate: src_host
print_output: csv
print_output_file: $ROWS
print_refresh_time: 3600
END
check "the daemon starts" daemon_start "$DIR/conf"

check "a TCP client" tcp "$TCP" "$DIR/1.ipfix"
check "all of its records" wait_for 10 book_is input.records_decoded 10000
check "its session is over" wait_for 5 book_is input.sessions_closed 1
(sleep 1; cat "$DIR/2.ipfix"; sleep 1) | client tls1_2 "$TLS" r1
check "all records over TLS 1.2" wait_for 10 book_is input.records_decoded 20000
(sleep 1; cat "$DIR/2.ipfix"; sleep 1) | client tls1_3 "$TLS" r1
check "all records over TLS 1.3" wait_for 10 book_is input.records_decoded 30000
pieces 3 $(seq 0 10) | client dtls1_2 "$DTLS" r1
check "all records over DTLS" wait_for 10 book_is input.records_decoded 30200
pieces 4 v5 | client dtls1_2 "$DTLS" r1
check "NetFlow v5 over DTLS" wait_for 10 book_is input.records_decoded 30220
check "the names of a certificate" said "opened by 'CN=r1, DNS:r1.example'"
is "five sessions" "$(book input.sessions_opened)" 5
check "each came to its end" wait_for 5 book_is input.sessions_closed 5

(sleep 1; cat "$DIR/2.ipfix") | client tls1_3 "$TLS" r2
check "a certificate of another authority" wait_for 5 book_is input.sessions_refused 1
check "what is said of it" said "refused: the certificate for 'CN=r2, DNS:r2.example' is not signed by $DIR/tls/ca.pem"
(sleep 1; cat "$DIR/2.ipfix") | client tls1_2 "$TLS" collector
check "a name that is not allowed" said "'CN=collector, DNS:collector.example' has none of the names allowed"
pieces 3 0 | client dtls1_2 "$DTLS" r2
check "DTLS with a certificate of another authority" wait_for 5 book_is input.sessions_refused 3
tcp "$TLS" "$DIR/2.ipfix" 2>/dev/null
check "plain IPFIX at the port of TLS" said "refused: not TLS: begins with 00 0a"
curl -s --max-time 5 "http://127.0.0.1:$TCP/" >/dev/null
check "a web client at the port of TCP" said "not an IPFIX message: begins with 'GET / HTTP/1'"
is "one broken session" "$(book input.sessions_broken)" 1
is "no record of them" "$(book input.records_decoded)" 30220

daemon_end 15 INT
is "the daemon ends in good order" "$STATUS" 0
is "rows of TCP" "$(rows_of 1)" "30000 10010000"
is "rows of TLS" "$(rows_of 2)" "60000 20040000"
is "rows of DTLS" "$(rows_of 3)" "600 200600"
is "rows of NetFlow v5 over DTLS" "$(rows_of 4)" "60 20080"
check "the books balance" balanced "$LOG"

gzip -k "$DIR/1.ipfix"
zstd -q "$DIR/1.ipfix"
cat "$DIR/1.ipfix.gz" "$DIR/1.ipfix.gz" >"$DIR/twice"
head -c 100000 "$DIR/1.ipfix" >"$DIR/cut"
replay()
{
    cat >"$DIR/conf" <<END
daemonize: false
pcap_savefile: $1
plugins: print[rows]
aggregate: src_host
print_output: csv
print_output_file: $ROWS
END
    rm -f "$ROWS"
    "$SFACCTD" -f "$DIR/conf" >"$LOG" 2>&1
}
for name in 1.ipfix 1.ipfix.gz 1.ipfix.zst; do
    check "$name is read to its end" replay "$DIR/$name" </dev/null
    is "rows of $name" "$(rows_of 1)" "30000 10010000"
done
check "two gzip files in one are read" replay "$DIR/twice" </dev/null
is "its rows" "$(rows_of 1)" "60000 20020000"
check "standard input is read" replay - <"$DIR/1.ipfix.gz"
is "rows of standard input" "$(rows_of 1)" "30000 10010000"
replay "$DIR/cut" </dev/null
check "a file that was cut is told" said "the IPFIX file is broken after .* messages, at byte .*: the file ends within a"
test_end
