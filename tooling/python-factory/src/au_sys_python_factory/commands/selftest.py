"""``selftest``: the factory proves its templates and its rules on this host."""

from pathlib import Path
from tempfile import TemporaryDirectory

import click

from au_sys_python_factory.commands.output import answer
from au_sys_python_factory.errors import DONE, FINDINGS, UsageError
from au_sys_python_factory.workspace.members import find_workspace


@click.command()
@click.option("--shard", default="1/1", metavar="I/N", help="Plant only the I-th of N parts of the rules.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
@click.option("--workspace", "start", type=click.Path(path_type=Path), default=Path(), help="In the workspace.")
def selftest(shard: str, as_json: bool, start: Path) -> None:
    """Make capabilities in a throw-away workspace, check them, and plant every rule's wrong example in one."""
    from au_sys_python_factory.pipelines.proving import prove

    first, slash, last = shard.partition("/")
    numbers = (int(first), int(last)) if slash and first.isdigit() and last.isdigit() else (0, 0)
    if not 1 <= numbers[0] <= numbers[1]:
        raise UsageError(f"{shard!r} is no shard.", fix="I/N, for example 1/4.")
    with TemporaryDirectory(prefix="python-factory-selftest-") as place:
        found = list(prove(find_workspace(start), Path(place), numbers[0] - 1, numbers[1]))
    failed = [item for item in found if not item.good]
    code = FINDINGS if failed else DONE
    if as_json:
        answer("selftest", code, {"proofs": found})
    else:
        for item in failed:
            click.echo(f"FAILED  {item.what}: {item.why}")
        click.echo(f"{len(found) - len(failed)} of {len(found)} proofs")
    click.get_current_context().exit(code)
