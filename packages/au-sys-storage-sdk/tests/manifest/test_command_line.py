"""The command line: counts, export and import, backup while writing, restore, checks, keys."""

import asyncio
import base64
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from au_sys_storage_sdk import open_blobs, open_storage
from au_sys_storage_sdk.adapters.cli.progress import Bar
from au_sys_storage_sdk.adapters.filesystem.journal import FileJournal
from au_sys_storage_sdk.conformance.blobs import content_of
from au_sys_storage_sdk.manifest.command_line import main

BIG = content_of(300_000)


def run(*arguments: str, code: int = 0) -> dict[str, object]:
    """The JSON answer of a command, or its error."""
    result = CliRunner().invoke(main, arguments)
    assert (code, result.exception if code == 0 else None) == (result.exit_code, None), result.output
    return json.loads(result.stdout) if code == 0 else {"error": result.stderr}


@pytest.fixture
def places(tmp_path: Path) -> list[str]:
    """Options that name a filled backend."""
    url, blobs_url = f"sqlite://{tmp_path}/documents.db", f"file://{tmp_path}/blobs"

    async def fill() -> None:
        async with open_storage(url, blobs_url) as storage:
            for number in range(50):
                await storage.namespace("notes").put(f"k/{number}", {"n": number})
            await storage.namespace("notes").put("mortal", None, ttl=10_000)
            await storage.for_tenant("other").namespace("notes").put("å", "other")
            await storage.blobs("files").write("a", BIG, content_type="text/csv")
            await storage.blobs("files").write("b", b"small")

    asyncio.run(fill())
    return ["--url", url, "--blobs-url", blobs_url]


def test_stats_count_each_namespace(places: list[str]) -> None:
    """Per tenant."""
    found = run("stats", *places)
    assert [(u["tenant"], u["documents"]) for u in found["documents"]] == [("default", 51), ("other", 1)]  # type: ignore[attr-defined]  # JSON
    assert [(u["blobs"], u["bytes"]) for u in found["blobs"]] == [(2, 300_005)]  # type: ignore[attr-defined]  # JSON


def test_an_export_fills_another_backend_and_may_be_repeated(places: list[str], tmp_path: Path) -> None:
    """The import into an empty backend writes all, the second nothing; an export of it is equal but for versions."""
    archive = tmp_path / "archive"
    assert (run("export", str(archive), *places)["documents"], run("verify", str(archive))["blobs"]) == (52, 2)
    target = ["--url", f"sqlite://{tmp_path}/two.db", "--blobs-url", f"file://{tmp_path}/two"]
    assert run("import", str(archive), *target) == {"documents_written": 52, "blobs_written": 2}
    assert run("import", str(archive), *target) == {"documents_written": 0, "blobs_written": 0}
    run("export", str(tmp_path / "again"), *target)
    assert documents(archive) == documents(tmp_path / "again")
    assert (archive / "blobs.jsonl").read_bytes() == (tmp_path / "again/blobs.jsonl").read_bytes()
    assert "not empty" in str(run("export", str(archive), *places, code=1)["error"])


def documents(archive: Path) -> list[dict[str, object]]:
    """The lines without their versions."""
    lines = [json.loads(line) for line in (archive / "documents.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name != "version"} for line in lines]


@pytest.mark.parametrize("damage", ["documents.jsonl", "blobs.jsonl", "blob", "manifest.json"])
def test_a_damaged_archive_is_refused_before_anything_is_written(
    places: list[str], tmp_path: Path, damage: str
) -> None:
    """Each part is covered by a digest."""
    archive = tmp_path / "archive"
    run("export", str(archive), *places)
    path = next((archive / "blobs").iterdir()) if damage == "blob" else archive / damage
    path.write_bytes(path.read_bytes()[:-2])
    target = ["--url", f"sqlite://{tmp_path}/two.db", "--blobs-url", f"file://{tmp_path}/two"]
    assert "damaged" in str(run("import", str(archive), *target, code=3)["error"])
    assert run("stats", "--url", "memory:", *target[2:])["blobs"] == []


async def test_a_backup_while_writing_is_one_moment(tmp_path: Path) -> None:
    """Two keys that are always written together are equal in the copy; it restores to what it was."""
    url, copy = f"sqlite://{tmp_path}/documents.db", tmp_path / "copy.db"
    async with open_storage(url) as storage:
        space = storage.namespace("pairs")
        stop = asyncio.Event()

        async def write() -> None:
            number = 0
            while not stop.is_set():
                number += 1
                async with storage.transaction() as steps:
                    for key in ("a", "b"):
                        steps.put(space, key, {"n": number, "filler": "x" * 50_000})

        writing = asyncio.create_task(write())
        await asyncio.sleep(0.05)
        taken = await asyncio.to_thread(run, "backup", str(copy), "--url", url)
        stop.set()
        await writing
        assert "held by process" in str(
            (await asyncio.to_thread(run, "restore", str(copy), "--url", url, code=4))["error"]
        )
    whole = await asyncio.to_thread(run, "verify", str(copy))
    restored = await asyncio.to_thread(run, "restore", str(copy), "--url", url)
    assert (2, whole["digest"], whole["digest"]) == (whole["documents"], restored["digest"], taken["digest"])
    assert whole["digest"] == (await asyncio.to_thread(run, "verify", str(tmp_path / "documents.db")))["digest"]
    async with open_storage(url) as storage:
        a, b = [item.value["n"] for item in (await storage.namespace("pairs").scan()).items]
        assert a == b
    assert (tmp_path / "documents.db.before-restore").exists()


def test_a_damaged_backup_is_not_restored(places: list[str], tmp_path: Path) -> None:
    """Flipped bytes are found, and the target stays as it is."""
    copy = tmp_path / "copy.db"
    run("backup", str(copy), *places[:2])
    content = bytearray(copy.read_bytes())
    place = content.index(b'{"n":17}')
    content[place + 5] ^= 1
    copy.write_bytes(content)
    assert "damaged" in str(run("restore", str(copy), *places[:2], code=3)["error"])
    assert run("stats", *places)["documents"] != []


def test_keys_are_rotated(places: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is sealed once; without keys the command says what is missing."""
    assert CliRunner().invoke(main, ["rotate-keys", *places]).exit_code == 2
    monkeypatch.setenv("STORAGE_ENCRYPTION_KEYS", json.dumps({"1": base64.b64encode(b"k" * 32).decode()}))
    monkeypatch.setenv("STORAGE_ENCRYPTION_ACCEPT_PLAIN", "true")
    assert run("rotate-keys", *places) == {"documents_sealed": 52}
    assert run("rotate-keys", *places) == {"documents_sealed": 0}


def test_compact_tidies_up(places: list[str]) -> None:
    """Old entries of the feed are forgotten."""
    assert run("compact", "--keep", "10", *places)["changes_forgotten"] == 42


def test_a_wrong_place_is_one_sentence(tmp_path: Path) -> None:
    """No traceback."""
    assert "names no document backend" in str(run("stats", "--url", "nope://x", code=1)["error"])


async def test_blobs_survive_the_round_trip(places: list[str], tmp_path: Path) -> None:
    """Content and type are those that went in."""
    await asyncio.to_thread(run, "export", str(tmp_path / "archive"), *places)
    target = ["--url", "memory:", "--blobs-url", f"file://{tmp_path}/two"]
    await asyncio.to_thread(run, "import", str(tmp_path / "archive"), *target)
    async with open_blobs(f"file://{tmp_path}/two") as blobs:
        assert await blobs.scoped("files").read_bytes("a") == BIG
        assert (await blobs.scoped("files").info("a")).content_type == "text/csv"


@pytest.fixture
def stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stopped platform's data with some documents, and a second backend to move to."""
    monkeypatch.setenv("FSP_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("STORAGE_SWITCH_TARGETS", json.dumps({"second": f"sqlite://{tmp_path}/second.db"}))

    async def fill() -> None:
        async with open_storage(f"sqlite://{tmp_path}/data/documents.db") as storage:
            for number in range(50):
                await storage.namespace("notes").put(f"k/{number}", number)

    asyncio.run(fill())
    return tmp_path


def test_documents_are_moved_and_moved_back(stopped: Path) -> None:
    """The journal tells the platform where its documents are; nothing is begun by a dry run."""
    assert run("switch", "second", "--dry-run")["begun"] is False
    moved = run("switch", "second", "--rate", "100000")
    assert (moved["source"], moved["target"], moved["documents"]) == ("default", "second", 50)
    assert "serves already" in str(run("switch", "second", code=1)["error"])
    assert (run("switch", "default")["source"], run("stats")["backend"] and "default") == ("second", "default")
    assert "is not configured" in str(run("switch", "nowhere", code=1)["error"])


def test_a_running_platform_is_not_switched_behind_its_back(stopped: Path) -> None:
    """The journal is in use: not now."""
    journal = FileJournal(stopped / "data/storage-switch.json")
    journal.hold(alone=False)
    second = FileJournal(stopped / "data/storage-switch.json")
    second.hold(alone=False)
    second.release()
    assert "is held by" in str(run("switch", "second", code=4)["error"])
    journal.release()
    assert run("switch", "second")["documents"] == 50


def test_progress_is_drawn_on_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """A bar when the end is known, a number when it is not, nothing elsewhere."""
    bar = Bar(shown=True)
    bar("documents", 5, 10)
    bar("documents", 10, 10)
    bar("documents", 10, 10)
    assert capsys.readouterr().err == (
        "\rdocuments  [###############               ]  50% 5 of 10"
        "\rdocuments  [##############################] 100% 10 of 10\n"
    )
    endless = Bar(shown=True)
    endless("pages", 1234)
    endless.end()
    endless.end()
    assert capsys.readouterr().err == "\rpages      1,234\n"
    Bar(shown=False)("pages", 1234)
    assert capsys.readouterr().err == ""


def test_wrong_calls_are_told_apart(tmp_path: Path) -> None:
    """2 for a wrong call, 4 for a server that is not there."""
    assert CliRunner().invoke(main, ["switch"]).exit_code == 2
    assert "does not answer" in str(run("stats", "--url", "redis://127.0.0.1:1/0", code=4)["error"])


def test_documents_are_divided_moved_apart_and_joined_again(stopped: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts that were named later take what belongs to them; each is moved alone; without namespaces a part ends."""
    parts = {"notes": {"namespaces": ["notes"]}}
    monkeypatch.setenv("STORAGE_PARTS", json.dumps(parts))
    monkeypatch.setenv("STORAGE_URL", f"sqlite://{stopped}/data/documents.db")
    assert [used["documents"] for used in run("stats")["documents"]] == [50]  # type: ignore[attr-defined]  # JSON
    assert (run("divide"), run("divide")["documents_moved"]) == ({"documents_moved": 50, "parts_gone": []}, 0)
    assert (stopped / "data/documents-notes.db").exists()
    moved = run("switch", "second", "--part", "notes")
    assert (moved["source"], moved["documents"]) == ("default", 50)
    assert "holds part 'notes'" in str(run("switch", "second", code=1)["error"])
    assert [used["documents"] for used in run("stats")["documents"]] == [50]  # type: ignore[attr-defined]  # JSON
    assert run("backup", str(stopped / "notes.db"), "--part", "notes")["documents"] == 50
    assert CliRunner().invoke(main, ["backup", str(stopped / "x.db"), "--part", "none"]).exit_code == 2
    shared = {"notes": {"namespaces": ["notes"], "url": f"sqlite://{stopped}/data/documents.db"}}
    monkeypatch.setenv("STORAGE_PARTS", json.dumps(shared))
    assert "part 'notes' has the backend of the main part" in str(run("divide", code=1)["error"])
    monkeypatch.delenv("STORAGE_PARTS")
    assert "'notes' is not configured any more" in str(run("switch", "second", code=1)["error"])
    monkeypatch.setenv("STORAGE_PARTS", json.dumps({"notes": {"namespaces": []}}))
    assert run("divide") == {"documents_moved": 50, "parts_gone": ["notes"]}
    monkeypatch.delenv("STORAGE_PARTS")
    assert [used["documents"] for used in run("stats")["documents"]] == [50]  # type: ignore[attr-defined]  # JSON
