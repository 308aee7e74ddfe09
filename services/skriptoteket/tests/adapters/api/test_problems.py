"""Every core error has its problem, and those that need settings of their own reach whoever caused them."""

from typing import Any

import pytest
from httpx import AsyncClient

from skriptoteket.adapters.api.problems import problems
from skriptoteket.adapters.db.unit_of_work import SqlUnitOfWork
from skriptoteket.core import errors

CSV = {"export": ("klass.csv", b"Klass;x\n7A;y\n", "text/csv")}
BOB = {"authorization": "Bearer bob"}


def leaves() -> set[type[errors.SkriptoteketError]]:
    """Every error but the base."""
    found: set[type[errors.SkriptoteketError]] = set()
    waiting: list[type[errors.SkriptoteketError]] = [errors.SkriptoteketError]
    while waiting:
        for error in waiting.pop().__subclasses__():
            found.add(error)
            waiting.append(error)
    return found


def test_every_error_is_mapped() -> None:
    """A leaf without an entry would become a 500."""
    assert set() == {error.__name__ for error in leaves()} - {mapping.error.__name__ for mapping in problems()}


@pytest.fixture
def strict(monkeypatch: pytest.MonkeyPatch) -> None:
    """A library that takes one waiting run, and submits only what was tried."""
    monkeypatch.setenv("SKRIPTOTEKET_MAX_QUEUE_DEPTH", "1")
    monkeypatch.setenv("SKRIPTOTEKET_REQUIRE_SANDBOX_SUCCESS", "true")


@pytest.fixture
def careful(monkeypatch: pytest.MonkeyPatch) -> None:
    """A library that wants a strong sign-in from those who publish."""
    monkeypatch.setenv("SKRIPTOTEKET_PUBLISH_ASSURANCE", "phishing_resistant")


@pytest.fixture
def eyes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A library that lets nobody publish what they wrote."""
    monkeypatch.setenv("SKRIPTOTEKET_FOUR_EYES", "publish")


async def submitted(client: AsyncClient) -> tuple[str, dict[str, Any]]:
    """A version that waits for review, or the refusal to let it wait; with what publishing it needs."""
    tool = (await client.post("/api/v1/admin/tools", json={"title": "Counter"})).json()["id"]
    draft = (await client.post(f"/api/v1/tools/{tool}/versions", json={"source_code": "x = 1\n"})).json()
    at = f"/api/v1/tool-versions/{draft['id']}"
    answer = await client.post(f"{at}/submit-review", json={"note": ""})
    verdict = {"rationale": "Fine.", "expected_behaviour_hash": draft["behaviour_hash"]}
    return at, {"answer": answer, "verdict": verdict, "hash": draft["behaviour_hash"]}


async def test_a_full_queue_and_an_untried_version(strict: None, client: AsyncClient, library: SqlUnitOfWork) -> None:
    """503 with the time to wait for the second run; 422 for a version that never succeeded in the sandbox."""
    at = "/api/v1/tools/guardian-emails/runs"
    assert (await client.post(at, files=CSV)).status_code == 202
    full = await client.post(at, files=CSV, headers=BOB)
    assert (full.status_code, full.json()["code"]) == (503, "QUEUE_FULL")
    assert 1 <= int(full.headers["retry-after"]) <= 120
    _, found = await submitted(client)
    refused = found["answer"]
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "untried")


async def test_a_sign_in_that_is_too_weak(careful: None, client: AsyncClient) -> None:
    """403 names what is wanted; nothing is published."""
    at, found = await submitted(client)
    refused = await client.post(f"{at}/publish", json=found["verdict"])
    told = refused.json()
    assert (refused.status_code, told["code"], told["wanted"]) == (403, "STEP_UP_REQUIRED", "phishing_resistant")
    page = await client.post(
        f"/reviews/{at.rpartition('/')[2]}",
        data={"verdict": "publish", "behaviour_hash": found["hash"], "rationale": "Fine."},
        headers={"accept": "text/html"},
    )
    assert (page.status_code, "with a second factor" in page.text) == (403, True)


async def test_one_pair_of_eyes_is_not_enough(eyes: None, client: AsyncClient) -> None:
    """Whoever wrote a version is told to ask somebody else, where the library demands two."""
    at, found = await submitted(client)
    refused = await client.post(f"{at}/publish", json=found["verdict"])
    assert (refused.status_code, refused.json()["code"]) == (403, "FOUR_EYES_REQUIRED")
