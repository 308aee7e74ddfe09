"""Take a multipart body apart while it arrives: files go to the blob store piece by piece, never whole into memory."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request

from skriptoteket.core.errors import FieldIssue, MalformedUpload, PayloadTooLarge, ValidationFailed
from skriptoteket.core.runs.inputs import HEAD_BYTES, Upload, UploadLimits, name_problem, readable_size
from skriptoteket.core.runs.ports.files import ArtifactStore, StoredBlob

MAX_FORM_BYTES = 512 * 1024
MAX_PARTS = 200
_MAX_PART_HEADER = 8 * 1024


@dataclass(slots=True)
class Received:
    """What a form brought: texts by field in the order they came, and the stored files."""

    texts: dict[str, list[str]] = field(default_factory=dict)
    uploads: list[Upload] = field(default_factory=list)


@dataclass(slots=True)
class _Part:
    name: str
    filename: str | None
    text: bytearray = field(default_factory=bytearray)
    size: int = 0
    head: bytearray = field(default_factory=bytearray)
    queue: asyncio.Queue[bytes | None] | None = None
    writing: "asyncio.Task[StoredBlob] | None" = None


class UploadReader:
    """Reads the form of one request; its files lie in ``folder``. Whatever goes wrong, no blob is left behind."""

    def __init__(self, files: ArtifactStore, folder: str, limits: UploadLimits) -> None:
        self._files = files
        self._folder = folder
        self._limits = limits
        self._received = Received()
        self._part: _Part | None = None
        self._total = 0
        self._form_bytes = 0
        self._parts = 0
        self._keys: list[str] = []

    async def read(self, request: Request) -> Received:
        """The form, with every file stored.

        Raises:
            MalformedUpload: no multipart, a broken one, or one that ends early.
            PayloadTooLarge: a file, all files or the texts are over their limit.
            ValidationFailed: a file name that cannot be kept.
            StorageUnavailable: the blob store does not answer.
        """
        kind, options = parse_options_header(request.headers.get("content-type", ""))
        boundary = options.get(b"boundary")
        if kind != b"multipart/form-data" or not boundary:
            raise MalformedUpload("the body is no multipart/form-data with a boundary.")
        splitter = _Splitter(boundary)
        try:
            async for chunk in request.stream():
                for event, data in splitter.feed(chunk):
                    await self._take(event, data)
            splitter.finish()
        except (FormParserError, ClientDisconnect) as error:
            await self.discard()
            text = "it ended too early." if isinstance(error, ClientDisconnect) else "its parts cannot be told apart."
            raise MalformedUpload(text) from None
        except BaseException:
            await self.discard()
            raise
        return self._received

    async def discard(self) -> None:
        """Remove every file that was stored for this request."""
        part, self._part = self._part, None
        if part is not None and part.writing is not None:
            part.writing.cancel()
            # Whatever the writing says: its file is deleted below.
            with suppress(asyncio.CancelledError, Exception):
                await part.writing
        for key in self._keys:
            # One file that stays must not keep the others; retention finds it.
            with suppress(Exception):
                await self._files.delete(key)

    async def _take(self, event: str, data: bytes) -> None:
        if event == "begin":
            self._begin(data)
        elif event == "data":
            await self._data(data)
        else:
            await self._end()

    def _begin(self, header: bytes) -> None:
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise PayloadTooLarge("The number of form fields", str(MAX_PARTS))
        part = _part_of(header)
        self._part = part
        if part.filename is None or part.filename == "":
            return
        problem = name_problem(part.filename)
        if problem is not None:
            raise ValidationFailed([FieldIssue(part.name, "file_name", problem)])
        if len(self._keys) >= self._limits.max_files:
            raise PayloadTooLarge("The number of files", f"{self._limits.max_files} files")
        key = f"{self._folder}/{len(self._keys)}"
        self._keys.append(key)
        part.queue = asyncio.Queue(maxsize=4)
        part.writing = asyncio.create_task(self._files.write(key, _drain(part.queue)))

    async def _data(self, data: bytes) -> None:
        part = self._part
        if part is None:
            return
        part.size += len(data)
        if part.queue is None:
            self._form_bytes += len(data)
            if self._form_bytes > MAX_FORM_BYTES:
                raise PayloadTooLarge("The text of the form", readable_size(MAX_FORM_BYTES))
            part.text += data
            return
        self._total += len(data)
        if part.size > self._limits.max_file_bytes:
            raise PayloadTooLarge(f"The file {part.filename}", readable_size(self._limits.max_file_bytes))
        if self._total > self._limits.max_total_bytes:
            raise PayloadTooLarge("The sum of all files", readable_size(self._limits.max_total_bytes))
        if len(part.head) < HEAD_BYTES:
            part.head += data[: HEAD_BYTES - len(part.head)]
        await self._hand_over(part, data)

    async def _hand_over(self, part: _Part, data: bytes | None) -> None:
        if part.queue is None or part.writing is None:
            return
        put = asyncio.ensure_future(part.queue.put(data))
        await asyncio.wait({put, part.writing}, return_when=asyncio.FIRST_COMPLETED)
        if not put.done():
            put.cancel()
        if part.writing.done():
            part.writing.result()  # the store gave up: tell why

    async def _end(self) -> None:
        part, self._part = self._part, None
        if part is None:
            return
        if part.writing is None or part.queue is None:
            if part.filename is None:
                self._received.texts.setdefault(part.name, []).append(_text(part))
            return
        self._part = part
        await part.queue.put(None)
        stored = await part.writing
        self._part = None
        upload = Upload(part.name, part.filename or "", stored.bytes, stored.sha256, stored.key, bytes(part.head))
        self._received.uploads.append(upload)


class _Splitter:
    """The library's parser with its callbacks turned into a list of events."""

    def __init__(self, boundary: bytes) -> None:
        self._events: list[tuple[str, bytes]] = []
        self._name = bytearray()
        self._value = bytearray()
        self._disposition = b""
        self._ended = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._part_begins,
                "on_header_field": lambda data, start, end: self._grow(self._name, data[start:end]),
                "on_header_value": lambda data, start, end: self._grow(self._value, data[start:end]),
                "on_header_end": self._header_ends,
                "on_headers_finished": lambda: self._events.append(("begin", self._disposition)),
                "on_part_data": lambda data, start, end: self._events.append(("data", data[start:end])),
                "on_part_end": lambda: self._events.append(("end", b"")),
                "on_end": self._end,
            },
        )

    def feed(self, chunk: bytes) -> list[tuple[str, bytes]]:
        """The events of a piece of the body; ``begin`` brings the part's Content-Disposition."""
        self._events.clear()
        if chunk:
            self._parser.write(chunk)
        return list(self._events)

    def finish(self) -> None:
        """Refuse a body without its last boundary."""
        if not self._ended:
            raise FormParserError("the last boundary is missing")

    def _part_begins(self) -> None:
        self._disposition = b""

    def _header_ends(self) -> None:
        if bytes(self._name).strip().lower() == b"content-disposition":
            self._disposition = bytes(self._value)
        self._name.clear()
        self._value.clear()

    def _grow(self, buffer: bytearray, data: bytes) -> None:
        if len(buffer) + len(data) > _MAX_PART_HEADER:
            raise FormParserError("the headers of a part are too long")
        buffer += data

    def _end(self) -> None:
        self._ended = True


def _part_of(disposition: bytes) -> _Part:
    _, options = parse_options_header(disposition)
    if b"name" not in options:
        raise MalformedUpload("a part of it has no name.")
    try:
        name = options[b"name"].decode("utf-8")
        filename = options[b"filename"].decode("utf-8") if b"filename" in options else None
    except UnicodeDecodeError:
        raise MalformedUpload("the name of a field or file is no UTF-8.") from None
    return _Part(name, filename)


def _text(part: _Part) -> str:
    try:
        return part.text.decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedUpload(f"the field {part.name} is no UTF-8.") from None


async def _drain(queue: "asyncio.Queue[bytes | None]") -> AsyncIterator[bytes]:
    while (piece := await queue.get()) is not None:
        yield piece
