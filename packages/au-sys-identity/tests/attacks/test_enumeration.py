"""Wording, status and cost reveal nothing about which accounts exist."""

import asyncio
import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from httpx import AsyncClient, Response
from sqlalchemy import event
from sqlalchemy.engine import Engine

from au_sys_identity.adapters.crypto.argon2_hasher import Argon2Hasher
from au_sys_identity.core.tokens import key_format

Start = Callable[..., AbstractAsyncContextManager[AsyncClient]]
PASSWORD = "correct horse battery staple"


def _shape(answer: Response) -> tuple[int, str, list[tuple[str, str]]]:
    """An answer without what differs in every request."""
    body = re.sub(r"[0-9a-f]{32}", "", answer.text)
    varying = {"date", "x-request-id", "x-correlation-id", "content-length"}
    return answer.status_code, body, sorted((k, v) for k, v in answer.headers.items() if k not in varying)


@pytest.fixture
async def ann(client: AsyncClient) -> AsyncClient:
    await client.post("/auth/register", json={"email": "ann@example.org", "password": PASSWORD})
    return client


async def test_registering_a_known_address(ann: AsyncClient) -> None:
    """New and known get the same status, body and headers; a weak password is refused alike."""
    for password in (PASSWORD, "short"):
        answers = [
            await ann.post("/auth/register", json={"email": email, "password": password})
            for email in ("ann@example.org", "new@example.org")
        ]
        assert _shape(answers[0]) == _shape(answers[1])


async def test_registering_a_known_address_changes_nothing(ann: AsyncClient) -> None:
    """The owner's password and name stay."""
    await ann.post("/auth/register", json={"email": "ann@example.org", "password": "another fine sentence"})
    old = await ann.post("/auth/jwt/login", json={"email": "ann@example.org", "password": PASSWORD})
    new = await ann.post("/auth/jwt/login", json={"email": "ann@example.org", "password": "another fine sentence"})
    assert (old.status_code, new.status_code) == (200, 401)


async def test_failed_sign_ins_look_alike(ann: AsyncClient) -> None:
    """Unknown, wrong, malformed and over-long attempts get the same answer."""
    attempts = [
        {"email": "ann@example.org", "password": "wrong"},
        {"email": "nobody@example.org", "password": "wrong"},
        {"email": "not an address", "password": "wrong"},
        {"email": "ann@example.org", "password": "x" * 2000},
        {"email": "nobody@example.org", "password": "x" * 2000},
    ]
    shapes = [_shape(await ann.post("/auth/jwt/login", json=attempt)) for attempt in attempts]
    assert shapes == [shapes[0]] * len(shapes)


async def test_blocked_addresses_look_alike(ann: AsyncClient) -> None:
    """The waiting begins after as many tries, and for as long, whether the account exists or not."""
    shapes = []
    for email in ("ann@example.org", "nobody@example.org"):
        tries = [await ann.post("/auth/jwt/login", json={"email": email, "password": "wrong"}) for _ in range(7)]
        shapes.append([answer.status_code for answer in tries])
    assert shapes[0] == shapes[1] == [401] * 5 + [429] * 2


async def test_an_unverified_account_looks_like_none(start: Start) -> None:
    """Where addresses must be verified, the right password of an unverified account gets the one answer."""
    async with start(registration_verify="required") as client:
        await client.post("/auth/register", json={"email": "ann@example.org", "password": PASSWORD})
        known = await client.post("/auth/jwt/login", json={"email": "ann@example.org", "password": PASSWORD})
        unknown = await client.post("/auth/jwt/login", json={"email": "nobody@example.org", "password": PASSWORD})
    assert _shape(known) == _shape(unknown)


class Work:
    """What the present task computes: statements in their order, and hashes."""

    def __init__(self) -> None:
        self.statements: list[str] = []
        self.hashes = 0

    def taken(self) -> tuple[list[str], int]:
        """What was done since the last look."""
        found, self.statements, self.hashes = (self.statements, self.hashes), [], 0
        return found


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Iterator[Work]:
    seen, fits, hashed = Work(), Argon2Hasher._fits, Argon2Hasher._hashed
    mine = asyncio.current_task

    def noted(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        task = mine()
        looks = ("SELECT versions.", "SELECT flag_version.")  # at what other nodes did
        passing = statement == "BEGIN" or statement.startswith(looks)
        if task is not None and not passing and not task.get_name().startswith(("job", "identity")):
            seen.statements.append(re.sub(r"sa_savepoint_\d+", "savepoint", statement))

    def fitting(self: Argon2Hasher, password: str, hash: str) -> bool:
        seen.hashes += 1
        return fits(self, password, hash)

    def hashing(self: Argon2Hasher, password: str) -> str:
        seen.hashes += 1
        return hashed(self, password)

    monkeypatch.setattr(Argon2Hasher, "_fits", fitting)
    monkeypatch.setattr(Argon2Hasher, "_hashed", hashing)
    event.listen(Engine, "before_cursor_execute", noted)
    yield seen
    event.remove(Engine, "before_cursor_execute", noted)


async def test_every_account_takes_the_same_work_to_refuse(ann: AsyncClient, work: Work, tmp_path: Path) -> None:
    """Attack 3: unknown, wrong, disabled, without a password, of a directory: one answer, one hash, the same work."""
    people = ["disabled", "no-password", "directory"]
    for name in people:
        await ann.post("/auth/register", json={"email": f"{name}@example.org", "password": PASSWORD})
    with sqlite3.connect(tmp_path / "identity.db", timeout=30) as database:
        of = "(SELECT subject_id FROM persons WHERE email_canonical = '{}@example.org')".format
        database.execute(f"UPDATE subjects SET status = 'disabled' WHERE id = {of('disabled')}")
        for name in ("no-password", "directory"):
            database.execute(f"DELETE FROM passwords WHERE subject_id = {of(name)}")
        database.execute(f"UPDATE persons SET auth_source = 'directory:staff' WHERE subject_id = {of('directory')}")
    tries = [("nobody", PASSWORD), ("ann", "the wrong sentence"), *((name, PASSWORD) for name in people)]
    for _ in range(2):  # the first round makes counters and keys of subjects
        shapes, works = [], []
        for name, password in tries:
            work.taken()
            answer = await ann.post("/auth/jwt/login", json={"email": f"{name}@example.org", "password": password})
            shapes.append(_shape(answer))
            works.append(work.taken())
    assert shapes == [shapes[0]] * len(tries)
    assert {hashes for _, hashes in works} == {1}
    lengths = [len(statements) for statements, _ in works]
    assert max(lengths) - min(lengths) <= 1  # the password of nobody is not looked up


async def test_asking_for_a_letter_takes_the_same_work(ann: AsyncClient, work: Work) -> None:
    """Attacks 1 and 4: known and unknown are the same statements; who gets a letter is found out afterwards."""
    for path in ("/auth/forgot-password", "/auth/magic-link/request", "/auth/request-verify-token"):
        await ann.post(path, json={"email": "warm@example.org"})
        works = []
        for email in ("ann@example.org", "nobody@example.org"):
            work.taken()
            assert (await ann.post(path, json={"email": email})).status_code == 202
            works.append(work.taken())
        assert works[0] == works[1]


async def test_registering_takes_the_same_work(ann: AsyncClient, work: Work) -> None:
    """Attack 2: a known address does everything that a new one does and undoes it; it is noted and not told."""
    await ann.post("/auth/register", json={"email": "warm@example.org", "password": PASSWORD})
    works = []
    for email in ("new@example.org", "ann@example.org"):
        work.taken()
        assert (await ann.post("/auth/register", json={"email": email, "password": PASSWORD})).status_code == 202
        works.append(work.taken())
    (new, hashes), (known, same) = works
    assert hashes == same == 1
    kept, undone = "RELEASE SAVEPOINT savepoint", "ROLLBACK TO SAVEPOINT savepoint"
    known = [kept if statement == undone else statement for statement in known]
    told, noted = Counter(new) - Counter(known), Counter(known) - Counter(new)
    assert sorted(statement.split()[0] for statement in told.elements()) == [
        "INSERT",
        "SELECT",
    ]  # the time, the message
    assert [statement.split()[2] for statement in noted.elements()] == ["audit_events"]


async def test_keys_are_looked_up_alike(start: Start, work: Work) -> None:
    """Attack 33: a public id that nobody has takes the statements of one with a wrong secret."""
    bootstrap, ann = "the bootstrap token of a key", {"email": "ann@example.org", "password": PASSWORD}
    async with start(bootstrap_token=bootstrap) as client:
        assert (await client.post("/auth/register", json={**ann, "bootstrap_token": bootstrap})).status_code == 201
        token = (await client.post("/auth/jwt/login", json=ann)).json()["access_token"]
        headers, wanted = {"authorization": f"Bearer {token}"}, {"name": "Robot", "scopes": ["identity.users.read"]}
        made = (await client.post("/auth/api-keys/", headers=headers, json=wanted)).json()
        works = []
        for public_id in ("0" * 12, made["prefix"].removeprefix("au_live_")):
            body = "au_live_" + public_id + "s" * 43
            work.taken()
            presented = {"x-api-key": body + key_format._checksum(body)}
            assert (await client.get("/users/me", headers=presented)).status_code == 401
            works.append(work.taken())
        assert works[0] == works[1]
