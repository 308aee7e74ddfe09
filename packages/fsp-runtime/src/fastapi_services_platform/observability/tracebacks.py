"""The text of an exception as a log event shows it, rendered and cleaned of secrets once for the same failure.

Something that fails twenty times a second fails in the same place: reading its source lines and searching the text for
secrets each time would take the interpreter away from every other request.
"""

import traceback
from collections import OrderedDict

import orjson

from fastapi_services_platform.observability.redaction import redact_bytes

_REMEMBERED = 256
_LONGEST_CHAIN = 16

Signature = tuple[object, ...]


class Tracebacks:
    """Used by one thread. An exception is the same as another when their types, messages, frames and causes are."""

    def __init__(self) -> None:
        self._known: OrderedDict[Signature, bytes] = OrderedDict()
        self.rendered = 0

    def of(self, error: BaseException) -> bytes:
        """The traceback as a JSON string, without what looks like a secret."""
        signature = _signature(error)
        if signature is None:
            return self._render(error)
        found = self._known.get(signature)
        if found is None:
            found = self._known[signature] = self._render(error)
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        else:
            self._known.move_to_end(signature)
        return found

    def _render(self, error: BaseException) -> bytes:
        self.rendered += 1
        text = "".join(traceback.format_exception(error))
        return redact_bytes(orjson.dumps(text.encode("utf-8", "backslashreplace").decode()))


def _signature(error: BaseException) -> Signature | None:
    """What the text is made of; ``None`` for what is rendered anew: groups, syntax errors, messages that cannot be
    made, and long chains.
    """
    parts: list[object] = []
    current: BaseException | None = error
    for _ in range(_LONGEST_CHAIN):
        if current is None:
            return tuple(parts)
        if isinstance(current, BaseExceptionGroup | SyntaxError):
            return None
        try:
            message = str(current)
        except Exception:  # whatever a broken __str__ raises: the traceback says so in its place
            return None
        parts += (type(current), message, *getattr(current, "__notes__", ()), current.__suppress_context__)
        frame = current.__traceback__
        while frame is not None:
            parts += (frame.tb_frame.f_code, frame.tb_lasti)
            frame = frame.tb_next
        parts.append(current.__cause__ is not None)
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return None
