"""Tool, profession, category, slug: the catalogue's nouns."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime

from skriptoteket.core.identifiers import ToolId, VersionId

_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*\Z")
_UUID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}")
PLACEHOLDER_PREFIX = "draft-"


def is_slug(text: str, longest: int = 128) -> bool:
    """Lower-case letters and digits in groups joined by single hyphens; nothing that reads as an id."""
    return len(text) <= longest and _SLUG.match(text) is not None and _UUID.fullmatch(text) is None


def slug_of(title: str) -> str:
    """An address for a title, as far as it has letters for one: without accents, å and ä as a, ö as o."""
    bare = "".join(letter for letter in unicodedata.normalize("NFKD", title.lower()) if letter.isascii())
    slug = re.sub(r"[^a-z0-9]+", "-", bare).strip("-")[:128].rstrip("-")
    return slug if is_slug(slug) else ""


@dataclass(frozen=True, slots=True)
class Profession:
    """Whose work a tool belongs to."""

    slug: str
    label_en: str
    label_sv: str
    sort_order: int


@dataclass(frozen=True, slots=True)
class Category:
    """What kind of task a tool is for; the order is each profession's own."""

    slug: str
    label_en: str
    label_sv: str
    sort_order: int


@dataclass(frozen=True, slots=True)
class Tool:
    """A catalogue entry. What it does is in its active version."""

    id: ToolId
    slug: str
    title: str
    summary: str
    owner: str
    created_at: datetime
    updated_at: datetime
    title_sv: str = ""
    summary_sv: str = ""
    professions: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    is_visible: bool = False
    first_shown_at: datetime | None = None
    active_version_id: VersionId | None = None
    draft_head_version_id: VersionId | None = None
    max_parallel: int | None = None
    bank_slug: str | None = None

    @property
    def has_placeholder_slug(self) -> bool:
        """True until somebody gave the tool a slug of its own."""
        return self.slug.startswith(PLACEHOLDER_PREFIX)
