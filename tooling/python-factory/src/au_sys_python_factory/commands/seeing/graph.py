"""``graph``: a picture of packages, of the layers of one package, or of its modules."""

import gc
from pathlib import Path

import click

from au_sys_python_factory.affected.pictures import mermaid, seeing, svg
from au_sys_python_factory.affected.pictures.model import Graph
from au_sys_python_factory.checks.reading.project import Project, read_project
from au_sys_python_factory.commands.output import answer
from au_sys_python_factory.errors import DONE, Refused
from au_sys_python_factory.workspace.members import find_workspace


@click.command()
@click.argument("name", required=False)
@click.option("--modules", "fine", is_flag=True, help="With NAME: its modules instead of its layers.")
@click.option("--format", "form", type=click.Choice(("mermaid", "svg", "json")), default="mermaid", show_default=True)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to a file instead of stdout.")
@click.option("--reason", nargs=2, metavar="A B", help="Why A depends on B: the shortest chain of imports.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
@click.option(
    "--workspace", "start", type=click.Path(path_type=Path), default=Path(), help="A folder of the workspace."
)
def graph(
    name: str | None,
    fine: bool,
    form: str,
    output: Path | None,
    reason: tuple[str, str] | None,
    as_json: bool,
    start: Path,
) -> None:
    """Draw what imports what: all packages, or the layers of NAME. What breaks a rule is red."""
    gc.disable()  # syntax trees hold no circles worth collecting
    project = read_project(find_workspace(start))
    if reason:
        chain = seeing.reason(project, *reason)
        if as_json:
            answer("graph", DONE, {"reason": chain})
        else:
            click.echo("\n  imports ".join(chain))
        return
    seen = _seen(project, name, fine)
    if as_json or form == "json":
        answer("graph", DONE, {"title": seen.title, "boxes": seen.boxes, "arrows": seen.arrows, "wrong": seen.wrong})
        return
    text = svg.drawn(seen) if form == "svg" else mermaid.written(seen)
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Refused(f"cannot be written: {error.strerror}.", where=str(output), fix="name another file.") from None
    click.echo(f"{output}: {len(seen.boxes)} boxes, {len(seen.arrows)} arrows, {len(seen.wrong)} wrong")


def _seen(project: Project, name: str | None, fine: bool) -> Graph:
    if name is None:
        return seeing.packages(project)
    named = [m.member for m in project.members if name in (m.member.dist, m.member.path.name, m.member.import_name)]
    if not named:
        known = ", ".join(member.member.dist for member in project.members)
        raise Refused(f"there is no package {name}.", fix=f"packages here: {known}.")
    return (seeing.modules if fine else seeing.layers)(project, named[0])
