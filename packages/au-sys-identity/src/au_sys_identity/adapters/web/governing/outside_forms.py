"""Fields of the forms for directories and login providers, and how what is typed becomes what is kept."""

from collections.abc import Callable
from dataclasses import dataclass

from au_sys_identity.core.directories.models import Directory
from au_sys_identity.core.directories.providers import Provider
from au_sys_identity.core.errors import InvalidInput

_LABELS = {"oidc": "OpenID Connect (by discovery)", "oauth2": "OAuth 2 (endpoints below)"}


def _text(value: str) -> object:
    return value.strip()


def _flag(value: str) -> object:
    return value == "on"


def _lines(value: str) -> object:
    return [line.strip() for line in value.split() if line.strip()]


def _roles(value: str) -> object:
    """``role: group`` on each line; a group's name may hold colons, a role's may not."""
    found: dict[str, str] = {}
    for line in value.splitlines():
        role, colon, group = line.partition(":")
        if line.strip() and not (colon and role.strip() and group.strip()):
            raise InvalidInput("roles", "is not a list of roles", "Write role: group on each line.")
        if line.strip():
            found[group.strip()] = role.strip()
    return found


@dataclass(frozen=True, slots=True)
class FormField:
    """One field. ``read`` makes what is kept of what is typed."""

    name: str
    label: str
    kind: str = "text"
    help: str = ""
    required: bool = False
    read: Callable[[str], object] = _text
    options: tuple[tuple[str, str], ...] = ()


DIRECTORY_FIELDS = (
    FormField("name", "Short name", help="a-z, 0-9 and -, as in staff. It stays.", required=True),
    FormField("label", "Name on the sign-in page"),
    FormField("servers", "Servers", "textarea", "ldaps://host or ldap://host (StartTLS), one a line.", True, _lines),
    FormField("certificates", "File with the authorities", help="Empty: those of the machine."),
    FormField("base", "Where to search", help="As in ou=people,dc=example,dc=org.", required=True),
    FormField("user", "DN of the service account", required=True),
    FormField("password", "Password of the service account", "password", "Leave it empty to keep the one that is set."),
    FormField("people", "Who counts", help="A filter. Who falls out of it is switched off by the next run."),
    FormField("login", "Attribute that people type as their name"),
    FormField("id", "Attribute that never changes"),
    FormField("email", "Attribute of the e-mail address"),
    FormField("display_name", "Attribute of the name"),
    FormField("locale", "Attribute of the language"),
    FormField("member_of", "Attribute that lists groups"),
    FormField("roles", "Roles from groups", "textarea", "role: DN of the group, one a line.", read=_roles),
    FormField("domains", "Speaks for these mail domains", help="Accounts there may be taken over.", read=_lines),
    FormField("provision", "Make accounts for new people", "checkbox", read=_flag),
    FormField("enabled", "Switched on", "checkbox", read=_flag),
)
PROVIDER_FIELDS = (
    FormField(
        "name", "Short name", help="a-z, 0-9 and -, as in corp. It is part of the callback address.", required=True
    ),
    FormField("label", "Name on the sign-in page"),
    FormField("kind", "Kind", "select", options=tuple(_LABELS.items())),
    FormField("issuer", "Issuer", help="https://…, exactly as the provider writes it.", required=True),
    FormField("client_id", "Client id", required=True),
    FormField("client_secret", "Client secret", "password", "Leave it empty to keep the one that is set."),
    FormField("scopes", "Scopes", read=_lines),
    FormField("domains", "Speaks for these mail domains", help="Verified accounts there are linked.", read=_lines),
    FormField("provision", "Make accounts for new people", "checkbox", read=_flag),
    FormField("multi", "Values of amr or acr that stand for a second factor", read=_lines),
    FormField("authorize_url", "Authorization endpoint", help="OAuth 2 only."),
    FormField("token_url", "Token endpoint", help="OAuth 2 only."),
    FormField("userinfo_url", "Endpoint that says who it is", help="OAuth 2 only."),
    FormField("id_claim", "Claim that never changes", help="OAuth 2 only."),
    FormField("email_claim", "Claim of the e-mail address"),
    FormField("verified_claim", "Claim that the address is verified"),
    FormField("name_claim", "Claim of the name"),
    FormField("enabled", "Switched on", "checkbox", read=_flag),
)
_SECRETS = frozenset({"password", "client_secret"})


def typed_directory(directory: Directory | None) -> dict[str, str]:
    """The form of a directory, or of a new one with what usually fits; never its password."""
    shown = directory or Directory("", "", (), "", "", "")
    return _typed(shown.stored(), DIRECTORY_FIELDS)


def typed_provider(provider: Provider | None) -> dict[str, str]:
    """The form of a provider, or of a new one with what usually fits; never its secret."""
    return _typed((provider or Provider("", "", "oidc", "", "", "")).stored(), PROVIDER_FIELDS)


def _typed(stored: dict[str, object], fields: tuple[FormField, ...]) -> dict[str, str]:
    return {field.name: "" if field.name in _SECRETS else _shown(stored[field.name], field.kind) for field in fields}


def _shown(value: object, kind: str) -> str:
    if isinstance(value, bool):
        return "on" if value else ""
    if isinstance(value, dict):
        return "\n".join(f"{role}: {group}" for group, role in value.items())
    if isinstance(value, list):
        return ("\n" if kind == "textarea" else " ").join(str(item) for item in value)  # an input drops line breaks
    return str(value)
