"""The part of BER (X.690) that LDAP uses: definite lengths, one-byte tags (RFC 4511 §5.1)."""

from collections.abc import Iterator

BOOLEAN, INTEGER, OCTETS, ENUMERATED, SEQUENCE, SET = 0x01, 0x02, 0x04, 0x0A, 0x30, 0x31


class Malformed(ValueError):
    """What a server sent is no LDAP."""


def tlv(tag: int, *parts: bytes) -> bytes:
    """Tag, length and the parts one after the other."""
    body = b"".join(parts)
    size = len(body)
    if size < 0x80:
        return bytes((tag, size)) + body
    digits = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(digits))) + digits + body


def integer(value: int, tag: int = INTEGER) -> bytes:
    """A whole number that is not negative."""
    return tlv(tag, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def octets(value: bytes | str, tag: int = OCTETS) -> bytes:
    """A string of bytes, or of characters in UTF-8."""
    return tlv(tag, value.encode() if isinstance(value, str) else value)


def boolean(value: bool, tag: int = BOOLEAN) -> bytes:
    """True or false."""
    return tlv(tag, b"\xff" if value else b"\x00")


def size_of(data: bytes | bytearray, most: int) -> int | None:
    """How many bytes the element at the start has with its head, or ``None`` when its head is not complete.

    Raises:
        Malformed: it is longer than ``most``, or of indefinite length.
    """
    if len(data) < 2:
        return None
    first, head = data[1], 2
    length = first
    if first & 0x80:
        count = first & 0x7F
        if not 1 <= count <= 4:
            raise Malformed("length")
        head += count
        if len(data) < head:
            return None
        length = int.from_bytes(data[2:head], "big")
    if length > most:
        raise Malformed("too long")
    return head + length


def elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and content of one element after the other.

    Raises:
        Malformed: the last one is cut.
    """
    while data:
        size = size_of(data, len(data))
        if size is None or size > len(data):
            raise Malformed("cut")
        head = 2 + (data[1] & 0x7F if data[1] & 0x80 else 0)
        yield data[0], data[head:size]
        data = data[size:]


def number(content: bytes) -> int:
    """The value of an integer."""
    return int.from_bytes(content, "big", signed=True)
