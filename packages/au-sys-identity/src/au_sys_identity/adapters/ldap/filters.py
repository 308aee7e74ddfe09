"""Search filters (RFC 4515) in the form in which they travel.

What people type is never part of a filter's text: :func:`equality` takes it as a value, so it cannot be read as more.
"""

import re

from au_sys_identity.adapters.ldap.ber import boolean, octets, tlv

_DEEPEST = 16
_LONGEST = 2000
_ATTRIBUTE = re.compile(r"[A-Za-z][A-Za-z0-9-]*(;[A-Za-z0-9-]+)*|[0-9]+(\.[0-9]+)+")
_ITEM = re.compile(
    r"(?P<name>[^=~<>:()*\\]*)(?P<rule>(?::dn)?(?::[A-Za-z0-9.-]+)?:)?(?P<kind>[~<>]?=)(?P<value>.*)", re.DOTALL
)
_COMPARED = {"=": 0xA3, ">=": 0xA5, "<=": 0xA6, "~=": 0xA8}
_GROUPS = {"&": 0xA0, "|": 0xA1, "!": 0xA2}


class BadFilter(ValueError):
    """The text is no filter."""


def equality(attribute: str, value: str) -> bytes:
    """Entries whose attribute has exactly this value, whatever characters it holds."""
    return tlv(0xA3, octets(attribute), octets(value))


def both(first: bytes, second: bytes) -> bytes:
    """Entries that fit both."""
    return tlv(0xA0, first, second)


def parsed(text: str) -> bytes:
    """A filter in text form.

    Raises:
        BadFilter: it is none, or too long or too deep.
    """
    if len(text) > _LONGEST:
        raise BadFilter("too long")
    found, end = _group(text, 0, 0)
    if end != len(text):
        raise BadFilter(f"ends at {end}")
    return found


def _group(text: str, start: int, depth: int) -> tuple[bytes, int]:
    if depth > _DEEPEST or text[start : start + 1] != "(":
        raise BadFilter(f"at {start}")
    tag = _GROUPS.get(text[start + 1 : start + 2])
    if tag is None:
        end = text.find(")", start)
        if end < 0:
            raise BadFilter("never ends")
        return _item(text[start + 1 : end]), end + 1
    parts: list[bytes] = []
    place = start + 2
    while text[place : place + 1] == "(":
        part, place = _group(text, place, depth + 1)
        parts.append(part)
    if text[place : place + 1] != ")" or not parts or (tag == 0xA2 and len(parts) != 1):
        raise BadFilter(f"at {place}")
    return tlv(tag, *parts), place + 1


def _item(text: str) -> bytes:
    found = _ITEM.fullmatch(text)
    if found is None:
        raise BadFilter("comparison")
    name, rule, kind, value = found["name"], found["rule"], found["kind"], found["value"]
    if rule:
        return _extensible(name, rule, kind, value)
    if not _ATTRIBUTE.fullmatch(name):
        raise BadFilter("attribute")
    if kind == "=" and value == "*":
        return octets(name, 0x87)
    if kind == "=" and "*" in value:
        return _substrings(name, value.split("*"))
    return tlv(_COMPARED[kind], octets(name), octets(_unescaped(value)))


def _substrings(name: str, pieces: list[str]) -> bytes:
    parts = [octets(_unescaped(pieces[0]), 0x80)] if pieces[0] else []
    parts += [octets(_unescaped(piece), 0x81) for piece in pieces[1:-1] if piece]
    parts += [octets(_unescaped(pieces[-1]), 0x82)] if pieces[-1] else []
    if not parts:
        raise BadFilter("substrings")
    return tlv(0xA4, octets(name), tlv(0x30, *parts))


def _extensible(name: str, rule: str, kind: str, value: str) -> bytes:
    """``attribute:dn:rule:=value``, as Active Directory asks for bits."""
    dn, bare = rule.startswith(":dn:"), rule.removeprefix(":dn").strip(":")
    if kind != "=" or (name and not _ATTRIBUTE.fullmatch(name)) or not (name or bare):
        raise BadFilter("extensible")
    parts = [octets(bare, 0x81)] if bare else []
    parts += [octets(name, 0x82)] if name else []
    return tlv(0xA9, *parts, octets(_unescaped(value), 0x83), *([boolean(True, 0x84)] if dn else []))


def _unescaped(text: str) -> bytes:
    raw = bytearray()
    place = 0
    while place < len(text):
        character = text[place]
        if character == "\\":
            try:
                raw.append(int(text[place + 1 : place + 3].ljust(2, "x"), 16))
            except ValueError:
                raise BadFilter("escape") from None
            place += 3
            continue
        if character in "(*\0":
            raise BadFilter("value")
        raw += character.encode()
        place += 1
    return bytes(raw)
