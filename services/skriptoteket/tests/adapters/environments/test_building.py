"""An environment holds what its lock names, byte for byte, and nothing reaches it from a network."""

import base64
import hashlib
import zipfile
from pathlib import Path

import pytest

from skriptoteket.adapters.environments import wheels
from skriptoteket.adapters.environments.folders import build_environment, built_environments, verify_environment
from skriptoteket.adapters.environments.wheels import EnvironmentProblem, lock_digest, read_lock


def wheel(folder: Path, name: str, version: str = "1.0", tag: str = "py3-none-any", **files: str) -> str:
    """A wheel with these files; the answer is its line in a lock."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}-{version}-{tag}.whl"
    info = f"{name}-{version}.dist-info"
    content = {**{place.replace("__", "/"): text for place, text in files.items()}, f"{info}/METADATA": "Name: x\n"}
    record = ""
    with zipfile.ZipFile(path, "w") as archive:
        for place, text in content.items():
            archive.writestr(place, text)
            told = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
            record += f"{place},sha256={told},{len(text)}\n"
        archive.writestr(f"{info}/RECORD", record + f"{info}/RECORD,,\n")
    return f"{name}=={version} \\\n    --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A lock and wheels of two small packages."""
    lines = wheel(tmp_path / "wheels", "greeting", **{"greeting.py": "text = 'hello'\n"})
    lines += wheel(
        tmp_path / "wheels", "other", **{"other__init.py": "", "other-1.0.data__purelib__more.py": "x = 1\n"}
    )
    (tmp_path / "lock").write_text(f"# written by a tool\n{lines}")
    return tmp_path


def test_what_is_built_is_what_the_lock_names(place: Path) -> None:
    """Packages, digest and readable files are there; building twice is the same."""
    built = build_environment(place / "built", "standard@1", place / "lock", place / "wheels")
    again = build_environment(place / "built", "standard@1", place / "lock", place / "wheels")

    assert built == again == built_environments(place / "built", ("standard@1",))[0]
    assert built.packages == ("greeting 1.0", "other 1.0")
    assert (place / "built" / "standard@1" / "greeting.py").read_text() == "text = 'hello'\n"
    assert (place / "built" / "standard@1" / "more.py").exists()
    assert (place / "built" / "standard@1").stat().st_mode & 0o777 == 0o755
    assert verify_environment(place / "built", "standard@1") == []
    assert [one.name for one in (place / "built").iterdir()] == ["standard@1"]


def test_changes_are_found(place: Path) -> None:
    """A changed, a missing and an added file are named."""
    build_environment(place / "built", "standard@1", place / "lock", place / "wheels")
    folder = place / "built" / "standard@1"
    (folder / "greeting.py").write_text("text = 'changed'\n")
    (folder / "more.py").unlink()
    (folder / "sitecustomize.py").write_text("evil = 1\n")

    assert verify_environment(place / "built", "standard@1") == ["greeting.py", "more.py", "sitecustomize.py"]


def test_changed_compiled_code_is_found(place: Path) -> None:
    """What runs is the compiled form: one that was changed, one that is gone and one that was never made are named."""
    build_environment(place / "built", "standard@1", place / "lock", place / "wheels")
    (cache,) = (place / "built" / "standard@1").glob("__pycache__")
    (greeting,) = cache.glob("greeting.*.pyc")
    (more,) = cache.glob("more.*.pyc")
    compiled = greeting.read_bytes()
    greeting.write_bytes(compiled[:-1] + bytes([compiled[-1] ^ 1]))
    more.unlink()
    (cache / greeting.name.replace("greeting", "json")).write_bytes(compiled)
    (cache / "link.py").symlink_to("/nowhere")

    told = [f"__pycache__/{name}" for name in (greeting.name, more.name)]
    strangers = [f"__pycache__/{greeting.name.replace('greeting', 'json')}", "__pycache__/link.py"]
    assert verify_environment(place / "built", "standard@1") == [*told, *strangers]


def test_what_is_unpacked_is_what_was_hashed(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wheel that is exchanged while it is looked at does not get in: the copy is judged, and the copy is unpacked."""
    (wheel_file,) = (place / "wheels").glob("greeting-*.whl")
    hashed = wheels.sha256_of

    def exchange(path: Path) -> str:
        digest = hashed(path)
        wheel_file.write_bytes(b"no wheel any more")
        return digest

    monkeypatch.setattr(wheels, "sha256_of", exchange)
    build_environment(place / "built", "standard@1", place / "lock", place / "wheels")
    monkeypatch.undo()

    assert (place / "built" / "standard@1" / "greeting.py").read_text() == "text = 'hello'\n"
    assert verify_environment(place / "built", "standard@1") == []


def test_a_folder_made_by_hand_is_not_trusted(tmp_path: Path) -> None:
    """Packages that no build wrote down are told as a problem, and an environment without a folder is bare."""
    (tmp_path / "standard@1").mkdir()

    by_hand, bare = built_environments(tmp_path, ("standard@1", "plain@1"))
    assert "skriptoteket environment build" in by_hand.problem
    assert (bare.digest, bare.problem) == ("", "")
    assert verify_environment(tmp_path, "standard@1") == [by_hand.problem]


@pytest.mark.parametrize(
    ("lock", "told"),
    [
        ("greeting==1.0\n", "has no hash"),
        ("greeting>=1.0 --hash=sha256:" + "0" * 64, "is no name==version"),
        ("-r other.txt\n", "is no name==version"),
        ("greeting==1.0 --hash=sha256:" + "0" * 64, "has no wheel of greeting 1.0"),
        ("missing==1.0 --hash=sha256:" + "0" * 64, "has no wheel of missing 1.0"),
        ("", "names no package"),
    ],
)
def test_a_lock_that_names_no_known_bytes_builds_nothing(place: Path, lock: str, told: str) -> None:
    """Without a version, a hash, or a wheel with that hash nothing is built, and what was there stays."""
    build_environment(place / "built", "standard@1", place / "lock", place / "wheels")
    (place / "bad").write_text(lock)

    with pytest.raises(EnvironmentProblem, match=told):
        build_environment(place / "built", "standard@1", place / "bad", place / "wheels")
    assert verify_environment(place / "built", "standard@1") == []


def test_a_wheel_cannot_leave_the_folder(tmp_path: Path) -> None:
    """A file with .. in its path, and one that another package brought, stop the build."""
    line = wheel(tmp_path / "wheels", "evil", **{"..__..__evil.py": "x"})
    (tmp_path / "lock").write_text(line)
    with pytest.raises(EnvironmentProblem, match="leaves the folder"):
        build_environment(tmp_path / "built", "standard@1", tmp_path / "lock", tmp_path / "wheels")

    lines = wheel(tmp_path / "two", "one", **{"same.py": "x"}) + wheel(tmp_path / "two", "another", **{"same.py": "y"})
    (tmp_path / "lock").write_text(lines)
    with pytest.raises(EnvironmentProblem, match="from another package"):
        build_environment(tmp_path / "built", "standard@1", tmp_path / "lock", tmp_path / "two")
    assert not (tmp_path / "evil.py").exists()


def test_wheels_of_other_machines_are_passed_over(tmp_path: Path) -> None:
    """A lock may name wheels of many machines; one for this interpreter is taken."""
    elsewhere = wheel(tmp_path / "wheels", "greeting", tag="cp311-cp311-win_amd64", **{"greeting.py": "windows = 1\n"})
    here = wheel(tmp_path / "wheels", "greeting", **{"greeting.py": "text = 'hello'\n"})
    hashes = [line.split()[-1] for line in (elsewhere, here)]
    (tmp_path / "lock").write_text(f"greeting==1.0 {' '.join(hashes)}\n")
    build_environment(tmp_path / "built", "standard@1", tmp_path / "lock", tmp_path / "wheels")

    assert (tmp_path / "built" / "standard@1" / "greeting.py").read_text() == "text = 'hello'\n"


def test_the_lock_that_ships_is_one() -> None:
    """standard@1 names its packages with hashes, and its digest does not depend on comments and breaks."""
    text = (Path(__file__).parents[3] / "environments" / "standard-1.lock").read_text(encoding="utf-8")
    names = {one.name for one in read_lock(text)}

    assert names >= {"pandas", "openpyxl", "python-docx", "pypdf", "markdown-it-py", "fpdf2", "icalendar", "matplotlib"}
    assert lock_digest(text) == lock_digest("# more\n" + text.replace(" \\\n    ", " "))


@pytest.mark.parametrize("name", ["standard", "Standard@1", "../x@1", "standard@0", "standard@1/x"])
def test_odd_names_are_refused(place: Path, name: str) -> None:
    """A name is lower-case name@revision and nothing else."""
    with pytest.raises(EnvironmentProblem, match="is no name of an environment"):
        build_environment(place / "built", name, place / "lock", place / "wheels")
