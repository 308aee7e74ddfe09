"""Settings: each is in the example, and a bad value stops the start with the name of its variable."""

import re
from pathlib import Path

import pytest

import skriptoteket
from fastapi_services_platform import Capability
from fastapi_services_platform.testing.stand_ins import believing_identity
from fastapi_services_platform.testing.started_app import settings_for, started_app
from skriptoteket.manifest.config import SkriptoteketSettings
from skriptoteket.manifest.plugin import Skriptoteket

EXAMPLE = Path(skriptoteket.__file__).parents[2] / ".env.example"
NONSENSE = {
    "ENVIRONMENTS": ("standard@1", "[]"),
    "REQUIRE": ("seccomp",),
    "LANE_WEIGHTS": ("8,4,1", '{"express": 9}', '{"sandbox": 0}'),
    "TIMEZONE": ("Mars/Olympus", "../passwd"),
    "SLOT_UID_RANGE": ("root", "61511-61000", "61000-61002"),
    "CONTAINER_URL": ("tcp://0.0.0.0:2375",),
    "HEARTBEAT_SECONDS": ("0", "often"),
    "LEASE_SECONDS": ("14", "long"),
    "DATABASE_URL": ("mysql://somewhere/library",),
    "LISTEN_URL": ("redis://somewhere", "sqlite:///library.db"),
}
"""What breaks a rule of its own; every other number, choice and switch is given a word."""
ANYTHING = {"STATE_DIR", "ENVIRONMENTS_DIR", "BLOB_NAMESPACE", "CONTAINER_IMAGE", "CONTAINER_RUNTIME"}
"""Texts and paths, of which none is wrong in itself."""
BAD = [
    (name.upper(), value)
    for name in SkriptoteketSettings.model_fields
    if name.upper() not in ANYTHING
    for value in NONSENSE.get(name.upper(), ("no such value",))
]


def test_every_setting_is_in_the_example() -> None:
    """The example names each variable once and none that does not exist."""
    named = re.findall(r"^#? ?(SKRIPTOTEKET_[A-Z_]+)=", EXAMPLE.read_text(), re.MULTILINE)
    assert sorted(f"SKRIPTOTEKET_{name}".upper() for name in SkriptoteketSettings.model_fields) == sorted(named)


@pytest.mark.parametrize(("name", "value"), BAD, ids=[f"{name}-{number}" for number, (name, _) in enumerate(BAD)])
async def test_a_bad_value_stops_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """The refusal names the capability and the variable."""
    monkeypatch.setenv(f"SKRIPTOTEKET_{name}", value)
    parts: list[Capability] = [believing_identity(), Skriptoteket()]
    with pytest.raises(Exception, match=rf"SKRIPTOTEKET_{name}\b"):
        async with started_app(settings=settings_for(tmp_path), capabilities=parts):
            pass


async def test_the_library_does_not_start_without_what_it_needs(tmp_path: Path) -> None:
    """Missing providers are named."""
    with pytest.raises(Exception, match="authenticator@1"):
        async with started_app(settings=settings_for(tmp_path), capabilities=[Skriptoteket()]):
            pass
