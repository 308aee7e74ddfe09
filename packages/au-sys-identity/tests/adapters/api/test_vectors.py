"""The published example of RFC 9440, appendix A: what a proxy sends for its client's certificate."""

from datetime import UTC, datetime
from hashlib import sha256

from starlette.requests import HTTPConnection

from au_sys_identity.adapters.api.door.certificates import CertificateReader, fingerprint

_LINES = (
    "MIIBqDCCAU6gAwIBAgIBBzAKBggqhkjOPQQDAjA6MRswGQYDVQQKDBJMZXQncyBB",
    "dXRoZW50aWNhdGUxGzAZBgNVBAMMEkxBIEludGVybWVkaWF0ZSBDQTAeFw0yMDAx",
    "MTQyMjU1MzNaFw0yMTAxMjMyMjU1MzNaMA0xCzAJBgNVBAMMAkJDMFkwEwYHKoZI",
    "zj0CAQYIKoZIzj0DAQcDQgAE8YnXXfaUgmnMtOXU/IncWalRhebrXmckC8vdgJ1p",
    "5Be5F/3YC8OthxM4+k1M6aEAEFcGzkJiNy6J84y7uzo9M6NyMHAwCQYDVR0TBAIw",
    "ADAfBgNVHSMEGDAWgBRm3WjLa38lbEYCuiCPct0ZaSED2DAOBgNVHQ8BAf8EBAMC",
    "BsAwEwYDVR0lBAwwCgYIKwYBBQUHAwIwHQYDVR0RAQH/BBMwEYEPYmRjQGV4YW1w",
    "bGUuY29tMAoGCCqGSM49BAMCA0gAMEUCIBHda/r1vaL6G3VliL4/Di6YK0Q6bMje",
    "SkC3dFCOOB8TAiEAx/kHSB4urmiZ0NX5r5XarmPk0wmuydBVoU4hBVZ1yhk=",
)
_PEM = "\n".join(("-----BEGIN CERTIFICATE-----", *_LINES, "-----END CERTIFICATE-----"))
_READER = CertificateReader(["127.0.0.1/32"])


def _from_proxy(*values: str) -> HTTPConnection:
    headers = [(b"client-cert", value.encode()) for value in values]
    return HTTPConnection({"type": "http", "headers": headers, "client": ("127.0.0.1", 40000)})


def test_rfc_9440_client_cert() -> None:
    """The header of the example is the certificate of the example, with its fingerprint and its times."""
    connection = _from_proxy(f":{''.join(_LINES)}:")
    found = _READER.read(connection)
    assert _READER.trusts(connection)
    assert found is not None
    assert found.fingerprint == fingerprint(_PEM) != ""
    assert (found.not_before, found.not_after) == (
        datetime(2020, 1, 14, 22, 55, 33, tzinfo=UTC),
        datetime(2021, 1, 23, 22, 55, 33, tzinfo=UTC),
    )
    assert len(found.fingerprint) == sha256().digest_size * 2


def test_rfc_9440_takes_one_byte_sequence() -> None:
    """Section 2.2: twice, as PEM, without colons, or with a byte more or less, it is no certificate."""
    whole = "".join(_LINES)
    for values in ([f":{whole}:"] * 2, [_PEM.replace("\n", " ")], [whole], [f":{whole[:-8]}:"], [f":{whole}", "x:"]):
        assert _READER.read(_from_proxy(*values)) is None
