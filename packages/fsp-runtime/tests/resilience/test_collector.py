"""The collector rests while a platform starts, and leaves what it made alone."""

import gc
from collections.abc import Iterator

import pytest

from fastapi_services_platform.resilience.collector import pause_collection, resume_collection


@pytest.fixture
def as_before() -> Iterator[None]:
    yield
    gc.enable()
    gc.unfreeze()


def test_what_was_made_meanwhile_is_never_looked_at_again(as_before: None) -> None:
    """Nothing is collected in between; afterwards the collector works on new objects only."""
    pause_collection()
    paused = gc.isenabled()
    before = gc.get_freeze_count()
    resume_collection()
    assert (paused, gc.isenabled()) == (False, True)
    assert gc.get_freeze_count() > before
