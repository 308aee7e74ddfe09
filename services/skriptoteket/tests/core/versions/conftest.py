"""The verbs of versions over each kind of library."""

from typing import Any

import pytest

from skriptoteket.core.roles import Actor

from .desk import Desk


@pytest.fixture
def desk(work: Any, clock: Any, people: dict[str, Actor]) -> Desk:  # Any: either unit of work, a clock that tests turn
    """The verbs over each library."""
    return Desk(work, clock, people)
