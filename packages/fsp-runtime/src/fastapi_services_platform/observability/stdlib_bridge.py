"""Records of libraries that log with the standard library become events of the platform."""

import logging

from fastapi_services_platform.observability import logger_factory

_LEAST = {
    "sqlalchemy": logging.WARNING,  # its INFO prints statements with their parameters
    "aiosqlite": logging.WARNING,
    "alembic": logging.WARNING,
    "asyncio": logging.WARNING,
    "httpcore": logging.WARNING,
    "httpx": logging.WARNING,
    "python_multipart": logging.WARNING,
    "watchfiles": logging.WARNING,
}
_REPLACED = ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi")


class Bridge(logging.Handler):
    """Hands each record to the platform's writer; the record's own level stands."""

    def emit(self, record: logging.LogRecord) -> None:
        """Turn one record into an event; a message that cannot be formatted is shown as it is."""
        try:
            message = record.getMessage()
        except Exception:
            message = str(record.msg)
        error = record.exc_info[1] if record.exc_info else None
        line = logger_factory.encode_event(record.name, _level(record.levelno), message, {})
        logger_factory.Channel(record.name, logging.DEBUG).submit(line, error)


def _level(number: int) -> str:
    return next((name for name, least in reversed(logger_factory.LEVELS.items()) if number >= least), "debug")


def install(level: int) -> None:
    """Route the root logger through the bridge, once; uvicorn's own handlers are taken off, its access log is ours."""
    root = logging.getLogger()
    if not any(isinstance(handler, Bridge) for handler in root.handlers):
        root.addHandler(Bridge())
    root.setLevel(level)
    for name, least in _LEAST.items():
        logging.getLogger(name).setLevel(max(least, level))
    for name in _REPLACED:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = name != "uvicorn.access"
