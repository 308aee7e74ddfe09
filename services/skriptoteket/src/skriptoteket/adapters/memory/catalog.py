"""ToolStore and TaxonomyStore in dictionaries."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from skriptoteket.adapters.memory.state import State
from skriptoteket.core.catalog.models import Category, Profession, Tool
from skriptoteket.core.errors import Conflict, NotFound
from skriptoteket.core.identifiers import ToolId


class MemoryToolStore:
    """Tools with their tags, aliases, maintainers and favourites."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def add(self, tool: Tool) -> None:
        """Raises ``Conflict`` (slug_taken)."""
        self._refuse_taken(tool)
        self._state.tools[tool.id] = tool

    async def get(self, tool_id: ToolId) -> Tool:
        """Raises ``NotFound``."""
        if tool_id not in self._state.tools:
            raise NotFound("tool", tool_id)
        return self._state.tools[tool_id]

    async def lock(self, tool_id: ToolId) -> Tool:
        """The unit of work admits one writer at a time, so reading is enough."""
        return await self.get(tool_id)

    async def by_slug(self, slug: str) -> Tool | None:
        """By its slug or by an old one."""
        found = next((tool for tool in self._state.tools.values() if tool.slug == slug), None)
        alias = self._state.aliases.get(slug)
        return found or (self._state.tools[alias] if alias is not None else None)

    async def by_bank_slug(self, slug: str) -> Tool | None:
        """The tool that was installed from the script bank under this name."""
        return next((tool for tool in self._state.tools.values() if tool.bank_slug == slug), None)

    async def update(self, tool: Tool) -> None:
        """Raises ``NotFound`` and ``Conflict`` (slug_taken)."""
        await self.get(tool.id)
        self._refuse_taken(tool)
        self._state.tools[tool.id] = tool

    async def keep_alias(self, tool_id: ToolId, slug: str) -> None:
        """Let an old slug lead to the tool."""
        self._state.aliases.setdefault(slug, tool_id)

    async def stamp(self) -> tuple[int, datetime | None]:
        """How many tools, and the latest change."""
        return len(self._state.tools), max((tool.updated_at for tool in self._state.tools.values()), default=None)

    async def shown(self) -> Sequence[tuple[Tool, str]]:
        """Every tool of the catalogue with its instructions."""
        found = []
        for tool in self._state.tools.values():
            if tool.is_visible and tool.active_version_id is not None:
                version = self._state.versions.get(tool.active_version_id)
                found.append((tool, version.behaviour.usage_instructions if version is not None else ""))
        return found

    async def all(self) -> Sequence[Tool]:
        """Every tool."""
        return list(self._state.tools.values())

    async def maintained_by(self, subject: str) -> Sequence[Tool]:
        """The tools that a subject maintains."""
        return [self._state.tools[key] for key, names in self._state.maintainers.items() if subject in names]

    async def maintainers(self, tool_id: ToolId) -> frozenset[str]:
        """Who maintains the tool."""
        return self._state.maintainers.get(tool_id, frozenset())

    async def add_maintainer(self, tool_id: ToolId, subject: str) -> None:
        """Idempotent."""
        self._state.maintainers[tool_id] = await self.maintainers(tool_id) | {subject}

    async def remove_maintainer(self, tool_id: ToolId, subject: str) -> None:
        """Idempotent."""
        self._state.maintainers[tool_id] = await self.maintainers(tool_id) - {subject}

    async def set_favourite(self, tool_id: ToolId, subject: str, wanted: bool, at: datetime) -> None:
        """Idempotent both ways."""
        kept = await self.favourites(subject)
        self._state.favourites[subject] = kept | {tool_id} if wanted else kept - {tool_id}

    async def favourites(self, subject: str) -> frozenset[ToolId]:
        """The ids of a subject's favourites."""
        return self._state.favourites.get(subject, frozenset())

    def _refuse_taken(self, tool: Tool) -> None:
        taken = any(other.slug == tool.slug and other.id != tool.id for other in self._state.tools.values())
        if taken or self._state.aliases.get(tool.slug, tool.id) != tool.id:
            text = f"The address {tool.slug!r} is or was another tool's. Choose another."
            raise Conflict("slug_taken", text, {"slug": tool.slug})


class MemoryTaxonomyStore:
    """Professions and categories."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def professions(self) -> Sequence[Profession]:
        """In their order."""
        return sorted(self._state.professions.values(), key=lambda each: (each.sort_order, each.slug))

    async def categories(self, profession: str | None = None) -> Sequence[Category]:
        """In their order, or in the order of a profession."""
        known = self._state.categories
        if profession is None:
            return sorted(known.values(), key=lambda each: (each.sort_order, each.slug))
        order = self._state.orders.get(profession, ())
        return [replace(known[slug], sort_order=place) for place, slug in enumerate(order)]

    async def put_profession(self, profession: Profession) -> None:
        """Insert or replace."""
        self._state.professions[profession.slug] = profession

    async def put_category(self, category: Category) -> None:
        """Insert or replace."""
        self._state.categories[category.slug] = category

    async def put_order(self, profession: str, slugs: Sequence[str]) -> None:
        """The categories of a profession, in this order."""
        self._state.orders[profession] = tuple(slugs)

    async def delete_profession(self, slug: str) -> None:
        """Raises ``NotFound`` and ``Conflict`` (in_use)."""
        self._refuse_used(any(slug in tool.professions for tool in self._state.tools.values()), slug)
        if self._state.professions.pop(slug, None) is None:
            raise NotFound("profession", slug)
        self._state.orders.pop(slug, None)

    async def delete_category(self, slug: str) -> None:
        """Raises ``NotFound`` and ``Conflict`` (in_use)."""
        self._refuse_used(any(slug in tool.categories for tool in self._state.tools.values()), slug)
        if self._state.categories.pop(slug, None) is None:
            raise NotFound("category", slug)
        for profession, order in list(self._state.orders.items()):
            self._state.orders[profession] = tuple(each for each in order if each != slug)

    def _refuse_used(self, used: bool, slug: str) -> None:
        if used:
            text = f"Tools are tagged with {slug!r}. Give them another tag first."
            raise Conflict("in_use", text, {"slug": slug})
