"""Groups and organizations with more members than fit on a page."""

import re
from pathlib import Path

import pytest
from httpx import AsyncClient

from au_sys_identity.adapters.web.governing import together
from au_sys_identity.core.accounts.registration import NewPerson
from au_sys_identity.manifest.operator import Operator
from fastapi_services_platform import PlatformSettings

PASSWORD = "a very different sentence"
EMAIL = "admin@example.org"
HTML = {"accept": "text/html"}


async def names_on(client: AsyncClient, path: str) -> list[str]:
    """Members that stand on the pages, from the first to the last."""
    found: list[str] = []
    while path:
        page = (await client.get(path, headers=HTML)).text
        found += re.findall(r"Member \d", page.partition("<tbody>")[2].partition("</tbody>")[0])
        further = re.search(r'href="([^"]+[?](?:skip|after)=[^"]+)"', page)
        path = further.group(1) if further else ""
    return sorted(set(found))


async def test_everybody_is_on_some_page(client: AsyncClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With one member on a page, three of a group and of an organization are found by turning over."""
    monkeypatch.setattr(together, "_PAGE", 1)
    platform = PlatformSettings(environment="test", data_dir=tmp_path, public_url="http://platform.test")
    await Operator(platform).create_admin(NewPerson(EMAIL, "Ada Admin"), PASSWORD)
    signed = await client.post("/auth/jwt/login", json={"email": EMAIL, "password": PASSWORD})
    bearer = {"authorization": f"Bearer {signed.json()['access_token']}"}
    group = (await client.post("/iam/groups", headers=bearer, json={"name": "Night shift"})).json()["urn"]
    await client.post("/iam/organizations", headers=bearer, json={"slug": "acme", "name": "Acme"})
    for number in range(3):
        body = {"email": f"m{number}@example.org", "display_name": f"Member {number}"}
        made = (await client.post("/users", headers=bearer, json=body)).json()
        urn = (made.get("user") or made)["urn"]
        edge = {"source": urn, "relation": "member_of", "target": group}
        assert (await client.post("/iam/graph/link", headers=bearer, json=edge)).status_code < 300
        joined = await client.put(f"/iam/organizations/acme/members/{urn}", headers=bearer)
        assert joined.status_code < 300, joined.text
    await client.post("/login", data={"email": EMAIL, "password": PASSWORD})
    expected = ["Member 0", "Member 1", "Member 2"]
    assert await names_on(client, f"/admin/identity/groups/{group}") == expected
    assert await names_on(client, "/admin/identity/organizations/acme") == expected
