"""Pages for operators, and the platform API behind them."""

from collections.abc import AsyncIterator

import pytest
from httpx import AsyncClient

from fastapi_services_platform import PlatformSettings
from fastapi_services_platform.hub.permissions import PERMISSIONS
from fastapi_services_platform.observability.logger_factory import changed_levels, set_level
from fastapi_services_platform.testing import started_app
from fastapi_services_platform.testing.stand_ins import believing_identity
from fastapi_services_platform.testing.started_app import settings_for

BROWSER = {"accept": "text/html", "cookie": "session=ada"}
API = {"authorization": "Bearer ada"}
PAGES = (
    "/platform",
    "/platform/capabilities",
    "/platform/capabilities/hub",
    "/platform/health",
    "/platform/routes",
    "/platform/permissions",
    "/platform/settings",
    "/platform/log-levels",
    "/platform/audit",
    "/platform/reference",
)
READS = (
    "audit",
    "audit/verification",
    "capabilities",
    "flags",
    "flags/history",
    "health",
    "jobs",
    "log-levels",
    "permissions",
    "pools",
    "routes",
    "settings",
)


@pytest.fixture
async def client(settings: PlatformSettings) -> AsyncIterator[AsyncClient]:
    async with started_app(settings=settings, capabilities=[believing_identity()]) as started:
        yield started


@pytest.fixture
async def stranger(settings: PlatformSettings) -> AsyncIterator[AsyncClient]:
    denied = frozenset(permission.name for permission in PERMISSIONS)
    async with started_app(settings=settings, capabilities=[believing_identity(denied)]) as started:
        yield started


@pytest.mark.parametrize("path", PAGES)
async def test_operators_see_the_page(client: AsyncClient, path: str) -> None:
    """Every operators' page opens, and stands in the frame."""
    answer = await client.get(path, headers=BROWSER)
    assert (answer.status_code, 'id="content"' in answer.text) == (200, True)


async def test_nobody_else_sees_a_page(stranger: AsyncClient) -> None:
    """Without the permission every operators' page and every operation of the API is refused."""
    pages = [(await stranger.get(path, headers=BROWSER)).status_code for path in PAGES]
    reads = [(await stranger.get(f"/platform/api/v1/{name}", headers=API)).status_code for name in READS]
    assert {*pages, *reads} == {403}


async def test_nobody_at_all_reads_the_api(client: AsyncClient) -> None:
    """Without a token every operation of the platform API asks for one."""
    assert {(await client.get(f"/platform/api/v1/{name}")).status_code for name in READS} == {401}


@pytest.mark.parametrize("name", READS)
async def test_operators_read_the_api(client: AsyncClient, name: str) -> None:
    """Every reading operation of the platform API answers with JSON."""
    answer = await client.get(f"/platform/api/v1/{name}", headers=API)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")


async def test_routes_tell_what_they_ask_for(client: AsyncClient) -> None:
    """A route is listed with its permission."""
    routes = (await client.get("/platform/api/v1/routes", headers=API)).json()
    found = next(route for route in routes if route["path"] == "/platform/audit")
    assert found["permission"] == "platform.audit.read"


async def test_routes_are_found_by_a_word(client: AsyncClient) -> None:
    """The page of routes filters, and says when nothing fits."""
    page = (await client.get("/platform/routes", params={"q": "<nothing>"}, headers=BROWSER)).text
    assert "No route fits “&lt;nothing&gt;”." in page


async def test_an_unknown_capability_is_not_found(client: AsyncClient) -> None:
    """The page of a capability that is not installed is a 404."""
    assert (await client.get("/platform/capabilities/none", headers=BROWSER)).status_code == 404


async def test_secrets_of_settings_are_masked(settings: PlatformSettings) -> None:
    """Neither the secret key nor a password in a URL is shown."""
    secret = settings_for(
        settings.data_dir, secret_key="hunter2-key", public_url="http://ada:hunter2-url@platform.test"
    )
    async with started_app(settings=secret, capabilities=[believing_identity()]) as client:
        shown = (await client.get("/platform/api/v1/settings", headers=API)).text
    assert ("hunter2" in shown, "FSP_SECRET_KEY" in shown) == (False, True)


async def test_a_log_level_is_changed_and_audited(client: AsyncClient) -> None:
    """A change takes effect at once and stands in the audit trail with what was before."""
    change = {"logger": "demo.of.levels", "level": "debug"}
    answer = await client.put("/platform/api/v1/log-levels", json=change, headers=API)
    entry = (await client.get("/platform/api/v1/audit", headers=API)).json()["entries"][0]
    levels = changed_levels()
    set_level("demo.of.levels", None)
    assert (answer.status_code, levels["demo.of.levels"]) == (200, "debug")
    assert (entry["action"], entry["resource"], entry["details"]) == (
        "platform.loglevel_changed",
        "logger:demo.of.levels",
        {"before": "inherited", "after": "debug"},
    )
    assert entry["correlation_id"] == answer.headers["x-correlation-id"]


@pytest.mark.parametrize("change", [{"logger": "demo", "level": "loud"}, {"logger": "de mo\n", "level": "info"}])
async def test_a_wrong_log_level_is_a_problem(client: AsyncClient, change: dict[str, str]) -> None:
    """The answer names the field and what may stand there."""
    answer = await client.put("/platform/api/v1/log-levels", json=change, headers=API)
    assert (answer.status_code, answer.json()["type"]) == (422, "http://platform.test/problems/hub/unknown-log-level")


async def test_a_log_level_is_changed_by_a_form(client: AsyncClient) -> None:
    """The form works without JavaScript and needs its token."""
    page = (await client.get("/platform/log-levels", headers=BROWSER)).text
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    cookie = {"cookie": "session=ada"}
    form = {"logger": "demo.by.form", "level": "error"}
    refused = await client.post("/platform/log-levels", data=form, headers=cookie)
    done = await client.post("/platform/log-levels", data={"csrf_token": token, **form}, headers=cookie)
    levels = changed_levels()
    set_level("demo.by.form", None)
    assert (refused.status_code, done.status_code, levels.get("demo.by.form")) == (403, 303, "error")


async def test_the_audit_page_checks_the_chain(client: AsyncClient) -> None:
    """On demand the page computes the chain anew and says that it is unbroken."""
    await client.put("/platform/api/v1/log-levels", json={"logger": "demo.x", "level": "info"}, headers=API)
    set_level("demo.x", None)
    page = (await client.get("/platform/audit?check=true", headers=BROWSER)).text
    assert "The trail is unbroken" in page


async def test_the_reference_shows_every_operation(client: AsyncClient) -> None:
    """The API reference comes from this host and lists the platform API."""
    page = (await client.get("/platform/reference?tag=hub", headers=BROWSER)).text
    assert "/platform/api/v1/log-levels" in page
