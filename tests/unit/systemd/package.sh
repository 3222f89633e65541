#!/bin/sh
# The Debian package: everything a server needs is in it and nothing else, lintian finds no error, and the program in it
# accepts the configuration that comes along. usage: package.sh BUILD_DIR; 77 where a tool is missing.
set -eu
build=$1

for tool in cpack dpkg-deb dpkg-shlibdeps lintian strip; do
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

(cd "$build" && cpack -G DEB -B "$root/made" >"$root/cpack.log" 2>&1) || fail "cpack: $(cat "$root/cpack.log")"
package=$(echo "$root"/made/checkind_*.deb)
[ -f "$package" ] || fail "no package was made"
dpkg-deb -x "$package" "$root/tree"
dpkg-deb -e "$package" "$root/control"

for file in usr/sbin/checkind usr/sbin/checkinctl usr/libexec/checkind/checkin-media usr/libexec/checkind/checkin-render \
    usr/libexec/checkind/checkin-signer usr/bin/checkin-verify usr/lib/systemd/system/checkin-signer.socket \
    usr/share/checkind/pages/console.html usr/share/checkind/pages/person.html usr/lib/systemd/system/checkind.service \
    usr/lib/sysusers.d/checkind.conf usr/lib/tmpfiles.d/checkind.conf usr/lib/systemd/catalog/checkind.catalog \
    usr/share/doc/checkind/examples/turnserver.conf usr/share/man/man8/checkind.8.gz usr/share/man/man7/checkind-operation.7.gz usr/share/man/man8/checkin-signer.8.gz usr/share/man/man1/checkinctl.1.gz usr/share/man/man1/checkin-verify.1.gz usr/share/man/man5/checkind.conf.5.gz \
    etc/checkind/checkind.conf; do
    [ -s "$root/tree/$file" ] || fail "the package has no $file"
done
# Every program that a unit starts is in it.
sed -n 's/^Exec[A-Za-z]*=[-+!@:]*\([^ ]*\).*/\1/p' "$root"/tree/usr/lib/systemd/system/*.service | sort -u | while read -r program; do
    # The one program of another package, which the package depends on.
    if [ "$program" = /bin/kill ] && grep -q '^Depends:.*procps' "$root/control/control"; then continue; fi
    [ -x "$root/tree$program" ] || { echo "FAILED: a unit starts $program, which the package lacks" >&2; exit 1; }
done || exit 1
grep -qx /etc/checkind/checkind.conf "$root/control/conffiles" || fail "the configuration would be overwritten"
grep -q '^Depends:.*libwebsockets-evlib-uv' "$root/control/control" || fail "the event loop would be missing"
! grep -rqF "$(cd "$build/../.." && pwd)" "$root/tree/usr/sbin" "$root/tree/etc" || fail "a path of the build is in the package"

# Errors alone: a package that no distribution uploads has no bug number, no team and no upload queue.
lintian --fail-on error --display-level error --tag-display-limit 0 --allow-root \
    --suppress-tags bogus-mail-host,bogus-mail-host-in-debian-changelog,malformed-contact "$package" >"$root/lintian" 2>&1 || fail "lintian: $(cat "$root/lintian")"

mkdir -m 700 "$root/credentials"
openssl rand -hex 32 >"$root/credentials/master.key"
chmod 600 "$root/credentials/master.key"
said=$(CREDENTIALS_DIRECTORY="$root/credentials" "$root/tree/usr/sbin/checkind" --config="$root/tree/etc/checkind/checkind.conf" \
    --check-config 2>&1) || fail "the sample configuration: $said"
