#!/usr/bin/python3
"""The include directions of the README's map hold because the compiler sees no other header.

For one source of every folder of the product, the compiler is run as the build runs it, on a file that includes one
header: of each folder that it may see (must compile) and of each that it may not (must not be found). Then every
source's search path is held against the map. usage: includes.py SOURCE_DIR BUILD_DIR
"""

import json
import pathlib
import shlex
import subprocess
import sys
import tempfile

MAY = {
    "protocol": {"protocol"},
    "scheduler": {"scheduler", "protocol"},
    "media": {"media", "protocol"},
    "daemon": {"daemon", "protocol", "scheduler"},
}
HEADER = {
    "protocol": "protocol/base/time.h",
    "scheduler": "scheduler/date.h",
    "media": "media/srtp.h",
    "daemon": "daemon/config/log.h",
}
# Libraries of daemon/ that may not see the scheduler are free not to: one that does stands for the folder.
SAMPLE = {
    "protocol": "protocol/base/time.c",
    "scheduler": "scheduler/date.c",
    "media": "media/transport/dtls.c",
    "daemon": "daemon/core/engine.c",
}


def compile_one(command, directory, text):
    """Runs the compiler of this command over text; what it said, or None where it was content."""
    words = shlex.split(command)
    if "ccache" in pathlib.Path(words[0]).name:
        words = words[1:]
    kept, skip = [], False
    for word, following in zip(words, words[1:] + [""]):
        if skip:
            skip = False
        elif word in ("-o", "-MF", "-MT"):
            skip = True
        elif word not in ("-c", "-MD") and not word.endswith(".c"):
            kept.append(word)
    with tempfile.NamedTemporaryFile("w", suffix=".c") as source:
        source.write(text)
        source.flush()
        run = subprocess.run([*kept, "-fsyntax-only", source.name], cwd=directory, capture_output=True, text=True)
    return None if run.returncode == 0 else run.stderr


def main():
    source, build = (pathlib.Path(path).resolve() for path in sys.argv[1:3])
    commands = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        path = pathlib.Path(entry["directory"], entry["file"]).resolve()
        if path.is_relative_to(source) and not path.is_relative_to(build):
            commands[str(path.relative_to(source))] = entry
    faults = []

    for folder, sample in SAMPLE.items():
        entry = commands[sample]
        for other, header in HEADER.items():
            said = compile_one(entry["command"], entry["directory"], f'#include "{header}"\nextern int ck_nothing;\n')
            if other in MAY[folder]:
                if said:
                    faults.append(f"{sample} may include {header} but: {said}")
            elif said is None:
                faults.append(f"{sample} can include {header}")
            elif f"{header}" not in said or not ("No such file" in said or "file not found" in said):
                faults.append(f"{sample} with {header} failed for another reason: {said}")

    looked = 0
    for path, entry in commands.items():
        folder = path.split("/")[0]
        if folder not in MAY:
            continue
        looked += 1
        for word in shlex.split(entry["command"]):
            if not word.startswith("-I"):
                continue
            root = pathlib.Path(entry["directory"], word[2:])
            seen = {other for other in MAY if (root / other).is_dir()} - MAY[folder]
            if seen:
                faults.append(f"{path} is compiled with {word}, which shows {', '.join(sorted(seen))}/")

    for fault in faults:
        print(f"FAILED: {fault}")
    print(f"{looked} sources looked at")
    return 1 if faults or not looked else 0


if __name__ == "__main__":
    sys.exit(main())
