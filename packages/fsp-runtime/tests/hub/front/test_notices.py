"""Notices on the first page, when a capability keeps some."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import pytest

from fastapi_services_platform import NoticeBoard, PlatformSettings, PostedNotice, Service
from fastapi_services_platform.hub.front.notices import Notices
from fastapi_services_platform.testing import started_app
from fastapi_services_platform.testing.stand_ins import Prepared, believing_identity

BROWSER = {"accept": "text/html", "cookie": "session=ada"}
AT = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)


class Board:
    """Has seven notices for ada, and fails for eve."""

    page = "/account/notices"

    async def unread(self, urn: str, limit: int) -> tuple[Sequence[PostedNotice], int]:
        if urn.endswith("eve"):
            raise RuntimeError("the board fell down")
        if not urn.endswith("ada"):
            return (), 0
        hrefs = ("/runs/1", "https://evil.example/", "//evil.example/", "javascript:alert(1)", "")
        return [PostedNotice(f"Notice {n}", "Your <run> is done.", href, AT) for n, href in enumerate(hrefs)][:limit], 7


async def page(sample: Callable[..., Prepared], settings: PlatformSettings, who: str) -> str:
    board = sample(services=(Service(NoticeBoard, lambda _scope: Board()),))
    async with started_app(settings=settings, capabilities=[board, believing_identity()]) as client:
        answer = await client.get("/", headers={**BROWSER, "cookie": f"session={who}"})
    assert answer.status_code == 200
    return answer.text


async def test_what_was_not_read_stands_on_the_first_page(
    sample: Callable[..., Prepared], settings: PlatformSettings
) -> None:
    """With how many there are and the way to all of them; text is text, and no link leaves the platform."""
    shown = await page(sample, settings, "ada")
    for text in (
        "New for you",
        "Notice 0",
        "Your &lt;run&gt; is done.",
        'href="/runs/1"',
        'href="/account/notices"',
        ">7<",
    ):
        assert text in shown
    assert ("evil.example" in shown, "javascript:" in shown) == (False, False)


@pytest.mark.parametrize("who", ["bob", "eve"])
async def test_without_notices_the_page_is_as_it_was(
    sample: Callable[..., Prepared], settings: PlatformSettings, who: str
) -> None:
    """Nothing was told, or the board fails."""
    assert "New for you" not in await page(sample, settings, who)


async def test_without_a_board_there_are_none(settings: PlatformSettings) -> None:
    """The port is optional."""
    async with started_app(settings=settings, capabilities=[believing_identity()]) as client:
        container = client._transport.app.platform.container  # type: ignore[attr-defined]  # the kit's own transport
        assert (await Notices(container).unread("urn:fsp:person:ada")).count == 0
