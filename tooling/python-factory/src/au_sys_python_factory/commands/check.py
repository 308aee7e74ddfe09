"""``check`` and ``explain``: the house rules, and why they exist."""

import gc
import subprocess
import time
from pathlib import Path

import click

from au_sys_python_factory.checks.allowed import baseline as baselines
from au_sys_python_factory.checks.catalog import BY_ID, RULES
from au_sys_python_factory.checks.engine import Report, run
from au_sys_python_factory.checks.reading.project import read_project
from au_sys_python_factory.checks.remembering.again import run_remembering
from au_sys_python_factory.checks.rule import Finding, Rule
from au_sys_python_factory.commands.output import answer
from au_sys_python_factory.commands.sarif import write
from au_sys_python_factory.errors import DONE, FINDINGS, Missing, UsageError
from au_sys_python_factory.workspace.members import Workspace, find_workspace


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
@click.option("--only", default="", metavar="RULE,…", help="Ask only these rules or families (Z01, A, …).")
@click.option("--changed", is_flag=True, help="Report only files that differ from the last commit.")
@click.option(
    "--workspace", "start", type=click.Path(path_type=Path), default=Path(), help="A folder of the workspace."
)
@click.option("--quiet", is_flag=True, help="Findings only.")
@click.option("--sarif", type=click.Path(path_type=Path), default=None, metavar="FILE", help="Also write SARIF 2.1.0.")
@click.option(
    "--baseline",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    metavar="FILE",
    help="Fail only on what is not in FILE; where there is none, it is written.",
)
@click.option("--store-baseline", "anew", is_flag=True, help="Write FILE of --baseline anew.")
@click.option("--fix", "mend", is_flag=True, help="Mend what can be mended by itself (undo takes it back), then check.")
@click.option("--types", is_flag=True, help="Also mypy, strict as the workspace asks, member by member.")
@click.option("--deep", is_flag=True, help="Also rules that run the workspace's code.")
def check(
    paths: tuple[Path, ...], as_json: bool, only: str, changed: bool, start: Path, quiet: bool, sarif: Path | None,
    baseline: Path | None, anew: bool, mend: bool, types: bool, deep: bool,
) -> None:  # fmt: skip
    """Check every workspace member against the house rules; PATHS narrow the report.

    Exit 0: nothing found. Exit 1: findings (warnings alone do not count).
    """
    began = time.perf_counter()
    workspace = find_workspace(start)
    rules = chosen(only)
    wanted = {_inside(path, workspace) for path in paths} | (_changed(workspace) if changed else set())
    gc.disable()  # syntax trees hold no circles worth collecting, and looking for them takes most of the time
    if mend:
        _mend(workspace, wanted)
    report = (
        run_remembering(workspace) if rules == RULES and not deep else run(read_project(workspace), rules, deep=deep)
    )
    shown = [item for item in report.findings if not (paths or changed) or _below(item.path, wanted)]
    if sarif is not None:
        write(sarif, shown, rules)
    mended = 0
    if baseline is not None:
        shown, mended = _against(baseline, anew, shown, narrowed=bool(paths or changed or only))
    elif anew:
        raise UsageError("--store-baseline says not where.", fix="add --baseline FILE.")
    untyped = _untyped(workspace, wanted) if types else []
    failed = mended > 0 or bool(untyped) or any(item.severity == "error" for item in shown)
    code = FINDINGS if failed else DONE
    if as_json:
        data = {
            "files": report.files,
            "rules": len(rules),
            "waivers": report.waivers,
            "members": len(workspace.members),
            "mended": mended,
            "types": untyped,
        }
        answer("check", code, data, shown)
    else:
        _show(shown)
        if mended:
            click.echo(f"{baseline}: {mended} of its findings are mended.\n    fix: store it again: --store-baseline")
        for complaint in untyped:
            click.echo(complaint)
        if not quiet:
            click.echo(_summary(report, shown, rules, workspace, time.perf_counter() - began), err=True)
    click.get_current_context().exit(code)


def _mend(workspace: Workspace, wanted: set[str]) -> None:
    """Apply what can be mended, as one journal entry."""
    from au_sys_python_factory.pipelines.fixing import FIXABLE, plan_fix
    from au_sys_python_factory.plan.apply import apply, writing

    rules = tuple(rule for rule in RULES if rule.id in FIXABLE)
    findings = [item for item in run(read_project(workspace), rules).findings if _below(item.path, wanted or {"."})]
    with writing(workspace.root) as restored:
        entry = apply(workspace.root, plan_fix(workspace, wanted, findings))
    for message in restored:
        click.echo(message, err=True)
    if entry is not None:
        click.echo(f"mended {len(entry.files)} files, journal entry {entry.id}", err=True)


def _untyped(workspace: Workspace, wanted: set[str]) -> list[str]:
    """What mypy says of the members that were asked for."""
    from au_sys_python_factory.pipelines.verification import sources

    complaints: list[str] = []
    for member in workspace.members:
        named = not wanted or any(_below(member.relative, {path}) or _below(path, {member.relative}) for path in wanted)
        if named and (member.path / "src").is_dir():
            try:
                sources.types(member)
            except sources.PartFailed as error:
                complaints.append(f"{member.relative}: {error.what}")
    return complaints


def _against(path: Path, anew: bool, shown: list[Finding], *, narrowed: bool) -> tuple[list[Finding], int]:
    """The findings beyond a baseline, and how many of those in it are mended."""
    known = None if anew else baselines.stored(path)
    if known is not None:
        new, mended = baselines.beyond(known, shown)
        return new, 0 if narrowed else mended
    if narrowed:
        raise UsageError(
            "a baseline is stored of the whole workspace only.", fix="leave out paths, --only and --changed."
        )
    number = baselines.store(path, shown)
    click.echo(f"{path}: {number} findings are stored; only what comes on top fails from now on.", err=True)
    return [item for item in shown if item.severity != "error"], 0


def chosen(only: str) -> tuple[Rule, ...]:
    """The rules that ``--only`` names, by id or by family.

    Raises:
        UsageError: a name is neither.
    """
    if not only:
        return RULES
    names = [name.strip().upper() for name in only.split(",") if name.strip()]
    families = sorted({rule.id[0] for rule in RULES})
    unknown = [name for name in names if name not in BY_ID and name not in families]
    if unknown:
        raise UsageError(f"no rule {', '.join(unknown)}.", fix=f"one of {', '.join([*families, *BY_ID])}.")
    return tuple(rule for rule in RULES if rule.id in names or rule.id[0] in names)


def _inside(path: Path, workspace: Workspace) -> str:
    whole = path.resolve()
    if not whole.exists():
        raise UsageError(f"{path} does not exist.", fix="name a file or folder of the workspace.")
    if not whole.is_relative_to(workspace.root):
        raise UsageError(f"{path} is outside of the workspace {workspace.root}.", fix="name a file or folder inside.")
    return whole.relative_to(workspace.root).as_posix()


def _below(path: str, wanted: set[str]) -> bool:
    return any(place == "." or path == place or path.startswith(f"{place}/") for place in wanted)


def _changed(workspace: Workspace) -> set[str]:
    """Files that differ from the last commit, untracked ones included."""
    command = ["git", "-C", str(workspace.root), "status", "--porcelain", "-z", "--untracked-files=all", "--no-renames"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own root
    except (OSError, subprocess.CalledProcessError):
        raise Missing(
            "--changed asks git, and git does not answer.", fix="install git, or check without --changed."
        ) from None
    return {entry[3:] for entry in done.stdout.split("\0") if entry}


def _show(findings: list[Finding]) -> None:
    for item in findings:
        mark = "" if item.severity == "error" else " (warning)"
        click.echo(f"{item.path}:{item.line}:{item.column}: {item.rule}{mark} {item.message}")
        click.echo(f"    fix: {item.fix}")


def _summary(
    report: Report, shown: list[Finding], rules: tuple[Rule, ...], workspace: Workspace, seconds: float
) -> str:
    errors = sum(item.severity == "error" for item in shown)
    warnings = len(shown) - errors
    waivers = sum(bool(waiver.used) for waiver in report.waivers)
    return (
        f"{len(workspace.members)} members, {report.files} files, {len(rules)} rules: {errors} findings, "
        f"{warnings} warnings, {waivers} waivers used, {seconds:.1f} s"
    )


@click.command()
@click.argument("rule")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def explain(rule: str, as_json: bool) -> None:
    """Say why RULE exists, with a wrong and a right example."""
    from au_sys_python_factory.pipelines.fixing import FIXABLE

    found = BY_ID.get(rule.upper())
    if found is None:
        raise UsageError(f"no rule {rule}.", fix=f"one of {', '.join(BY_ID)}.")
    if as_json:
        facts = {
            name: getattr(found, name) for name in ("id", "title", "severity", "why", "fix", "wrong", "right", "areas")
        }
        answer("explain", DONE, {**facts, "fixable": found.id in FIXABLE})
        return
    mends = "check --fix does it" if found.id in FIXABLE else "by hand; check --fix leaves it"
    click.echo(f"{found.id}  {found.title}\n\n{found.why}\n\nfix: {found.fix}\n     ({mends})\n")
    for label, example in (("wrong", found.wrong), ("right", found.right)):
        click.echo(f"{label}:\n" + "".join(f"    {line}\n" for line in example.splitlines()))
