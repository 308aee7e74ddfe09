"""``wire`` and ``unwire``: a capability into a platform, and out of it."""

import click

from au_sys_python_factory.commands.carrying_out import Manner, carry_out, manner_options
from au_sys_python_factory.errors import UsageError
from au_sys_python_factory.pipelines.registration import chosen_platform, find_capability
from au_sys_python_factory.pipelines.wiring import plan_unwire, plan_wire
from au_sys_python_factory.workspace.members import Member, Workspace, find_workspace


@click.command()
@click.argument("name")
@click.option("--shell", default=None, metavar="SHELL", help="The platform; default: the only one.")
@manner_options
def wire(name: str, shell: str | None, manner: Manner) -> None:
    """Put the capability NAME into a platform."""
    workspace = find_workspace(manner.start)
    member, platform = find_capability(workspace, name), _platform(workspace, shell)
    carry_out(workspace, manner, lambda: plan_wire(workspace, member, platform), ["uv run just shell-up"])


@click.command()
@click.argument("name")
@click.option("--shell", default=None, metavar="SHELL", help="The platform; default: the only one.")
@manner_options
def unwire(name: str, shell: str | None, manner: Manner) -> None:
    """Take the capability NAME out of a platform."""
    workspace = find_workspace(manner.start)
    member, platform = find_capability(workspace, name), _platform(workspace, shell)
    carry_out(workspace, manner, lambda: plan_unwire(workspace, member, platform), ["uv run just shell-up"])


def _platform(workspace: Workspace, shell: str | None) -> Member:
    found = chosen_platform(workspace, shell)
    if found is None:
        known = ", ".join(item.path.name for item in workspace.platforms) or "none"
        raise UsageError("which platform is meant is not clear.", fix=f"name it with --shell; platforms here: {known}.")
    return found
