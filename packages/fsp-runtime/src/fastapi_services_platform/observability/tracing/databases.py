"""Spans of database statements: two listeners on every engine of the process, there only while something is traced."""

from collections.abc import Callable
from time import time_ns
from typing import Any  # Any: SQLAlchemy's listeners are untyped

from fastapi_services_platform.observability.tracing.spans import Attribute, Span, Tracing, current_trace

_TEXT_CHARACTERS = 2000


def watch_databases(tracing: Tracing) -> Callable[[], None]:
    """Record the statements of traced work, with their text and without their parameters; gives what ends it."""
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    def before(_connection: Any, _cursor: Any, _text: str, _parameters: Any, context: Any, _many: bool) -> None:
        trace = current_trace()
        if trace is not None and trace.sampled:
            context.fsp_step = trace.child()

    def after(connection: Any, _cursor: Any, text: str, _parameters: Any, context: Any, _many: bool) -> None:
        _record(tracing, connection.engine, text, context, "")

    def failed(context: Any) -> None:
        execution = context.execution_context
        if execution is not None and context.engine is not None:
            _record(
                tracing, context.engine, context.statement or "", execution, type(context.original_exception).__name__
            )

    listeners = (("before_cursor_execute", before), ("after_cursor_execute", after), ("handle_error", failed))
    for name, listener in listeners:
        event.listen(Engine, name, listener)

    def end() -> None:
        for name, listener in listeners:
            event.remove(Engine, name, listener)

    return end


def _record(tracing: Tracing, engine: Any, text: str, context: Any, error: str) -> None:
    step = getattr(context, "fsp_step", None)
    if step is None:
        return
    verb = text.lstrip().partition(" ")[0].upper()[:20]
    attributes: dict[str, Attribute] = {
        "db.system.name": str(engine.dialect.name),
        "db.namespace": str(engine.url.database or "").rpartition("/")[2],
        "db.operation.name": verb,
        "db.query.text": text[:_TEXT_CHARACTERS],
    }
    tracing.recorder.record(Span(verb or "SQL", "client", step, time_ns(), attributes, error))
