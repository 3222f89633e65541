"""Checks a copy of the log by the rules of RFC 6962, C2SP tlog-tiles and signed notes, written apart from the product
and with nothing but Python's hashlib; openssl verifies the signature.

independent.py FOLDER         the copy of a log
independent.py FOLDER PROOF ENTRY   also that the entry is in it by this .tlog-proof
"""
import base64
import hashlib
import os
import subprocess
import sys
import tempfile


def leaf_hash(data):
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of(hashes):
    """RFC 6962 section 2.1, as it is written there."""
    if not hashes:
        return hashlib.sha256().digest()
    if len(hashes) == 1:
        return hashes[0]
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    return node_hash(root_of(hashes[:split]), root_of(hashes[split:]))


def tile_path(kind, number, width):
    groups = ["%03d" % (number % 1000)]
    number //= 1000
    while number:
        groups.insert(0, "x%03d" % (number % 1000))
        number //= 1000
    return "tile/%s/%s%s" % (kind, "/".join(groups), "" if width == 256 else ".p/%d" % width)


def read(folder, name):
    with open(os.path.join(folder, name), "rb") as file:
        return file.read()


def split_note(note):
    body, signatures = note.rsplit(b"\n\n", 1)
    return body + b"\n", signatures.decode().splitlines()


def check_signature(body, lines, vkey):
    name, key_id, material = vkey.strip().split("+", 2)
    material = base64.b64decode(material, validate=True)
    assert material[0] == 1 and len(material) == 33
    assert hashlib.sha256(name.encode() + b"\n" + material).digest()[:4].hex() == key_id
    for line in lines:
        dash, who, encoded = line.split(" ")
        raw = base64.b64decode(encoded, validate=True)
        if dash == "\u2014" and who == name and raw[:4].hex() == key_id:
            return openssl_verifies(material[1:], body, raw[4:])
    return False


def openssl_verifies(key, message, signature):
    spki = bytes.fromhex("302a300506032b6570032100") + key
    with tempfile.TemporaryDirectory() as folder:
        paths = [os.path.join(folder, name) for name in ("key", "message", "signature")]
        for path, data in zip(paths, (spki, message, signature)):
            with open(path, "wb") as file:
                file.write(data)
        return subprocess.run(["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", paths[0],
                               "-rawin", "-in", paths[1], "-sigfile", paths[2]], stdout=subprocess.DEVNULL).returncode == 0


def check_copy(folder):
    body, lines = split_note(read(folder, "checkpoint"))
    origin, size, root = body.decode().splitlines()
    size, root = int(size), base64.b64decode(root)
    vkey = read(folder, "log.vkey").decode()
    assert vkey.split("+")[0] == origin, "the key is of another log"
    assert check_signature(body, lines, vkey), "the signature is false"
    hashes = []
    for first in range(0, size, 256):
        width = min(256, size - first)
        bundle = read(folder, tile_path("entries", first // 256, width))
        tile, at = [], 0
        for _ in range(width):
            length = int.from_bytes(bundle[at:at + 2], "big")
            tile.append(leaf_hash(bundle[at + 2:at + 2 + length]))
            at += 2 + length
        assert at == len(bundle), "something stands behind the last entry"
        assert b"".join(tile) == read(folder, tile_path(0, first // 256, width)), "a tile is false"
        hashes += tile
    assert root_of(hashes) == root, "the root is false"
    above = [root_of(hashes[i:i + 256]) for i in range(0, size // 256 * 256, 256)]
    for first in range(0, len(above), 256):
        width = min(256, len(above) - first)
        assert b"".join(above[first:first + width]) == read(folder, tile_path(1, first // 256, width)), "a tile is false"
    return size


def check_proof(proof, entry):
    """RFC 9162 section 2.1.3.2: the entry's number, and the note of the checkpoint that it leads to."""
    head, note = proof.split(b"\n\n", 1)
    lines = head.decode().splitlines()
    assert lines[0] == "c2sp.org/tlog-proof@v1" and lines[1].startswith("index ")
    index, path = int(lines[1][6:]), [base64.b64decode(line) for line in lines[2:]]
    _, size, root = split_note(note)[0].decode().splitlines()
    at, last, digest = index, int(size) - 1, leaf_hash(entry)
    for other in path:
        assert last > 0
        if at & 1 or at == last:
            digest = node_hash(other, digest)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            digest = node_hash(digest, other)
        at, last = at >> 1, last >> 1
    assert last == 0 and digest == base64.b64decode(root), "the proof is false"
    return index, note


if __name__ == "__main__":
    print("entries", check_copy(sys.argv[1]))
    if len(sys.argv) > 2:
        with open(sys.argv[2], "rb") as proof, open(sys.argv[3], "rb") as entry:
            print("entry", check_proof(proof.read(), entry.read())[0])
