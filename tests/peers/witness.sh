#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The same captures through an installed pmacct's sfacctd and through ours: the same rows, for lists of primitives that both
# know and where that release is known to be right.
. "$(dirname "$0")/../lib/common.sh"
test_begin
witness=/usr/sbin/sfacctd
[ -x $witness ] || skip "needs pmacct's $witness"
generate=$(tool generate) || skip "needs a compiler"

"$generate" --out "$DIR/generated.pcap" --samples 60000 --keys 3000 --ipv6 30 --sampling-rate 64 2>/dev/null
cp "$TESTS/../conf/quickstart/openvswitch.pcap" "$DIR/switch.pcap"

# rows PROGRAM CAPTURE FORMAT AGGREGATE KEY...: what it prints, sorted, into $DIR/rows.PROGRAM
rows()
{
    local program=$1 source=$2 form=$3 aggregate=$4 out=$DIR/out

    shift 4
    rm -f "$out"
    printf '%s\n' "daemonize: false" "pcap_savefile: $DIR/$source.pcap" "plugins: print[rows]" "aggregate[rows]: $aggregate" \
        "print_output[rows]: $form" "print_output_file[rows]: $out" "print_refresh_time[rows]: 3600" \
        "plugin_pipe_size: 40960000" "plugin_buffer_size: 102400" "$@" >"$DIR/conf"
    timeout 60 "$program" -f "$DIR/conf" >"$DIR/log.$(basename "$(dirname "$program")")" 2>&1 </dev/null
    sort "$out" 2>/dev/null
}

# same CAPTURE FORMAT AGGREGATE KEY...
same()
{
    rows $witness "$@" >"$DIR/theirs"
    rows "$SFACCTD" "$@" >"$DIR/ours"
    check "$1, $2: $3 ${4:-}" eval '[ -s "$DIR/theirs" ] && cmp -s "$DIR/theirs" "$DIR/ours"' ||
        diff "$DIR/theirs" "$DIR/ours" | head -6 | note
}

for source in generated switch; do
    same $source csv "src_host, dst_host, src_port, dst_port, proto"
    same $source csv "src_host, dst_host, proto" "sfacctd_renormalize: true"
    same $source csv "proto"
    same $source csv "src_host, dst_host, tos, tcpflags"
    same $source csv "src_mac, dst_mac, vlan, etype"
    same $source csv "peer_src_ip, in_iface, sampling_rate"
    same $source csv "src_mask, dst_mask"
    same $source csv "src_as, dst_as, as_path, std_comm, local_pref, peer_src_as, peer_dst_as"
    same $source csv "sum_host"
    same $source csv "none"
    same $source json "src_host, dst_host, src_port, dst_port, proto, tos"
    same $source json "src_as, dst_as, as_path, std_comm, peer_src_ip, vlan, src_mac"
    same $source csv "src_host, dst_host, src_port" "print_num_protos: true"
    same $source csv "src_host, proto" "print_output_separator: ;" "print_num_protos: true"
done
# Not of the switch: it floods some packets, and that release prints the whole interface word, format bits included.
same generated csv "in_iface, out_iface"
same generated csv "src_net, dst_net, src_mask, dst_mask"
test_end
