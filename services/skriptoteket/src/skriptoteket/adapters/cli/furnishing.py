"""Furnish a library from the command line: professions and categories, and the tools that ship."""

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import click

from skriptoteket.core.versions.bank.models import Installed

T = TypeVar("T")


class Done(Protocol):
    """Waits for work, and tells errors in a sentence."""

    def __call__(self, work: Awaitable[T]) -> T:
        """What the work answered."""
        ...


@dataclass(frozen=True, slots=True)
class FurnishingParts:
    """What the commands do their work with."""

    taxonomy: Callable[[], Awaitable[int]]
    install: Callable[[bool, tuple[str, ...], bool], Awaitable[Sequence[Installed]]]


def add_furnishing_commands(group: click.Group, parts: FurnishingParts, done: Done) -> None:
    """Add ``initial-data`` and ``load-script-bank``."""

    @group.command(name="initial-data", help="Add the professions and categories that are missing; twice adds nothing.")
    def initial_data() -> None:
        click.echo(f"{done(parts.taxonomy())} added.")

    @group.command(name="load-script-bank", help="Install the tools that ship as drafts; twice changes nothing.")
    @click.option("--publish", is_flag=True, help="Publish what is installed.")
    @click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
    @click.option("--only", multiple=True, metavar="SLUG", help="Install these tools only.")
    @click.option("--json", "as_json", is_flag=True, help="Print JSON.")
    def load_script_bank(publish: bool, dry_run: bool, only: tuple[str, ...], as_json: bool) -> None:
        installed = done(parts.install(publish, only, dry_run))
        if as_json:
            click.echo(json.dumps([{"slug": each.slug, "result": each.result} for each in installed]))
            return
        for each in installed:
            click.echo(f"{each.slug}: {each.result.replace('_', ' ')}")
