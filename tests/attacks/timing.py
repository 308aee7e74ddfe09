"""Whether answers betray in their time what they do not say: paired samples against a real server.

Run by hand (``just proof-timing``) on a quiet machine. The two sides of a pair are asked right after each other, in an
order that changes, so that what the machine does meanwhile hits both alike. Every question gets its pairs; those whose
verdict noise leaves open get more while time is left.
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
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import httpx
from tests.attacks.running_platform import running_platform

BOUND_MS = 2.0
Z = 2.576  # 99 %
WARMING = 10
PASSWORD = "nine otters under the pier"
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


@dataclass
class Question:
    """Two ways to ask the same, and the times of every pair so far."""

    text: str
    known: Ask
    unknown: Ask
    times: dict[str, list[float]] = field(default_factory=lambda: {"known": [], "unknown": []})

    @property
    def found(self) -> Finding:
        """What the pairs so far show."""
        return compare(self.text, self.times["known"], self.times["unknown"])

    def ask(self, pairs: int) -> None:
        """Ask both sides ``pairs`` times more, in an order that changes; answers must look the same."""
        if not self.times["known"]:
            for number in range(WARMING):
                self.known(number), self.unknown(number)
        for number in range(pairs):
            sides: list[tuple[str, Ask]] = [("known", self.known), ("unknown", self.unknown)]
            random.shuffle(sides)
            statuses = set()
            for name, ask in sides:
                begun = time.perf_counter()
                answer = ask(WARMING + number)
                self.times[name].append((time.perf_counter() - begun) * 1000)
                statuses.add(answer.status_code)
            if len(statuses) != 1:
                raise AssertionError(f"{self.text}: the sides are answered differently: {statuses}")


def questions(client: httpx.Client, people: dict[str, list[str]]) -> list[Question]:
    """Each with an address that is known and one that is not."""

    def post(path: str, address: Callable[[int], str], **more: object) -> Ask:
        return lambda number: client.post(path, json={"email": address(number), **more})

    def nobody(_number: int) -> str:
        return f"{uuid4().hex}@example.org"

    def of(kind: str) -> Callable[[int], str]:
        return lambda number: people[kind][number]

    wrong = {"password": "not the password at all"}
    new = {"password": PASSWORD}
    return [
        Question(text, post(path, of(kind), **more), post(path, nobody, **more))
        for text, path, kind, more in (
            ("forgotten password", "/auth/forgot-password", "active", {}),
            ("magic link", "/auth/magic-link/request", "active", {}),
            ("ask to verify", "/auth/request-verify-token", "active", {}),
            ("register", "/auth/register", "active", new),
            ("sign in, wrong password", "/auth/jwt/login", "active", wrong),
            ("sign in, disabled", "/auth/jwt/login", "disabled", new),
            ("passkey options", "/auth/passkeys/options", "active", {}),
        )
    ]


def make_people(client: httpx.Client, admin: httpx.Client, count: int) -> dict[str, list[str]]:
    """So many addresses of each kind."""

    def make(kind: str) -> str:
        address = f"{uuid4().hex}@example.org"
        client.post("/auth/register", json={"email": address, "password": PASSWORD}).raise_for_status()
        if kind == "disabled":
            found = admin.get("/users", params={"q": address}).json()["items"][0]["id"]
            admin.patch(f"/users/{found}", json={"is_active": False}).raise_for_status()
        return address

    with ThreadPoolExecutor(4) as pool:
        return {kind: list(pool.map(make, [kind] * count)) for kind in ("active", "disabled")}


def show(found: Finding) -> None:
    """One line."""
    sides = f"{found.median_known:7.2f} {found.median_unknown:7.2f}"
    told = f"difference {found.difference:+6.2f} ms ({found.low:+.2f} to {found.high:+.2f})"
    print(f"{found.question:26} {found.pairs:4} pairs {sides} ms  {told}  {found.verdict}", flush=True)


def main() -> int:
    """Print a table; 1 when a question tells, or when the machine was too busy to say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=300, help="How long open verdicts are asked about further.")
    wanted = parser.parse_args()
    ends = time.monotonic() + wanted.seconds
    with (
        tempfile.TemporaryDirectory() as folder,
        running_platform(Path(folder) / "timed", IDENTITY_GUESS_LIMIT="100") as platform,
        platform.client() as admin,
        httpx.Client(base_url=platform.url, timeout=60) as client,
    ):
        asked = questions(client, make_people(client, admin, wanted.pairs + WARMING))
        print(f"interleaved pairs, bound {BOUND_MS} ms, load {os.getloadavg()[0]:.1f}", flush=True)
        for question in asked:
            question.ask(wanted.pairs)
            show(question.found)
        while time.monotonic() < ends and (unclear := [each for each in asked if not each.found.clear]):
            for question in unclear:
                question.ask(wanted.pairs)
                show(question.found)
    return int(any(question.found.tells or not question.found.clear for question in asked))


if __name__ == "__main__":
    sys.exit(main())
