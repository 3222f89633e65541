#!/bin/sh
# The units as systemd sees them: clean, sandboxed within the target, with their user, folders and messages.
# usage: units.sh SOURCE_DIR; 77 where a tool is missing.
set -eu
source=$1

for tool in systemd-analyze systemd-sysusers systemd-tmpfiles journalctl; do
    if ! command -v "$tool" >/dev/null; then
        echo "skipped: there is no $tool"
        exit 77
    fi
done
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

# The programs are not installed here: any program stands for them.
mkdir "$root/units" "$root/etc"
sed 's#^ExecStart=/usr/sbin/checkind#ExecStart=/bin/true#' "$source/systemd/checkind.service" >"$root/units/checkind.service"
sed 's#^ExecStart=/usr/libexec/checkind/checkin-signer#ExecStart=/bin/true#' "$source/systemd/checkin-signer.service" >"$root/units/checkin-signer.service"
cp "$source/systemd/checkin-signer.socket" "$root/units/"
said=$(systemd-analyze verify --man=no "$root"/units/* 2>&1) || fail "verify: $said"
# Nothing but what this tool says about a machine without systemd running.
said=$(echo "$said" | grep -v "couldn't retrieve kernel system call list" || true)
[ -z "$said" ] || fail "verify: $said"

# exposure UNIT TENTHS: no more of the system may be open to it.
exposure() {
    systemd-analyze security --offline=true --no-pager --threshold="$2" "$source/systemd/$1" >"$root/exposure" 2>/dev/null ||
        fail "$1: exposure above $2 tenths: $(tail -n 1 "$root/exposure")"
    tail -n 1 "$root/exposure"
}
exposure checkind.service 12
# Nothing of the memory of either comes to lie on a disk.
for unit in checkind.service checkin-signer.service; do
    for line in LimitCORE=0 MemorySwapMax=0; do
        grep -qx "$line" "$source/systemd/$unit" || fail "$unit: no $line"
    done
done
exposure checkin-signer.service 5
# Refused, these would only make the packets of a full machine late, and nothing would fail.
grep -qx "SystemCallFilter=setpriority sched_setattr" "$source/systemd/checkind.service" ||
    fail "checkind.service: packets do not go before what is written"
# Each is started again whatever ended it, but for what only people can mend (EX_USAGE, EX_CONFIG).
for unit in checkind.service checkin-signer.service; do
    for line in Restart=always "RestartPreventExitStatus=64 78"; do
        grep -qx "$line" "$source/systemd/$unit" || fail "$unit: no $line"
    done
done

systemd-sysusers --root="$root" "$source/systemd/checkind.sysusers" || fail "sysusers"
for user in checkind checkin-signer; do
    grep -q "^$user:" "$root/etc/passwd" || fail "no user $user"
done
systemd-tmpfiles --root="$root" --create "$source/systemd/checkind.tmpfiles" || fail "tmpfiles"
for folder in checkind checkin-signer; do
    [ "$(stat -c %a "$root/var/lib/$folder")" = 700 ] || fail "the state directory of $folder is open to others"
done

mkdir -p "$root/usr/lib/systemd/catalog" "$root/var/lib/systemd/catalog"
cp "$source/systemd/checkind.catalog" "$root/usr/lib/systemd/catalog/"
journalctl --root="$root" --update-catalog || fail "catalogue"
# Every event of the journal helper has an entry, and the other way round.
grep -o '"[0-9a-f]\{32\}"' "$source/daemon/config/log.c" | tr -d '"' | sort >"$root/events"
sed -n 's/^-- \([0-9a-f]*\)$/\1/p' "$source/systemd/checkind.catalog" | sort >"$root/entries"
[ -s "$root/events" ] || fail "no events in log.c"
diff "$root/events" "$root/entries" || fail "events and catalogue differ"
[ -z "$(uniq -d "$root/events")" ] || fail "an id stands for two events"
# And every event is told by somebody.
for event in $(sed -n 's/^    \(CK_LOG_EVENT_[A-Z_]*\).*/\1/p' "$source/daemon/config/log.h" | grep -v _COUNT); do
    grep -rqw --include='*.c' --exclude=log.c "$event" "$source/daemon" || fail "nobody tells $event"
done
