"""What the letters say, in plain text and in HTML that says the same and loads nothing, in the recipient's language."""

from email.headerregistry import Address
from email.message import EmailMessage
from functools import cache
from html import escape
from pathlib import Path

from au_sys_identity.core.notices.models import Kind, Letter
from fastapi_services_platform import Catalogues, chosen_language

_TEXTS: dict[Kind, tuple[str, str]] = {
    "verify": (
        "Confirm your e-mail address",
        "Hello {name},\n\nopen this link to confirm that this address is yours:\n\n{link}\n\n"
        "It is good for one use. If you did not ask for an account, ignore this letter.\n",
    ),
    "reset": (
        "Choose a new password",
        "Hello {name},\n\nopen this link to choose a new password:\n\n{link}\n\n"
        "It is good for one use within the hour. If you did not ask for it, ignore this letter; nothing has changed.\n",
    ),
    "magic": (
        "Your link to sign in",
        "Hello {name},\n\nopen this link to sign in:\n\n{link}\n\n"
        "It is good for one use within a few minutes. If you did not ask for it, ignore this letter.\n",
    ),
    "email": (
        "Confirm your new e-mail address",
        "Hello {name},\n\nopen this link to use this address for your account from now on:\n\n{link}\n\n"
        "It is good for one use. If you did not ask for it, ignore this letter; nothing has changed.\n",
    ),
    "email-asked": (
        "Your e-mail address is to change",
        "Hello {name},\n\nsomebody, perhaps you, asked to use {text} for your account instead of this address. It "
        "counts once it is confirmed from there.\n\nIf that was not you, change your password and tell an "
        "administrator of this platform at once.\n",
    ),
    "email-changed": (
        "Your e-mail address was changed",
        "Hello {name},\n\nyour account uses {text} from now on; this address does not lead to it any more.\n\n"
        "If that was not you, tell an administrator of this platform at once.\n",
    ),
    "session-stolen": (
        "A session of yours was ended",
        "Hello {name},\n\nsomebody used a copy of what keeps you signed in, so that session was ended. Look at where "
        "you are signed in:\n\n{link}\n\nIf anything there is strange, end it and change your password.\n",
    ),
    "invitation": (
        "You are invited",
        "Hello,\n\n{text}\n\nOpen this link to accept:\n\n{link}\n\nIt is good for one use. If you do not know what "
        "this is about, ignore this letter.\n",
    ),
    "notice": ("{title}", "Hello {name},\n\n{text}\n\n{link}\n"),
    "known": (
        "You have an account already",
        "Hello {name},\n\nsomebody, perhaps you, wanted to register with this address, which has an account already. "
        "If you forgot the password, choose a new one here:\n\n{link}\n\nOtherwise ignore this letter.\n",
    ),
    "password-changed": (
        "Your password was changed",
        "Hello {name},\n\nthe password of your account was changed and every device was signed out.\n\n"
        "If that was not you, tell an administrator of this platform at once.\n",
    ),
    "approval": (
        "An act waits for your approval",
        "Hello {name},\n\na machine that you answer for asks to do something. Look at exactly what it is, then approve "
        "or deny it, within a few minutes:\n\n{link}\n\nIf nobody decides, nothing happens.\n",
    ),
    "custody-transferred": (
        "You answer for more machines now",
        "Hello {name},\n\nsomebody handed service accounts or AI agents over to you. From now on you answer for what "
        "they do, and you can stop them here:\n\n{link}\n\nIf you should not, tell an administrator.\n",
    ),
    "factor-changed": (
        "How you sign in was changed",
        "Hello {name},\n\na passkey, authenticator app or set of recovery codes was added to your account or removed "
        "from it.\n\nIf that was not you, tell an administrator of this platform at once.\n",
    ),
}


def message_of(letter: Letter, *, sender: str, site: str) -> EmailMessage:
    """The mail; every header value is encoded by the standard library, so none can smuggle in another.

    Blocks when a language is first used: call it in a thread.
    """
    known = _catalogues()
    language = chosen_language(known.languages, letter.locale, "", "", "en")
    subject, body = (known.text("identity", language, text) for text in _TEXTS[letter.kind])
    message = EmailMessage()
    message["From"] = sender
    message["To"] = Address(_one_line(letter.name), addr_spec=letter.recipient)
    message["Subject"] = f"{site}: {_one_line(letter.title) or subject}"
    message["Message-ID"] = f"<{letter.id}@{sender.rpartition('@')[2].rstrip('>')}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(body.format(name=_one_line(letter.name), link=letter.link, text=letter.text))
    message.add_alternative(_html(subject, body, letter, language), subtype="html")
    return message


def _html(subject: str, body: str, letter: Letter, language: str) -> str:
    """A paragraph for each of the text; the link stands where the text has it."""
    address = escape(letter.link, quote=True)
    link = f'<a href="{address}">{address}</a>' if address else ""
    paragraphs = [part for part in body.strip().split("\n\n") if part]
    shown = "".join(
        f"<p>{escape(part).format(name=escape(_one_line(letter.name)), link=link, text=escape(letter.text))}</p>"
        for part in paragraphs
    )
    title = escape(_one_line(letter.title) or subject)
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{title}</title></head>'
        f"<body>{shown}</body></html>"
    )


@cache
def _catalogues() -> Catalogues:
    return Catalogues([("identity", Path(__file__).parents[1] / "web" / "locale")])


def _one_line(text: str) -> str:
    return " ".join(text.split())
