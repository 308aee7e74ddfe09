"""Names for identifiers, so that one kind is never passed for another."""

from typing import NewType
from uuid import UUID

ToolId = NewType("ToolId", UUID)
VersionId = NewType("VersionId", UUID)
RunId = NewType("RunId", UUID)
WorkerId = NewType("WorkerId", str)
