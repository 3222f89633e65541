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
# Every option that a program accepts is in its page, and no other; what --help shows is accepted.
# options PROGRAM SOURCE PAGE
options() {
    accepted=$(grep -o '{"[a-z-]*", [a-z]*_argument' "$1/$3" | sed 's/{"\([^"]*\)".*/\1/' | grep -vx help | sort -u)
    told=$(grep -o 'Fl -[a-z-]*' "$1/daemon/man/$4" | sed 's/Fl -//' | sort -u)
    [ "$accepted" = "$told" ] || { echo "FAILED: $3 accepts" $accepted, "$4 tells of" $told; exit 1; }
    for option in $("$2" --help | grep -o -e '--[a-z-]*' | sed 's/--//' | sort -u); do
        echo "$accepted" | grep -qx -e "$option" || { echo "FAILED: $3 shows --$option and does not accept it"; exit 1; }
    done
}
options "$1" "$2/bin/checkind" daemon/checkind/main.c checkind.8
options "$1" "$2/bin/checkinctl" daemon/ctl/checkinctl.c checkinctl.1
options "$1" "$2/bin/checkin-signer" daemon/signer/main.c checkin-signer.8
options "$1" "$2/bin/checkin-verify" daemon/verify/main.c checkin-verify.1
# Each command of checkinctl with its own options, as "log export --recipient --reason --store".
by_command='{ line = $1; stop = 0
    for (i = 2; i <= NF; i++) if ($i ~ /^[a-z]/ && !stop) line = line " " $i; else stop = 1
    print line; for (i = 2; i <= NF; i++) if ($i ~ /^--/) print line, $i }'
usage=$("$2/bin/checkinctl" --help | sed -n 's/^  \([a-z].*\)/\1/p' | sed 's/   *.*//; s/[][]//g; s/=[A-Z]*//g' | awk "$by_command" | sort)
page=$(sed -n 's/^\.It Cm //p' "$1/daemon/man/checkinctl.1" |
    sed 's/Ns = Ns Ar [a-z]*//g; s/O[opc] *//g; s/Fl -/--/g' | awk "$by_command" | sort)
[ "$usage" = "$page" ] || { echo "FAILED: commands of checkinctl --help and of checkinctl(1) differ:"; echo "$usage" >"$2/usage.txt"; echo "$page" | diff "$2/usage.txt" - || true; exit 1; }
# The package of the installation is the one that is made.
version=$(sed -n 's/^project(checkind VERSION \([0-9.]*\).*/\1/p' "$1/CMakeLists.txt")
grep -q "checkind_${version}_amd64.deb" "$1/daemon/man/checkind-operation.7" || { echo "FAILED: checkind-operation(7) installs another version than $version"; exit 1; }
