"""Makes the words of the reports out of the console's catalogues, so that a report and the console say the same.

words.py EN KK RU: the catalogues; the C table goes to standard output.
"""
import json
import re
import sys

PREFIXES = ("outcome_", "fact_", "line_", "channel_", "kind_", "leg_", "conclusion_")
ENTRY = re.compile(r'^\s+([a-z0-9_]+): ("(?:[^"\\]|\\.)*"),?\s*$', re.M)


def load(path):
    with open(path, encoding="utf-8") as file:
        found = {key: json.loads(value) for key, value in ENTRY.findall(file.read())}
    return {key: value for key, value in found.items() if key.startswith(PREFIXES) and "{" not in value}


def literal(text):
    return json.dumps(text, ensure_ascii=False)


languages = [load(path) for path in sys.argv[1:4]]
keys = sorted(set(languages[0]) & set(languages[1]) & set(languages[2]))
assert len(keys) > 50, "the catalogues are not of the form that is expected"
print('#include "daemon/bundle/words_impl.h"\n\nconst struct ck_bundle_word ck_bundle_words[] = {')
for key in keys:
    print("    {%s, {%s}}," % (literal(key), ", ".join(literal(language[key]) for language in languages)))
print("};\nconst size_t ck_bundle_word_count = sizeof ck_bundle_words / sizeof ck_bundle_words[0];")
