"""Checks a bundle by protocol/log.md ("A bundle") and protocol/recording.md, written apart from the product: Python's own ZIP,
JSON and hashes, openssl for signatures, python3-cryptography for the recordings.

independent_bundle.py FILE [KEY]    KEY: the log's public key as text; else that in the bundle
"""
import base64
import hashlib
import json
import re
import sys
import zipfile
from datetime import datetime

from independent import check_proof, check_signature, node_hash, split_note
from independent_recording import open_sealed

OUTSIDE = {"manifest.json", "built.json", "built.tlog-proof", "built.consistency"}
NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*(/[a-z0-9_-]+(\.[a-z0-9_-]+)*)*")
ENDS = {"checkin": {"CHECKIN_OUTCOME"}, "recording": {"RECORDING_CLOSED", "RECORDING_RECOVERED", "RECORDING_FAILED"}}
LAST_STATES = {"accepted", "delivered", "read", "failed_perm", "expired", "cancelled"}


def canonical(value):
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def leaf_of(data):
    leaf = json.loads(data)
    assert canonical(leaf) == data, "an entry is not canonical"
    return leaf


def unpack(path):
    """The archive's files; as they are, each name once."""
    files = {}
    with zipfile.ZipFile(path) as archive:
        for one in archive.infolist():
            assert one.filename not in files and NAME.fullmatch(one.filename), f"{one.filename}: its name"
            assert one.compress_type == zipfile.ZIP_STORED and not one.extra and not one.comment
            files[one.filename] = archive.read(one)
    return files


def numbered(files, folder, ending):
    for name in files:
        found = re.fullmatch(folder + r"/(\d+)" + re.escape(ending), name)
        if found:
            yield int(found[1]), files[name]


def checkpoint_of(note):
    _, size, root = split_note(note)[0].decode().splitlines()[:3]
    return int(size), base64.b64decode(root)


def signed_by(note, key):
    body, lines = split_note(note)
    return key.split("+")[0] == body.decode().splitlines()[0] and check_signature(body, lines, key)


class Keys:
    """The keys that are trusted: the one given, and those that the log names under one of them."""

    def __init__(self, files, given):
        self.trusted = [given or files["log.vkey"].decode()]
        self.named = dict(numbered(files, "keys", ".json"))
        for number, data in self.named.items():
            proven_under = checkpoint_of(check_proof(files[f"keys/{number}.tlog-proof"], data)[1])
            check_goes_on(files, f"keys/{number}.consistency", proven_under, checkpoint_of(files["checkpoint"]))
        while any([self.take(files, number) for number in sorted(self.named)]):
            pass

    def take(self, files, number):
        leaf = leaf_of(self.named[number])
        key = leaf["open"]["key"]
        if leaf["action"] != "SIGNER_KEY" or key in self.trusted:
            return False
        index, note = check_proof(files[f"keys/{number}.tlog-proof"], self.named[number])
        assert index == number == leaf["index"]
        if not any(self.vouches(files, known, key, number, note) for known in self.trusted):
            return False
        self.trusted.append(key)
        return True

    def vouches(self, files, known, key, number, note):
        """Whether a key that is trusted signed it, and was itself named before: trust never goes back to an earlier key."""
        return known.split("+")[0] == key.split("+")[0] and signed_by(note, known) and any(
            earlier < number and self.names(files, earlier, known) for earlier in self.named)

    def names(self, files, number, key):
        if leaf_of(self.named[number])["open"].get("key") != key:
            return False
        index, note = check_proof(files[f"keys/{number}.tlog-proof"], self.named[number])
        return index == number == leaf_of(self.named[number])["index"] and signed_by(note, key)

    def signed(self, note):
        return any(signed_by(note, key) for key in self.trusted)


def check_consistency(old, old_root, new, new_root, path):
    """RFC 9162 section 2.1.4.2."""
    if old == new:
        assert old_root == new_root and not path
        return
    path = ([old_root] if old & (old - 1) == 0 else []) + path
    first, second = old - 1, new - 1
    while first & 1:
        first, second = first >> 1, second >> 1
    old_now = new_now = path[0]
    for other in path[1:]:
        assert second > 0
        if first & 1 or first == second:
            old_now, new_now = node_hash(other, old_now), node_hash(other, new_now)
            while not first & 1 and first:
                first, second = first >> 1, second >> 1
        else:
            new_now = node_hash(new_now, other)
        first, second = first >> 1, second >> 1
    assert second == 0 and old_now == old_root and new_now == new_root, "two logs were signed"


def check_goes_on(files, name, old, new):
    """That one checkpoint goes on to another, by a file of the form of add-checkpoint; of equal sizes there is none."""
    head, _, after = files[name].partition(b"\n\n") if old[0] != new[0] else (b"", b"", b"")
    lines = head.decode().splitlines()
    assert old[0] == new[0] or (lines[0] == f"old {old[0]}" and checkpoint_of(after) == new)
    check_consistency(*old, *new, [base64.b64decode(line) for line in lines[1:]])


def check_manifest(files):
    manifest = json.loads(files["manifest.json"])
    listed = manifest["files"]
    there = set(files) - OUTSIDE
    assert there == set(listed), f"not as listed: {sorted(there ^ set(listed))[:5]}"
    for name, digest in listed.items():
        assert hashlib.sha256(files[name]).hexdigest() == digest, f"{name} was changed"
    return manifest


def check_built(files, manifest, keys, size, root):
    built = leaf_of(files["built.json"])
    assert built["action"] == "BUNDLE_BUILT"
    assert built["open"]["manifest"] == hashlib.sha256(files["manifest.json"]).hexdigest(), "another manifest was made"
    assert built["open"]["audience"] == manifest["audience"]
    index, note = check_proof(files["built.tlog-proof"], files["built.json"])
    assert index == built["index"] and keys.signed(note)
    check_goes_on(files, "built.consistency", (size, root), checkpoint_of(note))
    return built


def check_entries(files, size, root):
    entries = {}
    for number, data in numbered(files, "entries", ".json"):
        leaf = leaf_of(data)
        assert leaf["index"] == number, f"entries/{number}.json is another"
        proof = files.get(f"entries/{number}.tlog-proof")
        assert (proof is not None) == (number < size), f"entries/{number}: its proof"
        if proof is not None:
            index, note = check_proof(proof, data)
            assert index == number and checkpoint_of(note) == (size, root), f"entries/{number}: another checkpoint"
        entries[number] = leaf
    return entries


def check_opened(files, entries):
    count = 0
    for number, data in numbered(files, "opened", ".json"):
        for name, (salt, value) in json.loads(data).items():
            digest = hashlib.sha256(bytes.fromhex(salt) + name.encode() + b"\0" + canonical(value)).hexdigest()
            assert entries[number]["sealed"][name] == digest, f"{name} of entry {number} is not what it commits to"
            count += 1
    return count


def has_end(kind, chain):
    if kind == "notice":
        return any(leaf["open"].get("state") in LAST_STATES for leaf in chain)
    return kind not in ENDS or any(leaf["action"] in ENDS[kind] for leaf in chain)


def check_objects(manifest, entries, built):
    chains = {}
    for number in sorted(entries):
        chains.setdefault(entries[number]["object"]["id"], []).append(entries[number])
    assert set(chains) <= set(manifest["objects"]), "an entry is about something else"
    if manifest["audience"] == "person":
        return chains
    for name, about in manifest["objects"].items():
        chain = chains[name]
        assert chain[-1]["index"] == about["last"], f"the newest about {name} is left out"
        assert [leaf["prev"] for leaf in chain] == [None] + [leaf["index"] for leaf in chain[:-1]], f"{name}: one is left out"
        newest, made = (datetime.fromisoformat(leaf["at"].replace("Z", "+00:00")) for leaf in (chain[-1], built))
        assert has_end(about["kind"], chain) or (made - newest).days < 1, f"{about['kind']} {name} has no end"
    return chains


def check_recordings(files, manifest, chains):
    count = 0
    owners = {about["file"]: name for name, about in manifest["objects"].items() if about["kind"] == "recording"}
    for number, sealed in numbered(files, "recordings", ".ckr"):
        recording, plain, heads, _ = open_sealed(sealed, bytes.fromhex(files[f"recordings/{number}.key"].decode()))
        chain = chains[owners[number]]
        assert not any(leaf["action"] == "EXPIRY_ERASED" for leaf in chain), "it was destroyed"
        spoken = [(leaf["open"]["chunks"], leaf["open"]["bytes"], leaf["open"]["head"]) for leaf in chain if "head" in leaf["open"]]
        heads[-1] = (heads[-1][0], len(sealed), heads[-1][2])  # behind the trailer stands the footer
        assert recording == number and set(spoken) <= set(heads), f"recording {number} is not that of the log"
        if any(leaf["action"] in ("RECORDING_CLOSED", "RECORDING_RECOVERED") for leaf in chain):
            assert spoken[-1] == heads[-1], f"recording {number} goes on"
        assert plain == files[f"recordings/{number}.webm"], f"recording {number} plays something else"
        count += 1
    return count


def main(path, given=None):
    files = unpack(path)
    keys = Keys(files, given)
    assert keys.signed(files["checkpoint"]), "the checkpoint is by a key that is not trusted"
    size, root = checkpoint_of(files["checkpoint"])
    manifest = check_manifest(files)
    assert manifest["covers"] == size
    built = check_built(files, manifest, keys, size, root)
    entries = check_entries(files, size, root)
    opened = check_opened(files, entries)
    chains = check_objects(manifest, entries, built)
    recordings = check_recordings(files, manifest, chains)
    print(f"{len(files)} files, {len(entries)} entries, {opened} texts, {recordings} recordings, for the {manifest['audience']}")


if __name__ == "__main__":
    main(*sys.argv[1:])
