"""Furnish, work, look at the host, try a script: the command line ``skriptoteket``, over services it is given."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import click

from skriptoteket.adapters.cli.abusing import MakeSandbox, add_abuse_command
from skriptoteket.adapters.cli.environments import EnvironmentParts, add_environment_commands
from skriptoteket.adapters.cli.furnishing import FurnishingParts, add_furnishing_commands
from skriptoteket.adapters.cli.racing import MakeWaiting, add_bench_command
from skriptoteket.adapters.cli.trying import try_script
from skriptoteket.adapters.sandbox.probe import HostReport
from skriptoteket.adapters.worker.identity import WorkerRefused
from skriptoteket.core.errors import SkriptoteketError
from skriptoteket.core.runs.retention import Purged
from skriptoteket.core.runs.sandbox import Sandbox

T = TypeVar("T")

EXIT_WRONG = 1
EXIT_HOST = 3


@dataclass(frozen=True, slots=True)
class CommandParts:
    """What the commands do their work with; the manifest fills it."""

    furnishing: FurnishingParts
    work: Callable[[bool, bool], Awaitable[None]]
    report: Callable[[], Awaitable[HostReport]]
    prune: Callable[[bool], Awaitable[Purged]]
    sandbox: Callable[[], Sandbox]
    runner: MakeSandbox
    waiting: MakeWaiting
    forget: Callable[[str], Awaitable[int]]
    environments: EnvironmentParts
    alive: Callable[[], bool]


def command_line(parts: CommandParts) -> click.Group:
    """The group of commands."""
    group = click.Group(help="The governed script library.")
    add_furnishing_commands(group, parts.furnishing, _done)
    _add_daily_commands(group, parts)
    _add_host_commands(group, parts)
    add_environment_commands(group, parts.environments, _done, EXIT_WRONG)
    add_bench_command(group, parts.runner, parts.waiting, parts.environments.has_pandas, _done, EXIT_WRONG)
    add_abuse_command(group, parts.runner, _done, EXIT_WRONG, EXIT_HOST)
    return group


def _add_daily_commands(group: click.Group, parts: CommandParts) -> None:
    @group.command(help="Remove files, logs and results whose time is over; the web process does it every hour.")
    @click.option("--dry-run", is_flag=True, help="Only count.")
    def prune(dry_run: bool) -> None:
        purged = _done(parts.prune(dry_run))
        for kind, number in purged.counts.items():
            click.echo(f"{kind}: {number}")
        if purged.failures:
            raise _failure(f"{purged.failures} could not be removed; they are tried again.", EXIT_WRONG)

    @group.command(name="forget-subject", help="Erase a person: their runs, files and settings; their name everywhere.")
    @click.argument("urn")
    def forget_subject(urn: str) -> None:
        rows = _done(parts.forget(urn))
        click.echo(f"{urn} is erased; {rows} rows name a pseudonym now.")

    @group.command(help="Run tools that wait, until the process is asked to stop. One worker per host.")
    @click.option("--once", is_flag=True, help="Stop when nothing waits.")
    @click.option("--unsafe-subprocess", "unsafe", is_flag=True, help="Isolate nothing; for writing tools only.")
    @click.option("--alive", is_flag=True, help="Only tell whether the worker of this state directory lives: 0 or 1.")
    def worker(once: bool, unsafe: bool, alive: bool) -> None:
        if alive:
            sys.exit(0 if parts.alive() else EXIT_WRONG)
        try:
            _done(parts.work(once, unsafe))
        except WorkerRefused as error:
            raise _failure(str(error), EXIT_WRONG) from None


def _add_host_commands(group: click.Group, parts: CommandParts) -> None:
    @group.command(help="Say what this host can isolate, and how to get what is missing.")
    @click.option("--json", "as_json", is_flag=True, help="Print JSON.")
    def doctor(as_json: bool) -> None:
        report = _done(parts.report())
        if as_json:
            findings = [
                {"feature": each.feature, "found": each.found, "detail": each.detail, "fix": each.fix}
                for each in report.findings
            ]
            members = {"usable": report.usable, "capabilities": dict(report.capabilities), "findings": findings}
            click.echo(json.dumps(members))
        else:
            _print_report(report)
        if not report.usable:
            sys.exit(EXIT_HOST)

    @group.command(name="run-script", help="Run a script folder through the real contract, on this machine.")
    @click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
    @click.option("--input", "files", multiple=True, metavar="[FIELD=]FILE", help="A file to upload.")
    @click.option("--set", "values", multiple=True, metavar="NAME=VALUE", help="A value of the form.")
    @click.option("--output", type=click.Path(file_okay=False, path_type=Path), help="Where the files go.")
    def run_script(folder: Path, files: tuple[str, ...], values: tuple[str, ...], output: Path | None) -> None:
        outcome = _done(try_script(parts.sandbox(), folder, files, values, output))
        click.echo(json.dumps(outcome.shown, ensure_ascii=False, indent=2))
        if not outcome.succeeded:
            sys.exit(EXIT_WRONG)


def _print_report(report: HostReport) -> None:
    for each in report.findings:
        click.echo(
            f"{'found  ' if each.found else 'missing'}  {each.feature}{': ' + each.detail if each.detail else ''}"
        )
        if not each.found and each.fix:
            click.echo(f"         fix: {each.fix}")
    click.echo("Scripts can be run here." if report.usable else "Scripts cannot be run here; everything else works.")


def _done(work: Awaitable[T]) -> T:
    async def wait() -> T:
        return await work

    try:
        return asyncio.run(wait())
    except (SkriptoteketError, ValueError, FileNotFoundError) as error:
        raise _failure(str(error), EXIT_WRONG) from None


def _failure(text: str, code: int) -> click.ClickException:
    return _Failure(text, code)


class _Failure(click.ClickException):
    """A sentence for the person at the keyboard, and the exit code for scripts."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.exit_code = code  # type: ignore[misc]  # click reads it from the instance as well
