"""The login provider that a run lends, and the rows that need it."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from au_sys_python_factory.gauntlet.playing import _source
from au_sys_python_factory.gauntlet.provider import CLIENT, lent_provider
from au_sys_python_factory.gauntlet.rows import read_folder
from au_sys_python_factory.gauntlet.sources import without

GRANT = {"grant_type": "authorization_code", "code": "any", "code_verifier": "any"}


async def test_a_code_becomes_a_token_and_the_token_a_person() -> None:
    """The platform's two calls are answered with JSON, and always about the same person."""
    async with lent_provider() as provider, httpx.AsyncClient(base_url=provider.url, trust_env=False) as client:
        granted = await client.post("/token", data=GRANT, auth=(CLIENT, provider.client_secret))
        header = {"Authorization": f"Bearer {granted.json()['access_token']}"}
        told = await client.get("/userinfo", headers=header)
        assert (granted.status_code, told.status_code) == (200, 200)
        assert told.json()["sub"] == provider.person
        assert provider.client_secret not in repr(provider)


async def test_it_refuses_who_does_not_keep_to_the_protocol() -> None:
    """Another secret, no verifier, a token of nobody, a page that is not there; and it lives on after a broken line."""
    async with lent_provider() as provider, httpx.AsyncClient(base_url=provider.url, trust_env=False) as client:
        right = (CLIENT, provider.client_secret)
        bare = {name: value for name, value in GRANT.items() if name != "code_verifier"}
        found = [
            (await client.post("/token", data=GRANT, auth=(CLIENT, "wrong"))).status_code,
            (await client.post("/token", data=bare, auth=right)).status_code,
            (await client.get("/userinfo", headers={"Authorization": "Bearer nobody"})).status_code,
            (await client.get("/authorize")).status_code,
        ]
        with pytest.raises(httpx.RemoteProtocolError):
            await client.post("/token", content=b"\xff", headers={"content-length": "1"})
        assert found == [401, 400, 401, 404]
        assert (await client.post("/token", data=GRANT, auth=right)).status_code == 200


def test_rows_that_need_it_are_left_out_where_none_is_lent(tmp_path: Path) -> None:
    """With all that needs them, so that nothing counts as skipped."""
    row = '[[row]]\nname = "{}"\npath = "/x"\nexpect = {{ status = 200 }}\n'
    text = row.format("lent") + "provider = true\n" + row.format("after") + 'needs = ["lent"]\n' + row.format("read")
    (tmp_path / "10.toml").write_text('stage = "identity"\n' + text)
    rows = read_folder(tmp_path, "demo")
    assert [row.name for row in without(rows, lambda row: row.provider)] == ["read"]


def test_a_parameter_of_an_address_is_saved() -> None:
    """Out of a header and out of JSON; ``state`` is all that a row needs of the way to a provider."""
    address = "http://127.0.0.1:9/authorize?a=b&state=s%20t"
    answer = httpx.Response(302, headers={"location": address})
    assert _source(answer, {}, "header:location?state") == "s t"
    assert _source(answer, {"to": address}, "to?state") == "s t"
    assert not isinstance(_source(answer, {"to": 7}, "to?state"), str)
