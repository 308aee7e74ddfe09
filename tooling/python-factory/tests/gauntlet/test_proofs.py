"""What rows prove themselves with: codes, a passkey and letters."""

from __future__ import annotations

import base64
import hashlib
import json
from email.message import EmailMessage
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from au_sys_python_factory.gauntlet.proofs import Letters, Passkey, code
from au_sys_python_factory.gauntlet.variables import Unknown, Variables

ORIGIN = "http://127.0.0.1:8001"


@pytest.mark.parametrize(("moment", "expected"), [(59, "287082"), (1111111109, "081804"), (20000000000, "353130")])
def test_codes_are_those_of_the_standard(moment: int, expected: str) -> None:
    """The vectors of RFC 6238 for SHA-1, six digits."""
    secret = base64.b32encode(b"12345678901234567890").decode()
    assert code(secret, moment=moment) == expected
    assert code(secret, moment=moment - 30, later=1) == expected


def test_a_passkey_signs_what_it_is_asked() -> None:
    """The signature over authenticator data and client data fits the key that was registered."""
    variables = Variables({"it.made": json.dumps({"challenge": "eA", "rp": {"id": "127.0.0.1"}, "user": {"id": "dQ"}})})
    variables.passkey = Passkey(ORIGIN)
    made = variables.fill({"attestation": "${attestation:made}"}, "it")["attestation"]
    variables.save("it", "asked", {"challenge": "eQ", "rpId": "127.0.0.1"})
    answer = variables.fill("${assertion:asked}", "it")
    assert (answer["id"], answer["response"]["userHandle"]) == (made["id"], "dQ")
    data, client, signature = (
        base64.urlsafe_b64decode(answer["response"][name] + "==")
        for name in ("authenticatorData", "clientDataJSON", "signature")
    )
    assert json.loads(client) == {"type": "webauthn.get", "challenge": "eQ", "origin": ORIGIN, "crossOrigin": False}
    attested = base64.urlsafe_b64decode(made["response"]["attestationObject"] + "==")
    x, y = (
        attested[(at := attested.rindex(mark) + len(mark)) : at + 32] for mark in (b"\x21\x58\x20", b"\x22\x58\x20")
    )
    numbers = ec.EllipticCurvePublicNumbers(int.from_bytes(x, "big"), int.from_bytes(y, "big"), ec.SECP256R1())
    numbers.public_key().verify(signature, data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))


def test_the_newest_letter_with_a_link_is_read(tmp_path: Path) -> None:
    """By address and page; a token that was used before is passed over, and none is no error."""
    for number, (to, text) in enumerate(
        [
            ("ann@example.org", "go to https://x/verify#token=first"),
            ("ann@example.org", "go to https://x/reset-password#token=other"),
            ("bob@example.org", "go to https://x/verify#token=foreign"),
        ]
    ):
        letter = EmailMessage()
        letter["To"] = to
        letter.set_content(text)
        (tmp_path / f"{number}.eml").write_bytes(bytes(letter))
    letters = Letters(tmp_path)
    assert letters.token("ann@example.org", "/verify") == "first"
    assert letters.token("ann@example.org", "/verify", used=frozenset({"first"})) is None
    assert letters.token("eve@example.org", "/verify") is None


def test_a_proof_of_what_nobody_saved_is_named() -> None:
    """As every other variable; the row is skipped."""
    with pytest.raises(Unknown, match="secret"):
        Variables().fill("${code:secret}", "it")
