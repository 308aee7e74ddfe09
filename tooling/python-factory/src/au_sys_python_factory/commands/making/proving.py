"""A verification as people see it: each part as it ends, then a table, then the output of what failed."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from au_sys_python_factory.workspace.members import read_workspace

if TYPE_CHECKING:
    from au_sys_python_factory.commands.carrying_out import Manner
    from au_sys_python_factory.pipelines.verification.parts import Outcome


def proof_of(root: Path, dist: str, platform: str | None, manner: Manner) -> Callable[[], list[Outcome]]:
    """What proves the package ``dist`` of the workspace as it is then, in ``platform``."""

    def prove() -> list[Outcome]:
        from au_sys_python_factory.pipelines.verification.verifying import verify

        began = time.perf_counter()
        member = read_workspace(root).by_dist[dist]
        found = verify(member, platform, _tell)
        if not manner.as_json:
            _show(found, time.perf_counter() - began)
        return found

    return prove


def _tell(outcome: Outcome) -> None:
    click.echo(f"  {outcome.name}: {outcome.verdict} after {outcome.seconds:.1f} s", err=True)


def _show(outcomes: list[Outcome], seconds: float) -> None:
    for item in outcomes:
        first = item.said.splitlines()[0] if item.said and item.verdict != "failed" else ""
        click.echo(f"  {item.name:<18} {item.verdict:<8} {item.seconds:>5.1f} s  {first}".rstrip())
    for item in outcomes:
        if item.verdict == "failed":
            click.echo(f"{item.name} failed:\n{item.said}")
    click.echo(f"verified in {seconds:.1f} s")
