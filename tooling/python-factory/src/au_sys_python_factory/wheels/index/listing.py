"""List and fetch the files of a distribution (PEP 503 and PEP 691)."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from html.parser import HTMLParser
from types import TracebackType
from urllib.parse import urldefrag, urljoin

import httpx
from packaging.utils import canonicalize_name

from au_sys_python_factory.errors import MISSING, FactoryError
from au_sys_python_factory.wheels.index.addresses import Index

_ACCEPT = "application/vnd.pypi.simple.v1+json, text/html;q=0.5"
_SECONDS = 30.0
"""How long an index may take for an answer."""


class Unreachable(FactoryError):
    """The index does not answer as an index does."""

    exit_code = MISSING


@dataclass(frozen=True, slots=True)
class Listed:
    """A file that the index offers; ``sha256`` is "" where it does not say."""

    name: str
    url: str
    sha256: str


class IndexReader:
    """Reads one index; a context manager."""

    def __init__(self, index: Index) -> None:
        self.index = index
        user, password = os.environ.get("UV_PUBLISH_USERNAME"), os.environ.get("UV_PUBLISH_PASSWORD")
        credentials = (user, password) if user and password else None
        self._client = httpx.Client(timeout=_SECONDS, follow_redirects=True, auth=credentials, trust_env=False)

    def __enter__(self) -> IndexReader:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: TracebackType | None) -> None:
        self._client.close()

    def files(self, dist: str) -> dict[str, Listed]:
        """File name -> file; empty where the index does not know the distribution.

        Raises:
            Unreachable: no answer, or one that no index gives.
        """
        address = f"{self.index.simple}/{canonicalize_name(dist)}/"
        answer = self._get(address, {"Accept": _ACCEPT})
        if answer.status_code == 404:
            return {}
        if "json" in answer.headers.get("content-type", ""):
            items = [
                Listed(item["filename"], urljoin(address, item["url"]), item.get("hashes", {}).get("sha256", ""))
                for item in answer.json()["files"]
            ]
        else:
            items = _of_page(answer.text, str(answer.url))
        return {item.name: item for item in items}

    def content(self, file: Listed) -> bytes:
        """The file itself.

        Raises:
            Unreachable: it is not delivered, or is not what its hash says.
        """
        answer = self._get(file.url, {})
        if answer.status_code != 200:
            raise Unreachable(f"{file.name} is listed but not delivered ({answer.status_code})", where=self.index.name)
        if file.sha256 and hashlib.sha256(answer.content).hexdigest() != file.sha256:
            raise Unreachable(f"{file.name} is not what its hash says", where=self.index.name)
        return answer.content

    def sha256(self, file: Listed) -> str:
        """Its hash, taken from the file where the index names none."""
        return file.sha256 or hashlib.sha256(self.content(file)).hexdigest()

    def _get(self, address: str, headers: dict[str, str]) -> httpx.Response:
        try:
            answer = self._client.get(address, headers=headers)
        except httpx.HTTPError as error:
            raise Unreachable(
                f"does not answer ({type(error).__name__})", where=self.index.name, fix="look at the index, try again"
            ) from None
        if answer.status_code not in (200, 404):
            raise Unreachable(
                f"answers {answer.status_code}", where=self.index.name, fix="look at the index and the credential"
            )
        return answer


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        href = dict(attrs).get("href")
        if tag == "a" and href:
            self.found.append(href)


def _of_page(text: str, address: str) -> list[Listed]:
    parser = _Links()
    parser.feed(text)
    items = []
    for href in parser.found:
        url, fragment = urldefrag(urljoin(address, href))
        name, _, value = fragment.partition("=")
        items.append(Listed(url.rsplit("/", 1)[1], url, value if name == "sha256" else ""))
    return items
