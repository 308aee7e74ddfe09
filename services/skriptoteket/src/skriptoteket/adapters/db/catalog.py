"""ToolStore and TaxonomyStore on SQL."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from skriptoteket.adapters.db.rows import tool_of, tool_row
from skriptoteket.adapters.db.statements import rows_changed
from skriptoteket.adapters.db.tables import (
    categories,
    favourites,
    maintainers,
    profession_categories,
    professions,
    tool_categories,
    tool_professions,
    tool_slug_aliases,
    tool_versions,
    tools,
)
from skriptoteket.core.catalog.models import Category, Profession, Tool
from skriptoteket.core.errors import Conflict, NotFound
from skriptoteket.core.identifiers import ToolId


class SqlToolStore:
    """Tools with their tags, aliases, maintainers and favourites."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, tool: Tool) -> None:
        """Insert. Raises ``Conflict`` (slug_taken)."""
        await self._refuse_alias(tool)
        try:
            async with self._session.begin_nested():
                await self._session.execute(insert(tools).values(tool_row(tool)))
        except IntegrityError:
            raise slug_taken(tool.slug) from None
        await self._tag(tool)

    async def get(self, tool_id: ToolId) -> Tool:
        """By id. Raises ``NotFound``."""
        return await self._one(select(tools).where(tools.c.id == tool_id), tool_id)

    async def lock(self, tool_id: ToolId) -> Tool:
        """By id, with the row locked (SQLite: the whole file is, by the write transaction)."""
        return await self._one(select(tools).where(tools.c.id == tool_id).with_for_update(), tool_id)

    async def by_slug(self, slug: str) -> Tool | None:
        """By its slug or by an old one."""
        found = await self._many(select(tools).where(tools.c.slug == slug))
        if found:
            return found[0]
        alias = select(tool_slug_aliases.c.tool_id).where(tool_slug_aliases.c.slug == slug).scalar_subquery()
        found = await self._many(select(tools).where(tools.c.id == alias))
        return found[0] if found else None

    async def by_bank_slug(self, slug: str) -> Tool | None:
        """The tool that was installed from the script bank under this name."""
        found = await self._many(select(tools).where(tools.c.bank_slug == slug))
        return found[0] if found else None

    async def update(self, tool: Tool) -> None:
        """Replace. Raises ``NotFound`` and ``Conflict`` (slug_taken)."""
        await self._refuse_alias(tool)
        try:
            async with self._session.begin_nested():
                changed = await rows_changed(
                    self._session, update(tools).where(tools.c.id == tool.id).values(tool_row(tool))
                )
        except IntegrityError:
            raise slug_taken(tool.slug) from None
        if changed == 0:
            raise NotFound("tool", tool.id)
        await self._session.execute(delete(tool_professions).where(tool_professions.c.tool_id == tool.id))
        await self._session.execute(delete(tool_categories).where(tool_categories.c.tool_id == tool.id))
        await self._tag(tool)

    async def keep_alias(self, tool_id: ToolId, slug: str) -> None:
        """Let an old slug lead to the tool."""
        known = await self._session.execute(select(tool_slug_aliases.c.slug).where(tool_slug_aliases.c.slug == slug))
        if known.first() is None:
            await self._session.execute(insert(tool_slug_aliases).values(slug=slug, tool_id=tool_id))

    async def stamp(self) -> tuple[int, datetime | None]:
        """How many tools, and the latest change."""
        query = select(func.count(), func.max(tools.c.updated_at)).select_from(tools)
        count, latest = (await self._session.execute(query)).one()
        return count, latest

    async def shown(self) -> Sequence[tuple[Tool, str]]:
        """Every tool of the catalogue with its instructions."""
        active = tools.c.is_visible, tools.c.active_version_id.is_not(None)
        query = select(tools.c.id, tool_versions.c.usage_instructions)
        query = query.join(tool_versions, tool_versions.c.id == tools.c.active_version_id).where(*active)
        texts = {row[0]: row[1] for row in await self._session.execute(query)}
        return [(tool, texts.get(tool.id, "")) for tool in await self._many(select(tools).where(*active))]

    async def all(self) -> Sequence[Tool]:
        """Every tool."""
        return await self._many(select(tools))

    async def maintained_by(self, subject: str) -> Sequence[Tool]:
        """The tools that a subject maintains."""
        of = select(maintainers.c.tool_id).where(maintainers.c.subject == subject)
        return await self._many(select(tools).where(tools.c.id.in_(of)))

    async def maintainers(self, tool_id: ToolId) -> frozenset[str]:
        """Who maintains the tool."""
        found = await self._session.execute(select(maintainers.c.subject).where(maintainers.c.tool_id == tool_id))
        return frozenset(found.scalars())

    async def add_maintainer(self, tool_id: ToolId, subject: str) -> None:
        """Idempotent."""
        if subject not in await self.maintainers(tool_id):
            await self._session.execute(insert(maintainers).values(tool_id=tool_id, subject=subject))

    async def remove_maintainer(self, tool_id: ToolId, subject: str) -> None:
        """Idempotent."""
        of = (maintainers.c.tool_id == tool_id) & (maintainers.c.subject == subject)
        await self._session.execute(delete(maintainers).where(of))

    async def set_favourite(self, tool_id: ToolId, subject: str, wanted: bool, at: datetime) -> None:
        """Idempotent both ways."""
        of = (favourites.c.tool_id == tool_id) & (favourites.c.subject == subject)
        known = (await self._session.execute(select(favourites.c.tool_id).where(of))).first() is not None
        if wanted and not known:
            await self._session.execute(insert(favourites).values(tool_id=tool_id, subject=subject, created_at=at))
        elif known and not wanted:
            await self._session.execute(delete(favourites).where(of))

    async def favourites(self, subject: str) -> frozenset[ToolId]:
        """The ids of a subject's favourites."""
        found = await self._session.execute(select(favourites.c.tool_id).where(favourites.c.subject == subject))
        return frozenset(ToolId(tool_id) for tool_id in found.scalars())

    async def _refuse_alias(self, tool: Tool) -> None:
        alias = tool_slug_aliases
        taken = select(alias.c.slug).where(alias.c.slug == tool.slug, alias.c.tool_id != tool.id)
        if (await self._session.execute(taken)).first() is not None:
            raise slug_taken(tool.slug)

    async def _tag(self, tool: Tool) -> None:
        for table, column, slugs in (
            (tool_professions, "profession", tool.professions),
            (tool_categories, "category", tool.categories),
        ):
            rows = [{"tool_id": tool.id, column: slug, "place": place} for place, slug in enumerate(slugs)]
            if rows:
                await self._session.execute(insert(table), rows)

    async def _one(self, query: Select[Any], key: object) -> Tool:  # Any: the columns of the query
        found = await self._many(query)
        if not found:
            raise NotFound("tool", key)
        return found[0]

    async def _many(self, query: Select[Any]) -> list[Tool]:  # Any: rows of a whole table
        rows = (await self._session.execute(query)).mappings().all()
        if not rows:
            return []
        ids = [row["id"] for row in rows]
        of_profession = await self._tags(
            select(tool_professions).where(tool_professions.c.tool_id.in_(ids)), "profession"
        )
        of_category = await self._tags(select(tool_categories).where(tool_categories.c.tool_id.in_(ids)), "category")
        return [tool_of(row, of_profession.get(row["id"], ()), of_category.get(row["id"], ())) for row in rows]

    async def _tags(self, query: Select[Any], column: str) -> Mapping[object, tuple[str, ...]]:  # Any: as above
        found: dict[object, list[tuple[int, str]]] = defaultdict(list)
        for row in (await self._session.execute(query)).mappings():
            found[row["tool_id"]].append((row["place"], row[column]))
        return {tool_id: tuple(slug for _, slug in sorted(pairs)) for tool_id, pairs in found.items()}


def slug_taken(slug: str) -> Conflict:
    """The refusal of a slug that is or was another tool's."""
    return Conflict("slug_taken", f"This address is or was another tool's: {slug}. Choose another one.", {"slug": slug})


class SqlTaxonomyStore:
    """Professions and categories."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def professions(self) -> Sequence[Profession]:
        """In their order."""
        rows = await self._session.execute(select(professions).order_by(professions.c.sort_order, professions.c.slug))
        return [Profession(**row) for row in rows.mappings()]

    async def categories(self, profession: str | None = None) -> Sequence[Category]:
        """In their order, or in the order of a profession."""
        query = select(categories).order_by(categories.c.sort_order, categories.c.slug)
        if profession is not None:
            of = profession_categories
            query = (
                select(categories.c.slug, categories.c.label_en, categories.c.label_sv, of.c.sort_order)
                .join(of, of.c.category == categories.c.slug)
                .where(of.c.profession == profession)
                .order_by(of.c.sort_order, categories.c.slug)
            )
        return [Category(**row) for row in (await self._session.execute(query)).mappings()]

    async def put_profession(self, profession: Profession) -> None:
        """Insert or replace."""
        row = {name: getattr(profession, name) for name in Profession.__dataclass_fields__}
        changed = await rows_changed(
            self._session, update(professions).where(professions.c.slug == profession.slug).values(row)
        )
        if changed == 0:
            await self._session.execute(insert(professions).values(row))

    async def put_category(self, category: Category) -> None:
        """Insert or replace."""
        row = {name: getattr(category, name) for name in Category.__dataclass_fields__}
        changed = await rows_changed(
            self._session, update(categories).where(categories.c.slug == category.slug).values(row)
        )
        if changed == 0:
            await self._session.execute(insert(categories).values(row))

    async def put_order(self, profession: str, slugs: Sequence[str]) -> None:
        """The categories of a profession, in this order."""
        of = profession_categories
        await self._session.execute(delete(of).where(of.c.profession == profession))
        rows = [{"profession": profession, "category": slug, "sort_order": place} for place, slug in enumerate(slugs)]
        if rows:
            await self._session.execute(insert(of), rows)

    async def delete_profession(self, slug: str) -> None:
        """Raises ``NotFound`` and ``Conflict`` (in_use)."""
        used = select(tool_professions.c.tool_id).where(tool_professions.c.profession == slug).limit(1)
        await self._refuse_used(used, slug)
        gone = await rows_changed(self._session, delete(professions).where(professions.c.slug == slug))
        if gone == 0:
            raise NotFound("profession", slug)

    async def delete_category(self, slug: str) -> None:
        """Raises ``NotFound`` and ``Conflict`` (in_use)."""
        used = select(tool_categories.c.tool_id).where(tool_categories.c.category == slug).limit(1)
        await self._refuse_used(used, slug)
        of = profession_categories
        await self._session.execute(delete(of).where(of.c.category == slug))
        gone = await rows_changed(self._session, delete(categories).where(categories.c.slug == slug))
        if gone == 0:
            raise NotFound("category", slug)

    async def _refuse_used(self, used: Select[Any], slug: str) -> None:  # Any: one column of ids
        if (await self._session.execute(used)).first() is not None:
            raise in_use(slug)


def in_use(slug: str) -> Conflict:
    """The refusal to delete a tag that tools carry."""
    return Conflict("in_use", f"Tools are tagged with this: {slug}. Give them another tag first.", {"slug": slug})
