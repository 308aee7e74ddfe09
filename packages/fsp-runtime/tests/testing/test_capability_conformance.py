"""The suite that every capability passes fails for each fault that it is there for."""

import inspect
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from fastapi import APIRouter
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import Column, Integer, MetaData, Table

from fastapi_services_platform import (
    Capability,
    Contribution,
    HealthCheck,
    Job,
    Manifest,
    Migrations,
    Permission,
    ProblemMapping,
    RouterMount,
    Tier,
    access,
    get_logger,
)
from fastapi_services_platform.testing import CapabilityConformance
from fastapi_services_platform.testing.stand_ins import Prepared, believing_identity

_log = get_logger(__name__)


class NoteError(Exception):
    """The root of a small tree."""


class NoteMissing(NoteError):
    """A leaf with a problem."""


class NoteTorn(NoteError):
    """A leaf without one."""


class Undescribed(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="DEMO_")

    limit: int = 3


def router(work: Callable[[], object]) -> APIRouter:
    made = APIRouter()

    @made.get("/demo")
    @access(public=True)
    async def endpoint() -> str:
        work()
        return "demo"

    return made


def blocking_router() -> APIRouter:
    made = APIRouter()

    @made.get("/demo")
    @access(public=True)
    def endpoint() -> str:
        return "demo"

    return made


class Demo(Prepared):
    """Of this module, as its errors are."""


def demo(manifest: dict[str, Any] | None = None, **parts: Any) -> Prepared:  # Any: fields of both
    return Demo(
        Manifest(**{"name": "demo", "version": "1.0", "summary": "Demo", **(manifest or {})}), Contribution(**parts)
    )


def mounted(work: Callable[[], object]) -> Prepared:
    return demo(routers=(RouterMount("api", router(work), Tier.API),))


async def naps() -> Any:
    time.sleep(0.001)


class Sprawling(Demo):
    """Its stop counts on its start."""

    async def shutdown(self) -> None:
        raise RuntimeError("nothing was opened")


class Talkative(Demo):
    """Logs what nobody may read."""

    async def shutdown(self) -> None:
        _log.warning("demo.ended", note="the key is hunter2-hunter2")


def meddling() -> Prepared:
    os.environ["DEMO_MEDDLED"] = str(time.monotonic_ns())
    return demo()


def untidy() -> Prepared:
    tables = MetaData()
    Table("demo_notes", tables, Column("id", Integer, primary_key=True))
    return demo({"database": True}, migrations=Migrations("fastapi_services_platform.events.migrations", tables))


class Fault(NamedTuple):
    check: str
    capability: Callable[[], Capability]
    told: str


MAPPED = ProblemMapping(NoteMissing, 404, "note-missing", "No such note")
FAULTS = {
    "no summary": Fault("test_manifest_is_complete", lambda: demo({"summary": " "}), ""),
    "a setting without a description": Fault(
        "test_every_setting_says_what_it_does", lambda: demo({"settings": Undescribed}), "limit"
    ),
    "a port without a service": Fault(
        "test_what_it_provides_is_there", lambda: demo({"provides": ("notifier@1",)}), "notifier@1"
    ),
    "a permission without a sentence": Fault(
        "test_every_permission_that_a_route_asks_for_is_contributed",
        lambda: demo(permissions=(Permission("demo.note.read", ""),)),
        "demo.note.read",
    ),
    "a slug that is none": Fault(
        "test_every_error_has_one_problem",
        lambda: demo(problems=(ProblemMapping(NoteMissing, 404, "Note missing", "No such note"),)),
        "Note missing",
    ),
    "an error without a problem": Fault(
        "test_no_error_is_without_a_problem", lambda: demo(problems=(MAPPED,)), "NoteTorn"
    ),
    "an endpoint in a thread": Fault(
        "test_every_endpoint_is_a_coroutine",
        lambda: demo(routers=(RouterMount("api", blocking_router(), Tier.API),)),
        "/demo",
    ),
    "a stop that counts on the start": Fault(
        "test_a_failed_start_is_the_platforms_to_decide",
        lambda: Sprawling(Manifest("demo", "1.0", "Demo")),
        "shutdown without a startup raised RuntimeError",
    ),
    "a route that blocks": Fault(
        "test_nothing_blocks_the_loop", lambda: mounted(lambda: time.sleep(0.001)), "time.sleep at "
    ),
    "a health check that blocks": Fault(
        "test_nothing_blocks_the_loop", lambda: demo(health_checks=(HealthCheck("nap", naps),)), "time.sleep at "
    ),
    "a job that blocks": Fault(
        "test_nothing_blocks_the_loop", lambda: demo(jobs=(Job("nap", naps, 3600),)), "time.sleep at "
    ),
    "tables that are not the models'": Fault("test_its_tables_come_and_go", untidy, "demo_notes"),
    "a secret in the log": Fault(
        "test_nothing_secret_is_logged", lambda: Talkative(Manifest("demo", "1.0", "Demo")), "hunter2"
    ),
    "a changed environment": Fault("test_it_leaves_the_environment_alone", meddling, "DEMO_MEDDLED"),
}


class Suite(CapabilityConformance):
    """The suite, held to one capability."""

    __test__ = False

    def __init__(self, make: Callable[[], Capability]) -> None:
        self.make = make

    def capability(self) -> Capability:
        return self.make()

    def companions(self) -> Sequence[Capability]:
        return [believing_identity()]

    def secrets(self) -> Sequence[str]:
        return ["hunter2-hunter2"]


async def verdict(check: str, capability: Callable[[], Capability], folder: Path) -> None:
    step = getattr(Suite(capability), check)
    given = {"tmp_path": folder} if "tmp_path" in inspect.signature(step).parameters else {}
    found = step(**given)
    if inspect.isawaitable(found):
        await found


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_a_fault_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Fault) -> None:
    """Each by the check that is there for it, which names the part at fault."""
    monkeypatch.setenv("DEMO_MEDDLED", "0")
    with pytest.raises(AssertionError) as caught:
        await verdict(fault.check, fault.capability, tmp_path)
    assert fault.told in str(caught.value)


async def test_a_capability_without_fault_passes(tmp_path: Path) -> None:
    """Nothing of it is found by the checks above."""
    sound = demo(
        routers=(RouterMount("api", router(lambda: None), Tier.API),),
        problems=(MAPPED, ProblemMapping(NoteTorn, 409, "note-torn", "The note is torn")),
    )
    for number, check in enumerate(sorted({fault.check for fault in FAULTS.values()})):
        folder = tmp_path / str(number)
        folder.mkdir()
        await verdict(check, lambda: sound, folder)
