"""Whose password is in a directory confirms there, on a real slapd."""

import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest
from httpx import AsyncClient

from au_sys_identity.conformance.slapd import Slapd

pytestmark = pytest.mark.needs_slapd
Start = Callable[..., AbstractAsyncContextManager[AsyncClient]]
PASSWORD = "a password in the directory"


async def test_the_directory_confirms_who_it_is(start: Start, slapd: Slapd, given: dict[str, object]) -> None:
    """The password there is a fresh proof and the session gets a new id; a wrong or an old one is none."""
    dn = slapd.person("ann", "Ann", PASSWORD)
    async with start(ldap=json.dumps([given])) as client:
        body = {"email": "ann@example.org", "password": PASSWORD, "directory": "staff"}
        login = (await client.post("/auth/jwt/login", json=body)).json()
        ann = {"authorization": f"Bearer {login['access_token']}"}
        wrong = await client.post("/auth/step-up", headers=ann, json={"method": "password", "password": "wrong"})
        assert (wrong.status_code, wrong.json()["type"].rpartition("/")[2]) == (401, "bad-credentials")
        right = await client.post("/auth/step-up", headers=ann, json={"method": "password", "password": PASSWORD})
        assert (right.status_code, right.json()["session_id"] == login["session_id"]) == (200, False)
        slapd.set_password(dn, "a newer password")
        ann = {"authorization": f"Bearer {right.json()['access_token']}"}
        old = await client.post("/auth/step-up", headers=ann, json={"method": "password", "password": PASSWORD})
        assert old.status_code == 401
