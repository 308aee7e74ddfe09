"""PasskeyCeremony with py_webauthn: user verification always, our origin only, never inside somebody else's frame."""

# py_webauthn is imported by the first ceremony: with its certificate formats it is a twentieth of the platform's start.
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from au_sys_identity.core.factors.models import Passkey
from au_sys_identity.core.factors.ports import Asserted, Attested, BadPasskey, Presented

if TYPE_CHECKING:
    from webauthn.helpers.cose import COSEAlgorithmIdentifier
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor

_MILLISECONDS: Final = 300_000
_LONGEST_ID: Final = 1023


@dataclass(frozen=True, slots=True)
class WebauthnCeremony:
    """One relying party: its id is the host of the platform's public address."""

    rp_id: str
    rp_name: str
    origin: str

    def creation_options(  # Any: JSON
        self, *, user_id: bytes, name: str, display_name: str, challenge: bytes, exclude: list[Passkey]
    ) -> dict[str, Any]:
        """See :class:`~au_sys_identity.core.factors.ports.PasskeyCeremony`."""
        from webauthn import generate_registration_options
        from webauthn.helpers import options_to_json_dict
        from webauthn.helpers.structs import (
            AuthenticatorSelectionCriteria,
            ResidentKeyRequirement,
            UserVerificationRequirement,
        )

        made = generate_registration_options(
            rp_id=self.rp_id,
            rp_name=self.rp_name,
            user_id=user_id,
            user_name=name,
            user_display_name=display_name,
            challenge=challenge,
            timeout=_MILLISECONDS,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.PREFERRED, user_verification=UserVerificationRequirement.REQUIRED
            ),
            exclude_credentials=[_descriptor(known.credential_id, known.transports) for known in exclude],
            supported_pub_key_algs=_algorithms(),
        )
        return options_to_json_dict(made)

    def request_options(  # Any: JSON
        self,
        *,
        challenge: bytes,
        allow: list[tuple[bytes, tuple[str, ...]]],
    ) -> dict[str, Any]:
        """See :class:`~au_sys_identity.core.factors.ports.PasskeyCeremony`."""
        from webauthn import generate_authentication_options
        from webauthn.helpers import options_to_json_dict
        from webauthn.helpers.structs import UserVerificationRequirement

        made = generate_authentication_options(
            rp_id=self.rp_id,
            challenge=challenge,
            timeout=_MILLISECONDS,
            allow_credentials=[_descriptor(credential_id, transports) for credential_id, transports in allow],
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        return options_to_json_dict(made)

    def presented(self, answer: str) -> Presented:
        """See :class:`~au_sys_identity.core.factors.ports.PasskeyCeremony`."""
        from webauthn.helpers import base64url_to_bytes

        try:
            fields = json.loads(answer)
            response = fields["response"]
            client_data = json.loads(base64url_to_bytes(response["clientDataJSON"]))
            challenge = base64url_to_bytes(client_data["challenge"])
            credential_id = base64url_to_bytes(fields["rawId"])
            handle = response.get("userHandle")
            user_handle = base64url_to_bytes(handle) if handle else None
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise BadPasskey("malformed") from None
        if client_data.get("crossOrigin") not in (None, False) or client_data.get("topOrigin") is not None:
            raise BadPasskey("made inside another site's frame")
        return Presented(challenge, credential_id, user_handle)

    def attested(self, answer: str, *, challenge: bytes) -> Attested:
        """See :class:`~au_sys_identity.core.factors.ports.PasskeyCeremony`."""
        from webauthn import verify_registration_response
        from webauthn.helpers import parse_registration_credential_json
        from webauthn.helpers.structs import CredentialDeviceType

        try:
            credential = parse_registration_credential_json(answer)
            made = verify_registration_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=self.rp_id,
                expected_origin=self.origin,
                require_user_verification=True,
                supported_pub_key_algs=_algorithms(),
            )
        except Exception as error:  # the parsers of keys, certificates and CBOR below raise many kinds
            raise BadPasskey(type(error).__name__) from error
        if len(made.credential_id) > _LONGEST_ID or made.credential_id != credential.raw_id:
            raise BadPasskey("credential id")
        known = _transports()
        transports = tuple(
            transport.value for transport in credential.response.transports or () if transport.value in known
        )
        return Attested(
            credential_id=made.credential_id,
            public_key=made.credential_public_key,
            sign_count=made.sign_count,
            aaguid=made.aaguid,
            transports=transports,
            backup_eligible=made.credential_device_type == CredentialDeviceType.MULTI_DEVICE,
            backed_up=made.credential_backed_up,
        )

    def asserted(self, answer: str, *, challenge: bytes, public_key: bytes) -> Asserted:
        """See :class:`~au_sys_identity.core.factors.ports.PasskeyCeremony`."""
        from webauthn import verify_authentication_response
        from webauthn.helpers import parse_authentication_credential_json
        from webauthn.helpers.structs import CredentialDeviceType

        try:
            credential = parse_authentication_credential_json(answer)
            made = verify_authentication_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=self.rp_id,
                expected_origin=self.origin,
                credential_public_key=public_key,
                credential_current_sign_count=0,  # whether the counter went back is judged by the caller
                require_user_verification=True,
            )
        except Exception as error:  # the parsers of keys and CBOR below raise many kinds
            raise BadPasskey(type(error).__name__) from error
        return Asserted(
            sign_count=made.new_sign_count,
            backup_eligible=made.credential_device_type == CredentialDeviceType.MULTI_DEVICE,
            backed_up=made.credential_backed_up,
            authenticator_data=credential.response.authenticator_data,
            client_data=credential.response.client_data_json,
            signature=credential.response.signature,
        )


def _algorithms() -> "list[COSEAlgorithmIdentifier]":
    from webauthn.helpers.cose import COSEAlgorithmIdentifier

    return [
        COSEAlgorithmIdentifier.EDDSA,
        COSEAlgorithmIdentifier.ECDSA_SHA_256,
        COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
    ]


def _transports() -> frozenset[str]:
    from webauthn.helpers.structs import AuthenticatorTransport

    return frozenset(transport.value for transport in AuthenticatorTransport)


def _descriptor(credential_id: bytes, transports: tuple[str, ...]) -> "PublicKeyCredentialDescriptor":
    from webauthn.helpers.structs import AuthenticatorTransport, PublicKeyCredentialDescriptor

    known = _transports()
    named = [AuthenticatorTransport(name) for name in transports if name in known]
    return PublicKeyCredentialDescriptor(id=credential_id, transports=named or None)
