"""``affected``: what a change reaches, so that only that has to be tested and built."""

import gc
from pathlib import Path

import click

from au_sys_python_factory.affected.changes import changed_files
from au_sys_python_factory.affected.locked import LOCK, concerned
from au_sys_python_factory.affected.reach import Reach, reach
from au_sys_python_factory.checks.remembering.lightly import read_lightly
from au_sys_python_factory.commands.output import answer
from au_sys_python_factory.errors import DONE
from au_sys_python_factory.workspace.members import find_workspace


@click.command()
@click.option("--since", required=True, metavar="REF", help="A branch, tag or commit to compare with.")
@click.option("--packages", "what", flag_value="packages", help="Distributions that are affected.")
@click.option("--tests", "what", flag_value="tests", default="tests", help="Test files to run (the default).")
@click.option("--modules", "what", flag_value="modules", help="Modules that are affected.")
@click.option("--explain", is_flag=True, help="Show the import chain of each.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
@click.option(
    "--workspace", "start", type=click.Path(path_type=Path), default=Path(), help="A folder of the workspace."
)
def affected(since: str, what: str, explain: bool, as_json: bool, start: Path) -> None:
    """List what the change since REF reaches, one to a line.

    What imports cannot show takes whole packages along: data, templates, project files; a root file takes everything,
    the lock those whose dependencies changed.
    """
    workspace = find_workspace(start)
    changed = changed_files(workspace.root, since)
    locked = concerned(workspace.root, since) if LOCK in changed else set()
    gc.disable()  # syntax trees hold no circles worth collecting
    found = reach(read_lightly(workspace), changed if locked is None else changed - {LOCK}, locked or ())
    if as_json:
        answer("affected", DONE, {"changed": sorted(changed), "reach": found})
        return
    for line in _lines(found, what):
        click.echo(line)
        if explain and line in found.chains:
            for step in found.chains[line][1:]:
                click.echo(f"    ← {step}")


def _lines(found: Reach, what: str) -> tuple[str, ...]:
    return {"packages": found.packages, "tests": found.tests, "modules": found.modules}[what]
