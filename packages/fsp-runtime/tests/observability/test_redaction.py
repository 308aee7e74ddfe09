"""Secrets are masked by the name of a field and by the shape of a value."""

import pytest

from fastapi_services_platform.observability.redaction import MARK, is_secret_key, redact_bytes, redact_fields


@pytest.mark.parametrize(
    "key", ["password", "new_password", "Authorization", "set-cookie", "api_key", "secret_key", "totp", "csrf_token"]
)
def test_names_of_secrets_are_known(key: str) -> None:
    """A field whose name tells of a secret is recognised whatever its case and its prefix."""
    assert is_secret_key(key)


@pytest.mark.parametrize("key", ["path", "route", "event", "principal", "shopping", "author", "option"])
def test_harmless_names_are_left_alone(key: str) -> None:
    """A field that only resembles a secret's name stays readable."""
    assert not is_secret_key(key)


def test_nested_secrets_are_masked() -> None:
    """A secret inside lists and dictionaries is masked, its neighbours are not."""
    given = {"body": {"items": [{"password": "hunter2", "name": "Ada"}]}, "n": 1}
    assert redact_fields(given) == {"body": {"items": [{"password": MARK, "name": "Ada"}]}, "n": 1}


def test_nothing_to_mask_costs_no_copy() -> None:
    """Fields without a secret are handed on as they are."""
    given: dict[str, object] = {"route": "/", "status": 200}
    assert redact_fields(given) is given


def test_flags_with_a_secrets_name_stay() -> None:
    """Whether there is a password is no secret."""
    assert redact_fields({"password": True, "token": None}) == {"password": True, "token": None}


@pytest.mark.parametrize(
    ("line", "secret"),
    [
        (b'{"note":"Bearer abcdefgh12345678"}', b"abcdefgh12345678"),
        (b'{"jwt":"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"}', b"c2lnbmF0dXJl"),
        (b'{"url":"postgresql://fsp:hunter2@db/fsp"}', b"hunter2"),
        (b'{"query":"a=1&token=s3cr3t-value&b=2"}', b"s3cr3t-value"),
        (b'{"hash":"$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA"}', b"aGFzaA"),
        (b"[parameters: ('hunter2', 1)]", b"hunter2"),
        (b'{"pem":"-----BEGIN PRIVATE KEY-----\\nMIIEv\\n-----END PRIVATE KEY-----"}', b"MIIEv"),
    ],
)
def test_values_that_look_like_secrets_are_masked(line: bytes, secret: bytes) -> None:
    """A secret in the middle of a text is masked by its shape."""
    masked = redact_bytes(line)
    assert (secret in masked, MARK.encode() in masked) == (False, True)
