"""Who may write a tool, and what a writer is told when somebody was faster."""

from skriptoteket.core.catalog.models import Tool
from skriptoteket.core.errors import Conflict, NotFound
from skriptoteket.core.identifiers import ToolId
from skriptoteket.core.roles import Actor
from skriptoteket.core.versions.ports import VersionUnit


async def writable_tool(
    unit: VersionUnit, actor: Actor, tool_id: ToolId, *, lock: bool = False, kind: str = "tool"
) -> Tool:
    """The tool, if the actor may write it.

    Raises:
        NotFound: it does not exist, or not for this actor.
    """
    tool = await (unit.tools.lock(tool_id) if lock else unit.tools.get(tool_id))
    if not actor.may_write(await unit.tools.maintainers(tool_id)):
        raise NotFound(kind, tool_id)
    return tool


def head_moved(tool: Tool) -> Conflict:
    """The refusal of a write on a version that is no longer the head."""
    head = str(tool.draft_head_version_id) if tool.draft_head_version_id is not None else None
    message = "Somebody saved in between. Your text is untouched: compare it with the current draft and save again."
    return Conflict("draft_head_moved", message, {"draft_head_version_id": head})
