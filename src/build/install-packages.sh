#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Installs the Debian packages that are missing, and says which. Needs root or sudo only when one is missing.
# usage: install-packages.sh build|test
case $1 in
build)
    want="gcc make autoconf automake pkg-config libc6-dev libpcap-dev libxxhash-dev libjansson-dev libncurses-dev"
    want="$want libgnutls28-dev zlib1g-dev libzstd-dev libmaxminddb-dev libnetfilter-log-dev libndpi-dev"
    ;;
test)
    want="clang libclang-rt-14-dev python3 curl tshark iproute2 ethtool openvswitch-switch pmacct procps util-linux tmux"
    want="$want softflowd nfdump openssl gnutls-bin zstd gzip nftables tcpdump mmdb-bin"
    ;;
*)
    echo "usage: $0 build|test" >&2
    exit 2
    ;;
esac

missing=
for package in $want; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $package"
done
[ -z "$missing" ] && exit 0

as_root=
if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "these Debian packages are missing:$missing" >&2
        echo "as root: apt-get install$missing" >&2
        exit 1
    fi
    as_root=sudo
fi
echo "installing from Debian:$missing"
log=$(mktemp)
if ! { $as_root apt-get update -qq && \
       $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing; } >"$log" 2>&1; then
    tail -20 "$log" >&2
    rm -f "$log"
    echo "installing failed; as root: apt-get install$missing" >&2
    exit 1
fi
rm -f "$log"
