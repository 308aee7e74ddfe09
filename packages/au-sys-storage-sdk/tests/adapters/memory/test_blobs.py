"""Memory blobs against the conformance suite."""

import pytest

from au_sys_storage_sdk import Blobs, open_blobs
from au_sys_storage_sdk.conformance.blobs import BlobStoreConformance


class TestMemoryBlobs(BlobStoreConformance):
    """The reference model."""

    @pytest.fixture
    def blobs(self) -> Blobs:
        """An empty store."""
        return open_blobs("memory:")
