"""Verifies an Askfirst audit log with nothing but the Python standard library.

    python3 verify_standalone.py LOG [--key VKEY]... [--checkpoint FILE]... [--seen SIZE:ROOT]...

LOG is the store (an SQLite file), an export's folder or an export in one file. Without --key the key is the one found
beside the log, which says nothing about whose log it is. Exit status: 0 verified, 1 something is wrong, 2 usage.

The whole claim, so that you can check it against this file:
  leaf  = SHA-256(0x00 || stored bytes of the entry)                                      RFC 6962, section 2.1
  node  = SHA-256(0x01 || left || right); the tree over n > 1 leaves splits at the largest power of two below n
  head  = origin, number of entries, base64 of the root, signed with Ed25519               c2sp.org/tlog-checkpoint
A log verifies when the root over its entries is the one in its signed head, and in each --checkpoint and --seen: then
the entries that those were made from are all there, in the same order, byte for byte. A store must also hold exactly
the payloads that entries name by SHA-256(salt || bytes), without those that entries say were erased.
A key that was changed signed, in the entry of the change, a last head over all before it, with the key that follows.
Not looked at: cosignatures, and what a store keeps to be quicker (leaf hashes, tiles, frontier).
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import sqlite3
import sys
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

Point = tuple[int, int, int, int]
Key = tuple[str, bytes, bytes]
Keys = dict[Key, float]  # each with the number of entries up to which it signs
Head = tuple[str, int, bytes]  # what it is, number of entries, the first bytes of its root
Marks = dict[int, tuple[bytes, str]]  # by the number of entries: their root, when the next (or the last) was made
Entries = Iterable[tuple[int, bytes]]
Payloads = Iterable[tuple[bytes, bytes, bytes]]

# --- Ed25519, RFC 8032 section 5.1.7; only public values are handled, so it need not take constant time -------------

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
BASE_X = 15112221349535400772501151409588531511454012693041857206046113283949847762202
BASE_Y = 4 * pow(5, P - 2, P) % P
BASE = (BASE_X, BASE_Y, 1, BASE_X * BASE_Y % P)


def decode_point(data: bytes) -> Point | None:
    """The point with this encoding, in extended coordinates (X, Y, Z, T); None when there is none."""
    y, sign = int.from_bytes(data, "little") & (1 << 255) - 1, data[31] >> 7
    xx = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(xx, (P + 3) // 8, P)
    if (x * x - xx) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if y >= P or (x * x - xx) % P or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


def add(p: Point, q: Point) -> Point:
    """The sum of two points (RFC 8032, section 5.1.4)."""
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def multiply(scalar: int, point: Point) -> Point:
    """The point added to itself that many times."""
    result = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            result = add(result, point)
        point, scalar = add(point, point), scalar >> 1
    return result


def ed25519_verifies(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the signature is the key's over the message."""
    if len(public) != 32 or len(signature) != 64:
        return False
    a, r, s = decode_point(public), decode_point(signature[:32]), int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= L:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % L
    left, right = multiply(s, BASE), add(r, multiply(h, a))
    return not ((left[0] * right[2] - right[0] * left[2]) % P or (left[1] * right[2] - right[1] * left[2]) % P)


# --- Keys and signed heads, c2sp.org/signed-note ---------------------------------------------------------------------


def parse_vkey(line: str) -> Key:
    """(name, key id, public key) of `name+hexadecimal key id+base64(0x01 || key)`."""
    name, key_id, encoded = line.strip().split("+", 2)
    raw = base64.b64decode(encoded, validate=True)
    if hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4].hex() != key_id or raw[0] != 1 or len(raw) != 33:
        raise ValueError(f"{line!r} is no Ed25519 vkey")
    return name, bytes.fromhex(key_id), raw[1:]


def open_head(note: str, keys: Keys, hint: str = "") -> tuple[int, bytes]:
    """(size, root) of a checkpoint that a key, in its time, signed under the checkpoint's own name; else ``hint``."""
    if not note.strip():
        raise ValueError("the signed head is missing: whatever is there is no log that was signed")
    text, _, signatures = note.rpartition("\n\n")
    origin, size, root = text.split("\n")[:3]
    signed = False
    for line in signatures.splitlines():
        dash, name, encoded = line.split(" ")
        blob = base64.b64decode(encoded, validate=True)
        for (key_name, key_id, public), limit in keys.items():
            if (dash, name, blob[:4]) == ("\u2014", key_name, key_id):
                if not ed25519_verifies(public, f"{text}\n".encode(), blob[4:]):
                    raise ValueError(f"the signature of {name!r} is wrong")
                signed = signed or (name == origin and int(size) <= limit)
    root_hash = base64.b64decode(root, validate=True)
    if not signed or len(root_hash) != 32:
        raise ValueError(f"no known key of {origin!r} signed the head of {size} entries, or was changed before{hint}")
    return int(size), root_hash


def follow(index: int, body: bytes, keys: Keys, chain: list[Key]) -> list[Head]:
    """Know the key that a known one gave its place to, by its word in the entry of the change: its last head."""
    if ((entry := json.loads(body))["type"], entry.get("v")) != ("log.key_rotated", 1):
        return []
    new, word = entry["data"]["new"], entry["data"].get("endorsement")  # no word: changed by an earlier version
    before, after = parse_vkey(entry["data"]["old"]), parse_vkey(new)
    goes_on = chain[-1:] in ([], [before]) and after not in [*chain, before] and after[0] == before[0]
    size, root = (index, b"") if word is None else open_head(word, {before: index})
    if not goes_on or size != index or (word and word.split("\n")[3] != f"next {new}"):
        raise ValueError(f"entry {index} changes the key, but not from and to those that fit there ({time_of(body)})")
    chain += [before, after]
    if word is None or before not in keys:
        return []
    keys |= {before: index, after: keys.get(after, float("inf"))}
    return [(f"the old key's last head, by whose word it was changed at entry {index}", size, root)]


# --- The tree, RFC 6962 section 2.1 -----------------------------------------------------------------------------------


def push(stack: list[bytes], count: int, leaf: bytes) -> None:
    """Append the leaf that has `count` before it to the roots of the complete subtrees, largest first."""
    while count & 1:
        leaf = hashlib.sha256(b"\x01" + stack.pop() + leaf).digest()
        count >>= 1
    stack.append(leaf)


def root_of(stack: list[bytes]) -> bytes:
    """The root over the complete subtrees."""
    root = stack[-1] if stack else hashlib.sha256(b"").digest()
    for left in reversed(stack[:-1]):
        root = hashlib.sha256(b"\x01" + left + root).digest()
    return root


# --- Where the log is read from ---------------------------------------------------------------------------------------


def read_log(path: Path) -> tuple[str, list[str], Entries, Payloads | None]:
    """(signed head, keys beside it, (index, stored bytes)…, (digest, salt, bytes)…, which only a store has)."""
    beside = path / "log.vkey" if path.is_dir() else path.with_name("log.vkey")
    vkeys = beside.read_text("utf-8").split() if beside.exists() else []
    if path.is_dir():
        return (path / "checkpoint").read_text("utf-8"), vkeys, numbered((path / "entries.jsonl").open("rb")), None
    file = path.open("rb")
    if file.read(16) == b"SQLite format 3\0":
        store = sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", uri=True, isolation_level=None)
        store.execute("begin")  # one view of everything, while the broker may write on
        head = store.execute("select checkpoint from tree").fetchone()
        payloads = store.execute("select sha256, salt, bytes from blob")
        return head[0] if head else "", vkeys, store.execute("select seq, body from audit order by seq"), payloads
    file.seek(0)
    header = json.loads(file.readline())
    return header["checkpoint"], header["vkeys"], numbered(file), None


def numbered(file: Iterable[bytes]) -> Entries:
    """Each line with its number."""
    return ((index, line.removesuffix(b"\n")) for index, line in enumerate(file))


# --- Verification -----------------------------------------------------------------------------------------------------


def note_payloads(index: int, body: bytes, named: dict[str, int]) -> None:
    """Add the payloads that an entry names, take away those that it says were erased."""
    named.update((digest.decode(), index) for digest in re.findall(rb'{"len":\d+,"sha256":"([0-9a-f]{64})"}', body))
    if b'"blob.erased"' in body and (entry := json.loads(body))["type"] == "blob.erased":
        erased = entry["data"].get("sha256", [])
        for digest in [erased] if isinstance(erased, str) else erased:
            named.pop(digest, None)


def payload_faults(payloads: Payloads, named: dict[str, int]) -> list[str]:
    """What is wrong with the payloads that are there, and which are not."""
    faults = list[str]()
    for digest, salt, payload in payloads:
        is_whole = len(salt) == 32 and hashlib.sha256(salt + payload).digest() == digest
        if named.pop(digest.hex(), None) is None or not is_whole:
            faults.append(f"the payload {digest.hex()} was changed, or put there, or put back after it was erased")
    return faults + [f"the payload {digest} of entry {index} is gone" for digest, index in named.items()]


def time_of(body: bytes) -> str:
    """When an entry was made, for people."""
    found = re.search(rb'"t":"([-0-9T:.]+Z)"', body)
    return f"since {found[1].decode()}" if found else "since when, no entry tells"


def read_entries(sizes: set[int], entries: Entries, keys: Keys) -> tuple[Marks, list[Head], dict[str, int]]:
    """(what is at these sizes and at the end, last heads of keys that were changed, payloads that entries name)."""
    stack, size, body, chain = list[bytes](), 0, b"", list[Key]()
    marks, words, named = Marks(), list[Head](), dict[str, int]()
    for index, following in entries:
        if index != size:
            raise ValueError(f"entry {size} is missing: entry {index} follows entry {size - 1} ({time_of(body)})")
        body = following
        changed = follow(index, body, keys, chain) if b'"log.key_rotated"' in body else []
        if size in sizes or changed:
            marks[size] = root_of(stack), time_of(body)
        words += changed
        if b'"sha256":' in body:
            note_payloads(index, body, named)
        push(stack, size, hashlib.sha256(b"\x00" + body).digest())
        size += 1
    marks[size] = root_of(stack), time_of(body)
    return marks, words, named


def compare(heads: list[Head], marks: Marks) -> tuple[list[str], list[str]]:
    """Which heads hold, and which do not."""
    present, holds, fails = max(marks), list[str](), list[str]()
    good = [size for _, size, root in heads if size <= present and marks[size][0].startswith(root)]
    for name, size, root in heads:
        if size > present:
            gone = f"{name} has {size} entries, {present} are present: the last {size - present} are gone"
            fails.append(f"{gone} ({marks[present][1]})")
        elif not marks[size][0].startswith(root):
            since = max((one for one in good if one < size), default=0)
            differs = f"{name}: the root over the first {size} entries differs: they were rewritten"
            fails.append(f"{differs}, from entry {since} on or later ({marks[since][1]})")
        else:
            holds.append(f"{name}: the first {size} entries are exactly those it was made from")
    return holds, fails


def verify(path: Path, vkeys: list[str], checkpoints: list[str], seen: list[str]) -> tuple[list[str], ...]:
    """What holds, what does not, and what was not looked at."""
    note, found_vkeys, entries, payloads = read_log(path)
    keys = {parse_vkey(line): float("inf") for line in vkeys or found_vkeys}
    notes = {"the signed head": note} | {name: Path(name).read_text("utf-8") for name in checkpoints}
    heads = list[Head]()
    for text in seen:
        size_text, _, digits = text.partition(":")
        heads.append((f"--seen {text}", int(size_text), bytes.fromhex(digits)))
        if len(heads[-1][2]) < 8:
            raise ValueError(f"--seen {text}: expected size:root with at least 16 hexadecimal digits")
    sizes = {int(line) for text in notes.values() for line in re.findall(r"^\d+$", text, re.MULTILINE)}
    marks, words, named = read_entries({0, *sizes, *(size for _, size, _ in heads)}, entries, keys)
    present, since = max(marks), marks[max(marks)][1]
    hint = f"; {present} are present: if that is fewer, the rest is gone, perhaps with a change of the key ({since})"
    signed = [(name, *open_head(text, keys, hint)) for name, text in notes.items()]
    holds, fails = compare([*signed, *heads, *words], marks)
    if present > (size := signed[0][1]):
        fails.append(f"{present} entries are present, {size} are signed ({marks[size][1]})")
    if payloads is None:
        return holds, fails, ["an export holds no payloads, so that none was compared with its digest"]
    return holds, fails + payload_faults(payloads, named), []


def main() -> int:
    """Run the command line; the exit status."""
    parser = argparse.ArgumentParser(description="Verify an Askfirst audit log.")
    parser.add_argument("log", type=Path)
    parser.add_argument("--key", action="append", default=[], metavar="VKEY")
    parser.add_argument("--checkpoint", action="append", default=[], metavar="FILE")
    parser.add_argument("--seen", action="append", default=[], metavar="SIZE:ROOT")
    given = parser.parse_args()
    try:
        holds, fails, notes = verify(given.log, given.key, given.checkpoint, given.seen)
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError, sqlite3.Error) as error:
        holds, fails, notes = [], [str(error)], []
    for word, lines in (("ok  ", holds), ("FAIL", fails), ("note", notes)):
        print(*(f"{word} {line}\n" for line in lines), sep="", end="")
    if not given.key:
        print("note the key was taken from beside the log: give --key to be sure whose log it is")
    if not given.checkpoint and not given.seen:
        print("note whoever holds the log key could have rewritten it: give --checkpoint or --seen from elsewhere")
    return 1 if fails else 0


if __name__ == "__main__":
    sys.exit(main())
