"""How values are shown on pages."""

from datetime import UTC, datetime
from urllib.parse import quote

from au_sys_storage_sdk.core.errors import Conflict, InvalidInput, NotPermitted, TooLarge

TOLD = (Conflict, InvalidInput, NotPermitted, TooLarge)
"""Errors that a form tells beside what was typed; all others are pages of their own."""


def shown_time(milliseconds: int | None) -> str:
    """A time in UTC, empty for none."""
    if milliseconds is None:
        return ""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def shown_size(size: int) -> str:
    """Bytes as people count them."""
    amount, unit = float(size), "B"
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if amount < 1024 or unit == "TiB":
            break
        amount /= 1024
    return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"


def document_page(namespace: str, key: str) -> str:
    """The address of a document's page."""
    return f"/admin/storage/{quote(namespace)}/{quote(key, safe='')}"


def blob_page(namespace: str, key: str, view: str = "blobs") -> str:
    """The address of a blob's page, or of its ``preview``."""
    return f"/admin/storage/{quote(namespace)}:{view}/{quote(key, safe='')}"


def further(prefix: str, after: str | None) -> str:
    """The query of the next page, empty on the last."""
    return "" if after is None else f"?prefix={quote(prefix, safe='')}&after={quote(after, safe='')}"
