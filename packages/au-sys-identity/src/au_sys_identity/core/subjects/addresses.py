"""One canonical form for every spelling of an e-mail address.

email-validator does no input or output here: the look-up of mail servers is off.
"""

import unicodedata
from dataclasses import dataclass

from au_sys_identity.core.errors import InvalidInput

_MAXIMUM = 254  # RFC 5321 §4.5.3.1.3 less the angle brackets


@dataclass(frozen=True, slots=True)
class EmailAddress:
    """An address as it is shown, and the form in which it is unique: NFC, lower case, IDNA-2008 domain in ASCII."""

    shown: str
    canonical: str


def email_address(text: str, field: str = "email") -> EmailAddress:
    """Check and canonicalize one address. ``+tag`` is significant.

    Raises:
        InvalidInput: it is not exactly one well-formed address.
    """
    from email_validator import EmailNotValidError, validate_email  # compiles many expressions: not in every start

    hint = "Give one address such as name@example.org."
    if len(text) > _MAXIMUM or not text.isprintable() or "＠" in text:
        raise InvalidInput(field, "is not an e-mail address", hint)
    if any(unicodedata.category(character) in {"Cc", "Cf"} for character in text):
        raise InvalidInput(field, "contains invisible characters", hint)
    try:
        checked = validate_email(text.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        raise InvalidInput(field, "is not an e-mail address", hint) from None
    local = unicodedata.normalize("NFC", checked.local_part).lower()
    return EmailAddress(shown=checked.normalized, canonical=f"{local}@{checked.ascii_domain.lower()}")
