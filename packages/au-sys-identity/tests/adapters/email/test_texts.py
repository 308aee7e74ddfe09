"""What letters say."""

from uuid import UUID

import pytest

from au_sys_identity.adapters.email.texts import message_of
from au_sys_identity.core.notices.models import Letter


@pytest.mark.parametrize(
    ("locale", "subject", "lang"),
    [
        ("sv-SE", "FSP: Välj ett nytt lösenord", "sv"),
        ("en-GB", "FSP: Choose a new password", "en"),
        ("fi", "FSP: Choose a new password", "en"),
        (None, "FSP: Choose a new password", "en"),
    ],
)
def test_the_recipients_language(locale: str | None, subject: str, lang: str) -> None:
    """Subject, text and HTML are in the language of the profile where there is a catalogue, else in English."""
    letter = Letter(UUID(int=1), "reset", "anna@example.org", "Anna", "https://fsp.test/r#token=x", locale=locale)
    message = message_of(letter, sender="id@example.org", site="FSP")
    html = message.get_body(("html",))
    assert message["Subject"] == subject
    assert html is not None
    assert f'<html lang="{lang}">' in html.get_content()
