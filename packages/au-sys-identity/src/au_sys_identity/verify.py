"""Check an exported audit log, or the receipt of an approval, far away from the platform: no database, no network.

``python -m au_sys_identity.verify log BUNDLE [--witness FILE] [--key FILE]`` and ``… receipt FILE``. Exit code 0:
sound; 1: findings, one line each; 2: what was given cannot be read. Needs the standard library and ``cryptography``.
"""

import argparse
import base64
import binascii
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TextIO

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from au_sys_identity.core.audit.checking import Check, Leaf, Report
from au_sys_identity.core.audit.heads import CheckSignature, Head
from au_sys_identity.core.audit.tree import Coordinate

_KEY_BYTES = 32
_LONGEST_LINE = 16 * 1024 * 1024

SOUND, FINDINGS, UNREADABLE = 0, 1, 2


class Unreadable(Exception):
    """What was given is no bundle, key, witness or receipt."""


def main(arguments: list[str] | None = None) -> int:
    """Check what the arguments name; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m au_sys_identity.verify", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    log = commands.add_parser("log", help="an exported audit log")
    log.add_argument("bundle", type=Path)
    log.add_argument("--witness", type=Path, help="heads that somebody else was told, one JSON object a line")
    log.add_argument("--key", type=Path, help="the public key to trust, instead of the one in the bundle")
    receipt = commands.add_parser("receipt", help="the receipt of an approved act")
    receipt.add_argument("file", type=Path)
    chosen = parser.parse_args(arguments)
    try:
        if chosen.command == "receipt":
            return _tell(check_receipt_file(chosen.file))
        report = check_bundle(chosen.bundle, witness=chosen.witness, key=chosen.key)
    except (Unreadable, OSError, UnicodeDecodeError) as error:
        sys.stderr.write(f"cannot be read: {error}\n")
        return UNREADABLE
    lines = [
        f"{found.kind} at leaf {found.leaf_index}, last good head {found.last_good_size}: {found.detail}"
        for found in report.findings
    ]
    if report.more:
        lines.append(f"and {report.more} more")
    if report.ok:
        told = f"{report.leaves} leaves, {report.heads} heads, last head at {report.last_good_size}"
        sys.stdout.write(f"sound: {told}\n")
    return _tell(lines)


def check_bundle(bundle: Path, *, witness: Path | None = None, key: Path | None = None) -> Report:
    """Recompute an exported log.

    Raises:
        Unreadable: it is none, or it is cut off.
    """
    told = _heads_of(witness) if witness else iter(())
    with bundle.open(encoding="utf-8") as file:
        lines = _objects(file)
        first = next(lines, None)
        if first is None or first.get("t") != "bundle" or first.get("v") != 1:
            raise Unreadable(f"{bundle} is no audit bundle of version 1")
        walk = _Walk(Check(_signatures(first, key)), told)
        for one in lines:
            walk.take(one)
    return walk.end()


def check_receipt_file(path: Path) -> list[str]:
    """What is wrong with a receipt; nothing when it holds.

    Raises:
        Unreadable: it is no JSON object.
    """
    from au_sys_identity.core.approvals.receipts import check_receipt

    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise Unreadable(f"{path} is no JSON: {error}") from None
    if not isinstance(document, dict):
        raise Unreadable(f"{path} is no receipt")
    found = check_receipt(document)
    if not found:
        sys.stdout.write("sound\n")
    return found


class _Walk:
    """Takes the lines of a bundle in order; a leaf waits for the nodes that follow it."""

    def __init__(self, check: Check, told: Iterator[Head]) -> None:
        self._check = check
        self._told = told
        self._next_told = next(told, None)
        self._leaf: Leaf | None = None
        self._nodes: dict[Coordinate, bytes] = {}
        self._count = 0
        self._ended: int | None = None

    def take(self, one: Mapping[str, object]) -> None:
        """The next line."""
        kind = one.get("t")
        try:
            if kind == "leaf":
                self._flush()
                body = one["body"]
                self._leaf = Leaf(_number(one["i"]), _bytes(one["hash"]), None if body is None else str(body).encode())
                self._count += 1
            elif kind == "node":
                self._nodes[(_number(one["l"]), _number(one["p"]))] = _bytes(one["hash"])
            elif kind == "head":
                self._flush()
                self._check.head(Head.read(one))
            elif kind == "end":
                self._ended = _number(one["leaves"])
            else:
                raise Unreadable(f"a line of the unknown kind {kind!r}")
        except (KeyError, ValueError, binascii.Error) as error:
            raise Unreadable(f"a line of kind {kind!r} is broken: {error}") from None

    def end(self) -> Report:
        """The report.

        Raises:
            Unreadable: the bundle was cut off.
        """
        self._flush()
        if self._ended != self._count:
            raise Unreadable("the bundle is cut off: its last line is missing")
        while self._next_told is not None:
            self._witnessed()
        return self._check.end()

    def _flush(self) -> None:
        leaf, self._leaf = self._leaf, None
        if leaf is None:
            return
        self._check.leaf(leaf, self._nodes)
        self._nodes = {}
        while self._next_told is not None and self._next_told.tree_size <= leaf.index + 1:
            self._witnessed()

    def _witnessed(self) -> None:
        if self._next_told is not None:
            self._check.head(self._next_told, "the witness")
        self._next_told = next(self._told, None)


def _signatures(first: Mapping[str, object], key: Path | None) -> CheckSignature:
    """Which keys count: the given one, else those that the bundle names."""
    trusted: list[bytes] = []
    if key is not None:
        trusted.append(_key_of(key))
    else:
        named = first.get("keys")
        for one in named if isinstance(named, list) else []:
            if isinstance(one, dict):
                trusted.append(_decoded(str(one.get("public_key", ""))))
    loaded = [Ed25519PublicKey.from_public_bytes(public) for public in trusted]

    def check(_key_id: str, message: bytes, signature: bytes) -> bool:
        for public in loaded:
            try:
                public.verify(signature, message)
            except InvalidSignature:
                continue
            return True
        return False

    return check


def _key_of(path: Path) -> bytes:
    raw = path.read_bytes()
    if len(raw) == _KEY_BYTES:
        return raw
    text = raw.decode("ascii", "replace").strip()
    if text.startswith("{"):
        try:
            text = str(json.loads(text).get("public_key", ""))
        except ValueError:
            raise Unreadable(f"{path} is no key") from None
    return _decoded(text)


def _decoded(text: str) -> bytes:
    try:
        found = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        found = b""
    if len(found) != _KEY_BYTES:
        raise Unreadable("a public key is not 32 bytes in base64")
    return found


def _heads_of(path: Path) -> Iterator[Head]:
    with path.open(encoding="utf-8") as file:
        for one in _objects(file):
            try:
                yield Head.read(one)
            except ValueError as error:
                raise Unreadable(f"{path} holds what is no head: {error}") from None


def _objects(file: TextIO) -> Iterator[Mapping[str, object]]:
    while line := file.readline(_LONGEST_LINE):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except ValueError as error:
            raise Unreadable(f"a line is no JSON: {error}") from None
        if not isinstance(found, dict):
            raise Unreadable("a line is no JSON object")
        yield found


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"{value!r} is no number")
    return value


def _bytes(value: object) -> bytes:
    return bytes.fromhex(str(value))


def _tell(lines: list[str]) -> int:
    for line in lines:
        sys.stdout.write(f"{line}\n")
    return FINDINGS if lines else SOUND


if __name__ == "__main__":
    sys.exit(main())
