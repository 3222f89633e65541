#!/usr/bin/python3
"""Prints what wall times around every change of every zone must become, from 1970 to 2037.

The changes are found by zdump (the C library's own reader), the answers come from Python's zoneinfo: two readers that have
nothing in common with ours. One block a zone:

    Z <name>
    <wall second> <instant of the first occurrence> <instant of the last>     wall seconds count from 1970 in local time
    @<instant> <offset>
"""
import datetime
import hashlib
import os
import subprocess
import sys
import zoneinfo

EPOCH = datetime.datetime(1970, 1, 1)
UTC_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
ROOT = "/usr/share/zoneinfo"
YEARS = "1970,2038"
MONTHS = {m: i + 1 for i, m in enumerate("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split())}


def distinct_zones():
    """One name for each content: links repeat it."""
    seen = set()
    for name in sorted(zoneinfo.available_timezones()):
        with open(os.path.join(ROOT, name), "rb") as file:
            digest = hashlib.sha256(file.read()).digest()
        if digest not in seen:
            seen.add(digest)
            yield name


def changes(names):
    """Instants at which something about the zone changes, by zone."""
    out = subprocess.run(["zdump", "-v", "-c", YEARS] + names, capture_output=True, text=True, check=True,
                         cwd=ROOT).stdout
    found = {name: [] for name in names}
    for line in out.splitlines():
        words = line.split()
        # Europe/Berlin  Sun Mar 29 00:59:59 2026 UT = Sun …: the last second before, and the first after
        if len(words) < 8 or words[6] not in ("UT", "UTC"):
            continue
        year = int(words[5])
        if not 1970 <= year <= 2037:
            continue
        hour, minute, second = (int(x) for x in words[4].split(":"))
        at = datetime.datetime(year, MONTHS[words[2]], int(words[3]), hour, minute, second)
        found[words[0]].append(int((at - EPOCH).total_seconds()))
    return found


def instant(wall, zone, fold):
    local = (EPOCH + datetime.timedelta(seconds=wall)).replace(tzinfo=zone, fold=fold)
    return wall - int(local.utcoffset().total_seconds())


def main():
    names = list(distinct_zones())
    out = []
    for name, instants in changes(names).items():
        zone = zoneinfo.ZoneInfo(name)
        out.append("Z " + name)
        walls = set()
        for at in instants:
            offset = int((UTC_EPOCH + datetime.timedelta(seconds=at)).astimezone(zone).utcoffset().total_seconds())
            out.append("@%d %d" % (at, offset))
            for step in (-3600, -1, 0, 1800, 3599, 3600):
                walls.add(at + offset + step)
        for wall in sorted(walls):
            first = instant(wall, zone, 0)
            # zoneinfo answers fold=1 inside a gap with the time before it; our last is then the same as the first.
            out.append("%d %d %d" % (wall, first, max(first, instant(wall, zone, 1))))
    sys.stdout.write("\n".join(out) + "\n")


main()
