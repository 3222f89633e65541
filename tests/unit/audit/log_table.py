"""The table of actions in protocol/log.md against the code: what is written down is in the table, and what is in the
table is written down somewhere; and each row says what it is about and who causes it.

log_table.py SOURCE_DIR
"""
import pathlib
import re
import sys

source = pathlib.Path(sys.argv[1])
PREFIXES = ("CHECKIN_", "INCIDENT_", "")
ACTION = re.compile(r'"([A-Z]{2,}(?:_[A-Z0-9]+)+|READ|DENIED|QUARANTINED)"')


def documented():
    """action -> (object, members, by), from the table of section 5."""
    rows = {}
    text = (source / "protocol/log.md").read_text(encoding="utf-8")
    for line in text[text.index("## 5."):].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and len(cells) == 4 and cells[0][:2].isupper():
            for action in cells[0].split(","):
                assert action.strip() not in rows, f"{action} stands twice in the table"
                rows[action.strip()] = cells[1:]
    return rows


def written():
    """Actions in the code as they stand there."""
    found = {}
    for folder in ("core", "cases", "access"):
        for path in sorted((source / "daemon" / folder).glob("*.c")):
            for action in ACTION.findall(path.read_text(encoding="utf-8")):
                found.setdefault(action, path.name)
    return found


def facts():
    """Words of the scheduler's facts: the engine puts CHECKIN_ or INCIDENT_ in front where there is nothing."""
    text = (source / "scheduler/names.c").read_text(encoding="utf-8")
    return {word.upper() for word in re.findall(r'\[CK_FACT_[A-Z_]+\] = "([a-z_]+)"', text)}


def main():
    table, code, words = documented(), written(), facts()
    assert len(table) > 80 and len(code) > 30 and len(words) > 20, "nothing was read: the forms have changed"
    made = {prefix + word for prefix in PREFIXES for word in words}
    faults = [f"{action} ({where}) is not in the table of protocol/log.md" for action, where in code.items()
              if action not in table]
    faults += [f"{action} is in the table and nowhere in the code" for action in table
               if action not in code and action not in made]
    for action, (thing, members, by) in table.items():
        if not thing:
            faults.append(f"{action}: what it is about is missing")
        people = set(re.findall(r"\b[SPYGW]\b", by))
        if not people and "who" not in by:
            faults.append(f"{action}: who causes it is missing")
    for fault in faults:
        print(fault)
    return 1 if faults else 0


sys.exit(main())
