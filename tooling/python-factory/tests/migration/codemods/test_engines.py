"""Engines look whether a kept connection still lives."""

import pytest

from au_sys_python_factory.migration.codemods.engines import pinging


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("e = create_engine(URL)\n", "e = create_engine(URL, pool_pre_ping=True)\n"),
        ("e = sa.create_engine(\n    URL,\n)\n", "e = sa.create_engine(\n    URL,\n pool_pre_ping=True)\n"),
        ("e = create_async_engine()\n", "e = create_async_engine( pool_pre_ping=True)\n"),
        ("e = create_engine(URL, poolclass=NullPool)\n", "e = create_engine(URL, poolclass=NullPool)\n"),
        ("e = create_engine(URL, **given)\n", "e = create_engine(URL, **given)\n"),
    ],
    ids=["plain", "comma", "empty", "told", "open"],
)
def test_only_engines_that_say_nothing_of_their_pool_are_told(before: str, after: str) -> None:
    """The formatter puts the spaces right."""
    assert pinging(before) == after
