"""What the platform's search finds of the library: tools that one may run, and one's own latest runs."""

from collections.abc import Sequence

from fastapi_services_platform import Found, Principal, Search
from skriptoteket.core.catalog.browsing import Browsing, Wanted
from skriptoteket.core.catalog.models import Tool
from skriptoteket.core.catalog.shelving import spine_of, words_of
from skriptoteket.core.roles import BROWSE, RUN
from skriptoteket.core.runs.watching import RunWatching

_LATEST = 100


def searches(browsing: Browsing, watching: RunWatching) -> tuple[Search, ...]:
    """Each with the permission of the page that it leads to."""

    async def tools(who: Principal, words: str, language: str, limit: int) -> Sequence[Found]:
        shelf = await browsing.shelf(who.urn, Wanted(words), limit=limit)
        return [
            Found(_title(tool, language), f"/tools/{tool.slug}", _summary(tool, language), "tools")
            for tool in shelf.tools
        ]

    async def runs(who: Principal, words: str, language: str, limit: int) -> Sequence[Found]:
        asked = words_of(words)
        found = [(run, tool) for run, tool in await watching.mine(who.urn, _LATEST) if spine_of(tool).fits(asked)]
        return [
            Found(_title(tool, language), f"/my-runs/{run.id}", run.requested_at.strftime("%Y-%m-%d %H:%M UTC"), "runs")
            for run, tool in found[:limit]
        ]

    return (Search("Tools", tools, BROWSE, order=100), Search("My runs", runs, RUN, order=110))


def _title(tool: Tool, language: str) -> str:
    return (tool.title_sv if language == "sv" else "") or tool.title


def _summary(tool: Tool, language: str) -> str:
    return (tool.summary_sv if language == "sv" else "") or tool.summary
