#!/bin/sh
# Walks the symbols that an archive needs from outside: memory and string functions, the checks that the compiler puts in, and
# assertions. Anything else (a clock, a file, an allocation, a log) does not belong below scheduler/.
#   check_symbols.sh ARCHIVE
set -eu
nm --undefined-only --format=posix "$1" | awk 'NF >= 2 && $2 == "U" {print $1}' | sort -u >"${TMPDIR:-/tmp}/needed.$$"
nm --defined-only --format=posix "$1" | awk 'NF >= 2 {print $1}' | sort -u >"${TMPDIR:-/tmp}/given.$$"
bad=$(comm -23 "${TMPDIR:-/tmp}/needed.$$" "${TMPDIR:-/tmp}/given.$$" |
    grep -vxE 'mem(cpy|move|set|cmp|chr)|__mem(cpy|move|set)_chk|strlen|strcmp|__stack_chk_fail|__assert_fail|_GLOBAL_OFFSET_TABLE_' || true)
rm -f "${TMPDIR:-/tmp}/needed.$$" "${TMPDIR:-/tmp}/given.$$"
if [ -n "$bad" ]; then
    echo "not pure:" $bad
    exit 1
fi
