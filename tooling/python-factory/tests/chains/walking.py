"""Random commands in a workspace: what a dry run shows is what is written, twice is once, and every step leads back.

``python tooling/python-factory/tests/chains/walking.py --walks 10 --steps 20 --seed 1`` does it at length.
"""

from __future__ import annotations

import argparse
import difflib
import hashlib
import json
import random
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from click.testing import CliRunner, Result

from au_sys_python_factory.cli import main

SKELETON = Path(__file__).parents[1] / "skeleton"
REFUSED = (2, 4)
WORDS = (
    "archive", "approve", "close", "copy", "merge", "mark", "notify", "open", "pin", "publish", "rate", "reopen",
    "review", "share", "sign", "sort", "split", "star", "tag", "watch",
)  # fmt: skip
NOUNS = ("label", "colour", "invoice", "ledger", "parcel", "region", "shelf", "ticket", "visit", "wallet", "note")
FIELDS = (
    "title:str(1..200)", "count:int(0..9)", "price:decimal", "done:bool", "due:date?", "at:datetime", "code:uuid?",
    "mail:email", "kind:enum(a|b)", "words:list(str)", "body:text?",
)  # fmt: skip
KINDS = {"endpoint": 6, "model": 5, "page": 4, "port": 3, "adapter": 2, "capability": 1, "wiring": 1, "destroy": 1}
METHODS = ("get(id) -> Note", "put(id, note)", "remove(id)", "keys()")


class Walk:
    """A workspace with the capability ``notes``, and every state that it was in."""

    def __init__(self, root: Path, seed: int) -> None:
        self.root = root
        self.written = 0
        self.told: list[str] = []
        self._random = random.Random(seed)
        self._done: list[tuple[str, ...]] = []
        self.run("new", "capability", "notes", "--no-sync")
        self._states = [self.digests()]
        self._at = 0

    def run(self, *arguments: str) -> Result:
        """A command there."""
        return CliRunner().invoke(main, [*arguments, "--workspace", str(self.root)])

    def digests(self) -> dict[str, tuple[str, int]]:
        """Every file outside the journal, with its mode."""
        return {path: (hashlib.sha256(content).hexdigest(), mode) for path, content, mode in _files(self.root)}

    def step(self) -> None:
        """One random command; raises ``AssertionError`` with the way that led there when anything is wrong."""
        choice = self._random.random()
        if choice < 0.15 and self._at > 0:
            self._turn("undo", -1)
        elif choice < 0.25 and self._at < len(self._states) - 1:
            self._turn("redo", 1)
        else:
            again = self._done and self._random.random() < 0.15
            self._write(self._random.choice(self._done) if again else self._made_up())

    def check(self) -> None:
        """The house rules find nothing."""
        answer = self.run("check", "--json")
        findings = json.loads(answer.stdout)["findings"]
        assert not findings, (self.told, findings)

    def _turn(self, command: str, by: int) -> None:
        self.told.append(command)
        ended = self.run(command, "--no-sync")
        self._at += by
        assert ended.exit_code == 0, (self.told, ended.output)
        assert self.digests() == self._states[self._at], (self.told, "another tree than it was")

    def _write(self, arguments: tuple[str, ...]) -> None:
        self.told.append(" ".join(arguments))
        before = {path: content for path, content, _ in _files(self.root)}
        shown = self.run(*arguments, "--dry-run", "--json", "--no-sync")
        ended = self.run(*arguments, "--no-sync", "--yes")
        after = {path: content for path, content, _ in _files(self.root)}
        assert ended.exit_code == shown.exit_code, (self.told, shown.output, ended.output)
        if ended.exit_code:
            assert ended.exit_code in REFUSED, (self.told, ended.output)
            assert before == after, (self.told, "a refusal wrote something")
            return
        assert sorted(_difference(before, after)) == sorted(json.loads(shown.stdout)["data"]["diff"]), self.told
        twice = self.run(*arguments, "--no-sync", "--yes")
        assert twice.exit_code in (0, *REFUSED), (self.told, twice.output)
        assert after == {path: content for path, content, _ in _files(self.root)}, (self.told, "twice is not once")
        if before != after:
            self.written += 1
            self._done.append(arguments)
            self._states = [*self._states[: self._at + 1], self.digests()]
            self._at += 1

    def _made_up(self) -> tuple[str, ...]:
        word, noun = self._random.choice(WORDS), self._random.choice(NOUNS)
        kind = self._random.choices(tuple(KINDS), tuple(KINDS.values()))[0]
        if kind == "endpoint":
            who = self._random.choice((("--permission", f"notes.notes.{word}"), ("--authenticated",), ("--public",)))
            method = self._random.choice(("POST", "PUT", "DELETE", "PATCH"))
            return ("add", "endpoint", method, f"/{{note_id}}/{word}", "--verb", word, *who, "--in", "notes")
        if kind == "model":
            fields = self._random.sample(FIELDS, self._random.randint(1, 4))
            public = ("--public",) if self._random.random() < 0.5 else ()
            return ("add", "model", noun, *fields, *public, "--in", "notes")
        if kind == "page":
            return ("add", "page", f"/{word}", "--in", "notes")
        if kind == "port":
            methods = self._random.sample(METHODS, self._random.randint(1, 4))
            told = [part for method in methods for part in ("--method", method)]
            return ("add", "port", f"note-{word}", *told, "--adapter", self._random.choice(("filesystem", "db")))
        if kind == "adapter":
            return ("add", "adapter", f"Note{word.title()}", self._random.choice(("filesystem", "db")), "--in", "notes")
        if kind == "capability":
            return ("new", "capability", f"{noun}s")
        if kind == "wiring":
            return (self._random.choice(("wire", "unwire")), self._random.choice(("notes", f"{noun}s")))
        return ("destroy", f"{noun}s")


def _files(root: Path) -> Iterator[tuple[str, bytes, int]]:
    for path in sorted(root.rglob("*")):
        inner = path.relative_to(root)
        if (
            path.is_file()
            and not path.is_symlink()
            and inner.parts[0] != ".factory"
            and "__pycache__" not in inner.parts
        ):
            yield inner.as_posix(), path.read_bytes(), path.stat().st_mode & 0o777


def _difference(before: dict[str, bytes], after: dict[str, bytes]) -> Iterator[str]:
    for path in sorted(before.keys() | after.keys()):
        old, new = before.get(path), after.get(path)
        if old != new:
            was, now = ((content or b"").decode(errors="replace").splitlines() for content in (old, new))
            from_name = "/dev/null" if old is None else f"a/{path}"
            to_name = "/dev/null" if new is None else f"b/{path}"
            yield from difflib.unified_diff(was, now, from_name, to_name, lineterm="")


def prove(walks: int, steps: int, seed: int, place: Path) -> int:
    """That many walks; gives how many commands wrote something."""
    written = 0
    for number in range(walks):
        began, root = time.process_time(), place / str(number)
        shutil.copytree(SKELETON, root)
        walk = Walk(root, seed + number)
        for _ in range(steps):
            walk.step()
            walk.check()
        written += walk.written
        cost = time.process_time() - began
        print(f"walk {seed + number}: {steps} steps, {walk.written} wrote, {cost:.0f} s CPU", flush=True)
        shutil.rmtree(root)
    return written


def arguments() -> argparse.Namespace:
    """How far to go."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--walks", type=int, default=20)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    given = arguments()
    with TemporaryDirectory(prefix="factory-walks-") as folder:
        total = prove(given.walks, given.steps, given.seed, Path(folder))
    print(f"{given.walks * given.steps} random commands, {total} wrote: each as its dry run showed, each led back")
    sys.exit(0)
