"""Take secrets out of log events, by the name of a field and by the shape of a value."""

import re
from collections.abc import Mapping

MARK = "[redacted]"

_SECRET_KEY = re.compile(
    r"pass(word|wd|phrase|code)|secret|token|authorization|cookie|api[_-]?key|private[_-]?key|signing[_-]?key|credential"
    r"|(^|[_-])(otp|totp|pin|jwt|csrf)($|[_-])|recovery[_-]?code|session[_-]?binding",
    re.IGNORECASE,
)
_SECRET_VALUE = re.compile(
    rb"(?P<jwt>eyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]*)"
    rb"|(?P<scheme>\b(?i:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{8,}"
    rb"|(?P<url>[a-z][a-z0-9+.-]*://[^\s:/@\"\\]*:)[^\s/@\"\\]+(?=@)"
    rb"|(?P<argument>\b(?i:password|passwd|secret|token|api_?key|csrf_token)=)[^\s&\"\\,;)]+"
    rb"|(?P<hash>\$argon2(?:id|i|d)\$[A-Za-z0-9+/=$,]+)"
    rb"|(?P<pem>-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----)"
    rb"|(?P<sql>\[parameters: )(?:[^\]\"\\]|\\.)*(?=\])"
)
_HINTS = (b"eyj", b"bearer", b"basic", b"://", b"=", b"$argon2", b"private key", b"[parameters")
"""One of these is in every text that the pattern finds; looking for them first saves nine tenths of its cost."""

_KNOWN_KEYS: dict[str, bool] = {}
_KEYS_REMEMBERED = 4096
_DEPTH = 6


def is_secret_key(key: str) -> bool:
    """Whether the name of a field says that its value is a secret."""
    known = _KNOWN_KEYS.get(key)
    if known is None:
        known = _SECRET_KEY.search(key) is not None
        if len(_KNOWN_KEYS) < _KEYS_REMEMBERED:
            _KNOWN_KEYS[key] = known
    return known


def redact_fields(fields: dict[str, object]) -> dict[str, object]:
    """The fields with every secret one masked, nested ones too; the very same object when there is nothing to mask."""
    changed: dict[str, object] = {}
    for key, value in fields.items():
        if _holds_secret(key, value):
            changed[key] = MARK
        elif isinstance(value, dict | list | tuple):
            changed[key] = _redact_nested(value, _DEPTH)
    return {**fields, **changed} if changed else fields


def redact_bytes(line: bytes) -> bytes:
    """An encoded event without values that look like secrets: tokens, credentials in URLs, hashes, private keys."""
    lowered = line.lower()
    if any(hint in lowered for hint in _HINTS):
        return _SECRET_VALUE.sub(_mask, line)
    return line


def _mask(found: re.Match[bytes]) -> bytes:
    kept = next((found.group(name) for name in ("scheme", "url", "argument", "sql") if found.group(name)), b"")
    return kept + MARK.encode()


def _holds_secret(key: str, value: object) -> bool:
    return is_secret_key(key) and value is not None and not isinstance(value, bool)


def _redact_nested(value: object, depth: int) -> object:
    if depth == 0:
        return MARK
    if isinstance(value, Mapping):
        return {
            str(key): MARK if _holds_secret(str(key), item) else _redact_nested(item, depth - 1)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_redact_nested(item, depth - 1) for item in value]
    return value
