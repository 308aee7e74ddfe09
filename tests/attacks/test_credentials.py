"""Attacks 5, 6, 7, 9, 18 and 33: guessing, flooding and replaying what proves who somebody is."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import sqlite3
import time
import unicodedata
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx
import pytest
from tests.attacks.running_platform import Person, RunningPlatform, create_admin, environment_of, free_port, serving


class Authenticator:
    """An authenticator app (RFC 6238: SHA-1, 6 digits, 30 seconds)."""

    def __init__(self, secret: str) -> None:
        self.secret = secret

    def at(self, moment: float) -> str:
        """The code at a time in seconds since 1970."""
        key = base64.b32decode(self.secret + "=" * (-len(self.secret) % 8))
        digest = hmac.new(key, int(moment // 30).to_bytes(8, "big"), hashlib.sha1).digest()
        start = digest[-1] & 15
        return f"{(int.from_bytes(digest[start : start + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06}"


def slug(answer: httpx.Response) -> str:
    """What kind of problem it is."""
    return str(answer.json().get("type", "")).rpartition("/")[2]


def test_a_flood_of_sign_ins_is_refused_without_hashing(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Attack 5: beyond the queue the answer is 503 with a time to wait, at once; afterwards everything is as before."""
    folder = tmp_path_factory.mktemp("flood")
    port = free_port()
    environment = environment_of(folder, port, IDENTITY_HASH_QUEUE="8", IDENTITY_HASH_THREADS="1")
    (folder / "data").mkdir()
    create_admin(environment)
    with serving(folder, port, environment) as flooded:
        with ThreadPoolExecutor(60) as pool:
            answers = list(
                pool.map(lambda number: flooded.sign_in(f"{number}@example.org", "not it, not at all"), range(200))
            )
        kinds = Counter((answer.status_code, slug(answer)) for answer in answers)
        assert set(kinds) <= {(401, "bad-credentials"), (503, "busy"), (503, "overloaded"), (503, "store-unavailable"),
                              (429, "too-many-requests"), (429, "too-many-attempts")}  # fmt: skip
        assert kinds[503, "busy"] > 0
        assert all("retry-after" in answer.headers for answer in answers if answer.status_code in (429, 503))
        assert flooded.tokens()["access_token"]


@pytest.mark.parametrize("password", ["x" * 1_000_000, "nul\x00in the middle of it", "short", "password1234"])
def test_unusable_passwords_are_refused_before_hashing(platform: RunningPlatform, password: str) -> None:
    """Attack 6: too long, with NUL, too short or known to everybody: refused by name, and no account is made."""
    body = {"email": f"{uuid4().hex}@example.org", "password": password}
    answer = httpx.post(f"{platform.url}/auth/register", json=body, timeout=60)
    assert (answer.status_code, slug(answer)) in {(422, "weak-password"), (413, "body-too-large")}


def test_spellings_of_one_password_are_one_password(platform: RunningPlatform) -> None:
    """Attack 6: composed and decomposed characters are the same; the first 72 bytes alone are not enough."""
    composed = unicodedata.normalize("NFC", "åäö" * 20 + " and a tail")
    with platform.person(composed) as person:
        decomposed = platform.sign_in(person.email, unicodedata.normalize("NFD", composed))
        cut = platform.sign_in(person.email, composed.encode()[:72].decode())
    assert [decomposed.status_code, cut.status_code] == [200, 401]


def test_codes_are_not_guessed_in_parallel(platform: RunningPlatform, ann: Person) -> None:
    """Attack 7: of a hundred guesses at once at most five are evaluated, and the right code is too late then."""
    totp = enrolled(ann)
    asked = platform.sign_in(ann.email, ann.password)
    assert slug(asked) == "mfa-required"
    token = asked.json()["mfa_token"]

    def guess(number: int) -> httpx.Response:
        body = {"mfa_token": token, "method": "totp", "code": f"{number:06}"}
        return httpx.post(f"{platform.url}/auth/mfa/verify", json=body, timeout=60)

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(guess, range(100)))
    assert {answer.status_code for answer in answers} <= {401, 429}
    late = httpx.post(
        f"{platform.url}/auth/mfa/verify",
        json={"mfa_token": token, "method": "totp", "code": totp.at(time.time() + 30)},
        timeout=60,
    )
    assert late.status_code in (401, 429)


def test_nobody_locks_a_victim_out(platform: RunningPlatform, ann: Person) -> None:
    """Attack 7: after many wrong guesses a stranger waits, and the browser that she used before gets in at once."""
    with httpx.Client(base_url=platform.url, headers={"accept": "text/html"}, timeout=60) as browser:
        entered = browser.post("/login", data={"email": ann.email, "password": ann.password})
        assert entered.status_code == 303
        device = {name: value for name, value in browser.cookies.items() if "device" in name}
    assert len(device) == 1
    guesses = [platform.sign_in(ann.email, f"guess number {number}") for number in range(12)]
    assert guesses[-1].status_code == 429
    assert platform.sign_in(ann.email, ann.password).status_code == 429
    with httpx.Client(base_url=platform.url, cookies=device, timeout=60) as known:
        body = {"email": ann.email, "password": ann.password}
        assert known.post("/auth/jwt/login", json=body).status_code == 200


@pytest.mark.parametrize(
    "email",
    [
        "ann＠example.org",
        "ann@example.org,eve@example.org",
        "ann@example.org\r\nBcc: eve@example.org",
        "ann\u202e@example.org",
        "ann@",
        "a" * 300 + "@example.org",
    ],
)
def test_addresses_are_one_address(platform: RunningPlatform, email: str) -> None:
    """Attack 9: look-alikes, two in one and line breaks are a 422 that names the field."""
    body = {"email": email, "password": "nine otters under the pier"}
    answer = httpx.post(f"{platform.url}/auth/register", json=body, timeout=60)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "email")


def test_case_makes_no_second_account(platform: RunningPlatform, ann: Person) -> None:
    """Attack 9: the address in capitals is the same account."""
    assert platform.sign_in(ann.email.upper(), ann.password).status_code == 200


def enrolled(person: Person) -> Authenticator:
    """An authenticator app of the person."""
    begun = person.client.post("/mfa/totp")
    assert begun.status_code == 201, begun.text
    totp = Authenticator(begun.json()["secret"])
    confirmed = person.client.post("/mfa/totp/confirm", json={"code": totp.at(time.time() - 30)})
    assert confirmed.status_code == 200, confirmed.text
    person.client.headers["x-recovery"] = confirmed.json()["recovery_codes"][0]
    return totp


def second_step(platform: RunningPlatform, person: Person, method: str, code: str) -> httpx.Response:
    """A whole sign-in with a second factor."""
    token = platform.sign_in(person.email, person.password).json()["mfa_token"]
    body = {"mfa_token": token, "method": method, "code": code}
    return httpx.post(f"{platform.url}/auth/mfa/verify", json=body, timeout=60)


def test_a_code_works_once(platform: RunningPlatform, ann: Person) -> None:
    """Attack 18: the same code again, one outside the window, somebody else's, and a recovery code twice."""
    totp = enrolled(ann)
    recovery = ann.client.headers.pop("x-recovery")
    code = totp.at(time.time())
    answers = [
        second_step(platform, ann, "totp", code),
        second_step(platform, ann, "totp", code),
        second_step(platform, ann, "totp", totp.at(time.time() + 600)),
        second_step(
            platform, ann, "totp", Authenticator(base64.b32encode(secrets.token_bytes(20)).decode()).at(time.time())
        ),
        second_step(platform, ann, "recovery_code", recovery),
        second_step(platform, ann, "recovery_code", recovery),
    ]
    assert [answer.status_code for answer in answers] == [200, 401, 401, 401, 200, 401]
    stored = b"".join(file.read_bytes() for file in (platform.folder / "data").glob("identity.db*"))
    assert [value for value in (recovery, totp.secret) if value.encode() in stored] == []


def test_api_keys_cannot_be_used_otherwise(platform: RunningPlatform, admin: httpx.Client) -> None:
    """Attack 33: in the URL, with a wrong checksum, out of scope, and nowhere in the database or the log."""
    made = admin.post("/auth/api-keys/", json={"name": "Robot", "scopes": ["identity.users.read"]})
    assert made.status_code == 201, made.text
    key = made.json()["secret"]
    wrong = key[:-1] + ("A" if key[-1] != "A" else "B")

    def status(path: str, **headers: str) -> int:
        return httpx.get(f"{platform.url}{path}", headers=headers, timeout=60).status_code

    assert status("/users", **{"x-api-key": key}) == 200
    assert status("/rbac/roles", **{"x-api-key": key}) == 403
    assert status("/users", **{"x-api-key": wrong}) == 401
    assert status("/users", authorization=f"Bearer {key}") == 401
    assert status("/users", **{"x-api-key": key, "authorization": f"Bearer {key}"}) == 400
    assert status(f"/users?api_key={key}") in (400, 401)
    with sqlite3.connect(platform.folder / "data" / "identity.db") as database:
        dump = "\n".join(database.iterdump())
    assert key not in dump
    assert key[len("au_live_") + 12 : -6] not in platform.output
