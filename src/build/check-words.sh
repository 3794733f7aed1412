#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Words that do not belong in the code: unbounded string functions, unfinished work, #ifdef outside src/base, files without
# a licence line. Prints every finding and exits 1 when there is one.
# usage: check-words.sh [TOP]
cd "${1:-$(dirname "$0")/../..}" || exit 2
status=0
find_words() {
    hits=$(find "$2" $3 -name '*.[ch]' -print0 | xargs -0 grep -nE "$1" | grep -vE "${5:-^$}")
    if [ -n "$hits" ]; then
        echo "$4:"
        echo "$hits"
        status=1
    fi
}
find_words '(^|[^a-z_])(strcpy|strcat|sprintf|vsprintf|alloca|atoi|atol|strtok|gets)[ ]*\(' src plugins 'functions without a bound'
find_words '(^|[^A-Za-z])(TODO|FIXME|XXX|HACK)([^A-Za-z]|$)' src plugins 'unfinished work'
find_words '^[ ]*# *if' src 'plugins' '#if outside src/base' '^src/base/|_H$|HAVE_CONFIG_H|^src/net/socket.c:.*SO_MEMINFO|^src/core/module.c:.*MODULE_DIRECTORY'
for f in $(find src plugins tests -name '*.[ch]' -o -name '*.def' -o -name '*.sh' -o -name '*.py' -o -name '*.inc'); do
    case $f in src/build/aux/*) continue ;; esac
    head -3 "$f" | grep -q 'SPDX-License-Identifier: BSD-2-Clause' || { echo "$f: no licence line"; status=1; }
done
[ $status = 0 ] && echo "ok 1 - no word that does not belong" || echo "not ok 1 - no word that does not belong"
echo "1..1"
exit $status
