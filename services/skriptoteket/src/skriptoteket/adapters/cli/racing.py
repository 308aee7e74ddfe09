"""The command ``bench``: how fast scripts run here, against gates that are ratios."""

import sys
import tempfile
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import click

from skriptoteket.adapters.cli.abusing import MakeSandbox
from skriptoteket.conformance.gates import Report, race
from skriptoteket.conformance.speed import ROUNDS, Contestants
from skriptoteket.core.runs.sandbox import Sandbox

MakeWaiting = Callable[[Path, int], Sandbox]


async def run_race(make: MakeSandbox, waiting: MakeWaiting, pandas: bool, rounds: int, quick: bool) -> Report:
    """Warm, cold and, where an engine is named, containers; each with a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="skriptoteket-bench-") as folder:
        warm, cold = (make(name, Path(folder) / name) for name in ("zygote", "bubblewrap"))
        container = make("container", Path(folder) / "container")
        if warm is None or cold is None:
            raise ValueError("This host has neither zygote nor bubblewrap; see `skriptoteket doctor`.")
        if container is not None and not await container.capabilities():
            container = None
        try:
            parked = partial(waiting, Path(folder) / "parked")
            return await race(Contestants(warm, cold, container, parked, pandas), rounds, quick=quick)
        finally:
            await warm.close()


def add_bench_command(
    group: click.Group,
    make: MakeSandbox,
    waiting: MakeWaiting,
    packages: Callable[[], bool],
    done: Callable[[Awaitable[Report]], Report],
    missed: int,
) -> None:
    """Add it to the command line; ``packages`` says whether an environment with pandas is built."""

    @group.command(name="bench", help="Measure runs on this host; figures count on a quiet machine only.")
    @click.option(
        "--gate",
        is_flag=True,
        help=f"Exit with {missed} when a gate is missed; rows marked quiet count on a quiet machine.",
    )
    @click.option("--rounds", default=ROUNDS, type=click.IntRange(10), help="Samples of each warm figure.")
    @click.option("--quick", is_flag=True, help="A tenth of the samples.")
    def bench(gate: bool, rounds: int, quick: bool) -> None:
        report = done(run_race(make, waiting, packages(), rounds, quick))
        for line in (*report.figures, *report.rows):
            click.echo(str(line))
        if gate and not all(row.met or row.absolute for row in report.rows):
            sys.exit(missed)
