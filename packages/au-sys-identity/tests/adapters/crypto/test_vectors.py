"""Published vectors: WebAuthn Level 3 (section 16, "none.ES256" of example.org), RFC 9106, 7515, 7638 and 8037."""

import base64
import json

import pytest
from argon2.low_level import Type, core, ffi
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey
from webauthn import verify_authentication_response, verify_registration_response

from au_sys_identity.adapters.crypto.webauthn_ceremony import WebauthnCeremony
from au_sys_identity.core.factors.ports import BadPasskey

CEREMONY = WebauthnCeremony("example.org", "Example", "https://example.org")
CREDENTIAL = "f91f391db4c9b2fde0ea70189cba3fb63f579ba6122b33ad94ff3ec330084be4"
CREATED = {
    "challenge": "00c30fb78531c464d2b6771dab8d7b603c01162f2fa486bea70f283ae556e130",
    "clientDataJSON": (
        "7b2274797065223a22776562617574686e2e637265617465222c226368616c6c656e6765223a22414d4d507434557878475453746e63"
        "647134313759447742466938767049612d7077386f4f755657345441222c226f726967696e223a2268747470733a2f2f6578616d706c"
        "652e6f7267222c2263726f73734f726967696e223a66616c73652c22657874726144617461223a22636c69656e74446174614a534f4e"
        "206d617920626520657874656e6465642077697468206164646974696f6e616c206669656c647320696e20746865206675747572652c"
        "207375636820617320746869733a20426b5165446a646354427258426941774a544c453551227d"
    ),
    "attestationObject": (
        "a363666d74646e6f6e656761747453746d74a068617574684461746158a4bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592"
        "a5e0f01452b2e4b559000000008446ccb9ab1db374750b2367ff6f3a1f0020f91f391db4c9b2fde0ea70189cba3fb63f579ba6122b33"
        "ad94ff3ec330084be4a5010203262001215820afefa16f97ca9b2d23eb86ccb64098d20db90856062eb249c33a9b672f26df61225820"
        "930a56b87a2fca66334b03458abf879717c12cc68ed73290af2e2664796b9220"
    ),
}
ASSERTED = {
    "challenge": "39c0e7521417ba54d43e8dc95174f423dee9bf3cd804ff6d65c857c9abf4d408",
    "clientDataJSON": (
        "7b2274797065223a22776562617574686e2e676574222c226368616c6c656e6765223a224f63446e55685158756c5455506f334a5558"
        "543049393770767a7a59425039745a63685879617630314167222c226f726967696e223a2268747470733a2f2f6578616d706c652e6f"
        "7267222c2263726f73734f726967696e223a66616c73657d"
    ),
    "authenticatorData": "bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b51900000000",
    "signature": (
        "3046022100f50a4e2e4409249c4a853ba361282f09841df4dd4547a13a87780218deffcd380221008480ac0f0b93538174f575bf11a1"
        "dd5d78c6e486013f937295ea13653e331e87"
    ),
}


def b64(text: str) -> str:
    """Hex as base64url."""
    return base64.urlsafe_b64encode(bytes.fromhex(text)).rstrip(b"=").decode()


def answer(fields: dict[str, str]) -> str:
    """What a browser would send."""
    response = {name: b64(value) for name, value in fields.items() if name != "challenge"}
    name = b64(CREDENTIAL)
    return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": response})


def test_the_vectors_are_read_and_their_signature_fits() -> None:
    """Challenge and credential come out as published, and the public key of the one verifies the other."""
    for fields in (CREATED, ASSERTED):
        shown = CEREMONY.presented(answer(fields))
        assert (shown.challenge.hex(), shown.credential_id.hex()) == (fields["challenge"], CREDENTIAL)
    made = verify_registration_response(
        credential=answer(CREATED),
        expected_challenge=bytes.fromhex(CREATED["challenge"]),
        expected_rp_id="example.org",
        expected_origin="https://example.org",
    )
    assert (made.credential_id.hex(), made.credential_backed_up) == (CREDENTIAL, True)
    used = verify_authentication_response(
        credential=answer(ASSERTED),
        expected_challenge=bytes.fromhex(ASSERTED["challenge"]),
        expected_rp_id="example.org",
        expected_origin="https://example.org",
        credential_public_key=made.credential_public_key,
        credential_current_sign_count=0,
    )
    assert used.user_verified is False


def test_the_vectors_are_refused_for_want_of_user_verification() -> None:
    """Their authenticator did not verify its user, which we always ask for."""
    with pytest.raises(BadPasskey) as created:
        CEREMONY.attested(answer(CREATED), challenge=bytes.fromhex(CREATED["challenge"]))
    assert "not verified" in str(created.value.__cause__)
    made = verify_registration_response(
        credential=answer(CREATED),
        expected_challenge=bytes.fromhex(CREATED["challenge"]),
        expected_rp_id="example.org",
        expected_origin="https://example.org",
    )
    with pytest.raises(BadPasskey) as asserted:
        CEREMONY.asserted(
            answer(ASSERTED), challenge=bytes.fromhex(ASSERTED["challenge"]), public_key=made.credential_public_key
        )
    assert "not verified" in str(asserted.value.__cause__)


def test_argon2id_is_that_of_the_standard() -> None:
    """RFC 9106 §5.3, with a secret and associated data."""
    out, password, salt = (
        ffi.new("uint8_t[]", 32),
        ffi.new("uint8_t[]", b"\x01" * 32),
        ffi.new("uint8_t[]", b"\x02" * 16),
    )
    secret, more = ffi.new("uint8_t[]", b"\x03" * 8), ffi.new("uint8_t[]", b"\x04" * 12)
    context = {"out": out, "outlen": 32, "pwd": password, "pwdlen": 32, "salt": salt, "saltlen": 16}
    context |= {"secret": secret, "secretlen": 8, "ad": more, "adlen": 12, "t_cost": 3, "m_cost": 32, "lanes": 4}
    context |= {
        "threads": 4,
        "version": 0x13,
        "allocate_cbk": ffi.NULL,
        "free_cbk": ffi.NULL,
        "flags": 0,
    }
    assert core(ffi.new("argon2_context *", context), Type.ID.value) == 0
    assert bytes(ffi.buffer(out, 32)).hex() == "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")  # the example of RFC 8037 bears the older name
def test_signatures_are_those_of_the_standards() -> None:
    """ES256 of RFC 7515 A.3 and EdDSA of RFC 8037 A.4 verify, and not with a changed byte; RFC 8037 A.3 is the name of
    its key by RFC 7638.
    """
    p256 = ECKey.import_key({"kty": "EC", "crv": "P-256", "x": _X, "y": _Y})
    ed25519 = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})
    assert ed25519.thumbprint() == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    for token, key, algorithm in ((_ES256, p256, "ES256"), (_EDDSA, ed25519, "EdDSA")):
        assert jws.deserialize_compact(token, key, algorithms=[algorithm]).payload
        with pytest.raises(JoseError):
            jws.deserialize_compact(token.replace(".", ".A", 1), key, algorithms=[algorithm])


_X, _Y = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
_ES256 = (
    "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
    ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
)
_EDDSA = (
    "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
    ".hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
)
