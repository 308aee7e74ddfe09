"""Whether any live worker can ever run it: what is unknown, too weak or stale counts as absent, and nothing runs."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from skriptoteket.core.errors import RunnerUnavailable
from skriptoteket.core.identifiers import WorkerId
from skriptoteket.core.runs.models import Limits
from skriptoteket.core.runs.ports.workers import Worker
from skriptoteket.core.runs.queueing.matching import DEFAULT_REQUIREMENTS, ensure_runnable, missing, requirements_of

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
WITHIN = timedelta(seconds=30)
SOFT = {**DEFAULT_REQUIREMENTS, "memory_limit": "soft", "process_limit": "soft"}
ABLE = Worker(
    WorkerId("able"), "host", "boot", 1, 1.0, "1", "zygote", SOFT, ("standard@1",), 1024, 0, False, NOW, NOW
)  # fmt: skip


def refusal(*workers: Worker, extra: tuple[str, ...] = (), limits: Limits | None = None) -> tuple[tuple[str, ...], str]:
    """What is missing, and the fix; empty where a worker can run it."""
    try:
        ensure_runnable(workers, "standard@1", limits or Limits(memory_mib=512), extra, NOW, WITHIN)
    except RunnerUnavailable as error:
        return tuple(error.missing), error.fix
    return (), ""


def test_a_worker_that_has_everything_is_enough() -> None:
    """One able worker among others that are not lets the run wait."""
    assert refusal(replace(ABLE, capabilities={}), ABLE) == ((), "")


@pytest.mark.parametrize(
    ("extra", "lacks"),
    [
        ("memory_limit:hard", "memory_limit:hard"),
        ("own_kernel", "own_kernel:yes"),
        ("no_such_thing", "no_such_thing:yes"),
        ("memory_limit:perfect", "memory_limit:perfect"),
    ],
)
def test_what_is_unknown_or_too_weak_is_absent(extra: str, lacks: str) -> None:
    """A soft limit is no hard one, and a name or level that nobody knows is met by nobody."""
    assert refusal(ABLE, extra=(extra,))[0] == (lacks,)


def test_stale_and_draining_workers_are_none() -> None:
    """A record without a heartbeat runs nothing, neither does one that drains; the fix says how to start one."""
    stale = replace(ABLE, heartbeat_at=NOW - 2 * WITHIN)
    for workers in ((), (stale,), (replace(ABLE, draining=True),)):
        assert refusal(*workers) == (("no worker is running",), "Start the worker: skriptoteket worker")


def test_a_host_that_cannot_isolate_tells_its_fix() -> None:
    """The worker's own problem and fix reach whoever wanted to run something."""
    unable = replace(ABLE, runner="", capabilities={}, problem="linux: darwin", fix="Run the worker on Linux.")

    assert refusal(unable) == (("linux: darwin",), "Run the worker on Linux.")


def test_too_little_memory_and_another_environment() -> None:
    """A run that is bigger than every budget, or needs packages that no worker offers, is refused at once."""
    elsewhere = replace(ABLE, environments=("other@1",))

    assert refusal(ABLE, limits=Limits(memory_mib=2048))[0] == ("2048 MiB of memory",)
    assert refusal(elsewhere)[0] == ("environment standard@1",)


def test_a_requirement_only_tightens() -> None:
    """A version cannot ask for less than the default, and without any capability everything is missing."""
    assert requirements_of(("disk_quota:soft", "memory_limit:hard"))["disk_quota"] == "hard"
    assert len(missing({}, requirements_of(()))) == len(DEFAULT_REQUIREMENTS)
