"""RFC 6238, and codes that people type."""

from datetime import UTC, datetime

import pytest

from au_sys_identity.core.factors.checking import plain_code
from au_sys_identity.core.factors.totp import code_at, matching_step, provisioning_uri, step_of

SECRET = b"12345678901234567890"


@pytest.mark.parametrize(
    ("moment", "code"),
    [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (2000000000, "279037"), (20000000000, "353130")],
)
def test_the_vectors_of_the_standard(moment: int, code: str) -> None:
    """RFC 6238 appendix B, the last six digits of the SHA-1 rows."""
    assert code_at(SECRET, moment // 30) == code


def test_one_step_either_way() -> None:
    """The neighbours fit, the next ones do not, and nothing that is no code."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    step = step_of(now)
    assert [matching_step(SECRET, code_at(SECRET, step + shift), now) for shift in (-2, -1, 0, 1, 2)] == [
        None, step - 1, step, step + 1, None,
    ]  # fmt: skip
    assert matching_step(SECRET, "", now) is None
    assert matching_step(SECRET, "é" * 6, now) is None


def test_codes_are_taken_as_people_type_them() -> None:
    """Spaces and dashes do not matter."""
    assert plain_code(" 123 456 ") == "123456"
    assert plain_code("ABCDE-fghij-KLMNO") == "abcdefghijklmno"


def test_the_address_in_the_qr_code() -> None:
    """Issuer and account are escaped; the secret is base32 without padding."""
    uri = provisioning_uri(SECRET, "ann@example.org", "Our & Their Platform")
    assert uri == (
        "otpauth://totp/Our%20%26%20Their%20Platform:ann@example.org"
        "?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Our%20%26%20Their%20Platform"
    )
