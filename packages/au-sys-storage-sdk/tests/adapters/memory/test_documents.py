"""Memory documents against the conformance suite."""

from collections.abc import AsyncIterator

import pytest

from au_sys_storage_sdk import Storage
from au_sys_storage_sdk.adapters.memory.documents import MemoryDocuments
from au_sys_storage_sdk.conformance.documents import DocumentStoreConformance
from au_sys_storage_sdk.conformance.given import Ticking


class TestMemoryDocuments(DocumentStoreConformance):
    """The reference model."""

    @pytest.fixture
    async def storage(self, clock: Ticking) -> AsyncIterator[Storage]:
        """An empty store."""
        async with Storage(MemoryDocuments(clock=clock)) as opened:
            yield opened
