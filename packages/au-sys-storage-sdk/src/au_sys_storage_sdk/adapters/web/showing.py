"""What pages show of values and addresses, and how errors are told to who reads them."""

from datetime import UTC, datetime
from urllib.parse import quote

from au_sys_storage_sdk.core.errors import Conflict, InvalidInput, NotPermitted, TooLarge
from fastapi_services_platform import Reader, marked

TOLD = (Conflict, InvalidInput, NotPermitted, TooLarge)
"""Errors that a form tells beside what was typed; all others are pages of their own."""


def time_of(milliseconds: int | None) -> datetime | None:
    """A moment of storage, for the filters of templates."""
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)


def told(reader: Reader, error: Exception) -> str:
    """An error as a sentence in the reader's language."""
    say = reader.text
    if isinstance(error, Conflict):
        if error.expected is None:
            return say(marked("%(key)s is there already. Choose another key, or change what is there."), key=error.key)
        if error.actual is None:
            return say(marked("%(key)s was deleted meanwhile."), key=error.key)
        return say(marked("Somebody has changed %(key)s meanwhile. Open it again."), key=error.key)
    if isinstance(error, InvalidInput):
        return f"{say(error.field)}: {say(error.problem)}; {say(error.fix)}."
    if isinstance(error, TooLarge):
        return say(
            marked("It is over the limit of %(limit)s %(unit)s."),
            limit=reader.number(error.limit),
            unit=say(error.unit),
        )
    if isinstance(error, NotPermitted):
        return say(marked("The rules of this namespace name other callers (STORAGE_NAMESPACES)."))
    return reader.told(error)


def document_page(namespace: str, key: str) -> str:
    """The address of a document's page."""
    return f"/admin/storage/{quote(namespace)}/{quote(key, safe='')}"


def blob_page(namespace: str, key: str, view: str = "blobs") -> str:
    """The address of a blob's page, or of its ``preview``."""
    return f"/admin/storage/{quote(namespace)}:{view}/{quote(key, safe='')}"


def further(prefix: str, after: str | None) -> str:
    """The query of the next page, empty on the last."""
    return "" if after is None else f"?prefix={quote(prefix, safe='')}&after={quote(after, safe='')}"
