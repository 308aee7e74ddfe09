"""LDAP messages (RFC 4511 §4) that a client needs: bind, search with pages (RFC 2696), StartTLS, unbind."""

from dataclasses import dataclass, field

from au_sys_identity.adapters.ldap.ber import (
    ENUMERATED,
    INTEGER,
    SEQUENCE,
    Malformed,
    boolean,
    elements,
    integer,
    number,
    octets,
    tlv,
)

BIND_ANSWER, ENTRY, DONE, REFERENCE, EXTENDED_ANSWER = 0x61, 0x64, 0x65, 0x73, 0x78
SUCCESS, SIZE_LIMIT, NO_SUCH_OBJECT, INVALID_CREDENTIALS = 0, 4, 32, 49
_START_TLS = "1.3.6.1.4.1.1466.20037"
_PAGES = "1.2.840.113556.1.4.319"
_SUBTREE = 2


@dataclass(frozen=True, slots=True)
class Raw:
    """An entry as it came: attribute names in lower case."""

    dn: str
    attributes: dict[str, list[bytes]] = field(repr=False)

    def first(self, name: str) -> str | None:
        """The first value of an attribute as text."""
        for value in self.attributes.get(name.lower(), ()):
            return value.decode("utf-8", "replace").strip() or None
        return None

    def all(self, name: str) -> list[str]:
        """Every value of an attribute as text."""
        return [value.decode("utf-8", "replace") for value in self.attributes.get(name.lower(), ())]


@dataclass(frozen=True, slots=True)
class Answer:
    """One message of the server. ``cookie`` leads to the next page."""

    id: int
    tag: int
    code: int = SUCCESS
    entry: Raw | None = None
    cookie: bytes = b""


def bind(message_id: int, name: str, password: str) -> bytes:
    """A simple bind."""
    return _message(message_id, tlv(0x60, integer(3), octets(name), octets(password, 0x80)))


def search(
    message_id: int, base: str, wanted: bytes, attributes: tuple[str, ...], *, most: int, page: tuple[int, bytes] | None
) -> bytes:
    """A search of a subtree that follows no alias; ``page`` is a size and the cookie of the page before."""
    listed = tlv(SEQUENCE, *(octets(name) for name in attributes))
    body = tlv(
        0x63,
        octets(base),
        integer(_SUBTREE, ENUMERATED),
        integer(0, ENUMERATED),
        integer(most),
        integer(0),
        boolean(False),
        wanted,
        listed,
    )
    if page is None:
        return _message(message_id, body)
    value = tlv(SEQUENCE, integer(page[0]), octets(page[1]))
    control = tlv(SEQUENCE, octets(_PAGES), boolean(True), octets(value))
    return _message(message_id, body, tlv(0xA0, control))


def start_tls(message_id: int) -> bytes:
    """The request for TLS on this connection."""
    return _message(message_id, tlv(0x77, octets(_START_TLS, 0x80)))


def unbind(message_id: int) -> bytes:
    """The goodbye."""
    return _message(message_id, tlv(0x42))


def answer(data: bytes) -> Answer:
    """Read a message of the server.

    Raises:
        Malformed: it is none.
    """
    [(outer, content)] = list(elements(data)) or [(0, b"")]
    parts = list(elements(content))
    if outer != SEQUENCE or len(parts) < 2 or parts[0][0] != INTEGER:
        raise Malformed("message")
    message_id, (tag, body) = number(parts[0][1]), parts[1]
    if tag == ENTRY:
        return Answer(message_id, tag, entry=_entry(body))
    if tag == REFERENCE:
        return Answer(message_id, tag)
    fields = list(elements(body))
    if not fields or fields[0][0] != ENUMERATED:
        raise Malformed("result")
    return Answer(message_id, tag, number(fields[0][1]), cookie=_cookie(parts[2:]))


def _message(message_id: int, body: bytes, *controls: bytes) -> bytes:
    return tlv(SEQUENCE, integer(message_id), body, *controls)


def _entry(body: bytes) -> Raw:
    parts = list(elements(body))
    if len(parts) != 2:
        raise Malformed("entry")
    attributes: dict[str, list[bytes]] = {}
    for _tag, attribute in elements(parts[1][1]):
        pair = list(elements(attribute))
        if len(pair) != 2:
            raise Malformed("attribute")
        name = pair[0][1].decode("utf-8", "replace").lower()
        attributes[name] = [value for _kind, value in elements(pair[1][1])]
    return Raw(parts[0][1].decode("utf-8", "replace"), attributes)


def _cookie(rest: list[tuple[int, bytes]]) -> bytes:
    for tag, controls in rest:
        for _kind, control in elements(controls) if tag == 0xA0 else ():
            fields = list(elements(control))
            if fields and fields[0][1] == _PAGES.encode():
                [(_sequence, value)] = list(elements(fields[-1][1])) or [(0, b"")]
                pair = list(elements(value))
                return pair[1][1] if len(pair) == 2 else b""
    return b""
