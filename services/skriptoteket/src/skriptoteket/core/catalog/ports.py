"""ToolStore and TaxonomyStore: where the catalogue is kept."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from skriptoteket.core.catalog.models import Category, Profession, Tool
from skriptoteket.core.identifiers import ToolId, VersionId


class ToolStore(Protocol):
    """Tools with their tags, aliases and maintainers. No method ends a transaction."""

    async def add(self, tool: Tool) -> None:
        """Raises ``Conflict`` (slug_taken)."""
        ...

    async def get(self, tool_id: ToolId) -> Tool:
        """Raises ``NotFound``."""
        ...

    async def lock(self, tool_id: ToolId) -> Tool:
        """The tool, with its row locked until the transaction ends. Raises ``NotFound``."""
        ...

    async def by_slug(self, slug: str) -> Tool | None:
        """By its slug or by one that it once had in public."""
        ...

    async def by_bank_slug(self, slug: str) -> Tool | None: ...

    async def update(self, tool: Tool) -> None:
        """Raises ``NotFound`` and ``Conflict`` (slug_taken)."""
        ...

    async def keep_alias(self, tool_id: ToolId, slug: str) -> None: ...

    async def stamp(self) -> tuple[int, datetime | None]:
        """How many tools there are and when one was last changed: cheap to ask, another one after every change."""
        ...

    async def shown(self) -> Sequence[tuple[Tool, str]]:
        """Every tool that is in the catalogue, with the usage instructions of its active version, in no particular
        order."""
        ...

    async def all(self) -> Sequence[Tool]: ...

    async def maintained_by(self, subject: str) -> Sequence[Tool]: ...

    async def maintainers(self, tool_id: ToolId) -> frozenset[str]: ...

    async def add_maintainer(self, tool_id: ToolId, subject: str) -> None: ...

    async def remove_maintainer(self, tool_id: ToolId, subject: str) -> None: ...

    async def set_favourite(self, tool_id: ToolId, subject: str, wanted: bool, at: datetime) -> None: ...

    async def favourites(self, subject: str) -> frozenset[ToolId]: ...


class TaxonomyStore(Protocol):
    """Professions, categories, and the order of categories in each profession."""

    async def professions(self) -> Sequence[Profession]: ...

    async def categories(self, profession: str | None = None) -> Sequence[Category]: ...

    async def put_profession(self, profession: Profession) -> None: ...

    async def put_category(self, category: Category) -> None: ...

    async def put_order(self, profession: str, categories: Sequence[str]) -> None: ...

    async def delete_profession(self, slug: str) -> None:
        """Raises ``NotFound`` and ``Conflict`` (in_use)."""
        ...

    async def delete_category(self, slug: str) -> None:
        """Raises ``NotFound`` and ``Conflict`` (in_use)."""
        ...


class RetiredRuns(Protocol):
    """The queue, as far as hiding and rolling back need it."""

    async def retire(self, tool_id: ToolId, keep: VersionId | None, now: datetime) -> int:
        """Cancel waiting production, action and scheduled runs of the tool, except those of the version ``keep``."""
        ...


class CatalogUnit(Protocol):
    """One transaction as the verbs of the catalogue see it."""

    @property
    def tools(self) -> ToolStore: ...

    @property
    def taxonomy(self) -> TaxonomyStore: ...

    @property
    def queue(self) -> RetiredRuns: ...
