"""Attacks 8, 21, 23, 24 and 25: what browsers can be made to do."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest
from tests.attacks.running_platform import EMAIL, PASSWORD, Person, RunningPlatform

HTML = {"accept": "text/html"}
MARKUP = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'><b>"


@pytest.fixture
def browser(platform: RunningPlatform) -> Iterator[httpx.Client]:
    """A browser in which the administrator is signed in."""
    with httpx.Client(base_url=platform.url, headers=HTML, timeout=60) as client:
        entered = client.post("/login", data={"email": EMAIL, "password": PASSWORD})
        assert entered.status_code == 303, entered.text[:500]
        yield client


def operations(admin: httpx.Client) -> list[tuple[str, str, dict[str, object]]]:
    """Every documented operation: method, path, description."""
    document = admin.get("/openapi.json").json()
    return [
        (method.upper(), path, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
    ]


def test_no_operation_changes_anything_by_cookie_alone(browser: httpx.Client, admin: httpx.Client) -> None:
    """Attack 21: the list is the running platform's own; every change is refused without its token."""
    changes = [
        (method, re.sub(r"{[^}]+}", "x", path))
        for method, path, operation in operations(admin)
        if method not in ("GET", "HEAD", "OPTIONS") and operation["x-permission"] != "public"
    ]
    assert len(changes) > 60
    for method, path in changes:
        for kind in ("application/x-www-form-urlencoded", "text/plain", "application/json"):
            answer = browser.request(method, path, content=b"{}", headers={"content-type": kind, "accept": "*/*"})
            assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (403, "csrf-token"), path


def test_forwarded_addresses_are_not_believed(platform: RunningPlatform, ann: Person) -> None:
    """Attack 8: a peer that is no trusted proxy cannot say where it calls from."""
    forged = {"x-forwarded-for": "203.0.113.9", "forwarded": "for=203.0.113.9", "x-real-ip": "203.0.113.9"}
    body = {"email": ann.email, "password": ann.password}
    assert httpx.post(f"{platform.url}/auth/jwt/login", json=body, headers=forged, timeout=60).status_code == 200
    assert {item["ip"] for item in ann.client.get("/auth/sessions").json()["items"]} == {"127.0.0.1"}
    assert "203.0.113.9" not in platform.output


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example", "/\\evil.example", "https:evil.example", "https://evil.example", "/%2f%2fevil.example",
        "javascript:alert(1)", "/account\r\nlocation: //evil.example", "/\u2025/evil.example", "\t//evil.example",
    ],
)  # fmt: skip
def test_sign_in_stays_on_this_origin(platform: RunningPlatform, ann: Person, target: str) -> None:
    """Attack 23: whatever ``next`` says, the way leads to a path of ours."""
    with httpx.Client(base_url=platform.url, headers=HTML, timeout=60) as browser:
        entered = browser.post("/login", data={"email": ann.email, "password": ann.password, "next": target})
        assert entered.status_code == 303
        arrived = browser.get(entered.headers["location"])
    assert arrived.url.host == "127.0.0.1"
    assert "evil" not in (arrived.url.netloc.decode() + "".join(arrived.headers.keys()))


def test_markup_in_names_stays_text(browser: httpx.Client, admin: httpx.Client, ann: Person) -> None:
    """Attack 24: on every page of the menu, and on those of the person, a name with markup is shown as it was typed."""
    named = ann.client.patch("/users/me", json={"display_name": MARKUP})
    assert named.status_code == 200, named.text
    made = admin.post("/iam/service-accounts", json={"name": MARKUP, "purpose": MARKUP})
    assert made.status_code == 201, made.text
    front = browser.get("/")
    pages = {*re.findall(r'href="(/[a-z][^"#?]*)"', front.text), f"/admin/identity/users/{ann.id}"}
    assert len(pages) > 8
    for page in sorted(pages):
        answer = browser.get(page, follow_redirects=True)
        assert answer.status_code < 500, page
        assert "<script>alert" not in answer.text, page
        assert "<img src=x" not in answer.text, page
        if answer.headers["content-type"].startswith("text/html"):
            policy = answer.headers["content-security-policy"]
            assert "unsafe-inline" not in policy
            assert "frame-ancestors 'none'" in policy


def test_other_origins_read_nothing(platform: RunningPlatform, browser: httpx.Client) -> None:
    """Attack 25: no origin is reflected, and none is allowed with credentials."""
    for origin in ("https://evil.example", "null", platform.url.replace("127.0.0.1", "localhost")):
        asked = [
            browser.get("/users/me", headers={"origin": origin}),
            browser.options("/users/me", headers={"origin": origin, "access-control-request-method": "PATCH"}),
        ]
        assert [answer.headers.get("access-control-allow-origin") for answer in asked] == [None, None]


def test_secrets_are_not_cached(platform: RunningPlatform, ann: Person) -> None:
    """Attack 24: answers with tokens or secrets say ``no-store``."""
    answers = [platform.sign_in(ann.email, ann.password), ann.client.post("/mfa/totp")]
    assert ["no-store" in answer.headers.get("cache-control", "") for answer in answers] == [True] * 2
