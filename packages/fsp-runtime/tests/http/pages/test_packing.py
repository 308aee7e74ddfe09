"""Who gets a page compressed, and who must not."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from httpx import AsyncClient

from fastapi_services_platform.testing import started_app
from fastapi_services_platform.testing.stand_ins import believing_identity
from fastapi_services_platform.testing.started_app import settings_for

PAGE = "/platform/components"


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[AsyncClient]:
    async with started_app(settings=settings_for(tmp_path), capabilities=[believing_identity()]) as started:
        yield started


@pytest.mark.parametrize(
    ("site", "accepted", "encoding"),
    [
        ("same-origin", "gzip, br", "gzip"),
        ("none", "gzip", "gzip"),
        ("same-origin", "br", None),
        ("same-site", "gzip", None),
        ("cross-site", "gzip", None),
        ("", "gzip", None),
    ],
)
async def test_a_page_is_packed_for_who_asks_from_here(
    client: AsyncClient, site: str, accepted: str, encoding: str | None
) -> None:
    """Another site's request, and one of an unknown origin, learn nothing from a length."""
    headers = {"accept": "text/html", "accept-encoding": accepted, "sec-fetch-site": site}
    answer = await client.get(PAGE, headers=headers)
    assert (answer.status_code, answer.headers.get("content-encoding")) == (200, encoding)
    assert "</html>" in answer.text
    assert "sec-fetch-site" in answer.headers["vary"]


async def test_packing_is_worth_it(client: AsyncClient) -> None:
    """A long page shrinks to a fourth at most."""
    headers = {"accept": "text/html", "accept-encoding": "gzip"}
    plain = await client.get(PAGE, headers=headers)
    packed = await client.get(PAGE, headers={**headers, "sec-fetch-site": "none"})
    assert int(packed.headers["content-length"]) * 4 < int(plain.headers["content-length"])
