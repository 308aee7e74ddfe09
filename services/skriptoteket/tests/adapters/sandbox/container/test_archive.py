"""Whatever archive the engine gives, only plain files within the limits come out of it, and never more than a cap."""

import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from skriptoteket.adapters.sandbox.container.archive import collect, staged
from skriptoteket.conformance.playing import GivenFile, Script
from skriptoteket.core.runs.models import Limits
from skriptoteket.core.runs.sandbox import ForbiddenOutput, OutputOverLimit

_LIMITS = Limits(artifact_count=3, artifact_mib=1, artifacts_total_mib=2, workspace_mib=4, inodes=10)

Entry = tuple[str, bytes | str, bytes]


def _archive(*entries: Entry) -> io.BytesIO:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT, errors="surrogateescape") as archive:
        for name, kind, content in (("job", tarfile.DIRTYPE, b""), ("job/output", tarfile.DIRTYPE, b""), *entries):
            member = tarfile.TarInfo(name)
            if isinstance(kind, str):
                member.type, member.linkname = tarfile.SYMTYPE if kind.startswith("/") else tarfile.LNKTYPE, kind
            else:
                member.type = kind
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    raw.seek(0)
    return raw


def _file(name: str, content: bytes = b"x") -> Entry:
    return (f"job/{name}", tarfile.REGTYPE, content)


async def test_result_and_files_come_out(tmp_path: Path) -> None:
    """result.json and the files of the output folder are kept byte for byte, in a stable order; the rest is not."""
    found = collect(
        _archive(_file("output/b/å.txt", b"two"), _file("output/a", b"one"), _file("result.json", b"{}"), _file("y")),
        _LIMITS,
        tmp_path,
    )
    content = {one.path: b"".join([chunk async for chunk in one.read()]) for one in found.files}
    found.close()

    assert found.result == b"{}"
    assert content == {"a": b"one", "b/å.txt": b"two"}
    assert list(content) == ["a", "b/å.txt"]


@pytest.mark.parametrize(
    "entry",
    [
        ("job/output/x", "/etc/passwd", b""),
        ("job/output/x", tarfile.FIFOTYPE, b""),
        ("job/output/x", tarfile.CHRTYPE, b""),
        ("job/y", "job/output/x", b""),
        ("job/output", "/etc", b""),
        ("job/output/a\nb", tarfile.REGTYPE, b""),
        ("job/output/a\udcff", tarfile.REGTYPE, b""),
    ],
    ids=["link", "pipe", "device", "hard link", "replaced folder", "control character", "no UTF-8"],
)
def test_what_is_no_plain_file_is_refused(tmp_path: Path, entry: Entry) -> None:
    """A link, a device, a pipe, or a name that cannot be kept makes the output forbidden."""
    found = collect(_archive(entry), _LIMITS, tmp_path)
    found.close()

    assert isinstance(found.problem, ForbiddenOutput)


@pytest.mark.parametrize(
    "make",
    [
        lambda: [_file(f"output/{number}") for number in range(4)],
        lambda: [_file("output/x", bytes(2 << 20))],
        lambda: [_file(f"output/{number}", bytes(900_000)) for number in range(3)],
        lambda: [("job/output/" + "/".join("d" * 9), tarfile.DIRTYPE, b"")],
        lambda: [_file("output/" + "a" * 201)],
        lambda: [_file(f"junk{number}", bytes(8 << 20)) for number in range(4)],
    ],
    ids=["count", "size", "total", "depth", "name", "workspace"],
)
def test_what_is_too_much_is_refused(tmp_path: Path, make: Callable[[], list[Entry]]) -> None:
    """Past any cap nothing more is read."""
    found = collect(_archive(*make()), _LIMITS, tmp_path)
    found.close()

    assert isinstance(found.problem, OutputOverLimit)


def test_a_result_that_is_none_is_told_apart(tmp_path: Path) -> None:
    """A result that is a link is forbidden, one that is too long is over its limit; files are kept all the same."""
    linked = collect(_archive(("job/result.json", "/etc/passwd", b"")), _LIMITS, tmp_path)
    long = collect(_archive(_file("result.json", bytes(3 << 20))), _LIMITS, tmp_path)
    for one in (linked, long):
        one.close()

    assert isinstance(linked.result_problem, ForbiddenOutput)
    assert isinstance(long.result_problem, OutputOverLimit)


def test_what_is_no_archive_is_a_failure(tmp_path: Path) -> None:
    """Bytes that are no archive fail as such, and leave nothing behind."""
    with pytest.raises(OSError, match="cannot be read"):
        collect(io.BytesIO(b"x" * 2048), _LIMITS, tmp_path)


async def test_what_goes_in_is_roots(tmp_path: Path) -> None:
    """Script, request and inputs belong to root in the archive, the output folder to the script's user."""
    script = Script("pass", files=[GivenFile("å.csv", b"1,2")])
    raw = b"".join([chunk async for chunk in staged(script.spec(), 61_005)])
    with tarfile.open(fileobj=io.BytesIO(raw)) as archive:
        members = {one.name: (one.uid, one.isdir()) for one in archive}
        given = archive.extractfile("input/å.csv")
        assert given is not None
        assert given.read() == b"1,2"

    assert members == {
        "script.py": (0, False),
        "request.json": (0, False),
        "input": (0, True),
        "output": (61_005, True),
        "input/å.csv": (0, False),
    }
