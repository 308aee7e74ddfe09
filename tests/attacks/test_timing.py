"""The statistic of the timing proof finds a planted oracle, and none where there is none."""

from __future__ import annotations

import random

from tests.attacks.timing import BOUND_MS, compare


def samples(seed: int, extra: float = 0.0) -> list[float]:
    """Two hundred noisy times around 20 ms, with outliers as a busy machine makes them."""
    chance = random.Random(seed)
    return [20 + extra + chance.gauss(0, 3) + (50 if chance.random() < 0.05 else 0) for _ in range(200)]


def test_a_planted_oracle_is_found() -> None:
    """Four milliseconds more on one side tell, in either direction."""
    for seed in range(20):
        assert compare("planted", samples(seed, 4.0), samples(seed + 100)).tells
        assert compare("planted", samples(seed), samples(seed + 100, 4.0)).tells


def test_noise_is_no_oracle() -> None:
    """Equal sides differ by less than the bound."""
    assert max(abs(compare("noise", samples(seed), samples(seed + 100)).difference) for seed in range(20)) < BOUND_MS


def test_noise_that_hides_an_answer_is_said() -> None:
    """Where the bounds of the median reach beyond two milliseconds, it is neither cleared nor accused."""
    chance = random.Random(1)
    wild = [[20 + chance.gauss(0, 60) for _ in range(200)] for _ in range(2)]
    found = compare("wild", *wild)
    assert (found.tells, found.clear, found.verdict.split(":")[0]) == (False, False, "UNCLEAR")
