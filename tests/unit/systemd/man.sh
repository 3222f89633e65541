#!/bin/sh
# The manual pages are well-formed, and that of the configuration names every setting.
# usage: man.sh SOURCE_DIR BUILD_DIR; 77 where the tool is missing.
set -eu
if ! command -v mandoc >/dev/null; then
    echo "skipped: there is no mandoc"
    exit 77
fi
said=$(mandoc -T lint -W style "$1"/daemon/man/*.[18] "$2/man/checkind.conf.5" 2>&1 |
    grep -v -e 'referenced manual not found' -e 'outdated mandoc.db' || true)
if [ -n "$said" ]; then
    echo "FAILED: $said"
    exit 1
fi
text=$(mandoc -T ascii "$2/man/checkind.conf.5" | sed 's/.\x08//g')
for key in $(sed -n 's/.*\.key = "\([a-z_]*\)",.*/\1/p' "$1/daemon/config/settings.c" | sort -u); do
    if ! echo "$text" | grep -q "^  *$key\( \|\$\)"; then
        echo "FAILED: checkind.conf(5) does not say what $key is"
        exit 1
    fi
done
