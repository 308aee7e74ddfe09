"""Whether answers betray in their time what they do not say: paired samples against a real server.

Run by hand (``just proof-timing``) on a quiet machine. The two sides of a pair are asked right after each other, in an
order that changes, so that what the machine does meanwhile hits both alike.
"""

from __future__ import annotations

import argparse
import math
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
Z = 2.576  # 99 %
WARMING, MOST_ROUNDS = 10, 3
Ask = Callable[[int], httpx.Response]


@dataclass(frozen=True)
class Finding:
    """What the pairs of one question showed, in milliseconds; ``low`` and ``high`` enclose the true median of the
    differences with 99 % confidence.
    """

    question: str
    pairs: int
    median_known: float
    median_unknown: float
    difference: float
    low: float
    high: float

    @property
    def tells(self) -> bool:
        """Whether the time tells the sides apart: the difference is beyond the bound, and no accident."""
        return abs(self.difference) >= BOUND_MS and not self.low <= 0 <= self.high

    @property
    def clear(self) -> bool:
        """Whether more pairs would not change the verdict."""
        return self.tells or (self.low > -BOUND_MS and self.high < BOUND_MS)

    @property
    def verdict(self) -> str:
        """In a word."""
        return "TELLS" if self.tells else "ok" if self.clear else "UNCLEAR: the machine is too busy"


def compare(question: str, known: list[float], unknown: list[float]) -> Finding:
    """The median of the differences within each pair; outliers of one pair do not move it.

    Its bounds are order statistics: no assumption about how the noise is spread.
    """
    differences = sorted(one - other for one, other in zip(known, unknown, strict=True))
    pairs, middle = len(differences), statistics.median
    reach = int(Z * math.sqrt(pairs) / 2) + 1
    low, high = differences[max(0, pairs // 2 - reach)], differences[min(pairs - 1, pairs // 2 + reach)]
    return Finding(question, pairs, middle(known), middle(unknown), middle(differences), low, high)


def measure(question: str, known: Ask, unknown: Ask, pairs: int) -> Finding:
    """Ask both sides ``pairs`` times, and up to three times as often while noise leaves the verdict open; answers must
    look the same.
    """
    times: dict[str, list[float]] = {"known": [], "unknown": []}
    for number in range(WARMING):
        known(number), unknown(number)
    for number in range(MOST_ROUNDS * pairs):
        sides: list[tuple[str, Ask]] = [("known", known), ("unknown", unknown)]
        random.shuffle(sides)
        statuses = set()
        for name, ask in sides:
            begun = time.perf_counter()
            answer = ask(WARMING + number % pairs)
            times[name].append((time.perf_counter() - begun) * 1000)
            statuses.add(answer.status_code)
        if len(statuses) != 1:
            raise AssertionError(f"{question}: the sides are answered differently: {statuses}")
        if (number + 1) % pairs == 0 and compare(question, times["known"], times["unknown"]).clear:
            break
    return compare(question, times["known"], times["unknown"])


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
    """Print a table; 1 when a question tells, or when the machine was too busy to say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=200)
    wanted = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        running_platform(Path(folder) / "timed", IDENTITY_GUESS_LIMIT="100") as platform,
        platform.client() as admin,
        httpx.Client(base_url=platform.url, timeout=60) as client,
    ):
        people: dict[str, list[str]] = {"active": [], "disabled": []}
        for kind, addresses in people.items():
            for _ in range(wanted.pairs + WARMING):
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
    print(f"interleaved pairs, bound {BOUND_MS} ms, load {os.getloadavg()[0]:.1f}")
    for found in findings:
        sides = f"{found.median_known:7.2f} {found.median_unknown:7.2f}"
        told = f"difference {found.difference:+6.2f} ms ({found.low:+.2f} to {found.high:+.2f})"
        print(f"{found.question:26} {found.pairs:4} pairs {sides} ms  {told}  {found.verdict}")
    return int(any(found.tells or not found.clear for found in findings))


if __name__ == "__main__":
    sys.exit(main())
