"""A tool by what people and programs call it: slug or id."""

from uuid import UUID

from skriptoteket.core.catalog.models import Tool
from skriptoteket.core.catalog.ports import CatalogUnit
from skriptoteket.core.errors import NotFound
from skriptoteket.core.identifiers import ToolId
from skriptoteket.core.ports import UnitOfWork


class ToolLookup:
    """Finds tools for verbs that check rights themselves. Lives as long as the app."""

    def __init__(self, work: UnitOfWork[CatalogUnit]) -> None:
        self._work = work

    async def id_of(self, text: str) -> ToolId:
        """The id of a tool.

        Raises:
            NotFound: nothing is called so.
        """
        async with self._work.read() as unit:
            try:
                return (await unit.tools.get(ToolId(UUID(text)))).id
            except ValueError:
                tool = await unit.tools.by_slug(text)
        if tool is None:
            raise NotFound("tool", text)
        return tool.id

    async def maintained_by(self, subject: str) -> list[Tool]:
        """The tools that somebody maintains, newest change first."""
        async with self._work.read() as unit:
            return sorted(await unit.tools.maintained_by(subject), key=lambda tool: tool.updated_at, reverse=True)
