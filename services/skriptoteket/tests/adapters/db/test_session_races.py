"""Two steps of one session at the same moment."""

import asyncio
from typing import Any

import pytest

from skriptoteket.core.errors import Conflict
from skriptoteket.core.runs.models import Run

from ...core.interaction.quiz import ANNA, Quiz  # noqa: TID252 - tests have no absolute name


@pytest.fixture
async def quiz(work: Any, clock: Any) -> Quiz:  # Any: either unit of work, a clock that tests turn
    """The quiz over each kind of store."""
    made = Quiz(work, clock)
    await made.open()
    return made


async def test_of_two_simultaneous_steps_one_runs(quiz: Quiz) -> None:
    """One row, one refusal that names the reason, and nothing of the loser is kept."""
    await quiz.begin()
    answers = await asyncio.gather(quiz.act(2, rows=1), quiz.act(2, rows=2), return_exceptions=True)
    won = [answer for answer in answers if isinstance(answer, Run)]
    lost = [answer for answer in answers if isinstance(answer, Conflict)]
    assert (len(won), [answer.reason for answer in lost]) == (1, ["action_in_progress"])
    async with quiz.work.read() as unit:
        assert await unit.queue.depth(ANNA) == 1
