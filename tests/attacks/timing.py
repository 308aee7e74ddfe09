"""Whether answers betray in their time what they do not say: paired samples against a real server.

Run by hand (``just proof-timing``) on a quiet machine. The two sides of a pair are asked right after each other, in an
order that changes, so that what the machine does meanwhile hits both alike.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import httpx
from tests.attacks.running_platform import running_platform

BOUND_MS = 2.0
Ask = Callable[[int], httpx.Response]


@dataclass(frozen=True)
class Finding:
    """What the pairs of one question showed, in milliseconds."""

    question: str
    pairs: int
    median_known: float
    median_unknown: float
    difference: float

    @property
    def tells(self) -> bool:
        """Whether the time tells the sides apart."""
        return abs(self.difference) >= BOUND_MS


def compare(question: str, known: list[float], unknown: list[float]) -> Finding:
    """The median of the differences within each pair; outliers of one pair do not move it."""
    differences = [one - other for one, other in zip(known, unknown, strict=True)]
    middle = statistics.median
    return Finding(question, len(differences), middle(known), middle(unknown), middle(differences))


def measure(question: str, known: Ask, unknown: Ask, pairs: int) -> Finding:
    """Ask both sides ``pairs`` times; answers must look the same."""
    times: dict[str, list[float]] = {"known": [], "unknown": []}
    for number in range(pairs + 10):
        sides: list[tuple[str, Ask]] = [("known", known), ("unknown", unknown)]
        random.shuffle(sides)
        statuses = set()
        for name, ask in sides:
            begun = time.perf_counter()
            answer = ask(number)
            times[name].append((time.perf_counter() - begun) * 1000)
            statuses.add(answer.status_code)
        if len(statuses) != 1:
            raise AssertionError(f"{question}: the sides are answered differently: {statuses}")
    return compare(question, times["known"][10:], times["unknown"][10:])  # the first pairs warm connections up


def questions(client: httpx.Client, people: dict[str, list[str]]) -> dict[str, tuple[Ask, Ask]]:
    """Each question with an address that is known and one that is not."""

    def post(path: str, address: Callable[[int], str], **more: object) -> Ask:
        return lambda number: client.post(path, json={"email": address(number), **more})

    def nobody(_number: int) -> str:
        return f"{uuid4().hex}@example.org"

    def of(kind: str) -> Callable[[int], str]:
        return lambda number: people[kind][number]

    wrong = {"password": "not the password at all"}
    new = {"password": "nine otters under the pier"}
    return {
        "forgotten password": (post("/auth/forgot-password", of("active")), post("/auth/forgot-password", nobody)),
        "magic link": (post("/auth/magic-link/request", of("active")), post("/auth/magic-link/request", nobody)),
        "ask to verify": (post("/auth/request-verify-token", of("active")), post("/auth/request-verify-token", nobody)),
        "register": (post("/auth/register", of("active"), **new), post("/auth/register", nobody, **new)),
        "sign in, wrong password": (
            post("/auth/jwt/login", of("active"), **wrong),
            post("/auth/jwt/login", nobody, **wrong),
        ),
        "sign in, disabled": (post("/auth/jwt/login", of("disabled"), **new), post("/auth/jwt/login", nobody, **new)),
        "passkey options": (post("/auth/passkeys/options", of("active")), post("/auth/passkeys/options", nobody)),
    }


def main() -> int:
    """Print a table; 1 when a question tells."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=200)
    wanted = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        running_platform(
            Path(folder) / "timed", IDENTITY_GUESS_LIMIT="100", IDENTITY_RATE_MAIL="100000/hour"
        ) as platform,
        platform.client() as admin,
        httpx.Client(base_url=platform.url, timeout=60) as client,
    ):
        people: dict[str, list[str]] = {"active": [], "disabled": []}
        for kind, addresses in people.items():
            for _ in range(wanted.pairs + 10):
                address = f"{uuid4().hex}@example.org"
                client.post("/auth/register", json={"email": address, "password": "nine otters under the pier"})
                addresses.append(address)
                if kind == "disabled":
                    found = admin.get("/users", params={"q": address}).json()["items"][0]["id"]
                    admin.patch(f"/users/{found}", json={"is_active": False})
        findings = [
            measure(question, known, unknown, wanted.pairs)
            for question, (known, unknown) in questions(client, people).items()
        ]
    load = os.getloadavg()[0]
    print(f"{wanted.pairs} interleaved pairs each, bound {BOUND_MS} ms, load {load:.1f}")
    for found in findings:
        verdict = "TELLS" if found.tells else "ok"
        sides = f"{found.median_known:7.2f} {found.median_unknown:7.2f}"
        print(f"{found.question:26} {sides} ms  difference {found.difference:+6.2f} ms  {verdict}")
    return int(any(found.tells for found in findings))


if __name__ == "__main__":
    sys.exit(main())
