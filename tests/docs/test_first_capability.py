"""The tutorial works as it is printed, with the wheels and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.docs.tutorial import Reader, blocks, matches

pytestmark = pytest.mark.needs_uv


@pytest.fixture
def reader(tmp_path: Path, built_wheels: Path) -> Iterator[Reader]:
    """A reader in an empty folder who knows where the wheels are."""
    variables = {"UV_FIND_LINKS": str(built_wheels), "FSP_ENVIRONMENT": "dev", "PYTHONDONTWRITEBYTECODE": ""}
    found = Reader(tmp_path, variables, port="8010")
    yield found
    found.close()


def test_every_block_of_the_tutorial_works(reader: Reader, workspace: Path) -> None:
    """Files are written, commands are run in order, and print what the page says."""
    reader.follow((workspace / "docs" / "first-capability.md").read_text())


def test_what_is_printed_is_compared() -> None:
    """Any text only where the page says so; the number of blanks does not count."""
    assert matches("a … c\n", "a   b\nc\n")
    assert not matches("a … c\n", "a b d\n")
    assert [block.file for block in blocks("```toml x.toml\na = 1\n```\n")] == ["x.toml"]
