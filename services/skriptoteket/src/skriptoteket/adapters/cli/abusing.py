"""The command ``abuse``: every attack of the catalogue against every runner that works here."""

import platform
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from fastapi_services_platform import blocking
from skriptoteket.adapters.sandbox.probe import RUNNERS, probe_host
from skriptoteket.conformance.abuse.campaign import Verdict, campaign, planted_secret
from skriptoteket.conformance.abuse.catalogue import ATTACKS
from skriptoteket.conformance.abuse.page import page
from skriptoteket.core.runs.sandbox import Sandbox

Found = dict[str, dict[str, Verdict]]
MakeSandbox = Callable[[str, Path], Sandbox | None]


async def abuse(make: MakeSandbox, runners: Sequence[str], only: Sequence[str], target: Path | None) -> Found:
    """Verdicts by runner and attack; what a runner cannot do here is told and left out."""
    attacks = [ATTACKS[one] for one in only] or list(ATTACKS.values())
    found: Found = {}
    for name in runners:
        with tempfile.TemporaryDirectory(prefix="skriptoteket-abuse-") as folder:
            sandbox = make(name, Path(folder))
            if sandbox is None:
                click.echo(f"{name}: not named in the settings", err=True)
                continue
            report = await probe_host(sandbox)
            if not report.usable:
                click.echo(f"{name}: {report.problem}", err=True)
            else:
                found[name] = await _against(sandbox, attacks, Path(folder))
            await sandbox.close()
    if target is not None:
        await blocking(target.write_text, page(found, _here()), "utf-8")
    return found


async def _against(sandbox: Sandbox, attacks: Sequence[object], folder: Path) -> dict[str, Verdict]:
    verdicts: dict[str, Verdict] = {}
    async with planted_secret(folder):
        async for verdict in campaign(sandbox, [one for one in ATTACKS.values() if one in attacks]):
            verdicts[verdict.attack.id] = verdict
            word = "ESCAPED  " if verdict.complaint else "contained"
            told = f"{word}  {sandbox.name:<10}  {verdict.attack.id} {verdict.attack.name}  {verdict.seconds:.1f} s"
            click.echo(f"{told}  {verdict.complaint}".rstrip())
    return verdicts


def _here() -> str:
    now = datetime.now(UTC)
    return f"Results of {now.day} {now:%B %Y} on Linux {platform.release().split('-')[0]}, {platform.machine()}:"


def add_abuse_command(
    group: click.Group, make: MakeSandbox, done: Callable[[Awaitable[Found]], Found], escaped: int, host: int
) -> None:
    """Add it to the command line; ``escaped`` and ``host`` are exit codes."""

    @group.command(name="abuse", help="Run every attack of the abuse catalogue against the runners of this host.")
    @click.option("--runner", type=click.Choice(("all", *RUNNERS)), default="all", help="One runner only.")
    @click.option("--only", multiple=True, type=click.Choice(list(ATTACKS)), metavar="ID", help="These attacks only.")
    @click.option("--page", "target", type=click.Path(dir_okay=False, path_type=Path), help="Write the table here.")
    def command(runner: str, only: tuple[str, ...], target: Path | None) -> None:
        found = done(abuse(make, RUNNERS if runner == "all" else (runner,), only, target))
        for name, verdicts in found.items():
            held = sum(not verdict.complaint for verdict in verdicts.values())
            click.echo(f"{name}: {held} of {len(verdicts)} contained")
        if not found:
            sys.exit(host)
        if any(verdict.complaint for verdicts in found.values() for verdict in verdicts.values()):
            sys.exit(escaped)
