"""Public keys as authenticators write them (COSE, RFC 9053), and signatures that they check."""

from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256

_KIND, _ALGORITHM = 1, 3
_EC2, _OKP, _RSA = 2, 1, 3
_ES256, _EDDSA, _RS256 = -7, -8, -257
_WIDTHS = {24: 1, 25: 2, 26: 4, 27: 8}


class BadKey(ValueError):
    """The key is of no kind that passkeys of this platform have."""


def signature_fits(cose_key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether a signature over a message was made with the other half of a key.

    Raises:
        BadKey: it is none.
    """
    key = _map(cose_key)
    try:
        return _fits((key[_KIND], key[_ALGORITHM]), key, signature, message)
    except (KeyError, TypeError, ValueError) as error:
        raise BadKey(f"{type(error).__name__}") from None


def _fits(
    kind: tuple[object, object],
    key: dict[int, Any],  # Any: integers and byte strings
    signature: bytes,
    message: bytes,
) -> bool:
    try:
        if kind == (_EC2, _ES256):
            point = b"\x04" + key[-2] + key[-3]
            public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
            public.verify(signature, message, ec.ECDSA(SHA256()))
        elif kind == (_OKP, _EDDSA):
            Ed25519PublicKey.from_public_bytes(key[-2]).verify(signature, message)
        elif kind == (_RSA, _RS256):
            numbers = rsa.RSAPublicNumbers(int.from_bytes(key[-2], "big"), int.from_bytes(key[-1], "big"))
            numbers.public_key().verify(signature, message, padding.PKCS1v15(), SHA256())
        else:
            raise BadKey("kind of key")
    except InvalidSignature:
        return False
    return True


def _map(data: bytes) -> dict[int, Any]:  # Any: integers and byte strings
    """The one CBOR map of small integers to integers and byte strings that such a key is."""
    reader = _Reader(data)
    major, count = reader.head()
    if major != 5 or count > 16:
        raise BadKey("no map")
    found: dict[int, Any] = {}  # Any: as above
    for _ in range(count):
        name = reader.integer()
        found[name] = reader.value()
    if not reader.ended:
        raise BadKey("more than a map")
    return found


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def ended(self) -> bool:
        return self._at == len(self._data)

    def head(self) -> tuple[int, int]:
        first = self._take(1)[0]
        major, low = first >> 5, first & 0x1F
        if low < 24:
            return major, low
        width = _WIDTHS.get(low)
        if width is None:
            raise BadKey("length")
        return major, int.from_bytes(self._take(width), "big")

    def integer(self) -> int:
        found = self.value()
        if not isinstance(found, int):
            raise BadKey("name")
        return found

    def value(self) -> int | bytes:
        major, number = self.head()
        if major == 0:
            return number
        if major == 1:
            return -1 - number
        if major == 2:
            return self._take(number)
        raise BadKey("value")

    def _take(self, count: int) -> bytes:
        found = self._data[self._at : self._at + count]
        if len(found) != count:
            raise BadKey("cut off")
        self._at += count
        return found
