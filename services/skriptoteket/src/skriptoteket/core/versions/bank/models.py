"""A tool as it lies in the script bank: texts, behaviour, and how it is checked."""

from collections.abc import Mapping
from dataclasses import dataclass

from skriptoteket.core.catalog.curation import ToolTexts


@dataclass(frozen=True, slots=True)
class BankTool:
    """One folder of the script bank. ``behaviour`` holds the fields of a version as an author would send them."""

    slug: str
    texts: ToolTexts
    behaviour: Mapping[str, object]
    change_summary: str


@dataclass(frozen=True, slots=True)
class Installed:
    """What installing one tool did: ``unchanged``, ``created``, ``updated``, ``draft_kept`` (a local draft was in the
    way)."""

    slug: str
    result: str
