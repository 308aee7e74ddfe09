"""Files go to an index in order, once, and come back the same; a break in the middle is mended by calling again."""

from __future__ import annotations

import json
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from tests.release.scratch import NOTES, Scratch, run, running_index

from au_sys_python_factory.shell.supervision.addresses import free_port

pytestmark = pytest.mark.needs_uv
Copy = Callable[[Scratch], Scratch]
ORDER = [
    f"{stem}{end}"
    for stem in ("tiny_runtime-1.0.0", "tiny_notes-0.1.0", "tiny_shell-1.0.0")
    for end in (".tar.gz", "-py3-none-any.whl")
]
PASSWORD = "a-password-that-is-not-shown"


@pytest.fixture(autouse=True)
def credential(monkeypatch: pytest.MonkeyPatch) -> None:
    """The index takes any; it must never be shown."""
    monkeypatch.setenv("UV_PUBLISH_USERNAME", "releaser")
    monkeypatch.setenv("UV_PUBLISH_PASSWORD", PASSWORD)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[str]:
    """An empty one."""
    with running_index(tmp_path / "index") as address:
        yield address


@contextmanager
def moody(address: str) -> Iterator[str]:
    """In front of an index: every second upload is refused."""
    uploads = iter(range(1000))

    class Between(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

        def do_GET(self) -> None:
            self._pass_on(None)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if next(uploads) % 2:
                self._pass_on(body)
            else:
                self.send_error(403, "Not today")

        def _pass_on(self, body: bytes | None) -> None:
            headers = {name: self.headers[name] for name in ("Content-Type", "Authorization") if self.headers[name]}
            request = urllib.request.Request(address + self.path, body, headers)
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            try:
                with opener.open(request, timeout=30) as answer:
                    status, kind, content = answer.status, answer.headers.get("Content-Type", ""), answer.read()
            except urllib.error.HTTPError as error:
                status, kind, content = error.code, "text/plain", error.read()
                error.close()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    with ThreadingHTTPServer(("127.0.0.1", 0), Between) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def test_a_break_at_every_position_is_mended_by_calling_again(applied: Scratch, copy: Copy, index: str) -> None:
    """After each break the index holds the first files of the order and nothing else; at the end it is complete."""
    scratch = copy(applied)
    shelf = scratch.root.parent / "index"
    with moody(index) as between:
        for position in range(len(ORDER)):
            done = scratch.release("publish", between, "--gated")
            assert (done.exit_code, PASSWORD in done.output) == (1, False), done.output
            assert sorted(path.name for path in shelf.iterdir()) == sorted(ORDER[:position])
            assert f"not up: {', '.join(ORDER[position:])}" in done.output
        assert scratch.release("publish", between, "--gated").exit_code == 0
    assert sorted(path.name for path in shelf.iterdir()) == sorted(ORDER)


def test_the_whole_way_to_a_platform_that_answers(applied: Scratch, copy: Copy, index: str, tmp_path: Path) -> None:
    """Gate, publish, publish again, verify, a shell from the index, and a second release of one package."""
    scratch = copy(applied)
    first = scratch.release("publish", index)
    assert (first.exit_code, "6 of 6 files sent" in first.output) == (0, True), first.output
    again = scratch.release("publish", index, "--gated")
    assert (again.exit_code, again.output.count("there already")) == (0, 6)
    verified = scratch.release("verify", index)
    assert (verified.exit_code, "the files are the ones that were built" in verified.output) == (0, True)
    _answers(scratch, index, tmp_path / "shell")

    source = scratch.root / "packages/tiny-notes/src/tiny_notes/__init__.py"
    source.write_text(NOTES.replace("Keep a note.", "Keep a note and give it back."))
    scratch.write("packages/tiny-notes/changes/words.fixed.md", "Better words.\n")
    scratch.commit()
    scratch.apply()
    second = scratch.release("publish", index, "--gated")
    assert (second.exit_code, second.output.count("there already")) == (0, 4), second.output
    assert "tiny_notes-0.1.1-py3-none-any.whl" in second.output

    wheel = scratch.root.parent / "index" / ORDER[1]
    wheel.write_bytes(wheel.read_bytes() + b"!")
    refused = scratch.release("publish", index, "--gated")
    assert (refused.exit_code, f"another file is there under the same name: {ORDER[1]}" in refused.output) == (4, True)


def _answers(scratch: Scratch, index: str, state: Path) -> None:
    shell = [sys.executable, "-m", "au_sys_python_factory", "shell"]
    place = ["--state", str(state)]
    up = ["up", "--from", index, "--detach", "--json", "--port", str(free_port())]
    try:
        url = json.loads(run([*shell, *up, *place], scratch.root).stdout)["data"]["url"]
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"{url}/health/ready", timeout=30) as answer:
            assert answer.status == 200
    finally:
        run([*shell, "down", *place], scratch.root)


def test_bills_of_materials_are_valid_and_always_the_same(applied: Scratch, copy: Copy) -> None:
    """CycloneDX 1.6 by its own schema; a package URL and a hash for every component."""
    scratch = copy(applied)
    assert scratch.release("sbom").exit_code == 0
    bills = sorted((scratch.root / "dist").glob("*.cdx.json"))
    before = [path.read_text() for path in bills]
    assert scratch.release("sbom").exit_code == 0
    assert (len(bills), [path.read_text() for path in bills]) == (3, before)
    for text in before:
        assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
        document = json.loads(text)
        for component in [document["metadata"]["component"], *document["components"]]:
            assert component["purl"].startswith("pkg:pypi/")
            assert component["hashes"]
    shell = json.loads(before[-1])
    assert [item["name"] for item in shell["components"]] == ["tiny-notes", "tiny-runtime"]


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("http://releaser:secret@127.0.0.1:1/", "holds a credential"),
        ("http://elsewhere.example/", "use https://"),
        ("nowhere", "no index is called nowhere"),
    ],
)
def test_an_address_that_cannot_be_meant_is_refused(named: str, said: str, begun: Scratch) -> None:
    """A credential in an argument is not repeated in the message."""
    done = begun.release("publish", named, "--gated")
    assert (done.exit_code, said in done.output, "secret" in done.output) == (2, True, False)


def test_an_index_that_is_down_is_named(applied: Scratch) -> None:
    """Nothing was sent, and it is safe to try again."""
    done = applied.release("publish", f"http://127.0.0.1:{free_port()}", "--gated")
    assert (done.exit_code, "does not answer" in done.output) == (5, True), done.output
