"""``inventory``: what an older FastAPI application consists of."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from au_sys_python_factory.affected.pictures import mermaid, svg
from au_sys_python_factory.affected.pictures.model import Arrow, Box, Graph
from au_sys_python_factory.commands.output import answer
from au_sys_python_factory.errors import DONE, Refused

if TYPE_CHECKING:
    from au_sys_python_factory.inventory.taking import Inventory

_FLOORS = {"manifest": 3, "adapters": 2, "core": 1}
_SHOWN = 40


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--format", "form", type=click.Choice(("table", "mermaid", "svg")), default="table", show_default=True)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to a file instead of stdout.")
@click.option("--all", "whole", is_flag=True, help="Every fact, not the first of each kind only.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout, with everything.")
def inventory(path: Path, form: str, output: Path | None, whole: bool, as_json: bool) -> None:
    """List what the application in PATH (a folder, an sdist, a wheel) consists of; nothing of it is run or imported."""
    from au_sys_python_factory.inventory.taking import take

    found = take(path)
    if as_json:
        answer("inventory", DONE, found)
        return
    if form == "table":
        text = "\n".join(_table(found, whole)) + "\n"
    else:
        picture = _picture(found)
        text = svg.drawn(picture) if form == "svg" else mermaid.written(picture)
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Refused(f"cannot be written: {error.strerror}.", where=str(output), fix="name another file.") from None


def _table(found: "Inventory", whole: bool) -> list[str]:
    code = [module for module in found.modules if not module.tests]
    size = f"{len(code)} modules with {sum(module.lines for module in code):,} lines"
    tests = f"{len(found.modules) - len(code)} modules of tests"
    lines = [f"{found.name}: {size}, {tests}, {len(found.routes)} routes", "", "modules"]
    for module in found.modules:
        places = ", ".join(module.places) or "-"
        lines.append(f"  {module.path:<50} {module.lines:>6} lines {module.functions:>4} functions  {places}")
    lines += ["", "routes"]
    for route in found.routes:
        how = "async" if route.endpoint.is_async else "sync "
        sure = "" if route.certain else "  (guessed)"
        lines.append(f"  {','.join(route.methods):<10} {route.path:<50} {how} {route.endpoint.name}{sure}")
    lines += ["", *_facts(found, whole)]
    lines += [f"circle: {' -> '.join((*circle, circle[0]))}" for circle in found.circles]
    lines += [f"nobody imports {module}" for module in found.unused]
    lines += [f"the same name: {', '.join(paths)}" for paths in found.twice]
    lines += [f"{item.path}:{item.line}: not read: {item.why}" for item in found.unreadable]
    return lines


def _facts(found: "Inventory", whole: bool) -> list[str]:
    lines: list[str] = []
    for kind, number in sorted(Counter(fact.kind for fact in found.facts).items()):
        lines.append(f"{kind}: {number}")
        own = [fact for fact in found.facts if fact.kind == kind]
        for fact in own if whole else own[:_SHOWN]:
            lines.append(f"  {fact.path}:{fact.line}: {fact.what}{'' if fact.certain else '  (guessed)'}")
        if len(own) > _SHOWN and not whole:
            lines.append(f"  … {len(own) - _SHOWN} more (--all)")
    return [*lines, ""]


def _picture(found: "Inventory") -> Graph:
    code = {module.name: module for module in found.modules if not module.tests}
    within = {name: set(circle) for circle in found.circles for name in circle}
    boxes = tuple(
        Box(name, name, max((_FLOORS.get(place.split("/")[0], 0) for place in module.places), default=0))
        for name, module in sorted(code.items())
    )
    pairs = Counter(
        (name, item.target)
        for name, module in code.items()
        for item in module.imports
        if item.target in code and item.target != name
    )
    arrows = (Arrow(a, b, n, "cycle" if b in within.get(a, ()) else "") for (a, b), n in sorted(pairs.items()))
    return Graph(f"{found.name}: modules", boxes, tuple(arrows))
