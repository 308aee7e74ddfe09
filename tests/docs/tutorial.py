"""Follow a page as a reader would: write its files, run its commands, compare what they print."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

_BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SECONDS = 300
_FOREIGN = ("FSP_", "VIRTUAL_ENV", "PYTHONPATH")


class Block(NamedTuple):
    """A fenced block: its language, the file that it is the content of (or none), its text."""

    language: str
    file: str
    text: str


def blocks(page: str) -> list[Block]:
    """Every fenced block of a page, in order."""
    return [Block(found[1], found[2] or "", found[3]) for found in _BLOCK.finditer(page)]


def commands(text: str) -> Iterator[tuple[str, str]]:
    """Each command of a console block with what it is said to print."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, printed = part.partition("\n")
        yield command, printed


def matches(expected: str, printed: str) -> bool:
    """Whether a text is the expected one; ``…`` stands for any text, runs of blanks for each other."""
    pattern = ".*".join(re.escape(" ".join(part.split())) for part in expected.split("…"))
    return re.fullmatch(pattern.replace(r"\ ", r"\s*"), " ".join(printed.split()), re.DOTALL) is not None


class Reader:
    """Someone in an empty folder with a page. Programs that a page puts into the background end with the reader."""

    def __init__(self, folder: Path, variables: Mapping[str, str], port: str) -> None:
        self.folder = folder
        ambient = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
        self._environment = {**ambient, **variables}
        self._said_port = port
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = str(probe.getsockname()[1])
        self._running: list[subprocess.Popen[bytes]] = []

    def follow(self, page: str) -> None:
        """Do what every block says.

        Raises:
            AssertionError: a block has no file and is no console, or a command prints something else.
        """
        for block in blocks(page):
            if block.file:
                target = self.folder / block.file
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(block.text)
            else:
                assert block.language == "console", f"a block of {block.language} that nobody runs: {block.text[:80]}"
                for command, printed in commands(block.text):
                    self._run(command.replace(self._said_port, self._port), printed)

    def _run(self, command: str, expected: str) -> None:
        if command.endswith(" &"):
            self._start(command.removesuffix(" &"))
            return
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        assert matches(expected, done.stdout), f"$ {command}\n{done.stdout}\n--- the page says\n{expected}"

    def _start(self, command: str) -> None:
        with (self.folder / "background.log").open("wb") as log:
            started = subprocess.Popen(
                ["bash", "-c", f"exec {command}"], cwd=self.folder, env=self._environment, stdout=log, stderr=log
            )
        self._running.append(started)
        deadline = time.monotonic() + _SECONDS
        while time.monotonic() < deadline and started.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", int(self._port))) == 0:
                    return
            time.sleep(0.05)
        raise AssertionError(f"$ {command} &\n{(self.folder / 'background.log').read_text()[-2000:]}")

    def close(self) -> None:
        """End what runs."""
        for program in self._running:
            program.send_signal(signal.SIGTERM)
            program.wait(60)
