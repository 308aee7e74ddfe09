"""``doctor``: what on the host will hurt, and what to do about it."""

from pathlib import Path

import click

from au_sys_python_factory.commands.host.diagnosis import Finding, examine
from au_sys_python_factory.commands.output import answer
from au_sys_python_factory.errors import DONE, FINDINGS
from au_sys_python_factory.workspace.members import find_workspace


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
@click.option(
    "--workspace", "start", type=click.Path(path_type=Path), default=Path(), help="A folder of the workspace."
)
def doctor(as_json: bool, start: Path) -> None:
    """Examine the host: programs, Python versions, index variables, lock, ports, disk.

    Exit 1 when something is harmful; what is merely missing says what will not run.
    """
    found = examine(find_workspace(start))
    code = FINDINGS if any(item.state == "harmful" for item in found) else DONE
    if as_json:
        answer("doctor", code, found)
    else:
        for item in found:
            click.echo(_line(item))
    click.get_current_context().exit(code)


def _line(item: Finding) -> str:
    text = f"{item.state:<8} {item.subject:<22} {item.detail}"
    return f"{text}\n{'':31}fix: {item.fix}" if item.fix and item.state != "ok" else text
