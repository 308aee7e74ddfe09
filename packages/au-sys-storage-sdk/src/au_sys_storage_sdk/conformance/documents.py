"""What any document backend must do. Subclass the suite and define the fixture ``storage``."""

from __future__ import annotations

import pytest

from au_sys_storage_sdk.conformance.given import Ticking
from au_sys_storage_sdk.conformance.reading import ReadingConformance
from au_sys_storage_sdk.conformance.together import TogetherConformance
from au_sys_storage_sdk.conformance.writing import WritingConformance


class DocumentStoreConformance(WritingConformance, ReadingConformance, TogetherConformance):
    """The tests. ``storage`` is empty and runs on ``clock``."""

    @pytest.fixture
    def clock(self) -> Ticking:
        """The clock that the backend runs on."""
        return Ticking()
