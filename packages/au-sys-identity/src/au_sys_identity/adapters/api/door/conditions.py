"""``If-Match``: change only what is still as it was read."""

import re
from typing import Annotated

from fastapi import Header

from au_sys_identity.core.errors import InvalidInput

IfMatch = Annotated[str | None, Header(alias="If-Match", max_length=100)]


def expected_version(if_match: str | None) -> int | None:
    """The version in one of our tags; ``None`` when any will do.

    Raises:
        InvalidInput: it is not one of our tags.
    """
    if if_match is None or if_match.strip() == "*":
        return None
    tag = re.fullmatch(r'(?:W/)?"(\d{1,15})"', if_match.strip())
    if tag is None:
        raise InvalidInput("If-Match", "is not one of our tags", "Send the ETag of the last answer.")
    return int(tag.group(1))
