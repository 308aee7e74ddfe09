"""Namespace and key, validated: what gets past here is safe in every backend."""

from __future__ import annotations

import re
import unicodedata

import msgspec

from au_sys_storage_sdk.core.errors import InvalidInput

RESERVED = frozenset({"switch", "discovery", "health"})
"""Namespaces that would collide with routes."""

MAX_KEY_BYTES = 1024
MAX_NAMESPACE = 128
DEFAULT_TENANT = "default"

_NAMESPACE = re.compile(r"[a-z][a-z0-9_-]*(?:\.[a-z0-9][a-z0-9_-]*)*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_TENANT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")


class Space(msgspec.Struct, frozen=True, order=True):
    """The namespace of a tenant: the scope of keys. Made by :func:`space`."""

    tenant: str
    namespace: str


def space(namespace: str, tenant: str = DEFAULT_TENANT) -> Space:
    """A validated namespace of a tenant.

    Raises:
        InvalidInput: a name breaks its rule or is reserved.
    """
    if len(namespace) > MAX_NAMESPACE or _NAMESPACE.fullmatch(namespace) is None:
        raise InvalidInput(
            "namespace",
            f"{_shown(namespace)} is not a namespace",
            f"use lower-case letters, digits, _ and - in parts joined by dots, at most {MAX_NAMESPACE} characters",
        )
    if namespace in RESERVED:
        raise InvalidInput(
            "namespace", f"{namespace!r} is reserved", f"choose a name other than {', '.join(sorted(RESERVED))}"
        )
    if _TENANT.fullmatch(tenant) is None:
        raise InvalidInput(
            "tenant", f"{_shown(tenant)} is not a tenant", "use letters, digits and . _ : -, at most 128"
        )
    return Space(tenant, namespace)


def valid_key(key: str) -> str:
    """The key itself, when it is UTF-8 in normal form C, 1 to 1,024 bytes, without control characters and surrogates.

    Raises:
        InvalidInput: it is not.
    """
    if not key:
        raise InvalidInput("key", "it is empty", "give at least one character")
    if key.isascii():
        size = len(key)
    else:
        size = _utf8_size(key)
        if not unicodedata.is_normalized("NFC", key):
            raise InvalidInput("key", f"{_shown(key)} is not in Unicode normal form C", "normalize it with NFC")
    if size > MAX_KEY_BYTES:
        raise InvalidInput("key", f"it has {size} bytes", f"keep it within {MAX_KEY_BYTES} bytes of UTF-8")
    if _CONTROL.search(key) is not None:
        raise InvalidInput("key", "it contains a control character", "leave NUL, line breaks and the like out")
    return key


def valid_prefix(prefix: str) -> str:
    """A prefix of keys, possibly empty.

    Raises:
        InvalidInput: no key can start like this.
    """
    return valid_key(prefix) if prefix else prefix


def after_prefix(prefix: str) -> str | None:
    """The first string in code-point order behind everything with the prefix; ``None`` when there is none."""
    while prefix:
        point = ord(prefix[-1])
        if point < 0x10FFFF:
            following = 0xE000 if point + 1 == 0xD800 else point + 1
            return prefix[:-1] + chr(following)
        prefix = prefix[:-1]
    return None


def bounds(prefix: str, after: str) -> tuple[str, bool, str | None]:
    """Where keys with the prefix behind ``after`` begin, whether that key itself is out, and before which they end.

    One bound on each side, so that an index can start and stop there.
    """
    if after and after >= prefix:
        return after, True, after_prefix(prefix)
    return prefix, False, after_prefix(prefix)


def _utf8_size(text: str) -> int:
    if len(text) > MAX_KEY_BYTES:
        return len(text)
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        raise InvalidInput("key", "it contains a lone surrogate", "send well-formed Unicode") from None


def _shown(text: str) -> str:
    return ascii(text if len(text) <= 60 else text[:60] + "…")
