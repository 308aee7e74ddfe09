"""The stores in memory keep to what any store does."""

import pytest

from ...conformance.stores import StoreConformance  # noqa: TID252 - tests have no absolute name


@pytest.mark.parametrize("work", ["memory"], indirect=True)
class TestStores(StoreConformance):
    """In dictionaries."""
