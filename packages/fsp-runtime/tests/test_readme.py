"""The capability of the README works as it is printed, and passes the suite that every capability passes."""

import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from fastapi_services_platform import Capability, PlatformSettings, create_app
from fastapi_services_platform.testing import CapabilityConformance, started_app
from fastapi_services_platform.testing.stand_ins import believing_identity

README = Path(__file__).parents[1] / "README.md"


@lru_cache(maxsize=1)
def printed() -> str:
    after = README.read_text(encoding="utf-8").split("<!-- the tests run this block", 1)[1]
    block = re.search(r"```python\n(.*?)```", after, re.DOTALL)
    assert block is not None
    return block.group(1)


def greeting() -> Any:
    names: dict[str, Any] = {"__name__": "greeting"}
    exec(compile(printed(), "README.md", "exec"), names)
    return names["Greeting"]()


def test_it_is_about_thirty_lines() -> None:
    """Blank lines aside."""
    assert len([line for line in printed().splitlines() if line.strip()]) <= 36


async def test_it_shows_up_whole(settings: PlatformSettings) -> None:
    """Its route, permission, menu entry, setting and health check are there."""
    app = create_app(settings, capabilities=[greeting(), believing_identity()])
    async with started_app(app) as client:
        platform: Any = app.state.platform
        answer = await client.get("/api/v1/greeting", headers={"authorization": "Bearer ada"})
        health = (await client.get("/health")).json()
        assert answer.json() == {"greeting": "Hello, ada"}
        assert health["checks"]["greeting.words"]["status"] == "healthy"
        assert "greeting.word.read" in [permission.name for permission in platform.inventory.permissions]
        assert "/api/v1/greeting" in [entry.href for _, entry in platform.inventory.menu]
        assert platform.inventory.find("greeting").manifest.settings.__name__ == "GreetingSettings"


class TestConformance(CapabilityConformance):
    """The suite of the testing kit."""

    def capability(self) -> Capability:
        found: Capability = greeting()
        return found

    def companions(self) -> Sequence[Capability]:
        return [believing_identity()]
