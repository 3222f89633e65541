#!/bin/sh
# The manual pages are well-formed, and that of the configuration names every setting.
# usage: man.sh SOURCE_DIR BUILD_DIR; 77 where the tool is missing.
set -eu
if ! command -v mandoc >/dev/null; then
    echo "skipped: there is no mandoc"
    exit 77
fi
said=$(mandoc -T lint -W style "$1"/daemon/man/*.[178] "$2/man/checkind.conf.5" 2>&1 |
    grep -v -e 'referenced manual not found' -e 'outdated mandoc.db' || true)
if [ -n "$said" ]; then
    echo "FAILED: $said"
    exit 1
fi
# Every figure that an alarm is advised on exists.
for figure in $(grep -o 'checkind_[a-z][a-z_]*' "$1/daemon/man/checkind-operation.7" | sort -u); do
    grep -q "\"$figure\"" "$1/daemon/ctl/metrics.c" || { echo "FAILED: there is no figure $figure"; exit 1; }
done
text=$(mandoc -T ascii "$2/man/checkind.conf.5" | sed 's/.\x08//g')
for key in $(sed -n 's/.*\.key = "\([a-z_]*\)",.*/\1/p' "$1/daemon/config/settings.c" | sort -u); do
    if ! echo "$text" | grep -q "^  *$key\( \|\$\)"; then
        echo "FAILED: checkind.conf(5) does not say what $key is"
        exit 1
    fi
done
# And no other setting: what stands there is in the table.
known=" $(sed -n 's/.*\.key = "\([a-z_]*\)",.*/\1/p' "$1/daemon/config/settings.c" | tr '\n' ' ') "
for key in $(sed -n 's/^\.It Cm \([a-z_]*\)$/\1/p' "$2/man/checkind.conf.5" | sort -u); do
    case $known in *" $key "*) ;; *) echo "FAILED: checkind.conf(5) tells of $key, which is no setting"; exit 1 ;; esac
done
# The commands of checkinctl are those of its page.
usage=$("$2/bin/checkinctl" --help | sed -n 's/^  \([a-z][a-z-]*\).*/\1/p' | sort -u)
page=$(sed -n 's/^\.It Cm \([a-z][a-z-]*\).*/\1/p' "$1/daemon/man/checkinctl.1" | sort -u)
[ "$usage" = "$page" ] || { echo "FAILED: checkinctl --help and checkinctl(1) differ: $usage / $page"; exit 1; }
