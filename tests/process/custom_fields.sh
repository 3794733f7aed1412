#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Custom primitives and information elements in a memory plugin: the client shows them, and finds rows by them, although
# it has not read the daemon's configuration.
. "$(dirname "$0")/../lib/common.sh"
test_begin
SFACCTD=$BUILD/nfacctd
replay=$(tool replay) || skip "needs a compiler and libpcap"
PORT=$(free_port)

cat >"$DIR/primitives" <<END
name=myproto   field_type=4  len=1 semantics=u_int
name=mynexthop field_type=15 len=4 semantics=ip
name=myflags   field_type=6  len=1 semantics=hex
END
cat >"$DIR/conf" <<END
daemonize: false
nfacctd_ip: 127.0.0.1
nfacctd_port: $PORT
control_path: $CONTROL
plugins: memory[table]
aggregate[table]: src_host, myproto, mynexthop, myflags, ingressInterface
aggregate_primitives: $DIR/primitives
imt_path[table]: $DIR/table.socket
END
check "nfacctd starts" daemon_start "$DIR/conf"
"$replay" --flat "$TESTS/data/netflow_v9.pcap" "127.0.0.1:$PORT" >/dev/null # a record of IPv4, one of IPv6
"$replay" --flat "$TESTS/data/netflow_v5.pcap" "127.0.0.1:$PORT" >/dev/null
check "records arrive" wait_for 5 book_is plugin:table.plugin.records_read 4

client()
{
    "$PMACCT" -p "$DIR/table.socket" "$@" 2>&1
}

is "the titles" "$(client -s -O csv | head -1)" "SRC_IP,mynexthop,myproto,myflags,ingressInterface,PACKETS,BYTES"
is "rows by a number" "$(client -c myproto -M 6 -O csv | grep -c ,6,1b,)" 2
is "a sum by a number and an address" "$(client -c myproto,src_host -N 6,10.0.0.1 -n bytes)" 2000
is "by an address" "$(client -c mynexthop -N 192.0.2.9 -n packets)" 30
is "by a hexadecimal number" "$(client -c myflags -N 1b -n packets)" 30
is "by an element, however it is written" "$(client -c ingressinterface -N 70000 -n packets)" 20
is "what no row has" "$(client -c ingressInterface -N 5 -n packets)" 0
is "a value of another type" "$(client -c myflags -N zz)" "ERROR: myflags: Invalid hexadecimal number: 'zz'"
is "a name that nobody knows" "$(client -c nonesuch -N 5)" "ERROR: unknown primitive 'nonesuch'"
check "ends in time" daemon_end 10 TERM
is "without a daemon" "$(client -c myproto -N 6)" "ERROR: unknown primitive 'myproto'"
test_end
