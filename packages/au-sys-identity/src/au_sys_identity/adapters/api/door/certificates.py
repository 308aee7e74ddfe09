"""Client certificates as a proxy in front hands them on: ``Client-Cert`` (RFC 9440) or ``X-Forwarded-Client-Cert``.

The headers count only when the other end of the connection is a trusted proxy; anybody else could write anything.
"""

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from urllib.parse import unquote

from starlette.requests import HTTPConnection

HEADERS = ("client-cert", "x-forwarded-client-cert")
_LONGEST = 16_384
_CERTIFICATE = re.compile(r'(?:^|;)\s*Cert=(?:"([^"]*)"|([^;,"]*))', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PresentedCertificate:
    """What a client proved to hold the key of."""

    fingerprint: str
    not_before: datetime
    not_after: datetime


class CertificateReader:
    """Reads certificates that trusted proxies hand on."""

    def __init__(self, networks: Sequence[str]) -> None:
        self._networks: tuple[IPv4Network | IPv6Network, ...] = tuple(
            ip_network(text, strict=False) for text in networks
        )

    def offered(self, connection: HTTPConnection) -> bool:
        """Whether a request carries a certificate header at all."""
        return any(name in connection.headers for name in HEADERS)

    def peer(self, connection: HTTPConnection) -> str:
        """The other end of the connection, whatever is forwarded."""
        client = connection.scope.get("fsp.peer") or connection.scope.get("client")
        return str(client[0]) if client else ""

    def trusts(self, connection: HTTPConnection) -> bool:
        """Whether the other end is a trusted proxy."""
        try:
            address = ip_address(self.peer(connection).partition("%")[0])
        except ValueError:
            return False
        return any(address.version == network.version and address in network for network in self._networks)

    def read(self, connection: HTTPConnection) -> PresentedCertificate | None:
        """The one certificate of the request; ``None`` when there is none, more than one, or it cannot be read."""
        values = [(name, value) for name in HEADERS for value in connection.headers.getlist(name)]
        if len(values) != 1 or len(values[0][1]) > _LONGEST:
            return None
        name, value = values[0]
        der = _byte_sequence(value) if name == "client-cert" else _forwarded(value)
        return described(der) if der else None


def described(der: bytes) -> PresentedCertificate | None:
    """What counts of a certificate."""
    from cryptography import x509  # a heavy import that no start needs

    try:
        certificate = x509.load_der_x509_certificate(der)
        found = PresentedCertificate(
            sha256(der).hexdigest(), certificate.not_valid_before_utc, certificate.not_valid_after_utc
        )
    except ValueError:
        return None
    return found


def fingerprint(text: str) -> str:
    """The fingerprint in a PEM text, or the text itself when it is none."""
    if "BEGIN CERTIFICATE" not in text:
        return text
    der = _from_pem(text)
    found = described(der) if der else None
    return found.fingerprint if found else ""


def _byte_sequence(value: str) -> bytes | None:
    """The bytes of a structured field item ``:base64:`` (RFC 8941)."""
    text = value.strip()
    if len(text) < 2 or not (text.startswith(":") and text.endswith(":")):
        return None
    try:
        return b64decode(text[1:-1], validate=True)
    except (Base64Error, ValueError):
        return None


def _forwarded(value: str) -> bytes | None:
    """The certificate of the one hop in Envoy's header: URL-encoded PEM in ``Cert``."""
    found = _CERTIFICATE.findall(value)
    outside = re.sub(r'"[^"]*"', "", value)
    if len(found) != 1 or "," in outside:
        return None
    quoted, plain = found[0]
    return _from_pem(unquote(quoted or plain))


def _from_pem(text: str) -> bytes | None:
    lines = [line.strip() for line in text.strip().splitlines()]
    if len(lines) < 3 or lines[0] != "-----BEGIN CERTIFICATE-----" or lines[-1] != "-----END CERTIFICATE-----":
        return None
    try:
        return b64decode("".join(lines[1:-1]), validate=True)
    except (Base64Error, ValueError):
        return None
