"""Content hash and behaviour hash."""

from dataclasses import replace

import pytest

from skriptoteket.core.versions.hashing import at_the_door, behaviour_hash, content_hash
from skriptoteket.core.versions.models import Behaviour

SOURCE = 'def run_tool(input_dir, output_dir):\n    return "<p>åäö</p>"\n'
VECTOR = Behaviour(SOURCE)


def test_the_published_vector_holds() -> None:
    """The two hashes of the specification's example come out."""
    assert content_hash(VECTOR) == "908beb0e64451bcaea5087950c441441f6fd01fb2ffdf8865be947e662ebcb40"
    assert behaviour_hash(VECTOR) == "5df1a56cd26fc745d5c7c61c5a1ffbc6fa2515df1720f5a1a3bdd884d097ea04"


@pytest.mark.parametrize("source", [SOURCE.replace("\n", "\r\n"), SOURCE.replace("\n", "\r")])
def test_line_ends_do_not_count(source: str) -> None:
    """Text that came with CRLF or CR has the hash of the same text with LF."""
    assert content_hash(VECTOR) == content_hash(at_the_door(Behaviour(source)))


@pytest.mark.parametrize(
    "change",
    [
        {"source_code": SOURCE + "# more\n"},
        {"entrypoint": "other"},
        {"contract": 2},
        {"environment": "standard@2"},
        {"idempotent": True},
        {"input_schema": ()},
        {"settings_schema": ({"kind": "boolean", "name": "loud"},)},
        {"usage_instructions": "Read me."},
        {"requirements": ("own_kernel",)},
        {"limits": {"memory_mib": 1024}},
    ],
)
def test_every_field_changes_the_behaviour_hash(change: dict[str, object]) -> None:
    """Each behaviour field changes the behaviour hash; only entrypoint and source change the content hash."""
    changed = replace(VECTOR, **change)  # type: ignore[arg-type]  # the parameters above are the fields' own types
    assert behaviour_hash(changed) != behaviour_hash(VECTOR)
    assert (content_hash(changed) != content_hash(VECTOR)) == bool({"source_code", "entrypoint"} & set(change))
