"""Memory stores against the conformance suites."""

import pytest

from au_sys_identity.adapters.memory.unit_of_work import MemoryTransactions
from au_sys_identity.conformance.stores import StoreConformance


class TestMemory(StoreConformance):
    """Plain dicts."""

    @pytest.fixture
    def transactions(self) -> MemoryTransactions:
        return MemoryTransactions()
