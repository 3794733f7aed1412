# SPDX-License-Identifier: BSD-2-Clause
# common.sh for the tests of nfacctd: $NFACCTD, or nfacctd of the build folder, is the daemon. To be sourced by bash.
#
#   encode CODE WORD...           runs Python code that has the names of data/netflow_writer.py and the words as
#                                 sys.argv[1:]; it writes a capture with save(FILE, datagrams)
#   send CAPTURE [PER_SECOND]     its datagrams to $PORT, each exporter from an address of its own: 192.0.2.N is
#                                 127.0.2.N
BUILD=$(cd "${BUILD:-.}" && pwd)
SFACCTD=${NFACCTD:-$BUILD/nfacctd}
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

encode()
{
    local code=$1

    shift
    PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$TESTS/data timeout 120 python3 -c "
import random, struct, sys
from netflow_writer import *

def save(path, datagrams):
    with open(path, 'wb') as file:
        file.write(capture(datagrams))

$code" "$@"
}

send()
{
    timeout 120 python3 - "$1" "$PORT" "${2:-20000}" <<'END'
import socket, struct, sys, time

path, port, rate = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
sockets, start, sent = {}, time.monotonic(), 0
with open(path, "rb") as file:
    octets = file.read()
at = 24
while at < len(octets):
    length = struct.unpack_from("<I", octets, at + 8)[0]
    packet = octets[at + 16:at + 16 + length]
    at += 16 + length
    source, source_port = "127.0." + ".".join(str(n) for n in packet[28:30]), packet[34:36]
    key = source, source_port
    if key not in sockets:
        sockets[key] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sockets[key].bind((source, 0))
    sockets[key].sendto(packet[42:], ("127.0.0.1", port))
    sent += 1
    ahead = start + sent / rate - time.monotonic()
    if ahead > 0:
        time.sleep(ahead)
print(f"datagrams={sent}")
END
}
