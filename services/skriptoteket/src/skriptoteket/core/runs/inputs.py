"""Check uploaded files: names, numbers, sizes, extensions, and whether the content is what the extension says."""

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from skriptoteket.core.errors import FieldIssue, PayloadTooLarge
from skriptoteket.core.fields.forms import Fields, file_fields
from skriptoteket.core.json_values import JsonValue

MAX_NAME_BYTES = 200
HEAD_BYTES = 4096
"""How much of a file is looked at to judge its content."""


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """What one submission may bring."""

    max_files: int = 20
    max_file_bytes: int = 20 * 1000 * 1000
    max_total_bytes: int = 50 * 1000 * 1000


@dataclass(frozen=True, slots=True)
class Upload:
    """One stored upload: the field, the name the browser gave, what is stored and the first bytes."""

    field: str
    original_name: str
    size: int
    sha256: str
    blob_key: str
    head: bytes


def name_problem(name: str) -> str | None:
    """Why a file name is refused, or ``None``. Names are never cleaned silently."""
    if not name or name in (".", ".."):
        return "the file has no name"
    if len(name.encode("utf-8", "replace")) > MAX_NAME_BYTES:
        return f"the file name is longer than {MAX_NAME_BYTES} bytes; shorten it"
    if any(character in "/\\" for character in name):
        return "the file name holds a slash; rename the file"
    if any(unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co") for character in name):
        return "the file name holds invisible characters; rename the file"
    return None


def unique_names(names: Sequence[str]) -> tuple[str, ...]:
    """Names under which files lie in the run: a second equal name (case-insensitive, NFC) becomes ``name (2).ext``."""
    taken: set[str] = set()
    unique = []
    for name in (unicodedata.normalize("NFC", given) for given in names):
        path = PurePosixPath(name)
        candidate, number = name, 2
        while candidate.casefold() in taken:
            candidate = f"{path.stem} ({number}){path.suffix}"
            number += 1
        taken.add(candidate.casefold())
        unique.append(candidate)
    return tuple(unique)


def readable_size(size: int) -> str:
    """Bytes in words: decimal megabytes, as file managers show them."""
    return f"{size / 1_000_000:.3g} MB" if size >= 1_000_000 else f"{max(1, round(size / 1000))} kB"


def file_issues(schema: Fields, uploads: Sequence[Upload], *, look: bool = True) -> tuple[FieldIssue, ...]:
    """Everything that is wrong with the uploads, one entry per field; without ``look`` their content is not judged.

    Raises:
        PayloadTooLarge: a file is bigger than its field allows.
    """
    fields = {str(field["name"]): field for field in file_fields(schema)}
    issues = [
        FieldIssue(name, "unknown", f"takes no files (file fields: {', '.join(fields) or 'none'})")
        for name in dict.fromkeys(upload.field for upload in uploads)
        if name not in fields
    ]
    for name, field in fields.items():
        of_field = [upload for upload in uploads if upload.field == name]
        issue = _number_issue(name, field, len(of_field)) or _first_file_issue(name, field, of_field, look)
        if issue is not None:
            issues.append(issue)
    return tuple(issues)


def _number_issue(name: str, field: Mapping[str, JsonValue], count: int) -> FieldIssue | None:
    low, high = _int(field.get("min"), 1), _int(field.get("max"), 1)
    if count < low:
        return FieldIssue(name, "required", "choose a file" if low == 1 else f"choose at least {low} files")
    if count > high:
        return FieldIssue(name, "too_many", f"takes at most {high} file{'s' if high > 1 else ''}; {count} were sent")
    return None


def _first_file_issue(
    name: str, field: Mapping[str, JsonValue], uploads: Sequence[Upload], look: bool
) -> FieldIssue | None:
    accepted = field.get("accept")
    extensions = [str(item) for item in accepted] if isinstance(accepted, list) else []
    biggest = _int(field.get("max_bytes"), 0)
    for upload in uploads:
        problem = name_problem(upload.original_name)
        if problem:
            return FieldIssue(name, "file_name", problem)
        if biggest and upload.size > biggest:
            raise PayloadTooLarge(f"The file {upload.original_name}", readable_size(biggest))
        extension = PurePosixPath(upload.original_name).suffix.lower()
        if extensions and extension not in extensions:
            wanted = ", ".join(extensions)
            return FieldIssue(name, "extension", f"{upload.original_name} is no {wanted} file; choose another")
        if look and not content_fits(extension, upload.head, upload.size):
            kind = extension.removeprefix(".")
            text = (
                f"{upload.original_name} is named as {kind} and its content is something else; save it as {kind} again"
            )
            return FieldIssue(name, "content", text)
    return None


def content_fits(extension: str, head: bytes, size: int) -> bool:
    """Whether the first bytes are what the extension says. An empty file is data; unknown extensions are not judged."""
    judge = _JUDGES.get(extension)
    return size == 0 or judge is None or judge(head)


def _begins(*prefixes: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(prefixes)


def _is_text(head: bytes) -> bool:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    return b"\x00" not in head and not head.startswith((b"PK\x03\x04", b"%PDF", b"\x89PNG", b"\xff\xd8\xff"))


_ZIP = _begins(b"PK\x03\x04", b"PK\x05\x06")
_JUDGES: Mapping[str, Callable[[bytes], bool]] = {
    ".csv": _is_text,
    ".txt": _is_text,
    ".md": _is_text,
    ".xlsx": _ZIP,
    ".docx": _ZIP,
    ".zip": _ZIP,
    ".pdf": lambda head: b"%PDF-" in head[:1024],
    ".png": _begins(b"\x89PNG\r\n\x1a\n"),
    ".jpg": _begins(b"\xff\xd8\xff"),
    ".jpeg": _begins(b"\xff\xd8\xff"),
}


def _int(value: JsonValue, otherwise: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else otherwise
