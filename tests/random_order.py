"""``pytest -p tests.random_order``: files in another order, and the tests of each file too; ``FSP_TEST_SEED`` names it.

A file stays together, so that what it starts once is started once.
"""

import os
import random
from itertools import groupby

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Called by pytest; the same seed gives the same order in every process."""
    order = random.Random(os.environ.get("FSP_TEST_SEED", "1"))
    files = [list(found) for _, found in groupby(items, key=lambda item: item.path)]
    order.shuffle(files)
    for found in files:
        order.shuffle(found)
    items[:] = [item for found in files for item in found]


def pytest_report_header() -> str:
    """So that a failure can be had again."""
    return f"random order: FSP_TEST_SEED={os.environ.get('FSP_TEST_SEED', '1')}"
