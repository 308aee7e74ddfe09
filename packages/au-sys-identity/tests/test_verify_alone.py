"""The verifier where nothing else is: no framework, no database driver, no network."""

import base64
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from au_sys_identity.core.audit.heads import Head
from au_sys_identity.core.audit.tree import Frontier, leaf_hash

ALONE = """
import sys
ABSENT = ("fastapi", "starlette", "sqlalchemy", "pydantic", "pydantic_settings", "httpx", "httpx2", "aiosqlite",
          "asyncpg", "alembic", "jinja2", "joserfc", "argon2", "click", "rfc8785", "apsw", "pyroaring",
          "fastapi_services_platform", "au_sys_storage_sdk", "socket", "_socket", "sqlite3")

class Nothing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ABSENT:
            raise ModuleNotFoundError(name)
        return None

for name in list(sys.modules):
    if name.partition(".")[0] in ABSENT:
        del sys.modules[name]
sys.meta_path.insert(0, Nothing())
from au_sys_identity.verify import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


@pytest.fixture
def bundle(tmp_path: Path, key: Ed25519PrivateKey) -> Path:
    """Nine leaves, with heads at four and nine."""
    public = base64.b64encode(key.public_key().public_bytes_raw()).decode()
    lines: list[dict[str, object]] = [
        {"t": "bundle", "v": 1, "tree_size": 9, "keys": [{"key_id": "k", "public_key": public}]}
    ]
    frontier = Frontier()
    for index in range(9):
        body = json.dumps({"action": f"something {index}"})
        leaf = leaf_hash(body.encode())
        lines.append({"t": "leaf", "i": index, "hash": leaf.hex(), "body": body})
        for (level, position), value in frontier.append(leaf):
            lines.append({"t": "node", "l": level, "p": position, "hash": value.hex()})
        if index + 1 in (4, 9):
            head = Head(index + 1, frontier.root(), datetime(2026, 1, 1, tzinfo=UTC), "k")
            signed = Head(head.tree_size, head.root_hash, head.at, "k", key.sign(head.message))
            lines.append({"t": "head", **signed.shown()})
    lines.append({"t": "end", "leaves": 9})
    path = tmp_path / "bundle"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def verify(*arguments: object) -> tuple[int, str]:
    """Exit code and output."""
    command = [sys.executable, "-c", ALONE, *(str(one) for one in arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_a_sound_log(bundle: Path) -> None:
    """Exit code 0, and it says how much it looked at."""
    code, output = verify("log", bundle)
    assert (code, output.split()[0]) == (0, "sound:"), output


def test_a_finding_is_printed_with_its_place(bundle: Path) -> None:
    """Exit code 1."""
    bundle.write_text(bundle.read_text().replace("something 6", "something else"))
    code, output = verify("log", bundle)
    assert (code, output.startswith("altered at leaf 6, last good head 4")) == (1, True), output


def test_a_witness_tells_of_a_cut_end(bundle: Path, tmp_path: Path) -> None:
    """The bundle alone looks sound; what somebody else was told shows what is missing."""
    lines = bundle.read_text().splitlines()
    heads = [line for line in lines if '"t": "head"' in line]
    witness = tmp_path / "witness"
    witness.write_text("\n".join(heads) + "\n")
    shorter = [line for line in lines if '"i": 8' not in line and line != heads[-1] and '"t": "end"' not in line]
    bundle.write_text("\n".join([*shorter, json.dumps({"t": "end", "leaves": 8})]) + "\n")
    assert verify("log", bundle)[0] == 0
    code, output = verify("log", bundle, "--witness", witness)
    assert (code, output.startswith("truncated at leaf 8, last good head 4")) == (1, True), output


def test_the_key_of_somebody_else(bundle: Path, tmp_path: Path) -> None:
    """With a key of one's own, heads that another key signed are forged."""
    other = tmp_path / "key"
    other.write_bytes(Ed25519PrivateKey.generate().public_key().public_bytes_raw())
    code, output = verify("log", bundle, "--key", other)
    assert (code, output.startswith("head-forged at leaf 4")) == (1, True), output


@pytest.mark.parametrize(
    "content", ["", "no json", "[]", '{"t": "bundle", "v": 2}', '{"t": "bundle", "v": 1, "keys": []}']
)
def test_what_cannot_be_read(tmp_path: Path, content: str) -> None:
    """Exit code 2, for a file that is not there as well."""
    broken = tmp_path / "broken"
    broken.write_text(content)
    assert verify("log", broken)[0] == 2
    assert verify("log", tmp_path / "missing")[0] == 2
    assert verify("receipt", broken)[0] != 0
