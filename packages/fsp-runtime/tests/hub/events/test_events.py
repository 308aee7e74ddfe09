"""Operators see how far handlers are behind and decide about dead letters, by API and by form, audited."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from httpx import AsyncClient
from sqlalchemy import MetaData

from fastapi_services_platform import (
    Event,
    EventHandler,
    Migrations,
    Outbox,
    PlatformSettings,
    ReceivedEvent,
    create_app,
)
from fastapi_services_platform.engine.app_factory import PlatformApp
from fastapi_services_platform.testing import started_app
from fastapi_services_platform.testing.stand_ins import Prepared, believing_identity

API = {"authorization": "Bearer ada"}
BROWSER = {"accept": "text/html", "cookie": "session=ada"}
EVENTS = "/platform/api/v1/events"
FIRST = '''"""First."""
revision = "0001"
down_revision = None
def upgrade(): pass
def downgrade(): pass
'''


class Reader:
    """A handler that fails until it is mended."""

    def __init__(self) -> None:
        self.broken = True
        self.seen: list[str] = []

    async def __call__(self, event: ReceivedEvent) -> None:
        if self.broken:
            raise RuntimeError("the pen broke")
        self.seen.append(event.key)


@pytest.fixture
def reader() -> Reader:
    return Reader()


@pytest.fixture
def app(
    settings: PlatformSettings,
    sample: Callable[..., Prepared],
    reader: Reader,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> PlatformApp:
    versions = tmp_path / "history_of_people" / "versions"
    versions.mkdir(parents=True)
    (versions.parent / "__init__.py").write_text("")
    (versions / "r1.py").write_text(FIRST)
    monkeypatch.syspath_prepend(str(tmp_path))
    people = sample("people", migrations=Migrations("history_of_people", MetaData(), outbox=True))
    mail = sample("mail", event_handlers=(EventHandler("read", "subject.disabled", reader, tries=1),))
    made = create_app(settings, capabilities=[people, mail, believing_identity()])
    assert isinstance(made, PlatformApp)
    return made


@pytest.fixture
async def client(app: PlatformApp) -> AsyncIterator[AsyncClient]:
    async with started_app(app) as started:
        database = app.platform.database("people")
        async with database.transaction() as session:
            await Outbox(database).publish(session, Event("subject.disabled", "urn:p:1", {"n": 1}))
        await until(lambda: dead(started))
        yield started


async def until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = true()
        if await found if asyncio.iscoroutine(found) else found:
            return
        await asyncio.sleep(0.02)


async def dead(client: AsyncClient) -> list[dict[str, object]]:
    found: list[dict[str, object]] = (await client.get(f"{EVENTS}/dead-letters", headers=API)).json()
    return found


def choice(sequence: int = 1) -> dict[str, object]:
    return {"publisher": "people", "handler": "mail.read", "sequence": sequence, "reason": "mended"}


async def test_a_dead_letter_is_shown_with_its_error(client: AsyncClient) -> None:
    """The page and the API name handler, event and error, and the backlog counts it."""
    letters = await dead(client)
    handlers = (await client.get(f"{EVENTS}/handlers", headers=API)).json()
    page = (await client.get("/platform/events", headers=BROWSER)).text
    assert [(item["handler"], item["name"], item["error"]) for item in letters] == [
        ("mail.read", "subject.disabled", "RuntimeError: the pen broke")
    ]
    assert [(item["handler"], item["waiting"], item["dead"], item["missing"]) for item in handlers] == [
        ("mail.read", 0, 1, False)
    ]
    assert "the pen broke" in page


async def test_a_dead_letter_is_tried_anew(client: AsyncClient, reader: Reader) -> None:
    """The handler sees the event, and the trail tells who asked for it."""
    reader.broken = False
    answer = await client.post(f"{EVENTS}/dead-letters/retry", headers=API, json=choice())
    await until(lambda: reader.seen)
    entry = (await client.get("/platform/api/v1/audit", headers=API)).json()["entries"][0]
    assert (answer.status_code, reader.seen, await dead(client)) == (204, ["urn:p:1"], [])
    assert (entry["action"], entry["resource"], entry["reason"]) == (
        "platform.event_retried",
        "event:people/1",
        "mended",
    )


async def test_a_dead_letter_is_discarded_once(client: AsyncClient) -> None:
    """It is gone, and a second time there is none to discard."""
    first = await client.post(f"{EVENTS}/dead-letters/discard", headers=API, json=choice())
    second = await client.post(f"{EVENTS}/dead-letters/discard", headers=API, json=choice())
    assert (first.status_code, second.status_code, second.json()["title"]) == (204, 404, "No such dead letter")


async def test_the_form_needs_its_token_and_then_decides(client: AsyncClient) -> None:
    """Without the token nothing happens; with it the letter is discarded."""
    page = await client.get("/platform/events", headers=BROWSER)
    token = page.text.split('name="csrf_token" value="')[1].split('"')[0]
    form = {"step": "discard", "publisher": "people", "handler": "mail.read", "sequence": "1"}
    refused = await client.post("/platform/events", headers=BROWSER, data=form)
    done = await client.post("/platform/events", headers=BROWSER, data={"csrf_token": token, **form})
    assert (refused.status_code, done.status_code, await dead(client)) == (403, 303, [])


@pytest.mark.parametrize("body", [{}, choice() | {"sequence": 0}, choice() | {"handler": "x" * 201}])
async def test_a_choice_that_does_not_fit_is_refused(client: AsyncClient, body: dict[str, object]) -> None:
    """Missing, too small and too long fields get 422."""
    answer = await client.post(f"{EVENTS}/dead-letters/retry", headers=API, json=body)
    assert answer.status_code == 422, json.dumps(answer.json())


async def test_lag_is_measured(client: AsyncClient, app: PlatformApp) -> None:
    """The scrape tells waiting, dead and lag by handler."""
    deliverer = app.platform.events.deliverers["people"]
    deliverer.backlogs = await deliverer.rows.backlogs()
    text = (await client.get("/metrics", headers=API)).text
    assert 'fsp_events_dead{handler="mail.read"} 1.0' in text
    assert 'fsp_events_lag_seconds{handler="mail.read"} 0.0' in text
