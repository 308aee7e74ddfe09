"""``python-factory release``: plan, apply, undo, gate, publish, verify, bill of materials."""

from __future__ import annotations

import datetime
import json
import sys
from pathlib import Path

import click

from au_sys_python_factory.errors import FINDINGS
from au_sys_python_factory.wheels.building import Built, build, write_sums
from au_sys_python_factory.wheels.cli import prove
from au_sys_python_factory.wheels.index.addresses import find_index
from au_sys_python_factory.wheels.lock.guard import refuse_leak
from au_sys_python_factory.wheels.members import Workspace, find_workspace
from au_sys_python_factory.wheels.release.applying.applying import apply, refuse_unready, take_back
from au_sys_python_factory.wheels.release.delivering.gate import host_of, inspect
from au_sys_python_factory.wheels.release.delivering.publishing import Sent, publish, released_files
from au_sys_python_factory.wheels.release.delivering.sbom import write_bills
from au_sys_python_factory.wheels.release.delivering.starting import start_and_verify
from au_sys_python_factory.wheels.release.delivering.verifying import compare_sums, installed_from, yank_commands
from au_sys_python_factory.wheels.release.planning.plan import make_plan
from au_sys_python_factory.wheels.release.showing import as_data, as_text
from au_sys_python_factory.wheels.twice import prove_reproducible

_workspace = click.option(
    "--workspace", "start", default=".", type=click.Path(exists=True, path_type=Path), help="Where to look for it."
)
_out = click.option("--out", default="dist", show_default=True, type=click.Path(path_type=Path), help="Built files.")


@click.group()
def release() -> None:
    """Plan, apply, prove and publish releases of the workspace's members."""


@release.command("plan")
@_workspace
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option("--exit-code", is_flag=True, help="Exit 6 when there is something to release.")
def plan_command(start: Path, as_json: bool, exit_code: bool) -> None:
    """What would be released, and why. Writes nothing, asks no network; exit 1 when something stops it."""
    found = make_plan(find_workspace(start))
    click.echo(json.dumps(as_data(found), indent=2) if as_json else as_text(found))
    if found.problems:
        sys.exit(FINDINGS)
    if exit_code and found.releases:
        sys.exit(6)


@release.command("apply")
@_workspace
@click.option("--date", "day", default=None, metavar="YYYY-MM-DD", help="Day in the change logs [default: today].")
def apply_command(start: Path, day: str | None) -> None:
    """Write versions, bounds, change logs and the lock; one commit, and a tag for each release."""
    workspace = find_workspace(start)
    refuse_unready(workspace)
    found = make_plan(workspace)
    when = day or datetime.datetime.now(datetime.UTC).date().isoformat()
    done = apply(workspace.root, found, datetime.date.fromisoformat(when).isoformat())
    click.echo(as_text(found))
    click.echo(f"\ncommit {done.commit[:12]}, tags {', '.join(done.tags)}\nnothing is pushed; undo: release undo")


@release.command("undo")
@_workspace
def undo_command(start: Path) -> None:
    """Take back the release on top: its commit and its tags, as long as they are not pushed."""
    done = take_back(find_workspace(start).root)
    click.echo(f"taken back: {', '.join(done.tags)}")


@release.command("gate")
@_workspace
@_out
def gate_command(start: Path, out: Path) -> None:
    """Everything that has to hold before a file is published."""
    workspace = find_workspace(start)
    _gate(workspace, _target(workspace, out), "")


@release.command("publish")
@click.argument("index")
@_workspace
@_out
@click.option("--dry-run", is_flag=True, help="Say what would be sent.")
@click.option("--gated", is_flag=True, help="The gate was passed in a step before.")
def publish_command(index: str, start: Path, out: Path, dry_run: bool, gated: bool) -> None:
    """Send what stands at its tag to INDEX (a name of the root's pyproject.toml, or a URL), dependencies first."""
    workspace = find_workspace(start)
    chosen = find_index(workspace.root, index)
    target = _target(workspace, out)
    built = _built(workspace, target) if gated else _gate(workspace, target, host_of(chosen.upload))
    files = released_files(workspace, built)

    def tell(sent: Sent) -> None:
        click.echo(f"  {sent.file.sha256[:8]}  {sent.file.path.name:<60} {sent.fate}")

    done = publish(workspace.root, chosen, files, dry=dry_run, tell=tell)
    click.echo(f"{sum(item.fate == 'sent' for item in done)} of {len(done)} files sent to {chosen.name}")


@release.command("verify")
@click.argument("index")
@_workspace
@_out
def verify_command(index: str, start: Path, out: Path) -> None:
    """Install what INDEX delivers into an empty environment, and compare it with what was built."""
    workspace = find_workspace(start)
    chosen = find_index(workspace.root, index)
    with installed_from(workspace, chosen, workspace.members, click.echo) as (fetched, _):
        compare_sums(fetched, _target(workspace, out) / "SHA256SUMS")
    click.echo("the files are the ones that were built\nin case of need, on the index:")
    for line in yank_commands(workspace.members):
        click.echo(f"  {line}")


@release.command("sbom")
@_workspace
@_out
def sbom_command(start: Path, out: Path) -> None:
    """A CycloneDX bill of materials beside each wheel."""
    workspace = find_workspace(start)
    target = _target(workspace, out)
    for path in write_bills(workspace.root, target, _built(workspace, target).files):
        click.echo(path)


def _target(workspace: Workspace, out: Path) -> Path:
    return out if out.is_absolute() else workspace.root / out


def _built(workspace: Workspace, target: Path) -> Built:
    refuse_leak(workspace.root)
    built = build(workspace, workspace.members, target, sdists=True, tell=lambda line: click.echo(line, err=True))
    write_sums(target, built)
    return built


def _gate(workspace: Workspace, target: Path, index_host: str) -> Built:
    built = _built(workspace, target)
    prove_reproducible(workspace, built)
    inspect(built.files, index_host)
    click.echo(f"{len(built.files)} files: licence, description, no tests, no host, no path")
    prove(workspace, built)
    for name in start_and_verify(workspace, built.wheels):
        click.echo(f"{name}: started from exactly these wheels, and verified")
    bills = write_bills(workspace.root, target, built.files)
    click.echo(f"{len(bills)} bills of materials")
    return built
