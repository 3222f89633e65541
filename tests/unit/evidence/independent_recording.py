"""Opens a sealed recording by protocol/recording.md, written apart from the product.

independent_recording.py SEALED KEYFILE PLAIN   checks the chain and every tag, writes the WebM file, and tells the heads
"""
import hashlib
import hmac
import struct
import sys

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

HEADER = struct.Struct(">4sBBHQQII16s32s")
KINDS = {1: "gap", 2: "pause", 3: "size"}  # those that a trailer has


def hkdf(key, salt, info):
    """RFC 5869, one block."""
    extracted = hmac.new(salt, key, hashlib.sha256).digest()
    return hmac.new(extracted, info + b"\x01", hashlib.sha256).digest()


def said(what, rest):
    """What a gap or a pause, or a size, says besides."""
    packets, width, height = struct.unpack(">I", rest[:4])[0], *struct.unpack(">HH", rest[:4])
    assert rest[4:] == bytes(12)
    return f"{packets} packets" if KINDS[what] in ("gap", "pause") else f"{width}x{height}"


def open_sealed(sealed, key):
    """What plays, the heads (chunks, bytes, end of the chain), and what it says of itself."""
    magic, version, context_size, zero, recording, start = struct.unpack(">8sHHIQQ", sealed[:32])
    assert magic == b"\x89CKREC\r\n" and version == 1 and zero == 0
    at = 32 + context_size
    chain = hashlib.sha256(sealed[:at]).digest()
    chunks = {}
    heads = []
    said_marks = []
    index = 0
    kind = 0
    trailer_at, ending = struct.unpack(">Q8s", sealed[-16:])
    assert ending == b"CKRECEND"
    while kind != 3:
        torn = sealed[at:at + 4] != b"CKch" or struct.unpack(">Q", sealed[at + 8:at + 16])[0] != index \
            or at + 96 + sum(struct.unpack(">II", sealed[at + 24:at + 32])) > trailer_at and at != trailer_at
        if torn:  # by a crash: a recovered trailer goes on from the chain in front of it
            assert sealed[trailer_at + 5] & 1 and trailer_at > at
            at = trailer_at
        place = at
        mark, kind, flags, _, number, of, media, notes, salt, previous = HEADER.unpack(sealed[at:at + 80])
        assert mark == b"CKch" and number == index and of == recording and previous == chain, f"chunk {index}"
        end = at + 80 + media + notes + 16
        nonce = bytes(4) + struct.pack(">Q", index)
        body = AESGCM(hkdf(key, salt, b"checkind recording chunks v1")).decrypt(
            nonce, sealed[at + 80:end], sealed[at:at + 80])
        chain = hashlib.sha256(sealed[at:end]).digest()
        chunks[place] = (body[:media], body[media:])
        at = end
        index += 1
        heads.append((index, at, chain.hex()))
    assert trailer_at == place and at == len(sealed) - 16
    cues, notes = chunks[place]
    head_size, length, sound, picture, width, height, listed, marks = struct.unpack(">IQBBHHII", notes[:26])
    notes = notes[26:]
    plain = notes[:head_size]
    notes = notes[head_size:]
    for _ in range(listed):
        begins = struct.unpack(">Q", notes[:8])[0]
        plain += chunks[begins][0]
        notes = notes[56:]
    plain += cues
    for _ in range(marks):
        what, source, code, begins, until = struct.unpack(">BBHQQ", notes[:20])
        said_marks.append(f"{KINDS[what]} source {source} code {code:#x} {begins}-{until} {said(what, notes[20:36])}")
        notes = notes[36:]
    assert not notes
    said_marks.append(f"recording {recording:#x} of {start}: {length} ms, {width}x{height}, sound {sound}, picture {picture}, "
                      f"flags {flags}")
    return recording, plain, heads, said_marks


def main(sealed_path, key_path, plain_path):
    with open(sealed_path, "rb") as sealed, open(key_path) as key, open(plain_path, "wb") as out:
        _, plain, heads, lines = open_sealed(sealed.read(), bytes.fromhex(key.read().strip()))
        out.write(plain)
    for head in heads:
        print("head %d:%d:%s" % head)
    print("\n".join(lines))


if __name__ == "__main__":
    main(*sys.argv[1:])
