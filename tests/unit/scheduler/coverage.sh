#!/bin/sh
# Branch coverage of scheduler/ by its unit tests, assertions excluded. Builds apart, runs every test of scheduler/ that is there, and prints
# one line a file and the total; with -v also every branch that was not taken. Ends with 1 below 100 %, and where there is nothing to count.
#   coverage.sh [-v] BUILD_DIRECTORY
set -eu
verbose=
if [ "${1:-}" = -v ]; then
    verbose=1
    shift
fi
unset CCACHE_BASEDIR CCACHE_NOHASHDIR # gcov finds no source by a path that ccache made relative
mkdir -p "${1:?a directory to build in}"
build=$(cd "$1" && pwd)
root=$(cd "$(dirname "$0")/../../.." && pwd)
cmake -S "${CK_COVERAGE_SOURCE:-$root}" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_COMPILER=gcc \
    -DCMAKE_C_FLAGS_DEBUG="-O0 -g --coverage" -DCMAKE_C_COMPILER_LAUNCHER=ccache -DCK_MEDIA=OFF -DCK_PAGES=OFF >/dev/null
tests=$(sed -n 's/^ck_test(\([a-z_]*\) .*/\1/p' "$root/tests/unit/scheduler/CMakeLists.txt")
# shellcheck disable=SC2086
ninja -C "$build" -j2 $tests >/dev/null
find "$build" -name '*.gcda' -delete
for test in $tests; do
    "$(find "$build" -name "$test" -type f -perm -u+x | head -1)" >/dev/null 2>&1 || { echo "$test fails" >&2; exit 1; }
done
objects=$(find "$build" -path '*ck_scheduler.dir*' -name '*.gcda')
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
# shellcheck disable=SC2086
(cd "$out" && gcov --branch-probabilities --branch-counts $objects >/dev/null 2>&1)
awk -v verbose="$verbose" '
    FNR == 1 { file = ""; line = ""; skip = 0 }
    /^ *[-#=0-9*]+: *[0-9]+:/ {
        split($0, part, ":")
        number = part[2] + 0
        if (number == 0) { if ($0 ~ /:Source:/) { file = $0; sub(/.*:Source:/, "", file); keep = file ~ /(^|\/)scheduler\/[a-z_]*\.c$/ } next }
        text = $0
        # An assertion may go on over lines; its branches stand at its first one.
        skip = text ~ /[^a-z_]assert\(/
        if (!skip && keep && part[1] ~ /#####/) { lines_missed[file]++; if (verbose) print "not run: " file ":" number }
        next
    }
    /^branch/ && keep && !skip {
        total[file]++
        if ($0 ~ /taken 0|never executed/) { missed[file]++; if (verbose) print "not taken: " file ":" number ": " $0 }
    }
    END {
        for (file in total) {
            name = file; sub(/.*\/scheduler\//, "scheduler/", name)
            printf "%-32s %4d branches, %3d not taken, %3d lines not run\n", name, total[file], missed[file], lines_missed[file] | "sort"
            all += total[file]; bad += missed[file]; dead += lines_missed[file]
        }
        close("sort")
        printf "scheduler/: %.2f %% of %d branches\n", all ? 100 * (all - bad) / all : 0, all
        exit all == 0 || bad + dead > 0
    }' "$out"/*.gcov
