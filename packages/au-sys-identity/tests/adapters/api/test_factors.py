"""Authenticator app, recovery codes, second step and step-up over HTTP."""

import asyncio
import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from httpx import AsyncClient, Response

from au_sys_identity.core.accounts.step_up import StepUp
from au_sys_identity.core.factors.totp import code_at, step_of

PASSWORD = "correct horse battery staple"
LOGIN = {"email": "ann@example.org", "password": PASSWORD}


class Ann:
    """A person with a program, perhaps with an authenticator app."""

    def __init__(self, client: AsyncClient) -> None:
        self.client = client
        self.headers: dict[str, str] = {}
        self.secret = b""
        self.codes: list[str] = []

    async def sign_in(self) -> Response:
        answer = await self.client.post("/auth/jwt/login", json=LOGIN)
        self.take(answer)
        return answer

    def take(self, answer: Response) -> None:
        if answer.status_code == 200:
            self.headers = {"authorization": f"Bearer {answer.json()['access_token']}"}

    async def call(self, method: str, path: str, json: dict[str, Any] | None = None) -> Response:  # Any: JSON
        return await self.client.request(method, path, json=json, headers=self.headers)

    async def enrol(self) -> None:
        answer = await self.call("POST", "/mfa/totp")
        assert answer.status_code == 201, answer.text
        begun = answer.json()
        self.secret = base64.b32decode(begun["secret"])
        assert begun["qr_svg"].startswith("<svg")
        self.codes = (await self.call("POST", "/mfa/totp/confirm", {"code": self.code(-1)})).json()["recovery_codes"]

    def code(self, shift: int = 0) -> str:
        return code_at(self.secret, step_of(datetime.now(UTC)) + shift)

    async def second(self, token: str, code: str, method: str = "totp") -> Response:
        body = {"mfa_token": token, "method": method, "code": code}
        answer = await self.client.post("/auth/mfa/verify", json=body)
        self.take(answer)
        return answer


@pytest.fixture
async def ann(client: AsyncClient) -> Ann:
    await client.post("/auth/register", json=LOGIN)
    person = Ann(client)
    await person.sign_in()
    return person


def slug(answer: Response) -> str:
    """The end of a problem's type."""
    return str(answer.json()["type"]).rpartition("/")[2]


async def test_two_steps_lead_in(ann: Ann) -> None:
    """With an app enrolled the password gives a challenge, and a code of the app the session."""
    await ann.enrol()
    challenged = await ann.sign_in()
    assert (challenged.status_code, slug(challenged)) == (401, "mfa-required")
    assert challenged.json()["methods"] == ["totp", "recovery_code"]
    entered = await ann.second(challenged.json()["mfa_token"], ann.code())
    assert (entered.status_code, entered.json()["strength"]) == (200, "multi")
    me = (await ann.call("GET", "/users/me")).json()
    assert me["mfa"] == {"totp": True, "passkeys": 0, "recovery_codes_left": 10}


async def test_a_code_works_once(ann: Ann) -> None:
    """The code of the confirmation, and one used at sign-in, are refused the second time, raced too."""
    await ann.enrol()
    tokens = [(await ann.sign_in()).json()["mfa_token"] for _ in range(3)]
    assert (await ann.second(tokens[0], ann.code(-1))).status_code == 401
    raced = await asyncio.gather(*(ann.second(token, ann.code()) for token in tokens))
    assert sorted(answer.status_code for answer in raced) == [200, 401, 401]


async def test_a_challenge_is_good_for_one_success_and_five_tries(ann: Ann) -> None:
    """After five wrong codes the right one is of no use with this challenge; a used challenge is dead."""
    await ann.enrol()
    token = (await ann.sign_in()).json()["mfa_token"]
    for _ in range(5):
        assert (await ann.second(token, "000000")).status_code == 401
    assert (await ann.second(token, ann.codes[0], "recovery_code")).status_code == 401
    fresh = (await ann.sign_in()).json()["mfa_token"]
    assert (await ann.second(fresh, ann.codes[0], "recovery_code")).status_code == 200
    assert (await ann.second(fresh, ann.codes[1], "recovery_code")).status_code == 401


async def test_the_password_alone_never_stops_the_waiting(ann: Ann) -> None:
    """Who has the password and guesses codes is slowed like who guesses passwords."""
    await ann.enrol()
    answers = [await ann.sign_in() for _ in range(7)]
    assert [answer.status_code for answer in answers][-2:] == [429, 429]


async def test_a_recovery_code_works_once(ann: Ann) -> None:
    """Used it is gone; typed in capitals and with spaces it still fits; new ones kill the old ones."""
    await ann.enrol()
    token = (await ann.sign_in()).json()["mfa_token"]
    spoken = ann.codes[0].upper().replace("-", " ")
    assert (await ann.second(token, spoken, "recovery_code")).status_code == 200
    token = (await ann.sign_in()).json()["mfa_token"]
    assert (await ann.second(token, ann.codes[0], "recovery_code")).status_code == 401
    assert (await ann.second(token, ann.codes[1], "recovery_code")).status_code == 200
    assert (await ann.call("GET", "/mfa/recovery-codes")).json() == {"left": 8}
    renewed = await ann.call("POST", "/mfa/recovery-codes")
    assert (renewed.status_code, len(renewed.json()["recovery_codes"])) == (201, 10)
    token = (await ann.sign_in()).json()["mfa_token"]
    assert (await ann.second(token, ann.codes[2], "recovery_code")).status_code == 401
    assert (await ann.second(token, renewed.json()["recovery_codes"][0], "recovery_code")).status_code == 200


async def test_enrolling_is_done_once_and_undone(ann: Ann) -> None:
    """A wrong first code enrols nothing, a second app is a conflict, removal gives one step again."""
    assert (await ann.call("POST", "/mfa/totp/confirm", {"code": "123456"})).status_code == 401
    assert (await ann.call("POST", "/mfa/recovery-codes")).status_code == 409
    await ann.call("POST", "/mfa/totp")
    assert (await ann.call("POST", "/mfa/totp/confirm", {"code": "no"})).status_code == 401
    assert (await ann.sign_in()).status_code == 200
    await ann.enrol()
    token = (await ann.sign_in()).json()["mfa_token"]
    await ann.second(token, ann.code())
    assert (await ann.call("POST", "/mfa/totp")).status_code == 409
    assert (await ann.call("DELETE", "/mfa/totp")).status_code == 204
    assert (await ann.sign_in()).status_code == 200


async def test_a_session_from_before_is_too_weak(ann: Ann) -> None:
    """A password session cannot touch factors that are stronger than itself; stepping up with a code helps."""
    await ann.enrol()
    weak = await ann.call("DELETE", "/mfa/totp")
    assert (weak.status_code, slug(weak)) == (403, "weak-session")
    own = await ann.call("DELETE", "/users/me")
    assert (own.status_code, slug(own), own.json()["required_strength"]) == (401, "step-up-required", "multi")
    assert "insufficient_user_authentication" in own.headers["www-authenticate"]
    with_password = await ann.call("POST", "/auth/step-up", {"method": "password", "password": PASSWORD})
    assert slug(with_password) == "step-up-required"
    before = ann.headers
    ann.take(await ann.call("POST", "/auth/step-up", {"method": "totp", "code": ann.code()}))
    assert ann.headers != before
    assert (await ann.client.get("/users/me", headers=before)).status_code == 401
    assert (await ann.call("DELETE", "/mfa/totp")).status_code == 204


async def test_an_old_proof_is_asked_for_again(ann: Ann, monkeypatch: pytest.MonkeyPatch) -> None:
    """After five minutes the password is asked for; the wrong one does not help."""
    app = ann.client._transport.app  # type: ignore[attr-defined]  # the transport of the testing kit holds the app
    steps = await app.platform.container.get(StepUp)
    monkeypatch.setattr(steps, "_clock", lambda: datetime.now(UTC) + timedelta(seconds=301))
    old = await ann.call("POST", "/mfa/totp")
    assert (slug(old), old.json()["max_age"]) == ("step-up-required", 300)
    wrong = await ann.call("POST", "/auth/step-up", {"method": "password", "password": "wrong"})
    assert slug(wrong) == "bad-credentials"
    for body in ({"method": "password"}, {"method": "totp"}):
        assert (await ann.call("POST", "/auth/step-up", body)).status_code == 422
    ann.take(await ann.call("POST", "/auth/step-up", {"method": "password", "password": PASSWORD}))
    assert (await ann.call("POST", "/mfa/totp")).status_code == 201


async def test_factors_are_stored_sealed(ann: Ann, tmp_path: Path) -> None:
    """Neither the secret nor a recovery code is in the database in clear."""
    await ann.enrol()
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("identity.db*"))
    assert ann.secret not in stored
    assert base64.b32encode(ann.secret) not in stored
    assert [code for code in ann.codes if code.encode() in stored or code.replace("-", "").encode() in stored] == []


async def test_others_factors_need_the_permission(ann: Ann) -> None:
    """Resetting somebody's factors is for administrators."""
    me = (await ann.call("GET", "/users/me")).json()["id"]
    assert (await ann.call("POST", f"/users/{me}/mfa/reset")).status_code == 403
