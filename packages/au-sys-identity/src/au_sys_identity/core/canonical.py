"""One spelling for every JSON value (RFC 8785), so that what is hashed or signed has one hash."""

import json
from collections.abc import Sequence
from typing import Any


class NotCanonical(ValueError):
    """The value has no canonical form: a number beyond 2^53, half a surrogate pair, a key that comes twice."""


def canonical(value: object) -> bytes:
    """The canonical JSON of a value.

    Raises:
        NotCanonical: it has none.
    """
    import rfc8785  # needed by few requests, and by no start

    try:
        return rfc8785.dumps(value)  # type: ignore[arg-type]  # what is no JSON is refused by it
    except (rfc8785.CanonicalizationError, UnicodeError, RecursionError) as error:
        raise NotCanonical(str(error)) from None


def canonical_text(text: bytes) -> bytes:
    """The canonical form of a JSON text.

    Raises:
        NotCanonical: it is no JSON, holds a key twice, or has no canonical form.
    """
    try:
        return canonical(json.loads(text, object_pairs_hook=_once))
    except (ValueError, RecursionError) as error:
        raise NotCanonical(str(error)) from None


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:  # Any: JSON
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotCanonical("a key comes twice")
    return found
