"""Public files: addressed by content, cached for ever, never anything outside of their folder."""

from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response

from fastapi_services_platform import StaticFolder
from fastapi_services_platform.errors import PlatformError
from fastapi_services_platform.http.pages.static_files import StaticFiles, read_static


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StaticFiles:
    root = tmp_path / "sample_wheel"
    (root / "static" / "deep").mkdir(parents=True)
    (root / "__init__.py").write_text('"""Sample."""')
    (root / "secret.txt").write_text("not public")
    (root / "static" / "page.css").write_text("body { color: red }\n" * 50)
    (root / "static" / "deep" / "dot.png").write_bytes(b"\x89PNG")
    (root / "static" / ".hidden").write_text("not public")
    monkeypatch.syspath_prepend(str(tmp_path))
    return read_static([("demo", StaticFolder("sample_wheel"))])


def ask(files: StaticFiles, name: str, query: str = "", **headers: str) -> Response | None:
    raw = [(key.replace("_", "-").encode(), value.encode()) for key, value in headers.items()]
    scope: dict[str, Any] = {"type": "http", "query_string": query.encode(), "headers": raw}  # Any: an ASGI scope
    return files.answer(Request(scope), name)


def test_an_address_with_the_digest_is_kept_for_ever(files: StaticFiles) -> None:
    """A browser may keep what it fetched by its content's digest."""
    path, _, query = files.url("demo", "page.css").partition("?")
    answer = ask(files, path.removeprefix("/static/"), query)
    assert answer is not None
    assert (answer.headers["cache-control"], answer.media_type) == ("public, max-age=31536000, immutable", "text/css")


def test_an_address_without_it_is_asked_again(files: StaticFiles) -> None:
    """Without the digest a browser must ask whether the file changed, and is told 304 when it did not."""
    first = ask(files, "demo/page.css")
    assert first is not None
    again = ask(files, "demo/page.css", if_none_match=first.headers["etag"])
    assert again is not None
    assert (first.headers["cache-control"], again.status_code, again.body) == ("no-cache", 304, b"")


def test_text_is_sent_packed_to_those_who_unpack(files: StaticFiles) -> None:
    """Compression is done once, and only where it helps."""
    packed = ask(files, "demo/page.css", accept_encoding="gzip, br")
    picture = ask(files, "demo/deep/dot.png", accept_encoding="gzip")
    assert packed is not None
    assert picture is not None
    assert (packed.headers.get("content-encoding"), picture.headers.get("content-encoding")) == ("gzip", None)


@pytest.mark.parametrize(
    "name",
    [
        "demo/../secret.txt",
        "demo/./page.css",
        "demo//page.css",
        "demo/.hidden",
        "demo/deep",
        "demo/",
        "",
        "/etc/passwd",
    ],
)
def test_nothing_else_is_there(files: StaticFiles, name: str) -> None:
    """A path that is not exactly a public file's leads nowhere."""
    assert ask(files, name) is None


def test_an_unknown_file_stops_the_template(files: StaticFiles) -> None:
    """A template that names a missing file fails, so that a test sees it."""
    with pytest.raises(LookupError, match="no static file"):
        files.url("demo", "gone.css")


def test_a_folder_that_is_missing_is_named() -> None:
    """A wrong folder is an error with the package's name."""
    with pytest.raises(PlatformError, match=r"'email' has no folder 'nothing'"):
        read_static([("demo", StaticFolder("email", "nothing"))])
